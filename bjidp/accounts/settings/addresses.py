"""New numbers and mail addresses: a code that was sent to one proves it, once.

Owns that a right code becomes a fact of the change, whatever goes wrong afterwards. Called by ``phones`` and ``mails``.
"""

from __future__ import annotations

from bjidp.accounts.drafts import Draft
from bjidp.accounts.once import prove_once
from bjidp.accounts.settings import flow as rules
from bjidp.accounts.settings.changes import Changes
from bjidp.accounts.settings.flow import Change
from bjidp.accounts.verifying import Visit
from bjidp.verification.code import Binding
from bjidp.verification.codes import Codes


class NewAddresses:
    """Proves addresses. A store that is down raises ``StoreUnavailable``."""

    def __init__(self, changes: Changes, codes: Codes) -> None:
        """Note facts in ``changes``."""
        self._changes = changes
        self._codes = codes

    async def prove(self, visit: Visit, draft: Draft[Change], binding: Binding, code: str) -> Draft[Change]:
        """Use up the code to the address of ``binding``, unless it was proved before.

        Raises ``VerificationCodeWrong``, ``VerificationCodeExpired``, ``RateLimited``, and
        :class:`bjidp.accounts.settings.changes.NotDue` when another post of the same form has come first.
        """
        address = binding.address.value
        if draft.facts.address == address:
            return draft

        async def noted() -> Draft[Change] | None:
            again = await self._changes.due(visit, draft.facts.operation, draft.id)
            return again if again.facts.address == address else None

        proved = await prove_once(self._codes, binding, code, noted)
        if proved is not None:
            return proved
        return await self._changes.note(visit, draft, lambda facts: rules.address_proved(facts, address))
