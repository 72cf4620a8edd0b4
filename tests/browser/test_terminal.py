"""A terminal is logged in by a phone that scans what is drawn in it (RP-3)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.support.demo import Demo
from tests.support.device import userinfo
from tests.support.handset import GLANCES, Handset
from tests.support.terminal import Terminal, opened
from tests.support.town import acquaint

pytestmark = pytest.mark.req("RP-3")


async def scans(phone: Handset, terminal: Terminal) -> str:
    """Scan what the terminal shows, again if the picture was old when it arrived; return the code to compare."""
    asked = phone.root.get_by_role("heading", name="屏幕上的代码是")
    stale = phone.root.get_by_role("heading", name="二维码已经更新")
    await phone.press("扫一扫")
    seen = None
    for _ in range(GLANCES):
        seen = await terminal.photographed(other_than=seen)
        await phone.reads(seen)
        await expect(asked.or_(stale)).to_be_visible()
        if await asked.is_visible():
            return (await asked.inner_text()).split()[1]
        await phone.press("重新扫码")
    raise AssertionError("the phone never read a fresh frame")


async def logged_in(demo: Demo, phone: Handset) -> None:
    """Let somebody open 京通."""
    await acquaint(demo, "李思远", "wechat")
    await phone.log_in("李思远", "wechat")
    await phone.is_home("李**")


def kept(home: Path) -> list[Path]:
    return sorted((home / "data" / "bjidp" / "tokens").glob("*"))


async def test_a_phone_scans_the_terminal_and_it_is_logged_in_until_it_logs_out(
    demo: Demo, phone: Handset, tmp_path: Path
) -> None:
    await logged_in(demo, phone)
    async with opened("login", demo.server, home=tmp_path) as terminal:
        first = await terminal.photographed()
        assert await terminal.photographed(other_than=first) != first, "the frames move"
        code = await scans(phone, terminal)
        await terminal.shows("Taken: confirm it there")
        assert f"Code: {code}" in terminal.grid.text
        assert terminal.grid.read() is None, "nobody else needs the picture"
        await phone.press("是，一样")
        await phone.heading("登录命令行？")
        await phone.press("确认登录")
        assert await terminal.ends() == 0
        assert f"Logged in to {demo.server} as 李**." in terminal.grid.text
        assert "Taken" not in terminal.grid.text
    [file] = kept(tmp_path)
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    tokens = json.loads(file.read_text("utf-8"))
    assert (tokens["issuer"], tokens["client_id"]) == (demo.server, "bjidp-login")
    assert (await userinfo(demo.server, tokens["access_token"]))[1]["nickname"] == "李**"
    async with opened("login", demo.server, home=tmp_path) as terminal:
        await phone.press("完成")
        await scans(phone, terminal)
        await phone.press("是，一样")
        await phone.press("确认登录")
        assert await terminal.ends() == 0
    assert (await userinfo(demo.server, tokens["access_token"]))[0] == 401, "nobody could end that one any more"
    tokens = json.loads(file.read_text("utf-8"))
    assert (await userinfo(demo.server, tokens["access_token"]))[0] == 200
    async with opened("logout", demo.server, home=tmp_path) as terminal:
        assert await terminal.ends() == 0
        assert "Logged out" in terminal.grid.text
    assert kept(tmp_path) == []
    assert (await userinfo(demo.server, tokens["access_token"]))[0] == 401
    async with opened("logout", demo.server, home=tmp_path) as terminal:
        assert await terminal.ends() == 3
        assert "nobody is logged in" in terminal.grid.text


async def test_who_says_no_ends_it_and_nothing_is_kept(demo: Demo, phone: Handset, tmp_path: Path) -> None:
    await logged_in(demo, phone)
    async with opened("login", demo.server, "--json", home=tmp_path) as terminal:
        await scans(phone, terminal)
        await phone.press("不一样，拒绝")
        assert await terminal.ends() == 3
        assert "the login was refused" in terminal.grid.text
    assert kept(tmp_path) == []


async def test_a_small_window_shows_the_code_to_type_and_ctrl_c_leaves_nothing_behind(
    demo: Demo, tmp_path: Path
) -> None:
    async with opened("login", demo.server, home=tmp_path, size=(12, 60)) as terminal:
        await terminal.shows("Make the window larger")
        assert f"{demo.server}/device" in terminal.grid.text
        terminal.interrupt()
        assert await terminal.ends() == 130
        assert "Scan" not in terminal.grid.text
        assert "Traceback" not in terminal.grid.text


async def test_a_client_that_the_server_does_not_know_is_named(demo: Demo, tmp_path: Path) -> None:
    async with opened("login", demo.server, "--client-id", "nobody", home=tmp_path) as terminal:
        assert await terminal.ends() == 3
        assert "knows no client nobody" in terminal.grid.text.replace("\n", "")
