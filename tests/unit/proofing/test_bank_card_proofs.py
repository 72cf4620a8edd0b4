"""银行卡认证: a person, their debit card, and the number reserved at its bank."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from bjidp.accounts.ports import Evidence
from bjidp.accounts.settings import flow as rules
from bjidp.accounts.settings.changes import NotDue
from bjidp.accounts.settings.flow import Step
from bjidp.accounts.verifying import Visit
from bjidp.clock import DAY, HOUR, MINUTE, SECOND
from bjidp.errors import FieldFault, InvalidRequest, RateLimited, StoreUnavailable, VendorUnavailable
from bjidp.person import Person
from bjidp.proofing.adjudication import Advice
from bjidp.proofing.errors import DocumentExpired, IdentityMismatch, IdentityOther, IdentityWorn, PhoneRequired
from bjidp.proofing.ports import NewIdentity
from bjidp.proofing.stated_card import Typed
from bjidp.proofing.terms import UNSTATED, Until
from bjidp.throttle.source import Source
from bjidp.vendors.ports.registers import Finding, Reason, RegisterAnswer
from bjidp.verification.code import Binding, Purpose, by_sms
from bjidp.verification.errors import SmsHourly, VerificationCodeExpired, VerificationCodeWrong
from bjidp.verification.number import MobileNumber
from bjidp.verification.proofs import Means, Operation
from tests.support.identities import prove
from tests.unit.accounts.settings.room import NEW_NUMBER, NUMBER, THIRD_NUMBER
from tests.unit.proofing.room import LI, ZHANG, Study, form

pytestmark = pytest.mark.req("RNV-4")

NAME, BANK, FACE = Evidence.NAME_AND_NUMBER, Evidence.BANK_CARD, Evidence.FACE


def luhn(body: str) -> str:
    """Return the number with its last digit."""
    doubled = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body))]
    return body + str(-sum(value - 9 if value > 9 else value for value in doubled) % 10)


CARD = luhn("999901000000000001")


def factors(person: Person = ZHANG, phone: str = NUMBER, code: str = "", card: str = CARD) -> Typed:
    """Return the form, filled in."""
    change = rules.Typed(phone=phone, code=code)
    return Typed(name=person.name, document_number=person.number, card_number=card, change=change)


async def known(room: Study, account: str, person: Person = ZHANG, evidence: Evidence = NAME) -> None:
    """Have the person be the account's identity."""
    new = NewIdentity(person=person, evidence=evidence, evidence_reference="E1", authority_reference="A0")
    await prove(room.sql.identities, account, new, room.clock.now())


async def coded(room: Study, visit: Visit, typed: Typed, flow: str | None = None) -> tuple[str, Typed]:
    """Have a code sent to the reserved number; return the change's id and the form with it."""
    asked = replace(typed, change=await room.with_captcha(typed.change, visit))
    flow = await room.bank_cards.send_code(visit, flow, asked)
    return flow, replace(typed, change=replace(typed.change, code=await room.last_code()))


async def test_the_accounts_own_number_that_was_just_proved_needs_no_other_code(room: Study) -> None:
    account = await room.someone()
    await known(room, account)
    visit, flow = await room.proved(await room.enter(account), Operation.BANK_CARD)
    assert await room.bank_cards.prove(visit, flow, factors()) == flow
    bound = await room.bound(account)
    assert bound is not None
    assert (bound.evidence, bound.level(room.clock.now())) == (BANK, 3)
    (asked,) = room.bank.asked
    assert (asked.person, asked.card_number, asked.phone) == (ZHANG, CARD, NUMBER)


@pytest.mark.req("RNV-1")
async def test_a_level_that_ran_out_at_midnight_does_not_come_back_by_a_yes_of_the_day_before(room: Study) -> None:
    account = await room.someone()
    room.clock.advance((8 * HOUR - MINUTE) // SECOND)
    stated = form(valid_from="2017-01-15", valid_to="2027-01-15")
    await room.real_names.prove(await room.granted_visit(account, Operation.REAL_NAME), None, stated)
    room.clock.advance(2 * MINUTE // SECOND)
    assert (await room.sql.identities.wear(room.clock.now(), 10)).told == 1
    room.register.answers[ZHANG.number] = RegisterAnswer.EXPIRED
    with pytest.raises(DocumentExpired):
        await room.real_names.prove(await room.granted_visit(account, Operation.REAL_NAME), None, form())
    bound = await room.bound(account)
    assert bound is not None
    assert (bound.evidence, bound.level(room.clock.now())) == (NAME, 1)


@pytest.mark.req("RNV-1")
async def test_a_card_raises_nothing_once_the_document_has_run_out_and_nobody_is_asked_in_vain(room: Study) -> None:
    account = await room.someone()
    stated = form(valid_from="2017-01-15", valid_to="2027-01-15")
    await room.real_names.prove(await room.granted_visit(account, Operation.REAL_NAME), None, stated)
    room.clock.advance(DAY // SECOND)
    visit, flow = await room.proved(await room.enter(account), Operation.BANK_CARD)
    asked = list(room.register.asked)
    with pytest.raises(IdentityWorn):
        await room.bank_cards.prove(visit, flow, factors())
    other = factors(phone=NEW_NUMBER)
    with pytest.raises(IdentityWorn):
        await room.bank_cards.send_code(
            visit, flow, replace(other, change=await room.with_captcha(other.change, visit))
        )
    assert (room.register.asked, room.bank.asked) == (asked, [])
    await room.real_names.prove(await room.granted_visit(account, Operation.REAL_NAME), None, form())
    await room.bank_cards.prove(visit, flow, factors())
    bound = await room.bound(account)
    assert bound is not None
    assert (bound.evidence, bound.level(room.clock.now())) == (BANK, 3)


@pytest.mark.req("RNV-1", "RNV-6")
async def test_a_card_raises_nothing_either_once_the_worn_document_was_given_up(room: Study) -> None:
    account = await room.someone()
    stated = form(valid_from="2017-01-15", valid_to="2027-01-15")
    await room.real_names.prove(await room.granted_visit(account, Operation.REAL_NAME), None, stated)
    room.clock.advance(DAY // SECOND)
    await room.unbinding.unbind(await room.granted_visit(account, Operation.UNBIND), None)
    asked = list(room.register.asked)
    visit, flow = await room.proved(await room.enter(account), Operation.BANK_CARD)
    with pytest.raises(IdentityWorn):
        await room.bank_cards.prove(visit, flow, factors())
    assert (room.register.asked, room.bank.asked) == (asked, [])
    assert await room.bound(account) is None
    # Of another person nothing was stated.
    await room.bank_cards.prove(visit, flow, factors(LI))
    bound = await room.bound(account)
    assert bound is not None
    assert (bound.evidence, bound.level(room.clock.now()), bound.term) == (BANK, 3, UNSTATED)


async def test_another_number_is_proved_by_a_code_before_the_bank_is_asked(room: Study) -> None:
    account = await room.someone()
    await known(room, account)
    visit, flow = await room.proved(await room.enter(account), Operation.BANK_CARD)
    with pytest.raises(InvalidRequest) as refused:
        await room.bank_cards.prove(visit, flow, factors(phone=NEW_NUMBER))
    assert refused.value.errors == (FieldFault("code", "missing"),)
    flow, typed = await coded(room, visit, factors(phone=NEW_NUMBER), flow)
    wrong = replace(typed, change=replace(typed.change, code="000000"))
    with pytest.raises(VerificationCodeWrong):
        await room.bank_cards.prove(visit, flow, wrong)
    assert room.bank.asked == []
    await room.bank_cards.prove(visit, flow, typed)
    bound = await room.bound(account)
    assert bound is not None
    assert bound.level(room.clock.now()) == 3
    # The number is the bank's, and not the account's from now on.
    assert (await room.member(account)).phone == NUMBER


async def test_who_proved_themselves_in_the_app_proves_the_number_too(room: Study) -> None:
    account = await room.someone()
    await known(room, account)
    visit = await room.granted_visit(account, Operation.BANK_CARD)
    with pytest.raises(InvalidRequest):
        await room.bank_cards.prove(visit, None, factors())
    flow, typed = await coded(room, visit, factors())
    await room.bank_cards.prove(visit, flow, typed)
    assert len(room.bank.asked) == 1


@pytest.mark.req("FAQ-1")
async def test_a_code_to_the_accounts_own_number_is_its_owners_and_to_another_number_a_strangers(room: Study) -> None:
    visit = await room.granted_visit(await room.someone(), Operation.BANK_CARD)
    for stranger in ("1", "2", "3"):
        for phone in (NUMBER, NEW_NUMBER):
            number = MobileNumber(phone)
            binding = Binding(Purpose.REGISTER, by_sms(number), stranger)
            source = Source(stranger)
            await room.dispatches.sms(binding, number, holder=stranger, browser=stranger, source=source, owner=False)
        room.clock.advance(MINUTE // SECOND)
    flow, typed = await coded(room, visit, factors())
    await room.bank_cards.prove(visit, flow, typed)
    with pytest.raises(SmsHourly):
        await coded(room, await room.granted_visit(visit.account, Operation.BANK_CARD), factors(phone=NEW_NUMBER))


@pytest.mark.attack("O10")
async def test_a_code_to_one_number_proves_no_other(room: Study) -> None:
    account = await room.someone()
    visit = await room.granted_visit(account, Operation.BANK_CARD)
    flow, typed = await coded(room, visit, factors(phone=NEW_NUMBER))
    other = replace(typed, change=replace(typed.change, phone=THIRD_NUMBER))
    with pytest.raises(VerificationCodeExpired):
        await room.bank_cards.prove(visit, flow, other)
    assert room.bank.asked == []


@pytest.mark.parametrize(
    ("typed", "faults"),
    [
        (factors(card=luhn("999902000000001")), [("card_number", "not_debit")]),
        (factors(card="12"), [("card_number", "format")]),
        (factors(card=""), [("card_number", "empty")]),
        (factors(card="6222020000000000000"), [("card_number", "not_served")]),
        (factors(person=Person(ZHANG.document_type, "", "1"), phone="12"), [
            ("name", "empty"), ("document_number", "format"), ("phone", "form"),
        ]),
    ],
)  # fmt: skip
async def test_what_is_wrong_with_the_form_is_told_and_asks_nobody(
    room: Study, typed: Typed, faults: list[tuple[str, str]]
) -> None:
    visit, flow = await room.proved(await room.enter(await room.someone()), Operation.BANK_CARD)
    with pytest.raises(InvalidRequest) as refused:
        await room.bank_cards.prove(visit, flow, typed)
    assert set(faults) <= {(error.field, error.code) for error in refused.value.errors}
    assert (room.register.asked, room.bank.asked) == ([], [])


async def test_a_card_that_the_bank_calls_no_debit_card_is_told_beside_it(room: Study) -> None:
    visit, flow = await room.proved(await room.enter(await room.someone()), Operation.BANK_CARD)
    room.bank.answer = Finding(RegisterAnswer.REFUSED, Reason.CARD_NOT_DEBIT, "B1")
    with pytest.raises(InvalidRequest) as refused:
        await room.bank_cards.prove(visit, flow, factors())
    assert refused.value.errors == (FieldFault("card_number", "not_debit"),)


@pytest.mark.req("RNV-10")
async def test_a_no_of_the_authority_is_told_first_and_the_bank_is_not_asked(room: Study) -> None:
    account = await room.someone()
    visit, flow = await room.proved(await room.enter(account), Operation.BANK_CARD)
    room.register.answers[ZHANG.number] = RegisterAnswer.MISMATCH
    with pytest.raises(IdentityMismatch) as refused:
        await room.bank_cards.prove(visit, flow, factors())
    assert refused.value.advice == (Advice.CHECK_AGAIN,)
    assert room.bank.asked == []
    room.register.answers.clear()
    room.bank.answer = Finding(RegisterAnswer.MISMATCH, Reason.PHONE, "B1")
    with pytest.raises(IdentityMismatch) as refused:
        await room.bank_cards.prove(visit, flow, factors(LI))
    assert refused.value.advice == (Advice.ASK_BANK,)
    assert await room.bound(account) is None


async def test_another_person_than_the_accounts_raises_nothing(room: Study) -> None:
    account = await room.someone()
    await known(room, account, LI)
    visit, flow = await room.proved(await room.enter(account), Operation.BANK_CARD)
    with pytest.raises(IdentityOther):
        await room.bank_cards.prove(visit, flow, factors())
    assert (room.register.asked, room.bank.asked) == ([], [])


@pytest.mark.req("RNV-7")
@pytest.mark.parametrize("held_by", [NAME, BANK])
async def test_a_card_brings_a_claimed_identity_from_the_account_that_has_it(room: Study, held_by: Evidence) -> None:
    other = await room.someone(NEW_NUMBER, "other_one")
    await known(room, other, ZHANG, held_by)
    elsewhere = await room.enter(other)
    account = await room.someone()
    await room.real_names.prove(await room.granted_visit(account, Operation.REAL_NAME), None, form())
    visit, flow = await room.proved(await room.enter(account), Operation.BANK_CARD)
    await room.bank_cards.prove(visit, flow, factors())
    bound = await room.bound(account)
    assert bound is not None
    assert (bound.person, bound.level(room.clock.now())) == (ZHANG, 3)
    assert isinstance(bound.term, Until), "the dates that were stated with the claim"
    assert await room.bound(other) is None
    assert await room.sessions.find(elsewhere.cookie) is None
    assert await room.told() == [(NEW_NUMBER, "identity_lost")]
    assert await room.claims.find(account) is None


@pytest.mark.req("RNV-7")
async def test_a_card_does_not_bring_what_a_face_has_proved(room: Study) -> None:
    other = await room.someone(NEW_NUMBER, "other_one")
    await known(room, other, ZHANG, FACE)
    account = await room.someone()
    visit, flow = await room.proved(await room.enter(account), Operation.BANK_CARD)
    flow = await room.bank_cards.prove(visit, flow, factors())
    progress = await room.changes.look(visit, Operation.BANK_CARD, flow)
    assert progress.draft is not None
    assert (progress.step, progress.draft.facts.held_by) == (Step.DONE, (FACE,))
    assert await room.bound(account) is None


@pytest.mark.req("RNV-5", "RNV-7")
async def test_a_claim_of_an_exchange_takes_the_place_of_the_accounts_own(room: Study) -> None:
    other = await room.someone(NEW_NUMBER, "other_one")
    await known(room, other)
    account = await room.someone()
    await known(room, account, LI, FACE)
    await room.real_names.exchange(await room.granted_visit(account, Operation.EXCHANGE), None, form())
    visit, flow = await room.proved(await room.enter(account), Operation.BANK_CARD)
    await room.bank_cards.prove(visit, flow, factors())
    bound = await room.bound(account)
    assert bound is not None
    assert (bound.person, bound.evidence) == (ZHANG, BANK)
    assert (NUMBER, "identity_exchanged") in await room.told()


@pytest.mark.attack("R4")
async def test_without_the_proof_nobody_is_asked(room: Study) -> None:
    visit = await room.enter(await room.someone())
    form = replace(factors(), change=replace(factors().change, code="123456"))
    with pytest.raises(NotDue):
        await room.bank_cards.prove(visit, None, form)
    with pytest.raises(NotDue):
        await room.bank_cards.send_code(
            visit, None, replace(factors(), change=await room.with_captcha(factors().change, visit))
        )
    assert room.bank.asked == []


@pytest.mark.req("REG-5")
@pytest.mark.attack("O2")
async def test_an_account_without_phone_and_identity_is_told_of_nobody(room: Study) -> None:
    account = await room.someone_by_face()
    await room.sql.identities.unbind(account, room.clock.now())
    visit = await room.granted_visit(account, Operation.BANK_CARD)
    asked = replace(factors(), change=await room.with_captcha(factors().change, visit))
    with pytest.raises(PhoneRequired):
        await room.bank_cards.send_code(visit, None, asked)
    with pytest.raises(PhoneRequired):
        await room.bank_cards.prove(visit, None, factors(code="123456"))
    assert (room.register.asked, room.bank.asked) == ([], [])


async def test_an_account_asks_the_bank_three_times_a_day(room: Study) -> None:
    visit, flow = await room.proved(await room.enter(await room.someone()), Operation.BANK_CARD)
    room.bank.answer = Finding(RegisterAnswer.MISMATCH, None, "B1")
    for number in range(3):
        with pytest.raises(IdentityMismatch):
            await room.bank_cards.prove(visit, flow, factors(card=luhn(f"99990100000000000{number}")))
    with pytest.raises(RateLimited):
        await room.bank_cards.prove(visit, flow, factors(card=luhn("999901000000000009")))
    assert len(room.bank.asked) == 3
    assert len(room.register.asked) == 1


@pytest.mark.parametrize("fails", ["checks.answered", "identities.prove", "proofs.take"])
async def test_a_retry_after_a_failure_is_charged_once(room: Study, fails: str) -> None:
    account = await room.someone()
    visit, flow = await room.proved(await room.enter(account), Operation.BANK_CARD)
    room.meddler.breaks(fails)
    with pytest.raises(StoreUnavailable):
        await room.bank_cards.prove(visit, flow, factors())
    room.meddler.mends()
    await room.proofs.grant(visit.holder, account, Operation.BANK_CARD, Means.SMS, 0)
    await room.bank_cards.prove(visit, flow, factors())
    assert len(set(room.bank.references)) == 1
    assert len(set(room.register.references)) == 1
    assert await room.bound(account) is not None


async def test_a_bank_that_is_down_costs_nothing_and_is_asked_the_same_again(room: Study) -> None:
    account = await room.someone()
    visit, flow = await room.proved(await room.enter(account), Operation.BANK_CARD)
    room.bank.down = True
    for _ in range(4):
        with pytest.raises(VendorUnavailable):
            await room.bank_cards.prove(visit, flow, factors())
    room.bank.down = False
    await room.bank_cards.prove(visit, flow, factors())
    assert len(set(room.bank.references)) == 1
    assert await room.bound(account) is not None


async def test_posts_at_once_bind_once_under_one_reference(room: Study) -> None:
    account = await room.someone()
    visit, flow = await room.proved(await room.enter(account), Operation.BANK_CARD)
    posts = (room.bank_cards.prove(visit, flow, factors()) for _ in range(6))
    results = await asyncio.gather(*posts, return_exceptions=True)
    assert sum(isinstance(result, str) for result in results) >= 1
    assert all(isinstance(result, str | NotDue) for result in results)
    assert len(set(room.bank.references)) == 1
    assert room.events().count("identity.proved") == 1


@pytest.mark.req("RNV-7")
@pytest.mark.attack("Q21")
@pytest.mark.parametrize(("held_by", "status", "by"), [(NAME, "locked", ()), (FACE, "active", (FACE,))])
async def test_nobody_pays_a_bank_for_an_identity_that_no_card_brings(
    room: Study, held_by: Evidence, status: str, by: tuple[Evidence, ...]
) -> None:
    other, account = await room.someone(NEW_NUMBER, "other_one"), await room.someone()
    await known(room, other, evidence=held_by)
    room.rows("UPDATE account SET status = ? WHERE id = ?", status, other)
    visit, flow = await room.proved(await room.enter(account), Operation.BANK_CARD)
    await room.bank_cards.prove(visit, flow, factors())
    done = await room.changes.look(visit, Operation.BANK_CARD, flow)
    assert done.draft is not None
    assert (done.step, done.draft.facts.held_by) == (Step.DONE, by)
    assert room.bank.asked == []
    claim = await room.claims.find(account)
    assert claim is not None
    assert (claim.person, claim.new.evidence) == (ZHANG, NAME)
    assert await room.bound(other) is not None


@pytest.mark.req("RNV-7")
async def test_an_identity_that_moved_a_moment_ago_costs_neither_bank_nor_proof(room: Study) -> None:
    first, holder = await room.someone(NEW_NUMBER, "other_one"), await room.someone(THIRD_NUMBER, "other_two")
    await known(room, first)
    await known(room, holder, evidence=BANK)
    visit, flow = await room.proved(await room.enter(await room.someone()), Operation.BANK_CARD)
    with pytest.raises(RateLimited):
        await room.bank_cards.prove(visit, flow, factors())
    assert room.bank.asked == []
    assert (await room.changes.look(visit, Operation.BANK_CARD, flow)).step is Step.CHANGE


@pytest.mark.req("RNV-6")
@pytest.mark.attack("B2")
async def test_an_identity_that_is_given_up_elsewhere_while_the_bank_is_asked_does_not_come_back(room: Study) -> None:
    account = await room.someone()
    await known(room, account)
    visit, flow = await room.proved(await room.enter(account), Operation.BANK_CARD)
    room.meddler.before_next("identities.prove", lambda: room.sql.identities.unbind(account, room.clock.now()))
    with pytest.raises(NotDue) as elsewhere:
        await room.bank_cards.prove(visit, flow, factors())
    assert elsewhere.value.step is Step.VERIFY
    assert await room.bound(account) is None
    assert len(room.bank.asked) == 1


@pytest.mark.attack("B7")
async def test_no_table_holds_a_card_a_document_or_a_reserved_number(room: Study) -> None:
    account = await room.someone()
    visit = await room.granted_visit(account, Operation.BANK_CARD)
    flow, typed = await coded(room, visit, factors(phone=NEW_NUMBER))
    await room.bank_cards.prove(visit, flow, typed)
    content = room.file.read_bytes() + room.file.with_name(room.file.name + "-wal").read_bytes()
    for value in (CARD, CARD[:-4], ZHANG.number, ZHANG.name, NEW_NUMBER):
        assert value.encode() not in content
