"""Sites and terminals on openid-client log people in: the examples of ``examples/node``, at a running server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey
from msgspec import UNSET
from playwright.async_api import Page, expect

from tests.support.accounts import member_at
from tests.support.computer import Computer
from tests.support.demo import Demo
from tests.support.processes import free_port
from tests.support.screens import PASSWORD, enters
from tests.support.sites import ROOT, Example, register

pytestmark = pytest.mark.req("RP-1", "LOG-8")


OWN = ECKey.generate_key("P-256")
"""What a site signs with."""


class Sites:
    """Starts sites, and ends them."""

    def __init__(self, demo: Demo, folder: Path) -> None:
        self.demo = demo
        self.running: list[Example] = []
        self._folder = folder

    async def open(self, *, backchannel: bool = False, **metadata: object) -> str:
        """Start a site whose registration differs so from the others'; return its address."""
        own = f"http://127.0.0.1:{free_port()}"
        if backchannel:
            metadata["backchannel_logout_uri"] = f"{own}/backchannel-logout"
        known: dict[str, object] = {
            "client_name": "示例网站",
            "client_uri": own,
            "redirect_uris": [f"{own}/callback"],
            "post_logout_redirect_uris": [f"{own}/"],
            "grant_types": ["authorization_code", "refresh_token"],
            "scope": "openid profile offline_access",
        }
        given = await register(self.demo.config, known | metadata)
        environment = {
            "ISSUER": self.demo.server,
            "PORT": own.rpartition(":")[2],
            "CLIENT_ID": given.client_id,
            "SCOPE": str((known | metadata)["scope"]),
        }
        if given.client_secret is UNSET:
            environment["CLIENT_KEY"] = json.dumps(OWN.as_dict(private=True))
        else:
            environment["CLIENT_SECRET"] = given.client_secret
        if metadata.get("require_pushed_authorization_requests"):
            environment["PUSHED"] = "1"
        self.running.append(Example("site.mjs", self._folder / f"site-{len(self.running)}", environment))
        self.running[-1].wait_until_it_says(f"ready {own}")
        return own


@pytest.fixture
def sites(demo: Demo, tmp_path: Path) -> Iterator[Sites]:
    started = Sites(demo, tmp_path)
    yield started
    for site in started.running:
        site.stop()


async def told(page: Page) -> dict[str, Any]:
    """Return what the site shows of its visitor: the ID token's claims, userinfo and introspection."""
    shown: dict[str, Any] = json.loads(await page.locator("#claims").inner_text())
    return shown


async def agrees(page: Page) -> None:
    await expect(page.get_by_role("heading", name="授权并登录示例网站")).to_be_visible()
    await page.get_by_role("button", name="同意并登录").click()


async def test_a_site_on_openid_client_logs_somebody_in_reads_refreshes_and_gives_its_tokens_back(
    demo: Demo, computer: Computer, sites: Sites
) -> None:
    page = computer.page
    await member_at(demo.config, username="node_9001", phone="15400089001", password=PASSWORD)
    site = await sites.open()
    await page.goto(site)
    await page.get_by_role("link", name="登录").click()
    await expect(page).to_have_url(re.compile("/login$"))
    await enters(demo, computer, "node_9001")
    await agrees(page)
    await expect(page).to_have_url(f"{site}/")
    first = await told(page)
    assert first["read"]["preferred_username"] == "node_9001"
    assert first["read"]["sub"] == first["id"]["sub"] == first["good"]["sub"]
    assert (first["id"]["acr"], first["id"]["amr"], first["good"]["active"]) == ("L1", ["pwd"], True)
    await page.get_by_role("button", name="刷新").click()
    again = await told(page)
    assert again["good"]["active"] is True
    await page.get_by_role("button", name="交还令牌").click()
    over = await told(page)
    assert (over["read"], over["good"]) == (None, {"active": False})
    assert computer.faults == []


async def test_a_site_that_pushes_its_requests_and_signs_is_logged_in_at_without_another_login(
    demo: Demo, computer: Computer, sites: Sites
) -> None:
    page = computer.page
    await member_at(demo.config, username="node_9002", phone="15400089002", password=PASSWORD)
    await enters(demo, computer, "node_9002")
    await expect(page).to_have_url(re.compile("/centre$"))
    site = await sites.open(
        require_pushed_authorization_requests=True,
        scope="openid",
        token_endpoint_auth_method="private_key_jwt",
        jwks={"keys": [OWN.as_dict(private=False)]},
    )
    await page.goto(site)
    await page.get_by_role("link", name="登录").click()
    await agrees(page)
    shown = await told(page)
    assert set(shown["read"]) == {"sub"}
    # Who has agreed once is asked no more: the site is a click away.
    await page.goto(f"{site}/login")
    await expect(page).to_have_url(f"{site}/")
    assert (await told(page))["id"]["sub"] == shown["id"]["sub"]


async def test_whoever_logs_out_at_one_site_is_logged_out_here_and_at_every_other(
    demo: Demo, computer: Computer, sites: Sites
) -> None:
    """One login for two sites: the one at which it ends gets its user back, the other is told by the back channel."""
    page = computer.page
    await member_at(demo.config, username="node_9004", phone="15400089004", password=PASSWORD)
    await enters(demo, computer, "node_9004")
    addresses = [await sites.open(scope="openid", backchannel=True) for _ in range(2)]
    subjects = []
    for site in addresses:
        await page.goto(f"{site}/login")
        await agrees(page)
        shown = await told(page)
        subjects.append((shown["id"]["sub"], shown["id"]["sid"]))
    assert len({sub for sub, _ in subjects}) == 2, "that their host is everybody's own machine makes them no sector"
    assert len({sid for _, sid in subjects}) == 2, "and they know the session by two names"
    first, second = addresses
    await page.goto(first)
    await page.get_by_role("button", name="退出").click()
    await expect(page).to_have_url(f"{first}/")
    await expect(page.get_by_text("尚未登录")).to_be_visible()
    sites.running[1].wait_until_it_says("logged out elsewhere")
    await page.goto(second)
    await expect(page.get_by_text("尚未登录")).to_be_visible()
    await page.goto("/centre")
    await expect(page).to_have_url(re.compile("/login$"))


async def test_a_site_on_openid_client_hears_a_no(demo: Demo, computer: Computer, sites: Sites) -> None:
    page = computer.page
    await member_at(demo.config, username="node_9003", phone="15400089003", password=PASSWORD)
    await enters(demo, computer, "node_9003")
    site = await sites.open(scope="openid")
    await page.goto(f"{site}/login")
    await page.get_by_role("button", name="不同意").click()
    await expect(page.get_by_text("登录没有完成")).to_be_visible()
    sites.running[0].wait_until_it_says("access_denied")


def test_the_example_names_the_packages_that_were_tested() -> None:
    example = json.loads((ROOT / "examples" / "node" / "package.json").read_text())
    tested = json.loads((ROOT / "tests" / "interop" / "package.json").read_text())
    assert example["dependencies"] == tested["dependencies"]
