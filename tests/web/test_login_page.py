"""The login page in a real browser, against a server that says exactly what the test wants."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import AsyncIterator
from typing import Literal

import msgspec
import pytest
import zxingcpp
from aiohttp import web
from PIL import Image
from playwright.async_api import Page, expect

from bjidp.web.pages.qr import QrState, QrStatePage
from tests.support.chromium import ContextFactory, beside_browsers
from tests.web.scripted_server import FLOW, ScriptedServer, answers, frame_text, loses_the_answer, scripted_server


@beside_browsers
async def server() -> AsyncIterator[ScriptedServer]:
    """A scripted server whose channel greets with a fresh ticket."""
    async with scripted_server() as script:
        script.greeting = script.ticket()
        yield script


@beside_browsers
async def page(server: ScriptedServer, browser_context: ContextFactory) -> Page:
    """A browser's tab, with nothing open yet; a script error in it fails the test."""
    tab = await (await browser_context(base_url=server.base_url)).new_page()
    tab.on("pageerror", lambda error: pytest.fail(str(error)))
    return tab


async def opened(server: ScriptedServer, page: Page) -> None:
    """Open the login page and wait until it shows a code."""
    await page.goto("/login")
    await shows(page, "waiting")
    await expect(page.locator("[data-code] path")).to_have_attribute("d", re.compile("^M"))


async def stopped(page: Page) -> None:
    """Stop the page's clock before anything is opened; ``page.clock.run_for`` moves it, in milliseconds."""
    await page.clock.install(time=0)
    await page.clock.pause_at(1)


async def shows(page: Page, panel: str) -> None:
    """Wait for one panel, and only that one, to be shown."""
    await expect(page.locator(f'[data-panel="{panel}"]')).to_be_visible()
    await expect(page.locator("[data-panel]:not([data-off])")).to_have_count(1)


async def announced(page: Page, text: str) -> None:
    """Wait until the live region says ``text``."""
    await expect(page.get_by_role("status")).to_contain_text(text)


async def photographed(page: Page) -> str:
    """Read the code out of a picture of the page."""
    picture = Image.open(io.BytesIO(await page.screenshot()))
    found = zxingcpp.read_barcodes(picture)
    assert len(found) == 1
    return found[0].text


async def height(page: Page) -> int:
    """Measure the card."""
    return int(await page.locator("[data-card]").evaluate("card => card.offsetHeight"))


# ---------------------------------------------------------------------------------------------------------- the code


@pytest.mark.req("LOG-2")
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_code_on_the_screen_reads_as_the_frame_that_is_due(
    server: ScriptedServer, browser_context: ContextFactory, scheme: Literal["light", "dark"]
) -> None:
    page = await (await browser_context(base_url=server.base_url, color_scheme=scheme)).new_page()
    await stopped(page)
    server.greeting = server.ticket(elapsed=9.5, expires_in=50.5)
    await opened(server, page)
    assert await photographed(page) == frame_text(server.prefix, "A" * 22, 4)


@pytest.mark.req("LOG-2")
@pytest.mark.attack("Q16")
async def test_a_new_frame_is_made_every_step_by_the_page_itself(server: ScriptedServer, page: Page) -> None:
    await page.add_init_script(
        "window.frames_seen = [];"
        "document.addEventListener('bjidp:frame', (event) => frames_seen.push(event.detail.text))"
    )
    await page.clock.install(time=0)
    await opened(server, page)
    await page.clock.run_for(9_000)
    await page.wait_for_function("frames_seen.length >= 5")
    seen = await page.evaluate("frames_seen")
    assert seen[:5] == [frame_text(server.prefix, "A" * 22, number) for number in range(5)]
    assert server.heard == []


@pytest.mark.req("LOG-2")
async def test_the_next_ticket_takes_the_place_of_the_one_shown(server: ScriptedServer, page: Page) -> None:
    await opened(server, page)
    await server.say(server.ticket("B"))
    await expect(page.locator("[data-code] path")).to_have_attribute("d", re.compile("^M"))
    async with asyncio.timeout(10):
        while await photographed(page) != frame_text(server.prefix, "B" * 22, 0):
            pass
    await shows(page, "waiting")


# -------------------------------------------------------------------------------------------------------- the states


@pytest.mark.req("LOG-2", "UX-2")
async def test_every_change_is_shown_and_announced_and_the_card_keeps_its_height(
    server: ScriptedServer, page: Page
) -> None:
    await opened(server, page)
    tall = await height(page)
    steps = [
        (server.scanned(), "scanned", "张** 已在微信京通扫码"),
        (server.rejected(), "rejected", "手机上拒绝了这次登录"),
        (server.rejected("code"), "wrong-code", "数字输错了三次"),
        (server.expired(), "expired", "二维码已过期"),
        (server.approved(code_required=True), "code", "输入手机上的两位数字"),
    ]
    for message, panel, said in steps:
        await server.say(message)
        await shows(page, panel)
        await announced(page, said)
        assert await height(page) == tall


@pytest.mark.parametrize(("platform", "said"), [("wechat", "微信"), ("alipay", "支付宝"), ("baidu", "百度")])
async def test_the_platform_is_named_in_words(server: ScriptedServer, page: Page, platform: str, said: str) -> None:
    await opened(server, page)
    await server.say(server.scanned("欧**", platform))
    await announced(page, f"欧** 已在{said}京通扫码")


@pytest.mark.attack("Q25")
async def test_a_name_and_a_platform_are_text_whatever_they_hold(server: ScriptedServer, page: Page) -> None:
    await opened(server, page)
    await server.say(server.scanned("<img src=x onerror=alert(1)>", 'closed"><b>'))
    await shows(page, "scanned")
    await announced(page, "<img src=x onerror=alert(1)> 已在京通扫码")
    assert await page.locator("#scan img").count() == 0


@pytest.mark.req("LOG-2")
async def test_an_expired_ticket_that_was_renewed_changes_nothing_for_the_person(
    server: ScriptedServer, page: Page
) -> None:
    await opened(server, page)
    await server.say(server.expired(renewed=True))
    await server.say(server.ticket("B"))
    await server.say(server.scanned())
    await shows(page, "scanned")
    assert "过期" not in await page.get_by_role("status").inner_text()


@pytest.mark.parametrize(
    ("state", "button"), [("rejected", "换一个二维码"), ("expired", "刷新"), ("scanned", "不是您？换一个二维码")]
)
async def test_a_button_asks_for_a_new_code(server: ScriptedServer, page: Page, state: str, button: str) -> None:
    await opened(server, page)
    messages = {"rejected": server.rejected(), "expired": server.expired(), "scanned": server.scanned()}
    await server.say(messages[state])
    await page.get_by_role("button", name=button).click()
    await server.until(lambda: server.heard == [{"type": "renew"}])
    await server.say(server.ticket("B"))
    await shows(page, "waiting")


@pytest.mark.attack("Q29")
async def test_an_older_message_is_ignored(server: ScriptedServer, page: Page) -> None:
    old = server.scanned("李**")
    await opened(server, page)
    await server.say(server.ticket("B"))
    await server.say(old)
    await server.say(server.scanned("张**"))
    await shows(page, "scanned")
    await expect(page.locator('[data-panel="scanned"] h2')).to_have_text("张** 已在微信京通扫码")
    assert "李" not in await page.get_by_role("status").inner_text()


# ---------------------------------------------------------------------------------------------------------- redeeming


@pytest.mark.req("LOG-2")
async def test_a_confirmed_login_is_redeemed_and_the_page_moves_on(server: ScriptedServer, page: Page) -> None:
    server.redeem_answers = [answers(200, {"next": "/centre"})]
    await opened(server, page)
    await server.say(server.approved())
    await page.wait_for_url("**/centre")
    assert server.redeemed == [{"grant": "G" * 43}]
    await page.go_back()
    assert page.url == "about:blank", "the login page is not left behind in the history"


@pytest.mark.attack("T4")
@pytest.mark.parametrize("next_path", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
async def test_the_page_never_leaves_its_own_site(server: ScriptedServer, page: Page, next_path: str) -> None:
    server.redeem_answers = [answers(200, {"next": next_path})]
    await opened(server, page)
    await server.say(server.approved())
    await page.wait_for_url(f"{server.base_url}/centre")


@pytest.mark.req("LOG-2")
async def test_a_lost_answer_is_asked_for_once_more_with_the_same_grant(server: ScriptedServer, page: Page) -> None:
    server.redeem_answers = [loses_the_answer, answers(200, {"next": "/centre"})]
    await opened(server, page)
    await server.say(server.approved())
    await page.wait_for_url("**/centre")
    assert server.redeemed == [{"grant": "G" * 43}] * 2


@pytest.mark.attack("P9")
async def test_the_reverse_code_is_typed_into_two_boxes(server: ScriptedServer, page: Page) -> None:
    server.redeem_answers = [answers(422, {"code": "code_wrong", "tries_left": 2}), answers(200, {"next": "/centre"})]
    await opened(server, page)
    await server.say(server.approved(code_required=True))
    first, second = page.get_by_label("第一位数字"), page.get_by_label("第二位数字")
    await expect(first).to_be_focused()

    await page.keyboard.press("Enter")
    await expect(page.get_by_text("请输入两位数字，例如 07")).to_be_visible()
    assert server.redeemed == []

    await page.keyboard.type("47")
    await expect(second).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("还可以试 2 次")).to_be_visible()
    await expect(first).to_be_focused()
    await expect(first).to_have_value("")
    await expect(second).to_have_value("")

    await page.keyboard.type("07")
    await page.get_by_role("button", name="登录", exact=True).click()
    await page.wait_for_url("**/centre")
    assert [body["code"] for body in server.redeemed] == ["47", "07"]


@pytest.mark.parametrize(("pasted", "first", "second"), [("47", "4", "7"), (" ４７ ", "4", "7"), ("4", "", "4")])
async def test_a_pasted_code_fills_both_boxes(
    server: ScriptedServer, page: Page, pasted: str, first: str, second: str
) -> None:
    await opened(server, page)
    await server.say(server.approved(code_required=True))
    await expect(page.get_by_label("第一位数字")).to_be_focused()
    await page.get_by_label("第二位数字").focus()
    await page.evaluate(
        """text => {
            const input = document.activeElement;
            input.value = text;
            input.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertFromPaste" }));
        }""",
        pasted,
    )
    await expect(page.get_by_label("第一位数字")).to_have_value(first)
    await expect(page.get_by_label("第二位数字")).to_have_value(second)


async def test_backspace_goes_back_to_the_first_box(server: ScriptedServer, page: Page) -> None:
    await opened(server, page)
    await server.say(server.approved(code_required=True))
    await expect(page.get_by_label("第一位数字")).to_be_focused()
    await page.keyboard.type("47")
    await page.keyboard.press("Backspace")
    await page.keyboard.press("Backspace")
    await page.keyboard.type("90")
    await expect(page.get_by_label("第一位数字")).to_have_value("9")
    await expect(page.get_by_label("第二位数字")).to_have_value("0")


@pytest.mark.attack("P9")
async def test_the_third_wrong_code_ends_the_ticket_in_words(server: ScriptedServer, page: Page) -> None:
    server.redeem_answers = [answers(422, {"code": "code_wrong", "tries_left": 0})]
    await opened(server, page)
    await server.say(server.approved(code_required=True))
    await expect(page.get_by_label("第一位数字")).to_be_focused()
    await page.keyboard.type("11")
    await page.keyboard.press("Enter")
    await shows(page, "wrong-code")


async def test_a_repeated_approval_leaves_what_was_typed(server: ScriptedServer, page: Page) -> None:
    approved = server.approved(code_required=True)
    await opened(server, page)
    await server.say(approved)
    await expect(page.get_by_label("第一位数字")).to_be_focused()
    await page.keyboard.type("4")
    await server.say(approved)
    await page.keyboard.type("7")
    await expect(page.get_by_label("第一位数字")).to_have_value("4")
    await expect(page.get_by_label("第二位数字")).to_have_value("7")


@pytest.mark.req("UX-5", "UX-2")
async def test_while_a_code_is_looked_at_the_button_says_so_and_a_second_press_is_none(
    server: ScriptedServer, page: Page
) -> None:
    answered = asyncio.Event()

    async def late(request: web.Request) -> web.StreamResponse:
        await answered.wait()
        return await answers(422, {"code": "code_wrong", "tries_left": 2})(request)

    server.redeem_answers = [late, answers(200, {"next": "/centre"})]
    await opened(server, page)
    await server.say(server.approved(code_required=True))
    tall = await height(page)
    await expect(page.get_by_label("第一位数字")).to_be_focused()
    await page.keyboard.type("47")
    await page.get_by_role("button", name="登录", exact=True).click()
    waiting = page.get_by_role("button", name="正在进入", exact=True)
    await expect(waiting).to_be_focused()
    await expect(waiting).to_be_disabled()
    await announced(page, "正在进入")
    await waiting.press("Enter")
    assert await height(page) == tall
    assert len(server.redeemed) == 1

    answered.set()
    await expect(page.get_by_text("还可以试 2 次")).to_be_visible()
    await page.keyboard.type("07")
    await expect(page.get_by_role("button", name="登录", exact=True)).to_be_enabled()
    await page.get_by_role("button", name="登录", exact=True).click()
    await page.wait_for_url("**/centre")


@pytest.mark.req("UX-5")
async def test_a_login_that_takes_long_says_so_and_one_that_hangs_is_asked_for_again(
    server: ScriptedServer, page: Page
) -> None:
    never = asyncio.Event()

    async def hangs(_: web.Request) -> web.StreamResponse:
        await never.wait()
        return web.Response()

    server.redeem_answers = [hangs, answers(200, {"next": "/centre"})]
    # A browser's own deadlines take no notice of a page's clock: this one is shortened, not waited for.
    await page.add_init_script(
        "AbortSignal.timeout = (time) => { const c = new AbortController();"
        " setTimeout(() => c.abort(new DOMException('late', 'TimeoutError')), time); return c.signal; };"
    )
    await page.clock.install(time=0)
    await opened(server, page)
    await server.say(server.approved())
    await shows(page, "confirmed")
    await server.until(lambda: len(server.redeemed) == 1)
    slow = page.get_by_text("比平时久一些，请不要关闭这个页面。")
    await expect(slow).to_be_hidden()
    tall = await height(page)
    await page.clock.run_for(4_500)
    await expect(slow.last).to_be_visible()
    assert await height(page) == tall
    await page.clock.run_for(6_500)
    await page.wait_for_url("**/centre")
    assert server.redeemed == [{"grant": "G" * 43}] * 2
    never.set()


@pytest.mark.req("UX-5")
@pytest.mark.parametrize(
    ("status", "code", "panel", "button"),
    [
        (409, "already_signed_in", "signed-in", "换一个账号"),
        (403, "account_refused", "refused", "换一个二维码"),
        (403, "origin_refused", "ended", "重新打开"),
        (404, "ticket_unknown", "expired", "刷新"),
        (429, "rate_limited", "busy", None),
        (503, "service_unavailable", "down", "现在重试"),
        (500, "internal_error", "down", "现在重试"),
    ],
)
async def test_every_refusal_says_what_happened_and_what_to_do(
    server: ScriptedServer, page: Page, *, status: int, code: str, panel: str, button: str | None
) -> None:
    server.redeem_answers = [answers(status, {"code": code}, **{"Retry-After": "30"})]
    await opened(server, page)
    tall = await height(page)
    await server.say(server.approved())
    await shows(page, panel)
    assert await height(page) == tall
    if button:
        await expect(page.locator(f'[data-panel="{panel}"]').get_by_text(button, exact=True)).to_be_visible()


async def test_a_redeem_that_found_no_store_is_repeated_by_itself(server: ScriptedServer, page: Page) -> None:
    server.redeem_answers = [
        answers(503, {"code": "service_unavailable"}, **{"Retry-After": "1"}),
        answers(200, {"next": "/centre"}),
    ]
    await opened(server, page)
    await server.say(server.approved())
    await page.wait_for_url("**/centre")
    assert server.redeemed == [{"grant": "G" * 43}] * 2


@pytest.mark.attack("Q28")
async def test_switching_accounts_is_a_post_with_a_token(server: ScriptedServer, page: Page) -> None:
    server.redeem_answers = [answers(409, {"code": "already_signed_in"})]
    await opened(server, page)
    await server.say(server.approved())
    await page.get_by_role("button", name="换一个账号").click()
    await page.wait_for_url("**/centre")
    assert server.posted == [("/logout", {"csrf": "example"})]


# --------------------------------------------------------------------------------------------------------- the channel


@pytest.mark.req("LOG-2")
async def test_the_page_loads_itself_again_when_the_channel_is_done(server: ScriptedServer, page: Page) -> None:
    await opened(server, page)
    await server.socket.close(code=1000)
    await server.until(lambda: server.pages_opened == 2)


@pytest.mark.attack("W9")
async def test_a_superseded_page_says_so_and_comes_back_only_when_asked(server: ScriptedServer, page: Page) -> None:
    await page.clock.install(time=0)
    await opened(server, page)
    await server.socket.close(code=4004)
    await shows(page, "elsewhere")
    await announced(page, "已在另一个窗口打开")
    await page.clock.run_for(120_000)
    assert len(server.sockets) == 1
    await page.get_by_role("button", name="在这里登录").click()
    await shows(page, "waiting")
    assert len(server.sockets) == 2


@pytest.mark.parametrize(("code", "panel"), [(4003, "expired"), (4005, "ended")], ids=["deadline", "session ended"])
async def test_a_final_close_is_told_and_not_answered_by_a_reconnect(
    server: ScriptedServer, page: Page, code: int, panel: str
) -> None:
    await page.clock.install(time=0)
    await opened(server, page)
    await server.socket.close(code=code)
    await shows(page, panel)
    await page.clock.run_for(120_000)
    assert len(server.sockets) == 1


@pytest.mark.req("LOG-2")
async def test_refreshing_after_the_deadline_connects_again_and_asks(server: ScriptedServer, page: Page) -> None:
    await opened(server, page)
    server.greeting = server.expired()
    await server.socket.close(code=4003)
    await page.get_by_role("button", name="刷新").click()
    await server.until(lambda: server.heard == [{"type": "renew"}])
    assert len(server.sockets) == 2
    await server.say(server.ticket("B"))
    await shows(page, "waiting")


async def test_too_many_is_counted_down_and_ends_by_itself(server: ScriptedServer, page: Page) -> None:
    await page.clock.install(time=0)
    await opened(server, page)
    await server.socket.close(code=4029, message=b"17")
    await shows(page, "busy")
    await announced(page, "17 秒后自动继续")
    await page.clock.run_for(10_000)
    await expect(page.locator('[data-panel="busy"]')).to_contain_text("7 秒后自动继续")
    assert len(server.sockets) == 1
    await page.clock.run_for(8_000)
    await server.until(lambda: len(server.sockets) == 2)
    await shows(page, "waiting")


@pytest.mark.attack("W11")
async def test_a_restart_while_scanned_is_answered_at_once(server: ScriptedServer, page: Page) -> None:
    await page.clock.install(time=0)
    await page.add_init_script("Math.random = () => 0.999")
    await opened(server, page)
    server.greeting = server.scanned()
    await server.say(server.greeting)
    await shows(page, "scanned")
    await server.socket.close(code=1012)
    await page.clock.run_for(100)
    await server.until(lambda: len(server.sockets) == 2)


async def test_a_restart_while_waiting_is_answered_within_five_seconds_at_random(
    server: ScriptedServer, page: Page
) -> None:
    await stopped(page)
    await page.add_init_script("Math.random = () => 0.9")
    await opened(server, page)
    await server.socket.close(code=1012)
    await page.evaluate("null")
    await page.clock.run_for(4_000)
    assert len(server.sockets) == 1
    await shows(page, "lost")
    await page.clock.run_for(1_500)
    await server.until(lambda: len(server.sockets) == 2)
    await shows(page, "waiting")


async def test_thirty_silent_seconds_open_a_new_socket_and_an_alive_prevents_it(
    server: ScriptedServer, page: Page
) -> None:
    await page.clock.install(time=0)
    await opened(server, page)
    await page.clock.run_for(20_000)
    await server.socket.send_str('{"type":"alive"}')
    await page.evaluate("null")
    await page.clock.run_for(20_000)
    assert len(server.sockets) == 1
    await page.clock.run_for(11_000)
    await server.until(lambda: len(server.sockets) == 2)


async def test_coming_back_online_opens_a_new_socket(server: ScriptedServer, page: Page) -> None:
    await opened(server, page)
    await page.context.set_offline(True)
    await shows(page, "lost")
    await page.context.set_offline(False)
    await server.until(lambda: len(server.sockets) == 2)
    await shows(page, "waiting")


@pytest.mark.attack("W11")
async def test_a_message_lost_with_the_socket_comes_again_on_the_next(server: ScriptedServer, page: Page) -> None:
    server.redeem_answers = [answers(200, {"next": "/centre"})]
    await opened(server, page)
    server.greeting = server.approved()
    assert server.socket._req is not None
    assert server.socket._req.transport is not None
    server.socket._req.transport.abort()
    await page.wait_for_url("**/centre")
    assert server.redeemed == [{"grant": "G" * 43}]


# -------------------------------------------------------------------------------------------------- without WebSocket


@pytest.mark.req("UX-4")
async def test_with_sockets_blocked_the_page_polls_and_ends_logged_in(server: ScriptedServer, page: Page) -> None:
    server.sockets_allowed = False
    server.redeem_answers = [answers(200, {"next": "/centre"})]
    await opened(server, page)
    assert server.tickets_asked == 1
    await server.until(lambda: len(server.events) == 1)
    assert server.greeting is not None
    assert server.events == [str(server.greeting["seq"])]
    await server.say(server.scanned())
    await shows(page, "scanned")
    await server.say(server.approved())
    await page.wait_for_url("**/centre")


@pytest.mark.req("UX-4")
async def test_a_socket_that_opens_and_stays_silent_is_given_up_after_four_seconds(
    server: ScriptedServer, page: Page
) -> None:
    ticket, server.greeting = server.greeting, None
    await page.clock.install(time=0)
    await page.goto("/login")
    await server.until(lambda: len(server.sockets) == 1)
    server.greeting = ticket
    await page.clock.run_for(3_500)
    assert server.tickets_asked == 0
    await page.clock.run_for(1_000)
    await shows(page, "waiting")
    assert server.tickets_asked == 1


@pytest.mark.req("UX-4")
async def test_an_expired_ticket_is_renewed_by_asking_again(server: ScriptedServer, page: Page) -> None:
    server.sockets_allowed = False
    await opened(server, page)
    await server.say(server.expired())
    await shows(page, "expired")
    server.greeting = server.ticket("B")
    await page.get_by_role("button", name="刷新").click()
    await shows(page, "waiting")
    assert server.tickets_asked == 2


# ------------------------------------------------------------------------------------------------- without JavaScript


@pytest.mark.req("UX-4")
async def test_without_javascript_a_picture_shows_the_code_and_a_frame_the_state(
    server: ScriptedServer, browser_context: ContextFactory
) -> None:
    context = await browser_context(base_url=server.base_url, java_script_enabled=False)
    page = await context.new_page()
    await page.goto("/login")
    assert await photographed(page) in {frame_text(server.prefix, "A" * 22, number) for number in range(3)}
    await expect(page.frame_locator("iframe").get_by_role("heading")).to_have_text("请用京通“扫一扫”")
    await expect(page.locator("[data-panel]:visible")).to_have_count(0)
    await expect(page.get_by_text("网页会自动进入")).to_be_hidden()
    await expect(page.locator(".steps noscript span")).to_be_visible()


@pytest.mark.req("UX-4")
@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("state", list(QrState))
async def test_every_state_without_javascript_fits_into_its_frame(
    server: ScriptedServer, browser_context: ContextFactory, state: QrState, width: int
) -> None:
    server.state = msgspec.structs.replace(QrStatePage.sample(), state=state, who="阿依古丽**", seconds_left=60)
    context = await browser_context(
        base_url=server.base_url, java_script_enabled=False, viewport={"width": width, "height": 800}
    )
    page = await context.new_page()
    await page.goto("/login")
    frame = page.frames[-1]
    await expect(page.frame_locator("iframe").get_by_role("heading")).to_be_visible()
    room = await page.locator("iframe").evaluate("(frame) => frame.clientHeight")
    assert await frame.evaluate("document.documentElement.scrollHeight") <= room


@pytest.mark.req("UX-4")
async def test_without_javascript_the_code_is_posted_by_a_form_to_the_whole_page(
    server: ScriptedServer, browser_context: ContextFactory
) -> None:
    server.state = QrStatePage(state=QrState.CODE, flow=FLOW, csrf="token", who="张**", grant="G" * 43)
    context = await browser_context(base_url=server.base_url, java_script_enabled=False)
    page = await context.new_page()
    await page.goto("/login")
    frame = page.frame_locator("iframe")
    await frame.get_by_label("输入手机上的两位数字").fill("07")
    await frame.get_by_role("button", name="登录").click()
    await page.wait_for_url("**/centre")
    assert server.posted == [("/qr/redeem", {"grant": "G" * 43, "csrf": "token", "flow": FLOW, "code": "07"})]


@pytest.mark.req("UX-4")
async def test_without_webcrypto_the_page_turns_to_the_picture(
    server: ScriptedServer, browser_context: ContextFactory
) -> None:
    page = await (await browser_context(base_url=server.base_url)).new_page()
    await page.add_init_script("Object.defineProperty(crypto, 'subtle', { value: undefined })")
    await page.goto("/login")
    await expect(page.frame_locator("iframe").get_by_role("heading")).to_have_text("请用京通“扫一扫”")
    await expect(page.get_by_text("再点二维码下面出现的“进入”")).to_be_visible()
    assert server.sockets == []


# ---------------------------------------------------------------------------------------------------------------- tabs


@pytest.mark.req("LOG-1", "UX-2")
async def test_tabs_are_moved_through_by_keyboard_without_a_reload(server: ScriptedServer, page: Page) -> None:
    await opened(server, page)
    await page.get_by_role("tab", name="扫码登录").focus()
    await page.keyboard.press("ArrowRight")
    await expect(page.get_by_role("tab", name="账号登录")).to_be_focused()
    await expect(page.get_by_role("tabpanel", name="账号登录")).to_contain_text("用户名/手机号/身份证号")
    assert page.url.endswith("/login?tab=account")
    await page.get_by_role("tab", name="法人登录").click()
    await expect(page.get_by_role("tabpanel", name="法人登录")).to_contain_text("再选择代表哪个法人办事")
    await expect(page.get_by_role("tab", name="扫码登录")).to_be_hidden()
    assert server.pages_opened == 1


@pytest.mark.req("LOG-1")
async def test_another_tab_opened_first_asks_for_no_ticket_until_the_code_is_wanted(
    server: ScriptedServer, page: Page
) -> None:
    await page.goto("/login?tab=legal")
    await expect(page.get_by_role("tab", name="法人登录")).to_have_attribute("aria-selected", "true")
    assert server.sockets == []
    await page.get_by_role("tab", name="个人登录").click()
    await shows(page, "waiting")


@pytest.mark.req("LOG-2")
async def test_a_scan_brings_its_tab_to_the_front(server: ScriptedServer, page: Page) -> None:
    await opened(server, page)
    await page.get_by_role("tab", name="账号登录").click()
    await server.say(server.scanned())
    await expect(page.get_by_role("tab", name="扫码登录")).to_have_attribute("aria-selected", "true")
    await shows(page, "scanned")


# ------------------------------------------------------------------------------------------------------------ the rest


@pytest.mark.req("UX-3")
@pytest.mark.parametrize("width", [320, 390, 860, 1280])
async def test_nothing_scrolls_sideways(server: ScriptedServer, browser_context: ContextFactory, width: int) -> None:
    page = await (await browser_context(base_url=server.base_url, viewport={"width": width, "height": 800})).new_page()
    for path in ("/login", "/login?tab=legal", "/centre"):
        await page.goto(path)
        assert await page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.req("UX-3")
async def test_what_tells_people_what_to_do_is_large_enough_to_read(server: ScriptedServer, page: Page) -> None:
    for path in ("/login", "/centre"):
        await page.goto(path)
        sizes = await page.evaluate(
            "[...document.querySelectorAll('p, li > span, li > strong, button, a')]"
            ".map((e) => [parseFloat(getComputedStyle(e).fontSize), e.textContent.trim()])"
        )
        assert [words for size, words in sizes if size < 16] == []


@pytest.mark.req("UX-6")
async def test_the_page_runs_under_its_policy_without_a_complaint(server: ScriptedServer, page: Page) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(request.url))
    await opened(server, page)
    await server.say(server.approved(code_required=True))
    await shows(page, "code")
    assert complaints == []
    assert {url for url in asked if not url.startswith(server.base_url)} == set()


@pytest.mark.req("LOG-2")
async def test_the_page_beside_it_is_told_each_frame_in_a_demonstration_only(
    server: ScriptedServer, page: Page
) -> None:
    await page.goto("/beside")
    await expect(page.frame_locator("iframe").locator('[data-panel="waiting"]')).to_be_visible()
    assert await page.evaluate("seen") == []

    server.page = msgspec.structs.replace(server.page, embedder=server.base_url)
    await page.goto("/beside")
    await page.wait_for_function("seen.length > 0")
    told = await page.evaluate("seen[0]")
    # On a busy machine the first frame is over before the page has run.
    texts = [frame_text(server.prefix, "A" * 22, number) for number in range(10)]
    assert told["type"] == "bjidp-frame"
    assert told["text"] in texts


@pytest.mark.req("UX-4")
async def test_a_poll_that_was_superseded_says_so_as_a_socket_does(server: ScriptedServer, page: Page) -> None:
    server.sockets_allowed = False
    server.event_refusals = [answers(409, {"code": "page_superseded"})]
    await page.goto("/login")
    await shows(page, "elsewhere")


@pytest.mark.req("UX-4", "UX-5")
async def test_a_poll_of_a_dead_flow_asks_to_open_the_page_again(server: ScriptedServer, page: Page) -> None:
    server.sockets_allowed = False
    server.event_refusals = [answers(403, {"code": "flow_unknown"})]
    await page.goto("/login")
    await shows(page, "ended")
    await page.get_by_role("link", name="重新打开").click()
    await server.until(lambda: server.pages_opened == 2)


@pytest.mark.req("UX-4", "UX-5")
async def test_a_poll_that_finds_no_store_is_repeated_by_itself(server: ScriptedServer, page: Page) -> None:
    server.sockets_allowed = False
    server.event_refusals = [answers(503, {"code": "service_unavailable"}, **{"Retry-After": "1"})]
    await page.goto("/login")
    await shows(page, "down")
    await shows(page, "waiting")
    assert server.tickets_asked == 2
