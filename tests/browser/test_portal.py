"""首都之窗 as people use it: an ordinary site, an ordinary library, and the server in between (RP-4, LOG-8)."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from contextlib import closing

import pytest
from playwright.async_api import Page, expect

from bjidp.clock import SystemClock
from bjidp.organisations.ports import NewOrganisation
from bjidp.person import DocumentType, Person
from bjidp.sandbox.people.population import population
from tests.browser.conftest import PC
from tests.browser.test_face import shows_a_face
from tests.browser.test_journeys import at_home
from tests.support.accounts import member_at, stores_at
from tests.support.chromium import ContextFactory
from tests.support.computer import PATIENCE, Computer
from tests.support.demo import Demo
from tests.support.gallery import Gallery
from tests.support.handset import Handset
from tests.support.looks import Looks
from tests.support.screens import PASSWORD, gets_a_code

LU = Person(DocumentType.RESIDENT_ID, "陆诗涵", population()["lu-shihan"].document_number)
ZHOU = Person(DocumentType.RESIDENT_ID, "周示例", "101010199003079147")
NAME, CODE = "北京往来示例文具有限公司", "91000000MA9907772D"

pytestmark = pytest.mark.req("RP-4", "LOG-8")


async def agrees(page: Page, *reads: str) -> None:
    """Look at what the portal will read, and agree."""
    await expect(page).to_have_url(re.compile(r"/oauth/continue\?request="))
    for words in reads:
        await expect(page.get_by_role("main")).to_contain_text(words)
    await page.get_by_role("button", name="同意并登录").click()


async def enters(demo: Demo, screen: Computer, name: str) -> None:
    """Log in with a password on the page that the portal has led to, of a computer or a phone."""
    page = screen.page
    await expect(page).to_have_url(re.compile(r"/login"))
    if "/h5/" not in page.url:
        await page.get_by_role("tab", name="账号登录").click()
    else:
        await page.get_by_role("checkbox").check()
    await page.locator("#f-account").fill(name)
    await page.locator("#f-password").fill(PASSWORD)
    await page.locator("#f-captcha").fill(await screen.captcha(demo))
    await page.keyboard.press("Enter")


async def weaken(demo: Demo, who: Person) -> None:
    """Have somebody's identity count as proved by name and number alone, as 换绑 leaves it."""
    async with stores_at(demo.config) as stores:
        holder = await stores.accounts.holder_of(who)
    assert holder is not None
    with closing(sqlite3.connect(demo.data / "bjidp.sqlite")) as database:
        change = "UPDATE identity SET evidence = 'name_and_number', version = version + 1 WHERE account = ?"
        assert database.execute(change, (holder.account,)).rowcount == 1
        database.commit()


async def is_told(demo: Demo, page: Page, words: str) -> None:
    """Look at 用户中心 until it says ``words``: the server tells the portal a moment later."""
    async with asyncio.timeout(PATIENCE / 1_000):
        while not await page.get_by_text(words).is_visible():
            await page.goto(f"{demo.portal}/me")


async def is_in(demo: Demo, page: Page, who: str, level: str) -> None:
    """Wait for 用户中心 of ``who``."""
    await expect(page).to_have_url(f"{demo.portal}/me")
    await expect(page.get_by_role("banner")).to_contain_text(who)
    await expect(page.get_by_role("link", name=f"实名等级：{level}")).to_be_visible()


@pytest.mark.req("LOG-2", "RP-2", "UX-2")
async def test_somebody_logs_in_to_the_portal_by_qr_and_goes_on_into_the_personal_centre(
    demo: Demo, computer: Computer, phone: Handset
) -> None:
    page, looks = computer.page, Looks(computer, "portal-pc")
    await at_home(demo, phone, "李思远")
    await page.goto(f"{demo.portal}/")
    await looks.at("home")
    await page.get_by_role("banner").get_by_role("link", name="登录").click()
    await computer.shows("waiting")
    await phone.scans(computer)
    await phone.shows("首都之窗", "localhost")
    await phone.confirms()
    await agrees(page, "首都之窗", "localhost", "李**")
    await is_in(demo, page, "李**", "中级认证")
    await expect(page.get_by_text("京通扫码")).to_be_visible()
    await looks.at("me")

    await page.get_by_role("button", name="更新信息").click()
    await is_in(demo, page, "李**", "中级认证")
    await page.get_by_role("link", name="办件进度提醒").click()
    await page.get_by_role("link", name="继续").click()
    await agrees(page, "首都之窗")
    await expect(page.get_by_text("已开启")).to_be_visible()
    await looks.at("reminders")
    await page.get_by_role("link", name="用户中心").click()
    for _ in range(2):
        await page.get_by_role("button", name="更新信息").click()
        await is_in(demo, page, "李**", "中级认证")
    await page.get_by_role("link", name="住房公积金提取").click()
    await page.get_by_role("link", name="继续").click()
    await agrees(page, "首都之窗")
    await expect(page.get_by_role("heading", name="住房公积金提取")).to_be_visible()
    await expect(page.get_by_role("main")).to_contain_text("李思远")
    await looks.at("fund")
    await page.get_by_role("link", name="首页").click()
    await expect(page.get_by_role("status")).to_have_text("您已登录：李**，实名等级为中级认证。")
    await looks.at("home-signed-in")
    await page.get_by_role("link", name="进入用户中心").click()
    await page.get_by_role("link", name="实名等级").click()
    await computer.is_in("李**")
    assert looks.found == []


@pytest.mark.req("LOG-2", "OPS-1")
async def test_the_phone_of_the_demonstration_scans_the_portals_login_in_another_window(
    demo: Demo, browser_context: ContextFactory, gallery: Gallery
) -> None:
    context = await browser_context(base_url=demo.sandbox, viewport=PC)
    phone, computer = Handset(await context.new_page(), gallery), Computer(await context.new_page(), gallery)
    await at_home(demo, phone, "赵敏")
    await phone.press("扫一扫")
    elsewhere = phone.root.get_by_role("button", name="扫另一个窗口")
    await expect(elsewhere).to_be_hidden()
    await computer.page.goto(f"{demo.sandbox}/")
    await expect(computer.page.get_by_role("link", name="首都之窗")).to_have_attribute("href", f"{demo.portal}/")
    await computer.page.goto(f"{demo.portal}/login")
    await computer.shows("waiting")
    await expect(elsewhere).to_be_visible()
    await phone.scans_elsewhere()
    await phone.shows("首都之窗", "localhost")
    await phone.confirms()
    await expect(computer.page.get_by_role("heading", name="授权并登录首都之窗")).to_be_visible()
    assert (phone.faults, computer.faults) == ([], [])


@pytest.mark.req("LOG-5", "UX-2", "UX-3")
async def test_somebody_logs_in_to_the_portal_on_a_phone_by_password(demo: Demo, handheld: Computer) -> None:
    page, number, looks = handheld.page, "15400097001", Looks(handheld, "portal-h5")
    await member_at(demo.config, username="portal_h5", phone=number, password=PASSWORD)
    await page.goto(f"{demo.portal}/")
    await looks.at("home")
    await page.get_by_role("link", name="用户中心").first.click()
    await expect(page.get_by_text("请先登录")).to_be_visible()
    await looks.at("login-first")
    await page.get_by_role("main").get_by_role("link", name="登录").click()
    await expect(page).to_have_url(re.compile(r"/h5/login"))
    await enters(demo, handheld, number)
    await agrees(page, "首都之窗")
    await is_in(demo, page, "p***********5", "未实名")
    await looks.at("me")
    await page.get_by_role("link", name="实名等级").click()
    await expect(page).to_have_url(re.compile(r"/h5/centre$"))
    assert looks.found == []


async def test_whoever_does_not_agree_is_told_so_and_has_not_logged_in(demo: Demo, handheld: Computer) -> None:
    page, number, looks = handheld.page, "15400097002", Looks(handheld, "portal-h5")
    await member_at(demo.config, username="portal_no", phone=number, password=PASSWORD)
    await page.goto(f"{demo.portal}/services/company")
    await page.get_by_role("main").get_by_role("link", name="登录").click()
    await enters(demo, handheld, number)
    await page.get_by_role("button", name="不同意").click()
    await expect(page.get_by_role("heading", name="您没有同意授权")).to_be_visible()
    await expect(page.get_by_role("banner").get_by_role("link", name="登录")).to_be_visible()
    await looks.at("denied")
    await page.get_by_role("link", name="重新登录").click()
    await agrees(page, "首都之窗")
    await expect(page.get_by_role("heading", name="您这次以本人身份登录")).to_be_visible()
    await looks.at("no-organisation")
    assert looks.found == []


@pytest.mark.req("ORG-3", "UX-2")
async def test_somebody_acts_for_an_organisation_at_the_portal(demo: Demo, computer: Computer) -> None:
    page, looks = computer.page, Looks(computer, "portal-organisation")
    leader = await member_at(demo.config, username="portal_org", phone="15400097003", password=PASSWORD, document=ZHOU)
    async with stores_at(demo.config) as stores:
        bound, now = await stores.identities.bound(leader), SystemClock().now()
        assert bound is not None
        led = NewOrganisation(credit_code=CODE, name=NAME, bound_at=bound.bound_at, asked_at=now)
        await stores.organisations.register(leader, led, now)
    await page.goto(f"{demo.portal}/")
    await page.get_by_role("link", name="企业年度报告").click()
    await page.get_by_role("main").get_by_role("link", name="登录").click()
    await enters(demo, computer, "portal_org")
    await page.get_by_role("button", name="以本人登录").click()
    await agrees(page, "首都之窗")
    await expect(page.get_by_role("heading", name="您这次以本人身份登录")).to_be_visible()
    await page.get_by_role("link", name="选择代表的法人").click()
    await page.get_by_role("button", name=f"代表它登录 {NAME}").click()
    await expect(page).to_have_url(f"{demo.portal}/services/company")
    for words in (NAME, CODE, "法定代表人", "周**"):
        await expect(page.get_by_role("main")).to_contain_text(words)
    await looks.at("company")
    await page.get_by_role("link", name="用户中心").click()
    await expect(page.get_by_text("正在代表")).to_be_visible()
    await looks.at("me")
    assert looks.found == []


@pytest.mark.req("RNV-9", "RNV-3", "RP-2", "UX-2")
async def test_a_service_that_needs_more_leads_through_a_face_on_the_phone_and_back(
    demo: Demo, computer: Computer, phone: Handset
) -> None:
    page, looks = computer.page, Looks(computer, "portal-more")
    await at_home(demo, phone, "陆诗涵")
    await weaken(demo, LU)
    await page.goto(f"{demo.portal}/services/fund")
    await page.get_by_role("main").get_by_role("link", name="登录").click()
    await computer.shows("waiting")
    await phone.scans(computer)
    await phone.confirms()
    await phone.press("完成")
    await expect(page.get_by_role("heading", name="完成认证后继续")).to_be_visible()
    await expect(page.get_by_role("status")).to_have_text("提示：您当前访问业务要求完成以下信息认证方可登录")
    await looks.at("asked")
    await page.get_by_role("button", name="去认证 人脸识别认证").click()
    await page.get_by_role("link", name="用京通扫码验证").click()
    await computer.shows("waiting")
    await phone.scans(computer, "人脸识别认证？")
    await phone.press("确认人脸识别认证")
    await phone.heading("已确认")
    await phone.press("完成")
    await expect(page).to_have_url(re.compile(r"/centre/face\?flow="))
    await computer.shows("waiting")
    await phone.scans(computer, "用人脸办理认证？")
    await shows_a_face(phone)
    await phone.press("确认认证")
    await expect(page.get_by_role("heading", name="人脸识别认证成功")).to_be_visible()
    await page.get_by_role("link", name="继续登录").click()
    await agrees(page, "首都之窗")
    await expect(page).to_have_url(f"{demo.portal}/services/fund")
    await expect(page.get_by_role("main")).to_contain_text("您已通过中级认证")
    await expect(page.get_by_role("main")).to_contain_text("陆诗涵")
    assert looks.found == []


@pytest.mark.req("RNV-9", "RP-2")
async def test_whoever_does_not_prove_more_is_told_what_is_missing(demo: Demo, handheld: Computer) -> None:
    page, number, looks = handheld.page, "15400097006", Looks(handheld, "portal-h5")
    await member_at(demo.config, username="portal_low", phone=number, password=PASSWORD)
    await page.goto(f"{demo.portal}/services/fund")
    await page.get_by_role("main").get_by_role("link", name="登录").click()
    await enters(demo, handheld, number)
    await expect(page.get_by_role("button", name="去认证 实名认证")).to_be_visible()
    await page.get_by_role("button", name="返回首都之窗").click()
    await expect(page.get_by_role("heading", name="您的认证等级还不够")).to_be_visible()
    await looks.at("unmet")
    await page.get_by_role("link", name="再试一次").click()
    await expect(page.get_by_role("heading", name="完成认证后继续")).to_be_visible()
    assert looks.found == []


@pytest.mark.req("RP-1", "UX-2", "UX-3")
async def test_a_log_out_at_the_portal_is_one_from_the_server_too(demo: Demo, handheld: Computer) -> None:
    page, number, looks = handheld.page, "15400097007", Looks(handheld, "portal-h5")
    await member_at(demo.config, username="portal_bye", phone=number, password=PASSWORD)
    await page.goto(f"{demo.portal}/login")
    await enters(demo, handheld, number)
    await agrees(page, "首都之窗")
    await is_in(demo, page, "p***********e", "未实名")
    await page.get_by_role("button", name="退出登录").click()
    await expect(page).to_have_url(re.compile(f"^{re.escape(demo.portal)}/logged-out"))
    await expect(page.get_by_text("首都之窗和统一身份认证平台都已退出。")).to_be_visible()
    await looks.at("left")
    await page.goto("/h5/centre")
    await expect(page).to_have_url(re.compile("/h5/login"))
    await page.goto(f"{demo.portal}/me")
    await expect(page.get_by_text("请先登录")).to_be_visible()
    assert looks.found == []


@pytest.mark.req("RP-1", "UX-2")
async def test_a_log_out_in_the_personal_centre_is_one_from_the_portal_too(demo: Demo, computer: Computer) -> None:
    page, looks = computer.page, Looks(computer, "portal-told")
    await member_at(demo.config, username="portal_out", phone="15400097004", password=PASSWORD)
    await page.goto(f"{demo.portal}/login")
    await enters(demo, computer, "portal_out")
    await agrees(page, "首都之窗")
    await is_in(demo, page, "p***********t", "未实名")
    await page.get_by_role("link", name="实名等级").click()
    await page.get_by_role("button", name="退出").click()
    await expect(page.get_by_role("heading", name="您已退出")).to_be_visible()
    await is_told(demo, page, "您在统一身份认证平台的登录已经结束，首都之窗也随之退出。")
    await expect(page.get_by_role("banner").get_by_role("link", name="登录")).to_be_visible()
    await looks.at("logged-out")
    await page.get_by_role("link", name="重新登录").click()
    await expect(page).to_have_url(re.compile(r"/login"))
    assert looks.found == []


@pytest.mark.req("RP-1")
async def test_an_agreement_that_is_withdrawn_is_a_log_out_from_the_portal(demo: Demo, computer: Computer) -> None:
    page = computer.page
    await member_at(demo.config, username="portal_nay", phone="15400097008", password=PASSWORD)
    await page.goto(f"{demo.portal}/login")
    await enters(demo, computer, "portal_nay")
    await agrees(page, "首都之窗")
    await is_in(demo, page, "p***********y", "未实名")
    await page.get_by_role("link", name="授权管理").click()
    await expect(page.get_by_role("heading", name="授权管理")).to_be_visible()
    await page.get_by_role("button", name="撤回授权").click()
    await expect(page.get_by_text("已撤回授权，该网站会收到通知")).to_be_visible()
    await is_told(demo, page, "首都之窗也随之退出")
    await page.get_by_role("link", name="重新登录").click()
    await agrees(page, "首都之窗")
    await is_in(demo, page, "p***********y", "未实名")


@pytest.mark.req("ACC-7", "RP-1")
async def test_the_end_of_an_account_is_told_to_the_portal(demo: Demo, handheld: Computer) -> None:
    page, number = handheld.page, "15400097005"
    await member_at(demo.config, username="portal_end", phone=number, password=PASSWORD)
    await page.goto(f"{demo.portal}/login")
    await enters(demo, handheld, number)
    await agrees(page, "首都之窗")
    await is_in(demo, page, "p***********d", "未实名")
    await page.get_by_role("link", name="实名等级").click()
    await page.get_by_role("link", name="账号注销").click()
    await page.get_by_role("button", name="仍要注销").click()
    await gets_a_code(demo, handheld, number)
    await page.get_by_role("button", name="确认注销账号", exact=True).click()
    await expect(page.get_by_role("heading", name="账号已注销")).to_be_visible()
    await is_told(demo, page, "首都之窗也随之退出")
