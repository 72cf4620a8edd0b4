"""Whoever comes back from a provider and is not known: bound by a number, or registered."""

from __future__ import annotations

from itertools import count

import pytest

from bjidp.accounts.notices import NoticeKind
from bjidp.clock import DAY
from bjidp.platforms import Provider
from bjidp.sandbox.people.population import population
from bjidp.sessions.ports import Way
from bjidp.standing import Standing
from tests.support.forms import form_of, heading, post, send
from tests.support.inbox import code_to
from tests.support.members import PHONE, USERNAME, enrolled
from tests.support.program import Program
from tests.support.providers import come_back
from tests.support.third_logins import (
    LINK,
    OTHER_PHONE,
    PROVIDERS,
    asked,
    bind_form,
    bound,
    linked,
    newcomer,
    register_form,
    sessions,
    solved,
    where,
)

pytestmark = pytest.mark.req("LOG-4")


@pytest.fixture
async def member(program: Program) -> Standing:
    return await enrolled(program)


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
