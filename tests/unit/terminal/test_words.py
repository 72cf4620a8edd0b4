"""What a terminal says is said in the language of whoever sits at it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Mapping
from importlib.resources import files

import pytest

from bjidp.terminal.words import CHINESE, ENGLISH, Said, Words, language

pytestmark = pytest.mark.req("UX-1", "RP-3")


@pytest.mark.parametrize(
    ("environment", "spoken"),
    [
        ({"LANG": "zh_CN.UTF-8"}, CHINESE),
        ({"LANG": "zh_TW"}, CHINESE),
        ({"LC_ALL": "zh_CN.GBK", "LANG": "en_GB.UTF-8"}, CHINESE),
        ({"LC_ALL": "C.UTF-8", "LANG": "zh_CN.UTF-8"}, ENGLISH),
        ({"LC_ALL": "", "LC_MESSAGES": "en_US", "LANG": "zh_CN.UTF-8"}, ENGLISH),
        ({}, ENGLISH),
    ],
)
def test_the_locale_decides(environment: Mapping[str, str], spoken: str) -> None:
    assert language(environment) == spoken


def test_both_languages_say_the_same_things() -> None:
    chinese, english = Words(CHINESE), Words(ENGLISH)
    assert list(chinese) == list(english)
    for key in english:
        assert _places(chinese, key) == _places(english, key), key


def test_whatever_is_said_has_words_and_no_words_are_left_over() -> None:
    folder, command = files("bjidp").joinpath("terminal"), files("bjidp").joinpath("commands", "terminal.py")
    read = [ast.parse(one.read_text("utf-8")) for one in (*folder.iterdir(), command) if one.name.endswith(".py")]
    texts = {node.value for tree in read for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    said = {text for text in texts if isinstance(text, str)}
    assert set(Words(ENGLISH)) <= said
    assert {text for text in said if re.fullmatch(r"(?:failed|kept|logged_in|where|ask|taken)\.\w+", text)} <= set(
        Words(ENGLISH)
    )


def test_a_failure_within_another_is_said_in_the_same_language() -> None:
    failed = Said("failed.half_out", failed=Said("failed.silent", url="https://id.example"))
    assert Words(CHINESE).of(failed).endswith("：https://id.example 没有应答")
    assert Words(ENGLISH).of(failed).endswith("at the server: https://id.example does not answer")


def _places(words: Words, key: str) -> set[str]:
    found: set[str] = set()

    class Noting(dict[str, str]):
        def __missing__(self, name: str) -> str:
            found.add(name)
            return name

    words._words[key] % Noting()
    return found


def test_whoever_logs_a_terminal_in_waits_for_nothing_of_a_server() -> None:
    loads = "import bjidp.commands.terminal, bjidp.terminal.login, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", loads], check=True, capture_output=True, text=True).stdout.split()
    assert {"sqlalchemy", "alembic", "jinja2", "bjidp.config.settings", "bjidp.sessions.ports"}.isdisjoint(loaded)
