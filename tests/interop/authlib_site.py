"""A site on Authlib, which has found the server by its issuer alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from authlib.common.security import generate_token
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.support.demo import Demo
from tests.support.sites import register


class Site:
    """A site that has found the server by its issuer alone."""

    def __init__(self, client: AsyncOAuth2Client, own: str, known: dict[str, Any]) -> None:
        self.client = client
        self.own = own
        self.known = known
        self.verifier = generate_token(48)
        self.nonce = generate_token(16)

    def sends(self, **more: str) -> str:
        """Return the address that a user is sent to."""
        url, self.state = self.client.create_authorization_url(
            self.known["authorization_endpoint"], code_verifier=self.verifier, nonce=self.nonce, **more
        )
        return str(url)

    async def takes(self, back: str) -> dict[str, Any]:
        """Take the user back from ``back``; return what the ID token says, verified."""
        given = await self.client.fetch_token(
            self.known["token_endpoint"],
            authorization_response=back,
            state=self.state,
            code_verifier=self.verifier,
        )
        return await self.verified(given, self.nonce)

    async def verified(self, given: dict[str, Any], nonce: str | None = None) -> dict[str, Any]:
        """Return what an ID token says, by the keys that the server publishes."""
        keys = KeySet.import_key_set(
            (await self.client.request("GET", self.known["jwks_uri"], withhold_token=True)).json()
        )
        token = jwt.decode(given["id_token"], keys, self.known["id_token_signing_alg_values_supported"])
        claims = CodeIDToken(
            token.claims,
            token.header,
            {"iss": {"value": self.known["issuer"]}, "aud": {"value": self.client.client_id}},
            {"nonce": nonce, "access_token": given["access_token"], "client_id": self.client.client_id},
        )
        claims.validate()
        return dict(claims)

    async def reads(self) -> dict[str, Any] | None:
        """Return userinfo, by the token that the library holds; None when that is refused."""
        answer = await self.client.get(self.known["userinfo_endpoint"])
        return dict(answer.json()) if answer.status_code == 200 else None


@asynccontextmanager
async def open_site(demo: Demo, **metadata: object) -> AsyncIterator[Site]:
    """Register a site whose metadata differ so from an ordinary one's, and let it find the server."""
    async with AsyncExitStack() as stack:
        own = await stack.enter_async_context(_pages())
        known: dict[str, object] = {
            "client_name": "示例网站",
            "client_uri": own,
            "redirect_uris": [f"{own}/callback"],
            "post_logout_redirect_uris": [f"{own}/goodbye"],
            "grant_types": ["authorization_code", "refresh_token"],
            "scope": "openid profile offline_access",
        }
        given = await register(demo.config, known | metadata)
        client = AsyncOAuth2Client(
            given.client_id,
            given.client_secret,
            scope=(known | metadata)["scope"],
            redirect_uri=f"{own}/callback",
            code_challenge_method="S256",
        )
        await stack.enter_async_context(client)
        address = f"{demo.server}/.well-known/openid-configuration"
        yield Site(client, own, (await client.request("GET", address, withhold_token=True)).json())


@asynccontextmanager
async def _pages() -> AsyncIterator[str]:
    """Serve what a browser finds at the site; yield its address."""
    app = web.Application()
    app.router.add_get("/{page}", _page)
    async with TestServer(app, host="127.0.0.1") as server:
        yield str(server.make_url("/")).rstrip("/")


async def _page(_: web.Request) -> web.Response:
    return web.Response(text='<!doctype html><html lang="zh"><title>示例网站</title>', content_type="text/html")
