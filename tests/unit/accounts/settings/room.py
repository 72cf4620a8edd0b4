"""The room where people change their accounts: the real services on real stores, with a picture book and a postman."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from bjidp.accounts.activity import Activity
from bjidp.accounts.drafts import Drafts, Sealed
from bjidp.accounts.endings import Endings
from bjidp.accounts.hashing import Cost, PasswordHashes
from bjidp.accounts.member_ports import Member, NewMember
from bjidp.accounts.ports import NOTHING, Gone
from bjidp.accounts.settings.addresses import NewAddresses
from bjidp.accounts.settings.cancelling import Cancelling
from bjidp.accounts.settings.changes import Changes
from bjidp.accounts.settings.flow import Change, Typed
from bjidp.accounts.settings.mails import Mails
from bjidp.accounts.settings.names import Names
from bjidp.accounts.settings.passwords import Passwords
from bjidp.accounts.settings.phones import Phones
from bjidp.accounts.telling import Teller, Told
from bjidp.accounts.verifying import Verifying, Visit
from bjidp.clock import HOUR, ManualClock
from bjidp.entropy import Entropy
from bjidp.errors import StoreUnavailable
from bjidp.oidc.devices.ending import EndDevices
from bjidp.privacy.sealing import Sealing
from bjidp.privacy.seals import RecordSeals
from bjidp.sessions.ports import Login, Session, SessionEnd, SessionStore, Way
from bjidp.sessions.service import Sessions
from bjidp.storage.sql.catalog import SqlStores
from bjidp.throttle.source import Source
from bjidp.vendors.ports.mail import Mail, MailAccepted
from bjidp.verification.captcha import Captcha
from bjidp.verification.captchas import Captchas, CaptchaWindows
from bjidp.verification.code import Purpose
from bjidp.verification.dispatch import ByMail, Dispatches
from bjidp.verification.limits import SmsLimits, SmsWindows
from bjidp.verification.proofs import Means, Operation, Proof, Proofs
from bjidp.verification.ranges import MailRange, NumberRange
from bjidp.verification.sending import Dispatch
from bjidp.verification.tally import Tally
from bjidp.verification.words import MailWords, SmsWords
from tests.contracts.ephemeral import Ephemeral
from tests.contracts.house import applicant
from tests.support.aftercare import HeardAftercare
from tests.support.meddling import Meddler
from tests.support.phones import keyring
from tests.support.verification import PSEUDONYMS, codes, mail_limits
from tests.unit.accounts.registration.room import SHOWN, PictureBook, Postman

NUMBER, NEW_NUMBER, THIRD_NUMBER = "15400000001", "15400000002", "15400000003"
PASSWORD, NEW_PASSWORD = "Wansui-8", "Wansui-2027"
NEW_PASSWORDS: Final = Typed(old=PASSWORD, password=NEW_PASSWORD, again=NEW_PASSWORD)
BY_QR: Final = Login(Way.QR, "wechat", None, "Edge", "macOS", "北京市", b"network", b"ticket")
LOGIN: Final = Login(Way.PASSWORD, None, None, "Chrome", "Windows", None, b"network", None)


class EndedPhones:
    """Ends nothing, and remembers what it was asked."""

    def __init__(self) -> None:
        self.ended: list[tuple[str, SessionEnd]] = []
        self.gone: list[Gone] = []
        self.down = False

    async def __call__(self, account: str, reason: SessionEnd, gone: Gone = NOTHING) -> None:
        if self.down:
            raise StoreUnavailable
        self.ended.append((account, reason))
        self.gone.append(gone)


class Letters:
    """Keeps the mail it is given."""

    def __init__(self) -> None:
        self.sent: list[Mail] = []

    async def send(self, mail: Mail) -> MailAccepted:
        self.sent.append(mail)
        return MailAccepted()


class _Plain:
    def sms(self, purpose: Purpose, code: str) -> SmsWords:
        return SmsWords(f"{purpose}:{code}", purpose, (code,))

    def mail(self, purpose: Purpose, code: str) -> MailWords:
        return MailWords(purpose, code)

    def told(self, what: Told) -> SmsWords:
        return SmsWords(what, what, ())


class Room:
    """People come in by :meth:`enter`; every store can be made to fail by the ``meddler``."""

    def __init__(
        self, sql: SqlStores, sessions: SessionStore, brief: Ephemeral, file: Path, clock: ManualClock, entropy: Entropy
    ) -> None:
        self.clock = clock
        self.sql = sql
        self.meddler = Meddler()
        self.postman = Postman()
        self.phones_ended = EndedPhones()
        self.hashes = PasswordHashes(entropy, Cost(time=1, memory=8), threads=2, waiting=40)
        self.sessions = Sessions(self.meddler.between("sessions", sessions), clock, entropy, 12 * HOUR)
        self.members = self.meddler.between("members", sql.members)
        self.externals = sql.externals
        self.codes = codes(brief, entropy)
        self.file = file
        throttle = self.meddler.between("throttle", brief.throttle)
        self.captchas = Captchas(
            records=self.meddler.between("captchas", brief.records("captcha", Captcha)),
            pictures=PictureBook(),
            throttle=throttle,
            pseudonyms=PSEUDONYMS,
            entropy=entropy,
            windows=CaptchaWindows(),
        )
        messages = SmsLimits(
            tallies=brief.records("tally", Tally), throttle=throttle, pseudonyms=PSEUDONYMS, windows=SmsWindows()
        )
        self.teller = Teller(sender=self.postman, limits=messages, words=_Plain(), entropy=entropy)
        self.letters = Letters()
        self.dispatches = Dispatches(
            codes=self.codes,
            numbers=NumberRange.SYNTHETIC,
            limits=messages,
            mail=ByMail(sender=self.letters, limits=mail_limits(throttle), words=_Plain()),
            sender=self.postman,
            words=_Plain(),
            records=self.meddler.between("dispatches", brief.records("dispatch", Dispatch)),
            pseudonyms=PSEUDONYMS,
            entropy=entropy,
        )
        self.proofs = Proofs(self.meddler.between("proofs", brief.records("proof", Proof)), PSEUDONYMS)
        self.drafts: Drafts[Change] = Drafts(
            Change,
            "settings",
            records=self.meddler.between("drafts", brief.records("draft", Sealed)),
            seals=RecordSeals(Sealing(keyring(), entropy)),
            pseudonyms=PSEUDONYMS,
            entropy=entropy,
        )
        self.verifying = Verifying(
            members=self.members,
            captchas=self.captchas,
            dispatches=self.dispatches,
            codes=self.codes,
            proofs=self.proofs,
            sessions=self.sessions,
            clock=clock,
        )
        self.aftercare = HeardAftercare()
        endings = Endings(self.sessions, self.phones_ended, self.aftercare)
        self.changes = Changes(self.drafts, self.proofs, self.verifying)
        self.passwords = Passwords(
            changes=self.changes,
            verifying=self.verifying,
            members=self.members,
            hashes=self.hashes,
            endings=endings,
            throttle=throttle,
            pseudonyms=PSEUDONYMS,
            clock=clock,
        )
        addresses = NewAddresses(
            changes=self.changes, captchas=self.captchas, dispatches=self.dispatches, codes=self.codes
        )
        self.phones = Phones(
            changes=self.changes,
            addresses=addresses,
            verifying=self.verifying,
            members=self.members,
            numbers=NumberRange.SYNTHETIC,
            endings=endings,
            teller=self.teller,
            clock=clock,
        )
        self.mails = Mails(
            changes=self.changes,
            addresses=addresses,
            verifying=self.verifying,
            members=self.members,
            served=MailRange.SYNTHETIC,
            clock=clock,
        )
        self.names = Names(
            changes=self.changes,
            verifying=self.verifying,
            members=self.members,
            throttle=throttle,
            pseudonyms=PSEUDONYMS,
            clock=clock,
        )
        self.activity = Activity(
            members=self.members,
            externals=self.externals,
            sessions=self.sessions,
            devices=EndDevices(self.sql.grants, clock),
            endings=endings,
            clock=clock,
        )
        self.cancelling = Cancelling(changes=self.changes, members=self.members, endings=endings, clock=clock)

    async def close(self) -> None:
        """End what runs in the background."""
        await self.dispatches.close()
        await self.teller.close()
        await self.hashes.close()

    async def told(self) -> list[tuple[str, str]]:
        """Return what numbers were told without a code: the number, and what."""
        await self.teller.close()
        return [(sms.to, sms.text) for sms in self.postman.sent if not sms.parameters]

    async def someone(self, phone: str = NUMBER, username: str = "zhang_san", password: str | None = PASSWORD) -> str:
        """Register somebody on a page; return their account."""
        kept = None if password is None else await self.hashes.hash(password)
        new = NewMember(username=username, phone=phone, password=kept)
        return (await self.sql.members.enrol(new, self.clock.now())).account

    async def someone_by_face(self) -> str:
        """Register 张三 in the mini-program: an identity, no phone, no password; return the account."""
        _, standing, *_ = await self.sql.accounts.register(applicant(), self.clock.now())
        return standing.account

    async def enter(self, account: str, login: Login = LOGIN) -> Visit:
        """Log in to an account in a browser of its own."""
        cookie = await self.sessions.start(account, login, None)
        found = await self.sessions.find(cookie)
        assert found is not None
        session, standing = found
        return Visit(session=session, cookie=cookie, source=Source("address"), epoch=standing.epoch)

    async def session(self, cookie: str) -> Session:
        """Return the live session of a cookie."""
        found = await self.sessions.find(cookie)
        assert found is not None
        return found[0]

    async def member(self, account: str) -> Member:
        """Return an account as it is now."""
        found = await self.sql.members.member(account)
        assert found is not None
        return found

    async def with_captcha(self, typed: Typed, visit: Visit) -> Typed:
        """Return the form with a captcha that was read well."""
        return replace(typed, captcha=SHOWN, captcha_id=await self.captchas.show(visit.holder, visit.source))

    async def last_code(self) -> str:
        """Return the code of the last message."""
        await self.dispatches.close()
        return self.postman.sent[-1].parameters[0]

    async def asked(self, visit: Visit, operation: Operation, flow: str | None = None) -> tuple[str, str]:
        """Have the code of 验证身份 sent; return the change's id and the code."""
        typed = await self.with_captcha(Typed(), visit)
        flow = await self.changes.send_identity_code(visit, operation, flow, typed)
        return flow, await self.last_code()

    async def proved(self, visit: Visit, operation: Operation, flow: str | None = None) -> tuple[Visit, str]:
        """Go through 验证身份 by SMS; return who is at the page now, with the new cookie, and the change's id."""
        flow, code = await self.asked(visit, operation, flow)
        done = await self.changes.prove_identity(visit, operation, flow, Typed(code=code))
        assert done.cookie is not None
        return replace(visit, cookie=done.cookie), done.flow

    async def granted(self, visit: Visit, operation: Operation) -> None:
        """Be confirmed in 京通."""
        epoch = (await self.member(visit.account)).standing.epoch
        await self.proofs.grant(visit.holder, visit.account, operation, Means.QR, epoch)

    async def new_number(self, visit: Visit, flow: str | None, number: str = NEW_NUMBER) -> tuple[str, Typed]:
        """Have a code sent to a new number; return the change's id and the form with the code."""
        typed = await self.with_captcha(Typed(phone=number), visit)
        flow = await self.phones.send_code(visit, flow, typed)
        return flow, Typed(phone=number, code=await self.last_code())

    async def new_mail(self, visit: Visit, flow: str | None, address: str) -> tuple[str, Typed]:
        """Have a code sent to a new mail address; return the change's id and the form with the code."""
        typed = await self.with_captcha(Typed(mail=address), visit)
        flow = await self.mails.send_code(visit, flow, typed)
        await self.dispatches.close()
        return flow, Typed(mail=address, code=self.letters.sent[-1].text)

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run SQL on the database file."""
        with closing(sqlite3.connect(self.file)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def events(self) -> list[str]:
        """Return the kinds of what was audited, in its order."""
        return [kind for (kind,) in self.rows("SELECT kind FROM audit_event ORDER BY id")]

    def notices(self, account: str) -> list[str]:
        """Return the kinds of notices that an account has."""
        return [kind for (kind,) in self.rows("SELECT kind FROM notice WHERE account = ? ORDER BY id", account)]
