"""Organisations and mandates (ORG-1, ORG-2).

Owns ``OrganisationStore``, and who leads an organisation. The rules are :mod:`bjidp.organisations.mandates`' and
:mod:`bjidp.organisations.organisation`'s; here is only that everything they look at stands still meanwhile. Locks are
taken in one order everywhere: accounts by their ids, the organisation, the mandate.
"""

from __future__ import annotations

from sqlalchemy import bindparam, null, or_, select, update

from bjidp.accounts.notices import NoticeKind
from bjidp.audit.event import AuditEvent, EventKind, Fact
from bjidp.clock import Instant
from bjidp.entropy import Entropy, token
from bjidp.organisations.errors import OrganisationHeld, OrganisationUnknown
from bjidp.organisations.mandates import Made, Place
from bjidp.organisations.organisation import Capacity, Loss, Organisation
from bjidp.organisations.ports import Aftermath, Appointed, Entrusted, IdentityLacking, NewOffer, NewOrganisation
from bjidp.privacy.fields import FieldCipher
from bjidp.privacy.index import BlindIndex
from bjidp.storage.sql.account_rows import AccountRows, usable
from bjidp.storage.sql.audit import AuditRows
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.statements import Value, insert_or_nothing
from bjidp.storage.sql.database.transaction import Contended, Transaction
from bjidp.storage.sql.mandates import MandateMoves
from bjidp.storage.sql.notices import NoticeRows
from bjidp.storage.sql.organisation_holders import Holders
from bjidp.storage.sql.organisation_looks import OrganisationLooks
from bjidp.storage.sql.organisation_rows import ORGANISATION, OrganisationRows, organisation_from
from bjidp.storage.sql.schema import organisation


class SqlOrganisations:
    """The port ``bjidp.organisations.ports.OrganisationStore``."""

    def __init__(
        self, engine: SqlEngine, accounts: AccountRows, *, cipher: FieldCipher, index: BlindIndex, entropy: Entropy
    ) -> None:
        """Compile the statements for ``engine``."""
        compile_ = engine.compile
        self._engine = engine
        self._accounts = accounts
        self._entropy = entropy
        self._audit = AuditRows(engine)
        self._notices = NoticeRows(engine)
        self._rows = OrganisationRows(engine)
        self._holders = Holders(engine, cipher)
        self._looks = OrganisationLooks(engine, cipher, index)
        self._moves = MandateMoves(engine, accounts, self._holders, cipher=cipher, index=index, entropy=entropy)
        by_id = organisation.c.id == bindparam("organisation")
        by_code = organisation.c.credit_code == bindparam("credit_code")
        self._seek = compile_(select(organisation.c.representative).where(by_code))
        self._by_code = compile_(select(*ORGANISATION).where(by_code).with_for_update())
        self._by_id = compile_(select(*ORGANISATION).where(by_id).with_for_update())
        self._add = compile_(insert_or_nothing(organisation, engine.dialect))
        # An answer that comes late, to an earlier question, takes nothing back.
        confirmed_before = organisation.c.confirmed_at <= bindparam("asked_at")
        refused_before = or_(organisation.c.refused_at.is_(None), organisation.c.refused_at <= bindparam("asked_at"))
        led_still = organisation.c.led_at == bindparam("was_led_at")
        confirmed = {"confirmed_at": bindparam("asked_at"), "refused_at": null()}
        self._renew = compile_(
            update(organisation)
            .where(by_id, confirmed_before, refused_before)
            .values(name=bindparam("new_name"), **confirmed)
        )
        self._confirm = compile_(
            update(organisation).where(by_id, led_still, confirmed_before, refused_before).values(**confirmed)
        )
        self._refuse = compile_(
            update(organisation)
            .where(by_id, led_still, confirmed_before, refused_before)
            .values(refused_at=bindparam("asked_at"))
        )

    async def register(self, account: str, new: NewOrganisation, now: Instant) -> Aftermath:
        return await self._engine.write(lambda transaction: self._register(transaction, account, new, now))

    async def confirm(self, organisation: Organisation, asked_at: Instant) -> None:
        values: dict[str, Value] = {
            "organisation": organisation.id,
            "was_led_at": organisation.led_at,
            "asked_at": asked_at,
        }
        await self._engine.write_one(self._confirm, values)

    async def refuse(self, organisation: Organisation, asked_at: Instant) -> None:
        values: dict[str, Value] = {
            "organisation": organisation.id,
            "was_led_at": organisation.led_at,
            "asked_at": asked_at,
        }
        await self._engine.write_one(self._refuse, values)

    async def lose(self, organisation: Organisation, loss: Loss, asked_at: Instant, now: Instant) -> Aftermath:
        def work(transaction: Transaction) -> Aftermath:
            self._accounts.locked(transaction, organisation.representative)
            row = transaction.one(self._by_id, {"organisation": organisation.id})
            kept = None if row is None else organisation_from(row)
            if kept is None or kept.led_at != organisation.led_at or kept.confirmed_at > asked_at:
                return Aftermath()
            return self._drop(transaction, kept, loss, now)

        return await self._engine.write(work)

    async def give_up(self, account: str, organisation: str, now: Instant) -> Aftermath:
        def work(transaction: Transaction) -> Aftermath:
            self._accounts.lock(transaction, account)
            row = transaction.one(self._by_id, {"organisation": organisation})
            if row is None or not self._holders.lead(transaction, account, organisation):
                raise OrganisationUnknown
            return self._drop(transaction, organisation_from(row), Loss.GIVEN_UP, now)

        return await self._engine.write(work)

    async def led(self, account: str) -> list[Organisation]:
        return await self._looks.led(account)

    async def capacities(self, account: str) -> list[Capacity]:
        return await self._looks.capacities(account)

    async def appointed(self, account: str, now: Instant) -> list[Appointed]:
        return await self._looks.appointed(account, now)

    async def appointed_before(
        self, account: str, organisation: str, now: Instant, limit: int, before: Place | None
    ) -> list[Appointed]:
        return await self._looks.appointed_before(account, organisation, now, limit, before)

    async def made(self, account: str, organisation: str, phone: str, now: Instant) -> list[Made]:
        return await self._looks.made(account, organisation, phone, now)

    async def entrusted(self, account: str, now: Instant) -> list[Entrusted]:
        return await self._looks.entrusted(account, now)

    async def entrusted_before(self, account: str, now: Instant, limit: int, before: Place | None) -> list[Entrusted]:
        return await self._looks.entrusted_before(account, now, limit, before)

    async def offered(self, phone: str, now: Instant) -> list[Entrusted]:
        return await self._looks.offered(phone, now)

    async def offer(self, account: str, organisation: str, new: NewOffer, now: Instant) -> str:
        return await self._engine.write(
            lambda transaction: self._moves.offer(transaction, account, organisation, new, now)
        )

    async def accept(self, account: str, mandate: str, now: Instant) -> None:
        await self._engine.write(lambda transaction: self._moves.accept(transaction, account, mandate, now))

    async def end(self, account: str, mandate: str, now: Instant) -> str | None:
        return await self._engine.write(lambda transaction: self._moves.end(transaction, account, mandate, now))

    async def forget(self, before: Instant, limit: int) -> int:
        return await self._engine.write(lambda transaction: self._moves.forget(transaction, before, limit))

    def _register(self, transaction: Transaction, account_id: str, new: NewOrganisation, now: Instant) -> Aftermath:
        sought = {"credit_code": new.credit_code}
        seen = transaction.one(self._seek, sought)
        leader = None if seen is None else seen[0]
        locked = {one: self._accounts.locked(transaction, one) for one in sorted({account_id, leader or account_id})}
        ref = usable(locked[account_id])
        if self._holders.proved(transaction, account_id, now) != new.bound_at:
            raise IdentityLacking
        row = transaction.one(self._by_code, sought)
        former = None if row is None else organisation_from(row)
        if (None if former is None else former.representative) != leader:
            raise Contended  # it moved on while this waited
        aftermath = Aftermath()
        if former is not None:
            if (former.representative, former.bound_at) == (account_id, new.bound_at):
                at = new.asked_at
                transaction.run(self._renew, {"organisation": former.id, "new_name": new.name, "asked_at": at})
                return aftermath
            if new.asked_at <= former.confirmed_at and self._holders.lead(
                transaction, former.representative, former.id
            ):
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
            "refused_at": None,
        }
        if not transaction.run(self._add, values):
            raise Contended  # somebody else was faster
        facts = {Fact.ORGANISATION: made}
        self._audit.write(transaction, AuditEvent(EventKind.ORGANISATION_REGISTERED, now, ref, facts=facts))
        self._notices.tell(transaction, account_id, NoticeKind.ORGANISATION_REGISTERED, now)
        return aftermath

    def _drop(self, transaction: Transaction, kept: Organisation, loss: Loss, now: Instant) -> Aftermath:
        agents = self._rows.drop(transaction, kept.id, kept.representative, loss, now)
        numbers = [self._holders.number(transaction, agent) for agent in dict.fromkeys(agents)]
        told = tuple(number for number in numbers if number is not None)
        return Aftermath(self._holders.number(transaction, kept.representative), told)
