"""What the sandbox has delivered to a number or a mail address, newest first.

Owns the waiting: a message is on its way while the page that asked for it is answered already.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from tests.support.calls import PATIENCE

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.support.town import Place

Ask: TypeAlias = Callable[[str], Awaitable[Any]]
"""Asks the sandbox for a path: :meth:`tests.support.calls.Caller.sandbox`, or what :func:`by_page` returns."""

Message: TypeAlias = dict[str, Any]


def by_page(page: Page, place: Place) -> Ask:
    """Return what asks the sandbox from a browser's tab."""

    async def ask(path: str) -> Any:  # noqa: ANN401 - whatever JSON it answers
        return await (await page.request.get(f"{place.sandbox}{path}")).json()

    return ask


async def messages(ask: Ask, to: str) -> list[Message]:
    """Return what is there now."""
    found: list[Message] = await ask(f"/control/inbox?to={to}")
    return found


async def arrived(ask: Ask, to: str, *, count: int = 1, words: str = "") -> list[Message]:
    """Return what is there, once there are ``count`` messages and the newest has ``words``."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = await messages(ask, to)
            if len(found) >= count and words in found[0]["text"]:
                return found


async def code_to(ask: Ask, to: str, *, count: int = 1, but: str | None = None) -> str:
    """Return the newest code, once there are ``count`` messages and it is not ``but``."""
    async with asyncio.timeout(PATIENCE):
        while True:
            code = str((await arrived(ask, to, count=count))[0]["code"])
            if code != but:
                return code
