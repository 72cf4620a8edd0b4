"""Which outside services production may speak to.

Owns the vendors' own hosts and the rule of what is a host at all. Called by ``checks``. An identity server that took a
stand-in for the real service would believe whatever that says of a person (OPS-2), so the vendors are named here and
another host has to be named on purpose.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from bjidp.config.settings import Settings, Unread
from bjidp.store_addresses import is_whole

_CHUANGLAN: Final = frozenset({"smssh1.253.com", "smsbj1.253.com", "smssh.253.com"})

VENDORS: Final = {
    "wechat.base_url": frozenset({"api.weixin.qq.com"}),
    "alipay.gateway_url": frozenset({"openapi.alipay.com"}),
    "baidu.base_url": frozenset({"spapi.baidu.com", "openapi.baidu.com"}),
    "baidu.aip_url": frozenset({"aip.baidubce.com"}),
    "baidu.face_page_url": frozenset({"brain.baidu.com"}),
    "alipay_login.page_url": frozenset({"openauth.alipay.com"}),
    "alipay_login.gateway_url": frozenset({"openapi.alipay.com"}),
    "wechat_login.page_url": frozenset({"open.weixin.qq.com"}),
    "wechat_login.base_url": frozenset({"api.weixin.qq.com"}),
    "baidu_login.page_url": frozenset({"openapi.baidu.com"}),
    "baidu_login.base_url": frozenset({"openapi.baidu.com"}),
    "chuanglan.base_url": _CHUANGLAN,
    "chuanglan_second.base_url": _CHUANGLAN,
}
"""Each vendor's setting and the hosts its documentation names."""

REGISTERS: Final = (
    "authority.base_url",
    "bank.base_url",
    "business_register.base_url",
    "national_login.page_url",
    "national_login.token_url",
    "national_login.user_url",
    "national_register.url",
)
"""Settings of those that are wherever the operator says."""

_NAME: Final = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")

NO_WEB_ADDRESS: Final = "must begin with https:// or http:// and name a host"


def addresses(settings: Settings) -> dict[str, str]:
    """Return the addresses of the outside services by their settings, but for those that could not be read."""
    found: dict[str, str] = {}
    for name in (*VENDORS, *REGISTERS):
        section, _, field = name.partition(".")
        service = getattr(settings, section)
        if service is not None:
            with contextlib.suppress(Unread):
                found[name] = getattr(service, field)
    return found


def refuse(named: Sequence[str], services: Mapping[str, str]) -> Iterator[str]:
    """Yield what production refuses of ``services``, well-formed addresses by their settings, one sentence each.

    ``named`` are the hosts of ``server.outside_hosts``.
    """
    for host in named:
        if not is_real_host(host):
            yield f"server.outside_hosts: {host} is no name of a host on a network"
    for setting, url in services.items():
        parts = urlsplit(url)
        host = parts.hostname or ""
        vendors = VENDORS.get(setting)
        if parts.scheme != "https" or parts.username is not None or not is_real_host(host):
            yield f"{setting}: production needs the real service, over https"
        elif vendors is not None and host not in vendors and host not in named:
            known = " or ".join(sorted(vendors))
            yield f"{setting}: production speaks to {known} unless server.outside_hosts names {host}"


def is_host(host: str) -> bool:
    """Tell whether ``host`` is an address or a name in lower case, and nothing else."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return _NAME.fullmatch(host) is not None
    return True


def is_nobodys_host(host: str) -> bool:
    """Tell whether ``host`` is a name that is reserved for examples (RFC 2606, section 2)."""
    return host.rpartition(".")[2] == "example"


def is_real_host(host: str) -> bool:
    """Tell whether ``host`` is a name, or an address that the whole Internet knows by this writing.

    A name may lead to a private network. What is refused is what reaches this machine or its neighbours without a
    name, in any writing that some resolver takes: ``127.1``, ``0x7f000001``, ``localhost.`` (WHATWG URL, "ends in a
    number").
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        labels = host.split(".")
        return _NAME.fullmatch(host) is not None and _NUMBER.fullmatch(labels[-1]) is None and "localhost" not in labels
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is not None or address in _NAT64:
            return False
    return address.is_global and not address.is_multicast


def is_web_address(url: str) -> bool:
    """Tell whether ``url`` is a whole address of the web."""
    parts = urlsplit(url) if is_whole(url) else None
    return parts is not None and parts.scheme in {"http", "https"} and bool(parts.hostname)


def is_loopback_host(host: str) -> bool:
    """Tell whether ``host`` is this machine, as far as its name tells."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
