"""实名认证 and 换绑: a name and a number that the authority knows make L2 (REG-4, REG-5, RNV-2, RNV-5).

Owns both ways to it: in the centre, after 验证身份, and in a registration, whose phone was proved a moment ago. Called
by ``web``. What is wrong with a form costs nobody anything; the authority's answer costs one of the account's
questions; the proof of 验证身份 is used up when the identity is written.

An identity that another account holds stays there, kept here as a claim: the caller is told by which proofs it comes.
"""

from __future__ import annotations

from bjidp.accounts.settings.changes import Changes
from bjidp.accounts.verifying import Verifying, Visit
from bjidp.clock import Clock
from bjidp.person import Person
from bjidp.proofing.asking import Asking
from bjidp.proofing.confirmation import confirmed
from bjidp.proofing.dates import beijing_date
from bjidp.proofing.errors import IdentityOther, PhoneRequired
from bjidp.proofing.names import is_same_document
from bjidp.proofing.phone_first import phone_comes_first
from bjidp.proofing.ports import EpochOver, Held, IdentityChanged, IdentityStore, NewIdentity, Settled
from bjidp.proofing.ranges import DocumentRange
from bjidp.proofing.settling import Settling, settled_in
from bjidp.proofing.stated import Stated, Typed, read
from bjidp.verification.errors import VerificationRequired
from bjidp.verification.proofs import Operation


class RealNames:
    """Proves names and numbers. A store that is down raises ``StoreUnavailable``."""

    def __init__(
        self,
        *,
        changes: Changes,
        verifying: Verifying,
        identities: IdentityStore,
        asking: Asking,
        settling: Settling,
        documents: DocumentRange,
        clock: Clock,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._changes = changes
        self._verifying = verifying
        self._identities = identities
        self._asking = asking
        self._settling = settling
        self._documents = documents
        self._clock = clock

    async def prove(self, visit: Visit, flow: str | None, typed: Typed) -> str:
        """Bind the identity that is stated to an account that has none, or prove its own anew; return the change's id.

        The facts of the change say afterwards whether it was bound, or is kept as a claim. Raises ``InvalidRequest``,
        ``IdentityMismatch``, :class:`bjidp.proofing.errors.IdentityOther`, ``RateLimited``, ``VendorUnavailable``,
        ``AccountRefused``, :class:`bjidp.proofing.errors.PhoneRequired` and
        :class:`bjidp.accounts.settings.changes.NotDue`.
        """
        return await self._change(visit, flow, typed, Operation.REAL_NAME)

    async def exchange(self, visit: Visit, flow: str | None, typed: Typed) -> str:
        """Put the identity that is stated in the place of the account's own (RNV-5); as :meth:`prove` otherwise."""
        return await self._change(visit, flow, typed, Operation.EXCHANGE)

    async def at_registration(self, visit: Visit, typed: Typed, *, whole: bool) -> Held | None:
        """Bind the identity to an account that was just registered; ``whole`` as in :func:`stated.read`.

        Returns None when it is bound, else that another account holds it, and by what it comes from there. Raises as
        :meth:`prove` does, and ``VerificationRequired`` in the place of ``NotDue``, and where the session has
        ended while the authority was asked. Posted twice, it is bound once.
        """
        stated = self._read(typed, whole=whole)
        was = await self._own(visit.account, stated.person)
        new = await self._confirmed(visit.account, stated)
        # No proof is used up here, which would say whether whoever began is here still.
        await self._verifying.require_session(visit)
        try:
            settled = await self._settling.settle(visit.account, new, was=was, keep=visit.session.id, epoch=visit.epoch)
        except EpochOver:
            raise VerificationRequired from None
        except IdentityChanged:
            # By another post of the same form; else by somebody who is logged in to this account elsewhere.
            if await self._own(visit.account, stated.person) is None:
                raise VerificationRequired from None
            return None
        return settled if isinstance(settled, Held) else None

    async def _change(self, visit: Visit, flow: str | None, typed: Typed, operation: Operation) -> str:
        stated = self._read(typed, whole=True)
        draft = await self._changes.due(visit, operation, flow)
        if phone_comes_first(await self._verifying.member(visit), operation):
            raise PhoneRequired
        exchange = operation is Operation.EXCHANGE
        was = await self._own(visit.account, None if exchange else stated.person)
        new = await self._confirmed(visit.account, stated)

        async def settle() -> Settled | Held:
            return await self._settling.settle(visit.account, new, was=was, keep=visit.session.id, exchange=exchange)

        return await settled_in(self._changes, visit, draft, settle)

    async def _own(self, account: str, person: Person | None) -> str | None:
        """Return the mark of the account's identity, which all that follows is decided on, None where it has none.

        Raises :class:`IdentityOther`, before anybody is asked, where it is by another document than ``person``.
        """
        bound = await self._identities.bound(account)
        if bound is None:
            return None
        if person is not None and not is_same_document(bound.person, person):
            raise IdentityOther
        return bound.mark

    async def _confirmed(self, account: str, stated: Stated) -> NewIdentity:
        return await confirmed(self._asking, account, stated.person, term=stated.term, sex=stated.sex)

    def _read(self, typed: Typed, *, whole: bool) -> Stated:
        return read(typed, whole=whole, served=self._documents, today=beijing_date(self._clock.now()))
