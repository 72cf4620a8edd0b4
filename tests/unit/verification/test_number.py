"""A number has one form, however it is written."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bjidp.verification.number import MobileNumber, mobile_number

SPELLINGS = [
    "13812345678",
    "+8613812345678",
    "008613812345678",
    "8613812345678",
    "+86 138 1234 5678",
    "(+86) 138-1234-5678",
    "（＋８６）１３８－１２３４－５６７８",
    "１３８１２３４５６７８",
    "138\u3000123\u00a045678",
    "\u202d+86 138 1234 5678\u202c",
    " 138–1234–5678\t",
]
WIDE = str.maketrans("0123456789+", "０１２３４５６７８９＋")


@pytest.mark.req("FAQ-1")
@pytest.mark.attack("O11")
@pytest.mark.parametrize("text", SPELLINGS)
def test_every_spelling_is_the_same_number(text: str) -> None:
    assert mobile_number(text) == MobileNumber("13812345678")


@pytest.mark.attack("O11")
@given(
    digits=st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    prefix=st.sampled_from(["", "86", "+86", "0086"]),
    data=st.data(),
)
def test_however_digits_are_widened_and_put_apart_the_number_is_the_same(
    digits: str, prefix: str, data: st.DataObject
) -> None:
    text = "".join(
        (character.translate(WIDE) if data.draw(st.booleans()) else character)
        + data.draw(st.sampled_from(["", "", " ", "-", "\u3000", "\u2011", "\u200b", "－"]))
        for character in prefix + digits
    )
    assert mobile_number(text) == MobileNumber(digits)


@given(st.text() | st.text(alphabet="+0123456789 -１３８", max_size=20))
def test_whatever_is_read_comes_out_in_the_one_form_or_not_at_all(text: str) -> None:
    found = mobile_number(text)
    if found is not None:
        assert re.fullmatch(r"1[3-9][0-9]{9}", found.digits, re.ASCII)
        assert mobile_number(found.digits) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+86",
        "1381234567",
        "138123456789",
        "12812345678",
        "+8513812345678",
        "+13812345678",
        "868613812345678",
        "++8613812345678",
        "13812345678a",
        "13812345678\n",
        "138.1234.5678",
        "1³812345678",
        "١٣٨١٢٣٤٥٦٧٨",
        "\ud80013812345678",
        "010-12345678",
        "1440123456789",
    ],
)
def test_what_is_no_mainland_mobile_number_is_none(text: str) -> None:
    assert mobile_number(text) is None


def test_the_numbers_of_the_sandbox_are_numbers() -> None:
    assert mobile_number("15400000000") == MobileNumber("15400000000")


@pytest.mark.req("PRV-1")
def test_a_number_is_not_printed() -> None:
    assert "1381234" not in f"{mobile_number('13812345678')!r} {mobile_number('13812345678')}"
