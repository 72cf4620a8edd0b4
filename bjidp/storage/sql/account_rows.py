"""The row of an account: how it is made, and how it is kept from others while something about it changes.

Called by the stores of accounts and of what belongs to them, within their transactions.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import ColumnElement, Update, bindparam, insert, select, update

from bjidp.clock import Instant
from bjidp.entropy import Entropy, token
from bjidp.errors import AccountRefused
from bjidp.privacy.fields import FieldCipher
from bjidp.standing import MAY_LOG_IN, Standing, Status
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.transaction import Contended, Transaction
from bjidp.storage.sql.rows import ACCOUNT_WITH_IDENTITY, STANDING, Rows
from bjidp.storage.sql.schema import account


class Locked(NamedTuple):
    """What is asked of an account before it is changed."""

    ref: str
    status: str
    epoch: int

    @property
    def usable(self) -> bool:
        """Whether the account may be used at this moment."""
        return self.status == MAY_LOG_IN.value


class AccountRows:
    """Makes and locks accounts within a transaction."""

    def __init__(self, engine: SqlEngine, rows: Rows, cipher: FieldCipher, entropy: Entropy) -> None:
        """Compile the statements for ``engine``."""
        self._rows = rows
        self._cipher = cipher
        self._entropy = entropy
        self._add = engine.compile(insert(account))
        # No key is changed, so whoever writes a line about the account (a notice of what another does, say) does not
        # wait: with the stronger lock two who tell each other of what they do would wait for each other.
        self._locked = engine.compile(
            select(account.c.ref, account.c.status, account.c.epoch)
            .where(account.c.id == bindparam("account"))
            .with_for_update(key_share=True)
        )
        self._standing = engine.compile(
            select(*STANDING).select_from(ACCOUNT_WITH_IDENTITY).where(account.c.id == bindparam("account"))
        )

    def add(
        self,
        transaction: Transaction,
        username: str,
        now: Instant,
        *,
        phone: str | None = None,
        password: str | None = None,
    ) -> tuple[str, str]:
        """Make an account that holds nothing yet; return its id and its reference.

        The number counts as proved, the hash as set at ``now``.
        """
        holder, ref = token(self._entropy, 128), token(self._entropy, 128)
        transaction.run(
            self._add,
            {
                "id": holder,
                "ref": ref,
                "status": Status.ACTIVE.value,
                "username_sealed": self._cipher.seal("account", "username", holder, username),
                "phone_sealed": None if phone is None else self._cipher.seal("account", "phone", holder, phone),
                "created_at": now,
                "password": password,
                "password_changed_at": None if password is None else now,
                "phone_used_at": None if phone is None else now,
                "mail_sealed": None,
                "ethnicity": None,
                "cancelled_at": None,
                "epoch": 0,
                "fence": 0,
                "kept": None,
            },
        )
        return holder, ref

    def locked(self, transaction: Transaction, account_id: str) -> Locked | None:
        """Keep others from changing the account until the transaction ends; None when there is no such account."""
        row = transaction.one(self._locked, {"account": account_id})
        return None if row is None else Locked(*row)

    def lock(self, transaction: Transaction, account_id: str) -> str:
        """Do as :meth:`locked` does; return the reference. Raises ``AccountRefused`` for one that may not be used."""
        return usable(self.locked(transaction, account_id))

    def standing(self, transaction: Transaction, account_id: str) -> Standing:
        """Return the standing of an account that is there."""
        row = transaction.one(self._standing, {"account": account_id})
        if row is None:
            raise Contended
        return self._rows.standing(row)


def next_epoch(which: ColumnElement[bool]) -> Update:
    """Return the update after which what phones confirmed for the accounts of ``which`` before logs nobody in.

    It waits for logins that have looked at the account, and those that look later see it.
    """
    return update(account).where(which).values(epoch=account.c.epoch + 1)


def fenced(which: ColumnElement[bool]) -> Update:
    """Return the update after which all sessions in browsers of those accounts are over but ``keep``, a parameter."""
    following = account.c.epoch + 1
    return update(account).where(which).values(epoch=following, fence=following, kept=bindparam("keep"))


def usable(locked: Locked | None) -> str:
    """Return the reference of an account that may be used; raise ``AccountRefused``."""
    if locked is None:
        raise AccountRefused(Status.CANCELLED)
    if not locked.usable:
        raise AccountRefused(locked.status)
    return locked.ref
