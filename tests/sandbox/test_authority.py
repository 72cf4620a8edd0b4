"""The authority on the wire: its signature, and what it says of whom."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from aiohttp import ClientResponse

from tests.sandbox.driver import Sandbox


async def ask(
    sandbox: Sandbox, body: dict[str, Any] | bytes, *, headers: dict[str, str] | None = None, late: int = 0
) -> ClientResponse:
    key = sandbox.credentials.authority
    octets = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    timestamp = str(sandbox.clock.now() // 1000 - late)
    mac = hmac.new(key.secret.encode(), timestamp.encode() + b"\n" + octets, hashlib.sha256).hexdigest()
    signed = {"X-Authority-Key": key.key_id, "X-Authority-Timestamp": timestamp, "X-Authority-Signature": mac}
    return await sandbox.http.post("/authority/v1/check", data=octets, headers={**signed, **(headers or {})})


def question(person: dict[str, Any], **changed: object) -> dict[str, Any]:
    return {field: person[field] for field in ("document_type", "name", "document_number")} | changed


@pytest.mark.parametrize(
    ("story", "result", "reason"),
    [
        ("ordinary", "match", None),
        ("rare_character", "match", None),
        ("compatibility_character", "match", None),
        ("dotted_name", "match", None),
        ("long_name", "match", None),
        ("latin_name", "match", None),
        ("old_form_card", "match", None),
        ("face_fails", "match", None),
        ("minor", "match", None),
        ("mismatch", "mismatch", "name"),
        ("unknown", "unknown", None),
        ("expired", "expired", "document_expired"),
        ("document_withdrawn", "refused", "document_withdrawn"),
    ],
)
async def test_each_story_has_its_answer(sandbox: Sandbox, story: str, result: str, reason: str | None) -> None:
    answer = await ask(sandbox, question(await sandbox.person(story)))
    assert answer.status == 200
    found = await answer.json()
    assert set(found) == {"result", "reason", "reference"}
    assert (found["result"], found["reason"]) == (result, reason)


async def test_the_registered_name_matches_where_the_stated_one_does_not(sandbox: Sandbox) -> None:
    stated = await sandbox.person("mismatch")
    assert (await (await ask(sandbox, question(stated, name="吴笛"))).json())["result"] == "match"
    ordinary = await sandbox.person("ordinary")
    assert (await (await ask(sandbox, question(ordinary, name="另一个"))).json())["result"] == "mismatch"


async def test_a_document_counts_through_its_last_day_in_beijing(sandbox: Sandbox) -> None:
    holder = next(p for p in await (await sandbox.http.get("/control/people")).json() if p["id"] == "lin-yating")
    assert holder["valid_to"] == "2028-08-29"
    midnight_after = datetime(2028, 8, 30, tzinfo=timezone(timedelta(hours=8))).timestamp()
    sandbox.clock.advance(midnight_after - 1 - sandbox.clock.now() / 1000)
    assert (await (await ask(sandbox, question(holder))).json())["result"] == "match"
    sandbox.clock.advance(1)
    assert (await (await ask(sandbox, question(holder))).json())["result"] == "expired"


async def test_a_number_that_somebody_may_have_is_refused(sandbox: Sandbox) -> None:
    for kind, number in (("resident_id", "11010519491231002X"), ("hk_permit", "H12345678"), ("resident_id", "x")):
        body = {"document_type": kind, "name": "张三", "document_number": number}
        found = await (await ask(sandbox, body)).json()
        assert (found["result"], found["reason"]) == ("refused", "outside_range")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Authority-Key": "another"},
        {"X-Authority-Signature": "0" * 64},
        {"X-Authority-Signature": ""},
        {"X-Authority-Timestamp": "1800000001"},
        {"X-Authority-Timestamp": "now"},
    ],
)
async def test_a_call_that_is_not_signed_rightly_is_answered_401(sandbox: Sandbox, headers: dict[str, str]) -> None:
    answer = await ask(sandbox, question(await sandbox.person("ordinary")), headers=headers)
    assert answer.status == 401
    assert await answer.json() == {"error": "signature"}


@pytest.mark.parametrize(("late", "status"), [(300, 200), (301, 401), (-300, 200), (-301, 401)])
async def test_a_signature_is_good_for_five_minutes_either_way(sandbox: Sandbox, late: int, status: int) -> None:
    assert (await ask(sandbox, question(await sandbox.person("ordinary")), late=late)).status == status


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"document_type":"passport","name":"a","document_number":"b"}'])
async def test_a_signed_body_of_another_shape_is_answered_400(sandbox: Sandbox, body: bytes) -> None:
    assert (await ask(sandbox, body)).status == 400
