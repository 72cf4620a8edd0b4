"""The live grants of relying parties (RP-1).

Owns ``GrantStore``, and the ends of grants that come with something else: a withdrawn consent, an ended session. A
grant is a row; its end leaves an event, so that whatever names it is over at once (attack T3). What ends before its
session is kept until that does, since its relying party has to be told then, and with the session it is deleted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, delete, exists, func, null, or_, select, update

from bjidp.accounts.member_ports import Member
from bjidp.audit.event import AuditEvent, EventKind, Fact
from bjidp.clock import Instant
from bjidp.oidc.devices.login import UNKNOWN, DeviceLogin, Origin
from bjidp.oidc.grants.code import OF_A_DEVICE, Approval, Authentication
from bjidp.oidc.grants.grant import UNGIVEN, Grant, GrantEnd
from bjidp.oidc.grants.refreshing import Family
from bjidp.oidc.ports import StaleGrant
from bjidp.oidc.scopes import Scope, known
from bjidp.standing import MAY_LOG_IN, Level, Standing
from bjidp.storage.sql.audit import AuditRows
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.statements import Row, Statement, Value, delete_some
from bjidp.storage.sql.database.transaction import Transaction
from bjidp.storage.sql.grant_beginning import named, open_beginning
from bjidp.storage.sql.logouts import LogoutRows, ended
from bjidp.storage.sql.registrations import read_kept
from bjidp.storage.sql.rows import ACCOUNT_WITH_IDENTITY, MEMBER, STANDING, Rows
from bjidp.storage.sql.schema import account, device_login, oidc_grant, relying_party

_COLUMNS = (
    "id", "client", "subject", "session", "epoch", "scopes", "organisation", "authenticated_at", "level", "methods",
    "confirmed_in", "number", "created_at", "expires_at",
)  # fmt: skip
_GRANT = tuple(oidc_grant.c[name] for name in _COLUMNS)

_DEVICE = (
    oidc_grant.c.session, oidc_grant.c.client, relying_party.c.metadata, oidc_grant.c.created_at,
    oidc_grant.c.expires_at, oidc_grant.c.confirmed_in, device_login.c.used_at, device_login.c.platform,
    device_login.c.browser, device_login.c.os, device_login.c.area,
)  # fmt: skip

# As Approval.counts has it. No index has both sides of what is compared.
_FENCED: Final = case(
    (oidc_grant.c.session.startswith(OF_A_DEVICE), oidc_grant.c.epoch != account.c.epoch),
    else_=and_(oidc_grant.c.epoch < account.c.fence, oidc_grant.c.session != func.coalesce(account.c.kept, "")),
)

LOOKED_AT: Final = 1000
"""Grants that are looked at in one go for what is fenced: a millisecond's reading."""


class GrantRows:
    """Ends grants within a transaction."""

    def __init__(self, engine: SqlEngine) -> None:
        """Compile the statements for ``engine``."""
        self._audit = AuditRows(engine)
        self._logouts = LogoutRows(engine)
        table = oidc_grant
        whose = (table.c.account, table.c.client, table.c.subject, table.c.session)
        returned = (table.c.id, table.c.ended_at, *whose)

        def ending(*where: ColumnElement[bool]) -> Statement:
            return engine.compile(delete(table).where(*where).returning(*returned))

        of_session, of_account = table.c.session == bindparam("session"), table.c.account == bindparam("account")
        self._drop = ending(table.c.id == bindparam("grant"))
        self._mark = engine.compile(
            update(table)
            .where(table.c.id == bindparam("grant"), table.c.ended_at.is_(None))
            .values(ended_at=bindparam("now"))
            # What is returned is what was there: nothing that had ended.
            .returning(table.c.id, null(), *whose)
        )
        # Those with refresh tokens were agreed to for when the person is away: a log-out does not end them.
        self._end_session = ending(of_session, or_(table.c.number.is_(None), table.c.ended_at.is_not(None)))
        # A log-out leaves what was confirmed for a device on a page of that session; an end from elsewhere says that
        # whoever was in it may keep nothing that they got by it.
        self._end_session_whole = ending(or_(of_session, table.c.confirmed_in == bindparam("session")))
        self._left_of_session = engine.compile(select(*whose).where(of_session))
        self._end_others = ending(of_account, table.c.session != bindparam("keep"))
        fenced = exists(select(account.c.id).where(account.c.id == table.c.account, _FENCED))
        self._end_fenced = ending(table.c.id == bindparam("grant"), fenced)
        self._end_ticket = ending(of_account, of_session)
        self._end_client = ending(of_account, table.c.client == bindparam("client"))
        self._end_all = ending(table.c.client == bindparam("client"))

    def end(self, transaction: Transaction, grant: str, reason: GrantEnd, now: Instant) -> int:
        """End one; return how many there were. One that was never given is deleted: nobody is to be told of it."""
        if reason in UNGIVEN:
            rows = transaction.all(self._drop, {"grant": grant})
        else:
            rows = transaction.all(self._mark, {"grant": grant, "now": now})
        return self._written(transaction, rows, reason, now)

    def end_of_session(self, transaction: Transaction, session: str, now: Instant, *, away: bool) -> int:
        """End those that go with a session, with ``away`` all that came of it; return how many."""
        statement = self._end_session_whole if away else self._end_session
        rows = transaction.all(statement, {"session": session})
        left = [] if away else transaction.all(self._left_of_session, {"session": session})
        self._logouts.sessions_over(transaction, ended([*(row[2:] for row in rows), *left]), now)
        return self._written(transaction, rows, GrantEnd.SESSION_OVER, now)

    def end_of_account(self, transaction: Transaction, account_id: str, keep: str | None, now: Instant) -> int:
        """End all of an account but what came of the session ``keep``; return how many."""
        rows = transaction.all(self._end_others, {"account": account_id, "keep": keep or ""})
        return self._told(transaction, rows, GrantEnd.SESSION_OVER, now)

    def end_fenced(self, transaction: Transaction, grants: Sequence[str], now: Instant) -> int:
        """End those of ``grants`` that a fence is past, or a device's epoch; return how many."""
        rows = [row for grant in grants for row in transaction.all(self._end_fenced, {"grant": grant})]
        return self._told(transaction, rows, GrantEnd.SESSION_OVER, now)

    def end_of_ticket(
        self, transaction: Transaction, account_id: str, session: str, reason: GrantEnd, now: Instant
    ) -> int:
        """End what came of a device ticket, refresh tokens or not; return how many."""
        rows = transaction.all(self._end_ticket, {"account": account_id, "session": session})
        return self._told(transaction, rows, reason, now)

    def end_of_client(
        self, transaction: Transaction, account_id: str, client: str, reason: GrantEnd, now: Instant
    ) -> int:
        """End all that a relying party has of an account; return how many."""
        rows = transaction.all(self._end_client, {"account": account_id, "client": client})
        return self._told(transaction, rows, reason, now)

    def end_all(self, transaction: Transaction, client: str, reason: GrantEnd, now: Instant) -> int:
        """End all that a relying party has, which is told nothing; return how many."""
        return self._written(transaction, transaction.all(self._end_all, {"client": client}), reason, now)

    def _told(self, transaction: Transaction, rows: Sequence[Row], reason: GrantEnd, now: Instant) -> int:
        self._logouts.sessions_over(transaction, ended([row[2:] for row in rows]), now)
        return self._written(transaction, rows, reason, now)

    def _written(self, transaction: Transaction, rows: Sequence[Row], reason: GrantEnd, now: Instant) -> int:
        live = [row for row in rows if row[1] is None]
        for grant, _, account_id, client, _, session in live:
            facts = {Fact.GRANT: grant, Fact.CLIENT: client, Fact.REASON: reason.value}
            event = AuditEvent(EventKind.GRANT_ENDED, now, None, session, None, facts)
            self._audit.write_for(transaction, account_id, event)
        return len(live)


class SqlGrants:
    """The port ``bjidp.oidc.ports.GrantStore``."""

    def __init__(self, engine: SqlEngine, rows: Rows, grants: GrantRows) -> None:
        """Compile the statements for ``engine``."""
        self._engine = engine
        self._rows = rows
        self._grants = grants
        self._beginning = open_beginning(engine, rows)
        self._named = engine.compile(named())
        # Up to where grants were looked at for what is fenced. The next look goes on there: begun anew each time, it
        # would pass all those that are not once for every few that are.
        self._passed = ""
        table = oidc_grant
        self._find = engine.compile(_looked_for(STANDING))
        self._owned = engine.compile(_looked_for(MEMBER))
        self._look = engine.compile(
            select(table.c.id, case((_FENCED, 1), else_=0))
            .select_from(table.join(account, account.c.id == table.c.account))
            .where(table.c.id > bindparam("after"))
            .order_by(table.c.id)
            .limit(bindparam("limit"))
        )
        self._refresh = engine.compile(
            update(table)
            .where(
                table.c.id == bindparam("grant"),
                table.c.number == bindparam("was"),
                table.c.expires_at > bindparam("now"),
                table.c.ended_at.is_(None),
            )
            .values(number=bindparam("next"))
        )
        self._use = engine.compile(
            update(device_login).where(device_login.c.id == bindparam("grant")).values(used_at=bindparam("now"))
        )
        self._devices = engine.compile(
            select(*_DEVICE)
            .select_from(
                table.join(account, account.c.id == table.c.account)
                .join(relying_party, relying_party.c.id == table.c.client)
                .outerjoin(device_login, device_login.c.id == table.c.id)
            )
            .where(
                table.c.account == bindparam("account"),
                table.c.session.startswith(OF_A_DEVICE),
                table.c.epoch == account.c.epoch,
                table.c.ended_at.is_(None),
                table.c.expires_at > bindparam("now"),
            )
            .order_by(table.c.created_at.desc(), table.c.id)
        )
        self._purge = engine.compile(delete_some(table, table.c.expires_at <= bindparam("now"), engine.dialect))

    async def begin(self, grant: Grant, sector: str, now: Instant, origin: Origin | None = None) -> Grant:
        return await self._beginning.begin(grant, sector, now, origin)

    async def subject(self, account: str, sector: str) -> str | None:
        row = await self._engine.one(self._named, {"account_id": account, "sector_name": sector})
        return None if row is None else str(row[0])

    async def find(self, grant: str, now: Instant) -> tuple[Grant, Standing] | None:
        row = await self._engine.one(self._find, {"grant": grant, "now": now})
        if row is None:
            return None
        standing = self._rows.standing(row[len(_GRANT) :])
        found = _grant_from(row[: len(_GRANT)], standing)
        return (found, standing) if found.approval.counts(standing) else None

    async def owned(self, grant: str, now: Instant) -> tuple[Grant, Member] | None:
        row = await self._engine.one(self._owned, {"grant": grant, "now": now})
        if row is None:
            return None
        owner = row[len(_GRANT) :]
        standing = self._rows.standing(owner[: len(STANDING)])
        found = _grant_from(row[: len(_GRANT)], standing)
        if not found.approval.counts(standing):
            return None
        return found, self._rows.member(owner, standing, with_document=Scope.IDENTITY in found.approval.scopes)

    async def refresh(self, grant: Grant, family: Family, now: Instant) -> None:
        was = None if grant.family is None else grant.family.number
        values: dict[str, Value] = {"grant": grant.id, "was": was, "next": family.number, "now": now}
        if not grant.approval.is_of_a_device:
            if not (await self._engine.write_one(self._refresh, values)).number:
                raise StaleGrant
            return

        def work(transaction: Transaction) -> None:
            if not transaction.run(self._refresh, values):
                raise StaleGrant
            transaction.run(self._use, {"grant": grant.id, "now": now})

        await self._engine.write_briefly(work)

    async def devices(self, account: str, now: Instant) -> list[DeviceLogin]:
        rows = await self._engine.all(self._devices, {"account": account, "now": now})
        # An exchange that a store's outage has cut off leaves a grant beside the one that was given.
        found = {row[0]: _device_from(row) for row in reversed(rows)}
        return [login for login in reversed(found.values()) if login is not None]

    async def end(self, grant: str, reason: GrantEnd, now: Instant) -> bool:
        return bool(
            await self._engine.write_briefly(lambda transaction: self._grants.end(transaction, grant, reason, now))
        )

    async def end_of_session(self, session: str, now: Instant, *, away: bool = False) -> int:
        return await self._engine.write_briefly(
            lambda transaction: self._grants.end_of_session(transaction, session, now, away=away)
        )

    async def end_of_account(self, account: str, keep: str | None, now: Instant) -> int:
        return await self._engine.write(
            lambda transaction: self._grants.end_of_account(transaction, account, keep, now)
        )

    async def end_fenced(self, now: Instant, limit: int) -> int:
        found: list[str] = []
        more = True
        while more and len(found) < limit:
            rows = await self._engine.all(self._look, {"after": self._passed, "limit": LOOKED_AT})
            found += [grant for grant, is_fenced in rows if is_fenced]
            more = len(rows) == LOOKED_AT
            self._passed = rows[-1][0] if more else ""
            # SQLite has answered by now: others get in between.
            await asyncio.sleep(0)
        due = found[:limit]
        if not due:
            return 0
        if len(due) == limit:
            self._passed = due[-1]
        return await self._engine.write(lambda transaction: self._grants.end_fenced(transaction, due, now))

    async def end_of_ticket(self, account: str, sessions: Sequence[str], reason: GrantEnd, now: Instant) -> int:
        def work(transaction: Transaction) -> int:
            return sum(self._grants.end_of_ticket(transaction, account, session, reason, now) for session in sessions)

        return await self._engine.write_briefly(work)

    async def purge(self, now: Instant, limit: int) -> int:
        values: dict[str, Value] = {"now": now, "limit": limit}
        return await self._engine.write(lambda transaction: transaction.run(self._purge, values))


def _looked_for(owner: tuple[ColumnElement[object], ...]) -> Select[*tuple[Any, ...]]:
    """Return the look for a grant that may count, and for these columns of its owner."""
    return (
        select(*_GRANT, *owner)
        .select_from(oidc_grant.join(ACCOUNT_WITH_IDENTITY, account.c.id == oidc_grant.c.account))
        .where(
            oidc_grant.c.id == bindparam("grant"),
            oidc_grant.c.expires_at > bindparam("now"),
            oidc_grant.c.ended_at.is_(None),
            account.c.status == MAY_LOG_IN.value,
        )
    )


def _grant_from(row: Row, standing: Standing) -> Grant:
    (
        grant, client, subject, session, epoch, scopes, organisation, at, level, methods,
        confirmed_in, number, created_at, expires_at,
    ) = row  # fmt: skip
    return Grant(
        id=grant,
        approval=Approval(
            client=client,
            account=standing.account,
            ref=standing.ref,
            session=session,
            epoch=epoch,
            scopes=known(scopes.split()),
            authentication=Authentication(at, Level(level), tuple(methods.split())),
            organisation=organisation,
            confirmed_in=confirmed_in,
        ),
        subject=subject,
        family=None if number is None else Family(number, expires_at),
        created_at=created_at,
        expires_at=expires_at,
    )


def _device_from(row: Row) -> DeviceLogin | None:
    session, client, metadata, created_at, expires_at, confirmed_in, used_at, platform, browser, os, area = row
    known_as = read_kept(client, metadata)
    if known_as is None:
        return None
    origin = UNKNOWN
    if used_at is not None:
        origin = Origin(platform=platform, browser=browser, os=os, area=area)
    return DeviceLogin(
        id=session,
        client=known_as,
        origin=origin,
        confirmed_in=confirmed_in,
        created_at=created_at,
        used_at=created_at if used_at is None else used_at,
        expires_at=expires_at,
    )
