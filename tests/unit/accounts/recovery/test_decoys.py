"""A name that nobody has looks like one that somebody has, always in the same way."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bjidp.accounts.recovery import flow
from bjidp.accounts.recovery.decoys import PREFIXES, decoy
from bjidp.accounts.recovery.flow import Recovery, Step, next_step
from bjidp.person import DocumentType, Person
from bjidp.privacy.keyring import Keyring, RootKey
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.secret import Secret
from bjidp.verification.number import mobile_number
from bjidp.verification.ranges import NumberRange
from tests.support.verification import PSEUDONYMS
from tests.unit.accounts.recovery.people import MEMBER, NOW, RESIDENT, read

pytestmark = [pytest.mark.req("REC-2"), pytest.mark.attack("R1")]

OTHER_KEY = Pseudonyms(Keyring([RootKey(1, Secret(bytes(range(1, 33))))]))
USERNAMES = [f"user_{number}" for number in range(400)]
PHONES = [f"159{number:08d}" for number in range(400)]


def drawn(typed: str, pseudonyms: Pseudonyms = PSEUDONYMS) -> Recovery:
    return decoy(read(typed), NumberRange.REAL, pseudonyms)


def form(facts: Recovery) -> tuple[object, ...]:
    """Return what a page can tell of facts, but for the characters that masks show."""
    masks = (facts.shown, facts.number_shown, facts.document_shown)
    shapes = tuple(re.sub(r"[A-Za-z_]", "a", re.sub(r"[0-9X]", "0", mask)) for mask in masks)
    return (*shapes, facts.surface, facts.asks_code, facts.asks_document, len(facts.account), next_step(facts, NOW))


@pytest.mark.parametrize("typed", ["zhang_san", "15912345678", RESIDENT, "😀", ""])
def test_a_name_has_one_decoy_and_under_another_key_another(typed: str) -> None:
    assert drawn(typed) == drawn(typed)
    assert drawn(typed).account != drawn(typed, OTHER_KEY).account


@pytest.mark.parametrize(
    "spellings",
    [("zhang_san", " ZHANG_San "), ("15912345678", "+86 159-1234-5678"), (RESIDENT, RESIDENT.lower())],
)
def test_every_spelling_of_a_name_has_the_same_decoy(spellings: tuple[str, str]) -> None:
    first, second = (replace(drawn(typed), shown="") for typed in spellings)
    assert first == second


def test_the_key_decides_what_is_shown() -> None:
    changed = sum(drawn(name).number_shown != drawn(name, OTHER_KEY).number_shown for name in USERNAMES)
    assert changed > len(USERNAMES) * 0.9


@given(number=st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True))
def test_a_typed_number_is_the_decoys_own_since_an_accounts_page_would_show_it(number: str) -> None:
    facts = drawn(number)
    assert (facts.number, facts.number_shown) == (number, f"{number[:3]}****{number[-4:]}")
    assert facts.shown == facts.number_shown


def test_a_typed_document_is_asked_for_since_an_accounts_page_would_ask() -> None:
    numbers = [str(number) for number in range(90000000, 90000200)]
    with_phone = [facts for facts in (drawn(number) for number in numbers) if facts.number]
    assert len(with_phone) < len(numbers), "some accounts have no phone"
    assert all(facts.document_shown == facts.shown for facts in with_phone)
    assert len({facts.number_shown for facts in with_phone}) > 100


def test_a_drawn_number_is_nobodys_and_its_mask_is_like_anybodys() -> None:
    found = [facts for facts in (drawn(name) for name in USERNAMES) if facts.number]
    for facts in found:
        assert facts.number is not None
        assert re.fullmatch(r"10[0-9]{9}", facts.number)
        assert mobile_number(facts.number) is None
        assert re.fullmatch(r"1[3-9][0-9]\*{4}[0-9]{4}", facts.number_shown)
    assert len({facts.number for facts in found}) == len(found)
    assert len({facts.number_shown[:3] for facts in found}) == len(PREFIXES[NumberRange.REAL])


def test_beside_the_sandbox_decoys_look_like_its_persons() -> None:
    found = [decoy(read(name), NumberRange.SYNTHETIC, PSEUDONYMS) for name in USERNAMES]
    assert {facts.number_shown[:3] for facts in found if facts.number} == {"154"}


def test_every_kind_of_account_has_decoys() -> None:
    def kind(facts: Recovery) -> str:
        return "jingtong" if facts.number is None else "document" if facts.document_shown else "phone"

    of_names = Counter(kind(drawn(name)) for name in USERNAMES)
    of_phones = Counter(kind(drawn(number)) for number in PHONES)
    assert min(of_names[each] for each in ("jingtong", "phone", "document")) > 20
    assert (of_phones["jingtong"], of_phones["phone"] > 50, of_phones["document"] > 50) == (0, True, True)


def test_documents_end_as_documents_do() -> None:
    shown = [facts.document_shown for facts in (drawn(name) for name in USERNAMES) if facts.document_shown]
    assert all(re.fullmatch(r"\*{11}[0-9]{3}[0-9X]|\*{13}[0-9]{2}|\*{15}", mask) for mask in shown)
    assert {mask[-1] for mask in shown} == set("0123456789X*")
    assert any(re.fullmatch(r"\*{13}[0-9]{2}", mask) for mask in shown)
    assert 0 < sum(mask == "*" * 15 for mask in shown) < len(shown) / 2


@pytest.mark.parametrize("typed", ["zhang_san", "15012347931", RESIDENT, "H12345678"])
def test_nothing_but_its_characters_tells_a_decoy_from_an_account(typed: str) -> None:
    name = read(typed)
    permit = replace(MEMBER, document=Person(DocumentType.HK_PERMIT, "张三", "H12345678"))
    members = [
        replace(held, phone=phone, phone_used_at=used)
        for held in (MEMBER, permit)
        for phone in (MEMBER.phone, None)
        for used in (NOW, None)
    ]
    members.append(replace(MEMBER, document=None))
    known = {form(flow.of_member(name, held, "mark", NOW)) for held in members}
    unknown = {form(replace(drawn(other), shown=name.shown)) for other in [typed, *_like(typed)]}
    assert unknown <= known


def test_messages_go_out_for_an_account_alone() -> None:
    assert flow.of_member(read("zhang_san"), MEMBER, "mark", NOW).real
    assert not any(drawn(typed).real for typed in ("zhang_san", "15912345678", RESIDENT))
    assert next_step(drawn("15912345678"), NOW) is Step.IDENTITY


def _like(typed: str) -> list[str]:
    if typed.startswith("H"):
        return [f"H{number}" for number in range(10000000, 10000064)]
    if typed == RESIDENT:
        return ["440524188001010014", "440308199901101512", "360426199101010071", "110101199003070011"]
    return PHONES[:64] if typed.startswith("15") else USERNAMES[:64]
