"""Deciding an appeal: the identity moves, and everybody concerned has their notice, or nothing is done (RNV-8).

Owns that everybody stands still meanwhile: both accounts are locked, in one order everywhere, then the appeal, and what
was read before the locks is read again. Of two who decide at once the second finds it decided. Called by ``appeals``,
within its transactions.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import bindparam, update

from bjidp.accounts.identifiers import of_document
from bjidp.accounts.notices import NoticeKind
from bjidp.appeals.appeal import Appeal, Case, Verdict, decided, granted_identity
from bjidp.appeals.ports import AppealUnknown, Decision, FactsChanged, NotGrantable
from bjidp.audit.event import AuditEvent, EventKind, Fact
from bjidp.clock import Instant
from bjidp.privacy.fields import FieldCipher
from bjidp.proofing.binding import Bind, Move, Renew, award
from bjidp.proofing.ports import PutOut
from bjidp.storage.sql.account_rows import AccountRows, Locked
from bjidp.storage.sql.appeal_rows import AppealRows
from bjidp.storage.sql.audit import AuditRows
from bjidp.storage.sql.claims import Claims
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.transaction import Contended, Transaction
from bjidp.storage.sql.identities import Identities
from bjidp.storage.sql.identity_moves import IdentityMoves
from bjidp.storage.sql.notices import NoticeRows
from bjidp.storage.sql.schema import appeal

_NOTICES = {Verdict.GRANT: NoticeKind.APPEAL_GRANTED, Verdict.REFUSE: NoticeKind.APPEAL_REFUSED}
_EVENTS = {Verdict.GRANT: EventKind.APPEAL_GRANTED, Verdict.REFUSE: EventKind.APPEAL_REFUSED}


class AppealDecisions:
    """Decides appeals within a transaction."""

    def __init__(
        self, engine: SqlEngine, rows: AppealRows, accounts: AccountRows, cipher: FieldCipher, claims: Claims
    ) -> None:
        """Compile the statements for ``engine``."""
        self._rows = rows
        self._accounts = accounts
        self._claims = claims
        self._identities = Identities(engine, cipher, claims)
        self._moves = IdentityMoves(engine, cipher, claims, self._identities)
        self._audit = AuditRows(engine)
        self._notices = NoticeRows(engine)
        self._follow = engine.compile(
            update(appeal)
            .where(appeal.c.id == bindparam("appeal"))
            .values(
                loser=bindparam("new_loser"),
                exchanged=bindparam("new_exchanged"),
                gone=bindparam("new_gone"),
                loser_gone=bindparam("new_loser_gone"),
                tell_at=bindparam("now"),
            )
        )

    def decide(self, transaction: Transaction, decision: Decision, now: Instant) -> Appeal:
        """Do what :meth:`bjidp.appeals.ports.AppealStore.decide` promises."""
        seen = self._rows.get(transaction, decision.appeal)
        if seen is None:
            raise AppealUnknown
        holder = self._claims.holder(transaction, of_document(seen.person))
        both = sorted({seen.account, holder or seen.account})
        locked = {one: self._accounts.locked(transaction, one) for one in both}
        found = self._rows.get(transaction, decision.appeal, lock=True)
        if found is None:
            raise AppealUnknown
        moved = decided(found, decision.verdict, decision.staff, decision.explanation, now)
        if self._claims.holder(transaction, of_document(found.person)) != holder:
            raise Contended  # it moved on while this waited
        if self.case(transaction, found, holder, now).facts != decision.facts:
            raise FactsChanged
        loser, exchanged = None, None
        if decision.verdict is Verdict.GRANT:
            loser, exchanged = self._grant(transaction, found, holder, locked, now)
        self._rows.move(transaction, moved)
        transaction.run(
            self._follow,
            {
                "appeal": moved.id,
                "new_loser": None if loser is None else loser.account,
                "new_exchanged": int(exchanged is not None),
                "new_gone": _words(exchanged),
                "new_loser_gone": _words(loser),
                "now": now,
            },
        )
        self._notices.tell(transaction, moved.account, _NOTICES[decision.verdict], now)
        facts = {Fact.APPEAL: moved.id, Fact.STAFF: decision.staff}
        self._audit.write_for(transaction, moved.account, AuditEvent(_EVENTS[decision.verdict], now, facts=facts))
        return moved

    def case(self, transaction: Transaction, found: Appeal, holder: str | None, now: Instant) -> Case:
        """Return an appeal with the accounts it is about, and what its pictures are."""
        return Case(
            appeal=found,
            claimant=self._rows.side(transaction, found.account, now),
            holder=None if holder is None else self._rows.side(transaction, holder, now),
            pictures=self._rows.digests(transaction, found.id),
            others=self._rows.crowd(transaction, found.person) - found.is_open,
        )

    def _grant(
        self,
        transaction: Transaction,
        found: Appeal,
        holder: str | None,
        locked: dict[str, Locked | None],
        now: Instant,
    ) -> tuple[PutOut | None, PutOut | None]:
        """Give the account the identity; return who lost it, and the account itself where another one gave way."""
        claimant = locked[found.account]
        if claimant is None or not claimant.usable:
            raise NotGrantable("gone" if claimant is None else claimant.status)
        new = granted_identity(found)
        holding = None if holder is None else self._identities.holding(transaction, holder)
        had_one = self._identities.holding(transaction, found.account) is not None
        loser = None
        agents: tuple[str, ...] = ()
        match award(found.account, holding):
            case Renew():
                raise NotGrantable("own")
            case _ if had_one and not found.exchange:
                raise NotGrantable("other_identity")
            case Bind():
                agents = self._moves.give(transaction, found.account, claimant.ref, new, now, moved_at=None)
            case Move(loser=former):
                losing = locked[former]
                if losing is None:
                    raise Contended
                # Also from an account that is locked: people have looked at why it is.
                loser = self._moves.take(transaction, former, losing.ref, new, now)
                agents = self._moves.give(transaction, found.account, claimant.ref, new, now, moved_at=now)
        exchanged = None
        if had_one:
            exchanged = self._moves.exchanged(transaction, found.account, claimant.ref, None, now, agents=agents)
        return loser, exchanged


def _words(out: PutOut | None) -> str | None:
    return None if out is None else msgspec.json.encode(out.gone).decode()
