"""修改用户名 (ACC-6) and 民族 (ACC-5).

Owns how often it is told whether a username is free. 民族 asks for no 验证身份: nothing is decided by it.
"""

from __future__ import annotations

from typing import Final

from bjidp.accounts.errors import UsernameTaken
from bjidp.accounts.ethnicity import is_ethnicity
from bjidp.accounts.fields import Fault, Field, require_none
from bjidp.accounts.identifiers import of_username
from bjidp.accounts.member_ports import IdentifierTaken, MemberStore
from bjidp.accounts.settings import flow as rules
from bjidp.accounts.settings.changes import Changes
from bjidp.accounts.settings.flow import Typed
from bjidp.accounts.verifying import Verifying, Visit
from bjidp.clock import HOUR, Clock
from bjidp.errors import FieldFault, InvalidRequest
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.throttle.ports import Throttle, Window
from bjidp.verification.proofs import Operation

ASKED: Final = Window(30, HOUR)
"""Usernames that an account may ask about."""


class Names:
    """Changes what an account is called and says of itself. A store that is down raises ``StoreUnavailable``."""

    def __init__(
        self,
        *,
        changes: Changes,
        verifying: Verifying,
        members: MemberStore,
        throttle: Throttle,
        pseudonyms: Pseudonyms,
        clock: Clock,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._changes = changes
        self._verifying = verifying
        self._members = members
        self._throttle = throttle
        self._pseudonyms = pseudonyms
        self._clock = clock

    async def change_username(self, visit: Visit, flow: str | None, typed: Typed) -> str:
        """Give the account the name; return the change's id.

        Raises ``InvalidRequest`` with what is wrong with the name, :class:`UsernameTaken`, ``RateLimited``,
        :class:`bjidp.accounts.settings.changes.NotDue` and ``AccountRefused``. None of them costs the proof, unless it
        comes of the write itself: another account has taken the name in that moment, or this one was locked.
        """
        member = await self._verifying.member(visit)
        require_none(rules.username_faults(typed, member.username))
        draft = await self._changes.due(visit, Operation.USERNAME, flow)
        sought = of_username(typed.name)
        await self._throttle.hit(self._pseudonyms.key("settings.username", visit.account), ASKED)
        # Of its own name an account may change capital letters to small ones.
        if sought != of_username(member.username) and await self._members.is_held(sought):
            raise UsernameTaken
        await self._changes.save(visit, draft, lambda: self._write(visit, typed.name))
        return draft.id

    async def set_ethnicity(self, visit: Visit, ethnicity: str) -> None:
        """Keep one of the 56; raise ``InvalidRequest`` for anything else, and ``AccountRefused``."""
        if not is_ethnicity(ethnicity):
            raise InvalidRequest(FieldFault(Field.ETHNICITY, Fault.UNKNOWN if ethnicity else Fault.MISSING))
        await self._members.set_ethnicity(visit.account, ethnicity, self._clock.now())

    async def _write(self, visit: Visit, username: str) -> None:
        try:
            await self._members.set_username(visit.account, username, self._clock.now())
        except IdentifierTaken:
            raise UsernameTaken from None
