"""How and when the owner of a session has proved who they are.

Owns what a session remembers of it, and the values of ``amr`` (RFC 8176 has none for most of what is done here): the
login, and each proof since, which counts as an authentication. Nothing here says how well somebody is known: a login by
QR is ``qr`` and no more, whatever the level of the account (attack P10). Pure; called by ``service``, and by whoever
tells others.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from bjidp.clock import Instant
from bjidp.sessions.ports import Session, Way

_PROVED: Final = "proved"


class Method(StrEnum):
    """What somebody has proved themselves by."""

    PASSWORD = "pwd"  # noqa: S105 - the name of a method
    SMS = "sms"
    QR = "qr"
    """A confirmation in 京通."""
    FACE = "face"
    BANK_CARD = "bank"
    FEDERATED = "fed"
    """Somebody else has authenticated them, who alone knows by what. Other providers use the same word."""


LOGIN: Final = {
    Way.QR: Method.QR,
    Way.PASSWORD: Method.PASSWORD,
    Way.SMS: Method.SMS,
    Way.EXTERNAL: Method.FEDERATED,
    Way.REGISTRATION: Method.SMS,
}
"""The method of each way in; whoever has just registered has proved a number."""


class Authenticated(Struct, frozen=True):
    """When somebody last proved who they are, and by what in this session, in the order in which they first did."""

    at: Instant
    methods: tuple[Method, ...]


def authenticated(session: Session) -> Authenticated:
    """Return what a session remembers."""
    proofs = _proofs(session)
    first = LOGIN[session.login.way]
    later = [method for method in sorted(proofs, key=lambda method: proofs[method]) if method is not first]
    return Authenticated(max([session.created_at, *proofs.values()]), (first, *later))


def proved(session: Session, method: Method, now: Instant) -> Session:
    """Return the session whose owner has just proved themselves by ``method``."""
    kept = _proofs(session) | {method: now}
    return replace(session, data=session.data | {_PROVED: " ".join(f"{name}:{at}" for name, at in kept.items())})


def _proofs(session: Session) -> dict[Method, Instant]:
    noted = (word.partition(":") for word in session.data.get(_PROVED, "").split())
    return {Method(name): int(at) for name, _, at in noted}
