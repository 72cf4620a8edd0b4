"""Face tickets: only the account's own phone takes them, and only the session that asked redeems them (RNV-3)."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from bjidp.clock import SECOND
from bjidp.errors import AccountRefused, StoreUnavailable, TokenInvalid
from bjidp.qrlogin.errors import ConfirmRefused, FacePending, TicketUnknown
from bjidp.qrlogin.flow import Errand, Purposeful
from bjidp.qrlogin.pages import Watch
from bjidp.qrlogin.policy import Purpose
from bjidp.qrlogin.ticket import Approved, Redeemed, Rejected, Scanned
from bjidp.qrlogin.wire import ScanAnswer
from bjidp.sessions.ports import Session
from bjidp.verification.operation import Operation
from bjidp.verification.proofs import Means
from tests.support.qr import LI, LOGIN, ZHANG
from tests.unit.qrlogin.desk import Desk, a_phone, elsewhere
from tests.unit.qrlogin.test_errands import to_verify

pytestmark = pytest.mark.req("RNV-3")


def to_show(session: Session, mark: str | None = "1.1", account: str | None = ZHANG.account) -> Purposeful:
    """What a page for a face is opened for."""
    errand = Errand(Operation.FACE, account, session.id, mark)
    return Purposeful(Purpose.FACE, LOGIN.client, "/next/face", "/page/face", errand)


@pytest.fixture
async def session(desk: Desk) -> Session:
    """Zhang is logged in."""
    return await desk.signed_in(ZHANG.account)


async def passed(desk: Desk, watch: Watch) -> ScanAnswer:
    """Scan, and let a face check pass."""
    scanned = await desk.scan(watch)
    await desk.face_steps.started(a_phone(), scanned.ticket, scanned.confirm_token, "reference")
    await desk.face_steps.passed(a_phone(), scanned.ticket, scanned.confirm_token, "reference")
    return scanned


async def granted(desk: Desk, watch: Watch) -> str:
    """Let the phone show a face and confirm; return the grant."""
    scanned = await passed(desk, watch)
    await desk.phones.confirm(a_phone(), scanned.ticket, scanned.confirm_token)
    return await desk.grant(watch)


async def test_the_phone_is_told_that_a_face_is_asked_for_and_has_three_minutes(desk: Desk, session: Session) -> None:
    watch = await desk.page(to_show(session))
    answer = await desk.scan(watch)
    assert (answer.purpose, answer.request.action, answer.steps) == ("face", "face", ("face", "confirm"))
    assert (answer.expires_in, answer.request.session_lifetime) == (180, 0)
    state = await desk.state(watch)
    assert isinstance(state, Scanned)
    assert state.deadline == desk.clock.now() + 180 * SECOND


@pytest.mark.attack("B5", "R4")
async def test_nobody_but_the_account_takes_the_ticket_by_a_link_that_may_change_it(
    desk: Desk, session: Session
) -> None:
    watch = await desk.page(to_show(session))
    before = await desk.flow(watch)
    with pytest.raises(AccountRefused, match="other_account"):
        await desk.scan(watch, a_phone(LI))
    desk.accounts.probation[ZHANG.link] = desk.clock.now() + 1
    with pytest.raises(AccountRefused, match="probation"):
        await desk.scan(watch)
    desk.accounts.unlinked.add(ZHANG.link)
    with pytest.raises(TokenInvalid):
        await desk.scan(watch)
    assert await desk.flow(watch) == before


@pytest.mark.attack("B1", "Q13")
async def test_without_a_pass_nothing_is_confirmed(desk: Desk, session: Session) -> None:
    watch = await desk.page(to_show(session))
    scanned = await desk.scan(watch)
    with pytest.raises(FacePending):
        await desk.phones.confirm(a_phone(), scanned.ticket, scanned.confirm_token)
    await desk.face_steps.started(a_phone(), scanned.ticket, scanned.confirm_token, "reference")
    with pytest.raises(FacePending):
        await desk.phones.confirm(a_phone(), scanned.ticket, scanned.confirm_token)
    with pytest.raises(FacePending):
        await desk.face_steps.passed(a_phone(), scanned.ticket, scanned.confirm_token, "another")
    await desk.face_steps.passed(a_phone(), scanned.ticket, scanned.confirm_token, "reference")
    assert (await desk.phones.confirm(a_phone(), scanned.ticket, scanned.confirm_token)).status == "approved"


@pytest.mark.attack("Q18")
@pytest.mark.parametrize("about", ["login", "verify", "no account", "no mark"])
async def test_the_step_is_unknown_on_every_other_ticket(desk: Desk, session: Session, about: str) -> None:
    pages = {
        "login": LOGIN,
        "verify": to_verify(session, Operation.FACE),
        "no account": to_show(session, account=None),
        "no mark": to_show(session, mark=None),
    }
    watch = await desk.page(pages[about])
    if about == "no account":
        with pytest.raises(AccountRefused):
            await desk.scan(watch)
        return
    scanned = await desk.scan(watch)
    with pytest.raises(TicketUnknown):
        await desk.face_steps.at(a_phone(), scanned.ticket, scanned.confirm_token)


@pytest.mark.attack("Q12")
async def test_the_step_is_taken_by_whoever_scanned_last(desk: Desk, session: Session) -> None:
    watch = await desk.page(to_show(session))
    scanned = await desk.scan(watch)
    for phone, token in (
        (a_phone(LI), scanned.confirm_token),
        (a_phone(elsewhere(ZHANG)), scanned.confirm_token),
        (a_phone(), "x" * 43),
    ):
        for act in (
            desk.face_steps.at(phone, scanned.ticket, token),
            desk.face_steps.started(phone, scanned.ticket, token, "reference"),
            desk.face_steps.passed(phone, scanned.ticket, token, "reference"),
        ):
            with pytest.raises(ConfirmRefused):
                await act


async def test_what_a_phone_does_with_its_camera_is_no_news_to_the_page(desk: Desk, session: Session) -> None:
    watch = await desk.page(to_show(session))
    scanned = await desk.scan(watch)
    before = (await desk.flow(watch)).seq
    await desk.face_steps.started(a_phone(), scanned.ticket, scanned.confirm_token, "reference")
    await desk.face_steps.passed(a_phone(), scanned.ticket, scanned.confirm_token, "reference")
    assert (await desk.flow(watch)).seq == before


# ------------------------------------------------------------------------------------------------------- the redeem


@pytest.mark.attack("Q18", "B6")
async def test_an_approval_is_exchanged_once_for_its_level_and_no_login_comes_of_it(
    desk: Desk, session: Session
) -> None:
    watch = await desk.page(to_show(session))
    grant = await granted(desk, watch)
    before = await desk.sessions.of_account(ZHANG.account)
    redemption = await desk.redeem(grant, signed_in=session)
    assert desk.faces.given == [redemption]
    assert (redemption.evidence, redemption.next, redemption.asker) == ("reference", "/next/face", session.id)
    assert redemption.errand is not None
    assert redemption.errand.mark == "1.1"
    assert desk.logins == []
    assert await desk.sessions.of_account(ZHANG.account) == before
    assert isinstance(await desk.state(watch), Redeemed)
    assert not await desk.proofs.held(session.id, ZHANG.account, Operation.FACE, 0)
    with pytest.raises(TicketUnknown):
        await desk.redeem(grant, signed_in=session)
    assert len(desk.faces.given) == 1


@pytest.mark.attack("B5", "Q18", "T3")
async def test_a_grant_is_unknown_to_every_session_but_the_one_that_asked(desk: Desk, session: Session) -> None:
    watch = await desk.page(to_show(session))
    grant = await granted(desk, watch)
    before = await desk.flow(watch)
    for asks in (None, await desk.signed_in(ZHANG.account), await desk.signed_in(LI.account)):
        with pytest.raises(TicketUnknown):
            await desk.redeem(grant, signed_in=asks)
    assert await desk.flow(watch) == before
    assert desk.faces.given == []
    await desk.redeem(grant, signed_in=session)


@pytest.mark.attack("Q18")
async def test_of_three_pages_beside_each_other_each_grant_does_its_own(desk: Desk, session: Session) -> None:
    login, verify, face = [
        await desk.page(about) for about in (LOGIN, to_verify(session, Operation.FACE), to_show(session))
    ]
    await desk.approve(login)
    await desk.approve(verify)
    grant = await granted(desk, face)
    await desk.redeem(await desk.grant(verify), signed_in=session)
    assert desk.faces.given == []
    assert await desk.proofs.held(session.id, ZHANG.account, Operation.FACE, 0)
    await desk.redeem(grant, signed_in=session)
    assert len(desk.faces.given) == 1
    assert desk.logins == []


@pytest.mark.attack("Q18")
async def test_a_face_ticket_makes_neither_frame_nor_grant_of_another_purpose(desk: Desk, session: Session) -> None:
    face = await desk.ticket(await desk.page(to_show(session)))
    approved = Approved(ZHANG, 1, desk.clock.now(), None, 3, None, desk.clock.now() + SECOND)
    for purpose in (Purpose.LOGIN, Purpose.VERIFY, Purpose.DEVICE):
        posing = msgspec.structs.replace(face, purpose=purpose)
        with pytest.raises(TicketUnknown):
            await desk.phones.scan(a_phone(), desk.frame(posing), 0)
        assert desk.keys.grant(face, approved, "b") != desk.keys.grant(posing, approved, "b")


@pytest.mark.attack("Q21")
async def test_a_refusal_ends_the_ticket_and_an_outage_gives_the_approval_back(desk: Desk, session: Session) -> None:
    watch = await desk.page(to_show(session))
    grant = await granted(desk, watch)
    before = await desk.ticket(watch)
    desk.faces.fails = StoreUnavailable()
    with pytest.raises(StoreUnavailable):
        await desk.redeem(grant, signed_in=session)
    assert await desk.ticket(watch) == before
    desk.faces.fails = AccountRefused("level")
    with pytest.raises(AccountRefused):
        await desk.redeem(grant, signed_in=session)
    assert isinstance(await desk.state(watch), Rejected)


@pytest.mark.attack("Q4")
async def test_of_twenty_redeems_at_once_one_goes_through(desk: Desk, session: Session) -> None:
    watch = await desk.page(to_show(session))
    grant = await granted(desk, watch)
    outcomes = await asyncio.gather(*(desk.redeem(grant, signed_in=session) for _ in range(20)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes if isinstance(outcome, BaseException)] == [TicketUnknown] * 19
    # All of them may have asked for the level, which is the same however often it is written.
    assert len({(redemption.ticket, redemption.evidence) for redemption in desk.faces.given}) == 1


@pytest.mark.req("RNV-3")
async def test_an_approval_whose_level_was_written_and_not_claimed_is_redeemed_again(
    desk: Desk, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that dies, or loses its store, between the two costs nobody another face."""
    watch = await desk.page(to_show(session))
    grant = await granted(desk, watch)
    with monkeypatch.context() as patched:

        async def is_away(*_: object, **__: object) -> None:
            raise StoreUnavailable

        patched.setattr(desk.changes, "on_ticket", is_away)
        with pytest.raises(StoreUnavailable):
            await desk.redeem(grant, signed_in=session)
    first = list(desk.faces.given)
    await desk.redeem(grant, signed_in=session)
    assert [given.evidence for given in desk.faces.given] == [given.evidence for given in first] * 2
    assert isinstance(await desk.state(watch), Redeemed)


@pytest.mark.attack("P7")
async def test_whoever_takes_the_confirmation_back_while_it_is_redeemed_ends_the_session_that_asked(
    desk: Desk, session: Session
) -> None:
    watch = await desk.page(to_show(session))
    grant = await granted(desk, watch)
    ticket = (await desk.ticket(watch)).id
    undone = await asyncio.gather(
        desk.redeem(grant, signed_in=session),
        desk.undoing.undo(a_phone(), ticket, report=False),
        return_exceptions=True,
    )
    assert not isinstance(undone[1], BaseException)
    assert not await desk.sessions.lives(session)


@pytest.mark.attack("P7", "R4")
@pytest.mark.parametrize("another", [False, True], ids=["no proof", "another proof"])
async def test_a_face_that_is_taken_back_puts_everybody_out_since_a_proof_was_used_for_it(
    desk: Desk, session: Session, *, another: bool
) -> None:
    await desk.signed_in(ZHANG.account)
    watch = await desk.page(to_show(session))
    await desk.redeem(await granted(desk, watch), signed_in=session)
    if another:
        await desk.proofs.grant(session.id, ZHANG.account, Operation.FACE, Means.SMS, 0)
    await desk.undoing.undo(a_phone(), (await desk.ticket(watch)).id, report=False)
    assert await desk.sessions.of_account(ZHANG.account) == []
    assert not await desk.proofs.held(session.id, ZHANG.account, Operation.FACE, 0)


async def test_a_refusal_says_what_was_refused(desk: Desk, session: Session) -> None:
    scanned = await desk.scan(await desk.page(to_show(session)))
    await desk.phones.reject(a_phone(), scanned.ticket, scanned.confirm_token, report=False)
    (event,) = desk.audit.events
    assert event.words()["action"] == "face"


async def test_what_cannot_go_with_it_takes_back_what_each_errand_gave(desk: Desk, session: Session) -> None:
    face, verify = await desk.page(to_show(session)), await desk.page(to_verify(session))
    shown = await desk.redeem(await granted(desk, face), signed_in=session)
    await desk.approve(verify)
    verified = await desk.redeem(await desk.grant(verify), signed_in=session)
    await desk.redeeming.take_back(shown)
    assert desk.faces.taken_back == [shown]
    assert await desk.proofs.held(session.id, ZHANG.account, Operation.PASSWORD, 0)
    await desk.redeeming.take_back(verified)
    assert not await desk.proofs.held(session.id, ZHANG.account, Operation.PASSWORD, 0)
