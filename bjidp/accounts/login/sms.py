"""The login by a code to the phone (LOG-6).

Owns the order: limits and sending, the code, the account, and the last question for a number that may have been handed
out again. Called by the handlers of the login pages, which have checked a captcha before a code is asked for. A number
that nobody has is sent a code like any other: whoever has the phone is told that it has no account, and nobody else
(attack R1).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from bjidp.accounts.drafts import Draft, Drafts, DraftUnknown
from bjidp.accounts.identifiers import of_phone
from bjidp.accounts.ports import Member, MemberStore
from bjidp.accounts.reassigned import may_be_anothers
from bjidp.clock import DAY, MINUTE, Clock
from bjidp.errors import AccountRefused
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.throttle.ports import Throttle, Window
from bjidp.throttle.source import Source
from bjidp.verification.code import Binding, Purpose, by_sms
from bjidp.verification.codes import Codes
from bjidp.verification.dispatch import Dispatches, Sent
from bjidp.verification.number import MobileNumber
from bjidp.verification.typed import plain

TAIL: Final = 4
TAIL_TRIES: Final = 5

_FULL_WIDTH_X: Final = str.maketrans("Ｘｘ", "XX")


class SmsLoginFacts(Struct, frozen=True):
    """What is known of a login that is not over with its code: whose account it is, and how many tries are left."""

    account: str
    number: str
    tries_left: int = TAIL_TRIES


class TailWindows(Struct, frozen=True, kw_only=True):
    """How often the last characters of a document may be tried."""

    account: Window = Window(10, DAY)
    source: Window = Window(60, 15 * MINUTE)


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
    ) -> None:
        """Take every dependency."""
        self._members = members
        self._codes = codes
        self._dispatches = dispatches
        self._drafts = drafts
        self._throttle = throttle
        self._pseudonyms = pseudonyms
        self._clock = clock
        self._windows = windows

    async def send(
        self, holder: str, number: MobileNumber, *, known_as: Callable[[str], str | None], source: Source
    ) -> Sent:
        """Send a code to ``number`` for a login in the browser ``holder``.

        Raises ``SmsHourly``, ``SmsDaily``, ``RateLimited``, ``TooBusy``.
        """
        member = await self._members.find([of_phone(number.digits)])
        owner = member is not None and known_as(member.standing.account) is not None
        return await self._dispatches.sms(
            _binding(holder, number), number, holder=holder, browser=holder, source=source, owner=owner
        )

    async def check(self, holder: str, number: MobileNumber, typed: str) -> Member | AskTail | NoSuchMember:
        """Use the code up, and return whose login it is or what is still missing.

        Raises ``VerificationCodeWrong``, ``VerificationCodeExpired``, ``RateLimited``, and ``AccountRefused``.
        """
        await self._codes.use(_binding(holder, number), typed)
        member = await self._members.find([of_phone(number.digits)])
        if member is None:
            return NoSuchMember()
        if member.standing.refusal is not None:
            raise AccountRefused(member.standing.refusal)
        if member.document is not None and may_be_anothers(member.phone_used_at, self._clock.now()):
            facts = SmsLoginFacts(member.standing.account, number.digits)
            return AskTail(await self._drafts.open(holder, facts))
        return await self._proved(member)

    async def asked(self, holder: str, flow: str) -> Draft[SmsLoginFacts]:
        """Return the login that waits for the last characters; raise :class:`DraftUnknown`."""
        return await self._drafts.read(holder, flow)

    async def check_tail(self, holder: str, flow: str, typed: str, source: Source) -> Member | int:
        """Return the account if ``typed`` are the last characters of its document, else how many tries are left.

        A try is counted before it is compared. Raises :class:`DraftUnknown` when none is left or the flow is over,
        ``StaleRecord`` when the same flow was posted twice at once, ``RateLimited``.
        """
        draft = await self._drafts.read(holder, flow)
        if draft.facts.tries_left < 1:
            raise DraftUnknown
        await source.hit(self._throttle, "login.tail.source", self._windows.source)
        await self._throttle.hit(self._pseudonyms.key("login.tail", draft.facts.account), self._windows.account)
        left = draft.facts.tries_left - 1
        await self._drafts.write(holder, draft, replace(draft.facts, tries_left=left))
        member = await self._members.member(draft.facts.account)
        # Number or document may have moved since the code was used.
        if member is None or member.phone != draft.facts.number or member.document is None:
            raise DraftUnknown
        if not _is_tail(member.document.number, typed):
            if left < 1:
                await self._drafts.close(holder, flow)
                raise DraftUnknown
            return left
        if await self._drafts.close(holder, flow) is None:
            raise DraftUnknown
        if member.standing.refusal is not None:
            raise AccountRefused(member.standing.refusal)
        return await self._proved(member)

    async def _proved(self, member: Member) -> Member:
        await self._members.phone_proved(member.standing.account, self._clock.now())
        return member


def _binding(holder: str, number: MobileNumber) -> Binding:
    return Binding(Purpose.LOGIN, by_sms(number), holder)


def _is_tail(number: str, typed: str) -> bool:
    own = number[-TAIL:].upper().encode()
    return hmac.compare_digest(own, plain(typed).translate(_FULL_WIDTH_X).upper().encode("utf-8", "surrogatepass"))
