"""Each check of the protocol, violated alone and over HTTP: a page where nobody may be sent, else the right error."""

from __future__ import annotations

import base64
import hashlib
import itertools
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from bjidp.clock import MINUTE, SECOND
from bjidp.oidc.clients import ASSERTION
from bjidp.oidc.metadata import read
from bjidp.oidc.parameters import Parameters
from bjidp.oidc.ports import RegisteredClient
from bjidp.throttle.ports import Window, per_minute
from bjidp.web.http.bodies import BODY_MAX
from bjidp.web.oidc import leaving, machine, pages
from tests.contracts.test_token_endpoint import jwk
from tests.support.calls import Answer
from tests.support.program import Program
from tests.unit.oidc.test_authorization_checks import BREACHES
from tests.web.test_authorize import REQUEST, address
from tests.web.test_relying_parties import CALLBACK, FORM, METADATA, Site, exchange, site

pytestmark = [pytest.mark.req("RP-1"), pytest.mark.req("LOG-8")]

__all__ = ["site"]

KEY = ec.generate_private_key(ec.SECP256R1())
NUMBERS = itertools.count()
LONG = "x" * 65_536
OURS = "urn:ietf:params:oauth:request_uri:"


async def registered(program: Program, client: str, **metadata: object) -> None:
    """Register one more site, which shows no secret."""
    known = METADATA | {"token_endpoint_auth_method": "none", "scope": "openid profile"} | metadata
    text = msgspec.json.encode(known).decode()
    await program.rooms.stores.relying_parties.add(
        RegisteredClient(read(client, known), None), text, program.clock.now()
    )


def sent(**change: str) -> str:
    """Return a request of a site that may ask for little."""
    asked = REQUEST | {"client_id": "narrow", "scope": "openid profile"} | change
    return urlencode({name: value for name, value in asked.items() if value})


async def posted(site: Site, path: str, body: str, **headers: str) -> Answer:
    shown = {"Host": site.caller.to.authority, "Content-Type": FORM} | headers
    return await site.caller.send("POST", path, headers=shown, body=body.encode())


@pytest.mark.attack("T6")
async def test_what_is_wrong_with_a_request_is_told_to_its_site_and_to_whoever_pushes_it(
    program: Program, site: Site
) -> None:
    """Each breach by three ways: a redirect after GET, the same after POST, and a refusal of the pushed request."""
    await registered(program, "narrow")
    for name, change, error in BREACHES:
        query = sent(**change)
        if len(query) > BODY_MAX:
            # Nothing of such a body is read, whose parameter ever it is.
            change = {parameter: value[:5_000] for parameter, value in change.items()}  # noqa: PLW2901 - shortened
            query = sent(**change)
        answers = [await posted(site, "/oauth/authorize", query)]
        if len(query) < 8_000:
            # More than that is no line of a request (RFC 9112, section 3), whatever it asks for.
            answers.append(await site.get(f"/oauth/authorize?{query}"))
        for answer in answers:
            assert answer.status == 303, (name, answer.status, answer.text[:200])
            where = str(answer.header("Location"))
            assert where.startswith(f"{CALLBACK}?"), name
            told = dict(parse_qsl(urlsplit(where).query))
            assert (told["error"], told["iss"]) == (error.error, program.url), name
            # A state that no client can mean is left out.
            assert told.get("state") == Parameters(parse_qsl(query)).get("state"), name
        pushed = await posted(site, "/oauth/par", query)
        # A request that names another is told so by RFC 9126's own error.
        expected = "invalid_request_uri" if "request_uri" in change else error.error
        assert (pushed.status, pushed.json()["error"]) == (400, expected), name
    assert (await site.get(f"/oauth/authorize?{sent()}")).status == 303


@pytest.mark.attack("T4")
async def test_nobody_is_sent_anywhere_while_it_is_not_certain_where(program: Program, site: Site) -> None:
    await registered(program, "other")
    named = {"client_id": "portal", "request_uri": OURS + "unknown"}
    pushed = await posted(site, "/oauth/par", sent(client_id="other"))
    theirs = pushed.json()["request_uri"]
    repeated = urlencode(REQUEST)
    queries = [
        ("nobody asks", sent(client_id="")),
        ("an unknown site asks", sent(client_id="nobody")),
        ("a site in other letters", sent(client_id="门户")),
        ("two sites ask", f"{repeated}&client_id=other"),
        ("no address", sent(client_id="portal", redirect_uri="")),
        ("another's address", sent(client_id="portal", redirect_uri="https://evil.example/callback")),
        ("a longer address", sent(client_id="portal", redirect_uri=f"{CALLBACK}/")),
        ("a shorter one", sent(client_id="portal", redirect_uri=CALLBACK[:-1])),
        ("an address in other letters", sent(client_id="portal", redirect_uri="https://portal.example/回调")),
        ("an address with a line end", sent(client_id="portal", redirect_uri=f"{CALLBACK}\r\nX: y")),
        ("two addresses", f"{repeated}&redirect_uri=https%3A%2F%2Fevil.example%2F"),
        ("the same address twice", f"{repeated}&{urlencode({'redirect_uri': CALLBACK})}"),
        ("a pushed request that there is none of", urlencode(named)),
        ("another site's pushed request", urlencode(named | {"request_uri": theirs})),
        ("two pushed requests", f"{urlencode(named)}&request_uri={theirs}"),
        ("octets that are no text", "client_id=%ff%fe&redirect_uri=%c3%28"),
        ("nothing at all", ""),
    ]
    for name, query in queries:
        for answer in (await site.get(f"/oauth/authorize?{query}"), await posted(site, "/oauth/authorize", query)):
            assert 400 <= answer.status < 500, (name, answer.status)
            assert answer.header("Location") is None, name
            assert str(answer.header("Content-Type")).startswith(("text/html", "application/problem+json")), name


@pytest.mark.attack("Q27", "T4")
async def test_a_request_in_a_body_that_is_no_form_is_a_page(site: Site) -> None:
    bodies = (("application/json", b"{}"), (f"{FORM}; charset=gbk", b"a=b"), (FORM, b"a=\xff"), ("", b""))
    for kind, body in bodies:
        for path in ("/oauth/authorize", "/oauth/logout"):
            sent = {"Host": site.caller.to.authority, "Content-Type": kind, "Accept": "text/html"}
            answer = await site.caller.send("POST", path, headers=sent, body=body)
            assert answer.status == 400, (kind, path)
            assert str(answer.header("Content-Type")).startswith("text/html"), (kind, path)


@pytest.mark.attack("Q23")
async def test_so_many_requests_of_an_address_are_kept_however_slowly_they_come(
    program: Program, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = (per_minute(100), Window(2, 30 * MINUTE))
    monkeypatch.setattr(pages, "BEGUN", kept)
    monkeypatch.setattr(leaving, "TAKEN", kept)
    for path in (f"/oauth/authorize?{urlencode(REQUEST)}", "/oauth/logout"):
        assert [(await site.get(path)).status for _ in range(3)] == [303, 303, 429], path
        program.clock.advance(29 * 60)
        assert (await site.get(path)).status == 429, path
        program.clock.advance(60)
        assert (await site.get(path)).status == 303, path


@pytest.mark.attack("Q23")
async def test_a_site_pushes_so_many_requests_and_keeps_no_other_from_pushing(
    program: Program, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "PUSHES", per_minute(3))
    other = RegisteredClient(read("other", METADATA), hashlib.sha256(b"secret").digest())
    text = msgspec.json.encode(METADATA).decode()
    await program.rooms.stores.relying_parties.add(other, text, program.clock.now())
    answers = [(await site.ask("/oauth/par", REQUEST | {"client_id": ""})).status for _ in range(4)]
    assert answers == [201, 201, 201, 429]
    proof = "Basic " + base64.b64encode(b"other:secret").decode()
    assert (await site.ask("/oauth/par", REQUEST | {"client_id": "other"}, Authorization=proof)).status == 201
    program.clock.advance(60)
    assert (await site.ask("/oauth/par", REQUEST | {"client_id": ""})).status == 201


@pytest.mark.attack("Q27", "T4")
async def test_a_parameter_of_64_kb_is_refused_wherever_it_comes(program: Program, site: Site) -> None:
    for name in REQUEST:
        body = urlencode(REQUEST | {name: LONG})
        for path in ("/oauth/authorize", "/oauth/par", "/oauth/token", "/oauth/revoke", "/oauth/introspect"):
            answer = await posted(site, path, body, Authorization="Basic cG9ydGFsOnNlY3JldA==")
            assert answer.status in {303, 400, 413}, (path, name, answer.status)
    assert 400 <= (await site.get(f"/oauth/authorize?{urlencode({'state': LONG})}")).status < 500


@pytest.mark.attack("Q27")
@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/par", "/oauth/revoke", "/oauth/introspect", "/oauth/device"])
async def test_a_parameter_that_comes_twice_is_refused_by_every_endpoint(site: Site, path: str) -> None:
    for name in ("grant_type", "code", "token", "scope", "client_id", "anything"):
        body = f"grant_type=authorization_code&code=c&token=t&{name}=1&{name}=2"
        answer = await posted(site, path, body, Authorization="Basic cG9ydGFsOnNlY3JldA==")
        assert (answer.status, answer.json()["error"]) == (400, "invalid_request"), name


@pytest.mark.attack("Q27")
@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("Basic", 401),
        ("Basic !!!", 401),
        ("Basic cG9ydGFs", 401),
        ("Basic 5a+GOuWvhg==", 401),
        ("Basic /////w==", 401),
        ("Bearer x", 401),
        ("Basic " + "A" * 7_000, 401),
    ],
)
async def test_a_proof_that_cannot_be_read_is_a_wrong_one(site: Site, authorization: str, status: int) -> None:
    answer = await posted(site, "/oauth/token", urlencode(exchange("c")), Authorization=authorization)
    assert (answer.status, answer.json()["error"]) == (status, "invalid_client")


def assertion(now: int, **change: object) -> dict[str, str]:
    """Return what a site shows that signs, by a clock of its own."""
    claims: dict[str, object] = {"iss": "signs", "sub": "signs", "exp": now + 60, "jti": str(next(NUMBERS))}
    # Not as a library writes claims, which would refuse those that are none.
    text = jwt.PyJWS().encode(msgspec.json.encode(claims | change), KEY, "ES256", {"typ": "JWT"})
    return {"client_assertion": text, "client_assertion_type": ASSERTION}


async def test_a_site_whose_clock_is_wrong_by_little_signs_and_by_much_does_not(program: Program, site: Site) -> None:
    """An assertion lives five minutes, and half a minute more for a clock that is ahead (RFC 7523, section 3)."""
    jwks = {"keys": [jwk(KEY)]}
    await registered(program, "signs", token_endpoint_auth_method="private_key_jwt", jwks=jwks)
    now = program.clock.now() // SECOND
    for wrong, refused in ((-59, False), (0, False), (269, False), (271, True), (-60, True), (-3600, True)):
        shown = assertion(now + wrong, aud=program.url)
        answer = await posted(site, "/oauth/token", urlencode(exchange("c") | shown))
        expected = (401, "invalid_client") if refused else (400, "invalid_grant")
        assert (answer.status, answer.json()["error"]) == expected, wrong
    nonsense: list[dict[str, object]] = [
        {"exp": "soon"},
        {"exp": 10**30},
        {"exp": -1},
        {"exp": now + 60.5},
        {"exp": True},
        {"exp": None},
        {"jti": 7},
        {"jti": ""},
        {"jti": "x" * 5_000},
        {"jti": ["a"]},
        {"aud": 5},
        {"aud": [program.url, 5]},
        {"aud": []},
        {"iss": ["signs"]},
        {"sub": "portal"},
        {"sub": None},
        {"nbf": "soon", "iat": "never"},
    ]
    for change in nonsense:
        claims = {name: value for name, value in ({"aud": program.url} | change).items() if value is not None}
        shown = assertion(now, **claims)
        answer = await posted(site, "/oauth/token", urlencode(exchange("c") | shown))
        assert answer.status in {400, 401}, (change, answer.status)
        assert answer.json()["error"] in {"invalid_client", "invalid_grant", "invalid_request"}, change
    for text in ("", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "密.码.钥", LONG):
        shown = {"client_assertion": text, "client_assertion_type": ASSERTION}
        answer = await posted(site, "/oauth/token", urlencode(exchange("c") | shown))
        assert answer.status in {400, 401, 413}, (text[:20], answer.status)


async def test_a_page_of_a_request_with_an_odd_name_is_one_that_is_over(program: Program, site: Site) -> None:
    browser = await program.signed_in()
    for name in ("", "x" * 4_000, "%ff%00", "%E5%AF%86", "a&request=b"):
        answer = await browser.get(f"/oauth/continue?request={name}")
        assert answer.status == 410, (name[:20], answer.status)


async def test_a_hint_that_is_none_is_told_to_the_site(program: Program, site: Site) -> None:
    browser = await program.signed_in()
    for hint in ("x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."):
        answer = await browser.get(address(id_token_hint=hint))
        assert answer.status == 303, hint
        assert "error=invalid_request" in str(answer.header("Location")), hint


@pytest.mark.attack("Q27")
async def test_a_client_that_no_database_holds_is_an_unknown_one(site: Site) -> None:
    for client in ("\0", "\ud800"):
        claims = {"iss": client, "aud": client}
        shown = jwt.encode(claims, KEY, "ES256")
        named = base64.b64encode(f"{quote(client, errors='surrogatepass')}:secret".encode()).decode()
        asserted = urlencode({"client_assertion_type": ASSERTION, "client_assertion": shown})
        for answer in (
            await posted(site, "/oauth/token", "grant_type=authorization_code", Authorization=f"Basic {named}"),
            await posted(site, "/oauth/token", asserted),
        ):
            assert (answer.status, msgspec.json.decode(answer.body)["error"]) == (401, "invalid_client")
        assert (await site.get(f"/oauth/logout?id_token_hint={shown}")).status == 303
