"""What becomes of a proof: whose the identity is from now on, whose sessions end, and who is told (RNV-5 to RNV-7).

Owns the last step of every proof on pages. The store decides and writes in one transaction; what follows it, the ends
of sessions and the messages, is done again for no failure: the notices in the centre were written with the move.
"""

from __future__ import annotations

from contextlib import suppress

from bjidp.accounts.endings import Endings
from bjidp.accounts.telling import Teller, Told
from bjidp.clock import Clock
from bjidp.errors import StoreUnavailable
from bjidp.proofing.claims import Claim, Claims
from bjidp.proofing.errors import IdentityHeld, IdentityOther
from bjidp.proofing.ports import HeldElsewhere, IdentityStore, NewIdentity, OtherIdentity, Settled
from bjidp.sessions.ports import SessionEnd
from bjidp.verification.number import MobileNumber


class Settling:
    """Settles proofs. A store that is down raises ``StoreUnavailable``, with nothing moved."""

    def __init__(
        self, *, identities: IdentityStore, claims: Claims, endings: Endings, teller: Teller, clock: Clock
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._identities = identities
        self._claims = claims
        self._endings = endings
        self._teller = teller
        self._clock = clock

    async def settle(self, account: str, new: NewIdentity, *, keep: str, exchange: bool = False) -> Settled:
        """Give the account the identity it has proved; ``keep`` is the session at the page.

        With ``exchange`` it takes the place of another, and the account's other sessions end (RNV-5). Raises
        :class:`IdentityHeld` when it stays another account's, kept as a claim where a better proof would bring it;
        :class:`IdentityOther`, ``RateLimited`` and ``AccountRefused``.
        """
        try:
            settled = await self._identities.prove(account, new, self._clock.now(), exchange=exchange)
        except HeldElsewhere as held:
            if held.by:
                claim = Claim(person=new.person, runs_out_at=new.runs_out_at, by=held.by, exchange=exchange)
                await self._claims.keep(account, claim)
            raise IdentityHeld(held.by) from None
        except OtherIdentity:
            raise IdentityOther from None
        await self._follow(settled, keep, exchange=exchange)
        return settled

    async def _follow(self, settled: Settled, keep: str, *, exchange: bool) -> None:
        standing, loser = settled.standing, settled.loser
        with suppress(StoreUnavailable):
            # It runs out by itself; and what it claims is the account's by now, or gave way to what was proved later.
            await self._claims.drop(standing.account)
        if loser is not None:
            await self._endings.end_after(loser.account, None, SessionEnd.IDENTITY_LOST, loser.ref)
            if loser.phone is not None:
                self._teller.tell(MobileNumber(loser.phone), Told.IDENTITY_LOST)
        if exchange:
            reason = SessionEnd.IDENTITY_EXCHANGED
            await self._endings.end_after(standing.account, keep, reason, standing.ref)
