"""The addresses of a captcha: its picture, and another one in its place (REG-2, UX-2).

Owns ``GET /captcha/{id}.png`` and ``POST /captcha``. A page without JavaScript is loaded anew for another picture. What
is used, over, another browser's or never was, is answered alike.
"""

from __future__ import annotations

from typing import Final

import msgspec
from aiohttp import web
from msgspec import Struct

from bjidp.qrlogin.errors import BrowserUnknown
from bjidp.site import Site
from bjidp.verification.captchas import Captchas
from bjidp.web.bodies import read_json
from bjidp.web.calls import Call, Proof, answer
from bjidp.web.desk import Desk
from bjidp.web.errors import NotFound
from bjidp.web.origin import require_origin, require_same_site_read


class CaptchaBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing. The body may as well be left out."""


class CaptchaAnswer(Struct, frozen=True):
    """The new captcha: its picture is at ``/captcha/{id}.png``."""

    id: str


_body: Final = msgspec.json.Decoder(CaptchaBody)


class CaptchaPages:
    """Handlers."""

    def __init__(self, *, site: Site, desk: Desk, captchas: Captchas) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._site = site
        self._desk = desk
        self._captchas = captchas

    def mount(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/captcha/{id}.png", self.picture, allow_head=False)

    def calls(self) -> tuple[Call, ...]:
        """Return the call."""
        return (
            Call(
                method="POST",
                path="/captcha",
                summary="Make another image captcha for this browser",
                handler=self.renew,
                proof=Proof.BROWSER,
                answers=(CaptchaAnswer,),
                errors=(
                    "invalid_request", "origin_refused", "browser_unknown", "rate_limited", "too_busy",
                    "service_unavailable",
                ),
            ),
        )  # fmt: skip

    async def picture(self, request: web.Request) -> web.Response:
        """Answer the picture."""
        require_same_site_read(self._site, request)
        asker = await self._desk.known(request)
        picture = None if asker is None else await self._captchas.picture(asker.holder, request.match_info["id"])
        if picture is None:
            raise NotFound
        return web.Response(body=picture, content_type="image/png")

    async def renew(self, request: web.Request) -> web.Response:
        """Make another captcha. The one before it stays what it is: its page may be open elsewhere."""
        require_origin(self._site, request)
        if request.can_read_body:
            await read_json(request, _body)
        asker = await self._desk.known(request)
        if asker is None:
            raise BrowserUnknown
        return answer(CaptchaAnswer(await self._captchas.show(asker.holder, asker.source)))
