"""One change from its first form to its end: the facts, 验证身份, and that it is written once.

Owns the order of the last step. Called by ``web`` for 验证身份, and by the services of this package, of ``proofing``
and of ``organisations``, each with what it writes. Everything that can be wrong is found before; then the change is
claimed in its draft, the proof is consumed, the change is written, and the draft says so.

**Two posts at once** have one winner, by the version of the draft; the other is led to where the change stands.

**What a crash leaves.** Claimed and not consumed: nothing has happened, and after :data:`flow.SAVING` the form
can be sent again; but a new password has ended sessions by then, and with them the proof. Consumed and not
written: nothing has happened, and 验证身份 is asked anew. Written and not noted: the change holds, the centre shows
it, and the page asks 验证身份 as if for another. A store that is down in the last step has mostly written nothing;
where it says so after a commit that it made, it is as if the process had died there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress

from msgspec import Struct
from msgspec.structs import replace

from bjidp.accounts import fields
from bjidp.accounts.drafts import Draft, Drafts, DraftUnknown
from bjidp.accounts.settings import flow as rules
from bjidp.accounts.settings.flow import Change, Opened, Sent, Step, Typed
from bjidp.accounts.verifying import Verifying, Visit
from bjidp.clock import SECOND
from bjidp.errors import BjidpError, Retryable, StoreUnavailable
from bjidp.records import StaleRecord
from bjidp.verification import dispatch
from bjidp.verification.errors import VerificationRequired
from bjidp.verification.proofs import Operation, Proofs


class NotDue(Exception):
    """Another step is due: the page of the change leads there. Nothing was done."""

    def __init__(self, flow: str | None, step: Step) -> None:
        """Name the step, and the change if there is one."""
        super().__init__(step)
        self.flow = flow
        self.step = step


class Progress(Struct, frozen=True):
    """Where a change stands."""

    step: Step
    draft: Draft[Change] | None


class IdentityProved(Struct, frozen=True):
    """验证身份 is done: the change goes on, and the session has a new cookie unless an answer before had it."""

    flow: str
    cookie: str | None


class Changes:
    """The life of changes. A store that is down raises ``StoreUnavailable``.

    Every method but :meth:`look` and :meth:`agree` raises :class:`NotDue`.
    """

    def __init__(self, drafts: Drafts[Change], proofs: Proofs, verifying: Verifying) -> None:
        """Keep the facts in ``drafts``, prove by ``verifying``, and consume from ``proofs``."""
        self._drafts = drafts
        self._proofs = proofs
        self._verifying = verifying

    async def look(self, visit: Visit, operation: Operation, flow: str | None) -> Progress:
        """Return where a change of this session stands.

        An unknown ``flow`` (never begun, over, another's, of something else) is a change that begins.
        """
        draft = await self._find(visit, operation, flow)
        proved = is_open(visit, draft) or await self._verifying.held(visit, operation)
        facts, now = (None, 0) if draft is None else (draft.facts, draft.now)
        return Progress(rules.next_step(operation, facts, proved=proved, now=now), draft)

    async def agree(self, visit: Visit, operation: Operation, about: str = "") -> str:
        """Begin a change whose notice was read, or of what was chosen; return its id."""
        return await self._drafts.open(visit.holder, Change(operation=operation, about=about))

    async def send_identity_code(self, visit: Visit, operation: Operation, flow: str | None, typed: Typed) -> str:
        """Send the code of 验证身份; return the change's id.

        Raises ``InvalidRequest`` with what is wrong with the captcha, and what
        :meth:`bjidp.accounts.verifying.Verifying.ask` raises.
        """
        progress = await self._due(visit, operation, flow, Step.VERIFY)
        fields.require_none(fields.captcha_faults(typed.captcha))
        sent = await self._verifying.ask(visit, operation, typed.captcha_id, typed.captcha)
        draft = await self._opened(visit, operation, progress)
        noted = sent_to("", sent, draft)
        return (await self.note(visit, draft, lambda facts: replace(facts, identity_code=noted))).id

    async def prove_identity(
        self, visit: Visit, operation: Operation, flow: str | None, typed: Typed
    ) -> IdentityProved:
        """Check the code of 验证身份.

        Raises ``InvalidRequest`` with what is wrong with the form, and what
        :meth:`bjidp.accounts.verifying.Verifying.prove` raises.
        """
        progress = await self._due(visit, operation, flow, Step.VERIFY)
        fields.require_none(fields.code_faults(typed.code))
        draft = await self._opened(visit, operation, progress)
        cookie = await self._verifying.prove(visit, operation, typed.code)
        # It words a page alone: the new cookie must reach the browser whatever becomes of it.
        with suppress(StoreUnavailable, DraftUnknown):
            draft = await self.note(visit, draft, lambda facts: replace(facts, identity_proved=True, failed=""))
        return IdentityProved(draft.id, cookie)

    async def due(self, visit: Visit, operation: Operation, flow: str | None) -> Draft[Change]:
        """Return the change, whose owner has proved who they are."""
        return await self._opened(visit, operation, await self._due(visit, operation, flow, Step.CHANGE))

    async def open(
        self, visit: Visit, operation: Operation, flow: str | None, *, mark: str, reference: str
    ) -> Draft[Change]:
        """Consume the proof for a page whose step is done on a phone, once; for a while the page can be shown again.

        ``mark`` is what the step is about, ``reference`` what proves that, as it is when the page is first shown.
        """
        draft = await self.due(visit, operation, flow)
        if is_open(visit, draft):
            return draft
        try:
            standing = await self._verifying.require_session(visit)
            await self._proofs.consume(visit.holder, visit.account, operation, standing.epoch)
        except VerificationRequired:
            # Or the page was opened twice at once, and the other one is about to note it.
            raise NotDue(draft.id, Step.VERIFY) from None
        opened = Opened(until=draft.now + rules.OPEN, epoch=standing.epoch, mark=mark, reference=reference)
        return await self.note(visit, draft, lambda facts: replace(facts, opened=opened))

    async def note(self, visit: Visit, draft: Draft[Change], change: Callable[[Change], Change]) -> Draft[Change]:
        """Write what has become a fact; raise :class:`bjidp.accounts.drafts.DraftUnknown` when its time is over."""
        return await self._drafts.change(visit.holder, draft, change)

    async def forget_address(self, visit: Visit, operation: Operation, flow: str | None) -> str | None:
        """Let another number or address be typed in place of the one that was asked about or proved.

        Returns the change's id, None when there is none.
        """
        draft = await self._find(visit, operation, flow)
        return None if draft is None else (await self.note(visit, draft, rules.without_address)).id

    async def save(
        self, visit: Visit, draft: Draft[Change], write: Callable[[], Awaitable[None]], *, epoch: int | None = None
    ) -> None:
        """Consume the proof and ``write``, once for each proof and each change.

        ``epoch`` is the one that the proof has to be of where the change has ended sessions itself before this, and the
        account's epoch with them. Raises what ``write`` raises; the proof is used up then, and the change remembers
        what it failed of, which the next page says.
        """

        async def prove(claimed: Draft[Change]) -> None:
            # A session that has ended, or a cookie that was renewed, since the request began changes nothing.
            standing = await self._verifying.require_session(visit)
            operation, needed = claimed.facts.operation, standing.epoch if epoch is None else epoch
            await self._proofs.consume(visit.holder, visit.account, operation, needed)

        await self._write(visit, draft, prove, write)

    async def finish(self, visit: Visit, draft: Draft[Change], write: Callable[[], Awaitable[None]]) -> None:
        """Do ``write`` for a change that :meth:`open` has used the proof up for, once.

        Raises what ``write`` raises; as long as the change is open it can be finished otherwise.
        """

        async def prove(claimed: Draft[Change]) -> None:
            standing = await self._verifying.require_session(visit)
            if not is_open(visit, claimed) or standing.epoch != visit.epoch:
                raise VerificationRequired

        await self._write(visit, draft, prove, write)

    async def _write(
        self,
        visit: Visit,
        draft: Draft[Change],
        prove: Callable[[Draft[Change]], Awaitable[None]],
        write: Callable[[], Awaitable[None]],
    ) -> None:
        claimed = await self._claim(visit, draft)
        try:
            try:
                await prove(claimed)
            except VerificationRequired:
                raise NotDue(draft.id, Step.VERIFY) from None
            await write()
        except BaseException as error:
            # Of an outage nobody knows whether it kept anything from being written.
            failed = error.code if isinstance(error, BjidpError) and not isinstance(error, Retryable) else ""
            with suppress(StoreUnavailable, StaleRecord):
                await self._drafts.write(visit.holder, claimed, replace(claimed.facts, saving_until=0, failed=failed))
            raise
        await self.note(visit, claimed, lambda facts: replace(facts, done=True))

    async def _claim(self, visit: Visit, draft: Draft[Change]) -> Draft[Change]:
        """Return the change as it is claimed by this post."""
        _require_unclaimed(draft)
        until = draft.now + rules.SAVING
        return await self._drafts.change(
            visit.holder, draft, lambda facts: replace(facts, saving_until=until), still=_require_unclaimed
        )

    async def _due(self, visit: Visit, operation: Operation, flow: str | None, step: Step) -> Progress:
        progress = await self.look(visit, operation, flow)
        if progress.step is not step or (progress.draft is None and operation in rules.OF_ONE):
            raise NotDue(None if progress.draft is None else progress.draft.id, progress.step)
        return progress

    async def _find(self, visit: Visit, operation: Operation, flow: str | None) -> Draft[Change] | None:
        draft = await self._drafts.find(visit.holder, flow)
        return draft if draft is not None and draft.facts.operation is operation else None

    async def _opened(self, visit: Visit, operation: Operation, progress: Progress) -> Draft[Change]:
        if progress.draft is not None:
            return progress.draft
        return await self._drafts.begin(visit.holder, Change(operation=operation))


def _require_unclaimed(draft: Draft[Change]) -> None:
    if draft.facts.done:
        raise NotDue(draft.id, Step.DONE)
    if draft.now < draft.facts.saving_until:
        raise NotDue(draft.id, Step.SAVING)


def is_open(visit: Visit, draft: Draft[Change] | None) -> bool:
    """Tell whether a page whose step is done on a phone was opened, and can be shown still."""
    opened = None if draft is None else draft.facts.opened
    return draft is not None and opened is not None and opened.is_open(draft.now, visit.epoch)


def sent_to(address: str, sent: dispatch.Sent, draft: Draft[Change]) -> Sent:
    """Return what is remembered of a code on its way."""
    return Sent(to=address, dispatch=sent.id, again_at=draft.now + sent.wait * SECOND)
