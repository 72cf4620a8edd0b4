"""The browser of the tests is as Playwright has it, but for what its flags say."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.support.chromium import OFF, Chromium


async def test_what_playwright_switches_off_is_off(chromium: Chromium) -> None:
    """A newer Playwright may switch off more, and a flag of ours takes the place of its own."""
    session = await (await chromium.shared()).new_browser_cdp_session()
    processes = (await session.send("SystemInfo.getProcessInfo"))["processInfo"]
    (browser,) = (process["id"] for process in processes if process["type"] == "browser")
    said = await asyncio.to_thread(Path(f"/proc/{browser}/cmdline").read_text)
    line = said.replace("\0", " ").split()
    flags = [word.removeprefix("--disable-features=") for word in line if word.startswith("--disable-features=")]
    theirs, ours = (set(flag.split(",")) for flag in flags)
    assert ours == set(OFF)
    assert theirs <= ours
