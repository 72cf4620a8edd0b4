"""邀请经办人: offers, answers and ends."""

from __future__ import annotations

from collections import Counter

import pytest
from msgspec.structs import replace

from bjidp.accounts.ports import Evidence
from bjidp.accounts.settings.changes import NotDue
from bjidp.accounts.verifying import Visit
from bjidp.clock import DAY, HOUR, SECOND
from bjidp.errors import FieldFault, InvalidRequest, RateLimited
from bjidp.organisations import mandates
from bjidp.organisations.errors import ActingOnProbation, LevelRequired, OrganisationUnknown
from bjidp.proofing.ports import NewIdentity
from bjidp.verification.proofs import Operation
from tests.contracts.house import applicant
from tests.contracts.house import identity as platform_identity
from tests.support.identities import prove
from tests.unit.accounts.settings.room import BY_QR
from tests.unit.organisations.room import LI, LIS, WANGS, Office

pytestmark = pytest.mark.req("ORG-2")


async def on_probation(room: Office, account: str) -> Visit:
    """Log in to 李四's account by a phone that a face has linked a moment ago."""
    now = room.clock.now()
    user = applicant(LI, platform_identity("oLi-2"))
    link, *_ = await room.sql.accounts.relink(account, user, probation_until=now + 72 * HOUR, now=now)
    return await room.enter(account, replace(BY_QR, link=link.id))


async def test_an_offer_is_told_to_its_number_and_taken_by_whoever_has_it(room: Office) -> None:
    zhang, li = await room.person(), await room.agent()
    visit, organisation = await room.leads(zhang)
    mandate = await room.offered(visit, organisation.id)
    assert (await room.told())[-1] == (LIS, "mandate_offered")
    agent = await room.enter(li)
    [offer] = (await room.appointing.holdings(agent)).offered
    assert (offer.mandate.id, offer.organisation.name, offer.by) == (mandate, organisation.name, "张**")
    await room.appointing.accept(agent, mandate)
    holdings = await room.appointing.holdings(agent)
    assert (holdings.offered, [one.mandate.id for one in holdings.entrusted]) == ([], [mandate])
    [given] = (await room.appointing.holdings(visit)).appointed
    assert given.who == "李**"


@pytest.mark.attack("R4")
@pytest.mark.req("ACC-8")
async def test_nobody_is_appointed_without_verifying_oneself_and_without_the_level(room: Office) -> None:
    visit, organisation = await room.leads(await room.person())
    with pytest.raises(NotDue):
        await room.appointing.offer(visit, None, room.offer(organisation.id))
    other = await room.person(LI, LIS, "li_si", by=Evidence.NAME_AND_NUMBER)
    theirs = await room.granted_visit(other, Operation.APPOINT)
    with pytest.raises(LevelRequired):
        await room.appointing.offer(theirs, None, room.offer(organisation.id, WANGS))
    assert await room.told() == []


@pytest.mark.attack("Q9")
async def test_nobody_appoints_for_an_organisation_of_somebody_elses(room: Office) -> None:
    _, organisation = await room.leads(await room.person())
    visit = await room.granted_visit(await room.agent(), Operation.APPOINT)
    for named in (organisation.id, "nothing"):
        with pytest.raises(OrganisationUnknown):
            await room.appointing.offer(visit, None, room.offer(named, WANGS))


@pytest.mark.attack("R1")
async def test_a_number_with_an_account_and_one_without_are_the_same_to_whoever_offers(room: Office) -> None:
    """The same answer, the same calls of the stores, the same message."""
    visit, organisation = await room.leads(await room.person())
    await room.agent()
    seen = []
    for phone in (LIS, WANGS):
        await room.granted(visit, Operation.APPOINT)
        before = Counter(room.meddler.calls)
        await room.appointing.offer(visit, None, room.offer(organisation.id, phone))
        seen.append(room.meddler.calls - before)
        assert (await room.told())[-1] == (phone, "mandate_offered")
    assert seen[0] == seen[1] != Counter()
    [first, second] = (await room.appointing.holdings(visit)).appointed
    assert (first.who, first.mandate.phase) == (second.who, second.mandate.phase)


async def test_a_second_offer_to_the_same_number_is_told_before_the_proof_is_used_up(room: Office) -> None:
    visit, organisation = await room.leads(await room.person())
    await room.offered(visit, organisation.id)
    await room.granted(visit, Operation.APPOINT)
    with pytest.raises(InvalidRequest) as refused:
        await room.appointing.offer(visit, None, room.offer(organisation.id))
    assert refused.value.errors == (FieldFault("phone", "appointed"),)
    [given] = (await room.appointing.holdings(visit)).appointed
    await room.appointing.end(visit, given.mandate.id)
    with pytest.raises(InvalidRequest) as refused:
        await room.appointing.offer(visit, None, room.offer(organisation.id))
    assert refused.value.errors == (FieldFault("phone", "lately"),)
    await room.appointing.offer(visit, None, room.offer(organisation.id, WANGS))


@pytest.mark.attack("O11")
async def test_an_organisation_sends_so_many_strangers_a_message_a_day(room: Office) -> None:
    visit, organisation = await room.leads(await room.person())
    for number in range(mandates.A_DAY):
        await room.offered(visit, organisation.id, f"1541{number:07}")
    await room.granted(visit, Operation.APPOINT)
    with pytest.raises(RateLimited):
        await room.appointing.offer(visit, None, room.offer(organisation.id, WANGS))


@pytest.mark.req("ORG-3")
@pytest.mark.attack("R4")
async def test_a_login_that_a_face_alone_has_come_to_takes_no_mandate(room: Office) -> None:
    visit, organisation = await room.leads(await room.person())
    li = await room.agent()
    mandate = await room.offered(visit, organisation.id)
    theirs = await on_probation(room, li)
    with pytest.raises(ActingOnProbation):
        await room.appointing.accept(theirs, mandate)
    room.clock.advance(72 * HOUR // SECOND)
    await room.appointing.accept(theirs, mandate)


async def test_who_is_below_l3_is_told_what_is_missing(room: Office) -> None:
    visit, organisation = await room.leads(await room.person())
    li = await room.person(LI, LIS, "li_si", by=Evidence.NAME_AND_NUMBER)
    mandate = await room.offered(visit, organisation.id)
    agent = await room.enter(li)
    with pytest.raises(LevelRequired):
        await room.appointing.accept(agent, mandate)
    by_card = NewIdentity(person=LI, evidence=Evidence.BANK_CARD, evidence_reference="E2", authority_reference="A2")
    await prove(room.sql.identities, li, by_card, room.clock.now())
    await room.appointing.accept(agent, mandate)


@pytest.mark.parametrize("side", ["representative", "agent"])
async def test_either_side_ends_it_and_an_agent_is_told_by_sms(room: Office, side: str) -> None:
    zhang, li = await room.person(), await room.agent()
    visit, organisation = await room.leads(zhang)
    mandate = await room.offered(visit, organisation.id)
    agent = await room.enter(li)
    await room.appointing.accept(agent, mandate)
    ends = visit if side == "representative" else agent
    await room.appointing.end(ends, mandate)
    told = [message for message in await room.told() if message[1] == "mandate_ended"]
    assert told == ([(LIS, "mandate_ended")] if side == "representative" else [])
    with pytest.raises(OrganisationUnknown):
        await room.appointing.end(ends, mandate)


async def test_an_offer_that_has_lapsed_is_shown_to_nobody(room: Office) -> None:
    zhang, li = await room.person(), await room.agent()
    visit, organisation = await room.leads(zhang)
    await room.offered(visit, organisation.id)
    room.clock.advance(mandates.OPEN // SECOND)
    holdings = await room.appointing.holdings(await room.enter(li))
    assert holdings.offered == []


@pytest.mark.req("ORG-2")
async def test_a_history_has_pages_and_the_last_one_leads_no_further(
    room: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mandates, "HISTORY", 2)
    visit, organisation = await room.leads(await room.person())
    li = await room.enter(await room.agent())
    for phone in (LIS, WANGS, "15410000001", "15410000002"):
        mandate = await room.offered(visit, organisation.id, phone)
        if phone == LIS:
            await room.appointing.accept(li, mandate)
        await room.appointing.end(visit, mandate)
        room.clock.advance(60)
    first = await room.appointing.history(visit, organisation.id, None)
    assert (first.organisation, first.entrusted) == (organisation, [])
    last = await room.appointing.history(visit, organisation.id, first.older)
    assert [[one.mandate.phone for one in page.appointed] for page in (first, last)] == [
        ["15410000002", "15410000001"],
        [WANGS, LIS],
    ]
    assert last.older is None
    own = await room.appointing.history(li, None, None)
    assert ([one.organisation for one in own.entrusted], own.older, own.appointed) == ([organisation], None, [])
    for visitor, asked in ((li, organisation.id), (visit, "A" * 22)):
        with pytest.raises(OrganisationUnknown):
            await room.appointing.history(visitor, asked, None)


@pytest.mark.req("ORG-2")
async def test_the_last_day_of_a_mandate_is_a_whole_one_in_beijing(room: Office) -> None:
    visit, organisation = await room.leads(await room.person())
    mandate = await room.offered(visit, organisation.id, days=0)
    [given] = (await room.appointing.holdings(visit)).appointed
    assert given.mandate.id == mandate
    assert 0 < given.mandate.ends_at - room.clock.now() <= DAY
