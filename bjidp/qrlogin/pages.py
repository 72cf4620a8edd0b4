"""The page's side of the QR channel: show a code, watch what becomes of it, ask for a new one.

Called by ``web`` for sockets, long polls and the pages without JavaScript. Nothing here logs anybody in: that is
:mod:`bjidp.qrlogin.redeeming`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import Enum

from msgspec import Struct

from bjidp.clock import MINUTE, SECOND, Instant
from bjidp.entropy import Entropy, token
from bjidp.errors import StoreUnavailable
from bjidp.qrlogin import flow as flows
from bjidp.qrlogin import machine
from bjidp.qrlogin.browser import Browser, FlowRef
from bjidp.qrlogin.browsers import Browsers
from bjidp.qrlogin.changes import ATTEMPTS, LIFETIME, FlowChanges
from bjidp.qrlogin.errors import FlowUnknown
from bjidp.qrlogin.flow import Flow, Watcher
from bjidp.qrlogin.messages import Frames, Heard, Messages
from bjidp.qrlogin.policy import QrPolicy
from bjidp.qrlogin.ticket import Computer, Redeemed, Ticket
from bjidp.qrlogin.wire import Message
from bjidp.records import DuplicateRecord, Held
from bjidp.signals.ports import SignalBus
from bjidp.throttle.ports import Throttle, Window
from bjidp.throttle.source import Source

MINT_BROWSER = (Window(12, MINUTE),)
MINT_ADDRESS = (Window(600, MINUTE), Window(2000, 4 * MINUTE))
"""A ticket lives at most four minutes, so what an address made in four minutes bounds what it has alive."""


class End(Enum):
    """Why a page is no longer served, with the socket's close code (wire.md, section 2)."""

    DONE = 1000
    RESTART = 1012
    DEADLINE = 4003
    SUPERSEDED = 4004
    SESSION_ENDED = 4005


class Visitor(Struct, frozen=True, gc=False):
    """Who asks, as the server sees it: the computer, and what limits by address count it as."""

    computer: Computer
    source: Source


class Entry(Struct, frozen=True, gc=False):
    """A browser that has shown it may watch a flow."""

    browser: Browser
    ref: FlowRef
    visitor: Visitor


class Watch:
    """One page's view of its flow."""

    __slots__ = ("ended", "entry", "epoch", "flow", "heard", "watcher")

    def __init__(self, entry: Entry, flow: Flow, watcher: str) -> None:
        """Start having heard nothing."""
        self.entry = entry
        self.flow = flow.id
        self.epoch = flow.epoch
        self.watcher = watcher
        self.heard = Heard()
        self.ended = False


class Look(Struct, frozen=True, gc=False):
    """What one look found: messages to send, the reason to end, and in how many seconds the clock changes it."""

    messages: tuple[Message, ...]
    end: End | None
    turn_in: float = 0.0


class QrPages:
    """Use cases of a page that shows a QR code."""

    def __init__(
        self,
        *,
        browsers: Browsers,
        changes: FlowChanges,
        bus: SignalBus,
        throttle: Throttle,
        messages: Messages,
        policy: QrPolicy,
        entropy: Entropy,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._browsers = browsers
        self._changes = changes
        self._bus = bus
        self._throttle = throttle
        self._messages = messages
        self._policy = policy
        self._entropy = entropy

    async def enter(self, secret: str | None, flow_id: str | None, visitor: Visitor) -> Entry:
        """Return the right to watch a flow.

        Raises :class:`BrowserUnknown`, and :class:`FlowUnknown` for a flow that is not this browser's.
        """
        held = await self._browsers.find(secret)
        ref = held.value.flow(flow_id)
        if ref is None:
            raise FlowUnknown
        return Entry(held.value, ref, visitor)

    async def connect(self, entry: Entry, opened: Instant = 0) -> Watch:
        """Let a socket watch: makes the first ticket, renews one that is due, sends the oldest of three away.

        ``opened`` is when the page was opened, by the browser's clock. Raises ``RateLimited``.
        """
        return await self._watch(entry, opened, announce=True)

    async def current(self, entry: Entry, *, renew: bool, slow: bool = False) -> tuple[Flow, Instant]:
        """Return the flow as it stands, with a ticket in it, and the time it was read at.

        ``renew`` asks for a new code where the last one is over; ``slow`` makes tickets for a page without
        JavaScript. Raises ``RateLimited``.
        """
        flow = await self._arrive(entry, _unchanged, renew=renew, slow=slow)
        return flow, await self._changes.store.now()

    async def newest(self, entry: Entry, *, renew: bool) -> Message | None:
        """Return the current message of a flow, as a page that just came is told it."""
        return self._messages.newest(*await self.current(entry, renew=renew))

    async def frames(self, entry: Entry) -> Frames:
        """Return the frames of a page without JavaScript from now to the scan deadline; none once scanned."""
        flow, now = await self.current(entry, renew=False, slow=True)
        return self._messages.frames(flow.current, now)

    async def follow(self, entry: Entry, opened: Instant = 0) -> Watch:
        """Let one long poll watch: it counts with the sockets, and forgets itself by :meth:`leave`."""
        return await self._watch(entry, opened, announce=False)

    def subscribe(self, watch: Watch, wake: Callable[[], None]) -> Callable[[], None]:
        """Call ``wake`` whenever the flow may have changed; subscribe before the first look."""
        return self._bus.subscribe(watch.flow, wake)

    async def look(self, watch: Watch, after: int | None = None) -> Look:
        """Read the flow, show the next ticket if its time has come, and say what this page has not heard yet.

        A page that says itself which message it heard last gives its number as ``after``.
        """
        held = await self._read(watch)
        end = _ending(held, watch)
        if held is None or end is not None:
            watch.ended = True
            return Look((), end)
        flow, now = held.value, held.now
        if after is None:
            news = self._messages.unheard(flow, watch.heard, now)
        else:
            newest = self._messages.newest(flow, now)
            news = (newest,) if newest is not None and newest.seq > after else ()
        return Look(news, None, self._turn_in(watch, flow, now))

    async def renew(self, entry: Entry) -> None:
        """Show a new code because the person asked; does nothing while an approval waits to be redeemed.

        Raises ``RateLimited``.
        """
        count = _Once(lambda: self._count(entry))
        for _ in range(ATTEMPTS):
            held = await self._changes.store.read(entry.ref.id)
            if held is None or held.value.ended or not flows.may_renew(held.value, held.now):
                return
            await count()
            ticket = self._ticket(entry, held.now, slow=held.value.scriptless)
            changed = flows.renew(held.value, ticket, self._policy, held.now)
            if await self._changes.try_write(held, changed) is not None:
                return
        raise StoreUnavailable

    async def leave(self, watch: Watch) -> None:
        """Forget a page that has gone; one try is enough, since a stale entry is the first to go when a third comes."""
        if watch.ended:
            # It was sent away by something that has forgotten it already.
            return
        held = await self._changes.store.read(watch.flow)
        if held is not None and flows.is_watched_by(held.value, watch.watcher):
            await self._changes.try_write(held, flows.unwatch(held.value, watch.watcher), quiet=True)

    async def _watch(self, entry: Entry, opened: Instant, *, announce: bool) -> Watch:
        watcher = Watcher(self._bus.inbox, token(self._entropy, 64), opened)

        def watched(flow: Flow) -> Flow:
            return flows.watch(flow, watcher, self._policy, announce=announce)

        return Watch(entry, await self._arrive(entry, watched, renew=False, slow=False), watcher.id)

    async def _arrive(self, entry: Entry, change: Callable[[Flow], Flow], *, renew: bool, slow: bool) -> Flow:
        count = _Once(lambda: self._count(entry))
        for _ in range(ATTEMPTS):
            held = await self._changes.store.read(entry.ref.id)
            if held is None:
                await count()
                flow = change(self._started(entry, await self._changes.store.now(), slow=slow))
                try:
                    await self._changes.store.add(flow, LIFETIME)
                except DuplicateRecord:
                    continue
                return flow
            flow = held.value
            # A secret replaced between the look at the record and this write must not get in (attack Q29).
            if flow.ended or flow.epoch > entry.browser.epoch or flow.browser != entry.browser.id:
                raise FlowUnknown
            if flow.epoch < entry.browser.epoch:
                # The flow's first page arrived with the old secret after that was replaced, so nobody has told it.
                flow = flows.rotate(flow, entry.browser.epoch)
            if flows.renewal_due(flow, self._policy, held.now):
                flow = flows.renew_ahead(flow, self._ticket(entry, held.now, slow=slow), self._policy, held.now)
            elif renew and flows.is_over(flow, held.now) and flows.may_renew(flow, held.now):
                await count()
                flow = flows.renew(flow, self._ticket(entry, held.now, slow=slow), self._policy, held.now)
            written = await self._changes.try_write(held, change(flow))
            if written is not None:
                return written
        raise StoreUnavailable

    def _turn_in(self, watch: Watch, flow: Flow, now: Instant) -> float:
        """Return in how many seconds the clock changes what the page is told, or ends its record."""
        left = watch.entry.browser.expires_at - now
        turn = flows.next_turn(flow, self._policy, now)
        return max(0, left if turn is None else min(left, turn - now)) / SECOND

    async def _read(self, watch: Watch) -> Held[Flow] | None:
        def is_due(held: Held[Flow]) -> bool:
            return flows.renewal_due(held.value, self._policy, held.now) and _ending(held, watch) is None

        def renewed(held: Held[Flow]) -> Flow:
            if not is_due(held):
                return held.value
            ticket = self._ticket(watch.entry, held.now, slow=False)
            return flows.renew_ahead(held.value, ticket, self._policy, held.now)

        held = await self._changes.store.read(watch.flow)
        if held is None or not is_due(held):
            return held
        await self._changes.on_flow(watch.flow, renewed)
        return await self._changes.store.read(watch.flow)

    async def _count(self, entry: Entry) -> None:
        await self._throttle.hit(f"qr.mint.browser:{entry.browser.id}", *MINT_BROWSER)
        await entry.visitor.source.hit(self._throttle, "qr.mint.address", *MINT_ADDRESS)

    def _started(self, entry: Entry, now: Instant, *, slow: bool) -> Flow:
        first = self._ticket(entry, now, slow=slow)
        return flows.start(entry.ref.id, entry.browser.id, entry.browser.epoch, entry.ref.about, first)

    def _ticket(self, entry: Entry, now: Instant, *, slow: bool) -> Ticket:
        ticket_id = token(self._entropy, 128)
        return machine.issue(ticket_id, entry.ref.about.purpose, entry.visitor.computer, self._policy, now, slow=slow)


class _Once:
    """Runs an action the first time it is called: a retried decision is not counted twice."""

    def __init__(self, action: Callable[[], Awaitable[None]]) -> None:
        self._action: Callable[[], Awaitable[None]] | None = action

    async def __call__(self) -> None:
        if self._action is not None:
            action, self._action = self._action, None
            await action()


def _unchanged(flow: Flow) -> Flow:
    return flow


def _ending(held: Held[Flow] | None, watch: Watch) -> End | None:
    if held is None or held.now >= watch.entry.browser.expires_at:
        # The browser record's time is over: nothing the page shows could be redeemed.
        return End.DEADLINE
    flow = held.value
    if flow.ended:
        return End.DONE if isinstance(flow.current.state, Redeemed) else End.SESSION_ENDED
    if flow.epoch != watch.epoch:
        return End.RESTART
    if flows.is_left_behind(flow, held.now):
        return End.DONE
    return None if flows.is_watched_by(flow, watch.watcher) else End.SUPERSEDED
