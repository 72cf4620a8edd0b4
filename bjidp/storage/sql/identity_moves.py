"""How an identity comes to an account: taken from who holds it, given to who gets it, everybody put out who has to go.

Owns what is written for it, with what the log and the accounts are told. Who may have what is decided before, by
:mod:`bjidp.proofing.binding`; both accounts are locked. Called by ``identity_store`` and ``appeal_decisions``, within
their transactions.
"""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select

from bjidp.accounts.identifiers import of_document
from bjidp.accounts.notices import NoticeKind
from bjidp.accounts.ports import Gone
from bjidp.audit.event import AuditEvent, EventKind, Fact
from bjidp.clock import Instant
from bjidp.miniprogram.ports import MiniSessionEnd
from bjidp.privacy.fields import FieldCipher
from bjidp.proofing.ports import NewIdentity, PutOut
from bjidp.storage.sql.account_rows import fenced
from bjidp.storage.sql.audit import AuditRows
from bjidp.storage.sql.claims import Claims
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.transaction import Contended, Transaction
from bjidp.storage.sql.externals import ExternalRows
from bjidp.storage.sql.grants import GrantRows
from bjidp.storage.sql.identities import Identities
from bjidp.storage.sql.mini_sessions import MiniSessionEnds
from bjidp.storage.sql.notices import NoticeRows
from bjidp.storage.sql.relying_parties import ConsentRows
from bjidp.storage.sql.schema import account, platform_link


class IdentityMoves:
    """Moves identities within a transaction."""

    def __init__(self, engine: SqlEngine, cipher: FieldCipher, claims: Claims, identities: Identities) -> None:
        """Compile the statements for ``engine``."""
        compile_ = engine.compile
        self._cipher = cipher
        self._claims = claims
        self._identities = identities
        self._audit = AuditRows(engine)
        self._notices = NoticeRows(engine)
        self._mini_ends = MiniSessionEnds(engine)
        self._externals = ExternalRows(engine, cipher, claims)
        self._consents = ConsentRows(engine, GrantRows(engine))
        self._phone = compile_(select(account.c.phone_sealed).where(account.c.id == bindparam("account")))
        self._fence = compile_(fenced(account.c.id == bindparam("account")))
        self._links = compile_(
            select(platform_link.c.id, platform_link.c.platform).where(platform_link.c.account == bindparam("account"))
        )
        self._unlink = compile_(delete(platform_link).where(platform_link.c.id == bindparam("link")))

    def take(self, transaction: Transaction, former: str, ref: str, new: NewIdentity, now: Instant) -> PutOut:
        """Take the identity from the account that holds it; return whom to tell."""
        gone = self._identities.take(transaction, former, now)
        self.note(transaction, EventKind.IDENTITY_LOST, ref, new, now)
        self._notices.tell(transaction, former, NoticeKind.IDENTITY_LOST, now)
        return PutOut(former, ref, self._phone_of(transaction, former), gone)

    def give(
        self,
        transaction: Transaction,
        account_id: str,
        ref: str,
        new: NewIdentity,
        now: Instant,
        *,
        moved_at: Instant | None,
    ) -> tuple[str, ...]:
        """Give the account an identity that is nobody's by now, in place of the one it had.

        Returns the accounts that have acted by the word of the person it was, and do so no more.

        It is told so, unless it is told of the exchange. What a face registers on a phone comes another way: there the
        account itself is new.
        """
        agents = self._identities.drop(transaction, account_id, now)
        if not self._claims.claim(transaction, of_document(new.person), account_id):
            raise Contended  # somebody came to hold it since the look
        self._identities.bind(transaction, account_id, new, now, moved_at=moved_at)
        kind = EventKind.IDENTITY_PROVED if agents is None else EventKind.IDENTITY_EXCHANGED
        self.note(transaction, kind, ref, new, now)
        if moved_at is not None:
            self.note(transaction, EventKind.IDENTITY_TAKEN, ref, new, now)
            self._notices.tell(transaction, account_id, NoticeKind.IDENTITY_TAKEN, now)
        elif agents is None:
            self._notices.tell(transaction, account_id, NoticeKind.IDENTITY_BOUND, now)
        return agents or ()

    def put_out(
        self,
        transaction: Transaction,
        account_id: str,
        ref: str,
        keep: str | None,
        reason: MiniSessionEnd,
        now: Instant,
        *,
        agents: tuple[str, ...],
    ) -> PutOut:
        """Put everybody out of an account that is another person's, or nobody's, by now, but the session ``keep``.

        ``agents`` have acted by the word of who it was.
        A phone that a former face has linked goes with that person: else it would be let in for days without another.
        So does what they log in by elsewhere, and what they have agreed that sites may read: of whoever the account is
        from now on they would go on reading without having asked.
        """
        self._externals.unlink_all(transaction, account_id, ref, now)
        self._consents.forget_all(transaction, account_id, ref, now)
        transaction.run(self._fence, {"account": account_id, "keep": keep})
        links, over = transaction.all(self._links, {"account": account_id}), []
        for link, platform in links:
            over += self._mini_ends.of_link(transaction, link, reason, now)
            transaction.run(self._unlink, {"link": link})
            facts = {Fact.LINK: link, Fact.PLATFORM: platform}
            self._audit.write_for(transaction, account_id, AuditEvent(EventKind.LINK_REPLACED, now, facts=facts))
        gone = Gone(tuple(link for link, _ in links), tuple(over), agents)
        return PutOut(account_id, ref, self._phone_of(transaction, account_id), gone)

    def exchanged(
        self,
        transaction: Transaction,
        account_id: str,
        ref: str,
        keep: str | None,
        now: Instant,
        *,
        agents: tuple[str, ...],
    ) -> PutOut:
        """Put everybody but the session ``keep`` out of an account that is another person's by now, and tell it."""
        self._notices.tell(transaction, account_id, NoticeKind.IDENTITY_EXCHANGED, now)
        reason = MiniSessionEnd.IDENTITY_EXCHANGED
        return self.put_out(transaction, account_id, ref, keep, reason, now, agents=agents)

    def _phone_of(self, transaction: Transaction, account_id: str) -> str | None:
        row = transaction.one(self._phone, {"account": account_id})
        return None if row is None or row[0] is None else self._cipher.open("account", "phone", account_id, row[0])

    def note(self, transaction: Transaction, kind: EventKind, ref: str, new: NewIdentity, now: Instant) -> None:
        """Write down what became of an identity, and what proved it."""
        facts = {
            Fact.DOCUMENT_TYPE: new.person.document_type.value,
            Fact.EVIDENCE: new.evidence.value,
            Fact.EVIDENCE_REFERENCE: new.evidence_reference,
            Fact.AUTHORITY_REFERENCE: new.authority_reference,
        }
        self._audit.write(transaction, AuditEvent(kind, now, ref, facts=facts))
