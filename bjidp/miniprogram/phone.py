"""绑定手机号: an account gets the number that a platform's phone button tells (LOG-7, wire.md 3).

Owns the order of checks and what follows from a number. The platform has verified that its user has the number; here
it has to be this very login's user, now, and a number that this deployment serves. A number that another account holds
is told to whoever has proved it; where that account has no identity it may be merged, but not by what a button gives
that is the same at each press: it proves that somebody had the number once, and so takes it from nobody. A number that
was replaced is told by SMS, and browsers that are logged in to the account are logged out, as on the page that changes
it (attack R4); for a first number, nobody is.

**Crashes.** The number is given in one transaction, and the payload is used up before it: after a crash the person
presses the button once more, and finds the number given or gets it. Between the two only the message to the former
number may be lost; its notice is queued in the transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from bjidp.accounts.endings import Endings
from bjidp.accounts.errors import PhoneTaken
from bjidp.accounts.identifiers import of_phone
from bjidp.accounts.masks import mask_phone
from bjidp.accounts.member_ports import IdentifierTaken, MemberStore, NumberGiven
from bjidp.accounts.ports import AccountStore
from bjidp.accounts.telling import Teller, Told
from bjidp.clock import Clock
from bjidp.errors import FieldFault, InvalidRequest, StoreUnavailable, TokenInvalid, VendorUnavailable
from bjidp.miniprogram.phone_payload import Replayed
from bjidp.miniprogram.phone_payloads import PhonePayloads, Turn
from bjidp.miniprogram.platform_logins import PlatformLogins
from bjidp.miniprogram.sessions import Caller
from bjidp.miniprogram.wire import PhoneBound, PhoneRequest
from bjidp.platforms import Platform
from bjidp.sessions.ports import SessionEnd
from bjidp.standing import require_settled
from bjidp.vendors.ports.platforms import (
    PhoneAnswer,
    PhoneCode,
    PhoneGiven,
    PhoneNumbers,
    PhoneRefusal,
    PlatformLogin,
    SealedPhone,
    SignedPhone,
    VerifiedPhone,
)
from bjidp.verification.number import MobileNumber, mobile_number
from bjidp.verification.ranges import NumberRange

REFUSED: Final = "refused"
"""The one fault of whatever is no payload of this login and moment: to be given by a new login and a new press."""

NO_NUMBER: Final = "no_number"
NOT_MAINLAND: Final = "not_mainland"

_MEMBERS: Final[Mapping[type[PhoneGiven], tuple[str, ...]]] = {
    PhoneCode: ("code",),
    SealedPhone: ("data", "iv"),
    SignedPhone: ("response", "sign"),
}
"""The members of the body that each form of payload is made of; faults of the whole are told at the first."""

_ATTEMPTS: Final = 8


class PhoneBinding:
    """Binds numbers."""

    def __init__(
        self,
        *,
        buttons: Mapping[Platform, PhoneNumbers],
        logins: PlatformLogins,
        payloads: PhonePayloads,
        accounts: AccountStore,
        members: MemberStore,
        endings: Endings,
        teller: Teller,
        numbers: NumberRange,
        clock: Clock,
    ) -> None:
        """Take everything it asks; ``numbers`` says whose numbers are served here."""
        self._buttons = buttons
        self._logins = logins
        self._payloads = payloads
        self._accounts = accounts
        self._members = members
        self._endings = endings
        self._teller = teller
        self._numbers = numbers
        self._clock = clock

    @property
    def platforms(self) -> frozenset[Platform]:
        """The platforms whose phone button is set up."""
        return frozenset(self._buttons)

    async def bind(self, caller: Caller, platform: Platform, body: PhoneRequest) -> PhoneBound:
        """Give the caller's account the number behind what the button of one of :attr:`platforms` gave.

        Raises ``InvalidRequest``, ``AccountRefused``, ``PhoneTaken``, ``VendorUnavailable``, ``StoreUnavailable``.
        """
        if caller.platform is not platform:
            raise InvalidRequest(FieldFault("platform", "other"))
        button = self._buttons[platform]
        given = payload_of(body, button.forms)
        require_settled(await self._accounts.link(caller.link), self._clock.now())
        login = await self._logins.of_session(caller.session.id)
        if login is None:
            raise _fault(given, REFUSED)
        try:
            turn = await self._payloads.present(caller, given, distinct=button.distinct)
            number = turn.number or await self._verified(button, login, given, turn)
        except Replayed:
            raise _fault(given, REFUSED) from None
        try:
            await self._give(caller.account, number, merge=body.merge, distinct=button.distinct)
        except (PhoneTaken, StoreUnavailable):
            await turn.offered()
            raise
        await turn.spent()
        return PhoneBound(mask_phone(number.digits))

    async def _verified(
        self, button: PhoneNumbers, login: PlatformLogin, given: PhoneGiven, turn: Turn
    ) -> MobileNumber:
        """Ask the platform; raise ``InvalidRequest`` for whatever is no number that can be bound here."""
        try:
            answer = await button.number(login, given)
            number = self._served(given, answer)
        except (VendorUnavailable, InvalidRequest):
            await turn.withdrawn()
            raise
        if number is None:
            if not button.distinct:
                # Or somebody could keep others from theirs by presenting it badly, since every press gives the same.
                await turn.withdrawn()
            raise _fault(given, REFUSED)
        await turn.verified(number)
        return number

    def _served(self, given: PhoneGiven, answer: PhoneAnswer) -> MobileNumber | None:
        """Return the number, None where nothing proves one; raise ``InvalidRequest`` for one that is not served."""
        match answer:
            case PhoneRefusal.UNPROVED:
                return None
            case PhoneRefusal.ABSENT:
                raise _fault(given, NO_NUMBER)
            case PhoneRefusal.FOREIGN:
                raise _fault(given, NOT_MAINLAND)
            case VerifiedPhone(number=text):
                number = mobile_number(text)
                if number is None:
                    raise _fault(given, NOT_MAINLAND)
                self._numbers.admit(number, _field(given))
                return number

    async def _give(self, account: str, number: MobileNumber, *, merge: bool, distinct: bool) -> None:
        ref, given = await self._given(account, number, merge=merge and distinct, offer=distinct and not merge)
        if given.ended is not None:
            await self._endings.end_ended(given.ended)
            self._teller.tell(number, Told.ACCOUNT_MERGED)
        if given.former is not None:
            await self._endings.end_fenced(account, None, SessionEnd.PHONE_CHANGED, ref)
            self._teller.tell(MobileNumber(given.former), Told.PHONE_CHANGED)

    async def _given(self, account: str, number: MobileNumber, *, merge: bool, offer: bool) -> tuple[str, NumberGiven]:
        """Give the number in one transaction; raise ``PhoneTaken`` when another account has to keep it.

        Returns the account's reference with what the store says. ``offer`` tells whether a merge may be offered then.
        """
        for _ in range(_ATTEMPTS):
            member = await self._members.member(account)
            if member is None:
                raise TokenInvalid
            ref, now = member.standing.ref, self._clock.now()
            try:
                if merge:
                    return ref, await self._members.merge_phone(account, number.digits, now)
                return ref, await self._members.set_phone(account, number.digits, now)
            except IdentifierTaken:
                holder = await self._members.find([of_phone(number.digits)])
                if holder is None:
                    continue  # given up meanwhile
                offered = offer and holder.document is None and holder.standing.refusal is None
                raise PhoneTaken(merge=offered) from None
        raise StoreUnavailable(1)


def payload_of(body: PhoneRequest, forms: Sequence[type[PhoneGiven]]) -> PhoneGiven:
    """Return the payload in ``body``, in one of ``forms``; raise ``InvalidRequest`` with each member at fault."""
    values = {
        name: value for names in _MEMBERS.values() for name in names if (value := getattr(body, name)) is not None
    }
    chosen = next((form for form in forms if not values.keys().isdisjoint(_MEMBERS[form])), forms[0])
    wanted = _MEMBERS[chosen]
    faults = [FieldFault(name, "missing") for name in wanted if name not in values]
    faults += [FieldFault(name, "unknown") for name in values if name not in wanted]
    if faults:
        raise InvalidRequest(*faults)
    return chosen(**values)


def _field(given: PhoneGiven) -> str:
    return _MEMBERS[type(given)][0]


def _fault(given: PhoneGiven, code: str) -> InvalidRequest:
    return InvalidRequest(FieldFault(_field(given), code))
