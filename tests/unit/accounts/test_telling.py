"""Messages that tell: counted apart from codes, waited for by nobody, and no change hangs on them."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from bjidp.accounts.telling import Teller, Told
from bjidp.clock import ManualClock
from bjidp.entropy import SeededEntropy
from bjidp.errors import VendorUnavailable
from bjidp.storage.memory.records import MemoryRecords
from bjidp.storage.memory.throttle import MemoryThrottle
from bjidp.throttle.source import Source
from bjidp.vendors.ports.sms import Sms, SmsAccepted, SmsAnswer, SmsRefusal, SmsRefused
from bjidp.verification.errors import SmsHourly
from bjidp.verification.limits import SmsLimits, SmsWindows
from bjidp.verification.number import MobileNumber
from bjidp.verification.tally import Tally
from bjidp.web.words.texts import Texts
from bjidp.web.words.told_words import ToldTexts
from tests.support.verification import PSEUDONYMS

pytestmark = [pytest.mark.req("SES-2"), pytest.mark.attack("R4")]

NUMBER = MobileNumber("13812345678")
TEXTS = Texts.load("zh_CN")


class Post:
    """A sender that answers as told, once the test lets it."""

    def __init__(self) -> None:
        self.taken: list[Sms] = []
        self.answer: SmsAnswer | Exception = SmsAccepted("chuanglan", "1")
        self.open = asyncio.Event()
        self.open.set()

    async def send(self, sms: Sms) -> SmsAnswer:
        self.taken.append(sms)
        await self.open.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Room:
    """A teller over stores, with time that the test moves."""

    def __init__(self, clock: ManualClock, entropy: SeededEntropy, *, most: int = 64, offered: bool = True) -> None:
        self.clock = clock
        self.post = Post()
        self.browsers = 0
        self.tallies: MemoryRecords[Tally] = MemoryRecords(clock)
        self.limits = SmsLimits(
            tallies=self.tallies, throttle=MemoryThrottle(clock), pseudonyms=PSEUDONYMS, windows=SmsWindows()
        )
        self.teller = Teller(
            sender=self.post if offered else None,
            limits=self.limits,
            words=ToldTexts(TEXTS),
            entropy=entropy,
            most=most,
        )

    async def asked(self, *, owner: bool = False) -> None:
        """Count a message that somebody asked for."""
        # Each in a browser of its own: the number's own limit is what is used up.
        self.browsers += 1
        await self.limits.count(NUMBER, browser=f"b{self.browsers}", source=Source(None), owner=owner)


@pytest.fixture
def room(clock: ManualClock, entropy: SeededEntropy) -> Room:
    return Room(clock, entropy)


@pytest.mark.parametrize("what", Told)
async def test_a_number_is_told_in_words_without_any_value(room: Room, what: Told) -> None:
    room.teller.tell(NUMBER, what)
    await room.teller.close()
    [sms] = room.post.taken
    assert (sms.to, sms.template, sms.parameters) == (NUMBER.digits, f"told.{what}", ())
    assert sms.text == TEXTS.plain(f"sms.told.{what}")
    assert not [character for character in sms.text if character.isascii()]
    assert len(sms.text) <= 70 - len("【京通】")


async def test_nobody_waits_for_a_message(room: Room) -> None:
    room.post.open.clear()
    room.teller.tell(NUMBER, Told.PHONE_CHANGED)
    assert room.post.taken == []
    room.post.open.set()
    await room.teller.close()
    assert len(room.post.taken) == 1


@pytest.mark.req("FAQ-1")
async def test_whoever_has_the_codes_of_a_number_used_up_keeps_no_warning_from_it(room: Room) -> None:
    for _ in range(5):
        await room.asked(owner=True)
        room.clock.advance(60)
    with pytest.raises(SmsHourly):
        await room.asked(owner=True)
    room.teller.tell(NUMBER, Told.PHONE_CHANGED)
    await room.teller.close()
    assert len(room.post.taken) == 1


@pytest.mark.attack("R4")
@pytest.mark.req("ORG-2")
async def test_offers_of_strangers_take_nothing_from_the_warnings_of_a_number(room: Room) -> None:
    """Five an hour would leave its owner without the word that the phone was changed (attack R4)."""
    for _ in range(12):
        await room.teller.reached(NUMBER, Told.MANDATE_OFFERED)
    assert len(room.post.taken) == 2
    assert await room.teller.reached(NUMBER, Told.PHONE_CHANGED)


async def test_warnings_take_nothing_from_the_codes_and_are_limited_themselves(room: Room) -> None:
    with capture_logs() as lines:
        for _ in range(6):
            room.teller.tell(NUMBER, Told.PHONE_CHANGED)
            await room.teller.close()
    assert len(room.post.taken) == 5
    assert [line["reason"] for line in lines if line["event"] == "not_told"] == ["rate_limited"]
    await room.asked()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (SmsRefused(SmsRefusal.NUMBER), "number"),
        (VendorUnavailable(), "unavailable"),
        (TimeoutError(), "unavailable"),
        (RuntimeError("13812345678"), "RuntimeError"),
    ],
)
async def test_what_cannot_be_sent_is_logged_without_the_number(
    room: Room, answer: SmsAnswer | Exception, reason: str
) -> None:
    room.post.answer = answer
    with capture_logs() as lines:
        room.teller.tell(NUMBER, Told.PHONE_CHANGED)
        await room.teller.close()
    assert [(line["event"], line["what"], line["reason"]) for line in lines] == [("not_told", "phone_changed", reason)]
    assert NUMBER.digits not in str(lines)


async def test_no_more_messages_are_begun_than_a_process_may_have(clock: ManualClock, entropy: SeededEntropy) -> None:
    room = Room(clock, entropy, most=2)
    room.post.open.clear()
    with capture_logs() as lines:
        for digit in range(3):
            room.teller.tell(MobileNumber(f"1381234567{digit}"), Told.PHONE_CHANGED)
        room.post.open.set()
        await room.teller.close()
    assert len(room.post.taken) == 2
    assert [line["reason"] for line in lines if line["event"] == "not_told"] == ["too_busy"]
    room.teller.tell(NUMBER, Told.PHONE_CHANGED)
    await room.teller.close()
    assert len(room.post.taken) == 3, "those that were sent make room"


async def test_what_hangs_is_given_up_at_the_end(room: Room) -> None:
    room.post.open.clear()
    room.teller.tell(NUMBER, Told.PHONE_CHANGED)
    await room.teller.close(within=0)
    assert not room.teller._tasks


async def test_where_nobody_sends_nothing_is_told(clock: ManualClock, entropy: SeededEntropy) -> None:
    room = Room(clock, entropy, offered=False)
    room.teller.tell(NUMBER, Told.PHONE_CHANGED)
    await room.teller.close()
    assert await room.tallies.get(PSEUDONYMS.key("sms.number", NUMBER.digits)) is None
