"""A recovery from the name to the new password, and what becomes of it when something goes wrong on the way."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable
from contextlib import suppress
from functools import partial
from types import SimpleNamespace

import pytest
from msgspec import Struct
from msgspec.structs import replace
from structlog.testing import capture_logs

from bjidp.accounts.drafts import DraftUnknown
from bjidp.accounts.evenly import STEP
from bjidp.accounts.reassigned import UNUSED
from bjidp.accounts.recovery.decoys import decoy
from bjidp.accounts.recovery.flow import SAVING, Step
from bjidp.accounts.recovery.forms import Choosing, Naming, Proving
from bjidp.accounts.recovery.service import NotDue
from bjidp.accounts.surface import Surface
from bjidp.clock import HOUR, MINUTE, SECOND
from bjidp.errors import AccountRefused, BjidpError, InvalidRequest, RateLimited, StoreUnavailable
from bjidp.sessions.ports import SessionEnd
from bjidp.standing import Standing
from bjidp.verification.code import Binding, Purpose, by_sms
from bjidp.verification.errors import CaptchaWrong, SmsHourly, VerificationCodeExpired, VerificationCodeWrong
from bjidp.verification.number import MobileNumber
from bjidp.verification.proofs import Operation
from bjidp.verification.ranges import NumberRange
from tests.support.twice import posted_twice
from tests.support.verification import PSEUDONYMS
from tests.unit.accounts.recovery.people import read
from tests.unit.accounts.recovery.room import CHOSEN, NEW, NUMBER, OLD, SHOWN, ZHANG, Room

OTHER_NUMBER = "15400000002"


async def refusal(act: Awaitable[object]) -> BjidpError:
    with pytest.raises(BjidpError) as caught:
        await act
    return caught.value


def told(error: BjidpError) -> list[tuple[str, str]]:
    assert isinstance(error, InvalidRequest)
    return [(fault.field, fault.code) for fault in error.errors]


async def not_due(act: Awaitable[object]) -> Step:
    with pytest.raises(NotDue) as caught:
        await act
    return caught.value.step


# ------------------------------------------------------------------------------------------------------- on a computer


@pytest.mark.req("REC-1", "REC-4", "SES-2")
@pytest.mark.attack("R2")
async def test_a_code_to_the_phone_lets_somebody_choose_a_password_and_ends_every_session(room: Room) -> None:
    account = await room.someone()
    await room.log_in(account)
    recovery = await room.proved()
    await room.recoveries.set_password(room.asking(), recovery, CHOSEN)
    assert await room.step(recovery) is Step.DONE
    assert await room.password_is(account, NEW)
    assert not await room.password_is(account, OLD)
    assert await room.sessions.of_account(account) == []
    assert set(room.phones.ended) == {(account, SessionEnd.PASSWORD_CHANGED)}
    assert room.rows("SELECT kind FROM audit_event WHERE kind LIKE 'password.%'") == [("password.reset",)]
    assert room.rows("SELECT kind FROM notice") == [("password.changed",)]


@pytest.mark.req("REC-2")
@pytest.mark.parametrize("name", ["zhang_san", NUMBER, "+86 154-0000-0001", ZHANG.number, ZHANG.number.lower()])
async def test_a_real_named_account_is_proved_by_its_document_too_whichever_name_was_typed(
    room: Room, name: str
) -> None:
    account = await room.someone(document=ZHANG)
    recovery = await room.proved(name, ZHANG.number)
    await room.recoveries.set_password(room.asking(), recovery, CHOSEN)
    assert await room.password_is(account, NEW)


@pytest.mark.req("REC-2", "UX-5")
async def test_a_wrong_document_is_told_after_a_right_code_which_is_not_asked_again(room: Room) -> None:
    await room.someone(document=ZHANG)
    recovery = await room.begin()
    await room.send_code(recovery)
    typed = Proving(document="440524188001010014", code=room.code)
    wrong = await refusal(room.recoveries.prove(room.asking(), recovery, typed))
    assert told(wrong) == [("document", "wrong")]
    assert not (await room.facts(recovery)).asks_code
    right = Proving(document=ZHANG.number)
    assert await room.recoveries.prove(room.asking(), recovery, right) is Step.PASSWORD


@pytest.mark.attack("R1", "O1")
async def test_who_does_not_hold_the_phone_learns_nothing_of_the_document_and_uses_up_none_of_its_tries(
    room: Room,
) -> None:
    await room.someone(document=ZHANG)
    recovery = await room.begin()
    await room.send_code(recovery)
    answers = []
    for number in (ZHANG.number, "440524188001010014"):
        room.counted()
        typed = Proving(document=number, code=room.wrong_code)
        answers.append(await refusal(room.recoveries.prove(room.asking(), recovery, typed)))
        answers.append(room.counted())  # type: ignore[arg-type]
    assert [type(answer) for answer in answers[::2]] == [VerificationCodeWrong] * 2
    assert answers[1] == answers[3]
    assert (await room.facts(recovery)).documents_tried == 0


@pytest.mark.attack("O1", "O4")
async def test_five_document_numbers_end_a_recovery_also_at_one_moment(room: Room) -> None:
    await room.someone(document=ZHANG)
    recovery = await room.begin()
    await room.send_code(recovery)
    code = room.code
    tries = [
        room.recoveries.prove(room.asking(), recovery, Proving(document=f"9999{turn:04d}", code=code))
        for turn in range(12)
    ]
    ends = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(end, InvalidRequest) for end in ends) == 5
    assert await room.step(recovery) is Step.SPENT
    right = Proving(document=ZHANG.number)
    assert await not_due(room.recoveries.prove(room.asking(), recovery, right)) is Step.SPENT


@pytest.mark.attack("O4")
async def test_a_document_number_is_counted_before_it_is_compared(room: Room) -> None:
    await room.someone(document=ZHANG)
    recovery = await room.begin()
    await room.send_code(recovery)
    await refusal(room.recoveries.prove(room.asking(), recovery, Proving(document="99990000", code=room.code)))
    # So that it is the recovery that has no try left, and not the account.
    room.clock.advance(15 * 60)

    async def four_others() -> None:
        for turn in range(4):
            await refusal(room.recoveries.prove(room.asking(), recovery, Proving(document=f"9999000{turn}")))

    room.meddler.before_next("drafts.replace", four_others)
    right = Proving(document=ZHANG.number)
    assert await not_due(room.recoveries.prove(room.asking(), recovery, right)) is Step.SPENT


@pytest.mark.attack("O2", "O6")
async def test_an_account_is_tried_with_five_documents_in_a_quarter_of_an_hour_in_however_many_recoveries(
    room: Room,
) -> None:
    await room.someone(document=ZHANG)
    recovery = ""
    for turn in range(2):
        recovery = await room.begin()
        room.clock.advance(MINUTE // SECOND)
        await room.send_code(recovery)
        typed = Proving(document="99990001", code=room.code)
        for _ in range(3 - turn):
            assert told(await refusal(room.recoveries.prove(room.asking(), recovery, typed))) == [("document", "wrong")]
    limited = await refusal(room.recoveries.prove(room.asking(), recovery, Proving(document=ZHANG.number)))
    assert isinstance(limited, RateLimited)
    room.clock.advance(15 * 60)
    recovery = await room.proved(document=ZHANG.number)
    assert await room.step(recovery) is Step.PASSWORD


@pytest.mark.req("REC-2")
async def test_an_account_without_a_phone_has_its_jingtong_alone(room: Room) -> None:
    account = await room.someone(phone=None, document=ZHANG)
    recovery = await room.begin(ZHANG.number)
    assert await not_due(room.send_code(recovery)) is Step.IDENTITY
    assert await not_due(room.recoveries.prove(room.asking(), recovery, Proving(code="123456"))) is Step.IDENTITY
    await room.confirmed(account)
    assert await room.step(recovery) is Step.PASSWORD
    await room.recoveries.set_password(room.asking(), recovery, CHOSEN)
    assert await room.password_is(account, NEW)


@pytest.mark.req("REC-2")
@pytest.mark.attack("R3")
async def test_a_confirmation_in_jingtong_serves_once_one_browser_and_one_operation_until_it_is_taken_back(
    room: Room,
) -> None:
    account = await room.someone()
    recovery, second = await room.begin(), await room.begin()
    await room.confirmed(account, "browser-2")
    await room.confirmed(account, operation=Operation.PASSWORD)
    assert await room.step(recovery) is Step.IDENTITY
    await room.confirmed(account)
    assert await room.step(recovery) is Step.PASSWORD
    await room.proofs.revoke("browser-1", account, Operation.RECOVER)
    assert await not_due(room.recoveries.set_password(room.asking(), recovery, CHOSEN)) is Step.IDENTITY
    await room.confirmed(account)
    await room.recoveries.set_password(room.asking(), recovery, CHOSEN)
    assert await not_due(room.recoveries.set_password(room.asking(), second, CHOSEN)) is Step.IDENTITY


@pytest.mark.attack("R3")
async def test_a_confirmation_that_is_taken_back_at_the_last_moment_writes_nothing(room: Room) -> None:
    account = await room.someone()
    recovery = await room.begin()
    await room.confirmed(account)
    room.meddler.before_next("hashes.hash", lambda: room.proofs.revoke("browser-1", account, Operation.RECOVER))
    assert await not_due(room.recoveries.set_password(room.asking(), recovery, CHOSEN)) is Step.IDENTITY
    assert await room.password_is(account, OLD)


@pytest.mark.attack("P7", "R4")
async def test_a_confirmation_is_void_when_sessions_are_ended_while_the_password_is_hashed(room: Room) -> None:
    account = await room.someone()
    recovery = await room.begin()
    await room.confirmed(account)
    room.meddler.before_next("hashes.hash", lambda: room.sessions.end_others(account, None, SessionEnd.CHOSEN))
    assert await not_due(room.recoveries.set_password(room.asking(), recovery, CHOSEN)) is Step.IDENTITY
    assert await room.password_is(account, OLD)


@pytest.mark.attack("R3", "R4")
async def test_a_second_post_that_finds_sessions_ended_by_the_first_takes_no_confirmation_from_it(room: Room) -> None:
    account = await room.someone()
    recovery = await room.begin()
    await room.confirmed(account)
    led: list[Step] = []

    async def second() -> None:
        led.append(await not_due(room.recoveries.set_password(room.asking(), recovery, CHOSEN)))

    room.meddler.before_next("proofs.take", second)
    await room.recoveries.set_password(room.asking(), recovery, CHOSEN)
    assert led == [Step.IDENTITY]
    assert await room.password_is(account, NEW)


# ---------------------------------------------------------------------------------------------- names that nobody has


def unknown(kind: str, *, phone: bool = True) -> str:
    """Return a name of a kind that nobody has, whose decoy has a phone and a document, or has neither."""
    names = {
        "username": (f"nobody_{turn}" for turn in range(99)),
        "phone": (f"154000001{turn:02d}" for turn in range(99)),
        "document": (f"H999900{turn:02d}" for turn in range(99)),
    }
    for name in names[kind]:
        facts = decoy(read(name), NumberRange.SYNTHETIC, PSEUDONYMS)
        if bool(facts.number) is phone and bool(facts.document_shown) is phone:
            return name
    raise AssertionError(kind)


class Cost(Struct, frozen=True):
    """What every step of somebody without the phone asked of stores, and how it ended."""

    begun: Counter[str]
    looked: Counter[str]
    sent: Counter[str]
    guessed: Counter[str]
    refusals: tuple[tuple[str, object], ...]


async def whole_cost(room: Room, name: str) -> Cost:
    asking = room.asking(f"browser-of-{name}")
    naming = await room.naming(name, asking)
    room.counted()
    recovery = await room.recoveries.begin(asking, Surface.PC, naming)
    begun = room.counted()
    await room.recoveries.look(asking, recovery)
    looked = room.counted()
    await room.send_code(recovery, asking, ZHANG.number)
    sent = room.counted()
    refusals = []
    for _ in range(6):
        typed = Proving(document=ZHANG.number, code=room.wrong_code)
        error = await refusal(room.recoveries.prove(asking, recovery, typed))
        refusals.append((error.code, getattr(error, "tries_left", None)))
    guessed = room.counted()
    for _ in range(4):
        error = await refusal(room.send_code(recovery, asking))
        refusals.append((error.code, getattr(error, "retry_after", None)))
        with suppress(SmsHourly, RateLimited):
            room.clock.advance(61)
            await room.send_code(recovery, asking)
    return Cost(begun, looked, sent, guessed, tuple(refusals))


@pytest.mark.req("REC-2", "REC-4")
@pytest.mark.attack("R1")
@pytest.mark.parametrize(("known", "kind"), [("zhang_san", "username"), (NUMBER, "phone"), (ZHANG.number, "document")])
async def test_a_name_that_nobody_has_takes_every_step_on_the_same_stores_and_limits(
    room: Room, known: str, kind: str
) -> None:
    await room.someone(document=ZHANG)
    of_somebody = await whole_cost(room, known)
    messages = len(room.postman.sent)
    assert messages == 3, "strangers may ask for three"
    room.clock.advance(2 * HOUR // SECOND)
    of_nobody = await whole_cost(room, unknown(kind))
    assert of_nobody == of_somebody
    assert len(room.postman.sent) == messages, "nobody is sent anything"
    assert "hashes.hash" not in of_somebody.begun + of_somebody.guessed


@pytest.mark.req("REC-2")
@pytest.mark.attack("R1")
@pytest.mark.parametrize(("known", "kind"), [("zhang_san", "username"), (ZHANG.number, "document")])
async def test_an_account_without_a_phone_and_a_decoy_without_one_are_alike(room: Room, known: str, kind: str) -> None:
    await room.someone(document=ZHANG, phone=None)
    alike = []
    for name in (known, unknown(kind, phone=False)):
        naming = await room.naming(name)
        room.counted()
        recovery = await room.recoveries.begin(room.asking(), Surface.PC, naming)
        step = await room.step(recovery)
        sent = await not_due(room.send_code(recovery))
        calls = room.counted()
        facts = await room.facts(recovery)
        alike.append((calls, step, sent, facts.number, facts.number_shown, facts.document_shown))
    assert alike[0] == alike[1]


@pytest.mark.req("REC-2")
@pytest.mark.attack("R1")
@pytest.mark.parametrize("name", ["zhang_san", "nobody_at_all"])
async def test_a_recovery_begins_a_whole_step_after_its_name_was_looked_up_whoevers_it_is(
    room: Room, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    await room.someone()
    naming = await room.naming(name)
    passed = 0.0
    done_before: Counter[str] = Counter()

    async def sleep(seconds: float) -> None:
        nonlocal passed
        passed += seconds
        done_before.update(room.meddler.calls)

    stopped = SimpleNamespace(time=lambda: passed)
    monkeypatch.setattr("bjidp.accounts.evenly.asyncio", SimpleNamespace(get_running_loop=lambda: stopped, sleep=sleep))
    room.counted()
    await room.recoveries.begin(room.asking(), Surface.PC, naming)
    assert passed == STEP, "on a clock that goes on for nothing else"
    assert done_before == room.counted(), "nothing is left to do then"
    assert {"members.find", "drafts.add"} <= done_before.keys()


@pytest.mark.req("REC-2")
@pytest.mark.attack("R1")
async def test_a_name_that_nobody_has_is_the_same_decoy_for_everybody(room: Room) -> None:
    shown = set()
    for browser in ("browser-1", "browser-2"):
        for typed in ("nobody_at_all", " Nobody_At_All "):
            recovery = await room.begin(typed, room.asking(browser))
            facts = (await room.drafts.read(browser, recovery)).facts
            shown.add((facts.number_shown, facts.document_shown, facts.account))
    assert len(shown) == 1


@pytest.mark.attack("R1")
async def test_a_guess_that_hits_a_decoys_code_leads_nowhere(room: Room) -> None:
    recovery = await room.begin("15400000099")
    number = MobileNumber("15400000099")
    code = await room.codes.issue(Binding(Purpose.RECOVER, by_sms(number), recovery))
    typed = Proving(document=ZHANG.number, code=code.text())
    assert isinstance(await refusal(room.recoveries.prove(room.asking(), recovery, typed)), VerificationCodeExpired)
    assert await room.step(recovery) is Step.IDENTITY
    assert (await room.facts(recovery)).asks_code


@pytest.mark.attack("R1", "O11")
async def test_messages_to_a_typed_number_count_as_on_every_page_whether_it_is_somebodys_or_not(room: Room) -> None:
    await room.someone()
    for number in (NUMBER, "15400000099"):
        await room.send_code(await room.begin_on_phone(number))
        again = await refusal(room.send_code(await room.begin(number)))
        assert type(again) is RateLimited


@pytest.mark.attack("R1")
async def test_the_absent_account_of_a_decoy_is_proved_by_nobody(room: Room) -> None:
    account = await room.someone()
    recovery = await room.begin("nobody_at_all")
    assert len((await room.facts(recovery)).account) == len(account)
    await room.confirmed(account)
    assert await room.step(recovery) is Step.IDENTITY


# ---------------------------------------------------------------------------------------------------------- on a phone


@pytest.mark.req("REC-3")
async def test_on_a_phone_the_number_and_its_code_are_enough(room: Room) -> None:
    account = await room.someone(document=ZHANG)
    recovery = await room.begin_on_phone()
    await room.send_code(recovery)
    assert await room.recoveries.prove(room.asking(), recovery, Proving(code=room.code)) is Step.PASSWORD
    await room.recoveries.set_password(room.asking(), recovery, CHOSEN)
    assert await room.password_is(account, NEW)


@pytest.mark.req("REC-3", "LOG-6")
async def test_on_a_phone_a_number_nobody_proved_for_sixty_days_needs_the_document(room: Room) -> None:
    await room.someone(document=ZHANG)
    room.clock.advance(UNUSED // SECOND + 1)
    recovery = await room.begin_on_phone()
    await room.send_code(recovery)
    assert await room.recoveries.prove(room.asking(), recovery, Proving(code=room.code)) is Step.IDENTITY
    wrong = Proving(document="99990001")
    assert told(await refusal(room.recoveries.prove(room.asking(), recovery, wrong))) == [("document", "wrong")]
    right = Proving(document=ZHANG.number)
    assert await room.recoveries.prove(room.asking(), recovery, right) is Step.PASSWORD


@pytest.mark.req("LOG-6")
async def test_a_number_counts_as_used_once_everything_was_proved_and_not_before(room: Room) -> None:
    account = await room.someone(document=ZHANG)
    used = (await room.member(account)).phone_used_at
    room.clock.advance(UNUSED // SECOND + 1)
    recovery = await room.begin()
    await room.send_code(recovery)
    typed = Proving(document="99990001", code=room.code)
    await refusal(room.recoveries.prove(room.asking(), recovery, typed))
    assert (await room.member(account)).phone_used_at == used
    await room.recoveries.prove(room.asking(), recovery, Proving(document=ZHANG.number))
    assert (await room.member(account)).phone_used_at == room.clock.now()


@pytest.mark.req("REC-3", "REC-4")
@pytest.mark.attack("R1")
async def test_on_a_phone_whoever_proves_a_number_is_told_that_nobody_has_it_and_nobody_else(room: Room) -> None:
    await room.someone()
    costs = []
    for number in (NUMBER, "15400000099"):
        asking = room.asking(f"browser-of-{number}")
        room.counted()
        recovery = await room.begin_on_phone(number, asking)
        await room.send_code(recovery, asking)
        wrong = await refusal(room.recoveries.prove(asking, recovery, Proving(code=room.wrong_code)))
        assert isinstance(wrong, VerificationCodeWrong)
        costs.append(room.counted())
        last = await room.recoveries.prove(asking, recovery, Proving(code=room.code))
        costs.append(last)  # type: ignore[arg-type]
    assert costs[0] == costs[2]
    assert [costs[1], costs[3]] == [Step.PASSWORD, Step.NOBODY]
    assert [sms.to for sms in room.postman.sent] == [NUMBER, "15400000099"]


@pytest.mark.req("REC-3")
async def test_a_number_of_another_range_is_refused_before_anything_is_done_with_it(room: Room) -> None:
    assert told(await refusal(room.begin_on_phone("13800000000"))) == [("phone", "not_served")]
    assert told(await refusal(room.begin_on_phone("1234"))) == [("phone", "form")]


# ------------------------------------------------------------------------------------------------- captchas and limits


@pytest.mark.req("REC-1")
@pytest.mark.attack("O11")
async def test_a_captcha_serves_once_for_a_name_and_once_for_a_code(room: Room) -> None:
    await room.someone()
    naming = await room.naming()
    recovery = await room.recoveries.begin(room.asking(), Surface.PC, naming)
    assert isinstance(await refusal(room.recoveries.begin(room.asking(), Surface.PC, naming)), CaptchaWrong)
    used = Proving(captcha=SHOWN, captcha_id=naming.captcha_id)
    assert isinstance(await refusal(room.recoveries.send_code(room.asking(), recovery, used)), CaptchaWrong)
    assert told(await refusal(room.recoveries.send_code(room.asking(), recovery, Proving()))) == [
        ("captcha", "missing")
    ]
    assert room.postman.sent == []


@pytest.mark.req("REC-1", "UX-5")
async def test_what_is_missing_in_the_first_form_costs_no_captcha(room: Room) -> None:
    naming = await room.naming("")
    assert told(await refusal(room.recoveries.begin(room.asking(), Surface.PC, naming))) == [("account", "missing")]
    named = replace(naming, name="zhang_san")
    assert await room.recoveries.begin(room.asking(), Surface.PC, named)


@pytest.mark.attack("R1")
async def test_a_browser_asks_about_so_many_names_and_no_more(room: Room) -> None:
    for turn in range(30):
        await room.begin(f"nobody_{turn}")
    assert isinstance(await refusal(room.begin("nobody_30")), RateLimited)
    assert await room.begin("nobody_30", room.asking("browser-2"))


@pytest.mark.req("FAQ-1")
@pytest.mark.attack("O12")
async def test_a_browser_the_account_has_logged_in_on_has_its_owners_share_of_messages(room: Room) -> None:
    account = await room.someone()
    strangers, owners = room.asking("browser-s"), room.asking("browser-o", account)
    for _ in range(3):
        await room.send_code(await room.begin(asking=strangers), strangers)
        room.clock.advance(61)
    assert isinstance(await refusal(room.send_code(await room.begin(asking=strangers), strangers)), SmsHourly)
    await room.send_code(await room.begin(asking=owners), owners)
    room.clock.advance(61)
    await room.send_code(await room.begin_on_phone(asking=owners), owners)
    assert len(room.postman.sent) == 5


# ---------------------------------------------------------------------------------- what a code and a flow are bound to


@pytest.mark.attack("O10")
async def test_a_code_of_another_purpose_another_recovery_or_another_number_is_unknown(room: Room) -> None:
    await room.someone()
    recovery, other = await room.begin(), await room.begin()
    number = MobileNumber(NUMBER)
    await room.send_code(recovery)
    for_recovery = room.code
    for_login = await room.codes.issue(Binding(Purpose.LOGIN, by_sms(number), recovery))
    foreign = await room.codes.issue(Binding(Purpose.RECOVER, by_sms(MobileNumber(OTHER_NUMBER)), recovery))
    for code in {for_login.text(), foreign.text()} - {for_recovery}:
        wrong = await refusal(room.recoveries.prove(room.asking(), recovery, Proving(code=code)))
        assert isinstance(wrong, VerificationCodeWrong)
    unsent = await refusal(room.recoveries.prove(room.asking(), other, Proving(code=for_recovery)))
    assert isinstance(unsent, VerificationCodeExpired)
    assert await room.recoveries.prove(room.asking(), recovery, Proving(code=for_recovery)) is Step.PASSWORD


@pytest.mark.attack("O10")
async def test_a_recovery_is_unknown_in_another_browser_at_every_step(room: Room) -> None:
    await room.someone()
    recovery = await room.proved()
    stranger = room.asking("browser-2")
    for act in (
        room.recoveries.look(stranger, recovery),
        room.send_code(recovery, stranger),
        room.recoveries.prove(stranger, recovery, Proving(code=room.code)),
        room.recoveries.set_password(stranger, recovery, CHOSEN),
        room.recoveries.look(room.asking(), None),
        room.recoveries.look(room.asking(), "x" * 22),
    ):
        assert isinstance(await refusal(act), DraftUnknown)


@pytest.mark.attack("O1")
async def test_the_sixth_wrong_code_finds_the_code_dead_and_so_does_the_right_one_after_it(room: Room) -> None:
    await room.someone()
    recovery = await room.begin()
    await room.send_code(recovery)
    for left in (4, 3, 2, 1, 0):
        wrong = await refusal(room.recoveries.prove(room.asking(), recovery, Proving(code=room.wrong_code)))
        assert isinstance(wrong, VerificationCodeWrong)
        assert wrong.tries_left == left
    for code in (room.wrong_code, room.code):
        dead = await refusal(room.recoveries.prove(room.asking(), recovery, Proving(code=code)))
        assert isinstance(dead, VerificationCodeExpired)


@pytest.mark.attack("O9")
async def test_the_same_right_form_sent_many_times_at_once_proves_once_and_fails_never(room: Room) -> None:
    await room.someone()
    recovery = await room.begin()
    await room.send_code(recovery)
    typed = Proving(code=room.code)
    posts = [room.recoveries.prove(room.asking(), recovery, typed) for _ in range(8)]
    ends = await asyncio.gather(*posts, return_exceptions=True)
    steps = {end.step if isinstance(end, NotDue) else end for end in ends}
    assert steps == {Step.PASSWORD}


@pytest.mark.req("REC-4")
@pytest.mark.attack("O9")
async def test_a_right_form_sent_twice_waits_for_what_the_first_is_about_to_note(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    await room.someone()
    recovery = await room.begin()
    await room.send_code(recovery)
    typed = Proving(code=room.code)
    first, second = await posted_twice(
        monkeypatch, room.meddler, "drafts.replace", lambda: room.recoveries.prove(room.asking(), recovery, typed)
    )
    assert first is Step.PASSWORD
    assert isinstance(second, NotDue)
    assert second.step is Step.PASSWORD


# -------------------------------------------------------------------------------------------------------- one use (R3)


@pytest.mark.attack("R3")
async def test_of_many_new_passwords_at_once_one_is_written(room: Room) -> None:
    account = await room.someone()
    recovery = await room.proved()
    passwords = [f"Wansui-{turn}x" for turn in range(3)]
    posts = [
        room.recoveries.set_password(room.asking(), recovery, Choosing(password=text, again=text)) for text in passwords
    ]
    ends = await asyncio.gather(*posts, return_exceptions=True)
    assert sorted(type(end).__name__ for end in ends) == ["NotDue", "NotDue", "Standing"]
    assert len(room.rows("SELECT 1 FROM audit_event WHERE kind = 'password.reset'")) == 1
    assert await room.step(recovery) is Step.DONE
    assert await room.password_is(account, passwords[[isinstance(end, Standing) for end in ends].index(True)])


@pytest.mark.attack("R3")
async def test_a_post_that_another_one_overtakes_is_led_to_its_end_and_takes_nothing_from_it(room: Room) -> None:
    account = await room.someone()
    for call in ("hashes.hash", "members.member", "sessions.end_others", "drafts.replace"):
        recovery = await room.proved()
        other = Choosing(password="Other-wansui-9", again="Other-wansui-9")
        room.meddler.before_next(call, partial(room.recoveries.set_password, room.asking(), recovery, CHOSEN))
        assert await not_due(room.recoveries.set_password(room.asking(), recovery, other)) is Step.DONE
        assert await room.password_is(account, NEW)
        assert await room.step(recovery) is Step.DONE
        room.clock.advance(20 * 60)
        await room.change_password(account, call)


@pytest.mark.attack("R3")
async def test_a_recovery_that_is_done_does_nothing_more_and_keeps_nothing(room: Room) -> None:
    account = await room.someone()
    recovery = await room.proved()
    await room.recoveries.set_password(room.asking(), recovery, CHOSEN)
    other = Choosing(password="Other-wansui-9", again="Other-wansui-9")
    typed = Proving(code=room.code)
    assert await not_due(room.recoveries.set_password(room.asking(), recovery, other)) is Step.DONE
    assert await not_due(room.recoveries.prove(room.asking(), recovery, typed)) is Step.DONE
    assert await not_due(room.send_code(recovery)) is Step.DONE
    assert await room.password_is(account, NEW)
    facts = await room.facts(recovery)
    assert (facts.account, facts.number, facts.mark, facts.shown) == ("", None, "", "")


@pytest.mark.attack("R3")
async def test_a_change_of_password_or_phone_meanwhile_ends_the_recovery(room: Room) -> None:
    account = await room.someone()
    by_password = await room.proved()
    room.clock.advance(61)
    by_phone = await room.proved()
    unproved = await room.begin()
    room.clock.advance(61)
    await room.send_code(unproved)
    await room.sql.members.set_phone(account, OTHER_NUMBER, room.clock.now())
    ended = await refusal(room.recoveries.set_password(room.asking(), by_phone, CHOSEN))
    assert isinstance(ended, DraftUnknown)
    await room.sql.members.set_phone(account, NUMBER, room.clock.now())
    await room.change_password(account, "Wansui-6x")
    for act in (
        room.recoveries.set_password(room.asking(), by_password, CHOSEN),
        room.recoveries.prove(room.asking(), unproved, Proving(code=room.code)),
        room.recoveries.look(room.asking(), by_password),
    ):
        assert isinstance(await refusal(act), DraftUnknown)
    assert await room.password_is(account, "Wansui-6x")


@pytest.mark.attack("R3")
async def test_a_password_that_is_changed_in_the_very_moment_of_the_write_stays(room: Room) -> None:
    account = await room.someone()
    recovery = await room.proved()
    room.meddler.before_next("members.set_password", lambda: room.change_password(account, "Wansui-6x"))
    ended = await refusal(room.recoveries.set_password(room.asking(), recovery, CHOSEN))
    assert isinstance(ended, DraftUnknown)
    assert await room.password_is(account, "Wansui-6x")
    assert isinstance(await refusal(room.recoveries.look(room.asking(), recovery)), DraftUnknown)


@pytest.mark.attack("R3")
async def test_a_proof_is_over_after_a_quarter_of_an_hour_and_the_recovery_after_half_an_hour(room: Room) -> None:
    await room.someone()
    recovery = await room.proved()
    room.clock.advance(15 * 60)
    assert (await room.recoveries.look(room.asking(), recovery))[1] is Step.PASSWORD
    room.clock.advance(1)
    assert await not_due(room.recoveries.set_password(room.asking(), recovery, CHOSEN)) is Step.IDENTITY
    room.clock.advance(15 * 60)
    with pytest.raises(DraftUnknown):
        await room.recoveries.look(room.asking(), recovery)


@pytest.mark.req("REC-1", "UX-5")
async def test_a_faulty_new_password_costs_nothing(room: Room) -> None:
    await room.someone()
    recovery = await room.proved()
    for password, fault in (("short", "length"), ("Password-1", "leaked"), ("zhang_san-8", "named")):
        chosen = Choosing(password=password, again=password)
        refused = await refusal(room.recoveries.set_password(room.asking(), recovery, chosen))
        assert told(refused) == [("password", fault)]
    assert await room.step(recovery) is Step.PASSWORD


# ----------------------------------------------------------------------------------- stores that fail between two steps


@pytest.mark.req("REC-4")
async def test_sessions_that_cannot_be_ended_keep_the_password_from_being_written(room: Room) -> None:
    account = await room.someone()
    recovery = await room.proved()
    room.meddler.breaks("sessions.end_others")
    assert isinstance(await refusal(room.recoveries.set_password(room.asking(), recovery, CHOSEN)), StoreUnavailable)
    assert await room.password_is(account, OLD)
    room.meddler.mends()
    await room.recoveries.set_password(room.asking(), recovery, CHOSEN)
    assert await room.password_is(account, NEW)


@pytest.mark.req("REC-4")
async def test_a_write_that_fails_uses_the_recovery_up_and_has_ended_the_sessions(room: Room) -> None:
    account = await room.someone()
    await room.log_in(account)
    recovery = await room.proved()
    room.meddler.breaks("members.set_password")
    assert isinstance(await refusal(room.recoveries.set_password(room.asking(), recovery, CHOSEN)), StoreUnavailable)
    room.meddler.mends()
    assert await room.step(recovery) is Step.SAVING
    room.clock.advance(SAVING // SECOND)
    assert await room.step(recovery) is Step.SPENT
    assert await not_due(room.recoveries.set_password(room.asking(), recovery, CHOSEN)) is Step.SPENT
    assert await room.password_is(account, OLD)
    assert await room.sessions.of_account(account) == []


@pytest.mark.req("REC-4")
async def test_a_login_under_way_is_ended_after_the_write(room: Room) -> None:
    account = await room.someone()
    recovery = await room.proved()
    room.meddler.before_next("members.set_password", lambda: room.log_in(account))
    await room.recoveries.set_password(room.asking(), recovery, CHOSEN)
    assert await room.sessions.of_account(account) == []


@pytest.mark.req("REC-4")
async def test_a_password_that_is_written_is_said_to_be_even_if_the_last_look_at_sessions_fails(room: Room) -> None:
    account = await room.someone()
    recovery = await room.proved()

    async def then_break() -> None:
        room.meddler.breaks("sessions.end_others")

    room.meddler.before_next("members.set_password", then_break)
    with capture_logs() as logs:
        await room.recoveries.set_password(room.asking(), recovery, CHOSEN)
    assert [(line["event"], line["account_ref"]) for line in logs if line["log_level"] == "error"] == [
        ("sessions_not_ended", (await room.member(account)).standing.ref)
    ]
    assert await room.step(recovery) is Step.DONE


@pytest.mark.attack("O5")
@pytest.mark.parametrize("store", ["captchas", "throttle", "members", "drafts"])
async def test_no_name_is_taken_while_a_store_is_down(room: Room, store: str) -> None:
    await room.someone()
    naming = await room.naming()
    room.meddler.breaks(store)
    assert isinstance(await refusal(room.recoveries.begin(room.asking(), Surface.PC, naming)), StoreUnavailable)


@pytest.mark.attack("R3", "Q21")
async def test_a_locked_account_gets_no_password(room: Room) -> None:
    account = await room.someone()
    recovery = await room.proved()
    room.rows("UPDATE account SET status = 'locked' WHERE id = ?", account)
    assert isinstance(await refusal(room.recoveries.set_password(room.asking(), recovery, CHOSEN)), AccountRefused)
    assert await room.password_is(account, OLD)


@pytest.mark.req("PRV-1")
async def test_nothing_of_the_account_is_in_a_log(room: Room) -> None:
    await room.someone(document=ZHANG)
    with capture_logs() as logs:
        recovery = await room.proved(document=ZHANG.number)
        await room.recoveries.set_password(room.asking(), recovery, CHOSEN)
    assert not any(secret in repr(logs) for secret in (NUMBER, ZHANG.number, NEW, "zhang_san", room.code))


def test_a_form_shows_nothing_of_itself() -> None:
    assert "secret" not in repr([Naming(name="secret"), Proving(code="secret"), Choosing(password="secret")])
