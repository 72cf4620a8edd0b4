"""Phone numbers: given to an account, and taken over from one that ends for it.

Called by ``members``, within its transactions.
"""

from __future__ import annotations

from msgspec.structs import replace
from sqlalchemy import bindparam, exists, select, update

from bjidp.accounts.identifiers import IdentifierKind, of_phone
from bjidp.accounts.member_ports import Ended, IdentifierTaken, NumberGiven
from bjidp.accounts.notices import NoticeKind
from bjidp.audit.event import AuditEvent, EventKind
from bjidp.clock import Instant
from bjidp.privacy.fields import FieldCipher
from bjidp.storage.sql.account_rows import AccountRows, Locked, fenced, usable
from bjidp.storage.sql.audit import AuditRows
from bjidp.storage.sql.claims import Claims
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.transaction import Contended, Transaction
from bjidp.storage.sql.erasure import Erasure
from bjidp.storage.sql.notices import NoticeRows
from bjidp.storage.sql.schema import account, identity


class PhoneNumbers:
    """Moves numbers within a transaction."""

    def __init__(
        self, engine: SqlEngine, cipher: FieldCipher, accounts: AccountRows, claims: Claims, erasure: Erasure
    ) -> None:
        """Compile the statements for ``engine``."""
        self._cipher = cipher
        self._accounts = accounts
        self._claims = claims
        self._erasure = erasure
        self._audit = AuditRows(engine)
        self._notices = NoticeRows(engine)
        change = update(account).where(account.c.id == bindparam("account"))
        self._former = engine.compile(select(account.c.phone_sealed).where(account.c.id == bindparam("account")))
        self._set = engine.compile(change.values(phone_sealed=bindparam("number"), phone_used_at=bindparam("now")))
        self._fence = engine.compile(fenced(account.c.id == bindparam("account")))
        self._use = engine.compile(change.values(phone_used_at=bindparam("now")))
        self._has_identity = engine.compile(select(exists().where(identity.c.account == bindparam("account"))))

    def give(
        self,
        transaction: Transaction,
        account_id: str,
        ref: str,
        number: str,
        now: Instant,
        *,
        keep: str | None = None,
    ) -> NumberGiven | None:
        """Give the number to an account that is locked; return None when another one holds it.

        One that has it already is not told again. A number in place of another ends sessions; a first one, whichever
        way it comes, ends none.
        """
        claimed = of_phone(number)
        if self._claims.holder(transaction, claimed) == account_id:
            transaction.run(self._use, {"account": account_id, "now": now})
            return NumberGiven()
        if not self._claims.replace(transaction, claimed, account_id):
            return None
        former = self._number_of(transaction, account_id)
        sealed = self._cipher.seal("account", "phone", account_id, number)
        transaction.run(self._set, {"account": account_id, "number": sealed, "now": now})
        self._audit.write(transaction, AuditEvent(EventKind.PHONE_CHANGED, now, ref))
        self._notices.tell(transaction, account_id, NoticeKind.PHONE_CHANGED, now)
        if former is not None:
            transaction.run(self._fence, {"account": account_id, "keep": keep})
        return NumberGiven(former=former)

    def merge(self, transaction: Transaction, account_id: str, number: str, now: Instant) -> NumberGiven:
        """Give the number to an account and end the one that held it.

        Raises ``AccountRefused``, and :class:`IdentifierTaken` when the holder has to stay.
        """
        claimed = of_phone(number)
        held_by = self._claims.holder(transaction, claimed)
        loser = None if held_by == account_id else held_by
        # In one order everywhere: two accounts that take each other's numbers must not wait for each other.
        both = sorted({account_id, loser or account_id})
        locked = {one: self._accounts.locked(transaction, one) for one in both}
        ref = usable(locked[account_id])
        ended = None
        if loser is not None:
            if self._claims.holder(transaction, claimed) != loser:
                raise Contended  # it moved on while this waited
            ended = self._end(transaction, loser, locked[loser], now)
        given = self.give(transaction, account_id, ref, number, now)
        if given is None:
            raise Contended  # somebody came to hold it since the look
        return replace(given, ended=ended)

    def _number_of(self, transaction: Transaction, account_id: str) -> str | None:
        row = transaction.one(self._former, {"account": account_id})
        return None if row is None or row[0] is None else self._cipher.open("account", "phone", account_id, row[0])

    def _end(self, transaction: Transaction, account_id: str, locked: Locked | None, now: Instant) -> Ended:
        proved = transaction.one(self._has_identity, {"account": account_id})
        if locked is None or not locked.usable or proved is None or proved[0]:
            raise IdentifierTaken(IdentifierKind.PHONE)
        return self._erasure.erase(transaction, account_id, locked.ref, EventKind.ACCOUNT_MERGED, now)
