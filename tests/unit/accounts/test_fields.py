"""What is wrong with the fields that several forms have."""

from __future__ import annotations

import pytest

from bjidp.accounts import fields
from bjidp.accounts.fields import Field
from bjidp.errors import FieldFault, InvalidRequest


def told(faults: list[FieldFault]) -> list[tuple[str, str]]:
    return [(fault.field, fault.code) for fault in faults]


@pytest.mark.attack("O1")
@pytest.mark.parametrize(
    ("code", "faults"),
    [
        ("", [("code", "missing")]),
        ("\u3000", [("code", "missing")]),
        ("12345", [("code", "form")]),
        ("٤٩٣٨١٧", [("code", "form")]),
        (" 123 456", []),
        ("１２３４５６", []),
    ],
)
def test_what_cannot_be_a_code_costs_no_try(code: str, faults: list[tuple[str, str]]) -> None:
    assert told(fields.code_faults(code)) == faults


@pytest.mark.req("REG-2")
@pytest.mark.parametrize(
    ("phone", "faults"),
    [
        ("", [("phone", "missing")]),
        (" ", [("phone", "missing")]),
        ("1540000000", [("phone", "form")]),
        ("😀", [("phone", "form")]),
        ("+86 154 0000 0001", []),
    ],
)
def test_a_number_is_one_of_a_mobile_phone(phone: str, faults: list[tuple[str, str]]) -> None:
    assert told(fields.phone_faults(phone)) == faults


@pytest.mark.req("REG-1", "REC-1", "REC-3", "ACC-2")
@pytest.mark.parametrize(
    ("password", "again", "faults"),
    [
        ("", "", [("password", "missing")]),
        ("Abc1234", "", [("password", "length")]),
        ("abcdefgh", "", [("password", "kinds")]),
        ("Ａbcd12345", "", [("password", "character")]),
        ("9" * 100_000, "", [("password", "length")]),
        ("Wansui-8", "", [("again", "missing")]),
        ("Wansui-8", "Wansui-9", [("again", "mismatch")]),
        ("Wansui-8", "Wansui-8", []),
        ("Wansui-8", None, []),
        ("abcdefgh", None, [("password", "kinds")]),
        ("Abcd1234", "", [("password", "regular")]),
        ("Passw0rd", "", [("password", "leaked")]),
        ("zhang_81-X", "", [("password", "named")]),
    ],
)
def test_a_new_password_follows_one_rule_and_is_typed_twice_where_it_is_asked_for_twice(
    password: str, again: str | None, faults: list[tuple[str, str]]
) -> None:
    assert told(fields.password_faults(password, again, ["zhang_81", None])) == faults


def test_whatever_else_is_missing_is_told_of_its_field() -> None:
    assert told(fields.captcha_faults(" ")) == [("captcha", "missing")]
    assert told(fields.missing(Field.TAIL, "\t")) == [("tail", "missing")]
    assert told(fields.username_faults("")) == [("username", "missing")]
    assert told(fields.agreement_faults(agreed=False)) == [("agreed", "required")]
    assert (
        fields.captcha_faults("3827") == fields.missing(Field.TAIL, "1") == fields.agreement_faults(agreed=True) == []
    )


def test_a_form_with_faults_is_refused_with_all_of_them() -> None:
    fields.require_none([])
    with pytest.raises(InvalidRequest) as refused:
        fields.require_none([*fields.phone_faults(""), *fields.captcha_faults("")])
    assert told(list(refused.value.errors)) == [("phone", "missing"), ("captcha", "missing")]
