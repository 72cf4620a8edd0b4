"""The account's side of a login: the last look at the account, the audit event, the network to remember.

Owns the statements that a new session of either kind needs within its transaction, wherever the session itself is
kept. Called by the session stores here, and through ``SqlAccounts`` by those that keep sessions in Redis.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, cast, exists, func, insert, select
from sqlalchemy.engine import Dialect

from bjidp.audit.event import AuditEvent, EventKind, Fact
from bjidp.clock import DAY, Instant
from bjidp.entropy import base64url
from bjidp.errors import AccountRefused
from bjidp.sessions.ports import ConfirmationOver, Login
from bjidp.standing import MAY_LOG_IN, Standing
from bjidp.storage.sql.audit import AuditRows, event_values
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.statements import Row, Value, insert_or_touch
from bjidp.storage.sql.database.transaction import Transaction
from bjidp.storage.sql.rows import ACCOUNT_WITH_IDENTITY, STANDING, Rows
from bjidp.storage.sql.schema import account, audit_event, login_network, platform_link


class Admission(ABC):
    """Decides whether an account may log in at this moment, and writes down that it did."""

    def __init__(self, engine: SqlEngine, rows: Rows, key_version: int) -> None:
        """Compile the statements for ``engine``; digests that come with a login are of ``key_version``.

        A ticket that another process shows while the version is being moved may bring one of the version before: it
        is found all the same, since look-ups go by the digest alone.
        """
        self._engine = engine
        self._rows = rows
        self._key_version = key_version
        self._audit = AuditRows(engine)
        of_link = exists().where(
            platform_link.c.id == bindparam("link"), platform_link.c.account == bindparam("account")
        )
        # The row lock, of a browser's login too, makes a lock of the account wait for this login, and then end its
        # session: without it a session made in between would come back to life when the account is unlocked (attack
        # Q21). Phones of one account take turns besides, since each counts the sessions of its link.
        self._account_with_link = engine.compile(
            _looked_at().add_columns(of_link.label("linked")).with_for_update(key_share=True, of=account)
        )

    @abstractmethod
    def browser(
        self, transaction: Transaction, account_id: str, login: Login, session: str, now: Instant, epoch: int | None
    ) -> Standing:
        """Admit a browser; raise ``AccountRefused``, and ``ConfirmationOver`` if the account has left ``epoch``."""

    @abstractmethod
    async def browser_alone(
        self, account_id: str, login: Login, session: str, now: Instant, epoch: int | None
    ) -> Standing:
        """Do as :meth:`browser` does, as a transaction of its own."""

    def mini(
        self, transaction: Transaction, account_id: str, session: str, now: Instant, *, link: str, platform: str
    ) -> Standing:
        """Admit a phone by its platform link; raise ``AccountRefused``, also when the link is gone meanwhile."""
        row = transaction.one(self._account_with_link, {"account": account_id, "link": link})
        standing = self._admitted(None if row is None else row[:-1])
        if row is None or not row[-1]:
            raise AccountRefused("other_account")
        facts = {Fact.PLATFORM: platform, Fact.LINK: link}
        self._audit.write(transaction, AuditEvent(EventKind.LOGIN_MINI, now, standing.ref, session, None, facts))
        return standing

    def _admitted(self, row: Row | None, epoch: int | None = None) -> Standing:
        if row is None:
            raise AccountRefused("cancelled")
        standing = self._rows.standing(row)
        if standing.refusal is not None:
            raise AccountRefused(standing.refusal)
        if epoch is not None and epoch != standing.epoch:
            raise ConfirmationOver
        return standing


def open_admission(engine: SqlEngine, rows: Rows, key_version: int) -> Admission:
    """Return the admission that suits the database; see :class:`Admission`."""
    kind = _InOneStatement if engine.dialect.name == "postgresql" else _StepByStep
    return kind(engine, rows, key_version)


class _StepByStep(Admission):
    """For SQLite, whose WITH only reads, and where a statement more costs no way to a server."""

    def __init__(self, engine: SqlEngine, rows: Rows, key_version: int) -> None:
        super().__init__(engine, rows, key_version)
        self._account = engine.compile(_looked_at())
        self._remember = engine.compile(insert_or_touch(login_network, engine.dialect, "last_at", ahead=DAY))

    def browser(
        self, transaction: Transaction, account_id: str, login: Login, session: str, now: Instant, epoch: int | None
    ) -> Standing:
        standing = self._admitted(transaction.one(self._account, {"account": account_id}), epoch)
        self._audit.write(transaction, _logged_in(login, session, now, standing.ref))
        if login.ticket is not None:
            transaction.run(
                self._remember,
                {"account": account_id, "network": login.network, "key_version": self._key_version, "last_at": now},
            )
        return standing

    async def browser_alone(
        self, account_id: str, login: Login, session: str, now: Instant, epoch: int | None
    ) -> Standing:
        return await self._engine.write_briefly(
            lambda transaction: self.browser(transaction, account_id, login, session, now, epoch)
        )


class _InOneStatement(Admission):
    """For PostgreSQL: one way there and back, and no thread where it is all there is to do."""

    def __init__(self, engine: SqlEngine, rows: Rows, key_version: int) -> None:
        super().__init__(engine, rows, key_version)
        looked_at = _looked_at().with_for_update(read=True, of=account)
        self._admit = engine.compile(_in_one_statement(looked_at, engine.dialect))

    def browser(
        self, transaction: Transaction, account_id: str, login: Login, session: str, now: Instant, epoch: int | None
    ) -> Standing:
        values = self._values(account_id, login, session, now, epoch)
        return self._admitted(transaction.one(self._admit, values), epoch)

    async def browser_alone(
        self, account_id: str, login: Login, session: str, now: Instant, epoch: int | None
    ) -> Standing:
        answer = await self._engine.write_one(self._admit, self._values(account_id, login, session, now, epoch))
        return self._admitted(answer.rows[0] if answer.rows else None, epoch)

    def _values(self, account_id: str, login: Login, session: str, now: Instant, epoch: int | None) -> dict[str, Value]:
        values = event_values(_logged_in(login, session, now, None))
        own: dict[str, Value] = {"network": login.network, "key_version": self._key_version, "epoch": epoch}
        return {**values, **own, "account": account_id}


def _looked_at() -> Select[*tuple[Any, ...]]:
    return select(*STANDING).select_from(ACCOUNT_WITH_IDENTITY).where(account.c.id == bindparam("account"))


def _logged_in(login: Login, session: str, now: Instant, ref: str | None) -> AuditEvent:
    facts = {Fact.WAY: login.way.value, Fact.BROWSER: login.browser, Fact.OS: login.os}
    if login.platform is not None:
        facts[Fact.PLATFORM] = login.platform
    if login.link is not None:
        facts[Fact.LINK] = login.link
    ticket = None if login.ticket is None else base64url(login.ticket)
    return AuditEvent(EventKind.LOGIN_BROWSER, now, ref, session, ticket, facts)


def _in_one_statement(looked_at: Select[*tuple[Any, ...]], dialect: Dialect) -> Select[*tuple[Any, ...]]:
    """Write both rows if the account that is looked at, and locked, may log in; return what was seen of it.

    It may not by what was confirmed in another epoch than its own; one of none is not compared.
    """
    looked = looked_at.cte("looked")

    def given(column: ColumnElement[Any], name: str) -> ColumnElement[Any]:
        return bindparam(name, type_=column.type)

    in_epoch = func.coalesce(given(looked.c.epoch, "epoch"), looked.c.epoch) == looked.c.epoch
    admitted = (looked.c.status == MAY_LOG_IN.value) & in_epoch
    event = audit_event.c
    told = insert(audit_event).from_select(
        ["kind", "at", "account_ref", "session", "ticket", "facts"],
        select(
            given(event.kind, "kind"),
            given(event.at, "at"),
            looked.c.ref,
            given(event.session, "session"),
            given(event.ticket, "ticket"),
            given(event.facts, "facts"),
        ).where(admitted),
    )
    network = login_network.c
    # Only a login by QR says where the account's own computers are. To the day: a row that is written at every login
    # costs a page of the log each time.
    by_qr = select(
        looked.c.id,
        # Its type has to be said: among selected values, what is bound would be taken for text.
        cast(bindparam("network"), network.network.type),
        given(network.key_version, "key_version"),
        given(network.last_at, "at"),
    ).where(admitted, given(event.ticket, "ticket").is_not(None))
    remembered = insert_or_touch(login_network, dialect, "last_at", ahead=DAY, rows=by_qr)
    return select(looked).add_cte(told.cte("told"), remembered.cte("remembered"))
