"""A forgotten password over HTTP: the pages, what they keep, where they lead, and what nobody can tell from them."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urlencode

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from bjidp.accounts.reassigned import UNUSED
from bjidp.accounts.recovery.flow import SAVING
from bjidp.clock import SECOND
from tests.support.accounts import ZHANG, is_password, member
from tests.support.browser import IPHONE, Screen
from tests.support.calls import Answer
from tests.support.forgetful import NUMBER, Forgetful, form_on
from tests.support.forms import FORM, forms, post, post_raw, send
from tests.support.inbox import messages
from tests.support.owner import Owner
from tests.support.phone import Phone
from tests.support.program import LiveSocket, Program
from tests.web.conftest import StartProgram

NOBODYS_NUMBER = "15400000099"
OLD, NEW = "Old-wansui-7", "New-wansui-8"
STARTS = ("/recover", "/h5/recover")


async def enrolled(program: Program) -> str:
    """Make an account without an identity; return its id."""
    return await member(program.rooms.stores, program.clock.now(), username="zhang_san", phone=NUMBER, password=OLD)


async def real_named(program: Program, phone: str | None = NUMBER) -> str:
    """Make an account of 张三; return its id."""
    return await member(
        program.rooms.stores, program.clock.now(), username="zhang_san", phone=phone, password=OLD, document=ZHANG
    )


async def password_is(program: Program, account: str, password: str) -> bool:
    """Tell whether ``password`` is the account's now."""
    found = await program.rooms.stores.members.member(account)
    assert found is not None
    return is_password(found.password, password)


def where(answer: Answer) -> tuple[int, str]:
    """Return the status and the page it leads to."""
    return answer.status, (answer.header("Location") or "").partition("?")[0]


# --------------------------------------------------------------------------------------------------------- the stories


@pytest.mark.req("REC-1", "REC-2", "UX-4")
@pytest.mark.attack("R2")
async def test_a_real_named_person_recovers_on_a_computer_without_a_script(program: Program) -> None:
    account = await real_named(program)
    somebody = await Forgetful.comes(await program.browser())
    assert somebody.heading == "找回密码"
    assert somebody.form.fields == ["account", "captcha"]

    assert where(await somebody.names("zhang_san")) == (303, "/recover/ways")
    assert "您正在为【z***********n】找回密码，请选择验证方式" in somebody.page
    assert "通过手机+证件号找回" in somebody.page
    assert "154****0001" in somebody.page
    assert "***********0011" in somebody.page
    assert NUMBER not in somebody.page
    assert ZHANG.number not in somebody.page

    (code,) = (link for link in somebody.links if link.startswith("/recover/code?"))
    await somebody.open(code)
    assert "您正在使用手机+证件号进行校验" in somebody.page
    assert somebody.form.fields == ["document", "captcha", "code"]
    assert where(await somebody.asks(document=ZHANG.number)) == (303, "/recover/code")
    assert somebody.form.values["document"] == ZHANG.number
    assert "验证码已经发出" in somebody.page

    answer = await somebody.send(code=await somebody.reads(), document=ZHANG.number)
    assert where(answer) == (303, "/recover/password")
    assert somebody.form.fields == ["password", "again"]
    assert where(await somebody.send(password=NEW, again=NEW)) == (303, "/recover/done")
    assert somebody.heading == "新密码已设置"
    assert "/login?tab=account" in somebody.links
    assert somebody.browser.session is None
    assert await password_is(program, account, NEW)


@pytest.mark.req("REC-2")
async def test_an_account_without_an_identity_is_asked_for_the_code_alone(program: Program) -> None:
    account = await enrolled(program)
    somebody = await Forgetful.comes(await program.browser())
    await somebody.names(NUMBER)
    assert "您正在为【154****0001】找回密码" in somebody.page
    assert "通过手机找回" in somebody.page
    assert "证件号" not in somebody.page
    await somebody.open(f"/recover/code?flow={somebody.flow}")
    assert somebody.form.fields == ["captcha", "code"]
    await somebody.asks()
    await somebody.send(code=await somebody.reads())
    await somebody.send(password=NEW, again=NEW)
    assert await password_is(program, account, NEW)


@pytest.mark.req("REC-3", "UX-4")
@pytest.mark.attack("R2")
async def test_somebody_recovers_on_a_phone_without_a_script(program: Program) -> None:
    account = await real_named(program)
    somebody = await Forgetful.comes(await program.browser(), "/h5/recover")
    assert (somebody.heading, somebody.form.fields) == ("找回密码", ["phone", "captcha"])
    assert where(await somebody.names("154 0000 0001")) == (303, "/h5/recover/code")
    assert (somebody.heading, somebody.form.fields) == ("检验身份", ["captcha", "code"])
    assert where(await somebody.asks()) == (303, "/h5/recover/code")
    assert where(await somebody.send(code=await somebody.reads())) == (303, "/h5/recover/password")
    assert (somebody.heading, somebody.form.fields) == ("重置密码", ["password", "again"])
    assert "输入新密码" in somebody.page
    assert "确认新密码" in somebody.page
    assert where(await somebody.send(password=NEW, again=NEW)) == (303, "/h5/recover/done")
    assert "立即登录" in somebody.page
    assert "/h5/login" in somebody.links
    assert somebody.browser.session is None
    assert await password_is(program, account, NEW)


@pytest.mark.req("REC-3", "LOG-6")
async def test_on_a_phone_a_number_that_was_long_out_of_use_needs_the_document_after_its_code(program: Program) -> None:
    account = await real_named(program)
    program.clock.advance(UNUSED // SECOND + 1)
    somebody = await Forgetful.comes(await program.browser(), "/h5/recover")
    answer = await somebody.proves()
    assert where(answer) == (303, "/h5/recover/code")
    assert somebody.form.fields == ["document"]
    assert (await somebody.send(document="440524188001010014")).status == 422
    assert set(somebody.form.faults) == {"document"}
    assert where(await somebody.send(document=ZHANG.number)) == (303, "/h5/recover/password")
    await somebody.send(password=NEW, again=NEW)
    assert await password_is(program, account, NEW)


@pytest.mark.req("REC-3", "REC-4")
async def test_on_a_phone_whoever_proves_a_number_that_nobody_has_is_offered_to_register(program: Program) -> None:
    somebody = await Forgetful.comes(await program.browser(), "/h5/recover")
    await somebody.comes_to_the_code(NOBODYS_NUMBER)
    await somebody.asks()
    answer = await somebody.send(code=await somebody.reads(NOBODYS_NUMBER))
    assert where(answer) == (303, "/h5/recover/nobody")
    assert {"/h5/register", "/h5/recover"} <= set(somebody.links)
    assert "154****0099" in somebody.page


@pytest.mark.req("REC-4")
async def test_every_session_of_the_account_ends_in_browsers_and_on_phones(program: Program) -> None:
    phone = await program.phone()
    browser = await program.signed_in(phone)
    ((account,),) = program.sql("SELECT DISTINCT account FROM browser_session")
    await program.rooms.stores.members.set_phone(account, NUMBER, program.clock.now())
    program.sql("UPDATE account SET phone_used_at = ?", program.clock.now())
    assert (await browser.get("/centre")).status == 200
    somebody = await Forgetful.comes(await program.browser(), "/h5/recover")
    await somebody.proves()
    assert (await browser.get("/centre")).status == 200
    await somebody.send(password=NEW, again=NEW)
    assert where(await browser.get("/centre")) == (303, "/login")
    assert program.sql("SELECT 1 FROM mini_session") == []
    assert (await phone.scan("anything")).status == 401


@pytest.mark.req("REC-2", "FAQ-2")
async def test_who_does_not_use_the_phone_any_more_is_told_what_to_do(program: Program) -> None:
    await real_named(program)
    somebody = await Forgetful.comes(await program.browser())
    await somebody.names("zhang_san")
    assert "当前手机号不再使用？点击此处" in somebody.page
    (help_page,) = (link for link in somebody.links if link.startswith("/recover/help?"))
    answer = await somebody.open(help_page)
    assert answer.status == 200
    assert "/register" in somebody.links
    assert "自动换绑" in somebody.page


# ------------------------------------------------------------------------------------------------- what nobody can tell

_LOOSE: Final = re.compile(r"[A-Za-z0-9_-]{22,43}|[0-9a-f]{32}|[0-9]+X?|【[^】]*】")


def face(answer: Answer) -> tuple[int, list[tuple[str, str]], str]:
    """Return an answer but for ids and for the characters that masks show."""
    headers = [(name, _LOOSE.sub("-", value)) for name, value in answer.headers if name not in {"Date", "Set-Cookie"}]
    return answer.status, headers, _LOOSE.sub("-", answer.text)


async def seen(program: Program, name: str) -> list[tuple[int, list[tuple[str, str]], str]]:
    """Return all that somebody without the phone sees of a name."""
    somebody = await Forgetful.comes(await program.browser())
    faces = [face(await somebody.names(name))]
    ways = await somebody.browser.get(f"/recover/ways?flow={somebody.flow}")
    faces.append(face(ways))
    flow = somebody.flow
    await somebody.open(f"/recover/code?flow={flow}")
    faces.append(face(await somebody.browser.get(f"/recover/code?flow={flow}")))
    fields = somebody.form.values | {"captcha": await somebody.captcha(), "act": "code"}
    told = await post(somebody.browser, "/recover/code", fields, Accept="application/json")
    faces.append(face(told))
    state = await somebody.browser.get(f"/dispatches/{told.json()['dispatch']}")
    while state.json()["state"] == "sending":
        await program.advance(0.5)
        state = await somebody.browser.get(f"/dispatches/{told.json()['dispatch']}")
    faces.append(face(state))
    faces += [face(await somebody.send(document=ZHANG.number, code="000000")) for _ in range(6)]
    somebody.page = (await somebody.browser.get(f"/recover/code?flow={flow}")).text
    faces.append(face(await somebody.send("code")))
    for path in ("/recover/password", "/recover/done", "/recover/help"):
        faces.append(face(await somebody.browser.get(f"{path}?flow={flow}")))
    return faces


def decoy_like(kind: str) -> list[str]:
    """Return names that nobody has, of the look of a known one; some have a phone and a document, as it has."""
    if kind == "phone":
        return [f"154000005{number:02d}" for number in range(30)]
    if kind == "document":
        return [f"10101019900307{number:03d}" for number in range(10, 999)]
    return [f"nobody_{number}" for number in range(30)]


@pytest.mark.req("REC-2", "REC-4")
@pytest.mark.attack("R1")
@pytest.mark.parametrize(("known", "kind"), [("zhang_san", "username"), (NUMBER, "phone")])
async def test_every_page_of_a_name_that_nobody_has_is_like_one_that_somebody_has(
    program: Program, known: str, kind: str
) -> None:
    await real_named(program)
    of_known = await seen(program, known)
    for name in decoy_like(kind):
        somebody = await Forgetful.comes(await program.browser())
        await somebody.names(name)
        if "通过手机+证件号找回" in somebody.page:
            program.clock.advance(60)
            with capture_logs() as logs:
                assert await seen(program, name) == of_known
            assert [line for line in logs if line["event"] == "vendor_call"] == [], "nobody is sent anything"
            break
    else:
        raise AssertionError("no decoy has a phone and a document")


@pytest.mark.req("REC-2")
@pytest.mark.attack("R1")
async def test_a_name_that_nobody_has_is_shown_the_same_each_time_and_sent_nothing(program: Program) -> None:
    shown = set()
    somebody = await Forgetful.comes(await program.browser())
    for typed in (NOBODYS_NUMBER, f"+86 {NOBODYS_NUMBER}", NOBODYS_NUMBER):
        somebody = await Forgetful.comes(await program.browser())
        await somebody.names(typed)
        shown.add(
            _LOOSE.sub("-", somebody.page) + "".join(re.findall(r"[0-9]{3}\*{4}[0-9]{4}|\*{5,}\w*", somebody.page))
        )
    assert len(shown) == 1
    await somebody.open(f"/recover/code?flow={somebody.flow}")
    assert where(await somebody.asks()) == (303, "/recover/code")
    assert "验证码已经发出" in somebody.page
    await program.settle()
    assert await messages(somebody.browser.caller.sandbox, NOBODYS_NUMBER) == []


# ----------------------------------------------------------------------------------------------- what is said, and kept


@pytest.mark.req("UX-5")
@pytest.mark.parametrize(("start", "field"), [("/recover", "account"), ("/h5/recover", "phone")])
async def test_an_empty_form_is_told_what_is_missing_and_keeps_its_captcha(
    program: Program, start: str, field: str
) -> None:
    somebody = await Forgetful.comes(await program.browser(), start)
    assert (await somebody.send()).status == 422
    assert set(somebody.form.faults) == {field, "captcha"}
    assert "有2处需要修改" in somebody.page
    captcha, first = await somebody.captcha(), somebody.form.captcha
    assert (await somebody.send(captcha=captcha)).status == 422
    assert (somebody.form.captcha, somebody.form.values["captcha"]) == (first, captcha)
    assert where(await somebody.send(**{field: NUMBER}))[0] == 303


@pytest.mark.req("UX-5", "REG-2")
@pytest.mark.parametrize(("start", "field"), [("/recover", "account"), ("/h5/recover", "phone")])
async def test_a_wrong_captcha_gives_way_to_a_new_one_and_the_name_stays(
    program: Program, start: str, field: str
) -> None:
    somebody = await Forgetful.comes(await program.browser(), start)
    first = somebody.form.captcha
    assert (await somebody.send(captcha="00x0", **{field: NUMBER})).status == 422
    assert set(somebody.form.faults) == {"captcha"}
    assert somebody.form.captcha != first
    assert somebody.form.values[field] == NUMBER
    assert (await somebody.send("captcha", **{field: NUMBER})).status == 200
    assert (somebody.form.values[field], somebody.form.faults) == (NUMBER, {})


@pytest.mark.req("UX-5", "REC-2")
async def test_a_wrong_code_and_a_wrong_document_are_told_beside_their_fields(program: Program) -> None:
    await real_named(program)
    somebody = await Forgetful.comes(await program.browser())
    await somebody.comes_to_the_code("zhang_san")
    assert (await somebody.send()).status == 422
    assert set(somebody.form.faults) == {"document", "code"}
    await somebody.asks(document=ZHANG.number)
    code = await somebody.reads()
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    answer = await somebody.send(document="440524188001010014", code=wrong)
    assert (answer.status, set(somebody.form.faults)) == (422, {"code"})
    assert somebody.form.values["document"] == "440524188001010014"
    answer = await somebody.send(document="440524188001010014", code=code)
    assert (answer.status, set(somebody.form.faults)) == (422, {"document"})
    assert somebody.form.fields == ["document"]
    assert "已通过验证，不用再获取验证码" in somebody.page
    assert where(await somebody.send(document=ZHANG.number)) == (303, "/recover/password")


@pytest.mark.req("UX-5", "REC-1")
@pytest.mark.parametrize("start", STARTS)
async def test_a_faulty_password_is_told_and_never_repeated(program: Program, start: str) -> None:
    await enrolled(program)
    somebody = await Forgetful.comes(await program.browser(), start)
    await somebody.proves()
    for password, again, wrong in (("", "", "password"), ("abcdefgh", "", "password"), (NEW, "other", "again")):
        answer = await somebody.send(password=password, again=again)
        assert (answer.status, set(somebody.form.faults)) == (422, {wrong})
        assert somebody.form.values["password"] == ""
        assert "abcdefgh" not in answer.text
        assert NEW not in answer.text


@pytest.mark.req("FAQ-1", "UX-5")
async def test_too_many_messages_are_told_with_the_document_kept(program: Program) -> None:
    await real_named(program)
    somebody = await Forgetful.comes(await program.browser())
    await somebody.comes_to_the_code("zhang_san")
    for _ in range(3):
        assert (await somebody.asks(document=ZHANG.number)).status == 303
        program.clock.advance(60)
    answer = await somebody.asks(document=ZHANG.number)
    assert answer.status == 429
    assert int(answer.header("Retry-After") or 0) > 0
    assert "请在1小时后再试" in somebody.page
    assert somebody.form.values["document"] == ZHANG.number


@pytest.mark.req("UX-5")
@pytest.mark.attack("R1")
async def test_where_nobody_sends_messages_the_form_says_so_to_everybody(start_program: StartProgram) -> None:
    program = await start_program(settings=lambda settings: replace(settings, chuanglan=None))
    await enrolled(program)
    faces = []
    for number in (NUMBER, NOBODYS_NUMBER):
        somebody = await Forgetful.comes(await program.browser(), "/h5/recover")
        await somebody.comes_to_the_code(number)
        faces.append(face(await somebody.asks()))
    assert faces[0] == faces[1]
    assert faces[0][0] == 501


@pytest.mark.req("REC-3")
async def test_a_number_that_is_not_served_here_is_told_beside_its_field(program: Program) -> None:
    somebody = await Forgetful.comes(await program.browser(), "/h5/recover")
    answer = await somebody.names("13800000001")
    assert (answer.status, set(somebody.form.faults)) == (422, {"phone"})
    assert somebody.form.values["phone"] == "13800000001"


@pytest.mark.req("REC-3")
async def test_a_script_that_asks_for_a_code_is_told_what_changes_on_the_page(program: Program) -> None:
    await enrolled(program)
    somebody = await Forgetful.comes(await program.browser(), "/h5/recover")
    await somebody.comes_to_the_code(NUMBER)
    fields = somebody.form.values | {"captcha": await somebody.captcha(), "act": "code"}
    answer = await post(somebody.browser, "/h5/recover/code", fields, Accept="application/json")
    told = answer.json()
    assert (answer.status, told["faults"], told["note"], told["wait"]) == (200, {}, None, 60)
    assert told["captcha"] == "", "there is nothing to read until another code is asked for"
    assert (await somebody.browser.get(f"/dispatches/{told['dispatch']}")).json()["state"] in {"sending", "sent"}
    # The same form a second time.
    answer = await post(somebody.browser, "/h5/recover/code", fields, Accept="application/json")
    assert (answer.status, answer.json()["faults"], answer.json()["captcha"]) == (429, {}, "")
    assert "请等60秒后" in answer.json()["note"]


@pytest.mark.req("OPS-4", "UX-5")
async def test_a_store_that_is_down_is_told_and_costs_nothing_that_was_proved(program: Program) -> None:
    account = await enrolled(program)
    somebody = await Forgetful.comes(await program.browser())
    await somebody.proves()
    program.meddler.breaks("sessions.end_others")
    answer = await somebody.send(password=NEW, again=NEW)
    assert answer.status == 503
    assert answer.header("Retry-After")
    assert await password_is(program, account, OLD)
    program.meddler.mends()
    assert where(await somebody.send(password=NEW, again=NEW)) == (303, "/recover/done")


@pytest.mark.req("UX-5")
@pytest.mark.attack("R3")
async def test_a_recovery_that_could_not_be_finished_begins_again(program: Program) -> None:
    await enrolled(program)
    somebody = await Forgetful.comes(await program.browser())
    await somebody.proves()
    fields = somebody.form.values
    program.meddler.breaks("members.set_password")
    flow = somebody.flow
    assert (await somebody.send(password=NEW, again=NEW)).status == 503
    program.meddler.mends()
    answer = await post(somebody.browser, "/recover/password", fields | {"password": NEW, "again": NEW})
    assert where(answer) == (303, "/recover/done")
    saving = await somebody.browser.get(f"/recover/done?flow={flow}")
    assert (saving.status, "正在设置新密码" in saving.text) == (200, True)
    assert '<meta http-equiv="refresh" content="1">' in saving.text
    program.clock.advance(SAVING // SECOND)
    answer = await somebody.browser.get(f"/recover/done?flow={flow}")
    assert (answer.status, form_on(answer).fields) == (410, ["account", "captcha"])


# ------------------------------------------------------------------------------------ tabs, back, reload, deep links


@pytest.mark.req("REC-1", "REC-3")
async def test_every_page_leads_to_the_step_that_is_due(program: Program) -> None:
    await enrolled(program)
    somebody = await Forgetful.comes(await program.browser())
    await somebody.names(NUMBER)
    flow = somebody.flow
    for path in ("/recover/password", "/recover/done", "/h5/recover/code", "/h5/recover/nobody"):
        assert where(await somebody.browser.get(f"{path}?flow={flow}")) == (303, "/recover/ways")
    await somebody.open(f"/recover/code?flow={flow}")
    await somebody.asks()
    code_page = somebody.form.values
    await somebody.send(code=await somebody.reads())
    for path in ("/recover/ways", "/recover/code", "/recover/help", "/recover/done", "/h5/recover/password"):
        assert where(await somebody.browser.get(f"{path}?flow={flow}")) == (303, "/recover/password")
    assert where(await post(somebody.browser, "/recover/code", code_page | {"code": "123456"})) == (
        303,
        "/recover/password",
    )
    password_page = somebody.form.values
    await somebody.send(password=NEW, again=NEW)
    for path in ("/recover/ways", "/recover/code", "/recover/password", "/h5/recover/done"):
        assert where(await somebody.browser.get(f"{path}?flow={flow}")) == (303, "/recover/done")
    assert (await somebody.browser.get(f"/recover/done?flow={flow}")).status == 200
    again = password_page | {"password": "Other-wansui-9", "again": "Other-wansui-9"}
    assert where(await post(somebody.browser, "/recover/password", again)) == (303, "/recover/done")


@pytest.mark.attack("R3")
async def test_a_finished_recovery_played_again_changes_nothing(program: Program) -> None:
    account = await enrolled(program)
    somebody = await Forgetful.comes(await program.browser())
    await somebody.proves()
    fields = somebody.form.values
    await somebody.send(password=NEW, again=NEW)
    await post(
        somebody.browser, "/recover/password", fields | {"password": "Other-wansui-9", "again": "Other-wansui-9"}
    )
    assert await password_is(program, account, NEW)
    assert len(program.sql("SELECT 1 FROM audit_event WHERE kind = 'password.reset'")) == 1


@pytest.mark.attack("O10", "R3")
async def test_a_recovery_of_another_browser_is_none_here(program: Program) -> None:
    account = await enrolled(program)
    somebody = await Forgetful.comes(await program.browser())
    await somebody.proves()
    stranger = await Forgetful.comes(await program.browser())
    for path in ("ways", "code", "password", "done", "help"):
        answer = await stranger.browser.get(f"/recover/{path}?flow={somebody.flow}")
        assert (answer.status, form_on(answer).fields) == (410, ["account", "captcha"])
    fields = stranger.form.values | {"flow": somebody.flow, "password": NEW, "again": NEW}
    assert (await post(stranger.browser, "/recover/password", fields)).status == 410
    assert not await password_is(program, account, NEW)


@pytest.mark.req("UX-5")
@pytest.mark.parametrize("flow", ["", "x" * 22, "x", "😀", "../..", "%00", "a" * 4000])
@pytest.mark.parametrize("start", STARTS)
async def test_a_recovery_that_is_none_begins_with_words_that_say_so(program: Program, start: str, flow: str) -> None:
    somebody = await Forgetful.comes(await program.browser(), start)
    for path in ("code", "password", "done"):
        answer = await somebody.browser.get(f"{start}/{path}?{urlencode({'flow': flow})}")
        assert answer.status == 410
        assert "请从头再来一次" in answer.text
        assert form_on(answer).action == start
    for path in ("code", "password"):
        answer = await post(somebody.browser, f"{start}/{path}", somebody.form.values | {"flow": flow})
        assert answer.status == 410


@pytest.mark.req("UX-5")
async def test_a_form_that_stayed_open_too_long_comes_back_with_the_name(program: Program) -> None:
    await enrolled(program)
    somebody = await Forgetful.comes(await program.browser())
    await program.advance(16 * 60)
    answer = await somebody.send(account="zhang_san", captcha="1234")
    assert answer.status == 410
    assert somebody.form.values["account"] == "zhang_san"
    assert where(await somebody.names("zhang_san")) == (303, "/recover/ways")


async def test_a_later_form_that_stayed_open_too_long_begins_again(program: Program) -> None:
    await enrolled(program)
    somebody = await Forgetful.comes(await program.browser())
    await somebody.proves()
    await program.advance(16 * 60)
    answer = await somebody.send(password=NEW, again=NEW)
    assert (answer.status, somebody.form.fields) == (410, ["account", "captcha"])
    assert NEW not in answer.text


async def test_whoever_is_logged_in_is_led_to_the_page_that_says_so(program: Program) -> None:
    browser = await program.signed_in()
    assert where(await browser.get("/recover")) == (303, "/login")
    assert where(await browser.get("/h5/recover")) == (303, "/h5/login")
    assert where(await browser.get("/recover/password?flow=" + "x" * 22)) == (303, "/login")


@pytest.mark.req("REC-3")
async def test_phones_are_led_to_their_own_pages(program: Program) -> None:
    browser = await program.browser()
    browser.user_agent = IPHONE
    assert where(await browser.get("/recover")) == (303, "/h5/recover")
    assert (await browser.get("/h5/recover")).status == 200
    assert (await (await program.browser()).get("/h5/recover")).status == 200


# ------------------------------------------------------------------------------------------------------------ by 京通


async def shown_code(program: Program, somebody: Forgetful) -> tuple[LiveSocket, Screen]:
    """Open the page with the code, and its socket."""
    await somebody.browser.open(f"/recover/jingtong?flow={somebody.flow}")
    socket = await program.socket(somebody.browser)
    return socket, await socket.screen()


async def confirmed(program: Program, phone: Phone, somebody: Forgetful) -> dict[str, Any]:
    """Let a phone confirm the recovery, and the page go on; return what the phone was asked."""
    socket, screen = await shown_code(program, somebody)
    scanned = await program.scanned(phone, screen)
    await socket.next("scanned")
    await phone.confirm(scanned)
    answer = await somebody.browser.redeem(str((await socket.next("approved"))["grant"]))
    assert answer.json() == {"next": f"/recover/password?flow={somebody.flow}"}
    return scanned


@pytest.mark.req("REC-2")
@pytest.mark.attack("R2")
async def test_a_confirmation_in_jingtong_leads_to_the_new_password_and_logs_nobody_in(program: Program) -> None:
    phone = await program.phone()
    ((account,),) = program.sql("SELECT id FROM account")
    somebody = await Forgetful.comes(await program.browser())
    await somebody.names(phone.person.document_number)
    assert "通过京通找回" in somebody.page
    assert f"/recover/jingtong?flow={somebody.flow}" in somebody.links
    scanned = await confirmed(program, phone, somebody)
    assert scanned["request"]["action"] == "verify.recover"
    assert somebody.browser.session is None
    await somebody.open(f"/recover/ways?flow={somebody.flow}")
    assert somebody.form.fields == ["password", "again"]
    assert where(await somebody.send(password=NEW, again=NEW)) == (303, "/recover/done")
    assert await password_is(program, account, NEW)
    assert somebody.browser.session is None


@pytest.mark.req("REC-2")
async def test_who_does_not_use_the_phone_any_more_may_prove_it_in_jingtong(program: Program) -> None:
    phone = await program.phone()
    ((account,),) = program.sql("SELECT id FROM account")
    await program.rooms.stores.members.set_phone(account, NUMBER, program.clock.now())
    somebody = await Forgetful.comes(await program.browser())
    await somebody.names(NUMBER)
    await somebody.open(f"/recover/help?flow={somebody.flow}")
    assert f"/recover/jingtong?flow={somebody.flow}" in somebody.links
    await confirmed(program, phone, somebody)
    await somebody.open(f"/recover/password?flow={somebody.flow}")
    await somebody.send(password=NEW, again=NEW)
    assert await password_is(program, account, NEW)


@pytest.mark.attack("P7", "R2")
async def test_a_confirmation_that_was_used_is_taken_back_with_everything_that_came_of_it(program: Program) -> None:
    """The password is the thief's by then, and so is each session that it opens; its owner is put out with them."""
    phone = await program.phone()
    ((account,),) = program.sql("SELECT id FROM account")
    thief = await Forgetful.comes(await program.browser())
    await thief.names(phone.person.document_number)
    scanned = await confirmed(program, phone, thief)
    await thief.open(f"/recover/password?flow={thief.flow}")
    assert where(await thief.send(password=NEW, again=NEW)) == (303, "/recover/done")
    inside, again = await Owner.of(program, account), await program.phone()
    assert (await again.undo(scanned["ticket"])).json() == {"status": "ended"}
    assert await inside.browser.who() is None
    assert (await again.account()).verdict == (401, "token_invalid")
    later = await program.phone()
    assert (await later.undo(scanned["ticket"])).json() == {"status": "ended"}
    assert (await later.account()).status == 200, "once more is as good as once"


@pytest.mark.attack("P7", "R4")
@pytest.mark.parametrize("ending", ["others", "phone", "change"])
async def test_a_confirmation_of_a_phone_that_was_ended_since_sets_no_password(program: Program, ending: str) -> None:
    """Whoever has the lost phone has come as far as the new password, and its owner ends it from elsewhere."""
    lost = await program.phone()
    ((account,),) = program.sql("SELECT id FROM account")
    await program.rooms.stores.members.set_phone(account, NUMBER, program.clock.now())
    owner = await Owner.of(program, account)
    thief = await Forgetful.comes(await program.browser())
    await thief.names(lost.person.document_number)
    await confirmed(program, lost, thief)
    await thief.open(f"/recover/password?flow={thief.flow}")
    page = await owner.get("/centre" if ending == "change" else "/centre/devices")
    form, act = next(
        (form, "others" if ending == "others" else "")
        for form in forms(page)
        if ending in {*form.acts, *(name for name, value in form.values.items() if value)}
    )
    assert (await send(owner.browser, form, act)).status in {200, 303}
    assert (await lost.account()).verdict == (401, "token_invalid")
    assert where(await thief.send(password=NEW, again=NEW)) == (303, "/recover/ways")
    assert program.sql("SELECT 1 FROM account WHERE password IS NOT NULL") == []


@pytest.mark.attack("R3", "P7")
async def test_a_confirmation_that_is_taken_back_on_the_phone_is_none(program: Program) -> None:
    phone = await program.phone()
    somebody = await Forgetful.comes(await program.browser())
    await somebody.names(phone.person.document_number)
    scanned = await confirmed(program, phone, somebody)
    await somebody.open(f"/recover/password?flow={somebody.flow}")
    assert (await phone.undo(scanned["ticket"])).status == 200
    assert where(await somebody.send(password=NEW, again=NEW)) == (303, "/recover/ways")
    assert program.sql("SELECT 1 FROM account WHERE password IS NOT NULL") == []


@pytest.mark.attack("R1", "B5")
async def test_the_code_for_a_name_that_nobody_has_is_refused_by_every_phone_as_another_accounts_is(
    program: Program,
) -> None:
    owner, stranger = await program.phone(), await program.phone("li-siyuan")
    refusals = []
    for name in (owner.person.document_number, "nobody_at_all"):
        somebody = await Forgetful.comes(await program.browser())
        await somebody.names(name)
        page = await somebody.browser.get(f"/recover/jingtong?flow={somebody.flow}")
        socket, screen = await shown_code(program, somebody)
        refused = await stranger.scan(program.frame(screen))
        await program.settle()
        refusals.append((face(page), refused.verdict, refused.json()["reason"], socket.unread()))
    assert refusals[0] == refusals[1]
    assert refusals[0][1:] == ((403, "account_refused"), "other_account", [])


async def test_the_page_with_the_code_is_a_step_like_any_other(program: Program) -> None:
    await enrolled(program)
    somebody = await Forgetful.comes(await program.browser())
    await somebody.proves(NUMBER)
    page = "/recover/jingtong?flow="
    assert where(await somebody.browser.get(page + somebody.flow)) == (303, "/recover/password")
    stranger = await program.browser()
    assert (await stranger.get(page + somebody.flow)).status == 410
    phone = await Forgetful.comes(await program.browser(), "/h5/recover")
    await phone.names(NUMBER)
    assert where(await phone.browser.get(page + phone.flow)) == (303, "/h5/recover/code")
    assert where(await (await program.signed_in()).get(page + somebody.flow)) == (303, "/login")


# ------------------------------------------------------------------------------------------------------ hostile bodies


HOSTILE: Final = {
    "full-width digits": {"code": "１２３４５６", "document": "１０１０１０１９９００３０７００１１"},
    "emoji": {"account": "😀", "phone": "😀", "document": "😀", "code": "😀", "password": "😀" * 8},
    "four bytes": {"account": "张𠮷", "document": "𠮷", "password": "密𠮷" * 4},
    "no characters": {"account": "\0", "phone": "\0", "document": "\0", "code": "\0", "password": "\0" * 9},
    "right to left": {"account": "zhang\u202esan", "phone": "\u202e15400000001", "document": "\u202e1"},
    "markup": {"account": '"><svg onload=alert(1)>', "phone": "'><script>", "document": '"><script>alert(1)</script>'},
    "a template": {"account": "{{ 7 * 7 }}", "phone": "%(x)s %s", "document": "%(x)s"},
    "SQL": {"account": "' OR 1=1 --", "phone": "'; DROP TABLE account", "document": "' OR '1'='1"},
    "long": {"account": "a" * 20_000, "phone": "1" * 20_000, "document": "1" * 20_000, "password": "1" * 20_000},
    "signs": {"account": "$ne", "phone": "[]", "document": "true"},
}


@pytest.mark.req("UX-5")
@pytest.mark.attack("Q25", "Q27")
@pytest.mark.parametrize("typed", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("start", STARTS)
async def test_whatever_is_typed_is_answered_with_a_page_of_words(
    program: Program, start: str, typed: dict[str, str]
) -> None:
    account = await real_named(program)
    somebody = await Forgetful.comes(await program.browser(), start)
    first = {name: typed.get(name, "") for name in ("account", "phone")}
    answer = await somebody.send(captcha="0", **first)
    assert (answer.status, bool(somebody.form.faults)) == (422, True)
    assert "<svg onload" not in answer.text
    assert "<script>" not in answer.text
    answer = await somebody.send(captcha=await somebody.captcha(), **first)
    assert answer.status in {303, 422}
    assert "<svg onload" not in somebody.page

    somebody = await Forgetful.comes(await program.browser(), start)
    await somebody.comes_to_the_code(NUMBER)
    later = {name: typed.get(name, "") for name in ("document", "code")}
    for act in ("", "code"):
        answer = await somebody.send(act, captcha="0", **later)
        assert (answer.status, bool(somebody.form.faults)) == (422, True)
        assert "<script>alert" not in answer.text
    await somebody.asks(document=ZHANG.number)
    await somebody.send(document=ZHANG.number, code=await somebody.reads())
    answer = await somebody.send(password=typed.get("password", ""), again=typed.get("password", ""))
    assert (answer.status, set(somebody.form.faults)) == (422, {"password"})
    assert await password_is(program, account, OLD)


@pytest.mark.attack("Q27", "Q28", "W9")
@pytest.mark.parametrize(
    "path",
    ["/recover", "/recover/code", "/recover/password", "/h5/recover", "/h5/recover/code", "/h5/recover/password"],
)
async def test_bodies_that_are_no_form_of_ours_are_refused_in_words(program: Program, path: str) -> None:
    account = await enrolled(program)
    somebody = await Forgetful.comes(await program.browser())
    browser, fields = somebody.browser, somebody.form.values
    good = urlencode(fields).encode()
    refused = {
        "100 KB": (
            await post_raw(browser, path, urlencode(fields | {"account": "a" * 100_000}).encode()),
            413,
        ),
        "repeated": (await post_raw(browser, path, good + b"&phone=1&phone=2"), 400),
        "unknown field": (await post_raw(browser, path, good + b"&user_id=1"), 400),
        "JSON": (await post_raw(browser, path, b"{}", "application/json"), 400),
        "multipart": (await post_raw(browser, path, b"--x--", "multipart/form-data; boundary=x"), 400),
        "nothing said": (await post_raw(browser, path, good, "text/plain"), 400),
        "another alphabet": (await post_raw(browser, path, good, f"{FORM}; charset=utf-16"), 400),
        "no token": (await post_raw(browser, path, b"account=zhang_san"), 403),
        "wrong token": (await post_raw(browser, path, urlencode(fields | {"csrf": "x" * 43}).encode()), 403),
        "another site": (await post_raw(browser, path, good, Origin="https://evil.example"), 403),
    }
    for name, (answer, status) in refused.items():
        assert answer.status == status, (name, answer)
        assert "<h1" in answer.text, name
    assert await password_is(program, account, OLD)


@pytest.mark.attack("Q27")
@pytest.mark.parametrize("octets", [b"%ED%A0%80", b"%FF%FE", b"\xff\xfe", b"%C0%80", b"%"])
@pytest.mark.parametrize("path", ["/recover", "/recover/code", "/recover/password"])
async def test_octets_that_are_no_text_are_no_reason_to_fall_over(program: Program, path: str, octets: bytes) -> None:
    somebody = await Forgetful.comes(await program.browser())
    fields = urlencode(somebody.form.values).encode()
    for name in (b"account", b"document", b"code", b"flow", b"captcha_id", b"password"):
        others = b"&".join(pair for pair in fields.split(b"&") if not pair.startswith(name + b"="))
        answer = await post_raw(somebody.browser, path, others + b"&" + name + b"=" + octets)
        assert answer.status in {400, 410, 422}, (name, answer)


@pytest.mark.req("PRV-1")
@pytest.mark.attack("Q24", "O7")
async def test_neither_code_nor_number_nor_password_is_in_an_address_or_a_page(program: Program) -> None:
    await real_named(program)
    somebody = await Forgetful.comes(await program.browser())
    await somebody.comes_to_the_code(ZHANG.number)
    answers = [await somebody.asks(document=ZHANG.number)]
    code = await somebody.reads()
    answers.append(await somebody.send(document=ZHANG.number, code=code))
    answers.append(await somebody.send(password=NEW, again=NEW))
    for answer in answers:
        told = f"{answer.header('Location')} {answer.text}"
        assert not any(secret in told for secret in (code, NUMBER, ZHANG.number, NEW))
