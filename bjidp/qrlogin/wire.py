"""Messages of the QR channel and bodies of the phone's calls (wire.md, sections 2 to 4).

Owns their shapes: the same types decode, encode and describe themselves in ``/openapi.json``. Unknown or mistyped
members of a body are refused.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

Text = Annotated[str, Meta(max_length=512)]
Secretish = Annotated[str, Meta(max_length=128)]


class TicketMessage(Struct, frozen=True, tag="ticket", tag_field="type"):
    """A ticket to show. ``key`` makes the frames; ``elapsed`` and ``expires_in`` are seconds."""

    ticket: str
    seq: int
    purpose: str
    prefix: str
    key: str
    step: float
    elapsed: float
    expires_in: float


class ScannedMessage(Struct, frozen=True, tag="scanned", tag_field="type"):
    """A phone took the ticket; ``who`` is a masked name."""

    ticket: str
    seq: int
    platform: str
    who: str
    expires_in: float


class ApprovedMessage(Struct, frozen=True, tag="approved", tag_field="type"):
    """The phone confirmed; the page redeems ``grant``, with the phone's two digits if a code is required."""

    ticket: str
    seq: int
    grant: str
    code_required: bool
    expires_in: float


class RejectedMessage(Struct, frozen=True, tag="rejected", tag_field="type"):
    """The person refused on the phone, or the reverse code was wrong too often."""

    ticket: str
    seq: int
    reason: Literal["person", "code"]


class ExpiredMessage(Struct, frozen=True, tag="expired", tag_field="type"):
    """The ticket's time is over; when ``renewed``, the next ticket follows."""

    ticket: str
    seq: int
    renewed: bool


Message: TypeAlias = TicketMessage | ScannedMessage | ApprovedMessage | RejectedMessage | ExpiredMessage

ALIVE = b'{"type":"alive"}'
"""Sent after silence, so that a page can tell a dead connection from a quiet one."""


class RenewFrame(Struct, frozen=True, forbid_unknown_fields=True):
    """The only thing a page says on the socket: show me a new code.

    A field, not a tag: msgspec lets a tag be absent where there is nothing to choose between.
    """

    type: Literal["renew"]


class TicketsBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /qr/tickets``."""

    flow: Secretish | None = None


class RedeemBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /qr/redeem``."""

    grant: Secretish
    code: Annotated[str, Meta(pattern=r"^[0-9]{2}$", max_length=2)] | None = None


class RedeemForm(RedeemBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same as a form, with the token of the page that shows it.

    ``flow`` tells which page to lead back to when nothing comes of it.
    """

    csrf: Secretish
    flow: Secretish | None = None


class RedeemAnswer(Struct, frozen=True):
    """Where the page goes now."""

    next: str


class ScanBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /mp/v1/qr/scan``."""

    text: Text
    scene: Annotated[int, Meta(ge=0, le=99999)]


class ConfirmBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /mp/v1/qr/confirm``."""

    ticket: Secretish
    confirm_token: Secretish


class FaceBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /mp/v1/qr/face``: whose face it is the server knows itself (attack B4)."""

    ticket: Secretish
    confirm_token: Secretish


class RejectBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /mp/v1/qr/reject``; ``report`` says that somebody tried to trick the person."""

    ticket: Secretish
    confirm_token: Secretish
    report: bool = False


class UndoBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /mp/v1/qr/undo``; ``report`` says that somebody tried to trick the person."""

    ticket: Secretish
    report: bool = False


class ClientFacts(Struct, frozen=True):
    """The site that is being logged in to."""

    name: str
    domain: str


class RequestFacts(Struct, frozen=True):
    """What the person decides by: only facts the server saw itself (attacks P3, P4).

    ``session_lifetime`` is 0 where no login comes of it; ``reads`` are the scopes that a device's client may read.
    """

    client: ClientFacts
    action: str
    requested_at: str
    age: int
    browser: str
    os: str
    ip_area: str | None
    location_mismatch: bool | None
    ip_seen_before: bool
    session_lifetime: int
    reads: tuple[str, ...] | UnsetType = UNSET


class ScanAnswer(Struct, frozen=True):
    """Answer of ``scan``; ``user_code`` is what a device has to show for the step ``compare``."""

    ticket: str
    purpose: str
    confirm_token: str
    expires_in: float
    steps: tuple[str, ...]
    request: RequestFacts
    user_code: str | UnsetType = UNSET


class ConfirmAnswer(Struct, frozen=True):
    """Answer of ``confirm``; ``code`` is to be typed on the computer when it is not null."""

    status: Literal["approved"]
    code: str | None


class RejectAnswer(Struct, frozen=True):
    """Answer of ``reject``."""

    status: Literal["rejected"]


class UndoAnswer(Struct, frozen=True):
    """Answer of ``undo``: nothing that came of the ticket goes on."""

    status: Literal["ended"]
