"""The city's own interface over HTTP: sites that are integrated with it change the host and nothing else (RP-5)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
import pytest

from bjidp.accounts.ports import Evidence
from bjidp.config import settings as config
from bjidp.config.settings import Settings
from bjidp.oidc.beijing.sealing import WINDOW, opened, sealed
from bjidp.oidc.beijing.telling import toon_number
from bjidp.oidc.metadata import read
from bjidp.oidc.pkce import challenge_of
from bjidp.oidc.ports import RegisteredClient
from bjidp.person import DocumentType, Person
from bjidp.proofing.ports import NewIdentity
from bjidp.proofing.terms import UNSTATED
from bjidp.secret import Secret
from tests.support.calls import Answer, Caller
from tests.support.forms import form_of, send
from tests.support.members import PHONE, USERNAME, enrolled
from tests.support.owner import Owner
from tests.support.program import Program
from tests.web.conftest import StartProgram

pytestmark = pytest.mark.req("RP-5")

ID, SECRET = "100100000001", "00112233445566778899aabbccddeeff"
CALLBACK = "https://service.example/callback"
OTHER = "https://service.example/other"
METADATA: dict[str, object] = {
    "client_name": "社保查询",
    "client_uri": "https://service.example/",
    "redirect_uris": [CALLBACK, OTHER],
    "interface": "beijing",
}
REQUEST = {
    "client_id": ID,
    "redirect_uri": CALLBACK,
    "response_type": "code",
    "scope": "user_info",
    "state": "s1",
}
ZHANG = Person(DocumentType.RESIDENT_ID, "张三", "11010519491231002X")
FORM = "application/x-www-form-urlencoded"


def configured(usual: Settings) -> Settings:
    return msgspec.structs.replace(usual, beijing=config.Beijing(enabled=True))


class Site:
    """A site of the interface, and somebody who is logged in here."""

    def __init__(self, program: Program, caller: Caller, owner: Owner) -> None:
        self.program = program
        self.caller = caller
        self.owner = owner
        self._serial = 0

    def auth_token(self, secret: str = SECRET, off: int = 0) -> str:
        """Return a fresh ``auth_token``."""
        self._serial += 1
        return sealed(f"{ID}:{secret}:{self.program.clock.now() + off + self._serial}", secret)

    async def post(self, path: str, **fields: str) -> Answer:
        sent = {"Host": self.caller.to.authority, "Content-Type": FORM}
        return await self.caller.send("POST", f"/renzheng{path}", headers=sent, body=urlencode(fields).encode())

    async def get(self, path: str, **fields: str) -> Answer:
        where = f"/renzheng{path}?{urlencode(fields)}"
        return await self.caller.send("GET", where, headers={"Host": self.caller.to.authority})

    async def code(self) -> str:
        """Send the user, who agrees where they are asked; return the code they bring."""
        browser = self.owner.browser
        begun = await browser.get(f"/renzheng/open/login/goUserLogin?{urlencode(REQUEST)}")
        page = str(begun.header("Location"))
        assert (begun.status, page.partition("=")[0]) == (303, "/oauth/continue?request")
        shown = await browser.get(page)
        if shown.status == 200:
            assert "社保查询" in shown.text
            assert "<li>民族</li>" in shown.text
            await send(browser, form_of(shown, "/oauth/continue"), "agree")
            shown = await browser.get(page)
        where = urlsplit(str(shown.header("Location")))
        told = dict(parse_qsl(where.query))
        assert set(told) == {"code", "state"}
        assert (f"{where.scheme}://{where.netloc}{where.path}", told["state"]) == (CALLBACK, "s1")
        return told["code"]

    async def exchange(self, code: str, **change: str) -> Answer:
        fields = {
            "client_id": ID,
            "grant_type": "authorization_code",
            "grant_code": code,
            "auth_token": self.auth_token(),
        }
        return await self.post("/api/oauth/getAccessToken", **(fields | change))

    async def token(self) -> str:
        return str(data(await self.exchange(await self.code()))["access_token"])


def data(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200, answer
    found = answer.json()
    assert found["meta"] == {"code": 0, "message": "success"}, found
    return dict(found["data"] or {})


def refused(answer: Answer) -> int:
    found = answer.json()
    assert set(found) == {"meta"}
    assert set(found["meta"]) == {"code", "message"}
    assert answer.status == 200
    return int(found["meta"]["code"])


async def register(program: Program) -> None:
    registered = RegisteredClient(read(ID, METADATA), None, Secret(SECRET))
    text = msgspec.json.encode(METADATA).decode()
    await program.rooms.stores.relying_parties.add(registered, text, program.clock.now())


@pytest.fixture
async def site(start_program: StartProgram) -> Site:
    program = await start_program(settings=configured)
    await register(program)
    owner = await Owner.of(program, (await enrolled(program)).account)
    return Site(program, await program.caller(), owner)


async def proves(site: Site) -> None:
    """Let the user prove who they are."""
    [(account,)] = site.program.sql("SELECT id FROM account")
    new = NewIdentity(
        person=ZHANG, evidence=Evidence.FACE, evidence_reference="e", authority_reference="a", term=UNSTATED
    )
    await site.program.rooms.stores.identities.prove(account, new, site.program.clock.now(), was=None)


async def test_a_site_exchanges_a_code_and_reads_who_came(site: Site) -> None:
    await proves(site)
    given = data(await site.exchange(await site.code()))
    assert set(given) == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert given["expires_in"] == site.program.clock.now() + 3_600_000
    told = data(await site.get("/api/info/getUserInfo", access_token=given["access_token"]))
    assert {name: told[name] for name in ("certName", "certNoType", "certNoTypeName", "certLevel", "sex")} == {
        "certName": "张三",
        "certNoType": "1",
        "certNoTypeName": "中国居民身份证",
        "certLevel": "L3",
        "sex": 1,
    }
    assert told["certNo"] == "89555bc8ffbbd9918c0dbb574ef42b9f2f750f599d9c191300c56ff1ee599937"
    assert opened(told["certNo"], SECRET) == ZHANG.number
    assert (told["userName"], told["mobile"], told["birthDay"]) == (USERNAME, PHONE, "19491231")
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", told["uniqueId"])
    assert re.fullmatch(r"\d{12}", told["toonNo"])
    assert data(await site.post("/api/info/getUserInfo", access_token=given["access_token"])) == told


async def test_who_has_proved_nothing_is_told_without_a_name(site: Site) -> None:
    told = data(await site.get("/api/info/getUserInfo", access_token=await site.token()))
    # What was agreed to is what 授权管理 shows of it.
    assert "<li>民族</li>" in (await site.owner.get("/centre/sites")).text
    assert (told["certLevel"], told["certName"], told["certNo"], told["certNoType"]) == ("L1", "", "", "")


async def test_a_person_is_the_same_at_every_login_and_has_another_name_elsewhere(site: Site) -> None:
    first, second = [data(await site.get("/api/info/getUserInfo", access_token=await site.token())) for _ in range(2)]
    assert (first["uniqueId"], first["toonNo"]) == (second["uniqueId"], second["toonNo"])
    assert toon_number("A" * 22) != toon_number("B" + "A" * 21)


@pytest.mark.parametrize("path", ["/open/m/login/goUserLogin", "/open/auth/authorize"])
async def test_phones_are_led_to_the_pages_made_for_them(site: Site, path: str) -> None:
    fields = urlencode(REQUEST | {"toonType": "102", "personToken": "p" * 256, "localCheck": "1"})
    begun = await site.owner.browser.get(f"/renzheng{path}?{fields}")
    assert str(begun.header("Location")).startswith("/h5/oauth/continue?request=")


async def test_whoever_holds_a_person_token_is_nobody(site: Site) -> None:
    stranger = await site.program.browser()
    fields = urlencode(REQUEST | {"personToken": "p" * 256})
    begun = await stranger.get(f"/renzheng/open/auth/authorize?{fields}")
    shown = await stranger.get(str(begun.header("Location")))
    assert (shown.status, shown.header("Location")) == (303, "/h5/login")


@pytest.mark.attack("T4")
@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uri": f"{CALLBACK}/"},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": ""},
        {"state": ""},
        {"state": "x" * 65_000},
        {"state": "状态"},
        {"response_type": "token"},
        {"scope": "openid"},
        {"client_id": "portal"},
        {"client_id": ""},
    ],
)
async def test_a_request_that_is_not_the_interfaces_is_a_page_and_leads_nowhere(
    site: Site, change: dict[str, str]
) -> None:
    answer = await site.owner.browser.get(f"/renzheng/open/login/goUserLogin?{urlencode(REQUEST | change)}")
    assert answer.status in {400, 414}, answer
    assert answer.header("Location") is None
    twice = await site.owner.browser.get(f"/renzheng/open/login/goUserLogin?{urlencode(REQUEST)}&state=s2")
    assert (twice.status, twice.header("Location")) == (400, None)


async def test_an_auth_token_is_the_clients_own_new_and_used_once(site: Site) -> None:
    code, once = await site.code(), site.auth_token()
    minute = 60_000
    for wrong in (
        site.auth_token(secret="ff" * 16),
        site.auth_token(off=-6 * minute),
        site.auth_token(off=6 * minute),
        sealed(f"{ID}:{SECRET}:{site.program.clock.now()}:more", SECRET),
        sealed(f"100100000002:{SECRET}:{site.program.clock.now()}", SECRET),
        "zz",
        "",
    ):
        assert refused(await site.exchange(code, auth_token=wrong)) == 50002, wrong
    assert refused(await site.exchange("unknown", auth_token=once)) == 50003
    assert refused(await site.exchange(code, auth_token=once)) == 50002
    # It proves the secret; one that is sent beside it must not be another.
    assert refused(await site.exchange(code, client_secret="ff" * 16)) == 50002
    data(await site.exchange(code, auth_token=site.auth_token(off=-4 * minute), client_secret=SECRET))


@pytest.mark.attack("T5")
async def test_of_twenty_exchanges_one_succeeds_and_a_replay_ends_its_token(site: Site) -> None:
    code = await site.code()
    answers = await asyncio.gather(*(site.exchange(code) for _ in range(20)))
    [given] = [answer for answer in answers if answer.json()["meta"]["code"] == 0]
    token = data(given)["access_token"]
    late = {refused(answer) for answer in answers if answer is not given}
    assert late == {50003}
    # Of those that came after the answer was kept each is a replay; another one surely is.
    assert refused(await site.exchange(code)) == 50003
    assert refused(await site.get("/api/info/getUserInfo", access_token=token)) == 50004


@pytest.mark.attack("T4")
@pytest.mark.parametrize("address", ["https://evil.example/", OTHER, f"{CALLBACK}/", f"{CALLBACK}?"])
async def test_an_address_that_is_sent_again_is_the_one_that_the_code_went_to(site: Site, address: str) -> None:
    code = await site.code()
    assert refused(await site.exchange(code, redirect_uri=address)) == 50003
    data(await site.exchange(code, redirect_uri=CALLBACK))


async def test_a_code_is_over_after_a_minute(site: Site) -> None:
    code = await site.code()
    site.program.clock.advance(60)
    assert refused(await site.exchange(code, redirect_uri=CALLBACK)) == 50003


@pytest.mark.attack("T3")
async def test_a_log_out_at_the_site_ends_the_session_and_its_tokens(site: Site) -> None:
    token = await site.token()
    assert data(await site.get("/api/login/getSSOStatus", access_token=token)) == {"status": True}
    data(await site.get("/api/login/doSSOLogout", access_token=token))
    assert data(await site.get("/api/login/getSSOStatus", access_token=token)) == {"status": False}
    assert refused(await site.get("/api/info/getUserInfo", access_token=token)) == 50004
    assert (await site.owner.get("/centre")).status == 303


@pytest.mark.attack("T3")
async def test_a_locked_account_is_read_no_more(site: Site) -> None:
    token = await site.token()
    site.program.sql("UPDATE account SET status = 'locked'")
    assert refused(await site.get("/api/info/getUserInfo", access_token=token)) == 50004


async def test_a_token_is_over_after_an_hour(site: Site) -> None:
    token = await site.token()
    site.program.clock.advance(3_600)
    assert refused(await site.get("/api/info/getUserInfo", access_token=token)) == 50004


async def test_neither_side_takes_what_the_other_gave(site: Site) -> None:
    token, code = await site.token(), await site.code()
    asked = {"Host": site.caller.to.authority, "Authorization": f"Bearer {token}"}
    assert (await site.caller.send("GET", "/oauth/userinfo", headers=asked)).status == 401
    for proof in ({"client_id": ID}, {"client_id": ID, "client_secret": SECRET}):
        fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK} | proof
        sent = {"Host": site.caller.to.authority, "Content-Type": FORM}
        answer = await site.caller.send("POST", "/oauth/token", headers=sent, body=urlencode(fields).encode())
        assert (answer.status, answer.json()["error"]) == (401, "invalid_client")
    for path in ("/oauth/par", "/oauth/device", "/oauth/introspect", "/oauth/revoke"):
        sent = {"Host": site.caller.to.authority, "Content-Type": FORM}
        answer = await site.caller.send("POST", path, headers=sent, body=urlencode(REQUEST | {"token": token}).encode())
        assert answer.status == 401, path
    for path in ("authorize", "logout"):
        page = await site.owner.browser.get(f"/oauth/{path}?{urlencode(REQUEST | {'scope': 'openid'})}")
        assert (page.status, page.header("Location")) == (400, None), path


@pytest.mark.attack("T5")
@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/par", "/oauth/device", "/oauth/introspect", "/oauth/revoke"])
async def test_a_site_of_the_interface_proves_nothing_at_openid_connect_whatever_is_kept_of_it(
    site: Site, path: str
) -> None:
    # As a row would be that was written by hand: with a digest that its secret fits.
    digest = hashlib.sha256(SECRET.encode()).digest()
    site.program.sql("UPDATE relying_party SET secret = ? WHERE id = ?", digest, ID)
    basic = base64.b64encode(f"{ID}:{SECRET}".encode()).decode()
    sent = {"Host": site.caller.to.authority, "Content-Type": FORM, "Authorization": f"Basic {basic}"}
    body = urlencode({"grant_type": "authorization_code", "code": "c", "token": "t"}).encode()
    answer = await site.caller.send("POST", path, headers=sent, body=body)
    assert (answer.status, answer.json()["error"]) == (401, "invalid_client")


async def test_a_site_of_openid_connect_is_none_of_the_interfaces(site: Site) -> None:
    openid = {name: METADATA[name] for name in METADATA if name != "interface"}
    registered = RegisteredClient(read("portal", openid), None)
    await site.program.rooms.stores.relying_parties.add(
        registered, msgspec.json.encode(openid).decode(), site.program.clock.now()
    )
    page = await site.owner.browser.get(
        f"/renzheng/open/login/goUserLogin?{urlencode(REQUEST | {'client_id': 'portal'})}"
    )
    assert (page.status, page.header("Location")) == (400, None)
    assert refused(await site.exchange("c", client_id="portal")) == 50002


@pytest.mark.parametrize(
    "body",
    [b"", b"=", b"&&&", b"a=%ff", b"access_token=1&access_token=2", "access_token=密".encode(), b"a" * 60_000],
)
@pytest.mark.parametrize("path", ["/api/oauth/getAccessToken", "/api/info/getUserInfo", "/api/login/doSSOLogout"])
async def test_no_body_makes_the_server_fail(site: Site, path: str, body: bytes) -> None:
    sent = {"Host": site.caller.to.authority, "Content-Type": FORM}
    answer = await site.caller.send("POST", f"/renzheng{path}", headers=sent, body=body)
    assert answer.status in {200, 413}
    if answer.status == 200:
        assert refused(answer) in {50001, 50002, 50004}
    assert refused(await site.post(f"{path}?access_token=x", access_token="y")) in {50001, 50002, 50004}


async def test_nothing_of_the_interface_is_in_a_log(
    site: Site, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level("DEBUG"):
        code = await site.code()
        token = data(await site.exchange(code))["access_token"]
        await site.get("/api/info/getUserInfo", access_token=token)
        await site.get("/api/login/getSSOStatus", access_token="wrong-token")
        await site.owner.browser.get(f"/renzheng/open/login/goUserLogin?{urlencode(REQUEST | {'state': ''})}")
    written = caplog.text + "".join(capsys.readouterr())
    for secret in ("renzheng", "wrong-token", code, token):
        assert secret not in written


async def test_what_should_not_happen_has_the_number_that_sites_know_and_leaves_no_address_in_a_log(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    code, token, auth_token = await site.code(), await site.token(), site.auth_token()

    async def breaks(*shown: object) -> None:
        raise RuntimeError(f"https://id.example/renzheng {shown}")

    stores = site.program.rooms.stores
    for kept in (stores.beijing_tokens, stores.used_assertions, stores.relying_parties):
        for call in ("add", "get", "find"):
            monkeypatch.setattr(kept, call, breaks, raising=False)
    with caplog.at_level("DEBUG"):
        answers = [
            await site.exchange(code, auth_token=auth_token),
            await site.get("/api/info/getUserInfo", access_token=token),
            await site.get("/api/login/doSSOLogout", access_token=token),
        ]
        page = await site.owner.browser.get(f"/renzheng/open/login/goUserLogin?{urlencode(REQUEST)}")
    for answer in answers:
        assert (answer.status, answer.json()) == (500, {"meta": {"code": 59999, "message": "未知异常"}})
    assert page.status == 500
    written = caplog.text + "".join(capsys.readouterr())
    assert written.count("unhandled_error") == 4
    for secret in ("renzheng", code, token, auth_token, SECRET, "s1"):
        assert secret not in written


@pytest.mark.attack("T5")
async def test_a_code_goes_by_the_interface_it_was_asked_for_whatever_its_client_is_by_now(site: Site) -> None:
    code = await site.code()
    openid = {name: METADATA[name] for name in METADATA if name != "interface"} | {"token_endpoint_auth_method": "none"}
    kept = [msgspec.json.encode(openid).decode(), ID]
    site.program.sql("UPDATE relying_party SET metadata = ? WHERE id = ?", *kept)
    sent = {"Host": site.caller.to.authority, "Content-Type": FORM}
    shown = {"grant_type": "authorization_code", "client_id": ID, "code": code}
    for more in ({}, {"redirect_uri": CALLBACK}, {"redirect_uri": CALLBACK, "code_verifier": "v" * 43}):
        body = urlencode(shown | more).encode()
        answer = await site.caller.send("POST", "/oauth/token", headers=sent, body=body)
        assert (answer.status, answer.json()["error"]) == (400, "invalid_grant"), more


@pytest.mark.attack("T5")
async def test_a_code_of_openid_connect_is_none_of_the_interfaces_whatever_its_client_is_by_now(site: Site) -> None:
    openid = {name: METADATA[name] for name in METADATA if name != "interface"} | {"scope": "openid profile"}
    change = "UPDATE relying_party SET metadata = ? WHERE id = ?"
    site.program.sql(change, msgspec.json.encode(openid).decode(), ID)
    asked = urlencode(
        {
            "client_id": ID,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "openid",
            "state": "s1",
            "code_challenge": challenge_of("v" * 43),
            "code_challenge_method": "S256",
        }
    )
    browser = site.owner.browser
    begun = await browser.get(f"/oauth/authorize?{asked}")
    page = str(begun.header("Location"))
    await send(browser, form_of(await browser.get(page), "/oauth/continue"), "agree")
    back = dict(parse_qsl(urlsplit(str((await browser.get(page)).header("Location"))).query))
    site.program.sql(change, msgspec.json.encode(METADATA).decode(), ID)
    for more in ({}, {"redirect_uri": CALLBACK}, {"redirect_uri": CALLBACK, "code_verifier": "v" * 43}):
        assert refused(await site.exchange(back["code"], **more)) == 50003, more


async def test_an_auth_token_that_was_made_ahead_of_time_serves_once_for_as_long_as_it_counts(site: Site) -> None:
    ahead = sealed(f"{ID}:{SECRET}:{site.program.clock.now() + WINDOW}", SECRET)
    assert refused(await site.exchange("unknown", auth_token=ahead)) == 50003
    site.program.clock.advance(2 * WINDOW / 1_000)
    assert refused(await site.exchange("unknown", auth_token=ahead)) == 50002


async def test_where_it_is_not_configured_there_is_nothing(start_program: StartProgram) -> None:
    program = await start_program()
    await register(program)
    browser, caller = await program.browser(), await program.caller()
    assert (await browser.get(f"/renzheng/open/login/goUserLogin?{urlencode(REQUEST)}")).status == 404
    for path in ("oauth/getAccessToken", "info/getUserInfo", "login/getSSOStatus", "login/doSSOLogout"):
        sent = {"Host": caller.to.authority, "Content-Type": FORM}
        assert (await caller.send("POST", f"/renzheng/api/{path}", headers=sent, body=b"")).status == 404


async def test_neither_tokens_nor_codes_are_what_they_are_kept_under(site: Site) -> None:
    code, auth_token = await site.code(), site.auth_token()
    token = str(data(await site.exchange(code, auth_token=auth_token))["access_token"])
    stores = site.program.rooms.stores
    assert await stores.beijing_tokens.get(token) is None
    assert await stores.used_assertions.get(auth_token) is None
    assert await stores.authorization_codes.get(code) is None


async def test_the_secret_is_kept_sealed(site: Site) -> None:
    [(before,)] = site.program.sql("SELECT shared_sealed FROM relying_party")
    assert SECRET.encode() not in before
    assert bytes.fromhex(SECRET) not in before
    found = await site.program.rooms.stores.relying_parties.find(ID)
    assert found is not None
    assert found.shared == Secret(SECRET)
