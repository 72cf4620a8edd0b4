"""What was sent to people: SMS and mail, by address, newest first.

The services that send put messages in; the control call and the inbox page read them. Bounded for each address and in
addresses, and forgotten after a day.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from bjidp.sandbox.clock import DAY, Clock, Instant

_KEPT: Final = 50
_ADDRESSES: Final = 10_000
_CODE: Final = re.compile(r"(?<![0-9])[0-9]{4,8}(?![0-9])")


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
        self._by_address: dict[str, tuple[Message, ...]] = {}
        """In the order of their newest message."""

    def deliver(self, to: str, text: str, code: str | None) -> None:
        """Put a message in the inbox of the phone number or mail address ``to``."""
        earlier = self.sent_to(to)
        self._by_address.pop(to, None)
        self._by_address[to] = (Message(at=self._clock.now(), to=to, text=text, code=code), *earlier)[:_KEPT]
        while len(self._by_address) > _ADDRESSES or not self.sent_to(next(iter(self._by_address))):
            del self._by_address[next(iter(self._by_address))]

    def sent_to(self, address: str) -> tuple[Message, ...]:
        """Return the messages to ``address``, newest first."""
        since = self._clock.now() - DAY
        return tuple(message for message in self._by_address.get(address, ()) if message.at > since)


def code_in(text: str) -> str | None:
    """Return the one-time code in ``text``: its first four to eight digits in a row, or None."""
    found = _CODE.search(text)
    return None if found is None else found[0]
