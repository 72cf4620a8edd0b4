"""Whom production speaks to: the vendors themselves, the authority by name, and nobody on this machine."""

from __future__ import annotations

from typing import Any

import pytest

from bjidp.config.outside import is_real_host
from tests.unit.config.test_loader import ALIPAY, faults, settings

SMS = {"account": "x", "password": "x", "signature": "京通"}
SHARED = "hunter2-hunter2-"
BAIDU = {"app_key": "x", "app_secret": "x", "aip_key": "x", "aip_secret": "x", "plan_id": 1}

NEIGHBOURS = (
    "192.168.1.5",
    "10.0.0.4",
    "172.16.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "0.0.0.0",  # noqa: S104 - an address that is refused
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "0",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "127.0.0.1.",
    "224.0.0.1",
    "255.255.255.255",
    "localhost",
    "localhost.",
    "LOCALHOST",
    "sandbox.localhost",
    "localhost.localdomain",
    "api.weixin.qq.com.",
    "[::]",
    "[::1]",
    "[fe80::1]",
    "[fd00::1]",
    "[ff02::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:8.8.8.8]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "１２７.0.0.1",
    "127。0。0。1",
    "%6cocalhost",
    "a..example",
)
"""Writings that reach this machine, its network or nobody."""


def bare(host: str) -> str:
    return host.removeprefix("[").removesuffix("]").lower()


@pytest.mark.req("OPS-2")
@pytest.mark.parametrize("host", NEIGHBOURS)
def test_no_writing_of_a_neighbour_is_a_real_host(host: str) -> None:
    assert not is_real_host(bare(host))


@pytest.mark.parametrize(
    "host",
    [
        "api.weixin.qq.com",
        "authority",
        "authority.internal",
        "8.8.8.8",
        "2001:4860:4860::8888",
        "a1.x2",
        "xn--fiq228c.cn",
    ],
)
def test_a_name_or_a_public_address_is_one(host: str) -> None:
    assert is_real_host(host)


@pytest.mark.req("OPS-2")
@pytest.mark.parametrize("host", NEIGHBOURS)
@pytest.mark.parametrize("place", ["wechat__base_url", "authority__base_url"])
def test_production_asks_no_neighbour(host: str, place: str) -> None:
    changes: dict[str, Any] = {place: f"https://{host}:9801/wechat"}
    told = faults(**changes)
    assert [fault.partition(":")[0] for fault in told] == [place.replace("__", ".")]


@pytest.mark.req("OPS-2")
@pytest.mark.parametrize(
    ("place", "url"),
    [
        ("wechat.base_url", "https://sandbox.example.com/wechat"),
        ("wechat.base_url", "https://api.weixin.qq.com.example.com"),
        ("wechat.base_url", "https://openapi.alipay.com"),
        ("alipay.gateway_url", "https://openapi-sandbox.dl.alipaydev.com/gateway.do"),
        ("baidu.base_url", "https://aip.baidubce.com"),
        ("baidu.aip_url", "https://spapi.baidu.com"),
        ("baidu.face_page_url", "https://brain.example.com/face/print/"),
        ("alipay_login.page_url", "https://openauth.example.com/login"),
        ("alipay_login.gateway_url", "https://openapi.example.com/gateway.do"),
        ("wechat_login.page_url", "https://api.weixin.qq.com"),
        ("wechat_login.base_url", "https://open.weixin.qq.com"),
        ("baidu_login.page_url", "https://openapi.example.com/oauth/2.0/authorize"),
        ("baidu_login.base_url", "https://spapi.baidu.com"),
        ("chuanglan.base_url", "https://sms.example.com"),
        ("chuanglan_second.base_url", "https://smssh1.253.com.example.com"),
    ],
)
def test_a_platform_is_asked_at_its_own_hosts_unless_another_is_named(place: str, url: str) -> None:
    section, field = place.split(".")
    sms = {**SMS, "base_url": "https://smssh1.253.com"}
    platforms: dict[str, Any] = {
        "alipay": dict(ALIPAY),
        "baidu": dict(BAIDU),
        "alipay_login": {name: value for name, value in ALIPAY.items() if name != "aes_key"},
        "wechat_login": {"app_id": "x", "app_secret": "x"},
        "baidu_login": {"client_id": "x", "client_secret": "x"},
        "chuanglan": dict(sms),
        "chuanglan_second": dict(sms),
    }
    changes: dict[str, Any] = (
        {**platforms, section: platforms[section] | {field: url}}
        if section in platforms
        else {**platforms, f"{section}__{field}": url}
    )
    (told,) = faults(**changes)
    assert told.startswith(f"{place}: production speaks to ")
    host = url.split("/")[2]
    assert told.endswith(f"names {host}")
    assert settings(**changes, server__outside_hosts=[host]).server.outside_hosts == [host]


def test_the_vendors_own_hosts_are_asked_as_they_are() -> None:
    read = settings(alipay=ALIPAY, baidu=BAIDU | {"base_url": "https://openapi.baidu.com"})
    assert read.baidu is not None
    assert read.baidu.base_url == "https://openapi.baidu.com"


@pytest.mark.parametrize("host", ["smssh1.253.com", "smsbj1.253.com", "smssh.253.com"])
def test_short_messages_go_to_any_of_the_vendors_hosts(host: str) -> None:
    read = settings(chuanglan={**SMS, "base_url": f"https://{host}"})
    assert read.chuanglan is not None
    assert read.chuanglan_second is None


@pytest.mark.parametrize("url", ["https://authority.internal", "https://authority", "https://8.8.8.8/authority"])
def test_the_authority_may_be_anywhere_by_name(url: str) -> None:
    assert settings(authority__base_url=url).authority.base_url == url


@pytest.mark.parametrize(
    "url", ["http://authority.internal", "https://user@authority.internal", "https://u:p@authority"]
)
def test_the_authority_is_asked_over_https_and_under_no_name_of_a_user(url: str) -> None:
    (told,) = faults(authority__base_url=url)
    assert told.startswith("authority.base_url: ")
    assert "user@" not in told


def section_of(register: str, url: str) -> dict[str, Any]:
    return {register: {"base_url": url, "key_id": "x", "secret": SHARED}}


@pytest.mark.parametrize("register", ["bank", "business_register"])
def test_bank_and_business_register_are_there_where_they_are_set_and_anywhere_by_name(register: str) -> None:
    assert getattr(settings(), register) is None
    read = getattr(settings(**section_of(register, "https://registers.internal/v1")), register)
    assert read.base_url == "https://registers.internal/v1"
    assert read.secret.text() == SHARED


@pytest.mark.req("OPS-2")
@pytest.mark.parametrize("register", ["bank", "business_register"])
@pytest.mark.parametrize(
    "url", ["http://registers.internal", "https://user@registers.internal", "https://127.0.0.1:8081/bank", "https://"]
)
def test_production_asks_bank_and_business_register_over_https_and_no_neighbour(register: str, url: str) -> None:
    (told,) = faults(**section_of(register, url))
    assert told.startswith(f"{register}.base_url: ")


@pytest.mark.req("OPS-2")
@pytest.mark.parametrize("register", ["bank", "business_register"])
def test_a_register_that_is_half_set_is_told_of(register: str) -> None:
    half: dict[str, Any] = {register: {"base_url": "https://registers.internal"}}
    told = faults(**half)
    assert told == (f"{register}.key_id: is missing", f"{register}.secret: is missing")


@pytest.mark.req("OPS-2")
@pytest.mark.parametrize("host", ["localhost", "127.1", "10.0.0.4", "https://gateway.example.com", "a/b", ""])
def test_naming_a_neighbour_on_purpose_does_not_help(host: str) -> None:
    told = faults(server__outside_hosts=[host])
    assert told == (f"server.outside_hosts: {host} is no name of a host on a network",)


def test_a_demonstration_asks_whom_it_likes() -> None:
    for host in ("127.0.0.1", "10.0.0.4", "localhost"):
        read = settings(server__environment="demo", wechat__base_url=f"http://{host}:8081/wechat")
        assert read.wechat is not None


@pytest.mark.parametrize("prefix", ["bjidp:", "", "a.b-c_d:9:"])
def test_a_prefix_for_redis_is_given_or_the_usual(prefix: str) -> None:
    assert settings(storage__redis_prefix=prefix).storage.redis_prefix == prefix
    assert settings().storage.redis_prefix == "bjidp:"


@pytest.mark.parametrize("prefix", ["{a}:", "a b", "京通:", "a\n"])
def test_a_prefix_that_would_spoil_keys_is_told(prefix: str) -> None:
    assert faults(storage__redis_prefix=prefix) == ("storage.redis_prefix: is made of letters, digits and :._-",)


@pytest.mark.req("OPS-2")
def test_production_hands_nobody_on_to_a_stand_in_of_the_national_platform() -> None:
    told = {
        "client_id": "x",
        "client_secret": "00112233445566778899aabbccddeeff",
        "url": "https://zwfw.example.cn/join",
    }
    read = settings(national_register=told).national_register
    assert read is not None
    assert (read.echo, read.known, read.refused) == ("data.request_id", [], [])
    for stand_in in ("http://zwfw.example.cn/join", "https://localhost/national"):
        (fault,) = faults(national_register=told | {"url": stand_in})
        assert fault == "national_register.url: production needs the real service, over https"


@pytest.mark.req("OPS-2")
@pytest.mark.parametrize("place", ["page_url", "token_url", "user_url"])
def test_production_sends_nobody_to_a_stand_in_of_the_national_platform(place: str) -> None:
    national = {
        "client_id": "x",
        "client_secret": "00112233445566778899aabbccddeeff",
        "page_url": "https://zwfw.example.cn/login",
        "token_url": "https://zwfw.example.cn/token",
        "user_url": "https://zwfw.example.cn/user",
    }
    read = settings(national_login=national).national_login
    assert read is not None
    assert read.cipher == "aes"
    for stand_in in ("http://zwfw.example.cn/login", "https://127.0.0.1:8081/national"):
        (told,) = faults(national_login=national | {place: stand_in})
        assert told == f"national_login.{place}: production needs the real service, over https"
