"""A grant from the last look at its account to its row.

Owns the statements that begin a grant: the look at the account, the name that a sector knows somebody by, the grant and
its event, all or none of them. Called by ``grants``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from msgspec.structs import replace
from sqlalchemy import ColumnElement, Select, bindparam, case, insert, select, union_all
from sqlalchemy.dialects.postgresql import insert as postgresql_insert

from bjidp.audit.event import AuditEvent, EventKind, Fact
from bjidp.clock import Instant
from bjidp.errors import AccountRefused
from bjidp.oidc.devices.login import Origin
from bjidp.oidc.grants.code import OF_A_DEVICE
from bjidp.oidc.grants.grant import Grant
from bjidp.organisations.organisation import named_by
from bjidp.standing import MAY_LOG_IN, Standing
from bjidp.storage.sql.audit import AuditRows, event_values
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.statements import Row, Value, insert_or_nothing
from bjidp.storage.sql.database.transaction import Contended, Transaction
from bjidp.storage.sql.rows import ACCOUNT_WITH_IDENTITY, STANDING, Rows
from bjidp.storage.sql.schema import account, audit_event, device_login, oidc_grant, oidc_subject


class Beginning(ABC):
    """Begins grants: see :meth:`bjidp.oidc.ports.GrantStore.begin`."""

    def __init__(self, engine: SqlEngine, rows: Rows) -> None:
        """Compile the statements for ``engine``."""
        self._engine = engine
        self._rows = rows
        self._audit = AuditRows(engine)
        # The row lock makes a lock of the account, or an end of its sessions, wait for this grant and then find it.
        self._look = engine.compile(_looked_at().with_for_update(read=True, of=account))
        self._insert = engine.compile(insert(oidc_grant))
        self._insert_device = engine.compile(insert(device_login))
        self._name = engine.compile(insert_or_nothing(oidc_subject, engine.dialect))
        self._named = engine.compile(named())

    @abstractmethod
    async def begin(self, grant: Grant, sector: str, now: Instant, origin: Origin | None) -> Grant:
        """Keep the grant and audit it; return it with the subject that the account has in ``sector``."""

    def _begun(
        self, transaction: Transaction, grant: Grant, sector: str, now: Instant, origin: Origin | None = None
    ) -> Grant:
        account_id = grant.approval.account
        standing = self._admitted(transaction.one(self._look, {"account": account_id}), grant)
        subject = self._subject(transaction, grant, sector)
        transaction.run(self._insert, _values(grant) | {"account": account_id, "subject": subject})
        if origin is not None:
            transaction.run(self._insert_device, _origin_values(grant, origin))
        self._audit.write(transaction, _event(grant, now, standing.ref))
        return replace(grant, subject=subject)

    def _subject(self, transaction: Transaction, grant: Grant, sector: str) -> str:
        """Return what the sector knows the account as; from now on as the grant has it, if it never met it."""
        it: dict[str, Value] = {"account_id": grant.approval.account, "sector_name": sector}
        found = transaction.one(self._named, it)
        if found is None:
            named: dict[str, Value] = {"account": it["account_id"], "sector": sector, "subject": grant.subject}
            transaction.run(self._name, named)
            # Somebody else may have been faster.
            found = transaction.one(self._named, it)
        if found is None:
            raise Contended
        return str(found[0])

    def _admitted(self, row: Row | None, grant: Grant) -> Standing:
        standing = None if row is None else self._rows.standing(row)
        if standing is None:
            raise AccountRefused("cancelled")
        if standing.refusal is not None:
            raise AccountRefused(standing.refusal)
        if not grant.approval.counts(standing):
            raise AccountRefused("other_account")
        return standing


def named() -> Select[tuple[str]]:
    """Return the look for what a sector knows an account as."""
    subject = oidc_subject.c
    return select(subject.subject).where(
        subject.account == bindparam("account_id"), subject.sector == bindparam("sector_name")
    )


def open_beginning(engine: SqlEngine, rows: Rows) -> Beginning:
    """Return the one that suits the database."""
    kind = _InOneStatement if engine.dialect.name == "postgresql" else _StepByStep
    return kind(engine, rows)


class _StepByStep(Beginning):
    """For SQLite, whose WITH only reads, and where a statement more costs no way to a server."""

    async def begin(self, grant: Grant, sector: str, now: Instant, origin: Origin | None) -> Grant:
        return await self._engine.write_briefly(
            lambda transaction: self._begun(transaction, grant, sector, now, origin)
        )


class _InOneStatement(Beginning):
    """For PostgreSQL: one way there and back, and no thread."""

    def __init__(self, engine: SqlEngine, rows: Rows) -> None:
        super().__init__(engine, rows)
        self._begin = engine.compile(_in_one_statement())

    async def begin(self, grant: Grant, sector: str, now: Instant, origin: Origin | None) -> Grant:
        if origin is not None:
            # Devices are few, and have one row more.
            return await self._engine.write(lambda transaction: self._begun(transaction, grant, sector, now, origin))
        values = event_values(_event(grant, now, None)) | _values(grant)
        values |= {"account_id": grant.approval.account, "subject": grant.subject, "sector_name": sector}
        answer = await self._engine.write_one(self._begin, values)
        row = answer.rows[0] if answer.rows else None
        self._admitted(None if row is None else row[:-1], grant)
        if row is not None and row[-1] is not None:
            return replace(grant, subject=row[-1])
        # Somebody else has named the person meanwhile, which a statement that had begun before does not see.
        return await self._engine.write(lambda transaction: self._begun(transaction, grant, sector, now))


def _looked_at() -> Select[*tuple[Any, ...]]:
    return select(*STANDING).select_from(ACCOUNT_WITH_IDENTITY).where(account.c.id == bindparam("account"))


def _in_one_statement() -> Select[*tuple[Any, ...]]:
    """Write all rows if the account that is looked at, and locked, may be logged in; return what was seen of it.

    In the last column is the subject of the grant that was kept, null if none was.
    """
    looked = (
        select(*STANDING)
        .select_from(ACCOUNT_WITH_IDENTITY)
        .where(account.c.id == bindparam("account_id"))
        .with_for_update(read=True, of=account)
        .cte("looked")
    )
    table, subject = oidc_grant, oidc_subject

    def given(column: ColumnElement[Any], name: str) -> ColumnElement[Any]:
        return bindparam(name, type_=column.type)

    epoch, session = given(table.c.epoch, "epoch"), given(table.c.session, "session")
    # As Approval.counts has it.
    of_a_browser = (epoch >= looked.c.fence) | (session == looked.c.kept)
    counts = case((session.startswith(OF_A_DEVICE), epoch == looked.c.epoch), else_=of_a_browser)
    admitted = (looked.c.status == MAY_LOG_IN.value) & counts
    sector = given(subject.c.sector, "sector_name")
    fresh = (
        postgresql_insert(subject)
        .from_select(
            ["account", "sector", "subject"],
            select(looked.c.id, sector, given(subject.c.subject, "subject")).where(admitted),
        )
        .on_conflict_do_nothing()
        .returning(subject.c.subject)
        .cte("fresh")
    )
    # What is named here is not among what was there before: a statement does not see the rows it writes.
    known = union_all(select(fresh.c.subject), named()).cte("known")
    others = [column for column in table.c if column.name not in {"account", "subject"}]
    kept = (
        insert(table)
        .from_select(
            ["account", "subject", *(column.name for column in others)],
            select(looked.c.id, known.c.subject, *(given(column, column.name) for column in others)).where(admitted),
        )
        .returning(table.c.subject)
        .cte("kept")
    )
    event = audit_event.c
    told = insert(audit_event).from_select(
        ["kind", "at", "account_ref", "session", "ticket", "facts"],
        select(
            given(event.kind, "kind"),
            given(event.at, "at"),
            looked.c.ref,
            given(event.session, "session"),
            given(event.ticket, "ticket"),
            given(event.facts, "facts"),
        ).where(select(kept.c.subject).exists()),
    )
    return select(looked, select(kept.c.subject).scalar_subquery().label("kept_subject")).add_cte(told.cte("told"))


def _values(grant: Grant) -> dict[str, Value]:
    approval = grant.approval
    return {
        "id": grant.id,
        "client": approval.client,
        "session": approval.session,
        "epoch": approval.epoch,
        "scopes": " ".join(approval.scopes),
        "organisation": approval.organisation,
        "authenticated_at": approval.authentication.at,
        "level": approval.authentication.level,
        "methods": " ".join(approval.authentication.methods),
        "confirmed_in": approval.confirmed_in,
        "number": None if grant.family is None else grant.family.number,
        "created_at": grant.created_at,
        "expires_at": grant.expires_at,
        "ended_at": None,
    }


def _origin_values(grant: Grant, origin: Origin) -> dict[str, Value]:
    return {
        "id": grant.id,
        "platform": origin.platform,
        "browser": origin.browser,
        "os": origin.os,
        "area": origin.area,
        "used_at": grant.created_at,
    }


def _event(grant: Grant, now: Instant, ref: str | None) -> AuditEvent:
    facts = {Fact.GRANT: grant.id, Fact.CLIENT: grant.approval.client}
    if grant.approval.organisation is not None:
        organisation, mandate = named_by(grant.approval.organisation)
        named_there = {Fact.ORGANISATION: organisation, Fact.MANDATE: mandate}
        facts |= {fact: value for fact, value in named_there.items() if value is not None}
    kind = EventKind.LOGIN_DEVICE if grant.approval.is_of_a_device else EventKind.GRANT_BEGUN
    return AuditEvent(kind, now, ref, grant.approval.session, None, facts)
