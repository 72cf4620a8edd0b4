"""Pages and paths: what is echoed, what is forged, what lies in a link (attacks Q25, Q26, M3)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

import pytest

from tests.support.browser import Browser
from tests.support.calls import Caller, Deployment
from tests.support.crowd import Crowd
from tests.support.phone import before_the_camera, complete, start_session, state_identity

MARK: Final = "qx7"
INJECTION: Final = f"\"><svg onload={MARK}(1)><script>{MARK}</script>'--{MARK}"
FORGED_CALLBACKS: Final = (
    "/callback", "/wechat/callback", "/alipay/notify", "/baidu/notify", "/mp/v1/wechat/callback",
    "/mp/v1/wechat/notify", "/mp/v1/alipay/notify", "/mp/v1/baidu/notify", "/mp/v1/wechat/face",
    "/mp/v1/wechat/registration/verdict", "/mp/v1/qr/face/notify", "/mp/v1/qr/face/verdict",
    "/mp/v1/qr/approve", "/qr/approve", "/qr/login", "/q/",
)  # fmt: skip


@pytest.mark.attack("Q25")
async def test_nothing_a_visitor_sends_comes_back_as_markup(caller: Caller, crowd: Crowd) -> None:
    """Parameters, paths, cookies and User-Agent are rendered as text or not at all; no page has an inline script."""
    hostile = Browser(caller, INJECTION)
    encoded = quote(INJECTION, safe="")
    names = ("tab", "next", "flow", "ticket", "state", "redirect_uri", "error", "message", "text")
    query = "&".join(f"{name}={encoded}" for name in names)
    pages = [
        await hostile.get(f"{path}?{query}") for path in ("/login", "/h5/login", "/centre", "/qr/state", "/qr/image")
    ]
    pages += [await hostile.get(f"{path}{encoded}") for path in ("/", "/q/", "/static/", "/login/", "/mp/v1/")]
    hostile.cookies[caller.to.cookie("bjidp_browser")] = encoded
    hostile.cookies[caller.to.cookie("bjidp_session")] = encoded
    pages.append(await hostile.get("/login"))
    pages.append(
        await hostile.submit("/qr/redeem", {"grant": encoded, "csrf": encoded, encoded: encoded}, Accept="text/html")
    )
    phone = await crowd.phone(caller)
    scanned = await phone.scan(await Browser(caller, INJECTION).screen())
    assert scanned.status == 200
    assert MARK not in scanned.text
    for page in pages:
        assert page.status < 500
        if (page.header("Content-Type") or "").startswith("text/html"):
            assert MARK not in page.text
            assert "script-src 'self'" in (page.header("Content-Security-Policy") or "")
            assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>\s*\S", page.text)
            assert not re.search(r"<[^>]+\s(on[a-z]+|style)\s*=", page.text)
        else:
            for angle in ("<svg", "<script"):
                assert angle not in page.text


@pytest.mark.attack("Q26", "B1")
async def test_nobody_can_tell_the_server_that_something_was_approved(caller: Caller) -> None:
    """There is no callback: verdicts are asked for, so a forged notice finds no door and changes nothing."""
    browser = Browser(caller)
    screen = await browser.screen()
    session = await start_session(caller, "wechat", "somebody-forged")
    notice = {
        "ticket": screen.ticket,
        "registration": session["registration"],
        "scene": screen.ticket,
        "openid": "o" + "A" * 27,
        "errcode": 0,
        "verify_ret": 10000,
        "passed": "T",
        "status": "approved",
    }
    for path in FORGED_CALLBACKS:
        for headers in ({}, {"X-Signature": ""}, {"Signature": "AAAA"}):
            answer = await caller.post(path, notice, headers=headers)
            assert answer.status in {404, 405}, path
        xml = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><xml><Event>SCAN&e;</Event></xml>'
        sent = await caller.send("POST", path, headers={"Content-Type": "text/xml"}, body=xml)
        assert sent.status in {404, 405}
        assert b"root:" not in sent.body
    assert (await browser.events()).json()["type"] == "ticket"
    described = (await caller.send("GET", "/openapi.json")).json()["paths"]
    assert not [path for path in described if re.search("callback|notify|hook", path)]


@pytest.mark.attack("M3")
async def test_a_link_confirms_nothing_and_is_answered_the_same_for_every_text(
    variant: Callable[[str], Deployment], crowd: Crowd
) -> None:
    """Opening a code as a link looks nothing up; what a confirm needs comes from a scan and from no address."""
    async with Caller(variant("coded")) as caller:
        phone = await crowd.phone(caller)
        browser = Browser(caller)
        screen = await browser.screen()
        texts = [screen.frame(), f"{caller.to.prefix}{screen.ticket}", f"{caller.to.prefix}{'A' * 22}.000.{'A' * 12}"]
        texts += [f"{texts[0]}?confirm=1&auto=true&confirm_token={'A' * 43}", f"{caller.to.prefix}x"]
        answers = [await Browser(caller).get(text.removeprefix(caller.to.url)) for text in texts]
        assert answers[0].status == 200
        assert len({answer.face for answer in answers}) == 1
        assert screen.ticket not in answers[0].text
        assert not answers[0].cookies
        for token in ("", "A" * 43, screen.ticket, str(screen.message["key"])):
            body = {"ticket": screen.ticket, "confirm_token": token}
            assert (await phone.call("confirm", body)).verdict == (403, "confirm_refused")
        assert (await phone.call("confirm", {"ticket": screen.ticket})).verdict == (400, "invalid_request")
        assert (await browser.events()).json()["type"] == "ticket"


@pytest.mark.attack("M3", "B1")
async def test_a_registration_is_confirmed_by_no_link(caller: Caller, crowd: Crowd) -> None:
    """No GET and no parameter completes a registration or a confirm."""
    person = (await crowd.apart(caller)).person
    session = await start_session(caller, "wechat" if person.document_type == "resident_id" else "baidu", "a-link")
    platform = "wechat" if person.document_type == "resident_id" else "baidu"
    started = await state_identity(caller, platform, session["registration"], person)
    assert started.status == 200
    for path in ("registration", "registration/complete"):
        answer = await caller.send("GET", f"/mp/v1/{platform}/{path}?registration={session['registration']}")
        assert answer.status == 405
    assert (await complete(caller, platform, session["registration"])).verdict == (409, "face_pending")
    await before_the_camera(caller, started.json()["face"]["verification"], "cancel")
