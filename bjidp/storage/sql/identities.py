"""The identities that accounts have proved: bound, proved anew, and given up to who proved better (RNV-7).

Owns the rows of ``identity``. Who holds which document is decided by ``claims``; called by ``accounts``,
``identity_store``, ``identity_moves`` and ``appeal_decisions``, within their transactions.
"""

from __future__ import annotations

from sqlalchemy import FromClause, bindparam, delete, func, insert, select, update

from bjidp.accounts.identifiers import IdentifierKind
from bjidp.accounts.ports import Evidence, Gone, IdentityTaken
from bjidp.clock import Instant
from bjidp.errors import RateLimited
from bjidp.miniprogram.ports import MiniSessionEnd
from bjidp.organisations.organisation import Loss
from bjidp.person import DocumentType, Person
from bjidp.privacy.fields import FieldCipher
from bjidp.proofing.binding import Holding, is_led_to, stays
from bjidp.proofing.ports import Bound, NewIdentity, mark
from bjidp.proofing.renewal import Proof, renewed
from bjidp.proofing.terms import Unstated
from bjidp.standing import Status
from bjidp.storage.sql.account_rows import fenced
from bjidp.storage.sql.claims import Claims
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.statements import Row
from bjidp.storage.sql.database.transaction import Contended, Transaction
from bjidp.storage.sql.former_documents import FormerDocuments
from bjidp.storage.sql.mini_sessions import MiniSessionEnds
from bjidp.storage.sql.national_wishes import WishRows
from bjidp.storage.sql.organisation_rows import OrganisationRows
from bjidp.storage.sql.schema import account, identity
from bjidp.storage.sql.terms import term_column, term_from

BOUND = (
    identity.c.account,
    identity.c.document_type,
    identity.c.name_sealed,
    identity.c.number_sealed,
    identity.c.evidence,
    identity.c.bound_at,
    identity.c.runs_out_at,
    identity.c.evidence_reference,
    identity.c.newest_reference,
    identity.c.authority_reference,
    identity.c.version,
)

HOLDER: FromClause = identity.join(account, account.c.id == identity.c.account)
HOLDING = (account.c.id, account.c.status, identity.c.evidence, identity.c.moved_at)


def holding_from(row: Row) -> Holding:
    """Read the columns :data:`HOLDING`."""
    holder, status, evidence, moved_at = row
    return Holding(holder, Status(status), Evidence(evidence), moved_at)


class Identities:
    """Writes identities within a transaction."""

    def __init__(self, engine: SqlEngine, cipher: FieldCipher, claims: Claims) -> None:
        """Compile the statements for ``engine``."""
        self._cipher = cipher
        self._claims = claims
        self._former = FormerDocuments(engine, claims)
        self._mini_ends = MiniSessionEnds(engine)
        self._organisations = OrganisationRows(engine)
        self._wishes = WishRows(engine)
        held = identity.c.account == bindparam("account")
        self._add = engine.compile(insert(identity))
        self._renew = engine.compile(
            update(identity)
            .where(identity.c.account == bindparam("holder"))
            .values(
                name_sealed=bindparam("new_name"),
                evidence=bindparam("new_evidence"),
                evidence_reference=bindparam("new_evidence_reference"),
                newest_reference=bindparam("new_newest_reference"),
                authority_reference=bindparam("new_authority_reference"),
                proved_at=bindparam("now"),
                runs_out_at=bindparam("new_runs_out_at"),
                worn_told_at=bindparam("new_worn_told_at"),
                sex=func.coalesce(bindparam("new_sex"), identity.c.sex),
                version=identity.c.version + bindparam("step"),
            )
        )
        self._held = engine.compile(select(*HOLDING).select_from(HOLDER).where(held))
        self._marked = engine.compile(
            select(identity.c.bound_at, identity.c.version, identity.c.newest_reference).where(held)
        )
        self._worth = engine.compile(
            select(
                identity.c.evidence, identity.c.evidence_reference, identity.c.runs_out_at, identity.c.worn_told_at
            ).where(held)
        )
        self._drop = engine.compile(delete(identity).where(held))
        self._fence = engine.compile(fenced(account.c.id == bindparam("account")))

    def bind(
        self, transaction: Transaction, holder: str, new: NewIdentity, now: Instant, *, moved_at: Instant | None = None
    ) -> None:
        """Give the identity to an account that has claimed its document.

        What it has stated of that document before it gave it up holds on, unless it is stated anew.
        """
        person = new.person
        before = self._former.taken_back(transaction, holder, person)
        term = before if isinstance(new.term, Unstated) else new.term
        transaction.run(
            self._add,
            {
                "account": holder,
                "document_type": person.document_type.value,
                "name_sealed": self._cipher.seal("identity", "name", holder, person.name),
                "number_sealed": self._cipher.seal("identity", "number", holder, person.number),
                "evidence": new.evidence.value,
                "evidence_reference": new.evidence_reference,
                "newest_reference": new.evidence_reference,
                "authority_reference": new.authority_reference,
                "bound_at": now,
                "proved_at": now,
                "moved_at": moved_at,
                "version": 1,
                "runs_out_at": term_column(term),
                "worn_told_at": None,
                "sex": new.sex,
            },
        )
        self._wishes.ripen(transaction, holder, now)

    def prove(self, transaction: Transaction, holder: str, new: NewIdentity, now: Instant) -> None:
        """Keep what counts by now; and the name as the authority knows it now, since people change theirs."""
        row = transaction.one(self._worth, {"account": holder})
        if row is None:
            raise Contended
        evidence, reference, runs_out_at, told_at = row
        held = Proof(Evidence(evidence), reference, term_from(runs_out_at))
        counts = renewed(held, Proof(new.evidence, new.evidence_reference, new.term), now)
        transaction.run(
            self._renew,
            {
                "holder": holder,
                "new_name": self._cipher.seal("identity", "name", holder, new.person.name),
                "new_evidence": counts.evidence.value,
                "new_evidence_reference": counts.reference,
                "new_newest_reference": new.evidence_reference,
                "new_authority_reference": new.authority_reference,
                "new_runs_out_at": term_column(counts.term),
                "new_worn_told_at": told_at if counts.term == held.term else None,
                "new_sex": new.sex,
                "now": now,
                "step": 1,
            },
        )

    def holding(self, transaction: Transaction, holder: str) -> Holding | None:
        """Return how an account that is locked holds its identity; None when it has none."""
        held = transaction.one(self._held, {"account": holder})
        return None if held is None else holding_from(held)

    def mark(self, transaction: Transaction, holder: str) -> str | None:
        """Return the mark of the identity of an account that is locked; None when it has none."""
        marked = transaction.one(self._marked, {"account": holder})
        return None if marked is None else mark(*marked)

    def drop(self, transaction: Transaction, holder: str, now: Instant) -> tuple[str, ...] | None:
        """Take its identity from an account that is locked; return None when it had none.

        What it led and acted for as that person ends with it, and the other sides have a notice; returns the accounts
        that have acted by its word. When the document runs out is remembered: it comes back to the account as it went.
        What that person wished for (REG-1) does not.
        """
        self._former.remember(transaction, holder)
        dropped = transaction.run(self._drop, {"account": holder})
        self._claims.release(transaction, holder, IdentifierKind.DOCUMENT)
        if not dropped:
            return None
        self._wishes.drop(transaction, holder)
        return self._organisations.leave(transaction, holder, Loss.IDENTITY_GONE, now)

    def take(self, transaction: Transaction, holder: str, now: Instant) -> Gone:
        """Take its identity from an account that is locked, for another one, and put everybody out of it.

        It is the fence in the account's row that does so: sessions that are kept elsewhere open nothing from then on.
        Returns which sessions on phones ended here, and who has acted by its word.
        """
        agents = self.drop(transaction, holder, now) or ()
        transaction.run(self._fence, {"account": holder, "keep": None})
        over = self._mini_ends.but(transaction, holder, None, MiniSessionEnd.IDENTITY_LOST, now)
        return Gone(sessions=tuple(over), agents=agents)

    def give_up(self, transaction: Transaction, holder: str, better: Evidence, now: Instant) -> Gone:
        """Do as :meth:`take` does for a new account, whose person came by a phone and was not led to this one.

        Raises :class:`IdentityTaken` when they are to be by now, and ``RateLimited`` when the identity moved a moment
        ago.
        """
        held = self.holding(transaction, holder)
        if held is None or is_led_to(held.evidence, better):
            raise IdentityTaken
        if seconds := stays(held, now):
            raise RateLimited(seconds)
        return self.take(transaction, holder, now)

    def bound(self, row: Row) -> Bound:
        """Read the columns :data:`BOUND`, in clear."""
        holder, kind, name, number, evidence, bound_at, runs_out_at, counts, newest, *others = row
        theirs, version = others
        return Bound(
            person=Person(
                DocumentType(kind),
                self._cipher.open("identity", "name", holder, name),
                self._cipher.open("identity", "number", holder, number),
            ),
            evidence=Evidence(evidence),
            bound_at=bound_at,
            term=term_from(runs_out_at),
            evidence_reference=counts,
            newest_reference=newest,
            authority_reference=theirs,
            version=version,
        )
