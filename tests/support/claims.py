"""Claims to accounts: people who registered on pages, the codes that their phones are sent, and who is told.

On top of the world of phones; the sender of messages keeps them.
"""

from __future__ import annotations

from bjidp.accounts.ports import NOTHING, Evidence, Gone
from bjidp.accounts.telling import Told
from bjidp.audit.event import EventKind
from bjidp.clock import HOUR, ManualClock
from bjidp.entropy import SeededEntropy
from bjidp.miniprogram.claiming import Claiming
from bjidp.miniprogram.ports import MiniSessionEnd
from bjidp.miniprogram.wire import AccountFound, ClaimRequest, CodeSent, SessionOk
from bjidp.platforms import Platform
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.sessions.ports import Login, SessionEnd, Way
from bjidp.sessions.service import Sessions
from bjidp.standing import Standing
from bjidp.storage.memory.records import MemoryRecords
from bjidp.vendors.ports.sms import Sms, SmsAccepted, SmsAnswer
from bjidp.verification.codes import Codes, CodeWindows
from bjidp.verification.dispatch import Dispatches
from bjidp.verification.limits import SmsLimits, SmsWindows
from bjidp.verification.ranges import NumberRange
from bjidp.web.words.code_words import CodeWords
from bjidp.web.words.texts import Texts
from tests.support.aftercare import HeardAftercare
from tests.support.buttons import BrokenEndings, HeardTeller
from tests.support.phones import ADDRESS, ZHANG, PhoneWorld, keyring

PHONE = "13812345678"


class Post:
    """A sender that keeps every message."""

    def __init__(self) -> None:
        """Have none."""
        self.taken: list[Sms] = []

    async def send(self, sms: Sms) -> SmsAnswer:
        """Take a message."""
        self.taken.append(sms)
        return SmsAccepted("chuanglan", str(len(self.taken)))

    @property
    def code(self) -> str:
        """The code in the newest message."""
        return self.taken[-1].parameters[0]


class ClaimWorld:
    """A world of phones, and the service of claims in it."""

    def __init__(self, world: PhoneWorld, clock: ManualClock, entropy: SeededEntropy, *, offered: bool = True) -> None:
        """Wire the service as ``bootstrap`` does; ``offered`` tells that somebody sends messages."""
        self.world = world
        self.clock = clock
        self.members = world.stores.members
        self.browsers = Sessions(world.stores.sessions, clock, entropy, 12 * HOUR)
        self.endings = BrokenEndings(self.browsers, self._end_phones, HeardAftercare())
        self.teller = HeardTeller()
        self.post = Post()
        pseudonyms = Pseudonyms(keyring())
        self.codes = Codes(
            records=MemoryRecords(clock),
            throttle=world.throttle,
            pseudonyms=pseudonyms,
            entropy=entropy,
            windows=CodeWindows(),
        )
        self.dispatches = Dispatches(
            codes=self.codes,
            numbers=NumberRange.REAL,
            limits=SmsLimits(
                tallies=MemoryRecords(clock), throttle=world.throttle, pseudonyms=pseudonyms, windows=SmsWindows()
            ),
            sender=self.post if offered else None,
            words=CodeWords(Texts.load("zh_CN")),
            records=MemoryRecords(clock),
            pseudonyms=pseudonyms,
            entropy=entropy,
        )
        self.claiming = Claiming(
            book=world.book,
            linking=world.linking,
            accounts=world.stores.accounts,
            members=self.members,
            codes=self.codes,
            dispatches=self.dispatches,
            endings=self.endings,
            teller=self.teller,
            limits=world.limits,
        )

    async def _end_phones(self, account: str, reason: SessionEnd, gone: Gone = NOTHING) -> None:
        await self.world.sessions.end_all(account, None, MiniSessionEnd(reason), gone)

    async def on_pages(
        self, number: str = ZHANG, phone: str | None = PHONE, evidence: Evidence = Evidence.NAME_AND_NUMBER
    ) -> Standing:
        """Return an account as pages make one: a number, a password, the identity by a weaker proof, and no 京通."""
        await self.world.registered(f"first of {number}", number, platform=Platform.BAIDU)
        ((account,),) = self.world.sql("SELECT account FROM platform_link ORDER BY linked_at DESC, rowid DESC LIMIT 1")
        assert isinstance(account, str)
        if phone is not None:
            await self.members.set_phone(account, phone, self.clock.now())
        await self.members.set_password(account, "hash-1", EventKind.PASSWORD_CHANGED, self.clock.now(), was=None)
        self.world.sql("DELETE FROM mini_session WHERE account = ?", account)
        links = "SELECT id FROM platform_link WHERE account = ?"
        self.world.sql(f"DELETE FROM platform_identity WHERE link IN ({links})", account)  # noqa: S608 - as written above
        self.world.sql("DELETE FROM platform_link WHERE account = ?", account)
        self.world.sql("DELETE FROM notice WHERE account = ?", account)
        self.world.sql("UPDATE identity SET evidence = ? WHERE account = ?", evidence.value, account)
        standing = await self.world.stores.accounts.standing(account)
        assert standing is not None
        return standing

    async def found(self, user: str = "zhang", number: str = ZHANG, platform: Platform = Platform.WECHAT) -> str:
        """Return the secret of a registration whose face has passed, and that has found an account."""
        registration = await self.world.opened(user, platform)
        self.world.face(await self.world.state_identity(registration, number, platform=platform))
        assert isinstance(await self.world.complete(registration, platform), AccountFound)
        return registration

    async def claim(
        self, registration: str, *, mine: bool = True, code: str | None = None, platform: Platform = Platform.WECHAT
    ) -> SessionOk | AccountFound | CodeSent:
        """Call it."""
        answer = await self.claiming.claim(platform, ClaimRequest(registration, mine, code), ADDRESS)
        await self.dispatches.close()
        return answer

    async def account_of(self, answer: object) -> str:
        """Return the account that a phone was logged in to."""
        assert isinstance(answer, SessionOk), answer
        return (await self.world.sessions.authenticate(f"Bearer {answer.access_token}")).account

    async def browser(self, account: str) -> str:
        """Log a browser in to an account; return its cookie."""
        login = Login(Way.PASSWORD, None, None, "Chrome", "Windows", None, b"n" * 32, None)
        return await self.browsers.start(account, login, None)

    def told(self) -> list[tuple[str, Told]]:
        """Return what numbers were told."""
        return self.teller.told

    def notices(self) -> list[tuple[object, ...]]:
        """Return account and kind of every notice."""
        return self.world.sql("SELECT account, kind FROM notice ORDER BY id")
