"""The kiosk's screen without JavaScript.

Owns ``/kiosk/plain``, where ``/kiosk`` leads a browser that runs no script: the code is a frame that loads itself
again every two seconds, as often as it moves, and whoever has confirmed presses a button on the screen. Who stands here
is known by a cookie, since an address can be read over a shoulder. Half a minute after the greeting it is over.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

import jinja2
from aiohttp import web

from bjidp.sandbox.kiosk.provider import Refused
from bjidp.sandbox.kiosk.visits import Over, Shown, Visits, Waiting, Welcome

PAGE: Final = "/kiosk/plain"
CODE: Final = f"{PAGE}/code"
COOKIE: Final = "kiosk_visit"
IDLE: Final = 30
"""Seconds after which whoever was greeted has gone."""

_LEVELS: Final = {"L1": "未实名", "L2": "初级认证", "L3": "中级认证", "L4": "高级认证"}
_WHY: Final = {"refused": "手机上拒绝了这次登录", "expired": "这个二维码已经过期"}
_UNREACHABLE: Final = "现在连不上统一身份认证平台"


class PlainKiosk:
    """The handlers."""

    def __init__(self, visits: Visits) -> None:
        """Show ``visits``."""
        self._visits = visits
        self._pages = jinja2.Environment(
            loader=jinja2.PackageLoader("bjidp.sandbox.kiosk", "pages"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
        )

    def mount(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get(PAGE, self.page, allow_head=False)
        app.router.add_get(CODE, self.code, allow_head=False)
        app.router.add_post(PAGE, self.leave)

    async def page(self, request: web.Request) -> web.Response:
        """Show the screen to whoever stands here; begin with the next one where nobody does."""
        name, shown = request.cookies.get(COOKIE, ""), None
        if "idle" in request.query:
            await self._end(name)
        else:
            shown = await self._visits.look(name)
        if shown is None:
            try:
                name = await self._visits.begin()
            except Refused:
                return self._shown(Over("unreachable"), "plain.html", framed=False)
            shown = await self._visits.look(name)
        answer = self._shown(shown, "plain.html", framed=False)
        answer.set_cookie(COOKIE, name, path=PAGE, httponly=True, samesite="Strict", secure=request.secure)
        return answer

    async def code(self, request: web.Request) -> web.Response:
        """Show the code as it is now, or what it came to, within the screen."""
        shown = await self._visits.look(request.cookies.get(COOKIE, ""))
        return self._shown(shown, "plain_code.html", framed=True)

    async def leave(self, request: web.Request) -> web.Response:
        """End the visit, whatever it came to, and begin anew."""
        await self._end(request.cookies.get(COOKIE, ""))
        answer = web.HTTPSeeOther(PAGE)
        answer.del_cookie(COOKIE, path=PAGE)
        raise answer

    async def _end(self, name: str) -> None:
        try:
            await self._visits.leave(name)
        except Refused:
            # The login ends by itself; nobody stands here to be told.
            return

    def _shown(self, shown: Shown | None, template: str, *, framed: bool) -> web.Response:
        ancestors = "'self'" if framed else "'none'"
        facts: dict[str, object] = {"state": "over", "why": _WHY["expired"]}
        match shown:
            case Waiting():
                picture = f"data:image/svg+xml,{quote(shown.picture)}"
                left = f"{shown.left // 60} 分 {shown.left % 60:02} 秒"
                facts = {"state": "waiting", "picture": picture, "left": left}
                facts |= {"code": shown.user_code, "address": shown.address}
            case Welcome():
                level = _LEVELS.get(shown.level, "未知")
                facts = {"state": "welcome", "name": shown.name, "level": level, "idle": IDLE}
            case Over():
                facts = {"state": "over", "why": _WHY.get(shown.reason, _UNREACHABLE)}
            case None:
                pass
        return web.Response(
            text=self._pages.get_template(template).render(facts),
            content_type="text/html",
            charset="utf-8",
            headers={
                "Content-Security-Policy": (
                    "default-src 'none'; style-src 'self'; img-src data:; frame-src 'self'; base-uri 'none'; "
                    f"form-action 'self'; frame-ancestors {ancestors}"
                ),
                "Cache-Control": "no-store",
                "Referrer-Policy": "no-referrer",
                "X-Content-Type-Options": "nosniff",
            },
        )
