"""Registration metadata: what may be registered, and every fault by its name."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from bjidp.entropy import base64url
from bjidp.oidc.client import Client, GrantType, Proof, SubjectType
from bjidp.oidc.members import MetadataRefused
from bjidp.oidc.metadata import KNOWN, read
from bjidp.oidc.scopes import Scope
from bjidp.standing import Level

pytestmark = pytest.mark.req("RP-1")

Metadata = dict[str, object]

PORTAL: Metadata = {
    "client_name": "首都之窗",
    "client_uri": "https://portal.example/",
    "redirect_uris": ["https://portal.example/callback"],
    "scope": "openid profile",
}


def a_key() -> dict[str, str]:
    numbers = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    x, y = (base64url(number.to_bytes(32)) for number in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": "1"}


def faults(**change: object) -> list[str]:
    with pytest.raises(MetadataRefused) as raised:
        read("id", PORTAL | change)
    return [fault.member for fault in raised.value.faults]


def test_a_site_says_who_it_is_and_where_and_gets_what_is_safest() -> None:
    assert read("id", PORTAL) == Client(
        id="id",
        name="首都之窗",
        home="https://portal.example/",
        redirect_uris=("https://portal.example/callback",),
        grants=frozenset({GrantType.AUTHORIZATION_CODE}),
        proof=Proof.CLIENT_SECRET_BASIC,
        scopes=frozenset({Scope.OPENID, Scope.PROFILE}),
        subjects=SubjectType.PAIRWISE,
        sector="portal.example",
        level=Level.L1,
    )


def test_everything_that_may_be_said_is_kept() -> None:
    key = a_key()
    client = read(
        "id",
        PORTAL
        | {
            "redirect_uris": ["https://portal.example/a", "https://www.portal.example/b"],
            "sector_identifier_host": "www.portal.example",
            "post_logout_redirect_uris": ["https://portal.example/bye"],
            "backchannel_logout_uri": "https://portal.example/logout",
            "backchannel_logout_session_required": True,
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": {"keys": [key]},
            "subject_type": "public",
            "default_acr_values": ["L3", "L2"],
            "require_pushed_authorization_requests": True,
        },
    )
    assert client.sector == "www.portal.example"
    assert client.post_logout_redirect_uris == ("https://portal.example/bye",)
    assert client.backchannel_logout_uri == "https://portal.example/logout"
    assert client.logout_by_session
    assert client.grants == {GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN}
    assert (client.proof, client.keys) == (Proof.PRIVATE_KEY_JWT, (key,))
    assert (client.subjects, client.level, client.pushed_only) == (SubjectType.PUBLIC, Level.L2, True)


def test_a_terminal_has_no_address() -> None:
    terminal: Metadata = {"client_name": "终端", "client_uri": "https://t.example", "scope": "openid"}
    grants: Metadata = {
        "grant_types": ["urn:ietf:params:oauth:grant-type:device_code"],
        "token_endpoint_auth_method": "none",
    }
    client = read("id", terminal | grants)
    assert (client.redirect_uris, client.proof, client.sector) == ((), Proof.NONE, "t.example")


def test_a_site_that_does_not_name_its_own_address_has_the_one_its_users_are_sent_back_to() -> None:
    metadata = {name: value for name, value in PORTAL.items() if name != "client_uri"}
    assert read("id", metadata).home == "https://portal.example/"
    there = metadata | {"redirect_uris": ["http://127.0.0.1:8082/a/b?c=d"]}
    assert read("id", there).home == "http://127.0.0.1:8082/"


def test_a_terminal_without_an_address_of_its_own_is_no_site() -> None:
    device: Metadata = {"client_name": "终端", "grant_types": ["urn:ietf:params:oauth:grant-type:device_code"]}
    with pytest.raises(MetadataRefused) as raised:
        read("id", device)
    assert [fault.member for fault in raised.value.faults] == ["client_uri"]


def test_what_is_so_for_every_site_may_be_said() -> None:
    said: Metadata = {
        "application_type": "web",
        "id_token_signed_response_alg": "ES256",
        "token_endpoint_auth_signing_alg": "ES256",
        "contacts": ["somebody@portal.example"],
        "software_id": "portal",
        "software_version": "1.0",
    }
    assert read("id", PORTAL | said) == read("id", PORTAL)


@pytest.mark.parametrize(
    ("member", "value", "words"),
    [
        ("token_endpoint_auth_method", "client_secret_post", "must be one of none client_secret_basic private_key_jwt"),
        ("grant_types", ["password"], "knows authorization_code refresh_token "),
        ("jwks_uri", "https://portal.example/jwks", "write the keys into jwks"),
    ],
)
def test_a_fault_says_what_to_write_instead(member: str, value: object, words: str) -> None:
    with pytest.raises(MetadataRefused) as raised:
        read("id", PORTAL | {member: value})
    assert words in raised.value.faults[0].words


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("client_name", ""),
        ("client_name", "长" * 41),
        ("client_name", "a\u202eb"),
        ("client_name", "\u3164"),
        ("client_name", "首都\u115f之窗"),
        ("client_name", "首都\u2800\u2800之窗"),
        ("client_name", "首都\ufe00之窗"),
        ("client_name", "Z\u0335\u0321\u0354a"),
        ("client_name", 7),
        ("client_uri", ""),
        ("client_uri", "portal.example"),
        ("redirect_uris", []),
        ("redirect_uris", "https://portal.example/callback"),
        ("redirect_uris", ["https://portal.example/a", "https://portal.example/a"]),
        ("redirect_uris", [f"https://portal.example/{number}" for number in range(33)]),
        ("post_logout_redirect_uris", [7]),
        ("grant_types", ["password"]),
        ("grant_types", ["refresh_token"]),
        ("response_types", ["token"]),
        ("token_endpoint_auth_method", "client_secret_post"),
        ("jwks", {"keys": []}),
        ("jwks", {"keys": [{"kty": "RSA"}]}),
        ("jwks", {"keys": [{"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43}]}),
        ("jwks", []),
        ("scope", "profile"),
        ("scope", "openid everything"),
        ("subject_type", "shared"),
        ("sector_identifier_host", "evil.example"),
        ("default_acr_values", ["L5"]),
        ("require_pushed_authorization_requests", "yes"),
        ("jwks_uri", "https://portal.example/jwks"),
        ("logo_uri", "https://portal.example/logo"),
        ("id_token_signed_response_alg", "RS256"),
        ("token_endpoint_auth_signing_alg", "none"),
        ("application_type", "desktop"),
        ("contacts", "somebody@portal.example"),
        ("software_version", 1),
        ("client_id", "of-my-own"),
    ],
)
def test_each_fault_is_told_by_the_name_of_its_member(member: str, value: object) -> None:
    assert faults(**{member: value}) == [member]


def test_all_faults_are_told_at_once() -> None:
    found = faults(client_name="", scope="", redirect_uris=[], logo_uri="x")
    assert set(found) == {"logo_uri", "redirect_uris", "client_name", "scope"}


def test_who_signs_has_to_say_with_which_key() -> None:
    assert faults(token_endpoint_auth_method="private_key_jwt") == ["jwks"]


def test_a_private_key_in_a_file_is_refused_and_not_repeated() -> None:
    with pytest.raises(MetadataRefused) as raised:
        read("id", PORTAL | {"jwks": {"keys": [a_key() | {"d": "secret"}]}})
    assert "secret" not in str(raised.value)


@pytest.mark.attack("T11")
def test_apps_on_peoples_own_machines_know_them_by_names_of_their_own_unless_they_say_otherwise() -> None:
    """The host of all of them is 127.0.0.1, whoever made them."""
    metadata = {name: value for name, value in PORTAL.items() if name != "client_uri"}
    for address in ("http://127.0.0.1:3000/back", "http://[::1]/back", "http://localhost:1/back"):
        app = metadata | {"redirect_uris": [address]}
        assert read("one", app).subject_sector != read("other", app).subject_sector, address
    both = metadata | {"redirect_uris": ["http://127.0.0.1:3000/back", "http://localhost:3000/back"]}
    assert read("one", both).subject_sector == "id:one"
    said = both | {"sector_identifier_host": "localhost"}
    assert read("one", said).subject_sector == read("other", said).subject_sector == "localhost"
    device = {"client_uri": "http://localhost/", "redirect_uris": [], "grant_types": []}
    assert read("one", metadata | device).subject_sector == "id:one"


def test_several_hosts_need_one_name_for_their_users() -> None:
    assert faults(redirect_uris=["https://a.example/", "https://b.example/"]) == ["sector_identifier_host"]


@pytest.mark.attack("T4")
@pytest.mark.parametrize(
    "address",
    [
        "http://portal.example/callback",
        "https://user@portal.example/",
        "https://portal.example/#top",
        "https://portal.example/#",
        "https://portal.example:99999/",
        "https://portal.example/ a",
        "https://portal.example/\r\nX: y",
        "https://portal.example\\@evil.example/",
        "//portal.example/",
        "https:portal.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://门户.example/",
        "https://portal.example/" + "a" * 512,
        "https://*.portal.example/callback",
        "https://portal.example/*",
        "com.example.app:/callback",
    ],
)
def test_an_address_that_people_are_sent_to_is_https_and_plain(address: str) -> None:
    assert "redirect_uris" in faults(redirect_uris=[address])


@pytest.mark.parametrize("address", ["http://127.0.0.1:8082/callback", "http://localhost:8082/", "http://[::1]:1/"])
def test_this_machine_needs_no_certificate(address: str) -> None:
    assert read("id", PORTAL | {"redirect_uris": [address]}).redirect_uris == (address,)


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted(KNOWN)), json))
def test_whatever_is_in_the_file_it_is_registered_or_refused(metadata: Metadata) -> None:
    try:
        client = read("id", metadata)
    except MetadataRefused:
        return
    assert client.sector


def test_what_notices_of_a_log_out_have_to_say_means_nothing_where_none_goes() -> None:
    assert faults(backchannel_logout_session_required=True) == ["backchannel_logout_session_required"]


def test_of_a_file_without_addresses_the_one_that_is_missing_is_named_and_no_other() -> None:
    with pytest.raises(MetadataRefused) as refused:
        read("c", {"client_name": "x"})
    assert [fault.member for fault in refused.value.faults] == ["redirect_uris"]
    with pytest.raises(MetadataRefused) as refused:
        read("c", {"client_name": "x", "grant_types": []})
    assert [(fault.member, fault.words) for fault in refused.value.faults] == [
        ("client_uri", "is needed where there are no redirect_uris")
    ]
    with pytest.raises(MetadataRefused) as refused:
        read("c", {"client_name": "x", "interface": "beijing", "grant_types": []})
    assert {fault.member for fault in refused.value.faults} == {"grant_types", "redirect_uris"}


def test_what_a_site_may_read_while_its_user_is_away_means_nothing_without_the_grant_that_gives_it() -> None:
    away = "openid offline_access"
    assert faults(scope=away) == ["scope"]
    assert faults(scope=away, grant_types=[]) == ["scope"]
    assert faults(scope=away, grant_types=["refresh"]) == ["grant_types"], "once that is put right it may be right"
    granted = read("id", PORTAL | {"scope": away, "grant_types": ["authorization_code", "refresh_token"]})
    assert Scope.OFFLINE_ACCESS in granted.scopes
