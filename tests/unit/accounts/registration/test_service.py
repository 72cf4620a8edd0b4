"""Registering: what is told when, what costs what, and what is left when something fails in between.

Every test runs on SQLite with what is short-lived in memory, and again with that and the sessions in Redis.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable

import pytest
from msgspec.structs import replace

from bjidp.accounts.errors import PhoneTaken, UsernameTaken
from bjidp.accounts.identifiers import IdentifierKind, of_phone, of_username
from bjidp.accounts.member_ports import Member
from bjidp.accounts.registration.flow import Identity, Registered, Step, Surface, next_step
from bjidp.accounts.registration.service import registered
from bjidp.errors import BjidpError, InvalidRequest, RateLimited, StoreUnavailable, TooBusy
from bjidp.sessions.ports import Way
from bjidp.verification.code import Binding, Purpose, by_sms
from bjidp.verification.errors import CaptchaWrong, SmsHourly, VerificationCodeExpired, VerificationCodeWrong
from tests.support.twice import posted_twice
from tests.support.verification import number
from tests.unit.accounts.registration.room import (
    GOOD,
    HOLDER,
    NUMBER,
    ON_PHONE,
    OTHER_NUMBER,
    PASSWORD,
    SHOWN,
    Room,
)

ASKING = ("members", "code", "captchas", "drafts", "throttle", "dispatches", "sessions")


async def member(room: Room, phone: str = NUMBER) -> Member:
    """Return who has a number."""
    found = await room.sql.members.find([of_phone(phone)])
    assert found is not None
    return found


async def logged_in(room: Room, cookie: str) -> str:
    """Return the account that a cookie logs in to."""
    found = await room.sessions.find(cookie)
    assert found is not None
    return found[0].account


def said(error: BjidpError) -> list[tuple[str, str]]:
    """Return fields and faults."""
    assert isinstance(error, InvalidRequest)
    return [(fault.field, fault.code) for fault in error.errors]


# ---------------------------------------------------------------------------------------------------------- the story


@pytest.mark.req("REG-1", "REG-6", "REG-8")
async def test_somebody_registers_and_is_logged_in(room: Room) -> None:
    flow, typed = await room.asked()
    assert room.postman.sent[-1].to == NUMBER
    cookie = await room.register(flow, typed)

    found = await member(room)
    assert (found.username, found.phone, found.document) == ("zhang_san", NUMBER, None)
    assert found.phone_used_at == room.clock.now()
    assert (await room.hashes.verify(found.password, PASSWORD)).right
    assert PASSWORD not in str(found.password)
    session, standing = await room.sessions.find(cookie) or (None, None)
    assert session is not None
    assert standing is not None
    assert session.account == found.standing.account
    assert session.login.way is Way.REGISTRATION
    facts = registered(session)
    assert facts == Registered(next="/centre", client="首都之窗")
    assert next_step(facts) is Step.IDENTITY


@pytest.mark.req("REG-3")
async def test_on_a_phone_the_system_makes_a_name_that_is_no_telephone_number(room: Room) -> None:
    flow, typed = await room.asked(ON_PHONE, Surface.H5)
    await room.register(flow, typed, Surface.H5)
    assert re.fullmatch("bjt_[2-9][0-9]{10}", (await member(room)).username)


async def test_what_one_form_does_not_ask_for_is_not_taken_from_it(room: Room) -> None:
    flow, typed = await room.asked(replace(ON_PHONE, username="zhang_san"), Surface.H5)
    await room.register(flow, typed, Surface.H5)
    assert (await member(room)).username.startswith("bjt_")
    assert not await room.members.is_held(of_username("zhang_san"))


async def test_registering_is_written_down_once_and_the_login_with_it(room: Room) -> None:
    flow, typed = await room.asked()
    await room.register(flow, typed)
    kinds = [kind for (kind,) in room.rows("SELECT kind FROM audit_event ORDER BY id")]
    assert kinds == ["account.registered", "login.browser"]


@pytest.mark.req("REG-6")
async def test_the_identity_is_left_for_later_once_and_by_any_of_two_tabs(room: Room) -> None:
    flow, typed = await room.asked()
    cookie = await room.register(flow, typed)
    await asyncio.gather(*(room.registrations.leave_identity(cookie, Identity.SKIPPED) for _ in range(5)))
    found = await room.sessions.find(cookie)
    assert found is not None
    assert next_step(registered(found[0])) is Step.DONE
    await room.registrations.leave_identity(cookie, Identity.SKIPPED)
    assert (await room.sessions.find(cookie) or found)[0].version == found[0].version
    await room.registrations.leave_identity(None, Identity.SKIPPED)


# ------------------------------------------------------------------------------------------------------ asking for it


@pytest.mark.req("REG-2")
async def test_no_code_is_sent_before_the_captcha_was_right(room: Room) -> None:
    wrong = replace(await room.with_captcha(GOOD), captcha="0000")
    with pytest.raises(CaptchaWrong):
        await room.registrations.ask_code(room.applicant(), None, Surface.PC, wrong)
    # It is used up, whatever was typed.
    with pytest.raises(CaptchaWrong):
        await room.registrations.ask_code(room.applicant(), None, Surface.PC, replace(wrong, captcha=SHOWN))
    assert room.postman.sent == []
    assert room.meddler.calls["drafts.add"] == 0


@pytest.mark.req("REG-2")
async def test_a_captcha_brings_one_code(room: Room) -> None:
    filled = await room.with_captcha(GOOD)
    flow = await room.registrations.ask_code(room.applicant(), None, Surface.PC, filled)
    room.clock.advance(60)
    with pytest.raises(CaptchaWrong):
        await room.registrations.ask_code(room.applicant(), flow, Surface.PC, filled)
    await room.dispatches.close()
    assert len(room.postman.sent) == 1


@pytest.mark.req("REG-2", "UX-5")
async def test_what_can_be_told_at_once_costs_no_captcha(room: Room) -> None:
    filled = await room.with_captcha(GOOD)
    with pytest.raises(InvalidRequest) as refused:
        await room.registrations.ask_code(
            room.applicant(), None, Surface.PC, replace(filled, username="1", phone="12345", captcha=SHOWN)
        )
    assert said(refused.value) == [("username", "length"), ("phone", "form")]
    await room.registrations.ask_code(room.applicant(), None, Surface.PC, filled)


@pytest.mark.req("REG-2")
async def test_a_name_in_use_is_told_before_a_code_is_sent(room: Room) -> None:
    await room.neighbour()
    room.postman.sent.clear()
    filled = await room.with_captcha(replace(GOOD, username="ZHANG_san", phone=OTHER_NUMBER))
    with pytest.raises(UsernameTaken):
        await room.registrations.ask_code(room.applicant(), None, Surface.PC, filled)
    assert room.postman.sent == []
    # The captcha serves the next attempt.
    await room.registrations.ask_code(room.applicant(), None, Surface.PC, replace(filled, username="li_sisi"))


@pytest.mark.req("REG-2")
async def test_names_are_tried_thirty_times_an_hour_in_one_browser(room: Room) -> None:
    for turn in range(30):
        with pytest.raises(VerificationCodeExpired):
            await room.register(None, replace(GOOD, username=f"name_{turn}", code="493817"))
    with pytest.raises(RateLimited):
        await room.register(None, replace(GOOD, code="493817"))
    other = room.applicant("browser-2")
    with pytest.raises(VerificationCodeExpired):
        await room.register(None, replace(GOOD, code="493817"), applicant=other)


@pytest.mark.req("REG-2", "FAQ-1")
async def test_more_messages_than_a_number_is_sent_are_refused_in_words_of_their_own(room: Room) -> None:
    flow = None
    for _ in range(3):
        flow, _ = await room.asked(flow=flow)
        room.clock.advance(60)
    filled = await room.with_captcha(GOOD)
    with pytest.raises(SmsHourly):
        await room.registrations.ask_code(room.applicant(), flow, Surface.PC, filled)


@pytest.mark.attack("R1")
@pytest.mark.req("REG-2")
@pytest.mark.parametrize("surface", Surface)
async def test_asking_does_the_same_work_for_a_number_that_is_somebodys(room: Room, surface: Surface) -> None:
    await room.neighbour(replace(GOOD, username="neighbour"))
    room.clock.advance(60)
    typed = replace(GOOD, username="li_sisi") if surface is Surface.PC else ON_PHONE
    work: list[Counter[str]] = []
    for holder, phone in (("browser-known", NUMBER), ("browser-unknown", OTHER_NUMBER)):
        applicant = room.applicant(holder)
        filled = await room.with_captcha(replace(typed, phone=phone), applicant)
        room.meddler.calls.clear()
        flow = await room.registrations.ask_code(applicant, None, surface, filled)
        await room.dispatches.close()
        assert len(flow) == 22
        assert room.postman.sent[-1].to == phone
        work.append(Counter(room.meddler.calls))
    known, unknown = work
    assert known == unknown
    assert {call.partition(".")[0] for call in known} <= set(ASKING)
    # A username is looked up; the number is not.
    assert known["members.is_held"] == (surface is Surface.PC)
    assert known["members.find"] == 0


@pytest.mark.req("REG-2")
async def test_the_page_remembers_what_was_typed_and_when_the_next_code_may_be_asked_for(room: Room) -> None:
    flow, _ = await room.asked(replace(GOOD, phone="+86 154 0000 0001"))
    facts = await room.facts(flow)
    assert (facts.username, facts.phone, facts.proved) == ("zhang_san", NUMBER, None)
    assert facts.again_at == room.clock.now() + 60_000
    assert facts.dispatch is not None


# ------------------------------------------------------------------------------------------------------------ the code


@pytest.mark.req("REG-2", "REG-8")
async def test_that_a_number_is_in_use_is_told_to_whoever_proved_it_and_to_nobody_else(room: Room) -> None:
    await room.neighbour(replace(GOOD, username="neighbour"))
    room.clock.advance(60)
    flow, typed = await room.asked()
    for code, told in ((another_than(typed.code), VerificationCodeWrong), (typed.code, PhoneTaken)):
        with pytest.raises(told):
            await room.register(flow, replace(typed, code=code))
    assert room.accounts() == 1
    # What was proved stays so.
    with pytest.raises(PhoneTaken):
        await room.register(flow, replace(typed, code=""))


def another_than(code: str) -> str:
    """Return six digits that are not the code."""
    return f"{(int(code) + 1) % 1_000_000:06d}"


@pytest.mark.req("UX-5")
async def test_no_try_of_the_code_is_spent_on_a_form_that_is_wrong_elsewhere(room: Room) -> None:
    flow, typed = await room.asked()
    for wrong in (replace(typed, again="Wansui-9"), replace(typed, agreed=False), replace(typed, username="1")):
        for _ in range(3):
            with pytest.raises(InvalidRequest):
                await room.register(flow, wrong)
    await room.register(flow, typed)


@pytest.mark.req("REG-2")
async def test_no_later_fault_costs_a_second_code(room: Room) -> None:
    flow, typed = await room.asked()
    room.meddler.before_next("members.enrol", lambda: room.neighbour(replace(GOOD, phone=OTHER_NUMBER)))
    with pytest.raises(UsernameTaken):
        await room.register(flow, typed)
    sent = len(room.postman.sent)
    await room.register(flow, replace(typed, username="li_sisi", code=""))
    assert len(room.postman.sent) == sent
    assert (await member(room)).username == "li_sisi"


@pytest.mark.attack("O10")
async def test_another_number_than_the_proved_one_needs_a_code_of_its_own(room: Room) -> None:
    flow, typed = await room.asked()
    room.meddler.breaks("members.enrol")
    with pytest.raises(StoreUnavailable):
        await room.register(flow, typed)
    room.meddler.mends()
    with pytest.raises(VerificationCodeExpired):
        await room.register(flow, replace(typed, phone=OTHER_NUMBER))
    assert room.accounts() == 0
    flow, other = await room.asked(replace(typed, phone=OTHER_NUMBER), flow=flow)
    # And with it the first number is not proved any more.
    with pytest.raises(VerificationCodeExpired):
        await room.register(flow, typed)
    await room.register(flow, other)
    assert (await member(room, OTHER_NUMBER)).username == "zhang_san"


async def test_who_gives_another_number_begins_with_none(room: Room) -> None:
    flow, typed = await room.asked()
    room.meddler.breaks("members.enrol")
    with pytest.raises(StoreUnavailable):
        await room.register(flow, typed)
    await room.registrations.forget_number(room.applicant(), flow)
    facts = await room.facts(flow)
    assert (facts.phone, facts.proved, facts.attempted, facts.username) == ("", None, False, "zhang_san")
    await room.registrations.forget_number(room.applicant(), None)


@pytest.mark.attack("O10")
async def test_a_code_for_something_else_or_of_another_registration_registers_nobody(room: Room) -> None:
    flow, typed = await room.asked()
    room.clock.advance(60)
    elsewhere, there = await room.asked(applicant=room.applicant("browser-2"))
    login = await room.codes.issue(Binding(Purpose.LOGIN, by_sms(number(NUMBER)), flow))
    for code in {there.code, login.text()} - {typed.code}:
        with pytest.raises(VerificationCodeWrong):
            await room.register(flow, replace(typed, code=code))
    # Another browser's registration is no registration here.
    with pytest.raises(VerificationCodeExpired):
        await room.register(elsewhere, there)
    await room.register(flow, typed)


async def test_a_registration_that_is_over_asks_for_a_new_code_and_loses_nothing_else(room: Room) -> None:
    flow, typed = await room.asked()
    room.clock.advance(31 * 60)
    for gone in (flow, None, "", "x" * 22, "😀", "\ud800" * 22):
        assert await room.registrations.find(HOLDER, gone) is None
        with pytest.raises(VerificationCodeExpired):
            await room.register(gone, typed)
    fresh, typed = await room.asked(flow=flow)
    assert fresh != flow
    await room.register(fresh, typed)


# --------------------------------------------------------------------------------------------------------- two at once


@pytest.mark.req("REG-8")
@pytest.mark.attack("O9")
@pytest.mark.parametrize("surface", Surface)
async def test_a_form_sent_several_times_makes_one_account_and_logs_in_to_it(room: Room, surface: Surface) -> None:
    flow, typed = await room.asked(GOOD if surface is Surface.PC else ON_PHONE, surface)
    ends = await asyncio.gather(*(outcome(room.register(flow, typed, surface)) for _ in range(4)))
    assert room.accounts() == 1
    account = (await member(room)).standing.account
    cookies = [end for end in ends if isinstance(end, str)]
    assert cookies
    # Whoever found the code used before it was noted may send the form again, and is in.
    assert {type(end) for end in ends} <= {str, VerificationCodeExpired, TooBusy}
    last = await room.register(flow, typed, surface)
    assert await logged_in(room, last) == account
    # The answers of the others are not looked at by anybody.
    assert [session.login.way for session in await room.sessions.of_account(account)] == [Way.REGISTRATION]


@pytest.mark.req("REG-8")
@pytest.mark.parametrize("surface", Surface)
@pytest.mark.parametrize("call", ["members.is_held", "code.get", "code.replace", "members.enrol"])
async def test_whoever_is_overtaken_by_the_same_form_is_let_in_to_what_that_made(
    room: Room, surface: Surface, call: str
) -> None:
    flow, typed = await room.asked(GOOD if surface is Surface.PC else ON_PHONE, surface)
    first: list[str] = []

    async def overtake() -> None:
        first.append(await room.register(flow, typed, surface))

    room.meddler.before_next(call, overtake)
    second = await room.register(flow, typed, surface)
    assert room.accounts() == 1
    assert await logged_in(room, second) == (await member(room)).standing.account
    assert await room.sessions.find(first[0]) is None


@pytest.mark.req("REG-2")
async def test_a_code_that_the_same_form_has_used_is_as_good_when_that_one_failed(room: Room) -> None:
    flow, typed = await room.asked()

    async def overtake() -> None:
        room.meddler.breaks("members.enrol")
        with pytest.raises(StoreUnavailable):
            await room.register(flow, typed)
        room.meddler.mends()

    room.meddler.before_next("code.get", overtake)
    await room.register(flow, typed)
    assert room.accounts() == 1


async def outcome(act: Awaitable[str]) -> str | BjidpError:
    """Return how a call ends."""
    try:
        return await act
    except BjidpError as error:
        return error


@pytest.mark.req("REG-8")
@pytest.mark.parametrize("kind", [IdentifierKind.USERNAME, IdentifierKind.PHONE])
async def test_who_is_overtaken_by_a_stranger_is_told_beside_the_field(room: Room, kind: IdentifierKind) -> None:
    flow, typed = await room.asked()
    room.clock.advance(60)
    strange = replace(GOOD, password="Geheim-99", again="Geheim-99")
    strange = replace(
        strange, **({"username": "stranger"} if kind is IdentifierKind.PHONE else {"phone": OTHER_NUMBER})
    )
    room.meddler.before_next("members.enrol", lambda: room.neighbour(strange))
    with pytest.raises(PhoneTaken if kind is IdentifierKind.PHONE else UsernameTaken):
        await room.register(flow, typed)
    assert room.accounts() == 1
    assert not (await room.facts(flow)).attempted or kind is IdentifierKind.USERNAME


@pytest.mark.attack("O12")
async def test_nobody_guesses_a_password_by_sending_the_form_again(room: Room) -> None:
    flow, typed = await room.asked()
    room.clock.advance(60)
    strange = replace(GOOD, username="stranger", password="Geheim-99", again="Geheim-99")
    room.meddler.before_next("members.enrol", lambda: room.neighbour(strange))
    with pytest.raises(PhoneTaken):
        await room.register(flow, typed)
    # Not even the right one lets anybody in from now on.
    with pytest.raises(PhoneTaken):
        await room.register(flow, replace(typed, password="Geheim-99", again="Geheim-99"))


# ------------------------------------------------------------------------------------------------------ what fails when


@pytest.mark.req("OPS-4")
@pytest.mark.parametrize("call", ["members.is_held", "members.enrol", "drafts.replace", "sessions.open", "drafts.get"])
async def test_the_form_can_be_sent_again_after_any_store_was_down(room: Room, call: str) -> None:
    flow, typed = await room.asked()
    room.meddler.breaks(call)
    with pytest.raises(StoreUnavailable):
        await room.register(flow, typed)
    assert room.accounts() == (call == "sessions.open")
    room.meddler.mends()
    if call == "drafts.replace":
        # The one thing that is lost: the code was used, and nobody could note it.
        with pytest.raises(VerificationCodeExpired):
            await room.register(flow, typed)
        room.clock.advance(60)
        flow, typed = await room.asked(flow=flow)
    cookie = await room.register(flow, typed)
    assert room.accounts() == 1
    assert await logged_in(room, cookie) == (await member(room)).standing.account


@pytest.mark.req("OPS-4")
async def test_an_account_whose_making_was_not_heard_of_is_found_again(room: Room) -> None:
    flow, typed = await room.asked()
    enrol = room.sql.members.enrol

    async def unheard(*args: object) -> object:
        await enrol(*args)  # type: ignore[arg-type]  # as it was called
        raise StoreUnavailable

    room.registrations._members = _Enrolling(room.sql.members, unheard)  # type: ignore[assignment]  # stands in for it
    with pytest.raises(StoreUnavailable):
        await room.register(flow, typed)
    assert room.accounts() == 1
    cookie = await room.register(flow, typed)
    assert await logged_in(room, cookie) == (await member(room)).standing.account
    assert room.accounts() == 1


class _Enrolling:
    def __init__(self, store: object, enrol: object) -> None:
        self._store = store
        self.enrol = enrol

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


@pytest.mark.attack("O12")
async def test_too_many_hashes_at_once_lose_nothing(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    flow, typed = await room.asked()
    with monkeypatch.context() as crowd:
        crowd.setattr(room.hashes, "_most", 0)
        with pytest.raises(TooBusy):
            await room.register(flow, typed)
    assert room.accounts() == 0
    await room.register(flow, replace(typed, code=""))


@pytest.mark.req("PRV-1")
async def test_no_value_that_was_typed_lies_in_a_short_lived_store_in_clear(room: Room) -> None:
    flow, _ = await room.asked()
    held = await room.drafts._records.get(room.drafts._key(HOLDER, flow))
    assert held is not None
    for value in (NUMBER, "zhang_san"):
        assert value.encode() not in held.value.data


@pytest.mark.req("REG-8")
@pytest.mark.attack("O9")
async def test_a_form_sent_twice_waits_for_what_the_first_is_about_to_note(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow, typed = await room.asked()
    first, second = await posted_twice(monkeypatch, room.meddler, "drafts.replace", lambda: room.register(flow, typed))
    assert isinstance(second, str)
    assert await room.sessions.find(first) is None, "its answer is dropped"
    assert await room.sessions.find(second) is not None
    assert room.accounts() == 1
