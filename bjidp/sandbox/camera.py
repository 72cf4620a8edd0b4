"""What happens in front of a platform's camera.

Each platform's face service is a :class:`Camera`. The control call and the page below end a verification through the
same method, so a person at the page and a test at the wire meet the same rules.
"""

from __future__ import annotations

import html
from typing import Literal, Protocol, TypeAlias

from aiohttp import web
from msgspec import Struct

Outcome: TypeAlias = Literal["pass", "fail", "cancel"]

_BUTTONS = (("pass", "通过"), ("fail", "不通过"), ("cancel", "取消"))


class VerificationOver(Exception):
    """The verification ended before, or its time is over."""


class Filmed(Struct, frozen=True):
    """A verification met the camera.

    ``client`` is what the platform's own client call tells the mini-program; none of it is proof of anything.
    """

    platform: str
    client: dict[str, str | int]
    passed: bool


class Camera(Protocol):
    """The face check of one platform."""

    def perform(self, verification: str, outcome: Outcome) -> Filmed | None:
        """Let the person do as ``outcome`` says; return None for an id that was not issued here.

        ``pass`` means that the person is willing and well lit, not that the verdict will be good. Raises
        :class:`VerificationOver`.
        """
        ...


def page(title: str, action: str) -> web.Response:
    """Return the page a browser sees where the vendor would open its camera; its buttons post to ``action``."""
    buttons = "".join(f'<p><button name="outcome" value="{value}">{label}</button></p>' for value, label in _BUTTONS)
    return web.Response(
        text=f'<!doctype html><html lang="zh-CN"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{html.escape(title)}</title>'
        f"<h1>{html.escape(title)}</h1><p>沙箱：没有摄像头，也没有真人。请选择结果。</p>"
        f'<form method="post" action="{html.escape(action)}">{buttons}</form></html>',
        content_type="text/html",
        headers=_PAGE_HEADERS,
    )


def notice(title: str, status: int = 200) -> web.Response:
    """Return a page that says one thing."""
    return web.Response(
        text=f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<h1>{html.escape(title)}</h1></html>",
        content_type="text/html",
        status=status,
        headers=_PAGE_HEADERS,
    )


async def chosen(request: web.Request) -> Outcome | None:
    """Return which button was pressed, or None."""
    match (await request.post()).get("outcome"):
        case "pass":
            return "pass"
        case "fail":
            return "fail"
        case "cancel":
            return "cancel"
        case _:
            return None


_PAGE_HEADERS = {
    "Cache-Control": "no-store",
    # No form-action: browsers hold the redirect after the post against it too, and that leads to the caller's address.
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
