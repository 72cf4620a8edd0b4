"""The page where a person agrees that a website learns who they are, as each platform shows one.

Owns the page, what is chosen on it, the way back to the website, and the one-use codes that come of it. Which address
of a website is let back to, what the code is called and what a refusal looks like is each platform's.
"""

from __future__ import annotations

import html
from typing import Final

from aiohttp import web
from msgspec import Struct
from yarl import URL

from bjidp.sandbox.clock import Clock
from bjidp.sandbox.expiring import Expiring
from bjidp.sandbox.people import People

_HEADERS: Final = {
    "Cache-Control": "no-store",
    # No form-action: browsers hold the redirect after the post against it too, and that leads to the website.
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_USER_MAX: Final = 64


class Chosen(Struct, frozen=True):
    """What a person did at the page: who they are there, and whether they agree."""

    user: str
    agrees: bool


class Granted(Struct, frozen=True):
    """What a code was issued for."""

    user: str
    redirect_uri: str


class GrantUnknown(Exception):
    """Never issued, its time is over, or redeemed before."""


class GrantUsed(GrantUnknown):
    """Redeemed before."""


class WebCodes:
    """The one-use codes of one website."""

    def __init__(self, clock: Clock, lifetime: int) -> None:
        """Let each code live ``lifetime`` milliseconds."""
        self._clock = clock
        self._lifetime = lifetime
        self._codes: Expiring[Granted | None] = Expiring()
        self._issued: Expiring[bool] = Expiring()

    def issue(self, code: str, granted: Granted) -> None:
        """Make ``code`` good for one login."""
        now = self._clock.now()
        self._codes.put(code, granted, until=now + self._lifetime, now=now)
        self._issued.put(code, value=True, until=now + self._lifetime, now=now)

    def redeem(self, code: str) -> Granted:
        """Use the code up; raise :class:`GrantUnknown` or :class:`GrantUsed`."""
        now = self._clock.now()
        granted = self._codes.get(code, now)
        if granted is None:
            raise GrantUsed if self._issued.get(code, now) else GrantUnknown
        self._codes.put(code, None, until=now + self._lifetime, now=now)
        return granted


class LoginPage:
    """The page of one platform, for websites on one host."""

    def __init__(self, *, brand: str, title: str, people: People, host: str) -> None:
        """Show ``people``; ``brand`` is a class of the style sheet, ``host`` where the website is registered."""
        self._brand = brand
        self._title = title
        self._people = people
        self._host = host

    def is_registered(self, redirect_uri: str) -> bool:
        """Tell whether ``redirect_uri`` is on the website's registered host; the port is not part of that."""
        try:
            url = URL(redirect_uri)
        except ValueError:
            return False
        return url.scheme in {"http", "https"} and url.host == self._host and url.user is None

    def show(self, request: web.Request) -> web.Response:
        """Ask who it is, and whether they agree; what was asked for stays in the address."""
        people = "".join(
            f'<option value="{html.escape(person.id)}">{html.escape(person.name)}</option>'
            for person in self._people.all()
        )
        return _page(
            self._title,
            f'<p class="dot {self._brand}" aria-hidden="true">{html.escape(self._title[:1])}</p>'
            f"<h1>{html.escape(self._title)}</h1>"
            "<p>网站“北京市统一身份认证平台”申请获得您的登录身份。</p>"
            f'<form method="post" action="{html.escape(request.rel_url.raw_path_qs)}">'
            f'<label for="user">以谁的身份</label><select id="user" name="user">{people}</select>'
            '<button name="answer" value="agree" class="agree">同意授权</button>'
            '<button name="answer" value="refuse">拒绝</button></form>',
        )

    def notice(self, words: str, status: int = 200) -> web.Response:
        """Say one thing, and lead nowhere."""
        return _page(self._title, f"<h1>{html.escape(words)}</h1>", status)

    async def chosen(self, request: web.Request) -> Chosen | None:
        """Return what was pressed on the page, or None."""
        form = await request.post()
        user, answer = form.get("user"), form.get("answer")
        if not isinstance(user, str) or not 0 < len(user) <= _USER_MAX or answer not in {"agree", "refuse"}:
            return None
        return Chosen(user, agrees=answer == "agree")


def back(redirect_uri: str, **members: str) -> web.HTTPSeeOther:
    """Return the way back to the website."""
    return web.HTTPSeeOther(URL(redirect_uri).update_query(members))


def _page(title: str, inner: str, status: int = 200) -> web.Response:
    return web.Response(
        text='<!doctype html><html lang="zh-CN"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{html.escape(title)} · 沙箱</title>"
        '<link rel="icon" href="data:,"><link rel="stylesheet" href="/phone/static/tokens.css">'
        '<link rel="stylesheet" href="/phone/static/agree.css">'
        '<div class="banner"><strong>演示环境 · 沙箱</strong><span>这里的人物都是虚拟的</span></div>'
        f"<main>{inner}</main></html>",
        content_type="text/html",
        status=status,
        headers=_HEADERS,
    )
