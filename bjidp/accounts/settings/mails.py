"""绑定邮箱 (ACC-4).

Owns what a mail address needs to become the account's. It is no way to log in or to recover, so it belongs to nobody
alone and no session ends with it.
"""

from __future__ import annotations

from bjidp.accounts import fields
from bjidp.accounts.member_ports import MemberStore
from bjidp.accounts.settings import flow as rules
from bjidp.accounts.settings.addresses import NewAddresses
from bjidp.accounts.settings.changes import Changes
from bjidp.accounts.settings.flow import Typed
from bjidp.accounts.verifying import Verifying, Visit
from bjidp.clock import Clock
from bjidp.errors import FieldFault, InvalidRequest
from bjidp.verification.code import Binding, Purpose, by_mail
from bjidp.verification.mail_address import MailAddress
from bjidp.verification.proofs import Operation
from bjidp.verification.ranges import MailRange


class Mails:
    """Changes mail addresses. A store that is down raises ``StoreUnavailable``."""

    def __init__(
        self,
        *,
        changes: Changes,
        addresses: NewAddresses,
        verifying: Verifying,
        members: MemberStore,
        served: MailRange,
        clock: Clock,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._changes = changes
        self._addresses = addresses
        self._verifying = verifying
        self._members = members
        self._served = served
        self._clock = clock

    async def send_code(self, visit: Visit, flow: str | None, typed: Typed) -> str:
        """Send a code to the new address; return the change's id.

        Raises ``InvalidRequest`` with what is wrong with address and captcha, ``CaptchaWrong``,
        :class:`bjidp.accounts.settings.changes.NotDue`, and what
        :meth:`bjidp.verification.dispatch.Dispatches.mail` raises.
        """
        address = await self._address(visit, typed, fields.captcha_faults(typed.captcha))
        draft = await self._changes.due(visit, Operation.MAIL, flow)
        return await self._addresses.send_mail(visit, draft, _binding(draft.id, address), address, typed)

    async def change(self, visit: Visit, flow: str | None, typed: Typed) -> str:
        """Give the account the address; return the change's id.

        Raises ``InvalidRequest`` with what is wrong with the form, ``VerificationCodeWrong``,
        ``VerificationCodeExpired``, ``RateLimited``, :class:`bjidp.accounts.settings.changes.NotDue` and
        ``AccountRefused``.
        """
        progress = await self._changes.look(visit, Operation.MAIL, flow)
        proved = None if progress.draft is None else progress.draft.facts.address
        same = proved is not None and typed.address == MailAddress(proved)
        address = await self._address(visit, typed, [] if same else fields.code_faults(typed.code))
        draft = await self._changes.due(visit, Operation.MAIL, flow)
        draft = await self._addresses.prove(visit, draft, _binding(draft.id, address), typed.code)
        await self._changes.save(visit, draft, lambda: self._write(visit, address))
        return draft.id

    async def _address(self, visit: Visit, typed: Typed, others: list[FieldFault]) -> MailAddress:
        member = await self._verifying.member(visit)
        faults = [*rules.mail_faults(typed, member.mail), *others]
        address = typed.address
        if faults or address is None:
            raise InvalidRequest(*faults)
        self._served.admit(address)
        return address

    async def _write(self, visit: Visit, address: MailAddress) -> None:
        await self._members.set_mail(visit.account, address.text, self._clock.now())


def _binding(flow: str, address: MailAddress) -> Binding:
    return Binding(Purpose.BIND_MAIL, by_mail(address), flow)
