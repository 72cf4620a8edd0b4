"""What lies in Redis, for how long, and by whose clock."""

from __future__ import annotations

import asyncio

import pytest
from redis import Redis

from bjidp.clock import MINUTE, SECOND, ManualClock, SystemClock
from bjidp.entropy import SeededEntropy
from bjidp.errors import RateLimited, StoreUnavailable
from bjidp.qrlogin import flow as flows
from bjidp.storage.redis.catalog import open_redis
from bjidp.storage.redis.client import RedisLink
from bjidp.storage.redis.codec import CorruptRecord
from bjidp.storage.redis.lane import Lane
from bjidp.storage.redis.moments import GRACE, TOLD
from bjidp.throttle.ports import per_minute
from tests.contracts.ephemeral import Note
from tests.support.qr import POLICY, a_flow, a_ticket, ticket_id


def _ttls(url: str) -> dict[str, int]:
    with Redis.from_url(url, decode_responses=True) as redis:
        return {key: int(redis.pttl(key)) for key in redis.scan_iter()}


@pytest.mark.attack("Q23")
async def test_every_key_dies_by_itself_soon_after_it_is_over(redis_url: str, entropy: SeededEntropy) -> None:
    stores = await open_redis(redis_url, entropy=entropy)
    now = await stores.tickets.now()
    await stores.tickets.add(a_flow(a_ticket(now=now)), MINUTE)
    held = await stores.tickets.read("flow")
    assert held is not None
    renewed = flows.renew(held.value, a_ticket("second", now), POLICY, now)
    await stores.tickets.replace(renewed, held.version, MINUTE)
    notes = stores.records("note", Note)
    await notes.add("a", Note("a"), MINUTE)
    note = await notes.get("a")
    assert note is not None
    await notes.replace("a", Note("b"), note.version)
    await stores.throttle.hit("key", per_minute(5))
    await stores.close()
    ttls = _ttls(redis_url)
    assert len(ttls) == 5  # flow, two tickets, note, counter
    pointers = {key for key in ttls if "ticket:" in key}
    for key, ttl in ttls.items():
        longest = 2 * MINUTE + SECOND if key in pointers else MINUTE
        assert MINUTE < ttl <= longest + GRACE


async def test_what_is_over_frees_its_memory(redis_url: str, entropy: SeededEntropy) -> None:
    stores = await open_redis(redis_url, entropy=entropy, grace=0)
    now = await stores.tickets.now()
    for turn in range(50):
        await stores.tickets.add(a_flow(a_ticket(str(turn), now), f"flow-{turn}"), 20)
        await stores.records("note", Note).add(str(turn), Note("a"), 20)
    await stores.tickets.add(a_flow(a_ticket("live", now), "live"), MINUTE)
    async with asyncio.timeout(20):
        # Redis clears what nobody asks for ten times a second; a pointer outlives its flow by about a second.
        while len(_ttls(redis_url)) > 2:  # noqa: ASYNC110 - nothing tells when a key has gone
            await asyncio.sleep(0.05)
    assert await stores.tickets.find(ticket_id("live")) is not None
    await stores.close()


async def test_pointers_last_as_long_as_the_flow_that_needs_them(
    redis_url: str, entropy: SeededEntropy, clock: ManualClock
) -> None:
    """Without renewal nobody points again; the store notices that a pointer would die before its flow."""
    stores = await open_redis(redis_url, entropy=entropy, clock=clock)
    await stores.tickets.add(a_flow(a_ticket(now=clock.now())), MINUTE)
    with Redis.from_url(redis_url) as redis:
        pointer = next(iter(redis.scan_iter("*ticket:*")))
        redis.pexpire(pointer, 1000)
        for written in (False, True):
            held = await stores.tickets.read("flow")
            assert held is not None
            clock.advance(50)
            await stores.tickets.replace(held.value, held.version, MINUTE)
            assert (int(redis.pttl(pointer)) > 1000) is written
    await stores.close()


async def test_a_counter_keeps_only_what_still_counts(
    redis_url: str, entropy: SeededEntropy, clock: ManualClock
) -> None:
    stores = await open_redis(redis_url, entropy=entropy, clock=clock)
    with Redis.from_url(redis_url) as redis:
        for _ in range(200):
            await stores.throttle.hit("key", per_minute(100))
            clock.advance(2)
            assert redis.llen("bjidp:throttle:key") <= 31
    await stores.close()


async def test_a_clock_that_was_set_back_lets_nobody_through(
    redis_url: str, entropy: SeededEntropy, clock: ManualClock
) -> None:
    """After a failover the new server's clock may be behind; the list stays in order and refuses a little longer."""
    ahead = ManualClock(clock.now() + 10_000)
    before = await open_redis(redis_url, entropy=entropy, clock=ahead)
    after = await open_redis(redis_url, entropy=entropy, clock=clock)
    await before.throttle.hit("key", per_minute(2))
    await after.throttle.hit("key", per_minute(2))
    with pytest.raises(RateLimited):
        await after.throttle.hit("key", per_minute(2))
    clock.advance(69.999)
    assert await after.throttle.peek("key", per_minute(2)) == 2
    clock.advance(0.001)
    await after.throttle.hit("key", per_minute(2))
    await before.close()
    await after.close()


async def test_in_service_the_server_tells_the_time(redis_url: str, entropy: SeededEntropy) -> None:
    stores = await open_redis(redis_url, entropy=entropy)
    before = SystemClock().now()
    told = await stores.tickets.now()
    await stores.records("note", Note).add("a", Note("a"), MINUTE)
    held = await stores.records("note", Note).get("a")
    after = SystemClock().now()
    await stores.close()
    assert before <= told <= after
    assert held is not None
    assert before <= held.now <= after


async def test_the_time_that_came_with_an_answer_is_carried_on_for_a_second_and_is_never_ahead(
    redis_url: str, entropy: SeededEntropy
) -> None:
    passed = 0.0
    stores = await open_redis(redis_url, entropy=entropy, stopwatch=lambda: passed)
    with Redis.from_url(redis_url) as redis:

        def commands() -> int:
            # Each question counts itself.
            return int(redis.info("stats")["total_commands_processed"])

        told = await stores.tickets.now()
        seconds, micros = redis.time()
        assert told <= seconds * 1000 + micros // 1000
        before = commands()
        for passed in (0.25, TOLD):
            assert await stores.tickets.now() == told + int(passed * SECOND)
        assert commands() == before + 1
        passed = TOLD + 0.001
        before = commands()
        assert told <= await stores.tickets.now() < told + int(TOLD * SECOND)
        assert commands() == before + 2 + 1  # the script, and what it asks
    await stores.close()


async def test_systems_with_different_prefixes_do_not_meet(redis_url: str, entropy: SeededEntropy) -> None:
    one = await open_redis(redis_url, entropy=entropy, prefix="one:")
    two = await open_redis(redis_url, entropy=entropy, prefix="two:")
    await one.records("note", Note).add("a", Note("a"), MINUTE)
    await one.tickets.add(a_flow(a_ticket()), MINUTE)
    assert await two.records("note", Note).get("a") is None
    assert await two.tickets.find(ticket_id("first")) is None
    assert all(key.startswith("one:") for key in _ttls(redis_url))
    await one.close()
    await two.close()


@pytest.mark.parametrize("prefix", ["{a}:", "a b", "京通:"])
async def test_a_prefix_that_would_spoil_keys_is_refused(redis_url: str, entropy: SeededEntropy, prefix: str) -> None:
    with pytest.raises(ValueError):
        await open_redis(redis_url, entropy=entropy, prefix=prefix)


@pytest.mark.parametrize("url", ["http://user:hunter2@127.0.0.1", "127.0.0.1:6379", ""])
async def test_an_address_of_another_kind_is_refused_without_being_repeated(entropy: SeededEntropy, url: str) -> None:
    with pytest.raises(ValueError) as refusal:
        await open_redis(url, entropy=entropy)
    assert "hunter2" not in str(refusal.value)


async def test_what_cannot_be_read_is_an_error_and_not_absent(redis_url: str, entropy: SeededEntropy) -> None:
    stores = await open_redis(redis_url, entropy=entropy)
    notes = stores.records("note", Note)
    for key, data in (("a", b"\xc1"), ("b", b"\x80")):
        await notes.add(key, Note("a"), MINUTE)
        with Redis.from_url(redis_url) as redis:
            redis.hset(f"bjidp:note:{key}", "data", data)
        with pytest.raises(CorruptRecord):
            await notes.get(key)
        with pytest.raises(StoreUnavailable):
            await notes.take(key)
    await stores.close()


async def test_a_field_that_a_later_release_adds_does_not_stop_this_one(redis_url: str, entropy: SeededEntropy) -> None:
    class LaterNote(Note, frozen=True):
        added: int = 1

    stores = await open_redis(redis_url, entropy=entropy)
    await stores.records("note", LaterNote).add("a", LaterNote("a"), MINUTE)
    held = await stores.records("note", Note).get("a")
    assert held is not None
    assert held.value == Note("a")
    await stores.records("note", Note).add("b", Note("b"), MINUTE)
    later = await stores.records("note", LaterNote).get("b")
    assert later is not None
    assert later.value == LaterNote("b")
    await stores.close()


async def test_scripts_forgotten_by_the_server_are_sent_again(redis_url: str, entropy: SeededEntropy) -> None:
    stores = await open_redis(redis_url, entropy=entropy)
    notes = stores.records("note", Note)
    await notes.add("a", Note("a"), MINUTE)
    with Redis.from_url(redis_url) as redis:
        redis.script_flush()
    assert await notes.get("a") is not None
    assert await notes.take("a") == Note("a")
    await stores.close()


async def test_answers_are_not_mixed_up_among_many_callers(redis_url: str, entropy: SeededEntropy) -> None:
    """Callers that give up in the middle leave everybody else's answers in order."""
    stores = await open_redis(redis_url, entropy=entropy)
    notes = stores.records("note", Note)
    await asyncio.gather(*(notes.add(str(turn), Note(str(turn)), MINUTE) for turn in range(200)))
    asking = [asyncio.create_task(notes.get(str(turn))) for turn in range(200)]
    await asyncio.sleep(0)
    for quitter in asking[::3]:
        quitter.cancel()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    for turn, answer in enumerate(answers):
        if turn % 3:
            assert not isinstance(answer, BaseException)
            assert answer is not None
            assert answer.value == Note(str(turn))
        else:
            assert isinstance(answer, asyncio.CancelledError)
    await stores.close()


async def test_stores_that_were_closed_refuse_and_do_not_connect_again(redis_url: str, entropy: SeededEntropy) -> None:
    stores = await open_redis(redis_url, entropy=entropy, prefix="closed:")
    await stores.close()
    await stores.close()
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await stores.ping()


async def test_whoever_waits_for_a_connection_while_the_stores_are_closed_is_refused() -> None:
    connecting = asyncio.Event()

    async def connect(_: float) -> Lane:
        connecting.set()
        await asyncio.Event().wait()
        raise AssertionError

    link = RedisLink(connect, deadline=30)
    waiting = asyncio.create_task(link.call("PING"))
    await connecting.wait()
    await link.close()
    with pytest.raises(StoreUnavailable):
        await waiting
