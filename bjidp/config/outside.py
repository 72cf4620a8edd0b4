"""Which outside services production may speak to.

Owns the vendors' own hosts and the rule of what is a host at all. Called by ``checks``. An identity server that took a
stand-in for the real service would believe whatever that says of a person (OPS-2), so the platforms are named here and
another host has to be named on purpose.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit

from bjidp.config.settings import Settings

VENDORS: Final = {
    "wechat.base_url": frozenset({"api.weixin.qq.com"}),
    "alipay.gateway_url": frozenset({"openapi.alipay.com"}),
    "baidu.base_url": frozenset({"spapi.baidu.com", "openapi.baidu.com"}),
    "baidu.aip_url": frozenset({"aip.baidubce.com"}),
    "baidu.face_page_url": frozenset({"brain.baidu.com"}),
}
"""Each platform's setting and the hosts its documentation names. The authority is wherever the operator says."""

_NAME: Final = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


def addresses(settings: Settings) -> dict[str, str | None]:
    """Return every address of an outside service by its setting; None for a platform that is not there."""
    wechat, alipay, baidu = settings.wechat, settings.alipay, settings.baidu
    return {
        "wechat.base_url": None if wechat is None else wechat.base_url,
        "alipay.gateway_url": None if alipay is None else alipay.gateway_url,
        "baidu.base_url": None if baidu is None else baidu.base_url,
        "baidu.aip_url": None if baidu is None else baidu.aip_url,
        "baidu.face_page_url": None if baidu is None else baidu.face_page_url,
        "authority.base_url": settings.authority.base_url,
    }


def refuse(settings: Settings) -> list[str]:
    """Return what production refuses of the outside services, one sentence each; their addresses are well-formed."""
    named = settings.server.outside_hosts
    faults = [
        f"server.outside_hosts: {host} is no name of a host on a network" for host in named if not is_real_host(host)
    ]
    for setting, url in addresses(settings).items():
        if url is None:
            continue
        parts = urlsplit(url)
        host = parts.hostname or ""
        vendors = VENDORS.get(setting)
        if parts.scheme != "https" or parts.username is not None or not is_real_host(host):
            faults.append(f"{setting}: production needs the real service, over https")
        elif vendors is not None and host not in vendors and host not in named:
            known = " or ".join(sorted(vendors))
            faults.append(f"{setting}: production speaks to {known} unless server.outside_hosts names {host}")
    return faults


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
