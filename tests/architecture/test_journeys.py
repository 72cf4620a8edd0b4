"""No row about who somebody is goes without a test at any place, with any document, in any story.

What there has to be comes from docs/requirements.md and from the sandbox's own people; what there is, from the marks
and parameters of the tests. A row, a kind of document, a story or a platform that is new makes this fail until it is
walked, and so does a journey that goes.
"""

from __future__ import annotations

import re
from typing import Final

import pytest

from bjidp.platforms import Platform
from bjidp.sandbox.people import DocumentType, Story
from tests.architecture.test_citations import DOCS
from tests.browser import test_face as faces
from tests.browser import test_identity_stories as in_a_browser
from tests.support.cast import PAGES, PHONES, Cell, Place, cast, cells
from tests.web import test_identity_stories as over_http

PLACES: Final = {
    "REG-4": (Place.PC,),
    "REG-5": (Place.H5,),
    "REG-7": PHONES,
    "LOG-7": PHONES,
    "RNV-1": (*PAGES, *PHONES),
    "RNV-2": PAGES,
    "RNV-3": PHONES,
    "RNV-4": PAGES,
    "RNV-5": PAGES,
    "RNV-6": PAGES,
    "RNV-7": (*PAGES, *PHONES),
    "RNV-8": (),
    "RNV-9": (),
    "RNV-10": (*PAGES, *PHONES),
}
"""Where each row happens; nowhere, for a row that no document changes.

RNV-3 begins at a computer, and what differs is the phone beside it.
"""


def rows() -> set[str]:
    """Return the ids of the rows that a person's document is about."""
    text = (DOCS / "requirements.md").read_text("utf-8")
    return set(re.findall(r"^\| (RNV-\d+|REG-[457]|LOG-7) \|", text, re.MULTILINE))


def test_it_is_known_where_each_row_happens() -> None:
    assert rows() == set(PLACES), "PLACES says where a row happens: () where it is all the same who somebody is"


def test_the_cast_has_every_document_and_every_story() -> None:
    assert {who.document_type for who in cast()} == set(DocumentType)
    assert {who.story for who in cast()} == set(Story)
    assert {place.value for place in PHONES} == {platform.value for platform in Platform}


@pytest.mark.parametrize("row", PLACES)
def test_a_row_is_tested_with_every_document_and_story_at_every_place(row: str) -> None:
    wanted = {
        Cell(row, place.value, who.document_type.value, who.story.value, who.valid_to is None)
        for place in PLACES[row]
        for who in cast()
    }
    missing = wanted - cells(over_http)
    assert not missing, "nothing shows " + "; ".join(map(str, sorted(missing)))


@pytest.mark.parametrize("row", [row for row, places in PLACES.items() if places])
def test_a_row_is_walked_in_a_browser_at_every_place(row: str) -> None:
    walked = {cell.place for cell in cells(in_a_browser, faces) if cell.row == row}
    assert {place.value for place in PLACES[row]} <= walked


@pytest.mark.parametrize("place", PHONES)
def test_every_document_and_story_opens_jingtong_in_a_browser_on_each_platform(place: Place) -> None:
    walked = {(cell.row, cell.document, cell.story) for cell in cells(in_a_browser) if cell.place == place.value}
    wanted = {(row, who.document_type.value, who.story.value) for row in ("REG-7", "LOG-7") for who in cast()}
    assert wanted <= walked


@pytest.mark.parametrize("place", PAGES)
def test_every_document_is_typed_into_both_kinds_of_page_in_a_browser(place: Place) -> None:
    walked = {
        (cell.document, cell.for_life)
        for cell in cells(in_a_browser)
        if (cell.row, cell.place) == ("RNV-2", place.value)
    }
    assert {(who.document_type.value, who.valid_to is None) for who in cast()} <= walked
