"""One-time codes: issuing and using them.

Called by the features that send codes and ask for them. What a code is worth is decided in
:mod:`bjidp.verification.code`; a decision counts once it is written on the version it was made on.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from bjidp.clock import HOUR
from bjidp.entropy import Entropy, digits
from bjidp.errors import StoreUnavailable
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.records import DuplicateRecord, Held, Records, StaleRecord
from bjidp.secret import Secret
from bjidp.throttle.ports import Throttle, Window
from bjidp.verification import code as rules
from bjidp.verification.code import Address, Binding, Code
from bjidp.verification.errors import VerificationCodeExpired, VerificationCodeWrong

ATTEMPTS: Final = 24
"""Lost races in a row before giving up with a 503. All tries that a code stands are fewer."""


class CodeWindows(Struct, frozen=True, kw_only=True):
    """The windows."""

    guesses: Window = Window(10, HOUR)
    """Tries at the codes of one address, whichever codes, for whatever purpose (attack O6).

    Of those that the address's own account asked for, and of all others together: who has codes sent to somebody and
    guesses at them uses up no try of theirs (attack O12).
    """


class Codes:
    """The life of one-time codes. A store that is down raises ``StoreUnavailable``: nothing passes."""

    def __init__(
        self,
        *,
        records: Records[Code],
        throttle: Throttle,
        pseudonyms: Pseudonyms,
        entropy: Entropy,
        windows: CodeWindows,
    ) -> None:
        """Keep codes in ``records`` and count guesses in ``throttle``."""
        self._records = records
        self._throttle = throttle
        self._pseudonyms = pseudonyms
        self._entropy = entropy
        self._windows = windows

    async def issue(self, binding: Binding, *, owner: bool = False) -> Secret:
        """Return a new code for ``binding``; one that was issued for it before is dead.

        ``owner`` is as in :meth:`bjidp.verification.limits.SmsLimits.count`. Nothing is sent and no message counted:
        that is the caller's, with :mod:`bjidp.verification.limits`.
        """
        fresh = digits(self._entropy, rules.DIGITS)
        await self._put(self._key(binding), rules.issued(self._digest(binding, fresh), owner=owner))
        return Secret(fresh)

    async def use(self, binding: Binding, typed: str) -> None:
        """Use the code up; return if ``typed`` is the live code of exactly this binding.

        Raises :class:`VerificationCodeWrong`, :class:`VerificationCodeExpired`, and ``RateLimited`` when the address
        was guessed at too often, by right tries or wrong ones; then no try of the code is spent.
        """
        key = self._key(binding)
        held = await self._live(key)
        # After the look: without a code that was sent nobody spends what the address is allowed (attack O12).
        await self._throttle.hit(self._guesses(binding.address, held.value), self._windows.guesses)
        offered = self._digest(binding, rules.as_typed(typed))
        for _ in range(ATTEMPTS):
            outcome = rules.tried(held.value, offered)
            try:
                # Nobody is told before this is written, so each answer has cost a try, and a right one the code
                # (attacks O4 and O9).
                await self._records.replace(key, outcome.code, held.version)
            except StaleRecord:
                held = await self._live(key)
                continue
            if not outcome.right:
                raise VerificationCodeWrong(outcome.code.tries_left)
            return
        raise StoreUnavailable

    async def _live(self, key: str) -> Held[Code]:
        held = await self._records.get(key)
        if held is None:
            raise VerificationCodeExpired
        rules.require_live(held.value)
        return held

    async def _put(self, key: str, code: Code) -> None:
        for _ in range(ATTEMPTS):
            held = await self._records.get(key)
            try:
                if held is None:
                    await self._records.add(key, code, rules.LIFETIME)
                else:
                    await self._records.replace(key, code, held.version, rules.LIFETIME)
            except (DuplicateRecord, StaleRecord):
                continue
            return
        raise StoreUnavailable

    def _key(self, binding: Binding) -> str:
        return self._pseudonyms.key("verification.code", *binding.parts)

    def _guesses(self, address: Address, code: Code) -> str:
        # By what was known when it was sent: whoever guesses has no say in it.
        whose = "owner" if code.owner else ""
        return self._pseudonyms.key("verification.guesses", address.channel, address.value, whose)

    def _digest(self, binding: Binding, typed: str) -> bytes:
        return self._pseudonyms.digest("verification.digits", *binding.parts, typed)
