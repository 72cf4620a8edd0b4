"""Who is on the other end: addresses behind proxies, networks, and what a User-Agent is read as."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import cast
from unittest.mock import Mock

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from bjidp.throttle.source import Source
from bjidp.web.http.visitor import (
    FORWARDED_MAX,
    REMEMBERED_MAX,
    Address,
    Addresses,
    Network,
    NoAreas,
    Observer,
    counted_as,
    network_of,
    read_user_agent,
)

PROXIES = [ipaddress.ip_network(network) for network in ("10.0.0.0/8", "192.0.2.1/32", "2001:db8::/48")]
UNSPECIFIED = str(ipaddress.IPv4Address(0))
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
)


def a_request(peer: str | None, forwarded: Sequence[str] = (), **headers: str) -> web.Request:
    transport = Mock()
    transport.get_extra_info = lambda name: (peer, 1234) if name == "peername" and peer is not None else None
    fields = [("X-Forwarded-For", line) for line in forwarded] + list(headers.items())
    return make_mocked_request("GET", "/", headers=cast("dict[str, str]", fields), transport=transport)


def address(peer: str | None, *forwarded: str, trusted: Sequence[Network] = PROXIES) -> str:
    addresses, request = Addresses(trusted), a_request(peer, forwarded)
    return str(addresses.client(request.remote or "", addresses.chain(request)))


@pytest.mark.attack("T10")
@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("198.51.100.7", [], "198.51.100.7"),
        ("198.51.100.7", ["203.0.113.9"], "198.51.100.7"),
        ("10.1.2.3", [], "10.1.2.3"),
        ("10.1.2.3", ["203.0.113.9"], "203.0.113.9"),
        ("10.1.2.3", ["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
        ("10.1.2.3", ["1.1.1.1, 203.0.113.9, 10.9.9.9, 192.0.2.1"], "203.0.113.9"),
        ("10.1.2.3", ["1.1.1.1", "203.0.113.9", "10.9.9.9"], "203.0.113.9"),
        ("10.1.2.3", ["10.9.9.9, 10.8.8.8"], "10.9.9.9"),
        ("10.1.2.3", ["203.0.113.9, unknown"], "10.1.2.3"),
        ("10.1.2.3", ["203.0.113.9, "], "10.1.2.3"),
        ("10.1.2.3", ["203.0.113.9:4711"], "10.1.2.3"),
        ("10.1.2.3", ["203.0.113.9, unknown, 10.9.9.9"], "10.9.9.9"),
        ("10.1.2.3", ["<script>"], "10.1.2.3"),
        ("10.1.2.3", ["203.0.113.9\t"], "203.0.113.9"),
        ("::ffff:10.1.2.3", ["::ffff:203.0.113.9"], "203.0.113.9"),
        ("2001:db8::1", ["2001:db9::7"], "2001:db9::7"),
        ("2001:db8:1::1", ["203.0.113.9"], "2001:db8:1::1"),
        (None, ["203.0.113.9"], UNSPECIFIED),
        ("", ["203.0.113.9"], UNSPECIFIED),
    ],
)
def test_the_right_most_address_that_is_no_proxy_of_ours_counts(
    peer: str | None, forwarded: list[str], found: str
) -> None:
    assert address(peer, *forwarded) == found


@pytest.mark.attack("T10")
@given(st.lists(st.text(st.characters(codec="ascii", exclude_characters="\r\n\0"), max_size=40), max_size=20))
def test_whatever_a_client_writes_left_of_the_proxys_entry_counts_for_nothing(written: list[str]) -> None:
    assert address("10.1.2.3", *written, "203.0.113.9") == "203.0.113.9"


@pytest.mark.attack("T10")
@given(st.lists(st.text(max_size=40), max_size=8))
def test_without_trusted_proxies_nothing_is_believed(written: list[str]) -> None:
    assert address("198.51.100.7", *written, trusted=[]) == "198.51.100.7"


def test_a_chain_is_read_so_far_and_no_further() -> None:
    assert address("10.1.2.3", "203.0.113.9, " + ", ".join(["10.9.9.9"] * FORWARDED_MAX)) == "10.9.9.9"
    assert address("10.1.2.3", "203.0.113.9, " + ", ".join(["10.9.9.9"] * (FORWARDED_MAX - 1))) == "203.0.113.9"
    assert address("10.1.2.3", "x" * 100_000 + ", 203.0.113.9") == "203.0.113.9"


def test_an_ipv6_subscriber_counts_as_one() -> None:
    first, second = (ipaddress.ip_address(f"2001:db8:1:2::{host}") for host in ("1", "ffff"))
    assert counted_as(first) == counted_as(second) == "2001:db8:1:2::"
    assert counted_as(ipaddress.ip_address("2001:db8:1:3::1")) != counted_as(first)
    assert counted_as(ipaddress.ip_address("198.51.100.7")) == "198.51.100.7"


@given(st.ip_addresses())
def test_every_address_has_a_network_that_holds_it(found: Address) -> None:
    network = ipaddress.ip_network(network_of(found))
    assert found in network
    assert network.prefixlen == (24 if found.version == 4 else 56)
    assert ipaddress.ip_address(counted_as(found)).version == found.version


def test_an_observer_counts_by_keys_that_hold_no_address() -> None:
    def digests(*parts: str) -> tuple[bytes, ...]:
        return "|".join(parts).encode(), b"under another key"

    observer = Observer(
        Addresses(PROXIES),
        NoAreas(),
        digests,
        count_addresses=True,
        shared=[ipaddress.ip_network("203.0.113.0/24")],
    )
    request = a_request("10.1.2.3", ["203.0.113.9"], **{"User-Agent": CHROME})
    visitor = observer.visitor(request)
    assert visitor.source == Source(b"throttle.address|203.0.113.9".hex(), shared=True)
    assert (visitor.computer.browser, visitor.computer.os) == ("Chrome", "Windows")
    assert visitor.computer.network == b"network|203.0.113.0/24"
    assert visitor.computer.networks == (b"network|203.0.113.0/24", b"under another key")
    assert visitor.computer.area is None
    assert observer.area(request) is None
    assert observer.source(request) == visitor.source
    assert observer.source(a_request("198.51.100.7")).shared is False


@pytest.mark.attack("T10")
def test_what_is_remembered_of_one_client_is_told_of_no_other() -> None:
    observer = Observer(
        Addresses(PROXIES), NoAreas(), lambda *parts: ("|".join(parts).encode(),), count_addresses=True, shared=[]
    )
    asked = [("10.1.2.3", "203.0.113.9"), ("10.1.2.3", "198.51.100.7"), ("198.51.100.7", "203.0.113.9")]
    expected = ["203.0.113.9", "198.51.100.7", "198.51.100.7"]
    for _ in range(2):
        keys = [observer.source(a_request(peer, [forwarded])).key for peer, forwarded in asked]
        assert keys == [f"throttle.address|{address}".encode().hex() for address in expected]


@pytest.mark.attack("W9")
def test_what_is_too_long_to_be_remembered_is_read_all_the_same_and_not_kept() -> None:
    found: list[str] = []

    def digests(*parts: str) -> tuple[bytes, ...]:
        found.append("|".join(parts))
        return ("|".join(parts).encode(),)

    observer = Observer(Addresses(PROXIES), NoAreas(), digests, count_addresses=True, shared=[])
    long = a_request(
        "10.1.2.3", ["x" * REMEMBERED_MAX + ", 203.0.113.9"], **{"User-Agent": CHROME + " x" * REMEMBERED_MAX}
    )
    for _ in range(2):
        assert observer.visitor(long).computer.browser == "unknown"
        assert observer.source(long).key == b"throttle.address|203.0.113.9".hex()
    # Read anew at each of the four looks; what is short is read once.
    assert found.count("throttle.address|203.0.113.9") == 4
    for _ in range(2):
        observer.source(a_request("10.1.2.3", ["203.0.113.9"]))
    assert found.count("throttle.address|203.0.113.9") == 5


def test_under_load_no_address_is_counted() -> None:
    observer = Observer(Addresses([]), NoAreas(), lambda *_: (b"x",), count_addresses=False, shared=[])
    assert observer.source(a_request("198.51.100.7")).key is None


# ----------------------------------------------------------------------------------------------------------- User-Agent

MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"


@pytest.mark.req("LOG-2")
@pytest.mark.parametrize(
    ("text", "browser", "system"),
    [
        (CHROME, "Chrome", "Windows"),
        (f"{CHROME} Edg/130.0.0.0", "Edge", "Windows"),
        (f"{CHROME} OPR/114.0", "Opera", "Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0", "Firefox", "Linux"),
        (f"{MAC} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15", "Safari", "macOS"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1",
            "Safari",
            "iOS",
        ),
        (
            "Mozilla/5.0 (Linux; Android 14) Chrome/130.0 Mobile Safari/537.36 MicroMessenger/8.0",
            "WeChat",
            "Android",
        ),
        (
            "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/130.0 Safari/537.36",
            "Chrome",
            "ChromeOS",
        ),
    ],
)
def test_an_ordinary_browser_is_recognised(text: str, browser: str, system: str) -> None:
    assert read_user_agent(text) == (browser, system)


@pytest.mark.attack("P4")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "Safe - approve me",
        "首都之窗 官方",
        "\u202eemorhC",
        "🏛️ Chrome/130 Windows NT",
        "curl/8.5.0",
        f"{CHROME} \u202e",
        f"{CHROME} 🏛️",
        "Mozilla/5.0 (Windows NT 10.0) Chrome/130 " + "x" * 1024,
        "Mozilla/5.0 (" + "x" * 1024 + ") Chrome/130",
        f"{CHROME}\n",
        "mozilla/5.0 (Windows NT 10.0) Chrome/130",
    ],
)
def test_anything_unusual_is_unknown(text: str) -> None:
    assert read_user_agent(text) == ("unknown", "unknown")


BROWSERS = {"WeChat", "Alipay", "Baidu", "Edge", "Opera", "Firefox", "Chrome", "Safari", "unknown"}
SYSTEMS = {"Windows", "iOS", "iPadOS", "Android", "HarmonyOS", "macOS", "ChromeOS", "Linux", "unknown"}


@pytest.mark.attack("P4")
@given(st.one_of(st.text(max_size=1100), st.text(max_size=200).map(lambda text: f"Mozilla/5.0 (X11; Linux) {text}")))
def test_no_word_of_the_client_gets_through(text: str) -> None:
    browser, system = read_user_agent(text)
    assert browser in BROWSERS
    assert system in SYSTEMS
