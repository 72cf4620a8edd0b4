"""The vendors' published vectors against the sandbox's own cryptography, which no client shares."""

from __future__ import annotations

import base64

import pytest

from bjidp.sandbox.alipay import content, signing
from bjidp.sandbox.baidu import phone as baidu
from bjidp.sandbox.chuanglan import template
from bjidp.sandbox.people import numbers
from bjidp.sandbox.registers import signature
from bjidp.sandbox.wechat import phone as wechat
from bjidp.sandbox.wechat.face import cert_hash

ALIPAY_KEY = "ICEiIyQlJicoKSorLC0uLw=="
ALIPAY_PLAIN = '{"code":"10000","msg":"Success","mobile":"13800138000"}'
ALIPAY_CIPHER = "2sPx7rlBZ+y9dBDs9cn20BuSW1bfd392enwTocf8tJ66NHh2Q/Nxnxr2CgpIoSWVBY0C7PrLdXdEZVOMLp7V2Q=="


WECHAT_PLAIN = (
    b'{"openId":"oGZUI0egBJY1zhBYw2KhdUfwVJJE","nickName":"Band","gender":1,"language":"zh_CN","city":"Guangzhou",'
    b'"province":"Guangdong","country":"CN","avatarUrl":"http://wx.qlogo.cn/mmopen/vi_32/aSKcBBPpibyKNicHNTMM0qJVh'
    b'8Kjgiak2AHWr8MHM4WgMEm7GFhsf8OYrySdbvAMvTsw3mo8ibKicsnfN5pRjl1p8HQ/0","unionId":"ocMvos6NjeKLIBqg5Mr9QjxrP1F'
    b'A","watermark":{"timestamp":1477314187,"appid":"wx4f4bc4dec97d474b"}}'
)
WECHAT_CIPHER = (
    "CiyLU1Aw2KjvrjMdj8YKliAjtP4gsMZMQmRzooG2xrDcvSnxIMXFufNstNGTyaGS9uT5geRa0W4oTOb1WT7fJlAC+oNPdbB+3hVbJSRgv+4lGO"
    "ETKUQz6OYStslQ142dNCuabNPGBzlooOmB231qMM85d2/fV6ChevvXvQP8Hkue1poOFtnEtpyxVLW1zAo6/1Xx1COxFvrc2d7UL/lmHInNlxua"
    "cJXwu0fjpXfz/YqYzBIBzD6WUfTIF9GRHpOn/Hz7saL8xz+W//FRAUid1OksQaQx4CMs8LOddcQhULW4ucetDf96JcR3g0gfRK4PC7E/r7Z6xN"
    "rXd2UIeorGj5Ef7b1pJAYB6Y5anaHqZ9J6nKEBvB4DnNLIVWSgARns/8wR2SiRS7MNACwTyrGvt9ts8p12PKFdlqYTopNHR1Vf7XjfhQlVsAJd"
    "NiKdYmYVoKlaRv85IfVunYzO0IKXsyl7JCUjCpoG20f0a04COwfneQAGGwd5oa+T8yO5hzuyDb/XcxxmK01EpqOyuxINew=="
)

BAIDU_PLAIN = b'{"openid":"open_id","nickname":"baidu_user","headimgurl":"url of image","sex":1}'
BAIDU_CIPHER = (
    "OpCoJgs7RrVgaMNDixIvaCIyV2SFDBNLivgkVqtzq2GC10egsn+PKmQ/+5q+chT8xzldLUog2haTItyIkKyvzvmXonBQLIMeq54axAu9c3KG8I"
    "hpFD6+ymHocmx07ZKi7eED3t0KyIxJgRNSDkFk5RV1ZP2mSWa7ZgCXXcAbP0RsiUcvhcJfrSwlpsm0E1YJzKpYy429xrEEGvK+gfL+Cw=="
)


def test_wechat_encrypts_as_in_its_own_demonstration() -> None:
    key, iv = (base64.b64decode(text) for text in ("tiihtNczf5v6AKRyjwEUhQ==", "r7BXXKkLb8qrSNn05n0qiA=="))
    assert wechat.encrypted(key, iv, WECHAT_PLAIN) == WECHAT_CIPHER


def test_baidu_encrypts_as_in_its_documentation() -> None:
    key, iv = (base64.b64decode(text) for text in ("1df09d0a1677dd72b8325aec59576e0c", "1df09d0a1677dd72b8325Q=="))
    app_key = "y2dTfnWfkx2OXttMEMWlGHoB1KzMogm7"
    assert baidu.encrypted(key, iv, b"5d0aa9913c63765d", BAIDU_PLAIN, app_key) == BAIDU_CIPHER


def test_the_wechat_cert_hash_is_the_official_one() -> None:
    expected = "3c241f7ff324977aeb91f173bb2a7b06569e6fd784d5573db34a636d8671108b"
    assert cert_hash("IDENTITY_CARD", "张三", "310101199801011234") == expected


def test_the_alipay_text_to_sign_is_the_documented_one_and_leaves_out_sign_and_empty_values() -> None:
    parameters = {
        "version": "1.0",
        "app_id": "2021000000000001",
        "method": "alipay.system.oauth.token",
        "charset": "utf-8",
        "code": "4b203fe6c11548bcabd8da5bb087a83b",
        "format": "json",
        "grant_type": "authorization_code",
        "notify_url": "",
        "sign": "to be left out",
        "sign_type": "RSA2",
        "timestamp": "2024-01-02 03:04:05",
    }
    assert signing.string_to_sign(parameters) == (
        "app_id=2021000000000001&charset=utf-8&code=4b203fe6c11548bcabd8da5bb087a83b&format=json"
        "&grant_type=authorization_code&method=alipay.system.oauth.token&sign_type=RSA2"
        "&timestamp=2024-01-02 03:04:05&version=1.0"
    )


def test_alipay_content_is_encrypted_and_decrypted_as_documented() -> None:
    assert content.encrypt(ALIPAY_KEY, ALIPAY_PLAIN) == ALIPAY_CIPHER
    assert content.decrypt(ALIPAY_KEY, ALIPAY_CIPHER) == ALIPAY_PLAIN


@pytest.mark.parametrize("ciphertext", ["", "!", "AAAA", ALIPAY_CIPHER[:-24] + "AAAAAAAAAAAAAAAAAAAAAA=="])
def test_alipay_content_that_is_no_ciphertext_is_refused(ciphertext: str) -> None:
    with pytest.raises(content.NotDecryptable):
        content.decrypt(ALIPAY_KEY, ciphertext)


def test_the_registers_signature_is_hmac_sha256_over_time_line_feed_and_body() -> None:
    # Computed with openssl dgst -sha256 -hmac.
    assert signature("Jefe", "1700000000", b"{}") == (
        "753dcc0e598a27727081529f1014852d3958106c16845940e12f47facfab1583"
    )


def test_the_signature_of_chuanglans_template_calls_is_the_one_computed_with_openssl() -> None:
    assert template.signed("P4ssw0rd", "1700000000", "0123456789abcdef0123456789abcdef") == (
        "4047d9ab74206a73b4bce183c198d84b36b7fbdf8d03443e870f33e839438d60"
    )


@pytest.mark.parametrize(
    "number",
    ["11010519491231002X", "440524188001010014", "440308199901101512", "110101199003070011", "810000199408230021",
     "830000199201300022", "932682198501010017", "911840199003070014", "91139219881123013X"],
)  # fmt: skip
def test_published_18_character_numbers_have_the_check_digit_computed_here(number: str) -> None:
    assert numbers.check_digit_17(number[:17]) == number[17]


@pytest.mark.parametrize("number", ["KAZ110090123105", "CAN310188061504", "USA110190030719"])
def test_published_old_residence_cards_have_the_check_digit_computed_here(number: str) -> None:
    assert numbers.check_digit_14(number[:14]) == number[14]


@pytest.mark.parametrize("number", ["4111111111111111", "79927398713"])
def test_well_known_card_numbers_have_the_luhn_digit_computed_here(number: str) -> None:
    assert numbers.luhn_digit(number[:-1]) == number[-1]
