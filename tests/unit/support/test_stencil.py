"""Stores that are copied are what :func:`bjidp.storage.sql.catalog.assemble` makes, and nobody else's."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import AsyncIterator
from types import FunctionType, ModuleType

import pytest
from sqlalchemy import ClauseElement

from bjidp.clock import ManualClock
from bjidp.entropy import SystemEntropy
from bjidp.privacy.fields import FieldCipher
from bjidp.privacy.keyring import Keyring, RootKey
from bjidp.privacy.sealing import Sealing
from bjidp.secret import Secret
from bjidp.storage.sql.audit import SqlAuditLog
from bjidp.storage.sql.catalog import SqlStores
from bjidp.storage.sql.database.engine import SqlEngine, open_engine
from bjidp.storage.sql.database.sqlite import SqliteEngine
from bjidp.storage.sql.database.statements import Statement
from tests.support.stencil import AS_SHIPPED, Stencils

OURS = "bjidp.storage.sql."
SHARED = (type, ModuleType, FunctionType, ClauseElement, Statement)


class Given:
    """What stores are opened with."""

    def __init__(self, root: str = "r" * 32) -> None:
        self.engine = open_engine("sqlite:///nowhere.db")
        self.keyring = Keyring([RootKey(1, Secret(root))])
        self.entropy = SystemEntropy()
        self.clock = ManualClock()

    @property
    def all(self) -> tuple[object, ...]:
        return (self.engine, self.keyring, self.entropy, self.clock)

    def stores(self, stencils: Stencils) -> SqlStores:
        return stencils.assemble(self.engine, self.keyring, self.entropy, self.clock)

    async def close(self) -> None:
        await self.engine.close()


@pytest.fixture
async def first() -> AsyncIterator[Given]:
    given = Given()
    yield given
    await given.close()


@pytest.fixture
async def second() -> AsyncIterator[Given]:
    given = Given()
    yield given
    await given.close()


def held(stores: SqlStores) -> dict[int, object]:
    """Return everything that stores hold, by its identity; what they share is not looked into."""
    found: dict[int, object] = {}
    ahead: list[object] = [stores]
    while ahead:
        one = ahead.pop()
        if id(one) in found or isinstance(one, SHARED):
            continue
        found[id(one)] = one
        # What one engine has in common with another, such as its loop, is none of a store's.
        if not isinstance(one, SqliteEngine):
            ahead += gc.get_referents(one)
    return found


def shape(stores: SqlStores) -> Counter[str]:
    """Return how many of each class of ours there are."""
    kinds = (type(one) for one in held(stores).values())
    return Counter(kind.__qualname__ for kind in kinds if kind.__module__.startswith(OURS))


def test_a_copy_has_all_that_was_put_together_and_holds_what_it_was_opened_with(first: Given, second: Given) -> None:
    stencils = Stencils()
    one, other = first.stores(stencils), second.stores(stencils)
    fresh = AS_SHIPPED(second.engine, second.keyring, second.entropy, second.clock)
    assert shape(one) == shape(other) == shape(fresh)
    assert all(id(given) in held(other) for given in second.all)
    assert not [given for given in first.all if id(given) in held(other)]
    for name in SqlStores.__struct_fields__:
        assert type(getattr(other, name)) is type(getattr(fresh, name))


def test_two_copies_have_nothing_in_common_that_could_change(first: Given, second: Given) -> None:
    stencils = Stencils()
    one, other = held(first.stores(stencils)), held(second.stores(stencils))
    changing = [thing for thing in one.values() if type(thing).__module__.startswith(OURS)]
    assert len(changing) > 100
    assert not [thing for thing in changing if id(thing) in other]


async def test_what_is_sealed_in_one_is_opened_by_its_own_keys() -> None:
    stencils = Stencils()
    for root in ("r" * 32, "s" * 32, "r" * 32):
        given = Given(root)
        nobody = given.stores(stencils).members._finding._nobody
        cipher = FieldCipher(Sealing(given.keyring, given.entropy))
        assert cipher.open("account", "username", "nobody", nobody[3]) == "nobody"
        await given.close()


def test_what_may_hold_on_to_another_engine_is_refused(first: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    stencils = Stencils()
    opened = SqlAuditLog.__init__

    def closed_over(self: SqlAuditLog, engine: SqlEngine) -> None:
        opened(self, engine)
        self._ping = lambda patience: (engine, patience)  # type: ignore[attr-defined]

    monkeypatch.setattr(SqlAuditLog, "__init__", closed_over)
    with pytest.raises(TypeError, match="a store holds a function"):
        first.stores(stencils)
