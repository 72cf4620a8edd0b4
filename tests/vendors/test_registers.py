"""What the clients of authority, bank and business register have in common: no verdict but the register's own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bjidp.audit.event import code_word
from bjidp.clock import ManualClock
from bjidp.errors import VendorUnavailable
from bjidp.secret import Secret
from bjidp.vendors.catalog import HttpClients
from bjidp.vendors.ports.registers import Finding, Reason, RegisterAnswer
from bjidp.vendors.signed import signature
from tests.vendors.register_stand import (
    AUTHORITY,
    BUSINESS_REGISTER,
    REFERENCE,
    REGISTERS,
    Asked,
    Register,
    RegisterStand,
)

JUDGED = [AUTHORITY, BUSINESS_REGISTER]
"""Those that answer in words."""


def _name(register: Register) -> str:
    return register.name


@pytest.fixture(params=REGISTERS, ids=_name)
def register(request: pytest.FixtureRequest) -> Register:
    chosen: Register = request.param
    return chosen


@pytest.fixture
async def stand(register: Register) -> AsyncIterator[RegisterStand]:
    stand = RegisterStand(register=register)
    async with stand.open():
        yield stand


@pytest.fixture
def ask(register: Register, stand: RegisterStand, clients: HttpClients, clock: ManualClock) -> Asked:
    return register.ask(stand.address, clients, clock)


@pytest.mark.req("RNV-10")
async def test_a_yes_is_a_match_under_the_registers_own_reference(ask: Asked, stand: RegisterStand) -> None:
    assert await ask() == Finding(RegisterAnswer.MATCH, None, "r-1")
    assert stand.seen[0].query == {}
    assert stand.seen[0].json["request_id"] == REFERENCE


async def test_a_field_that_is_new_changes_nothing(ask: Asked, stand: RegisterStand) -> None:
    stand.said = {"new": True}
    assert (await ask()).answer is RegisterAnswer.MATCH


@pytest.mark.req("OPS-8")
@pytest.mark.parametrize("own", ["r" * 80, "A1_.:+/-==", "0" * 32])
async def test_every_reference_that_is_taken_is_kept_in_the_audit_as_it_is(
    ask: Asked, stand: RegisterStand, own: str
) -> None:
    stand.said = {"reference": own}
    assert code_word((await ask()).reference) == own


@pytest.mark.attack("B2")
@pytest.mark.parametrize("other", ["q20270115000002", "", REFERENCE.upper(), None, 1])
async def test_an_answer_to_another_question_is_no_answer(ask: Asked, stand: RegisterStand, other: object) -> None:
    stand.said = {"request_id": other}
    with pytest.raises(VendorUnavailable):
        await ask()


async def test_every_attempt_sends_the_same_bytes_under_the_same_reference(ask: Asked, stand: RegisterStand) -> None:
    stand.lie(stand.register.path, b"{")
    with pytest.raises(VendorUnavailable):
        await ask()
    stand.lies.clear()
    await ask()
    assert stand.seen[0].body == stand.seen[1].body


@pytest.mark.attack("B1")
@pytest.mark.parametrize(
    "said",
    [
        {"reference": ""},
        {"reference": "r" * 81},
        {"reference": "r\n"},
        {"reference": "两"},
        {"reference": None},
        {"reference": 1},
        {"result": "Match", "code": "00"},
        {"result": True, "code": 0},
        {"result": None, "code": None},
        {"result": "match\n", "code": "0\n"},
        {"reason": "name", "code": "1"},
        {"reason": "", "card_type": ""},
    ],
)
async def test_a_yes_that_makes_no_sense_is_an_outage(ask: Asked, stand: RegisterStand, said: dict[str, Any]) -> None:
    stand.said = said
    with pytest.raises(VendorUnavailable):
        await ask()


@pytest.mark.attack("B1")
@pytest.mark.parametrize("body", [{}, [], ["match"], "match", b"match", b"", b'{"result":"match"', b"\xff"])
@pytest.mark.parametrize("status", [200, 401, 409, 422, 500, 503])
async def test_what_is_no_answer_is_an_outage(ask: Asked, stand: RegisterStand, body: object, status: int) -> None:
    stand.lie(stand.register.path, body, status=status)
    with pytest.raises(VendorUnavailable):
        await ask()


@pytest.mark.attack("B1")
@pytest.mark.parametrize("status", [400, 401, 409, 422, 500, 503])
async def test_a_yes_with_a_status_that_says_otherwise_is_an_outage(
    ask: Asked, stand: RegisterStand, status: int
) -> None:
    yes = {"request_id": REFERENCE, "reference": "r-1", **stand.register.yes}
    stand.lie(stand.register.path, yes, status=status)
    with pytest.raises(VendorUnavailable):
        await ask()
    stand.lie(stand.register.path, yes)
    assert (await ask()).answer is RegisterAnswer.MATCH


async def test_a_signature_the_register_refuses_is_an_outage(
    ask: Asked, stand: RegisterStand, clock: ManualClock
) -> None:
    clock.advance(1)
    with pytest.raises(VendorUnavailable):
        await ask()
    stand.now += 1
    assert (await ask()).answer is RegisterAnswer.MATCH


@pytest.mark.parametrize("register", JUDGED, ids=_name, indirect=True)
@pytest.mark.parametrize("result", [answer for answer in RegisterAnswer if answer is not RegisterAnswer.MATCH])
@pytest.mark.parametrize("reason", [None, *Reason])
async def test_each_no_is_told_with_its_reason(
    ask: Asked, stand: RegisterStand, result: RegisterAnswer, reason: Reason | None
) -> None:
    stand.said = {"result": result.value, "reason": None if reason is None else reason.value, "reference": "r-2"}
    assert await ask() == Finding(result, reason, "r-2")


@pytest.mark.parametrize("register", JUDGED, ids=_name, indirect=True)
async def test_a_reason_that_is_new_to_us_is_another_reason(ask: Asked, stand: RegisterStand) -> None:
    stand.said = {"result": "refused", "reason": "moon_is_full"}
    assert (await ask()).reason is Reason.OTHER


@pytest.mark.parametrize("register", JUDGED, ids=_name, indirect=True)
@pytest.mark.parametrize("reason", ["王玉田 is another", "ok\n", "", "x" * 65, "Name", 1])
async def test_a_reason_that_is_no_word_is_an_outage(ask: Asked, stand: RegisterStand, reason: object) -> None:
    stand.said = {"result": "mismatch", "reason": reason}
    with pytest.raises(VendorUnavailable):
        await ask()


def test_a_signature_covers_the_time_and_every_byte_of_the_body() -> None:
    body = json.dumps({"name": "中"}).encode()
    # Computed with openssl.
    assert signature(Secret("key"), "1800000000", b"{}") == (
        "6440e921b4011ae4b3f85f6cf79a95d6d5dd47dc5ebc31326715160f614b7300"
    )
    signatures = {
        signature(Secret(secret), time, text)
        for secret, time, text in [("a", "1", body), ("b", "1", body), ("a", "2", body), ("a", "1", body + b" ")]
    }
    assert len(signatures) == 4
