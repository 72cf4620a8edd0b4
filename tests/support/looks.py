"""What a person sees on every page of a journey."""

from __future__ import annotations

from playwright.async_api import TimeoutError  # noqa: A004 - as it is known

from tests.support.accessibility import violations
from tests.support.computer import Computer

NARROW = 320


class Looks:
    """Pictures of every page a journey comes through, and what axe finds wrong with them."""

    def __init__(self, computer: Computer, journey: str) -> None:
        """Name the pictures after ``journey``."""
        self.found: list[str] = []
        self._computer = computer
        self._journey = journey

    async def at_the_end(self, name: str) -> None:
        """Look at a page that leads on by itself in seven seconds; it stays, since a busy machine looks for longer."""
        await self._computer.page.evaluate("window.stop()")
        await self.at(name)

    async def at(self, name: str) -> None:
        """Look at the page as it is now; nothing scrolls sideways, however narrow the screen is."""
        page = self._computer.page
        await self._computer.hang(f"{self._journey}-{name}")
        self.found += [f"{name}: {line}" for line in await violations(page)]
        size = page.viewport_size
        assert size is not None
        await page.set_viewport_size({"width": NARROW, "height": size["height"]})
        try:
            # A busy machine takes a moment to lay it out anew.
            await page.wait_for_function("document.documentElement.scrollWidth <= innerWidth", timeout=2_000)
        except TimeoutError:
            self.found.append(f"{name}: scrolls sideways at {NARROW} px")
        await self._computer.hang(f"{self._journey}-{name}-{NARROW}")
        await page.set_viewport_size(size)
