"""A real browser for tests: the machine's Chromium, driven by Playwright's asyncio API.

Each test starts its own: 0.35 s for driver and browser, and in exchange everything lives in the test's event loop,
beside the servers it talks to, and no test sees another's cookies, cache or permissions.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Sequence
from pathlib import Path
from typing import Literal, Protocol, TypedDict, Unpack

import pytest
from playwright.async_api import Browser, BrowserContext, ViewportSize, async_playwright

from tests.support import backends

FLAGS = (
    # Root in a container has no sandbox to give; pages under test are ours.
    "--no-sandbox",
    "--disable-gpu",
    # Everything below would look up hosts outside of this machine.
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class BrowserLauncher(Protocol):
    """Starts a browser with extra command line flags, for example a fake camera."""

    def __call__(self, *flags: str) -> Awaitable[Browser]:
        """Start one; it is closed when the test ends."""
        ...


class ContextOptions(TypedDict, total=False):
    """The options of Playwright's ``new_context`` that tests here use."""

    base_url: str
    color_scheme: Literal["dark", "light", "no-preference"]
    device_scale_factor: float
    extra_http_headers: dict[str, str]
    forced_colors: Literal["active", "none"]
    has_touch: bool
    ignore_https_errors: bool
    is_mobile: bool
    java_script_enabled: bool
    locale: str
    permissions: Sequence[str]
    reduced_motion: Literal["no-preference", "reduce"]
    timezone_id: str
    user_agent: str
    viewport: ViewportSize


class ContextFactory(Protocol):
    """Opens a browser context: a person at a device, with cookies of their own."""

    def __call__(self, **options: Unpack[ContextOptions]) -> Awaitable[BrowserContext]:
        """Open one; it is closed when the test ends."""
        ...


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    """Where Chromium lies."""
    return backends.chromium().path


@pytest.fixture
async def launch_browser(chromium_path: Path) -> AsyncIterator[BrowserLauncher]:
    """Start browsers with flags of the test's own."""
    async with async_playwright() as playwright:
        started: list[Browser] = []

        async def launch(*flags: str) -> Browser:
            browser = await playwright.chromium.launch(
                executable_path=chromium_path, headless=True, args=[*FLAGS, *flags]
            )
            started.append(browser)
            return browser

        yield launch
        for browser in started:
            await browser.close()


@pytest.fixture
async def browser(launch_browser: BrowserLauncher) -> Browser:
    """One browser."""
    return await launch_browser()


@pytest.fixture
async def browser_context(browser: Browser) -> ContextFactory:
    """Open contexts, in Chinese and in Beijing time unless the test says otherwise."""

    async def open_context(**options: Unpack[ContextOptions]) -> BrowserContext:
        options.setdefault("locale", "zh-CN")
        options.setdefault("timezone_id", "Asia/Shanghai")
        return await browser.new_context(**options)

    return open_context
