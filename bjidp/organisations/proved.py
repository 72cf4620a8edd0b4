"""What somebody has to be, at this moment, to do anything for an organisation.

Owns the two looks that every use case of this room begins with; the store looks at the first once more, under its
locks.
"""

from __future__ import annotations

from bjidp.accounts.ports import AccountStore
from bjidp.clock import Clock
from bjidp.organisations.errors import ActingOnProbation, LevelRequired
from bjidp.organisations.organisation import is_proved
from bjidp.proofing.ports import Bound, IdentityStore
from bjidp.sessions.ports import Session


class Proved:
    """Looks. A store that is down raises ``StoreUnavailable``."""

    def __init__(self, *, identities: IdentityStore, accounts: AccountStore, clock: Clock) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._identities = identities
        self._accounts = accounts
        self._clock = clock

    async def identity(self, account: str) -> Bound:
        """Return who the account is; raise :class:`LevelRequired` where that is not proved well enough."""
        bound = await self._identities.bound(account)
        if bound is None or not is_proved(bound.evidence, bound.term, self._clock.now()):
            raise LevelRequired
        return bound

    async def require_settled(self, session: Session) -> None:
        """Raise :class:`ActingOnProbation` for a login that a face alone has come to (wire.md 3, attack R4).

        A link that was replaced since has left nothing to tell by: whoever is in doubt logs in anew.
        """
        if session.login.link is None:
            return
        link = await self._accounts.link(session.login.link)
        until = None if link is None else link.probation_until
        if link is None or (until is not None and self._clock.now() < until):
            raise ActingOnProbation
