"""The way to a provider and back, by its rules alone."""

from __future__ import annotations

from typing import Final

import pytest
from msgspec.structs import replace

from bjidp.accounts.external.flow import (
    AGAIN,
    WORK,
    Attempt,
    Binding,
    Step,
    asking,
    digest_of,
    draft_of,
    entered,
    is_open,
    known,
    next_step,
    refused,
    state_of,
    unanswered,
)
from bjidp.platforms import ExternalIdentity, ExternalKind, Provider

NOW: Final = 1_800_000_000_000
CODE, OTHER = digest_of("code"), digest_of("another")
BEGUN: Final = Attempt(provider=Provider.WECHAT, inside=False, next="/centre", client="首都之窗")
ASKED: Final = asking(BEGUN, CODE, NOW)
WHO: Final = (ExternalIdentity(Provider.WECHAT, "wx1", ExternalKind.OPEN_ID, "oUser"),)


def step(attempt: Attempt, code: bytes = CODE, provider: Provider = Provider.WECHAT, now: int = NOW) -> Step:
    return next_step(attempt, provider, code, now)


@pytest.mark.attack("T5", "T8")
def test_a_way_takes_one_code_and_asks_about_it_once() -> None:
    assert step(BEGUN) is Step.ASK
    assert step(ASKED) is Step.WAIT
    assert step(known(ASKED, WHO)) is Step.KNOWN
    for taken in (ASKED, known(ASKED, WHO), unanswered(ASKED), refused(ASKED)):
        assert step(taken, OTHER) is Step.OVER


def test_what_was_not_answered_is_asked_again_and_what_was_refused_is_not() -> None:
    assert step(unanswered(ASKED)) is Step.ASK
    assert step(refused(ASKED)) is Step.OVER


def test_nobody_waits_for_whoever_has_crashed() -> None:
    assert step(ASKED, now=NOW + WORK - 1) is Step.WAIT
    assert step(ASKED, now=NOW + WORK) is Step.ASK


@pytest.mark.attack("T9")
def test_a_way_leads_back_from_its_own_provider_alone() -> None:
    for other in set(Provider) - {Provider.WECHAT}:
        for attempt in (BEGUN, ASKED, known(ASKED, WHO)):
            assert step(attempt, provider=other) is Step.OVER


@pytest.mark.attack("T8", "T9")
def test_a_way_serves_for_what_it_was_begun_for_alone() -> None:
    owners, others = Binding("s1", "change-1"), (Binding("s2", "change-1"), Binding("s1", "change-2"))
    for begun in (BEGUN, ASKED, known(ASKED, WHO)):
        assert next_step(begun, Provider.WECHAT, CODE, NOW, binding=owners) is Step.OVER
        bound = replace(begun, binding=owners)
        for wrong in (None, *others):
            assert next_step(bound, Provider.WECHAT, CODE, NOW, binding=wrong) is Step.OVER
        assert next_step(bound, Provider.WECHAT, CODE, NOW, binding=owners) is step(begun)


@pytest.mark.attack("T8")
def test_it_may_be_loaded_again_for_a_minute_after_the_first_session_it_came_to() -> None:
    assert is_open(known(ASKED, WHO), NOW + 10 * AGAIN)
    first = entered(known(ASKED, WHO), "s1", NOW)
    second = entered(first, "s2", NOW + AGAIN - 1)
    assert (second.session, second.entered_at) == ("s2", NOW)
    assert is_open(second, NOW + AGAIN - 1)
    assert not is_open(second, NOW + AGAIN)


@pytest.mark.parametrize("draft", ["A" * 22, "mDq3vYdV0Yw4h8m0m1iX7A", "_-_-_-_-_-_-_-_-_-_-_w"])
def test_the_name_of_a_way_goes_through_a_provider_as_hexadecimal_and_comes_back(draft: str) -> None:
    state = state_of(draft)
    assert len(state) == 32
    assert state.isalnum()
    assert draft_of(state) == draft


@pytest.mark.parametrize("state", ["", "x", "A" * 32, "0" * 31, "0" * 33, " " * 32, "０" * 32, "0" * 31 + "\n"])
def test_what_is_no_name_is_nobodys(state: str) -> None:
    assert draft_of(state) == ""


def test_nothing_of_a_person_is_shown() -> None:
    way = replace(known(ASKED, WHO), session="s1")
    assert repr(way) == "Attempt(wechat, known=True)"
    assert "oUser" not in repr(WHO)
