"""The phones of a whole test run: everybody the sandbox knows who can log in, taken in turn.

A server limits what one account may do in a minute. Tests therefore never ask for somebody in particular but for
whoever comes next, and put aside for good whom they make the server angry with.
"""

from __future__ import annotations

import time
from collections import deque
from typing import Final

from tests.support.calls import Caller
from tests.support.phone import Person, Phone, Tokens, log_in, people

RESIDENT: Final = "resident_id"
NO_ACCOUNT: Final = frozenset({"mismatch", "unknown", "expired", "document_withdrawn", "face_fails", "high_risk"})
"""Stories that end without an account."""
SUBJECTS: Final = frozenset({"bank_phone_differs", "minor"})
"""People whose documents strangers present in one test after another: ten times a day, then the server refuses."""
PLATFORM: Final = {RESIDENT: "wechat", "permanent_resident": "baidu"}
"""Where a document's face check is to be had; permits go to Alipay."""


MINUTE: Final = 60.0
RESTED: Final = 20
"""Of the sixty calls that an account has in a minute."""


class Crowd:
    """People and their phones, by deployment; a login is made when it is first needed."""

    def __init__(self) -> None:
        """Know nobody yet."""
        self._waiting: dict[str, deque[Person]] = {}
        self._tokens: dict[tuple[str, str, str], Tokens] = {}
        self._pairs = 0

    async def phone(self, caller: Caller) -> Phone:
        """Return the phone of whoever comes next and has asked little of the server in the last minute."""
        (phone,) = await self.phones(caller, 1)
        return phone

    def _has_rested(self, caller: Caller, person: Person) -> bool:
        since = time.monotonic() - MINUTE
        asked = [
            when
            for (url, _, who), tokens in self._tokens.items()
            if (url, who) == (caller.to.url, person.id)
            for when in tokens.shown
            if when > since
        ]
        return len(asked) < RESTED

    async def resident(self, caller: Caller) -> Phone:
        """Return the phone of the next person with the document that every platform knows."""
        while (phone := await self.phone(caller)).person.document_type != RESIDENT:
            pass
        return phone

    async def phones(self, caller: Caller, count: int) -> list[Phone]:
        """Return phones of as many different people."""
        waiting = await self._everybody(caller)
        assert count <= len(waiting)
        chosen: list[Person] = []
        for _ in range(count):
            others = [person for person in waiting if person not in chosen]
            rested = (person for person in others if self._has_rested(caller, person))
            chosen.append(next(rested, others[0]))
            waiting.remove(chosen[-1])
            waiting.append(chosen[-1])
        return [await self.phone_of(caller, person) for person in chosen]

    async def everybody(self, caller: Caller) -> list[Phone]:
        """Return everybody's phone."""
        return [await self.phone_of(caller, person) for person in list(await self._everybody(caller))]

    async def apart(self, caller: Caller, *, resident: bool = False) -> Phone:
        """Return the phone of somebody whom no later test will meet, with the document that every platform knows."""
        waiting = await self._everybody(caller)
        person = next(one for one in reversed(waiting) if not resident or one.document_type == RESIDENT)
        waiting.remove(person)
        return await self.phone_of(caller, person)

    async def pair(self, caller: Caller, platform: str) -> tuple[Phone, Phone]:
        """Return the phones of two people who were never on another platform, so that nothing is on probation."""
        waiting = await self._everybody(caller)
        able = [person for person in await people(caller) if person.story not in NO_ACCOUNT | SUBJECTS]
        there = deque(person for person in able if PLATFORM.get(person.document_type, "alipay") == platform)
        self._pairs += 1
        there.rotate(self._pairs)
        # Whoever was put aside comes last, and then it was for something else.
        pair = sorted(there, key=lambda person: person not in waiting)[:2]
        first, second = [await self._afresh(caller, person, platform) for person in pair]
        for person in pair:
            if person in waiting:
                # They are about to make many calls, and are not met again for a while.
                waiting.remove(person)
                waiting.insert(len(waiting) // 2, person)
        return first, second

    async def _afresh(self, caller: Caller, person: Person, platform: str) -> Phone:
        """Return a phone that has just logged in: what its button gives is sealed with the key of the last login."""
        self._tokens.pop((caller.to.url, platform, person.id), None)
        return await self.phone_of(caller, person, platform)

    async def phone_of(self, caller: Caller, person: Person, platform: str | None = None) -> Phone:
        """Return a person's phone, by default on a platform whose face check knows their document."""
        chosen = platform or PLATFORM.get(person.document_type, "alipay")
        key = caller.to.url, chosen, person.id
        if key not in self._tokens:
            self._tokens[key] = (await log_in(caller, chosen, person)).tokens
        return Phone(caller, chosen, person, self._tokens[key])

    async def _everybody(self, caller: Caller) -> deque[Person]:
        if caller.to.url not in self._waiting:
            able = [person for person in await people(caller) if person.story not in NO_ACCOUNT | SUBJECTS]
            self._waiting[caller.to.url] = deque(able)
        return self._waiting[caller.to.url]
