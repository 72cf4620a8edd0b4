"""The signal bus of a process that is alone."""

from __future__ import annotations

from collections.abc import Callable


class LocalTopics:
    """Who in this process listens to which topic; the local half of every signal bus."""

    def __init__(self) -> None:
        """Start with nobody listening."""
        self._listeners: dict[str, list[Callable[[], None]]] = {}

    def subscribe(self, topic: str, wake: Callable[[], None]) -> Callable[[], None]:
        """Add a listener; return the way to remove it, which may be called more than once."""
        self._listeners.setdefault(topic, []).append(wake)

        def stop() -> None:
            listeners = self._listeners.get(topic)
            if listeners is not None and wake in listeners:
                listeners.remove(wake)
                if not listeners:
                    del self._listeners[topic]

        return stop

    def wake(self, topic: str) -> None:
        """Wake whoever listens to ``topic``."""
        for listener in tuple(self._listeners.get(topic, ())):
            listener()

    def wake_all(self) -> None:
        """Wake everybody once: signals may have been lost."""
        for listeners in tuple(self._listeners.values()):
            for listener in tuple(listeners):
                listener()


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
