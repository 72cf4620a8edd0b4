"""Which relying party asks, and whether it is who it says.

Owns client authentication (RFC 6749, section 2.3; OpenID Connect Core, section 9): each client proves itself in the one
way it registered, and whatever is wrong is told in one and the same way. Called by every endpoint that a relying party
asks by itself.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode
from binascii import Error
from collections.abc import Collection
from typing import Any, Final
from urllib.parse import unquote_plus

import jwt
from msgspec import Struct

from bjidp.clock import MINUTE, SECOND, Clock, Instant, Millis
from bjidp.oidc.client import Client, Interface, Proof
from bjidp.oidc.errors import InvalidClient, InvalidRequest
from bjidp.oidc.parameters import Parameters
from bjidp.oidc.ports import ClientStore, RegisteredClient
from bjidp.oidc.signing import ALGORITHM
from bjidp.records import DuplicateRecord, Records

ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

ASSERTION_LIFETIME: Final[Millis] = 5 * MINUTE
"""How far ahead an assertion may end: each is remembered until then, since it counts once (RFC 7523, section 3)."""

SKEW: Final[Millis] = 30 * SECOND
"""How far a client's clock may be ahead of ours."""

JTI_MAX: Final = 128

UNKNOWN: Final = "the client is unknown, or did not prove who it is in the way it registered"


class UsedAssertion(Struct, frozen=True):
    """An assertion that came already."""


class Clients:
    """Recognises relying parties."""

    def __init__(
        self, store: ClientStore, used: Records[UsedAssertion], *, issuer: str, token_endpoint: str, clock: Clock
    ) -> None:
        """An assertion is for the ``issuer``, or for the address of its ``token_endpoint`` (RFC 7523, section 3)."""
        self._store = store
        self._used = used
        self._audiences = (issuer, token_endpoint)
        self._clock = clock

    async def recognised(self, authorization: str | None, parameters: Parameters) -> Client:
        """Return the client that asks.

        Raises :class:`InvalidClient`, :class:`InvalidRequest` for one that shows two proofs at once, and
        ``StoreUnavailable``.
        """
        basic = _basic(authorization)
        assertion = parameters.get("client_assertion")
        if sum((basic is not None, assertion is not None, "client_secret" in parameters)) > 1:
            raise InvalidRequest("a client proves itself in one way at a time")
        if "client_secret" in parameters:
            # A secret among the parameters is written into logs of what is posted (RFC 6749, section 2.3.1).
            raise InvalidClient(UNKNOWN)
        stated = parameters.get("client_id")
        if basic is not None:
            return self._by_secret(await self._found(_one(basic[0], stated)), basic[1])
        if assertion is not None:
            return await self._by_assertion(assertion, parameters, stated)
        return _public(await self._found(stated))

    async def _found(self, client_id: str | None) -> RegisteredClient:
        found = None if client_id is None else await self._store.find(client_id)
        if found is None or found.client.interface is not Interface.OPENID:
            raise InvalidClient(UNKNOWN)
        return found

    def _by_secret(self, found: RegisteredClient, secret: str) -> Client:
        shown = hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
        right = found.client.proof is Proof.CLIENT_SECRET_BASIC and found.secret is not None
        if not right or not hmac.compare_digest(found.secret or b"", shown):
            raise InvalidClient(UNKNOWN)
        return found.client

    async def _by_assertion(self, assertion: str, parameters: Parameters, stated: str | None) -> Client:
        if parameters.get("client_assertion_type") != ASSERTION:
            raise InvalidClient(UNKNOWN)
        client = (await self._found(_one(_issuer_of(assertion), stated))).client
        claims = self._verified(client, assertion) if client.proof is Proof.PRIVATE_KEY_JWT else None
        now = self._clock.now()
        if claims is None or not _counts(claims, client, self._audiences, now):
            raise InvalidClient(UNKNOWN)
        try:
            await self._used.add(_key(client, claims["jti"]), UsedAssertion(), claims["exp"] * SECOND - now + SKEW)
        except DuplicateRecord:
            raise InvalidClient(UNKNOWN) from None
        return client

    def _verified(self, client: Client, assertion: str) -> dict[str, Any] | None:
        # Whose keys are tried is what was registered; nothing of the token chooses one (RFC 8725, section 3.1).
        for key in client.keys:
            try:
                claims: dict[str, Any] = jwt.decode(
                    assertion,
                    jwt.PyJWK(key, ALGORITHM),
                    [ALGORITHM],
                    audience=self._audiences,
                    issuer=client.id,
                    options={
                        "require": ["iss", "sub", "aud", "exp", "jti"],
                        # By the clock of this program, below.
                        "verify_exp": False,
                        "verify_iat": False,
                        "verify_nbf": False,
                    },
                )
            except jwt.PyJWTError:
                continue
            return claims
        return None


def _counts(claims: dict[str, Any], client: Client, audiences: Collection[str], now: Instant) -> bool:
    ends, jti, aud = claims["exp"], claims["jti"], claims["aud"]
    return (
        claims["sub"] == client.id
        # For nobody else besides: another server that it is for as well could show it here first (attack T12).
        and all(each in audiences for each in ([aud] if isinstance(aud, str) else aud))
        and isinstance(ends, int)
        and now < ends * SECOND <= now + ASSERTION_LIFETIME + SKEW
        and isinstance(jti, str)
        and 0 < len(jti) <= JTI_MAX
    )


def _public(found: RegisteredClient) -> Client:
    if found.client.proof is not Proof.NONE:
        raise InvalidClient(UNKNOWN)
    return found.client


def _one(shown: str | None, stated: str | None) -> str | None:
    """Return whom a proof names, unless the parameters name somebody else."""
    return None if stated is not None and stated != shown else shown


def _issuer_of(assertion: str) -> str | None:
    """Return who an assertion says it is from, to look that client up; nothing is believed of it yet."""
    try:
        issuer = jwt.decode(assertion, options={"verify_signature": False}).get("iss")
    except jwt.PyJWTError:
        return None
    return issuer if isinstance(issuer, str) else None


def _basic(authorization: str | None) -> tuple[str, str] | None:
    """Return name and secret of a Basic header, whose parts are written as in a form (RFC 6749, section 2.3.1)."""
    scheme, _, credentials = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, secret = b64decode(credentials.strip(), validate=True).decode().partition(":")
    except (Error, UnicodeDecodeError, ValueError):
        raise InvalidClient(UNKNOWN) from None
    if not colon:
        raise InvalidClient(UNKNOWN)
    return unquote_plus(name), unquote_plus(secret)


def _key(client: Client, jti: str) -> str:
    return hashlib.sha256(f"{client.id}\0{jti}".encode("utf-8", "surrogatepass")).hexdigest()
