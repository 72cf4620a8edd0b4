"""我的法人 and 法人登录 in Chromium, on computers and on phones.

The persons who register are the sandbox's, since its register knows them; the others are of no other story.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from playwright.async_api import Page, Route, expect

from bjidp.clock import SystemClock
from bjidp.entropy import SystemEntropy, token
from bjidp.oidc.metadata import read
from bjidp.oidc.ports import RegisteredClient
from bjidp.organisations.ports import NewOrganisation
from bjidp.person import DocumentType, Person
from tests.support.accounts import member_at, stores_at
from tests.support.computer import Computer
from tests.support.demo import Demo
from tests.support.looks import Looks
from tests.support.screens import PASSWORD, enters, enters_on_a_phone, proves_it


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo of these tests' own: who leads an organisation here is somebody whom the phones of other tests log in."""
    running = Demo(tmp_path_factory.mktemp("organisations"))
    yield running
    running.stop()


QIAN = Person(DocumentType.RESIDENT_ID, "钱示例", "101010199003070556")
SUN = Person(DocumentType.RESIDENT_ID, "孙示例", "101010199003070775")
NAME, CODE = "北京往来示例文具有限公司", "91000000MA9907772D"


async def known(page: Page, demo: Demo, name: str) -> tuple[dict[str, Any], Person]:
    """Return an organisation of the sandbox, and who leads it."""
    companies = await (await page.request.get(f"{demo.sandbox}/control/organisations")).json()
    people = await (await page.request.get(f"{demo.sandbox}/control/people")).json()
    company = next(one for one in companies if one["id"] == name)
    who = next(one for one in people if one["id"] == company["representative"])
    return company, Person(DocumentType(who["document_type"]), who["name"], who["document_number"])


async def somebody(demo: Demo, username: str, phone: str, who: Person) -> str:
    """Make an account at L3; return its id."""
    return await member_at(demo.config, username=username, phone=phone, password=PASSWORD, document=who)


async def gives_up(demo: Demo, account: str) -> None:
    """Let the person be anybody's again: the stories of phones have theirs."""
    async with stores_at(demo.config) as stores:
        await stores.identities.unbind(account, SystemClock().now())


async def registers(looks: Looks, page: Page, company: dict[str, Any]) -> None:
    """Fill in the form of 登记法人, first with a slip of the finger."""
    await page.get_by_label("统一社会信用代码").fill(company["credit_code"][:-1])
    await page.get_by_label("法人名称").fill(company["name"])
    await page.get_by_role("button", name="请登记机关核对").click()
    await expect(page.locator("#e-credit_code")).to_have_text("应是18位数字和大写字母，请对照证照检查")
    await looks.at("register-wrong")
    await page.get_by_label("统一社会信用代码").fill(company["credit_code"])
    await page.get_by_label("法人名称").fill("北京写错示例公司")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("登记机关没有确认您是这个法人的法定代表人")
    await expect(page.get_by_text("名称和登记的不一致")).to_be_visible()
    await looks.at("register-refused")
    await page.get_by_label("法人名称").fill(company["name"])
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="登记成功，您可以代表这个法人办事了")).to_be_visible()
    await looks.at_the_end("registered")


async def portal(demo: Demo) -> str:
    """Register a site that asks for whom its users act; return where its users are sent."""
    metadata: dict[str, object] = {
        "client_name": "首都之窗",
        "client_uri": "https://portal.example/",
        "redirect_uris": ["https://portal.example/callback"],
        "scope": "openid profile organisation",
    }
    client = token(SystemEntropy(), 128)
    async with stores_at(demo.config) as stores:
        registered = RegisteredClient(read(client, metadata), None)
        await stores.clients.add(registered, msgspec.json.encode(metadata).decode(), SystemClock().now())
    asked = {
        "client_id": client,
        "response_type": "code",
        "redirect_uri": "https://portal.example/callback",
        "scope": "openid profile organisation",
        "state": "s1",
        "code_challenge": "c" * 43,
        "code_challenge_method": "S256",
    }
    return f"/oauth/authorize?{urlencode(asked)}"


async def acts_at_a_site(demo: Demo, looks: Looks, page: Page, company: dict[str, Any]) -> None:
    """Log in at a site for the organisation, after a change of mind."""
    await page.route("https://portal.example/**", _portals_page)
    await page.goto(await portal(demo))
    await expect(page.get_by_role("heading", name="您这次代表谁登录首都之窗？")).to_be_visible()
    await looks.at("whom")
    await page.get_by_role("button", name="以本人登录").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("本次以本人身份登录")).to_be_visible()
    await page.get_by_role("button", name="重新选择代表谁").click()
    await page.get_by_role("button", name=f"代表它登录 {company['name']}").click()
    await expect(page.get_by_text(f"本次代表：{company['name']}（法定代表人）")).to_be_visible()
    await looks.at("consent")
    await page.get_by_role("button", name="同意并登录").click()
    await expect(page).to_have_url(re.compile(r"^https://portal\.example/callback\?code="))


async def _portals_page(route: Route) -> None:
    await route.fulfill(content_type="text/html", body='<!doctype html><html lang="zh"><title>首都之窗</title>')


@pytest.mark.req("ORG-1", "ORG-3", "LOG-1", "LOG-9", "ACC-8", "UX-2", "UX-3", "UX-5")
async def test_a_legal_representative_registers_at_a_computer_and_acts_for_the_organisation(
    demo: Demo, computer: Computer
) -> None:
    page, number = computer.page, "15400088001"
    company, who = await known(page, demo, "xiangjiang")
    await somebody(demo, "legal_8001", number, who)
    looks = Looks(computer, "organisations-pc")
    await page.goto("/login?tab=legal")
    await expect(page.get_by_role("tabpanel", name="法人登录")).to_contain_text("法人没有单独的密码")
    await looks.at("login")
    await page.get_by_role("link", name="登录后选择法人").click()
    await expect(page.get_by_text("请先登录，登录后会打开您要去的页面")).to_be_visible()
    await enters(demo, computer, "legal_8001")
    await expect(page.get_by_role("heading", name="还没有可以代表的法人")).to_be_visible()
    await looks.at("nothing-yet")
    await page.get_by_role("link", name="我的法人").click()
    await looks.at("empty")
    await page.get_by_role("link", name="登记法人", exact=True).click()
    await proves_it(demo, computer, number)
    await registers(looks, page, company)
    await page.get_by_role("link", name="我的法人", exact=True).click()
    await expect(page.get_by_role("main")).to_contain_text(company["credit_code"])
    await looks.at("led")

    await page.get_by_role("link", name="法人登录 选择代表谁办事").click()
    await page.get_by_role("button", name=f"代表它办事 {company['name']}").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text(f"正在代表“{company['name']}”办事")).to_be_visible()
    await looks.at("acting")
    await page.get_by_role("link", name="切换").click()
    await expect(page.get_by_role("heading", name=re.compile(f"{re.escape(company['name'])}.*当前"))).to_be_visible()
    await looks.at("choice")
    await page.get_by_role("button", name="换回本人").click()
    await expect(page.get_by_role("heading", name="个人中心")).to_be_visible()
    await expect(page.get_by_text("正在代表")).to_have_count(0)

    await acts_at_a_site(demo, looks, page, company)
    await page.goto("/centre")
    await page.get_by_role("link", name="法人信息").click()
    await page.get_by_role("link", name=f"解除登记 {company['name']}").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="确定解除登记吗？")).to_be_visible()
    await expect(page.get_by_role("main")).to_contain_text(company["name"])
    await looks.at("give-up")
    await page.get_by_role("link", name="暂不解除").click()
    await page.get_by_role("link", name=f"解除登记 {company['name']}").click()
    await page.get_by_role("button", name="确认解除").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_contain_text("登记已经解除")
    await expect(page.get_by_role("main")).not_to_contain_text(company["credit_code"])
    await looks.at("given-up")
    assert (looks.found, computer.faults) == ([], [])


@pytest.mark.req("ORG-1", "ORG-3", "LOG-8", "ACC-8", "UX-2", "UX-3", "UX-5")
async def test_a_legal_representative_registers_on_a_phone(demo: Demo, handheld: Computer) -> None:
    page, number = handheld.page, "15400088002"
    company, who = await known(page, demo, "yanjiusuo")
    account = await somebody(demo, "legal_8002", number, who)
    try:
        looks = Looks(handheld, "organisations-h5")
        await enters_on_a_phone(demo, handheld, number)
        await page.get_by_role("link", name="法人信息").click()
        await page.get_by_role("link", name="登记法人", exact=True).click()
        await proves_it(demo, handheld, number)
        await registers(looks, page, company)
        await page.get_by_role("link", name="我的法人").click()
        await expect(page.get_by_role("heading", name=company["name"])).to_be_visible()
        await looks.at("led")
        await acts_at_a_site(demo, looks, page, company)
        assert looks.found == []
    finally:
        await gives_up(demo, account)


@pytest.mark.req("ORG-2", "ORG-3", "LOG-9", "ACC-8", "UX-2", "UX-3", "UX-5")
async def test_an_agent_is_appointed_from_a_phone_and_acts_at_a_computer_until_it_is_over(
    demo: Demo, computer: Computer, handheld: Computer
) -> None:
    number, agents = "15400088003", "15400088004"
    leader = await somebody(demo, "legal_8003", number, QIAN)
    await somebody(demo, "agent_8004", agents, SUN)
    async with stores_at(demo.config) as stores:
        bound, now = await stores.identities.bound(leader), SystemClock().now()
        assert bound is not None
        led = NewOrganisation(credit_code=CODE, name=NAME, bound_at=bound.bound_at, asked_at=now)
        await stores.organisations.register(leader, led, now)

    page, looks = handheld.page, Looks(handheld, "appointing-h5")
    await enters_on_a_phone(demo, handheld, number)
    await page.get_by_role("link", name="法人信息").click()
    await page.get_by_role("link", name=f"邀请经办人 {NAME}").click()
    await proves_it(demo, handheld, number)
    await expect(page.get_by_label("法人", exact=True)).to_contain_text(NAME)
    await looks.at("appoint")
    await page.get_by_label("经办人手机号").fill(number)
    await page.get_by_role("button", name="发出邀请").click()
    await expect(page.get_by_role("alert")).to_contain_text("有3处需要修改")
    await looks.at("appoint-wrong")
    await page.get_by_label("经办人手机号").fill(agents)
    await page.get_by_role("radio", name=re.compile("办事申报")).check()
    await page.get_by_label("截止日期").fill("2028-06-30")
    await page.get_by_role("button", name="发出邀请").click()
    await expect(page.get_by_role("heading", name="邀请已发出，请等对方登录后答复")).to_be_visible()
    await looks.at_the_end("appointed")

    desk, seen = computer.page, Looks(computer, "agent-pc")
    await enters(demo, computer, "agent_8004")
    await desk.get_by_role("link", name="有1份经办人邀请等您答复").click()
    await expect(desk.get_by_text("法定代表人钱**邀请您担任经办人")).to_be_visible()
    await seen.at("offer")
    await desk.get_by_role("button", name=f"接受 {NAME}", exact=True).click()
    await expect(desk.get_by_role("status")).to_contain_text("您已接受委托")
    await seen.at("accepted")
    await desk.get_by_role("link", name="法人登录 选择代表谁办事").click()
    await expect(desk.get_by_text("经办人 · 办事申报 · 到2028年6月30日为止")).to_be_visible()
    await desk.get_by_role("button", name=f"代表它办事 {NAME}").click()
    await expect(desk.get_by_text(f"正在代表“{NAME}”办事")).to_be_visible()

    await page.get_by_role("link", name="我的法人").click()
    await expect(page.get_by_role("main")).to_contain_text("孙** 154****8004")
    await looks.at("led")
    await page.get_by_role("button", name="结束委托").click()
    await expect(page.get_by_role("status")).to_contain_text("已经结束，马上生效")
    await looks.at("ended")
    await page.get_by_role("link", name=f"委托记录 {NAME}").click()
    await expect(page.get_by_role("main")).to_contain_text("孙** 154****8004")
    await looks.at("history")
    await desk.reload()
    await expect(desk.get_by_role("status")).to_contain_text("现在不能再代表了")
    await seen.at("over")
    await desk.goto("/centre/organisations")
    await desk.get_by_role("link", name="委托记录").click()
    await expect(desk.get_by_role("main")).to_contain_text(NAME)
    await seen.at("history")
    assert (looks.found, seen.found, computer.faults) == ([], [], [])
