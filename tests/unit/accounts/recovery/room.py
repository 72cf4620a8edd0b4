"""The room where accounts are recovered: the real services on real stores, behind them a picture book and a postman."""

from __future__ import annotations

import functools
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any, Final, TypeVar

from msgspec.structs import replace

from bjidp.accounts.drafts import Drafts, Sealed
from bjidp.accounts.endings import Endings
from bjidp.accounts.hashing import Cost, PasswordHashes
from bjidp.accounts.member_ports import Member, NewMember
from bjidp.accounts.ports import NOTHING, Evidence, Gone, NewAccount
from bjidp.accounts.recovery.flow import Recovery, Step
from bjidp.accounts.recovery.forms import Choosing, Naming, Proving
from bjidp.accounts.recovery.service import Asking, Recoveries, RecoveryWindows
from bjidp.accounts.surface import Surface
from bjidp.audit.event import EventKind
from bjidp.clock import HOUR, ManualClock
from bjidp.entropy import Entropy
from bjidp.person import DocumentType, Person
from bjidp.platforms import Platform, PlatformIdentity
from bjidp.privacy.sealing import Sealing
from bjidp.privacy.seals import RecordSeals
from bjidp.proofing.documents import readings
from bjidp.records import Records
from bjidp.sessions.ports import Login, SessionEnd, SessionStore, Way
from bjidp.sessions.service import Sessions
from bjidp.storage.sql.catalog import SqlStores
from bjidp.throttle.source import Source
from bjidp.vendors.ports.sms import Sms, SmsAccepted
from bjidp.verification.captcha import Captcha
from bjidp.verification.captcha_pool import Drawn
from bjidp.verification.captchas import Captchas, CaptchaWindows
from bjidp.verification.code import Purpose
from bjidp.verification.dispatch import Dispatches
from bjidp.verification.proofs import Means, Operation, Proof, Proofs
from bjidp.verification.ranges import NumberRange
from bjidp.verification.sending import Dispatch
from bjidp.verification.words import SmsWords
from tests.contracts.ephemeral import Ephemeral
from tests.support.aftercare import HeardAftercare
from tests.support.meddling import Meddler
from tests.support.phones import keyring
from tests.support.verification import PSEUDONYMS, codes, limits

T = TypeVar("T")

SHOWN: Final = "3827"
HOLDER: Final = "browser-1"
NUMBER: Final = "15400000001"
ZHANG: Final = Person(DocumentType.RESIDENT_ID, "张三", "11010519491231002X")
OLD: Final = "Old-wansui-7"
NEW: Final = "New-wansui-8"
CHOSEN: Final = Choosing(password=NEW, again=NEW)

_LOGIN: Final = Login(Way.PASSWORD, None, None, "Chrome", "Windows", None, b"network", None)


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


class PhoneSessions:
    """The sessions of phones, as far as this room sees them."""

    def __init__(self) -> None:
        self.ended: list[tuple[str, SessionEnd]] = []

    async def end(self, account: str, reason: SessionEnd, gone: Gone = NOTHING) -> None:
        self.ended.append((account, reason))


class Room:
    """Browsers come in by :meth:`asking`; every store is watched and can be made to fail by the ``meddler``."""

    def __init__(
        self, sql: SqlStores, sessions: SessionStore, brief: Ephemeral, file: Path, clock: ManualClock, entropy: Entropy
    ) -> None:
        self.meddler = meddler = Meddler()
        watch = meddler.between
        self.clock = clock
        self.sql = sql
        self.postman = Postman()
        self.phones = PhoneSessions()
        self.hashes = PasswordHashes(entropy, Cost(time=1, memory=8), threads=2, waiting=2)
        self.sessions = Sessions(watch("sessions", sessions), clock, entropy, 12 * HOUR)
        self.members = watch("members", sql.members)
        self.proofs = Proofs(watch("proofs", brief.records("proof", Proof)), PSEUDONYMS)
        self._file = file
        throttle = watch("throttle", brief.throttle)
        self._watched = _WatchedStores(meddler, brief)
        self.codes = codes(self._watched, entropy)
        self.captchas = Captchas(
            records=watch("captchas", brief.records("captcha", Captcha)),
            pictures=PictureBook(),
            throttle=throttle,
            pseudonyms=PSEUDONYMS,
            entropy=entropy,
            windows=CaptchaWindows(),
        )
        self.dispatches = Dispatches(
            codes=self.codes,
            numbers=NumberRange.SYNTHETIC,
            limits=limits(self._watched),
            sender=self.postman,
            words=_Plain(),
            records=watch("dispatches", brief.records("dispatch", Dispatch)),
            pseudonyms=PSEUDONYMS,
            entropy=entropy,
            sleep=_no_time,
        )
        self.drafts: Drafts[Recovery] = Drafts(
            Recovery,
            "recovery",
            records=watch("drafts", brief.records("draft", Sealed)),
            seals=RecordSeals(Sealing(keyring(), entropy)),
            pseudonyms=PSEUDONYMS,
            entropy=entropy,
        )
        self.recoveries = Recoveries(
            drafts=self.drafts,
            members=self.members,
            documents=functools.partial(readings, today=date(2026, 11, 23)),
            numbers=NumberRange.SYNTHETIC,
            captchas=self.captchas,
            dispatches=self.dispatches,
            codes=self.codes,
            proofs=self.proofs,
            hashes=watch("hashes", self.hashes),
            endings=Endings(self.sessions, watch("phones", self.phones).end, HeardAftercare()),
            throttle=throttle,
            pseudonyms=PSEUDONYMS,
            clock=clock,
            windows=RecoveryWindows(),
        )

    async def close(self) -> None:
        """End what runs in the background."""
        await self.dispatches.close()
        await self.hashes.close()

    async def someone(
        self,
        username: str = "zhang_san",
        phone: str | None = NUMBER,
        document: Person | None = None,
        password: str = OLD,
    ) -> str:
        """Make an account; return its id."""
        now, kept = self.clock.now(), await self.hashes.hash(password)
        if document is None:
            assert phone is not None
            member = NewMember(username=username, phone=phone, password=kept)
            return (await self.sql.members.enrol(member, now)).account
        by_face = NewAccount(
            document, PlatformIdentity(Platform.WECHAT, "wx01", f"open-{username}"), 30, Evidence.FACE, "F1", "A1"
        )
        _, standing, *_ = await self.sql.accounts.register(by_face, now)
        account = standing.account
        await self.sql.members.set_username(account, username, now)
        if phone is not None:
            await self.sql.members.set_phone(account, phone, now)
        await self.sql.members.set_password(account, kept, EventKind.PASSWORD_CHANGED, now, was=None)
        return account

    async def change_password(self, account: str, text: str) -> None:
        """Have the password of an account changed by somebody else."""
        kept, was = await self.hashes.hash(text), (await self.member(account)).password
        await self.sql.members.set_password(account, kept, EventKind.PASSWORD_CHANGED, self.clock.now(), was=was)

    async def confirmed(self, account: str, holder: str = HOLDER, operation: Operation = Operation.RECOVER) -> None:
        """Be confirmed in 京通."""
        epoch = (await self.member(account)).standing.epoch
        await self.proofs.grant(holder, account, operation, Means.QR, epoch)

    async def log_in(self, account: str) -> str:
        """Open a session; return its cookie."""
        return await self.sessions.start(account, _LOGIN, None)

    def asking(self, holder: str = HOLDER, *knowing: str) -> Asking:
        """Return a browser, on which the accounts ``knowing`` have logged in before."""
        return Asking(
            holder=holder, source=Source(f"address-of-{holder}"), knows=lambda standing: standing.account in knowing
        )

    async def naming(self, name: str = "zhang_san", asking: Asking | None = None) -> Naming:
        """Return the first form for computers, with a captcha that was read well."""
        asking = asking or self.asking()
        shown = await self.captchas.show(asking.holder, asking.source)
        return Naming(name=name, captcha=SHOWN, captcha_id=shown)

    async def begin(self, name: str = "zhang_san", asking: Asking | None = None) -> str:
        """Name an account on a computer; return the recovery's id."""
        asking = asking or self.asking()
        return await self.recoveries.begin(asking, Surface.PC, await self.naming(name, asking))

    async def begin_on_phone(self, number: str = NUMBER, asking: Asking | None = None) -> str:
        """Name a number on a phone; return the recovery's id."""
        asking = asking or self.asking()
        naming = replace(await self.naming("", asking), phone=number)
        return await self.recoveries.begin(asking, Surface.H5, naming)

    async def send_code(self, recovery: str, asking: Asking | None = None, document: str = "") -> None:
        """Have a code sent, and wait until the postman has it."""
        asking = asking or self.asking()
        shown = await self.captchas.show(asking.holder, asking.source)
        typed = Proving(document=document, captcha=SHOWN, captcha_id=shown)
        await self.recoveries.send_code(asking, recovery, typed)
        await self.dispatches.close()

    @property
    def code(self) -> str:
        """The code that was sent last."""
        return self.postman.sent[-1].parameters[0]

    @property
    def wrong_code(self) -> str:
        """Six digits that were not sent."""
        return f"{(int(self.code) + 1) % 1_000_000:06d}" if self.postman.sent else "123456"

    async def proved(self, name: str = "zhang_san", document: str = "", asking: Asking | None = None) -> str:
        """Go as far as the new password; return the recovery's id."""
        recovery = await self.begin(name, asking)
        await self.send_code(recovery, asking)
        typed = Proving(document=document, code=self.code)
        assert await self.recoveries.prove(asking or self.asking(), recovery, typed) is Step.PASSWORD
        return recovery

    async def step(self, recovery: str, asking: Asking | None = None) -> Step:
        """Return the step that is due."""
        return (await self.recoveries.look(asking or self.asking(), recovery))[1]

    async def facts(self, recovery: str) -> Recovery:
        """Return the facts of this browser's recovery."""
        return (await self.drafts.read(HOLDER, recovery)).facts

    async def member(self, account: str) -> Member:
        """Return the account as it is kept."""
        found = await self.sql.members.member(account)
        assert found is not None
        return found

    async def password_is(self, account: str, password: str) -> bool:
        """Tell whether this is the account's password now."""
        return (await self.hashes.verify((await self.member(account)).password, password)).right

    def counted(self) -> Counter[str]:
        """Return what the stores were asked since the last time this was called."""
        calls = Counter(self.meddler.calls)
        self.meddler.calls.clear()
        return calls

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run SQL on the database file."""
        with closing(sqlite3.connect(self._file)) as connection, connection:
            return connection.execute(statement, values).fetchall()


class _WatchedStores:
    def __init__(self, meddler: Meddler, brief: Ephemeral) -> None:
        self._meddler = meddler
        self._brief = brief
        self.throttle = meddler.between("throttle", brief.throttle)

    def records(self, name: str, kind: type[T]) -> Records[T]:
        return self._meddler.between(name, self._brief.records(name, kind))


async def _no_time(_: float) -> None:
    return
