"""Pictures of every state a journey comes through, for people to look at: ``pytest tests/browser --gallery FOLDER``."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the folder."""
    parser.getgroup("browser", "journeys in a browser").addoption(
        "--gallery", metavar="FOLDER", type=Path, help="keep a picture of every state that a journey comes through"
    )


class Gallery:
    """A folder of screenshots."""

    def __init__(self, folder: Path | None) -> None:
        """Hang pictures in ``folder``, none without one: they are a tenth of what journeys take."""
        self._folder = folder
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    async def hang(self, name: str, page: Page) -> None:
        """Keep a picture of what ``page`` shows now."""
        if self._folder is not None:
            await page.screenshot(path=self._folder / f"{name}.png")


@pytest.fixture(scope="session")
def gallery(request: pytest.FixtureRequest) -> Gallery:
    """Where pictures of the states hang."""
    return Gallery(request.config.getoption("--gallery"))
