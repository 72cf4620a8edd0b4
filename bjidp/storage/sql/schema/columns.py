"""What tables are made of: the one collection of them, types, and the columns and indexes that several have.

Times are milliseconds since the epoch; ids and references 128 random bits in base64url.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
)

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pk",
        "uq": "%(table_name)s_%(column_0_N_name)s_uq",
        "fk": "%(table_name)s_%(column_0_N_name)s_fk",
        "ix": "%(table_name)s_%(column_0_N_name)s_ix",
    }
)

ID: Final = String(22)
INSTANT: Final = BigInteger()
DIGEST: Final = LargeBinary(32)
WORD: Final = String(80)
SERIAL: Final = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite numbers rows by itself only for a column declared exactly INTEGER PRIMARY KEY."""


def of_account() -> Column[str]:
    """Return a column that says whose a row is; it goes with the account."""
    return Column("account", ID, ForeignKey("account.id", ondelete="CASCADE"), nullable=False)


def index_of_some(name: str, *columns: Column[Any], where: ColumnElement[bool]) -> None:
    """Index the rows alone ``where`` it holds, and only for what asks for such rows."""
    Index(name, *columns, postgresql_where=where, sqlite_where=where)
