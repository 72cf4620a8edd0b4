"""Turning a page's facts into HTML.

Owns the Jinja environment: where templates lie, which words and file addresses they may use, and the checks that
make a mistake in one of them stop the start instead of a person. ``bootstrap`` builds the :class:`Renderer`, handlers
call it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from enum import Enum, auto
from functools import lru_cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, nodes
from markupsafe import Markup
from msgspec.structs import replace

from bjidp.clock import Instant, in_beijing, rfc3339
from bjidp.web.pages.assets import StaticFiles
from bjidp.web.pages.login import LoginPage
from bjidp.web.pages.shell import Page, Shell
from bjidp.web.words.advice import advice
from bjidp.web.words.texts import MissingText, Texts

PREPARED: Final = 64
"""Login pages kept rendered: one for each tab and each site a login is for."""

FLOW: Final = "flow--stands--here"
CSRF: Final = "csrf--stands--here"
_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]+")
"""Characters that no template writes in another way."""


class Use(Enum):
    """What a template may ask for by name."""

    TEXT = auto()
    FAMILY = auto()
    FILE = auto()


def templates_root() -> Path:
    """Return the folder of the templates: inside the package in a wheel, beside it in a checkout."""
    web = Path(__file__).resolve().parents[1]
    for folder in (web / "templates", web.parents[1] / "templates"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError("the templates are missing: this installation is not complete")


class Renderer:
    """Renders pages of one site in one language.

    Building one compiles every template and raises :class:`bjidp.web.words.texts.MissingText` for a text the catalogue
    does not have, :class:`KeyError` for a static file that does not exist, and :class:`ValueError` for a text whose key
    is not written out, since nobody could check that one.
    """

    __slots__ = ("_environment", "_prepared", "_site", "texts")

    def __init__(self, site: Shell, static: StaticFiles, texts: Texts) -> None:
        """Take what all pages share and check the templates against it."""
        self.texts = texts
        self._site = site
        self._environment = Environment(
            loader=FileSystemLoader(templates_root()),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals.update(t=texts)
        # Words and addresses are filters, since Jinja computes a filter of a constant once, when it compiles. With
        # functions and without the constant part, rendering the login page cost 0.48 ms; this way it costs 0.06 ms.
        self._environment.filters.update(t=texts, static=static.url, constant=self._constant)
        self._environment.filters.update(beijing=self._beijing, day=self._day, rfc3339=rfc3339, advice=self._advice)
        self._check(static)
        self._prepared: Callable[[LoginPage], tuple[bytes, ...]] = lru_cache(PREPARED)(self._prepare)

    def render(self, page: Page) -> bytes:
        """Return the page as UTF-8."""
        prefix = "/h5" if getattr(page, "h5", False) else ""
        return self._environment.get_template(page.template).render(page=page, site=self._site, prefix=prefix).encode()

    def render_login(self, page: LoginPage) -> bytes:
        """Return the login page as UTF-8, byte for byte what :meth:`render` returns.

        Two values differ from one visitor to the next: they are set into what was rendered for the first of them.
        Rendering takes 60 µs, this 3 µs, and nothing else is asked for as often.
        """
        values = {FLOW: page.flow, CSRF: page.csrf}
        if not all(_PLAIN.fullmatch(value) for value in values.values()):
            return self.render(page)
        pieces = self._prepared(replace(page, flow=FLOW, csrf=CSRF))
        filled = {mark.encode(): value.encode() for mark, value in values.items()}
        return b"".join([filled.get(piece, piece) for piece in pieces])

    def _prepare(self, page: LoginPage) -> tuple[bytes, ...]:
        return tuple(re.split(f"({FLOW}|{CSRF})".encode(), self.render(page)))

    def _check(self, static: StaticFiles) -> None:
        for name in self._environment.list_templates():
            for use, key in uses((templates_root() / name).read_text(encoding="utf-8"), name):
                match use:
                    case Use.FILE:
                        static.url(key)
                    case Use.TEXT if key not in self.texts:
                        raise MissingText(self.texts.language, key)
                    case Use.FAMILY if not any(text.startswith(f"{key}.") for text in self.texts):
                        raise MissingText(self.texts.language, f"{key}.*")
                    case _:
                        pass
            # Compiled now: a page takes up to 22 ms, which the first to ask for it would make everybody wait.
            self._environment.get_template(name)

    def _constant(self, name: str) -> Markup:
        """Return what a template of the folder ``constant`` renders to: the same on every page, so made once."""
        return Markup(self._environment.get_template(f"constant/{name}").render())  # noqa: S704 - our own template

    def _advice(self, code: str, pause: int | None) -> str:
        return advice(code, pause, self.texts)

    def _day(self, instant: Instant) -> str:
        moment = in_beijing(instant)
        return self.texts.plain("day", year=moment.year, month=moment.month, day=moment.day)

    def _beijing(self, instant: Instant) -> str:
        moment = in_beijing(instant)
        return self.texts.plain("moment", year=moment.year, month=moment.month, day=moment.day, time=f"{moment:%H:%M}")


def uses(source: str, template: str) -> Iterator[tuple[Use, str]]:
    """Yield what a template asks for by name; raise :class:`ValueError` for a name that is not written out."""
    asked = Environment(autoescape=True).parse(source, template).find_all((nodes.Filter, nodes.Call))
    for node in asked:
        match node:
            case nodes.Filter(name="t"):
                use, key = Use.TEXT, node.node
            case nodes.Filter(name="static"):
                use, key = Use.FILE, node.node
            case nodes.Call(node=nodes.Getattr(node=nodes.Name(name="t"), attr="of"), args=[first, *_]):
                use, key = Use.FAMILY, first
            case _:
                continue
        match key:
            case nodes.Const(value=str(name)):
                yield use, name
            case _:
                raise ValueError(f"{template}, line {node.lineno}: write the key out; only the end of a t.of may vary")
