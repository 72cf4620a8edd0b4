"""What docs/beijing-profile.md tells sites of the city's own interface is so (RP-5)."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from aiohttp import web

from bjidp.clock import MINUTE, SECOND
from bjidp.config import settings
from bjidp.oidc.beijing import errors, service
from bjidp.oidc.beijing.errors import BeijingError
from bjidp.oidc.beijing.sealing import WINDOW, is_secret
from bjidp.oidc.client import Interface
from bjidp.oidc.grants import code
from bjidp.oidc.metadata import BEIJING, read
from bjidp.web.oidc.beijing import BASE, BeijingEndpoints

pytestmark = pytest.mark.req("RP-5")

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docs" / "beijing-profile.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    """Return the code of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def rows(first: str) -> Iterator[list[str]]:
    """Yield the cells of the table that begins with ``first``."""
    lines = TEXT.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {first} |"))
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.strip("|").split("|")]


def test_every_piece_of_code_is_the_examples() -> None:
    example = (ROOT / "examples" / "curl" / "beijing.sh").read_text("utf-8")
    found = blocks("sh")
    assert len(found) == 2
    assert [block for block in found if block not in example] == []


def test_what_is_to_be_configured_and_registered_can_be() -> None:
    [configured] = blocks("toml")
    assert msgspec.convert(tomllib.loads(configured)["beijing"], settings.Beijing).enabled
    assert not settings.Beijing().enabled
    [metadata] = map(json.loads, blocks("json"))
    assert read("c", metadata).interface is Interface.BEIJING
    assert is_secret(metadata["client_secret"])
    assert [member for member in BEIJING if f'"{member}"' not in TEXT and f"`{member}`" not in TEXT] == []


def test_each_address_is_there_by_the_methods_it_has() -> None:
    app = web.Application()
    BeijingEndpoints(beijing=cast("Any", None), observer=cast("Any", None), throttle=cast("Any", None)).mount(app)
    mounted: dict[str, list[str]] = {}
    for route in app.router.routes():
        assert route.resource is not None
        mounted.setdefault(route.resource.canonical.removeprefix(BASE), []).append(route.method)
    told = {address.strip("`"): methods.split(", ") for address, methods, _ in rows("address below `/renzheng`")}
    assert told == mounted


def test_each_number_says_what_to_do() -> None:
    known = [error.number for error in BeijingError.__subclasses__() if error.__module__ == errors.__name__]
    assert [int(number.strip("`")) for number, *_ in rows("`meta.code`")] == [0, *sorted(known)]


def test_each_time_is_the_programs() -> None:
    lasts = {what.strip("`"): time for what, time in rows("what")}
    assert lasts["code"].startswith(f"{code.LIFETIME // SECOND} s,")
    assert lasts["auth_token"].startswith(f"{WINDOW // MINUTE} minutes before and after")
    assert lasts["access token"].startswith(f"{service.LIFETIME // MINUTE} minutes,")
