"""What may become of an appeal (RNV-8)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bjidp.accounts.ports import Evidence
from bjidp.appeals.appeal import (
    A_DAY,
    TELL_FOR,
    Appeal,
    AppealClosed,
    Case,
    Side,
    State,
    Verdict,
    decided,
    granted_identity,
    require_rest,
    reviewed,
    tell_again_at,
    withdrawn,
)
from bjidp.clock import DAY, MINUTE, SECOND
from bjidp.errors import RateLimited
from bjidp.person import DocumentType, Person
from bjidp.proofing.ports import NewIdentity
from bjidp.proofing.terms import Until
from bjidp.standing import Level, Status

pytestmark = pytest.mark.req("RNV-8")

FILED = Appeal(
    id="A1",
    account="one",
    state=State.FILED,
    new=NewIdentity(
        person=Person(DocumentType.RESIDENT_ID, "张三", "110101199003074530"),
        evidence=Evidence.BANK_CARD,
        evidence_reference="E-1",
        authority_reference="A-77",
        term=Until(9 * DAY),
    ),
    exchange=False,
    reason="我的身份证被别人的账号占用了。",
    contact="",
    filed_at=DAY,
)
SIDE = Side(ref="r1", status=Status.ACTIVE, created_at=0, phone="138****8000", level=Level.L1)

moves = st.sampled_from(["look", "grant", "refuse", "withdraw"])


def moved(appeal: Appeal, move: str, now: int) -> Appeal:
    match move:
        case "look":
            return reviewed(appeal, f"s{now}", now)
        case "withdraw":
            return withdrawn(appeal, now)
        case _:
            return decided(appeal, Verdict(move), f"s{now}", "材料属实", now)


@given(st.lists(moves, max_size=8))
def test_an_appeal_is_decided_once_and_what_is_closed_stays_as_it_is(played: list[str]) -> None:
    appeal, closed_by = FILED, None
    for now, move in enumerate(played, start=2):
        if closed_by is None or move == "look":
            appeal = moved(appeal, move, now)
        else:
            with pytest.raises(AppealClosed) as refused:
                moved(appeal, move, now)
            assert refused.value.appeal == appeal
        if move != "look" and closed_by is None:
            closed_by = now
    looks = [now for now, move in enumerate(played, start=2) if move == "look" and (closed_by or 99) > now]
    assert (appeal.reviewed_at, appeal.reviewer) == ((looks[0], f"s{looks[0]}") if looks else (None, None))
    assert appeal.decided_at == closed_by
    assert appeal.is_open == (closed_by is None)
    assert (appeal.new, appeal.reason, appeal.filed_at) == (FILED.new, FILED.reason, FILED.filed_at)
    if closed_by is not None:
        ended = {"grant": State.GRANTED, "refuse": State.REFUSED, "withdraw": State.WITHDRAWN}
        assert appeal.state is ended[played[closed_by - 2]]


def test_what_people_grant_counts_as_name_and_number_do() -> None:
    granted = granted_identity(FILED)
    assert (granted.evidence, granted.evidence_reference) == (Evidence.NAME_AND_NUMBER, "A1")
    assert (granted.person, granted.authority_reference, granted.term) == (FILED.person, "A-77", Until(9 * DAY))


@pytest.mark.attack("U7")
def test_the_word_for_the_facts_changes_with_each_that_counts_and_with_nothing_else() -> None:
    holder = replace(SIDE, ref="r2", mark="0.1.E-2", level=Level.L3)
    case = Case(appeal=FILED, claimant=SIDE, holder=holder)
    changed = [
        replace(case, holder=None),
        replace(case, holder=replace(holder, ref="r3")),
        replace(case, holder=replace(holder, mark="0.2.E-2")),
        replace(case, holder=replace(holder, status=Status.LOCKED)),
        replace(case, claimant=replace(SIDE, status=Status.LOCKED)),
        replace(case, claimant=replace(SIDE, mark="0.1.E-9")),
        replace(case, claimant=replace(SIDE, number="another")),
        replace(case, claimant=replace(SIDE, epoch=1)),
        replace(case, pictures=("one",)),
        replace(case, pictures=("other",)),
        replace(case, pictures=("one", "other")),
        replace(case, pictures=("other", "one")),
        replace(case, appeal=replace(FILED, id="A2")),
        Case(appeal=FILED, claimant=replace(SIDE, ref="r2", mark="0.1.E-2"), holder=SIDE),
    ]
    assert len({case.facts, *(other.facts for other in changed)}) == len(changed) + 1
    assert replace(case, appeal=reviewed(FILED, "wang", 3)).facts == case.facts
    # Whoever is to lose the identity keeps no decision off by logging in and out.
    assert replace(case, holder=replace(holder, number="another", epoch=7)).facts == case.facts


def test_a_few_appeals_a_day() -> None:
    now = 100 * DAY
    filed = [now - DAY + SECOND * (number + 1) for number in range(A_DAY)]
    require_rest(filed[1:], now)
    require_rest([*filed[1:], now - DAY], now)
    with pytest.raises(RateLimited) as limited:
        require_rest(filed, now)
    assert limited.value.retry_after == 1
    require_rest(filed, now + SECOND)


def test_a_message_that_is_not_taken_is_sent_again_ever_later() -> None:
    tries, now = 0, 0
    while now < DAY:
        tries, now = tries + 1, tell_again_at(0, now)
    assert tell_again_at(0, 0) == 10 * MINUTE
    assert tries <= 6, "a number is told ten things a day"
    assert now < TELL_FOR, "and there is one more try"


def test_nothing_of_an_appeal_is_shown_where_it_is_printed() -> None:
    assert repr(FILED) == "Appeal('A1', filed, ***)"
    assert repr(SIDE) == "Side('r1', ***)"
