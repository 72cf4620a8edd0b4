"""Claims to identities that other accounts have."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from bjidp.accounts.drafts import Sealed
from bjidp.accounts.ports import Evidence
from bjidp.clock import MINUTE, SECOND, ManualClock
from bjidp.entropy import SeededEntropy
from bjidp.person import Person
from bjidp.privacy.sealing import Sealing
from bjidp.privacy.seals import RecordSeals
from bjidp.proofing.claims import LIFETIME, Claim, Claims
from bjidp.proofing.ports import NewIdentity
from bjidp.storage.memory.records import MemoryRecords
from tests.support.phones import keyring
from tests.support.verification import PSEUDONYMS
from tests.unit.proofing.room import LI, ZHANG

pytestmark = pytest.mark.req("RNV-7")


def claim(person: Person = ZHANG) -> Claim:
    """Return a claim to somebody."""
    new = NewIdentity(
        person=person, evidence=Evidence.NAME_AND_NUMBER, evidence_reference="E1", authority_reference="A1"
    )
    return Claim(new=new, exchange=False)


@pytest.fixture
def records(clock: ManualClock) -> MemoryRecords[Sealed]:
    """Where they lie."""
    return MemoryRecords(clock)


@pytest.fixture
def claims(records: MemoryRecords[Sealed], entropy: SeededEntropy) -> Claims:
    """Claims under test."""
    return Claims(records, RecordSeals(Sealing(keyring(), entropy)), PSEUDONYMS)


async def test_an_account_has_one_claim_the_newest_for_half_an_hour(claims: Claims, clock: ManualClock) -> None:
    assert await claims.find("a") is None
    await claims.keep("a", claim(LI))
    clock.advance((LIFETIME - MINUTE) // SECOND)
    await claims.keep("a", claim())
    clock.advance(2 * MINUTE // SECOND)
    assert await claims.find("a") == claim()
    assert await claims.find("b") is None
    clock.advance((LIFETIME - 2 * MINUTE) // SECOND)
    assert await claims.find("a") is None


@pytest.mark.attack("B7")
@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:-1],
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: data[:0],
        lambda data: data[::-1],
    ],
    ids=["shorter", "a bit", "nothing", "reversed"],
)
async def test_one_that_was_tampered_with_is_as_good_as_over(
    claims: Claims, records: MemoryRecords[Sealed], change: Callable[[bytes], bytes]
) -> None:
    await claims.keep("a", claim())
    key = claims._key("a")
    held = await records.get(key)
    assert held is not None
    assert ZHANG.number.encode() not in held.value.data
    await records.replace(key, replace(held.value, data=change(held.value.data)), held.version)
    assert await claims.find("a") is None
    await claims.keep("a", claim())
    assert await claims.find("a") == claim()


async def test_one_that_is_moved_to_another_account_is_nobodys(claims: Claims, records: MemoryRecords[Sealed]) -> None:
    await claims.keep("a", claim())
    held = await records.get(claims._key("a"))
    assert held is not None
    await records.add(claims._key("b"), held.value, LIFETIME)
    assert await claims.find("b") is None
