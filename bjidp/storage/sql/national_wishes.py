"""Wishes to become a user of the national platform, in a database.

Owns the table ``national_wish``: the rows that others write within their transactions (``members`` with an account,
``identities`` with what proves or ends one), ``WishStore`` and ``WaitingWishes``.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, bindparam, delete, insert, select, update

from bjidp.accounts.national.wish import Waiting, Wish, WishEnd, again_at
from bjidp.audit.event import AuditEvent, EventKind, Fact
from bjidp.clock import Instant
from bjidp.entropy import Entropy, token
from bjidp.person import DocumentType, Person
from bjidp.privacy.fields import FieldCipher
from bjidp.standing import MAY_LOG_IN
from bjidp.storage.sql.audit import AuditRows
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.statements import Row, delete_some
from bjidp.storage.sql.database.transaction import Transaction
from bjidp.storage.sql.schema import account, identity, national_wish

_ENDED = {
    WishEnd.JOINED: EventKind.NATIONAL_JOINED,
    WishEnd.KNOWN: EventKind.NATIONAL_KNOWN,
    WishEnd.REFUSED: EventKind.NATIONAL_REFUSED,
}


class WishRows:
    """Writes wishes within a transaction."""

    def __init__(self, engine: SqlEngine) -> None:
        """Compile the statements for ``engine``."""
        self._audit = AuditRows(engine)
        own = national_wish.c.account == bindparam("holder")
        self._add = engine.compile(insert(national_wish))
        self._ripen = engine.compile(
            update(national_wish).where(own, national_wish.c.due_at.is_(None)).values(due_at=bindparam("now"))
        )
        self._drop = engine.compile(delete(national_wish).where(own))

    def add(self, transaction: Transaction, holder: str, ref: str, entropy: Entropy, now: Instant) -> None:
        """Keep the wish of an account that is new, and that it was wished."""
        reference = token(entropy, 128)
        transaction.run(
            self._add, {"account": holder, "reference": reference, "wished_at": now, "due_at": None, "attempts": 0}
        )
        self._audit.write(
            transaction, AuditEvent(EventKind.NATIONAL_WISHED, now, ref, facts={Fact.REFERENCE: reference})
        )

    def ripen(self, transaction: Transaction, holder: str, now: Instant) -> None:
        """Let the wish of an account fall due that has an identity from now on."""
        transaction.run(self._ripen, {"holder": holder, "now": now})

    def drop(self, transaction: Transaction, holder: str) -> None:
        """Forget the wish of an account whose identity goes."""
        transaction.run(self._drop, {"holder": holder})


class SqlWishes:
    """The port ``bjidp.accounts.national.ports.WishStore``."""

    def __init__(self, engine: SqlEngine, cipher: FieldCipher) -> None:
        """Compile the statements for ``engine``."""
        compile_ = engine.compile
        self._engine = engine
        self._cipher = cipher
        self._audit = AuditRows(engine)
        columns = national_wish.c
        whole = national_wish.join(account, account.c.id == columns.account).join(
            identity, identity.c.account == columns.account
        )
        is_due = and_(
            columns.due_at <= bindparam("now"),
            account.c.status == MAY_LOG_IN.value,
            account.c.phone_sealed.is_not(None),
        )
        self._is_due = compile_(select(columns.account).select_from(whole).where(is_due).limit(1))
        self._due = compile_(
            select(
                columns.account,
                columns.reference,
                columns.attempts,
                account.c.phone_sealed,
                identity.c.document_type,
                identity.c.name_sealed,
                identity.c.number_sealed,
            )
            .select_from(whole)
            .where(is_due)
            .order_by(columns.due_at)
            .limit(1)
            # Of the wish alone: whoever changes the account waits for nobody here.
            .with_for_update(of=national_wish, skip_locked=True)
        )
        self._take_on = compile_(
            update(national_wish)
            .where(columns.reference == bindparam("which"))
            .values(due_at=bindparam("later"), attempts=bindparam("times"))
        )
        self._delete = compile_(
            delete(national_wish).where(columns.reference == bindparam("which")).returning(columns.account)
        )
        unripe = and_(columns.wished_at < bindparam("before"), columns.due_at.is_(None))
        self._forget = compile_(delete_some(national_wish, unripe, engine.dialect))

    async def take_on(self, now: Instant) -> Wish | None:
        def work(transaction: Transaction) -> Row | None:
            row = transaction.one(self._due, {"now": now})
            if row is not None:
                times = row[2] + 1
                transaction.run(self._take_on, {"which": row[1], "later": again_at(times, now), "times": times})
            return row

        # Every server asks every few seconds, and nearly always there is nothing.
        if await self._engine.one(self._is_due, {"now": now}) is None:
            return None
        row = await self._engine.write(work)
        # Opened here, when it is put off already: one that does not open must not be the first again and again.
        return None if row is None else self._wish(row)

    async def settle(self, reference: str, end: WishEnd, now: Instant) -> None:
        facts = {Fact.REFERENCE: reference}

        def work(transaction: Transaction) -> None:
            row = transaction.one(self._delete, {"which": reference})
            if row is not None:
                self._audit.write_for(transaction, row[0], AuditEvent(_ENDED[end], now, facts=facts))

        await self._engine.write(work)

    async def forget(self, before: Instant, limit: int) -> int:
        values = {"before": before, "limit": limit}
        return await self._engine.write(lambda transaction: transaction.run(self._forget, values))

    def _wish(self, row: Row) -> Wish:
        holder, reference, attempts, phone, kind, name, number = row
        return Wish(
            reference=reference,
            person=Person(
                DocumentType(kind),
                self._cipher.open("identity", "name", holder, name),
                self._cipher.open("identity", "number", holder, number),
            ),
            phone=self._cipher.open("account", "phone", holder, phone),
            attempts=attempts + 1,
        )


class SqlWaitingWishes:
    """The port ``bjidp.accounts.national.ports.WaitingWishes``."""

    def __init__(self, engine: SqlEngine) -> None:
        """Compile the statement for ``engine``."""
        columns = national_wish.c
        self._engine = engine
        self._waiting = engine.compile(
            select(columns.reference, columns.wished_at, columns.attempts, columns.due_at)
            .order_by(columns.wished_at, columns.reference)
            .limit(bindparam("limit"))
        )

    async def waiting(self, limit: int) -> Sequence[Waiting]:
        rows = await self._engine.all(self._waiting, {"limit": limit})
        return [Waiting(*row) for row in rows]
