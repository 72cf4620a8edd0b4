"""Whoever is logged in binds what they have elsewhere: proved, sent there, back, and all that may come between."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import Final

import pytest
from msgspec.structs import replace

from bjidp.accounts.external.arriving import ExternalWindows
from bjidp.accounts.notices import NoticeKind
from bjidp.bootstrap import external
from bjidp.clock import MINUTE
from bjidp.platforms import Provider
from bjidp.standing import Standing
from bjidp.throttle.ports import Window
from tests.support.browser import IPHONE, SESSION
from tests.support.forms import form_of, forms, heading, links, send
from tests.support.inbox import arrived
from tests.support.members import PHONE, enrolled
from tests.support.owner import Owner
from tests.support.program import Program
from tests.support.providers import agreed, altered, come_back, left, returning
from tests.support.third_logins import (
    LINK,
    OTHER_PHONE,
    PROVIDERS,
    binding,
    chosen,
    leaves,
    linked,
    newcomer,
    ready,
    sessions,
    where,
)
from tests.web.conftest import StartProgram
from tests.web.test_verify import opened

pytestmark = pytest.mark.req("LOG-4")

THIRD: Final = "/centre/third"


@pytest.fixture
async def member(program: Program) -> Standing:
    return await enrolled(program)


@pytest.fixture
async def owner(program: Program, member: Standing) -> Owner:
    return await Owner.of(program, member.account)


@pytest.mark.req("ACC-8", "SES-2")
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_an_owner_proves_themselves_agrees_there_and_is_known_by_it_from_then_on(
    program: Program, member: Standing, owner: Owner, provider: Provider
) -> None:
    before = owner.browser.session
    done = await owner.follow(await owner.browser.get(await binding(owner, provider)))
    assert (done.status, heading(done)) == (200, "绑定成功，以后可以用它登录")
    assert THIRD in links(done)
    assert await linked(program, member.account) == [provider]
    assert owner.browser.session not in {None, before}, "验证身份 has renewed it, and coming back has not"
    assert [session.login.platform for session in await sessions(program, member.account)] == [None]
    assert where(await come_back(await program.browser(), provider)) == (303, "/centre")
    await arrived(owner.browser.caller.sandbox, PHONE, words="绑定了一个第三方账号")
    [notice] = await program.rooms.stores.members.notices(member.account, 5)
    assert (notice.kind, notice.facts) == (NoticeKind.EXTERNAL_LINKED, {"provider": provider})


async def test_on_a_phone_it_is_the_same_on_pages_for_phones(program: Program, member: Standing) -> None:
    owner = await Owner.of(program, member.account, "/h5")
    owner.browser.user_agent = IPHONE
    done = await owner.follow(await owner.browser.get(await binding(owner, Provider.BAIDU)))
    assert heading(done) == "绑定成功，以后可以用它登录"
    assert f"/h5{THIRD}" in links(done)


@pytest.mark.req("ACC-8", "SES-2")
@pytest.mark.attack("P7")
async def test_a_confirmation_on_the_phone_keeps_what_was_chosen_and_is_taken_back_with_it(program: Program) -> None:
    phone = await program.phone()
    browser = await program.signed_in(phone)
    [(account,)] = program.sql("SELECT id FROM account")
    owner = Owner(program, browser)
    flow = await chosen(owner, "link", Provider.ALIPAY)
    [verify] = [link for link in links(await owner.get(f"/centre/link{flow}")) if "/verify/" in link]
    socket, screen = await opened(program, browser, verify)
    scanned = await program.scanned(phone, screen)
    assert scanned["request"]["action"] == "verify.link"
    await socket.next("scanned")
    await phone.confirm(scanned)
    redeemed = await browser.redeem((await socket.next("approved"))["grant"])
    assert redeemed.json() == {"next": f"/centre/link{flow}"}
    back = await agreed(browser, await leaves(owner, await owner.get(f"/centre/link{flow}")))
    assert back is not None
    assert where(await browser.get(back)) == (303, "/centre/link")
    assert await linked(program, account) == [Provider.ALIPAY]
    # Whoever had confirmed it says that it was not them: what was bound would be a way back in.
    assert (await phone.undo(screen.ticket)).status == 200
    assert await linked(program, account) == []
    assert await sessions(program, account) == []


@pytest.mark.attack("R4", "P7")
async def test_nobody_is_sent_away_without_proof(program: Program, member: Standing, owner: Owner) -> None:
    flow = await chosen(owner, "link", Provider.WECHAT)
    unproved = await owner.get(f"/centre/link/leave{flow}")
    assert (unproved.status, unproved.header("Location")) == (303, f"/centre/link{flow}")
    stranger = await program.browser()
    assert where(await stranger.get(f"/centre/link/leave{flow}")) == (303, "/login")
    other = await Owner.of(program, member.account)
    assert where(await other.get(f"/centre/link/leave{flow}")) == (303, "/centre/link"), "another session's change"
    # A proof of one operation is none of another.
    await owner.proves("username")
    assert where(await owner.get(f"/centre/link/leave{flow}")) == (303, "/centre/link")
    for wrong in ("", "?flow=", "?flow=x", f"?flow={'A' * 22}", "?flow=//evil.example"):
        answer = await owner.get(f"/centre/link/leave{wrong}")
        assert (answer.status, answer.header("Location")) == (303, "/centre/link"), wrong


@pytest.mark.attack("T8", "T9", "Q28")
async def test_an_attackers_way_back_binds_nothing_to_whoever_is_led_to_it(
    program: Program, member: Standing, owner: Owner
) -> None:
    victim = await enrolled(program, username="li_si", phone=OTHER_PHONE)
    attacker = owner
    back = await binding(attacker, Provider.WECHAT, "li-siyuan")
    led = await Owner.of(program, victim.account, phone=OTHER_PHONE)
    busy = await Owner.of(program, victim.account, phone=OTHER_PHONE)
    await leaves(busy, await ready(busy, Provider.WECHAT))
    stranger = await program.browser()
    assert where(await led.browser.get(back)) == (303, "/login"), "which says who is logged in"
    assert where(await busy.browser.get(back)) == (303, "/login")
    assert (await stranger.get(back)).status == 410
    # Nor do the attacker's own halves in another session: the cookie that a way needs was planted in that browser.
    planted = await Owner.of(program, victim.account, phone=OTHER_PHONE)
    secret = attacker.browser.to.cookie("bjidp_external")
    planted.browser.cookies[secret] = attacker.browser.cookies[secret]
    answer = await planted.browser.get(back)
    assert (answer.status, heading(answer)) == (410, "没有绑定微信")
    assert await linked(program, victim.account) == await linked(program, member.account) == []
    # Nobody's code is used up by any of them.
    assert where(await attacker.browser.get(back)) == (303, "/centre/link")
    assert await linked(program, member.account) == [Provider.WECHAT]


@pytest.mark.attack("T8", "T9", "Q28")
async def test_a_victim_who_agrees_to_an_attackers_request_binds_nothing_to_the_attacker(
    program: Program, member: Standing, owner: Owner
) -> None:
    page = await leaves(owner, await ready(owner, Provider.ALIPAY))
    victim = await program.browser()
    back = await agreed(victim, page, "li-siyuan")
    assert back is not None
    assert (await victim.get(back)).status == 410
    assert victim.session is None
    assert await linked(program, member.account) == []


@pytest.mark.attack("T8", "T9")
async def test_a_way_of_an_owner_logs_nobody_in_and_a_way_of_a_login_binds_nothing(
    program: Program, member: Standing, owner: Owner
) -> None:
    back = await binding(owner, Provider.WECHAT)
    out = owner.browser.copy()
    out.cookies.pop(out.to.cookie(SESSION))
    answer = await out.get(back)
    assert (answer.status, heading(answer), out.session) == (410, "没有绑定微信", None)
    login = await returning(out, Provider.BAIDU)
    out.cookies |= owner.browser.cookies
    assert where(await out.get(login)) == (303, "/login")
    assert await linked(program, member.account) == []


@pytest.mark.attack("T9")
async def test_what_another_account_has_is_refused_with_the_next_step(
    program: Program, member: Standing, owner: Owner
) -> None:
    await owner.browser.get(await binding(owner, Provider.WECHAT))
    other = await enrolled(program, username="li_si", phone=OTHER_PHONE)
    late = await Owner.of(program, other.account, phone=OTHER_PHONE)
    answer = await late.browser.get(await binding(late, Provider.WECHAT))
    assert (answer.status, heading(answer)) == (409, "这个微信账号已经绑定了另一个账号")
    assert await linked(program, other.account) == []
    # The proof is open for another try, with another user of the provider.
    [again] = [link for link in links(answer) if "/link?flow=" in link]
    back = await agreed(late.browser, await leaves(late, await late.browser.get(again)), "li-siyuan")
    assert back is not None
    assert where(await late.browser.get(back)) == (303, "/centre/link")
    assert await linked(program, other.account) == [Provider.WECHAT]
    assert where(await come_back(await program.browser(), Provider.WECHAT)) == (303, "/centre"), "still the first one's"


@pytest.mark.attack("P7", "T9")
async def test_a_user_whom_another_account_takes_in_that_moment_is_refused(
    program: Program, member: Standing, owner: Owner
) -> None:
    other = await enrolled(program, username="li_si", phone=OTHER_PHONE)
    faster = await Owner.of(program, other.account, phone=OTHER_PHONE)
    theirs = await binding(faster, Provider.WECHAT)
    back = await binding(owner, Provider.WECHAT)

    async def taken() -> None:
        assert where(await faster.browser.get(theirs)) == (303, "/centre/link")

    program.meddler.before_next("externals.link", taken)
    assert (await owner.browser.get(back)).status == 409
    assert (await linked(program, other.account), await linked(program, member.account)) == ([Provider.WECHAT], [])


@pytest.mark.attack("T5")
async def test_an_address_that_is_loaded_again_or_twice_at_once_binds_once(
    program: Program, member: Standing, owner: Owner
) -> None:
    back = await binding(owner, Provider.WECHAT)
    answers = await asyncio.gather(*(owner.browser.copy().get(back) for _ in range(3)))
    assert {where(answer) for answer in answers} == {(303, "/centre/link")}
    assert where(await owner.browser.get(back)) == (303, "/centre/link")
    shown = await owner.follow(await owner.browser.get(back))
    assert heading(shown) == "绑定成功，以后可以用它登录"
    assert len(await program.rooms.stores.members.notices(member.account, 5)) == 1


@pytest.mark.attack("T8", "P7")
@pytest.mark.parametrize("ended", ["out", "cancelled", "denied", "late"])
async def test_a_session_that_ended_meanwhile_binds_nothing(
    program: Program, member: Standing, owner: Owner, ended: str
) -> None:
    back = await binding(owner, Provider.BAIDU)
    if ended == "out":
        await send(owner.browser.copy(), form_of(await owner.get("/login"), "/logout"))
    elif ended == "cancelled":
        await program.rooms.stores.members.cancel(member.account, program.clock.now())
    elif ended == "denied":
        await program.rooms.stores.members.fence(member.account, None)
    else:
        program.clock.advance(601)
    answer = await owner.browser.get(back)
    # A way that is over by its time is nobody's, and whoever is logged in is shown that they are.
    expected = (303, "/login") if ended == "late" else (410, "")
    assert where(answer) == expected
    assert await linked(program, member.account) == []
    if ended != "late":
        assert THIRD in links(answer)


@pytest.mark.req("SES-2")
@pytest.mark.attack("P7", "R4")
@pytest.mark.parametrize("seam", ["externals.link", "members.fence", "externals.unlink_all"])
async def test_not_me_leaves_nothing_that_is_bound_in_that_moment(
    program: Program, member: Standing, seam: str
) -> None:
    # Whoever has got the account gives it a number of theirs, which its owner is told of.
    await program.rooms.stores.members.set_phone(member.account, OTHER_PHONE, program.clock.now())
    attacker = await Owner.of(program, member.account, phone=OTHER_PHONE)
    back = await binding(attacker, Provider.WECHAT)
    rightful = await Owner.of(program, member.account)
    denial = next(form for form in forms(await rightful.get("/centre")) if form.values.get("change") == "yes")

    async def denied() -> None:
        assert (await send(rightful.browser, denial)).status == 200

    async def comes_back() -> None:
        await attacker.browser.get(back)

    if seam == "externals.link":
        program.meddler.before_next(seam, denied)
        await attacker.browser.get(back)
    else:
        program.meddler.before_next(seam, comes_back)
        await denied()
    assert await linked(program, member.account) == []
    assert await sessions(program, member.account) == []


async def test_whoever_refuses_is_told_so_and_can_go_there_again(
    program: Program, member: Standing, owner: Owner
) -> None:
    answer = await owner.browser.get(await binding(owner, Provider.BAIDU, answer="refuse"))
    assert (answer.status, heading(answer)) == (403, "您没有同意绑定百度")
    [again] = [link for link in links(answer) if "/link?flow=" in link]
    back = await agreed(owner.browser, await leaves(owner, await owner.browser.get(again)))
    assert back is not None
    assert where(await owner.browser.get(back)) == (303, "/centre/link")
    assert await linked(program, member.account) == [Provider.BAIDU]


@pytest.mark.parametrize("provider", [Provider.NATIONAL, Provider.ALIPAY])
async def test_where_a_provider_sends_nobody_back_the_back_button_leads_to_a_page_that_goes_on(
    program: Program, member: Standing, owner: Owner, provider: Provider
) -> None:
    page = await ready(owner, provider)
    assert await agreed(owner.browser, await leaves(owner, page), answer="refuse") is None
    back = await agreed(owner.browser, await leaves(owner, page))
    assert back is not None
    assert where(await owner.browser.get(back)) == (303, "/centre/link")
    assert await linked(program, member.account) == [provider]


@pytest.mark.parametrize("mode", ["http500", "malformed"])
async def test_a_provider_that_is_down_is_said_to_be_and_another_try_binds(
    program: Program, member: Standing, owner: Owner, mode: str
) -> None:
    back = await binding(owner, Provider.ALIPAY)
    await owner.browser.caller.sandbox("/control/faults", {"service": "alipay", "mode": mode})
    answer = await owner.browser.get(back)
    assert (answer.status, heading(answer)) == (503, "支付宝暂时没有响应")
    assert answer.header("Retry-After") is not None
    await owner.browser.caller.sandbox("/control/faults", {"service": "alipay", "mode": "ok"})
    [again] = [link for link in links(answer) if "/link?flow=" in link]
    fresh = await agreed(owner.browser, await leaves(owner, await owner.browser.get(again)))
    assert fresh is not None
    assert where(await owner.browser.get(fresh)) == (303, "/centre/link")
    assert await linked(program, member.account) == [Provider.ALIPAY]


@pytest.mark.attack("T8", "T9")
async def test_a_way_is_of_its_provider_and_takes_one_code(program: Program, member: Standing, owner: Owner) -> None:
    back = await binding(owner, Provider.WECHAT)
    elsewhere = await returning(await program.browser(), Provider.WECHAT, "li-siyuan")
    code = elsewhere.partition("code=")[2].partition("&")[0]
    assert (await owner.browser.get(back.replace("/wechat/", "/baidu/"))).status == 410
    assert (await owner.browser.get(altered(back, code="0" * 32))).status == 410, "which uses the way up"
    assert (await owner.browser.get(altered(back, code=code))).status == 410
    assert await linked(program, member.account) == []


@pytest.mark.req("ACC-8")
@pytest.mark.attack("R4")
async def test_one_proof_binds_once(program: Program, member: Standing, owner: Owner) -> None:
    page = await ready(owner, Provider.WECHAT)
    first, second = await leaves(owner, page), await leaves(owner, page)
    for at, user, expected in ((first, "chen-yutong", 1), (second, "li-siyuan", 1)):
        back = await agreed(owner.browser, at, user)
        assert back is not None
        assert where(await owner.browser.get(back)) == (303, "/centre/link")
        assert len(await program.rooms.stores.members.notices(member.account, 5)) == expected
    await newcomer(await program.browser(), Provider.WECHAT, "li-siyuan")
    # And another provider asks for it anew.
    program.clock.advance(61)
    flow = await chosen(owner, "link", Provider.BAIDU)
    assert where(await owner.get(f"/centre/link/leave{flow}")) == (303, "/centre/link")


async def test_where_there_is_no_provider_nothing_can_be_bound(start_program: StartProgram) -> None:
    program = await start_program(settings=lambda settings: replace(settings, wechat_login=None))
    member = await enrolled(program)
    owner = await Owner.of(program, member.account)
    shown = await owner.get(THIRD)
    assert "wechat" not in [form.values.get("provider") for form in forms(shown)]
    form = next(form for form in forms(shown) if form.values.get("provider"))
    answer = await send(owner.browser, form.typed(provider="wechat"), "link")
    assert where(answer) == (303, THIRD)
    assert await left(await program.browser(), Provider.ALIPAY)


@pytest.mark.req("OPS-4")
async def test_a_process_that_dies_as_it_binds_leaves_an_address_that_goes_on_or_a_page_that_begins_again(
    program: Program, member: Standing
) -> None:
    seams = []
    for writes in count(1):
        number = f"1540000{writes:04d}"
        await program.rooms.stores.externals.unlink_all(member.account, program.clock.now())
        await program.rooms.stores.members.set_phone(member.account, number, program.clock.now())
        owner = await Owner.of(program, member.account, phone=number)
        back = await binding(owner, Provider.BAIDU)
        life = program.lives[0]
        life.ends_after(writes)
        loading, dying = asyncio.create_task(owner.browser.get(back)), asyncio.create_task(life.over.wait())
        await asyncio.wait((loading, dying), return_when=asyncio.FIRST_COMPLETED)
        life.lives_on()
        if not life.over.is_set():
            dying.cancel()
            assert where(await loading) == (303, "/centre/link")
            break
        seams += life.written[-1:]
        await program.comes_back(memory=True)
        program.clock.advance(15)
        answer = await loading
        # The code may have been used up for an answer that nobody has noted: the change is open for another way.
        assert where(answer) in {(303, "/centre/link"), (410, "")}, seams[-1]
        if answer.status == 410:
            [again] = [link for link in links(answer) if "/link?flow=" in link]
            fresh = await agreed(owner.browser, await leaves(owner, await owner.browser.get(again)))
            assert fresh is not None
            answer = await owner.browser.get(fresh)
        assert heading(await owner.follow(answer)) == "绑定成功，以后可以用它登录", seams[-1]
        assert await linked(program, member.account) == [Provider.BAIDU]
    assert {"drafts.replace", "externals.link"} <= set(seams)


@pytest.mark.attack("Q23")
async def test_an_address_begins_ways_and_brings_codes_so_often_and_no_oftener(
    start_program: StartProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows = ExternalWindows(opened=Window(2, MINUTE), source=Window(1, MINUTE))
    monkeypatch.setattr(external, "ExternalWindows", lambda: windows)
    program = await start_program()
    owner = await Owner.of(program, (await enrolled(program)).account)
    page = await ready(owner, Provider.WECHAT)
    first, second = await program.browser(), await program.browser()
    backs = [await returning(browser, Provider.WECHAT) for browser in (first, second)]
    [link] = [found for found in links(page) if "/link/leave" in found]
    for browser, way in ((owner.browser, link), (await program.browser(), "/login/third/wechat")):
        assert (await browser.get(way)).status == 429
    assert where(await first.get(backs[0])) == (303, LINK)
    assert (await second.get(backs[1])).status == 429
    program.clock.advance(60)
    assert where(await second.get(backs[1])) == (303, LINK), "whose code is not used up"
    back = await agreed(owner.browser, await leaves(owner, page), "li-siyuan")
    assert back is not None
    program.clock.advance(60)
    assert where(await owner.browser.get(back)) == (303, "/centre/link")
