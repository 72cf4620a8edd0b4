"""Random values, and the one spelling that bytes have as text."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bjidp.entropy import SeededEntropy, base64url, digits, from_base64url, token, tokens


@given(st.binary(max_size=80))
def test_bytes_are_written_as_the_standard_says_and_read_back(data: bytes) -> None:
    text = base64url(data)
    assert text == base64.urlsafe_b64encode(data).decode().rstrip("=")
    assert from_base64url(text) == data


@pytest.mark.attack("Q27")
@pytest.mark.parametrize("text", ["A", "AB=", "AA==", "+w", "/w", "A\n", " AA", "AA ", "AB", "ÄÖ", "A-_", "AA\0"])
def test_no_other_spelling_is_read(text: str) -> None:
    with pytest.raises(ValueError):
        from_base64url(text)


@pytest.mark.attack("Q27")
@given(st.text(max_size=12))
def test_whatever_is_read_is_the_one_spelling_of_its_bytes(text: str) -> None:
    try:
        data = from_base64url(text)
    except ValueError:
        return
    assert base64url(data) == text


def test_tokens_drawn_at_once_are_those_drawn_one_by_one() -> None:
    one_by_one = SeededEntropy("a").octets(64)
    assert tokens(SeededEntropy("a"), 256, 128, 128) == tuple(
        base64url(part) for part in (one_by_one[:32], one_by_one[32:48], one_by_one[48:])
    )
    assert len(token(SeededEntropy("a"), 128)) == 22


@given(st.integers(min_value=1, max_value=8), st.text(max_size=8))
def test_digits_keep_their_leading_zeros(count: int, seed: str) -> None:
    code = digits(SeededEntropy(seed), count)
    assert len(code) == count
    assert code.isdecimal()
