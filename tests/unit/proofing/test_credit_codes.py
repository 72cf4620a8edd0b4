"""统一社会信用代码: published vectors, slips that must be caught, writings that are one code."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bjidp.proofing.checksums import GB_32100_ALPHABET, gb_32100
from bjidp.proofing.credit_codes import CreditCode, credit_code
from bjidp.proofing.faults import Fault, Unacceptable

pytestmark = pytest.mark.req("ORG-1")

CHARACTERS = st.sampled_from(GB_32100_ALPHABET)
BODIES = st.builds(
    "{}{}{}".format,
    st.text(CHARACTERS, min_size=2, max_size=2),
    st.text("0123456789", min_size=6, max_size=6),
    st.text(CHARACTERS, min_size=9, max_size=9),
)
CODES = BODIES.map(lambda body: body + gb_32100(body))


def refusal(typed: str) -> Fault:
    with pytest.raises(Unacceptable) as caught:
        credit_code(typed)
    return caught.value.fault


@pytest.mark.parametrize(
    ("code", "region"),
    [("91110000600037341L", "110000"), ("91350100M000100Y43", "350100"), ("9144030071526726XG", "440300")],
)
def test_a_published_code_is_read_with_its_region(code: str, region: str) -> None:
    read = credit_code(code)
    assert read == CreditCode(code)
    assert read.region == region


@given(CODES)
def test_every_code_with_its_check_character_is_read(code: str) -> None:
    assert credit_code(code).text == code


@given(CODES, st.integers(0, 17), CHARACTERS)
def test_one_wrong_character_is_caught(code: str, place: int, other: str) -> None:
    if code[place] != other:
        assert refusal(code[:place] + other + code[place + 1 :]) in {Fault.CHECK_DIGIT, Fault.FORMAT}


@given(CODES, st.integers(8, 15))
def test_two_characters_in_the_wrong_order_are_caught(code: str, place: int) -> None:
    if code[place] != code[place + 1]:
        swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
        assert refusal(swapped) is Fault.CHECK_DIGIT


@pytest.mark.parametrize(
    "typed",
    [
        "91110000600037341l",
        " 9111 0000 6000 3734 1L ",
        "91110000-60003734-1-L",
        "９１１１００００６０００３７３４１Ｌ",
        "91110000\u3000600037341\u200bl",
    ],
)
def test_spaces_hyphens_width_and_case_do_not_matter(typed: str) -> None:
    assert credit_code(typed).text == "91110000600037341L"


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("", Fault.EMPTY),
        (" - ", Fault.EMPTY),
        ("91110000600037342L", Fault.CHECK_DIGIT),
        ("911100006000373411", Fault.CHECK_DIGIT),
        ("9111000060003734L", Fault.FORMAT),
        ("91110000600037341LL", Fault.FORMAT),
        ("9111000O600037341L", Fault.FORMAT),
        ("9I110000600037341L", Fault.FORMAT),
        ("91A10000600037341L", Fault.FORMAT),
        ("91110000600037341L\n", Fault.FORMAT),
        ("9111000060003734ıL", Fault.FORMAT),
        ("٩١١١٠٠٠٠٦٠٠٠٣٧٣٤١L", Fault.FORMAT),
        ("统一社会信用代码", Fault.FORMAT),
        ("110000012345678", Fault.FORMAT),
        (" " * 65, Fault.FORMAT),
        ("9" * 100_000, Fault.FORMAT),
    ],
)
def test_what_is_no_code_is_told_how(typed: str, fault: Fault) -> None:
    assert refusal(typed) is fault


@given(st.text(max_size=80))
def test_whatever_is_typed_is_a_code_or_a_fault(typed: str) -> None:
    try:
        code = credit_code(typed)
    except Unacceptable:
        return
    assert len(code.text) == 18
    assert set(code.text) <= set(GB_32100_ALPHABET)
