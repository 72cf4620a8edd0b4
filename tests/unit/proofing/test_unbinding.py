"""解绑."""

from __future__ import annotations

import asyncio

import pytest

from bjidp.accounts.ports import Evidence, Gone
from bjidp.accounts.settings.changes import NotDue
from bjidp.errors import StoreUnavailable
from bjidp.proofing.ports import NewIdentity
from bjidp.sessions.ports import SessionEnd
from bjidp.verification.proofs import Operation
from tests.contracts.house import applicant
from tests.support.identities import prove
from tests.unit.accounts.settings.room import NUMBER
from tests.unit.proofing.room import ZHANG, Study

pytestmark = pytest.mark.req("RNV-6")


async def somebody_proved(room: Study) -> str:
    """Return an account that is 张三 by face."""
    account = await room.someone()
    new = NewIdentity(person=ZHANG, evidence=Evidence.FACE, evidence_reference="E1", authority_reference="A0")
    await prove(room.sql.identities, account, new, room.clock.now())
    return account


async def test_an_account_gives_its_identity_up_with_every_session_and_is_told(room: Study) -> None:
    account = await somebody_proved(room)
    elsewhere = await room.enter(account)
    visit = await room.granted_visit(account, Operation.UNBIND)
    await room.unbinding.unbind(visit, None)
    assert await room.bound(account) is None
    assert (await room.member(account)).standing.level == 1
    assert [await room.sessions.find(gone.cookie) for gone in (elsewhere, visit)] == [None, None]
    assert room.phones_ended.ended == [(account, SessionEnd.IDENTITY_UNBOUND)]
    assert await room.told() == [(NUMBER, "identity_unbound")]
    assert room.events().count("identity.unbound") == 1


async def test_phones_that_go_with_the_identity_are_ended_wherever_they_are_kept(room: Study) -> None:
    account = await somebody_proved(room)
    link, *_ = await room.sql.accounts.relink(account, applicant(ZHANG), probation_until=None, now=room.clock.now())
    await room.unbinding.unbind(await room.granted_visit(account, Operation.UNBIND), None)
    assert room.phones_ended.gone == [Gone((link.id,))]


@pytest.mark.attack("R4")
async def test_without_the_proof_nothing_is_given_up(room: Study) -> None:
    account = await somebody_proved(room)
    with pytest.raises(NotDue):
        await room.unbinding.unbind(await room.enter(account), None)
    assert await room.bound(account) is not None


async def test_two_posts_at_once_give_up_once(room: Study) -> None:
    account = await somebody_proved(room)
    visit = await room.granted_visit(account, Operation.UNBIND)
    posts = (room.unbinding.unbind(visit, None) for _ in range(8))
    results = await asyncio.gather(*posts, return_exceptions=True)
    assert sum(result is None for result in results) == 1
    assert room.events().count("identity.unbound") == 1
    assert await room.told() == [(NUMBER, "identity_unbound")]


async def test_a_store_that_fails_has_written_nothing_and_asks_for_the_proof_anew(room: Study) -> None:
    account = await somebody_proved(room)
    visit = await room.granted_visit(account, Operation.UNBIND)
    room.meddler.breaks("identities.unbind")
    with pytest.raises(StoreUnavailable):
        await room.unbinding.unbind(visit, None)
    room.meddler.mends()
    assert await room.bound(account) is not None
    assert await room.sessions.find(visit.cookie) is not None
