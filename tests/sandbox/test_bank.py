"""What the bank says of whose card; its wire is in ``test_registers.py``."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import count
from typing import Any

import pytest

from bjidp.sandbox.people import numbers
from bjidp.sandbox.settings import BankRules
from tests.sandbox.conftest import Start
from tests.sandbox.driver import BANK, Sandbox

SERIAL = count()


def question(person: dict[str, Any], **changed: object) -> dict[str, Any]:
    asked = {field: person[field] for field in ("document_type", "name", "document_number", "phone")}
    return {"request_id": f"q{next(SERIAL):08d}", "card_number": person["cards"][0], **asked, **changed}


@pytest.mark.parametrize(
    ("story", "code"),
    [
        ("ordinary", "0"),
        ("mismatch", "0"),
        ("unknown", "0"),
        ("rare_character", "0"),
        ("dotted_name", "0"),
        ("bank_phone_differs", "-1"),
        ("bank_card_lost", "-13"),
        ("bank_card_expired", "-14"),
    ],
)
async def test_each_story_has_its_code(sandbox: Sandbox, story: str, code: str) -> None:
    asked = question(await sandbox.person(story))
    found = await sandbox.said(BANK, asked)
    assert set(found) == {"request_id", "code", "card_type", "reference"}
    assert (found["code"], found["card_type"]) == (code, "DC" if code == "0" else None)
    assert await sandbox.charges("bank") == [asked["request_id"]]


async def test_a_credit_card_is_confirmed_as_one(sandbox: Sandbox) -> None:
    person = await sandbox.person("ordinary")
    found = await sandbox.said(BANK, question(person, card_number=person["cards"][1]))
    assert (found["code"], found["card_type"]) == ("0", "CC")


async def test_the_phone_number_that_the_bank_has_is_the_one_that_fits(sandbox: Sandbox) -> None:
    person = await sandbox.person("bank_phone_differs")
    assert (await sandbox.said(BANK, question(person, phone="15499000021")))["code"] == "0"


@pytest.mark.parametrize("story", ["ordinary", "bank_card_lost", "bank_card_expired"])
async def test_whoever_does_not_know_the_holder_learns_nothing_of_the_card(sandbox: Sandbox, story: str) -> None:
    holder = await sandbox.person(story)
    other = await sandbox.person("dotted_name")
    for facts, code in (
        ({"name": "另一个"}, "-6"),
        ({"name": other["name"], "document_number": other["document_number"]}, "-6"),
        ({"phone": other["phone"]}, "-1"),
    ):
        assert (await sandbox.said(BANK, question(holder, **facts)))["code"] == code


async def test_a_card_that_nobody_has_is_invalid(sandbox: Sandbox) -> None:
    nobodys = numbers.debit_card(999_999)
    found = await sandbox.said(BANK, question(await sandbox.person("ordinary"), card_number=nobodys))
    assert found["code"] == "-9"
    assert len(await sandbox.charges("bank")) == 1


async def test_a_slip_in_the_number_is_not_charged(sandbox: Sandbox) -> None:
    person = await sandbox.person("ordinary")
    card = person["cards"][0]
    slip = card[:-1] + str((int(card[-1]) + 1) % 10)
    assert (await sandbox.said(BANK, question(person, card_number=slip)))["code"] == "-4"
    assert await sandbox.charges("bank") == []


async def test_a_card_counts_through_its_last_day_in_beijing(sandbox: Sandbox) -> None:
    people = await (await sandbox.http.get("/control/people")).json()
    person = next(person for person in people if person["id"] == "zhao-min")
    last_second = datetime(2031, 5, 31, 23, 59, 59, tzinfo=timezone(timedelta(hours=8))).timestamp()
    sandbox.clock.advance(last_second - sandbox.clock.now() / 1000)
    assert (await sandbox.said(BANK, question(person)))["code"] == "0"
    sandbox.clock.advance(1)
    assert (await sandbox.said(BANK, question(person)))["code"] == "-14"


@pytest.mark.parametrize(
    "facts",
    [
        {"card_number": "4111111111111111"},
        {"card_number": "6222021234567890128"},
        {"card_number": "999903000000000000"},
        {"card_number": "x"},
        {"phone": "13800138000"},
        {"document_number": "11010519491231002X"},
    ],
)
async def test_a_number_that_somebody_may_have_is_refused_and_not_charged(
    sandbox: Sandbox, facts: dict[str, str]
) -> None:
    answer = await sandbox.ask(BANK, question(await sandbox.person("ordinary"), **facts))
    assert answer.status == 422
    assert await answer.json() == {"error": "outside_range"}
    assert await sandbox.charges("bank") == []


async def test_a_busy_bank_has_not_looked_and_looks_when_it_is_asked_again(start: Start) -> None:
    sandbox = await start(bank=BankRules(calls_a_second=1))
    person = await sandbox.person("ordinary")
    first, second = question(person), question(person)
    assert (await sandbox.said(BANK, first))["code"] == "0"
    assert (await sandbox.said(BANK, second))["code"] == "-18"
    assert (await sandbox.said(BANK, first))["code"] == "0"
    sandbox.clock.advance(1)
    assert (await sandbox.said(BANK, second))["code"] == "0"
    assert await sandbox.charges("bank") == [first["request_id"], second["request_id"]]
