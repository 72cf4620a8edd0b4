"""Whatever code, tests and documents cite by an id or a section is there to be read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.test_repository import texts

DOCS = Path(__file__).resolve().parents[2] / "docs"

REQUIREMENT = re.compile(r"\b(?:REG|LOG|REC|RNV|ACC|FAQ|RP|ORG|SES|PRV|UX|OPS)-\d+\b")

ATTACK = r"(?:[QPWTORBMU]\d{1,2}|F\d)"
ATTACKS = rf"{ATTACK}(?:(?:, | and | to |-){ATTACK})*"
CITED_ATTACKS = re.compile(
    "|".join(
        [
            rf"\battacks?\s+(?:\#\s*)?({ATTACKS})\b",
            rf"\(((?:[^()\n]*, )?{ATTACKS})[);]",
            r"mark\.attack\(([^)]*)\)",
            rf"^\| ({ATTACK}) \|",
            rf"\*\*({ATTACKS})\b",
        ]
    ),
    re.MULTILINE,
)
RANGE = re.compile(rf"({ATTACK})(?: to |-)({ATTACK})")

SECTIONS = re.compile(r"\bwire\.md,?\s+(?:\#\s*)?(?:sections?\s+(?:\#\s*)?)?(\d+(?:(?:, | and | to )\d+)*)")


def attacks(text: str) -> Iterator[str]:
    """Find every attack that a text cites; of a range, all that lie in it."""
    for found in CITED_ATTACKS.finditer(text):
        cited = next(group for group in found.groups() if group is not None)
        yield from re.findall(rf"(?<!\w){ATTACK}(?!\w)", cited)
        for first, last in RANGE.findall(cited):
            yield from (f"{first[0]}{number}" for number in range(int(first[1:]), int(last[1:])))


def requirements(text: str) -> Iterator[str]:
    """Find every requirement that a text cites."""
    yield from REQUIREMENT.findall(text)


def sections(text: str) -> Iterator[str]:
    """Find every section of the wire that a text cites."""
    for cited in SECTIONS.findall(text):
        numbers = [int(number) for number in re.findall(r"\d+", cited)]
        yield from (str(number) for number in (range(numbers[0], numbers[-1] + 1) if " to " in cited else numbers))


KINDS = {
    "requirement": (requirements, "requirements.md", rf"^\| ({REQUIREMENT.pattern}) \|"),
    "attack": (attacks, "attacks.md", rf"^\| ({ATTACK}) \|"),
    "section of the wire": (sections, "wire.md", r"^## (\d+)\."),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_cited_is_written_down(kind: str) -> None:
    find, document, row = KINDS[kind]
    known = re.findall(row, (DOCS / document).read_text("utf-8"), re.MULTILINE)
    assert len(known) == len(set(known))
    missing = {
        f"{name} cites {cited}"
        for name, text in texts().items()
        # Icons are drawn with the letters and numbers that attacks are called by.
        if name.endswith((".py", ".md", ".toml"))
        for cited in find(text)
        if cited not in known
    }
    assert not missing, f"docs/{document} has no " + "; no ".join(sorted(missing))


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        ("not ours (attacks\n    W2 to W4, Q28).", ["W2", "W4", "Q28", "W2", "W3"]),
        ("# lost (attack\n# Q6), and again", ["Q6"]),
        ("One answer for all (Q22).", ["Q22"]),
        ("ids (Q1-Q3, P9)", ["Q1", "Q3", "P9", "Q1", "Q2"]),
        ('@pytest.mark.attack("Q4", "T1")', ["Q4", "T1"]),
        ("| W9 | number of frames |", ["W9"]),
        ("- **Q15, W9.** The cap", ["Q15", "W9"]),
        ("(PRV-1, attack B7)", ["B7"]),
        ('the link "M2" of 5 MB', []),
    ],
)
def test_attacks_are_found_however_they_are_cited(text: str, cited: list[str]) -> None:
    assert sorted(set(attacks(text))) == sorted(set(cited))


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        ("(wire.md, sections 2 to 4)", ["2", "3", "4"]),
        ("(wire.md,\n    section 3; RFC 9457)", ["3"]),
        ("wire.md, sections 3 and 4.", ["3", "4"]),
        ('(wire.md 3, "Face and accounts" (4))', ["3"]),
        ("wire.md and no more", []),
    ],
)
def test_sections_are_found_however_they_are_cited(text: str, cited: list[str]) -> None:
    assert list(sections(text)) == cited
