"""A browser, phones and the QR services over memory stores, with a clock that tests move."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from bjidp.accounts.ports import Link
from bjidp.audit.event import AuditEvent
from bjidp.clock import HOUR, SECOND, Instant, ManualClock, Millis
from bjidp.entropy import SeededEntropy
from bjidp.errors import StoreUnavailable
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.qrlogin import frame
from bjidp.qrlogin.browser import Browser
from bjidp.qrlogin.browsers import Browsers, OpenedPage
from bjidp.qrlogin.changes import FlowChanges
from bjidp.qrlogin.errands import Errands, OpenFlows, Proving
from bjidp.qrlogin.errors import TicketUnknown
from bjidp.qrlogin.face_steps import FaceSteps
from bjidp.qrlogin.flow import Flow, Purposeful
from bjidp.qrlogin.keys import QrKeys
from bjidp.qrlogin.messages import Messages
from bjidp.qrlogin.pages import Entry, QrPages, Visitor, Watch
from bjidp.qrlogin.phones import Phone, QrPhones
from bjidp.qrlogin.policy import QrPolicy, ReverseCode
from bjidp.qrlogin.ports import TicketStore
from bjidp.qrlogin.redeeming import Redeeming, Redemption
from bjidp.qrlogin.refusals import Refusals
from bjidp.qrlogin.ticket import Area, Device, Holder, State, Ticket
from bjidp.qrlogin.undoing import Undoing
from bjidp.qrlogin.wire import ApprovedMessage, ScanAnswer
from bjidp.records import Held
from bjidp.secret import Secret
from bjidp.sessions.ports import ConfirmationOver, Login, Session, SessionEnd, Way
from bjidp.sessions.service import Sessions
from bjidp.standing import Level, Standing, Status
from bjidp.storage.memory.records import MemoryRecords
from bjidp.storage.memory.signals import MemorySignalBus
from bjidp.storage.memory.throttle import MemoryThrottle
from bjidp.storage.memory.tickets import MemoryTicketStore
from bjidp.throttle.source import Source
from bjidp.verification.proofs import Proof, Proofs
from tests.support.phones import keyring
from tests.support.qr import BEIJING, COMPUTER, LOGIN, OFFICE, ZHANG
from tests.support.session_rows import SessionRows

PREFIX = "http://127.0.0.1:8080/q/"
CAMERA = 0


class PoliteStore:
    """A ticket store that lets everybody else go first at every call, so that races happen in one process too."""

    def __init__(self, store: TicketStore) -> None:
        self._store = store

    async def now(self) -> Instant:
        await asyncio.sleep(0)
        return await self._store.now()

    async def add(self, flow: Flow, lifetime: Millis) -> None:
        await asyncio.sleep(0)
        await self._store.add(flow, lifetime)

    async def read(self, flow_id: str) -> Held[Flow] | None:
        await asyncio.sleep(0)
        return await self._store.read(flow_id)

    async def find(self, ticket_id: str) -> Held[Flow] | None:
        await asyncio.sleep(0)
        return await self._store.find(ticket_id)

    async def replace(self, flow: Flow, expected: int, lifetime: Millis, *, before: Instant | None = None) -> int:
        await asyncio.sleep(0)
        return await self._store.replace(flow, expected, lifetime, before=before)


class KnownAccounts:
    """Accounts: what they logged in from before, how they stand, and which links are on probation or gone."""

    def __init__(self) -> None:
        self.seen: set[tuple[str, bytes]] = set()
        self.statuses: dict[str, Status] = {}
        self.epochs: dict[str, int] = {}
        self.probation: dict[str, Instant] = {}
        self.unlinked: set[str] = set()

    async def standing(self, account: str) -> Standing | None:
        status, epoch = self.statuses.get(account, Status.ACTIVE), self.epochs.get(account, 0)
        return Standing(account, f"ref-{account}", status, "张**", Level.L3, epoch)

    async def link(self, link: str) -> Link | None:
        until = self.probation.get(link)
        return None if link in self.unlinked else Link(link, "", face_checked_at=0, valid_days=0, probation_until=until)

    async def networks(self, account: str, network: Sequence[bytes]) -> tuple[bool, bool]:
        own = {known for holder, known in self.seen if holder == account}
        return bool(own), not own.isdisjoint(network)


class Notebook:
    """An audit log that keeps what it is told, unless it is out of ink."""

    def __init__(self) -> None:
        self.events: list[AuditEvent] = []
        self.down = False

    async def append(self, event: AuditEvent) -> None:
        if self.down:
            raise StoreUnavailable
        self.events.append(event)


class Desk:
    """One browser and the services it and the phones speak to."""

    def __init__(self, clock: ManualClock, entropy: SeededEntropy, policy: QrPolicy | None = None) -> None:
        self.clock = clock
        self.policy = policy or QrPolicy(reverse_code=ReverseCode.NEVER)
        self.store = PoliteStore(MemoryTicketStore(clock))
        self.bus = MemorySignalBus()
        self.throttle = MemoryThrottle(clock)
        self.accounts = KnownAccounts()
        self.audit = Notebook()
        self.keys = QrKeys(Secret(b"k" * 32))
        self.changes = FlowChanges(self.store, self.bus)
        self.browsers = Browsers(MemoryRecords[Browser](clock), self.changes, self.policy, entropy)
        self.messages = Messages(self.keys, self.policy, PREFIX)
        self.pages = QrPages(
            browsers=self.browsers,
            changes=self.changes,
            bus=self.bus,
            throttle=self.throttle,
            messages=self.messages,
            policy=self.policy,
            entropy=entropy,
        )
        refusals = Refusals(self.audit, self.throttle, ticket_digest)
        self.phones = QrPhones(
            changes=self.changes,
            accounts=self.accounts,
            throttle=self.throttle,
            refusals=refusals,
            keys=self.keys,
            policy=self.policy,
            entropy=entropy,
            agree=self._agree,
            prefix=PREFIX,
        )
        self.face_steps = FaceSteps(self.changes, self.keys)
        self.errands = Errands(self.browsers, self.changes, MemoryRecords[OpenFlows](clock))
        self.session_rows = SessionRows()
        self.sessions = Sessions(self.session_rows, clock, entropy, 12 * HOUR, self.errands)
        self.proofs = Proofs(MemoryRecords[Proof](clock), Pseudonyms(keyring()))
        self.faces = Showing()
        self.redeeming = Redeeming(
            browsers=self.browsers,
            changes=self.changes,
            proving=Proving(self.proofs, self.accounts, self.sessions, ticket_digest),
            faces=self.faces,
            throttle=self.throttle,
            keys=self.keys,
            entropy=entropy,
        )
        self.undoing = Undoing(
            changes=self.changes,
            sessions=self.sessions,
            proofs=self.proofs,
            refusals=refusals,
            ticket_digests=lambda ticket: (b"under a new key", ticket_digest(ticket)),
            put_out=lambda account: self.sessions.end_others(account, None, SessionEnd.NOT_ME),
            end_devices=self._end_devices,
        )
        self.devices: dict[str, set[bytes]] = {}
        """What devices were given: by the account, the digests of the tickets it came of."""
        self.agreed: list[tuple[str, Device]] = []
        """What sites of devices may read: whose account, and by what the device asked for."""
        self.secret: str | None = None
        self.logins: list[Redemption] = []

    async def _end_devices(self, account: str, tickets: Sequence[bytes]) -> int:
        known = self.devices.get(account, set())
        ended = known & set(tickets)
        known -= ended
        return len(ended)

    async def _agree(self, account: str, device: Device) -> None:
        self.agreed.append((account, device))

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(seconds)

    async def navigate(self, about: Purposeful = LOGIN) -> OpenedPage:
        """Open a page with a QR in the browser; its cookie changes."""
        opened = await self.errands.open_page(self.secret, about)
        self.secret = opened.secret
        return opened

    async def entry(self, flow: str | None = None, *, visitor: Visitor | None = None) -> Entry:
        """Show the cookie at the door of the channel."""
        return await self.pages.enter(self.secret, flow, visitor or Visitor(COMPUTER, Source(None)))

    async def page(self, about: Purposeful = LOGIN) -> Watch:
        """Open a page and let its socket watch."""
        opened = await self.navigate(about)
        return await self.pages.connect(await self.entry(opened.flow))

    async def flow(self, watch: Watch) -> Flow:
        """Return a page's flow as it stands."""
        held = await self.store.read(watch.flow)
        assert held is not None
        return held.value

    async def ticket(self, watch: Watch) -> Ticket:
        """Return the ticket that counts."""
        return (await self.flow(watch)).current

    async def state(self, watch: Watch) -> State:
        """Return the state of the ticket that counts."""
        return (await self.ticket(watch)).state

    def frame(self, ticket: Ticket, *, behind: float = 0) -> str:
        """Return the QR text a screen showed ``behind`` seconds ago."""
        t = frame.number_at(self.clock.now() - ticket.issued_at - round(behind * SECOND), self.policy.step)
        return frame.text(PREFIX, self.keys.frame_key(ticket.purpose, ticket.id), ticket.purpose, ticket.id, t)

    async def scan(self, watch: Watch, phone: Phone | None = None) -> ScanAnswer:
        """Scan what the page shows now."""
        return await self.phones.scan(phone or a_phone(), self.frame(await self.ticket(watch)), CAMERA)

    async def approve(self, watch: Watch, phone: Phone | None = None) -> str | None:
        """Scan and confirm; return the reverse code."""
        scanned = await self.scan(watch, phone)
        answer = await self.phones.confirm(phone or a_phone(), scanned.ticket, scanned.confirm_token)
        return answer.code

    async def grant(self, watch: Watch) -> str:
        """Return the grant the page is told."""
        held = await self.store.read(watch.flow)
        assert held is not None
        message = self.messages.newest(held.value, held.now)
        assert isinstance(message, ApprovedMessage)
        return message.grant

    async def signed_in(self, account: str, ticket: str | None = None, epoch: int | None = None) -> Session:
        """Return a new live session of ``account``, which came of a QR ticket if one is named."""
        digest = None if ticket is None else ticket_digest(ticket)
        login = Login(Way.QR, "wechat", None, "Chrome", "Windows", None, OFFICE, digest)
        found = await self.sessions.find(await self.sessions.start(account, login, None, epoch=epoch))
        assert found is not None
        return found[0]

    async def redeem(
        self,
        grant: str,
        code: str | None = None,
        *,
        secret: str | None = None,
        signed_in: Session | None = None,
        give: Callable[[Redemption], Awaitable[object]] | None = None,
    ) -> Redemption:
        """Redeem as the page does; a login that is through is noted in ``logins``, and opens a session."""
        return await self.redeeming.redeem(
            secret or self.secret, grant, code, signed_in=signed_in, login=Exchanging(self, give or self._log_in)
        )

    async def _log_in(self, redemption: Redemption) -> None:
        await asyncio.sleep(0)
        try:
            await self.signed_in(redemption.holder.account, redemption.ticket, redemption.epoch)
        except ConfirmationOver:
            raise TicketUnknown from None
        self.logins.append(redemption)


class Exchanging:
    """What the approval of a login is exchanged with."""

    def __init__(self, desk: Desk, give: Callable[[Redemption], Awaitable[object]]) -> None:
        self._desk = desk
        self._give = give

    async def give(self, redemption: Redemption) -> None:
        await self._give(redemption)

    async def take_back(self, redemption: Redemption) -> None:
        ticket = [ticket_digest(redemption.ticket)]
        await self._desk.sessions.end_by_ticket(redemption.holder.account, ticket, SessionEnd.UNDO)


class Showing:
    """What the approval of a face ticket is exchanged with: it keeps what it is given, unless it is told to fail."""

    def __init__(self) -> None:
        self.given: list[Redemption] = []
        self.taken_back: list[Redemption] = []
        self.fails: Exception | None = None

    async def give(self, redemption: Redemption) -> None:
        await asyncio.sleep(0)
        if self.fails is not None:
            raise self.fails
        self.given.append(redemption)

    async def take_back(self, redemption: Redemption) -> None:
        self.taken_back.append(redemption)


def ticket_digest(ticket: str) -> bytes:
    """Return what the audit log calls a ticket."""
    return hashlib.sha256(ticket.encode()).digest()


def a_phone(
    holder: Holder = ZHANG, *, refusal: str | None = None, area: Area | None = BEIJING, epoch: int = 0
) -> Phone:
    """Return a phone that is logged in."""
    return Phone(holder, f"ref-{holder.account}", refusal, area, epoch)


def elsewhere(holder: Holder) -> Holder:
    """Return the same account on another of its phones."""
    return msgspec.structs.replace(holder, link=f"{holder.link}-other")
