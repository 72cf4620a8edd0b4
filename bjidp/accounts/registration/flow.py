"""Registration on a page: the facts of one, the step they lead to, and what is wrong with what was typed. Pure.

Owns which fields the two forms have. The facts lie in a draft of the browser until the
account exists, and in the session's data from then on; neither names a step.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, TypeAlias, assert_never

from msgspec import Struct
from msgspec.structs import replace

from bjidp.accounts import fields
from bjidp.accounts.ports import Evidence
from bjidp.accounts.surface import Surface as Surface  # noqa: PLC0414 - a form is on one of the two
from bjidp.clock import Instant
from bjidp.errors import FieldFault
from bjidp.platforms import ExternalIdentity
from bjidp.verification.number import MobileNumber, mobile_number


class Typed(Struct, frozen=True, kw_only=True):
    """A posted form; a field that the form does not have is empty."""

    username: str = ""
    phone: str = ""
    captcha: str = ""
    captcha_id: str = ""
    """Which picture was shown."""
    code: str = ""
    password: str = ""
    again: str = ""
    agreed: bool = False
    national: bool = False
    """同步成为国家政务服务平台用户."""

    @property
    def number(self) -> MobileNumber | None:
        """The mobile number, if it is one."""
        return mobile_number(self.phone)

    @property
    def name(self) -> str:
        """The username, without the blanks that come along when it is pasted."""
        return self.username.strip()

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "Typed(***)"


class Begun(Struct, frozen=True, kw_only=True):
    """A registration before its account exists."""

    next: str
    """Where the person was going when they came here; no client sends it (attack T4)."""
    client: str
    """What that place is called."""
    external: ExternalIdentity | None = None
    """What the account is to be logged in to by besides, of somebody who came from a provider (LOG-4)."""
    username: str = ""
    """As it was typed when the code was asked for, to be shown again."""
    phone: str = ""
    """The same."""
    agreed: bool = False
    """The same."""
    national: bool = False
    """The same."""
    dispatch: str | None = None
    """The message with the code, by which the page asks what became of it."""
    again_at: Instant = 0
    """When the next one may be asked for."""
    proved: str | None = None
    """The number whose code was right: eleven digits. No other fault costs a second code."""
    attempted: bool = False
    """The account may exist already: it was about to be made with the proved number."""

    def __repr__(self) -> str:
        """Show how far it is alone: the rest is personal."""
        return f"Begun(proved={self.proved is not None}, attempted={self.attempted})"


class Identity(StrEnum):
    """What has become of 实名认证 in a registration."""

    OPEN = ""
    SKIPPED = "skipped"
    BOUND = "bound"
    HELD = "held"
    """It is another account's, and kept here as a claim (RNV-7)."""


class Registered(Struct, frozen=True, kw_only=True):
    """A registration whose account exists, in the session of its owner."""

    next: str
    client: str
    national: bool = False
    """The owner wants to become a user of the national platform too."""
    identity: Identity = Identity.OPEN
    held_by: tuple[Evidence, ...] = ()
    """The proofs that bring an identity that is held, weakest first; none where only people decide."""


Facts: TypeAlias = Begun | Registered | None


class Step(StrEnum):
    """The steps, as the stepper names them."""

    ACCOUNT = "account"
    IDENTITY = "identity"
    DONE = "done"


def next_step(facts: Facts) -> Step:
    """Return the step that is due: what was not done yet comes first, whatever page was asked for."""
    match facts:
        case None | Begun():
            return Step.ACCOUNT
        case Registered(identity=identity):
            return Step.IDENTITY if identity is Identity.OPEN else Step.DONE
        case _:
            assert_never(facts)


def asked(facts: Begun, typed: Typed, number: MobileNumber, dispatch: str, again_at: Instant) -> Begun:
    """Return the facts after a code was sent to ``number``; another number that was proved before is so no more."""
    same = facts.proved == number.digits
    return replace(
        facts,
        username=typed.name[: fields.REPEATED],
        phone=number.digits,
        agreed=typed.agreed,
        national=typed.national,
        dispatch=dispatch,
        again_at=again_at,
        proved=facts.proved if same else None,
        attempted=facts.attempted and same,
    )


def without_number(facts: Begun) -> Begun:
    """Return the facts of somebody who wants to give another number than the one they proved: none was sent a code."""
    return replace(facts, phone="", proved=None, attempted=False, dispatch=None, again_at=0)


def proved(facts: Begun, number: MobileNumber) -> Begun:
    """Return the facts after a right code for ``number``."""
    same = facts.proved == number.digits
    return replace(facts, phone=number.digits, proved=number.digits, attempted=facts.attempted and same)


_NEXT: Final = "registration.next"
_CLIENT: Final = "registration.client"
_NATIONAL: Final = "registration.national"
_IDENTITY: Final = "registration.identity"
_HELD_BY: Final = "registration.held_by"


def to_session(facts: Registered) -> dict[str, str]:
    """Return the facts as data of a session."""
    data = {_NEXT: facts.next, _CLIENT: facts.client}
    if facts.national:
        data[_NATIONAL] = "yes"
    if facts.identity:
        data[_IDENTITY] = facts.identity.value
    if facts.held_by:
        data[_HELD_BY] = " ".join(facts.held_by)
    return data


def of_session(data: dict[str, str]) -> Registered | None:
    """Return the facts that a session has, None when it did not begin with a registration."""
    if _NEXT not in data:
        return None
    return Registered(
        next=data[_NEXT],
        client=data.get(_CLIENT, ""),
        national=_NATIONAL in data,
        identity=Identity(data.get(_IDENTITY, "")),
        held_by=tuple(Evidence(word) for word in data.get(_HELD_BY, "").split()),
    )


def code_faults(typed: Typed) -> list[FieldFault]:
    """Return what keeps a code from being sent."""
    return [*fields.phone_faults(typed.phone), *fields.captcha_faults(typed.captcha)]


def username_faults(surface: Surface, typed: Typed, *, required: bool) -> list[FieldFault]:
    """Return what is wrong with the username, apart from its being another's; nothing where none is asked for."""
    if surface is Surface.H5 or not (typed.name or required):
        return []
    return fields.username_faults(typed.name)


def account_faults(surface: Surface, typed: Typed, facts: Begun) -> list[FieldFault]:
    """Return everything that is wrong with the form as far as it can be told without asking anybody."""
    faults = [*username_faults(surface, typed, required=True), *fields.phone_faults(typed.phone)]
    if typed.number is None or typed.number.digits != facts.proved:
        faults += fields.code_faults(typed.code)
    names = (typed.name, None if typed.number is None else typed.number.digits)
    faults += fields.password_faults(typed.password, typed.again if surface is Surface.PC else None, names)
    return [*faults, *fields.agreement_faults(agreed=typed.agreed)]
