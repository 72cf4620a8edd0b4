"""Identities that move to who proves them better (RNV-7), on every backend."""

from __future__ import annotations

import asyncio

import pytest

from bjidp.accounts.ports import Evidence, IdentityTaken
from bjidp.audit.event import EventKind
from bjidp.clock import DAY, HOUR, SECOND
from bjidp.entropy import SystemEntropy
from bjidp.errors import AccountRefused, RateLimited
from bjidp.standing import Standing
from bjidp.storage.sql.catalog import open_sql
from tests.contracts.house import LI, ZHANG, House, applicant, cookie, identity, keyring

pytestmark = pytest.mark.req("RNV-7")

PHONE = "13800138000"


async def on_pages(house: House, evidence: Evidence = Evidence.NAME_AND_NUMBER) -> Standing:
    """Return an account as pages make one: a number, a password, the identity by a weaker proof, and no 京通."""
    _, standing = await house.someone()
    await house.members.set_phone(standing.account, PHONE, house.now)
    await house.members.set_password(standing.account, "hash-1", EventKind.PASSWORD_CHANGED, house.now, was=None)
    house.rows("DELETE FROM platform_link")
    house.rows("DELETE FROM notice")
    house.rows("UPDATE identity SET evidence = :evidence", evidence=evidence.value)
    found = await house.accounts.standing(standing.account)
    assert found is not None
    return found


def test_a_proof_outweighs_those_before_it_in_the_list() -> None:
    assert [[one.outweighs(other) for other in Evidence] for one in Evidence] == [
        [False, False, False],
        [True, False, False],
        [True, True, False],
    ]


@pytest.mark.req("REG-8")
@pytest.mark.parametrize("evidence", [Evidence.NAME_AND_NUMBER, Evidence.BANK_CARD])
async def test_a_face_takes_an_identity_over_and_leaves_the_loser_all_else(house: House, evidence: Evidence) -> None:
    loser = await on_pages(house, evidence)
    link, standing, *_ = await house.accounts.take_over(loser.account, applicant(user=identity("oNew")), house.now)

    assert standing.account != loser.account
    assert (standing.level, standing.name) == (3, "张**")
    assert (link.account, link.probation_until) == (standing.account, None)
    assert await house.accounts.link_of(identity("oNew")) == (link, standing)
    holder = await house.accounts.holder_of(ZHANG)
    assert holder is not None
    assert (holder.account, holder.evidence, holder.phone) == (standing.account, Evidence.FACE, None)

    left = await house.members.member(loser.account)
    assert left is not None
    assert (left.standing.level, left.document, left.evidence) == (1, None, None)
    assert (left.phone, left.password) == (PHONE, "hash-1")
    assert house.notices() == [(loser.account, "identity.lost"), (standing.account, "identity.taken")]
    assert house.audit()[-3:] == [
        ("account.registered", standing.ref, None),
        ("identity.lost", loser.ref, None),
        ("identity.taken", standing.ref, None),
    ]
    await house.sessions.open(house.session(loser.account), cookie("c"), None)


async def test_an_identity_is_taken_from_who_holds_it_and_from_nobody_else(house: House) -> None:
    loser = await on_pages(house)
    _, li = await house.someone(LI, identity("oLi"))
    before = house.counts()
    with pytest.raises(IdentityTaken):
        await house.accounts.take_over(li.account, applicant(user=identity("oNew")), house.now)
    with pytest.raises(AccountRefused):
        await house.accounts.take_over("nobody", applicant(user=identity("oNew")), house.now)
    await house.members.cancel(loser.account, house.now)
    with pytest.raises(AccountRefused):
        await house.accounts.take_over(loser.account, applicant(user=identity("oNew")), house.now)
    assert house.counts() | {"audit_event": 0, "identifier": 0, "identity": 0} == before | {
        "audit_event": 0, "identifier": 0, "identity": 0,
    }  # fmt: skip


async def test_what_a_face_has_proved_no_other_face_takes(house: House) -> None:
    loser = await on_pages(house, Evidence.FACE)
    before = house.counts()
    with pytest.raises(IdentityTaken):
        await house.accounts.take_over(loser.account, applicant(user=identity("oNew")), house.now)
    assert house.counts() == before


@pytest.mark.attack("Q21")
async def test_nobody_gets_out_of_a_lock_by_a_new_account(house: House) -> None:
    loser = await on_pages(house)
    house.set_status(loser.account, "locked")
    before = house.counts()
    with pytest.raises(AccountRefused) as refused:
        await house.accounts.take_over(loser.account, applicant(user=identity("oNew")), house.now)
    assert refused.value.reason == "locked"
    assert house.counts() == before


async def test_an_identity_that_moved_stays_for_a_day(house: House) -> None:
    first = await on_pages(house)
    _, second, *_ = await house.accounts.take_over(first.account, applicant(user=identity("oNew")), house.now)
    # Another proof than a face, as when somebody binds their identity anew on a page.
    house.rows("UPDATE identity SET evidence = 'bank_card'")
    house.clock.advance((DAY - HOUR) // SECOND)
    before = house.counts()
    with pytest.raises(RateLimited) as limited:
        await house.accounts.take_over(second.account, applicant(user=identity("oThird")), house.now)
    assert limited.value.retry_after == HOUR // SECOND
    assert house.counts() == before
    house.clock.advance(HOUR // SECOND)
    _, third, *_ = await house.accounts.take_over(second.account, applicant(user=identity("oThird")), house.now)
    holder = await house.accounts.holder_of(ZHANG)
    assert holder is not None
    assert holder.account == third.account


@pytest.mark.attack("R4")
async def test_everybody_is_put_out_of_the_loser_in_the_transaction_that_takes_its_identity(house: House) -> None:
    link, loser = await house.someone()
    house.rows("UPDATE identity SET evidence = 'name_and_number'")
    await house.sessions.open(house.session(loser.account), cookie("loser"), None)
    await house.mini_sessions.open(house.mini_session(link))
    await house.accounts.take_over(loser.account, applicant(user=identity("oNew")), house.now)
    assert await house.sessions.find(cookie("loser"), house.now) is None
    assert house.count("mini_session") == 0
    assert await house.accounts.link_of(identity()) is not None, "its own phone logs in to it again"


@pytest.mark.req("REG-8")
async def test_of_sixteen_who_take_an_identity_at_once_one_gets_it(house: House) -> None:
    """Two processes, eight takers each: the database decides, not the process."""
    loser = await on_pages(house)
    other = open_sql(house.url, keyring(), SystemEntropy(), house.clock)
    try:
        results = await asyncio.gather(
            *(
                stores.take_over(loser.account, applicant(user=identity(f"o{number}")), house.now)
                for number, stores in enumerate([house.accounts, other.accounts] * 8)
            ),
            return_exceptions=True,
        )
    finally:
        await other.close()
    won = [result for result in results if isinstance(result, tuple)]
    assert len(won) == 1
    assert sum(isinstance(result, IdentityTaken) for result in results) == 15
    assert (house.count("account"), house.count("identity"), house.count("platform_link")) == (2, 1, 1)


async def test_of_a_takeover_and_a_claim_at_once_the_identity_is_in_one_place(house: House) -> None:
    loser = await on_pages(house)
    results = await asyncio.gather(
        house.accounts.take_over(loser.account, applicant(user=identity("oNew")), house.now),
        house.accounts.relink(loser.account, applicant(user=identity("oOwn")), probation_until=None, now=house.now),
        return_exceptions=True,
    )
    assert sorted(type(result).__name__ for result in results) == ["IdentityTaken", "Linked"]
    assert house.count("identity") == 1


async def test_a_takeover_replaces_what_the_platform_identity_stood_for(house: House) -> None:
    loser = await on_pages(house)
    li_link, li = await house.someone(LI, identity("oLi"))
    session = house.mini_session(li_link)
    await house.mini_sessions.open(session)
    link, standing, *_ = await house.accounts.take_over(loser.account, applicant(user=identity("oLi")), house.now)
    assert await house.accounts.link_of(identity("oLi")) == (link, standing)
    assert await house.mini_sessions.find(session.id, house.now) is None
    assert (li.account, "link.lost") in house.notices()


@pytest.mark.parametrize("evidence", Evidence)
async def test_a_face_raises_a_level_and_never_lowers_one(house: House, evidence: Evidence) -> None:
    standing = await on_pages(house, evidence)
    _, again, *_ = await house.accounts.relink(
        standing.account, applicant(user=identity("oOwn")), probation_until=None, now=house.now
    )
    assert again.level == 3
    holder = await house.accounts.holder_of(ZHANG)
    assert holder is not None
    assert holder.evidence is Evidence.FACE
