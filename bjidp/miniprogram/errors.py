"""How the mini-program's calls fail, beside :mod:`bjidp.errors` and what other rooms name: the errors imported here."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from bjidp.errors import BjidpError, FieldFault, InvalidRequest
from bjidp.platforms import Platform
from bjidp.proofing.errors import IdentityMismatch
from bjidp.qrlogin.errors import FacePending
from bjidp.vendors.ports.platforms import LoginCodeInvalid

__all__ = [
    "DocumentUnsupported",
    "FaceFailed",
    "FaceFailure",
    "FacePending",
    "IdentityMismatch",
    "LoginCodeInvalid",
    "unknown_registration",
]


class DocumentUnsupported(BjidpError):
    """This platform's face check does not know the document; ``platforms`` names those whose check does."""

    code = "document_unsupported"

    def __init__(self, platforms: Iterable[Platform]) -> None:
        """Name the platforms to go to."""
        super().__init__(platforms=tuple(platforms))


class SessionUnknown(BjidpError):
    """The account has no live session of that id: it has ended already, or was never its own."""

    code = "session_unknown"


class FaceFailure(StrEnum):
    """Why a face check gave no pass."""

    FAILED = "failed"
    CANCELLED = "cancelled"
    TOO_OLD = "too_old"


class FaceFailed(BjidpError):
    """The face check is over and nothing came of it: a new one must be started."""

    code = "face_failed"

    def __init__(self, reason: FaceFailure) -> None:
        """Say why."""
        super().__init__(reason=reason)


def unknown_registration() -> InvalidRequest:
    """Return the one answer for a registration that never was, is over, or belongs to another platform."""
    return InvalidRequest(FieldFault("registration", "unknown"))
