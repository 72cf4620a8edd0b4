"""Journeys the demo cannot show: short deadlines, a reverse code every time, several processes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.conftest import Builder, ComputerFactory, HandsetFactory
from tests.support.browser import Browser
from tests.support.calls import Caller, Deployment
from tests.support.computer import Computer
from tests.support.crowd import Crowd
from tests.support.demo import Demo, free_ports
from tests.support.handset import Handset
from tests.support.house import House, open_house, serve, write_config
from tests.support.login import approved
from tests.support.postgres import PostgresServer
from tests.support.processes import ProcessFailed
from tests.support.redis import RedisServer
from tests.support.town import Place, acquaint

ALWAYS = {"reverse_code": "always"}
HASTY = {"scan_seconds": 4, "confirm_seconds": 5}
"""The next code comes halfway, every two seconds here, so that all five pass by in ten."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def cautious(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A house that asks for the reverse code every time."""
    async with open_house(demo, tmp_path_factory.mktemp("cautious"), settings={"qr": ALWAYS}) as house:
        yield house


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def two_workers(
    demo: Demo, postgres_server: PostgresServer, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    """A house whose server has two workers, on PostgreSQL and Redis."""
    with postgres_server.database() as database:
        storage = {"database_url": database, "redis_url": redis_server.fresh_url()}
        folder = tmp_path_factory.mktemp("two-workers")
        async with open_house(demo, folder, settings={"storage": storage}, environment={"WORKERS": "2"}) as house:
            yield house


async def at_home(place: Place, phone: Handset, person: str, platform: str = "wechat") -> None:
    """Bring somebody who knows 京通 to its first page."""
    await acquaint(place, person, platform)
    await phone.log_in(person, platform)
    await phone.is_home(f"{person[0]}**")


def others_than(code: str) -> list[str]:
    """Return three codes that are not ``code``."""
    return [other for other in ("00", "11", "22", "33") if other != code][:3]


# --------------------------------------------------------------------------------------------------------- deadlines


@pytest.mark.req("LOG-2")
@pytest.mark.attack("Q14", "Q15")
async def test_the_code_renews_itself_five_times_then_asks_and_the_button_brings_one_that_works(
    build: Builder, computer_at: ComputerFactory, phone_at: HandsetFactory
) -> None:
    house = await build(qr=HASTY)
    computer, phone = await computer_at(house), await phone_at(house)
    await at_home(house, phone, "李思远")
    await computer.page.add_init_script(
        "window.tickets = new Set();"
        "document.addEventListener('bjidp:frame', ({ detail }) => tickets.add(detail.text.slice(-39, -17)))"
    )
    await computer.open()
    await computer.shows_another_than(await computer.ticket())
    await computer.shows("expired")
    await computer.announces("二维码已过期")
    await computer.hang("login-expired")
    assert await computer.page.evaluate("tickets.size") == 1 + 5

    await computer.press("刷新")
    await computer.shows("waiting")
    await phone.scans(computer)
    await phone.confirms()
    await computer.is_in("李**")


@pytest.mark.req("LOG-2")
@pytest.mark.attack("Q15")
async def test_who_does_not_confirm_in_time_is_told_on_both_screens(
    build: Builder, computer_at: ComputerFactory, phone_at: HandsetFactory
) -> None:
    house = await build(qr={"confirm_seconds": 5})
    computer, phone = await computer_at(house), await phone_at(house)
    await at_home(house, phone, "李思远")
    await computer.open()
    ticket = await computer.ticket()
    await phone.scans(computer)
    await computer.says("还剩")
    await phone.heading("二维码已过期")
    await phone.hang("phone-expired")
    await computer.shows("waiting")
    assert await computer.ticket() != ticket
    await phone.press("重新扫码")


# ---------------------------------------------------------------------------------------------------- the reverse code


@pytest.mark.req("LOG-2")
@pytest.mark.attack("P9", "Q12")
async def test_the_two_digits_of_the_phone_are_typed_on_the_computer(
    cautious: House, computer_at: ComputerFactory, phone_at: HandsetFactory
) -> None:
    computer, phone = await computer_at(cautious), await phone_at(cautious)
    await at_home(cautious, phone, "王建国")
    await computer.open()
    await phone.scans(computer)
    code = await phone.confirms_with_code()
    assert re.fullmatch("[0-9]{2}", code)
    await phone.hang("phone-code")
    await computer.shows("code")
    await computer.announces("输入手机上的两位数字")
    await computer.hang("login-code")

    # A reload in this state asks again; a wrong code says how many tries are left.
    await computer.page.reload()
    await computer.shows("code")
    await computer.types(others_than(code)[0])
    await computer.says("还可以试 2 次")
    await computer.hang("login-code-wrong")
    await computer.types(code)
    await computer.is_in("王**")
    assert computer.visited == ["/login", "/login", "/centre"]


@pytest.mark.req("LOG-2")
@pytest.mark.attack("Q12")
async def test_three_wrong_codes_end_the_login_and_a_refusal_can_be_reported(
    cautious: House, computer_at: ComputerFactory, phone_at: HandsetFactory
) -> None:
    computer, phone = await computer_at(cautious), await phone_at(cautious)
    await at_home(cautious, phone, "王建国", "alipay")
    await computer.open()
    await phone.scans(computer)
    for wrong, left in zip(others_than(await phone.confirms_with_code()), ("2 次", "1 次", None), strict=True):
        await computer.types(wrong)
        if left:
            await computer.says(left)
    await computer.shows("wrong-code")
    await computer.announces("数字输错了三次")
    await computer.hang("login-wrong-code")

    await computer.press("换一个二维码")
    await computer.shows("waiting")
    await phone.press("我已在电脑上输入")
    await phone.scans(computer)
    await phone.root.get_by_label("拒绝时一并举报").check()
    await phone.press("不是我，拒绝")
    await phone.heading("已拒绝并举报")
    await phone.hang("phone-reported")
    await computer.shows("rejected")


@pytest.mark.req("LOG-2", "UX-4")
@pytest.mark.attack("Q12", "Q28")
async def test_without_javascript_the_digits_go_into_a_plain_field(
    cautious: House, computer_at: ComputerFactory, phone_at: HandsetFactory
) -> None:
    computer = await computer_at(cautious, java_script_enabled=False)
    phone = await phone_at(cautious)
    await at_home(cautious, phone, "王建国", "baidu")
    await computer.page.goto("/login")
    await phone.scans(computer)
    code = await phone.confirms_with_code()
    state = computer.page.frame_locator("iframe.plain-state")
    await computer.page.reload()
    field = state.get_by_label("输入手机上的两位数字")
    await field.fill(others_than(code)[0])
    await state.get_by_role("button", name="登录").click()
    await expect(state.get_by_text("还可以试 2 次")).to_be_visible()
    await computer.hang("plain-code-wrong")
    await field.fill(code)
    await state.get_by_role("button", name="登录").click()
    await computer.is_in("王**")


# -------------------------------------------------------------------------------------------------- several processes


async def whole_login(house: House, computer: Computer, phone: Handset) -> None:
    """Register on the phone, scan, confirm, and see the page move on; then log out."""
    await phone.registers("刘子涵", "wechat", "刘**")
    await computer.open()
    await phone.scans(computer)
    await computer.shows("scanned")
    await phone.confirms()
    await computer.is_in("刘**")
    assert computer.visited == ["/login", "/centre"]
    await computer.press("退出")
    await expect(computer.page.get_by_role("heading", name="您已退出")).to_be_visible()


@pytest.mark.req("LOG-2", "OPS-1", "OPS-3")
async def test_the_page_on_one_process_and_the_phone_on_another_meet_through_redis_and_postgresql(
    build: Builder, computer_at: ComputerFactory, phone_at: HandsetFactory, postgres_url: str, redis_url: str
) -> None:
    house = await build(servers=2, storage={"database_url": postgres_url, "redis_url": redis_url})
    computer = await computer_at(house)
    await whole_login(house, computer, await phone_at(house))
    assert "/qr/events" not in computer.asked


@pytest.mark.req("LOG-2", "OPS-3")
async def test_the_workers_of_one_server_share_a_port_and_a_login(
    two_workers: House, computer_at: ComputerFactory, phone_at: HandsetFactory
) -> None:
    await whole_login(two_workers, await computer_at(two_workers), await phone_at(two_workers))


@pytest.mark.req("SES-1", "OPS-3")
@pytest.mark.attack("P7", "W6")
@pytest.mark.asyncio(loop_scope="session")
async def test_whichever_worker_a_phone_asks_the_page_is_told_that_its_session_has_ended(
    two_workers: House,
) -> None:
    async with Caller(Deployment(two_workers.server, two_workers.sandbox, two_workers.server)) as caller:
        phone = await Crowd().phone(caller)
        for _ in range(4):
            # Clients of their own, whose connections the kernel gives to whichever worker it likes.
            async with Caller(caller.to) as computer, Caller(caller.to) as elsewhere:
                ready = await approved(computer, phone)
                assert (await ready.browser.redeem(ready.grant, ready.code)).status == 200
                await ready.browser.open("/centre/verify/password")
                socket = await ready.browser.connect()
                await socket.screen()
                assert (await phone.through(elsewhere).undo(ready.screen.ticket)).status == 200
                assert await socket.ends(within=2) == 4005
                assert await ready.browser.who() is None


@pytest.mark.req("REG-2", "OPS-3")
@pytest.mark.asyncio(loop_scope="session")
async def test_every_worker_shows_the_captchas_of_all_and_the_sandbox_is_told_of_each(two_workers: House) -> None:
    async with Caller(Deployment(two_workers.server, two_workers.sandbox, two_workers.server)) as caller:
        browser = Browser(caller)
        await browser.open()
        for _ in range(8):
            # A connection each, which the kernel gives to whichever worker it likes.
            close = browser.headers(two_workers.server, Connection="close")
            captcha = str((await caller.post("/captcha", {}, headers=close)).json()["id"])
            picture = await caller.send("GET", f"/captcha/{captcha}.png", headers=browser.headers(Connection="close"))
            assert picture.status == 200
            assert re.fullmatch("[0-9]{4}", await caller.captcha(captcha))


@pytest.mark.req("OPS-3")
async def test_several_workers_without_redis_are_refused_in_words(demo: Demo, tmp_path: Path) -> None:
    port = free_ports(1)
    config = write_config(
        demo, tmp_path / "server.toml", {}, {"server": {"base_url": f"http://127.0.0.1:{port}", "listen_port": port}}
    )
    process = serve(config, tmp_path / "server.log", {"WORKERS": "2"})
    try:
        with pytest.raises(ProcessFailed, match=r"ended by itself(.|\n)*several processes need storage.redis_url"):
            await asyncio.to_thread(process.wait_until, lambda: False)
    finally:
        process.stop()
