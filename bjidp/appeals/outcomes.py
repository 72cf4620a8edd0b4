"""What follows a decision of staff: sessions that open nothing any more are deleted, and people are told (RNV-8).

Owns that nothing of it is lost. Staff decide at a command line, which knows no vendor; the store keeps what has to
follow with the decision, and every server asks for it. Whoever dies between two steps, or meets a vendor that does not
answer, leaves the outcome to be taken on again some minutes later: a message may come twice, and none is missed.
"""

from __future__ import annotations

import asyncio
from typing import Final

import structlog
from msgspec.structs import replace

from bjidp.accounts.endings import Endings
from bjidp.accounts.telling import Teller, Told
from bjidp.appeals.appeal import TELL_FOR, State
from bjidp.appeals.ports import AppealStore, Outcome
from bjidp.clock import Clock
from bjidp.errors import StoreUnavailable
from bjidp.proofing.ports import PutOut
from bjidp.sessions.ports import SessionEnd
from bjidp.unexpected import outline
from bjidp.verification.number import MobileNumber

PAUSE: Final = 5.0
"""Seconds between two looks."""

AT_ONCE: Final = 20
"""Outcomes taken on at a time: as many as are told within the minutes that one has for it."""

TELLS: Final = {State.GRANTED: Told.APPEAL_GRANTED, State.REFUSED: Told.APPEAL_REFUSED}

log = structlog.get_logger(__name__)


class Outcomes:
    """Follows decisions up."""

    def __init__(self, *, appeals: AppealStore, endings: Endings, teller: Teller, clock: Clock) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._appeals = appeals
        self._endings = endings
        self._teller = teller
        self._clock = clock

    async def run(self) -> None:
        """Look now and after every pause, until cancelled."""
        while True:
            await self.once()
            await asyncio.sleep(PAUSE)

    async def once(self) -> None:
        """Follow up what was decided. What fails keeps nothing else from it, and is tried again."""
        try:
            found = await self._appeals.outcomes(self._clock.now(), AT_ONCE)
        except StoreUnavailable:
            log.warning("outcomes_put_off")
            return
        for outcome in found:
            try:
                await self._follow(outcome)
            except StoreUnavailable:
                log.warning("outcome_put_off", appeal=outcome.appeal)
            except Exception as error:  # noqa: BLE001 - one fault must not end all telling for the process's life
                log.error("outcome_failed", appeal=outcome.appeal, **outline(error))  # noqa: TRY400 - without its text

    async def _follow(self, outcome: Outcome) -> None:
        """End and tell, the loser first: that is who has to know."""
        if self._clock.now() - outcome.decided_at >= TELL_FOR:
            log.error("outcome_given_up", appeal=outcome.appeal)
            await self._appeals.followed(outcome.appeal)
            return
        told = [await self._told_loser(outcome, outcome.loser), await self._told_claimant(outcome, outcome.claimant)]
        if all(told):
            await self._appeals.followed(outcome.appeal)

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
