"""Who holds which identifier.

Owns the rows of ``identifier``: one for each active key version, claimed by inserting them. Their primary key decides:
of two transactions that claim the same value one inserts a row and the other does not. Called by the stores of
accounts, identities and appeals, within their transactions.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import ColumnElement, bindparam, delete, select

from bjidp.accounts.identifiers import Identifier, IdentifierKind
from bjidp.privacy.index import BlindIndex, Digest
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.statements import Value, insert_or_nothing
from bjidp.storage.sql.database.transaction import Transaction
from bjidp.storage.sql.schema import identifier

HELD: Final[tuple[ColumnElement[bool], ...]] = (
    identifier.c.kind == bindparam("kind"),
    identifier.c.key_version == bindparam("key_version"),
    identifier.c.digest == bindparam("digest"),
)
"""The row of one identifier; :meth:`Claims.values` are its parameters."""


class Claims:
    """Claims and gives up identifiers within a transaction."""

    def __init__(self, engine: SqlEngine, index: BlindIndex) -> None:
        """Compile the statements for ``engine``."""
        self._index = index
        self._claim = engine.compile(insert_or_nothing(identifier, engine.dialect))
        self._holder = engine.compile(select(identifier.c.account).where(*HELD))
        # Under every version, also one that this process does not know yet or any more.
        self._release = engine.compile(
            delete(identifier).where(
                identifier.c.account == bindparam("account"), identifier.c.kind == bindparam("kind")
            )
        )

    def values(self, sought: Identifier) -> dict[str, Value]:
        """Return what :data:`HELD` is asked with: the digest under the current version, whose rows are complete."""
        return _row(sought.kind, self._index.digest(sought.kind.value, *sought.value))

    def every(self, sought: Identifier) -> list[dict[str, Value]]:
        """Return the digest under each active version, as parameters."""
        return [_row(sought.kind, digest) for digest in self._index.digests(sought.kind.value, *sought.value)]

    def holder(self, transaction: Transaction, sought: Identifier) -> str | None:
        """Return the account that holds ``sought``, or None."""
        row = transaction.one(self._holder, self.values(sought))
        return None if row is None else str(row[0])

    def claim(self, transaction: Transaction, claimed: Identifier, account: str) -> bool:
        """Claim an identifier for ``account`` under every active version; return False when one is held already.

        Then the transaction is to be rolled back.
        """
        return all(
            transaction.run(self._claim, {"account": account, **_row(claimed.kind, digest)})
            for digest in self._index.digests(claimed.kind.value, *claimed.value)
        )

    def release(self, transaction: Transaction, account: str, kind: IdentifierKind) -> None:
        """Give up what ``account`` holds of this kind."""
        transaction.run(self._release, {"account": account, "kind": kind.value})

    def replace(self, transaction: Transaction, claimed: Identifier, account: str) -> bool:
        """Give up what ``account`` holds of this kind and claim ``claimed`` in its place, as :meth:`claim` does."""
        self.release(transaction, account, claimed.kind)
        return self.claim(transaction, claimed, account)


def _row(kind: IdentifierKind, digest: Digest) -> dict[str, Value]:
    return {"kind": kind.value, "key_version": digest.version, "digest": digest.value}
