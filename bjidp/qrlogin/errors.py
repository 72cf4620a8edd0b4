"""How the QR channel fails, towards the phone and towards the page (wire.md, sections 2 and 3)."""

from __future__ import annotations

from bjidp.errors import BjidpError


class TicketUnknown(BjidpError):
    """Never existed, a wrong MAC, another purpose; for a page: foreign, used or expired. One answer for all (Q22)."""

    code = "ticket_unknown"


class TicketTaken(BjidpError):
    """Another account scanned it first."""

    code = "ticket_taken"


class TicketClosed(BjidpError):
    """Confirmed, rejected, superseded or redeemed already.

    A confirm or reject repeated by the same account with the same token carries the first answer, so that a lost
    answer is no lost confirmation. It is carried as the member ``answer``, since ``status`` and ``code`` of a
    problem document are taken (RFC 9457, section 3.1).
    """

    code = "ticket_closed"

    def __init__(self, status: str | None = None, code: str | None = None) -> None:
        """Carry the first answer's status and reverse code, if this caller was given one."""
        if status is None:
            super().__init__()
        else:
            super().__init__(answer={"status": status, "code": code} if status == "approved" else {"status": status})
        self.status = status
        self.reverse_code = code


class TicketExpired(BjidpError):
    """Its time is over."""

    code = "ticket_expired"


class FrameStale(BjidpError):
    """The picture is older, or newer, than a live screen can show."""

    code = "frame_stale"


class SceneRefused(BjidpError):
    """Not scanned by a live camera."""

    code = "scene_refused"


class ConfirmRefused(BjidpError):
    """The confirm token is unknown, replaced by a later scan, or another account's."""

    code = "confirm_refused"


class FacePending(BjidpError):
    """There is no verdict of a face check yet: it is to be finished, then asked about again. Nothing was changed."""

    code = "face_pending"


class CodeWrong(BjidpError):
    """The two digits typed on the computer are not the phone's."""

    code = "code_wrong"

    def __init__(self, tries_left: int) -> None:
        """Say how many tries are left; at none the ticket is dead."""
        super().__init__(tries_left=tries_left)
        self.tries_left = tries_left


class OriginRefused(BjidpError):
    """The request does not come from a page of ours; nothing was consumed."""

    code = "origin_refused"


class BrowserUnknown(BjidpError):
    """No browser record: the page has to load itself again."""

    code = "browser_unknown"


class FlowUnknown(BjidpError):
    """The flow is not this browser's."""

    code = "flow_unknown"


class AlreadySignedIn(BjidpError):
    """This browser has a live session of another account; nothing changed, the page asks."""

    code = "already_signed_in"


class PageSuperseded(BjidpError):
    """A newer page of this browser watches the flow; this one steps back and does not come again by itself."""

    code = "page_superseded"
