"""Claims to an account that holds the identity by a weaker proof: both answers, every failure, every race."""

from __future__ import annotations

import asyncio
from unittest.mock import patch

import pytest
from structlog.testing import capture_logs

from bjidp.accounts.ports import Evidence
from bjidp.accounts.telling import Told
from bjidp.clock import ManualClock
from bjidp.entropy import SeededEntropy
from bjidp.errors import AccountRefused, BjidpError, InvalidRequest, RateLimited, StoreUnavailable
from bjidp.miniprogram.sessions import MiniSessions
from bjidp.miniprogram.wire import AccountFound, CodeSent, SessionOk
from bjidp.platforms import Platform
from bjidp.storage.sql.accounts import SqlAccounts
from bjidp.verification.errors import SmsHourly, SmsNotOffered, VerificationCodeExpired, VerificationCodeWrong
from tests.support.claims import PHONE, ClaimWorld
from tests.support.phones import LI, ZHANG, PhoneWorld

pytestmark = pytest.mark.req("RNV-7")


@pytest.fixture
def claims(world: PhoneWorld, clock: ManualClock, entropy: SeededEntropy) -> ClaimWorld:
    return ClaimWorld(world, clock, entropy)


def wrong(code: str) -> str:
    """Return six other digits."""
    return f"{(int(code) + 1) % 1_000_000:06}"


async def refusal(claims: ClaimWorld, registration: str, *, mine: bool = True, code: str | None = None) -> BjidpError:
    with pytest.raises(BjidpError) as caught:
        await claims.claim(registration, mine=mine, code=code)
    return caught.value


def faults(error: BjidpError) -> list[tuple[str, str]]:
    assert isinstance(error, InvalidRequest), error
    return [(fault.field, fault.code) for fault in error.errors]


# ------------------------------------------------------------------------------------------------------- it is mine


@pytest.mark.parametrize("evidence", [Evidence.NAME_AND_NUMBER, Evidence.BANK_CARD])
async def test_a_code_to_the_accounts_phone_logs_the_phone_in_to_it_at_level_three(
    claims: ClaimWorld, evidence: Evidence
) -> None:
    account = await claims.on_pages(evidence=evidence)
    registration = await claims.found()
    assert await claims.claim(registration) == CodeSent(60)
    [sms] = claims.post.taken
    assert (sms.to, sms.template) == (PHONE, "code.claim")
    assert "认领" in sms.text
    answer = await claims.claim(registration, code=claims.post.code)
    assert await claims.account_of(answer) == account.account
    assert isinstance(answer, SessionOk)
    assert answer.account.level == "L3"
    assert claims.world.sql("SELECT evidence FROM identity") == [("face",)]
    assert claims.world.accounts() == 1
    assert claims.notices() == [(account.account, "account.recovered")]


async def test_an_account_that_was_claimed_by_its_phone_is_under_no_probation(claims: ClaimWorld) -> None:
    await claims.on_pages()
    registration = await claims.found()
    await claims.claim(registration)
    await claims.claim(registration, code=claims.post.code)
    assert claims.world.probation() is None


@pytest.mark.req("LOG-6")
async def test_the_number_counts_as_proved(claims: ClaimWorld) -> None:
    account = await claims.on_pages()
    claims.clock.advance(2 * 86_400)
    registration = await claims.found()
    await claims.claim(registration)
    await claims.claim(registration, code=claims.post.code)
    member = await claims.members.member(account.account)
    assert member is not None
    assert member.phone_used_at == claims.clock.now()


async def test_the_next_login_needs_the_platforms_code_alone(claims: ClaimWorld) -> None:
    await claims.on_pages()
    registration = await claims.found()
    await claims.claim(registration)
    await claims.claim(registration, code=claims.post.code)
    assert isinstance(await claims.world.sign_in("zhang"), SessionOk)


@pytest.mark.attack("O1")
async def test_a_code_stands_five_tries(claims: ClaimWorld) -> None:
    await claims.on_pages()
    registration = await claims.found()
    await claims.claim(registration)
    code = claims.post.code
    left = []
    for _ in range(5):
        error = await refusal(claims, registration, code=wrong(code))
        assert isinstance(error, VerificationCodeWrong)
        left.append(error.tries_left)
    assert left == [4, 3, 2, 1, 0]
    assert isinstance(await refusal(claims, registration, code=code), VerificationCodeExpired)
    assert claims.world.sql("SELECT count(*) FROM platform_link") == [(0,)]


@pytest.mark.attack("O10")
async def test_a_code_serves_the_registration_it_was_sent_for_alone(claims: ClaimWorld) -> None:
    await claims.on_pages()
    first, second = await claims.found("zhang"), await claims.found("zhang-2")
    await claims.claim(first)
    code = claims.post.code
    assert isinstance(await refusal(claims, second, code=code), VerificationCodeExpired)
    assert isinstance(await claims.claim(first, code=code), SessionOk)


@pytest.mark.attack("O8")
async def test_a_code_lives_for_five_minutes(claims: ClaimWorld) -> None:
    await claims.on_pages()
    registration = await claims.found()
    await claims.claim(registration)
    claims.clock.advance(300)
    assert isinstance(await refusal(claims, registration, code=claims.post.code), VerificationCodeExpired)
    await claims.claim(registration)
    assert isinstance(await claims.claim(registration, code=claims.post.code), SessionOk)


@pytest.mark.req("FAQ-1")
@pytest.mark.attack("O11")
async def test_codes_count_like_all_messages_to_the_number_that_strangers_ask_for(claims: ClaimWorld) -> None:
    await claims.on_pages()
    registration = await claims.found()
    await claims.claim(registration)
    soon = await refusal(claims, registration)
    assert isinstance(soon, RateLimited)
    assert soon.retry_after == 60
    for _ in range(2):
        claims.clock.advance(60)
        await claims.claim(registration)
    claims.clock.advance(60)
    assert isinstance(await refusal(claims, registration), SmsHourly)
    assert len(claims.post.taken) == 3


async def test_without_anybody_to_send_it_a_code_is_not_offered(
    world: PhoneWorld, clock: ManualClock, entropy: SeededEntropy
) -> None:
    claims = ClaimWorld(world, clock, entropy, offered=False)
    await claims.on_pages()
    registration = await claims.found()
    assert isinstance(await refusal(claims, registration), SmsNotOffered)
    assert isinstance(await claims.claim(registration, mine=False), SessionOk)


async def test_an_account_without_a_phone_cannot_be_claimed_by_it(claims: ClaimWorld) -> None:
    await claims.on_pages(phone=None)
    registration = await claims.found()
    for code in (None, "123456"):
        assert faults(await refusal(claims, registration, code=code)) == [("mine", "no_phone")]
    assert claims.post.taken == []


@pytest.mark.attack("Q21")
@pytest.mark.parametrize("mine", [True, False])
async def test_a_locked_account_is_neither_claimed_nor_left(claims: ClaimWorld, *, mine: bool) -> None:
    account = await claims.on_pages()
    registration = await claims.found()
    claims.world.sql("UPDATE account SET status = 'locked' WHERE id = ?", account.account)
    error = await refusal(claims, registration, mine=mine)
    assert isinstance(error, AccountRefused)
    assert error.reason == "locked"
    assert claims.world.accounts() == 1
    assert claims.post.taken == []


# ----------------------------------------------------------------------------------------------------- it is not mine


@pytest.mark.attack("M1")
@pytest.mark.parametrize("mine", [False, True])
async def test_what_the_platform_told_of_a_phone_goes_with_its_session(claims: ClaimWorld, *, mine: bool) -> None:
    first = await claims.world.registered("old-phone")
    caller = await claims.world.sessions.recognise(f"Bearer {first.access_token}")
    await claims.members.set_phone(caller.account, PHONE, claims.clock.now())
    claims.world.sql("UPDATE identity SET evidence = 'name_and_number'")
    registration = await claims.found("new-phone")
    assert await claims.world.logins.of_session(caller.session.id) is not None
    if mine:
        await claims.claim(registration)
        await claims.claim(registration, code=claims.post.code)
    else:
        await claims.claim(registration, mine=False)
    assert await claims.world.logins.of_session(caller.session.id) is None
    # Whose identity was taken keeps the phone, and whose account it is has another one by now.
    assert (await claims.world.stores.accounts.link(caller.link) is None) == mine


@pytest.mark.req("REG-7", "REG-8")
async def test_a_new_account_takes_the_identity_over_and_the_other_is_logged_out_and_told(claims: ClaimWorld) -> None:
    loser = await claims.on_pages()
    cookie = await claims.browser(loser.account)
    registration = await claims.found()
    answer = await claims.claim(registration, mine=False)
    account = await claims.account_of(answer)
    assert account != loser.account
    assert isinstance(answer, SessionOk)
    assert (answer.account.name, answer.account.level) == ("张**", "L3")
    left = await claims.members.member(loser.account)
    assert left is not None
    assert (left.document, left.phone, left.password) == (None, PHONE, "hash-1")
    assert await claims.browsers.find(cookie) is None
    assert claims.told() == [(PHONE, Told.IDENTITY_LOST)]
    assert claims.notices() == [(loser.account, "identity.lost"), (account, "identity.taken")]
    assert claims.post.taken == []
    await claims.browser(loser.account)


async def test_a_code_beside_a_no_is_not_looked_at(claims: ClaimWorld) -> None:
    loser = await claims.on_pages()
    registration = await claims.found()
    answer = await claims.claim(registration, mine=False, code="000000")
    assert await claims.account_of(answer) != loser.account


async def test_an_identity_moves_once_a_day(claims: ClaimWorld) -> None:
    await claims.on_pages()
    await claims.claim(await claims.found("zhang"), mine=False)
    claims.world.sql("UPDATE identity SET evidence = 'bank_card'")
    registration = await claims.found("zhang-2")
    error = await refusal(claims, registration, mine=False)
    assert isinstance(error, RateLimited)
    assert error.retry_after == 24 * 3600


async def test_whoever_said_it_was_theirs_may_say_that_it_is_not_and_the_reverse(claims: ClaimWorld) -> None:
    loser = await claims.on_pages()
    registration = await claims.found()
    await claims.claim(registration)
    await claims.claim(registration, mine=False)
    assert (await claims.members.member(loser.account)) is not None
    assert claims.world.accounts() == 2


# ------------------------------------------------------------------------------------------------- lost answers, races


@pytest.mark.parametrize("mine", [True, False])
async def test_an_answer_that_was_lost_is_given_again_for_a_while(claims: ClaimWorld, *, mine: bool) -> None:
    await claims.on_pages()
    registration = await claims.found()
    code = None
    if mine:
        await claims.claim(registration)
        code = claims.post.code
    first = await claims.claim(registration, mine=mine, code=code)
    assert await claims.claim(registration, mine=mine, code=code) == first
    claims.clock.advance(31)
    assert faults(await refusal(claims, registration, mine=mine, code=code)) == [("registration", "unknown")]


@pytest.mark.parametrize("mine", [True, False])
async def test_what_was_written_before_a_failure_is_not_done_twice(claims: ClaimWorld, *, mine: bool) -> None:
    await claims.on_pages()
    registration = await claims.found()
    code = None
    if mine:
        await claims.claim(registration)
        code = claims.post.code
    with patch.object(MiniSessions, "open", side_effect=StoreUnavailable):
        assert isinstance(await refusal(claims, registration, mine=mine, code=code), StoreUnavailable)
    accounts, notices = claims.world.accounts(), claims.notices()
    assert isinstance(await claims.claim(registration, mine=mine, code=code), SessionOk)
    assert (claims.world.accounts(), claims.notices()) == (accounts, notices)
    assert claims.world.probation() is None


async def test_a_right_code_is_asked_for_once_whatever_fails_after_it(claims: ClaimWorld) -> None:
    await claims.on_pages()
    registration = await claims.found()
    await claims.claim(registration)
    with patch.object(SqlAccounts, "relink", side_effect=StoreUnavailable):
        assert isinstance(await refusal(claims, registration, code=claims.post.code), StoreUnavailable)
    assert isinstance(await claims.claim(registration), SessionOk)
    assert len(claims.post.taken) == 1


async def test_sessions_that_cannot_be_ended_take_nothing_back(claims: ClaimWorld) -> None:
    await claims.on_pages()
    registration = await claims.found()
    claims.endings.down = True
    with capture_logs() as lines:
        assert isinstance(await claims.claim(registration, mine=False), SessionOk)
    assert [line["event"] for line in lines] == ["sessions_not_ended"]
    assert claims.told() == [(PHONE, Told.IDENTITY_LOST)]


@pytest.mark.parametrize("mine", [True, False])
async def test_of_many_calls_at_once_all_that_are_answered_have_one_session(claims: ClaimWorld, *, mine: bool) -> None:
    await claims.on_pages()
    registration = await claims.found()
    code = None
    if mine:
        await claims.claim(registration)
        code = claims.post.code
    results = await asyncio.gather(
        *(claims.claim(registration, mine=mine, code=code) for _ in range(8)), return_exceptions=True
    )
    opened = [result for result in results if isinstance(result, SessionOk)]
    others = [result for result in results if not isinstance(result, SessionOk)]
    assert len({answer.access_token for answer in opened}) == 1
    assert all(isinstance(other, VerificationCodeExpired | StoreUnavailable) for other in others), others
    assert claims.world.accounts() == (1 if mine else 2)
    assert claims.world.sql("SELECT count(*) FROM mini_session") == [(1,)]


async def test_of_two_who_take_one_identity_over_at_once_one_does_and_both_are_one_account(claims: ClaimWorld) -> None:
    await claims.on_pages()
    first, second = await claims.found("zhang"), await claims.found("zhang-2", platform=Platform.ALIPAY)
    answers = await asyncio.gather(
        claims.claim(first, mine=False), claims.claim(second, mine=False, platform=Platform.ALIPAY)
    )
    # The same face: whoever comes second finds the account that the first has made.
    assert len({await claims.account_of(answer) for answer in answers}) == 1
    assert claims.world.accounts() == 2


async def test_an_identity_that_is_anothers_by_now_is_asked_about_anew(claims: ClaimWorld) -> None:
    first = await claims.on_pages()
    registration = await claims.found()
    await claims.claim(registration)
    code = claims.post.code
    await claims.members.cancel(first.account, claims.clock.now())
    second = await claims.on_pages(phone="13987654321")
    answer = await claims.claim(registration, code=code)
    assert isinstance(answer, AccountFound)
    assert (answer.registration, answer.account.phone) == (registration, "139****4321")
    assert claims.world.sql("SELECT count(*) FROM platform_link") == [(0,)]
    await claims.claim(registration)
    assert claims.post.taken[-1].to == "13987654321"
    assert await claims.account_of(await claims.claim(registration, code=claims.post.code)) == second.account


async def test_an_identity_that_nobody_holds_any_more_makes_a_new_account(claims: ClaimWorld) -> None:
    account = await claims.on_pages()
    registration = await claims.found()
    await claims.members.cancel(account.account, claims.clock.now())
    assert await claims.account_of(await claims.claim(registration)) != account.account


@pytest.mark.req("REG-7")
async def test_an_identity_that_was_proved_by_face_meanwhile_is_recovered_under_probation(claims: ClaimWorld) -> None:
    await claims.on_pages()
    registration = await claims.found("zhang-2", platform=Platform.ALIPAY)
    await claims.claim(await claims.found("zhang"), mine=False)
    answer = await claims.claim(registration, mine=False, platform=Platform.ALIPAY)
    assert isinstance(answer, SessionOk)
    ((until,),) = claims.world.sql("SELECT probation_until FROM platform_link WHERE platform = 'alipay'")
    assert until == claims.clock.now() + 72 * 3600 * 1000
    assert claims.world.accounts() == 2


# ------------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.attack("B1", "B2")
async def test_nothing_is_claimed_before_a_face_has_passed_and_an_account_was_found(claims: ClaimWorld) -> None:
    await claims.on_pages()
    registration = await claims.world.opened("zhang")
    for mine in (True, False):
        assert faults(await refusal(claims, registration, mine=mine)) == [("registration", "nothing_found")]
    verification = await claims.world.state_identity(registration)
    assert faults(await refusal(claims, registration, mine=False)) == [("registration", "nothing_found")]
    claims.world.face(verification)
    assert faults(await refusal(claims, registration, mine=False)) == [("registration", "nothing_found")]
    assert claims.world.accounts() == 1
    assert claims.post.taken == []


async def test_a_registration_that_is_none_or_of_another_platform_is_unknown(claims: ClaimWorld) -> None:
    await claims.on_pages()
    registration = await claims.found()
    assert faults(await refusal(claims, "x" * 43)) == [("registration", "unknown")]
    with pytest.raises(InvalidRequest):
        await claims.claim(registration, platform=Platform.BAIDU)


async def test_a_claim_stands_for_half_an_hour(claims: ClaimWorld) -> None:
    await claims.on_pages()
    registration = await claims.found()
    claims.clock.advance(1799)
    assert isinstance(await claims.claim(registration), CodeSent)
    claims.clock.advance(1)
    assert faults(await refusal(claims, registration, mine=False)) == [("registration", "unknown")]


async def test_another_persons_account_is_not_what_a_claim_is_to(claims: ClaimWorld) -> None:
    await claims.on_pages(ZHANG)
    other = await claims.on_pages(LI, phone="13987654321")
    registration = await claims.found("zhang", ZHANG)
    await claims.claim(registration)
    assert claims.post.taken[-1].to == PHONE
    assert await claims.account_of(await claims.claim(registration, code=claims.post.code)) != other.account
