"""The addresses of a captcha: its picture, its sound, and another one in its place (REG-2, UX-2).

Owns ``GET /captcha/{id}.png``, ``GET /captcha/{id}.wav`` and ``POST /captcha``. A page without JavaScript is loaded
anew for another picture. What is used, over, another browser's or never was, is answered alike.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

import msgspec
from aiohttp import web
from msgspec import Struct

from bjidp.qrlogin.errors import BrowserUnknown
from bjidp.site import Site
from bjidp.verification.captchas import Captchas
from bjidp.web.forms.desk import Desk
from bjidp.web.http.bodies import read_json
from bjidp.web.http.calls import Call, Proof, answer
from bjidp.web.http.errors import NotFound
from bjidp.web.http.origin import require_origin, require_same_site_read


class CaptchaBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing. The body may as well be left out."""


class CaptchaAnswer(Struct, frozen=True):
    """The new captcha: its picture is at ``/captcha/{id}.png``, its sound at ``/captcha/{id}.wav``."""

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
        app.router.add_get("/captcha/{id}.wav", self.sound, allow_head=False)

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

    async def sound(self, request: web.Request) -> web.Response:
        """Answer the sound, or the part of it that is asked for: some browsers play nothing that comes in one piece."""
        require_same_site_read(self._site, request)
        asker = await self._desk.known(request)
        sound = None if asker is None else await self._captchas.sound(asker.holder, request.match_info["id"])
        if sound is None:
            raise NotFound
        return _part(request, sound)

    async def renew(self, request: web.Request) -> web.Response:
        """Make another captcha. The one before it stays what it is: its page may be open elsewhere."""
        require_origin(self._site, request)
        if request.can_read_body:
            await read_json(request, _body)
        asker = await self._desk.known(request)
        if asker is None:
            raise BrowserUnknown
        return answer(CaptchaAnswer(await self._captchas.show(asker.holder, asker.source)))


def _part(request: web.Request, sound: bytes) -> web.Response:
    """Answer one range of bytes (RFC 9110, section 14), or everything to who asks for more than one or for nonsense."""
    headers = {"Accept-Ranges": "bytes"}
    try:
        asked = request.http_range
    except ValueError:
        asked = slice(None)
    if asked.start is None and asked.stop is None:
        return web.Response(body=sound, content_type="audio/wav", headers=headers)
    start, stop, _ = asked.indices(len(sound))
    if start >= stop:
        headers["Content-Range"] = f"bytes */{len(sound)}"
        return web.Response(status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers=headers)
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(sound)}"
    return web.Response(
        status=HTTPStatus.PARTIAL_CONTENT, body=sound[start:stop], content_type="audio/wav", headers=headers
    )
