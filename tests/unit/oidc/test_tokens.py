"""Tokens of a grant, ID tokens and the keys they are signed with."""

from __future__ import annotations

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bjidp.clock import DAY, MINUTE, SECOND
from bjidp.entropy import SeededEntropy, token
from bjidp.mac import MacKey, mac_once
from bjidp.oidc.claims import ActsFor
from bjidp.oidc.grants.code import Approval, Authentication
from bjidp.oidc.id_token import claims_of, half_hash
from bjidp.oidc.parameters import OPAQUE_MAX, Parameters
from bjidp.oidc.scopes import Claim, Scope
from bjidp.oidc.scopes import claims_of as claims_of_scopes
from bjidp.oidc.signing import AHEAD, BEHIND, PERIOD, SigningKeys
from bjidp.oidc.tokens import ACCESS, AccessToken, RefreshToken, Tokens
from bjidp.organisations.names import LONGEST as NAME_MAX
from bjidp.standing import Level

pytestmark = pytest.mark.req("RP-1")

NOW = 1_790_000_000 * SECOND
GRANT = token(SeededEntropy("grant"), 128)
ISSUER = "https://id.example"
TOKENS = Tokens({1: MacKey(b"1" * 32), 2: MacKey(b"2" * 32)}, current=2)

APPROVAL = Approval(
    client="portal",
    account="zhang",
    ref="r",
    session="s",
    epoch=0,
    scopes=(Scope.OPENID,),
    authentication=Authentication(NOW - MINUTE, Level.L3, ("qr", "face")),
    nonce="n-1",
)


def keys(series: int = 1) -> SigningKeys:
    return SigningKeys(lambda label: mac_once(b"root" * 8, label.encode()), series)


def test_an_access_token_names_its_grant_for_an_hour() -> None:
    text = TOKENS.access(GRANT, NOW)
    assert TOKENS.read_access(text, NOW) == AccessToken(GRANT, NOW + ACCESS)
    assert TOKENS.read_access(text, NOW + ACCESS) is None


def test_a_refresh_token_names_its_grant_and_its_number() -> None:
    assert TOKENS.read_refresh(TOKENS.refresh(GRANT, 7)) == RefreshToken(GRANT, 7)
    assert TOKENS.refresh(GRANT, 7) == TOKENS.refresh(GRANT, 7)


def test_one_kind_of_token_is_never_taken_for_the_other() -> None:
    assert TOKENS.read_refresh(TOKENS.access(GRANT, NOW)) is None
    assert TOKENS.read_access(TOKENS.refresh(GRANT, NOW), NOW) is None


def test_tokens_of_the_version_before_are_read_until_it_is_dropped() -> None:
    old = Tokens({1: MacKey(b"1" * 32)}, current=1).access(GRANT, NOW)
    assert TOKENS.read_access(old, NOW) is not None
    assert Tokens({2: MacKey(b"2" * 32)}, current=2).read_access(old, NOW) is None


@given(st.integers(0, 78), st.sampled_from("ABCabc019-_é=. "))
def test_a_token_with_one_character_changed_is_no_token(place: int, character: str) -> None:
    for text, read in (
        (TOKENS.access(GRANT, NOW), lambda text: TOKENS.read_access(text, NOW)),
        (TOKENS.refresh(GRANT, 1), TOKENS.read_refresh),
    ):
        changed = text[:place] + character + text[place + 1 :]
        assert (read(changed) is None) == (changed != text)


@pytest.mark.req("ORG-3")
def test_an_id_token_tells_for_which_organisation_its_person_acts() -> None:
    acts_for = ActsFor("91000000MA990001X0", "北京示例公司", "representative", "all")
    claims = claims_of(APPROVAL, issuer=ISSUER, subject="sub", acts_for=acts_for, sid="s", access_token="a", now=NOW)
    assert (claims["sub"], claims["act"]) == ("sub", {"sub": "sub"})
    assert claims["organisation"] == {
        "credit_code": "91000000MA990001X0",
        "name": "北京示例公司",
        "role": "representative",
        "powers": "all",
    }
    nobody = claims_of(APPROVAL, issuer=ISSUER, subject="sub", acts_for=None, sid="s", access_token="a", now=NOW)
    assert not {"act", "organisation"} & set(nobody)


@pytest.mark.req("ORG-3", "RP-1")
def test_the_longest_id_token_there_is_comes_back_as_a_hint() -> None:
    agreed = replace(APPROVAL, nonce="n" * OPAQUE_MAX)
    acts_for = ActsFor("91000000MA990001X0", "京" * NAME_MAX, "representative", "filing")
    claims = claims_of(agreed, issuer=ISSUER, subject="s", acts_for=acts_for, sid="s" * 43, access_token="a", now=NOW)
    hint = keys().sign(claims, "JWT", NOW)
    assert Parameters([("id_token_hint", hint)]).get("id_token_hint") == hint


@given(st.text(max_size=120))
def test_no_text_of_a_stranger_is_a_token(text: str) -> None:
    assert TOKENS.read_access(text, NOW) is None
    assert TOKENS.read_refresh(text) is None


def test_an_id_token_is_verified_by_an_ordinary_library_with_the_published_key() -> None:
    access = TOKENS.access(GRANT, NOW)
    claims = claims_of(APPROVAL, issuer=ISSUER, subject="sub", acts_for=None, sid="sid", access_token=access, now=NOW)
    text = keys().sign(claims, "JWT", NOW)
    head = jwt.get_unverified_header(text)
    published = {key["kid"]: key for key in keys().published(NOW)}
    verified = jwt.decode(
        text, jwt.PyJWK(dict(published[head["kid"]])), ["ES256"], audience="portal", issuer=ISSUER,
        options={"verify_exp": False, "verify_iat": False},
    )  # fmt: skip
    assert verified == {
        "iss": ISSUER,
        "sub": "sub",
        "aud": "portal",
        "iat": NOW // SECOND,
        "exp": NOW // SECOND + 600,
        "auth_time": NOW // SECOND - 60,
        "acr": "L3",
        "amr": ["qr", "face"],
        "sid": "sid",
        "nonce": "n-1",
        "at_hash": half_hash(access),
    }


def test_the_half_hash_is_the_one_of_the_standard() -> None:
    # OpenID Connect Core, appendix A.3.
    assert half_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y") == "77QmUPtjPfzWtF2AnpK9RQ"


def test_every_process_has_the_same_key_at_the_same_moment_and_no_other_server_has() -> None:
    assert keys().published(NOW) == keys().published(NOW)
    other = SigningKeys(lambda label: mac_once(b"root" * 7 + b"tree", label.encode()), 1)
    assert not {key["kid"] for key in keys().published(NOW)} & {key["kid"] for key in other.published(NOW)}


@given(st.integers(3 * PERIOD, 4 * PERIOD))
def test_a_key_is_published_before_it_signs_and_after(moment: int) -> None:
    signing = keys()

    def ids(when: int) -> list[str]:
        return [key["kid"] for key in signing.published(when)]

    def signer(when: int) -> str:
        kid: str = jwt.get_unverified_header(signing.sign({}, "JWT", when))["kid"]
        return kid

    assert ids(moment)[0] == signer(moment)
    assert signer(moment + AHEAD) in ids(moment)
    assert signer(moment - BEHIND) in ids(moment)
    assert 1 <= len(ids(moment)) <= 2


def test_a_key_that_got_out_signs_nothing_more_once_the_series_is_raised() -> None:
    assert not {key["kid"] for key in keys(1).published(NOW)} & {key["kid"] for key in keys(2).published(NOW)}
    text = keys(1).sign({"sub": "s", "aud": "portal", "iss": ISSUER, "iat": 1}, "JWT", NOW)
    assert keys(1).verified(text, "JWT", "portal", ISSUER, NOW) is not None
    assert keys(2).verified(text, "JWT", "portal", ISSUER, NOW) is None


@pytest.mark.req("OPS-6")
def test_while_one_root_key_takes_anothers_place_the_keys_of_both_are_published_and_verified() -> None:
    def old(label: str) -> bytes:
        return mac_once(b"root" * 8, label.encode())

    def new(label: str) -> bytes:
        return mac_once(b"tree" * 8, label.encode())

    before, after = SigningKeys(old, 1, [new]), SigningKeys(new, 1, [old])
    both = {key["kid"] for key in before.published(NOW)}
    assert both == {key["kid"] for key in after.published(NOW)}
    assert before.published(NOW)[0] == keys().published(NOW)[0]
    for signing, other in ((before, after), (after, before)):
        text = signing.sign({"sub": "s", "aud": "portal", "iss": ISSUER, "iat": 1}, "JWT", NOW)
        assert jwt.get_unverified_header(text)["kid"] in both
        assert other.verified(text, "JWT", "portal", ISSUER, NOW) is not None


def test_nothing_private_is_published_or_shown() -> None:
    assert {name for key in keys().published(NOW) for name in key} == {"kty", "crv", "x", "y", "use", "alg", "kid"}
    assert repr(keys()) == "SigningKeys(series=1)"


def test_a_hint_counts_for_its_client_though_its_time_is_over() -> None:
    claims = claims_of(APPROVAL, issuer=ISSUER, subject="sub", acts_for=None, sid="sid", access_token="a", now=NOW)
    text = keys().sign(claims, "JWT", NOW)
    later = NOW + 200 * DAY
    found = keys().verified(text, "JWT", "portal", ISSUER, later)
    assert found is not None
    assert found["sub"] == "sub"
    assert keys().verified(text, "JWT", "other", ISSUER, later) is None
    assert keys().verified(text, "logout+jwt", "portal", ISSUER, later) is None
    assert keys().verified(text, "JWT", "portal", "https://evil.example", later) is None
    assert keys().verified(text[:-4] + "AAAA", "JWT", "portal", ISSUER, later) is None
    assert keys().verified("nonsense", "JWT", "portal", ISSUER, later) is None
    unsigned = jwt.encode({"sub": "s", "aud": "portal", "iss": ISSUER, "iat": 1}, "", "none", {"typ": "JWT"})
    assert keys().verified(unsigned, "JWT", "portal", ISSUER, later) is None


def test_scopes_stand_for_what_a_person_would_expect_to_be_read() -> None:
    assert claims_of_scopes([Scope.OPENID, Scope.OFFLINE_ACCESS]) == ()
    assert Claim.DOCUMENT_NUMBER in claims_of_scopes([Scope.IDENTITY])
    assert len(set(claims_of_scopes(Scope))) == len(Claim)
