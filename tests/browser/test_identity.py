"""Proving who one is in Chromium: 实名认证, 银行卡认证, 换绑 and 解绑, on a computer and on a phone.

The persons here are in no other story of the demo: whoever is bound to an account of a page is new to no phone.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import ComputerFactory
from tests.support.accessibility import violations
from tests.support.computer import Computer
from tests.support.demo import Demo
from tests.support.inbox import by_page, code_to
from tests.support.registrant import Registrant
from tests.support.screens import asks_for_a_code, logs_in


async def person(page: Page, demo: Demo, name: str) -> dict[str, Any]:
    """Return a person of the sandbox by their id."""
    people = await (await page.request.get(f"{demo.sandbox}/control/people")).json()
    return next(who for who in people if who["id"] == name)


async def states(page: Page, who: dict[str, Any], name: str = "姓名") -> None:
    """Fill in who somebody is."""
    await page.get_by_label(name, exact=True).fill(who["name"])
    await page.get_by_role("textbox", name=re.compile("^(身份证号|证件号码)$")).fill(who["document_number"])


async def verifies(demo: Demo, computer: Computer, phone: str, count: int) -> None:
    """Go through 验证身份 by SMS."""
    await asks_for_a_code(demo, computer)
    code = await code_to(by_page(computer.page, demo), phone, count=count)
    await computer.page.get_by_label("手机验证码", exact=True).fill(code)


@pytest.mark.req("REG-4", "RNV-1", "UX-2", "UX-5")
async def test_somebody_proves_their_name_at_a_computer_while_registering(demo: Demo, computer: Computer) -> None:
    page, phone = computer.page, "15420003001"
    who, other = await person(page, demo, "gao-zhiyuan"), await person(page, demo, "xu-wanqing")
    somebody = Registrant(computer, demo)
    await somebody.open()
    await somebody.names(phone, "gao_3001")
    await somebody.asks_for_a_code()
    await somebody.completes(await somebody.code(phone))
    await somebody.sends()
    await expect(page).to_have_url(re.compile("/register/identity$"))
    await states(page, who | {"name": other["name"]})
    await page.get_by_role("button", name="认证", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("姓名和证件号码不一致")
    await expect(page.get_by_text("请核对后重新校验")).to_be_visible()
    assert await violations(page) == []
    await computer.hang("identity-no")
    await states(page, who)
    await page.get_by_role("button", name="认证", exact=True).click()
    await expect(page.get_by_text("认证成功")).to_be_visible()

    await page.goto("/centre")
    await expect(page.get_by_role("main")).to_contain_text("初级认证")
    await computer.hang("identity-l2")


@pytest.mark.req("RNV-1", "RNV-4", "UX-2", "UX-5")
async def test_somebody_proves_themselves_by_a_card_at_a_computer(demo: Demo, computer: Computer) -> None:
    page, phone = await logs_in(demo, computer, "deng_3005", "15420003005"), "15420003005"
    who = await person(page, demo, "deng-xinyi")
    await page.get_by_role("link", name=re.compile("立即认证 *银行卡认证")).click()
    await verifies(demo, computer, phone, 1)
    await page.get_by_role("button", name="下一步", exact=True).click()
    await expect(page.get_by_text("仅支持借记卡认证，暂不支持信用卡")).to_be_visible()
    await states(page, who)
    await page.get_by_label("银行卡号", exact=True).fill(who["cards"][1])
    await page.get_by_label("预留手机号", exact=True).fill(who["phone"])
    await page.get_by_role("button", name="认证", exact=True).click()
    await expect(page.locator("#e-card_number")).to_have_text("仅支持借记卡认证，暂不支持信用卡")
    await page.get_by_label("银行卡号", exact=True).fill(who["cards"][0])
    await asks_for_a_code(demo, computer)
    code = await code_to(by_page(page, demo), who["phone"])
    await page.get_by_label("手机验证码", exact=True).fill(code)
    assert await violations(page) == []
    await computer.hang("identity-card")
    await page.get_by_role("button", name="认证", exact=True).click()
    await expect(page.get_by_role("heading", name="银行卡认证成功")).to_be_visible()
    await page.goto("/centre")
    await expect(page.get_by_role("main")).to_contain_text("中级认证")

    await page.get_by_role("link", name="解绑").click()
    await expect(page.get_by_role("heading", name="解绑", exact=True)).to_be_visible()
    assert await violations(page) == []


@pytest.mark.req("REG-5", "RNV-2", "UX-2", "UX-5")
async def test_somebody_proves_a_permit_on_a_phone_while_registering(demo: Demo, handheld: Computer) -> None:
    page, phone = handheld.page, "15420003002"
    people = await (await page.request.get(f"{demo.sandbox}/control/people")).json()
    who = next(one for one in people if one["document_type"] == "hk_permit")
    somebody = Registrant(handheld, demo, "/h5/register")
    await somebody.open()
    await somebody.names(phone)
    await somebody.asks_for_a_code()
    await somebody.completes(await somebody.code(phone))
    await somebody.sends()
    await expect(page).to_have_url(re.compile("/h5/register/identity$"))
    # What a kind of document does not have is out of sight.
    await expect(page.get_by_label("性别")).to_be_hidden()
    await page.get_by_label("证件类型").select_option(label="香港特别行政区居民来往内地通行证")
    await expect(page.get_by_label("性别")).to_be_visible()
    await expect(page.get_by_label("长期")).to_be_hidden()
    await states(page, who, "真实姓名")
    await page.get_by_label("性别").select_option(label="男")
    await page.get_by_label("生效日期", exact=True).fill("2018-06-06")
    await page.locator("#f-valid_to").fill("2018-06-01")
    await page.get_by_role("button", name="认证", exact=True).click()
    await expect(page.locator("#e-valid_to")).to_have_text("失效日期要在生效日期之后")
    assert await violations(page) == []
    await handheld.hang("identity-h5")
    await page.locator("#f-valid_to").fill("2028-06-06")
    await page.get_by_role("button", name="认证", exact=True).click()
    await expect(page.get_by_text("认证成功")).to_be_visible()
    await page.goto("/h5/centre")
    await expect(page.get_by_role("main")).to_contain_text("初级认证")


@pytest.mark.req("RNV-5", "RNV-7")
async def test_an_identity_that_another_account_has_is_told_with_the_way_to_it(
    demo: Demo, computer_at: ComputerFactory
) -> None:
    first, second = await computer_at(demo), await computer_at(demo)
    who = await person(first.page, demo, "luo-bin")
    for computer, username, phone in ((first, "luo_3003", "15420003003"), (second, "luo_3004", "15420003004")):
        page = await logs_in(demo, computer, username, phone)
        await page.get_by_role("link", name=re.compile("立即认证 *实名认证")).click()
        await verifies(demo, computer, phone, 1)
        await page.get_by_role("button", name="下一步", exact=True).click()
        await states(page, who)
        await page.get_by_label("生效日期", exact=True).fill(who["valid_from"])
        await page.locator("#f-valid_to").fill(who["valid_to"])
        await page.get_by_role("button", name="认证", exact=True).click()
    await expect(first.page.get_by_role("heading", name="认证成功")).to_be_visible()
    await expect(second.page.get_by_role("heading", name="这个身份已绑定另一个账号")).to_be_visible()
    assert await violations(second.page) == []
    await second.hang("identity-held")
