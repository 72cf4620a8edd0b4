"""The cipher of the Beijing profile, by its published vectors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bjidp.oidc.beijing.sealing import WINDOW, is_genuine, is_secret, opened, sealed

pytestmark = pytest.mark.req("RP-5")

SECRET = "00112233445566778899aabbccddeeff"
CLIENT = "100100000001"
MADE_AT = 1_700_000_000_000
NUMBER = ("11010519491231002X", "89555bc8ffbbd9918c0dbb574ef42b9f2f750f599d9c191300c56ff1ee599937")
TOKEN = (
    "eb4877f8ef5572ccfd436b85ee571553f582c19f6f1d06046595d4a44ee03c6b"
    "97833cfffe1aca0a34f0ae3b59fabac7203442dfb411fdc47dbe2d8ddc32b950"
)


def test_the_published_number_is_sealed_and_opened_as_published() -> None:
    assert sealed(NUMBER[0], SECRET) == NUMBER[1]
    assert opened(NUMBER[1], SECRET) == NUMBER[0]


def test_the_published_auth_token_is_genuine_when_it_was_made() -> None:
    assert sealed(f"{CLIENT}:{SECRET}:{MADE_AT}", SECRET) == TOKEN
    assert is_genuine(TOKEN, CLIENT, SECRET, MADE_AT)


@pytest.mark.parametrize(
    ("off", "counts"), [(WINDOW, True), (-WINDOW, True), (WINDOW + 1, False), (-WINDOW - 1, False)]
)
def test_an_auth_token_counts_for_five_minutes_either_way(off: int, counts: bool) -> None:
    assert is_genuine(TOKEN, CLIENT, SECRET, MADE_AT + off) is counts


@pytest.mark.parametrize(
    "text",
    [
        f"other:{SECRET}:{MADE_AT}",
        f"{CLIENT}:{SECRET[::-1]}:{MADE_AT}",
        f"{CLIENT}:{SECRET}:{MADE_AT}:more",
        f" {CLIENT}:{SECRET}:{MADE_AT}",
        f"{CLIENT}:{SECRET}:{MADE_AT}\n",
        f"{CLIENT}:{SECRET}:{MADE_AT // 1000}",
        f"{CLIENT}:{SECRET}:１７０００００００００００",
        f"{CLIENT}:{SECRET}:",
        "",
    ],
)
def test_an_auth_token_says_exactly_three_things(text: str) -> None:
    assert not is_genuine(sealed(text, SECRET), CLIENT, SECRET, MADE_AT)


def test_an_auth_token_under_another_secret_is_not_genuine() -> None:
    other = SECRET[::-1]
    assert not is_genuine(sealed(f"{CLIENT}:{SECRET}:{MADE_AT}", other), CLIENT, SECRET, MADE_AT)


@given(st.text(max_size=60))
def test_whatever_is_sealed_is_opened_again(text: str) -> None:
    assert opened(sealed(text, SECRET), SECRET) == text


@given(st.text(max_size=100) | st.text("0123456789abcdef", min_size=32, max_size=64))
def test_what_a_stranger_sends_opens_to_nothing_or_to_text(text: str) -> None:
    assert isinstance(opened(text, SECRET), str | None)


@pytest.mark.parametrize(("text", "fits"), [(SECRET, True), (SECRET.upper(), False), (SECRET[:-1], False), ("", False)])
def test_a_secret_is_sixteen_bytes_in_small_hexadecimal_digits(text: str, fits: bool) -> None:
    assert is_secret(text) is fits
