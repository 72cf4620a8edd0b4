"""Changing something of one's account: the step that is due, and what is wrong with a form."""

from __future__ import annotations

from itertools import product

import pytest

from bjidp.accounts.settings import flow
from bjidp.accounts.settings.flow import Change, Sent, Step, Typed
from bjidp.errors import FieldFault
from bjidp.verification.proofs import Operation

NOW = 1_800_000_000_000
GOOD = "newpass-2027"
NAMES = ("zhang_san", "15400000001")


def told(faults: list[FieldFault]) -> list[tuple[str, str]]:
    return [(fault.field, fault.code) for fault in faults]


@pytest.mark.req("ACC-8")
@pytest.mark.attack("R4")
@pytest.mark.parametrize("operation", list(Operation))
def test_no_facts_lead_past_the_proof(operation: Operation) -> None:
    """Whatever else has become a fact, a change without a live proof is at 验证身份, or before it."""
    everything = product((None, "15400000002"), (False, True), (0, NOW))
    for address, identity_proved, saving_until in everything:
        facts = Change(operation=operation, address=address, identity_proved=identity_proved, saving_until=saving_until)
        assert flow.next_step(operation, facts, proved=False, now=NOW) is Step.VERIFY
        assert flow.next_step(operation, facts, proved=True, now=NOW) is Step.CHANGE


@pytest.mark.req("ACC-7")
def test_the_end_of_an_account_begins_with_its_notice_even_for_whoever_has_a_proof() -> None:
    for proved in (False, True):
        assert flow.next_step(Operation.CANCEL, None, proved=proved, now=NOW) is Step.NOTICE
    agreed = Change(operation=Operation.CANCEL)
    assert flow.next_step(Operation.CANCEL, agreed, proved=False, now=NOW) is Step.VERIFY


@pytest.mark.req("ACC-8")
def test_a_change_that_was_not_begun_asks_for_the_proof_first() -> None:
    assert flow.next_step(Operation.PHONE, None, proved=False, now=NOW) is Step.VERIFY
    assert flow.next_step(Operation.PHONE, None, proved=True, now=NOW) is Step.CHANGE


def test_a_change_that_is_done_stays_done_whatever_is_proved_meanwhile() -> None:
    done = Change(operation=Operation.MAIL, done=True, saving_until=NOW + 5)
    for proved in (False, True):
        assert flow.next_step(Operation.MAIL, done, proved=proved, now=NOW) is Step.DONE


def test_a_change_that_is_being_written_is_waited_for_and_not_for_ever() -> None:
    facts = Change(operation=Operation.MAIL, saving_until=NOW + flow.SAVING)
    assert flow.next_step(Operation.MAIL, facts, proved=False, now=NOW) is Step.SAVING
    assert flow.next_step(Operation.MAIL, facts, proved=False, now=NOW + flow.SAVING) is Step.VERIFY


@pytest.mark.req("ACC-2")
@pytest.mark.parametrize(
    ("typed", "faults"),
    [
        (Typed(), [("old", "missing"), ("password", "missing")]),
        (Typed(old="old-pass-1", password="short1"), [("password", "length")]),
        (Typed(old="old-pass-1", password="中文密码中文密码1"), [("password", "character")]),
        (Typed(old="old-pass-1", password="onlyletters"), [("password", "kinds")]),
        (Typed(old="old-pass-1", password="Password-1"), [("password", "leaked")]),
        (Typed(old="old-pass-1", password="15400000001-x"), [("password", "named")]),
        (Typed(old=GOOD, password=GOOD, again=GOOD), [("password", "same")]),
        (Typed(old="old-pass-1", password=GOOD), [("again", "missing")]),
        (Typed(old="old-pass-1", password=GOOD, again=GOOD + "x"), [("again", "mismatch")]),
        (Typed(password=GOOD, again="x"), [("old", "missing"), ("again", "mismatch")]),
        (Typed(old="old-pass-1", password=GOOD, again=GOOD), []),
    ],
)
def test_a_new_password_is_told_everything_that_is_wrong_at_once(typed: Typed, faults: list[tuple[str, str]]) -> None:
    assert told(flow.password_faults(typed, NAMES, has_one=True)) == faults


@pytest.mark.req("ACC-2")
def test_an_account_without_a_password_is_asked_for_no_old_one() -> None:
    assert flow.password_faults(Typed(password=GOOD, again=GOOD), NAMES, has_one=False) == []
    assert told(flow.password_faults(Typed(), NAMES, has_one=False)) == [("password", "missing")]


@pytest.mark.req("ACC-3")
@pytest.mark.parametrize(
    ("phone", "faults"),
    [
        ("", [("phone", "missing")]),
        (" \u3000", [("phone", "missing")]),
        ("12345678901", [("phone", "form")]),
        ("1540000000", [("phone", "form")]),
        ("15400000001", [("phone", "same")]),
        ("+86 154-0000-0001", [("phone", "same")]),
        ("１５４００００００２", [("phone", "form")]),
        ("+86 154 0000 0002", []),
    ],
)
def test_a_new_number_is_another_one_however_it_is_spelt(phone: str, faults: list[tuple[str, str]]) -> None:
    assert told(flow.phone_faults(Typed(phone=phone), "15400000001")) == faults


@pytest.mark.req("ACC-4")
@pytest.mark.parametrize(
    ("mail", "faults"),
    [
        ("", [("mail", "missing")]),
        ("zhang", [("mail", "form")]),
        ("Zhang@Example.com", [("mail", "same")]),
        ("li@example.com", []),
    ],
)
def test_a_new_address_is_another_one_however_it_is_spelt(mail: str, faults: list[tuple[str, str]]) -> None:
    assert told(flow.mail_faults(Typed(mail=mail), "zhang@example.com")) == faults


@pytest.mark.req("ACC-6")
@pytest.mark.parametrize(
    ("username", "faults"),
    [
        ("", [("username", "missing")]),
        ("short", [("username", "length")]),
        ("1zhangsan", [("username", "first")]),
        ("zhang-san", [("username", "character")]),
        ("bjt_23456789012", [("username", "reserved")]),
        ("zhang_san", [("username", "same")]),
        (" Zhang_San ", []),
        ("zhang_san_2", []),
    ],
)
def test_a_new_username_is_of_the_same_rule_as_at_registration(username: str, faults: list[tuple[str, str]]) -> None:
    assert told(flow.username_faults(Typed(username=username), "zhang_san")) == faults


@pytest.mark.req("ACC-3")
def test_a_code_to_another_number_makes_the_one_before_proved_no_more() -> None:
    facts = Change(operation=Operation.PHONE, address="15400000002")
    asked = flow.address_asked(facts, Sent(to="15400000003", dispatch="d", again_at=NOW))
    assert asked.address is None
    assert flow.address_proved(asked, "15400000003").address == "15400000003"


@pytest.mark.req("PRV-1")
def test_nothing_personal_is_in_what_is_logged_of_a_change() -> None:
    sent = Sent(to="15400000003", dispatch="d", again_at=NOW)
    facts = Change(operation=Operation.PHONE, address_code=sent, address="15400000003")
    typed = Typed(phone="15400000003", old="old-pass-1", password=GOOD)
    assert not {"15400000003", "old-pass-1", GOOD} & set(f"{facts!r} {sent!r} {typed!r}".replace("'", " ").split())
