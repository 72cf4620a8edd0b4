"""A device's code, typed on a page by somebody who is logged in (RFC 8628, section 3.3).

Owns which code leads to which request, for whom, and how often one may be typed. Typing one takes the ticket as a scan
does, for the session that did: another account or session is told what an unknown code is told, and so is whoever comes
too late. What may be confirmed and refused from there on is what a phone may. Called by the page of the user code.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from bjidp.clock import HOUR, Instant
from bjidp.errors import FieldFault, InvalidRequest
from bjidp.oidc.devices import user_code
from bjidp.oidc.devices.asking import UserCode, key_of
from bjidp.oidc.scopes import Scope, known
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.qrlogin import machine
from bjidp.qrlogin.devices import DeviceTickets
from bjidp.qrlogin.errors import ConfirmRefused, TicketClosed, TicketExpired, TicketTaken, TicketUnknown
from bjidp.qrlogin.flow import Client
from bjidp.qrlogin.phones import Phone, QrPhones, require_admitted
from bjidp.qrlogin.ticket import Computer, Device
from bjidp.records import Records
from bjidp.sessions.authentication import Authenticated
from bjidp.throttle.ports import Throttle, Window, per_minute
from bjidp.throttle.source import Source

NO_PHONE: Final = ""
"""The platform of whoever decides on a page."""

TRIES: Final = (per_minute(5), Window(30, HOUR))
"""Codes that one account may type, right ones too: counted before it is looked, so that many at once are no way around
it (attack O4). Of the 20^8 codes there are, an account tries thirty an hour."""

TRIES_ADDRESS: Final = (per_minute(60), Window(600, HOUR))
"""Codes typed from one address, whatever accounts are behind it."""

_OVER: Final = (TicketUnknown, TicketExpired, TicketClosed, TicketTaken, ConfirmRefused)


class PhoneNeeded(Exception):
    """The device asks for more than a page can prove: a face, in front of the phone that scans its code."""


class Asking(Struct, frozen=True):
    """What somebody is asked to agree to, in the order of trust: what was registered, then what the server saw."""

    ticket: str
    confirm_token: str
    client: Client
    device: Device
    computer: Computer
    asked_at: Instant

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """What the client may read then."""
        return known(self.device.scopes)


class DeviceDeciding:
    """Finds requests by their user codes, and takes what is said to them.

    ``person`` is whoever is logged in: a holder whose link is their session, on no platform.
    """

    def __init__(
        self,
        *,
        tickets: DeviceTickets,
        user_codes: Records[UserCode],
        phones: QrPhones,
        pseudonyms: Pseudonyms,
        throttle: Throttle,
    ) -> None:
        """What is decided goes by ``phones``, as from a phone."""
        self._tickets = tickets
        self._user_codes = user_codes
        self._phones = phones
        self._pseudonyms = pseudonyms
        self._throttle = throttle

    async def find(self, person: Phone, typed: str, source: Source) -> str:
        """Take the ticket behind a code for ``person``; return the ticket's id.

        Raises ``RateLimited``; :class:`InvalidRequest` with the field ``user_code`` for every code that leads nowhere,
        in one and the same way (attack Q22); ``AccountRefused`` and :class:`PhoneNeeded`, which change nothing.
        """
        await source.hit(self._throttle, "device.typed.address", *TRIES_ADDRESS)
        await self._throttle.hit(f"device.typed:{person.holder.account}", *TRIES)
        read = user_code.read(typed)
        held = None if read is None else await self._user_codes.get(key_of(self._pseudonyms, read))
        seen = None if held is None else await self._tickets.find(held.value.flow)
        if seen is None:
            raise _wrong()
        try:
            machine.check_scannable(seen.ticket, seen.now)
            require_admitted(person, seen.ticket)
            if seen.device.face:
                raise PhoneNeeded
            await self._tickets.take(seen, person.holder)
        except _OVER:
            raise _wrong() from None
        return seen.ticket.id

    async def look(self, person: Phone, ticket_id: str) -> Asking:
        """Return what a ticket asks that ``person`` has taken by :meth:`find`; raise :class:`InvalidRequest`."""
        try:
            seen, client, confirm_token = await self._tickets.taken(ticket_id, person.holder)
        except _OVER:
            raise _over() from None
        return Asking(ticket_id, confirm_token, client, seen.device, seen.ticket.computer, seen.ticket.issued_at)

    async def agree(self, person: Phone, ticket_id: str, confirm_token: str, how: Authenticated) -> None:
        """Confirm; raise :class:`InvalidRequest` when it is too late, and ``AccountRefused``.

        ``how`` is what the device's site is told of how ``person`` had proved who they are.
        """
        try:
            await self._phones.confirm(person, ticket_id, confirm_token, how)
        except TicketClosed as closed:
            # Pressed twice.
            if closed.status != "approved":
                raise _over() from None
        except _OVER:
            raise _over() from None

    async def refuse(self, person: Phone, ticket_id: str, confirm_token: str) -> None:
        """Refuse; raise :class:`InvalidRequest` when it is too late."""
        try:
            await self._phones.reject(person, ticket_id, confirm_token, report=False)
        except TicketClosed as closed:
            if closed.status != "rejected":
                raise _over() from None
        except _OVER:
            raise _over() from None


def _wrong() -> InvalidRequest:
    return InvalidRequest(FieldFault("user_code", "wrong"))


def _over() -> InvalidRequest:
    return InvalidRequest(FieldFault("user_code", "over"))
