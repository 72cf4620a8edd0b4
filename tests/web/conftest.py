"""The whole program in process, for every test of its web side."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from functools import cache
from typing import Any
from unittest.mock import patch

import pytest

from bjidp import bootstrap
from bjidp.qrlogin.matrix import Basis
from bjidp.sandbox.credentials import default_credentials
from bjidp.storage.sql.migrations import migrate
from tests.support.program import Program, Town, running

StartProgram = Callable[..., Awaitable[Program]]


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """What outlives one test. A QR basis depends on its prefix alone and takes 0.2 s: it is made once a prefix."""
    folder = tmp_path_factory.mktemp("web")
    schema = folder / "schema.sqlite"
    migrate(f"sqlite:///{schema}")
    town = Town(folder, schema, default_credentials(None))
    with patch.object(bootstrap, "Basis", cache(Basis)):
        yield town
    town.close()


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
