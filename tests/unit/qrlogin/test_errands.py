"""Verify tickets: one operation of one account, asked for by one session or browser, proved once (ACC-8)."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
import structlog

from bjidp.clock import MINUTE, SECOND, ManualClock
from bjidp.entropy import SeededEntropy
from bjidp.errors import AccountRefused, StoreUnavailable, TokenInvalid
from bjidp.qrlogin.errands import OPEN_MAX
from bjidp.qrlogin.errors import ConfirmRefused, FlowUnknown, TicketUnknown
from bjidp.qrlogin.flow import Errand, Purposeful
from bjidp.qrlogin.pages import End, Watch
from bjidp.qrlogin.policy import Purpose, QrPolicy, ReverseCode
from bjidp.qrlogin.redeeming import Redemption
from bjidp.qrlogin.ticket import Approved, Pending, Redeemed, Rejected, Scanned
from bjidp.sessions.ports import Session, SessionEnd
from bjidp.standing import Status
from bjidp.verification.errors import VerificationRequired
from bjidp.verification.proofs import Means, Operation
from tests.support.qr import LI, LOGIN, ZHANG
from tests.unit.qrlogin.desk import CAMERA, Desk, a_phone, elsewhere


def to_verify(
    session: Session | None, operation: Operation = Operation.PASSWORD, account: str | None = ZHANG.account
) -> Purposeful:
    """What a page for one operation is opened for."""
    errand = Errand(operation, account, None if session is None else session.id)
    return Purposeful(Purpose.VERIFY, LOGIN.client, f"/next/{operation}", f"/page/{operation}", errand)


async def held(desk: Desk, holder: str, operation: Operation, account: str = ZHANG.account) -> bool:
    return await desk.proofs.held(holder, account, operation, 0)


async def unavailable(redemption: Redemption) -> None:
    raise StoreUnavailable


@pytest.fixture
async def session(desk: Desk) -> Session:
    """Zhang is logged in."""
    return await desk.signed_in(ZHANG.account)


# ------------------------------------------------------------------------------------------------- the phone's side


@pytest.mark.req("ACC-8")
@pytest.mark.parametrize("operation", Operation)
async def test_the_phone_is_told_the_operation_and_that_no_login_comes_of_it(
    desk: Desk, session: Session, operation: Operation
) -> None:
    watch = await desk.page(to_verify(session, operation))
    answer = await desk.scan(watch)
    assert (answer.purpose, answer.request.action) == ("verify", f"verify.{operation}")
    assert (answer.steps, answer.request.session_lifetime) == (("confirm",), 0)
    state = await desk.state(watch)
    assert isinstance(state, Scanned)
    assert state.deadline == desk.clock.now() + 60 * SECOND


@pytest.mark.attack("B5", "R4")
async def test_nobody_but_the_account_scans_its_ticket_and_the_ticket_does_not_notice(
    desk: Desk, session: Session
) -> None:
    watch = await desk.page(to_verify(session))
    before = await desk.flow(watch)
    with pytest.raises(AccountRefused) as refused:
        await desk.scan(watch, a_phone(LI))
    assert refused.value.reason == "other_account"
    with pytest.raises(ConfirmRefused):
        await desk.phones.confirm(a_phone(LI), before.current.id, "x" * 43)
    assert await desk.flow(watch) == before
    scanned = await desk.scan(watch)
    with pytest.raises(AccountRefused):
        await desk.scan(watch, a_phone(LI))
    with pytest.raises(ConfirmRefused):
        await desk.phones.confirm(a_phone(LI), scanned.ticket, scanned.confirm_token)
    assert isinstance(await desk.state(watch), Scanned)


@pytest.mark.attack("R1")
async def test_a_decoy_is_refused_to_everybody_as_another_accounts_ticket_is(desk: Desk) -> None:
    answers = []
    for account in (None, ZHANG.account):
        desk.secret = None
        watch = await desk.page(to_verify(None, Operation.RECOVER, account))
        (message,) = (await desk.pages.look(watch)).messages
        shown = msgspec.to_builtins(message)
        before = await desk.flow(watch)
        with pytest.raises(AccountRefused) as refused:
            await desk.scan(watch, a_phone(LI))
        assert await desk.flow(watch) == before
        answers.append((refused.value.details, {key: shown[key] for key in shown if key not in ("ticket", "key")}))
    assert answers[0] == answers[1]
    decoy = await desk.page(to_verify(None, Operation.RECOVER, None))
    with pytest.raises(AccountRefused):
        await desk.scan(decoy)


@pytest.mark.req("REG-7")
@pytest.mark.attack("R4")
async def test_a_link_that_a_face_alone_has_made_verifies_nothing_until_its_probation_is_over(
    desk: Desk, session: Session
) -> None:
    desk.accounts.probation[ZHANG.link] = desk.clock.now() + 1
    watch = await desk.page(to_verify(session))
    before = await desk.flow(watch)
    with pytest.raises(AccountRefused) as refused:
        await desk.scan(watch)
    assert refused.value.reason == "probation"
    assert await desk.flow(watch) == before
    assert (await desk.scan(watch, a_phone(elsewhere(ZHANG)))).purpose == "verify"
    desk.advance(0.001)
    assert (await desk.scan(watch)).purpose == "verify"
    desk.accounts.probation[ZHANG.link] = desk.clock.now() + 1
    desk.secret = None
    assert (await desk.scan(await desk.page())).purpose == "login", "it may log in"


@pytest.mark.attack("R4")
async def test_a_link_that_is_gone_since_its_session_was_looked_at_verifies_nothing(
    desk: Desk, session: Session
) -> None:
    watch = await desk.page(to_verify(session))
    before = await desk.flow(watch)
    desk.accounts.unlinked.add(ZHANG.link)
    with pytest.raises(TokenInvalid):
        await desk.scan(watch)
    assert await desk.flow(watch) == before


@pytest.mark.attack("Q21")
async def test_a_locked_account_verifies_nothing(desk: Desk, session: Session) -> None:
    watch = await desk.page(to_verify(session))
    with pytest.raises(AccountRefused) as refused:
        await desk.scan(watch, a_phone(refusal="locked"))
    assert refused.value.reason == "locked"


@pytest.mark.req("ACC-8")
async def test_a_refusal_says_what_was_refused(desk: Desk, session: Session) -> None:
    watch = await desk.page(to_verify(session, Operation.CANCEL))
    scanned = await desk.scan(watch)
    await desk.phones.reject(a_phone(), scanned.ticket, scanned.confirm_token, report=True)
    (event,) = desk.audit.events
    assert event.words()["action"] == "verify.cancel"


# ------------------------------------------------------------------------------------------------------- the redeem


@pytest.mark.req("ACC-8")
@pytest.mark.attack("R4", "T1")
async def test_a_confirmation_becomes_a_proof_for_that_operation_of_that_session_once_and_no_login(
    desk: Desk, session: Session
) -> None:
    watch = await desk.page(to_verify(session))
    await desk.approve(watch)
    grant = await desk.grant(watch)
    redemption = await desk.redeem(grant, signed_in=session)
    assert redemption.next == "/next/password"
    assert desk.logins == []
    assert [live.id for live in await desk.sessions.of_account(ZHANG.account)] == [session.id]
    for holder, operation in (
        ("another session", Operation.PASSWORD),
        (session.id, Operation.PHONE),
        ((await desk.flow(watch)).browser, Operation.PASSWORD),
    ):
        assert not await held(desk, holder, operation)
    assert not await held(desk, session.id, Operation.PASSWORD, LI.account)
    assert await desk.proofs.consume(session.id, ZHANG.account, Operation.PASSWORD, 0) is Means.QR
    with pytest.raises(VerificationRequired):
        await desk.proofs.consume(session.id, ZHANG.account, Operation.PASSWORD, 0)
    with pytest.raises(TicketUnknown):
        await desk.redeem(grant, signed_in=session)
    assert not await held(desk, session.id, Operation.PASSWORD)


@pytest.mark.req("ACC-8")
async def test_the_proof_lives_for_five_minutes(desk: Desk, session: Session) -> None:
    watch = await desk.page(to_verify(session))
    await desk.approve(watch)
    await desk.redeem(await desk.grant(watch), signed_in=session)
    desk.clock.advance(5 * MINUTE / SECOND - 0.001)
    assert await held(desk, session.id, Operation.PASSWORD)
    desk.clock.advance(0.001)
    assert not await held(desk, session.id, Operation.PASSWORD)


@pytest.mark.req("ACC-8")
async def test_the_other_pages_of_the_flow_are_done_and_the_browser_keeps_its_record(
    desk: Desk, session: Session
) -> None:
    other = await desk.page(to_verify(session, Operation.MAIL))
    watch = await desk.page(to_verify(session))
    await desk.approve(watch)
    await desk.redeem(await desk.grant(watch), signed_in=session)
    assert isinstance(await desk.state(watch), Redeemed)
    assert (await desk.pages.look(watch)).end is End.DONE
    assert (await desk.entry(other.flow)).browser.id == (await desk.flow(watch)).browser
    assert not (await desk.flow(other)).ended
    again = await desk.page(to_verify(session))
    assert again.flow != watch.flow, "the next time it is asked anew"


@pytest.mark.req("REC-2")
async def test_a_recovery_is_proved_for_the_browser_that_asked(desk: Desk) -> None:
    watch = await desk.page(to_verify(None, Operation.RECOVER))
    await desk.approve(watch)
    grant, browser = await desk.grant(watch), (await desk.flow(watch)).browser
    await desk.redeem(grant)
    assert await held(desk, browser, Operation.RECOVER)
    assert desk.logins == []


@pytest.mark.attack("Q18", "T3", "R4")
async def test_a_grant_is_unknown_to_every_session_but_the_one_that_asked(desk: Desk, session: Session) -> None:
    watch = await desk.page(to_verify(session))
    await desk.approve(watch)
    grant = await desk.grant(watch)
    before = await desk.flow(watch)
    another = await desk.signed_in(ZHANG.account)
    for asks in (None, another, await desk.signed_in(LI.account)):
        with pytest.raises(TicketUnknown):
            await desk.redeem(grant, signed_in=asks)
    assert await desk.flow(watch) == before
    assert not await held(desk, session.id, Operation.PASSWORD)
    await desk.redeem(grant, signed_in=session)
    assert await held(desk, session.id, Operation.PASSWORD)


@pytest.mark.attack("Q18")
async def test_a_recovery_of_a_browser_is_unknown_once_somebody_is_logged_in_there(desk: Desk) -> None:
    watch = await desk.page(to_verify(None, Operation.RECOVER))
    await desk.approve(watch)
    grant = await desk.grant(watch)
    with pytest.raises(TicketUnknown):
        await desk.redeem(grant, signed_in=await desk.signed_in(ZHANG.account))
    await desk.redeem(grant)


@pytest.mark.attack("Q18")
async def test_neither_of_a_login_and_a_verification_is_good_as_the_other(desk: Desk, session: Session) -> None:
    """Both pages in one browser, both approved by the same phone: each grant does its own and nothing else."""
    login = await desk.page()
    verification = await desk.page(to_verify(session))
    await desk.approve(login)
    await desk.approve(verification)
    await desk.redeem(await desk.grant(verification), signed_in=session)
    assert desk.logins == []
    await desk.redeem(await desk.grant(login), signed_in=session)
    assert [login.errand for login in desk.logins] == [None]
    assert not await held(desk, session.id, Operation.PHONE)


@pytest.mark.attack("Q18")
async def test_a_ticket_of_one_purpose_makes_neither_frame_nor_grant_of_the_other(desk: Desk, session: Session) -> None:
    verification = await desk.ticket(await desk.page(to_verify(session)))
    posing = msgspec.structs.replace(verification, purpose=Purpose.LOGIN)
    with pytest.raises(TicketUnknown):
        await desk.phones.scan(a_phone(), desk.frame(posing), CAMERA)
    approved = Approved(ZHANG, 1, desk.clock.now(), None, 3, None, desk.clock.now() + SECOND)
    assert desk.keys.grant(verification, approved, "b") != desk.keys.grant(posing, approved, "b")


@pytest.mark.attack("Q21", "T3")
async def test_an_account_locked_after_the_confirmation_gets_no_proof_and_the_ticket_is_dead(desk: Desk) -> None:
    watch = await desk.page(to_verify(None, Operation.RECOVER))
    await desk.approve(watch)
    grant, browser = await desk.grant(watch), (await desk.flow(watch)).browser
    desk.accounts.statuses[ZHANG.account] = Status.LOCKED
    with pytest.raises(AccountRefused):
        await desk.redeem(grant)
    assert isinstance(await desk.state(watch), Rejected)
    assert not await held(desk, browser, Operation.RECOVER)


@pytest.mark.attack("P7", "R2")
async def test_a_confirmation_from_before_sessions_were_ended_proves_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def granted(*_: object) -> None:
        raise AssertionError

    watch = await desk.page(to_verify(None, Operation.RECOVER))
    await desk.approve(watch)
    grant, browser = await desk.grant(watch), (await desk.flow(watch)).browser
    desk.accounts.epochs[ZHANG.account] = 1
    with monkeypatch.context() as watched:
        watched.setattr(desk.proofs, "grant", granted)
        with pytest.raises(TicketUnknown):
            await desk.redeem(grant)
    assert isinstance(await desk.state(watch), Rejected)
    assert not await held(desk, browser, Operation.RECOVER)


@pytest.mark.attack("P7", "R2")
async def test_a_proof_that_is_granted_while_sessions_are_ended_does_not_survive(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = await desk.page(to_verify(None, Operation.RECOVER))
    await desk.approve(watch)
    grant, browser = await desk.grant(watch), (await desk.flow(watch)).browser
    granting = desk.proofs.grant

    async def meanwhile(*proof: object) -> None:
        desk.accounts.epochs[ZHANG.account] = 1
        await granting(*proof)  # type: ignore[arg-type]

    monkeypatch.setattr(desk.proofs, "grant", meanwhile)
    with pytest.raises(TicketUnknown):
        await desk.redeem(grant)
    assert isinstance(await desk.state(watch), Rejected)
    assert not await held(desk, browser, Operation.RECOVER)


@pytest.mark.attack("O5")
async def test_a_proof_that_cannot_be_written_gives_the_approval_back(
    desk: Desk, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(*_: object) -> None:
        raise StoreUnavailable

    watch = await desk.page(to_verify(session))
    await desk.approve(watch)
    grant = await desk.grant(watch)
    before = await desk.ticket(watch)
    with monkeypatch.context() as outage:
        outage.setattr(desk.proofs, "grant", down)
        with pytest.raises(StoreUnavailable):
            await desk.redeem(grant, signed_in=session)
    assert await desk.ticket(watch) == before
    await desk.redeem(grant, signed_in=session)


@pytest.mark.attack("Q4")
async def test_of_fifty_redeems_at_once_one_is_told_that_it_went_through(desk: Desk, session: Session) -> None:
    watch = await desk.page(to_verify(session))
    await desk.approve(watch)
    grant = await desk.grant(watch)
    outcomes = await asyncio.gather(*(desk.redeem(grant, signed_in=session) for _ in range(50)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes if isinstance(outcome, BaseException)] == [TicketUnknown] * 49


@pytest.mark.attack("P9")
async def test_the_reverse_code_is_asked_for_a_verification_too(clock: ManualClock, entropy: SeededEntropy) -> None:
    desk = Desk(clock, entropy, QrPolicy(reverse_code=ReverseCode.ALWAYS))
    session = await desk.signed_in(ZHANG.account)
    watch = await desk.page(to_verify(session))
    code = await desk.approve(watch)
    grant = await desk.grant(watch)
    with pytest.raises(Exception, match="code_wrong"):
        await desk.redeem(grant, signed_in=session)
    await desk.redeem(grant, code, signed_in=session)
    assert await held(desk, session.id, Operation.PASSWORD)


# -------------------------------------------------------------------------------------- what ends with the session


@pytest.mark.req("SES-1")
@pytest.mark.attack("W6", "P7", "T3")
async def test_the_flows_of_a_session_end_with_it_and_no_others(desk: Desk, session: Session) -> None:
    other = await desk.signed_in(ZHANG.account)
    opened = [await desk.page(to_verify(session, operation)) for operation in (Operation.PASSWORD, Operation.PHONE)]
    foreign = await desk.page(to_verify(other, Operation.MAIL))
    # Each new page has sent the others away for a moment.
    pages = [await desk.pages.connect(await desk.entry(page.flow)) for page in opened]
    woken: list[str] = []
    for page in pages:
        desk.pages.subscribe(page, lambda flow=page.flow: woken.append(flow))  # type: ignore[misc]
    await desk.sessions.end(session, SessionEnd.LOGOUT)
    assert [(await desk.pages.look(page)).end for page in pages] == [End.SESSION_ENDED] * 2
    assert set(woken) == {page.flow for page in pages}
    assert (await desk.pages.look(foreign)).end is not End.SESSION_ENDED
    for page in pages:
        with pytest.raises(FlowUnknown):
            await desk.pages.connect(await desk.entry(page.flow))


@pytest.mark.attack("W6", "T3")
async def test_an_approval_is_worth_nothing_when_the_session_that_asked_has_ended(desk: Desk, session: Session) -> None:
    watch = await desk.page(to_verify(session))
    await desk.approve(watch)
    grant = await desk.grant(watch)
    await desk.sessions.end_others(ZHANG.account, None, SessionEnd.PASSWORD_CHANGED)
    with pytest.raises(TicketUnknown):
        await desk.redeem(grant, signed_in=session)
    assert not await held(desk, session.id, Operation.PASSWORD)


@pytest.mark.attack("W6")
async def test_a_page_that_comes_back_to_its_flow_ends_with_the_session_all_the_same(
    desk: Desk, session: Session
) -> None:
    first = await desk.page(to_verify(session))
    again = await desk.page(to_verify(session))
    assert again.flow == first.flow
    await desk.sessions.end(session, SessionEnd.CHOSEN)
    assert (await desk.pages.look(again)).end is End.SESSION_ENDED


@pytest.mark.attack("Q23")
async def test_a_session_has_so_many_flows_and_the_oldest_gives_way(desk: Desk, session: Session) -> None:
    """A client that throws the browser secret away makes a browser of each page."""
    pages: list[Watch] = []
    for _ in range(OPEN_MAX + 2):
        desk.secret = None
        pages.append(await desk.page(to_verify(session)))
    ended = [(await desk.flow(page)).ended for page in pages]
    assert ended == [True] * 2 + [False] * OPEN_MAX
    await desk.sessions.end(session, SessionEnd.LOGOUT)
    assert all([(await desk.flow(page)).ended for page in pages])


async def test_pages_opened_at_one_moment_are_all_noted(desk: Desk, session: Session) -> None:
    operations = list(Operation)[:OPEN_MAX]
    opened = await asyncio.gather(
        *(desk.errands.open_page(None, to_verify(session, operation)) for operation in operations)
    )
    desk.secret = opened[0].secret
    for page in opened:
        desk.secret = page.secret
        await desk.pages.connect(await desk.entry(page.flow))
    await desk.sessions.end(session, SessionEnd.LOGOUT)
    for page in opened:
        kept = await desk.store.read(page.flow)
        assert kept is not None
        assert kept.value.ended


@pytest.mark.attack("O5")
async def test_a_session_ends_though_its_flows_cannot_be_told(
    desk: Desk, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(*_: object) -> None:
        raise StoreUnavailable

    watch = await desk.page(to_verify(session))
    monkeypatch.setattr(desk.changes, "on_flow", down)
    with structlog.testing.capture_logs() as logged:
        await desk.sessions.end(session, SessionEnd.LOGOUT)
    assert [line["event"] for line in logged] == ["flows_of_session_left"]
    assert not await desk.sessions.lives(session)
    assert isinstance(await desk.state(watch), Pending)
