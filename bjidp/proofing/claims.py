"""Identities that were stated rightly and are another account's: kept until a better proof brings them here (RNV-7).

Owns how long a claim is kept, and that it is sealed. One account has one claim, the newest. Called by ``settling``, by
the proofs that turn a claim into a binding, and by ``appeals``, which are filed for one (RNV-8).
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import msgspec
from msgspec import Struct

from bjidp.accounts.drafts import Sealed
from bjidp.clock import MINUTE, Millis
from bjidp.person import Person
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.privacy.seals import RecordSeals
from bjidp.proofing.ports import NewIdentity
from bjidp.records import DuplicateRecord, Records

LIFETIME: Final[Millis] = 30 * MINUTE
"""RNV-7."""


class Claim(Struct, frozen=True, kw_only=True):
    """A person whom the authority knows, as they were proved."""

    new: NewIdentity
    exchange: bool
    """Whether the identity that the account has gives way to it (RNV-5)."""

    @property
    def person(self) -> Person:
        """Who it is."""
        return self.new.person

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "Claim(***)"


class Claims:
    """The life of claims. A store that is down raises ``StoreUnavailable``."""

    def __init__(self, records: Records[Sealed], seals: RecordSeals, pseudonyms: Pseudonyms) -> None:
        """Keep them in ``records``, sealed by ``seals``."""
        self._records = records
        self._seals = seals
        self._pseudonyms = pseudonyms
        self._decoder = msgspec.msgpack.Decoder(Claim)

    async def keep(self, account: str, claim: Claim) -> None:
        """Keep it in place of the one there was."""
        key = self._key(account)
        sealed = Sealed(self._seals.seal(msgspec.msgpack.encode(claim), key))
        await self._records.take(key)
        with suppress(DuplicateRecord):
            # Another post of the same account came in between: its claim is as new.
            await self._records.add(key, sealed, LIFETIME)

    async def find(self, account: str) -> Claim | None:
        """Return the account's claim, or None."""
        key = self._key(account)
        held = await self._records.get(key)
        if held is None:
            return None
        try:
            return self._decoder.decode(self._seals.unseal(held.value.data, key))
        except ValueError:
            # Its key was retired, another version of the server has written it, or it was tampered with: as good as
            # over, and whoever goes on is told what to state anew.
            return None

    async def drop(self, account: str) -> None:
        """Forget it."""
        await self._records.take(self._key(account))

    def _key(self, account: str) -> str:
        return self._pseudonyms.key("proofing.claim", account)
