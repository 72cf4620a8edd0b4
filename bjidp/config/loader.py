"""Reading the configuration, and telling everything that is wrong with it at once.

Owns the step from TOML and environment variables to :class:`bjidp.config.settings.Settings`. Secrets may be given as
``{ file = "path" }``, so that the file itself holds none. What cannot be read of one setting hides nothing of another:
every rule of ``checks`` that can be asked is asked.
"""

from __future__ import annotations

import tomllib
import types
import typing
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final, Literal, cast

import msgspec

from bjidp.config.checks import check
from bjidp.config.settings import Settings, Unread
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
    overridden: dict[str, str] = {}
    for variable, (section, field) in ENVIRONMENT.items():
        value = environ.get(variable, "")
        if value:
            merged.setdefault(section, {})[field] = value
            overridden[f"{section}.{field}"] = variable
    sections: dict[str, object] = {}
    for name, hint in typing.get_type_hints(Settings).items():
        kind, optional = _struct_of(hint)
        given = merged.pop(name, None)
        if given is None and optional:
            sections[name] = None
            continue
        sections[name] = _section(name, kind, given or {}, beside, faults)
    faults += [f"{name}: there is no such section" for name in merged]
    # Each section is of its own type, or a _PartOfSection, which nobody but the rules of `check` ever asks.
    settings = Settings(**sections)  # type: ignore[arg-type]
    faults += check(settings)
    if faults:
        raise ConfigFaults([_by_variable(fault, overridden) for fault in faults])
    return settings


def _by_variable(fault: str, overridden: Mapping[str, str]) -> str:
    """Name the variable a faulty value came from: the file may be right."""
    setting, colon, words = fault.partition(": ")
    variable = overridden.get(setting)
    return fault if variable is None else f"{setting} ({variable}){colon}{words}"


def _struct_of(hint: object) -> tuple[type[msgspec.Struct], bool]:
    if isinstance(hint, types.UnionType):
        return _struct_of(typing.get_args(hint)[0])[0], True
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return hint, False
    raise TypeError("sections are structs")


class _PartOfSection:
    """A section of which some settings cannot be read; asking for one of those raises :class:`Unread`."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self.__dict__.update(values)

    def __getattr__(self, name: str) -> object:
        raise Unread(name)


def _section(
    name: str, kind: type[msgspec.Struct], given: Mapping[str, object], beside: Path, faults: list[str]
) -> object:
    values: dict[str, object] = {}
    known = {field.name: field for field in msgspec.structs.fields(kind)}
    faults += [f"{name}.{field}: there is no such setting" for field in given if field not in known]
    for field in known.values():
        setting = f"{name}.{field.name}"
        if field.name in given:
            try:
                values[field.name] = _value(setting, given[field.name], field.type, beside, faults)
            except _Unreadable as fault:
                faults.append(f"{setting}: {fault}")
        elif field.required:
            faults.append(f"{setting}: is missing")
        else:
            values[field.name] = (
                field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
            )
    return kind(**values) if len(values) == len(known) else _PartOfSection(values)


class _Unreadable(Exception):
    pass


def _value(setting: str, given: object, kind: object, beside: Path, faults: list[str]) -> object:
    if kind == dict[str, Secret] and isinstance(given, dict):
        return _secrets(setting, given, beside, faults)
    if kind is Secret or kind == (Secret | None):
        return _secret(given, beside)
    try:
        # Not strict, since what comes from the environment is always text.
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError:
        raise _Unreadable(f"must be {_wanted(kind)}") from None


class _PartOfTable(dict[str, Secret]):
    """A table of which some secrets cannot be read; asking for one of those raises :class:`Unread`."""

    def __init__(self, secrets: Mapping[str, Secret], unread: frozenset[str]) -> None:
        super().__init__(secrets)
        self._unread = unread

    def __bool__(self) -> bool:
        # A secret that was given is there, readable or not.
        return bool(len(self) or self._unread)

    def __contains__(self, key: object) -> bool:
        return key in self._unread or super().__contains__(key)

    def __missing__(self, key: str) -> Secret:
        if key in self._unread:
            raise Unread(key)
        raise KeyError(key)


def _secrets(setting: str, given: Mapping[str, object], beside: Path, faults: list[str]) -> dict[str, Secret]:
    secrets: dict[str, Secret] = {}
    unread: set[str] = set()
    for key, value in given.items():
        try:
            secrets[key] = _secret(value, beside)
        except _Unreadable as fault:
            faults.append(f"{setting}.{key}: {fault}")
            unread.add(key)
    return _PartOfTable(secrets, frozenset(unread)) if unread else secrets


def _secret(given: object, beside: Path) -> Secret:
    if isinstance(given, str) and given:
        return Secret(given)
    if not (isinstance(given, dict) and set(given) == {"file"}):
        raise _Unreadable('must be text or { file = "path" }')
    path = beside / str(given["file"])
    try:
        text = path.read_text(encoding="utf-8").strip()
    except OSError as fault:
        raise _Unreadable(f"the file {path} cannot be read: {fault.strerror}") from None
    except UnicodeDecodeError:
        raise _Unreadable(f"the file {path} is no text") from None
    if not text:
        raise _Unreadable(f"the file {path} is empty")
    return Secret(text)


def _wanted(kind: object) -> str:
    """Say in words what a setting takes."""
    plain = {str: "text", int: "a whole number", bool: "true or false", dict[str, Secret]: "a table of versions"}
    if isinstance(kind, types.UnionType):
        return _wanted(typing.get_args(kind)[0])
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return " or ".join(kind)
    if typing.get_origin(kind) is Literal:
        return " or ".join(typing.get_args(kind))
    if typing.get_origin(kind) is list:
        return f"a list of {'whole numbers' if typing.get_args(kind) == (int,) else 'texts'}"
    if typing.get_origin(kind) is dict and kind not in plain:
        return f"a table whose every value is {_wanted(typing.get_args(kind)[1])}"
    return plain[cast("type", kind)]
