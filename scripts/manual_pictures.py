"""Take the pictures of 用户操作手册 from the pages of a running demonstration.

    make demo PORT=9000
    .venv/bin/python scripts/manual_pictures.py --port 9000 --number 15400090001

``--number`` is a mobile number of the sandbox that nobody has registered there yet, nor the one after it; neither may
anybody have proved to be 陈雨桐 there. It takes three minutes, since a number is sent one code a minute. The pictures
lie in ``bjidp/web/static/manual``; they are taken anew when a page they show has changed.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import re
import shutil
from pathlib import Path
from typing import Any, Final

from PIL import Image
from playwright.async_api import Locator, Page, async_playwright, expect

PICTURES: Final = Path(__file__).parents[1] / "bjidp/web/static/manual"
CHROMIUM: Final = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
WIDTH: Final = 680
"""Pixels a picture is wide at most: as wide as it is shown."""
QUALITY: Final = 78
MINUTE: Final = 61
"""Seconds until a number is sent another code."""
PASSWORD: Final = "Wansui-2026"  # noqa: S105 - of an account that is made for the pictures
PC: Final = "main .card"
CHEN: Final = {
    "document_type": "resident_id",
    "name": "陈雨桐",
    "document_number": "100101199604122049",
    "valid_from": "2021-03-18",
    "valid_to": "2041-03-18",
}
"""Who the pictures show, one of the sandbox's."""


async def main() -> None:
    """Walk through the pages as a person would, and take a picture of each."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, default=8080)
    options.add_argument("--number", required=True)
    chosen = options.parse_args()
    server, sandbox = (f"http://127.0.0.1:{chosen.port + step}" for step in (0, 1))
    PICTURES.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(CHROMIUM))
        context = await browser.new_context(base_url=server, locale="zh-CN", viewport={"width": 1280, "height": 900})
        page = await context.new_page()
        await before_a_login(page)
        await register(page, sandbox, chosen.number)
        await centre(page)
        await identity(page, sandbox, chosen.number)
        phone = await browser.new_context(
            base_url=server, locale="zh-CN", viewport={"width": 390, "height": 760}, is_mobile=True
        )
        await on_a_phone(await phone.new_page(), sandbox, chosen.number)
        await two_devices(page)
        stranger = await browser.new_context(base_url=server, locale="zh-CN", viewport={"width": 1280, "height": 900})
        await appeal(await stranger.new_page(), sandbox, f"{int(chosen.number) + 1}")
        await browser.close()


async def before_a_login(page: Page) -> None:
    """Show the ways in."""
    await page.goto("/login")
    await expect(page.locator("[data-code] path")).to_have_attribute("d", re.compile("^M"))
    await take(page.locator(PC), "scan")
    await page.goto("/login?tab=account")
    await page.get_by_label("用户名/手机号/身份证号").fill("zhang_san")
    await take(page.locator(PC), "account")
    await page.goto("/recover")
    await take(page.locator(PC).first, "recover")


async def register(page: Page, sandbox: str, number: str) -> None:
    """Register an account."""
    await signs_up(page, sandbox, number)
    await expect(page.get_by_role("heading", name="注册成功")).to_be_visible()


async def signs_up(page: Page, sandbox: str, number: str) -> None:
    """Register an account without an identity; the form is the picture."""
    await page.goto("/register")
    await page.get_by_label("用户名").fill(f"zhang_{number[-4:]}")
    await page.get_by_label("手机号", exact=True).fill(number)
    await page.get_by_label("图形验证码", exact=True).fill(await captcha(page, sandbox))
    await page.get_by_role("button", name="获取验证码").click()
    await expect(page.get_by_text("验证码已发送")).to_be_visible()
    await take(page.locator(PC), "register")
    await page.get_by_label("短信验证码", exact=True).fill(await newest(page, sandbox, number))
    await page.get_by_label("密码", exact=True).fill(PASSWORD)
    await page.get_by_label("再次输入密码").fill(PASSWORD)
    await page.get_by_role("checkbox", name="同意").check()
    await page.get_by_role("button", name="注册", exact=True).click()
    await page.get_by_role("button", name="暂不认证").click()


async def centre(page: Page) -> None:
    """Show the personal centre, and the first page of each change."""
    await page.goto("/centre/cancel")
    await take(page.locator(PC).first, "cancel")
    for task in ("password", "phone", "mail"):
        await page.goto(f"/centre/{task}")
        await take(page.locator(PC).first, task)
    values = page.locator(PC).filter(has=page.get_by_role("heading", name="个人信息"))
    await page.goto("/centre?edit=ethnicity")
    await take(values, "ethnicity")
    await page.goto("/centre?show=username")
    await take(values, "username")


async def identity(page: Page, sandbox: str, number: str) -> None:
    """Prove who somebody is at L2, then by a face and by a card."""
    await verifies(page, sandbox, number, "real_name")
    await states(page, CHEN)
    await take(page.locator(PC).first, "real_name")
    await page.get_by_role("button", name="认证", exact=True).click()
    await expect(page.get_by_role("heading", name="认证成功")).to_be_visible()
    token = await links_a_phone(page, sandbox, number)
    await confirms(page, sandbox, token, "face")
    await page.wait_for_url("**/centre/face*")
    await expect(page.locator("[data-code] path")).to_have_attribute("d", re.compile("^M"))
    await take(page.locator("main"), "face")
    await confirms(page, sandbox, token, "bank_card")
    await page.get_by_label("姓名", exact=True).fill(CHEN["name"])
    await page.get_by_label("身份证号", exact=True).fill(CHEN["document_number"])
    await page.get_by_label("银行卡号", exact=True).fill("9999010000000000010")
    await page.get_by_label("预留手机号", exact=True).fill("15410000001")
    await take(page.locator(PC).first, "bank_card")
    await page.goto("/centre")
    await take(page.locator(PC).filter(has=page.get_by_role("heading", name="认证信息")), "centre")
    await confirms(page, sandbox, token, "organisation")
    await page.get_by_label("统一社会信用代码").fill("91000000MA990001XG")
    await page.get_by_label("法人名称").fill("北京青禾示例科技有限公司")
    await take(page.locator(PC).first, "organisation")
    await page.get_by_role("button", name="请登记机关核对").click()
    await expect(page.get_by_role("heading", name="登记成功")).to_be_visible()
    await page.goto("/centre/acting")
    await take(page.locator("main .devices"), "acting")


async def links_a_phone(page: Page, sandbox: str, number: str) -> str:
    """Log in to 京通 as the same person, with a face and the code that claims the account; return the access token."""

    async def ask(url: str, **body: object) -> dict[str, Any]:
        answer = await page.request.post(url, data=body, fail_on_status_code=True)
        told: dict[str, Any] = await answer.json()
        return told

    login = await ask(f"{sandbox}/control/login-code", platform="wechat", user="chen-yutong")
    begun = await ask("/mp/v1/wechat/session", code=login["code"])
    told = {"registration": begun["registration"]}
    stated = {key: CHEN[key] for key in ("document_type", "name", "document_number")}
    checked = await ask("/mp/v1/wechat/registration", **told, **stated, valid_days=30, agreed=["terms", "privacy"])
    await ask(f"{sandbox}/control/face", verification=checked["face"]["verification"], outcome="pass")
    await ask("/mp/v1/wechat/registration/complete", **told)
    await asyncio.sleep(MINUTE)
    await ask("/mp/v1/wechat/registration/claim", **told, mine=True, code=None)
    code = await newest(page, sandbox, number)
    return str((await ask("/mp/v1/wechat/registration/claim", **told, mine=True, code=code))["access_token"])


async def confirms(page: Page, sandbox: str, token: str, setting: str) -> None:
    """Pass 验证身份 of a change, by 京通."""
    await page.goto(f"/centre/verify/{setting}")
    code = page.locator("[data-code]")
    await expect(code.locator("path")).to_have_attribute("d", re.compile("^M"))
    headers = {"Content-Type": "image/png"}
    seen = await page.request.post(f"{sandbox}/phone/decode", data=await code.screenshot(), headers=headers)
    bearer = {"Authorization": f"Bearer {token}"}
    text = (await seen.json())["text"]
    scanned = await (await page.request.post("/mp/v1/qr/scan", data={"text": text, "scene": 0}, headers=bearer)).json()
    told = {key: scanned[key] for key in ("ticket", "confirm_token")}
    await page.request.post("/mp/v1/qr/confirm", data=told, headers=bearer)
    await page.wait_for_url(f"**/centre/{setting}*")


async def appeal(page: Page, sandbox: str, number: str) -> None:
    """State an identity that another account has, and write an appeal."""
    await signs_up(page, sandbox, number)
    await verifies(page, sandbox, number, "real_name")
    await states(page, CHEN)
    await page.get_by_role("button", name="认证", exact=True).click()
    await page.get_by_role("link", name="人工申诉").click()
    await page.get_by_label("申诉理由").fill(
        "我的身份证去年丢失过，已经挂失。这个身份被别人注册了账号，不是我本人注册的。"
    )
    await take(page.locator(PC).first, "appeal")


async def verifies(page: Page, sandbox: str, number: str, setting: str) -> None:
    """Pass 验证身份 of a change, by a code."""
    await asyncio.sleep(MINUTE)
    await page.goto(f"/centre/{setting}")
    await page.get_by_label("图形验证码", exact=True).fill(await captcha(page, sandbox))
    await page.get_by_role("button", name="获取验证码").click()
    await expect(page.get_by_text("验证码已发送")).to_be_visible()
    await page.get_by_label("手机验证码", exact=True).fill(await newest(page, sandbox, number))
    await page.get_by_role("button", name="下一步", exact=True).click()
    await expect(page.get_by_label("手机验证码", exact=True)).to_be_hidden()


async def states(page: Page, who: dict[str, str]) -> None:
    """Fill in who somebody is."""
    await page.get_by_label("姓名", exact=True).fill(who["name"])
    await page.get_by_role("textbox", name="身份证号", exact=True).fill(who["document_number"])
    await page.get_by_label("生效日期", exact=True).fill(who["valid_from"])
    await page.locator("#f-valid_to").fill(who["valid_to"])


async def newest(page: Page, sandbox: str, number: str) -> str:
    """Return the code that a number was sent last."""
    inbox = await (await page.request.get(f"{sandbox}/control/inbox?to={number}")).json()
    return str(inbox[0]["code"])


async def on_a_phone(page: Page, sandbox: str, number: str) -> None:
    """Show the login on phones, and log in."""
    await page.goto("/h5/login?tab=code")
    await take(page.locator("body"), "phone_login")
    await page.goto("/h5/login")
    await page.get_by_label("账号", exact=True).fill(number)
    await page.get_by_label("密码", exact=True).fill(PASSWORD)
    await page.get_by_label("图形验证码", exact=True).fill(await captcha(page, sandbox))
    await page.get_by_role("checkbox").check()
    await page.get_by_role("button", name="授权并登录").click()
    await expect(page.get_by_role("heading", name="个人中心")).to_be_visible()


async def two_devices(page: Page) -> None:
    """Show what an account sees that is logged in on two."""
    await page.goto("/centre/devices")
    await take(page.locator("main .devices"), "devices")
    await page.goto("/centre/log")
    await take(page.locator(PC).first, "log")


async def captcha(page: Page, sandbox: str) -> str:
    """Return what the captcha on the page shows."""
    shown = await page.locator("[data-captcha]").get_attribute("data-captcha")
    answer = await page.request.get(f"{sandbox}/control/captcha?id={shown}")
    return str((await answer.json())["answer"])


async def take(part: Locator, name: str) -> None:
    """Keep a picture of a part of the page."""
    picture = Image.open(io.BytesIO(await part.screenshot(animations="disabled"))).convert("RGB")
    picture.thumbnail((WIDTH, 10_000))
    picture.save(PICTURES / f"{name}.webp", "WEBP", quality=QUALITY, method=6)


if __name__ == "__main__":
    asyncio.run(main())
