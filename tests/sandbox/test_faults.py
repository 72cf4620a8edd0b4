"""Services that misbehave: each in its way, the others untouched, and nothing held for ever."""

from __future__ import annotations

import asyncio
import json

import pytest
from aiohttp import ServerDisconnectedError

from tests.sandbox.driver import Sandbox

PATHS = {
    "wechat": "/wechat/sns/jscode2session",
    "alipay": "/alipay/gateway.do",
    "baidu": "/baidu/oauth/2.0/token",
    "authority": "/authority/v1/check",
    "bank": "/bank/v1/verify",
    "register": "/register/v1/check",
    "chuanglan": "/chuanglan/msg/v1/send/json",
}


async def is_well(sandbox: Sandbox, service: str) -> bool:
    method = "POST" if service in {"authority", "bank", "register", "chuanglan"} else "GET"
    answer = await sandbox.http.request(method, PATHS[service])
    return answer.status in {200, 401} and isinstance(json.loads(await answer.text()), dict)


@pytest.mark.parametrize("service", PATHS)
async def test_a_fault_breaks_its_service_alone_until_it_is_mended(sandbox: Sandbox, service: str) -> None:
    await sandbox.break_service(service, "http500")
    assert (await sandbox.http.request("POST", PATHS[service])).status == 500
    assert (await (await sandbox.http.get("/health")).json())["services"][service] == "http500"
    for other in set(PATHS) - {service}:
        assert await is_well(sandbox, other)
    await sandbox.break_service(service, "ok")
    assert await is_well(sandbox, service)


async def test_a_slow_service_answers_rightly_in_the_end(sandbox: Sandbox) -> None:
    loop = asyncio.get_running_loop()
    await sandbox.break_service("wechat", "slow", seconds=0.2)
    before = loop.time()
    assert (await sandbox.stable_token())["expires_in"] == 7200
    assert loop.time() - before >= 0.2


async def test_a_service_that_refuses_closes_the_connection_unanswered(sandbox: Sandbox) -> None:
    await sandbox.break_service("wechat", "refuse")
    with pytest.raises(ServerDisconnectedError):
        await sandbox.http.post(PATHS["wechat"])


async def test_a_service_that_times_out_closes_the_connection_after_its_time(sandbox: Sandbox) -> None:
    await sandbox.break_service("baidu", "timeout", seconds=0.1)
    with pytest.raises(ServerDisconnectedError):
        await sandbox.http.post(PATHS["baidu"])


async def held(sandbox: Sandbox, count: int) -> None:
    """Wait until so many calls are held."""
    async with asyncio.timeout(5):
        while (await (await sandbox.http.get("/health")).json())["held"] != count:
            pass


async def test_a_caller_who_gives_up_is_let_go(sandbox: Sandbox) -> None:
    await sandbox.break_service("alipay", "timeout")
    call = asyncio.create_task(sandbox.http.get(PATHS["alipay"]))
    await held(sandbox, 1)
    call.cancel()
    await held(sandbox, 0)


async def test_a_stopping_sandbox_holds_nobody(sandbox: Sandbox) -> None:
    await sandbox.break_service("wechat", "timeout")
    call = asyncio.create_task(sandbox.http.post(PATHS["wechat"]))
    await held(sandbox, 1)
    async with asyncio.timeout(5):
        await sandbox.http.server.close()
        with pytest.raises(ServerDisconnectedError):
            await call


async def test_a_malformed_answer_is_cut_in_half_and_its_work_is_done(sandbox: Sandbox) -> None:
    code = await sandbox.code("wechat")
    await sandbox.break_service("wechat", "malformed")
    app = sandbox.credentials.wechat
    query = {"appid": app.app_id, "secret": app.secret, "js_code": code, "grant_type": "authorization_code"}
    answer = await sandbox.http.get(PATHS["wechat"], params=query)
    with pytest.raises(json.JSONDecodeError):
        json.loads(await answer.text())
    await sandbox.break_service("wechat", "ok")
    assert (await sandbox.session(code))["errcode"] == 40163


async def test_the_control_calls_work_whatever_is_broken(sandbox: Sandbox) -> None:
    for service in PATHS:
        await sandbox.break_service(service, "refuse")
    assert await sandbox.code("wechat")
