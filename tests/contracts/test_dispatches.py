"""What became of a message, asked of another process, on every short-lived store."""

from __future__ import annotations

import asyncio

import pytest

from bjidp.clock import ManualClock
from bjidp.entropy import SeededEntropy
from bjidp.throttle.source import Source
from bjidp.vendors.ports.sms import Sms, SmsAccepted, SmsAnswer, SmsRefusal, SmsRefused
from bjidp.verification.dispatch import Dispatches
from bjidp.verification.ranges import NumberRange
from bjidp.verification.sending import Dispatch, Failure, Outcome
from bjidp.web.words.code_words import CodeWords
from bjidp.web.words.texts import Texts
from tests.contracts.ephemeral import Ephemeral, Processes
from tests.support.verification import PSEUDONYMS, binding, codes, limits, number


class Post:
    """A sender whose message waits for the test to say what becomes of it."""

    def __init__(self) -> None:
        self.end: asyncio.Future[SmsAnswer] = asyncio.get_running_loop().create_future()

    async def send(self, sms: Sms) -> SmsAnswer:
        return await self.end


def room(place: Ephemeral, entropy: SeededEntropy, post: Post) -> Dispatches:
    return Dispatches(
        codes=codes(place, entropy),
        numbers=NumberRange.SYNTHETIC,
        limits=limits(place),
        sender=post,
        words=CodeWords(Texts.load("zh_CN")),
        records=place.records("dispatch", Dispatch),
        pseudonyms=PSEUDONYMS,
        entropy=entropy,
    )


@pytest.mark.req("FAQ-1")
@pytest.mark.parametrize(
    ("answer", "outcome", "reason"),
    [
        (SmsAccepted("chuanglan", "1"), Outcome.SENT, None),
        (SmsRefused(SmsRefusal.NUMBER), Outcome.FAILED, Failure.NUMBER),
    ],
    ids=str,
)
async def test_another_process_knows_how_far_a_message_has_come(
    processes: Processes, entropy: SeededEntropy, answer: SmsAnswer, outcome: Outcome, reason: Failure | None
) -> None:
    post = Post()
    here, there = room(processes.here, entropy, post), room(processes.there, entropy, post)
    sent = await here.sms(binding(), number(), holder="holder", browser="browser", source=Source(None), owner=True)
    assert await there.outcome("holder", sent.id) is Outcome.SENDING
    post.end.set_result(answer)
    await here.close()
    progress = await there.progress("holder", sent.id)
    assert (progress.outcome, progress.reason) == (outcome, reason)


async def test_a_message_lost_with_its_process_has_failed_by_the_stores_clock(
    processes: Processes, clock: ManualClock, entropy: SeededEntropy
) -> None:
    post = Post()
    here, there = room(processes.here, entropy, post), room(processes.there, entropy, post)
    sent = await here.sms(binding(), number(), holder="holder", browser="browser", source=Source(None), owner=True)
    await here.close(0)
    assert post.end.cancelled()
    clock.advance(20)
    assert await there.outcome("holder", sent.id) is Outcome.FAILED
