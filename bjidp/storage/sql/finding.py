"""Finding an account by what somebody typed, which may be read in several ways.

Owns that a name nobody has costs what one costs that somebody has (attack R1). Called by ``members``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, bindparam, literal_column, select, union_all

from bjidp.accounts.identifiers import Identifier
from bjidp.accounts.member_ports import Member
from bjidp.accounts.ports import Evidence
from bjidp.person import DocumentType
from bjidp.privacy.fields import FieldCipher
from bjidp.standing import MAY_LOG_IN
from bjidp.storage.sql.claims import Claims
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.statements import Row, Statement, Value
from bjidp.storage.sql.rows import ACCOUNT_WITH_IDENTITY, MEMBER, Rows
from bjidp.storage.sql.schema import account, identifier


class Finding:
    """Looks for the account of a name."""

    def __init__(self, engine: SqlEngine, rows: Rows, claims: Claims, cipher: FieldCipher) -> None:
        """Seal the values that are opened for nobody."""
        self._engine = engine
        self._rows = rows
        self._claims = claims
        self._nobody = _nobody(cipher)
        self._statements: dict[int, Statement] = {}

    async def find(self, names: Sequence[Identifier]) -> Member | None:
        """Return the account that holds one of ``names``, the first of them that is held, or None."""
        if not names:
            return None
        values: dict[str, Value] = {}
        for place, name in enumerate(names):
            values |= {f"{column}_{place}": value for column, value in self._claims.values(name).items()}
        row = await self._engine.one(self._statement(len(names)), values)
        # What is unsealed takes time too.
        member = self._rows.member(self._nobody if row is None else row)
        return None if row is None else member

    def _statement(self, names: int) -> Statement:
        if names not in self._statements:
            self._statements[names] = self._engine.compile(_look(names))
        return self._statements[names]


def _look(names: int) -> Select[*tuple[Any, ...]]:
    """Return one statement that looks up as many identifiers, each by the primary key."""
    held = union_all(
        *(
            select(literal_column(str(place)).label("place"), identifier.c.account).where(
                identifier.c.kind == bindparam(f"kind_{place}"),
                identifier.c.key_version == bindparam(f"key_version_{place}"),
                identifier.c.digest == bindparam(f"digest_{place}"),
            )
            for place in range(names)
        )
    ).subquery("held")
    return (
        select(*MEMBER)
        .select_from(held.join(ACCOUNT_WITH_IDENTITY, account.c.id == held.c.account))
        .order_by(held.c.place)
        .limit(1)
    )


def _nobody(cipher: FieldCipher) -> Row:
    """Return the columns of a member who is nobody, with as much sealed as an account with an identity has."""
    text = "nobody"
    username, phone = (cipher.seal("account", column, text, text) for column in ("username", "phone"))
    name, number = (cipher.seal("identity", column, text, text) for column in ("name", "number"))
    standing = (text, text, MAY_LOG_IN.value, username, Evidence.FACE.value, None, name, 0, 0, None)
    identity = (DocumentType.RESIDENT_ID.value, number, None)
    return (*standing, phone, None, None, *identity, None, None, 0)
