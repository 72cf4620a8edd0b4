"""When documents run out that accounts had before: what was stated of one outlasts 解绑 (RNV-1).

Owns the rows of ``former_document``, by which an account that has stated a date, and given the document up, does not
come back to it without one. Each is known by its keyed digests alone, those that the account gave up with it. Called by
``identities``, within its transactions, and by ``identity_store``.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, bindparam, delete, select

from bjidp.accounts.identifiers import IdentifierKind, of_document
from bjidp.person import Person
from bjidp.proofing.terms import UNSTATED, Term
from bjidp.storage.sql.claims import Claims
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.statements import insert_or_touch
from bjidp.storage.sql.database.transaction import Transaction
from bjidp.storage.sql.schema import former_document, identifier, identity
from bjidp.storage.sql.terms import NEVER, term_from


class FormerDocuments:
    """Remembers what accounts have stated."""

    def __init__(self, engine: SqlEngine, claims: Claims) -> None:
        """Compile the statements for ``engine``."""
        self._engine = engine
        self._claims = claims
        had = select(
            identifier.c.account, identifier.c.key_version, identifier.c.digest, identity.c.runs_out_at
        ).join_from(identifier, identity, identity.c.account == identifier.c.account)
        self._remember = engine.compile(
            insert_or_touch(
                former_document,
                engine.dialect,
                "runs_out_at",
                rows=had.where(
                    identifier.c.account == bindparam("account"),
                    identifier.c.kind == IdentifierKind.DOCUMENT.value,
                    # A date alone: whoever says nothing of a document that is valid for life says as much.
                    identity.c.runs_out_at < NEVER,
                ),
            )
        )
        which: tuple[ColumnElement[bool], ...] = (
            former_document.c.account == bindparam("account"),
            former_document.c.key_version == bindparam("key_version"),
            former_document.c.digest == bindparam("digest"),
        )
        self._found = engine.compile(select(former_document.c.runs_out_at).where(*which))
        self._forget = engine.compile(delete(former_document).where(*which))

    def remember(self, transaction: Transaction, account: str) -> None:
        """Remember what an account that is locked has stated of the document that it is about to give up."""
        transaction.run(self._remember, {"account": account})

    def taken_back(self, transaction: Transaction, account: str, person: Person) -> Term:
        """Return what was remembered, for the identity itself to know from now on."""
        found: Term = UNSTATED
        for values in self._claims.every(of_document(person)):
            row = transaction.one(self._found, {"account": account, **values})
            if row is not None:
                found = term_from(row[0])
                transaction.run(self._forget, {"account": account, **values})
        return found

    async def stated(self, account: str, person: Person) -> Term:
        """Look without taking anything back."""
        for values in self._claims.every(of_document(person)):
            row = await self._engine.one(self._found, {"account": account, **values})
            if row is not None:
                return term_from(row[0])
        return UNSTATED
