"""What the registers' answers come to."""

from __future__ import annotations

from itertools import product

import pytest

from bjidp.person import DocumentType, Person
from bjidp.proofing.adjudication import Advice, Denied, Proved, Register, adjudicate
from bjidp.vendors.ports import AuthorityAnswer, AuthorityFinding

YES = AuthorityFinding(AuthorityAnswer.MATCH, None, "A1")
NOES = [answer for answer in AuthorityAnswer if answer is not AuthorityAnswer.MATCH]


def of(kind: DocumentType, name: str = "张三") -> Person:
    return Person(kind, name, "number")


@pytest.mark.req("RNV-10")
def test_only_when_everybody_who_was_asked_says_yes_is_it_proved() -> None:
    for authority, bank in product(AuthorityAnswer, AuthorityAnswer):
        findings = {
            Register.BANK: AuthorityFinding(bank, None, "B1"),
            Register.AUTHORITY: AuthorityFinding(authority, None, "A1"),
        }
        verdict = adjudicate(of(DocumentType.RESIDENT_ID), findings)
        assert isinstance(verdict, Proved) == (authority is bank is AuthorityAnswer.MATCH)


@pytest.mark.req("RNV-10")
def test_silence_proves_nothing() -> None:
    with pytest.raises(ValueError, match="no register"):
        adjudicate(of(DocumentType.RESIDENT_ID), {})


@pytest.mark.req("RNV-10")
def test_a_yes_is_kept_with_the_reference_of_each_register() -> None:
    findings = {Register.AUTHORITY: YES, Register.BANK: AuthorityFinding(AuthorityAnswer.MATCH, None, "B1")}
    assert adjudicate(of(DocumentType.RESIDENT_ID), findings) == Proved({Register.AUTHORITY: "A1", Register.BANK: "B1"})


@pytest.mark.req("RNV-10")
@pytest.mark.parametrize("kind", DocumentType)
@pytest.mark.parametrize("answer", NOES)
def test_a_no_says_what_to_do_next_by_the_kind_of_document(kind: DocumentType, answer: AuthorityAnswer) -> None:
    verdict = adjudicate(of(kind), {Register.AUTHORITY: AuthorityFinding(answer, "why", "A1")})
    expected = Advice.CHECK if kind is DocumentType.RESIDENT_ID else Advice.ISSUER
    if answer is AuthorityAnswer.EXPIRED:
        expected = Advice.RENEW
    assert verdict == Denied(Register.AUTHORITY, answer, "why", "A1", (expected,))


@pytest.mark.req("RNV-10")
@pytest.mark.parametrize("name", ["张𬭚", "张䶮", "王\ue863"])
def test_a_name_with_a_rare_character_is_told_the_way_to_a_counter_too(name: str) -> None:
    no = AuthorityFinding(AuthorityAnswer.MISMATCH, "name", "A1")
    for kind in DocumentType:
        verdict = adjudicate(of(kind, name), {Register.AUTHORITY: no})
        assert isinstance(verdict, Denied)
        assert verdict.advice[1:] == (Advice.OFFLINE,)


@pytest.mark.req("RNV-10")
def test_the_authority_is_heard_before_the_bank() -> None:
    no_of_bank = AuthorityFinding(AuthorityAnswer.MISMATCH, "phone", "B1")
    no = AuthorityFinding(AuthorityAnswer.UNKNOWN, None, "A1")
    person = of(DocumentType.RESIDENT_ID)
    both = adjudicate(person, {Register.BANK: no_of_bank, Register.AUTHORITY: no})
    bank = adjudicate(person, {Register.BANK: no_of_bank, Register.AUTHORITY: YES})
    assert isinstance(both, Denied)
    assert both.register is Register.AUTHORITY
    assert bank == Denied(Register.BANK, AuthorityAnswer.MISMATCH, "phone", "B1", (Advice.BANK,))
