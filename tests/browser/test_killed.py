"""Servers that are killed while people are at their forms: everybody goes on, or is told and begins again.

One death is for everybody at once: somebody is at each flow, and between any two of their steps the server dies.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from bjidp.clock import SystemClock
from tests.browser.conftest import ComputerFactory
from tests.support.accounts import member_at, stores_at
from tests.support.calls import Caller, Deployment
from tests.support.computer import Computer
from tests.support.demo import Demo
from tests.support.fragile import Fragile, fragile
from tests.support.journeys import JOURNEYS, Journey, Stores, tells
from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer
from tests.support.registrant import Registrant
from tests.support.screens import NEW_PASSWORD, PASSWORD, gets_a_code, logs_in

Steps = AsyncIterator[None]
"""Somebody's way: it stops wherever the server may die."""


@pytest.fixture(scope="module")
def scaled_out(
    demo: Demo, postgres_server: PostgresServer, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fragile]:
    """Two servers on one PostgreSQL and one Redis."""
    with postgres_server.database() as database:
        storage = {"database_url": database, "redis_url": redis_server.fresh_url()}
        with fragile(demo, tmp_path_factory.mktemp("scaled-out"), storage, servers=2) as servers:
            yield servers


async def registers(screen: Computer, place: Fragile) -> Steps:
    """注册账号."""
    somebody = Registrant(screen, place)
    await somebody.open()
    await somebody.names("15400088001", "zhang_8001")
    await somebody.asks_for_a_code()
    await somebody.completes(await somebody.code("15400088001"))
    yield
    await somebody.sends()
    await expect(screen.page).to_have_url(re.compile("/register/identity$"))
    yield
    await screen.page.reload()
    await somebody.skips()
    await somebody.is_done()


async def recovers(screen: Computer, place: Fragile) -> Steps:
    """找回密码."""
    page, number = screen.page, "15400088002"
    await member_at(place.config, username="killed_8002", phone=number, password=PASSWORD)
    await page.goto("/recover")
    await page.get_by_role("textbox", name="账户名").fill("killed_8002")
    await page.locator("#f-captcha").fill(await screen.captcha(place))
    yield
    await page.keyboard.press("Enter")
    await page.get_by_role("link", name="前往找回").first.click()
    await gets_a_code(place, screen, number)
    yield
    await page.keyboard.press("Enter")
    await page.get_by_role("textbox", name="设置新密码").fill(NEW_PASSWORD)
    await page.get_by_role("textbox", name="确定新密码").fill(NEW_PASSWORD)
    yield
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="新密码已设置")).to_be_visible()


async def changes_password(screen: Computer, place: Fragile) -> Steps:
    """修改密码."""
    page, number = screen.page, "15400088003"
    await logs_in(place, screen, "killed_8003", number)
    await page.goto("/centre/password")
    await gets_a_code(place, screen, number)
    yield
    await page.keyboard.press("Enter")
    await page.get_by_label("输入旧密码").fill(PASSWORD)
    await page.get_by_label("输入新密码").fill(NEW_PASSWORD)
    await page.get_by_label("确定新密码").fill(NEW_PASSWORD)
    yield
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="修改成功，请牢记新密码！")).to_be_visible()
    # It would lead on before the server is back.
    await page.evaluate("window.stop()")
    yield
    await page.reload()
    await expect(page.get_by_role("heading", name="修改成功，请牢记新密码！")).to_be_visible()


async def cancels(screen: Computer, place: Fragile) -> Steps:
    """账号注销."""
    page, number = screen.page, "15400088004"
    await logs_in(place, screen, "killed_8004", number)
    await page.goto("/centre/cancel")
    yield
    await page.get_by_role("button", name="仍要注销").click()
    await gets_a_code(place, screen, number)
    yield
    await page.get_by_role("button", name="确认注销账号", exact=True).click()
    await expect(page.get_by_role("heading", name="账号已注销")).to_be_visible()


async def logs_in_by_code(screen: Computer, place: Fragile) -> Steps:
    """验证码登录."""
    page, number = screen.page, "15400088005"
    await member_at(place.config, username="killed_8005", phone=number, password=PASSWORD)
    await page.goto("/h5/login?tab=code")
    await page.get_by_label("手机号", exact=True).fill(number)
    await gets_a_code(place, screen, number)
    await page.get_by_role("checkbox").check()
    yield
    await page.get_by_role("button", name="授权并登录").click()
    await expect(page).to_have_url(re.compile("/h5/centre$"))
    yield
    await page.reload()
    await expect(page.get_by_text("154****8005")).to_be_visible()


@pytest.mark.req("REG-1", "REG-6", "LOG-6", "REC-1", "ACC-2", "ACC-7", "OPS-4")
async def test_a_server_that_dies_between_the_steps_loses_none(
    scaled_out: Fragile, computer_at: ComputerFactory, handheld_at: ComputerFactory
) -> None:
    at_computers = (registers, recovers, changes_password, cancels)
    people = [journey(await computer_at(scaled_out), scaled_out) for journey in at_computers]
    people.append(logs_in_by_code(await handheld_at(scaled_out), scaled_out))
    while people:
        stopped = [await anext(somebody, somebody) for somebody in people]
        people = [somebody for somebody, at_end in zip(people, stopped, strict=True) if at_end is None]
        if people:
            await asyncio.to_thread(scaled_out.restart)


async def persons(caller: Caller, stores: Stores) -> list[Journey]:
    """Return one person at the beginning of each flow."""
    people: list[Journey] = [journey(caller, stores, SystemClock().now) for journey in JOURNEYS]
    for somebody in people:
        await somebody.begins()
    return people


async def goes_as_far_as(somebody: Journey, steps: int) -> None:
    """Begin again and take so many steps."""
    for step in somebody.steps[await somebody.due() : steps]:
        answer = await somebody.goes(step)
        assert answer.status in {200, 303}, (somebody, step, answer.text)


@pytest.mark.req("REG-1", "LOG-6", "REC-1", "ACC-2", "ACC-3", "ACC-4", "ACC-6", "ACC-7", "OPS-3", "OPS-4")
async def test_what_a_server_knew_that_has_died_its_neighbour_knows(scaled_out: Fragile) -> None:
    first, second = (Deployment(scaled_out.server, scaled_out.sandbox, at) for at in scaled_out.addresses)
    async with Caller(first) as here, Caller(second) as there, stores_at(scaled_out.config) as stores:
        people = await persons(here, stores)
        for somebody in people:
            await somebody.goes(somebody.steps[0])
        await asyncio.to_thread(scaled_out.kill)
        for somebody in people:
            somebody.browser.caller = there
            for step in somebody.steps[1:]:
                answer = await somebody.goes(step)
                assert answer.status in {200, 303}, (somebody, step, answer.text)
                assert not tells(answer), (somebody, step, answer.text)
            assert await somebody.is_done(), somebody
            assert await somebody.times() == 1


@pytest.mark.req("REG-1", "LOG-6", "REC-1", "ACC-2", "ACC-3", "ACC-4", "ACC-6", "ACC-7", "OPS-4", "UX-5")
async def test_a_server_that_dies_with_its_memory_says_so_and_everybody_begins_again(
    demo: Demo, tmp_path: Path
) -> None:
    storage = {"database_url": f"sqlite:///{tmp_path / 'bjidp.sqlite'}"}
    with fragile(demo, tmp_path, storage) as alone:
        at = Deployment(alone.server, alone.sandbox, alone.server)
        async with Caller(at) as caller, stores_at(alone.config) as stores:
            people = await persons(caller, stores)
            filled_in = []
            for somebody in people:
                await goes_as_far_as(somebody, len(somebody.steps) - 1)
                filled_in.append(await somebody.form(somebody.steps[-1]))
            await asyncio.to_thread(alone.restart)
            for somebody, (form, act) in zip(people, filled_in, strict=True):
                answer = await somebody.follows(await somebody.posts(form, act))
                assert tells(answer), (somebody, answer.text)
                assert not await somebody.is_done()
            for somebody in people:
                await goes_as_far_as(somebody, len(somebody.steps))
                assert await somebody.is_done(), somebody
                assert await somebody.times() == 1
