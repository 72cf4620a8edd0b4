"""The contract of ``ExternalStore``, on every backend: a provider's user logs in to one account."""

from __future__ import annotations

import asyncio

import pytest

from bjidp.accounts.identifiers import IdentifierKind, kind_of, of_external
from bjidp.accounts.member_ports import External, ExternalStore, IdentifierTaken, NewMember
from bjidp.accounts.notices import NoticeKind
from bjidp.audit.event import EventKind, Fact
from bjidp.errors import AccountRefused, StoreUnavailable
from bjidp.platforms import ExternalIdentity, ExternalKind, Provider
from tests.contracts.house import House

PHONE, OTHER_PHONE = "13800138000", "13900139000"


def user(
    value: str = "oZhang-1",
    provider: Provider = Provider.WECHAT,
    app: str = "wx01",
    kind: ExternalKind = ExternalKind.OPEN_ID,
) -> ExternalIdentity:
    """Return a provider's user."""
    return ExternalIdentity(provider, app, kind, value)


def store(house: House) -> ExternalStore:
    """Return the store under test."""
    return house.sql.externals


async def holder(house: House, identity: ExternalIdentity) -> str | None:
    """Return whom a provider's user logs in to."""
    found = await house.members.find([of_external(identity)])
    return None if found is None else found.standing.account


async def told(house: House, account: str) -> list[tuple[NoticeKind, dict[str, str]]]:
    """Return what an account is told, oldest first."""
    return [(notice.kind, notice.facts) for notice in reversed(await house.members.notices(account, 20))]


async def audited(house: House, account: str) -> list[tuple[EventKind, str | None]]:
    """Return what is written down of links, oldest first."""
    kinds = (EventKind.EXTERNAL_LINKED, EventKind.EXTERNAL_UNLINKED)
    events = reversed(await house.members.history(account, 20, kinds=kinds))
    return [(event.kind, event.facts.get(Fact.PROVIDER)) for _, event in events]


@pytest.mark.req("LOG-4")
async def test_a_user_logs_in_to_the_account_it_was_linked_to_and_no_longer_than_that(house: House) -> None:
    account = (await house.member()).account
    assert await holder(house, user()) is None
    assert await store(house).linked(account) == []
    await store(house).link(account, user(), PHONE, house.now)
    assert await holder(house, user()) == account
    assert await store(house).linked(account) == [External(Provider.WECHAT, house.now)]
    assert await store(house).unlink(account, Provider.WECHAT, house.now)
    assert await holder(house, user()) is None
    assert await store(house).linked(account) == []
    assert not await store(house).unlink(account, Provider.WECHAT, house.now)
    assert await audited(house, account) == [
        (EventKind.EXTERNAL_LINKED, "wechat"),
        (EventKind.EXTERNAL_UNLINKED, "wechat"),
    ]
    assert await told(house, account) == [
        (NoticeKind.EXTERNAL_LINKED, {"provider": "wechat"}),
        (NoticeKind.EXTERNAL_UNLINKED, {"provider": "wechat"}),
    ]


@pytest.mark.req("LOG-4")
@pytest.mark.attack("T9")
async def test_a_name_counts_with_its_provider_its_app_and_its_kind(house: House) -> None:
    account = (await house.member()).account
    await store(house).link(account, user(), PHONE, house.now)
    for other in (
        user(app="wx02"),
        user(app=""),
        user(kind=ExternalKind.UNION_ID),
        user(provider=Provider.BAIDU),
        user("oZhang-2"),
        user("OZHANG-1"),
        user("wx01oZhang-1", app=""),
    ):
        assert await holder(house, other) is None, (other.app_id, other.kind)


async def test_linking_again_changes_nothing_and_tells_nothing(house: House) -> None:
    account = (await house.member()).account
    await store(house).link(account, user(), PHONE, house.now)
    house.clock.advance(60)
    assert not await store(house).link(account, user(), PHONE, house.now)
    assert await store(house).linked(account) == [External(Provider.WECHAT, house.now - 60_000)]
    assert len(await told(house, account)) == 1
    assert len(await audited(house, account)) == 1


async def test_an_account_has_one_user_of_each_provider_the_newest(house: House) -> None:
    account = (await house.member()).account
    for provider in (Provider.BAIDU, Provider.ALIPAY, Provider.WECHAT, Provider.NATIONAL):
        await store(house).link(account, user(provider=provider), PHONE, house.now)
    assert await store(house).link(account, user("oZhang-2"), PHONE, house.now)
    assert [one.provider for one in await store(house).linked(account)] == list(Provider)
    assert await holder(house, user()) is None
    assert await holder(house, user("oZhang-2")) == account
    assert house.count("external_link") == 4
    await store(house).unlink_all(account, house.now)
    assert await store(house).linked(account) == []
    assert await holder(house, user(provider=Provider.NATIONAL)) is None
    assert len(await told(house, account)) == 5, "who has them all dropped has said so"
    assert [kind for kind, _ in await audited(house, account)].count(EventKind.EXTERNAL_UNLINKED) == 5


@pytest.mark.attack("T9")
async def test_a_user_of_another_account_is_refused_and_nothing_changes(house: House) -> None:
    zhang, li = await house.member(), await house.member(OTHER_PHONE, "lisisi_9")
    await store(house).link(zhang.account, user(), PHONE, house.now)
    await store(house).link(li.account, user("oLi"), OTHER_PHONE, house.now)
    before = house.counts()
    with pytest.raises(IdentifierTaken) as taken:
        await store(house).link(li.account, user(), OTHER_PHONE, house.now)
    assert taken.value.kind is kind_of(Provider.WECHAT)
    assert house.counts() == before
    assert (await holder(house, user()), await holder(house, user("oLi"))) == (zhang.account, li.account)


@pytest.mark.attack("P7", "T9")
async def test_a_number_that_is_the_accounts_no_more_links_nothing(house: House) -> None:
    account = (await house.member()).account
    await house.members.set_phone(account, OTHER_PHONE, house.now)
    with pytest.raises(IdentifierTaken) as taken:
        await store(house).link(account, user(), PHONE, house.now)
    assert taken.value.kind is IdentifierKind.PHONE
    assert await holder(house, user()) is None
    await store(house).link(account, user(), OTHER_PHONE, house.now)


@pytest.mark.attack("Q21")
@pytest.mark.parametrize("status", ["locked", "cancelled"])
async def test_an_account_that_may_not_be_used_is_linked_to_nothing(house: House, status: str) -> None:
    account = (await house.member()).account
    await store(house).link(account, user(provider=Provider.ALIPAY), PHONE, house.now)
    house.set_status(account, status)
    with pytest.raises(AccountRefused) as refused:
        await store(house).link(account, user(), PHONE, house.now)
    assert refused.value.reason == status
    with pytest.raises(AccountRefused):
        await store(house).unlink(account, Provider.ALIPAY, house.now)
    await store(house).unlink_all(account, house.now)
    assert house.count("external_link") == 0


@pytest.mark.req("LOG-4", "ACC-7")
async def test_a_cancelled_account_leaves_its_users_to_whoever_comes_next(house: House) -> None:
    zhang, li = await house.member(), await house.member(OTHER_PHONE, "lisisi_9")
    await store(house).link(zhang.account, user(), PHONE, house.now)
    await house.members.cancel(zhang.account, house.now)
    assert house.count("external_link") == 0
    assert await holder(house, user()) is None
    await store(house).link(li.account, user(), OTHER_PHONE, house.now)


@pytest.mark.req("LOG-4", "REG-1")
async def test_a_new_account_has_the_user_it_was_registered_with_unless_somebody_has(house: House) -> None:
    new = NewMember(username="zhangsan1", phone=PHONE, password="hash-1", external=user())
    zhang = await house.members.enrol(new, house.now)
    assert await holder(house, user()) == zhang.account
    assert await told(house, zhang.account) == []
    assert await audited(house, zhang.account) == [(EventKind.EXTERNAL_LINKED, "wechat")]
    late = NewMember(username="lisisi_9", phone=OTHER_PHONE, password="hash-1", external=user())
    li = await house.members.enrol(late, house.now)
    assert await holder(house, user()) == zhang.account
    assert await store(house).linked(li.account) == []


@pytest.mark.req("LOG-4")
async def test_of_eight_accounts_that_link_one_user_at_once_one_has_it(house: House) -> None:
    accounts = [(await house.member(f"1380013800{n}", f"zhangsan{n}")).account for n in range(8)]
    linking = [
        store(house).link(account, user(), f"1380013800{number}", house.now) for number, account in enumerate(accounts)
    ]
    results = await asyncio.gather(*linking, return_exceptions=True)
    assert results.count(False) == 1
    assert all(isinstance(result, IdentifierTaken) for result in results if result is not False)
    winner = accounts[results.index(False)]
    assert await holder(house, user()) == winner
    assert house.count("external_link") == 1


async def test_a_database_that_does_not_answer_is_unavailable(house: House) -> None:
    account = (await house.member()).account
    await house.sql.close()
    with pytest.raises(StoreUnavailable):
        await store(house).linked(account)
    with pytest.raises(StoreUnavailable):
        await store(house).link(account, user(), PHONE, house.now)
