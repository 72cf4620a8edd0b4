"""个人中心 over HTTP: what is shown and how much of it, devices and their end, the log, 不是我."""

from __future__ import annotations

import json
import re
from typing import Final

import pytest

from bjidp.sessions.ports import Login, Way
from bjidp.standing import Standing
from tests.support.calls import Answer
from tests.support.forms import WebForm, form_of, forms, heading, links, post, send
from tests.support.members import PASSWORD, PHONE, USERNAME, enrolled
from tests.support.owner import Owner
from tests.support.program import Program

PREFIXES: Final = ("", "/h5")
BY_QR = Login(Way.QR, "alipay", None, "Edge", "macOS", "天津市", b"network", b"ticket")
STRANGE = Login(Way.SMS, None, None, "unknown", "unknown", None, b"network", None)


@pytest.fixture
async def member(program: Program) -> Standing:
    return await enrolled(program)


def words(answer: Answer) -> str:
    """Return a page as one line without markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.text))


def where(answer: Answer) -> tuple[int, str | None]:
    """Return the status and where it leads."""
    return answer.status, answer.header("Location")


def devices(answer: Answer) -> list[WebForm]:
    """Return the form of each device on the page, the whole list's own left out."""
    return [form for form in forms(answer) if not form.acts]


@pytest.mark.req("ACC-1")
@pytest.mark.parametrize("prefix", PREFIXES)
async def test_every_value_is_there_masked_with_the_way_to_change_it(
    program: Program, member: Standing, prefix: str
) -> None:
    owner = await Owner.of(program, member.account, prefix)
    page = await owner.get("/centre")
    said = words(page)
    for row in (
        "用户名 z***********n 显示 用户名 修改",
        "账户密码 ******** 修改",
        "手机号码 154****5678 修改",
        "邮箱 未绑定 我要绑定",
        "性别 暂无信息",
        "民族 暂无信息 修改",
    ):
        assert row in said, row
    assert {f"{prefix}/centre/{setting}" for setting in ("password", "phone", "mail", "username", "cancel")} <= links(
        page
    )
    for clear in (USERNAME, PHONE, PASSWORD):
        assert clear not in page.text
    assert {"退出", "账号注销", "认证信息", "未实名"} <= set(said.split())


@pytest.mark.req("ACC-1", "RNV-1")
async def test_who_proved_their_face_is_shown_the_identity_masked_and_the_sex_it_tells(program: Program) -> None:
    owner = Owner(program, await program.signed_in())
    page = await owner.get("/centre")
    said = words(page)
    (number,) = re.findall(r"\*{11}[0-9]{3}[0-9X]", said)
    assert f"已认证 陈** {number}" in said
    assert re.search(r"性别 (男|女) ", said)
    assert "账户密码 未设置 设置密码" in said
    assert "手机号码 未绑定 我要绑定" in said
    assert re.search(r"用户名 \*{6}[0-9]{7} 显示", said), "a name made by the system"
    assert "人脸识别认证 通过人脸比对的手段核实用户的真实身份 已认证" in said
    assert "银行卡认证 高效验证本人的银行卡信息 立即认证" in said
    assert said.count("立即认证") == 1, "no button that does nothing"
    assert "怎样提升级别" not in said


@pytest.mark.req("RNV-1")
async def test_who_has_no_identity_is_told_how_the_level_rises_by_what_there_is(
    program: Program, member: Standing
) -> None:
    said = words(await (await Owner.of(program, member.account)).get("/centre"))
    assert "怎样提升级别：先办实名认证，达到初级认证；再办中级认证里的任一项。" in said
    assert "人脸识别认证 通过人脸比对的手段核实用户的真实身份 立即认证" in said
    assert "实名认证 验证身份证实名信息 立即认证" in said


@pytest.mark.req("ACC-1", "UX-4")
@pytest.mark.parametrize("prefix", PREFIXES)
async def test_the_username_is_shown_whole_when_its_owner_asks_and_masked_again_after(
    program: Program, member: Standing, prefix: str
) -> None:
    owner = await Owner.of(program, member.account, prefix)
    show, hide = f"{prefix}/centre?show=username", f"{prefix}/centre?at=username"
    page = await owner.get("/centre")
    assert (USERNAME in page.text, show in links(page)) == (False, True)
    page = await owner.get("/centre?show=username")
    assert (f"用户名 {USERNAME} 隐藏" in words(page), hide in links(page)) == (True, True)
    assert PHONE not in page.text
    page = await owner.get("/centre?at=username")
    assert (USERNAME in page.text, show in links(page)) == (False, True)


@pytest.mark.req("ACC-5", "UX-4", "UX-5")
@pytest.mark.parametrize("prefix", PREFIXES)
async def test_an_ethnic_group_is_chosen_in_place(program: Program, member: Standing, prefix: str) -> None:
    owner = await Owner.of(program, member.account, prefix)
    assert f"{prefix}/centre?edit=ethnicity" in links(await owner.get("/centre"))
    page = await owner.get("/centre?edit=ethnicity")
    assert len(re.findall(r'<option value="[A-Z]{2}"', page.text)) == 56
    form = form_of(page, f"{prefix}/centre")
    answer = await send(owner.browser, form.typed(ethnicity=""))
    assert (answer.status, "请选择民族" in words(answer)) == (422, True)
    answer = await send(owner.browser, form.typed(ethnicity="满族"))
    assert (answer.status, "请从列表里选择民族" in words(answer)) == (422, True)
    page = await owner.follow(await send(owner.browser, form.typed(ethnicity="MA")))
    assert "修改成功" in words(page)
    assert "民族 满族 修改" in words(page)
    page = await owner.get("/centre?edit=ethnicity")
    assert '<option value="MA" selected>' in page.text
    assert "修改成功" not in words(page)


@pytest.mark.req("LOG-5")
@pytest.mark.parametrize("prefix", PREFIXES)
async def test_whoever_is_logged_in_goes_on_or_out_among_the_pages_of_the_kind(
    program: Program, member: Standing, prefix: str
) -> None:
    owner = await Owner.of(program, member.account, prefix)
    page = await owner.get("/login")
    assert f"{prefix}/centre" in links(page)
    answer = await send(owner.browser, form_of(page, f"{prefix}/logout"))
    assert (answer.status, heading(answer), owner.browser.session) == (200, "您已退出", None)
    assert f"{prefix}/login" in links(answer)


# ------------------------------------------------------------------------------------------------------------ 我的设备


@pytest.mark.req("SES-1")
async def test_every_session_is_listed_with_its_way_in_its_computer_its_place_and_its_times(program: Program) -> None:
    phone = await program.phone()
    owner = Owner(program, await program.signed_in(phone))
    ((account,),) = program.sql("SELECT DISTINCT account FROM browser_session")
    program.clock.advance(3600)
    await Owner.of(program, account, login=BY_QR)
    await Owner.of(program, account, login=STRANGE)
    page = await owner.get("/centre/devices")
    said = words(page)
    assert heading(page) == "我的设备"
    assert "扫码登录 · 微信京通 当前设备 Chrome · Windows · 未知地区" in said
    assert "扫码登录 · 支付宝京通 Edge · macOS · 天津市" in said
    assert "短信验证码登录 未知设备 · 未知地区" in said
    assert "微信京通小程序" in said
    assert said.count("登录时间") == said.count("最近使用") == 4
    assert "2027年1月15日 17:00" in said
    assert len(devices(page)) == 4
    assert "4台设备正在登录" in words(await owner.get("/centre"))


@pytest.mark.req("SES-1")
@pytest.mark.attack("P7", "T3")
@pytest.mark.parametrize("prefix", PREFIXES)
async def test_a_session_that_its_owner_ends_is_out_at_the_next_request(
    program: Program, member: Standing, prefix: str
) -> None:
    owner = await Owner.of(program, member.account, prefix)
    lost, other = await Owner.of(program, member.account, login=BY_QR), await Owner.of(program, member.account)
    page = await owner.get("/centre/devices")
    (form,) = [form for form in devices(page) if form.values["session"] == _id(program, "alipay")]
    page = await owner.follow(await send(owner.browser, form))
    assert "这台设备已退出" in words(page)
    assert where(await lost.get("/centre")) == (303, "/login")
    assert (await other.get("/centre")).status == 200
    again = await owner.follow(await send(owner.browser, form))
    assert "这台设备之前已经退出" in words(again)
    ((facts,),) = program.sql("SELECT facts FROM audit_event WHERE kind = 'session.ended'")
    assert json.loads(facts) == {"reason": "chosen"}


@pytest.mark.req("SES-1")
@pytest.mark.attack("P7", "T3")
async def test_all_others_are_ended_in_browsers_and_on_phones(program: Program) -> None:
    phone = await program.phone()
    owner = Owner(program, await program.signed_in(phone))
    ((account,),) = program.sql("SELECT DISTINCT account FROM browser_session")
    other = await Owner.of(program, account)
    assert (await phone.account()).status == 200
    page = await owner.get("/centre/devices")
    (form,) = [form for form in forms(page) if form.acts == ["others"]]
    page = await owner.follow(await send(owner.browser, form, "others"))
    assert "其他设备已全部退出" in words(page)
    assert len(devices(page)) == 1
    assert not [form for form in forms(page) if form.acts], "there are no others to end"
    assert where(await other.get("/centre")) == (303, "/login")
    assert (await phone.account()).verdict == (401, "token_invalid")


@pytest.mark.req("SES-1")
@pytest.mark.attack("P7")
async def test_a_phone_is_logged_out_from_the_computer(program: Program) -> None:
    phone = await program.phone()
    owner = Owner(program, await program.signed_in(phone))
    (form,) = [form for form in devices(await owner.get("/centre/devices")) if "phone" in form.values]
    await owner.follow(await send(owner.browser, form))
    assert (await phone.account()).verdict == (401, "token_invalid")
    assert (await owner.get("/centre")).status == 200


@pytest.mark.req("SES-1")
@pytest.mark.attack("P7", "W6")
@pytest.mark.parametrize("act", ["", "others"])
async def test_the_sockets_of_a_session_that_is_ended_close_within_two_seconds(program: Program, act: str) -> None:
    lost = await program.signed_in()
    ((session, account),) = program.sql("SELECT id, account FROM browser_session")
    await lost.open("/centre/verify/password")
    socket = await program.socket(lost)
    await socket.next("ticket")
    owner = await Owner.of(program, account)
    page = await owner.get("/centre/devices")
    (form,) = [form for form in forms(page) if (form.acts if act else form.values.get("session") == session)]
    await owner.follow(await send(owner.browser, form, act))
    assert await socket.ends(within=2) == 4005
    assert await lost.who() is None


@pytest.mark.req("SES-1")
async def test_who_ends_this_very_session_has_logged_out(program: Program, member: Standing) -> None:
    owner = await Owner.of(program, member.account)
    (form,) = devices(await owner.get("/centre/devices"))
    answer = await send(owner.browser, form)
    assert (answer.status, heading(answer)) == (200, "您已退出")
    assert owner.browser.session is None


@pytest.mark.req("SES-1")
@pytest.mark.attack("Q9", "Q27")
async def test_nobody_ends_a_session_of_another_account(program: Program, member: Standing) -> None:
    victim = await Owner.of(
        program, (await enrolled(program, username="li_sisi", phone="15400009999")).account, login=BY_QR
    )
    owner = await Owner.of(program, member.account)
    (form,) = devices(await owner.get("/centre/devices"))
    csrf = form.values["csrf"]
    for fields in ({"session": _id(program, "alipay")}, {"phone": _id(program, "alipay")}, {"session": "\x00"}, {}):
        await post(owner.browser, "/centre/devices", {"csrf": csrf, **fields})
        await post(owner.browser, "/not-me", {"csrf": csrf, "session": _id(program, "alipay")})
    assert (await victim.get("/centre")).status == 200
    assert (await owner.get("/centre")).status == 200
    assert (await post(owner.browser, "/centre/devices", {"csrf": csrf, "act": "nonsense"})).status == 400
    assert (await post(owner.browser, "/centre/devices", {"act": "others"})).status == 403


# ------------------------------------------------------------------------------------------------------------ 登录记录


@pytest.mark.req("SES-3")
@pytest.mark.parametrize("prefix", PREFIXES)
async def test_the_log_says_what_happened_when_and_how_page_by_page(
    program: Program, member: Standing, prefix: str
) -> None:
    for _ in range(21):
        await Owner.of(program, member.account, login=BY_QR)
    owner = await Owner.of(program, member.account, prefix)
    page = await owner.get("/centre/log")
    said = words(page)
    assert said.count("登录网页") == 20
    assert "登录网页 当前设备 密码登录 · Chrome · Windows" in said
    assert "扫码登录 · 支付宝京通 · Edge · macOS" in said
    (older,) = [link for link in links(page) if "before=" in link]
    page = await owner.get(older.removeprefix(prefix))
    assert words(page).count("登录网页") == 2
    assert "注册账号" in words(page)
    assert f"{prefix}/centre/log" in links(page)
    assert not [link for link in links(page) if "before=" in link]


@pytest.mark.req("SES-3")
@pytest.mark.attack("Q27")
async def test_a_page_of_the_log_that_is_none_is_the_first_one_or_empty(program: Program, member: Standing) -> None:
    owner = await Owner.of(program, member.account)
    for asked in ("", "x", "-1", "0", "1e9", "9" * 30, "%00", "1%20OR%201=1"):
        assert "注册账号" in words(await owner.get(f"/centre/log?before={asked}"))
    assert "还没有记录" in words(await owner.get("/centre/log?before=1"))


# -------------------------------------------------------------------------------------------------- reminders, 不是我


@pytest.mark.req("SES-2")
@pytest.mark.attack("P7")
async def test_a_login_by_qr_elsewhere_is_a_reminder_and_not_me_ends_it(program: Program, member: Standing) -> None:
    owner = await Owner.of(program, member.account)
    assert "最近七天没有需要您留意的操作" in words(await owner.get("/centre"))
    stolen = await Owner.of(program, member.account, login=BY_QR)
    page = await owner.get("/centre")
    assert "用支付宝京通扫码登录 Edge · macOS" in words(page)
    (form,) = [form for form in forms(page) if form.values.get("session")]
    answer = await send(owner.browser, form)
    assert (answer.status, heading(answer)) == (200, "那次登录已结束")
    assert {"/centre/password", "/centre/devices", "/centre"} <= links(answer)
    assert where(await stolen.get("/centre")) == (303, "/login")
    assert (await owner.get("/centre")).status == 200
    (by_qr,) = [form for form in forms(await owner.get("/centre")) if form.values.get("session")]
    assert (await send(owner.browser, by_qr)).status == 200, "it is over already"


@pytest.mark.req("SES-2")
@pytest.mark.attack("R4")
async def test_who_denies_a_change_ends_everything_and_is_led_to_recovery(program: Program, member: Standing) -> None:
    await program.rooms.stores.members.set_phone(member.account, "15400008888", program.clock.now())
    owner = await Owner.of(program, member.account)
    elsewhere = await Owner.of(program, member.account)
    page = await owner.get("/centre")
    assert "新 手机号已修改" in words(page)
    (form,) = [form for form in forms(page) if form.values.get("change")]
    answer = await send(owner.browser, form)
    assert (answer.status, heading(answer)) == (200, "所有登录都已结束")
    assert {"/recover", "/login"} <= links(answer)
    assert owner.browser.session is None
    assert where(await elsewhere.get("/centre")) == (303, "/login")


@pytest.mark.req("SES-2")
async def test_not_me_of_this_login_ends_it_and_leads_to_recovery(program: Program, member: Standing) -> None:
    owner = await Owner.of(program, member.account, "/h5")
    (form,) = [
        form for form in forms(await owner.get("/centre")) if form.action == "/h5/not-me" and len(form.values) == 1
    ]
    answer = await send(owner.browser, form)
    assert (answer.status, heading(answer)) == (200, "这次登录已结束")
    assert {"/h5/recover", "/h5/login"} <= links(answer)
    assert where(await owner.get("/centre")) == (303, "/h5/login")


@pytest.mark.req("OPS-4")
@pytest.mark.attack("O5")
async def test_a_store_that_is_down_is_said_to_be_and_nobody_is_logged_out(program: Program, member: Standing) -> None:
    owner = await Owner.of(program, member.account)
    for call in ("members.member", "members.history", "mini_sessions.of_account", "sessions.of_account"):
        program.meddler.breaks(call)
        assert (await owner.get("/centre")).status == 503
        program.meddler.mends()
    assert (await owner.get("/centre")).status == 200


def _id(program: Program, platform: str) -> str:
    ((session,),) = program.sql("SELECT id FROM browser_session WHERE platform = ?", platform)
    return str(session)
