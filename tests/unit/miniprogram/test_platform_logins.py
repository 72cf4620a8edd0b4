"""The login behind a session: kept sealed, for that session alone, and not for long."""

from __future__ import annotations

import pytest

from bjidp.clock import ManualClock
from bjidp.entropy import SeededEntropy
from bjidp.miniprogram.platform_logins import KeptLogin, PlatformLogins
from bjidp.platforms import Platform, PlatformIdentity
from bjidp.privacy.keyring import Keyring, RootKey
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.privacy.sealing import Sealing
from bjidp.privacy.seals import RecordSeals
from bjidp.secret import Secret
from bjidp.storage.memory.records import MemoryRecords
from bjidp.vendors.ports.platforms import PlatformLogin

pytestmark = pytest.mark.attack("M1")

KEY = "tiihtNczf5v6AKRyjwEUhQ=="
LOGIN = PlatformLogin(PlatformIdentity(Platform.WECHAT, "wx01", "oOpenId"), Secret(KEY))
WITHOUT_KEY = PlatformLogin(PlatformIdentity(Platform.ALIPAY, "2021", "oOpenId"), None)


def ring(*versions: int, current: int | None = None) -> Keyring:
    return Keyring([RootKey(version, Secret(bytes([version]) * 32)) for version in versions], current)


def over(records: MemoryRecords[KeptLogin], entropy: SeededEntropy, keys: Keyring) -> PlatformLogins:
    return PlatformLogins(records=records, seals=RecordSeals(Sealing(keys, entropy)), pseudonyms=Pseudonyms(keys))


@pytest.fixture
def records(clock: ManualClock) -> MemoryRecords[KeptLogin]:
    return MemoryRecords(clock)


@pytest.fixture
def logins(records: MemoryRecords[KeptLogin], entropy: SeededEntropy) -> PlatformLogins:
    return over(records, entropy, ring(1))


@pytest.mark.parametrize("login", [LOGIN, WITHOUT_KEY])
async def test_a_login_comes_back_to_its_session_and_to_no_other(logins: PlatformLogins, login: PlatformLogin) -> None:
    await logins.keep("s1", login)
    assert await logins.of_session("s1") == login
    assert await logins.of_session("s2") is None


async def test_a_registration_hands_its_login_on_to_each_session_that_comes_of_it(logins: PlatformLogins) -> None:
    await logins.keep_for_registration("secret", LOGIN)
    assert await logins.of_session("secret") is None
    await logins.hand_on("secret", "s1")
    await logins.hand_on("secret", "s2")
    assert await logins.of_session("s1") == await logins.of_session("s2") == LOGIN
    await logins.hand_on("another", "s3")
    assert await logins.of_session("s3") is None


async def test_a_login_is_kept_for_twelve_hours(logins: PlatformLogins, clock: ManualClock) -> None:
    await logins.keep("s1", LOGIN)
    clock.advance(12 * 3600 - 1)
    assert await logins.of_session("s1") == LOGIN
    clock.advance(1)
    assert await logins.of_session("s1") is None


async def test_nothing_of_it_lies_in_the_store_in_clear(
    logins: PlatformLogins, records: MemoryRecords[KeptLogin]
) -> None:
    await logins.keep("s1", LOGIN)
    kept = repr(vars(records))
    assert "KeptLogin" in kept
    assert not [value for value in (KEY, "oOpenId", "wx01") if value in kept]


async def test_a_login_sealed_for_one_session_is_none_in_the_place_of_another(
    logins: PlatformLogins, records: MemoryRecords[KeptLogin]
) -> None:
    await logins.keep("s1", LOGIN)
    held = await records.get(logins._key("session", "s1"))
    assert held is not None
    await records.add(logins._key("session", "s2"), held.value, 1000)
    assert await logins.of_session("s2") is None


async def test_a_login_under_a_root_key_that_is_gone_is_too_old(
    records: MemoryRecords[KeptLogin], entropy: SeededEntropy
) -> None:
    both = ring(1, 2, current=1)
    await over(records, entropy, both).keep("s1", LOGIN)
    assert await over(records, entropy, both).of_session("s1") == LOGIN
    assert await over(records, entropy, ring(2)).of_session("s1") is None
