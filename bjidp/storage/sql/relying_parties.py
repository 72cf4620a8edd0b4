"""Relying parties, and what people have agreed that they may read (RP-1, LOG-8).

Owns ``ClientStore`` and ``ConsentStore``. A client is kept as the metadata it registered and read from that anew, so
that one module says what metadata mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from sqlalchemy import bindparam, delete, insert, select, update

from bjidp.audit.event import AuditEvent, EventKind, Fact
from bjidp.clock import Instant
from bjidp.oidc.grants.grant import GrantEnd
from bjidp.oidc.metadata import is_client_id
from bjidp.oidc.ports import Agreement, DuplicateClient, Entry, RegisteredClient
from bjidp.oidc.scopes import Scope, known
from bjidp.privacy.fields import FieldCipher
from bjidp.secret import Secret
from bjidp.storage.sql.account_rows import AccountRows
from bjidp.storage.sql.audit import AuditRows
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.statements import Value, insert_or_nothing
from bjidp.storage.sql.database.transaction import Transaction
from bjidp.storage.sql.grants import GrantRows
from bjidp.storage.sql.registrations import read_kept
from bjidp.storage.sql.schema import consent, oidc_grant, relying_party

REMEMBERED = 1024
"""Relying parties remembered, by the text of their metadata."""

_SHARED = ("relying_party", "shared")


class SqlClients:
    """The port ``bjidp.oidc.ports.ClientStore``."""

    def __init__(self, engine: SqlEngine, grants: GrantRows, cipher: FieldCipher | None) -> None:
        """Compile the statements for ``engine``; who has no ``cipher`` keeps and reads no shared secrets."""
        self._engine = engine
        self._cipher = cipher
        # Reading metadata takes longer than finding them, and they are the same at every request.
        self._read = lru_cache(REMEMBERED)(read_kept)
        self._grants = grants
        self._audit = AuditRows(engine)
        table = relying_party
        kept = select(table.c.metadata, table.c.secret, table.c.shared_sealed)
        self._find = engine.compile(kept.where(table.c.id == bindparam("client")))
        self._add = engine.compile(insert_or_nothing(table, engine.dialect))
        entries = select(table.c.id, table.c.metadata, table.c.created_at)
        self._entry = engine.compile(entries.where(table.c.id == bindparam("client")))
        self._entries = engine.compile(entries.order_by(table.c.created_at, table.c.id))
        # Whoever begins a grant meanwhile waits for this row, and then finds none.
        self._lock = engine.compile(select(table.c.id).where(table.c.id == bindparam("client")).with_for_update())
        self._remove = engine.compile(delete(table).where(table.c.id == bindparam("client")))

    async def find(self, client_id: str) -> RegisteredClient | None:
        if not is_client_id(client_id):
            # Whoever asks may be anybody, and their text one that no database holds (attack Q27).
            return None
        row = await self._engine.one(self._find, {"client": client_id})
        if row is None:
            return None
        metadata, secret, sealed = row
        client = self._read(client_id, metadata)
        if client is None:
            return None
        if sealed is None or self._cipher is None:
            return RegisteredClient(client, secret)
        return RegisteredClient(client, secret, Secret(self._cipher.open(*_SHARED, client_id, sealed)))

    async def add(self, registered: RegisteredClient, metadata: str, now: Instant) -> None:
        client_id, sealed = registered.client.id, None
        if registered.shared is not None:
            if self._cipher is None:
                raise ValueError("a shared secret is kept under the keys of the configuration")
            sealed = self._cipher.seal(*_SHARED, client_id, registered.shared.text())
        values: dict[str, Value] = {
            "id": client_id,
            "metadata": metadata,
            "secret": registered.secret,
            "created_at": now,
            "shared_sealed": sealed,
        }

        def work(transaction: Transaction) -> None:
            if not transaction.run(self._add, values):
                raise DuplicateClient
            self._audit.write(transaction, _event(EventKind.CLIENT_ADDED, client_id, now))

        await self._engine.write(work)

    async def entry(self, client_id: str) -> Entry | None:
        row = await self._engine.one(self._entry, {"client": client_id})
        return None if row is None else Entry(*row)

    async def entries(self) -> Sequence[Entry]:
        return [Entry(*row) for row in await self._engine.all(self._entries, {})]

    async def remove(self, client_id: str, now: Instant) -> int | None:
        def work(transaction: Transaction) -> int | None:
            it: dict[str, Value] = {"client": client_id}
            if transaction.one(self._lock, it) is None:
                return None
            # Deleting the row would end its grants too, and the audit log would not know.
            ended = self._grants.end_all(transaction, client_id, GrantEnd.CLIENT_REMOVED, now)
            transaction.run(self._remove, it)
            self._audit.write(transaction, _event(EventKind.CLIENT_REMOVED, client_id, now))
            return ended

        return await self._engine.write(work)


class ConsentRows:
    """Forgets agreements within a transaction."""

    def __init__(self, engine: SqlEngine, grants: GrantRows) -> None:
        """Compile the statements for ``engine``."""
        self._audit = AuditRows(engine)
        self._grants = grants
        table = consent
        self._forget = engine.compile(
            delete(table).where(table.c.account == bindparam("account_id")).returning(table.c.client)
        )

    def forget_all(self, transaction: Transaction, account_id: str, ref: str, now: Instant) -> None:
        """Forget what was agreed to by who an account was, end what came of it and have the sites told."""
        for (client,) in transaction.all(self._forget, {"account_id": account_id}):
            event = AuditEvent(EventKind.CONSENT_WITHDRAWN, now, ref, facts={Fact.CLIENT: client})
            self._audit.write(transaction, event)
        self._grants.end_of_account(transaction, account_id, None, now)


class SqlConsents:
    """The port ``bjidp.oidc.ports.ConsentStore``."""

    def __init__(self, engine: SqlEngine, accounts: AccountRows, grants: GrantRows) -> None:
        """Compile the statements for ``engine``."""
        self._engine = engine
        self._accounts = accounts
        self._grants = grants
        self._audit = AuditRows(engine)
        table = consent
        it = (table.c.account == bindparam("account_id"), table.c.client == bindparam("client_id"))
        self._find = engine.compile(select(table.c.scopes).where(*it))
        self._add = engine.compile(insert(table))
        self._change = engine.compile(
            update(table).where(*it).values(scopes=bindparam("new_scopes"), agreed_at=bindparam("now"))
        )
        self._forget = engine.compile(delete(table).where(*it))
        metadata, grant = relying_party.c.metadata, oidc_grant.c
        self._agreed = engine.compile(
            select(table.c.client, metadata, table.c.scopes, table.c.agreed_at)
            .select_from(table.join(relying_party, relying_party.c.id == table.c.client))
            .where(table.c.account == bindparam("account"))
        )
        self._given = engine.compile(
            select(grant.client, metadata, grant.scopes, grant.created_at, grant.number, grant.session)
            .select_from(oidc_grant.join(relying_party, relying_party.c.id == grant.client))
            .where(grant.account == bindparam("account"), grant.ended_at.is_(None), grant.expires_at > bindparam("now"))
        )

    async def agreed(self, account: str, client: str) -> frozenset[Scope]:
        row = await self._engine.one(self._find, {"account_id": account, "client_id": client})
        return frozenset() if row is None else frozenset(known(row[0].split()))

    async def agree(self, account: str, client: str, scopes: frozenset[Scope], now: Instant) -> None:
        def work(transaction: Transaction) -> None:
            # The account's row lock makes two tabs that agree at once take turns.
            standing = self._accounts.locked(transaction, account)
            if standing is None:
                return
            it: dict[str, Value] = {"account_id": account, "client_id": client}
            row = transaction.one(self._find, it)
            before = frozenset() if row is None else frozenset(known(row[0].split()))
            words = " ".join(sorted(before | scopes))
            if row is None:
                transaction.run(self._add, {"account": account, "client": client, "scopes": words, "agreed_at": now})
            elif not scopes <= before:
                transaction.run(self._change, {**it, "new_scopes": words, "now": now})
            else:
                return
            event = AuditEvent(EventKind.CONSENT_GIVEN, now, standing.ref, facts={Fact.CLIENT: client})
            self._audit.write(transaction, event)

        await self._engine.write(work)

    async def of_account(self, account: str, now: Instant) -> list[Agreement]:
        agreed = await self._engine.all(self._agreed, {"account": account})
        given = await self._engine.all(self._given, {"account": account, "now": now})
        found: dict[str, Agreement] = {}
        for client, metadata, words, at in [*agreed, *(row[:4] for row in given)]:
            before = found.get(client)
            known_as = read_kept(client, metadata) if before is None else before.client
            if known_as is None:
                continue
            scopes = {*words.split()} | ({*before.scopes} if before is not None else set())
            found[client] = Agreement(
                client=known_as,
                scopes=tuple(scope for scope in Scope if scope in scopes and scope is not Scope.OFFLINE_ACCESS),
                agreed_at=at if before is None else max(at, before.agreed_at),
                sessions=frozenset(row[5] for row in given if row[0] == client),
                away=any(row[0] == client and row[4] is not None for row in given),
            )
        return sorted(found.values(), key=lambda one: (-one.agreed_at, one.client.id))

    async def withdraw(self, account: str, client: str, now: Instant) -> int:
        if not is_client_id(client):
            # It comes from a form, and may be a text that no database holds (attack Q27).
            return 0

        def work(transaction: Transaction) -> int:
            standing = self._accounts.locked(transaction, account)
            if standing is None:
                return 0
            if transaction.run(self._forget, {"account_id": account, "client_id": client}):
                event = AuditEvent(EventKind.CONSENT_WITHDRAWN, now, standing.ref, facts={Fact.CLIENT: client})
                self._audit.write(transaction, event)
            return self._grants.end_of_client(transaction, account, client, GrantEnd.WITHDRAWN, now)

        return await self._engine.write(work)


def _event(kind: EventKind, client_id: str, now: Instant) -> AuditEvent:
    return AuditEvent(kind, now, facts={Fact.CLIENT: client_id})
