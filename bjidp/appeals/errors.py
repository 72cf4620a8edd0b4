"""How filing an appeal fails, beside :mod:`bjidp.errors`. What staff are told of is in :mod:`bjidp.appeals.ports`."""

from __future__ import annotations

from bjidp.errors import BjidpError, Retryable

_AN_HOUR = 3600


class AppealOpen(BjidpError):
    """The account has an appeal that waits for a decision: one at a time."""

    code = "appeal_open"


class AppealNotNeeded(BjidpError):
    """Nobody else holds the identity any more: it is proved in the ordinary way."""

    code = "appeal_not_needed"


class AppealsCrowded(BjidpError):
    """So many accounts appeal for this identity already that another appeal may have but few pictures."""

    code = "appeals_crowded"


class AppealsFull(Retryable):
    """There is no room for attachments until some of what waits is decided: the pictures of that give way."""

    code = "appeals_full"

    def __init__(self) -> None:
        """Suggest a pause of an hour."""
        super().__init__(_AN_HOUR)


class AppealOver(BjidpError):
    """There is no appeal to take back: it was decided, or taken back, in the meantime."""

    code = "appeal_over"


class ClaimOver(BjidpError):
    """Who somebody says they are was confirmed too long ago, or never: that comes before an appeal."""

    code = "claim_over"
