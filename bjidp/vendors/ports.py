"""What the features ask of outside services.

Owns the capabilities (small and orthogonal; one client may have several), the facts they are asked about and the
closed sets of answers. A "no" is a result; silence, nonsense or a refusal to serve us is
:class:`bjidp.errors.VendorUnavailable`, never a verdict. Called by ``miniprogram``; implemented by one folder per
service beside this file.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from bjidp.errors import BjidpError
from bjidp.person import DocumentType, Person
from bjidp.platforms import PlatformIdentity


class LoginCodeInvalid(BjidpError):
    """The platform refused the login code: used, expired, of another app, or made up."""

    code = "login_code_invalid"


class PlatformSignIn(Protocol):
    """A platform's own login for its mini-programs."""

    async def exchange(self, code: str) -> PlatformIdentity:
        """Redeem the one-use login ``code``; raise :class:`LoginCodeInvalid` or ``VendorUnavailable``."""
        ...


class FaceRequest(Struct, frozen=True):
    """The facts a face check is started for; the verdict counts only for exactly these (attack B2).

    ``reference`` is ours: 5 to 32 characters of ``[0-9A-Za-z]``, unique for ever.
    """

    reference: str
    identity: PlatformIdentity
    person: Person


class FaceStart(Struct, frozen=True):
    """A face check has been opened at the platform.

    ``verification`` is the platform's id; ``client`` holds what its client call needs beside it.
    """

    verification: str
    client: dict[str, str]


class FaceVerdict(StrEnum):
    """What the platform says of a face check, asked from server to server."""

    PASSED = "passed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PENDING = "pending"


class FaceCheck(Protocol):
    """A platform's face check."""

    documents: frozenset[DocumentType]
    """The documents it can check a face against."""

    async def start(self, request: FaceRequest) -> FaceStart:
        """Open a check for exactly these facts; raise ``VendorUnavailable``."""
        ...

    async def verdict(self, request: FaceRequest, verification: str) -> FaceVerdict:
        """Ask what came of it. Every answer but the platform's own clear yes is not a pass (attack B1)."""
        ...


class PlatformClients(Struct, frozen=True):
    """What one platform is asked for."""

    sign_in: PlatformSignIn
    face: FaceCheck


class AuthorityAnswer(StrEnum):
    """What the authority that issues documents says of a name and a number."""

    MATCH = "match"
    MISMATCH = "mismatch"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    REFUSED = "refused"


class AuthorityFinding(Struct, frozen=True):
    """The authority's answer, its reason in a closed word if it gave one, and its own reference for the record."""

    answer: AuthorityAnswer
    reason: str | None
    reference: str


class Authority(Protocol):
    """The source that knows which name belongs to which number."""

    async def check(self, person: Person) -> AuthorityFinding:
        """Ask whether ``person`` exists as stated; raise ``VendorUnavailable``."""
        ...
