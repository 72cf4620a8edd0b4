"""Every error has a status and words, and every word has an error."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import bjidp
from bjidp.errors import BjidpError
from bjidp.web.server.problems import STATUS
from bjidp.web.words.texts import Texts

CATALOGUES = sorted(path.parts[-3] for path in (Path(bjidp.__file__).parent / "locale").glob("*/LC_MESSAGES/bjidp.po"))


def codes() -> set[str]:
    """Return the code of every error there is, in every room but the sandbox."""
    for module in pkgutil.walk_packages(bjidp.__path__, "bjidp."):
        if not module.name.startswith(("bjidp.sandbox", "bjidp.__main__", "bjidp.storage.sql.migrations")):
            importlib.import_module(module.name)
    return {kind.code for kind in _below(BjidpError) if hasattr(kind, "code")}


def _below(kind: type[BjidpError]) -> Iterator[type[BjidpError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _below(child)


def test_every_error_has_a_status_and_every_status_an_error() -> None:
    assert codes() == set(STATUS)


def test_an_error_is_the_clients_or_the_servers() -> None:
    assert all(400 <= status < 600 for status in STATUS.values())
    assert {code for code, status in STATUS.items() if status >= 500} == {
        "appeals_full",
        "internal_error",
        "mail_not_offered",
        "service_unavailable",
        "sms_not_offered",
        "too_busy",
        "vendor_unavailable",
    }


@pytest.mark.req("UX-1", "UX-5")
@pytest.mark.parametrize("language", CATALOGUES)
def test_every_error_says_what_is_wrong_and_what_to_do_next(language: str) -> None:
    texts = Texts.load(language)
    missing = [key for code in STATUS for key in (f"problem.{code}", f"problem.next.{code}") if key not in texts]
    assert missing == []
    for code in STATUS:
        title, following = texts.plain(f"problem.{code}"), texts.plain(f"problem.next.{code}")
        assert title.strip()
        assert following.strip()
        assert title != following
        assert "%" not in title + following


@pytest.mark.parametrize("language", CATALOGUES)
def test_no_words_are_kept_for_errors_that_are_gone(language: str) -> None:
    worded = {found[1] for key in Texts.load(language) if (found := re.fullmatch(r"problem\.next\.(\w+)", key))}
    assert worded == set(STATUS)
