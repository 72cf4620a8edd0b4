"""修改手机号 (ACC-3).

Owns who may know what about a number. Whether it is another account's is told only once a code has proved that whoever
asks holds it (REG-2). The number it takes the place of is told by SMS, and every other browser's session ends with it
(attack R4), in the transaction that writes it: where another account takes the number in the very moment between the
last look and the write, nobody is logged out for nothing. A first number takes the place of none, and nobody is logged
out for it either. Phones stay logged in to 京通: they are the other way to
prove who one is.

**What a crash leaves** beside what :mod:`bjidp.accounts.settings.changes` says: between the write and the message to
the former number that message is lost; the notice in the centre was queued in the transaction of the change. Sessions
that have ended are in no list and open nothing, but their sockets are told only by whoever ends what is left of them.
"""

from __future__ import annotations

from bjidp.accounts import fields
from bjidp.accounts.endings import Endings
from bjidp.accounts.errors import PhoneTaken
from bjidp.accounts.identifiers import of_phone
from bjidp.accounts.member_ports import IdentifierTaken, MemberStore
from bjidp.accounts.settings import flow as rules
from bjidp.accounts.settings.addresses import NewAddresses
from bjidp.accounts.settings.changes import Changes
from bjidp.accounts.settings.flow import Typed
from bjidp.accounts.telling import Teller, Told
from bjidp.accounts.verifying import Verifying, Visit
from bjidp.clock import Clock
from bjidp.errors import FieldFault, InvalidRequest
from bjidp.sessions.ports import SessionEnd
from bjidp.verification.code import Binding, Purpose, by_sms
from bjidp.verification.number import MobileNumber
from bjidp.verification.proofs import Operation
from bjidp.verification.ranges import NumberRange


class Phones:
    """Changes phone numbers. A store that is down raises ``StoreUnavailable``."""

    def __init__(
        self,
        *,
        changes: Changes,
        addresses: NewAddresses,
        verifying: Verifying,
        members: MemberStore,
        numbers: NumberRange,
        endings: Endings,
        teller: Teller,
        clock: Clock,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._changes = changes
        self._addresses = addresses
        self._verifying = verifying
        self._members = members
        self._numbers = numbers
        self._endings = endings
        self._teller = teller
        self._clock = clock

    async def send_code(self, visit: Visit, flow: str | None, typed: Typed) -> str:
        """Send a code to the new number; return the change's id.

        Raises ``InvalidRequest`` with what is wrong with number and captcha, ``CaptchaWrong``,
        :class:`bjidp.accounts.settings.changes.NotDue`, and what
        :meth:`bjidp.verification.dispatch.Dispatches.sms` raises.
        """
        number = await self._number(visit, typed, fields.captcha_faults(typed.captcha))
        draft = await self._changes.due(visit, Operation.PHONE, flow)
        return await self._addresses.send_sms(visit, draft, _binding(draft.id, number), number, typed, owner=False)

    async def change(self, visit: Visit, flow: str | None, typed: Typed) -> str:
        """Give the account the number; return the change's id.

        Raises ``InvalidRequest`` with what is wrong with the form, ``VerificationCodeWrong``,
        ``VerificationCodeExpired``, ``RateLimited``, :class:`PhoneTaken` once the number was proved,
        :class:`bjidp.accounts.settings.changes.NotDue` and ``AccountRefused``.
        """
        progress = await self._changes.look(visit, Operation.PHONE, flow)
        proved = None if progress.draft is None else progress.draft.facts.address
        same = proved is not None and typed.number == MobileNumber(proved)
        number = await self._number(visit, typed, [] if same else fields.code_faults(typed.code))
        draft = await self._changes.due(visit, Operation.PHONE, flow)
        draft = await self._addresses.prove(visit, draft, _binding(draft.id, number), typed.code)
        if await self._members.is_held(of_phone(number.digits)):
            # Nothing comes of this number here, so another one is to be typed.
            await self._changes.note(visit, draft, rules.without_address)
            raise PhoneTaken
        await self._changes.save(visit, draft, lambda: self._write(visit, number))
        return draft.id

    async def _number(self, visit: Visit, typed: Typed, others: list[FieldFault]) -> MobileNumber:
        member = await self._verifying.member(visit)
        faults = [*rules.phone_faults(typed, member.phone), *others]
        number = typed.number
        if faults or number is None:
            raise InvalidRequest(*faults)
        self._numbers.admit(number)
        return number

    async def _write(self, visit: Visit, number: MobileNumber) -> None:
        ref, own = (await self._verifying.member(visit)).standing.ref, visit.session.id
        try:
            given = await self._members.set_phone(visit.account, number.digits, self._clock.now(), own)
        except IdentifierTaken:
            raise PhoneTaken from None
        if given.former is None:
            return
        self._teller.tell(MobileNumber(given.former), Told.PHONE_CHANGED)
        await self._endings.end_fenced(visit.account, own, SessionEnd.PHONE_CHANGED, ref)


def _binding(flow: str, number: MobileNumber) -> Binding:
    return Binding(Purpose.BIND_PHONE, by_sms(number), flow)
