from __future__ import annotations

import json
from collections.abc import AsyncIterator, MutableMapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from bjidp.clock import ManualClock
from bjidp.errors import VendorUnavailable
from bjidp.person import DocumentType, Person
from bjidp.platforms import Platform, PlatformIdentity
from bjidp.secret import Secret
from bjidp.vendors.alipay.gateway import beijing_time
from bjidp.vendors.catalog import HttpClients, build_platforms
from bjidp.vendors.ports.platforms import FaceRequest, FaceVerdict, LoginCodeInvalid, PlatformClients, PlatformLogin
from bjidp.vendors.settings import AlipaySettings
from tests.vendors.alipay_stand import (
    APP_ID,
    CERTIFY,
    GATEWAY,
    INITIALIZE,
    QUERY,
    TOKEN,
    AlipayStand,
    envelope,
    node_name,
    refusal,
    sign,
)
from tests.vendors.cast import DONE, FOREIGNER, HK, MACAO, OPEN_ID, OTHER_OPEN_ID, REFERENCE, RESIDENT, TAIWAN, asked

CODE = "codeHush+/=&中"
USER_ID = "2088000000000001"


@pytest.fixture
async def stand(app_key: RSAPrivateKey, gateway_key: RSAPrivateKey) -> AsyncIterator[AlipayStand]:
    stand = AlipayStand(app_key=app_key, gateway_key=gateway_key)
    async with stand.open():
        yield stand


@pytest.fixture
def alipay(
    stand: AlipayStand,
    clients: HttpClients,
    clock: ManualClock,
    app_key: RSAPrivateKey,
    gateway_key: RSAPrivateKey,
) -> PlatformClients:
    settings = AlipaySettings(
        app_id=APP_ID,
        private_key=Secret(app_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())),
        alipay_public_key=gateway_key.public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        .decode(),
        gateway_url=stand.address + GATEWAY,
    )
    return build_platforms(alipay=settings, http=clients, clock=clock, face_done_url=DONE)[Platform.ALIPAY]


def reasons(logged: list[MutableMapping[str, Any]], event: str = "vendor_alarm") -> list[str]:
    return [entry["reason"] for entry in logged if entry["event"] == event]


# ------------------------------------------------------------------------------------------------------------- gateway


async def test_common_parameters_travel_in_the_query_and_the_rest_in_the_body(
    alipay: PlatformClients, stand: AlipayStand
) -> None:
    stand.codes[CODE] = {"open_id": OPEN_ID}
    await alipay.sign_in.exchange(CODE)
    [seen] = stand.seen
    assert seen.method == "POST"
    assert seen.query.pop("sign")
    assert seen.query == {
        "app_id": APP_ID,
        "method": TOKEN,
        "format": "json",
        "charset": "utf-8",
        "sign_type": "RSA2",
        "timestamp": "2027-01-15 16:00:00",
        "version": "1.0",
    }
    assert seen.form == {"grant_type": "authorization_code", "code": CODE}


def test_the_gateway_is_told_the_time_in_beijing() -> None:
    assert beijing_time(1_704_164_645_999) == "2024-01-02 11:04:05"
    assert beijing_time(1_735_660_800_000) == "2025-01-01 00:00:00"


async def test_what_a_stranger_signed_is_refused_by_the_stand(
    alipay: PlatformClients, stand: AlipayStand, gateway_key: RSAPrivateKey, logged: list[MutableMapping[str, Any]]
) -> None:
    stand.app_key = gateway_key
    stand.codes[CODE] = {"open_id": OPEN_ID}
    with pytest.raises(VendorUnavailable):
        await alipay.sign_in.exchange(CODE)
    assert reasons(logged) == ["isv.invalid-signature"]


SUCCESS = json.dumps({"open_id": OPEN_ID, "access_token": "authusrHush"}).encode()


def _answer(alipay_stand: AlipayStand, body: bytes) -> None:
    alipay_stand.lies[GATEWAY] = lambda _: web.Response(body=body)


async def test_an_unsigned_success_is_a_lie(
    alipay: PlatformClients, stand: AlipayStand, logged: list[MutableMapping[str, Any]]
) -> None:
    _answer(stand, envelope(node_name(TOKEN), SUCCESS, None))
    with pytest.raises(VendorUnavailable):
        await alipay.sign_in.exchange(CODE)
    assert reasons(logged) == ["unsigned"]


@pytest.mark.parametrize("signature", ["", "QUJD", "中"])
async def test_a_success_with_a_signature_that_is_none_is_a_lie(
    alipay: PlatformClients, stand: AlipayStand, logged: list[MutableMapping[str, Any]], signature: str
) -> None:
    _answer(stand, envelope(node_name(TOKEN), SUCCESS, signature))
    with pytest.raises(VendorUnavailable):
        await alipay.sign_in.exchange(CODE)
    assert reasons(logged) == ["bad_signature"]


async def test_a_success_signed_by_another_key_is_a_lie(
    alipay: PlatformClients, stand: AlipayStand, app_key: RSAPrivateKey, logged: list[MutableMapping[str, Any]]
) -> None:
    _answer(stand, envelope(node_name(TOKEN), SUCCESS, sign(app_key, SUCCESS)))
    with pytest.raises(VendorUnavailable):
        await alipay.sign_in.exchange(CODE)
    assert reasons(logged) == ["bad_signature"]


async def test_a_success_altered_on_its_way_is_a_lie(
    alipay: PlatformClients, stand: AlipayStand, gateway_key: RSAPrivateKey
) -> None:
    altered = SUCCESS.replace(OPEN_ID.encode(), OTHER_OPEN_ID.encode())
    _answer(stand, envelope(node_name(TOKEN), altered, sign(gateway_key, SUCCESS)))
    with pytest.raises(VendorUnavailable):
        await alipay.sign_in.exchange(CODE)


@pytest.mark.parametrize("signature", ["true", "7", "null", '["QUJD"]'])
async def test_a_signature_that_is_no_text_is_a_lie(
    alipay: PlatformClients, stand: AlipayStand, signature: str
) -> None:
    _answer(stand, b'{"' + node_name(TOKEN).encode() + b'":' + SUCCESS + b',"sign":' + signature.encode() + b"}")
    with pytest.raises(VendorUnavailable):
        await alipay.sign_in.exchange(CODE)


async def test_an_unsigned_refusal_is_an_outage_and_says_nothing_of_the_code(
    alipay: PlatformClients, stand: AlipayStand
) -> None:
    _answer(stand, envelope("error_response", json.dumps(refusal("40002", "isv.code-invalid")).encode(), None))
    with pytest.raises(VendorUnavailable):
        await alipay.sign_in.exchange(CODE)


async def test_a_signed_answer_to_another_method_is_no_answer(
    alipay: PlatformClients, stand: AlipayStand, logged: list[MutableMapping[str, Any]]
) -> None:
    stand.node, stand.name = SUCCESS, node_name(QUERY)
    with pytest.raises(VendorUnavailable):
        await alipay.sign_in.exchange(CODE)
    assert reasons(logged) == ["malformed"]


async def test_an_answer_that_is_success_and_error_at_once_is_none(
    alipay: PlatformClients, stand: AlipayStand, gateway_key: RSAPrivateKey
) -> None:
    both = b'{"error_response":{"code":"40004"},"' + node_name(TOKEN).encode() + b'":' + SUCCESS
    _answer(stand, both + b',"sign":"' + sign(gateway_key, SUCCESS).encode() + b'"}')
    with pytest.raises(VendorUnavailable):
        await alipay.sign_in.exchange(CODE)


async def test_a_node_hidden_inside_a_text_is_not_found(
    alipay: PlatformClients, stand: AlipayStand, gateway_key: RSAPrivateKey
) -> None:
    signed = sign(gateway_key, SUCCESS)
    hidden = json.dumps({"x": envelope(node_name(TOKEN), SUCCESS, signed).decode(), "sign": signed}).encode()
    _answer(stand, hidden)
    with pytest.raises(VendorUnavailable):
        await alipay.sign_in.exchange(CODE)


@pytest.mark.parametrize("body", [b"", b"busy", b"{}", b"[]", b'{"sign":"QUJD"}', b"\xff\xfe"])
async def test_an_answer_that_makes_no_sense_is_an_outage(
    alipay: PlatformClients, stand: AlipayStand, logged: list[MutableMapping[str, Any]], body: bytes
) -> None:
    _answer(stand, body)
    with pytest.raises(VendorUnavailable):
        await alipay.sign_in.exchange(CODE)
    assert reasons(logged) == ["malformed"]


@pytest.mark.parametrize(
    "node",
    [b'"Y2lwaGVydGV4dA=="', b"[]", b"7", b'{"open_id":7}', b'{"open_id":"\xff"}', b'{"code":10000}', b"{broken}"],
)
async def test_a_signed_node_of_another_shape_is_an_outage(
    alipay: PlatformClients, stand: AlipayStand, node: bytes
) -> None:
    stand.node = node
    with pytest.raises(VendorUnavailable):
        await alipay.sign_in.exchange(CODE)


async def test_a_gateway_that_fails_is_an_outage(alipay: PlatformClients, stand: AlipayStand) -> None:
    stand.lie(GATEWAY, b"oops", status=500)
    with pytest.raises(VendorUnavailable):
        await alipay.sign_in.exchange(CODE)


# ------------------------------------------------------------------------------------------------------------- sign-in


@pytest.mark.req("LOG-7")
@pytest.mark.attack("M1", "M4")
@pytest.mark.parametrize(
    ("told", "open_id"),
    [
        ({"open_id": OPEN_ID}, OPEN_ID),
        ({"open_id": OPEN_ID, "user_id": USER_ID}, OPEN_ID),
        ({"user_id": USER_ID}, USER_ID),
        ({"user_id": USER_ID, "open_id": ""}, USER_ID),
        ({"open_id": OPEN_ID, "code": "10000", "msg": "Success"}, OPEN_ID),
    ],
)
async def test_a_login_code_becomes_the_open_id_or_else_the_user_id(
    alipay: PlatformClients, stand: AlipayStand, told: dict[str, str], open_id: str
) -> None:
    stand.codes[CODE] = told
    login = await alipay.sign_in.exchange(CODE)
    assert login == PlatformLogin(PlatformIdentity(Platform.ALIPAY, APP_ID, open_id), None)


@pytest.mark.attack("M2")
async def test_a_used_code_is_refused(
    alipay: PlatformClients, stand: AlipayStand, logged: list[MutableMapping[str, Any]]
) -> None:
    stand.codes[CODE] = {"open_id": OPEN_ID}
    await alipay.sign_in.exchange(CODE)
    with pytest.raises(LoginCodeInvalid):
        await alipay.sign_in.exchange(CODE)
    assert reasons(logged) == []
    assert reasons(logged, "vendor_refusal") == ["isv.code-invalid"]


async def test_an_empty_code_is_not_worth_a_call(alipay: PlatformClients, stand: AlipayStand) -> None:
    with pytest.raises(LoginCodeInvalid):
        await alipay.sign_in.exchange("")
    assert stand.seen == []


@pytest.mark.parametrize("name", ["error_response", node_name(TOKEN)])
@pytest.mark.parametrize(
    "error",
    [
        ("20000", "isp.unknow-error"),
        ("20000", "aop.unknow-error"),
        ("40001", "isv.missing-signature"),
        ("40002", "isv.invalid-app-id"),
        ("40002", "isv.grant-type-invalid"),
        ("40003", "isv.missing-signature-config"),
        ("40006", "isv.insufficient-isv-permissions"),
    ],
)
async def test_any_other_refusal_is_an_outage_with_an_alarm_under_either_name(
    alipay: PlatformClients,
    stand: AlipayStand,
    logged: list[MutableMapping[str, Any]],
    name: str,
    error: tuple[str, str],
) -> None:
    stand.node, stand.name = json.dumps({**refusal(*error), "open_id": OPEN_ID}).encode(), name
    with pytest.raises(VendorUnavailable):
        await alipay.sign_in.exchange(CODE)
    assert reasons(logged) == [error[1]]


@pytest.mark.parametrize("node", [b"{}", b'{"code":"10000","msg":"Success"}', b'{"open_id":"","user_id":""}'])
async def test_a_success_without_anybody_is_an_outage(
    alipay: PlatformClients, stand: AlipayStand, logged: list[MutableMapping[str, Any]], node: bytes
) -> None:
    stand.node = node
    with pytest.raises(VendorUnavailable):
        await alipay.sign_in.exchange(CODE)
    assert reasons(logged) == ["no_open_id"]


@pytest.mark.parametrize("node", [{"code": "20000"}, {"sub_code": "x"}, {"code": "10000", "sub_code": "x"}])
async def test_an_identity_beside_an_error_is_no_success(
    alipay: PlatformClients, stand: AlipayStand, node: dict[str, str]
) -> None:
    stand.node = json.dumps({**node, "open_id": OPEN_ID}).encode()
    with pytest.raises(VendorUnavailable):
        await alipay.sign_in.exchange(CODE)


# ---------------------------------------------------------------------------------------------------------------- face


@pytest.mark.req("REG-7")
@pytest.mark.attack("B7")
@pytest.mark.parametrize(
    ("person", "cert_type"),
    [
        (RESIDENT, "IDENTITY_CARD"),
        (HK, "HOME_VISIT_PERMIT_HK_MC"),
        (MACAO, "HOME_VISIT_PERMIT_HK_MC"),
        (TAIWAN, "HOME_VISIT_PERMIT_TAIWAN"),
    ],
)
async def test_a_face_check_is_opened_for_the_person_and_the_user(
    alipay: PlatformClients, stand: AlipayStand, person: Person, cert_type: str
) -> None:
    start = await alipay.face.start(asked(Platform.ALIPAY, APP_ID, person))
    assert stand.seen[0].query["method"] == INITIALIZE
    assert stand.checks[start.verification] == {
        "outer_order_no": REFERENCE,
        "biz_code": "FACE",
        "identity_param": {
            "identity_type": "CERT_INFO",
            "cert_type": cert_type,
            "cert_name": person.name,
            "cert_no": person.number,
            "open_id": OPEN_ID,
        },
        "merchant_config": {
            "return_url": f"alipays://platformapi/startapp?appId={APP_ID}",
            "face_reserve_strategy": "never",
        },
    }
    assert not any(value in "".join(stand.seen[0].query.values()) for value in (person.name, person.number))


async def test_a_user_known_by_account_number_is_named_by_it(alipay: PlatformClients, stand: AlipayStand) -> None:
    start = await alipay.face.start(asked(Platform.ALIPAY, APP_ID, open_id=USER_ID))
    named = stand.checks[start.verification]["identity_param"]
    assert isinstance(named, dict)
    assert named["user_id"] == USER_ID
    assert "open_id" not in named


async def test_the_phone_gets_a_signed_address_that_tells_nothing_of_the_person(
    alipay: PlatformClients, stand: AlipayStand
) -> None:
    start = await alipay.face.start(asked(Platform.ALIPAY, APP_ID))
    assert set(start.client) == {"certify_id", "url"}
    assert start.client["certify_id"] == start.verification
    address, _, query = start.client["url"].partition("?")
    assert address == stand.address + GATEWAY
    parameters = dict(parse_qsl(query, strict_parsing=True))
    assert stand.is_signed(parameters)
    assert parameters["method"] == CERTIFY
    assert json.loads(parameters["biz_content"]) == {"certify_id": start.verification}
    assert urlsplit(start.client["url"]).fragment == ""


@pytest.mark.attack("B1")
@pytest.mark.parametrize(
    ("result", "verdict"),
    [
        ({"passed": "T"}, FaceVerdict.PASSED),
        ({"passed": "T", "identity_info": "", "material_info": "{}"}, FaceVerdict.PASSED),
        ({"passed": "F"}, FaceVerdict.PENDING),
        ({"passed": "F", "fail_reason": ""}, FaceVerdict.PENDING),
        ({"passed": "F", "fail_reason": "人脸比对不一致"}, FaceVerdict.FAILED),
        ({"passed": "F", "identity_info": json.dumps({"cert_name": RESIDENT.name})}, FaceVerdict.PENDING),
    ],
)
async def test_each_result_comes_to_its_verdict(
    alipay: PlatformClients, stand: AlipayStand, result: dict[str, object], verdict: FaceVerdict
) -> None:
    request = asked(Platform.ALIPAY, APP_ID)
    start = await alipay.face.start(request)
    stand.result = result
    assert await alipay.face.verdict(request, start.verification) is verdict


@pytest.mark.attack("B2")
@pytest.mark.parametrize(
    ("told", "verdict"),
    [
        ({"cert_name": "王玉田", "cert_no": "11010519491231002X"}, FaceVerdict.PASSED),
        ({"cert_name": "王**", "cert_no": "1****************X"}, FaceVerdict.PASSED),
        ({"open_id": OPEN_ID, "user_id": USER_ID}, FaceVerdict.PASSED),
        ({"user_id": USER_ID}, FaceVerdict.PASSED),
        ({}, FaceVerdict.PASSED),
        ({"cert_name": "赵长河", "cert_no": "11010519491231002X"}, FaceVerdict.FAILED),
        ({"cert_name": "王玉田", "cert_no": "440524188001010014"}, FaceVerdict.FAILED),
        ({"open_id": OTHER_OPEN_ID}, FaceVerdict.FAILED),
    ],
)
async def test_a_pass_of_another_person_does_not_count(
    alipay: PlatformClients,
    stand: AlipayStand,
    logged: list[MutableMapping[str, Any]],
    told: dict[str, str],
    verdict: FaceVerdict,
) -> None:
    request = asked(Platform.ALIPAY, APP_ID)
    start = await alipay.face.start(request)
    stand.result = {"passed": "T", "identity_info": json.dumps(told)}
    assert await alipay.face.verdict(request, start.verification) is verdict
    assert reasons(logged) == (["other_person"] if verdict is FaceVerdict.FAILED else [])


@pytest.mark.attack("B1")
@pytest.mark.parametrize(
    "result",
    [
        {},
        {"passed": "t"},
        {"passed": "Y"},
        {"passed": True},
        {"passed": None},
        {"passed": "T", "identity_info": "no json"},
        {"passed": "T", "identity_info": '{"cert_name": 7}'},
        {"passed": "T", "code": "20000"},
        {"passed": "T", "sub_code": "SYSTEM_ERROR"},
    ],
)
async def test_a_result_that_makes_no_sense_is_an_outage_and_never_a_pass(
    alipay: PlatformClients, stand: AlipayStand, result: dict[str, object]
) -> None:
    request = asked(Platform.ALIPAY, APP_ID)
    start = await alipay.face.start(request)
    stand.result = result
    with pytest.raises(VendorUnavailable):
        await alipay.face.verdict(request, start.verification)


@pytest.mark.attack("B1", "B2")
async def test_an_unsigned_pass_is_none(alipay: PlatformClients, stand: AlipayStand) -> None:
    request = asked(Platform.ALIPAY, APP_ID)
    start = await alipay.face.start(request)
    _answer(stand, envelope(node_name(QUERY), b'{"code":"10000","passed":"T"}', None))
    with pytest.raises(VendorUnavailable):
        await alipay.face.verdict(request, start.verification)


@pytest.mark.attack("B3")
async def test_a_check_that_alipay_no_longer_knows_has_failed(alipay: PlatformClients) -> None:
    assert await alipay.face.verdict(asked(Platform.ALIPAY, APP_ID), "certifyHush404") is FaceVerdict.FAILED


@pytest.mark.attack("B2", "M4")
@pytest.mark.parametrize(
    "foreign",
    [asked(Platform.ALIPAY, "2021000000000002"), asked(Platform.WECHAT, APP_ID)],
    ids=["app", "platform"],
)
async def test_a_user_of_another_app_is_neither_checked_nor_passed(
    alipay: PlatformClients, stand: AlipayStand, foreign: FaceRequest
) -> None:
    stand.result = {"passed": "T"}
    start = await alipay.face.start(asked(Platform.ALIPAY, APP_ID))
    with pytest.raises(ValueError):
        await alipay.face.start(foreign)
    assert await alipay.face.verdict(foreign, start.verification) is FaceVerdict.FAILED
    assert len(stand.seen) == 1


async def test_a_document_alipay_does_not_check_is_not_sent_to_it(alipay: PlatformClients, stand: AlipayStand) -> None:
    assert alipay.face.documents == set(DocumentType) - {DocumentType.PERMANENT_RESIDENT}
    with pytest.raises(ValueError):
        await alipay.face.start(asked(Platform.ALIPAY, APP_ID, FOREIGNER))
    assert stand.seen == []


@pytest.mark.parametrize(
    "node",
    [b'{"code":"10000"}', b'{"code":"10000","certify_id":""}', b'{"code":"40004","sub_code":"PRODUCT_NOT_OPEN"}'],
)
async def test_a_check_that_was_not_opened_is_an_outage(
    alipay: PlatformClients, stand: AlipayStand, node: bytes
) -> None:
    stand.node = node
    with pytest.raises(VendorUnavailable):
        await alipay.face.start(asked(Platform.ALIPAY, APP_ID))
