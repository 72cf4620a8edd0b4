"""Appeals, and the pictures that came with them (RNV-8).

Owns ``AppealStore``. What may become of an appeal is decided by :mod:`bjidp.appeals.appeal`; here is that it happens
once: filing locks the account and whoever holds the identity, every other move locks the appeal.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec.structs import replace
from sqlalchemy import bindparam, delete, func, not_, null, select, update

from bjidp.accounts.identifiers import of_document
from bjidp.accounts.ports import NOTHING, Gone
from bjidp.appeals.appeal import (
    IN_A_CROWD,
    OF_AN_IDENTITY,
    OPEN,
    Appeal,
    AppealClosed,
    Case,
    State,
    require_rest,
    reviewed,
    tell_again_at,
    withdrawn,
)
from bjidp.appeals.errors import AppealNotNeeded, AppealOpen, AppealsCrowded, AppealsFull
from bjidp.appeals.ports import AppealUnknown, Decision, NewAppeal, Outcome, Waiting
from bjidp.audit.event import AuditEvent, EventKind, Fact
from bjidp.clock import DAY, Instant
from bjidp.entropy import Entropy, token
from bjidp.privacy.fields import FieldCipher
from bjidp.privacy.index import BlindIndex
from bjidp.proofing.ports import PutOut
from bjidp.storage.sql.account_rows import AccountRows, usable
from bjidp.storage.sql.appeal_decisions import AppealDecisions
from bjidp.storage.sql.appeal_rows import IS_OPEN, IS_WHOLE, AppealRows
from bjidp.storage.sql.audit import AuditRows
from bjidp.storage.sql.claims import Claims
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.statements import Row, delete_some
from bjidp.storage.sql.database.transaction import Contended, Transaction
from bjidp.storage.sql.schema import appeal, appeal_picture

_GONE: Final = msgspec.json.Decoder(Gone)

_ROOM: Final = 0x626A6964
"""The advisory lock of whoever adds up what all pictures take."""


class SqlAppeals:
    """The port ``bjidp.appeals.ports.AppealStore``."""

    def __init__(
        self, engine: SqlEngine, accounts: AccountRows, *, cipher: FieldCipher, index: BlindIndex, entropy: Entropy
    ) -> None:
        """Compile the statements for ``engine``."""
        compile_ = engine.compile
        self._engine = engine
        self._accounts = accounts
        self._entropy = entropy
        self._claims = Claims(engine, index)
        self._rows = AppealRows(engine, cipher, index)
        self._decisions = AppealDecisions(engine, self._rows, accounts, cipher, self._claims)
        self._audit = AuditRows(engine)
        own = appeal.c.account == bindparam("account")
        self._recent = compile_(
            select(appeal.c.state, appeal.c.filed_at).where(own, IS_OPEN | (appeal.c.filed_at > bindparam("since")))
        )
        # SQLite has one writer at a time in any case.
        is_shared = engine.dialect.name == "postgresql"
        self._alone = compile_(select(func.pg_advisory_xact_lock(_ROOM))) if is_shared else None
        self._room = compile_(select(func.coalesce(func.sum(appeal_picture.c.size), 0)))
        self._decided = compile_(
            select(appeal.c.id, func.sum(appeal_picture.c.size))
            .select_from(appeal_picture.join(appeal, appeal.c.id == appeal_picture.c.appeal))
            .where(appeal.c.decided_at.is_not(None))
            .group_by(appeal.c.id, appeal.c.decided_at)
            .order_by(appeal.c.decided_at, appeal.c.id)
        )
        self._state = compile_(
            select(appeal.c.state).where(own).order_by(appeal.c.filed_at.desc(), appeal.c.id).limit(1)
        )
        pictures = (
            select(func.count()).where(appeal_picture.c.appeal == appeal.c.id).correlate(appeal).scalar_subquery()
        )
        self._waiting = compile_(
            select(appeal.c.id, appeal.c.state, appeal.c.filed_at, appeal.c.reviewer, pictures)
            .where(IS_OPEN)
            .order_by(appeal.c.filed_at, appeal.c.id)
            .limit(bindparam("limit"))
        )
        self._picture = compile_(
            select(appeal.c.account, appeal_picture.c.picture_sealed)
            .select_from(appeal_picture.join(appeal, appeal.c.id == appeal_picture.c.appeal))
            .where(appeal_picture.c.appeal == bindparam("appeal"), appeal_picture.c.number == bindparam("number"))
        )
        self._drop_pictures = compile_(delete(appeal_picture).where(appeal_picture.c.appeal == bindparam("appeal")))
        due = appeal.c.tell_at <= bindparam("now")
        self._is_due = compile_(select(appeal.c.id).where(due).limit(1))
        self._due = compile_(
            select(
                appeal.c.id,
                appeal.c.account,
                appeal.c.state,
                appeal.c.decided_at,
                appeal.c.exchanged,
                appeal.c.loser,
                appeal.c.told_at,
                appeal.c.loser_told_at,
                appeal.c.gone,
                appeal.c.loser_gone,
            )
            .where(due)
            .order_by(appeal.c.tell_at)
            .limit(bindparam("limit"))
            .with_for_update(skip_locked=True)
        )
        by_id = update(appeal).where(appeal.c.id == bindparam("appeal"))
        self._take_on = compile_(by_id.values(tell_at=bindparam("again_at")))
        self._followed = compile_(by_id.values(tell_at=null(), gone=null(), loser_gone=null()))
        self._drop_rest = compile_(delete(appeal).where(appeal.c.id == bindparam("appeal"), not_(IS_WHOLE)))
        self._told = compile_(by_id.values(told_at=bindparam("now")))
        self._loser_told = compile_(by_id.values(loser_told_at=bindparam("now")))
        closed = appeal.c.decided_at < bindparam("before")
        of_closed = appeal_picture.c.appeal.in_(select(appeal.c.id).where(closed))
        self._forget_pictures = compile_(delete_some(appeal_picture, of_closed, engine.dialect))
        self._forget = compile_(delete_some(appeal, closed, engine.dialect))

    async def file(self, new: NewAppeal, now: Instant, *, room: int) -> str:
        def work(transaction: Transaction) -> str:
            document = of_document(new.new.person)
            holder = self._claims.holder(transaction, document)
            # Both, in one order everywhere: others who appeal for this identity wait, and are counted.
            both = sorted({new.account, holder or new.account})
            locked = {one: self._accounts.locked(transaction, one) for one in both}
            ref = usable(locked[new.account])
            if self._claims.holder(transaction, document) != holder:
                raise Contended
            self._require_may_file(transaction, new.account, now)
            if holder is None or holder == new.account:
                raise AppealNotNeeded
            self._require_room(transaction, new, room)
            filed = token(self._entropy, 128)
            self._rows.add(transaction, filed, new, now)
            self._audit.write(transaction, AuditEvent(EventKind.APPEAL_FILED, now, ref, facts={Fact.APPEAL: filed}))
            return filed

        return await self._engine.write(work)

    async def newest(self, account: str) -> Appeal | None:
        row = await self._engine.one(self._rows.newest, {"account": account})
        if row is None:
            return None
        attachments = await self._engine.all(self._rows.attachments, {"appeal": row[0]})
        return self._rows.with_attachments(self._rows.opened(row), attachments)

    async def state(self, account: str) -> State | None:
        row = await self._engine.one(self._state, {"account": account})
        return None if row is None else State(row[0])

    async def withdraw(self, account: str, appeal: str, now: Instant) -> bool:
        def work(transaction: Transaction) -> bool:
            ref = self._accounts.lock(transaction, account)
            found = self._rows.get(transaction, appeal, lock=True)
            if found is None or found.account != account:
                return False
            try:
                moved = withdrawn(found, now)
            except AppealClosed:
                return False
            self._rows.move(transaction, moved)
            # Nobody is to look at them any more.
            transaction.run(self._drop_pictures, {"appeal": appeal})
            self._audit.write(
                transaction, AuditEvent(EventKind.APPEAL_WITHDRAWN, now, ref, facts={Fact.APPEAL: appeal})
            )
            return True

        return await self._engine.write(work)

    async def waiting(self, staff: str, now: Instant, limit: int) -> list[Waiting]:
        def work(transaction: Transaction) -> list[Waiting]:
            self._audit.write(transaction, AuditEvent(EventKind.APPEALS_LISTED, now, facts={Fact.STAFF: staff}))
            return [
                Waiting(id=found, state=State(state), filed_at=filed_at, reviewer=reviewer, pictures=pictures)
                for found, state, filed_at, reviewer, pictures in transaction.all(self._waiting, {"limit": limit})
            ]

        return await self._engine.write(work)

    async def review(self, appeal: str, staff: str, now: Instant) -> Case:
        def work(transaction: Transaction) -> Case:
            found = self._rows.get(transaction, appeal, lock=True)
            if found is None:
                raise AppealUnknown
            seen = reviewed(found, staff, now)
            if seen is not found:
                self._rows.move(transaction, seen)
            self._look(transaction, EventKind.APPEAL_READ, found.account, {Fact.APPEAL: appeal, Fact.STAFF: staff}, now)
            holder = self._claims.holder(transaction, of_document(seen.person))
            case = self._decisions.case(transaction, seen, holder, now)
            pictures = transaction.all(self._rows.attachments, {"appeal": appeal})
            return replace(case, appeal=self._rows.with_attachments(seen, pictures))

        return await self._engine.write(work)

    async def picture(self, appeal: str, number: int, staff: str, now: Instant) -> bytes:
        def work(transaction: Transaction) -> bytes:
            row = transaction.one(self._picture, {"appeal": appeal, "number": number})
            if row is None:
                raise AppealUnknown
            facts = {Fact.APPEAL: appeal, Fact.PICTURE: str(number), Fact.STAFF: staff}
            self._look(transaction, EventKind.APPEAL_PICTURE_READ, row[0], facts, now)
            return self._rows.picture(appeal, number, row[1])

        return await self._engine.write(work)

    async def decide(self, decision: Decision, now: Instant) -> Appeal:
        return await self._engine.write(lambda transaction: self._decisions.decide(transaction, decision, now))

    async def outcomes(self, now: Instant, limit: int) -> list[Outcome]:
        def work(transaction: Transaction) -> list[Outcome]:
            rows = transaction.all(self._due, {"now": now, "limit": limit})
            for row in rows:
                transaction.run(self._take_on, {"appeal": row[0], "again_at": tell_again_at(row[3], now)})
            return [self._outcome(transaction, row) for row in rows]

        # Every server asks every few seconds, and nearly always there is nothing.
        if await self._engine.one(self._is_due, {"now": now}) is None:
            return []
        return await self._engine.write(work)

    async def told(self, appeal: str, now: Instant, *, loser: bool) -> None:
        statement = self._loser_told if loser else self._told
        await self._engine.write_one(statement, {"appeal": appeal, "now": now})

    async def followed(self, appeal: str) -> None:
        def work(transaction: Transaction) -> None:
            transaction.run(self._followed, {"appeal": appeal})
            transaction.run(self._drop_rest, {"appeal": appeal})

        await self._engine.write(work)

    async def forget_attachments(self, before: Instant, limit: int) -> int:
        values = {"before": before, "limit": limit}
        return await self._engine.write(lambda transaction: transaction.run(self._forget_pictures, values))

    async def forget(self, before: Instant, limit: int) -> int:
        values = {"before": before, "limit": limit}
        return await self._engine.write(lambda transaction: transaction.run(self._forget, values))

    def _require_may_file(self, transaction: Transaction, account_id: str, now: Instant) -> None:
        recent = transaction.all(self._recent, {"account": account_id, "since": now - DAY})
        if any(State(state) in OPEN for state, _ in recent):
            raise AppealOpen
        require_rest([filed_at for _, filed_at in recent], now)

    def _require_room(self, transaction: Transaction, new: NewAppeal, room: int) -> None:
        if len(new.pictures) > IN_A_CROWD and self._rows.crowd(transaction, new.new.person) >= OF_AN_IDENTITY:
            raise AppealsCrowded
        if self._alone is not None:
            # Last of all locks, and kept until the pictures are there: the next one counts them.
            transaction.one(self._alone, {})
        taken = int((transaction.one(self._room, {}) or (0,))[0])
        over = taken + sum(len(picture.data) for picture in new.pictures) - room
        if over <= 0:
            return
        # Those that are decided go before somebody is turned away: refusing a crowd's appeals is then all it takes to
        # be rid of its pictures (attack U9).
        for decided, size in transaction.all(self._decided, {}):
            transaction.run(self._drop_pictures, {"appeal": decided})
            over -= int(size)
            if over <= 0:
                return
        raise AppealsFull

    def _look(
        self, transaction: Transaction, kind: EventKind, account_id: str, facts: dict[Fact, str], now: Instant
    ) -> None:
        self._audit.write_for(transaction, account_id, AuditEvent(kind, now, facts=facts))

    def _outcome(self, transaction: Transaction, row: Row) -> Outcome:
        found, claimant, state, decided_at, exchanged, loser, told_at, loser_told_at, gone, loser_gone = row

        def concerned(account_id: str | None, done: Instant | None, went: str | None) -> PutOut | None:
            if account_id is None or done is not None:
                return None
            ref, phone = self._rows.reached(transaction, account_id)
            return PutOut(account_id, ref, phone, NOTHING if went is None else _GONE.decode(went))

        return Outcome(
            appeal=found,
            state=State(state),
            decided_at=decided_at,
            exchanged=bool(exchanged),
            claimant=concerned(claimant, told_at, gone),
            loser=concerned(loser, loser_told_at, loser_gone),
        )
