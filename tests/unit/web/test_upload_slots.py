"""Who may be sending files at this moment (RNV-8)."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from bjidp.errors import TooBusy
from bjidp.throttle.source import Source
from bjidp.web.forms import upload_slots
from bjidp.web.forms.upload_slots import AT_ONCE, OF_A_NETWORK, UploadSlots

pytestmark = [pytest.mark.req("RNV-8"), pytest.mark.attack("U5")]

HERE, THERE = Source("here"), Source("there")


async def test_one_network_has_few_and_nobody_elsewhere_is_kept_out_by_it() -> None:
    slots = UploadSlots()
    async with AsyncExitStack() as held:
        for number in range(OF_A_NETWORK):
            await held.enter_async_context(slots.slot(f"account-{number}", HERE))
        with pytest.raises(TooBusy):
            await held.enter_async_context(slots.slot("another", HERE))
        await held.enter_async_context(slots.slot("another", THERE))
    async with slots.slot("another", HERE):
        pass


async def test_all_together_have_so_many() -> None:
    slots = UploadSlots()
    crowd = Source("office", shared=True)
    async with AsyncExitStack() as held:
        for number in range(AT_ONCE):
            await held.enter_async_context(slots.slot(f"account-{number}", crowd))
        with pytest.raises(TooBusy):
            await held.enter_async_context(slots.slot("another", THERE))
    async with slots.slot("another", THERE):
        pass


async def test_an_account_has_one_and_its_second_form_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    slots = UploadSlots()
    began = asyncio.Event()

    async def second() -> None:
        async with slots.slot("one", THERE):
            began.set()

    async with slots.slot("one", HERE):
        waiting = asyncio.create_task(second())
        await asyncio.sleep(0)
        with pytest.raises(TooBusy):
            await slots.slot("one", HERE).__aenter__()
        assert not began.is_set()
    await asyncio.wait_for(waiting, 10)
    assert began.is_set()
    monkeypatch.setattr(upload_slots, "BUSY", 0)
    async with slots.slot("one", HERE):
        with pytest.raises(TooBusy):
            await slots.slot("one", HERE).__aenter__()
    async with slots.slot("one", HERE):
        pass
