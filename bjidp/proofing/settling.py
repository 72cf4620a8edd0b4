"""What becomes of a proof: whose the identity is from now on, whose sessions end, and who is told (RNV-5 to RNV-7).

Owns the last step of every proof on pages. The store decides, writes, puts out whoever has to go and leaves the
notices in one transaction. What follows, the deleting of sessions that open nothing any more and the messages, is done
again for no failure: a crash in between costs a message.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress

from msgspec.structs import replace

from bjidp.accounts.drafts import Draft
from bjidp.accounts.endings import Endings
from bjidp.accounts.settings.changes import Changes, NotDue
from bjidp.accounts.settings.flow import Change, Step
from bjidp.accounts.telling import Teller, Told
from bjidp.accounts.verifying import Visit
from bjidp.clock import Clock
from bjidp.errors import StoreUnavailable
from bjidp.proofing.claims import Claim, Claims
from bjidp.proofing.ports import (
    Held,
    IdentityChanged,
    IdentityStore,
    NewIdentity,
    PutOut,
    Settled,
)
from bjidp.sessions.ports import SessionEnd
from bjidp.verification.number import MobileNumber


class Settling:
    """Settles proofs. A store that is down raises ``StoreUnavailable``, with nothing moved."""

    def __init__(
        self,
        *,
        identities: IdentityStore,
        claims: Claims,
        endings: Endings,
        teller: Teller,
        clock: Clock,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._identities = identities
        self._claims = claims
        self._endings = endings
        self._teller = teller
        self._clock = clock

    async def settle(
        self,
        account: str,
        new: NewIdentity,
        *,
        was: str | None,
        keep: str,
        exchange: bool = False,
        epoch: int | None = None,
    ) -> Settled | Held:
        """Give the account the identity it has proved; ``keep`` is the session at the page.

        ``was`` is the mark of the identity that this was decided on, None for none. With ``exchange`` it takes the
        place of another, and the account's other sessions end (RNV-5). What stays another account's is kept as a claim,
        for a proof to turn into a binding (RNV-7), or for an appeal (RNV-8). With ``epoch`` it
        is done in that one alone: raises :class:`bjidp.proofing.ports.EpochOver`. Raises :class:`IdentityChanged`,
        :class:`bjidp.proofing.errors.IdentityOther`, ``RateLimited`` and ``AccountRefused``.
        """
        settled = await self._identities.prove(
            account, new, self._clock.now(), was=was, exchange=exchange, keep=keep, epoch=epoch
        )
        if isinstance(settled, Held):
            return await self.leave(account, new, settled, exchange=exchange)
        await self._follow(settled, keep)
        return settled

    async def leave(self, account: str, new: NewIdentity, held: Held, *, exchange: bool) -> Held:
        """Keep the claim of an account that has proved who somebody is as far as that leads; return ``held``."""
        await self._claims.keep(account, Claim(new=new, exchange=exchange))
        return held

    async def _follow(self, settled: Settled, keep: str) -> None:
        with suppress(StoreUnavailable):
            # It runs out by itself; and what it claims is the account's by now, or gave way to what was proved later.
            await self._claims.drop(settled.standing.account)
        if settled.loser is not None:
            await self.put_out(settled.loser, None, SessionEnd.IDENTITY_LOST, Told.IDENTITY_LOST)
        if settled.exchanged is not None:
            await self.put_out(settled.exchanged, keep, SessionEnd.IDENTITY_EXCHANGED, Told.IDENTITY_EXCHANGED)

    async def put_out(self, out: PutOut, keep: str | None, reason: SessionEnd, told: Told) -> None:
        """Tell an account that has lost its identity, and end what is left of its sessions but ``keep``."""
        if out.phone is not None:
            self._teller.tell(MobileNumber(out.phone), told)
        await self._endings.end_after(out.account, keep, reason, out.ref, out.gone)


async def settled_in(
    changes: Changes, visit: Visit, draft: Draft[Change], settle: Callable[[], Awaitable[Settled | Held]]
) -> str:
    """Settle a proof as the last step of a change; return the change's id.

    That it stays another account's is a fact of the change, noted before it is said to be done. Raises :class:`NotDue`
    where the account's identity is not the one any more that was decided on: whoever gave it up elsewhere while a
    register was asked is not given it back.
    """

    async def write() -> None:
        try:
            settled = await settle()
        except IdentityChanged:
            raise NotDue(draft.id, Step.VERIFY) from None
        if isinstance(settled, Held):
            by = settled.by
            await changes.note(visit, draft, lambda facts: replace(facts, held_by=by))

    await changes.save(visit, draft, write)
    return draft.id
