"""帮助中心 (FAQ-2), the agreements, and the manual: pages that are the same for everybody.

Owns ``/help…`` and which page leads where on. What they say is in the catalogue.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from bjidp.web.pages.assets import StaticFiles
from bjidp.web.pages.help import Article, ArticlePage, HelpLink, HelpPage, ManualPage, Task
from bjidp.web.pages.rendering import Renderer

INDEX: Final = "/help"

LEADS: Final[dict[Article, tuple[HelpLink, ...]]] = {
    Article.PHONE_GONE: (HelpLink.REGISTER,),
    Article.NUMBER_USED: (HelpLink.REGISTER, HelpLink.LOGIN),
    Article.NO_SMS: (HelpLink.LOGIN,),
    Article.PERMITS: (),
    Article.RARE_CHARACTERS: (),
    Article.BUSINESS: (),
    Article.REBIND: (HelpLink.REGISTER, HelpLink.RECOVER),
    Article.APPEAL: (HelpLink.APPEAL,),
    Article.CANCEL: (HelpLink.CENTRE,),
    Article.ORGANISATIONS: (HelpLink.ORGANISATIONS, HelpLink.ACTING),
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
    Task.IDENTITY: "real_name",
    Task.FACE: "face",
    Task.BANK_CARD: "bank_card",
    Task.EXCHANGE: "centre",
    Task.APPEAL: "appeal",
    Task.ORGANISATION: "organisation",
    Task.ACTING: "acting",
    Task.CANCEL: "cancel",
    Task.PASSWORD: "password",
    Task.PHONE: "phone",
    Task.MAIL: "mail",
    Task.USERNAME: "username",
    Task.ETHNICITY: "ethnicity",
    Task.DEVICES: "devices",
    Task.LOG: "log",
}
"""What each task of the manual shows."""


class HelpPages:
    """Handlers of the help."""

    def __init__(self, renderer: Renderer, files: StaticFiles) -> None:
        """Render with ``renderer``, once: nothing on these pages ever differs. Pictures are among ``files``."""
        pictures = {task: files.url(f"manual/{name}.webp") for task, name in PICTURES.items()}
        self._pages: dict[str, bytes] = {}
        for h5, start in ((False, INDEX), (True, f"/h5{INDEX}")):
            self._pages[start] = renderer.render(HelpPage(h5=h5))
            self._pages[f"{start}/manual"] = renderer.render(ManualPage(h5=h5, pictures=pictures))
            for article in Article:
                page = ArticlePage(h5=h5, article=article, leads=LEADS[article])
                self._pages[f"{start}/{article}"] = renderer.render(page)

    def mount(self, app: web.Application) -> None:
        """Add the routes; every page is also under the address for phones."""
        for prefix in ("", "/h5"):
            app.router.add_get(prefix + INDEX, self.show)
            app.router.add_get(f"{prefix}{INDEX}/manual", self.show)
            app.router.add_get(f"{prefix}{INDEX}/{{article}}", self.show)

    async def show(self, request: web.Request) -> web.Response:
        """Show a page; 404 for one that there is not."""
        body = self._pages.get(request.path)
        if body is None:
            raise web.HTTPNotFound
        return web.Response(body=body, content_type="text/html", charset="utf-8")
