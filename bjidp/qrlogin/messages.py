"""What a page is told: from the state of a flow to messages.

Owns the translation and the memory of what one page has heard already. Pure but for the keys it derives with. A
page is told what is true now; between two looks it may miss a state, never the last one.
"""

from __future__ import annotations

from typing import assert_never

from msgspec import Struct

from bjidp.clock import SECOND, Instant, Millis
from bjidp.entropy import base64url
from bjidp.qrlogin import frame, machine
from bjidp.qrlogin.flow import Flow
from bjidp.qrlogin.keys import QrKeys
from bjidp.qrlogin.policy import QrPolicy
from bjidp.qrlogin.ticket import Approved, Pending, Redeemed, Rejected, Scanned, Superseded, Ticket, Verifying
from bjidp.qrlogin.wire import ApprovedMessage, ExpiredMessage, Message, RejectedMessage, ScannedMessage, TicketMessage


class Frames(Struct, frozen=True):
    """Texts to be shown one after the other: the first for ``first`` seconds, each later one for ``step``.

    There is none once the ticket was ``scanned``, or when its time is over.
    """

    texts: tuple[str, ...]
    first: float
    step: float
    scanned: bool = False


class Heard:
    """What one page has been told so far."""

    __slots__ = ("expired", "seq", "state", "ticket")

    def __init__(self) -> None:
        """Start having heard nothing."""
        self.seq = -1
        self.ticket = ""
        self.state: type | None = None
        self.expired = ""


class Messages:
    """Makes messages with the server's keys."""

    def __init__(self, keys: QrKeys, policy: QrPolicy, prefix: str) -> None:
        """``prefix`` is what every QR text begins with: ``<base URL>/q/``."""
        self._keys = keys
        self._policy = policy
        self._prefix = prefix

    def newest(self, flow: Flow, now: Instant) -> Message | None:
        """Return what a page that just came is told; None when there is nothing left to tell it."""
        ticket = flow.current
        if machine.has_expired(ticket, now):
            return ExpiredMessage(ticket.id, flow.seq + 1, renewed=False)
        state = ticket.state
        match state:
            case Pending():
                return self._shown(ticket, state, flow.seq, now)
            case Scanned() | Verifying():
                return ScannedMessage(
                    ticket.id, flow.seq, state.holder.platform, state.holder.name, _seconds(state.deadline - now)
                )
            case Approved():
                grant = self._keys.grant(ticket, state, flow.browser)
                return ApprovedMessage(
                    ticket.id, flow.seq, grant, state.code is not None, _seconds(state.deadline - now)
                )
            case Rejected(reason="policy"):
                return ExpiredMessage(ticket.id, flow.seq, renewed=False)
            case Rejected():
                return RejectedMessage(ticket.id, flow.seq, "code" if state.reason == "code" else "person")
            case Redeemed() | Superseded():
                return None
            case _:
                assert_never(state)

    def unheard(self, flow: Flow, heard: Heard, now: Instant) -> tuple[Message, ...]:
        """Return what the page has not heard yet, and note that it has now."""
        newest = self.newest(flow, now)
        if newest is None:
            return ()
        told: tuple[Message, ...] = ()
        former = flow.ticket(heard.ticket)
        if (
            former is not None
            and former.id not in (newest.ticket, heard.expired)
            and machine.has_expired(former, flow.current.issued_at)
        ):
            # The number between the two was left free for this (flow.renew).
            told = (ExpiredMessage(former.id, newest.seq - 1, renewed=True),)
        # A page that connects gives the message a new number; to those who have heard it, it is no news.
        if (newest.ticket, type(newest)) != (heard.ticket, heard.state):
            told = (*told, newest)
        heard.seq, heard.ticket, heard.state = newest.seq, newest.ticket, type(newest)
        if isinstance(newest, ExpiredMessage):
            heard.expired = newest.ticket
        return told

    def frames(self, ticket: Ticket, now: Instant) -> Frames:
        """Return every frame from now to the scan deadline, for the animated picture; none once scanned."""
        if not isinstance(ticket.state, Pending) or not machine.is_live(ticket, now):
            return Frames((), 0.0, 0.0, scanned=not _seems_over(ticket, now))
        key = self._keys.frame_key(ticket.purpose, ticket.id)
        first = frame.number_at(now - ticket.issued_at, self._policy.step)
        last = frame.number_at(ticket.state.deadline - 1 - ticket.issued_at, self._policy.step)
        texts = (frame.text(self._prefix, key, ticket.purpose, ticket.id, t) for t in range(first, last + 1))
        left = ticket.issued_at + (first + 1) * self._policy.step - now
        return Frames(tuple(texts), _seconds(left), _seconds(self._policy.step))

    def _shown(self, ticket: Ticket, state: Pending, seq: int, now: Instant) -> TicketMessage:
        return TicketMessage(
            ticket=ticket.id,
            seq=seq,
            purpose=ticket.purpose,
            prefix=self._prefix,
            key=base64url(self._keys.frame_key(ticket.purpose, ticket.id)),
            step=_seconds(self._policy.step),
            elapsed=_seconds(now - ticket.issued_at),
            expires_in=_seconds(state.deadline - now),
        )


def _seems_over(ticket: Ticket, now: Instant) -> bool:
    """Tell whether a ticket is said to have expired: one that policy ended is, since why is nobody's business."""
    state = ticket.state
    return machine.has_expired(ticket, now) or (isinstance(state, Rejected) and state.reason == "policy")


def _seconds(span: Millis) -> float:
    return max(0, span) / SECOND
