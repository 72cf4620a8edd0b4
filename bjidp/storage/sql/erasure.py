"""The end of an account (ACC-7): what is deleted, and what is left of it.

Owns the list of everything that belongs to an account. What stays is its row with id, reference, status, times, epoch
and fence, and the audit log, which knows it by its reference alone. Where an appeal has taken an identity from another
account, whose owner was not told yet, it stays, emptied, until they were: whoever takes an identity and vanishes must
not keep that from them. Called by ``members``, within its transactions.
"""

from __future__ import annotations

from sqlalchemy import and_, bindparam, delete, not_, null, select, update

from bjidp.accounts.member_ports import Ended
from bjidp.accounts.ports import Gone
from bjidp.audit.event import AuditEvent, EventKind, Fact
from bjidp.clock import Instant
from bjidp.entropy import base64url
from bjidp.organisations.organisation import Loss
from bjidp.sessions.ports import SessionEnd
from bjidp.standing import Status
from bjidp.storage.sql.audit import AuditRows
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.transaction import Transaction
from bjidp.storage.sql.logouts import LogoutRows
from bjidp.storage.sql.organisation_rows import OrganisationRows
from bjidp.storage.sql.schema import (
    account,
    account_lock,
    appeal,
    appeal_picture,
    browser_session,
    consent,
    external_link,
    former_document,
    identifier,
    identity,
    identity_check,
    login_network,
    mini_session,
    national_wish,
    notice,
    oidc_grant,
    oidc_subject,
    platform_link,
)

_OWNED = (
    identifier, identity, former_document, identity_check, national_wish, external_link, platform_link, login_network,
    notice, account_lock, consent, oidc_grant, oidc_subject,
)  # fmt: skip
"""What belongs to an account besides its sessions, its appeals, and what it leads and acts for; a link's platform
identity goes with it."""


class Erasure:
    """Ends accounts within a transaction."""

    def __init__(self, engine: SqlEngine) -> None:
        """Compile the statements for ``engine``."""
        compile_ = engine.compile
        self._audit = AuditRows(engine)
        self._logouts = LogoutRows(engine)
        self._organisations = OrganisationRows(engine)
        of_browsers, of_phones = browser_session.c, mini_session.c
        self._end_browsers = compile_(
            delete(browser_session)
            .where(of_browsers.account == bindparam("account"))
            .returning(of_browsers.id, of_browsers.expires_at, of_browsers.ticket)
        )
        self._end_phones = compile_(
            delete(mini_session)
            .where(of_phones.account == bindparam("account"))
            .returning(of_phones.id, of_phones.expires_at, of_phones.link)
        )
        self._links = compile_(select(platform_link.c.id).where(platform_link.c.account == bindparam("account")))
        self._deletes = [compile_(delete(table).where(table.c.account == bindparam("account"))) for table in _OWNED]
        own, is_due = appeal.c.account == bindparam("account"), appeal.c.tell_at.is_not(None)
        is_owed = and_(is_due, appeal.c.loser.is_not(None), appeal.c.loser_told_at.is_(None))
        # Their pictures go with the others; those that are owed have theirs deleted by name.
        self._drop_appeals = compile_(delete(appeal).where(own, not_(is_owed)))
        self._drop_pictures = compile_(
            delete(appeal_picture).where(appeal_picture.c.appeal.in_(select(appeal.c.id).where(own)))
        )
        self._empty_appeals = compile_(
            update(appeal)
            .where(own)
            .values(
                told_at=bindparam("now"),
                gone=null(),
                explanation_sealed=null(),
                **dict.fromkeys(("document", "new_sealed", "reason_sealed", "contact_sealed"), bindparam("nothing")),
            )
        )
        columns = account.c
        staying = {columns.id, columns.ref, columns.status, columns.created_at, columns.cancelled_at}
        staying |= {columns.epoch, columns.fence}
        self._empty = compile_(
            update(account)
            .where(account.c.id == bindparam("account"))
            .values(
                status=Status.CANCELLED.value,
                cancelled_at=bindparam("now"),
                **{column.name: null() for column in account.columns if column not in staying},
            )
        )

    def erase(self, transaction: Transaction, account_id: str, ref: str, kind: EventKind, now: Instant) -> Ended:
        """Delete all that is the account's, audit it as ``kind``, tell relying parties. The account is locked."""
        links = tuple(link for (link,) in transaction.all(self._links, {"account": account_id}))
        for session, expires_at, ticket in transaction.all(self._end_browsers, {"account": account_id}):
            if expires_at > now:
                reference = None if ticket is None else base64url(ticket)
                self._ended(transaction, EventKind.SESSION_ENDED, ref, session, now, ticket=reference)
        phones = transaction.all(self._end_phones, {"account": account_id})
        for session, expires_at, link in phones:
            if expires_at > now:
                self._ended(transaction, EventKind.MINI_SESSION_ENDED, ref, session, now, link=link)
        agents = self._organisations.leave(transaction, account_id, Loss.CANCELLED, now)
        self._logouts.account_over(transaction, account_id, ref, now)
        for statement in self._deletes:
            transaction.run(statement, {"account": account_id})
        transaction.run(self._drop_appeals, {"account": account_id})
        transaction.run(self._drop_pictures, {"account": account_id})
        transaction.run(self._empty_appeals, {"account": account_id, "now": now, "nothing": b""})
        transaction.run(self._empty, {"account": account_id, "now": now})
        self._audit.write(transaction, AuditEvent(kind, now, ref))
        return Ended(account_id, ref, Gone(links, tuple(session for session, *_ in phones), agents))

    def _ended(
        self,
        transaction: Transaction,
        kind: EventKind,
        ref: str,
        session: str,
        now: Instant,
        *,
        ticket: str | None = None,
        link: str | None = None,
    ) -> None:
        facts = {Fact.REASON: SessionEnd.CANCELLED.value}
        if link is not None:
            facts[Fact.LINK] = link
        self._audit.write(transaction, AuditEvent(kind, now, ref, session, ticket, facts))
