"""What phone buttons gave, presented at one moment, on every short-lived store, over two processes (attack M6)."""

from __future__ import annotations

import asyncio

import pytest

from bjidp.clock import ManualClock
from bjidp.entropy import SeededEntropy
from bjidp.miniprogram.phone_payload import PhonePayload, Replayed
from bjidp.miniprogram.phone_payloads import PhonePayloads, Turn
from bjidp.miniprogram.platform_logins import KeptLogin, PlatformLogins
from bjidp.miniprogram.ports import MiniSession
from bjidp.miniprogram.sessions import Caller
from bjidp.platforms import Platform, PlatformIdentity
from bjidp.privacy.keyring import Keyring, RootKey
from bjidp.privacy.sealing import Sealing
from bjidp.privacy.seals import RecordSeals
from bjidp.secret import Secret
from bjidp.standing import Level, Standing, Status
from bjidp.vendors.ports.platforms import PhoneCode, PlatformLogin, SignedPhone
from bjidp.verification.number import MobileNumber
from tests.contracts.ephemeral import Ephemeral, Processes
from tests.support.verification import PSEUDONYMS

pytestmark = pytest.mark.attack("M6")

AT_ONCE = 16
CODE = PhoneCode("code")
NUMBER = MobileNumber("13812345678")


def seals(entropy: SeededEntropy) -> RecordSeals:
    return RecordSeals(Sealing(Keyring([RootKey(1, Secret(b"\x01" * 32))]), entropy))


def caller(session: str = "s1", account: str = "a1") -> Caller:
    row = MiniSession(session, account, "l1", "wechat", 1, 0, False, 0, 1, 1)
    return Caller(row, Standing(account, "ref", Status.ACTIVE, "张**", Level.L3))


@pytest.fixture
def rooms(processes: Processes, entropy: SeededEntropy) -> list[PhonePayloads]:
    def room(place: Ephemeral) -> PhonePayloads:
        records = place.records("phone-payload", PhonePayload)
        return PhonePayloads(records=records, seals=seals(entropy), pseudonyms=PSEUDONYMS)

    return [room(place) for place in processes.both(AT_ONCE)]


async def presented(rooms: list[PhonePayloads], who: Caller) -> list[Turn]:
    """Present one payload everywhere at once; return the turns of those who go on."""
    results = await asyncio.gather(*(room.present(who, CODE, distinct=True) for room in rooms), return_exceptions=True)
    assert all(isinstance(result, Turn | Replayed) for result in results), results
    return [result for result in results if isinstance(result, Turn)]


async def test_of_sixteen_presentations_at_one_moment_one_goes_on(rooms: list[PhonePayloads]) -> None:
    [turn] = await presented(rooms, caller())
    assert turn.number is None
    await turn.verified(NUMBER)
    await turn.spent()
    assert await presented(rooms, caller()) == []


async def test_of_sixteen_that_come_back_with_an_offer_one_goes_on_with_the_number(rooms: list[PhonePayloads]) -> None:
    [turn] = await presented(rooms, caller())
    await turn.verified(NUMBER)
    await turn.offered()
    assert await presented(rooms, caller("s2", "a2")) == []
    [again] = await presented(rooms, caller())
    assert again.number == NUMBER


async def test_an_offer_that_came_to_nothing_again_may_be_taken_up_again(rooms: list[PhonePayloads]) -> None:
    [turn] = await presented(rooms, caller())
    await turn.verified(NUMBER)
    for _ in range(3):
        await turn.offered()
        [turn] = await presented(rooms, caller())
        assert turn.number == NUMBER


async def test_one_that_was_not_verified_is_forgotten_after_five_minutes(
    rooms: list[PhonePayloads], clock: ManualClock
) -> None:
    await presented(rooms, caller())
    assert await presented(rooms, caller()) == []
    clock.advance(300)
    assert len(await presented(rooms, caller())) == 1


async def test_one_that_was_verified_is_known_for_a_day_whatever_came_of_it(
    rooms: list[PhonePayloads], clock: ManualClock
) -> None:
    [turn] = await presented(rooms, caller())
    await turn.verified(NUMBER)
    clock.advance(24 * 3600 - 1)
    assert await presented(rooms, caller()) == []
    clock.advance(1)
    assert len(await presented(rooms, caller())) == 1


async def test_a_presentation_that_is_withdrawn_leaves_the_payload_as_it_was(rooms: list[PhonePayloads]) -> None:
    [turn] = await presented(rooms, caller())
    await turn.withdrawn()
    assert len(await presented(rooms, caller())) == 1
    alike = SignedPhone("response", "sign")
    first = await rooms[0].present(caller(), alike, distinct=False)
    await first.verified(NUMBER)
    await first.spent()
    second = await rooms[1].present(caller(), alike, distinct=False)
    await second.withdrawn()
    with pytest.raises(Replayed):
        await rooms[0].present(caller("s2", "a2"), alike, distinct=False)


@pytest.mark.attack("M1")
async def test_a_login_is_found_by_another_process(processes: Processes, entropy: SeededEntropy) -> None:
    here, there = (
        PlatformLogins(records=place.records("login", KeptLogin), seals=seals(entropy), pseudonyms=PSEUDONYMS)
        for place in (processes.here, processes.there)
    )
    login = PlatformLogin(PlatformIdentity(Platform.WECHAT, "wx01", "oOpenId"), Secret("key"))
    await here.keep("s1", login)
    assert await there.of_session("s1") == login
