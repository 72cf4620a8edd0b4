"""Access tokens of an app, kept until shortly before they expire.

Owns the cache and its one refresh at a time; how a token is fetched is the vendor client's. Called by
``bjidp.vendors.wechat`` and ``bjidp.vendors.baidu``, whose calls carry such a token.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from msgspec import Struct

from bjidp.clock import MINUTE, SECOND, Clock, Instant, Millis
from bjidp.errors import VendorUnavailable
from bjidp.secret import Secret


class AccessToken(Struct, frozen=True):
    """A token and how many seconds it lives from the moment it was handed out."""

    value: Secret
    expires_in: int


FetchToken: TypeAlias = Callable[[], Awaitable[AccessToken]]


class _Held(Struct, frozen=True):
    value: Secret
    renew_at: Instant
    expires_at: Instant


class AccessTokens:
    """One app's current token."""

    def __init__(self, fetch: FetchToken, *, clock: Clock, ahead: Millis = 5 * MINUTE) -> None:
        """Get tokens from ``fetch``; renew ``ahead`` of expiry, so that none dies on its way to the vendor."""
        self._fetch = fetch
        self._clock = clock
        self._ahead = ahead
        self._held: _Held | None = None
        self._flight: asyncio.Task[Secret | None] | None = None

    async def current(self) -> Secret:
        """Return a live token; raise ``VendorUnavailable`` when none can be had.

        However many callers find no token, one fetch is made and all of them share its outcome, a failure too:
        waiters that fetched one after the other would queue up behind a vendor that is down. A token that is merely
        about to expire is used on while its successor is fetched, and as long as fetching fails.
        """
        now = self._clock.now()
        held = self._held
        if held is not None and now < held.renew_at:
            return held.value
        if self._flight is None:
            self._flight = asyncio.get_running_loop().create_task(self._refresh())
        if held is not None and now < held.expires_at:
            return held.value
        # Shielded: a caller that gives up must not take the token of all the others with it.
        value = await asyncio.shield(self._flight)
        if value is None:
            raise VendorUnavailable
        return value

    def drop(self, refused: Secret) -> None:
        """Forget ``refused``, which the vendor no longer takes; a newer token stays."""
        if self._held is not None and self._held.value == refused:
            self._held = None

    async def _refresh(self) -> Secret | None:
        # Counted from before the call: the token lived already while the answer was on its way.
        asked = self._clock.now()
        try:
            fresh = await self._fetch()
        except VendorUnavailable:
            return None
        finally:
            self._flight = None
        life = fresh.expires_in * SECOND
        # A vendor may hand out a token near its end; renewing at half its life still beats renewing on every call.
        self._held = _Held(fresh.value, asked + max(life - self._ahead, life // 2), asked + life)
        return fresh.value
