"""What the authority is asked; what it may answer is in ``test_registers.py``."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bjidp.clock import ManualClock
from bjidp.person import Person
from bjidp.secret import Secret
from bjidp.vendors.catalog import HttpClients, build_authority
from bjidp.vendors.settings import AuthoritySettings
from tests.vendors.cast import EVERYBODY
from tests.vendors.register_stand import AUTHORITY, KEY, REFERENCE, SECRET, RegisterStand


@pytest.fixture
async def stand() -> AsyncIterator[RegisterStand]:
    stand = RegisterStand(register=AUTHORITY)
    async with stand.open():
        yield stand


@pytest.mark.parametrize("person", EVERYBODY, ids=lambda person: str(person.document_type))
async def test_a_person_is_asked_about_in_three_fields(
    stand: RegisterStand, clients: HttpClients, clock: ManualClock, person: Person
) -> None:
    settings = AuthoritySettings(base_url=f"{stand.address}/authority", key_id=KEY, secret=Secret(SECRET))
    await build_authority(settings, http=clients, clock=clock).check(person, reference=REFERENCE)
    assert stand.seen[0].json == {
        "request_id": REFERENCE,
        "document_type": person.document_type.value,
        "name": person.name,
        "document_number": person.number,
    }
