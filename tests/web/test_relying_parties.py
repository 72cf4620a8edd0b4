"""What relying parties ask by themselves, over HTTP."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import urlencode

import jwt
import msgspec
import pytest

from bjidp.accounts.ports import Evidence
from bjidp.clock import DAY, SECOND
from bjidp.entropy import token
from bjidp.oidc.grants.code import Approval, Authentication
from bjidp.oidc.grants.exchanging import Codes
from bjidp.oidc.metadata import read
from bjidp.oidc.pkce import challenge_of
from bjidp.oidc.ports import RegisteredClient
from bjidp.oidc.scopes import Scope
from bjidp.sessions.ports import Login, Session, SessionEnd, Way
from bjidp.standing import Level, Standing
from tests.support.calls import Answer, Caller
from tests.support.members import enrolled
from tests.support.program import Program
from tests.web.test_real_name import give, person

pytestmark = pytest.mark.req("RP-1")

CALLBACK = "https://portal.example/callback"
VERIFIER = "v" * 43
FORM = "application/x-www-form-urlencoded"
BASIC = "Basic " + base64.b64encode(b"portal:secret").decode()
METADATA: dict[str, object] = {
    "client_name": "首都之窗",
    "client_uri": "https://portal.example/",
    "redirect_uris": [CALLBACK],
    "grant_types": ["authorization_code", "refresh_token"],
    "scope": "openid profile phone offline_access",
}


class Site:
    """A relying party, and somebody who has agreed that it may read."""

    def __init__(self, program: Program, caller: Caller, member: Standing) -> None:
        self.program = program
        self.caller = caller
        self.member = member

    async def ask(self, path: str, body: dict[str, str], **headers: str) -> Answer:
        sent = {"Host": self.caller.to.authority, "Content-Type": FORM, "Authorization": BASIC} | headers
        return await self.caller.send("POST", path, headers=sent, body=urlencode(body).encode())

    async def get(self, path: str, token: str | None = None) -> Answer:
        sent = {"Host": self.caller.to.authority}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        return await self.caller.send("GET", path, headers=sent)

    async def session(self) -> Session:
        """Return a new session of whoever agrees."""
        rooms, now = self.program.rooms, self.program.clock.now()
        session = Session(
            id=token(rooms.entropy, 128),
            account=self.member.account,
            login=Login(Way.PASSWORD, None, None, "Chrome 120", "Windows", None, bytes(32), None),
            created_at=now,
            last_used_at=now,
            expires_at=now + DAY,
            csrf=token(rooms.entropy, 128),
            data={},
            version=1,
        )
        await rooms.stores.sessions.open(session, rooms.entropy.octets(32), None)
        return session

    async def code(self, *scopes: Scope, session: Session | None = None, level: Level = Level.L1) -> str:
        stores = self.program.rooms.stores
        codes = Codes(
            stores.authorization_codes,
            stores.grants,
            stores.sessions,
            stores.consents,
            entropy=self.program.rooms.entropy,
            clock=self.program.clock,
            session_lifetime=3_600_000,
        )
        now = self.program.clock.now()
        agreed = Approval(
            client="portal",
            account=self.member.account,
            ref=self.member.ref,
            session=(session or await self.session()).id,
            epoch=self.member.epoch,
            scopes=(Scope.OPENID, *scopes),
            authentication=Authentication(now, level, ("pwd",)),
        )
        await stores.consents.agree(self.member.account, "portal", frozenset(agreed.scopes), now)
        return await codes.give(agreed, CALLBACK, challenge_of(VERIFIER), now)

    async def tokens(self, *scopes: Scope, session: Session | None = None, level: Level = Level.L1) -> dict[str, Any]:
        answer = await self.ask("/oauth/token", exchange(await self.code(*scopes, session=session, level=level)))
        assert answer.status == 200, answer.text
        return answer.json()


def exchange(code: str) -> dict[str, str]:
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }


@pytest.fixture
async def site(program: Program) -> Site:
    portal = RegisteredClient(read("portal", METADATA), hashlib.sha256(b"secret").digest())
    stores = program.rooms.stores
    await stores.relying_parties.add(portal, msgspec.json.encode(METADATA).decode(), program.clock.now())
    return Site(program, await program.caller(), await enrolled(program))


async def test_a_site_exchanges_a_code_and_reads_what_was_agreed_to(site: Site) -> None:
    given = await site.tokens(Scope.PHONE)
    assert (given["token_type"], given["expires_in"], given["scope"]) == ("Bearer", 3600, "openid phone")
    found = (await site.get("/oauth/userinfo", given["access_token"])).json()
    assert set(found) == {"sub", "phone_number", "phone_number_verified"}
    keys = (await site.get("/oauth/keys")).json()["keys"]
    head = jwt.get_unverified_header(given["id_token"])
    [key] = [key for key in keys if key["kid"] == head["kid"]]
    claims = jwt.decode(
        given["id_token"], jwt.PyJWK(key), ["ES256"], audience="portal", issuer=site.program.url,
        options={"verify_exp": False, "verify_iat": False},
    )  # fmt: skip
    assert claims["sub"] == found["sub"]


async def test_what_carries_tokens_is_kept_nowhere(site: Site) -> None:
    answer = await site.ask("/oauth/token", exchange(await site.code()))
    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("Access-Control-Allow-Origin") is None


async def test_a_library_finds_everything_from_the_issuer_alone(site: Site) -> None:
    found = (await site.get("/.well-known/openid-configuration")).json()
    assert found["issuer"] == site.program.url
    assert found["token_endpoint"] == f"{site.program.url}/oauth/token"


@pytest.mark.attack("T3")
async def test_a_revoked_token_reads_nothing_more_and_neither_does_any_other_of_its_grant(site: Site) -> None:
    given = await site.tokens(Scope.OFFLINE_ACCESS)
    assert (await site.ask("/oauth/revoke", {"token": given["refresh_token"]})).status == 200
    refused = await site.get("/oauth/userinfo", given["access_token"])
    assert (refused.status, refused.json()["error"]) == (401, "invalid_token")
    assert str(refused.header("WWW-Authenticate")).startswith('Bearer realm="bjidp", error="invalid_token"')
    assert (await site.ask("/oauth/revoke", {"token": "nonsense"})).status == 200


async def test_a_resource_server_is_told_what_a_token_is_good_for(site: Site) -> None:
    given = await site.tokens(Scope.PHONE)
    told = (await site.ask("/oauth/introspect", {"token": given["access_token"]})).json()
    assert told["active"] is True
    assert (told["client_id"], told["scope"], told["acr"], told["amr"]) == ("portal", "openid phone", "L1", ["pwd"])
    assert (await site.ask("/oauth/introspect", {"token": "nonsense"})).json() == {"active": False}


async def beside(site: Site, **more: object) -> dict[str, str]:
    """Register a server of the same sector; return the headers by which it proves who it is, if it has a secret."""
    metadata = METADATA | {"client_name": "示例接口", "grant_types": [], "scope": "openid"} | more
    records = RegisteredClient(read("records", metadata), hashlib.sha256(b"secret").digest())
    text = msgspec.json.encode(metadata).decode()
    await site.program.rooms.stores.relying_parties.add(records, text, site.program.clock.now())
    return {"Authorization": "Basic " + base64.b64encode(b"records:secret").decode()}


@pytest.mark.attack("T12")
async def test_nobody_gives_a_sites_tokens_back_in_its_place(site: Site) -> None:
    given, other = await site.tokens(Scope.OFFLINE_ACCESS), await beside(site)
    for kind in ("refresh_token", "access_token"):
        answer = await site.ask("/oauth/revoke", {"token": given[kind]}, **other)
        assert answer.status == 200, "what it was is told to nobody"
        assert await is_read(site, given) == [True, True]
    assert (await site.ask("/oauth/revoke", {"token": given["access_token"]})).status == 200
    assert await is_read(site, given) == [False, False]


@pytest.mark.attack("T12")
async def test_who_cannot_prove_who_it_is_is_told_of_no_token(site: Site) -> None:
    """RFC 7662, section 2.1: anybody could ask in its place."""
    given = await site.tokens()
    await beside(site, token_endpoint_auth_method="none")
    asked = {"client_id": "records", "token": given["access_token"]}
    answer = await site.ask("/oauth/introspect", asked, Authorization="")
    assert (answer.status, answer.json()["error"]) == (400, "unauthorized_client")


@pytest.mark.attack("T7")
async def test_a_refresh_token_opens_nothing_where_an_access_token_is_shown(site: Site) -> None:
    """It lives a month and is worth nothing without its client's proof, which a resource server never sees."""
    given = await site.tokens(Scope.OFFLINE_ACCESS)
    server = await beside(site)
    told = (await site.ask("/oauth/introspect", {"token": given["access_token"]}, **server)).json()
    assert (told["active"], told["client_id"]) == (True, "portal")
    shown = {"token": given["refresh_token"]}
    assert (await site.ask("/oauth/introspect", shown, **server)).json() == {"active": False}
    assert (await site.get("/oauth/userinfo", given["refresh_token"])).status == 401
    own = (await site.ask("/oauth/introspect", shown)).json()
    assert (own["active"], own["token_type"]) == (True, "refresh_token")


@pytest.mark.req("RP-2", "RNV-1")
async def test_a_level_is_told_no_longer_than_the_account_has_it(site: Site) -> None:
    program, account = site.program, site.member.account
    await give(program, account, await person(program), Evidence.NAME_AND_NUMBER)
    given = await site.tokens(Scope.OFFLINE_ACCESS, level=Level.L2)

    async def levels() -> list[str]:
        shown = [
            await site.ask("/oauth/introspect", {"token": given[kind]}) for kind in ("access_token", "refresh_token")
        ]
        return [answer.json()["acr"] for answer in shown]

    assert await levels() == ["L2", "L2"]
    earlier = (await site.tokens())["access_token"]
    told = (await site.ask("/oauth/introspect", {"token": earlier})).json()
    assert told["acr"] == "L1", "what was not so when somebody logged in is told at their next login"
    program.sql("UPDATE identity SET runs_out_at = ?", program.clock.now())
    assert await levels() == ["L1", "L1"]
    refreshed = await site.ask("/oauth/token", {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]})
    claims = jwt.decode(refreshed.json()["id_token"], options={"verify_signature": False})
    assert claims["acr"] == "L1"


async def is_read(site: Site, given: dict[str, Any]) -> list[bool]:
    """Tell at which endpoints a token is still good."""
    userinfo = await site.get("/oauth/userinfo", given["access_token"])
    told = await site.ask("/oauth/introspect", {"token": given["access_token"]})
    return [userinfo.status == 200, told.json()["active"]]


@pytest.mark.attack("T3")
async def test_a_session_that_ends_takes_its_tokens_and_its_unspent_code_with_it(site: Site) -> None:
    session = await site.session()
    given = await site.tokens(session=session)
    code = await site.code(session=session)
    assert await is_read(site, given) == [True, True]
    await site.program.rooms.stores.sessions.end(session.id, SessionEnd.LOGOUT, site.program.clock.now())
    assert await is_read(site, given) == [False, False]
    assert (await site.ask("/oauth/token", exchange(code))).json()["error"] == "invalid_grant"


@pytest.mark.attack("T3")
async def test_a_session_whose_time_is_over_takes_its_tokens_with_it(site: Site) -> None:
    session = await site.session()
    site.program.clock.advance(DAY // SECOND - 60)
    given = await site.tokens(session=session)
    site.program.clock.advance(60)
    assert await is_read(site, given) == [False, False]


@pytest.mark.attack("T3")
@pytest.mark.parametrize("reason", [SessionEnd.LOGOUT, SessionEnd.NOT_ME])
async def test_what_was_agreed_to_for_when_somebody_is_away_outlasts_a_departure_alone(
    site: Site, reason: SessionEnd
) -> None:
    session = await site.session()
    given = await site.tokens(Scope.OFFLINE_ACCESS, session=session)
    await site.program.rooms.stores.sessions.end(session.id, reason, site.program.clock.now())
    departed = reason is SessionEnd.LOGOUT
    assert await is_read(site, given) == [departed, departed]
    form = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}
    assert (await site.ask("/oauth/token", form)).status == (200 if departed else 400)


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke", "/oauth/introspect"])
async def test_who_does_not_prove_who_they_are_is_told_nothing_else(site: Site, path: str) -> None:
    wrong = "Basic " + base64.b64encode(b"portal:wrong").decode()
    answer = await site.ask(path, {"token": "x"}, Authorization=wrong)
    assert (answer.status, answer.json()["error"]) == (401, "invalid_client")
    assert answer.header("WWW-Authenticate") == 'Basic realm="bjidp"'


async def test_guesses_at_a_secret_are_counted_by_address(site: Site) -> None:
    wrong = "Basic " + base64.b64encode(b"portal:wrong").decode()
    answers = [(await site.ask("/oauth/token", {}, Authorization=wrong)).status for _ in range(61)]
    assert answers == [401] * 60 + [429]


@pytest.mark.parametrize("body", ["a=%ff", "code=%E5%AF%86", "=", "&&&", "code=1&code=2", "a" * 60_000])
async def test_no_body_makes_the_server_fail(site: Site, body: str) -> None:
    sent = {"Host": site.caller.to.authority, "Content-Type": FORM, "Authorization": BASIC}
    answer = await site.caller.send("POST", "/oauth/token", headers=sent, body=body.encode())
    assert answer.status == 400
    assert answer.json()["error"] == "invalid_request"
