"""Browser records: opening, finding and ending them.

Called by ``web`` on every navigation to a page with a QR and on every call of such a page.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from bjidp.entropy import Entropy, tokens
from bjidp.qrlogin import browser as rules
from bjidp.qrlogin import flow as flows
from bjidp.qrlogin.browser import Browser
from bjidp.qrlogin.changes import FlowChanges
from bjidp.qrlogin.errors import BrowserUnknown
from bjidp.qrlogin.flow import Flow, Purposeful
from bjidp.qrlogin.policy import QrPolicy
from bjidp.records import Held, Records


class OpenedPage(Struct, frozen=True):
    """What a navigation yields: the new secret for the cookie and the flow the page shows."""

    secret: str
    flow: str


class Browsers:
    """The life of browser records."""

    def __init__(self, records: Records[Browser], changes: FlowChanges, policy: QrPolicy, entropy: Entropy) -> None:
        """Keep records in ``records``; tell pages through ``changes`` when their secret is replaced."""
        self._records = records
        self._changes = changes
        self._policy = policy
        self._entropy = entropy

    async def open_page(self, old_secret: str | None, about: Purposeful) -> OpenedPage:
        """Give the browser a new secret and a flow for ``about``.

        The old secret is dead at once and its sockets are sent away to come back with the new cookie; flows and
        live tickets stay. Of two navigations that race with one secret, one goes on and the other starts afresh.
        """
        old = None if old_secret is None else await self._records.take(rules.key_of(old_secret))
        over: set[str] = set()
        now = await self._changes.store.now()
        secret, flow_id, browser_id = tokens(self._entropy, 256, 128, 128)
        if old is None:
            old = Browser(browser_id, 0, now, ())
        for ref in old.flows:
            kept = await self._changes.on_flow(ref.id, _rotated(old.epoch + 1))
            # A flow whose redeem is under way goes on: if the redeem wins, its end reaches this page too.
            if kept is not None and flows.is_over(kept, now) and not flows.is_being_redeemed(kept, now):
                over.add(ref.id)
        new, ref = rules.opened(old, about, flow_id, frozenset(over), self._policy, now)
        await self._records.add(rules.key_of(secret), new, self._policy.browser)
        return OpenedPage(secret, ref.id)

    async def find(self, secret: str | None) -> Held[Browser]:
        """Return the record of a cookie; raise :class:`BrowserUnknown`."""
        if secret is None or len(secret) != rules.SECRET_LENGTH:
            raise BrowserUnknown
        held = await self._records.get(rules.key_of(secret))
        if held is None:
            raise BrowserUnknown
        return held

    async def end(self, secret: str | None, known: Browser | None = None) -> None:
        """Kill the secret and end its flows: after a redeem, a log-out, or the end of a session.

        ``known`` is the record as it was found before. Its flows are ended even if a navigation has replaced the
        secret meanwhile, so that the new one watches nothing either.
        """
        if secret is None or len(secret) != rules.SECRET_LENGTH:
            return
        taken = await self._records.take(rules.key_of(secret))
        refs = {ref.id for browser in (taken, known) if browser is not None for ref in browser.flows}
        for flow_id in refs:
            await self._changes.on_flow(flow_id, lambda held: flows.close(held.value))


def _rotated(epoch: int) -> Callable[[Held[Flow]], Flow]:
    return lambda held: flows.rotate(held.value, epoch)
