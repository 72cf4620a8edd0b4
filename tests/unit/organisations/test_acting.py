"""法人登录: whom a session acts for, and what ends it."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable

import pytest

from bjidp.accounts.ports import Evidence
from bjidp.accounts.verifying import Visit
from bjidp.clock import DAY, HOUR, SECOND
from bjidp.errors import RateLimited, StoreUnavailable, VendorUnavailable
from bjidp.organisations.errors import (
    ActingOnProbation,
    LevelRequired,
    OrganisationRefused,
    OrganisationUnknown,
    Refusal,
)
from bjidp.organisations.organisation import FRESH, STALE, Role
from bjidp.organisations.stated import TypedOrganisation
from bjidp.proofing.ports import NewIdentity
from bjidp.sessions.ports import SessionEnd
from bjidp.vendors.ports.registers import Finding, Reason, RegisterAnswer
from bjidp.verification.errors import VerificationRequired
from bjidp.verification.proofs import Operation
from tests.support.identities import prove
from tests.unit.accounts.settings.room import NUMBER
from tests.unit.organisations.room import CODE, LIS, NAME, NO, WANG, YES, ZHANG, Office
from tests.unit.organisations.test_appointing import on_probation

pytestmark = pytest.mark.req("ORG-3", "LOG-9")


async def both(room: Office) -> tuple[Visit, Visit, str]:
    """Return sessions of 张三, who leads an organisation, and of 李四, who has a mandate of it; and the mandate."""
    visit, organisation = await room.leads(await room.person())
    agent = await room.enter(await room.agent())
    mandate = await room.offered(visit, organisation.id)
    await room.appointing.accept(agent, mandate)
    return visit, agent, mandate


async def begun(room: Office, visit: Visit) -> Visit:
    """Choose the one organisation there is."""
    [choice] = await room.acting.choices(visit)
    await room.acting.begin(visit, choice.key)
    return await room.again(visit)


async def test_whoever_may_act_chooses_and_the_session_alone_remembers(room: Office) -> None:
    for visit, role in zip((await both(room))[:2], (Role.REPRESENTATIVE, Role.AGENT), strict=True):
        elsewhere = await room.enter(visit.account)
        assert await room.acts(visit) is None
        [choice] = await room.acting.choices(visit)
        assert (choice.role, choice.organisation.name) == (role, NAME)
        assert (await room.acting.begin(visit, choice.key)).key == choice.key
        assert await room.acts(visit) == NAME
        assert await room.acts(elsewhere) is None
        await room.acting.end(await room.again(visit))
        assert await room.acts(visit) is None
        assert room.events()[-2:] == ["acting.begun", "acting.ended"]
        await room.acting.end(await room.again(visit))
        assert room.events().count("acting.ended") == room.events().count("acting.begun")


@pytest.mark.attack("Q9")
async def test_nobody_acts_in_a_capacity_of_another_account(room: Office) -> None:
    visit, agent, _ = await both(room)
    [leading], [mandate] = await room.acting.choices(visit), await room.acting.choices(agent)
    for who, key in ((visit, mandate.key), (agent, leading.key), (agent, ""), (agent, "m.nothing")):
        with pytest.raises(OrganisationUnknown):
            await room.acting.begin(who, key)
        assert await room.acts(who) is None
    assert "acting.begun" not in room.events()


async def revoked(room: Office, visit: Visit, agent: Visit, mandate: str) -> None:
    await room.appointing.end(visit, mandate)


async def given_back(room: Office, visit: Visit, agent: Visit, mandate: str) -> None:
    await room.appointing.end(agent, mandate)


async def over(room: Office, visit: Visit, agent: Visit, mandate: str) -> None:
    room.rows("UPDATE mandate SET ends_at = ?", room.clock.now())


async def level_fell(room: Office, visit: Visit, agent: Visit, mandate: str) -> None:
    room.rows("UPDATE identity SET evidence = 'name_and_number' WHERE account = ?", agent.account)


async def document_ran_out(room: Office, visit: Visit, agent: Visit, mandate: str) -> None:
    room.rows("UPDATE identity SET runs_out_at = ? WHERE account = ?", room.clock.now(), agent.account)


async def another_person(room: Office, visit: Visit, agent: Visit, mandate: str) -> None:
    room.clock.advance(1)
    new = NewIdentity(person=WANG, evidence=Evidence.FACE, evidence_reference="E2", authority_reference="A2")
    await prove(room.sql.identities, agent.account, new, room.clock.now(), exchange=True, keep=agent.session.id)


async def leader_locked(room: Office, visit: Visit, agent: Visit, mandate: str) -> None:
    room.rows("UPDATE account SET status = 'locked' WHERE id = ?", visit.account)


async def leader_gone(room: Office, visit: Visit, agent: Visit, mandate: str) -> None:
    await room.sql.members.cancel(visit.account, room.clock.now())


async def leaders_level_fell(room: Office, visit: Visit, agent: Visit, mandate: str) -> None:
    room.rows("UPDATE identity SET evidence = 'name_and_number' WHERE account = ?", visit.account)


async def leaders_document_ran_out(room: Office, visit: Visit, agent: Visit, mandate: str) -> None:
    room.rows("UPDATE identity SET runs_out_at = ? WHERE account = ?", room.clock.now(), visit.account)


async def register_silent_for_days(room: Office, visit: Visit, agent: Visit, mandate: str) -> None:
    room.rows("UPDATE organisation SET confirmed_at = ?", room.clock.now() - STALE)


@pytest.mark.attack("Q21")
@pytest.mark.parametrize(
    "ends",
    [
        revoked,
        given_back,
        over,
        level_fell,
        document_ran_out,
        another_person,
        leaders_level_fell,
        leaders_document_ran_out,
        leader_locked,
        leader_gone,
        register_silent_for_days,
    ],
)
async def test_what_takes_the_right_ends_the_acting_at_the_next_look(
    room: Office, ends: Callable[[Office, Visit, Visit, str], Awaitable[None]]
) -> None:
    visit, agent, mandate = await both(room)
    agent = await begun(room, agent)
    assert await room.acting.look(agent) != (None, False)
    await ends(room, visit, agent, mandate)
    assert await room.acts(agent) is None
    assert await room.acting.look(await room.again(agent)) == (None, True)
    # Told once, and forgotten.
    assert await room.acting.look(await room.again(agent)) == (None, False)
    assert room.events()[-1] == "acting.ended"


async def test_what_has_ended_comes_back_by_no_new_mandate(room: Office) -> None:
    visit, agent, mandate = await both(room)
    agent = await begun(room, agent)
    await room.appointing.end(visit, mandate)
    [organisation] = await room.sql.organisations.led(visit.account)
    room.rows("UPDATE mandate SET offered_at = offered_at - ?", DAY)
    await room.appointing.accept(agent, await room.offered(visit, organisation.id))
    assert await room.acts(agent) is None
    await begun(room, agent)
    assert await room.acts(agent) == NAME


@pytest.mark.attack("R4")
async def test_a_login_that_a_face_alone_has_come_to_acts_for_nobody(room: Office) -> None:
    _, agent, _ = await both(room)
    theirs = await on_probation(room, agent.account)
    [choice] = await room.acting.choices(theirs)
    with pytest.raises(ActingOnProbation):
        await room.acting.begin(theirs, choice.key)
    # Nor does one by a link that is gone, of which nobody knows any more how it was made.
    room.rows("DELETE FROM platform_link WHERE id = ?", theirs.session.login.link)
    with pytest.raises(ActingOnProbation):
        await room.acting.begin(theirs, choice.key)
    await begun(room, await room.enter(agent.account))


async def test_who_is_below_l3_acts_for_nobody(room: Office) -> None:
    _, agent, _ = await both(room)
    [choice] = await room.acting.choices(agent)
    room.rows("UPDATE identity SET evidence = 'name_and_number' WHERE account = ?", agent.account)
    assert await room.acting.choices(agent) == []
    with pytest.raises(LevelRequired):
        await room.acting.begin(agent, choice.key)


async def test_an_agent_waits_while_who_leads_is_below_l3_and_acts_again_by_the_same_mandate(room: Office) -> None:
    visit, agent, _ = await both(room)
    [choice] = await room.acting.choices(agent)
    room.rows("UPDATE identity SET evidence = 'name_and_number' WHERE account = ?", visit.account)
    assert await room.acting.choices(agent) == []
    assert [one.key for one in await room.acting.waiting(agent)] == [choice.key]
    with pytest.raises(OrganisationUnknown):
        await room.acting.begin(agent, choice.key)
    room.rows("UPDATE identity SET evidence = 'face' WHERE account = ?", visit.account)
    assert await room.acting.waiting(agent) == []
    await begun(room, agent)
    assert await room.acts(agent) == NAME


@pytest.mark.attack("P7")
async def test_a_session_that_has_ended_meanwhile_acts_for_nobody(room: Office) -> None:
    _, agent, _ = await both(room)
    [choice] = await room.acting.choices(agent)
    await room.sessions.end(agent.session, SessionEnd.CHOSEN)
    with pytest.raises(VerificationRequired):
        await room.acting.begin(agent, choice.key)


async def test_nobody_acts_without_a_line_that_says_since_when(room: Office) -> None:
    _, agent, _ = await both(room)
    [choice] = await room.acting.choices(agent)
    room.meddler.breaks("audit.append")
    with pytest.raises(StoreUnavailable):
        await room.acting.begin(agent, choice.key)
    assert await room.acts(agent) is None


@pytest.mark.req("ORG-1")
async def test_the_register_is_asked_again_once_its_word_is_a_day_old(room: Office) -> None:
    _, agent, _ = await both(room)
    room.clock.advance((FRESH - SECOND) // SECOND)
    agent = await room.enter(agent.account)
    await begun(room, agent)
    assert len(room.companies.asked) == 1
    room.clock.advance(1)
    for _ in range(2):
        await begun(room, agent)
    assert [asked.representative for asked in room.companies.asked] == [ZHANG] * 2
    [choice] = await room.acting.choices(agent)
    assert choice.organisation.confirmed_at == room.clock.now()


@pytest.mark.req("ORG-1", "OPS-4")
async def test_while_the_register_is_silent_its_last_yes_counts_for_three_days(room: Office) -> None:
    _, agent, _ = await both(room)
    room.companies.down = True
    room.clock.advance((STALE - HOUR) // SECOND)
    agent = await room.enter(agent.account)
    await begun(room, agent)
    assert await room.acts(agent) == NAME
    room.clock.advance(HOUR // SECOND)
    assert await room.acts(agent) is None
    [choice] = await room.acting.choices(agent)
    with pytest.raises(VendorUnavailable):
        await room.acting.begin(agent, choice.key)
    room.companies.down = False
    await begun(room, agent)
    assert await room.acts(agent) == NAME


@pytest.mark.req("ORG-1")
async def test_who_has_used_up_the_questions_of_a_day_does_not_go_on_by_yesterdays_yes(room: Office) -> None:
    """A 法定代表人 that was replaced would use them up first, and be told nothing by the register for two days more."""
    visit, agent, _ = await both(room)
    room.clock.advance(DAY // SECOND)
    room.companies.answer = NO
    asking = await room.granted_visit(visit.account, Operation.ORGANISATION)
    for number in range(6):
        with contextlib.suppress(OrganisationRefused, RateLimited):
            await room.registering.register(asking, None, TypedOrganisation(CODE, f"北京第{number}公司"))
    agent = await room.enter(agent.account)
    [choice] = await room.acting.choices(agent)
    with pytest.raises(VendorUnavailable):
        await room.acting.begin(agent, choice.key)
    assert await room.acts(agent) is None


@pytest.mark.req("ORG-1")
async def test_a_register_that_names_somebody_else_ends_it_for_everybody(room: Office) -> None:
    visit, agent, _ = await both(room)
    room.clock.advance(DAY // SECOND)
    room.companies.answer = NO
    visit, agent = await room.enter(visit.account), await room.enter(agent.account)
    [choice] = await room.acting.choices(agent)
    with pytest.raises(OrganisationRefused) as refused:
        await room.acting.begin(agent, choice.key)
    assert refused.value.refusal is Refusal.REPRESENTATIVE
    assert await room.acting.choices(agent) == await room.acting.choices(visit) == []
    assert (await room.told())[-2:] == [(NUMBER, "organisation_lost"), (LIS, "mandate_ended")]


@pytest.mark.req("ORG-1")
@pytest.mark.attack("Q21")
@pytest.mark.parametrize("asks", ["who begins to act", "who registers again"])
async def test_a_no_that_ends_nothing_stops_those_who_act_already_until_the_register_says_yes(
    room: Office, asks: str
) -> None:
    visit, agent, mandate = await both(room)
    room.clock.advance((DAY - HOUR) // SECOND)
    agent = await begun(room, await room.enter(agent.account))
    room.clock.advance(HOUR // SECOND)
    room.companies.answer = Finding(RegisterAnswer.MISMATCH, Reason.ORGANISATION_TERM_OVER, "R3")
    if asks == "who begins to act":
        other = await room.enter(visit.account)
        [leading] = await room.acting.choices(other)
        with pytest.raises(OrganisationRefused):
            await room.acting.begin(other, leading.key)
    else:
        other = await room.granted_visit(visit.account, Operation.ORGANISATION)
        with pytest.raises(OrganisationRefused):
            await room.registering.register(other, None, TypedOrganisation(CODE, NAME))
    assert await room.acts(agent) is None
    # The register is asked again before anybody acts, and its silence is no yes.
    room.clock.advance(HOUR // SECOND)
    agent = await room.enter(agent.account)
    room.companies.down = True
    with pytest.raises(VendorUnavailable):
        await room.acting.begin(agent, f"m.{mandate}")
    room.companies.down, room.companies.answer = False, YES
    await begun(room, agent)
    assert await room.acts(agent) == NAME


@pytest.mark.req("ORG-1")
async def test_a_no_about_another_name_stops_nobody_and_one_about_the_person_ends_it_whoever_asked(
    room: Office,
) -> None:
    visit, agent, _ = await both(room)
    agent = await begun(room, agent)
    room.clock.advance(1)
    room.companies.answer = Finding(RegisterAnswer.MISMATCH, Reason.ORGANISATION_NAME, "R3")
    asking = await room.granted_visit(visit.account, Operation.ORGANISATION)
    with pytest.raises(OrganisationRefused):
        await room.registering.register(asking, None, TypedOrganisation(CODE, "北京另一公司"))
    assert await room.acts(agent) == NAME
    room.clock.advance(DAY // SECOND)
    room.companies.answer = NO
    asking = await room.granted_visit(visit.account, Operation.ORGANISATION)
    with pytest.raises(OrganisationRefused):
        await room.registering.register(asking, None, TypedOrganisation(CODE, NAME))
    assert await room.acting.choices(agent) == []
    assert (await room.told())[-2:] == [(NUMBER, "organisation_lost"), (LIS, "mandate_ended")]


@pytest.mark.req("ORG-1")
async def test_a_name_that_has_changed_stops_people_and_takes_nothing_from_them(room: Office) -> None:
    visit, agent, _ = await both(room)
    room.clock.advance(DAY // SECOND)
    room.companies.answer = Finding(RegisterAnswer.MISMATCH, Reason.ORGANISATION_NAME, "R3")
    agent = await room.enter(agent.account)
    [choice] = await room.acting.choices(agent)
    with pytest.raises(OrganisationRefused):
        await room.acting.begin(agent, choice.key)
    assert await room.acts(agent) is None
    room.companies.answer = YES
    renamed, _ = await room.leads(visit.account, TypedOrganisation(CODE, "北京新名公司"))
    assert [one.organisation.name for one in await room.acting.choices(agent)] == ["北京新名公司"]
    await begun(room, agent)
    assert await room.acts(agent) == "北京新名公司"
    assert renamed.account == visit.account
