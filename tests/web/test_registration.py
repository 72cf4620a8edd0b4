"""Registering over HTTP: the pages, what they keep, where they lead, and what no body does to them."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlencode

import msgspec
import pytest

from bjidp.config.settings import Settings
from tests.support.browser import IPHONE, SECRET, Browser
from tests.support.calls import Answer
from tests.support.forms import FORM, WebForm, form_of, heading, links, note, post, post_raw, send
from tests.support.inbox import arrived, code_to, messages
from tests.support.program import Program
from tests.web.conftest import StartProgram

NUMBER, OTHER_NUMBER = "15400000001", "15400000002"
PASSWORD = "Wansui-8"
PC, H5 = "/register", "/h5/register"
PATHS = (PC, H5)
FILLED: Final = {"password": PASSWORD, "again": PASSWORD, "agreed": "yes"}


class Applicant:
    """Somebody at the form, in a browser without a script."""

    def __init__(self, program: Program, browser: Browser, path: str) -> None:
        self.program = program
        self.browser = browser
        self.path = path
        self.page = ""

    @classmethod
    async def arrives(cls, program: Program, path: str = PC, *, source: str | None = None) -> Applicant:
        """Open the form."""
        applicant = cls(program, await program.browser(source=source), path)
        await applicant.open()
        return applicant

    async def open(self, path: str | None = None) -> Answer:
        """Open a page and keep it, if it is one."""
        answer = await self.browser.get(path or self.path)
        self._look(answer)
        return answer

    @property
    def form(self) -> WebForm:
        """The form on the page as it is now."""
        return form_of(self._shown, self.path)

    @property
    def links(self) -> set[str]:
        """Where the page leads."""
        return links(self._shown)

    @property
    def heading(self) -> str:
        """The page's heading."""
        return heading(self._shown)

    async def send(self, act: str = "", **typed: str) -> Answer:
        """Press a button of the form as it is now, with fields filled in; follow where that leads within it."""
        fields = self.form.values | typed
        if self.path == H5:
            fields = {name: value for name, value in fields.items() if name not in {"username", "again"}}
        answer = await send(self.browser, WebForm(self.path, fields), act)
        self._look(answer)
        where = answer.header("Location") or ""
        if answer.status == 303 and where.partition("?")[0] == self.path:
            await self.open(where)
        return answer

    async def asks(self, phone: str = NUMBER, username: str = "zhang_san", **typed: str) -> Answer:
        """Ask for a code, with the captcha read well."""
        typed = {"phone": phone, "username": username} | typed
        if not self.form.captcha:
            # None is shown after a code until another one is asked for.
            await self.send("code", **typed)
        return await self.send("code", **({"captcha": self.program.captchas[self.form.captcha]} | typed))

    async def inbox(self, phone: str = NUMBER) -> list[str]:
        """Return the codes that were sent to a number, newest first."""
        return [message["code"] for message in await arrived(self.browser.caller.sandbox, phone)]

    async def fills_in(self, phone: str = NUMBER, username: str = "zhang_san") -> dict[str, str]:
        """Come as far as having the code; return what is still to be typed."""
        before = len(await messages(self.browser.caller.sandbox, phone))
        await self.asks(phone, username)
        return FILLED | {"code": await code_to(self.browser.caller.sandbox, phone, count=before + 1)}

    async def registers(self, phone: str = NUMBER, username: str = "zhang_san") -> Answer:
        """Register."""
        return await self.send(**await self.fills_in(phone, username))

    async def identity(self) -> WebForm:
        """Open 实名认证 and return its form."""
        path = f"{self.path}/identity"
        return form_of(await self.open(path), path)

    async def skips(self) -> Answer:
        """Go on without 实名认证."""
        return await send(self.browser, await self.identity(), "skip")

    @property
    def _shown(self) -> Answer:
        return Answer(200, (), self.page.encode())

    def _look(self, answer: Answer) -> None:
        if (answer.header("Content-Type") or "").startswith("text/html"):
            self.page = answer.text


@pytest.fixture
async def applicant(program: Program) -> Applicant:
    """Somebody at the form for computers."""
    return await Applicant.arrives(program)


def accounts(program: Program) -> int:
    """Count the accounts."""
    return int(program.sql("SELECT count(*) FROM account")[0][0])


def where(answer: Answer) -> tuple[int, str | None]:
    """Return the status and where it leads."""
    return answer.status, answer.header("Location")


# ------------------------------------------------------------------------------------------------------------ the story


@pytest.mark.req("REG-1", "REG-2", "REG-6", "UX-4")
async def test_somebody_registers_on_a_computer_without_a_script(program: Program) -> None:
    applicant = await Applicant.arrives(program)
    assert applicant.form.fields == [
        "username", "phone", "captcha", "code", "password", "again", "agreed", "national",
    ]  # fmt: skip
    assert applicant.heading == "注册账号"
    assert {"/help/terms", "/help", "/login"} <= applicant.links

    answer = await applicant.asks()
    assert answer.status == 303
    assert (answer.header("Location") or "").startswith("/register?flow=")
    form = applicant.form
    assert (form.values["username"], form.values["phone"], form.values["captcha"]) == ("zhang_san", NUMBER, "")
    assert "验证码已经发出" in applicant.page
    (code,) = await applicant.inbox()
    assert code not in applicant.page

    answer = await applicant.send(code=code, **FILLED)
    assert where(answer) == (303, "/register/identity")
    assert (await applicant.identity()).fields == ["name", "document_number"]
    assert "暂不认证" in applicant.page
    assert where(await applicant.skips()) == (303, "/register/done")
    answer = await applicant.open("/register/done")
    assert applicant.heading == "注册成功"
    assert '<strong class="digits">zhang_san</strong>' in applicant.page
    assert "/centre" in applicant.links
    assert (await applicant.open("/centre")).status == 200


@pytest.mark.req("REG-3", "REG-6", "UX-4")
async def test_somebody_registers_on_a_phone_without_a_script(program: Program) -> None:
    applicant = await Applicant.arrives(program, H5)
    assert applicant.form.fields == [
        "phone", "captcha", "code", "password", "agreed",
    ]  # fmt: skip
    assert "《统一身份认证平台注册协议》" in applicant.page
    answer = await applicant.registers()
    assert where(answer) == (303, "/h5/register/identity")
    assert where(await applicant.skips()) == (303, "/h5/register/done")
    assert "跳过，不进行认证" in applicant.page
    await applicant.open("/h5/register/done")
    assert applicant.heading == "注册成功"
    made = re.search(r">(bjt_[0-9]{11})<", applicant.page)
    assert made is not None, "the name is the system's, and is shown whole"
    assert made[1] in (await applicant.open("/h5/centre?show=username")).text
    await applicant.open("/h5/register/done")
    assert "/h5/centre" in applicant.links
    assert (await applicant.open("/h5/centre")).status == 200


@pytest.mark.req("REG-6")
@pytest.mark.attack("T4")
async def test_the_end_leads_to_the_portal_and_to_where_the_login_was_for_and_nowhere_a_client_says(
    start_program: StartProgram,
) -> None:
    portal = "http://portal.example/"

    def dressed(settings: Settings) -> Settings:
        return msgspec.structs.replace(settings, server=msgspec.structs.replace(settings.server, portal_url=portal))

    program = await start_program(settings=dressed)
    browser = await program.browser()
    await browser.open("/login")
    applicant = Applicant(program, browser, PC)
    await applicant.open("/register?next=https://evil.example/&client=evil")
    answer = await applicant.send("code", next="https://evil.example/")
    assert answer.status == 400
    await applicant.open("/register?next=//evil.example")
    await applicant.registers()
    await applicant.skips()
    await applicant.open("/register/done?next=//evil.example")
    assert portal in applicant.links
    assert "evil" not in applicant.page


@pytest.mark.req("REG-2")
async def test_a_script_that_asks_for_a_code_is_told_what_changes_on_the_page(applicant: Applicant) -> None:
    captcha = applicant.program.captchas[applicant.form.captcha]
    fields = applicant.form.values | {"phone": NUMBER, "captcha": captcha, "act": "code"}
    answer = await post(applicant.browser, PC, fields, Accept="application/json")
    told = answer.json()
    assert answer.status == 200
    assert (told["faults"], told["note"], told["wait"]) == ({}, None, 60)
    assert len(told["flow"]) == 22
    assert told["captcha"] == "", "there is nothing to read until another code is asked for"
    state = await applicant.browser.get(f"/dispatches/{told['dispatch']}")
    assert state.json()["state"] in {"sending", "sent"}
    # The same form a second time.
    answer = await post(applicant.browser, PC, fields | {"flow": told["flow"]}, Accept="application/json")
    assert (answer.status, answer.json()["faults"], answer.json()["captcha"]) == (429, {}, "")
    assert "请等60秒后" in answer.json()["note"]
    # With the captcha of another flow, which does not wait.
    answer = await post(applicant.browser, PC, fields, Accept="application/json")
    assert answer.status == 422
    assert set(answer.json()["faults"]) == {"captcha"}


# ----------------------------------------------------------------------------------------------- what is said, and kept


@pytest.mark.req("REG-2", "UX-4")
@pytest.mark.parametrize("path", PATHS)
async def test_no_captcha_is_shown_once_a_code_was_sent_until_another_one_is_asked_for(
    program: Program, path: str
) -> None:
    applicant = await Applicant.arrives(program, path)
    await applicant.asks()
    assert (applicant.form.captcha, "60秒后重新获取" in applicant.page) == ("", True)
    answer = await applicant.send(code="000000")
    assert (answer.status, applicant.form.captcha) == (422, "")
    early = await applicant.send("code")
    assert (early.status, early.header("Retry-After"), applicant.form.captcha) == (429, "60", "")
    assert note(early).split() == ["操作得太快了", "请等60秒后，再做一次。"]

    program.clock.advance(60)
    await applicant.open(f"{path}?flow={applicant.form.values['flow']}")
    assert (applicant.form.captcha, "重新获取" in applicant.page) == ("", True)
    shown = await applicant.send("code")
    assert (shown.status, applicant.form.faults, note(shown)) == (200, {}, "")
    assert re.search('id="f-captcha"[^>]* autofocus>', applicant.page)
    assert len(await applicant.inbox()) == 1, "the picture is to be read first"
    assert (await applicant.send(code="000000")).status == 422
    captcha = program.captchas[applicant.form.captcha]
    assert (await applicant.send("code", captcha=captcha)).status == 303
    await arrived(applicant.browser.caller.sandbox, NUMBER, count=2)
    assert applicant.form.captcha == ""


@pytest.mark.req("UX-5", "REG-1")
@pytest.mark.parametrize("path", PATHS)
async def test_an_empty_form_is_told_everything_that_is_missing(program: Program, path: str) -> None:
    applicant = await Applicant.arrives(program, path)
    answer = await applicant.send(code="", phone="", username="")
    assert answer.status == 422
    missing = {"phone", "code", "password", "agreed"} | ({"username"} if path == PC else set())
    assert set(applicant.form.faults) == missing
    assert all(applicant.form.faults.values())
    assert f"有{len(missing)}处需要修改" in answer.text


@pytest.mark.req("UX-5")
async def test_what_was_typed_is_kept_and_passwords_never(applicant: Applicant) -> None:
    captcha = applicant.program.captchas[applicant.form.captcha]
    answer = await applicant.send(username="1abc", phone="12345", captcha=captcha, code="12", **FILLED)
    assert answer.status == 422
    form = applicant.form
    kept = {name: form.values[name] for name in ("username", "phone", "captcha", "agreed")}
    assert kept == {"username": "1abc", "phone": "12345", "captcha": captcha, "agreed": "yes"}
    assert (form.values["password"], form.values["again"], form.values["code"]) == ("", "", "")
    assert PASSWORD not in answer.text
    assert set(form.faults) == {"username", "phone", "code"}


@pytest.mark.req("REG-2", "UX-5")
async def test_a_code_that_was_not_used_is_not_typed_twice(applicant: Applicant) -> None:
    filled = await applicant.fills_in()
    filled.pop("agreed")
    answer = await applicant.send(**filled)
    assert answer.status == 422
    assert set(applicant.form.faults) == {"agreed"}
    assert applicant.form.values["code"] == filled["code"]
    assert (await applicant.send(**FILLED)).status == 303


@pytest.mark.req("REG-2", "UX-5")
async def test_a_wrong_captcha_gives_way_to_a_new_one(applicant: Applicant) -> None:
    first = applicant.form.captcha
    answer = await applicant.asks(captcha="00x0")
    assert answer.status == 422
    form = applicant.form
    assert set(form.faults) == {"captcha"}
    assert form.captcha != first
    assert form.values["captcha"] == ""
    assert (await applicant.asks()).status == 303


@pytest.mark.req("REG-2")
async def test_another_picture_comes_without_a_script(applicant: Applicant) -> None:
    first = applicant.form.captcha
    answer = await applicant.send("captcha", username="zhang_san", phone=NUMBER)
    assert answer.status == 200
    form = applicant.form
    assert form.captcha != first
    assert (form.values["username"], form.values["phone"], form.faults) == ("zhang_san", NUMBER, {})


@pytest.mark.req("REG-2", "REG-8", "UX-5")
async def test_a_name_in_use_is_told_at_once_and_a_number_in_use_after_its_code_alone(program: Program) -> None:
    await (await Applicant.arrives(program)).registers()
    program.clock.advance(60)
    second = await Applicant.arrives(program)
    answer = await second.asks(OTHER_NUMBER, "Zhang_San")
    assert answer.status == 422
    assert set(second.form.faults) == {"username"}
    answer = await second.send(**await second.fills_in(username="li_sisi"))
    assert answer.status == 422
    form = second.form
    assert set(form.faults) == {"phone"}
    assert {"/login", "/recover"} <= second.links
    assert "number" in form.acts
    assert accounts(program) == 1

    # What was proved stands; another number is proved anew.
    assert "code" not in form.fields
    answer = await second.send("number")
    assert answer.status == 303
    form = second.form
    assert (form.values["phone"], form.values["username"]) == ("", "li_sisi")
    assert where(await second.registers(OTHER_NUMBER, "li_sisi")) == (303, "/register/identity")


@pytest.mark.req("FAQ-1", "UX-5")
async def test_too_many_messages_are_told_with_what_was_typed_kept(program: Program) -> None:
    applicant = await Applicant.arrives(program)
    for _ in range(3):
        assert (await applicant.asks()).status == 303
        program.clock.advance(60)
    answer = await applicant.asks()
    assert answer.status == 429
    assert int(answer.header("Retry-After") or 0) > 0
    assert "请在1小时后再试" in answer.text
    assert applicant.form.values["username"] == "zhang_san"


@pytest.mark.req("UX-5")
async def test_a_number_that_is_not_served_here_is_told_beside_its_field(applicant: Applicant) -> None:
    shown = applicant.form.captcha
    answer = await applicant.asks("13800000001")
    assert answer.status == 422
    assert applicant.form.faults == {"phone": "演示环境只用虚拟手机号：154加8位数字，例如 15400012345"}
    assert applicant.form.values["username"] == "zhang_san"
    # Its captcha was not used, and is not asked for again.
    assert applicant.form.captcha == shown
    assert (await applicant.send("code", phone=NUMBER)).status == 303


@pytest.mark.req("UX-5")
async def test_where_nobody_sends_messages_the_form_says_so(start_program: StartProgram) -> None:
    program = await start_program(settings=lambda settings: msgspec.structs.replace(settings, chuanglan=None))
    applicant = await Applicant.arrives(program)
    answer = await applicant.asks()
    assert answer.status == 501
    assert applicant.form.values["username"] == "zhang_san"


@pytest.mark.req("OPS-4", "UX-5")
async def test_a_store_that_is_down_loses_nothing_that_was_proved(program: Program) -> None:
    applicant = await Applicant.arrives(program)
    filled = await applicant.fills_in()
    for call, made in (("members.enrol", 0), ("sessions.open", 1)):
        program.meddler.breaks(call)
        answer = await applicant.send(**filled)
        assert answer.status == 503
        assert answer.header("Retry-After")
        assert (applicant.form.values["username"], accounts(program)) == ("zhang_san", made)
        assert "code" not in applicant.form.fields
        program.meddler.mends()
    answer = await applicant.send(**FILLED)
    assert where(answer) == (303, "/register/identity")
    assert accounts(program) == 1


# --------------------------------------------------------------------------------------- tabs, back, reload, deep links


@pytest.mark.req("REG-8")
async def test_a_form_posted_twice_makes_one_account_and_both_answers_let_in(program: Program) -> None:
    applicant = await Applicant.arrives(program)
    filled = await applicant.fills_in()
    fields = applicant.form.values | filled
    first, second = applicant.browser, applicant.browser.copy()
    answers = [await post(browser, PC, fields) for browser in (first, second)]
    assert [where(answer) for answer in answers] == [(303, "/register/identity")] * 2
    assert accounts(program) == 1
    assert (await second.get("/register/identity")).status == 200
    # The first answer's session gave way to the second's.
    assert where(await first.get("/register/identity")) == (303, "/register")


@pytest.mark.req("REG-6")
async def test_every_page_leads_to_the_step_that_is_due(program: Program) -> None:
    for prefix in ("", "/h5"):
        stranger = await program.browser()
        for path in ("/register/identity", "/register/done"):
            assert where(await stranger.get(prefix + path)) == (303, f"{prefix}/register")
    applicant = await Applicant.arrives(program)
    await applicant.registers()
    browser = applicant.browser
    assert where(await browser.get("/register/done")) == (303, "/register/identity")
    assert where(await browser.get("/register")) == (303, "/register/identity")
    page = form_of(await browser.get("/register/identity"), "/register/identity")
    # Back to the form that is still on the screen of another tab, and sent again.
    assert where(await applicant.send(**FILLED)) == (303, "/register/identity")
    for _ in range(2):
        answer = await post(browser, "/register/identity", page.values | {"act": "skip"})
        assert where(answer) == (303, "/register/done")
    for _ in range(2):
        assert (await browser.get("/register/done")).status == 200
    assert where(await browser.get("/register/identity")) == (303, "/register/done")
    assert where(await browser.get("/register")) == (303, "/login")
    await program.advance(16 * 60)
    assert where(await applicant.send(**FILLED)) == (303, "/login")
    assert accounts(program) == 1


@pytest.mark.attack("Q28")
async def test_the_identity_is_left_for_later_by_a_page_of_ours_alone(program: Program) -> None:
    applicant = await Applicant.arrives(program)
    await applicant.registers()
    fields = (await applicant.identity()).values
    for wrong, origin in ((fields | {"csrf": "x" * 43}, program.url), (fields, "https://evil.example")):
        answer = await post(applicant.browser, "/register/identity", wrong, Origin=origin)
        assert answer.status == 403
    assert (await applicant.open("/register/identity")).status == 200


@pytest.mark.req("REG-6")
async def test_who_logged_in_otherwise_has_no_registration_to_finish(program: Program) -> None:
    browser = await program.signed_in()
    assert where(await browser.get("/register")) == (303, "/login")
    for path in ("/register/identity", "/register/done"):
        assert where(await browser.get(path)) == (303, "/centre")


async def test_who_is_not_logged_in_any_more_begins_again(program: Program) -> None:
    applicant = await Applicant.arrives(program)
    await applicant.registers()
    fields = (await applicant.identity()).values
    program.sql("DELETE FROM browser_session")
    assert where(await post(applicant.browser, "/register/identity", fields)) == (303, "/register")
    assert where(await applicant.browser.get("/register/identity")) == (303, "/register")


@pytest.mark.req("UX-5")
async def test_a_form_that_stayed_open_too_long_comes_back_with_what_was_typed(program: Program) -> None:
    applicant = await Applicant.arrives(program)
    filled = await applicant.fills_in()
    await program.advance(16 * 60)
    answer = await applicant.send(**filled)
    assert answer.status == 410
    assert "页面已经失效" in answer.text
    assert applicant.form.values["username"] == "zhang_san"
    assert where(await applicant.registers()) == (303, "/register/identity")


@pytest.mark.req("UX-5")
async def test_a_script_on_a_page_that_was_open_too_long_is_given_what_the_next_attempt_takes(program: Program) -> None:
    applicant = await Applicant.arrives(program)
    fields = applicant.form.values | {"username": "zhang_san", "phone": NUMBER, "act": "code"}
    await program.advance(16 * 60)
    told = (await post(applicant.browser, PC, fields, Accept="application/json")).json()
    assert told["note"].startswith("页面已经失效")
    fields |= {"csrf": told["csrf"], "captcha_id": told["captcha"], "captcha": program.captchas[told["captcha"]]}
    assert (await post(applicant.browser, PC, fields, Accept="application/json")).status == 200


@pytest.mark.attack("T4", "Q27")
@pytest.mark.parametrize("flow", ["", "x" * 22, "//evil.example", "x\r\nSet-Cookie: a=b", "\0", "中", "a b#c"])
async def test_another_number_is_typed_in_a_registration_of_ours_alone(applicant: Applicant, flow: str) -> None:
    answer = await applicant.send("number", flow=flow)
    assert where(answer) == (303, "/register")


@pytest.mark.attack("Q28")
@pytest.mark.parametrize("path", PATHS)
async def test_the_form_of_another_site_gives_nobody_another_browser(program: Program, path: str) -> None:
    """Browsers send no cookie with it, and would take the one that is answered in the place of theirs."""
    stranger = await program.browser()
    for origin in ("https://evil.example", "null"):
        answer = await post(stranger, f"{path}/identity", {}, Origin=origin)
        assert (answer.status, answer.cookies) == (403, [])
    assert where(await post(stranger, f"{path}/identity", {})) == (303, path)


@pytest.mark.parametrize("flow", ["", "x" * 22, "x", "😀", "../..", "%00", "a" * 4000])
async def test_a_registration_that_is_none_is_one_that_has_not_begun(program: Program, flow: str) -> None:
    applicant = await Applicant.arrives(program)
    answer = await applicant.open(f"/register?{urlencode({'flow': flow})}")
    assert answer.status == 200
    assert applicant.form.values.get("flow", "") == ""
    answer = await applicant.send(flow=flow, username="zhang_san", phone=NUMBER, code="493817", **FILLED)
    assert answer.status == 422
    assert set(applicant.form.faults) == {"code"}


@pytest.mark.attack("O10")
async def test_the_registration_of_another_browser_is_none_here(program: Program) -> None:
    applicant, other = await Applicant.arrives(program), await Applicant.arrives(program)
    filled = await applicant.fills_in()
    flow = applicant.form.values["flow"]
    assert NUMBER not in (await other.open(f"/register?flow={flow}")).text
    answer = await other.send(flow=flow, username="zhang_san", phone=NUMBER, **filled)
    assert answer.status == 422
    assert set(other.form.faults) == {"code"}


@pytest.mark.attack("T1")
async def test_a_session_is_new_and_the_browsers_cookies_were_not_chosen_by_anybody_else(program: Program) -> None:
    applicant = Applicant(program, await program.browser(), PC)
    planted = "A" * 43
    applicant.browser.cookies[program.deployments[0].cookie(SECRET)] = planted
    await applicant.open()
    assert applicant.browser.secret != planted
    await applicant.registers()
    session = applicant.browser.session
    assert session is not None
    assert len(session) == 43


async def test_phones_are_led_to_their_own_pages(program: Program) -> None:
    browser = await program.browser()
    browser.user_agent = IPHONE
    assert where(await browser.get("/register")) == (303, "/h5/register")
    assert where(await browser.get("/register?flow=abc")) == (303, "/h5/register?flow=abc")
    assert (await browser.get("/h5/register")).status == 200
    computer = await program.browser()
    assert (await computer.get("/h5/register")).status == 200


# -------------------------------------------------------------------------------------------------------- what is known


@pytest.mark.attack("R1")
@pytest.mark.req("REG-2")
@pytest.mark.parametrize("path", PATHS)
async def test_asking_for_a_code_answers_and_works_the_same_for_a_number_that_is_somebodys(
    program: Program, path: str
) -> None:
    await (await Applicant.arrives(program)).registers()
    # The message that it was proved by is forgotten: what is left of it is the account.
    program.clock.advance(24 * 3600)
    faces, work = [], []
    for phone in (NUMBER, OTHER_NUMBER):
        applicant = await Applicant.arrives(program, path)
        captcha = program.captchas[applicant.form.captcha]
        fields = applicant.form.values | {"phone": phone, "captcha": captcha, "act": "code"}
        if path == PC:
            fields |= {"username": "li_sisi"}
        program.meddler.calls.clear()
        answer = await post(applicant.browser, path, fields, Accept="application/json")
        told = answer.json()
        faces.append((answer.status, sorted(name for name, _ in answer.headers), told["faults"], told["wait"]))
        work.append(dict(program.meddler.calls))
        await applicant.inbox(phone)
    assert faces[0] == faces[1]
    assert work[0] == work[1]


# ------------------------------------------------------------------------------------------------------- hostile bodies


HOSTILE: Final = {
    "full-width digits": {"phone": "１５４０００００００１"},
    "spaces": {"phone": " 154 0000 0001 ", "username": " zhang_san "},
    "emoji": {"phone": "😀", "username": "😀😀😀😀😀😀", "code": "😀", "captcha": "😀", "password": "😀" * 8},
    "four bytes": {"username": "zhang𠮷san", "password": "密𠮷" * 4},
    "no characters": {"phone": "\0", "username": "zhang\0san", "code": "\0", "password": "\0" * 9},
    "right to left": {"username": "zhang\u202esan", "phone": "\u202e15400000001"},
    "markup": {"username": '"><svg onload=alert(1)>', "phone": "'><script>"},
    "a template": {"username": "{{ 7 * 7 }}", "phone": "%(x)s %s"},
    "SQL": {"username": "' OR 1=1 --", "phone": "'; DROP TABLE account"},
    "long": {"username": "a" * 20_000, "phone": "1" * 20_000},
    "signs": {"username": "$ne", "phone": "[]", "agreed": "true"},
}


@pytest.mark.req("UX-5")
@pytest.mark.attack("Q25", "Q27")
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("typed", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("act", ["", "code"])
async def test_whatever_is_typed_is_answered_with_the_form(
    program: Program, path: str, typed: dict[str, str], act: str
) -> None:
    applicant = await Applicant.arrives(program, path)
    answer = await applicant.send(act, **(FILLED | {"code": "493817", "captcha": "0"} | typed))
    assert answer.status == 422, answer
    assert applicant.form.faults
    assert "<svg onload" not in answer.text
    assert "<script>" not in answer.text
    assert accounts(program) == 0


@pytest.mark.attack("Q27", "W9")
@pytest.mark.parametrize("path", PATHS)
async def test_bodies_that_are_no_form_of_ours_are_refused_in_words(program: Program, path: str) -> None:
    applicant = await Applicant.arrives(program, path)
    browser, fields = applicant.browser, applicant.form.values
    good = urlencode(fields).encode()
    refused = {
        "100 KB": (await post_raw(browser, path, urlencode(fields | {"username": "a" * 100_000}).encode()), 413),
        "repeated": (await post_raw(browser, path, good + b"&phone=1&phone=2"), 400),
        "unknown field": (await post_raw(browser, path, good + b"&is_admin=yes"), 400),
        "unknown button": (await post_raw(browser, path, urlencode(fields | {"act": "delete"}).encode()), 400),
        "JSON": (await post_raw(browser, path, b"{}", "application/json"), 400),
        "multipart": (await post_raw(browser, path, b"--x--", "multipart/form-data; boundary=x"), 400),
        "nothing said": (await post_raw(browser, path, good, "text/plain"), 400),
        "another alphabet": (await post_raw(browser, path, good, f"{FORM}; charset=utf-16"), 400),
        "no token": (await post_raw(browser, path, b"phone=15400000001"), 403),
        "wrong token": (await post_raw(browser, path, urlencode(fields | {"csrf": "x" * 43}).encode()), 403),
        "another site": (await post_raw(browser, path, good, Origin="https://evil.example"), 403),
    }
    for name, (answer, status) in refused.items():
        assert answer.status == status, (name, answer)
        assert "<h1" in answer.text, name
    assert accounts(program) == 0


@pytest.mark.attack("Q27")
@pytest.mark.parametrize("octets", [b"%ED%A0%80", b"%FF%FE", b"\xff\xfe", b"%C0%80", b"%"])
async def test_octets_that_are_no_text_are_no_reason_to_fall_over(applicant: Applicant, octets: bytes) -> None:
    fields = urlencode(applicant.form.values | {"act": "code"}).encode()
    for name in (b"username", b"phone", b"flow", b"captcha_id", b"captcha"):
        others = b"&".join(pair for pair in fields.split(b"&") if not pair.startswith(name + b"="))
        answer = await post_raw(applicant.browser, applicant.path, others + b"&" + name + b"=" + octets)
        assert answer.status in {400, 422}, (name, answer)


@pytest.mark.attack("T4")
async def test_a_browser_without_cookies_is_given_one_and_its_form_back(program: Program) -> None:
    applicant = await Applicant.arrives(program)
    fields = applicant.form.values | {"username": "zhang_san"}
    applicant.browser.cookies.clear()
    answer = await post(applicant.browser, PC, fields)
    assert answer.status == 410
    assert form_of(answer, PC).values["username"] == "zhang_san"
    assert applicant.browser.secret
