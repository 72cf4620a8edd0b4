"""The step ``face`` of a ticket, on the phone's side: a check was started, a check has passed (wire.md, 3 and 4).

Owns who may take the step, and what the ticket knows of it: our own reference of the newest check, and whether that one
has passed. What a check is about and what came of it is :mod:`bjidp.miniprogram.face_tickets`, which calls this.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from bjidp.clock import Instant
from bjidp.errors import AccountRefused
from bjidp.qrlogin import machine
from bjidp.qrlogin.changes import FlowChanges
from bjidp.qrlogin.errors import TicketUnknown
from bjidp.qrlogin.flow import Errand
from bjidp.qrlogin.keys import QrKeys
from bjidp.qrlogin.phones import Phone, require_holder, shaped
from bjidp.qrlogin.ticket import Scanned, Ticket, Verifying


class FaceStep(Struct, frozen=True):
    """A ticket that waits for its holder's face. ``reference`` is the newest check's, None before the first.

    ``mark`` is the one of the identity that it was made for; None for a device ticket, made for whoever scans it.
    """

    ticket: str
    account: str
    mark: str | None
    reference: str | None
    passed: bool


class FaceSteps:
    """Takes the step for a phone that holds the ticket.

    Every method raises :class:`TicketUnknown` for a ticket without that step too, ``ConfirmRefused``,
    ``AccountRefused``, ``TicketExpired`` and ``TicketClosed``, as ``confirm`` does.
    """

    def __init__(self, changes: FlowChanges, keys: QrKeys) -> None:
        """Change tickets by ``changes``; ``keys`` make confirm tokens."""
        self._changes = changes
        self._keys = keys

    async def at(self, phone: Phone, ticket_id: str, confirm_token: str) -> FaceStep:
        """Return where the step stands."""
        held = await self._changes.store.find(shaped(ticket_id))
        ticket = None if held is None else held.value.ticket(ticket_id)
        if held is None or ticket is None:
            raise TicketUnknown
        state = self._require(ticket, held.now, phone, confirm_token)
        # Whoever holds a device ticket is who confirms it; every other one says beforehand whose face it has to be.
        holder = (state.holder.account, None)
        account, mark = _errand(held.value.about.errand) if ticket.device is None else holder
        checked = state if isinstance(state, Verifying) else None
        return FaceStep(
            ticket=ticket.id,
            account=account,
            mark=mark,
            reference=None if checked is None else checked.reference,
            passed=checked is not None and checked.passed,
        )

    async def started(self, phone: Phone, ticket_id: str, confirm_token: str, reference: str) -> None:
        """Note that a check was opened under our ``reference``; it takes the place of an earlier one."""
        await self._note(
            phone, ticket_id, confirm_token, lambda ticket, now: machine.start_face(ticket, reference, now)
        )

    async def passed(self, phone: Phone, ticket_id: str, confirm_token: str, reference: str) -> None:
        """Note that this very check has passed; raise ``FacePending`` when another one was started meanwhile."""
        await self._note(phone, ticket_id, confirm_token, lambda ticket, now: machine.pass_face(ticket, reference, now))

    async def _note(
        self, phone: Phone, ticket_id: str, confirm_token: str, event: Callable[[Ticket, Instant], Ticket]
    ) -> None:
        def noted(ticket: Ticket, now: Instant) -> Ticket:
            self._require(ticket, now, phone, confirm_token)
            return event(ticket, now)

        await self._changes.on_ticket(shaped(ticket_id), noted, quiet=True)

    def _require(self, ticket: Ticket, now: Instant, phone: Phone, confirm_token: str) -> Scanned | Verifying:
        if "face" not in machine.steps(ticket):
            raise TicketUnknown
        require_holder(self._keys, ticket, phone, confirm_token)
        state = machine.require_open(ticket, now)
        if phone.refusal is not None:
            raise AccountRefused(phone.refusal)
        return state


def _errand(errand: Errand | None) -> tuple[str, str]:
    """Return the account of a face ticket and the mark of its identity, without which it was not made here."""
    if errand is None or errand.account is None or errand.mark is None:
        raise TicketUnknown
    return errand.account, errand.mark
