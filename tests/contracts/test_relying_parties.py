"""Relying parties, consents, grants and the exchange of codes, on every backend."""

from __future__ import annotations

import asyncio
import hashlib

import msgspec
import pytest
from msgspec.structs import replace

from bjidp.clock import HOUR, Instant
from bjidp.entropy import SystemEntropy, token
from bjidp.errors import AccountRefused
from bjidp.oidc.errors import InvalidGrant
from bjidp.oidc.grants import refreshing
from bjidp.oidc.grants.code import Approval, Authentication, Code
from bjidp.oidc.grants.exchanging import Codes
from bjidp.oidc.grants.grant import Grant, GrantEnd
from bjidp.oidc.metadata import read
from bjidp.oidc.pkce import challenge_of
from bjidp.oidc.ports import DuplicateClient, RegisteredClient, StaleGrant
from bjidp.oidc.scopes import Scope
from bjidp.organisations.organisation import Capacity, Role
from bjidp.standing import Level, Standing
from tests.contracts.ephemeral import Processes
from tests.contracts.house import ZHANG, House
from tests.support.capacities import capacity

pytestmark = pytest.mark.req("RP-1")

CALLBACK = "https://portal.example/callback"
METADATA: dict[str, object] = {
    "client_name": "首都之窗",
    "client_uri": "https://portal.example/",
    "redirect_uris": [CALLBACK],
    "grant_types": ["authorization_code", "refresh_token"],
    "scope": "openid profile identity organisation offline_access",
}
SECRET = hashlib.sha256(b"secret").digest()
VERIFIER = "v" * 43
READS = (Scope.OPENID, Scope.PROFILE)


SECTOR = "portal.example"
PORTAL = read("portal", METADATA)


async def registered(house: House, client_id: str = "portal", **more: object) -> RegisteredClient:
    metadata = METADATA | more
    portal = RegisteredClient(read(client_id, metadata), SECRET)
    await house.sql.clients.add(portal, msgspec.json.encode(metadata).decode(), house.now)
    return portal


@pytest.mark.attack("Q27")
async def test_a_text_that_no_database_holds_is_nobodys_id(house: House) -> None:
    """A Basic header and a JWT carry every character there is, before anybody has proved anything."""
    somebody = (await house.member()).account
    for text in ("\0", "portal\0", "\ud800", "portal\udfff"):
        assert await house.sql.clients.find(text) is None
        assert await house.sql.consents.withdraw(somebody, text, house.now) == 0


async def approval(house: House, *scopes: Scope, client: str = "portal", somebody: Standing | None = None) -> Approval:
    """Return what somebody agreed to in a session of theirs."""
    standing = somebody or await house.member()
    session = house.session(standing.account)
    await house.sessions.open(session, hashlib.sha256(session.id.encode()).digest(), None)
    return Approval(
        client=client,
        account=standing.account,
        ref=standing.ref,
        session=session.id,
        epoch=standing.epoch,
        scopes=scopes or READS,
        authentication=Authentication(house.now, Level.L1, ("qr",)),
    )


def grant_of(house: House, agreed: Approval) -> Grant:
    away = Scope.OFFLINE_ACCESS in agreed.scopes
    family = refreshing.begun(house.now) if away else None
    ends_at = house.now + HOUR if family is None else family.ends_at
    return Grant(
        id=token(house.entropy, 128),
        approval=agreed,
        subject=token(house.entropy, 128),
        family=family,
        created_at=house.now,
        expires_at=ends_at,
    )


async def looked(house: House, grant: str, now: Instant) -> tuple[Grant, Standing] | None:
    """Look a grant up, in both ways there are: they find the same."""
    found, owned = await house.sql.grants.find(grant, now), await house.sql.grants.owned(grant, now)
    if owned is None:
        assert found is None
        return None
    assert found == (owned[0], owned[1].standing)
    assert owned[1] == await house.members.member(owned[0].approval.account)
    return found


async def begun(house: House, *scopes: Scope) -> Grant:
    await registered(house)
    grant = grant_of(house, await approval(house, *scopes))
    return await house.sql.grants.begin(grant, SECTOR, house.now)


async def test_a_client_is_found_as_it_was_registered(house: House) -> None:
    portal = await registered(house)
    assert await house.sql.clients.find("portal") == portal
    assert await house.sql.clients.find("other") is None


async def test_a_client_is_registered_once(house: House) -> None:
    portal = await registered(house)
    with pytest.raises(DuplicateClient):
        await house.sql.clients.add(replace(portal, secret=None), "{}", house.now)
    assert await house.sql.clients.find("portal") == portal


async def test_clients_are_listed_as_they_were_registered_the_oldest_first(house: House) -> None:
    await registered(house, "b")
    house.clock.advance(1)
    await registered(house, "a")
    first, second = await house.sql.clients.entries()
    assert (first.id, second.id) == ("b", "a")
    assert second.created_at == house.now
    assert await house.sql.clients.entry("b") == first
    assert msgspec.json.decode(first.metadata) == METADATA
    assert await house.sql.clients.entry("c") is None


async def test_a_client_that_this_release_cannot_read_is_none_and_keeps_nobody_from_leaving(house: House) -> None:
    account = (await house.member()).account
    await registered(house)
    await house.sql.consents.agree(account, "portal", frozenset(READS), house.now)
    later = {**METADATA, "of_another_release": True, "backchannel_logout_uri": "https://portal.example/logout"}
    house.rows("UPDATE relying_party SET metadata = :later", later=msgspec.json.encode(later).decode())
    assert await house.sql.clients.find("portal") is None
    assert await house.sql.consents.of_account(account, house.now) == []
    await house.members.cancel(account, house.now)
    assert house.count("consent") == 0


@pytest.mark.attack("T3")
async def test_a_client_that_is_removed_leaves_no_grant_and_nothing_that_was_agreed_to(house: House) -> None:
    away = await begun(house, *READS, Scope.OFFLINE_ACCESS)
    await registered(house, "other")
    theirs = grant_of(house, replace(away.approval, client="other"))
    await house.sql.grants.begin(theirs, SECTOR, house.now)
    for client in ("portal", "other"):
        await house.sql.consents.agree(away.approval.account, client, frozenset(READS), house.now)
    assert await house.sql.clients.remove("portal", house.now) == 1
    assert await house.sql.clients.find("portal") is None
    assert await looked(house, away.id, house.now) is None
    assert await house.sql.consents.agreed(away.approval.account, "portal") == frozenset()
    assert await looked(house, theirs.id, house.now) is not None
    assert await house.sql.consents.agreed(away.approval.account, "other") == frozenset(READS)
    assert await house.sql.clients.remove("portal", house.now) is None


async def test_registrations_and_removals_are_audited(house: House) -> None:
    grant = await begun(house)
    with pytest.raises(DuplicateClient):
        await registered(house)
    await house.sql.clients.remove("portal", house.now)
    await house.sql.clients.remove("portal", house.now)
    events = house.rows("SELECT kind, facts FROM audit_event WHERE kind LIKE 'client.%' OR kind = 'grant.ended'")
    assert sorted(kind for kind, _ in events) == ["client.added", "client.removed", "grant.ended"]
    told = {kind: msgspec.json.decode(facts) for kind, facts in events}
    assert told["client.added"] == told["client.removed"] == {"client": "portal"}
    assert told["grant.ended"] == {"client": "portal", "grant": grant.id, "reason": "client_removed"}


@pytest.mark.req("LOG-8")
async def test_what_was_agreed_to_is_remembered_for_each_site_and_person(house: House) -> None:
    await registered(house)
    await registered(house, "other")
    zhang = (await house.member()).account
    li = (await house.member("13900139000", "lisi1")).account
    consents = house.sql.consents
    assert await consents.agreed(zhang, "portal") == frozenset()
    await consents.agree(zhang, "portal", frozenset({Scope.OPENID}), house.now)
    await consents.agree(zhang, "portal", frozenset({Scope.PROFILE}), house.now)
    assert await consents.agreed(zhang, "portal") == {Scope.OPENID, Scope.PROFILE}
    assert await consents.agreed(zhang, "other") == frozenset()
    assert await consents.agreed(li, "portal") == frozenset()


@pytest.mark.req("LOG-8")
async def test_two_tabs_that_agree_at_once_lose_nothing(house: House) -> None:
    await registered(house)
    zhang = (await house.member()).account
    agreeing = [house.sql.consents.agree(zhang, "portal", frozenset({scope}), house.now) for scope in Scope]
    await asyncio.gather(*agreeing)
    assert await house.sql.consents.agreed(zhang, "portal") == frozenset(Scope)


async def test_an_account_that_is_gone_agrees_to_nothing(house: House) -> None:
    await registered(house)
    await house.sql.consents.agree("nobody", "portal", frozenset(READS), house.now)
    assert house.count("consent") == 0


@pytest.mark.req("LOG-8")
async def test_their_owner_sees_which_sites_may_read_what_and_since_when(house: House) -> None:
    await registered(house, "other")
    grant = await begun(house, *READS, Scope.OFFLINE_ACCESS)
    account, consents = grant.approval.account, house.sql.consents
    first = house.now
    await consents.agree(account, "other", frozenset({Scope.OPENID}), first)
    house.clock.advance(60)
    await consents.agree(account, "portal", frozenset({Scope.OPENID, Scope.PHONE}), house.now)
    portal, other = await consents.of_account(account, house.now)
    assert (portal.client.id, portal.agreed_at) == ("portal", house.now)
    assert portal.scopes == (Scope.OPENID, Scope.PROFILE, Scope.PHONE)
    assert (portal.sessions, portal.away) == (frozenset({grant.approval.session}), True)
    assert (other.client.id, other.scopes, other.agreed_at) == ("other", (Scope.OPENID,), first)
    assert (other.sessions, other.away) == (frozenset(), False)
    assert await consents.of_account("nobody", house.now) == []


@pytest.mark.req("LOG-8")
async def test_what_was_given_without_a_page_is_seen_and_withdrawn_like_any_other(house: House) -> None:
    grant = await begun(house)
    account, consents = grant.approval.account, house.sql.consents
    [portal] = await consents.of_account(account, house.now)
    assert (portal.scopes, portal.away) == (READS, False)
    assert await consents.withdraw(account, "portal", house.now) == 1
    assert await consents.of_account(account, house.now) == []


@pytest.mark.attack("T3")
async def test_a_withdrawn_consent_ends_what_came_of_it(house: House) -> None:
    grant = await begun(house, *READS, Scope.OFFLINE_ACCESS)
    account = grant.approval.account
    await house.sql.consents.agree(account, "portal", frozenset(READS), house.now)
    assert await house.sql.consents.withdraw(account, "portal", house.now) == 1
    assert await looked(house, grant.id, house.now) is None
    assert await house.sql.consents.agreed(account, "portal") == frozenset()
    assert await house.sql.consents.withdraw(account, "portal", house.now) == 0


async def test_a_grant_is_found_as_it_was_kept_until_its_time_is_over(house: House) -> None:
    grant = await begun(house)
    found = await looked(house, grant.id, house.now)
    assert found is not None
    assert found[0] == grant
    assert found[1].account == grant.approval.account
    assert await looked(house, grant.id, house.now + HOUR) is None
    assert await looked(house, "unknown", house.now) is None


@pytest.mark.req("LOG-8")
async def test_a_document_is_opened_only_for_whoever_may_be_told_of_it(house: House) -> None:
    await registered(house)
    _, zhang = await house.someone()
    for scopes, document in ((READS, None), ((*READS, Scope.IDENTITY), ZHANG)):
        agreed = await approval(house, *scopes, somebody=zhang)
        grant = await house.sql.grants.begin(grant_of(house, agreed), SECTOR, house.now)
        found = await house.sql.grants.owned(grant.id, house.now)
        assert found is not None
        assert (found[1].document, found[1].standing) == (document, zhang)


async def test_one_sector_always_knows_somebody_by_the_same_name_and_another_by_another(house: House) -> None:
    first = await begun(house)
    again = replace(first, id=token(house.entropy, 128), subject=token(house.entropy, 128))
    assert (await house.sql.grants.begin(again, SECTOR, house.now)).subject == first.subject
    elsewhere = replace(again, id=token(house.entropy, 128))
    assert (await house.sql.grants.begin(elsewhere, "other.example", house.now)).subject != first.subject


async def test_of_twenty_first_grants_at_once_all_know_somebody_by_one_name(house: House) -> None:
    await registered(house)
    agreed = await approval(house)
    firsts = [grant_of(house, agreed) for _ in range(20)]
    kept = await asyncio.gather(*(house.sql.grants.begin(grant, SECTOR, house.now) for grant in firsts))
    assert len({grant.subject for grant in kept}) == 1
    found = [await looked(house, grant.id, house.now) for grant in firsts]
    assert [each is not None and each[0] in kept for each in found] == [True] * 20
    assert house.count("oidc_subject") == 1


async def test_nothing_of_sites_is_left_of_an_account_that_was_cancelled(house: House) -> None:
    grant = await begun(house)
    account = grant.approval.account
    await house.sql.consents.agree(account, "portal", frozenset(READS), house.now)
    await house.members.cancel(account, house.now)
    assert [house.count(table) for table in ("consent", "oidc_grant", "oidc_subject")] == [0, 0, 0]


@pytest.mark.attack("T3")
async def test_a_lock_of_the_account_is_a_lock_of_its_grants(house: House) -> None:
    grant = await begun(house)
    house.set_status(grant.approval.account, "locked")
    assert await looked(house, grant.id, house.now) is None
    with pytest.raises(AccountRefused):
        await house.sql.grants.begin(replace(grant, id=token(house.entropy, 128)), SECTOR, house.now)
    assert house.count("oidc_grant") == 1


@pytest.mark.attack("T3")
async def test_what_ends_an_accounts_sessions_ends_its_grants_and_what_it_agreed_to_before(house: House) -> None:
    grant = await begun(house, *READS, Scope.OFFLINE_ACCESS)
    house.rows("UPDATE account SET epoch = epoch + 1, fence = epoch + 1")
    assert await looked(house, grant.id, house.now) is None
    with pytest.raises(AccountRefused):
        await house.sql.grants.begin(replace(grant, id=token(house.entropy, 128)), SECTOR, house.now)


@pytest.mark.attack("T3")
async def test_a_log_out_ends_what_does_not_outlive_it(house: House) -> None:
    online = await begun(house)
    away = replace(online, id=token(house.entropy, 128), family=refreshing.begun(house.now))
    await house.sql.grants.begin(replace(away, expires_at=refreshing.LONGEST + house.now), SECTOR, house.now)
    assert await house.sql.grants.end_of_session(online.approval.session, house.now) == 1
    assert await looked(house, online.id, house.now) is None
    assert await looked(house, away.id, house.now) is not None


@pytest.mark.attack("T7")
async def test_of_twenty_refreshes_at_once_one_succeeds(house: House) -> None:
    grant = await begun(house, *READS, Scope.OFFLINE_ACCESS)
    assert grant.family is not None
    following = refreshing.refreshed(grant.family, 1, house.now)
    tries = [house.sql.grants.refresh(grant, following, house.now) for _ in range(20)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NoneType", *["StaleGrant"] * 19]
    found = await looked(house, grant.id, house.now)
    assert found is not None
    assert found[0].family == following


async def test_a_grant_that_has_ended_is_refreshed_no_more(house: House) -> None:
    grant = await begun(house, *READS, Scope.OFFLINE_ACCESS)
    assert grant.family is not None
    assert await house.sql.grants.end(grant.id, GrantEnd.REVOKED, house.now)
    assert not await house.sql.grants.end(grant.id, GrantEnd.REVOKED, house.now)
    with pytest.raises(StaleGrant):
        await house.sql.grants.refresh(grant, refreshing.refreshed(grant.family, 1, house.now), house.now)


async def test_each_beginning_and_end_is_audited_by_references(house: House) -> None:
    grant = await begun(house)
    await house.sql.grants.end(grant.id, GrantEnd.REVOKED, house.now)
    events = house.rows("SELECT kind, account_ref, facts FROM audit_event WHERE kind LIKE 'grant.%' ORDER BY id")
    assert [event[0] for event in events] == ["grant.begun", "grant.ended"]
    assert {event[1] for event in events} == {grant.approval.ref}
    assert msgspec.json.decode(events[1][2]) == {"client": "portal", "grant": grant.id, "reason": "revoked"}


@pytest.mark.req("ORG-3")
@pytest.mark.parametrize(
    "acts_in", [capacity(), replace(capacity(), role=Role.REPRESENTATIVE, mandate=None)], ids=["agent", "leader"]
)
async def test_a_grant_for_an_organisation_is_audited_with_what_its_owner_acts_by(
    house: House, acts_in: Capacity
) -> None:
    await registered(house)
    agreed = replace(await approval(house), organisation=acts_in.key)
    grant = await house.sql.grants.begin(grant_of(house, agreed), SECTOR, house.now)
    [(facts,)] = house.rows("SELECT facts FROM audit_event WHERE kind = 'grant.begun'")
    by = {"mandate": "m1"} if acts_in.mandate else {"organisation": "o"}
    assert msgspec.json.decode(facts) == {"client": "portal", "grant": grant.id} | by
    found = await looked(house, grant.id, house.now)
    assert found is not None
    assert found[0].approval.organisation == acts_in.key


async def test_grants_whose_time_is_over_are_cleared_away(house: House) -> None:
    grant = await begun(house)
    assert await house.sql.grants.purge(house.now, 10) == 0
    assert await house.sql.grants.purge(grant.expires_at, 10) == 1
    assert house.count("oidc_grant") == 0


@pytest.fixture
def codes(house: House, processes: Processes) -> Codes:
    return Codes(
        processes.here.records("oidc.code", Code),
        house.sql.grants,
        house.sessions,
        house.sql.consents,
        entropy=SystemEntropy(),
        clock=house.clock,
        session_lifetime=12 * HOUR,
    )


async def code_for(house: House, codes: Codes, agreed: Approval) -> str:
    await house.sql.consents.agree(agreed.account, agreed.client, frozenset(agreed.scopes), house.now)
    return await codes.give(agreed, CALLBACK, challenge_of(VERIFIER), house.now)


async def test_a_code_is_exchanged_for_a_grant(house: House, codes: Codes) -> None:
    await registered(house)
    agreed = await approval(house)
    grant = await codes.exchange(await code_for(house, codes, agreed), PORTAL, CALLBACK, VERIFIER)
    assert grant.approval == agreed
    assert grant.family is None
    assert grant.expires_at == house.now + 12 * HOUR
    found = await looked(house, grant.id, house.now)
    assert found is not None
    assert found[0] == grant


@pytest.mark.attack("T5")
async def test_of_twenty_exchanges_at_once_one_succeeds_and_a_replay_ends_what_it_got(
    house: House, codes: Codes
) -> None:
    await registered(house)
    code = await code_for(house, codes, await approval(house))
    tries = [codes.exchange(code, PORTAL, CALLBACK, VERIFIER) for _ in range(20)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    won = [outcome for outcome in outcomes if isinstance(outcome, Grant)]
    assert len(won) == 1
    assert all(isinstance(outcome, InvalidGrant) for outcome in outcomes if outcome is not won[0])
    assert house.count("oidc_grant") <= 1
    with pytest.raises(InvalidGrant):
        await codes.exchange(code, PORTAL, CALLBACK, VERIFIER)
    assert await looked(house, won[0].id, house.now) is None


@pytest.mark.attack("T5")
async def test_what_does_not_fit_spends_nothing(house: House, codes: Codes) -> None:
    await registered(house)
    code = await code_for(house, codes, await approval(house))
    for client, address, verifier in (
        (replace(PORTAL, id="other"), CALLBACK, VERIFIER),
        (PORTAL, "https://portal.example/other", VERIFIER),
        (PORTAL, CALLBACK, "w" * 43),
        (PORTAL, CALLBACK, None),
    ):
        with pytest.raises(InvalidGrant):
            await codes.exchange(code, client, address, verifier)
    assert (await codes.exchange(code, PORTAL, CALLBACK, VERIFIER)).approval.client == "portal"


async def test_a_code_is_over_after_a_minute(house: House, codes: Codes) -> None:
    await registered(house)
    code = await code_for(house, codes, await approval(house))
    house.clock.advance(60)
    with pytest.raises(InvalidGrant):
        await codes.exchange(code, PORTAL, CALLBACK, VERIFIER)


@pytest.mark.attack("Q21")
async def test_a_code_of_an_account_that_is_locked_by_now_is_worth_nothing(house: House, codes: Codes) -> None:
    await registered(house)
    agreed = await approval(house)
    code = await code_for(house, codes, agreed)
    house.set_status(agreed.account, "locked")
    with pytest.raises(InvalidGrant):
        await codes.exchange(code, PORTAL, CALLBACK, VERIFIER)
    assert house.count("oidc_grant") == 0


@pytest.mark.attack("T3")
async def test_a_code_of_an_agreement_that_was_withdrawn_is_worth_nothing(house: House, codes: Codes) -> None:
    portal = await registered(house)
    agreed = await approval(house)
    code = await code_for(house, codes, agreed)
    await house.sql.consents.withdraw(agreed.account, "portal", house.now)
    with pytest.raises(InvalidGrant):
        await codes.exchange(code, portal.client, CALLBACK, VERIFIER)
    assert house.count("oidc_grant") == 0
