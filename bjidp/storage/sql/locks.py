"""Accounts that staff lock and unlock (OPS-7).

Owns ``LockStore`` and the table ``account_lock``, which has the newest change of an account: to be followed up, and,
of one that is locked, whether what was logged in is ended. What ends within the transaction is what lies in this
database in any case; sessions may lie elsewhere, and open nothing from the fence in the account's row on.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, insert, null, select, update

from bjidp.accounts.identifiers import Identifier
from bjidp.accounts.locking.lock import Change, Found, again_at
from bjidp.accounts.locking.ports import AccountUnknown, StandsAlready, Unsettled
from bjidp.accounts.notices import NoticeKind
from bjidp.accounts.overview import overview
from bjidp.audit.event import AuditEvent, EventKind, Fact
from bjidp.clock import Instant
from bjidp.privacy.fields import FieldCipher
from bjidp.privacy.index import BlindIndex
from bjidp.standing import Status
from bjidp.storage.sql.account_rows import AccountRows, fenced
from bjidp.storage.sql.audit import AuditRows
from bjidp.storage.sql.claims import Claims
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.statements import Value
from bjidp.storage.sql.database.transaction import Transaction
from bjidp.storage.sql.finding import Finding
from bjidp.storage.sql.grants import GrantRows
from bjidp.storage.sql.notices import NoticeRows
from bjidp.storage.sql.rows import Rows
from bjidp.storage.sql.schema import account, account_lock


class SqlLocks:
    """The port ``bjidp.accounts.locking.ports.LockStore``."""

    def __init__(
        self,
        engine: SqlEngine,
        rows: Rows,
        accounts: AccountRows,
        grants: GrantRows,
        *,
        cipher: FieldCipher,
        index: BlindIndex,
    ) -> None:
        """Compile the statements for ``engine``."""
        compile_ = engine.compile
        self._engine = engine
        self._accounts = accounts
        self._grants = grants
        self._cipher = cipher
        self._audit = AuditRows(engine)
        self._notices = NoticeRows(engine)
        self._finding = Finding(engine, rows, Claims(engine, index), cipher)
        table = account_lock
        self._by_ref = compile_(select(account.c.id).where(account.c.ref == bindparam("ref_asked")))
        this = account.c.id == bindparam("holder")
        self._set = compile_(update(account).where(this).values(status=bindparam("new_status")))
        self._fence = compile_(fenced(this))
        own = table.c.account == bindparam("holder")
        self._settled_at = compile_(select(table.c.settled_at).where(own))
        self._drop = compile_(delete(table).where(own))
        self._add = compile_(insert(table))
        is_due = table.c.due_at <= bindparam("now")
        self._is_due = compile_(select(table.c.account).where(is_due).limit(1))
        self._due = compile_(
            select(
                table.c.account, account.c.ref, table.c.status, table.c.at, account.c.phone_sealed, table.c.settled_at
            )
            .select_from(table.join(account, account.c.id == table.c.account))
            .where(is_due)
            .order_by(table.c.due_at)
            .limit(bindparam("limit"))
            # Of the lock alone: whoever changes the account waits for nobody here.
            .with_for_update(of=table, skip_locked=True)
        )
        # A change that another one has taken the place of is nobody's any more.
        this_one = (own, table.c.at == bindparam("changed_at"), table.c.status == bindparam("changed_to"))
        change = update(table).where(*this_one)
        self._take_on = compile_(change.values(due_at=bindparam("again_at")))
        self._settle = compile_(change.values(settled_at=bindparam("now")))
        self._follow = compile_(change.values(due_at=null()))
        self._forget = compile_(delete(table).where(*this_one))

    async def find(self, names: Sequence[Identifier], staff: str, now: Instant) -> Found:
        member = await self._finding.find(names)
        ref = None if member is None else member.standing.ref
        event = AuditEvent(EventKind.ACCOUNT_LOOKED_UP, now, ref, facts={Fact.STAFF: staff})
        await self._engine.write(lambda transaction: self._audit.write(transaction, event))
        if member is None:
            raise AccountUnknown
        return Found(member.standing.ref, member.standing.status, member.created_at, overview(member))

    async def lock(self, ref: str, staff: str, now: Instant) -> None:
        def work(transaction: Transaction) -> None:
            holder = self._begin(transaction, ref, Status.ACTIVE)
            self._write(transaction, holder, ref, Status.LOCKED, staff, now)
            transaction.run(self._fence, {"holder": holder, "keep": None})
            self._grants.end_of_account(transaction, holder, None, now)

        await self._engine.write(work)

    async def unlock(self, ref: str, staff: str, now: Instant) -> None:
        def work(transaction: Transaction) -> None:
            holder = self._begin(transaction, ref, Status.LOCKED)
            row = transaction.one(self._settled_at, {"holder": holder})
            if row is not None and row[0] is None:
                raise Unsettled
            self._write(transaction, holder, ref, Status.ACTIVE, staff, now)

        await self._engine.write(work)

    def _begin(self, transaction: Transaction, ref: str, status: Status) -> str:
        """Keep others from changing the account of a reference; raise unless it is there, and of this ``status``."""
        row = transaction.one(self._by_ref, {"ref_asked": ref})
        locked = None if row is None else self._accounts.locked(transaction, row[0])
        if row is None or locked is None:
            raise AccountUnknown
        if locked.status != status.value:
            raise StandsAlready(Status(locked.status))
        return str(row[0])

    def _write(self, transaction: Transaction, holder: str, ref: str, status: Status, staff: str, now: Instant) -> None:
        is_lock = status is Status.LOCKED
        transaction.run(self._set, {"holder": holder, "new_status": status.value})
        transaction.run(self._drop, {"holder": holder})
        values: dict[str, Value] = {"account": holder, "status": status.value, "at": now}
        transaction.run(self._add, {**values, "due_at": now, "settled_at": None})
        kind = EventKind.ACCOUNT_LOCKED if is_lock else EventKind.ACCOUNT_UNLOCKED
        self._audit.write(transaction, AuditEvent(kind, now, ref, facts={Fact.STAFF: staff}))
        self._notices.tell(transaction, holder, NoticeKind.LOCKED if is_lock else NoticeKind.UNLOCKED, now)

    async def due(self, now: Instant, limit: int) -> list[Change]:
        def work(transaction: Transaction) -> list[Change]:
            found = [
                Change(
                    account=holder,
                    ref=ref,
                    status=Status(status),
                    at=at,
                    phone=None if phone is None else self._cipher.open("account", "phone", holder, phone),
                    settled=settled_at is not None,
                )
                for holder, ref, status, at, phone, settled_at in transaction.all(
                    self._due, {"now": now, "limit": limit}
                )
            ]
            for change in found:
                transaction.run(self._take_on, _which(change) | {"again_at": again_at(change.at, now)})
            return found

        # Every server asks every few seconds, and nearly always there is nothing.
        if await self._engine.one(self._is_due, {"now": now}) is None:
            return []
        return await self._engine.write(work)

    async def settled(self, change: Change, now: Instant) -> None:
        await self._engine.write_one(self._settle, _which(change) | {"now": now})

    async def followed(self, change: Change) -> None:
        statement = self._follow if change.status is Status.LOCKED else self._forget
        await self._engine.write_one(statement, _which(change))


def _which(change: Change) -> dict[str, Value]:
    return {"holder": change.account, "changed_at": change.at, "changed_to": change.status.value}
