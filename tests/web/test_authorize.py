"""Where relying parties send their users: a login, an agreement, and the way back."""

from __future__ import annotations

import json
from unittest.mock import AsyncMock, patch
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from bjidp.oidc.metadata import read
from bjidp.oidc.pkce import challenge_of
from bjidp.oidc.ports import RegisteredClient
from tests.support.browser import Browser
from tests.support.forms import form_of, links, send
from tests.support.program import Program
from tests.web.test_relying_parties import CALLBACK, METADATA, VERIFIER, Site, exchange, site

pytestmark = [pytest.mark.req("LOG-8"), pytest.mark.req("RP-1")]

__all__ = ["site"]

REQUEST = {
    "client_id": "portal",
    "response_type": "code",
    "redirect_uri": CALLBACK,
    "scope": "openid phone",
    "state": "s1",
    "nonce": "n1",
    "code_challenge": challenge_of(VERIFIER),
    "code_challenge_method": "S256",
}


def address(**change: str) -> str:
    return "/oauth/authorize?" + urlencode(REQUEST | change)


async def followed(browser: Browser, path: str) -> str:
    """Return where a redirect leads."""
    answer = await browser.get(path)
    assert answer.status == 303, (answer.status, answer.text[:300])
    where = answer.header("Location")
    assert where is not None
    return where


def told(where: str) -> dict[str, str]:
    assert where.startswith(f"{CALLBACK}?")
    return dict(parse_qsl(urlsplit(where).query))


async def test_somebody_who_is_logged_in_agrees_and_goes_back(program: Program, site: Site) -> None:
    browser = await program.signed_in()
    page = await followed(browser, address())
    shown = await browser.get(page)
    assert shown.status == 200
    for words in ("授权并登录", "首都之窗", "portal.example", "手机号"):
        assert words in shown.text
    form = form_of(shown, "/oauth/continue")
    answer = await send(browser, form, "agree")
    assert answer.status == 303
    back = told(await followed(browser, str(answer.header("Location"))))
    assert (back["state"], back["iss"]) == ("s1", program.url)
    given = await site.ask("/oauth/token", exchange(back["code"]))
    assert given.status == 200, given.text


async def test_a_stranger_logs_in_first_for_the_site_by_its_name(program: Program, site: Site) -> None:
    browser = await program.browser()
    page = await followed(browser, address())
    assert await followed(browser, page) == "/login"
    shown = (await browser.get("/login")).text
    assert "安全登录首都之窗" in shown
    # What is said of our own pages would say less.
    assert "登录后会打开您要去的页面" not in shown


@pytest.mark.attack("Q23")
async def test_a_stranger_on_the_way_to_the_login_costs_one_record(program: Program, site: Site) -> None:
    browser = await program.browser()
    page = await followed(browser, address())
    opened = AsyncMock(wraps=program.rooms.stores.browsers.add)
    with patch.object(program.rooms.stores.browsers, "add", opened):
        assert await followed(browser, page) == "/login"
    assert opened.await_count == 1


async def test_a_stranger_who_has_logged_in_by_a_phone_comes_back_to_the_request(program: Program, site: Site) -> None:
    phone = await program.phone()
    browser = await program.browser()
    page = await followed(browser, address())
    assert await followed(browser, page) == "/login"
    await browser.open()
    socket = await program.socket(browser)
    scanned = await phone.scan(program.frame(await socket.screen()))
    assert scanned.json()["request"]["client"] == {"name": "首都之窗", "domain": "portal.example"}
    await socket.next("scanned")
    await phone.confirm(scanned.json())
    grant = (await socket.next("approved"))["grant"]
    assert (await browser.redeem(grant)).json() == {"next": page}
    assert (await browser.get(page)).status == 200


@pytest.mark.attack("Q23")
async def test_requests_of_one_address_are_counted(program: Program, site: Site) -> None:
    browser = await program.browser()
    answers = [(await browser.get(address())).status for _ in range(1201)]
    assert answers == [303] * 1200 + [429]


async def test_who_says_no_goes_back_with_it(program: Program, site: Site) -> None:
    browser = await program.signed_in()
    page = await followed(browser, address())
    shown = await browser.get(page)
    answer = await send(browser, form_of(shown, "/oauth/continue"), "refuse")
    assert told(str(answer.header("Location")))["error"] == "access_denied"


@pytest.mark.attack("T4")
async def test_people_are_sent_back_to_the_letter_of_the_address(program: Program, site: Site) -> None:
    callback = "https://portal.example/%7Eportal?next=%2Fhome"
    metadata = METADATA | {"redirect_uris": [callback]}
    kept = RegisteredClient(read("letter", metadata), None)
    await program.rooms.stores.relying_parties.add(kept, json.dumps(metadata), program.clock.now())
    browser = await program.signed_in()
    request = {"client_id": "letter", "redirect_uri": callback}
    assert (await followed(browser, address(**request, response_type="token"))).startswith(f"{callback}&error=")
    page = await followed(browser, address(**request))
    answer = await send(browser, form_of(await browser.get(page), "/oauth/continue"), "agree")
    assert (await followed(browser, str(answer.header("Location")))).startswith(f"{callback}&code=")


@pytest.mark.attack("W3")
async def test_after_a_posted_form_a_page_leads_on_where_no_redirect_may(program: Program, site: Site) -> None:
    browser = await program.signed_in()
    page = await followed(browser, address())
    await send(browser, form_of(await browser.get(page), "/oauth/continue"), "agree")
    left = await browser.get(page, Referer=f"{program.url}{page}")
    assert left.status == 200
    [where] = [link for link in links(left) if link.startswith(CALLBACK)]
    assert 'http-equiv="refresh"' in left.text
    assert "code=" in where


async def test_a_request_that_was_pushed_is_named_and_goes_on_as_any_other(program: Program, site: Site) -> None:
    pushed = await site.ask("/oauth/par", REQUEST | {"state": "pushed"})
    assert (pushed.status, pushed.json()["expires_in"]) == (201, 90), pushed.text
    browser = await program.signed_in()
    named = urlencode({"client_id": "portal", "request_uri": pushed.json()["request_uri"]})
    page = await followed(browser, f"/oauth/authorize?{named}")
    answer = await send(browser, form_of(await browser.get(page), "/oauth/continue"), "refuse")
    assert told(str(answer.header("Location")))["state"] == "pushed"
    assert (await browser.get(f"/oauth/authorize?{named}")).status == 410


async def test_who_pushes_a_request_is_told_what_is_wrong_with_it(site: Site) -> None:
    refused = await site.ask("/oauth/par", REQUEST | {"redirect_uri": "https://evil.example/"})
    assert (refused.status, refused.json()["error"]) == (400, "invalid_request")
    assert "redirect_uri" in refused.json()["error_description"]
    nobody = await site.ask("/oauth/par", REQUEST, Authorization="")
    assert (nobody.status, nobody.json()["error"]) == (401, "invalid_client")


async def test_a_request_that_nobody_knows_is_a_page(program: Program, site: Site) -> None:
    browser = await program.signed_in()
    answer = await browser.get("/oauth/continue?request=unknown")
    assert answer.status == 410
    assert "这次登录请求已经结束" in answer.text
    answer = await browser.get(address(client_id="nobody"))
    assert answer.status == 400
    assert "没有找到要登录的网站或应用" in answer.text
    answer = await browser.get(address(redirect_uri="https://evil.example/"))
    assert (answer.status, answer.header("Location")) == (400, None)
