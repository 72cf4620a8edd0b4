"""The room where people log in by a form: the real services on real stores, with a postman behind them."""

from __future__ import annotations

import functools
import sqlite3
from contextlib import closing
from datetime import date
from typing import Any, Final

from bjidp.accounts.drafts import Drafts, Sealed
from bjidp.accounts.hashing import Cost, PasswordHashes
from bjidp.accounts.login.flow import AskTail, SmsLoginFacts
from bjidp.accounts.login.password import PasswordLogin, PasswordWindows
from bjidp.accounts.login.sms import SmsLogin
from bjidp.accounts.login.tails import DocumentTails, TailWindows
from bjidp.accounts.member_ports import NewMember
from bjidp.privacy.sealing import Sealing
from bjidp.privacy.seals import RecordSeals
from bjidp.proofing.documents import readings
from bjidp.standing import Standing
from bjidp.throttle.source import Source
from bjidp.verification.code import Purpose
from bjidp.verification.dispatch import Dispatches
from bjidp.verification.number import MobileNumber
from bjidp.verification.ranges import NumberRange
from bjidp.verification.sending import Dispatch
from bjidp.verification.words import SmsWords
from tests.contracts.house import applicant
from tests.support.meddling import Meddler
from tests.support.phones import keyring
from tests.support.verification import PSEUDONYMS, captchas, codes, limits
from tests.unit.accounts.registration.room import Postman
from tests.unit.conftest import Ground

HOLDER: Final = "browser-1"
PHONE: Final = MobileNumber("15400000001")
OTHER_PHONE: Final = MobileNumber("15400000002")
USERNAME, PASSWORD = "zhang_san", "Wansui-8"
HERE: Final = Source("address")
MONTHS: Final = 61 * 24 * 3600
"""Seconds after which a number may be somebody else's."""


class _Plain:
    def sms(self, purpose: Purpose, code: str) -> SmsWords:
        return SmsWords(f"{purpose}:{code}", purpose, (code,))


class Room:
    """Every store can be made to fail by the ``meddler``."""

    def __init__(self, ground: Ground) -> None:
        self.clock = ground.clock
        self.meddler = Meddler()
        self.postman = Postman()
        self._ground = ground
        self.sql = ground.sql
        self.hashes = PasswordHashes(ground.entropy, Cost(time=1, memory=8), threads=2, waiting=40)
        self.members = self.meddler.between("members", ground.sql.members)
        self._throttle = ground.short_lived.throttle
        self._codes = codes(ground.short_lived, ground.entropy)
        self._answers: dict[str, str] = {}
        self._captchas = captchas(ground.short_lived, ground.entropy, self._answers)
        self.dispatches = Dispatches(
            codes=self._codes,
            numbers=NumberRange.SYNTHETIC,
            limits=limits(ground.short_lived),
            sender=self.postman,
            words=_Plain(),
            records=ground.short_lived.records("dispatch", Dispatch),
            pseudonyms=PSEUDONYMS,
            entropy=ground.entropy,
        )
        self._drafts: Drafts[SmsLoginFacts] = Drafts(
            SmsLoginFacts,
            "login",
            records=self.meddler.between("drafts", ground.short_lived.records("draft", Sealed)),
            seals=RecordSeals(Sealing(keyring(), ground.entropy)),
            pseudonyms=PSEUDONYMS,
            entropy=ground.entropy,
        )

    async def close(self) -> None:
        """End what runs in the background."""
        await self.dispatches.close()
        await self.hashes.close()

    def by_password(self, windows: PasswordWindows | None = None) -> PasswordLogin:
        """Return the login by password."""
        return PasswordLogin(
            members=self.members,
            hashes=self.hashes,
            throttle=self._throttle,
            audit=self.sql.audit,
            pseudonyms=PSEUDONYMS,
            documents=functools.partial(readings, today=date(2026, 11, 23)),
            clock=self.clock,
            windows=windows or PasswordWindows(),
        )

    def by_code(self) -> SmsLogin:
        """Return the login by a code."""
        return SmsLogin(
            members=self.members,
            numbers=NumberRange.SYNTHETIC,
            captchas=self._captchas,
            codes=self._codes,
            dispatches=self.dispatches,
            drafts=self._drafts,
            clock=self.clock,
        )

    def tails(self, windows: TailWindows | None = None) -> DocumentTails:
        """Return what asks for the end of a document."""
        return DocumentTails(
            members=self.members,
            drafts=self._drafts,
            throttle=self._throttle,
            pseudonyms=PSEUDONYMS,
            windows=windows or TailWindows(),
        )

    async def someone(self) -> str:
        """Register somebody on a page; return the account."""
        kept = await self.hashes.hash(PASSWORD)
        new = NewMember(username=USERNAME, phone=PHONE.digits, password=kept)
        return (await self.sql.members.enrol(new, self.clock.now())).account

    async def someone_long_away(self) -> tuple[str, str]:
        """Register somebody by face with a number that was long not used; return the account and the document."""
        _, standing, *_ = await self.sql.accounts.register(applicant(), self.clock.now())
        await self.sql.members.set_phone(standing.account, PHONE.digits, self.clock.now())
        self.clock.advance(MONTHS)
        member = await self.sql.members.member(standing.account)
        assert member is not None
        assert member.document is not None
        return standing.account, member.document.number

    async def last_code(self) -> str:
        """Return the code of the last message."""
        await self.dispatches.close()
        return self.postman.sent[-1].parameters[0]

    async def asked(self, login: SmsLogin) -> str:
        """Read a captcha and ask for a code; return the flow."""
        captcha = await self._captchas.show(HOLDER, HERE)
        return await login.send(
            HOLDER, "", PHONE, captcha_id=captcha, captcha=self._answers[captcha], known_as=nobody, source=HERE
        )

    async def at_the_tail(self) -> str:
        """Log in as far as the last characters of the document; return the flow."""
        login = self.by_code()
        flow = await self.asked(login)
        found = await login.check(HOLDER, flow, PHONE, await self.last_code())
        assert isinstance(found, AskTail)
        return found.flow

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run SQL on the database file."""
        with closing(sqlite3.connect(self._ground.file)) as connection, connection:
            return connection.execute(statement, values).fetchall()


def nobody(_: Standing) -> str | None:
    """Say that no account has logged in on this browser before."""
    return None
