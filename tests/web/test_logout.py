"""Where sites send their users to be logged out, and what other sites hear of it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import jwt
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bjidp.clock import SECOND
from bjidp.oidc.logouts.telling import PAUSE, TAKEN_FOR
from bjidp.oidc.metadata import read
from bjidp.oidc.ports import RegisteredClient
from tests.support.browser import Browser
from tests.support.calls import PATIENCE, Answer
from tests.support.forms import form_of, links, send
from tests.support.program import Program
from tests.web.test_authorize import address, followed, told
from tests.web.test_relying_parties import CALLBACK, FORM, METADATA, Site, exchange, site

pytestmark = [pytest.mark.req("RP-1")]

__all__ = ["site"]

BACK = "https://portal.example/bye?from=id"


class Listening:
    """Sites that listen for log-outs at one address each."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.heard: asyncio.Queue[str] = asyncio.Queue()
        app = web.Application()
        app.router.add_post("/{site}", self._hear)
        self.server = TestServer(app, host="127.0.0.1")

    async def _hear(self, request: web.Request) -> web.Response:
        posted = await request.post()
        assert list(posted) == ["logout_token"]
        await self.heard.put(str(posted["logout_token"]))
        return web.Response()

    async def register(self, client: str) -> None:
        metadata = METADATA | {
            "backchannel_logout_uri": str(self.server.make_url(f"/{client}")),
            "post_logout_redirect_uris": [BACK],
        }
        registered = RegisteredClient(read(client, metadata), hashlib.sha256(b"secret").digest())
        stores = self.program.rooms.stores
        await stores.relying_parties.add(registered, msgspec.json.encode(metadata).decode(), self.program.clock.now())

    async def next(self) -> dict[str, Any]:
        """Return the claims of the next token that comes; its signature is looked at too."""
        await self.program.advance(PAUSE)
        async with asyncio.timeout(PATIENCE):
            token = await self.heard.get()
        browser = await self.program.caller()
        keys = (await browser.send("GET", "/oauth/keys", headers={"Host": browser.to.authority})).json()["keys"]
        head = jwt.get_unverified_header(token)
        assert head["typ"] == "logout+jwt"
        [key] = [key for key in keys if key["kid"] == head["kid"]]
        claims: dict[str, Any] = jwt.decode(
            token, jwt.PyJWK(key), ["ES256"], issuer=self.program.url,
            options={"verify_exp": False, "verify_iat": False, "verify_aud": False},
        )  # fmt: skip
        return claims


@pytest.fixture
async def sites(program: Program, site: Site) -> AsyncIterator[Listening]:
    listening = Listening(program)
    await listening.server.start_server()
    for client in ("news", "mail"):
        await listening.register(client)
    yield listening
    await listening.server.close()


async def log_in(browser: Browser, at: Site, client: str) -> dict[str, Any]:
    """Log in to a site and return what it is given."""
    page = await followed(browser, address(client_id=client))
    answer = await send(browser, form_of(await browser.get(page), "/oauth/continue"), "agree")
    code = told(await followed(browser, str(answer.header("Location"))))["code"]
    given = await at.ask("/oauth/token", exchange(code), Authorization=basic(client))
    assert given.status == 200, given.text
    return given.json()


def basic(client: str) -> str:
    return "Basic " + base64.b64encode(f"{client}:secret".encode()).decode()


async def wish(browser: Browser, **parameters: str) -> Answer:
    return await browser.get("/oauth/logout?" + urlencode(parameters))


async def opened(browser: Browser, answer: Answer) -> Answer:
    assert answer.status == 303, answer.text
    return await browser.get(str(answer.header("Location")))


async def is_in(browser: Browser) -> bool:
    return (await browser.get("/centre")).status == 200


async def test_a_site_that_names_the_session_logs_its_user_out_and_every_other_site_hears_of_it(
    program: Program, site: Site, sites: Listening
) -> None:
    browser = await program.signed_in()
    given = {client: await log_in(browser, site, client) for client in ("news", "mail")}
    left = await opened(
        browser,
        await wish(browser, id_token_hint=given["news"]["id_token"], post_logout_redirect_uri=BACK, state="s 1"),
    )
    assert (left.status, left.header("Location")) == (303, f"{BACK}&state=s+1")
    assert not await is_in(browser)
    heard = [await sites.next(), await sites.next()]
    assert {claims["aud"] for claims in heard} == {"news", "mail"}
    for claims in heard:
        named = jwt.decode(given[claims["aud"]]["id_token"], options={"verify_signature": False})
        assert (claims["sid"], claims["sub"]) == (named["sid"], named["sub"])
        assert "nonce" not in claims
    assert [(await site.get("/oauth/userinfo", one["access_token"])).status for one in given.values()] == [401, 401]


async def test_whoever_is_logged_in_is_asked_unless_the_session_is_named(
    program: Program, site: Site, sites: Listening
) -> None:
    browser = await program.signed_in()
    page = await opened(browser, await wish(browser, client_id="news", post_logout_redirect_uri=BACK))
    assert page.status == 200
    for words in ("退出登录？", "首都之窗"):
        assert words in page.text
    stayed = await send(browser, form_of(page, "/oauth/leave"), "stay")
    assert stayed.header("Location") == "/centre"
    assert await is_in(browser)
    page = await opened(browser, await wish(browser, client_id="news", post_logout_redirect_uri=BACK))
    left = await send(browser, form_of(page, "/oauth/leave"), "leave", Referer=f"{program.url}/oauth/leave")
    assert (left.status, left.header("Location")) == (200, None), "no redirect after a form of ours"
    assert BACK in links(left)
    assert not await is_in(browser)


async def test_a_token_of_another_session_is_no_answer_for_this_one(
    program: Program, site: Site, sites: Listening
) -> None:
    elsewhere = await log_in(await program.signed_in(), site, "news")
    browser = await program.signed_in()
    page = await opened(browser, await wish(browser, id_token_hint=elsewhere["id_token"]))
    assert (page.status, await is_in(browser)) == (200, True)


async def test_a_token_whose_time_is_over_names_its_session_still(
    program: Program, site: Site, sites: Listening
) -> None:
    browser = await program.signed_in()
    given = await log_in(browser, site, "news")
    program.clock.advance(3600)
    left = await opened(browser, await wish(browser, id_token_hint=given["id_token"]))
    assert (left.status, await is_in(browser)) == (200, False)
    assert "您已退出" in left.text


async def test_a_form_of_another_site_comes_without_a_cookie_and_is_led_to_a_page_of_ours(
    program: Program, site: Site, sites: Listening
) -> None:
    browser = await program.signed_in()
    given = await log_in(browser, site, "news")
    caller = await program.caller()
    body = urlencode({"id_token_hint": given["id_token"], "post_logout_redirect_uri": BACK})
    headers = {"Host": caller.to.authority, "Content-Type": FORM, "Origin": "https://portal.example"}
    taken = await caller.send("POST", "/oauth/logout", headers=headers, body=body.encode())
    left = await opened(browser, taken)
    assert (left.status, left.header("Location")) == (303, BACK)
    assert not await is_in(browser)


async def test_who_is_not_logged_in_goes_straight_back(program: Program, site: Site, sites: Listening) -> None:
    browser = await program.browser()
    left = await opened(browser, await wish(browser, client_id="news", post_logout_redirect_uri=BACK))
    assert (left.status, left.header("Location"), left.header("Set-Cookie")) == (303, BACK, None)
    left = await opened(browser, await wish(browser))
    assert (left.status, left.header("Set-Cookie")) == (200, None)


@pytest.mark.attack("T4")
@pytest.mark.parametrize(
    "parameters",
    [
        {"post_logout_redirect_uri": BACK},
        {"client_id": "news", "post_logout_redirect_uri": "https://evil.example/"},
        {"client_id": "news", "post_logout_redirect_uri": f"{BACK}/"},
        {"client_id": "news", "post_logout_redirect_uri": CALLBACK},
        {"client_id": "portal", "post_logout_redirect_uri": BACK},
        {"client_id": "nobody", "post_logout_redirect_uri": BACK},
        {"client_id": "news", "post_logout_redirect_uri": BACK, "id_token_hint": "a.b.c"},
        {"id_token_hint": "a.b.c", "post_logout_redirect_uri": BACK},
        {"client_id": "news", "post_logout_redirect_uri": BACK, "state": "密"},
        {"client_id": "news", "post_logout_redirect_uri": BACK, "state": "x" * 1025},
    ],
)
async def test_nobody_is_sent_to_an_address_that_the_site_has_not_registered(
    program: Program, site: Site, sites: Listening, parameters: dict[str, str]
) -> None:
    browser = await program.signed_in()
    answer = await wish(browser, **parameters)
    assert (answer.status, answer.header("Location")) == (400, None)
    assert await is_in(browser)


@pytest.mark.attack("T4")
async def test_a_token_of_one_site_is_no_wish_of_another(program: Program, site: Site, sites: Listening) -> None:
    browser = await program.signed_in()
    given = await log_in(browser, site, "news")
    answer = await wish(browser, client_id="mail", id_token_hint=given["id_token"], post_logout_redirect_uri=BACK)
    assert (answer.status, await is_in(browser)) == (400, True)
    page = await opened(browser, await wish(browser, client_id="mail", id_token_hint=given["id_token"]))
    assert (page.status, await is_in(browser)) == (200, True)


@pytest.mark.parametrize("body", [b"{}", b"state=%ff", b"&&=", b"state=1&state=2", b"a=" + b"x" * 60_000])
async def test_no_body_makes_the_endpoint_fail(program: Program, site: Site, body: bytes) -> None:
    caller = await program.caller()
    for kind in (FORM, "application/json"):
        headers = {"Host": caller.to.authority, "Content-Type": kind}
        answer = await caller.send("POST", "/oauth/logout", headers=headers, body=body)
        assert answer.status in {303, 400, 415, 422}


@pytest.mark.req("ACC-7")
async def test_sites_hear_of_a_cancelled_account_by_the_name_they_knew_it_by(
    program: Program, site: Site, sites: Listening
) -> None:
    browser = await program.signed_in()
    given = await log_in(browser, site, "news")
    [(account,)] = program.sql("SELECT account FROM oidc_grant")
    await program.rooms.stores.members.cancel(account, program.clock.now())
    claims = await sites.next()
    named = jwt.decode(given["id_token"], options={"verify_signature": False})
    assert (claims["aud"], claims["sub"]) == ("news", named["sub"])
    assert "sid" not in claims
    assert program.sql("SELECT count(*) FROM oidc_subject") == [(0,)]


async def test_a_library_finds_the_endpoint(site: Site) -> None:
    found = (await site.get("/.well-known/openid-configuration")).json()
    assert found["end_session_endpoint"] == f"{site.program.url}/oauth/logout"
    assert found["backchannel_logout_supported"] is True
    assert found["backchannel_logout_session_supported"] is True


async def test_a_process_that_dies_over_a_log_out_leaves_no_site_untold(
    program: Program, site: Site, sites: Listening
) -> None:
    browser = await program.signed_in()
    await log_in(browser, site, "news")
    form = form_of(await browser.get("/centre"), "/logout")
    program.lives[0].ends_after(1, of=("sessions",))
    assert await program.survives(send(browser, form)) is None
    await program.comes_back(memory=False)
    assert (await sites.next())["aud"] == "news"
    assert not await is_in(browser)


async def test_a_site_of_which_it_was_not_noted_that_it_was_told_is_told_again_by_the_same_name(
    program: Program, site: Site, sites: Listening
) -> None:
    browser = await program.signed_in()
    await log_in(browser, site, "news")
    program.meddler.breaks("logouts.told")
    await send(browser, form_of(await browser.get("/centre"), "/logout"))
    first = await sites.next()
    await program.comes_back(memory=False)
    program.meddler.mends()
    await program.advance(TAKEN_FOR // SECOND)
    assert (await sites.next())["jti"] == first["jti"]
    assert program.sql("SELECT attempts, outcome FROM logout_outbox") == [(2, "told")]
