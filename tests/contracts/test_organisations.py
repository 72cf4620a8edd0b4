"""Organisations and mandates, on every backend."""

from __future__ import annotations

import asyncio
import json

import pytest
from msgspec.structs import replace

from bjidp.accounts.ports import NOTHING, Evidence
from bjidp.clock import DAY, HOUR, SECOND
from bjidp.entropy import SystemEntropy
from bjidp.errors import AccountRefused, RateLimited
from bjidp.organisations import mandates
from bjidp.organisations.errors import MandatesFull, OrganisationHeld, OrganisationUnknown
from bjidp.organisations.mandates import AlreadyAppointed, By, Ended, OfferedLately, Place, Scope, State
from bjidp.organisations.organisation import Loss, Organisation, Role
from bjidp.organisations.ports import (
    Aftermath,
    Appointed,
    Entrusted,
    IdentityLacking,
    NewOffer,
    NewOrganisation,
    OrganisationStore,
)
from bjidp.person import DocumentType, Person
from bjidp.proofing.ports import NewIdentity, Settled
from bjidp.proofing.terms import UNSTATED, Term, Until
from bjidp.storage.sql.catalog import open_sql
from tests.contracts.house import LI, ZHANG, House, applicant, keyring
from tests.support.identities import prove

CODE = "91000000MA990001X0"
ZHANGS, LIS, WANGS = "13800138000", "13900139000", "13700137000"
WANG = Person(DocumentType.RESIDENT_ID, "王五", "110101199003071111")


@pytest.fixture
def organisations(house: House) -> OrganisationStore:
    """The store under test."""
    return house.sql.organisations


async def proved(
    house: House, person: Person, phone: str, *, by: Evidence = Evidence.FACE, term: Term = UNSTATED
) -> str:
    """Return an account with a number and an identity."""
    account = (await house.member(phone, f"user_{phone[:3]}")).account
    new = NewIdentity(person=person, evidence=by, evidence_reference="E1", authority_reference="A1", term=term)
    await prove(house.sql.identities, account, new, house.now)
    return account


async def confirmed(house: House, account: str, code: str = CODE, **other: int) -> NewOrganisation:
    """Return what the register has confirmed for an account at this moment."""
    bound = await house.sql.identities.bound(account)
    assert bound is not None
    new = NewOrganisation(credit_code=code, name="北京示例公司", bound_at=bound.bound_at, asked_at=house.now)
    return replace(new, **other)


async def led(house: House, account: str, code: str = CODE) -> Organisation:
    """Register an organisation for an account."""
    await house.sql.organisations.register(account, await confirmed(house, account, code), house.now)
    return next(one for one in await house.sql.organisations.led(account) if one.credit_code == code)


def offer(house: House, phone: str = LIS, days: int = 30) -> NewOffer:
    """Return the offer of a mandate."""
    return NewOffer(scope=Scope.FILING, phone=phone, ends_at=house.now + days * DAY)


async def entrusted(house: House, zhang: str, li: str, days: int = 30) -> tuple[Organisation, str]:
    """Return an organisation of 张三's that 李思思 acts for, and the mandate."""
    organisation = await led(house, zhang)
    mandate = await house.sql.organisations.offer(zhang, organisation.id, offer(house, days=days), house.now)
    await house.sql.organisations.accept(li, mandate, house.now)
    return organisation, mandate


async def given(
    house: House, account: str, organisation: Organisation, limit: int = 20, before: Place | None = None
) -> list[Appointed]:
    """Return what is over of an organisation's mandates."""
    return await house.sql.organisations.appointed_before(account, organisation.id, house.now, limit, before)


async def taken(house: House, account: str, limit: int = 20, before: Place | None = None) -> list[Entrusted]:
    """Return what is over of what was entrusted to an account."""
    return await house.sql.organisations.entrusted_before(account, house.now, limit, before)


async def roles(house: House, account: str) -> list[Role]:
    """Return in what capacities an account may act at this moment."""
    return [one.role for one in await house.sql.organisations.capacities(account) if one.acts(house.now)]


@pytest.mark.req("ORG-1")
async def test_whoever_the_register_confirms_leads_the_organisation(
    house: House, organisations: OrganisationStore
) -> None:
    zhang = await proved(house, ZHANG, ZHANGS)
    assert await organisations.register(zhang, await confirmed(house, zhang), house.now) == Aftermath()
    [organisation] = await organisations.led(zhang)
    assert (organisation.credit_code, organisation.name) == (CODE, "北京示例公司")
    assert (organisation.led_at, organisation.confirmed_at) == (house.now, house.now)
    [capacity] = await organisations.capacities(zhang)
    assert (capacity.role, capacity.scope, capacity.until) == (Role.REPRESENTATIVE, Scope.ALL, None)
    assert house.audit()[-1][0] == "organisation.registered"
    assert house.notices()[1:] == [(zhang, "organisation.registered")]


@pytest.mark.req("ORG-1")
async def test_registered_again_it_is_the_same_organisation_with_its_mandates(
    house: House, organisations: OrganisationStore
) -> None:
    zhang, li = await proved(house, ZHANG, ZHANGS), await proved(house, LI, LIS)
    before, _ = await entrusted(house, zhang, li)
    house.clock.advance(DAY // SECOND)
    renamed = replace(await confirmed(house, zhang), name="北京新名公司")
    assert await organisations.register(zhang, renamed, house.now) == Aftermath()
    [after] = await organisations.led(zhang)
    assert after == replace(before, name="北京新名公司", confirmed_at=house.now)
    assert await roles(house, li) == [Role.AGENT]
    # An answer that comes late takes nothing back.
    late = replace(renamed, name="北京旧名公司", asked_at=before.confirmed_at)
    await organisations.register(zhang, late, house.now)
    assert await organisations.led(zhang) == [after]


@pytest.mark.req("ORG-1")
async def test_who_was_confirmed_later_takes_over_and_all_mandates_end(
    house: House, organisations: OrganisationStore
) -> None:
    zhang, li, wang = [
        await proved(house, person, phone) for person, phone in ((ZHANG, ZHANGS), (LI, LIS), (WANG, WANGS))
    ]
    former, _ = await entrusted(house, zhang, li)
    pending = await organisations.offer(zhang, former.id, offer(house, WANGS), house.now)
    house.clock.advance(1)
    aftermath = await organisations.register(wang, await confirmed(house, wang), house.now)
    assert aftermath == Aftermath(ZHANGS, (LIS,))
    assert [await roles(house, one) for one in (zhang, li, wang)] == [[], [], [Role.REPRESENTATIVE]]
    assert await organisations.offered(WANGS, house.now) == []
    with pytest.raises(OrganisationUnknown):
        await organisations.accept(wang, pending, house.now)
    told = [notice for notice in house.notices() if notice[1] in {"organisation.lost", "mandate.ended"}]
    assert sorted(told) == sorted([(zhang, "organisation.lost"), (li, "mandate.ended")])
    with pytest.raises(OrganisationHeld):
        await organisations.register(zhang, await confirmed(house, zhang, asked_at=former.confirmed_at), house.now)


@pytest.mark.req("ORG-1")
async def test_of_two_persons_who_were_confirmed_at_the_same_moment_one_leads(
    house: House, organisations: OrganisationStore
) -> None:
    accounts = [await proved(house, ZHANG, ZHANGS), await proved(house, LI, LIS)]
    asked = [(one, await confirmed(house, one)) for one in accounts * 4]
    results = await asyncio.gather(
        *(organisations.register(one, new, house.now) for one, new in asked), return_exceptions=True
    )
    leaders = [one for one in accounts if await organisations.led(one)]
    assert len(leaders) == 1
    assert house.count("organisation") == 1
    assert {type(result) for result in results} == {Aftermath, OrganisationHeld}
    assert [kind for kind, _, _ in house.audit()].count("organisation.registered") == 1


@pytest.mark.req("ORG-1")
@pytest.mark.parametrize("lacking", ["nothing", "level", "worn", "another"])
async def test_nothing_is_registered_for_an_identity_that_is_not_worth_it(
    house: House, organisations: OrganisationStore, lacking: str
) -> None:
    if lacking == "level":
        zhang = await proved(house, ZHANG, ZHANGS, by=Evidence.NAME_AND_NUMBER)
    else:
        zhang = await proved(house, ZHANG, ZHANGS, term=Until(house.now + HOUR))
    new = await confirmed(house, zhang)
    match lacking:
        case "nothing":
            await house.sql.identities.unbind(zhang, house.now)
        case "worn":
            house.clock.advance(HOUR // SECOND)
        case "another":
            new = replace(new, bound_at=new.bound_at - 1)
    with pytest.raises(IdentityLacking):
        await organisations.register(zhang, new, house.now)
    assert house.count("organisation") == 0


@pytest.mark.req("ORG-1")
@pytest.mark.attack("Q21")
async def test_an_organisation_is_led_only_while_its_account_may_be_used_and_is_that_person(
    house: House, organisations: OrganisationStore
) -> None:
    zhang, li = await proved(house, ZHANG, ZHANGS), await proved(house, LI, LIS)
    await entrusted(house, zhang, li)
    house.set_status(zhang, "locked")
    assert [await roles(house, one) for one in (zhang, li)] == [[], []]
    house.set_status(zhang, "active")
    assert [await roles(house, one) for one in (zhang, li)] == [[Role.REPRESENTATIVE], [Role.AGENT]]
    house.clock.advance(1)
    await house.sql.identities.unbind(zhang, house.now)
    new = NewIdentity(person=WANG, evidence=Evidence.FACE, evidence_reference="E2", authority_reference="A2")
    await prove(house.sql.identities, zhang, new, house.now)
    assert [await roles(house, one) for one in (zhang, li)] == [[], []]
    assert (await organisations.led(zhang), await organisations.appointed(zhang, house.now)) == ([], [])
    assert (house.count("organisation"), house.count("mandate")) == (0, 0)
    assert (zhang, "organisation.lost") in house.notices()
    assert (li, "mandate.ended") in house.notices()


@pytest.mark.req("ORG-1")
async def test_who_proves_the_same_identity_anew_registers_anew_on_the_same_answer(
    house: House, organisations: OrganisationStore
) -> None:
    zhang, li = await proved(house, ZHANG, ZHANGS), await proved(house, LI, LIS)
    former, _ = await entrusted(house, zhang, li)
    house.clock.advance(1)
    await house.sql.identities.unbind(zhang, house.now)
    new = NewIdentity(person=ZHANG, evidence=Evidence.FACE, evidence_reference="E2", authority_reference="A2")
    await prove(house.sql.identities, zhang, new, house.now)
    again = await confirmed(house, zhang, asked_at=former.confirmed_at)
    assert await organisations.register(zhang, again, house.now) == Aftermath()
    assert [await roles(house, one) for one in (zhang, li)] == [[Role.REPRESENTATIVE], []]


@pytest.mark.req("ORG-1", "RNV-7")
async def test_what_is_led_no_more_goes_to_whoever_is_confirmed_next_whenever_that_was_asked(
    house: House, organisations: OrganisationStore
) -> None:
    zhang, li = await proved(house, ZHANG, ZHANGS), await proved(house, LI, LIS)
    before = house.now - 1
    await led(house, zhang)
    with pytest.raises(OrganisationHeld):
        await organisations.register(li, await confirmed(house, li, asked_at=before), house.now)
    await house.sql.identities.unbind(zhang, house.now)
    await organisations.register(li, await confirmed(house, li, asked_at=before), house.now)
    assert [await roles(house, one) for one in (zhang, li)] == [[], [Role.REPRESENTATIVE]]
    assert house.count("organisation") == 1


@pytest.mark.req("ORG-1")
async def test_a_no_ends_what_was_confirmed_before_it_and_nothing_later(
    house: House, organisations: OrganisationStore
) -> None:
    zhang, li = await proved(house, ZHANG, ZHANGS), await proved(house, LI, LIS)
    organisation, _ = await entrusted(house, zhang, li)
    house.clock.advance(DAY // SECOND)
    asked_at = house.now
    await organisations.confirm(organisation, asked_at + 1)
    assert await organisations.lose(organisation, Loss.REFUSED, asked_at, house.now) == Aftermath()
    await organisations.confirm(organisation, asked_at)
    assert (await organisations.led(zhang))[0].confirmed_at == asked_at + 1
    assert await organisations.lose(organisation, Loss.REFUSED, asked_at + 1, house.now) == Aftermath(ZHANGS, (LIS,))
    assert [await roles(house, one) for one in (zhang, li)] == [[], []]
    assert (house.count("organisation"), house.count("mandate")) == (0, 0)
    assert await organisations.lose(organisation, Loss.REFUSED, asked_at + 1, house.now) == Aftermath()


@pytest.mark.req("ORG-1", "ORG-2")
@pytest.mark.attack("Q9")
async def test_whoever_leads_gives_it_up_with_its_mandates_and_nobody_else_does(
    house: House, organisations: OrganisationStore
) -> None:
    zhang, li = await proved(house, ZHANG, ZHANGS), await proved(house, LI, LIS)
    organisation, _ = await entrusted(house, zhang, li)
    for account, named in ((li, organisation.id), (zhang, "nothing")):
        with pytest.raises(OrganisationUnknown):
            await organisations.give_up(account, named, house.now)
    house.set_status(zhang, "locked")
    with pytest.raises(AccountRefused):
        await organisations.give_up(zhang, organisation.id, house.now)
    house.set_status(zhang, "active")
    results = await asyncio.gather(
        *(organisations.give_up(zhang, organisation.id, house.now) for _ in range(4)), return_exceptions=True
    )
    assert [result for result in results if isinstance(result, Aftermath)] == [Aftermath(ZHANGS, (LIS,))]
    assert {type(result) for result in results} == {Aftermath, OrganisationUnknown}
    assert [await roles(house, one) for one in (zhang, li)] == [[], []]
    assert (house.count("organisation"), house.count("mandate")) == (0, 0)
    [lost] = [
        json.loads(facts) for (facts,) in house.rows("SELECT facts FROM audit_event WHERE kind = 'organisation.lost'")
    ]
    assert lost == {"organisation": organisation.id, "reason": "given_up"}
    assert sorted(house.notices()[-2:]) == sorted([(zhang, "organisation.lost"), (li, "mandate.ended")])
    again = await led(house, zhang)
    assert again.id != organisation.id


@pytest.mark.req("ORG-1")
async def test_a_no_that_ends_nothing_is_kept_until_a_later_yes_and_an_earlier_one_changes_nothing(
    house: House, organisations: OrganisationStore
) -> None:
    zhang, li = await proved(house, ZHANG, ZHANGS), await proved(house, LI, LIS)
    organisation, _ = await entrusted(house, zhang, li)
    asked_at = house.now + DAY

    async def refused() -> set[int | None]:
        return {one.organisation.refused_at for who in (zhang, li) for one in await organisations.capacities(who)}

    await organisations.refuse(organisation, house.now - 1)
    await organisations.refuse(replace(organisation, led_at=0), asked_at)
    assert await refused() == {None}, "earlier than the yes, or of another time of leading"
    await organisations.refuse(organisation, asked_at)
    await organisations.refuse(organisation, asked_at - 1)
    await organisations.confirm(organisation, asked_at - 1)
    earlier = await confirmed(house, zhang, asked_at=asked_at - 1)
    await organisations.register(zhang, earlier, house.now)
    assert await refused() == {asked_at}
    assert (await organisations.led(zhang))[0].confirmed_at == organisation.confirmed_at
    await organisations.confirm(organisation, asked_at + 1)
    assert await refused() == {None}
    await organisations.refuse(organisation, asked_at + 2)
    await organisations.register(zhang, await confirmed(house, zhang, asked_at=asked_at + 3), house.now)
    assert await refused() == {None}
    assert await roles(house, li) == [Role.AGENT]


@pytest.mark.req("ORG-2")
async def test_an_offer_waits_for_whoever_has_the_number_and_is_accepted_once(
    house: House, organisations: OrganisationStore
) -> None:
    zhang = await proved(house, ZHANG, ZHANGS)
    organisation = await led(house, zhang)
    mandate = await organisations.offer(zhang, organisation.id, offer(house), house.now)
    # Nobody has the number yet; who comes to have it finds the offer.
    li = await proved(house, LI, LIS)
    [found] = await organisations.offered(LIS, house.now)
    assert (found.mandate.id, found.organisation, found.by) == (mandate, organisation, "张**")
    assert found.mandate.state(house.now) is State.OFFERED
    results = await asyncio.gather(
        *(organisations.accept(li, mandate, house.now) for _ in range(8)), return_exceptions=True
    )
    assert sum(result is None for result in results) == 1
    assert await organisations.offered(LIS, house.now) == []
    [taken] = await organisations.entrusted(li, house.now)
    [given] = await organisations.appointed(zhang, house.now)
    assert taken.mandate == given.mandate
    assert (given.who, given.mandate.state(house.now)) == ("李**", State.ACCEPTED)
    [capacity] = await organisations.capacities(li)
    assert (capacity.role, capacity.scope, capacity.until) == (Role.AGENT, Scope.FILING, taken.mandate.ends_at)
    kinds = [kind for kind, _, _ in house.audit()]
    assert [kinds.count(kind) for kind in ("mandate.offered", "mandate.accepted")] == [1, 1]
    assert house.notices()[-2:] == [(zhang, "mandate.accepted"), (li, "mandate.taken")]


@pytest.mark.req("ORG-2")
@pytest.mark.attack("R1")
async def test_nobody_takes_an_offer_to_another_number_and_without_an_identity_of_l3(
    house: House, organisations: OrganisationStore
) -> None:
    zhang, wang = await proved(house, ZHANG, ZHANGS), await proved(house, WANG, WANGS)
    li = await proved(house, LI, LIS, by=Evidence.NAME_AND_NUMBER)
    organisation = await led(house, zhang)
    mandate = await organisations.offer(zhang, organisation.id, offer(house), house.now)
    for account, refused in ((wang, OrganisationUnknown), (zhang, OrganisationUnknown), (li, IdentityLacking)):
        with pytest.raises(refused):
            await organisations.accept(account, mandate, house.now)
    with pytest.raises(OrganisationUnknown):
        await organisations.end(wang, mandate, house.now)
    house.set_status(li, "locked")
    with pytest.raises(AccountRefused):
        await organisations.accept(li, mandate, house.now)
    assert [one.mandate.id for one in await organisations.offered(LIS, house.now)] == [mandate]


@pytest.mark.req("ORG-2")
@pytest.mark.parametrize("side", ["representative", "agent"])
async def test_either_side_ends_a_mandate_at_once_and_the_other_is_told(
    house: House, organisations: OrganisationStore, side: str
) -> None:
    zhang, li = await proved(house, ZHANG, ZHANGS), await proved(house, LI, LIS)
    organisation, mandate = await entrusted(house, zhang, li)
    ends, other = (zhang, li) if side == "representative" else (li, zhang)
    told = await organisations.end(ends, mandate, house.now)
    assert told == (LIS if side == "representative" else None)
    assert await roles(house, li) == []
    assert await organisations.appointed(zhang, house.now) == []
    assert [one.mandate.state(house.now) for one in await given(house, zhang, organisation)] == [State.ENDED]
    assert [one.mandate.state(house.now) for one in await taken(house, li)] == [State.ENDED]
    assert house.notices()[-1] == (other, "mandate.ended")
    for account in (zhang, li):
        with pytest.raises(OrganisationUnknown):
            await organisations.end(account, mandate, house.now)
    assert [kind for kind, _, _ in house.audit()].count("mandate.ended") == 1


@pytest.mark.req("ORG-2")
async def test_an_offer_is_withdrawn_or_declined_and_of_an_end_and_an_acceptance_at_once_the_end_stays(
    house: House, organisations: OrganisationStore
) -> None:
    zhang, li = await proved(house, ZHANG, ZHANGS), await proved(house, LI, LIS)
    organisation = await led(house, zhang)
    for account in (zhang, li):
        mandate = await organisations.offer(zhang, organisation.id, offer(house), house.now)
        assert await organisations.end(account, mandate, house.now) is None
        with pytest.raises(OrganisationUnknown):
            await organisations.accept(li, mandate, house.now)
        house.clock.advance(DAY // SECOND)
    for _ in range(8):
        house.clock.advance(DAY // SECOND)
        mandate = await organisations.offer(zhang, organisation.id, offer(house), house.now)
        results = await asyncio.gather(
            organisations.accept(li, mandate, house.now),
            organisations.end(zhang, mandate, house.now),
            organisations.accept(li, mandate, house.now),
            organisations.end(li, mandate, house.now),
            return_exceptions=True,
        )
        assert await roles(house, li) == []
        # One of the two ends, and at most one acceptance, before it.
        assert {type(result) for result in results if isinstance(result, BaseException)} == {OrganisationUnknown}
        assert sum(not isinstance(result, BaseException) for result in results) in {1, 2}


@pytest.mark.req("ORG-2")
async def test_an_offer_lapses_and_a_mandate_expires_by_itself(house: House, organisations: OrganisationStore) -> None:
    zhang, li = await proved(house, ZHANG, ZHANGS), await proved(house, LI, LIS)
    organisation, _ = await entrusted(house, zhang, li, days=20)
    late = await organisations.offer(zhang, organisation.id, offer(house, WANGS), house.now)
    wang = await proved(house, WANG, WANGS)
    house.clock.advance(mandates.OPEN // SECOND)
    with pytest.raises(OrganisationUnknown):
        await organisations.accept(wang, late, house.now)
    assert await roles(house, li) == [Role.AGENT]
    house.clock.advance(6 * DAY // SECOND)
    assert await roles(house, li) == []
    assert {one.mandate.state(house.now) for one in await given(house, zhang, organisation)} == {
        State.LAPSED,
        State.EXPIRED,
    }
    assert [one.mandate.state(house.now) for one in await taken(house, li)] == [State.EXPIRED]
    assert (await organisations.appointed(zhang, house.now), await organisations.entrusted(li, house.now)) == ([], [])
    assert await organisations.offered(WANGS, house.now) == []


@pytest.mark.req("ORG-2", "PRV-4")
async def test_what_is_over_is_read_a_page_at_a_time_and_newest_first(
    house: House, organisations: OrganisationStore
) -> None:
    zhang, li = await proved(house, ZHANG, ZHANGS), await proved(house, LI, LIS)
    organisation = await led(house, zhang)
    other = await led(house, zhang, "91000000MA990002X6")
    made, accepted = [], []
    for number in range(3):
        house.clock.advance(DAY // SECOND)
        # Two of one moment: nothing but their ids tells them apart.
        declined = [
            await organisations.offer(zhang, organisation.id, offer(house, f"1300000000{number}"), house.now),
            await organisations.offer(zhang, organisation.id, offer(house), house.now),
        ]
        await organisations.accept(li, declined[1], house.now)
        for one in declined:
            await organisations.end(zhang, one, house.now)
        made += sorted(declined)
        accepted.append(declined[1])
    await organisations.offer(zhang, organisation.id, offer(house, WANGS), house.now)
    await organisations.end(zhang, await organisations.offer(zhang, other.id, offer(house), house.now), house.now)

    seen, before = [], None
    while page := await given(house, zhang, organisation, 4, before):
        assert len(page) <= 4
        seen += [one.mandate.id for one in page]
        before = page[-1].mandate.place
    assert seen == made[::-1]
    [newest] = await taken(house, li, 1)
    older = await taken(house, li, 9, newest.mandate.place)
    assert [one.mandate.id for one in (newest, *older)] == accepted[::-1]
    assert [one.mandate.phone for one in await organisations.appointed(zhang, house.now)] == [WANGS]
    assert await given(house, li, organisation) == [], "which others lead"


@pytest.mark.req("ORG-2")
async def test_a_new_mandate_of_the_same_organisation_takes_the_place_of_the_agents_old_one(
    house: House, organisations: OrganisationStore
) -> None:
    zhang, li = await proved(house, ZHANG, ZHANGS), await proved(house, LI, LIS)
    organisation, former = await entrusted(house, zhang, li)
    await house.members.set_phone(li, "13600136000", house.now)
    assert await roles(house, li) == [Role.AGENT]
    wider = replace(offer(house, "13600136000"), scope=Scope.ALL)
    await organisations.accept(li, await organisations.offer(zhang, organisation.id, wider, house.now), house.now)
    assert [one.scope for one in await organisations.capacities(li)] == [Scope.ALL]
    over = {one.mandate.id: one.mandate.phase for one in await given(house, zhang, organisation)}[former]
    assert isinstance(over, Ended)
    assert (over.by, over.at) == (By.REPLACED, house.now)
    [facts] = [facts for (facts,) in house.rows("SELECT facts FROM audit_event WHERE kind = 'mandate.ended'")]
    assert json.loads(facts) == {"organisation": organisation.id, "mandate": former, "reason": "replaced"}
    told = house.notices()[-4:]
    assert sorted(told) == sorted(
        [(zhang, "mandate.ended"), (li, "mandate.ended"), (zhang, "mandate.accepted"), (li, "mandate.taken")]
    )


@pytest.mark.req("ORG-2")
@pytest.mark.attack("O11")
async def test_an_organisation_offers_so_much_a_day_and_one_mandate_for_each_number(
    house: House, organisations: OrganisationStore
) -> None:
    zhang = await proved(house, ZHANG, ZHANGS)
    organisation = await led(house, zhang)
    first = await organisations.offer(zhang, organisation.id, offer(house), house.now)
    with pytest.raises(AlreadyAppointed):
        await organisations.offer(zhang, organisation.id, offer(house), house.now)
    await organisations.end(zhang, first, house.now)
    house.clock.advance(HOUR // SECOND)
    with pytest.raises(OfferedLately):
        await organisations.offer(zhang, organisation.id, offer(house), house.now)
    numbers = [f"139{number:08}" for number in range(mandates.A_DAY - 1)]
    await asyncio.gather(
        *(organisations.offer(zhang, organisation.id, offer(house, number), house.now) for number in numbers)
    )
    with pytest.raises(RateLimited) as limited:
        await organisations.offer(zhang, organisation.id, offer(house, WANGS), house.now)
    assert limited.value.retry_after == (DAY - HOUR) // SECOND
    house.clock.advance((DAY - HOUR) // SECOND)
    await organisations.offer(zhang, organisation.id, offer(house, WANGS), house.now)


@pytest.mark.req("ORG-2")
async def test_an_offer_and_an_acceptance_open_no_number_of_what_is_over(
    house: House, organisations: OrganisationStore
) -> None:
    """Years of mandates are not unsealed one by one while the organisation is locked."""
    zhang, li = await proved(house, ZHANG, ZHANGS), await proved(house, LI, LIS)
    organisation = await led(house, zhang)
    for phone in (LIS, WANGS):
        mandate = await organisations.offer(zhang, organisation.id, offer(house, phone), house.now)
        await organisations.end(zhang, mandate, house.now)
    made = await organisations.made(zhang, organisation.id, LIS, house.now)
    assert sorted((one.live, one.same) for one in made) == [(False, False), (False, True)]
    assert await organisations.made(li, organisation.id, LIS, house.now) == []
    house.rows("UPDATE mandate SET phone_sealed = :nothing", nothing=b"")
    with pytest.raises(OfferedLately):
        await organisations.offer(zhang, organisation.id, offer(house), house.now)
    house.clock.advance(DAY // SECOND)
    assert await organisations.made(zhang, organisation.id, LIS, house.now) == []
    await organisations.accept(
        li, await organisations.offer(zhang, organisation.id, offer(house), house.now), house.now
    )


@pytest.mark.req("ORG-2")
async def test_an_organisation_has_so_many_mandates_at_a_time(house: House, organisations: OrganisationStore) -> None:
    zhang = await proved(house, ZHANG, ZHANGS)
    organisation = await led(house, zhang)
    for number in range(mandates.LIVE):
        if number % mandates.A_DAY == 0:
            house.clock.advance(DAY // SECOND)
        await organisations.offer(zhang, organisation.id, offer(house, f"139{number:08}"), house.now)
    house.clock.advance(DAY // SECOND)
    with pytest.raises(MandatesFull):
        await organisations.offer(zhang, organisation.id, offer(house, WANGS), house.now)


@pytest.mark.req("ORG-2")
@pytest.mark.attack("Q9")
async def test_nobody_appoints_for_an_organisation_that_they_do_not_lead(
    house: House, organisations: OrganisationStore
) -> None:
    zhang, li = await proved(house, ZHANG, ZHANGS), await proved(house, LI, LIS)
    organisation, mandate = await entrusted(house, zhang, li)
    for account, of in ((li, organisation.id), (zhang, "nothing")):
        with pytest.raises(OrganisationUnknown):
            await organisations.offer(account, of, offer(house, WANGS), house.now)
    with pytest.raises(OrganisationUnknown):
        await organisations.accept(zhang, mandate, house.now)


@pytest.mark.req("ORG-2")
@pytest.mark.attack("Q21")
async def test_nobody_appoints_at_a_level_that_has_fallen(house: House, organisations: OrganisationStore) -> None:
    zhang = await proved(house, ZHANG, ZHANGS, term=Until(house.now + HOUR))
    organisation = await led(house, zhang)
    house.clock.advance(HOUR // SECOND)
    with pytest.raises(IdentityLacking):
        await organisations.offer(zhang, organisation.id, offer(house), house.now)
    assert house.count("mandate") == 0


@pytest.mark.req("ORG-2", "RNV-5")
async def test_a_mandate_is_the_persons_who_accepted_it_and_no_other_ones_at_that_account(
    house: House, organisations: OrganisationStore
) -> None:
    zhang, li = await proved(house, ZHANG, ZHANGS), await proved(house, LI, LIS)
    await entrusted(house, zhang, li)
    house.clock.advance(1)
    new = NewIdentity(person=WANG, evidence=Evidence.FACE, evidence_reference="E2", authority_reference="A2")
    await prove(house.sql.identities, li, new, house.now, exchange=True)
    assert await roles(house, li) == []
    assert (await organisations.appointed(zhang, house.now), await organisations.entrusted(li, house.now)) == ([], [])
    assert house.notices()[-2:] == [(zhang, "mandate.ended"), (li, "identity.exchanged")]


@pytest.mark.req("ACC-7", "ORG-2", "RNV-5", "RNV-6", "RNV-7")
@pytest.mark.parametrize("ends", ["cancelled", "unbound", "exchanged", "taken", "taken by a phone"])
async def test_whoever_acted_by_the_word_of_an_account_is_named_to_be_told_however_it_goes(
    house: House, organisations: OrganisationStore, ends: str
) -> None:
    zhang, li = await proved(house, ZHANG, ZHANGS), await proved(house, LI, LIS)
    if ends.startswith("taken"):
        house.rows("UPDATE identity SET evidence = 'bank_card' WHERE account = :account", account=zhang)
    await entrusted(house, zhang, li)
    house.clock.advance(2 * DAY // SECOND)
    identities = house.sql.identities
    new = NewIdentity(person=WANG, evidence=Evidence.FACE, evidence_reference="E2", authority_reference="A2")
    match ends:
        case "cancelled":
            gone = (await house.members.cancel(zhang, house.now)).gone
        case "unbound":
            out = await identities.unbind(zhang, house.now)
            gone = NOTHING if out is None else out.gone
        case "exchanged":
            settled = await prove(identities, zhang, new, house.now, exchange=True)
            assert isinstance(settled, Settled)
            gone = NOTHING if settled.exchanged is None else settled.exchanged.gone
        case "taken":
            wang = (await house.member(WANGS, "user_wang")).account
            settled = await prove(identities, wang, replace(new, person=ZHANG), house.now)
            assert isinstance(settled, Settled)
            gone = NOTHING if settled.loser is None else settled.loser.gone
        case _:
            house.rows("UPDATE identity SET evidence = 'name_and_number' WHERE account = :account", account=zhang)
            linked = await house.accounts.take_over(zhang, applicant(), house.now)
            gone = linked.lost
    assert gone.agents == (li,)
    assert house.notices().count((li, "mandate.ended")) == 1


@pytest.mark.req("ACC-7", "ORG-2")
@pytest.mark.parametrize("ends", ["representative", "agent"])
async def test_what_an_account_leads_and_acts_for_goes_with_it_and_the_other_side_is_told(
    house: House, organisations: OrganisationStore, ends: str
) -> None:
    zhang, li = await proved(house, ZHANG, ZHANGS), await proved(house, LI, LIS)
    await entrusted(house, zhang, li)
    gone, other = (zhang, li) if ends == "representative" else (li, zhang)
    await house.members.cancel(gone, house.now)
    assert await roles(house, li) == []
    assert house.count("mandate") == 0
    assert house.count("organisation") == (0 if ends == "representative" else 1)
    assert house.notices()[-1] == (other, "mandate.ended")


@pytest.mark.req("PRV-4")
async def test_what_has_been_over_for_long_is_deleted(house: House, organisations: OrganisationStore) -> None:
    zhang, li = await proved(house, ZHANG, ZHANGS), await proved(house, LI, LIS)
    organisation, _ = await entrusted(house, zhang, li, days=100)
    ended = await organisations.offer(zhang, organisation.id, offer(house, WANGS), house.now)
    await organisations.end(zhang, ended, house.now)
    await organisations.offer(zhang, organisation.id, offer(house, "13600136000", days=100), house.now)
    await organisations.offer(zhang, organisation.id, offer(house, ZHANGS, days=1), house.now)
    now = house.now
    assert await organisations.forget(now, 10) == 0
    assert await organisations.forget(now + 1, 10) == 1
    assert await organisations.forget(now + DAY + 1, 10) == 1
    assert await organisations.forget(now + mandates.OPEN + 1, 10) == 1
    assert [one.mandate.state(now) for one in await organisations.appointed(zhang, house.now)] == [State.ACCEPTED]
    assert await organisations.forget(now + 100 * DAY + 1, 10) == 1


@pytest.mark.req("PRV-1", "ORG-2")
async def test_an_offer_is_found_under_every_key_while_they_are_exchanged(house: House) -> None:
    zhang = await proved(house, ZHANG, ZHANGS)
    organisation = await led(house, zhang)
    await house.sql.organisations.offer(zhang, organisation.id, offer(house), house.now)
    opened = [
        open_sql(house.url, keys, SystemEntropy(), house.clock, threads=1) for keys in (keyring(1, 2), keyring(2))
    ]
    both, alone = opened
    try:
        assert len(await both.organisations.offered(LIS, house.now)) == 1
        await both.rotation.fill()
        for stores in opened:
            [found] = await stores.organisations.offered(LIS, house.now)
            assert found.mandate.phone == LIS
            with pytest.raises(AlreadyAppointed):
                await stores.organisations.offer(zhang, organisation.id, offer(house), house.now)
        assert await house.sql.organisations.offered(LIS, house.now) == []
        assert alone is opened[1]
    finally:
        for stores in opened:
            await stores.close()
