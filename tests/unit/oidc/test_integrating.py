"""What docs/integrating.md tells integrators is so: its code is the examples', its tables are the program's."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bjidp.clock import DAY, HOUR, MINUTE, SECOND
from bjidp.oidc import errors, id_token
from bjidp.oidc.authorizing import PUSHED
from bjidp.oidc.client import Interface, Proof
from bjidp.oidc.errors import ProtocolError
from bjidp.oidc.grants import code, refreshing
from bjidp.oidc.metadata import read
from bjidp.oidc.scopes import CLAIMS
from bjidp.oidc.signing import AHEAD, ALGORITHM, BEHIND
from bjidp.oidc.tokens import ACCESS
from bjidp.sessions.authentication import Method
from bjidp.standing import Level

pytestmark = pytest.mark.req("RP-1")

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docs" / "integrating.md").read_text("utf-8")


OF_RESOURCE_SERVERS = {"insufficient_scope", "insufficient_user_authentication"}
"""What the example answers with (RFC 6750, RFC 9470)."""


def blocks(language: str) -> list[str]:
    """Return the code of one language."""
    return re.findall(rf"^ *```{language}\n(.*?)^ *```$", TEXT, re.MULTILINE | re.DOTALL)


def rows(first: str) -> Iterator[list[str]]:
    """Yield the cells of the table that begins with ``first``."""
    lines = TEXT.splitlines()
    start = next(number for number, line in enumerate(lines) if line.lstrip().startswith(f"| {first} |"))
    for line in lines[start + 2 :]:
        if not line.lstrip().startswith("|"):
            return
        yield [cell.strip() for cell in line.strip().strip("|").split("|")]


def words(cell: str) -> list[str]:
    """Return what a cell has in code."""
    return re.findall(r"`([^`]+)`", cell)


def test_every_piece_of_code_is_an_examples() -> None:
    examples = [path.read_text("utf-8") for path in (ROOT / "examples" / "python").glob("*.py")]
    found = blocks("python")
    assert len(found) == 3
    for block in found:
        assert any(block in example for example in examples), block


def test_every_program_it_names_is_there() -> None:
    named = set(re.findall(r"\]\(\.\./(examples/[^)]+)\)", TEXT))
    assert {"examples/python/site.py", "examples/python/resource_server.py", "examples/curl/login.sh"} < named
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_what_was_tried_is_in_the_tests() -> None:
    tests = {path.name for path in (ROOT / "tests" / "interop").glob("test_*.py")}
    told = {name for *_, test in rows("flow") for name in words(test)}
    assert told == tests


def test_what_is_to_be_registered_can_be() -> None:
    site, integrated = (read("c", json.loads(metadata)) for metadata in blocks("json"))
    assert (site.name, site.proof) == ("示例网站", Proof.CLIENT_SECRET_BASIC)
    assert (integrated.id, integrated.interface) == ("100100000001", Interface.BEIJING)


def test_each_scope_tells_what_is_said() -> None:
    said = {words(scope)[0]: words(tells) for scope, tells in rows("scope")}
    assert said == {
        scope.value: [claim.value for claim in claims] or (["sub"] if scope == "openid" else [])
        for scope, claims in CLAIMS.items()
    }


def test_each_level_and_each_way_is_told() -> None:
    assert [words(level)[0] for level, _ in rows("`acr`")] == [level.name for level in Level]
    assert all(f"`{method.value}`" in TEXT for method in Method)


def test_each_error_says_what_to_do() -> None:
    known = {
        error.error
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, ProtocolError) and error is not ProtocolError
    }
    told = [name for error, _ in rows("`error`") for name in words(error)]
    assert sorted(told) == sorted(known | OF_RESOURCE_SERVERS)


def test_each_time_is_the_programs() -> None:
    lives = {name: lasts for name, lasts, _ in rows("what")}
    assert lives == {
        "pushed request": f"{PUSHED // SECOND} s",
        "code": f"{code.LIFETIME // SECOND} s",
        "ID token": f"{id_token.LIFETIME // MINUTE} minutes",
        "access token": "an hour",
        "refresh token": f"{refreshing.LONGEST // DAY} days in all",
    }
    assert (ACCESS, AHEAD, BEHIND, ALGORITHM) == (HOUR, 7 * DAY, 2 * DAY, "ES256")
