"""What a phone button gave and somebody presented: who may go on with it, and that it is taken once. Pure.

Owns the record and the rule (attack M6). A payload belongs to the session that presents it first. Where nothing came of
it though it is good, since the number is another account's or a store was down, that session may come back with it.
Where each press of the button gives the same, its account may present it anew: it cannot be told from a new press.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from msgspec import Struct

from bjidp.clock import MINUTE, Instant, Millis

OFFERED: Final[Millis] = 10 * MINUTE
"""How long after it was presented a session may come back with a payload."""


class Presented(Struct, frozen=True, tag="presented"):
    """Somebody is at it, or it was refused."""


class Offered(Struct, frozen=True, tag="offered"):
    """Verified, and nothing came of it yet. ``number`` is sealed; ``since`` is when it was presented."""

    number: bytes
    since: Instant


class Spent(Struct, frozen=True, tag="spent"):
    """The number was given to an account."""


State: TypeAlias = Presented | Offered | Spent


class PhonePayload(Struct, frozen=True):
    """One payload: the session that presented it, its account, and what came of it."""

    session: str
    account: str
    state: State = Presented()


class Replayed(Exception):
    """The payload is somebody else's, or was used, or is being used at this moment."""


def going_on(payload: PhonePayload, *, session: str, account: str, distinct: bool, now: Instant) -> Offered | None:
    """Return what ``session`` goes on with, or None when the platform is to be asked again.

    ``distinct`` tells that each press of the button gives another payload. Raises :class:`Replayed`.
    """
    state = payload.state
    if isinstance(state, Offered) and payload.session == session and now - state.since <= OFFERED:
        return state
    if distinct or payload.account != account:
        raise Replayed
    return None
