"""What the business register says of which organisation; its wire is in ``test_registers.py``."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bjidp.sandbox.business_register import OrganisationStory, codes
from bjidp.sandbox.business_register.organisations import organisations
from bjidp.sandbox.people import People
from tests.sandbox.driver import REGISTER, Sandbox

SERIAL = count()
PEOPLE = People()


async def listed(sandbox: Sandbox, story: str) -> dict[str, Any]:
    everybody = await (await sandbox.http.get("/control/organisations")).json()
    found: dict[str, Any] = next(organisation for organisation in everybody if organisation["story"] == story)
    return found


def question(organisation: dict[str, Any], who: str | None = None, **changed: object) -> dict[str, Any]:
    person = PEOPLE.find(who or organisation["representative"])
    assert person is not None
    representative = {
        "document_type": person.document_type,
        "name": person.name,
        "document_number": person.document_number,
    }
    return {
        "request_id": f"q{next(SERIAL):08d}",
        "credit_code": organisation["credit_code"],
        "name": organisation["name"],
        "representative": representative,
        **changed,
    }


@pytest.mark.parametrize(
    ("story", "result", "reason"),
    [
        ("ordinary", "match", None),
        ("name_differs", "mismatch", "organisation_name"),
        ("representative_differs", "mismatch", "representative"),
        ("unknown", "unknown", None),
        ("revoked", "refused", "organisation_revoked"),
        ("deregistered", "refused", "organisation_deregistered"),
        ("term_over", "expired", "organisation_term_over"),
    ],
)
async def test_each_story_has_its_answer(sandbox: Sandbox, story: str, result: str, reason: str | None) -> None:
    asked = question(await listed(sandbox, story))
    found = await sandbox.said(REGISTER, asked)
    assert set(found) == {"request_id", "result", "reason", "reference"}
    assert (found["result"], found["reason"]) == (result, reason)
    assert await sandbox.charges("register") == [asked["request_id"]]


@pytest.mark.parametrize("organisation", organisations().values(), ids=lambda organisation: str(organisation.id))
def test_every_organisation_has_a_code_that_is_well_formed_and_is_led_by_somebody(organisation: Any) -> None:  # noqa: ANN401
    assert codes.is_synthetic(organisation.credit_code)
    assert PEOPLE.find(organisation.representative)
    assert PEOPLE.find(organisation.registered_representative)


def test_no_two_organisations_share_a_code_or_a_name_and_every_story_is_told() -> None:
    everybody = organisations().values()
    assert len({organisation.credit_code for organisation in everybody}) == len(everybody)
    assert len({organisation.name for organisation in everybody}) == len(everybody)
    assert {organisation.story for organisation in everybody} == set(OrganisationStory)


async def test_the_list_tells_nothing_that_only_the_register_knows(sandbox: Sandbox) -> None:
    everybody = await (await sandbox.http.get("/control/organisations")).json()
    assert [organisation["id"] for organisation in everybody] == list(organisations())
    assert set(everybody[0]) == {"id", "name", "credit_code", "representative", "story"}


async def test_whoever_does_not_lead_it_learns_nothing_of_its_state(sandbox: Sandbox) -> None:
    for story in ("ordinary", "revoked", "deregistered", "term_over"):
        found = await sandbox.said(REGISTER, question(await listed(sandbox, story), who="zhou-li"))
        assert (found["result"], found["reason"]) == ("mismatch", "representative")


async def test_the_registered_facts_match_where_the_stated_ones_do_not(sandbox: Sandbox) -> None:
    renamed, changed = await listed(sandbox, "name_differs"), await listed(sandbox, "representative_differs")
    assert (await sandbox.said(REGISTER, question(renamed, name="北京春丰示例传媒有限公司")))["result"] == "match"
    assert (await sandbox.said(REGISTER, question(changed, who="sun-haoran")))["result"] == "match"


@pytest.mark.parametrize("code", ["91110000600037341L", "91000000MA99000119", "91000000MA9900011", "x"])
async def test_an_organisation_that_may_exist_is_refused_and_not_charged(sandbox: Sandbox, code: str) -> None:
    found = await sandbox.said(REGISTER, question(await listed(sandbox, "ordinary"), credit_code=code))
    assert (found["result"], found["reason"]) == ("refused", "outside_range")
    assert await sandbox.charges("register") == []


async def test_a_representative_who_may_exist_is_refused(sandbox: Sandbox) -> None:
    somebody = {"document_type": "resident_id", "name": "张三", "document_number": "11010519491231002X"}
    found = await sandbox.said(REGISTER, question(await listed(sandbox, "ordinary"), representative=somebody))
    assert (found["result"], found["reason"]) == ("refused", "outside_range")


def test_the_published_code_has_the_check_characters_computed_here() -> None:
    assert codes.code_check("91110000600037341") == "L"
    assert codes.organisation_check("60003734") == "1"


@given(st.integers(0, 9999), st.integers(0, 17), st.sampled_from("0123456789ABCDEFGHJKLMNPQRTUWXY"))
def test_a_code_with_one_character_changed_is_not_recognised(serial: int, position: int, other: str) -> None:
    code = codes.credit_code("91", serial)
    assert codes.is_synthetic(code)
    if code[position] != other:
        assert not codes.is_synthetic(code[:position] + other + code[position + 1 :])
