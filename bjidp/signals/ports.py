"""The signal bus: how a confirm on one process reaches the page on another.

Owns the port; ``storage.memory`` and ``storage.redis`` implement it. A process has one inbox for all its pages and
subscribes once, to that; what changed remembers which inboxes watch it. So cost stays flat as pages wait. A signal
carries a topic and nothing else: whoever hears it reads the store again. A lost signal therefore delays, it never
loses: subscribe first, then read, then wait.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class SignalBus(Protocol):
    """Delivers topics to inboxes."""

    @property
    def inbox(self) -> str:
        """The address of this process."""
        ...

    def subscribe(self, topic: str, wake: Callable[[], None]) -> Callable[[], None]:
        """Call ``wake`` on the event loop whenever ``topic`` reaches this inbox; return the way to stop.

        After a break in the connection between processes every subscriber is woken once, since signals may have
        been lost meanwhile.
        """
        ...

    async def publish(self, inbox: str, topic: str) -> None:
        """Send ``topic`` to an inbox, this one's or another's; raise ``StoreUnavailable`` when it cannot be sent."""
        ...
