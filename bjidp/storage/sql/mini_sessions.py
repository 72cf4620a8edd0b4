"""Mini-program sessions in a database.

Owns ``MiniSessionStore`` for one process, or for several on one PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, bindparam, delete, exists, insert, select, update

from bjidp.audit.event import AuditEvent, EventKind, Fact
from bjidp.clock import Instant
from bjidp.miniprogram.ports import MiniSession, MiniSessionEnd, StaleMiniSession
from bjidp.standing import Standing
from bjidp.storage.sql.account_rows import next_epoch
from bjidp.storage.sql.admission import Admission
from bjidp.storage.sql.audit import AuditRows
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.statements import Statement, Value, delete_some
from bjidp.storage.sql.database.transaction import Transaction
from bjidp.storage.sql.rows import ACCOUNT_WITH_IDENTITY, MINI_SESSION, STANDING, Rows, mini_session_from
from bjidp.storage.sql.schema import account, mini_session, platform_link

_LIVE = mini_session.c.expires_at > bindparam("now")


class MiniSessionEnds:
    """Ends mini-program sessions within a transaction, each with its audit event.

    The epoch of their account ends with them, unless one only makes room for another of its own link.
    """

    def __init__(self, engine: SqlEngine) -> None:
        """Compile the statements for ``engine``."""
        table = mini_session
        self._audit = AuditRows(engine)
        of_link = table.c.link == bindparam("link")
        newest = (
            select(table.c.id)
            .where(of_link, _LIVE)
            .order_by(table.c.created_at.desc(), table.c.id)
            .limit(bindparam("kept"))
        )

        def ending(*where: ColumnElement[bool]) -> Statement:
            ended = (table.c.id, table.c.account, table.c.link)
            return engine.compile(delete(table).where(_LIVE, *where).returning(*ended))

        def outdating(which: ColumnElement[bool]) -> Statement:
            return engine.compile(next_epoch(which))

        of_session = select(table.c.account).where(table.c.id == bindparam("session"), _LIVE).scalar_subquery()
        holder = select(platform_link.c.account).where(platform_link.c.id == bindparam("link")).scalar_subquery()
        # Before the delete: a login of a phone locks the account first and deletes sessions then, so whoever did it the
        # other way round could wait for that login, and that login for them.
        self._outdate_one = outdating(account.c.id == of_session)
        self._outdate_holder = outdating(account.c.id == holder)
        self._outdate = outdating(account.c.id == bindparam("account"))
        self._end = ending(table.c.id == bindparam("session"))
        self._end_of_link = ending(of_link)
        self._end_others = ending(table.c.account == bindparam("account"), table.c.id != bindparam("keep"))
        self._end_older = ending(of_link, table.c.id.not_in(newest))

    def one(self, transaction: Transaction, session: str, reason: MiniSessionEnd, now: Instant) -> int:
        """End one session; return how many that was."""
        values: dict[str, Value] = {"session": session, "now": now}
        transaction.run(self._outdate_one, values)
        return len(self._ended(transaction, transaction.all(self._end, values), reason, now))

    def of_link(self, transaction: Transaction, link: str, reason: MiniSessionEnd, now: Instant) -> list[str]:
        """End every session of a link that goes; return which there were here."""
        values: dict[str, Value] = {"link": link, "now": now}
        transaction.run(self._outdate_holder, values)
        return self._ended(transaction, transaction.all(self._end_of_link, values), reason, now)

    def but(
        self, transaction: Transaction, account_id: str, keep: str | None, reason: MiniSessionEnd, now: Instant
    ) -> list[str]:
        """End every session of an account but ``keep``; return which."""
        values: dict[str, Value] = {"account": account_id, "keep": keep or "", "now": now}
        transaction.run(self._outdate, values)
        return self._ended(transaction, transaction.all(self._end_others, values), reason, now)

    def but_newest(self, transaction: Transaction, link: str, kept: int, reason: MiniSessionEnd, now: Instant) -> int:
        """End the sessions of a link but the ``kept`` newest; return how many that was."""
        rows = transaction.all(self._end_older, {"link": link, "kept": kept, "now": now})
        return len(self._ended(transaction, rows, reason, now))

    def _ended(
        self, transaction: Transaction, rows: list[tuple[str, str, str]], reason: MiniSessionEnd, now: Instant
    ) -> list[str]:
        for session, account_id, link in rows:
            facts = {Fact.REASON: reason.value, Fact.LINK: link}
            event = AuditEvent(EventKind.MINI_SESSION_ENDED, now, None, session, None, facts)
            self._audit.write_for(transaction, account_id, event)
        return [row[0] for row in rows]


class SqlMiniSessions:
    """The port ``bjidp.miniprogram.ports.MiniSessionStore``."""

    def __init__(self, engine: SqlEngine, rows: Rows, admission: Admission) -> None:
        """Compile the statements for ``engine``."""
        self._engine = engine
        self._rows = rows
        self._admission = admission
        self._ends = MiniSessionEnds(engine)
        table = mini_session
        self._insert = engine.compile(insert(table))
        self._find = engine.compile(
            select(*MINI_SESSION, *STANDING)
            .select_from(table.join(ACCOUNT_WITH_IDENTITY, account.c.id == table.c.account))
            .where(table.c.id == bindparam("session"), _LIVE)
        )
        self._replace = engine.compile(
            update(table)
            .where(table.c.id == bindparam("session"), table.c.version == bindparam("expected"))
            .values(
                generation=bindparam("new_generation"),
                rotated_at=bindparam("new_rotated_at"),
                used=bindparam("new_used"),
                version=bindparam("next"),
            )
            .returning(*MINI_SESSION)
        )
        self._of_account = engine.compile(
            select(*MINI_SESSION)
            .where(table.c.account == bindparam("account"), _LIVE)
            .order_by(table.c.created_at.desc(), table.c.id)
        )
        self._live_of_link = engine.compile(select(exists().where(table.c.link == bindparam("link"), _LIVE)))
        self._purge = engine.compile(delete_some(table, table.c.expires_at <= bindparam("now"), engine.dialect))

    async def open(self, session: MiniSession, newest: int | None = None) -> None:
        """Create the row; audit the login; make room on its link. Raises ``AccountRefused``."""

        def work(transaction: Transaction) -> None:
            self._admission.mini(
                transaction,
                session.account,
                session.id,
                session.created_at,
                link=session.link,
                platform=session.platform,
            )
            if newest is not None:
                # Before the insert, so that the new one is none of them.
                self._ends.but_newest(
                    transaction, session.link, newest - 1, MiniSessionEnd.CROWDED_OUT, session.created_at
                )
            transaction.run(
                self._insert,
                {
                    "id": session.id,
                    "account": session.account,
                    "link": session.link,
                    "platform": session.platform,
                    "generation": session.generation,
                    "rotated_at": session.rotated_at,
                    "used": int(session.used),
                    "created_at": session.created_at,
                    "expires_at": session.expires_at,
                    "version": session.version,
                },
            )

        await self._engine.write_briefly(work)

    async def find(self, session: str, now: Instant) -> tuple[MiniSession, Standing] | None:
        """Return the live session and its account's standing in one look; None if unknown or over."""
        row = await self._engine.one(self._find, {"session": session, "now": now})
        if row is None:
            return None
        width = len(MINI_SESSION)
        return mini_session_from(row[:width]), self._rows.standing(row[width:])

    async def replace(self, session: MiniSession) -> MiniSession:
        """Write generation, ``rotated_at`` and ``used`` at this version, return the row; :class:`StaleMiniSession`."""
        values: dict[str, Value] = {
            "session": session.id,
            "expected": session.version,
            "next": session.version + 1,
            "new_generation": session.generation,
            "new_rotated_at": session.rotated_at,
            "new_used": int(session.used),
        }
        replaced = await self._engine.write_one(self._replace, values)
        if not replaced.rows:
            raise StaleMiniSession
        return mini_session_from(replaced.rows[0])

    async def end(self, session: str, reason: MiniSessionEnd, now: Instant) -> bool:
        """Delete the row, audit why; return whether it was live."""
        return bool(
            await self._engine.write_briefly(lambda transaction: self._ends.one(transaction, session, reason, now))
        )

    async def end_others(
        self, account: str, keep: str | None, reason: MiniSessionEnd, now: Instant, gone: Sequence[str] = ()
    ) -> list[str]:
        """End the account's live sessions but ``keep``; return the ids of the sessions ended.

        Those of links that are ``gone`` went with them, in one transaction.
        """
        del gone
        return await self._engine.write_briefly(
            lambda transaction: self._ends.but(transaction, account, keep, reason, now)
        )

    async def end_of_links(self, links: Sequence[str], reason: MiniSessionEnd, now: Instant) -> list[str]:
        """Return none: rows of sessions go with their link."""
        return []

    async def of_account(self, account: str, now: Instant) -> list[MiniSession]:
        """Return the account's live sessions, newest first."""
        rows = await self._engine.all(self._of_account, {"account": account, "now": now})
        return [mini_session_from(row) for row in rows]

    async def live_of_link(self, link: str, now: Instant) -> bool:
        """Return whether a platform link has a live session."""
        row = await self._engine.one(self._live_of_link, {"link": link, "now": now})
        return row is not None and bool(row[0])

    async def purge(self, now: Instant, limit: int) -> int:
        """Delete at most ``limit`` rows whose time is over; return how many."""
        values: dict[str, Value] = {"now": now, "limit": limit}
        return await self._engine.write(lambda transaction: transaction.run(self._purge, values))
