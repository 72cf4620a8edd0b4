"""The stores of a database are put together once in a run, and copied for each test that opens one.

Putting them together builds half a thousand statements, which takes 20 ms however often it was done before. What comes
of it depends on the database's dialect and on the keys alone, but for four things that every store is given: engine,
keyring, entropy and clock. A copy has its own objects throughout, and the four it was opened with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from functools import lru_cache
from types import FunctionType, MethodType
from typing import Any, Final

import pytest
from sqlalchemy import ClauseElement
from sqlalchemy.engine import Dialect

from bjidp.clock import Clock
from bjidp.entropy import Entropy
from bjidp.privacy.keyring import Keyring
from bjidp.privacy.sealing import Sealing
from bjidp.storage.sql import catalog
from bjidp.storage.sql.catalog import SqlStores
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.statements import Statement

AS_SHIPPED: Final = catalog.assemble
_FIXED: Final = (str, bytes, int, float, bool, type(None), Enum, Statement, ClauseElement, Dialect)
"""What nobody changes, so that copies share it."""
_COPIED: Final = ("bjidp.storage.sql.", "bjidp.privacy.")
"""Where the classes are whose objects are copied."""
_NOBODYS: Final = tuple(object() for _ in range(4))
"""What stands for engine, keyring, entropy and clock where stores are only copied from."""
_LABEL: Final = "stencil of the tests"
"""What a key is derived for by which two are known to be the same."""


class Stencils:
    """What has been put together so far."""

    def __init__(self) -> None:
        """Have nothing."""
        self._made: dict[object, SqlStores] = {}

    def assemble(self, engine: SqlEngine, keyring: Keyring, entropy: Entropy, clock: Clock) -> SqlStores:
        """Do as :func:`bjidp.storage.sql.catalog.assemble` does."""
        given = (engine, keyring, entropy, clock)
        # What is sealed while they are put together is opened by the same keys alone.
        keys = [(one, keyring.suite(one).name, keyring.derive(one, _LABEL)) for one in keyring.versions]
        kind = (engine.dialect.name, keyring.current, *keys)
        if kind not in self._made:
            self._made[kind] = _copied(AS_SHIPPED(engine, keyring, entropy, clock), given, _NOBODYS)
        return _copied(self._made[kind], _NOBODYS, given)


class _Copy:
    """One copy of everything that hangs together."""

    def __init__(self, old: Sequence[Any], new: Sequence[Any]) -> None:
        """Put ``new`` in the place of ``old``: engine, keyring, entropy and clock."""
        self._known = {id(before): after for before, after in zip(old, new, strict=True)}
        _, self._keyring, self._entropy, _ = new

    def of(self, value: Any) -> Any:  # noqa: ANN401 - whatever stores are made of
        """Return the copy of ``value``; raise :class:`TypeError` for what may hold on to the engine of another test."""
        if id(value) in self._known:
            return self._known[id(value)]
        if isinstance(value, _FIXED):
            return value
        kind = type(value)
        if kind is dict:
            return {key: self.of(part) for key, part in value.items()}
        if kind in {tuple, list}:
            return kind(self.of(part) for part in value)
        if kind is MethodType:
            return MethodType(value.__func__, self.of(value.__self__))
        if kind is FunctionType and value.__closure__ is None:
            return value
        if hasattr(value, "cache_parameters"):
            return lru_cache(**value.cache_parameters())(self.of(value.__wrapped__))
        if kind is Sealing:
            # It keeps the ciphers that it has made.
            copied = self._known[id(value)] = Sealing(self._keyring, self._entropy)
            return copied
        if not kind.__module__.startswith(_COPIED) or not hasattr(value, "__dict__"):
            raise TypeError(f"a store holds a {kind.__qualname__}, of which nobody knows how to copy it")
        copied = self._known[id(value)] = object.__new__(kind)
        vars(copied).update({name: self.of(part) for name, part in vars(value).items()})
        return copied


def _copied(stores: SqlStores, old: Sequence[Any], new: Sequence[Any]) -> SqlStores:
    copy = _Copy(old, new)
    return SqlStores(**{name: copy.of(getattr(stores, name)) for name in SqlStores.__struct_fields__})


@pytest.fixture(scope="session", autouse=True)
def assembled_once() -> Iterator[None]:
    """Put stores together once, for the whole run."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(catalog, "assemble", Stencils().assemble)
        yield
