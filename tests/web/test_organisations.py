"""我的法人 and 法人登录 on pages, without a script: registering, appointing, answering, choosing, and what ends."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any, Final

import pytest
from msgspec.structs import replace

from bjidp.accounts.ports import Evidence, NewAccount
from bjidp.bootstrap.proofing import open_claims
from bjidp.clock import DAY, HOUR, SECOND
from bjidp.organisations import mandates
from bjidp.person import DocumentType, Person
from bjidp.platforms import Platform, PlatformIdentity
from bjidp.proofing.claims import Claim
from bjidp.proofing.ports import NewIdentity
from bjidp.sessions.ports import Login, Way
from tests.support.calls import Answer
from tests.support.forms import WebForm, form_of, forms, heading, links, note, post, send
from tests.support.inbox import arrived
from tests.support.members import PASSWORD, USERNAME, enrolled
from tests.support.owner import Owner
from tests.support.program import Program
from tests.web.conftest import StartProgram
from tests.web.test_bank_card import everybody
from tests.web.test_real_name import PREFIXES, give
from tests.web.test_settings import where

AGENTS: Final = "15400005679"
NOBODYS: Final = "15400005680"


async def company(program: Program, name: str = "qinghe") -> dict[str, Any]:
    """Return an organisation of the sandbox by its id."""
    listed = await (await program.browser()).caller.sandbox("/control/organisations")
    return next(one for one in listed if one["id"] == name)


async def leader(program: Program, prefix: str = "", who: str = "chen-yutong") -> Owner:
    """Return somebody who leads an organisation and is at L3, logged in."""
    account = (await enrolled(program)).account
    await give(program, account, (await everybody(program))[who])
    return await Owner.of(program, account, prefix)


async def agent(program: Program, prefix: str = "", evidence: Evidence = Evidence.FACE) -> Owner:
    """Return 王建国, whom nobody has appointed yet, logged in."""
    account = (await enrolled(program, username="wang_jianguo", phone=AGENTS)).account
    await give(program, account, (await everybody(program))["wang-jianguo"], evidence)
    return await Owner.of(program, account, prefix)


def stated(form: WebForm, organisation: dict[str, Any], **other: str) -> WebForm:
    """Return the form with an organisation."""
    fields = {"credit_code": organisation["credit_code"], "organisation_name": organisation["name"]}
    return form.typed(**fields | other)


async def registered(owner: Owner, name: str = "qinghe") -> Answer:
    """Register an organisation; return the last page."""
    form = stated(await owner.may("organisation"), await company(owner.program, name))
    return await owner.follow(await send(owner.browser, form))


async def offered(owner: Owner, phone: str = AGENTS, **other: str) -> Answer:
    """Offer a mandate; return what the post of the form is answered."""
    owner.program.clock.advance(61)
    form = await owner.may("appoint")
    return await send(owner.browser, form.typed(phone=phone, scope="filing", ends_on="2027-12-31", **other))


def pressing(answer: Answer, act: str) -> WebForm:
    """Return the form of a page with the button of this name."""
    found = [form for form in forms(answer) if act in form.acts]
    assert len(found) == 1, (act, answer.text)
    return found[0]


async def answers(owner: Owner, act: str) -> Answer:
    """Press a button of 我的法人; return the page it leads to."""
    page = await owner.get("/centre/organisations")
    return await owner.follow(await send(owner.browser, pressing(page, act), act))


async def chooses(owner: Owner) -> Answer:
    """Act for the one organisation there is; return what the choice is answered."""
    page = await owner.get("/centre/acting")
    [form] = [form for form in forms(page) if "capacity" in form.values]
    return await send(owner.browser, form)


async def acts_for(owner: Owner) -> str | None:
    """Return the name that 个人中心 says one acts for."""
    found = re.search(r"正在代表“([^”]*)”办事", (await owner.get("/centre")).text)
    return None if found is None else found[1]


@pytest.mark.req("ORG-1", "ORG-2", "ORG-3", "LOG-9", "UX-4")
@pytest.mark.parametrize("prefix", PREFIXES)
async def test_a_legal_representative_registers_appoints_and_an_agent_acts_until_it_is_over(
    program: Program, prefix: str
) -> None:
    zhang, li = await leader(program, prefix), await agent(program, prefix)
    known = await company(program)
    assert f"{prefix}/centre/organisations" in links(await zhang.get("/centre"))
    form = await zhang.may("organisation")
    assert form.fields == ["credit_code", "organisation_name"]
    page = await zhang.follow(await send(zhang.browser, stated(form, known)))
    assert heading(page) == "登记成功，您可以代表这个法人办事了"
    assert page.header("Refresh") == f"7; url={prefix}/centre/organisations"

    answer = await offered(zhang)
    page = await zhang.follow(answer)
    assert heading(page) == "邀请已发出，请等对方登录后答复"
    page = await zhang.get("/centre/organisations")
    for said in (known["name"], known["credit_code"], "154****5679", "等待答复", "办事申报", "到2027年12月31日为止"):
        assert said in page.text, said
    assert AGENTS not in page.text

    assert "有1份经办人邀请等您答复" in (await li.get("/centre")).text
    page = await li.get("/centre/organisations")
    assert "法定代表人陈**邀请您担任经办人" in page.text
    page = await answers(li, "accept")
    assert "您已接受委托" in page.text
    assert where(await chooses(li)) == (303, f"{prefix}/centre")
    assert await acts_for(li) == known["name"]
    page = await zhang.get("/centre/organisations")
    assert "王**" in page.text

    page = await answers(zhang, "end")
    assert "已经结束，马上生效" in page.text
    assert "由法定代表人结束" in (await zhang.get("/centre/log")).text
    page = await li.get("/centre")
    assert "现在不能再代表了" in page.text
    assert "现在不能再代表了" not in (await li.get("/centre")).text
    assert await acts_for(li) is None


@pytest.mark.req("ORG-3", "LOG-9", "LOG-1")
@pytest.mark.parametrize("prefix", PREFIXES)
async def test_the_way_of_a_legal_person_leads_through_a_personal_login_to_the_choice(
    program: Program, prefix: str
) -> None:
    zhang = await leader(program, prefix)
    await registered(zhang)
    stranger = await program.browser()
    page = await stranger.get("/h5/login" if prefix else "/login?tab=legal")
    assert f"{prefix}/centre/acting" in links(page)
    turned = stranger.keep(await stranger.get(f"{prefix}/centre/acting"))
    assert where(turned) == (303, f"{prefix}/login")
    action, tab = (f"{prefix}/login", "") if prefix else ("/login", "?tab=account")
    form = form_of(await stranger.get(action + tab), action)
    form = form.typed(captcha=program.captchas[form.captcha], password=PASSWORD, agreed="yes")
    form.values["account"] = "15400005678" if prefix else USERNAME
    if not prefix:
        form.values.pop("agreed")
    entered = stranger.keep(await send(stranger, form))
    assert where(entered) == (303, f"{prefix}/centre/acting")
    owner = Owner(program, stranger, prefix)
    assert heading(await owner.get("/centre/acting")) == "选择代表谁办事"
    await chooses(owner)
    assert await acts_for(owner) == (await company(program))["name"]
    if not prefix:
        assert "/centre/acting" in links(await stranger.get("/login?tab=legal"))
    # The other browser of the same person is itself still.
    assert await acts_for(zhang) is None
    page = await owner.get("/centre/acting")
    await send(owner.browser, pressing(page, "leave"), "leave")
    assert await acts_for(owner) is None


@pytest.mark.req("ORG-1", "UX-5")
@pytest.mark.parametrize(
    ("name", "who", "said"),
    [
        ("chunfeng", "li-siyuan", "名称和登记的不一致"),
        ("changan", "liu-zihan", "登记的法定代表人不是您"),
        ("wuyou", "sun-haoran", "登记机关查不到这个统一社会信用代码"),
        ("jinqiu", "gao-zhiyuan", "已被吊销"),
        ("wangri", "deng-xinyi", "已经注销"),
        ("qimian", "pan-haoran", "营业期限已过"),
    ],
)
async def test_a_no_of_the_register_is_told_by_kind_with_what_to_do_and_what_was_typed_is_kept(
    program: Program, name: str, who: str, said: str
) -> None:
    owner, known = await leader(program, who=who), await company(program, name)
    answer = await send(owner.browser, stated(await owner.may("organisation"), known))
    assert answer.status == 422
    assert "登记机关没有确认您是这个法人的法定代表人" in note(answer)
    assert said in answer.text
    again = form_of(answer, "/centre/organisation")
    assert (again.values["credit_code"], again.values["organisation_name"]) == (known["credit_code"], known["name"])
    assert program.sql("SELECT count(*) FROM organisation") == [(0,)]


@pytest.mark.req("ORG-1", "ORG-2", "UX-5", "OPS-2")
async def test_what_is_wrong_with_either_form_is_said_beside_each_field(program: Program) -> None:
    owner = await leader(program)
    known = await company(program)
    form = await owner.may("organisation")
    typed = stated(form, known, credit_code="91110000600037341L", organisation_name=" ")
    assert form_of(await send(owner.browser, typed), "/centre/organisation").faults == {
        "credit_code": "演示环境只用虚拟法人的代码，第3至8位是000000",
        "organisation_name": "请输入法人名称",
    }
    wrong = stated(form, known, credit_code=known["credit_code"][:-1] + "5")
    told = form_of(await send(owner.browser, wrong), "/centre/organisation").faults
    assert told == {"credit_code": "最后一位对不上，请对照证照逐位检查"}
    await owner.follow(await send(owner.browser, stated(form, known)))
    program.clock.advance(61)
    form = await owner.may("appoint")
    assert form.fields == ["organisation", "phone", "scope", "ends_on"]
    answer = await send(owner.browser, form.typed(phone="15400005678", ends_on="2001-01-01"))
    assert answer.status == 422
    again = form_of(answer, "/centre/appoint")
    assert again.faults == {
        "phone": "这是您自己的手机号。法定代表人本人不需要委托",
        "scope": "请选择委托范围",
        "ends_on": "截止日期已经过去，请选今天或以后的日期",
    }
    assert (again.values["phone"], again.values["ends_on"]) == ("15400005678", "2001-01-01")
    assert "scope" not in again.values


@pytest.mark.req("ORG-1", "OPS-4")
async def test_a_register_that_fails_is_told_as_an_outage_and_the_retry_is_charged_once(program: Program) -> None:
    owner, known = await leader(program), await company(program)
    form = stated(await owner.may("organisation"), known)
    sandbox = owner.browser.caller.sandbox
    before = len(await sandbox("/control/charges?service=register"))
    await sandbox("/control/faults", {"service": "register", "mode": "http500"})
    answer = await send(owner.browser, form)
    assert answer.status == 503
    assert note(answer)
    assert form_of(answer, "/centre/organisation").values["credit_code"] == known["credit_code"]
    assert program.sql("SELECT count(*) FROM organisation") == [(0,)]
    await sandbox("/control/faults", {"service": "register", "mode": "ok"})
    assert heading(await owner.follow(await send(owner.browser, form))).startswith("登记成功")
    assert len(await sandbox("/control/charges?service=register")) == before + 1


@pytest.mark.req("ORG-3", "ORG-1", "OPS-4")
async def test_an_outage_of_days_keeps_people_from_acting_in_words_until_the_register_answers(program: Program) -> None:
    owner = await leader(program)
    await registered(owner)
    account = program.sql("SELECT representative FROM organisation")[0][0]
    program.clock.advance(3 * DAY // SECOND)
    owner = await Owner.of(program, account)
    sandbox = owner.browser.caller.sandbox
    await sandbox("/control/faults", {"service": "register", "mode": "http500"})
    answer = await chooses(owner)
    assert (answer.status, answer.header("Retry-After") is not None) == (503, True)
    assert note(answer)
    assert await acts_for(owner) is None
    await sandbox("/control/faults", {"service": "register", "mode": "ok"})
    assert (await chooses(owner)).status == 303


@pytest.mark.req("ORG-1", "UX-5")
async def test_whoever_leads_reads_that_the_register_did_not_confirm_and_what_to_do(program: Program) -> None:
    owner = await leader(program)
    await registered(owner)
    await chooses(owner)
    said = "登记机关最近一次没有确认这个法人，现在谁都不能代表它办事"
    assert said not in (await owner.get("/centre/organisations")).text
    program.sql("UPDATE organisation SET refused_at = confirmed_at")
    assert said in (await owner.get("/centre/organisations")).text
    assert "现在不能再代表了" in (await owner.get("/centre")).text
    assert (await chooses(owner)).status == 303, "the register has said yes"
    assert said not in (await owner.get("/centre/organisations")).text


@pytest.mark.req("ORG-2")
@pytest.mark.attack("R1")
async def test_who_offers_learns_nothing_of_the_account_that_has_the_number(program: Program) -> None:
    """A number with an account and one without: the same answers and the same pages but for the number itself."""
    owner = await leader(program)
    await registered(owner)
    await agent(program)
    seen = []
    for phone in (AGENTS, NOBODYS):
        answer = await offered(owner, phone)
        seen.append((answer.status, _alike((await owner.follow(answer)).text)))
    assert seen[0] == seen[1]
    program.clock.advance(61)
    form, told = await owner.may("appoint"), []
    for phone in (AGENTS, NOBODYS):
        again = await send(owner.browser, form.typed(phone=phone, scope="filing", ends_on="2027-12-31"))
        assert form_of(again, "/centre/appoint").faults == {
            "phone": "这个手机号已有一份邀请或委托。要换一份，请先在“我的法人”里结束它，距上次邀请满24小时再发"
        }
        told.append((again.status, _alike(again.text).replace(phone, "")))
    assert told[0] == told[1]
    page = await owner.get("/centre/organisations")
    rows = [_alike(row).replace("5679", "5680") for row in re.findall(r"(?s)<li>.*?</li>", page.text)]
    assert len(rows) == 2
    assert rows[0] == rows[1]


def _alike(page: str) -> str:
    return re.sub(r'(csrf|mandate|flow|captcha_id)" value="[^"]*"|flow=[\w-]{22}|等待答复|\d+:\d+', "", page)


@pytest.mark.req("ORG-2")
@pytest.mark.parametrize("act", ["decline", "end"])
@pytest.mark.attack("O11")
async def test_an_offer_is_declined_or_withdrawn_and_a_number_may_be_asked_again_the_next_day(
    program: Program, act: str
) -> None:
    zhang, li = await leader(program), await agent(program)
    await registered(zhang)
    await offered(zhang)
    page = await answers(li if act == "decline" else zhang, act)
    assert ("您没有接受这份邀请" if act == "decline" else "已经结束") in page.text
    assert "收到的邀请" not in (await li.get("/centre/organisations")).text
    refused = await offered(zhang)
    assert refused.status == 422
    again = form_of(refused, "/centre/appoint")
    assert again.faults == {"phone": "24小时内已经邀请过这个手机号，请满24小时后再邀请"}
    program.sql("UPDATE mandate SET offered_at = offered_at - ?", DAY)
    assert (await send(zhang.browser, again)).status == 303


@pytest.mark.req("ORG-2", "UX-4")
@pytest.mark.attack("Q9")
@pytest.mark.parametrize("prefix", PREFIXES)
async def test_what_is_over_is_on_pages_of_its_own_for_either_side(
    program: Program, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mandates, "HISTORY", 1)
    zhang, li = await leader(program, prefix), await agent(program, prefix)
    await registered(zhang)
    await offered(zhang, NOBODYS)
    await answers(zhang, "end")
    program.clock.advance(61)
    await offered(zhang)
    await answers(li, "accept")
    await answers(li, "end")
    page = await zhang.get("/centre/organisations")
    assert "已结束" not in page.text
    ours = next(link for link in links(page) if "history?organisation=" in link)
    newest = await zhang.browser.get(ours)
    assert ("已结束" in newest.text, "154****5679" in newest.text, "154****5680" in newest.text) == (True, True, False)
    older = next(link for link in links(newest) if "before=" in link)
    oldest = await zhang.browser.get(unescape(older))
    assert ("154****5679" in oldest.text, "154****5680" in oldest.text) == (False, True)
    assert not [link for link in links(oldest) if "before=" in link]
    assert ours in links(oldest)
    assert ("结束时间" in newest.text, "154****5680" in newest.text) == (True, False)
    page = await li.get("/centre/organisations")
    mine = await li.browser.get(next(link for link in links(page) if link.endswith("/history")))
    assert (await company(program))["name"] in mine.text
    for text in ("1.x", "-1." + "A" * 22, "x" * 4000):
        assert "154****5679" in (await zhang.browser.get(f"{ours}&before={text}")).text, "the newest"
    assert (await li.browser.get(ours)).status == 404


@pytest.mark.req("ORG-1", "ORG-2", "ORG-3", "RNV-1")
async def test_who_is_below_l3_is_told_what_is_missing_and_where_it_is_done(program: Program) -> None:
    zhang, li = await leader(program), await agent(program, evidence=Evidence.NAME_AND_NUMBER)
    await registered(zhang)
    await offered(zhang)
    page = await li.get("/centre/organisations")
    assert "需要先完成中级实名认证" in page.text
    assert "/centre#identity" in links(page)
    assert not any("accept" in form.acts for form in forms(page))
    offer = pressing(page, "decline")
    refused = await send(li.browser, offer, "accept")
    assert refused.status == 403
    assert "需要先完成中级实名认证" in note(refused)
    assert "需要先完成中级实名认证" in (await li.get("/centre/acting")).text
    program.clock.advance(61)
    low = await Owner.of(program, (await enrolled(program, username="nobody_1", phone=NOBODYS)).account)
    answer = await post(low.browser, "/centre/acting", {"csrf": offer.values["csrf"], "capacity": "m.1"})
    assert answer.status == 403, "another session's token"
    token = forms(await low.get("/centre"))[0].values["csrf"]
    answer = await post(low.browser, "/centre/acting", {"csrf": token, "capacity": "m.1"})
    assert (answer.status, "需要先完成中级实名认证" in note(answer)) == (403, True)


@pytest.mark.req("ORG-3", "RNV-1", "UX-5")
@pytest.mark.parametrize("prefix", PREFIXES)
async def test_both_sides_read_what_to_do_where_who_leads_has_fallen_below_l3(program: Program, prefix: str) -> None:
    zhang, li = await leader(program, prefix), await agent(program, prefix)
    await registered(zhang)
    await offered(zhang)
    await answers(li, "accept")
    await chooses(li)
    to_agents, to_leader = "请联系法定代表人重新完成中级实名认证", "您登记的法人谁都不能代表，经办人也不能"
    assert to_agents not in (await li.get("/centre/organisations")).text
    account = program.sql("SELECT representative FROM organisation")[0][0]
    program.sql("UPDATE identity SET evidence = 'name_and_number' WHERE account = ?", account)
    assert "现在不能再代表了" in (await li.get("/centre")).text
    for path in ("/centre/organisations", "/centre/acting"):
        page = await li.get(path)
        assert to_agents in page.text, path
        assert not [form for form in forms(page) if "capacity" in form.values]
    assert to_leader in (await zhang.get("/centre/organisations")).text
    program.sql("UPDATE identity SET evidence = 'face' WHERE account = ?", account)
    assert to_agents not in (await li.get("/centre/acting")).text
    await chooses(li)
    assert await acts_for(li) == (await company(program))["name"]


@pytest.mark.req("ORG-1", "ORG-2", "ORG-3", "UX-4")
@pytest.mark.parametrize("prefix", PREFIXES)
async def test_an_organisation_is_given_up_after_a_page_that_says_what_goes_with_it(
    program: Program, prefix: str
) -> None:
    zhang, li = await leader(program, prefix), await agent(program, prefix)
    await registered(zhang)
    await offered(zhang)
    await answers(li, "accept")
    await offered(zhang, NOBODYS)
    for owner in (zhang, li):
        await chooses(owner)
    identity = program.sql("SELECT id FROM organisation")[0][0]
    path = f"/centre/organisations/give_up?organisation={identity}"
    assert prefix + path in links(await zhang.get("/centre/organisations"))
    page = await zhang.get(path)
    assert heading(page) == "确定解除登记吗？"
    assert "1位经办人的委托马上结束，1份没有答复的邀请作废" in page.text
    assert program.sql("SELECT count(*) FROM organisation") == [(1,)], "nothing is done by looking"
    # Another's is nobody's here, to look at and to give up.
    assert (await li.get(path)).status == 404
    token = forms(await li.get("/centre"))[0].values["csrf"]
    strange = await post(
        li.browser, f"{prefix}/centre/organisations/give_up", {"csrf": token, "organisation": identity}
    )
    assert (strange.status, "没有这个法人、委托或邀请" in note(strange)) == (404, True)
    form = form_of(page, f"{prefix}/centre/organisations/give_up")
    done = await send(zhang.browser, form)
    assert where(done) == (303, f"{prefix}/centre/organisations?done=given_up")
    page = await zhang.follow(done)
    assert "登记已经解除，经办人的委托也结束了" in page.text
    assert "还没有登记的法人" in page.text
    assert program.sql("SELECT count(*) FROM organisation") == [(0,)]
    await arrived(li.browser.caller.sandbox, AGENTS, count=2, words="您的一项经办人委托已结束")
    assert [await acts_for(owner) for owner in (zhang, li)] == [None, None]
    for owner in (zhang, li):
        assert "法定代表人解除了登记" in (await owner.get("/centre/log")).text
    assert "一项经办人委托已结束" in (await li.get("/centre")).text
    again = await send(zhang.browser, form)
    assert (again.status, "没有这个法人、委托或邀请" in note(again)) == (404, True)


@pytest.mark.req("ORG-2", "ORG-3")
@pytest.mark.attack("Q9")
async def test_what_is_another_accounts_is_nobodys_here(program: Program) -> None:
    zhang, li = await leader(program), await agent(program)
    await registered(zhang)
    await offered(zhang)
    page = await zhang.get("/centre/organisations")
    mandate, csrf = pressing(page, "end").values["mandate"], pressing(page, "end").values["csrf"]
    [choice] = [form for form in forms(await zhang.get("/centre/acting")) if "capacity" in form.values]
    for named in (mandate, "A" * 22, ""):
        answer = await post(zhang.browser, "/centre/organisations", {"csrf": csrf, "mandate": named, "act": "accept"})
        assert (answer.status, "没有这个法人、委托或邀请" in note(answer)) == (404, True), named
    theirs = forms(await li.get("/centre"))[0].values["csrf"]
    for key in (choice.values["capacity"], f"m.{mandate}", "r.1.2", ""):
        answer = await post(li.browser, "/centre/acting", {"csrf": theirs, "capacity": key})
        assert (answer.status, "没有这个法人、委托或邀请" in note(answer)) == (404, True), key
    assert await acts_for(li) is None


@pytest.mark.req("ORG-3")
@pytest.mark.attack("R4")
async def test_a_login_confirmed_by_a_phone_that_a_face_alone_has_linked_acts_for_nobody(program: Program) -> None:
    zhang = await leader(program)
    await registered(zhang)
    account = program.sql("SELECT representative FROM organisation")[0][0]
    thief = await on_probation(program, account)
    answer = await chooses(thief)
    assert answer.status == 403
    assert "这次登录暂时不能代表法人办事" in note(answer)
    assert await acts_for(thief) is None
    assert (await chooses(zhang)).status == 303


async def on_probation(program: Program, account: str) -> Owner:
    """Log in to the account of 陈雨桐 by a phone that a face has linked a moment ago."""
    who = (await everybody(program))["chen-yutong"]
    person = Person(DocumentType(who["document_type"]), who["name"], who["document_number"])
    now = program.clock.now()
    link, *_ = await program.rooms.stores.accounts.relink(
        account, _by_face(person), probation_until=now + 72 * HOUR, now=now
    )
    login = Login(Way.QR, "wechat", link.id, "Chrome", "Windows", None, b"network", None)
    return await Owner.of(program, account, login=login)


def _by_face(person: Person) -> NewAccount:
    user = PlatformIdentity(Platform.WECHAT, "wx01", "open-thief")
    return NewAccount(person, user, 30, Evidence.FACE, "F1", "A1")


@pytest.mark.req("ACC-7", "ORG-1", "ORG-2")
async def test_an_organisation_goes_with_its_representatives_account_and_its_agent_is_told(program: Program) -> None:
    zhang, li = await leader(program), await agent(program)
    await registered(zhang)
    await offered(zhang)
    await answers(li, "accept")
    await chooses(li)
    account = program.sql("SELECT representative FROM organisation")[0][0]
    await program.rooms.stores.members.cancel(account, program.clock.now())
    page = await li.get("/centre")
    assert "现在不能再代表了" in page.text
    assert "一项经办人委托已结束" in page.text
    assert "没有委托给您的法人" in (await li.get("/centre/organisations")).text
    assert program.sql("SELECT count(*) FROM organisation") == [(0,)]


@pytest.mark.req("ACC-7", "ORG-2", "RNV-6", "RNV-7")
@pytest.mark.parametrize("setting", ["cancel", "unbind"])
async def test_an_agent_has_a_message_and_no_claim_is_left_where_the_representative_goes(
    program: Program, setting: str
) -> None:
    zhang, li = await leader(program), await agent(program)
    await registered(zhang)
    await offered(zhang)
    await answers(li, "accept")
    program.clock.advance(61)
    account = program.sql("SELECT representative FROM organisation")[0][0]
    claims = open_claims(program.rooms)
    new = NewIdentity(
        person=Person(DocumentType.RESIDENT_ID, "李四", "11010119900307221X"),
        evidence=Evidence.NAME_AND_NUMBER,
        evidence_reference="E1",
        authority_reference="A1",
    )
    await claims.keep(account, Claim(new=new, exchange=False))
    flow = ""
    if setting == "cancel":
        agreed = await send(zhang.browser, form_of(await zhang.get("/centre/cancel"), "/centre/cancel"))
        flow = "?" + (agreed.header("Location") or "").partition("?")[2]
    form = await zhang.asks(setting, flow)
    assert (await send(zhang.browser, form.typed(code=zhang.code or ""))).status == 200
    await arrived(li.browser.caller.sandbox, AGENTS, count=2, words="您的一项经办人委托已结束")
    assert await claims.find(account) is None


@pytest.mark.req("ORG-1", "LOG-9")
async def test_where_there_is_no_register_nothing_is_offered_that_needs_it(start_program: StartProgram) -> None:
    program = await start_program(settings=lambda settings: replace(settings, business_register=None))
    owner = await leader(program)
    assert "法人信息" not in (await owner.get("/centre")).text
    page = await owner.get("/centre/organisations")
    assert "本站暂不办理法人登记" in page.text
    assert not links(page) & {"/centre/organisation", "/centre/appoint"}
    assert heading(await owner.get("/centre/acting")) == "选择代表谁办事"
    for setting in ("organisation", "appoint"):
        assert (await owner.get(f"/centre/{setting}")).status == 404


@pytest.mark.req("ORG-3", "SES-3")
async def test_the_log_says_since_when_and_until_when_somebody_acted(program: Program) -> None:
    owner = await leader(program)
    await registered(owner)
    await chooses(owner)
    page = await owner.get("/centre/acting")
    await send(owner.browser, pressing(page, "leave"), "leave")
    log = (await owner.get("/centre/log")).text
    assert log.index("不再代表法人办事") < log.index("开始代表法人办事") < log.index("登记法人")
    facts = [
        json.loads(facts)
        for kind, facts in program.sql("SELECT kind, facts FROM audit_event")
        if kind.startswith("acting.")
    ]
    organisation = program.sql("SELECT id FROM organisation")[0][0]
    assert facts == [{"organisation": organisation}] * 2
