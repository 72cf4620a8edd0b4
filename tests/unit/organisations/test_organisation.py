"""How long the register's word counts, and who acts."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bjidp.accounts.ports import Evidence
from bjidp.clock import DAY, Instant
from bjidp.organisations.mandates import Scope
from bjidp.organisations.organisation import FRESH, STALE, Capacity, Organisation, Role, Worth, is_proved
from bjidp.proofing.terms import UNSTATED, Until

NOW: Instant = 1_800_000_000_000
ORGANISATION = Organisation(
    id="o",
    credit_code="91110000600037341L",
    name="示例公司",
    representative="zhang",
    bound_at=1,
    led_at=2,
    confirmed_at=NOW,
)
AGENT = Capacity(
    role=Role.AGENT,
    organisation=ORGANISATION,
    scope=Scope.QUERY,
    until=NOW + DAY,
    mandate="m",
    own=Worth(Evidence.BANK_CARD, UNSTATED),
    leader=Worth(Evidence.FACE, UNSTATED),
)
LEADER = replace(AGENT, role=Role.REPRESENTATIVE, until=None, mandate=None)


@pytest.mark.req("ORG-1")
def test_the_registers_word_is_asked_for_after_a_day_and_needed_after_three() -> None:
    assert [ORGANISATION.asks(NOW + age) for age in (0, FRESH - 1, FRESH)] == [False, False, True]
    assert [ORGANISATION.must_be_confirmed(NOW + age) for age in (FRESH, STALE - 1, STALE)] == [False, False, True]


@pytest.mark.req("ORG-1")
def test_after_a_no_the_registers_word_is_needed_at_once() -> None:
    refused = replace(ORGANISATION, refused_at=NOW + 1)
    assert (refused.asks(NOW + 1), refused.must_be_confirmed(NOW + 1)) == (True, True)


@pytest.mark.req("ORG-3")
@pytest.mark.parametrize("evidence", Evidence)
def test_who_acts_is_at_l3_with_a_document_that_is_valid(evidence: Evidence) -> None:
    enough = evidence is not Evidence.NAME_AND_NUMBER
    assert is_proved(evidence, UNSTATED, NOW) == enough
    assert is_proved(evidence, Until(NOW + 1), NOW) == enough
    assert not is_proved(evidence, Until(NOW), NOW)
    assert LEADER.acts(NOW)
    for worth in (Worth(evidence, UNSTATED), Worth(evidence, Until(NOW + 1)), Worth(evidence, Until(NOW))):
        suffices = worth.suffices(NOW)
        assert suffices == (enough and worth.term != Until(NOW))
        assert (replace(AGENT, own=worth).acts(NOW), replace(AGENT, own=worth).waits(NOW)) == (suffices, False)
        # An agent acts by the word of who leads, so that has to be worth as much.
        by_word = replace(AGENT, leader=worth)
        assert (by_word.acts(NOW), by_word.waits(NOW)) == (suffices, not suffices)


@pytest.mark.req("ORG-3")
def test_an_agent_acts_until_the_mandate_ends() -> None:
    assert [AGENT.acts(at) for at in (NOW, NOW + DAY - 1, NOW + DAY)] == [True, True, False]


@pytest.mark.req("ORG-3")
def test_what_a_session_remembers_is_of_no_other_mandate_and_no_other_time_of_leading() -> None:
    others = [
        AGENT,
        replace(AGENT, mandate="n"),
        LEADER,
        replace(LEADER, organisation=replace(ORGANISATION, led_at=3)),
        replace(LEADER, organisation=replace(ORGANISATION, id="p")),
    ]
    assert len({other.key for other in others}) == len(others)
    confirmed = replace(ORGANISATION, confirmed_at=NOW + 1, name="新名")
    assert replace(LEADER, organisation=confirmed).key == LEADER.key
