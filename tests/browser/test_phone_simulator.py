"""The phone simulator as a person uses it, in a real browser, beside a small fake of the identity server."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import qrcode
from PIL import Image
from playwright.async_api import Page, expect

from tests.browser.phone_fakes import PREFIX, FakeIdentityServer, Simulator, problem, running
from tests.support.accessibility import violations
from tests.support.chromium import BrowserLauncher, ContextFactory, beside_browsers

PATIENCE = 10_000  # Milliseconds until a step that does not come has failed.
TICKET = "A" * 22
TEXT = f"{PREFIX}{TICKET}.003.abcdefghijkl"
VERIFIED = {
    "verify.password": "修改密码",
    "verify.phone": "修改手机号",
    "verify.mail": "绑定邮箱",
    "verify.username": "修改用户名",
    "verify.real_name": "实名认证",
    "verify.bank_card": "银行卡认证",
    "verify.face": "人脸识别认证",
    "verify.exchange": "换绑实名身份",
    "verify.unbind": "解绑实名身份",
    "verify.withdraw_appeal": "撤回人工申诉",
    "verify.link": "绑定第三方账号",
    "verify.unlink": "解绑第三方账号",
    "verify.cancel": "账号注销",
    "verify.recover": "找回密码",
}
"""What verify tickets ask for, by what the person calls it."""


@beside_browsers
async def simulator() -> AsyncIterator[Simulator]:
    async with running() as found:
        yield found


@beside_browsers
async def page(browser_context: ContextFactory, simulator: Simulator) -> Page:
    context = await browser_context(base_url=simulator.url, viewport={"width": 390, "height": 844})
    context.set_default_timeout(PATIENCE)
    return await context.new_page()


@pytest.fixture
def server(simulator: Simulator) -> FakeIdentityServer:
    return simulator.server


async def log_in(page: Page, person: str = "张三", platform: str = "微信") -> None:
    await page.goto("/phone")
    await page.get_by_role("radio", name=platform, exact=True).check()
    await page.get_by_role("radio", name=person, exact=True).check()
    await page.get_by_role("button", name="登录京通").click()


async def paste(page: Page, text: str = TEXT) -> None:
    await page.get_by_role("button", name="扫一扫").click()
    await page.get_by_label("二维码内容").fill(text)
    await page.get_by_role("button", name="识别", exact=True).click()


async def heading(page: Page, words: str) -> None:
    await expect(page.get_by_role("heading", name=words, exact=True)).to_be_visible()


@pytest.mark.req("LOG-2", "LOG-7")
async def test_a_known_person_scans_sees_every_fact_and_confirms(page: Page, server: FakeIdentityServer) -> None:
    server.reverse_code = "07"
    await log_in(page)
    await expect(page.get_by_text("张**")).to_be_visible()
    await expect(page.get_by_text("L3 中级认证")).to_be_visible()

    await paste(page)
    await heading(page, "登录首都之窗？")
    await expect(page.get_by_text("您将以 张** 的身份在电脑上登录")).to_be_visible()
    facts = page.get_by_role("main").locator("dl")
    for words in (
        "首都之窗",
        "banshi.example.gov.cn",
        "Chrome · Windows",
        "北京市（按网络估计）",
        "您以前在这个网络登录过",
    ):
        await expect(facts).to_contain_text(words)
    await expect(facts).to_contain_text("关闭浏览器即退出，最长 12 小时")
    await expect(facts).to_contain_text(re.compile(r"[789] 秒前"))
    await expect(page.get_by_role("timer")).to_contain_text(re.compile(r"还剩 +(60|59|58) 秒"))
    assert server.asked("qr/scan") == [{"text": TEXT, "scene": 0}]
    assert server.asked("qr/confirm") == []

    await page.get_by_role("button", name="确认登录").click()
    await heading(page, "已确认，还差一步")
    await expect(page.get_by_text("0 7", exact=True)).to_be_attached()
    assert server.asked("qr/confirm") == [{"ticket": TICKET, "confirm_token": "c" * 43}]


@pytest.mark.req("LOG-2")
@pytest.mark.attack("P9")
async def test_the_two_digits_stay_on_the_first_page_for_as_long_as_the_computer_takes_them(
    page: Page, server: FakeIdentityServer
) -> None:
    server.reverse_code = "07"
    await page.clock.install()
    await log_in(page)
    await paste(page)
    await page.get_by_role("button", name="确认登录").click()
    await heading(page, "已确认，还差一步")
    await page.get_by_role("button", name="我已在电脑上输入").click()

    again = page.get_by_role("region", name="电脑上要输入的两位数字")
    await expect(again).to_contain_text("0 7")
    assert await violations(page) == []
    await page.get_by_role("button", name="我的", exact=True).click()
    await page.reload()
    await expect(again).to_contain_text("0 7")
    await page.clock.fast_forward(60_000)
    await expect(again).to_contain_text(re.compile(r"还剩 +(30|2\d) 秒"))
    await page.clock.fast_forward(31_000)
    await expect(again).to_have_count(0)
    assert "07" not in await page.evaluate("JSON.stringify(sessionStorage)")


@pytest.mark.attack("P9")
async def test_digits_of_one_login_are_gone_for_the_next_and_for_another_person(
    page: Page, server: FakeIdentityServer
) -> None:
    server.reverse_code = "07"
    server.known["li"] = "李小雨"
    await log_in(page)
    await paste(page)
    await page.get_by_role("button", name="确认登录").click()
    await page.get_by_role("button", name="我已在电脑上输入").click()
    again = page.get_by_role("region", name="电脑上要输入的两位数字")
    await expect(again).to_be_visible()
    await paste(page, TEXT.replace("A", "B"))
    await page.get_by_role("button", name="返回").click()
    await expect(page.get_by_role("button", name="扫一扫")).to_be_visible()
    await expect(again).to_have_count(0)

    await paste(page, TEXT.replace("A", "C"))
    await page.get_by_role("button", name="确认登录").click()
    await page.get_by_role("button", name="我已在电脑上输入").click()
    await page.get_by_role("button", name="切换平台或人物").click()
    await page.get_by_role("radio", name="李小雨", exact=True).check()
    await page.get_by_role("button", name="登录京通").click()
    await expect(page.get_by_text("李**")).to_be_visible()
    await expect(again).to_have_count(0)


@pytest.mark.req("LOG-2")
async def test_the_two_answers_are_equally_large_and_a_refusal_reports_only_when_asked(
    page: Page, server: FakeIdentityServer
) -> None:
    await log_in(page)
    await paste(page)
    yes = await page.get_by_role("button", name="确认登录").bounding_box()
    no = await page.get_by_role("button", name="不是我，拒绝").bounding_box()
    assert yes is not None
    assert no is not None
    assert (yes["width"], yes["height"]) == (no["width"], no["height"])

    await page.get_by_role("button", name="不是我，拒绝").click()
    await heading(page, "已拒绝")
    await page.get_by_role("button", name="回到首页").click()
    await paste(page, TEXT.replace("A", "B"))
    await page.get_by_label("拒绝时一并举报").check()
    await page.get_by_role("button", name="不是我，拒绝").click()
    await heading(page, "已拒绝并举报")

    assert [asked["report"] for asked in server.asked("qr/reject")] == [False, True]


@pytest.mark.attack("P3")
async def test_what_the_server_does_not_know_is_said_to_be_unknown(page: Page, server: FakeIdentityServer) -> None:
    server.request |= {
        "browser": "unknown",
        "os": "unknown",
        "ip_area": None,
        "location_mismatch": True,
        "ip_seen_before": False,
        "session_lifetime": 1800,
    }
    await log_in(page)
    await paste(page)

    facts = page.get_by_role("main").locator("dl")
    await expect(facts).to_contain_text("未知 · 未知")
    await expect(facts.locator("div", has_text="地点")).to_contain_text("未知")
    await expect(facts).to_contain_text("第一次在这个网络登录")
    await expect(facts).to_contain_text("最长 30 分钟")
    await expect(page.get_by_text("这台电脑和您的手机不在同一个地方")).to_be_visible()


async def test_the_list_of_persons_begins_with_an_ordinary_one_and_the_stories_come_before_the_others(
    page: Page,
) -> None:
    await page.goto("/phone")
    await expect(page.get_by_role("radio", name="张三", exact=True)).to_be_checked()
    told = await page.locator(".person-story").all_inner_texts()
    ordinary = [number for number, words in enumerate(told) if words.startswith("一切正常")]
    assert len(ordinary) > 1
    assert ordinary == [0, *range(len(told) - len(ordinary) + 1, len(told))]


@pytest.mark.req("REG-7", "LOG-7")
@pytest.mark.parametrize(("platform", "name"), [("微信", "wechat"), ("支付宝", "alipay"), ("百度", "baidu")])
async def test_a_new_person_registers_by_face_on_each_platform(
    page: Page, server: FakeIdentityServer, platform: str, name: str
) -> None:
    server.pending = 1
    await log_in(page, "李小雨", platform)
    await heading(page, "请填写您的身份信息")
    await expect(page.get_by_label("姓名")).to_have_value("李小雨")
    await expect(page.get_by_label("证件类型")).to_have_value("hk_permit")
    await page.get_by_role("checkbox").check()
    await page.get_by_role("button", name="开始人脸识别").click()

    await heading(page, "人脸识别（模拟）")
    await page.get_by_role("button", name="通过", exact=True).click()

    await expect(page.get_by_text("李**")).to_be_visible()
    assert server.asked(f"{name}/registration") == [
        {
            "registration": "li",
            "document_type": "hk_permit",
            "name": "李小雨",
            "document_number": "H99990002",
            "valid_days": 30,
            "agreed": ["terms", "privacy"],
        }
    ]
    assert len(server.asked(f"{name}/registration/complete")) == 2, "a pending verdict is asked for again"


@pytest.mark.req("REG-7", "UX-5")
async def test_faults_of_the_form_stand_beside_their_fields_and_keep_what_was_typed(
    page: Page, server: FakeIdentityServer
) -> None:
    await log_in(page, "新的平台用户")
    await page.get_by_label("姓名").fill("孙")
    await page.get_by_role("button", name="开始人脸识别").click()

    await expect(page.get_by_role("alert")).to_contain_text("有 2 处需要修改")
    await expect(page.get_by_label("证件号码")).to_be_focused()
    await expect(page.get_by_label("证件号码")).to_have_attribute("aria-invalid", "true")
    assert server.asked("wechat/registration") == []

    await page.get_by_label("证件号码").fill("1001-")
    await page.get_by_role("checkbox").check()
    await page.get_by_role("button", name="开始人脸识别").click()
    await expect(page.get_by_text("证件号码有输错的地方，请逐位核对")).to_be_visible()
    await expect(page.get_by_label("姓名")).to_have_value("孙")


@pytest.mark.req("REG-7", "RNV-10")
@pytest.mark.parametrize(
    ("person", "outcome", "words"),
    [
        ("赵无颜", "不通过", "人脸识别没有通过"),
        ("王不符", "通过", "请核对后重新校验。仍不一致时，请联系发证部门。"),
        ("李小雨", "取消", "人脸识别已取消"),
    ],
)
async def test_a_face_check_that_does_not_succeed_leads_back_to_the_form(
    page: Page, person: str, outcome: str, words: str
) -> None:
    await log_in(page, person)
    await page.get_by_role("checkbox").check()
    await page.get_by_role("button", name="开始人脸识别").click()
    await page.get_by_role("button", name=outcome, exact=True).click()

    await expect(page.get_by_role("alert")).to_contain_text(words)
    await expect(page.get_by_label("姓名")).to_have_value(person)


async def test_a_registration_that_is_over_starts_again_with_the_login(page: Page, server: FakeIdentityServer) -> None:
    fault = {"field": "registration", "code": "unknown"}
    server.refusals["wechat/registration"] = problem(400, "invalid_request", errors=[fault])
    await log_in(page, "李小雨")
    await page.get_by_role("checkbox").check()
    await page.get_by_role("button", name="开始人脸识别").click()

    await heading(page, "填写时间过长")
    await page.get_by_role("button", name="重新登录").click()
    await heading(page, "谁的手机？")


# ------------------------------------------------------------------------------------------------- an account is there


@beside_browsers
async def found(page: Page, server: FakeIdentityServer) -> Page:
    """A person who has passed the face check, and whose identity has an account."""
    account = {"username": "*******2400937", "phone": "154****0002"}
    server.found = {"status": "account_found", "registration": "li", "account": account, "expires_in": 1800}
    await log_in(page, "李小雨")
    await page.get_by_role("checkbox").check()
    await page.get_by_role("button", name="开始人脸识别").click()
    await page.get_by_role("button", name="通过", exact=True).click()
    await heading(page, "这个账号是您的吗？")
    return page


@pytest.mark.req("RNV-7", "REG-7")
async def test_an_account_that_was_found_is_claimed_by_a_code_to_its_phone(
    found: Page, server: FakeIdentityServer
) -> None:
    await expect(found.get_by_role("main")).to_contain_text("154****0002")
    assert await violations(found) == []
    await found.get_by_role("button", name="是我的，用短信认领").click()
    await heading(found, "输入短信验证码")
    assert await violations(found) == []
    await expect(found.get_by_role("button", name=re.compile("重新获取（[0-9]+秒）"))).to_be_visible()

    await found.get_by_label("短信验证码").fill("12345")
    await found.get_by_role("button", name="认领并登录").click()
    await expect(found.get_by_text("请输入六位数字的验证码")).to_be_visible()
    await found.get_by_label("短信验证码").fill("000000")
    await found.get_by_role("button", name="认领并登录").click()
    await expect(found.get_by_text("验证码不对，还可以试 4 次")).to_be_visible()
    await expect(found.get_by_label("短信验证码")).to_be_focused()
    await found.get_by_label("短信验证码").fill(server.claim_code)
    await found.get_by_role("button", name="认领并登录").click()

    await expect(found.get_by_text("李**")).to_be_visible()
    assert server.asked("wechat/registration/claim") == [
        {"registration": "li", "mine": True},
        {"registration": "li", "mine": True, "code": "000000"},
        {"registration": "li", "mine": True, "code": server.claim_code},
    ]


@pytest.mark.req("RNV-7")
async def test_an_account_that_is_not_ones_own_is_left_after_one_more_question(
    found: Page, server: FakeIdentityServer
) -> None:
    await found.get_by_role("button", name="不是我的，或手机号不用了").click()
    await heading(found, "新建一个账号？")
    assert await violations(found) == []
    await found.get_by_role("button", name="返回", exact=True).last.click()
    await heading(found, "这个账号是您的吗？")
    assert server.asked("wechat/registration/claim") == []
    await found.get_by_role("button", name="不是我的，或手机号不用了").click()
    await found.get_by_role("button", name="新建账号并登录").click()
    await expect(found.get_by_text("李**")).to_be_visible()
    assert server.asked("wechat/registration/claim") == [{"registration": "li", "mine": False}]


async def test_a_code_that_is_on_its_way_is_not_asked_for_again(found: Page, server: FakeIdentityServer) -> None:
    await found.get_by_role("button", name="是我的，用短信认领").click()
    await heading(found, "输入短信验证码")
    await found.get_by_role("button", name=re.compile("重新获取")).click(force=True)
    await found.get_by_role("button", name="返回", exact=True).click()
    await found.get_by_role("button", name="是我的，用短信认领").click()
    await heading(found, "输入短信验证码")
    assert len(server.asked("wechat/registration/claim")) == 1


async def test_an_account_without_a_phone_can_only_be_left(page: Page, server: FakeIdentityServer) -> None:
    account = {"username": "*******2400937", "phone": None}
    server.found = {"status": "account_found", "registration": "li", "account": account, "expires_in": 1800}
    await log_in(page, "李小雨")
    await page.get_by_role("checkbox").check()
    await page.get_by_role("button", name="开始人脸识别").click()
    await page.get_by_role("button", name="通过", exact=True).click()
    await expect(page.get_by_role("main")).to_contain_text("这个账号没有绑定手机号")
    await expect(page.get_by_role("button", name="是我的，用短信认领")).to_have_count(0)


@pytest.mark.req("FAQ-1", "UX-5")
@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (problem(429, "sms_hourly"), "请在1小时后再试"),
        (problem(501, "sms_not_offered"), "短信"),
        (problem(503, "service_unavailable"), "没有任何改变"),
    ],
)
async def test_a_code_that_cannot_be_sent_is_told_where_it_was_asked_for(
    found: Page, server: FakeIdentityServer, refusal: tuple[int, dict[str, object] | None], words: str
) -> None:
    server.refusals["wechat/registration/claim"] = refusal
    await found.get_by_role("button", name="是我的，用短信认领").click()
    await expect(found.get_by_role("alert")).to_contain_text(words)
    await heading(found, "这个账号是您的吗？")


@pytest.mark.attack("P2")
@pytest.mark.parametrize(("platform", "scene"), [("微信", 1012), ("支付宝", 1), ("百度", 1)])
async def test_a_picture_from_the_album_is_told_as_such_and_refused(
    page: Page, server: FakeIdentityServer, tmp_path: Path, platform: str, scene: int
) -> None:
    picture = tmp_path / "forwarded.png"
    qrcode.make(TEXT).get_image().save(picture)
    server.known["li"] = "李小雨"
    await log_in(page, "李小雨", platform)
    await page.get_by_role("button", name="扫一扫").click()

    await page.get_by_label("从相册选取").set_input_files(picture)

    await heading(page, "请对准屏幕扫码")
    assert server.asked("qr/scan") == [{"text": TEXT, "scene": scene}]


async def test_a_picture_without_a_code_says_so(page: Page, server: FakeIdentityServer, tmp_path: Path) -> None:
    blank, broken = tmp_path / "blank.png", tmp_path / "broken.png"
    Image.new("L", (200, 200), 255).save(blank)
    broken.write_bytes(b"no picture")
    await log_in(page)
    await page.get_by_role("button", name="扫一扫").click()

    await page.get_by_label("从相册选取").set_input_files(blank)
    await expect(page.get_by_role("alert")).to_contain_text("没有找到二维码")
    await page.get_by_label("从相册选取").set_input_files(broken)
    await heading(page, "这张图片打不开")

    assert server.asked("qr/scan") == []


@pytest.mark.req("LOG-2")
async def test_the_camera_reads_the_code_on_the_screen_by_itself_and_confirms_nothing(
    launch_browser: BrowserLauncher, simulator: Simulator, server: FakeIdentityServer, tmp_path: Path
) -> None:
    film = tmp_path / "screen.y4m"
    film.write_bytes(y4m(qrcode.make(TEXT, box_size=8).get_image().convert("L")))
    browser = await launch_browser(
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    )
    context = await browser.new_context(base_url=simulator.url, permissions=["camera"])
    page = await context.new_page()
    await log_in(page)

    await page.get_by_role("button", name="扫一扫").click()

    await heading(page, "登录首都之窗？")
    assert server.asked("qr/scan") == [{"text": TEXT, "scene": 0}]
    assert server.asked("qr/confirm") == []


def y4m(code: Image.Image) -> bytes:
    """Return one second of film in which the screen with the code fills a grey picture (YUV4MPEG2, 4:2:0)."""
    width, height, frames = 640, 480, 10
    luma = Image.new("L", (width, height), 110)
    luma.paste(code, ((width - code.width) // 2, (height - code.height) // 2))
    frame = b"FRAME\n" + luma.tobytes() + bytes([128]) * (width * height // 2)
    return f"YUV4MPEG2 W{width} H{height} F10:1 Ip A1:1 C420jpeg\n".encode() + frame * frames


async def test_a_device_without_camera_says_so_and_offers_the_other_ways(page: Page) -> None:
    await log_in(page)
    await page.get_by_role("button", name="扫一扫").click()

    await expect(page.get_by_text(re.compile("请用下面的办法|或用下面的办法"))).to_be_visible()
    await expect(page.get_by_role("button", name="扫旁边的页面")).to_have_count(0)


@pytest.mark.attack("M3")
async def test_an_address_with_a_text_scans_and_confirms_nothing_by_itself(
    page: Page, server: FakeIdentityServer
) -> None:
    await log_in(page)
    await expect(page.get_by_role("button", name="扫一扫")).to_be_visible()

    await page.goto(f"/phone?text={TEXT}")
    await expect(page.get_by_label("二维码内容")).to_have_value(TEXT)
    await expect(page.get_by_text("不会自动识别")).to_be_visible()
    await page.wait_for_load_state("networkidle")
    assert server.asked("qr/scan") == []
    assert "text=" not in page.url

    await page.get_by_role("button", name="识别", exact=True).click()
    await heading(page, "登录首都之窗？")
    assert server.asked("qr/scan") == [{"text": TEXT, "scene": 1011}]
    assert server.asked("qr/confirm") == []


@pytest.mark.attack("M3")
async def test_a_link_opened_before_the_login_waits_for_it(page: Page, server: FakeIdentityServer) -> None:
    await page.goto(f"/phone?text={TEXT}")
    await expect(page.get_by_text("不会自动替您扫码或确认")).to_be_visible()
    await page.get_by_role("button", name="登录京通").click()

    await expect(page.get_by_label("二维码内容")).to_have_value(TEXT)
    assert server.asked("qr/scan") == []


SHOWING = """
const show = (text) => parent.postMessage({type: "bjidp-frame", text}, "*");
setInterval(() => show(TEXT), 100);
"""


async def test_the_page_beside_is_scanned_when_asked(
    browser_context: ContextFactory, simulator: Simulator, server: FakeIdentityServer
) -> None:
    server.login_page = '<!doctype html><script src="/login.js"></script>'
    server.login_script = SHOWING.replace("TEXT", json.dumps(TEXT))
    page = await (await browser_context(base_url=simulator.url, viewport={"width": 1280, "height": 800})).new_page()
    await page.goto("/")
    phone = page.frame_locator("#phone")
    await phone.get_by_role("button", name="登录京通").click()
    await phone.get_by_role("button", name="扫一扫").click()

    await phone.get_by_role("button", name="扫旁边的页面").click()

    await expect(phone.get_by_role("heading", name="登录首都之窗？")).to_be_visible()
    assert server.asked("qr/scan") == [{"text": TEXT, "scene": 0}]


@pytest.mark.attack("M3")
async def test_frames_of_anyone_else_are_not_seen(
    browser_context: ContextFactory, simulator: Simulator, server: FakeIdentityServer
) -> None:
    page = await (await browser_context(base_url=simulator.url, viewport={"width": 1280, "height": 800})).new_page()
    await page.goto("/")
    phone = page.frame_locator("#phone")
    await phone.get_by_role("button", name="登录京通").click()
    await phone.get_by_role("button", name="扫一扫").click()
    # The demo page itself is not the login page, and the phone's own window is not its parent.
    forge = "window.postMessage({type: 'bjidp-frame', text: 'forged'}, '*')"
    await page.evaluate(forge)
    inner = page.frame(url=re.compile("/phone$"))
    assert inner is not None
    await inner.evaluate(forge)

    await phone.get_by_role("button", name="扫旁边的页面").click()

    await expect(phone.get_by_role("alert")).to_contain_text("旁边的页面现在没有显示二维码")
    assert server.asked("qr/scan") == []


@pytest.mark.attack("M3")
async def test_another_window_is_believed_when_it_is_the_servers_and_else_not(
    browser_context: ContextFactory, simulator: Simulator, server: FakeIdentityServer
) -> None:
    server.login_page = f'<!doctype html><iframe src="{simulator.url}/phone/beside"></iframe>'
    context = await browser_context(base_url=simulator.url)
    phone, window, forger = [await context.new_page() for _ in range(3)]
    await log_in(phone)
    await phone.get_by_role("button", name="扫一扫").click()
    await window.goto(f"{simulator.server_url}/login")
    show = "(text) => frames[0].postMessage({type: 'bjidp-frame', text}, '*')"
    await window.evaluate(show, TEXT)
    await expect(phone.get_by_role("button", name="扫另一个窗口")).to_be_visible()
    # By itself, and in a page of another origin, which may not frame it at all.
    await forger.goto("/phone/beside")
    await forger.evaluate("postMessage({type: 'bjidp-frame', text: 'forged'}, '*')")
    await forger.goto("/health")
    await forger.evaluate("""document.body.innerHTML = '<iframe src="/phone/beside"></iframe>';""")
    await forger.evaluate(show, "forged")
    await phone.get_by_role("button", name="扫另一个窗口").click()
    await heading(phone, "登录首都之窗？")
    assert server.asked("qr/scan") == [{"text": TEXT, "scene": 0}]


@pytest.mark.parametrize("outcome", ["确认登录", "不是我，拒绝"])
async def test_a_lost_answer_is_no_lost_decision(page: Page, server: FakeIdentityServer, outcome: str) -> None:
    tail, words = ("qr/confirm", "已确认，还差一步") if outcome == "确认登录" else ("qr/reject", "已拒绝")
    server.reverse_code = "47"
    server.lose = {tail}
    await log_in(page)
    await paste(page)
    await page.get_by_role("button", name=outcome).click()

    await heading(page, words)
    assert len(server.asked(tail)) == 2


async def test_a_double_click_is_one_confirmation(page: Page, server: FakeIdentityServer) -> None:
    await log_in(page)
    await paste(page)
    await page.get_by_role("button", name="确认登录").dblclick()

    await heading(page, "已确认")
    assert len(server.asked("qr/confirm")) == 1


async def test_a_ticket_whose_time_is_over_is_said_to_be_over(page: Page, server: FakeIdentityServer) -> None:
    server.expires_in = 1.5
    await log_in(page)
    await paste(page)

    await heading(page, "二维码已过期")
    await page.get_by_role("button", name="重新扫码").click()
    await expect(page.get_by_label("二维码内容")).to_be_visible()


REFUSALS = [
    (problem(409, "frame_stale"), "二维码已经更新", "重新扫码"),
    (problem(409, "ticket_taken"), "已经有人扫过了", "重新扫码"),
    (problem(409, "ticket_closed"), "这个二维码已经用过了", "重新扫码"),
    (problem(410, "ticket_expired"), "二维码已过期", "重新扫码"),
    (problem(404, "ticket_unknown"), "这个二维码不能用", "重新扫码"),
    (problem(403, "account_refused", reason="locked"), "这个账号现在不能登录", "回到首页"),
    (problem(429, "rate_limited"), "操作太频繁", "回到首页"),
    (problem(503, "service_unavailable"), "服务暂时不可用", "再试一次"),
    (problem(503, "too_busy"), "现在访问的人太多", "再试一次"),
    (problem(408, "request_timeout"), "提交的内容没有传完", "再试一次"),
    (problem(413, "too_large"), "提交的内容太大", "再试一次"),
    (problem(500, "internal_error"), "出了一点问题", "再试一次"),
    (problem(418, "something_new"), "没有看懂平台的回答", "再试一次"),
]


@pytest.mark.req("UX-5")
async def test_every_refusal_of_a_scan_is_told_in_words_with_the_next_step(
    page: Page, server: FakeIdentityServer
) -> None:
    await log_in(page)
    for answer, title, next_step in REFUSALS:
        server.refusals["qr/scan"] = answer
        await paste(page)
        await heading(page, title)
        await expect(page.get_by_role("main")).not_to_contain_text(re.compile(r"[a-z]+_[a-z]+"))
        await page.get_by_role("button", name=next_step).click()
        if next_step != "回到首页":
            await page.get_by_role("button", name="返回").click()


async def test_the_wait_after_too_many_attempts_is_named(page: Page, server: FakeIdentityServer) -> None:
    server.refusals["wechat/session"] = problem(429, "rate_limited")
    await log_in(page)

    await expect(page.get_by_role("alert").last).to_contain_text("请1.5 分钟后再试")


async def test_a_reload_keeps_the_login_and_another_tab_is_another_phone(page: Page) -> None:
    await log_in(page)
    await expect(page.get_by_text("张**")).to_be_visible()

    await page.reload()
    await expect(page.get_by_text("张**")).to_be_visible()

    other = await page.context.new_page()
    await other.goto("/phone")
    await heading(other, "谁的手机？")


async def test_a_token_that_ran_out_is_renewed_once_without_a_word(page: Page, server: FakeIdentityServer) -> None:
    await log_in(page)
    await expect(page.get_by_text("张**")).to_be_visible()
    server.tokens.clear()

    await paste(page)

    await heading(page, "登录首都之窗？")
    assert len(server.asked("session/refresh")) == 1


async def test_a_session_ended_elsewhere_asks_for_a_new_login(page: Page, server: FakeIdentityServer) -> None:
    # The first screen asks for the account by itself: with the session over before that, it would be what is told.
    async with page.expect_response(lambda answer: answer.url.endswith("/account")):
        await log_in(page)
    await expect(page.get_by_text("张**")).to_be_visible()
    server.tokens.clear()
    server.known.clear()

    await paste(page)

    await heading(page, "登录已失效")
    await page.get_by_role("button", name="重新登录").click()
    await heading(page, "谁的手机？")
    assert await page.evaluate("sessionStorage.length") == 0


async def test_mine_shows_the_account_masked_and_logs_out(page: Page, server: FakeIdentityServer) -> None:
    await log_in(page)
    await page.get_by_role("button", name="我的", exact=True).click()
    await expect(page.get_by_role("main")).to_contain_text("154****0001")

    await page.get_by_role("button", name="退出登录").click()

    await heading(page, "谁的手机？")
    assert len(server.asked("session")) == 1
    await page.reload()
    await heading(page, "谁的手机？")


@pytest.mark.req("SES-1")
async def test_my_devices_are_listed_and_one_after_the_other_is_logged_out(
    page: Page, server: FakeIdentityServer
) -> None:
    await log_in(page)
    await page.get_by_role("button", name="我的", exact=True).click()
    await page.get_by_role("button", name="我的设备").click()
    await heading(page, "我的设备")
    rows = page.get_by_role("listitem")
    await expect(rows).to_have_count(4)
    for number, words in enumerate(
        (
            ("微信京通", "小程序", "这部手机", "1月15日 16:00 登录"),
            ("Chrome · Windows", "微信京通扫码登录 · 北京市", "1月15日 00:30 登录"),
            ("浏览器（未知）", "密码登录", "1月10日 08:00 登录"),
            ("支付宝京通", "小程序", "1月1日 08:00 登录"),
        )
    ):
        for word in words:
            await expect(rows.nth(number)).to_contain_text(word)
    assert await violations(page) == []
    await expect(rows.nth(0).get_by_role("button")).to_have_count(0)

    await page.get_by_role("button", name="让浏览器（未知）退出").click()
    await expect(rows).to_have_count(3)
    await expect(page.get_by_role("status")).to_have_text("浏览器（未知）已退出。")
    await expect(page.get_by_role("heading", name="我的设备", exact=True)).to_be_focused()
    # Another phone was faster: it is gone all the same.
    server.devices = server.devices[:1]
    await page.get_by_role("button", name="让支付宝京通退出").click()
    await expect(rows).to_have_count(2)
    server.refusals["sessions/office"] = problem(503, "service_unavailable")
    await page.get_by_role("button", name="让Chrome · Windows退出").click()
    await expect(page.get_by_role("alert")).to_contain_text("服务暂时不可用")
    await expect(rows).to_have_count(2)
    await page.get_by_role("button", name="返回").click()
    await heading(page, "我的账号")


@pytest.mark.req("SES-1")
@pytest.mark.attack("P7")
@pytest.mark.parametrize("code", [None, "07"])
async def test_who_confirmed_by_mistake_logs_the_computer_out_with_one_press_and_may_report_it(
    page: Page, server: FakeIdentityServer, code: str | None
) -> None:
    server.reverse_code = code
    await log_in(page)
    await paste(page)
    await page.get_by_role("button", name="确认登录").click()
    await page.get_by_role("button", name="不是我，立即退出").click()
    await heading(page, "已让电脑退出")
    assert await violations(page) == []
    await page.get_by_role("button", name="举报这次请求").click()
    await heading(page, "已举报")
    assert server.asked("qr/undo") == [{"ticket": TICKET, "report": False}, {"ticket": TICKET, "report": True}]
    await page.get_by_role("button", name="回到首页").click()
    await expect(page.get_by_role("region", name="电脑上要输入的两位数字")).to_have_count(0)


@pytest.mark.attack("P7")
async def test_a_lost_answer_to_an_undo_is_asked_for_again_and_one_that_is_over_is_fine(
    page: Page, server: FakeIdentityServer
) -> None:
    await log_in(page)
    await paste(page)
    await page.get_by_role("button", name="确认登录").click()
    server.refusals["qr/undo"] = problem(503, "service_unavailable")
    await page.get_by_role("button", name="不是我，立即退出").click()
    await heading(page, "服务暂时不可用")
    server.refusals["qr/undo"] = problem(404, "ticket_unknown")
    await page.get_by_role("button", name="再试一次").click()
    await heading(page, "已让电脑退出")
    del server.refusals["qr/undo"]
    server.lose.add("qr/undo")
    await page.get_by_role("button", name="举报这次请求").click()
    await heading(page, "已举报")


@pytest.mark.req("ACC-8")
@pytest.mark.attack("B5")
@pytest.mark.parametrize(("action", "name"), [*VERIFIED.items()])
async def test_what_is_to_be_verified_is_named_before_and_after(
    page: Page, server: FakeIdentityServer, action: str, name: str
) -> None:
    server.purpose = "verify"
    server.request |= {"action": action, "session_lifetime": 0}
    await log_in(page)
    await paste(page)
    await heading(page, f"{name}？")
    screen = page.get_by_role("main")
    for words in ("张**", "首都之窗", "只用一次，5 分钟内有效", "Chrome · Windows"):
        await expect(screen).to_contain_text(words)
    await expect(page.get_by_text("登录有效期")).to_have_count(0)
    assert await violations(page) == []
    await page.get_by_role("button", name=f"确认{name}").click()
    await heading(page, "已确认")
    await expect(screen).to_contain_text(name)
    await page.get_by_role("button", name="不是我，立即撤回").click()
    await heading(page, "已撤回确认")


@pytest.mark.req("ACC-8")
@pytest.mark.parametrize(
    ("purpose", "action", "reads"),
    [
        ("verify", "verify.nothing", None),
        ("verify", "toString", None),
        ("device", "device", ["openid", "everything"]),
        ("pair", "login", None),
    ],
)
async def test_what_the_phone_has_no_words_for_is_not_confirmed(
    page: Page, server: FakeIdentityServer, purpose: str, action: str, reads: list[str] | None
) -> None:
    server.purpose = purpose
    server.request |= {"action": action, "reads": reads}
    await log_in(page)
    await paste(page)
    await heading(page, "这个二维码现在还不能用")
    await expect(page.get_by_role("button", name=re.compile("^确认"))).to_have_count(0)


# ------------------------------------------------------------------------------------------------------------ 登录设备


async def asked_by_a_device(page: Page, server: FakeIdentityServer) -> None:
    """Scan what a device shows."""
    server.purpose, server.expires_in = "device", 300
    server.request |= {
        "action": "device",
        "client": {"name": "政务大厅自助机", "domain": "kiosk.example"},
        "reads": ["openid", "profile", "offline_access"],
        "session_lifetime": 30 * 86_400,
    }
    await log_in(page)
    await paste(page)
    await heading(page, "屏幕上的代码是 WDJB-MJHT 吗？")


@pytest.mark.req("RP-3")
@pytest.mark.attack("P1")
async def test_the_code_of_a_device_is_compared_before_anything_can_be_confirmed(
    page: Page, server: FakeIdentityServer
) -> None:
    await asked_by_a_device(page, server)
    await expect(page.get_by_role("button", name="确认登录")).to_have_count(0)
    assert await violations(page) == []
    await page.get_by_role("button", name="是，一样").click()
    await heading(page, "登录政务大厅自助机？")
    screen = page.get_by_role("main")
    for words in (
        "张**",
        "kiosk.example",
        "将读取",
        "用户名和隐去部分文字",
        "您离开后继续读取",
        "最长 30 天",
    ):
        await expect(screen).to_contain_text(words)
    assert await violations(page) == []
    await page.get_by_role("button", name="确认登录").click()
    await heading(page, "已确认")
    await expect(screen).to_contain_text("请看设备的屏幕")
    await page.get_by_role("button", name="不是我，立即退出").click()
    await heading(page, "已让设备退出")


@pytest.mark.req("RP-3")
@pytest.mark.attack("P1")
async def test_a_code_that_is_another_one_is_refused(page: Page, server: FakeIdentityServer) -> None:
    await asked_by_a_device(page, server)
    await page.get_by_role("button", name="不一样，拒绝").click()
    await heading(page, "已拒绝")
    assert server.first_answers["A" * 22] == {"status": "rejected"}


# ------------------------------------------------------------------------------------------------------------ 人脸识别


async def asked_for_a_face(page: Page, server: FakeIdentityServer) -> None:
    """Scan what asks for a face."""
    server.purpose, server.expires_in = "face", 180
    server.request |= {"action": "face", "session_lifetime": 0}
    await log_in(page)
    await paste(page)
    await heading(page, "用人脸办理认证？")


async def shows_it(page: Page, outcome: str = "通过") -> None:
    """Open the camera, and let something happen in front of it."""
    await page.get_by_role("button", name="开始人脸识别").click()
    await heading(page, "人脸识别（模拟）")
    await page.get_by_role("button", name=outcome, exact=True).click()
    await heading(page, "用人脸办理认证？")


@pytest.mark.req("RNV-3")
@pytest.mark.attack("B5")
async def test_what_a_face_is_for_is_said_before_the_camera_and_confirmed_after_it(
    page: Page, server: FakeIdentityServer
) -> None:
    server.pending = 1
    await asked_for_a_face(page, server)
    screen = page.get_by_role("main")
    for words in ("张**", "首都之窗", "只用一次，3 分钟内完成", "Chrome · Windows"):
        await expect(screen).to_contain_text(words)
    assert await violations(page) == []
    assert server.asked("qr/face") == []
    await expect(page.get_by_role("button", name="确认认证")).to_have_count(0)
    for outcome, said in (("取消", "人脸识别已取消"), ("不通过", "人脸识别没有通过"), ("通过", "人脸已识别，请确认。")):
        await shows_it(page, outcome)
        await expect(screen).to_contain_text(said)
    assert server.asked("qr/face") == [{"ticket": TICKET, "confirm_token": "c" * 43}] * 3
    assert server.asked("qr/confirm") == []
    assert await violations(page) == []
    await page.get_by_role("button", name="确认认证").click()
    await heading(page, "已确认")
    assert len(server.asked("qr/confirm")) == 2, "the platform had no verdict at first"
    await page.get_by_role("button", name="不是我，立即退出").click()
    await heading(page, "已让电脑退出")


@pytest.mark.req("RNV-3", "UX-5")
async def test_a_face_that_the_platform_does_not_know_is_said_and_shown_again(
    page: Page, server: FakeIdentityServer
) -> None:
    server.face_fails = True
    await asked_for_a_face(page, server)
    await shows_it(page)
    await page.get_by_role("button", name="确认认证").click()
    await expect(page.get_by_role("main")).to_contain_text("人脸识别没有通过")
    server.face_fails = False
    await shows_it(page)
    await page.get_by_role("button", name="确认认证").click()
    await heading(page, "已确认")


@pytest.mark.req("RNV-3", "UX-5")
async def test_every_refusal_of_a_face_is_said_with_a_way_on(page: Page, server: FakeIdentityServer) -> None:
    await asked_for_a_face(page, server)
    server.refusals["qr/face"] = problem(503, "vendor_unavailable")
    await page.get_by_role("button", name="开始人脸识别").click()
    await heading(page, "外部服务暂时没有回应")
    await page.get_by_role("button", name="再试一次").click()
    server.refusals["qr/face"] = problem(403, "account_refused", reason="level")
    await page.get_by_role("button", name="开始人脸识别").click()
    await heading(page, "实名身份已经变了")
    await page.get_by_role("button", name="回到首页").click()
    await paste(page)
    del server.refusals["qr/face"]
    await shows_it(page)
    await page.get_by_role("button", name="不是我，拒绝").click()
    await heading(page, "已拒绝")


@pytest.mark.req("RNV-3")
async def test_the_time_to_confirm_goes_on_in_front_of_the_camera(page: Page, server: FakeIdentityServer) -> None:
    await page.clock.install()
    await asked_for_a_face(page, server)
    await page.get_by_role("button", name="开始人脸识别").click()
    await heading(page, "人脸识别（模拟）")
    await page.clock.fast_forward(181_000)
    await page.get_by_role("button", name="通过", exact=True).click()
    await page.clock.run_for(1_000)
    await heading(page, "二维码已过期")


# ---------------------------------------------------------------------------------------------------------- 绑定手机号


async def open_binding(page: Page, person: str = "张三", platform: str = "微信") -> None:
    await log_in(page, person, platform)
    await page.get_by_role("button", name="我的", exact=True).click()
    await page.get_by_role("button", name=re.compile("(绑定|更换)手机号")).click()
    await heading(page, "绑定手机号")


@pytest.mark.req("LOG-7")
@pytest.mark.parametrize(
    ("platform", "name", "members"),
    [("微信", "wechat", {"code"}), ("支付宝", "alipay", {"response", "sign"}), ("百度", "baidu", {"data", "iv"})],
)
async def test_a_number_is_bound_by_the_platforms_button(
    page: Page, server: FakeIdentityServer, platform: str, name: str, members: set[str]
) -> None:
    await open_binding(page, platform=platform)
    assert await violations(page) == []
    await page.get_by_role("button", name=f"用{platform}的手机号绑定").click()
    await heading(page, "手机号已绑定")
    await expect(page.get_by_role("main")).to_contain_text("154****0009")
    assert [set(body) for body in server.asked(f"{name}/phone")] == [members]
    await page.get_by_role("button", name="完成").click()
    await expect(page.get_by_role("main")).to_contain_text("154****0009")


async def test_an_account_without_a_number_is_offered_to_bind_one(page: Page, server: FakeIdentityServer) -> None:
    server.numbers.clear()
    await log_in(page)
    await page.get_by_role("button", name="我的", exact=True).click()
    await expect(page.get_by_role("button", name="绑定手机号")).to_be_visible()
    await expect(page.get_by_role("main")).to_contain_text("未绑定")


@pytest.mark.req("LOG-7", "REG-8")
async def test_an_account_of_the_number_is_merged_only_when_that_is_wanted(
    page: Page, server: FakeIdentityServer
) -> None:
    server.refusals["wechat/phone"] = problem(409, "phone_taken", merge=True)
    await open_binding(page)
    await page.get_by_role("button", name="用微信的手机号绑定").click()
    await heading(page, "要合并账号吗？")
    assert await violations(page) == []
    await page.get_by_role("button", name="不合并").click()
    await heading(page, "我的账号")
    await page.get_by_role("button", name="更换手机号").click()
    await page.get_by_role("button", name="用微信的手机号绑定").click()
    await heading(page, "要合并账号吗？")
    del server.refusals["wechat/phone"]
    await page.get_by_role("button", name="合并并绑定").click()
    await heading(page, "手机号已绑定")
    first, second, third = server.asked("wechat/phone")
    assert "merge" not in first
    assert third == {**second, "merge": True}, "the very same, since the platform gives each once"


@pytest.mark.attack("M6")
async def test_a_login_that_is_too_old_is_renewed_and_the_button_pressed_again_without_a_word(
    page: Page, server: FakeIdentityServer
) -> None:
    await open_binding(page)
    server.stale.add("zhang")
    await page.get_by_role("button", name="用微信的手机号绑定").click()
    await heading(page, "手机号已绑定")
    first, second = server.asked("wechat/phone")
    assert first != second
    assert len(server.asked("wechat/session")) == 2


@pytest.mark.req("UX-5")
@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (problem(409, "phone_taken"), "已经属于另一个账号"),
        (problem(403, "account_refused", reason="probation"), "现在还不能更改手机号"),
        (
            problem(400, "invalid_request", errors=[{"field": "code", "code": "not_mainland"}]),
            "只能绑定中国大陆的手机号",
        ),
        (problem(400, "invalid_request", errors=[{"field": "code", "code": "no_number"}]), "微信里没有您的手机号"),
        (problem(400, "invalid_request", errors=[{"field": "code", "code": "not_served"}]), "演示环境只收"),
        (problem(400, "invalid_request", errors=[{"field": "code", "code": "refused"}]), "请再点一次"),
        (problem(503, "vendor_unavailable"), "外部服务暂时没有回应"),
        (problem(429, "rate_limited"), "操作太频繁"),
    ],
)
async def test_every_refusal_of_a_number_is_told_where_it_was_asked_for(
    page: Page, server: FakeIdentityServer, refusal: tuple[int, dict[str, object] | None], words: str
) -> None:
    await open_binding(page)
    server.refusals["wechat/phone"] = refusal
    await page.get_by_role("button", name="用微信的手机号绑定").click()
    await expect(page.get_by_role("alert")).to_contain_text(words)


async def test_a_platform_that_knows_no_number_says_so(page: Page, server: FakeIdentityServer) -> None:
    server.known["somebody"] = "孙"
    await page.goto("/phone")
    await page.evaluate(
        """() => sessionStorage.setItem("bjidp.phone", JSON.stringify({platform: "wechat", user: "somebody",
           account: {name: "孙**", level: "L3"}, accessToken: "access-1", refreshToken: "refresh-somebody"}))"""
    )
    await page.reload()
    await page.get_by_role("button", name="我的", exact=True).click()
    await page.get_by_role("button", name="绑定手机号").click()
    await page.get_by_role("button", name="用微信的手机号绑定").click()
    await expect(page.get_by_role("alert")).to_contain_text("微信里没有您的手机号")


@pytest.mark.req("UX-2")
async def test_a_login_is_possible_with_the_keyboard_alone(page: Page, server: FakeIdentityServer) -> None:
    await log_in(page)
    await page.get_by_role("button", name="扫一扫").focus()
    await page.keyboard.press("Enter")
    await page.get_by_label("二维码内容").focus()
    await page.keyboard.insert_text(TEXT)
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await heading(page, "登录首都之窗？")
    await expect(page.get_by_role("heading", level=1)).to_be_focused()

    for _ in range(6):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.textContent") == "确认登录":
            break
    await page.keyboard.press("Enter")

    await heading(page, "已确认")


@pytest.mark.req("UX-3", "OPS-1")
@pytest.mark.parametrize(("width", "height"), [(1366, 650), (1280, 720), (1366, 768), (1920, 1080)])
async def test_the_demo_page_fits_into_the_window_of_a_laptop_from_choosing_to_confirming(
    browser_context: ContextFactory, simulator: Simulator, server: FakeIdentityServer, width: int, height: int
) -> None:
    context = await browser_context(base_url=simulator.url, viewport={"width": width, "height": height})
    page = await context.new_page()
    await page.goto("/")
    phone = page.frame_locator("#phone")
    await expect(phone.get_by_role("radio", name="张三", exact=True)).to_be_in_viewport(ratio=1)
    await expect(phone.get_by_role("button", name="登录京通")).to_be_in_viewport(ratio=1)
    await expect(page.get_by_role("region", name="电脑")).to_be_in_viewport(ratio=0.99)
    assert await page.evaluate("document.documentElement.scrollHeight <= innerHeight")

    await phone.get_by_role("button", name="登录京通").click()
    await expect(phone.get_by_role("button", name="首页")).to_be_in_viewport(ratio=0.99)
    await phone.get_by_role("button", name="扫一扫").click()
    await phone.get_by_label("二维码内容").fill(TEXT)
    await phone.get_by_role("button", name="识别", exact=True).click()
    await expect(phone.get_by_text("不是您本人？")).to_be_in_viewport(ratio=1)
    await expect(phone.get_by_role("button", name="不是我，拒绝")).to_be_in_viewport(ratio=1)


@pytest.mark.req("UX-3")
async def test_the_report_box_is_seen_without_scrolling_in_a_tall_window(
    browser_context: ContextFactory, simulator: Simulator
) -> None:
    context = await browser_context(base_url=simulator.url, viewport={"width": 1366, "height": 900})
    page = await context.new_page()
    await page.goto("/")
    phone = page.frame_locator("#phone")
    await phone.get_by_role("button", name="登录京通").click()
    await phone.get_by_role("button", name="扫一扫").click()
    await phone.get_by_label("二维码内容").fill(TEXT)
    await phone.get_by_role("button", name="识别", exact=True).click()
    box = await phone.get_by_label("拒绝时一并举报").bounding_box()
    footer = await phone.locator("#footer").bounding_box()
    assert box is not None
    assert footer is not None
    assert box["y"] + box["height"] <= footer["y"]


async def test_who_sees_the_demo_page_is_told_once_that_it_is_one(
    browser_context: ContextFactory, simulator: Simulator
) -> None:
    page = await (await browser_context(base_url=simulator.url)).new_page()
    await page.goto("/phone")
    await expect(page.get_by_role("region", name="演示说明")).to_be_visible()
    await page.goto("/")
    await expect(page.get_by_role("region", name="演示说明")).to_be_visible()
    await expect(page.frame_locator("#phone").get_by_role("heading", name="谁的手机？")).to_be_visible()
    await expect(page.frame_locator("#phone").get_by_role("region", name="演示说明")).to_be_hidden()


@pytest.mark.req("UX-3")
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_scrolls_sideways_on_the_narrowest_phone(
    browser_context: ContextFactory, simulator: Simulator, server: FakeIdentityServer, scheme: str
) -> None:
    server.request |= {"client": {"name": "北京市某某区政务服务中心", "domain": "a" * 40 + ".example.gov.cn"}}
    context = await browser_context(
        base_url=simulator.url,
        viewport={"width": 320, "height": 568},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = await context.new_page()
    await log_in(page)

    async def fits() -> None:
        assert await page.evaluate(
            "[document.documentElement, document.querySelector('main')].every((e) => e.scrollWidth <= e.clientWidth)"
        )

    await expect(page.get_by_role("button", name="扫一扫")).to_be_visible()
    await fits()
    await paste(page)
    await expect(page.get_by_role("button", name="确认登录")).to_be_in_viewport(ratio=1)
    await expect(page.get_by_role("button", name="不是我，拒绝")).to_be_in_viewport(ratio=1)
    await fits()
    for path in ("/", "/inbox"):
        await page.goto(path)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.req("UX-2", "UX-3")
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_what_follows_from_a_number_and_from_an_account_fits_on_the_narrowest_phone(
    browser_context: ContextFactory, simulator: Simulator, server: FakeIdentityServer, scheme: str
) -> None:
    context = await browser_context(
        base_url=simulator.url,
        viewport={"width": 320, "height": 568},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = await context.new_page()

    async def is_whole(page: Page, *buttons: str) -> None:
        for button in buttons:
            await expect(page.get_by_role("button", name=button)).to_be_in_viewport(ratio=1)
        assert await page.evaluate(
            "[document.documentElement, document.querySelector('main')].every((e) => e.scrollWidth <= e.clientWidth)"
        )
        assert await violations(page) == []

    server.refusals["wechat/phone"] = problem(409, "phone_taken", merge=True)
    await open_binding(page)
    await is_whole(page, "用微信的手机号绑定")
    await page.get_by_role("button", name="用微信的手机号绑定").click()
    await is_whole(page, "合并并绑定", "不合并")

    account = {"username": "******2400937", "phone": "154****0002"}
    server.found = {"status": "account_found", "registration": "li", "account": account, "expires_in": 1800}
    page = await context.new_page()
    await log_in(page, "李小雨")
    await page.get_by_role("checkbox").check()
    await page.get_by_role("button", name="开始人脸识别").click()
    await page.get_by_role("button", name="通过", exact=True).click()
    await is_whole(page, "是我的，用短信认领", "不是我的，或手机号不用了")
    await page.get_by_role("button", name="不是我的，或手机号不用了").click()
    await is_whole(page, "新建账号并登录")
    await page.get_by_role("button", name="返回", exact=True).first.click()
    await page.get_by_role("button", name="是我的，用短信认领").click()
    await is_whole(page, "认领并登录", "不是我的，或手机号不用了")


@pytest.mark.req("UX-3")
async def test_on_the_narrowest_screen_the_demo_page_breaks_no_word_and_nothing_touches(
    browser_context: ContextFactory, simulator: Simulator
) -> None:
    page = await (await browser_context(base_url=simulator.url, viewport={"width": 320, "height": 640})).new_page()
    await page.goto("/")
    phone = page.frame_locator("#phone")
    lines = "(e) => Math.round(e.getBoundingClientRect().height / parseFloat(getComputedStyle(e).lineHeight))"
    for name in ("电脑和手机，一起看扫码登录", "电脑", "手机"):
        assert await page.get_by_role("heading", name=name, exact=True).evaluate(lines) == 1, name
    title = await phone.locator("#title").bounding_box()
    capsule = await phone.locator(".capsule").bounding_box()
    assert title is not None
    assert capsule is not None
    assert title["x"] + title["width"] + 4 <= capsule["x"]
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.req("UX-3")
async def test_what_tells_people_what_to_do_is_large_enough_to_read(page: Page, server: FakeIdentityServer) -> None:
    async def smallest() -> float:
        return float(
            await page.evaluate(
                "Math.min(...[...document.querySelectorAll('main p, main li span, main li strong, main dd, .caution,"
                " .check, .consent, .note')].filter((e) => e.textContent && !e.classList.contains('hidden'))"
                ".map((e) => parseFloat(getComputedStyle(e).fontSize)))"
            )
        )

    await page.goto("/phone")
    await expect(page.get_by_role("radio", name="张三", exact=True)).to_be_visible()
    assert await smallest() >= 16
    await log_in(page)
    await expect(page.get_by_role("button", name="扫一扫")).to_be_visible()
    assert await smallest() >= 16
    await paste(page)
    await heading(page, "登录首都之窗？")
    assert await smallest() >= 16


async def test_the_inbox_shows_what_was_sent_to_an_address(page: Page) -> None:
    await page.goto("/inbox")
    await expect(page.get_by_role("status")).to_contain_text("看谁的收件箱？")
    assert await violations(page) == []
    await page.get_by_label("手机号或邮箱").fill("15410000009")
    await page.get_by_role("button", name="查看").click()
    await expect(page.get_by_role("status")).to_contain_text("还没有消息")
    await expect(page.get_by_role("status")).to_contain_text(
        "15410000009 还没有收到短信或邮件。这里的手机号是154加8位数字"
    )
    await page.get_by_label("手机号或邮箱").fill("15410000001")
    await page.get_by_role("button", name="查看").click()

    await expect(page.get_by_role("list", name="收到的短信和邮件")).to_contain_text("482913")
    assert "15410000001" not in page.url

    await page.goto("/inbox?to=15410000001")
    await expect(page.get_by_label("手机号或邮箱")).to_have_value("15410000001")
    await expect(page.get_by_role("list", name="收到的短信和邮件")).to_contain_text("482913")
