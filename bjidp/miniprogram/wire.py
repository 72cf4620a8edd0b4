"""Messages of the mini-program's calls (wire.md 3). Bodies are strict: an unknown or mistyped field is refused.

Whoever may log in, and as whom, is never read from a body (attack Q9): no message has a field for it.
"""

from __future__ import annotations

from typing import Annotated, Literal, cast

from msgspec import Meta, Struct

from bjidp.person import DocumentType
from bjidp.standing import Level

LoginCode = Annotated[
    str, Meta(min_length=1, max_length=512, pattern=r"^[!-~]+$(?!\n)", description="One-use login code.")
]
RegistrationSecret = Annotated[
    str,
    Meta(
        min_length=43,
        max_length=43,
        pattern=r"^[A-Za-z0-9_-]+$(?!\n)",
        description="Names a registration; known to this phone alone.",
    ),
]
ButtonCode = Annotated[
    str, Meta(min_length=1, max_length=512, pattern=r"^[!-~]+$(?!\n)", description="WeChat's; good for one use.")
]
Payload = Annotated[str, Meta(min_length=1, max_length=8192, description="As the platform gave it.")]
RefreshToken = Annotated[str, Meta(min_length=1, max_length=128, description="Opaque; good for one refresh.")]
LevelName = Literal["L1", "L2", "L3", "L4"]
Consent = Literal["terms", "privacy"]


class SessionRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Log in with the platform's own login code."""

    code: LoginCode


class AccountSummary(Struct, frozen=True):
    """Who is logged in; ``name`` is masked."""

    name: str
    level: LevelName


class SessionOk(Struct, frozen=True, tag="ok", tag_field="status"):
    """The phone is logged in."""

    access_token: str
    expires_in: int
    refresh_token: str
    account: AccountSummary


class IdentityRequired(Struct, frozen=True, tag="identity_required", tag_field="status"):
    """This platform identity has to prove who it is first; ``expires_in`` seconds are left for it."""

    registration: str
    expires_in: int


class RegistrationRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Who somebody says they are, and for how many days the platform's own login shall suffice afterwards."""

    registration: RegistrationSecret
    document_type: DocumentType
    name: Annotated[str, Meta(max_length=400)]
    document_number: Annotated[str, Meta(max_length=64)]
    valid_days: Literal[0, 7, 30]
    agreed: Annotated[list[Consent], Meta(max_length=2)]


class FaceStarted(Struct, frozen=True):
    """What the platform's client call needs: ``verification`` and members of the platform's own."""

    face: dict[str, str]


class CompleteRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """The face check is done: look what came of it."""

    registration: RegistrationSecret


class FoundAccount(Struct, frozen=True):
    """The account that holds the identity, as much as its owner recognises it by; masked."""

    username: str
    phone: str | None


class AccountFound(Struct, frozen=True, tag="account_found", tag_field="status"):
    """An account holds this identity by a weaker proof: it can be claimed for ``expires_in`` seconds."""

    registration: str
    account: FoundAccount
    expires_in: int


class ClaimRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the account that was found is the person's own; if so, the code that its phone was sent.

    Without one, one is sent.
    """

    registration: RegistrationSecret
    mine: bool
    code: Annotated[str, Meta(max_length=32)] | None = None


class CodeSent(Struct, frozen=True, tag="code_sent", tag_field="status"):
    """A code is on its way to the account's phone; the next one can be asked for in ``wait`` seconds."""

    wait: int


class PhoneRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What the platform's phone button gave.

    WeChat ``code``, or ``data`` and ``iv`` of older clients; Alipay ``response`` and ``sign``; Baidu ``data`` and
    ``iv``. ``merge`` takes the number over from an account without an identity, which ends.
    """

    code: ButtonCode | None = None
    data: Payload | None = None
    iv: Payload | None = None
    response: Payload | None = None
    sign: Payload | None = None
    merge: bool = False


class PhoneBound(Struct, frozen=True):
    """The number is the account's; masked."""

    phone: str


class RefreshRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Ask for the next pair of tokens."""

    refresh_token: RefreshToken


class TokenPair(Struct, frozen=True):
    """An access token, good for ``expires_in`` seconds, and the refresh token that follows it."""

    access_token: str
    expires_in: int
    refresh_token: str


class AccountView(Struct, frozen=True):
    """The account behind the access token, masked."""

    name: str
    level: LevelName
    phone: str | None
    username: str


class Site(Struct, frozen=True):
    """Whose device it is: the name that was registered, and the host beside it."""

    name: str
    domain: str


class Device(Struct, frozen=True):
    """Where an account is logged in: a browser, a phone by the mini-program, or a ``site``'s device without a browser.

    ``way`` is known of browsers alone, ``browser``, ``os`` and ``area`` of these and of devices; ``platform`` is the
    京通 that confirmed the login, or that the phone runs. ``current`` is the phone that asks.
    """

    id: str
    kind: Literal["browser", "phone", "device"]
    way: str | None
    platform: str | None
    browser: str | None
    os: str | None
    area: str | None
    created_at: str
    last_used_at: str
    current: bool
    site: Site | None


class DeviceList(Struct, frozen=True):
    """Everywhere an account is logged in."""

    sessions: list[Device]


def level_name(level: Level) -> LevelName:
    """Return the level as it is written on the wire."""
    # Its members are named as the wire names them; a test holds the two to each other.
    return cast("LevelName", level.name)
