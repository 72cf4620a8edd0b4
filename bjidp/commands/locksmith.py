"""What staff do with an account at a command line: it is looked up, locked and unlocked (OPS-7).

Owns what they are shown. Nobody's name, number or document stands in a command line, which a shell keeps and everybody
on the machine sees: an account is found by what is read from standard input, and named by its reference from then on.
It needs the database and the root keys, as :mod:`bjidp.commands.staff` does; what follows a lock is done by the servers
(:mod:`bjidp.accounts.locking.following`). Called by ``accounts``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from msgspec import Struct

from bjidp.accounts.locking.lock import Found
from bjidp.accounts.locking.ports import AccountUnknown, LockStore, StandsAlready, Unsettled
from bjidp.accounts.names import read_name
from bjidp.clock import Clock, in_beijing
from bjidp.commands.ending import Refused
from bjidp.proofing.dates import beijing_date
from bjidp.proofing.documents import readings


class Locksmith(Struct, frozen=True):
    """Who sits at the command line, and what they lock."""

    locks: LockStore
    clock: Clock
    staff: str
    say: Callable[[str], None] = print

    async def find(self, typed: str) -> None:
        """Say whose account has a name, masked; raise Refused."""
        now = self.clock.now()
        name = read_name(typed, lambda text: readings(text, beijing_date(now)))
        try:
            found = await self.locks.find(name.identifiers, self.staff, now)
        except AccountUnknown:
            raise Refused("there is no such account") from None
        for line in told(found):
            self.say(line)

    async def lock(self, ref: str) -> None:
        """Lock an account; raise Refused."""
        await self._turn(self.locks.lock(ref, self.staff, self.clock.now()))
        self.say(f"{ref} is locked; the servers end what is left of its sessions, and tell its owner by SMS")

    async def unlock(self, ref: str) -> None:
        """Unlock an account; raise Refused."""
        await self._turn(self.locks.unlock(ref, self.staff, self.clock.now()))
        self.say(f"{ref} is active; its owner logs in anew, and is told by SMS")

    @staticmethod
    async def _turn(turning: Awaitable[None]) -> None:
        try:
            await turning
        except AccountUnknown:
            raise Refused("there is no such account") from None
        except StandsAlready as stands:
            raise Refused(f"it is {stands.status}") from None
        except Unsettled:
            raise Refused(
                "what was logged in when it was locked is not ended yet, and would come back: a server does that "
                "within five seconds, where one runs and reaches its stores"
            ) from None


def told(found: Found) -> list[str]:
    """Return an account as staff see it, line by line."""
    account = found.overview
    proof = "" if account.evidence is None else f", proved by {account.evidence}"
    return [
        f"account   {found.ref}",
        f"state     {found.status}, since {in_beijing(found.created_at).strftime('%Y-%m-%d %H:%M')}",
        f"username  {account.username}",
        f"phone     {account.phone or 'none'}",
        f"person    {account.name or 'none'}  {account.document or ''}".rstrip(),
        f"level     L{account.level.value}{proof}",
    ]
