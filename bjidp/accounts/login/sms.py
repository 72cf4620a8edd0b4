"""The login by a code to the phone (LOG-6).

Owns the order: limits and sending, the code, the account, and the last question for a number that may have been handed
out again. Called by the handlers of the login pages, which have checked a captcha before a code is asked for. A number
that nobody has is sent a code like any other: whoever has the phone is told that it has no account, and nobody else
(attack R1).

What is known of a login lies in a draft of the browser: which message was sent, which number was proved, how many tries
at a document are left. A right code is a fact of it as soon as it is used, so no later fault costs a second one, and
**two posts at once** come to one session: whoever is let in second ends the session of the first, whose answer the
browser has dropped.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import structlog
from msgspec import Struct
from msgspec.structs import replace

from bjidp.accounts.drafts import Draft, Drafts, DraftUnknown
from bjidp.accounts.errors import TailSpent
from bjidp.accounts.identifiers import of_phone
from bjidp.accounts.ports import Member, MemberStore
from bjidp.accounts.reassigned import may_be_anothers
from bjidp.clock import DAY, MINUTE, SECOND, Clock, Instant
from bjidp.errors import AccountRefused, BjidpError
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.throttle.ports import Throttle, Window
from bjidp.throttle.source import Source
from bjidp.verification.code import LIFETIME, Binding, Purpose, by_sms
from bjidp.verification.codes import Codes
from bjidp.verification.dispatch import Dispatches
from bjidp.verification.errors import VerificationCodeExpired
from bjidp.verification.number import MobileNumber
from bjidp.verification.typed import plain

TAIL: Final = 4
TAIL_TRIES: Final = 5

_FULL_WIDTH_X: Final = str.maketrans("Ｘｘ", "XX")


_LOOKS: Final = 5
_PAUSE: Final = 0.1
"""Seconds between looks for what another post of the same form has proved: it has used the code a moment ago."""

Sleep: TypeAlias = Callable[[float], Awaitable[None]]

log = structlog.get_logger(__name__)


class SmsLoginFacts(Struct, frozen=True, kw_only=True):
    """What is known of a login that is not over."""

    dispatch: str = ""
    """The message with the code, by which the page asks what became of it."""
    again_at: Instant = 0
    """When the next one may be asked for."""
    proved: str | None = None
    """The number whose code was right: eleven digits."""
    proved_at: Instant = 0
    """When. It counts as long as the code would have lived: nobody finds an open door at a browser left alone."""
    account: str | None = None
    """Whose document is asked for."""
    tries_left: int = TAIL_TRIES
    """At its last characters."""
    session: str | None = None
    """The public id of the session that this login came to."""

    def __repr__(self) -> str:
        """Show how far it is alone: the rest is personal."""
        return f"SmsLoginFacts(proved={self.proved is not None})"


class TailWindows(Struct, frozen=True, kw_only=True):
    """How often the last characters of a document may be tried."""

    account: Window = Window(10, DAY)
    source: Window = Window(60, 15 * MINUTE)


class Proved(Struct, frozen=True):
    """Whose login it is, in which flow."""

    flow: str
    member: Member


class NoSuchMember(Struct, frozen=True):
    """The number was proved, and no account has it."""


class AskTail(Struct, frozen=True):
    """The number was proved; the last characters of the account's document are asked for, in this flow."""

    flow: str


class SmsLogin:
    """Logs in by a code."""

    def __init__(
        self,
        *,
        members: MemberStore,
        codes: Codes,
        dispatches: Dispatches,
        drafts: Drafts[SmsLoginFacts],
        throttle: Throttle,
        pseudonyms: Pseudonyms,
        clock: Clock,
        windows: TailWindows,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """Take every dependency."""
        self._sleep = sleep
        self._members = members
        self._codes = codes
        self._dispatches = dispatches
        self._drafts = drafts
        self._throttle = throttle
        self._pseudonyms = pseudonyms
        self._clock = clock
        self._windows = windows

    async def find(self, holder: str, flow: str) -> Draft[SmsLoginFacts] | None:
        """Return a login of this browser, None when there is none: never begun, over, another's."""
        try:
            return await self._drafts.read(holder, flow)
        except DraftUnknown:
            return None

    async def send(
        self, holder: str, flow: str, number: MobileNumber, *, known_as: Callable[[str], str | None], source: Source
    ) -> str:
        """Send a code to ``number`` for a login in the browser ``holder``; return the flow, a new one unless it lived.

        Raises ``SmsHourly``, ``SmsDaily``, ``RateLimited``, ``TooBusy``.
        """
        member = await self._members.find([of_phone(number.digits)])
        owner = member is not None and known_as(member.standing.account) is not None
        draft = await self._opened(holder, flow)
        sent = await self._dispatches.sms(
            _binding(holder, number), number, holder=holder, browser=holder, source=source, owner=owner
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
            # The tries at one document are those of the whole login, however often its form is posted.
            draft = await self._drafts.change(
                holder, draft, lambda facts: facts if facts.account == account else replace(facts, account=account)
            )
            return AskTail(draft.id)
        return Proved(draft.id, member)

    async def asked(self, holder: str, flow: str) -> str:
        """Return the number of the login that waits for the last characters; raise :class:`DraftUnknown`."""
        return _waiting((await self._drafts.read(holder, flow)).facts)[1]

    async def check_tail(self, holder: str, flow: str, typed: str, source: Source) -> Proved | int:
        """Return whose login it is if ``typed`` are the last characters of the document, else how many tries are left.

        A try is counted before it is compared, and given back if it was right: a fault after it costs none. Raises
        :class:`DraftUnknown` when the flow is over, :class:`TailSpent` when no try is left, ``RateLimited``.
        """
        draft = await self._drafts.read(holder, flow)
        account, number = _waiting(draft.facts)
        await source.hit(self._throttle, "login.tail.source", self._windows.source)
        await self._throttle.hit(self._pseudonyms.key("login.tail", account), self._windows.account)
        draft = await self._drafts.change(holder, draft, _one_try_less)
        member = await self._members.member(account)
        # Number or document may have moved since the code was used.
        if member is None or member.phone != number or member.document is None:
            raise DraftUnknown
        if not _is_tail(member.document.number, typed):
            left = draft.facts.tries_left
            if left < 1:
                await self._drafts.close(holder, flow)
                raise TailSpent
            return left
        await self._drafts.change(holder, draft, lambda facts: replace(facts, tries_left=facts.tries_left + 1))
        if member.standing.refusal is not None:
            raise AccountRefused(member.standing.refusal)
        return Proved(flow, member)

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
        if draft is not None and _is_proved(draft, number):
            return draft
        try:
            await self._codes.use(_binding(holder, number), typed)
        except VerificationCodeExpired:
            proved = None if draft is None else await self._proved_meanwhile(holder, flow, number)
            if proved is None:
                raise
            return proved
        draft = draft or await self._opened(holder, flow)
        fresh = SmsLoginFacts(proved=number.digits, proved_at=draft.now)
        return await self._drafts.change(
            holder, draft, lambda facts: replace(fresh, dispatch=facts.dispatch, again_at=facts.again_at)
        )

    async def _proved_meanwhile(self, holder: str, flow: str, number: MobileNumber) -> Draft[SmsLoginFacts] | None:
        """Return the draft if the same form was sent twice: the first has used the code, and is about to note it."""
        for look in range(_LOOKS):
            if look:
                await self._sleep(_PAUSE)
            draft = await self.find(holder, flow)
            if draft is None or _is_proved(draft, number):
                return draft
        return None

    async def _opened(self, holder: str, flow: str) -> Draft[SmsLoginFacts]:
        held = await self.find(holder, flow)
        if held is not None:
            return held
        return await self._drafts.read(holder, await self._drafts.open(holder, SmsLoginFacts()))

    async def _swap(self, holder: str, draft: Draft[SmsLoginFacts], session: str) -> str | None:
        """Write ``session`` down; return the one that was there before."""
        before: str | None = None

        def swapped(facts: SmsLoginFacts) -> SmsLoginFacts:
            nonlocal before
            before = facts.session
            return replace(facts, session=session)

        await self._drafts.change(holder, draft, swapped)
        return before


def _is_proved(draft: Draft[SmsLoginFacts], number: MobileNumber) -> bool:
    return draft.facts.proved == number.digits and draft.now - draft.facts.proved_at < LIFETIME


def _waiting(facts: SmsLoginFacts) -> tuple[str, str]:
    """Return whose document is asked for, and the number that was proved."""
    if facts.account is None or facts.proved is None:
        raise DraftUnknown
    return facts.account, facts.proved


def _one_try_less(facts: SmsLoginFacts) -> SmsLoginFacts:
    if facts.tries_left < 1:
        raise TailSpent
    return replace(facts, tries_left=facts.tries_left - 1)


def _binding(holder: str, number: MobileNumber) -> Binding:
    return Binding(Purpose.LOGIN, by_sms(number), holder)


def _is_tail(number: str, typed: str) -> bool:
    own = number[-TAIL:].upper().encode()
    return hmac.compare_digest(own, plain(typed).translate(_FULL_WIDTH_X).upper().encode("utf-8", "surrogatepass"))
