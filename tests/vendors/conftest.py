"""Clients over real HTTP on the loopback, and a watch on what they log."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator, MutableMapping
from typing import Any

import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from bjidp.clock import ManualClock
from bjidp.sandbox.credentials import SandboxCredentials, default_credentials
from bjidp.vendors.catalog import HttpClients
from tests.vendors.cast import NEVER_LOGGED


@pytest.fixture(autouse=True)
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[list[MutableMapping[str, Any]]]:
    """What the program logs in this test; fails every test of the folder that logs a secret or a person."""
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as entries:
        yield entries
    # What stands and sandbox say of themselves is said by servers that are no part of the program.
    lines = [str(entry) for entry in entries if entry["event"] != "sandbox_not_real"]
    lines += [record.getMessage() for record in caplog.records if record.name not in {"aiohttp.access", "mail.log"}]
    for line in lines:
        told = [secret for secret in NEVER_LOGGED if secret in line]
        assert not told, f"logged: {line}"


@pytest.fixture
async def clients(clock: ManualClock) -> AsyncIterator[HttpClients]:
    """HTTP clients that are closed after the test."""
    opened = HttpClients(clock=clock)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def credentials() -> SandboxCredentials:
    """What a sandbox knows its caller by; its keys take a while to make."""
    return default_credentials(None)


@pytest.fixture(scope="session")
def app_key() -> RSAPrivateKey:
    """The key pair of our mini-program at Alipay."""
    return generate_private_key(65537, 2048)


@pytest.fixture(scope="session")
def gateway_key() -> RSAPrivateKey:
    """The key pair of Alipay's gateway."""
    return generate_private_key(65537, 2048)
