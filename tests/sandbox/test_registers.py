"""Authority, bank and business register on the wire: signatures, and one charge for each question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from bjidp.sandbox.business_register.organisations import organisations
from bjidp.sandbox.people.population import population
from tests.sandbox.driver import AUTHORITY, BANK, REGISTER, Sandbox

CHEN = population()["chen-yutong"]
QINGHE = organisations()["qinghe"]
PERSON = {"document_type": "resident_id", "name": CHEN.name, "document_number": CHEN.document_number}


@dataclass(frozen=True)
class Kind:
    """One register, and a question to it with a fact that can be changed."""

    service: str
    path: str
    header: str
    question: dict[str, Any]
    changed: dict[str, Any]


KINDS = [
    Kind("authority", AUTHORITY, "X-Authority", PERSON, {"name": "陈雨彤"}),
    Kind(
        "bank",
        BANK,
        "X-Bank",
        {**PERSON, "card_number": CHEN.cards[0], "phone": CHEN.phone},
        {"phone": "15410000002"},
    ),
    Kind(
        "register",
        REGISTER,
        "X-Register",
        {"credit_code": QINGHE.credit_code, "name": QINGHE.name, "representative": PERSON},
        {"name": "北京青禾"},
    ),
]


@pytest.fixture(params=KINDS, ids=lambda kind: str(kind.service))
def kind(request: pytest.FixtureRequest) -> Kind:
    chosen: Kind = request.param
    return chosen


def numbered(kind: Kind, request_id: str = "q0001") -> dict[str, Any]:
    return {"request_id": request_id, **kind.question}


async def test_an_answer_repeats_whose_question_it_answers(sandbox: Sandbox, kind: Kind) -> None:
    found = await sandbox.said(kind.path, numbered(kind))
    assert found["request_id"] == "q0001"
    assert found["reference"]


async def test_the_same_question_again_is_answered_the_same_and_charged_once(sandbox: Sandbox, kind: Kind) -> None:
    first = await sandbox.said(kind.path, numbered(kind))
    sandbox.clock.advance(48 * 3600)
    assert await sandbox.said(kind.path, numbered(kind)) == first
    assert await sandbox.charges(kind.service) == ["q0001"]


async def test_the_same_facts_under_another_id_are_another_question(sandbox: Sandbox, kind: Kind) -> None:
    first, second = [await sandbox.said(kind.path, numbered(kind, asked)) for asked in ("q0001", "q0002")]
    assert first["reference"] != second["reference"]
    assert await sandbox.charges(kind.service) == ["q0001", "q0002"]


async def test_other_facts_under_the_same_id_are_refused_and_not_charged(sandbox: Sandbox, kind: Kind) -> None:
    first = await sandbox.said(kind.path, numbered(kind))
    answer = await sandbox.ask(kind.path, numbered(kind) | kind.changed)
    assert answer.status == 409
    assert await answer.json() == {"error": "request_id"}
    assert await sandbox.said(kind.path, numbered(kind)) == first
    assert await sandbox.charges(kind.service) == ["q0001"]


async def test_what_was_asked_is_forgotten_after_a_week(sandbox: Sandbox, kind: Kind) -> None:
    await sandbox.said(kind.path, numbered(kind))
    sandbox.clock.advance(7 * 86_400)
    await sandbox.said(kind.path, numbered(kind))
    assert await sandbox.charges(kind.service) == ["q0001", "q0001"]


async def test_each_register_has_its_own_account(sandbox: Sandbox, kind: Kind) -> None:
    await sandbox.said(kind.path, numbered(kind))
    others = [other.service for other in KINDS if other is not kind]
    assert [await sandbox.charges(other) for other in others] == [[], []]


@pytest.mark.parametrize("query", [{}, {"service": ""}, {"service": "wechat"}, {"service": "bank", "of": "today"}])
async def test_only_what_charges_is_asked_for_its_charges(sandbox: Sandbox, query: dict[str, str]) -> None:
    assert (await sandbox.http.get("/control/charges", params=query)).status == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"Key": "another"},
        {"Key": "sandbox-chuanglan"},
        {"Signature": "0" * 64},
        {"Signature": ""},
        {"Timestamp": "1800000001"},
        {"Timestamp": "now"},
    ],
)
async def test_a_call_that_is_not_signed_rightly_is_answered_401(
    sandbox: Sandbox, kind: Kind, headers: dict[str, str]
) -> None:
    wrong = {f"{kind.header}-{name}": value for name, value in headers.items()}
    answer = await sandbox.ask(kind.path, numbered(kind), headers=wrong)
    assert answer.status == 401
    assert await answer.json() == {"error": "signature"}
    assert await sandbox.charges(kind.service) == []


@pytest.mark.parametrize(("late", "status"), [(300, 200), (301, 401), (-300, 200), (-301, 401)])
async def test_a_signature_is_good_for_five_minutes_either_way(
    sandbox: Sandbox, kind: Kind, late: int, status: int
) -> None:
    assert (await sandbox.ask(kind.path, numbered(kind), late=late)).status == status


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"request_id":"q0001"}', b"[" * 10_000])
async def test_a_signed_body_of_another_shape_is_answered_400(sandbox: Sandbox, kind: Kind, body: bytes) -> None:
    assert (await sandbox.ask(kind.path, body)).status == 400


@pytest.mark.parametrize("wrong", [{"more": 1}, {"request_id": "q1"}, {"request_id": "q-0001"}, {"name": None}])
async def test_a_field_that_is_wrong_is_answered_400(sandbox: Sandbox, kind: Kind, wrong: dict[str, Any]) -> None:
    assert (await sandbox.ask(kind.path, numbered(kind) | wrong)).status == 400
    assert await sandbox.charges(kind.service) == []
