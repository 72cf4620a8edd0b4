"""Identities that are proved on pages: bound, exchanged, unbound, taken from others, worn (RNV-5 to RNV-7).

Owns ``IdentityStore``. The rules are :mod:`bjidp.proofing.binding`'s; here is only that everybody they look at stands
still meanwhile: both accounts are locked, in one order everywhere, and what was read before the locks is read again.
Whoever is put out by a move is so in its transaction, by the fence in the account's row.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, delete, select, update

from bjidp.accounts.identifiers import of_document
from bjidp.accounts.notices import NoticeKind
from bjidp.audit.event import AuditEvent, EventKind, Fact
from bjidp.clock import Instant
from bjidp.entropy import Entropy
from bjidp.errors import RateLimited
from bjidp.miniprogram.ports import MiniSessionEnd
from bjidp.privacy.fields import FieldCipher
from bjidp.privacy.index import BlindIndex
from bjidp.proofing.binding import Bind, Keep, Move, Renew, Wait, decide
from bjidp.proofing.levels import WORN
from bjidp.proofing.ports import (
    Bound,
    HeldElsewhere,
    IdentityChanged,
    Loser,
    NewIdentity,
    OtherIdentity,
    Settled,
)
from bjidp.storage.sql.account_rows import AccountRows, Locked, fenced, usable
from bjidp.storage.sql.audit import AuditRows
from bjidp.storage.sql.claims import Claims
from bjidp.storage.sql.engine import SqlEngine
from bjidp.storage.sql.identities import BOUND, Identities
from bjidp.storage.sql.mini_sessions import MiniSessionEnds
from bjidp.storage.sql.notices import NoticeRows
from bjidp.storage.sql.rows import Rows
from bjidp.storage.sql.schema import account, identity, platform_link
from bjidp.storage.sql.transaction import Contended, Transaction

AT_ONCE: Final = 20
"""Identities that are worn in one transaction, which keeps as many accounts from everybody else."""


class SqlIdentities:
    """The port ``bjidp.proofing.ports.IdentityStore``."""

    def __init__(
        self, engine: SqlEngine, rows: Rows, *, cipher: FieldCipher, index: BlindIndex, entropy: Entropy
    ) -> None:
        """Compile the statements for ``engine``."""
        compile_ = engine.compile
        self._engine = engine
        self._cipher = cipher
        self._accounts = AccountRows(engine, rows, cipher, entropy)
        self._claims = Claims(engine, index)
        self._identities = Identities(engine, cipher, self._claims)
        self._audit = AuditRows(engine)
        self._notices = NoticeRows(engine)
        self._bound = compile_(select(*BOUND).where(identity.c.account == bindparam("account")))
        self._phone = compile_(select(account.c.phone_sealed).where(account.c.id == bindparam("account")))
        self._mini_ends = MiniSessionEnds(engine)
        self._fence = compile_(fenced(account.c.id == bindparam("account")))
        self._links = compile_(
            select(platform_link.c.id, platform_link.c.platform).where(platform_link.c.account == bindparam("account"))
        )
        self._unlink = compile_(delete(platform_link).where(platform_link.c.id == bindparam("link")))
        self._run_out = compile_(
            select(identity.c.account)
            .where(identity.c.runs_out_at <= bindparam("now"), identity.c.level > bindparam("worn"))
            .order_by(identity.c.runs_out_at)
            .limit(bindparam("limit"))
        )
        self._wear = compile_(
            update(identity)
            .where(
                identity.c.account == bindparam("holder"),
                identity.c.runs_out_at <= bindparam("now"),
                identity.c.level > bindparam("worn"),
            )
            .values(level=bindparam("worn"), version=identity.c.version + bindparam("step"))
        )

    async def bound(self, account: str) -> Bound | None:
        row = await self._engine.one(self._bound, {"account": account})
        return None if row is None else self._identities.bound(row)

    async def prove(
        self,
        account: str,
        new: NewIdentity,
        now: Instant,
        *,
        exchange: bool = False,
        keep: str | None = None,
        was: str | None = None,
    ) -> Settled:
        def work(transaction: Transaction) -> Settled:
            return self._prove(transaction, account, new, now, exchange=exchange, keep=keep, was=was)

        return await self._engine.write(work)

    async def unbind(self, account: str, now: Instant) -> bool:
        def work(transaction: Transaction) -> bool:
            ref = self._accounts.lock(transaction, account)
            had_one = self._identities.drop(transaction, account)
            if had_one:
                self._audit.write(transaction, AuditEvent(EventKind.IDENTITY_UNBOUND, now, ref))
                self._notices.tell(transaction, account, NoticeKind.IDENTITY_UNBOUND, now)
                self._put_out(transaction, account, None, MiniSessionEnd.IDENTITY_UNBOUND, now)
            return had_one

        return await self._engine.write(work)

    async def wear(self, now: Instant, limit: int) -> int:
        def work(transaction: Transaction) -> int:
            values = {"now": now, "worn": WORN.value}
            found = transaction.all(self._run_out, {**values, "limit": min(limit, AT_ONCE)})
            # In one order everywhere, as those who prove something lock their accounts.
            for holder in sorted(holder for (holder,) in found):
                locked = self._accounts.locked(transaction, holder)
                # Proved anew, or gone, since it was found.
                if locked is not None and transaction.run(self._wear, {**values, "holder": holder, "step": 1}):
                    self._audit.write(transaction, AuditEvent(EventKind.IDENTITY_WORN, now, locked.ref))
                    self._notices.tell(transaction, holder, NoticeKind.IDENTITY_WORN, now)
            return limit if len(found) == AT_ONCE else len(found)

        return await self._engine.write(work)

    def _prove(
        self,
        transaction: Transaction,
        account_id: str,
        new: NewIdentity,
        now: Instant,
        *,
        exchange: bool,
        keep: str | None,
        was: str | None,
    ) -> Settled:
        document = of_document(new.person)
        holder = self._claims.holder(transaction, document)
        # In one order everywhere: two accounts that take each other's identities must not wait for each other.
        both = sorted({account_id, holder or account_id})
        locked = {one: self._accounts.locked(transaction, one) for one in both}
        ref = usable(locked[account_id])
        if self._claims.holder(transaction, document) != holder:
            raise Contended  # it moved on while this waited
        if was is not None and self._identities.mark(transaction, account_id) != was:
            raise IdentityChanged
        holding = None if holder is None else self._identities.holding(transaction, holder)
        had_one = self._identities.holding(transaction, account_id) is not None
        if had_one and holder != account_id and not exchange:
            # Before the rules: who has an identity is not told who has another.
            raise OtherIdentity
        loser, exchanged = None, False
        match decide(account_id, new.evidence, holding, now):
            case Renew():
                self._identities.prove(transaction, account_id, new, now)
                self._note(transaction, EventKind.IDENTITY_PROVED, ref, new, now)
            case Bind():
                self._replace(transaction, account_id, ref, new, now, moved_at=None)
                exchanged = had_one
            case Move(loser=former):
                loser = self._take(transaction, former, locked[former], new, now)
                self._replace(transaction, account_id, ref, new, now, moved_at=now)
                exchanged = had_one
            case Keep(by=by):
                raise HeldElsewhere(by)
            case Wait(seconds=seconds):
                raise RateLimited(seconds)
        if exchanged:
            self._notices.tell(transaction, account_id, NoticeKind.IDENTITY_EXCHANGED, now)
            self._put_out(transaction, account_id, keep, MiniSessionEnd.IDENTITY_EXCHANGED, now)
        return Settled(self._accounts.standing(transaction, account_id), loser, exchanged)

    def _take(
        self, transaction: Transaction, former: str, locked: Locked | None, new: NewIdentity, now: Instant
    ) -> Loser:
        if locked is None or not locked.usable:
            # Nobody gets out of a lock by another account (attack Q21): people decide, by 人工申诉.
            raise HeldElsewhere(())
        sealed = transaction.one(self._phone, {"account": former})
        phone = None if sealed is None or sealed[0] is None else sealed[0]
        self._identities.take(transaction, former, now)
        self._note(transaction, EventKind.IDENTITY_LOST, locked.ref, new, now)
        self._notices.tell(transaction, former, NoticeKind.IDENTITY_LOST, now)
        number = None if phone is None else self._cipher.open("account", "phone", former, phone)
        return Loser(former, locked.ref, number)

    def _replace(
        self,
        transaction: Transaction,
        account_id: str,
        ref: str,
        new: NewIdentity,
        now: Instant,
        *,
        moved_at: Instant | None,
    ) -> None:
        """Give the account an identity that is nobody's by now, in place of the one it had."""
        had_one = self._identities.drop(transaction, account_id)
        if not self._claims.claim(transaction, of_document(new.person), account_id):
            raise Contended  # somebody came to hold it since the look
        self._identities.bind(transaction, account_id, new, now, moved_at=moved_at)
        kind = EventKind.IDENTITY_EXCHANGED if had_one else EventKind.IDENTITY_PROVED
        self._note(transaction, kind, ref, new, now)
        if moved_at is not None:
            self._note(transaction, EventKind.IDENTITY_TAKEN, ref, new, now)
            self._notices.tell(transaction, account_id, NoticeKind.IDENTITY_TAKEN, now)

    def _put_out(
        self, transaction: Transaction, account_id: str, keep: str | None, reason: MiniSessionEnd, now: Instant
    ) -> None:
        """Put everybody out of an account that is another person's, or nobody's, by now, but the session ``keep``.

        A phone that a former face has linked goes with that person: else it would be let in for days without another.
        """
        transaction.run(self._fence, {"account": account_id, "keep": keep})
        for link, platform in transaction.all(self._links, {"account": account_id}):
            self._mini_ends.of_link(transaction, link, reason, now)
            transaction.run(self._unlink, {"link": link})
            facts = {Fact.LINK: link, Fact.PLATFORM: platform}
            self._audit.write_for(transaction, account_id, AuditEvent(EventKind.LINK_REPLACED, now, facts=facts))

    def _note(self, transaction: Transaction, kind: EventKind, ref: str, new: NewIdentity, now: Instant) -> None:
        facts = {
            Fact.DOCUMENT_TYPE: new.person.document_type.value,
            Fact.EVIDENCE: new.evidence.value,
            Fact.EVIDENCE_REFERENCE: new.evidence_reference,
            Fact.AUTHORITY_REFERENCE: new.authority_reference,
        }
        self._audit.write(transaction, AuditEvent(kind, now, ref, facts=facts))
