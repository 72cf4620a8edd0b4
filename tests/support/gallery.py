"""Pictures of every state a journey comes through, for people to look at."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Page


class Gallery:
    """A folder of screenshots."""

    def __init__(self, folder: Path) -> None:
        """Hang pictures in ``folder``."""
        self._folder = folder

    async def hang(self, name: str, page: Page) -> None:
        """Keep a picture of what ``page`` shows now."""
        await page.screenshot(path=self._folder / f"{name}.png")
