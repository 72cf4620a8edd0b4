"""The one exchange of an approval for a session."""

from __future__ import annotations

import asyncio
from unittest.mock import patch

import pytest

from bjidp.clock import ManualClock
from bjidp.entropy import SeededEntropy
from bjidp.errors import AccountRefused, StoreUnavailable
from bjidp.qrlogin.errors import AlreadySignedIn, BrowserUnknown, CodeWrong, FlowUnknown, TicketUnknown
from bjidp.qrlogin.pages import End, Look, Watch
from bjidp.qrlogin.policy import QrPolicy, ReverseCode
from bjidp.qrlogin.redeeming import Redemption
from bjidp.qrlogin.ticket import Approved, Pending, Redeemed, Rejected
from bjidp.qrlogin.wire import ApprovedMessage, ExpiredMessage, RejectedMessage
from bjidp.sessions.ports import SessionEnd
from tests.support.qr import COMPUTER, LI, LOGIN, ZHANG
from tests.unit.qrlogin.desk import Desk, Exchanging, a_phone


@pytest.fixture
def coded(clock: ManualClock, entropy: SeededEntropy) -> Desk:
    """A desk where the phone always shows a reverse code."""
    return Desk(clock, entropy, QrPolicy(reverse_code=ReverseCode.ALWAYS))


def wrong(code: str | None) -> str:
    """Return two digits that are not the code."""
    assert code is not None
    return f"{(int(code) + 1) % 100:02d}"


async def unavailable(redemption: Redemption) -> None:
    raise StoreUnavailable


async def refused(redemption: Redemption) -> None:
    raise AccountRefused("locked")


@pytest.mark.req("LOG-2")
async def test_a_grant_opens_one_session_and_ends_the_browser_record(desk: Desk) -> None:
    watch = await desk.page()
    ticket = await desk.ticket(watch)
    await desk.approve(watch)
    redemption = await desk.redeem(await desk.grant(watch))
    browser = (await desk.flow(watch)).browser
    assert redemption == Redemption(ZHANG, ticket.id, COMPUTER, LOGIN.next, browser, 0)
    assert desk.logins == [redemption]
    assert isinstance(await desk.state(watch), Redeemed)
    assert (await desk.pages.look(watch)).end is End.DONE
    with pytest.raises(BrowserUnknown):
        await desk.entry()


@pytest.mark.attack("Q4")
async def test_fifty_redeems_at_once_open_one_session(desk: Desk) -> None:
    watch = await desk.page()
    await desk.approve(watch)
    grant = await desk.grant(watch)
    outcomes = await asyncio.gather(*(desk.redeem(grant) for _ in range(50)), return_exceptions=True)
    assert len(desk.logins) == 1
    assert [type(outcome) for outcome in outcomes if isinstance(outcome, BaseException)] == [TicketUnknown] * 49


@pytest.mark.attack("Q3")
async def test_a_grant_is_used_once(desk: Desk) -> None:
    watch = await desk.page()
    await desk.approve(watch)
    grant = await desk.grant(watch)
    await desk.redeem(grant)
    with pytest.raises(TicketUnknown):
        await desk.redeem(grant)
    assert len(desk.logins) == 1


@pytest.mark.attack("Q1", "Q2", "Q22")
async def test_whatever_is_not_this_browsers_live_grant_gets_one_answer(desk: Desk) -> None:
    foreign = await desk.page()
    await desk.approve(foreign)
    foreign_grant, foreign_secret = await desk.grant(foreign), desk.secret
    desk.secret = None
    watch = await desk.page()
    await desk.approve(watch, a_phone(LI))
    own = await desk.grant(watch)
    before = await desk.flow(watch)
    for grant in (foreign_grant, own[:-1], own + "A", "", "京", "\udc80", "x" * 43):
        with pytest.raises(TicketUnknown) as unknown:
            await desk.redeem(grant)
        assert unknown.value.details == {}
    for secret in ("x" * 43, "x", foreign_secret):
        with pytest.raises(TicketUnknown):
            await desk.redeem(own, secret=secret)
    with pytest.raises(TicketUnknown):
        await desk.redeeming.redeem(None, own, None, signed_in=None, login=Exchanging(desk, unavailable))
    assert await desk.flow(watch) == before
    assert desk.logins == []
    assert (await desk.redeem(own)).holder == LI


@pytest.mark.attack("Q13", "Q11")
async def test_nothing_is_redeemed_before_the_phone_has_confirmed(desk: Desk) -> None:
    watch = await desk.page()
    for _ in range(2):
        with pytest.raises(TicketUnknown):
            await desk.redeem("x" * 43)
        await desk.scan(watch)
    assert desk.logins == []


@pytest.mark.attack("Q15")
@pytest.mark.parametrize(("seconds", "allowed"), [(29.999, True), (30, False)])
async def test_a_grant_dies_with_its_deadline(desk: Desk, seconds: float, allowed: bool) -> None:
    watch = await desk.page()
    await desk.approve(watch)
    grant = await desk.grant(watch)
    desk.advance(seconds)
    if allowed:
        await desk.redeem(grant)
    else:
        with pytest.raises(TicketUnknown):
            await desk.redeem(grant)
    assert len(desk.logins) == int(allowed)


@pytest.mark.attack("Q29")
async def test_a_grant_outlives_a_new_secret_but_not_an_ended_record(desk: Desk) -> None:
    watch = await desk.page()
    await desk.approve(watch)
    grant, old = await desk.grant(watch), desk.secret
    await desk.navigate()
    with pytest.raises(TicketUnknown):
        await desk.redeem(grant, secret=old)
    ended = desk.secret
    await desk.browsers.end(desk.secret)
    with pytest.raises(TicketUnknown):
        await desk.redeem(grant, secret=ended)


@pytest.mark.attack("Q29")
async def test_a_grant_is_redeemed_with_the_secret_of_a_later_navigation(desk: Desk) -> None:
    watch = await desk.page()
    await desk.approve(watch)
    grant = await desk.grant(watch)
    await desk.navigate()
    await desk.redeem(grant)
    assert len(desk.logins) == 1


@pytest.mark.attack("Q28")
async def test_another_account_that_is_signed_in_here_is_not_replaced_in_silence(desk: Desk) -> None:
    watch = await desk.page()
    await desk.approve(watch)
    grant = await desk.grant(watch)
    before = await desk.flow(watch)
    with pytest.raises(AlreadySignedIn):
        await desk.redeem(grant, signed_in=await desk.signed_in(LI.account))
    assert await desk.flow(watch) == before
    await desk.redeem(grant, signed_in=await desk.signed_in(ZHANG.account))
    assert len(desk.logins) == 1


@pytest.mark.attack("O5")
async def test_a_session_that_cannot_be_written_gives_the_approval_back(coded: Desk) -> None:
    watch = await coded.page()
    code = await coded.approve(watch)
    grant = await coded.grant(watch)
    before = await coded.ticket(watch)
    for _ in range(4):
        with pytest.raises(StoreUnavailable):
            await coded.redeem(grant, code, give=unavailable)
        assert await coded.ticket(watch) == before, "an outage consumes nothing, not even a try"
    assert await coded.grant(watch) == grant
    await coded.redeem(grant, code)
    assert len(coded.logins) == 1


async def test_an_approval_given_back_after_its_deadline_is_over(desk: Desk) -> None:
    watch = await desk.page()
    await desk.approve(watch)
    grant = await desk.grant(watch)

    async def slow(redemption: Redemption) -> None:
        desk.advance(30)
        raise StoreUnavailable

    with pytest.raises(StoreUnavailable):
        await desk.redeem(grant, give=slow)
    with pytest.raises(TicketUnknown):
        await desk.redeem(grant)
    await desk.pages.look(watch)
    assert isinstance(await desk.state(watch), Pending), "the page goes on with a new ticket"


@pytest.mark.attack("Q21")
async def test_an_account_refused_at_the_last_moment_kills_the_ticket(desk: Desk) -> None:
    watch = await desk.page()
    await desk.approve(watch)
    grant = await desk.grant(watch)
    with pytest.raises(AccountRefused):
        await desk.redeem(grant, give=refused)
    state = await desk.state(watch)
    assert isinstance(state, Rejected)
    assert state.reason == "policy"
    with pytest.raises(TicketUnknown):
        await desk.redeem(grant)
    (message,) = (await desk.pages.look(watch)).messages
    assert isinstance(message, ExpiredMessage)


@pytest.mark.attack("P7", "R4")
async def test_a_confirmation_from_before_all_sessions_were_ended_opens_none_and_its_ticket_is_dead(desk: Desk) -> None:
    watch = await desk.page()
    await desk.approve(watch)
    grant = await desk.grant(watch)
    await desk.sessions.end_others(ZHANG.account, None, SessionEnd.PASSWORD_CHANGED)
    for _ in range(2):
        with pytest.raises(TicketUnknown):
            await desk.redeem(grant)
    assert (desk.logins, await desk.sessions.of_account(ZHANG.account)) == ([], [])
    state = await desk.state(watch)
    assert isinstance(state, Rejected)
    assert state.reason == "policy"
    (message,) = (await desk.pages.look(watch)).messages
    assert isinstance(message, ExpiredMessage)


@pytest.mark.attack("P7")
async def test_a_confirmation_counts_in_the_epoch_it_was_given_in_whenever_the_code_was_scanned(desk: Desk) -> None:
    watch = await desk.page()
    scanned = await desk.scan(watch)
    await desk.sessions.end_others(ZHANG.account, None, SessionEnd.PASSWORD_CHANGED)
    await desk.phones.confirm(a_phone(epoch=1), scanned.ticket, scanned.confirm_token)
    await desk.redeem(await desk.grant(watch))
    assert len(desk.logins) == 1


# ----------------------------------------------------------------------------------------------------- reverse code


@pytest.mark.attack("P9")
async def test_the_code_of_the_phone_opens_the_session(coded: Desk) -> None:
    watch = await coded.page()
    code = await coded.approve(watch)
    grant = await coded.grant(watch)
    for left in (2, 1):
        with pytest.raises(CodeWrong) as fault:
            await coded.redeem(grant, wrong(code))
        assert fault.value.details == {"tries_left": left}
    await coded.redeem(grant, code)
    assert len(coded.logins) == 1


@pytest.mark.attack("O4", "P9")
async def test_three_wrong_codes_kill_the_ticket(coded: Desk) -> None:
    watch = await coded.page()
    code = await coded.approve(watch)
    grant = await coded.grant(watch)
    left = []
    for _ in range(3):
        with pytest.raises(CodeWrong) as fault:
            await coded.redeem(grant, wrong(code))
        left.append(fault.value.tries_left)
    assert left == [2, 1, 0]
    with pytest.raises(TicketUnknown):
        await coded.redeem(grant, code)
    (message,) = (await coded.pages.look(watch)).messages
    assert isinstance(message, RejectedMessage)
    assert message.reason == "code"


@pytest.mark.attack("O4")
async def test_of_fifty_guesses_at_once_three_are_compared(coded: Desk) -> None:
    watch = await coded.page()
    code = await coded.approve(watch)
    grant = await coded.grant(watch)
    guesses = [f"{guess:02d}" for guess in range(100) if f"{guess:02d}" != code][:50]
    outcomes = await asyncio.gather(*(coded.redeem(grant, guess) for guess in guesses), return_exceptions=True)
    counted = sorted(outcome.tries_left for outcome in outcomes if isinstance(outcome, CodeWrong))
    assert counted == [0, 1, 2]
    assert {type(outcome) for outcome in outcomes} == {CodeWrong, TicketUnknown}
    assert isinstance(await coded.state(watch), Rejected)


async def test_a_redeem_without_the_code_costs_no_try(coded: Desk) -> None:
    watch = await coded.page()
    await coded.approve(watch)
    before = await coded.flow(watch)
    with pytest.raises(CodeWrong) as fault:
        await coded.redeem(await coded.grant(watch))
    assert fault.value.tries_left == 3
    assert await coded.flow(watch) == before


@pytest.mark.attack("Q27")
@pytest.mark.parametrize("code", ["", "京京", "\udc80", "٠٧", "7", "007"])
async def test_what_is_no_code_is_a_wrong_one(coded: Desk, code: str) -> None:
    watch = await coded.page()
    await coded.approve(watch)
    with pytest.raises(CodeWrong) as fault:
        await coded.redeem(await coded.grant(watch), code)
    assert fault.value.tries_left == 2


async def test_a_code_nobody_asked_for_is_ignored(desk: Desk) -> None:
    watch = await desk.page()
    await desk.approve(watch)
    await desk.redeem(await desk.grant(watch), "07")
    assert len(desk.logins) == 1


async def test_a_code_typed_in_time_is_given_ninety_seconds(coded: Desk) -> None:
    watch = await coded.page()
    code = await coded.approve(watch)
    state = await coded.state(watch)
    assert isinstance(state, Approved)
    grant = await coded.grant(watch)
    coded.advance(89.999)
    await coded.redeem(grant, code)
    assert len(coded.logins) == 1


# ---------------------------------------------------------------------------------- a navigation in between, an outage


@pytest.mark.attack("Q3", "Q29")
async def test_a_page_opened_while_a_redeem_is_under_way_ends_with_the_others(desk: Desk) -> None:
    watch = await desk.page()
    await desk.approve(watch)
    grant, old = await desk.grant(watch), desk.secret
    opened: list[Watch] = []

    async def meanwhile(redemption: Redemption) -> None:
        opened.append(await desk.page())
        desk.logins.append(redemption)

    await desk.redeem(grant, secret=old, give=meanwhile)
    assert desk.secret != old
    assert len(desk.logins) == 1
    assert (await desk.flow(watch)).ended
    (late,) = opened
    assert late.flow == watch.flow
    assert (await desk.pages.look(late)).end is End.DONE
    with pytest.raises(FlowUnknown):
        await desk.pages.connect(await desk.entry())


async def test_a_page_opened_while_a_redeem_fails_goes_on_with_the_approval(desk: Desk) -> None:
    watch = await desk.page()
    await desk.approve(watch)
    grant, old = await desk.grant(watch), desk.secret
    opened: list[Watch] = []

    async def meanwhile(redemption: Redemption) -> None:
        opened.append(await desk.page())
        raise StoreUnavailable

    with pytest.raises(StoreUnavailable):
        await desk.redeem(grant, secret=old, give=meanwhile)
    (late,) = opened
    (message,) = (await desk.pages.look(late)).messages
    assert isinstance(message, ApprovedMessage)
    await desk.redeem(message.grant)
    assert len(desk.logins) == 1


@pytest.mark.attack("W11", "O5")
async def test_a_page_whose_end_nobody_could_write_is_told_that_it_is_done(desk: Desk) -> None:
    watch = await desk.page()
    await desk.approve(watch)
    grant = await desk.grant(watch)
    with patch.object(desk.browsers, "end", side_effect=StoreUnavailable):
        await desk.redeem(grant)
    assert len(desk.logins) == 1
    look = await desk.pages.look(watch)
    assert look == Look((), None, 30.0), "a claim may still be given back"
    desk.advance(30)
    assert (await desk.pages.look(watch)).end is End.DONE
    assert (await desk.pages.look(watch, after=0)).end is End.DONE
    afterwards = await desk.page()
    assert afterwards.flow != watch.flow
    assert isinstance(await desk.state(afterwards), Pending)
