"""The identity server as the portal speaks to it: by Authlib, and by what the discovery document says.

Owns everything of the protocol: a request is pushed where that is offered (RFC 9126), a code is bound to the browser by
PKCE and state, who answers is looked at (RFC 9207), an ID token is verified with the server's keys, userinfo has to be
of the same person. Whatever goes wrong ends as :class:`LoginFailed`. Called by ``app`` and ``entering``.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final, TypeVar, cast
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2
from authlib.integrations.base_client import BaseApp, InvalidTokenError, OAuthError
from authlib.integrations.base_client.async_app import AsyncOAuth2Mixin
from authlib.integrations.base_client.async_openid import AsyncOpenIDMixin
from authlib.integrations.httpx_client import AsyncOAuth2Client
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry
from msgspec.structs import replace

from bjidp.sandbox.portal.logins import OVER, REFUSED, UNREACHABLE, Ended, LoggedIn, LoginFailed, Started
from bjidp.sandbox.portal.logout_tokens import LogoutTokens, is_of_log_outs
from bjidp.sandbox.portal.services import AWAY, in_order
from bjidp.sandbox.portal.settings import PortalSettings

T = TypeVar("T")

DEADLINE: Final = 10.0
"""Seconds a person waits for the server at most."""


# Authlib has no types of its own.
class _Client(AsyncOAuth2Mixin, AsyncOpenIDMixin, BaseApp):  # type: ignore[misc]
    """Authlib's client, put together as its integrations for web frameworks are."""

    client_cls = AsyncOAuth2Client


class Provider:
    """The identity server."""

    def __init__(self, settings: PortalSettings) -> None:
        """Nothing is asked yet."""
        self._settings = settings
        self._logouts = LogoutTokens(settings.issuer, settings.client_id, settings.clock)
        self._client = _Client(
            None,
            "jingtong",
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            server_metadata_url=f"{settings.issuer}/.well-known/openid-configuration",
            client_kwargs={
                "code_challenge_method": "S256",
                "token_endpoint_auth_method": "client_secret_basic",
                "timeout": DEADLINE,
                "trust_env": False,
                # Made once: Authlib opens a client for each call, and each would read the machine's certificates anew.
                "verify": settings.tls or ssl.create_default_context(),
            },
        )

    async def start(self, scopes: frozenset[str], level: str | None, prompt: str | None) -> Started:
        """Begin a login that shall give ``scopes`` at a ``level``."""
        wanted = {"acr_values": level, "prompt": "consent" if AWAY in scopes else prompt}
        asked = {name: value for name, value in wanted.items() if value is not None}
        begun = await _asked(
            lambda: self._client.create_authorization_url(self._settings.callback, scope=in_order(scopes), **asked)
        )
        url = await self._pushed(begun["url"])
        return Started(url, begun["state"], begun["nonce"], begun["code_verifier"])

    async def finish(self, started: Started, answer: Mapping[str, str]) -> LoggedIn:
        """Take what the server sent the person back with; ``answer`` is the address's query."""
        metadata = await self._metadata()
        if metadata.get("authorization_response_iss_parameter_supported") and answer.get("iss") != metadata["issuer"]:
            raise LoginFailed(REFUSED)
        if "error" in answer:
            raise LoginFailed(answer["error"])
        tokens = await _asked(
            lambda: self._client.fetch_access_token(
                self._settings.callback, code=answer.get("code", ""), code_verifier=started.verifier
            )
        )
        return await self._read(tokens, started.nonce)

    async def renewed(self, before: LoggedIn) -> LoggedIn:
        """Return the login with what may be read now, by new tokens where it may ask for them."""
        if "refresh_token" not in before.tokens:
            return replace(before, userinfo=await self._userinfo(before.tokens, before.subject))
        async with self._spoken() as client:
            tokens = await _asked(lambda: client.refresh_token(refresh_token=before.tokens["refresh_token"]))
        after = await self._read({**before.tokens, **tokens}, None)
        if after.subject != before.subject:
            raise LoginFailed(REFUSED)
        return after

    async def forget(self, login: LoggedIn) -> None:
        """Give the tokens of a login back (RFC 7009); one that cannot be given back ends by itself."""
        metadata = await self._metadata()
        token = login.tokens.get("refresh_token") or login.tokens["access_token"]
        async with self._spoken() as client:
            await _asked(lambda: client.revoke_token(metadata["revocation_endpoint"], token=token))

    async def logout_url(self, login: LoggedIn, state: str) -> str | None:
        """Return where a person logs out everywhere, or None where the server has no such page."""
        if not (await self._metadata()).get("end_session_endpoint"):
            return None
        made = await self._client.create_logout_url(
            self._settings.logged_out,
            id_token_hint=login.tokens["id_token"],
            state=state,
            client_id=self._settings.client_id,
        )
        return str(made["url"])

    async def ended(self, token: str) -> Ended:
        """Read a log-out token; raise :class:`LoginFailed` for one that is not to be believed."""
        return self._logouts.read(await self._verified(token))

    async def _pushed(self, url: str) -> str:
        """Return the address of a request, after pushing it where the server takes that."""
        endpoint = (await self._metadata()).get("pushed_authorization_request_endpoint")
        if endpoint is None:
            return url
        # Authlib has no pushed requests yet; its client authenticates this one like any other.
        async with self._spoken() as client:
            proof = client.client_auth("client_secret_basic")
            sent = await _asked(lambda: client.post(endpoint, data=dict(parse_qsl(urlsplit(url).query)), auth=proof))
        if sent.status_code != httpx2.codes.CREATED:
            raise LoginFailed(_error_of(sent))
        named = {"client_id": self._settings.client_id, "request_uri": sent.json()["request_uri"]}
        return f"{url.partition('?')[0]}?{urlencode(named)}"

    async def _read(self, tokens: Mapping[str, Any], nonce: str | None) -> LoggedIn:
        """Verify the ID token beside an access token, and read what the latter opens."""
        claims = await _asked(lambda: self._client.parse_id_token(tokens, nonce))
        if claims is None:
            raise LoginFailed(REFUSED)
        userinfo = await self._userinfo(tokens, claims["sub"])
        return LoggedIn(dict(claims), userinfo, dict(tokens), frozenset(str(tokens.get("scope", "")).split()))

    async def _userinfo(self, tokens: Mapping[str, Any], subject: str) -> Mapping[str, Any]:
        found = await _asked(lambda: self._client.userinfo(token=dict(tokens)))
        if found.get("sub") != subject:
            # Core, section 5.3.2: another person's must not be taken for theirs.
            raise LoginFailed(REFUSED)
        return dict(found)

    async def _verified(self, token: str) -> Mapping[str, Any]:
        metadata = await self._metadata()
        # What is taken is what the server says it signs with, and nothing that a token says of itself.
        registry = JWSRegistry(algorithms=metadata["id_token_signing_alg_values_supported"], strict_check_header=False)
        for force in (False, True):
            keys = KeySet.import_key_set(await _asked(partial(self._client.fetch_jwk_set, force=force)))
            try:
                read = jwt.decode(token, keys, registry=registry)
            except InvalidKeyIdError:
                # A key that is newer than what was fetched.
                continue
            except (JoseError, ValueError):
                break
            if is_of_log_outs(read.header):
                return cast("Mapping[str, Any]", read.claims)
            break
        raise LoginFailed(REFUSED)

    async def _metadata(self) -> Mapping[str, Any]:
        found = cast("Mapping[str, Any]", await _asked(self._client.load_server_metadata))
        if found.get("issuer") != self._settings.issuer:
            raise LoginFailed(REFUSED)
        return found

    @asynccontextmanager
    async def _spoken(self) -> AsyncIterator[Any]:
        async with self._client._get_oauth_client(**await self._metadata()) as client:  # noqa: SLF001 - as its integrations do
            yield client


async def _asked(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask the server something; raise :class:`LoginFailed` whatever comes instead of an answer."""
    try:
        return await ask()
    except InvalidTokenError as expired:
        raise LoginFailed(OVER) from expired
    except OAuthError as refused:
        raise LoginFailed(str(refused.error)) from refused
    except httpx2.HTTPStatusError as refused:
        over = refused.response.status_code == httpx2.codes.UNAUTHORIZED
        raise LoginFailed(OVER if over else UNREACHABLE) from refused
    except httpx2.HTTPError as silence:
        raise LoginFailed(UNREACHABLE) from silence
    except (JoseError, ValueError, LookupError) as nonsense:
        raise LoginFailed(REFUSED) from nonsense


def _error_of(answer: httpx2.Response) -> str:
    try:
        return str(answer.json()["error"])
    except (ValueError, LookupError, TypeError):
        return UNREACHABLE
