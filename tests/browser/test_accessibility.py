"""Every page and every state of it under axe-core, in light and dark colours."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Builder, ComputerFactory, HandsetFactory
from tests.support.accessibility import violations
from tests.support.computer import Computer
from tests.support.demo import Demo
from tests.support.handset import Handset
from tests.support.town import acquaint

SHOW = """(name) => {
  for (const panel of document.querySelectorAll("[data-panel]")) {
    panel.toggleAttribute("data-off", panel.dataset.panel !== name);
  }
  for (const [slot, words] of [["who", "张**"], ["platform", "微信"], ["left", "42"], ["tries", "2"], ["pause", "5"]]) {
    for (const place of document.querySelectorAll(`[data-slot="${slot}"]`)) place.textContent = words;
  }
  for (const error of document.querySelectorAll("[data-error]")) error.hidden = false;
}"""


@pytest.mark.req("UX-2", "LOG-1")
async def test_the_login_page_in_every_state_of_its_card(computer: Computer) -> None:
    page = computer.page
    await computer.open()
    found = await violations(page)
    panels = await page.locator("[data-panel]").evaluate_all("panels => panels.map((panel) => panel.dataset.panel)")
    assert len(panels) > 10
    # The connection would bring its own state back.
    await page.context.set_offline(True)
    await computer.shows("lost")
    for panel in panels:
        await page.evaluate(SHOW, panel)
        found += [f"{panel}: {line}" for line in await violations(page, "[data-card]")]
        await computer.hang(f"state-{panel}")
    assert found == []


@pytest.mark.req("UX-2", "ACC-8")
async def test_the_page_that_verifies_in_every_state_of_its_card(
    demo: Demo, computer: Computer, phone: Handset
) -> None:
    page = computer.page
    await acquaint(demo, "陈雨桐", "wechat")
    await phone.log_in("陈雨桐", "wechat")
    await computer.open()
    await phone.scans(computer)
    await phone.confirms()
    await computer.is_in("陈**")
    await page.goto("/centre/verify/cancel")
    await computer.shows("waiting")
    found = await violations(page)
    panels = await page.locator("[data-panel]").evaluate_all("panels => panels.map((panel) => panel.dataset.panel)")
    assert len(panels) > 10
    await page.context.set_offline(True)
    await computer.shows("lost")
    for panel in panels:
        await page.evaluate(SHOW, panel)
        found += [f"{panel}: {line}" for line in await violations(page, "[data-card]")]
        await computer.hang(f"verify-{panel}")
    assert found == []
    await page.set_viewport_size({"width": 320, "height": 768})
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.req("UX-2")
async def test_the_pages_around_a_login(demo: Demo, computer: Computer, phone: Handset) -> None:
    page = computer.page
    found: list[str] = []

    async def look(name: str) -> None:
        await computer.hang(f"page-{name}")
        found.extend(f"{name}: {line}" for line in await violations(page))

    for path in ("/login?tab=account", "/login?tab=legal", "/nothing-here"):
        await page.goto(path)
        await look(path.strip("/").replace("?", "-"))
    await acquaint(demo, "陈雨桐", "baidu")
    await phone.log_in("陈雨桐", "baidu")
    await computer.open()
    await phone.scans(computer)
    await phone.confirms()
    await computer.is_in("陈**")
    await look("centre")
    await page.goto("/login")
    await look("signed-in")
    await computer.press("换一个账号")
    await expect(page.get_by_role("heading", name="您已退出")).to_be_visible()
    await look("signed-out")
    assert found == []


@pytest.mark.req("UX-2", "UX-3")
async def test_the_portal_from_the_narrowest_to_a_wide_screen(demo: Demo, computer: Computer) -> None:
    page = computer.page
    for width in (320, 1366):
        await page.set_viewport_size({"width": width, "height": 768})
        await page.goto(f"{demo.portal}/")
        await computer.hang(f"portal-{width}")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        logo, heading = page.locator(".mark"), page.get_by_role("heading", level=1)
        edges = [await part.evaluate("(e) => e.getBoundingClientRect().x") for part in (logo, heading)]
        assert edges[0] == edges[1]
        assert await violations(page) == []


@pytest.mark.req("UX-2", "UX-3", "OPS-1")
async def test_the_demo_page_around_its_two_screens(demo: Demo, computer: Computer) -> None:
    page = computer.page
    for width in (1366, 1920):
        await page.set_viewport_size({"width": width, "height": 1080})
        await page.goto(f"{demo.sandbox}/")
        await expect(page.frame_locator("#login").locator('[data-panel="waiting"]')).to_be_visible()
        parts = (page.locator("header img"), page.get_by_role("region", name="电脑"))
        edges = [await part.evaluate("(e) => e.getBoundingClientRect().x") for part in parts]
        assert edges[0] == edges[1]
    assert await violations(page) == []


@pytest.mark.req("UX-2")
async def test_what_an_ordinary_browser_is_told_of_a_code(build: Builder, computer_at: ComputerFactory) -> None:
    house = await build(server={"simulator_url": None})
    computer = await computer_at(house)
    await computer.page.goto("/q/whatever")
    await expect(computer.page.get_by_role("heading", name="请用京通扫一扫")).to_be_visible()
    await computer.hang("page-q")
    assert await violations(computer.page) == []


@pytest.mark.req("UX-2", "UX-4")
async def test_the_state_of_a_login_without_javascript(computer: Computer) -> None:
    await computer.open()
    flow = await computer.page.locator("[data-flow]").get_attribute("data-flow")
    await computer.page.evaluate("(flow) => { const f = document.createElement('iframe'); f.title = 'state';"
                                 " f.src = `/qr/state?flow=${flow}`; document.body.append(f); }", flow)  # fmt: skip
    frame = computer.page.frame_locator('iframe[title="state"]')
    await expect(frame.get_by_role("heading")).to_contain_text("扫一扫")
    assert await violations(computer.page, 'iframe[title="state"]') == []


@pytest.mark.req("UX-2")
async def test_every_screen_of_the_phone(
    demo: Demo, computer: Computer, phone: Handset, phone_at: HandsetFactory
) -> None:
    page = phone.page
    found: list[str] = []

    async def look(name: str) -> None:
        await phone.hang(f"screen-{name}")
        found.extend(f"{name}: {line}" for line in await violations(page))

    await page.goto("/phone")
    await expect(phone.root.get_by_role("radio", name="王建国", exact=True)).to_be_visible()
    await look("choose")
    await phone.log_in("阿依古丽·买买提", "alipay")
    await phone.heading("请填写您的身份信息")
    await look("identity")
    await phone.starts_face_check()
    await look("face")
    await phone.face("通过")
    await phone.is_home("阿**")
    await look("home")
    await phone.press("我的")
    await look("mine")
    await phone.press("首页")
    await computer.open()
    await phone.press("扫一扫")
    await look("scan")
    await phone.press("返回")
    await phone.scans(computer)
    await look("confirm")
    await phone.confirms()
    await look("confirmed")
    await page.goto("/inbox")
    await look("inbox")
    await page.goto("/people")
    await expect(page.get_by_role("heading", name="北京青禾示例科技有限公司")).to_be_visible()
    await look("people")
    await page.set_viewport_size({"width": 320, "height": 568})
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert found == []
