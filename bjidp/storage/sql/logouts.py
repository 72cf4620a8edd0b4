"""What relying parties are to be told of sessions and accounts that are over (RP-1).

Owns ``LogoutOutbox`` and the rows written in the transaction of whatever ends. For a relying party that registered no
address nothing is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, bindparam, case, func, insert, null, select, update

from bjidp.audit.event import AuditEvent, EventKind, Fact
from bjidp.clock import Instant
from bjidp.oidc.logouts.notice import LogoutNotice
from bjidp.oidc.ports import LogoutCounts
from bjidp.storage.sql.audit import AuditRows
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.statements import Value, delete_some
from bjidp.storage.sql.database.transaction import Transaction
from bjidp.storage.sql.registrations import read_kept
from bjidp.storage.sql.schema import account, consent, logout_outbox, oidc_grant, oidc_subject, relying_party

_TOLD = "told"
_GIVEN_UP = "given_up"


class _Receiver(Struct, frozen=True):
    """What the metadata of a relying party say about telling it."""

    backchannel_logout_uri: str = ""
    backchannel_logout_session_required: bool = False


_RECEIVER = msgspec.json.Decoder(_Receiver)


class Ended(Struct, frozen=True):
    """A grant whose relying party is told that its session is over."""

    account: str
    client: str
    subject: str
    session: str


class LogoutRows:
    """Queues notices within a transaction."""

    def __init__(self, engine: SqlEngine) -> None:
        """Compile the statements for ``engine``."""
        self._ref = engine.compile(select(account.c.ref).where(account.c.id == bindparam("account")))
        self._metadata = engine.compile(
            select(relying_party.c.metadata).where(relying_party.c.id == bindparam("client"))
        )
        columns = ("client", "account_ref", "subject", "session", "created_at", "attempts", "due_at")
        self._insert = engine.compile(insert(logout_outbox).inline(), columns)
        self._grants = engine.compile(
            select(oidc_grant.c.client, oidc_grant.c.subject, oidc_grant.c.session)
            .where(oidc_grant.c.account == bindparam("account"))
            .order_by(oidc_grant.c.created_at)
        )
        self._consents = engine.compile(select(consent.c.client).where(consent.c.account == bindparam("account")))
        self._subject = engine.compile(
            select(oidc_subject.c.subject).where(
                oidc_subject.c.account == bindparam("account"), oidc_subject.c.sector == bindparam("sector_name")
            )
        )

    def sessions_over(self, transaction: Transaction, ended: Iterable[Ended], now: Instant) -> None:
        """Have relying parties told that sessions are over, each once for a session."""
        for one in dict.fromkeys(ended):
            if self._receiver(transaction, one.client) is None:
                continue
            row = transaction.one(self._ref, {"account": one.account})
            if row is not None:
                self._queue(transaction, row[0], one.client, one.subject, one.session, now)

    def account_over(self, transaction: Transaction, account_id: str, ref: str, now: Instant) -> None:
        """Have every relying party that knows an account told that it is over, before its names are erased.

        One that takes no notice without a session is told of each session it has; the others of all at once.
        """
        subjects: dict[str, str] = {}
        sessions: dict[str, dict[str, None]] = {}
        for client, subject, session in transaction.all(self._grants, {"account": account_id}):
            subjects[client] = subject
            sessions.setdefault(client, {})[session] = None
        for (client,) in transaction.all(self._consents, {"account": account_id}):
            found = None if client in subjects else self._subject_of(transaction, account_id, client)
            if found is not None:
                subjects[client] = found
        for client, subject in subjects.items():
            receiver = self._receiver(transaction, client)
            if receiver is None:
                continue
            by_session = receiver.backchannel_logout_session_required
            for each in sessions.get(client, ()) if by_session else (None,):
                self._queue(transaction, ref, client, subject, each, now)

    def _receiver(self, transaction: Transaction, client: str) -> _Receiver | None:
        row = transaction.one(self._metadata, {"client": client})
        found = None if row is None else _RECEIVER.decode(row[0])
        return found if found is not None and found.backchannel_logout_uri else None

    def _subject_of(self, transaction: Transaction, account_id: str, client: str) -> str | None:
        row = transaction.one(self._metadata, {"client": client})
        if row is None:
            return None
        found = read_kept(client, row[0])
        if found is None:
            return None
        named = transaction.one(self._subject, {"account": account_id, "sector_name": found.subject_sector})
        return None if named is None else str(named[0])

    def _queue(
        self, transaction: Transaction, ref: str, client: str, subject: str, session: str | None, now: Instant
    ) -> None:
        values: dict[str, Value] = {"client": client, "account_ref": ref, "subject": subject, "session": session}
        transaction.run(self._insert, {**values, "created_at": now, "attempts": 0, "due_at": now})


class SqlLogouts:
    """The port ``bjidp.oidc.ports.LogoutOutbox``."""

    def __init__(self, engine: SqlEngine) -> None:
        """Compile the statements for ``engine``."""
        self._engine = engine
        self._audit = AuditRows(engine)
        table = logout_outbox
        due = table.c.due_at <= bindparam("now")
        self._due = engine.compile(select(table.c.client).where(due).group_by(table.c.client).limit(bindparam("limit")))
        chosen = (
            select(table.c.id)
            .where(table.c.client == bindparam("of_client"), due)
            .order_by(table.c.due_at, table.c.id)
            .limit(bindparam("limit"))
        )
        if engine.dialect.name == "postgresql":
            # As in delete_some: a query with locks stands apart, and rows that somebody else takes are passed by.
            apart = chosen.with_for_update(skip_locked=True).cte("chosen")
            chosen = select(apart.c.id)
        self._take = engine.compile(
            update(table)
            .where(table.c.id.in_(chosen))
            .values(due_at=bindparam("until"), attempts=table.c.attempts + 1)
            .returning(table.c.id, table.c.account_ref, table.c.subject, table.c.session, table.c.created_at,
                       table.c.attempts)
        )  # fmt: skip
        mine = (table.c.id == bindparam("notice"), table.c.due_at == bindparam("taken"))
        over = {"due_at": null(), "over_at": bindparam("now"), "outcome": bindparam("how")}
        self._told = engine.compile(
            update(table).where(table.c.id == bindparam("notice"), table.c.over_at.is_(None)).values(over)
        )
        self._give_up = engine.compile(update(table).where(*mine).values(over))
        self._put_off = engine.compile(update(table).where(*mine).values(due_at=bindparam("until")))
        waiting = table.c.over_at.is_(None)

        def counted(which: ColumnElement[bool]) -> ColumnElement[int]:
            return func.sum(case((which, 1), else_=0))

        self._counts = engine.compile(
            select(
                table.c.client,
                counted(waiting),
                func.min(case((waiting, table.c.created_at))),
                counted(table.c.outcome == _TOLD),
                counted(table.c.outcome == _GIVEN_UP),
            )
            .group_by(table.c.client)
            .order_by(table.c.client)
        )
        self._forget = engine.compile(delete_some(table, table.c.over_at < bindparam("before"), engine.dialect))

    async def due(self, now: Instant, limit: int) -> list[str]:
        return [client for (client,) in await self._engine.all(self._due, {"now": now, "limit": limit})]

    async def take(self, client: str, now: Instant, until: Instant, limit: int) -> list[LogoutNotice]:
        values: dict[str, Value] = {"of_client": client, "now": now, "until": until, "limit": limit}
        taken = await self._engine.write_one(self._take, values)
        notices = (
            LogoutNotice(
                id=number,
                client=client,
                account_ref=ref,
                subject=subject,
                session=session,
                created_at=created_at,
                attempts=attempts,
                due_at=until,
            )
            for number, ref, subject, session, created_at, attempts in taken.rows
        )
        return sorted(notices, key=lambda notice: notice.id)

    async def told(self, notice: LogoutNotice, now: Instant) -> None:
        def work(transaction: Transaction) -> None:
            values: dict[str, Value] = {"notice": notice.id, "now": now, "how": _TOLD}
            if transaction.run(self._told, values):
                self._audit.write(transaction, _event(EventKind.LOGOUT_TOLD, notice, now))

        await self._engine.write_briefly(work)

    async def put_off(self, notice: LogoutNotice, until: Instant) -> None:
        values: dict[str, Value] = {"notice": notice.id, "taken": notice.due_at, "until": until}
        await self._engine.write_one(self._put_off, values)

    async def give_up(self, notice: LogoutNotice, now: Instant) -> None:
        def work(transaction: Transaction) -> None:
            values: dict[str, Value] = {"notice": notice.id, "taken": notice.due_at, "now": now, "how": _GIVEN_UP}
            if transaction.run(self._give_up, values):
                self._audit.write(transaction, _event(EventKind.LOGOUT_NOT_TOLD, notice, now))

        await self._engine.write_briefly(work)

    async def counts(self) -> list[LogoutCounts]:
        return [LogoutCounts(*row) for row in await self._engine.all(self._counts, {})]

    async def forget(self, before: Instant, limit: int) -> int:
        values: dict[str, Value] = {"before": before, "limit": limit}
        return await self._engine.write(lambda transaction: transaction.run(self._forget, values))


def ended(rows: Sequence[tuple[str, str, str, str]]) -> list[Ended]:
    """Return what rows of account, client, subject and session say."""
    return [Ended(*row) for row in rows]


def _event(kind: EventKind, notice: LogoutNotice, now: Instant) -> AuditEvent:
    return AuditEvent(kind, now, notice.account_ref, notice.session, None, {Fact.CLIENT: notice.client})
