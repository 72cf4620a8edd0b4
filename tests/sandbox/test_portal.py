"""首都之窗 against an issuer made by hand: what it asks for, and what it does not believe."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import jwt
import pytest
from aiohttp import ClientResponse, CookieJar, web
from aiohttp.test_utils import TestClient, TestServer
from cryptography.hazmat.primitives.asymmetric import ec

from bjidp.sandbox.clock import HOUR, SECOND, ManualClock, SystemClock
from bjidp.sandbox.entropy import SeededEntropy
from bjidp.sandbox.portal import PortalSettings, build_portal
from bjidp.sandbox.portal.services import metadata
from tests.vendors.stand import Reply, Seen, Stand

pytestmark = pytest.mark.req("RP-4")

PORTAL = "http://localhost:8082"
KEY, OTHER = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
BASIC = "Basic " + base64.b64encode(b"portal:secret").decode()
EVENT = "http://schemas.openid.net/event/backchannel-logout"


@dataclass
class Issuer(Stand):
    """An identity server that says what a test wants it to say."""

    requests: list[dict[str, str]] = field(default_factory=list)
    claims: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=lambda: {"sub": "s1", "nickname": "张**"})
    key: ec.EllipticCurvePrivateKey = KEY
    members: dict[str, Any] = field(default_factory=dict)
    scope: str = "openid profile phone"
    rotates: bool = False
    """Whether each answer has a refresh token: r1, then r2."""

    def replies(self) -> dict[str, Reply]:
        return {
            "/.well-known/openid-configuration": lambda _: web.json_response(self.metadata()),
            "/keys": lambda _: web.json_response({"keys": [jwk(KEY, "k1")]}),
            "/par": self._push,
            "/token": self._token,
            "/userinfo": lambda _: web.json_response(self.userinfo),
            "/revoke": lambda _: web.json_response({}),
        }

    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "pushed_authorization_request_endpoint": f"{self.address}/par",
            "token_endpoint": f"{self.address}/token",
            "userinfo_endpoint": f"{self.address}/userinfo",
            "revocation_endpoint": f"{self.address}/revoke",
            "end_session_endpoint": f"{self.address}/logout",
            "jwks_uri": f"{self.address}/keys",
            "id_token_signing_alg_values_supported": ["ES256"],
            "authorization_response_iss_parameter_supported": True,
            **self.members,
        }

    def id_token(self, **claims: object) -> str:
        now = SystemClock().now() // SECOND
        told = {
            "iss": self.address,
            "sub": "s1",
            "aud": "portal",
            "iat": now,
            "exp": now + 600,
            "auth_time": now,
            "acr": "L2",
            "amr": ["qr"],
            "sid": "sid-1",
        }
        return jwt.encode(told | self.claims | claims, self.key, "ES256", {"kid": "k1"})

    def logout_token(self, kind: str | None = "logout+jwt", **claims: object) -> str:
        now = SystemClock().now() // SECOND
        told = {
            "iss": self.address,
            "aud": "portal",
            "iat": now,
            "exp": now + 120,
            "jti": "j1",
            "events": {EVENT: {}},
            "sub": "s1",
            "sid": "sid-1",
        }
        kept = {name: value for name, value in (told | claims).items() if value is not None}
        return jwt.encode(kept, self.key, "ES256", {"kid": "k1", **({} if kind is None else {"typ": kind})})

    def _push(self, seen: Seen) -> web.Response:
        self.requests.append(seen.form)
        return web.json_response({"request_uri": f"urn:x:{len(self.requests)}", "expires_in": 90}, status=201)

    def _token(self, seen: Seen) -> web.Response:
        nonce = {"nonce": self.requests[-1]["nonce"]} if seen.form["grant_type"] == "authorization_code" else {}
        more = {"refresh_token": f"r{len(self.calls('/token'))}"} if self.rotates else {}
        return web.json_response(
            {
                "access_token": "a1",
                "token_type": "Bearer",
                "expires_in": 300,
                "scope": self.scope,
                "id_token": self.id_token(**{**nonce, **self.claims}),
                **more,
            }
        )


def jwk(key: ec.EllipticCurvePrivateKey, kid: str) -> dict[str, Any]:
    public: dict[str, Any] = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**public, "kid": kid, "alg": "ES256", "use": "sig"}


@dataclass
class Visit:
    """Somebody's browser at the portal."""

    http: TestClient[web.Request, web.Application]
    issuer: Issuer
    clock: ManualClock

    async def get(self, path: str) -> ClientResponse:
        return await self.http.get(path, allow_redirects=False)

    async def words(self, path: str) -> str:
        return await (await self.get(path)).text()

    async def begins(self, service: str = "me") -> dict[str, str]:
        """Go to the server; return the request that was pushed."""
        answer = await self.get(f"/login?for={service}")
        assert answer.status == 303
        assert answer.headers["Location"].startswith(f"{self.issuer.address}/authorize?")
        assert set(parse_qs(urlsplit(answer.headers["Location"]).query)) == {"client_id", "request_uri"}
        return self.issuer.requests[-1]

    async def comes_back(self, **answer: str) -> ClientResponse:
        """Come back from the server with a code, but for what ``answer`` says otherwise."""
        told = {"code": "c1", "state": self.issuer.requests[-1]["state"], "iss": self.issuer.address} | answer
        return await self.http.get("/login/callback", params=told, allow_redirects=False)

    async def logs_in(self, service: str = "me") -> None:
        await self.begins(service)
        answer = await self.comes_back()
        assert answer.status == 303, await answer.text()

    async def posts(self, path: str, **form: str) -> ClientResponse:
        """Send the form of a page, with its token unless ``form`` has another."""
        found = re.search(r'name="csrf" value="([^"]+)"', await self.words("/"))
        csrf = {} if found is None else {"csrf": found[1]}
        return await self.http.post(path, data=csrf | form, allow_redirects=False)

    async def told(self, token: str) -> int:
        """Let the server tell of a log-out; return the portal's status."""
        answer = await self.http.post("/backchannel-logout", data={"logout_token": token})
        assert answer.headers["Cache-Control"] == "no-store"
        return answer.status

    async def is_in(self) -> bool:
        return "登录信息" in await self.words("/me")


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    issuer = Issuer()
    async with issuer.open():
        yield issuer


@pytest.fixture
async def visit(issuer: Issuer) -> AsyncIterator[Visit]:
    clock = ManualClock(SystemClock().now())
    settings = PortalSettings(
        clock=clock,
        entropy=SeededEntropy("portal"),
        base_url=PORTAL,
        issuer=issuer.address,
        client_id="portal",
        client_secret="secret",
        side_by_side_url="http://127.0.0.1:8081/",
    )
    async with TestClient(TestServer(build_portal(settings)), cookie_jar=CookieJar(unsafe=True)) as http:
        yield Visit(http, issuer, clock)


async def test_a_login_is_asked_for_with_everything_that_binds_it(visit: Visit) -> None:
    asked = await visit.begins("fund")
    assert asked["redirect_uri"] == f"{PORTAL}/login/callback"
    assert asked["redirect_uri"] in metadata(PORTAL)["redirect_uris"]  # type: ignore[operator]
    assert (asked["response_type"], asked["acr_values"]) == ("code", "L3")
    assert asked["scope"].split() == ["openid", "profile", "phone", "identity"]
    assert asked["code_challenge_method"] == "S256"
    assert min(len(asked["state"]), len(asked["nonce"])) >= 20
    (pushed,) = visit.issuer.calls("/par")
    assert pushed.headers["Authorization"] == BASIC
    await visit.comes_back()
    (exchanged,) = visit.issuer.calls("/token")
    assert exchanged.form["code"] == "c1"
    assert exchanged.headers["Authorization"] == BASIC


async def test_without_pushed_requests_the_request_goes_by_the_address(visit: Visit) -> None:
    visit.issuer.members["pushed_authorization_request_endpoint"] = None
    answer = await visit.get("/login")
    asked = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
    assert (asked["client_id"], asked["code_challenge_method"]) == ("portal", "S256")


async def test_the_cookie_is_a_new_one_at_each_login_and_no_script_reads_it(visit: Visit) -> None:
    cookies = []
    for _ in range(2):
        await visit.begins()
        answer = await visit.comes_back()
        assert answer.headers["Location"] == "/me"
        cookies.append(answer.cookies["portal_session_8082"])
    assert cookies[0].value != cookies[1].value
    assert cookies[0]["httponly"]
    assert cookies[0]["samesite"] == "Lax"
    # Whoever has the first one has nothing: its tokens were given back.
    assert len(visit.issuer.calls("/revoke")) == 1


async def test_a_state_counts_once_and_in_the_browser_that_was_sent_alone(visit: Visit) -> None:
    await visit.begins()
    state = visit.issuer.requests[-1]["state"]
    mine = {cookie.key: cookie.value for cookie in visit.http.session.cookie_jar}
    visit.http.session.cookie_jar.clear()
    assert "这次登录已失效" in await (await visit.comes_back()).text()
    visit.http.session.cookie_jar.update_cookies(mine)
    assert (await visit.comes_back(state=state)).status == 303
    assert "这次登录已失效" in await (await visit.comes_back(state=state)).text()
    assert len(visit.issuer.calls("/token")) == 1


async def test_a_login_that_takes_too_long_begins_again(visit: Visit) -> None:
    await visit.begins()
    visit.clock.advance(30 * 60)
    assert "这次登录已失效" in await (await visit.comes_back()).text()


@pytest.mark.parametrize("answer", [{"iss": "https://evil.example"}, {"iss": ""}])
async def test_an_answer_of_another_server_is_not_taken(visit: Visit, answer: dict[str, str]) -> None:
    await visit.begins()
    assert "登录没有完成" in await (await visit.comes_back(**answer)).text()
    assert visit.issuer.calls("/token") == []


async def test_a_server_that_says_it_is_another_is_not_gone_to(visit: Visit) -> None:
    visit.issuer.members["issuer"] = "https://evil.example"
    assert "登录没有完成" in await visit.words("/login")
    assert visit.issuer.requests == []


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"aud": "another"},
        {"iss": "https://evil.example"},
        {"exp": 1},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
        {"sub": "s2"},
    ],
)
async def test_an_id_token_that_is_not_about_this_login_logs_nobody_in(visit: Visit, claims: dict[str, Any]) -> None:
    visit.issuer.claims = claims
    await visit.begins()
    assert "收到的登录结果不可信" in await (await visit.comes_back()).text()
    assert not await visit.is_in()


async def test_an_id_token_that_somebody_else_signed_logs_nobody_in(visit: Visit) -> None:
    visit.issuer.key = OTHER
    await visit.begins()
    assert "收到的登录结果不可信" in await (await visit.comes_back()).text()


async def test_a_login_below_what_a_service_needs_is_none_for_it(visit: Visit) -> None:
    await visit.begins("fund")
    assert "您的认证等级还不够" in await (await visit.comes_back()).text()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("access_denied", "您没有同意授权"),
        ("unmet_authentication_requirements", "您的认证等级还不够"),
        ("login_required", "您还没有登录"),
        ("temporarily_unavailable", "统一身份认证平台正忙"),
        ("<b>anything</b>", "统一身份认证平台没有完成这次登录"),
    ],
)
async def test_what_the_server_refuses_is_said_in_words(visit: Visit, error: str, words: str) -> None:
    await visit.begins("fund")
    text = await (await visit.comes_back(error=error)).text()
    assert words in text
    assert "<b>" not in text
    assert 'href="/login?for=fund"' in text


async def test_a_server_that_does_not_answer_is_said_to_be_out_of_reach(visit: Visit) -> None:
    visit.issuer.lie("/.well-known/openid-configuration", b"oops", status=503)
    assert "暂时连接不上统一身份认证平台" in await visit.words("/login")
    visit.issuer.lies.clear()
    await visit.begins()
    visit.issuer.lie("/token", b"oops", status=502)
    assert "暂时连接不上统一身份认证平台" in await (await visit.comes_back()).text()


async def test_a_refresh_brings_what_is_true_now_and_the_next_token(visit: Visit) -> None:
    visit.issuer.rotates = True
    await visit.logs_in("reminders")
    assert visit.issuer.requests[-1]["prompt"] == "consent"
    visit.issuer.userinfo["nickname"] = "李**"
    assert (await visit.posts("/me/refresh")).headers["Location"] == "/me"
    assert "李**" in await visit.words("/me")
    await visit.posts("/me/refresh")
    assert [seen.form.get("refresh_token") for seen in visit.issuer.calls("/token")] == [None, "r1", "r2"]


async def test_two_tabs_that_refresh_at_once_use_no_token_twice(visit: Visit) -> None:
    visit.issuer.rotates = True
    await visit.logs_in("reminders")
    await asyncio.gather(visit.posts("/me/refresh"), visit.posts("/me/refresh"))
    assert [seen.form.get("refresh_token") for seen in visit.issuer.calls("/token")] == [None, "r1", "r2"]


async def test_a_refresh_that_is_refused_ends_the_session_in_words(visit: Visit) -> None:
    visit.issuer.rotates = True
    await visit.logs_in()
    visit.issuer.lie("/token", {"error": "invalid_grant"}, status=400)
    assert "您已退出登录" in await (await visit.posts("/me/refresh")).text()
    assert not await visit.is_in()


async def test_without_a_refresh_token_the_server_is_asked_again_and_who_logged_out_there_logs_in(visit: Visit) -> None:
    await visit.logs_in()
    visit.issuer.userinfo["nickname"] = "李**"
    await visit.posts("/me/refresh")
    assert "李**" in await visit.words("/me")
    visit.issuer.lie("/userinfo", {"error": "invalid_token"}, status=401)
    assert (await visit.posts("/me/refresh")).headers["Location"] == "/login"
    assert not await visit.is_in()


async def test_a_refreshed_login_of_somebody_else_is_not_taken(visit: Visit) -> None:
    visit.issuer.rotates = True
    await visit.logs_in()
    visit.issuer.claims["sub"] = visit.issuer.userinfo["sub"] = "s2"
    assert "不可信" in await (await visit.posts("/me/refresh")).text()


async def test_somebody_logs_out_here_first_and_then_everywhere(visit: Visit) -> None:
    await visit.logs_in()
    where = urlsplit((await visit.posts("/logout")).headers["Location"])
    assert not await visit.is_in()
    asked = dict(parse_qsl(where.query))
    assert f"{where.scheme}://{where.netloc}{where.path}" == f"{visit.issuer.address}/logout"
    assert asked["post_logout_redirect_uri"] in metadata(PORTAL)["post_logout_redirect_uris"]  # type: ignore[operator]
    assert jwt.decode(asked["id_token_hint"], options={"verify_signature": False})["sub"] == "s1"
    assert "首都之窗和统一身份认证平台都已退出" in await visit.words(f"/logged-out?state={asked['state']}")
    assert "您已退出首都之窗" in await visit.words("/logged-out?state=made-up")


async def test_a_token_for_reading_on_is_given_back_at_a_log_out(visit: Visit) -> None:
    visit.issuer.rotates = True
    await visit.logs_in("reminders")
    await visit.posts("/logout")
    assert [seen.form["token"] for seen in visit.issuer.calls("/revoke")] == ["r1"]


async def test_where_the_server_has_no_such_page_the_portal_says_that_it_logged_out_alone(visit: Visit) -> None:
    visit.issuer.members["end_session_endpoint"] = None
    await visit.logs_in()
    assert (await visit.posts("/logout")).headers["Location"] == "/logged-out"
    assert "您在统一身份认证平台上可能还保持登录" in await visit.words("/logged-out")


async def test_a_form_of_another_page_does_nothing(visit: Visit) -> None:
    await visit.logs_in()
    for path in ("/logout", "/me/refresh"):
        assert (await visit.posts(path, csrf="made-up")).status == 403
    assert await visit.is_in()


@pytest.mark.parametrize("which", [{"sid": None}, {"sub": None}, {}])
async def test_a_session_that_the_server_has_ended_is_over_here_and_its_owner_is_told(
    visit: Visit, which: dict[str, None]
) -> None:
    await visit.logs_in()
    assert await visit.told(visit.issuer.logout_token(**which)) == 200
    assert "首都之窗也随之退出" in await visit.words("/me")
    assert "请先登录" in await visit.words("/me")


@pytest.mark.parametrize("which", [{"sid": "sid-2"}, {"sub": "s2"}, {"sub": "s2", "sid": None}])
async def test_sessions_of_others_are_left_alone(visit: Visit, which: dict[str, Any]) -> None:
    await visit.logs_in()
    assert await visit.told(visit.issuer.logout_token(**which)) == 200
    assert await visit.is_in()


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"aud": None},
        {"events": {}},
        {"events": {EVENT: "yes"}},
        {"events": None},
        {"nonce": "n"},
        {"sub": None, "sid": None},
        {"sid": 1},
        {"jti": None},
        {"exp": 1},
        {"exp": None},
        {"iat": 4_000_000_000},
        {"exp": 4_000_000_000},
        {"iat": "now"},
        {"kind": "JWT"},
    ],
)
async def test_what_is_no_log_out_token_logs_nobody_out(visit: Visit, claims: dict[str, Any]) -> None:
    await visit.logs_in()
    assert await visit.told(visit.issuer.logout_token(**claims)) == 400
    assert await visit.is_in()


async def test_a_log_out_token_counts_once_and_only_by_the_servers_key(visit: Visit) -> None:
    await visit.logs_in()
    token = visit.issuer.logout_token(jti="once")
    visit.issuer.key = OTHER
    assert await visit.told(visit.issuer.logout_token()) == 400
    assert await visit.told("nonsense") == 400
    assert await visit.told(visit.issuer.id_token()) == 400
    assert await visit.is_in()
    visit.issuer.key = KEY
    assert await visit.told(token) == 200
    assert not await visit.is_in()
    await visit.logs_in()
    assert await visit.told(token) == 400
    assert await visit.is_in()


async def test_a_session_ends_with_its_time(visit: Visit) -> None:
    await visit.logs_in()
    visit.clock.advance(12 * HOUR / SECOND)
    assert not await visit.is_in()


async def test_a_service_for_organisations_shows_for_whom_somebody_acts(visit: Visit) -> None:
    visit.issuer.scope = "openid profile phone organisation"
    await visit.logs_in("company")
    assert "您这次以本人身份登录" in await visit.words("/services/company")
    visit.issuer.userinfo["organisation"] = {
        "credit_code": "91000000MA9907772D",
        "name": "北京往来示例文具有限公司",
        "role": "agent",
        "powers": "filing",
    }
    await visit.posts("/me/refresh")
    text = await visit.words("/services/company")
    for words in ("北京往来示例文具有限公司", "91000000MA9907772D", "经办人", "办事申报"):
        assert words in text


async def test_nothing_that_the_server_says_becomes_markup(visit: Visit) -> None:
    visit.issuer.userinfo |= {"nickname": "<b>张</b>", "preferred_username": "<i>"}
    await visit.logs_in()
    text = await visit.words("/me")
    assert "&lt;b&gt;" in text
    assert "<b>" not in text


async def test_a_service_that_there_is_none_of_is_no_way_out(visit: Visit) -> None:
    assert (await visit.get("/login?for=https://evil.example")).status == 404


BROWSER = {"Accept": "text/html,application/xhtml+xml"}


async def test_what_is_refused_to_people_is_a_page_and_to_programs_an_answer(visit: Visit) -> None:
    missing = await visit.http.get("/services/none", headers=BROWSER)
    assert missing.status == 404
    text = await missing.text()
    assert "没有找到这个页面" in text
    assert "重新登录" not in text
    await visit.logs_in()
    stale = await visit.http.post("/logout", data={"csrf": "of-another-login"}, headers=BROWSER)
    assert stale.status == 403
    assert "这个页面已经过期" in await stale.text()
    assert await visit.is_in()
    assert (await visit.http.get("/services/none")).content_type == "text/plain"
