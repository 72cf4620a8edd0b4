"""Why a person has to be asked something before a relying party is answered.

Owns the decision as facts and a next step: nothing stores a step, so no address that somebody types skips one, and a
request that comes back after a login, a consent or a proof is judged anew from what is true by then. Pure; called by
the authorization endpoint each time its page is opened.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, TypeAlias

from msgspec import Struct

from bjidp.clock import SECOND, Instant
from bjidp.oidc.authorize.request import AuthorizationRequest, Prompt
from bjidp.oidc.errors import (
    ConsentRequired,
    InteractionRequired,
    LoginRequired,
    ProtocolError,
    UnmetAuthenticationRequirements,
)
from bjidp.oidc.scopes import Scope
from bjidp.standing import Level

REACHABLE: Final = Level.L3
"""What a page or a phone can prove; L4 is proved at a counter."""


class Subject(Struct, frozen=True):
    """Who is logged in in this browser, as far as the request has to know."""

    account: str
    authenticated_at: Instant
    """When they last proved who they are, by a login or by a proof since."""
    level: Level
    agreed: frozenset[Scope]
    """What they have agreed that this relying party may read."""
    session: str = ""
    """In which they are logged in; what was chosen in another counts for nothing."""


class Facts(Struct, frozen=True, kw_only=True):
    """What is true when the page is opened."""

    subject: Subject | None
    begun_at: Instant
    """When this request came; what was proved or agreed to since then was so for it."""
    agreed_at: Instant | None = None
    """When the person agreed to this very request, if they did."""
    stranger: bool = False
    """Whether ``id_token_hint`` named somebody else."""
    kept: bool = False
    """They have said that they go on as the account that they are logged in to."""
    chooses: bool = False
    """Whether it is open whom they act for: the request asks, there is an organisation, and they have not said."""


class Reason(Enum):
    """Why somebody is asked to log in."""

    NOBODY = "nobody"
    ASKED_FOR = "asked_for"
    TOO_LONG_AGO = "too_long_ago"
    SOMEBODY_ELSE = "somebody_else"


class LogIn(Struct, frozen=True):
    """They have to log in, though they may be."""

    reason: Reason


class ChooseAccount(Struct, frozen=True):
    """They may go on as who they are, or as somebody else."""


class ProveMore(Struct, frozen=True):
    """Their level is less than what was asked for, and they can reach it here."""

    level: Level


class ChooseWhom(Struct, frozen=True):
    """They act for themselves or for an organisation, and have to say for which."""


class Agree(Struct, frozen=True):
    """They have to say whether these may be read."""

    scopes: tuple[Scope, ...]


class Answer(Struct, frozen=True):
    """Nothing is missing: a code may be given."""

    subject: Subject


Step: TypeAlias = LogIn | ChooseAccount | ProveMore | ChooseWhom | Agree | Answer


def next_step(request: AuthorizationRequest, facts: Facts, now: Instant) -> Step:
    """Return what is missing, the first thing first.

    Raises :class:`ProtocolError` where the request allows no page (``prompt=none``), and
    :class:`UnmetAuthenticationRequirements` where nothing that somebody can do here reaches the level.
    """
    if Prompt.NONE in request.prompts and _is_closed(request, facts):
        # Before anything else is told of them: a site learns neither their level nor that they act for somebody.
        raise _unshown(Agree(request.scopes))
    step = _missing(request, facts, now)
    if Prompt.NONE in request.prompts and not isinstance(step, Answer):
        raise _unshown(step)
    return step


def _wants_more(request: AuthorizationRequest, subject: Subject) -> bool:
    return any(scope not in subject.agreed for scope in request.scopes)


def _is_closed(request: AuthorizationRequest, facts: Facts) -> bool:
    """Tell whether somebody is there of whom the relying party may know nothing, not even by an error."""
    subject = facts.subject
    return subject is not None and not facts.stranger and facts.agreed_at is None and _wants_more(request, subject)


def _missing(request: AuthorizationRequest, facts: Facts, now: Instant) -> Step:
    subject = facts.subject
    if subject is None:
        return LogIn(Reason.NOBODY)
    fresh = subject.authenticated_at >= facts.begun_at
    if facts.stranger:
        # Core, section 3.1.2.1: no answer about anybody but the one the hint names.
        return LogIn(Reason.SOMEBODY_ELSE)
    if Prompt.LOGIN in request.prompts and not fresh:
        return LogIn(Reason.ASKED_FOR)
    if request.max_age is not None and not fresh and now - subject.authenticated_at > request.max_age * SECOND:
        return LogIn(Reason.TOO_LONG_AGO)
    if Prompt.SELECT_ACCOUNT in request.prompts and not fresh and not facts.kept:
        return ChooseAccount()
    if subject.level < request.level:
        if request.level > REACHABLE:
            raise UnmetAuthenticationRequirements("this level is proved at a counter, and nowhere online")
        return ProveMore(request.level)
    if facts.chooses:
        return ChooseWhom()
    if facts.agreed_at is None and (_wants_more(request, subject) or Prompt.CONSENT in request.prompts):
        return Agree(request.scopes)
    return Answer(subject)


def _unshown(step: Step) -> ProtocolError:
    match step:
        case LogIn():
            return LoginRequired("nobody is logged in who may be answered for without being asked")
        case Agree():
            return ConsentRequired("the person has not agreed to these scopes")
        case ProveMore():
            return UnmetAuthenticationRequirements("the account's level is less than acr_values asks for")
        case _:
            return InteractionRequired("the person has to be asked")
