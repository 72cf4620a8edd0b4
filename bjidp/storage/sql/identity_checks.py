"""What registers were asked for accounts.

Owns the rows of ``identity_check`` and the port ``CheckStore``. The account's row is locked while a check is begun, so
that parallel posts of one form find one and the same check, and no more are begun than may be.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, insert, select, update

from bjidp.clock import DAY, SECOND, Instant, Millis
from bjidp.entropy import Entropy
from bjidp.errors import RateLimited
from bjidp.proofing.ports import Check, Register
from bjidp.proofing.repeats import serves
from bjidp.storage.sql.account_rows import AccountRows, usable
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.statements import delete_some
from bjidp.storage.sql.database.transaction import Transaction
from bjidp.storage.sql.schema import identity_check
from bjidp.vendors.ports.registers import Finding, Reason, RegisterAnswer

COUNTED_FOR: Final[Millis] = DAY
"""How long a check counts towards what an account may begin."""

_REFERENCE_BYTES = 16


class SqlIdentityChecks:
    """The port ``bjidp.proofing.ports.CheckStore``."""

    def __init__(self, engine: SqlEngine, accounts: AccountRows, entropy: Entropy) -> None:
        """Compile the statements for ``engine``."""
        compile_ = engine.compile
        self._engine = engine
        self._accounts = accounts
        self._entropy = entropy
        check = identity_check.c
        self._recent = compile_(
            select(
                check.reference,
                check.facts,
                check.begun_at,
                check.answer,
                check.reason,
                check.register_reference,
                check.answered_at,
            )
            .where(
                check.account == bindparam("account"),
                check.register == bindparam("register"),
                check.begun_at > bindparam("since"),
            )
            .order_by(check.begun_at)
        )
        self._begin = compile_(insert(identity_check), ("reference", "account", "register", "facts", "begun_at"))
        self._answer = compile_(
            update(identity_check)
            .where(check.reference == bindparam("check"), check.answer.is_(None))
            .values(
                answer=bindparam("new_answer"),
                reason=bindparam("new_reason"),
                register_reference=bindparam("new_reference"),
                answered_at=bindparam("now"),
            )
        )
        self._forget = compile_(delete_some(identity_check, check.begun_at < bindparam("before"), engine.dialect))

    async def begin(self, account: str, register: Register, facts: bytes, now: Instant, *, most: int) -> Check:
        def work(transaction: Transaction) -> Check:
            usable(self._accounts.locked(transaction, account))
            values = {"account": account, "register": register.value, "since": now - COUNTED_FOR}
            recent = transaction.all(self._recent, values)
            for reference, asked, begun_at, answer, reason, their_reference, answered_at in recent:
                finding = _finding(answer, reason, their_reference)
                said = None if finding is None else finding.answer
                if asked == facts and serves(said, begun_at=begun_at, answered_at=answered_at, now=now):
                    return Check(reference, finding, begun_at)
            if len(recent) >= most:
                # As many as may be are left in the window once this one has gone out of it.
                raise RateLimited(-(-(recent[-most][2] + COUNTED_FOR - now) // SECOND))
            reference = self._entropy.octets(_REFERENCE_BYTES).hex()
            transaction.run(
                self._begin,
                {
                    "reference": reference,
                    "account": account,
                    "register": register.value,
                    "facts": facts,
                    "begun_at": now,
                },
            )
            return Check(reference, None, now)

        return await self._engine.write(work)

    async def answered(self, check: str, finding: Finding, now: Instant) -> None:
        await self._engine.write(
            lambda transaction: transaction.run(
                self._answer,
                {
                    "check": check,
                    "new_answer": finding.answer.value,
                    "new_reason": finding.reason,
                    "new_reference": finding.reference,
                    "now": now,
                },
            )
        )

    async def forget(self, before: Instant, limit: int) -> int:
        return await self._engine.write(
            lambda transaction: transaction.run(self._forget, {"before": before, "limit": limit})
        )


def _finding(answer: str | None, reason: str | None, reference: str) -> Finding | None:
    if answer is None:
        return None
    return Finding(RegisterAnswer(answer), None if reason is None else Reason(reason), reference)
