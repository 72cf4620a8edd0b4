"""Who writes next to a SQLite file, within this process.

Owns the turn between the group that writes on the event loop and the thread that writes alone. SQLite's own lock is no
queue: whoever waits for it asks again after ever longer pauses, and a group that takes it anew as soon as it has let go
of it is always there first. With commits of 30 ms the thread waited eight seconds. Called by ``threads`` and
``group_commit``.
"""

from __future__ import annotations

import threading
from types import TracebackType


class Turns:
    """One turn at a time. A thread that waits for it goes before the group."""

    def __init__(self) -> None:
        """Let whoever comes first begin."""
        self._lock = threading.Lock()
        self._waiting = 0

    def __enter__(self) -> None:
        """Wait for the turn, on the one thread that writes alone."""
        self._waiting += 1
        self._lock.acquire()
        self._waiting -= 1

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        """Give the turn back."""
        self._lock.release()

    @property
    def awaited(self) -> bool:
        """Whether a thread waits for the turn."""
        return self._waiting > 0

    def take(self) -> bool:
        """Take the turn if nobody has it or waits for it; on the event loop, which never waits."""
        return not self.awaited and self._lock.acquire(blocking=False)

    def give_back(self) -> None:
        """End what :meth:`take` began; from any thread."""
        self._lock.release()
