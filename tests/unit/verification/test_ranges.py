"""Production refuses exactly the mobile numbers that the sandbox uses, and the other way round (wire.md 5)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bjidp.errors import InvalidRequest
from bjidp.verification.number import MobileNumber, mobile_number
from bjidp.verification.ranges import NumberRange, is_synthetic


def faults(home: NumberRange, number: MobileNumber, *field: str) -> list[tuple[str, str]]:
    with pytest.raises(InvalidRequest) as caught:
        home.admit(number, *field)
    return [(fault.field, fault.code) for fault in caught.value.errors]


@pytest.mark.req("OPS-2")
@given(st.from_regex(r"154[0-9]{8}", fullmatch=True))
def test_a_number_of_the_sandbox_is_served_beside_it_alone(digits: str) -> None:
    number = MobileNumber(digits)
    assert is_synthetic(number)
    NumberRange.SYNTHETIC.admit(number)
    assert faults(NumberRange.REAL, number) == [("phone", "not_served")]


@pytest.mark.req("OPS-2")
@given(st.from_regex(r"1(?:5[0-35-9]|[346-9][0-9])[0-9]{8}", fullmatch=True))
def test_a_number_that_somebody_may_have_is_served_in_production_alone(digits: str) -> None:
    number = MobileNumber(digits)
    assert not is_synthetic(number)
    NumberRange.REAL.admit(number)
    assert faults(NumberRange.SYNTHETIC, number) == [("phone", "not_served")]


def test_a_number_of_the_sandbox_is_one_however_it_is_written() -> None:
    number = mobile_number("+86 154-1000-0001")
    assert number is not None
    assert faults(NumberRange.REAL, number) == [("phone", "not_served")]


def test_the_fault_is_told_at_the_field_where_the_number_was() -> None:
    assert faults(NumberRange.REAL, MobileNumber("15410000001"), "name") == [("name", "not_served")]
