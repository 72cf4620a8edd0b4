"""Bank cards: how their numbers are read, what kind of card one is, and what is never shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bjidp.proofing import card_bins
from bjidp.proofing.bank_cards import BankCard, bank_card
from bjidp.proofing.card_bins import CardType, card_type
from bjidp.proofing.checksums import luhn
from bjidp.proofing.faults import Fault, Unacceptable

pytestmark = pytest.mark.req("RNV-4")

UNKNOWN = "81"
"""No prefix of the table begins with it."""

BODIES = st.from_regex(r"[1-9][0-9]{13,17}", fullmatch=True)
KNOWN = sorted((prefix, length) for length, prefix in card_bins._BINS)


def refusal(typed: str) -> Fault:
    with pytest.raises(Unacceptable) as caught:
        bank_card(typed)
    return caught.value.fault


def checked(body: str) -> str:
    return body + luhn(body)


@pytest.mark.parametrize("number", ["4111111111111111", "79927398713", "5555555555554444", "378282246310005"])
def test_the_check_digit_is_the_one_of_well_known_numbers(number: str) -> None:
    assert luhn(number[:-1]) == number[-1]


@given(BODIES, st.integers(0, 14), st.integers(1, 9))
def test_one_wrong_digit_shows_in_the_check_digit(body: str, place: int, step: int) -> None:
    number = checked(body)
    place = min(place, len(number) - 1)
    wrong = number[:place] + str((int(number[place]) + step) % 10) + number[place + 1 :]
    assert luhn(wrong[:-1]) != wrong[-1]


@given(BODIES)
def test_every_number_with_its_check_digit_is_read(body: str) -> None:
    number = checked(body)
    assert bank_card(number) == BankCard(number)


@given(BODIES, st.integers(1, 9))
def test_a_slip_is_told_of_unless_the_prefix_is_known(body: str, step: int) -> None:
    number = checked(body)
    slip = number[:-1] + str((int(number[-1]) + step) % 10)
    if card_type(slip) is None:
        assert refusal(slip) is Fault.CHECK_DIGIT
    else:
        assert bank_card(slip).check_digit_doubtful


@pytest.mark.parametrize(
    "typed",
    [
        "6222020200012345678",
        " 6222 0202 0001 2345 678 ",
        "6222-0202-0001-2345-678",
        "６２２２０２０２０００１２３４５６７８",
        "6222\u30000202\u00a00001\u200b2345\t678",
    ],
)
def test_spaces_hyphens_and_width_do_not_matter(typed: str) -> None:
    assert bank_card(typed).digits == "6222020200012345678"


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("", Fault.EMPTY),
        (" \u3000 ", Fault.EMPTY),
        ("62220202000123", Fault.FORMAT),
        ("62220202000123456789", Fault.FORMAT),
        ("0222020200012345678", Fault.FORMAT),
        ("6222020200012345X78", Fault.FORMAT),
        ("6222020200012345678\n", Fault.FORMAT),
        ("+622202020001234567", Fault.FORMAT),
        ("٦٢٢٢٠٢٠٢٠٠٠١٢٣٤٥٦٧٨", Fault.FORMAT),
        ("²" * 16, Fault.FORMAT),
        (" " * 65, Fault.FORMAT),
        ("6" * 100_000, Fault.FORMAT),
        ("6222020200012345678，6222020200012345678", Fault.FORMAT),
        (UNKNOWN + "0" * 14, Fault.CHECK_DIGIT),
    ],
)
def test_what_is_no_card_number_is_told_how(typed: str, fault: Fault) -> None:
    assert refusal(typed) is fault


@given(st.text(max_size=80))
def test_whatever_is_typed_is_a_number_or_a_fault(typed: str) -> None:
    try:
        card = bank_card(typed)
    except Unacceptable:
        return
    assert card.digits.isascii()
    assert card.digits.isdecimal()
    assert 15 <= len(card.digits) <= 19


# ------------------------------------------------------------------------------------------------------- kinds of card


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("6222021234567890128", CardType.DEBIT),  # 工商银行
        ("9558801234567890123", CardType.DEBIT),
        ("6228481234567890123", CardType.DEBIT),  # 农业银行
        ("6216601234567890123", CardType.DEBIT),  # 中国银行
        ("6217001234567890123", CardType.DEBIT),  # 建设银行
        ("6222601234567890123", CardType.DEBIT),  # 交通银行
        ("6221881234567890123", CardType.DEBIT),  # 邮储银行
        ("6225801234567890", CardType.DEBIT),  # 招商银行
        ("6222301234567890", CardType.CREDIT),  # 工商银行
        ("622230123456789", None),
        ("6222301234567890123", None),
        ("3702461234567890"[:15], CardType.CREDIT),
        ("4392251234567890", CardType.CREDIT),  # 招商银行
        ("6222101234567890", CardType.QUASI_CREDIT),
        ("6205200000000000000", CardType.PREPAID),
        ("4367421234567890123", CardType.DEBIT),
        ("4367421234567890", None),
        ("4111111111111111", None),
        (UNKNOWN + "0" * 17, None),
    ],
)
def test_the_kind_of_a_card_is_told_by_its_prefix_and_length(number: str, kind: CardType | None) -> None:
    assert card_type(number) is kind
    assert BankCard(number).may_be_debit == (kind in {None, CardType.DEBIT})


@pytest.mark.parametrize(("prefix", "kind"), [("999901", CardType.DEBIT), ("999902", CardType.CREDIT)])
@given(st.integers(9, 13), st.data())
def test_the_sandboxs_cards_are_told_apart_whatever_their_length(
    prefix: str, kind: CardType, length: int, data: st.DataObject
) -> None:
    rest = data.draw(st.text("0123456789", min_size=length, max_size=length))
    assert card_type(prefix + rest) is kind


def test_the_table_says_each_thing_once_and_of_numbers_that_can_be() -> None:
    rows = list(card_bins._rows())
    assert len(rows) == len({(length, prefix) for length, prefix, _ in rows})
    assert {length for length, _, _ in rows} <= set(range(15, 20))
    assert {len(prefix) for _, prefix, _ in rows} <= set(card_bins._PREFIX_LENGTHS)
    assert {kind for _, _, kind in rows} == set(CardType)


@pytest.mark.parametrize("prefix", ["999901", "999902"])
def test_no_bank_issues_the_sandboxs_cards(prefix: str) -> None:
    assert not [known for known, _ in KNOWN if prefix.startswith(known)]


@given(st.sampled_from(KNOWN), st.text("0123456789", min_size=16, max_size=16))
def test_a_known_prefix_is_read_whatever_the_last_digit(known: tuple[str, int], rest: str) -> None:
    prefix, length = known
    number = (prefix + rest)[:length]
    assert bank_card(number).type is not None


# ------------------------------------------------------------------------------------------------------ what is shown


@given(BODIES)
def test_a_card_prints_nothing_of_its_number(body: str) -> None:
    card = BankCard(checked(body))
    assert repr(card) == str(card) == "BankCard(***)"


def test_a_refusal_does_not_repeat_the_number() -> None:
    with pytest.raises(Unacceptable) as caught:
        bank_card(UNKNOWN + "0" * 14)
    assert "00" not in str(caught.value)
