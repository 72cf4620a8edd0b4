"""Forms over several pages: where the facts gathered so far wait.

Owns the keys, the sealing and the time of drafts. A draft belongs to one holder, a browser or a session, and is unknown
to all others; what is in it is sealed, since it is personal. Called by the services of registration, recovery and the
settings. What a flow may do next is decided by its own pure module, from the facts and never from a stored step.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, Generic, TypeVar

import msgspec
from msgspec import Struct

from bjidp.clock import MINUTE, Instant, Millis
from bjidp.entropy import Entropy, token
from bjidp.errors import BjidpError, StoreUnavailable
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.privacy.seals import RecordSeals
from bjidp.records import Records, StaleRecord

LIFETIME: Final[Millis] = 30 * MINUTE
"""Counted from the last step; a person who is slower begins again."""

ATTEMPTS: Final = 24
"""Lost races in a row before giving up with a 503."""

_ID: Final = re.compile(r"[A-Za-z0-9_-]{22}")
"""128 bits in base64url."""

T = TypeVar("T", bound=Struct)


class DraftUnknown(BjidpError):
    """The flow is over, or another browser's, or there was none: it begins again."""

    code = "flow_expired"


class Sealed(Struct, frozen=True):
    """A draft as it is kept."""

    data: bytes


class Draft(Struct, Generic[T], frozen=True):
    """A draft as read: its id, its facts, the version they were read at, and the store's time of the read."""

    id: str
    facts: T
    version: int
    now: Instant


class Drafts(Generic[T]):
    """Drafts of one flow. Raises ``StoreUnavailable`` when the store does not answer."""

    def __init__(
        self,
        kind: type[T],
        name: str,
        *,
        records: Records[Sealed],
        seals: RecordSeals,
        pseudonyms: Pseudonyms,
        entropy: Entropy,
        lifetime: Millis = LIFETIME,
    ) -> None:
        """Keep facts of type ``kind`` for the flow ``name``, which is apart from all others in the same store."""
        self._decoder = msgspec.msgpack.Decoder(kind)
        self._name = name
        self._records = records
        self._seals = seals
        self._pseudonyms = pseudonyms
        self._entropy = entropy
        self._lifetime = lifetime

    async def open(self, holder: str, facts: T) -> str:
        """Keep ``facts`` for ``holder``; return the id of the new draft."""
        draft = token(self._entropy, 128)
        key = self._key(holder, draft)
        await self._records.add(key, self._sealed(key, facts), self._lifetime)
        return draft

    async def read(self, holder: str, draft: str | None) -> Draft[T]:
        """Return the holder's draft; raise :class:`DraftUnknown`."""
        if draft is None or _ID.fullmatch(draft) is None:
            raise DraftUnknown
        key = self._key(holder, draft)
        held = await self._records.get(key)
        if held is None:
            raise DraftUnknown
        facts = self._decoder.decode(self._seals.unseal(held.value.data, key))
        return Draft(draft, facts, held.version, held.now)

    async def find(self, holder: str, draft: str | None) -> Draft[T] | None:
        """Return the holder's draft, None when there is none: never begun, over, another's."""
        try:
            return await self.read(holder, draft)
        except DraftUnknown:
            return None

    async def begin(self, holder: str, facts: T) -> Draft[T]:
        """Keep ``facts`` for ``holder``; return the new draft."""
        return await self.read(holder, await self.open(holder, facts))

    async def write(self, holder: str, draft: Draft[T], facts: T) -> Draft[T]:
        """Write ``facts`` on the version that was read; raise ``StaleRecord`` when somebody was faster."""
        key = self._key(holder, draft.id)
        version = await self._records.replace(key, self._sealed(key, facts), draft.version, self._lifetime)
        return Draft(draft.id, facts, version, draft.now)

    async def change(
        self,
        holder: str,
        draft: Draft[T],
        change: Callable[[T], T],
        *,
        still: Callable[[Draft[T]], None] | None = None,
    ) -> Draft[T]:
        """Write what ``change`` makes of the facts; where somebody was faster, of theirs.

        Theirs are shown to ``still`` first, which raises what ends it where they leave nothing to be changed. What
        ``change`` raises ends it as well. Raises :class:`DraftUnknown` when the draft is over by then.
        """
        for _ in range(ATTEMPTS):
            try:
                return await self.write(holder, draft, change(draft.facts))
            except StaleRecord:
                draft = await self.read(holder, draft.id)
            if still is not None:
                still(draft)
        raise StoreUnavailable

    async def close(self, holder: str, draft: str) -> T | None:
        """End the draft and return its facts: of many racing callers one gets them."""
        key = self._key(holder, draft)
        taken = await self._records.take(key)
        return None if taken is None else self._decoder.decode(self._seals.unseal(taken.data, key))

    def _sealed(self, key: str, facts: T) -> Sealed:
        return Sealed(self._seals.seal(msgspec.msgpack.encode(facts), key))

    def _key(self, holder: str, draft: str) -> str:
        return self._pseudonyms.key("accounts.draft", self._name, holder, draft)
