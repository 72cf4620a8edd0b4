"""What platforms encrypt: the published vectors, and one refusal for whatever is none of it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bjidp.clock import MINUTE, SECOND
from bjidp.secret import Secret
from bjidp.vendors.aes_cbc import Undecipherable, octets, plaintext, read_key
from bjidp.vendors.alipay.phone import ContentKey
from bjidp.vendors.baidu import sealed as baidu
from bjidp.vendors.wechat import sealed as wechat
from tests.vendors import ciphers
from tests.vendors.ciphers import ALIPAY_KEY, BAIDU_KEY, WECHAT_KEY, ZERO, base64_text, cbc, padded

WECHAT_VECTOR: Final = (
    "CiyLU1Aw2KjvrjMdj8YKliAjtP4gsMZMQmRzooG2xrDcvSnxIMXFufNstNGTyaGS9uT5geRa0W4oTOb1WT7fJlAC+oNPdbB+3hVbJSRgv+4lGO"
    "ETKUQz6OYStslQ142dNCuabNPGBzlooOmB231qMM85d2/fV6ChevvXvQP8Hkue1poOFtnEtpyxVLW1zAo6/1Xx1COxFvrc2d7UL/lmHInNlxua"
    "cJXwu0fjpXfz/YqYzBIBzD6WUfTIF9GRHpOn/Hz7saL8xz+W//FRAUid1OksQaQx4CMs8LOddcQhULW4ucetDf96JcR3g0gfRK4PC7E/r7Z6xN"
    "rXd2UIeorGj5Ef7b1pJAYB6Y5anaHqZ9J6nKEBvB4DnNLIVWSgARns/8wR2SiRS7MNACwTyrGvt9ts8p12PKFdlqYTopNHR1Vf7XjfhQlVsAJd"
    "NiKdYmYVoKlaRv85IfVunYzO0IKXsyl7JCUjCpoG20f0a04COwfneQAGGwd5oa+T8yO5hzuyDb/XcxxmK01EpqOyuxINew=="
)
"""Of WeChat's own demonstration, WXBizDataCrypt."""

BAIDU_VECTOR: Final = (
    "OpCoJgs7RrVgaMNDixIvaCIyV2SFDBNLivgkVqtzq2GC10egsn+PKmQ/+5q+chT8xzldLUog2haTItyIkKyvzvmXonBQLIMeq54axAu9c3KG8I"
    "hpFD6+ymHocmx07ZKi7eED3t0KyIxJgRNSDkFk5RV1ZP2mSWa7ZgCXXcAbP0RsiUcvhcJfrSwlpsm0E1YJzKpYy429xrEEGvK+gfL+Cw=="
)
"""Of the documentation of swan.getUserInfo."""
BAIDU_VECTOR_APP: Final = "y2dTfnWfkx2OXttMEMWlGHoB1KzMogm7"
BAIDU_VECTOR_KEY: Final = Secret("1df09d0a1677dd72b8325aec59576e0c")

ALIPAY_VECTOR: Final = "2sPx7rlBZ+y9dBDs9cn20BuSW1bfd392enwTocf8tJ66NHh2Q/Nxnxr2CgpIoSWVBY0C7PrLdXdEZVOMLp7V2Q=="

APP: Final = "baiduAppKey0001"
NUMBER: Final = b'{"mobile":"15410000001"}'
NO_IV: Final = base64_text(ZERO)


def of_wechat(data: str, iv: str = NO_IV, key: str = WECHAT_KEY) -> bytes:
    return wechat.opened(data, iv, Secret(key))


def of_baidu(data: str, iv: str = NO_IV, key: str = BAIDU_KEY) -> bytes:
    return baidu.opened(data, iv, Secret(key), APP)


def of_alipay(data: str) -> bytes:
    return ContentKey(Secret(ALIPAY_KEY)).opened(data)


def require_refused(opened: Callable[[], bytes]) -> None:
    """Hold a refusal to the one form there is: it says nothing, and shows no error that it comes of."""
    with pytest.raises(Undecipherable) as caught:
        opened()
    assert caught.value.args == ()
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


# ------------------------------------------------------------------------------------------------------------- vectors


def test_the_published_vector_of_wechat() -> None:
    text = wechat.opened(WECHAT_VECTOR, "r7BXXKkLb8qrSNn05n0qiA==", Secret("tiihtNczf5v6AKRyjwEUhQ=="))
    assert len(base64.b64decode(WECHAT_VECTOR)) == 400
    assert len(text) == 393
    told = json.loads(text)
    assert told["openId"] == "oGZUI0egBJY1zhBYw2KhdUfwVJJE"
    assert told["nickName"] == "Band"
    assert told["watermark"] == {"timestamp": 1477314187, "appid": "wx4f4bc4dec97d474b"}


def test_the_published_vector_of_baidu_whose_padding_is_longer_than_a_block_of_aes() -> None:
    content = baidu.opened(BAIDU_VECTOR, "1df09d0a1677dd72b8325Q==", BAIDU_VECTOR_KEY, BAIDU_VECTOR_APP)
    assert content == b'{"openid":"open_id","nickname":"baidu_user","headimgurl":"url of image","sex":1}'


def test_the_vector_of_alipay() -> None:
    content = ContentKey(Secret(ALIPAY_KEY)).opened(ALIPAY_VECTOR)
    assert content == b'{"code":"10000","msg":"Success","mobile":"13800138000"}'


# ------------------------------------------------------------------------------------------------------ what is refused


@given(text=st.binary(max_size=200), iv=st.binary(min_size=16, max_size=16))
def test_what_was_encrypted_comes_back_whole(text: bytes, iv: bytes) -> None:
    assert of_wechat(*ciphers.of_wechat(text, iv=iv)) == text
    assert of_baidu(*ciphers.of_baidu(text, APP, iv=iv)) == text
    assert of_alipay(ciphers.of_alipay(text)) == text


@pytest.mark.attack("M7")
@given(data=st.binary(max_size=100))
def test_what_is_no_whole_number_of_blocks_is_refused(data: bytes) -> None:
    assume(not data or len(data) % 16)
    require_refused(lambda: of_wechat(base64_text(data)))
    require_refused(lambda: of_baidu(base64_text(data)))
    require_refused(lambda: of_alipay(base64_text(data)))


@pytest.mark.attack("M7")
@given(text=st.text(max_size=60))
def test_what_is_no_base64_is_refused_wherever_it_stands(text: str) -> None:
    assume(not _is_base64_of_a_block(text))
    data, iv = ciphers.of_wechat(NUMBER)
    require_refused(lambda: of_wechat(text, iv))
    require_refused(lambda: of_wechat(data, text))
    require_refused(lambda: of_wechat(data, iv, key=text))
    data, iv = ciphers.of_baidu(NUMBER, APP)
    require_refused(lambda: of_baidu(text, iv))
    require_refused(lambda: of_baidu(data, text))
    require_refused(lambda: of_baidu(data, iv, key=text))
    require_refused(lambda: of_alipay(text))


def _is_base64_of_a_block(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) % 16 in {0, 8} and bool(text)
    except ValueError:
        return False


@pytest.mark.attack("M7")
@given(filling=st.binary(min_size=32, max_size=32))
def test_a_padding_that_is_none_is_refused(filling: bytes) -> None:
    count = filling[-1]
    valid = 0 < count <= 32 and filling[-count:] == bytes([count]) * count
    assume(not valid)
    require_refused(lambda: of_wechat(base64_text(cbc(WECHAT_KEY, ZERO, filling))))
    require_refused(lambda: of_alipay(base64_text(cbc(ALIPAY_KEY, ZERO, filling))))
    require_refused(lambda: of_baidu(base64_text(cbc(BAIDU_KEY, ZERO, filling))))


@pytest.mark.attack("M7")
@given(blocks=st.integers(min_value=1, max_value=4))
def test_a_text_that_lost_its_end_is_refused(blocks: int) -> None:
    data, iv = ciphers.of_baidu(NUMBER * 3, APP)
    require_refused(lambda: of_baidu(base64_text(base64.b64decode(data)[: -16 * blocks]), iv))
    data, iv = ciphers.of_wechat(NUMBER * 3)
    require_refused(lambda: of_wechat(base64_text(base64.b64decode(data)[: -16 * blocks]), iv))


@pytest.mark.attack("M4", "M7")
@pytest.mark.parametrize(
    "layout",
    [
        b"",
        bytes(16),
        bytes(20),
        bytes(16) + b"\0\0\0\x18" + NUMBER,
        bytes(16) + b"\0\0\0\x18" + NUMBER + b"baiduAppKey0002",
        bytes(16) + b"\0\0\0\x18" + NUMBER + APP.encode() + b"x",
        bytes(16) + b"\0\0\0\x17" + NUMBER + APP.encode(),
        bytes(16) + b"\0\0\0\x19" + NUMBER + APP.encode(),
        bytes(16) + b"\0\0\0\x27" + NUMBER + APP.encode(),
        bytes(16) + b"\xff\xff\xff\xff" + NUMBER + APP.encode(),
        bytes(16) + b"\x18\0\0\0" + NUMBER + APP.encode(),
        NUMBER + APP.encode(),
    ],
)
def test_a_layout_other_than_baidus_or_another_apps_is_refused_like_a_wrong_padding(layout: bytes) -> None:
    require_refused(lambda: of_baidu(base64_text(cbc(BAIDU_KEY, ZERO, padded(layout, 32)))))


def test_the_layout_of_baidu_is_the_one_described() -> None:
    layout = bytes(16) + b"\0\0\0\x18" + NUMBER + APP.encode()
    assert of_baidu(base64_text(cbc(BAIDU_KEY, ZERO, padded(layout, 32)))) == NUMBER


@pytest.mark.attack("M6")
@pytest.mark.parametrize("spelling", ["QUJDRB==", "QUJDRA=", "QUJDRA", "QUJD\nRA==", "QUJDRA== ", "QUJD-A=="])
def test_each_text_has_one_spelling(spelling: str) -> None:
    assert octets("QUJDRA==") == b"ABCD"
    with pytest.raises(Undecipherable):
        octets(spelling)


def test_the_size_of_a_key_and_an_iv_is_exact() -> None:
    assert octets(base64_text(bytes(16)), 16) == bytes(16)
    for size in (15, 17, 24, 32):
        with pytest.raises(Undecipherable):
            octets(base64_text(bytes(size)), 16)


def test_a_padding_may_be_as_long_as_its_own_block() -> None:
    text = padded(b"x" * 36, 32)
    assert plaintext(cbc(BAIDU_KEY, ZERO, text), key=base64.b64decode(BAIDU_KEY), iv=ZERO, block=32) == b"x" * 36
    with pytest.raises(Undecipherable):
        plaintext(cbc(BAIDU_KEY, ZERO, text), key=base64.b64decode(BAIDU_KEY), iv=ZERO, block=16)


@pytest.mark.req("OPS-2")
@pytest.mark.parametrize("text", ["", "hunter2", "c2FuZGJveA==", base64_text(bytes(32)), "中"])
def test_a_key_that_is_none_is_told_without_being_quoted(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        read_key(Secret(text), 16)
    assert str(caught.value) == "is no key of 16 bytes in Base64"
    assert read_key(Secret(f" {ALIPAY_KEY}\n"), 16) == bytes(range(0x20, 0x30))


# ----------------------------------------------------------------------------------------------------------- watermark


@pytest.mark.attack("M6")
@pytest.mark.parametrize(
    ("age", "fresh"),
    [(0, True), (600, True), (601, False), (-60, True), (-61, False), (10**9, False), (-(10**9), False)],
)
def test_a_text_of_wechat_is_good_for_ten_minutes(age: int, *, fresh: bool) -> None:
    now = 1_800_000_000
    assert wechat.Watermark("wx", now - age).is_fresh(now * SECOND) is fresh
    assert wechat.LIFETIME == 10 * MINUTE
