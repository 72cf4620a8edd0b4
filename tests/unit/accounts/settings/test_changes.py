"""Passwords, numbers, names and the end of an account: what a change needs, writes, ends and tells.

Every test runs on SQLite with what is short-lived in memory, and again with that and the sessions in Redis.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest
from msgspec.structs import replace

from bjidp.accounts.drafts import Draft
from bjidp.accounts.errors import ExternalTaken, PasswordChanged, PhoneTaken, UsernameTaken
from bjidp.accounts.identifiers import of_phone, of_username
from bjidp.accounts.member_ports import NewMember
from bjidp.accounts.settings.changes import NotDue
from bjidp.accounts.settings.flow import OPEN, SAVING, Change, Step, Typed
from bjidp.accounts.verifying import Visit
from bjidp.audit.event import EventKind
from bjidp.clock import SECOND
from bjidp.errors import AccountRefused, InvalidRequest, RateLimited, StoreUnavailable
from bjidp.sessions.ports import SessionEnd
from bjidp.verification.code import Binding, Purpose, by_sms
from bjidp.verification.errors import CaptchaWrong, VerificationCodeExpired, VerificationCodeWrong
from bjidp.verification.number import MobileNumber
from bjidp.verification.proofs import Operation
from tests.support.twice import posted_twice
from tests.unit.accounts.settings.room import (
    NEW_NUMBER,
    NEW_PASSWORD,
    NEW_PASSWORDS,
    NUMBER,
    PASSWORD,
    THIRD_NUMBER,
    Room,
)


async def said(act: Awaitable[object]) -> list[tuple[str, str]]:
    """Return the fields and faults that a form is refused for."""
    with pytest.raises(InvalidRequest) as refused:
        await act
    return [(fault.field, fault.code) for fault in refused.value.errors]


async def step(room: Room, visit: Visit, operation: Operation, flow: str | None) -> Step:
    """Return the step that is due."""
    return (await room.changes.look(visit, operation, flow)).step


# ------------------------------------------------------------------------------------------- opened, and done elsewhere


async def opened(room: Room, visit: Visit) -> Draft[Change]:
    """Begin to bind something, prove who one is, and be sent away."""
    flow = await room.changes.agree(visit, Operation.LINK, "wechat")
    await room.granted(visit, Operation.LINK)
    return await room.changes.open(visit, Operation.LINK, flow, mark="", reference="")


@pytest.mark.req("ACC-8", "LOG-4")
@pytest.mark.attack("R4", "P7")
@pytest.mark.parametrize("over", ["done", "late", "epoch", "session", "unopened"])
async def test_what_was_opened_is_written_once_in_its_time_its_session_and_its_epoch(room: Room, over: str) -> None:
    account = await room.someone()
    visit, written = await room.enter(account), []

    async def write() -> None:
        written.append(over)

    draft = await opened(room, visit)
    match over:
        case "done":
            await room.changes.finish(visit, draft, write)
        case "late":
            room.clock.advance(OPEN // SECOND)
            draft = replace(draft, now=room.clock.now())
        case "epoch":
            await room.sql.members.fence(account, visit.session.id)
        case "session":
            await room.sessions.end_one(account, visit.session.id, SessionEnd.LOGOUT)
        case _:
            draft = replace(draft, facts=replace(draft.facts, opened=None))
    before = list(written)
    with pytest.raises(NotDue):
        await room.changes.finish(visit, draft, write)
    assert written == before


@pytest.mark.req("LOG-4")
async def test_what_failed_as_it_was_written_can_be_finished_otherwise(room: Room) -> None:
    visit = await room.enter(await room.someone())
    draft = await opened(room, visit)

    async def taken() -> None:
        raise ExternalTaken

    async def written() -> None:
        return

    with pytest.raises(ExternalTaken):
        await room.changes.finish(visit, draft, taken)
    draft = await room.changes.due(visit, Operation.LINK, draft.id)
    await room.changes.finish(visit, draft, written)
    assert await step(room, visit, Operation.LINK, draft.id) is Step.DONE


# ------------------------------------------------------------------------------------------------------------ 修改密码


@pytest.mark.req("ACC-2", "REC-4", "SES-2")
@pytest.mark.attack("R4", "T3")
async def test_a_new_password_ends_every_other_session_and_is_told(room: Room) -> None:
    account = await room.someone()
    elsewhere = await room.enter(account)
    visit, flow = await room.proved(await room.enter(account), Operation.PASSWORD)
    assert await room.passwords.change(visit, flow, NEW_PASSWORDS) == flow
    kept = (await room.member(account)).password
    assert (await room.hashes.verify(kept, NEW_PASSWORD)).right
    assert not (await room.hashes.verify(kept, PASSWORD)).right
    assert await room.sessions.find(elsewhere.cookie) is None
    assert (await room.session(visit.cookie)).id == visit.session.id
    assert set(room.phones_ended.ended) == {(account, SessionEnd.PASSWORD_CHANGED)}
    assert room.notices(account) == ["password.changed"]
    assert room.events().count("password.changed") == 1
    assert await step(room, visit, Operation.PASSWORD, flow) is Step.DONE
    assert await step(room, visit, Operation.PASSWORD, None) is Step.VERIFY, "another change needs another proof"


@pytest.mark.req("ACC-2")
async def test_an_account_without_a_password_sets_one(room: Room) -> None:
    account = await room.someone_by_face()
    visit = await room.enter(account)
    await room.granted(visit, Operation.PASSWORD)
    await room.passwords.change(visit, None, replace(NEW_PASSWORDS, old=""))
    assert (await room.hashes.verify((await room.member(account)).password, NEW_PASSWORD)).right


@pytest.mark.req("ACC-2")
@pytest.mark.attack("R4")
async def test_without_a_proof_the_right_old_password_changes_nothing_and_is_not_even_compared(room: Room) -> None:
    visit = await room.enter(await room.someone())
    with pytest.raises(NotDue) as refused:
        await room.passwords.change(visit, None, NEW_PASSWORDS)
    assert refused.value.step is Step.VERIFY
    assert room.meddler.calls["throttle.hit"] == 0
    assert (await room.hashes.verify((await room.member(visit.account)).password, PASSWORD)).right


@pytest.mark.req("ACC-2", "UX-5")
async def test_a_wrong_old_password_costs_no_proof(room: Room) -> None:
    visit, flow = await room.proved(await room.enter(await room.someone()), Operation.PASSWORD)
    wrong = replace(NEW_PASSWORDS, old="Wansui-9")
    assert await said(room.passwords.change(visit, flow, wrong)) == [("old", "wrong")]
    assert await said(room.passwords.change(visit, flow, replace(NEW_PASSWORDS, again="x"))) == [("again", "mismatch")]
    await room.passwords.change(visit, flow, NEW_PASSWORDS)


@pytest.mark.req("ACC-2")
@pytest.mark.attack("O4")
async def test_of_an_account_ten_old_passwords_are_tried_in_a_quarter_of_an_hour_whatever_the_session(
    room: Room,
) -> None:
    account = await room.someone()
    wrong = replace(NEW_PASSWORDS, old="Wansui-9")
    visits = [await room.enter(account) for _ in range(3)]
    for visit in visits:
        await room.granted(visit, Operation.PASSWORD)
    for number in range(10):
        assert await said(room.passwords.change(visits[number % 3], None, wrong)) == [("old", "wrong")]
    for visit in visits:
        with pytest.raises(RateLimited):
            await room.passwords.change(visit, None, NEW_PASSWORDS)
    room.clock.advance(15 * 60)
    await room.granted(visits[0], Operation.PASSWORD)
    await room.passwords.change(visits[0], None, NEW_PASSWORDS)


@pytest.mark.req("ACC-2")
async def test_the_form_sent_many_times_at_once_writes_once_and_leads_to_its_end(room: Room) -> None:
    account = await room.someone()
    visit, flow = await room.proved(await room.enter(account), Operation.PASSWORD)
    results = await asyncio.gather(
        *(room.passwords.change(visit, flow, NEW_PASSWORDS) for _ in range(8)), return_exceptions=True
    )
    assert results.count(flow) == 1
    others = [result for result in results if result != flow]
    assert {(type(result), getattr(result, "step", None)) for result in others} <= {
        (NotDue, Step.SAVING),
        (NotDue, Step.DONE),
    }
    assert room.events().count("password.changed") == 1
    assert room.notices(account) == ["password.changed"]
    assert await step(room, visit, Operation.PASSWORD, flow) is Step.DONE


@pytest.mark.attack("P7", "R4")
async def test_a_proof_is_void_when_sessions_are_ended_while_the_change_is_posted(room: Room) -> None:
    visit, flow = await room.proved(await room.enter(await room.someone()), Operation.USERNAME)

    async def end() -> None:
        await room.sessions.end_others(visit.account, visit.session.id, SessionEnd.CHOSEN)

    room.meddler.before_next("drafts.replace", end)
    with pytest.raises(NotDue) as refused:
        await room.names.change_username(visit, flow, Typed(username="li_sisi_9"))
    assert refused.value.step is Step.VERIFY
    assert (await room.member(visit.account)).username == "zhang_san"


# A crash, or a store that goes away, at each point of the last step.


@pytest.mark.attack("R4", "O5")
@pytest.mark.parametrize("call", ["drafts.replace", "proofs.take", "sessions.end_others", "members.set_password"])
async def test_a_store_that_is_down_before_the_write_leaves_the_old_password(room: Room, call: str) -> None:
    account = await room.someone()
    visit, flow = await room.proved(await room.enter(account), Operation.PASSWORD)
    room.meddler.breaks(call)
    with pytest.raises(StoreUnavailable):
        await room.passwords.change(visit, flow, NEW_PASSWORDS)
    room.meddler.mends()
    assert (await room.hashes.verify((await room.member(account)).password, PASSWORD)).right
    assert room.notices(account) == []
    again = Step.VERIFY if call == "members.set_password" else Step.CHANGE
    assert await step(room, visit, Operation.PASSWORD, flow) is again


@pytest.mark.attack("R4")
async def test_the_other_sessions_are_over_before_the_password_is_written(room: Room) -> None:
    """A process that dies right after the write has left none of those the password shuts out."""
    account = await room.someone()
    elsewhere = await room.enter(account)
    visit, flow = await room.proved(await room.enter(account), Operation.PASSWORD)
    live: list[bool] = []

    async def look() -> None:
        live.append(await room.sessions.find(elsewhere.cookie) is not None)
        room.phones_ended.down = True

    room.meddler.before_next("members.set_password", look)
    await room.passwords.change(visit, flow, NEW_PASSWORDS)
    assert live == [False]
    assert await step(room, visit, Operation.PASSWORD, flow) is Step.DONE, "what was written is said to be"


@pytest.mark.attack("R4")
async def test_a_login_while_the_password_is_written_is_ended_after_it(room: Room) -> None:
    account = await room.someone()
    visit, flow = await room.proved(await room.enter(account), Operation.PASSWORD)
    late: list[Visit] = []

    async def log_in() -> None:
        late.append(await room.enter(account))

    room.meddler.before_next("members.set_password", log_in)
    await room.passwords.change(visit, flow, NEW_PASSWORDS)
    assert await room.sessions.find(late[0].cookie) is None


async def test_a_change_whose_end_could_not_be_noted_holds_and_asks_for_another_proof_after_a_while(room: Room) -> None:
    account = await room.someone()
    visit, flow = await room.proved(await room.enter(account), Operation.PASSWORD)

    async def break_drafts() -> None:
        room.meddler.breaks("drafts")

    room.meddler.before_next("members.set_password", break_drafts)
    with pytest.raises(StoreUnavailable):
        await room.passwords.change(visit, flow, NEW_PASSWORDS)
    room.meddler.mends()
    assert (await room.hashes.verify((await room.member(account)).password, NEW_PASSWORD)).right
    assert await step(room, visit, Operation.PASSWORD, flow) is Step.SAVING
    room.clock.advance(SAVING / SECOND)
    assert await step(room, visit, Operation.PASSWORD, flow) is Step.VERIFY


@pytest.mark.attack("R3")
@pytest.mark.parametrize("first", [False, True])
async def test_a_password_that_is_changed_in_the_very_moment_of_the_write_stays(room: Room, *, first: bool) -> None:
    account = await (room.someone_by_face() if first else room.someone())
    was = (await room.member(account)).password
    visit = await room.enter(account)
    await room.granted(visit, Operation.PASSWORD)

    async def recover() -> None:
        await room.sql.members.set_password(account, "another", EventKind.PASSWORD_RESET, room.clock.now(), was=was)

    room.meddler.before_next("members.set_password", recover)
    with pytest.raises(PasswordChanged):
        await room.passwords.change(visit, None, NEW_PASSWORDS)
    assert (await room.member(account)).password == "another"
    assert room.notices(account) == ["password.changed"]


@pytest.mark.attack("Q21")
async def test_an_account_that_is_locked_meanwhile_is_not_changed(room: Room) -> None:
    account = await room.someone()
    visit, flow = await room.proved(await room.enter(account), Operation.PASSWORD)
    room.rows("UPDATE account SET status = 'locked' WHERE id = ?", account)
    with pytest.raises(AccountRefused):
        await room.passwords.change(visit, flow, NEW_PASSWORDS)
    assert (await room.hashes.verify((await room.member(account)).password, PASSWORD)).right


# ---------------------------------------------------------------------------------------------------------- 修改手机号


@pytest.mark.req("ACC-3", "SES-2")
@pytest.mark.attack("R4")
async def test_a_new_number_takes_the_place_of_the_old_one_which_is_told(room: Room) -> None:
    account = await room.someone()
    elsewhere = await room.enter(account)
    visit, flow = await room.proved(await room.enter(account), Operation.PHONE)
    room.clock.advance(61)
    flow, typed = await room.new_number(visit, flow)
    assert room.postman.sent[-1].to == NEW_NUMBER
    assert room.postman.sent[-1].text.startswith("bind_phone:")
    assert await room.phones.change(visit, flow, typed) == flow
    assert (await room.member(account)).phone == NEW_NUMBER
    assert await room.sql.members.find([of_phone(NUMBER)]) is None
    assert await room.told() == [(NUMBER, "phone_changed")]
    assert room.notices(account) == ["phone.changed"]
    assert await room.sessions.find(elsewhere.cookie) is None
    assert (await room.session(visit.cookie)).id == visit.session.id
    assert room.phones_ended.ended == [], "京通 stays: it is the other way to prove who one is"
    assert await step(room, visit, Operation.PHONE, flow) is Step.DONE


@pytest.mark.req("ACC-3", "ACC-8")
async def test_an_account_without_a_phone_binds_one_and_nobody_is_told_or_logged_out(room: Room) -> None:
    account = await room.someone_by_face()
    elsewhere, visit = await room.enter(account), await room.enter(account)
    await room.granted(visit, Operation.PHONE)
    flow, typed = await room.new_number(visit, None)
    await room.phones.change(visit, flow, typed)
    assert (await room.member(account)).phone == NEW_NUMBER
    assert await room.told() == []
    for entered in (elsewhere, visit):
        assert await room.sessions.find(entered.cookie) is not None


@pytest.mark.req("ACC-3", "SES-2")
@pytest.mark.attack("R4")
async def test_a_number_that_came_in_the_very_moment_of_the_write_is_told_as_any_other(room: Room) -> None:
    account = await room.someone_by_face()
    elsewhere, visit = await room.enter(account), await room.enter(account)
    await room.granted(visit, Operation.PHONE)
    flow, typed = await room.new_number(visit, None)

    async def another() -> None:
        await room.sql.members.set_phone(account, THIRD_NUMBER, room.clock.now())

    room.meddler.before_next("members.set_phone", another)
    await room.phones.change(visit, flow, typed)
    assert (await room.member(account)).phone == NEW_NUMBER
    assert await room.told() == [(THIRD_NUMBER, "phone_changed")]
    assert await room.sessions.find(elsewhere.cookie) is None
    assert await room.sessions.find(visit.cookie) is not None


@pytest.mark.attack("R4", "O11")
async def test_without_a_proof_no_message_goes_to_a_new_number(room: Room) -> None:
    visit = await room.enter(await room.someone())
    typed = await room.with_captcha(Typed(phone=NEW_NUMBER), visit)
    with pytest.raises(NotDue) as refused:
        await room.phones.send_code(visit, None, typed)
    assert refused.value.step is Step.VERIFY
    assert room.postman.sent == []


@pytest.mark.attack("R4")
async def test_a_right_code_without_a_proof_changes_no_number(room: Room) -> None:
    visit = await room.enter(await room.someone())
    await room.granted(visit, Operation.PHONE)
    flow, typed = await room.new_number(visit, None)
    await room.proofs.consume(visit.holder, visit.account, Operation.PHONE, visit.epoch)
    with pytest.raises(NotDue):
        await room.phones.change(visit, flow, typed)
    assert (await room.member(visit.account)).phone == NUMBER
    await room.granted(visit, Operation.PHONE)
    await room.phones.change(visit, flow, typed)
    assert (await room.member(visit.account)).phone == NEW_NUMBER


@pytest.mark.req("ACC-3")
async def test_a_right_code_is_not_asked_for_again_when_the_proof_is_over(room: Room) -> None:
    visit = await room.enter(await room.someone())
    await room.granted(visit, Operation.PHONE)
    flow, typed = await room.new_number(visit, None)
    room.meddler.breaks("members.is_held")
    with pytest.raises(StoreUnavailable):
        await room.phones.change(visit, flow, typed)
    room.meddler.mends()
    await room.phones.change(visit, flow, replace(typed, code=""))
    assert (await room.member(visit.account)).phone == NEW_NUMBER


@pytest.mark.req("REG-2", "REG-8", "ACC-3")
@pytest.mark.attack("R1")
async def test_that_a_number_is_anothers_is_told_to_whoever_proved_it_and_to_nobody_else(room: Room) -> None:
    await room.someone(NEW_NUMBER, "li_sisi")
    account = await room.someone()
    visit = await room.enter(account)
    await room.granted(visit, Operation.PHONE)
    flow, typed = await room.new_number(visit, None)
    assert room.meddler.calls["members.is_held"] == 0
    with pytest.raises(VerificationCodeWrong):
        await room.phones.change(visit, flow, replace(typed, code=f"{(int(typed.code) + 1) % 1_000_000:06d}"))
    assert room.meddler.calls["members.is_held"] == 0
    with pytest.raises(PhoneTaken):
        await room.phones.change(visit, flow, typed)
    assert (await room.member(account)).phone == NUMBER
    assert await room.told() == []
    flow, typed = await room.new_number(visit, flow, THIRD_NUMBER)
    await room.phones.change(visit, flow, typed)
    assert (await room.member(account)).phone == THIRD_NUMBER


@pytest.mark.req("REG-8")
async def test_a_number_that_is_taken_in_the_very_moment_of_the_write_stays_anothers(room: Room) -> None:
    elsewhere = await room.enter(await room.someone())
    visit = await room.enter(elsewhere.account)
    await room.granted(visit, Operation.PHONE)
    flow, typed = await room.new_number(visit, None)

    async def another() -> None:
        await room.sql.members.enrol(NewMember(username="li_sisi", phone=NEW_NUMBER, password=None), room.clock.now())

    room.meddler.before_next("members.set_phone", another)
    with pytest.raises(PhoneTaken):
        await room.phones.change(visit, flow, typed)
    assert (await room.member(visit.account)).phone == NUMBER
    assert await room.told() == []
    assert room.notices(visit.account) == []
    assert await room.sessions.find(elsewhere.cookie) is not None, "nobody is logged out for a change that is none"
    assert await step(room, visit, Operation.PHONE, flow) is Step.VERIFY


@pytest.mark.attack("O10")
async def test_a_code_to_one_number_proves_no_other_and_no_other_change(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bjidp.accounts.once.PAUSE", 0)
    visit = await room.enter(await room.someone())
    await room.granted(visit, Operation.PHONE)
    flow, typed = await room.new_number(visit, None)
    with pytest.raises(VerificationCodeExpired):
        await room.phones.change(visit, flow, replace(typed, phone=THIRD_NUMBER))
    other = await room.changes.agree(visit, Operation.PHONE)
    with pytest.raises(VerificationCodeExpired):
        await room.phones.change(visit, other, typed)
    for purpose in (Purpose.VERIFY, Purpose.LOGIN, Purpose.REGISTER):
        foreign = await room.codes.issue(Binding(purpose, by_sms(MobileNumber(THIRD_NUMBER)), flow))
        with pytest.raises(VerificationCodeExpired):
            await room.phones.change(visit, flow, Typed(phone=THIRD_NUMBER, code=foreign.text()))
    assert (await room.member(visit.account)).phone == NUMBER


@pytest.mark.req("ACC-3", "UX-5")
async def test_every_fault_of_the_form_is_told_at_once_and_costs_nothing(room: Room) -> None:
    visit = await room.enter(await room.someone())
    await room.granted(visit, Operation.PHONE)
    both = [("phone", "missing"), ("captcha", "missing")]
    assert await said(room.phones.send_code(visit, None, Typed())) == both
    assert await said(room.phones.change(visit, None, Typed(phone="123"))) == [("phone", "form"), ("code", "missing")]
    assert await said(room.phones.change(visit, None, Typed(phone="13800138000", code="123456"))) == [
        ("phone", "not_served")
    ]
    same = await room.with_captcha(Typed(phone=f"+86{NUMBER}"), visit)
    assert await said(room.phones.send_code(visit, None, same)) == [("phone", "same")]
    flow = await room.phones.send_code(visit, None, replace(same, phone=NEW_NUMBER))
    room.clock.advance(61)
    with pytest.raises(CaptchaWrong):
        await room.phones.send_code(visit, flow, replace(same, phone=NEW_NUMBER))


@pytest.mark.req("ACC-3")
async def test_the_phone_form_sent_many_times_at_once_writes_and_tells_once(room: Room) -> None:
    visit = await room.enter(await room.someone())
    await room.granted(visit, Operation.PHONE)
    flow, typed = await room.new_number(visit, None)
    results = await asyncio.gather(*(room.phones.change(visit, flow, typed) for _ in range(8)), return_exceptions=True)
    assert results.count(flow) == 1
    # The page leads each of them to where the change stands.
    assert {type(result) for result in results if result != flow} <= {NotDue, VerificationCodeExpired, InvalidRequest}
    assert await room.told() == [(NUMBER, "phone_changed")]
    assert room.events().count("phone.changed") == 1


@pytest.mark.req("ACC-3")
@pytest.mark.attack("O9")
async def test_the_phone_form_sent_twice_waits_for_what_the_first_is_about_to_note(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit = await room.enter(await room.someone())
    await room.granted(visit, Operation.PHONE)
    flow, typed = await room.new_number(visit, None)
    first, second = await posted_twice(
        monkeypatch, room.meddler, "drafts.replace", lambda: room.phones.change(visit, flow, typed)
    )
    assert first == flow
    assert isinstance(second, NotDue)
    assert second.step is Step.DONE


@pytest.mark.attack("R4", "T3")
async def test_the_other_sessions_end_with_the_number_and_so_does_a_login_that_was_under_way(room: Room) -> None:
    account = await room.someone()
    elsewhere, visit = await room.enter(account), await room.enter(account)
    await room.granted(visit, Operation.PHONE)
    flow, typed = await room.new_number(visit, None)
    late: list[Visit] = []

    async def enter() -> None:
        assert await room.sessions.find(elsewhere.cookie) is not None
        late.append(await room.enter(account))

    room.meddler.before_next("members.set_phone", enter)
    await room.phones.change(visit, flow, typed)
    for ended in (elsewhere, *late):
        assert await room.sessions.find(ended.cookie) is None
    assert [session.id for session in await room.sessions.of_account(account)] == [visit.session.id]
    assert room.events().count("session.ended") == 2


@pytest.mark.attack("R4", "O5")
async def test_a_number_whose_sessions_cannot_be_ended_has_ended_them_all_the_same(room: Room) -> None:
    account = await room.someone()
    elsewhere, visit = await room.enter(account), await room.enter(account)
    await room.granted(visit, Operation.PHONE)
    flow, typed = await room.new_number(visit, None)
    room.meddler.breaks("sessions.end_others")
    await room.phones.change(visit, flow, typed)
    room.meddler.mends()
    assert (await room.member(account)).phone == NEW_NUMBER
    assert await room.sessions.find(elsewhere.cookie) is None
    assert await room.sessions.find(visit.cookie) is not None
    assert not await room.sessions.lives(elsewhere.session)
    assert await room.told() == [(NUMBER, "phone_changed")]


# ------------------------------------------------------------------------------------------------------------ 绑定邮箱


@pytest.mark.req("ACC-4")
async def test_an_address_is_bound_once_a_code_has_proved_it(room: Room) -> None:
    account = await room.someone()
    elsewhere = await room.enter(account)
    visit, flow = await room.proved(await room.enter(account), Operation.MAIL)
    flow, typed = await room.new_mail(visit, flow, " Zhang@Mail.Example ")
    assert (room.letters.sent[-1].to, room.letters.sent[-1].subject) == ("zhang@mail.example", "bind_mail")
    assert (await room.member(account)).mail is None
    await room.mails.change(visit, flow, typed)
    assert (await room.member(account)).mail == "zhang@mail.example"
    assert room.events().count("mail.changed") == 1
    assert await step(room, visit, Operation.MAIL, flow) is Step.DONE
    assert (await room.session(elsewhere.cookie)).id == elsewhere.session.id


@pytest.mark.req("ACC-4", "UX-5")
async def test_every_fault_of_the_mail_form_is_told_and_costs_nothing(room: Room) -> None:
    visit, flow = await room.proved(await room.enter(await room.someone()), Operation.MAIL)
    assert await said(room.mails.send_code(visit, flow, Typed())) == [("mail", "missing"), ("captcha", "missing")]
    for wrong in ("zhang", "zhang@", "@mail.example", "zhang@mail", "zhang @mail.example", "张@mail.example"):
        assert await said(room.mails.change(visit, flow, Typed(mail=wrong, code="123456"))) == [("mail", "form")]
    assert await said(room.mails.change(visit, flow, Typed(mail="zhang@qq.com", code="123456"))) == [
        ("mail", "not_served")
    ]
    flow, typed = await room.new_mail(visit, flow, "zhang@mail.example")
    with pytest.raises(VerificationCodeWrong):
        await room.mails.change(visit, flow, replace(typed, code=f"{(int(typed.code) + 1) % 1_000_000:06d}"))
    await room.mails.change(visit, flow, typed)
    await room.granted(visit, Operation.MAIL)
    assert await said(room.mails.change(visit, None, replace(typed, mail="ZHANG@mail.example"))) == [("mail", "same")]


@pytest.mark.attack("R4", "O10", "O11")
async def test_a_mail_address_needs_the_proof_and_its_own_code(room: Room) -> None:
    visit = await room.enter(await room.someone())
    typed = await room.with_captcha(Typed(mail="zhang@mail.example"), visit)
    with pytest.raises(NotDue):
        await room.mails.send_code(visit, None, typed)
    assert room.letters.sent == []
    await room.granted(visit, Operation.MAIL)
    flow, typed = await room.new_mail(visit, None, "zhang@mail.example")
    with pytest.raises(VerificationCodeExpired):
        await room.mails.change(visit, flow, replace(typed, mail="li@mail.example"))
    await room.proofs.consume(visit.holder, visit.account, Operation.MAIL, visit.epoch)
    with pytest.raises(NotDue):
        await room.mails.change(visit, flow, typed)
    assert (await room.member(visit.account)).mail is None


@pytest.mark.req("ACC-4")
async def test_the_mail_form_sent_many_times_at_once_writes_once(room: Room) -> None:
    visit = await room.enter(await room.someone())
    await room.granted(visit, Operation.MAIL)
    flow, typed = await room.new_mail(visit, None, "zhang@mail.example")
    results = await asyncio.gather(*(room.mails.change(visit, flow, typed) for _ in range(8)), return_exceptions=True)
    assert results.count(flow) == 1
    # The page leads each of them to where the change stands.
    assert {type(result) for result in results if result != flow} <= {NotDue, VerificationCodeExpired, InvalidRequest}
    assert room.events().count("mail.changed") == 1


@pytest.mark.req("ACC-3", "ACC-4")
async def test_another_address_may_be_typed_in_place_of_the_one_that_was_proved(room: Room) -> None:
    visit = await room.enter(await room.someone())
    await room.granted(visit, Operation.MAIL)
    flow, typed = await room.new_mail(visit, None, "zhang@mail.example")
    room.meddler.breaks("members.set_mail")
    with pytest.raises(StoreUnavailable):
        await room.mails.change(visit, flow, typed)
    room.meddler.mends()
    assert (await room.drafts.read(visit.holder, flow)).facts.address == "zhang@mail.example"
    assert await room.changes.forget_address(visit, Operation.MAIL, flow) == flow
    facts = (await room.drafts.read(visit.holder, flow)).facts
    assert (facts.address, facts.address_code) == (None, None)
    assert await room.changes.forget_address(visit, Operation.MAIL, "unknown") is None


# ------------------------------------------------------------------------------------------------ 修改用户名 and 民族


@pytest.mark.req("ACC-6")
async def test_a_new_username_takes_the_place_of_the_old_one(room: Room) -> None:
    account = await room.someone()
    visit, flow = await room.proved(await room.enter(account), Operation.USERNAME)
    await room.names.change_username(visit, flow, Typed(username=" zhang_san_2 "))
    assert (await room.member(account)).username == "zhang_san_2"
    assert await room.sql.members.find([of_username("zhang_san")]) is None
    assert room.events().count("username.changed") == 1
    assert await step(room, visit, Operation.USERNAME, flow) is Step.DONE


@pytest.mark.req("ACC-6", "REG-8")
async def test_a_username_that_is_anothers_is_told_at_once_and_costs_no_proof(room: Room) -> None:
    await room.someone(NEW_NUMBER, "li_sisi")
    visit, flow = await room.proved(await room.enter(await room.someone()), Operation.USERNAME)
    with pytest.raises(UsernameTaken):
        await room.names.change_username(visit, flow, Typed(username="LI_SISI"))
    await room.names.change_username(visit, flow, Typed(username="Zhang_San"))
    assert (await room.member(visit.account)).username == "Zhang_San"


@pytest.mark.req("ACC-6")
@pytest.mark.attack("R1")
async def test_who_asks_about_many_usernames_is_told_no_more(room: Room) -> None:
    visit = await room.enter(await room.someone())
    await room.granted(visit, Operation.USERNAME)
    await room.someone(NEW_NUMBER, "li_sisi")
    for _ in range(30):
        with pytest.raises(UsernameTaken):
            await room.names.change_username(visit, None, Typed(username="li_sisi"))
    with pytest.raises(RateLimited):
        await room.names.change_username(visit, None, Typed(username="li_sisi"))


@pytest.mark.attack("R4")
async def test_without_a_proof_it_is_not_told_whether_a_username_is_free(room: Room) -> None:
    visit = await room.enter(await room.someone())
    with pytest.raises(NotDue):
        await room.names.change_username(visit, None, Typed(username="li_sisi"))
    assert room.meddler.calls["members.is_held"] == 0


@pytest.mark.req("REG-8")
async def test_a_username_that_is_taken_in_the_very_moment_of_the_write_stays_anothers(room: Room) -> None:
    visit, flow = await room.proved(await room.enter(await room.someone()), Operation.USERNAME)

    async def another() -> None:
        await room.sql.members.enrol(NewMember(username="li_sisi", phone=NEW_NUMBER, password=None), room.clock.now())

    room.meddler.before_next("members.set_username", another)
    with pytest.raises(UsernameTaken):
        await room.names.change_username(visit, flow, Typed(username="li_sisi"))
    assert (await room.member(visit.account)).username == "zhang_san"


@pytest.mark.req("ACC-5")
async def test_one_of_the_fifty_six_is_chosen_in_place_and_nothing_else_is_taken(room: Room) -> None:
    visit = await room.enter(await room.someone())
    await room.names.set_ethnicity(visit, "MA")
    assert (await room.member(visit.account)).ethnicity == "MA"
    assert room.events()[-1] == "ethnicity.changed"
    assert await said(room.names.set_ethnicity(visit, "")) == [("ethnicity", "missing")]
    for other in ("ma", "XX", "满族", "HA\n", "HA,MA", "'"):
        assert await said(room.names.set_ethnicity(visit, other)) == [("ethnicity", "unknown")]
    assert (await room.member(visit.account)).ethnicity == "MA"


# ------------------------------------------------------------------------------------------------------------ 账号注销


@pytest.mark.req("ACC-7", "PRV-4")
async def test_an_account_that_ends_frees_its_values_and_leaves_nothing_personal(room: Room) -> None:
    account = await room.someone()
    elsewhere = await room.enter(account)
    visit = await room.enter(account)
    flow = await room.changes.agree(visit, Operation.CANCEL)
    visit, flow = await room.proved(visit, Operation.CANCEL, flow)
    await room.cancelling.cancel(visit, flow)
    assert await room.sql.members.member(account) is None
    assert await room.sql.members.find([of_phone(NUMBER)]) is None
    assert await room.sql.members.find([of_username("zhang_san")]) is None
    for cookie in (visit.cookie, elsewhere.cookie):
        assert await room.sessions.find(cookie) is None
    assert await room.sessions.of_account(account) == []
    assert room.phones_ended.ended == [(account, SessionEnd.CANCELLED)]
    assert room.rows("SELECT count(*) FROM identifier") == [(0,)]
    kept = room.rows("SELECT username_sealed, phone_sealed, mail_sealed, password, ethnicity FROM account")
    assert kept == [(None,) * 5]
    with pytest.raises(AccountRefused):
        await room.enter(account)
    assert await room.someone(), "number and name are free"


@pytest.mark.req("ACC-7")
@pytest.mark.attack("R4")
async def test_an_account_does_not_end_without_the_notice_or_without_the_proof(room: Room) -> None:
    account = await room.someone()
    visit = await room.enter(account)
    await room.granted(visit, Operation.CANCEL)
    with pytest.raises(NotDue) as refused:
        await room.cancelling.cancel(visit, None)
    assert refused.value.step is Step.NOTICE
    await room.proofs.consume(visit.holder, account, Operation.CANCEL, visit.epoch)
    flow = await room.changes.agree(visit, Operation.CANCEL)
    with pytest.raises(NotDue) as refused:
        await room.cancelling.cancel(visit, flow)
    assert refused.value.step is Step.VERIFY
    other = await room.changes.agree(visit, Operation.PASSWORD)
    await room.granted(visit, Operation.CANCEL)
    with pytest.raises(NotDue):
        await room.cancelling.cancel(visit, other)
    assert (await room.member(account)).phone == NUMBER


@pytest.mark.req("ACC-7")
async def test_an_account_that_ended_is_over_even_if_its_sessions_could_not_be_ended(room: Room) -> None:
    account = await room.someone()
    visit = await room.enter(account)
    flow = await room.changes.agree(visit, Operation.CANCEL)
    await room.granted(visit, Operation.CANCEL)
    room.phones_ended.down = True
    room.meddler.breaks("sessions.end_others")
    await room.cancelling.cancel(visit, flow)
    assert await room.sessions.find(visit.cookie) is None
    with pytest.raises(AccountRefused):
        await room.enter(account)


@pytest.mark.req("ACC-7")
async def test_a_store_that_is_down_cancels_nothing(room: Room) -> None:
    account = await room.someone()
    visit = await room.enter(account)
    flow = await room.changes.agree(visit, Operation.CANCEL)
    await room.granted(visit, Operation.CANCEL)
    room.meddler.breaks("members.cancel")
    with pytest.raises(StoreUnavailable):
        await room.cancelling.cancel(visit, flow)
    room.meddler.mends()
    assert (await room.member(account)).username == "zhang_san"
    assert await step(room, visit, Operation.CANCEL, flow) is Step.VERIFY
    await room.granted(visit, Operation.CANCEL)
    await room.cancelling.cancel(visit, flow)
    with pytest.raises(AccountRefused):
        await room.passwords.change(visit, None, NEW_PASSWORDS)
