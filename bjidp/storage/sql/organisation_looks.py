"""Looking at organisations and mandates: what an account leads, acts for, has given and is offered.

Owns the reads of the port ``OrganisationStore``. They tell what is there, and the rules whether it counts.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import and_, bindparam, or_, select

from bjidp.accounts.masks import mask_name
from bjidp.accounts.ports import Evidence
from bjidp.clock import Instant
from bjidp.organisations.mandates import Made, Place, Scope
from bjidp.organisations.organisation import Capacity, Organisation, Role, Worth
from bjidp.organisations.ports import Appointed, Entrusted
from bjidp.privacy.fields import FieldCipher
from bjidp.privacy.index import BlindIndex
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.statements import Row, Value
from bjidp.storage.sql.organisation_holders import IS_LED, LEADER, LED
from bjidp.storage.sql.organisation_rows import (
    MANDATE,
    ORGANISATION,
    at_moment,
    is_live,
    is_over,
    made_from,
    made_of,
    made_values,
    mandate_from,
    organisation_from,
)
from bjidp.storage.sql.schema import identity, mandate, organisation
from bjidp.storage.sql.terms import term_from

OFFERED_TO: Final = "mandate"
"""The kind of index that offers are found by: unrelated to the one by which numbers find accounts."""

_END: Final = 2**63 - 1
"""Later than every offer."""

_OWN = (LEADER.c.evidence, LEADER.c.runs_out_at)
_AGENT = identity.alias("agent_identity")
_IS_AGENT = (_AGENT.c.account == mandate.c.agent) & (_AGENT.c.bound_at == mandate.c.agent_bound_at)
_GIVEN = LED.join(mandate, mandate.c.organisation == organisation.c.id)


class OrganisationLooks:
    """Looks."""

    def __init__(self, engine: SqlEngine, cipher: FieldCipher, index: BlindIndex) -> None:
        """Compile the statements for ``engine``."""
        compile_ = engine.compile
        self._engine = engine
        self._cipher = cipher
        self._index = index
        of_account = organisation.c.representative == bindparam("account")
        by_agent = mandate.c.agent == bindparam("account")
        newest = (mandate.c.offered_at.desc(), mandate.c.id.desc())
        older = or_(
            mandate.c.offered_at < bindparam("before_at"),
            and_(mandate.c.offered_at == bindparam("before_at"), mandate.c.id < bindparam("before_id")),
        )
        self._led = compile_(
            select(*ORGANISATION, *_OWN)
            .select_from(LED)
            .where(of_account, *IS_LED)
            .order_by(organisation.c.led_at, organisation.c.id)
        )
        self._acting = compile_(
            select(*MANDATE, *ORGANISATION, _AGENT.c.evidence, _AGENT.c.runs_out_at, *_OWN)
            .select_from(_GIVEN.join(_AGENT, _IS_AGENT))
            .where(by_agent, mandate.c.ended_at.is_(None), *IS_LED)
            .order_by(mandate.c.accepted_at, mandate.c.id)
        )
        appointed = (
            select(*MANDATE, _AGENT.c.name_sealed)
            .select_from(_GIVEN.outerjoin(_AGENT, _IS_AGENT))
            .where(of_account, *IS_LED)
            .order_by(*newest)
        )
        self._appointed = compile_(appointed.where(is_live()))
        of_one = mandate.c.organisation == bindparam("organisation")
        self._appointed_before = compile_(appointed.where(of_one, is_over(), older).limit(bindparam("limit")))
        self._made = compile_(
            made_of(
                mandate.c.organisation.in_(
                    select(organisation.c.id)
                    .select_from(LED)
                    .where(organisation.c.id == bindparam("organisation"), of_account, *IS_LED)
                )
            )
        )
        entrusted = select(*MANDATE, *ORGANISATION, LEADER.c.name_sealed, *_OWN)
        taken = entrusted.select_from(_GIVEN.join(_AGENT, _IS_AGENT)).where(by_agent, *IS_LED).order_by(*newest)
        self._entrusted = compile_(taken.where(is_live()))
        self._entrusted_before = compile_(taken.where(is_over(), older).limit(bindparam("limit")))
        self._offered = compile_(
            entrusted.select_from(_GIVEN)
            .where(
                mandate.c.key_version == bindparam("key_version"),
                mandate.c.phone_digest == bindparam("phone_digest"),
                mandate.c.agent.is_(None),
                is_live(),
                *IS_LED,
            )
            .order_by(*newest)
        )

    async def led(self, account: str) -> list[Organisation]:
        rows = await self._engine.all(self._led, {"account": account})
        return [organisation_from(row[: len(ORGANISATION)]) for row in rows]

    async def capacities(self, account: str) -> list[Capacity]:
        found = []
        for *row, evidence, runs_out_at in await self._engine.all(self._led, {"account": account}):
            own = _worth(evidence, runs_out_at)
            found.append(
                Capacity(
                    role=Role.REPRESENTATIVE,
                    organisation=organisation_from(tuple(row)),
                    scope=Scope.ALL,
                    until=None,
                    mandate=None,
                    own=own,
                    leader=own,
                )
            )
        for *row, evidence, runs_out_at, leads_by, leads_until in await self._engine.all(
            self._acting, {"account": account}
        ):
            taken = mandate_from(tuple(row[: len(MANDATE)]), self._cipher)
            found.append(
                Capacity(
                    role=Role.AGENT,
                    organisation=organisation_from(tuple(row[len(MANDATE) :])),
                    scope=taken.scope,
                    until=taken.ends_at,
                    mandate=taken.id,
                    own=_worth(evidence, runs_out_at),
                    leader=_worth(leads_by, leads_until),
                )
            )
        return found

    async def appointed(self, account: str, now: Instant) -> list[Appointed]:
        rows = await self._engine.all(self._appointed, {"account": account, **at_moment(now)})
        return [self._appoint(row) for row in rows]

    async def appointed_before(
        self, account: str, organisation_id: str, now: Instant, limit: int, before: Place | None
    ) -> list[Appointed]:
        values = {"account": account, "organisation": organisation_id, **at_moment(now), **_after(before, limit)}
        return [self._appoint(row) for row in await self._engine.all(self._appointed_before, values)]

    async def made(self, account: str, organisation_id: str, phone: str, now: Instant) -> list[Made]:
        digests = self._index.digests(OFFERED_TO, phone)
        values = made_values(organisation_id, now) | {"account": account}
        return [made_from(row, digests, now) for row in await self._engine.all(self._made, values)]

    async def entrusted(self, account: str, now: Instant) -> list[Entrusted]:
        rows = await self._engine.all(self._entrusted, {"account": account, **at_moment(now)})
        return [self._entrust(row) for row in rows]

    async def entrusted_before(self, account: str, now: Instant, limit: int, before: Place | None) -> list[Entrusted]:
        values = {"account": account, **at_moment(now), **_after(before, limit)}
        return [self._entrust(row) for row in await self._engine.all(self._entrusted_before, values)]

    async def offered(self, phone: str, now: Instant) -> list[Entrusted]:
        found = []
        for digest in self._index.digests(OFFERED_TO, phone):
            values = {"key_version": digest.version, "phone_digest": digest.value, **at_moment(now)}
            found += [self._entrust(row) for row in await self._engine.all(self._offered, values)]
        return sorted(found, key=lambda entrusted: -entrusted.mandate.offered_at)

    def _appoint(self, row: Row) -> Appointed:
        *columns, name = row
        given = mandate_from(tuple(columns), self._cipher)
        return Appointed(given, None if name is None or given.agent is None else self._masked(given.agent, name))

    def _entrust(self, row: Row) -> Entrusted:
        *columns, name, evidence, runs_out_at = row
        given = mandate_from(tuple(columns[: len(MANDATE)]), self._cipher)
        led = organisation_from(tuple(columns[len(MANDATE) :]))
        return Entrusted(given, led, self._masked(led.representative, name), _worth(evidence, runs_out_at))

    def _masked(self, holder: str, name: bytes) -> str:
        return mask_name(self._cipher.open("identity", "name", holder, name))


def _after(before: Place | None, limit: int) -> dict[str, Value]:
    """Return what a page of a history is asked with."""
    start = before or Place(_END, "")
    return {"before_at": start.offered_at, "before_id": start.id, "limit": limit}


def _worth(evidence: str, runs_out_at: Instant | None) -> Worth:
    return Worth(Evidence(evidence), term_from(runs_out_at))
