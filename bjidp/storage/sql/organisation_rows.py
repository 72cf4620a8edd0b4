"""Rows of organisations and mandates, as other stores change them within their transactions.

Owns the way from a row to its noun, and what is left behind where somebody leads an organisation no more. Called by
``organisations``, and by the end of an account or of its identity.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, delete, or_, select

from bjidp.accounts.notices import NoticeKind
from bjidp.audit.event import AuditEvent, EventKind, Fact
from bjidp.clock import DAY, Instant
from bjidp.organisations.mandates import OPEN, Accepted, By, Ended, Made, Mandate, Offered, Phase, Scope
from bjidp.organisations.organisation import Loss, Organisation
from bjidp.privacy.fields import FieldCipher
from bjidp.privacy.index import Digest
from bjidp.storage.sql.audit import AuditRows
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.statements import Row, Value
from bjidp.storage.sql.database.transaction import Transaction
from bjidp.storage.sql.notices import NoticeRows
from bjidp.storage.sql.schema import mandate, organisation

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


def is_live() -> ColumnElement[bool]:
    """Return what is so of a mandate that is open or in force: the rule of ``Mandate.is_live``, for a statement."""
    taken = or_(mandate.c.agent.is_not(None), mandate.c.offered_at > bindparam("open_since"))
    return and_(mandate.c.ended_at.is_(None), mandate.c.ends_at > bindparam("now"), taken)


def is_over() -> ColumnElement[bool]:
    """Return the contrary of :func:`is_live`."""
    lapsed = and_(mandate.c.agent.is_(None), mandate.c.offered_at <= bindparam("open_since"))
    return or_(mandate.c.ended_at.is_not(None), mandate.c.ends_at <= bindparam("now"), lapsed)


def at_moment(now: Instant) -> dict[str, Value]:
    """Return what :func:`is_live` and :func:`is_over` are asked with."""
    return {"now": now, "open_since": now - OPEN}


def made_of(owned: ColumnElement[bool]) -> Select[tuple[Any, ...]]:
    """Return a look at what the next offer of an organisation depends on: its numbers stay sealed."""
    made = mandate.c
    lately = made.offered_at > bindparam("lately")
    columns = (made.offered_at, made.ends_at, made.agent, made.ended_at, made.key_version, made.phone_digest)
    return select(*columns).select_from(mandate).where(owned, or_(is_live(), lately))


def made_values(organisation_id: str, now: Instant) -> dict[str, Value]:
    """Return what :func:`made_of` is asked with."""
    return {"organisation": organisation_id, "lately": now - DAY, **at_moment(now)}


def made_from(row: Row, digests: Sequence[Digest], now: Instant) -> Made:
    """Read a row of :func:`made_of`; ``digests`` are of the next offer's number, under every key there is."""
    offered_at, ends_at, agent, ended_at, version, digest = row
    live = ended_at is None and now < (ends_at if agent is not None else min(offered_at + OPEN, ends_at))
    same = any((version, digest) == (known.version, known.value) for known in digests)
    return Made(offered_at, live, same)


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

    def leave(self, transaction: Transaction, account_id: str, loss: Loss, now: Instant) -> tuple[str, ...]:
        """End what an account that is locked leads and acts for; the other sides have a notice.

        Returns the accounts that have acted by its word.
        """
        agents: list[str] = []
        for (led,) in transaction.all(self._led, {"account": account_id}):
            agents += self.drop(transaction, led, account_id, loss, now)
        for name, of, representative in transaction.all(self._taken, {"account": account_id, "now": now}):
            facts = {Fact.ORGANISATION: of, Fact.MANDATE: name, Fact.REASON: loss.value}
            self._audit.write_for(transaction, account_id, AuditEvent(EventKind.MANDATE_ENDED, now, facts=facts))
            self._notices.tell(transaction, representative, NoticeKind.MANDATE_ENDED, now)
        transaction.run(self._leave, {"account": account_id})
        return tuple(dict.fromkeys(agents))
