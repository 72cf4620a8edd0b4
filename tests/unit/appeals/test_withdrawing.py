"""An appeal that is decided while its owner takes it back (RNV-8)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from bjidp.appeals.errors import AppealOver
from bjidp.appeals.withdrawing import Withdrawing
from bjidp.clock import Instant, ManualClock

VISIT: Any = SimpleNamespace(account="one")


class Saving:
    """A change whose owner has proved who they are."""

    async def due(self, *_: object) -> SimpleNamespace:
        return SimpleNamespace(id="flow")

    async def save(self, visit: object, draft: object, write: Callable[[], Awaitable[None]]) -> None:
        await write()


class Decided:
    """An appeal that is open when it is looked at, and decided when it is written."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    async def newest(self, account: str) -> SimpleNamespace:
        return SimpleNamespace(id="appeal", is_open=True)

    async def withdraw(self, account: str, appeal: str, now: Instant) -> bool:
        self.asked.append((account, appeal))
        return False


@pytest.mark.req("RNV-8")
async def test_nobody_is_told_that_an_appeal_is_taken_back_which_was_decided_at_that_moment(
    clock: ManualClock,
) -> None:
    store: Any = Decided()
    changes: Any = Saving()
    with pytest.raises(AppealOver):
        await Withdrawing(changes=changes, appeals=store, clock=clock).withdraw(VISIT, None)
    assert store.asked == [("one", "appeal")]
