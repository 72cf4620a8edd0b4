"""The examples in Python at a running server: a site on Authlib, and a resource server that asks for more proof."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from playwright.async_api import Page, expect

from bjidp.accounts.ports import Evidence
from bjidp.clock import SystemClock
from bjidp.person import DocumentType, Person
from bjidp.proofing.ports import NewIdentity
from bjidp.vendors.http import HttpLimits, open_session
from tests.interop.authlib_site import Site, open_site
from tests.support.accounts import member_at, stores_at
from tests.support.chromium import beside_browsers
from tests.support.computer import PATIENCE, Computer
from tests.support.demo import Demo
from tests.support.identities import prove
from tests.support.processes import Process, free_port
from tests.support.screens import PASSWORD, enters
from tests.support.sites import ROOT, register

pytestmark = pytest.mark.req("RP-1", "RP-2", "LOG-8")

EXAMPLES: Final = ROOT / "examples" / "python"
SECTOR: Final = {"sector_identifier_host": "127.0.0.1"}
SUN: Final = Person(DocumentType.RESIDENT_ID, "孙示例", "101010199003079307")
QIAN: Final = Person(DocumentType.RESIDENT_ID, "钱示例", "101010199003079227")


class Programs:
    """Starts the examples as programs of their own, and ends them."""

    def __init__(self, demo: Demo, folder: Path) -> None:
        self.demo = demo
        self.running: dict[str, Process] = {}
        self._folder = folder

    async def site(self, records: str = "http://127.0.0.1:9/records") -> str:
        """Start the site; return its address."""
        own = f"http://127.0.0.1:{free_port()}"
        metadata: dict[str, object] = {
            "client_name": "示例网站",
            "client_uri": own,
            "redirect_uris": [f"{own}/callback"],
            "post_logout_redirect_uris": [f"{own}/"],
            "backchannel_logout_uri": f"{own}/backchannel-logout",
            "scope": "openid profile",
            **SECTOR,
        }
        await self._start("site.py", own, metadata, RECORDS=records)
        return own

    async def resource_server(self, of: str | None = None, **environment: str) -> str:
        """Start the resource server ``of`` a site, by default of those on this machine; return its address."""
        own = f"http://127.0.0.1:{free_port()}"
        metadata: dict[str, object] = {"client_name": "示例接口", "client_uri": of or own, "grant_types": []}
        metadata |= {} if of else SECTOR
        await self._start("resource_server.py", own, metadata, **environment)
        return own

    async def _start(self, name: str, own: str, metadata: dict[str, object], **more: str) -> None:
        given = await register(self.demo.config, metadata)
        known = {
            "ISSUER": self.demo.server,
            "PORT": own.rpartition(":")[2],
            "CLIENT_ID": given.client_id,
            "CLIENT_SECRET": str(given.client_secret),
        }
        log = self._folder / f"{name}.log"
        process = Process([sys.executable, EXAMPLES / name], log=log, environment=known | more)
        self.running[name] = process
        process.wait_until(lambda: f"ready {own}" in log.read_text("utf-8"))


@pytest.fixture
def programs(demo: Demo, tmp_path: Path) -> Iterator[Programs]:
    started = Programs(demo, tmp_path)
    yield started
    for process in started.running.values():
        process.stop()


async def agrees(page: Page) -> None:
    await expect(page.get_by_role("heading", name="授权并登录示例网站")).to_be_visible()
    await page.get_by_role("button", name="同意并登录").click()


async def status_of(page: Page, address: str) -> int:
    """Go there; return the status of what is there."""
    answer = await page.goto(address)
    assert answer is not None
    return answer.status


async def test_a_site_on_authlib_logs_somebody_in_and_out_and_is_told_of_a_logout_elsewhere(
    demo: Demo, computer: Computer, programs: Programs
) -> None:
    strange = await programs.resource_server(of="https://other.example/")
    page, site = computer.page, await programs.site(f"{strange}/records")
    await member_at(demo.config, username="authlib_9201", phone="15400089201", password=PASSWORD)
    await page.goto(site)
    await page.get_by_role("link", name="登录").click()
    await expect(page).to_have_url(re.compile("/login$"))
    await enters(demo, computer, "authlib_9201")
    await agrees(page)
    await expect(page).to_have_url(f"{site}/")
    await expect(page.get_by_text("（L1）")).to_be_visible()
    # A service of another sector takes no token of this site, and no further login would mend that.
    assert await status_of(page, f"{site}/records") == 502
    await expect(page.get_by_text("记录服务不接受本站的登录")).to_be_visible()
    await page.goto(site)
    # Out here, on both sides.
    await page.get_by_role("button", name="退出").click()
    await expect(page).to_have_url(re.compile(f"^{site}/"))
    await expect(page.get_by_text("尚未登录")).to_be_visible()
    await page.goto("/centre")
    await expect(page).to_have_url(re.compile("/login"))
    # In again, and out there: the site is told.
    await enters(demo, computer, "authlib_9201")
    await expect(page).to_have_url(re.compile("/centre$"))
    await page.goto(f"{site}/login")
    await expect(page.get_by_text("您好")).to_be_visible()
    await page.goto("/centre")
    await page.get_by_role("button", name="退出").click()
    await expect(page.get_by_text("您好")).not_to_be_visible()

    # The server tells the site a moment later.
    async with asyncio.timeout(PATIENCE / 1_000):
        while not await page.get_by_text("尚未登录").is_visible():
            await page.goto(site)


@pytest.mark.attack("Q28")
async def test_a_site_on_authlib_takes_no_answer_and_no_notice_that_it_did_not_ask_for(
    demo: Demo, computer: Computer, programs: Programs
) -> None:
    page, site = computer.page, await programs.site()
    await member_at(demo.config, username="authlib_9205", phone="15400089205", password=PASSWORD)
    await enters(demo, computer, "authlib_9205")
    await expect(page).to_have_url(re.compile("/centre$"))
    for stranger in (f"code=x&state=y&iss={demo.server}", "", "error=access_denied&state=y"):
        assert await status_of(page, f"{site}/callback?{stranger}") == 400
    await page.goto(f"{site}/login")
    await agrees(page)
    await expect(page.get_by_text("您好")).to_be_visible()
    tokens = ("", "x", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.")
    async with open_session(HttpLimits()) as http:
        for token in tokens:
            async with http.post(f"{site}/backchannel-logout", data={"logout_token": token}) as answer:
                assert answer.status == 400
        async with http.post(f"{site}/logout", headers={"Origin": "https://evil.example"}) as answer:
            assert answer.status == 403
    await page.goto(site)
    await expect(page.get_by_text("您好")).to_be_visible()
    # Begun, and answered as by another server, or as to somebody else.
    for changed in ("iss=https%3A%2F%2Fevil.example", "state=another"):
        begun = await page.context.request.get(f"{site}/login", max_redirects=0)
        state = parse_qs(urlsplit(begun.headers["location"]).query)["state"][0]
        fields = {"code": "x", "state": state, "iss": demo.server} | dict(parse_qsl(changed))
        # Before anybody is asked about the code, which is made up: that would be 502.
        assert await status_of(page, f"{site}/callback?{urlencode(fields)}") == 400


@pytest.mark.req("RNV-9")
async def test_a_resource_server_asks_for_a_level_and_the_site_leads_through_it(
    demo: Demo, computer: Computer, programs: Programs
) -> None:
    api = await programs.resource_server()
    page, site = computer.page, await programs.site(f"{api}/records")
    account = await member_at(demo.config, username="authlib_9202", phone="15400089202", password=PASSWORD)
    await enters(demo, computer, "authlib_9202")
    await expect(page).to_have_url(re.compile("/centre$"))
    await page.goto(f"{site}/login")
    await agrees(page)
    await expect(page.get_by_text("（L1）")).to_be_visible()
    await page.get_by_role("link", name="我的记录").click()
    await expect(page.get_by_text("您当前访问业务要求完成以下信息认证方可登录")).to_be_visible()
    waiting = page.url
    proved = NewIdentity(
        person=QIAN, evidence=Evidence.NAME_AND_NUMBER, evidence_reference="E1", authority_reference="A1"
    )
    async with stores_at(demo.config) as stores:
        await prove(stores.identities, account, proved, SystemClock().now())
    await page.goto(waiting)
    await expect(page).to_have_url(f"{site}/records")
    await expect(page.get_by_text("公积金缴存：正常")).to_be_visible()


async def asked(method: str, address: str, token: str | None) -> tuple[int, str | None]:
    """Call with a token; return the status and the challenge."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with open_session(HttpLimits()) as http, http.request(method, address, headers=headers) as answer:
        return answer.status, answer.headers.get("WWW-Authenticate")


async def token_of(demo: Demo, screen: Computer, site: Site, name: str) -> str:
    """Log somebody in at a site, and return its access token."""
    await enters(demo, screen, name)
    await expect(screen.page).to_have_url(re.compile("/centre$"))
    await screen.page.goto(site.sends())
    await screen.page.get_by_role("button", name="同意并登录").click()
    await expect(screen.page).to_have_url(re.compile(f"^{re.escape(site.own)}/callback\\?"))
    await site.takes(screen.page.url)
    return str(site.client.token["access_token"])


@beside_browsers
async def site_on_authlib(demo: Demo) -> AsyncIterator[Site]:
    async with open_site(demo, scope="openid profile", **SECTOR) as opened:
        yield opened


@beside_browsers
async def site_without_profile(demo: Demo) -> AsyncIterator[Site]:
    async with open_site(demo, scope="openid", **SECTOR) as opened:
        yield opened


@pytest.mark.attack("T3")
async def test_a_resource_server_says_what_is_missing_in_the_words_of_the_protocol(
    demo: Demo, computer: Computer, programs: Programs, site_on_authlib: Site
) -> None:
    api = f"{await programs.resource_server(MAX_AGE='0')}/records"
    assert await asked("GET", api, None) == (401, "Bearer")
    assert await asked("GET", api, "made-up") == (401, 'Bearer error="invalid_token"')
    await member_at(demo.config, username="authlib_9203", phone="15400089203", password=PASSWORD, document=SUN)
    token = await token_of(demo, computer, site_on_authlib, "authlib_9203")
    assert await asked("GET", api, token) == (200, None)
    # It was a moment ago, which is longer than nothing.
    needed = 'Bearer error="insufficient_user_authentication", max_age="0"'
    assert await asked("POST", api, token) == (401, needed)
    await computer.page.goto("/centre")
    await computer.page.get_by_role("button", name="退出").click()
    await expect(computer.page.get_by_role("button", name="退出")).not_to_be_visible()
    assert await asked("GET", api, token) == (401, 'Bearer error="invalid_token"')


async def test_a_resource_server_knows_scopes_levels_and_no_token_of_another_sector(
    demo: Demo, computer: Computer, programs: Programs, site_without_profile: Site
) -> None:
    own = f"{await programs.resource_server()}/records"
    await member_at(demo.config, username="authlib_9204", phone="15400089204", password=PASSWORD)
    token = await token_of(demo, computer, site_without_profile, "authlib_9204")
    assert await asked("GET", own, token) == (403, 'Bearer error="insufficient_scope", scope="profile"')
    programs.running["resource_server.py"].stop()
    others = f"{await programs.resource_server('https://elsewhere.example/')}/records"
    assert await asked("GET", others, token) == (401, 'Bearer error="invalid_token"')
