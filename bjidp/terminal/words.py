"""What a terminal says, in the language of whoever sits at it (UX-1).

Owns the choice of the language, and failures that have words. The catalogues are
``bjidp/locale/<language>/LC_MESSAGES/terminal.po``, apart from the server's, which are of no use here and are read in
a time that somebody would wait for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Final

from babel.messages.pofile import read_po

CHINESE: Final = "zh_CN"
ENGLISH: Final = "en"

_ASKED: Final = ("LC_ALL", "LC_MESSAGES", "LANG")


class Said(Exception):
    """A failure that is told in words: those under ``key``, with values of which some may be such failures."""

    def __init__(self, key: str, **values: str | Said) -> None:
        """Name the words."""
        super().__init__(key, values)
        self.key = key
        self.values = values


class Words:
    """The words of one language by key."""

    def __init__(self, language: str) -> None:
        """Read the catalogue of ``language``."""
        path = files("bjidp").joinpath("locale", language, "LC_MESSAGES", "terminal.po")
        with path.open("rb") as stream:
            self._words = {str(one.id): str(one.string) for one in read_po(stream, locale=language) if one.id}

    def __iter__(self) -> Iterator[str]:
        return iter(self._words)

    def plain(self, key: str, **values: str | Said) -> str:
        """Return the words under a key; a value that is a failure is said too."""
        said = {name: self.of(one) if isinstance(one, Said) else one for name, one in values.items()}
        return self._words[key] % said

    def of(self, failure: Said) -> str:
        """Return a failure in words."""
        return self.plain(failure.key, **failure.values)


def language(environment: Mapping[str, str]) -> str:
    """Return the language that a locale asks for: Chinese where it is any Chinese, and else English (POSIX, 8.2)."""
    asked = next((environment[name] for name in _ASKED if environment.get(name)), "")
    return CHINESE if asked.lower().startswith("zh") else ENGLISH
