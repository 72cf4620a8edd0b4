from __future__ import annotations

import base64
import json
import re

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from bjidp.secret import Secret
from bjidp.vendors.alipay.signing import AnswerKey, MalformedAnswer, RequestKey, canonical, members
from tests.vendors.alipay_stand import sign

PUBLISHED = (
    "app_id=2021000000000001&charset=utf-8&code=4b203fe6c11548bcabd8da5bb087a83b&format=json"
    "&grant_type=authorization_code&method=alipay.system.oauth.token&sign_type=RSA2"
    "&timestamp=2024-01-02 03:04:05&version=1.0"
)


def public_base64(key: RSAPrivateKey) -> str:
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


# ------------------------------------------------------------------------------------------------------------- request


def test_the_published_example_of_the_text_to_sign() -> None:
    parameters = dict(pair.split("=", 1) for pair in PUBLISHED.split("&"))
    shuffled = dict(sorted(parameters.items(), reverse=True))
    assert canonical({**shuffled, "sign": "abc", "notify_url": ""}) == PUBLISHED


def test_the_text_to_sign_is_raw_and_not_url_encoded() -> None:
    assert canonical({"b": "a b&c=d/中", "a": "+"}) == "a=+&b=a b&c=d/中"


def test_a_signature_is_rsa2_over_the_text_in_utf8(app_key: RSAPrivateKey) -> None:
    pem = app_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    made = RequestKey(Secret(pem)).sign({"name": "中", "sign": "old"})
    # PKCS#1 v1.5 is deterministic, so two right implementations give the same text.
    assert made == sign(app_key, "name=中".encode())
    assert len(made) == 344


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
@pytest.mark.parametrize("bare", [True, False])
def test_a_private_key_is_read_in_each_form_it_is_handed_out_in(
    app_key: RSAPrivateKey, form: PrivateFormat, bare: bool
) -> None:
    der = app_key.private_bytes(Encoding.DER, form, NoEncryption())
    pem = app_key.private_bytes(Encoding.PEM, form, NoEncryption())
    key = RequestKey(Secret(base64.encodebytes(der) if bare else pem))
    assert key.sign({"a": "b"}) == sign(app_key, b"a=b")


@pytest.mark.parametrize("form", ["bare", "pem"])
def test_a_public_key_is_read_in_each_form_it_is_handed_out_in(gateway_key: RSAPrivateKey, form: str) -> None:
    pem = gateway_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    key = AnswerKey(pem if form == "pem" else public_base64(gateway_key))
    assert key.verifies(b"{}", sign(gateway_key, b"{}"))


def test_a_key_that_is_none_or_too_weak_is_refused_without_being_quoted() -> None:
    weak = generate_private_key(65537, 1024)  # noqa: S505  # that it is weak is the point
    weak_pem = weak.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    curve = ec.generate_private_key(ec.SECP256R1())
    curve_pem = curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for material in (b"", b"HushHush", b"-----BEGIN PRIVATE KEY-----\nHush\n", weak_pem, curve_pem):
        with pytest.raises(ValueError, match=r"^the app's private key is no RSA key of 2048 bits or more$"):
            RequestKey(Secret(material))
    curve_public = curve.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    for text in ("", "HushHush", public_base64(weak), curve_public):
        with pytest.raises(ValueError, match=r"^Alipay's public key is no RSA key of 2048 bits or more$"):
            AnswerKey(text)


# -------------------------------------------------------------------------------------------------------------- answer


@pytest.mark.parametrize("signature", ["", "=", "not base64!", "QUJD", "中"])
def test_what_is_no_signature_verifies_nothing(gateway_key: RSAPrivateKey, signature: str) -> None:
    assert not AnswerKey(public_base64(gateway_key)).verifies(b"{}", signature)


def test_a_signature_is_good_for_these_bytes_and_this_key_alone(
    app_key: RSAPrivateKey, gateway_key: RSAPrivateKey
) -> None:
    key = AnswerKey(public_base64(gateway_key))
    signature = sign(gateway_key, b'{"url":"https:\\/\\/a"}')
    assert key.verifies(b'{"url":"https:\\/\\/a"}', signature)
    assert not key.verifies(b'{"url":"https://a"}', signature)
    assert not key.verifies(b'{"url":"https:\\/\\/a"}', sign(app_key, b'{"url":"https:\\/\\/a"}'))


@pytest.mark.parametrize(
    "node",
    [
        b"{}",
        b'{"url":"https:\\/\\/a.b\\/c"}',
        b'{ "b" : 1 , "a" : [ { } , [ "]" ] ] }',
        b'{"text":"}{][\\"},\\"sign\\":\\"AAAA\\""}',
        b'{"text":"ends in a backslash\\\\"}',
        '{"text":"中","escaped":"\\u4e2d\\ud842\\udfb7"}'.encode(),
        b'"base64OfAnEncryptedNode=="',
    ],
)
def test_a_node_comes_out_byte_for_byte_as_it_went_in(node: bytes) -> None:
    answer = b'\n{ "alipay_x_response"\t:\r\n' + node + b' , "sign":"QUJD","alipay_cert_sn":"1" } \n'
    assert members(answer) == {"alipay_x_response": node, "sign": b'"QUJD"', "alipay_cert_sn": b'"1"'}


def test_an_encrypted_node_is_signed_with_its_two_quotes(gateway_key: RSAPrivateKey) -> None:
    node = b'"Y2lwaGVydGV4dA=="'
    found = members(b'{"alipay_x_response":' + node + b',"sign":"' + sign(gateway_key, node).encode() + b'"}')
    key = AnswerKey(public_base64(gateway_key))
    assert key.verifies(found["alipay_x_response"], json.loads(found["sign"]))
    assert not key.verifies(found["alipay_x_response"].strip(b'"'), json.loads(found["sign"]))


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"   ",
        b"[]",
        b"null",
        b'"text"',
        b"{",
        b'{"a"',
        b'{"a":',
        b'{"a":1',
        b'{"a":1,',
        b'{"a":1,}',
        b"{,}",
        b'{"a" 1}',
        b"{a:1}",
        b'{"a":1 "b":2}',
        b'{"a":{"b":1}',
        b'{"a":{"b":[1}]}',
        b'{"a":{"b":1]}',
        b'{"a":"b}',
        b'{"a":{"b":"c}}',
        b'{"a":"b\\"}',
        b'{"a":,"b":1}',
        b'{"a":1}{"a":2}',
        b'{"a":1}x',
        b'{"\\x":1}',
        b'{"a":1,"a":2}',
        b'{"a":1,"\\u0061":2}',
        b'{"a":' + b"[" * 100_000,
    ],
)
def test_what_is_not_one_object_with_each_member_once_is_refused(answer: bytes) -> None:
    with pytest.raises(MalformedAnswer):
        members(answer)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(
    answer=st.dictionaries(st.text(), JSON, max_size=4),
    ascii_only=st.booleans(),
    indent=st.sampled_from([None, 1]),
    slashes=st.booleans(),
)
def test_any_object_falls_apart_into_its_members(
    answer: dict[str, object], ascii_only: bool, indent: int | None, slashes: bool
) -> None:
    text = json.dumps(answer, ensure_ascii=ascii_only, indent=indent)
    if slashes:
        text = text.replace("/", "\\/")
    written = text.encode()
    found = members(written)
    assert {name: json.loads(value) for name, value in found.items()} == answer
    assert all(value in written for value in found.values())


@given(st.binary(max_size=200) | st.text('{}[]",:\\a1 ').map(str.encode))
def test_no_text_breaks_the_reader(text: bytes) -> None:
    try:
        found = members(text)
    except MalformedAnswer:
        return
    assert re.match(rb"\s*\{", text)
    assert all(value in text for value in found.values())
