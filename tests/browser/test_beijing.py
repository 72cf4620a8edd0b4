"""People log in to a site of the city's own interface, at a computer and on a phone (RP-5)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import pytest
from msgspec import Struct
from playwright.async_api import Page, Route, expect

from bjidp.clock import SystemClock
from bjidp.oidc.beijing.sealing import opened, sealed
from tests.browser.test_portal import agrees, enters
from tests.support.accounts import member_at
from tests.support.computer import Computer
from tests.support.demo import Demo
from tests.support.device import register
from tests.support.handset import Handset
from tests.support.looks import Looks
from tests.support.screens import PASSWORD
from tests.support.town import acquaint

pytestmark = pytest.mark.req("RP-5", "LOG-8")

CALLBACK: Final = "https://shebao.example/callback"
READS: Final = "授权并登录后将读取您的身份信息"


class Site(Struct, frozen=True):
    """A site of the interface at a running server."""

    server: str
    client_id: str
    secret: str

    def asks(self, path: str, **more: str) -> str:
        """Return where it sends people."""
        request = {
            "client_id": self.client_id,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "user_info",
            "state": "s1",
        }
        return f"{self.server}/renzheng{path}?{urlencode(request | more)}"

    async def reads(self, page: Page, where: str) -> dict[str, Any]:
        """Exchange the code that somebody came back with; return what the site reads of them."""
        assert where.startswith(f"{CALLBACK}?")
        back = parse_qs(urlsplit(where).query)
        assert (set(back), back["state"]) == ({"code", "state"}, ["s1"])
        asked: dict[str, str | float | bool] = {
            "client_id": self.client_id,
            "grant_type": "authorization_code",
            "grant_code": back["code"][0],
            "auth_token": sealed(f"{self.client_id}:{self.secret}:{SystemClock().now()}", self.secret),
        }
        base = f"{self.server}/renzheng/api"
        given = await (await page.request.post(f"{base}/oauth/getAccessToken", form=asked)).json()
        assert given["meta"]["code"] == 0, given
        shown = {"access_token": given["data"]["access_token"]}
        told = await (await page.request.get(f"{base}/info/getUserInfo", params=shown)).json()
        assert told["meta"]["code"] == 0, told
        read: dict[str, Any] = told["data"]
        return read


def registered(demo: Demo, folder: Path, **more: object) -> Site:
    """Register a site with the command."""
    metadata: dict[str, object] = {
        "client_name": "社保查询",
        "client_uri": "https://shebao.example/",
        "redirect_uris": [CALLBACK],
        "interface": "beijing",
    }
    given = register(folder, demo.data, metadata | more)
    return Site(demo.server, given["client_id"], given["client_secret"])


async def back_at(page: Page) -> str:
    """Wait until somebody is back at the site; return where."""
    await expect(page).to_have_url(re.compile(r"^https://shebao\.example/callback\?"))
    return page.url


async def _home(route: Route) -> None:
    await route.fulfill(content_type="text/html", body='<!doctype html><html lang="zh"><title>社保查询</title>')


async def test_somebody_at_a_computer_scans_and_agrees_to_what_the_site_reads(
    demo: Demo, tmp_path: Path, computer: Computer, phone: Handset
) -> None:
    own = {"client_id": "100100000002", "client_secret": "ffeeddccbbaa99887766554433221100"}
    site = registered(demo, tmp_path, **own)
    assert (site.client_id, site.secret) == tuple(own.values())
    page, looks = computer.page, Looks(computer, "beijing-pc")
    await acquaint(demo, "李思远", "wechat")
    await phone.log_in("李思远", "wechat")
    await phone.is_home("李**")
    await page.route("https://shebao.example/**", _home)
    await page.goto(site.asks("/open/login/goUserLogin"))
    await computer.shows("waiting")
    await expect(page.get_by_role("main")).to_contain_text("社保查询")
    await looks.at("login")
    await phone.scans(computer, "登录社保查询？")
    await phone.shows("社保查询", "shebao.example")
    await phone.confirms()
    await expect(page.get_by_role("heading", level=1)).to_have_text("授权并登录社保查询")
    await looks.at("consent")
    await agrees(page, "社保查询", "shebao.example", READS, "手机号", "证件号码", "民族", "李**")
    read = await site.reads(page, await back_at(page))
    assert (read["certName"], read["certLevel"], read["clientId"]) == ("李思远", "L3", site.client_id)
    assert re.fullmatch(r"\d{17}[\dX]", str(opened(read["certNo"], site.secret)))
    assert looks.found == []


async def test_somebody_on_a_phone_enters_a_password_and_agrees_to_what_the_site_reads(
    demo: Demo, tmp_path: Path, handheld: Computer
) -> None:
    site = registered(demo, tmp_path)
    page, looks = handheld.page, Looks(handheld, "beijing-h5")
    await member_at(demo.config, username="beijing_h5", phone="15400089401", password=PASSWORD)
    await page.route("https://shebao.example/**", _home)
    await page.goto(site.asks("/open/m/login/goUserLogin"))
    await expect(page).to_have_url(re.compile("/h5/login"))
    await looks.at("login")
    await enters(demo, handheld, "15400089401")
    await expect(page.get_by_role("heading", level=1)).to_have_text("授权并登录社保查询")
    await looks.at("consent")
    await agrees(page, "社保查询", "shebao.example", READS, "手机号", "证件号码", "民族")
    read = await site.reads(page, await back_at(page))
    assert (read["userName"], read["mobile"], read["certLevel"]) == ("beijing_h5", "15400089401", "L1")
    assert (read["certName"], read["certNo"]) == ("", "")
    # Agreed once, and logged in: the app's own address leads straight back.
    where = site.asks("/open/auth/authorize", toonType="102", personToken="p" * 256)
    for _ in range(2):
        led = await page.request.get(where, max_redirects=0)
        where = urljoin(demo.server, led.headers["location"])
    assert (await site.reads(page, where))["uniqueId"] == read["uniqueId"]
    assert looks.found == []
