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
from bjidp.proofing.ports import Bound, NewIdentity
from tests.support.browser import Browser, Screen
from tests.support.calls import Answer, Caller
from tests.support.forms import WebForm
from tests.support.inbox import messages
from tests.support.journeys import PROVE, SAVE, SEND, SEND_PROOF, Changes, Stores
from tests.support.login import logged_in
from tests.support.phone import Person as Resident
from tests.support.phone import Phone, before_the_camera, complete, start_session, state_identity

FACE: Final = "/centre/face"
ABLE: Final = frozenset({"ordinary", "dotted_name", "rare_character", "compatibility_character", "long_name"})
"""Stories of residents whom authority and bank know as they are stated."""
APART: Final = 5
"""So many of them, the last ones, are left to tests that name them."""

_turn, _serial = itertools.count(), itertools.count()


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
        able = [one for one in listed if one["story"] in ABLE and one["document_type"] == "resident_id"][:-APART]
        self.who = able[next(_turn) % len(able)]
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


def dates_of(who: dict[str, Any]) -> dict[str, str]:
    """Return the fields of the dates on somebody's document."""
    to = who["valid_to"]
    return {"valid_from": who["valid_from"], "valid_to": to or "", "term": "until" if to else "life"}


class ProvesName(Proves):
    """实名认证."""

    setting = "real_name"

    async def change(self, form: WebForm, step: str) -> tuple[WebForm, str]:
        """See :meth:`tests.support.journeys.Changes.change`."""
        typed = {"name": self.who["name"], "document_number": self.who["document_number"]}
        return form.typed(**typed, **dates_of(self.who)), ""


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


class Exchanges(ProvesName):
    """换绑, of an identity that somebody else has proved in this account."""

    setting = "exchange"
    logged = EventKind.IDENTITY_EXCHANGED
    ends_others = True

    def __init__(self, caller: Caller, stores: Stores, now: Callable[[], Instant]) -> None:
        """See :class:`tests.support.journeys.Journey`."""
        super().__init__(caller, stores, now)
        self.former = somebody()

    async def begins(self) -> None:
        """Have the other identity."""
        await super().begins()
        await self.stores.identities.prove(self.account, proof(self.former), self.now(), was=None)

    async def is_done(self) -> bool:
        """See :meth:`tests.support.journeys.Journey.is_done`."""
        bound = await self.bound()
        assert bound is not None
        holders = [await self.stores.accounts.holder_of(person) for person in (self.former, self.person)]
        held_by = [holder and holder.account for holder in holders]
        assert (bound.person, held_by) in [(self.former, [self.account, None]), (self.person, [None, self.account])]
        return bound.person == self.person


class Unbinds(Changes):
    """解绑."""

    setting = "unbind"
    steps = (SEND_PROOF, PROVE)
    own = (PROVE,)
    written = "identities.unbind"
    logged = EventKind.IDENTITY_UNBOUND
    ends_others = True

    def __init__(self, caller: Caller, stores: Stores, now: Callable[[], Instant]) -> None:
        """See :class:`tests.support.journeys.Journey`."""
        super().__init__(caller, stores, now)
        self.former = somebody()

    async def begins(self) -> None:
        """Have an identity."""
        await super().begins()
        await self.stores.identities.prove(self.account, proof(self.former), self.now(), was=None)

    async def due(self) -> int:
        """Go through 验证身份; whoever has done so and has the identity still has a button left to press."""
        due = await super().due()
        if due == len(self.steps):
            await self.posts(await self.page(f"/centre/{self.setting}"), "")
        return due

    async def is_done(self) -> bool:
        """See :meth:`tests.support.journeys.Journey.is_done`."""
        bound, holder = (
            await self.stores.identities.bound(self.account),
            await self.stores.accounts.holder_of(self.former),
        )
        assert (holder is None) == (bound is None)
        return bound is None


def somebody() -> Person:
    """Return a person whom no register knows, another one each time."""
    return Person(DocumentType.RESIDENT_ID, "张三", f"10101019900307{next(_serial):04d}")


def proof(person: Person) -> NewIdentity:
    """Return somebody who was proved by name and number."""
    return NewIdentity(
        person=person, evidence=Evidence.NAME_AND_NUMBER, evidence_reference="E-0", authority_reference="A-0"
    )


class Faces:
    """Somebody whose phone is new here, and who was before the camera."""

    def __init__(self, caller: Caller, person: Resident) -> None:
        self.caller = caller
        self.person = person
        self.registration = ""

    async def begins(self, outcome: str = "pass") -> None:
        """Come as far as the question what came of it."""
        self.registration = (await start_session(self.caller, "wechat", self.person.id))["registration"]
        started = await state_identity(self.caller, "wechat", self.registration, self.person)
        await before_the_camera(self.caller, started.json()["face"]["verification"], outcome)

    async def asks(self) -> Answer:
        """Ask it."""
        return await complete(self.caller, "wechat", self.registration)


class ShowsAFace:
    """Somebody at 人脸识别认证 who was before the camera."""

    def __init__(self, caller: Caller, phone: Phone) -> None:
        self.phone = phone
        self.browser = Browser(caller)
        self.scanned: dict[str, Any] = {}

    async def begins(self, outcome: str = "pass") -> None:
        """Come as far as the confirmation."""
        if self.browser.session is None:
            await logged_in(self.browser.caller, self.phone, self.browser)
        code = await self.phone.approves(await self._shown(f"{FACE.replace('/face', '/verify/face')}"))
        await self._redeems(code)
        page = (await self.browser.get(FACE)).header("Location") or ""
        self.scanned = await self.phone.takes(await self._shown(page))
        await self.phone.shows_face(self.scanned, outcome)

    async def asks(self) -> Answer:
        """Confirm."""
        return await self.phone.confirm(self.scanned)

    async def ends(self, confirmed: Answer) -> None:
        """Let the page have what was confirmed."""
        assert confirmed.status == 200, confirmed
        await self._redeems(confirmed.json()["code"])

    async def _shown(self, page: str) -> Screen:
        await self.browser.open(page)
        return Screen((await self.browser.tickets()).json())

    async def _redeems(self, code: str | None) -> None:
        grant = str((await self.browser.message("approved"))["grant"])
        assert (await self.browser.redeem(grant, code)).status == 200


PROOFS: Final = (ProvesName, ProvesCard)
MOVES: Final = (Exchanges, Unbinds)
