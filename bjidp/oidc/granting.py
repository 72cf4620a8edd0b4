"""What the token endpoint gives: tokens for a code, for what somebody's phone confirmed, and for a refresh token.

Owns the three ways, and what ends with a token that came twice. Called by the token endpoint with a client that has
proved who it is.
"""

from __future__ import annotations

from typing import Final

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from bjidp.clock import SECOND, Clock, Instant
from bjidp.oidc import id_token
from bjidp.oidc.claims import ActsFor
from bjidp.oidc.client import Client, GrantType
from bjidp.oidc.devices.redeeming import DeviceRedeeming
from bjidp.oidc.errors import InvalidGrant, InvalidScope, UnauthorizedClient, UnsupportedGrantType
from bjidp.oidc.grants.code import LIFE_OVER
from bjidp.oidc.grants.exchanging import Codes
from bjidp.oidc.grants.grant import Grant, GrantEnd
from bjidp.oidc.grants.refreshing import FamilyOver, refreshed
from bjidp.oidc.parameters import Parameters
from bjidp.oidc.ports import GrantStore, StaleGrant
from bjidp.oidc.representing import RepresentationOver, Representing
from bjidp.oidc.sids import sid
from bjidp.oidc.signing import SigningKeys
from bjidp.oidc.tokens import ACCESS, Tokens

REFRESH_OVER: Final = "the refresh token is unknown, used, over, revoked, or another client's"


class TokenAnswer(Struct, frozen=True, kw_only=True):
    """What a relying party is given (RFC 6749, section 5.1; OpenID Connect Core, section 3.1.3.3)."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 - the kind of token
    expires_in: int
    scope: str
    id_token: str
    refresh_token: str | UnsetType = UNSET

    def __repr__(self) -> str:
        return "TokenAnswer(***)"


class Granting:
    """Gives tokens."""

    def __init__(
        self,
        *,
        codes: Codes,
        devices: DeviceRedeeming,
        grants: GrantStore,
        tokens: Tokens,
        signing: SigningKeys,
        representing: Representing,
        issuer: str,
        clock: Clock,
    ) -> None:
        """Sign as ``issuer``."""
        self._codes = codes
        self._devices = devices
        self._grants = grants
        self._tokens = tokens
        self._signing = signing
        self._representing = representing
        self._issuer = issuer
        self._clock = clock

    async def give(self, client: Client, parameters: Parameters) -> TokenAnswer:
        """Return tokens for what is shown; raise :class:`ProtocolError` and ``StoreUnavailable``."""
        parameters.require_sound()
        wanted = parameters.require("grant_type", "grant_type is missing")
        match wanted:
            case GrantType.AUTHORIZATION_CODE:
                _require(client, GrantType.AUTHORIZATION_CODE)
                return await self._for_code(client, parameters)
            case GrantType.REFRESH_TOKEN:
                _require(client, GrantType.REFRESH_TOKEN)
                return await self._for_refresh_token(client, parameters)
            case GrantType.DEVICE_CODE:
                _require(client, GrantType.DEVICE_CODE)
                # Nobody is asked for whom they act on a device: it is for themselves.
                return self._answer(client, await self._devices.redeem(client, parameters), None, self._clock.now())
            case _:
                raise UnsupportedGrantType("grant_type must be authorization_code, refresh_token or device_code's URN")

    async def _for_code(self, client: Client, parameters: Parameters) -> TokenAnswer:
        code = parameters.require("code", "code is missing")
        grant = await self._codes.exchange(
            code, client, parameters.get("redirect_uri"), parameters.get("code_verifier")
        )
        now = self._clock.now()
        try:
            acts_for = await self._representing.acts_for(grant.approval)
        except RepresentationOver:
            await self._grants.end(grant.id, GrantEnd.REPRESENTATION_OVER, now)
            raise InvalidGrant(LIFE_OVER) from None
        return self._answer(client, grant, acts_for, now)

    async def _for_refresh_token(self, client: Client, parameters: Parameters) -> TokenAnswer:
        shown = self._tokens.read_refresh(parameters.require("refresh_token", "refresh_token is missing"))
        now = self._clock.now()
        found = None if shown is None else await self._grants.find(shown.grant, now)
        if shown is None or found is None:
            raise InvalidGrant(REFRESH_OVER)
        grant, standing = found
        if grant.approval.client != client.id or grant.family is None:
            raise InvalidGrant(REFRESH_OVER)
        if not set(parameters.words("scope")) <= set(grant.approval.scopes):
            raise InvalidScope("scope has one that was not agreed to")
        try:
            family = refreshed(grant.family, shown.number, now)
            # Between the two: a number that came twice ends the grant all the same, and one that is good is not used
            # up, so that whoever may act again goes on with it.
            acts_for = await self._representing.acts_for(grant.approval)
            await self._grants.refresh(grant, family, now)
        except FamilyOver as over:
            if over.stolen:
                await self._grants.end(grant.id, GrantEnd.REUSED_TOKEN, now)
            raise InvalidGrant(REFRESH_OVER) from None
        except (StaleGrant, RepresentationOver):
            raise InvalidGrant(REFRESH_OVER) from None
        told = replace(grant, family=family, approval=grant.approval.as_of(standing))
        return self._answer(client, told, acts_for, now)

    def _answer(self, client: Client, grant: Grant, acts_for: ActsFor | None, now: Instant) -> TokenAnswer:
        approval = grant.approval
        access = self._tokens.access(grant.id, now)
        claims = id_token.claims_of(
            approval,
            issuer=self._issuer,
            subject=grant.subject,
            acts_for=acts_for,
            sid=sid(client.id, approval.session),
            access_token=access,
            now=now,
        )
        return TokenAnswer(
            access_token=access,
            expires_in=ACCESS // SECOND,
            scope=" ".join(approval.scopes),
            id_token=self._signing.sign(claims, id_token.TYPE, now),
            refresh_token=UNSET if grant.family is None else self._tokens.refresh(grant.id, grant.family.number),
        )


def _require(client: Client, way: GrantType) -> None:
    if way not in client.grants:
        raise UnauthorizedClient("this client is not registered for this grant_type")
