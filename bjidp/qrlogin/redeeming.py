"""Redeem: the one exchange of an approval for what its ticket is for, a session, a proof or a level.

Called by ``web`` for ``POST /qr/redeem``. The approval is claimed by compare-and-set before the session is written,
so fifty parallel calls make one session (attack Q4); if the session cannot be written the claim is given back, so an
outage consumes nothing. A level is written first, since it is the same however often that is done. Which of them a
ticket is good for was fixed when its page was opened: no call chooses it (attack Q18).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Final, Protocol, assert_never

import structlog
from msgspec import Struct

from bjidp.clock import Instant
from bjidp.entropy import Entropy, token
from bjidp.errors import AccountRefused, StoreUnavailable
from bjidp.qrlogin import flow as flows
from bjidp.qrlogin import machine
from bjidp.qrlogin.browser import Browser
from bjidp.qrlogin.browsers import Browsers
from bjidp.qrlogin.changes import FlowChanges
from bjidp.qrlogin.errors import AlreadySignedIn, BrowserUnknown, CodeWrong, TicketExpired, TicketUnknown
from bjidp.qrlogin.flow import Errand, Flow, Purposeful
from bjidp.qrlogin.keys import QrKeys
from bjidp.qrlogin.policy import Purpose
from bjidp.qrlogin.ticket import Approved, Computer, Holder, Redeemed, Ticket
from bjidp.records import Held
from bjidp.sessions.ports import Session
from bjidp.throttle.ports import Throttle, per_minute

REDEEM_BROWSER: Final = per_minute(60)
"""A page redeems once; a script that asks again and again reads every flow of its browser each time."""

log = structlog.get_logger(__name__)


class Redemption(Struct, frozen=True):
    """A claimed approval: whose it is, from which ticket and computer, and where the page goes.

    ``asker`` is who is given the proof of a verify ticket: the session that asks, or the browser. ``epoch`` is the
    account's that the phone confirmed in: what is given for it is given in that one alone. ``evidence`` is our
    reference of the face check that passed, exactly for a face ticket.
    """

    holder: Holder
    ticket: str
    computer: Computer
    next: str
    asker: str
    epoch: int
    errand: Errand | None = None
    evidence: str | None = None


class Exchange(Protocol):
    """What an approval is exchanged for."""

    async def give(self, redemption: Redemption) -> None:
        """Write it; raise, with nothing written, ``AccountRefused``, ``StoreUnavailable`` or :class:`TicketUnknown`.

        The last is for a confirmation that is worth nothing any more: sessions of its account were ended since. For a
        face ticket it may be called several times, at once too, which has to come to the same.
        """
        ...

    async def take_back(self, redemption: Redemption) -> None:
        """Undo :meth:`give`, as far as nobody else has: the person has said meanwhile that it was not them."""
        ...


class Redeeming:
    """Exchanges grants."""

    def __init__(
        self,
        *,
        browsers: Browsers,
        changes: FlowChanges,
        proving: Exchange,
        faces: Exchange,
        throttle: Throttle,
        keys: QrKeys,
        entropy: Entropy,
    ) -> None:
        """``proving`` is what verify tickets are exchanged with, ``faces`` face tickets; ``bootstrap`` wires them."""
        self._browsers = browsers
        self._proving = proving
        self._faces = faces
        self._changes = changes
        self._throttle = throttle
        self._keys = keys
        self._entropy = entropy

    async def redeem(
        self, secret: str | None, grant: str, code: str | None, *, signed_in: Session | None, login: Exchange
    ) -> Redemption:
        """Claim the approval behind ``grant`` and exchange it; a login kills the browser secret.

        ``signed_in`` is the live session in this browser, ``login`` what the approval of a login is exchanged with.
        Raises, having consumed nothing: :class:`TicketUnknown` for a grant that is unknown, foreign, used or expired,
        and for a browser or a session that is (one and the same answer, attack Q22); :class:`AlreadySignedIn` when
        another account is logged in here (attack Q28); ``RateLimited``, counted by browser; ``StoreUnavailable``.
        Raises :class:`CodeWrong`, counted before it is compared, and ``AccountRefused`` from the exchange, upon which
        the ticket is dead; and :class:`TicketUnknown` too when the person took the confirmation back meanwhile, or
        ended sessions of the account: a password that was changed, a phone that was logged out (attack P7).
        """
        try:
            browser = (await self._browsers.find(secret)).value
        except BrowserUnknown:
            raise TicketUnknown from None
        await self._throttle.hit(f"qr.redeem.browser:{browser.id}", REDEEM_BROWSER)
        held, approved = await self._granted(browser, grant)
        ticket, about = held.value.current, held.value.about
        exchange = self._exchange(about, approved, signed_in, login)
        if approved.code is not None:
            await self._check_code(ticket, approved, code)
        claim = token(self._entropy, 128)
        asker = about.errand.session if about.errand is not None else None
        redemption = Redemption(
            holder=approved.holder,
            ticket=ticket.id,
            computer=ticket.computer,
            next=about.next,
            asker=asker or browser.id,
            epoch=approved.epoch,
            errand=about.errand,
            evidence=approved.evidence,
        )
        if about.purpose is Purpose.FACE:
            # What a face is exchanged for is given once, however often: so it is given before the claim, and a crash
            # between the two leaves the approval to be redeemed again. Nobody is before a camera a second time.
            await self._give(exchange, redemption, claim, claimed=False)
            await self._claim(ticket.id, claim)
        else:
            # A try that was counted has changed the flow since.
            await self._claim(ticket.id, claim, found=held if approved.code is None else None)
            await self._give(exchange, redemption, claim, claimed=True)
        if self._withdrawn(ticket.id, await self._ended(held.value, secret, browser)):
            await exchange.take_back(redemption)
            raise TicketUnknown
        return redemption

    async def take_back(self, redemption: Redemption) -> None:
        """Take what came of an errand back, as far as it can be, since what has to go with it could not be done."""
        await (self._proving if redemption.evidence is None else self._faces).take_back(redemption)

    async def _claim(self, ticket_id: str, claim: str, found: Held[Flow] | None = None) -> None:
        """Claim the approval; raise :class:`TicketUnknown` when it is none any more, or another call was faster."""
        try:
            # Quietly: a claim is nothing a page is told of. The end of the flow is, or the ticket's.
            await self._changes.on_ticket(
                ticket_id, lambda ticket, now: machine.redeem(ticket, claim, now), found=found, quiet=True
            )
        except (machine.InvalidTransition, TicketExpired):
            raise TicketUnknown from None

    async def _give(self, exchange: Exchange, redemption: Redemption, claim: str, *, claimed: bool) -> None:
        """Exchange; end the ticket where that is refused, and take the claim back where a store is down."""

        def held(ticket: Ticket, now: Instant) -> Ticket:
            return ticket if claimed else machine.redeem(ticket, claim, now)

        try:
            await exchange.give(redemption)
        except (AccountRefused, TicketUnknown):
            await self._settle(redemption.ticket, lambda ticket, now: machine.refuse(held(ticket, now), claim))
            raise
        except StoreUnavailable:
            await self._settle(redemption.ticket, lambda ticket, now: machine.release(held(ticket, now), claim))
            raise

    def _exchange(self, about: Purposeful, approved: Approved, signed_in: Session | None, login: Exchange) -> Exchange:
        errand = about.errand
        match about.purpose:
            case Purpose.LOGIN:
                if signed_in is not None and signed_in.account != approved.holder.account:
                    raise AlreadySignedIn
                return login
            case Purpose.VERIFY | Purpose.FACE:
                # Nobody but the account can have confirmed it, and nobody but who asked for it may use it.
                asks = None if signed_in is None else signed_in.id
                if errand is None or errand.session != asks or errand.account != approved.holder.account:
                    raise TicketUnknown
                return self._proving if about.purpose is Purpose.VERIFY else self._faces
            case Purpose.DEVICE:
                raise TicketUnknown
            case _:
                assert_never(about.purpose)

    async def _ended(self, flow: Flow, secret: str | None, browser: Browser) -> list[Flow]:
        """End the flow that was redeemed; a login ends the browser record, and with it every flow of it."""
        try:
            if flow.about.purpose is Purpose.LOGIN:
                return await self._browsers.end(secret, browser)
            ended = await self._changes.on_flow(flow.id, lambda held: flows.close(held.value))
        except StoreUnavailable:
            # The session exists and must be handed out; the secret dies with its record.
            log.warning("browser_record_left")
            return []
        return [] if ended is None else [ended]

    @staticmethod
    def _withdrawn(ticket_id: str, ended: list[Flow]) -> bool:
        """Tell whether the claim is none any more: it was seen when the flow was ended, after the exchange."""
        found = (flow.ticket(ticket_id) for flow in ended)
        return any(ticket is not None and not isinstance(ticket.state, Redeemed) for ticket in found)

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
