from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import msgspec
import pytest

from bjidp.errors import VendorUnavailable
from bjidp.vendors.failover import Failover
from bjidp.vendors.ports.sms import Sms, SmsAccepted, SmsAnswer, SmsRefusal, SmsRefused
from tests.vendors.cast import SMS

FIRST, SECOND = SmsAccepted("first", "1"), SmsAccepted("second", "2")
ALARMS = [kind for kind in SmsRefusal if kind.alarm]
OTHERS = [kind for kind in SmsRefusal if not kind.alarm]


class Scripted:
    """Answers as told; ``None`` is silence for ever."""

    def __init__(self, answer: SmsAnswer | Exception | None) -> None:
        self.answer = answer
        self.asked: list[Sms] = []
        self.called = asyncio.Event()

    async def send(self, sms: Sms) -> SmsAnswer:
        self.asked.append(sms)
        self.called.set()
        if self.answer is None:
            await asyncio.Event().wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        assert self.answer is not None
        return self.answer


def pair(first: Scripted, second: Scripted, patience: float = 5.0) -> Failover:
    return Failover(first, second, patience=patience)


def test_three_kinds_are_about_the_message_and_every_other_is_an_alarm() -> None:
    assert OTHERS == [SmsRefusal.NUMBER, SmsRefusal.CONTENT, SmsRefusal.FREQUENCY]


@pytest.mark.parametrize("answer", [FIRST, *(SmsRefused(kind) for kind in OTHERS)])
async def test_what_the_first_takes_or_refuses_for_good_is_not_taken_elsewhere(answer: SmsAnswer) -> None:
    first, second = Scripted(answer), Scripted(SECOND)
    assert await pair(first, second).send(SMS) == answer
    assert first.asked == [SMS]
    assert second.asked == []


@pytest.mark.parametrize("trouble", [VendorUnavailable(), *(SmsRefused(kind) for kind in ALARMS)])
@pytest.mark.parametrize("answer", [SECOND, *(SmsRefused(kind) for kind in SmsRefusal)])
async def test_a_first_that_is_out_of_order_leaves_the_answer_to_the_second(
    trouble: SmsAnswer | Exception, answer: SmsAnswer
) -> None:
    first, second = Scripted(trouble), Scripted(answer)
    assert await pair(first, second).send(SMS) == answer
    assert first.asked == second.asked == [SMS]


async def test_a_first_that_is_silent_is_waited_for_so_long_and_no_longer() -> None:
    second = Scripted(SECOND)
    async with asyncio.timeout(5):
        assert await pair(Scripted(None), second, patience=0.01).send(SMS) == SECOND


@pytest.mark.parametrize("first", [VendorUnavailable(), SmsRefused(SmsRefusal.BALANCE), None])
@pytest.mark.parametrize("second", [VendorUnavailable(), None])
async def test_two_that_are_out_of_order_are_an_outage(
    first: SmsAnswer | Exception | None, second: Exception | None
) -> None:
    async with asyncio.timeout(5):
        with pytest.raises(VendorUnavailable) as caught:
            await pair(Scripted(first), Scripted(second), patience=0.01).send(SMS)
    assert caught.value.__context__ is None


async def test_whoever_gives_up_is_not_kept_waiting_and_asks_nobody_else() -> None:
    first, second = Scripted(None), Scripted(SECOND)
    sending = asyncio.create_task(pair(first, second).send(SMS))
    await first.called.wait()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert second.asked == []


async def test_the_log_tells_why_the_second_was_asked(logged: list[MutableMapping[str, Any]]) -> None:
    await pair(Scripted(VendorUnavailable()), Scripted(SECOND)).send(SMS)
    await pair(Scripted(SmsRefused(SmsRefusal.BALANCE)), Scripted(SECOND)).send(SMS)
    await pair(Scripted(FIRST), Scripted(SECOND)).send(SMS)
    assert [(entry["event"], entry["reason"]) for entry in logged] == [
        ("sms_failover", "unavailable"),
        ("sms_failover", "balance"),
    ]


@pytest.mark.attack("Q24")
def test_a_message_shows_nothing_of_itself_when_it_is_printed() -> None:
    shown = f"{SMS!r} {SMS} {[SMS]}"
    assert all(value not in shown for value in (SMS.to, SMS.text, *SMS.parameters))
    assert repr(msgspec.structs.replace(SMS, template="notice")) == "Sms(notice, ***)"
