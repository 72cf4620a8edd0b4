"""What stands between a program and its stores in a test: it counts calls, makes chosen ones fail, and ends processes.

A process that is killed does nothing more, whatever it was in the middle of. Here its next call of a store never comes
back, so no line after it runs: not the answer, and no clean-up either. What its memory held is gone if its rooms are.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from typing import Final, TypeVar, cast

from bjidp.bootstrap import Stores
from bjidp.errors import StoreUnavailable
from bjidp.storage.memory.signals import LocalTopics

T = TypeVar("T")

WATCHED: Final = (
    "accounts",
    "members",
    "externals",
    "identities",
    "checks",
    "organisations",
    "logouts",
    "audit",
    "sessions",
    "mini_sessions",
    "tickets",
    "browsers",
    "registrations",
    "ticket_checks",
    "logins",
    "phone_payloads",
    "captchas",
    "codes",
    "tallies",
    "proofs",
    "drafts",
    "claims",
    "dispatches",
    "throttle",
)
LOOKS: Final = frozenset(
    {
        "appointed",
        "bound",
        "capacities",
        "due",
        "entrusted",
        "find",
        "get",
        "history",
        "is_held",
        "led",
        "linked",
        "linked_identity",
        "member",
        "notices",
        "of_account",
        "offered",
        "peek",
        "standing",
    }
)
"""Calls that change nothing."""
BESIDE_THE_POINT: Final = frozenset({"captchas", "dispatches", "tallies", "throttle"})
"""Stores of limits and of messages: what a process dies over in there, the next step of its caller sees as well."""


class Meddler:
    """Stands between the program and its stores: counts calls, makes chosen ones fail, acts before chosen ones."""

    def __init__(self) -> None:
        """Let everything through."""
        self.calls: Counter[str] = Counter()
        self._down: set[str] = set()
        self._next: dict[str, list[Callable[[], Awaitable[object]]]] = {}

    def breaks(self, *calls: str) -> None:
        """Let calls such as ``sessions.open`` raise ``StoreUnavailable`` from now on; ``tickets`` means all of it."""
        self._down.update(calls)

    def mends(self) -> None:
        """Let everything through again."""
        self._down.clear()

    def before_next(self, call: str, act: Callable[[], Awaitable[object]]) -> None:
        """Do ``act`` once, just before the store is asked ``call``."""
        self._next.setdefault(call, []).append(act)

    def between(self, name: str, store: T, life: Life | None = None) -> T:
        """Return ``store`` with this meddler in front of it, for a process of that ``life``."""
        return cast("T", _Watched(name, store, self, life or Life()))

    async def heard(self, store: str, method: str) -> None:
        """Note a call, and do with it as told."""
        call = f"{store}.{method}"
        self.calls[call] += 1
        for act in self._next.pop(call, ()):
            await act()
        if self._down & {store, call}:
            raise StoreUnavailable


class Life:
    """One process from its start to its death."""

    def __init__(self) -> None:
        """Begin."""
        self.over = asyncio.Event()
        self.written: list[str] = []
        """What was written since it was last told when to die, call by call."""
        self._left: int | None = None
        self._of: Collection[str] | None = None
        self._buried = False
        self._stuck: set[asyncio.Future[None]] = set()

    def ends_after(self, writes: int, of: Collection[str] | None = None) -> None:
        """Die once so many more things are written, to the stores ``of`` these names if any are given."""
        self.written = []
        self._left = writes
        self._of = of

    def lives_on(self) -> None:
        """Forget that it is to die."""
        self._left = None

    async def goes_on(self) -> None:
        """Return if it lives; never, if it does not."""
        if not self.over.is_set():
            return
        if self._buried:
            raise StoreUnavailable
        stuck: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._stuck.add(stuck)
        await stuck

    def wrote(self, store: str, method: str) -> None:
        """Note a write, which may be the last one."""
        if self._left is None or self.over.is_set() or (self._of is not None and store not in self._of):
            return
        self.written.append(f"{store}.{method}")
        self._left -= 1
        if self._left == 0:
            self.over.set()

    def bury(self) -> None:
        """Take everything away that is left of it; it is dead from now on, if it was not before."""
        self.over.set()
        self._buried = True
        for stuck in self._stuck:
            stuck.cancel()


class _Watched:
    def __init__(self, name: str, store: object, meddler: Meddler, life: Life) -> None:
        self._name = name
        self._store = store
        self._meddler = meddler
        self._life = life

    def __getattr__(self, method: str) -> object:
        found = getattr(self._store, method)
        if not asyncio.iscoroutinefunction(found):
            return found
        writes = method not in LOOKS and self._name not in BESIDE_THE_POINT

        async def watched(*args: object, **kwargs: object) -> object:
            await self._life.goes_on()
            await self._meddler.heard(self._name, method)
            answer = await found(*args, **kwargs)
            if writes:
                self._life.wrote(self._name, method)
            await self._life.goes_on()
            return answer

        return watched


class LinkedBus:
    """One process's end of a signal bus between processes."""

    def __init__(self, inbox: str, others: dict[str, LocalTopics]) -> None:
        """Listen at ``inbox``; ``others`` are everybody's."""
        self.inbox = inbox
        self._others = others
        self._topics = others.setdefault(inbox, LocalTopics())

    def subscribe(self, topic: str, wake: Callable[[], None]) -> Callable[[], None]:
        """See :class:`bjidp.signals.ports.SignalBus`."""
        return self._topics.subscribe(topic, wake)

    async def publish(self, inbox: str, topic: str) -> None:
        """See :class:`bjidp.signals.ports.SignalBus`."""
        if inbox in self._others:
            self._others[inbox].wake(topic)


def watched(stores: Stores, meddler: Meddler, life: Life) -> dict[str, object]:
    """Return the stores as a process of that ``life`` has them, by name."""
    return {name: meddler.between(name, getattr(stores, name), life) for name in WATCHED}
