"""Reading the configuration, and telling everything that is wrong with it at once.

Owns the step from TOML and environment variables to :class:`bjidp.config.settings.Settings`. Secrets may be given as
``{ file = "path" }``, so that the file itself holds none.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import os
import tomllib
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from bjidp.config.settings import Settings
from bjidp.secret import Secret

ENVIRONMENT: Final = {
    "BJIDP_BASE_URL": ("server", "base_url"),
    "BJIDP_DATABASE_URL": ("storage", "database_url"),
    "BJIDP_REDIS_URL": ("storage", "redis_url"),
    "WORKERS": ("server", "workers"),
    "LOAD": ("server", "load"),
}
"""Environment variables and the setting each one overrides."""

ROOT_KEY_BYTES: Final = 32


class ConfigFaults(Exception):
    """Everything that is wrong with a configuration, one sentence a fault."""

    def __init__(self, faults: list[str]) -> None:
        """List the faults."""
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


def system_environment() -> Mapping[str, str]:
    """Return the environment variables of this process: the one place that reads them."""
    return os.environ


def load(path: Path, environ: Mapping[str, str]) -> Settings:
    """Read the file at ``path`` and the environment; raise :class:`ConfigFaults` with every fault."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise ConfigFaults([f"the file {path} cannot be read: {fault.strerror}"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise ConfigFaults([f"the file {path} is no TOML: {fault}"]) from None
    return read(table, environ, beside=path.parent)


def read(table: Mapping[str, object], environ: Mapping[str, str], *, beside: Path) -> Settings:
    """Return the settings of a TOML table; secrets in files are looked for relative to ``beside``."""
    faults: list[str] = []
    merged: dict[str, dict[str, object]] = {}
    for name, section in table.items():
        if isinstance(section, dict):
            merged[name] = dict(section)
        else:
            faults.append(f"{name}: must be a section, [{name}]")
    for variable, (section, field) in ENVIRONMENT.items():
        value = environ.get(variable, "")
        if value:
            merged.setdefault(section, {})[field] = value
    sections: dict[str, msgspec.Struct | None] = {}
    for name, hint in typing.get_type_hints(Settings).items():
        kind, optional = _struct_of(hint)
        given = merged.pop(name, None)
        if given is None and optional:
            sections[name] = None
            continue
        sections[name] = _section(name, kind, given or {}, beside, faults)
    faults += [f"{name}: there is no such section" for name in merged]
    if faults:
        raise ConfigFaults(faults)
    settings = Settings(**sections)  # type: ignore[arg-type]  # each section was built by its own type above
    faults = check(settings)
    if faults:
        raise ConfigFaults(faults)
    return settings


def check(settings: Settings) -> list[str]:
    """Return what is wrong with settings that are well-formed one by one."""
    faults: list[str] = []
    server, storage = settings.server, settings.storage
    production = server.environment == "production"
    if server.workers < 1:
        faults.append("server.workers: at least one process is needed")
    if server.workers > 1 and storage.redis_url is None:
        faults.append("server.workers: several processes need storage.redis_url, since they share tickets and signals")
    if not storage.database_url.startswith(("sqlite:///", "postgresql+psycopg://", "postgresql://")):
        faults.append("storage.database_url: must begin with sqlite:/// or postgresql+psycopg://")
    if storage.redis_url is not None and not storage.redis_url.startswith(("redis://", "rediss://", "unix://")):
        faults.append("storage.redis_url: must begin with redis://, rediss:// or unix://")
    if not (settings.wechat or settings.alipay or settings.baidu):
        faults.append("wechat, alipay, baidu: at least one platform is needed")
    if (server.tls_certificate is None) != (server.tls_key is None):
        faults.append("server.tls_certificate, server.tls_key: one needs the other")
    faults += _keys(settings)
    faults += _networks(settings)
    faults += _positive(settings)
    if production:
        faults += _production(settings)
    return faults


def _production(settings: Settings) -> list[str]:
    faults: list[str] = []
    server = settings.server
    if not server.base_url.startswith("https://") and not _is_loopback(server.base_url):
        faults.append("server.base_url: a public host needs https")
    if server.load:
        faults.append("server.load: limits cannot be lifted in production")
    if server.simulator_url is not None:
        faults.append("server.simulator_url: the phone simulator is for demonstrations")
    outside = {
        "wechat.base_url": settings.wechat and settings.wechat.base_url,
        "alipay.gateway_url": settings.alipay and settings.alipay.gateway_url,
        "baidu.base_url": settings.baidu and settings.baidu.base_url,
        "baidu.aip_url": settings.baidu and settings.baidu.aip_url,
        "baidu.face_page_url": settings.baidu and settings.baidu.face_page_url,
        "authority.base_url": settings.authority.base_url,
    }
    for name, url in outside.items():
        if url and (not url.startswith("https://") or _is_loopback(url)):
            faults.append(f"{name}: production needs the real service, over https")
    return faults


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


def _positive(settings: Settings) -> list[str]:
    numbers = {
        "qr.scan_seconds": settings.qr.scan_seconds,
        "qr.confirm_seconds": settings.qr.confirm_seconds,
        "qr.redeem_seconds": settings.qr.redeem_seconds,
        "sessions.lifetime_seconds": settings.sessions.lifetime_seconds,
        "accounts.link_probation_hours": settings.accounts.link_probation_hours,
    }
    faults = [f"{name}: must be more than zero" for name, number in numbers.items() if number <= 0]
    longest = {"qr.scan_seconds": 60, "qr.confirm_seconds": 60, "qr.redeem_seconds": 30}
    faults += [f"{name}: at most {most}, so that no ticket outlives its cap"
               for name, most in longest.items() if numbers[name] > most]  # fmt: skip
    return faults


def _is_loopback(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _struct_of(hint: object) -> tuple[type[msgspec.Struct], bool]:
    if isinstance(hint, types.UnionType):
        return _struct_of(typing.get_args(hint)[0])[0], True
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return hint, False
    raise TypeError("sections are structs")


def _section(
    name: str, kind: type[msgspec.Struct], given: Mapping[str, object], beside: Path, faults: list[str]
) -> msgspec.Struct | None:
    values: dict[str, object] = {}
    before = len(faults)
    known = {field.name: field for field in msgspec.structs.fields(kind)}
    faults += [f"{name}.{field}: there is no such setting" for field in given if field not in known]
    for field in known.values():
        if field.name not in given:
            if field.required:
                faults.append(f"{name}.{field.name}: is missing")
            continue
        try:
            values[field.name] = _value(given[field.name], field.type, beside)
        except (msgspec.ValidationError, _Unreadable) as fault:
            faults.append(f"{name}.{field.name}: {fault}")
    return kind(**values) if len(faults) == before else None


class _Unreadable(Exception):
    pass


def _value(given: object, kind: object, beside: Path) -> object:
    def secret(wanted: type, raw: object) -> object:
        if wanted is not Secret:
            raise NotImplementedError
        if isinstance(raw, str) and raw:
            return Secret(raw)
        if isinstance(raw, dict) and set(raw) == {"file"}:
            try:
                text = (beside / str(raw["file"])).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError):
                raise _Unreadable("the file it names cannot be read") from None
            if not text:
                raise _Unreadable("the file it names is empty")
            return Secret(text)
        raise _Unreadable('must be text or { file = "path" }')

    # Not strict, since what comes from the environment is always text.
    return msgspec.convert(given, kind, strict=False, dec_hook=secret)
