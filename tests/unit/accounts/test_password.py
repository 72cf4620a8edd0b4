"""What a password is made of."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bjidp.accounts.password import PasswordFault, password_fault

SPECIAL = string.punctuation


@pytest.mark.req("REG-1", "REC-1")
@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("", PasswordFault.LENGTH),
        ("abc1234", PasswordFault.LENGTH),
        ("abcd1234", None),
        ("a1" * 10, None),
        ("a1" * 10 + "b", PasswordFault.LENGTH),
        ("abcdefgh", PasswordFault.KINDS),
        ("ABCDefgh", PasswordFault.KINDS),
        ("12345678", PasswordFault.KINDS),
        ("!!!!!!!!", PasswordFault.KINDS),
        ("abcdefg!", None),
        ("1234567!", None),
        ("Aa1!Aa1!", None),
        ("abcd 1234", PasswordFault.CHARACTER),
        ("abcd\t1234", PasswordFault.CHARACTER),
        ("abcd1234\n", PasswordFault.CHARACTER),
        ("abcd１２３４", PasswordFault.CHARACTER),
        ("密码abcd1234", PasswordFault.CHARACTER),
        ("pässword1", PasswordFault.CHARACTER),
        ("abcd1234😀", PasswordFault.CHARACTER),
    ],
)
def test_a_password_combines_two_kinds_of_what_every_keyboard_has(password: str, fault: PasswordFault | None) -> None:
    assert password_fault(password) is fault


@given(st.text(string.ascii_letters + string.digits + SPECIAL, min_size=8, max_size=20))
def test_a_password_of_one_kind_alone_is_refused_and_every_other_of_its_length_is_good(password: str) -> None:
    kinds = [string.ascii_letters, string.digits, SPECIAL]
    alone = any(set(password) <= set(kind) for kind in kinds)
    assert password_fault(password) is (PasswordFault.KINDS if alone else None)


@given(st.text())
def test_whatever_is_typed_gets_an_answer(password: str) -> None:
    assert password_fault(password) in {None, *PasswordFault}
