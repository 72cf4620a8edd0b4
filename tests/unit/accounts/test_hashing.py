"""Keeping passwords: what is kept, what it costs, and how much of it may wait."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest
from argon2 import PasswordHasher

from bjidp.accounts.hashing import Cost, PasswordHashes, Verdict
from bjidp.entropy import SeededEntropy
from bjidp.errors import TooBusy

CHEAP = Cost(time=1, memory=8)
RIGHT, WRONG = "correct-horse-1", "correct-horse-2"


@pytest.fixture
async def hashes() -> AsyncIterator[PasswordHashes]:
    made = PasswordHashes(SeededEntropy("hashes"), CHEAP, threads=2, waiting=2)
    yield made
    await made.close()


class Gate:
    """Holds every hash up until it is opened, and counts those that began."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun = 0
        self._met = threading.Semaphore(0)
        self._open = threading.Event()
        verify = PasswordHasher.verify

        def held(hasher: PasswordHasher, kept: str, password: bytes) -> bool:
            self.begun += 1
            self._met.release()
            assert self._open.wait(10)
            return verify(hasher, kept, password)

        monkeypatch.setattr(PasswordHasher, "verify", held)

    async def meets(self, count: int) -> None:
        """Return when so many have begun."""
        for _ in range(count):
            assert await asyncio.to_thread(self._met.acquire, timeout=10)

    def opens(self) -> None:
        self._open.set()


async def test_the_right_password_is_right_and_no_other(hashes: PasswordHashes) -> None:
    kept = await hashes.hash(RIGHT)
    assert await hashes.verify(kept, RIGHT) == Verdict(right=True)
    for wrong in (WRONG, "", RIGHT + " ", RIGHT.upper(), RIGHT + "\0", "\ud800", "密" * 100_000):
        assert await hashes.verify(kept, wrong) == Verdict(right=False)


async def test_what_is_kept_is_argon2id_salted_and_holds_no_password(hashes: PasswordHashes) -> None:
    first, second = await hashes.hash(RIGHT), await hashes.hash(RIGHT)
    assert first != second
    assert first.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert RIGHT not in first


def test_the_cost_is_owasps() -> None:
    assert (Cost().time, Cost().memory, Cost().lanes) == (2, 19456, 1)


@pytest.mark.attack("R1")
async def test_a_name_that_nobody_has_costs_a_hash_and_is_never_right(
    hashes: PasswordHashes, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    gate.opens()
    assert await hashes.verify(None, RIGHT) == Verdict(right=False)
    assert await hashes.verify(await hashes.hash(RIGHT), WRONG) == Verdict(right=False)
    assert gate.begun == 2


@pytest.mark.attack("R1")
async def test_not_even_the_password_of_the_hash_that_stands_for_nobody_is_right(
    monkeypatch: pytest.MonkeyPatch, hashes: PasswordHashes
) -> None:
    monkeypatch.setattr(PasswordHasher, "verify", lambda *_: True)
    assert await hashes.verify(None, "whatever it is") == Verdict(right=False)


async def test_a_hash_of_another_cost_is_right_and_stale(hashes: PasswordHashes) -> None:
    dearer = PasswordHashes(SeededEntropy("dearer"), Cost(time=2, memory=16), threads=1, waiting=0)
    kept = await hashes.hash(RIGHT)
    assert await dearer.verify(kept, RIGHT) == Verdict(right=True, stale=True)
    assert await dearer.verify(kept, WRONG) == Verdict(right=False)
    await dearer.close()


@pytest.mark.parametrize("kept", ["", "plain text", "$argon2id$v=19$m=8,t=1,p=1$", "$2b$12$abcdefghijklmnopqrstuv"])
async def test_what_is_no_hash_of_ours_opens_for_nobody(hashes: PasswordHashes, kept: str) -> None:
    assert await hashes.verify(kept, RIGHT) == Verdict(right=False)


@pytest.mark.attack("O12")
async def test_beyond_a_short_queue_logins_are_turned_away_at_once_and_the_loop_goes_on(
    hashes: PasswordHashes, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = await hashes.hash(RIGHT)
    gate = Gate(monkeypatch)
    running = [asyncio.ensure_future(hashes.verify(kept, RIGHT)) for _ in range(4)]
    await gate.meets(2)
    for _ in range(10):
        with pytest.raises(TooBusy) as busy:
            await hashes.verify(kept, RIGHT)
        assert busy.value.retry_after == 2
    assert gate.begun == 2
    gate.opens()
    assert await asyncio.gather(*running) == [Verdict(right=True)] * 4
    assert await hashes.verify(kept, RIGHT) == Verdict(right=True)


@pytest.mark.attack("O12")
async def test_whoever_hangs_up_frees_no_place_before_the_thread_is_free(
    hashes: PasswordHashes, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = await hashes.hash(RIGHT)
    gate = Gate(monkeypatch)
    running = [asyncio.ensure_future(hashes.verify(kept, RIGHT)) for _ in range(4)]
    await gate.meets(2)
    for caller in running:
        caller.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    with pytest.raises(TooBusy):
        await hashes.verify(kept, RIGHT)
    gate.opens()
    await gate.meets(2)
    async with asyncio.timeout(10):
        while True:
            try:
                assert await hashes.verify(kept, RIGHT) == Verdict(right=True)
            except TooBusy:
                await asyncio.sleep(0)
            else:
                return


async def test_closing_waits_for_what_was_begun_and_the_loop_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = PasswordHashes(SeededEntropy("hashes"), CHEAP, threads=1, waiting=0)
    kept = await hashes.hash(RIGHT)
    gate = Gate(monkeypatch)
    running = asyncio.ensure_future(hashes.verify(kept, RIGHT))
    await gate.meets(1)
    closing = asyncio.ensure_future(hashes.close())
    # Were the loop held here, nothing would ever open the gate.
    await asyncio.sleep(0)
    assert not closing.done()
    gate.opens()
    await closing
    assert await running == Verdict(right=True)
