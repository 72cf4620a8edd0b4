"""Take the pictures of 用户操作手册 from the pages of a running demonstration.

    make demo PORT=9000
    .venv/bin/python scripts/manual_pictures.py --port 9000 --number 15400090001

``--number`` is a mobile number of the sandbox that nobody has registered there yet. The pictures lie in
``bjidp/web/static/manual``; they are taken anew when a page they show has changed.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import re
import shutil
from pathlib import Path
from typing import Final

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
PASSWORD: Final = "Wansui-2026"  # noqa: S105 - of an account that is made for the pictures
PC: Final = "main .card"


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
        phone = await browser.new_context(
            base_url=server, locale="zh-CN", viewport={"width": 390, "height": 760}, is_mobile=True
        )
        await on_a_phone(await phone.new_page(), sandbox, chosen.number)
        await two_devices(page)
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
    await page.goto("/register")
    await page.get_by_label("用户名").fill(f"zhang_{number[-4:]}")
    await page.get_by_label("手机号", exact=True).fill(number)
    await page.get_by_label("图形验证码", exact=True).fill(await captcha(page, sandbox))
    await page.get_by_role("button", name="获取验证码").click()
    await expect(page.get_by_text("验证码已发送")).to_be_visible()
    await take(page.locator(PC), "register")
    inbox = await (await page.request.get(f"{sandbox}/control/inbox?to={number}")).json()
    await page.get_by_label("短信验证码", exact=True).fill(inbox[0]["code"])
    await page.get_by_label("密码", exact=True).fill(PASSWORD)
    await page.get_by_label("再次输入密码").fill(PASSWORD)
    await page.get_by_role("checkbox").check()
    await page.get_by_role("button", name="注册", exact=True).click()
    await page.get_by_role("button", name="暂不认证").click()
    await expect(page.get_by_role("heading", name="注册成功")).to_be_visible()


async def centre(page: Page) -> None:
    """Show the personal centre, and the first page of each change."""
    await page.goto("/centre")
    await take(page.locator(PC).filter(has=page.get_by_role("heading", name="认证信息")), "centre")
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
