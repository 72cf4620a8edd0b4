"""绑定手机号, and 您已有账号, as people come by them: a real demo, its phone, and a computer beside it."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from bjidp.accounts.ports import Evidence
from bjidp.person import DocumentType, Person
from tests.support.accounts import member_at
from tests.support.calls import Caller, Deployment
from tests.support.computer import Computer
from tests.support.demo import Demo
from tests.support.handset import Handset
from tests.support.inbox import arrived, by_page
from tests.support.phone import Person as Resident
from tests.support.phone import people
from tests.support.registrant import Registrant

PASSWORD = "Wansui-8"


async def resident(demo: Demo, name: str) -> Resident:
    """Return somebody of the sandbox."""
    async with Caller(Deployment(demo.server, demo.sandbox, demo.server)) as caller:
        (found,) = (person for person in await people(caller) if person.name == name)
        return found


@pytest.mark.req("LOG-7", "REG-8", "ACC-3")
@pytest.mark.attack("R4")
async def test_an_account_that_was_registered_on_a_page_becomes_one_with_that_of_the_phone(
    demo: Demo, computer: Computer, phone: Handset
) -> None:
    number = (await resident(demo, "王𬭎")).phone
    somebody = Registrant(computer, demo)
    await somebody.open()
    await somebody.names(number, "wang_hong")
    await somebody.asks_for_a_code()
    await somebody.completes(await somebody.code(number))
    await somebody.sends()
    await somebody.skips()
    await somebody.is_done()

    await phone.registers("王𬭎", "wechat", "王**")
    await phone.press("我的")
    await phone.shows("未绑定")
    await phone.press("绑定手机号")
    await phone.press("用微信的手机号绑定")
    await phone.heading("要合并账号吗？")
    await phone.hang("phone-merge")
    await phone.press("合并并绑定")
    await phone.heading("手机号已绑定")
    shown = f"{number[:3]}****{number[-4:]}"
    await phone.shows(shown)
    await phone.press("完成")
    await phone.shows(shown)

    await computer.page.goto("/centre")
    await expect(computer.page).to_have_url(re.compile("/login"))
    await computer.open()
    await phone.press("首页")
    await phone.scans(computer)
    await phone.confirms()
    await computer.is_in("王**")


@pytest.mark.req("RNV-7")
async def test_whoever_has_an_account_by_name_and_number_claims_it_by_a_face_and_a_code(
    demo: Demo, computer: Computer, phone: Handset
) -> None:
    person = await resident(demo, "古丽努尔·阿卜杜热合曼·麦麦提图尔荪·艾则孜·约麦尔江")
    document = Person(DocumentType.RESIDENT_ID, person.name, person.document_number)
    number = "15400120012"
    await member_at(
        demo.config,
        username="gulnur_a",
        phone=number,
        password=PASSWORD,
        document=document,
        evidence=Evidence.NAME_AND_NUMBER,
    )
    await phone.log_in(person.name, "alipay")
    await phone.starts_face_check()
    await phone.face("通过")
    await phone.heading("这个账号是您的吗？")
    await phone.shows("154****0012")
    await phone.hang("phone-claim")
    await phone.press("是我的，用短信认领")
    await phone.heading("输入短信验证码")
    code = (await arrived(by_page(computer.page, demo), number, words="验证码"))[0]["code"]
    await phone.root.get_by_label("短信验证码").fill(code)
    await phone.press("认领并登录")
    await phone.is_home("古**")
    await phone.press("我的")
    await phone.shows("154****0012", "中级认证")
