"""Filling key versions for appeals: what they say, and their pictures, are sealed anew with the current key.

Owns the step from one appeal, and from one picture, to the next: a picture is a few hundred kilobytes, so few of them
are in one transaction. Called by ``rotation``.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from sqlalchemy import bindparam, select, tuple_, update

from bjidp.privacy.fields import FieldCipher
from bjidp.privacy.index import BlindIndex
from bjidp.storage.sql.appeal_rows import IS_WHOLE, AppealRows, picture_row
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.statements import Value
from bjidp.storage.sql.database.transaction import Transaction
from bjidp.storage.sql.schema import appeal, appeal_picture

APPEALS: Final = 100
PICTURES: Final = 10
"""Rows in one transaction."""

_SEALED: Final = ("new", "reason", "contact", "explanation")


class AppealRotation:
    """Seals appeals anew."""

    def __init__(self, engine: SqlEngine, cipher: FieldCipher, index: BlindIndex) -> None:
        """Compile the statements for ``engine``."""
        self._engine = engine
        self._cipher = cipher
        self._rows = AppealRows(engine, cipher, index)
        compile_ = engine.compile
        self._appeals = compile_(
            select(appeal.c.id, *(appeal.c[f"{name}_sealed"] for name in _SEALED))
            .where(appeal.c.id > bindparam("after"), IS_WHOLE)
            .order_by(appeal.c.id)
            .limit(bindparam("batch"))
            .with_for_update()
        )
        self._seal = compile_(
            update(appeal)
            .where(appeal.c.id == bindparam("appeal"))
            .values(
                key_version=bindparam("version"),
                document=bindparam("digest"),
                **{f"{name}_sealed": bindparam(f"new_{name}") for name in _SEALED},
            )
        )
        key = (appeal_picture.c.appeal, appeal_picture.c.number)
        self._pictures = compile_(
            select(*key, appeal_picture.c.name_sealed, appeal_picture.c.picture_sealed)
            .where(tuple_(*key) > tuple_(bindparam("after"), bindparam("number")))
            .order_by(*key)
            .limit(bindparam("batch"))
            .with_for_update()
        )
        self._seal_picture = compile_(
            update(appeal_picture)
            .where(appeal_picture.c.appeal == bindparam("of"), appeal_picture.c.number == bindparam("which"))
            .values(name_sealed=bindparam("new_name"), picture_sealed=bindparam("new_picture"))
        )

    async def fill(self) -> None:
        """Seal all of them anew; raise ``StoreUnavailable``, and what was done until then stays."""
        after = ""
        while after := await self._engine.write(partial(self._batch, after=after)):
            pass
        last: tuple[str, int] | None = ("", 0)
        while last is not None:
            last = await self._engine.write(partial(self._batch_of_pictures, after=last))

    def _batch(self, transaction: Transaction, after: str) -> str:
        rows = transaction.all(self._appeals, {"after": after, "batch": APPEALS})
        for found, *sealed in rows:
            values: dict[str, Value] = {"appeal": found}
            for name, value in zip(_SEALED, sealed, strict=True):
                values[f"new_{name}"] = None if value is None else self._again("appeal", name, found, value)
            filed = self._rows.get(transaction, found)
            if filed is not None:
                digest = self._rows.document(filed.person)
                values |= {"version": digest.version, "digest": digest.value}
                transaction.run(self._seal, values)
        return str(rows[-1][0]) if rows else ""

    def _batch_of_pictures(self, transaction: Transaction, after: tuple[str, int]) -> tuple[str, int] | None:
        rows = transaction.all(self._pictures, {"after": after[0], "number": after[1], "batch": PICTURES})
        for found, number, name, picture in rows:
            row = picture_row(found, number)
            transaction.run(
                self._seal_picture,
                {
                    "of": found,
                    "which": number,
                    "new_name": self._again("appeal_picture", "name", row, name),
                    "new_picture": self._again("appeal_picture", "picture", row, picture),
                },
            )
        return (rows[-1][0], rows[-1][1]) if rows else None

    def _again(self, table: str, column: str, row: str, sealed: bytes) -> bytes:
        return self._cipher.seal_bytes(table, column, row, self._cipher.open_bytes(table, column, row, sealed))
