"""The signal bus of a process that is alone."""

from __future__ import annotations

from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)


class _Subscription:
    """One listener; equal to itself alone."""

    __slots__ = ("wake",)

    def __init__(self, wake: Callable[[], None]) -> None:
        self.wake = wake


class LocalTopics:
    """Who in this process listens to which topic; the local half of every signal bus."""

    def __init__(self) -> None:
        """Start with nobody listening."""
        self._listeners: dict[str, list[_Subscription]] = {}

    def subscribe(self, topic: str, wake: Callable[[], None]) -> Callable[[], None]:
        """Add a listener; return the way to remove it, which may be called more than once."""
        # One callable may listen twice: what is removed is this subscription, not its equal.
        subscription = _Subscription(wake)
        self._listeners.setdefault(topic, []).append(subscription)

        def stop() -> None:
            listeners = self._listeners.get(topic)
            if listeners is not None and subscription in listeners:
                listeners.remove(subscription)
                if not listeners:
                    del self._listeners[topic]

        return stop

    def wake(self, topic: str) -> None:
        """Wake whoever listens to ``topic``."""
        for listener in tuple(self._listeners.get(topic, ())):
            try:
                listener.wake()
            except Exception:  # one listener's fault must not silence the others, nor the bus
                log.exception("listener_failed")

    def wake_all(self) -> None:
        """Wake everybody once: signals may have been lost."""
        for topic in tuple(self._listeners):
            self.wake(topic)


class MemorySignalBus:
    """:class:`bjidp.signals.ports.SignalBus` for one process: there is only one inbox."""

    def __init__(self) -> None:
        """Open the inbox."""
        self._topics = LocalTopics()

    @property
    def inbox(self) -> str:
        """The only inbox there is."""
        return "local"

    def subscribe(self, topic: str, wake: Callable[[], None]) -> Callable[[], None]:
        """See :meth:`bjidp.signals.ports.SignalBus.subscribe`."""
        return self._topics.subscribe(topic, wake)

    async def publish(self, inbox: str, topic: str) -> None:
        """See :meth:`bjidp.signals.ports.SignalBus.publish`."""
        if inbox == self.inbox:
            self._topics.wake(topic)
