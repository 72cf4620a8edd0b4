"""实名认证 and 换绑."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext

import pytest

from bjidp.accounts.ports import Evidence, Gone
from bjidp.accounts.settings.changes import NotDue
from bjidp.accounts.settings.flow import Step
from bjidp.clock import DAY, SECOND
from bjidp.errors import FieldFault, InvalidRequest, RateLimited, StoreUnavailable, VendorUnavailable
from bjidp.person import Person
from bjidp.proofing.adjudication import Advice
from bjidp.proofing.errors import IdentityMismatch, IdentityOther, PhoneRequired
from bjidp.proofing.ports import Held, NewIdentity
from bjidp.proofing.terms import Until
from bjidp.sessions.ports import SessionEnd
from bjidp.vendors.ports.registers import RegisterAnswer
from bjidp.verification.errors import VerificationRequired
from bjidp.verification.proofs import Operation
from tests.contracts.house import applicant
from tests.support.identities import prove
from tests.unit.accounts.settings.room import NEW_NUMBER, NUMBER
from tests.unit.proofing.room import LI, ZHANG, Study, form

NAME, BANK, FACE = Evidence.NAME_AND_NUMBER, Evidence.BANK_CARD, Evidence.FACE


async def held_by_another(room: Study, evidence: Evidence = NAME) -> str:
    """Have 张三 be another account's identity; return that account."""
    other = await room.someone(NEW_NUMBER, "other_one")
    new = NewIdentity(person=ZHANG, evidence=evidence, evidence_reference="E1", authority_reference="A0")
    await prove(room.sql.identities, other, new, room.clock.now())
    return other


@pytest.mark.req("RNV-2")
async def test_who_the_authority_knows_is_bound_at_l2_with_the_dates_of_the_document(room: Study) -> None:
    account = await room.someone()
    visit, flow = await room.proved(await room.enter(account), Operation.REAL_NAME)
    assert await room.real_names.prove(visit, flow, form()) == flow
    bound = await room.bound(account)
    assert bound is not None
    assert (bound.person, bound.level(room.clock.now()), bound.evidence) == (ZHANG, 2, NAME)
    assert isinstance(bound.term, Until)
    standing = await room.changes.look(visit, Operation.REAL_NAME, flow)
    assert standing.step is Step.DONE
    assert room.events()[-1] == "identity.proved"


@pytest.mark.req("ACC-8")
async def test_nobody_is_asked_and_nothing_bound_without_the_proof(room: Study) -> None:
    account = await room.someone()
    with pytest.raises(NotDue):
        await room.real_names.prove(await room.enter(account), None, form())
    assert room.register.asked == []
    assert await room.bound(account) is None


@pytest.mark.req("RNV-2", "RNV-10")
async def test_what_is_wrong_with_the_form_is_told_beside_each_field_and_asks_nobody(room: Study) -> None:
    visit = await room.granted_visit(await room.someone(), Operation.REAL_NAME)
    bad = form(name="·", document_number="110101199003070012", valid_from="2018", valid_to="")
    with pytest.raises(InvalidRequest) as refused:
        await room.real_names.prove(visit, None, bad)
    assert {error.field for error in refused.value.errors} == {"name", "document_number", "valid_from", "valid_to"}
    with pytest.raises(InvalidRequest) as refused:
        await room.real_names.prove(visit, None, form(document_type="passport"))
    assert refused.value.errors == (FieldFault("document_type", "unknown"),)
    assert room.register.asked == []
    await room.real_names.prove(visit, None, form())


@pytest.mark.req("RNV-10")
async def test_a_no_is_told_with_its_advice_and_costs_a_question_and_no_proof(room: Study) -> None:
    account = await room.someone()
    visit = await room.granted_visit(account, Operation.REAL_NAME)
    room.register.answers[LI.number] = RegisterAnswer.MISMATCH
    for _ in range(2):
        with pytest.raises(IdentityMismatch) as refused:
            await room.real_names.prove(visit, None, form(LI))
        assert refused.value.advice == (Advice.CHECK_AGAIN,)
    # The very same question is answered from what was written down.
    assert room.register.asked == [LI]
    await room.real_names.prove(visit, None, form())
    bound = await room.bound(account)
    assert bound is not None
    assert bound.person == ZHANG


@pytest.mark.req("REG-5")
@pytest.mark.attack("O2")
async def test_an_account_asks_about_three_persons_a_day(room: Study) -> None:
    visit = await room.granted_visit(await room.someone(), Operation.REAL_NAME)
    room.register.answers[ZHANG.number] = RegisterAnswer.MISMATCH
    for name in ("王五", "赵六", "孙七"):
        with pytest.raises(IdentityMismatch):
            await room.real_names.prove(visit, None, form(name=name))
    room.register.answers.clear()
    with pytest.raises(RateLimited) as limited:
        await room.real_names.prove(visit, None, form())
    assert limited.value.retry_after == DAY // SECOND
    assert len(room.register.asked) == 3


@pytest.mark.req("REG-5", "RNV-5")
@pytest.mark.attack("O2")
@pytest.mark.parametrize("operation", [Operation.REAL_NAME, Operation.EXCHANGE])
async def test_an_account_without_a_phone_is_told_of_nobody_until_it_has_one(room: Study, operation: Operation) -> None:
    account = await room.someone_by_face()
    visit = await room.granted_visit(account, operation)
    act, person = room.real_names.exchange, LI
    if operation is Operation.REAL_NAME:
        bound = await room.bound(account)
        assert bound is not None
        act, person = room.real_names.prove, bound.person
    with pytest.raises(PhoneRequired):
        await act(visit, None, form(person))
    assert room.register.asked == []
    await room.sql.members.set_phone(account, NUMBER, room.clock.now(), visit.session.id)
    await act(visit, None, form(person))
    assert room.register.asked == [person]


@pytest.mark.req("REG-5")
async def test_an_authority_that_is_down_costs_neither_question_nor_proof(room: Study) -> None:
    account = await room.someone()
    visit = await room.granted_visit(account, Operation.REAL_NAME)
    room.register.down = True
    for _ in range(4):
        with pytest.raises(VendorUnavailable):
            await room.real_names.prove(visit, None, form())
    room.register.down = False
    await room.real_names.prove(visit, None, form())
    assert await room.bound(account) is not None


@pytest.mark.req("RNV-7")
@pytest.mark.parametrize(("held_by", "by"), [(NAME, (BANK, FACE)), (BANK, (BANK, FACE)), (FACE, (FACE,))])
async def test_an_identity_of_another_account_stays_there_and_is_kept_as_a_claim_for_half_an_hour(
    room: Study, held_by: Evidence, by: tuple[Evidence, ...]
) -> None:
    other = await held_by_another(room, held_by)
    account = await room.someone()
    visit = await room.granted_visit(account, Operation.REAL_NAME)
    flow = await room.real_names.prove(visit, None, form())
    standing = await room.changes.look(visit, Operation.REAL_NAME, flow)
    assert standing.draft is not None
    assert (standing.step, standing.draft.facts.held_by) == (Step.DONE, by)
    claim = await room.claims.find(account)
    assert claim is not None
    assert (claim.person, claim.exchange) == (ZHANG, False)
    assert await room.bound(account) is None
    assert await room.bound(other) is not None
    assert await room.told() == []
    room.clock.advance(30 * 60)
    assert await room.claims.find(account) is None


@pytest.mark.req("RNV-5")
async def test_an_exchange_puts_another_identity_in_place_ends_other_sessions_and_is_told(room: Study) -> None:
    account = await room.someone()
    new = NewIdentity(person=LI, evidence=FACE, evidence_reference="E1", authority_reference="A0")
    await prove(room.sql.identities, account, new, room.clock.now())
    elsewhere = await room.enter(account)
    visit = await room.granted_visit(account, Operation.EXCHANGE)
    await room.real_names.exchange(visit, None, form())
    bound = await room.bound(account)
    assert bound is not None
    assert (bound.person, bound.evidence, bound.level(room.clock.now())) == (ZHANG, NAME, 2)
    assert await room.sessions.find(elsewhere.cookie) is None
    assert await room.sessions.find(visit.cookie) is not None
    assert await room.told() == [(NUMBER, "identity_exchanged")]
    assert room.events().count("identity.exchanged") == 1


@pytest.mark.req("RNV-5")
async def test_phones_that_go_with_an_exchange_are_ended_wherever_they_are_kept(room: Study) -> None:
    account = await room.someone()
    new = NewIdentity(person=LI, evidence=FACE, evidence_reference="E1", authority_reference="A0")
    await prove(room.sql.identities, account, new, room.clock.now())
    link, *_ = await room.sql.accounts.relink(account, applicant(LI), probation_until=None, now=room.clock.now())
    await room.real_names.exchange(await room.granted_visit(account, Operation.EXCHANGE), None, form())
    assert room.phones_ended.gone == [Gone((link.id,))]


@pytest.mark.req("RNV-5")
async def test_an_outage_after_an_exchange_is_told_as_none_and_tells_the_phone_all_the_same(room: Study) -> None:
    account = await room.someone()
    new = NewIdentity(person=LI, evidence=FACE, evidence_reference="E1", authority_reference="A0")
    await prove(room.sql.identities, account, new, room.clock.now())
    visit, flow = await room.proved(await room.enter(account), Operation.EXCHANGE)
    room.phones_ended.down = True

    async def written() -> None:
        room.meddler.breaks("members", "claims")

    room.meddler.before_next("identities.prove", written)
    await room.real_names.exchange(visit, flow, form())
    room.meddler.mends()
    assert (await room.changes.look(visit, Operation.EXCHANGE, flow)).step is Step.DONE
    assert await room.told() == [(NUMBER, "identity_exchanged")]


@pytest.mark.req("RNV-2")
async def test_whoever_has_another_name_by_now_renews_the_identity_under_it(room: Study) -> None:
    account = await room.someone()
    await room.real_names.prove(await room.granted_visit(account, Operation.REAL_NAME), None, form(LI))
    renamed = Person(LI.document_type, "李思", LI.number)
    await room.real_names.prove(await room.granted_visit(account, Operation.REAL_NAME), None, form(renamed))
    bound = await room.bound(account)
    assert bound is not None
    assert bound.person == renamed


@pytest.mark.req("RNV-2")
async def test_an_account_with_an_identity_binds_no_other_without_an_exchange(room: Study) -> None:
    account = await room.someone()
    await room.real_names.prove(await room.granted_visit(account, Operation.REAL_NAME), None, form(LI))
    with pytest.raises(IdentityOther):
        await room.real_names.prove(await room.granted_visit(account, Operation.REAL_NAME), None, form())
    bound = await room.bound(account)
    assert bound is not None
    assert bound.person == LI
    assert ZHANG not in room.register.asked, "nobody is asked for nothing"


@pytest.mark.req("REG-4", "REG-5")
async def test_a_registration_binds_without_another_code_and_once_however_often_it_is_posted(room: Study) -> None:
    account = await room.someone()
    visit = await room.enter(account)
    posts = [room.real_names.at_registration(visit, form(), whole=True) for _ in range(8)]
    assert await asyncio.gather(*posts) == [None] * 8
    assert len(set(room.register.asked)) == 1
    assert (await room.bound(account)) is not None
    assert await room.sessions.find(visit.cookie) is not None


@pytest.mark.req("REG-4")
async def test_a_registration_on_the_pc_asks_for_no_dates_and_is_told_who_may_take_the_identity(room: Study) -> None:
    await held_by_another(room)
    visit = await room.enter(await room.someone())
    stated = form(valid_from="", valid_to="")
    assert await room.real_names.at_registration(visit, stated, whole=False) == Held((BANK, FACE))


@pytest.mark.req("RNV-6")
@pytest.mark.attack("B2")
@pytest.mark.parametrize("operation", [Operation.REAL_NAME, Operation.EXCHANGE])
async def test_an_identity_that_is_given_up_elsewhere_while_the_authority_is_asked_does_not_come_back(
    room: Study, operation: Operation
) -> None:
    account = await room.someone()
    new = NewIdentity(person=ZHANG, evidence=NAME, evidence_reference="E1", authority_reference="A0")
    await prove(room.sql.identities, account, new, room.clock.now())
    visit = await room.granted_visit(account, operation)
    room.meddler.before_next("identities.prove", lambda: room.sql.identities.unbind(account, room.clock.now()))
    act = room.real_names.prove if operation is Operation.REAL_NAME else room.real_names.exchange
    with pytest.raises(NotDue) as elsewhere:
        await act(visit, None, form())
    assert elsewhere.value.step is Step.VERIFY
    assert await room.bound(account) is None


@pytest.mark.req("REG-4")
@pytest.mark.attack("P7")
@pytest.mark.parametrize("when", ["identities.prove", "checks.answered"])
@pytest.mark.parametrize("ends", ["this session", "all", "number"])
async def test_a_registration_binds_nothing_for_a_session_that_has_ended_meanwhile(
    room: Study, ends: str, when: str
) -> None:
    account = await room.someone()
    visit = await room.enter(account)

    async def ended() -> None:
        match ends:
            case "this session":
                await room.sessions.end(visit.session, SessionEnd.CHOSEN)
            case "all":
                await room.sessions.end_others(account, None, SessionEnd.NOT_ME)
            case _:
                await room.sql.members.set_phone(account, "15400009999", room.clock.now())

    room.meddler.before_next(when, ended)
    if (ends, when) == ("this session", "identities.prove"):
        # One row that goes at the very moment of the write, where it may be kept elsewhere: as if it had come after.
        assert await room.real_names.at_registration(visit, form(), whole=True) is None
        return
    with pytest.raises(VerificationRequired):
        await room.real_names.at_registration(visit, form(), whole=True)
    assert await room.bound(account) is None


@pytest.mark.req("REG-4", "RNV-6")
@pytest.mark.attack("B2")
@pytest.mark.parametrize(
    ("was", "becomes", "error"), [(None, LI, IdentityOther), (ZHANG, None, VerificationRequired), (None, ZHANG, None)]
)
async def test_a_registration_binds_nothing_in_the_place_of_what_the_account_has_come_to_meanwhile(
    room: Study, was: Person | None, becomes: Person | None, error: type[Exception] | None
) -> None:
    account, store = await room.someone(), room.sql.identities
    visit = await room.enter(account)

    async def has(person: Person | None) -> None:
        if person is None:
            await store.unbind(account, room.clock.now())
            return
        new = NewIdentity(person=person, evidence=FACE, evidence_reference="E1", authority_reference="A0")
        await prove(store, account, new, room.clock.now())

    if was is not None:
        await has(was)
    room.meddler.before_next("identities.prove", lambda: has(becomes))
    with nullcontext() if error is None else pytest.raises(error):
        assert await room.real_names.at_registration(visit, form(), whole=True) is None
    bound = await room.bound(account)
    assert (None if bound is None else (bound.person, bound.evidence)) == (becomes and (becomes, FACE))


@pytest.mark.req("RNV-4")
@pytest.mark.parametrize("fails", ["checks.answered", "identities.prove", "proofs.take"])
async def test_a_store_that_fails_on_the_way_leaves_what_a_retry_completes_and_asks_nobody_twice_for_more(
    room: Study, fails: str
) -> None:
    account = await room.someone()
    visit = await room.granted_visit(account, Operation.REAL_NAME)
    room.meddler.breaks(fails)
    with pytest.raises(StoreUnavailable):
        await room.real_names.prove(visit, None, form())
    room.meddler.mends()
    assert await room.bound(account) is None
    await room.granted(visit, Operation.REAL_NAME)
    await room.real_names.prove(visit, None, form())
    assert await room.bound(account) is not None
    assert len(room.rows("SELECT reference FROM identity_check")) == 1
