from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

import pytest

from bjidp.clock import ManualClock
from bjidp.errors import VendorUnavailable
from bjidp.person import DocumentType, Person
from bjidp.platforms import Platform, PlatformIdentity
from bjidp.secret import Secret
from bjidp.vendors.catalog import HttpClients, build_platforms
from bjidp.vendors.ports.platforms import FaceRequest, FaceVerdict, LoginCodeInvalid, PlatformClients
from bjidp.vendors.settings import BaiduSettings
from tests.vendors.baidu_stand import (
    AIP_KEY,
    AIP_SECRET,
    APP_KEY,
    APP_SECRET,
    GENERATE,
    GET_ALL,
    PLAN,
    SESSION,
    SUBMIT,
    TOKEN,
    BaiduStand,
    parameter_error,
)
from tests.vendors.cast import DONE, FOREIGNER, HK, MACAO, OPEN_ID, RESIDENT, TAIWAN, asked

CODE = "codeHush+/=&中@"
REQUEST = asked(Platform.BAIDU, APP_KEY)
PASS = {
    "order": 1,
    "is_verify_passed": True,
    "code": "0",
    "message": "success",
    "verify_detail": {"score": 93.1, "threshold": 80},
    "idcard_confirm": {"name": RESIDENT.name, "idcard_number": RESIDENT.number, "idcard_type": "0"},
}


@pytest.fixture
async def stand() -> AsyncIterator[BaiduStand]:
    stand = BaiduStand()
    async with stand.open():
        yield stand


@pytest.fixture
def baidu(stand: BaiduStand, clients: HttpClients, clock: ManualClock) -> PlatformClients:
    settings = BaiduSettings(
        app_key=APP_KEY,
        app_secret=Secret(APP_SECRET),
        aip_key=AIP_KEY,
        aip_secret=Secret(AIP_SECRET),
        plan_id=PLAN,
        base_url=stand.address,
        aip_url=stand.address,
        face_page_url="https://brain.example/face/print/",
    )
    return build_platforms(baidu=settings, http=clients, clock=clock, face_done_url=DONE)[Platform.BAIDU]


def reasons(logged: list[MutableMapping[str, Any]], event: str = "vendor_alarm") -> list[str]:
    return [entry["reason"] for entry in logged if entry["event"] == event]


# ------------------------------------------------------------------------------------------------------------- sign-in


@pytest.mark.req("LOG-7")
@pytest.mark.attack("M1", "M4")
async def test_a_login_code_becomes_the_openid_at_this_app(baidu: PlatformClients, stand: BaiduStand) -> None:
    stand.codes[CODE] = OPEN_ID
    login = await baidu.sign_in.exchange(CODE)
    assert login.identity == PlatformIdentity(Platform.BAIDU, APP_KEY, OPEN_ID)
    assert login.session_key == Secret("981ce8b151c0599acf7ad1a673c6ff5e")
    assert "981ce8b1" not in f"{login!r} {login!s}"


async def test_the_secret_travels_in_the_body(baidu: PlatformClients, stand: BaiduStand) -> None:
    stand.codes[CODE] = OPEN_ID
    await baidu.sign_in.exchange(CODE)
    assert stand.seen[0].query == {}
    assert stand.seen[0].form == {"code": CODE, "client_id": APP_KEY, "sk": APP_SECRET}


@pytest.mark.attack("M2")
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ({"error": "invalid_grant", "error_description": "Hush"}, "invalid_grant"),
        ({"errno": 10010999, "error": "Hush is used", "error_description": "Hush"}, "10010999"),
        ({"errno": 1}, "1"),
        (parameter_error("Code"), "10010100"),
    ],
)
async def test_a_code_refused_in_either_dialect_is_invalid_and_no_alarm(
    baidu: PlatformClients,
    stand: BaiduStand,
    logged: list[MutableMapping[str, Any]],
    error: dict[str, Any],
    reason: str,
) -> None:
    stand.lie(SESSION, {**error, "openid": OPEN_ID})
    with pytest.raises(LoginCodeInvalid):
        await baidu.sign_in.exchange(CODE)
    assert reasons(logged) == []
    assert reasons(logged, "vendor_refusal") == [reason]


@pytest.mark.attack("M2")
async def test_a_used_code_is_refused(baidu: PlatformClients, stand: BaiduStand) -> None:
    stand.codes[CODE] = OPEN_ID
    await baidu.sign_in.exchange(CODE)
    with pytest.raises(LoginCodeInvalid):
        await baidu.sign_in.exchange(CODE)


async def test_an_empty_code_is_not_worth_a_call(baidu: PlatformClients, stand: BaiduStand) -> None:
    with pytest.raises(LoginCodeInvalid):
        await baidu.sign_in.exchange("")
    assert stand.seen == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"error": "invalid_client", "error_description": "unknown client id"}, "invalid_client"),
        ({"errno": 10010999, "error": "invalid_client"}, "10010999"),
        ({"error": "unsupported thing"}, "unreadable"),
        (parameter_error("ClientID"), "10010100"),
        (parameter_error("Sk"), "10010100"),
        ({}, "no_openid"),
        ({"session_key": "x"}, "no_openid"),
        ({"errno": 0, "error": ""}, "no_openid"),
    ],
)
async def test_a_fault_of_ours_or_an_answer_without_anybody_is_an_outage_with_an_alarm(
    baidu: PlatformClients,
    stand: BaiduStand,
    logged: list[MutableMapping[str, Any]],
    body: dict[str, Any],
    reason: str,
) -> None:
    stand.lie(SESSION, body)
    with pytest.raises(VendorUnavailable):
        await baidu.sign_in.exchange(CODE)
    assert reasons(logged) == [reason]


@pytest.mark.parametrize("body", [{"openid": ""}, {"openid": 7}, {"openid": OPEN_ID, "errno": "1"}, [], b"busy"])
async def test_a_login_answer_that_makes_no_sense_is_an_outage(
    baidu: PlatformClients, stand: BaiduStand, body: object
) -> None:
    stand.lie(SESSION, body)
    with pytest.raises(VendorUnavailable):
        await baidu.sign_in.exchange(CODE)


# --------------------------------------------------------------------------------------------------------------- token


async def test_concurrent_calls_without_a_token_fetch_it_once(baidu: PlatformClients, stand: BaiduStand) -> None:
    starts = await asyncio.gather(*(baidu.face.start(REQUEST) for _ in range(10)))
    assert len({start.verification for start in starts}) == 10
    assert len(stand.calls(TOKEN)) == 1


@pytest.mark.parametrize("error_code", [110, 111])
async def test_a_token_refused_twice_is_an_outage_after_exactly_two_attempts(
    baidu: PlatformClients, stand: BaiduStand, logged: list[MutableMapping[str, Any]], error_code: int
) -> None:
    stand.lie(GENERATE, {"error_code": error_code, "error_msg": "Hush"})
    with pytest.raises(VendorUnavailable):
        await baidu.face.start(REQUEST)
    assert len(stand.calls(GENERATE)) == 2
    assert len(stand.calls(TOKEN)) == 2
    assert reasons(logged) == [str(error_code)]


async def test_a_refused_token_is_replaced_and_the_call_repeated_once(
    baidu: PlatformClients, stand: BaiduStand
) -> None:
    start = await baidu.face.start(REQUEST)
    stand.live_token = ""
    assert await baidu.face.verdict(REQUEST, start.verification) is FaceVerdict.PENDING
    assert [seen.query["access_token"] for seen in stand.calls(GET_ALL)] == ["24.tokenHush1", "24.tokenHush2"]


async def test_another_error_of_the_cloud_repeats_nothing(
    baidu: PlatformClients, stand: BaiduStand, logged: list[MutableMapping[str, Any]]
) -> None:
    stand.lie(GENERATE, {"error_code": 18, "error_msg": "Open api qps request limit reached"})
    with pytest.raises(VendorUnavailable):
        await baidu.face.start(REQUEST)
    assert len(stand.calls(GENERATE)) == 1
    assert reasons(logged) == ["18"]


@pytest.mark.parametrize(
    "body",
    [
        {"error": "invalid_client", "error_description": "Client authentication failed"},
        {"access_token": "24.Hush"},
        {"access_token": "24.Hush", "expires_in": 0},
        {"error": "invalid_client", "access_token": "24.Hush", "expires_in": 9},
    ],
)
async def test_without_a_token_there_is_an_outage_and_no_call(
    baidu: PlatformClients, stand: BaiduStand, body: object
) -> None:
    stand.lie(TOKEN, body)
    with pytest.raises(VendorUnavailable):
        await baidu.face.start(REQUEST)
    assert stand.calls(GENERATE) == []


# ---------------------------------------------------------------------------------------------------------------- face


@pytest.mark.req("REG-7")
@pytest.mark.parametrize(
    ("person", "certificate_type"), [(RESIDENT, 0), (HK, 1), (MACAO, 1), (TAIWAN, 1), (FOREIGNER, 2)]
)
async def test_a_face_check_is_opened_for_the_person(
    baidu: PlatformClients, stand: BaiduStand, person: Person, certificate_type: int
) -> None:
    assert baidu.face.documents == set(DocumentType)
    start = await baidu.face.start(asked(Platform.BAIDU, APP_KEY, person))
    assert stand.checks[start.verification] == {
        "id_name": person.name,
        "id_no": person.number,
        "certificate_type": certificate_type,
    }


async def test_the_phone_gets_the_address_of_baidus_page(baidu: PlatformClients) -> None:
    start = await baidu.face.start(REQUEST)
    address, _, query = start.client["url"].partition("?")
    assert address == "https://brain.example/face/print/"
    assert parse_qsl(query, strict_parsing=True) == [
        ("token", start.verification),
        ("successUrl", DONE),
        ("failedUrl", DONE),
    ]
    assert set(start.client) == {"url"}


@pytest.mark.attack("B1")
@pytest.mark.parametrize(
    ("attempts", "verdict"),
    [
        ([PASS], FaceVerdict.PASSED),
        ([{**PASS, "is_verify_passed": 1, "code": 0}], FaceVerdict.PASSED),
        ([{**PASS, "is_verify_passed": False, "order": 1}, {**PASS, "order": 2}], FaceVerdict.PASSED),
        ([{**PASS, "order": 2}, {**PASS, "is_verify_passed": False, "order": 1}], FaceVerdict.PASSED),
        ([], FaceVerdict.PENDING),
        ([{**PASS, "order": 1}, {**PASS, "is_verify_passed": False, "order": 2}], FaceVerdict.FAILED),
        ([{**PASS, "is_verify_passed": False}], FaceVerdict.FAILED),
        ([{**PASS, "is_verify_passed": 0}], FaceVerdict.FAILED),
        ([{**PASS, "code": "222350"}], FaceVerdict.FAILED),
        ([{**PASS, "code": None}], FaceVerdict.FAILED),
        ([{**PASS, "code": ""}], FaceVerdict.FAILED),
        ([{key: value for key, value in PASS.items() if key != "is_verify_passed"}], FaceVerdict.FAILED),
        ([{}], FaceVerdict.FAILED),
    ],
)
async def test_each_result_comes_to_its_verdict(
    baidu: PlatformClients, stand: BaiduStand, attempts: list[dict[str, Any]], verdict: FaceVerdict
) -> None:
    start = await baidu.face.start(REQUEST)
    stand.attempts = attempts
    assert await baidu.face.verdict(REQUEST, start.verification) is verdict


@pytest.mark.attack("B2")
@pytest.mark.parametrize(
    "confirmed",
    [
        {"name": "赵长河", "idcard_number": RESIDENT.number},
        {"name": RESIDENT.name, "idcard_number": "440524188001010014"},
        {"name": RESIDENT.name},
        {"idcard_number": RESIDENT.number},
        {"name": None, "idcard_number": None},
        {},
        None,
    ],
)
async def test_a_pass_of_another_person_or_of_nobody_does_not_count(
    baidu: PlatformClients,
    stand: BaiduStand,
    logged: list[MutableMapping[str, Any]],
    confirmed: dict[str, Any] | None,
) -> None:
    start = await baidu.face.start(REQUEST)
    stand.attempts = [{**PASS, "idcard_confirm": confirmed}]
    assert await baidu.face.verdict(REQUEST, start.verification) is FaceVerdict.FAILED
    assert reasons(logged) == ["other_person"]


async def test_a_check_digit_x_is_the_same_in_either_case(baidu: PlatformClients, stand: BaiduStand) -> None:
    start = await baidu.face.start(REQUEST)
    stand.attempts = [{**PASS, "idcard_confirm": {"name": RESIDENT.name, "idcard_number": "11010519491231002x"}}]
    assert await baidu.face.verdict(REQUEST, start.verification) is FaceVerdict.PASSED


@pytest.mark.attack("B1")
@pytest.mark.parametrize(
    "body",
    [
        {"success": False, "code": 222001, "message": "Hush"},
        {"success": False, "result": {"verify_result": [PASS]}},
        {"result": {"verify_result": [PASS]}},
        {"success": True},
        {"success": True, "result": None},
        {"success": True, "result": {}},
        {"success": True, "result": {"verify_result": None}},
    ],
)
async def test_an_answer_without_a_result_is_no_verdict_yet(
    baidu: PlatformClients, stand: BaiduStand, body: object
) -> None:
    start = await baidu.face.start(REQUEST)
    stand.lie(GET_ALL, body)
    assert await baidu.face.verdict(REQUEST, start.verification) is FaceVerdict.PENDING


@pytest.mark.attack("B1")
@pytest.mark.parametrize(
    "body",
    [
        {"success": "true", "result": {"verify_result": [PASS]}},
        {"success": True, "error_code": 6, "result": {"verify_result": [PASS]}},
        {"success": True, "result": {"verify_result": PASS}},
        {"success": True, "result": {"verify_result": [{**PASS, "is_verify_passed": "true"}]}},
        {"success": True, "result": {"verify_result": [{**PASS, "order": "1"}]}},
        b"",
    ],
)
async def test_a_result_that_makes_no_sense_is_an_outage_and_never_a_pass(
    baidu: PlatformClients, stand: BaiduStand, body: object
) -> None:
    start = await baidu.face.start(REQUEST)
    stand.lie(GET_ALL, body)
    with pytest.raises(VendorUnavailable):
        await baidu.face.verdict(REQUEST, start.verification)


@pytest.mark.attack("B2", "M4")
@pytest.mark.parametrize(
    "foreign", [asked(Platform.BAIDU, "otherKey"), asked(Platform.WECHAT, APP_KEY)], ids=["app", "platform"]
)
async def test_a_user_of_another_app_is_neither_checked_nor_passed(
    baidu: PlatformClients, stand: BaiduStand, foreign: FaceRequest
) -> None:
    stand.attempts = [PASS]
    start = await baidu.face.start(REQUEST)
    with pytest.raises(ValueError):
        await baidu.face.start(foreign)
    assert await baidu.face.verdict(foreign, start.verification) is FaceVerdict.FAILED
    assert stand.calls(GET_ALL) == []


@pytest.mark.parametrize("path", [GENERATE, SUBMIT])
@pytest.mark.parametrize(
    "body",
    [
        {"success": False, "code": 216100, "message": "Hush"},
        {"success": False, "result": {"verify_token": "verifyHush"}},
        {},
        {"success": "yes", "result": {"verify_token": "verifyHush"}},
    ],
)
async def test_a_check_that_was_not_opened_is_an_outage(
    baidu: PlatformClients, stand: BaiduStand, path: str, body: object
) -> None:
    stand.lie(path, body)
    with pytest.raises(VendorUnavailable):
        await baidu.face.start(REQUEST)


@pytest.mark.parametrize("result", [None, {}, {"verify_token": ""}, {"verify_token": 7}, 1])
async def test_a_check_without_a_token_was_not_opened(
    baidu: PlatformClients, stand: BaiduStand, result: object
) -> None:
    stand.lie(GENERATE, {"success": True, "result": result})
    with pytest.raises(VendorUnavailable):
        await baidu.face.start(REQUEST)
    assert stand.calls(SUBMIT) == []
