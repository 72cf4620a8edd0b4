"""What accounts are logged in to by elsewhere, in a database.

Owns ``ExternalStore``, and how a provider's user comes to an account and leaves it within a transaction, for
``members``, which makes accounts, and ``identity_moves``, which puts people out. Who holds what is decided by
``identifier``; a row here has the same name sealed, for the next rotation.
"""

from __future__ import annotations

from sqlalchemy import bindparam, delete, insert, select

from bjidp.accounts.identifiers import IdentifierKind, kind_of, of_external, of_phone
from bjidp.accounts.member_ports import External, IdentifierTaken
from bjidp.accounts.notices import NoticeKind
from bjidp.audit.event import AuditEvent, EventKind, Fact
from bjidp.clock import Instant
from bjidp.platforms import ExternalIdentity, Provider
from bjidp.privacy.fields import FieldCipher
from bjidp.privacy.index import BlindIndex
from bjidp.storage.sql.account_rows import AccountRows, usable
from bjidp.storage.sql.audit import AuditRows
from bjidp.storage.sql.claims import Claims
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.transaction import Contended, Transaction
from bjidp.storage.sql.notices import NoticeRows
from bjidp.storage.sql.schema import external_link
from bjidp.verification.errors import VerificationRequired

_ORDER = list(Provider)


class ExternalRows:
    """Links and unlinks within a transaction, on an account that is locked."""

    def __init__(self, engine: SqlEngine, cipher: FieldCipher, claims: Claims) -> None:
        """Compile the statements for ``engine``."""
        self._cipher = cipher
        self._claims = claims
        self._audit = AuditRows(engine)
        own = external_link.c.account == bindparam("account")
        self._add = engine.compile(insert(external_link))
        self._of = engine.compile(select(external_link.c.provider).where(own))
        self._drop = engine.compile(delete(external_link).where(own, external_link.c.provider == bindparam("provider")))

    def holder(self, transaction: Transaction, identity: ExternalIdentity) -> str | None:
        """Return the account that a provider's user logs in to, or None."""
        return self._claims.holder(transaction, of_external(identity))

    def link(self, transaction: Transaction, account: str, ref: str, identity: ExternalIdentity, now: Instant) -> bool:
        """Link a user that nobody has; return whether in place of what the account had of this provider."""
        replaced = self.unlink(transaction, account, ref, identity.provider, now)
        if not self._claims.claim(transaction, of_external(identity), account):
            raise Contended  # another transaction was faster; now somebody has the user
        transaction.run(
            self._add,
            {
                "account": account,
                "provider": identity.provider.value,
                "app_id": identity.app_id,
                "kind": identity.kind.value,
                "value_sealed": self._cipher.seal("external_link", identity.provider, account, identity.value),
                "linked_at": now,
            },
        )
        self._write(transaction, EventKind.EXTERNAL_LINKED, ref, identity.provider, now)
        return replaced

    def drop(self, transaction: Transaction, account: str, provider: Provider) -> bool:
        """Unlink what the account has of this provider; return whether it had anything."""
        self._claims.release(transaction, account, kind_of(provider))
        return bool(transaction.run(self._drop, {"account": account, "provider": provider.value}))

    def unlink(self, transaction: Transaction, account: str, ref: str, provider: Provider, now: Instant) -> bool:
        """Do as :meth:`drop` does, and audit it."""
        if not self.drop(transaction, account, provider):
            return False
        self._write(transaction, EventKind.EXTERNAL_UNLINKED, ref, provider, now)
        return True

    def unlink_all(self, transaction: Transaction, account: str, ref: str, now: Instant) -> None:
        """Do so for every provider that the account has a user of."""
        for (name,) in transaction.all(self._of, {"account": account}):
            self.unlink(transaction, account, ref, Provider(name), now)

    def _write(self, transaction: Transaction, kind: EventKind, ref: str, provider: Provider, now: Instant) -> None:
        self._audit.write(transaction, AuditEvent(kind, now, ref, facts={Fact.PROVIDER: provider.value}))


class SqlExternals:
    """The port ``bjidp.accounts.member_ports.ExternalStore``."""

    def __init__(self, engine: SqlEngine, accounts: AccountRows, *, cipher: FieldCipher, index: BlindIndex) -> None:
        """Compile the statements for ``engine``."""
        self._engine = engine
        self._accounts = accounts
        self._claims = Claims(engine, index)
        self._rows = ExternalRows(engine, cipher, self._claims)
        self._notices = NoticeRows(engine)
        self._linked = engine.compile(
            select(external_link.c.provider, external_link.c.linked_at).where(
                external_link.c.account == bindparam("account")
            )
        )

    async def link(self, account: str, identity: ExternalIdentity, proof: str | int, now: Instant) -> bool:
        """Let the provider's user log in to ``account``.

        Raises ``AccountRefused``, ``VerificationRequired`` and :class:`IdentifierTaken`.
        """

        def work(transaction: Transaction) -> bool:
            locked = self._accounts.locked(transaction, account)
            ref = usable(locked)
            # After the lock, which whoever changes the number or ends all sessions takes as well (attack P7).
            if isinstance(proof, int):
                if locked is None or locked.epoch != proof:
                    raise VerificationRequired
            elif self._claims.holder(transaction, of_phone(proof)) != account:
                raise IdentifierTaken(IdentifierKind.PHONE)
            holder = self._rows.holder(transaction, identity)
            if holder == account:
                return False
            if holder is not None:
                raise IdentifierTaken(kind_of(identity.provider))
            replaced = self._rows.link(transaction, account, ref, identity, now)
            self._tell(transaction, account, NoticeKind.EXTERNAL_LINKED, identity.provider, now)
            return replaced

        return await self._engine.write(work)

    async def linked(self, account: str) -> list[External]:
        """Return what the account has."""
        rows = await self._engine.all(self._linked, {"account": account})
        found = [External(Provider(provider), linked_at) for provider, linked_at in rows]
        return sorted(found, key=lambda one: _ORDER.index(one.provider))

    async def unlink(self, account: str, provider: Provider, now: Instant) -> bool:
        """Let no user of ``provider`` log in to the account any more; raise ``AccountRefused``."""

        def work(transaction: Transaction) -> bool:
            ref = self._accounts.lock(transaction, account)
            if not self._rows.unlink(transaction, account, ref, provider, now):
                return False
            self._tell(transaction, account, NoticeKind.EXTERNAL_UNLINKED, provider, now)
            return True

        return await self._engine.write(work)

    async def unlink_all(self, account: str, now: Instant) -> None:
        """Do so for every provider, and tell nothing."""

        def work(transaction: Transaction) -> None:
            locked = self._accounts.locked(transaction, account)
            if locked is not None:
                self._rows.unlink_all(transaction, account, locked.ref, now)

        await self._engine.write(work)

    def _tell(self, transaction: Transaction, account: str, kind: NoticeKind, provider: Provider, now: Instant) -> None:
        self._notices.tell(transaction, account, kind, now, {"provider": provider.value})
