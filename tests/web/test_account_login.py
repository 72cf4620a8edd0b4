"""Logging in by a form, over the real wiring."""

from __future__ import annotations

import asyncio
import re
import threading
from collections import Counter

import pytest
from argon2 import PasswordHasher

from bjidp.accounts.hashing import Cost
from bjidp.audit.event import EventKind
from bjidp.bootstrap import verification
from bjidp.clock import DAY
from bjidp.standing import Standing
from bjidp.storage.memory.records import MemoryRecords
from tests.support.browser import IPHONE, Browser
from tests.support.calls import PATIENCE, Answer
from tests.support.forms import WebForm, form_of, links, note, post, post_raw, send
from tests.support.inbox import code_to
from tests.support.members import PASSWORD, PHONE, USERNAME, enrolled
from tests.support.program import Program
from tests.web.conftest import StartProgram

PC = "/login?tab=account"
BY_CODE = "/h5/login?tab=code"
KNOWN = "bjidp_known"


@pytest.fixture
async def member(program: Program) -> Standing:
    return await enrolled(program)


async def at(program: Program, browser: Browser, page: str) -> WebForm:
    """Open a page and read its form, with the captcha typed as it shows."""
    answer = await browser.get(page)
    assert answer.status == 200, answer
    action = "/login" if page == PC else page.partition("?")[0] + ("/code" if page == BY_CODE else "")
    return solved(program, form_of(browser.keep(answer), action))


def solved(program: Program, form: WebForm) -> WebForm:
    return form.typed(captcha=program.captchas[form.captcha])


async def tried(program: Program, browser: Browser, account: str, password: str, page: str = PC) -> Answer:
    form = (await at(program, browser, page)).typed(account=account, password=password, agreed="yes")
    if page == PC:
        form.values.pop("agreed")
    return await send(browser, form)


# ---------------------------------------------------------------------------------------------------------- by password


@pytest.mark.req("LOG-3", "LOG-1")
@pytest.mark.parametrize("name", [USERNAME, "ZHANG_SAN", PHONE, "+86 154 0000 5678", "１５４００００５６７８"])
async def test_a_name_and_its_password_log_in(program: Program, member: Standing, name: str) -> None:
    browser = await program.browser()
    answer = await tried(program, browser, name, PASSWORD)
    assert (answer.status, answer.header("Location")) == (303, "/centre"), answer.text
    assert browser.session is not None
    assert browser.secret is None
    (session,) = await program.rooms.stores.sessions.of_account(member.account, program.clock.now())
    assert (session.login.way, session.login.browser, session.login.ticket) == ("password", "Chrome", None)


@pytest.mark.req("LOG-5")
async def test_a_phone_logs_in_on_the_page_made_for_it(program: Program, member: Standing) -> None:
    browser = await program.browser()
    browser.user_agent = IPHONE
    led = await browser.get("/login")
    assert (led.status, led.header("Location")) == (302, "/h5/login")
    answer = await tried(program, browser, PHONE, PASSWORD, "/h5/login")
    assert (answer.status, answer.header("Location")) == (303, "/h5/centre"), answer.text


@pytest.mark.req("LOG-5")
async def test_without_the_box_a_phone_does_not_log_in(program: Program, member: Standing) -> None:
    browser = await program.browser()
    form = (await at(program, browser, "/h5/login")).typed(account=PHONE, password=PASSWORD)
    answer = await send(browser, form)
    assert answer.status == 422
    again = form_of(answer, "/h5/login")
    assert again.faults == {"agreed": "请先阅读并同意，再继续"}
    # Its captcha was not used, and is not asked for again.
    assert (again.captcha, again.values["captcha"]) == (form.captcha, form.values["captcha"])
    assert (await send(browser, again.typed(password=PASSWORD, agreed="yes"))).status == 303


@pytest.mark.req("LOG-3", "REG-2", "UX-5")
async def test_what_is_missing_is_said_beside_its_field_and_what_was_typed_is_kept(program: Program) -> None:
    browser = await program.browser()
    form = (await at(program, browser, PC)).typed(account=" 张三 ", captcha="")
    answer = await send(browser, form)
    assert answer.status == 422
    again = form_of(answer, "/login")
    assert again.faults == {"password": "请输入密码", "captcha": "请输入图形验证码"}
    assert again.values["account"] == " 张三 "
    assert "有2处需要修改" in note(answer)


@pytest.mark.req("UX-5")
@pytest.mark.attack("O12")
@pytest.mark.parametrize("page", [PC, "/h5/login"])
async def test_whoever_is_turned_away_since_many_log_in_keeps_the_captcha(
    start_program: StartProgram, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    monkeypatch.setattr(verification, "HASHES_WAITING", 0)
    program = await start_program()
    await enrolled(program)
    loop, begun, done = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    verify = PasswordHasher.verify

    def held(hasher: PasswordHasher, kept: str, password: bytes) -> bool:
        loop.call_soon_threadsafe(begun.set)
        assert done.wait(PATIENCE)
        return verify(hasher, kept, password)

    monkeypatch.setattr(PasswordHasher, "verify", held)
    browser = await program.browser()
    form = (await at(program, browser, page)).typed(account=USERNAME)
    if page != PC:
        form = form.typed(agreed="yes")
    somebody = asyncio.create_task(tried(program, await program.browser(), "nobody", PASSWORD, page))
    async with asyncio.timeout(PATIENCE):
        await begun.wait()
    answer = await send(browser, form.typed(password=PASSWORD))
    assert (answer.status, answer.header("Retry-After")) == (503, "2")
    again = form_of(answer, form.action)
    assert (again.captcha, again.values["captcha"]) == (form.captcha, form.values["captcha"])
    assert (again.values["account"], again.values["password"]) == (USERNAME, "")
    done.set()
    assert (await somebody).status == 422
    assert (await send(browser, again.typed(password=PASSWORD))).status == 303


@pytest.mark.req("LOG-3", "REG-2", "UX-5")
async def test_a_wrong_captcha_gives_way_to_a_new_one_before_a_password_is_looked_at(
    program: Program, member: Standing
) -> None:
    browser = await program.browser()
    form = (await at(program, browser, PC)).typed(account=USERNAME, password=PASSWORD)
    wrong = "".join(str((int(digit) + 1) % 10) for digit in form.values["captcha"])
    program.meddler.calls.clear()
    answer = await send(browser, form.typed(captcha=wrong))
    assert answer.status == 422
    assert program.meddler.calls["members.find"] == 0
    again = form_of(answer, "/login")
    assert again.faults == {"captcha": "验证码不对，请重新输入新图中的4位数字"}
    assert again.captcha != form.captcha
    assert again.values["password"] == ""
    # The old picture's digits are worth nothing any more.
    assert (await send(browser, form)).status == 422
    assert (await send(browser, solved(program, again).typed(password=PASSWORD))).status == 303


@pytest.mark.attack("R1")
async def test_a_wrong_password_and_a_name_that_nobody_has_are_told_alike_at_the_same_cost(
    program: Program, member: Standing
) -> None:
    heard, costs = set(), []
    for name in (USERNAME, "nobody_here"):
        browser = await program.browser()
        form = (await at(program, browser, PC)).typed(account=name, password="Wrong-horse7")
        program.meddler.calls.clear()
        answer = await send(browser, form)
        costs.append(Counter(program.meddler.calls))
        assert answer.status == 422
        heard.add(alike(answer.text, name))
        assert "账号或密码不正确" in note(answer)
    assert len(heard) == 1
    assert costs[0] == costs[1]


def alike(text: str, name: str) -> str:
    """Return a page without what differs from one visit to the next."""
    return re.sub(r"[A-Za-z0-9_-]{22,43}", "*", text.replace(name, "*"))


@pytest.mark.attack("R1", "Q21")
@pytest.mark.parametrize("status", ["locked", "cancelled"])
async def test_that_an_account_may_not_be_used_is_told_only_to_whoever_knows_its_password(
    program: Program, member: Standing, status: str
) -> None:
    program.sql("UPDATE account SET status = ?", status)
    browser = await program.browser()
    wrong = await tried(program, browser, USERNAME, "Wrong-horse7")
    assert "账号或密码不正确" in note(wrong)
    right = await tried(program, browser, USERNAME, PASSWORD)
    assert right.status == 403
    assert browser.session is None


@pytest.mark.attack("O12", "O4")
@pytest.mark.req("LOG-3")
async def test_whoever_guesses_is_slowed_and_the_owner_still_logs_in(program: Program, member: Standing) -> None:
    own = await program.browser()
    assert (await tried(program, own, USERNAME, PASSWORD)).status == 303
    known = own.cookies[program.deployments[0].cookie(KNOWN)]
    names = [USERNAME, PHONE]
    stranger = await program.browser(source="127.0.0.3")
    # One budget, whichever name is typed; the owner's first login, on a browser nobody knew yet, is in it.
    for number in range(9):
        assert (await tried(program, stranger, names[number % 2], "Wrong-horse7")).status == 422
    refused = await tried(program, stranger, USERNAME, PASSWORD)
    assert refused.status == 429
    assert int(refused.header("Retry-After") or 0) > 0
    assert form_of(refused, "/login").values["account"] == USERNAME

    again = await program.browser()
    again.cookies[program.deployments[0].cookie(KNOWN)] = known
    assert (await tried(program, again, USERNAME, PASSWORD)).status == 303
    await program.advance(15 * 60 + 1)
    assert (await tried(program, stranger, USERNAME, PASSWORD)).status == 303


@pytest.mark.attack("T3")
async def test_a_login_by_a_password_that_is_changed_meanwhile_comes_to_nothing(
    program: Program, member: Standing
) -> None:
    browser = await program.browser()
    members = program.rooms.stores.members

    async def changed() -> None:
        kept = await members.member(member.account)
        assert kept is not None
        now = program.clock.now()
        await members.set_password(member.account, "$other", EventKind.PASSWORD_CHANGED, now, was=kept.password)

    program.meddler.before_next("sessions.open", changed)
    answer = await tried(program, browser, USERNAME, PASSWORD)
    assert answer.status == 422
    assert browser.session is None
    assert await program.rooms.stores.sessions.of_account(member.account, program.clock.now()) == []


async def test_a_hash_of_another_cost_is_made_anew_by_the_login(program: Program) -> None:
    member = await enrolled(program, cost=Cost(time=2, memory=8))
    before = await program.rooms.stores.members.member(member.account)
    await tried(program, await program.browser(), USERNAME, PASSWORD)
    after = await program.rooms.stores.members.member(member.account)
    assert before is not None
    assert after is not None
    assert before.password != after.password
    assert (await tried(program, await program.browser(), USERNAME, PASSWORD)).status == 303


@pytest.mark.req("UX-5")
async def test_a_form_left_open_too_long_comes_back_with_what_was_typed(program: Program, member: Standing) -> None:
    browser = await program.browser()
    form = (await at(program, browser, PC)).typed(account=USERNAME, password=PASSWORD)
    await program.advance(16 * 60)
    answer = await send(browser, form)
    assert answer.status == 410
    # The browser is known by one record, and not by another one beside it.
    kept = program.rooms.stores.browsers
    assert isinstance(kept, MemoryRecords)
    assert len(kept) == 1
    again = form_of(answer, "/login")
    assert again.values["account"] == USERNAME
    assert (await send(browser, solved(program, again).typed(password=PASSWORD))).status == 303


async def test_a_page_in_another_tab_makes_no_form_worthless(program: Program, member: Standing) -> None:
    browser = await program.browser()
    form = (await at(program, browser, PC)).typed(account=USERNAME, password=PASSWORD)
    await browser.open()
    assert (await send(browser, form)).status == 303


@pytest.mark.attack("Q28", "T1")
async def test_a_browser_that_is_logged_in_logs_nobody_else_in(program: Program, member: Standing) -> None:
    other = await enrolled(program, username="li_si_si", phone="15400009999")
    browser = await program.browser()
    form = (await at(program, browser, PC)).typed(account="li_si_si", password=PASSWORD)
    tab = browser.copy()
    await tried(program, browser, USERNAME, PASSWORD)
    tab.cookies |= browser.cookies
    answer = await send(tab, form)
    assert answer.status in {303, 403}
    assert await program.rooms.stores.sessions.of_account(other.account, program.clock.now()) == []


@pytest.mark.attack("Q28")
@pytest.mark.parametrize(
    ("form", "where"),
    [
        ("/login", "/login"),
        ("/h5/login", "/h5/login"),
        ("/h5/login/code", BY_CODE),
        ("/h5/login/document", BY_CODE),
    ],
)
async def test_a_form_that_a_logged_in_browser_posts_leads_to_who_is_logged_in(
    program: Program, member: Standing, form: str, where: str
) -> None:
    browser = await program.browser()
    await tried(program, browser, USERNAME, PASSWORD)
    csrf = form_of(browser.keep(await browser.get("/login")), "/logout").values["csrf"]
    answer = await post(browser, form, {"csrf": csrf})
    assert (answer.status, answer.header("Location")) == (303, where)


@pytest.mark.parametrize("body", ["account=a&account=b", "nonsense=1", "%00=%00", "account=%ff"])
async def test_a_body_that_no_form_of_ours_makes_is_refused_in_words(program: Program, body: str) -> None:
    browser = await program.browser()
    form = await at(program, browser, PC)
    sent = f"csrf={form.values['csrf']}&{body}".encode()
    answer = await post_raw(browser, "/login", sent)
    assert answer.status in {400, 422}
    assert "<h1" in answer.text


@pytest.mark.parametrize("account", ["😀" * 30, "𠀀" * 64, "a" * 60_000, "\u202e\u0000", "' OR 1=1"])
async def test_whatever_is_typed_as_a_name_is_nobody(program: Program, account: str) -> None:
    assert (await tried(program, await program.browser(), account, "x" * 100)).status == 422


# -------------------------------------------------------------------------------------------------------------- by code


async def asked(program: Program, browser: Browser, phone: str = PHONE) -> tuple[WebForm, Answer]:
    form = (await at(program, browser, BY_CODE)).typed(phone=phone, agreed="yes")
    return form, await send(browser, form, "code")


@pytest.mark.req("LOG-6", "REG-2")
async def test_a_code_to_the_phone_logs_in(program: Program, member: Standing) -> None:
    browser = await program.browser()
    _, answer = await asked(program, browser, "154-0000-5678")
    assert answer.status == 200, answer.text
    form = form_of(answer, "/h5/login/code")
    assert form.values["phone"] == "154-0000-5678"
    assert 'data-wait="60"' in answer.text
    code = await code_to(browser.caller.sandbox, PHONE)
    entered = await send(browser, form.typed(code=code, agreed="yes"))
    assert (entered.status, entered.header("Location")) == (303, "/h5/centre"), entered.text
    (session,) = await program.rooms.stores.sessions.of_account(member.account, program.clock.now())
    assert session.login.way == "sms"


@pytest.mark.req("LOG-6", "REG-2", "FAQ-1")
async def test_a_script_is_told_what_changed_of_the_page(program: Program, member: Standing) -> None:
    browser = await program.browser()
    form = (await at(program, browser, BY_CODE)).typed(phone=PHONE)
    told = await send(browser, form.typed(captcha="1"), "code", Accept="application/json")
    assert told.status == 422
    assert told.json()["faults"] == {"captcha": "验证码不对，请重新输入新图中的4位数字"}
    form = form.typed(captcha_id=told.json()["captcha"])
    told = await send(browser, solved(program, form), "code", Accept="application/json")
    assert told.status == 200
    assert (told.json()["faults"], told.json()["wait"]) == ({}, 60)
    assert told.json()["captcha"] == "", "there is nothing to read until another code is asked for"
    form = form.typed(flow=told.json()["flow"], captcha_id="", captcha="")
    early = await send(browser, form, "code", Accept="application/json")
    assert (early.status, early.json()["captcha"]) == (429, "")
    assert "请等60秒后" in early.json()["note"]
    await program.advance(60)
    again = await send(browser, form, "code", Accept="application/json")
    assert (again.status, again.json()["note"], again.json()["faults"]) == (200, None, {})
    assert again.json()["captcha"]
    assert again.json()["dispatch"] == told.json()["dispatch"], "no other code is on its way"


@pytest.mark.attack("R1")
async def test_a_code_is_sent_to_a_number_that_nobody_has_like_to_any_other(program: Program, member: Standing) -> None:
    heard, costs = set(), []
    for phone in (PHONE, "15400001111"):
        browser = await program.browser()
        form = (await at(program, browser, BY_CODE)).typed(phone=phone)
        program.meddler.calls.clear()
        answer = await send(browser, form, "code")
        # What is written in the background is written whenever it is done.
        costs.append({call: number for call, number in program.meddler.calls.items() if "dispatches" not in call})
        assert answer.status == 200
        heard.add(alike(answer.text, phone))
        await code_to(browser.caller.sandbox, phone)
    assert len(heard) == 1
    assert costs[0] == costs[1]


@pytest.mark.req("LOG-6")
@pytest.mark.attack("R1")
async def test_whoever_has_the_phone_is_told_that_it_has_no_account(program: Program) -> None:
    browser = await program.browser()
    _, answer = await asked(program, browser)
    code = await code_to(browser.caller.sandbox, PHONE)
    told = await send(browser, form_of(answer, "/h5/login/code").typed(code=code))
    assert told.status == 200
    assert "这个手机号还没有注册" in told.text
    assert "154****5678" in told.text


@pytest.mark.req("LOG-6", "UX-5")
@pytest.mark.attack("O1", "O8", "O9")
async def test_a_code_serves_once_and_for_five_minutes(program: Program, member: Standing) -> None:
    browser = await program.browser()
    _, answer = await asked(program, browser)
    form = form_of(answer, "/h5/login/code").typed(agreed="yes")
    code = await code_to(browser.caller.sandbox, PHONE)
    missed = await send(browser, form.typed(code=f"{(int(code) + 1) % 1_000_000:06}"))
    assert form_of(missed, "/h5/login/code").faults == {"code": "验证码不对，请检查后再输入"}
    assert (await send(browser, form.typed(code=code))).status == 303

    other = await program.browser()
    await program.advance(61)
    _, answer = await asked(program, other)
    late = await code_to(other.caller.sandbox, PHONE, but=code)
    await program.advance(5 * 60)
    missed = await send(other, form_of(answer, "/h5/login/code").typed(code=late, agreed="yes"))
    assert form_of(missed, "/h5/login/code").faults == {
        "code": "验证码已经失效（过期、用过，或有更新的一条），请重新获取"
    }


@pytest.mark.req("LOG-6", "UX-5")
@pytest.mark.parametrize("call", ["sessions.open", "members.find"])
async def test_a_right_code_outlives_a_fault_after_it(program: Program, member: Standing, call: str) -> None:
    browser = await program.browser()
    _, answer = await asked(program, browser)
    code = await code_to(browser.caller.sandbox, PHONE)
    program.meddler.breaks(call)
    failed = await send(browser, form_of(answer, "/h5/login/code").typed(code=code, agreed="yes"))
    assert failed.status == 503
    program.meddler.mends()
    again = form_of(failed, "/h5/login/code")
    assert again.values["code"] == code
    assert (await send(browser, again)).header("Location") == "/h5/centre"


@pytest.mark.req("LOG-6")
@pytest.mark.attack("O8")
async def test_a_proved_number_opens_nothing_once_its_code_would_be_over(program: Program, member: Standing) -> None:
    browser = await program.browser()
    _, answer = await asked(program, browser)
    code = await code_to(browser.caller.sandbox, PHONE)
    program.meddler.breaks("sessions.open")
    failed = await send(browser, form_of(answer, "/h5/login/code").typed(code=code, agreed="yes"))
    program.meddler.mends()
    await program.advance(5 * 60)
    late = await send(browser, form_of(failed, "/h5/login/code"))
    assert form_of(late, "/h5/login/code").faults == {
        "code": "验证码已经失效（过期、用过，或有更新的一条），请重新获取"
    }
    assert browser.session is None


@pytest.mark.req("LOG-6")
async def test_a_proof_that_is_not_noted_keeps_nobody_out(program: Program, member: Standing) -> None:
    browser = await program.browser()
    _, answer = await asked(program, browser)
    code = await code_to(browser.caller.sandbox, PHONE)
    program.meddler.breaks("members.phone_proved")
    entered = await send(browser, form_of(answer, "/h5/login/code").typed(code=code, agreed="yes"))
    assert (entered.status, entered.header("Location")) == (303, "/h5/centre")


@pytest.mark.req("LOG-6", "UX-5")
@pytest.mark.attack("O9")
async def test_a_form_posted_twice_at_once_comes_to_one_session(program: Program, member: Standing) -> None:
    browser = await program.browser()
    _, answer = await asked(program, browser)
    form = form_of(answer, "/h5/login/code").typed(code=await code_to(browser.caller.sandbox, PHONE), agreed="yes")
    second = browser.copy()
    answers = []

    async def post_again() -> None:
        answers.append(await send(second, form))

    # The first has used the code and is about to open its session.
    program.meddler.before_next("sessions.open", post_again)
    answers.append(await send(browser, form))
    assert [answer.header("Location") for answer in answers] == ["/h5/centre"] * 2
    (session,) = await program.rooms.stores.sessions.of_account(member.account, program.clock.now())
    assert session.login.way == "sms"
    # Whoever was let in last is.
    assert (await browser.get("/h5/centre")).status == 200


@pytest.mark.req("REG-2", "LOG-6", "UX-5")
async def test_what_was_sent_and_typed_outlives_a_fault_elsewhere(program: Program, member: Standing) -> None:
    browser = await program.browser()
    _, answer = await asked(program, browser)
    sent = re.findall(r'data-dispatch="([^"]+)"', answer.text)
    code = await code_to(browser.caller.sandbox, PHONE)
    form = form_of(answer, "/h5/login/code")
    form.values.pop("agreed")
    await program.advance(20)
    missed = await send(browser, form.typed(code=code))
    again = form_of(missed, "/h5/login/code")
    assert set(again.faults) == {"agreed"}
    assert again.values["code"] == code
    assert re.findall(r'data-dispatch="([^"]+)"', missed.text) == sent
    (wait,) = re.findall(r'data-wait="(\d+)"', missed.text)
    assert 30 <= int(wait) <= 40
    assert (await send(browser, again.typed(agreed="yes"))).status == 303


@pytest.mark.req("UX-5")
async def test_a_code_that_was_wrong_is_not_kept(program: Program, member: Standing) -> None:
    browser = await program.browser()
    _, answer = await asked(program, browser)
    code = await code_to(browser.caller.sandbox, PHONE)
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    missed = await send(browser, form_of(answer, "/h5/login/code").typed(code=wrong, agreed="yes"))
    assert form_of(missed, "/h5/login/code").values["code"] == ""


@pytest.mark.req("UX-5")
@pytest.mark.parametrize("page", [PC, "/h5/login", BY_CODE])
async def test_a_picture_that_is_over_gives_way_to_a_new_one(program: Program, page: str) -> None:
    browser = await program.browser()
    form = await at(program, browser, page)
    await program.advance(6 * 60)
    answer = await send(browser, form, "code" if page == BY_CODE else "")
    again = form_of(answer, form.action)
    assert again.captcha != form.captcha
    assert again.values["captcha"] == ""
    assert (await browser.get(f"/captcha/{again.captcha}.png")).status == 200


@pytest.mark.attack("T3")
async def test_a_login_by_a_number_that_is_changed_meanwhile_comes_to_nothing(
    program: Program, member: Standing
) -> None:
    browser = await program.browser()
    _, answer = await asked(program, browser)
    form = form_of(answer, "/h5/login/code").typed(code=await code_to(browser.caller.sandbox, PHONE), agreed="yes")

    async def changed() -> None:
        await program.rooms.stores.members.set_phone(member.account, "15400006666", program.clock.now())

    program.meddler.before_next("sessions.open", changed)
    assert (await send(browser, form)).status == 422
    assert browser.session is None
    assert await program.rooms.stores.sessions.of_account(member.account, program.clock.now()) == []


@pytest.mark.attack("O10")
async def test_a_code_is_worth_nothing_in_another_browser(program: Program, member: Standing) -> None:
    browser, thief = await program.browser(), await program.browser()
    await asked(program, browser)
    code = await code_to(browser.caller.sandbox, PHONE)
    form = (await at(program, thief, BY_CODE)).typed(phone=PHONE, code=code, agreed="yes")
    assert form_of(await send(thief, form), "/h5/login/code").faults == {
        "code": "验证码已经失效（过期、用过，或有更新的一条），请重新获取"
    }


async def real_named(program: Program) -> str:
    """Register somebody by face, and give the account a number; return the account."""
    phone = await program.phone("chen-yutong")
    account = program.sql("SELECT account FROM platform_link")[0][0]
    assert phone is not None
    await program.rooms.stores.members.set_phone(account, PHONE, program.clock.now())
    return str(account)


@pytest.mark.req("LOG-6")
async def test_a_number_long_unused_is_asked_for_the_end_of_the_document(program: Program) -> None:
    account = await real_named(program)
    program.clock.advance(60 * DAY / 1000 + 1)
    browser = await program.browser()
    _, answer = await asked(program, browser)
    form = form_of(answer, "/h5/login/code").typed(code=await code_to(browser.caller.sandbox, PHONE), agreed="yes")
    led = await send(browser, form)
    where = led.header("Location") or ""
    assert (led.status, where.partition("=")[0]) == (303, "/h5/login/document?flow")
    assert browser.session is None
    page = await browser.get(where)
    assert "154****5678" in page.text
    tail = form_of(page, "/h5/login/document")
    assert "/h5/help/number-used" in links(page), "it may be somebody else's by now, whose document this is not"
    missed = await send(browser, tail.typed(tail="0000"))
    assert form_of(missed, "/h5/login/document").faults == {"tail": "和实名认证的证件不一致，请检查后再输入"}
    assert "还可以试4次" in missed.text
    member = await program.rooms.stores.members.member(account)
    assert member is not None
    assert member.document is not None
    entered = await send(browser, tail.typed(tail=member.document.number[-4:].lower()))
    assert (entered.status, entered.header("Location")) == (303, "/h5/centre"), entered.text
    # The login is over: nobody goes through it twice.
    assert (await send(browser.copy(), tail.typed(tail=member.document.number[-4:]))).status in {303, 403}
    # And the number was used now: the next code is enough.
    again = await program.browser()
    await program.advance(61)
    _, answer = await asked(program, again)
    code = await code_to(again.caller.sandbox, PHONE, but=form.values["code"])
    entered = await send(again, form_of(answer, "/h5/login/code").typed(code=code, agreed="yes"))
    assert (entered.status, entered.header("Location")) == (303, "/h5/centre"), entered.text


@pytest.mark.req("LOG-6")
@pytest.mark.attack("O1")
async def test_the_end_of_a_document_is_not_guessed(program: Program) -> None:
    await real_named(program)
    program.clock.advance(60 * DAY / 1000 + 1)
    browser = await program.browser()
    _, answer = await asked(program, browser)
    led = await send(
        browser,
        form_of(answer, "/h5/login/code").typed(code=await code_to(browser.caller.sandbox, PHONE), agreed="yes"),
    )
    tail = form_of(await browser.get(led.header("Location") or ""), "/h5/login/document")
    for number in range(4):
        assert (await send(browser, tail.typed(tail=f"000{number}"))).status == 422
    last = await send(browser, tail.typed(tail="0009"))
    assert last.status == 403
    assert "次数太多" in note(last)
    begun = form_of(last, "/h5/login/code")
    assert begun.values["phone"] == begun.values["code"] == ""
    over = await send(browser, tail.typed(tail="0009"))
    assert over.status == 410
    assert "已经失效" in note(over)


@pytest.mark.req("LOG-6", "UX-5")
async def test_a_document_asked_for_too_long_ago_leads_to_the_beginning_in_words(program: Program) -> None:
    await real_named(program)
    program.clock.advance(60 * DAY / 1000 + 1)
    browser = await program.browser()
    _, answer = await asked(program, browser)
    code = await code_to(browser.caller.sandbox, PHONE)
    led = await send(browser, form_of(answer, "/h5/login/code").typed(code=code, agreed="yes"))
    tail = form_of(await browser.get(led.header("Location") or ""), "/h5/login/document")
    await program.advance(31 * 60)
    answer = await send(browser, tail.typed(tail="0000"))
    assert answer.status == 410
    assert "已经失效" in note(answer)
    assert (
        await send(browser, solved(program, form_of(answer, "/h5/login/code")).typed(phone=PHONE), "code")
    ).status == 200


@pytest.mark.req("LOG-6", "UX-5")
async def test_a_fault_after_the_end_of_a_document_costs_nothing_but_another_press(program: Program) -> None:
    account = await real_named(program)
    program.clock.advance(60 * DAY / 1000 + 1)
    browser = await program.browser()
    _, answer = await asked(program, browser)
    code = await code_to(browser.caller.sandbox, PHONE)
    led = await send(browser, form_of(answer, "/h5/login/code").typed(code=code, agreed="yes"))
    tail = form_of(await browser.get(led.header("Location") or ""), "/h5/login/document")
    member = await program.rooms.stores.members.member(account)
    assert member is not None
    assert member.document is not None
    right = member.document.number[-4:]
    for number in range(4):
        await send(browser, tail.typed(tail=f"000{number}"))
    program.meddler.breaks("sessions.open")
    failed = await send(browser, tail.typed(tail=right))
    assert failed.status == 503
    assert note(failed)
    program.meddler.mends()
    again = form_of(failed, "/h5/login/document")
    assert (await send(browser, again.typed(tail=right))).status == 303


@pytest.mark.req("LOG-6")
@pytest.mark.attack("Q21")
async def test_an_account_that_is_locked_at_its_document_is_told_so_on_the_login_page(program: Program) -> None:
    account = await real_named(program)
    program.clock.advance(60 * DAY / 1000 + 1)
    browser = await program.browser()
    _, answer = await asked(program, browser)
    code = await code_to(browser.caller.sandbox, PHONE)
    led = await send(browser, form_of(answer, "/h5/login/code").typed(code=code, agreed="yes"))
    tail = form_of(await browser.get(led.header("Location") or ""), "/h5/login/document")
    member = await program.rooms.stores.members.member(account)
    assert member is not None
    assert member.document is not None
    program.sql("UPDATE account SET status = 'locked'")
    answer = await send(browser, tail.typed(tail=member.document.number[-4:]))
    assert answer.status == 403
    assert "这个账号现在不能登录" in note(answer)
    assert browser.session is None


async def test_a_deep_link_into_a_login_leads_to_its_beginning(program: Program) -> None:
    browser = await program.browser()
    answer = await browser.get("/h5/login/document?flow=AAAAAAAAAAAAAAAAAAAAAA")
    assert (answer.status, answer.header("Location")) == (303, BY_CODE)


@pytest.mark.req("LOG-6", "UX-5")
async def test_beside_the_sandbox_nobody_real_is_sent_a_code(program: Program) -> None:
    browser = await program.browser()
    asking, answer = await asked(program, browser, "13812345678")
    assert answer.status == 422
    form = form_of(answer, "/h5/login/code")
    assert set(form.faults) == {"phone"}
    assert form.values["phone"] == "13812345678"
    # Its captcha was not used, and is not asked for again.
    assert (form.captcha, form.values["captcha"]) == (asking.captcha, asking.values["captcha"])
    assert program.meddler.calls["tallies.replace"] == 0
    assert (await send(browser, form.typed(phone=PHONE), "code")).status == 200
