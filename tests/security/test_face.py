"""The face check: only the platform's own verdict, only for the facts it was asked about (attacks B1, B2)."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.security.conftest import Own
from tests.support.calls import Caller
from tests.support.crowd import Crowd
from tests.support.phone import (
    PLATFORMS,
    Person,
    before_the_camera,
    complete,
    people,
    start_session,
    state_identity,
)

CLAIMS: Final[tuple[dict[str, Any], ...]] = (
    {"passed": True},
    {"errcode": 0, "verify_ret": 10000},
    {"verification": "somebody-elses"},
    {"face": {"outcome": "pass"}},
    {"result": {"code": "10000", "passed": "T"}},
)


async def resident(caller: Caller, story: str) -> Person:
    """Return a person with a resident's card and a story of this kind."""
    return next(one for one in await people(caller) if one.story == story and one.document_type == "resident_id")


@pytest.mark.attack("B1")
@pytest.mark.req("REG-7")
@pytest.mark.parametrize("platform", PLATFORMS)
async def test_what_the_phone_says_of_a_face_check_counts_for_nothing(caller: Caller, platform: str) -> None:
    """The server asks the platform itself: without its pass nobody is registered, whatever a patched client claims."""
    person = await resident(caller, "bank_phone_differs")
    session = await start_session(caller, platform, f"claims-{platform}")
    registration = session["registration"]
    assert (await complete(caller, platform, registration)).status in {400, 409, 422}
    started = await state_identity(caller, platform, registration, person)
    assert started.status == 200
    for claim in CLAIMS:
        answer = await caller.post(f"/mp/v1/{platform}/registration/complete", {"registration": registration, **claim})
        assert answer.verdict == (400, "invalid_request")
    assert (await complete(caller, platform, registration)).verdict == (409, "face_pending")
    await before_the_camera(caller, started.json()["face"]["verification"], "fail")
    assert (await complete(caller, platform, registration)).verdict == (422, "face_failed")
    assert (await complete(caller, platform, registration)).verdict == (422, "face_failed")
    assert "access_token" not in "".join(answer.text for answer in caller.heard)


@pytest.mark.attack("B1")
@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_check_that_was_broken_off_registers_nobody(caller: Caller, platform: str) -> None:
    """A person who turns away from the camera has not shown a face."""
    person = await resident(caller, "bank_phone_differs")
    session = await start_session(caller, platform, f"turns-away-{platform}")
    started = await state_identity(caller, platform, session["registration"], person)
    await before_the_camera(caller, started.json()["face"]["verification"], "cancel")
    answer = await complete(caller, platform, session["registration"])
    assert answer.verdict in {(422, "face_failed"), (409, "face_pending")}


@pytest.mark.attack("B1")
@pytest.mark.parametrize("mode", ["malformed", "http500", "refuse"])
async def test_a_platform_that_does_not_answer_rightly_has_not_said_yes(home: Own, crowd: Crowd, mode: str) -> None:
    """Half an answer, an error and silence are no pass; what was asked can be asked again."""
    async with Caller(home.at) as caller:
        person = await resident(caller, "minor")
        session = await start_session(caller, "wechat", f"silent-{mode}")
        started = await state_identity(caller, "wechat", session["registration"], person)
        assert started.status == 200, started
        await before_the_camera(caller, started.json()["face"]["verification"])
        await caller.sandbox("/control/faults", {"service": "wechat", "mode": mode})
        try:
            answer = await complete(caller, "wechat", session["registration"])
        finally:
            await caller.sandbox("/control/faults", {"service": "wechat", "mode": "ok"})
        assert answer.verdict == (503, "vendor_unavailable")
        assert int(answer.header("Retry-After") or "") > 0


@pytest.mark.attack("B1", "B2")
async def test_a_face_that_fits_no_document_registers_nobody(caller: Caller) -> None:
    """The face passes or fails for the name and number stated, and the authority has the last word."""
    expected = {
        "face_fails": {"face_failed"},
        "mismatch": {"identity_mismatch", "face_failed"},
        "unknown": {"identity_mismatch", "face_failed"},
        "expired": {"identity_mismatch"},
    }
    for story, codes in expected.items():
        person = await resident(caller, story)
        session = await start_session(caller, "wechat", f"story-{story}")
        started = await state_identity(caller, "wechat", session["registration"], person)
        assert started.status == 200, story
        await before_the_camera(caller, started.json()["face"]["verification"])
        answer = await complete(caller, "wechat", session["registration"])
        assert answer.status == 422
        assert answer.code in codes, story


@pytest.mark.attack("B2")
@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_pass_counts_for_the_registration_it_was_started_for(
    caller: Caller, crowd: Crowd, platform: str
) -> None:
    """Somebody else's pass, on the same platform or another, is no pass of mine."""
    person = (await crowd.resident(caller)).person
    other = await resident(caller, "bank_phone_differs")
    mine = await start_session(caller, platform, f"mine-{platform}")
    theirs = await start_session(caller, platform, f"theirs-{platform}")
    assert (await state_identity(caller, platform, mine["registration"], person)).status == 200
    started = await state_identity(caller, platform, theirs["registration"], other)
    assert started.status == 200
    await before_the_camera(caller, started.json()["face"]["verification"])
    assert (await complete(caller, platform, mine["registration"])).verdict == (409, "face_pending")
    for elsewhere in PLATFORMS:
        if elsewhere != platform:
            answer = await complete(caller, elsewhere, theirs["registration"])
            assert answer.verdict == (400, "invalid_request")


@pytest.mark.attack("B2", "B1")
async def test_an_earlier_check_of_the_same_registration_counts_no_more(caller: Caller, crowd: Crowd) -> None:
    """Facts are frozen with the check: stating another person ends the check for the first one."""
    victim = (await crowd.resident(caller)).person
    thief = await crowd.apart(caller)
    platform = thief.platform
    if victim.document_type != thief.person.document_type:
        platform = "baidu"
    session = await start_session(caller, platform, f"restated-{thief.person.id}")
    registration = session["registration"]
    first = await state_identity(caller, platform, registration, thief.person)
    second = await state_identity(caller, platform, registration, victim)
    assert first.status == second.status == 200
    await before_the_camera(caller, first.json()["face"]["verification"])
    assert (await complete(caller, platform, registration)).verdict == (409, "face_pending")
    third = await state_identity(caller, platform, registration, thief.person)
    assert third.status == 200
    await before_the_camera(caller, third.json()["face"]["verification"])
    done = await complete(caller, platform, registration)
    assert done.status == 200
    assert done.json()["account"]["name"] == thief.tokens.account["name"]
    # The verdict was used: the same call gives the same session for a lost answer, never a second one.
    again = await complete(caller, platform, registration)
    assert again.json() == done.json() or again.status == 400
