"""The contract of ``MiniSessionStore``, on every backend."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from bjidp.accounts.member_ports import Ended
from bjidp.accounts.ports import NOTHING, Evidence, Gone
from bjidp.clock import HOUR, SECOND
from bjidp.errors import AccountRefused
from bjidp.miniprogram.ports import MiniSessionEnd, StaleMiniSession
from bjidp.platforms import Platform
from bjidp.proofing.ports import NewIdentity
from bjidp.standing import Status
from tests.contracts.house import LI, ZHANG, House, applicant, identity
from tests.support.identities import prove


@pytest.fixture
def house(session_house: House) -> House:
    """Every kind of store that sessions are kept in."""
    return session_house


async def test_a_session_comes_back_as_it_was_with_the_standing_of_its_account(house: House) -> None:
    link, standing = await house.someone()
    session = house.mini_session(link)
    await house.mini_sessions.open(session)
    assert await house.mini_sessions.find(session.id, house.now) == (session, standing)
    assert ("login.mini", standing.ref, session.id) in house.audit()


async def test_what_is_not_there_is_none(house: House) -> None:
    assert await house.mini_sessions.find("nothing", house.now) is None
    assert not await house.mini_sessions.end("nothing", MiniSessionEnd.LOGOUT, house.now)
    assert not await house.mini_sessions.live_of_link("nothing", house.now)


async def test_a_session_is_over_at_its_deadline(house: House) -> None:
    link, _ = await house.someone()
    session = house.mini_session(link)
    await house.mini_sessions.open(session)
    assert await house.mini_sessions.find(session.id, session.expires_at - 1) is not None
    assert await house.mini_sessions.live_of_link(link.id, session.expires_at - 1)
    assert await house.mini_sessions.find(session.id, session.expires_at) is None
    assert not await house.mini_sessions.live_of_link(link.id, session.expires_at)
    assert not await house.mini_sessions.end(session.id, MiniSessionEnd.LOGOUT, session.expires_at)


@pytest.mark.attack("Q21")
@pytest.mark.parametrize("status", ["locked", "cancelled"])
async def test_an_account_that_may_not_log_in_opens_no_session_and_nothing_is_written(
    house: House, status: str
) -> None:
    link, standing = await house.someone()
    house.set_status(standing.account, status)
    before = house.counts()
    session = house.mini_session(link)
    with pytest.raises(AccountRefused) as refused:
        await house.mini_sessions.open(session)
    assert refused.value.reason == status
    assert house.counts() == before
    assert await house.mini_sessions.find(session.id, house.now) is None


@pytest.mark.attack("Q21")
async def test_a_lock_is_seen_by_the_very_next_look(house: House) -> None:
    link, standing = await house.someone()
    session = house.mini_session(link)
    await house.mini_sessions.open(session)
    house.set_status(standing.account, "locked")
    found = await house.mini_sessions.find(session.id, house.now)
    assert found is not None
    assert found[1].status is Status.LOCKED
    assert found[1].refusal == "locked"


async def test_a_link_that_was_replaced_opens_no_session(house: House) -> None:
    link, standing = await house.someone()
    new = applicant(user=identity("oNew"))
    await house.accounts.relink(standing.account, new, probation_until=None, now=house.now)
    before = house.counts()
    with pytest.raises(AccountRefused):
        await house.mini_sessions.open(house.mini_session(link))
    assert house.counts() == before


async def test_a_replace_writes_the_next_generation_and_raises_the_version(house: House) -> None:
    link, standing = await house.someone()
    session = house.mini_session(link)
    await house.mini_sessions.open(session)
    changed = msgspec.structs.replace(session, generation=2, rotated_at=house.now + 1, used=True)
    greedy = msgspec.structs.replace(changed, expires_at=session.expires_at + HOUR, created_at=0, platform="alipay")
    replaced = await house.mini_sessions.replace(greedy)
    assert replaced == msgspec.structs.replace(changed, version=2), "the rest is no caller's to change"
    assert await house.mini_sessions.find(session.id, house.now) == (replaced, standing)


@pytest.mark.attack("Q6")
async def test_of_sixteen_replaces_of_one_version_one_wins(house: House) -> None:
    link, standing = await house.someone()
    session = house.mini_session(link)
    await house.mini_sessions.open(session)
    results = await asyncio.gather(
        *(house.mini_sessions.replace(msgspec.structs.replace(session, generation=n)) for n in range(2, 18)),
        return_exceptions=True,
    )
    won = [result for result in results if not isinstance(result, BaseException)]
    assert len(won) == 1
    assert sum(isinstance(result, StaleMiniSession) for result in results) == 15
    assert await house.mini_sessions.find(session.id, house.now) == (won[0], standing)


@pytest.mark.attack("Q6")
async def test_a_replace_never_creates_and_never_brings_back(house: House) -> None:
    link, standing = await house.someone()
    session = house.mini_session(link)
    with pytest.raises(StaleMiniSession):
        await house.mini_sessions.replace(session)
    await house.mini_sessions.open(session)
    assert await house.mini_sessions.end(session.id, MiniSessionEnd.LOGOUT, house.now)
    assert not await house.mini_sessions.end(session.id, MiniSessionEnd.LOGOUT, house.now)
    with pytest.raises(StaleMiniSession):
        await house.mini_sessions.replace(session)
    assert await house.mini_sessions.find(session.id, house.now) is None
    assert house.audit().count(("mini_session.ended", standing.ref, session.id)) == 1


async def test_a_link_is_live_while_any_session_of_it_is(house: House) -> None:
    link, _ = await house.someone()
    other_link, _ = await house.someone(LI, identity("oLi"))
    first, second = house.mini_session(link), house.mini_session(link)
    for session in (first, second, house.mini_session(other_link)):
        await house.mini_sessions.open(session)
    live = []
    for session in (first, second):
        await house.mini_sessions.end(session.id, MiniSessionEnd.LOGOUT, house.now)
        live.append(await house.mini_sessions.live_of_link(link.id, house.now))
    assert live == [True, False]
    assert await house.mini_sessions.live_of_link(other_link.id, house.now)


@pytest.mark.req("SES-1")
async def test_an_account_sees_its_own_live_phones_newest_first(house: House) -> None:
    link, standing = await house.someone()
    alipay, *_ = await house.accounts.relink(
        standing.account,
        applicant(user=identity("2088", Platform.ALIPAY)),
        probation_until=None,
        now=house.now,
    )
    other_link, _ = await house.someone(LI, identity("oLi"))
    opened = []
    for of in (link, alipay, link):
        opened.append(house.mini_session(of))
        await house.mini_sessions.open(opened[-1])
        house.clock.advance(60)
    await house.mini_sessions.open(house.mini_session(other_link))
    assert await house.mini_sessions.of_account(standing.account, house.now) == opened[::-1]
    assert await house.mini_sessions.of_account(standing.account, opened[0].expires_at) == opened[:0:-1]
    assert await house.mini_sessions.of_account("nobody", house.now) == []


@pytest.mark.req("SES-1", "REC-4")
@pytest.mark.attack("T3")
async def test_every_phone_of_an_account_but_one_is_ended_and_audited_and_nobody_elses(house: House) -> None:
    link, standing = await house.someone()
    other_link, _ = await house.someone(LI, identity("oLi"))
    opened = [house.mini_session(link) for _ in range(3)]
    other = house.mini_session(other_link)
    for session in (*opened, other):
        await house.mini_sessions.open(session)
    reason = MiniSessionEnd.PASSWORD_CHANGED
    ended = await house.mini_sessions.end_others(standing.account, opened[1].id, reason, house.now)
    assert set(ended) == {opened[0].id, opened[2].id}
    assert await house.mini_sessions.of_account(standing.account, house.now) == [opened[1]]
    assert await house.mini_sessions.end_others(standing.account, opened[1].id, reason, house.now) == []
    assert await house.mini_sessions.end_others(standing.account, None, reason, house.now) == [opened[1].id]
    assert await house.mini_sessions.end_others("nobody", None, reason, house.now) == []
    assert await house.mini_sessions.find(other.id, house.now) is not None
    audited = [event for event in house.audit() if event[0] == "mini_session.ended"]
    assert len(audited) == 3
    assert set(audited) == {("mini_session.ended", standing.ref, session.id) for session in opened}


async def test_phones_of_a_link_that_is_gone_are_over_whoever_ends_them(house: House) -> None:
    link, standing = await house.someone()
    session = house.mini_session(link)
    await house.mini_sessions.open(session)
    await house.accounts.relink(standing.account, applicant(user=identity("oNew")), probation_until=None, now=house.now)
    assert await house.mini_sessions.of_account(standing.account, house.now) == []
    assert await house.mini_sessions.end_others(standing.account, None, MiniSessionEnd.CANCELLED, house.now) == []
    assert await house.mini_sessions.find(session.id, house.now) is None


@pytest.mark.req("REG-7", "RNV-7")
@pytest.mark.parametrize("way", ["relinked", "registered", "taken over"])
async def test_phones_that_go_with_a_link_or_an_identity_are_told_and_end_and_are_audited_once(
    house: House, way: str
) -> None:
    link, standing = await house.someone()
    session = house.mini_session(link)
    await house.mini_sessions.open(session)
    kept_beside = () if house.redis_url else (session.id,)
    match way:
        case "relinked":
            newer = applicant(user=identity("oNew"))
            linked = await house.accounts.relink(standing.account, newer, probation_until=None, now=house.now)
        case "registered":
            linked = await house.accounts.register(applicant(LI, identity()), house.now)
        case _:
            house.rows("UPDATE identity SET evidence = 'name_and_number'")
            linked = await house.accounts.take_over(standing.account, applicant(user=identity("oNew")), house.now)
    if way == "taken over":
        assert (linked.gone, linked.lost) == (NOTHING, Gone((), kept_beside)), "the phone stays the loser's"
        assert await house.accounts.link(link.id) == link
        left = await house.mini_sessions.end_others(standing.account, None, MiniSessionEnd.IDENTITY_LOST, house.now)
    else:
        assert (linked.gone, linked.lost) == (Gone((link.id,), kept_beside), NOTHING)
        left = await house.mini_sessions.end_of_links([link.id], MiniSessionEnd.LINK_REPLACED, house.now)
    assert [*kept_beside, *left] == [session.id]
    assert await house.mini_sessions.end_of_links([link.id], MiniSessionEnd.LINK_REPLACED, house.now) == []
    assert await house.mini_sessions.find(session.id, house.now) is None
    assert [event for event in house.audit() if event[0] == "mini_session.ended"] == [
        ("mini_session.ended", standing.ref, session.id)
    ]


async def test_a_link_that_is_renewed_ends_nobody(house: House) -> None:
    link, standing = await house.someone()
    session = house.mini_session(link)
    await house.mini_sessions.open(session)
    linked = await house.accounts.relink(standing.account, applicant(), probation_until=None, now=house.now)
    assert (linked.link.id, linked.gone, linked.lost) == (link.id, NOTHING, NOTHING)
    assert await house.mini_sessions.find(session.id, house.now) is not None


@pytest.mark.req("ACC-7", "LOG-6")
@pytest.mark.parametrize("merged", [False, True])
async def test_phones_of_an_account_that_has_ended_are_ended_and_audited_once(house: House, *, merged: bool) -> None:
    link, standing = await house.someone()
    session = house.mini_session(link)
    await house.mini_sessions.open(session)
    ended: Ended | None
    if merged:
        stays = await house.member("13800138000")
        await house.members.set_phone(standing.account, "13900139000", house.now)
        house.rows("DELETE FROM identity")
        ended = (await house.members.merge_phone(stays.account, "13900139000", house.now)).ended
    else:
        ended = await house.members.cancel(standing.account, house.now)
    kept_beside = () if house.redis_url else (session.id,)
    assert ended == Ended(standing.account, standing.ref, Gone((link.id,), kept_beside))
    for _ in range(2):
        await house.mini_sessions.end_others(standing.account, None, MiniSessionEnd.CANCELLED, house.now, [link.id])
    assert await house.mini_sessions.find(session.id, house.now) is None
    assert house.audit().count(("mini_session.ended", standing.ref, session.id)) == 1
    assert not await house.mini_sessions.live_of_link(link.id, house.now)


@pytest.mark.req("RNV-5", "RNV-6")
@pytest.mark.parametrize("way", ["exchange", "unbind", "lose"])
async def test_of_phones_that_went_with_an_identity_nothing_is_left_and_each_is_audited_once(
    house: House, way: str
) -> None:
    link, standing = await house.someone()
    session = house.mini_session(link)
    await house.mini_sessions.open(session)
    identities = house.sql.identities
    reason, out = MiniSessionEnd.IDENTITY_LOST, None
    if way == "unbind":
        reason, out = MiniSessionEnd.IDENTITY_UNBOUND, await identities.unbind(standing.account, house.now)
    else:
        account = standing.account if way == "exchange" else (await house.member()).account
        person = LI if way == "exchange" else ZHANG
        new = NewIdentity(person=person, evidence=Evidence.FACE, evidence_reference="E-1", authority_reference="A-77")
        settled = await prove(identities, account, new, house.now, exchange=way == "exchange")
        out = settled.exchanged if way == "exchange" else settled.loser
    assert out is not None
    assert (out.account, out.ref) == (standing.account, standing.ref)
    assert out.gone.links == (() if way == "lose" else (link.id,)), "who loses an identity keeps the phone"
    assert out.gone.sessions == (() if house.redis_url else (session.id,))
    for _ in range(2):
        await house.mini_sessions.end_others(out.account, None, reason, house.now, out.gone.links)
    assert house.audit().count(("mini_session.ended", standing.ref, session.id)) == 1
    assert not await house.mini_sessions.live_of_link(link.id, house.now)


@pytest.mark.req("LOG-7")
async def test_a_link_keeps_its_newest_sessions_and_the_oldest_is_ended_and_audited(house: House) -> None:
    link, standing = await house.someone()
    other_link, _ = await house.someone(LI, identity("oLi"))
    other = house.mini_session(other_link)
    await house.mini_sessions.open(other)
    # One that is over is ended by nobody.
    await house.mini_sessions.open(msgspec.structs.replace(house.mini_session(link), expires_at=house.now + 1))
    opened = []
    for _ in range(5):
        house.clock.advance(1)
        opened.append(house.mini_session(link))
        await house.mini_sessions.open(opened[-1], newest=3)
    live = [session.id for session in opened if await house.mini_sessions.find(session.id, house.now) is not None]
    assert live == [session.id for session in opened[2:]]
    assert await house.mini_sessions.find(other.id, house.now) is not None
    ended = [event for event in house.audit() if event[0] == "mini_session.ended"]
    assert ended == [("mini_session.ended", standing.ref, session.id) for session in opened[:2]]
    facts = {facts for (facts,) in house.rows("SELECT facts FROM audit_event WHERE kind = 'mini_session.ended'")}
    assert facts == {f'{{"link":"{link.id}","reason":"crowded_out"}}'}


@pytest.mark.req("LOG-7")
async def test_a_new_session_is_kept_though_the_clock_of_the_others_is_ahead(house: House) -> None:
    link, _ = await house.someone()
    ahead = msgspec.structs.replace(house.mini_session(link), created_at=house.now + SECOND)
    for number in range(3):
        await house.mini_sessions.open(msgspec.structs.replace(ahead, id=f"{number}" * 22))
    new = house.mini_session(link)
    await house.mini_sessions.open(new, newest=3)
    assert await house.mini_sessions.find(new.id, house.now) is not None


@pytest.mark.req("LOG-7")
async def test_sixteen_logins_at_once_leave_no_more_than_a_link_may_have(house: House) -> None:
    link, _ = await house.someone()
    opened = [house.mini_session(link) for _ in range(16)]
    await asyncio.gather(*(house.mini_sessions.open(session, newest=5) for session in opened))
    live = [session for session in opened if await house.mini_sessions.find(session.id, house.now) is not None]
    # In Redis each spares itself, so that two of them may end one too many.
    assert len(live) in ({5} if house.redis_url is None else {4, 5})
    assert len([event for event in house.audit() if event[0] == "mini_session.ended"]) == 16 - len(live)


@pytest.mark.req("PRV-4")
async def test_purging_removes_what_is_over_and_spares_what_is_live(house: House) -> None:
    link, _ = await house.someone()
    over = house.mini_session(link)
    await house.mini_sessions.open(over)
    house.clock.advance(1)
    live = house.mini_session(link)
    await house.mini_sessions.open(live)
    assert await house.mini_sessions.purge(over.expires_at, 9) == 1
    assert await house.mini_sessions.purge(over.expires_at, 9) == 0
    assert await house.mini_sessions.find(live.id, over.expires_at) is not None


@pytest.mark.req("PRV-4")
async def test_a_backlog_is_purged_a_bounded_piece_at_a_time(house: House) -> None:
    link, _ = await house.someone()
    rows = "mini_session" if house.redis_url is None else "bjidp:mini:of:"
    over = house.mini_session(link)
    for number in range(5):
        await house.mini_sessions.open(msgspec.structs.replace(over, id=f"{number}" * 22))
    left = []
    for _ in range(4):
        purged = await house.mini_sessions.purge(over.expires_at, 2)
        left.append((purged, house.counts().get(rows, 0)))
    assert left == [(2, 3), (2, 1), (1, 0), (0, 0)]
