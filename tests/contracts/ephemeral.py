"""Short-lived stores under test, as two processes see them."""

from __future__ import annotations

from typing import Protocol, TypeVar

from msgspec import Struct

from bjidp.clock import Clock
from bjidp.qrlogin.ports import TicketStore
from bjidp.records import Records
from bjidp.signals.ports import SignalBus
from bjidp.storage.memory.records import MemoryRecords
from bjidp.storage.memory.signals import MemorySignalBus
from bjidp.storage.memory.throttle import MemoryThrottle
from bjidp.storage.memory.tickets import MemoryTicketStore
from bjidp.throttle.ports import Throttle

T = TypeVar("T")


class Note(Struct, frozen=True):
    """A record of the suites: every kind of value that must come back as it was."""

    text: str
    number: int = 0
    octets: bytes = b""
    missing: str | None = None
    lines: tuple[str, ...] = ()


class Ephemeral(Protocol):
    """What one process is given."""

    @property
    def tickets(self) -> TicketStore: ...

    @property
    def throttle(self) -> Throttle: ...

    @property
    def signals(self) -> SignalBus: ...

    def records(self, name: str, kind: type[T]) -> Records[T]: ...


class MemoryStores:
    """The stores of a process that is alone."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._records: dict[str, object] = {}
        self.tickets = MemoryTicketStore(clock)
        self.throttle = MemoryThrottle(clock)
        self.signals = MemorySignalBus()

    def records(self, name: str, kind: type[T]) -> Records[T]:
        found = self._records.setdefault(name, MemoryRecords[T](self._clock))
        assert isinstance(found, MemoryRecords)
        return found


class Processes(Struct):
    """Two processes on the same stores; in memory there is only one, and it plays both."""

    here: Ephemeral
    there: Ephemeral

    def both(self, count: int) -> list[Ephemeral]:
        """Return ``count`` places to call from, the two in turn."""
        return [self.here if turn % 2 else self.there for turn in range(count)]
