"""解绑: an account gives its identity up (RNV-6).

Owns what comes after the write: every session of the account ends, the one at the page too, and its phone is told.
Called by ``web`` after 验证身份. A claim that waited is dropped first: an identity that was given up comes back by no
proof that was under way.
"""

from __future__ import annotations

from bjidp.accounts.ports import NOTHING
from bjidp.accounts.settings.changes import Changes
from bjidp.accounts.telling import Told
from bjidp.accounts.verifying import Verifying, Visit
from bjidp.clock import Clock
from bjidp.proofing.claims import Claims
from bjidp.proofing.ports import IdentityStore, PutOut
from bjidp.proofing.settling import Settling
from bjidp.sessions.ports import SessionEnd
from bjidp.verification.proofs import Operation


class Unbinding:
    """Takes identities off accounts. A store that is down raises ``StoreUnavailable``."""

    def __init__(
        self,
        *,
        changes: Changes,
        verifying: Verifying,
        identities: IdentityStore,
        claims: Claims,
        settling: Settling,
        clock: Clock,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._changes = changes
        self._verifying = verifying
        self._identities = identities
        self._claims = claims
        self._settling = settling
        self._clock = clock

    async def unbind(self, visit: Visit, flow: str | None) -> None:
        """Leave the account at L1, and nobody logged in to it.

        Raises :class:`bjidp.accounts.settings.changes.NotDue` and ``AccountRefused``. An account without an identity is
        left as it is, with its sessions ended: the same page was posted twice.
        """
        draft = await self._changes.due(visit, Operation.UNBIND, flow)
        await self._changes.save(visit, draft, lambda: self._write(visit))

    async def _write(self, visit: Visit) -> None:
        member = await self._verifying.member(visit)
        await self._claims.drop(visit.account)
        out = await self._identities.unbind(visit.account, self._clock.now())
        if out is None:
            out = PutOut(visit.account, member.standing.ref, None, NOTHING)
        await self._settling.put_out(out, None, SessionEnd.IDENTITY_UNBOUND, Told.IDENTITY_UNBOUND)
