"""人工申诉 on pages, without a script: filed, looked at, decided, taken back (RNV-8)."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import pytest

from bjidp.accounts.ports import Evidence
from bjidp.appeals import filing
from bjidp.appeals.appeal import Appeal, State, Verdict
from bjidp.appeals.ports import Decision
from bjidp.clock import HOUR
from bjidp.person import DocumentType, Person
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.privacy.sealing import Sealing
from bjidp.privacy.seals import RecordSeals
from bjidp.proofing.claims import Claim, Claims
from bjidp.proofing.ports import NewIdentity
from bjidp.standing import Standing
from bjidp.throttle.ports import Window
from bjidp.web.forms import upload_slots, uploads
from tests.support.calls import PATIENCE, Answer, Line
from tests.support.files import SCRIPT, SECRET, active_pdf, jpeg, opened, png, png_bomb
from tests.support.forms import WebForm, form_of, forms, heading, links, multipart, note, post, post_raw, send, upload
from tests.support.inbox import arrived, messages
from tests.support.members import PHONE, enrolled
from tests.support.owner import Owner
from tests.support.program import Program
from tests.web.test_real_name import PREFIXES, give, person, stated

pytestmark = pytest.mark.req("RNV-8")

REASON: Final = "我的身份证丢失过，\n后来被别人注册了账号。"
PHOTO: Final = {"attachment_1": ("手持身份证.jpg", jpeg())}
HOLDERS_PHONE: Final = "15400000099"


async def claim(program: Program, account: str, who: dict[str, Any]) -> None:
    """Have the authority have confirmed the person for the account, a moment ago, in vain."""
    rooms = program.rooms
    kept = Claims(rooms.stores.claims, RecordSeals(Sealing(rooms.keyring, rooms.entropy)), Pseudonyms(rooms.keyring))
    new = NewIdentity(
        person=Person(DocumentType(who["document_type"]), who["name"], who["document_number"]),
        evidence=Evidence.NAME_AND_NUMBER,
        evidence_reference="E2",
        authority_reference="A2",
    )
    await kept.keep(account, Claim(new=new, exchange=False))


async def newest(program: Program, account: str) -> Appeal:
    found = await program.rooms.stores.appeals.newest(account)
    assert found is not None
    return found


async def until(program: Program, state: str) -> None:
    """Wait until this is so of the appeal."""
    async with asyncio.timeout(PATIENCE):
        while program.sql(f"SELECT count(*) FROM appeal WHERE {state}") != [(1,)]:  # noqa: S608 - written in this file
            await program.settle()


async def decide(program: Program, account: str, verdict: Verdict, why: str = "材料与本人相符") -> Appeal:
    """Have staff decide, and the server follow it up."""
    store, now = program.rooms.stores.appeals, program.clock.now()
    case = await store.review((await newest(program, account)).id, "wang", now)
    decision = Decision(appeal=case.appeal.id, verdict=verdict, facts=case.facts, staff="wang", explanation=why)
    return await store.decide(decision, now)


@pytest.fixture
async def member(program: Program) -> Standing:
    """Somebody whose identity is another account's."""
    member = await enrolled(program)
    holder = await enrolled(program, username="lisi_2000", phone=HOLDERS_PHONE)
    await give(program, holder.account, await person(program))
    await claim(program, member.account, await person(program))
    return member


@pytest.fixture
async def owner(program: Program, member: Standing) -> Owner:
    """Them, logged in."""
    return await Owner.of(program, member.account)


async def form(owner: Owner) -> WebForm:
    return form_of(await owner.get("/centre/appeal"), f"{owner.prefix}/centre/appeal")


def state(page: Answer) -> str:
    """Return what a page says of how the appeal stands."""
    return page.text.partition('id="filed">')[2].partition("</h2>")[0].rpartition('">')[2].partition("<")[0]


@pytest.mark.req("REG-4", "RNV-7", "UX-4")
@pytest.mark.parametrize("prefix", PREFIXES)
async def test_an_identity_of_another_account_leads_to_the_form_and_the_form_to_its_state(
    program: Program, prefix: str
) -> None:
    member = await enrolled(program)
    who = await person(program)
    await give(program, (await enrolled(program, username="lisi_2000", phone=HOLDERS_PHONE)).account, who)
    owner = await Owner.of(program, member.account, prefix)
    assert f"{prefix}/centre/appeal" in links(await owner.get("/centre"))
    page = await owner.get("/centre/appeal")
    assert "先核对身份，再申诉" in page.text
    assert not [shown for shown in forms(page) if shown.action.endswith("/appeal")]

    held = await owner.follow(await send(owner.browser, stated(await owner.may("real_name"), who)))
    assert f"{prefix}/centre/appeal" in links(held)
    shown = await form(owner)
    assert shown.fields == ["reason", "contact", "attachment_1", "attachment_2", "attachment_3"]
    files = PHOTO | {"attachment_2": ("", b""), "attachment_3": ("证明.pdf", active_pdf())}
    answer = await upload(owner.browser, shown.typed(reason=REASON, contact="010-12345678"), files)
    page = await owner.follow(answer)
    assert (heading(page), state(page)) == ("人工申诉", "已提交")
    for said in ("申诉已提交", "后来被别人注册了账号。", "010-12345678", "手持身份证.jpg", "证明.pdf"):
        assert said in page.text
    assert who["document_number"] not in page.text
    assert "已提交" in (await owner.get("/centre")).text

    found = await newest(program, member.account)
    assert (found.state, found.reason, found.person.number) == (State.FILED, REASON, who["document_number"])
    assert [(kept.file, kept.name, kept.kind) for kept in found.attachments] == [
        (1, "手持身份证.jpg", "jpeg"),
        (3, "证明.pdf", "pdf"),
    ]


@pytest.mark.attack("U1", "U4")
async def test_what_is_kept_of_a_file_is_what_can_be_seen_of_it(
    program: Program, member: Standing, owner: Owner
) -> None:
    # What the name and the browser say of it is not so.
    await upload(owner.browser, (await form(owner)).typed(reason=REASON), {"attachment_1": ("a.pdf", png())})
    found = await newest(program, member.account)
    data = await program.rooms.stores.appeals.picture(found.id, 1, "wang", program.clock.now())
    assert (opened(data).format, found.attachments[0].kind) == ("JPEG", "png")
    assert SECRET not in data
    assert SCRIPT not in data
    assert program.sql("SELECT instr(picture_sealed, ?) FROM appeal_picture", data[:64]) == [(0,)]


@pytest.mark.parametrize("prefix", PREFIXES)
async def test_a_grant_is_told_and_the_identity_is_there(program: Program, member: Standing, prefix: str) -> None:
    owner = await Owner.of(program, member.account, prefix)
    await upload(owner.browser, (await form(owner)).typed(reason=REASON), PHOTO)
    await decide(program, member.account, Verdict.GRANT)
    await program.advance(10)
    await until(program, "tell_at IS NULL")
    page = await owner.get("/centre/appeal?said=filed")
    assert "申诉已提交" not in page.text, "it is decided by now"
    assert state(page) == "已通过"
    assert "材料与本人相符" in page.text
    # Nothing is left to be appealed for, though the claim that led here is still alive.
    assert "attachment_1" not in page.text
    assert "先核对身份，再申诉" not in page.text
    centre = await owner.get("/centre")
    assert "您的人工申诉已通过" in centre.text
    assert f"{prefix}/centre/unbind" in links(centre)
    for number, words in ((PHONE, "人工申诉已通过"), (HOLDERS_PHONE, "用于另一个账号")):
        assert await arrived(owner.browser.caller.sandbox, number, words=words)


async def test_a_refusal_is_told_with_its_reason_and_another_appeal_may_follow(
    program: Program, member: Standing, owner: Owner
) -> None:
    await upload(owner.browser, (await form(owner)).typed(reason=REASON), PHOTO)
    await decide(program, member.account, Verdict.REFUSE, "照片看不清")
    await program.advance(1)
    page = await owner.get("/centre/appeal")
    assert state(page) == "未通过"
    assert "照片看不清" in page.text
    shown = form_of(page, "/centre/appeal")
    assert "attachment_1" in shown.fields, "the identity was confirmed a moment ago"
    await owner.follow(await upload(owner.browser, shown.typed(reason=REASON), PHOTO))
    assert (await newest(program, member.account)).state is State.FILED


@pytest.mark.req("ACC-8")
@pytest.mark.parametrize("prefix", PREFIXES)
async def test_an_appeal_is_taken_back_after_its_owner_has_proved_who_they_are(
    program: Program, member: Standing, prefix: str
) -> None:
    owner = await Owner.of(program, member.account, prefix)
    await upload(owner.browser, (await form(owner)).typed(reason=REASON), PHOTO)
    page = await owner.get("/centre/appeal")
    assert f"{prefix}/centre/withdraw_appeal" in links(page)
    assert [shown for shown in forms(page) if shown.action.endswith("/appeal")] == []
    page = await owner.proves("withdraw_appeal")
    assert "撤回后材料立即删除" in page.text
    assert f"{prefix}/centre/appeal" in links(page)
    shown = form_of(page, f"{prefix}/centre/withdraw_appeal")
    assert (await newest(program, member.account)).is_open, "it is asked first"
    done = await owner.follow(await send(owner.browser, shown))
    assert "申诉已撤回，材料已删除" in done.text
    assert done.header("Refresh") == f"7; url={prefix}/centre/appeal"
    assert state(await owner.get("/centre/appeal")) == "已撤回"
    assert (await newest(program, member.account)).attachments == ()
    again = await owner.follow(await send(owner.browser, shown))
    assert again.status == 303
    assert again.header("Location") == f"{prefix}/centre/appeal", "there is none to be taken back"
    assert program.sql("SELECT count(*) FROM audit_event WHERE kind = 'appeal.withdrawn'") == [(1,)]


@pytest.mark.req("ACC-8")
@pytest.mark.attack("R4")
async def test_whoever_has_the_session_alone_takes_no_appeal_back(
    program: Program, member: Standing, owner: Owner
) -> None:
    await upload(owner.browser, (await form(owner)).typed(reason=REASON), PHOTO)
    filed = await newest(program, member.account)
    csrf = (await owner.form("/centre/withdraw_appeal", "/centre/withdraw_appeal/identity")).values["csrf"]
    for path in ("/centre/withdraw_appeal", "/centre/appeal"):
        for fields in ({}, {"act": "withdraw"}, {"act": "withdraw", "appeal": filed.id}, {"flow": "A" * 22}):
            answer = await post(owner.browser, path, {"csrf": csrf, **fields})
            assert answer.status in {303, 400}, (path, fields)
    assert (await newest(program, member.account)).is_open


async def test_an_appeal_that_was_decided_before_it_could_be_taken_back_is_shown_as_it_stands(
    program: Program, member: Standing, owner: Owner
) -> None:
    await upload(owner.browser, (await form(owner)).typed(reason=REASON), PHOTO)
    shown = await owner.may("withdraw_appeal")
    await decide(program, member.account, Verdict.REFUSE, "照片看不清")
    answer = await send(owner.browser, shown)
    while answer.status == 303:
        answer = await owner.follow(answer)
    assert state(answer) == "未通过"
    assert "照片看不清" in answer.text
    assert program.sql("SELECT count(*) FROM audit_event WHERE kind = 'appeal.withdrawn'") == [(0,)]


@pytest.mark.req("UX-5")
@pytest.mark.attack("U1", "U2")
async def test_what_is_wrong_is_said_beside_each_field_and_what_was_typed_stays(program: Program, owner: Owner) -> None:
    files = {
        "attachment_1": ("a.jpg", b"MZ a program"),
        "attachment_2": ("b.png", b"\x89PNG\r\n\x1a\n" + b"x" * (5 * 1024 * 1024)),
        "attachment_3": ("c.jpg", b""),
    }
    answer = await upload(owner.browser, (await form(owner)).typed(reason="不是我", contact="1" * 61), files)
    again = form_of(answer, "/centre/appeal")
    assert answer.status == 422
    assert again.faults == {
        "reason": "申诉理由至少10个字",
        "contact": "联系方式不超过60个字",
        "attachment_1": "只支持JPEG、PNG图片和PDF文件",
        "attachment_2": "文件超过5MB，请压缩后再上传",
        "attachment_3": "这个文件是空的，请换一个",
    }
    assert (again.values["reason"], again.values["contact"]) == ("不是我", "1" * 61)
    assert "请重新选择材料" in answer.text
    # What only a look into the file tells.
    files = {"attachment_1": ("bomb.png", png_bomb(30_000)), "attachment_2": ("b.pdf", b"%PDF-1.7 nothing")}
    answer = await upload(owner.browser, again.typed(reason=REASON, contact=""), files)
    assert form_of(answer, "/centre/appeal").faults == {
        "attachment_1": "图片尺寸太大，请缩小后再上传",
        "attachment_2": "文件打不开，请换一个，或拍照上传",
    }
    assert form_of(answer, "/centre/appeal").values["reason"] == REASON
    assert "请至少上传一份材料" in (await upload(owner.browser, again.typed(reason=REASON), {})).text
    assert program.sql("SELECT count(*) FROM appeal") == [(0,)]


@pytest.mark.attack("U5")
async def test_a_body_that_is_too_large_is_said_to_be_so_with_what_was_typed(
    program: Program, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = (await form(owner)).typed(reason=REASON)
    whole = {f"attachment_{number}": ("a.jpg", b"\xff\xd8\xff" + b"x" * 200_000) for number in (1, 2, 3)}
    monkeypatch.setattr(uploads, "KEPT_MAX", 500_000)
    answer = await upload(owner.browser, shown, whole)
    assert answer.status == 413
    assert "提交的内容太大" in note(answer)
    assert form_of(answer, "/centre/appeal").values["reason"] == REASON
    # One that says so itself is not read any further than what was typed.
    monkeypatch.setattr(uploads, "READ_MAX", 400_000)
    fields = shown.values
    kind, body = multipart([*fields.items()], [("attachment_1", "a.jpg", b"x")])
    line = await begun(program, owner, f"Content-Type: {kind}", "Content-Length: 10000000000")
    await line.say(body[: body.index(b"x\r\n")])
    answer = await line.answer()
    await line.close()
    assert answer.status == 413
    assert "请重新选择材料" in answer.text
    assert form_of(answer, "/centre/appeal").values["reason"] == REASON


@pytest.mark.attack("U5")
async def test_fields_and_parts_are_few_and_short(program: Program, owner: Owner) -> None:
    shown = await form(owner)
    csrf = [("csrf", shown.values["csrf"])]
    for fields, files, status in (
        ([*csrf, ("reason", "x" * 20_000)], [], 413),
        ([*csrf, *((f"f{number}", "") for number in range(20))], [], 413),
        ([*csrf, ("reason", REASON), ("reason", REASON)], [], 400),
        ([*csrf, ("admin", "yes")], [], 400),
        ([*csrf, ("reason", REASON)], [("attachment_4", "a.jpg", jpeg())], 400),
        ([*csrf, ("reason", REASON)], [("attachment_1", "a.jpg", jpeg()), ("attachment_1", "b.jpg", jpeg())], 400),
    ):
        kind, body = multipart(fields, files)
        answer = await post_raw(owner.browser, shown.action, body, kind)
        assert answer.status == status, fields[1]
    for body in (b"", b"--x", multipart(csrf)[1][:-10]):
        answer = await post_raw(owner.browser, shown.action, body, multipart([])[0])
        assert answer.status in {400, 403}
    assert program.sql("SELECT count(*) FROM appeal") == [(0,)]


@pytest.mark.attack("Q28", "W2", "U5")
async def test_nothing_is_kept_of_what_another_page_or_a_stranger_sends(program: Program, owner: Owner) -> None:
    shown = (await form(owner)).typed(reason=REASON)
    files = [("attachment_1", "a.jpg", jpeg())]
    rest = [("reason", REASON)]
    for fields in (rest, [("csrf", "x"), *rest], [*rest, ("csrf", shown.values["csrf"])]):
        kind, body = multipart(fields, files)
        assert (await post_raw(owner.browser, shown.action, body, kind)).status == 403
    answer = await upload(owner.browser, shown, PHOTO, Origin="https://evil.example")
    assert answer.status == 403
    stranger = await program.browser()
    kind, body = multipart([("csrf", shown.values["csrf"]), *rest], files)
    answer = await post_raw(stranger, shown.action, body, kind)
    assert (answer.status, answer.header("Location")) == (303, "/login")
    assert program.sql("SELECT count(*) FROM appeal") == [(0,)]


@pytest.mark.attack("U6")
async def test_nobody_takes_back_or_sees_the_appeal_of_another(
    program: Program, member: Standing, owner: Owner
) -> None:
    await upload(owner.browser, (await form(owner)).typed(reason=REASON), PHOTO)
    filed = await newest(program, member.account)
    other = await enrolled(program, username="wangwu_3", phone="15400000098")
    meddler = await Owner.of(program, other.account, phone="15400000098")
    page = await meddler.get("/centre/appeal")
    assert REASON.split("\n", maxsplit=1)[0] not in page.text
    centre = forms(await meddler.get("/centre"))[0]
    for path in ("/centre/withdraw_appeal", "/centre/withdraw_appeal/identity"):
        answer = await meddler.follow(await post(meddler.browser, path, {"csrf": centre.values["csrf"]}))
        assert answer.header("Location") == "/centre/appeal", "they have none"
    assert (await newest(program, member.account)).is_open
    for path in (f"/centre/appeal/{filed.id}", f"/centre/appeal/{filed.id}/1", f"/centre/appeal?appeal={filed.id}"):
        answer = await meddler.browser.get(path)
        assert answer.status in {200, 404}
        assert REASON.split("\n", maxsplit=1)[0] not in answer.text


async def test_a_form_that_is_sent_twice_files_one_appeal(program: Program, owner: Owner) -> None:
    shown = (await form(owner)).typed(reason=REASON)
    answers = await asyncio.gather(*(upload(owner.browser, shown, PHOTO) for _ in range(2)))
    assert [answer.status for answer in answers] == [303, 303]
    assert program.sql("SELECT count(*) FROM appeal") == [(1,)]
    assert state(await owner.follow(answers[0])) == "已提交"


async def begun(program: Program, owner: Owner, *headers: str) -> Line:
    """Begin to post the form over a line of one's own."""
    line = await Line.open(program.deployments[0])
    said = owner.browser.headers(Origin=owner.browser.to.url, Accept="text/html", Host=owner.browser.to.url[7:])
    lines = [f"POST {owner.prefix}/centre/appeal HTTP/1.1", *(f"{name}: {value}" for name, value in said.items())]
    await line.say("\r\n".join([*lines, *headers, "", ""]).encode())
    return line


@pytest.mark.attack("P7")
async def test_whoever_is_put_out_while_the_files_are_on_their_way_files_nothing(
    program: Program, member: Standing, owner: Owner
) -> None:
    fields = (await form(owner)).typed(reason=REASON).values
    kind, body = multipart([*fields.items()], [("attachment_1", "a.jpg", jpeg())])
    line = await begun(program, owner, f"Content-Type: {kind}", f"Content-Length: {len(body)}")
    await line.say(body[:300])
    await program.settle()
    await program.rooms.stores.members.fence(member.account, None)
    await line.say(body[300:])
    answer = await line.answer()
    assert (answer.status, answer.header("Location")) == (303, "/login")
    await line.close()
    assert program.sql("SELECT count(*) FROM appeal") == [(0,)]


@pytest.mark.attack("U5")
async def test_a_body_that_does_not_say_how_long_it_is_ends_where_none_is_read_further(
    program: Program, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "READ_MAX", 100_000)
    fields = (await form(owner)).typed(reason=REASON).values
    kind, body = multipart([*fields.items()], [("attachment_1", "a.jpg", b"x" * 400_000)])
    line = await begun(program, owner, f"Content-Type: {kind}", "Transfer-Encoding: chunked")
    await line.say(b"%x\r\n" % len(body) + body[:200_000])
    answer = await line.answer()
    await line.close()
    assert answer.status == 413
    assert form_of(answer, "/centre/appeal").values["reason"] == REASON


@pytest.mark.attack("U5")
async def test_a_body_that_stops_coming_is_given_up(
    program: Program, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "SILENCE", 0.05)
    csrf = (await form(owner)).values["csrf"]
    kind, body = multipart([("csrf", csrf)])
    line = await begun(program, owner, f"Content-Type: {kind}", "Content-Length: 500000")
    await line.say(body[:200])
    assert (await line.answer()).status == 408
    await line.close()


@pytest.mark.attack("U5")
async def test_a_body_that_comes_in_drops_is_given_up(
    program: Program, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "GRACE", 0.0)
    monkeypatch.setattr(uploads, "RATE", 10**9)
    monkeypatch.setattr(uploads, "SILENCE", 3600.0)
    csrf = (await form(owner)).values["csrf"]
    kind, body = multipart([("csrf", csrf)])
    line = await begun(program, owner, f"Content-Type: {kind}", "Content-Length: 500000")
    await line.say(body[:200])
    assert (await line.answer()).status == 408
    await line.close()


@pytest.mark.attack("U5")
async def test_who_may_not_file_takes_no_slot_and_is_told_so_with_what_they_typed(
    program: Program, member: Standing, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the file is read: the form is answered as soon as it begins, and would be with the server full."""
    monkeypatch.setattr(upload_slots, "AT_ONCE", 0)
    fields = (await form(owner)).typed(reason=REASON).values

    async def told() -> Answer:
        kind, body = multipart([*fields.items()], [("attachment_1", "a.jpg", b"x")])
        line = await begun(program, owner, f"Content-Type: {kind}", "Content-Length: 9000000")
        await line.say(body[: body.index(b"x\r\n")])
        answer = await line.answer()
        await line.close()
        return answer

    monkeypatch.setattr(filing, "UPLOADS", Window(0, HOUR))
    answer = await told()
    assert (answer.status, form_of(answer, "/centre/appeal").values["reason"]) == (429, REASON)
    assert "请重新选择材料" in answer.text
    monkeypatch.setattr(filing, "UPLOADS", Window(20, HOUR))
    monkeypatch.setattr(filing, "OF_A_SOURCE", Window(0, HOUR))
    assert (await told()).status == 429
    monkeypatch.setattr(filing, "OF_A_SOURCE", Window(100, HOUR))
    assert (await told()).status == 503, "now it is the slot that is not there"
    program.sql("UPDATE account SET phone_sealed = NULL WHERE id = ?", member.account)
    answer = await told()
    assert answer.status == 409
    assert "先绑定手机号，再申诉" in answer.text


@pytest.mark.attack("U5")
async def test_an_account_with_an_open_appeal_sends_no_more_files(
    program: Program, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = (await form(owner)).typed(reason=REASON)
    assert (await upload(owner.browser, shown, PHOTO)).status == 303
    monkeypatch.setattr(upload_slots, "AT_ONCE", 0)
    answer = await upload(owner.browser, shown, PHOTO)
    assert (answer.status, answer.header("Location")) == (303, "/centre/appeal")


@pytest.mark.attack("U5")
async def test_an_account_has_one_form_read_at_a_time(program: Program, owner: Owner) -> None:
    """While one comes slowly, the second waits for it, and the third is turned away with what was typed."""
    shown = (await form(owner)).typed(reason=REASON)
    kind, body = multipart([*shown.values.items()], [("attachment_1", "a.jpg", jpeg())])
    slow, second = [
        await begun(program, owner, f"Content-Type: {kind}", f"Content-Length: {len(body)}") for _ in range(2)
    ]
    await slow.say(body[:300])
    await program.settle()
    await second.say(body)
    await program.settle()
    third = await upload(owner.browser, shown, PHOTO)
    assert third.status == 503
    assert form_of(third, "/centre/appeal").values["reason"] == REASON
    await slow.say(body[300:])
    assert [(await line.answer()).status for line in (slow, second)] == [303, 303]
    for line in (slow, second):
        await line.close()
    assert program.sql("SELECT count(*) FROM appeal") == [(1,)]


@pytest.mark.attack("U5")
async def test_an_account_has_few_forms_looked_into(
    program: Program, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filing, "UPLOADS", Window(1, HOUR))
    shown = (await form(owner)).typed(reason=REASON)
    broken = {"attachment_1": ("a.png", png()[:-40])}
    assert (await upload(owner.browser, shown, broken)).status == 422
    answer = await upload(owner.browser, shown, PHOTO)
    assert answer.status == 429
    assert form_of(answer, "/centre/appeal").values["reason"] == REASON


async def test_a_claim_that_is_over_and_an_account_without_a_number_come_first(
    program: Program, member: Standing, owner: Owner
) -> None:
    shown = (await form(owner)).typed(reason=REASON)
    await program.advance(31 * 60)
    answer = await upload(owner.browser, shown, PHOTO)
    assert answer.status == 409
    assert "身份核对的结果已过期" in note(answer)
    assert "/centre/real_name" in links(answer)
    program.sql("UPDATE account SET phone_sealed = NULL WHERE id = ?", member.account)
    page = await owner.get("/centre/appeal")
    assert "先绑定手机号，再申诉" in page.text
    assert "/centre/phone" in links(page)


@pytest.mark.attack("U7")
async def test_a_page_appeals_for_nobody_whom_another_page_has_stated_since(
    program: Program, member: Standing, owner: Owner
) -> None:
    shown = (await form(owner)).typed(reason=REASON)
    other = await person(program, kind="hk_permit")
    third = await enrolled(program, username="wangwu_2000", phone="15400000088")
    await give(program, third.account, other)
    await claim(program, member.account, other)
    answer = await upload(owner.browser, shown, PHOTO)
    assert answer.status == 409
    assert program.sql("SELECT count(*) FROM appeal") == [(0,)]
    again = form_of(answer, "/centre/appeal")
    assert again.values["reason"] == REASON
    assert again.values["about"] != shown.values["about"]
    await upload(owner.browser, again, PHOTO)
    assert (await newest(program, member.account)).person.number == other["document_number"]


async def test_who_has_an_identity_is_led_to_the_exchange_for_another_one(
    program: Program, member: Standing, owner: Owner
) -> None:
    await program.advance(31 * 60)
    await give(program, member.account, await person(program, kind="hk_permit"))
    page = await owner.get("/centre/appeal")
    assert "您的账号已有实名身份" in page.text
    assert "/centre/exchange" in links(page)
    assert "/centre/real_name" not in links(page)


async def test_what_was_freed_meanwhile_needs_no_appeal(program: Program, owner: Owner) -> None:
    shown = (await form(owner)).typed(reason=REASON)
    ((holder,),) = program.sql("SELECT account FROM identity")
    await program.rooms.stores.identities.unbind(str(holder), program.clock.now())
    answer = await upload(owner.browser, shown, PHOTO)
    assert answer.status == 409
    assert "这个身份现在没有被别的账号占用" in note(answer)
    assert form_of(answer, "/centre/appeal").values["reason"] == REASON


@pytest.mark.attack("U5")
async def test_more_than_may_wait_are_told_to_come_again(
    program: Program, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = (await form(owner)).typed(reason=REASON)
    monkeypatch.setattr(upload_slots, "AT_ONCE", 0)
    answer = await upload(owner.browser, shown, PHOTO)
    assert answer.status == 503
    assert answer.header("Retry-After") == str(upload_slots.BUSY)
    assert "现在访问的人太多" in note(answer)
    assert form_of(answer, "/centre/appeal").values["reason"] == REASON


async def test_a_vendor_that_is_away_loses_no_outcome(program: Program, member: Standing, owner: Owner) -> None:
    await upload(owner.browser, (await form(owner)).typed(reason=REASON), PHOTO)
    sandbox = owner.browser.caller.sandbox
    await sandbox("/control/faults", {"service": "chuanglan", "mode": "http500"})
    await decide(program, member.account, Verdict.GRANT)
    await program.advance(10)
    await until(program, "tell_at > decided_at + 60000")
    assert program.sql("SELECT told_at, loser_told_at FROM appeal") == [(None, None)]
    await sandbox("/control/faults", {"service": "chuanglan", "mode": "ok"})
    # Not in strides: a jump of time in the midst of what is tried again would be a store that does not answer.
    program.clock.advance(12 * 60)
    await program.advance(10)
    await until(program, "tell_at IS NULL")
    for number, words in ((PHONE, "人工申诉已通过"), (HOLDERS_PHONE, "用于另一个账号")):
        assert await arrived(sandbox, number, words=words)
    await program.advance(60 * 60)
    assert len(await messages(sandbox, PHONE)) == 1, "and nobody is told twice"
