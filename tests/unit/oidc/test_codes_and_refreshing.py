"""A code is exchanged once by whom it was given to; a refresh token is used once, or ends all of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bjidp.clock import SECOND
from bjidp.oidc.client import Interface
from bjidp.oidc.errors import InvalidGrant
from bjidp.oidc.grants.code import (
    LIFETIME,
    Approval,
    Authentication,
    Replayed,
    Spent,
    Unspent,
    exchanged,
)
from bjidp.oidc.grants.refreshing import LONGEST, FamilyOver, begun, refreshed
from bjidp.oidc.pkce import answers, challenge_of, is_challenge
from bjidp.oidc.scopes import Scope
from bjidp.standing import Level
from tests.unit.oidc.conftest import CALLBACK, VERIFIER

pytestmark = pytest.mark.req("RP-1")

NOW = 5_000 * SECOND
APPROVAL = Approval(
    client="portal",
    account="zhang",
    ref="r",
    session="s",
    epoch=0,
    scopes=(Scope.OPENID,),
    authentication=Authentication(NOW, Level.L2, ("qr",)),
)
CODE = Unspent(approval=APPROVAL, redirect_uri=CALLBACK, challenge=challenge_of(VERIFIER), issued_at=NOW)


def test_a_code_is_exchanged_for_what_was_approved_and_is_spent() -> None:
    assert exchanged(CODE, "portal", CALLBACK, VERIFIER, "g1", NOW) == (APPROVAL, Spent("portal", "g1"))


@pytest.mark.attack("T5")
@pytest.mark.parametrize(
    ("client", "redirect_uri", "verifier", "later"),
    [
        ("other", CALLBACK, VERIFIER, 0),
        ("portal", "https://portal.example/other", VERIFIER, 0),
        ("portal", None, VERIFIER, 0),
        ("portal", CALLBACK, None, 0),
        ("portal", CALLBACK, VERIFIER + "x", 0),
        ("portal", CALLBACK, "短" * 43, 0),
        ("portal", CALLBACK, VERIFIER[:42], 0),
        ("portal", CALLBACK, VERIFIER, LIFETIME),
    ],
)
def test_what_does_not_fit_is_refused_in_one_way_and_spends_nothing(
    client: str, redirect_uri: str | None, verifier: str | None, later: int
) -> None:
    with pytest.raises(InvalidGrant) as raised:
        exchanged(CODE, client, redirect_uri, verifier, "g1", NOW + later)
    with pytest.raises(InvalidGrant) as unknown:
        exchanged(None, client, redirect_uri, verifier, "g1", NOW)
    assert raised.value.description == unknown.value.description


CITY = replace(CODE, interface=Interface.BEIJING, challenge="")


@pytest.mark.req("RP-5")
@pytest.mark.parametrize("redirect_uri", [None, CALLBACK])
def test_a_code_of_the_citys_own_interface_needs_no_verifier_and_no_address(redirect_uri: str | None) -> None:
    found = exchanged(CITY, "portal", redirect_uri, None, "g1", NOW, interface=Interface.BEIJING)
    assert found == (APPROVAL, Spent("portal", "g1"))


@pytest.mark.req("RP-5")
@pytest.mark.attack("T5")
@pytest.mark.parametrize(
    ("code", "redirect_uri", "verifier", "interface"),
    [
        (CITY, "https://portal.example/other", None, Interface.BEIJING),
        (CITY, CALLBACK, None, Interface.OPENID),
        (CITY, CALLBACK, VERIFIER, Interface.OPENID),
        (replace(CITY, challenge=CODE.challenge), CALLBACK, VERIFIER, Interface.OPENID),
        (CODE, CALLBACK, VERIFIER, Interface.BEIJING),
        (CODE, None, None, Interface.BEIJING),
    ],
)
def test_a_code_is_exchanged_by_the_interface_it_was_asked_for_by_alone(
    code: Unspent, redirect_uri: str | None, verifier: str | None, interface: Interface
) -> None:
    with pytest.raises(InvalidGrant):
        exchanged(code, "portal", redirect_uri, verifier, "g1", NOW, interface=interface)


@pytest.mark.attack("T5")
def test_a_second_exchange_names_the_grant_that_has_to_end() -> None:
    _, spent = exchanged(CODE, "portal", CALLBACK, VERIFIER, "g1", NOW)
    with pytest.raises(Replayed) as raised:
        exchanged(spent, "portal", CALLBACK, VERIFIER, "g2", NOW)
    assert raised.value.grant == "g1"


@pytest.mark.attack("T5")
def test_another_client_cannot_end_tokens_with_a_spent_code() -> None:
    with pytest.raises(InvalidGrant):
        exchanged(Spent("portal", "g1"), "other", CALLBACK, VERIFIER, "g2", NOW)


@pytest.mark.attack("T6")
def test_the_published_verifier_answers_the_published_challenge() -> None:
    challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert is_challenge(challenge)
    assert answers(VERIFIER, challenge)
    assert not answers(challenge, challenge)


@pytest.mark.attack("T7")
def test_a_refresh_token_is_good_once_and_its_reuse_ends_the_family() -> None:
    first = begun(NOW)
    second = refreshed(first, 1, NOW + SECOND)
    assert second == replace(first, number=2)
    with pytest.raises(FamilyOver) as raised:
        refreshed(second, 1, NOW + SECOND)
    assert raised.value.stolen


@pytest.mark.attack("T7")
@pytest.mark.parametrize("number", [0, -1, 3, 10**9])
def test_a_number_that_was_never_given_ends_nothing(number: int) -> None:
    with pytest.raises(FamilyOver) as raised:
        refreshed(refreshed(begun(NOW), 1, NOW), number, NOW)
    assert not raised.value.stolen


def test_a_family_ends_however_often_it_is_used() -> None:
    family = begun(NOW)
    used = refreshed(family, 1, NOW + LONGEST - 1)
    assert used.ends_at == family.ends_at
    with pytest.raises(FamilyOver):
        refreshed(used, 2, NOW + LONGEST)


@given(st.lists(st.integers(1, 6), max_size=20))
def test_of_any_uses_in_any_order_each_number_succeeds_at_most_once(uses: list[int]) -> None:
    family = begun(NOW)
    succeeded: list[int] = []
    for number in uses:
        try:
            family = refreshed(family, number, NOW)
        except FamilyOver as over:
            if over.stolen:
                break
        else:
            succeeded.append(number)
    assert succeeded == list(range(1, len(succeeded) + 1))
