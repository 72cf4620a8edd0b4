"""The world around the mini-program's services: platforms and an authority that do as told, on real stores.

The stand-ins are small programs behind the vendor ports: they remember what they were asked, judge a face by the
facts its check was started with, and can be slow, down or lying.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from bjidp.clock import ManualClock
from bjidp.entropy import Entropy
from bjidp.errors import VendorUnavailable
from bjidp.miniprogram.book import RegistrationBook
from bjidp.miniprogram.doors import Doors, UsedCode
from bjidp.miniprogram.face_checks import FaceChecks
from bjidp.miniprogram.limits import MiniProgramLimits, MiniProgramWindows
from bjidp.miniprogram.linking import Linking
from bjidp.miniprogram.platform_logins import KeptLogin, PlatformLogins
from bjidp.miniprogram.registration import Registration
from bjidp.miniprogram.service import MiniProgram
from bjidp.miniprogram.sessions import MiniSessions
from bjidp.miniprogram.tokens import MiniTokens
from bjidp.miniprogram.wire import (
    AccountFound,
    CompleteRequest,
    Consent,
    IdentityRequired,
    RegistrationRequest,
    SessionOk,
    SessionRequest,
)
from bjidp.person import DocumentType, Person
from bjidp.platforms import Platform, PlatformIdentity
from bjidp.privacy.keyring import Keyring, RootKey
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.privacy.sealing import Sealing
from bjidp.privacy.seals import RecordSeals
from bjidp.proofing.ranges import DocumentRange
from bjidp.secret import Secret
from bjidp.storage.memory.records import MemoryRecords
from bjidp.storage.memory.throttle import MemoryThrottle
from bjidp.storage.sql.catalog import SqlStores
from bjidp.throttle.source import Source
from bjidp.vendors.ports.platforms import (
    FaceRequest,
    FaceStart,
    FaceVerdict,
    LoginCodeInvalid,
    PlatformClients,
    PlatformLogin,
)
from bjidp.vendors.ports.registers import Finding, RegisterAnswer

ADDRESS = Source("192.0.2.1")
ZHANG = "110101199003070011"
LI = "440308199901101512"


class FakePlatform:
    """A platform: login codes and face checks."""

    def __init__(self, platform: Platform, documents: Iterable[DocumentType]) -> None:
        """Know the ``documents``; every check waits for its outcome."""
        self.platform = platform
        self.documents = frozenset(documents)
        self.people: dict[str, str] = {}
        self.exchanged: list[str] = []
        self.started: dict[str, FaceRequest] = {}
        self.outcomes: dict[str, FaceVerdict] = {}
        self.asked: list[str] = []
        self.down = False
        self.app_id = f"app-{platform.value}"

    async def exchange(self, code: str) -> PlatformLogin:
        """Give the identity behind a code, as often as it is presented: a platform that lets codes be replayed."""
        await asyncio.sleep(0)
        if self.down:
            raise VendorUnavailable
        self.exchanged.append(code)
        if code not in self.people:
            raise LoginCodeInvalid
        return PlatformLogin(PlatformIdentity(self.platform, self.app_id, self.people[code]), None)

    async def start(self, request: FaceRequest) -> FaceStart:
        """Open a check."""
        self._require_own(request)
        await asyncio.sleep(0)
        if self.down:
            raise VendorUnavailable
        verification = f"{self.platform.value}-{len(self.started)}"
        self.started[verification] = request
        return FaceStart(verification, {"certify_url": "x", "verification": "not this one"})

    async def verdict(self, request: FaceRequest, verification: str) -> FaceVerdict:
        """Tell what came of it, for exactly the facts it was started with."""
        self._require_own(request)
        await asyncio.sleep(0)
        self.asked.append(verification)
        if self.down:
            raise VendorUnavailable
        if self.started.get(verification) != request:
            return FaceVerdict.FAILED
        return self.outcomes.get(verification, FaceVerdict.PENDING)

    def _require_own(self, request: FaceRequest) -> None:
        if (request.identity.platform, request.identity.app_id) != (self.platform, self.app_id):
            raise ValueError("another app's user")


class FakeAuthority:
    """The authority: says yes unless told otherwise."""

    def __init__(self) -> None:
        """Know nobody yet."""
        self.answers: dict[str, RegisterAnswer] = {}
        self.references: list[str] = []
        self.asked: list[Person] = []
        self.down = False

    async def check(self, person: Person, *, reference: str) -> Finding:
        """Answer by number."""
        self.asked.append(person)
        self.references.append(reference)
        await asyncio.sleep(0)
        if self.down:
            raise VendorUnavailable
        answer = self.answers.get(person.number, RegisterAnswer.MATCH)
        return Finding(answer, None, f"authority-{len(self.asked)}")


def keyring() -> Keyring:
    """A root key of tests."""
    return Keyring([RootKey(1, Secret(b"\x01" * 32))])


class PhoneWorld:
    """Everything a phone meets, on one database file."""

    def __init__(
        self,
        *,
        stores: SqlStores,
        file: Path,
        clock: ManualClock,
        entropy: Entropy,
        windows: MiniProgramWindows | None = None,
    ) -> None:
        """Wire the services as ``bootstrap`` does."""
        self.file = file
        self.clock = clock
        self.stores = stores
        self.wechat = FakePlatform(Platform.WECHAT, [DocumentType.RESIDENT_ID, DocumentType.HK_PERMIT])
        self.alipay = FakePlatform(Platform.ALIPAY, set(DocumentType) - {DocumentType.PERMANENT_RESIDENT})
        self.baidu = FakePlatform(Platform.BAIDU, set(DocumentType))
        self.platforms = {fake.platform: fake for fake in (self.wechat, self.alipay, self.baidu)}
        self.authority = FakeAuthority()
        self.throttle = MemoryThrottle(clock)
        self.registrations: MemoryRecords[Registration] = MemoryRecords(clock)
        self.used_codes: MemoryRecords[UsedCode] = MemoryRecords(clock)
        self.tokens = MiniTokens("http://127.0.0.1:8080", Secret(b"a" * 32), Secret(b"r" * 32))
        self.pseudonyms = pseudonyms = Pseudonyms(keyring())
        self.seals = seals = RecordSeals(Sealing(keyring(), entropy))
        self.clients = {platform: PlatformClients(fake, fake) for platform, fake in self.platforms.items()}
        self.doors = Doors(
            self.clients,
            used_codes=self.used_codes,
            pseudonyms=pseudonyms,
            clock=clock,
        )
        self.kept_logins: MemoryRecords[KeptLogin] = MemoryRecords(clock)
        self.logins = PlatformLogins(records=self.kept_logins, seals=seals, pseudonyms=pseudonyms)
        self.sessions = MiniSessions(
            store=stores.mini_sessions, logins=self.logins, tokens=self.tokens, clock=clock, entropy=entropy
        )
        self.limits = MiniProgramLimits(self.throttle, pseudonyms, windows or MiniProgramWindows())
        self.book = RegistrationBook(records=self.registrations, seals=seals, pseudonyms=pseudonyms)
        self.linking = Linking(accounts=stores.accounts, sessions=self.sessions, logins=self.logins)
        self.checks = FaceChecks(self.doors, self.limits, clock, entropy)
        self.mini = MiniProgram(
            doors=self.doors,
            checks=self.checks,
            accounts=stores.accounts,
            authority=self.authority,
            sessions=self.sessions,
            book=self.book,
            logins=self.logins,
            linking=self.linking,
            limits=self.limits,
            documents=DocumentRange.REAL,
            clock=clock,
            entropy=entropy,
        )
        self._codes = 0

    def code(self, user: str, platform: Platform = Platform.WECHAT) -> str:
        """Return a fresh login code of a user of a platform."""
        self._codes += 1
        code = f"code-{self._codes}"
        self.platforms[platform].people[code] = user
        return code

    async def sign_in(self, user: str, platform: Platform = Platform.WECHAT) -> SessionOk | IdentityRequired:
        """Log in by the platform's login code."""
        return await self.mini.session(platform, SessionRequest(self.code(user, platform)), ADDRESS)

    async def opened(self, user: str, platform: Platform = Platform.WECHAT) -> str:
        """Return the secret of a fresh registration."""
        answer = await self.sign_in(user, platform)
        assert isinstance(answer, IdentityRequired)
        return answer.registration

    async def state_identity(
        self,
        registration: str,
        number: str = ZHANG,
        *,
        name: str = "张三",
        document_type: DocumentType = DocumentType.RESIDENT_ID,
        platform: Platform = Platform.WECHAT,
        valid_days: int = 30,
        agreed: tuple[Consent, ...] = ("terms", "privacy"),
    ) -> str:
        """Start a face check; return the platform's id of it."""
        body = RegistrationRequest(
            registration,
            document_type,
            name,
            number,
            valid_days,  # type: ignore[arg-type]  # also values the wire refuses
            list(agreed),
        )
        started = await self.mini.registration(platform, body, ADDRESS)
        return started.face["verification"]

    def face(self, verification: str, outcome: FaceVerdict = FaceVerdict.PASSED) -> None:
        """Say what happens in front of the camera."""
        self.platforms[Platform(verification.partition("-")[0])].outcomes[verification] = outcome

    async def complete(self, registration: str, platform: Platform = Platform.WECHAT) -> SessionOk | AccountFound:
        """Ask for the outcome."""
        return await self.mini.complete(platform, CompleteRequest(registration), ADDRESS)

    async def registered(
        self, user: str, number: str = ZHANG, *, platform: Platform = Platform.WECHAT, valid_days: int = 30
    ) -> SessionOk:
        """Bring a new person all the way in."""
        registration = await self.opened(user, platform)
        verification = await self.state_identity(registration, number, platform=platform, valid_days=valid_days)
        self.face(verification)
        answer = await self.complete(registration, platform)
        assert isinstance(answer, SessionOk)
        return answer

    def sql(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """Run a statement on the database file, as an operator or another step of the program would."""
        with closing(sqlite3.connect(self.file)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def accounts(self) -> int:
        """Count the accounts."""
        return len(self.sql("SELECT id FROM account"))

    def serves_no_more(self, platform: Platform, *, app: bool) -> None:
        """Let the configuration be another one: of another ``app``, or without the platform."""
        if app:
            self.platforms[platform].app_id = "another-app"
        else:
            del self.clients[platform]

    def probation(self) -> object:
        """Return until when the one link is under probation."""
        ((until,),) = self.sql("SELECT probation_until FROM platform_link")
        return until
