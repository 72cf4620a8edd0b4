"""The whole program in process, for every test of its web side."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.support.program import Program, Town, running

StartProgram = Callable[..., Awaitable[Program]]


@pytest.fixture
async def start_program(town: Town, request: pytest.FixtureRequest) -> AsyncIterator[StartProgram]:
    """Run a program that is configured otherwise than usual."""
    async with AsyncExitStack() as stack:

        async def start(**options: Any) -> Program:  # noqa: ANN401 - the options of running()
            return await stack.enter_async_context(running(town, request.node.name, **options))

        yield start


@pytest.fixture
async def program(start_program: StartProgram) -> Program:
    """The program."""
    return await start_program()
