"""How often the mini-program's calls may be made, and face checks started (wire.md 3, "Face and accounts" (4)).

Owns which windows count under which keys. Every key is a pseudonym: no openid, number or address is ever one. Called
by ``service``, ``claiming`` and ``face_checks``, and by the web handlers for calls with a token.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Final

from msgspec import Struct

from bjidp.clock import DAY
from bjidp.miniprogram.sessions import Caller
from bjidp.person import Person
from bjidp.platforms import PlatformIdentity
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.throttle.ports import Throttle, Window, per_minute
from bjidp.throttle.source import Source

REMEMBERED: Final = 4096
"""Accounts whose pseudonyms are remembered: a login counts two calls."""


class MiniProgramWindows(Struct, frozen=True, kw_only=True):
    """The windows."""

    address: Window = per_minute(3000)
    sign_in: Window = per_minute(10)
    complete: Window = per_minute(60)
    call: Window = per_minute(60)
    refresh: Window = per_minute(60)
    face_of_identity: Window = Window(3, DAY)
    face_of_document: Window = Window(10, DAY)
    face_of_all: Window = Window(20_000, DAY)
    """What the operator pays for in a day: beyond it no face check is started, for nobody."""


class MiniProgramLimits:
    """Counts, and raises ``RateLimited``. A throttle that is down raises ``StoreUnavailable``: nothing passes."""

    def __init__(self, throttle: Throttle, pseudonyms: Pseudonyms, windows: MiniProgramWindows) -> None:
        """Count in ``throttle`` by ``windows``."""
        self._throttle = throttle
        self._pseudonyms = pseudonyms
        self._windows = windows
        # Of accounts alone, whose ids mean nothing: what stands for a person's own data is not kept lying about.
        self._of_account: Callable[[str], str] = lru_cache(REMEMBERED)(partial(pseudonyms.key, "mp.call.account"))

    async def from_address(self, source: Source) -> None:
        """Count a call without a token by where it comes from."""
        await source.hit(self._throttle, "mp.address", self._windows.address)

    async def sign_in(self, identity: PlatformIdentity) -> None:
        """Count a ``session`` or ``registration`` of one platform identity."""
        await self._throttle.hit(self._of_identity("mp.sign-in", identity), self._windows.sign_in)

    async def complete(self, identity: PlatformIdentity) -> None:
        """Count a ``registration/complete`` of one platform identity: phones ask again while a verdict is pending."""
        await self._throttle.hit(self._of_identity("mp.complete", identity), self._windows.complete)

    async def call(self, caller: Caller) -> None:
        """Count a call with a token for the account, and so for each of its platform identities.

        A link stands for one account as long as it lives, so what a platform identity calls is among what the account
        calls: a counter of its own could never be the first to refuse.
        """
        await self._throttle.hit(self._of_account(caller.account), self._windows.call)

    async def refresh(self, session: str) -> None:
        """Count an exchange of a refresh token, for the session that the token names."""
        await self._throttle.hit(self._pseudonyms.key("mp.refresh", session), self._windows.refresh)

    async def face_of_person(self, identity: PlatformIdentity, person: Person, *, own: bool) -> None:
        """Count a face check for the platform identity and, unless the document is its account's own, for the document.

        So strangers can't use up the tries of a document's holder who has a linked 京通.
        """
        await self._throttle.hit(self._of_identity("mp.face.identity", identity), self._windows.face_of_identity)
        if not own:
            await self._throttle.hit(self.document(person), self._windows.face_of_document)

    async def face_of_all(self) -> None:
        """Count a face check against the day's budget."""
        await self._throttle.hit(self._pseudonyms.key("mp.face.all"), self._windows.face_of_all)

    def document(self, person: Person) -> str:
        """Return the key under which a document's face checks are counted."""
        return self._pseudonyms.key("mp.face.document", person.document_type, person.number)

    def _of_identity(self, label: str, identity: PlatformIdentity) -> str:
        return self._pseudonyms.key(label, identity.platform, identity.app_id, identity.open_id)
