"""What the platform's login told, kept for the session that came of it: whose it was, and the key that came with it.

Owns the records, their keys, sealing and time. What a phone button gives counts for the login it was given to, so a
session is asked for its own and knows no other (attack M6). Called by the registration service, by the service of the
phone button, and by whatever ends a session.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import msgspec
from msgspec import Struct

from bjidp.clock import HOUR, Millis
from bjidp.miniprogram.ports import Seals
from bjidp.platforms import PlatformIdentity
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.records import DuplicateRecord, Records
from bjidp.secret import Secret
from bjidp.vendors.ports.platforms import PlatformLogin

KEPT: Final[Millis] = 12 * HOUR
"""How long after a login its phone button counts; a phone that comes later logs in anew, which asks nobody anything."""

_OF_SESSION: Final = "session"
_OF_REGISTRATION: Final = "registration"


class KeptLogin(Struct, frozen=True):
    """A login as it is kept."""

    sealed: bytes


class _Facts(Struct, frozen=True):
    identity: PlatformIdentity
    session_key: str | None


_facts = msgspec.msgpack.Decoder(_Facts)


class PlatformLogins:
    """Keeps logins. Raises ``StoreUnavailable`` when the store does not answer."""

    def __init__(self, *, records: Records[KeptLogin], seals: Seals, pseudonyms: Pseudonyms) -> None:
        """Keep them in ``records``."""
        self._records = records
        self._seals = seals
        self._pseudonyms = pseudonyms

    async def keep_for_registration(self, secret: str, login: PlatformLogin) -> None:
        """Keep the login that opened a registration until a session comes of it."""
        await self._keep(self._key(_OF_REGISTRATION, secret), login)

    async def keep(self, session: str, login: PlatformLogin) -> None:
        """Keep the login that opened a session."""
        await self._keep(self._key(_OF_SESSION, session), login)

    async def hand_on(self, secret: str, session: str) -> None:
        """Keep for a session what is kept for the registration it came of.

        It stays there: of a registration that is completed several times at once, one session is kept in the end.
        """
        login = await self._find(self._key(_OF_REGISTRATION, secret))
        if login is not None:
            await self.keep(session, login)

    async def of_session(self, session: str) -> PlatformLogin | None:
        """Return the login that opened a session, or None when it was too long ago."""
        return await self._find(self._key(_OF_SESSION, session))

    async def forget(self, session: str) -> None:
        """Forget the login that opened a session: the session has ended."""
        await self._records.take(self._key(_OF_SESSION, session))

    async def _keep(self, key: str, login: PlatformLogin) -> None:
        session_key = None if login.session_key is None else login.session_key.text()
        facts = msgspec.msgpack.encode(_Facts(login.identity, session_key))
        with suppress(DuplicateRecord):
            await self._records.add(key, KeptLogin(self._seals.seal(facts, key)), KEPT)

    async def _find(self, key: str) -> PlatformLogin | None:
        held = await self._records.get(key)
        if held is None:
            return None
        try:
            facts = _facts.decode(self._seals.unseal(held.value.sealed, key))
        except ValueError:
            # Its root key was retired: as good as too long ago.
            return None
        return PlatformLogin(facts.identity, None if facts.session_key is None else Secret(facts.session_key))

    def _key(self, of: str, name: str) -> str:
        return self._pseudonyms.key("mp.platform-login", of, name)
