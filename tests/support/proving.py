"""People on their way to an identity, one posted form at a time, in plain HTTP at any server by its address.

Owns what a step of 实名认证 and of 银行卡认证 is, how one tells whether it has done what it is for, and what it cost.
Every person is the sandbox's; whoever held their identity before has given it up.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, ClassVar, Final

from bjidp.accounts.ports import Evidence
from bjidp.audit.event import EventKind
from bjidp.clock import Instant
from bjidp.person import DocumentType, Person
from bjidp.proofing.ports import Bound
from tests.support.calls import Caller
from tests.support.forms import WebForm
from tests.support.inbox import messages
from tests.support.journeys import SAVE, SEND, Changes, Stores

AT_PHONES: Final = 3
"""So many of the ordinary people, the last ones, are left to tests that let them register by phone."""

_turn = itertools.count()


class Proves(Changes):
    """Somebody who proves an identity. ``registers`` charge for what they are asked."""

    registers: ClassVar[tuple[str, ...]] = ("authority",)
    evidence: ClassVar[Evidence] = Evidence.NAME_AND_NUMBER
    written = "identities.prove"
    logged = EventKind.IDENTITY_PROVED

    def __init__(self, caller: Caller, stores: Stores, now: Callable[[], Instant]) -> None:
        """See :class:`tests.support.journeys.Journey`."""
        super().__init__(caller, stores, now)
        self.who: dict[str, Any] = {}
        self._paid_before: dict[str, int] = {}
        self._sent_before = 0

    @property
    def person(self) -> Person:
        """Who it is."""
        return Person(DocumentType(self.who["document_type"]), self.who["name"], self.who["document_number"])

    async def begins(self) -> None:
        """Be another person than the one before, whom no register has been asked about for this account."""
        listed = await self.caller.sandbox("/control/people")
        ordinary = [one for one in listed if one["story"] == "ordinary" and one["document_type"] == "resident_id"]
        at_pages = ordinary[:-AT_PHONES]
        self.who = at_pages[next(_turn) % len(at_pages)]
        holder = await self.stores.accounts.holder_of(self.person)
        if holder is not None:
            await self.stores.identities.unbind(holder.account, self.now())
        await super().begins()
        self._sent_before = len(await messages(self.caller.sandbox, self.who["phone"]))
        self._paid_before = {register: len(await self._charged(register)) for register in self.registers}

    async def paid(self) -> dict[str, int]:
        """Return how many questions each register has charged for since this began."""
        return {register: len(await self._charged(register)) - before for register, before in self._paid_before.items()}

    async def bound(self) -> Bound | None:
        """Return the identity of the account."""
        return await self.stores.identities.bound(self.account)

    async def is_done(self) -> bool:
        """See :meth:`tests.support.journeys.Journey.is_done`."""
        bound, holder = await self.bound(), await self.stores.accounts.holder_of(self.person)
        assert (holder is None) == (bound is None)
        if bound is None or holder is None:
            return False
        assert (holder.account, bound.person, bound.evidence) == (self.account, self.person, self.evidence)
        return True

    async def _charged(self, register: str) -> list[str]:
        charged: list[str] = await self.caller.sandbox(f"/control/charges?service={register}")
        return charged


class ProvesName(Proves):
    """实名认证."""

    setting = "real_name"

    async def change(self, form: WebForm, step: str) -> tuple[WebForm, str]:
        """See :meth:`tests.support.journeys.Changes.change`."""
        typed = {"name": self.who["name"], "document_number": self.who["document_number"]}
        return form.typed(**typed, valid_from="2018-06-06", valid_to="2038-06-06", term="until"), ""


class ProvesCard(Proves):
    """银行卡认证, with a number reserved at the bank that is not the account's own."""

    setting = "bank_card"
    steps = (*Changes.steps[:-1], SEND, SAVE)
    own = (SEND, SAVE)
    registers = ("authority", "bank")
    evidence = Evidence.BANK_CARD

    async def change(self, form: WebForm, step: str) -> tuple[WebForm, str]:
        """See :meth:`tests.support.journeys.Changes.change`."""
        reserved = self.who["phone"]
        form = form.typed(
            name=self.who["name"],
            document_number=self.who["document_number"],
            card_number=self.who["cards"][0],
            phone=reserved,
        )
        if step == SEND:
            await self.looks(reserved)
            return form, "code"
        return form.typed(code=await self.code(reserved)), ""

    async def codes(self) -> int:
        """Return how many codes the reserved number was sent since this began."""
        return len(await messages(self.caller.sandbox, self.who["phone"])) - self._sent_before


PROOFS: Final = (ProvesName, ProvesCard)
