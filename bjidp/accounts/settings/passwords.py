"""修改密码 (ACC-2), and the first password of an account that has none.

Owns how often an old password may be tried. Every other session ends with the password, in browsers and on phones
(REC-4): before it is written, so that a process that dies in between has left none of whoever it is to shut out, and
after it, since a login with the old one may have been under way.
"""

from __future__ import annotations

from typing import Final

from bjidp.accounts.endings import Endings
from bjidp.accounts.errors import PasswordChanged
from bjidp.accounts.fields import Fault, Field, require_none
from bjidp.accounts.hashing import PasswordHashes
from bjidp.accounts.member_ports import Member, MemberStore, PasswordStale
from bjidp.accounts.settings import flow as rules
from bjidp.accounts.settings.changes import Changes
from bjidp.accounts.settings.flow import Typed
from bjidp.accounts.verifying import Verifying, Visit
from bjidp.audit.event import EventKind
from bjidp.clock import MINUTE, Clock
from bjidp.errors import FieldFault, InvalidRequest
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.sessions.ports import SessionEnd
from bjidp.throttle.ports import Throttle, Window
from bjidp.verification.proofs import Operation

GUESSES: Final = Window(10, 15 * MINUTE)
"""Old passwords tried on an account, in whichever session."""


class Passwords:
    """Changes passwords. A store that is down raises ``StoreUnavailable``."""

    def __init__(
        self,
        *,
        changes: Changes,
        verifying: Verifying,
        members: MemberStore,
        hashes: PasswordHashes,
        endings: Endings,
        throttle: Throttle,
        pseudonyms: Pseudonyms,
        clock: Clock,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._changes = changes
        self._verifying = verifying
        self._members = members
        self._hashes = hashes
        self._endings = endings
        self._throttle = throttle
        self._pseudonyms = pseudonyms
        self._clock = clock

    async def change(self, visit: Visit, flow: str | None, typed: Typed) -> str:
        """Set the new password; return the change's id.

        Raises ``InvalidRequest`` with what is wrong with the form, that the old password is another one included;
        :class:`bjidp.accounts.settings.changes.NotDue`, ``RateLimited``, ``TooBusy`` and ``AccountRefused``. None but
        the last costs the proof; :class:`PasswordChanged`, where another change came in the very moment of the write,
        does.
        """
        member = await self._verifying.member(visit)
        names = (member.username, member.phone)
        require_none(rules.password_faults(typed, names, has_one=member.password is not None))
        draft = await self._changes.due(visit, Operation.PASSWORD, flow)
        await self._require_old(member, typed.old)
        kept = await self._hashes.hash(typed.password)
        # Before the proof is used up: where no session can be ended, the form is sent again, and costs no second code.
        await self._endings.end_others(visit.account, visit.session.id, SessionEnd.PASSWORD_CHANGED)
        await self._changes.save(visit, draft, lambda: self._write(visit, member, kept), epoch=visit.epoch)
        return draft.id

    async def _require_old(self, member: Member, old: str) -> None:
        if member.password is None:
            return
        await self._throttle.hit(self._pseudonyms.key("settings.password", member.standing.account), GUESSES)
        if not (await self._hashes.verify(member.password, old)).right:
            raise InvalidRequest(FieldFault(Field.OLD, Fault.WRONG))

    async def _write(self, visit: Visit, member: Member, kept: str) -> None:
        account, reason = visit.account, SessionEnd.PASSWORD_CHANGED
        try:
            await self._members.set_password(
                account,
                kept,
                EventKind.PASSWORD_CHANGED,
                self._clock.now(),
                was=member.password,
                keep=visit.session.id,
            )
        except PasswordStale:
            raise PasswordChanged from None
        await self._endings.end_after(account, visit.session.id, reason, member.standing.ref)
