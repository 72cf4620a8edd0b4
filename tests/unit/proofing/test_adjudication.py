"""What the registers' answers come to."""

from __future__ import annotations

import pytest

from bjidp.person import DocumentType, Person
from bjidp.proofing.adjudication import Advice, Denied, Proved, by_authority, by_bank
from bjidp.vendors.ports.registers import Finding, Reason, RegisterAnswer

NOES = [answer for answer in RegisterAnswer if answer is not RegisterAnswer.MATCH]


def of(kind: DocumentType, name: str = "张三") -> Person:
    return Person(kind, name, "number")


@pytest.mark.req("RNV-10")
@pytest.mark.parametrize("answer", RegisterAnswer)
def test_nothing_but_a_yes_proves_anything(answer: RegisterAnswer) -> None:
    finding = Finding(answer, None, "R1")
    for verdict in (by_authority(of(DocumentType.RESIDENT_ID), finding), by_bank(finding)):
        assert (verdict == Proved("R1")) == isinstance(verdict, Proved) == (answer is RegisterAnswer.MATCH)


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
    verdict = by_authority(person, no)
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
    verdict = by_authority(of(DocumentType.RESIDENT_ID), no)
    assert isinstance(verdict, Denied)
    assert list(verdict.advice) == advice


@pytest.mark.req("RNV-10")
@pytest.mark.parametrize("answer", NOES)
@pytest.mark.parametrize("kind", DocumentType)
def test_a_no_says_why_and_a_document_that_ran_out_is_to_be_renewed(kind: DocumentType, answer: RegisterAnswer) -> None:
    verdict = by_authority(of(kind), Finding(answer, Reason.DOCUMENT_WITHDRAWN, "A1"))
    assert isinstance(verdict, Denied)
    assert verdict.reason is Reason.DOCUMENT_WITHDRAWN
    assert (verdict.advice == (Advice.RENEW,)) == (answer is RegisterAnswer.EXPIRED)


@pytest.mark.req("RNV-4")
@pytest.mark.parametrize("answer", NOES)
def test_what_the_bank_does_not_confirm_the_bank_is_to_be_asked_about(answer: RegisterAnswer) -> None:
    assert by_bank(Finding(answer, Reason.PHONE, "B1")) == Denied(Reason.PHONE, (Advice.ASK_BANK,))
