"""Names made by the system: random, and no telephone number."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bjidp.accounts.identifiers import of_document, of_phone, of_username
from bjidp.accounts.username import UsernameFault, is_system_username, system_username, username_fault
from bjidp.entropy import SeededEntropy
from bjidp.person import DocumentType, Person


@pytest.mark.req("REG-3", "REG-7")
@given(st.text(max_size=10))
def test_a_system_name_is_eleven_digits_that_are_no_mobile_and_no_landline_number(seed: str) -> None:
    name = system_username(SeededEntropy(seed))
    assert re.fullmatch(r"bjt_[2-9][0-9]{10}", name)
    assert is_system_username(name)


def test_every_first_digit_but_zero_and_one_comes_up() -> None:
    entropy = SeededEntropy("digits")
    assert {system_username(entropy)[4] for _ in range(300)} == set("23456789")


@pytest.mark.parametrize(
    "name",
    [
        "bjt_",
        "bjt_1234567890",
        "bjt_123456789012",
        "bjt_1234567890a",
        "bjt_\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669\u0660\u0661",
        "BJT_12345678901",
        "x12345678901234",
    ],
)
def test_other_names_are_not_taken_for_one(name: str) -> None:
    assert not is_system_username(name)


@pytest.mark.req("REG-8")
def test_identifiers_are_compared_in_their_normal_form_and_show_nothing() -> None:
    assert of_username("ZhangSan") == of_username("zhangsan")
    assert of_phone("13800000000") != of_username("13800000000")
    number = "110101199003074530"
    by_id = of_document(Person(DocumentType.RESIDENT_ID, "张三", number))
    assert by_id == of_document(Person(DocumentType.RESIDENT_ID, "李四", number))
    assert by_id != of_document(Person(DocumentType.PERMANENT_RESIDENT, "张三", number))
    assert repr(by_id) == "Identifier(document, ***)"


@pytest.mark.req("REG-1", "ACC-6")
@pytest.mark.parametrize(
    ("username", "fault"),
    [
        ("", UsernameFault.LENGTH),
        ("abcde", UsernameFault.LENGTH),
        ("abcdef", None),
        ("a" * 20, None),
        ("a" * 21, UsernameFault.LENGTH),
        ("Zhang_san_1", None),
        ("1zhangsan", UsernameFault.FIRST),
        ("_zhangsan", UsernameFault.FIRST),
        ("13800138000", UsernameFault.FIRST),
        ("張zhangsan", UsernameFault.FIRST),
        ("ａzhangsan", UsernameFault.FIRST),
        ("zhang-san", UsernameFault.CHARACTER),
        ("zhang san", UsernameFault.CHARACTER),
        ("zhang@san", UsernameFault.CHARACTER),
        ("zhang三san", UsernameFault.CHARACTER),
        ("zhangsan\n", UsernameFault.CHARACTER),
        ("zhang١٢", UsernameFault.CHARACTER),
        ("bjt_23456789012", UsernameFault.RESERVED),
        ("BJT_23456789012", UsernameFault.RESERVED),
        ("bjt_12345678901", UsernameFault.RESERVED),
        ("bjt_2345678901", None),
        ("bjt_2345678901a", None),
    ],
)
def test_a_chosen_name_begins_with_a_letter_and_is_none_of_the_systems(
    username: str, fault: UsernameFault | None
) -> None:
    assert username_fault(username) is fault


@pytest.mark.req("REG-3")
@given(st.text(max_size=10))
def test_nobody_can_choose_a_name_that_the_system_might_make(seed: str) -> None:
    assert username_fault(system_username(SeededEntropy(seed)).upper()) is UsernameFault.RESERVED
