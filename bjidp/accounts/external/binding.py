"""Whoever is logged in binds what they have elsewhere (LOG-4).

Owns the order: the provider was chosen and 验证身份 done before anybody is sent away; the proof is used up as they are;
who comes back is written in the session that the way began in, as long as it lives, and once. Called by the pages of
个人中心. Another browser that is led to somebody's way back lacks the half that stayed with its own (attack T8), and
another session of the same browser is not the one that the way names: neither is an attacker's user bound to somebody
else's account, nor somebody's user to an attacker's (attacks T9, Q28).

**Two loads of the way back at once** ask the provider once and have one winner, by the draft of the change.

**What a crash leaves.** The proof used up and nobody sent away: 验证身份 is asked anew. Who it was known and nothing
written: the same address goes on for as long as the change is open. Written and not noted: the page shows what is
bound, and there is nothing more to do.
"""

from __future__ import annotations

from bjidp.accounts.errors import ExternalTaken
from bjidp.accounts.external.arriving import Arriving, Opened
from bjidp.accounts.external.flow import Attempt, Binding
from bjidp.accounts.external.linked import end_logins, provider_of, tell
from bjidp.accounts.identifiers import of_external
from bjidp.accounts.member_ports import ExternalStore, IdentifierTaken, MemberStore
from bjidp.accounts.settings.changes import Changes, NotDue
from bjidp.accounts.settings.flow import Step
from bjidp.accounts.telling import Teller, Told
from bjidp.accounts.verifying import Verifying, Visit
from bjidp.clock import Clock
from bjidp.platforms import ExternalIdentity, Provider
from bjidp.sessions.service import Sessions
from bjidp.verification.errors import VerificationRequired
from bjidp.verification.proofs import Operation


class Bindings:
    """Sends owners to providers, and binds who comes back. A store that is down raises ``StoreUnavailable``."""

    def __init__(
        self,
        *,
        changes: Changes,
        verifying: Verifying,
        arriving: Arriving,
        members: MemberStore,
        externals: ExternalStore,
        sessions: Sessions,
        teller: Teller,
        clock: Clock,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._changes = changes
        self._verifying = verifying
        self._arriving = arriving
        self._members = members
        self._externals = externals
        self._sessions = sessions
        self._teller = teller
        self._clock = clock

    async def open(self, visit: Visit, flow: str | None) -> str:
        """Use 验证身份 up, once, for a way that can be gone for a while from then on; return the change's id.

        Raises :class:`bjidp.accounts.settings.changes.NotDue`.
        """
        return (await self._changes.open(visit, Operation.LINK, flow, mark="", reference="")).id

    async def leave(self, visit: Visit, secret: str, flow: str | None, *, inside: bool) -> Opened:
        """Open a way to the chosen provider for the browser that has ``secret``.

        Raises what :meth:`open` raises, and ``RateLimited``.
        """
        draft = await self._changes.due(visit, Operation.LINK, flow)
        provider = provider_of(draft.facts)
        change = await self.open(visit, draft.id)
        binding = Binding(visit.session.id, change)
        attempt = Attempt(provider=provider, inside=inside, binding=binding)
        return await self._arriving.open(secret, attempt, visit.source)

    async def come(
        self, visit: Visit, secret: str | None, binding: Binding, provider: Provider, state: str, code: str
    ) -> None:
        """Bind whoever has come back on the way for ``binding`` to the visit's own account.

        Raises ``VerificationRequired`` in another session than the way's, whose owner has not asked for it (attacks
        T8, Q28), :class:`ExternalTaken` when another account has them, what
        :meth:`bjidp.accounts.external.arriving.Arriving.told` raises, ``AccountRefused``, and
        :class:`bjidp.accounts.settings.changes.NotDue` when the change is over by now, or done: on its second load.
        """
        if binding.session != visit.session.id:
            raise VerificationRequired
        draft = await self._changes.due(visit, Operation.LINK, binding.change)
        names = await self._arriving.told(secret, binding, provider, state, code, visit.source)
        await self._changes.finish(visit, draft, lambda: self._write(visit, names))

    async def _write(self, visit: Visit, names: tuple[ExternalIdentity, ...]) -> None:
        phone = (await self._verifying.member(visit)).phone
        holder = await self._members.find([of_external(name) for name in names])
        if holder is not None:
            if holder.standing.account != visit.account:
                raise ExternalTaken
            return
        try:
            replaced = await self._externals.link(visit.account, names[0], visit.epoch, self._clock.now())
        except IdentifierTaken:
            raise ExternalTaken from None
        except VerificationRequired:
            raise NotDue(None, Step.VERIFY) from None
        tell(self._teller, phone, Told.EXTERNAL_LINKED)
        if replaced:
            # What another user of the provider had logged in, bound from elsewhere meanwhile (attack T3).
            await end_logins(self._sessions, visit.account, names[0].provider, keep=visit.session.id)
