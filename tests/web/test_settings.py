"""Changing one's account over HTTP: what each page asks, what it keeps, where it leads, and what no link leads past."""

from __future__ import annotations

import asyncio
import re
from typing import Final

import pytest

from bjidp.accounts.member_ports import NewMember
from bjidp.audit.event import EventKind
from bjidp.bootstrap import Stores
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.standing import Standing
from bjidp.verification.proofs import Means, Operation, Proofs
from tests.support.accounts import is_password
from tests.support.browser import IPHONE, SECRET, SESSION
from tests.support.calls import Answer
from tests.support.forms import form_of, forms, heading, links, note, post, send
from tests.support.inbox import code_to, messages
from tests.support.members import PASSWORD, PHONE, USERNAME, enrolled
from tests.support.owner import Owner
from tests.support.program import Program

NEW_PHONE = "15400007777"
NEW_PASSWORD = "Wansui-2027"
MAIL = "zhang@mail.example"
SETTINGS: Final = ("password", "phone", "mail", "username", "cancel")
CHANGES: Final = SETTINGS[:-1]
PREFIXES: Final = ("", "/h5")
NEW_PASSWORDS: Final = {"old": PASSWORD, "password": NEW_PASSWORD, "again": NEW_PASSWORD}
TYPED: Final = {
    "password": NEW_PASSWORDS,
    "phone": {"phone": NEW_PHONE},
    "mail": {"mail": MAIL},
    "username": {"username": "li_sisi_9"},
}
"""What is typed into the form of each."""


@pytest.fixture
async def member(program: Program) -> Standing:
    return await enrolled(program)


@pytest.fixture
async def owner(program: Program, member: Standing) -> Owner:
    return await Owner.of(program, member.account)


def where(answer: Answer) -> tuple[int, str | None]:
    """Return the status and where it leads."""
    return answer.status, answer.header("Location")


def stores(program: Program) -> Stores:
    return program.rooms.stores


async def phone_of(program: Program, account: str) -> str | None:
    member = await stores(program).members.member(account)
    assert member is not None
    return member.phone


# ------------------------------------------------------------------------------------------------------------ the story


@pytest.mark.req("ACC-2", "ACC-8", "UX-4")
@pytest.mark.attack("T1")
@pytest.mark.parametrize("prefix", PREFIXES)
async def test_a_password_is_changed_in_three_steps_without_a_script(
    program: Program, member: Standing, prefix: str
) -> None:
    owner = await Owner.of(program, member.account, prefix)
    page = await owner.get("/centre/password")
    assert heading(page) == "修改密码"
    for said in ("验证身份", "完成", "154****5678", "手机验证码", "获取验证码"):
        assert said in page.text
    form = form_of(page, f"{prefix}/centre/password/identity")
    assert form.fields == ["captcha", "code"]
    before = owner.browser.session
    page = await owner.proves("password")
    assert owner.browser.session not in {None, before}, "验证身份 gives a new cookie"
    form = form_of(page, f"{prefix}/centre/password")
    assert form.fields == ["old", "password", "again"]
    for label in ("输入旧密码", "输入新密码", "确定新密码", "8-20位字母、数字或特殊字符的组合"):
        assert label in page.text
    page = await owner.follow(await send(owner.browser, form.typed(**NEW_PASSWORDS)))
    assert heading(page) == "修改成功，请牢记新密码！"
    assert "页面将在7秒后跳转首都之窗个人中心首页" in page.text
    assert page.header("Refresh") == f"7; url={prefix}/centre"
    assert f"{prefix}/centre" in links(page)
    events = [kind for (kind,) in program.sql("SELECT kind FROM audit_event ORDER BY id")]
    assert events[-1] == "password.changed"


@pytest.mark.req("ACC-3", "SES-2")
@pytest.mark.attack("R4")
@pytest.mark.parametrize("prefix", PREFIXES)
async def test_a_phone_is_changed_and_the_old_one_is_told(program: Program, member: Standing, prefix: str) -> None:
    owner, elsewhere = await Owner.of(program, member.account, prefix), await Owner.of(program, member.account)
    page = await owner.proves("phone")
    form = owner.solved(form_of(page, f"{prefix}/centre/phone"))
    assert form.fields == ["phone", "captcha", "code"]
    assert "一个账号只能绑定一个手机号码" in page.text
    page = await owner.follow(await send(owner.browser, form.typed(phone="+86 154-0000-7777"), "code"))
    form = form_of(page, f"{prefix}/centre/phone")
    assert form.values["phone"] == NEW_PHONE
    assert "验证码已经发出" in page.text
    code = await owner.code_to(NEW_PHONE)
    assert code not in page.text
    page = await owner.follow(await send(owner.browser, form.typed(code=code)))
    assert heading(page) == "设置成功，请牢记您的手机号码！"
    assert await phone_of(program, member.account) == NEW_PHONE
    assert where(await elsewhere.get("/centre")) == (303, "/login")
    inbox = await messages(owner.browser.caller.sandbox, PHONE)
    for _ in range(10):
        if len(inbox) > 1:
            break
        # It waits for the minute of the code that was sent there.
        await program.advance(30)
        inbox = await messages(owner.browser.caller.sandbox, PHONE)
    assert "已改绑另一个手机号" in inbox[0]["text"]
    assert "手机号已修改" in (await owner.get("/centre")).text


@pytest.mark.req("ACC-4")
@pytest.mark.parametrize("prefix", PREFIXES)
async def test_a_mail_address_is_bound(program: Program, member: Standing, prefix: str) -> None:
    owner = await Owner.of(program, member.account, prefix)
    assert "我要绑定" in (await owner.get("/centre")).text
    page = await owner.proves("mail")
    form = owner.solved(form_of(page, f"{prefix}/centre/mail"))
    assert form.fields == ["mail", "captcha", "code"]
    assert "请确保您输入的邮箱地址能正常接收邮件" in page.text
    page = await owner.follow(await send(owner.browser, form.typed(mail=MAIL), "code"))
    code = await code_to(owner.browser.caller.sandbox, MAIL)
    form = form_of(page, f"{prefix}/centre/mail").typed(code=code)
    page = await owner.follow(await send(owner.browser, form))
    assert heading(page) == "设置成功，邮箱已绑定！"
    assert "z***@mail.example" in (await owner.get("/centre")).text
    assert MAIL not in (await owner.get("/centre")).text


@pytest.mark.req("ACC-6")
async def test_a_username_is_changed(owner: Owner) -> None:
    form = await owner.may("username")
    assert form.fields == ["username"]
    page = await owner.follow(await send(owner.browser, form.typed(username="li_sisi_9")))
    assert heading(page) == "修改成功，请牢记新用户名！"
    assert "l***********9" in (await owner.get("/centre")).text


@pytest.mark.req("ACC-7", "REG-8", "PRV-4")
@pytest.mark.parametrize("prefix", PREFIXES)
async def test_an_account_is_cancelled_after_the_notice_and_the_proof(
    program: Program, member: Standing, prefix: str
) -> None:
    owner, elsewhere = await Owner.of(program, member.account, prefix), await Owner.of(program, member.account)
    page = await owner.get("/centre/cancel")
    assert heading(page) == "申请账号注销"
    for point in ("无法再次登录", "部分业务平台", "将会解除", "法律责任"):
        assert point in page.text
    page = await owner.follow(await send(owner.browser, form_of(page, f"{prefix}/centre/cancel")))
    form = owner.solved(form_of(page, f"{prefix}/centre/cancel/identity"))
    page = await owner.follow(await send(owner.browser, form, "code"))
    form = form_of(page, f"{prefix}/centre/cancel/identity")
    page = await send(owner.browser, form.typed(code=await code_to(owner.browser.caller.sandbox, PHONE)))
    assert (page.status, heading(page)) == (200, "账号已注销")
    assert owner.browser.session is None
    assert where(await elsewhere.get("/centre")) == (303, "/login")
    assert await stores(program).members.member(member.account) is None
    assert (await enrolled(program)).account != member.account, "number and name are free"


# ------------------------------------------------------------------------------------------- what no link leads past


@pytest.mark.req("ACC-8")
@pytest.mark.attack("R4")
@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("setting", CHANGES)
async def test_no_link_leads_past_the_proof(program: Program, member: Standing, setting: str, prefix: str) -> None:
    owner = await Owner.of(program, member.account, prefix)
    csrf = ""
    for query in ("", "?flow=", f"?flow={'A' * 22}", "?step=change&flow=%00", "?flow=" + "%E5%BC%A0" * 40):
        page = await owner.get(f"/centre/{setting}{query}")
        # Who names a change that there is none of is told so, at its beginning.
        over = query not in {"", "?flow="}
        assert (page.status, "请从头再来一次" in note(page)) == (410 if over else 200, over)
        form = form_of(page, f"{prefix}/centre/{setting}/identity")
        assert form.fields == ["captcha", "code"]
        csrf = form.values["csrf"]
    typed = {"csrf": csrf, "code": "123456", **TYPED[setting]}
    for act in ("", "other", "captcha", *(["code"] if setting in {"phone", "mail"} else [])):
        answer = await post(owner.browser, f"{prefix}/centre/{setting}", typed | {"act": act})
        assert where(answer) == (303, f"{prefix}/centre/{setting}"), act
    assert await messages(owner.browser.caller.sandbox, NEW_PHONE) == []
    assert await phone_of(program, member.account) == PHONE


@pytest.mark.req("ACC-7")
@pytest.mark.attack("R4")
async def test_no_post_cancels_an_account_without_the_proof(program: Program, member: Standing, owner: Owner) -> None:
    form = await owner.form("/centre/cancel")
    first = await send(owner.browser, form)
    flow = (first.header("Location") or "").partition("flow=")[2]
    for more in ({}, {"flow": flow}, {"flow": "A" * 22}):
        answer = await send(owner.browser, form.typed(**more))
        assert answer.status == 303
        page = await owner.follow(answer)
        assert form_of(page, "/centre/cancel/identity").fields == ["captcha", "code"]
    assert await stores(program).members.member(member.account) is not None


@pytest.mark.req("ACC-8")
async def test_a_proof_of_one_operation_opens_no_other(owner: Owner) -> None:
    await owner.may("password")
    for setting in ("phone", "mail", "username"):
        form_of(await owner.get(f"/centre/{setting}"), f"/centre/{setting}/identity")


@pytest.mark.req("ACC-8")
@pytest.mark.attack("R4")
async def test_a_proof_of_another_session_opens_nothing_here(program: Program, member: Standing, owner: Owner) -> None:
    form = await owner.may("username")
    elsewhere = await Owner.of(program, member.account)
    here = await elsewhere.form("/centre/username", "/centre/username/identity")
    answer = await send(elsewhere.browser, here.typed(flow=form.values["flow"]))
    assert answer.status == 422
    fields = {"csrf": here.values["csrf"], "flow": form.values["flow"], "username": "li_sisi_9"}
    answer = await post(elsewhere.browser, "/centre/username", fields)
    assert where(answer) == (303, "/centre/username?flow=over")


@pytest.mark.req("ACC-8")
async def test_a_proof_that_is_over_is_asked_for_again_in_words(program: Program, owner: Owner) -> None:
    form = await owner.may("username")
    program.clock.advance(5 * 60)
    page = await owner.follow(await send(owner.browser, form.typed(username="li_sisi_9")))
    assert "需要先验证身份" in note(page)
    assert form_of(page, "/centre/username/identity").fields == ["captcha", "code"]


@pytest.mark.req("ACC-8")
async def test_jingtong_is_offered_in_the_place_of_a_code_to_whoever_has_one_and_not_on_a_phone(
    program: Program, owner: Owner
) -> None:
    assert "/centre/verify/password" not in links(await owner.get("/centre/password")), "registered on a page"
    scanned = await program.signed_in()
    ((account,),) = program.sql("SELECT account FROM platform_link")
    await program.rooms.stores.members.set_phone(account, "15400007931", program.clock.now())
    linked = Owner(program, scanned)
    page = await linked.get("/centre/password")
    assert form_of(page, "/centre/password/identity").fields == ["captcha", "code"]
    assert "/centre/verify/password" in links(page)
    linked.prefix = "/h5"
    assert "/centre/verify/password" not in links(await linked.get("/centre/password"))


@pytest.mark.req("ACC-8")
async def test_an_account_without_a_phone_is_led_to_jingtong_and_to_a_number(program: Program) -> None:
    phone = await program.phone()
    browser = await program.signed_in(phone)
    owner = Owner(program, browser)
    page = await owner.get("/centre/password")
    assert "您的账号还没有绑定手机号" in page.text
    assert {"/centre/verify/password", "/centre/phone"} <= links(page)
    assert "/centre/phone" not in links(await owner.get("/centre/phone")) - {"/centre"}
    (session,) = [row for (row,) in program.sql("SELECT id FROM browser_session")]
    (account,) = [row for (row,) in program.sql("SELECT id FROM account")]
    proofs = Proofs(stores(program).proofs, Pseudonyms(program.rooms.keyring))
    await proofs.grant(session, account, Operation.PASSWORD, Means.QR, 0)
    form = form_of(await owner.get("/centre/password"), "/centre/password")
    assert form.fields == ["password", "again"], "there is no old one to name"
    page = await owner.follow(await send(browser, form.typed(password=NEW_PASSWORD, again=NEW_PASSWORD)))
    assert heading(page) == "修改成功，请牢记新密码！"
    assert (await phone.account()).verdict == (401, "token_invalid")
    ((epoch,),) = program.sql("SELECT epoch FROM account")
    await proofs.grant(session, account, Operation.CANCEL, Means.QR, epoch)
    page = await owner.get("/centre/cancel")
    assert "账号马上注销" in page.text
    again = await program.phone()
    assert (await again.account()).status == 200, "a new password has logged the phone out, and it has logged in anew"
    page = await send(browser, form_of(page, "/centre/cancel"))
    assert heading(page) == "账号已注销"
    assert (await again.account()).verdict == (401, "token_invalid")
    for table in ("identity", "identifier", "platform_link", "platform_identity", "mini_session", "notice"):
        assert program.sql(f"SELECT count(*) FROM {table}") == [(0,)], table  # noqa: S608 - names of this test's own


# ------------------------------------------------------------------------------------------------ what is wrong, beside


@pytest.mark.req("UX-5", "REG-2")
async def test_what_is_wrong_with_the_proof_is_said_beside_its_field(program: Program, owner: Owner) -> None:
    path = "/centre/password/identity"
    form = await owner.form("/centre/password", path)
    answer = await send(owner.browser, form.typed(captcha=""), "code")
    again = form_of(answer, path)
    assert (answer.status, again.faults) == (422, {"captcha": "请输入图形验证码"})
    assert again.captcha == form.captcha, "it was not used"
    wrong = await send(owner.browser, form.typed(captcha="0"), "code")
    assert (wrong.status, form_of(wrong, path).faults) == (
        422, {"captcha": "验证码不对，请重新输入新图中的4位数字"},
    )  # fmt: skip
    assert form_of(wrong, path).captcha != form.captcha
    assert form_of(await send(owner.browser, form, ""), path).faults == {"code": "请先获取验证码，再输入收到的6位数字"}
    assert await messages(owner.browser.caller.sandbox, PHONE) == []
    form = await owner.asks("password")
    for code, said in (
        ("12345", "请输入收到的6位数字"),
        (f"{(int(owner.code or '') + 1) % 1_000_000:06d}", "验证码不对，请检查后再输入"),
    ):
        answer = await send(owner.browser, form.typed(code=code))
        assert (answer.status, form_of(answer, path).faults) == (422, {"code": said})
        assert code not in answer.text, "a code is not shown again"
    assert (await send(owner.browser, form.typed(code=owner.code or ""))).status == 303


@pytest.mark.req("UX-5")
async def test_of_a_code_it_is_told_how_it_stands(owner: Owner) -> None:
    path = "/centre/password/identity"
    form = await owner.asks("password")
    wrong = f"{(int(owner.code or '') + 1) % 1_000_000:06d}"
    for code, said in (
        ("", "请输入收到的6位数字"),
        *[(wrong, "验证码不对，请检查后再输入")] * 3,
        (wrong, "验证码不对，请检查后再输入；再错一次，它就作废"),
        (wrong, "验证码输错了5次，已经作废，请重新获取"),
        (owner.code or "", "验证码已经失效（过期、用过，或有更新的一条），请重新获取"),
    ):
        answer = await send(owner.browser, form.typed(code=code))
        assert form_of(answer, path).faults == {"code": said}
        assert ("验证码已经发出" in answer.text) == (said[-4:] != "重新获取"), "of one that is over it is not said"


@pytest.mark.req("UX-5", "FAQ-1")
async def test_a_second_code_within_the_minute_is_refused_in_words(owner: Owner) -> None:
    form = await owner.asks("password")
    answer = await send(owner.browser, owner.solved(form), "code")
    assert answer.status == 429
    assert int(answer.header("Retry-After") or 0) > 0
    assert note(answer).split() == ["操作得太快了", f"请等{answer.header('Retry-After')}秒后，再做一次。"]
    assert (await send(owner.browser, form.typed(code=owner.code or ""))).status == 303


@pytest.mark.req("ACC-2", "UX-5")
async def test_what_is_wrong_with_a_password_is_said_beside_it_and_no_password_comes_back(owner: Owner) -> None:
    form = await owner.may("password")
    cases: list[tuple[dict[str, str], dict[str, str]]] = [
        ({}, {"old": "请输入旧密码", "password": "请输入密码"}),
        ({"old": PASSWORD, "password": "short1"}, {"password": "密码要有8到20个字符"}),
        ({"old": PASSWORD, "password": NEW_PASSWORD, "again": "x"}, {"again": "两次输入的密码不一样"}),
        ({"old": PASSWORD, "password": PASSWORD, "again": PASSWORD}, {"password": "新密码不能和旧密码一样"}),
        ({**NEW_PASSWORDS, "old": "Wansui-1"}, {"old": "旧密码不对，请检查后再输入"}),
    ]
    for typed, faults in cases:
        answer = await send(owner.browser, form.typed(**typed))
        assert (answer.status, form_of(answer, "/centre/password").faults) == (422, faults)
        # Every field that is empty again without a fault of its own says why.
        emptied = 3 - len(faults) if typed else 0
        assert answer.text.count("密码不会保留在页面上，请再输入一次") == emptied
        assert not [value for value in typed.values() if len(value) > 1 and value in answer.text]
    assert (await send(owner.browser, form.typed(**NEW_PASSWORDS))).status == 303


@pytest.mark.req("ACC-3", "UX-5", "REG-2")
@pytest.mark.attack("R1")
async def test_what_is_wrong_with_a_number_is_said_beside_it_and_it_is_kept(program: Program, owner: Owner) -> None:
    await enrolled(program, username="li_sisi", phone=NEW_PHONE)
    form = await owner.may("phone")
    for phone, said in (
        ("", "请输入手机号"), ("12345", "请输入11位的中国大陆手机号"), (PHONE, "这就是您现在的手机号，请输入新的"),
    ):  # fmt: skip
        answer = await send(owner.browser, form.typed(phone=phone), "code")
        again = form_of(answer, "/centre/phone")
        assert (answer.status, again.faults, again.values["phone"]) == (422, {"phone": said}, phone)
        assert again.values["captcha"] == form.values["captcha"], "it was not used"
    page = await owner.follow(await send(owner.browser, form.typed(phone=NEW_PHONE), "code"))
    form = form_of(page, "/centre/phone").typed(code=await owner.code_to(NEW_PHONE))
    answer = await send(owner.browser, form)
    again = form_of(answer, "/centre/phone")
    assert (answer.status, again.faults) == (422, {"phone": "这个手机号已经属于另一个账号，请换一个"})
    assert again.fields == ["phone", "captcha", "code"], "another one may be typed"


@pytest.mark.req("ACC-3", "UX-5")
async def test_a_number_that_was_proved_needs_no_second_code(program: Program, owner: Owner) -> None:
    form = await owner.may("phone")
    page = await owner.follow(await send(owner.browser, form.typed(phone=NEW_PHONE), "code"))
    form = form_of(page, "/centre/phone").typed(code=await owner.code_to(NEW_PHONE))
    program.meddler.breaks("members.is_held")
    answer = await send(owner.browser, form)
    program.meddler.mends()
    assert (answer.status, "服务暂时没有响应" in note(answer)) == (503, True)
    again = form_of(answer, "/centre/phone")
    assert (again.fields, again.values["phone"]) == (["phone"], NEW_PHONE)
    foreign = form_of(await send(owner.browser, again.typed(phone="15400006666")), "/centre/phone")
    assert (foreign.fields, foreign.values["phone"]) == (["phone", "captcha", "code"], "15400006666"), "not this one"
    other = await owner.follow(await send(owner.browser, again, "other"))
    assert form_of(other, "/centre/phone").fields == ["phone", "captcha", "code"]
    missed = await send(owner.browser, form_of(other, "/centre/phone").typed(phone=NEW_PHONE))
    assert form_of(missed, "/centre/phone").faults == {"code": "请先获取验证码，再输入收到的6位数字"}


@pytest.mark.req("ACC-6", "UX-5", "REG-8")
async def test_what_is_wrong_with_a_username_is_said_beside_it_and_it_is_kept(program: Program, owner: Owner) -> None:
    await enrolled(program, username="li_sisi", phone=NEW_PHONE)
    form = await owner.may("username")
    for username, said in (
        ("", "请输入用户名"),
        ("short", "用户名要有6到20个字符"),
        ("1zhangsan", "用户名的第1位必须是字母"),
        ("zhang<b>san", "用户名只能用字母、数字和下划线"),
        (USERNAME, "这就是您现在的用户名，请换一个"),
        ("LI_SISI", "这个用户名已经有人使用，请换一个"),
    ):
        answer = await send(owner.browser, form.typed(username=username))
        again = form_of(answer, "/centre/username")
        assert (answer.status, again.faults, again.values["username"]) == (422, {"username": said}, username)
        assert "<b>san" not in answer.text


@pytest.mark.req("ACC-4", "UX-5")
async def test_what_is_wrong_with_a_mail_address_is_said_beside_it_and_it_is_kept(owner: Owner) -> None:
    form = await owner.may("mail")
    for mail, said in (
        ("", "请输入邮箱地址"),
        ("zhang", "请输入完整的邮箱地址，例如 zhang@mail.example"),
        ("zhang@qq.com", "演示环境只用以 .example 结尾的虚拟邮箱，例如 zhang@mail.example"),
    ):
        answer = await send(owner.browser, form.typed(mail=mail), "code")
        again = form_of(answer, "/centre/mail")
        assert (answer.status, again.faults, again.values["mail"]) == (422, {"mail": said}, mail)


@pytest.mark.attack("Q27")
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("step", ["", "/identity"])
async def test_what_no_form_of_ours_holds_is_refused_and_changes_nothing(
    program: Program, owner: Owner, setting: str, step: str
) -> None:
    page = await owner.get("/centre")
    csrf = re.findall(r'name="csrf" value="([^"]*)"', page.text)[0]
    path = f"/centre/{setting}{step}"
    before = program.sql("SELECT count(*) FROM audit_event")
    for fields in ({"csrf": csrf, "account": "x"}, {"csrf": csrf, "act": "nonsense", "flow": "\x00\r\nX: y"}):
        answer = await post(owner.browser, path, fields)
        assert answer.status in {303, 400}, answer
        assert answer.header("X") is None
    assert (await post(owner.browser, path, {})).status == 403
    assert (await post(owner.browser, path, {"csrf": csrf}, Origin="https://evil.example")).status == 403
    assert program.sql("SELECT count(*) FROM audit_event") == before


@pytest.mark.req("ACC-8")
@pytest.mark.parametrize("prefix", PREFIXES)
async def test_who_is_not_logged_in_is_led_to_the_login_page(program: Program, prefix: str) -> None:
    browser = await program.browser()
    for setting in SETTINGS:
        for path in (f"{prefix}/centre/{setting}", f"{prefix}/centre/{setting}/identity"):
            assert where(await browser.get(path)) == (303, f"{prefix}/login")
            assert where(await post(browser, path, {})) == (303, f"{prefix}/login")
    assert list(browser.cookies) == [program.deployments[0].cookie(SECRET)], "and nothing else is kept of them"


async def test_a_phone_is_led_to_the_pages_made_for_it(owner: Owner) -> None:
    owner.browser.user_agent = IPHONE
    assert where(await owner.get("/centre/password?flow=x")) == (303, "/h5/centre/password?flow=x")
    assert where(await owner.get("/centre")) == (303, "/h5/centre")


# ---------------------------------------------------------------------------- twice, backwards, and in two tabs at once


@pytest.mark.req("ACC-2", "ACC-8")
async def test_a_form_sent_twice_ends_where_it_ended_and_says_so(program: Program, owner: Owner) -> None:
    identity = (await owner.asks("username")).typed(code=owner.code or "")
    first = await send(owner.browser, identity)
    assert where(await send(owner.browser, identity)) == where(first)
    form = form_of(await owner.follow(first), "/centre/username").typed(username="li_sisi_9")
    first = await send(owner.browser, form)
    again = await send(owner.browser, form)
    assert where(again) == where(first)
    assert heading(await owner.follow(again)) == "修改成功，请牢记新用户名！"
    back = await owner.get((first.header("Location") or "").removeprefix(owner.prefix))
    assert heading(back) == "修改成功，请牢记新用户名！"
    assert heading(await owner.follow(await send(owner.browser, identity))) == "修改成功，请牢记新用户名！"
    assert program.sql("SELECT count(*) FROM audit_event WHERE kind = 'username.changed'") == [(1,)]


@pytest.mark.req("ACC-2")
async def test_forms_sent_at_once_write_once(program: Program, owner: Owner) -> None:
    form = (await owner.may("password")).typed(**NEW_PASSWORDS)
    answers = await asyncio.gather(*(send(owner.browser, form) for _ in range(6)))
    assert {answer.status for answer in answers} == {303}
    pages = [await owner.follow(answer) for answer in answers]
    assert {heading(page) for page in pages} == {"修改成功，请牢记新密码！"}
    assert program.sql("SELECT count(*) FROM audit_event WHERE kind = 'password.changed'") == [(1,)]


@pytest.mark.attack("O5")
@pytest.mark.parametrize(
    ("call", "heads"),
    [("mini_sessions.end_others", True), ("sessions.end_others", False), ("members.set_password", False)],
)
async def test_a_store_that_is_down_is_told_before_another_proof_is_asked_for(
    program: Program, owner: Owner, call: str, *, heads: bool
) -> None:
    form = (await owner.may("password")).typed(**NEW_PASSWORDS)
    program.meddler.breaks(call)
    answer = await send(owner.browser, form)
    program.meddler.mends()
    assert (answer.status, answer.header("Location")) == (503, None)
    again = await send(owner.browser, form)
    assert (heading(await owner.follow(again)) == "修改成功，请牢记新密码！") is heads


@pytest.mark.attack("P7", "R4")
@pytest.mark.parametrize("setting", ["password", "username"])
async def test_what_was_proved_before_sessions_were_ended_changes_nothing(
    program: Program, member: Standing, setting: str
) -> None:
    """Also in the session that stays: whoever has proved it may be whom the others are ended for."""
    owner = await Owner.of(program, member.account)
    form = (await owner.may(setting)).typed(**TYPED[setting])
    await Owner.of(program, member.account)
    (ending,) = [found for found in forms(await owner.get("/centre/devices")) if found.acts == ["others"]]
    await send(owner.browser, ending, "others")
    assert await owner.browser.who() is not None
    page = await owner.follow(await send(owner.browser, form))
    assert form_of(page, f"/centre/{setting}/identity").fields == ["captcha", "code"]
    found = await stores(program).members.member(member.account)
    assert found is not None
    assert (found.username, is_password(found.password, PASSWORD)) == (USERNAME, True)


@pytest.mark.req("ACC-2", "ACC-3", "ACC-6", "UX-5")
@pytest.mark.parametrize(
    ("setting", "prefix", "words"),
    [
        ("password", "", "密码在您保存的同时已被改过"),
        ("phone", "/h5", "这个手机号已经属于另一个账号"),
        ("username", "", "这个用户名已经有人使用"),
    ],
)
async def test_what_failed_in_the_very_moment_of_the_write_is_said_where_it_leads(
    program: Program, member: Standing, setting: str, words: str, prefix: str
) -> None:
    """The proof went with it, and 验证身份 alone would not say why it is asked anew."""
    owner = await Owner.of(program, member.account, prefix)
    form = (await owner.may(setting)).typed(**TYPED[setting])
    if setting == "phone":
        page = await owner.follow(await send(owner.browser, form, "code"))
        form = form_of(page, f"{prefix}/centre/phone").typed(code=await owner.code_to(NEW_PHONE))

    async def another() -> None:
        members = stores(program).members
        if setting == "password":
            now = await members.member(member.account)
            assert now is not None
            ((keep,),) = program.sql("SELECT id FROM browser_session")
            await members.set_password(
                member.account, "another", EventKind.PASSWORD_CHANGED, program.clock.now(), was=now.password, keep=keep
            )
        else:
            await members.enrol(NewMember(username="li_sisi_9", phone=NEW_PHONE, password=None), program.clock.now())

    program.meddler.before_next(f"members.set_{setting}", another)
    page = await owner.follow(await send(owner.browser, form))
    assert form_of(page, f"{prefix}/centre/{setting}/identity").fields == ["captcha", "code"]
    assert words in note(page)
    await program.advance(60)
    page = await owner.proves(setting)
    assert note(page) == ""
    await program.advance(301)
    assert words not in note(await owner.get(f"/centre/{setting}"))


@pytest.mark.req("ACC-2")
async def test_a_change_that_is_being_written_is_waited_for(program: Program, owner: Owner) -> None:
    form = (await owner.may("password")).typed(**NEW_PASSWORDS)
    seen: list[Answer] = []

    async def another_post() -> None:
        seen.append(await owner.follow(await send(owner.browser, form)))

    program.meddler.before_next("members.set_password", another_post)
    assert (await send(owner.browser, form)).status == 303
    assert heading(seen[0]) == "正在保存"
    assert (seen[0].header("Refresh") or "").startswith("1; url=/centre/password?flow=")


@pytest.mark.req("ACC-8")
async def test_two_tabs_are_two_changes_and_one_proof_serves_one_of_them(program: Program, owner: Owner) -> None:
    first = await owner.may("username")
    second = form_of(await owner.get("/centre/username"), "/centre/username")
    assert heading(await owner.follow(await send(owner.browser, first.typed(username="li_sisi_9")))).startswith(
        "修改成功"
    )
    page = await owner.follow(await send(owner.browser, second.typed(username="li_sisi_8")))
    form_of(page, "/centre/username/identity")
    assert program.sql("SELECT count(*) FROM audit_event WHERE kind = 'username.changed'") == [(1,)]


@pytest.mark.attack("T1", "T3")
async def test_an_old_cookie_is_dead_after_the_proof_and_takes_the_new_one_from_nobody(owner: Owner) -> None:
    old = owner.browser.copy()
    await owner.may("phone")
    answer = await old.get("/centre")
    assert where(answer) == (303, "/login")
    assert [cookie for cookie in answer.cookies if SESSION in cookie] == []
    assert (await owner.get("/centre")).status == 200


@pytest.mark.attack("O5")
async def test_a_store_that_is_down_is_said_to_be_and_nothing_is_lost(program: Program, owner: Owner) -> None:
    form = (await owner.may("username")).typed(username="li_sisi_9")
    program.meddler.breaks("drafts.replace")
    answer = await send(owner.browser, form)
    program.meddler.mends()
    assert answer.status == 503
    again = form_of(answer, "/centre/username")
    assert again.values["username"] == "li_sisi_9"
    assert heading(await owner.follow(await send(owner.browser, again))).startswith("修改成功")


@pytest.mark.req("ACC-7")
async def test_an_end_that_fails_leaves_the_session_with_its_new_cookie(program: Program, owner: Owner) -> None:
    page = await owner.follow(await send(owner.browser, await owner.form("/centre/cancel")))
    form = owner.solved(form_of(page, "/centre/cancel/identity"))
    page = await owner.follow(await send(owner.browser, form, "code"))
    form = form_of(page, "/centre/cancel/identity").typed(code=await code_to(owner.browser.caller.sandbox, PHONE))
    program.meddler.breaks("members.cancel")
    before = owner.browser.session
    answer = await send(owner.browser, form)
    program.meddler.mends()
    assert answer.status == 303
    assert owner.browser.session not in {None, before}
    assert (await owner.get("/centre")).status == 200
    form_of(await owner.follow(answer), "/centre/cancel/identity")


# ------------------------------------------------------------------------------------------------------- with a script


@pytest.mark.req("ACC-8", "UX-5")
async def test_a_script_is_told_what_of_the_form_has_changed(owner: Owner) -> None:
    form = await owner.form("/centre/password", "/centre/password/identity")
    wrong = await send(owner.browser, form.typed(captcha="0"), "code", Accept="application/json")
    assert (wrong.status, wrong.json()["faults"]) == (422, {"captcha": "验证码不对，请重新输入新图中的4位数字"})
    form = form.typed(captcha_id=wrong.json()["captcha"])
    sent = await send(owner.browser, owner.solved(form), "code", Accept="application/json")
    told = sent.json()
    assert (sent.status, told["faults"], told["note"], told["wait"]) == (200, {}, None, 60)
    state = await owner.browser.caller.send("GET", f"/dispatches/{told['dispatch']}", headers=owner.browser.headers())
    assert state.status == 200
    code = await code_to(owner.browser.caller.sandbox, PHONE)
    answer = await send(owner.browser, form.typed(code=code))
    assert answer.status == 303, "the form does not know the change yet, and its code counts all the same"
