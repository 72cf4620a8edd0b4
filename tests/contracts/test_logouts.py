"""What relying parties are told once a session or an account is over, and who brings it, on every backend."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from bjidp.accounts.ports import Evidence
from bjidp.clock import HOUR, MINUTE, SECOND
from bjidp.entropy import token
from bjidp.oidc.grants import refreshing
from bjidp.oidc.grants.code import Approval
from bjidp.oidc.grants.grant import UNGIVEN, Grant, GrantEnd
from bjidp.oidc.logouts.notice import LogoutNotice
from bjidp.oidc.ports import LogoutCounts
from bjidp.sessions.ports import SessionEnd
from bjidp.storage.sql.catalog import open_sql
from tests.contracts.house import LI, House, cookie, keyring
from tests.contracts.test_identities import NAME, proof
from tests.contracts.test_relying_parties import SECTOR, approval, registered
from tests.support.identities import prove

pytestmark = pytest.mark.req("RP-1")

ADDRESS = "https://portal.example/backchannel"


async def site(house: House, client: str = "portal", **more: object) -> None:
    await registered(house, client, backchannel_logout_uri=ADDRESS, **more)


async def begun(house: House, agreed: Approval, *, away: bool = False) -> Grant:
    grant = Grant(
        id=token(house.entropy, 128),
        approval=agreed,
        subject=token(house.entropy, 128),
        family=refreshing.begun(house.now) if away else None,
        created_at=house.now,
        expires_at=house.now + HOUR,
    )
    return await house.sql.grants.begin(grant, SECTOR, house.now)


async def log_out(house: House, agreed: Approval, reason: SessionEnd = SessionEnd.LOGOUT) -> None:
    assert await house.sessions.end(agreed.session, reason, house.now)


async def taken(house: House, limit: int = 10, client: str = "portal") -> list[LogoutNotice]:
    return await house.sql.logouts.take(client, house.now, house.now + MINUTE, limit)


async def test_a_site_is_told_once_of_a_session_however_often_it_was_logged_in_to(session_house: House) -> None:
    await site(session_house)
    agreed = await approval(session_house)
    first = await begun(session_house, agreed)
    await begun(session_house, agreed)
    await begun(session_house, agreed, away=True)
    await log_out(session_house, agreed)
    assert session_house.logouts() == [("portal", first.subject, agreed.session)]


@pytest.mark.parametrize("reason", list(SessionEnd))
async def test_it_is_told_whyever_the_session_ends(house: House, reason: SessionEnd) -> None:
    await site(house)
    agreed = await approval(house)
    grant = await begun(house, agreed)
    await house.sessions.end_others(agreed.account, None, reason, house.now)
    assert house.logouts() == [("portal", grant.subject, agreed.session)]


async def test_each_site_is_told_for_itself_and_one_that_cannot_be_told_is_not(session_house: House) -> None:
    for client in ("portal", "other"):
        await site(session_house, client)
    await registered(session_house, "silent")
    agreed = await approval(session_house)
    for client in ("portal", "other", "silent"):
        await begun(session_house, replace(agreed, client=client))
    await log_out(session_house, agreed)
    assert sorted(client for client, _, _ in session_house.logouts()) == ["other", "portal"]


@pytest.mark.parametrize("reason", [GrantEnd.REPLAYED_CODE, GrantEnd.REVOKED, GrantEnd.REUSED_TOKEN])
@pytest.mark.parametrize("away", [False, True])
async def test_a_grant_that_ended_before_its_session_is_told_of_when_that_ends(
    house: House, reason: GrantEnd, *, away: bool
) -> None:
    """Whoever loads the page again that a code came to has it exchanged twice, and is still logged in there."""
    await site(house)
    agreed = await approval(house)
    grant = await begun(house, agreed, away=away)
    assert await house.sql.grants.end(grant.id, reason, house.now)
    assert await house.sql.grants.find(grant.id, house.now) is None
    assert house.logouts() == []
    await log_out(house, agreed)
    assert house.logouts() == [("portal", grant.subject, agreed.session)]
    assert house.count("oidc_grant") == 0
    assert [kind for kind, _, _ in house.audit()].count("grant.ended") == 1


@pytest.mark.parametrize("reason", sorted(UNGIVEN))
async def test_of_a_grant_that_was_never_given_nobody_is_told(house: House, reason: GrantEnd) -> None:
    await site(house)
    agreed = await approval(house)
    await house.sql.grants.end((await begun(house, agreed)).id, reason, house.now)
    await log_out(house, agreed)
    assert house.logouts() == []


@pytest.mark.req("LOG-8")
async def test_a_site_is_told_that_it_is_agreed_with_no_more(house: House) -> None:
    await site(house)
    agreed = await approval(house)
    grant = await begun(house, agreed, away=True)
    assert await house.sql.consents.withdraw(agreed.account, "portal", house.now) == 1
    assert house.logouts() == [("portal", grant.subject, agreed.session)]


async def test_a_fence_is_told_of_when_it_is_noticed(house: House) -> None:
    await site(house)
    agreed = await approval(house)
    grant = await begun(house, agreed)
    house.rows("UPDATE account SET fence = epoch + 1, epoch = epoch + 1")
    await house.sql.grants.end_fenced(house.now, 10)
    assert house.logouts() == [("portal", grant.subject, agreed.session)]


@pytest.mark.req("LOG-8", "RNV-5", "RNV-6")
@pytest.mark.parametrize("by", ["exchange", "unbind"])
async def test_what_was_agreed_to_by_who_the_account_was_is_forgotten_and_told(house: House, by: str) -> None:
    await site(house)
    agreed = await approval(house)
    grant = await begun(house, agreed, away=True)
    account, identities = agreed.account, house.sql.identities
    await prove(identities, account, proof(Evidence.FACE), house.now)
    await house.sql.consents.agree(account, "portal", frozenset(agreed.scopes), house.now)
    if by == "exchange":
        await prove(identities, account, proof(Evidence.FACE, LI), house.now, exchange=True, keep=agreed.session)
    else:
        await identities.unbind(account, house.now)
    assert await house.sql.consents.of_account(account, house.now) == []
    assert house.logouts() == [("portal", grant.subject, agreed.session)]
    assert [kind for kind, _, _ in house.audit()].count("consent.withdrawn") == 1


@pytest.mark.req("LOG-8", "RNV-3")
async def test_a_better_proof_of_the_same_person_leaves_what_was_agreed_to(house: House) -> None:
    await site(house)
    agreed = await approval(house)
    await begun(house, agreed)
    await house.sql.consents.agree(agreed.account, "portal", frozenset(agreed.scopes), house.now)
    for evidence in (NAME, Evidence.FACE):
        await prove(house.sql.identities, agreed.account, proof(evidence), house.now)
    assert len(await house.sql.consents.of_account(agreed.account, house.now)) == 1
    assert house.logouts() == []


@pytest.mark.req("ACC-7")
async def test_sites_are_told_that_an_account_is_cancelled_by_the_name_they_knew_it_by(house: House) -> None:
    await site(house)
    await site(house, "agreed")
    await registered(house, "silent")
    agreed = await approval(house)
    grant = await begun(house, agreed)
    for client in ("portal", "agreed", "silent"):
        await house.sql.consents.agree(agreed.account, client, frozenset(agreed.scopes), house.now)
    await house.members.cancel(agreed.account, house.now)
    assert house.count("oidc_subject") == 0
    # Both are of one sector, which knows somebody by one name.
    assert sorted(house.logouts()) == [("agreed", grant.subject, None), ("portal", grant.subject, None)]
    [notice] = await taken(house)
    assert (notice.subject, notice.account_ref) == (grant.subject, agreed.ref)


@pytest.mark.req("ACC-7")
async def test_a_site_that_knows_sessions_alone_is_told_of_each(house: House) -> None:
    await site(house, backchannel_logout_session_required=True)
    agreed = await approval(house)
    other = house.session(agreed.account)
    await house.sessions.open(other, cookie("b"), None)
    grant = await begun(house, agreed)
    await begun(house, replace(agreed, session=other.id))
    await begun(house, agreed)
    await house.members.cancel(agreed.account, house.now)
    assert sorted(house.logouts()) == sorted(("portal", grant.subject, one) for one in (agreed.session, other.id))


async def queued(house: House, count: int = 1, client: str = "portal") -> list[LogoutNotice]:
    """Return what is waiting for one site, as nobody has taken it."""
    await site(house, client)
    somebody = await house.member("13800138000" if client == "portal" else "13900139000", f"{client}_user")
    agreed = await approval(house, somebody=somebody)
    for _ in range(count):
        session = house.session(agreed.account)
        await house.sessions.open(session, cookie(session.id), None)
        await begun(house, replace(agreed, client=client, session=session.id))
        await house.sessions.end(session.id, SessionEnd.LOGOUT, house.now)
    notices = await taken(house, count, client)
    house.rows("UPDATE logout_outbox SET due_at = created_at, attempts = 0 WHERE client = :client", client=client)
    return notices


async def test_of_many_processes_each_notice_is_one_ones(house: House) -> None:
    await queued(house, 12)
    others = [open_sql(house.url, keyring(), house.entropy, house.clock) for _ in range(3)]
    takes = [
        each.logouts.take("portal", house.now, house.now + MINUTE, 2) for each in (house.sql, *others) for _ in range(4)
    ]
    found = [notice.id for notices in await asyncio.gather(*takes) for notice in notices]
    assert len(found) == len(set(found)) == 12
    assert await house.sql.logouts.due(house.now, 10) == []
    for each in others:
        await each.close()


async def test_what_somebody_died_over_is_taken_again_by_the_same_name(house: House) -> None:
    [notice] = await queued(house)
    [first] = await taken(house)
    assert await taken(house) == []
    house.clock.advance(MINUTE // SECOND)
    assert await house.sql.logouts.due(house.now, 10) == ["portal"]
    [again] = await taken(house)
    assert (again.jti, again.attempts) == (notice.jti, first.attempts + 1)


async def test_what_was_told_is_over_and_audited_once(house: House) -> None:
    [_] = await queued(house)
    [notice] = await taken(house)
    for _ in range(2):
        await house.sql.logouts.told(notice, house.now)
    house.clock.advance(HOUR // SECOND)
    assert await house.sql.logouts.due(house.now, 10) == []
    assert [one for one in house.audit() if one[0].startswith("logout.")] == [
        ("logout.told", notice.account_ref, notice.session)
    ]


async def test_whoever_has_lost_a_notice_meanwhile_decides_nothing_about_it(house: House) -> None:
    await queued(house)
    [late] = await taken(house)
    house.clock.advance(MINUTE // SECOND)
    [mine] = await taken(house)
    await house.sql.logouts.put_off(late, house.now)
    await house.sql.logouts.give_up(late, house.now)
    assert await house.sql.logouts.due(house.now, 10) == []
    await house.sql.logouts.put_off(mine, house.now)
    assert await house.sql.logouts.due(house.now, 10) == ["portal"]


async def test_how_notices_stand_is_counted_for_each_site(house: House) -> None:
    begun_at = house.now
    await queued(house, 3)
    await queued(house, 1, "other")
    told, given_up, _ = await taken(house)
    await house.sql.logouts.told(told, house.now)
    await house.sql.logouts.give_up(given_up, house.now)
    assert await house.sql.logouts.counts() == [
        LogoutCounts("other", 1, begun_at, 0, 0), LogoutCounts("portal", 1, begun_at, 1, 1),
    ]  # fmt: skip


@pytest.mark.req("PRV-4")
async def test_what_is_over_is_forgotten_piece_by_piece_and_what_waits_is_kept(house: House) -> None:
    await queued(house, 4)
    first, second, third, _ = await taken(house)
    await house.sql.logouts.told(first, house.now)
    await house.sql.logouts.told(second, house.now)
    await house.sql.logouts.give_up(third, house.now)
    assert await house.sql.logouts.forget(house.now, 9) == 0, "that very instant is not before it"
    assert [await house.sql.logouts.forget(house.now + 1, 2) for _ in range(3)] == [2, 1, 0]
    assert house.count("logout_outbox") == 1


async def test_what_was_to_be_told_goes_with_the_site(house: House) -> None:
    await queued(house)
    await house.sql.clients.remove("portal", house.now)
    assert house.logouts() == []
