"""What a token is good for at the moment it is shown.

Owns userinfo, introspection (RFC 7662) and revocation (RFC 7009). Each look finds the grant that the token names, so a
token is over the moment its grant is (attack T3), and one that was agreed to for an organisation while its owner cannot
act for that. Called by the endpoints of those names.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from msgspec.structs import replace

from bjidp.clock import SECOND, Clock, Instant
from bjidp.oidc.claims import Known, delegation, told
from bjidp.oidc.client import Client
from bjidp.oidc.errors import InvalidToken
from bjidp.oidc.grants.grant import Grant, GrantEnd
from bjidp.oidc.grants.living import LiveGrants
from bjidp.oidc.ports import ClientStore, GrantStore
from bjidp.oidc.representing import RepresentationOver, Representing
from bjidp.oidc.tokens import Tokens

OVER: Final = "the access token is unknown, over or revoked"


class _Good(NamedTuple):
    """What a token is good for, and until when."""

    grant: Grant
    ends_at: Instant


class Reading:
    """Reads by tokens."""

    def __init__(
        self,
        *,
        clients: ClientStore,
        grants: GrantStore,
        live: LiveGrants,
        representing: Representing,
        tokens: Tokens,
        issuer: str,
        clock: Clock,
    ) -> None:
        """Tell as ``issuer``; those of ``grants`` that are ``live`` count."""
        self._clients = clients
        self._grants = grants
        self._live = live
        self._representing = representing
        self._tokens = tokens
        self._issuer = issuer
        self._clock = clock

    async def userinfo(self, access_token: str | None) -> dict[str, object]:
        """Return what the token's owner agreed may be read; raise :class:`InvalidToken` and ``StoreUnavailable``."""
        now = self._clock.now()
        shown = None if access_token is None else self._tokens.read_access(access_token, now)
        found = None if shown is None else await self._live.owned(shown.grant, now)
        if found is None:
            raise InvalidToken(OVER)
        grant, member = found
        try:
            acts_for = await self._representing.acts_for(grant.approval)
        except RepresentationOver:
            raise InvalidToken(OVER) from None
        return {"sub": grant.subject, **told(Known(member, grant.subject, acts_for), grant.approval.scopes)}

    async def introspected(self, client: Client, token: str) -> dict[str, object]:
        """Return what ``client`` may know of a token: those of its own sector, and of all others that they are none.

        A resource server knows people by the names of its sector, and a token of another one would tell it that some
        site knows somebody (RFC 7662, section 4). A refresh token is told of to its own client alone: it is worth
        nothing without that client's proof, and must not open anything where it is shown in an access token's place
        (attack T7).
        """
        access = await self._by_access(token)
        found = access or await self._by_refresh(token)
        owner = None if found is None else await self._clients.find(found.grant.approval.client)
        if found is None or owner is None or owner.client.sector != client.sector:
            return {"active": False}
        grant, ends_at = found
        approval = grant.approval
        if access is None and approval.client != client.id:
            return {"active": False}
        try:
            acts_for = await self._representing.acts_for(approval)
        except RepresentationOver:
            return {"active": False}
        return {
            "active": True,
            "iss": self._issuer,
            "sub": grant.subject,
            "client_id": approval.client,
            "scope": " ".join(approval.scopes),
            "token_type": "Bearer" if access is not None else "refresh_token",
            "exp": ends_at // SECOND,
            "iat": grant.created_at // SECOND,
            "acr": approval.authentication.level.name,
            "amr": list(approval.authentication.methods),
            "auth_time": approval.authentication.at // SECOND,
            **delegation(grant.subject, acts_for),
        }

    async def revoke(self, client: Client, token: str) -> None:
        """End the grant of a token of ``client``; one that is none, or another's, is no error and changes nothing."""
        found = await self._by_access(token) or await self._by_refresh(token)
        if found is not None and found.grant.approval.client == client.id:
            await self._grants.end(found.grant.id, GrantEnd.REVOKED, self._clock.now())

    async def _by_access(self, text: str) -> _Good | None:
        now = self._clock.now()
        shown = self._tokens.read_access(text, now)
        grant = None if shown is None else await self._as_it_is(shown.grant, now)
        return None if shown is None or grant is None else _Good(grant, min(shown.expires_at, grant.expires_at))

    async def _by_refresh(self, text: str) -> _Good | None:
        shown = self._tokens.read_refresh(text)
        grant = None if shown is None else await self._as_it_is(shown.grant, self._clock.now())
        if shown is None or grant is None or grant.family is None:
            return None
        # A number that is used is no token any more; that somebody asks about it is no use of it.
        return _Good(grant, grant.family.ends_at) if grant.family.number == shown.number else None

    async def _as_it_is(self, name: str, now: Instant) -> Grant | None:
        found = await self._live.find(name, now)
        if found is None:
            return None
        grant, standing = found
        return replace(grant, approval=grant.approval.as_of(standing))
