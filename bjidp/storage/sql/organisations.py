"""Organisations and mandates (ORG-1, ORG-2).

Owns ``OrganisationStore``. The rules are :mod:`bjidp.organisations.mandates`' and
:mod:`bjidp.organisations.organisation`'s; here is only that everything they look at stands still meanwhile. Locks are
taken in one order everywhere: accounts by their ids, the organisation, the mandate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sqlalchemy import bindparam, insert, or_, select, update

from bjidp.accounts.masks import mask_name
from bjidp.accounts.notices import NoticeKind
from bjidp.audit.event import AuditEvent, EventKind, Fact
from bjidp.clock import Instant
from bjidp.entropy import Entropy, token
from bjidp.organisations import mandates
from bjidp.organisations.errors import OrganisationHeld, OrganisationUnknown
from bjidp.organisations.mandates import Accepted, By, Ended, Mandate, MandateOver, Scope
from bjidp.organisations.organisation import Capacity, Loss, Organisation, Role, is_proved
from bjidp.organisations.ports import (
    Aftermath,
    Appointed,
    Entrusted,
    IdentityLacking,
    NewOffer,
    NewOrganisation,
)
from bjidp.privacy.fields import FieldCipher
from bjidp.privacy.index import BlindIndex
from bjidp.standing import MAY_LOG_IN, Level
from bjidp.storage.sql.account_rows import AccountRows, usable
from bjidp.storage.sql.audit import AuditRows
from bjidp.storage.sql.engine import SqlEngine
from bjidp.storage.sql.notices import NoticeRows
from bjidp.storage.sql.organisation_rows import (
    MANDATE,
    ORGANISATION,
    OrganisationRows,
    mandate_from,
    organisation_from,
)
from bjidp.storage.sql.schema import account, identity, mandate, organisation
from bjidp.storage.sql.statements import Row, Value, delete_some, insert_or_nothing
from bjidp.storage.sql.transaction import Contended, Transaction

OFFERED_TO: Final = "mandate"
"""The kind of index that offers are found by: unrelated to the one by which numbers find accounts."""

_LEADER = identity.alias("leader")
_LED = (
    organisation.join(account, account.c.id == organisation.c.representative)
    .join(_LEADER, _LEADER.c.account == organisation.c.representative)
)  # fmt: skip
_IS_LED = (account.c.status == MAY_LOG_IN.value, _LEADER.c.bound_at == organisation.c.bound_at)
_OWN = (_LEADER.c.level, _LEADER.c.runs_out_at)
_AGENT = identity.alias("agent_identity")


class SqlOrganisations:
    """The port ``bjidp.organisations.ports.OrganisationStore``."""

    def __init__(
        self, engine: SqlEngine, accounts: AccountRows, *, cipher: FieldCipher, index: BlindIndex, entropy: Entropy
    ) -> None:
        """Compile the statements for ``engine``."""
        compile_ = engine.compile
        self._engine = engine
        self._accounts = accounts
        self._cipher = cipher
        self._index = index
        self._entropy = entropy
        self._audit = AuditRows(engine)
        self._notices = NoticeRows(engine)
        self._rows = OrganisationRows(engine)
        by_id = organisation.c.id == bindparam("organisation")
        by_code = organisation.c.credit_code == bindparam("credit_code")
        of_account = organisation.c.representative == bindparam("account")
        self._seek = compile_(select(organisation.c.representative).where(by_code))
        self._by_code = compile_(select(*ORGANISATION).where(by_code).with_for_update())
        self._by_id = compile_(select(*ORGANISATION).where(by_id).with_for_update())
        self._add = compile_(insert_or_nothing(organisation, engine.dialect))
        self._renew = compile_(
            update(organisation).where(by_id).values(name=bindparam("new_name"), confirmed_at=bindparam("asked_at"))
        )
        self._confirm = compile_(
            update(organisation)
            .where(
                by_id,
                organisation.c.led_at == bindparam("was_led_at"),
                organisation.c.confirmed_at < bindparam("asked_at"),
            )
            .values(confirmed_at=bindparam("asked_at"))
        )
        self._identity = compile_(
            select(identity.c.bound_at, identity.c.level, identity.c.runs_out_at).where(
                identity.c.account == bindparam("account")
            )
        )
        self._phone = compile_(select(account.c.phone_sealed).where(account.c.id == bindparam("account")))
        led = select(*ORGANISATION, *_OWN).select_from(_LED).where(*_IS_LED)
        self._led = compile_(led.where(of_account).order_by(organisation.c.led_at, organisation.c.id))
        self._leads = compile_(select(organisation.c.id).select_from(_LED).where(by_id, of_account, *_IS_LED))
        self._acting = compile_(
            select(*MANDATE, *ORGANISATION, _AGENT.c.level, _AGENT.c.runs_out_at)
            .select_from(
                _LED.join(mandate, mandate.c.organisation == organisation.c.id).join(
                    _AGENT, _AGENT.c.account == mandate.c.agent
                )
            )
            .where(
                mandate.c.agent == bindparam("account"),
                mandate.c.ended_at.is_(None),
                _AGENT.c.bound_at == mandate.c.agent_bound_at,
                *_IS_LED,
            )
            .order_by(mandate.c.accepted_at, mandate.c.id)
        )
        self._appointed = compile_(
            select(*MANDATE, _AGENT.c.name_sealed)
            .select_from(
                _LED.join(mandate, mandate.c.organisation == organisation.c.id).outerjoin(
                    _AGENT,
                    (_AGENT.c.account == mandate.c.agent) & (_AGENT.c.bound_at == mandate.c.agent_bound_at),
                )
            )
            .where(of_account, *_IS_LED)
            .order_by(mandate.c.offered_at.desc(), mandate.c.id)
        )
        entrusted = (
            select(*MANDATE, *ORGANISATION, _LEADER.c.name_sealed)
            .select_from(_LED.join(mandate, mandate.c.organisation == organisation.c.id))
            .where(*_IS_LED)
            .order_by(mandate.c.offered_at.desc(), mandate.c.id)
        )
        self._entrusted = compile_(entrusted.where(mandate.c.agent == bindparam("account")))
        self._offered = compile_(
            entrusted.where(
                mandate.c.key_version == bindparam("key_version"),
                mandate.c.phone_digest == bindparam("phone_digest"),
                mandate.c.agent.is_(None),
                mandate.c.ended_at.is_(None),
            )
        )
        self._of_organisation = compile_(select(*MANDATE).where(mandate.c.organisation == bindparam("organisation")))
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
        over = or_(
            mandate.c.ended_at < bindparam("before"),
            mandate.c.ends_at < bindparam("before"),
            mandate.c.agent.is_(None) & (mandate.c.offered_at < bindparam("lapsed_before")),
        )
        self._forget = compile_(delete_some(mandate, over, engine.dialect))

    async def register(self, account: str, new: NewOrganisation, now: Instant) -> Aftermath:
        return await self._engine.write(lambda transaction: self._register(transaction, account, new, now))

    async def confirm(self, organisation: Organisation, asked_at: Instant) -> None:
        values: dict[str, Value] = {
            "organisation": organisation.id,
            "was_led_at": organisation.led_at,
            "asked_at": asked_at,
        }
        await self._engine.write_one(self._confirm, values)

    async def lose(self, organisation: Organisation, loss: Loss, asked_at: Instant, now: Instant) -> Aftermath:
        def work(transaction: Transaction) -> Aftermath:
            self._accounts.locked(transaction, organisation.representative)
            row = transaction.one(self._by_id, {"organisation": organisation.id})
            kept = None if row is None else organisation_from(row)
            if kept is None or kept.led_at != organisation.led_at or kept.confirmed_at > asked_at:
                return Aftermath()
            return self._drop(transaction, kept, loss, now)

        return await self._engine.write(work)

    async def led(self, account: str) -> list[Organisation]:
        rows = await self._engine.all(self._led, {"account": account})
        return [organisation_from(row[: len(ORGANISATION)]) for row in rows]

    async def capacities(self, account: str) -> list[Capacity]:
        found = [
            Capacity(
                role=Role.REPRESENTATIVE,
                organisation=organisation_from(tuple(row)),
                scope=Scope.ALL,
                until=None,
                mandate=None,
                level=Level(level),
                runs_out_at=runs_out_at,
            )
            for *row, level, runs_out_at in await self._engine.all(self._led, {"account": account})
        ]
        for *row, level, runs_out_at in await self._engine.all(self._acting, {"account": account}):
            taken = mandate_from(tuple(row[: len(MANDATE)]), self._cipher)
            found.append(
                Capacity(
                    role=Role.AGENT,
                    organisation=organisation_from(tuple(row[len(MANDATE) :])),
                    scope=taken.scope,
                    until=taken.ends_at,
                    mandate=taken.id,
                    level=Level(level),
                    runs_out_at=runs_out_at,
                )
            )
        return found

    async def appointed(self, account: str) -> list[Appointed]:
        found = []
        for *row, name in await self._engine.all(self._appointed, {"account": account}):
            given = mandate_from(tuple(row), self._cipher)
            who = None if name is None or given.agent is None else self._masked(given.agent, name)
            found.append(Appointed(given, who))
        return found

    async def entrusted(self, account: str) -> list[Entrusted]:
        return [self._entrust(row) for row in await self._engine.all(self._entrusted, {"account": account})]

    async def offered(self, phone: str) -> list[Entrusted]:
        found = []
        for digest in self._index.digests(OFFERED_TO, phone):
            values: dict[str, Value] = {"key_version": digest.version, "phone_digest": digest.value}
            found += [self._entrust(row) for row in await self._engine.all(self._offered, values)]
        return sorted(found, key=lambda entrusted: -entrusted.mandate.offered_at)

    async def offer(self, account: str, organisation: str, new: NewOffer, now: Instant) -> str:
        return await self._engine.write(lambda transaction: self._make(transaction, account, organisation, new, now))

    async def accept(self, account: str, mandate: str, now: Instant) -> None:
        await self._engine.write(lambda transaction: self._accept(transaction, account, mandate, now))

    async def end(self, account: str, mandate: str, now: Instant) -> str | None:
        return await self._engine.write(lambda transaction: self._end(transaction, account, mandate, now))

    async def forget(self, before: Instant, limit: int) -> int:
        values = {"before": before, "lapsed_before": before - mandates.OPEN, "limit": limit}
        return await self._engine.write(lambda transaction: transaction.run(self._forget, values))

    def _register(self, transaction: Transaction, account_id: str, new: NewOrganisation, now: Instant) -> Aftermath:
        sought = {"credit_code": new.credit_code}
        seen = transaction.one(self._seek, sought)
        leader = None if seen is None else seen[0]
        locked = {one: self._accounts.locked(transaction, one) for one in sorted({account_id, leader or account_id})}
        ref = usable(locked[account_id])
        if self._proved(transaction, account_id, now) != new.bound_at:
            raise IdentityLacking
        row = transaction.one(self._by_code, sought)
        former = None if row is None else organisation_from(row)
        if (None if former is None else former.representative) != leader:
            raise Contended  # it moved on while this waited
        aftermath = Aftermath()
        if former is not None:
            own = former.representative == account_id
            if own and former.bound_at == new.bound_at:
                asked_at = max(former.confirmed_at, new.asked_at)
                transaction.run(self._renew, {"organisation": former.id, "new_name": new.name, "asked_at": asked_at})
                return aftermath
            led = {"organisation": former.id, "account": former.representative}
            # The same question proves the same person at their own account, whoever they were there in between.
            later = new.asked_at > former.confirmed_at or (own and new.asked_at == former.confirmed_at)
            if not later and transaction.one(self._leads, led) is not None:
                raise OrganisationHeld
            aftermath = self._drop(transaction, former, Loss.TAKEN_OVER, now)
        made = token(self._entropy, 128)
        values: dict[str, Value] = {
            "id": made,
            "credit_code": new.credit_code,
            "name": new.name,
            "representative": account_id,
            "bound_at": new.bound_at,
            "led_at": now,
            "confirmed_at": new.asked_at,
        }
        if not transaction.run(self._add, values):
            raise Contended  # somebody else was faster
        facts = {Fact.ORGANISATION: made}
        self._audit.write(transaction, AuditEvent(EventKind.ORGANISATION_REGISTERED, now, ref, facts=facts))
        self._notices.tell(transaction, account_id, NoticeKind.ORGANISATION_REGISTERED, now)
        return aftermath

    def _drop(self, transaction: Transaction, kept: Organisation, loss: Loss, now: Instant) -> Aftermath:
        agents = self._rows.drop(transaction, kept.id, kept.representative, loss, now)
        numbers = [self._number(transaction, agent) for agent in dict.fromkeys(agents)]
        return Aftermath(
            self._number(transaction, kept.representative), tuple(number for number in numbers if number is not None)
        )

    def _make(
        self, transaction: Transaction, account_id: str, organisation_id: str, new: NewOffer, now: Instant
    ) -> str:
        ref = self._accounts.lock(transaction, account_id)
        values = {"organisation": organisation_id, "account": account_id}
        if transaction.one(self._leads, values) is None or transaction.one(self._by_id, values) is None:
            raise OrganisationUnknown
        if self._proved(transaction, account_id, now) is None:
            raise IdentityLacking
        known = [mandate_from(row, self._cipher) for row in transaction.all(self._of_organisation, values)]
        mandates.require_room(known, new.phone, now)
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

    def _accept(self, transaction: Transaction, account_id: str, mandate_id: str, now: Instant) -> None:
        representative = self._parties(transaction, account_id, mandate_id)[1]
        ref = self._accounts.lock(transaction, account_id)
        bound_at = self._proved(transaction, account_id, now)
        given = self._locked(transaction, mandate_id)
        of = {"organisation": given.organisation, "account": representative}
        if given.phone != self._number(transaction, account_id) or transaction.one(self._leads, of) is None:
            raise OrganisationUnknown
        if bound_at is None:
            raise IdentityLacking
        taken = _moved(lambda: mandates.accept(given, account_id, bound_at, now))
        for row in transaction.all(self._of_organisation, of):
            former = mandate_from(row, self._cipher)
            if former.agent == account_id and former.is_live(now):
                self._write(transaction, mandates.end(former, By.REPLACED, now))
        self._write(transaction, taken)
        facts = {Fact.ORGANISATION: given.organisation, Fact.MANDATE: given.id, Fact.SCOPE: given.scope.value}
        self._audit.write(transaction, AuditEvent(EventKind.MANDATE_ACCEPTED, now, ref, facts=facts))
        self._notices.tell(transaction, representative, NoticeKind.MANDATE_ACCEPTED, now)
        self._notices.tell(transaction, account_id, NoticeKind.MANDATE_TAKEN, now)

    def _end(self, transaction: Transaction, account_id: str, mandate_id: str, now: Instant) -> str | None:
        agent, representative = self._parties(transaction, account_id, mandate_id)
        locked = {one: self._accounts.locked(transaction, one) for one in sorted({account_id, agent or account_id})}
        ref = usable(locked[account_id])
        given = self._locked(transaction, mandate_id)
        if given.agent != agent:
            raise Contended  # accepted while this waited
        led = {"organisation": given.organisation, "account": account_id}
        if representative == account_id and transaction.one(self._leads, led) is not None:
            by = By.REPRESENTATIVE
        elif agent == account_id or (agent is None and given.phone == self._number(transaction, account_id)):
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
        return self._number(transaction, agent)

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

    def _proved(self, transaction: Transaction, account_id: str, now: Instant) -> Instant | None:
        """Return since when an account that is locked has its identity; None when that is not worth enough."""
        row = transaction.one(self._identity, {"account": account_id})
        return row[0] if row is not None and is_proved(Level(row[1]), row[2], now) else None

    def _number(self, transaction: Transaction, account_id: str) -> str | None:
        row = transaction.one(self._phone, {"account": account_id})
        return None if row is None or row[0] is None else self._cipher.open("account", "phone", account_id, row[0])

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

    def _entrust(self, row: Row) -> Entrusted:
        *columns, name = row
        given = mandate_from(tuple(columns[: len(MANDATE)]), self._cipher)
        led = organisation_from(tuple(columns[len(MANDATE) :]))
        return Entrusted(given, led, self._masked(led.representative, name))

    def _masked(self, holder: str, name: bytes) -> str:
        return mask_name(self._cipher.open("identity", "name", holder, name))


def _moved(move: Callable[[], Mandate]) -> Mandate:
    """Return what comes of ``move``; one that is over is nobody's any more."""
    try:
        return move()
    except MandateOver:
        raise OrganisationUnknown from None
