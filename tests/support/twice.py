"""A form that is posted twice, the second time while the first has used its code up and has not noted it yet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest

from tests.support.calls import PATIENCE
from tests.support.meddling import Meddler

T = TypeVar("T")


async def posted_twice(
    monkeypatch: pytest.MonkeyPatch, meddler: Meddler, note: str, post: Callable[[], Coroutine[Any, Any, T]]
) -> tuple[T, T | BaseException]:
    """Return what ``post`` came to, and what it came to once more, which had to wait for the first to call ``note``."""
    waits, noted = asyncio.Event(), asyncio.Event()
    second: list[asyncio.Task[T]] = []

    async def sleep(_: float) -> None:
        waits.set()
        await noted.wait()

    async def post_again() -> None:
        second.append(asyncio.create_task(post()))
        async with asyncio.timeout(PATIENCE):
            await waits.wait()

    monkeypatch.setattr("bjidp.accounts.once.asyncio", SimpleNamespace(sleep=sleep))
    meddler.before_next(note, post_again)
    first = await post()
    noted.set()
    (other,) = await asyncio.gather(*second, return_exceptions=True)
    return first, other
