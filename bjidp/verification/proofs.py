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
    """One proof; whose it is and for what is in its key.

    It is good for nothing once the account has left the ``epoch`` it was proved in: sessions were ended since then
    (ADR 0015).
    """

    means: Means
    epoch: int = 0


class Proofs:
    """The life of proofs. A store that is down raises ``StoreUnavailable``: nothing passes."""

    def __init__(self, records: Records[Proof], pseudonyms: Pseudonyms) -> None:
        """Keep proofs in ``records``."""
        self._records = records
        self._pseudonyms = pseudonyms

    async def grant(self, holder: str, account: str, operation: Operation, means: Means, epoch: int) -> None:
        """Let ``holder`` do ``operation`` to ``account`` once, within five minutes.

        ``holder`` is the session, or the flow of somebody who is not logged in; ``epoch`` the account's before it was
        proved. A proof that it had already for this operation is replaced.
        """
        key = self._key(holder, account, operation)
        await self._records.take(key)
        with suppress(DuplicateRecord):
            # Somebody else granted it in between, which is as good.
            await self._records.add(key, Proof(means, epoch), LIFETIME)

    async def is_by_sms(self, holder: str, account: str, operation: Operation, epoch: int) -> bool:
        """Return whether there is a live proof that a code to the account's own number gave."""
        held = await self._records.get(self._key(holder, account, operation))
        return held is not None and held.value == Proof(Means.SMS, epoch)

    async def epoch_of(self, holder: str, account: str, operation: Operation) -> int | None:
        """Return the epoch that a live proof is of, without consuming it; None when there is no proof."""
        held = await self._records.get(self._key(holder, account, operation))
        return None if held is None else held.value.epoch

    async def held(self, holder: str, account: str, operation: Operation, epoch: int) -> bool:
        """Return whether there is a live proof of the ``epoch`` that the account is in, without consuming it."""
        return await self.epoch_of(holder, account, operation) == epoch

    async def revoke(self, holder: str, account: str, operation: Operation) -> bool:
        """Take a proof back; return whether it was there, used up by nobody: its owner says that it was not them."""
        return await self._records.take(self._key(holder, account, operation)) is not None

    async def consume(self, holder: str, account: str, operation: Operation, epoch: int) -> Means:
        """Use the proof up and return what proved it: of many racing callers one gets it.

        ``epoch`` is the account's, read before whatever of the operation itself ends sessions. Raises
        :class:`VerificationRequired` when there is no proof, or one of another epoch.
        """
        # Looked at first: one of another epoch is left for whoever has seen that before it ended it.
        if not await self.held(holder, account, operation, epoch):
            raise VerificationRequired
        proof = await self._records.take(self._key(holder, account, operation))
        if proof is None or proof.epoch != epoch:
            raise VerificationRequired
        return proof.means

    def _key(self, holder: str, account: str, operation: Operation) -> str:
        return self._pseudonyms.key("verification.proof", holder, account, operation)
