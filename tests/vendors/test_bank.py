"""What the bank is asked, and what each of its codes comes to; see ``test_registers.py`` too."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog

from bjidp.clock import ManualClock
from bjidp.errors import VendorUnavailable
from bjidp.vendors.bank.codes import NOES
from bjidp.vendors.catalog import HttpClients
from bjidp.vendors.ports.registers import Finding, Reason, RegisterAnswer
from tests.vendors.register_stand import BANK, CARD, REFERENCE, Asked, RegisterStand


@pytest.fixture
async def stand() -> AsyncIterator[RegisterStand]:
    stand = RegisterStand(register=BANK)
    async with stand.open():
        yield stand


@pytest.fixture
def ask(stand: RegisterStand, clients: HttpClients, clock: ManualClock) -> Asked:
    return BANK.ask(stand.address, clients, clock)


@pytest.mark.req("RNV-4")
async def test_the_four_factors_are_asked_about(ask: Asked, stand: RegisterStand) -> None:
    await ask()
    assert stand.seen[0].json == {
        "request_id": REFERENCE,
        "document_type": "resident_id",
        "name": CARD.person.name,
        "document_number": CARD.person.number,
        "card_number": CARD.card_number,
        "phone": CARD.phone,
    }


@pytest.mark.req("RNV-4")
@pytest.mark.parametrize("card_type", ["CC", "SCC", "PC"])
async def test_a_yes_for_a_card_that_is_no_debit_card_proves_nobody(
    ask: Asked, stand: RegisterStand, card_type: str
) -> None:
    stand.said = {"card_type": card_type}
    assert await ask() == Finding(RegisterAnswer.REFUSED, Reason.CARD_NOT_DEBIT, "r-1")


@pytest.mark.req("RNV-4")
@pytest.mark.parametrize("card_type", [None, "", "dc", "XX", 1])
async def test_a_yes_that_does_not_tell_the_kind_of_card_is_an_outage(
    ask: Asked, stand: RegisterStand, card_type: object
) -> None:
    stand.said = {"card_type": card_type}
    with pytest.raises(VendorUnavailable):
        await ask()


@pytest.mark.req("RNV-4")
@pytest.mark.parametrize(
    ("code", "answer", "reason"),
    [
        ("-1", "mismatch", None),
        ("-2", "mismatch", "name"),
        ("-3", "mismatch", "document_number"),
        ("-4", "mismatch", "card_number"),
        ("-5", "mismatch", "phone"),
        ("-6", "mismatch", "holder"),
        ("-7", "refused", "card_not_enabled"),
        ("-8", "refused", "card_seized"),
        ("-9", "unknown", "card_number"),
        ("-10", "unknown", "issuer_unknown"),
        ("-11", "refused", "card_inactive"),
        ("-12", "refused", "card_suspect"),
        ("-13", "refused", "card_lost"),
        ("-14", "expired", "card_expired"),
        ("-15", "refused", "card_restricted"),
        ("-16", "refused", "card_locked"),
        ("-17", "refused", "card_unsupported"),
        ("-19", "refused", "too_many_tries"),
        ("-20", "refused", "document_unsupported"),
        ("-21", "refused", "card_abnormal"),
    ],
)
async def test_each_no_has_its_meaning(
    ask: Asked, stand: RegisterStand, code: str, answer: str, reason: str | None
) -> None:
    stand.said = {"code": code, "card_type": None}
    expected = Finding(RegisterAnswer(answer), None if reason is None else Reason(reason), "r-1")
    assert await ask() == expected
    stand.said = {"code": code}
    assert await ask() == expected


def test_no_code_of_the_table_is_a_yes() -> None:
    assert RegisterAnswer.MATCH not in {answer for answer, _ in NOES.values()}


def test_the_table_that_gateways_are_told_is_the_table_that_is_used() -> None:
    page = (Path(__file__).parents[2] / "docs" / "registers.md").read_text("utf-8")
    told = dict(re.findall(r"^\| `(-[0-9]+)` \| .*? \| (`.*?) \| (?:yes)? ?\|$", page, re.MULTILINE))
    used = {code: ", ".join(f"`{word.value}`" for word in no if word is not None) for code, no in NOES.items()}
    assert told == used


async def test_a_busy_bank_is_an_outage_and_no_alarm(ask: Asked, stand: RegisterStand) -> None:
    stand.said = {"code": "-18"}
    with structlog.testing.capture_logs() as told, pytest.raises(VendorUnavailable):
        await ask()
    assert {entry["event"] for entry in told} == {"vendor_call", "vendor_refusal"}


@pytest.mark.parametrize("code", ["-22", "-99", "1", "+0", " 0", "-0", "", "FailedOperation"])
async def test_a_code_that_is_new_to_us_is_an_outage_and_an_alarm(ask: Asked, stand: RegisterStand, code: str) -> None:
    stand.said = {"code": code}
    with structlog.testing.capture_logs() as told, pytest.raises(VendorUnavailable):
        await ask()
    assert "vendor_alarm" in {entry["event"] for entry in told}


def test_the_facts_print_none_of_themselves() -> None:
    assert repr(CARD) == "CardFacts(***)"
