"""The page where somebody types the code of a device (RP-3)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.browser import Browser
from tests.support.calls import Answer
from tests.support.forms import form_of, forms, send
from tests.support.members import PASSWORD, USERNAME, enrolled
from tests.support.program import Program
from tests.web.device_site import KIOSK, Devices, error, two_clients
from tests.web.test_account_login import tried

pytestmark = pytest.mark.req("RP-3")

WRONG = "代码不对，或已经过期"
OVER = "这次请求已经结束"


@pytest.fixture
async def devices(program: Program) -> Devices:
    return await two_clients(program)


async def typed(browser: Browser, code: str, page: str = "/device") -> Answer:
    """Type a code; return what the page answers."""
    form = form_of(await browser.get(page), page)
    return await send(browser, form.typed(user_code=code))


async def led(browser: Browser, code: str, page: str = "/device") -> str:
    """Type a code that leads on; return where."""
    answer = await typed(browser, code, page)
    assert answer.status == 303, answer.text
    return str(answer.header("Location"))


async def asked(browser: Browser, codes: dict[str, Any]) -> Answer:
    """Type a device's code; return the page that asks."""
    shown = await browser.get(await led(browser, codes["user_code"]))
    assert shown.status == 200
    return shown


async def test_somebody_types_the_code_sees_what_is_asked_and_agrees(program: Program, devices: Devices) -> None:
    codes = await devices.asked(scope="openid phone offline_access")
    browser = await program.signed_in()
    shown = await asked(browser, codes)
    for words in ("登录政务大厅自助机", "kiosk.example", codes["user_code"], "手机号", "最长30天", "同意并登录"):
        assert words in shown.text
    answer = await send(browser, form_of(shown, "/device"), "agree")
    assert (answer.status, answer.header("Location")) == (303, "/device?said=agreed")
    assert "设备正在登录" in (await browser.get("/device?said=agreed")).text
    given = (await devices.poll(codes)).json()
    told = (await devices.post("/oauth/introspect", {"token": given["access_token"]}, "kiosk")).json()
    assert (told["active"], told["amr"], told["scope"]) == (True, ["qr"], "openid phone offline_access")


async def test_a_device_is_told_how_the_person_at_the_page_had_logged_in(program: Program, devices: Devices) -> None:
    await enrolled(program)
    browser = await program.browser()
    assert (await tried(program, browser, USERNAME, PASSWORD)).status == 303
    await program.advance(600)
    codes = await devices.asked()
    await send(browser, form_of(await asked(browser, codes), "/device"), "agree")
    given = (await devices.poll(codes)).json()
    told = (await devices.post("/oauth/introspect", {"token": given["access_token"]}, "kiosk")).json()
    assert told["amr"] == ["pwd"]
    assert told["auth_time"] == program.clock.now() // 1000 - 600


async def test_who_says_no_is_the_end_of_it(program: Program, devices: Devices) -> None:
    codes = await devices.asked()
    browser = await program.signed_in()
    answer = await send(browser, form_of(await asked(browser, codes), "/device"), "refuse")
    assert answer.header("Location") == "/device?said=refused"
    assert error(await devices.poll(codes)) == "access_denied"
    assert "login.rejected" in [kind for (kind,) in program.sql("SELECT kind FROM audit_event")]
    assert (await browser.get("/centre/log")).status == 200


async def test_a_code_is_typed_as_people_type(program: Program, devices: Devices) -> None:
    codes = await devices.asked()
    browser = await program.signed_in()
    assert await led(browser, codes["user_code"].lower().replace("-", " "))


async def test_phones_have_a_page_of_their_own(program: Program, devices: Devices) -> None:
    codes = await devices.asked()
    browser = await program.signed_in()
    iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1"
    answer = await browser.get("/device", **{"User-Agent": iphone})
    assert (answer.status, answer.header("Location")) == (303, "/h5/device")
    assert (await led(browser, codes["user_code"], "/h5/device")).startswith("/h5/device?ticket=")


async def test_a_stranger_logs_in_first_and_comes_back(program: Program, devices: Devices) -> None:
    phone = await program.phone()
    browser = await program.browser()
    answer = browser.keep(await browser.get("/device"))
    assert (answer.status, answer.header("Location")) == (303, "/login")
    await browser.open()
    socket = await program.socket(browser)
    scanned = await phone.scan(program.frame(await socket.screen()))
    await socket.next("scanned")
    await phone.confirm(scanned.json())
    assert (await browser.redeem((await socket.next("approved"))["grant"])).json() == {"next": "/device"}


@pytest.mark.attack("M3")
async def test_no_address_fills_a_code_in(program: Program, devices: Devices) -> None:
    codes = await devices.asked()
    browser = await program.signed_in()
    shown = await browser.get(f"/device?user_code={codes['user_code']}")
    assert codes["user_code"] not in shown.text


@pytest.mark.attack("Q22", "Q7")
async def test_a_code_that_leads_nowhere_is_told_in_one_way(program: Program, devices: Devices) -> None:
    expired, taken, refused, redeemed = [await devices.asked() for _ in range(4)]
    phone, other = await program.phone(), await program.phone("li-siyuan")
    await other.scan(taken["verification_uri_complete"])
    await phone.reject((await phone.scan(refused["verification_uri_complete"])).json())
    scanned = (await phone.scan(redeemed["verification_uri_complete"])).json()
    await phone.confirm(scanned)
    await devices.poll(redeemed)
    browser = await program.signed_in()
    for code in ("BBBB-BBBB", taken["user_code"], refused["user_code"], redeemed["user_code"]):
        answer = await typed(browser, code)
        assert answer.status == 422
        assert WRONG in answer.text
        assert code in answer.text, "what was typed is kept"
    await program.advance(300)
    answer = await typed(browser, expired["user_code"])
    assert (answer.status, WRONG in answer.text) == (422, True)
    # Nothing typed is no guess: it is said so, and no limit counts it.
    for _ in range(6):
        answer = await typed(browser, " ")
        assert (answer.status, "请输入设备屏幕上的代码" in answer.text) == (422, True)


@pytest.mark.attack("Q7", "O4")
async def test_codes_are_tried_five_times_a_minute_however_many_are_sent_at_once(
    program: Program, devices: Devices
) -> None:
    browser = await program.signed_in()
    form = form_of(await browser.get("/device"), "/device")
    sent = await asyncio.gather(*(send(browser, form.typed(user_code="BBBB-BBBB")) for _ in range(20)))
    assert sorted(answer.status for answer in sent) == [422] * 5 + [429] * 15
    codes = await devices.asked()
    answer = await typed(browser, codes["user_code"])
    assert (answer.status, answer.header("Retry-After") is not None) == (429, True)
    await program.advance(61)
    codes = await devices.asked()
    assert await led(browser, codes["user_code"])


@pytest.mark.attack("Q12", "Q9")
async def test_another_session_is_told_nothing_of_what_one_has_taken(program: Program, devices: Devices) -> None:
    codes = await devices.asked()
    browser, stranger = await program.signed_in(), await program.signed_in(await program.phone("li-siyuan"))
    where = await led(browser, codes["user_code"])
    shown = await browser.get(where)
    form = form_of(shown, "/device")
    answer = await stranger.get(where)
    assert answer.status == 422
    assert OVER in answer.text
    assert "政务大厅自助机" not in answer.text
    theirs = form_of(await stranger.get("/device"), "/device")
    fields = {name: value for name, value in form.values.items() if name in {"ticket", "confirm_token"}}
    answer = await send(stranger, theirs.typed(**fields), "agree")
    assert (answer.status, OVER in answer.text) == (422, True)
    assert error(await devices.poll(codes)) == "authorization_pending"


@pytest.mark.attack("Q5", "Q12")
async def test_of_a_page_and_a_phone_of_one_account_the_last_to_look_decides(
    program: Program, devices: Devices
) -> None:
    phone = await program.phone()
    codes = await devices.asked()
    browser = await program.signed_in(phone)
    form = form_of(await asked(browser, codes), "/device")
    scanned = await phone.scan(codes["verification_uri_complete"])
    assert scanned.status == 200
    answer = await send(browser, form, "agree")
    assert (answer.status, OVER in answer.text) == (422, True)
    assert (await phone.confirm(scanned.json())).status == 200


async def test_a_button_pressed_twice_is_pressed_once(program: Program, devices: Devices) -> None:
    codes = await devices.asked()
    browser = await program.signed_in()
    form = form_of(await asked(browser, codes), "/device")
    for _ in range(2):
        assert (await send(browser, form, "agree")).header("Location") == "/device?said=agreed"
    assert (await send(browser, form, "refuse")).status == 422


@pytest.mark.attack("Q15")
async def test_who_reads_too_long_is_told_so(program: Program, devices: Devices) -> None:
    codes = await devices.asked()
    browser = await program.signed_in()
    where = await led(browser, codes["user_code"])
    form = form_of(await browser.get(where), "/device")
    await program.advance(300)
    for answer in (await send(browser, form, "agree"), await browser.get(where)):
        assert (answer.status, OVER in answer.text) == (422, True)


@pytest.mark.attack("W3")
async def test_another_sites_form_is_refused(program: Program, devices: Devices) -> None:
    codes = await devices.asked()
    browser = await program.signed_in()
    form = form_of(await asked(browser, codes), "/device")
    form.values["csrf"] = "x" * 43
    assert (await send(browser, form, "agree")).status == 403
    assert error(await devices.poll(codes)) == "authorization_pending"


@pytest.mark.attack("Q21")
@pytest.mark.parametrize(
    ("metadata", "asks", "words"),
    [
        (KIOSK | {"default_acr_values": ["L3"]}, {}, "要求中级认证"),
        (KIOSK | {"default_acr_values": ["L4"]}, {}, "要求高级认证"),
        (KIOSK, {"acr_values": "L2"}, "要求初级认证"),
    ],
)
async def test_an_account_below_the_level_is_told_which(
    program: Program, devices: Devices, metadata: dict[str, object], asks: dict[str, str], words: str
) -> None:
    await devices.register("bank", metadata)
    browser = await program.signed_in()
    program.sql("DELETE FROM identity")
    codes = await devices.asked("bank", **asks)
    answer = await typed(browser, codes["user_code"])
    assert (answer.status, words in answer.text) == (403, True)
    assert error(await devices.poll(codes, "bank")) == "authorization_pending"


@pytest.mark.attack("B6")
async def test_what_asks_for_a_face_is_confirmed_by_a_phone_alone(program: Program, devices: Devices) -> None:
    codes = await devices.asked(acr_values="L3")
    browser = await program.signed_in()
    answer = await typed(browser, codes["user_code"])
    assert (answer.status, "请用京通扫" in answer.text) == (403, True)
    phone = await program.phone()
    assert (await phone.scan(codes["verification_uri_complete"])).status == 200, "nobody has taken it"


@pytest.mark.attack("P7", "T3")
async def test_a_log_out_elsewhere_ends_what_a_page_has_agreed_to(program: Program, devices: Devices) -> None:
    codes = await devices.asked()
    phone = await program.phone()
    browser = await program.signed_in(phone)
    await send(browser, form_of(await asked(browser, codes), "/device"), "agree")
    await phone.caller.send("DELETE", "/mp/v1/session", headers=phone.bearer)
    assert error(await devices.poll(codes)) == "access_denied"


@pytest.mark.req("SES-1", "SES-2")
@pytest.mark.attack("P7")
@pytest.mark.parametrize("kind", ["", "/h5"])
async def test_a_device_is_among_ones_devices_and_is_put_out_there(
    program: Program, devices: Devices, kind: str
) -> None:
    phone = await program.phone()
    browser, codes = await program.signed_in(phone), await devices.asked(scope="openid offline_access")
    await send(browser, form_of(await asked(browser, codes), "/device"), "agree")
    token = (await devices.poll(codes)).json()["access_token"]
    page = f"{kind}/centre/devices"
    shown = await browser.get(page)
    for words in ("政务大厅自助机", "kiosk.example", "在网页上输入代码登录", "登录有效期至"):
        assert words in shown.text
    (told,) = [device for device in await phone.devices() if device["kind"] == "device"]
    assert told["site"] == {"name": "政务大厅自助机", "domain": "kiosk.example"}
    assert (told["platform"], told["way"]) == (None, None)
    form = next(form for form in forms(shown) if "device" in form.values)
    stranger = await program.signed_in(await program.phone("li-siyuan"))
    theirs = next(form for form in forms(await stranger.get(page)) if form.action == page)
    answer = await send(stranger, theirs.typed(session="", device=form.values["device"]))
    assert answer.header("Location") == f"{page}?ended=none"
    assert (await devices.userinfo(token)).status == 200
    answer = await send(browser, form)
    assert answer.header("Location") == f"{page}?ended=one"
    assert (await devices.userinfo(token)).status == 401
    assert "政务大厅自助机" not in (await browser.get(page)).text
    assert (await send(browser, form)).header("Location") == f"{page}?ended=none"


@pytest.mark.req("SES-1")
@pytest.mark.attack("P7", "Q9")
async def test_a_phone_puts_a_device_out(program: Program, devices: Devices) -> None:
    phone, stranger, codes = await program.phone(), await program.phone("li-siyuan"), await devices.asked()
    await phone.confirm((await phone.scan(codes["verification_uri_complete"])).json())
    token = (await devices.poll(codes)).json()["access_token"]
    (told,) = [device for device in await phone.devices() if device["kind"] == "device"]
    assert told["platform"] == "wechat"
    assert (await stranger.end(told["id"])).verdict == (404, "session_unknown")
    assert (await phone.end(told["id"])).status == 204
    assert (await devices.userinfo(token)).status == 401
    assert (await phone.end(told["id"])).verdict == (404, "session_unknown")


@pytest.mark.req("SES-2")
@pytest.mark.attack("P7", "P1")
async def test_not_me_ends_a_device_and_the_session_on_whose_page_it_was_confirmed(
    program: Program, devices: Devices
) -> None:
    phone, codes, second = await program.phone(), await devices.asked(), await devices.asked()
    intruder, owner = await program.signed_in(phone), await program.signed_in(phone)
    await send(intruder, form_of(await asked(intruder, codes), "/device"), "agree")
    token = (await devices.poll(codes)).json()["access_token"]
    await send(intruder, form_of(await asked(intruder, second), "/device"), "agree")
    [denial] = [form for form in forms(await owner.get("/centre")) if form.values.get("session", "").startswith("d.")]
    assert (await send(owner, denial)).status == 200
    assert (await devices.userinfo(token)).status == 401
    assert await intruder.who() is None, "whoever was there was not the owner"
    assert error(await devices.poll(second)) == "access_denied", "nor what they had just confirmed"
    assert await owner.who() is not None


@pytest.mark.req("SES-2")
async def test_not_me_on_the_page_that_was_tricked_into_it_keeps_its_own_session(
    program: Program, devices: Devices
) -> None:
    codes, browser = await devices.asked(), await program.signed_in()
    await send(browser, form_of(await asked(browser, codes), "/device"), "agree")
    token = (await devices.poll(codes)).json()["access_token"]
    centre = await browser.get("/centre")
    [denial] = [form for form in forms(centre) if form.values.get("session", "").startswith("d.")]
    await send(browser, denial)
    assert (await devices.userinfo(token)).status == 401
    assert await browser.who() is not None


@pytest.mark.attack("Q27")
async def test_what_is_no_name_of_a_device_ends_nothing_and_breaks_nothing(program: Program) -> None:
    phone = await program.phone()
    browser = await program.signed_in(phone)
    centre = await browser.get("/centre/devices")
    form = next(form for form in forms(centre) if form.action == "/centre/devices")
    for text in ("d.", f"d.{chr(0)}", "d." + "A" * 5000, "d." + "京" * 20):
        answer = await send(browser, form.typed(session="", device=text))
        assert answer.status in {303, 400}, answer.text
    for text in ("d.%00", "d.%ED%B2%80", "d." + "A" * 20):
        assert (await phone.end(text)).verdict == (404, "session_unknown")
    assert await browser.who() is not None


@pytest.mark.req("SES-1")
@pytest.mark.attack("P7", "T3")
async def test_whoever_puts_all_others_out_puts_devices_out_too_and_those_that_have_not_asked_yet(
    program: Program, devices: Devices
) -> None:
    phone, given, waiting, by_phone = await program.phone(), *[await devices.asked() for _ in range(3)]
    browser = await program.signed_in(phone)
    await send(browser, form_of(await asked(browser, given), "/device"), "agree")
    token = (await devices.poll(given)).json()["access_token"]
    await send(browser, form_of(await asked(browser, waiting), "/device"), "agree")
    await phone.confirm((await phone.scan(by_phone["verification_uri_complete"])).json())
    page = await browser.get("/centre/devices")
    form = next(form for form in forms(page) if form.action == "/centre/devices")
    answer = await send(browser, form.typed(session=""), "others")
    assert answer.header("Location") == "/centre/devices?ended=others"
    assert await browser.who() is not None
    assert (await devices.userinfo(token)).status == 401
    assert "政务大厅自助机" not in (await browser.get("/centre/devices")).text
    assert [error(await devices.poll(codes)) for codes in (waiting, by_phone)] == ["access_denied"] * 2
