"""The login by a code to the phone (LOG-6).

Owns the order: captcha, limits and sending, the code, the account. Where its number may have been handed out again, it
leads to the question of :mod:`bjidp.accounts.login.tails`. Called by the handlers of the login pages. A number that
nobody has is sent a code like any other: whoever has the phone is told that it has no account, and nobody else (attack
R1).

What is known of a login lies in a draft of the browser: which message was sent, which number was proved, how many tries
at a document are left. A right code is a fact of it as soon as it is used, so no later fault costs a second one, and
**two posts at once** come to one session: whoever is let in second ends the session of the first, whose answer the
browser has dropped.

**What a crash leaves.** Between the use of the code and the note of it the code is lost, and another has to be sent.
From that note on the form can be sent again as it is, for as long as the code would have lived. Between a session and
the note of it, that session stays: nobody has its cookie, its owner finds it in 我的设备, and its time ends it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import structlog
from msgspec.structs import replace

from bjidp.accounts.drafts import Draft, Drafts
from bjidp.accounts.identifiers import of_phone
from bjidp.accounts.login import flow as rules
from bjidp.accounts.login.flow import AskTail, NoSuchMember, Proved, SmsLoginFacts
from bjidp.accounts.member_ports import MemberStore
from bjidp.accounts.once import prove_once
from bjidp.accounts.reassigned import may_be_anothers
from bjidp.clock import SECOND, Clock
from bjidp.errors import AccountRefused, BjidpError
from bjidp.standing import Standing
from bjidp.throttle.source import Source
from bjidp.verification.captchas import Captchas
from bjidp.verification.code import Binding, Purpose, by_sms
from bjidp.verification.codes import Codes
from bjidp.verification.dispatch import Dispatches
from bjidp.verification.errors import VerificationCodeExpired
from bjidp.verification.number import MobileNumber
from bjidp.verification.ranges import NumberRange

log = structlog.get_logger(__name__)


class SmsLogin:
    """Logs in by a code."""

    def __init__(
        self,
        *,
        members: MemberStore,
        numbers: NumberRange,
        captchas: Captchas,
        codes: Codes,
        dispatches: Dispatches,
        drafts: Drafts[SmsLoginFacts],
        clock: Clock,
        purpose: Purpose = Purpose.LOGIN,
    ) -> None:
        """Take every dependency; codes serve ``purpose`` alone, which is a login and perhaps more."""
        self._purpose = purpose
        self._members = members
        self._numbers = numbers
        self._captchas = captchas
        self._codes = codes
        self._dispatches = dispatches
        self._drafts = drafts
        self._clock = clock

    async def find(self, holder: str, flow: str) -> Draft[SmsLoginFacts] | None:
        """Return a login of this browser, None when there is none: never begun, over, another's."""
        return await self._drafts.find(holder, flow)

    async def send(
        self,
        holder: str,
        flow: str,
        number: MobileNumber,
        *,
        captcha_id: str,
        captcha: str,
        known_as: Callable[[Standing], str | None],
        source: Source,
    ) -> str:
        """Send a code to ``number`` for a login in the browser ``holder``; return the flow, a new one unless it lived.

        Raises ``InvalidRequest`` for a number that is not served here, which costs no captcha; ``CaptchaWrong``,
        ``SmsHourly``, ``SmsDaily``, ``RateLimited``, ``TooBusy``.
        """
        self._numbers.admit(number)
        await self._captchas.use(holder, captcha_id, captcha)
        member = await self._members.find([of_phone(number.digits)])
        owner = member is not None and known_as(member.standing) is not None
        draft = await self.find(holder, flow) or await self._drafts.begin(holder, SmsLoginFacts())
        sent = await self._dispatches.sms(
            self._binding(holder, number), number, holder=holder, browser=holder, source=source, owner=owner
        )
        again_at = draft.now + sent.wait * SECOND
        await self._drafts.change(holder, draft, lambda facts: replace(facts, dispatch=sent.id, again_at=again_at))
        return draft.id

    async def check(self, holder: str, flow: str, number: MobileNumber, typed: str) -> Proved | AskTail | NoSuchMember:
        """Use the code up, unless the number is proved already; return whose login it is or what is still missing.

        Raises ``VerificationCodeWrong``, ``VerificationCodeExpired``, ``RateLimited``, and ``AccountRefused``.
        """
        draft = await self._prove(holder, flow, number, typed)
        member = await self._members.find([of_phone(number.digits)])
        if member is None:
            return NoSuchMember()
        if member.standing.refusal is not None:
            raise AccountRefused(member.standing.refusal)
        if member.document is not None and may_be_anothers(member.phone_used_at, self._clock.now()):
            account = member.standing.account
            draft = await self._drafts.change(holder, draft, lambda facts: rules.asking_tail(facts, account))
            return AskTail(draft.id)
        return Proved(draft.id, member)

    async def require_unchanged(self, proved: Proved) -> None:
        """Raise ``VerificationCodeExpired`` if the number is not the account's any more.

        Asked after the session was opened, which is then to be ended: so no login by a former number outlives the
        change of it, which ends the sessions that are there after it.
        """
        now = await self._members.member(proved.member.standing.account)
        if now is None or now.phone != proved.member.phone:
            raise VerificationCodeExpired

    async def entered(self, holder: str, proved: Proved, session: str) -> str | None:
        """Note that the login came to ``session``; return the session another post of its form came to before.

        The login is right and over: what cannot be noted is left.
        """
        account, before = proved.member.standing.account, None
        try:
            await self._members.phone_proved(account, self._clock.now())
        except BjidpError as trouble:
            log.warning("phone_proof_not_noted", reason=trouble.code)
        try:
            before = await self._swap(holder, await self._drafts.read(holder, proved.flow), session)
        except BjidpError as trouble:
            log.warning("login_not_noted", reason=trouble.code)
        return before

    async def _prove(self, holder: str, flow: str, number: MobileNumber, typed: str) -> Draft[SmsLoginFacts]:
        draft = await self.find(holder, flow)
        if draft is not None and rules.is_proved(draft, number):
            return draft
        noted = partial(self._noted, holder, flow, number)
        proved = await prove_once(self._codes, self._binding(holder, number), typed, noted)
        if proved is not None:
            return proved
        draft = draft or await self._drafts.begin(holder, SmsLoginFacts())
        now = draft.now
        return await self._drafts.change(holder, draft, lambda facts: rules.proved(facts, number, now))

    async def _noted(self, holder: str, flow: str, number: MobileNumber) -> Draft[SmsLoginFacts] | None:
        draft = await self.find(holder, flow)
        if draft is None:
            raise VerificationCodeExpired
        return draft if rules.is_proved(draft, number) else None

    async def _swap(self, holder: str, draft: Draft[SmsLoginFacts], session: str) -> str | None:
        """Write ``session`` down; return the one that was there before."""
        before: str | None = None

        def swapped(facts: SmsLoginFacts) -> SmsLoginFacts:
            nonlocal before
            before = facts.session
            return replace(facts, session=session)

        await self._drafts.change(holder, draft, swapped)
        return before

    def _binding(self, holder: str, number: MobileNumber) -> Binding:
        return Binding(self._purpose, by_sms(number), holder)
