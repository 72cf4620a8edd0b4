"""Whole logins as people do them: a real demo, a real browser, the code read out of a picture of the screen."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from playwright.async_api import WebSocketRoute, expect

from bjidp.clock import SystemClock
from tests.browser.conftest import ComputerFactory, HandsetFactory
from tests.support.computer import Computer, ticket_of
from tests.support.demo import Demo
from tests.support.gallery import Gallery
from tests.support.handset import PLATFORMS, Handset
from tests.support.town import acquaint

DEAD_SOCKETS = """
window.WebSocket = class extends EventTarget {
  static CONNECTING = 0; static OPEN = 1; static CLOSING = 2; static CLOSED = 3;
  readyState = 3;
  constructor() {
    super();
    setTimeout(() => this.dispatchEvent(new CloseEvent("close", { code: 1006 })));
  }
  send() { throw new DOMException("closed", "InvalidStateError"); }
  close() {}
};
"""


async def at_home(demo: Demo, phone: Handset, person: str, platform: str = "wechat") -> None:
    """Bring somebody who knows 京通 to its first page."""
    await acquaint(demo, person, platform)
    await phone.log_in(person, platform)
    await phone.is_home(f"{person[0]}**")


async def logged_in(demo: Demo, computer: Computer, phone: Handset, person: str) -> None:
    """Bring somebody all the way into the personal centre."""
    await at_home(demo, phone, person)
    await computer.open()
    await phone.scans(computer)
    await phone.confirms()
    await computer.is_in(f"{person[0]}**")


# ---------------------------------------------------------------------------------------------------- the main road


@pytest.mark.req("LOG-2", "LOG-1", "UX-4")
@pytest.mark.attack("Q16", "Q17")
@pytest.mark.parametrize("platform", PLATFORMS)
async def test_somebody_known_scans_the_picture_confirms_and_the_page_moves_on_by_itself(
    demo: Demo, computer: Computer, phone: Handset, platform: str
) -> None:
    await at_home(demo, phone, "赵敏", platform)
    await phone.hang(f"phone-home-{platform}")
    await computer.open()
    await computer.hang("login-waiting")

    await phone.scans(computer)
    name = PLATFORMS[platform]
    await computer.shows("scanned")
    await computer.says(f"赵** 已在{name}京通扫码", "请在手机上核对并确认登录")
    await computer.announces(f"赵** 已在{name}京通扫码")
    await computer.hang(f"login-scanned-{platform}")
    await phone.shows("您将以 赵** 的身份在电脑上登录", "首都之窗", "127.0.0.1", "Chrome · Linux", "未知", "12 小时")
    await phone.shows("第一次在这个网络登录" if platform == "wechat" else "您以前在这个网络登录过")
    await expect(phone.body.get_by_text(re.compile("刚刚|秒前"))).to_be_visible()
    await phone.hang(f"phone-confirm-{platform}")

    await phone.confirms()
    await computer.is_in("赵**")
    assert computer.visited == ["/login", "/centre"]
    page = computer.page
    await expect(page.get_by_text("中级认证", exact=True)).to_be_visible()
    await expect(page.get_by_text(f"扫码登录 · {name}京通")).to_be_visible()
    written = await page.get_by_role("region", name="这次登录").get_by_role("time").get_attribute("datetime")
    now = dt.datetime.fromtimestamp(SystemClock().now() / 1_000, dt.UTC)
    assert abs(now - dt.datetime.fromisoformat(written or "")) < dt.timedelta(minutes=2)
    await computer.hang(f"centre-{platform}")
    await phone.hang("phone-confirmed")


@pytest.mark.req("REG-7", "REG-8", "LOG-7")
@pytest.mark.parametrize(
    ("platform", "person", "who"),
    [("wechat", "王建国", "王**"), ("alipay", "何永健", "何**"), ("baidu", "SCHMIDT ANNA", "S**")],
)
async def test_somebody_new_registers_by_the_face_check_and_then_logs_the_computer_in(
    computer: Computer, phone: Handset, platform: str, person: str, who: str
) -> None:
    await phone.log_in(person, platform)
    await phone.heading("请填写您的身份信息")
    await phone.hang("phone-identity")
    await phone.starts_face_check()
    await phone.hang("phone-face")
    await phone.face("取消")
    await phone.shows("人脸识别已取消，您的信息没有提交")
    await phone.starts_face_check()
    await phone.face("不通过")
    await phone.shows("人脸识别没有通过", "正对屏幕")
    await phone.hang("phone-face-failed")
    await phone.starts_face_check()
    await phone.face("通过")
    await phone.is_home(who)

    await computer.open()
    await phone.scans(computer)
    await computer.says(f"{who} 已在{PLATFORMS[platform]}京通扫码")
    await phone.confirms()
    await computer.is_in(who)
    await expect(computer.page.get_by_text("中级认证", exact=True)).to_be_visible()
    assert computer.visited == ["/login", "/centre"]


@pytest.mark.req("LOG-2", "OPS-1")
async def test_the_demo_page_shows_computer_and_phone_side_by_side_and_the_whole_login_fits_in_it(
    demo: Demo, computer: Computer, gallery: Gallery
) -> None:
    await acquaint(demo, "赵敏", "alipay")
    await computer.page.goto(f"{demo.sandbox}/")
    login = computer.page.frame_locator("#login")
    phone = Handset(computer.page, gallery, computer.page.frame_locator("#phone"))
    await expect(login.locator('[data-panel="waiting"]')).to_be_visible()
    await phone.log_in("赵敏", "alipay")
    await phone.is_home("赵**")
    await phone.press("扫一扫")
    await computer.hang("demo-scanner")
    await phone.scans_beside()
    await expect(login.get_by_role("heading", name="赵** 已在支付宝京通扫码")).to_be_visible()
    await computer.hang("demo-confirm")
    await phone.confirms()
    await expect(login.get_by_role("heading", name="个人中心")).to_be_visible()
    await computer.hang("demo-centre")


@pytest.mark.req("OPS-1")
async def test_in_the_demo_page_every_page_after_the_login_is_shown_too_and_back_leaves_the_frame(
    demo: Demo, computer: Computer, gallery: Gallery
) -> None:
    await acquaint(demo, "赵敏", "wechat")
    page = computer.page
    await page.goto(f"{demo.sandbox}/")
    login = page.frame_locator("#login")
    phone = Handset(page, gallery, page.frame_locator("#phone"))
    waiting = login.locator('[data-panel="waiting"]')
    await phone.log_in("赵敏", "wechat")
    await phone.is_home("赵**")

    async def logs_in() -> None:
        await expect(waiting).to_be_visible()
        await phone.press("扫一扫")
        await phone.scans_beside()
        await phone.confirms()
        await expect(login.get_by_role("heading", name="个人中心")).to_be_visible()

    await logs_in()
    await page.reload()
    await expect(login.get_by_role("heading", name="您已登录：赵**")).to_be_visible()
    await computer.hang("demo-reloaded")
    await login.get_by_role("link", name="进入个人中心").click()
    await login.get_by_role("button", name="退出").click()
    await expect(login.get_by_role("heading", name="您已退出")).to_be_visible()
    await computer.hang("demo-signed-out")
    await login.get_by_role("link", name="重新登录").click()

    await logs_in()
    await login.get_by_role("button", name="不是我", exact=True).click()
    await expect(login.get_by_role("heading", name="这次登录已结束")).to_be_visible()
    frame = page.frame(url=re.compile("/not-me$"))
    assert frame is not None
    await frame.goto(f"{demo.server}/nothing-here")
    await expect(login.get_by_role("heading", name="没有找到这个页面")).to_be_visible()

    await login.get_by_role("link", name="返回首都之窗", exact=True).click()
    await expect(page).to_have_url(f"{demo.portal}/")
    await expect(page.get_by_role("link", name="电脑与手机并排演示")).to_be_visible()


# ----------------------------------------------------------------------------------------------------- other endings


@pytest.mark.req("LOG-2")
@pytest.mark.attack("Q8")
async def test_a_refusal_is_told_and_a_button_shows_a_new_code_that_works(
    demo: Demo, computer: Computer, phone: Handset
) -> None:
    await at_home(demo, phone, "陈雨桐")
    await computer.open()
    await phone.scans(computer)
    await phone.press("不是我，拒绝")
    await phone.heading("已拒绝")
    await phone.hang("phone-rejected")
    await computer.shows("rejected")
    await computer.announces("手机上拒绝了这次登录")
    await computer.hang("login-rejected")

    await computer.press("换一个二维码")
    await computer.shows("waiting")
    await phone.press("回到首页")
    await phone.scans(computer)
    await phone.confirms()
    await computer.is_in("陈**")


@pytest.mark.req("LOG-2")
@pytest.mark.attack("P2", "Q16")
async def test_an_old_picture_and_one_from_the_album_are_refused_in_words_and_change_nothing(
    demo: Demo, computer: Computer, phone: Handset
) -> None:
    await at_home(demo, phone, "陈雨桐")
    await computer.open()
    picture = await computer.page.screenshot()
    await phone.press("扫一扫")
    chooser = phone.page.locator("input[type=file]")
    await chooser.set_input_files({"name": "photo.png", "mimeType": "image/png", "buffer": picture})
    await phone.heading("请对准屏幕扫码")
    await phone.hang("phone-album")
    await computer.shows("waiting")


@pytest.mark.req("LOG-2")
@pytest.mark.attack("Q4")
async def test_the_second_phone_is_told_that_somebody_was_faster(
    demo: Demo, computer: Computer, phone: Handset, phone_at: HandsetFactory
) -> None:
    other = await phone_at(demo)
    await at_home(demo, phone, "陈雨桐")
    await at_home(demo, other, "孙浩然", "baidu")
    await computer.open()
    text = await computer.photographed()
    await phone.scans(computer)
    await computer.shows("scanned")
    await other.press("扫一扫")
    await other.reads(text)
    await other.heading("已经有人扫过了")
    await other.hang("phone-taken")
    await computer.says("陈**")
    await phone.confirms()
    await computer.is_in("陈**")


# ----------------------------------------------------------------------------- without WebSocket, without JavaScript


@pytest.mark.req("LOG-2")
@pytest.mark.attack("W4")
@pytest.mark.parametrize("blocked", ["cut", "swallowed"])
async def test_where_sockets_are_blocked_the_page_polls_and_logs_in_all_the_same(
    demo: Demo, computer: Computer, phone: Handset, blocked: str
) -> None:
    if blocked == "cut":
        await computer.page.add_init_script(DEAD_SOCKETS)
    else:

        def swallow(_: WebSocketRoute) -> None:
            """Open and say nothing, as some proxies do."""

        await computer.page.route_web_socket(re.compile("/qr/channel"), swallow)
    await at_home(demo, phone, "孙浩然")
    await computer.open()
    await phone.scans(computer)
    await computer.shows("scanned")
    await phone.confirms()
    await computer.is_in("孙**")
    assert "/qr/tickets" in computer.asked
    assert "/qr/events" in computer.asked
    assert computer.visited == ["/login", "/centre"]


@pytest.mark.req("LOG-2", "UX-4")
async def test_without_javascript_the_animated_picture_scans_and_a_button_leads_in(
    demo: Demo, computer_at: ComputerFactory, phone: Handset
) -> None:
    computer = await computer_at(demo, java_script_enabled=False)
    await at_home(demo, phone, "刘子涵")
    await computer.page.goto("/login")
    state = computer.page.frame_locator("iframe.plain-state")
    await expect(state.get_by_role("heading")).to_contain_text("扫一扫")
    await phone.scans(computer)
    await computer.hang("plain-waiting")
    await expect(state.get_by_role("heading")).to_contain_text("刘** 已在微信京通扫码")
    await computer.hang("plain-scanned")
    await phone.confirms()
    await expect(state.get_by_role("heading")).to_contain_text("刘**，手机已确认")
    await computer.hang("plain-approved")
    await state.get_by_role("button", name="进入").click()
    await computer.is_in("刘**")


@pytest.mark.req("LOG-2", "UX-4")
async def test_without_javascript_a_refusal_and_a_new_code_are_shown_too(
    demo: Demo, computer_at: ComputerFactory, phone: Handset
) -> None:
    computer = await computer_at(demo, java_script_enabled=False)
    await at_home(demo, phone, "刘子涵", "alipay")
    await computer.page.goto("/login")
    state = computer.page.frame_locator("iframe.plain-state")
    await phone.scans(computer)
    await phone.press("不是我，拒绝")
    await phone.heading("已拒绝")
    await expect(state.get_by_role("heading")).to_contain_text("手机上拒绝了这次登录")
    await computer.hang("plain-rejected")
    await state.get_by_role("button", name="换一个二维码").click()
    await expect(state.get_by_role("heading")).to_contain_text("扫一扫")
    await phone.press("回到首页")
    await phone.scans(computer)


# ------------------------------------------------------------------------------- reloads, more tabs, lost connections


@pytest.mark.req("LOG-2")
@pytest.mark.attack("Q29")
async def test_a_reload_shows_what_is_true(demo: Demo, computer: Computer, phone: Handset) -> None:
    await at_home(demo, phone, "孙浩然", "alipay")
    await computer.open()
    ticket = await computer.ticket()
    await computer.page.reload()
    await computer.shows("waiting")
    assert await computer.ticket() == ticket

    await phone.scans(computer)
    await computer.shows("scanned")
    await computer.page.reload()
    await computer.shows("scanned")
    await computer.says("孙** 已在支付宝京通扫码")

    await phone.press("不是我，拒绝")
    await computer.shows("rejected")
    await computer.page.reload()
    await computer.shows("waiting")
    assert await computer.ticket() != ticket


@pytest.mark.req("LOG-2")
@pytest.mark.attack("W9")
async def test_two_tabs_show_the_same_and_the_other_one_learns_of_the_login(
    demo: Demo, computer: Computer, phone: Handset, gallery: Gallery
) -> None:
    await at_home(demo, phone, "林雅婷", "alipay")
    await computer.open()
    second = Computer(await computer.page.context.new_page(), gallery)
    await second.open()
    assert await second.ticket() == await computer.ticket()
    await phone.scans(second)
    await second.shows("scanned")
    await computer.shows("scanned")
    await phone.confirms()
    # Both redeem at once and one wins; the other is told by its closed socket, and loads itself again.
    for tab in (computer, second):
        arrived = tab.page.get_by_role("heading", name="个人中心")
        await expect(arrived.or_(tab.page.get_by_role("heading", name="您已登录：林**"))).to_be_visible()
    assert "/centre" in computer.visited + second.visited
    assert second.faults == []


@pytest.mark.req("LOG-2")
@pytest.mark.attack("W9")
async def test_of_three_tabs_the_oldest_says_so_and_takes_the_login_back_when_asked(
    computer: Computer, gallery: Gallery
) -> None:
    await computer.open()
    second = Computer(await computer.page.context.new_page(), gallery)
    await second.open()
    third = Computer(await computer.page.context.new_page(), gallery)
    await third.open()
    await computer.shows("elsewhere")
    await computer.says("已在另一个窗口打开")
    await computer.hang("login-elsewhere")
    await third.shows("waiting")
    await second.shows("waiting")
    await computer.press("在这里登录")
    await computer.shows("waiting")
    await second.shows("elsewhere")
    await third.shows("waiting")


@pytest.mark.req("LOG-2")
async def test_a_lost_connection_is_told_and_comes_back_by_itself(
    demo: Demo, computer: Computer, phone: Handset
) -> None:
    await at_home(demo, phone, "何永健", "baidu")
    await computer.open()
    await computer.page.context.set_offline(True)
    await computer.shows("lost")
    await computer.announces("网络连接断开了")
    await computer.hang("login-lost")
    await computer.page.context.set_offline(False)
    await computer.shows("waiting")
    await phone.scans(computer)
    await computer.page.context.set_offline(True)
    await phone.confirms()
    await computer.page.context.set_offline(False)
    await computer.is_in("何**")


# ---------------------------------------------------------------------------------------------------- already logged in


@pytest.mark.req("LOG-1", "LOG-2")
@pytest.mark.attack("B1", "T2")
async def test_who_is_logged_in_is_told_so_and_may_change_the_account_log_out_or_say_not_me(
    demo: Demo, computer: Computer, phone: Handset
) -> None:
    page = computer.page
    await logged_in(demo, computer, phone, "徐静")
    await page.goto("/login")
    await expect(page.get_by_role("heading", name="您已登录：徐**")).to_be_visible()
    await computer.hang("login-signed-in")
    assert "/qr/channel" not in computer.asked[computer.asked.index("/centre") :]
    await page.get_by_role("link", name="进入个人中心").click()
    await computer.is_in("徐**")

    await page.goto("/login")
    await computer.press("换一个账号")
    await expect(page.get_by_role("heading", name="您已退出")).to_be_visible()
    await computer.hang("message-signed-out")
    await page.get_by_role("link", name="重新登录").click()
    await computer.shows("waiting")

    await phone.press("完成")
    await phone.scans(computer)
    await phone.confirms()
    await computer.is_in("徐**")
    await computer.press("不是我")
    await expect(page.get_by_role("heading", name="这次登录已结束")).to_be_visible()
    await computer.hang("message-not-me")
    await page.goto("/centre")
    await computer.shows("waiting")


@pytest.mark.req("LOG-2")
@pytest.mark.attack("M3", "P2")
async def test_a_code_opened_by_another_scanner_lies_ready_and_does_nothing_by_itself(
    demo: Demo, computer: Computer, phone: Handset
) -> None:
    await at_home(demo, phone, "徐静", "baidu")
    await computer.open()
    text = await computer.photographed()
    await phone.page.goto(text)
    await expect(phone.page.get_by_label("二维码内容")).to_have_value(text)
    await phone.hang("phone-launched")
    await computer.shows("waiting")
    assert ticket_of(text) == await computer.ticket()
