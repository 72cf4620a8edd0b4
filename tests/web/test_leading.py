"""What comes before an agreement: logging in anew, choosing an account, proving more (RP-2, RNV-9)."""

from __future__ import annotations

import re

import pytest

from bjidp.accounts.ports import Evidence
from bjidp.clock import SECOND
from tests.support.browser import SESSION
from tests.support.calls import Answer
from tests.support.forms import form_of, links, send
from tests.support.members import enrolled
from tests.support.owner import Owner
from tests.support.program import Program
from tests.web.test_authorize import address, followed, told
from tests.web.test_bank_card import coded, everybody, filled
from tests.web.test_face import at_the_end, weakened
from tests.web.test_face import shown as face_shown
from tests.web.test_real_name import give, person
from tests.web.test_relying_parties import Site, exchange, site
from tests.web.test_settings import NEW_PASSWORDS
from tests.web.test_verify import approved

pytestmark = pytest.mark.req("RP-2")

__all__ = ["site"]

PAGE = "/oauth/continue"
OTHER = "15400005679"


@pytest.fixture
async def owner(program: Program, site: Site) -> Owner:
    """Return a member who has logged in with a password, a minute ago, and has agreed to what the site reads."""
    member = await Owner.of(program, site.member.account)
    page = await followed(member.browser, address())
    await press(member, await member.get(page), "agree")
    await followed(member.browser, page)
    program.clock.advance(60)
    return member


async def asked(owner: Owner, **change: str) -> tuple[str, Answer]:
    """Begin a request; return the address of its page, and the page."""
    page = await followed(owner.browser, address(**change))
    return page, await owner.get(page)


async def press(owner: Owner, shown: Answer, act: str = "", way: str = "") -> Answer:
    """Press a button of a page; pages with several forms have one request in all of them."""
    assert shown.status == 200, shown
    values = dict(re.findall(r'name="(csrf|request)" value="([^"]+)"', shown.text))
    body = values | ({"way": way} if way else {"act": act})
    assert f'value="{way or act}"' in shown.text
    return await owner.browser.submit(PAGE, body)


async def proved(owner: Owner, way: Answer) -> str:
    """Go through 验证身份 by SMS where a page leads; return where it leads from there."""
    where = str(way.header("Location"))
    setting = where.rpartition("/")[2]
    form = await owner.asks(setting)
    answer = owner.browser.keep(await send(owner.browser, form.typed(code=owner.code or "")))
    return await followed(owner.browser, str(answer.header("Location")))


async def claims_of(site: Site, code: str) -> dict[str, object]:
    given = (await site.ask("/oauth/token", exchange(code))).json()
    told: dict[str, object] = (await site.ask("/oauth/introspect", {"token": given["access_token"]})).json()
    return told


async def test_who_was_asked_to_log_in_anew_proves_themselves_and_goes_on(owner: Owner, site: Site) -> None:
    before = int(owner.program.clock.now() / 1000)
    page, shown = await asked(owner, prompt="login")
    assert "请重新登录" in shown.text
    assert await proved(owner, await press(owner, shown, way="reauthenticate")) == page
    back = told(await followed(owner.browser, page))
    told_of = await claims_of(site, back["code"])
    assert told_of["amr"] == ["pwd", "sms"]
    assert int(str(told_of["auth_time"])) >= before


async def test_a_login_of_a_minute_ago_is_too_long_ago_for_half_a_minute_and_not_for_two(
    owner: Owner, site: Site
) -> None:
    _, shown = await asked(owner, max_age="30")
    assert "已有一段时间" in shown.text
    page = await followed(owner.browser, address(max_age="120"))
    assert "code" in told(await followed(owner.browser, page))


async def test_the_session_is_the_same_after_a_login_anew(owner: Owner, site: Site) -> None:
    [before] = await owner.program.rooms.stores.sessions.of_account(site.member.account, owner.program.clock.now())
    _, shown = await asked(owner, prompt="login")
    await proved(owner, await press(owner, shown, way="reauthenticate"))
    [after] = await owner.program.rooms.stores.sessions.of_account(site.member.account, owner.program.clock.now())
    assert (after.id, after.created_at) == (before.id, before.created_at)


async def test_somebody_goes_on_as_who_they_are_when_asked_to_choose(owner: Owner) -> None:
    page, shown = await asked(owner, prompt="select_account")
    assert "选择账号" in shown.text
    assert str((await press(owner, shown, "stay")).header("Location")) == page
    assert "code" in told(await followed(owner.browser, page))


async def test_a_site_that_expects_somebody_is_answered_about_nobody_else(
    owner: Owner, site: Site, program: Program
) -> None:
    page = await followed(owner.browser, address())
    given = (await site.ask("/oauth/token", exchange(told(await followed(owner.browser, page))["code"]))).json()
    program.clock.advance(3600)
    page = await followed(owner.browser, address(id_token_hint=given["id_token"], prompt="none"))
    assert "code" in told(await followed(owner.browser, page))
    other = await Owner.of(program, (await enrolled(program, username="li_si", phone="15400005679")).account)
    page, shown = await asked(other, id_token_hint=given["id_token"])
    assert "等待登录的是另一个账号" in shown.text
    page = await followed(other.browser, address(id_token_hint=given["id_token"], prompt="none"))
    assert told(await followed(other.browser, page))["error"] == "login_required"


@pytest.mark.attack("Q28")
async def test_another_account_is_logged_in_to_only_once_this_one_is_left(owner: Owner, site: Site) -> None:
    page, shown = await asked(owner, prompt="select_account")
    left = await press(owner, shown, "other")
    assert left.header("Location") == "/login"
    assert owner.browser.to.cookie(SESSION) not in owner.browser.cookies
    now = owner.program.clock.now()
    assert await owner.program.rooms.stores.sessions.of_account(site.member.account, now) == []
    assert await followed(owner.browser, page) == "/login"


@pytest.mark.req("RNV-9")
@pytest.mark.attack("P10")
async def test_a_level_that_an_account_does_not_have_is_proved_and_never_assumed(owner: Owner) -> None:
    page, shown = await asked(owner, acr_values="L3")
    assert "您当前访问业务要求完成以下信息认证方可登录" in shown.text
    for way in ("real_name", "bank_card"):
        led = await press(owner, shown, way=way)
        assert led.header("Location") == f"/centre/{way}"
    assert 'value="face"' not in shown.text
    # Whatever was opened meanwhile, the request has not moved.
    assert "方可登录" in (await owner.get(page)).text


@pytest.mark.req("RNV-1", "RNV-9")
async def test_whose_document_has_run_out_is_offered_what_raises_it_alone(owner: Owner, site: Site) -> None:
    who = (await everybody(owner.program))["chen-yutong"]
    await give(owner.program, site.member.account, who, Evidence.BANK_CARD)
    owner.program.sql("UPDATE identity SET runs_out_at = ?", owner.program.clock.now())
    _, shown = await asked(owner, acr_values="L3")
    assert [way for way in ("real_name", "bank_card", "face") if f'value="{way}"' in shown.text] == ["real_name"]


@pytest.mark.req("RNV-9")
async def test_who_gives_up_is_answered_that_the_level_was_not_met(owner: Owner) -> None:
    _, shown = await asked(owner, acr_values="L2 L3")
    refused = await press(owner, shown, "unmet")
    assert told(str(refused.header("Location")))["error"] == "unmet_authentication_requirements"


async def test_a_level_that_nobody_reaches_here_is_told_at_once(owner: Owner) -> None:
    page = await followed(owner.browser, address(acr_values="L4"))
    assert told(await followed(owner.browser, page))["error"] == "unmet_authentication_requirements"


@pytest.mark.attack("P10")
async def test_a_policy_that_wants_what_no_code_on_a_screen_gives_is_told_no(owner: Owner) -> None:
    where = await followed(owner.browser, address(acr_values="phr"))
    assert told(where)["error"] == "unmet_authentication_requirements"


@pytest.mark.attack("T4")
@pytest.mark.parametrize("way", ["https://evil.example", "//evil.example", "password", "cancel", "../x"])
async def test_a_way_is_one_of_ours_whatever_was_sent(owner: Owner, way: str) -> None:
    _, shown = await asked(owner, acr_values="L3")
    values = dict(re.findall(r'name="(csrf|request)" value="([^"]+)"', shown.text))
    answer = await owner.browser.submit(PAGE, values | {"way": way})
    assert (answer.status, answer.header("Location")) == (400, None)


@pytest.mark.attack("T4", "Q27")
@pytest.mark.parametrize(
    "name", ["https://evil.example/", "x\r\nLocation: https://evil.example/", "x#y", "", "中", "A" * 22]
)
async def test_a_request_is_one_that_there_is_whatever_name_was_sent(owner: Owner, name: str) -> None:
    _, shown = await asked(owner, acr_values="L3")
    values = dict(re.findall(r'name="(csrf)" value="([^"]+)"', shown.text)) | {"request": name}
    for said in ({"way": "real_name"}, *({"act": act} for act in ("agree", "stay", "other", "refuse", "unmet"))):
        answer = await owner.browser.submit(PAGE, values | said)
        assert (answer.status, answer.header("Location")) == (410, None)
    assert owner.browser.to.cookie(SESSION) in owner.browser.cookies


async def test_the_way_back_is_from_what_was_asked_for_and_from_nothing_else(owner: Owner) -> None:
    page, shown = await asked(owner, acr_values="L2")
    await press(owner, shown, way="real_name")
    changed = await owner.follow(await send(owner.browser, (await owner.may("password")).typed(**NEW_PASSWORDS)))
    assert "修改成功" in changed.text
    assert page not in links(changed)


async def test_the_way_back_is_as_good_as_the_request(owner: Owner) -> None:
    for later, led in ((29 * 60, True), (30 * 60, False)):
        owner.program.clock.advance(1)
        page, shown = await asked(owner, prompt="login")
        way = await press(owner, shown, way="reauthenticate")
        owner.program.clock.advance(later)
        assert await proved(owner, way) == (page if led else "/centre")


async def test_whoever_cannot_show_a_face_at_once_is_led_back_when_they_have(owner: Owner, site: Site) -> None:
    await give(owner.program, site.member.account, await person(owner.program), Evidence.NAME_AND_NUMBER)
    page, shown = await asked(owner, acr_values="L3")
    first = await owner.get(str((await press(owner, shown, way="face")).header("Location")))
    assert "请先用京通登录本账号" in first.text
    assert page in links(first)
    assert page not in links(await (await Owner.of(owner.program, site.member.account)).get("/centre/face"))


@pytest.mark.req("RNV-9", "RNV-3")
@pytest.mark.attack("P10", "B5")
async def test_a_login_by_qr_is_stepped_up_by_a_face_and_told_as_both(program: Program, site: Site) -> None:
    phone = await program.phone()
    browser = await program.signed_in(phone)
    [(account,)] = program.sql("SELECT account FROM browser_session")
    await weakened(program, account)
    asks = {"scope": "openid", "prompt": "consent"}
    somebody = Owner(program, browser)
    page = await followed(browser, address(**asks))
    await press(somebody, await somebody.get(page), "agree")
    told_of = await claims_of(site, told(await followed(browser, page))["code"])
    assert (told_of["acr"], told_of["amr"]) == ("L2", ["qr"])

    page = await followed(browser, address(acr_values="L3", **asks))
    shown = await somebody.get(page)
    assert "方可登录" in shown.text
    await press(somebody, shown, way="face")
    assert "方可登录" in (await somebody.get(page)).text, "having been led to it is no proof"
    _, grant = await approved(program, phone, browser, "/centre/verify/face")
    assert (await browser.redeem(grant, program.code)).status == 200
    assert "方可登录" in (await somebody.get(page)).text, "nor is a second confirmation"
    before = program.clock.now()
    program.clock.advance(1)
    _, grant, _, where = await face_shown(program, phone, browser)
    assert (await browser.redeem(grant, program.code)).status == 200
    assert page in links(await at_the_end(browser, where))
    await press(somebody, await somebody.get(page), "agree")
    told_of = await claims_of(site, told(await followed(browser, page))["code"])
    assert (told_of["acr"], told_of["amr"]) == ("L3", ["qr", "face"])
    assert int(str(told_of["auth_time"])) > before // SECOND


@pytest.mark.req("RNV-9", "RNV-4")
async def test_a_bank_card_raises_the_level_for_a_site_which_is_told_of_it(owner: Owner, site: Site) -> None:
    who = (await everybody(owner.program))["chen-yutong"]
    page, shown = await asked(owner, acr_values="L3")
    await press(owner, shown, way="bank_card")
    form = filled(form_of(await owner.proves("bank_card"), "/centre/bank_card"), who)
    done = await owner.follow(await send(owner.browser, await coded(owner, form, who["phone"])))
    assert done.header("Refresh") == f"7; url={page}"
    assert page in links(done)
    told_of = await claims_of(site, told(await followed(owner.browser, page))["code"])
    assert (told_of["acr"], told_of["amr"]) == ("L3", ["pwd", "sms", "bank"])


async def test_a_request_that_was_answered_leads_nobody_any_more(owner: Owner, site: Site) -> None:
    page, shown = await asked(owner, prompt="login")
    await proved(owner, await press(owner, shown, way="reauthenticate"))
    told(await followed(owner.browser, page))
    [session] = await owner.program.rooms.stores.sessions.of_account(site.member.account, owner.program.clock.now())
    assert not any(page in kept for kept in session.data.values())


@pytest.mark.req("ACC-8")
@pytest.mark.attack("P10")
async def test_who_has_no_phone_number_logs_in_anew_in_jingtong_which_is_told_as_that_and_no_more(
    program: Program, site: Site
) -> None:
    phone = await program.phone()
    browser = await program.signed_in(phone)
    somebody, begun = Owner(program, browser), program.clock.now() // SECOND
    program.clock.advance(60)
    page = await followed(browser, address(scope="openid", max_age="30"))
    led = await press(somebody, await somebody.get(page), way="reauthenticate")
    assert "/centre/verify/reauthenticate" in links(await somebody.follow(led))
    _, grant = await approved(program, phone, browser, "/centre/verify/reauthenticate")
    onward = str((await browser.redeem(grant, program.code)).json()["next"])
    assert await followed(browser, onward) == page
    await press(somebody, await somebody.get(page), "agree")
    told_of = await claims_of(site, told(await followed(browser, page))["code"])
    assert told_of["amr"] == ["qr"]
    assert int(str(told_of["auth_time"])) >= begun + 60


@pytest.mark.attack("Q28")
async def test_a_request_that_somebody_else_began_and_agreed_to_is_asked_about_anew(owner: Owner) -> None:
    other = await Owner.of(owner.program, (await enrolled(owner.program, username="li_si", phone=OTHER)).account)
    owner.program.clock.advance(1)
    page, shown = await asked(owner, prompt="consent select_account")
    await press(owner, shown, "stay")
    await press(owner, await owner.get(page), "agree")
    shown = await other.get(page)
    assert "选择账号" in shown.text
    assert "当前登录：l***********i" in shown.text, "they see who they are before anything is said of them"
    await press(other, shown, "stay")
    assert 'value="agree"' in (await other.get(page)).text
    assert "选择账号" in (await owner.get(page)).text, "what one has said says nothing of the other"


@pytest.mark.req("RP-2")
async def test_what_a_resource_server_asks_for_is_asked_of_the_person(owner: Owner, site: Site) -> None:
    """RFC 9470, section 4: the site passes on ``acr_values`` and ``max_age`` of the challenge."""
    await give(owner.program, site.member.account, await person(owner.program), Evidence.NAME_AND_NUMBER)
    page, shown = await asked(owner, acr_values="L2", max_age="30")
    assert "已有一段时间" in shown.text
    await proved(owner, await press(owner, shown, way="reauthenticate"))
    told_of = await claims_of(site, told(await followed(owner.browser, page))["code"])
    assert told_of["acr"] == "L2"
    assert owner.program.clock.now() // SECOND - int(str(told_of["auth_time"])) <= 30


@pytest.mark.parametrize("change", [{"prompt": "login"}, {"max_age": "0"}, {"prompt": "select_account"}])
async def test_no_page_is_shown_where_none_may_be(owner: Owner, change: dict[str, str]) -> None:
    asked_for = {"prompt": "none"} if "max_age" in change else change | {"prompt": f"none {change['prompt']}"}
    where = await followed(owner.browser, address(**(change | asked_for)))
    if where.startswith("/"):
        where = await followed(owner.browser, where)
    assert told(where)["error"] in {"login_required", "invalid_request"}
