"""The server under attack: any by its address, else a demo of the run's own.

``pytest tests/security --server URL --sandbox URL`` points the folder at a running deployment. Tests that need another
configuration, the log or the database file, or several addresses to call from, always start servers of their own:
``home`` and ``variant``.
"""

from __future__ import annotations

import base64
import itertools
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest
from msgspec import Struct
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from tests.support.browser import SUBPROTOCOL
from tests.support.calls import Caller, Deployment
from tests.support.crowd import Crowd
from tests.support.demo import Demo
from tests.support.house import is_ready, serve, write_config
from tests.support.processes import free_port

BEHIND_PROXY: Final = "https://id.example.com"
VARIANTS: Final[Mapping[str, Mapping[str, Mapping[str, object]]]] = {
    "hasty": {
        "qr": {"scan_seconds": 3, "confirm_seconds": 3, "redeem_seconds": 2},
        "sessions": {"lifetime_seconds": 4},
    },
    "coded": {"qr": {"reverse_code": "always"}},
    "proxied": {"server": {"base_url": BEHIND_PROXY}},
    "trusting": {"networks": {"trusted_proxies": ["127.0.60.0/24"]}},
}
"""Servers that differ from the demo, each by what its name says."""


class Own(Struct, frozen=True):
    """A demo of the run's own: how to speak to it, and where it leaves what it leaves."""

    at: Deployment
    demo: Demo

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.demo.data / "bjidp.sqlite"


class Patient:
    """Two sockets opened when the run begins: ``mute`` never answers a ping, ``lively`` always does."""

    def __init__(self, deployment: Deployment, lively: ClientConnection) -> None:
        """Open the mute one as a browser of its own."""
        self.lively = lively
        parts = urlsplit(deployment.at)
        assert parts.hostname is not None
        assert parts.port is not None
        self.mute = socket.create_connection((parts.hostname, parts.port))
        self.mute.sendall(
            b"GET /qr/channel HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            + f"Sec-WebSocket-Key: {base64.b64encode(bytes(16)).decode()}\r\n".encode()
            + f"Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\nHost: {deployment.authority}\r\n".encode()
            + f"Origin: {deployment.url}\r\nCookie: {_fresh_cookie(deployment)}\r\n\r\n".encode()
        )


def _fresh_cookie(deployment: Deployment) -> str:
    parts = urlsplit(deployment.at)
    connection = HTTPConnection(parts.hostname or "", parts.port)
    try:
        connection.request("GET", "/login", headers={"Host": deployment.authority})
        return str(connection.getresponse().headers["Set-Cookie"]).partition(";")[0]
    finally:
        connection.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what waits for the clock at the end: its waiting is begun at the start."""
    items.sort(key=_is_patient)


def _is_patient(item: pytest.Item) -> bool:
    return "patient" in getattr(item, "fixturenames", ())


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the addresses of a running deployment."""
    group = parser.getgroup("security", "attacks on a running server")
    group.addoption("--server", metavar="URL", help="base URL of the server to attack; a demo is started without it")
    group.addoption("--sandbox", metavar="URL", help="base URL of the sandbox behind that server")


@contextmanager
def own() -> Iterator[Own]:
    """Run a demo."""
    with tempfile.TemporaryDirectory(prefix="bjidp-security-") as folder:
        demo = Demo(Path(folder))
        try:
            yield Own(Deployment(demo.server, demo.sandbox, demo.server), demo)
        finally:
            demo.stop()


@pytest.fixture(scope="session")
def home() -> Iterator[Own]:
    """A demo of the run's own."""
    with own() as running:
        yield running


@pytest.fixture(scope="session")
def deployment(request: pytest.FixtureRequest) -> Deployment:
    """The server under attack."""
    server = request.config.getoption("--server", default=None)
    sandbox = request.config.getoption("--sandbox", default=None)
    if (server is None) != (sandbox is None):
        raise pytest.UsageError("--server and --sandbox go together")
    if server is None:
        found: Own = request.getfixturevalue("home")
        return found.at
    url = str(server).rstrip("/")
    return Deployment(url, str(sandbox).rstrip("/"), url)


@pytest.fixture(scope="session")
def variant(home: Own, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Deployment]]:
    """Start, at the first call with its name, a server beside the demo's that is configured otherwise."""
    folder = tmp_path_factory.mktemp("variants")
    running: dict[str, Deployment] = {}
    with ExitStack() as stack:

        def start(name: str, settings: Mapping[str, Mapping[str, object]] | None = None) -> Deployment:
            if name not in running:
                running[name] = _start(home, folder, name, settings or VARIANTS[name], stack)
            return running[name]

        yield start


def _start(
    home: Own, folder: Path, name: str, settings: Mapping[str, Mapping[str, object]], stack: ExitStack
) -> Deployment:
    port = free_port()
    at = f"http://127.0.0.1:{port}"
    url = str(settings.get("server", {}).get("base_url", at))
    config = write_config(
        home.demo,
        folder / f"{name}.toml",
        # No simulator: these servers are as much like production as a demonstration can be.
        {home.demo.server: at, f'simulator_url = "{home.demo.sandbox}"': ""},
        {
            "server": {"listen_port": port},
            "storage": {"database_url": f"sqlite:///{folder / name}.sqlite"},
        },
        settings,
    )
    process = serve(config, folder / f"{name}.log", sandbox=home.demo.sandbox)
    stack.callback(process.stop)
    process.wait_until(lambda: is_ready(port, url.replace("https://", "http://")))
    return Deployment(url, home.demo.sandbox, at)


@pytest.fixture(scope="session")
def patient(deployment: Deployment) -> Iterator[Patient]:
    """Two sockets opened early in the run."""
    with connect(
        f"ws://{urlsplit(deployment.at).netloc}/qr/channel",
        origin=Origin(deployment.url),
        subprotocols=[Subprotocol(SUBPROTOCOL)],
        additional_headers={"Cookie": _fresh_cookie(deployment)},
        compression=None,
        ping_interval=None,
        # Nobody reads until the run's end: a client that stops at 16 messages no longer answers pings.
        max_queue=None,
    ) as lively:
        opened = Patient(deployment, lively)
        yield opened
        opened.mute.close()


@pytest.fixture(scope="session", autouse=True)
def early(request: pytest.FixtureRequest) -> None:
    """Open the patient sockets before the first test, if one will ask for them."""
    if any(_is_patient(item) for item in request.session.items):
        request.getfixturevalue("patient")


@pytest.fixture(scope="session")
def crowd() -> Crowd:
    """Everybody's phones."""
    return Crowd()


_addresses = itertools.count(1)


@pytest.fixture
async def apart(deployment: Deployment) -> AsyncIterator[Caller]:
    """A client with an address of its own, if the server is on this machine: what it uses up is nobody else's."""
    local = str(urlsplit(deployment.at).hostname).startswith("127.")
    number = next(_addresses)
    async with Caller(deployment, f"127.0.{90 + number // 250}.{number % 250 + 1}" if local else None) as calling:
        yield calling


@pytest.fixture
async def caller(deployment: Deployment) -> AsyncIterator[Caller]:
    """A client of the server under attack."""
    async with Caller(deployment) as calling:
        yield calling
