"""Device codes on every backend: asked for, confirmed, redeemed once, taken back (RP-3)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from typing import cast

import msgspec
import pytest
from msgspec.structs import replace

from bjidp.clock import HOUR, MINUTE
from bjidp.entropy import SystemEntropy
from bjidp.errors import StoreUnavailable
from bjidp.miniprogram.ports import MiniSessionEnd
from bjidp.oidc.client import Client
from bjidp.oidc.devices.agreeing import DeviceAgreeing
from bjidp.oidc.devices.asking import DeviceAnswer, DeviceAsking, UserCode, flow_of
from bjidp.oidc.devices.ending import EndDevices
from bjidp.oidc.devices.login import UNKNOWN, Origin
from bjidp.oidc.devices.logins import DeviceLogins
from bjidp.oidc.devices.pacing import Pace
from bjidp.oidc.devices.redeeming import DeviceRedeeming
from bjidp.oidc.errors import AccessDenied, AuthorizationPending, InvalidGrant, SlowDown
from bjidp.oidc.grants.code import of_ticket
from bjidp.oidc.grants.grant import Grant, GrantEnd
from bjidp.oidc.metadata import read
from bjidp.oidc.parameters import Parameters
from bjidp.oidc.ports import ConsentStore, GrantStore, RegisteredClient
from bjidp.oidc.scopes import Scope
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.qrlogin import machine
from bjidp.qrlogin.changes import FlowChanges
from bjidp.qrlogin.devices import DeviceTickets
from bjidp.qrlogin.keys import QrKeys
from bjidp.qrlogin.ports import Accounts
from bjidp.qrlogin.ticket import Device, Holder, Redeemed, Ticket
from bjidp.secret import Secret
from bjidp.sessions.authentication import Authenticated, Method
from bjidp.sessions.ports import SessionEnd
from bjidp.standing import Standing
from tests.contracts.ephemeral import Ephemeral, Processes
from tests.contracts.house import House, cookie, keyring
from tests.contracts.test_relying_parties import READS, begun
from tests.support.qr import COMPUTER, POLICY

pytestmark = pytest.mark.req("RP-3")

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
METADATA: dict[str, object] = {
    "client_name": "政务大厅自助机",
    "client_uri": "https://kiosk.example/",
    "grant_types": [GRANT, "refresh_token"],
    "scope": "openid profile offline_access",
}
KIOSK = read("kiosk", METADATA)
KEYS = QrKeys(Secret(b"k" * 32))
PREFIX = "https://id.example/q/"


def digest(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode()).digest()


class Kiosk:
    """A device, one process that serves it, and somebody's phone."""

    def __init__(self, house: House, stores: Ephemeral) -> None:
        self.house = house
        self.changes = FlowChanges(stores.tickets, stores.signals)
        self.tickets = DeviceTickets(
            changes=self.changes,
            bus=stores.signals,
            keys=KEYS,
            policy=POLICY,
            entropy=SystemEntropy(),
            prefix=PREFIX,
        )
        self.user_codes = stores.records("oidc.user-code", UserCode)
        self.paces = stores.records("oidc.pace", Pace)
        self.asking = DeviceAsking(
            tickets=self.tickets,
            user_codes=self.user_codes,
            pseudonyms=Pseudonyms(keyring()),
            policy=POLICY,
            entropy=SystemEntropy(),
            url="https://id.example",
            session_lifetime=12 * HOUR,
        )
        self.redeeming = self.redeemer()

    def redeemer(self, grants: GrantStore | None = None, consents: ConsentStore | None = None) -> DeviceRedeeming:
        return DeviceRedeeming(
            tickets=self.tickets,
            paces=self.paces,
            accounts=cast("Accounts", self.house.accounts),
            consents=consents or self.house.sql.consents,
            sessions=self.house.sessions,
            grants=grants or self.house.sql.grants,
            ticket_digest=digest,
            entropy=SystemEntropy(),
            clock=self.house.clock,
            session_lifetime=12 * HOUR,
        )

    async def ask(self, client: Client = KIOSK, **change: str) -> DeviceAnswer:
        fields = {"scope": "openid profile offline_access"} | change
        return await self.asking.ask(client, Parameters(fields.items()), COMPUTER)

    async def ticket(self, codes: DeviceAnswer) -> Ticket:
        seen = await self.tickets.find(flow_of(codes.device_code))
        assert seen is not None
        return seen.ticket

    async def confirmed(self, codes: DeviceAnswer, standing: Standing, session: str | None = None) -> Ticket:
        """Scan and confirm, as somebody's phone does, or a page of theirs that has a ``session``."""
        await DeviceAgreeing(self.house.sql.consents, self.house.clock)(standing.account, await self._device(codes))
        page = None if session is None else Authenticated(self.house.now, (Method.PASSWORD,))
        holder = Holder(standing.account, session or "link", "wechat" if session is None else "", "张**")
        ticket = await self.ticket(codes)
        await self.changes.on_ticket(
            ticket.id, lambda found, now: machine.scan(found, holder, POLICY, now, code_required=False)
        )
        await self.changes.on_ticket(
            ticket.id,
            lambda found, now: machine.confirm(found, POLICY, now, code=None, epoch=standing.epoch, authenticated=page),
        )
        return ticket

    async def _device(self, codes: DeviceAnswer) -> Device:
        seen = await self.tickets.find(flow_of(codes.device_code))
        assert seen is not None
        return seen.device

    async def poll(self, codes: DeviceAnswer, by: DeviceRedeeming | None = None) -> Grant:
        return await (by or self.redeeming).redeem(KIOSK, Parameters([("device_code", codes.device_code)]))


@pytest.fixture
async def kiosk(house: House, processes: Processes) -> Kiosk:
    await registered(house)
    return Kiosk(house, processes.here)


async def registered(house: House) -> None:
    kept = msgspec.json.encode(METADATA).decode()
    await house.sql.clients.add(RegisteredClient(KIOSK, hashlib.sha256(b"secret").digest()), kept, house.now)


async def outcome(poll: Callable[[], object]) -> object:
    try:
        return await poll()  # type: ignore[misc]
    except (InvalidGrant, AccessDenied, SlowDown, AuthorizationPending, StoreUnavailable) as error:
        return type(error)


@pytest.mark.attack("Q4")
async def test_of_twenty_questions_at_once_to_two_processes_one_is_given_a_grant(
    kiosk: Kiosk, processes: Processes
) -> None:
    there = Kiosk(kiosk.house, processes.there)
    codes = await kiosk.ask()
    await kiosk.confirmed(codes, await kiosk.house.member())
    asked = [outcome(lambda at=at: at.poll(codes)) for at in (kiosk, there) * 10]  # type: ignore[misc]
    found = await asyncio.gather(*asked)
    assert [type(each) for each in found].count(Grant) == 1
    assert found.count(InvalidGrant) == 19
    assert kiosk.house.count("oidc_grant") == 1


async def test_of_questions_at_once_one_is_in_time(kiosk: Kiosk) -> None:
    codes = await kiosk.ask()
    found = await asyncio.gather(*(outcome(lambda: kiosk.poll(codes)) for _ in range(4)))
    assert sorted(str(each) for each in found) == sorted(map(str, [AuthorizationPending, *[SlowDown] * 3]))
    held = await kiosk.paces.get(flow_of(codes.device_code))
    assert held is not None
    assert held.value.interval == 20_000, "three slow_downs of five seconds each"


async def test_what_was_asked_for_is_what_is_granted(kiosk: Kiosk) -> None:
    standing = await kiosk.house.member()
    codes = await kiosk.ask()
    ticket = await kiosk.confirmed(codes, standing)
    grant = await kiosk.poll(codes)
    assert grant.approval.account == standing.account
    assert grant.approval.scopes == (Scope.OPENID, Scope.PROFILE, Scope.OFFLINE_ACCESS)
    assert grant.approval.authentication.methods == ("qr",)
    assert grant.family is not None
    found = await kiosk.house.sql.grants.find(grant.id, kiosk.house.now)
    assert found is not None
    assert found[0] == grant
    assert await kiosk.house.sql.consents.agreed(standing.account, "kiosk") == {Scope.OPENID, Scope.PROFILE}
    assert isinstance((await kiosk.ticket(codes)).state, Redeemed)
    assert ticket.id not in str(kiosk.house.rows("SELECT session FROM oidc_grant")), "a digest of it, and part of that"


class Down:
    """Consents or grants that do not answer."""

    async def begin(self, grant: Grant, sector: str, now: int, origin: Origin | None = None) -> Grant:
        raise StoreUnavailable

    async def agreed(self, account: str, client: str) -> frozenset[Scope]:
        raise StoreUnavailable


@pytest.mark.req("OPS-4")
async def test_an_outage_consumes_nothing(kiosk: Kiosk) -> None:
    codes = await kiosk.ask()
    await kiosk.confirmed(codes, await kiosk.house.member())
    no_grants = kiosk.redeemer(grants=cast("GrantStore", Down()))
    no_consents = kiosk.redeemer(consents=cast("ConsentStore", Down()))
    for broken in (no_grants, no_consents):
        assert await outcome(lambda broken=broken: kiosk.poll(codes, broken)) is StoreUnavailable  # type: ignore[misc]
    assert isinstance(await kiosk.poll(codes), Grant)


@pytest.mark.attack("P7")
async def test_the_phone_that_confirmed_ends_all_that_came_of_the_ticket_and_nothing_else(kiosk: Kiosk) -> None:
    house, standing = kiosk.house, await kiosk.house.member()
    other = await house.member("13900139000", "lisi1")
    ended, kept = await kiosk.ask(), await kiosk.ask()
    ticket = await kiosk.confirmed(ended, standing)
    await kiosk.confirmed(kept, standing)
    grants = [await kiosk.poll(codes) for codes in (ended, kept)]
    end = EndDevices(house.sql.grants, house.clock)
    assert await end(other.account, [digest(ticket.id)]) == 0
    assert await end(standing.account, [b"x" * 32, digest(ticket.id)]) == 1
    assert await end(standing.account, [digest(ticket.id)]) == 0
    assert await house.sql.grants.find(grants[0].id, house.now) is None
    assert await house.sql.grants.find(grants[1].id, house.now) is not None


@pytest.mark.req("SES-2")
@pytest.mark.attack("P7")
async def test_not_me_on_a_page_ends_a_device_and_nothing_that_came_of_a_browser(kiosk: Kiosk) -> None:
    house, standing = kiosk.house, await kiosk.house.member("13900139000", "lisi1")
    elsewhere = await begun(house, *READS, Scope.OFFLINE_ACCESS)
    codes = await kiosk.ask()
    await kiosk.confirmed(codes, standing)
    device = await kiosk.poll(codes)
    end = EndDevices(house.sql.grants, house.clock)
    assert not await end.end(elsewhere.approval.account, elsewhere.approval.session)
    assert not await end.end(elsewhere.approval.account, device.approval.session), "it is somebody else's"
    assert await house.sql.grants.find(elsewhere.id, house.now) is not None
    assert await house.sql.grants.find(device.id, house.now) is not None
    assert await end.end(standing.account, device.approval.session) is None, "a phone confirmed"
    assert await house.sql.grants.find(device.id, house.now) is None


class Meddled:
    """Grants, while the phone says 不是我 at the worst moment: after the claim, when there is nothing to end."""

    def __init__(self, kiosk: Kiosk, ticket: Ticket) -> None:
        self._kiosk = kiosk
        self._ticket = ticket

    async def begin(self, grant: Grant, sector: str, now: int, origin: Origin | None = None) -> Grant:
        await self._kiosk.changes.on_ticket(self._ticket.id, machine.withdraw)
        assert await EndDevices(self._kiosk.house.sql.grants, self._kiosk.house.clock)(
            grant.approval.account, [digest(self._ticket.id)]
        ) == 0  # fmt: skip
        return await self._kiosk.house.sql.grants.begin(grant, sector, now, origin)

    def __getattr__(self, name: str) -> object:
        return getattr(self._kiosk.house.sql.grants, name)


@pytest.mark.attack("P7")
async def test_a_confirmation_taken_back_while_it_is_redeemed_leaves_nothing(kiosk: Kiosk) -> None:
    codes = await kiosk.ask()
    ticket = await kiosk.confirmed(codes, await kiosk.house.member())
    meddled = kiosk.redeemer(grants=cast("GrantStore", Meddled(kiosk, ticket)))
    with pytest.raises(AccessDenied):
        await kiosk.poll(codes, meddled)
    assert kiosk.house.count("oidc_grant") == 0


class Withdrawing:
    """Grants, while the owner withdraws what the site may read: just before one begins, or just after."""

    def __init__(self, kiosk: Kiosk, *, before: bool) -> None:
        self._house = kiosk.house
        self._before = before

    async def begin(self, grant: Grant, sector: str, now: int, origin: Origin | None = None) -> Grant:
        consents, account = self._house.sql.consents, grant.approval.account
        if self._before:
            await consents.withdraw(account, "kiosk", now)
        begun = await self._house.sql.grants.begin(grant, sector, now, origin)
        if not self._before:
            await consents.withdraw(account, "kiosk", now)
        return begun

    def __getattr__(self, name: str) -> object:
        return getattr(self._house.sql.grants, name)


@pytest.mark.attack("T3")
async def test_an_agreement_withdrawn_before_the_device_asks_gives_it_nothing(kiosk: Kiosk) -> None:
    house, standing, codes = kiosk.house, await kiosk.house.member(), await kiosk.ask()
    await kiosk.confirmed(codes, standing)
    await house.sql.consents.withdraw(standing.account, "kiosk", house.now)
    with pytest.raises(AccessDenied):
        await kiosk.poll(codes)
    assert house.count("oidc_grant") == 0
    assert await house.sql.consents.agreed(standing.account, "kiosk") == frozenset(), "nor is it agreed to again"


@pytest.mark.attack("T3")
@pytest.mark.parametrize("before", [False, True])
async def test_an_agreement_withdrawn_while_it_is_redeemed_leaves_nothing(kiosk: Kiosk, before: bool) -> None:
    house, standing, codes = kiosk.house, await kiosk.house.member(), await kiosk.ask()
    await house.sql.consents.agree(standing.account, "kiosk", frozenset({Scope.OPENID}), house.now)
    await kiosk.confirmed(codes, standing)
    with pytest.raises(AccessDenied):
        await kiosk.poll(codes, kiosk.redeemer(grants=cast("GrantStore", Withdrawing(kiosk, before=before))))
    assert house.count("oidc_grant") == 0
    assert await house.sql.consents.agreed(standing.account, "kiosk") == frozenset()


@pytest.mark.req("SES-1")
@pytest.mark.attack("R4", "T3")
@pytest.mark.parametrize("reason", [SessionEnd.CHOSEN, SessionEnd.LOGOUT])
async def test_a_session_that_is_ended_from_elsewhere_takes_with_it_what_it_confirmed_for_devices(
    session_house: House, processes: Processes, reason: SessionEnd
) -> None:
    """Whoever was in it keeps no device; a log-out at the page leaves the device that was logged in by it."""
    house = session_house
    await registered(house)
    kiosk, standing = Kiosk(house, processes.here), await house.member()
    session, other = house.session(standing.account), house.session(standing.account)
    for number, opened in enumerate((session, other)):
        await house.sessions.open(opened, cookie(str(number)), None)
    before, waiting, by_phone = await kiosk.ask(), await kiosk.ask(), await kiosk.ask()
    await kiosk.confirmed(before, standing, session.id)
    await kiosk.confirmed(waiting, standing, session.id)
    await kiosk.confirmed(by_phone, standing)
    device, another = await kiosk.poll(before), await kiosk.poll(by_phone)
    await house.sessions.end(other.id, reason, house.now)
    assert await house.sql.grants.find(device.id, house.now) is not None
    await house.sessions.end(session.id, reason, house.now)
    assert (await house.sql.grants.find(device.id, house.now) is None) is (reason is SessionEnd.CHOSEN)
    assert await house.sql.grants.find(another.id, house.now) is not None
    with pytest.raises(AccessDenied):
        await kiosk.poll(waiting)


@pytest.mark.attack("P7", "T3")
async def test_whatever_ends_sessions_ends_what_devices_have(kiosk: Kiosk) -> None:
    house = kiosk.house
    link, standing = await house.someone()
    session = house.mini_session(link)
    await house.mini_sessions.open(session)
    codes, waiting = await kiosk.ask(), await kiosk.ask()
    await kiosk.confirmed(codes, standing)
    grant = await kiosk.poll(codes)
    await kiosk.confirmed(waiting, standing)
    await house.mini_sessions.end(session.id, MiniSessionEnd.LOGOUT, house.now)
    assert await house.sql.grants.find(grant.id, house.now) is None
    with pytest.raises(AccessDenied):
        await kiosk.poll(waiting)
    assert house.count("oidc_grant") == 1, "nothing is left of what was not given"
    assert [await house.sql.grants.end_fenced(house.now, 10) for _ in range(2)] == [1, 0]
    assert house.count("oidc_grant") == 0, "nor of what opens nothing any more"
    now_again = replace(standing, epoch=standing.epoch + 1)
    fresh = await kiosk.ask()
    await kiosk.confirmed(fresh, now_again)
    assert isinstance(await kiosk.poll(fresh), Grant)
    assert await house.sql.grants.end_fenced(house.now, 10) == 0


async def test_a_user_code_leads_to_its_ticket_for_five_minutes(kiosk: Kiosk) -> None:
    codes = await kiosk.ask()
    key = Pseudonyms(keyring()).key("device.user_code", codes.user_code)
    held = await kiosk.user_codes.get(key)
    assert held is not None
    assert held.value.flow == flow_of(codes.device_code)
    kiosk.house.clock.advance(5 * MINUTE // 1000)
    assert await kiosk.user_codes.get(key) is None


@pytest.mark.req("SES-1")
@pytest.mark.attack("P7", "Q9")
async def test_owners_are_shown_their_devices_and_end_them_one_by_one(kiosk: Kiosk) -> None:
    house, elsewhere = kiosk.house, await begun(kiosk.house, *READS, Scope.OFFLINE_ACCESS)
    standing = await house.accounts.standing(elsewhere.approval.account)
    assert standing is not None
    other = await house.member("13900139000", "lisi1")
    logins = DeviceLogins(house.sql.grants, house.clock)
    session = house.session(standing.account)
    await house.sessions.open(session, cookie("1"), None)
    by_phone, by_page, theirs, waiting = [await kiosk.ask() for _ in range(4)]
    await kiosk.confirmed(by_phone, standing)
    ticket = await kiosk.confirmed(by_page, standing, session.id)
    await kiosk.confirmed(theirs, other)
    await kiosk.confirmed(waiting, standing)
    first = await kiosk.poll(by_phone)
    house.clock.advance(1)
    await kiosk.poll(by_page)
    await kiosk.poll(theirs)
    house.clock.advance(60)
    assert first.family is not None
    await house.sql.grants.refresh(first, replace(first.family, number=2), house.now)
    page, phone = await logins.of_account(standing.account)
    assert (page.client.name, page.id) == ("政务大厅自助机", of_ticket(digest(ticket.id)))
    seen = (COMPUTER.browser, COMPUTER.os)
    assert [(one.origin.browser, one.origin.os) for one in (page, phone)] == [seen, seen]
    assert [(one.origin.platform, one.confirmed_in) for one in (page, phone)] == [(None, session.id), ("wechat", None)]
    assert [one.used_at - one.created_at for one in (page, phone)] == [0, 61_000]
    assert phone.expires_at == first.expires_at
    assert not await logins.end_one(other.account, page.id, GrantEnd.CHOSEN), "it is somebody else's"
    for text in (session.id, f"d.{chr(0)}", "d." + "京" * 20, f"d.{chr(0xDC80)}", page.id + "A"):
        assert not await logins.end_one(standing.account, text, GrantEnd.CHOSEN), "it is no device"
    assert await logins.end_one(standing.account, page.id, GrantEnd.CHOSEN)
    assert not await logins.end_one(standing.account, page.id, GrantEnd.CHOSEN)
    assert [one.id for one in await logins.of_account(standing.account)] == [phone.id]
    assert '"reason":"chosen"' in str(house.rows("SELECT facts FROM audit_event WHERE kind = 'grant.ended'"))
    assert house.count("device_login") == 2, "what is told of a device goes with what it was given"


@pytest.mark.req("SES-1")
async def test_a_device_that_nothing_is_known_of_or_that_is_over_is_shown_as_it_is(kiosk: Kiosk) -> None:
    house = kiosk.house
    link, standing = await house.someone()
    session = house.mini_session(link)
    await house.mini_sessions.open(session)
    codes = await kiosk.ask()
    await kiosk.confirmed(codes, standing)
    grant = await kiosk.poll(codes)
    house.rows("DELETE FROM device_login")
    logins = DeviceLogins(house.sql.grants, house.clock)
    (known,) = await logins.of_account(standing.account)
    assert (known.origin, known.used_at) == (UNKNOWN, grant.created_at)
    await house.mini_sessions.end(session.id, MiniSessionEnd.LOGOUT, house.now)
    assert await logins.of_account(standing.account) == [], "its epoch is over"
