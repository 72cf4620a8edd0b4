"""A face for a ticket: whose it has to be, what the platform says of it, and what is counted (RNV-3)."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from bjidp.accounts.ports import Evidence
from bjidp.clock import DAY, SECOND, ManualClock
from bjidp.entropy import SeededEntropy
from bjidp.errors import AccountRefused, BjidpError, RateLimited, StoreUnavailable, TokenInvalid, VendorUnavailable
from bjidp.miniprogram.errors import DocumentUnsupported, FaceFailed
from bjidp.miniprogram.limits import MiniProgramWindows
from bjidp.miniprogram.ticket_check import Waiting
from bjidp.person import DocumentType, Person
from bjidp.platforms import Platform, PlatformIdentity
from bjidp.proofing.ports import NewIdentity
from bjidp.qrlogin import machine
from bjidp.qrlogin.errors import ConfirmRefused, TicketClosed, TicketExpired, TicketUnknown
from bjidp.qrlogin.flow import Flow
from bjidp.qrlogin.phones import Phone
from bjidp.qrlogin.ticket import Approved, Pending, Scanned, Verifying
from bjidp.qrlogin.wire import ScanAnswer
from bjidp.throttle.ports import Window
from bjidp.vendors.ports.platforms import FaceVerdict
from tests.support.identities import prove
from tests.support.phones import ZHANG, PhoneWorld
from tests.unit.miniprogram.gate import Gate
from tests.unit.qrlogin.desk import a_phone

pytestmark = pytest.mark.req("RNV-3")

PERSON = Person(DocumentType.RESIDENT_ID, "张三", ZHANG)


@pytest.fixture
async def gate(world: PhoneWorld, clock: ManualClock, entropy: SeededEntropy) -> Gate:
    """A computer that asks for a face."""
    return Gate(world, clock, entropy)


@pytest.fixture
async def phone(gate: Gate) -> Phone:
    """Zhang's phone."""
    return await gate.opens()


async def refused(act: Any) -> BjidpError:  # noqa: ANN401 - any call of the service
    with pytest.raises(BjidpError) as caught:
        await act
    return caught.value


async def reason(act: Any) -> str:  # noqa: ANN401
    error = await refused(act)
    assert isinstance(error, FaceFailed)
    return str(error.details["reason"])


# ------------------------------------------------------------------------------------------------------- the right way


@pytest.mark.attack("B1", "B4")
@pytest.mark.parametrize("platform", Platform)
async def test_the_platform_is_asked_about_the_accounts_own_identity_and_its_yes_confirms(
    gate: Gate, platform: Platform
) -> None:
    phone = await gate.opens(platform=platform)
    watch = await gate.page()
    scanned = await gate.scans(phone, watch)
    verification = await gate.shows(phone, scanned)
    fake = gate.world.platforms[platform]
    request = fake.started[verification]
    assert (request.person, request.identity) == (PERSON, PlatformIdentity(platform, fake.app_id, "zhang"))
    assert (await gate.confirms(phone, scanned)).status == "approved"
    assert gate.asked(platform) == [verification]
    state = await gate.desk.state(watch)
    assert isinstance(state, Approved)
    assert state.evidence == request.reference, "what was proved is known by our own reference of it"


async def test_the_answer_has_what_the_platforms_client_needs_under_our_name_for_it(gate: Gate, phone: Phone) -> None:
    scanned = await gate.scans(phone)
    started = await gate.faces.start(phone, scanned.ticket, scanned.confirm_token)
    assert started.face == {"certify_url": "x", "verification": f"wechat-{len(gate.world.wechat.started) - 1}"}


@pytest.mark.attack("B1")
@pytest.mark.parametrize(("outcome", "why"), [(FaceVerdict.FAILED, "failed"), (FaceVerdict.CANCELLED, "cancelled")])
async def test_every_other_verdict_is_a_no_that_stays_until_another_check_is_started(
    gate: Gate, phone: Phone, outcome: FaceVerdict, why: str
) -> None:
    scanned = await gate.scans(phone)
    verification = await gate.shows(phone, scanned, outcome)
    for _ in range(2):
        assert await reason(gate.confirms(phone, scanned)) == why
    assert gate.asked() == [verification], "it is not asked twice"
    await gate.shows(phone, scanned)
    assert (await gate.confirms(phone, scanned)).status == "approved"


@pytest.mark.attack("B1")
async def test_before_a_verdict_nothing_is_confirmed_and_nothing_is_lost(gate: Gate, phone: Phone) -> None:
    scanned = await gate.scans(phone)
    assert (await refused(gate.confirms(phone, scanned))).code == "face_pending"
    assert gate.asked() == [], "nothing was started"
    verification = await gate.starts(phone, scanned)
    for _ in range(3):
        assert (await refused(gate.confirms(phone, scanned))).code == "face_pending"
    gate.world.face(verification)
    assert (await gate.confirms(phone, scanned)).status == "approved"


async def test_a_confirm_that_is_repeated_is_given_the_first_answer_and_the_platform_is_not_asked(
    gate: Gate, phone: Phone
) -> None:
    scanned = await gate.scans(phone)
    await gate.shows(phone, scanned)
    await gate.confirms(phone, scanned)
    again = await refused(gate.confirms(phone, scanned))
    assert isinstance(again, TicketClosed)
    assert again.status == "approved"
    assert len(gate.asked()) == 1


async def test_of_eight_confirms_at_once_one_approves_and_the_others_hear_of_it(gate: Gate, phone: Phone) -> None:
    scanned = await gate.scans(phone)
    await gate.shows(phone, scanned)
    answers = await asyncio.gather(*(gate.confirms(phone, scanned) for _ in range(8)), return_exceptions=True)
    won = [answer for answer in answers if not isinstance(answer, BaseException)]
    lost = [answer for answer in answers if isinstance(answer, BaseException)]
    assert len(won) == 1
    assert all(isinstance(error, TicketClosed) and error.status == "approved" for error in lost)


# -------------------------------------------------------------------------------------------- who may, and for which


@pytest.mark.attack("Q18")
async def test_a_ticket_without_the_step_is_unknown_here(gate: Gate, phone: Phone) -> None:
    scanned = await gate.scans(phone, await gate.desk.page())
    for ticket in (scanned.ticket, "A" * 22, "nonsense"):
        with pytest.raises(TicketUnknown):
            await gate.faces.start(phone, ticket, scanned.confirm_token)
    assert len(gate.world.wechat.started) == 1, "that of the registration"
    assert (await gate.confirms(phone, scanned)).status == "approved", "it needs none"


@pytest.mark.attack("Q12", "B5")
async def test_the_step_belongs_to_whoever_scanned_last(gate: Gate, phone: Phone) -> None:
    watch = await gate.page()
    scanned = await gate.scans(phone, watch)
    another = a_phone(msgspec.structs.replace(phone.holder, account="another"))
    elsewhere = a_phone(msgspec.structs.replace(phone.holder, link="another"))
    for caller, token in ((another, scanned.confirm_token), (elsewhere, scanned.confirm_token), (phone, "x" * 43)):
        with pytest.raises(ConfirmRefused):
            await gate.faces.start(caller, scanned.ticket, token)
    await gate.scans(phone, watch)
    with pytest.raises(ConfirmRefused):
        await gate.faces.start(phone, scanned.ticket, scanned.confirm_token)
    assert len(gate.world.wechat.started) == 1


@pytest.mark.attack("Q15")
async def test_neither_a_start_nor_a_confirm_prolongs_the_time_to_confirm(gate: Gate, phone: Phone) -> None:
    scanned = await gate.scans(phone)
    gate.clock.advance(170)
    await gate.shows(phone, scanned)
    gate.clock.advance(10)
    for act in (gate.confirms, gate.starts):
        with pytest.raises(TicketExpired):
            await act(phone, scanned)
    assert gate.asked() == []


@pytest.mark.attack("Q21")
async def test_a_locked_account_starts_and_confirms_nothing(gate: Gate, phone: Phone) -> None:
    scanned = await gate.scans(phone)
    await gate.shows(phone, scanned)
    locked = msgspec.structs.replace(phone, refusal="locked")
    for act in (gate.starts, gate.confirms):
        error = await refused(act(locked, scanned))
        assert isinstance(error, AccountRefused)
        assert error.reason == "locked"
    assert gate.asked() == []


async def test_a_link_that_is_gone_meanwhile_shows_no_face(gate: Gate, phone: Phone) -> None:
    scanned = await gate.scans(phone)
    gate.world.sql("DELETE FROM mini_session")
    gate.world.sql("DELETE FROM platform_link")
    with pytest.raises(TokenInvalid):
        await gate.starts(phone, scanned)


async def test_a_document_that_the_platform_does_not_know_names_those_that_do(gate: Gate, phone: Phone) -> None:
    person = Person(DocumentType.PERMANENT_RESIDENT, "HARRIS JOHN", "USA110085071310")
    gate.told.bound = msgspec.structs.replace(await gate.bound(), person=person)
    scanned = await gate.scans(phone)
    error = await refused(gate.starts(phone, scanned))
    assert isinstance(error, DocumentUnsupported)
    assert error.details["platforms"] == (Platform.BAIDU,)


@pytest.mark.attack("M4")
@pytest.mark.parametrize("app", [True, False], ids=["another app", "no such platform"])
async def test_a_phone_in_an_app_that_is_served_no_more_logs_in_anew(gate: Gate, phone: Phone, *, app: bool) -> None:
    scanned = await gate.scans(phone)
    await gate.shows(phone, scanned)
    gate.world.serves_no_more(Platform.WECHAT, app=app)
    for act in (gate.starts, gate.confirms):
        with pytest.raises(TokenInvalid):
            await act(phone, scanned)
    assert (len(gate.world.wechat.started), gate.asked()) == (2, []), "that of the registration, and the first"


# ------------------------------------------------------------------------------- what a verdict counts for (B2, B4)


async def _elsewhere(gate: Gate, open_id: str = "zhang", app: str | None = None) -> None:
    gate.told.identity = PlatformIdentity(Platform.WECHAT, app or gate.world.wechat.app_id, open_id)


async def _another_person(gate: Gate, person: Person) -> None:
    gate.told.bound = msgspec.structs.replace(await gate.bound(), person=person)


OTHERS: dict[str, Any] = {
    "another openid": lambda gate: _elsewhere(gate, "somebody"),
    "another app": lambda gate: _elsewhere(gate, app="another-app"),
    "another document": lambda gate: _another_person(gate, Person(DocumentType.HK_PERMIT, PERSON.name, PERSON.number)),
    "another name": lambda gate: _another_person(gate, Person(PERSON.document_type, "李四", PERSON.number)),
    "another number": lambda gate: _another_person(gate, Person(PERSON.document_type, PERSON.name, "1")),
}


@pytest.mark.attack("B2")
@pytest.mark.parametrize("change", OTHERS)
async def test_a_pass_counts_for_the_very_facts_its_check_was_started_for(
    gate: Gate, phone: Phone, change: str
) -> None:
    scanned = await gate.scans(phone)
    verification = await gate.shows(phone, scanned)
    await OTHERS[change](gate)
    assert await reason(gate.confirms(phone, scanned)) == "failed"
    assert gate.asked() == [], "the platform is not even asked"
    gate.told.identity = gate.told.bound = None
    assert (await gate.confirms(phone, scanned)).status == "approved"
    assert gate.asked() == [verification]


@pytest.mark.attack("B2")
@pytest.mark.parametrize("change", OTHERS)
async def test_it_does_so_after_the_verdict_was_taken_too(gate: Gate, phone: Phone, change: str) -> None:
    scanned = await gate.scans(phone)
    await gate.shows(phone, scanned)
    gate.meddler.breaks("tickets.replace")
    with pytest.raises(StoreUnavailable):
        await gate.confirms(phone, scanned)
    gate.meddler.mends()
    await OTHERS[change](gate)
    assert await reason(gate.confirms(phone, scanned)) == "failed"


async def ascribed(gate: Gate, scanned: ScanAnswer, reference: str) -> None:
    """Have a ticket believe that a check of this reference is its own."""
    await gate.desk.changes.on_ticket(scanned.ticket, lambda ticket, now: machine.start_face(ticket, reference, now))


@pytest.mark.attack("B2")
async def test_a_pass_counts_for_its_own_ticket(gate: Gate, phone: Phone) -> None:
    first, other = await gate.page(), await gate.page()
    scanned, beside = await gate.scans(phone, first), await gate.scans(phone, other)
    await gate.shows(phone, scanned)
    state = await gate.desk.state(first)
    assert isinstance(state, Verifying)
    await ascribed(gate, beside, state.reference)
    assert await reason(gate.confirms(phone, beside)) == "failed"
    assert gate.asked() == []
    assert (await gate.confirms(phone, scanned)).status == "approved"


@pytest.mark.attack("B2", "B5")
async def test_a_ticket_of_another_account_asks_for_no_face_of_this_one(gate: Gate, phone: Phone) -> None:
    watch = await gate.page()
    scanned = await gate.scans(phone, watch)

    def anothers(flow: Flow) -> Flow:
        errand = flow.about.errand
        assert errand is not None
        about = msgspec.structs.replace(flow.about, errand=msgspec.structs.replace(errand, account="another"))
        return msgspec.structs.replace(flow, about=about)

    await gate.shows(phone, scanned)
    await gate.desk.changes.on_flow(watch.flow, lambda held: anothers(held.value))
    for act in (gate.starts, gate.confirms):
        error = await refused(act(phone, scanned))
        assert isinstance(error, AccountRefused)
        assert error.reason == "other_account"
    assert gate.asked() == []


@pytest.mark.attack("B2", "B4")
async def test_an_identity_that_was_proved_anew_or_exchanged_meanwhile_is_not_the_one_that_was_asked_about(
    gate: Gate, phone: Phone
) -> None:
    before, after = await gate.scans(phone), await gate.scans(phone)
    await gate.shows(phone, after)
    again = NewIdentity(
        person=PERSON, evidence=Evidence.NAME_AND_NUMBER, evidence_reference="E2", authority_reference="A2"
    )
    await prove(gate.world.stores.identities, gate.account, again, gate.clock.now())
    for act, scanned in ((gate.starts, before), (gate.confirms, after)):
        error = await refused(act(phone, scanned))
        assert isinstance(error, AccountRefused)
        assert error.reason == "level"
    await gate.world.stores.identities.unbind(gate.account, gate.clock.now())
    assert isinstance(await refused(gate.starts(phone, before)), TokenInvalid), "the link went with it"
    assert gate.asked() == []


@pytest.mark.attack("B2")
async def test_a_pass_that_the_account_showed_on_one_platform_confirms_on_no_other(gate: Gate, phone: Phone) -> None:
    """The same person, another of their phones: what the first one showed stays the first one's."""
    await gate.world.registered("zhang", platform=Platform.BAIDU)
    other = await gate.phone("zhang", Platform.BAIDU)
    assert other.holder.account == phone.holder.account
    watch = await gate.page()
    scanned = await gate.scans(phone, watch)
    await gate.shows(phone, scanned)
    state = await gate.desk.state(watch)
    assert isinstance(state, Verifying)
    await gate.desk.face_steps.passed(phone, scanned.ticket, scanned.confirm_token, state.reference)
    taken = await gate.scans(other, watch)
    assert await reason(gate.confirms(other, taken)) == "too_old"
    await gate.shows(other, taken)
    assert (await gate.confirms(other, taken)).status == "approved"


async def test_a_later_check_takes_the_place_of_an_earlier_one(gate: Gate, phone: Phone) -> None:
    scanned = await gate.scans(phone)
    first, second = await gate.starts(phone, scanned), await gate.starts(phone, scanned)
    gate.world.face(first)
    assert (await refused(gate.confirms(phone, scanned))).code == "face_pending"
    gate.world.face(second)
    assert (await gate.confirms(phone, scanned)).status == "approved"
    assert gate.asked() == [second, second]


async def test_a_check_for_another_page_ends_the_one_before(gate: Gate, phone: Phone) -> None:
    scanned, other = await gate.scans(phone), await gate.scans(phone)
    first = await gate.starts(phone, scanned)
    await gate.shows(phone, other)
    gate.world.face(first)
    assert await reason(gate.confirms(phone, scanned)) == "too_old"
    assert (await gate.confirms(phone, other)).status == "approved"


# ------------------------------------------------------------------------------------------- how long it counts (B3)


@pytest.mark.attack("B3")
async def test_a_verdict_counts_for_two_minutes_from_the_last_moment_without_one(gate: Gate, phone: Phone) -> None:
    scanned = await gate.scans(phone)
    await gate.shows(phone, scanned)
    gate.clock.advance(120)
    assert (await gate.confirms(phone, scanned)).status == "approved"
    scanned = await gate.scans(phone)
    await gate.shows(phone, scanned)
    gate.clock.advance(120.001)
    for _ in range(2):
        assert await reason(gate.confirms(phone, scanned)) == "too_old"
    assert len(gate.asked()) == 2


@pytest.mark.attack("B3")
async def test_the_last_not_yet_counts_anew(gate: Gate, phone: Phone) -> None:
    scanned = await gate.scans(phone)
    verification = await gate.starts(phone, scanned)
    gate.clock.advance(50)
    assert (await refused(gate.confirms(phone, scanned))).code == "face_pending"
    gate.world.face(verification)
    gate.clock.advance(120)
    assert (await gate.confirms(phone, scanned)).status == "approved"


@pytest.mark.attack("B3")
async def test_an_answer_that_takes_its_time_is_as_old_as_when_it_came(
    gate: Gate, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanned = await gate.scans(phone)
    await gate.shows(phone, scanned)
    gate.clock.advance(110)
    asking = gate.world.wechat.verdict

    async def slowly(*question: Any) -> FaceVerdict:  # noqa: ANN401 - the arguments of the port
        answer = await asking(*question)
        gate.clock.advance(10.001)
        return answer

    monkeypatch.setattr(gate.world.wechat, "verdict", slowly)
    assert await reason(gate.confirms(phone, scanned)) == "too_old"


@pytest.mark.attack("B3")
async def test_a_verdict_that_was_taken_waits_a_minute_for_a_store(gate: Gate, phone: Phone) -> None:
    for seconds, outcome in ((59, "approved"), (60.001, "too_old")):
        scanned = await gate.scans(phone)
        await gate.shows(phone, scanned)
        gate.clock.advance(110)
        gate.meddler.breaks("tickets.replace")
        with pytest.raises(StoreUnavailable):
            await gate.confirms(phone, scanned)
        gate.meddler.mends()
        gate.clock.advance(seconds)
        if outcome == "approved":
            assert (await gate.confirms(phone, scanned)).status == "approved"
        else:
            assert await reason(gate.confirms(phone, scanned)) == "too_old"


@pytest.mark.attack("B3")
async def test_a_pass_is_used_once_even_if_its_ticket_forgets_that_it_was(gate: Gate, phone: Phone) -> None:
    """A store of tickets that comes back as it was some seconds ago confirms nothing anew."""
    watch = await gate.page()
    scanned = await gate.scans(phone, watch)
    await gate.shows(phone, scanned)
    before = await gate.desk.flow(watch)
    await gate.confirms(phone, scanned)
    await gate.desk.changes.on_flow(watch.flow, lambda _: before)
    assert isinstance(await gate.desk.state(watch), Verifying)
    assert await reason(gate.confirms(phone, scanned)) == "too_old"
    assert len(gate.asked()) == 1


# ------------------------------------------------------------------------------------------------ crashes and outages


@pytest.mark.parametrize("call", ["ticket_checks.get", "ticket_checks.replace", "tickets.find", "tickets.replace"])
async def test_the_same_confirm_goes_on_after_a_store_was_away(gate: Gate, phone: Phone, call: str) -> None:
    scanned = await gate.scans(phone)
    await gate.shows(phone, scanned)
    gate.meddler.breaks(call)
    with pytest.raises(StoreUnavailable):
        await gate.confirms(phone, scanned)
    gate.meddler.mends()
    assert (await gate.confirms(phone, scanned)).status == "approved"


async def test_a_verdict_that_was_taken_is_not_asked_for_again(gate: Gate, phone: Phone) -> None:
    scanned = await gate.scans(phone)
    await gate.shows(phone, scanned)
    gate.meddler.breaks("tickets.replace")
    with pytest.raises(StoreUnavailable):
        await gate.confirms(phone, scanned)
    gate.meddler.mends()
    gate.world.wechat.down = True
    assert (await gate.confirms(phone, scanned)).status == "approved"
    assert len(gate.asked()) == 1


async def test_a_ticket_that_knows_of_its_pass_needs_nobody_any_more(gate: Gate, phone: Phone) -> None:
    watch = await gate.page()
    scanned = await gate.scans(phone, watch)
    await gate.shows(phone, scanned)
    state = await gate.desk.state(watch)
    assert isinstance(state, Verifying)
    await gate.desk.face_steps.passed(phone, scanned.ticket, scanned.confirm_token, state.reference)
    gate.world.wechat.down = True
    gate.meddler.breaks("ticket_checks")
    assert (await gate.confirms(phone, scanned)).status == "approved"


async def test_a_platform_that_is_away_costs_nothing(gate: Gate, phone: Phone) -> None:
    watch = await gate.page()
    scanned = await gate.scans(phone, watch)
    gate.world.wechat.down = True
    for _ in range(5):
        assert isinstance(await refused(gate.starts(phone, scanned)), VendorUnavailable)
    assert isinstance(await gate.desk.state(watch), Scanned)
    gate.world.wechat.down = False
    await gate.shows(phone, scanned)
    gate.world.wechat.down = True
    for _ in range(5):
        assert isinstance(await refused(gate.confirms(phone, scanned)), VendorUnavailable)
    gate.world.wechat.down = False
    assert (await gate.confirms(phone, scanned)).status == "approved"


async def test_a_store_that_is_away_at_the_last_step_of_a_start_leaves_the_ticket_to_be_started_anew(
    gate: Gate, phone: Phone
) -> None:
    watch = await gate.page()
    scanned = await gate.scans(phone, watch)
    gate.meddler.breaks("tickets.replace")
    with pytest.raises(StoreUnavailable):
        await gate.starts(phone, scanned)
    gate.meddler.mends()
    assert isinstance(await gate.desk.state(watch), Scanned)
    assert (await refused(gate.confirms(phone, scanned))).code == "face_pending"
    await gate.shows(phone, scanned)
    assert (await gate.confirms(phone, scanned)).status == "approved"


# ---------------------------------------------------------------------------------------------------- what is counted


async def test_a_platform_identity_starts_three_checks_a_day(gate: Gate, phone: Phone) -> None:
    scanned = await gate.scans(phone)
    for _ in range(2):  # besides that of the registration
        await gate.starts(phone, scanned)
    assert isinstance(await refused(gate.starts(phone, scanned)), RateLimited)
    gate.clock.advance(DAY / SECOND)
    await gate.starts(phone, await gate.scans(phone))


@pytest.mark.attack("O4")
async def test_of_starts_at_once_no_more_are_let_through(gate: Gate, phone: Phone) -> None:
    scanned = await gate.scans(phone)
    started = await asyncio.gather(*(gate.starts(phone, scanned) for _ in range(6)), return_exceptions=True)
    assert sum(isinstance(one, str) for one in started) == 2
    assert sum(isinstance(one, RateLimited) for one in started) == 4


@pytest.mark.attack("O4")
async def test_what_an_outage_was_counted_for_makes_one_start_free(gate: Gate, phone: Phone) -> None:
    scanned = await gate.scans(phone)
    gate.world.wechat.down = True
    assert isinstance(await refused(gate.starts(phone, scanned)), VendorUnavailable)
    gate.world.wechat.down = False
    started = await asyncio.gather(*(gate.starts(phone, scanned) for _ in range(6)), return_exceptions=True)
    assert sum(isinstance(one, str) for one in started) == 2, "the one that was counted, and one more"


async def test_the_budget_of_all_is_kept_and_what_it_refuses_is_not_counted(
    world: PhoneWorld, clock: ManualClock, entropy: SeededEntropy
) -> None:
    narrow = MiniProgramWindows(face_of_all=Window(1, DAY))
    gate = Gate(
        PhoneWorld(stores=world.stores, file=world.file, clock=clock, entropy=entropy, windows=narrow), clock, entropy
    )
    phone = await gate.opens()
    scanned = await gate.scans(phone)
    for _ in range(4):
        assert isinstance(await refused(gate.starts(phone, scanned)), RateLimited)
    gate.clock.advance(DAY / SECOND)
    scanned = await gate.scans(phone)
    await gate.starts(phone, scanned)


async def test_the_own_document_is_not_counted(gate: Gate, phone: Phone) -> None:
    key = gate.world.limits.document(PERSON)
    before = await gate.world.throttle.peek(key, MiniProgramWindows().face_of_document)
    await gate.starts(phone, await gate.scans(phone))
    assert await gate.world.throttle.peek(key, MiniProgramWindows().face_of_document) == before


# ------------------------------------------------------------------------------------------------ what is written down


@pytest.mark.attack("B7", "Q24")
async def test_what_waits_is_sealed_and_its_key_names_nobody(gate: Gate, phone: Phone) -> None:
    scanned = await gate.scans(phone)
    await gate.shows(phone, scanned)
    key = gate.faces._key(phone)
    held = await gate.records.get(key)
    assert held is not None
    assert isinstance(held.value.state, Waiting)
    kept = key.encode() + held.value.state.facts
    for personal in (PERSON.name, PERSON.number, "zhang", phone.holder.link, phone.holder.account):
        assert personal.encode() not in kept


async def test_a_page_that_nobody_scanned_has_no_holder_to_show_a_face(gate: Gate, phone: Phone) -> None:
    watch = await gate.page()
    ticket = await gate.desk.ticket(watch)
    with pytest.raises(ConfirmRefused):
        await gate.faces.start(phone, ticket.id, "x" * 43)
    assert isinstance(ticket.state, Pending)
