"""A sandbox on a real port, with a clock that stands still and keys made once for all tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import msgspec
import pytest
from aiohttp.test_utils import TestClient, TestServer

from bjidp.sandbox.app import build
from bjidp.sandbox.clock import ManualClock
from bjidp.sandbox.credentials import SandboxCredentials, default_credentials
from bjidp.sandbox.entropy import SeededEntropy
from bjidp.sandbox.settings import AlipayRules, BaiduRules, BankRules, ChuanglanRules, SandboxSettings, WechatRules
from tests.sandbox.driver import Sandbox

Start = Callable[..., Awaitable[Sandbox]]


@pytest.fixture(scope="session")
def credentials() -> SandboxCredentials:
    return default_credentials(None)


@pytest.fixture
async def start(credentials: SandboxCredentials) -> AsyncIterator[Start]:
    async with AsyncExitStack() as stack:

        async def start(**rules: WechatRules | AlipayRules | BaiduRules | BankRules | ChuanglanRules) -> Sandbox:
            clock = ManualClock()
            settings = SandboxSettings(
                clock=clock,
                entropy=SeededEntropy("sandbox tests"),
                credentials=credentials,
                base_url="http://127.0.0.1:8081",
                server_url="http://127.0.0.1:8080",
            )
            server = TestServer(build(msgspec.structs.replace(settings, **rules)))
            http = await stack.enter_async_context(TestClient(server))
            return Sandbox(http=http, clock=clock, credentials=credentials)

        yield start


@pytest.fixture
async def sandbox(start: Start) -> Sandbox:
    return await start()
