"""The channel on which a device waits to be told (RP-3)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from bjidp.oidc.devices.asking import flow_of
from tests.support.program import Program
from tests.web.conftest import StartProgram
from tests.web.device_site import Devices, error, two_clients

pytestmark = pytest.mark.req("RP-3")

PATH = "/oauth/device/channel"
PROTOCOL = "bjidp.device.v1"


@pytest.fixture
async def devices(program: Program) -> Devices:
    return await two_clients(program)


async def knock(
    devices: Devices, code: str | None, *, protocol: str = PROTOCOL, **more: str
) -> aiohttp.ClientWebSocketResponse | int:
    headers = {"Host": devices.caller.to.authority} | more
    if code is not None:
        headers["Authorization"] = f"Bearer {code}"
    return await devices.caller.upgrade(PATH, protocols=(protocol,) if protocol else (), headers=headers)


class Ear:
    """What a device hears; it reads all the time, so that the server's pings are answered while time moves."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self._heard: asyncio.Queue[str] = asyncio.Queue()
        self._reading = asyncio.create_task(self._read())

    async def next(self) -> str:
        """Return what is told next, or the code of the close."""
        async with asyncio.timeout(20):
            return await self._heard.get()

    async def leave(self) -> None:
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        await self.ws.close()

    async def _read(self) -> None:
        while True:
            frame = await self.ws.receive()
            if frame.type is aiohttp.WSMsgType.TEXT:
                told = json.loads(frame.data)
                assert set(told) == {"type"}, "nothing that is worth anything"
                if told != {"type": "alive"}:
                    self._heard.put_nowait(str(told["type"]))
            else:
                # By the frame: how a connection ends after it is the network's business.
                self._heard.put_nowait(str(frame.data))
                return


async def listening(devices: Devices, codes: dict[str, Any]) -> Ear:
    opened = await knock(devices, codes["device_code"])
    assert not isinstance(opened, int), opened
    return Ear(opened)


async def waiting(devices: Devices, codes: dict[str, Any]) -> Ear:
    """Let a device wait, and hear that nobody has come yet."""
    ear = await listening(devices, codes)
    assert await ear.next() == "pending"
    return ear


async def test_a_device_is_told_at_once_what_its_code_comes_to(program: Program, devices: Devices) -> None:
    found = (await (await program.browser()).get("/.well-known/openid-configuration")).json()
    assert found["bjidp_device_channel_endpoint"] == program.url.replace("http", "ws") + PATH
    phone = await program.phone()
    codes = await devices.asked("terminal")
    ws = await waiting(devices, codes)
    scanned = (await phone.scan(codes["verification_uri_complete"])).json()
    assert await ws.next() == "scanned"
    await phone.confirm(scanned)
    assert [await ws.next(), await ws.next()] == ["approved", "1000"]
    assert (await devices.poll(codes, "terminal")).status == 200


async def test_a_no_and_the_end_of_its_time_are_told_too(program: Program, devices: Devices) -> None:
    phone = await program.phone()
    codes, late = await devices.asked(), await devices.asked()
    ws, other = await waiting(devices, codes), await waiting(devices, late)
    scanned = (await phone.scan(codes["verification_uri_complete"])).json()
    assert await ws.next() == "scanned"
    await phone.reject(scanned)
    assert [await ws.next(), await ws.next()] == ["denied", "1000"]
    await program.advance(300)
    await phone.scan("nonsense")
    assert [await other.next(), await other.next()] == ["expired", "1000"]


async def test_who_comes_after_the_end_is_told_the_end(program: Program, devices: Devices) -> None:
    phone = await program.phone()
    codes = await devices.asked()
    await phone.confirm((await phone.scan(codes["verification_uri_complete"])).json())
    for outcome in ("approved", "over"):
        ws = await listening(devices, codes)
        assert [await ws.next(), await ws.next()] == [outcome, "1000"]
        await devices.poll(codes)


@pytest.mark.attack("W1", "W3", "Q2")
async def test_whoever_is_no_device_is_refused_before_the_upgrade(program: Program, devices: Devices) -> None:
    codes = await devices.asked()
    code = codes["device_code"]
    ticket = codes["verification_uri_complete"].rpartition("/")[2]
    assert await knock(devices, code, protocol="") == 400
    assert await knock(devices, None) == 400
    assert await knock(devices, ticket) == 400
    assert await knock(devices, "A" * 43) == 404
    assert await knock(devices, code, Origin=program.url) == 403
    assert await knock(devices, code, Origin="null") == 403


@pytest.mark.attack("W9")
async def test_of_three_that_wait_for_one_code_the_first_has_to_go(program: Program, devices: Devices) -> None:
    codes = await devices.asked()
    first, second, third = [await waiting(devices, codes) for _ in range(3)]
    assert await first.next() == "4004"
    phone = await program.phone()
    await phone.scan(codes["verification_uri_complete"])
    assert [await second.next(), await third.next()] == ["scanned", "scanned"]


@pytest.mark.attack("W7")
async def test_a_device_has_nothing_to_say(devices: Devices) -> None:
    codes = await devices.asked()
    ws = await waiting(devices, codes)
    await ws.ws.send_str('{"type":"approve"}')
    assert await ws.next() == "1000"
    assert error(await devices.poll(codes)) == "authorization_pending"


async def test_whoever_has_gone_is_forgotten(program: Program, devices: Devices) -> None:
    codes = await devices.asked()
    ws = await waiting(devices, codes)
    await ws.leave()
    await program.settle()
    held = await program.rooms.stores.tickets.read(flow_of(codes["device_code"]))
    assert held is not None
    assert held.value.watchers == ()


@pytest.mark.req("OPS-3")
async def test_a_device_on_one_process_is_told_what_a_phone_does_on_the_other(start_program: StartProgram) -> None:
    program = await start_program(processes=2)
    devices = await two_clients(program)
    codes = await devices.asked()
    ws = await waiting(devices, codes)
    phone = await program.phone(process=1)
    scanned = (await phone.scan(codes["verification_uri_complete"])).json()
    assert await ws.next() == "scanned"
    await phone.confirm(scanned)
    assert await ws.next() == "approved"
    there = Devices(program, await program.caller(process=1))
    assert (await there.poll(codes)).status == 200
    assert error(await devices.poll(codes)) == "invalid_grant"


@pytest.mark.req("OPS-4")
async def test_a_server_that_stops_sends_its_devices_away(program: Program, devices: Devices) -> None:
    ws = await waiting(devices, await devices.asked())
    await program.stop()
    assert await ws.next() == "1012"


@pytest.mark.req("OPS-4")
async def test_a_store_that_is_away_for_a_moment_sends_no_device_away(program: Program, devices: Devices) -> None:
    phone = await program.phone()
    codes = await devices.asked()
    ws = await waiting(devices, codes)
    scanned = (await phone.scan(codes["verification_uri_complete"])).json()
    assert await ws.next() == "scanned"
    program.meddler.breaks("tickets.read")
    await program.advance(21)
    program.meddler.mends()
    assert (await phone.confirm(scanned)).status == 200
    assert [await ws.next(), await ws.next()] == ["approved", "1000"]
