"""The account's side of a login: the last look at the account, the audit event, the network to remember.

Owns the statements that a new session of either kind needs within its transaction, wherever the session itself is
kept. Called by the session stores here, and through ``SqlAccounts`` by those that keep sessions in Redis.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, cast, exists, insert, select
from sqlalchemy.engine import Dialect

from bjidp.accounts.ports import Standing, Status
from bjidp.audit.event import AuditEvent, EventKind, Fact
from bjidp.clock import DAY, Instant
from bjidp.entropy import base64url
from bjidp.errors import AccountRefused
from bjidp.sessions.ports import Login
from bjidp.storage.sql.audit import AuditRows, event_values
from bjidp.storage.sql.engine import SqlEngine
from bjidp.storage.sql.rows import ACCOUNT_WITH_IDENTITY, STANDING, Rows
from bjidp.storage.sql.schema import account, audit_event, login_network, platform_link
from bjidp.storage.sql.statements import insert_or_touch
from bjidp.storage.sql.transaction import Transaction


class Admission:
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
        # The row lock makes a lock of the account wait for this login, and then end its session: without it a
        # session made in between would come back to life when the account is unlocked (attack Q21).
        looked_at = select(*STANDING).select_from(ACCOUNT_WITH_IDENTITY).where(account.c.id == bindparam("account"))
        of_link = exists().where(
            platform_link.c.id == bindparam("link"), platform_link.c.account == bindparam("account")
        )
        to_browse = looked_at.with_for_update(read=True, of=account)
        self._account = engine.compile(to_browse)
        # Phones of one account take turns besides, since each counts the sessions of its link.
        self._account_with_link = engine.compile(
            looked_at.add_columns(of_link.label("linked")).with_for_update(key_share=True, of=account)
        )
        self._remember = engine.compile(insert_or_touch(login_network, engine.dialect, "last_at", ahead=DAY))
        if engine.writes_at_once:
            self._at_once = engine.compile(_browser_at_once(to_browse, engine.dialect))

    def browser(self, transaction: Transaction, account_id: str, login: Login, session: str, now: Instant) -> Standing:
        """Admit a browser; raise ``AccountRefused``."""
        row = transaction.one(self._account, {"account": account_id})
        if row is None:
            raise AccountRefused("cancelled")
        standing = self._rows.standing(row)
        _refuse(standing)
        self._audit.write(transaction, _logged_in(login, session, now, standing.ref))
        if login.ticket is not None:
            # Only a login by QR says where the account's own computers are. To the day: a row that is written at
            # every login costs a page of the log each time.
            transaction.run(
                self._remember,
                {"account": account_id, "network": login.network, "key_version": self._key_version, "last_at": now},
            )
        return standing

    async def browser_at_once(self, account_id: str, login: Login, session: str, now: Instant) -> Standing:
        """Do as :meth:`browser` does, in one statement; for where :attr:`SqlEngine.writes_at_once` holds."""
        values = event_values(_logged_in(login, session, now, None))
        values |= {"account": account_id, "network": login.network, "key_version": self._key_version}
        answer = await self._engine.write_one(self._at_once, values)
        if not answer.rows:
            raise AccountRefused("cancelled")
        standing = self._rows.standing(answer.rows[0])
        _refuse(standing)
        return standing

    def mini(
        self, transaction: Transaction, account_id: str, session: str, now: Instant, *, link: str, platform: str
    ) -> Standing:
        """Admit a phone by its platform link; raise ``AccountRefused``, also when the link is gone meanwhile."""
        row = transaction.one(self._account_with_link, {"account": account_id, "link": link})
        if row is None:
            raise AccountRefused("cancelled")
        *columns, linked = row
        standing = self._rows.standing(tuple(columns))
        _refuse(standing)
        if not linked:
            raise AccountRefused("other_account")
        facts = {Fact.PLATFORM: platform, Fact.LINK: link}
        self._audit.write(transaction, AuditEvent(EventKind.LOGIN_MINI, now, standing.ref, session, None, facts))
        return standing


def _logged_in(login: Login, session: str, now: Instant, ref: str | None) -> AuditEvent:
    facts = {Fact.WAY: login.way.value, Fact.BROWSER: login.browser, Fact.OS: login.os}
    if login.platform is not None:
        facts[Fact.PLATFORM] = login.platform
    if login.link is not None:
        facts[Fact.LINK] = login.link
    ticket = None if login.ticket is None else base64url(login.ticket)
    return AuditEvent(EventKind.LOGIN_BROWSER, now, ref, session, ticket, facts)


def _browser_at_once(looked_at: Select[*tuple[Any, ...]], dialect: Dialect) -> Select[*tuple[Any, ...]]:
    """Write both rows if the account that is looked at, and locked, may log in; return what was seen of it."""
    looked = looked_at.cte("looked")

    def given(column: ColumnElement[Any], name: str) -> ColumnElement[Any]:
        return bindparam(name, type_=column.type)

    admitted = looked.c.status == Status.ACTIVE.value
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
    by_qr = select(
        looked.c.id,
        # Its type has to be said: among selected values, what is bound would be taken for text.
        cast(bindparam("network"), network.network.type),
        given(network.key_version, "key_version"),
        given(network.last_at, "at"),
    ).where(admitted, given(event.ticket, "ticket").is_not(None))
    remembered = insert_or_touch(login_network, dialect, "last_at", ahead=DAY, rows=by_qr)
    return select(looked).add_cte(told.cte("told"), remembered.cte("remembered"))


def _refuse(standing: Standing) -> None:
    if standing.refusal is not None:
        raise AccountRefused(standing.refusal)
