"""Somebody at the pages of providers: sent there by a link, agrees or not, and comes back."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from bjidp.platforms import Provider
from tests.support.browser import Browser
from tests.support.calls import Answer

IN_WECHAT: Final = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 "
    "MicroMessenger/8.0.50(0x18003232) NetType/WIFI Language/zh_CN"
)


async def left(browser: Browser, provider: Provider, prefix: str = "") -> str:
    """Press the provider's link on the login page; return where that leads."""
    answer = await browser.get(f"{prefix}/login/third/{provider}")
    assert answer.status == 303, answer
    where = answer.header("Location")
    assert where is not None
    return where


async def agreed(browser: Browser, page: str, user: str = "chen-yutong", answer: str = "agree") -> str | None:
    """Answer the provider's page; return the path and query that the browser comes back to, None where to none."""
    headers = {} if browser.user_agent is None else {"User-Agent": browser.user_agent}
    shown = await browser.caller.outside(page, headers=headers)
    assert shown.status == 200, shown
    sent = await browser.caller.outside(page, {"user": user, "answer": answer}, headers)
    where = sent.header("Location")
    if where is None:
        return None
    assert where.startswith(browser.to.url), where
    return where.removeprefix(browser.to.url)


async def returning(browser: Browser, provider: Provider, user: str = "chen-yutong", prefix: str = "") -> str:
    """Go to the provider and agree; return the path and query that the browser is about to come back to."""
    back = await agreed(browser, await left(browser, provider, prefix), user)
    assert back is not None
    return back


async def come_back(browser: Browser, provider: Provider, user: str = "chen-yutong", prefix: str = "") -> Answer:
    """Go to the provider, agree, and come back; return what that is answered."""
    return await browser.get(await returning(browser, provider, user, prefix))


def altered(path: str, **members: str | None) -> str:
    """Return an address with other members in its query; None takes one out."""
    parts = urlsplit(path)
    query = dict(parse_qsl(parts.query)) | members
    return f"{parts.path}?{urlencode({name: value for name, value in query.items() if value is not None})}"
