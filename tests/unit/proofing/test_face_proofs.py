"""What leads up to a face ticket on pages: what comes first, 验证身份 once, and what became of it."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from bjidp.accounts.ports import Evidence
from bjidp.accounts.settings.changes import NotDue
from bjidp.accounts.settings.flow import OPEN, Step
from bjidp.accounts.verifying import Visit
from bjidp.clock import SECOND
from bjidp.errors import AccountRefused, StoreUnavailable
from bjidp.proofing.claims import Claim
from bjidp.proofing.face_proofs import FaceProofs, Need
from bjidp.proofing.terms import Until
from bjidp.sessions.ports import SessionEnd
from bjidp.verification.proofs import Operation
from tests.contracts.house import LI, applicant
from tests.support.identities import prove
from tests.unit.proofing.room import Study
from tests.unit.proofing.test_faces import at_l2, proved

pytestmark = pytest.mark.req("RNV-3")


@pytest.fixture
def leading(room: Study) -> FaceProofs:
    """What leads up to face tickets."""
    return FaceProofs(room.changes, room.verifying, room.sql.identities, room.claims, room.clock)


async def ready(room: Study) -> Visit:
    """Return somebody at L2, logged in and verified."""
    visit = await at_l2(room)
    await room.granted(visit, Operation.FACE)
    return visit


@pytest.mark.attack("B5")
async def test_what_comes_first_is_an_identity_and_then_a_phone(room: Study, leading: FaceProofs) -> None:
    nobody = await room.enter(await room.someone("15400000008", "nobody_yet"))
    assert await leading.need(nobody) is Need.REAL_NAME
    await room.claims.keep(nobody.account, Claim(new=proved(), exchange=False))
    assert await leading.need(nobody) is Need.HELD
    visit = await at_l2(room)
    assert await leading.need(visit) is Need.JINGTONG
    _, standing, *_ = await room.sql.accounts.register(applicant(LI), room.clock.now())
    assert await leading.need(await room.enter(standing.account)) is None
    room.rows("UPDATE identity SET runs_out_at = 1")
    assert await leading.need(visit) is Need.REAL_NAME


@pytest.mark.attack("B5")
async def test_a_document_that_has_run_out_comes_first_before_anybody_has_lowered_its_level(
    room: Study, leading: FaceProofs
) -> None:
    visit = await room.enter(await room.someone())
    dated = replace(proved(evidence=Evidence.BANK_CARD), term=Until(room.clock.now() + 1))
    await prove(room.sql.identities, visit.account, dated, room.clock.now())
    assert await leading.need(visit) is Need.JINGTONG
    room.clock.advance(0.001)
    assert await leading.need(visit) is Need.REAL_NAME


@pytest.mark.attack("B5")
async def test_below_l2_nothing_begins_and_the_proof_is_kept(room: Study, leading: FaceProofs) -> None:
    visit = await room.enter(await room.someone())
    await room.granted(visit, Operation.FACE)
    with pytest.raises(AccountRefused, match="level"):
        await leading.begin(visit, None)
    assert await room.verifying.held(visit, Operation.FACE)


@pytest.mark.attack("R4")
async def test_the_first_look_uses_the_proof_up_and_the_page_can_be_shown_for_ten_minutes(
    room: Study, leading: FaceProofs
) -> None:
    visit = await ready(room)
    bound = await room.bound(visit.account)
    assert bound is not None
    flow = await leading.begin(visit, None)
    assert not await room.verifying.held(visit, Operation.FACE)
    assert await leading.begin(visit, flow) == flow, "once more is as good as once"
    room.clock.advance((OPEN - 1) / SECOND)
    progress = await room.changes.look(visit, Operation.FACE, flow)
    assert progress.step is Step.CHANGE
    assert progress.draft is not None
    assert await leading.mark(visit, progress.draft) == bound.mark
    room.clock.advance(0.001)
    assert (await room.changes.look(visit, Operation.FACE, flow)).step is Step.VERIFY
    with pytest.raises(NotDue):
        await leading.begin(visit, flow)


@pytest.mark.attack("P7")
async def test_a_page_is_over_once_sessions_of_its_account_were_ended(room: Study, leading: FaceProofs) -> None:
    visit = await ready(room)
    flow = await leading.begin(visit, None)
    await room.sessions.end_others(visit.account, visit.session.id, SessionEnd.CHOSEN)
    later = replace(visit, epoch=(await room.member(visit.account)).standing.epoch)
    assert later.epoch != visit.epoch
    assert (await room.changes.look(later, Operation.FACE, flow)).step is Step.VERIFY
    with pytest.raises(NotDue):
        await leading.begin(later, flow)


@pytest.mark.attack("R4")
async def test_without_the_proof_of_this_very_operation_nothing_begins(room: Study, leading: FaceProofs) -> None:
    visit = await at_l2(room)
    await room.granted(visit, Operation.REAL_NAME)
    with pytest.raises(NotDue) as due:
        await leading.begin(visit, None)
    assert due.value.step is Step.VERIFY
    assert await room.verifying.held(visit, Operation.REAL_NAME)


@pytest.mark.attack("R4", "O4")
async def test_of_eight_looks_at_once_one_uses_the_proof_up(room: Study, leading: FaceProofs) -> None:
    visit = await ready(room)
    looks = await asyncio.gather(*(leading.begin(visit, None) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(look, str) for look in looks) == 1
    assert sum(isinstance(look, NotDue) for look in looks) == 7


@pytest.mark.attack("T3")
async def test_a_session_that_has_ended_since_begins_nothing(room: Study, leading: FaceProofs) -> None:
    visit = await ready(room)
    await room.sessions.renew(visit.session, visit.cookie)
    with pytest.raises(NotDue):
        await leading.begin(visit, None)
    assert await room.verifying.held(visit, Operation.FACE)


async def test_a_face_that_was_shown_is_the_end_and_any_other_change_a_new_beginning(
    room: Study, leading: FaceProofs
) -> None:
    visit = await ready(room)
    flow = await leading.begin(visit, None)
    await prove(room.sql.identities, visit.account, proved(reference="E2"), room.clock.now())
    draft = await room.changes.open(visit, Operation.FACE, flow, mark="", reference="")
    await leading.require_undone(visit, draft)
    with pytest.raises(NotDue) as due:
        await leading.mark(visit, draft)
    assert (due.value.flow, due.value.step) == (None, Step.VERIFY)
    await prove(room.sql.identities, visit.account, proved(evidence=Evidence.FACE, reference="F1"), room.clock.now())
    room.clock.advance(OPEN / SECOND)
    with pytest.raises(NotDue) as due:
        await leading.require_undone(visit, draft)
    assert (due.value.flow, due.value.step) == (flow, Step.DONE)
    assert (await room.changes.look(visit, Operation.FACE, flow)).step is Step.DONE


async def test_a_name_that_is_proved_anew_is_no_face_though_the_identity_counts_as_proved_by_one(
    room: Study, leading: FaceProofs
) -> None:
    visit = await ready(room)
    shown = proved(evidence=Evidence.FACE, reference="F1")
    await prove(room.sql.identities, visit.account, shown, room.clock.now())
    flow = await leading.begin(visit, None)
    await prove(room.sql.identities, visit.account, proved(reference="E2"), room.clock.now())
    bound = await room.bound(visit.account)
    assert bound is not None
    assert bound.evidence is Evidence.FACE
    draft = (await room.changes.look(visit, Operation.FACE, flow)).draft
    await leading.require_undone(visit, draft)
    await prove(room.sql.identities, visit.account, replace(shown, evidence_reference="F2"), room.clock.now())
    # Whatever is proved after it: a face was shown.
    await prove(room.sql.identities, visit.account, proved(reference="E3"), room.clock.now())
    with pytest.raises(NotDue) as due:
        await leading.require_undone(visit, draft)
    assert due.value.step is Step.DONE


async def test_a_face_that_proved_another_identity_since_is_none_of_this_change(
    room: Study, leading: FaceProofs
) -> None:
    visit = await ready(room)
    flow = await leading.begin(visit, None)
    draft = (await room.changes.look(visit, Operation.FACE, flow)).draft
    await room.sql.identities.unbind(visit.account, room.clock.now())
    room.clock.advance(1)
    other = proved(LI, evidence=Evidence.FACE, reference="F1")
    await prove(room.sql.identities, visit.account, other, room.clock.now())
    await leading.require_undone(visit, draft)


async def test_an_identity_that_was_given_up_is_a_new_beginning(room: Study, leading: FaceProofs) -> None:
    visit = await ready(room)
    flow = await leading.begin(visit, None)
    draft = await room.changes.open(visit, Operation.FACE, flow, mark="", reference="")
    await leading.require_undone(visit, draft)
    await room.sql.identities.unbind(visit.account, room.clock.now())
    await leading.require_undone(visit, draft)
    with pytest.raises(NotDue):
        await leading.mark(visit, draft)


async def test_a_store_that_is_away_when_the_page_is_noted_asks_for_the_proof_anew(
    room: Study, leading: FaceProofs
) -> None:
    visit = await ready(room)
    flow = await room.changes.agree(visit, Operation.FACE)
    room.meddler.breaks("drafts.replace")
    with pytest.raises(StoreUnavailable):
        await leading.begin(visit, flow)
    room.meddler.mends()
    assert (await room.changes.look(visit, Operation.FACE, flow)).step is Step.VERIFY
