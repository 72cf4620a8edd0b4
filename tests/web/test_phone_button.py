"""``POST /mp/v1/{platform}/phone`` over the real wiring, with the sandbox's platforms and their phone buttons."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bjidp.config.settings import Settings
from tests.support.calls import Answer
from tests.support.inbox import arrived
from tests.support.members import enrolled
from tests.support.phone import Person, Phone, complete, login_code, pressed, state_identity
from tests.support.phone import before_the_camera as film
from tests.support.program import Program
from tests.web.conftest import StartProgram

pytestmark = pytest.mark.req("LOG-7")

PLATFORMS = ("wechat", "alipay", "baidu")


@pytest.fixture
async def program(start_program: StartProgram) -> Program:
    return await start_program(everywhere=True)


async def press(phone: Phone, number: str | None = None, *, older: bool = False) -> dict[str, str]:
    """Press the button of a phone's platform."""
    return await pressed(phone.caller, phone.platform, phone.person.id, number, older=older)


def faults(answer: Answer) -> list[tuple[str, str]]:
    assert answer.verdict == (400, "invalid_request"), answer
    return [(fault["field"], fault["code"]) for fault in answer.json()["errors"]]


@pytest.mark.req("ACC-1")
@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_phone_binds_the_number_that_its_platform_knows(program: Program, platform: str) -> None:
    phone = await program.phone(platform=platform)
    assert (await phone.account()).json()["phone"] is None
    answer = await phone.bind(await press(phone))
    assert (answer.status, answer.json()) == (200, {"phone": "154****0001"})
    assert answer.header("Cache-Control") == "no-store"
    assert (await phone.account()).json()["phone"] == "154****0001"


async def test_an_older_client_of_wechat_binds_with_what_it_gives(program: Program) -> None:
    phone = await program.phone()
    assert (await phone.bind(await press(phone, older=True))).json() == {"phone": "154****0001"}


@pytest.mark.req("SES-2", "FAQ-1")
@pytest.mark.attack("R4")
async def test_a_number_that_is_replaced_is_told_by_sms(program: Program) -> None:
    phone = await program.phone()
    await phone.bind(await press(phone))
    answer = await phone.bind(await press(phone, "15433330000"))
    assert answer.json() == {"phone": "154****0000"}
    [message] = await arrived(phone.caller.sandbox, phone.person.phone)
    text = message["text"]
    assert text.startswith("【京通】")
    assert "已改绑另一个手机号" in text
    assert "154" not in text
    kinds = [kind for (kind,) in program.sql("SELECT kind FROM audit_event ORDER BY id")]
    assert kinds.count("phone.changed") == 2


@pytest.mark.req("REG-8")
async def test_the_number_of_an_account_without_an_identity_moves_when_that_is_wanted(program: Program) -> None:
    phone = await program.phone()
    other = await enrolled(program, phone=phone.person.phone)
    given = await press(phone)
    answer = await phone.bind(given)
    assert answer.verdict == (409, "phone_taken")
    assert answer.json()["merge"] is True
    assert (await phone.account()).json()["phone"] is None

    answer = await phone.bind(given, merge=True)
    assert (answer.status, answer.json()) == (200, {"phone": "154****0001"})
    assert program.sql("SELECT status FROM account WHERE id = ?", other.account) == [("cancelled",)]
    [message] = await arrived(phone.caller.sandbox, phone.person.phone)
    text = message["text"]
    assert "原来用本手机号注册的账号已经注销" in text
    kinds = [kind for (kind,) in program.sql("SELECT kind FROM audit_event ORDER BY id")]
    assert {"account.merged", "phone.changed"} <= set(kinds)


@pytest.mark.req("REG-8")
async def test_the_number_of_an_account_with_an_identity_stays_where_it_is(program: Program) -> None:
    phone, other = await program.phone(), await program.phone("li-siyuan")
    await phone.bind(await press(phone))
    given = await press(other, phone.person.phone)
    for merge in (False, True):
        answer = await other.bind(given, merge=merge)
        assert answer.verdict == (409, "phone_taken")
        assert "merge" not in answer.json()


@pytest.mark.attack("M6")
@pytest.mark.parametrize(("platform", "older"), [("wechat", False), ("wechat", True), ("baidu", False)])
async def test_what_was_used_is_refused(program: Program, platform: str, *, older: bool) -> None:
    phone = await program.phone(platform=platform)
    given = await press(phone, older=older)
    assert (await phone.bind(given)).status == 200
    for merge in (False, True):
        assert [code for _, code in faults(await phone.bind(given, merge=merge))] == ["refused"]


@pytest.mark.attack("M6", "Q9")
@pytest.mark.parametrize(
    ("platform", "older"), [("wechat", False), ("wechat", True), ("alipay", False), ("baidu", False)]
)
async def test_what_one_account_used_or_was_offered_serves_no_other(
    program: Program, platform: str, *, older: bool
) -> None:
    phone, other = await program.phone(platform=platform), await program.phone("li-siyuan", platform)
    await enrolled(program, phone=phone.person.phone)
    given = await press(phone, older=older)
    assert (await phone.bind(given)).verdict == (409, "phone_taken")
    assert [code for _, code in faults(await other.bind(given, merge=True))] == ["refused"]
    again = await phone.bind(given, merge=True)
    assert again.verdict == (409, "phone_taken") if platform == "alipay" else again.status == 200
    assert [code for _, code in faults(await other.bind(given))] == ["refused"]
    assert (await other.account()).json()["phone"] is None


@pytest.mark.attack("M6", "Q9")
@pytest.mark.parametrize(("platform", "older"), [("wechat", True), ("baidu", False)])
async def test_what_is_encrypted_for_one_users_login_is_read_with_no_others(
    program: Program, platform: str, *, older: bool
) -> None:
    phone, other = await program.phone(platform=platform), await program.phone("li-siyuan", platform)
    given = await press(phone, older=older)
    assert [code for _, code in faults(await other.bind(given))] == ["refused"]
    assert (await other.account()).json()["phone"] is None


@pytest.mark.attack("M6")
async def test_a_number_of_a_while_ago_is_refused(program: Program) -> None:
    phone = await program.phone()
    given = await press(phone, older=True)
    await program.advance(601)
    assert faults(await phone.bind(given)) == [("data", "refused")]


@pytest.mark.parametrize(
    ("platform", "body", "expected"),
    [
        ("wechat", {}, [("code", "missing")]),
        ("wechat", {"code": ""}, [("code", "invalid")]),
        ("wechat", {"code": 5}, [("code", "invalid")]),
        ("wechat", {"code": "中"}, [("code", "invalid")]),
        ("wechat", {"code": "x", "account": "y"}, [("account", "unknown")]),
        ("wechat", {"code": "x", "phone": "15410000002"}, [("phone", "unknown")]),
        ("wechat", {"code": "x", "merge": "yes"}, [("merge", "invalid")]),
        ("wechat", {"data": "x"}, [("iv", "missing")]),
        ("wechat", {"code": "made-up"}, [("code", "refused")]),
        ("wechat", {"data": "AAAA", "iv": "AAAA"}, [("data", "refused")]),
        ("alipay", {"response": "x"}, [("sign", "missing")]),
        ("alipay", {"response": "x", "sign": "x"}, [("response", "refused")]),
        ("baidu", {"data": "x", "iv": "x" * 8193}, [("iv", "invalid")]),
        ("baidu", {"data": "x", "iv": "x"}, [("data", "refused")]),
    ],
)
@pytest.mark.attack("Q9", "Q27", "M7")
async def test_a_body_that_is_no_payload_names_the_member(
    program: Program, platform: str, body: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    phone = await program.phone(platform=platform)
    assert faults(await phone.bind(body)) == expected


async def test_a_user_without_a_number_is_told_so(program: Program) -> None:
    caller = await program.caller()
    someone = Person("nobody-known", "陈雨桐", "resident_id", "", "", "")
    phone = await program.phone(platform="alipay")
    session = await caller.post("/mp/v1/alipay/session", {"code": await login_code(caller, "alipay", someone.id)})
    started = await state_identity(caller, "alipay", session.json()["registration"], phone.person)
    await film(caller, started.json()["face"]["verification"])
    done = (await complete(caller, "alipay", session.json()["registration"])).json()
    headers = {"Authorization": f"Bearer {done['access_token']}"}
    # It is a recovery of the same account, so the link is under probation: a number is nothing it may set at all.
    given = await pressed(caller, "alipay", someone.id)
    answer = await caller.post("/mp/v1/alipay/phone", given, headers=headers)
    assert (answer.verdict, answer.json()["reason"]) == ((403, "account_refused"), "probation")
    program.clock.advance(72 * 3600)
    session = await caller.post("/mp/v1/alipay/session", {"code": await login_code(caller, "alipay", someone.id)})
    headers = {"Authorization": f"Bearer {session.json()['access_token']}"}
    assert faults(await caller.post("/mp/v1/alipay/phone", given, headers=headers)) == [("response", "no_number")]


async def test_a_token_is_needed_and_one_of_this_platform(program: Program) -> None:
    phone = await program.phone()
    given = await press(phone)
    answer = await phone.caller.post("/mp/v1/wechat/phone", given)
    assert answer.verdict == (401, "token_invalid")
    answer = await phone.caller.post("/mp/v1/baidu/phone", {"data": "x", "iv": "x"}, headers=phone.bearer)
    assert faults(answer) == [("platform", "other")]
    answer = await phone.caller.post("/mp/v1/paypal/phone", given, headers=phone.bearer)
    assert answer.verdict == (404, "not_found")


@pytest.mark.attack("Q21")
async def test_a_locked_account_binds_nothing(program: Program) -> None:
    phone = await program.phone()
    given = await press(phone)
    program.sql("UPDATE account SET status = 'locked'")
    answer = await phone.bind(given)
    assert (answer.verdict, answer.json()["reason"]) == ((403, "account_refused"), "locked")


async def test_the_call_counts_with_the_others_of_an_account(program: Program) -> None:
    phone = await program.phone()
    for _ in range(60):
        await phone.account()
    answer = await phone.bind(await press(phone))
    assert answer.verdict == (429, "rate_limited")
    assert answer.header("Retry-After") is not None


async def test_a_platform_that_is_down_uses_nothing_up(program: Program) -> None:
    phone = await program.phone()
    given = await press(phone)
    await phone.caller.sandbox("/control/faults", {"service": "wechat", "mode": "http500"})
    answer = await phone.bind(given)
    assert answer.verdict == (503, "vendor_unavailable")
    assert answer.header("Retry-After") is not None
    await phone.caller.sandbox("/control/faults", {"service": "wechat", "mode": "ok"})
    assert (await phone.bind(given)).status == 200


@pytest.mark.req("OPS-4")
async def test_a_store_that_is_down_uses_nothing_up(program: Program) -> None:
    phone = await program.phone()
    given = await press(phone)
    for store in ("accounts.link", "members.member", "members.set_phone"):
        program.meddler.breaks(store)
        assert (await phone.bind(given)).verdict == (503, "service_unavailable")
        program.meddler.mends()
    assert (await phone.bind(given)).status == 200


async def test_without_its_content_key_alipays_button_is_not_there(start_program: StartProgram) -> None:
    def without(settings: Settings) -> Settings:
        assert settings.alipay is not None
        return msgspec.structs.replace(settings, alipay=msgspec.structs.replace(settings.alipay, aes_key=None))

    program = await start_program(everywhere=True, settings=without)
    phone = await program.phone(platform="alipay")
    assert (await phone.bind({"response": "x", "sign": "y"})).verdict == (404, "not_found")


@pytest.mark.req("PRV-1")
@pytest.mark.attack("Q24", "M1")
async def test_no_number_and_no_key_is_logged(program: Program, capsys: pytest.CaptureFixture[str]) -> None:
    phone = await program.phone(platform="baidu")
    capsys.readouterr()
    given = await press(phone)
    await phone.bind(given)
    await phone.bind(await press(phone, "15433330000"))
    await arrived(phone.caller.sandbox, phone.person.phone)
    logged = "".join(capsys.readouterr())
    for secret in (phone.person.phone, "15433330000", *given.values(), "session_key"):
        assert secret not in logged
