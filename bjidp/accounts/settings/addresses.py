"""New numbers and mail addresses: a code that was sent to one proves it, once.

Owns what a code costs that is sent to an address which is not the account's yet, and that a right one becomes a fact of
the change, whatever goes wrong afterwards. Called by ``phones`` and ``mails``, and for the number that a bank knows.
"""

from __future__ import annotations

from bjidp.accounts.drafts import Draft
from bjidp.accounts.once import prove_once
from bjidp.accounts.settings import flow as rules
from bjidp.accounts.settings.changes import Changes, sent_to
from bjidp.accounts.settings.flow import Change, Typed
from bjidp.accounts.verifying import Visit
from bjidp.verification.captchas import Captchas
from bjidp.verification.code import Binding
from bjidp.verification.codes import Codes
from bjidp.verification.dispatch import Dispatches, Sent
from bjidp.verification.mail_address import MailAddress
from bjidp.verification.number import MobileNumber


class NewAddresses:
    """Proves addresses. A store that is down raises ``StoreUnavailable``."""

    def __init__(self, *, changes: Changes, captchas: Captchas, dispatches: Dispatches, codes: Codes) -> None:
        """Note facts in ``changes``."""
        self._changes = changes
        self._captchas = captchas
        self._dispatches = dispatches
        self._codes = codes

    async def send_sms(
        self, visit: Visit, draft: Draft[Change], binding: Binding, number: MobileNumber, typed: Typed, *, owner: bool
    ) -> str:
        """Send the code of ``binding`` to ``number``, at the cost of the captcha; return the change's id.

        ``owner`` is that of :meth:`bjidp.verification.dispatch.Dispatches.sms`. Raises ``CaptchaWrong`` and what that
        raises.
        """
        await self._captchas.use(visit.holder, typed.captcha_id, typed.captcha)
        sent = await self._dispatches.sms(
            binding, number, holder=visit.holder, browser=visit.holder, source=visit.source, owner=owner
        )
        return await self._note(visit, draft, binding, sent)

    async def send_mail(
        self, visit: Visit, draft: Draft[Change], binding: Binding, address: MailAddress, typed: Typed
    ) -> str:
        """Do as :meth:`send_sms` does, by mail."""
        await self._captchas.use(visit.holder, typed.captcha_id, typed.captcha)
        sent = await self._dispatches.mail(
            binding, address, holder=visit.holder, browser=visit.holder, source=visit.source
        )
        return await self._note(visit, draft, binding, sent)

    async def _note(self, visit: Visit, draft: Draft[Change], binding: Binding, sent: Sent) -> str:
        noted = sent_to(binding.address.value, sent, draft)
        return (await self._changes.note(visit, draft, lambda facts: rules.address_asked(facts, noted))).id

    async def prove(self, visit: Visit, draft: Draft[Change], binding: Binding, code: str) -> Draft[Change]:
        """Use up the code to the address of ``binding``, unless it was proved before.

        Raises ``VerificationCodeWrong``, ``VerificationCodeExpired``, ``RateLimited``, and
        :class:`bjidp.accounts.settings.changes.NotDue` when another post of the same form has come first.
        """
        address = binding.address.value
        if draft.facts.address == address:
            return draft

        async def noted() -> Draft[Change] | None:
            again = await self._changes.due(visit, draft.facts.operation, draft.id)
            return again if again.facts.address == address else None

        proved = await prove_once(self._codes, binding, code, noted)
        if proved is not None:
            return proved
        return await self._changes.note(visit, draft, lambda facts: rules.address_proved(facts, address))
