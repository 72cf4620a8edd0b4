"""Filling key versions: the second and fourth step of a rotation (``bjidp.privacy.keyring``).

Owns writing the blind-index rows that accounts lack and sealing every field anew with the current key. Runs beside
live servers, a batch of accounts per transaction, and may be stopped and started again. Appeals come last, by
``appeal_rotation``. Called by ``bjidp keys fill``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sqlalchemy import bindparam, select, update

from bjidp.accounts.identifiers import IdentifierKind, kind_of, of_document, of_phone, of_username
from bjidp.person import DocumentType, Person
from bjidp.platforms import Provider
from bjidp.privacy.fields import FieldCipher
from bjidp.privacy.index import BlindIndex
from bjidp.storage.sql.appeal_rotation import AppealRotation
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.statements import Value, insert_or_nothing
from bjidp.storage.sql.database.transaction import Transaction
from bjidp.storage.sql.link_rows import PLATFORM_IDENTITY
from bjidp.storage.sql.organisation_looks import OFFERED_TO
from bjidp.storage.sql.schema import (
    account,
    external_link,
    identifier,
    identity,
    mandate,
    organisation,
    platform_identity,
    platform_link,
    relying_party,
)

BATCH = 100
"""Accounts in one transaction."""


class Incomplete(Exception):
    """A value could not be claimed under the new version: another account holds it there. Look-ups must not move."""


class Rotation:
    """Fills every active key version for every account."""

    def __init__(self, engine: SqlEngine, cipher: FieldCipher, index: BlindIndex) -> None:
        """Compile the statements for ``engine``."""
        self._engine = engine
        self._appeals = AppealRotation(engine, cipher, index)
        self._cipher = cipher
        self._index = index
        compile_, dialect = engine.compile, engine.dialect
        # Locked, so that a login or a relink of the account waits for its turn and nothing is overwritten.
        self._accounts = compile_(
            select(account.c.id, account.c.username_sealed, account.c.phone_sealed, account.c.mail_sealed)
            .where(account.c.id > bindparam("after"))
            .order_by(account.c.id)
            .limit(bindparam("batch"))
            .with_for_update()
        )
        self._identity = compile_(
            select(identity.c.document_type, identity.c.name_sealed, identity.c.number_sealed)
            .where(identity.c.account == bindparam("account"))
            .with_for_update()
        )
        self._links = compile_(
            select(platform_link.c.id, platform_link.c.platform, platform_link.c.app_id, platform_link.c.open_id_sealed)
            .where(platform_link.c.account == bindparam("account"))
            .with_for_update()
        )
        self._externals = compile_(
            select(external_link.c.provider, external_link.c.app_id, external_link.c.kind, external_link.c.value_sealed)
            .where(external_link.c.account == bindparam("account"))
            .with_for_update()
        )
        self._seal_external = compile_(
            update(external_link)
            .where(external_link.c.account == bindparam("holder"), external_link.c.provider == bindparam("whose"))
            .values(value_sealed=bindparam("value"))
        )
        # With whoever leads the organisation; an offer is of no other account yet.
        self._mandates = compile_(
            select(mandate.c.id, mandate.c.phone_sealed)
            .join_from(mandate, organisation)
            .where(organisation.c.representative == bindparam("account"))
            .with_for_update(of=mandate)
        )
        self._seal_mandate = compile_(
            update(mandate)
            .where(mandate.c.id == bindparam("which"))
            .values(
                phone_sealed=bindparam("phone"),
                key_version=bindparam("new_version"),
                phone_digest=bindparam("new_digest"),
            )
        )
        # As many as there are sites of the city's own interface: one transaction holds them all.
        self._shared = compile_(
            select(relying_party.c.id, relying_party.c.shared_sealed)
            .where(relying_party.c.shared_sealed.is_not(None))
            .with_for_update()
        )
        self._seal_shared = compile_(
            update(relying_party)
            .where(relying_party.c.id == bindparam("which"))
            .values(shared_sealed=bindparam("secret"))
        )
        self._seal_account = compile_(
            update(account)
            .where(account.c.id == bindparam("account"))
            .values(
                username_sealed=bindparam("username"),
                phone_sealed=bindparam("phone"),
                mail_sealed=bindparam("mail"),
            )
        )
        self._seal_identity = compile_(
            update(identity)
            .where(identity.c.account == bindparam("holder"))
            .values(name_sealed=bindparam("name"), number_sealed=bindparam("number"))
        )
        self._seal_link = compile_(
            update(platform_link)
            .where(platform_link.c.id == bindparam("link"))
            .values(open_id_sealed=bindparam("open_id"))
        )
        by_digest = (
            identifier.c.kind == bindparam("kind"),
            identifier.c.key_version == bindparam("key_version"),
            identifier.c.digest == bindparam("digest"),
        )
        self._claim = compile_(insert_or_nothing(identifier, dialect))
        self._holder = compile_(select(identifier.c.account).where(*by_digest))
        self._claim_platform = compile_(insert_or_nothing(platform_identity, dialect))
        self._linked = compile_(
            select(platform_identity.c.link).where(
                platform_identity.c.key_version == bindparam("key_version"),
                platform_identity.c.digest == bindparam("digest"),
            )
        )

    async def fill(self, progress: Callable[[int], None] = lambda _: None) -> int:
        """Fill all accounts; return how many there were. ``progress`` hears the number after each batch.

        When this returns, every field is sealed with the current key and every account is indexed under every active
        version, provided that all running processes know those versions. Raises :class:`Incomplete` and
        ``StoreUnavailable``; what was filled until then stays.
        """
        done, after = 0, ""
        while True:
            ids = await self._engine.write(partial(self._batch, after=after))
            if not ids:
                await self._appeals.fill()
                await self._engine.write(self._fill_relying_parties)
                return done
            done += len(ids)
            after = ids[-1]
            progress(done)

    def _batch(self, transaction: Transaction, after: str) -> list[str]:
        rows = transaction.all(self._accounts, {"after": after, "batch": BATCH})
        for holder, *sealed in rows:
            self._fill_account(transaction, holder, *sealed)
            proved = transaction.one(self._identity, {"account": holder})
            if proved is not None:
                self._fill_identity(transaction, holder, *proved)
            for link, platform, app_id, open_id in transaction.all(self._links, {"account": holder}):
                self._fill_link(transaction, link, (platform, app_id), open_id)
            for provider, app_id, kind, value in transaction.all(self._externals, {"account": holder}):
                self._fill_external(transaction, holder, provider, (app_id, kind), value)
            for name, phone in transaction.all(self._mandates, {"account": holder}):
                self._fill_mandate(transaction, name, phone)
        return [row[0] for row in rows]

    def _fill_relying_parties(self, transaction: Transaction) -> None:
        for client, sealed in transaction.all(self._shared, {}):
            secret = self._cipher.open("relying_party", "shared", client, sealed)
            again = self._cipher.seal("relying_party", "shared", client, secret)
            transaction.run(self._seal_shared, {"which": client, "secret": again})

    def _fill_account(
        self, transaction: Transaction, holder: str, username: bytes | None, phone: bytes | None, mail: bytes | None
    ) -> None:
        values: dict[str, Value] = {"account": holder, "username": None, "phone": None, "mail": None}
        if username is not None:
            name = self._cipher.open("account", "username", holder, username)
            values["username"] = self._cipher.seal("account", "username", holder, name)
            self._index_identifier(transaction, holder, IdentifierKind.USERNAME, of_username(name).value)
        if phone is not None:
            number = self._cipher.open("account", "phone", holder, phone)
            values["phone"] = self._cipher.seal("account", "phone", holder, number)
            self._index_identifier(transaction, holder, IdentifierKind.PHONE, of_phone(number).value)
        if mail is not None:
            address = self._cipher.open("account", "mail", holder, mail)
            values["mail"] = self._cipher.seal("account", "mail", holder, address)
        transaction.run(self._seal_account, values)

    def _fill_identity(
        self, transaction: Transaction, holder: str, document_type: str, name: bytes, number: bytes
    ) -> None:
        person = Person(
            DocumentType(document_type),
            self._cipher.open("identity", "name", holder, name),
            self._cipher.open("identity", "number", holder, number),
        )
        self._index_identifier(transaction, holder, IdentifierKind.DOCUMENT, of_document(person).value)
        transaction.run(
            self._seal_identity,
            {
                "holder": holder,
                "name": self._cipher.seal("identity", "name", holder, person.name),
                "number": self._cipher.seal("identity", "number", holder, person.number),
            },
        )

    def _fill_link(self, transaction: Transaction, link: str, app: tuple[str, str], sealed: bytes) -> None:
        open_id = self._cipher.open("platform_link", "open_id", link, sealed)
        for digest in self._index.digests(PLATFORM_IDENTITY, *app, open_id):
            values: dict[str, Value] = {"key_version": digest.version, "digest": digest.value, "link": link}
            transaction.run(self._claim_platform, values)
            held = transaction.one(self._linked, values)
            if held is None or held[0] != link:
                raise Incomplete(PLATFORM_IDENTITY)
        again = self._cipher.seal("platform_link", "open_id", link, open_id)
        transaction.run(self._seal_link, {"link": link, "open_id": again})

    def _fill_external(
        self, transaction: Transaction, holder: str, provider: str, of: tuple[str, str], sealed: bytes
    ) -> None:
        value = self._cipher.open("external_link", provider, holder, sealed)
        self._index_identifier(transaction, holder, kind_of(Provider(provider)), (*of, value))
        again = self._cipher.seal("external_link", provider, holder, value)
        transaction.run(self._seal_external, {"holder": holder, "whose": provider, "value": again})

    def _fill_mandate(self, transaction: Transaction, name: str, sealed: bytes) -> None:
        phone = self._cipher.open("mandate", "phone", name, sealed)
        digest = self._index.digest(OFFERED_TO, phone)
        transaction.run(
            self._seal_mandate,
            {
                "which": name,
                "phone": self._cipher.seal("mandate", "phone", name, phone),
                "new_version": digest.version,
                "new_digest": digest.value,
            },
        )

    def _index_identifier(
        self, transaction: Transaction, holder: str, kind: IdentifierKind, value: tuple[str, ...]
    ) -> None:
        for digest in self._index.digests(kind.value, *value):
            values: dict[str, Value] = {
                "kind": kind.value,
                "key_version": digest.version,
                "digest": digest.value,
                "account": holder,
            }
            transaction.run(self._claim, values)
            held = transaction.one(self._holder, values)
            if held is None or held[0] != holder:
                raise Incomplete(kind.value)
