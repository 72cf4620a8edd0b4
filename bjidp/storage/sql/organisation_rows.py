"""Rows of organisations and mandates, as other stores change them within their transactions.

Owns the way from a row to its noun, and what is left behind where somebody leads an organisation no more. Called by
``organisations``, and by the end of an account or of its identity.
"""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select

from bjidp.accounts.notices import NoticeKind
from bjidp.audit.event import AuditEvent, EventKind, Fact
from bjidp.clock import Instant
from bjidp.organisations.mandates import Accepted, By, Ended, Mandate, Offered, Phase, Scope
from bjidp.organisations.organisation import Loss, Organisation
from bjidp.privacy.fields import FieldCipher
from bjidp.storage.sql.audit import AuditRows
from bjidp.storage.sql.engine import SqlEngine
from bjidp.storage.sql.notices import NoticeRows
from bjidp.storage.sql.schema import mandate, organisation
from bjidp.storage.sql.statements import Row
from bjidp.storage.sql.transaction import Transaction

ORGANISATION = (
    organisation.c.id,
    organisation.c.credit_code,
    organisation.c.name,
    organisation.c.representative,
    organisation.c.bound_at,
    organisation.c.led_at,
    organisation.c.confirmed_at,
    organisation.c.refused_at,
)

MANDATE = (
    mandate.c.id,
    mandate.c.organisation,
    mandate.c.scope,
    mandate.c.phone_sealed,
    mandate.c.offered_at,
    mandate.c.ends_at,
    mandate.c.agent,
    mandate.c.agent_bound_at,
    mandate.c.accepted_at,
    mandate.c.ended_at,
    mandate.c.ended_by,
)


def organisation_from(row: Row) -> Organisation:
    """Read the columns :data:`ORGANISATION`."""
    names = ("id", "credit_code", "name", "representative", "bound_at", "led_at", "confirmed_at", "refused_at")
    return Organisation(**dict(zip(names, row, strict=True)))


def mandate_from(row: Row, cipher: FieldCipher) -> Mandate:
    """Read the columns :data:`MANDATE`."""
    name, of, scope, phone, offered_at, ends_at, agent, bound_at, accepted_at, ended_at, ended_by = row
    accepted = None if agent is None else Accepted(agent, bound_at, accepted_at)
    phase: Phase = accepted or Offered()
    if ended_at is not None:
        phase = Ended(By(ended_by), ended_at, accepted)
    return Mandate(
        id=name,
        organisation=of,
        scope=Scope(scope),
        phone=cipher.open("mandate", "phone", name, phone),
        offered_at=offered_at,
        ends_at=ends_at,
        phase=phase,
    )


class OrganisationRows:
    """Ends what organisations and mandates have been to an account."""

    def __init__(self, engine: SqlEngine) -> None:
        """Compile the statements for ``engine``."""
        compile_ = engine.compile
        self._audit = AuditRows(engine)
        self._notices = NoticeRows(engine)
        live = (mandate.c.ended_at.is_(None), mandate.c.ends_at > bindparam("now"))
        self._in_force = compile_(
            select(mandate.c.id, mandate.c.agent)
            .where(mandate.c.organisation == bindparam("organisation"), mandate.c.agent.is_not(None), *live)
            .order_by(mandate.c.agent)
        )
        self._drop = compile_(delete(organisation).where(organisation.c.id == bindparam("organisation")))
        self._led = compile_(
            select(organisation.c.id).where(organisation.c.representative == bindparam("account")).with_for_update()
        )
        self._taken = compile_(
            select(mandate.c.id, organisation.c.id, organisation.c.representative)
            .join_from(mandate, organisation)
            .where(mandate.c.agent == bindparam("account"), *live)
        )
        self._leave = compile_(delete(mandate).where(mandate.c.agent == bindparam("account")))

    def drop(
        self, transaction: Transaction, organisation_id: str, representative: str, loss: Loss, now: Instant
    ) -> list[str]:
        """Let nobody lead an organisation that is locked; return the accounts whose mandates have ended with it."""
        agents = []
        for name, agent in transaction.all(self._in_force, {"organisation": organisation_id, "now": now}):
            facts = {Fact.ORGANISATION: organisation_id, Fact.MANDATE: name, Fact.REASON: loss.value}
            self._audit.write_for(transaction, agent, AuditEvent(EventKind.MANDATE_ENDED, now, facts=facts))
            self._notices.tell(transaction, agent, NoticeKind.MANDATE_ENDED, now)
            agents.append(agent)
        facts = {Fact.ORGANISATION: organisation_id, Fact.REASON: loss.value}
        self._audit.write_for(transaction, representative, AuditEvent(EventKind.ORGANISATION_LOST, now, facts=facts))
        if loss is not Loss.CANCELLED:
            self._notices.tell(transaction, representative, NoticeKind.ORGANISATION_LOST, now)
        transaction.run(self._drop, {"organisation": organisation_id})
        return agents

    def leave(self, transaction: Transaction, account_id: str, loss: Loss, now: Instant) -> None:
        """End what an account that is locked leads and acts for; the other sides are told."""
        for (led,) in transaction.all(self._led, {"account": account_id}):
            self.drop(transaction, led, account_id, loss, now)
        for name, of, representative in transaction.all(self._taken, {"account": account_id, "now": now}):
            facts = {Fact.ORGANISATION: of, Fact.MANDATE: name, Fact.REASON: loss.value}
            self._audit.write_for(transaction, account_id, AuditEvent(EventKind.MANDATE_ENDED, now, facts=facts))
            self._notices.tell(transaction, representative, NoticeKind.MANDATE_ENDED, now)
        transaction.run(self._leave, {"account": account_id})
