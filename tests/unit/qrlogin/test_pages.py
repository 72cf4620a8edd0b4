"""The page's side: showing, watching, renewing, and being sent away."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from bjidp.errors import RateLimited
from bjidp.qrlogin.errors import BrowserUnknown, FlowUnknown
from bjidp.qrlogin.flow import Client, Purposeful
from bjidp.qrlogin.pages import End, Look, Visitor
from bjidp.qrlogin.policy import Purpose
from bjidp.qrlogin.ticket import Approved, Pending, Scanned, Superseded
from bjidp.qrlogin.wire import ApprovedMessage, ExpiredMessage, ScannedMessage, TicketMessage
from bjidp.throttle.source import Source
from tests.support.qr import COMPUTER, LOGIN
from tests.unit.qrlogin.desk import Desk, a_phone


def other(number: int) -> Purposeful:
    """Return something else that a page is opened for."""
    return Purposeful(Purpose.LOGIN, Client(f"站点{number}", "site.example"), f"/next/{number}")


def kinds(look: Look) -> list[str]:
    return [type(message).__name__ for message in look.messages]


# ------------------------------------------------------------------------------------------------- the door


@pytest.mark.attack("Q1", "Q22")
@pytest.mark.parametrize("secret", [None, "", "x", "x" * 43, "京" * 43, "x" * 10_000])
async def test_without_a_known_secret_there_is_no_way_in(desk: Desk, secret: str | None) -> None:
    await desk.navigate()
    desk.secret = secret
    with pytest.raises(BrowserUnknown):
        await desk.entry()


@pytest.mark.attack("Q1", "Q8")
async def test_a_browser_enters_its_own_flows_alone(desk: Desk) -> None:
    foreign = (await desk.navigate()).flow
    desk.secret = None
    own = (await desk.navigate()).flow
    assert (await desk.entry()).ref.id == own
    for flow in (foreign, "chosen", ""):
        with pytest.raises(FlowUnknown):
            await desk.entry(flow)


async def test_a_record_lives_fifteen_minutes_from_the_last_navigation(desk: Desk) -> None:
    await desk.navigate()
    desk.advance(15 * 60 - 1)
    await desk.navigate()
    desk.advance(15 * 60 - 0.001)
    await desk.entry()
    desk.advance(0.001)
    with pytest.raises(BrowserUnknown):
        await desk.entry()


@pytest.mark.attack("F1")
async def test_each_navigation_kills_the_old_secret_and_keeps_flow_and_ticket(desk: Desk) -> None:
    watch = await desk.page()
    ticket = (await desk.ticket(watch)).id
    old = desk.secret
    again = await desk.navigate()
    assert again.flow == watch.flow
    assert (await desk.pages.look(watch)).end is End.RESTART
    with pytest.raises(BrowserUnknown):
        await desk.pages.enter(old, None, Visitor(COMPUTER, Source(None)))
    back = await desk.pages.connect(await desk.entry())
    assert (await desk.ticket(back)).id == ticket


@pytest.mark.attack("Q29")
async def test_a_secret_replaced_between_the_door_and_the_watching_does_not_get_in(desk: Desk) -> None:
    await desk.page()
    late = await desk.entry()
    await desk.navigate()
    before = await desk.store.read(late.ref.id)
    assert before is not None
    for act in (desk.pages.connect(late), desk.pages.follow(late), desk.pages.newest(late, renew=True)):
        with pytest.raises(FlowUnknown):
            await act
    after = await desk.store.read(late.ref.id)
    assert after is not None
    assert after.version == before.version


@pytest.mark.attack("Q29")
async def test_a_late_first_page_does_not_lock_the_new_one_out(desk: Desk) -> None:
    """The secret is replaced before the flow exists, so there is nothing yet to tell that to."""
    await desk.navigate()
    late = await desk.entry()
    await desk.navigate()
    intruder = await desk.pages.connect(late)
    watch = await desk.pages.connect(await desk.entry())
    assert (await desk.pages.look(intruder)).end is End.RESTART
    assert (await desk.pages.look(watch)).end is None
    with pytest.raises(FlowUnknown):
        await desk.pages.connect(late)


@pytest.mark.attack("Q1")
async def test_a_flow_lets_no_other_browser_in_even_if_its_record_names_it(desk: Desk) -> None:
    watch = await desk.page()
    stranger = msgspec.structs.replace(watch.entry.browser, id="another")
    with pytest.raises(FlowUnknown):
        await desk.pages.connect(msgspec.structs.replace(watch.entry, browser=stranger))


async def test_of_two_navigations_that_race_with_one_secret_one_goes_on(desk: Desk) -> None:
    watch = await desk.page()
    one, two = await asyncio.gather(
        desk.browsers.open_page(desk.secret, LOGIN), desk.browsers.open_page(desk.secret, LOGIN)
    )
    assert one.secret != two.secret
    assert [opened.flow for opened in (one, two)].count(watch.flow) == 1


@pytest.mark.attack("T4")
async def test_a_page_may_go_on_with_what_the_browsers_newest_one_was_for(desk: Desk) -> None:
    fresh = await desk.browsers.open_page(None, LOGIN, resume=True)
    assert fresh.about == LOGIN, "there is nothing yet to go on with"
    first = await desk.browsers.open_page(fresh.secret, other(1))
    errand = Purposeful(Purpose.VERIFY, LOGIN.client, "/centre/mail", "/centre/verify/mail")
    between = await desk.browsers.open_page(first.secret, errand)
    resumed = await desk.browsers.open_page(between.secret, LOGIN, resume=True)
    assert (resumed.about, resumed.flow) == (other(1), first.flow)
    assert (await desk.browsers.open_page(resumed.secret, LOGIN)).flow == fresh.flow


async def test_a_browser_keeps_three_flows_and_the_oldest_goes(desk: Desk) -> None:
    opened = [(await desk.navigate(other(number))).flow for number in range(4)]
    with pytest.raises(FlowUnknown):
        await desk.entry(opened[0])
    for flow in opened[1:]:
        assert (await desk.entry(flow)).ref.id == flow
    assert (await desk.navigate(other(2))).flow == opened[2], "a reload goes on with its flow"
    assert (await desk.entry()).ref.id == opened[2]


async def test_a_reload_after_the_end_begins_a_new_flow(desk: Desk) -> None:
    watch = await desk.page()
    desk.advance(60)
    assert (await desk.navigate()).flow != watch.flow


# --------------------------------------------------------------------------------------------- showing, watching


@pytest.mark.req("LOG-2")
async def test_a_page_that_connects_is_shown_a_ticket_and_then_told_what_becomes_of_it(desk: Desk) -> None:
    watch = await desk.page()
    woken = asyncio.Event()
    stop = desk.pages.subscribe(watch, woken.set)
    look = await desk.pages.look(watch)
    assert kinds(look) == ["TicketMessage"]
    assert look.turn_in == 54
    scanned = await desk.scan(watch)
    assert woken.is_set()
    woken.clear()
    assert kinds(await desk.pages.look(watch)) == ["ScannedMessage"]
    await desk.phones.confirm(a_phone(), scanned.ticket, scanned.confirm_token)
    assert woken.is_set()
    assert kinds(await desk.pages.look(watch)) == ["ApprovedMessage"]
    assert kinds(await desk.pages.look(watch)) == []
    stop()
    woken.clear()
    await desk.redeem(await desk.grant(watch))
    assert not woken.is_set()
    assert (await desk.pages.look(watch)).end is End.DONE


@pytest.mark.attack("Q2")
async def test_every_socket_of_the_browser_is_told_the_same_with_rising_numbers(desk: Desk) -> None:
    first = await desk.page()
    await desk.pages.look(first)
    second = await desk.pages.connect(await desk.entry())
    assert kinds(await desk.pages.look(second)) == ["TicketMessage"]
    await desk.approve(first)
    ((one,), (two,)) = [(await desk.pages.look(watch)).messages for watch in (first, second)]
    assert isinstance(one, ApprovedMessage)
    assert one == two


@pytest.mark.attack("W9")
async def test_a_third_socket_sends_the_oldest_away(desk: Desk) -> None:
    watches = [await desk.page()]
    woken = asyncio.Event()
    desk.pages.subscribe(watches[0], woken.set)
    watches += [await desk.pages.connect(await desk.entry()) for _ in range(2)]
    assert woken.is_set()
    ends = [(await desk.pages.look(watch)).end for watch in watches]
    assert ends == [End.SUPERSEDED, None, None]


async def test_a_page_that_left_makes_room(desk: Desk) -> None:
    first = await desk.page()
    second = await desk.pages.connect(await desk.entry())
    await desk.pages.leave(first)
    third = await desk.pages.connect(await desk.entry())
    assert [(await desk.pages.look(watch)).end for watch in (second, third)] == [None, None]
    await desk.pages.leave(first)


async def test_polls_count_with_sockets(desk: Desk) -> None:
    first = await desk.page()
    await desk.pages.follow(await desk.entry())
    await desk.pages.follow(await desk.entry())
    assert (await desk.pages.look(first)).end is End.SUPERSEDED


@pytest.mark.req("LOG-2")
async def test_a_ticket_is_renewed_ahead_once_for_all_who_watch(desk: Desk) -> None:
    first = await desk.page()
    second = await desk.pages.connect(await desk.entry())
    for watch in (first, second):
        await desk.pages.look(watch)
    old = await desk.ticket(first)
    desk.advance(54)
    looks = await asyncio.gather(desk.pages.look(first), desk.pages.look(second))
    ((one,), (two,)) = [look.messages for look in looks]
    assert one == two
    assert isinstance(one, TicketMessage)
    assert one.ticket != old.id
    assert [ticket.id for ticket in (await desk.flow(first)).tickets] == [old.id, one.ticket]


async def test_a_page_nobody_scans_is_renewed_five_times_and_then_told_that_it_is_over(desk: Desk) -> None:
    watch = await desk.page()
    seen = set[str]()
    messages: list[object] = []
    for _ in range(40):
        look = await desk.pages.look(watch)
        messages += look.messages
        seen |= {message.ticket for message in look.messages}
        if isinstance(messages[-1], ExpiredMessage) and not messages[-1].renewed:
            break
        desk.advance(look.turn_in)
    assert len(seen) == 6
    last = messages[-1]
    assert isinstance(last, ExpiredMessage)
    assert not last.renewed
    numbers = [message.seq for message in messages if isinstance(message, TicketMessage | ExpiredMessage)]
    assert numbers == sorted(set(numbers))
    await desk.pages.renew(watch.entry)
    assert kinds(await desk.pages.look(watch)) == ["TicketMessage"]


async def test_a_page_that_comes_back_is_shown_the_present_ticket(desk: Desk) -> None:
    watch = await desk.page()
    await desk.approve(watch)
    await desk.navigate()
    back = await desk.pages.connect(await desk.entry())
    (message,) = (await desk.pages.look(back)).messages
    assert isinstance(message, ApprovedMessage)


async def test_the_clocks_next_turn_is_told_in_seconds(desk: Desk) -> None:
    watch = await desk.page()
    desk.advance(10)
    assert (await desk.pages.look(watch)).turn_in == 44
    await desk.scan(watch)
    assert (await desk.pages.look(watch)).turn_in == 60
    desk.advance(5)
    assert (await desk.pages.look(watch)).turn_in == 55


@pytest.mark.attack("W9")
async def test_the_end_of_the_browsers_record_ends_its_pages_however_long_a_ticket_lives(desk: Desk) -> None:
    watch = await desk.page()
    desk.advance(14 * 60 + 30)
    await desk.pages.look(watch)
    await desk.pages.renew(watch.entry)
    look = await desk.pages.look(watch)
    assert kinds(look) == ["TicketMessage"]
    assert look.turn_in == 30
    desk.advance(30)
    assert (await desk.pages.look(watch)).end is End.DEADLINE


@pytest.mark.attack("Q22")
async def test_a_flow_that_is_gone_ends_the_page(desk: Desk) -> None:
    watch = await desk.page()
    desk.advance(20 * 60)
    assert (await desk.pages.look(watch)).end is End.DEADLINE
    await desk.pages.leave(watch)
    await desk.pages.renew(watch.entry)


async def test_a_session_that_ends_ends_its_pages(desk: Desk) -> None:
    watch = await desk.page()
    await desk.browsers.end(desk.secret)
    assert (await desk.pages.look(watch)).end is End.SESSION_ENDED
    with pytest.raises(BrowserUnknown):
        await desk.entry()
    with pytest.raises(FlowUnknown):
        await desk.pages.connect(watch.entry)
    await desk.browsers.end(desk.secret)


@pytest.mark.parametrize("secret", [None, "", "x" * 43])
async def test_ending_what_is_not_there_ends_no_other(desk: Desk, secret: str | None) -> None:
    watch = await desk.page()
    await desk.browsers.end(secret)
    assert (await desk.flow(watch)).tickets


# ------------------------------------------------------------------------------------------------------- renewing


@pytest.mark.req("LOG-2")
async def test_the_person_may_ask_for_a_new_code(desk: Desk) -> None:
    watch = await desk.page()
    await desk.scan(watch)
    await desk.pages.renew(watch.entry)
    old, new = (await desk.flow(watch)).tickets
    assert isinstance(old.state, Superseded)
    assert isinstance(new.state, Pending)


async def test_while_an_approval_waits_asking_does_nothing(desk: Desk) -> None:
    watch = await desk.page()
    await desk.approve(watch)
    before = await desk.flow(watch)
    await desk.pages.renew(watch.entry)
    assert await desk.flow(watch) == before
    desk.advance(30)
    await desk.pages.renew(watch.entry)
    assert isinstance(await desk.state(watch), Pending)


@pytest.mark.attack("Q23")
async def test_a_browser_makes_twelve_tickets_a_minute_with_one_live(desk: Desk) -> None:
    watch = await desk.page()
    for _ in range(11):
        await desk.pages.renew(watch.entry)
    before = await desk.flow(watch)
    with pytest.raises(RateLimited):
        await desk.pages.renew(watch.entry)
    assert await desk.flow(watch) == before
    assert [type(ticket.state) for ticket in before.tickets] == [Superseded] * 3 + [Pending]
    desk.advance(60)
    await desk.pages.renew(watch.entry)


@pytest.mark.attack("Q23")
async def test_an_address_makes_six_hundred_tickets_a_minute_over_all_its_browsers(desk: Desk) -> None:
    crowd, alone = Visitor(COMPUTER, Source("crowd")), Visitor(COMPUTER, Source("alone"))
    for _ in range(600):
        desk.secret = None
        await desk.navigate()
        await desk.pages.connect(await desk.entry(visitor=crowd))
    desk.secret = None
    await desk.navigate()
    with pytest.raises(RateLimited):
        await desk.pages.connect(await desk.entry(visitor=crowd))
    await desk.pages.connect(await desk.entry(visitor=alone))


async def test_a_decision_made_anew_after_a_lost_race_is_counted_once(desk: Desk) -> None:
    watch = await desk.page()
    await asyncio.gather(*(desk.pages.renew(watch.entry) for _ in range(11)))
    with pytest.raises(RateLimited):
        await desk.pages.renew(watch.entry)


async def test_pages_that_connect_at_once_share_one_first_ticket(desk: Desk) -> None:
    await desk.navigate()
    entry = await desk.entry()
    watches = await asyncio.gather(desk.pages.connect(entry), desk.pages.connect(entry))
    assert len((await desk.flow(watches[0])).tickets) == 1
    assert [(await desk.pages.look(watch)).end for watch in watches] == [None, None]


# -------------------------------------------------------------------------------------------- without a socket


async def test_a_poll_is_answered_when_there_is_something_newer(desk: Desk) -> None:
    await desk.navigate()
    first = await desk.pages.newest(await desk.entry(), renew=True)
    assert isinstance(first, TicketMessage)
    watch = await desk.pages.follow(await desk.entry())
    assert (await desk.pages.look(watch, after=first.seq)).messages == ()
    assert kinds(await desk.pages.look(watch, after=first.seq - 1)) == ["TicketMessage"]
    await desk.scan(watch)
    (scanned,) = (await desk.pages.look(watch, after=first.seq)).messages
    assert isinstance(scanned, ScannedMessage)
    assert scanned.seq > first.seq
    await desk.navigate()
    assert (await desk.pages.look(watch, after=scanned.seq)).end is End.RESTART


async def test_asking_for_the_current_message_renews_only_when_asked_to(desk: Desk) -> None:
    await desk.navigate()
    first = await desk.pages.newest(await desk.entry(), renew=False)
    desk.advance(55)
    ahead = await desk.pages.newest(await desk.entry(), renew=False)
    assert isinstance(first, TicketMessage)
    assert isinstance(ahead, TicketMessage)
    assert ahead.ticket != first.ticket, "the clock's renewal needs nobody's asking"


async def test_a_page_without_javascript_has_slow_tickets_that_wait_for_its_asking(desk: Desk) -> None:
    await desk.navigate()
    assert len((await desk.pages.frames(await desk.entry())).texts) == 30
    desk.advance(60)
    assert (await desk.pages.frames(await desk.entry())).texts == ()
    flow, _ = await desk.pages.current(await desk.entry(), renew=True, slow=True)
    assert flow.current.slow
    assert len((await desk.pages.frames(await desk.entry())).texts) == 30
    watch = await desk.pages.follow(await desk.entry())
    await desk.approve(watch)
    state = await desk.state(watch)
    assert isinstance(state, Approved)
    assert state.deadline - state.at == 90_000


async def test_the_page_keeps_what_it_was_opened_for(desk: Desk) -> None:
    watch = await desk.page(other(7))
    assert (await desk.flow(watch)).about == other(7)
    message = await desk.pages.newest(await desk.entry(), renew=False)
    assert "/next/7" not in msgspec.json.encode(message).decode()


async def test_a_scanned_page_stays_scanned_over_the_renewal_time_of_the_shown_ticket(desk: Desk) -> None:
    watch = await desk.page()
    desk.advance(50)
    await desk.scan(watch)
    desk.advance(30)
    await desk.pages.look(watch)
    assert isinstance(await desk.state(watch), Scanned)
