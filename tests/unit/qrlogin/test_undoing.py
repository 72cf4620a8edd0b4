"""Undo: whoever confirmed says that it was not them, and nothing of it goes on."""

from __future__ import annotations

import pytest

from bjidp.audit.event import EventKind
from bjidp.clock import ManualClock
from bjidp.entropy import SeededEntropy, base64url
from bjidp.errors import StoreUnavailable
from bjidp.qrlogin.errors import ConfirmRefused, TicketClosed, TicketUnknown
from bjidp.qrlogin.pages import Watch
from bjidp.qrlogin.policy import QrPolicy
from bjidp.qrlogin.redeeming import Redemption
from bjidp.qrlogin.ticket import Rejected, Scanned
from bjidp.qrlogin.wire import RejectedMessage
from bjidp.sessions.ports import Session, SessionEnd
from bjidp.verification.proofs import Operation
from tests.support.qr import LI, ZHANG
from tests.unit.qrlogin.desk import Desk, a_phone, ticket_digest
from tests.unit.qrlogin.test_errands import held, to_verify


async def undo(desk: Desk, watch: Watch, *, by: str = "zhang", report: bool = False) -> str:
    """Take back what was confirmed on the page."""
    phone = a_phone(ZHANG if by == "zhang" else LI)
    return (await desk.undoing.undo(phone, (await desk.ticket(watch)).id, report=report)).status


async def in_by_qr(desk: Desk) -> Watch:
    """Log in by QR."""
    watch = await desk.page()
    await desk.approve(watch)
    await desk.redeem(await desk.grant(watch))
    return watch


@pytest.mark.req("SES-1")
@pytest.mark.attack("P7")
async def test_who_confirmed_ends_the_session_that_came_of_it_and_no_other(desk: Desk) -> None:
    other = await desk.signed_in(ZHANG.account, "another ticket")
    watch = await in_by_qr(desk)
    assert await undo(desk, watch) == "ended"
    assert await desk.sessions.of_account(ZHANG.account) == [other]
    assert [reason for _, reason, _ in desk.session_rows.ended] == ["undo"]
    assert await undo(desk, watch) == "ended", "once more is as good as once"


@pytest.mark.attack("P7")
async def test_a_session_is_found_by_its_ticket_long_after_that_is_forgotten(desk: Desk) -> None:
    watch = await in_by_qr(desk)
    ticket = (await desk.ticket(watch)).id
    desk.advance(11 * 3600)
    assert await desk.store.read(watch.flow) is None
    assert (await desk.undoing.undo(a_phone(), ticket, report=False)).status == "ended"
    assert await desk.sessions.of_account(ZHANG.account) == []
    with pytest.raises(TicketUnknown):
        await desk.undoing.undo(a_phone(), ticket, report=False)


@pytest.mark.req("RP-3")
@pytest.mark.attack("P7")
async def test_what_a_device_was_given_ends_by_the_ticket_long_after_that_is_forgotten(desk: Desk) -> None:
    desk.devices[ZHANG.account] = {ticket_digest("t" * 22)}
    with pytest.raises(TicketUnknown):
        await desk.undoing.undo(a_phone(LI), "t" * 22, report=False)
    assert (await desk.undoing.undo(a_phone(), "t" * 22, report=False)).status == "ended"
    assert desk.devices[ZHANG.account] == set()
    with pytest.raises(TicketUnknown):
        await desk.undoing.undo(a_phone(), "t" * 22, report=False)


@pytest.mark.attack("P7", "Q9", "Q22")
async def test_what_one_did_not_confirm_is_unknown(desk: Desk) -> None:
    watch = await in_by_qr(desk)
    session = await desk.sessions.of_account(ZHANG.account)
    refusals = []
    for ticket in ((await desk.ticket(watch)).id, "A" * 22, "", "x", "京" * 22):
        with pytest.raises(TicketUnknown) as unknown:
            await desk.undoing.undo(a_phone(LI), ticket, report=True)
        refusals.append((unknown.value.code, unknown.value.details))
    assert refusals == [("ticket_unknown", {})] * 5
    assert await desk.sessions.of_account(ZHANG.account) == session
    assert desk.audit.events == []


@pytest.mark.attack("P7", "Q13")
async def test_a_ticket_that_was_only_scanned_is_not_undone(desk: Desk) -> None:
    watch = await desk.page()
    with pytest.raises(TicketUnknown):
        await undo(desk, watch)
    await desk.scan(watch)
    with pytest.raises(TicketUnknown):
        await undo(desk, watch)
    assert isinstance(await desk.state(watch), Scanned)


@pytest.mark.attack("P7", "Q14")
async def test_a_confirmation_that_nobody_has_redeemed_yet_is_taken_back_for_good(desk: Desk) -> None:
    watch = await desk.page()
    scanned = await desk.scan(watch)
    await desk.phones.confirm(a_phone(), scanned.ticket, scanned.confirm_token)
    grant = await desk.grant(watch)
    with pytest.raises(TicketUnknown):
        await undo(desk, watch, by="li")
    assert await undo(desk, watch) == "ended"
    assert isinstance(await desk.state(watch), Rejected)
    messages = (await desk.pages.look(watch)).messages
    assert isinstance(messages[-1], RejectedMessage)
    with pytest.raises(TicketUnknown):
        await desk.redeem(grant)
    with pytest.raises(TicketClosed) as closed:
        await desk.phones.confirm(a_phone(), scanned.ticket, scanned.confirm_token)
    assert closed.value.details == {"answer": {"status": "rejected"}}
    assert desk.logins == []
    assert [event.kind for event in desk.audit.events] == [EventKind.LOGIN_REJECTED]


@pytest.mark.attack("P7")
async def test_a_confirmation_whose_time_was_over_is_none_any_more(desk: Desk) -> None:
    watch = await desk.page()
    await desk.approve(watch)
    before = await desk.flow(watch)
    desk.advance(30)
    assert await undo(desk, watch) == "ended"
    assert await desk.flow(watch) == before
    assert desk.audit.events == []


@pytest.mark.attack("P7", "Q4")
async def test_a_session_that_is_being_opened_meanwhile_does_not_survive(desk: Desk) -> None:
    """Between the claim and the session there is nothing to end yet: whoever redeems has to see it afterwards."""
    watch = await desk.page()
    await desk.approve(watch)
    grant, ticket = await desk.grant(watch), (await desk.ticket(watch)).id

    async def meanwhile(redemption: Redemption) -> None:
        assert await undo(desk, watch) == "ended"
        await desk.signed_in(redemption.holder.account, ticket)

    with pytest.raises(TicketUnknown):
        await desk.redeem(grant, give=meanwhile)
    assert await desk.sessions.of_account(ZHANG.account) == []
    assert [reason for _, reason, _ in desk.session_rows.ended] == [SessionEnd.UNDO]


@pytest.mark.attack("P7")
async def test_an_outage_while_it_is_taken_back_gives_nothing_back(desk: Desk) -> None:
    watch = await desk.page()
    await desk.approve(watch)
    grant = await desk.grant(watch)

    async def meanwhile(redemption: Redemption) -> None:
        await undo(desk, watch)
        raise StoreUnavailable

    with pytest.raises(StoreUnavailable):
        await desk.redeem(grant, give=meanwhile)
    with pytest.raises(TicketUnknown):
        await desk.redeem(grant)
    assert isinstance(await desk.state(watch), Rejected)


@pytest.mark.attack("P7", "Q21")
async def test_an_account_that_may_not_log_in_may_take_back(desk: Desk) -> None:
    watch = await in_by_qr(desk)
    ticket = (await desk.ticket(watch)).id
    assert (await desk.undoing.undo(a_phone(refusal="locked"), ticket, report=False)).status == "ended"
    assert await desk.sessions.of_account(ZHANG.account) == []


@pytest.mark.attack("P1")
@pytest.mark.parametrize("kept", [True, False], ids=["while the ticket is kept", "by the session alone"])
async def test_a_report_counts_once_against_the_computers_network(
    clock: ManualClock, entropy: SeededEntropy, kept: bool
) -> None:
    desk = Desk(clock, entropy, QrPolicy(reports_until_code=2))
    codes = []
    for reported in (1, 2):
        desk.secret = None
        ticket = (await desk.ticket(await in_by_qr(desk))).id
        desk.advance(0 if kept else 3600)
        outcomes: list[str] = []
        for _ in range(3):
            try:
                outcomes.append((await desk.undoing.undo(a_phone(), ticket, report=True)).status)
            except TicketUnknown as unknown:
                outcomes.append(unknown.code)
        assert outcomes == ["ended", *["ended" if kept else "ticket_unknown"] * 2]
        assert [event.kind for event in desk.audit.events] == [EventKind.LOGIN_REPORTED] * reported
        desk.secret = None
        codes.append(await desk.approve(await desk.page(), a_phone(LI)) is not None)
    assert codes == [False, True]
    assert all(event.account_ref == a_phone().account_ref for event in desk.audit.events)


@pytest.mark.attack("P1")
async def test_who_has_taken_back_or_refused_may_report_it_later(desk: Desk) -> None:
    watch = await in_by_qr(desk)
    for report in (False, True, True, False):
        await undo(desk, watch, report=report)
    assert [event.kind for event in desk.audit.events] == [EventKind.LOGIN_REPORTED]
    desk.secret = None
    watch = await desk.page()
    scanned = await desk.scan(watch)
    await desk.phones.reject(a_phone(), scanned.ticket, scanned.confirm_token, report=True)
    await undo(desk, watch, report=True)
    assert [event.kind for event in desk.audit.events] == [EventKind.LOGIN_REPORTED] * 2


async def test_what_is_undone_without_a_report_is_in_the_log_by_the_end_of_its_session(desk: Desk) -> None:
    await undo(desk, await in_by_qr(desk))
    assert desk.audit.events == []


# --------------------------------------------------------------------------------------------------- verifications


@pytest.mark.req("ACC-8")
@pytest.mark.attack("P7", "R4")
async def test_a_verification_that_is_taken_back_leaves_no_proof_and_ends_the_session_that_asked(desk: Desk) -> None:
    session = await desk.signed_in(ZHANG.account)
    other = await desk.signed_in(ZHANG.account)
    watch = await desk.page(to_verify(session))
    await desk.approve(watch)
    await desk.redeem(await desk.grant(watch), signed_in=session)
    assert await undo(desk, watch) == "ended"
    assert not await held(desk, session.id, Operation.PASSWORD)
    assert await desk.sessions.of_account(ZHANG.account) == [other]
    (event,) = desk.audit.events
    assert (event.kind, event.words()["action"]) == (EventKind.LOGIN_REJECTED, "verify.password")


@pytest.mark.req("ACC-8")
@pytest.mark.attack("P7", "R4")
async def test_a_verification_puts_everybody_out_long_after_its_ticket_is_forgotten(desk: Desk) -> None:
    session, _ = await desk.signed_in(ZHANG.account), await desk.signed_in(ZHANG.account)
    watch = await desk.page(to_verify(session))
    ticket = (await desk.ticket(watch)).id
    await desk.approve(watch)
    await desk.redeem(await desk.grant(watch), signed_in=session)
    again = await desk.page(to_verify(session, Operation.MAIL))
    await desk.approve(again)
    await desk.redeem(await desk.grant(again), signed_in=session)
    desk.advance(11 * 3600)
    assert await desk.store.read(watch.flow) is None
    for stranger, unknown in ((LI, ticket), (ZHANG, "A" * 22)):
        with pytest.raises(TicketUnknown):
            await desk.undoing.undo(a_phone(stranger), unknown, report=False)
    assert (await desk.undoing.undo(a_phone(), ticket, report=True)).status == "ended"
    assert await desk.sessions.of_account(ZHANG.account) == []
    (event,) = desk.audit.events
    assert (event.kind, event.ticket) == (EventKind.LOGIN_REPORTED, base64url(ticket_digest(ticket)))
    with pytest.raises(TicketUnknown):
        await desk.undoing.undo(a_phone(), ticket, report=False)


@pytest.mark.attack("P7", "O5")
async def test_a_verification_that_the_session_cannot_remember_proves_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(*_: object) -> Session:
        raise StoreUnavailable

    session = await desk.signed_in(ZHANG.account)
    watch = await desk.page(to_verify(session))
    await desk.approve(watch)
    grant = await desk.grant(watch)
    with monkeypatch.context() as outage:
        outage.setattr(desk.session_rows, "save", down)
        with pytest.raises(StoreUnavailable):
            await desk.redeem(grant, signed_in=session)
    assert not await held(desk, session.id, Operation.PASSWORD)
    await desk.redeem(grant, signed_in=session)
    assert await held(desk, session.id, Operation.PASSWORD)


@pytest.mark.req("REC-2")
@pytest.mark.attack("P7")
async def test_a_recovery_that_is_taken_back_leaves_no_proof_and_ends_no_session_of_another_account(
    desk: Desk,
) -> None:
    stranger = await desk.signed_in(LI.account)
    for session in (None, stranger):
        desk.secret = None
        watch = await desk.page(to_verify(session, Operation.RECOVER))
        await desk.approve(watch)
        await desk.redeem(await desk.grant(watch), signed_in=session)
        holder = (await desk.flow(watch)).browser if session is None else session.id
        assert await held(desk, holder, Operation.RECOVER)
        await undo(desk, watch)
        assert not await held(desk, holder, Operation.RECOVER)
    assert await desk.sessions.of_account(LI.account) == [stranger]


async def used(desk: Desk) -> Watch:
    """Verify a session, and use the proof."""
    session = await desk.signed_in(ZHANG.account)
    watch = await desk.page(to_verify(session, Operation.PASSWORD))
    await desk.approve(watch)
    await desk.redeem(await desk.grant(watch), signed_in=session)
    await desk.proofs.consume(session.id, ZHANG.account, Operation.PASSWORD, 0)
    return watch


@pytest.mark.attack("P7")
async def test_a_proof_that_was_used_puts_everybody_out_also_when_that_fails_at_first(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = await used(desk)
    other = await desk.signed_in(ZHANG.account, "another ticket")
    with monkeypatch.context() as broken:
        broken.setattr(desk.sessions, "end_others", _down)
        with pytest.raises(StoreUnavailable):
            await undo(desk, watch)
    assert other in await desk.sessions.of_account(ZHANG.account)
    assert await undo(desk, watch) == "ended"
    assert await desk.sessions.of_account(ZHANG.account) == []


async def _down(*_: object) -> None:
    raise StoreUnavailable


@pytest.mark.attack("P7", "Q4")
async def test_a_proof_that_is_being_granted_meanwhile_does_not_survive(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = await desk.page(to_verify(None, Operation.RECOVER))
    await desk.approve(watch)
    grant, browser = await desk.grant(watch), (await desk.flow(watch)).browser
    granting = desk.proofs.grant

    async def meanwhile(*proof: object) -> None:
        await undo(desk, watch)
        await granting(*proof)  # type: ignore[arg-type]

    monkeypatch.setattr(desk.proofs, "grant", meanwhile)
    with pytest.raises(TicketUnknown):
        await desk.redeem(grant)
    assert not await held(desk, browser, Operation.RECOVER)


@pytest.mark.attack("Q12")
async def test_a_confirm_token_opens_nothing_to_undo(desk: Desk) -> None:
    watch = await desk.page()
    scanned = await desk.scan(watch)
    with pytest.raises(ConfirmRefused):
        await desk.phones.confirm(a_phone(LI), scanned.ticket, scanned.confirm_token)
    with pytest.raises(TicketUnknown):
        await undo(desk, watch, by="li")
