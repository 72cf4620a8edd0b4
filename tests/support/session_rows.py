"""A store of browser sessions as a dict, for tests of the services above it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Sequence

import msgspec

from bjidp.clock import Instant
from bjidp.errors import AccountRefused
from bjidp.sessions.ports import ConfirmationOver, Session, SessionEnd, StaleSession
from bjidp.standing import Level, Standing, Status


class SessionRows:
    """The store."""

    def __init__(self) -> None:
        """Begin empty. ``coming`` happens, one at a time, just after all sessions of an account were ended."""
        self.rows: dict[bytes, Session] = {}
        self.ended: list[tuple[str, str, Instant]] = []
        self.refusal: str | None = None
        self.asked = 0
        self.coming: list[Awaitable[object]] = []
        self.epochs: Counter[str] = Counter()

    async def open(self, session: Session, key: bytes, replaces: bytes | None, epoch: int | None = None) -> None:
        """Keep the session in place of another, unless the account is refused or its epoch over."""
        if self.refusal is not None:
            raise AccountRefused(self.refusal)
        if epoch is not None and epoch != self.epochs[session.account]:
            raise ConfirmationOver
        self.rows.pop(replaces or b"", None)
        self.rows[key] = session

    async def find(self, key: bytes, now: Instant) -> tuple[Session, Standing] | None:
        """Return the live session."""
        self.asked += 1
        session = self.rows.get(key)
        if session is None or now >= session.expires_at:
            return None
        return session, Standing(session.account, "ref", Status.ACTIVE, "张**", Level.L3)

    async def lives(self, account: str, session: str, now: Instant, *, settled: bool = False) -> bool:
        """Tell whether the row is there."""
        return any(row.id == session for row in await self.of_account(account, now))

    async def settle(self, now: Instant, limit: int) -> int:
        """Owe nothing."""
        return 0

    async def save(self, session: Session) -> Session:
        """Write a live row at its version."""
        for key, row in self.rows.items():
            if (row.id, row.version) == (session.id, session.version):
                self.rows[key] = msgspec.structs.replace(session, version=session.version + 1)
                return self.rows[key]
        raise StaleSession

    async def rekey(self, session: Session, key: bytes, fresh: bytes, now: Instant) -> bool:
        """Let the row be found under another key."""
        if self.rows.get(key, session).id != session.id or key not in self.rows:
            return False
        self.rows[fresh] = self.rows.pop(key)
        return True

    async def end(self, session: str, reason: SessionEnd, now: Instant) -> bool:
        """Delete the row."""
        self.ended.append((session, reason, now))
        before = len(self.rows)
        self.rows = {key: row for key, row in self.rows.items() if row.id != session}
        return len(self.rows) < before

    async def end_by_ticket(self, account: str, ticket: Sequence[bytes], reason: SessionEnd, now: Instant) -> list[str]:
        """Delete the rows of one ticket."""
        found = [row.id for row in await self.of_account(account, now) if row.login.ticket in ticket]
        for session in found:
            await self.end(session, reason, now)
        return found

    async def end_others(self, account: str, keep: str | None, reason: SessionEnd, now: Instant) -> list[str]:
        """End its epoch and delete all rows of an account but one; then something comes."""
        self.epochs[account] += 1
        others = [row.id for row in await self.of_account(account, now) if row.id != keep]
        for session in others:
            await self.end(session, reason, now)
        if self.coming:
            await self.coming.pop()
        return others

    async def of_account(self, account: str, now: Instant) -> list[Session]:
        """Return the live rows of an account, newest first."""
        rows = [row for row in self.rows.values() if row.account == account and now < row.expires_at]
        return sorted(rows, key=lambda row: -row.created_at)

    async def purge(self, now: Instant, limit: int) -> int:
        """Nothing here is ever purged."""
        raise NotImplementedError


class Told:
    """What is open for sessions: it remembers which of them it was told of."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.ended: list[str] = []

    async def session_ended(self, session: str) -> None:
        """Remember it."""
        self.ended.append(session)
