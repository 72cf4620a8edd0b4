"""What the authority says of whom; its wire is in ``test_registers.py``."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import count
from typing import Any

import pytest

from tests.sandbox.driver import AUTHORITY, Sandbox

SERIAL = count()


def question(person: dict[str, Any], **changed: object) -> dict[str, Any]:
    asked = {field: person[field] for field in ("document_type", "name", "document_number")}
    return {"request_id": f"q{next(SERIAL):08d}", **asked, **changed}


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
    asked = question(await sandbox.person(story))
    found = await sandbox.said(AUTHORITY, asked)
    assert set(found) == {"request_id", "result", "reason", "reference"}
    assert (found["result"], found["reason"]) == (result, reason)


async def test_the_registered_name_matches_where_the_stated_one_does_not(sandbox: Sandbox) -> None:
    stated = await sandbox.person("mismatch")
    assert (await sandbox.said(AUTHORITY, question(stated, name="吴笛")))["result"] == "match"
    ordinary = await sandbox.person("ordinary")
    assert (await sandbox.said(AUTHORITY, question(ordinary, name="另一个")))["result"] == "mismatch"


async def test_a_document_counts_through_its_last_day_in_beijing(sandbox: Sandbox) -> None:
    holder = next(p for p in await (await sandbox.http.get("/control/people")).json() if p["id"] == "lin-yating")
    assert holder["valid_to"] == "2028-08-29"
    midnight_after = datetime(2028, 8, 30, tzinfo=timezone(timedelta(hours=8))).timestamp()
    sandbox.clock.advance(midnight_after - 1 - sandbox.clock.now() / 1000)
    assert (await sandbox.said(AUTHORITY, question(holder)))["result"] == "match"
    sandbox.clock.advance(1)
    assert (await sandbox.said(AUTHORITY, question(holder)))["result"] == "expired"


async def test_a_number_that_somebody_may_have_is_refused(sandbox: Sandbox) -> None:
    for kind, number in (("resident_id", "11010519491231002X"), ("hk_permit", "H12345678"), ("resident_id", "x")):
        asked = {"document_type": kind, "name": "张三", "document_number": number}
        found = await sandbox.said(AUTHORITY, question(asked))
        assert (found["result"], found["reason"]) == ("refused", "outside_range")
    assert await sandbox.charges("authority") == []
