"""What a login leaves behind: in the log, in the database, in addresses (attacks Q10, Q24, B7)."""

from __future__ import annotations

import json
from typing import Final

import pytest

from tests.security.conftest import Own
from tests.security.test_miniprogram import open_id_of
from tests.support.browser import Browser
from tests.support.calls import Caller
from tests.support.crowd import Crowd
from tests.support.phone import (
    Phone,
    Tokens,
    before_the_camera,
    complete,
    login_code,
    state_identity,
)

FAILED: Final = "nobodys-secret-that-must-not-be-logged"


@pytest.mark.attack("Q24", "B7", "Q10", "M1")
@pytest.mark.req("PRV-1")
async def test_neither_log_nor_database_keeps_what_a_login_was_made_of(home: Own, crowd: Crowd) -> None:
    """No secret, grant, token, code, cookie, openid, name or number is kept, neither plain nor escaped."""
    async with Caller(home.at) as caller:
        person = (await crowd.apart(caller)).person
        platform = "baidu" if person.document_type == "permanent_resident" else "alipay"
        user = f"traces-{person.id}"
        code = await login_code(caller, platform, user)
        started = await caller.post(f"/mp/v1/{platform}/session", {"code": code})
        registration = started.json()["registration"]
        face = (await state_identity(caller, platform, registration, person)).json()["face"]
        await before_the_camera(caller, face["verification"])
        done = (await complete(caller, platform, registration)).json()
        phone = Phone(caller, platform, person, Tokens(done["access_token"], done["refresh_token"], done["account"]))
        first = phone.tokens
        assert (await phone.refresh()).status == 200
        browser = Browser(caller)
        await browser.open()
        opened = browser.copy()
        socket = await browser.connect()
        screen = await socket.screen()
        frame = screen.frame()
        scanned = await phone.takes(screen)
        confirmed = (await phone.confirm(scanned)).json()
        await socket.next("scanned")
        grant = (await socket.next("approved"))["grant"]
        assert (await browser.redeem(grant, confirmed["code"])).status == 200
        await socket.ends()
        centre = await browser.get("/centre")
        session = browser.session
        # Refusals leave traces too.
        await browser.redeem(FAILED)
        await phone.scan(f"{caller.to.prefix}{FAILED}")
        await caller.post("/mp/v1/wechat/session", {"code": FAILED})
        await caller.post("/mp/v1/session/refresh", {"refresh_token": FAILED})
        await caller.send("GET", f"/nowhere?{FAILED}={FAILED}", headers={"Cookie": FAILED, "User-Agent": FAILED})
        csrf = centre.text.partition('name="csrf" value="')[2].partition('"')[0]
        assert (await browser.submit("/logout", {"csrf": csrf})).status == 200
        resident = await crowd.resident(caller)
        open_id = await open_id_of(home, caller, resident.person.id)
    hidden = {
        "browser secret": opened.secret,
        "session": session,
        "csrf of the login page": opened.csrf,
        "frame key": screen.message["key"],
        "frame": frame.removeprefix(home.at.prefix),
        "ticket": screen.ticket,
        "flow": browser.flow,
        "confirm token": scanned["confirm_token"],
        "grant": grant,
        "login code": code,
        "registration": registration,
        "access token": phone.tokens.access,
        "refresh token": phone.tokens.refresh,
        "first access token": first.access,
        "first refresh token": first.refresh,
        "openid": open_id,
        "name": person.name,
        "number": person.document_number,
        "phone": person.phone,
        "what failed": FAILED,
    }
    log = home.demo.process.log.read_bytes()
    kept = b"".join(path.read_bytes() for path in sorted(home.demo.data.glob("bjidp.sqlite*")))
    # What is looked for would be found: the server has written to both.
    assert b'"serving"' in log
    assert platform.encode() in kept
    for place, octets in (("log", log), ("database", kept)):
        for name, value in hidden.items():
            assert value, name
            for form in (value.encode(), json.dumps(value)[1:-1].encode(), value.encode("utf-16-le")):
                assert form not in octets, f"{name} in the {place}"


@pytest.mark.attack("Q24")
async def test_no_secret_is_ever_part_of_an_address(caller: Caller, crowd: Crowd) -> None:
    """Secrets travel in cookies, headers and bodies: no redirect and no link of a page carries one."""
    phone = await crowd.phone(caller)
    browser = Browser(caller)
    screen = await browser.screen()
    opened = browser.copy()
    code = await phone.approves(screen)
    grant = str((await browser.message("approved"))["grant"])
    shown = await browser.get(f"/qr/state?flow={browser.flow}")
    fields = {"grant": grant, "csrf": browser.csrf} | ({} if code is None else {"code": code})
    answer = await browser.submit("/qr/redeem", fields)
    assert answer.status == 303
    pages = [shown, await browser.get("/centre"), await browser.get("/login")]
    secrets = [value for value in (opened.secret, browser.session, grant, str(screen.message["key"])) if value]
    assert len(secrets) == 4
    for heard in caller.heard:
        location = heard.header("Location") or ""
        assert not [secret for secret in secrets if secret in location]
    for page in pages:
        for attribute in ("href", "src", "action"):
            for part in page.text.split(f'{attribute}="')[1:]:
                link = part.partition('"')[0]
                assert not [secret for secret in secrets if secret in link]
