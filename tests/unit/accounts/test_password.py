"""What a password is made of."""

from __future__ import annotations

import string
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bjidp.accounts.password import PasswordFault, password_fault

SPECIAL = string.punctuation
LEAKED = [
    line
    for line in (files("bjidp.accounts") / "leaked_passwords.txt").read_text(encoding="ascii").splitlines()
    if not line.startswith("# ")
]


@pytest.mark.req("REG-1", "REC-1")
@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("", PasswordFault.LENGTH),
        ("abc1234", PasswordFault.LENGTH),
        ("Wansui-8", None),
        ("w4n5ui" * 3 + "xy", None),
        ("w4n5ui" * 3 + "xyz", PasswordFault.LENGTH),
        ("abcdefgh", PasswordFault.KINDS),
        ("ABCDefgh", PasswordFault.KINDS),
        ("12345678", PasswordFault.KINDS),
        ("!!!!!!!!", PasswordFault.KINDS),
        ("wansuiy!", None),
        ("1749203!", None),
        ("Aw1!Aw1!", None),
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


@pytest.mark.req("REG-1", "REC-1", "ACC-2")
@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("abcd1234", PasswordFault.REGULAR),
        ("4321dcba", PasswordFault.REGULAR),
        ("a1234567", PasswordFault.REGULAR),
        ("Qwer!@#$", PasswordFault.REGULAR),
        ("AAAA1111", PasswordFault.REGULAR),
        ("a1" * 10, PasswordFault.REGULAR),
        ("1qaz2wsx", PasswordFault.LEAKED),
        ("Trustno1", PasswordFault.LEAKED),
        ("woaini1314", PasswordFault.LEAKED),
        ("P@ssw0rd!2024", PasswordFault.LEAKED),
        ("2008#Beijing", PasswordFault.LEAKED),
        ("zhang19901", PasswordFault.LEAKED),
        ("beijing-wansui-8", None),
        ("zhangwansui1990", None),
    ],
)
def test_what_anybody_would_try_first_is_no_password(password: str, fault: PasswordFault | None) -> None:
    assert password_fault(password) is fault


@pytest.mark.req("REG-1", "REC-1", "ACC-2")
@pytest.mark.parametrize(
    ("password", "names", "fault"),
    [
        ("Zhang_81-wan", ["zhang_81"], PasswordFault.NAMED),
        ("my15400012345", ["zhang_81", "15400012345"], PasswordFault.NAMED),
        ("Zhang_81-wan", ["zhang_82"], None),
        # What is no longer than this stands in many a password by chance.
        ("Zhang-wan81", ["zhang"], None),
    ],
)
def test_a_password_does_not_contain_a_name_of_its_account(
    password: str, names: list[str], fault: PasswordFault | None
) -> None:
    assert password_fault(password, names) is fault


@given(st.text(string.ascii_letters + string.digits + SPECIAL, min_size=8, max_size=20))
def test_a_password_of_one_kind_alone_is_refused_as_one(password: str) -> None:
    kinds = [string.ascii_letters, string.digits, SPECIAL]
    alone = any(set(password) <= set(kind) for kind in kinds)
    assert (password_fault(password) is PasswordFault.KINDS) is alone


@given(st.text())
def test_whatever_is_typed_gets_an_answer(password: str) -> None:
    assert password_fault(password) in {None, *PasswordFault}


def test_whatever_has_leaked_is_refused_for_that() -> None:
    assert len(LEAKED) > 4_000
    assert {password_fault(line) for line in LEAKED} == {PasswordFault.LEAKED}
    assert {password_fault(line.upper()) for line in LEAKED} == {PasswordFault.LEAKED}
