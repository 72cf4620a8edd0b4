"""Which step a registration is at, and what each of the two forms is told without anybody being asked."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from bjidp.accounts.fields import REPEATED, Field
from bjidp.accounts.ports import Evidence
from bjidp.accounts.registration.flow import (
    Begun,
    Facts,
    Identity,
    Registered,
    Step,
    Surface,
    Typed,
    account_faults,
    asked,
    code_faults,
    next_step,
    of_session,
    proved,
    to_session,
    username_faults,
    without_number,
)
from bjidp.errors import FieldFault
from tests.support.verification import number

NUMBER = "15400000001"
BEGUN = Begun(next="/centre", client="首都之窗")
GOOD = Typed(
    username="zhang_san",
    phone=NUMBER,
    captcha="3827",
    captcha_id="captcha",
    code="493817",
    password="Wansui-8",
    again="Wansui-8",
    agreed=True,
)


def told(faults: list[FieldFault]) -> list[tuple[str, str]]:
    """Return fields and faults, in the order of the form."""
    return [(fault.field, fault.code) for fault in faults]


# --------------------------------------------------------------------------------------------------------- the steps


@pytest.mark.req("REG-1", "REG-6")
@pytest.mark.parametrize(
    ("facts", "step"),
    [
        (None, Step.ACCOUNT),
        (BEGUN, Step.ACCOUNT),
        (replace(BEGUN, proved=NUMBER, attempted=True), Step.ACCOUNT),
        (Registered(next="/centre", client="首都之窗"), Step.IDENTITY),
        (Registered(next="/centre", client="首都之窗", identity=Identity.SKIPPED), Step.DONE),
        (Registered(next="/centre", client="首都之窗", identity=Identity.BOUND), Step.DONE),
        (Registered(next="/centre", client="首都之窗", identity=Identity.HELD), Step.DONE),
    ],
)
def test_the_step_that_is_due_follows_from_the_facts(facts: Facts, step: Step) -> None:
    assert next_step(facts) is step


@pytest.mark.parametrize("identity", Identity)
def test_a_session_remembers_the_registration_it_began_with(identity: Identity) -> None:
    facts = Registered(
        next="/centre",
        client="首都之窗",
        national=identity is Identity.BOUND,
        identity=identity,
        held_by=(Evidence.BANK_CARD, Evidence.FACE) if identity is Identity.HELD else (),
    )
    assert of_session(to_session(facts) | {"other": "data"}) == facts


def test_a_session_that_began_otherwise_knows_of_none() -> None:
    assert of_session({}) is None
    assert of_session({"other": "data"}) is None


# --------------------------------------------------------------------------------------------------------- the facts


@pytest.mark.attack("O10")
def test_a_number_is_proved_until_another_one_is_sent_a_code() -> None:
    facts = replace(proved(BEGUN, number(NUMBER)), attempted=True)
    again = asked(facts, GOOD, number(NUMBER), "dispatch", 7)
    assert (again.proved, again.attempted) == (NUMBER, True)
    other = asked(facts, GOOD, number("15400000002"), "dispatch", 7)
    assert (other.phone, other.proved, other.attempted) == ("15400000002", None, False)
    assert (other.dispatch, other.again_at, other.username) == ("dispatch", 7, "zhang_san")
    long = asked(facts, replace(GOOD, username="z" * 60_000), number(NUMBER), "dispatch", 7)
    assert len(long.username) == REPEATED


def test_another_number_that_is_proved_takes_the_place_of_the_first() -> None:
    facts = replace(proved(BEGUN, number(NUMBER)), attempted=True)
    other = proved(facts, number("15400000002"))
    assert (other.proved, other.attempted) == ("15400000002", False)


def test_who_wants_to_give_another_number_has_proved_none() -> None:
    facts = replace(proved(BEGUN, number(NUMBER)), attempted=True, username="zhang_san", dispatch="sent", again_at=60)
    assert without_number(facts) == replace(BEGUN, username="zhang_san")


def test_facts_and_what_was_typed_print_nothing_personal() -> None:
    facts = replace(BEGUN, username="zhang_san", phone=NUMBER, proved=NUMBER)
    for text in (repr(GOOD), repr(facts)):
        assert not [value for value in ("zhang_san", NUMBER, "Wansui-8", "493817") if value in text]


# ---------------------------------------------------------------------------------------------------------- the forms


@pytest.mark.req("REG-1")
def test_a_form_that_is_right_has_no_fault() -> None:
    assert account_faults(Surface.PC, GOOD, BEGUN) == []


@pytest.mark.req("REG-3")
def test_the_form_of_phones_asks_for_neither_a_username_nor_the_password_twice() -> None:
    assert account_faults(Surface.H5, replace(GOOD, username="", again=""), BEGUN) == []
    # What it does not ask for is not looked at.
    assert account_faults(Surface.H5, replace(GOOD, username="1", again="else"), BEGUN) == []


@pytest.mark.req("UX-5")
def test_everything_that_is_wrong_is_told_at_once_in_the_order_of_the_fields() -> None:
    assert told(account_faults(Surface.PC, Typed(), BEGUN)) == [
        ("username", "missing"),
        ("phone", "missing"),
        ("code", "missing"),
        ("password", "missing"),
        ("agreed", "required"),
    ]
    assert told(account_faults(Surface.H5, Typed(), BEGUN)) == [
        ("phone", "missing"),
        ("code", "missing"),
        ("password", "missing"),
        ("agreed", "required"),
    ]


@pytest.mark.req("REG-1", "UX-5")
@pytest.mark.parametrize(
    ("changed", "field", "fault"),
    [
        ({"username": "  "}, Field.USERNAME, "missing"),
        ({"username": "zhang"}, Field.USERNAME, "length"),
        ({"username": "a" * 21}, Field.USERNAME, "length"),
        ({"username": "1zhang"}, Field.USERNAME, "first"),
        ({"username": "_zhang"}, Field.USERNAME, "first"),
        ({"username": "ｚhangsan"}, Field.USERNAME, "first"),
        ({"username": "zhang san"}, Field.USERNAME, "character"),
        ({"username": "zhang😀san"}, Field.USERNAME, "character"),
        ({"username": "zhang𠮷san"}, Field.USERNAME, "character"),
        ({"username": "zhang\0san"}, Field.USERNAME, "character"),
        ({"username": "bjt_23456789012"}, Field.USERNAME, "reserved"),
        ({"phone": "\u3000"}, Field.PHONE, "missing"),
        ({"phone": "1540000000"}, Field.PHONE, "form"),
        ({"phone": "01082345678"}, Field.PHONE, "form"),
        ({"phone": "+1 202 555 0100"}, Field.PHONE, "form"),
        ({"phone": "😀"}, Field.PHONE, "form"),
        ({"code": " "}, Field.CODE, "missing"),
        ({"code": "49381"}, Field.CODE, "form"),
        ({"code": "4938170"}, Field.CODE, "form"),
        ({"code": "٤٩٣٨١٧"}, Field.CODE, "form"),
        ({"password": "Wan-8"}, Field.PASSWORD, "length"),
        ({"password": "Wansui-8" * 3}, Field.PASSWORD, "length"),
        ({"password": "Wansui 8"}, Field.PASSWORD, "character"),
        ({"password": "Ｗansui-8"}, Field.PASSWORD, "character"),
        ({"password": "Wansui-8\ud800"}, Field.PASSWORD, "character"),
        ({"password": "wansuiwansui"}, Field.PASSWORD, "kinds"),
        ({"password": "Abcd1234"}, Field.PASSWORD, "regular"),
        ({"password": "Password-1"}, Field.PASSWORD, "leaked"),
        ({"password": "my-Zhang_San"}, Field.PASSWORD, "named"),
        ({"password": "my15400000001"}, Field.PASSWORD, "named"),
        ({"again": ""}, Field.AGAIN, "missing"),
        ({"again": "Wansui-9"}, Field.AGAIN, "mismatch"),
        ({"agreed": False}, Field.AGREED, "required"),
    ],
)
def test_one_thing_that_is_wrong_is_told_beside_its_field_alone(
    changed: dict[str, Any], field: Field, fault: str
) -> None:
    typed = replace(GOOD, **changed)
    assert told(account_faults(Surface.PC, typed, BEGUN)) == [(field, fault)]


@pytest.mark.parametrize(
    "phone", ["１５４０００００００１", "154 0000 0001", "+86 154-0000-0001", "\u202d15400000001\u202c"]
)
def test_a_number_is_read_however_it_is_written(phone: str) -> None:
    typed = replace(GOOD, phone=phone, code="４９３ ８１７")
    assert account_faults(Surface.PC, typed, BEGUN) == []


def test_blanks_around_a_username_are_not_part_of_it() -> None:
    typed = replace(GOOD, username=" zhang_san\u3000")
    assert (account_faults(Surface.PC, typed, BEGUN), typed.name) == ([], "zhang_san")


@pytest.mark.req("REG-2")
def test_a_number_that_was_proved_needs_no_code_and_another_one_does() -> None:
    facts = proved(BEGUN, number(NUMBER))
    typed = replace(GOOD, code="")
    assert account_faults(Surface.PC, typed, facts) == []
    assert account_faults(Surface.PC, replace(typed, phone="+86 154 0000 0001"), facts) == []
    assert told(account_faults(Surface.PC, replace(typed, phone="15400000002"), facts)) == [("code", "missing")]


@pytest.mark.req("REG-2")
def test_a_code_is_asked_for_with_a_number_and_a_captcha_and_nothing_else() -> None:
    assert code_faults(Typed(phone=NUMBER, captcha="3827")) == []
    assert told(code_faults(Typed(captcha=" "))) == [("phone", "missing"), ("captcha", "missing")]
    assert told(code_faults(Typed(phone="12345", captcha="3827"))) == [("phone", "form")]


@pytest.mark.req("REG-2")
def test_a_username_may_be_judged_early_and_left_for_later() -> None:
    assert username_faults(Surface.PC, Typed(), required=False) == []
    assert told(username_faults(Surface.PC, Typed(username="1"), required=False)) == [("username", "length")]
    assert username_faults(Surface.H5, Typed(username="1"), required=True) == []
