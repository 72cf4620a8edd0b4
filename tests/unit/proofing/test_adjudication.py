"""What the registers' answers come to."""

from __future__ import annotations

from itertools import product

import pytest

from bjidp.person import DocumentType, Person
from bjidp.proofing.adjudication import Advice, Denied, Proved, Register, adjudicate
from bjidp.vendors.ports import Finding, Reason, RegisterAnswer

YES = Finding(RegisterAnswer.MATCH, None, "A1")
NOES = [answer for answer in RegisterAnswer if answer is not RegisterAnswer.MATCH]


def of(kind: DocumentType, name: str = "张三") -> Person:
    return Person(kind, name, "number")


@pytest.mark.req("RNV-10")
def test_only_when_everybody_who_was_asked_says_yes_is_it_proved() -> None:
    for authority, bank in product(RegisterAnswer, RegisterAnswer):
        findings = {
            Register.BANK: Finding(bank, None, "B1"),
            Register.AUTHORITY: Finding(authority, None, "A1"),
        }
        verdict = adjudicate(of(DocumentType.RESIDENT_ID), findings)
        assert isinstance(verdict, Proved) == (authority is bank is RegisterAnswer.MATCH)


@pytest.mark.req("RNV-10")
def test_silence_proves_nothing() -> None:
    with pytest.raises(ValueError, match="no register"):
        adjudicate(of(DocumentType.RESIDENT_ID), {})


@pytest.mark.req("RNV-10")
def test_a_yes_is_kept_with_the_reference_of_each_register() -> None:
    findings = {Register.AUTHORITY: YES, Register.BANK: Finding(RegisterAnswer.MATCH, None, "B1")}
    assert adjudicate(of(DocumentType.RESIDENT_ID), findings) == Proved({Register.AUTHORITY: "A1", Register.BANK: "B1"})


@pytest.mark.req("RNV-10")
@pytest.mark.parametrize(
    ("person", "advice"),
    [
        (Person(DocumentType.RESIDENT_ID, "张三", "110101199003074530"), ["check_again"]),
        (Person(DocumentType.RESIDENT_ID, "张喆", "110101199003074530"), ["check_again", "go_offline"]),
        (Person(DocumentType.HK_PERMIT, "张三", "H12345678"), ["ask_issuer"]),
        (Person(DocumentType.MACAO_PERMIT, "张\ue81e", "M12345678"), ["ask_issuer", "go_offline"]),
        (Person(DocumentType.TAIWAN_PERMIT, "张三", "12345678"), ["ask_issuer"]),
        (Person(DocumentType.PERMANENT_RESIDENT, "JOHN SMITH", "932682198501010017"), ["ask_issuer"]),
        (Person(DocumentType.PERMANENT_RESIDENT, "JOHN SMITH", "KAZ110090123105"), ["ask_issuer"]),
        (Person(DocumentType.PERMANENT_RESIDENT, "JOHN SMITH", "KAZ110090123106"), ["check_again", "ask_issuer"]),
    ],
)
def test_a_no_is_told_by_the_kind_of_document(person: Person, advice: list[str]) -> None:
    no = Finding(RegisterAnswer.MISMATCH, Reason.NAME, "A1")
    verdict = adjudicate(person, {Register.AUTHORITY: no})
    assert isinstance(verdict, Denied)
    assert list(verdict.advice) == advice


@pytest.mark.req("RNV-10")
@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (RegisterAnswer.UNKNOWN, [Advice.CHECK_AGAIN]),
        (RegisterAnswer.REFUSED, [Advice.CHECK_AGAIN, Advice.ASK_ISSUER]),
    ],
)
def test_reading_a_void_card_again_is_not_the_last_advice(answer: RegisterAnswer, advice: list[Advice]) -> None:
    no = Finding(answer, Reason.DOCUMENT_WITHDRAWN, "A1")
    verdict = adjudicate(of(DocumentType.RESIDENT_ID), {Register.AUTHORITY: no})
    assert isinstance(verdict, Denied)
    assert list(verdict.advice) == advice


@pytest.mark.req("RNV-10")
@pytest.mark.parametrize("answer", NOES)
@pytest.mark.parametrize("kind", DocumentType)
def test_a_no_keeps_who_said_it_and_why_and_a_document_that_ran_out_is_to_be_renewed(
    kind: DocumentType, answer: RegisterAnswer
) -> None:
    verdict = adjudicate(of(kind), {Register.AUTHORITY: Finding(answer, Reason.DOCUMENT_WITHDRAWN, "A1")})
    assert isinstance(verdict, Denied)
    assert (verdict.register, verdict.answer, verdict.reason, verdict.reference) == (
        Register.AUTHORITY, answer, Reason.DOCUMENT_WITHDRAWN, "A1",
    )  # fmt: skip
    assert (verdict.advice == (Advice.RENEW,)) == (answer is RegisterAnswer.EXPIRED)


@pytest.mark.req("RNV-10")
def test_the_authority_is_heard_before_the_bank() -> None:
    no_of_bank = Finding(RegisterAnswer.MISMATCH, Reason.PHONE, "B1")
    no = Finding(RegisterAnswer.UNKNOWN, None, "A1")
    person = of(DocumentType.RESIDENT_ID)
    both = adjudicate(person, {Register.BANK: no_of_bank, Register.AUTHORITY: no})
    bank = adjudicate(person, {Register.BANK: no_of_bank, Register.AUTHORITY: YES})
    assert isinstance(both, Denied)
    assert both.register is Register.AUTHORITY
    assert bank == Denied(Register.BANK, RegisterAnswer.MISMATCH, Reason.PHONE, "B1", (Advice.ASK_BANK,))
