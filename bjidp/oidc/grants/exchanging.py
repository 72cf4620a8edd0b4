"""Codes, from the answer to an authorization request to the grant they are exchanged for.

Owns the one exchange of a code: the grant is kept first and the code spent after, by compare-and-set, so that of twenty
exchanges at once one is answered, and a replay finds the grant it has to end (attack T5). A crash in between leaves a
grant that no token was given for, and a code that can be exchanged again. The session that somebody agreed in is looked
at after the grant is kept: whoever ends it finds the grant, or is found by that look (attack T3). Called by the
authorization and the token endpoint.
"""

from __future__ import annotations

import hashlib

from bjidp.clock import Clock, Instant, Millis
from bjidp.entropy import Entropy, token
from bjidp.errors import AccountRefused
from bjidp.oidc.client import Client, Interface
from bjidp.oidc.errors import InvalidGrant
from bjidp.oidc.grants.code import LIFE_OVER, REMEMBERED, Approval, Code, Replayed, Unspent, exchanged
from bjidp.oidc.grants.grant import Grant, GrantEnd, fresh
from bjidp.oidc.grants.living import lives
from bjidp.oidc.ports import ConsentStore, GrantStore, LiveSessions
from bjidp.oidc.scopes import Scope
from bjidp.records import Records, StaleRecord


class Codes:
    """Gives codes and exchanges them."""

    def __init__(
        self,
        records: Records[Code],
        grants: GrantStore,
        sessions: LiveSessions,
        consents: ConsentStore,
        *,
        entropy: Entropy,
        clock: Clock,
        session_lifetime: Millis,
    ) -> None:
        """``session_lifetime`` is how long a grant without refresh tokens lives at most: as long as a session."""
        self._records = records
        self._grants = grants
        self._sessions = sessions
        self._consents = consents
        self._entropy = entropy
        self._clock = clock
        self._session_lifetime = session_lifetime

    async def give(
        self,
        approval: Approval,
        redirect_uri: str,
        challenge: str,
        now: Instant,
        *,
        interface: Interface = Interface.OPENID,
    ) -> str:
        """Return a code for ``approval``; raise ``StoreUnavailable``."""
        code = token(self._entropy, 256)
        unspent = Unspent(
            approval=approval,
            redirect_uri=redirect_uri,
            challenge=challenge,
            issued_at=now,
            interface=interface,
        )
        await self._records.add(_key(code), Code(unspent), REMEMBERED)
        return code

    async def exchange(self, code: str, client: Client, redirect_uri: str | None, verifier: str | None) -> Grant:
        """Return the grant a code is exchanged for.

        Raises :class:`InvalidGrant`, whatever does not fit, for an account that may not be logged in by now, a session
        that has ended and an agreement that was withdrawn; and ``StoreUnavailable``, after which the code may be
        exchanged again.
        """
        held = await self._records.get(_key(code))
        if held is None:
            raise InvalidGrant(LIFE_OVER)
        grant_id = token(self._entropy, 128)
        now = self._clock.now()
        try:
            approval, spent = exchanged(
                held.value.state, client.id, redirect_uri, verifier, grant_id, held.now, interface=client.interface
            )
        except Replayed as replayed:
            await self._grants.end(replayed.grant, GrantEnd.REPLAYED_CODE, now)
            raise InvalidGrant(LIFE_OVER) from None
        begun = fresh(approval, self._session_lifetime, self._entropy, now, grant_id)
        try:
            grant = await self._grants.begin(begun, client.subject_sector, now)
        except AccountRefused:
            raise InvalidGrant(LIFE_OVER) from None
        if not await self._holds(approval, now):
            await self._grants.end(grant_id, GrantEnd.TOO_LATE, now)
            raise InvalidGrant(LIFE_OVER)
        try:
            await self._records.replace(_key(code), Code(spent), held.version)
        except StaleRecord:
            # It was asked before the faster one was answered: a race, and no sign that somebody else has the code.
            await self._grants.end(grant_id, GrantEnd.LOST_RACE, now)
            raise InvalidGrant(LIFE_OVER) from None
        return grant

    async def _holds(self, approval: Approval, now: Instant) -> bool:
        """Tell whether session and agreement are there, once a grant is kept: whoever ends either since finds it."""
        if not await lives(self._sessions, approval, now, settled=True):
            return False
        agreed = await self._consents.agreed(approval.account, approval.client)
        return set(approval.scopes) - {Scope.OFFLINE_ACCESS} <= agreed


def _key(code: str) -> str:
    """Return what a code is kept under: who reads the store exchanges none of them."""
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()
