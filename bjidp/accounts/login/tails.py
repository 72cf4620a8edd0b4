"""How the account's document ends: asked after a right code whose number may be somebody else's by now (LOG-6).

Owns how often that is guessed: in one login, at one account and from one address (attacks O1, O4). Called by the
handlers of the page that asks it.
"""

from __future__ import annotations

from msgspec import Struct

from bjidp.accounts.drafts import Drafts, DraftUnknown
from bjidp.accounts.errors import TailSpent
from bjidp.accounts.login import flow as rules
from bjidp.accounts.login.flow import Proved, SmsLoginFacts
from bjidp.accounts.member_ports import MemberStore
from bjidp.clock import DAY, MINUTE
from bjidp.errors import AccountRefused
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.throttle.ports import Throttle, Window
from bjidp.throttle.source import Source


class TailWindows(Struct, frozen=True, kw_only=True):
    """How often the last characters of a document may be tried."""

    account: Window = Window(10, DAY)
    source: Window = Window(60, 15 * MINUTE)


class DocumentTails:
    """Asks how a document ends."""

    def __init__(
        self,
        *,
        members: MemberStore,
        drafts: Drafts[SmsLoginFacts],
        throttle: Throttle,
        pseudonyms: Pseudonyms,
        windows: TailWindows,
    ) -> None:
        """Take every dependency; ``drafts`` are those of :class:`bjidp.accounts.login.sms.SmsLogin`."""
        self._members = members
        self._drafts = drafts
        self._throttle = throttle
        self._pseudonyms = pseudonyms
        self._windows = windows

    async def asked(self, holder: str, flow: str) -> str:
        """Return the number of the login that waits for the last characters; raise :class:`DraftUnknown`."""
        return rules.waiting((await self._drafts.read(holder, flow)).facts)[1]

    async def check(self, holder: str, flow: str, typed: str, source: Source) -> Proved | int:
        """Return whose login it is if ``typed`` are the last characters of the document, else how many tries are left.

        A try is counted before it is compared, and given back if it was right: a fault after it costs none. Raises
        :class:`DraftUnknown` when the flow is over, :class:`TailSpent` when no try is left, ``RateLimited``, and
        ``AccountRefused``.
        """
        draft = await self._drafts.read(holder, flow)
        account, number = rules.waiting(draft.facts)
        await source.hit(self._throttle, "login.tail.source", self._windows.source)
        await self._throttle.hit(self._pseudonyms.key("login.tail", account), self._windows.account)
        draft = await self._drafts.change(holder, draft, rules.one_try_less)
        member = await self._members.member(account)
        # Number or document may have moved since the code was used.
        if member is None or member.phone != number or member.document is None:
            raise DraftUnknown
        if not rules.is_tail(member.document.number, typed):
            left = draft.facts.tries_left
            if left < 1:
                await self._drafts.close(holder, flow)
                raise TailSpent
            return left
        await self._drafts.change(holder, draft, rules.one_try_more)
        if member.standing.refusal is not None:
            raise AccountRefused(member.standing.refusal)
        return Proved(flow, member)
