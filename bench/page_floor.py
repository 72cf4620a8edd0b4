"""The floor of pages: bare aiohttp and aiohttp-jinja2.

``python -m bench.page_floor SHAPES PORT``. Each page has as many fields as the product's and, filled up, as many bytes;
its template takes the same steps: a base, macros for fields, what is wrong beside them. It knows nobody and keeps
nothing: no limits, no records, no captcha, no headers but those aiohttp sets. ``SHAPES`` is a JSON file of
:class:`PageShape` by path and query.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Final, NamedTuple

import aiohttp_jinja2
import jinja2
import uvloop
from aiohttp import web

from bench.probe import Probe

TEMPLATES: Final = Path(__file__).parent / "templates"
FILLER: Final = "<!-- filler -->"


class PageShape(NamedTuple):
    """One page of the product: its bytes, its fields, and how many of them are faulty."""

    size: int
    fields: int
    faults: int


class PageFloor:
    """The handlers."""

    def __init__(self, shapes: dict[str, PageShape]) -> None:
        self._shapes = shapes

    def build(self) -> web.Application:
        app = web.Application()
        texts = {path.name: path.read_text(encoding="utf-8") for path in TEMPLATES.iterdir()}
        bare = jinja2.Environment(loader=jinja2.DictLoader(texts), autoescape=True)
        filled: dict[str, str] = {}
        for name, shape in self._shapes.items():
            size = len(bare.get_template("page.html").render(_facts(shape, {})).encode())
            # In the template's own text, as the words of a page are.
            filled[name] = texts["page.html"].replace(FILLER, "x" * (shape.size - size + len(FILLER)))
        aiohttp_jinja2.setup(app, loader=jinja2.DictLoader(texts | filled), auto_reload=False)
        for path in {name.partition("?")[0] for name in self._shapes}:
            app.router.add_get(path, self.page)
            app.router.add_post(path, self.post)
        return app

    async def page(self, request: web.Request) -> web.Response:
        response = self._answer(request, {}, 200)
        response.set_cookie("browser", os.urandom(32).hex()[:43], httponly=True, samesite="Lax")
        return response

    async def post(self, request: web.Request) -> web.Response:
        return self._answer(request, {name: str(value) for name, value in (await request.post()).items()}, 422)

    def _answer(self, request: web.Request, values: dict[str, str], status: int) -> web.Response:
        facts = _facts(self._shapes[request.path_qs], values)
        return aiohttp_jinja2.render_template(request.path_qs, request, facts, status=status)


def _facts(shape: PageShape, values: dict[str, str]) -> dict[str, object]:
    fields = [(f"field{number}", f"Label {number}") for number in range(shape.fields)]
    form = {
        "csrf": os.urandom(32).hex()[:43],
        "typed": values,
        "faults": {name: "is missing" for name, _ in fields[: shape.faults]},
    }
    return {"form": form, "fields": fields, "title": "Page", "style": "/static/style.css", "notice": ""}


async def _run(shapes: dict[str, PageShape], port: int) -> None:
    runner = web.AppRunner(PageFloor(shapes).build(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=2048).start()
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    Probe().listen()
    await ended.wait()
    await runner.cleanup()


def main(shapes: Path, port: int) -> None:
    told = json.loads(shapes.read_text(encoding="utf-8"))
    uvloop.run(_run({name: PageShape(**shape) for name, shape in told.items()}, port))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
