"""Alipay's phone button: what Alipay signed and encrypted for the app."""

from __future__ import annotations

import json
from collections.abc import MutableMapping
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from bjidp.clock import ManualClock
from bjidp.errors import VendorUnavailable
from bjidp.platforms import Platform, PlatformIdentity
from bjidp.secret import Secret
from bjidp.vendors.catalog import HttpClients, build_platforms
from bjidp.vendors.ports.platforms import (
    PhoneNumbers,
    PhoneRefusal,
    PlatformLogin,
    SealedPhone,
    SignedPhone,
    VerifiedPhone,
)
from bjidp.vendors.settings import AlipaySettings
from tests.vendors.alipay_stand import APP_ID, sign
from tests.vendors.cast import DONE, OPEN_ID
from tests.vendors.ciphers import ALIPAY_KEY, WECHAT_KEY, ZERO, base64_text, cbc, of_alipay, padded

pytestmark = pytest.mark.req("LOG-7")

NUMBER: Final = "15410000042"
LOGIN: Final = PlatformLogin(PlatformIdentity(Platform.ALIPAY, APP_ID, OPEN_ID), None)
TOLD: Final = {"code": "10000", "msg": "Success", "mobile": NUMBER}


def settings(app_key: RSAPrivateKey, gateway_key: RSAPrivateKey, aes_key: str | None) -> AlipaySettings:
    private = app_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = gateway_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return AlipaySettings(
        app_id=APP_ID,
        private_key=Secret(private),
        alipay_public_key=public.decode(),
        aes_key=None if aes_key is None else Secret(aes_key),
        gateway_url="http://127.0.0.1:9/gateway.do",
    )


@pytest.fixture
def phone(clients: HttpClients, clock: ManualClock, app_key: RSAPrivateKey, gateway_key: RSAPrivateKey) -> PhoneNumbers:
    chosen = settings(app_key, gateway_key, ALIPAY_KEY)
    built = build_platforms(alipay=chosen, http=clients, clock=clock, face_done_url=DONE)[Platform.ALIPAY].phone
    assert built is not None
    return built


def given(key: RSAPrivateKey, told: object, *, aes_key: str = ALIPAY_KEY) -> SignedPhone:
    """Return what the button gives."""
    response = of_alipay(told, key=aes_key)
    return SignedPhone(response, sign(key, f'"{response}"'.encode()))


def reasons(logged: list[MutableMapping[str, Any]], event: str = "vendor_alarm") -> list[str]:
    return [entry["reason"] for entry in logged if entry["event"] == event]


async def test_the_number_is_read_once_its_signature_is_good(phone: PhoneNumbers, gateway_key: RSAPrivateKey) -> None:
    assert await phone.number(LOGIN, given(gateway_key, TOLD)) == VerifiedPhone(NUMBER)
    assert not phone.distinct


def test_each_press_of_the_button_gives_the_same(gateway_key: RSAPrivateKey) -> None:
    assert given(gateway_key, TOLD) == given(gateway_key, TOLD)


@pytest.mark.attack("M6", "M7")
async def test_what_alipay_did_not_sign_is_refused_unread(
    phone: PhoneNumbers, app_key: RSAPrivateKey, gateway_key: RSAPrivateKey, logged: list[MutableMapping[str, Any]]
) -> None:
    good = given(gateway_key, TOLD)
    plain = json.dumps(TOLD)
    other = given(gateway_key, {**TOLD, "mobile": "15410000043"})
    broken = base64_text(cbc(ALIPAY_KEY, ZERO, padded(b"{}", 16)[:-1] + b"\0"))
    for forged in (
        given(app_key, TOLD),
        SignedPhone(good.response, ""),
        SignedPhone(good.response, "中"),
        SignedPhone(good.response, other.sign),
        SignedPhone(good.response[:-4], good.sign),
        SignedPhone(good.response, sign(gateway_key, good.response.encode())),  # without the quotes
        SignedPhone(plain, good.sign),
        SignedPhone(plain, ""),
        SignedPhone(broken, good.sign),
        SignedPhone("", good.sign),
        SignedPhone("中", good.sign),
    ):
        assert await phone.number(LOGIN, forged) is PhoneRefusal.UNPROVED
    assert reasons(logged) == []


async def test_a_key_of_ours_that_is_wrong_is_an_outage_with_an_alarm(
    phone: PhoneNumbers, gateway_key: RSAPrivateKey, logged: list[MutableMapping[str, Any]]
) -> None:
    with pytest.raises(VendorUnavailable):
        await phone.number(LOGIN, given(gateway_key, TOLD, aes_key=WECHAT_KEY))
    assert reasons(logged)[0] in {"undecipherable", "malformed"}


@pytest.mark.parametrize(
    "told",
    [
        b"",
        b"[]",
        b"{}",
        b'{"code":10000}',
        b"\xff",
        b'{"code":"10000","mobile":1}',
        b'{"code":"10000","msg":"Success","user_id":"2088","mobile":"15410000042"}',
    ],
)
async def test_a_text_of_alipays_that_makes_no_sense_is_an_outage_with_an_alarm(
    phone: PhoneNumbers, gateway_key: RSAPrivateKey, logged: list[MutableMapping[str, Any]], told: bytes
) -> None:
    with pytest.raises(VendorUnavailable):
        await phone.number(LOGIN, given(gateway_key, told))
    assert reasons(logged) == ["malformed"]


async def test_a_number_that_is_signed_but_not_encrypted_is_not_believed(
    phone: PhoneNumbers, gateway_key: RSAPrivateKey, logged: list[MutableMapping[str, Any]]
) -> None:
    plain = json.dumps(TOLD)
    with pytest.raises(VendorUnavailable):
        await phone.number(LOGIN, SignedPhone(plain, sign(gateway_key, plain.encode())))
    assert reasons(logged) == ["not_encrypted"]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ({"code": "40001", "subCode": "isv.missing-encrypt-key", "subMsg": "缺少加密配置"}, "isv.missing-encrypt-key"),
        ({"code": "40006", "subCode": "isv.insufficient-isv-permissions"}, "isv.insufficient-isv-permissions"),
        ({"code": "20000", "subCode": "aop.unknow-error"}, "aop.unknow-error"),
        ({"code": "20000"}, "20000"),
    ],
)
@pytest.mark.parametrize("plain", [True, False])
async def test_an_error_inside_is_an_outage_with_an_alarm(
    phone: PhoneNumbers,
    gateway_key: RSAPrivateKey,
    logged: list[MutableMapping[str, Any]],
    error: dict[str, str],
    reason: str,
    *,
    plain: bool,
) -> None:
    text = json.dumps({"msg": "Hush", **error, "mobile": NUMBER})
    told = SignedPhone(text, sign(gateway_key, text.encode())) if plain else given(gateway_key, text.encode())
    with pytest.raises(VendorUnavailable):
        await phone.number(LOGIN, told)
    assert reasons(logged) == [reason]


async def test_somebody_who_has_not_granted_it_is_no_alarm(
    phone: PhoneNumbers, gateway_key: RSAPrivateKey, logged: list[MutableMapping[str, Any]]
) -> None:
    text = json.dumps({"code": "40003", "msg": "Hush", "subCode": "isv.invalid-auth-relations"})
    told = SignedPhone(text, sign(gateway_key, text.encode()))
    assert await phone.number(LOGIN, told) is PhoneRefusal.UNPROVED
    assert reasons(logged) == []
    assert reasons(logged, "vendor_refusal") == ["isv.invalid-auth-relations"]


@pytest.mark.parametrize("told", [{"code": "10000", "mobile": ""}, {"code": "10000", "msg": "Success"}])
async def test_a_user_without_a_number_has_none(
    phone: PhoneNumbers, gateway_key: RSAPrivateKey, told: dict[str, str]
) -> None:
    assert await phone.number(LOGIN, given(gateway_key, told)) is PhoneRefusal.ABSENT


async def test_what_another_platforms_button_gives_is_refused(phone: PhoneNumbers) -> None:
    assert phone.forms == (SignedPhone,)
    assert await phone.number(LOGIN, SealedPhone("x", "y")) is PhoneRefusal.UNPROVED


def test_without_a_content_key_there_is_no_phone_button(
    clients: HttpClients, clock: ManualClock, app_key: RSAPrivateKey, gateway_key: RSAPrivateKey
) -> None:
    chosen = settings(app_key, gateway_key, None)
    built = build_platforms(alipay=chosen, http=clients, clock=clock, face_done_url=DONE)[Platform.ALIPAY]
    assert built.phone is None
