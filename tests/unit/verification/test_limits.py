"""Which limits an SMS goes through, and what a refusal takes."""

from __future__ import annotations

import msgspec
import pytest
from structlog.testing import capture_logs

from bjidp.clock import HOUR, ManualClock
from bjidp.errors import RateLimited, StoreUnavailable
from bjidp.records import Held
from bjidp.storage.memory.records import MemoryRecords
from bjidp.storage.memory.throttle import MemoryThrottle
from bjidp.throttle.ports import Window
from bjidp.throttle.source import Source
from bjidp.verification.errors import SmsDaily, SmsHourly
from bjidp.verification.limits import SmsLimits, SmsWindows
from bjidp.verification.tally import Tally
from bjidp.web.words.texts import Texts
from tests.contracts.ephemeral import MemoryStores
from tests.support.verification import PSEUDONYMS, limits, number

NOWHERE = Source(None)


async def ask(
    room: SmsLimits,
    phone: str = "15400000001",
    *,
    browser: str = "browser-1",
    source: Source = NOWHERE,
    owner: bool = True,
) -> None:
    await room.count(number(phone), browser=browser, source=source, owner=owner)


@pytest.mark.req("FAQ-1")
async def test_five_an_hour_and_ten_a_day_are_sent_and_then_none(clock: ManualClock) -> None:
    room = limits(MemoryStores(clock))
    for turn in range(5):
        await ask(room, browser=f"browser-{turn}")
        clock.advance(60)
    with pytest.raises(SmsHourly):
        await ask(room, browser="another")
    clock.advance(3600)
    for turn in range(5):
        await ask(room, browser=f"browser-{turn}")
        clock.advance(60)
    with pytest.raises(SmsDaily):
        await ask(room, browser="another")
    clock.advance(24 * 3600)
    await ask(room)


@pytest.mark.req("FAQ-1")
def test_the_refusals_are_in_the_manuals_words() -> None:
    texts = Texts.load("zh_CN")
    assert texts.plain(f"problem.{SmsHourly.code}") == "验证码请求过于频繁，请在1小时后再试"
    assert texts.plain(f"problem.{SmsDaily.code}") == "验证码请求过于频繁，请在24小时后再试"


@pytest.mark.req("FAQ-1")
@pytest.mark.attack("O11")
async def test_all_spellings_of_a_number_are_counted_as_one(clock: ManualClock) -> None:
    room = limits(MemoryStores(clock))
    spellings = [
        "15400000001",
        "+86 154 0000 0001",
        "0086-15400000001",
        "８６１５４０００００００１",
        "86 154 00000001",
    ]
    for turn, phone in enumerate(spellings):
        await ask(room, phone, browser=f"browser-{turn}")
        with pytest.raises(RateLimited):
            await ask(room, spellings[turn - 1], browser="another")
        clock.advance(60)
    with pytest.raises(SmsHourly):
        await ask(room, "154-0000-0001", browser="another")


@pytest.mark.attack("O11")
async def test_a_browser_asks_for_five_an_hour_whatever_the_numbers(clock: ManualClock) -> None:
    room = limits(MemoryStores(clock))
    for turn in range(5):
        await ask(room, f"1540000000{turn}")
    with pytest.raises(RateLimited) as refusal:
        await ask(room, "15400000009")
    assert refusal.value.retry_after == 3600
    await ask(room, "15400000009", browser="another")
    clock.advance(3600)
    await ask(room, "15400000008")


@pytest.mark.attack("O12")
async def test_a_browser_that_is_refused_takes_nothing_from_the_number(clock: ManualClock) -> None:
    room = limits(MemoryStores(clock))
    for turn in range(5):
        await ask(room, f"1540000010{turn}")
    for _ in range(12):
        with pytest.raises(RateLimited):
            await ask(room, owner=False)
    for turn in range(3):
        await ask(room, browser=f"browser-{turn + 2}", owner=False)
        clock.advance(60)


async def test_who_presses_too_early_loses_none_of_the_browsers_messages(clock: ManualClock) -> None:
    room = limits(MemoryStores(clock))
    await ask(room)
    for _ in range(20):
        with pytest.raises(RateLimited):
            await ask(room)
    for turn in range(2, 6):
        await ask(room, f"1540000000{turn}")


@pytest.mark.attack("O11")
async def test_a_network_address_asks_two_hundred_times_an_hour(clock: ManualClock) -> None:
    room = limits(MemoryStores(clock))
    for turn in range(200):
        await ask(room, f"15400001{turn:03d}", browser=f"browser-{turn}", source=Source("a"))
    with pytest.raises(RateLimited):
        await ask(room, "15400000001", source=Source("a"))
    await ask(room, "15400000001", source=Source("b"))
    await ask(room, "15400000002", source=NOWHERE)


async def test_beyond_the_budget_messages_go_out_and_the_operator_is_told_once_an_hour(clock: ManualClock) -> None:
    room = limits(MemoryStores(clock), SmsWindows(budget=Window(3, HOUR)))
    with capture_logs() as lines:
        for turn in range(3):
            await ask(room, f"1540000000{turn}", browser=f"browser-{turn}")
        assert lines == []
        for turn in range(4, 9):
            await ask(room, f"1540000000{turn}", browser=f"browser-{turn}")
    assert lines == [{"event": "sms_budget_exceeded", "log_level": "error", "messages": 3}]
    clock.advance(3600)
    with capture_logs() as lines:
        for turn in range(5):
            await ask(room, f"1540000100{turn}", browser=f"later-{turn}")
    assert len(lines) == 1


@pytest.mark.req("PRV-1")
async def test_no_number_and_no_browser_is_kept_in_clear(clock: ManualClock) -> None:
    tallies, throttle = MemoryRecords[Tally](clock), MemoryThrottle(clock)
    room = SmsLimits(tallies=tallies, throttle=throttle, pseudonyms=PSEUDONYMS, windows=SmsWindows())
    await ask(room)
    kept = b"".join(key.encode() + msgspec.msgpack.encode(row.value) for key, row in tallies._rows.items())
    kept += "".join(throttle._events).encode()
    assert kept
    assert b"15400000001" not in kept
    assert b"browser-1" not in kept


class _SilentRecords(MemoryRecords[Tally]):
    async def get(self, key: str) -> Held[Tally] | None:
        raise StoreUnavailable


class _ContendedRecords(MemoryRecords[Tally]):
    """Somebody else is always faster."""

    async def get(self, key: str) -> Held[Tally] | None:
        held = await super().get(key)
        return None if held is None else Held(held.value, -1, held.now)


class _SilentThrottle(MemoryThrottle):
    async def hit(self, key: str, *windows: Window) -> None:
        raise StoreUnavailable

    async def peek(self, key: str, window: Window) -> int:
        raise StoreUnavailable


@pytest.mark.req("FAQ-1")
@pytest.mark.attack("O5")
@pytest.mark.parametrize(
    ("records", "throttle"),
    [(_SilentRecords, MemoryThrottle), (_ContendedRecords, MemoryThrottle), (MemoryRecords[Tally], _SilentThrottle)],
)
async def test_what_cannot_be_counted_is_not_sent(
    clock: ManualClock, records: type[MemoryRecords[Tally]], throttle: type[MemoryThrottle]
) -> None:
    room = SmsLimits(tallies=records(clock), throttle=throttle(clock), pseudonyms=PSEUDONYMS, windows=SmsWindows())
    with pytest.raises(StoreUnavailable):
        await ask(room)
