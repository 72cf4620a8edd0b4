"""Who is on the other end, as far as the server itself can see.

Owns the client's address behind trusted proxies, the network it belongs to, the area it lies in, and the reading of
``User-Agent`` into closed lists. Nothing here repeats text that the client chose (attack P4).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Protocol, TypeAlias

from aiohttp import web
from msgspec import Struct

from bjidp.accounts.surface import Surface
from bjidp.qrlogin.pages import Visitor
from bjidp.qrlogin.ticket import Area, Computer
from bjidp.throttle.source import Source

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

REMEMBERED = 2048
"""Clients whose facts are remembered, 0.5 KiB each. A login asks six times within some seconds, at 40 µs a time when
they are not: this many cover half a minute of seventy logins a second, more than one process makes."""

REMEMBERED_MAX = 256
"""Characters of ``X-Forwarded-For`` and ``User-Agent`` up to which what was read in them is remembered."""

FORWARDED_MAX = 32
"""Entries of ``X-Forwarded-For`` that are read, from the right: no chain of ours is longer."""


class AreaBook(Protocol):
    """Knows where addresses are."""

    def area_of(self, address: Address) -> Area | None:
        """Return the area an address lies in, or None when it is not known."""
        ...


class NoAreas:
    """For servers without an address database: every place is unknown, and is shown as such."""

    def area_of(self, address: Address) -> Area | None:
        """Return None."""
        return None


class Addresses:
    """Finds the client's address (attack T10).

    It is the peer's, unless the peer is a trusted proxy: then the right-most entry of ``X-Forwarded-For`` that is
    not itself one. Entries left of it were written by the client and count for nothing.
    """

    def __init__(self, trusted_proxies: Sequence[Network]) -> None:
        """Trust only these networks to forward for others."""
        self._trusted = tuple(trusted_proxies)

    def chain(self, request: web.Request) -> str:
        """Return what the request says of where it comes from; nothing where no proxy is trusted."""
        return ",".join(request.headers.getall("X-Forwarded-For", ())) if self._trusted else ""

    def peer(self, remote: str) -> Address | None:
        """Return the address of a connection's other end; None for a trusted proxy, which forwards for others."""
        address = _read(remote) or ipaddress.IPv4Address(0)
        return None if self._is_trusted(address) else address

    def client(self, remote: str, chain: str) -> Address:
        """Return the client's address; the unspecified one when the peer has none, as over a Unix socket."""
        found = _read(remote) or ipaddress.IPv4Address(0)
        if self._is_trusted(found):
            for entry in reversed(chain.split(",")[-FORWARDED_MAX:]):
                address = _read(entry.strip())
                if address is None:
                    break
                found = address
                if not self._is_trusted(address):
                    break
        return found

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


def counted_as(address: Address) -> str:
    """Return what limits count an address as: itself for IPv4, its /64 for IPv6 (one subscriber has a whole one)."""
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((address, 64), strict=False).network_address)
    return str(address)


def network_of(address: Address) -> str:
    """Return the network an address is remembered by: its /24, or its /56 for IPv6."""
    bits = 56 if isinstance(address, ipaddress.IPv6Address) else 24
    return str(ipaddress.ip_network((address, bits), strict=False))


_BROWSERS = (
    ("MicroMessenger/", "WeChat"),
    ("AlipayClient/", "Alipay"),
    ("baiduboxapp/", "Baidu"),
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Chromium/", "Chrome"),
    ("Version/", "Safari"),
)
_SYSTEMS = (
    ("Windows NT", "Windows"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Android", "Android"),
    ("HarmonyOS", "HarmonyOS"),
    ("OpenHarmony", "HarmonyOS"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
_LIKE_A_BROWSER = re.compile(r"Mozilla/5\.0 \([\x20-\x7e]{1,200}\)[\x20-\x7e]{0,300}")


def read_user_agent(text: str) -> tuple[str, str]:
    """Return browser and operating system as words of a closed list, ``unknown`` for anything unusual."""
    if not _LIKE_A_BROWSER.fullmatch(text):
        return "unknown", "unknown"
    browser = next((name for mark, name in _BROWSERS if mark in text), "unknown")
    system = next((name for mark, name in _SYSTEMS if mark in text), "unknown")
    return browser, system


_PHONES = re.compile(r"iPhone|Android[^)]*\).{0,200} Mobile|HarmonyOS.{0,200} (?:Mobile|Phone)|\(Phone;")


def is_phone(request: web.Request) -> bool:
    """Tell whether the browser says that it is on a phone: such a one is led to the pages made for phones."""
    return _PHONES.search(request.headers.get("User-Agent", "")[: REMEMBERED_MAX * 2]) is not None


def on_h5(request: web.Request) -> bool:
    """Tell whether the page is one for phones."""
    return request.path.startswith("/h5/")


def surface_of(request: web.Request) -> Surface:
    """Return which of the two kinds of page the request is for."""
    return Surface.H5 if on_h5(request) else Surface.PC


def at(request: web.Request, path: str) -> str:
    """Return a path of this site among the pages of the kind that the request is for."""
    return f"/h5{path}" if on_h5(request) else path


class _Facts(Struct, frozen=True, kw_only=True):
    """What follows from an address alone."""

    source: Source
    networks: tuple[bytes, ...]
    area: Area | None


class Observer:
    """Reads requests into the facts the features work with."""

    def __init__(
        self,
        addresses: Addresses,
        areas: AreaBook,
        digests: Callable[..., tuple[bytes, ...]],
        *,
        count_addresses: bool,
        shared: Sequence[Network],
    ) -> None:
        """``digests(label, *parts)`` are the keyed digests of the privacy room, the current one first.

        ``count_addresses`` is off under LOAD=1; ``shared`` are networks behind which many people sit.
        """
        self._shared = tuple(shared)
        self._addresses = addresses
        self._areas = areas
        self._digests = digests
        self._count = count_addresses
        self._facts: Callable[[str, str], _Facts] = lru_cache(REMEMBERED)(self._find_facts)
        self._peers: Callable[[str], Source | None] = lru_cache(REMEMBERED)(self._find_peer)
        self._agents: Callable[[str], tuple[str, str]] = lru_cache(REMEMBERED)(read_user_agent)

    def source(self, request: web.Request) -> Source:
        """Return what limits by address count the client as."""
        return self._of(request).source

    def peer(self, remote: str) -> Source | None:
        """Return what the other end of a connection is counted as, before it has said anything.

        None for a trusted proxy: its connections are other people's.
        """
        return self._peers(remote)

    def area(self, request: web.Request) -> Area | None:
        """Return where the client is, if that is known."""
        return self._of(request).area

    def visitor(self, request: web.Request) -> Visitor:
        """Return who asks for a QR code, and what a ticket remembers of the computer that shows it."""
        facts = self._of(request)
        agent = request.headers.get("User-Agent", "")
        browser, system = self._agents(agent) if len(agent) <= REMEMBERED_MAX else read_user_agent(agent)
        network, *others = facts.networks
        return Visitor(Computer(browser, system, network, facts.area, tuple(others)), facts.source)

    def _of(self, request: web.Request) -> _Facts:
        chain = self._addresses.chain(request)
        # What is long is read each time: it is the client's to write, and memory is ours.
        find = self._facts if len(chain) <= REMEMBERED_MAX else self._find_facts
        return find(request.remote or "", chain)

    def _find_peer(self, remote: str) -> Source | None:
        address = self._addresses.peer(remote)
        return None if address is None else self._source(address)

    def _source(self, address: Address) -> Source:
        return Source(
            key=self._digests("throttle.address", counted_as(address))[0].hex() if self._count else None,
            shared=any(address in network for network in self._shared),
        )

    def _find_facts(self, remote: str, chain: str) -> _Facts:
        address = self._addresses.client(remote, chain)
        return _Facts(
            source=self._source(address),
            networks=self._digests("network", network_of(address)),
            area=self._areas.area_of(address),
        )


def _read(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


OBSERVER = web.AppKey("observer", Observer)
"""Where an application keeps what knows its visitors, for connections that have not asked for anything yet."""
