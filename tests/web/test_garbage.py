"""A page that has gone leaves nothing for the garbage collector.

Circles of a connection and its socket took the collector 4 % of a login, and up to 30 ms at a time.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator

import pytest

from bjidp.web.qr.watcher_socket import WatcherSocket
from tests.support.program import Program


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Let nothing be collected but what goes by itself."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def alive() -> int:
    return sum(type(thing) is WatcherSocket for thing in gc.get_objects())


@pytest.mark.attack("W9")
@pytest.mark.usefixtures("uncollected")
async def test_a_socket_that_was_closed_goes_without_a_collection(program: Program) -> None:
    before = alive()
    _, socket, _ = await program.opened()
    assert alive() == before + 1
    await socket.close()
    async with asyncio.timeout(10):
        while alive() > before:  # noqa: ASYNC110 - nothing tells of an object's end
            await asyncio.sleep(0)


@pytest.mark.attack("W9")
@pytest.mark.usefixtures("uncollected")
async def test_a_socket_whose_page_has_logged_in_goes_without_a_collection(program: Program) -> None:
    before = alive()
    await program.signed_in()
    async with asyncio.timeout(10):
        while alive() > before:  # noqa: ASYNC110 - nothing tells of an object's end
            await asyncio.sleep(0)
