"""帮助中心 (FAQ-2), the agreements, and the manual: pages that are the same for everybody.

Owns ``/help…`` and which page leads where on. What they say is in the catalogue.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from bjidp.web import pages
from bjidp.web.assets import StaticFiles
from bjidp.web.pages import Article, HelpLink, Task
from bjidp.web.rendering import Renderer

LEADS: Final[dict[Article, tuple[HelpLink, ...]]] = {
    Article.PHONE_GONE: (HelpLink.REGISTER,),
    Article.NO_SMS: (HelpLink.LOGIN,),
    Article.PERMITS: (),
    Article.RARE_CHARACTERS: (),
    Article.BUSINESS: (),
    Article.REBIND: (HelpLink.REGISTER, HelpLink.RECOVER),
    Article.CANCEL: (HelpLink.CENTRE,),
    Article.TERMS: (HelpLink.REGISTER,),
    Article.PRIVACY: (HelpLink.CENTRE,),
}
"""What to do next, at the end of each page."""


PICTURES: Final[dict[Task, str]] = {
    Task.REGISTER: "register",
    Task.SCAN: "scan",
    Task.ACCOUNT: "account",
    Task.PHONE_LOGIN: "phone_login",
    Task.RECOVER: "recover",
    Task.IDENTITY: "centre",
    Task.CANCEL: "cancel",
    Task.PASSWORD: "password",
    Task.PHONE: "phone",
    Task.MAIL: "mail",
    Task.ETHNICITY: "ethnicity",
}
"""What each task of the manual shows."""


class HelpPages:
    """Handlers of the help."""

    def __init__(self, renderer: Renderer, files: StaticFiles) -> None:
        """Render with ``renderer``, once: nothing on these pages ever differs. Pictures are among ``files``."""
        self._index = renderer.render(pages.HelpPage())
        pictures = {task: files.url(f"manual/{name}.webp") for task, name in PICTURES.items()}
        self._manual = renderer.render(pages.ManualPage(pictures=pictures))
        self._articles = {
            article.value: renderer.render(pages.ArticlePage(article=article, leads=LEADS[article]))
            for article in Article
        }

    def mount(self, app: web.Application) -> None:
        """Add the routes; every page is also under the address for phones."""
        for prefix in ("", "/h5"):
            app.router.add_get(f"{prefix}/help", self.index)
            app.router.add_get(f"{prefix}/help/manual", self.manual)
            app.router.add_get(f"{prefix}/help/{{article}}", self.article)

    async def index(self, _: web.Request) -> web.Response:
        """List the questions."""
        return _html(self._index)

    async def manual(self, _: web.Request) -> web.Response:
        """Show the manual, one page that can be kept."""
        return _html(self._manual)

    async def article(self, request: web.Request) -> web.Response:
        """Answer one question; 404 for a page that there is not."""
        body = self._articles.get(request.match_info["article"])
        if body is None:
            raise web.HTTPNotFound
        return _html(body)


def _html(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="text/html", charset="utf-8")
