"""Identities that are proved on pages: bound, exchanged, unbound, taken from others, worn (RNV-5 to RNV-7).

Owns ``IdentityStore``. The rules are :mod:`bjidp.proofing.binding`'s; here is only that everybody they look at stands
still meanwhile: both accounts are locked, in one order everywhere, and what was read before the locks is read again.
Whoever is put out by a move is so in its transaction, by the fence in the account's row.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, select, update

from bjidp.accounts.identifiers import of_document
from bjidp.accounts.notices import NoticeKind
from bjidp.accounts.ports import Evidence
from bjidp.audit.event import AuditEvent, EventKind
from bjidp.clock import Instant
from bjidp.entropy import Entropy
from bjidp.errors import RateLimited
from bjidp.miniprogram.ports import MiniSessionEnd
from bjidp.person import Person
from bjidp.privacy.fields import FieldCipher
from bjidp.privacy.index import BlindIndex
from bjidp.proofing.binding import Bind, Keep, Move, Renew, Wait, decide
from bjidp.proofing.errors import IdentityOther
from bjidp.proofing.ports import (
    Bound,
    EpochOver,
    Held,
    IdentityChanged,
    NewIdentity,
    PutOut,
    Settled,
    Worn,
)
from bjidp.proofing.terms import Term
from bjidp.storage.sql.account_rows import AccountRows, usable
from bjidp.storage.sql.audit import AuditRows
from bjidp.storage.sql.claims import HELD, Claims
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.transaction import Contended, Transaction
from bjidp.storage.sql.former_documents import FormerDocuments
from bjidp.storage.sql.identities import BOUND, HOLDER, HOLDING, Identities, holding_from
from bjidp.storage.sql.identity_moves import IdentityMoves
from bjidp.storage.sql.notices import NoticeRows
from bjidp.storage.sql.rows import Rows
from bjidp.storage.sql.schema import account, identifier, identity

AT_ONCE: Final = 20
"""Identities whose accounts are told in one transaction, which keeps as many accounts from everybody else."""


class SqlIdentities:
    """The port ``bjidp.proofing.ports.IdentityStore``."""

    def __init__(
        self, engine: SqlEngine, rows: Rows, *, cipher: FieldCipher, index: BlindIndex, entropy: Entropy
    ) -> None:
        """Compile the statements for ``engine``."""
        compile_ = engine.compile
        self._engine = engine
        self._accounts = AccountRows(engine, rows, cipher, entropy)
        self._claims = Claims(engine, index)
        self._identities = Identities(engine, cipher, self._claims)
        self._former = FormerDocuments(engine, self._claims)
        self._audit = AuditRows(engine)
        self._notices = NoticeRows(engine)
        self._bound = compile_(select(*BOUND).where(identity.c.account == bindparam("account")))
        self._holder = compile_(
            select(*HOLDING).select_from(HOLDER.join(identifier, identifier.c.account == account.c.id)).where(*HELD)
        )
        self._moves = IdentityMoves(engine, cipher, self._claims, self._identities)
        self._epoch = compile_(select(account.c.epoch).where(account.c.id == bindparam("account")))
        self._run_out = compile_(
            select(identity.c.account)
            .where(identity.c.runs_out_at <= bindparam("now"), identity.c.worn_told_at.is_(None))
            .order_by(identity.c.runs_out_at)
            .limit(bindparam("limit"))
        )
        self._wear = compile_(
            update(identity)
            .where(
                identity.c.account == bindparam("holder"),
                identity.c.runs_out_at <= bindparam("now"),
                identity.c.worn_told_at.is_(None),
            )
            .values(worn_told_at=bindparam("now"))
        )

    async def bound(self, account: str) -> Bound | None:
        row = await self._engine.one(self._bound, {"account": account})
        return None if row is None else self._identities.bound(row)

    async def stated(self, account: str, person: Person) -> Term:
        return await self._former.stated(account, person)

    async def prospect(self, account: str, person: Person, evidence: Evidence, now: Instant) -> Held | None:
        row = await self._engine.one(self._holder, self._claims.values(of_document(person)))
        match decide(account, evidence, None if row is None else holding_from(row), now):
            case Keep(by=by):
                return Held(by)
            case Wait(seconds=seconds):
                raise RateLimited(seconds)
            case Bind() | Renew() | Move():
                return None

    async def prove(
        self,
        account: str,
        new: NewIdentity,
        now: Instant,
        *,
        was: str | None,
        exchange: bool = False,
        keep: str | None = None,
        epoch: int | None = None,
    ) -> Settled | Held:
        def work(transaction: Transaction) -> Settled | Held:
            if epoch is not None:
                self._require_epoch(transaction, account, epoch)
            return self._prove(transaction, account, new, now, was=was, exchange=exchange, keep=keep)

        return await self._engine.write(work)

    async def unbind(self, account: str, now: Instant) -> PutOut | None:
        def work(transaction: Transaction) -> PutOut | None:
            ref = self._accounts.lock(transaction, account)
            agents = self._identities.drop(transaction, account, now)
            if agents is None:
                return None
            self._audit.write(transaction, AuditEvent(EventKind.IDENTITY_UNBOUND, now, ref))
            self._notices.tell(transaction, account, NoticeKind.IDENTITY_UNBOUND, now)
            reason = MiniSessionEnd.IDENTITY_UNBOUND
            return self._moves.put_out(transaction, account, ref, None, reason, now, agents=agents)

        return await self._engine.write(work)

    async def wear(self, now: Instant, limit: int) -> Worn:
        at_once = min(limit, AT_ONCE)

        def work(transaction: Transaction) -> Worn:
            told = 0
            found = transaction.all(self._run_out, {"now": now, "limit": at_once})
            # In one order everywhere, as those who prove something lock their accounts.
            for holder in sorted(holder for (holder,) in found):
                locked = self._accounts.locked(transaction, holder)
                # Proved anew, or gone, since it was found.
                if locked is not None and transaction.run(self._wear, {"now": now, "holder": holder}):
                    self._audit.write(transaction, AuditEvent(EventKind.IDENTITY_WORN, now, locked.ref))
                    self._notices.tell(transaction, holder, NoticeKind.IDENTITY_WORN, now)
                    told += 1
            return Worn(told, more=len(found) == at_once)

        return await self._engine.write(work)

    def _require_epoch(self, transaction: Transaction, account_id: str, epoch: int) -> None:
        """Keep sessions from being ended until the transaction is over; raise where some were."""
        self._accounts.lock(transaction, account_id)
        if transaction.one(self._epoch, {"account": account_id}) != (epoch,):
            raise EpochOver

    def _prove(
        self,
        transaction: Transaction,
        account_id: str,
        new: NewIdentity,
        now: Instant,
        *,
        was: str | None,
        exchange: bool,
        keep: str | None,
    ) -> Settled | Held:
        document = of_document(new.person)
        holder = self._claims.holder(transaction, document)
        # In one order everywhere: two accounts that take each other's identities must not wait for each other.
        both = sorted({account_id, holder or account_id})
        locked = {one: self._accounts.locked(transaction, one) for one in both}
        ref = usable(locked[account_id])
        if self._claims.holder(transaction, document) != holder:
            raise Contended  # it moved on while this waited
        if self._identities.mark(transaction, account_id) != was:
            raise IdentityChanged
        holding = None if holder is None else self._identities.holding(transaction, holder)
        replaces = was is not None and holder != account_id
        if replaces and not exchange:
            # Before the rules: who has an identity is not told who has another.
            raise IdentityOther
        loser, exchanged = None, None
        agents: tuple[str, ...] = ()
        match decide(account_id, new.evidence, holding, now):
            case Renew():
                self._identities.prove(transaction, account_id, new, now)
                self._moves.note(transaction, EventKind.IDENTITY_PROVED, ref, new, now)
            case Bind():
                agents = self._moves.give(transaction, account_id, ref, new, now, moved_at=None)
            case Move(loser=former):
                loser = self._moves.take(transaction, former, usable(locked[former]), new, now)
                agents = self._moves.give(transaction, account_id, ref, new, now, moved_at=now)
            case Keep(by=by):
                return Held(by)
            case Wait(seconds=seconds):
                raise RateLimited(seconds)
        if replaces:
            exchanged = self._moves.exchanged(transaction, account_id, ref, keep, now, agents=agents)
        return Settled(self._accounts.standing(transaction, account_id), loser, exchanged)
