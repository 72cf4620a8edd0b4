"""Redeem: the one exchange of an approval for a session.

Called by ``web`` for ``POST /qr/redeem``. The approval is claimed by compare-and-set before the session is written,
so fifty parallel calls make one session (attack Q4); if the session cannot be written the claim is given back, so an
outage consumes nothing.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from msgspec import Struct

from bjidp.clock import Instant
from bjidp.entropy import Entropy, token
from bjidp.errors import AccountRefused, StoreUnavailable
from bjidp.qrlogin import ticket as machine
from bjidp.qrlogin.browser import Browser
from bjidp.qrlogin.browsers import Browsers
from bjidp.qrlogin.changes import FlowChanges
from bjidp.qrlogin.errors import AlreadySignedIn, BrowserUnknown, CodeWrong, TicketExpired, TicketUnknown
from bjidp.qrlogin.flow import Flow
from bjidp.qrlogin.keys import QrKeys
from bjidp.qrlogin.ticket import Approved, Computer, Holder, Ticket
from bjidp.records import Held
from bjidp.throttle.ports import Throttle, per_minute

REDEEM_BROWSER: Final = per_minute(60)
"""A page redeems once; a script that asks again and again reads every flow of its browser each time."""

log = structlog.get_logger(__name__)


class Redemption(Struct, frozen=True):
    """A claimed approval: whose it is, from which ticket and computer, and where the page goes."""

    holder: Holder
    ticket: str
    computer: Computer
    next: str


class Redeeming:
    """Exchanges grants."""

    def __init__(
        self, *, browsers: Browsers, changes: FlowChanges, throttle: Throttle, keys: QrKeys, entropy: Entropy
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._browsers = browsers
        self._changes = changes
        self._throttle = throttle
        self._keys = keys
        self._entropy = entropy

    async def redeem(
        self,
        secret: str | None,
        grant: str,
        code: str | None,
        *,
        signed_in: str | None,
        open_session: Callable[[Redemption], Awaitable[None]],
    ) -> Redemption:
        """Claim the approval behind ``grant``, let ``open_session`` write the session, kill the browser secret.

        ``signed_in`` is the account of a live session in this browser. Raises, having consumed nothing:
        :class:`TicketUnknown` for a grant that is unknown, foreign, used or expired, and for a browser that is (one
        and the same answer, attack Q22); :class:`AlreadySignedIn` when another account is logged in here (attack
        Q28); ``RateLimited``, counted by browser; ``StoreUnavailable``. Raises :class:`CodeWrong`, counted before it
        is compared, and ``AccountRefused`` from ``open_session``, upon which the ticket is dead.
        """
        try:
            browser = (await self._browsers.find(secret)).value
        except BrowserUnknown:
            raise TicketUnknown from None
        await self._throttle.hit(f"qr.redeem.browser:{browser.id}", REDEEM_BROWSER)
        held, approved = await self._granted(browser, grant)
        ticket = held.value.current
        if signed_in is not None and signed_in != approved.holder.account:
            raise AlreadySignedIn
        if approved.code is not None:
            await self._check_code(ticket, approved, code)
        claim = token(self._entropy, 128)
        try:
            # Quietly: a claim is nothing a page is told of. The end of the flow is, or the ticket's, below.
            flow = await self._changes.on_ticket(
                ticket.id,
                lambda found, now: machine.redeem(found, claim, now),
                # A try that was counted has changed the flow since.
                found=held if approved.code is None else None,
                quiet=True,
            )
        except (machine.InvalidTransition, TicketExpired):
            raise TicketUnknown from None
        redemption = Redemption(approved.holder, ticket.id, ticket.computer, flow.about.next)
        try:
            await open_session(redemption)
        except AccountRefused:
            await self._settle(ticket.id, lambda found, _: machine.refuse(found, claim))
            raise
        except StoreUnavailable:
            await self._settle(ticket.id, lambda found, _: machine.release(found, claim))
            raise
        try:
            await self._browsers.end(secret, browser)
        except StoreUnavailable:
            # The session exists and must be handed out; the secret dies with its record.
            log.warning("browser_record_left")
        return redemption

    async def _granted(self, browser: Browser, grant: str) -> tuple[Held[Flow], Approved]:
        presented = grant.encode("utf-8", "surrogatepass")
        for ref in browser.flows:
            held = await self._changes.store.read(ref.id)
            if held is None or held.value.ended:
                continue
            ticket = held.value.current
            if isinstance(ticket.state, Approved) and machine.is_live(ticket, held.now):
                own = self._keys.grant(ticket, ticket.state, browser.id)
                if hmac.compare_digest(own.encode("ascii"), presented):
                    return held, ticket.state
        raise TicketUnknown

    async def _check_code(self, ticket: Ticket, approved: Approved, code: str | None) -> None:
        if code is None:
            raise CodeWrong(approved.tries_left)
        try:
            flow = await self._changes.on_ticket(ticket.id, machine.count_try)
        except (machine.InvalidTransition, TicketExpired):
            raise TicketUnknown from None
        counted = flow.current.state
        if not isinstance(counted, Approved) or counted.code is None:
            raise TicketUnknown
        # As bytes: the comparison in constant time takes no text beyond ASCII, and a form may send any.
        if hmac.compare_digest(counted.code.encode("ascii"), code.encode("utf-8", "surrogatepass")):
            return
        if counted.tries_left == 0:
            await self._settle(ticket.id, machine.exhaust)
        raise CodeWrong(counted.tries_left)

    async def _settle(self, ticket_id: str, event: Callable[[Ticket, Instant], Ticket]) -> None:
        try:
            await self._changes.on_ticket(ticket_id, event)
        except (StoreUnavailable, machine.InvalidTransition, TicketUnknown, TicketExpired):
            # What is left of the ticket dies at its deadline; the caller's own error is the one to report.
            log.warning("ticket_left_to_expire")
