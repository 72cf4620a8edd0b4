"""人脸识别认证: a face ticket that was redeemed makes L3 of the identity its account has (RNV-3).

Owns what the approval of one is exchanged for: the account's own identity counts as proved by a face, and nothing else
comes of it, no login and no other person (attacks B4, Q18). Called by :mod:`bjidp.qrlogin.redeeming`, which has seen to
it that the session that asked is the one that redeems.

**What a crash leaves.** The level is written in one transaction, under our reference of the check, and the ticket is
claimed after it: redeemed once more, it is found done.
"""

from __future__ import annotations

from collections.abc import Callable

from bjidp.accounts.ports import Evidence
from bjidp.clock import Clock
from bjidp.errors import AccountRefused
from bjidp.proofing.ports import IdentityChanged, IdentityStore, NewIdentity
from bjidp.qrlogin.errands import require_standing
from bjidp.qrlogin.errors import TicketUnknown
from bjidp.qrlogin.ports import Accounts
from bjidp.qrlogin.redeeming import Redemption
from bjidp.sessions.authentication import Method
from bjidp.sessions.service import Sessions


class Faces:
    """Exchanges the approvals of face tickets."""

    def __init__(
        self,
        *,
        identities: IdentityStore,
        accounts: Accounts,
        sessions: Sessions,
        ticket_digest: Callable[[str], bytes],
        clock: Clock,
    ) -> None:
        """Write to ``identities``; ``accounts`` says how an account stands at that moment.

        ``ticket_digest`` is what ``sessions`` remember a ticket by.
        """
        self._identities = identities
        self._accounts = accounts
        self._sessions = sessions
        self._ticket_digest = ticket_digest
        self._clock = clock

    async def give(self, redemption: Redemption) -> None:
        """See :meth:`bjidp.qrlogin.redeeming.Exchange.give`.

        Raises ``AccountRefused`` with ``level`` for an identity that was exchanged, given up or proved anew since the
        page was opened.
        """
        account, errand, evidence = redemption.holder.account, redemption.errand, redemption.evidence
        if errand is None or errand.mark is None or errand.session is None or evidence is None:
            raise TicketUnknown
        await require_standing(self._accounts, redemption)
        # First: whoever takes it back when the ticket is long forgotten ends the session that asked.
        digest = self._ticket_digest(redemption.ticket)
        await self._sessions.note_verification(account, errand.session, digest)
        bound = await self._identities.bound(account)
        if bound is None or not bound.shows_a_face(self._clock.now()):
            raise AccountRefused("level")
        new = NewIdentity(
            person=bound.person,
            evidence=Evidence.FACE,
            evidence_reference=evidence,
            authority_reference=bound.authority_reference,
            term=bound.term,
        )
        try:
            await self._identities.prove(account, new, self._clock.now(), was=errand.mark)
        except IdentityChanged:
            # By this very approval, which is redeemed once more after a crash, or twice at once; or by something else.
            bound = await self._identities.bound(account)
            if bound is None or bound.evidence_reference != evidence:
                raise AccountRefused("level") from None
        # Last: a face that came to nothing here is none that sites are told of (attack P10).
        await self._sessions.note_proof(account, errand.session, Method.FACE)

    async def take_back(self, redemption: Redemption) -> None:
        """See :meth:`bjidp.qrlogin.redeeming.Exchange.take_back`.

        There is nothing to take: that the face was the account's own stays true. What the person denies is the session
        that asked, which whoever hears them ends.
        """
