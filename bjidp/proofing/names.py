"""Names of persons: what is accepted, how it is kept, how two are compared (RNV-10). Pure.

A name is kept as it was written: no Unicode normalisation, which would replace characters that GB 18030 has, and
so send the authority another name than the document bears. Only what a keyboard adds is put right: spaces, the
many dots, full-width letters.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

from bjidp.person import Person
from bjidp.proofing.characters import (
    FULL_STOPS,
    FULL_WIDTH_LETTERS,
    GB18030_2022,
    LATIN_PUNCTUATION,
    SEPARATOR,
    SEPARATOR_VARIANTS,
    SPACES,
    is_combining,
    is_han,
    is_latin,
    is_private,
)
from bjidp.proofing.faults import Fault, Unacceptable

LONGEST = 100
"""Code points: the notice asks for 50, passports of long Latin names need more."""

_TYPED_LONGEST = 4 * LONGEST
_MARKS_ON_A_LETTER = 2
_SPACE = re.compile(f"[{SPACES}]+")
_DOTS = str.maketrans(dict.fromkeys(SEPARATOR_VARIANTS, SEPARATOR))


def written_name(typed: str) -> str:
    """Return the name as it is kept; raise :class:`Unacceptable`.

    Accepted are Han characters of every block and private use, Latin letters with their marks and punctuation,
    and the separator ``·``. Control, bidirectional and zero-width characters are refused, not dropped: an
    invisible character is never what a person meant to write.
    """
    if len(typed) > _TYPED_LONGEST:
        raise Unacceptable(Fault.TOO_LONG)
    name = typed.translate(FULL_WIDTH_LETTERS).translate(_DOTS).strip(SPACES)
    latin = any(is_latin(character) for character in name)
    # 张 三 is 张三 with a space typed for looks; in a Latin name the space separates its parts.
    name = _SPACE.sub(" " if latin else "", name)
    name = name.replace(f" {SEPARATOR}", SEPARATOR).replace(f"{SEPARATOR} ", SEPARATOR)
    if not name:
        raise Unacceptable(Fault.EMPTY)
    if len(name) > LONGEST:
        raise Unacceptable(Fault.TOO_LONG)
    _check_characters(name, latin=latin)
    _check_separators(name)
    return name


def comparison_key(name: str) -> str:
    """Return a key that two spellings of one name share: compatibility and private-use characters, case and spaces.

    For comparing alone; never stored in place of the name, never sent to anybody.
    """
    folded = unicodedata.normalize("NFKC", name.translate(GB18030_2022).translate(_DOTS)).casefold()
    return unicodedata.normalize("NFKC", _SPACE.sub("", folded))


def is_same(one: Person, other: Person) -> bool:
    """Tell whether both are one person by one document, however a rare character in the name is written."""
    return is_same_document(one, other) and comparison_key(one.name) == comparison_key(other.name)


def is_same_document(one: Person, other: Person) -> bool:
    """Tell whether both are stated by one document. People change their names: whose it is by now, its issuer knows."""
    return (one.document_type, one.number) == (other.document_type, other.number)


def has_rare_character(name: str) -> bool:
    """Tell whether the name has a Han character beyond GB 2312, which registers may hold under a stand-in (2.4)."""
    return any(is_private(character) or (is_han(character) and not _common(character)) for character in name)


def _common(character: str) -> bool:
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _check_characters(name: str, *, latin: bool) -> None:
    marks = 0
    for before, character in pairwise(f" {name}"):
        if is_combining(character):
            marks += 1
            if marks > _MARKS_ON_A_LETTER or not (is_latin(before) or is_combining(before)):
                raise Unacceptable(Fault.CHARACTER)
            continue
        marks = 0
        if is_han(character) or is_latin(character) or character == SEPARATOR:
            continue
        if not latin and character in FULL_STOPS:
            raise Unacceptable(Fault.SEPARATOR)
        if not (latin and (character == " " or character in LATIN_PUNCTUATION)):
            raise Unacceptable(Fault.CHARACTER)
    if not latin and not any(is_han(character) for character in name):
        raise Unacceptable(Fault.SEPARATOR)
    if name[0] in "-.,":
        raise Unacceptable(Fault.CHARACTER)


def _check_separators(name: str) -> None:
    if name.startswith(SEPARATOR) or name.endswith(SEPARATOR) or SEPARATOR * 2 in name:
        raise Unacceptable(Fault.SEPARATOR)
