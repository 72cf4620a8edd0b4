"""The phone's side of the QR channel: scan, confirm, reject.

Called by ``web`` for the mini-program's calls, with a caller whose token was checked there. The account comes from
the phone's session and from nothing in the body (attack Q9). The order of the checks is that of wire.md, section 3;
none of them changes the ticket.
"""

from __future__ import annotations

import hmac
from typing import Protocol, assert_never

from msgspec import UNSET, Struct

from bjidp.clock import SECOND, Instant, Millis, rfc3339
from bjidp.entropy import Entropy, digits
from bjidp.errors import AccountRefused, RateLimited
from bjidp.qrlogin import frame, machine
from bjidp.qrlogin.changes import FlowChanges
from bjidp.qrlogin.errors import ConfirmRefused, FrameStale, SceneRefused, TicketTaken, TicketUnknown
from bjidp.qrlogin.flow import Flow, Purposeful
from bjidp.qrlogin.frame import Frame
from bjidp.qrlogin.keys import QrKeys
from bjidp.qrlogin.policy import Purpose, QrPolicy, ReverseCode
from bjidp.qrlogin.ports import Accounts
from bjidp.qrlogin.refusals import Refusals, Refused
from bjidp.qrlogin.ticket import Approved, Area, Device, Holder, Pending, Scanned, Ticket, Verifying
from bjidp.qrlogin.wire import ClientFacts, ConfirmAnswer, RejectAnswer, RequestFacts, ScanAnswer
from bjidp.records import Held
from bjidp.sessions.authentication import Authenticated
from bjidp.standing import Level, require_settled
from bjidp.throttle.ports import Throttle, per_minute

MISSES = per_minute(10)
"""Wrong MACs and unknown tickets an account may present (attack Q7)."""


class Phone(Struct, frozen=True):
    """Who calls: the account and the link of the phone's session, and what the server sees of the phone.

    ``account_ref`` is the account's reference for the audit log; ``refusal`` is why the account may not log in at this
    moment, or None; ``area`` is where the call comes from; ``epoch`` is one of the account's that the phone's session
    was alive in; ``level`` is the account's.
    """

    holder: Holder
    account_ref: str
    refusal: str | None
    area: Area | None
    epoch: int
    level: Level = Level.L1


class Agree(Protocol):
    """Keeps what somebody lets the site of a device read."""

    async def __call__(self, account: str, device: Device) -> None:
        """Keep it; what was kept before is as good. Raises ``StoreUnavailable``."""
        ...


class QrPhones:
    """Use cases of a phone that is logged in to the mini-program."""

    def __init__(
        self,
        *,
        changes: FlowChanges,
        accounts: Accounts,
        throttle: Throttle,
        refusals: Refusals,
        keys: QrKeys,
        policy: QrPolicy,
        entropy: Entropy,
        agree: Agree,
        prefix: str,
    ) -> None:
        """``prefix`` is what every QR text begins with; ``agree`` is told of devices before they are confirmed."""
        self._changes = changes
        self._accounts = accounts
        self._throttle = throttle
        self._refusals = refusals
        self._keys = keys
        self._policy = policy
        self._entropy = entropy
        self._agree = agree
        self._prefix = prefix

    async def scan(self, phone: Phone, text: str, scene: int) -> ScanAnswer:
        """Claim the ticket shown, or answer its holder again with a fresh confirm token.

        Raises, in this order: ``RateLimited``, :class:`SceneRefused`, :class:`TicketUnknown`, :class:`TicketExpired`,
        :class:`TicketClosed`, :class:`FrameStale`, ``AccountRefused`` (for a verify or a face ticket also to every
        account but its own, attack B5, and to a link under probation; for a device ticket to an account below the level
        it asks for), ``TokenInvalid`` (to a link that is gone),
        :class:`TicketTaken`.
        """
        misses = f"qr.misses:{phone.holder.account}"
        if await self._throttle.peek(misses, MISSES) >= MISSES.limit:
            raise RateLimited(MISSES.span // SECOND)
        window = self._policy.frame_window(phone.holder.platform, scene)
        if window is None:
            raise SceneRefused
        shown, ticket, held = await self._shown(misses, text)
        now, about = held.now, held.value.about
        self._check_scannable(phone, about, shown, ticket, now, window)
        if about.errand is not None:
            # The link is as old as its session: none that confirms has come under probation since it scanned.
            require_settled(await self._accounts.link(phone.holder.link), now)
        ever, here = await self._accounts.networks(phone.holder.account, ticket.computer.networks)
        mismatch = _mismatch(ticket.computer.area, phone.area)
        code_required = await self._code_required(ticket, mismatch=mismatch, stranger=ever and not here)

        def claim(found: Ticket, at: Instant) -> Ticket:
            nonlocal now
            now = at
            self._check_scannable(phone, about, shown, found, at, window)
            return machine.scan(found, phone.holder, self._policy, at, code_required=code_required)

        flow = await self._changes.on_ticket(ticket.id, claim, found=held)
        state = flow.current.state
        if not isinstance(state, Scanned | Verifying):
            raise TicketTaken
        return ScanAnswer(
            ticket=ticket.id,
            purpose=ticket.purpose,
            confirm_token=self._keys.confirm_token(ticket, phone.holder, state.scans),
            expires_in=max(0, state.deadline - now) / SECOND,
            steps=machine.steps(ticket),
            request=self._facts(flow, ticket, now, mismatch=mismatch, seen=here),
            user_code=UNSET if ticket.device is None else ticket.device.user_code,
        )

    async def confirm(
        self, phone: Phone, ticket_id: str, confirm_token: str, authenticated: Authenticated | None = None
    ) -> ConfirmAnswer:
        """Approve the login on the page; ``authenticated`` is given for somebody on a page, in the place of a phone.

        Raises :class:`TicketUnknown`, :class:`ConfirmRefused`, :class:`TicketExpired`, ``AccountRefused``,
        :class:`FacePending`; and :class:`TicketClosed` with the first answer when this very confirm was
        heard before.
        """
        agreed = False

        def approve(ticket: Ticket, now: Instant) -> Ticket:
            require_holder(self._keys, ticket, phone, confirm_token)
            state = ticket.state
            if isinstance(state, Scanned | Verifying) and now < state.deadline:
                require_admitted(phone, ticket)
            needs_code = isinstance(state, Scanned | Verifying) and state.code_required
            code = digits(self._entropy, 2) if needs_code else None
            approved = machine.confirm(
                ticket, self._policy, now, code=code, epoch=phone.epoch, authenticated=authenticated
            )
            if ticket.device is not None and not agreed:
                raise _AgreementFirst(ticket.device)
            return approved

        try:
            flow = await self._changes.on_ticket(shaped(ticket_id), approve)
        except _AgreementFirst as first:
            # Not after: a device that asks in between would find that nobody lets it read anything.
            await self._agree(phone.holder.account, first.device)
            agreed = True
            flow = await self._changes.on_ticket(ticket_id, approve)
        approved = flow.current.state
        if not isinstance(approved, Approved):
            raise TicketUnknown
        return ConfirmAnswer("approved", approved.code)

    async def reject(self, phone: Phone, ticket_id: str, confirm_token: str, *, report: bool) -> RejectAnswer:
        """Refuse the login; final, and audited. ``report`` counts against the computer's network, once.

        What is written down after the refusal cannot take it back: a store that is away then costs a line in the
        log, not the person's answer. Raises as :meth:`confirm` does, but an account that may not log in may refuse.
        """

        def refuse(ticket: Ticket, now: Instant) -> Ticket:
            require_holder(self._keys, ticket, phone, confirm_token)
            return machine.reject(ticket, now)

        flow = await self._changes.on_ticket(shaped(ticket_id), refuse)
        now = await self._changes.store.now()
        refused = Refused.of(flow, flow.current)
        await self._refusals.note(phone.holder, phone.account_ref, refused, now, report=report)
        return RejectAnswer("rejected")

    async def _shown(self, misses: str, text: str) -> tuple[Frame | str, Ticket, Held[Flow]]:
        shown = frame.read(self._prefix, text)
        found = None if shown is None else await self._genuine(shown)
        if shown is None or found is None:
            await self._throttle.hit(misses, MISSES)
            raise TicketUnknown
        return shown, *found

    async def _genuine(self, shown: Frame | str) -> tuple[Ticket, Held[Flow]] | None:
        ticket_id = shown.ticket if isinstance(shown, Frame) else shown
        held = await self._changes.store.find(ticket_id)
        ticket = None if held is None else held.value.ticket(ticket_id)
        # A device that cannot draw frames shows its ticket as it is; of any other ticket that names nothing.
        plain = ticket is not None and ticket.device is not None and not ticket.device.frames
        if not isinstance(shown, Frame):
            return None if held is None or ticket is None or not plain else (ticket, held)
        # The MAC is computed for an unknown ticket too, so that it takes as long to refuse (attack Q22).
        purpose = Purpose.LOGIN if ticket is None else ticket.purpose
        genuine = frame.is_genuine(shown, self._keys.frame_key(purpose, shown.ticket), purpose)
        return None if held is None or ticket is None or plain or not genuine else (ticket, held)

    def _check_scannable(
        self, phone: Phone, about: Purposeful, shown: Frame | str, ticket: Ticket, now: Instant, window: Millis
    ) -> None:
        machine.check_scannable(ticket, now)
        if (
            isinstance(shown, Frame)
            and not machine.held_by(ticket, phone.holder.account)
            and not frame.is_fresh(shown, ticket.issued_at, now, step=self._policy.step, window=window)
        ):
            raise FrameStale
        require_admitted(phone, ticket)
        if about.errand is not None and about.errand.account != phone.holder.account:
            raise AccountRefused("other_account")
        if not isinstance(ticket.state, Pending) and not machine.held_by(ticket, phone.holder.account):
            raise TicketTaken

    async def _code_required(self, ticket: Ticket, *, mismatch: bool | None, stranger: bool) -> bool:
        if ticket.device is not None:
            # A device has nothing to type digits on: the person compares its code with the phone's instead.
            return False
        match self._policy.reverse_code:
            case ReverseCode.NEVER:
                return False
            case ReverseCode.ALWAYS:
                return True
            case ReverseCode.MISMATCH:
                if mismatch or (mismatch is None and stranger):
                    return True
                return await self._refusals.reported(ticket.computer.network) >= self._policy.reports_until_code
            case _:
                assert_never(self._policy.reverse_code)

    def _facts(self, flow: Flow, ticket: Ticket, now: Instant, *, mismatch: bool | None, seen: bool) -> RequestFacts:
        computer = ticket.computer
        return RequestFacts(
            client=ClientFacts(flow.about.client.name, flow.about.client.domain),
            action=flow.about.action,
            requested_at=rfc3339(ticket.issued_at),
            age=(now - ticket.issued_at) // SECOND,
            browser=computer.browser,
            os=computer.os,
            ip_area=None if computer.area is None else computer.area.label,
            location_mismatch=mismatch,
            ip_seen_before=seen,
            session_lifetime=self._lifetime(ticket) // SECOND,
            reads=UNSET if ticket.device is None else ticket.device.scopes,
        )

    def _lifetime(self, ticket: Ticket) -> Millis:
        if ticket.device is not None:
            return ticket.device.lifetime
        return self._policy.session if ticket.purpose is Purpose.LOGIN else 0


class _AgreementFirst(Exception):
    """What the site of ``device`` may read has to be kept before the confirmation, which could be written now."""

    def __init__(self, device: Device) -> None:
        super().__init__()
        self.device = device


def require_admitted(phone: Phone, ticket: Ticket) -> None:
    """Raise ``AccountRefused`` where policy refuses the account for this ticket at this moment (attack Q21)."""
    if phone.refusal is not None:
        raise AccountRefused(phone.refusal)
    if ticket.device is not None and phone.level < ticket.device.level:
        raise AccountRefused("level", ticket.device.level.name)


def require_holder(keys: QrKeys, ticket: Ticket, phone: Phone, presented: str) -> None:
    """Raise :class:`ConfirmRefused` unless the phone scanned the ticket last, and ``presented`` is what it got then."""
    found = machine.scanner(ticket)
    if found is None:
        raise ConfirmRefused
    holder, scans = found
    own = keys.confirm_token(ticket, holder, scans).encode("ascii")
    genuine = hmac.compare_digest(own, presented.encode("utf-8", "surrogatepass"))
    # The token is bound to account and platform link already; the caller must be both (attack Q12).
    if not genuine or (holder.account, holder.link) != (phone.holder.account, phone.holder.link):
        raise ConfirmRefused


def _mismatch(computer: Area | None, phone: Area | None) -> bool | None:
    return None if computer is None or phone is None else computer.region != phone.region


def shaped(ticket_id: str) -> str:
    """Return what may be a ticket's id; raise :class:`TicketUnknown` for what is none."""
    if not frame.is_ticket_id(ticket_id):
        raise TicketUnknown
    return ticket_id
