"""The facts of a recovery and the step they lead to, and what is wrong with what was typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bjidp.accounts.fields import REPEATED
from bjidp.accounts.reassigned import UNUSED
from bjidp.accounts.recovery import flow, forms
from bjidp.accounts.recovery.flow import DOCUMENTS, PROVED_FOR, SAVING, Recovery, Step, next_step
from bjidp.accounts.recovery.forms import Choosing, Naming, Proving
from bjidp.accounts.surface import Surface
from bjidp.person import DocumentType, Person
from bjidp.verification.number import MobileNumber
from tests.unit.accounts.recovery.people import MEMBER, NOW, PLAIN, RESIDENT, documents, read

NUMBER = MobileNumber("15012347931")


def faults(found: list[object]) -> dict[str, str]:
    return {str(fault.field): str(fault.code) for fault in found}  # type: ignore[attr-defined]


@pytest.mark.req("REC-1")
def test_on_a_computer_a_name_an_identity_and_a_password_are_due_in_this_order() -> None:
    assert next_step(None, NOW) is Step.NAME
    facts = flow.of_member(read("zhang_san"), MEMBER, "mark", NOW)
    assert next_step(facts, NOW) is Step.IDENTITY
    assert next_step(flow.with_code_sent(facts, "dispatch", NOW, ""), NOW) is Step.IDENTITY
    assert len(flow.with_code_sent(facts, "dispatch", NOW, "1" * 60_000).document) == REPEATED
    assert next_step(flow.with_phone_proved(facts), NOW) is Step.IDENTITY
    facts = flow.with_proof(facts, NOW)
    assert next_step(facts, NOW) is Step.PASSWORD
    facts = flow.claimed(facts, NOW)
    assert next_step(facts, NOW + SAVING - 1) is Step.SAVING
    assert next_step(facts, NOW + SAVING) is Step.SPENT
    assert next_step(flow.finished(facts), NOW) is Step.DONE


@pytest.mark.req("REC-2")
def test_a_real_named_account_is_asked_for_its_document_and_shown_two_masks() -> None:
    facts = flow.of_member(read("zhang_san"), MEMBER, "mark", NOW)
    assert (facts.asks_document, facts.asks_code) == (True, True)
    assert (facts.shown, facts.number_shown) == ("z***********n", "150****7931")
    assert facts.document_shown == "***********002X"


@pytest.mark.req("REC-2", "LOG-6")
def test_whoever_may_have_been_given_the_number_is_not_shown_what_the_login_asks_them() -> None:
    for used, shown in ((NOW - UNUSED, "***********002X"), (NOW - UNUSED - 1, "*" * 15), (None, "*" * 15)):
        member = replace(MEMBER, phone_used_at=used)
        assert flow.of_member(read("15012347931"), member, "mark", NOW).document_shown == shown
        assert flow.of_member(read(RESIDENT), member, "mark", NOW).document_shown == "***********002X"


@pytest.mark.req("REC-2")
def test_an_account_without_an_identity_is_asked_for_the_code_alone() -> None:
    facts = flow.of_member(read("15012347931"), PLAIN, "mark", NOW)
    assert (facts.asks_document, facts.asks_code) == (False, True)
    assert (facts.shown, facts.number_shown, facts.document_shown) == ("150****7931", "150****7931", "")


@pytest.mark.req("REC-2")
def test_an_account_without_a_phone_has_no_way_but_jingtong() -> None:
    facts = flow.of_member(read(RESIDENT), replace(MEMBER, phone=None), "mark", NOW)
    assert (facts.asks_document, facts.asks_code) == (False, False)
    assert (facts.number, facts.number_shown, facts.document_shown) == (None, "", "")
    assert next_step(facts, NOW) is Step.IDENTITY


@pytest.mark.req("REC-3")
@pytest.mark.attack("R1")
def test_on_a_phone_nobody_is_asked_whose_the_number_is_before_it_is_proved() -> None:
    facts = flow.of_number(NUMBER)
    assert (facts.account, facts.document_shown, facts.number_shown) == ("", "", "150****7931")
    assert next_step(facts, NOW) is Step.IDENTITY
    assert next_step(flow.with_phone_proved(facts), NOW) is Step.NOBODY


@pytest.mark.req("REC-3", "LOG-6")
@pytest.mark.parametrize(
    ("used", "asked"),
    [(NOW, False), (NOW - UNUSED, False), (NOW - UNUSED - 1, True), (None, True)],
)
def test_on_a_phone_a_number_that_was_not_proved_for_sixty_days_needs_the_document(
    used: int | None, asked: bool
) -> None:
    proved = flow.with_phone_proved(flow.of_number(NUMBER))
    facts = flow.with_owner(proved, replace(MEMBER, phone_used_at=used), "mark", NOW)
    assert facts.asks_document is asked
    assert not facts.asks_code
    assert next_step(facts, NOW) is Step.IDENTITY
    assert not flow.with_owner(proved, replace(PLAIN, phone_used_at=used), "mark", NOW).asks_document


@pytest.mark.attack("R3")
def test_nothing_that_was_known_is_left_once_the_password_is_about_to_be_written() -> None:
    facts = flow.with_proof(flow.with_phone_proved(flow.of_member(read("zhang_san"), MEMBER, "mark", NOW)), NOW)
    assert flow.claimed(facts, NOW) == Recovery(surface=Surface.PC, claimed_at=NOW)
    later = flow.with_proof(flow.with_phone_proved(flow.claimed(facts, NOW)), NOW)
    assert next_step(later, NOW) is Step.SAVING


@pytest.mark.attack("R3")
def test_a_proof_serves_for_a_quarter_of_an_hour() -> None:
    facts = flow.with_proof(flow.of_member(read("zhang_san"), MEMBER, "mark", NOW), NOW)
    assert next_step(facts, NOW + PROVED_FOR) is Step.PASSWORD
    assert next_step(facts, NOW + PROVED_FOR + 1) is Step.IDENTITY


@pytest.mark.attack("O1")
def test_after_five_document_numbers_the_recovery_is_over_unless_the_fifth_was_right() -> None:
    facts = flow.with_phone_proved(flow.of_member(read("zhang_san"), MEMBER, "mark", NOW))
    for _ in range(DOCUMENTS):
        assert next_step(facts, NOW) is Step.IDENTITY
        facts = flow.with_document_tried(facts)
    assert next_step(facts, NOW) is Step.SPENT
    assert next_step(flow.with_proof(facts, NOW), NOW) is Step.PASSWORD


@pytest.mark.req("REC-1", "UX-5")
@pytest.mark.parametrize(
    ("surface", "typed", "wrong"),
    [
        (Surface.PC, Naming(), {"account": "missing", "captcha": "missing"}),
        (Surface.PC, Naming(name="  ", captcha="1234"), {"account": "missing"}),
        (Surface.PC, Naming(name="x" * 100_000, captcha="1234"), {}),
        (Surface.PC, Naming(name="😀", captcha=" "), {"captcha": "missing"}),
        (Surface.H5, Naming(), {"phone": "missing", "captcha": "missing"}),
        (Surface.H5, Naming(phone="12345", captcha="1234"), {"phone": "form"}),
        (Surface.H5, Naming(phone="１５０ 1234 7931", captcha="1234"), {}),
    ],
)
def test_the_first_form_says_what_is_missing(surface: Surface, typed: Naming, wrong: dict[str, str]) -> None:
    assert faults([*forms.naming_faults(surface, typed)]) == wrong


@pytest.mark.req("REC-2", "UX-5")
@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        (Proving(), {"document": "missing", "code": "missing"}),
        (Proving(document="123", code="12345"), {"document": "form", "code": "form"}),
        (Proving(document=RESIDENT, code="１２３ ４５６"), {}),
        (Proving(document="11010519491231002y", code="123456"), {"document": "form"}),
        (Proving(document="9" * 100_000, code="1" * 100_000), {"document": "form", "code": "form"}),
    ],
)
def test_the_form_of_proof_says_what_is_missing_and_what_cannot_be(typed: Proving, wrong: dict[str, str]) -> None:
    facts = flow.of_member(read("zhang_san"), MEMBER, "mark", NOW)
    assert faults([*forms.proving_faults(facts, typed, documents)]) == wrong


@pytest.mark.req("REC-2")
def test_nothing_is_asked_twice_and_nothing_that_the_page_does_not_ask() -> None:
    proved = flow.with_phone_proved(flow.of_member(read("zhang_san"), MEMBER, "mark", NOW))
    assert faults([*forms.proving_faults(proved, Proving(), documents)]) == {"document": "missing"}
    plain = flow.of_member(read("zhang_san"), PLAIN, "mark", NOW)
    assert faults([*forms.proving_faults(plain, Proving(), documents)]) == {"code": "missing"}


@pytest.mark.req("REC-2")
@pytest.mark.parametrize(
    "typed", [RESIDENT, RESIDENT.lower(), "110105 19491231 002x", "１１０１０５１９４９１２３１００２Ｘ"]
)
def test_a_document_is_its_members_in_every_spelling(typed: str) -> None:
    assert forms.is_document_of(MEMBER, typed, documents)


@pytest.mark.req("REC-2")
def test_another_document_a_document_of_another_kind_and_none_are_not_the_members() -> None:
    assert not forms.is_document_of(MEMBER, "440524188001010014", documents)
    assert not forms.is_document_of(MEMBER, "", documents)
    assert not forms.is_document_of(PLAIN, RESIDENT, documents)
    permit = replace(MEMBER, document=Person(DocumentType.PERMANENT_RESIDENT, "张三", RESIDENT))
    assert not forms.is_document_of(permit, RESIDENT, documents)


@pytest.mark.req("PRV-1")
@given(st.text(min_size=1, max_size=20).map(lambda text: f"secret{text}"))
def test_nothing_typed_is_printed(secret: str) -> None:
    typed = [
        Naming(name=secret, phone=secret, captcha=secret),
        Proving(document=secret, code=secret),
        Choosing(password=secret, again=secret),
        Recovery(surface=Surface.PC, shown=secret, account=secret, number=secret, document=secret),
    ]
    assert "secret" not in repr(typed)


@pytest.mark.req("REC-2")
@pytest.mark.attack("R3")
def test_a_confirmation_in_jingtong_counts_for_as_long_as_it_is_not_taken_back() -> None:
    facts = flow.of_member(read("zhang_san"), MEMBER, "mark", NOW)
    assert next_step(facts, NOW, confirmed=True) is Step.PASSWORD
    assert next_step(facts, NOW, confirmed=False) is Step.IDENTITY
    assert next_step(flow.claimed(facts, NOW), NOW, confirmed=True) is Step.SAVING
