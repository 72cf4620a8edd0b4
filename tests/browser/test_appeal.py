"""人工申诉 in Chromium, on a computer and on a phone, and at the command line of staff in between (RNV-8)."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

import pytest
from playwright.async_api import FilePayload, Page, expect

from bjidp.accounts.identifiers import of_username
from bjidp.accounts.ports import Evidence
from bjidp.appeals.appeal import OF_AN_IDENTITY, ROOM, Verdict
from bjidp.appeals.attachments import Kind, Picture
from bjidp.appeals.ports import Decision, NewAppeal
from bjidp.clock import SystemClock
from bjidp.person import DocumentType, Person
from bjidp.proofing.ports import NewIdentity
from tests.browser.test_identity import person, states, verifies
from tests.support.accessibility import violations
from tests.support.accounts import member_at, stores_at
from tests.support.computer import Computer
from tests.support.demo import Demo
from tests.support.files import jpeg, opened, pdf
from tests.support.inbox import arrived, by_page
from tests.support.looks import Looks
from tests.support.screens import PASSWORD, logs_in, logs_in_on_a_phone

pytestmark = pytest.mark.req("RNV-8")

REASON = "我的身份证去年丢失过，已经挂失。\n这个身份被别人注册了账号，不是我本人注册的。"


async def staff(demo: Demo, *arguments: str, typed: str = "") -> str:
    """Run a command of staff beside the server; return what it says."""
    command = [sys.executable, "-m", "bjidp", "appeals", *arguments, "--config", str(demo.config), "--staff", "wang"]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate(typed.encode())
    assert process.returncode == 0, err.decode()
    return out.decode()


async def filed(demo: Demo, *, pictures: int) -> str:
    """Return the appeal that waits with so many pictures."""
    async with stores_at(demo.config) as stores:
        waiting = await stores.appeals.waiting("wang", SystemClock().now(), 200)
    (found,) = [appeal.id for appeal in waiting if appeal.pictures == pictures]
    return found


async def refused(demo: Demo, appeal: str, why: str) -> None:
    """Refuse an appeal, as the command does."""
    async with stores_at(demo.config) as stores:
        case = await stores.appeals.review(appeal, "wang", SystemClock().now())
        decision = Decision(appeal=appeal, verdict=Verdict.REFUSE, facts=case.facts, staff="wang", explanation=why)
        await stores.appeals.decide(decision, SystemClock().now())


async def held(demo: Demo, screen: Computer, page: Page, name: str, phone: str, username: str) -> None:
    """Have another account hold a person, and be led to 人工申诉 for stating who one is."""
    who = await person(page, demo, name)
    document = Person(DocumentType.RESIDENT_ID, who["name"], who["document_number"])
    await member_at(
        demo.config, username=username, phone=None, password=PASSWORD, document=document, evidence=Evidence.FACE
    )
    await page.get_by_role("link", name=re.compile("立即认证 *实名认证")).click()
    await verifies(demo, screen, phone, 1)
    await page.get_by_role("button", name="下一步", exact=True).click()
    await states(page, who, "真实姓名" if "/h5/" in page.url else "姓名")
    await page.get_by_label("生效日期", exact=True).fill(who["valid_from"])
    await page.locator("#f-valid_to").fill(who["valid_to"])
    await page.get_by_role("button", name="认证", exact=True).click()
    await expect(page.get_by_role("heading", name="这个身份已绑定另一个账号")).to_be_visible()
    await page.get_by_role("link", name="人工申诉").click()
    await expect(page.get_by_role("heading", name="人工申诉", exact=True)).to_be_visible()


async def crowd(demo: Demo, page: Page, name: str) -> None:
    """Have as many strangers appeal for a person's identity as make a crowd."""
    who = await person(page, demo, name)
    new = NewIdentity(
        person=Person(DocumentType.RESIDENT_ID, who["name"], who["document_number"]),
        evidence=Evidence.NAME_AND_NUMBER,
        evidence_reference="E-1",
        authority_reference="A-1",
    )
    two = tuple(Picture(file=1, name="a.jpg", kind=Kind.JPEG, data=jpeg()) for _ in range(2))
    async with stores_at(demo.config) as stores:
        for at in range(OF_AN_IDENTITY):
            stranger = await member_at(
                demo.config, username=f"stranger_400{at}", phone=f"1542000410{at}", password=PASSWORD
            )
            await stores.appeals.file(
                NewAppeal(account=stranger, new=new, exchange=False, reason=REASON, contact="", pictures=two),
                SystemClock().now(),
                room=ROOM,
            )


async def waits(demo: Demo, who: Person, username: str, holder: str) -> None:
    """Have an appeal of an account wait that is for a person whom another account holds."""
    await member_at(demo.config, username=holder, phone=None, password=PASSWORD, document=who)
    new = NewIdentity(
        person=who, evidence=Evidence.NAME_AND_NUMBER, evidence_reference="E-1", authority_reference="A-1"
    )
    async with stores_at(demo.config) as stores:
        member = await stores.members.find([of_username(username)])
        assert member is not None
        picture = (Picture(file=1, name="手持身份证.jpg", kind=Kind.JPEG, data=jpeg()),)
        account = member.standing.account
        await stores.appeals.file(
            NewAppeal(account=account, new=new, exchange=False, reason=REASON, contact="", pictures=picture),
            SystemClock().now(),
            room=ROOM,
        )


def written(folder: Path) -> list[str | None]:
    """Return what the files in a folder are."""
    return [opened(path.read_bytes()).format for path in folder.iterdir()]


def photo(name: str = "手持身份证.jpg") -> FilePayload:
    """Return what a person chooses."""
    return {"name": name, "mimeType": "image/jpeg", "buffer": jpeg((1200, 900))}


@pytest.mark.req("REG-4", "UX-2", "UX-5")
async def test_an_appeal_is_filed_at_a_computer_and_granted(demo: Demo, computer: Computer, tmp_path: Path) -> None:
    page, phone = await logs_in(demo, computer, "su_4001", "15420004001"), "15420004001"
    await held(demo, computer, page, "su-jingwen", phone, "held_4001")
    await expect(page.get_by_text("苏**", exact=False).first).to_be_visible()
    assert await violations(page) == []
    await computer.hang("appeal-form")

    await page.get_by_label("申诉理由").fill("不是我")
    await page.get_by_label("材料一").set_input_files(
        {"name": "a.exe.jpg", "mimeType": "image/jpeg", "buffer": b"MZ not a photo"}
    )
    await page.get_by_role("button", name="提交申诉").click()
    await expect(page.locator("#e-reason")).to_have_text("申诉理由至少10个字")
    await expect(page.locator("#e-attachment_1")).to_have_text("只支持JPEG、PNG图片和PDF文件")
    await expect(page.get_by_label("申诉理由")).to_have_value("不是我")
    assert await violations(page) == []
    await computer.hang("appeal-faults")

    await page.get_by_label("申诉理由").fill(REASON)
    await page.get_by_label("材料一").set_input_files(photo())
    second = page.locator(".file-row").nth(1)
    await expect(second).to_contain_text("选择文件")
    await expect(second.get_by_text("还没有选择")).to_be_visible()
    async with page.expect_file_chooser() as opening:
        await page.get_by_label("材料二").press("Enter")
    chooser = await opening.value
    await chooser.set_files({"name": "挂失证明.pdf", "mimeType": "application/pdf", "buffer": pdf(2)})
    await expect(second.get_by_text("还没有选择")).to_be_hidden()
    await page.get_by_role("button", name="提交申诉").click()
    await expect(page.get_by_text("申诉已提交")).to_be_visible()
    await expect(page.get_by_text("挂失证明.pdf")).to_be_visible()
    assert await violations(page) == []
    await computer.hang("appeal-filed")

    appeal = await filed(demo, pictures=3)
    said = await staff(demo, "show", appeal, "--to", str(tmp_path))
    assert "苏静雯" in said
    assert written(tmp_path) == ["JPEG"] * 3
    await page.reload()
    await expect(page.get_by_text("正在处理", exact=True)).to_be_visible()
    seen = said.partition("--seen ")[2].partition("\n")[0]
    await staff(demo, "decide", appeal, "grant", "--seen", seen, typed="照片与证件相符，挂失证明属实\n")

    assert await arrived(by_page(page, demo), phone, words="人工申诉已通过")
    await page.reload()
    await expect(page.get_by_text("照片与证件相符，挂失证明属实")).to_be_visible()
    assert await violations(page) == []
    await computer.hang("appeal-granted")
    await page.goto("/centre")
    await expect(page.get_by_role("main")).to_contain_text("您的人工申诉已通过")
    await expect(page.get_by_role("link", name="解绑")).to_be_visible()
    await computer.hang("appeal-centre")


@pytest.mark.req("REG-5", "UX-2", "UX-5")
async def test_an_appeal_is_filed_on_a_phone_and_refused(demo: Demo, handheld: Computer) -> None:
    page, phone = await logs_in_on_a_phone(demo, handheld, "cai_4002", "15420004002"), "15420004002"
    await held(demo, handheld, page, "cai-junjie", phone, "held_4002")
    assert await violations(page) == []
    await handheld.hang("appeal-h5-form")
    await page.get_by_label("申诉理由").fill(REASON)
    await page.get_by_label("联系方式（选填）").fill("13800000000（晚上）")
    await page.get_by_label("材料一").set_input_files(
        {"name": "挂失证明.pdf", "mimeType": "application/pdf", "buffer": pdf(3)}
    )
    # Strangers were there first: a few pictures are taken all the same.
    await crowd(demo, page, "cai-junjie")
    await page.get_by_role("button", name="提交申诉").click()
    await expect(page.get_by_role("alert")).to_contain_text("针对这个身份的申诉已有多份，每份最多收2张图片")
    await expect(page.get_by_label("申诉理由")).to_have_value(REASON)
    assert await violations(page) == []
    await handheld.hang("appeal-h5-crowded")
    await page.get_by_label("材料一").set_input_files(photo())
    await page.get_by_role("button", name="提交申诉").click()
    await expect(page.get_by_text("申诉已提交")).to_be_visible()
    assert await violations(page) == []
    await handheld.hang("appeal-h5-filed")

    await refused(demo, await filed(demo, pictures=1), "照片里看不清证件号码，请重新拍摄")
    assert await arrived(by_page(page, demo), phone, words="人工申诉未通过")
    await page.reload()
    await expect(page.get_by_text("照片里看不清证件号码，请重新拍摄")).to_be_visible()
    await expect(page.get_by_role("button", name="提交申诉")).to_be_visible()
    assert await violations(page) == []
    await handheld.hang("appeal-h5-refused")


@pytest.mark.req("ACC-8", "UX-2")
async def test_an_appeal_is_taken_back_at_a_computer_and_on_a_phone(
    demo: Demo, computer: Computer, handheld: Computer
) -> None:
    journeys = (
        (computer, "pc", "tao_4003", "15420004003", Person(DocumentType.RESIDENT_ID, "陶思远", "101010199003070417")),
        (handheld, "h5", "fang_4004", "15420004004", Person(DocumentType.RESIDENT_ID, "方雨涵", "101010199003070425")),
    )
    for screen, kind, username, phone, who in journeys:
        enter = logs_in if kind == "pc" else logs_in_on_a_phone
        page, looks = await enter(demo, screen, username, phone), Looks(screen, f"withdrawal-{kind}")
        await waits(demo, who, username, f"held_{username[-4:]}")
        await page.goto(f"{page.url}/appeal")
        await page.get_by_role("link", name="撤回申诉").focus()
        await page.keyboard.press("Enter")
        await verifies(demo, screen, phone, 1)
        await looks.at("verify")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("以后仍要申诉的")).to_be_visible()
        await looks.at("confirm")
        await page.get_by_role("button", name="撤回申诉").press("Enter")
        await expect(page.get_by_role("heading", name="申诉已撤回")).to_be_visible()
        await looks.at_the_end("done")
        await page.get_by_role("link", name="人工申诉").first.click()
        await expect(page.get_by_text("已撤回", exact=True)).to_be_visible()
        assert looks.found == []
