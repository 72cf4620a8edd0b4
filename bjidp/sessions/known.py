"""Browsers that an account has logged in on before: what their cookie says, and what it is worth.

Owns the cookie ``bjidp_known``. A browser has an id of its own and, for each of the last accounts that logged in on it,
a tag that only this server can make, with the day it was made. It opens nothing, and is worth nothing once the account
has put others out: by another password, another number, or 不是我 on a change (its fence, ADR 0017). A limit that
strangers can use up leaves such a browser a share of its own (OWASP, "Slow Down Online Guessing Attacks with Device
Cookies"): whoever guesses at an account from elsewhere does not keep its owner from logging in (attack O12). Called by
the handlers of logins, and of what makes all browsers strangers.
"""

from __future__ import annotations

import hmac
import re
from typing import Final

from bjidp.clock import DAY, SECOND, Clock
from bjidp.entropy import Entropy, base64url, token
from bjidp.mac import MacKey
from bjidp.secret import Secret
from bjidp.standing import Standing

LIFETIME_SECONDS: Final = 180 * DAY // SECOND
"""A browser that nobody logs in on for so long is a stranger again."""

ACCOUNTS: Final = 5
"""Accounts a browser is known to: a family's."""

_DAY: Final = 4
"""The day since the epoch, in hexadecimal."""

_TAG: Final = 22
"""128 bits in base64url."""

_FORM: Final = re.compile(rf"[A-Za-z0-9_-]{{22}}(?:\.[0-9a-f]{{{_DAY}}}[A-Za-z0-9_-]{{{_TAG}}}){{1,{ACCOUNTS}}}")


class KnownBrowsers:
    """Reads and writes what the cookie says."""

    def __init__(self, key: Secret, entropy: Entropy, clock: Clock) -> None:
        """Make tags with ``key``; they are worth something for :data:`LIFETIME_SECONDS` by ``clock``."""
        self._key = MacKey(key.reveal())
        self._entropy = entropy
        self._clock = clock

    def known_as(self, cookie: str | None, account: Standing) -> str | None:
        """Return the browser's own id if ``account`` has logged in on it within its fence and time, else None."""
        browser, tags = _read(cookie)
        if browser is None:
            return None
        # Every tag is compared, so that the time says nothing of which one it was.
        found = [hmac.compare_digest(self._tag(browser, account, day), tag) for day, tag in tags if self._counts(day)]
        return browser if any(found) else None

    def remembering(self, cookie: str | None, account: Standing) -> str:
        """Return the cookie's next value, by which the browser is known to ``account`` too, the oldest forgotten."""
        browser, tags = _read(cookie)
        if browser is None:
            browser = token(self._entropy, 128)
        others = [f"{day:0{_DAY}x}{tag}" for day, tag in tags if self._tag(browser, account, day) != tag]
        today = self._today()
        own = f"{today:0{_DAY}x}{self._tag(browser, account, today)}"
        return ".".join([browser, *others[-(ACCOUNTS - 1) :], own])

    def _counts(self, day: int) -> bool:
        # The browser forgets the cookie by itself; whoever has copied it does not.
        return 0 <= self._today() - day <= LIFETIME_SECONDS * SECOND // DAY

    def _today(self) -> int:
        return self._clock.now() // DAY

    def _tag(self, browser: str, account: Standing, day: int) -> str:
        named = f"bjidp.known|{browser}|{account.account}|{account.fence}|{day}"
        return base64url(self._key.mac(named.encode()))[:_TAG]


def _read(cookie: str | None) -> tuple[str | None, list[tuple[int, str]]]:
    if cookie is None or _FORM.fullmatch(cookie) is None:
        return None, []
    browser, *tags = cookie.split(".")
    return browser, [(int(tag[:_DAY], 16), tag[_DAY:]) for tag in tags]
