"""Mini-program sessions in Redis, with the list per platform link.

They are written and asked for in the order of :mod:`bjidp.storage.redis.sessions`. A link that was replaced has no
standing any more, so that its sessions are over at once wherever they lie.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import msgspec

from bjidp.audit.event import EventKind, Fact
from bjidp.audit.ports import AuditLog
from bjidp.clock import Instant
from bjidp.errors import StoreUnavailable
from bjidp.miniprogram.ports import MiniSession, MiniSessionEnd, StaleMiniSession
from bjidp.standing import Standing
from bjidp.storage.redis.client import Link
from bjidp.storage.redis.ledger import Gate, Ledger
from bjidp.storage.redis.owned import OwnedRows


class RedisMiniSessions:
    """:class:`bjidp.miniprogram.ports.MiniSessionStore` for many processes."""

    def __init__(self, link: Link, prefix: str, gate: Gate, audit: AuditLog) -> None:
        """Keep sessions under keys that begin with ``prefix``; accounts are behind ``gate``."""
        self._rows = OwnedRows(link, prefix, MiniSession)
        self._gate = gate
        self._ledger = Ledger(gate, audit)

    async def open(self, session: MiniSession, newest: int | None = None) -> None:
        """See :meth:`bjidp.miniprogram.ports.MiniSessionStore.open`."""
        now = session.created_at
        names = {session.id: session.link}
        try:
            await self._rows.add(session.link, session, session.expires_at - now, names)
            await self._gate.admit_mini(session.account, session.link, session.platform, session.id, now)
        except BaseException:
            await self._rows.withdraw(session.link, session, names)
            raise
        if newest is not None:
            # What stays because Redis does not answer now goes at the next login.
            with contextlib.suppress(StoreUnavailable):
                await self._make_room(session, newest - 1, now)

    async def find(self, session: str, now: Instant) -> tuple[MiniSession, Standing] | None:
        """See :meth:`bjidp.miniprogram.ports.MiniSessionStore.find`."""
        link = await self._rows.owner(session)
        if link is None:
            return None
        # One after the other: two tasks for both at once take more CPU than either look. The standing first: whoever
        # ends the session ends the epoch after it, so that a row that is still there tells that this epoch was its own.
        standing = await self._gate.standing_of_link(link)
        row = None if standing is None else await self._rows.get(link, session, now)
        return None if row is None or standing is None else (row, standing)

    async def replace(self, session: MiniSession) -> MiniSession:
        """See :meth:`bjidp.miniprogram.ports.MiniSessionStore.replace`."""
        kept = await self._rows.get(session.link, session.id, now=0)
        if kept is None or kept.version != session.version:
            raise StaleMiniSession
        # Who it is and how long it lives are no caller's to change.
        replaced = msgspec.structs.replace(
            kept,
            generation=session.generation,
            rotated_at=session.rotated_at,
            used=session.used,
            version=session.version + 1,
        )
        if not await self._rows.swap(session.link, replaced, session.version):
            raise StaleMiniSession
        return replaced

    async def end(self, session: str, reason: MiniSessionEnd, now: Instant) -> bool:
        """See :meth:`bjidp.miniprogram.ports.MiniSessionStore.end`."""
        link = await self._rows.owner(session)
        row = None if link is None else await self._rows.get(link, session, now)
        if row is None:
            return False
        # Before as well: while accounts are away nothing is ended, so that who ends it again still finds it.
        await self._gate.outdate(row.account)
        if await self._end(row.link, session, reason, now) is None:
            return False
        await self._gate.outdate(row.account)
        return True

    async def end_others(
        self, account: str, keep: str | None, reason: MiniSessionEnd, now: Instant, gone: Sequence[str] = ()
    ) -> list[str]:
        """See :meth:`bjidp.miniprogram.ports.MiniSessionStore.end_others`."""
        rows = await self.of_account(account, now)
        rows += [row for link in gone for row in await self._rows.of_owner(link, now)]
        others = [row for row in rows if row.id != keep]
        ended = [row.id for row in others if await self._end(row.link, row.id, reason, now)]
        await self._gate.outdate(account)
        return ended

    async def end_of_links(self, links: Sequence[str], reason: MiniSessionEnd, now: Instant) -> list[str]:
        """See :meth:`bjidp.miniprogram.ports.MiniSessionStore.end_of_links`."""
        rows = [row for link in links for row in await self._rows.of_owner(link, now)]
        return [row.id for row in rows if await self._end(row.link, row.id, reason, now)]

    async def of_account(self, account: str, now: Instant) -> list[MiniSession]:
        """See :meth:`bjidp.miniprogram.ports.MiniSessionStore.of_account`."""
        # By way of its links, which are few, rather than by a list per account that every login would write.
        links = await self._gate.links_of(account)
        rows = [row for link in links for row in await self._rows.of_owner(link, now)]
        return sorted(rows, key=lambda row: (-row.created_at, row.id))

    async def live_of_link(self, link: str, now: Instant) -> bool:
        """See :meth:`bjidp.miniprogram.ports.MiniSessionStore.live_of_link`."""
        return bool(await self._rows.of_owner(link, now))

    async def purge(self, now: Instant, limit: int) -> int:
        """See :meth:`bjidp.miniprogram.ports.MiniSessionStore.purge`."""
        return await self._rows.purge(now, limit)

    async def _make_room(self, new: MiniSession, kept: int, now: Instant) -> None:
        others = [row for row in await self._rows.of_owner(new.link, now) if row.id != new.id]
        others.sort(key=lambda row: (-row.created_at, row.id))
        for row in others[kept:]:
            await self._end(row.link, row.id, MiniSessionEnd.CROWDED_OUT, now)

    async def _end(self, link: str, session: str, reason: MiniSessionEnd, now: Instant) -> MiniSession | None:
        """End the session and return it as it was; its account's epoch is the caller's to end after it."""
        ended = await self._rows.remove(link, session, now)
        if ended is not None:
            facts = {Fact.REASON: reason.value, Fact.LINK: link}
            await self._ledger.ended(EventKind.MINI_SESSION_ENDED, ended.account, session, now, facts)
        return ended
