"""Access and refresh tokens: what counts, and that nothing else does."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bjidp.clock import DAY, MINUTE, SECOND
from bjidp.errors import TokenInvalid
from bjidp.miniprogram.ports import MiniSession
from bjidp.miniprogram.tokens import AUDIENCE, MiniTokens, Named
from bjidp.secret import Secret

NOW = 1_800_000_000_000
ISSUER = "http://127.0.0.1:8080"
ACCESS_KEY = b"a" * 32
TOKENS = MiniTokens(ISSUER, Secret(ACCESS_KEY), Secret(b"r" * 32))
SID = "AAAAAAAAAAAAAAAAAAAAAA"
SESSION = MiniSession(
    id=SID,
    account="account",
    link="link",
    platform="wechat",
    generation=3,
    rotated_at=NOW + 123,
    used=False,
    created_at=NOW,
    expires_at=NOW + DAY,
    version=1,
)
PAIR = TOKENS.pair(SESSION, NOW + 123)
CLAIMS = {"iss": ISSUER, "aud": AUDIENCE, "sid": SID, "gen": 3, "iat": NOW // 1000, "exp": NOW // 1000 + 900}


def signed(claims: dict[str, object], key: bytes = ACCESS_KEY, typ: str | None = "mp+jwt", alg: str = "HS256") -> str:
    return jwt.encode(claims, key, algorithm=alg, headers={"typ": typ})


@pytest.mark.req("LOG-7")
def test_a_pair_names_its_session_and_generation() -> None:
    assert TOKENS.read_access(PAIR.access, NOW + 123) == Named(SID, 3)
    assert TOKENS.read_refresh(PAIR.refresh) == Named(SID, 3)
    assert TOKENS.read_bearer(f"bearer  {PAIR.access}", NOW + 123) == Named(SID, 3)
    assert PAIR.expires_in == 900


def test_the_same_generation_has_the_very_same_pair_in_every_process() -> None:
    again = MiniTokens(ISSUER, Secret(ACCESS_KEY), Secret(b"r" * 32)).pair(SESSION, NOW + 20_000)
    assert (again.access, again.refresh) == (PAIR.access, PAIR.refresh)
    assert again.expires_in == 880


def test_an_access_token_is_of_a_type_and_audience_of_its_own() -> None:
    assert jwt.get_unverified_header(PAIR.access) == {"alg": "HS256", "typ": "mp+jwt"}
    claims = jwt.decode(PAIR.access, options={"verify_signature": False})
    assert set(claims) == {"iss", "aud", "sid", "gen", "iat", "exp"}
    assert claims["aud"] == "urn:bjidp:mp"


def test_an_access_token_ends_after_fifteen_minutes_or_with_its_session() -> None:
    end = (NOW + 123) // 1000 * 1000 + 15 * MINUTE
    assert TOKENS.read_access(PAIR.access, end - 1) == Named(SID, 3)
    with pytest.raises(TokenInvalid):
        TOKENS.read_access(PAIR.access, end)
    short = TOKENS.pair(replace(SESSION, expires_at=NOW + 10 * SECOND), NOW)
    assert short.expires_in == 10
    with pytest.raises(TokenInvalid):
        TOKENS.read_access(short.access, NOW + 10 * SECOND)


def without(name: str) -> dict[str, object]:
    return {claim: value for claim, value in CLAIMS.items() if claim != name}


FOREIGN: dict[str, Callable[[], str]] = {
    "another key": lambda: signed(CLAIMS, b"b" * 32),
    "the refresh key": lambda: signed(CLAIMS, b"r" * 32),
    "another type": lambda: signed(CLAIMS, typ="JWT"),
    "an id token's type": lambda: signed(CLAIMS, typ="at+jwt"),
    "no type": lambda: signed(CLAIMS, typ=None),
    "another audience": lambda: signed(CLAIMS | {"aud": "urn:bjidp:oidc"}),
    "two audiences": lambda: signed(CLAIMS | {"aud": [AUDIENCE, "urn:other"]}),
    "another issuer": lambda: signed(CLAIMS | {"iss": "http://127.0.0.1:9080"}),
    "another algorithm of the same key": lambda: signed(CLAIMS, b"a" * 64, alg="HS512"),
    "an unknown claim": lambda: signed(CLAIMS | {"account": "someone"}),
    "a generation in text": lambda: signed(CLAIMS | {"gen": "3"}),
    "a generation that is true": lambda: signed(CLAIMS | {"gen": True}),
    "no session": lambda: signed(without("sid")),
    "no end": lambda: signed(without("exp")),
    "no audience": lambda: signed(without("aud")),
    "no signature": lambda: PAIR.access.rsplit(".", 1)[0] + ".",
    "an algorithm of none": lambda: jwt.encode(CLAIMS, "", algorithm="none", headers={"typ": "mp+jwt"}),
    "a header that says more": lambda: jwt.encode(
        CLAIMS, ACCESS_KEY, algorithm="HS256", headers={"typ": "mp+jwt", "kid": "1"}
    ),
    "a refresh token": lambda: PAIR.refresh,
    "empty": lambda: "",
    "padding": lambda: PAIR.access + "=",
    "a line end": lambda: PAIR.access + "\n",
    "another spelling of the signature": lambda: _respelled(PAIR.access),
    "very long": lambda: "a" * 100_000,
}


def _respelled(token: str) -> str:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet[alphabet.index(token[-1]) + 1]
    changed = token[:-1] + last
    head, tail = token.rsplit(".", 1)[1], changed.rsplit(".", 1)[1]
    assert base64.urlsafe_b64decode(head + "=") == base64.urlsafe_b64decode(tail + "=")
    return changed


@pytest.mark.attack("T3", "Q27")
@pytest.mark.filterwarnings("ignore::jwt.InsecureKeyLengthWarning")
@pytest.mark.parametrize("make", FOREIGN.values(), ids=FOREIGN.keys())
def test_no_other_token_is_an_access_token(make: Callable[[], str]) -> None:
    assert TOKENS.read_access(signed(CLAIMS), NOW) == Named(SID, 3)
    with pytest.raises(TokenInvalid):
        TOKENS.read_access(make(), NOW)


@pytest.mark.parametrize("field", [None, "", "Bearer", "Bearer ", f"Basic {PAIR.access}", f"Bearer {PAIR.access} x"])
def test_only_a_bearer_token_authenticates(field: str | None) -> None:
    with pytest.raises(TokenInvalid):
        TOKENS.read_bearer(field, NOW)


@pytest.mark.parametrize(
    "token",
    [
        "",
        PAIR.access,
        PAIR.refresh + "A",
        PAIR.refresh[:-1],
        PAIR.refresh.replace(".3.", ".4."),
        PAIR.refresh.replace(".3.", ".03."),
        PAIR.refresh.replace(".3.", ".-3."),
        PAIR.refresh.replace(".3.", ".٣."),
        "B" + PAIR.refresh[1:],
        PAIR.refresh + "\n",
        MiniTokens(ISSUER, Secret(ACCESS_KEY), Secret(b"s" * 32)).pair(SESSION, NOW).refresh,
    ],
)
@pytest.mark.attack("Q27")
def test_no_other_text_is_a_refresh_token(token: str) -> None:
    with pytest.raises(TokenInvalid):
        TOKENS.read_refresh(token)


def test_one_key_may_not_serve_both_and_none_may_be_short() -> None:
    with pytest.raises(ValueError):
        MiniTokens(ISSUER, Secret(b"a" * 32), Secret(b"a" * 32))
    with pytest.raises(ValueError):
        MiniTokens(ISSUER, Secret(b"a" * 31), Secret(b"r" * 32))


@given(st.text(max_size=200))
def test_any_text_is_refused_in_one_way(text: str) -> None:
    with pytest.raises(TokenInvalid):
        TOKENS.read_access(text, NOW)
    with pytest.raises(TokenInvalid):
        TOKENS.read_refresh(text)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists, max_leaves=5))
def test_any_header_is_refused_in_one_way(header: object) -> None:
    head = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()[:512]
    with pytest.raises(TokenInvalid):
        TOKENS.read_access(f"{head}.{PAIR.access.split('.', 1)[1]}", NOW)


@given(st.integers(0, len(PAIR.access) - 1), st.sampled_from("AZaz09-_."))
def test_no_change_of_one_character_goes_unseen(place: int, character: str) -> None:
    changed = PAIR.access[:place] + character + PAIR.access[place + 1 :]
    if changed != PAIR.access:
        with pytest.raises(TokenInvalid):
            TOKENS.read_access(changed, NOW + 123)


@given(st.integers(1, 999_999_999), st.binary(min_size=16, max_size=16))
def test_every_session_and_generation_is_read_back(generation: int, octets: bytes) -> None:
    sid = base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
    pair = TOKENS.pair(replace(SESSION, id=sid, generation=generation), NOW)
    assert TOKENS.read_access(pair.access, NOW) == TOKENS.read_refresh(pair.refresh) == Named(sid, generation)
