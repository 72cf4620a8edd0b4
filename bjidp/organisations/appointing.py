"""经办人: a 法定代表人 offers a mandate to a number, whoever has it takes it or not, and either side ends it (ORG-2).

Owns that nothing tells whether a number has an account: an offer is of a number, nobody looks whose it is, and the
message goes to it in any case. Called by ``web``. 验证身份 comes before an offer, since whoever took a session over
would otherwise have somebody act beyond it (attack R4); it comes before nothing that takes a power away.
"""

from __future__ import annotations

from msgspec import Struct

from bjidp.accounts.settings.changes import Changes
from bjidp.accounts.telling import Teller, Told
from bjidp.accounts.verifying import Verifying, Visit
from bjidp.clock import Clock
from bjidp.errors import FieldFault, InvalidRequest
from bjidp.organisations import mandates
from bjidp.organisations.errors import LevelRequired, OrganisationUnknown
from bjidp.organisations.mandates import AlreadyAppointed, Mandate, OfferedLately, Place
from bjidp.organisations.organisation import Organisation
from bjidp.organisations.ports import Appointed, Entrusted, IdentityLacking, NewOffer, OrganisationStore
from bjidp.organisations.proved import Proved
from bjidp.organisations.stated import PHONE_FIELD, Fault, TypedOffer, read_offer
from bjidp.proofing.dates import beijing_date
from bjidp.verification.number import MobileNumber
from bjidp.verification.proofs import Operation
from bjidp.verification.ranges import NumberRange


class Holdings(Struct, frozen=True, kw_only=True):
    """All that organisations are to an account at this moment."""

    led: list[Organisation]
    appointed: list[Appointed]
    """The mandates and offers of these."""
    entrusted: list[Entrusted]
    """Its own mandates."""
    offered: list[Entrusted]
    """Offers to its number."""


class History(Struct, frozen=True, kw_only=True):
    """A page of what is over."""

    organisation: Organisation | None
    """The one that it is about; None for what was entrusted to the account."""
    appointed: list[Appointed] = []
    entrusted: list[Entrusted] = []
    older: Place | None
    """What the next page begins after; None on the last one."""


class Appointing:
    """The life of mandates. A store that is down raises ``StoreUnavailable``."""

    def __init__(
        self,
        *,
        changes: Changes,
        verifying: Verifying,
        proved: Proved,
        organisations: OrganisationStore,
        served: NumberRange,
        teller: Teller,
        clock: Clock,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._changes = changes
        self._verifying = verifying
        self._proved = proved
        self._organisations = organisations
        self._served = served
        self._teller = teller
        self._clock = clock

    async def holdings(self, visit: Visit) -> Holdings:
        """Return what the account leads, whom it has appointed, and what is entrusted or offered to it."""
        member, now = await self._verifying.member(visit), self._clock.now()
        return Holdings(
            led=await self._organisations.led(visit.account),
            appointed=await self._organisations.appointed(visit.account, now),
            entrusted=await self._organisations.entrusted(visit.account, now),
            offered=[] if member.phone is None else await self._organisations.offered(member.phone, now),
        )

    async def history(self, visit: Visit, organisation: str | None, before: Place | None) -> History:
        """Return a page of what is over: mandates of an ``organisation`` that the account leads, or its own.

        Raises :class:`OrganisationUnknown`.
        """
        now, limit = self._clock.now(), mandates.HISTORY + 1
        if organisation is None:
            taken = await self._organisations.entrusted_before(visit.account, now, limit, before)
            shown = taken[: mandates.HISTORY]
            return History(organisation=None, entrusted=shown, older=_older([one.mandate for one in taken]))
        led = next((one for one in await self._organisations.led(visit.account) if one.id == organisation), None)
        if led is None:
            raise OrganisationUnknown
        given = await self._organisations.appointed_before(visit.account, led.id, now, limit, before)
        shown_given = given[: mandates.HISTORY]
        return History(organisation=led, appointed=shown_given, older=_older([one.mandate for one in given]))

    async def is_proved(self, visit: Visit) -> bool:
        """Tell whether the account is at the level that everything here needs."""
        try:
            await self._proved.identity(visit.account)
        except LevelRequired:
            return False
        return True

    async def led(self, visit: Visit) -> list[Organisation]:
        """Return the organisations that the account may appoint somebody for."""
        return await self._organisations.led(visit.account)

    async def offer(self, visit: Visit, flow: str | None, typed: TypedOffer) -> str:
        """Offer a mandate; return the change's id.

        Raises ``InvalidRequest``, :class:`LevelRequired`, :class:`OrganisationUnknown`,
        :class:`bjidp.organisations.errors.MandatesFull`, ``RateLimited``, ``AccountRefused`` and
        :class:`bjidp.accounts.settings.changes.NotDue`.
        """
        member, now = await self._verifying.member(visit), self._clock.now()
        new = read_offer(typed, own=member.phone, served=self._served, today=beijing_date(now))
        draft = await self._changes.due(visit, Operation.APPOINT, flow)
        await self._proved.identity(visit.account)
        if all(one.id != typed.organisation for one in await self._organisations.led(visit.account)):
            raise OrganisationUnknown
        # Looked at before the proof is used up; the store looks again, under its locks.
        made = await self._organisations.made(visit.account, typed.organisation, new.phone, now)
        try:
            mandates.require_room(made, now)
            await self._changes.save(visit, draft, lambda: self._write(visit.account, typed.organisation, new))
        except AlreadyAppointed:
            raise InvalidRequest(FieldFault(PHONE_FIELD, Fault.APPOINTED)) from None
        except OfferedLately:
            raise InvalidRequest(FieldFault(PHONE_FIELD, Fault.LATELY)) from None
        return draft.id

    async def accept(self, visit: Visit, mandate: str) -> None:
        """Take a mandate that is offered to the account's own number.

        Raises :class:`OrganisationUnknown`, :class:`LevelRequired`,
        :class:`bjidp.organisations.errors.ActingOnProbation` and ``AccountRefused``.
        """
        await self._proved.require_settled(visit.session)
        try:
            await self._organisations.accept(visit.account, mandate, self._clock.now())
        except IdentityLacking:
            raise LevelRequired from None

    async def end(self, visit: Visit, mandate: str) -> None:
        """End a mandate, withdraw an offer or decline it: whoever may do one of them does what is left to do.

        Raises :class:`OrganisationUnknown` and ``AccountRefused``.
        """
        number = await self._organisations.end(visit.account, mandate, self._clock.now())
        if number is not None:
            self._teller.tell(MobileNumber(number), Told.MANDATE_ENDED)

    async def _write(self, account: str, organisation: str, new: NewOffer) -> None:
        try:
            await self._organisations.offer(account, organisation, new, self._clock.now())
        except IdentityLacking:
            raise LevelRequired from None
        self._teller.tell(MobileNumber(new.phone), Told.MANDATE_OFFERED)


def _older(found: list[Mandate]) -> Place | None:
    """Return where the next page begins, where one more was found than a page has."""
    return found[mandates.HISTORY - 1].place if len(found) > mandates.HISTORY else None
