"""Looking at organisations and mandates: what an account leads, acts for, has given and is offered.

Owns the reads of the port ``OrganisationStore``. They tell what is there, and the rules whether it counts.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, select

from bjidp.accounts.masks import mask_name
from bjidp.accounts.ports import Evidence
from bjidp.clock import Instant
from bjidp.organisations.mandates import Made, Scope
from bjidp.organisations.organisation import Capacity, Organisation, Role, Worth
from bjidp.organisations.ports import Appointed, Entrusted
from bjidp.privacy.fields import FieldCipher
from bjidp.privacy.index import BlindIndex
from bjidp.storage.sql.engine import SqlEngine
from bjidp.storage.sql.organisation_holders import IS_LED, LEADER, LED
from bjidp.storage.sql.organisation_rows import (
    MANDATE,
    ORGANISATION,
    made_from,
    made_of,
    made_values,
    mandate_from,
    organisation_from,
)
from bjidp.storage.sql.schema import identity, mandate, organisation
from bjidp.storage.sql.statements import Row, Value
from bjidp.storage.sql.terms import term_from

OFFERED_TO: Final = "mandate"
"""The kind of index that offers are found by: unrelated to the one by which numbers find accounts."""

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
        newest = (mandate.c.offered_at.desc(), mandate.c.id)
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
        self._appointed = compile_(
            select(*MANDATE, _AGENT.c.name_sealed)
            .select_from(_GIVEN.outerjoin(_AGENT, _IS_AGENT))
            .where(of_account, *IS_LED)
            .order_by(*newest)
        )
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
        self._entrusted = compile_(
            entrusted.select_from(_GIVEN.join(_AGENT, _IS_AGENT)).where(by_agent, *IS_LED).order_by(*newest)
        )
        self._offered = compile_(
            entrusted.select_from(_GIVEN)
            .where(
                mandate.c.key_version == bindparam("key_version"),
                mandate.c.phone_digest == bindparam("phone_digest"),
                mandate.c.agent.is_(None),
                mandate.c.ended_at.is_(None),
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

    async def appointed(self, account: str) -> list[Appointed]:
        found = []
        for *row, name in await self._engine.all(self._appointed, {"account": account}):
            given = mandate_from(tuple(row), self._cipher)
            who = None if name is None or given.agent is None else self._masked(given.agent, name)
            found.append(Appointed(given, who))
        return found

    async def made(self, account: str, organisation_id: str, phone: str, now: Instant) -> list[Made]:
        digests = self._index.digests(OFFERED_TO, phone)
        values = made_values(organisation_id, now) | {"account": account}
        return [made_from(row, digests, now) for row in await self._engine.all(self._made, values)]

    async def entrusted(self, account: str) -> list[Entrusted]:
        return [self._entrust(row) for row in await self._engine.all(self._entrusted, {"account": account})]

    async def offered(self, phone: str) -> list[Entrusted]:
        found = []
        for digest in self._index.digests(OFFERED_TO, phone):
            values: dict[str, Value] = {"key_version": digest.version, "phone_digest": digest.value}
            found += [self._entrust(row) for row in await self._engine.all(self._offered, values)]
        return sorted(found, key=lambda entrusted: -entrusted.mandate.offered_at)

    def _entrust(self, row: Row) -> Entrusted:
        *columns, name, evidence, runs_out_at = row
        given = mandate_from(tuple(columns[: len(MANDATE)]), self._cipher)
        led = organisation_from(tuple(columns[len(MANDATE) :]))
        return Entrusted(given, led, self._masked(led.representative, name), _worth(evidence, runs_out_at))

    def _masked(self, holder: str, name: bytes) -> str:
        return mask_name(self._cipher.open("identity", "name", holder, name))


def _worth(evidence: str, runs_out_at: Instant | None) -> Worth:
    return Worth(Evidence(evidence), term_from(runs_out_at))
