"""验证身份: who gets a proof, what it serves for, and what is left when something fails in between.

Every test runs on SQLite with what is short-lived in memory, and again with that and the sessions in Redis.
"""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from bjidp.accounts.settings.changes import IdentityProved, NotDue
from bjidp.accounts.settings.flow import Step, Typed
from bjidp.accounts.verifying import Visit
from bjidp.clock import SECOND
from bjidp.errors import AccountRefused, InvalidRequest, RateLimited, StoreUnavailable
from bjidp.sessions.ports import SessionEnd
from bjidp.verification.code import Binding, Purpose, by_sms
from bjidp.verification.errors import (
    CaptchaWrong,
    SmsHourly,
    VerificationCodeExpired,
    VerificationCodeWrong,
    VerificationRequired,
)
from bjidp.verification.number import MobileNumber
from bjidp.verification.proofs import LIFETIME, Means, Operation
from tests.support.twice import posted_twice
from tests.unit.accounts.registration.room import SHOWN
from tests.unit.accounts.settings.room import NEW_PASSWORD, NEW_PASSWORDS, NUMBER, PASSWORD, Room

HERE = Operation.PASSWORD


async def step(room: Room, visit: Visit, operation: Operation, flow: str | None) -> Step:
    """Return the step that is due."""
    return (await room.changes.look(visit, operation, flow)).step


@pytest.mark.req("ACC-8")
@pytest.mark.attack("T1")
async def test_a_code_to_the_own_phone_proves_the_owner_and_renews_the_session(room: Room) -> None:
    visit = await room.enter(await room.someone())
    assert await step(room, visit, HERE, None) is Step.VERIFY
    flow, code = await room.asked(visit, HERE)
    assert room.postman.sent[-1].to == NUMBER
    assert room.postman.sent[-1].text.startswith("verify:")
    done = await room.changes.prove_identity(visit, HERE, flow, Typed(code=code))
    assert done.flow == flow
    assert done.cookie not in {None, visit.cookie}
    assert await room.sessions.find(visit.cookie) is None, "the old cookie is dead"
    assert (await room.session(done.cookie or "")).id == visit.session.id
    assert await step(room, visit, HERE, flow) is Step.CHANGE


@pytest.mark.req("ACC-8")
async def test_a_code_that_is_asked_for_is_remembered_with_its_change(room: Room) -> None:
    visit = await room.enter(await room.someone())
    flow, _ = await room.asked(visit, HERE)
    facts = (await room.drafts.read(visit.holder, flow)).facts
    assert facts.identity_code is not None
    assert facts.identity_code.again_at == room.clock.now() + 60 * SECOND
    assert facts.identity_code.dispatch


@pytest.mark.req("ACC-8")
@pytest.mark.parametrize("other", [operation for operation in Operation if operation is not HERE])
async def test_a_proof_serves_its_own_operation_alone(room: Room, other: Operation) -> None:
    visit, _ = await room.proved(await room.enter(await room.someone()), HERE)
    flow = await room.changes.agree(visit, other)
    assert await step(room, visit, other, flow) is Step.VERIFY
    with pytest.raises(NotDue):
        await room.changes.due(visit, other, flow)


@pytest.mark.req("ACC-8")
@pytest.mark.attack("R4")
async def test_a_proof_of_another_session_of_the_same_account_proves_nothing_here(room: Room) -> None:
    account = await room.someone()
    _, flow = await room.proved(await room.enter(account), HERE)
    elsewhere = await room.enter(account)
    for known in (flow, None):
        with pytest.raises(NotDue) as refused:
            await room.passwords.change(elsewhere, known, NEW_PASSWORDS)
        assert refused.value.step is Step.VERIFY


@pytest.mark.req("ACC-8")
async def test_a_proof_is_over_after_five_minutes(room: Room) -> None:
    visit, flow = await room.proved(await room.enter(await room.someone()), HERE)
    room.clock.advance(LIFETIME / SECOND - 1)
    assert await step(room, visit, HERE, flow) is Step.CHANGE
    room.clock.advance(1)
    assert await step(room, visit, HERE, flow) is Step.VERIFY
    with pytest.raises(NotDue):
        await room.passwords.change(visit, flow, NEW_PASSWORDS)
    facts = (await room.drafts.read(visit.holder, flow)).facts
    assert facts.identity_proved, "the page can say that it was proved once, and is so no more"


@pytest.mark.req("ACC-8")
@pytest.mark.attack("R4")
async def test_of_twenty_posts_at_once_one_consumes_the_proof(room: Room) -> None:
    """Twenty forms of twenty changes, so that the proof alone decides."""
    account = await room.someone(password=None)
    visit, _ = await room.proved(await room.enter(account), HERE)
    flows = [await room.changes.agree(visit, HERE) for _ in range(20)]
    typed = replace(NEW_PASSWORDS, old="")
    results = await asyncio.gather(
        *(room.passwords.change(visit, flow, typed) for flow in flows), return_exceptions=True
    )
    assert [result for result in results if isinstance(result, str)] == [
        flow for flow, result in zip(flows, results, strict=True) if isinstance(result, str)
    ]
    assert sum(isinstance(result, str) for result in results) == 1
    refused = [result for result in results if not isinstance(result, str)]
    assert {type(result) for result in refused} == {NotDue}
    assert room.events().count("password.changed") == 1


@pytest.mark.attack("O10")
@pytest.mark.parametrize("foreign", ["purpose", "operation", "session"])
async def test_a_code_of_another_purpose_operation_or_session_is_no_code_here(
    room: Room, foreign: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bjidp.accounts.once.PAUSE", 0)
    account = await room.someone()
    visit, elsewhere = await room.enter(account), await room.enter(account)
    number = by_sms(MobileNumber(NUMBER))
    bindings = {
        "purpose": [Binding(kind, number, f"{visit.holder} {HERE}") for kind in Purpose if kind != Purpose.VERIFY],
        "operation": [Binding(Purpose.VERIFY, number, f"{visit.holder} {kind}") for kind in Operation if kind != HERE],
        "session": [Binding(Purpose.VERIFY, number, f"{elsewhere.holder} {HERE}")],
    }
    for binding in bindings[foreign]:
        code = await room.codes.issue(binding)
        with pytest.raises(VerificationCodeExpired):
            await room.changes.prove_identity(visit, HERE, None, Typed(code=code.text()))
    own = await room.codes.issue(Binding(Purpose.VERIFY, number, f"{visit.holder} {HERE}"))
    assert (await room.changes.prove_identity(visit, HERE, None, Typed(code=own.text()))).cookie is not None


@pytest.mark.attack("O1")
async def test_the_fifth_wrong_code_kills_the_right_one(room: Room) -> None:
    visit = await room.enter(await room.someone())
    flow, code = await room.asked(visit, HERE)
    wrong = Typed(code=f"{(int(code) + 1) % 1_000_000:06d}")
    for _ in range(5):
        with pytest.raises(VerificationCodeWrong):
            await room.changes.prove_identity(visit, HERE, flow, wrong)
    with pytest.raises(VerificationCodeExpired):
        await room.changes.prove_identity(visit, HERE, flow, Typed(code=code))
    assert await step(room, visit, HERE, flow) is Step.VERIFY


@pytest.mark.req("REG-2")
async def test_no_code_is_sent_for_a_captcha_that_is_wrong_used_or_missing(room: Room) -> None:
    visit = await room.enter(await room.someone())
    good = await room.with_captcha(Typed(), visit)
    with pytest.raises(InvalidRequest):
        await room.changes.send_identity_code(visit, HERE, None, replace(good, captcha=""))
    flow = await room.changes.send_identity_code(visit, HERE, None, good)
    room.clock.advance(60)
    for bad in (good, replace(await room.with_captcha(Typed(), visit), captcha="0000")):
        with pytest.raises(CaptchaWrong):
            await room.changes.send_identity_code(visit, HERE, flow, bad)
    stranger = await room.enter(visit.account)
    with pytest.raises(CaptchaWrong):
        await room.changes.send_identity_code(stranger, HERE, None, await room.with_captcha(Typed(), visit))
    await room.dispatches.close()
    assert len(room.postman.sent) == 1


@pytest.mark.req("FAQ-1")
@pytest.mark.attack("O11")
async def test_the_owner_in_a_session_has_what_is_kept_from_strangers_and_no_more(room: Room) -> None:
    account = await room.someone()
    sent = 0
    for _ in range(5):
        await room.asked(await room.enter(account), HERE)
        sent += 1
        room.clock.advance(61)
    visit = await room.enter(account)
    with pytest.raises(SmsHourly):
        await room.asked(visit, HERE)
    assert len(room.postman.sent) == sent == 5


@pytest.mark.attack("O11")
async def test_a_second_code_within_a_minute_is_refused_and_the_first_still_counts(room: Room) -> None:
    visit = await room.enter(await room.someone())
    flow, code = await room.asked(visit, HERE)
    with pytest.raises(RateLimited):
        await room.asked(visit, HERE, flow)
    assert (await room.changes.prove_identity(visit, HERE, flow, Typed(code=code))).cookie is not None


@pytest.mark.req("ACC-8")
async def test_an_account_without_a_phone_is_sent_nothing_and_proves_itself_in_jingtong(room: Room) -> None:
    visit = await room.enter(await room.someone_by_face())
    with pytest.raises(VerificationRequired):
        await room.asked(visit, Operation.PHONE)
    assert room.postman.sent == []
    await room.granted(visit, Operation.PHONE)
    assert await step(room, visit, Operation.PHONE, None) is Step.CHANGE
    assert await room.proofs.consume(visit.holder, visit.account, Operation.PHONE, visit.epoch) is Means.QR


@pytest.mark.req("LOG-6")
async def test_a_right_code_counts_as_a_use_of_the_number(room: Room) -> None:
    account = await room.someone()
    visit = await room.enter(account)
    room.clock.advance(11 * 3600)
    _, _ = await room.proved(visit, HERE)
    assert (await room.member(account)).phone_used_at != room.clock.now(), "once a day"
    room.clock.advance(14 * 3600)
    await room.proved(await room.enter(account), HERE)
    assert (await room.member(account)).phone_used_at == room.clock.now()


@pytest.mark.attack("T1")
async def test_the_form_sent_twice_at_once_proves_once_and_both_go_on(room: Room) -> None:
    visit = await room.enter(await room.someone())
    flow, code = await room.asked(visit, HERE)
    results = await asyncio.gather(
        *(room.changes.prove_identity(visit, HERE, flow, Typed(code=code)) for _ in range(8)), return_exceptions=True
    )
    cookies = [result.cookie for result in results if not isinstance(result, BaseException) and result.cookie]
    assert len(cookies) == 1
    assert (await room.session(cookies[0])).id == visit.session.id
    assert await step(room, visit, HERE, flow) is Step.CHANGE
    for result in results:
        assert not isinstance(result, BaseException) or isinstance(result, (NotDue, VerificationCodeExpired)), result


@pytest.mark.attack("Q21")
async def test_an_account_that_was_locked_meanwhile_gets_no_proof(room: Room) -> None:
    account = await room.someone()
    visit = await room.enter(account)
    flow, code = await room.asked(visit, HERE)
    room.rows("UPDATE account SET status = 'locked' WHERE id = ?", account)
    with pytest.raises(AccountRefused):
        await room.changes.prove_identity(visit, HERE, flow, Typed(code=code))
    assert not await room.verifying.held(visit, HERE)


@pytest.mark.attack("T1", "O5")
async def test_a_session_that_cannot_be_renewed_keeps_no_proof(room: Room) -> None:
    visit = await room.enter(await room.someone())
    flow, code = await room.asked(visit, HERE)
    room.meddler.breaks("sessions.rekey")
    with pytest.raises(StoreUnavailable):
        await room.changes.prove_identity(visit, HERE, flow, Typed(code=code))
    room.meddler.mends()
    assert not await room.verifying.held(visit, HERE)
    assert (await room.session(visit.cookie)).id == visit.session.id, "the session goes on as it was"


@pytest.mark.attack("T3")
async def test_a_session_that_was_ended_meanwhile_keeps_no_proof(room: Room) -> None:
    visit = await room.enter(await room.someone())
    flow, code = await room.asked(visit, HERE)
    await room.sessions.end(visit.session, SessionEnd.CHOSEN)
    with pytest.raises(VerificationRequired):
        await room.changes.prove_identity(visit, HERE, flow, Typed(code=code))
    assert not await room.verifying.held(visit, HERE)


@pytest.mark.attack("O5")
@pytest.mark.parametrize("store", ["members", "captchas", "dispatches", "throttle", "proofs"])
async def test_a_store_that_is_down_sends_nothing(room: Room, store: str) -> None:
    visit = await room.enter(await room.someone())
    typed = await room.with_captcha(Typed(), visit)
    room.meddler.breaks(store)
    with pytest.raises(StoreUnavailable):
        await room.changes.send_identity_code(visit, HERE, None, typed)
    await room.dispatches.close()
    assert room.postman.sent == []


@pytest.mark.attack("O5")
@pytest.mark.parametrize("store", ["members.member", "members.phone_proved", "drafts", "proofs.add", "sessions"])
async def test_a_store_that_is_down_lets_nobody_pass(room: Room, store: str) -> None:
    visit = await room.enter(await room.someone())
    flow, code = await room.asked(visit, HERE)
    room.meddler.breaks(store)
    with pytest.raises(StoreUnavailable):
        await room.changes.prove_identity(visit, HERE, flow, Typed(code=code))
    room.meddler.mends()
    assert not await room.verifying.held(visit, HERE)
    assert (await room.session(visit.cookie)).id == visit.session.id


@pytest.mark.req("ACC-8", "UX-5")
async def test_a_wrong_code_proves_nothing_and_is_not_said_to_have(room: Room) -> None:
    visit = await room.enter(await room.someone())
    flow, code = await room.asked(visit, HERE)
    with pytest.raises(VerificationCodeWrong):
        await room.changes.prove_identity(visit, HERE, flow, Typed(code=f"{(int(code) + 1) % 1_000_000:06d}"))
    assert not (await room.drafts.read(visit.holder, flow)).facts.identity_proved


@pytest.mark.req("ACC-8")
@pytest.mark.attack("O5", "T1")
async def test_a_right_code_whose_change_cannot_be_noted_is_a_proof_and_its_cookie_is_given(room: Room) -> None:
    visit = await room.enter(await room.someone())
    flow, code = await room.asked(visit, HERE)
    room.meddler.breaks("drafts.replace")
    done = await room.changes.prove_identity(visit, HERE, flow, Typed(code=code))
    room.meddler.mends()
    assert (await room.session(done.cookie or "")).id == visit.session.id
    assert await step(room, visit, HERE, done.flow) is Step.CHANGE


@pytest.mark.req("PRV-1")
async def test_nothing_personal_is_in_what_is_logged_of_a_visit(room: Room) -> None:
    visit = await room.enter(await room.someone())
    assert visit.cookie not in repr(visit)
    assert not {NUMBER, PASSWORD, NEW_PASSWORD, SHOWN} & {repr(visit)}


@pytest.mark.req("ACC-8")
@pytest.mark.attack("O9")
async def test_the_form_sent_twice_waits_for_the_proof_that_the_first_is_about_to_get(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit = await room.enter(await room.someone())
    flow, code = await room.asked(visit, HERE)
    first, second = await posted_twice(
        monkeypatch,
        room.meddler,
        "proofs.add",
        lambda: room.changes.prove_identity(visit, HERE, flow, Typed(code=code)),
    )
    assert first.cookie is not None
    assert isinstance(second, IdentityProved)
    assert (second.flow, second.cookie) == (flow, None), "the first answer has it"
