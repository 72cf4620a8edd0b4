"""Captchas: showing them, and using them up.

Called by every page that asks for one. A captcha belongs to one holder, a browser or a session, and is unknown to all
others; its id says nothing of it. Whatever is typed, it serves once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, Protocol, TypeAlias

from msgspec import Struct

from bjidp.entropy import Entropy, token
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.records import Records
from bjidp.throttle.ports import Throttle, Window, per_minute
from bjidp.throttle.source import Source
from bjidp.verification import captcha as rules
from bjidp.verification.captcha import Captcha
from bjidp.verification.captcha_pool import Drawn
from bjidp.verification.captcha_sound import speak
from bjidp.verification.errors import CaptchaWrong

VOICE: Final = 16
"""Bytes that the sound is varied by."""

Witness: TypeAlias = Callable[[str, str], Awaitable[None]]
"""Is told id and answer of every captcha before it is shown. Only a demonstration has one."""


class Pictures(Protocol):
    """Where pictures come from: :class:`bjidp.verification.captcha_pool.CaptchaPool`."""

    async def take(self) -> Drawn:
        """Return a picture that nobody else gets; raise ``TooBusy``."""
        ...


class CaptchaWindows(Struct, frozen=True, kw_only=True):
    """The windows."""

    shown: Window = per_minute(600)
    """Captchas shown to an address: one for each page with a form, and for each that was typed wrong."""


class Captchas:
    """The life of captchas. A store that is down raises ``StoreUnavailable``: nothing passes."""

    def __init__(
        self,
        *,
        records: Records[Captcha],
        pictures: Pictures,
        throttle: Throttle,
        pseudonyms: Pseudonyms,
        entropy: Entropy,
        windows: CaptchaWindows,
        witness: Witness | None = None,
    ) -> None:
        """Keep captchas in ``records``, count in ``throttle``."""
        self._records = records
        self._pictures = pictures
        self._throttle = throttle
        self._pseudonyms = pseudonyms
        self._entropy = entropy
        self._windows = windows
        self._witness = witness

    async def show(self, holder: str, source: Source) -> str:
        """Make a captcha for ``holder`` and return its id.

        Raises ``RateLimited`` for an address that was shown too many (attack O11) and ``TooBusy``.
        """
        await source.hit(self._throttle, "captcha.shown", self._windows.shown)
        drawn = await self._pictures.take()
        captcha = token(self._entropy, 128)
        made = Captcha(drawn.answer, drawn.picture, self._entropy.octets(VOICE))
        await self._records.add(self._key(holder, captcha), made, rules.LIFETIME)
        if self._witness is not None:
            await self._witness(captcha, drawn.answer)
        return captcha

    async def picture(self, holder: str, captcha: str) -> bytes | None:
        """Return the PNG, or None for a captcha that is used, over, another holder's, or none."""
        found = await self._find(holder, captcha)
        return None if found is None else found.picture

    async def sound(self, holder: str, captcha: str) -> bytes | None:
        """Return a WAV, the same each time, or None as :meth:`picture` does."""
        found = await self._find(holder, captcha)
        return None if found is None else speak(found.answer, found.voice)

    async def use(self, holder: str, captcha: str, typed: str) -> None:
        """Use the captcha up, whatever is typed; return if that was what it shows.

        Of many racing calls one can be right. Raises :class:`CaptchaWrong`: the page shows a new one.
        """
        taken = await self._records.take(self._key(holder, captcha)) if rules.is_id(captcha) else None
        if taken is None or not rules.is_right(taken, typed):
            raise CaptchaWrong

    async def _find(self, holder: str, captcha: str) -> Captcha | None:
        held = await self._records.get(self._key(holder, captcha)) if rules.is_id(captcha) else None
        return None if held is None else held.value

    def _key(self, holder: str, captcha: str) -> str:
        return self._pseudonyms.key("verification.captcha", holder, captcha)
