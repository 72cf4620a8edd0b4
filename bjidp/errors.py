"""How the program fails.

Owns the base of every error a person or a client may see, and the few that every room shares. A feature's own
errors live in its ``errors.py``. ``code`` is public and frozen by a test; the words for it are in the catalogues
(``problem.<code>``), the HTTP status in ``bjidp.web.server.problems``.
"""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct


class BjidpError(Exception):
    """A failure with a stable, public ``code``.

    ``details`` are extra members of the problem document (RFC 9457, section 3.2); they carry no personal value.
    """

    code: ClassVar[str]

    def __init__(self, **details: object) -> None:
        """Remember the extra members of the problem document."""
        super().__init__(self.code, *details.values())
        self.details = details


class FieldFault(Struct, frozen=True):
    """What is wrong with one field of a body or a form."""

    field: str
    code: str


class InvalidRequest(BjidpError):
    """The body's shape or a field is wrong; nothing was changed."""

    code = "invalid_request"

    def __init__(self, *errors: FieldFault) -> None:
        """Name each faulty field and how it is wrong."""
        super().__init__(errors=errors)
        self.errors = errors


class TokenInvalid(BjidpError):
    """The access token is missing, expired, revoked or foreign."""

    code = "token_invalid"


class AccountRefused(BjidpError):
    """Policy refuses this account at this moment; ``reason`` says why, in a closed list of words."""

    code = "account_refused"

    def __init__(self, reason: str, level: str | None = None) -> None:
        """Give the reason: ``locked``, ``cancelled``, ``other_account``, ``level`` or ``probation``.

        ``level`` is the one that is asked for, where the account's is less.
        """
        super().__init__(reason=reason, **({} if level is None else {"level": level}))
        self.reason = reason


class Retryable(BjidpError):
    """A failure that passes by itself; ``retry_after`` is in whole seconds (RFC 9110, section 10.2.3)."""

    def __init__(self, retry_after: int) -> None:
        """Say after how many seconds a new attempt makes sense."""
        super().__init__()
        self.retry_after = max(1, retry_after)


class RateLimited(Retryable):
    """Too many attempts; nothing was consumed."""

    code = "rate_limited"


class TooBusy(Retryable):
    """More is waiting already than can be done within a reasonable time; nothing was begun."""

    code = "too_busy"


class StoreUnavailable(Retryable):
    """A database did not answer. Raised by adapters in place of every driver exception; nothing was consumed."""

    code = "service_unavailable"

    def __init__(self, retry_after: int = 5) -> None:
        """Suggest a pause of ``retry_after`` seconds."""
        super().__init__(retry_after)


class VendorUnavailable(Retryable):
    """An outside service did not answer in time, or answered nonsense; no verdict was reached."""

    code = "vendor_unavailable"

    def __init__(self, retry_after: int = 10) -> None:
        """Suggest a pause of ``retry_after`` seconds."""
        super().__init__(retry_after)
