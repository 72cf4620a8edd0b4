"""Masks show what the manual shows, at one width whatever they hide."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bjidp.accounts.masks import mask_document, mask_mail, mask_name, mask_phone, mask_username
from bjidp.accounts.username import is_system_username

NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc", "M", "Z"]), min_size=1, max_size=30)
DIGITS = st.text("0123456789", max_size=20)


@pytest.mark.req("ACC-1")
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("张三", "张**"),
        ("李", "李**"),
        ("欧阳娜娜", "欧**"),
        ("买买提·阿不都热合曼", "买**"),
        ("O'Neill Shaquille", "O**"),
        ("\U00020bb7野家", "\U00020bb7**"),
        ("葛\U000e0100城", "葛\U000e0100**"),
        ("e\u0301ric", "e\u0301**"),
        (" 张三", "张**"),
        ("", "***"),
    ],
)
def test_a_name_shows_its_first_character(name: str, shown: str) -> None:
    assert mask_name(name) == shown


@pytest.mark.req("ACC-1")
@given(NAMES)
def test_a_masked_name_is_one_character_and_two_stars_whatever_its_length(name: str) -> None:
    masked = mask_name(name)
    assert masked == name[0] + "**"
    assert len([c for c in masked if not unicodedata.category(c).startswith("M")]) == 3


@pytest.mark.req("ACC-1")
@pytest.mark.parametrize(
    ("number", "shown"),
    [("15012347931", "150****7931"), ("18000009749", "180****9749"), ("91234567", "*********67"), ("123", "*" * 11)],
)
def test_a_phone_number_is_shown_as_in_the_manual(number: str, shown: str) -> None:
    assert mask_phone(number) == shown


@pytest.mark.req("ACC-1")
@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("zhangsan@example.com", "z***@example.com"),
        ("z@example.com", "z***@example.com"),
        ('"a@b"@例子.cn', '"***@例子.cn'),
    ],
)
def test_of_an_address_the_first_character_and_the_host_are_shown(address: str, shown: str) -> None:
    assert mask_mail(address) == shown


@pytest.mark.req("ACC-1")
@pytest.mark.parametrize(
    ("username", "shown"),
    [
        ("bjt_24563217931", "******3217931"),
        ("zhangsan", "z***********n"),
        ("bjt_zhang", "b***********g"),
        ("", "*" * 13),
    ],
)
def test_a_system_name_shows_seven_characters_and_a_chosen_one_two(username: str, shown: str) -> None:
    assert mask_username(username) == shown


@pytest.mark.req("ACC-1")
@pytest.mark.parametrize(
    ("number", "shown"),
    [("11010119900307453X", "***********453X"), ("H12345678", "*************78"), ("1", "*" * 15)],
)
def test_a_document_number_shows_its_end(number: str, shown: str) -> None:
    assert mask_document(number) == shown


@pytest.mark.req("ACC-1")
@given(DIGITS)
def test_a_mask_tells_nothing_by_its_width(text: str) -> None:
    assert len(mask_phone(text)) == 11
    assert len(mask_document(text)) == 15
    assert len(mask_username("bjt_" + text)) == 13


@pytest.mark.req("ACC-1")
@given(DIGITS)
def test_at_least_four_characters_stay_hidden_or_nothing_is_shown(text: str) -> None:
    for mask in (mask_phone, mask_document):
        shown = mask(text).replace("*", "")
        assert shown == "" or len(text) - len(shown) >= 4


@given(st.text("0123456789abcdefghijklmnopqrstuvwxyz_", min_size=6, max_size=20))
def test_a_chosen_username_shows_its_two_ends_alone(username: str) -> None:
    if not is_system_username(username):
        assert mask_username(username) == username[0] + "*" * 11 + username[-1]
