"""The identities that accounts have proved: bound, proved anew, and given up to who proved better (RNV-7).

Owns the rows of ``identity``. Who holds which document is decided by ``claims``; called by ``accounts``, within its
transactions.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import SmallInteger, bindparam, case, delete, insert, select, update

from bjidp.accounts.identifiers import IdentifierKind
from bjidp.accounts.ports import Evidence, IdentityTaken, NewAccount
from bjidp.clock import DAY, SECOND, Instant, Millis
from bjidp.errors import RateLimited
from bjidp.privacy.fields import FieldCipher
from bjidp.standing import Level
from bjidp.storage.sql.claims import Claims
from bjidp.storage.sql.engine import SqlEngine
from bjidp.storage.sql.schema import identity
from bjidp.storage.sql.transaction import Transaction

BORN_AT: Final = Level.L3
"""The level that a face proves (REG-7)."""

MOVES_EVERY: Final[Millis] = DAY
"""How long an identity that moved stays where it is."""


class Identities:
    """Writes identities within a transaction."""

    def __init__(self, engine: SqlEngine, cipher: FieldCipher, claims: Claims) -> None:
        """Compile the statements for ``engine``."""
        self._cipher = cipher
        self._claims = claims
        level = bindparam("new_level", type_=SmallInteger())
        self._add = engine.compile(insert(identity))
        self._renew = engine.compile(
            update(identity)
            .where(identity.c.account == bindparam("holder"))
            .values(
                name_sealed=bindparam("new_name"),
                level=case((identity.c.level < level, level), else_=identity.c.level),
                evidence=bindparam("new_evidence"),
                evidence_reference=bindparam("new_evidence_reference"),
                authority_reference=bindparam("new_authority_reference"),
                proved_at=bindparam("now"),
                version=identity.c.version + bindparam("step"),
            )
        )
        held = identity.c.account == bindparam("account")
        self._held = engine.compile(select(identity.c.evidence, identity.c.moved_at).where(held))
        self._drop = engine.compile(delete(identity).where(held))

    def bind(
        self, transaction: Transaction, holder: str, new: NewAccount, now: Instant, *, moved_at: Instant | None = None
    ) -> None:
        """Give the identity to an account that has claimed its document."""
        person = new.person
        transaction.run(
            self._add,
            {
                "account": holder,
                "document_type": person.document_type.value,
                "name_sealed": self._cipher.seal("identity", "name", holder, person.name),
                "number_sealed": self._cipher.seal("identity", "number", holder, person.number),
                "level": BORN_AT.value,
                "evidence": new.evidence.value,
                "evidence_reference": new.evidence_reference,
                "authority_reference": new.authority_reference,
                "bound_at": now,
                "proved_at": now,
                "moved_at": moved_at,
                "version": 1,
            },
        )

    def prove(self, transaction: Transaction, holder: str, new: NewAccount, now: Instant) -> None:
        """Keep the newest proof; and the name as the authority knows it now, since people change theirs."""
        transaction.run(
            self._renew,
            {
                "holder": holder,
                "new_name": self._cipher.seal("identity", "name", holder, new.person.name),
                "new_level": BORN_AT.value,
                "new_evidence": new.evidence.value,
                "new_evidence_reference": new.evidence_reference,
                "new_authority_reference": new.authority_reference,
                "now": now,
                "step": 1,
            },
        )

    def give_up(self, transaction: Transaction, holder: str, better: Evidence, now: Instant) -> None:
        """Take its identity from an account that is locked, and that proved it less well than by ``better``.

        Raises :class:`IdentityTaken` when it did not, and ``RateLimited`` when the identity moved a moment ago.
        """
        held = transaction.one(self._held, {"account": holder})
        if held is None or not better.outweighs(Evidence(held[0])):
            raise IdentityTaken
        moved_at = held[1]
        if moved_at is not None and now - moved_at < MOVES_EVERY:
            raise RateLimited(-(-(moved_at + MOVES_EVERY - now) // SECOND))
        transaction.run(self._drop, {"account": holder})
        self._claims.release(transaction, holder, IdentifierKind.DOCUMENT)
