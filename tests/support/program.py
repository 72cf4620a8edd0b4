"""The whole program inside the test's own process: the real application on real sockets, with a clock that obeys.

Owns a server wired by ``bootstrap`` over SQLite and the memory stores, the sandbox beside it as its vendors, and the
things that no running server lets a test do: move time, make a store fail at a chosen call, and end a process there.
Time means both the program's clock and the event loop's, so that deadlines and timers keep step. Driven over HTTP by
``browser`` and ``phone``, as any deployment is.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Self

import aiohttp
import msgspec
from aiohttp import web
from aiohttp.test_utils import TestServer

from bjidp.bootstrap import Rooms, build, close_rooms, open_rooms
from bjidp.clock import ManualClock
from bjidp.config import settings as config
from bjidp.config.settings import Settings
from bjidp.entropy import SeededEntropy
from bjidp.sandbox.app import CAPTCHAS
from bjidp.sandbox.app import build as build_sandbox
from bjidp.sandbox.credentials import ClientSettings, SandboxCredentials
from bjidp.sandbox.entropy import SeededEntropy as SandboxEntropy
from bjidp.sandbox.settings import SandboxSettings
from bjidp.secret import Secret
from bjidp.storage.memory.signals import LocalTopics
from bjidp.vendors.settings import (
    AlipayLoginSettings,
    AlipaySettings,
    AuthoritySettings,
    BaiduLoginSettings,
    BaiduSettings,
    BankSettings,
    BusinessRegisterSettings,
    ChuanglanSettings,
    MailSettings,
    NationalLoginSettings,
    NationalRegisterSettings,
    WechatLoginSettings,
    WechatSettings,
)
from bjidp.web.server.connections import Runner, Site
from tests.support import phone as phones
from tests.support.browser import Browser, Message, Screen, Socket
from tests.support.calls import PATIENCE, Answer, Caller, Deployment, Line
from tests.support.meddling import Life, LinkedBus, Meddler, watched
from tests.support.phone import Person, Phone

ROOT_KEY: Final = "cm9vdCBrZXkgb2YgdGhlIHdlYiB0ZXN0cywgMzIgYi4="
STRIDE: Final = 5.0
"""Seconds time moves at once: less than a heartbeat leaves for its answer."""
LEAP: Final = 60.0
"""Seconds it moves at once while no page of the test has a socket open, and nobody's heart beats."""
BREATHS: Final = 25
"""Turns of the event loop after which whatever was due has happened, as long as nobody asks the database."""

_ENDS: Final = frozenset(
    {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}
)


class LoopTime:
    """Lets the time of the running event loop jump ahead, and every timer with it."""

    def __init__(self) -> None:
        """Take over the running loop's clock."""
        loop = asyncio.get_running_loop()
        self._real = loop.time
        self._ahead = 0.0
        loop.time = self.now  # type: ignore[method-assign]  # the one way to move a loop's timers without waiting

    def now(self) -> float:
        """Return the loop's time."""
        return self._real() + self._ahead

    def skip(self, seconds: float) -> None:
        """Let ``seconds`` pass at once."""
        self._ahead += seconds


class LiveSocket(Socket):
    """A socket that is read from all the time, as a browser does: its pings are answered while time moves."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        """Start reading."""
        super().__init__(ws)
        self._frames: asyncio.Queue[aiohttp.WSMessage] = asyncio.Queue()
        self._reader = asyncio.create_task(self._read())

    @property
    def is_open(self) -> bool:
        """Whether the server has not closed it."""
        return not self._reader.done()

    @property
    def reason(self) -> str:
        """What the server said when it closed the socket."""
        extra = self._last.extra
        return "" if extra is None else str(extra)

    async def next(self, *kinds: str, within: float = PATIENCE) -> Message:
        """See :meth:`tests.support.browser.Socket.next`."""
        async with asyncio.timeout(within):
            frame = await self._frames.get()
        assert frame.type is aiohttp.WSMsgType.TEXT, (frame.type, self.ws.close_code, frame.extra)
        message: Message = json.loads(frame.data)
        self.heard.append(message)
        assert not kinds or message["type"] in kinds, message
        return message

    async def ends(self, within: float = PATIENCE) -> int:
        """See :meth:`tests.support.browser.Socket.ends`."""
        async with asyncio.timeout(within):
            await asyncio.shield(self._reader)
        self.heard += self.unread()
        assert self.ws.close_code is not None
        return self.ws.close_code

    def unread(self) -> list[Message]:
        """Return what has arrived and was not asked for, and forget it."""
        found = []
        while not self._frames.empty():
            frame = self._frames.get_nowait()
            if frame.type is aiohttp.WSMsgType.TEXT:
                found.append(json.loads(frame.data))
        return found

    async def close(self) -> None:
        """Leave."""
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        await self.ws.close()

    async def _read(self) -> None:
        while True:
            frame = await self.ws.receive()
            self._last = frame
            self._frames.put_nowait(frame)
            if frame.type in _ENDS:
                return


class Town:
    """What outlives one test: two listening addresses, a database with the schema, the sandbox's credentials."""

    def __init__(self, folder: Path, schema: Path, credentials: SandboxCredentials) -> None:
        """Listen on two free ports of loopback; a server takes them over while its test runs."""
        self.listeners = [_listening() for _ in range(2)]
        self.ports = [int(listener.getsockname()[1]) for listener in self.listeners]
        self.schema = schema.read_bytes()
        self.credentials = credentials
        self._folder = folder
        self._databases = 0

    def database(self) -> Path:
        """Return a new database file with the schema in it."""
        self._databases += 1
        path = self._folder / f"{self._databases}.sqlite"
        path.write_bytes(self.schema)
        return path

    def close(self) -> None:
        """Stop listening."""
        for listener in self.listeners:
            listener.close()


def _listening() -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    listener.setblocking(False)
    return listener


class Program:
    """A running program. Several ``processes`` are applications of their own over the same stores."""

    def __init__(
        self,
        deployments: list[Deployment],
        listeners: list[socket.socket],
        database: Path,
        rooms: Rooms,
        reopen: Callable[[], Awaitable[Rooms]],
        files: int,
    ) -> None:
        """Use :func:`running`."""
        self.deployments = deployments
        self.rooms = rooms
        self.meddler = Meddler()
        self.runners: list[web.AppRunner] = []
        self.lives: list[Life] = []
        self.captchas: dict[str, str] = {}
        """What every captcha shows that was made so far, by its id."""
        self.code: str | None = None
        """The two digits the last phone to confirm was shown."""
        self._listeners = listeners
        self._database = database
        self._reopen = reopen
        self._files = files
        self._inboxes: dict[str, LocalTopics] = {}
        self._stack = AsyncExitStack()
        self._time = LoopTime()
        self.sockets: list[LiveSocket] = []
        """Whose pings are to be answered in time, or are seen not to be, while time moves."""
        self._people: dict[str, Person] = {}

    async def __aenter__(self) -> Self:
        """Be ready."""
        return self

    async def __aexit__(self, *error: object) -> None:
        """Close every client."""
        await self._stack.aclose()

    @property
    def url(self) -> str:
        """The base URL."""
        return self.deployments[0].url

    @property
    def clock(self) -> ManualClock:
        """The program's clock and the sandbox's."""
        clock = self.rooms.clock
        assert isinstance(clock, ManualClock)
        return clock

    async def caller(self, *, process: int = 0, source: str | None = None) -> Caller:
        """Return an HTTP client; ``source`` is the loopback address it calls from."""
        return await self._stack.enter_async_context(Caller(self.deployments[process], source))

    async def browser(self, *, process: int = 0, source: str | None = None) -> Browser:
        """Return a browser without cookies."""
        return Browser(await self.caller(process=process, source=source))

    async def line(self) -> Line:
        """Return a bare connection."""
        line = await Line.open(self.deployments[0])
        self._stack.push_async_callback(line.close)
        return line

    async def phone(self, person: str = "chen-yutong", platform: str = "wechat", *, process: int = 0) -> Phone:
        """Return somebody's phone, logged in to the mini-program; registers them the first time."""
        caller = await self.caller(process=process)
        if not self._people:
            self._people = {someone.id: someone for someone in await phones.people(caller)}
        return await phones.log_in(caller, platform, self._people[person])

    async def socket(self, browser: Browser) -> LiveSocket:
        """Open the socket of a browser's page."""
        opened = await browser.knock()
        assert not isinstance(opened, int), opened
        found = LiveSocket(opened)
        self.sockets.append(found)
        self._stack.push_async_callback(found.close)
        return found

    async def opened(self, *, process: int = 0) -> tuple[Browser, LiveSocket, Screen]:
        """Return a browser with the login page open, its socket, and the code it shows."""
        browser = await self.browser(process=process)
        await browser.open()
        page = await self.socket(browser)
        return browser, page, await page.screen()

    async def approved(self, phone: Phone | None = None) -> tuple[Browser, LiveSocket, Message]:
        """Return a browser whose login was confirmed, its socket, and what that was told."""
        phone = phone or await self.phone()
        browser, page, screen = await self.opened()
        scanned = await self.scanned(phone, screen)
        await page.next("scanned")
        answer = await phone.confirm(scanned)
        assert answer.status == 200, answer
        self.code = answer.json()["code"]
        return browser, page, await page.next("approved")

    async def signed_in(self, phone: Phone | None = None) -> Browser:
        """Return a browser that somebody has logged in with."""
        browser, _, message = await self.approved(phone)
        assert (await browser.redeem(message["grant"])).status == 200
        return browser

    async def scanned(self, phone: Phone, screen: Screen, *, after: float = 0) -> dict[str, Any]:
        """Let a phone scan what a screen shows ``after`` seconds; return what it is told."""
        answer = await phone.scan(self.frame(screen, after=after))
        assert answer.status == 200, answer
        return answer.json()

    def frame(self, screen: Screen, *, after: float = 0) -> str:
        """Return the frame on a screen ``after`` seconds by the program's clock, which stands still between moves."""
        return screen.frame(int((screen.message["elapsed"] + after) // screen.message["step"]))

    async def start(self) -> None:
        """Start every process."""
        for process in range(len(self.deployments)):
            self.lives.append(Life())
            self.runners.append(await self._started(process))

    async def stop(self) -> None:
        """Stop every process, and close what they are made of."""
        for life in self.lives:
            if life.over.is_set():
                life.bury()
        for process in range(len(self.runners)):
            await self._clear(process)
        await close_rooms(self.rooms)

    async def survives(self, act: Awaitable[Answer], *, process: int = 0) -> Answer | None:
        """Return what a request is answered, or None if the process dies over it."""
        life = self.lives[process]
        asking = asyncio.ensure_future(act)
        dying = asyncio.create_task(life.over.wait())
        await asyncio.wait((asking, dying), return_when=asyncio.FIRST_COMPLETED)
        dying.cancel()
        if not life.over.is_set():
            return await asking
        self._hang_up(process)
        with suppress(aiohttp.ClientError):
            await asking
        return None

    async def comes_back(self, *, process: int = 0, memory: bool) -> None:
        """Start a process again that has died, or that dies now; with the ``memory`` it had if that is kept elsewhere.

        Without it, the process must be the only one.
        """
        self.lives[process].bury()
        self._hang_up(process)
        await self._clear(process)
        if not memory:
            await close_rooms(self.rooms)
            self.rooms = await self._reopen()
        self.lives[process] = Life()
        self.runners[process] = await self._started(process)

    async def _started(self, process: int) -> web.AppRunner:
        stores = msgspec.structs.replace(
            self.rooms.stores,
            **watched(self.rooms.stores, self.meddler, self.lives[process]),
            signals=self.meddler.between("signals", LinkedBus(f"process-{process}", self._inboxes)),
        )
        app = build(msgspec.structs.replace(self.rooms, stores=stores))
        runner = Runner(app, files=self._files, shutdown_timeout=60)
        await runner.setup()
        await Site(runner, self._listeners[process].dup()).start()
        return runner

    async def _clear(self, process: int) -> None:
        """Take a process away; what it would wait for is waited for in no time."""
        clearing = asyncio.create_task(self.runners[process].cleanup())
        while not clearing.done():
            await self.settle()
            self._time.skip(1)
        await clearing

    def _hang_up(self, process: int) -> None:
        server = self.runners[process].server
        assert server is not None
        for connection in list(server.connections):
            if connection.transport is not None:
                connection.transport.abort()

    async def empty(self) -> None:
        """Close every client and delete every row, for another test; limits remember whom they have counted."""
        await self._stack.aclose()
        self.sockets.clear()
        with self._file() as connection:
            for (table,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'alembic_version'"
            ).fetchall():
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names of tables

    async def advance(self, seconds: float) -> None:
        """Let time pass, and everything happen that is due by then."""
        await self.settle()
        while seconds > 0:
            stride = min(STRIDE if any(page.is_open for page in self.sockets) else LEAP, seconds)
            self.clock.advance(stride)
            self._time.skip(stride)
            seconds -= stride
            await self.settle()

    async def settle(self) -> None:
        """Let everything happen that is due."""
        for _ in range(BREATHS):
            await asyncio.sleep(0)
        # Timers are set a millisecond late, so that they find the clock past their moment.
        await asyncio.sleep(0.002)
        for _ in range(BREATHS):
            await asyncio.sleep(0)

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run a statement on the database file, as an operator or another part of the program would."""
        with self._file() as connection:
            return connection.execute(statement, values).fetchall()

    @contextmanager
    def _file(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._database)) as connection, connection:
            # In the tests' own process nothing waits for the disk.
            connection.execute("PRAGMA synchronous = OFF")
            yield connection


@asynccontextmanager
async def running(
    town: Town,
    name: str,
    *,
    base_url: str | None = None,
    processes: int = 1,
    files: int = 1000,
    everywhere: bool = False,
    settings: Callable[[Settings], Settings] = lambda settings: settings,
) -> AsyncIterator[Program]:
    """Run the program. ``base_url`` names a host that a proxy in front would have; ``name`` seeds the randomness.

    Each process believes that it may have ``files`` open. The mini-program runs at WeChat, or ``everywhere``.
    """
    clock, entropy = ManualClock(), SeededEntropy(name)
    database = town.database()
    url = base_url or f"http://127.0.0.1:{town.ports[0]}"
    mail = socket.create_server(("127.0.0.1", 0))
    sandbox = TestServer(
        build_sandbox(
            SandboxSettings(
                clock=clock,
                entropy=SandboxEntropy(name),
                credentials=town.credentials,
                base_url="http://127.0.0.1",
                server_url=url,
                mail=mail,
            )
        ),
        host="127.0.0.1",
    )
    async with sandbox:
        vendors = str(sandbox.make_url("")).rstrip("/")
        clients = town.credentials.client_settings(vendors, int(mail.getsockname()[1]))
        usual = _settings(url, database, clients)
        chosen = settings(_everywhere(usual, clients) if everywhere else usual)
        answers: dict[str, str] = {}

        async def witness(captcha: str, answer: str) -> None:
            answers[captcha] = answer
            sandbox.app[CAPTCHAS].learn(captcha, answer)

        async def reopen() -> Rooms:
            return await open_rooms(chosen, clock, entropy, lambda _: witness)

        ends = [f"http://127.0.0.1:{port}" for port in town.ports[:processes]]
        program = Program(
            [Deployment(url, vendors, at) for at in ends], town.listeners, database, await reopen(), reopen, files
        )
        program.captchas = answers
        try:
            await program.start()
            async with program:
                yield program
        finally:
            await program.stop()


def _settings(url: str, database: Path, clients: ClientSettings) -> Settings:
    return Settings(
        server=config.Server(base_url=url, environment="demo"),
        storage=config.Storage(database_url=f"sqlite:///{database}"),
        keys=config.Keys(roots={"1": Secret(ROOT_KEY)}),
        authority=AuthoritySettings(
            base_url=clients.authority.base_url,
            key_id=clients.authority.key_id,
            secret=Secret(clients.authority.secret),
        ),
        bank=BankSettings(
            base_url=clients.bank.base_url, key_id=clients.bank.key_id, secret=Secret(clients.bank.secret)
        ),
        business_register=BusinessRegisterSettings(
            base_url=clients.business_register.base_url,
            key_id=clients.business_register.key_id,
            secret=Secret(clients.business_register.secret),
        ),
        wechat=WechatSettings(
            app_id=clients.wechat.app_id, app_secret=Secret(clients.wechat.secret), base_url=clients.wechat.base_url
        ),
        **web_logins(clients),
        national_register=national_register(clients),
        chuanglan=ChuanglanSettings(
            account=clients.chuanglan.account,
            password=Secret(clients.chuanglan.password),
            signature=clients.chuanglan.signature,
            base_url=clients.chuanglan.base_url,
        ),
        mail=MailSettings(
            host=clients.mail.host,
            port=clients.mail.port,
            security="plain",
            username=clients.mail.username,
            password=Secret(clients.mail.password),
            sender=clients.mail.sender,
        ),
    )


def web_logins(clients: ClientSettings) -> dict[str, Any]:
    """Return the sections of the logins by what people have elsewhere, as the sandbox has them."""
    return {
        "national_login": NationalLoginSettings(
            client_id=clients.national_login.client_id,
            client_secret=Secret(clients.national_login.secret),
            page_url=clients.national_login.page_url,
            token_url=clients.national_login.token_url,
            user_url=clients.national_login.user_url,
        ),
        "alipay_login": AlipayLoginSettings(
            app_id=clients.alipay_login.app_id,
            private_key=Secret(clients.alipay_login.app_private_key),
            alipay_public_key=clients.alipay_login.alipay_public_key,
            page_url=clients.alipay_login.page_url,
            gateway_url=clients.alipay_login.gateway_url,
        ),
        "wechat_login": WechatLoginSettings(
            app_id=clients.wechat_login.app_id,
            app_secret=Secret(clients.wechat_login.secret),
            public_app_id=clients.wechat_login.public_app_id,
            public_app_secret=Secret(clients.wechat_login.public_secret),
            page_url=clients.wechat_login.page_url,
            base_url=clients.wechat_login.base_url,
        ),
        "baidu_login": BaiduLoginSettings(
            client_id=clients.baidu_login.client_id,
            client_secret=Secret(clients.baidu_login.secret),
            page_url=clients.baidu_login.page_url,
            base_url=clients.baidu_login.base_url,
        ),
    }


def national_register(clients: ClientSettings) -> NationalRegisterSettings:
    """Return the section of the call that makes users of the national platform, as the sandbox has it."""
    told = clients.national_register
    return NationalRegisterSettings(
        client_id=told.client_id,
        client_secret=Secret(told.secret),
        url=told.url,
        known=told.known,
        refused=told.refused,
    )


def _everywhere(settings: Settings, clients: ClientSettings) -> Settings:
    return msgspec.structs.replace(
        settings,
        alipay=AlipaySettings(
            app_id=clients.alipay.app_id,
            private_key=Secret(clients.alipay.app_private_key),
            alipay_public_key=clients.alipay.alipay_public_key,
            aes_key=Secret(clients.alipay.aes_key),
            gateway_url=clients.alipay.gateway_url,
        ),
        baidu=BaiduSettings(
            app_key=clients.baidu.client_id,
            app_secret=Secret(clients.baidu.client_secret),
            aip_key=clients.baidu.aip_key,
            aip_secret=Secret(clients.baidu.aip_secret),
            plan_id=clients.baidu.plan_id,
            base_url=clients.baidu.base_url,
            aip_url=clients.baidu.base_url,
            face_page_url=f"{clients.baidu.base_url}/face/print/",
        ),
    )


def always_a_code(settings: Settings) -> Settings:
    """Ask for the reverse code at every login."""
    return msgspec.structs.replace(settings, qr=config.Qr(reverse_code="always"))


def kinds(messages: Iterable[Message]) -> list[str]:
    """Return the types of messages."""
    return [str(message["type"]) for message in messages]
