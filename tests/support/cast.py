"""Who tests of identities are about, and where they go: one synthetic person of each document and story, five places.

Owns the parameters by which a test says what it covers: :func:`played` gives every test of a row the whole cast, and
:func:`cells` reads off a module again which rows, places, documents and stories its tests are about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from types import FunctionType, ModuleType
from typing import Any, Final

import pytest
from msgspec import Struct

from bjidp.sandbox.people import Person
from bjidp.sandbox.people.population import population

PARAMETERS: Final = ("place", "who")


class Place(StrEnum):
    """Where somebody proves who they are: the two kinds of pages, and the mini-program on each platform."""

    PC = "pc"
    H5 = "h5"
    WECHAT = "wechat"
    ALIPAY = "alipay"
    BAIDU = "baidu"


PAGES: Final = (Place.PC, Place.H5)
PHONES: Final = (Place.WECHAT, Place.ALIPAY, Place.BAIDU)


class Cell(Struct, frozen=True, order=True):
    """One thing that a test shows: a row of docs/requirements.md, at a place, with a kind of document and a story."""

    row: str
    place: str
    document: str
    story: str
    for_life: bool


def cast() -> list[Person]:
    """Return one person of each document and story, and one whose document has no end."""
    found: dict[tuple[str, str, bool], Person] = {}
    for person in population().values():
        found.setdefault((person.document_type, person.story, person.valid_to is None), person)
    return list(found.values())


def played(*places: Place, by: Iterable[Person] | None = None) -> pytest.MarkDecorator:
    """Run a test at each of ``places`` with each person of the cast, or with those of ``by``."""
    everybody = cast() if by is None else list(by)
    return staged(dict.fromkeys(places, everybody))


def staged(people_at: Mapping[Place, Iterable[Person]]) -> pytest.MarkDecorator:
    """Run a test at each place with the persons there."""
    return pytest.mark.parametrize(
        PARAMETERS,
        [pytest.param(place, who, id=f"{place}-{who.id}") for place, those in people_at.items() for who in those],
    )


def people(*ids: str) -> list[Person]:
    """Return persons by their ids."""
    everybody = population()
    return [everybody[name] for name in ids]


def cells(*modules: ModuleType) -> set[Cell]:
    """Return what the tests of modules show, by their marks and parameters."""
    return {cell for module in modules for test in _tests(module) for cell in _cells(module, test)}


def _tests(module: ModuleType) -> Iterator[FunctionType]:
    for name, value in vars(module).items():
        if name.startswith("test_") and isinstance(value, FunctionType) and value.__module__ == module.__name__:
            yield value


def _cells(module: ModuleType, test: FunctionType) -> Iterator[Cell]:
    common = getattr(module, "pytestmark", [])
    marks: list[pytest.Mark] = [
        *getattr(test, "pytestmark", []),
        *(each.mark for each in (common if isinstance(common, list) else [common])),
    ]
    rows = [str(row) for mark in marks if mark.name == "req" for row in mark.args]
    for mark in marks:
        if mark.name == "parametrize" and mark.args[0] == PARAMETERS:
            for parameter in mark.args[1]:
                place, who = parameter.values
                for row in rows:
                    yield _cell(row, place, who)


def _cell(row: str, place: Place, who: Any) -> Cell:  # noqa: ANN401 - a person; what else fails here
    return Cell(row, place.value, who.document_type.value, who.story.value, who.valid_to is None)
