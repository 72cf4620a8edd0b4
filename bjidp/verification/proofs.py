"""验证身份 (ACC-8): the proof that the person at the page is the account's owner, for one operation.

Owns the proof: who may grant one, what it serves for, and that it serves once. Granted after a code by SMS or a
confirmation in 京通 was checked; consumed by the service of the one operation, in the step that writes.
"""

from __future__ import annotations

from contextlib import suppress
from enum import StrEnum
from typing import Final

from msgspec import Struct

from bjidp.clock import MINUTE, Millis
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.records import DuplicateRecord, Records
from bjidp.verification.errors import VerificationRequired
from bjidp.verification.operation import Operation as Operation  # noqa: PLC0414 - part of what a proof is

LIFETIME: Final[Millis] = 5 * MINUTE


class Means(StrEnum):
    """What proved it."""

    SMS = "sms"
    QR = "qr"


class Proof(Struct, frozen=True):
    """One proof; whose it is and for what is in its key."""

    means: Means


class Proofs:
    """The life of proofs. A store that is down raises ``StoreUnavailable``: nothing passes."""

    def __init__(self, records: Records[Proof], pseudonyms: Pseudonyms) -> None:
        """Keep proofs in ``records``."""
        self._records = records
        self._pseudonyms = pseudonyms

    async def grant(self, holder: str, account: str, operation: Operation, means: Means) -> None:
        """Let ``holder`` do ``operation`` to ``account`` once, within five minutes.

        ``holder`` is the session, or the flow of somebody who is not logged in. A proof that it had already for this
        operation is replaced.
        """
        key = self._key(holder, account, operation)
        await self._records.take(key)
        with suppress(DuplicateRecord):
            # Somebody else granted it in between, which is as good.
            await self._records.add(key, Proof(means), LIFETIME)

    async def held(self, holder: str, account: str, operation: Operation) -> bool:
        """Return whether there is a live proof, without consuming it."""
        return await self._records.get(self._key(holder, account, operation)) is not None

    async def revoke(self, holder: str, account: str, operation: Operation) -> None:
        """Take a proof back that was not used yet: the account's owner says that it was not them."""
        await self._records.take(self._key(holder, account, operation))

    async def consume(self, holder: str, account: str, operation: Operation) -> Means:
        """Use the proof up and return what proved it: of many racing callers one gets it.

        Raises :class:`VerificationRequired` when there is none.
        """
        proof = await self._records.take(self._key(holder, account, operation))
        if proof is None:
            raise VerificationRequired
        return proof.means

    def _key(self, holder: str, account: str, operation: Operation) -> str:
        return self._pseudonyms.key("verification.proof", holder, account, operation)
