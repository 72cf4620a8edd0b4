"""A relying party's wish that its user be logged out (OpenID Connect RP-Initiated Logout 1.0).

Owns what of it is believed: whose wish it is, which session it is about, and where the person may go afterwards, which
is one of the relying party's own addresses or nowhere (attack T4). What is kept of it is found by a name while its
person is asked. Called by the pages of the log-out endpoint.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import jwt
from msgspec import Struct

from bjidp.clock import MINUTE, Instant, Millis
from bjidp.entropy import Entropy, token
from bjidp.oidc import id_token
from bjidp.oidc.client import Client, Interface
from bjidp.oidc.errors import RedirectRefused, RelyingPartyUnknown
from bjidp.oidc.parameters import OPAQUE_MAX, Parameters
from bjidp.oidc.ports import ClientStore
from bjidp.oidc.sids import sid
from bjidp.oidc.signing import SigningKeys
from bjidp.records import Records

LIFETIME: Final[Millis] = 30 * MINUTE
"""How long somebody may take to say whether they want it."""


class LogoutWish(Struct, frozen=True):
    """A wish, as far as it is believed. All of it may be missing: anybody may ask to be logged out."""

    client: str | None = None
    name: str = ""
    """What people know the relying party as."""
    where: str | None = None
    """Where the person goes afterwards."""
    sid: str | None = None
    """What the relying party knows the session as that it is about, by a token of ours."""

    def is_about(self, session: str) -> bool:
        """Tell whether a token of ours has named this very session: then nobody has to be asked."""
        return self.client is not None and self.sid is not None and self.sid == sid(self.client, session)


NOBODYS: Final = LogoutWish()


class LogoutWishes:
    """Takes wishes and keeps them."""

    def __init__(
        self,
        *,
        clients: ClientStore,
        records: Records[LogoutWish],
        signing: SigningKeys,
        entropy: Entropy,
        issuer: str,
    ) -> None:
        """Believe tokens that were signed as ``issuer``."""
        self._clients = clients
        self._records = records
        self._signing = signing
        self._entropy = entropy
        self._issuer = issuer

    async def take(self, parameters: Parameters, now: Instant) -> str:
        """Keep a wish; return the name it is kept under.

        Raises :class:`RelyingPartyUnknown`, and :class:`RedirectRefused` where anything of it is wrong that says where
        somebody is to be sent.
        """
        # What is given back as it came has to fit into an address.
        if parameters.faulty or len(parameters.get("state") or "") > OPAQUE_MAX:
            raise RedirectRefused
        name = token(self._entropy, 128)
        await self._records.add(name, await self._believed(parameters, now), LIFETIME)
        return name

    async def find(self, name: str) -> LogoutWish:
        """Return a wish; one that nobody knows, or whose time is over, asks for nothing but a log-out."""
        held = await self._records.get(name)
        return NOBODYS if held is None else held.value

    async def forget(self, name: str) -> None:
        """Forget a wish that was granted, or refused."""
        await self._records.take(name)

    async def _believed(self, parameters: Parameters, now: Instant) -> LogoutWish:
        hint, where = parameters.get("id_token_hint"), parameters.get("post_logout_redirect_uri")
        stated = parameters.get("client_id")
        named = stated if stated is not None or hint is None else _audience(hint)
        found = None if named is None else await self._clients.find(named)
        if found is None or found.client.interface is not Interface.OPENID:
            if stated is not None:
                raise RelyingPartyUnknown
            if where is not None:
                raise RedirectRefused
            return NOBODYS
        client = found.client
        claims = None if hint is None else self._signing.verified(hint, id_token.TYPE, client.id, self._issuer, now)
        # A hint that is none of ours, or another client's, may be somebody else's wish (section 2: client_id).
        if where is not None and ((hint is not None and claims is None) or not _is_registered(client, where)):
            raise RedirectRefused
        return LogoutWish(
            client=client.id,
            name=client.name,
            where=None if where is None else _with_state(where, parameters.get("state")),
            sid=_text((claims or {}).get("sid")),
        )


def _is_registered(client: Client, where: str) -> bool:
    return where in client.post_logout_redirect_uris


def _with_state(where: str, state: str | None) -> str:
    if state is None:
        return where
    return f"{where}{'&' if urlsplit(where).query else '?'}{urlencode({'state': state})}"


def _audience(hint: str) -> str | None:
    """Return whom a token says it is for, to look that client up; nothing is believed of it yet."""
    try:
        claims: dict[str, Any] = jwt.decode(hint, options={"verify_signature": False})
    except jwt.PyJWTError:
        return None
    return _text(claims.get("aud"))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
