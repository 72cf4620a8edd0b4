"""The way to a provider and back: twice, late, from elsewhere, refused, unanswered, and cut off."""

from __future__ import annotations

import asyncio
from itertools import count
from urllib.parse import parse_qsl, urlsplit

import pytest

from bjidp.platforms import Provider
from bjidp.standing import Standing
from tests.support.browser import SESSION
from tests.support.forms import form_of, heading, links, send
from tests.support.members import enrolled
from tests.support.owner import Owner
from tests.support.program import Program
from tests.support.providers import agreed, altered, come_back, left, returning
from tests.support.third_logins import (
    LINK,
    OTHER_PHONE,
    PROVIDERS,
    bound,
    sessions,
    where,
)
from tests.web.conftest import StartProgram

pytestmark = pytest.mark.req("LOG-4")


@pytest.fixture
async def member(program: Program) -> Standing:
    return await enrolled(program)


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


@pytest.mark.attack("T4")
async def test_no_client_says_where_it_leads(program: Program, member: Standing) -> None:
    await bound(program, Provider.ALIPAY)
    browser = await program.browser()
    answer = await browser.get("/login/third/alipay?next=//evil.example")
    back = await agreed(browser, str(answer.header("Location")))
    assert back is not None
    assert where(await browser.get(f"{back}&next=//evil.example")) == (303, "/centre")
