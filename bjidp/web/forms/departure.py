"""Letting somebody out on a page: the session ends, and so does what the browser had beside it.

Owns the answer to it. Called by the handlers of log-out, here and for a site, of 不是我, of 解绑 and of 账号注销.
"""

from __future__ import annotations

import structlog
from aiohttp import web

from bjidp.errors import StoreUnavailable
from bjidp.qrlogin.browsers import Browsers
from bjidp.web.http.cookies import Cookies
from bjidp.web.http.visitor import on_h5
from bjidp.web.pages.ending import Message, MessagePage
from bjidp.web.pages.rendering import Renderer

log = structlog.get_logger(__name__)


class Departures:
    """Says goodbye. That the session is over is the caller's: what is done here opens nothing."""

    def __init__(self, *, browsers: Browsers, cookies: Cookies, renderer: Renderer) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._browsers = browsers
        self._cookies = cookies
        self._renderer = renderer

    async def farewell(self, request: web.Request, message: Message) -> web.Response:
        """Take the cookies back, end the browser's record and the sockets of its pages, and say what has happened."""
        body = self._renderer.render(MessagePage(h5=on_h5(request), message=message))
        return await self.depart(request, web.Response(body=body, content_type="text/html", charset="utf-8"))

    async def depart(self, request: web.Request, response: web.Response) -> web.Response:
        """Take the cookies back and end what the browser had; ``response`` says what has happened, or leads on."""
        try:
            await self._browsers.end(self._cookies.browser_secret(request))
        except StoreUnavailable:
            # The session is over, which is what counts; the record dies by itself.
            log.warning("browser_record_left")
        response.headers["Cache-Control"] = "no-store"
        self._cookies.drop_session(response)
        self._cookies.drop_browser(response)
        return response
