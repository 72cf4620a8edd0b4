"""A real browser for tests: the machine's Chromium, driven by Playwright's asyncio API.

The run has one: driver, browser and first page cost a second of CPU. A test has contexts of its own, each a person at a
device, so no test sees another's cookies, cache or permissions. What drives the browser belongs to one event loop, so
its tests share that of the run: :data:`beside_browsers` is for the fixtures they need.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import Final, Literal, Protocol, TypedDict, Unpack

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, BrowserType, ViewportSize, async_playwright

from tests.support import backends

OFF: Final = (
    # Pages behind the address bar that nobody sees: two renderers a window, and 0.2 s of CPU. Nothing less is enough.
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxFullPopup",
    # What Playwright switches off itself: the last flag of this name is the one that counts.
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "TcpPortRandomizationWin",
    "ThirdPartyStoragePartitioning",
    "msEdgeUpdateLaunchServicesPreferredVersion",
    "msForceBrowserSignIn",
)
FLAGS = (
    f"--disable-features={','.join(OFF)}",
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


_BESIDE: Final = frozenset({"chromium", "build"})
"""Fixtures by which a test is known to need that loop."""

beside_browsers = pytest_asyncio.fixture(loop_scope="session")
"""Marks a fixture that is used beside a browser, in the same event loop."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let every test with a browser run in the event loop of the browsers."""
    for item in items:
        if not _BESIDE.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


class Chromium:
    """The run's browser, and others with flags of their own."""

    def __init__(self, kind: BrowserType) -> None:
        """Start browsers of ``kind``; none is started yet."""
        self._kind = kind
        self._path = backends.chromium().path
        self._shared: Browser | None = None

    async def launch(self, *flags: str) -> Browser:
        """Start one more."""
        return await self._kind.launch(executable_path=self._path, headless=True, args=[*FLAGS, *flags])

    async def shared(self) -> Browser:
        """Return the one that tests share, anew if it has died over a test."""
        if self._shared is None or not self._shared.is_connected():
            self._shared = await self.launch()
        return self._shared

    async def context(self, options: ContextOptions) -> BrowserContext:
        """Open a context, in Chinese and in Beijing time unless ``options`` say otherwise; its caller closes it."""
        options.setdefault("locale", "zh-CN")
        options.setdefault("timezone_id", "Asia/Shanghai")
        return await (await self.shared()).new_context(**options)

    async def close(self) -> None:
        """End the shared one."""
        if self._shared is not None:
            await self._shared.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Chromium]:
    """What starts browsers."""
    async with async_playwright() as playwright:
        browsers = Chromium(playwright.chromium)
        yield browsers
        await browsers.close()


@beside_browsers
async def launch_browser(chromium: Chromium) -> AsyncIterator[BrowserLauncher]:
    """Start browsers with flags of the test's own."""
    started: list[Browser] = []

    async def launch(*flags: str) -> Browser:
        started.append(await chromium.launch(*flags))
        return started[-1]

    yield launch
    for browser in started:
        await browser.close()


@beside_browsers
async def browser_context(chromium: Chromium) -> AsyncIterator[ContextFactory]:
    """Open contexts: see :meth:`Chromium.context`."""
    opened: list[BrowserContext] = []

    async def open_context(**options: Unpack[ContextOptions]) -> BrowserContext:
        opened.append(await chromium.context(options))
        return opened[-1]

    yield open_context
    for context in opened:
        await context.close()
