"""How often a call may be made: 429 with the time to come back, and nothing consumed."""

from __future__ import annotations

import pytest

from tests.support.calls import Answer
from tests.support.program import Program

LIMIT = 60
NO_GRANT = "A" * 43


def is_limited(answer: Answer) -> bool:
    return answer.verdict == (429, "rate_limited") and answer.header("Retry-After") is not None


@pytest.mark.attack("Q22")
async def test_a_browser_redeems_sixty_times_a_minute_and_a_refusal_consumes_nothing(program: Program) -> None:
    browser, page, screen = await program.opened()
    for _ in range(LIMIT):
        assert (await browser.redeem(NO_GRANT)).verdict == (404, "ticket_unknown")
    await program.advance(40)
    phone = await program.phone()
    scanned = await program.scanned(phone, screen, after=40)
    assert (await phone.confirm(scanned)).status == 200
    approved = (await browser.events()).json()
    assert is_limited(await browser.redeem(approved["grant"]))
    assert page.is_open

    await program.advance(20)
    assert (await browser.redeem(approved["grant"])).status == 200


async def test_a_browser_is_limited_by_its_record_not_by_its_address(program: Program) -> None:
    browser, _, _ = await program.opened()
    for _ in range(LIMIT):
        await browser.redeem(NO_GRANT)
    assert is_limited(await browser.redeem(NO_GRANT))
    await program.signed_in()


@pytest.mark.attack("T7")
async def test_a_phone_refreshes_sixty_times_a_minute_and_a_refusal_changes_nothing(program: Program) -> None:
    phone, other = await program.phone(), await program.phone()
    for _ in range(LIMIT):
        assert (await phone.refresh()).status == 200
    assert is_limited(await phone.refresh())
    assert (await other.refresh()).status == 200
    await program.advance(60)
    assert (await phone.refresh()).status == 200
    assert (await phone.account()).status == 200


async def test_a_token_that_is_none_is_not_counted_for_anybody(program: Program) -> None:
    phone = await program.phone()
    for _ in range(LIMIT + 1):
        answer = await phone.caller.post("/mp/v1/session/refresh", {"refresh_token": "x.y.z"})
        assert answer.verdict == (401, "token_invalid")
    assert (await phone.refresh()).status == 200


async def test_a_log_out_counts_with_the_other_calls_of_a_phone(program: Program) -> None:
    phone = await program.phone()
    for _ in range(LIMIT):
        assert (await phone.account()).status == 200
    assert is_limited(await phone.caller.send("DELETE", "/mp/v1/session", headers=phone.bearer))
    await program.advance(60)
    assert (await phone.caller.send("DELETE", "/mp/v1/session", headers=phone.bearer)).status == 204
    assert (await phone.account()).status == 401
