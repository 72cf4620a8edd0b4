"""The way to a provider and back: its facts, and what follows from them. Pure.

Owns how long it is open, that it is taken once, and how its name is written for the provider. A browser inside an app
may load the way back twice; the second time counts as the first, as long as that is a matter of moments.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from bjidp.clock import MINUTE, SECOND, Instant, Millis
from bjidp.entropy import base64url
from bjidp.platforms import ExternalIdentity, Provider

LIFETIME: Final[Millis] = 10 * MINUTE
"""How long somebody may take at the provider: as long as any code of theirs lives."""

WORK: Final[Millis] = 15 * SECOND
"""How long the provider may take to answer, in two calls; whoever crashed meanwhile is not waited for any longer."""

AGAIN: Final[Millis] = 60 * SECOND
"""How long the way back may be loaded again once it has led in: nobody finds it open in the history of a browser."""

_STATE: Final = re.compile(r"[0-9a-f]{32}")


class Binding(Struct, frozen=True):
    """What a way is for that whoever is logged in has begun: it logs nobody in."""

    session: str
    """The public id of the session that it began in; it ends in no other (attacks T8, Q28)."""
    change: str
    """The change that it is a step of."""


class Attempt(Struct, frozen=True, kw_only=True):
    """One way to a provider and back."""

    provider: Provider
    inside: bool
    """It began in the provider's own browser."""
    next: str = ""
    """Where the login leads; no client sends it (attack T4)."""
    client: str = ""
    """What that place is called."""
    binding: Binding | None = None
    """None for a login."""
    code: bytes = b""
    """Of the code that came back, a digest; empty until one does. No other counts from then on."""
    working_until: Instant = 0
    """Until when somebody is asking the provider about it."""
    over: bool = False
    """The provider has refused the code."""
    names: tuple[ExternalIdentity, ...] = ()
    """Who it was."""
    session: str | None = None
    """The public id of the session that it came to."""
    entered_at: Instant = 0

    def __repr__(self) -> str:
        """Show how far it is alone."""
        return f"Attempt({self.provider}, known={bool(self.names)})"


class Step(StrEnum):
    """What is due when a code comes back."""

    ASK = "ask"
    WAIT = "wait"
    KNOWN = "known"
    OVER = "over"


def digest_of(code: str) -> bytes:
    """Return what is kept of a code."""
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).digest()


def next_step(
    attempt: Attempt, provider: Provider, code: bytes, now: Instant, *, binding: Binding | None = None
) -> Step:
    """Return what is due for ``code``, which came back from ``provider`` (attacks T8, T9).

    ``binding`` is what it is to serve for, None for a login: a way serves for what it was begun for alone.
    """
    if attempt.over or attempt.provider is not provider or attempt.binding != binding:
        return Step.OVER
    if not attempt.code:
        return Step.ASK
    if not hmac.compare_digest(attempt.code, code):
        return Step.OVER
    if attempt.names:
        return Step.KNOWN
    return Step.WAIT if now < attempt.working_until else Step.ASK


def asking(attempt: Attempt, code: bytes, now: Instant) -> Attempt:
    """Return the facts while the provider is asked."""
    return replace(attempt, code=code, working_until=now + WORK)


def unanswered(attempt: Attempt) -> Attempt:
    """Return the facts after the provider gave no answer: the same code may be asked about again."""
    return replace(attempt, working_until=0)


def refused(attempt: Attempt) -> Attempt:
    """Return the facts after the provider has refused the code."""
    return replace(attempt, working_until=0, over=True)


def known(attempt: Attempt, names: tuple[ExternalIdentity, ...]) -> Attempt:
    """Return the facts once it is known who it was."""
    return replace(attempt, working_until=0, names=names)


def entered(attempt: Attempt, session: str, now: Instant) -> Attempt:
    """Return the facts once it has come to a session; the time is that of the first."""
    return replace(attempt, session=session, entered_at=attempt.entered_at or now)


def is_open(attempt: Attempt, now: Instant) -> bool:
    """Tell whether the way back may be loaded again, by its time."""
    return attempt.session is None or now - attempt.entered_at < AGAIN


def state_of(draft: str) -> str:
    """Return the name of a way as a provider carries it: letters and digits, which each of them takes."""
    return base64.urlsafe_b64decode(f"{draft}==").hex()


def draft_of(state: str) -> str:
    """Return the name of a way from what a provider has carried; one that nobody has for what is none."""
    return base64url(bytes.fromhex(state)) if _STATE.fullmatch(state) else ""
