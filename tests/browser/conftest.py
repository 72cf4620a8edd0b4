"""People with a computer and a phone, at the demo or at a house of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Protocol

from playwright.async_api import ViewportSize

from tests.support.browser import IPHONE
from tests.support.chromium import ContextFactory, ContextOptions, beside_browsers
from tests.support.computer import Computer
from tests.support.demo import Demo
from tests.support.gallery import Gallery
from tests.support.handset import Handset
from tests.support.house import House, Section, open_house
from tests.support.town import Place

PC: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
A_PHONE: ContextOptions = {"viewport": PHONE, "has_touch": True, "is_mobile": True}


class ComputerFactory(Protocol):
    """Puts a screen in front of a person; each has cookies of its own."""

    def __call__(
        self, place: Place, *, java_script_enabled: bool = True, asks_for_computers: bool = False
    ) -> Awaitable[Computer]:
        """Switch one on; a phone that ``asks_for_computers`` is shown the pages made for them."""
        ...


class HandsetFactory(Protocol):
    """Gives a person a phone."""

    def __call__(self, place: Place) -> Awaitable[Handset]:
        """Switch one on."""
        ...


class Builder(Protocol):
    """Builds houses: servers of the test's own with a sandbox."""

    def __call__(
        self, *, servers: int = 1, environment: dict[str, str] | None = None, **settings: Section
    ) -> Awaitable[House]:
        """Build one; ``settings`` are sections of the configuration that differ from the demo's."""
        ...


class Screens:
    """Screens of one kind."""

    def __init__(self, browser_context: ContextFactory, gallery: Gallery, kind: ContextOptions) -> None:
        """``kind`` is what they have in common."""
        self._open = browser_context
        self._gallery = gallery
        self._kind = kind
        self._on: list[Computer] = []

    @property
    def faults(self) -> list[str]:
        """What went wrong on any of them."""
        return [fault for screen in self._on for fault in screen.faults]

    async def switch_on(
        self, place: Place, *, java_script_enabled: bool = True, asks_for_computers: bool = False
    ) -> Computer:
        """See :class:`ComputerFactory`."""
        options: ContextOptions = {**self._kind, "base_url": place.server, "java_script_enabled": java_script_enabled}
        if options.get("is_mobile") and not asks_for_computers:
            options["user_agent"] = IPHONE
        context = await self._open(**options)
        self._on.append(Computer(await context.new_page(), self._gallery))
        return self._on[-1]


@beside_browsers
async def computer_at(browser_context: ContextFactory, gallery: Gallery) -> AsyncIterator[ComputerFactory]:
    """Switch computers on; no script of theirs may have failed, and none may have broken the content policy."""
    screens = Screens(browser_context, gallery, {"viewport": PC})
    yield screens.switch_on
    assert screens.faults == []


@beside_browsers
async def handheld_at(browser_context: ContextFactory, gallery: Gallery) -> AsyncIterator[ComputerFactory]:
    """Switch on browsers of phones, which are held to the same."""
    screens = Screens(browser_context, gallery, A_PHONE)
    yield screens.switch_on
    assert screens.faults == []


@beside_browsers
async def phone_at(browser_context: ContextFactory, gallery: Gallery) -> AsyncIterator[HandsetFactory]:
    """Switch phones on; none of their scripts may have failed."""
    phones: list[Handset] = []

    async def switch_on(place: Place) -> Handset:
        options: ContextOptions = {**A_PHONE, "base_url": place.sandbox}
        context = await browser_context(**options)
        phones.append(Handset(await context.new_page(), gallery))
        return phones[-1]

    yield switch_on
    assert [fault for phone in phones for fault in phone.faults] == []


@beside_browsers
async def computer(computer_at: ComputerFactory, demo: Demo) -> Computer:
    """A computer at the demo."""
    return await computer_at(demo)


@beside_browsers
async def handheld(handheld_at: ComputerFactory, demo: Demo) -> Computer:
    """A phone's own browser at the demo."""
    return await handheld_at(demo)


@beside_browsers
async def phone(phone_at: HandsetFactory, demo: Demo) -> Handset:
    """A phone at the demo."""
    return await phone_at(demo)


@beside_browsers
async def build(demo: Demo, tmp_path: Path) -> AsyncIterator[Builder]:
    """Build houses."""
    async with AsyncExitStack() as stack:

        async def build_house(
            *, servers: int = 1, environment: dict[str, str] | None = None, **settings: Section
        ) -> House:
            return await stack.enter_async_context(
                open_house(demo, tmp_path, servers=servers, settings=settings, environment=environment)
            )

        yield build_house
