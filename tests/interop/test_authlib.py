"""A site on Authlib logs people in, at a running server."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet
from playwright.async_api import Page, Route, expect

from tests.support.accounts import member_at
from tests.support.chromium import beside_browsers
from tests.support.computer import Computer
from tests.support.demo import Demo
from tests.support.screens import PASSWORD, enters
from tests.support.sites import register

pytestmark = pytest.mark.req("RP-1", "LOG-8")

CALLBACK = "https://site.example/callback"


class Site:
    """A site that has found the server by its issuer alone."""

    def __init__(self, client: AsyncOAuth2Client, known: dict[str, Any]) -> None:
        self.client = client
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
        return await self.verified(given)

    async def verified(self, given: dict[str, Any]) -> dict[str, Any]:
        keys = KeySet.import_key_set(
            (await self.client.request("GET", self.known["jwks_uri"], withhold_token=True)).json()
        )
        token = jwt.decode(given["id_token"], keys, self.known["id_token_signing_alg_values_supported"])
        claims = CodeIDToken(
            token.claims,
            token.header,
            {"iss": {"value": self.known["issuer"]}, "aud": {"value": self.client.client_id}},
            {"nonce": self.nonce, "access_token": given["access_token"], "client_id": self.client.client_id},
        )
        claims.validate()
        return dict(claims)

    async def reads(self) -> dict[str, Any] | None:
        """Return userinfo, by the token that the library holds; None when that is refused."""
        answer = await self.client.get(self.known["userinfo_endpoint"])
        return dict(answer.json()) if answer.status_code == 200 else None


@beside_browsers
async def site(demo: Demo) -> AsyncIterator[Site]:
    given = await register(
        demo.config,
        {
            "client_name": "示例网站",
            "client_uri": "https://site.example/",
            "redirect_uris": [CALLBACK],
            "grant_types": ["authorization_code", "refresh_token"],
            "scope": "openid profile offline_access",
        },
    )
    client = AsyncOAuth2Client(
        given.client_id,
        given.client_secret,
        scope="openid profile offline_access",
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
    )
    async with client:
        address = f"{demo.server}/.well-known/openid-configuration"
        yield Site(client, (await client.request("GET", address, withhold_token=True)).json())


async def agrees(page: Page, address: str) -> str:
    """Go where the site sends one, agree, and return where that has led."""
    await page.route("https://site.example/**", _home)
    await page.goto(address)
    await page.get_by_role("button", name="同意并登录").click()
    await expect(page).to_have_url(re.compile(r"^https://site\.example/callback\?"))
    return page.url


async def _home(route: Route) -> None:
    await route.fulfill(content_type="text/html", body='<!doctype html><html lang="zh"><title>示例网站</title>')


async def test_a_site_on_authlib_logs_somebody_in_reads_refreshes_and_gives_its_tokens_back(
    demo: Demo, computer: Computer, site: Site
) -> None:
    await member_at(demo.config, username="authlib_9101", phone="15400089101", password=PASSWORD)
    await enters(demo, computer, "authlib_9101")
    await expect(computer.page).to_have_url(re.compile("/centre$"))
    claims = await site.takes(await agrees(computer.page, site.sends(prompt="consent")))
    assert (claims["acr"], claims["amr"], claims["nonce"]) == ("L1", ["pwd"], site.nonce)
    read = await site.reads()
    assert read is not None
    assert (read["sub"], read["preferred_username"]) == (claims["sub"], "authlib_9101")
    old = site.client.token["refresh_token"]
    again = await site.client.refresh_token(site.known["token_endpoint"])
    assert again["refresh_token"] != old
    assert await site.reads() is not None
    told = (
        await site.client.introspect_token(site.known["introspection_endpoint"], token=again["access_token"])
    ).json()
    assert (told["active"], told["sub"]) == (True, claims["sub"])
    await site.client.revoke_token(site.known["revocation_endpoint"], token=again["refresh_token"])
    assert await site.reads() is None
    with pytest.raises(OAuthError, match="invalid_grant"):
        await site.client.refresh_token(site.known["token_endpoint"], refresh_token=again["refresh_token"])


async def test_a_site_on_authlib_pushes_its_request(demo: Demo, computer: Computer, site: Site) -> None:
    await member_at(demo.config, username="authlib_9102", phone="15400089102", password=PASSWORD)
    await enters(demo, computer, "authlib_9102")
    await expect(computer.page).to_have_url(re.compile("/centre$"))
    # Authlib builds the request as ever; where it is posted, and what the browser is sent with, is RFC 9126's.
    asked = dict(parse_qsl(urlsplit(site.sends()).query))
    pushed = await site.client.post(
        site.known["pushed_authorization_request_endpoint"],
        data=asked,
        auth=site.client.client_auth(site.client.token_endpoint_auth_method),
    )
    assert pushed.status_code == 201, pushed.text
    named = urlencode({"client_id": site.client.client_id, "request_uri": pushed.json()["request_uri"]})
    claims = await site.takes(await agrees(computer.page, f"{site.known['authorization_endpoint']}?{named}"))
    read = await site.reads()
    assert read is not None
    assert read["sub"] == claims["sub"]
