"""What follows for agents, and for a claim, where an account has ended or is another person's."""

from __future__ import annotations

import pytest

from bjidp.accounts.ports import Evidence
from bjidp.proofing.aftercare import Aftercare
from bjidp.proofing.claims import Claim
from bjidp.proofing.ports import NewIdentity
from tests.unit.accounts.settings.room import NUMBER
from tests.unit.proofing.room import LI, Study

NEW = NewIdentity(person=LI, evidence=Evidence.NAME_AND_NUMBER, evidence_reference="E1", authority_reference="A1")


@pytest.fixture
def aftercare(room: Study) -> Aftercare:
    """The service in the room."""
    return Aftercare(members=room.members, claims=room.claims, teller=room.teller)


@pytest.mark.req("ORG-2")
async def test_agents_with_a_number_are_told_once_each_and_a_store_that_is_down_costs_a_message(
    room: Study, aftercare: Aftercare
) -> None:
    agent, nobody = await room.someone(NUMBER, "li_si"), await room.someone_by_face()
    await aftercare.tell_agents((agent, nobody, agent, "gone"))
    assert await room.told() == [(NUMBER, "mandate_ended")]
    room.meddler.breaks("members.member")
    await aftercare.tell_agents((agent,))
    assert len(await room.told()) == 1


@pytest.mark.req("ACC-7", "RNV-7")
async def test_a_claim_goes_with_its_account(room: Study, aftercare: Aftercare) -> None:
    for account in ("one", "two"):
        await room.claims.keep(account, Claim(new=NEW, exchange=False))
    await aftercare.forget("one")
    assert await room.claims.find("one") is None
    assert await room.claims.find("two") is not None
    room.meddler.breaks("claims.take")
    await aftercare.forget("two")
