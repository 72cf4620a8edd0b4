"""绑定手机号 by the phone button: every answer, every replay, every race, and what is left after a failure."""

from __future__ import annotations

import asyncio
from unittest.mock import patch

import msgspec
import pytest
from structlog.testing import capture_logs

from bjidp.accounts.errors import PhoneTaken
from bjidp.accounts.telling import Told
from bjidp.clock import ManualClock
from bjidp.entropy import SeededEntropy
from bjidp.errors import (
    AccountRefused,
    BjidpError,
    InvalidRequest,
    StoreUnavailable,
    TokenInvalid,
    VendorUnavailable,
)
from bjidp.miniprogram.phone import payload_of
from bjidp.miniprogram.wire import PhoneRequest, SessionOk
from bjidp.platforms import Platform
from bjidp.storage.memory.records import MemoryRecords
from bjidp.storage.sql.members import SqlMembers
from bjidp.vendors.ports.platforms import PhoneCode, PhoneGiven, PhoneRefusal, SealedPhone, SignedPhone
from bjidp.verification.ranges import NumberRange
from tests.support.buttons import FORMS, NUMBER, OTHER_NUMBER, ButtonWorld
from tests.support.phones import LI, ZHANG, PhoneWorld

pytestmark = pytest.mark.req("LOG-7")


@pytest.fixture
def buttons(world: PhoneWorld, clock: ManualClock, entropy: SeededEntropy) -> ButtonWorld:
    return ButtonWorld(world, clock, entropy)


def merging(body: PhoneRequest) -> PhoneRequest:
    return msgspec.structs.replace(body, merge=True)


async def refusal(buttons: ButtonWorld, caller: object, body: PhoneRequest) -> BjidpError:
    with pytest.raises(BjidpError) as caught:
        await buttons.bind(caller, body)  # type: ignore[arg-type]
    return caught.value


async def faults(buttons: ButtonWorld, caller: object, body: PhoneRequest) -> list[tuple[str, str]]:
    error = await refusal(buttons, caller, body)
    assert isinstance(error, InvalidRequest), error
    return [(fault.field, fault.code) for fault in error.errors]


# ------------------------------------------------------------------------------------------------------------- binding


@pytest.mark.req("ACC-1")
@pytest.mark.parametrize("platform", Platform)
async def test_an_account_without_a_number_gets_the_one_its_platform_verified(
    buttons: ButtonWorld, platform: Platform
) -> None:
    caller = await buttons.phone("zhang", ZHANG, platform=platform)
    bound = await buttons.bind(caller, buttons.pressed(NUMBER, platform=platform))
    assert bound.phone == "138****5678"
    assert await buttons.number_of(caller.account) == NUMBER
    assert buttons.teller.told == []


@pytest.mark.parametrize("form", FORMS[Platform.WECHAT])
async def test_both_forms_of_wechat_bind(buttons: ButtonWorld, form: type[PhoneGiven]) -> None:
    caller = await buttons.phone("zhang", ZHANG)
    await buttons.bind(caller, buttons.pressed(NUMBER, form=form))
    assert await buttons.number_of(caller.account) == NUMBER


@pytest.mark.parametrize("spelling", ["+8613812345678", "86-138-1234-5678", "138 1234 5678"])
async def test_a_number_is_kept_in_its_one_form_however_the_platform_writes_it(
    buttons: ButtonWorld, spelling: str
) -> None:
    caller = await buttons.phone("zhang", ZHANG)
    await buttons.bind(caller, buttons.pressed(spelling))
    assert await buttons.number_of(caller.account) == NUMBER


@pytest.mark.req("SES-2")
@pytest.mark.attack("R4")
async def test_a_number_that_is_replaced_is_told_and_browsers_are_logged_out_but_not_the_phone(
    buttons: ButtonWorld,
) -> None:
    caller = await buttons.phone("zhang", ZHANG)
    await buttons.bind(caller, buttons.pressed(NUMBER))
    cookie = await buttons.browser(caller.account)
    assert (await buttons.bind(caller, buttons.pressed(OTHER_NUMBER))).phone == "139****4321"
    assert await buttons.number_of(caller.account) == OTHER_NUMBER
    assert buttons.teller.told == [(NUMBER, Told.PHONE_CHANGED)]
    assert await buttons.browsers.find(cookie) is None
    assert (await buttons.phone()).account == caller.account
    kinds = [kind for (kind,) in buttons.world.sql("SELECT kind FROM notice ORDER BY id")]
    assert kinds == ["phone.changed", "phone.changed"]
    await buttons.enrolled(NUMBER)


@pytest.mark.req("SES-2")
@pytest.mark.attack("R4")
@pytest.mark.parametrize("merge", [False, True])
async def test_a_number_that_came_in_the_very_moment_of_the_write_is_told_as_any_other(
    buttons: ButtonWorld, *, merge: bool
) -> None:
    caller = await buttons.phone("zhang", ZHANG)
    cookie = await buttons.browser(caller.account)
    body = buttons.pressed(OTHER_NUMBER)
    method = "merge_phone" if merge else "set_phone"
    give, give_another = getattr(SqlMembers, method), SqlMembers.set_phone

    async def late(self: SqlMembers, account: str, number: str, now: int) -> object:
        await give_another(self, account, NUMBER, now)
        return await give(self, account, number, now)

    with patch.object(SqlMembers, method, late):
        await buttons.bind(caller, merging(body) if merge else body)
    assert await buttons.number_of(caller.account) == OTHER_NUMBER
    assert buttons.teller.told == [(NUMBER, Told.PHONE_CHANGED)]
    assert await buttons.browsers.find(cookie) is None


@pytest.mark.attack("R4")
async def test_a_number_that_is_replaced_has_ended_browsers_though_a_store_is_down_and_a_first_one_none(
    buttons: ButtonWorld,
) -> None:
    caller = await buttons.phone("zhang", ZHANG)
    cookie = await buttons.browser(caller.account)
    await buttons.bind(caller, buttons.pressed(NUMBER))
    assert await buttons.browsers.find(cookie) is not None
    buttons.endings.down = True
    await buttons.bind(caller, buttons.pressed(OTHER_NUMBER))
    assert await buttons.browsers.find(cookie) is None


async def test_the_number_that_it_has_already_changes_nothing_and_counts_as_used(buttons: ButtonWorld) -> None:
    caller = await buttons.phone("zhang", ZHANG)
    await buttons.bind(caller, buttons.pressed(NUMBER))
    cookie = await buttons.browser(caller.account)
    buttons.clock.advance(3600)
    caller = await buttons.phone()
    assert (await buttons.bind(caller, buttons.pressed(NUMBER))).phone == "138****5678"
    member = await buttons.members.member(caller.account)
    assert member is not None
    assert member.phone_used_at == buttons.clock.now()
    assert buttons.teller.told == []
    assert await buttons.browsers.find(cookie) is not None


# -------------------------------------------------------------------------------------------------- whose number it is


@pytest.mark.req("REG-8")
async def test_the_number_of_an_account_with_an_identity_is_taken(buttons: ButtonWorld) -> None:
    zhang = await buttons.phone("zhang", ZHANG)
    await buttons.bind(zhang, buttons.pressed(NUMBER))
    li = await buttons.phone("li", LI)
    body = buttons.pressed(NUMBER)
    for again in (body, merging(body)):
        error = await refusal(buttons, li, again)
        assert isinstance(error, PhoneTaken)
        assert error.details == {}
    assert await buttons.number_of(zhang.account) == NUMBER
    assert await buttons.number_of(li.account) is None


@pytest.mark.req("REG-8")
async def test_the_number_of_an_account_without_an_identity_may_be_merged_by_the_same_call(
    buttons: ButtonWorld,
) -> None:
    other = await buttons.enrolled(NUMBER)
    cookie = await buttons.browser(other.account)
    caller = await buttons.phone("zhang", ZHANG)
    body = buttons.pressed(NUMBER)
    error = await refusal(buttons, caller, body)
    assert isinstance(error, PhoneTaken)
    assert error.details == {"merge": True}
    assert await buttons.number_of(other.account) == NUMBER
    assert buttons.teller.told == []

    assert (await buttons.bind(caller, merging(body))).phone == "138****5678"
    assert len(buttons.buttons[Platform.WECHAT].asked) == 1, "the platform told it once, and would not tell it again"
    assert await buttons.number_of(caller.account) == NUMBER
    assert await buttons.number_of(other.account) is None
    assert await buttons.browsers.find(cookie) is None
    assert buttons.teller.told == [(NUMBER, Told.ACCOUNT_MERGED)]
    assert ("cancelled",) in buttons.world.sql("SELECT status FROM account")


async def test_a_merge_can_be_asked_for_at_once_and_by_a_new_press(buttons: ButtonWorld) -> None:
    first, second = await buttons.enrolled(NUMBER), await buttons.enrolled(OTHER_NUMBER)
    caller = await buttons.phone("zhang", ZHANG)
    await buttons.bind(caller, merging(buttons.pressed(NUMBER)))
    assert isinstance(await refusal(buttons, caller, buttons.pressed(OTHER_NUMBER)), PhoneTaken)
    await buttons.bind(caller, merging(buttons.pressed(OTHER_NUMBER)))
    assert [await buttons.number_of(ended.account) for ended in (first, second)] == [None, None]
    assert buttons.teller.told == [
        (NUMBER, Told.ACCOUNT_MERGED),
        (OTHER_NUMBER, Told.ACCOUNT_MERGED),
        (NUMBER, Told.PHONE_CHANGED),
    ]


async def test_a_merge_with_nobody_is_a_binding(buttons: ButtonWorld) -> None:
    caller = await buttons.phone("zhang", ZHANG)
    await buttons.bind(caller, merging(buttons.pressed(NUMBER)))
    assert await buttons.number_of(caller.account) == NUMBER
    assert buttons.teller.told == []


async def test_a_locked_account_is_not_ended_by_a_merge(buttons: ButtonWorld) -> None:
    other = await buttons.enrolled(NUMBER)
    buttons.world.sql("UPDATE account SET status = 'locked' WHERE id = ?", other.account)
    caller = await buttons.phone("zhang", ZHANG)
    body = buttons.pressed(NUMBER)
    for again in (body, merging(body)):
        error = await refusal(buttons, caller, again)
        assert isinstance(error, PhoneTaken)
        assert error.details == {}


@pytest.mark.req("REG-8")
@pytest.mark.attack("M6")
async def test_what_alipay_told_of_a_number_once_takes_it_from_nobody(buttons: ButtonWorld) -> None:
    former = await buttons.phone("zhang", ZHANG, platform=Platform.ALIPAY)
    kept = buttons.pressed(NUMBER, platform=Platform.ALIPAY)
    await buttons.bind(former, kept)
    await buttons.bind(former, buttons.pressed(OTHER_NUMBER, platform=Platform.ALIPAY))
    now_theirs = await buttons.enrolled(NUMBER)
    cookie = await buttons.browser(now_theirs.account)
    for body in (kept, merging(kept)):
        error = await refusal(buttons, former, body)
        assert isinstance(error, PhoneTaken)
        assert error.details == {}
    assert await buttons.number_of(now_theirs.account) == NUMBER
    assert await buttons.number_of(former.account) == OTHER_NUMBER
    assert await buttons.browsers.find(cookie) is not None
    assert buttons.teller.told == [(NUMBER, Told.PHONE_CHANGED)]


@pytest.mark.req("REG-8")
async def test_of_two_accounts_that_claim_one_number_at_once_one_gets_it(buttons: ButtonWorld) -> None:
    zhang, li = await buttons.phone("zhang", ZHANG), await buttons.phone("li", LI)
    results = await asyncio.gather(
        *(buttons.bind(caller, buttons.pressed(NUMBER)) for caller in (zhang, li)), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == ["PhoneBound", "PhoneTaken"]
    numbers = [await buttons.number_of(caller.account) for caller in (zhang, li)]
    assert sorted(numbers, key=str) == [NUMBER, None]


async def test_of_two_merges_of_one_number_at_once_one_ends_the_account_and_one_is_told_that_it_is_taken(
    buttons: ButtonWorld,
) -> None:
    await buttons.enrolled(NUMBER)
    zhang, li = await buttons.phone("zhang", ZHANG), await buttons.phone("li", LI)
    results = await asyncio.gather(
        *(buttons.bind(caller, merging(buttons.pressed(NUMBER))) for caller in (zhang, li)), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == ["PhoneBound", "PhoneTaken"]
    assert buttons.teller.told == [(NUMBER, Told.ACCOUNT_MERGED)]
    assert len(buttons.world.sql("SELECT id FROM account WHERE status = 'cancelled'")) == 1


@pytest.mark.attack("M6")
async def test_a_merge_that_is_sent_many_times_at_once_is_one(buttons: ButtonWorld) -> None:
    await buttons.enrolled(NUMBER)
    caller = await buttons.phone("zhang", ZHANG)
    body = buttons.pressed(NUMBER)
    await refusal(buttons, caller, body)
    results = await asyncio.gather(*(buttons.bind(caller, merging(body)) for _ in range(10)), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["InvalidRequest"] * 9 + ["PhoneBound"]
    assert buttons.teller.told == [(NUMBER, Told.ACCOUNT_MERGED)]


async def test_a_number_that_was_given_up_meanwhile_is_bound(buttons: ButtonWorld) -> None:
    other = await buttons.enrolled(NUMBER)
    caller = await buttons.phone("zhang", ZHANG)
    find = SqlMembers.find

    async def too_late(self: SqlMembers, names: object) -> object:
        await self.cancel(other.account, buttons.clock.now())
        return await find(self, names)  # type: ignore[arg-type]

    with patch.object(SqlMembers, "find", too_late):
        await buttons.bind(caller, buttons.pressed(NUMBER))
    assert await buttons.number_of(caller.account) == NUMBER


# ------------------------------------------------------------------------------------------------------------- replays


@pytest.mark.attack("M6")
@pytest.mark.parametrize("form", FORMS[Platform.WECHAT])
async def test_what_was_used_is_refused_without_asking_the_platform(
    buttons: ButtonWorld, form: type[PhoneGiven]
) -> None:
    caller = await buttons.phone("zhang", ZHANG)
    body = buttons.pressed(NUMBER, form=form)
    await buttons.bind(caller, body)
    await buttons.bind(caller, buttons.pressed(OTHER_NUMBER))
    asked = len(buttons.buttons[Platform.WECHAT].asked)
    field = "code" if form is PhoneCode else "data"
    for again in (body, merging(body)):
        assert await faults(buttons, caller, again) == [(field, "refused")]
    assert len(buttons.buttons[Platform.WECHAT].asked) == asked
    assert await buttons.number_of(caller.account) == OTHER_NUMBER


@pytest.mark.attack("M6")
async def test_a_changed_iv_makes_no_other_payload(buttons: ButtonWorld) -> None:
    caller = await buttons.phone("zhang", ZHANG)
    body = buttons.pressed(NUMBER, form=SealedPhone)
    await buttons.bind(caller, body)
    assert await faults(buttons, caller, msgspec.structs.replace(body, iv="another")) == [("data", "refused")]


@pytest.mark.attack("M6", "Q9")
@pytest.mark.parametrize("platform", Platform)
async def test_what_was_used_serves_no_other_account(buttons: ButtonWorld, platform: Platform) -> None:
    zhang = await buttons.phone("zhang", ZHANG, platform=platform)
    li = await buttons.phone("li", LI, platform=platform)
    body = buttons.pressed(NUMBER, platform=platform)
    await buttons.bind(zhang, body)
    [(_, code)] = await faults(buttons, li, body)
    assert code == "refused"
    # Nor does it once the number is free again.
    await buttons.bind(zhang, buttons.pressed(OTHER_NUMBER, platform=platform))
    [(_, code)] = await faults(buttons, li, body)
    assert code == "refused"
    assert await buttons.number_of(li.account) is None


@pytest.mark.attack("M6", "Q9")
@pytest.mark.parametrize("platform", Platform)
async def test_what_one_session_was_offered_is_refused_from_another(buttons: ButtonWorld, platform: Platform) -> None:
    await buttons.enrolled(NUMBER)
    zhang = await buttons.phone("zhang", ZHANG, platform=platform)
    li = await buttons.phone("li", LI, platform=platform)
    body = buttons.pressed(NUMBER, platform=platform)
    assert isinstance(await refusal(buttons, zhang, body), PhoneTaken)
    [(_, code)] = await faults(buttons, li, merging(body))
    assert code == "refused"
    # The offer stands for whoever it was made to, where one is made.
    if buttons.buttons[platform].distinct:
        await buttons.bind(zhang, merging(body))


@pytest.mark.attack("M6")
async def test_an_offer_to_merge_stands_for_ten_minutes(buttons: ButtonWorld) -> None:
    await buttons.enrolled(NUMBER)
    caller = await buttons.phone("zhang", ZHANG)
    body = buttons.pressed(NUMBER)
    await refusal(buttons, caller, body)
    buttons.clock.advance(600)
    assert isinstance(await refusal(buttons, caller, body), PhoneTaken)
    buttons.clock.advance(1)
    assert await faults(buttons, caller, merging(body)) == [("code", "refused")]


@pytest.mark.attack("M6")
async def test_a_second_press_at_alipay_gives_the_same_and_is_taken_from_the_same_account(
    buttons: ButtonWorld,
) -> None:
    caller = await buttons.phone("zhang", ZHANG, platform=Platform.ALIPAY)
    for number in (NUMBER, OTHER_NUMBER, NUMBER):
        await buttons.bind(caller, buttons.pressed(number, platform=Platform.ALIPAY))
        assert await buttons.number_of(caller.account) == number


@pytest.mark.attack("M6")
@pytest.mark.parametrize("platform", [Platform.WECHAT, Platform.BAIDU])
async def test_of_parallel_calls_with_one_payload_one_goes_on(buttons: ButtonWorld, platform: Platform) -> None:
    caller = await buttons.phone("zhang", ZHANG, platform=platform)
    body = buttons.pressed(NUMBER, platform=platform)
    results = await asyncio.gather(*(buttons.bind(caller, body) for _ in range(10)), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["InvalidRequest"] * 9 + ["PhoneBound"]
    assert len(buttons.buttons[platform].asked) == 1


@pytest.mark.attack("M6", "Q9")
async def test_what_was_given_to_another_user_is_refused(buttons: ButtonWorld) -> None:
    caller = await buttons.phone("zhang", ZHANG)
    assert await faults(buttons, caller, buttons.pressed(NUMBER, user="li")) == [("code", "refused")]
    await buttons.bind(caller, buttons.pressed(NUMBER, user="zhang"))


@pytest.mark.attack("M6")
async def test_a_session_whose_login_was_long_ago_logs_in_anew_first(buttons: ButtonWorld) -> None:
    caller = await buttons.phone("zhang", ZHANG)
    buttons.clock.advance(12 * 3600)
    body = buttons.pressed(NUMBER)
    assert await faults(buttons, caller, body) == [("code", "refused")]
    assert buttons.buttons[Platform.WECHAT].asked == []
    await buttons.bind(await buttons.phone(), body)


# ------------------------------------------------------------------------------------------------------------ refusals


@pytest.mark.attack("M7")
@pytest.mark.parametrize("platform", Platform)
async def test_whatever_is_wrong_with_a_payload_is_told_in_one_way(buttons: ButtonWorld, platform: Platform) -> None:
    caller = await buttons.phone("zhang", ZHANG, platform=platform)
    field = {Platform.WECHAT: "code", Platform.ALIPAY: "response", Platform.BAIDU: "data"}[platform]
    body = buttons.pressed(PhoneRefusal.UNPROVED, platform=platform)
    for _ in range(2):
        assert await faults(buttons, caller, body) == [(field, "refused")]
    assert len(buttons.buttons[platform].asked) == (1 if buttons.buttons[platform].distinct else 2)
    assert await buttons.number_of(caller.account) is None


@pytest.mark.attack("M6")
async def test_a_bad_signature_keeps_nobody_from_a_number_that_every_press_gives_alike(buttons: ButtonWorld) -> None:
    zhang = await buttons.phone("zhang", ZHANG, platform=Platform.ALIPAY)
    li = await buttons.phone("li", LI, platform=Platform.ALIPAY)
    body = buttons.pressed(NUMBER, platform=Platform.ALIPAY)
    forged = msgspec.structs.replace(body, sign="forged")
    assert await faults(buttons, li, forged) == [("response", "refused")]
    await buttons.bind(zhang, body)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (PhoneRefusal.ABSENT, "no_number"),
        (PhoneRefusal.FOREIGN, "not_mainland"),
        ("85291234567", "not_mainland"),
        ("1597671905", "not_mainland"),
        ("", "not_mainland"),
        ("15410000001", "not_served"),
    ],
)
async def test_a_number_that_cannot_be_bound_is_told_and_may_be_presented_again(
    buttons: ButtonWorld, answer: str | PhoneRefusal, code: str
) -> None:
    caller = await buttons.phone("zhang", ZHANG)
    body = buttons.pressed(answer)
    for _ in range(2):
        assert await faults(buttons, caller, body) == [("code", code)]
    assert len(buttons.buttons[Platform.WECHAT].asked) == 2


@pytest.mark.req("OPS-2")
async def test_beside_the_sandbox_no_real_number_is_bound(
    world: PhoneWorld, clock: ManualClock, entropy: SeededEntropy
) -> None:
    buttons = ButtonWorld(world, clock, entropy, NumberRange.SYNTHETIC)
    caller = await buttons.phone("zhang", ZHANG)
    assert await faults(buttons, caller, buttons.pressed(NUMBER)) == [("code", "not_served")]
    assert (await buttons.bind(caller, buttons.pressed("15410000001"))).phone == "154****0001"


async def test_users_without_a_number_at_alipay_do_not_stand_in_each_others_way(buttons: ButtonWorld) -> None:
    callers = [
        await buttons.phone(user, number, platform=Platform.ALIPAY) for user, number in (("zhang", ZHANG), ("li", LI))
    ]
    body = buttons.pressed(PhoneRefusal.ABSENT, platform=Platform.ALIPAY)
    for caller in callers:
        assert await faults(buttons, caller, body) == [("response", "no_number")]


async def test_a_phone_binds_on_its_own_platform_alone(buttons: ButtonWorld) -> None:
    caller = await buttons.phone("zhang", ZHANG)
    with pytest.raises(InvalidRequest) as caught:
        await buttons.binding.bind(caller, Platform.BAIDU, buttons.pressed(NUMBER, platform=Platform.BAIDU))
    assert [(fault.field, fault.code) for fault in caught.value.errors] == [("platform", "other")]


@pytest.mark.attack("R4")
async def test_a_link_under_probation_changes_no_number_until_that_is_over(buttons: ButtonWorld) -> None:
    zhang = await buttons.phone("zhang", ZHANG)
    # The same face on another phone: a recovery.
    newcomer = await buttons.phone("zhang-2", ZHANG)
    assert newcomer.account == zhang.account
    body = buttons.pressed(NUMBER)
    error = await refusal(buttons, newcomer, body)
    assert isinstance(error, AccountRefused)
    assert error.reason == "probation"
    assert buttons.buttons[Platform.WECHAT].asked == []
    buttons.clock.advance(72 * 3600 - 1)
    assert isinstance(await refusal(buttons, await buttons.phone("zhang-2"), body), AccountRefused)
    buttons.clock.advance(1)
    await buttons.bind(await buttons.phone("zhang-2"), body)


async def test_a_phone_whose_link_was_replaced_is_logged_out(buttons: ButtonWorld) -> None:
    caller = await buttons.phone("zhang", ZHANG)
    await buttons.phone("zhang-2", ZHANG)
    assert isinstance(await refusal(buttons, caller, buttons.pressed(NUMBER)), TokenInvalid)


# ------------------------------------------------------------------------------------------------------------- outages


@pytest.mark.attack("M6")
async def test_a_platform_that_is_down_uses_nothing_up(buttons: ButtonWorld) -> None:
    caller = await buttons.phone("zhang", ZHANG)
    body, button = buttons.pressed(NUMBER), buttons.buttons[Platform.WECHAT]
    button.down = True
    assert isinstance(await refusal(buttons, caller, body), VendorUnavailable)
    button.down = False
    await buttons.bind(caller, body)


async def test_a_database_that_is_down_uses_nothing_up_and_the_platform_is_not_asked_again(
    buttons: ButtonWorld,
) -> None:
    caller = await buttons.phone("zhang", ZHANG)
    body = buttons.pressed(NUMBER)
    with patch.object(SqlMembers, "set_phone", side_effect=StoreUnavailable):
        assert isinstance(await refusal(buttons, caller, body), StoreUnavailable)
    await buttons.bind(caller, body)
    assert len(buttons.buttons[Platform.WECHAT].asked) == 1


async def test_records_that_are_down_at_the_end_take_nothing_back_and_let_nothing_be_used_again(
    buttons: ButtonWorld,
) -> None:
    caller = await buttons.phone("zhang", ZHANG)
    body = buttons.pressed(NUMBER)
    replace, written = MemoryRecords.replace, 0

    async def fails(self: MemoryRecords[object], *arguments: object) -> int:
        nonlocal written
        written += 1
        if written > 1:
            raise StoreUnavailable
        return await replace(self, *arguments)  # type: ignore[arg-type]

    with patch.object(MemoryRecords, "replace", fails):
        await buttons.bind(caller, body)
    assert await buttons.number_of(caller.account) == NUMBER
    assert await faults(buttons, caller, body) == [("code", "refused")]


@pytest.mark.attack("M6")
async def test_records_that_are_down_before_let_nothing_pass(buttons: ButtonWorld) -> None:
    caller = await buttons.phone("zhang", ZHANG)
    for call in ("add", "get", "replace"):
        with patch.object(MemoryRecords, call, side_effect=StoreUnavailable):
            assert isinstance(await refusal(buttons, caller, buttons.pressed(NUMBER)), StoreUnavailable)
    assert await buttons.number_of(caller.account) is None


async def test_sessions_that_cannot_be_ended_take_nothing_back(buttons: ButtonWorld) -> None:
    await buttons.enrolled(NUMBER)
    caller = await buttons.phone("zhang", ZHANG)
    buttons.endings.down = True
    with capture_logs() as lines:
        await buttons.bind(caller, merging(buttons.pressed(NUMBER)))
    assert [line["event"] for line in lines] == ["sessions_not_ended"]
    assert buttons.teller.told == [(NUMBER, Told.ACCOUNT_MERGED)]


@pytest.mark.attack("Q24")
async def test_no_number_and_no_payload_lies_in_the_records_in_clear(buttons: ButtonWorld) -> None:
    await buttons.enrolled(NUMBER)
    caller = await buttons.phone("zhang", ZHANG)
    body = buttons.pressed(NUMBER)
    await refusal(buttons, caller, body)
    kept = repr(vars(buttons.records))
    assert "Offered" in kept
    assert NUMBER not in kept
    assert str(body.code) not in kept


# --------------------------------------------------------------------------------------------------------------- shape


CODE = {"code": "c"}
SEALED = {"data": "d", "iv": "i"}
SIGNED = {"response": "r", "sign": "s"}


@pytest.mark.parametrize(
    ("platform", "members", "payload"),
    [
        (Platform.WECHAT, CODE, PhoneCode("c")),
        (Platform.WECHAT, SEALED, SealedPhone("d", "i")),
        (Platform.ALIPAY, SIGNED, SignedPhone("r", "s")),
        (Platform.BAIDU, SEALED, SealedPhone("d", "i")),
    ],
)
def test_each_platform_has_its_forms(platform: Platform, members: dict[str, str], payload: PhoneGiven) -> None:
    assert payload_of(PhoneRequest(**members), FORMS[platform]) == payload  # type: ignore[arg-type]


@pytest.mark.attack("Q27")
@pytest.mark.parametrize(
    ("platform", "members", "expected"),
    [
        (Platform.WECHAT, {}, [("code", "missing")]),
        (Platform.WECHAT, {"data": "d"}, [("iv", "missing")]),
        (Platform.WECHAT, {"iv": "i"}, [("data", "missing")]),
        (Platform.WECHAT, {**CODE, "iv": "i"}, [("iv", "unknown")]),
        (Platform.WECHAT, {**CODE, **SIGNED}, [("response", "unknown"), ("sign", "unknown")]),
        (Platform.WECHAT, SIGNED, [("code", "missing"), ("response", "unknown"), ("sign", "unknown")]),
        (Platform.ALIPAY, {}, [("response", "missing"), ("sign", "missing")]),
        (Platform.ALIPAY, {"response": "r"}, [("sign", "missing")]),
        (Platform.ALIPAY, CODE, [("response", "missing"), ("sign", "missing"), ("code", "unknown")]),
        (Platform.BAIDU, {}, [("data", "missing"), ("iv", "missing")]),
        (Platform.BAIDU, {**SEALED, **CODE}, [("code", "unknown")]),
    ],
)
def test_a_payload_of_another_form_is_refused_member_by_member(
    platform: Platform, members: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        payload_of(PhoneRequest(**members), FORMS[platform])  # type: ignore[arg-type]
    assert [(fault.field, fault.code) for fault in caught.value.errors] == expected


async def test_a_session_that_came_of_a_registration_binds_too(buttons: ButtonWorld) -> None:
    answer = await buttons.world.registered("zhang", ZHANG)
    assert isinstance(answer, SessionOk)
    caller = await buttons.world.sessions.authenticate(f"Bearer {answer.access_token}")
    await buttons.bind(caller, buttons.pressed(NUMBER, user="zhang"))
