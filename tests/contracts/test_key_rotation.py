"""Key rotation in the database: one identity belongs to one account at every moment of it."""

from __future__ import annotations

import json

import pytest
from msgspec import structs

from bjidp.accounts.identifiers import of_external, of_phone, of_username
from bjidp.accounts.member_ports import IdentifierTaken, NewMember
from bjidp.accounts.ports import Evidence, IdentityTaken
from bjidp.clock import DAY
from bjidp.entropy import SystemEntropy
from bjidp.oidc.metadata import read
from bjidp.oidc.ports import RegisteredClient
from bjidp.platforms import ExternalIdentity, ExternalKind, Provider
from bjidp.privacy.fields import FieldUnreadable
from bjidp.privacy.keyring import Keyring
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.proofing.ports import NewIdentity
from bjidp.proofing.terms import UNSTATED, Until
from bjidp.secret import Secret
from bjidp.storage.sql.catalog import SqlStores, open_sql
from tests.contracts.house import LI, ZHANG, House, applicant, identity, keyring
from tests.support.identities import prove


class Processes:
    """Stores on one database with different keys: the processes of a rollout."""

    def __init__(self, house: House) -> None:
        """Open none yet."""
        self._url = house.url
        self._clock = house.clock
        self._open: list[SqlStores] = []

    def __call__(self, keys: Keyring) -> SqlStores:
        """Start a process with ``keys``."""
        self._open.append(open_sql(self._url, keys, SystemEntropy(), self._clock, threads=1))
        return self._open[-1]

    async def stop(self) -> None:
        """Stop them all."""
        for stores in self._open:
            await stores.close()


@pytest.mark.req("PRV-1")
async def test_a_rotation_keeps_every_account_findable_and_every_identity_unique(house: House) -> None:
    start = Processes(house)
    now = house.now
    try:
        old = start(keyring(1))
        link, zhang, *_ = await old.accounts.register(applicant(ZHANG, identity("oZhang")), now)

        # Step one: processes learn version 2 one after the other; version 1 stays current.
        both = start(keyring(1, 2, current=1))
        _, li, *_ = await both.accounts.register(applicant(LI, identity("oLi")), now)
        for stores in (old, both):
            for person, standing in ((ZHANG, zhang), (LI, li)):
                holder = await stores.accounts.holder_of(person)
                assert holder is not None
                assert holder.account == standing.account
                with pytest.raises(IdentityTaken):
                    await stores.accounts.register(applicant(person, identity("oThief")), now)
        assert house.rows("SELECT DISTINCT key_version FROM identifier ORDER BY 1") == [(1,), (2,)]

        # Step two: fill version 2, twice, beside the running processes.
        assert await both.rotation.fill() == 2
        assert await both.rotation.fill() == 2
        assert house.count("identifier") == 8
        assert house.count("platform_identity") == 4
        # Step three: version 2 becomes current. Step four: what version 1 sealed is sealed anew. Then it is dropped.
        moved, alone = start(keyring(1, 2)), start(keyring(2))
        with pytest.raises(FieldUnreadable):
            await alone.accounts.standing(zhang.account)
        await moved.rotation.fill()
        for stores in (both, moved, alone):
            found = await stores.accounts.link_of(identity("oZhang"))
            assert found == (link, zhang)
            holder = await stores.accounts.holder_of(LI)
            assert holder is not None
            assert holder.account == li.account
            with pytest.raises(IdentityTaken):
                await stores.accounts.register(applicant(ZHANG, identity("oThief")), now)
        assert await house.accounts.link_of(identity("oThief")) is None
    finally:
        await start.stop()


@pytest.mark.req("PRV-1", "REG-8")
async def test_a_number_and_a_name_belong_to_one_account_at_every_moment_of_a_rotation(house: House) -> None:
    start = Processes(house)
    now = house.now
    zhang_has = NewMember(username="zhangsan1", phone="13800138000", password="hash-1")
    li_has = NewMember(username="lisisi_9", phone="13900139000", password=None)

    async def nobody_elses(*processes: SqlStores) -> None:
        for stores in processes:
            for new in (zhang_has, li_has):
                for thief in (
                    structs.replace(new, username=f"thief_{len(str(new.username))}"),
                    structs.replace(new, phone="13700137000"),
                ):
                    with pytest.raises(IdentifierTaken):
                        await stores.members.enrol(thief, now)

    try:
        old, both = start(keyring(1)), start(keyring(1, 2, current=1))
        zhang = await old.members.enrol(zhang_has, now)
        await old.members.set_mail(zhang.account, "zhang@example.cn", now)
        await both.members.enrol(li_has, now)
        await nobody_elses(old, both)
        assert await both.rotation.fill() == 2

        moved = start(keyring(1, 2))
        await nobody_elses(both, moved)
        # Who changes a number in the middle of it leaves the former one under no version.
        await both.members.set_phone(zhang.account, "13600136000", now)
        assert not await moved.members.is_held(of_phone("13800138000"))
        zhang_has = structs.replace(zhang_has, phone="13600136000")
        await nobody_elses(both, moved)

        await moved.rotation.fill()
        alone = start(keyring(2))
        await nobody_elses(moved, alone)
        found = await alone.members.find([of_phone("13600136000")])
        assert found is not None
        assert found == await alone.members.find([of_username("zhangsan1")])
        assert (found.username, found.phone, found.mail) == ("zhangsan1", "13600136000", "zhang@example.cn")
    finally:
        await start.stop()


@pytest.mark.req("PRV-1", "RNV-1")
async def test_a_date_that_was_stated_is_known_at_every_moment_of_a_rotation(house: House) -> None:
    start = Processes(house)
    account, now = (await house.member()).account, house.now
    new = NewIdentity(
        person=ZHANG, evidence=Evidence.FACE, evidence_reference="E1", authority_reference="A1", term=Until(now + DAY)
    )
    try:
        both, moved = start(keyring(1, 2, current=1)), start(keyring(1, 2))
        await prove(house.sql.identities, account, new, now)
        await house.sql.identities.unbind(account, now)
        for stores in (both, moved):
            assert await stores.identities.stated(account, ZHANG) == Until(now + DAY)
        await prove(both.identities, account, structs.replace(new, term=UNSTATED), now)
        await both.identities.unbind(account, now)
        assert house.count("former_document") == 2
        for stores in (moved, start(keyring(2))):
            assert await stores.identities.stated(account, ZHANG) == Until(now + DAY)
        await prove(moved.identities, account, structs.replace(new, term=UNSTATED), now)
        bound = await both.identities.bound(account)
        assert bound is not None
        assert bound.term == Until(now + DAY)
        assert house.count("former_document") == 0
    finally:
        await start.stop()


@pytest.mark.req("PRV-1")
async def test_a_link_moves_under_every_key_version(house: House) -> None:
    start = Processes(house)
    try:
        both = start(keyring(1, 2, current=1))
        await both.accounts.register(applicant(ZHANG, identity("oShared")), house.now)
        link, li, *_ = await both.accounts.register(applicant(LI, identity("oShared")), house.now)
        for keys in (keyring(1, 2, current=1), keyring(1, 2)):
            assert await start(keys).accounts.link_of(identity("oShared")) == (link, li)
        assert house.count("platform_identity") == 2
    finally:
        await start.stop()


@pytest.mark.req("PRV-1")
async def test_a_rotation_makes_nobody_a_stranger_on_their_own_computer(house: House) -> None:
    start = Processes(house)
    before, moving, after = keyring(1), keyring(1, 2), keyring(2)
    office, elsewhere = ("network", "203.0.113.0/24"), ("network", "198.51.100.0/24")
    try:
        old = start(before)
        _, standing, *_ = await old.accounts.register(applicant(), house.now)
        account = standing.account
        login = house.login(network=Pseudonyms(before).digest(*office))
        await old.accounts.admit(account, login, "S1", house.now)
        new = start(moving)
        assert await new.accounts.networks(account, Pseudonyms(moving).digests(*office)) == (True, True)
        assert await new.accounts.networks(account, Pseudonyms(moving).digests(*elsewhere)) == (True, False)
        login = house.login(network=Pseudonyms(moving).digest(*office))
        await new.accounts.admit(account, login, "S2", house.now)
        known = house.rows("SELECT key_version, count(*) FROM login_network GROUP BY key_version ORDER BY 1")
        assert known == [(1, 1), (2, 1)]
        last = start(after)
        assert await last.accounts.networks(account, Pseudonyms(after).digests(*office)) == (True, True)
    finally:
        await start.stop()


@pytest.mark.req("PRV-4")
async def test_what_is_left_of_an_erased_account_can_be_read_and_is_passed_over(house: House) -> None:
    _, standing = await house.someone()
    await house.members.cancel(standing.account, house.now)
    stub = await house.accounts.standing(standing.account)
    assert stub is not None
    assert (stub.ref, stub.refusal, stub.name) == (standing.ref, "cancelled", "")
    profile = await house.accounts.profile(standing.account)
    assert profile is not None
    assert (profile.username, profile.phone) == ("", None)
    assert await house.sql.rotation.fill() == 1
    assert house.count("identifier") == 0


@pytest.mark.req("PRV-1")
async def test_a_process_without_the_key_can_not_read(house: House) -> None:
    _, standing = await house.someone()
    start = Processes(house)
    try:
        stranger = start(keyring(2))
        with pytest.raises(FieldUnreadable):
            await stranger.accounts.standing(standing.account)
        assert await stranger.accounts.holder_of(ZHANG) is None
    finally:
        await start.stop()


@pytest.mark.req("PRV-1", "LOG-4")
@pytest.mark.attack("T9")
async def test_a_providers_user_is_one_accounts_at_every_moment_of_a_rotation(house: House) -> None:
    start = Processes(house)
    now = house.now
    user = ExternalIdentity(Provider.ALIPAY, "2021", ExternalKind.OPEN_ID, "oZhang")
    try:
        old, both = start(keyring(1)), start(keyring(1, 2, current=1))
        zhang = await old.members.enrol(NewMember(username="zhangsan1", phone="13800138000", password=None), now)
        li = await both.members.enrol(NewMember(username="lisisi_9", phone="13900139000", password=None), now)
        await old.externals.link(zhang.account, user, "13800138000", now)
        moved, alone = start(keyring(1, 2)), start(keyring(2))
        await both.rotation.fill()
        await moved.rotation.fill()
        for stores in (both, moved, alone):
            found = await stores.members.find([of_external(user)])
            assert found is not None
            assert found.standing.account == zhang.account
            with pytest.raises(IdentifierTaken):
                await stores.externals.link(li.account, user, "13900139000", now)
        # What version 1 had sealed is under version 2 by now, and can be sealed on.
        await start(keyring(2, 3, current=3)).rotation.fill()
        assert await alone.externals.unlink(zhang.account, Provider.ALIPAY, now)
        for stores in (alone, start(keyring(3))):
            assert await stores.members.find([of_external(user)]) is None
    finally:
        await start.stop()


@pytest.mark.req("PRV-1", "RP-5")
async def test_a_secret_that_a_site_computes_with_is_read_at_every_moment_of_a_rotation(house: House) -> None:
    start = Processes(house)
    metadata: dict[str, object] = {
        "client_name": "社保查询",
        "client_uri": "https://service.example/",
        "redirect_uris": ["https://service.example/callback"],
        "interface": "beijing",
    }
    registered = RegisteredClient(read("100100000001", metadata), None, Secret("00112233445566778899aabbccddeeff"))
    try:
        old, both, moved = start(keyring(1)), start(keyring(1, 2, current=1)), start(keyring(1, 2))
        await old.clients.add(registered, json.dumps(metadata), house.now)
        await both.rotation.fill()
        for stores in (old, both, moved):
            assert await stores.clients.find("100100000001") == registered
        alone = start(keyring(2))
        with pytest.raises(FieldUnreadable):
            await alone.clients.find("100100000001")
        await moved.rotation.fill()
        for stores in (both, moved, alone):
            assert await stores.clients.find("100100000001") == registered
    finally:
        await start.stop()
