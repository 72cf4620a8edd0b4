"""What is wrong with settings that are well-formed one by one.

Owns the rules between settings and the bounds of each, down to the files and keys that are named; those of outside
services are in ``vendor_checks``. Called by ``loader``, also when some settings cannot be read. So rules are many and
small: one that needs such a setting is left out, and no other with it.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import ssl
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import maxminddb

from bjidp.config import outside, vendor_checks
from bjidp.config.settings import Settings, Unread
from bjidp.config.vendor_checks import PORT_MAX
from bjidp.qrlogin.matrix import PrefixTooLong, version_for
from bjidp.secret import Secret
from bjidp.site import BaseUrlFault, read_base_url
from bjidp.store_addresses import AddressFault, read_database_url, read_key_prefix, read_redis_url

ROOT_KEY_BYTES: Final = 32

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
    """Return every fault, one sentence each, beginning with the setting it is about.

    A setting that could not be read raises :class:`Unread` when it is asked for; that was told of already.
    """
    faults: list[str] = []
    for rule in RULES:
        try:
            faults += rule(settings)
        except Unread:
            continue
    return faults


def _address(settings: Settings) -> Iterator[str]:
    try:
        site = read_base_url(settings.server.base_url)
    except BaseUrlFault as fault:
        yield f"server.base_url: {fault}"
        return
    if not (site.secure or _is_loopback(site.url)):
        yield "server.base_url: a public host needs https"
    try:
        version_for(site.qr_prefix)
    except PrefixTooLong as fault:
        yield f"server.base_url: {fault}"


def _processes(settings: Settings) -> list[str]:
    if settings.server.workers < 1:
        return ["server.workers: at least one process is needed"]
    if settings.server.workers > 1 and settings.storage.redis_url is None:
        return [
            "server.workers: several processes need storage.redis_url (BJIDP_REDIS_URL): they share tickets and signals"
        ]
    return []


def _database(settings: Settings) -> list[str]:
    # No fault repeats an address: it may hold a password.
    try:
        read = read_database_url(settings.storage.database_url)
    except AddressFault as fault:
        return [f"storage.database_url: {fault}"]
    if read.get_backend_name() != "sqlite" or read.database is None:
        return []
    folder = Path(read.database).absolute().parent
    return [] if folder.is_dir() else [f"storage.database_url: there is no folder {folder}"]


def _redis(settings: Settings) -> Iterator[str]:
    if settings.storage.redis_url is not None:
        try:
            read_redis_url(settings.storage.redis_url)
        except AddressFault as fault:
            yield f"storage.redis_url: {fault}"


def _redis_prefix(settings: Settings) -> Iterator[str]:
    try:
        read_key_prefix(settings.storage.redis_prefix)
    except AddressFault as fault:
        yield f"storage.redis_prefix: {fault}"


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


def _roots(settings: Settings) -> Iterator[str]:
    if not settings.keys.roots:
        yield "keys.roots: at least one root key is needed"
    for version, root in settings.keys.roots.items():
        plain = version.isascii() and version.isdecimal() and not version.startswith("0")
        if not (plain and int(version) < 65536):  # noqa: PLR2004 - two bytes
            yield f"keys.roots.{version}: versions are whole numbers from 1 to 65535"
        words = _root_fault(root)
        if words is not None:
            yield f"keys.roots.{version}: {words}"


def _root_fault(root: Secret) -> str | None:
    try:
        raw = base64.b64decode(root.reveal(), validate=True)
    except binascii.Error:
        return "must be base64"
    if len(raw) != ROOT_KEY_BYTES:
        return f"must be {ROOT_KEY_BYTES} random bytes"
    return "is no random key" if len(set(raw)) < ROOT_KEY_BYTES // 4 else None


def _current_root(settings: Settings) -> list[str]:
    roots, current = settings.keys.roots, settings.keys.current
    if not roots or current is None or str(current) in roots:
        return []
    return ["keys.current: names a version that keys.roots does not have"]


def _networks(name: str, settings: Settings) -> Iterator[str]:
    for network in getattr(settings.networks, name):
        try:
            ipaddress.ip_network(network)
        except ValueError:
            yield f"networks.{name}: {network} is no network such as 10.0.0.0/8"


def _area_database(settings: Settings) -> list[str]:
    path = settings.networks.area_database
    if path is None:
        return []
    if not Path(path).is_file():
        return [f"networks.area_database: there is no file {path}"]
    try:
        maxminddb.open_database(path).close()
    except OSError as fault:
        return [f"networks.area_database: the file {path} cannot be read: {fault.strerror}"]
    except (ValueError, maxminddb.InvalidDatabaseError):
        return [f"networks.area_database: {path} is no address database"]
    return []


def _number(section: str, field: str, settings: Settings) -> list[str]:
    number = getattr(getattr(settings, section), field)
    most, reason = BOUNDS[section, field]
    if number <= 0:
        return [f"{section}.{field}: must be more than zero"]
    if number > most:
        return [f"{section}.{field}: at most {most}, {reason}"]
    return []


def _page_address(name: str, settings: Settings) -> list[str]:
    url = getattr(settings.server, name)
    return [] if url is None or outside.is_web_address(url) else [f"server.{name}: {outside.NO_WEB_ADDRESS}"]


def _no_lifted_limits(settings: Settings) -> list[str]:
    if settings.server.load and settings.server.environment == "production":
        return ["server.load: limits cannot be lifted in production"]
    return []


def _no_simulator(settings: Settings) -> list[str]:
    if settings.server.simulator_url is not None and settings.server.environment == "production":
        return ["server.simulator_url: the phone simulator is for demonstrations"]
    return []


RULES: Final[tuple[vendor_checks.Rule, ...]] = (
    _address,
    _processes,
    _database,
    _redis,
    _redis_prefix,
    _tls,
    _roots,
    _current_root,
    partial(_networks, "trusted_proxies"),
    partial(_networks, "shared"),
    _area_database,
    *(partial(_number, section, field) for section, field in BOUNDS),
    partial(_page_address, "portal_url"),
    partial(_page_address, "simulator_url"),
    _no_lifted_limits,
    _no_simulator,
    *vendor_checks.RULES,
)


def _is_loopback(url: str) -> bool:
    try:
        return outside.is_loopback_host(urlsplit(url).hostname or "")
    except ValueError:
        return False
