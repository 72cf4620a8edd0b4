"""人脸识别认证 on pages: who may have a face ticket, and what became of it (RNV-3).

Owns what is needed before one is made: an identity at L2 or more to compare a face with (attack B5), a 京通 to show it
to, and 验证身份, which is used up when the page is first shown. Called by ``web``. The level itself is
:mod:`bjidp.proofing.faces`'.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec.structs import replace

from bjidp.accounts.drafts import Draft
from bjidp.accounts.ports import Evidence
from bjidp.accounts.settings.changes import Changes, NotDue
from bjidp.accounts.settings.flow import Change, Step
from bjidp.accounts.verifying import Verifying, Visit
from bjidp.clock import Clock
from bjidp.errors import AccountRefused
from bjidp.proofing.claims import Claims
from bjidp.proofing.ports import Bound, IdentityStore
from bjidp.verification.proofs import Operation


class Need(StrEnum):
    """What comes before 人脸识别认证."""

    REAL_NAME = "real_name"
    """There is no identity to compare a face with, or its document has run out."""
    HELD = "held"
    """There is none, and whom they have stated another account has: that has to be brought here first."""
    JINGTONG = "jingtong"
    """No phone is logged in to the account, or ever was."""


class FaceProofs:
    """Leads up to face tickets. A store that is down raises ``StoreUnavailable``."""

    def __init__(
        self, changes: Changes, verifying: Verifying, identities: IdentityStore, claims: Claims, clock: Clock
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._changes = changes
        self._verifying = verifying
        self._identities = identities
        self._claims = claims
        self._clock = clock

    async def need(self, visit: Visit) -> Need | None:
        """Return what has to be done first, None when nothing has."""
        if await self._identity(visit) is None:
            # 实名认证 would only say once more that another account has it.
            return Need.REAL_NAME if await self._claims.find(visit.account) is None else Need.HELD
        return None if await self._verifying.by_jingtong(visit) else Need.JINGTONG

    async def begin(self, visit: Visit, flow: str | None) -> str:
        """Use 验证身份 up, once, for a page that can be shown for a while from then on; return the change's id.

        Raises ``AccountRefused`` with ``level`` for an account below L2, and
        :class:`bjidp.accounts.settings.changes.NotDue`.
        """
        bound = await self._identity(visit)
        if bound is None:
            raise AccountRefused("level")
        return (
            await self._changes.open(visit, Operation.FACE, flow, mark=bound.mark, reference=bound.evidence_reference)
        ).id

    async def require_undone(self, visit: Visit, draft: Draft[Change] | None) -> None:
        """Raise :class:`NotDue` once a face has proved the identity that this change was begun for.

        It is told by the reference that counts: another proof meanwhile, of an identity that a face had proved before,
        leaves that one as it was.
        """
        opened = None if draft is None else draft.facts.opened
        if draft is None or opened is None:
            return
        bound = await self._identity(visit)
        if bound is None or not bound.came_with(opened.mark) or bound.evidence is not Evidence.FACE:
            return
        if bound.evidence_reference == opened.reference:
            return
        await self._changes.note(visit, draft, lambda facts: replace(facts, done=True))
        raise NotDue(draft.id, Step.DONE)

    async def mark(self, visit: Visit, draft: Draft[Change]) -> str:
        """Return the mark of the identity that a ticket of this change is for.

        Raises :class:`NotDue` when that is not the account's any more, and for a change that has not begun.
        """
        bound, opened = await self._identity(visit), draft.facts.opened
        if bound is None or opened is None or bound.mark != opened.mark:
            raise NotDue(None, Step.VERIFY)
        return bound.mark

    async def _identity(self, visit: Visit) -> Bound | None:
        bound = await self._identities.bound(visit.account)
        return bound if bound is not None and bound.shows_a_face(self._clock.now()) else None
