"""The session a login makes: new, flagged, and ended when it ends (attacks T1, T2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from tests.support.browser import Browser
from tests.support.calls import Answer, Caller, Deployment
from tests.support.crowd import Crowd
from tests.support.forms import form_of, send
from tests.support.login import approved, logged_in
from tests.support.visitors import (
    H5_LOGIN,
    PASSWORD,
    PC_LOGIN,
    by_password,
    login_code,
    number,
    opened,
    registered,
)

PLANTED: Final = "x" * 43


@pytest.mark.attack("T1")
async def test_a_login_takes_no_session_that_was_there_before(caller: Caller, crowd: Crowd) -> None:
    """A cookie planted before the login is no session afterwards, and the browser secret does not become one."""
    session, secret = caller.to.cookie("bjidp_session"), caller.to.cookie("bjidp_browser")
    browser = Browser(caller)
    browser.cookies[session] = PLANTED
    ready = await approved(caller, await crowd.phone(caller), browser)
    browser.cookies[session] = PLANTED
    before = browser.copy()
    assert (await browser.redeem(ready.grant, ready.code)).status == 200
    assert browser.session not in {None, PLANTED, before.secret}
    assert len(browser.session or "") == 43
    assert browser.secret is None
    assert await browser.who() is not None
    assert await before.who() is None
    swapped = Browser(caller)
    swapped.cookies[session] = before.secret or ""
    assert await swapped.who() is None
    swapped.cookies = {secret: browser.session or ""}
    assert (await swapped.tickets(flow="A" * 22)).verdict == (403, "browser_unknown")


@pytest.mark.attack("T1")
async def test_a_login_over_a_login_ends_the_old_session(caller: Caller, crowd: Crowd) -> None:
    """Every login makes a new session, for the same account too; the cookie used before is dead at once."""
    phone = await crowd.phone(caller)
    first = await logged_in(caller, phone)
    ready = await approved(caller, phone)
    ready.browser.cookies |= first.cookies
    assert (await ready.browser.redeem(ready.grant, ready.code)).status == 200
    assert ready.browser.session != first.session
    assert await ready.browser.who() is not None
    assert await first.who() is None


@pytest.mark.attack("T1")
async def test_a_log_out_ends_the_session_on_the_server(caller: Caller, crowd: Crowd) -> None:
    """A copy of the cookie is worth nothing after the log-out; nobody is logged out by another site."""
    browser = await logged_in(caller, await crowd.phone(caller))
    centre = await browser.get("/centre")
    token = centre.text.partition('name="csrf" value="')[2].partition('"')[0]
    copy = browser.copy()
    assert (await copy.submit("/logout", {"csrf": token}, Origin="https://evil.example")).status == 403
    assert (await copy.submit("/logout", {})).status == 403
    assert (await copy.submit("/logout", {"csrf": PLANTED})).status == 403
    assert (await copy.get("/logout")).status == 405
    assert await copy.who() is not None
    assert (await browser.submit("/logout", {"csrf": token})).status == 200
    assert browser.session is None
    assert await copy.who() is None


@pytest.mark.attack("T2")
@pytest.mark.parametrize("name", ["plain", "proxied"])
async def test_every_cookie_is_flagged(
    deployment: Deployment, variant: Callable[[str], Deployment], crowd: Crowd, name: str
) -> None:
    """Over https: ``__Host-``, Secure, HttpOnly, SameSite=Lax, Path=/, no Domain; over http all that http allows.

    Whichever way somebody comes in; only what a browser is known by, which opens nothing, outlives the browser's run.
    """
    server = deployment if name == "plain" else variant(name)
    async with Caller(server) as caller:
        browser = await logged_in(caller, await crowd.phone(caller))
        centre = await browser.get("/centre")
        token = centre.text.partition('name="csrf" value="')[2].partition('"')[0]
        await browser.submit("/logout", {"csrf": token})
        account = await registered(caller)
        for page in (PC_LOGIN, H5_LOGIN):
            assert (await by_password(Browser(caller), account.username, PASSWORD, page)).status == 303
        await login_code(Browser(caller), number())
        for page in ("/recover", "/h5/recover", "/h5/register"):
            await opened(Browser(caller), page)
        await Browser(caller).get("/login/third/wechat")
        stale = Browser(caller)
        stale.cookies[server.cookie("bjidp_session")] = PLANTED
        await stale.get("/centre")
        lines = [line for answer in caller.heard for line in answer.cookies]
        names = {line.partition("=")[0] for line in lines}
        known = server.cookie("bjidp_known")
        passing = {server.cookie(f"bjidp_{name}") for name in ("browser", "session", "external")}
        assert names == passing | {known}
        assert all(name.startswith("__Host-") is server.secure for name in names)
        for line in lines:
            flags = {part.strip().lower() for part in line.split(";")[1:]}
            assert {"httponly", "path=/", "samesite=lax"} <= flags
            assert ("secure" in flags) is server.secure
            assert not any(flag.startswith(("domain", "expires")) for flag in flags)
            if "max-age=0" not in flags:
                assert any(flag.startswith("max-age") for flag in flags) is line.startswith(f"{known}=")


@pytest.mark.attack("T2", "W3")
@pytest.mark.parametrize("blank", ["\u2000", "\u00a0", "\u0085"])
async def test_a_cookie_that_a_sibling_host_may_set_is_not_taken_for_ours(
    caller: Caller, crowd: Crowd, blank: str
) -> None:
    """To a browser such a name does not begin with ``__Host-``, so any host of the domain may set it for all."""
    browser = await logged_in(caller, await crowd.phone(caller))
    planted = Browser(caller)
    planted.cookies[blank + caller.to.cookie("bjidp_session")] = browser.session or ""
    assert await planted.who() is None
    assert await browser.who() is not None


@pytest.mark.attack("T2", "Q25")
@pytest.mark.parametrize("name", ["plain", "proxied"])
async def test_every_answer_carries_the_headers_that_keep_it_in_place(
    deployment: Deployment, variant: Callable[[str], Deployment], crowd: Crowd, name: str
) -> None:
    """No framing by others, no sniffing, no referrer, no caching of state, no inline script, HSTS over https."""
    server = deployment if name == "plain" else variant(name)
    async with Caller(server) as caller:
        phone = await crowd.phone(caller)
        browser = await logged_in(caller, phone)
        await browser.get("/centre")
        guest = Browser(caller)
        await guest.screen()
        await guest.get(f"/qr/state?flow={guest.flow}")
        await guest.get("/nowhere")
        await guest.get("/q/anything")
        await phone.account()
        await caller.post("/mp/v1/qr/scan", {})
        for page in (PC_LOGIN, H5_LOGIN, "/register", "/h5/register", "/recover", "/h5/recover", "/h5/recover/code"):
            await guest.get(page)
        form = form_of(await guest.get(PC_LOGIN), "/login")
        for kind in ("png", "wav"):
            await guest.get(f"/captcha/{form.captcha}.{kind}")
        await send(guest, form)
        await login_code(guest, number())
        await guest.get(f"/dispatches/{'0' * 32}")
        for page in ("/centre/devices", "/centre/log", "/centre/password", "/h5/centre", "/h5/centre/cancel"):
            await browser.get(page)
        kinds = set()
        for answer in caller.heard:
            assert_headers(answer, secure=server.secure)
            kinds.add((answer.header("Content-Type") or "").partition(";")[0])
        assert {"text/html", "application/json", "application/problem+json", "image/png", "audio/wav"} <= kinds


def assert_headers(answer: Answer, *, secure: bool) -> None:
    """Check one answer."""
    assert answer.header("X-Content-Type-Options") == "nosniff"
    # "no-referrer" would turn the Origin of our own forms into null.
    assert answer.header("Referrer-Policy") in {"no-referrer", "same-origin"}
    assert answer.header("Cross-Origin-Resource-Policy") == "same-origin"
    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("Server") in (None, "bjidp")
    assert (answer.header("Strict-Transport-Security") is not None) is secure
    if (answer.header("Content-Type") or "").startswith("text/html"):
        policy = dict(
            part.strip().partition(" ")[::2] for part in (answer.header("Content-Security-Policy") or "").split(";")
        )
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["form-action"] == "'self'"
        assert policy["base-uri"] == "'none'"
        assert policy["frame-ancestors"] in {"'none'", "'self'"} or "*" not in policy["frame-ancestors"]
        assert answer.header("Cross-Origin-Opener-Policy") == "same-origin"
