"""Whether a grant counts at this moment.

Owns the look at its session. A grant that goes with a session in a browser is worth nothing once that is over, whatever
else has been done about it: where sessions lie in another store than grants, whoever ends one may die before the other
is deleted (attack T3). Called by whatever is shown an access token.
"""

from __future__ import annotations

from bjidp.accounts.member_ports import Member
from bjidp.clock import Instant
from bjidp.oidc.grants.code import Approval
from bjidp.oidc.grants.grant import Grant
from bjidp.oidc.ports import GrantStore, LiveSessions
from bjidp.standing import Standing


class LiveGrants:
    """Finds those that count."""

    def __init__(self, grants: GrantStore, sessions: LiveSessions) -> None:
        """Find ``grants`` whose ``sessions`` live."""
        self._grants = grants
        self._sessions = sessions

    async def find(self, grant: str, now: Instant) -> tuple[Grant, Standing] | None:
        """Return a grant and how its account stands; None when it is unknown, over, ended, or refused by now."""
        found = await self._grants.find(grant, now)
        return found if found is not None and await self._goes_on(found[0], now) else None

    async def owned(self, grant: str, now: Instant) -> tuple[Grant, Member] | None:
        """Return a grant and its owner; None as for :meth:`find`."""
        found = await self._grants.owned(grant, now)
        return found if found is not None and await self._goes_on(found[0], now) else None

    async def _goes_on(self, grant: Grant, now: Instant) -> bool:
        if grant.family is not None or grant.approval.is_of_a_device:
            # What was agreed to for when the person is away outlasts their leaving; a device has no session to look at.
            return True
        return await lives(self._sessions, grant.approval, now)


async def lives(sessions: LiveSessions, approval: Approval, now: Instant, *, settled: bool = False) -> bool:
    """Tell whether the session that somebody agreed in is there; see :meth:`LiveSessions.lives`."""
    return await sessions.lives(approval.account, approval.session, now, settled=settled)
