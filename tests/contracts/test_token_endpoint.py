"""Who asks at the token endpoint, and what they are given, on real stores."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from typing import Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import UNSET
from msgspec.structs import replace

from bjidp.clock import HOUR, SECOND
from bjidp.entropy import SystemEntropy, base64url
from bjidp.mac import MacKey, mac_once
from bjidp.oidc.clients import ASSERTION, Clients, UsedAssertion
from bjidp.oidc.errors import (
    InvalidClient,
    InvalidGrant,
    InvalidRequest,
    InvalidScope,
    UnauthorizedClient,
    UnsupportedGrantType,
)
from bjidp.oidc.granting import Granting, TokenAnswer
from bjidp.oidc.grants.code import Approval, Code
from bjidp.oidc.grants.exchanging import Codes
from bjidp.oidc.metadata import read
from bjidp.oidc.parameters import Parameters
from bjidp.oidc.pkce import challenge_of
from bjidp.oidc.ports import RegisteredClient
from bjidp.oidc.representing import Representing
from bjidp.oidc.scopes import Scope
from bjidp.oidc.sids import sid
from bjidp.oidc.signing import SigningKeys
from bjidp.oidc.tokens import Tokens
from tests.contracts.ephemeral import MemoryStores
from tests.contracts.house import House
from tests.contracts.test_device_grants import Kiosk
from tests.contracts.test_relying_parties import CALLBACK, METADATA, READS, VERIFIER, approval, registered
from tests.support.capacities import Capacities, capacity

pytestmark = pytest.mark.req("RP-1")

ISSUER = "https://id.example"
ENDPOINT = f"{ISSUER}/oauth/token"
TOKENS = Tokens({1: MacKey(b"t" * 32)}, 1)
SIGNING = SigningKeys(lambda label: mac_once(b"root", label.encode()), 1)
OWN = ec.generate_private_key(ec.SECP256R1())


def jwk(key: ec.EllipticCurvePrivateKey = OWN) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    x, y = (base64url(number.to_bytes(32)) for number in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y}


class Endpoint:
    """The services behind the token endpoint, on one database."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.capacities = Capacities()
        memory = MemoryStores(house.clock)
        self.codes = Codes(
            memory.records("oidc.code", Code),
            house.sql.grants,
            house.sessions,
            house.sql.consents,
            entropy=SystemEntropy(),
            clock=house.clock,
            session_lifetime=12 * HOUR,
        )
        self.granting = Granting(
            codes=self.codes,
            devices=Kiosk(house, memory).redeeming,
            grants=house.sql.grants,
            tokens=TOKENS,
            signing=SIGNING,
            representing=Representing(self.capacities),
            issuer=ISSUER,
            clock=house.clock,
        )
        self.clients = Clients(
            house.sql.clients,
            memory.records("oidc.assertion", UsedAssertion),
            issuer=ISSUER,
            token_endpoint=ENDPOINT,
            clock=house.clock,
        )

    async def signer(self) -> None:
        """Register a site that signs."""
        metadata = METADATA | {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [jwk()]}}
        signs = RegisteredClient(read("signer", metadata), None)
        await self.house.sql.clients.add(signs, msgspec.json.encode(metadata).decode(), self.house.now)

    async def terminal(self) -> None:
        """Register a site that cannot keep a secret."""
        metadata = METADATA | {"token_endpoint_auth_method": "none"}
        public = RegisteredClient(read("terminal", metadata), None)
        await self.house.sql.clients.add(public, msgspec.json.encode(metadata).decode(), self.house.now)

    def assertion(self, key: ec.EllipticCurvePrivateKey = OWN, **change: object) -> str:
        """Return what the site that signs shows."""
        claims: dict[str, Any] = {
            "iss": "signer",
            "sub": "signer",
            "aud": ISSUER,
            "exp": self.house.now // SECOND + 60,
            "jti": "one",
        }
        claims |= change
        return jwt.encode({name: value for name, value in claims.items() if value is not None}, key, "ES256")

    async def by_assertion(self, text: str, **more: str) -> str:
        shown = {"client_assertion": text, "client_assertion_type": ASSERTION} | more
        return (await self.clients.recognised(None, Parameters(shown.items()))).id

    async def code(self, agreed: Approval) -> str:
        scopes = frozenset(agreed.scopes)
        await self.house.sql.consents.agree(agreed.account, agreed.client, scopes, self.house.now)
        return await self.codes.give(agreed, CALLBACK, challenge_of(VERIFIER), self.house.now)

    async def ask(self, client: str = "portal", **parameters: str) -> TokenAnswer:
        found = await self.house.sql.clients.find(client)
        assert found is not None
        return await self.granting.give(found.client, Parameters(parameters.items()))

    async def tokens(self, *scopes: Scope) -> tuple[TokenAnswer, Approval]:
        """Return what somebody's site is given for their first code."""
        await registered(self.house)
        agreed = await approval(self.house, *scopes)
        code = await self.code(agreed)
        given = await self.ask(
            grant_type="authorization_code", code=code, redirect_uri=CALLBACK, code_verifier=VERIFIER
        )
        return given, agreed

    async def refresh(self, given: TokenAnswer, **more: str) -> TokenAnswer:
        assert isinstance(given.refresh_token, str)
        return await self.ask(grant_type="refresh_token", refresh_token=given.refresh_token, **more)


@pytest.fixture
def endpoint(sqlite_house: House) -> Endpoint:
    return Endpoint(sqlite_house)


def basic(name: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


async def test_a_site_with_a_secret_shows_it_in_a_header(endpoint: Endpoint) -> None:
    await registered(endpoint.house)
    assert (await endpoint.clients.recognised(basic("portal", "secret"), Parameters([]))).id == "portal"


@pytest.mark.parametrize(
    ("authorization", "parameters"),
    [
        (None, {}),
        (None, {"client_id": "portal"}),
        (None, {"client_id": "portal", "client_secret": "secret"}),
        (basic("portal", "wrong"), {}),
        (basic("portal", ""), {}),
        (basic("portal", "secret"), {"client_id": "other"}),
        (basic("nobody", "secret"), {}),
        ("Basic !!!", {}),
        ("Basic " + base64.b64encode(b"portal").decode(), {}),
        ("Basic " + base64.b64encode(b"\xff:\xff").decode(), {}),
        ("Bearer secret", {}),
        ("Basic", {}),
    ],
)
async def test_whatever_is_wrong_with_a_proof_is_told_in_one_way(
    endpoint: Endpoint, authorization: str | None, parameters: dict[str, str]
) -> None:
    await registered(endpoint.house)
    with pytest.raises(InvalidClient) as raised:
        await endpoint.clients.recognised(authorization, Parameters(parameters.items()))
    assert raised.value.description == "the client is unknown, or did not prove who it is in the way it registered"


async def test_two_proofs_at_once_are_a_mistake(endpoint: Endpoint) -> None:
    await registered(endpoint.house)
    with pytest.raises(InvalidRequest):
        await endpoint.clients.recognised(basic("portal", "secret"), Parameters([("client_secret", "secret")]))


async def test_who_cannot_keep_a_secret_is_known_by_its_name_alone(endpoint: Endpoint) -> None:
    await endpoint.terminal()
    assert (await endpoint.clients.recognised(None, Parameters([("client_id", "terminal")]))).id == "terminal"
    with pytest.raises(InvalidClient):
        await endpoint.clients.recognised(basic("terminal", ""), Parameters([]))


async def test_a_site_that_signs_is_known_by_its_key_once_for_each_assertion(endpoint: Endpoint) -> None:
    await endpoint.signer()
    text = endpoint.assertion()
    assert await endpoint.by_assertion(text) == "signer"
    with pytest.raises(InvalidClient):
        await endpoint.by_assertion(text)
    assert await endpoint.by_assertion(endpoint.assertion(jti="two", aud=ENDPOINT), client_id="signer") == "signer"


@pytest.mark.attack("T12")
async def test_an_assertion_that_is_for_another_server_too_is_for_neither(endpoint: Endpoint) -> None:
    """The other one would be as good as the site, here, for as long as it has not been shown."""
    await endpoint.signer()
    for stranger in ("https://other.example", "", 5):
        with pytest.raises(InvalidClient):
            await endpoint.by_assertion(endpoint.assertion(aud=[ISSUER, stranger]))
    assert await endpoint.by_assertion(endpoint.assertion(aud=[ISSUER, ENDPOINT])) == "signer"


@pytest.mark.attack("T12")
async def test_of_twenty_who_show_one_assertion_at_once_one_is_let_in(endpoint: Endpoint) -> None:
    await endpoint.signer()
    text = endpoint.assertion()
    outcomes = await asyncio.gather(*(endpoint.by_assertion(text) for _ in range(20)), return_exceptions=True)
    assert outcomes.count("signer") == 1


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "portal"},
        {"sub": "portal"},
        {"aud": "https://evil.example"},
        {"aud": None},
        {"jti": None},
        {"jti": ""},
        {"jti": "x" * 129},
        {"jti": 7},
        {"exp": None},
        {"exp": 1},
        {"exp": 10**12},
        {"exp": "soon"},
        {"iss": None},
    ],
)
async def test_an_assertion_says_who_for_whom_until_when_and_which(endpoint: Endpoint, change: dict[str, Any]) -> None:
    await endpoint.signer()
    await registered(endpoint.house)
    with pytest.raises(InvalidClient):
        await endpoint.by_assertion(endpoint.assertion(**change))


async def test_an_assertion_by_another_key_or_by_none_counts_for_nothing(endpoint: Endpoint) -> None:
    await endpoint.signer()
    claims = jwt.decode(endpoint.assertion(), options={"verify_signature": False})
    for text in (
        endpoint.assertion(ec.generate_private_key(ec.SECP256R1())),
        jwt.encode(claims, "", "none"),
        jwt.encode(claims, "s" * 32, "HS256"),
        "nonsense",
        "a.b.c",
    ):
        with pytest.raises(InvalidClient):
            await endpoint.by_assertion(text)
    with pytest.raises(InvalidClient):
        await endpoint.by_assertion(endpoint.assertion(), client_assertion_type="urn:other")


async def test_a_code_becomes_an_access_token_and_an_id_token(endpoint: Endpoint) -> None:
    given, agreed = await endpoint.tokens(*READS)
    assert (given.token_type, given.expires_in, given.scope) == ("Bearer", 3600, "openid profile")
    assert given.refresh_token is UNSET
    shown = TOKENS.read_access(given.access_token, endpoint.house.now)
    assert shown is not None
    found = await endpoint.house.sql.grants.find(shown.grant, endpoint.house.now)
    assert found is not None
    assert found[0].approval.account == agreed.account
    claims = SIGNING.verified(given.id_token, "JWT", "portal", ISSUER, endpoint.house.now)
    assert claims is not None
    assert claims["sub"] == found[0].subject
    assert claims["sid"] == sid("portal", agreed.session)


@pytest.mark.attack("T7")
async def test_refresh_tokens_rotate_and_an_old_one_ends_them_all(endpoint: Endpoint) -> None:
    first, _ = await endpoint.tokens(*READS, Scope.OFFLINE_ACCESS)
    second = await endpoint.refresh(first)
    assert second.refresh_token not in {UNSET, first.refresh_token}
    with pytest.raises(InvalidGrant):
        await endpoint.refresh(first)
    with pytest.raises(InvalidGrant):
        await endpoint.refresh(second)
    shown = TOKENS.read_access(second.access_token, endpoint.house.now)
    assert shown is not None
    assert await endpoint.house.sql.grants.find(shown.grant, endpoint.house.now) is None


@pytest.mark.attack("T7")
async def test_of_twenty_refreshes_at_once_one_is_answered(endpoint: Endpoint) -> None:
    given, _ = await endpoint.tokens(*READS, Scope.OFFLINE_ACCESS)
    outcomes = await asyncio.gather(*(endpoint.refresh(given) for _ in range(20)), return_exceptions=True)
    assert len([outcome for outcome in outcomes if isinstance(outcome, TokenAnswer)]) == 1
    assert len([outcome for outcome in outcomes if isinstance(outcome, InvalidGrant)]) == 19


@pytest.mark.attack("T3")
async def test_a_locked_account_gets_no_new_tokens(endpoint: Endpoint) -> None:
    given, agreed = await endpoint.tokens(*READS, Scope.OFFLINE_ACCESS)
    endpoint.house.set_status(agreed.account, "locked")
    with pytest.raises(InvalidGrant):
        await endpoint.refresh(given)


async def test_a_refresh_token_is_its_own_clients(endpoint: Endpoint) -> None:
    given, _ = await endpoint.tokens(*READS, Scope.OFFLINE_ACCESS)
    await endpoint.terminal()
    assert isinstance(given.refresh_token, str)
    with pytest.raises(InvalidGrant):
        await endpoint.ask("terminal", grant_type="refresh_token", refresh_token=given.refresh_token)
    assert isinstance(await endpoint.refresh(given), TokenAnswer)


async def test_a_refresh_asks_for_no_more_than_was_agreed_to(endpoint: Endpoint) -> None:
    given, _ = await endpoint.tokens(*READS, Scope.OFFLINE_ACCESS)
    with pytest.raises(InvalidScope):
        await endpoint.refresh(given, scope="openid phone")
    assert isinstance(await endpoint.refresh(given, scope="openid"), TokenAnswer)


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({}, InvalidRequest),
        ({"grant_type": "password"}, UnsupportedGrantType),
        ({"grant_type": "client_credentials"}, UnsupportedGrantType),
        ({"grant_type": "authorization_code"}, InvalidRequest),
        ({"grant_type": "authorization_code", "code": "unknown"}, InvalidGrant),
        ({"grant_type": "refresh_token"}, InvalidRequest),
        ({"grant_type": "refresh_token", "refresh_token": "unknown"}, InvalidGrant),
        ({"grant_type": "authorization_code", "code": "密"}, InvalidRequest),
    ],
)
async def test_what_is_missing_or_wrong_is_told_by_its_own_error(
    endpoint: Endpoint, parameters: dict[str, str], error: type[Exception]
) -> None:
    await registered(endpoint.house)
    with pytest.raises(error):
        await endpoint.ask(**parameters)


async def test_a_way_that_was_not_registered_is_closed(endpoint: Endpoint) -> None:
    metadata = METADATA | {"grant_types": ["authorization_code"], "scope": "openid profile"}
    plain = RegisteredClient(read("plain", metadata), hashlib.sha256(b"secret").digest())
    await endpoint.house.sql.clients.add(plain, msgspec.json.encode(metadata).decode(), endpoint.house.now)
    with pytest.raises(UnauthorizedClient):
        await endpoint.ask("plain", grant_type="refresh_token", refresh_token="x")


async def test_no_token_is_shown(endpoint: Endpoint) -> None:
    given, _ = await endpoint.tokens(*READS)
    assert given.access_token not in repr(given)


async def acting(endpoint: Endpoint) -> Approval:
    """Return what somebody agreed to who acts for an organisation."""
    await registered(endpoint.house)
    endpoint.capacities.counts = [capacity()]
    agreed = await approval(endpoint.house, *READS, Scope.ORGANISATION, Scope.OFFLINE_ACCESS)
    return replace(agreed, organisation=capacity().key)


async def exchange(endpoint: Endpoint, agreed: Approval) -> TokenAnswer:
    code = await endpoint.code(agreed)
    return await endpoint.ask(grant_type="authorization_code", code=code, redirect_uri=CALLBACK, code_verifier=VERIFIER)


def said(given: TokenAnswer) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(given.id_token, options={"verify_signature": False})
    return claims


@pytest.mark.req("ORG-3")
async def test_whoever_acts_for_an_organisation_is_told_in_every_id_token(endpoint: Endpoint) -> None:
    given = await exchange(endpoint, await acting(endpoint))
    for tokens in (given, await endpoint.refresh(given)):
        claims = said(tokens)
        assert claims["organisation"]["credit_code"] == "91000000MA990001X0"
        assert claims["act"] == {"sub": claims["sub"]}


@pytest.mark.req("ORG-3")
async def test_a_mandate_that_ends_before_the_exchange_leaves_no_grant(endpoint: Endpoint) -> None:
    agreed = await acting(endpoint)
    endpoint.capacities.counts = []
    with pytest.raises(InvalidGrant):
        await exchange(endpoint, agreed)
    assert endpoint.house.rows("SELECT count(*) FROM oidc_grant") == [(0,)]


@pytest.mark.req("ORG-3")
async def test_nothing_is_refreshed_while_its_owner_cannot_act_and_the_token_is_not_used_up(endpoint: Endpoint) -> None:
    given = await exchange(endpoint, await acting(endpoint))
    endpoint.capacities.counts = [capacity("another")]
    with pytest.raises(InvalidGrant):
        await endpoint.refresh(given)
    endpoint.capacities.counts = [capacity()]
    assert said(await endpoint.refresh(given))["organisation"]["name"] == "北京示例公司"


@pytest.mark.req("ORG-3")
@pytest.mark.attack("T7")
async def test_a_refresh_token_that_comes_twice_ends_its_grant_though_its_owner_cannot_act(endpoint: Endpoint) -> None:
    given = await exchange(endpoint, await acting(endpoint))
    await endpoint.refresh(given)
    endpoint.capacities.counts = []
    with pytest.raises(InvalidGrant):
        await endpoint.refresh(given)
    assert endpoint.house.rows("SELECT count(*) FROM oidc_grant WHERE ended_at IS NULL") == [(0,)]
