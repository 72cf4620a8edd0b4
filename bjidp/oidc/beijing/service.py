"""The city's own interface, for sites that are integrated with it already (RP-5).

Owns what its endpoints do, and its tokens, which are kept as hashes, name a grant and are good for what that is good
for at the moment they are shown. Codes, consents and grants are those of every relying party; nothing that this side
gives is taken by the other. Called by the endpoints of :mod:`bjidp.web.oidc.beijing`.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from bjidp.accounts.member_ports import Member
from bjidp.clock import HOUR, MINUTE, Clock, Instant, Millis
from bjidp.entropy import Entropy
from bjidp.oidc.authorizing import Authorizing
from bjidp.oidc.beijing import requesting, telling
from bjidp.oidc.beijing.errors import ClientRefused, CodeRefused, Malformed, TokenRefused
from bjidp.oidc.beijing.sealing import WINDOW, is_genuine
from bjidp.oidc.client import Client, Interface
from bjidp.oidc.clients import UsedAssertion
from bjidp.oidc.errors import InvalidGrant, RelyingPartyUnknown
from bjidp.oidc.grants.exchanging import Codes
from bjidp.oidc.grants.grant import Grant
from bjidp.oidc.grants.living import LiveGrants
from bjidp.oidc.parameters import Parameters
from bjidp.oidc.ports import ClientStore, RegisteredClient
from bjidp.records import DuplicateRecord, Records
from bjidp.sessions.ports import SessionEnd
from bjidp.sessions.service import Sessions

LIFETIME: Final[Millis] = HOUR

_REMEMBERED: Final[Millis] = 2 * WINDOW + MINUTE
"""How long an ``auth_token`` is known to have come: its time may be as far ahead as it may be behind, and the store's
clock, by which this ends, is not the one that its time is compared with."""


class BeijingToken(Struct, frozen=True):
    """An access token, found by its hash."""

    client: str
    grant: str
    expires_at: Instant


class TokenAnswer(Struct, frozen=True):
    """What ``getAccessToken`` gives; ``expires_in`` is the moment it ends, in milliseconds."""

    access_token: str
    expires_in: int
    refresh_token: str
    token_type: str = ""

    def __repr__(self) -> str:
        return "TokenAnswer(***)"


class Beijing:
    """Serves the interface. A store that is down raises ``StoreUnavailable``."""

    def __init__(
        self,
        *,
        clients: ClientStore,
        authorizing: Authorizing,
        codes: Codes,
        live: LiveGrants,
        sessions: Sessions,
        tokens: Records[BeijingToken],
        used: Records[UsedAssertion],
        ethnicity: Callable[[str], str],
        entropy: Entropy,
        clock: Clock,
    ) -> None:
        """Take every dependency; ``ethnicity`` words the code of an ethnic group."""
        self._clients = clients
        self._authorizing = authorizing
        self._codes = codes
        self._live = live
        self._sessions = sessions
        self._tokens = tokens
        self._used = used
        self._ethnicity = ethnicity
        self._entropy = entropy
        self._clock = clock

    async def begin(self, parameters: Parameters) -> str:
        """Take a request from a browser; return the name it is kept under.

        Raises :class:`RelyingPartyUnknown`, and what :func:`bjidp.oidc.beijing.requesting.read` raises.
        """
        found = await self._found(parameters.get("client_id"))
        if found is None:
            raise RelyingPartyUnknown
        request = requesting.read(found.client, parameters)
        return await self._authorizing.admit(request, self._clock.now())

    async def token(self, parameters: Parameters) -> TokenAnswer:
        """Return a token for a code; raise :class:`BeijingError`.

        The client proves itself before its code is looked at. An address may be left out; one that is sent has to be
        the one that the code went to.
        """
        if parameters.faulty - requesting.IGNORED or parameters.get("grant_type") != "authorization_code":
            raise Malformed
        client = await self._proved(parameters)
        code, address = parameters.get("grant_code"), parameters.get("redirect_uri")
        if code is None:
            raise Malformed
        try:
            grant = await self._codes.exchange(code, client, address, None)
        except InvalidGrant:
            raise CodeRefused from None
        now = self._clock.now()
        token = self._uuid()
        kept = BeijingToken(client.id, grant.id, min(now + LIFETIME, grant.expires_at))
        await self._tokens.add(_key(token), kept, LIFETIME)
        # The interface has the member and no endpoint that takes it: it is kept nowhere.
        return TokenAnswer(token, kept.expires_at, self._uuid())

    async def userinfo(self, token: str | None) -> dict[str, object]:
        """Return what the site may read of whoever a token is about; raise :class:`TokenRefused`."""
        client, grant, member = await self._about(token)
        if client.shared is None:
            raise TokenRefused
        return telling.told(
            member,
            client=client.client.id,
            secret=client.shared.text(),
            subject=grant.subject,
            ethnicity=self._ethnicity,
        )

    async def is_logged_in(self, token: str | None) -> bool:
        """Tell whether whoever a token is about is logged in yet."""
        try:
            await self._about(token)
        except TokenRefused:
            return False
        return True

    async def log_out(self, token: str | None) -> None:
        """End the session that a token came of, and with it what every site has of it; raise :class:`TokenRefused`."""
        _, grant, _ = await self._about(token)
        await self._sessions.end_one(grant.approval.account, grant.approval.session, SessionEnd.LOGOUT)

    async def _about(self, token: str | None) -> tuple[RegisteredClient, Grant, Member]:
        now = self._clock.now()
        held = None if token is None else await self._tokens.get(_key(token))
        if held is None or held.value.expires_at <= now:
            raise TokenRefused
        client, live = await self._found(held.value.client), await self._live.owned(held.value.grant, now)
        if client is None or live is None:
            raise TokenRefused
        return client, *live

    async def _proved(self, parameters: Parameters) -> Client:
        """Return the client whose ``auth_token`` this is, and was not before."""
        client_id, auth_token = parameters.get("client_id"), parameters.get("auth_token")
        found = await self._found(client_id)
        if found is None or found.shared is None or auth_token is None:
            raise ClientRefused
        secret, now = found.shared.text(), self._clock.now()
        if not is_genuine(auth_token, found.client.id, secret, now):
            raise ClientRefused
        stated = parameters.get("client_secret")
        if stated is not None and stated != secret:
            raise ClientRefused
        try:
            await self._used.add(_key(auth_token), UsedAssertion(), _REMEMBERED)
        except DuplicateRecord:
            raise ClientRefused from None
        return found.client

    async def _found(self, client_id: str | None) -> RegisteredClient | None:
        found = None if client_id is None else await self._clients.find(client_id)
        return found if found is not None and found.client.interface is Interface.BEIJING else None

    def _uuid(self) -> str:
        return str(uuid.UUID(bytes=self._entropy.octets(16), version=4))


def _key(text: str) -> str:
    return hashlib.sha256(b"beijing|" + text.encode("utf-8", "surrogatepass")).hexdigest()
