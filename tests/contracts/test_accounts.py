"""The contract of ``AccountStore``, on every backend."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from msgspec.structs import replace

from bjidp.accounts.ports import Evidence, IdentityTaken
from bjidp.clock import DAY, HOUR, SECOND
from bjidp.entropy import SystemEntropy
from bjidp.errors import AccountRefused
from bjidp.person import DocumentType, Person
from bjidp.platforms import Platform
from bjidp.standing import Level, Status
from bjidp.storage.sql.catalog import open_sql
from tests.contracts.house import HOME, LI, OFFICE, TICKET, ZHANG, House, applicant, identity, keyring


@pytest.mark.req("REG-7")
async def test_a_registered_account_is_born_at_level_three_and_found_by_its_platform_identity(house: House) -> None:
    link, standing, *_ = await house.accounts.register(applicant(), house.now)
    assert (standing.status, standing.name, standing.level) == (Status.ACTIVE, "张**", 3)
    assert (link.account, link.face_checked_at, link.valid_days) == (standing.account, house.now, 30)
    assert link.probation_until is None
    assert await house.accounts.link_of(identity()) == (link, standing)
    assert await house.accounts.standing(standing.account) == standing


@pytest.mark.req("ACC-1")
async def test_the_profile_is_masked_and_the_username_is_no_telephone_number(house: House) -> None:
    _, standing = await house.someone()
    profile = await house.accounts.profile(standing.account)
    assert profile is not None
    assert (profile.standing, profile.phone, profile.created_at) == (standing, None, house.now)
    assert profile.username.startswith("******")
    assert profile.username[-7:].isdigit()


async def test_the_holder_of_an_identity_is_shown_masked_with_the_strength_of_its_proof(house: House) -> None:
    _, standing = await house.someone()
    holder = await house.accounts.holder_of(ZHANG)
    assert holder is not None
    assert (holder.account, holder.evidence) == (standing.account, Evidence.FACE)
    profile = await house.accounts.profile(standing.account)
    assert profile is not None
    assert (holder.username, holder.phone) == (profile.username, None)


async def test_a_proof_that_is_none_is_not_read_as_one(house: House) -> None:
    _, standing = await house.someone()
    assert standing.level is Level.L3
    house.rows("UPDATE identity SET evidence = 'none'")
    with pytest.raises(LookupError):
        await house.accounts.standing(standing.account)


async def test_a_holder_is_found_by_type_and_number_whatever_the_name(house: House) -> None:
    _, standing = await house.someone()
    other_name = Person(ZHANG.document_type, "章散", ZHANG.number)
    other_type = Person(DocumentType.PERMANENT_RESIDENT, ZHANG.name, ZHANG.number)
    holder = await house.accounts.holder_of(other_name)
    assert holder is not None
    assert holder.account == standing.account
    assert await house.accounts.holder_of(other_type) is None


async def test_what_is_not_there_is_none(house: House) -> None:
    assert await house.accounts.link_of(identity()) is None
    assert await house.accounts.holder_of(ZHANG) is None
    assert await house.accounts.standing("nobody") is None
    assert await house.accounts.profile("nobody") is None
    assert await house.accounts.networks("nobody", [OFFICE]) == (False, False)
    assert await house.sql.accounts.standing_of_link("nothing") is None
    assert await house.sql.accounts.links_of("nothing") == []
    assert await house.accounts.link("nothing") is None


@pytest.mark.attack("M4")
async def test_a_link_tells_the_platform_identity_it_stands_on_as_long_as_it_stands(house: House) -> None:
    user = identity("oZhang-1", Platform.BAIDU, "app-2")
    link, standing, *_ = await house.accounts.register(applicant(user=user), house.now)
    assert await house.accounts.linked_identity(link.id) == user
    newer = identity("oZhang-2", Platform.BAIDU, "app-2")
    again, *_ = await house.accounts.relink(
        standing.account, applicant(user=newer), probation_until=None, now=house.now
    )
    assert await house.accounts.linked_identity(link.id) is None
    assert await house.accounts.linked_identity(again.id) == newer
    assert await house.accounts.linked_identity("A" * 22) is None


async def test_a_link_is_found_by_its_id_as_long_as_it_stands(house: House) -> None:
    link, standing = await house.someone()
    assert await house.accounts.link(link.id) == link
    until = house.now + 72 * HOUR
    newer, *_ = await house.accounts.relink(
        standing.account, applicant(user=identity("oNewPhone")), probation_until=until, now=house.now
    )
    assert await house.accounts.link(newer.id) == newer
    assert newer.probation_until == until
    assert await house.accounts.link(link.id) is None


@pytest.mark.attack("M4")
async def test_an_openid_of_another_app_or_platform_is_somebody_else(house: House) -> None:
    await house.someone()
    assert await house.accounts.link_of(identity(app="wx02")) is None
    assert await house.accounts.link_of(identity(platform=Platform.ALIPAY)) is None


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("张三", "张**"),
        ("欧阳娜娜", "欧**"),
        ("\U00020bb7野家", "\U00020bb7**"),
        ("\U00030eddbiang", "\U00030edd**"),
        ("葛\U000e0100城", "葛\U000e0100**"),
        ("买买提·阿不都", "买**"),
        ("Ó Súilleabháin", "Ó**"),
        ("😀", "😀**"),
    ],
)
async def test_names_of_every_script_come_back_whole(house: House, name: str, shown: str) -> None:
    person = Person(DocumentType.PERMANENT_RESIDENT, name, "911124198108030024")
    _, standing = await house.someone(person)
    assert standing.name == shown
    found = await house.accounts.link_of(identity())
    assert found is not None
    assert found[1].name == shown


@pytest.mark.req("REG-8")
async def test_an_identity_belongs_to_one_account(house: House) -> None:
    await house.someone()
    before = house.counts()
    with pytest.raises(IdentityTaken):
        await house.accounts.register(applicant(user=identity("oOther")), house.now)
    assert house.counts() == before
    assert await house.accounts.link_of(identity("oOther")) is None


@pytest.mark.req("REG-8")
async def test_of_sixteen_registrations_of_one_identity_at_once_one_wins(house: House) -> None:
    """Two processes, eight registrations each: the database decides, not the process."""
    other = open_sql(house.url, keyring(), SystemEntropy(), house.clock)
    try:
        results = await asyncio.gather(
            *(
                stores.register(applicant(user=identity(f"o{number}")), house.now)
                for number, stores in enumerate([house.accounts, other.accounts] * 8)
            ),
            return_exceptions=True,
        )
    finally:
        await other.close()
    won = [result for result in results if isinstance(result, tuple)]
    assert len(won) == 1
    assert sum(isinstance(result, IdentityTaken) for result in results) == 15
    counts = house.counts()
    one_of_each = ("account", "identity", "platform_link", "platform_identity", "audit_event")
    assert {table: counts[table] for table in one_of_each} == dict.fromkeys(one_of_each, 1)
    assert counts["identifier"] == 2  # the document and the username
    holder = await house.accounts.holder_of(ZHANG)
    assert holder is not None
    assert holder.account == won[0][1].account


async def test_of_sixteen_people_on_one_platform_identity_at_once_the_last_one_keeps_it(house: House) -> None:
    user = identity("oShared")
    people = [Person(DocumentType.RESIDENT_ID, "王五", f"11010119900307{number:04d}") for number in range(16)]
    results = await asyncio.gather(*(house.accounts.register(applicant(p, user), house.now) for p in people))
    assert house.count("account") == 16
    assert (house.count("platform_link"), house.count("platform_identity")) == (1, 1)
    found = await house.accounts.link_of(user)
    assert found in [(link, standing) for link, standing, *_ in results]


@pytest.mark.req("REG-7")
async def test_a_platform_identity_that_registers_anew_leaves_its_old_account(house: House) -> None:
    old_link, old = await house.someone(ZHANG)
    session = house.mini_session(old_link)
    await house.mini_sessions.open(session)
    new_link, new = await house.someone(LI)
    assert new.account != old.account
    assert await house.accounts.link_of(identity()) == (new_link, new)
    assert await house.mini_sessions.find(session.id, house.now) is None
    assert await house.sql.accounts.standing_of_link(old_link.id) is None
    assert house.notices() == [(old.account, "link.lost")]
    assert ("mini_session.ended", old.ref, session.id) in house.audit()
    assert ("link.replaced", old.ref, None) in house.audit()


@pytest.mark.req("REG-7")
async def test_a_new_phone_takes_the_place_of_the_old_one_of_the_same_platform(house: House) -> None:
    old_link, standing = await house.someone()
    session = house.mini_session(old_link)
    await house.mini_sessions.open(session)
    house.clock.advance(60)
    until = house.now + 72 * HOUR
    new = applicant(user=identity("oNewPhone"), valid_days=7)
    link, again, *_ = await house.accounts.relink(standing.account, new, probation_until=until, now=house.now)
    assert again == msgspec.structs.replace(standing, epoch=1)
    assert link.id != old_link.id
    assert (link.account, link.face_checked_at, link.valid_days) == (standing.account, house.now, 7)
    assert link.probation_until == until
    assert await house.accounts.link_of(identity("oNewPhone")) == (link, again)
    assert await house.accounts.link_of(identity()) is None
    assert await house.mini_sessions.find(session.id, house.now) is None
    assert house.notices() == [(standing.account, "account.recovered")]
    assert [kind for kind, _, _ in house.audit()][-3:] == ["mini_session.ended", "link.replaced", "account.recovered"]


async def test_a_link_on_another_platform_stands_beside_the_first(house: House) -> None:
    first, standing = await house.someone()
    session = house.mini_session(first)
    await house.mini_sessions.open(session)
    user = identity("2088", Platform.ALIPAY, "2021")
    link, *_ = await house.accounts.relink(
        standing.account, applicant(user=user), probation_until=house.now, now=house.now
    )
    assert await house.accounts.link_of(identity()) == (first, standing)
    assert await house.accounts.link_of(user) == (link, standing)
    assert await house.mini_sessions.find(session.id, house.now) is not None


async def test_linking_the_same_identity_again_renews_the_face_check_and_nothing_else(house: House) -> None:
    _, standing = await house.someone()
    until = house.now + 72 * HOUR
    user = identity("oNewPhone")
    link, *_ = await house.accounts.relink(standing.account, applicant(user=user), probation_until=until, now=house.now)
    session = house.mini_session(link)
    await house.mini_sessions.open(session)
    notices = house.notices()
    house.clock.advance(600)
    again, *_ = await house.accounts.relink(
        standing.account, applicant(user=user, valid_days=0), probation_until=None, now=house.now
    )
    assert again.id == link.id
    assert (again.face_checked_at, again.valid_days) == (house.now, 0)
    assert again.probation_until == until, "a second face check must not end the probation of the first"
    assert await house.mini_sessions.find(session.id, house.now) is not None
    assert house.notices() == notices
    assert house.audit()[-1][0] == "face.renewed"


async def test_a_recovery_takes_the_platform_identity_from_the_account_that_had_it(house: House) -> None:
    _, zhang = await house.someone(ZHANG, identity("oZhang"))
    li_link, li = await house.someone(LI, identity("oLi"))
    session = house.mini_session(li_link)
    await house.mini_sessions.open(session)
    link, standing, *_ = await house.accounts.relink(
        zhang.account, applicant(ZHANG, identity("oLi")), probation_until=house.now + DAY, now=house.now
    )
    found = await house.accounts.link_of(identity("oLi"))
    assert found == (link, standing)
    assert standing.account == zhang.account
    assert await house.mini_sessions.find(session.id, house.now) is None
    assert house.notices() == [(li.account, "link.lost"), (zhang.account, "account.recovered")]
    assert await house.accounts.link_of(identity("oZhang")) is None


async def test_a_new_proof_brings_the_name_up_to_date(house: House) -> None:
    _, standing = await house.someone()
    renamed = Person(ZHANG.document_type, "章三丰", ZHANG.number)
    _, again, *_ = await house.accounts.relink(
        standing.account, applicant(renamed), probation_until=None, now=house.now
    )
    assert again.name == "章**"


@pytest.mark.attack("Q21")
@pytest.mark.parametrize("status", ["locked", "cancelled"])
async def test_an_account_that_may_not_log_in_is_not_relinked(house: House, status: str) -> None:
    _, standing = await house.someone()
    house.set_status(standing.account, status)
    before = house.counts()
    with pytest.raises(AccountRefused) as refused:
        await house.accounts.relink(
            standing.account, applicant(user=identity("oNew")), probation_until=None, now=house.now
        )
    assert refused.value.reason == status
    assert house.counts() == before


async def test_only_the_holder_of_an_identity_is_recovered_by_it(house: House) -> None:
    _, zhang = await house.someone(ZHANG, identity("oZhang"))
    await house.someone(LI, identity("oLi"))
    before = house.counts()
    for person in (LI, Person(DocumentType.RESIDENT_ID, "无名", "110101199003079999")):
        with pytest.raises(IdentityTaken):
            await house.accounts.relink(
                zhang.account, applicant(person, identity("oNew")), probation_until=None, now=house.now
            )
    with pytest.raises(AccountRefused):
        await house.accounts.relink("nobody", applicant(), probation_until=None, now=house.now)
    assert house.counts() == before


async def test_sixteen_recoveries_at_once_leave_one_link(house: House) -> None:
    _, standing = await house.someone()
    await asyncio.gather(
        *(
            house.accounts.relink(
                standing.account, applicant(user=identity(f"o{number}")), probation_until=None, now=house.now
            )
            for number in range(16)
        )
    )
    assert (house.count("platform_link"), house.count("platform_identity")) == (1, 1)


async def test_a_login_by_qr_is_remembered_by_its_network(house: House) -> None:
    _, standing = await house.someone()
    account = standing.account
    assert await house.accounts.networks(account, [OFFICE]) == (False, False)
    await house.sql.accounts.admit(account, house.login(ticket=None), "S1", house.now)
    assert await house.accounts.networks(account, [OFFICE]) == (False, False)
    for _ in range(2):
        assert await house.sql.accounts.admit(account, house.login(), "S2", house.now) == standing
    assert await house.accounts.networks(account, [OFFICE]) == (True, True)
    assert await house.accounts.networks(account, [HOME]) == (True, False)
    assert house.count("login_network") == 1


async def test_a_network_keeps_the_day_it_was_last_used(house: House) -> None:
    _, standing = await house.someone()
    first = house.now
    seen = []
    for hours in (0, 23, 2):
        house.clock.advance(hours * 3600)
        await house.sql.accounts.admit(standing.account, house.login(), "S", house.now)
        seen += house.rows("SELECT last_at FROM login_network")
    assert seen == [(first,), (first,), (first + 25 * HOUR,)]


@pytest.mark.req("PRV-4")
async def test_networks_that_nobody_comes_from_any_more_are_forgotten_piece_by_piece(house: House) -> None:
    _, standing = await house.someone()
    account = standing.account
    for number in range(3):
        await house.sql.accounts.admit(account, house.login(network=bytes([number]) * 32), "S", house.now)
    house.clock.advance(DAY // SECOND)
    await house.sql.accounts.admit(account, house.login(network=HOME), "S", house.now)
    assert await house.accounts.forget_networks(house.now - DAY, 2) == 0, "that very instant is not before it"
    assert [await house.accounts.forget_networks(house.now, 2) for _ in range(3)] == [2, 1, 0]
    assert await house.accounts.networks(account, [HOME]) == (True, True)
    assert await house.accounts.networks(account, [bytes(32)]) == (True, False)


@pytest.mark.attack("Q21")
async def test_the_account_is_asked_again_at_every_admission(house: House) -> None:
    link, standing = await house.someone()
    account = standing.account
    assert await house.sql.accounts.admit_mini(account, link.id, "wechat", "M1", house.now) == standing
    with pytest.raises(AccountRefused, match="account_refused"):
        await house.sql.accounts.admit_mini(account, "a link that is gone", "wechat", "M2", house.now)
    house.set_status(account, "locked")
    before = house.counts()
    with pytest.raises(AccountRefused):
        await house.sql.accounts.admit(account, house.login(), "S1", house.now)
    with pytest.raises(AccountRefused):
        await house.sql.accounts.admit_mini(account, link.id, "wechat", "M3", house.now)
    with pytest.raises(AccountRefused):
        await house.sql.accounts.admit("nobody", house.login(), "S1", house.now)
    assert house.counts() == before


@pytest.mark.req("OPS-8")
async def test_a_login_is_audited_by_reference_with_its_ticket(house: House) -> None:
    _, standing = await house.someone()
    await house.sql.accounts.admit(standing.account, house.login(), "S1", house.now)
    statement = "SELECT kind, at, account_ref, session, ticket, facts, seq, sealed_at FROM audit_event ORDER BY id DESC"
    kind, at, ref, session, ticket, facts, seq, sealed_at = house.rows(statement)[0]
    assert (kind, at, ref, session) == ("login.browser", house.now, standing.ref, "S1")
    assert ticket is not None
    assert len(ticket) == len(TICKET) * 4 // 3 + 1
    assert '"way":"qr"' in facts
    assert (seq, sealed_at) == (None, None)
    assert standing.account not in {ref, session, ticket}


@pytest.mark.req("REG-7")
@pytest.mark.attack("R4")
async def test_a_link_says_until_when_it_may_not_change_its_account(house: House) -> None:
    link, standing = await house.someone()
    new = applicant(user=identity("2088", Platform.ALIPAY))
    until = house.now + 72 * HOUR
    recovered, *_ = await house.accounts.relink(standing.account, new, probation_until=until, now=house.now)
    assert await house.accounts.link(recovered.id) == replace(recovered, probation_until=until)
    assert await house.accounts.link(link.id) == replace(link, probation_until=None)
    assert set(await house.sql.accounts.links_of(standing.account)) == {link.id, recovered.id}
