"""The only ways between the states of a ticket.

Owns the machine that three parties race to move: the page that shows the code, the phone that scans it, the
service that checks a face. Pure: every transition takes the time as an argument and returns a new ticket or raises
a typed error; stores compare and set, :mod:`bjidp.qrlogin.flow` keeps the tickets of one page together. Expiry is
computed from the deadline of the state, never stored, so nobody has to be alive to write it; a deadline is set
when a phase begins and nothing prolongs it (attack Q15).

``TRANSITIONS`` is the whole machine as a table: a test tries every event in every state against it, and the
diagram in ``docs/qr-ticket.md`` is drawn from it.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, assert_never

import msgspec

from bjidp.clock import Instant
from bjidp.qrlogin.errors import ConfirmRefused, FacePending, TicketClosed, TicketExpired, TicketTaken
from bjidp.qrlogin.policy import Purpose, QrPolicy
from bjidp.qrlogin.ticket import (
    Approved,
    Computer,
    Device,
    Holder,
    Pending,
    Redeemed,
    Rejected,
    Scanned,
    State,
    Superseded,
    Ticket,
    Verifying,
)
from bjidp.sessions.authentication import Authenticated


class InvalidTransition(Exception):
    """An event the caller had no business raising in this state: a bug, never an answer to a client."""

    def __init__(self, state: State, event: str) -> None:
        """Name the state and the event."""
        super().__init__(f"{event} in {type(state).__name__}")


Event: TypeAlias = Literal[
    "scan", "start_face", "pass_face", "confirm", "reject", "count_try", "exhaust", "refuse", "redeem", "release",
    "withdraw", "supersede",
]  # fmt: skip

TRANSITIONS: tuple[tuple[type[State], Event, type[State]], ...] = (
    (Pending, "scan", Scanned),
    (Pending, "supersede", Superseded),
    (Scanned, "scan", Scanned),
    (Scanned, "start_face", Verifying),
    (Scanned, "confirm", Approved),
    (Scanned, "reject", Rejected),
    (Scanned, "supersede", Superseded),
    (Verifying, "scan", Verifying),
    (Verifying, "start_face", Verifying),
    (Verifying, "pass_face", Verifying),
    (Verifying, "confirm", Approved),
    (Verifying, "reject", Rejected),
    (Verifying, "supersede", Superseded),
    (Approved, "count_try", Approved),
    (Approved, "exhaust", Rejected),
    (Approved, "redeem", Redeemed),
    (Approved, "withdraw", Rejected),
    (Redeemed, "release", Approved),
    (Redeemed, "refuse", Rejected),
    (Redeemed, "withdraw", Rejected),
)


def issue(
    ticket_id: str, purpose: Purpose, computer: Computer, policy: QrPolicy, now: Instant, *, slow: bool = False
) -> Ticket:
    """Return a fresh ticket that waits to be scanned."""
    return Ticket(ticket_id, purpose, now, slow, computer, Pending(now + policy.scan_span(purpose)))


def issue_for(device: Device, ticket_id: str, computer: Computer, policy: QrPolicy, now: Instant) -> Ticket:
    """Return a fresh device ticket that waits to be scanned, or for its user code to be typed."""
    waiting = Pending(now + policy.scan_span(Purpose.DEVICE))
    return Ticket(ticket_id, Purpose.DEVICE, now, slow=False, computer=computer, state=waiting, device=device)


def deadline(ticket: Ticket) -> Instant | None:
    """Return when the ticket's present phase ends; None when it is over for good."""
    match ticket.state:
        case Pending() | Scanned() | Verifying() | Approved():
            return ticket.state.deadline
        case Redeemed() | Rejected() | Superseded():
            return None
        case _:
            assert_never(ticket.state)


def is_live(ticket: Ticket, now: Instant) -> bool:
    """Tell whether anything can still come of the ticket. A deadline itself is already too late."""
    end = deadline(ticket)
    return end is not None and now < end


def has_expired(ticket: Ticket, now: Instant) -> bool:
    """Tell whether the ticket ran out of time in a phase that waited for somebody."""
    end = deadline(ticket)
    return end is not None and now >= end


def steps(ticket: Ticket) -> tuple[str, ...]:
    """Return what the phone has to do after the scan, in order (wire.md, section 4)."""
    match ticket.purpose:
        case Purpose.FACE:
            return ("face", "confirm")
        case Purpose.DEVICE:
            asks_face = ticket.device is not None and ticket.device.face
            return ("compare", "face", "confirm") if asks_face else ("compare", "confirm")
        case Purpose.LOGIN | Purpose.VERIFY:
            return ("confirm",)
        case _:
            assert_never(ticket.purpose)


def check_scannable(ticket: Ticket, now: Instant) -> None:
    """Raise for a ticket nobody can scan: :class:`TicketExpired` first, then :class:`TicketClosed`."""
    if has_expired(ticket, now):
        raise TicketExpired
    if not isinstance(ticket.state, Pending | Scanned | Verifying):
        raise TicketClosed


def held_by(ticket: Ticket, account: str) -> bool:
    """Tell whether this account holds the ticket and may scan it again."""
    return isinstance(ticket.state, Scanned | Verifying) and ticket.state.holder.account == account


def scan(ticket: Ticket, holder: Holder, policy: QrPolicy, now: Instant, *, code_required: bool) -> Ticket:
    """Claim the ticket for ``holder``, or count another scan by the account that holds it.

    The first scan sets the deadline to confirm; later ones leave it. Raises :class:`TicketExpired`,
    :class:`TicketClosed`, :class:`TicketTaken`.
    """
    check_scannable(ticket, now)
    state = ticket.state
    match state:
        case Pending():
            end = min(now + policy.confirm_span(ticket.purpose), ticket.issued_at + policy.whole_span(ticket.purpose))
            return _with(ticket, Scanned(holder, 1, code_required, end))
        case Scanned() | Verifying():
            if state.holder.account != holder.account:
                raise TicketTaken
            if isinstance(state, Verifying) and state.holder.link != holder.link:
                # Another of the account's platform identities: none of its own has shown a face (attack B2).
                state = msgspec.structs.replace(state, passed=False)
            # A code once called for stays called for: scanning again from a better place is no way around it.
            return _with(
                ticket,
                msgspec.structs.replace(
                    state, holder=holder, scans=state.scans + 1, code_required=state.code_required or code_required
                ),
            )
        case Approved() | Redeemed() | Rejected() | Superseded():
            raise TicketClosed
        case _:
            assert_never(state)


def require_open(ticket: Ticket, now: Instant) -> Scanned | Verifying:
    """Return the state of a ticket that its holder may go on with.

    Raises :class:`TicketExpired`, :class:`ConfirmRefused` where nobody holds it, and :class:`TicketClosed`.
    """
    state = ticket.state
    if isinstance(state, Scanned | Verifying):
        if now >= state.deadline:
            raise TicketExpired
        return state
    if isinstance(state, Pending):
        raise ConfirmRefused
    raise first_answer(ticket)


def start_face(ticket: Ticket, reference: str, now: Instant) -> Ticket:
    """Note the face check that was opened for the holder; a later one takes the place of an earlier."""
    state = require_open(ticket, now)
    return _with(
        ticket, Verifying(state.holder, state.scans, state.code_required, reference, passed=False,
                          deadline=state.deadline),
    )  # fmt: skip


def pass_face(ticket: Ticket, reference: str, now: Instant) -> Ticket:
    """Note that this very check has passed; raise :class:`FacePending` when another one is awaited (attack B2)."""
    state = require_open(ticket, now)
    if not isinstance(state, Verifying) or state.reference != reference:
        raise FacePending
    return _with(ticket, msgspec.structs.replace(state, passed=True))


def confirm(
    ticket: Ticket,
    policy: QrPolicy,
    now: Instant,
    *,
    code: str | None,
    epoch: int = 0,
    authenticated: Authenticated | None = None,
) -> Ticket:
    """Approve, in an ``epoch`` of the account: the page may now redeem.

    ``code`` must be given exactly when the scan called for one. Accepted only while the whole time to redeem still
    fits under the cap on the ticket's life; what a device ticket has left of its own is its time to redeem. Raises
    :class:`TicketExpired`, :class:`TicketClosed`, :class:`FacePending`.
    """
    state = require_open(ticket, now)
    if state.code_required != (code is not None):
        raise InvalidTransition(state, "confirm")
    evidence = state.reference if isinstance(state, Verifying) and state.passed else None
    if "face" in steps(ticket) and evidence is None:
        raise FacePending
    end = now + policy.redeem_span(slow=ticket.slow or code is not None)
    cap = ticket.issued_at + policy.whole_span(ticket.purpose)
    if ticket.purpose is Purpose.DEVICE:
        end = cap
    elif end > cap:
        raise TicketExpired
    approved = Approved(state.holder, state.scans, now, code, policy.code_tries, evidence, end, epoch, authenticated)
    return _with(ticket, approved)


def reject(ticket: Ticket, now: Instant) -> Ticket:
    """Refuse for the person who scanned; final (attack Q14)."""
    state = require_open(ticket, now)
    return _with(ticket, Rejected("person", state.holder, state.scans, None))


def supersede(ticket: Ticket) -> Ticket:
    """Take the ticket out because another of the same page counts now."""
    state = ticket.state
    match state:
        case Pending():
            return _with(ticket, Superseded(None, 0))
        case Scanned() | Verifying():
            return _with(ticket, Superseded(state.holder, state.scans))
        case Approved() | Redeemed() | Rejected() | Superseded():
            raise InvalidTransition(state, "supersede")
        case _:
            assert_never(state)


def count_try(ticket: Ticket, now: Instant) -> Ticket:
    """Take one try off before the code is compared, so that parallel guesses cannot share one (attack O4)."""
    state = _approved(ticket, "count_try", now)
    if state.tries_left == 0:
        raise InvalidTransition(state, "count_try")
    return _with(ticket, msgspec.structs.replace(state, tries_left=state.tries_left - 1))


def exhaust(ticket: Ticket, now: Instant) -> Ticket:
    """End a ticket whose last try was wrong."""
    state = _approved(ticket, "exhaust", now)
    return _with(ticket, Rejected("code", state.holder, state.scans, state.code))


def redeem(ticket: Ticket, claim: str, now: Instant) -> Ticket:
    """Exchange the approval, once, for the request that names itself ``claim`` (attack Q4)."""
    return _with(ticket, Redeemed(_approved(ticket, "redeem", now), claim))


def release(ticket: Ticket, claim: str) -> Ticket:
    """Give the approval back because the session could not be written: an outage consumes nothing.

    Only the request that won may do it, and the old deadline still holds. Its code was right, so the try that was
    counted for it is given back too.
    """
    approved = _claimed(ticket, "release", claim)
    if approved.code is not None:
        approved = msgspec.structs.replace(approved, tries_left=approved.tries_left + 1)
    return _with(ticket, approved)


def refuse(ticket: Ticket, claim: str) -> Ticket:
    """End a ticket whose account policy did not let in at the moment of redeeming (attack Q21)."""
    state = _claimed(ticket, "refuse", claim)
    return _with(ticket, Rejected("policy", state.holder, state.scans, state.code))


def withdraw(ticket: Ticket, now: Instant) -> Ticket:
    """Take a confirmation back for whoever gave it; final, also while it is being redeemed (attack P7).

    Whoever redeems sees it when the session is open, and ends that (:mod:`bjidp.qrlogin.redeeming`).
    """
    state = ticket.state
    approved = state.approved if isinstance(state, Redeemed) else _approved(ticket, "withdraw", now)
    return _with(ticket, Rejected("person", approved.holder, approved.scans, approved.code))


def first_answer(ticket: Ticket) -> TicketClosed:
    """Return the error for a repeated confirm or reject, with the answer the first one was given."""
    match ticket.state:
        case Approved():
            return TicketClosed("approved", ticket.state.code)
        case Redeemed():
            return TicketClosed("approved", ticket.state.approved.code)
        case Rejected(reason="person"):
            return TicketClosed("rejected")
        case Rejected():
            return TicketClosed("approved", ticket.state.code)
        case Pending() | Scanned() | Verifying() | Superseded():
            return TicketClosed()
        case _:
            assert_never(ticket.state)


def scanner(ticket: Ticket) -> tuple[Holder, int] | None:
    """Return who holds or held the ticket and the number of their newest scan; None if nobody ever did."""
    state = ticket.state
    match state:
        case Pending():
            return None
        case Scanned() | Verifying() | Approved() | Rejected():
            return state.holder, state.scans
        case Redeemed():
            return state.approved.holder, state.approved.scans
        case Superseded():
            return (state.holder, state.scans) if state.holder is not None else None
        case _:
            assert_never(state)


def _approved(ticket: Ticket, event: Event, now: Instant) -> Approved:
    state = ticket.state
    if not isinstance(state, Approved):
        raise InvalidTransition(state, event)
    if now >= state.deadline:
        raise TicketExpired
    return state


def _claimed(ticket: Ticket, event: Event, claim: str) -> Approved:
    state = ticket.state
    if not isinstance(state, Redeemed) or state.claim != claim:
        raise InvalidTransition(state, event)
    return state.approved


def _with(ticket: Ticket, state: State) -> Ticket:
    return Ticket(ticket.id, ticket.purpose, ticket.issued_at, ticket.slow, ticket.computer, state, ticket.device)
