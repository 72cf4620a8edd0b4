"""The tickets one page shows in turn, kept together so that the rules between them hold.

Owns renewal, overlap, superseding, the message a page is due, and who watches. A *flow* is what a page was opened
for; it is the unit that stores compare and set, because "one live ticket a flow" and "a scan of the old ticket
supersedes the unscanned new one" are rules over two tickets that two phones may race for. Pure.

``seq`` numbers messages. Every change a page must hear raises it; so does a page that connects, which is told the
present state anew.
"""

from __future__ import annotations

from typing import assert_never

import msgspec
from msgspec import Struct

from bjidp.clock import Instant
from bjidp.qrlogin import machine
from bjidp.qrlogin.policy import Purpose, QrPolicy
from bjidp.qrlogin.ticket import Approved, Pending, Redeemed, Rejected, Scanned, Superseded, Ticket, Verifying
from bjidp.verification.operation import Operation


class Client(Struct, frozen=True, gc=False):
    """The site a login is for, as the phone shows it."""

    name: str
    domain: str


class Errand(Struct, frozen=True, gc=False):
    """The one operation of one account that a verify ticket is for (ACC-8), or that a face ticket is part of (RNV-3).

    ``session`` is the one that asks; None for a browser that nobody is logged in on. ``account`` is None where the
    page is for an account that there is none of: nobody can confirm that ticket, and in all else it is like any other.
    ``mark`` is the one of the identity that a face is to be compared with, exactly for a face ticket.
    """

    operation: Operation
    account: str | None
    session: str | None
    mark: str | None = None


class Purposeful(Struct, frozen=True, gc=False, omit_defaults=True):
    """What a page was opened for; ``errand`` exactly for a verify and a face ticket.

    ``next`` is where the page goes afterwards, and no client ever sends it (attack T4); ``page`` is where it is.
    """

    purpose: Purpose
    client: Client
    next: str
    page: str = "/login"
    errand: Errand | None = None

    @property
    def action(self) -> str:
        """What the phone is told that it is asked for."""
        if self.errand is None or self.purpose is Purpose.FACE:
            return self.purpose
        return f"{self.purpose}.{self.errand.operation}"


class Watcher(Struct, frozen=True, gc=False):
    """One socket or poll that watches the flow, and the inbox of the process it is on.

    ``opened`` is when its page was opened, by the browser's clock; only compared with its other pages'.
    """

    inbox: str
    id: str
    opened: Instant = 0


class Flow(Struct, frozen=True, gc=False):
    """A flow: its owner, its tickets (oldest first, the present one last), its watchers (oldest first).

    ``epoch`` is that of the browser secret it belongs to: a page that connected with an earlier secret is sent
    away. ``renewed`` counts the tickets shown in a row without anybody's asking.
    """

    id: str
    browser: str
    about: Purposeful
    tickets: tuple[Ticket, ...]
    watchers: tuple[Watcher, ...]
    seq: int
    renewed: int
    scriptless: bool
    epoch: int
    ended: bool = False

    @property
    def current(self) -> Ticket:
        """The ticket the page shows, or the last one it showed."""
        return self.tickets[-1]

    def ticket(self, ticket_id: str) -> Ticket | None:
        """Return one of the flow's tickets by id, or None."""
        for ticket in self.tickets:
            if ticket.id == ticket_id:
                return ticket
        return None


def start(flow_id: str, browser: str, epoch: int, about: Purposeful, ticket: Ticket) -> Flow:
    """Return a flow with its first ticket."""
    return Flow(flow_id, browser, about, (ticket,), (), seq=0, renewed=0, scriptless=ticket.slow, epoch=epoch)


def renew(flow: Flow, ticket: Ticket, policy: QrPolicy, now: Instant) -> Flow:
    """Show ``ticket`` because the person asked: whatever lived before is superseded, the count starts anew."""
    closed = tuple(_superseded(old, now) for old in flow.tickets)
    return _shown(flow, closed, ticket, policy, now, renewed=0)


def renew_ahead(flow: Flow, ticket: Ticket, policy: QrPolicy, now: Instant) -> Flow:
    """Show ``ticket`` by the clock's order: an unscanned predecessor stays good until its own deadline."""
    *older, present = flow.tickets
    kept = present if isinstance(present.state, Pending) else _superseded(present, now)
    closed = (*(_superseded(old, now) for old in older), kept)
    return _shown(flow, closed, ticket, policy, now, renewed=flow.renewed + 1)


def renewal_due(flow: Flow, policy: QrPolicy, now: Instant) -> bool:
    """Tell whether the clock calls for the next ticket, without anybody's asking.

    True a few seconds before an unscanned ticket's deadline, and at the deadline of one that was scanned or
    approved and then left alone; never after a rejection, and at most ``policy.renewals`` times in a row.
    """
    if flow.renewed >= policy.renewals or flow.scriptless:
        return False
    due = _renewal_at(flow, policy)
    return due is not None and now >= due


def next_turn(flow: Flow, policy: QrPolicy, now: Instant) -> Instant | None:
    """Return when the clock will next change what the page is told; None when only somebody's act can."""
    if is_being_redeemed(flow, now):
        return _claimed_until(flow)
    end = machine.deadline(flow.current)
    if end is None or now >= end:
        return None
    if flow.renewed >= policy.renewals or flow.scriptless:
        return end
    return _renewal_at(flow, policy)


def put(flow: Flow, changed: Ticket, now: Instant) -> Flow:
    """Put a ticket's new state in its place.

    A ticket that has left Pending is the one that counts: its unscanned sibling is superseded, and it becomes the
    present ticket. ``seq`` rises when the page is told something new.
    """
    before = flow.ticket(changed.id)
    if before is None:
        raise ValueError("not a ticket of this flow")
    others = tuple(ticket for ticket in flow.tickets if ticket.id != changed.id)
    moved = type(before.state) is not type(changed.state)
    return msgspec.structs.replace(
        flow,
        tickets=(*(_superseded(other, now) for other in others), changed),
        seq=flow.seq + 1 if moved and _heard(changed) else flow.seq,
    )


def watch(flow: Flow, watcher: Watcher, policy: QrPolicy, *, announce: bool) -> Flow:
    """Let one more page watch; the pages opened first have to go when there are too many (attack W9).

    Not the sockets opened first: a new page sends every socket away for a moment, and they come back in any order. A
    page that comes back takes its own former place, which nobody may have cleared if its process died.
    ``announce`` gives the present message a new number, for a socket that is told it anew.
    """
    seq = flow.seq + 1 if announce else flow.seq
    others = (seen for seen in flow.watchers if not watcher.opened or seen.opened != watcher.opened)
    watchers = sorted((*others, watcher), key=lambda seen: seen.opened)
    return msgspec.structs.replace(flow, watchers=tuple(watchers[-policy.watchers :]), seq=seq)


def unwatch(flow: Flow, watcher_id: str) -> Flow:
    """Forget a page that has gone."""
    return msgspec.structs.replace(flow, watchers=tuple(seen for seen in flow.watchers if seen.id != watcher_id))


def is_watched_by(flow: Flow, watcher_id: str) -> bool:
    """Tell whether this page is still one of those that watch."""
    return any(seen.id == watcher_id for seen in flow.watchers)


def rotate(flow: Flow, epoch: int) -> Flow:
    """Give the flow to the browser's new secret: whoever watched with the old one has to come back."""
    return msgspec.structs.replace(flow, epoch=epoch, watchers=())


def close(flow: Flow) -> Flow:
    """End the flow: its browser logged in, logged out, or its session ended."""
    return msgspec.structs.replace(flow, ended=True, watchers=())


def is_over(flow: Flow, now: Instant) -> bool:
    """Tell whether the page has nothing left to wait for until somebody acts."""
    return flow.ended or not machine.is_live(flow.current, now)


def is_being_redeemed(flow: Flow, now: Instant) -> bool:
    """Tell whether the approval is claimed and it is not known yet what comes of that: the end, or the approval back.

    It is known by the approval's deadline. A flow that is claimed and not ended then was left behind by an outage.
    """
    until = _claimed_until(flow)
    return until is not None and now < until


def is_left_behind(flow: Flow, now: Instant) -> bool:
    """Tell whether the approval was claimed and nobody could say that the flow has ended: its page is logged in."""
    until = _claimed_until(flow)
    return until is not None and now >= until


def may_renew(flow: Flow, now: Instant) -> bool:
    """Tell whether the person may ask for a new code: in every state but a live approval (wire.md, section 2)."""
    state = flow.current.state
    return not isinstance(state, Redeemed) and not (isinstance(state, Approved) and now < state.deadline)


def _shown(
    flow: Flow, closed: tuple[Ticket, ...], ticket: Ticket, policy: QrPolicy, now: Instant, *, renewed: int
) -> Flow:
    # The page that saw the old ticket run out was told so under the number between the two.
    rise = 2 if machine.has_expired(flow.current, now) else 1
    return msgspec.structs.replace(
        flow,
        tickets=(*closed, ticket)[-policy.remembered :],
        seq=flow.seq + rise,
        renewed=renewed,
        scriptless=ticket.slow,
    )


def _claimed_until(flow: Flow) -> Instant | None:
    state = flow.current.state
    return state.approved.deadline if isinstance(state, Redeemed) and not flow.ended else None


def _renewal_at(flow: Flow, policy: QrPolicy) -> Instant | None:
    state = flow.current.state
    match state:
        case Pending():
            return state.deadline - policy.renew_ahead
        case Scanned() | Verifying() | Approved():
            return state.deadline
        case Redeemed() | Rejected() | Superseded():
            return None
        case _:
            assert_never(state)


def _superseded(ticket: Ticket, now: Instant) -> Ticket:
    # One whose time is over stays as it was: its phone is told that it expired, not that another took its place.
    if isinstance(ticket.state, Pending | Scanned | Verifying) and machine.is_live(ticket, now):
        return machine.supersede(ticket)
    return ticket


def _heard(ticket: Ticket) -> bool:
    return not isinstance(ticket.state, Verifying | Redeemed)
