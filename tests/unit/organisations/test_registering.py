"""登记法人."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from bjidp.accounts.ports import Evidence
from bjidp.accounts.settings.changes import NotDue
from bjidp.accounts.settings.flow import Step
from bjidp.clock import DAY, SECOND
from bjidp.errors import InvalidRequest, RateLimited, StoreUnavailable, VendorUnavailable
from bjidp.organisations.errors import LevelRequired, OrganisationRefused, Refusal
from bjidp.organisations.stated import TypedOrganisation
from bjidp.verification.proofs import Operation
from tests.unit.accounts.settings.room import NUMBER
from tests.unit.organisations.room import CODE, FORM, LIS, NAME, NO, WANG, WANGS, YES, ZHANG, Office

pytestmark = pytest.mark.req("ORG-1")


async def test_whoever_the_register_confirms_leads_the_organisation_after_verifying_themselves(room: Office) -> None:
    account = await room.person()
    visit, flow = await room.proved(await room.enter(account), Operation.ORGANISATION)
    assert await room.registering.register(visit, flow, FORM) == flow
    [organisation] = await room.sql.organisations.led(account)
    assert (organisation.credit_code, organisation.name) == (CODE, NAME)
    [asked] = room.companies.asked
    assert (asked.credit_code, asked.name, asked.representative) == (CODE, NAME, ZHANG)
    assert (await room.changes.look(visit, Operation.ORGANISATION, flow)).step is Step.DONE
    assert room.events()[-1] == "organisation.registered"


@pytest.mark.req("ACC-8")
@pytest.mark.attack("R4")
async def test_nobody_is_asked_without_the_proof_the_level_and_a_form_in_order(room: Office) -> None:
    account = await room.person(by=Evidence.NAME_AND_NUMBER)
    with pytest.raises(NotDue):
        await room.registering.register(await room.enter(account), None, FORM)
    visit = await room.granted_visit(account, Operation.ORGANISATION)
    with pytest.raises(InvalidRequest):
        await room.registering.register(visit, None, TypedOrganisation(CODE[:-1], NAME))
    with pytest.raises(LevelRequired):
        await room.registering.register(visit, None, FORM)
    assert (room.companies.asked, await room.sql.organisations.led(account)) == ([], [])


async def test_a_no_is_told_by_what_it_is_about_and_costs_a_question_and_no_proof(room: Office) -> None:
    account = await room.person()
    visit = await room.granted_visit(account, Operation.ORGANISATION)
    room.companies.answer = NO
    for _ in range(2):
        with pytest.raises(OrganisationRefused) as refused:
            await room.registering.register(visit, None, FORM)
        assert refused.value.refusal is Refusal.REPRESENTATIVE
    # The very same question is answered from what was written down.
    assert len(room.companies.asked) == 1
    room.companies.answer = YES
    await room.registering.register(visit, None, replace(FORM, name="北京另一公司"))
    assert [one.name for one in await room.sql.organisations.led(account)] == ["北京另一公司"]


@pytest.mark.attack("O11")
async def test_an_account_asks_about_so_many_organisations_a_day_and_each_that_it_leads_leaves_room(
    room: Office,
) -> None:
    account = await room.person()
    await room.leads(account)
    room.companies.answer = NO
    visit = await room.granted_visit(account, Operation.ORGANISATION)
    tries = [replace(FORM, name=f"北京第{number}公司") for number in range(5)]
    for form in tries[:4]:
        with pytest.raises(OrganisationRefused):
            await room.registering.register(visit, None, form)
    with pytest.raises(RateLimited):
        await room.registering.register(visit, None, tries[4])
    assert len(room.companies.asked) == 5


@pytest.mark.req("OPS-4")
async def test_a_register_that_is_silent_leaves_nothing_half_made_and_the_retry_is_no_second_question(
    room: Office,
) -> None:
    account = await room.person()
    visit = await room.granted_visit(account, Operation.ORGANISATION)
    room.companies.down = True
    with pytest.raises(VendorUnavailable):
        await room.registering.register(visit, None, FORM)
    assert await room.sql.organisations.led(account) == []
    assert room.notices(account) == ["identity.bound"], "and nothing of an organisation"
    room.companies.down = False
    flow = await room.registering.register(visit, None, FORM)
    assert room.companies.references[0] == room.companies.references[1]
    assert (await room.changes.look(visit, Operation.ORGANISATION, flow)).step is Step.DONE


@pytest.mark.req("OPS-4")
async def test_what_dies_between_the_answer_and_the_write_is_completed_by_a_retry_that_asks_nobody(
    room: Office,
) -> None:
    account = await room.person()
    visit = await room.granted_visit(account, Operation.ORGANISATION)
    room.meddler.breaks("organisations.register")
    with pytest.raises(StoreUnavailable):
        await room.registering.register(visit, None, FORM)
    room.meddler.mends()
    assert await room.sql.organisations.led(account) == []
    await room.granted(visit, Operation.ORGANISATION)
    await room.registering.register(visit, None, FORM)
    assert len(room.companies.asked) == 1
    assert len(await room.sql.organisations.led(account)) == 1


async def test_the_same_form_posted_twice_at_once_is_one_question_and_one_organisation(room: Office) -> None:
    account = await room.person()
    visit, flow = await room.proved(await room.enter(account), Operation.ORGANISATION)
    results = await asyncio.gather(
        *(room.registering.register(visit, flow, FORM) for _ in range(4)), return_exceptions=True
    )
    assert flow in results
    assert {type(result) for result in results if result != flow} <= {NotDue}
    assert len(set(room.companies.references)) == 1
    assert room.events().count("organisation.registered") == 1


async def test_who_is_confirmed_later_takes_over_and_everybody_who_loses_is_told(room: Office) -> None:
    zhang, li = await room.person(), await room.agent()
    visit, organisation = await room.leads(zhang)
    mandate = await room.offered(visit, organisation.id)
    await room.appointing.accept(await room.enter(li), mandate)
    room.clock.advance(DAY // SECOND)
    wang = await room.person(WANG, WANGS, "wang_wu")
    await room.leads(wang)
    assert await room.sql.organisations.led(zhang) == []
    assert (await room.told())[-2:] == [(NUMBER, "organisation_lost"), (LIS, "mandate_ended")]
    assert room.notices(zhang)[-1] == "organisation.lost"
    assert room.notices(li)[-1] == "mandate.ended"
