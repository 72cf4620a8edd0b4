"""Login and registration by face: every branch of wire.md 3, with platforms that are slow, down or lying."""

from __future__ import annotations

import asyncio
from unittest.mock import patch

import msgspec
import pytest

from bjidp.accounts.notices import NoticeKind
from bjidp.accounts.ports import IdentityTaken, Linked, NewAccount
from bjidp.clock import HOUR, Instant, Millis
from bjidp.errors import (
    AccountRefused,
    BjidpError,
    InvalidRequest,
    RateLimited,
    StoreUnavailable,
    TokenInvalid,
    VendorUnavailable,
)
from bjidp.miniprogram.book import Page
from bjidp.miniprogram.errors import (
    DocumentUnsupported,
    FaceFailed,
    FacePending,
    IdentityMismatch,
    LoginCodeInvalid,
)
from bjidp.miniprogram.limits import MiniProgramWindows
from bjidp.miniprogram.registration import Passed, Registration
from bjidp.miniprogram.sessions import Caller
from bjidp.miniprogram.wire import (
    AccountFound,
    CompleteRequest,
    Consent,
    IdentityRequired,
    SessionOk,
    SessionRequest,
)
from bjidp.person import DocumentType
from bjidp.platforms import Platform
from bjidp.records import StaleRecord
from bjidp.storage.sql.accounts import SqlAccounts
from bjidp.throttle.ports import Window, per_minute
from bjidp.throttle.source import Source
from bjidp.vendors.ports.platforms import FaceVerdict
from bjidp.vendors.ports.registers import RegisterAnswer
from tests.support.phones import ADDRESS, LI, ZHANG, PhoneWorld

pytestmark = pytest.mark.req("REG-7")


def rewired(world: PhoneWorld, windows: MiniProgramWindows) -> PhoneWorld:
    """The same database with other limits."""
    return PhoneWorld(
        stores=world.stores,
        file=world.file,
        clock=world.clock,
        entropy=world.mini._entropy,
        windows=windows,
    )


def faults(error: InvalidRequest) -> list[tuple[str, str]]:
    return [(fault.field, fault.code) for fault in error.errors]


async def refused(world: PhoneWorld, registration: str, platform: Platform = Platform.WECHAT) -> BjidpError:
    with pytest.raises(BjidpError) as caught:
        await world.complete(registration, platform)
    return caught.value


# ------------------------------------------------------------------------------------------------------------- session


@pytest.mark.req("LOG-7")
@pytest.mark.parametrize("platform", Platform)
async def test_someone_new_is_registered_and_the_next_login_needs_the_platforms_code_alone(
    world: PhoneWorld, platform: Platform
) -> None:
    registered = await world.registered("zhang", platform=platform)
    assert registered.account.name == "张**"
    assert registered.account.level == "L3"
    assert registered.expires_in == 900
    again = await world.sign_in("zhang", platform)
    assert isinstance(again, SessionOk)
    assert world.accounts() == 1
    assert world.sql("SELECT evidence FROM identity") == [("face",)]


async def test_a_registration_lasts_a_quarter_of_an_hour(world: PhoneWorld) -> None:
    answer = await world.sign_in("zhang")
    assert isinstance(answer, IdentityRequired)
    assert answer.expires_in == 900
    assert len(answer.registration) == 43
    world.clock.advance(899)
    assert await world.state_identity(answer.registration)
    world.clock.advance(1)
    with pytest.raises(InvalidRequest) as caught:
        await world.state_identity(answer.registration)
    assert faults(caught.value) == [("registration", "unknown")]


@pytest.mark.attack("M2")
async def test_a_login_code_is_refused_the_second_time_though_the_platform_takes_it(world: PhoneWorld) -> None:
    code = world.code("zhang")
    first = await world.mini.session(Platform.WECHAT, SessionRequest(code), ADDRESS)
    assert isinstance(first, IdentityRequired)
    with pytest.raises(LoginCodeInvalid):
        await world.mini.session(Platform.WECHAT, SessionRequest(code), ADDRESS)
    assert world.wechat.exchanged == [code]


@pytest.mark.attack("M2")
async def test_of_parallel_logins_with_one_code_one_gets_in(world: PhoneWorld) -> None:
    code = world.code("zhang")
    results = await asyncio.gather(
        *(world.mini.session(Platform.WECHAT, SessionRequest(code), ADDRESS) for _ in range(10)),
        return_exceptions=True,
    )
    assert sum(isinstance(result, IdentityRequired) for result in results) == 1
    assert sum(isinstance(result, LoginCodeInvalid) for result in results) == 9


@pytest.mark.attack("M2")
async def test_a_code_that_met_a_platform_down_may_be_presented_again(world: PhoneWorld) -> None:
    code = world.code("zhang")
    world.wechat.down = True
    with pytest.raises(VendorUnavailable):
        await world.mini.session(Platform.WECHAT, SessionRequest(code), ADDRESS)
    world.wechat.down = False
    assert isinstance(await world.mini.session(Platform.WECHAT, SessionRequest(code), ADDRESS), IdentityRequired)


async def test_a_made_up_code_is_the_platforms_to_refuse(world: PhoneWorld) -> None:
    with pytest.raises(LoginCodeInvalid):
        await world.mini.session(Platform.BAIDU, SessionRequest("made-up"), ADDRESS)


@pytest.mark.attack("M2")
@pytest.mark.parametrize("minutes", [6, 24 * 60 - 1])
async def test_a_code_that_was_taken_is_remembered_for_a_day(world: PhoneWorld, minutes: int) -> None:
    code = world.code("zhang")
    await world.mini.session(Platform.WECHAT, SessionRequest(code), ADDRESS)
    world.clock.advance(minutes * 60)
    with pytest.raises(LoginCodeInvalid):
        await world.mini.session(Platform.WECHAT, SessionRequest(code), ADDRESS)
    assert world.wechat.exchanged == [code]


@pytest.mark.attack("M2")
async def test_made_up_codes_are_remembered_for_five_minutes(world: PhoneWorld) -> None:
    for number in range(7):
        with pytest.raises(LoginCodeInvalid):
            await world.mini.session(Platform.BAIDU, SessionRequest(f"made-up-{number}"), ADDRESS)
    with pytest.raises(LoginCodeInvalid):
        await world.mini.session(Platform.BAIDU, SessionRequest("made-up-0"), ADDRESS)
    assert len(world.baidu.exchanged) == 7
    world.clock.advance(5 * 60)
    await world.mini.session(Platform.WECHAT, SessionRequest(world.code("zhang")), ADDRESS)
    assert len(world.used_codes) == 1


@pytest.mark.attack("M2", "O5")
async def test_a_code_that_cannot_be_remembered_opens_nothing(world: PhoneWorld) -> None:
    for failure, refusal in ((StoreUnavailable, StoreUnavailable), (StaleRecord, LoginCodeInvalid)):
        code = world.code("zhang")
        with patch.object(world.used_codes, "replace", side_effect=failure), pytest.raises(refusal):
            await world.mini.session(Platform.WECHAT, SessionRequest(code), ADDRESS)
        with pytest.raises(LoginCodeInvalid):
            await world.mini.session(Platform.WECHAT, SessionRequest(code), ADDRESS)
    with patch.object(world.used_codes, "get", return_value=None), pytest.raises(LoginCodeInvalid):
        await world.sign_in("zhang")


@pytest.mark.attack("M4", "T9")
async def test_the_same_openid_in_another_app_or_on_another_platform_is_somebody_else(world: PhoneWorld) -> None:
    await world.registered("zhang")
    assert isinstance(await world.sign_in("zhang", Platform.ALIPAY), IdentityRequired)
    world.wechat.app_id = "another-app"
    assert isinstance(await world.sign_in("zhang"), IdentityRequired)


@pytest.mark.attack("Q9")
async def test_nothing_personal_waits_in_clear_and_no_key_is_the_phones_secret(world: PhoneWorld) -> None:
    registration = await world.opened("openid-of-zhang")
    await world.state_identity(registration)
    ((key, row),) = world.registrations._rows.items()
    kept = f"{key}{row.value!r}{[*world.used_codes._rows]}{[*world.throttle._events]}"
    for value in (registration, "openid-of-zhang", "张三", "张", ZHANG, "code-1"):
        assert value not in kept


# -------------------------------------------------------------------------------------------------------- registration


async def test_a_face_check_is_started_for_the_facts_stated_and_nothing_is_asked_of_the_authority(
    world: PhoneWorld,
) -> None:
    registration = await world.opened("zhang")
    verification = await world.state_identity(registration, "11010119900307001１", name=" 阿卜杜拉•买买提")
    request = world.wechat.started[verification]
    assert request.identity.open_id == "zhang"
    assert (request.person.name, request.person.number) == ("阿卜杜拉·买买提", ZHANG)
    assert request.reference.isalnum()
    assert 5 <= len(request.reference) <= 32
    assert world.authority.asked == []


async def test_all_faults_are_told_at_once(world: PhoneWorld) -> None:
    registration = await world.opened("zhang")
    with pytest.raises(InvalidRequest) as caught:
        await world.state_identity(registration, "1", name="", valid_days=8, agreed=("terms",))
    assert faults(caught.value) == [
        ("name", "empty"),
        ("document_number", "format"),
        ("valid_days", "value"),
        ("agreed", "required"),
    ]
    assert not world.wechat.started


@pytest.mark.parametrize("agreed", [(), ("terms",), ("privacy",), ("terms", "terms"), ("terms", "privacy", "terms")])
async def test_both_texts_must_be_agreed_to(world: PhoneWorld, agreed: tuple[Consent, ...]) -> None:
    registration = await world.opened("zhang")
    with pytest.raises(InvalidRequest) as caught:
        await world.state_identity(registration, agreed=agreed)
    assert faults(caught.value) == [("agreed", "required")]


@pytest.mark.parametrize("days", [-1, 1, 31, 365])
async def test_only_the_offered_days_can_be_chosen(world: PhoneWorld, days: int) -> None:
    registration = await world.opened("zhang")
    with pytest.raises(InvalidRequest) as caught:
        await world.state_identity(registration, valid_days=days)
    assert faults(caught.value) == [("valid_days", "value")]


async def test_a_number_of_the_sandbox_is_refused_in_production(world: PhoneWorld) -> None:
    registration = await world.opened("zhang")
    with pytest.raises(InvalidRequest) as caught:
        await world.state_identity(registration, "100101900307001")
    assert faults(caught.value) == [("document_number", "not_served")]
    assert not world.wechat.started


async def test_a_document_the_platform_does_not_know_names_the_platforms_that_do(world: PhoneWorld) -> None:
    registration = await world.opened("zhang")
    with pytest.raises(DocumentUnsupported) as caught:
        await world.state_identity(registration, "12345678", document_type=DocumentType.TAIWAN_PERMIT)
    assert caught.value.details == {"platforms": ("alipay", "baidu")}


@pytest.mark.parametrize("secret", ["", "A" * 43, "unknown"])
@pytest.mark.attack("Q27")
async def test_an_unknown_registration_is_refused(world: PhoneWorld, secret: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await world.state_identity(secret)
    assert faults(caught.value) == [("registration", "unknown")]
    with pytest.raises(InvalidRequest):
        await world.complete(secret)


async def test_a_registration_of_another_platform_is_unknown_here(world: PhoneWorld) -> None:
    registration = await world.opened("zhang", Platform.ALIPAY)
    with pytest.raises(InvalidRequest):
        await world.state_identity(registration, platform=Platform.WECHAT)
    with pytest.raises(InvalidRequest):
        await world.complete(registration, Platform.WECHAT)


@pytest.mark.attack("M4")
async def test_a_registration_of_an_app_that_is_served_no_more_is_unknown(world: PhoneWorld) -> None:
    registration = await world.opened("zhang")
    world.face(await world.state_identity(registration))
    world.serves_no_more(Platform.WECHAT, app=True)
    for act in (world.complete, world.state_identity):
        with pytest.raises(InvalidRequest) as caught:
            await act(registration)
        assert faults(caught.value) == [("registration", "unknown")]
    assert world.wechat.asked == []


@pytest.mark.attack("B2", "B3")
async def test_a_new_face_check_ends_the_one_before(world: PhoneWorld) -> None:
    registration = await world.opened("zhang")
    first = await world.state_identity(registration, ZHANG)
    world.face(first)
    second = await world.state_identity(registration, LI, name="李四")
    assert isinstance(await refused(world, registration), FacePending)
    world.face(second)
    answer = await world.complete(registration)
    assert isinstance(answer, SessionOk)
    assert answer.account.name == "李**"


async def test_two_registrations_at_once_leave_one_check_that_counts(world: PhoneWorld) -> None:
    registration = await world.opened("zhang")
    one, other = await asyncio.gather(
        world.state_identity(registration, ZHANG), world.state_identity(registration, LI, name="李四")
    )
    world.face(one)
    world.face(other)
    assert isinstance(await world.complete(registration), SessionOk)
    assert len(world.wechat.asked) == 1
    assert world.accounts() == 1


# -------------------------------------------------------------------------------------------------------------- limits


async def test_three_face_checks_a_platform_identity_in_a_day(world: PhoneWorld) -> None:
    for _ in range(3):
        await world.state_identity(await world.opened("zhang"))
    registration = await world.opened("zhang")
    with pytest.raises(RateLimited) as caught:
        await world.state_identity(registration, LI)
    assert caught.value.retry_after == 86_400
    assert len(world.wechat.started) == 3
    assert await world.state_identity(await world.opened("zhang", Platform.ALIPAY), platform=Platform.ALIPAY)
    world.clock.advance(86_400)
    assert await world.state_identity(await world.opened("zhang"))


@pytest.mark.attack("O4")
async def test_parallel_starts_do_not_slip_past_the_limit(world: PhoneWorld) -> None:
    registration = await world.opened("zhang")
    results = await asyncio.gather(*(world.state_identity(registration) for _ in range(9)), return_exceptions=True)
    assert len(world.wechat.started) == 3
    assert sum(isinstance(result, RateLimited) for result in results) == 6


async def test_ten_face_checks_a_document_by_strangers_and_the_holder_still_gets_in(world: PhoneWorld) -> None:
    await world.registered("zhang", valid_days=0)
    for number in range(9):
        await world.state_identity(await world.opened(f"stranger-{number}"))
    with pytest.raises(RateLimited):
        await world.state_identity(await world.opened("stranger-10"))
    world.clock.advance(13 * 3600)
    registration = await world.opened("zhang")
    world.face(await world.state_identity(registration))
    assert isinstance(await world.complete(registration), SessionOk)


async def test_the_days_budget_stops_everybody(world: PhoneWorld) -> None:
    world = rewired(world, MiniProgramWindows(face_of_all=Window(1, 24 * HOUR)))
    await world.state_identity(await world.opened("zhang"))
    with pytest.raises(RateLimited):
        await world.state_identity(await world.opened("li"), LI)
    assert len(world.wechat.started) == 1


@pytest.mark.attack("O5")
async def test_limits_that_cannot_be_counted_let_nobody_pass(
    world: PhoneWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    registration = await world.opened("zhang")

    async def down(key: str, *windows: Window) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(world.throttle, "hit", down)
    with pytest.raises(StoreUnavailable):
        await world.state_identity(registration)
    with pytest.raises(StoreUnavailable):
        await world.sign_in("li")
    assert not world.wechat.started


async def test_a_platform_that_is_down_uses_up_nobodys_tries(world: PhoneWorld) -> None:
    registration = await world.opened("zhang")
    world.wechat.down = True
    for _ in range(5):
        with pytest.raises(VendorUnavailable):
            await world.state_identity(registration)
    world.wechat.down = False
    for _ in range(3):
        assert await world.state_identity(registration)
    with pytest.raises(RateLimited):
        await world.state_identity(registration)


@pytest.mark.attack("O4")
async def test_a_try_that_was_given_back_is_given_once(world: PhoneWorld) -> None:
    registration = await world.opened("zhang")
    world.wechat.down = True
    with pytest.raises(VendorUnavailable):
        await world.state_identity(registration)
    world.wechat.down = False
    await asyncio.gather(*(world.state_identity(registration) for _ in range(8)), return_exceptions=True)
    assert len(world.wechat.started) == 3


async def test_a_try_for_one_document_pays_for_no_other(world: PhoneWorld) -> None:
    registration = await world.opened("zhang")
    world.wechat.down = True
    with pytest.raises(VendorUnavailable):
        await world.state_identity(registration, ZHANG)
    world.wechat.down = False
    await world.state_identity(registration, LI)
    await world.state_identity(registration, LI)
    with pytest.raises(RateLimited):
        await world.state_identity(registration, LI)


@pytest.mark.req("LOG-7")
async def test_ten_logins_a_minute_a_platform_identity(world: PhoneWorld) -> None:
    for _ in range(10):
        await world.sign_in("zhang")
    with pytest.raises(RateLimited):
        await world.sign_in("zhang")
    assert isinstance(await world.sign_in("li"), IdentityRequired)


@pytest.mark.attack("M4")
async def test_limits_of_one_app_do_not_count_for_the_same_openid_in_another(world: PhoneWorld) -> None:
    for _ in range(10):
        await world.sign_in("zhang")
    world.wechat.app_id = "another-app"
    assert isinstance(await world.sign_in("zhang"), IdentityRequired)


async def test_ten_statements_a_minute_whatever_is_wrong_with_them(world: PhoneWorld) -> None:
    registration = await world.opened("zhang")
    for _ in range(9):
        with pytest.raises(InvalidRequest):
            await world.state_identity(registration, "1")
    with pytest.raises(RateLimited):
        await world.state_identity(registration, "1")


async def test_sixty_outcomes_a_minute_are_asked_for(world: PhoneWorld) -> None:
    registration = await world.opened("zhang")
    await world.state_identity(registration)
    for _ in range(60):
        assert isinstance(await refused(world, registration), FacePending)
    assert isinstance(await refused(world, registration), RateLimited)
    assert len(world.wechat.asked) == 60


async def test_an_address_is_stopped_before_the_platform_is_asked_unless_lifted(world: PhoneWorld) -> None:
    narrow = rewired(world, MiniProgramWindows(address=per_minute(2)))
    await narrow.sign_in("a")
    await narrow.sign_in("b")
    with pytest.raises(RateLimited):
        await narrow.sign_in("c")
    assert len(narrow.wechat.exchanged) == 2
    for user in "cdefgh":
        request = SessionRequest(narrow.code(user, Platform.WECHAT))
        assert isinstance(await narrow.mini.session(Platform.WECHAT, request, Source(None)), IdentityRequired)


async def test_calls_with_a_token_are_counted_by_account_whichever_platform_identity_makes_them(
    world: PhoneWorld,
) -> None:
    registered = await world.registered("zhang")
    caller = await world.sessions.authenticate(f"Bearer {registered.access_token}")
    other = Caller(msgspec.structs.replace(caller.session, link="another phone's"), caller.standing)
    for _ in range(30):
        await world.limits.call(caller)
        await world.limits.call(other)
    for phone in (caller, other):
        with pytest.raises(RateLimited):
            await world.limits.call(phone)


# -------------------------------------------------------------------------------------------------------- face verdict


@pytest.mark.attack("B1")
@pytest.mark.parametrize(
    ("verdict", "error", "details"),
    [
        (FaceVerdict.PENDING, FacePending, {}),
        (FaceVerdict.FAILED, FaceFailed, {"reason": "failed"}),
        (FaceVerdict.CANCELLED, FaceFailed, {"reason": "cancelled"}),
    ],
)
async def test_without_the_platforms_own_yes_nobody_gets_in_and_the_authority_is_not_asked(
    world: PhoneWorld, verdict: FaceVerdict, error: type[BjidpError], details: dict[str, object]
) -> None:
    registration = await world.opened("zhang")
    world.face(await world.state_identity(registration), verdict)
    for _ in range(2):
        caught = await refused(world, registration)
        assert type(caught) is error
        assert caught.details == details
    assert world.accounts() == 0
    assert world.authority.asked == []


@pytest.mark.attack("B1")
async def test_the_outcome_of_no_face_check_at_all_is_pending(world: PhoneWorld) -> None:
    registration = await world.opened("zhang")
    assert isinstance(await refused(world, registration), FacePending)
    assert world.wechat.asked == []


@pytest.mark.attack("B2")
async def test_a_pass_serves_the_registration_it_was_started_in_and_no_other(world: PhoneWorld) -> None:
    of_zhang = await world.opened("zhang")
    verification = await world.state_identity(of_zhang)
    of_attacker = await world.opened("attacker")
    await world.state_identity(of_attacker)
    world.face(verification)
    assert isinstance(await refused(world, of_attacker), FacePending)
    assert isinstance(await world.complete(of_zhang), SessionOk)


@pytest.mark.attack("B2")
async def test_a_check_moved_into_another_registrations_record_does_not_open(world: PhoneWorld) -> None:
    of_zhang = await world.opened("zhang")
    world.face(await world.state_identity(of_zhang))
    (record,) = (kept.value for kept in world.registrations._rows.values())
    of_attacker = await world.opened("attacker")
    ((other, kept),) = (row for row in world.registrations._rows.items() if row[1].value is not record)
    held = kept.value
    for moved in (record, type(held)(held.platform, held.identity, held.expires_at, record.state)):
        world.registrations._rows[other] = msgspec.structs.replace(kept, value=moved)
        assert isinstance(await refused(world, of_attacker), InvalidRequest)
    assert world.accounts() == 0


@pytest.mark.attack("B3")
async def test_a_pass_of_more_than_two_minutes_ago_counts_no_more(world: PhoneWorld) -> None:
    registration = await world.opened("zhang")
    world.face(await world.state_identity(registration))
    world.clock.advance(120.001)
    for _ in range(2):
        caught = await refused(world, registration)
        assert isinstance(caught, FaceFailed)
        assert caught.details == {"reason": "too_old"}
    assert world.accounts() == 0


@pytest.mark.attack("B3")
async def test_who_takes_their_time_and_asks_in_between_gets_in(world: PhoneWorld) -> None:
    registration = await world.opened("zhang")
    verification = await world.state_identity(registration)
    for _ in range(3):
        world.clock.advance(100)
        assert isinstance(await refused(world, registration), FacePending)
    world.face(verification)
    world.clock.advance(100)
    assert isinstance(await world.complete(registration), SessionOk)


@pytest.mark.attack("B3")
async def test_a_pass_is_used_once(world: PhoneWorld) -> None:
    registration = await world.opened("zhang")
    world.face(await world.state_identity(registration))
    first = await world.complete(registration)
    assert isinstance(first, SessionOk)
    await world.sessions.recognise(f"Bearer {first.access_token}")
    caught = await refused(world, registration)
    assert isinstance(caught, InvalidRequest)
    with pytest.raises(InvalidRequest):
        await world.state_identity(registration)
    assert len(world.sql("SELECT id FROM mini_session")) == 1


async def test_a_lost_answer_of_complete_is_given_again_while_it_is_unused(world: PhoneWorld) -> None:
    registration = await world.opened("zhang")
    world.face(await world.state_identity(registration))
    first = await world.complete(registration)
    world.clock.advance(29)
    again = await world.complete(registration)
    assert isinstance(first, SessionOk)
    assert isinstance(again, SessionOk)
    assert (again.access_token, again.refresh_token) == (first.access_token, first.refresh_token)
    world.clock.advance(2)
    assert isinstance(await refused(world, registration), InvalidRequest)
    assert len(world.wechat.asked) == len(world.authority.asked) == 1


@pytest.mark.req("REG-8")
async def test_parallel_completes_make_one_account_and_one_session(world: PhoneWorld) -> None:
    registration = await world.opened("zhang")
    world.face(await world.state_identity(registration))
    answers = await asyncio.gather(*(world.complete(registration) for _ in range(8)))
    assert all(isinstance(answer, SessionOk) for answer in answers)
    assert len({answer.access_token for answer in answers if isinstance(answer, SessionOk)}) == 1
    assert world.accounts() == 1
    assert len(world.sql("SELECT id FROM mini_session")) == 1


@pytest.mark.req("REG-8")
async def test_one_person_on_two_platforms_at_once_is_one_account(world: PhoneWorld) -> None:
    platforms = [Platform.WECHAT, Platform.ALIPAY, Platform.BAIDU]
    registrations = [await world.opened("zhang", platform) for platform in platforms]
    for registration, platform in zip(registrations, platforms, strict=True):
        world.face(await world.state_identity(registration, platform=platform))
    answers = await asyncio.gather(*map(world.complete, registrations, platforms))
    assert all(isinstance(answer, SessionOk) for answer in answers)
    assert world.accounts() == 1
    assert len(world.sql("SELECT id FROM platform_link")) == 3


# ----------------------------------------------------------------------------------------------------------- authority


ADVICE = {RegisterAnswer.EXPIRED: ("renew",), RegisterAnswer.REFUSED: ("check_again", "ask_issuer")}


@pytest.mark.req("RNV-10")
@pytest.mark.parametrize("answer", [answer for answer in RegisterAnswer if answer is not RegisterAnswer.MATCH])
async def test_the_authoritys_no_is_final_for_this_face_check(world: PhoneWorld, answer: RegisterAnswer) -> None:
    registration = await world.opened("zhang")
    world.authority.answers[ZHANG] = answer
    world.face(await world.state_identity(registration))
    for _ in range(2):
        caught = await refused(world, registration)
        assert isinstance(caught, IdentityMismatch)
        assert caught.details == {"advice": ADVICE.get(answer, ("check_again",))}
    assert world.accounts() == 0
    assert len(world.authority.asked) == 1
    world.authority.answers.clear()
    assert isinstance(await refused(world, registration), IdentityMismatch)


@pytest.mark.attack("B3")
async def test_a_passed_face_is_not_lost_while_the_authority_is_down(world: PhoneWorld) -> None:
    registration = await world.opened("zhang")
    world.face(await world.state_identity(registration))
    world.authority.down = True
    for _ in range(3):
        world.clock.advance(30)
        assert isinstance(await refused(world, registration), VendorUnavailable)
    assert world.accounts() == 0
    world.authority.down = False
    assert isinstance(await world.complete(registration), SessionOk)
    assert len(world.wechat.asked) == 1


async def test_what_the_authority_answered_before_a_crash_is_asked_again_under_the_same_reference(
    world: PhoneWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    registration = await world.opened("zhang")
    world.face(await world.state_identity(registration))
    true_write = Page.write

    async def crash(self: Page, following: Registration, life: Millis | None = None) -> Page:
        if isinstance(following.state, Passed) and following.state.authority is not None:
            raise StoreUnavailable
        return await true_write(self, following, life)

    with monkeypatch.context() as patch:
        patch.setattr(Page, "write", crash)
        for _ in range(2):
            assert isinstance(await refused(world, registration), StoreUnavailable)
    assert isinstance(await world.complete(registration), SessionOk)
    assert len(world.authority.references) == 3
    assert len(set(world.authority.references)) == 1


async def test_another_face_check_of_the_registration_is_another_question_to_the_authority(world: PhoneWorld) -> None:
    registration = await world.opened("zhang")
    world.authority.answers[ZHANG] = RegisterAnswer.UNKNOWN
    world.face(await world.state_identity(registration))
    assert isinstance(await refused(world, registration), IdentityMismatch)
    world.face(await world.state_identity(registration, LI))
    assert isinstance(await world.complete(registration), SessionOk)
    assert len(set(world.authority.references)) == 2


@pytest.mark.attack("B3")
async def test_a_passed_face_is_not_kept_for_ever_for_an_authority_that_is_down(world: PhoneWorld) -> None:
    registration = await world.opened("zhang")
    world.face(await world.state_identity(registration))
    world.authority.down = True
    assert isinstance(await refused(world, registration), VendorUnavailable)
    world.clock.advance(120.001)
    world.authority.down = False
    caught = await refused(world, registration)
    assert isinstance(caught, FaceFailed)
    assert caught.details == {"reason": "too_old"}
    assert world.accounts() == 0


async def test_a_platform_that_does_not_answer_leaves_everything_as_it_was(world: PhoneWorld) -> None:
    registration = await world.opened("zhang")
    world.face(await world.state_identity(registration))
    world.wechat.down = True
    assert isinstance(await refused(world, registration), VendorUnavailable)
    world.wechat.down = False
    assert isinstance(await world.complete(registration), SessionOk)


async def test_a_face_check_started_at_the_last_moment_can_be_finished(world: PhoneWorld) -> None:
    registration = await world.opened("zhang")
    world.clock.advance(899)
    world.face(await world.state_identity(registration))
    world.clock.advance(119)
    world.authority.down = True
    assert isinstance(await refused(world, registration), VendorUnavailable)
    world.authority.down = False
    world.clock.advance(60)
    assert isinstance(await world.complete(registration), SessionOk)


# ------------------------------------------------------------------------------------------------------------ accounts


@pytest.mark.req("REG-8")
async def test_a_person_with_an_account_by_face_is_logged_in_to_it_under_probation_and_told(
    world: PhoneWorld,
) -> None:
    first = await world.registered("old-phone")
    began = world.clock.now()
    second = await world.registered("new-phone")
    assert world.accounts() == 1
    assert second.account == first.account
    assert world.probation() == began + 72 * HOUR
    with pytest.raises(TokenInvalid):
        await world.sessions.recognise(f"Bearer {first.access_token}")
    assert isinstance(await world.sign_in("old-phone"), IdentityRequired)
    assert isinstance(await world.sign_in("new-phone"), SessionOk)
    assert world.sql("SELECT kind FROM notice") == [(NoticeKind.RECOVERED.value,)]


@pytest.mark.attack("M1")
@pytest.mark.parametrize("by", ["the same person", "another person"])
async def test_what_the_platform_told_of_a_phone_is_forgotten_when_another_link_takes_its_place(
    world: PhoneWorld, by: str
) -> None:
    first = await world.registered("old-phone")
    caller = await world.sessions.recognise(f"Bearer {first.access_token}")
    other = await world.registered("of-another", platform=Platform.ALIPAY)
    stays = await world.sessions.recognise(f"Bearer {other.access_token}")
    assert await world.logins.of_session(caller.session.id) is not None
    if by == "the same person":
        await world.registered("new-phone")
    else:
        world.sql("UPDATE platform_link SET face_checked_at = 0 WHERE id = ?", caller.link)
        await world.registered("old-phone", LI)
    assert await world.logins.of_session(caller.session.id) is None
    assert await world.logins.of_session(stays.session.id) is not None


@pytest.mark.attack("M1")
async def test_a_phone_is_logged_in_though_what_it_takes_the_place_of_cannot_be_forgotten(world: PhoneWorld) -> None:
    first = await world.registered("old-phone")
    with patch.object(world.kept_logins, "take", side_effect=StoreUnavailable):
        assert isinstance(await world.registered("new-phone"), SessionOk)
    with pytest.raises(TokenInvalid):
        await world.sessions.recognise(f"Bearer {first.access_token}")


async def test_another_platforms_link_stays(world: PhoneWorld) -> None:
    first = await world.registered("zhang", platform=Platform.WECHAT)
    await world.registered("zhang", platform=Platform.ALIPAY)
    assert world.accounts() == 1
    caller = await world.sessions.recognise(f"Bearer {first.access_token}")
    assert caller.platform is Platform.WECHAT


async def test_the_same_platform_identity_again_is_no_recovery(world: PhoneWorld) -> None:
    first = await world.registered("zhang", valid_days=7)
    world.clock.advance(8 * 86_400)
    await world.registered("zhang", valid_days=7)
    assert world.probation() is None
    assert world.sql("SELECT count(*) FROM notice") == [(0,)]
    assert world.accounts() == 1
    with pytest.raises(TokenInvalid):
        await world.sessions.refresh(first.refresh_token)


async def test_a_second_face_check_does_not_lift_the_probation(
    world: PhoneWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_for: list[Instant | None] = []
    true_relink = SqlAccounts.relink

    async def relink(
        self: SqlAccounts, account: str, new: NewAccount, *, probation_until: Instant | None, now: Instant
    ) -> Linked:
        asked_for.append(probation_until)
        return await true_relink(self, account, new, probation_until=probation_until, now=now)

    monkeypatch.setattr(SqlAccounts, "relink", relink)
    await world.registered("old-phone", valid_days=0)
    until = world.clock.now() + 72 * HOUR
    await world.registered("new-phone", valid_days=0)
    world.clock.advance(13 * 3600)
    await world.registered("new-phone", valid_days=0)
    assert asked_for == [until, until]
    assert world.probation() == until


async def test_another_persons_face_on_the_same_phone_is_another_account(world: PhoneWorld) -> None:
    first = await world.registered("shared-phone", ZHANG, valid_days=0)
    world.clock.advance(13 * 3600)
    second = await world.registered("shared-phone", LI, valid_days=0)
    assert world.accounts() == 2
    assert second.access_token != first.access_token
    assert len(world.sql("SELECT id FROM platform_link")) == 1


@pytest.mark.parametrize("evidence", ["name_and_number", "bank_card"])
async def test_an_account_with_a_weaker_proof_is_found_and_nothing_is_made(world: PhoneWorld, evidence: str) -> None:
    await world.registered("old-phone")
    world.sql("UPDATE identity SET evidence = ?", evidence)
    registration = await world.opened("new-phone")
    world.face(await world.state_identity(registration))
    answer = await world.complete(registration)
    assert isinstance(answer, AccountFound)
    assert answer.registration == registration
    assert answer.expires_in == 1800
    assert answer.account.username.startswith("*")
    assert answer.account.phone is None
    world.clock.advance(60.5)
    again = await world.complete(registration)
    assert isinstance(again, AccountFound)
    assert (again.account, again.expires_in) == (answer.account, 1739)
    assert world.accounts() == 1
    assert len(world.sql("SELECT id FROM platform_link")) == 1
    assert len(world.authority.asked) == 2
    world.clock.advance(1740)
    assert isinstance(await refused(world, registration), InvalidRequest)


@pytest.mark.attack("Q21")
async def test_a_locked_account_is_told_so_even_when_its_face_check_is_over(world: PhoneWorld) -> None:
    await world.registered("zhang", valid_days=7)
    world.sql("UPDATE account SET status = 'locked'")
    world.clock.advance(8 * 86_400)
    with pytest.raises(AccountRefused):
        await world.sign_in("zhang")


@pytest.mark.attack("Q21")
async def test_a_locked_account_is_not_opened_by_a_face(world: PhoneWorld) -> None:
    await world.registered("old-phone")
    world.sql("UPDATE account SET status = 'locked'")
    registration = await world.opened("new-phone")
    world.face(await world.state_identity(registration))
    caught = await refused(world, registration)
    assert isinstance(caught, AccountRefused)
    assert caught.reason == "locked"
    assert len(world.sql("SELECT id FROM platform_link")) == 1


@pytest.mark.req("REG-8")
async def test_losing_the_race_for_an_identity_is_decided_again(
    world: PhoneWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    registration = await world.opened("zhang")
    world.face(await world.state_identity(registration))
    true_register = SqlAccounts.register
    lost = 0

    async def register(self: SqlAccounts, new: NewAccount, now: Instant) -> Linked:
        nonlocal lost
        if not lost:
            lost += 1
            await true_register(self, new, now)
            raise IdentityTaken
        return await true_register(self, new, now)

    monkeypatch.setattr(SqlAccounts, "register", register)
    assert isinstance(await world.complete(registration), SessionOk)
    assert lost == 1
    assert world.accounts() == 1
    assert len(world.authority.asked) == 1


async def test_an_account_whose_session_could_not_be_opened_is_entered_by_the_same_call(
    world: PhoneWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    registration = await world.opened("zhang")
    world.face(await world.state_identity(registration))

    async def down(*_: object, **__: object) -> None:
        raise StoreUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(world.stores.mini_sessions.__class__, "open", down)
        assert isinstance(await refused(world, registration), StoreUnavailable)
    linked = world.sql("SELECT id, face_checked_at FROM platform_link")
    world.clock.advance(1)
    assert isinstance(await world.complete(registration), SessionOk)
    assert world.accounts() == 1
    assert len(world.wechat.asked) == len(world.authority.asked) == 1
    # The verdict was used when the account was made: it renews no link and is not audited as another proof.
    assert world.sql("SELECT id, face_checked_at FROM platform_link") == linked
    assert world.probation() is None


# ------------------------------------------------------------------------------------------------------------- account


async def test_an_account_is_shown_to_its_owner_masked(world: PhoneWorld) -> None:
    registered = await world.registered("zhang")
    caller = await world.sessions.authenticate(f"Bearer {registered.access_token}")
    view = await world.mini.account(caller)
    assert (view.name, view.level, view.phone) == ("张**", "L3", None)
    assert view.username.startswith("*")


@pytest.mark.attack("B7")
async def test_no_answer_and_no_row_holds_a_name_a_number_or_an_openid(world: PhoneWorld) -> None:
    registered = await world.registered("openid-of-zhang")
    world.sql("PRAGMA wal_checkpoint(TRUNCATE)")
    kept = world.file.read_bytes()
    for value in ("张三", ZHANG, "openid-of-zhang"):
        assert value.encode() not in kept
        assert value not in repr(registered)


async def test_a_registration_over_is_told_apart_from_nothing(world: PhoneWorld) -> None:
    registration = await world.opened("zhang")
    world.clock.advance(18 * 60)
    with pytest.raises(InvalidRequest) as caught:
        await world.mini.complete(Platform.WECHAT, CompleteRequest(registration), ADDRESS)
    assert faults(caught.value) == [("registration", "unknown")]
