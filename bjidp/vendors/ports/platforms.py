"""What the platform of a mini-program is asked: who somebody is, their number, their face."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol, TypeAlias

from msgspec import Struct

from bjidp.errors import BjidpError
from bjidp.person import DocumentType, Person
from bjidp.platforms import PlatformIdentity
from bjidp.secret import Secret


class LoginCodeInvalid(BjidpError):
    """The platform refused the login code: used, expired, of another app, or made up."""

    code = "login_code_invalid"


class LoginBlocked(BjidpError):
    """The platform takes the user for a risk, and lets them log in to no mini-program; another code changes nothing."""

    code = "login_blocked"


class PlatformLogin(Struct, frozen=True):
    """What a login code was worth: who it is, and the key that came with it, which no answer ever holds (attack M1).

    The platform encrypts with ``session_key`` what it tells this user's phone; None where it has no such key.
    """

    identity: PlatformIdentity
    session_key: Secret | None


class PlatformSignIn(Protocol):
    """A platform's own login for its mini-programs."""

    async def exchange(self, code: str) -> PlatformLogin:
        """Redeem the one-use login ``code``.

        Raises :class:`LoginCodeInvalid`, :class:`LoginBlocked` and ``VendorUnavailable``.
        """
        ...


class PhoneCode(Struct, frozen=True):
    """A one-use code, which the platform is asked with for the number."""

    code: str

    def __repr__(self) -> str:
        """Show that there is one: whoever has the code has the number."""
        return "PhoneCode(***)"


class SealedPhone(Struct, frozen=True):
    """The number, encrypted under the session key of the login that asked: both members in Base64."""

    data: str
    iv: str

    def __repr__(self) -> str:
        """Show that there is one."""
        return "SealedPhone(***)"


class SignedPhone(Struct, frozen=True):
    """What the platform signed, and mostly encrypted for the app; ``sign`` is in Base64."""

    response: str
    sign: str

    def __repr__(self) -> str:
        """Show that there is one."""
        return "SignedPhone(***)"


PhoneGiven: TypeAlias = PhoneCode | SealedPhone | SignedPhone
"""What a platform's phone button gives the mini-program, and the mini-program passes on."""


class VerifiedPhone(Struct, frozen=True):
    """The number that the platform verified for its user, as the platform writes it."""

    number: str

    def __repr__(self) -> str:
        """Show that there is one: the value is personal."""
        return "VerifiedPhone(***)"


class PhoneRefusal(StrEnum):
    """Why there is no number."""

    UNPROVED = "unproved"
    """Nothing of this app, this login and this moment: made up, changed, another's, used or too old.

    One answer for all of them, or somebody could read the plaintext off the difference (a padding oracle).
    """
    ABSENT = "absent"
    """The platform knows no number of its user."""
    FOREIGN = "foreign"
    """The number is of another country."""


PhoneAnswer: TypeAlias = VerifiedPhone | PhoneRefusal


class PhoneNumbers(Protocol):
    """A platform's phone button: it tells the number that it verified for its user."""

    forms: tuple[type[PhoneGiven], ...]
    """What this platform's button gives, the newest form first."""
    distinct: bool
    """Whether each press gives something else; if not, what was given before may be given anew."""

    async def number(self, login: PlatformLogin, given: PhoneGiven) -> PhoneAnswer:
        """Tell the number behind ``given`` for whoever logged in by ``login``; raise ``VendorUnavailable``.

        What is in none of the :attr:`forms` is ``UNPROVED``.
        """
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
    app_id: str
    """The mini-program whose users it knows; of another one's user it is never asked."""

    async def start(self, request: FaceRequest) -> FaceStart:
        """Open a check for exactly these facts; raise ``VendorUnavailable``."""
        ...

    async def verdict(self, request: FaceRequest, verification: str) -> FaceVerdict:
        """Ask what came of it. Every answer but the platform's own clear yes is not a pass (attack B1)."""
        ...


class PlatformClients(Struct, frozen=True):
    """What one platform is asked for; ``phone`` is None where its button is not set up."""

    sign_in: PlatformSignIn
    face: FaceCheck
    phone: PhoneNumbers | None = None
