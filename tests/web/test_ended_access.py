"""Whatever somebody had at a site or on the way to one is over with their sessions (attack T3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest

from tests.support.browser import Browser
from tests.support.forms import form_of, post, send
from tests.support.program import Program
from tests.web.test_authorize import address, followed, told
from tests.web.test_relying_parties import Site, exchange, site

pytestmark = [pytest.mark.req("RP-1"), pytest.mark.attack("T3", "Q21")]

__all__ = ["site"]


async def locked(program: Program, browser: Browser) -> None:
    """As an administration does it."""
    program.sql("UPDATE account SET status = 'locked'")


async def denied(program: Program, browser: Browser) -> None:
    """不是我 about a change: every session of the account ends."""
    csrf = form_of(await browser.get("/centre"), "/logout").values["csrf"]
    assert (await post(browser, "/not-me", {"csrf": csrf, "change": "yes"})).status == 200


async def cancelled(program: Program, browser: Browser) -> None:
    [(account,)] = program.sql("SELECT account FROM browser_session LIMIT 1")
    await program.rooms.stores.members.cancel(account, program.clock.now())


async def logged_out(program: Program, browser: Browser) -> None:
    assert (await send(browser, form_of(await browser.get("/centre"), "/logout"))).status == 200


ENDS: Final = {"locked": locked, "不是我": denied, "cancelled": cancelled, "logged out": logged_out}


class Held:
    """What somebody has, in one browser and by one phone."""

    def __init__(self, program: Program, site: Site, browser: Browser) -> None:
        self.program = program
        self.site = site
        self.browser = browser

    async def code(self, **change: str) -> str:
        page = await followed(self.browser, address(**change))
        shown = await self.browser.get(page)
        if "同意并登录" in shown.text:
            answer = await send(self.browser, form_of(shown, "/oauth/continue"), "agree")
            return told(await followed(self.browser, str(answer.header("Location"))))["code"]
        return told(str(shown.header("Location")))["code"]

    async def tokens(self, **change: str) -> dict[str, Any]:
        answer = await self.site.ask("/oauth/token", exchange(await self.code(**change)))
        assert answer.status == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def reads(self, given: dict[str, Any]) -> list[bool]:
        """Tell where the tokens still count: at userinfo, by introspection, and, where there is one, for new ones."""
        userinfo = await self.site.get("/oauth/userinfo", given["access_token"])
        told_of = (await self.site.ask("/oauth/introspect", {"token": given["access_token"]})).json()
        counts = [userinfo.status == 200, told_of["active"]]
        if "refresh_token" in given:
            form = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}
            counts.append((await self.site.ask("/oauth/token", form)).status == 200)
        return counts


@pytest.mark.parametrize("how", ENDS.values(), ids=ENDS)
async def test_nothing_outlives_the_end_of_access(
    program: Program, site: Site, how: Callable[[Program, Browser], Awaitable[None]]
) -> None:
    phone = await program.phone()
    held = Held(program, site, await program.signed_in(phone))
    online = await held.tokens()
    away = await held.tokens(scope="openid offline_access", prompt="consent")
    unspent = await held.code()
    pending = await followed(held.browser, address(prompt="consent"))
    form = form_of(await held.browser.get(pending), "/oauth/continue")
    other, _, approved = await program.approved(phone)

    await how(program, held.browser)

    departed = how is logged_out
    assert (await held.browser.get("/centre")).status == 303
    assert await held.reads(online) == [False, False]
    assert await held.reads(away) == [departed] * 3
    refused = await site.ask("/oauth/token", exchange(unspent))
    assert (refused.status, refused.json()["error"]) == (400, "invalid_grant")
    assert (await send(held.browser, form, "agree")).status in {303, 403, 410}
    assert (await held.browser.get(pending)).header("Location") == "/login"
    redeemed = await other.redeem(approved["grant"])
    assert (redeemed.status == 200) is departed, redeemed.text
