"""The browser record: what ties a page to the browser it was opened in.

Owns the noun and its pure rules. The cookie holds a secret and only that; the record is found by the secret's
digest, lives fifteen minutes from the last navigation, and names the flows this browser may watch (attacks F1, Q1).
"""

from __future__ import annotations

import hashlib

from msgspec import Struct

from bjidp.clock import Instant
from bjidp.qrlogin.flow import Purposeful
from bjidp.qrlogin.policy import Purpose, QrPolicy

SECRET_LENGTH = 43
"""256 bits in base64url."""


class FlowRef(Struct, frozen=True, gc=False):
    """A flow this browser owns, and what it was opened for."""

    id: str
    about: Purposeful


class Browser(Struct, frozen=True, gc=False):
    """One browser, before anybody is logged in. ``epoch`` rises with every new secret."""

    id: str
    epoch: int
    expires_at: Instant
    flows: tuple[FlowRef, ...]

    def flow(self, flow_id: str | None) -> FlowRef | None:
        """Return one of its flows, the newest when none is named, or None."""
        if flow_id is None:
            return self.flows[-1] if self.flows else None
        return next((ref for ref in self.flows if ref.id == flow_id), None)

    def newest(self, purpose: Purpose) -> Purposeful | None:
        """Return what its newest page for ``purpose`` was opened for, or None."""
        return next((ref.about for ref in reversed(self.flows) if ref.about.purpose is purpose), None)


def key_of(secret: str) -> str:
    """Return the key a record is kept under: SHA-256 of the secret, since 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def opened(
    browser: Browser, about: Purposeful, new_id: str, over: frozenset[str], policy: QrPolicy, now: Instant
) -> tuple[Browser, FlowRef]:
    """Return the record for the next secret, and the flow a page for ``about`` shows.

    A flow opened for the same thing goes on, so that a reload shows what is true; one of ``over`` gives way to a
    new one. A browser keeps ``policy.flows`` of them, the oldest goes first.
    """
    going_on = next((ref for ref in browser.flows if ref.about == about and ref.id not in over), None)
    ref = going_on or FlowRef(new_id, about)
    others = tuple(old for old in browser.flows if old.id != ref.id and old.id not in over)
    kept = (*others, ref)[-policy.flows :]
    return Browser(browser.id, browser.epoch + 1, now + policy.browser, kept), ref


def renewed(browser: Browser, over: frozenset[str], policy: QrPolicy, now: Instant) -> Browser:
    """Return the record for the next secret of a browser that shows no flow on the page it opens."""
    kept = tuple(ref for ref in browser.flows if ref.id not in over)
    return Browser(browser.id, browser.epoch + 1, now + policy.browser, kept)
