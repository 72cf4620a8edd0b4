"""Browser sessions in a database.

Owns ``SessionStore`` for one process, or for several on one PostgreSQL. Saving names id and version and is an
UPDATE: a session that was ended stays ended, whoever saves it late.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import ColumnElement, bindparam, delete, insert, or_, select, update

from bjidp.audit.event import AuditEvent, EventKind, Fact
from bjidp.clock import Instant
from bjidp.entropy import base64url
from bjidp.sessions.ports import Session, SessionEnd, StaleSession
from bjidp.standing import MAY_LOG_IN, Standing
from bjidp.storage.sql.account_rows import next_epoch
from bjidp.storage.sql.admission import Admission
from bjidp.storage.sql.audit import AuditRows
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.statements import Statement, Value, delete_some
from bjidp.storage.sql.database.transaction import Transaction
from bjidp.storage.sql.grants import GrantRows
from bjidp.storage.sql.rows import ACCOUNT_WITH_IDENTITY, SESSION, STANDING, Rows, session_from
from bjidp.storage.sql.schema import account, browser_session

_LIVE = browser_session.c.expires_at > bindparam("now")
_COUNTS = or_(browser_session.c.epoch >= account.c.fence, browser_session.c.id == account.c.kept)
"""As :meth:`bjidp.standing.Standing.counts` has it."""


class SqlSessions:
    """The port ``bjidp.sessions.ports.SessionStore``."""

    def __init__(self, engine: SqlEngine, rows: Rows, admission: Admission, grants: GrantRows) -> None:
        """Compile the statements for ``engine``."""
        self._engine = engine
        self._rows = rows
        self._admission = admission
        self._grants = grants
        self._audit = AuditRows(engine)
        table = browser_session
        self._insert = engine.compile(insert(table))
        self._find = engine.compile(
            select(*SESSION, *STANDING)
            .select_from(table.join(ACCOUNT_WITH_IDENTITY, account.c.id == table.c.account))
            .where(table.c.key == bindparam("key"), _LIVE, _COUNTS, account.c.status == MAY_LOG_IN.value)
        )
        alive = select(table.c.id).where(
            table.c.id == bindparam("session"), table.c.account == bindparam("account"), _LIVE
        )
        self._lives = engine.compile(alive)
        # The row lock waits for an end that is under way, and makes one that comes wait. SQLite has one writer.
        self._lives_settled = engine.compile(alive.with_for_update(read=True))
        self._save = engine.compile(
            update(table)
            .where(table.c.id == bindparam("session"), table.c.version == bindparam("expected"))
            .values(data=bindparam("new_data"), last_used_at=bindparam("used_at"), version=bindparam("next"))
        )
        self._rekey = engine.compile(
            update(table)
            .where(table.c.id == bindparam("session"), table.c.key == bindparam("old_key"), _LIVE)
            .values(key=bindparam("new_key"))
        )
        self._of_account = engine.compile(
            select(*SESSION)
            .select_from(table.join(account, account.c.id == table.c.account))
            .where(table.c.account == bindparam("account"), _LIVE, _COUNTS)
            .order_by(table.c.created_at.desc(), table.c.id)
        )

        def ending(*where: ColumnElement[bool]) -> Statement:
            ended = (table.c.id, table.c.account, table.c.ticket)
            return engine.compile(delete(table).where(_LIVE, *where).returning(*ended))

        self._end = ending(table.c.id == bindparam("session"))
        self._end_key = ending(table.c.key == bindparam("key"))
        of_account = table.c.account == bindparam("account")
        self._end_ticket = ending(of_account, table.c.ticket == bindparam("ticket"))
        self._end_others = ending(of_account, table.c.id != bindparam("keep"))
        self._next_epoch = engine.compile(next_epoch(account.c.id == bindparam("account")))
        self._purge = engine.compile(delete_some(table, table.c.expires_at <= bindparam("now"), engine.dialect))

    async def open(self, session: Session, key: bytes, replaces: bytes | None, epoch: int | None = None) -> None:
        """Create the row in place of the one under ``replaces``; raise ``AccountRefused``, ``ConfirmationOver``."""
        login = session.login
        now = session.created_at

        def work(transaction: Transaction) -> None:
            standing = self._admission.browser(transaction, session.account, login, session.id, now, epoch)
            if replaces is not None:
                self._ended(
                    transaction, transaction.all(self._end_key, {"key": replaces, "now": now}), SessionEnd.REPLACED, now
                )
            transaction.run(
                self._insert,
                {
                    "id": session.id,
                    "key": key,
                    "account": session.account,
                    "way": login.way.value,
                    "platform": login.platform,
                    "link": login.link,
                    "browser": login.browser,
                    "os": login.os,
                    "area": login.area,
                    "network": login.network,
                    "ticket": login.ticket,
                    "created_at": now,
                    "last_used_at": session.last_used_at,
                    "expires_at": session.expires_at,
                    "csrf": session.csrf,
                    "data": _encode(session.data),
                    "version": session.version,
                    "epoch": standing.epoch,
                },
            )

        await self._engine.write_briefly(work)

    async def find(self, key: bytes, now: Instant) -> tuple[Session, Standing] | None:
        """Return the live session under ``key`` and its account's standing, or None."""
        row = await self._engine.one(self._find, {"key": key, "now": now})
        if row is None:
            return None
        width = len(SESSION)
        return session_from(row[:width]), self._rows.standing(row[width:])

    async def lives(self, account: str, session: str, now: Instant, *, settled: bool = False) -> bool:
        """Tell whether a session of an account is there."""
        values: dict[str, Value] = {"account": account, "session": session, "now": now}
        if settled and self._engine.dialect.name == "postgresql":
            return bool((await self._engine.write_one(self._lives_settled, values)).rows)
        return await self._engine.one(self._lives, values) is not None

    async def save(self, session: Session) -> Session:
        """Write ``data`` and ``last_used_at`` if the row still has this version; raise :class:`StaleSession`."""
        values: dict[str, Value] = {
            "session": session.id,
            "expected": session.version,
            "next": session.version + 1,
            "new_data": _encode(session.data),
            "used_at": session.last_used_at,
        }
        saved = await self._engine.write_one(self._save, values)
        if not saved.number:
            raise StaleSession
        return msgspec.structs.replace(session, version=session.version + 1)

    async def rekey(self, session: Session, key: bytes, fresh: bytes, now: Instant) -> bool:
        """Let the live session be found under ``fresh`` and no more under ``key``; tell whether it was there."""
        values: dict[str, Value] = {"session": session.id, "old_key": key, "new_key": fresh, "now": now}
        return (await self._engine.write_one(self._rekey, values)).number == 1

    async def end(self, session: str, reason: SessionEnd, now: Instant) -> bool:
        """Delete the row, audit why; return whether it was live."""

        def work(transaction: Transaction) -> list[str]:
            rows = transaction.all(self._end, {"session": session, "now": now})
            return self._ended(transaction, rows, reason, now)

        return bool(await self._engine.write_briefly(work))

    async def end_by_ticket(self, account: str, ticket: Sequence[bytes], reason: SessionEnd, now: Instant) -> list[str]:
        """End what came of one QR ticket of this account; return the ids of the sessions ended."""

        def work(transaction: Transaction) -> list[str]:
            rows = [
                row
                for digest in ticket
                for row in transaction.all(self._end_ticket, {"account": account, "ticket": digest, "now": now})
            ]
            return self._ended(transaction, rows, reason, now)

        return await self._engine.write_briefly(work)

    async def end_others(self, account: str, keep: str | None, reason: SessionEnd, now: Instant) -> list[str]:
        """End the account's live sessions but ``keep``; return the ids of the sessions ended."""
        values: dict[str, Value] = {"account": account, "keep": keep or "", "now": now}

        def work(transaction: Transaction) -> list[str]:
            # Waits for the logins that have looked at the account: the next statement finds their sessions.
            transaction.run(self._next_epoch, values)
            ended = self._ended(transaction, transaction.all(self._end_others, values), reason, now)
            if not reason.is_departure:
                self._grants.end_of_account(transaction, account, keep, now)
            return ended

        # As many as there are: too many, perhaps, for the event loop.
        return await self._engine.write(work)

    async def of_account(self, account: str, now: Instant) -> list[Session]:
        """Return the account's live sessions, newest first."""
        rows = await self._engine.all(self._of_account, {"account": account, "now": now})
        return [session_from(row) for row in rows]

    async def settle(self, now: Instant, limit: int) -> int:
        """Return 0: grants go with their session, in its transaction."""
        del now, limit
        return 0

    async def purge(self, now: Instant, limit: int) -> int:
        """Delete at most ``limit`` rows whose time is over; return how many."""
        values: dict[str, Value] = {"now": now, "limit": limit}
        return await self._engine.write(lambda transaction: transaction.run(self._purge, values))

    def _ended(
        self, transaction: Transaction, rows: list[tuple[str, str, bytes | None]], reason: SessionEnd, now: Instant
    ) -> list[str]:
        for session, account_id, ticket in rows:
            reference = None if ticket is None else base64url(ticket)
            event = AuditEvent(EventKind.SESSION_ENDED, now, None, session, reference, {Fact.REASON: reason.value})
            self._audit.write_for(transaction, account_id, event)
            self._grants.end_of_session(transaction, session, now, away=not reason.is_departure)
        return [row[0] for row in rows]


def _encode(data: dict[str, str]) -> str:
    return msgspec.json.encode(data).decode()
