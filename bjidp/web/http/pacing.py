"""How many pages the event loop answers before it looks at its sockets again.

Owns the turns that requests take. The loop runs whatever is ready and reads sockets only then: 200 logins by password
that came at one moment were one pass with 60 ms of CPU, in which no QR code moved. In turns, one a pass, it is a
millisecond, and whoever has a code on their screen or a phone in their hand goes first. Called by the middleware.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

EACH: Final = 1
"""Requests that go on in one pass. With eight the slowest code in a hundred took ten times as long to reach its page as
in quiet, with one twice as long; a pass in which nothing happens costs microseconds."""

AHEAD: Final = ("/qr/", "/mp/")
"""Where people wait who have a code before them; these take no turns."""

SHARE: Final = 8
"""Requests ahead after which one more of the others goes on: those addresses answer anybody, so a flood of them would
keep every page waiting for all of it, pass after pass."""


class Pacing:
    """Lets a few go on in each pass of the running loop, in the order they came; alone, nobody waits."""

    def __init__(self, each: int = EACH) -> None:
        """Let ``each`` go on in a pass."""
        self._each = each
        self._left = each
        self._ahead = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    def turn(self, path: str) -> asyncio.Future[None] | None:
        """Return what the request for ``path`` has to wait for; None when it may go on."""
        if path.startswith(AHEAD):
            self._ahead += 1
            if self._ahead == SHARE:
                self._ahead = 0
                self._let_one_go_on()
            return None
        loop = asyncio.get_running_loop()
        if self._left == self._each:
            loop.call_soon(self._next)
        if self._left:
            self._left -= 1
            return None
        waiting = loop.create_future()
        self._waiting.append(waiting)
        return waiting

    def _next(self) -> None:
        self._left = self._each
        while self._left and self._let_one_go_on():
            self._left -= 1
        if self._left < self._each:
            asyncio.get_running_loop().call_soon(self._next)

    def _let_one_go_on(self) -> bool:
        """Return whether there was one: whoever hung up meanwhile takes nobody's turn."""
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(None)
                return True
        return False
