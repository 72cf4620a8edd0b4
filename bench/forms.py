"""Somebody at a page with a form, as a browser without a script sends it.

Each is in a browser of their own and in a network of their own. Requests are made before they are sent, so that what is
measured holds nothing of a client.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlencode

from bench.client import Answer, Connection, get, post
from bench.login import AGENT, Place

URLENCODED: Final = "application/x-www-form-urlencoded"

_PHONE_AGENT: Final = (
    "User-Agent: Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/18.0 Mobile/15E148 Safari/604.1"
)
_HEADERS: Final = (
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Accept-Language: zh-CN,zh;q=0.9",
    "Sec-Fetch-Site: same-origin",
    "Sec-Fetch-Mode: navigate",
    "Sec-Fetch-Dest: document",
    "Upgrade-Insecure-Requests: 1",
)

_HIDDEN: Final = re.compile(rb'<input type="hidden" name="(csrf|captcha_id|flow)" value="([^"]*)">')


class Visitor:
    """One browser, on a connection that others may have used before."""

    def __init__(self, place: Place, http: Connection, number: int, *, phone: bool) -> None:
        """``number``, up to 16,000, is the visitor's own: two of one number share a network."""
        self._place = place
        self._http = http
        self._cookies: dict[str, str] = {}
        self._headers = (
            _PHONE_AGENT if phone else AGENT,
            *_HEADERS,
            f"X-Forwarded-For: 10.{64 + number // 250}.{number % 250}.5",
        )
        self.hidden: dict[str, str] = {}

    @property
    def captcha(self) -> str:
        """The id of the captcha on the page."""
        return self.hidden["captcha_id"]

    def asking(self, path: str) -> bytes:
        """Return the request for a page."""
        return get(path, self._place.host, *self._headers, *self._cookie())

    def posting(self, path: str, **typed: str) -> bytes:
        """Return the form of the page as it is now, with fields filled in."""
        body = urlencode(self.hidden | typed).encode()
        origin = f"Origin: http://{self._place.host}"
        return post(path, self._place.host, body, *self._headers, origin, *self._cookie(), kind=URLENCODED)

    async def send(self, request: bytes, *statuses: int) -> Answer:
        """Send a request; raise :class:`RuntimeError` unless it is answered with one of ``statuses``."""
        answer = await self._http.ask(request)
        if answer.status not in statuses:
            line = request.partition(b"\r\n")[0].decode()
            raise RuntimeError(f"{line} was answered {answer.status}: {answer.body.decode(errors='replace')[-2000:]}")
        self._cookies |= answer.cookies()
        if hidden := _HIDDEN.findall(answer.body):
            self.hidden = {name.decode(): value.decode() for name, value in hidden}
        return answer

    async def open(self, path: str) -> Answer:
        """Open a page."""
        return await self.send(self.asking(path), 200)

    def _cookie(self) -> tuple[str, ...]:
        if not self._cookies:
            return ()
        return ("Cookie: " + "; ".join(f"{name}={value}" for name, value in self._cookies.items()),)
