"""Every call in every state: only the legal edges give a 200, and a refusal changes nothing (attacks Q11, Q13, Q14)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal

import pytest
from msgspec import Struct

from tests.support.browser import Browser, Screen
from tests.support.calls import PATIENCE, Answer, Caller, Deployment
from tests.support.crowd import Crowd
from tests.support.phone import Phone

MADE_UP: Final = "A" * 43

State = Literal["pending", "scanned", "approved", "redeemed", "rejected", "superseded unscanned", "superseded scanned"]
Call = Literal["scan", "scan by another", "confirm", "reject", "redeem"]

CLOSED: Final = (409, "ticket_closed")
EXPIRED: Final = (410, "ticket_expired")
TAKEN: Final = (409, "ticket_taken")
REFUSED: Final = (403, "confirm_refused")
UNKNOWN: Final = (404, "ticket_unknown")
OK: Final = (200, "")

MATRIX: Final[dict[State, dict[Call, tuple[int, str]]]] = {
    "pending": {"scan": OK, "scan by another": OK, "confirm": REFUSED, "reject": REFUSED, "redeem": UNKNOWN},
    "scanned": {"scan": OK, "scan by another": TAKEN, "confirm": OK, "reject": OK, "redeem": UNKNOWN},
    "approved": {"scan": CLOSED, "scan by another": CLOSED, "confirm": CLOSED, "reject": CLOSED, "redeem": OK},
    "redeemed": {"scan": CLOSED, "scan by another": CLOSED, "confirm": CLOSED, "reject": CLOSED, "redeem": UNKNOWN},
    "rejected": {"scan": CLOSED, "scan by another": CLOSED, "confirm": CLOSED, "reject": CLOSED, "redeem": UNKNOWN},
    "superseded unscanned": {
        "scan": CLOSED,
        "scan by another": CLOSED,
        "confirm": REFUSED,
        "reject": REFUSED,
        "redeem": UNKNOWN,
    },
    "superseded scanned": {
        "scan": CLOSED,
        "scan by another": CLOSED,
        "confirm": CLOSED,
        "reject": CLOSED,
        "redeem": UNKNOWN,
    },
}

EXPIRY: Final[dict[str, dict[Call, tuple[int, str]]]] = {
    "pending": {
        "scan": EXPIRED,
        "scan by another": EXPIRED,
        "confirm": REFUSED,
        "reject": REFUSED,
        "redeem": UNKNOWN,
    },
    "scanned": {
        "scan": EXPIRED,
        "scan by another": EXPIRED,
        "confirm": EXPIRED,
        "reject": EXPIRED,
        "redeem": UNKNOWN,
    },
    # A confirm that was heard stays heard: the phone is told so again, the page is not logged in any more.
    "approved": {"scan": EXPIRED, "scan by another": EXPIRED, "confirm": CLOSED, "reject": CLOSED, "redeem": UNKNOWN},
}


class Stage(Struct):
    """A page, its phone, and what they know of the ticket."""

    browser: Browser
    holder: Phone
    other: Phone
    screen: Screen
    scanned: dict[str, Any]
    grant: str = MADE_UP

    async def perform(self, call: Call) -> Answer:
        """Make one of the calls, with the best values anybody could have."""
        acts: dict[Call, Callable[[], Awaitable[Answer]]] = {
            "scan": lambda: self.holder.scan(self.screen),
            "scan by another": lambda: self.other.scan(self.screen),
            "confirm": lambda: self.holder.confirm(self.scanned),
            "reject": lambda: self.holder.reject(self.scanned),
            "redeem": lambda: self.browser.redeem(self.grant),
        }
        return await acts[call]()


async def bring(caller: Caller, crowd: Crowd, state: str) -> Stage:
    """Bring a ticket into a state. No socket watches it, so that the clock renews nothing."""
    holder, other = await crowd.phones(caller, 2)
    browser = Browser(caller)
    screen = await browser.screen()
    stage = Stage(browser, holder, other, screen, {"ticket": screen.ticket, "confirm_token": MADE_UP})
    if state not in {"pending", "superseded unscanned"}:
        stage.scanned = await holder.takes(screen)
    if state in {"approved", "redeemed"}:
        assert (await holder.confirm(stage.scanned)).status == 200
        stage.grant = str((await browser.message("approved"))["grant"])
    if state == "redeemed":
        before = browser.copy()
        assert (await browser.redeem(stage.grant)).status == 200
        stage.browser = before
    if state == "rejected":
        assert (await holder.reject(stage.scanned)).status == 200
    if state.startswith("superseded"):
        socket = await browser.connect()
        await socket.next()
        await socket.renew()
        assert (await socket.screen()).ticket != screen.ticket
        await socket.close()
    return stage


def told(message: Answer) -> tuple[int, object, object, object]:
    """Return what a page's present message says, but for the time that passes."""
    value = message.json() if message.status == 200 else {}
    return message.status, value.get("type"), value.get("ticket"), value.get("grant")


@pytest.mark.attack("Q13", "Q14", "Q3", "Q11")
@pytest.mark.req("LOG-2")
@pytest.mark.parametrize("call", ["scan", "scan by another", "confirm", "reject", "redeem"])
@pytest.mark.parametrize("state", MATRIX)
async def test_a_call_does_in_each_state_what_the_machine_allows(
    caller: Caller, crowd: Crowd, state: State, call: Call
) -> None:
    """The server's machine decides; what it refuses leaves the page where it was and gives no cookie."""
    stage = await bring(caller, crowd, state)
    before = told(await stage.browser.events())
    answer = await stage.perform(call)
    assert answer.verdict == MATRIX[state][call]
    if answer.status != 200:
        assert told(await stage.browser.events()) == before
        assert not answer.cookies


@pytest.mark.attack("Q15", "Q11")
@pytest.mark.parametrize("state", EXPIRY)
async def test_nothing_is_done_with_a_ticket_whose_time_is_over(
    variant: Callable[[str], Deployment], crowd: Crowd, state: str
) -> None:
    """Each phase has a deadline of its own, judged by the server at the moment of the call."""
    async with Caller(variant("hasty")) as caller:
        stage = await bring(caller, crowd, state)
        watcher = await crowd.phone(caller)
        await over(stage, watcher)
        for call, verdict in EXPIRY[state].items():
            answer = await stage.perform(call)
            assert answer.verdict == verdict, call
            assert not answer.cookies


async def over(stage: Stage, watcher: Phone) -> None:
    """Ask until the server itself says that the ticket's time is over.

    A frame ahead of the clock changes nothing, and the deadline is judged before the frame's age. The page does not
    look meanwhile: that would renew the ticket.
    """
    async with asyncio.timeout(PATIENCE):
        while (answer := await watcher.scan(stage.screen.frame(900))).verdict != EXPIRED:
            assert answer.verdict in {(409, "frame_stale"), CLOSED}
            await asyncio.sleep(0.15)
