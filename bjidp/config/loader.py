"""Reading the configuration, and telling everything that is wrong with it at once.

Owns the step from TOML and environment variables to :class:`bjidp.config.settings.Settings`. Secrets may be given as
``{ file = "path" }``, so that the file itself holds none.
"""

from __future__ import annotations

import os
import tomllib
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from bjidp.config.checks import check
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
