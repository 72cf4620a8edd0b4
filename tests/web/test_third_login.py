"""Logging in by what somebody has elsewhere: there and back, known and unknown, twice, late and from elsewhere."""

from __future__ import annotations

import asyncio
import base64
import json
from itertools import count
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import pytest
from msgspec.structs import replace

from bjidp.accounts.notices import NoticeKind
from bjidp.clock import DAY
from bjidp.oidc.grants.code import Approval, Authentication
from bjidp.oidc.grants.grant import Grant, fresh
from bjidp.oidc.scopes import Scope
from bjidp.platforms import Provider
from bjidp.sandbox.people.population import population
from bjidp.sessions.ports import Way
from bjidp.standing import Level, Standing
from bjidp.web.words.texts import Texts
from tests.support.browser import IPHONE, SESSION, Browser
from tests.support.calls import Answer
from tests.support.forms import WebForm, form_of, forms, heading, links, post, send
from tests.support.inbox import code_to, messages
from tests.support.members import PHONE, USERNAME, enrolled
from tests.support.owner import Owner
from tests.support.program import Program
from tests.support.providers import IN_WECHAT, agreed, altered, come_back, left, returning
from tests.web.conftest import StartProgram
from tests.web.test_authorize import address, followed, told
from tests.web.test_relying_parties import Site, exchange, site

pytestmark = pytest.mark.req("LOG-4")

__all__ = ["site"]

LINK: Final = "/login/third/link"
OTHER_PHONE: Final = "15400009999"
PROVIDERS: Final = list(Provider)
TEXTS: Final = Texts.load("zh_CN")


@pytest.fixture
async def member(program: Program) -> Standing:
    return await enrolled(program)


def where(answer: Answer) -> tuple[int, str]:
    return answer.status, (answer.header("Location") or "").partition("?")[0]


def solved(program: Program, form: WebForm) -> WebForm:
    return form.typed(captcha=program.captchas[form.captcha])


async def newcomer(browser: Browser, provider: Provider, user: str = "chen-yutong") -> Answer:
    """Come back as somebody whom no account knows; return the page that asks which account is theirs."""
    answer = await come_back(browser, provider, user)
    assert where(answer) == (303, LINK), answer
    shown = await browser.get(str(answer.header("Location")))
    assert shown.status == 200, shown
    return shown


async def asked(program: Program, browser: Browser, shown: Answer, phone: str = PHONE) -> WebForm:
    """Have a code sent to a number; return the form it is typed into."""
    form = bind_form(shown)
    sent = await send(browser, solved(program, form).typed(phone=phone), "code")
    assert sent.status == 200, sent
    return bind_form(sent)


def bind_form(shown: Answer) -> WebForm:
    return next(form for form in forms(shown) if "phone" in form.fields)


def register_form(shown: Answer) -> WebForm:
    return next(form for form in forms(shown) if "register" in form.acts)


async def bound(program: Program, provider: Provider, phone: str = PHONE, user: str = "chen-yutong") -> Browser:
    """Bind a provider's user to the account of a number; return the browser, which is logged in."""
    browser = await program.browser()
    form = await asked(program, browser, await newcomer(browser, provider, user), phone)
    count = len(await messages(browser.caller.sandbox, phone))
    code = await code_to(browser.caller.sandbox, phone, count=count)
    answer = await send(browser, form.typed(code=code))
    assert where(answer) == (303, "/centre"), answer
    return browser


async def sessions(program: Program, account: str) -> list[Any]:
    return await program.rooms.stores.sessions.of_account(account, program.clock.now())


async def linked(program: Program, account: str) -> list[Provider]:
    return [one.provider for one in await program.rooms.stores.externals.linked(account)]


# ------------------------------------------------------------------------------------------------------------ the links


async def test_the_login_page_names_the_four_in_the_manuals_order(program: Program) -> None:
    browser = await program.browser()
    for page in ("/login", "/login?tab=account"):
        shown = (await browser.get(page)).text
        labels = ("国家政务服务平台账号登录", "支付宝", "微信", "百度")
        places = [shown.index(f"</span>{label}</a>") for label in labels]
        assert places == sorted(places)
    assert "third" not in (await browser.get("/h5/login")).text, "the manual has them on computers alone"


async def test_only_providers_that_are_set_up_are_offered_and_served(start_program: StartProgram) -> None:
    program = await start_program(settings=lambda settings: replace(settings, wechat_login=None, baidu_login=None))
    browser = await program.browser()
    assert {link for link in links(await browser.get("/login")) if "third" in link} == {
        "/login/third/national",
        "/login/third/alipay",
    }
    for path in ("/login/third/wechat", "/login/third/baidu/callback?state=x&code=y", "/login/third/evil"):
        assert (await browser.get(path)).status == 404


@pytest.mark.attack("T2", "T8")
async def test_the_way_there_is_kept_in_a_cookie_that_no_script_reads(program: Program) -> None:
    browser = await program.browser()
    answer = await browser.get("/login/third/wechat")
    [cookie] = [line for line in answer.cookies if "bjidp_external" in line]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Max-Age" not in cookie
    secret = cookie.partition("=")[2].partition(";")[0]
    assert secret not in str(answer.header("Location"))
    assert answer.header("Cache-Control") == "no-store"
    again = await browser.get("/login/third/alipay")
    assert secret in str(again.cookies), "ways in other tabs go on"


# --------------------------------------------------------------------------------------------------- unknown, and bound


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_somebody_unknown_binds_an_account_by_its_number_and_is_known_from_then_on(
    program: Program, member: Standing, provider: Provider
) -> None:
    browser = await bound(program, provider)
    assert (await browser.get("/centre")).status == 200
    assert await linked(program, member.account) == [provider]
    [session] = await sessions(program, member.account)
    assert (session.login.way, session.login.platform) == (Way.SMS, None)
    other = await program.browser()
    assert where(await come_back(other, provider)) == (303, "/centre")
    ways = {(live.login.way, live.login.platform) for live in await sessions(program, member.account)}
    assert ways == {(Way.SMS, None), (Way.EXTERNAL, provider)}
    shown = (await other.get("/centre/devices")).text
    assert "账号登录" in shown
    notices = await program.rooms.stores.members.notices(member.account, 5)
    assert [notice.kind for notice in notices] == [NoticeKind.EXTERNAL_LINKED]


async def test_a_login_by_a_provider_raises_no_level(program: Program, member: Standing) -> None:
    await bound(program, Provider.NATIONAL)
    browser = await program.browser()
    await come_back(browser, Provider.NATIONAL)
    found = await program.rooms.stores.members.member(member.account)
    assert found is not None
    assert found.standing.level is Level.L1
    assert found.document is None, "the stand-in tells a document at L3, which counts for nothing"


@pytest.mark.attack("T9")
async def test_no_number_that_a_provider_tells_leads_to_its_account(program: Program) -> None:
    victim = population()["chen-yutong"]
    account = await enrolled(program, phone=victim.phone)
    browser = await program.browser()
    # The platform tells this very number of its user; who has it here is known to nobody who has not proved it.
    await newcomer(browser, Provider.NATIONAL, "chen-yutong")
    assert await sessions(program, account.account) == []
    assert await linked(program, account.account) == []
    assert browser.session is None


@pytest.mark.attack("T9")
async def test_one_user_of_a_provider_is_not_another_and_not_another_providers(
    program: Program, member: Standing
) -> None:
    await bound(program, Provider.ALIPAY)
    browser = await program.browser()
    await newcomer(browser, Provider.ALIPAY, "li-siyuan")
    await newcomer(await program.browser(), Provider.BAIDU, "chen-yutong")
    # The very same name at another provider, or at another app of the same, is somebody else.
    found = await program.rooms.stores.members.member(member.account)
    assert found is not None
    [(kind, app, name)] = program.sql("SELECT kind, app_id, provider FROM external_link")
    assert (kind, name) == ("open_id", "alipay")
    assert app


async def test_inside_wechat_it_is_the_public_account_and_the_same_person(program: Program, member: Standing) -> None:
    await bound(program, Provider.WECHAT)
    inside = await program.browser()
    inside.user_agent = IN_WECHAT
    page = await left(inside, Provider.WECHAT, "/h5")
    assert "/connect/oauth2/authorize" in page
    back = await agreed(inside, page)
    assert back is not None
    assert where(await inside.get(back)) == (303, "/h5/centre")


@pytest.mark.attack("O1", "O10")
async def test_the_code_is_of_this_purpose_this_number_and_this_browser(program: Program, member: Standing) -> None:
    browser = await program.browser()
    shown = await newcomer(browser, Provider.WECHAT)
    form = await asked(program, browser, shown)
    code = await code_to(browser.caller.sandbox, PHONE)
    # A login by this code is none.
    login = form_of(await browser.get("/h5/login?tab=code"), "/h5/login/code")
    refused = await send(browser, login.typed(phone=PHONE, code=code, agreed="yes"))
    assert "code" in form_of(refused, "/h5/login/code").faults
    # Nor does it serve in another browser, which has come back for itself.
    other = await program.browser()
    theirs = bind_form(await newcomer(other, Provider.WECHAT))
    assert "code" in bind_form(await send(other, theirs.typed(phone=PHONE, code=code))).faults
    # Nor for another number.
    assert "code" in bind_form(await send(browser, form.typed(phone=OTHER_PHONE, code=code))).faults
    assert await linked(program, member.account) == []
    wrong = await send(browser, form.typed(phone=PHONE, code=f"{(int(code) + 1) % 10**6:06d}"))
    assert wrong.status == 422
    assert bind_form(wrong).values["phone"] == PHONE
    assert where(await send(browser, bind_form(wrong).typed(code=code))) == (303, "/centre")


async def test_a_number_that_nobody_has_is_told_to_whoever_proved_it(program: Program) -> None:
    browser = await program.browser()
    form = await asked(program, browser, await newcomer(browser, Provider.BAIDU), OTHER_PHONE)
    code = await code_to(browser.caller.sandbox, OTHER_PHONE)
    shown = await send(browser, form.typed(code=code))
    assert shown.status == 200
    assert "这个手机号还没有账号" in shown.text
    assert browser.session is None


async def test_a_number_long_not_used_asks_for_the_end_of_the_document(program: Program) -> None:
    await program.phone()
    owner = await program.browser()
    standing = await with_number(program)
    program.clock.advance(61 * DAY // 1000)
    form = await asked(program, owner, await newcomer(owner, Provider.ALIPAY, "li-siyuan"))
    answer = await send(owner, form.typed(code=await code_to(owner.caller.sandbox, PHONE)))
    assert where(answer) == (303, f"{LINK}/document")
    tail = form_of(await owner.get(str(answer.header("Location"))), f"{LINK}/document")
    assert (await send(owner, tail)).status == 422
    wrong = await send(owner, tail.typed(tail="0000"))
    assert wrong.status == 422
    assert await linked(program, standing.account) == []
    document = population()["chen-yutong"].document_number
    assert where(await send(owner, tail.typed(tail=document[-4:]))) == (303, "/centre")
    assert await linked(program, standing.account) == [Provider.ALIPAY]


async def with_number(program: Program) -> Standing:
    """Give the account that was registered by face a number."""
    [(account,)] = program.sql("SELECT id FROM account")
    await program.rooms.stores.members.set_phone(account, PHONE, program.clock.now())
    standing = await program.rooms.stores.accounts.standing(account)
    assert standing is not None
    return standing


@pytest.mark.attack("Q21")
@pytest.mark.parametrize("status", ["locked", "cancelled"])
async def test_an_account_that_may_not_be_used_is_told_so_at_each_door(
    program: Program, member: Standing, status: str
) -> None:
    await bound(program, Provider.WECHAT)
    program.sql("UPDATE account SET status = ?", status)
    browser = await program.browser()
    answer = await come_back(browser, Provider.WECHAT)
    assert (answer.status, heading(answer)) == (403, "这个账号现在不能登录")
    assert browser.session is None
    program.clock.advance(60)
    form = await asked(program, browser, await newcomer(browser, Provider.BAIDU))
    code = await code_to(browser.caller.sandbox, PHONE, count=2)
    refused = await send(browser, form.typed(code=code))
    assert refused.status == 403
    assert await linked(program, member.account) == [Provider.WECHAT]


# ----------------------------------------------------------------------------------------------------- unknown, and new


@pytest.mark.req("REG-1", "REG-6")
@pytest.mark.parametrize("provider", [Provider.NATIONAL, Provider.WECHAT])
async def test_somebody_unknown_registers_and_is_known_from_then_on(program: Program, provider: Provider) -> None:
    browser = await program.browser()
    shown = await newcomer(browser, provider)
    led = await send(browser, register_form(shown), "register")
    assert where(led) == (303, "/register")
    page = await browser.get(str(led.header("Location")))
    assert "注册完成后，您可以直接用" in page.text
    form = solved(program, form_of(page, "/register")).typed(username=USERNAME, phone=PHONE, agreed="yes")
    sent = await send(browser, form, "code")
    assert sent.status == 303
    filled = form_of(await browser.get(str(sent.header("Location"))), "/register")
    code = await code_to(browser.caller.sandbox, PHONE)
    done = await send(browser, filled.typed(code=code, password="Correct-horse7", again="Correct-horse7", agreed="yes"))
    assert where(done) == (303, "/register/identity")
    [(account,)] = program.sql("SELECT id FROM account")
    assert await linked(program, account) == [provider]
    assert where(await come_back(await program.browser(), provider)) == (303, "/centre")


async def test_a_registration_that_is_not_finished_links_nothing(program: Program) -> None:
    browser = await program.browser()
    await send(browser, register_form(await newcomer(browser, Provider.ALIPAY)), "register")
    assert program.sql("SELECT count(*) FROM external_link") == [(0,)]
    await newcomer(await program.browser(), Provider.ALIPAY)


# ---------------------------------------------------------------------------------------------------------- twice, late


@pytest.mark.attack("T5")
async def test_an_address_that_is_loaded_again_leads_to_the_same_place(program: Program, member: Standing) -> None:
    await bound(program, Provider.WECHAT)
    browser = await program.browser()
    back = await returning(browser, Provider.WECHAT)
    first = await browser.get(back)
    second = await browser.get(back)
    assert where(first) == where(second) == (303, "/centre")
    assert len(await sessions(program, member.account)) == 2, "that of the binding, and one"


@pytest.mark.attack("T5")
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_an_address_that_is_loaded_twice_at_once_comes_to_one_session(
    program: Program, member: Standing, provider: Provider
) -> None:
    await bound(program, provider)
    browser = await program.browser()
    back = await returning(browser, provider)
    tabs = [browser.copy() for _ in range(3)]
    answers = await asyncio.gather(*(tab.get(back) for tab in tabs))
    assert {where(answer) for answer in answers} == {(303, "/centre")}
    assert len(await sessions(program, member.account)) == 2
    live = [tab for tab in tabs if (await tab.get("/centre")).status == 200]
    assert len(live) == 1, "whose answer came last is logged in; the browser has dropped the others"


@pytest.mark.attack("T5")
async def test_two_processes_ask_the_provider_once_and_leave_one_session(start_program: StartProgram) -> None:
    program = await start_program(processes=2)
    member = await enrolled(program)
    await bound(program, Provider.WECHAT)
    browser = await program.browser()
    back = await returning(browser, Provider.WECHAT)
    tabs = [browser.copy() for _ in range(4)]
    for number, tab in enumerate(tabs):
        tab.caller = await program.caller(process=number % 2)
    answers = await asyncio.gather(*(tab.get(back) for tab in tabs))
    assert {where(answer) for answer in answers} == {(303, "/centre")}
    assert len(await sessions(program, member.account)) == 2, "that of the binding, and one"


async def test_an_address_that_is_loaded_again_by_somebody_unknown_asks_the_same(program: Program) -> None:
    browser = await program.browser()
    back = await returning(browser, Provider.BAIDU)
    first, second = await browser.get(back), await browser.get(back)
    assert where(first) == where(second) == (303, LINK)
    for answer in (first, second):
        assert (await browser.get(str(answer.header("Location")))).status == 200


@pytest.mark.attack("T5", "T8")
async def test_an_address_in_the_history_logs_nobody_in_after_a_log_out(program: Program, member: Standing) -> None:
    await bound(program, Provider.ALIPAY)
    browser = await program.browser()
    back = await returning(browser, Provider.ALIPAY)
    await browser.get(back)
    await send(browser, form_of(await browser.get("/login"), "/logout"))
    answer = await browser.get(back)
    assert (answer.status, heading(answer)) == (410, "这次支付宝登录已经失效")
    assert browser.session is None


@pytest.mark.attack("T5", "T8")
async def test_an_address_in_the_history_logs_nobody_in_a_minute_later(program: Program, member: Standing) -> None:
    await bound(program, Provider.ALIPAY)
    browser = await program.browser()
    back = await returning(browser, Provider.ALIPAY)
    await browser.get(back)
    # Closed and opened anew by a browser that brings its cookies back, all but the session's.
    browser.cookies.pop(browser.to.cookie(SESSION))
    twin = browser.copy()
    program.clock.advance(59)
    assert where(await twin.get(back)) == (303, "/centre")
    program.clock.advance(1)
    assert (await browser.get(back)).status == 410


@pytest.mark.attack("T8")
async def test_a_way_is_the_browsers_that_began_it(program: Program, member: Standing) -> None:
    await bound(program, Provider.WECHAT)
    attacker, victim, busy = await program.browser(), await program.browser(), await program.browser()
    # The attacker's own way back, with the attacker's own code, loaded by somebody else: a login to a foreign account.
    back = await returning(attacker, Provider.WECHAT)
    await left(busy, Provider.WECHAT)
    for other in (victim, busy):
        answer = await other.get(back)
        assert (answer.status, heading(answer)) == (410, "这次微信登录已经失效")
        assert other.session is None
    assert where(await attacker.get(back)) == (303, "/centre"), "and it is not used up for whoever began it"


@pytest.mark.attack("T8")
async def test_a_way_back_is_of_its_provider_and_takes_one_code_and_ten_minutes(
    program: Program, member: Standing
) -> None:
    await bound(program, Provider.WECHAT)
    browser = await program.browser()
    back = await returning(browser, Provider.WECHAT)
    for wrong in (
        back.replace("/wechat/", "/baidu/"),
        altered(back, state=None),
        altered(back, state="0" * 32),
        altered(back, state="x"),
        altered(back, state="0" * 31 + "中"),
        altered(back, state="A" * 4000),
    ):
        assert (await browser.get(wrong)).status == 410, wrong
    elsewhere = await returning(await program.browser(), Provider.WECHAT, "li-siyuan")
    other = altered(back, code=dict(parse_qsl(urlsplit(elsewhere).query))["code"])
    assert where(await browser.get(back)) == (303, "/centre")
    browser.cookies.pop(browser.to.cookie(SESSION))
    assert (await browser.get(other)).status == 410, "another code on a way that was taken"
    late = await program.browser()
    slow = await returning(late, Provider.WECHAT)
    program.clock.advance(600)
    assert (await late.get(slow)).status == 410


async def test_whoever_refuses_is_told_that_nothing_has_happened(program: Program) -> None:
    browser = await program.browser()
    for provider, more in ((Provider.WECHAT, ""), (Provider.BAIDU, "error=access_denied")):
        back = await agreed(browser, await left(browser, provider), answer="refuse")
        assert back is not None
        assert more in back
        answer = await browser.get(back)
        assert answer.status == 403
        assert "没有同意" in heading(answer)
        assert {f"/login/third/{provider}", "/login"} <= links(answer)
    # Where a provider sends nobody back, the way dies by itself.
    assert await agreed(browser, await left(browser, Provider.ALIPAY), answer="refuse") is None


async def test_a_code_that_the_provider_does_not_know_begins_again(program: Program) -> None:
    browser = await program.browser()
    back = altered(await returning(browser, Provider.ALIPAY), auth_code="0" * 32)
    for _ in range(2):
        answer = await browser.get(back)
        assert (answer.status, heading(answer)) == (410, "这次支付宝登录已经失效")
    assert where(await browser.get("/login/third/alipay"))[0] == 303


@pytest.mark.parametrize("mode", ["http500", "malformed", "refuse"])
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_provider_that_is_down_is_said_to_be_and_nothing_is_half_made(
    program: Program, member: Standing, provider: Provider, mode: str
) -> None:
    await bound(program, provider)
    browser = await program.browser()
    back = await returning(browser, provider)
    await browser.caller.sandbox("/control/faults", {"service": provider.value, "mode": mode})
    answer = await browser.get(back)
    assert answer.status == 503
    assert "暂时没有响应" in heading(answer)
    assert answer.header("Retry-After") is not None
    assert (browser.session, len(await sessions(program, member.account))) == (None, 1)
    await browser.caller.sandbox("/control/faults", {"service": provider.value, "mode": "ok"})
    # The same address again: what the provider has used up meanwhile, it says so itself.
    expected = (410, "") if mode == "malformed" else (303, "/centre")
    assert where(await browser.get(back)) == expected


@pytest.mark.attack("P7")
async def test_who_is_unbound_while_they_come_back_is_not_let_in(program: Program, member: Standing) -> None:
    await bound(program, Provider.WECHAT)
    browser = await program.browser()
    back = await returning(browser, Provider.WECHAT)

    async def unbound() -> None:
        await program.rooms.stores.externals.unlink(member.account, Provider.WECHAT, program.clock.now())

    program.meddler.before_next("sessions.open", unbound)
    assert (await browser.get(back)).status == 410
    assert browser.session is None
    assert len(await sessions(program, member.account)) == 1, "that of the binding"


@pytest.mark.attack("P7", "T9")
async def test_a_number_that_is_changed_while_it_is_proved_binds_nothing(program: Program, member: Standing) -> None:
    browser = await program.browser()
    form = await asked(program, browser, await newcomer(browser, Provider.WECHAT))

    async def changed() -> None:
        await program.rooms.stores.members.set_phone(member.account, OTHER_PHONE, program.clock.now())

    program.meddler.before_next("externals.link", changed)
    answer = await send(browser, form.typed(code=await code_to(browser.caller.sandbox, PHONE)))
    assert (answer.status, heading(answer)) == (410, "这次微信登录已经失效")
    assert browser.session is None
    assert await linked(program, member.account) == []


@pytest.mark.req("OPS-4")
async def test_a_process_that_dies_on_the_way_back_leaves_a_way_that_goes_on_or_begins_again(
    program: Program, member: Standing
) -> None:
    await bound(program, Provider.BAIDU)
    seams = []
    for writes in count(1):
        browser = await program.browser()
        back = await returning(browser, Provider.BAIDU)
        life = program.lives[0]
        life.ends_after(writes)
        loading, dying = asyncio.create_task(browser.get(back)), asyncio.create_task(life.over.wait())
        await asyncio.wait((loading, dying), return_when=asyncio.FIRST_COMPLETED)
        life.lives_on()
        if not life.over.is_set():
            dying.cancel()
            assert where(await loading) == (303, "/centre")
            break
        seams += life.written[-1:]
        await program.comes_back(memory=True)
        program.clock.advance(15)
        # Whoever has lost the connection loads the address again. The code may have been used up for an answer that
        # nobody has noted; then the person begins anew.
        assert where(await loading) in {(303, "/centre"), (410, "")}, seams[-1]
        if browser.session is None:
            assert where(await come_back(browser, Provider.BAIDU)) == (303, "/centre"), seams[-1]
        assert (await browser.get("/centre")).status == 200
    assert {"drafts.replace", "sessions.open"} <= set(seams)


@pytest.mark.req("OPS-4")
async def test_a_process_that_dies_while_it_binds_leaves_a_form_that_can_be_sent_again(
    program: Program, member: Standing
) -> None:
    seams = []
    for number in count(1):
        program.clock.advance(3600 * 6)
        await program.rooms.stores.externals.unlink_all(member.account, program.clock.now())
        browser = await program.browser()
        form = await asked(program, browser, await newcomer(browser, Provider.ALIPAY))
        filled = form.typed(code=await code_to(browser.caller.sandbox, PHONE, count=number))
        life = program.lives[0]
        life.ends_after(number, of=("externals", "sessions"))
        answer = await program.survives(send(browser, filled))
        life.lives_on()
        if answer is not None:
            assert where(answer) == (303, "/centre")
            break
        seams += life.written[-1:]
        await program.comes_back(memory=True)
        assert where(await send(browser, filled)) == (303, "/centre"), seams[-1]
        assert await linked(program, member.account) == [Provider.ALIPAY]
    assert {"externals.link", "sessions.open"} <= set(seams)


@pytest.mark.attack("Q28")
async def test_whoever_is_logged_in_becomes_nobody_else(program: Program, member: Standing) -> None:
    await bound(program, Provider.WECHAT)
    other = await enrolled(program, username="li_si", phone=OTHER_PHONE)
    browser = await program.browser()
    back = await returning(browser, Provider.WECHAT)
    owner = await Owner.of(program, other.account, phone=OTHER_PHONE)
    browser.cookies |= owner.browser.cookies
    assert where(await browser.get("/login/third/wechat")) == (303, "/login")
    assert where(await browser.get(back)) == (303, "/login")
    for page in (f"{LINK}?of=x", f"{LINK}/document?of=x&flow=y"):
        assert where(await browser.get(page)) == (303, "/login")
    assert len(await sessions(program, other.account)) == 1


async def test_a_login_leads_where_somebody_was_turned_away_from(program: Program, member: Standing) -> None:
    await bound(program, Provider.NATIONAL)
    browser = await program.browser()
    assert where(await browser.get("/centre/devices")) == (303, "/login")
    assert where(await come_back(browser, Provider.NATIONAL)) == (303, "/centre/devices")


@pytest.mark.req("LOG-8", "RP-2")
async def test_a_site_gets_its_user_back_and_is_told_that_somebody_else_has_authenticated_them(
    program: Program, site: Site
) -> None:
    # The fixture has an account of its own, with this number.
    await bound(program, Provider.WECHAT)
    browser = await program.browser()
    page = await followed(browser, address())
    assert await followed(browser, page) == "/login"
    answer = await come_back(browser, Provider.WECHAT)
    assert (answer.status, answer.header("Location")) == (303, page)
    agreed_to = await send(browser, form_of(await browser.get(page), "/oauth/continue"), "agree")
    back = told(await followed(browser, str(agreed_to.header("Location"))))
    given = await site.ask("/oauth/token", exchange(back["code"]))
    payload = given.json()["id_token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    assert (claims["amr"], claims["acr"]) == (["fed"], "L1")


@pytest.mark.attack("T4")
async def test_no_client_says_where_it_leads(program: Program, member: Standing) -> None:
    await bound(program, Provider.ALIPAY)
    browser = await program.browser()
    answer = await browser.get("/login/third/alipay?next=//evil.example")
    back = await agreed(browser, str(answer.header("Location")))
    assert back is not None
    assert where(await browser.get(f"{back}&next=//evil.example")) == (303, "/centre")


async def test_pages_of_a_newcomer_are_this_browsers_and_no_other_word_opens_them(program: Program) -> None:
    browser = await program.browser()
    of = bind_form(await newcomer(browser, Provider.WECHAT)).values["of"]
    stranger = await program.browser()
    assert where(await stranger.get(f"{LINK}?of={of}")) == (303, "/login")
    for wrong in ("", "x", "中", of[:-1], of.swapcase()):
        assert where(await browser.get(f"{LINK}?of={wrong}")) == (303, "/login")
    assert where(await stranger.get(f"{LINK}/document?of={of}&flow={of}")) == (303, "/login")
    form = bind_form(await browser.get(f"{LINK}?of={of}"))
    for broken, status in (({"act": "destroy"}, 400), ({"surprise": "1"}, 400)):
        assert (await post(browser, LINK, form.values | broken)).status == status
    assert (await post(browser, LINK, form.values | {"csrf": "x"})).status == 403
    assert where(await send(stranger, form))[0] in {303, 403}


# -------------------------------------------------------------------------------------------------------- in the centre


async def test_the_owner_sees_what_is_bound_and_unbinds_it(program: Program, member: Standing) -> None:
    browser = await bound(program, Provider.WECHAT)
    other = await program.browser()
    await come_back(other, Provider.WECHAT)
    assert "/centre/third" in links(await browser.get("/centre"))
    shown = await browser.get("/centre/third")
    assert [text in shown.text for text in ("绑定的第三方账号", "国家政务服务平台", "已绑定", "未绑定")] == [True] * 4
    form = form_of(shown, "/centre/third")
    answer = await send(browser, form)
    assert where(answer) == (303, "/centre/third")
    assert "微信账号已解绑" in (await browser.get(str(answer.header("Location")))).text
    assert await linked(program, member.account) == []
    assert where(await other.get("/centre"))[0] == 303, "what it had logged in is over"
    assert (await browser.get("/centre")).status == 200
    await newcomer(await program.browser(), Provider.WECHAT)
    assert where(await send(browser, form)) == (303, "/centre/third")
    assert (await post(browser, "/centre/third", form.values | {"provider": "evil"})).status == 400


async def away(program: Program, account: str) -> Grant:
    """Let a site read while its user is away, by what was agreed in the session that a provider's user has opened."""
    opened = next(one for one in await sessions(program, account) if one.login.way is Way.EXTERNAL)
    standing = await program.rooms.stores.accounts.standing(account)
    assert standing is not None
    now = program.clock.now()
    authentication = Authentication(now, Level.L1, ("fed",))
    approval = Approval(
        client="portal", account=account, ref=standing.ref, session=opened.id, epoch=standing.epoch,
        scopes=(Scope.OPENID, Scope.OFFLINE_ACCESS), authentication=authentication,
    )  # fmt: skip
    return await program.rooms.stores.grants.begin(fresh(approval, DAY, program.rooms.entropy, now), "portal", now)


async def lives(program: Program, grant: Grant) -> bool:
    return await program.rooms.stores.grants.find(grant.id, program.clock.now()) is not None


@pytest.mark.attack("T3")
async def test_what_is_unbound_leaves_nothing_that_it_has_agreed_to(program: Program, site: Site) -> None:
    browser = await bound(program, Provider.WECHAT)
    await come_back(await program.browser(), Provider.WECHAT)
    grant = await away(program, site.member.account)
    assert await lives(program, grant)
    await send(browser, form_of(await browser.get("/centre/third"), "/centre/third"))
    assert not await lives(program, grant)


@pytest.mark.attack("T3", "T9")
async def test_what_somebody_elses_user_had_logged_in_is_over_once_the_own_takes_its_place(
    program: Program, site: Site
) -> None:
    await bound(program, Provider.WECHAT, user="li-siyuan")
    other = await program.browser()
    await come_back(other, Provider.WECHAT, "li-siyuan")
    grant = await away(program, site.member.account)
    program.clock.advance(61)
    by_another = await program.browser()
    await bound(program, Provider.BAIDU)
    await come_back(by_another, Provider.BAIDU)
    program.clock.advance(61)
    await bound(program, Provider.WECHAT)
    assert where(await other.get("/centre"))[0] == 303
    assert not await lives(program, grant)
    assert (await by_another.get("/centre")).status == 200


@pytest.mark.req("SES-1", "SES-3")
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_the_log_and_the_devices_name_the_provider(
    program: Program, member: Standing, provider: Provider
) -> None:
    name = TEXTS.plain(f"provider.{provider}")
    await bound(program, provider)
    browser = await program.browser()
    await come_back(browser, provider)
    await send(browser, form_of(await browser.get("/centre/third"), "/centre/third"))
    for prefix in ("", "/h5"):
        log = await browser.get(f"{prefix}/centre/log")
        assert log.status == 200
        assert [words in log.text for words in ("绑定第三方账号", "解绑第三方账号", f"<p>{name}</p>")] == [True] * 3
        for page in ("/centre", "/centre/devices", "/centre/log"):
            assert f"{name}账号登录" in (await browser.get(prefix + page)).text, page


@pytest.mark.req("SES-2")
@pytest.mark.attack("R4")
async def test_not_me_takes_what_somebody_else_has_bound_away(program: Program, member: Standing) -> None:
    owner = await Owner.of(program, member.account)
    await bound(program, Provider.BAIDU)
    shown = await owner.get("/centre")
    assert "绑定了一个新的第三方账号" in shown.text
    denial = next(form for form in forms(shown) if form.values.get("change") == "yes")
    assert (await send(owner.browser, denial)).status == 200
    assert await linked(program, member.account) == []
    assert await sessions(program, member.account) == []
    await newcomer(await program.browser(), Provider.BAIDU)


async def test_on_a_phone_the_page_is_one_for_phones(program: Program, member: Standing) -> None:
    await bound(program, Provider.WECHAT)
    browser = await program.browser()
    browser.user_agent = IPHONE
    assert where(await come_back(browser, Provider.WECHAT, prefix="/h5")) == (303, "/h5/centre")
    assert (await browser.get("/h5/centre/third")).status == 200
    stranger = await program.browser()
    stranger.user_agent = IPHONE
    answer = await come_back(stranger, Provider.WECHAT, "li-siyuan", "/h5")
    assert where(answer) == (303, f"/h5{LINK}")
    shown = await stranger.get(str(answer.header("Location")))
    assert where(await send(stranger, register_form(shown), "register")) == (303, "/h5/register")
