"""Browsers that an account has logged in on before: what their cookie says, and what it is worth.

Owns the cookie ``bjidp_known``. Pure. A browser has an id of its own and, for each of the last accounts that logged in
on it, a tag that only this server can make. It opens nothing. A limit that strangers can use up leaves such a browser a
share of its own (OWASP, "Slow Down Online Guessing Attacks with Device Cookies"): whoever guesses at an account from
elsewhere does not keep its owner from logging in (attack O12). Called by the handlers of logins.
"""

from __future__ import annotations

import hmac
import re
from typing import Final

from bjidp.clock import DAY, SECOND
from bjidp.entropy import Entropy, base64url, token
from bjidp.mac import MacKey
from bjidp.secret import Secret

LIFETIME_SECONDS: Final = 180 * DAY // SECOND
"""A browser that nobody logs in on for so long is a stranger again."""

ACCOUNTS: Final = 5
"""Accounts a browser is known to: a family's."""

_TAG: Final = 22
"""128 bits in base64url."""

_FORM: Final = re.compile(rf"[A-Za-z0-9_-]{{22}}(?:\.[A-Za-z0-9_-]{{{_TAG}}}){{1,{ACCOUNTS}}}")


class KnownBrowsers:
    """Reads and writes what the cookie says."""

    def __init__(self, key: Secret, entropy: Entropy) -> None:
        """Make tags with ``key``."""
        self._key = MacKey(key.reveal())
        self._entropy = entropy

    def known_as(self, cookie: str | None, account: str) -> str | None:
        """Return the browser's own id if ``account`` has logged in on it, else None."""
        browser, tags = _read(cookie)
        if browser is None:
            return None
        tag = self._tag(browser, account)
        # Every tag is compared, so that the time says nothing of which one it was.
        found = [hmac.compare_digest(tag, presented) for presented in tags]
        return browser if any(found) else None

    def remembering(self, cookie: str | None, account: str) -> str:
        """Return the cookie's next value, by which the browser is known to ``account`` too, the oldest forgotten."""
        browser, tags = _read(cookie)
        if browser is None:
            browser = token(self._entropy, 128)
        tag = self._tag(browser, account)
        others = [other for other in tags if other != tag]
        return ".".join([browser, *others[-(ACCOUNTS - 1) :], tag])

    def _tag(self, browser: str, account: str) -> str:
        return base64url(self._key.mac(f"bjidp.known|{browser}|{account}".encode()))[:_TAG]


def _read(cookie: str | None) -> tuple[str | None, list[str]]:
    if cookie is None or _FORM.fullmatch(cookie) is None:
        return None, []
    browser, *tags = cookie.split(".")
    return browser, tags
