"""What registers were asked for accounts, on every backend."""

from __future__ import annotations

import asyncio
import hashlib

import pytest

from bjidp.clock import DAY, HOUR, SECOND
from bjidp.errors import AccountRefused, RateLimited
from bjidp.proofing.ports import Check, CheckStore, Register
from bjidp.proofing.repeats import NO_SERVES
from bjidp.vendors.ports.registers import Finding, Reason, RegisterAnswer
from tests.contracts.house import House

YES = Finding(RegisterAnswer.MATCH, None, "A1")
NO = Finding(RegisterAnswer.MISMATCH, Reason.NAME, "A2")
BEFORE_MIDNIGHT = 8 * HOUR
"""What is left of the day in Beijing when the clock of a test begins."""


def facts(name: str) -> bytes:
    """Return what stands for what was asked."""
    return hashlib.sha256(name.encode()).digest()


@pytest.fixture
def checks(house: House) -> CheckStore:
    """The store under test."""
    return house.sql.checks


@pytest.mark.req("RNV-4")
async def test_the_same_question_has_the_same_reference_and_the_answer_it_was_given(
    house: House, checks: CheckStore
) -> None:
    account = (await house.member()).account
    begun = await checks.begin(account, Register.BANK, facts("a"), house.now, most=3)
    assert begun.finding is None
    house.clock.advance(HOUR // SECOND)
    assert await checks.begin(account, Register.BANK, facts("a"), house.now, most=3) == begun
    await checks.answered(begun.reference, YES, house.now)
    answered = Check(begun.reference, YES, begun.begun_at)
    assert await checks.begin(account, Register.BANK, facts("a"), house.now, most=3) == answered
    # What a register said once is not said otherwise by whoever asked it at the same time.
    await checks.answered(begun.reference, NO, house.now)
    assert await checks.begin(account, Register.BANK, facts("a"), house.now, most=3) == answered


@pytest.mark.req("REG-4", "RNV-10")
async def test_a_no_is_repeated_for_minutes_and_a_second_opinion_costs_one_of_the_questions(
    house: House, checks: CheckStore
) -> None:
    account = (await house.member()).account
    begun = await checks.begin(account, Register.AUTHORITY, facts("a"), house.now, most=2)
    await checks.answered(begun.reference, NO, house.now)
    house.clock.advance((NO_SERVES - SECOND) // SECOND)
    again = await checks.begin(account, Register.AUTHORITY, facts("a"), house.now, most=2)
    assert again == Check(begun.reference, NO, begun.begun_at)
    house.clock.advance(1)
    second = await checks.begin(account, Register.AUTHORITY, facts("a"), house.now, most=2)
    assert (second.reference == begun.reference, second.finding) == (False, None)
    await checks.answered(second.reference, YES, house.now)
    assert (await checks.begin(account, Register.AUTHORITY, facts("a"), house.now, most=2)).finding == YES
    with pytest.raises(RateLimited):
        await checks.begin(account, Register.AUTHORITY, facts("b"), house.now, most=2)


@pytest.mark.req("RNV-1")
async def test_a_yes_of_the_day_before_is_asked_for_anew(house: House, checks: CheckStore) -> None:
    account = (await house.member()).account
    house.clock.advance((BEFORE_MIDNIGHT - SECOND) // SECOND)
    begun = await checks.begin(account, Register.AUTHORITY, facts("a"), house.now, most=3)
    await checks.answered(begun.reference, YES, house.now)
    assert (await checks.begin(account, Register.AUTHORITY, facts("a"), house.now, most=3)).finding == YES
    house.clock.advance(1)
    assert (await checks.begin(account, Register.AUTHORITY, facts("a"), house.now, most=3)).finding is None


@pytest.mark.req("RNV-4")
async def test_another_question_account_register_or_day_is_another_check(house: House, checks: CheckStore) -> None:
    account = (await house.member()).account
    other = (await house.member("13800138001", "zhangsan2")).account
    asked = [
        await checks.begin(account, Register.BANK, facts("a"), house.now, most=3),
        await checks.begin(account, Register.BANK, facts("b"), house.now, most=3),
        await checks.begin(account, Register.AUTHORITY, facts("a"), house.now, most=3),
        await checks.begin(other, Register.BANK, facts("a"), house.now, most=3),
    ]
    house.clock.advance(DAY // SECOND)
    asked.append(await checks.begin(account, Register.BANK, facts("a"), house.now, most=3))
    assert len({check.reference for check in asked}) == len(asked)


@pytest.mark.req("REG-5")
async def test_an_account_asks_so_many_questions_a_day_and_repeats_them_as_often_as_it_likes(
    house: House, checks: CheckStore
) -> None:
    account = (await house.member()).account
    for name in "abc":
        await checks.begin(account, Register.AUTHORITY, facts(name), house.now, most=3)
        house.clock.advance(HOUR // SECOND)
    with pytest.raises(RateLimited) as limited:
        await checks.begin(account, Register.AUTHORITY, facts("d"), house.now, most=3)
    assert limited.value.retry_after == (DAY - 3 * HOUR) // SECOND
    await checks.begin(account, Register.AUTHORITY, facts("a"), house.now, most=3)
    house.clock.advance((DAY - 3 * HOUR) // SECOND)
    await checks.begin(account, Register.AUTHORITY, facts("d"), house.now, most=3)


@pytest.mark.req("REG-5")
async def test_of_many_questions_at_once_no_more_are_begun(house: House, checks: CheckStore) -> None:
    account = (await house.member()).account
    results = await asyncio.gather(
        *(checks.begin(account, Register.BANK, facts(str(number)), house.now, most=3) for number in range(16)),
        return_exceptions=True,
    )
    assert sum(isinstance(result, Check) for result in results) == 3
    assert house.count("identity_check") == 3


@pytest.mark.attack("Q21")
async def test_nobody_is_asked_for_an_account_that_may_not_be_used(house: House, checks: CheckStore) -> None:
    account = (await house.member()).account
    house.set_status(account, "locked")
    with pytest.raises(AccountRefused):
        await checks.begin(account, Register.BANK, facts("a"), house.now, most=3)
    assert house.count("identity_check") == 0


@pytest.mark.req("ACC-7")
async def test_what_was_asked_goes_with_the_account_and_with_time(house: House, checks: CheckStore) -> None:
    account = (await house.member()).account
    other = (await house.member("13800138001", "zhangsan2")).account
    for holder in (account, other):
        await checks.begin(holder, Register.BANK, facts("a"), house.now, most=3)
    await house.members.cancel(account, house.now)
    assert house.count("identity_check") == 1
    assert await checks.forget(house.now, 10) == 0
    assert await checks.forget(house.now + 1, 10) == 1
