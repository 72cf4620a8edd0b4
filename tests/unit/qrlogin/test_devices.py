"""Device tickets beside those of pages."""

from __future__ import annotations

import pytest

from bjidp.entropy import SeededEntropy
from bjidp.errors import StoreUnavailable
from bjidp.qrlogin import frame
from bjidp.qrlogin.devices import DeviceTickets
from bjidp.qrlogin.errors import ConfirmRefused, FlowUnknown, FrameStale, TicketUnknown
from bjidp.qrlogin.flow import Client
from bjidp.qrlogin.policy import Purpose
from bjidp.qrlogin.ticket import Device, Scanned, Ticket
from tests.support.qr import COMPUTER, ZHANG, a_device
from tests.unit.qrlogin.desk import CAMERA, PREFIX, Desk, a_phone

pytestmark = pytest.mark.req("RP-3")

KIOSK = Client("政务大厅自助机", "kiosk.example")


@pytest.fixture
def devices(desk: Desk) -> DeviceTickets:
    return DeviceTickets(
        changes=desk.changes,
        bus=desk.bus,
        keys=desk.keys,
        policy=desk.policy,
        entropy=SeededEntropy("devices"),
        prefix=PREFIX,
    )


async def made(devices: DeviceTickets, *, frames: bool = False) -> Ticket:
    return await devices.make("device", KIOSK, a_device(frames=frames), COMPUTER)


@pytest.mark.attack("Q18")
async def test_a_ticket_shown_as_it_is_has_no_frame_however_genuine(desk: Desk, devices: DeviceTickets) -> None:
    ticket = await made(devices)
    for purpose in Purpose:
        text = frame.text(PREFIX, desk.keys.frame_key(purpose, ticket.id), purpose, ticket.id, 0)
        with pytest.raises(TicketUnknown):
            await desk.phones.scan(a_phone(), text, CAMERA)
    assert (await desk.phones.scan(a_phone(), devices.text(ticket), CAMERA)).user_code == "WDJB-MJHT"


@pytest.mark.attack("Q16", "Q18")
async def test_a_ticket_shown_in_frames_is_scanned_by_fresh_ones_of_its_purpose_alone(
    desk: Desk, devices: DeviceTickets
) -> None:
    ticket = await made(devices, frames=True)
    with pytest.raises(TicketUnknown):
        await desk.phones.scan(a_phone(), devices.text(ticket), CAMERA)
    as_a_login = frame.text(PREFIX, desk.keys.frame_key(Purpose.LOGIN, ticket.id), Purpose.LOGIN, ticket.id, 0)
    with pytest.raises(TicketUnknown):
        await desk.phones.scan(a_phone(), as_a_login, CAMERA)
    drawn = desk.frame(ticket)
    desk.advance(10)
    with pytest.raises(FrameStale):
        await desk.phones.scan(a_phone(), drawn, CAMERA)
    assert (await desk.phones.scan(a_phone(), desk.frame(ticket), CAMERA)).steps == ("compare", "confirm")


@pytest.mark.attack("Q1", "Q18")
async def test_no_page_watches_or_redeems_a_device_ticket(desk: Desk, devices: DeviceTickets) -> None:
    ticket = await made(devices)
    scanned = await desk.phones.scan(a_phone(), devices.text(ticket), CAMERA)
    await desk.phones.confirm(a_phone(), scanned.ticket, scanned.confirm_token)
    await desk.page()
    with pytest.raises(FlowUnknown):
        await desk.entry("device")
    seen = await devices.find("device")
    assert seen is not None
    with pytest.raises(TicketUnknown):
        await desk.redeem(desk.keys.grant(seen.ticket, seen.ticket.state, ""))  # type: ignore[arg-type]


async def test_the_flow_of_a_page_is_no_device_ticket(desk: Desk, devices: DeviceTickets) -> None:
    watch = await desk.page()
    assert await devices.find(watch.flow) is None
    with pytest.raises(TicketUnknown):
        await devices.watch(watch.flow)
    with pytest.raises(TicketUnknown):
        await devices.taken((await desk.ticket(watch)).id, ZHANG)


@pytest.mark.attack("T3")
async def test_what_a_device_may_read_is_kept_before_the_confirmation_counts(
    desk: Desk, devices: DeviceTickets, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = await made(devices)
    scanned = await desk.phones.scan(a_phone(), devices.text(ticket), CAMERA)
    with pytest.raises(ConfirmRefused):
        await desk.phones.confirm(a_phone(), ticket.id, "x" * 43)
    assert desk.agreed == [], "whoever may not confirm agrees to nothing"

    async def away(account: str, device: Device) -> None:
        raise StoreUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(desk.phones, "_agree", away)
        with pytest.raises(StoreUnavailable):
            await desk.phones.confirm(a_phone(), ticket.id, scanned.confirm_token)
    seen = await devices.find("device")
    assert seen is not None
    assert isinstance(seen.ticket.state, Scanned)
    await desk.phones.confirm(a_phone(), ticket.id, scanned.confirm_token)
    assert desk.agreed == [(ZHANG.account, seen.device)]


async def test_a_login_on_a_page_lets_no_site_read_anything(desk: Desk) -> None:
    watch = await desk.page()
    await desk.approve(watch)
    assert desk.agreed == []
