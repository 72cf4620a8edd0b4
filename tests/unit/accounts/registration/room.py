"""The room where people register: the real services on real stores, behind them a picture book and a postman."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from msgspec.structs import replace

from bjidp.accounts.drafts import Drafts, Sealed
from bjidp.accounts.hashing import Cost, PasswordHashes
from bjidp.accounts.registration.flow import Begun, Surface, Typed, to_session
from bjidp.accounts.registration.service import Applicant, Registrations, RegistrationWindows
from bjidp.clock import HOUR, ManualClock
from bjidp.entropy import Entropy
from bjidp.privacy.sealing import Sealing
from bjidp.privacy.seals import RecordSeals
from bjidp.records import Records
from bjidp.sessions.ports import Login, SessionStore, Way
from bjidp.sessions.service import Sessions
from bjidp.storage.sql.catalog import SqlStores
from bjidp.throttle.source import Source
from bjidp.vendors.ports.sms import Sms, SmsAccepted
from bjidp.verification.captcha import Captcha
from bjidp.verification.captcha_pool import Drawn
from bjidp.verification.captchas import Captchas, CaptchaWindows
from bjidp.verification.code import Purpose
from bjidp.verification.dispatch import Dispatches
from bjidp.verification.ranges import NumberRange
from bjidp.verification.sending import Dispatch
from bjidp.verification.words import SmsWords
from tests.contracts.ephemeral import Ephemeral
from tests.support.meddling import Meddler
from tests.support.phones import keyring
from tests.support.verification import PSEUDONYMS, codes, limits

T = TypeVar("T")

NUMBER, OTHER_NUMBER = "15400000001", "15400000002"
PASSWORD = "Wansui-8"
SHOWN = "3827"
HOLDER = "browser-1"
GOOD = Typed(username="zhang_san", phone=NUMBER, password=PASSWORD, again=PASSWORD, agreed=True)
ON_PHONE = replace(GOOD, username="", again="")


class PictureBook:
    """Captchas that all show the same."""

    async def take(self) -> Drawn:
        return Drawn(SHOWN, b"picture")


class Postman:
    """Keeps the messages he is given."""

    def __init__(self) -> None:
        self.sent: list[Sms] = []

    async def send(self, sms: Sms) -> SmsAccepted:
        self.sent.append(sms)
        return SmsAccepted("postman", str(len(self.sent)))


class _Plain:
    def sms(self, purpose: Purpose, code: str) -> SmsWords:
        return SmsWords(f"{purpose}:{code}", purpose, (code,))


class _Watched:
    """Short-lived stores with the meddler in front of their records."""

    def __init__(self, stores: Ephemeral, meddler: Meddler) -> None:
        self._stores = stores
        self._meddler = meddler
        self.throttle = stores.throttle

    def records(self, name: str, kind: type[T]) -> Records[T]:
        return self._meddler.between(name, self._stores.records(name, kind))


class Room:
    """Browsers come in by :meth:`applicant`; every store can be made to fail by the ``meddler``."""

    def __init__(
        self, sql: SqlStores, sessions: SessionStore, brief: Ephemeral, file: Path, clock: ManualClock, entropy: Entropy
    ) -> None:
        self.clock = clock
        self.sql = sql
        self.meddler = Meddler()
        self.postman = Postman()
        self.hashes = PasswordHashes(entropy, Cost(time=1, memory=8), threads=2, waiting=2)
        self.sessions = Sessions(self.meddler.between("sessions", sessions), clock, entropy, 12 * HOUR)
        self.members = self.meddler.between("members", sql.members)
        self.codes = codes(_Watched(brief, self.meddler), entropy)
        self._file = file
        throttle = self.meddler.between("throttle", brief.throttle)
        self._limits = limits(brief)
        self.captchas = Captchas(
            records=self.meddler.between("captchas", brief.records("captcha", Captcha)),
            pictures=PictureBook(),
            throttle=throttle,
            pseudonyms=PSEUDONYMS,
            entropy=entropy,
            windows=CaptchaWindows(),
        )
        self.dispatches = Dispatches(
            codes=self.codes,
            numbers=NumberRange.SYNTHETIC,
            limits=self._limits,
            sender=self.postman,
            words=_Plain(),
            records=self.meddler.between("dispatches", brief.records("dispatch", Dispatch)),
            pseudonyms=PSEUDONYMS,
            entropy=entropy,
        )
        self.drafts: Drafts[Begun] = Drafts(
            Begun,
            "registration",
            records=self.meddler.between("drafts", brief.records("draft", Sealed)),
            seals=RecordSeals(Sealing(keyring(), entropy)),
            pseudonyms=PSEUDONYMS,
            entropy=entropy,
        )
        self.registrations = Registrations(
            drafts=self.drafts,
            members=self.members,
            numbers=NumberRange.SYNTHETIC,
            captchas=self.captchas,
            dispatches=self.dispatches,
            codes=self.codes,
            hashes=self.hashes,
            sessions=self.sessions,
            throttle=throttle,
            pseudonyms=PSEUDONYMS,
            clock=clock,
            national=True,
            windows=RegistrationWindows(),
        )

    async def close(self) -> None:
        """End what runs in the background."""
        await self.dispatches.close()
        await self.hashes.close()

    def applicant(self, holder: str = HOLDER) -> Applicant:
        """Return a browser that came from 首都之窗."""
        return Applicant(holder=holder, source=Source(f"address-of-{holder}"), next="/centre", client="首都之窗")

    async def with_captcha(self, typed: Typed, applicant: Applicant | None = None) -> Typed:
        """Return the form with a captcha that was read well."""
        applicant = applicant or self.applicant()
        return replace(typed, captcha=SHOWN, captcha_id=await self.captchas.show(applicant.holder, applicant.source))

    async def asked(
        self,
        typed: Typed = GOOD,
        surface: Surface = Surface.PC,
        *,
        applicant: Applicant | None = None,
        flow: str | None = None,
    ) -> tuple[str, Typed]:
        """Have a code sent; return the registration's id and the form with that code."""
        applicant = applicant or self.applicant()
        filled = await self.with_captcha(typed, applicant)
        flow = await self.registrations.ask_code(applicant, flow, surface, filled)
        await self.dispatches.close()
        return flow, replace(typed, code=self.postman.sent[-1].parameters[0])

    async def register(
        self, flow: str | None, typed: Typed, surface: Surface = Surface.PC, *, applicant: Applicant | None = None
    ) -> str:
        """Send the form and be let in, as ``web`` does; return the session's cookie."""
        made = await self.registrations.register(applicant or self.applicant(), flow, surface, typed)
        login = Login(Way.REGISTRATION, None, None, "Chrome", "Windows", None, b"network", None)
        return await self.sessions.start(made.account.account, login, None, to_session(made.facts))

    async def neighbour(self, typed: Typed = GOOD) -> str:
        """Let somebody else register with the same values in a browser of their own; return their cookie."""
        applicant = self.applicant("browser-of-the-neighbour")
        flow, filled = await self.asked(typed, applicant=applicant)
        return await self.register(flow, filled, applicant=applicant)

    async def facts(self, flow: str) -> Begun:
        """Return the facts of this browser's registration."""
        return (await self.drafts.read(HOLDER, flow)).facts

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run SQL on the database file."""
        with closing(sqlite3.connect(self._file)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def accounts(self) -> int:
        """Count the accounts."""
        return len(self.rows("SELECT id FROM account"))
