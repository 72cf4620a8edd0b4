"""Against the approval that is fished for: what the phone is shown, and what it asks (attacks P2, P3, P4, P8, P9)."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest

from tests.security.conftest import Own
from tests.support import mmdb
from tests.support.browser import CHROME, Browser
from tests.support.calls import Caller, Deployment, at_once, request, until
from tests.support.crowd import Crowd
from tests.support.login import approved, logged_in
from tests.support.phone import as_json

ALBUM: Final = (1012, 1013, 1048, 1049)
"""Launch scenes of WeChat for a picture that was long-pressed or taken from the album."""

FIREFOX: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"
SAFARI: Final = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.5 Safari/605.1.15"
BROWSERS: Final = {
    "WeChat", "Alipay", "Baidu", "Edge", "Opera", "Firefox", "Chrome", "Safari", "unknown",
}  # fmt: skip
SYSTEMS: Final = {
    "Windows", "iOS", "iPadOS", "Android", "HarmonyOS", "macOS", "ChromeOS", "Linux", "unknown",
}  # fmt: skip

BEIJING: Final[mmdb.Value] = {
    "country": {"iso_code": "CN", "names": {"zh-CN": "中国"}},
    "subdivisions": [{"iso_code": "BJ", "names": {"zh-CN": "北京市"}}],
}
HEBEI: Final[mmdb.Value] = {
    "country": {"iso_code": "CN", "names": {"zh-CN": "中国"}},
    "subdivisions": [{"iso_code": "HE", "names": {"zh-CN": "河北省"}}],
    "city": {"names": {"zh-CN": "保定市"}},
}
IN_BEIJING, IN_HEBEI, NOWHERE = "127.0.61.1", "127.0.62.1", "127.0.63.1"


@pytest.mark.attack("P2")
@pytest.mark.req("LOG-7")
async def test_a_picture_from_a_chat_or_an_album_is_no_live_screen(caller: Caller, crowd: Crowd) -> None:
    """Only a live camera passes: any other launch scene is refused, before anything is said of the ticket."""
    wechat = await crowd.resident(caller)
    alipay = await crowd.phone_of(caller, wechat.person, "alipay")
    baidu = await crowd.phone_of(caller, wechat.person, "baidu")
    browser = Browser(caller)
    screen = await browser.screen()
    for scene in (*ALBUM, 1, 1001, 1007, 1008, 1010, 1014, 1044, 1046, 1089, 1154, 99999):
        assert (await wechat.scan(screen, scene)).verdict == (403, "scene_refused"), scene
    for phone in (alipay, baidu):
        for scene in (1011, 1047, *ALBUM):
            assert (await phone.scan(screen, scene)).verdict == (403, "scene_refused")
    for value in (None, "0", 0.5, -1, 100000, True, [0]):
        assert (await wechat.call("scan", {"text": screen.frame(), "scene": value})).verdict == (400, "invalid_request")
    assert (await wechat.call("scan", {"text": screen.frame()})).verdict == (400, "invalid_request")
    assert (await wechat.scan("nothing of ours", 1012)).verdict == (403, "scene_refused")
    assert (await browser.events()).json()["type"] == "ticket"
    for scene in (1011, 1047, 0):
        assert (await wechat.scan(screen, scene)).status == 200


@pytest.mark.attack("P3")
async def test_the_phone_is_shown_what_the_server_saw_of_the_computer(caller: Caller, crowd: Crowd) -> None:
    """Every fact of the decision is there, and follows the computer: browser, system, age, site."""
    phone = await crowd.phone(caller)
    seen = {}
    for name, agent in (("chrome", CHROME), ("firefox", FIREFOX), ("safari", SAFARI)):
        scanned = await phone.takes(await Browser(caller, agent).screen())
        assert set(scanned) == {"ticket", "purpose", "confirm_token", "expires_in", "steps", "request"}
        facts = scanned["request"]
        assert set(facts) == {
            "client", "action", "requested_at", "age", "browser", "os", "ip_area", "location_mismatch",
            "ip_seen_before", "session_lifetime",
        }  # fmt: skip
        assert scanned["purpose"] == facts["action"] == "login"
        assert scanned["steps"] == ["confirm"]
        assert facts["client"]["domain"] == urlsplit(caller.to.url).hostname
        assert facts["client"]["name"]
        requested = dt.datetime.fromisoformat(facts["requested_at"])
        assert requested.utcoffset() == dt.timedelta()
        assert 0 <= facts["age"] <= 60
        assert facts["session_lifetime"] > 0
        seen[name] = facts["browser"], facts["os"]
    assert seen == {"chrome": ("Chrome", "Windows"), "firefox": ("Firefox", "Linux"), "safari": ("Safari", "macOS")}


@pytest.mark.attack("P3", "P9")
async def test_the_area_is_the_servers_own_finding_and_a_distant_one_calls_for_the_code(
    variant: Callable[..., Deployment], crowd: Crowd, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Area and mismatch come from the addresses the server sees; an unknown place is null, never left out."""
    areas = mmdb.write(
        Path(tmp_path_factory.mktemp("areas")) / "areas.mmdb", {"127.0.61.0/24": BEIJING, "127.0.62.0/24": HEBEI}
    )
    located = variant("located", {"networks": {"area_database": str(areas)}})
    async with Caller(located, IN_BEIJING) as near, Caller(located, IN_HEBEI) as far, Caller(located, NOWHERE) as off:
        owner = await crowd.phone(near)
        found = {}
        for name, computer in (("near", near), ("far", far), ("off", off)):
            browser = Browser(computer)
            scanned = await owner.takes(await browser.screen())
            code = (await owner.confirm(scanned)).json()["code"]
            facts = scanned["request"]
            found[name] = facts["ip_area"], facts["location_mismatch"], code is not None
            assert (await browser.message("approved"))["code_required"] is (code is not None)
    assert found == {"near": ("北京市", False, False), "far": ("河北省保定市", True, True), "off": (None, None, False)}


@pytest.mark.attack("P3", "P9", "T10")
async def test_a_network_new_to_the_account_is_told_and_calls_for_the_code(home: Own, crowd: Crowd) -> None:
    """Where no place is known, the network decides; what the client forwards about itself does not."""
    usual, strange = "127.0.64.1", "127.0.65.1"
    async with Caller(home.at, usual) as here, Caller(home.at, strange) as there:
        phone = await crowd.apart(here)
        first = await phone.takes(await Browser(here).screen())
        assert first["request"]["ip_seen_before"] is False
        await logged_in(here, phone)
        claims = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "CF-Connecting-IP", "True-Client-IP")
        for caller, claimed, known in ((here, strange, True), (there, usual, False)):
            browser = Browser(caller)
            forged = {name: f"for={claimed}" if name == "Forwarded" else claimed for name in claims}
            await browser.open(**forged)
            opened = await browser.tickets(**forged)
            assert opened.status == 200
            socket = await browser.connect()
            scanned = await phone.takes(await socket.screen())
            assert scanned["request"]["ip_seen_before"] is known
            code = (await phone.confirm(scanned)).json()["code"]
            assert (code is None) is known
            await socket.close()


@pytest.mark.attack("T10")
async def test_behind_a_trusted_proxy_the_rightmost_foreign_address_counts(
    variant: Callable[[str], Deployment], crowd: Crowd
) -> None:
    """Of a forwarded chain only what our own proxy wrote is believed, and only from our own proxy."""
    trusting = variant("trusting")
    async with Caller(trusting, "127.0.60.1") as proxy, Caller(trusting, "127.0.66.1") as direct:
        phone = await crowd.phone(proxy)

        async def seen(caller: Caller, chain: str) -> bool:
            browser = Browser(caller)
            await browser.open(**{"X-Forwarded-For": chain})
            opened = await caller.post(
                "/qr/tickets",
                {"flow": browser.flow},
                headers=[*browser.headers(caller.to.url).items(), ("X-Forwarded-For", chain)],
            )
            assert opened.status == 200
            socket = await browser.connect()
            known = (await phone.takes(await socket.screen()))["request"]["ip_seen_before"]
            await socket.close()
            assert isinstance(known, bool)
            return known

        browser = Browser(proxy)
        await browser.open(**{"X-Forwarded-For": "198.51.100.7"})
        answer = await browser.tickets(**{"X-Forwarded-For": "198.51.100.7"})
        assert answer.status == 200
        socket = await browser.connect()
        scanned = await phone.takes(await socket.screen())
        code = (await phone.confirm(scanned)).json()["code"]
        message = await browser.message("approved")
        assert (await browser.redeem(message["grant"], code)).status == 200
        await socket.close()
        assert await seen(proxy, "198.51.100.9") is True
        assert await seen(proxy, "203.0.113.5, 198.51.100.9") is True
        assert await seen(proxy, "198.51.100.9, 203.0.113.5") is False
        assert await seen(direct, "198.51.100.9") is False


@pytest.mark.attack("P4", "Q25")
@pytest.mark.parametrize(
    "agent",
    [
        None,
        "",
        "Safe - approve me",
        "Your office PC",
        "Mozilla/5.0 (您的办公电脑) Chrome/130.0",
        f"Mozilla/5.0 ({'x' * 1024}) Chrome/130.0",
        "\u202eMozilla/5.0 (Windows NT 10.0) Chrome/130.0",
        "Mozilla/5.0 (Windows NT 10.0) \U0001f512 Chrome/130.0",
        '"><svg onload=alert(1)>',
        "Mozilla/5.0 (Windows NT 10.0) Chrome/130.0 Approve-this-Beijing-government-computer",
    ],
)
async def test_no_word_of_the_computers_own_reaches_the_phone(caller: Caller, crowd: Crowd, agent: str | None) -> None:
    """Browser and system are words of a closed list; whatever else the computer calls itself is unknown."""
    encoded = None if agent is None else agent.encode().decode("latin-1") if not agent.isascii() else agent
    phone = await crowd.phone(caller)
    answer = await phone.scan(await Browser(caller, encoded).screen())
    facts = answer.json()["request"]
    assert facts["browser"] in BROWSERS
    assert facts["os"] in SYSTEMS
    if agent is None or not agent.startswith("Mozilla/5.0 (Windows NT 10.0) Chrome/"):
        assert (facts["browser"], facts["os"]) == ("unknown", "unknown")
    for word in ("approve", "office", "svg", "办公", "\U0001f512"):
        assert word not in answer.text.lower()


@pytest.mark.attack("P8")
async def test_one_scan_gives_a_session_of_the_browser_and_no_more(caller: Caller, crowd: Crowd) -> None:
    """The cookie ends with the browser, the phone was told for how long at most; the page gets no token to keep."""
    phone = await crowd.phone(caller)
    browser = Browser(caller)
    scanned = await phone.takes(await browser.screen())
    assert scanned["request"]["session_lifetime"] <= 12 * 60 * 60
    code = (await phone.confirm(scanned)).json()["code"]
    answer = await browser.redeem((await browser.message("approved"))["grant"], code)
    assert set(answer.json()) == {"next"}
    assert answer.json()["next"].startswith("/")
    (cookie,) = [line for line in answer.cookies if line.startswith(caller.to.cookie("bjidp_session"))]
    assert not {"max-age", "expires"} & {part.strip().partition("=")[0].lower() for part in cookie.split(";")[1:]}
    assert (await caller.send("GET", "/mp/v1/account", headers=browser.headers())).verdict == (401, "token_invalid")
    bearer = {"Authorization": f"Bearer {browser.session}"}
    assert (await caller.send("GET", "/mp/v1/account", headers=bearer)).verdict == (401, "token_invalid")


@pytest.mark.attack("P8")
async def test_a_session_ends_at_its_time_however_much_it_is_used(
    variant: Callable[[str], Deployment], crowd: Crowd
) -> None:
    """The lifetime is absolute: using the session does not prolong it."""
    async with Caller(variant("hasty")) as caller:
        browser = await logged_in(caller, await crowd.phone(caller))
        assert await browser.who()

        async def is_out() -> bool:
            return await browser.who() is None

        await until(is_out, within=4 + 4)


@pytest.mark.attack("P9")
async def test_without_the_phones_two_digits_nobody_is_logged_in(
    variant: Callable[[str], Deployment], crowd: Crowd
) -> None:
    """The code goes from the phone to the computer only: no answer to the page holds it, no redeem does without it."""
    async with Caller(variant("coded")) as phones, Caller(variant("coded")) as caller:
        phone = await crowd.phone(phones)
        ready = await approved(caller, phone.through(phones))
        assert ready.code is not None
        assert len(ready.code) == 2
        assert ready.code.isdecimal()
        told = [answer.json() for answer in caller.heard if answer.header("Content-Type") == "application/json"]
        assert any(message["type"] == "approved" and message["code_required"] is True for message in told)
        assert not [message for message in told if "code" in message or ready.code in message.values()]
        missing = await ready.browser.redeem(ready.grant)
        assert missing.verdict == (422, "code_wrong")
        assert missing.json()["tries_left"] == 3
        for malformed in ("", "7", "007", "x7", "７7", ready.code + "\n"):
            assert (await ready.browser.redeem(ready.grant, malformed)).verdict == (400, "invalid_request")
        assert (await ready.browser.redeem(ready.grant, ready.code)).status == 200


@pytest.mark.attack("P9")
async def test_three_wrong_codes_end_the_ticket(variant: Callable[[str], Deployment], crowd: Crowd) -> None:
    """Each try is counted before it is compared; after the third not even the right code is good."""
    async with Caller(variant("coded")) as caller:
        phone = await crowd.phone(caller)
        ready = await approved(caller, phone)
        assert ready.code is not None
        wrong = f"{(int(ready.code) + 1) % 100:02d}"
        left = []
        for _ in range(3):
            answer = await ready.browser.redeem(ready.grant, wrong)
            assert answer.verdict == (422, "code_wrong")
            assert not answer.cookies
            left.append(answer.json()["tries_left"])
        assert left == [2, 1, 0]
        assert (await ready.browser.redeem(ready.grant, ready.code)).verdict == (404, "ticket_unknown")
        message = (await ready.browser.events()).json()
        assert (message["type"], message["reason"]) == ("rejected", "code")
        scan = await phone.scan(ready.screen)
        assert scan.verdict == (409, "ticket_closed")


@pytest.mark.attack("P9", "Q4")
async def test_guesses_in_the_same_instant_share_no_try(variant: Callable[[str], Deployment], crowd: Crowd) -> None:
    """Of all hundred codes sent at once, at most three are compared."""
    async with Caller(variant("coded")) as caller:
        ready = await approved(caller, await crowd.phone(caller))
        headers = ready.browser.headers(caller.to.url) | {"Content-Type": "application/json"}
        guesses = [
            request(
                caller.to,
                "POST",
                "/qr/redeem",
                headers=headers,
                body=as_json({"grant": ready.grant, "code": f"{number:02d}"}),
            )
            for number in range(100)
            if f"{number:02d}" != ready.code
        ]
        answers = await at_once(caller.to, guesses)
        verdicts = Counter(answer.verdict for answer in answers)
        assert verdicts == {(422, "code_wrong"): 3, (404, "ticket_unknown"): 57, (429, "rate_limited"): 39}
        message = (await ready.browser.events()).json()
        assert (message["type"], message["reason"]) == ("rejected", "code")
