from __future__ import annotations

import asyncio

import pytest

from bjidp.clock import ManualClock
from bjidp.errors import VendorUnavailable
from bjidp.secret import Secret
from bjidp.vendors.tokens import AccessToken, AccessTokens


class Mint:
    """Hands out numbered tokens, when it is open and when it is up."""

    def __init__(self, expires_in: int = 7200) -> None:
        self.expires_in = expires_in
        self.fetched = 0
        self.down = False
        self.open = asyncio.Event()
        self.open.set()

    async def fetch(self) -> AccessToken:
        self.fetched += 1
        number = self.fetched
        await self.open.wait()
        if self.down:
            raise VendorUnavailable
        return AccessToken(Secret(f"Hush{number}"), self.expires_in)


@pytest.fixture
def mint() -> Mint:
    return Mint()


@pytest.fixture
def tokens(mint: Mint, clock: ManualClock) -> AccessTokens:
    return AccessTokens(mint.fetch, clock=clock)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_token_is_fetched_once_and_used_until_five_minutes_before_it_expires(
    tokens: AccessTokens, mint: Mint, clock: ManualClock
) -> None:
    assert await tokens.current() == Secret("Hush1")
    clock.advance(7200 - 300 - 0.001)
    assert await tokens.current() == Secret("Hush1")
    await settle()
    assert mint.fetched == 1


async def test_a_token_about_to_expire_is_used_on_while_one_successor_is_fetched(
    tokens: AccessTokens, mint: Mint, clock: ManualClock
) -> None:
    await tokens.current()
    clock.advance(7200 - 300)
    mint.open.clear()
    assert [await tokens.current() for _ in range(5)] == [Secret("Hush1")] * 5
    mint.open.set()
    await settle()
    assert await tokens.current() == Secret("Hush2")
    assert mint.fetched == 2


async def test_an_expired_token_is_never_handed_out(tokens: AccessTokens, mint: Mint, clock: ManualClock) -> None:
    await tokens.current()
    clock.advance(7200)
    assert await tokens.current() == Secret("Hush2")
    clock.advance(7200)
    mint.down = True
    with pytest.raises(VendorUnavailable):
        await tokens.current()


async def test_a_renewal_that_fails_is_tried_again_while_the_old_token_serves(
    tokens: AccessTokens, mint: Mint, clock: ManualClock
) -> None:
    await tokens.current()
    clock.advance(7200 - 300)
    mint.down = True
    assert await tokens.current() == Secret("Hush1")
    await settle()
    mint.down = False
    assert await tokens.current() == Secret("Hush1")
    await settle()
    assert await tokens.current() == Secret("Hush3")


async def test_a_hundred_callers_without_a_token_make_one_fetch(tokens: AccessTokens, mint: Mint) -> None:
    mint.open.clear()
    waiting = [asyncio.create_task(tokens.current()) for _ in range(100)]
    await settle()
    mint.open.set()
    assert await asyncio.gather(*waiting) == [Secret("Hush1")] * 100
    assert mint.fetched == 1


async def test_callers_share_a_failure_and_the_next_one_tries_anew(tokens: AccessTokens, mint: Mint) -> None:
    mint.open.clear()
    mint.down = True
    waiting = [asyncio.create_task(tokens.current()) for _ in range(10)]
    await settle()
    mint.open.set()
    failures = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(failure, VendorUnavailable) for failure in failures)
    assert mint.fetched == 1
    mint.down = False
    assert await tokens.current() == Secret("Hush2")


async def test_a_caller_that_gives_up_does_not_stop_the_others(tokens: AccessTokens, mint: Mint) -> None:
    mint.open.clear()
    impatient, patient = asyncio.create_task(tokens.current()), asyncio.create_task(tokens.current())
    await settle()
    impatient.cancel()
    await settle()
    mint.open.set()
    assert await patient == Secret("Hush1")
    assert impatient.cancelled()


async def test_of_many_calls_refused_with_one_token_only_the_first_drops_it(tokens: AccessTokens, mint: Mint) -> None:
    old = await tokens.current()
    tokens.drop(old)
    new = await tokens.current()
    tokens.drop(old)
    assert await tokens.current() == new
    assert mint.fetched == 2


async def test_a_token_handed_out_near_its_end_is_not_fetched_on_every_call(clock: ManualClock) -> None:
    mint = Mint(expires_in=60)
    tokens = AccessTokens(mint.fetch, clock=clock)
    await tokens.current()
    clock.advance(29)
    assert await tokens.current() == Secret("Hush1")
    await settle()
    assert mint.fetched == 1
    clock.advance(1)
    await tokens.current()
    await settle()
    assert mint.fetched == 2
