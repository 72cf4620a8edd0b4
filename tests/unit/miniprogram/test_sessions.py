"""A phone's session: who is recognised, the refresh races, and how long it lasts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from unittest.mock import patch

import pytest

from bjidp.clock import DAY, HOUR, SECOND
from bjidp.errors import AccountRefused, StoreUnavailable, TokenInvalid
from bjidp.miniprogram.ports import MiniSessionEnd
from bjidp.miniprogram.sessions import LIVE_OF_LINK, Caller
from bjidp.miniprogram.wire import IdentityRequired, SessionOk
from bjidp.platforms import Platform
from tests.support.phones import LI, PhoneWorld


def bearer(access_token: str) -> str:
    return f"Bearer {access_token}"


async def logged_in(world: PhoneWorld, user: str = "zhang") -> SessionOk:
    """A session by the platform's login code, of someone registered before."""
    await world.registered(user)
    answer = await world.sign_in(user)
    assert isinstance(answer, SessionOk)
    return answer


async def is_live(world: PhoneWorld, access_token: str) -> bool:
    try:
        await world.sessions.recognise(bearer(access_token))
    except TokenInvalid:
        return False
    return True


@pytest.mark.req("LOG-7")
async def test_a_caller_is_what_the_servers_own_rows_say(world: PhoneWorld) -> None:
    answer = await logged_in(world)
    caller = await world.sessions.authenticate(bearer(answer.access_token))
    ((account, link),) = world.sql("SELECT account, id FROM platform_link")
    assert (caller.account, caller.link, caller.platform) == (account, link, Platform.WECHAT)
    assert caller.standing.name == "张**"
    assert answer.account.name == "张**"
    assert answer.account.level == "L3"


@pytest.mark.attack("T3")
async def test_an_ended_session_is_invalid_at_once_with_all_its_tokens(world: PhoneWorld) -> None:
    answer = await logged_in(world)
    other = await world.sign_in("zhang")
    assert isinstance(other, SessionOk)
    caller = await world.sessions.authenticate(bearer(answer.access_token))
    assert await world.sessions.end(caller.session.id, MiniSessionEnd.LOGOUT)
    with pytest.raises(TokenInvalid):
        await world.sessions.authenticate(bearer(answer.access_token))
    with pytest.raises(TokenInvalid):
        await world.sessions.refresh(answer.refresh_token)
    assert await is_live(world, other.access_token)


@pytest.mark.attack("M1")
@pytest.mark.req("RNV-6", "ACC-7")
@pytest.mark.parametrize("way", ["unbind", "cancel"])
async def test_what_the_platform_told_is_forgotten_where_the_session_has_ended_in_a_transaction(
    world: PhoneWorld, way: str
) -> None:
    caller = await world.sessions.authenticate(bearer((await logged_in(world)).access_token))
    if way == "unbind":
        out = await world.stores.identities.unbind(caller.account, world.clock.now())
        assert out is not None
        gone = out.gone
    else:
        gone = (await world.stores.members.cancel(caller.account, world.clock.now())).gone
    assert await world.logins.of_session(caller.session.id) is not None
    await world.sessions.end_all(caller.account, None, MiniSessionEnd.IDENTITY_UNBOUND, gone)
    assert await world.logins.of_session(caller.session.id) is None


@pytest.mark.attack("M1")
@pytest.mark.parametrize("reason", [MiniSessionEnd.LOGOUT, MiniSessionEnd.CHOSEN])
async def test_what_the_platform_told_at_a_login_is_forgotten_with_its_session(
    world: PhoneWorld, reason: MiniSessionEnd
) -> None:
    ended = await world.sessions.authenticate(bearer((await logged_in(world)).access_token))
    other = await world.sign_in("zhang")
    assert isinstance(other, SessionOk)
    kept = await world.sessions.authenticate(bearer(other.access_token))
    assert await world.logins.of_session(ended.session.id) is not None
    if reason is MiniSessionEnd.LOGOUT:
        await world.sessions.end(ended.session.id, reason)
    else:
        await world.sessions.end_all(ended.account, kept.session.id, reason)
    assert await world.logins.of_session(ended.session.id) is None
    assert await world.logins.of_session(kept.session.id) is not None


@pytest.mark.attack("M1")
async def test_a_session_ends_though_what_is_kept_for_it_cannot_be_forgotten(world: PhoneWorld) -> None:
    answer = await logged_in(world)
    caller = await world.sessions.authenticate(bearer(answer.access_token))
    other = await world.sign_in("zhang")
    assert isinstance(other, SessionOk)
    with patch.object(world.kept_logins, "take", side_effect=StoreUnavailable):
        assert await world.sessions.end(caller.session.id, MiniSessionEnd.LOGOUT)
        await world.sessions.end_all(caller.account, None, MiniSessionEnd.CHOSEN)
    assert not await is_live(world, answer.access_token)
    assert not await is_live(world, other.access_token)


@pytest.mark.req("LOG-7")
async def test_who_logs_in_again_and_again_is_logged_out_of_the_oldest(world: PhoneWorld) -> None:
    tokens = [(await logged_in(world)).access_token]
    for _ in range(LIVE_OF_LINK):
        world.clock.advance(60)
        answer = await world.sign_in("zhang")
        assert isinstance(answer, SessionOk)
        tokens.append(answer.access_token)
    assert [await is_live(world, token) for token in tokens] == [False] + [True] * LIVE_OF_LINK


@pytest.mark.attack("T3", "Q21")
async def test_a_locked_account_is_refused_everywhere_but_may_log_its_phone_out(world: PhoneWorld) -> None:
    answer = await logged_in(world)
    world.sql("UPDATE account SET status = 'locked'")
    with pytest.raises(AccountRefused) as refused:
        await world.sessions.authenticate(bearer(answer.access_token))
    assert refused.value.reason == "locked"
    with pytest.raises(AccountRefused):
        await world.sessions.refresh(answer.refresh_token)
    with pytest.raises(AccountRefused):
        await world.sign_in("zhang")
    caller = await world.sessions.recognise(bearer(answer.access_token))
    assert await world.sessions.end(caller.session.id, MiniSessionEnd.LOGOUT)


async def test_a_lock_that_is_lifted_has_cost_no_session(world: PhoneWorld) -> None:
    answer = await logged_in(world)
    world.sql("UPDATE account SET status = 'locked'")
    with pytest.raises(AccountRefused):
        await world.sessions.refresh(answer.refresh_token)
    world.sql("UPDATE account SET status = 'active'")
    assert (await world.sessions.refresh(answer.refresh_token)).expires_in == 900


@pytest.mark.attack("T7")
async def test_a_refresh_gives_a_new_pair_and_the_old_access_token_serves_out_its_way(world: PhoneWorld) -> None:
    first = await logged_in(world)
    world.clock.advance(60)
    second = await world.sessions.refresh(first.refresh_token)
    assert second.access != first.access_token
    assert second.refresh != first.refresh_token
    assert await is_live(world, first.access_token)
    assert await is_live(world, second.access)
    third = await world.sessions.refresh(second.refresh)
    assert not await is_live(world, first.access_token)
    assert await is_live(world, third.access)


@pytest.mark.attack("T7")
async def test_a_lost_answer_is_given_again_until_thirty_seconds_are_over(world: PhoneWorld) -> None:
    first = await logged_in(world)
    second = await world.sessions.refresh(first.refresh_token)
    world.clock.advance(30)
    again = await world.sessions.refresh(first.refresh_token)
    assert (again.access, again.refresh) == (second.access, second.refresh)
    world.clock.advance(0.001)
    with pytest.raises(TokenInvalid):
        await world.sessions.refresh(first.refresh_token)
    assert not await is_live(world, second.access)


async def use_access(world: PhoneWorld, access: str, _refresh: str) -> None:
    await world.sessions.recognise(bearer(access))


async def use_refresh(world: PhoneWorld, _access: str, refresh: str) -> None:
    await world.sessions.refresh(refresh)


@pytest.mark.attack("T7")
@pytest.mark.parametrize("use", [use_access, use_refresh])
async def test_an_old_token_whose_successor_was_used_ends_its_family_and_only_that(
    world: PhoneWorld, use: Callable[[PhoneWorld, str, str], Awaitable[None]]
) -> None:
    first = await logged_in(world)
    other = await world.sign_in("zhang")
    assert isinstance(other, SessionOk)
    second = await world.sessions.refresh(first.refresh_token)
    await use(world, second.access, second.refresh)
    with pytest.raises(TokenInvalid):
        await world.sessions.refresh(first.refresh_token)
    for access in (first.access_token, second.access):
        assert not await is_live(world, access)
    with pytest.raises(TokenInvalid):
        await world.sessions.refresh(second.refresh)
    assert await is_live(world, other.access_token)
    reasons = world.sql("SELECT facts FROM audit_event WHERE kind = 'mini_session.ended'")
    assert any("refresh_replayed" in str(facts) for (facts,) in reasons)


@pytest.mark.attack("T7")
async def test_an_old_access_token_is_no_use_of_the_new_pair(world: PhoneWorld) -> None:
    first = await logged_in(world)
    second = await world.sessions.refresh(first.refresh_token)
    assert await is_live(world, first.access_token)
    again = await world.sessions.refresh(first.refresh_token)
    assert again.refresh == second.refresh


@pytest.mark.attack("T7")
async def test_twenty_parallel_refreshes_are_one_pair_and_one_generation(world: PhoneWorld) -> None:
    first = await logged_in(world)
    pairs = await asyncio.gather(*(world.sessions.refresh(first.refresh_token) for _ in range(20)))
    assert len({(pair.access, pair.refresh) for pair in pairs}) == 1
    caller = await world.sessions.recognise(bearer(pairs[0].access))
    assert caller.session.generation == 2


@pytest.mark.attack("T7")
async def test_parallel_uses_of_old_tokens_and_a_refresh_leave_no_family_alive(world: PhoneWorld) -> None:
    first = await logged_in(world)
    second = await world.sessions.refresh(first.refresh_token)
    await world.sessions.recognise(bearer(second.access))
    results = await asyncio.gather(
        *(world.sessions.refresh(first.refresh_token) for _ in range(10)),
        world.sessions.refresh(second.refresh),
        return_exceptions=True,
    )
    assert all(isinstance(result, TokenInvalid) for result in results[:10])
    assert not await is_live(world, second.access)


async def test_a_token_is_marked_as_used_once_by_however_many_calls(world: PhoneWorld) -> None:
    first = await logged_in(world)
    second = await world.sessions.refresh(first.refresh_token)
    callers = await asyncio.gather(*(world.sessions.recognise(bearer(second.access)) for _ in range(20)))
    assert all(isinstance(caller, Caller) for caller in callers)
    ((version, used),) = world.sql("SELECT version, used FROM mini_session WHERE id = ?", callers[0].session.id)
    assert (version, used) == (3, 1)


@pytest.mark.parametrize("days", [7, 30])
async def test_a_session_lasts_the_days_chosen_from_the_face_check_whatever_is_refreshed(
    world: PhoneWorld, days: int
) -> None:
    registered = await world.registered("zhang", valid_days=days)
    world.clock.advance((days * DAY - 5 * HOUR) / SECOND)
    tokens = await world.sessions.refresh(registered.refresh_token)
    later = await world.sign_in("zhang")
    assert isinstance(later, SessionOk)
    world.clock.advance((5 * HOUR - SECOND) / SECOND)
    late = await world.sessions.refresh(tokens.refresh)
    assert late.expires_in == 1
    world.clock.advance(1)
    for token in (late.refresh, later.refresh_token):
        with pytest.raises(TokenInvalid):
            await world.sessions.refresh(token)
    assert isinstance(await world.sign_in("zhang"), IdentityRequired)


async def test_no_days_last_until_the_session_ends(world: PhoneWorld) -> None:
    registered = await world.registered("zhang", valid_days=0)
    again = await world.sign_in("zhang")
    assert isinstance(again, SessionOk)
    for access in (registered.access_token, again.access_token):
        caller = await world.sessions.recognise(bearer(access))
        await world.sessions.end(caller.session.id, MiniSessionEnd.LOGOUT)
    assert isinstance(await world.sign_in("zhang"), IdentityRequired)


async def test_no_days_last_twelve_hours_at_most(world: PhoneWorld) -> None:
    await world.registered("zhang", valid_days=0)
    world.clock.advance((12 * HOUR - SECOND) / SECOND)
    last = await world.sign_in("zhang")
    assert isinstance(last, SessionOk)
    assert last.expires_in == 1
    world.clock.advance(1)
    assert not await is_live(world, last.access_token)
    assert isinstance(await world.sign_in("zhang"), IdentityRequired)


@pytest.mark.req("SES-1")
@pytest.mark.attack("Q9")
async def test_an_account_lists_its_phones_and_ends_one_and_nobody_elses(world: PhoneWorld) -> None:
    mine = await logged_in(world)
    other = await world.registered("li", LI)
    callers = [await world.sessions.recognise(bearer(tokens.access_token)) for tokens in (mine, other)]
    account, foreign = callers[0].account, callers[1].session.id
    listed = {session.id for session in await world.sessions.of_account(account)}
    assert callers[0].session.id in listed
    assert foreign not in listed
    assert not await world.sessions.end_one(account, foreign, MiniSessionEnd.CHOSEN)
    assert await world.sessions.end_one(account, callers[0].session.id, MiniSessionEnd.CHOSEN)
    assert not await world.sessions.end_one(account, callers[0].session.id, MiniSessionEnd.CHOSEN)
    assert [await is_live(world, tokens.access_token) for tokens in (mine, other)] == [False, True]


@pytest.mark.req("REC-4", "ACC-7")
async def test_every_phone_of_an_account_is_logged_out_but_the_one_to_keep(world: PhoneWorld) -> None:
    await logged_in(world)
    kept = await world.sign_in("zhang")
    assert isinstance(kept, SessionOk)
    caller = await world.sessions.recognise(bearer(kept.access_token))
    await world.sessions.end_all(caller.account, caller.session.id, MiniSessionEnd.PHONE_CHANGED)
    assert [session.id for session in await world.sessions.of_account(caller.account)] == [caller.session.id]
    await world.sessions.end_all(caller.account, None, MiniSessionEnd.CHOSEN)
    assert await world.sessions.of_account(caller.account) == []
    assert not await is_live(world, kept.access_token)
