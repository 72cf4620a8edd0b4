"""Bringing notices to relying parties (OpenID Connect Back-Channel Logout 1.0, section 2.5).

Owns that each is told once somebody is logged in no more, that none waits for another, and that nobody who logs in or
out waits for any. Notices are taken for a while before they are brought, so of several processes one brings each;
whoever dies over one leaves it to be taken again when that while is over. A relying party that does not answer is left
alone for longer each time, whatever has piled up for it. Started by ``bootstrap`` in every process.
"""

from __future__ import annotations

import asyncio
from typing import Final

import structlog
from msgspec import Struct

from bjidp.clock import MINUTE, Clock, Instant, Millis
from bjidp.errors import StoreUnavailable, VendorUnavailable
from bjidp.oidc.client import Client
from bjidp.oidc.logouts.notice import TYPE, LogoutNotice, claims_of, next_attempt, pause_after
from bjidp.oidc.ports import ClientStore, LogoutOutbox
from bjidp.oidc.signing import SigningKeys
from bjidp.unexpected import outline
from bjidp.vendors.ports.relying_parties import LogoutReceivers

PAUSE: Final = 1.0
"""Seconds between two looks."""

LONG_PAUSE: Final = 10.0
"""Seconds after one that the store did not answer: the log says so each time."""

TAKEN_FOR: Final[Millis] = MINUTE
"""How long a notice is the one process's that has taken it: far longer than an attempt may take."""

AT_ONCE: Final = 8
"""Notices that one relying party is brought at a time."""

SERVED: Final = 32
"""Relying parties that one process serves at a time."""

LOOKED_AT: Final = 1000
"""Relying parties with something due that are looked at: those that are left alone must not hide the others."""

log = structlog.get_logger(__name__)


class _Rest(Struct, frozen=True):
    failures: int
    until: Instant


class Telling:
    """Tells relying parties."""

    def __init__(
        self,
        *,
        outbox: LogoutOutbox,
        clients: ClientStore,
        receivers: LogoutReceivers,
        signing: SigningKeys,
        issuer: str,
        clock: Clock,
    ) -> None:
        """Sign as ``issuer``, bring by ``receivers``."""
        self._outbox = outbox
        self._clients = clients
        self._receivers = receivers
        self._signing = signing
        self._issuer = issuer
        self._clock = clock
        self._serving: dict[str, asyncio.Task[None]] = {}
        self._resting: dict[str, _Rest] = {}

    async def run(self) -> None:
        """Look now and after every pause, until cancelled."""
        try:
            while True:
                answered = await self.begin()
                await asyncio.sleep(PAUSE if answered else LONG_PAUSE)
        finally:
            await self.stop()

    async def begin(self) -> bool:
        """Begin to tell whoever is to be told something, and is not left alone; wait for none of them.

        Returns whether the store has answered.
        """
        now = self._clock.now()
        try:
            due = await self._outbox.due(now, LOOKED_AT)
        except StoreUnavailable:
            log.warning("logout_notices_put_off")
            return False
        for client in due:
            rest = self._resting.get(client)
            if client in self._serving or (rest is not None and now < rest.until):
                continue
            if len(self._serving) >= SERVED:
                break
            self._serving[client] = asyncio.create_task(self._serve(client))
        return True

    async def settled(self) -> None:
        """Return when whatever was begun is over."""
        await asyncio.gather(*self._serving.values())

    async def stop(self) -> None:
        """Give up what is under way: another process takes it on."""
        serving = list(self._serving.values())
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    async def _serve(self, client: str) -> None:
        try:
            while await self._served(client):
                pass
        except StoreUnavailable:
            log.warning("logout_notices_put_off", client=client)
        except Exception as error:  # noqa: BLE001 - one fault must not end all telling for the process's life
            log.error("logout_notices_failed", client=client, **outline(error))  # noqa: TRY400 - without its text
            self._rest(client)
        finally:
            del self._serving[client]

    async def _served(self, client: str) -> bool:
        """Bring some; return whether there may be more to bring at this moment."""
        now = self._clock.now()
        notices = await self._outbox.take(client, now, now + TAKEN_FOR, AT_ONCE)
        found = await self._clients.find(client) if notices else None
        if found is None:
            return False
        told = await asyncio.gather(*(self._told(found.client, notice) for notice in notices))
        if not all(told):
            self._rest(client)
            return False
        self._resting.pop(client, None)
        return len(notices) == AT_ONCE

    async def _told(self, client: Client, notice: LogoutNotice) -> bool:
        claims = claims_of(notice, issuer=self._issuer, now=self._clock.now())
        token = self._signing.sign(claims, TYPE, self._clock.now())
        try:
            if client.backchannel_logout_uri is not None:
                await self._receivers.tell(client.backchannel_logout_uri, token)
        except VendorUnavailable:
            await self._put_off(notice)
            return False
        await self._outbox.told(notice, self._clock.now())
        log.info("logout_told", client=client.id, attempts=notice.attempts)
        return True

    async def _put_off(self, notice: LogoutNotice) -> None:
        now = self._clock.now()
        again = next_attempt(notice, now)
        if again is None:
            await self._outbox.give_up(notice, now)
            log.error("logout_given_up", client=notice.client, attempts=notice.attempts)
        else:
            await self._outbox.put_off(notice, again)
            log.warning("logout_not_told", client=notice.client, attempts=notice.attempts)

    def _rest(self, client: str) -> None:
        before = self._resting.get(client)
        failures = 1 if before is None else before.failures + 1
        self._resting[client] = _Rest(failures, self._clock.now() + pause_after(failures))
