"""实名认证, 换绑 and 解绑 on pages, without a script."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import pytest

from bjidp.accounts.ports import Evidence
from bjidp.person import DocumentType, Person
from bjidp.proofing.ports import Bound, NewIdentity
from bjidp.standing import Standing
from tests.contracts.house import applicant
from tests.support.forms import WebForm, form_of, forms, heading, links, note, post, send
from tests.support.identities import prove
from tests.support.inbox import messages
from tests.support.members import enrolled
from tests.support.owner import Owner
from tests.support.program import Program
from tests.web.conftest import StartProgram
from tests.web.test_registration import H5, PATHS, Applicant
from tests.web.test_settings import where

PREFIXES: Final = ("", "/h5")
KINDS: Final = tuple(DocumentType)


async def person(program: Program, story: str = "ordinary", kind: str = "resident_id") -> dict[str, Any]:
    """Return the first of the sandbox's persons with this story and kind of document."""
    listed = await (await program.browser()).caller.sandbox("/control/people")
    return next(who for who in listed if (who["story"], who["document_type"]) == (story, kind))


def stated(form: WebForm, who: dict[str, Any], **others: str) -> WebForm:
    """Return the form with who somebody is."""
    fields = {
        "document_type": who["document_type"],
        "name": who["name"],
        "document_number": who["document_number"],
        "valid_from": "2018-06-06",
        "valid_to": "2038-06-06",
    }
    if who["document_type"] != "resident_id":
        fields |= {"sex": "female", "valid_from": "2023-06-06", "valid_to": "2028-06-05"}
    return form.typed(**{name: value for name, value in (fields | others).items() if name in form.fields})


async def bound(program: Program, account: str) -> Bound | None:
    """Return the identity of an account."""
    return await program.rooms.stores.identities.bound(account)


async def give(program: Program, account: str, who: dict[str, Any], evidence: Evidence = Evidence.FACE) -> None:
    """Have the person be the account's identity."""
    proved = NewIdentity(
        person=Person(DocumentType(who["document_type"]), who["name"], who["document_number"]),
        evidence=evidence,
        evidence_reference="E1",
        authority_reference="A1",
    )
    await prove(program.rooms.stores.identities, account, proved, program.clock.now())


@pytest.fixture
async def member(program: Program) -> Standing:
    """Somebody who registered on a page."""
    return await enrolled(program)


@pytest.fixture
async def owner(program: Program, member: Standing) -> Owner:
    """Them, logged in."""
    return await Owner.of(program, member.account)


@pytest.mark.req("RNV-1", "RNV-2", "ACC-8", "UX-4")
@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("kind", KINDS)
async def test_somebody_proves_their_name_in_three_steps_with_each_document(
    program: Program, member: Standing, prefix: str, kind: DocumentType
) -> None:
    owner = await Owner.of(program, member.account, prefix)
    assert f"{prefix}/centre/real_name" in links(await owner.get("/centre"))
    page = await owner.proves("real_name")
    form = form_of(page, f"{prefix}/centre/real_name")
    assert form.fields == [
        "document_type", "name", "sex", "document_number", "valid_from", "term", "valid_to",
    ]  # fmt: skip
    for said in ("请输入您的真实信息，通过后则不能更改", "请保持和证件上的姓名一致", "真实姓名" if prefix else "姓名"):
        assert said in page.text
    who = await person(program, kind=kind.value)
    page = await owner.follow(await send(owner.browser, stated(form, who)))
    assert heading(page) == "认证成功"
    found = await bound(program, member.account)
    assert found is not None
    assert (found.person.name, found.evidence) == (who["name"], Evidence.NAME_AND_NUMBER)
    assert found.level(program.clock.now()) == 2
    page = await owner.get("/centre")
    assert {f"{prefix}/centre/exchange", f"{prefix}/centre/unbind"} <= links(page)
    assert "账号绑定了实名身份" in page.text
    assert f"{prefix}/centre/real_name" not in links(page)
    assert ">女<" in page.text or kind is DocumentType.RESIDENT_ID
    assert who["document_number"] not in page.text


@pytest.mark.req("REG-5", "RNV-5", "UX-5")
@pytest.mark.parametrize("prefix", PREFIXES)
async def test_an_account_that_was_born_in_jingtong_is_led_to_bind_a_phone_before_it_states_anybody(
    program: Program, prefix: str
) -> None:
    _, standing, *_ = await program.rooms.stores.accounts.register(applicant(), program.clock.now())
    owner = await Owner.of(program, standing.account, prefix)
    for setting in ("exchange", "real_name"):
        page = await owner.get(f"/centre/{setting}")
        assert "请先绑定手机号" in page.text
        assert f"{prefix}/centre/phone" in links(page)
    own_face = await owner.get("/centre/bank_card")
    assert "请先绑定手机号" not in own_face.text
    await program.rooms.stores.identities.unbind(standing.account, program.clock.now())
    owner = await Owner.of(program, standing.account, prefix)
    assert "请先绑定手机号" in (await owner.get("/centre/bank_card")).text


@pytest.mark.req("RNV-10", "UX-5")
@pytest.mark.parametrize(
    ("story", "kind", "told", "said"),
    [
        ("mismatch", "resident_id", "姓名和证件号码不一致", "请核对后重新校验"),
        ("unknown", "resident_id", "姓名和证件号码不一致", "请核对后重新校验"),
        ("document_withdrawn", "resident_id", "姓名和证件号码不一致", "请联系发证部门"),
        ("expired", "resident_id", "证件已过有效期", "请换领新证件后再认证"),
        ("mismatch", "hk_permit", "姓名和证件号码不一致", "请联系发证部门"),
    ],
)
async def test_a_no_of_the_authority_is_told_with_what_to_do_and_what_was_typed_is_kept(
    program: Program, member: Standing, owner: Owner, story: str, kind: str, told: str, said: str
) -> None:
    form = await owner.may("real_name")
    who = await person(program, "ordinary" if (story, kind) == ("mismatch", "hk_permit") else story, kind)
    if kind == "hk_permit":
        who = who | {"name": "无此人"}
    answer = await send(owner.browser, stated(form, who))
    again = form_of(answer, "/centre/real_name")
    assert answer.status == 422
    assert told in note(answer)
    assert said in answer.text
    assert (again.values["name"], again.values["document_type"]) == (who["name"], kind)
    assert await bound(program, member.account) is None


@pytest.mark.req("RNV-2", "UX-5")
async def test_what_is_wrong_with_the_form_is_said_beside_each_field(program: Program, owner: Owner) -> None:
    form = await owner.may("real_name")
    answer = await send(owner.browser, form.typed(name="·", document_number="12", valid_from="x", valid_to=""))
    assert form_of(answer, "/centre/real_name").faults == {
        "name": "姓名里的点请用“·”，不能在开头、结尾或连着写",
        "document_number": "号码的格式不对，请对照证件检查号码和证件类型",
        "valid_from": "日期不对，请按“2018-06-06”的样子填写证件上的日期",
        "valid_to": "请输入失效日期，或选“长期”",
    }
    permit = await person(program, kind="hk_permit")
    answer = await send(owner.browser, stated(form, permit, sex="", term="life", valid_to=""))
    assert form_of(answer, "/centre/real_name").faults == {
        "sex": "请选择性别",
        "valid_to": "这种证件没有长期有效的，请填写失效日期",
    }


@pytest.mark.req("RNV-7")
async def test_an_identity_of_another_account_is_told_with_the_way_to_get_it_back(
    program: Program, member: Standing, owner: Owner
) -> None:
    who = await person(program)
    other = await enrolled(program, username="another_one", phone="15400005679")
    await give(program, other.account, who)
    page = await owner.follow(await send(owner.browser, stated(await owner.may("real_name"), who)))
    assert heading(page) == "这个身份已绑定另一个账号"
    assert page.header("Refresh") is None
    assert "人脸识别" in page.text
    assert await bound(program, member.account) is None
    assert await bound(program, other.account) is not None


@pytest.mark.req("RNV-5")
@pytest.mark.parametrize("prefix", PREFIXES)
async def test_an_identity_is_exchanged_and_other_browsers_are_out(
    program: Program, member: Standing, prefix: str
) -> None:
    await give(program, member.account, await person(program, kind="hk_permit"))
    elsewhere = await Owner.of(program, member.account, prefix)
    owner = await Owner.of(program, member.account, prefix)
    who = await person(program)
    page = await owner.follow(await send(owner.browser, stated(await owner.may("exchange"), who)))
    assert heading(page) == "换绑成功，账号已是新的实名身份"
    found = await bound(program, member.account)
    assert found is not None
    assert (found.person.name, found.evidence) == (who["name"], Evidence.NAME_AND_NUMBER)
    assert where(await elsewhere.get("/centre"))[0] == 303
    assert (await owner.get("/centre")).status == 200


@pytest.mark.req("RNV-6")
@pytest.mark.parametrize("prefix", PREFIXES)
async def test_an_identity_is_given_up_and_the_login_page_is_next(
    program: Program, member: Standing, prefix: str
) -> None:
    await give(program, member.account, await person(program))
    owner = await Owner.of(program, member.account, prefix)
    form = await owner.asks("unbind")
    page = await send(owner.browser, form.typed(code=owner.code or ""))
    assert heading(page) == "已解绑"
    assert f"{prefix}/login" in links(page)
    assert await bound(program, member.account) is None
    assert where(await owner.get("/centre"))[0] == 303


@pytest.mark.req("RNV-5", "RNV-6", "UX-5")
@pytest.mark.attack("O11")
@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("setting", ["exchange", "unbind"])
async def test_an_account_without_an_identity_is_shown_no_form_and_sent_nothing(
    program: Program, member: Standing, setting: str, prefix: str
) -> None:
    owner = await Owner.of(program, member.account, prefix)
    shown = await owner.get(f"/centre/{setting}")
    assert "这个账号还没有实名认证" in shown.text
    assert f"{prefix}/centre/real_name" in links(shown)
    assert not [form for form in forms(shown) if form.fields]
    form = (await owner.form("/centre/mail", "/centre/mail/identity")).typed(captcha="1234")
    for path in (f"{prefix}/centre/{setting}/identity", f"{prefix}/centre/{setting}"):
        for act in ("code", "captcha", ""):
            answer = await post(owner.browser, path, owner.solved(form).values | {"act": act, "code": "123456"})
            assert where(answer) == (303, f"{prefix}/centre/{setting}"), (path, act)
    assert await messages(owner.browser.caller.sandbox, owner.phone) == []
    assert where(await owner.get("/centre"))[0] == 200


@pytest.mark.req("REG-4")
async def test_a_registration_on_a_computer_goes_on_to_name_and_number(program: Program) -> None:
    applicant = await Applicant.arrives(program)
    await applicant.registers()
    form = await applicant.identity()
    assert (form.fields, form.acts) == (["name", "document_number"], ["skip"])
    no = await person(program, "mismatch")
    answer = await send(applicant.browser, stated(form, no))
    assert answer.status == 422
    assert "请核对后重新校验" in answer.text
    who = await person(program)
    assert where(await send(applicant.browser, stated(form, who))) == (303, "/register/done")
    page = await applicant.open("/register/done")
    assert "认证成功，您的账号达到初级认证" in page.text
    assert program.sql("SELECT evidence FROM identity") == [("name_and_number",)]


@pytest.mark.req("REG-4", "REG-5", "RNV-7")
@pytest.mark.parametrize(
    ("evidence", "by_card"),
    [(Evidence.NAME_AND_NUMBER, True), (Evidence.FACE, False)],
    ids=["by a card too", "by a face alone"],
)
@pytest.mark.parametrize("path", PATHS)
async def test_a_registration_ends_with_the_ways_to_an_identity_of_another_account(
    program: Program, path: str, evidence: Evidence, *, by_card: bool
) -> None:
    who = await person(program)
    other = await enrolled(program, username="another_one", phone="15400005679")
    await give(program, other.account, who, evidence)
    applicant = await Applicant.arrives(program, path)
    await applicant.registers()
    page = await applicant.open(where(await send(applicant.browser, stated(await applicant.identity(), who)))[1])
    assert heading(page) == "注册成功"
    assert "人脸识别" in page.text
    assert (f"{path.removesuffix('/register')}/centre/bank_card" in links(page)) == by_card


@pytest.mark.req("REG-5")
async def test_where_there_is_no_bank_a_registration_leads_to_none(start_program: StartProgram) -> None:
    program = await start_program(settings=lambda settings: msgspec.structs.replace(settings, bank=None))
    who = await person(program)
    other = await enrolled(program, username="another_one", phone="15400005679")
    await give(program, other.account, who, Evidence.NAME_AND_NUMBER)
    applicant = await Applicant.arrives(program)
    await applicant.registers()
    page = await applicant.open(where(await send(applicant.browser, stated(await applicant.identity(), who)))[1])
    assert "人脸识别" in page.text
    assert "/centre/bank_card" not in links(page)


@pytest.mark.req("REG-5")
async def test_a_registration_on_a_phone_asks_for_the_document_and_its_dates(program: Program) -> None:
    applicant = await Applicant.arrives(program, H5)
    await applicant.registers()
    form = await applicant.identity()
    assert form.fields == [
        "document_type", "name", "sex", "document_number", "valid_from", "term", "valid_to",
    ]  # fmt: skip
    who = await person(program, kind="taiwan_permit")
    assert where(await send(applicant.browser, stated(form, who))) == (303, "/h5/register/done")
    assert program.sql("SELECT document_type, evidence FROM identity") == [("taiwan_permit", "name_and_number")]


@pytest.mark.req("REG-5")
@pytest.mark.attack("O2")
async def test_whose_name_a_number_is_is_asked_for_an_account_three_times_a_day(program: Program) -> None:
    applicant = await Applicant.arrives(program)
    await applicant.registers()
    form, who = await applicant.identity(), await person(program)
    for name in ("王一", "王二", "王三"):
        assert (await send(applicant.browser, stated(form, who, name=name))).status == 422
    answer = await send(applicant.browser, stated(form, who))
    assert answer.status == 429
    assert program.sql("SELECT count(*) FROM identity") == [(0,)]


@pytest.mark.req("RNV-2")
async def test_an_authority_that_is_away_is_said_and_the_same_form_serves_again(
    program: Program, member: Standing, owner: Owner
) -> None:
    form = stated(await owner.may("real_name"), await person(program))
    await owner.browser.caller.sandbox("/control/faults", {"service": "authority", "mode": "http500"})
    answer = await send(owner.browser, form)
    assert answer.status == 503
    assert note(answer) != ""
    await owner.browser.caller.sandbox("/control/faults", {"service": "authority", "mode": "ok"})
    assert where(await send(owner.browser, form))[0] == 303
    assert await bound(program, member.account) is not None


@pytest.mark.attack("R4")
async def test_a_registration_that_was_left_open_asks_for_the_proof_first(program: Program) -> None:
    applicant = await Applicant.arrives(program)
    await applicant.registers()
    form, who = await applicant.identity(), await person(program)
    await program.advance(31 * 60)
    answer = await send(applicant.browser, stated(form, who))
    assert answer.status in {303, 403}
    assert program.sql("SELECT count(*) FROM identity") == [(0,)]


@pytest.mark.req("REG-4")
async def test_the_short_form_takes_resident_cards_alone(program: Program) -> None:
    applicant = await Applicant.arrives(program)
    await applicant.registers()
    form, permit = await applicant.identity(), await person(program, kind="hk_permit")
    answer = await send(applicant.browser, stated(form, permit).typed(document_type="hk_permit"))
    assert answer.status == 422
    assert program.sql("SELECT count(*) FROM identity") == [(0,)]
