"""Each check of an authorization request, violated alone."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bjidp.oidc.authorize.checks import AGE_MAX, CHECKS, Asked, At, Row, checked
from bjidp.oidc.authorize.request import AuthorizationRequest, Prompt
from bjidp.oidc.client import Client, GrantType
from bjidp.oidc.errors import (
    InvalidRequest,
    InvalidScope,
    ProtocolError,
    RedirectRefused,
    RegistrationNotSupported,
    RequestNotSupported,
    RequestUriNotSupported,
    UnauthorizedClient,
    UnmetAuthenticationRequirements,
    UnsupportedResponseType,
)
from bjidp.oidc.parameters import Parameters
from bjidp.oidc.scopes import Scope
from bjidp.standing import Level
from tests.unit.oidc.conftest import CALLBACK

pytestmark = pytest.mark.req("RP-1")

Sound = dict[str, str]


def asked(client: Client, values: Sound, at: At = At.AUTHORIZE) -> AuthorizationRequest:
    return checked(Asked(client, Parameters(values.items())), at)


def test_a_sound_request_is_read_as_it_was_meant(portal: Client, sound: Sound) -> None:
    request = asked(portal, sound | {"prompt": "login", "max_age": "60", "acr_values": "L3 L2"})
    assert request == AuthorizationRequest(
        client="portal",
        redirect_uri=CALLBACK,
        scopes=(Scope.OPENID, Scope.PROFILE),
        challenge=sound["code_challenge"],
        state="af0ifjsldkj",
        nonce="n-0S6_WzA2Mj",
        prompts=frozenset({Prompt.LOGIN}),
        max_age=60,
        level=Level.L2,
    )


def test_a_pushed_request_is_read_the_same_way(portal: Client, sound: Sound) -> None:
    assert asked(portal, sound, At.PUSHED) == asked(portal, sound, At.AUTHORIZE)


BREACHES: list[tuple[str, Sound, type[ProtocolError]]] = [
    ("no response type", {"response_type": ""}, InvalidRequest),
    ("a token in the address", {"response_type": "token"}, UnsupportedResponseType),
    ("a hybrid response", {"response_type": "code id_token"}, UnsupportedResponseType),
    ("a fragment", {"response_mode": "fragment"}, InvalidRequest),
    ("a request object", {"request": "eyJ"}, RequestNotSupported),
    ("a request object elsewhere", {"request_uri": "https://portal.example/r"}, RequestUriNotSupported),
    ("a client that describes itself", {"registration": "{}"}, RegistrationNotSupported),
    ("no scope", {"scope": ""}, InvalidScope),
    ("no openid", {"scope": "profile"}, InvalidScope),
    ("a scope of other clients", {"scope": "openid phone"}, InvalidScope),
    ("no challenge", {"code_challenge": ""}, InvalidRequest),
    ("a plain challenge", {"code_challenge_method": "plain"}, InvalidRequest),
    ("a challenge without a method", {"code_challenge_method": ""}, InvalidRequest),
    ("a challenge that is no digest", {"code_challenge": "short"}, InvalidRequest),
    ("a state that fits into no address", {"state": "s" * 1025}, InvalidRequest),
    ("a nonce that fits into no token", {"nonce": "n" * 1025}, InvalidRequest),
    ("a prompt there is none of", {"prompt": "dance"}, InvalidRequest),
    ("a prompt for nothing and something", {"prompt": "none login"}, InvalidRequest),
    ("an age below nought", {"max_age": "-1"}, InvalidRequest),
    ("an age in words", {"max_age": "soon"}, InvalidRequest),
    ("a level there is none of", {"acr_values": "L9"}, UnmetAuthenticationRequirements),
    ("a state in other letters", {"state": "状态"}, InvalidRequest),
    ("a line end", {"state": "a\r\nb"}, InvalidRequest),
    ("a parameter of 64 KB", {"login_hint": "x" * 65536}, InvalidRequest),
]


@pytest.mark.attack("T6")
@pytest.mark.parametrize("at", [At.AUTHORIZE, At.PUSHED])
@pytest.mark.parametrize(("change", "error"), [row[1:] for row in BREACHES], ids=[row[0] for row in BREACHES])
def test_one_thing_that_is_wrong_is_told_by_its_own_error(
    portal: Client, sound: Sound, change: Sound, error: type[ProtocolError], at: At
) -> None:
    with pytest.raises(ProtocolError) as raised:
        asked(portal, sound | change, at)
    assert type(raised.value) is error
    assert raised.value.description.isascii()
    assert not set('"\\') & set(raised.value.description)


@pytest.mark.parametrize("name", ["state", "scope", "code_challenge", "client_id", "anything"])
def test_a_parameter_that_comes_twice_is_refused(portal: Client, sound: Sound, name: str) -> None:
    pairs = [*sound.items(), (name, sound.get(name, "x")), (name, "y")]
    with pytest.raises(InvalidRequest):
        checked(Asked(portal, Parameters(pairs)), At.AUTHORIZE)


@pytest.mark.attack("T4")
@pytest.mark.parametrize(
    "address",
    [
        "",
        "//evil.example/callback",
        "/\\evil.example",
        "https:evil.example",
        "https://portal.example@evil.example/callback",
        "https://portal.example/callback\r\nSet-Cookie: a=b",
        "https://portal.example/callback/..",
        "https://portal.example/callbac",
        "https://portal.example/callback?x=1",
        "https://portal.example/callback#x",
        "https://PORTAL.example/callback",
        "https://portal.example:443/callback",
        "http://portal.example/callback",
        "http://localhost:80@evil.example/callback",
    ],
)
def test_nobody_is_sent_to_an_address_that_is_not_registered_letter_by_letter(
    portal: Client, sound: Sound, address: str
) -> None:
    with pytest.raises(RedirectRefused):
        asked(portal, sound | {"redirect_uri": address})


@pytest.mark.attack("T4")
def test_an_address_that_comes_twice_is_nowhere_to_send_anybody(portal: Client, sound: Sound) -> None:
    with pytest.raises(RedirectRefused):
        checked(Asked(portal, Parameters([*sound.items(), ("redirect_uri", CALLBACK)])), At.AUTHORIZE)


def test_where_the_answer_goes_is_settled_before_anything_else_is_looked_at(portal: Client) -> None:
    with pytest.raises(RedirectRefused):
        asked(portal, {})


def test_a_client_without_codes_gets_none(portal: Client, sound: Sound) -> None:
    terminal = msgspec.structs.replace(portal, grants=frozenset({GrantType.DEVICE_CODE}))
    with pytest.raises(UnauthorizedClient):
        asked(terminal, sound)


def test_a_client_that_pushes_its_requests_has_no_others(portal: Client, sound: Sound) -> None:
    careful = msgspec.structs.replace(portal, pushed_only=True)
    with pytest.raises(InvalidRequest):
        asked(careful, sound)
    assert asked(careful, sound, At.PUSHED).client == "portal"


def test_scopes_nobody_knows_are_ignored(portal: Client, sound: Sound) -> None:
    assert asked(portal, sound | {"scope": "openid frobnicate"}).scopes == (Scope.OPENID,)


@pytest.mark.parametrize(("prompt", "given"), [("consent", True), ("", False), ("login", False)])
def test_reading_on_while_somebody_is_away_takes_their_consent(
    portal: Client, sound: Sound, prompt: str, given: bool
) -> None:
    request = asked(portal, sound | {"scope": "openid offline_access", "prompt": prompt})
    assert (Scope.OFFLINE_ACCESS in request.scopes) is given


@pytest.mark.req("RP-2")
@pytest.mark.parametrize(
    ("own", "values", "least"),
    [
        (Level.L1, "", Level.L1),
        (Level.L1, "L3", Level.L3),
        (Level.L1, "L4 L2 L3", Level.L2),
        (Level.L1, "urn:other L3", Level.L3),
        (Level.L3, "L2", Level.L3),
        (Level.L2, "", Level.L2),
    ],
)
def test_the_least_level_that_will_do_is_the_clients_or_the_least_it_names(
    portal: Client, sound: Sound, own: Level, values: str, least: Level
) -> None:
    assert asked(msgspec.structs.replace(portal, level=own), sound | {"acr_values": values}).level is least


def test_an_age_of_thousands_of_digits_is_no_limit(portal: Client, sound: Sound) -> None:
    assert asked(portal, sound | {"max_age": "9" * 2000}).max_age == AGE_MAX


def test_no_value_of_a_request_is_shown(portal: Client, sound: Sound) -> None:
    parameters = Parameters(sound.items())
    shown = repr(parameters) + repr(Asked(portal, parameters)) + repr(asked(portal, sound))
    assert not any(value in shown for name, value in sound.items() if name != "client_id")


def test_every_check_of_the_table_says_which_rule_it_is() -> None:
    names = [row.check.__name__ for row in CHECKS]
    assert len(set(names)) == len(names)
    assert all(row.check.__doc__ for row in CHECKS)


def passes(client: Client, pairs: list[tuple[str, str]]) -> bool:
    try:
        asked = Asked(client, Parameters(pairs))
        checked(asked, At.AUTHORIZE)
    except (ProtocolError, ValueError):
        return False
    return True


@pytest.mark.parametrize("row", CHECKS, ids=[row.check.__name__ for row in CHECKS])
def test_without_any_one_check_some_request_passes_that_must_not(
    portal: Client, sound: Sound, row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = msgspec.structs.replace(portal, grants=frozenset({GrantType.DEVICE_CODE}))
    careful = msgspec.structs.replace(portal, pushed_only=True)
    requests = [
        *((portal, [*(sound | change).items()]) for _, change, _ in BREACHES),
        (terminal, [*sound.items()]),
        (careful, [*sound.items()]),
        (portal, [*sound.items(), ("state", "y")]),
    ]
    assert not any(passes(*each) for each in requests)
    monkeypatch.setattr("bjidp.oidc.authorize.checks.CHECKS", tuple(other for other in CHECKS if other is not row))
    assert any(passes(*each) for each in requests)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["response_type", "scope", "state", "prompt", "max_age", "acr_values", "code_challenge", "x"]
            ),
            st.text(max_size=40),
        ),
        max_size=12,
    )
)
def test_whatever_is_sent_a_request_passes_or_fails_by_the_protocol(pairs: list[tuple[str, str]]) -> None:
    client = Client(id="portal", name="首都之窗", home="https://portal.example/", redirect_uris=(CALLBACK,))
    try:
        request = checked(Asked(client, Parameters([("redirect_uri", CALLBACK), *pairs])), At.AUTHORIZE)
    except ProtocolError:
        return
    assert request.client == "portal"
