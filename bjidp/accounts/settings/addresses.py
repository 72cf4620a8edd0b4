"""New numbers and mail addresses: a code that was sent to one proves it, once.

Owns that a right code becomes a fact of the change, whatever goes wrong afterwards. Called by ``phones`` and ``mails``.
"""

from __future__ import annotations

from bjidp.accounts.drafts import Draft
from bjidp.accounts.settings import flow as rules
from bjidp.accounts.settings.changes import Changes
from bjidp.accounts.settings.flow import Change
from bjidp.accounts.verifying import Visit
from bjidp.verification.code import Binding
from bjidp.verification.codes import Codes
from bjidp.verification.errors import VerificationCodeExpired


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
        try:
            await self._codes.use(binding, code)
        except VerificationCodeExpired:
            # The same form sent twice: the first of the two has used the code meanwhile.
            again = await self._changes.due(visit, draft.facts.operation, draft.id)
            if again.facts.address != address:
                raise
            return again
        return await self._changes.note(visit, draft, lambda facts: rules.address_proved(facts, address))
