"""What is wrong with settings that are well-formed one by one.

Owns the rules between settings and the bounds of each, down to the files that are named. What only the rooms
themselves can tell, such as whether a vendor's key is one, is told when they are built, before anything is changed.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
import ssl
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bjidp.config import outside
from bjidp.config.settings import Settings
from bjidp.qrlogin.matrix import PrefixTooLong, version_for
from bjidp.site import BaseUrlFault, read_base_url

ROOT_KEY_BYTES: Final = 32

PORT_MAX: Final = 65_535

PREFIX: Final = re.compile(r"[A-Za-z0-9:._-]*", re.ASCII)
"""What may begin the keys in Redis: braces would choose a cluster's node for every key at once."""

BOUNDS: Final = {
    ("server", "listen_port"): (PORT_MAX, "since there are no more ports"),
    ("qr", "scan_seconds"): (60, "so that no ticket outlives its cap"),
    ("qr", "confirm_seconds"): (60, "so that no ticket outlives its cap"),
    ("qr", "redeem_seconds"): (30, "so that no ticket outlives its cap"),
    ("sessions", "lifetime_seconds"): (43_200, "since a login lasts twelve hours"),
    ("accounts", "link_probation_hours"): (8760, "a year"),
}
"""Numbers that must be more than zero, the most each may be, and why."""


def check(settings: Settings) -> list[str]:
    """Return every fault, one sentence each, beginning with the setting it is about."""
    faults = [
        *_address(settings),
        *_processes(settings),
        *_stores(settings),
        *_tls(settings),
        *_keys(settings),
        *_networks(settings),
        *_numbers(settings),
        *_services(settings),
    ]
    if settings.server.environment == "production":
        faults += _production(settings)
    return faults


def _address(settings: Settings) -> list[str]:
    try:
        site = read_base_url(settings.server.base_url)
    except BaseUrlFault as fault:
        return [f"server.base_url: {fault}"]
    faults: list[str] = []
    if not (site.secure or _is_loopback(site.url)):
        faults.append("server.base_url: a public host needs https")
    try:
        version_for(site.qr_prefix)
    except PrefixTooLong as fault:
        faults.append(f"server.base_url: {fault}")
    return faults


def _processes(settings: Settings) -> list[str]:
    if settings.server.workers < 1:
        return ["server.workers: at least one process is needed"]
    if settings.server.workers > 1 and settings.storage.redis_url is None:
        return ["server.workers: several processes need storage.redis_url, since they share tickets and signals"]
    return []


def _stores(settings: Settings) -> list[str]:
    # No fault repeats an address: it may hold a password.
    faults: list[str] = []
    database, redis = settings.storage.database_url, settings.storage.redis_url
    if not database.startswith(("sqlite:///", "postgresql+psycopg://", "postgresql://")):
        faults.append("storage.database_url: must begin with sqlite:/// or postgresql+psycopg://")
    elif database.removeprefix("sqlite:///") in {"", ":memory:"}:
        faults.append("storage.database_url: must name a file, since every thread has a connection of its own")
    elif not (database.startswith("sqlite:") or _is_whole(database)):
        faults.append("storage.database_url: is no address such as postgresql+psycopg://user@host:5432/name")
    if not PREFIX.fullmatch(settings.storage.redis_prefix):
        faults.append("storage.redis_prefix: is made of letters, digits and :._-")
    if redis is None:
        return faults
    if not redis.startswith(("redis://", "rediss://", "unix://")):
        faults.append("storage.redis_url: must begin with redis://, rediss:// or unix://")
    elif not _is_whole(redis):
        faults.append("storage.redis_url: is no address such as redis://host:6379/0")
    return faults


def _tls(settings: Settings) -> list[str]:
    certificate, key = settings.server.tls_certificate, settings.server.tls_key
    if (certificate is None) != (key is None):
        return ["server.tls_certificate, server.tls_key: one needs the other"]
    if certificate is None or key is None:
        return []
    named = {"tls_certificate": certificate, "tls_key": key}
    missing = [f"server.{name}: there is no file {path}" for name, path in named.items() if not Path(path).is_file()]
    if missing:
        return missing
    try:
        # A password of its own, or a key that is locked would ask for one at the terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
    except (OSError, ValueError):
        return ["server.tls_certificate, server.tls_key: are no certificate chain and its own unlocked key, in PEM"]
    return []


def _keys(settings: Settings) -> list[str]:
    faults: list[str] = []
    for version, root in settings.keys.roots.items():
        plain = version.isascii() and version.isdecimal() and not version.startswith("0")
        if not (plain and int(version) < 65536):  # noqa: PLR2004 - two bytes
            faults.append(f"keys.roots.{version}: versions are whole numbers from 1 to 65535")
        try:
            raw = base64.b64decode(root.reveal(), validate=True)
        except binascii.Error:
            faults.append(f"keys.roots.{version}: must be base64")
            continue
        if len(raw) != ROOT_KEY_BYTES:
            faults.append(f"keys.roots.{version}: must be {ROOT_KEY_BYTES} random bytes")
        elif len(set(raw)) < ROOT_KEY_BYTES // 4:
            faults.append(f"keys.roots.{version}: is no random key")
    if not settings.keys.roots:
        faults.append("keys.roots: at least one root key is needed")
    elif settings.keys.current is not None and str(settings.keys.current) not in settings.keys.roots:
        faults.append("keys.current: names a version that keys.roots does not have")
    return faults


def _networks(settings: Settings) -> list[str]:
    faults: list[str] = []
    for name, networks in (
        ("trusted_proxies", settings.networks.trusted_proxies),
        ("shared", settings.networks.shared),
    ):
        for network in networks:
            try:
                ipaddress.ip_network(network)
            except ValueError:
                faults.append(f"networks.{name}: {network} is no network such as 10.0.0.0/8")
    area = settings.networks.area_database
    if area is not None and not Path(area).is_file():
        faults.append(f"networks.area_database: there is no file {area}")
    return faults


def _numbers(settings: Settings) -> list[str]:
    faults: list[str] = []
    for (section, field), (most, reason) in BOUNDS.items():
        number = getattr(getattr(settings, section), field)
        if number <= 0:
            faults.append(f"{section}.{field}: must be more than zero")
        elif number > most:
            faults.append(f"{section}.{field}: at most {most}, {reason}")
    return faults


def _services(settings: Settings) -> list[str]:
    faults: list[str] = []
    if not (settings.wechat or settings.alipay or settings.baidu):
        faults.append("wechat, alipay, baidu: at least one platform is needed")
    pages = {"server.portal_url": settings.server.portal_url, "server.simulator_url": settings.server.simulator_url}
    for name, url in (outside.addresses(settings) | pages).items():
        if url is not None and not _is_web_address(url):
            faults.append(f"{name}: must begin with https:// or http:// and name a host")
    return faults


def _production(settings: Settings) -> list[str]:
    faults: list[str] = []
    server = settings.server
    if server.load:
        faults.append("server.load: limits cannot be lifted in production")
    if server.simulator_url is not None:
        faults.append("server.simulator_url: the phone simulator is for demonstrations")
    # An address that is none was told of already.
    if all(url is None or _is_web_address(url) for url in outside.addresses(settings).values()):
        faults += outside.refuse(settings)
    return faults


def _is_web_address(url: str) -> bool:
    parts = urlsplit(url) if _is_whole(url) else None
    return parts is not None and parts.scheme in {"http", "https"} and bool(parts.hostname)


def _is_whole(url: str) -> bool:
    """Tell whether an address can be taken apart, its port included, and has no blanks in it."""
    try:
        return urlsplit(url).port != 0 and url.isprintable() and " " not in url
    except ValueError:
        return False


def _is_loopback(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
