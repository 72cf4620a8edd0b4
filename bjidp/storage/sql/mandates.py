"""Moves of mandates (ORG-2): offered, taken, ended.

Owns what else is written with a move, and that everything its rules look at stands still meanwhile. Called by
``organisations``, which says in which order locks are taken.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import bindparam, insert, or_, select, update

from bjidp.accounts.notices import NoticeKind
from bjidp.audit.event import AuditEvent, EventKind, Fact
from bjidp.clock import Instant
from bjidp.entropy import Entropy, token
from bjidp.organisations import mandates
from bjidp.organisations.errors import OrganisationUnknown
from bjidp.organisations.mandates import Accepted, By, Ended, Mandate, MandateOver
from bjidp.organisations.ports import IdentityLacking, NewOffer
from bjidp.privacy.fields import FieldCipher
from bjidp.privacy.index import BlindIndex
from bjidp.storage.sql.account_rows import AccountRows, usable
from bjidp.storage.sql.audit import AuditRows
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.statements import Value, delete_some
from bjidp.storage.sql.database.transaction import Contended, Transaction
from bjidp.storage.sql.notices import NoticeRows
from bjidp.storage.sql.organisation_holders import Holders
from bjidp.storage.sql.organisation_looks import OFFERED_TO
from bjidp.storage.sql.organisation_rows import MANDATE, made_from, made_of, made_values, mandate_from
from bjidp.storage.sql.schema import mandate, organisation


class MandateMoves:
    """Moves, within transactions."""

    def __init__(
        self,
        engine: SqlEngine,
        accounts: AccountRows,
        holders: Holders,
        *,
        cipher: FieldCipher,
        index: BlindIndex,
        entropy: Entropy,
    ) -> None:
        """Compile the statements for ``engine``."""
        compile_ = engine.compile
        self._accounts = accounts
        self._holders = holders
        self._cipher = cipher
        self._index = index
        self._entropy = entropy
        self._audit = AuditRows(engine)
        self._notices = NoticeRows(engine)
        self._organisation = compile_(
            select(organisation.c.id).where(organisation.c.id == bindparam("organisation")).with_for_update()
        )
        self._made = compile_(made_of(mandate.c.organisation == bindparam("organisation")))
        self._find = compile_(
            select(mandate.c.agent, organisation.c.representative)
            .join_from(mandate, organisation)
            .where(mandate.c.id == bindparam("mandate"))
        )
        self._one = compile_(select(*MANDATE).where(mandate.c.id == bindparam("mandate")).with_for_update())
        self._offer = compile_(insert(mandate))
        self._set = compile_(
            update(mandate)
            .where(mandate.c.id == bindparam("which"))
            .values(
                agent=bindparam("new_agent"),
                agent_bound_at=bindparam("new_bound_at"),
                accepted_at=bindparam("new_accepted_at"),
                ended_at=bindparam("new_ended_at"),
                ended_by=bindparam("new_ended_by"),
            )
        )
        self._replace = compile_(
            update(mandate)
            .where(
                mandate.c.organisation == bindparam("organisation"),
                mandate.c.agent == bindparam("account"),
                mandate.c.ended_at.is_(None),
                mandate.c.ends_at > bindparam("now"),
            )
            .values(ended_at=bindparam("now"), ended_by=By.REPLACED.value)
            .returning(mandate.c.id)
        )
        over = or_(
            mandate.c.ended_at < bindparam("before"),
            mandate.c.ends_at < bindparam("before"),
            mandate.c.agent.is_(None) & (mandate.c.offered_at < bindparam("lapsed_before")),
        )
        self._forget = compile_(delete_some(mandate, over, engine.dialect))

    def forget(self, transaction: Transaction, before: Instant, limit: int) -> int:
        """See :meth:`bjidp.organisations.ports.OrganisationStore.forget`."""
        values = {"before": before, "lapsed_before": before - mandates.OPEN, "limit": limit}
        return transaction.run(self._forget, values)

    def offer(
        self, transaction: Transaction, account_id: str, organisation_id: str, new: NewOffer, now: Instant
    ) -> str:
        """See :meth:`bjidp.organisations.ports.OrganisationStore.offer`."""
        ref = self._accounts.lock(transaction, account_id)
        values = {"organisation": organisation_id}
        led = self._holders.lead(transaction, account_id, organisation_id)
        if not led or transaction.one(self._organisation, values) is None:
            raise OrganisationUnknown
        if self._holders.proved(transaction, account_id, now) is None:
            raise IdentityLacking
        digests = self._index.digests(OFFERED_TO, new.phone)
        rows = transaction.all(self._made, made_values(organisation_id, now))
        mandates.require_room([made_from(row, digests, now) for row in rows], now)
        made, digest = token(self._entropy, 128), self._index.digest(OFFERED_TO, new.phone)
        transaction.run(
            self._offer,
            {
                "id": made,
                "organisation": organisation_id,
                "scope": new.scope.value,
                "phone_sealed": self._cipher.seal("mandate", "phone", made, new.phone),
                "key_version": digest.version,
                "phone_digest": digest.value,
                "offered_at": now,
                "ends_at": new.ends_at,
                "agent": None,
                "agent_bound_at": None,
                "accepted_at": None,
                "ended_at": None,
                "ended_by": None,
            },
        )
        facts = {Fact.ORGANISATION: organisation_id, Fact.MANDATE: made, Fact.SCOPE: new.scope.value}
        self._audit.write(transaction, AuditEvent(EventKind.MANDATE_OFFERED, now, ref, facts=facts))
        return made

    def accept(self, transaction: Transaction, account_id: str, mandate_id: str, now: Instant) -> None:
        """See :meth:`bjidp.organisations.ports.OrganisationStore.accept`."""
        representative = self._parties(transaction, account_id, mandate_id)[1]
        ref = self._accounts.lock(transaction, account_id)
        bound_at = self._holders.proved(transaction, account_id, now)
        given = self._locked(transaction, mandate_id)
        led = self._holders.lead(transaction, representative, given.organisation)
        if given.phone != self._holders.number(transaction, account_id) or not led:
            raise OrganisationUnknown
        if bound_at is None:
            raise IdentityLacking
        taken = _moved(lambda: mandates.accept(given, account_id, bound_at, now))
        of_agent: dict[str, Value] = {"organisation": given.organisation, "account": account_id, "now": now}
        for (former,) in transaction.all(self._replace, of_agent):
            gone = {Fact.ORGANISATION: given.organisation, Fact.MANDATE: former, Fact.REASON: By.REPLACED.value}
            self._audit.write(transaction, AuditEvent(EventKind.MANDATE_ENDED, now, ref, facts=gone))
            for side in (representative, account_id):
                self._notices.tell(transaction, side, NoticeKind.MANDATE_ENDED, now)
        self._write(transaction, taken)
        facts = {Fact.ORGANISATION: given.organisation, Fact.MANDATE: given.id, Fact.SCOPE: given.scope.value}
        self._audit.write(transaction, AuditEvent(EventKind.MANDATE_ACCEPTED, now, ref, facts=facts))
        self._notices.tell(transaction, representative, NoticeKind.MANDATE_ACCEPTED, now)
        self._notices.tell(transaction, account_id, NoticeKind.MANDATE_TAKEN, now)

    def end(self, transaction: Transaction, account_id: str, mandate_id: str, now: Instant) -> str | None:
        """See :meth:`bjidp.organisations.ports.OrganisationStore.end`."""
        agent, representative = self._parties(transaction, account_id, mandate_id)
        locked = {one: self._accounts.locked(transaction, one) for one in sorted({account_id, agent or account_id})}
        ref = usable(locked[account_id])
        given = self._locked(transaction, mandate_id)
        if given.agent != agent:
            raise Contended  # accepted while this waited
        if representative == account_id and self._holders.lead(transaction, account_id, given.organisation):
            by = By.REPRESENTATIVE
        elif agent == account_id or (agent is None and given.phone == self._holders.number(transaction, account_id)):
            by = By.AGENT
        else:
            raise OrganisationUnknown
        self._write(transaction, _moved(lambda: mandates.end(given, by, now)))
        facts = {Fact.ORGANISATION: given.organisation, Fact.MANDATE: given.id, Fact.REASON: by.value}
        self._audit.write(transaction, AuditEvent(EventKind.MANDATE_ENDED, now, ref, facts=facts))
        if by is By.AGENT:
            self._notices.tell(transaction, representative, NoticeKind.MANDATE_ENDED, now)
            return None
        if agent is None:
            return None
        self._notices.tell(transaction, agent, NoticeKind.MANDATE_ENDED, now)
        return self._holders.number(transaction, agent)

    def _parties(self, transaction: Transaction, account_id: str, mandate_id: str) -> tuple[str | None, str]:
        """Return the agent and who leads the organisation; raise ``OrganisationUnknown`` for no such mandate."""
        row = transaction.one(self._find, {"mandate": mandate_id})
        if row is None:
            raise OrganisationUnknown
        return row[0], row[1]

    def _locked(self, transaction: Transaction, mandate_id: str) -> Mandate:
        row = transaction.one(self._one, {"mandate": mandate_id})
        if row is None:
            raise OrganisationUnknown
        return mandate_from(row, self._cipher)

    def _write(self, transaction: Transaction, changed: Mandate) -> None:
        phase = changed.phase
        accepted = phase.was if isinstance(phase, Ended) else phase
        taken = accepted if isinstance(accepted, Accepted) else None
        transaction.run(
            self._set,
            {
                "which": changed.id,
                "new_agent": None if taken is None else taken.agent,
                "new_bound_at": None if taken is None else taken.bound_at,
                "new_accepted_at": None if taken is None else taken.at,
                "new_ended_at": phase.at if isinstance(phase, Ended) else None,
                "new_ended_by": phase.by.value if isinstance(phase, Ended) else None,
            },
        )


def _moved(move: Callable[[], Mandate]) -> Mandate:
    """Return what comes of ``move``; one that is over is nobody's any more."""
    try:
        return move()
    except MandateOver:
        raise OrganisationUnknown from None
