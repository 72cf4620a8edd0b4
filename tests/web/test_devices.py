"""我的设备 and 不是我 over HTTP: what a phone is told of the account's sessions, and how it ends them (SES-1)."""

from __future__ import annotations

import pytest

from tests.support.program import Program

MEMBERS = {
    "id", "kind", "way", "platform", "browser", "os", "area", "created_at", "last_used_at", "current", "site",
}  # fmt: skip


@pytest.mark.req("SES-1")
async def test_a_phone_lists_itself_and_everywhere_else_the_account_is_logged_in(program: Program) -> None:
    phone = await program.phone()
    await program.advance(60)
    other = await program.phone()
    await program.advance(60)
    await program.signed_in(phone)
    await program.signed_in(await program.phone("li-siyuan"))
    devices = await phone.devices()
    assert all(set(device) == MEMBERS for device in devices)
    assert [(device["kind"], device["current"]) for device in devices] == [
        ("phone", True),
        ("browser", False),
        ("phone", False),
    ]
    own, browser, older = devices
    assert {**browser, "id": "", "created_at": "", "last_used_at": ""} == {
        "id": "", "kind": "browser", "way": "qr", "platform": "wechat", "browser": "Chrome", "os": "Windows",
        "area": None, "created_at": "", "last_used_at": "", "current": False, "site": None,
    }  # fmt: skip
    assert [own[name] for name in ("way", "platform", "browser", "os", "area")] == [None, "wechat", None, None, None]
    assert own["created_at"] < older["created_at"] < browser["created_at"]
    assert [device["id"] for device in await other.devices() if device["current"]] == [older["id"]]


@pytest.mark.req("SES-1")
async def test_the_last_use_is_that_of_a_visit_and_of_a_refresh(program: Program) -> None:
    phone = await program.phone()
    browser = await program.signed_in(phone)
    await program.advance(600)
    await browser.who()
    await phone.refresh()
    for device in await phone.devices():
        assert device["last_used_at"] > device["created_at"]


@pytest.mark.req("SES-1")
@pytest.mark.attack("T3", "P7")
async def test_a_phone_ends_a_browser_another_phone_and_itself(program: Program) -> None:
    phone = await program.phone()
    browser, other = await program.signed_in(phone), await program.phone()
    for device in await phone.devices():
        if not device["current"]:
            assert (await phone.end(device["id"])).status == 204
            assert (await phone.end(device["id"])).verdict == (404, "session_unknown")
    assert await browser.who() is None
    assert (await other.account()).verdict == (401, "token_invalid")
    assert (await other.refresh()).verdict == (401, "token_invalid")
    (own,) = await phone.devices()
    assert (await phone.end(own["id"])).status == 204
    assert (await phone.account()).verdict == (401, "token_invalid")
    reasons = program.sql(
        "SELECT kind, facts FROM audit_event WHERE kind IN ('session.ended', 'mini_session.ended') ORDER BY id"
    )
    assert [kind for kind, facts in reasons if '"reason":"chosen"' in facts].count("session.ended") == 1
    assert [kind for kind, facts in reasons if '"reason":"chosen"' in facts].count("mini_session.ended") == 2


@pytest.mark.attack("Q9", "Q22")
async def test_nobody_ends_what_is_anothers(program: Program) -> None:
    phone, stranger = await program.phone(), await program.phone("li-siyuan")
    browser = await program.signed_in(phone)
    for session in [device["id"] for device in await phone.devices()] + ["A" * 22, "x", "%00", "京"]:
        assert (await stranger.end(session)).verdict == (404, "session_unknown")
    assert await browser.who() == "陈**"
    assert len(await phone.devices()) == 2


@pytest.mark.attack("Q10")
async def test_no_answer_holds_what_opens_a_session(program: Program) -> None:
    phone = await program.phone()
    browser = await program.signed_in(phone)
    told = str(await phone.devices())
    ((csrf, account),) = program.sql("SELECT csrf, account FROM browser_session")
    for secret in (browser.session, csrf, account, phone.tokens.access, phone.tokens.refresh):
        assert str(secret) not in told


@pytest.mark.attack("T3", "Q21")
async def test_without_a_token_or_with_a_locked_account_nothing_is_listed_or_ended(program: Program) -> None:
    phone = await program.phone()
    browser = await program.signed_in(phone)
    (device,) = [device for device in await phone.devices() if device["kind"] == "browser"]
    for method, path in (("GET", "/mp/v1/sessions"), ("DELETE", f"/mp/v1/sessions/{device['id']}")):
        assert (await phone.caller.send(method, path)).verdict == (401, "token_invalid")
        program.sql("UPDATE account SET status = 'locked'")
        refused = await phone.caller.send(method, path, headers=phone.bearer)
        assert (refused.verdict, refused.json()["reason"]) == ((403, "account_refused"), "locked")
        program.sql("UPDATE account SET status = 'active'")
    assert await browser.who() == "陈**"


# -------------------------------------------------------------------------------------------------------------- undo


@pytest.mark.req("SES-1")
@pytest.mark.attack("P7")
async def test_whoever_confirmed_ends_what_came_of_it_within_the_day(program: Program) -> None:
    phone = await program.phone()
    browser, _, message = await program.approved(phone)
    await browser.redeem(message["grant"])
    other = await program.signed_in(phone)
    await program.advance(1300)
    assert await browser.who() == "陈**"
    answer = await phone.undo(message["ticket"])
    assert answer.verdict == (401, "token_invalid"), "the token is good for a quarter of an hour"
    await phone.refresh()
    answer = await phone.undo(message["ticket"])
    assert (answer.status, answer.json()) == (200, {"status": "ended"})
    assert await browser.who() is None
    assert await other.who() == "陈**"
    assert (await phone.undo(message["ticket"])).verdict == (404, "ticket_unknown")


@pytest.mark.attack("P7", "Q9", "Q22", "Q27")
async def test_a_ticket_one_did_not_confirm_is_unknown(program: Program) -> None:
    phone, stranger = await program.phone(), await program.phone("li-siyuan")
    browser, _, message = await program.approved(phone)
    await browser.redeem(message["grant"])
    answers = [await stranger.undo(ticket) for ticket in (message["ticket"], "A" * 22, "", "x" * 128)]
    assert {answer.verdict for answer in answers} == {(404, "ticket_unknown")}
    assert len({answer.body for answer in answers}) == 1
    for body in ({}, {"ticket": None}, {"ticket": message["ticket"], "report": 1}, {"ticket": "x", "more": 1}):
        assert (await stranger.call("undo", body)).verdict == (400, "invalid_request")
    assert await browser.who() == "陈**"


@pytest.mark.attack("P1", "P7")
async def test_an_undo_that_reports_is_audited_and_counts_against_the_network(program: Program) -> None:
    phone = await program.phone()
    for _ in range(3):
        browser, _, message = await program.approved(phone)
        await browser.redeem(message["grant"])
        await phone.undo(message["ticket"], report=True)
        await phone.undo(message["ticket"], report=True)
    ((reports,),) = program.sql("SELECT count(*) FROM audit_event WHERE kind = 'login.reported'")
    assert reports == 3
    await program.approved(phone)
    assert program.code is not None, "the third report calls for the code"


@pytest.mark.attack("P7", "Q4")
async def test_a_confirmation_taken_back_while_it_is_redeemed_opens_no_session(program: Program) -> None:
    phone = await program.phone()
    browser, _, message = await program.approved(phone)

    async def meanwhile() -> None:
        assert (await phone.undo(message["ticket"])).status == 200

    program.meddler.before_next("sessions.open", meanwhile)
    answer = await browser.redeem(message["grant"])
    assert answer.verdict == (404, "ticket_unknown")
    assert browser.session is None
    assert program.sql("SELECT count(*) FROM browser_session") == [(0,)]
