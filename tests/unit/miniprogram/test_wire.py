"""Bodies are strict: whatever is not exactly the shape is refused before anything is looked up."""

from __future__ import annotations

import json
from typing import get_args

import msgspec
import pytest

from bjidp.miniprogram.wire import (
    AccountFound,
    AccountSummary,
    CompleteRequest,
    FoundAccount,
    IdentityRequired,
    LevelName,
    RefreshRequest,
    RegistrationRequest,
    SessionOk,
    SessionRequest,
    level_name,
)
from bjidp.standing import Level

SECRET = "A" * 43
REGISTRATION = {
    "registration": SECRET,
    "document_type": "resident_id",
    "name": "张三",
    "document_number": "110101199003070011",
    "valid_days": 30,
    "agreed": ["terms", "privacy"],
}


def decode(body: object, kind: type) -> object:
    return msgspec.json.decode(json.dumps(body).encode(), type=kind)


@pytest.mark.req("REG-7")
def test_the_bodies_of_the_wire_are_read() -> None:
    assert decode({"code": "c"}, SessionRequest) == SessionRequest("c")
    assert isinstance(decode(REGISTRATION, RegistrationRequest), RegistrationRequest)
    assert decode({"registration": SECRET}, CompleteRequest) == CompleteRequest(SECRET)
    assert decode({"refresh_token": "r"}, RefreshRequest) == RefreshRequest("r")


WRONG_CODES: list[object] = ["", None, True, 0, [], {"$ne": 1}, "x" * 513, "a b", "a\n", "码", "a\x00"]


@pytest.mark.attack("Q27")
@pytest.mark.parametrize("code", WRONG_CODES)
def test_a_login_code_is_a_short_printable_text(code: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode({"code": code}, SessionRequest)


@pytest.mark.attack("Q27")
@pytest.mark.parametrize(
    "secret", ["", None, True, 0, [], {}, "A" * 42, "A" * 44, "A" * 42 + "\n", "А" * 43, "A" * 10_240]
)
def test_a_registration_is_a_text_of_43_characters(secret: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode({"registration": secret}, CompleteRequest)
    with pytest.raises(msgspec.ValidationError):
        decode(REGISTRATION | {"registration": secret}, RegistrationRequest)


@pytest.mark.attack("B1", "B2", "B4", "Q9")
@pytest.mark.parametrize(
    "field", ["openid", "open_id", "account", "user_id", "phone", "verification", "verdict", "passed"]
)
def test_a_body_that_says_more_than_it_may_is_refused(field: str) -> None:
    for body, kind in (
        ({"code": "c"}, SessionRequest),
        (REGISTRATION, RegistrationRequest),
        ({"registration": SECRET}, CompleteRequest),
        ({"refresh_token": "r"}, RefreshRequest),
    ):
        with pytest.raises(msgspec.ValidationError):
            decode({**body, field: "x"}, kind)


@pytest.mark.attack("Q27")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("document_type", "passport"),
        ("document_type", None),
        ("name", None),
        ("name", "三" * 401),
        ("document_number", 110101199003070011),
        ("document_number", "1" * 65),
        ("valid_days", "30"),
        ("valid_days", 8),
        ("valid_days", True),
        ("valid_days", None),
        ("agreed", "terms"),
        ("agreed", ["terms", "privacy", "terms"]),
        ("agreed", ["marketing"]),
    ],
)
def test_each_field_of_a_registration_has_its_type(field: str, value: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode(REGISTRATION | {field: value}, RegistrationRequest)


@pytest.mark.parametrize("field", REGISTRATION)
def test_no_field_of_a_registration_may_be_missing(field: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode({name: value for name, value in REGISTRATION.items() if name != field}, RegistrationRequest)


def test_answers_are_written_as_the_wire_says() -> None:
    assert msgspec.to_builtins(SessionOk("a", 900, "r", AccountSummary("张**", "L3"))) == {
        "status": "ok",
        "access_token": "a",
        "expires_in": 900,
        "refresh_token": "r",
        "account": {"name": "张**", "level": "L3"},
    }
    assert msgspec.to_builtins(IdentityRequired(SECRET, 900)) == {
        "status": "identity_required",
        "registration": SECRET,
        "expires_in": 900,
    }
    assert msgspec.to_builtins(AccountFound(SECRET, FoundAccount("******1234567", None), 1800)) == {
        "status": "account_found",
        "registration": SECRET,
        "account": {"username": "******1234567", "phone": None},
        "expires_in": 1800,
    }


def test_levels_are_one_to_four() -> None:
    assert [level_name(level) for level in Level] == list(get_args(LevelName)) == ["L1", "L2", "L3", "L4"]
    assert [int(level) for level in Level] == [1, 2, 3, 4]
