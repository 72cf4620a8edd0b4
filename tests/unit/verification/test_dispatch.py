"""What sending a code counts, keeps and tells, and that nobody waits for it."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

import pytest
from structlog.testing import capture_logs

from bjidp.clock import ManualClock
from bjidp.entropy import SeededEntropy
from bjidp.errors import RateLimited, StoreUnavailable, TooBusy, VendorUnavailable
from bjidp.records import Held
from bjidp.storage.memory.records import MemoryRecords
from bjidp.storage.memory.throttle import MemoryThrottle
from bjidp.throttle.ports import Window
from bjidp.throttle.source import Source
from bjidp.vendors.ports.mail import Mail, MailAccepted, MailAnswer, MailRefusal, MailRefused
from bjidp.vendors.ports.sms import Sms, SmsAccepted, SmsAnswer, SmsRefusal, SmsRefused, SmsReport
from bjidp.verification.code import BY_SMS, Binding, Code, Purpose, by_mail
from bjidp.verification.codes import Codes, CodeWindows
from bjidp.verification.dispatch import ByMail, Dispatches, Sent
from bjidp.verification.errors import DispatchUnknown, MailNotOffered, SmsNotOffered
from bjidp.verification.limits import SmsLimits, SmsWindows
from bjidp.verification.ranges import NumberRange
from bjidp.verification.sending import Dispatch, Failure, Outcome
from bjidp.verification.tally import Tally
from bjidp.web.words.code_words import CodeWords
from bjidp.web.words.texts import Texts
from tests.support.verification import PSEUDONYMS, binding, mail, mail_limits, number

T = TypeVar("T")
M = TypeVar("M")
A = TypeVar("A")

NOWHERE = Source(None)
ACCEPTED = SmsAccepted("chuanglan", "1")
TEXTS = Texts.load("zh_CN")


class Post(Generic[M, A]):
    """A sender whose every message waits for the test to say what becomes of it."""

    def __init__(self) -> None:
        self.taken: list[M] = []
        self._ends: list[asyncio.Future[A]] = []

    async def send(self, message: M) -> A:
        self.taken.append(message)
        self._ends.append(asyncio.get_running_loop().create_future())
        return await self._ends[-1]

    def answers(self, answer: A | Exception) -> None:
        """End every message that waits."""
        for end in self._ends:
            if end.done():
                continue
            if isinstance(answer, Exception):
                end.set_exception(answer)
            else:
                end.set_result(answer)

    @property
    def waiting(self) -> int:
        return sum(not end.done() for end in self._ends)


class Counting(MemoryRecords[T]):
    """Records that count what is asked of them."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.calls: Counter[str] = Counter()
        self.down = False

    def _note(self, call: str) -> None:
        self.calls[call] += 1
        if self.down:
            raise StoreUnavailable

    async def add(self, key: str, value: T, lifetime: int) -> None:
        self._note("add")
        await super().add(key, value, lifetime)

    async def get(self, key: str) -> Held[T] | None:
        self._note("get")
        return await super().get(key)

    async def replace(self, key: str, value: T, expected: int, lifetime: int | None = None) -> int:
        self._note("replace")
        return await super().replace(key, value, expected, lifetime)


class CountingThrottle(MemoryThrottle):
    """A throttle that counts what is asked of it."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.calls: Counter[str] = Counter()

    async def hit(self, key: str, *windows: Window) -> None:
        self.calls["hit"] += 1
        await super().hit(key, *windows)

    async def peek(self, key: str, window: Window) -> int:
        self.calls["peek"] += 1
        return await super().peek(key, window)


class Room:
    """Dispatches over stores that count, with time that the test moves."""

    def __init__(self, clock: ManualClock, entropy: SeededEntropy, *, most: int = 64, offered: bool = True) -> None:
        self.clock = clock
        self.post: Post[Sms, SmsAnswer] = Post()
        self.mail_post: Post[Mail, MailAnswer] = Post()
        self.slept: list[float] = []
        self.codes_kept: Counting[Code] = Counting(clock)
        self.tallies: Counting[Tally] = Counting(clock)
        self.kept: Counting[Dispatch] = Counting(clock)
        self.throttle = CountingThrottle(clock)
        self.codes = Codes(
            records=self.codes_kept,
            throttle=self.throttle,
            pseudonyms=PSEUDONYMS,
            entropy=entropy,
            windows=CodeWindows(),
        )
        self.dispatches = Dispatches(
            codes=self.codes,
            numbers=NumberRange.SYNTHETIC,
            limits=SmsLimits(tallies=self.tallies, throttle=self.throttle, pseudonyms=PSEUDONYMS, windows=SmsWindows()),
            sender=self.post if offered else None,
            mail=ByMail(sender=self.mail_post, limits=mail_limits(self.throttle), words=CodeWords(TEXTS))
            if offered
            else None,
            words=CodeWords(TEXTS),
            records=self.kept,
            pseudonyms=PSEUDONYMS,
            entropy=entropy,
            stopwatch=lambda: self.clock.now() / 1000,
            sleep=self._sleep,
            most=most,
        )

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)

    async def ask(
        self, phone: str = "15400000001", purpose: Purpose = Purpose.LOGIN, *, browser: str = "b", real: bool = True
    ) -> Sent:
        return await self.dispatches.sms(
            binding(purpose, phone),
            number(phone),
            holder="holder",
            browser=browser,
            source=NOWHERE,
            owner=True,
            real=real,
        )

    async def ask_by_mail(self, address: str = "chen@mail.example", *, browser: str = "b") -> Sent:
        return await self.dispatches.mail(
            mail_binding(address), mail(address), holder="holder", browser=browser, source=NOWHERE
        )

    async def settled(self) -> None:
        """Let everything happen that waits for nobody."""
        for _ in range(20):
            await asyncio.sleep(0)

    async def ends(self, answer: SmsAnswer | Exception = ACCEPTED) -> None:
        """Let the provider answer."""
        await self.settled()
        self.post.answers(answer)
        await self.settled()

    def counted(self) -> dict[str, Counter[str]]:
        """Return what was asked of every store."""
        return {
            "codes": Counter(self.codes_kept.calls),
            "tallies": Counter(self.tallies.calls),
            "dispatches": Counter(self.kept.calls),
            "throttle": Counter(self.throttle.calls),
        }


def mail_binding(address: str = "chen@mail.example") -> Binding:
    """Return what a code sent by mail is bound to."""
    return Binding(Purpose.BIND_MAIL, by_mail(mail(address)), "flow-1")


def code_of(room: Room) -> str:
    """Return the code in the last SMS."""
    return room.post.taken[-1].parameters[0]


@pytest.fixture
async def room(clock: ManualClock, entropy: SeededEntropy) -> AsyncIterator[Room]:
    room = Room(clock, entropy)
    yield room
    await room.dispatches.close(0)


async def test_the_answer_is_there_before_the_provider_has_the_message(room: Room) -> None:
    sent = await room.ask()
    assert sent.wait == 60
    assert room.post.taken == []
    assert await room.dispatches.outcome("holder", sent.id) is Outcome.SENDING


@pytest.mark.req("FAQ-1")
async def test_a_message_that_the_provider_accepts_is_sent_and_its_code_works(room: Room) -> None:
    sent = await room.ask()
    await room.ends()
    assert await room.dispatches.outcome("holder", sent.id) is Outcome.SENT
    (sms,) = room.post.taken
    assert (sms.to, sms.template, sms.reference) == ("15400000001", "code.login", sent.id)
    assert code_of(room) in sms.text
    await room.codes.use(binding(Purpose.LOGIN), code_of(room))


@pytest.mark.req("UX-5")
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (SmsRefused(SmsRefusal.NUMBER), Failure.NUMBER),
        (SmsRefused(SmsRefusal.FREQUENCY), Failure.BUSY),
        (SmsRefused(SmsRefusal.BALANCE), Failure.UNAVAILABLE),
        (SmsRefused(SmsRefusal.CONTENT), Failure.UNAVAILABLE),
        (VendorUnavailable(), Failure.UNAVAILABLE),
        (ZeroDivisionError("15400000001"), Failure.UNAVAILABLE),
    ],
    ids=str,
)
async def test_a_message_that_is_not_taken_has_failed_for_a_reason(
    room: Room, answer: SmsAnswer | Exception, reason: Failure
) -> None:
    sent = await room.ask()
    with capture_logs() as lines:
        await room.ends(answer)
    progress = await room.dispatches.progress("holder", sent.id)
    assert (progress.outcome, progress.reason) == (Outcome.FAILED, reason)
    assert TEXTS.plain(f"dispatch.sms.{reason}")
    assert "15400000001" not in str(lines)


async def test_the_code_of_a_message_that_seems_lost_is_good_if_it_comes(room: Room) -> None:
    await room.ask()
    await room.ends(VendorUnavailable())
    await room.codes.use(binding(Purpose.LOGIN), code_of(room))


async def test_a_provider_that_never_answers_has_failed_when_its_time_is_over(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bjidp.verification.dispatch.PATIENCE", 0.0)
    sent = await room.ask()
    await room.settled()
    assert await room.dispatches.outcome("holder", sent.id) is Outcome.FAILED


async def test_a_message_lost_with_its_process_has_failed_after_twenty_seconds(room: Room) -> None:
    sent = await room.ask()
    await room.settled()
    await room.dispatches.close(0)
    assert await room.dispatches.outcome("holder", sent.id) is Outcome.SENDING
    room.clock.advance(20)
    progress = await room.dispatches.progress("holder", sent.id)
    assert (progress.outcome, progress.reason) == (Outcome.FAILED, Failure.UNAVAILABLE)


async def test_an_end_outlives_the_time_of_sending(room: Room) -> None:
    sent = await room.ask()
    await room.ends()
    room.clock.advance(599)
    assert await room.dispatches.outcome("holder", sent.id) is Outcome.SENT
    room.clock.advance(1)
    with pytest.raises(DispatchUnknown):
        await room.dispatches.outcome("holder", sent.id)


@pytest.mark.parametrize("dispatch", ["", "0" * 32, "x", "A" * 32, "０" * 32, "f" * 33])
async def test_what_was_never_sent_is_unknown(room: Room, dispatch: str) -> None:
    with pytest.raises(DispatchUnknown):
        await room.dispatches.outcome("holder", dispatch)


async def test_what_somebody_else_had_sent_is_unknown(room: Room) -> None:
    sent = await room.ask()
    with pytest.raises(DispatchUnknown):
        await room.dispatches.outcome("another", sent.id)


@pytest.mark.req("FAQ-1")
@pytest.mark.attack("O11")
async def test_what_is_refused_is_neither_issued_nor_sent(room: Room) -> None:
    await room.ask()
    await room.ends()
    issued = room.counted()["codes"]
    with pytest.raises(RateLimited):
        await room.ask(browser="another")
    await room.settled()
    assert len(room.post.taken) == 1
    assert room.counted()["codes"] == issued
    await room.codes.use(binding(Purpose.LOGIN), code_of(room))


async def test_beyond_what_may_be_under_way_nothing_is_counted(clock: ManualClock, entropy: SeededEntropy) -> None:
    room = Room(clock, entropy, most=2)
    await room.ask("15400000001", browser="1")
    await room.ask("15400000002", browser="2")
    before = room.counted()
    with pytest.raises(TooBusy):
        await room.ask("15400000003", browser="3")
    with pytest.raises(TooBusy):
        await room.ask("15400000003", browser="3", real=False)
    assert room.counted() == before
    await room.ends()
    await room.ask("15400000003", browser="3")
    await room.ends()


async def test_what_was_not_begun_is_not_under_way(clock: ManualClock, entropy: SeededEntropy) -> None:
    room = Room(clock, entropy, most=1)
    room.kept.down = True
    for turn in range(3):
        with pytest.raises(StoreUnavailable):
            await room.ask(f"1540000000{turn}", browser=f"{turn}")
    assert room.post.taken == []
    room.kept.down = False
    await room.ask("15400000009", browser="9")
    await room.ends()
    assert len(room.post.taken) == 1


async def test_without_a_provider_nothing_is_counted(clock: ManualClock, entropy: SeededEntropy) -> None:
    room = Room(clock, entropy, offered=False)
    for real in (True, False):
        with pytest.raises(SmsNotOffered):
            await room.ask(real=real)
    with pytest.raises(MailNotOffered):
        await room.ask_by_mail()
    assert all(not calls for calls in room.counted().values())


async def test_an_end_that_cannot_be_written_is_reported_and_reads_as_failed_in_time(room: Room) -> None:
    sent = await room.ask()
    await room.settled()
    room.kept.down = True
    with capture_logs() as lines:
        await room.ends()
    room.kept.down = False
    assert "dispatch_unwritten" in {line["event"] for line in lines}
    room.clock.advance(20)
    assert await room.dispatches.outcome("holder", sent.id) is Outcome.FAILED


async def test_closing_waits_for_what_is_under_way(room: Room) -> None:
    sent = await room.ask()
    await room.settled()
    closing = asyncio.create_task(room.dispatches.close())
    await room.settled()
    assert not closing.done()
    await room.ends()
    await closing
    assert await room.dispatches.outcome("holder", sent.id) is Outcome.SENT


async def test_closing_gives_up_what_takes_too_long(room: Room) -> None:
    await room.ask()
    await room.settled()
    assert room.post.waiting == 1
    await room.dispatches.close(0)
    assert room.post.waiting == 0


@pytest.mark.attack("R1")
async def test_a_decoy_asks_of_every_store_what_a_real_message_asks(clock: ManualClock, entropy: SeededEntropy) -> None:
    asked = []
    answered = []
    for real in (True, False):
        room = Room(clock, entropy)
        with capture_logs() as lines:
            sent = await room.ask(purpose=Purpose.RECOVER, real=real)
            progress = await room.dispatches.progress("holder", sent.id)
            await room.ends()
            end = await room.dispatches.progress("holder", sent.id)
        asked.append(room.counted())
        answered.append((sent.wait, len(sent.id), progress, end, [{**line, "dispatch": ""} for line in lines]))
        with pytest.raises(RateLimited):
            await room.ask(purpose=Purpose.RECOVER, browser="another", real=not real)
        assert len(room.post.taken) == (1 if real else 0)
    assert asked[0] == asked[1]
    assert answered[0] == answered[1]


@pytest.mark.attack("R1")
async def test_a_decoy_ends_when_and_how_recent_messages_ended(room: Room) -> None:
    for turn in range(8):
        await room.ask(f"1540000010{turn}", browser=f"{turn}")
        await room.settled()
        room.clock.advance(2.5)
        await room.ends(VendorUnavailable())
    sent = await room.ask(purpose=Purpose.RECOVER, real=False)
    await room.settled()
    assert room.slept == [2.5]
    progress = await room.dispatches.progress("holder", sent.id)
    assert (progress.outcome, progress.reason) == (Outcome.FAILED, Failure.UNAVAILABLE)


@pytest.mark.attack("R1")
async def test_what_befell_one_number_is_not_imitated(room: Room) -> None:
    for turn in range(8):
        await room.ask(f"1540000010{turn}", browser=f"{turn}")
        await room.ends(SmsRefused(SmsRefusal.NUMBER))
    sent = await room.ask(purpose=Purpose.RECOVER, real=False)
    await room.settled()
    assert await room.dispatches.outcome("holder", sent.id) is Outcome.SENT


@pytest.mark.attack("R1")
@pytest.mark.parametrize("refusal", SmsRefusal)
async def test_what_the_provider_says_of_a_number_is_not_told_in_a_recovery(room: Room, refusal: SmsRefusal) -> None:
    sent = await room.ask(purpose=Purpose.RECOVER)
    await room.ends(SmsRefused(refusal))
    assert (await room.dispatches.progress("holder", sent.id)).reason is Failure.UNAVAILABLE


@pytest.mark.attack("O7")
async def test_the_code_is_in_no_log_and_no_answer(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    with capture_logs() as lines:
        sent = await room.ask()
        await room.ends()
        progress = await room.dispatches.progress("holder", sent.id)
    code = code_of(room)
    seen = f"{lines} {caplog.text} {sent} {progress} {room.post.taken} {CodeWords(TEXTS).sms(Purpose.LOGIN, code)}"
    assert lines
    assert code not in seen
    assert "15400000001" not in seen


@pytest.mark.req("UX-5")
@pytest.mark.parametrize("purpose", sorted(BY_SMS))
def test_a_message_says_what_its_code_is_for_how_long_and_that_it_is_nobody_elses(purpose: Purpose) -> None:
    words = CodeWords(TEXTS).sms(purpose, "012345")
    assert words.text.startswith("012345是您")
    assert "5分钟内有效" in words.text
    assert "不要告诉任何人" in words.text
    assert len(words.text) + len("【首都之窗】") <= 70, "one message is paid for, not two"
    assert (words.template, words.parameters) == (f"code.{purpose}", ("012345",))


@pytest.mark.req("UX-5", "ACC-4")
def test_a_mail_says_what_its_code_is_for_how_long_and_that_it_is_nobody_elses() -> None:
    words = CodeWords(TEXTS).mail(Purpose.BIND_MAIL, "012345")
    assert "012345" in words.text
    assert "5分钟内有效" in words.text
    assert "不要告诉任何人" in words.text
    assert "012345" not in words.subject


def test_no_two_purposes_say_the_same() -> None:
    assert len({CodeWords(TEXTS).sms(purpose, "0").text for purpose in BY_SMS}) == len(BY_SMS)


@pytest.mark.req("ACC-4")
async def test_a_mail_that_the_server_accepts_is_sent_and_its_code_works(room: Room) -> None:
    sent = await room.ask_by_mail()
    assert room.mail_post.taken == []
    await room.settled()
    (posted,) = room.mail_post.taken
    assert (posted.to, posted.reference) == ("chen@mail.example", sent.id)
    room.mail_post.answers(MailAccepted())
    await room.settled()
    assert await room.dispatches.outcome("holder", sent.id) is Outcome.SENT
    code = re.search("[0-9]{6}", posted.text)
    assert code is not None
    assert code[0] not in posted.subject
    await room.codes.use(mail_binding(), code[0])


@pytest.mark.req("UX-5", "ACC-4")
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (MailRefused(MailRefusal.ADDRESS), Failure.ADDRESS),
        (MailRefused(MailRefusal.BUSY), Failure.BUSY),
        (MailRefused(MailRefusal.SENDER), Failure.UNAVAILABLE),
        (VendorUnavailable(), Failure.UNAVAILABLE),
    ],
    ids=str,
)
async def test_a_mail_that_is_not_taken_has_failed_for_a_reason(
    room: Room, answer: MailAnswer | Exception, reason: Failure
) -> None:
    sent = await room.ask_by_mail()
    await room.settled()
    room.mail_post.answers(answer)
    await room.settled()
    progress = await room.dispatches.progress("holder", sent.id)
    assert (progress.outcome, progress.reason) == (Outcome.FAILED, reason)
    assert TEXTS.plain(f"dispatch.mail.{reason}")


@pytest.mark.attack("R1")
async def test_mail_is_not_what_decoys_take_after(room: Room) -> None:
    for turn in range(5):
        await room.ask_by_mail(f"chen{turn}@mail.example")
        await room.settled()
        room.mail_post.answers(VendorUnavailable())
        await room.settled()
    sent = await room.ask(purpose=Purpose.RECOVER, real=False)
    await room.settled()
    assert await room.dispatches.outcome("holder", sent.id) is Outcome.SENT


@pytest.mark.attack("O11")
async def test_a_mailbox_is_sent_one_a_minute_five_an_hour_and_ten_a_day(room: Room) -> None:
    for turn in range(5):
        await room.ask_by_mail("Chen+a@mail.example", browser=f"{turn}")
        with pytest.raises(RateLimited):
            await room.ask_by_mail("chen@MAIL.example", browser=f"{turn}")
        room.clock.advance(60)
    with pytest.raises(RateLimited):
        await room.ask_by_mail("chen+b@mail.example")
    room.clock.advance(3600)
    for turn in range(5):
        await room.ask_by_mail(browser=f"{turn}")
        room.clock.advance(60)
    room.clock.advance(3600)
    with pytest.raises(RateLimited):
        await room.ask_by_mail()
    await room.settled()
    assert len(room.mail_post.taken) == 10


@pytest.mark.attack("O11", "O12")
async def test_a_browser_sends_five_mails_an_hour_and_one_that_is_refused_costs_the_mailbox_nothing(room: Room) -> None:
    for turn in range(5):
        await room.ask_by_mail(f"chen{turn}@mail.example")
    for _ in range(12):
        with pytest.raises(RateLimited):
            await room.ask_by_mail()
    await room.ask_by_mail(browser="another")


@pytest.mark.attack("O7")
async def test_the_code_and_the_address_of_a_mail_are_in_no_log_and_no_answer(room: Room) -> None:
    with capture_logs() as lines:
        sent = await room.ask_by_mail()
        await room.settled()
        room.mail_post.answers(ZeroDivisionError("chen@mail.example"))
        await room.settled()
    (posted,) = room.mail_post.taken
    code = re.search("[0-9]{6}", posted.text)
    assert code is not None
    seen = f"{lines} {sent} {posted} {CodeWords(TEXTS).mail(Purpose.BIND_MAIL, code[0])} {mail()}"
    assert lines
    assert code[0] not in seen
    assert "chen" not in seen


def reported(sent: Sent, *, delivered: bool) -> SmsReport:
    status = "DELIVRD" if delivered else "UNDELIV"
    return SmsReport(message="1", reference=sent.id, to="15400000001", delivered=delivered, status=status, at=0)


async def test_a_message_that_its_operator_could_not_bring_has_failed(room: Room) -> None:
    sent = await room.ask()
    await room.ends()
    with capture_logs() as lines:
        await room.dispatches.report(reported(sent, delivered=False))
        await room.dispatches.report(reported(sent, delivered=False))
    progress = await room.dispatches.progress("holder", sent.id)
    assert (progress.outcome, progress.reason) == (Outcome.FAILED, Failure.UNDELIVERED)
    assert TEXTS.plain("dispatch.sms.undelivered")
    line = {"event": "sms_report", "log_level": "info", "dispatch": sent.id, "status": "UNDELIV", "delivered": False}
    assert lines == [line, line]


async def test_a_report_is_known_before_the_answer_is(room: Room) -> None:
    sent = await room.ask()
    await room.settled()
    await room.dispatches.report(reported(sent, delivered=False))
    await room.ends()
    assert (await room.dispatches.progress("holder", sent.id)).reason is Failure.UNDELIVERED


async def test_a_message_whose_answer_was_lost_was_sent_when_it_has_arrived(room: Room) -> None:
    sent = await room.ask()
    await room.ends(VendorUnavailable())
    await room.dispatches.report(reported(sent, delivered=True))
    assert await room.dispatches.outcome("holder", sent.id) is Outcome.SENT


@pytest.mark.attack("R1")
async def test_that_a_message_did_not_arrive_is_not_told_in_a_recovery(room: Room) -> None:
    sent = await room.ask(purpose=Purpose.RECOVER)
    await room.ends()
    await room.dispatches.report(reported(sent, delivered=False))
    assert await room.dispatches.outcome("holder", sent.id) is Outcome.SENT


@pytest.mark.parametrize("reference", ["", "125", "0" * 32])
async def test_a_report_of_what_is_not_known_changes_nothing(room: Room, reference: str) -> None:
    sent = await room.ask()
    await room.ends()
    await room.dispatches.report(reported(Sent(reference), delivered=False))
    assert await room.dispatches.outcome("holder", sent.id) is Outcome.SENT
