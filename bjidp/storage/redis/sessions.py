"""Browser sessions in Redis, with the list per account.

A login writes the row first and asks the database of accounts last: whoever locks the account in between either
makes that last look refuse, or finds the row and ends it (attack Q21). Until the look has passed, nobody has the
cookie. If anything fails, the row goes again; one that cannot be removed opens to nobody, can be ended like any other,
and dies at its deadline.

What goes with a session lies in the database. That it has to go is noted here before the session is removed and
forgotten after it went, so that whoever dies in between leaves a note, and :meth:`RedisSessions.settle` finds it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Final

import msgspec
import structlog

from bjidp.audit.event import EventKind, Fact
from bjidp.audit.ports import AuditLog
from bjidp.clock import MINUTE, Instant, Millis
from bjidp.entropy import base64url
from bjidp.errors import StoreUnavailable
from bjidp.sessions.ports import Session, SessionEnd, StaleSession
from bjidp.standing import Standing
from bjidp.storage.redis.client import Link
from bjidp.storage.redis.ledger import Dependents, Gate, Ledger
from bjidp.storage.redis.owed import Owed
from bjidp.storage.redis.owned import OwnedRows

ATTEMPTS: Final = 8
"""Saves of one session that may come between in a row before its renewal gives up."""

PATIENCE: Final[Millis] = MINUTE
"""How long whoever ends a session has for what follows; then it is somebody else's to do."""

log = structlog.get_logger(__name__)


class Kept(Session, frozen=True):
    """A session as it lies here. A process remembers where a cookie led, so the row says which one counts."""

    key: bytes = b""
    """Empty in a row of a former release, which any cookie that leads to it opens."""
    epoch: int = 0
    """The account's when it was opened."""

    def opens_to(self, key: bytes) -> bool:
        """Tell whether the cookie under ``key`` is the one that counts."""
        return self.key in {key, b""}

    def session(self) -> Session:
        """Return the session alone."""
        return Session(*(getattr(self, name) for name in _FIELDS))


_FIELDS: Final = Session.__struct_fields__


class RedisSessions:
    """:class:`bjidp.sessions.ports.SessionStore` for many processes."""

    def __init__(self, link: Link, prefix: str, gate: Gate, audit: AuditLog, grants: Dependents) -> None:
        """Keep sessions under keys that begin with ``prefix``; ``grants`` go with them."""
        self._rows = OwnedRows(link, prefix, Kept)
        self._owed = Owed(link, f"{prefix}owed")
        self._gate = gate
        self._ledger = Ledger(gate, audit)
        self._grants = grants

    async def open(self, session: Session, key: bytes, replaces: bytes | None, epoch: int | None = None) -> None:
        """See :meth:`bjidp.sessions.ports.SessionStore.open`."""
        now = session.created_at
        names = {session.id: session.account, key.hex(): f"{session.account} {session.id}"}
        kept = Kept(**msgspec.structs.asdict(session), key=key, epoch=epoch or 0)
        try:
            await self._rows.add(session.account, kept, session.expires_at - now, names)
            standing = await self._gate.admit(session.account, session.login, session.id, now, epoch)
            if standing.epoch != kept.epoch:
                # Not known before; nobody has the cookie yet. A row that was ended meanwhile stays ended.
                in_epoch = msgspec.structs.replace(kept, epoch=standing.epoch)
                await self._rows.swap(session.account, in_epoch, kept.version)
            if replaces is not None:
                await self._end_key(replaces, now)
        except BaseException:
            await self._rows.withdraw(session.account, kept, names)
            raise

    async def find(self, key: bytes, now: Instant) -> tuple[Session, Standing] | None:
        """See :meth:`bjidp.sessions.ports.SessionStore.find`."""
        where = await self._rows.owner(key.hex())
        if where is None:
            return None
        account, _, session_id = where.partition(" ")
        # One after the other: two tasks for both at once take more CPU than either look.
        kept = await self._rows.get(account, session_id, now)
        if kept is None or not kept.opens_to(key):
            return None
        standing = await self._gate.standing(account)
        if standing is None or standing.refusal is not None or not standing.counts(kept.id, kept.epoch):
            return None
        return kept.session(), standing

    async def lives(self, account: str, session: str, now: Instant, *, settled: bool = False) -> bool:
        """See :meth:`bjidp.sessions.ports.SessionStore.lives`. A session is removed in one step, so all is settled."""
        del settled
        return await self._rows.get(account, session, now) is not None

    async def save(self, session: Session) -> Session:
        """See :meth:`bjidp.sessions.ports.SessionStore.save`."""
        kept = await self._rows.get(session.account, session.id, now=0)
        if kept is None or kept.version != session.version:
            raise StaleSession
        # Who it is and how long it lives are no caller's to change.
        saved = msgspec.structs.replace(
            kept, data=session.data, last_used_at=session.last_used_at, version=session.version + 1
        )
        if not await self._rows.swap(session.account, saved, session.version):
            raise StaleSession
        return saved.session()

    async def rekey(self, session: Session, key: bytes, fresh: bytes, now: Instant) -> bool:
        """See :meth:`bjidp.sessions.ports.SessionStore.rekey`.

        The new cookie leads here before the row says that it counts; until then it opens nothing.
        """
        account = session.account
        await self._rows.point(fresh.hex(), f"{account} {session.id}", session.expires_at - now)
        for _ in range(ATTEMPTS):
            kept = await self._rows.get(account, session.id, now)
            if kept is None or not kept.opens_to(key):
                await self._forget(fresh)
                return False
            renewed = msgspec.structs.replace(kept, key=fresh, version=kept.version + 1)
            if await self._rows.swap(account, renewed, kept.version):
                await self._forget(key)
                return True
        raise StoreUnavailable(1)

    async def end(self, session: str, reason: SessionEnd, now: Instant) -> bool:
        """See :meth:`bjidp.sessions.ports.SessionStore.end`."""
        account = await self._rows.owner(session)
        return account is not None and await self._end(account, session, reason, now)

    async def end_by_ticket(self, account: str, ticket: Sequence[bytes], reason: SessionEnd, now: Instant) -> list[str]:
        """See :meth:`bjidp.sessions.ports.SessionStore.end_by_ticket`."""
        found = [row.id for row in await self._rows.of_owner(account, now) if row.login.ticket in ticket]
        return [session for session in found if await self._end(account, session, reason, now)]

    async def end_others(self, account: str, keep: str | None, reason: SessionEnd, now: Instant) -> list[str]:
        """See :meth:`bjidp.sessions.ports.SessionStore.end_others`.

        A login that was admitted in the old epoch has written its row before.
        """
        await self._gate.outdate(account)
        others = [row.id for row in await self._rows.of_owner(account, now) if row.id != keep]
        ended = [session for session in others if await self._end(account, session, reason, now)]
        if not reason.is_departure:
            await self._grants.end_of_account(account, keep, now)
        return ended

    async def of_account(self, account: str, now: Instant) -> list[Session]:
        """See :meth:`bjidp.sessions.ports.SessionStore.of_account`."""
        rows = await self._rows.of_owner(account, now)
        standing = await self._gate.standing(account) if rows else None
        live = [row for row in rows if standing is not None and standing.counts(row.id, row.epoch)]
        return [row.session() for row in sorted(live, key=lambda row: (-row.created_at, row.id))]

    async def settle(self, now: Instant, limit: int) -> int:
        """See :meth:`bjidp.sessions.ports.SessionStore.settle`."""
        owed = await self._owed.since(now - PATIENCE, limit)
        for entry in owed:
            account, session, _ = entry.split(" ")
            if await self._rows.get(account, session, now) is None:
                await self._follow(entry, now)
            else:
                # Whoever meant to end it got no further.
                await self._owed.settle(entry)
        return len(owed)

    async def purge(self, now: Instant, limit: int) -> int:
        """See :meth:`bjidp.sessions.ports.SessionStore.purge`."""
        return await self._rows.purge(now, limit)

    async def _end_key(self, key: bytes, now: Instant) -> None:
        where = await self._rows.owner(key.hex())
        if where is not None:
            account, _, session = where.partition(" ")
            kept = await self._rows.get(account, session, now)
            if kept is not None and kept.opens_to(key):
                await self._end(account, session, SessionEnd.REPLACED, now)

    async def _forget(self, key: bytes) -> None:
        with contextlib.suppress(StoreUnavailable):
            # It opens nothing any more, and dies by itself.
            await self._rows.unpoint(key.hex())

    async def _end(self, account: str, session: str, reason: SessionEnd, now: Instant) -> bool:
        entry = f"{account} {session} {'departed' if reason.is_departure else 'over'}"
        await self._owed.note(entry, now)
        ended = await self._rows.remove(account, session, now)
        if ended is not None:
            ticket = None if ended.login.ticket is None else base64url(ended.login.ticket)
            facts = {Fact.REASON: reason.value}
            await self._ledger.ended(EventKind.SESSION_ENDED, account, session, now, facts, ticket)
        # Also where somebody else has removed it: they may get no further.
        try:
            await self._follow(entry, now)
        except StoreUnavailable:
            log.warning("grants_left_to_settle", session=session)
        return ended is not None

    async def _follow(self, entry: str, now: Instant) -> None:
        """End the grants that go with a session that is over, and forget that this is owed."""
        _, session, how = entry.split(" ")
        await self._grants.end_of_session(session, now, away=how == "over")
        await self._owed.settle(entry)
