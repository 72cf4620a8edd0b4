"""What was sent to people: SMS and mail, by address, newest first.

The services that send put messages in; the control call and the inbox page read them. Bounded for each address, and
forgotten after a day.
"""

from __future__ import annotations

from msgspec import Struct

from bjidp.sandbox.clock import DAY, Clock, Instant
from bjidp.sandbox.expiring import Expiring

_KEPT = 50


class Message(Struct, frozen=True):
    """One SMS or mail. ``code`` is the one-time code in it, if there is one."""

    at: Instant
    to: str
    text: str
    code: str | None


class Inbox:
    """Keeps messages for whoever looks."""

    def __init__(self, clock: Clock) -> None:
        """Start empty."""
        self._clock = clock
        self._by_address: Expiring[tuple[Message, ...]] = Expiring()

    def deliver(self, to: str, text: str, code: str | None) -> None:
        """Put a message in the inbox of the phone number or mail address ``to``."""
        now = self._clock.now()
        message = Message(at=now, to=to, text=text, code=code)
        self._by_address.put(to, (message, *self.sent_to(to))[:_KEPT], until=now + DAY, now=now)

    def sent_to(self, address: str) -> tuple[Message, ...]:
        """Return the messages to ``address``, newest first."""
        return self._by_address.get(address, self._clock.now()) or ()
