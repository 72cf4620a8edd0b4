"""The words of pages and problem documents.

Owns reading gettext catalogues (``bjidp/locale/<language>/LC_MESSAGES/bjidp.po``) and looking words up by symbolic
key. ``rendering`` hands one :class:`Texts` to the templates as ``t``; ``problems`` asks it for the title of an error.
Catalogues are read as ``.po`` at start, so there is no compiled file to forget.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Final

from babel.messages.pofile import read_po
from markupsafe import Markup, escape

DEMO: Final = "demo."
"""Begins the keys of what a demonstration says otherwise."""


class MissingText(LookupError):
    """The catalogue has no words under this key."""

    def __init__(self, language: str, key: str) -> None:
        """Name the language and the key."""
        super().__init__(f"the catalogue {language} has no text for {key!r}")


class Texts:
    """One language's words by key.

    As the filter of a template, ``"login.title"|t(client=name)`` gives safe markup: words and values are escaped,
    values that are markup already stay so. Placeholders are written ``%(client)s``.
    """

    __slots__ = ("_words", "language")

    def __init__(self, language: str, words: Mapping[str, str]) -> None:
        """Take the words of ``language`` (a gettext name such as ``zh_CN``)."""
        self.language = language
        self._words = dict(words)

    @classmethod
    def load(cls, language: str, *, demonstration: bool = False) -> Texts:
        """Read the catalogue shipped for ``language``; raise :class:`FileNotFoundError` when there is none.

        In a ``demonstration`` the words under ``demo.<key>`` stand in the place of those under ``<key>``.
        """
        path = files("bjidp").joinpath("locale", language, "LC_MESSAGES", "bjidp.po")
        with path.open("rb") as stream:
            catalogue = read_po(stream, locale=language)
        words = {
            str(entry.id): str(entry.string) for entry in catalogue if entry.id and entry.string and not entry.fuzzy
        }
        if demonstration:
            words |= {key.removeprefix(DEMO): said for key, said in words.items() if key.startswith(DEMO)}
        return cls(language, words)

    @property
    def tag(self) -> str:
        """Return the language as HTML names it (BCP 47), for example ``zh-CN``."""
        return self.language.replace("_", "-")

    def __contains__(self, key: object) -> bool:
        return key in self._words

    def __iter__(self) -> Iterator[str]:
        return iter(self._words)

    def plain(self, key: str, **values: object) -> str:
        """Return the words as text, for JSON; raise :class:`MissingText`."""
        words = self._find(key)
        return words % values if values else words

    def __call__(self, key: str, **values: object) -> Markup:
        """Return the words as markup, for a page; raise :class:`MissingText`."""
        words = Markup(escape(self._find(key)))
        return words % values if values else words

    def of(self, family: str, member: object, **values: object) -> Markup:
        """Return the words for one member of a closed list, for example ``t.of("platform", "wechat")``."""
        return self(f"{family}.{member}", **values)

    def _find(self, key: str) -> str:
        try:
            return self._words[key]
        except KeyError:
            raise MissingText(self.language, key) from None
