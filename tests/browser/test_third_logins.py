"""Logging in by what one has elsewhere, at a computer: there, back, bound or registered, refused, and out of order."""

from __future__ import annotations

import re
from typing import Final

import pytest
from playwright.async_api import expect

from bjidp.platforms import Provider
from tests.support.accounts import member_at
from tests.support.computer import Computer
from tests.support.demo import Demo
from tests.support.inbox import by_page, code_to
from tests.support.looks import Looks
from tests.support.screens import PASSWORD, logs_in, logs_in_on_a_phone, proves_it

pytestmark = pytest.mark.req("LOG-4")

LINKS: Final = {
    Provider.NATIONAL: "国家政务服务平台账号登录",
    Provider.ALIPAY: "支付宝",
    Provider.WECHAT: "微信",
    Provider.BAIDU: "百度",
}
AT: Final = re.compile(r"/login/third/link\?of=")


async def leaves(computer: Computer, provider: Provider, person: str = "li-siyuan", answer: str = "同意授权") -> None:
    """Press the provider's link on the login page, and answer on its page as a person."""
    page = computer.page
    await page.goto("/login")
    await page.get_by_role("link", name=LINKS[provider], exact=True).click()
    await expect(page).to_have_url(re.compile(r"/pages/"))
    await page.get_by_label("以谁的身份").select_option(person)
    await computer.hang(f"third-{provider}-page")
    await page.get_by_role("button", name=answer).click()


async def binds(computer: Computer, demo: Demo, number: str) -> None:
    """Bind the account of a number, on the page that asks which it is."""
    page = computer.page
    await page.get_by_label("手机号", exact=True).fill(number)
    await page.locator("#f-captcha").fill(await computer.captcha(demo))
    await page.get_by_role("button", name="获取验证码").click()
    await expect(page.get_by_text("验证码已发送")).to_be_visible()
    await page.locator("#f-code").fill(await code_to(by_page(page, demo), number))
    await page.get_by_role("button", name="绑定并登录").click()
    await expect(page).to_have_url(re.compile("/centre$"))


@pytest.mark.req("UX-2")
@pytest.mark.parametrize("provider", list(Provider))
async def test_somebody_binds_an_account_and_comes_in_by_it_from_then_on(
    demo: Demo, computer: Computer, provider: Provider
) -> None:
    page, number = computer.page, f"1540008610{list(Provider).index(provider)}"
    await member_at(demo.config, username=f"third_{provider}", phone=number, password=PASSWORD)
    looks = Looks(computer, f"third-{provider}")
    await leaves(computer, provider)
    await expect(page).to_have_url(AT)
    await expect(page.get_by_role("heading", name="还差一步：确认您的账号")).to_be_visible()
    if provider is Provider.WECHAT:
        await looks.at("link")
    await binds(computer, demo, number)

    await page.context.clear_cookies()
    await leaves(computer, provider)
    await expect(page).to_have_url(re.compile("/centre$"))
    await page.get_by_role("link", name="绑定的第三方账号").click()
    own = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=re.compile("已绑定")))
    await expect(own).to_have_count(1)
    await expect(own.get_by_role("button", name="解绑")).to_be_visible()
    if provider is Provider.WECHAT:
        await looks.at("list")
    assert (looks.found, computer.faults) == ([], [])


@pytest.mark.req("ACC-8", "UX-2")
@pytest.mark.parametrize("screen", ["computer", "handheld"])
async def test_an_owner_binds_what_they_have_elsewhere_and_may_unbind_it(
    demo: Demo, computer: Computer, handheld: Computer, screen: str
) -> None:
    at, number = (computer, "15400086121") if screen == "computer" else (handheld, "15400086122")
    logs = logs_in if screen == "computer" else logs_in_on_a_phone
    page = await logs(demo, at, f"third_owner_{screen}", number)
    looks = Looks(at, f"third-binding-{screen}")
    await page.get_by_role("link", name="绑定的第三方账号").click()
    await page.get_by_role("button", name="绑定 支付宝").click()
    await expect(page.get_by_role("heading", name="绑定支付宝账号")).to_be_visible()
    await looks.at("identity")
    await proves_it(demo, at, number)
    await expect(page.get_by_role("heading", name="去支付宝确认授权")).to_be_visible()
    await looks.at("leave")
    await page.get_by_role("link", name="前往支付宝").click()
    # 支付宝 sends nobody back who refuses: the browser's own button does, to a page that goes on.
    await page.get_by_role("button", name="拒绝").click()
    await page.go_back()
    await page.go_back()
    await page.get_by_role("link", name="前往支付宝").click()
    await page.get_by_label("以谁的身份").select_option("zhou-li" if screen == "computer" else "wu-di")
    await page.get_by_role("button", name="同意授权").click()
    await expect(page.get_by_role("heading", name="绑定成功，以后可以用它登录")).to_be_visible()
    await looks.at_the_end("done")
    await page.get_by_role("link", name="绑定的第三方账号").first.click()
    await expect(page.get_by_role("heading", name=re.compile("支付宝.*已绑定"))).to_be_visible()
    await looks.at("bound")
    await page.get_by_role("button", name="解绑 支付宝").click()
    await expect(page.get_by_role("heading", name="解绑支付宝账号")).to_be_visible()
    assert (looks.found, at.faults) == ([], [])


@pytest.mark.req("REG-1", "REG-6")
async def test_somebody_without_an_account_registers_and_comes_in_by_it_from_then_on(
    demo: Demo, computer: Computer
) -> None:
    page, number = computer.page, "15400086110"
    await leaves(computer, Provider.NATIONAL, "wang-lang")
    await expect(page).to_have_url(AT)
    await page.get_by_role("button", name="立即注册").click()
    await expect(page.get_by_text("注册完成后，您可以直接用国家政务服务平台登录这个账号")).to_be_visible()
    await page.get_by_label("用户名").fill("third_registers")
    await page.get_by_label("手机号", exact=True).fill(number)
    await page.locator("#f-captcha").fill(await computer.captcha(demo))
    await page.get_by_role("button", name="获取验证码").click()
    await expect(page.get_by_text("验证码已发送")).to_be_visible()
    await page.locator("#f-code").fill(await code_to(by_page(page, demo), number))
    await page.locator("#f-password").fill(PASSWORD)
    await page.locator("#f-again").fill(PASSWORD)
    await page.get_by_role("checkbox", name=re.compile("我已阅读并同意")).check()
    await page.get_by_role("button", name="注册", exact=True).click()
    await expect(page).to_have_url(re.compile("/register/identity$"))
    await page.context.clear_cookies()
    await leaves(computer, Provider.NATIONAL, "wang-lang")
    await expect(page).to_have_url(re.compile("/centre$"))


@pytest.mark.req("UX-5")
async def test_whoever_refuses_or_meets_a_provider_that_is_down_is_told_what_to_do(
    demo: Demo, computer: Computer
) -> None:
    page, looks = computer.page, Looks(computer, "third-trouble")
    await leaves(computer, Provider.BAIDU, answer="拒绝")
    await expect(page.get_by_role("heading", name="您没有同意用百度登录")).to_be_visible()
    await looks.at("refused")
    await page.get_by_role("link", name="重新用百度登录").click()
    await expect(page.get_by_role("heading", name="百度账号登录")).to_be_visible()

    # 支付宝 leaves whoever refuses where they are: the browser's own button leads to where they came from.
    await leaves(computer, Provider.ALIPAY, "ma-chao", answer="拒绝")
    await expect(page.get_by_role("heading", name="您已取消授权")).to_be_visible()
    await page.go_back()
    await page.go_back()
    await page.get_by_role("link", name="支付宝", exact=True).click()
    await expect(page.get_by_role("heading", name="支付宝登录")).to_be_visible()

    faults = f"{demo.sandbox}/control/faults"
    await page.request.post(faults, data={"service": "alipay", "mode": "http500"})
    try:
        await leaves(computer, Provider.ALIPAY, "ma-chao")
        await expect(page.get_by_role("heading", name="支付宝暂时没有响应")).to_be_visible()
        await looks.at("down")
    finally:
        await page.request.post(faults, data={"service": "alipay", "mode": "ok"})
    # The address is the way back itself: once the provider answers again, loading it anew goes on.
    await page.reload()
    await expect(page).to_have_url(AT)
    assert (looks.found, computer.faults) == ([], [])
