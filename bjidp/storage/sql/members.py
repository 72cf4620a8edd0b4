"""Accounts as their owners keep them, in a database.

Owns ``MemberStore``. Every change locks the account's row first, so that changes of one account take turns, and whoever
comes second decides on what the first has left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import msgspec
from sqlalchemy import bindparam, exists, or_, select, update

from bjidp.accounts.identifiers import Identifier, IdentifierKind, of_phone, of_username
from bjidp.accounts.member_ports import Ended, IdentifierTaken, Member, NewMember, Notice, NumberGiven, PasswordStale
from bjidp.accounts.notices import NoticeKind
from bjidp.accounts.username import system_username
from bjidp.audit.event import AuditEvent, EventKind
from bjidp.clock import DAY, Instant
from bjidp.entropy import Entropy
from bjidp.privacy.fields import FieldCipher
from bjidp.privacy.index import BlindIndex
from bjidp.standing import MAY_LOG_IN, Standing, Status
from bjidp.storage.sql.account_rows import AccountRows, Locked, fenced, usable
from bjidp.storage.sql.audit import EVENT, AuditRows, event_from
from bjidp.storage.sql.claims import HELD, Claims
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.statements import Statement, Value, delete_some
from bjidp.storage.sql.database.transaction import Contended, Transaction
from bjidp.storage.sql.erasure import Erasure
from bjidp.storage.sql.externals import ExternalRows
from bjidp.storage.sql.finding import Finding
from bjidp.storage.sql.national_wishes import WishRows
from bjidp.storage.sql.notices import NoticeRows
from bjidp.storage.sql.phone_numbers import PhoneNumbers
from bjidp.storage.sql.rows import ACCOUNT_WITH_IDENTITY, MEMBER, Rows
from bjidp.storage.sql.schema import account, audit_event, notice, platform_link

T = TypeVar("T")

_LAST = 2**63 - 1
"""No event has a higher number."""

_FACTS = msgspec.json.Decoder(dict[str, str])


class SqlMembers:
    """The port ``bjidp.accounts.member_ports.MemberStore``."""

    def __init__(
        self, engine: SqlEngine, rows: Rows, *, cipher: FieldCipher, index: BlindIndex, entropy: Entropy
    ) -> None:
        """Compile the statements for ``engine``."""
        self._engine = engine
        self._rows = rows
        self._cipher = cipher
        self._entropy = entropy
        self._audit = AuditRows(engine)
        self._accounts = AccountRows(engine, rows, cipher, entropy)
        self._claims = Claims(engine, index)
        self._externals = ExternalRows(engine, cipher, self._claims)
        self._notices = NoticeRows(engine)
        self._wishes = WishRows(engine)
        self._erasure = Erasure(engine)
        self._finding = Finding(engine, rows, self._claims, cipher)
        self._numbers = PhoneNumbers(engine, cipher, self._accounts, self._claims, self._erasure)
        self._prepare_looks()
        self._prepare_writes()

    def _prepare_looks(self) -> None:
        compile_ = self._engine.compile
        self._held = compile_(select(exists().where(*HELD)))
        self._linked = compile_(select(exists().where(platform_link.c.account == bindparam("account"))))
        self._member = compile_(
            select(*MEMBER)
            .select_from(ACCOUNT_WITH_IDENTITY)
            .where(account.c.id == bindparam("account"), account.c.status != Status.CANCELLED.value)
        )
        self._seen = compile_(
            select(account.c.ref, account.c.status, account.c.epoch).where(account.c.id == bindparam("account"))
        )
        self._newest_notices = compile_(
            select(notice.c.id, notice.c.kind, notice.c.facts, notice.c.created_at, notice.c.seen_at)
            .where(notice.c.account == bindparam("account"))
            .order_by(notice.c.id.desc())
            .limit(bindparam("limit"))
        )
        own = select(account.c.ref).where(account.c.id == bindparam("account")).scalar_subquery()
        self._own_log = (
            select(audit_event.c.id, *EVENT)
            .where(audit_event.c.account_ref == own, audit_event.c.id < bindparam("before"))
            .order_by(audit_event.c.id.desc())
            .limit(bindparam("limit"))
        )
        self._history: dict[int, Statement] = {}

    def _prepare_writes(self) -> None:
        compile_, dialect = self._engine.compile, self._engine.dialect
        this = account.c.id == bindparam("account")
        change = update(account).where(this)
        self._set_password = compile_(
            change.where(account.c.password.is_not_distinct_from(bindparam("was"))).values(
                password=bindparam("new_password"), password_changed_at=bindparam("now")
            )
        )
        self._fence = compile_(fenced(this))
        self._rehash = compile_(
            change.where(account.c.password == bindparam("was")).values(password=bindparam("new_password"))
        )
        # To the day: a row that is written at every login costs a page of the log each time.
        self._prove_phone = compile_(
            change.where(
                account.c.status == MAY_LOG_IN.value,
                account.c.phone_sealed.is_not(None),
                or_(account.c.phone_used_at.is_(None), account.c.phone_used_at <= bindparam("long_ago")),
            ).values(phone_used_at=bindparam("now"))
        )
        self._set_mail = compile_(change.values(mail_sealed=bindparam("address")))
        self._set_username = compile_(change.values(username_sealed=bindparam("name")))
        self._set_ethnicity = compile_(change.values(ethnicity=bindparam("code")))
        self._see = compile_(
            update(notice)
            .where(
                notice.c.account == bindparam("account"), notice.c.seen_at.is_(None), notice.c.id <= bindparam("up_to")
            )
            .values(seen_at=bindparam("now"))
        )
        self._forget_notices = compile_(delete_some(notice, notice.c.created_at < bindparam("before"), dialect))

    # Looks: one statement each.

    async def is_held(self, identifier: Identifier) -> bool:
        """Return whether an account holds ``identifier``."""
        row = await self._engine.one(self._held, self._claims.values(identifier))
        return row is not None and bool(row[0])

    async def is_linked(self, account: str) -> bool:
        """Return whether a platform link stands for the account."""
        row = await self._engine.one(self._linked, {"account": account})
        return row is not None and bool(row[0])

    async def find(self, names: Sequence[Identifier]) -> Member | None:
        """Return the account that holds one of ``names``, the first of them that is held.

        One statement, which costs the same when none is held (attack R1).
        """
        return await self._finding.find(names)

    async def member(self, account: str) -> Member | None:
        """Return the account, or None when there is none, or what is left of one that was cancelled."""
        row = await self._engine.one(self._member, {"account": account})
        return None if row is None else self._rows.member(row)

    async def notices(self, account: str, limit: int) -> list[Notice]:
        """Return the newest notices, newest first."""
        rows = await self._engine.all(self._newest_notices, {"account": account, "limit": limit})
        return [
            Notice(number, NoticeKind(kind), _FACTS.decode(facts), created_at, seen_at)
            for number, kind, facts, created_at, seen_at in rows
        ]

    async def history(
        self, account: str, limit: int, before: int | None = None, kinds: Sequence[EventKind] = ()
    ) -> list[tuple[int, AuditEvent]]:
        """Return the account's own security log, newest first, each event with its number."""
        values: dict[str, Value] = {"account": account, "limit": limit, "before": _LAST if before is None else before}
        values |= {f"kind_{place}": kind.value for place, kind in enumerate(kinds)}
        rows = await self._engine.all(self._history_of(len(kinds)), values)
        return [(row[0], event_from(row[1:])) for row in rows]

    def _history_of(self, kinds: int) -> Statement:
        """Return the look at the log for events of that many kinds, which stands still as every statement does."""
        if kinds not in self._history:
            those = [audit_event.c.kind == bindparam(f"kind_{place}") for place in range(kinds)]
            self._history[kinds] = self._engine.compile(self._own_log.where(or_(*those)) if those else self._own_log)
        return self._history[kinds]

    # Changes: one transaction each.

    async def enrol(self, new: NewMember, now: Instant) -> Standing:
        """Create the account, or nothing; raise :class:`IdentifierTaken`. Its number counts as proved at ``now``."""

        def work(transaction: Transaction) -> Standing:
            username = system_username(self._entropy) if new.username is None else new.username
            holder, ref = self._accounts.add(transaction, username, now, phone=new.phone, password=new.password)
            if not self._claims.claim(transaction, of_phone(new.phone), holder):
                raise IdentifierTaken(IdentifierKind.PHONE)
            if not self._claims.claim(transaction, of_username(username), holder):
                if new.username is None:
                    raise Contended  # done again with another name
                raise IdentifierTaken(IdentifierKind.USERNAME)
            self._audit.write(transaction, AuditEvent(EventKind.ACCOUNT_REGISTERED, now, ref))
            if new.national:
                self._wishes.add(transaction, holder, ref, self._entropy, now)
            if new.external is not None and self._externals.holder(transaction, new.external) is None:
                self._externals.link(transaction, holder, ref, new.external, now)
            return self._accounts.standing(transaction, holder)

        return await self._engine.write(work)

    async def set_password(
        self, account: str, password: str, kind: EventKind, now: Instant, *, was: str | None, keep: str | None = None
    ) -> None:
        """Keep the hash ``password`` in place of ``was``; raise :class:`PasswordStale`. Queues a notice."""

        def work(transaction: Transaction, ref: str) -> None:
            values: dict[str, Value] = {"account": account, "was": was, "new_password": password, "now": now}
            if not transaction.run(self._set_password, values):
                raise PasswordStale
            transaction.run(self._fence, {"account": account, "keep": keep})
            self._audit.write(transaction, AuditEvent(kind, now, ref))
            self._notices.tell(transaction, account, NoticeKind.PASSWORD_CHANGED, now)

        await self._change(account, work)

    async def fence(self, account: str, keep: str | None) -> None:
        """Let no session in a browser but ``keep`` count any more, nor what any browser is known by."""
        await self._engine.write_one(self._fence, {"account": account, "keep": keep})

    async def rehash(self, account: str, was: str, password: str) -> None:
        """Keep a new hash of the very same password; raise :class:`PasswordStale` unless ``was`` is still kept."""

        def work(transaction: Transaction, _: str) -> None:
            if not transaction.run(self._rehash, {"account": account, "was": was, "new_password": password}):
                raise PasswordStale

        await self._change(account, work)

    async def set_phone(self, account: str, number: str, now: Instant, keep: str | None = None) -> NumberGiven:
        """Give the account this number in place of the one it had; raise :class:`IdentifierTaken`."""

        def work(transaction: Transaction, ref: str) -> NumberGiven:
            given = self._numbers.give(transaction, account, ref, number, now, keep=keep)
            if given is None:
                raise IdentifierTaken(IdentifierKind.PHONE)
            return given

        return await self._change(account, work)

    async def phone_proved(self, account: str, now: Instant) -> None:
        """Note that the number was proved to be its owner's, at most once a day."""
        values: dict[str, Value] = {"account": account, "now": now, "long_ago": now - DAY}
        proved = await self._engine.write_one(self._prove_phone, values)
        if not proved.number:
            # Noted today already, as a rule; else the account has no number, or may not be used.
            row = await self._engine.one(self._seen, {"account": account})
            usable(None if row is None else Locked(*row))

    async def merge_phone(self, account: str, number: str, now: Instant) -> NumberGiven:
        """Move ``number`` to ``account``, and end the account that held it; raise :class:`IdentifierTaken`."""
        return await self._engine.write(
            lambda transaction: self._numbers.merge(transaction, account, number, now),
        )

    async def set_mail(self, account: str, address: str, now: Instant) -> None:
        """Keep the address."""

        def work(transaction: Transaction, ref: str) -> None:
            sealed = self._cipher.seal("account", "mail", account, address)
            transaction.run(self._set_mail, {"account": account, "address": sealed})
            self._audit.write(transaction, AuditEvent(EventKind.MAIL_CHANGED, now, ref))

        await self._change(account, work)

    async def set_username(self, account: str, username: str, now: Instant) -> None:
        """Give the account this name; raise :class:`IdentifierTaken`."""

        def work(transaction: Transaction, ref: str) -> None:
            if not self._claims.replace(transaction, of_username(username), account):
                raise IdentifierTaken(IdentifierKind.USERNAME)
            sealed = self._cipher.seal("account", "username", account, username)
            transaction.run(self._set_username, {"account": account, "name": sealed})
            self._audit.write(transaction, AuditEvent(EventKind.USERNAME_CHANGED, now, ref))

        await self._change(account, work)

    async def set_ethnicity(self, account: str, ethnicity: str, now: Instant) -> None:
        """Keep the code."""

        def work(transaction: Transaction, ref: str) -> None:
            transaction.run(self._set_ethnicity, {"account": account, "code": ethnicity})
            self._audit.write(transaction, AuditEvent(EventKind.ETHNICITY_CHANGED, now, ref))

        await self._change(account, work)

    async def cancel(self, account: str, now: Instant) -> Ended:
        """Cancel the account: every personal value, identifier, link, session and password of it is deleted."""

        def work(transaction: Transaction, ref: str) -> Ended:
            return self._erasure.erase(transaction, account, ref, EventKind.ACCOUNT_CANCELLED, now)

        return await self._change(account, work)

    async def see_notices(self, account: str, now: Instant, *, up_to: int) -> None:
        """Note that the account's notices up to the one of this id were shown."""
        await self._engine.write_one(self._see, {"account": account, "now": now, "up_to": up_to})

    async def forget_notices(self, before: Instant, limit: int) -> int:
        """Delete at most ``limit`` notices from before ``before``, seen or not; return how many."""
        return await self._forget(self._forget_notices, {"before": before, "limit": limit})

    async def _change(self, account_id: str, work: Callable[[Transaction, str], T]) -> T:
        """Do ``work`` on the locked account, told its reference; raise ``AccountRefused``."""
        return await self._engine.write(
            lambda transaction: work(transaction, self._accounts.lock(transaction, account_id)),
        )

    async def _forget(self, statement: Statement, values: Mapping[str, Value]) -> int:
        return await self._engine.write(lambda transaction: transaction.run(statement, values))
