"""Browser records: opening, finding and ending them.

Called by ``web`` on every navigation to a page with a QR, on every call of such a page, and by pages whose forms are
for somebody who is not logged in.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from bjidp.clock import Instant
from bjidp.entropy import Entropy, token, tokens
from bjidp.qrlogin import browser as rules
from bjidp.qrlogin import flow as flows
from bjidp.qrlogin.browser import Browser
from bjidp.qrlogin.changes import FlowChanges
from bjidp.qrlogin.errors import BrowserUnknown
from bjidp.qrlogin.flow import Flow, Purposeful
from bjidp.qrlogin.policy import QrPolicy
from bjidp.records import Held, Records


class OpenedPage(Struct, frozen=True):
    """What a navigation yields: the new secret for the cookie, the browser it names, the flow the page shows."""

    secret: str
    browser: str
    flow: str
    about: Purposeful


class Visited(Struct, frozen=True):
    """A browser with some time ahead: the secret for its cookie, new or the one it came with, and the record's id."""

    secret: str
    browser: str
    renewed: bool


class Browsers:
    """The life of browser records."""

    def __init__(self, records: Records[Browser], changes: FlowChanges, policy: QrPolicy, entropy: Entropy) -> None:
        """Keep records in ``records``; tell pages through ``changes`` when their secret is replaced."""
        self._records = records
        self._changes = changes
        self._policy = policy
        self._entropy = entropy

    async def open_page(self, old_secret: str | None, about: Purposeful, *, resume: bool = False) -> OpenedPage:
        """Give the browser a new secret and a flow for ``about``.

        The old secret is dead at once and its sockets are sent away to come back with the new cookie; flows and
        live tickets stay. Of two navigations that race with one secret, one goes on and the other starts afresh.
        With ``resume`` the page is for what the browser's newest one of the same purpose was for, if it has any.
        """
        old, over, now = await self._taken(old_secret)
        about = (old.newest(about.purpose) if resume else None) or about
        secret, flow_id = tokens(self._entropy, 256, 128)
        new, ref = rules.opened(old, about, flow_id, over, self._policy, now)
        await self._records.add(rules.key_of(secret), new, self._policy.browser)
        return OpenedPage(secret, new.id, ref.id, about)

    async def visit(self, old_secret: str | None) -> Visited:
        """Let the browser stay known for the time a form takes: for pages without a QR.

        A record with more than half of its time ahead stays as it is, so that pages in other tabs notice nothing. Any
        other gets a new secret as by :meth:`open_page`: the same browser, its flows and its forms.
        """
        if old_secret is not None and len(old_secret) == rules.SECRET_LENGTH:
            held = await self._records.get(rules.key_of(old_secret))
            if held is not None and held.value.expires_at - held.now > self._policy.browser // 2:
                return Visited(old_secret, held.value.id, renewed=False)
        old, over, now = await self._taken(old_secret)
        secret = token(self._entropy, 256)
        new = rules.renewed(old, over, self._policy, now)
        await self._records.add(rules.key_of(secret), new, self._policy.browser)
        return Visited(secret, new.id, renewed=True)

    async def _taken(self, old_secret: str | None) -> tuple[Browser, frozenset[str], Instant]:
        """Take the record of a secret, which is dead from then on; return it, which flows are over, and the time."""
        old = None if old_secret is None else await self._records.take(rules.key_of(old_secret))
        now = await self._changes.store.now()
        if old is None:
            old = Browser(token(self._entropy, 128), 0, now, ())
        over: set[str] = set()
        for ref in old.flows:
            kept = await self._changes.on_flow(ref.id, _rotated(old.epoch + 1))
            # A flow whose redeem is under way goes on: if the redeem wins, its end reaches this page too.
            if kept is not None and flows.is_over(kept, now) and not flows.is_being_redeemed(kept, now):
                over.add(ref.id)
        return old, frozenset(over), now

    async def find(self, secret: str | None) -> Held[Browser]:
        """Return the record of a cookie; raise :class:`BrowserUnknown`."""
        if secret is None or len(secret) != rules.SECRET_LENGTH:
            raise BrowserUnknown
        held = await self._records.get(rules.key_of(secret))
        if held is None:
            raise BrowserUnknown
        return held

    async def end(self, secret: str | None, known: Browser | None = None) -> list[Flow]:
        """Kill the secret and end its flows, which are returned: after a redeem, a log-out, or the end of a session.

        ``known`` is the record as it was found before. Its flows are ended even if a navigation has replaced the
        secret meanwhile, so that the new one watches nothing either.
        """
        if secret is None or len(secret) != rules.SECRET_LENGTH:
            return []
        taken = await self._records.take(rules.key_of(secret))
        refs = {ref.id for browser in (taken, known) if browser is not None for ref in browser.flows}
        ended = [await self._changes.on_flow(flow_id, lambda held: flows.close(held.value)) for flow_id in refs]
        return [flow for flow in ended if flow is not None]


def _rotated(epoch: int) -> Callable[[Held[Flow]], Flow]:
    return lambda held: flows.rotate(held.value, epoch)
