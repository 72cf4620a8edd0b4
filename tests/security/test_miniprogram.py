"""The mini-program's side: secrets, codes, tokens, apps (attacks M1, M2, M4, M5)."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import tomllib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.security.conftest import Own
from tests.support.browser import Browser
from tests.support.calls import Caller, Deployment
from tests.support.crowd import Crowd
from tests.support.login import logged_in
from tests.support.phone import login_code, start_session, state_identity

LINK: Final = re.compile(
    r"""(?:src|href|data-basis)="([^"#]+)"|(?:from|import)\s*\(?["']([^"']+)["']|url\(["']?([^"')]+)"""
)


def configured(home: Own) -> dict[str, Any]:
    """Return the configuration of the demo's server."""
    return tomllib.loads(home.demo.config.read_text(encoding="utf-8"))


def secrets(home: Own) -> list[str]:
    """Return every value of the configuration that the server must keep to itself."""
    config = configured(home)
    kept = [config["wechat"]["app_secret"], config["baidu"]["app_secret"], config["baidu"]["aip_secret"]]
    kept += [config["alipay"]["aes_key"]]
    kept += [config["authority"]["secret"], (home.demo.data / config["keys"]["roots"]["1"]["file"]).read_text().strip()]
    key = (home.demo.data / config["alipay"]["private_key"]["file"]).read_text()
    return [*kept, max(key.split(), key=len)]


async def crawled(caller: Caller, base: str, start: str) -> dict[str, str]:
    """Return every file that the page at ``start`` and its scripts and styles lead to."""
    found: dict[str, str] = {}
    waiting = [start]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        there = Caller(Deployment(base, base, base))
        async with there:
            found[path] = (await there.send("GET", path)).body.decode("utf-8", "replace")
        for groups in LINK.findall(found[path]):
            link = next(filter(None, groups))
            if not link.startswith(("http:", "https:", "data:", "//")):
                waiting.append(link if link.startswith("/") else str(Path(path).parent / link))
    return found


@pytest.mark.attack("M1")
async def test_no_answer_and_no_file_holds_a_secret_of_the_operator(home: Own, crowd: Crowd) -> None:
    """App secrets, keys and session keys stay on the server: not in an answer, a page, a script or the phone's own."""
    async with Caller(home.at) as caller:
        phone = await crowd.phone(caller)
        browser = await logged_in(caller, phone)
        await browser.get("/centre")
        await phone.refresh()
        await phone.account()
        for path in ("/openapi.json", "/health", "/ready", "/server.toml", "/.env", "/static/../server.toml"):
            await caller.send("GET", path)
        session = await start_session(caller, "baidu", "m1-stranger")
        person = (await crowd.resident(caller)).person
        await state_identity(caller, "baidu", session["registration"], person)
        texts = [
            answer.text for answer in caller.heard if (answer.header("Content-Type") or "").startswith(("text", "app"))
        ]
        texts += [repr(answer.headers) for answer in caller.heard]
        pages = await crawled(caller, home.at.url, "/login")
        simulator = await crawled(caller, home.at.sandbox, "/phone")
        assert sum(path.endswith(".js") for path in pages) >= 5
        assert sum(path.endswith(".js") for path in simulator) >= 5
        texts += [*pages.values(), *simulator.values()]
        for secret in secrets(home):
            assert len(secret) >= 16
            assert not [text for text in texts if secret in text]
        named = re.compile("session_key|appsecret|app_secret|client_secret", re.IGNORECASE)
        assert not [text for text in texts if named.search(text)]


@asynccontextmanager
async def credulous(open_id: str) -> AsyncIterator[tuple[str, list[str]]]:
    """Run a WeChat that takes every login code as often as it comes, always for the same user."""
    seen: list[str] = []

    async def session(request: web.Request) -> web.Response:
        seen.append(request.query["js_code"])
        body = {"openid": open_id, "session_key": base64.b64encode(bytes(16)).decode()}
        return web.Response(text=json.dumps(body), content_type="text/plain")

    app = web.Application()
    app.router.add_get("/sns/jscode2session", session)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    try:
        yield str(server.make_url("")).rstrip("/"), seen
    finally:
        await server.close()


async def open_id_of(home: Own, caller: Caller, user: str) -> str:
    """Ask the sandbox's WeChat, as the server does, who a user is to this app."""
    wechat = configured(home)["wechat"]
    code = await login_code(caller, "wechat", user)
    query = f"appid={wechat['app_id']}&secret={wechat['app_secret']}&js_code={code}&grant_type=authorization_code"
    answered = await caller.sandbox(f"/wechat/sns/jscode2session?{query}")
    return str(answered["openid"])


@pytest.mark.attack("M2")
async def test_a_login_code_is_taken_once_even_if_the_platform_would_take_it_again(
    home: Own, variant: Callable[..., Deployment], crowd: Crowd
) -> None:
    """A code that was presented here is remembered; of parallel calls with one code, one reaches the platform."""
    async with credulous("o" + "M2" * 13 + "x") as (address, seen):
        server = variant("credulous", {"wechat": {"base_url": address}})
        async with Caller(server) as caller:
            first = await caller.post("/mp/v1/wechat/session", {"code": "once"})
            assert first.json()["status"] == "identity_required"
            again = await caller.post("/mp/v1/wechat/session", {"code": "once"})
            assert again.verdict == (401, "login_code_invalid")
            assert seen == ["once"]
            raced = await asyncio.gather(*(caller.post("/mp/v1/wechat/session", {"code": "race"}) for _ in range(10)))
            assert sorted(answer.status for answer in raced) == [200] + [401] * 9
            assert seen == ["once", "race"]


@pytest.mark.attack("M2")
@pytest.mark.parametrize("platform", ["wechat", "alipay", "baidu"])
async def test_a_login_code_is_good_once_and_on_its_own_platform(caller: Caller, platform: str) -> None:
    """Replayed, invented and foreign codes are one and the same refusal."""
    code = await login_code(caller, platform, f"replayed-{platform}")
    assert (await caller.post(f"/mp/v1/{platform}/session", {"code": code})).status == 200
    elsewhere = {"wechat": "alipay", "alipay": "baidu", "baidu": "wechat"}[platform]
    foreign = await login_code(caller, elsewhere, "foreign")
    answers = [await caller.post(f"/mp/v1/{platform}/session", {"code": used}) for used in (code, "invented", foreign)]
    assert {answer.verdict for answer in answers} == {(401, "login_code_invalid")}
    assert len({answer.face for answer in answers}) == 1


@pytest.mark.attack("M4")
async def test_a_user_of_another_app_is_another_user(
    home: Own, variant: Callable[..., Deployment], crowd: Crowd
) -> None:
    """An openid means nothing without its app: the same text under another app opens no account."""
    async with Caller(home.at) as caller:
        phone = await crowd.resident(caller)
        open_id = await open_id_of(home, caller, phone.person.id)
    async with credulous(open_id) as (address, _):
        shared = {"storage": {"database_url": f"sqlite:///{home.database}"}}
        same = variant("same-app", {"wechat": {"base_url": address}, **shared})
        other = variant("other-app", {"wechat": {"base_url": address, "app_id": "wx9999000000000002"}, **shared})
        statuses = []
        for server in (same, other):
            async with Caller(server) as caller:
                statuses.append((await caller.post("/mp/v1/wechat/session", {"code": "any"})).json()["status"])
        assert statuses == ["ok", "identity_required"]


@pytest.mark.attack("M4", "Q18")
async def test_a_token_is_good_at_its_own_server_for_its_own_purpose(
    caller: Caller, variant: Callable[[str], Deployment], crowd: Crowd
) -> None:
    """Another issuer's token, a refresh token, a session cookie and every altered token are refused alike."""
    phone = await crowd.phone(caller)
    async with Caller(variant("coded")) as elsewhere:
        foreign = (await crowd.phone(elsewhere)).tokens.access
    header, claims, mac = phone.tokens.access.split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"mp+jwt"}').decode().rstrip("=")
    tokens = [
        foreign,
        phone.tokens.refresh,
        f"{none}.{claims}.",
        f"{none}.{claims}.{mac}",
        f"{header}.{claims}.{mac[:-2]}AA",
        f"{header}.{claims}",
        f"{header}.{claims}.",
        "",
        "null",
    ]
    for token in tokens:
        answer = await caller.send("GET", "/mp/v1/account", headers={"Authorization": f"Bearer {token}"})
        assert answer.verdict == (401, "token_invalid"), token
    for headers in ({}, {"Authorization": phone.tokens.access}, {"Cookie": f"access_token={phone.tokens.access}"}):
        assert (await caller.send("GET", "/mp/v1/account", headers=headers)).verdict == (401, "token_invalid")
    query = f"/mp/v1/account?access_token={phone.tokens.access}"
    assert (await caller.send("GET", query)).verdict == (401, "token_invalid")
    assert (await phone.account()).status == 200


@pytest.mark.attack("T3")
@pytest.mark.req("LOG-7")
async def test_a_sixth_login_of_a_phone_ends_the_oldest(caller: Caller, crowd: Crowd) -> None:
    """Sessions that a phone has forgotten do not pile up: five of a platform user live, and older tokens are dead."""
    phone = await crowd.apart(caller)
    pairs = [await start_session(caller, phone.platform, phone.person.id) for _ in range(6)]
    assert {pair["status"] for pair in pairs} == {"ok"}
    answers = [
        await caller.send("GET", "/mp/v1/account", headers={"Authorization": f"Bearer {pair['access_token']}"})
        for pair in pairs
    ]
    assert [answer.verdict for answer in answers] == [(401, "token_invalid")] + [(200, "")] * 5
    refresh = {"refresh_token": pairs[0]["refresh_token"]}
    assert (await caller.post("/mp/v1/session/refresh", refresh)).verdict == (401, "token_invalid")


@pytest.mark.attack("Q9", "Q27")
async def test_the_facts_of_a_scan_come_in_the_order_of_the_checks(caller: Caller, crowd: Crowd) -> None:
    """Shape, token, scene, MAC, closed, age, holder: the first that fails is the one that is answered."""
    phone, other = await crowd.apart(caller), await crowd.phone(caller)
    nobody = phone.through(caller)
    nobody.tokens = type(phone.tokens)("nobody", "nobody", {})
    browser = Browser(caller)
    screen = await browser.screen()
    forged = f"{caller.to.prefix}{screen.ticket}.900.{'A' * 12}"
    assert (await nobody.call("scan", {"text": forged, "scene": "1012"})).verdict == (400, "invalid_request")
    assert (await nobody.call("scan", {"text": forged, "scene": 1012})).verdict == (401, "token_invalid")
    assert (await phone.scan(forged, 1012)).verdict == (403, "scene_refused")
    assert (await phone.scan(forged)).verdict == (404, "ticket_unknown")
    scanned = await phone.takes(screen)
    assert (await other.scan(screen.frame(900))).verdict == (409, "frame_stale")
    assert (await other.scan(screen)).verdict == (409, "ticket_taken")
    assert (await phone.scan(screen.frame(900))).status == 200
    assert (await phone.reject(await phone.takes(screen))).status == 200
    assert (await other.scan(screen.frame(900))).verdict == (409, "ticket_closed")
    assert (await phone.confirm(scanned)).verdict == (403, "confirm_refused")


@pytest.mark.attack("M5")
async def test_neither_a_call_of_the_phone_nor_a_page_in_its_web_view_sets_or_takes_a_cookie(
    caller: Caller, crowd: Crowd
) -> None:
    """Web-views of different mini-programs may share their cookies: a login on the phone is in none."""
    phone = await crowd.phone(caller)
    browser = await logged_in(caller, phone)
    before = len(caller.heard)
    opened = await start_session(caller, "wechat", "m5-stranger")
    assert (await state_identity(caller, "wechat", opened["registration"], phone.person)).status in {200, 422}
    for answer in (await phone.refresh(), await phone.account(), await phone.scan(f"{caller.to.prefix}nothing")):
        assert answer.status in {200, 404}
    assert await phone.devices()
    # Where the web-view comes back to after a face check, also as somebody who is logged in on a page.
    for headers in ({}, browser.headers()):
        for page in ("/q/", "/q/?result=passed", f"/q/{'A' * 22}.000.{'B' * 12}"):
            assert (await caller.send("GET", page, headers=headers)).status in {200, 302}
    assert [answer.cookies for answer in caller.heard[before:] if answer.cookies] == []
    # Neither is the other: a session of pages asks for nothing here, and a phone's token opens no page.
    for method, path in (("GET", "/mp/v1/account"), ("GET", "/mp/v1/sessions"), ("DELETE", "/mp/v1/session")):
        assert (await caller.send(method, path, headers=browser.headers())).verdict == (401, "token_invalid")
    answer = await caller.send("GET", "/centre", headers=phone.bearer)
    assert (answer.status, answer.header("Location")) == (303, "/login")
