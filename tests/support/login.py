"""A QR login up to the point a test wants to have it at."""

from __future__ import annotations

from msgspec import Struct

from tests.support.browser import Browser, Screen
from tests.support.calls import Caller
from tests.support.phone import Phone


class Approved(Struct, frozen=True):
    """A page whose phone has confirmed."""

    browser: Browser
    screen: Screen
    grant: str
    code: str | None


async def approved(caller: Caller, phone: Phone, browser: Browser | None = None) -> Approved:
    """Open a login page, scan and confirm."""
    at = browser or Browser(caller)
    screen = await at.screen()
    code = await phone.approves(screen)
    message = await at.message("approved")
    return Approved(at, screen, str(message["grant"]), code)


async def logged_in(caller: Caller, phone: Phone, browser: Browser | None = None) -> Browser:
    """Log a browser in."""
    ready = await approved(caller, phone, browser)
    answer = await ready.browser.redeem(ready.grant, ready.code)
    assert answer.status == 200, answer
    return ready.browser
