"""The phone buttons around the mini-program's services: platforms that know numbers, and whoever is told of them.

A button tells what a test said it tells, to whom it was given and to nobody else.
"""

from __future__ import annotations

import asyncio

from bjidp.accounts.endings import Endings
from bjidp.accounts.member_ports import NewMember
from bjidp.accounts.ports import NOTHING, Gone
from bjidp.accounts.telling import Teller, Told
from bjidp.clock import HOUR, ManualClock
from bjidp.entropy import SeededEntropy
from bjidp.errors import StoreUnavailable, VendorUnavailable
from bjidp.miniprogram.phone import PhoneBinding
from bjidp.miniprogram.phone_payload import PhonePayload
from bjidp.miniprogram.phone_payloads import PhonePayloads
from bjidp.miniprogram.ports import MiniSessionEnd
from bjidp.miniprogram.sessions import Caller
from bjidp.miniprogram.wire import PhoneBound, PhoneRequest
from bjidp.platforms import Platform
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.privacy.sealing import Sealing
from bjidp.privacy.seals import RecordSeals
from bjidp.sessions.ports import Login, SessionEnd, Way
from bjidp.sessions.service import Sessions
from bjidp.standing import Standing
from bjidp.storage.memory.records import MemoryRecords
from bjidp.vendors.ports.platforms import (
    PhoneAnswer,
    PhoneCode,
    PhoneGiven,
    PhoneRefusal,
    PlatformLogin,
    SealedPhone,
    SignedPhone,
    VerifiedPhone,
)
from bjidp.verification.number import MobileNumber
from bjidp.verification.ranges import NumberRange
from tests.support.aftercare import HeardAftercare
from tests.support.phones import PhoneWorld, keyring

NUMBER = "13812345678"
OTHER_NUMBER = "13987654321"

FORMS: dict[Platform, tuple[type[PhoneGiven], ...]] = {
    Platform.WECHAT: (PhoneCode, SealedPhone),
    Platform.ALIPAY: (SignedPhone,),
    Platform.BAIDU: (SealedPhone,),
}


class FakeButton:
    """The phone button of one platform."""

    def __init__(self, platform: Platform) -> None:
        """Know nobody yet."""
        self.forms = FORMS[platform]
        self.distinct = platform is not Platform.ALIPAY
        self.answers: dict[PhoneGiven, tuple[str | None, PhoneAnswer]] = {}
        self.asked: list[PhoneGiven] = []
        self.down = False
        self.let = asyncio.Event()
        self.let.set()

    async def number(self, login: PlatformLogin, given: PhoneGiven) -> PhoneAnswer:
        """Tell the number to the user it was given to; where nobody is named, to anybody."""
        self.asked.append(given)
        await self.let.wait()
        if self.down:
            raise VendorUnavailable
        user, answer = self.answers.get(given, (None, PhoneRefusal.UNPROVED))
        return answer if user in {None, login.identity.open_id} else PhoneRefusal.UNPROVED


class HeardTeller(Teller):
    """A teller that remembers what it was to tell."""

    def __init__(self) -> None:
        """Have told nobody."""
        self.told: list[tuple[str, Told]] = []

    def tell(self, number: MobileNumber, what: Told) -> None:
        """Remember."""
        self.told.append((number.digits, what))


class BrokenEndings(Endings):
    """Endings that fail when told to."""

    down = False

    async def end_others(self, account: str, keep: str | None, reason: SessionEnd, gone: Gone = NOTHING) -> None:
        """End, or fail."""
        if self.down:
            raise StoreUnavailable
        await super().end_others(account, keep, reason, gone)

    async def _end_browsers(self, account: str, keep: str | None, reason: SessionEnd) -> None:
        if self.down:
            raise StoreUnavailable
        await super()._end_browsers(account, keep, reason)


class ButtonWorld:
    """A world of phones, and the service of the phone button in it."""

    def __init__(
        self, world: PhoneWorld, clock: ManualClock, entropy: SeededEntropy, numbers: NumberRange = NumberRange.REAL
    ) -> None:
        """Wire the service as ``bootstrap`` does."""
        self.world = world
        self.clock = clock
        self.buttons = {platform: FakeButton(platform) for platform in Platform}
        self.records: MemoryRecords[PhonePayload] = MemoryRecords(clock)
        self.browsers = Sessions(world.stores.sessions, clock, entropy, 12 * HOUR)
        self.members = world.stores.members
        self.teller = HeardTeller()
        self.endings = BrokenEndings(self.browsers, self._end_phones, HeardAftercare())
        self.binding = PhoneBinding(
            buttons=self.buttons,
            logins=world.logins,
            payloads=PhonePayloads(
                records=self.records,
                seals=RecordSeals(Sealing(keyring(), entropy)),
                pseudonyms=Pseudonyms(keyring()),
            ),
            accounts=world.stores.accounts,
            members=self.members,
            endings=self.endings,
            teller=self.teller,
            numbers=numbers,
            clock=clock,
        )
        self._given = 0

    async def _end_phones(self, account: str, reason: SessionEnd, gone: Gone = NOTHING) -> None:
        await self.world.sessions.end_all(account, None, MiniSessionEnd(reason), gone)

    async def phone(
        self, user: str = "zhang", number: str | None = None, *, platform: Platform = Platform.WECHAT
    ) -> Caller:
        """Return somebody's phone, logged in; registers them with a document of ``number`` the first time."""
        answer = await (
            self.world.sign_in(user, platform)
            if number is None
            else self.world.registered(user, number, platform=platform)
        )
        access: str = answer.access_token  # type: ignore[union-attr]  # whoever is registered is logged in
        return await self.world.sessions.authenticate(f"Bearer {access}")

    def pressed(
        self,
        number: str | PhoneRefusal,
        *,
        user: str | None = None,
        platform: Platform = Platform.WECHAT,
        form: type[PhoneGiven] | None = None,
    ) -> PhoneRequest:
        """Return what the button of a platform gives, for ``user`` alone where one is named."""
        self._given += 1
        form = form or FORMS[platform][0]
        # Alipay's is the same for the same number.
        name = f"of {number}" if form is SignedPhone else f"{form.__name__}-{self._given}"
        given = form(name) if form is PhoneCode else form(name, "beside")  # type: ignore[call-arg]
        answer = number if isinstance(number, PhoneRefusal) else VerifiedPhone(number)
        self.buttons[platform].answers[given] = user, answer
        match given:
            case PhoneCode(code=code):
                return PhoneRequest(code=code)
            case SealedPhone(data=data, iv=iv):
                return PhoneRequest(data=data, iv=iv)
            case SignedPhone(response=response, sign=sign):
                return PhoneRequest(response=response, sign=sign)

    async def bind(self, caller: Caller, body: PhoneRequest) -> PhoneBound:
        """Present it on the caller's platform."""
        return await self.binding.bind(caller, caller.platform, body)

    async def enrolled(self, phone: str = NUMBER, username: str | None = None) -> Standing:
        """Register an account on a page: it has a number and no identity."""
        return await self.members.enrol(NewMember(username=username, phone=phone, password=None), self.clock.now())

    async def browser(self, account: str) -> str:
        """Log a browser in to an account; return its cookie."""
        login = Login(Way.PASSWORD, None, None, "Chrome", "Windows", None, b"n" * 32, None)
        return await self.browsers.start(account, login, None)

    async def number_of(self, account: str) -> str | None:
        """Return an account's number; None for none, and for an account that ended."""
        member = await self.members.member(account)
        return None if member is None else member.phone
