"""Somebody on the way to an organisation, one posted form at a time, in plain HTTP at any server by its address.

Owns what the steps of 登记法人 are, how one tells whether it has done what it is for, and what it cost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bjidp.accounts.ports import Evidence
from bjidp.audit.event import EventKind
from bjidp.clock import Instant
from bjidp.proofing.ports import NewIdentity
from tests.support.calls import Caller
from tests.support.forms import WebForm
from tests.support.journeys import Changes, Stores
from tests.support.proving import Proves


class Leads(Proves):
    """登记法人, by somebody whose face has proved who they are."""

    setting = "organisation"
    registers = ("register",)
    evidence = Evidence.FACE
    written = "organisations.register"
    logged = EventKind.ORGANISATION_REGISTERED

    def __init__(self, caller: Caller, stores: Stores, now: Callable[[], Instant]) -> None:
        """See :class:`tests.support.journeys.Journey`."""
        super().__init__(caller, stores, now)
        self.company: dict[str, Any] = {}

    async def begins(self) -> None:
        """Be who the register says leads the organisation, at another account than before."""
        people = {one["id"]: one for one in await self.caller.sandbox("/control/people")}
        self.company = next(
            one for one in await self.caller.sandbox("/control/organisations") if one["story"] == "ordinary"
        )
        self.who = people[self.company["representative"]]
        holder = await self.stores.accounts.holder_of(self.person)
        if holder is not None:
            await self.stores.identities.unbind(holder.account, self.now())
        await Changes.begins(self)
        new = NewIdentity(person=self.person, evidence=self.evidence, evidence_reference="E1", authority_reference="A1")
        await self.stores.identities.prove(self.account, new, self.now(), was=None)
        self._paid_before = {register: len(await self._charged(register)) for register in self.registers}

    async def change(self, form: WebForm, step: str) -> tuple[WebForm, str]:
        """See :meth:`tests.support.journeys.Changes.change`."""
        return form.typed(credit_code=self.company["credit_code"], organisation_name=self.company["name"]), ""

    async def is_done(self) -> bool:
        """See :meth:`tests.support.journeys.Journey.is_done`."""
        led = await self.stores.organisations.led(self.account)
        assert [one.credit_code for one in led] in ([], [self.company["credit_code"]])
        return bool(led)
