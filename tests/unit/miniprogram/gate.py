"""A computer that asks for a face, and the phone that shows it: the real services on a phone's world."""

from __future__ import annotations

from msgspec import Struct

from bjidp.accounts.ports import AccountStore
from bjidp.clock import ManualClock
from bjidp.entropy import SeededEntropy
from bjidp.miniprogram.face_tickets import FaceTickets
from bjidp.miniprogram.ticket_check import TicketCheck
from bjidp.miniprogram.wire import FaceStarted
from bjidp.platforms import Platform, PlatformIdentity
from bjidp.proofing.ports import Bound, IdentityStore
from bjidp.qrlogin.flow import Errand, Purposeful
from bjidp.qrlogin.pages import Watch
from bjidp.qrlogin.phones import Phone
from bjidp.qrlogin.policy import Purpose
from bjidp.qrlogin.ticket import Holder
from bjidp.qrlogin.wire import ConfirmAnswer, ScanAnswer
from bjidp.storage.memory.records import MemoryRecords
from bjidp.vendors.ports.platforms import FaceVerdict
from bjidp.verification.operation import Operation
from tests.support.meddling import Meddler
from tests.support.phones import PhoneWorld
from tests.support.qr import LOGIN
from tests.unit.qrlogin.desk import Desk, a_phone


class Told(Struct):
    """What the stores say in the place of what is true, where a test says so."""

    identity: PlatformIdentity | None = None
    bound: Bound | None = None


class Gate:
    """The page of an account with its session, its phones, and what checks a face for them."""

    def __init__(self, world: PhoneWorld, clock: ManualClock, entropy: SeededEntropy) -> None:
        """Wire the service as ``bootstrap`` does."""
        self.world = world
        self.clock = clock
        self.desk = Desk(clock, entropy)
        self.meddler = Meddler()
        self.told = Told()
        self.records: MemoryRecords[TicketCheck] = MemoryRecords(clock)
        self.desk.changes.store = self.meddler.between("tickets", self.desk.changes.store)
        self.faces = FaceTickets(
            phones=self.desk.phones,
            steps=self.desk.face_steps,
            checks=world.checks,
            accounts=_Accounts(world.stores.accounts, self.told),  # type: ignore[arg-type]  # one method of it
            identities=_Identities(world.stores.identities, self.told),  # type: ignore[arg-type]  # one method of it
            records=self.meddler.between("ticket_checks", self.records),
            seals=world.seals,
            pseudonyms=world.pseudonyms,
            clock=clock,
        )
        self.account = ""
        self.session = ""

    async def opens(self, user: str = "zhang", platform: Platform = Platform.WECHAT) -> Phone:
        """Register somebody by face, log a browser in to their account; return their phone."""
        await self.world.registered(user, platform=platform)
        phone = await self.phone(user, platform)
        self.account = phone.holder.account
        self.session = (await self.desk.signed_in(self.account)).id
        return phone

    async def phone(self, user: str = "zhang", platform: Platform = Platform.WECHAT) -> Phone:
        """Return the phone of somebody who is registered on a platform."""
        fake = self.world.platforms[platform]
        found = await self.world.stores.accounts.link_of(PlatformIdentity(platform, fake.app_id, user))
        assert found is not None
        link, _ = found
        return a_phone(Holder(link.account, link.id, platform.value, "张**"))

    async def bound(self) -> Bound:
        """Return the account's identity."""
        found = await self.world.stores.identities.bound(self.account)
        assert found is not None
        return found

    async def page(self) -> Watch:
        """Open a page that asks for the account's face, in a browser of its own."""
        errand = Errand(Operation.FACE, self.account, self.session, (await self.bound()).mark)
        self.desk.secret = None
        return await self.desk.page(Purposeful(Purpose.FACE, LOGIN.client, "/next/face", "/page/face", errand))

    async def scans(self, phone: Phone, watch: Watch | None = None) -> ScanAnswer:
        """Open such a page, unless there is one, and scan what it shows."""
        return await self.desk.scan(watch or await self.page(), phone)

    async def starts(self, phone: Phone, scanned: ScanAnswer) -> str:
        """Start a check; return the platform's name for it."""
        started: FaceStarted = await self.faces.start(phone, scanned.ticket, scanned.confirm_token)
        return started.face["verification"]

    async def shows(self, phone: Phone, scanned: ScanAnswer, outcome: FaceVerdict = FaceVerdict.PASSED) -> str:
        """Start a check, and let it end in front of the camera."""
        verification = await self.starts(phone, scanned)
        self.world.face(verification, outcome)
        return verification

    async def confirms(self, phone: Phone, scanned: ScanAnswer) -> ConfirmAnswer:
        """Confirm."""
        return await self.faces.confirm(phone, scanned.ticket, scanned.confirm_token)

    def asked(self, platform: Platform = Platform.WECHAT) -> list[str]:
        """Return which checks the platform was asked about, in order, since the phones were registered."""
        return self.world.platforms[platform].asked[1:]


class _Accounts:
    def __init__(self, store: AccountStore, told: Told) -> None:
        self._store = store
        self._told = told

    async def linked_identity(self, link: str) -> PlatformIdentity | None:
        return self._told.identity or await self._store.linked_identity(link)


class _Identities:
    def __init__(self, store: IdentityStore, told: Told) -> None:
        self._store = store
        self._told = told

    async def bound(self, account: str) -> Bound | None:
        return self._told.bound or await self._store.bound(account)
