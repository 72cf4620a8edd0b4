"""A site on Authlib logs people in, at a running server."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from authlib.integrations.base_client import OAuthError
from playwright.async_api import expect

from tests.interop.authlib_site import Site, open_site
from tests.support.accounts import member_at
from tests.support.chromium import beside_browsers
from tests.support.computer import Computer
from tests.support.demo import Demo
from tests.support.screens import PASSWORD, enters

pytestmark = pytest.mark.req("RP-1", "LOG-8")


@beside_browsers
async def site(demo: Demo) -> AsyncIterator[Site]:
    async with open_site(demo) as opened:
        yield opened


async def agrees(computer: Computer, site: Site, address: str) -> str:
    """Go where the site sends one, agree, and return where that has led."""
    await computer.page.goto(address)
    await computer.page.get_by_role("button", name="同意并登录").click()
    await expect(computer.page).to_have_url(re.compile(f"^{re.escape(site.own)}/callback\\?"))
    return computer.page.url


async def test_a_site_on_authlib_logs_somebody_in_reads_refreshes_and_gives_its_tokens_back(
    demo: Demo, computer: Computer, site: Site
) -> None:
    await member_at(demo.config, username="authlib_9101", phone="15400089101", password=PASSWORD)
    await enters(demo, computer, "authlib_9101")
    await expect(computer.page).to_have_url(re.compile("/centre$"))
    claims = await site.takes(await agrees(computer, site, site.sends(prompt="consent")))
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
    claims = await site.takes(await agrees(computer, site, f"{site.known['authorization_endpoint']}?{named}"))
    read = await site.reads()
    assert read is not None
    assert read["sub"] == claims["sub"]


async def test_a_site_on_authlib_logs_its_user_out_and_gets_them_back(
    demo: Demo, computer: Computer, site: Site
) -> None:
    await member_at(demo.config, username="authlib_9103", phone="15400089103", password=PASSWORD)
    await enters(demo, computer, "authlib_9103")
    await expect(computer.page).to_have_url(re.compile("/centre$"))
    await site.takes(await agrees(computer, site, site.sends()))
    # Authlib has no call for it: the address is the specification's.
    asked = {
        "id_token_hint": site.client.token["id_token"],
        "post_logout_redirect_uri": f"{site.own}/goodbye",
        "state": "bye",
    }
    await computer.page.goto(f"{site.known['end_session_endpoint']}?{urlencode(asked)}")
    await expect(computer.page).to_have_url(f"{site.own}/goodbye?state=bye")
    assert await site.reads() is None
    await computer.page.goto("/centre")
    await expect(computer.page).to_have_url(re.compile("/login$"))
