"""What an account is to organisations at this moment, as transactions that hold its lock look at it.

Owns the join by which an organisation is led: its account may be used, and has the very identity that the register has
confirmed. Called by ``organisations``, ``organisation_looks`` and ``mandates``.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, select

from bjidp.accounts.ports import Evidence
from bjidp.clock import Instant
from bjidp.organisations.organisation import is_proved
from bjidp.privacy.fields import FieldCipher
from bjidp.standing import MAY_LOG_IN
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.transaction import Transaction
from bjidp.storage.sql.schema import account, identity, organisation
from bjidp.storage.sql.terms import term_from

LEADER: Final = identity.alias("leader")
LED: Final = (
    organisation.join(account, account.c.id == organisation.c.representative)
    .join(LEADER, LEADER.c.account == organisation.c.representative)
)  # fmt: skip
IS_LED: Final = (account.c.status == MAY_LOG_IN.value, LEADER.c.bound_at == organisation.c.bound_at)


class Holders:
    """Looks within transactions."""

    def __init__(self, engine: SqlEngine, cipher: FieldCipher) -> None:
        """Compile the statements for ``engine``."""
        compile_ = engine.compile
        self._cipher = cipher
        self._identity = compile_(
            select(identity.c.bound_at, identity.c.evidence, identity.c.runs_out_at).where(
                identity.c.account == bindparam("account")
            )
        )
        self._phone = compile_(select(account.c.phone_sealed).where(account.c.id == bindparam("account")))
        self._leads = compile_(
            select(organisation.c.id)
            .select_from(LED)
            .where(
                organisation.c.id == bindparam("organisation"),
                organisation.c.representative == bindparam("account"),
                *IS_LED,
            )
        )

    def proved(self, transaction: Transaction, account_id: str, now: Instant) -> Instant | None:
        """Return since when an account that is locked has its identity; None when that is not worth enough."""
        row = transaction.one(self._identity, {"account": account_id})
        return row[0] if row is not None and is_proved(Evidence(row[1]), term_from(row[2]), now) else None

    def number(self, transaction: Transaction, account_id: str) -> str | None:
        """Return the number of an account, or None."""
        row = transaction.one(self._phone, {"account": account_id})
        return None if row is None or row[0] is None else self._cipher.open("account", "phone", account_id, row[0])

    def lead(self, transaction: Transaction, account_id: str, organisation_id: str) -> bool:
        """Tell whether the account leads the organisation."""
        values = {"organisation": organisation_id, "account": account_id}
        return transaction.one(self._leads, values) is not None
