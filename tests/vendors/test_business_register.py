"""What the business register is asked; what it may answer is in ``test_registers.py``."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bjidp.clock import ManualClock
from bjidp.person import Person
from bjidp.secret import Secret
from bjidp.vendors.catalog import HttpClients, build_business_register
from bjidp.vendors.ports.registers import OrganisationFacts
from bjidp.vendors.settings import BusinessRegisterSettings
from tests.vendors.cast import EVERYBODY
from tests.vendors.register_stand import BUSINESS_REGISTER, KEY, ORGANISATION, REFERENCE, SECRET, RegisterStand


@pytest.fixture
async def stand() -> AsyncIterator[RegisterStand]:
    stand = RegisterStand(register=BUSINESS_REGISTER)
    async with stand.open():
        yield stand


@pytest.mark.req("ORG-1")
@pytest.mark.parametrize("person", EVERYBODY, ids=lambda person: str(person.document_type))
async def test_an_organisation_and_its_representative_are_asked_about(
    stand: RegisterStand, clients: HttpClients, clock: ManualClock, person: Person
) -> None:
    settings = BusinessRegisterSettings(base_url=f"{stand.address}/register", key_id=KEY, secret=Secret(SECRET))
    facts = OrganisationFacts(ORGANISATION.credit_code, ORGANISATION.name, person)
    await build_business_register(settings, http=clients, clock=clock).check(facts, reference=REFERENCE)
    assert stand.seen[0].json == {
        "request_id": REFERENCE,
        "credit_code": "91110000600037341L",
        "name": "北京示例有限公司",
        "representative": {
            "document_type": person.document_type.value,
            "name": person.name,
            "document_number": person.number,
        },
    }


def test_the_facts_print_no_person() -> None:
    assert repr(ORGANISATION) == "OrganisationFacts('91110000600037341L', ***)"
