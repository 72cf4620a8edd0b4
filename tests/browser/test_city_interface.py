"""A site that is integrated with the city's own interface, as its users see the login: the host alone is another."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from playwright.async_api import Page, Route, expect

from bjidp import registrar
from bjidp.bootstrap import read_keyring
from bjidp.config.loader import load
from tests.browser.test_journeys import at_home
from tests.support.accounts import member_at
from tests.support.computer import Computer
from tests.support.demo import Demo
from tests.support.handset import Handset
from tests.support.looks import Looks
from tests.support.screens import PASSWORD

NAME, CALLBACK = "社保查询", "https://service.example/callback"

pytestmark = pytest.mark.req("RP-5", "LOG-8")


async def address(demo: Demo, site: str, path: str) -> str:
    """Register a site; return where it sends its users."""
    settings = load(demo.config, {})
    metadata: dict[str, object] = {
        "client_name": NAME,
        "client_uri": "https://service.example/",
        "redirect_uris": [CALLBACK],
        "interface": "beijing",
        "client_id": site,
    }
    await registrar.on(settings.storage.database_url, lambda them: them.add(metadata), read_keyring(settings))
    asked = {"client_id": site, "redirect_uri": CALLBACK, "response_type": "code", "scope": "user_info", "state": "s1"}
    return f"{demo.server}/renzheng{path}?{urlencode(asked)}"


async def comes_back(page: Page) -> None:
    """Agree to all that the site reads, and return to it with a code."""
    main = page.get_by_role("main")
    for words in (NAME, "service.example", "手机号", "证件号码", "民族"):
        await expect(main).to_contain_text(words)
    await page.route(f"{CALLBACK}**", _site)
    await page.get_by_role("button", name="同意并登录").click()
    await expect(page).to_have_url(re.compile(rf"^{re.escape(CALLBACK)}\?"))
    told = dict(parse_qsl(urlsplit(page.url).query))
    assert (set(told), told["state"]) == ({"code", "state"}, "s1")


async def _site(route: Route) -> None:
    await route.fulfill(content_type="text/html", body='<!doctype html><html lang="zh"><title>社保查询</title>')


async def test_somebody_at_a_computer_scans_for_such_a_site_and_comes_back_to_it(
    demo: Demo, computer: Computer, phone: Handset
) -> None:
    page, looks = computer.page, Looks(computer, "city-pc")
    await at_home(demo, phone, "李思远")
    await page.goto(await address(demo, "100100000011", "/open/login/goUserLogin"))
    await computer.shows("waiting")
    await phone.scans(computer, question=f"登录{NAME}？")
    await phone.shows(NAME, "service.example")
    await phone.confirms()
    await expect(page).to_have_url(re.compile(r"/oauth/continue\?request="))
    await looks.at("agree")
    await comes_back(page)
    assert looks.found == []


async def test_somebody_on_a_phone_logs_in_for_such_a_site_and_comes_back_to_it(demo: Demo, handheld: Computer) -> None:
    page, looks = handheld.page, Looks(handheld, "city-h5")
    await member_at(demo.config, username="city_9701", phone="15400089701", password=PASSWORD)
    await page.goto(await address(demo, "100100000012", "/open/m/login/goUserLogin"))
    await expect(page).to_have_url(re.compile(r"/h5/login"))
    await page.locator("#f-account").fill("15400089701")
    await page.locator("#f-password").fill(PASSWORD)
    await page.locator("#f-captcha").fill(await handheld.captcha(demo))
    await page.get_by_role("checkbox").check()
    await page.get_by_role("button", name="授权并登录").click()
    await expect(page).to_have_url(re.compile(r"/h5/oauth/continue\?request="))
    await looks.at("agree")
    await comes_back(page)
    assert looks.found == []
