"""What is missing before a relying party is answered, from what is true when its page is opened."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bjidp.clock import SECOND
from bjidp.oidc.authorize.prompting import (
    Agree,
    Answer,
    ChooseAccount,
    ChooseWhom,
    Facts,
    LogIn,
    ProveMore,
    Reason,
    Subject,
    next_step,
)
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

NOW = 1_000_000 * SECOND
READS = (Scope.OPENID, Scope.PROFILE)
REQUEST = AuthorizationRequest(client="portal", redirect_uri="https://portal.example/", scopes=READS, challenge="c")
ZHANG = Subject("zhang", NOW - 600 * SECOND, Level.L2, frozenset(READS))


def facts(subject: Subject | None = ZHANG, agreed_at: int | None = None, *, stranger: bool = False) -> Facts:
    return Facts(subject=subject, begun_at=NOW - 10 * SECOND, agreed_at=agreed_at, stranger=stranger)


def asking(*prompts: Prompt, max_age: int | None = None, level: Level = Level.L1) -> AuthorizationRequest:
    return replace(REQUEST, prompts=frozenset(prompts), max_age=max_age, level=level)


@pytest.mark.req("LOG-8")
def test_nobody_is_asked_who_is_logged_in_and_has_agreed() -> None:
    assert next_step(REQUEST, facts(), NOW) == Answer(ZHANG)


def test_nobody_is_answered_for_without_a_login() -> None:
    assert next_step(REQUEST, facts(None), NOW) == LogIn(Reason.NOBODY)


@pytest.mark.req("ORG-3")
def test_whom_somebody_acts_for_is_chosen_once_their_level_is_right_and_before_they_agree() -> None:
    stranger = replace(ZHANG, agreed=frozenset())
    open_ = replace(facts(stranger), chooses=True)
    assert next_step(REQUEST, open_, NOW) == ChooseWhom()
    assert next_step(asking(level=Level.L3), open_, NOW) == ProveMore(Level.L3)
    # What was agreed to before says nothing of whom they act for this time.
    assert next_step(REQUEST, replace(facts(), chooses=True), NOW) == ChooseWhom()
    with pytest.raises(InteractionRequired):
        next_step(asking(Prompt.NONE), replace(facts(), chooses=True), NOW)


@pytest.mark.req("LOG-8")
@pytest.mark.attack("P3")
def test_what_was_not_agreed_to_is_asked_with_all_that_is_read() -> None:
    stranger = replace(ZHANG, agreed=frozenset({Scope.OPENID}))
    assert next_step(REQUEST, facts(stranger), NOW) == Agree(READS)
    assert next_step(REQUEST, facts(stranger, agreed_at=NOW), NOW) == Answer(stranger)


def test_a_site_may_ask_for_the_agreement_again() -> None:
    assert next_step(asking(Prompt.CONSENT), facts(), NOW) == Agree(READS)
    assert next_step(asking(Prompt.CONSENT), facts(agreed_at=NOW), NOW) == Answer(ZHANG)


@pytest.mark.req("RP-2")
def test_a_site_may_ask_for_a_login_anew() -> None:
    assert next_step(asking(Prompt.LOGIN), facts(), NOW) == LogIn(Reason.ASKED_FOR)
    fresh = replace(ZHANG, authenticated_at=NOW - SECOND)
    assert next_step(asking(Prompt.LOGIN), facts(fresh), NOW) == Answer(fresh)


@pytest.mark.req("RP-2")
@pytest.mark.parametrize(("age", "asked"), [(0, True), (599, True), (600, False), (601, False)])
def test_a_login_counts_for_as_long_as_the_site_says(age: int, asked: bool) -> None:
    step = next_step(asking(max_age=age), facts(), NOW)
    assert step == (LogIn(Reason.TOO_LONG_AGO) if asked else Answer(ZHANG))


@pytest.mark.req("RP-2")
def test_a_login_for_this_very_request_is_never_too_old() -> None:
    fresh = replace(ZHANG, authenticated_at=NOW - 5 * SECOND)
    assert next_step(asking(max_age=0), facts(fresh), NOW) == Answer(fresh)


@pytest.mark.req("RNV-9")
def test_a_level_that_is_less_than_was_asked_for_leads_through_the_missing_step() -> None:
    assert next_step(asking(level=Level.L3), facts(), NOW) == ProveMore(Level.L3)
    proved = replace(ZHANG, level=Level.L3)
    assert next_step(asking(level=Level.L3), facts(proved), NOW) == Answer(proved)


@pytest.mark.req("RP-2")
def test_a_level_that_is_proved_at_a_counter_is_not_promised_online() -> None:
    with pytest.raises(UnmetAuthenticationRequirements):
        next_step(asking(level=Level.L4), facts(), NOW)
    assert isinstance(next_step(asking(level=Level.L4), facts(replace(ZHANG, level=Level.L4)), NOW), Answer)


def test_nobody_but_the_one_the_hint_names_is_answered_for() -> None:
    assert next_step(REQUEST, facts(stranger=True), NOW) == LogIn(Reason.SOMEBODY_ELSE)
    assert next_step(REQUEST, facts(), NOW) == Answer(ZHANG)


def test_somebody_may_be_asked_as_whom_to_go_on() -> None:
    assert next_step(asking(Prompt.SELECT_ACCOUNT), facts(), NOW) == ChooseAccount()
    assert next_step(asking(Prompt.SELECT_ACCOUNT), replace(facts(), kept=True), NOW) == Answer(ZHANG)


@pytest.mark.req("LOG-8")
@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("chooses", [False, True])
def test_without_an_agreement_and_a_page_a_site_learns_nothing_from_the_error(level: Level, chooses: bool) -> None:
    """Neither how well they are proved, nor that they act for an organisation, nor when they logged in."""
    closed = replace(facts(replace(ZHANG, agreed=frozenset({Scope.OPENID}))), chooses=chooses)
    for age in (None, 1):
        with pytest.raises(ConsentRequired):
            next_step(asking(Prompt.NONE, level=level, max_age=age), closed, NOW)


@pytest.mark.parametrize(
    ("change", "subject", "error"),
    [
        ({}, None, LoginRequired),
        ({"max_age": 1}, ZHANG, LoginRequired),
        ({}, replace(ZHANG, agreed=frozenset()), ConsentRequired),
        ({"level": Level.L3}, ZHANG, UnmetAuthenticationRequirements),
        ({"level": Level.L4}, ZHANG, UnmetAuthenticationRequirements),
    ],
)
def test_where_no_page_may_be_shown_what_is_missing_is_an_error(
    change: dict[str, Level | int], subject: Subject | None, error: type[ProtocolError]
) -> None:
    request = replace(REQUEST, prompts=frozenset({Prompt.NONE}), **change)
    with pytest.raises(error):
        next_step(request, facts(subject), NOW)


subjects = st.none() | st.builds(
    Subject,
    account=st.sampled_from(["zhang", "li"]),
    authenticated_at=st.integers(NOW - 1000 * SECOND, NOW),
    level=st.sampled_from(Level),
    agreed=st.frozensets(st.sampled_from(Scope)),
)
requests = st.builds(
    asking,
    *[st.sampled_from(Prompt)] * 2,
    max_age=st.none() | st.integers(0, 2000),
    level=st.sampled_from(Level),
)


@given(requests, subjects, st.none() | st.just(NOW), st.booleans())
def test_an_answer_is_given_for_nobody_who_is_not_all_that_was_asked(
    request: AuthorizationRequest, subject: Subject | None, agreed_at: int | None, stranger: bool
) -> None:
    try:
        step = next_step(request, facts(subject, agreed_at, stranger=stranger), NOW)
    except (InteractionRequired, LoginRequired, ConsentRequired, UnmetAuthenticationRequirements):
        return
    if isinstance(step, Answer):
        assert subject is not None
        assert subject.level >= request.level
        assert not stranger
        assert agreed_at is not None or set(request.scopes) <= subject.agreed
    else:
        assert Prompt.NONE not in request.prompts
