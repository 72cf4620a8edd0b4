"""What follows a decision of staff: sessions that open nothing any more are deleted, and people are told (RNV-8).

Owns that nothing of it is lost. Staff decide at a command line, which knows no vendor; the store keeps what has to
follow with the decision, and every server asks for it. Whoever dies between two steps, or meets a vendor that does not
answer, leaves the outcome to be taken on again some minutes later: a message may come twice, and none is missed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import structlog
from msgspec.structs import replace

from bjidp.accounts.endings import Endings
from bjidp.accounts.follow_ups import FollowUps
from bjidp.accounts.telling import Teller, Told
from bjidp.appeals.appeal import TELL_FOR, State
from bjidp.appeals.ports import AppealStore, Outcome
from bjidp.clock import Clock
from bjidp.proofing.ports import PutOut
from bjidp.sessions.ports import SessionEnd
from bjidp.verification.number import MobileNumber

TELLS: Final = {State.GRANTED: Told.APPEAL_GRANTED, State.REFUSED: Told.APPEAL_REFUSED}

log = structlog.get_logger(__name__)


class Outcomes(FollowUps[Outcome]):
    """Follows decisions up."""

    kind = "appeal"

    def __init__(self, *, appeals: AppealStore, endings: Endings, teller: Teller, clock: Clock) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._appeals = appeals
        self._endings = endings
        self._teller = teller
        self._clock = clock

    async def _due(self, limit: int) -> Sequence[Outcome]:
        return await self._appeals.outcomes(self._clock.now(), limit)

    def _reference(self, one: Outcome) -> str:
        return one.appeal

    async def _follow(self, one: Outcome) -> None:
        """End and tell, the loser first: that is who has to know."""
        if self._clock.now() - one.decided_at >= TELL_FOR:
            log.error("outcome_given_up", appeal=one.appeal)
            await self._appeals.followed(one.appeal)
            return
        told = [await self._told_loser(one, one.loser), await self._told_claimant(one, one.claimant)]
        if all(told):
            await self._appeals.followed(one.appeal)

    async def _told_loser(self, outcome: Outcome, loser: PutOut | None) -> bool:
        if loser is None:
            return True
        await self._endings.end_after(
            loser.account, None, SessionEnd.IDENTITY_LOST, loser.ref, replace(loser.gone, agents=())
        )
        return await self._told(outcome, loser, Told.IDENTITY_LOST, loser=True)

    async def _told_claimant(self, outcome: Outcome, claimant: PutOut | None) -> bool:
        if claimant is None:
            return True
        if outcome.exchanged:
            reason = SessionEnd.IDENTITY_EXCHANGED
            await self._endings.end_after(
                claimant.account, None, reason, claimant.ref, replace(claimant.gone, agents=())
            )
        return await self._told(outcome, claimant, TELLS[outcome.state], loser=False)

    async def _told(self, outcome: Outcome, who: PutOut, what: Told, *, loser: bool) -> bool:
        # Where there is nobody to tell, or nobody to send it, the notice is there.
        nobody = who.phone is None or not self._teller.sends
        told = nobody or (who.phone is not None and await self._teller.reached(MobileNumber(who.phone), what))
        if told:
            await self._appeals.told(outcome.appeal, self._clock.now(), loser=loser)
            # Once: until then it is tried again.
            await self._endings.tell_agents(who.gone)
        return told
