"""The sessions of phones: opening, recognising, refreshing, ending.

Owns the rules by which a token counts (wire.md 3). Called by the registration service, by the web handlers of every
call with a bearer token, and by whoever ends a session.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from bjidp.accounts.ports import NOTHING, Gone, Link
from bjidp.clock import DAY, HOUR, SECOND, Clock, Instant, Millis
from bjidp.entropy import Entropy, token
from bjidp.errors import AccountRefused, StoreUnavailable, TokenInvalid
from bjidp.miniprogram.platform_logins import PlatformLogins
from bjidp.miniprogram.ports import MiniSession, MiniSessionEnd, MiniSessionStore, StaleMiniSession
from bjidp.miniprogram.tokens import MiniTokens, Tokens
from bjidp.platforms import Platform
from bjidp.standing import Standing

SHORTEST: Millis = 12 * HOUR
"""How long a session lasts at most when the person asked for no days at all."""

LIVE_OF_LINK: Final = 5
"""Live sessions of a platform link, at most, after a login by the platform's own.

A person may use one account of a platform on several devices. But a mini-program that has lost its tokens logs in anew,
and nobody ends the session it has forgotten.
"""

LOST_ANSWER: Millis = 30 * SECOND
"""How long a refresh token that was used is answered with the pair it was answered with before."""

_FIRST_GENERATION = 1
_ATTEMPTS = 8


class Caller(Struct, frozen=True):
    """Whoever presented a good access token. Everything is read from the server's own rows (attack Q9)."""

    session: MiniSession
    standing: Standing

    @property
    def account(self) -> str:
        """The account the phone is logged in to."""
        return self.session.account

    @property
    def link(self) -> str:
        """The platform link: stands for the platform identity, app included, without telling it."""
        return self.session.link

    @property
    def platform(self) -> Platform:
        """The platform the mini-program runs on."""
        return Platform(self.session.platform)

    def require_standing(self) -> None:
        """Raise :class:`AccountRefused` when the account may not be used at this moment (attack Q21)."""
        if self.standing.refusal is not None:
            raise AccountRefused(self.standing.refusal)


class OpenedSession(Struct, frozen=True):
    """A session just opened, and its first pair of tokens."""

    id: str
    tokens: Tokens


def face_valid_until(link: Link) -> Instant:
    """Return until when the platform's own login suffices: days counted from the last face check."""
    return link.face_checked_at + (link.valid_days * DAY if link.valid_days else SHORTEST)


class MiniSessions:
    """Opens, recognises, refreshes and ends mini-program sessions."""

    def __init__(
        self,
        *,
        store: MiniSessionStore,
        logins: PlatformLogins,
        tokens: MiniTokens,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        """Take the store, what is forgotten with a session, the token maker, the time and the source of ids."""
        self._store = store
        self._logins = logins
        self._tokens = tokens
        self._clock = clock
        self._entropy = entropy

    async def open(self, platform: Platform, link: Link, *, repeatable: bool = False) -> OpenedSession:
        """Log the phone of ``link`` in, until its face check no longer counts. Raises :class:`AccountRefused`.

        With ``repeatable`` the first pair may be asked for again (:meth:`repeat`) until it is used; without, the
        session counts as used from the start, which spares the first call with its token a write, and the oldest ones
        of the link end when there are more than :data:`LIVE_OF_LINK`.
        """
        now = self._clock.now()
        session = MiniSession(
            id=token(self._entropy, 128),
            account=link.account,
            link=link.id,
            platform=platform.value,
            generation=_FIRST_GENERATION,
            rotated_at=now,
            used=not repeatable,
            created_at=now,
            expires_at=face_valid_until(link),
            version=1,
        )
        # Of a registration that is completed many times at once one session stays, which the others must not end.
        await self._store.open(session, newest=None if repeatable else LIVE_OF_LINK)
        return OpenedSession(session.id, self._tokens.pair(session, now))

    async def repeat(self, session: str) -> tuple[Tokens, Standing] | None:
        """Return a ``repeatable`` session's first pair again while no token of it was used, for 30 s; else None."""
        now = self._clock.now()
        found = await self._store.find(session, now)
        if found is None:
            return None
        row, standing = found
        if row.generation != _FIRST_GENERATION or not _answer_may_be_lost(row, now):
            return None
        return self._tokens.pair(row, now), standing

    async def lives_on(self, link: Link) -> bool:
        """Tell whether the platform's own login still suffices for ``link``.

        A person who asked for no days is asked for the face again once the session has ended, whatever ended it.
        """
        now = self._clock.now()
        if now >= face_valid_until(link):
            return False
        return link.valid_days > 0 or await self._store.live_of_link(link.id, now)

    async def authenticate(self, authorization: str | None) -> Caller:
        """Return who calls, if the account may be used; raise :class:`TokenInvalid` or :class:`AccountRefused`."""
        caller = await self.recognise(authorization)
        caller.require_standing()
        return caller

    async def recognise(self, authorization: str | None) -> Caller:
        """Return who calls, whatever the account's standing; raise :class:`TokenInvalid`.

        For calls that judge the standing at a place of their own (``scan``) or serve a locked account too (its
        phone may log out). Tokens of the present generation count and those of the one before, which may be on
        their way while the pair is renewed; a token of the present one marks it as used, once.
        """
        now = self._clock.now()
        named = self._tokens.read_bearer(authorization, now)
        for _ in range(_ATTEMPTS):
            found = await self._store.find(named.session, now)
            if found is None:
                raise TokenInvalid
            row, standing = found
            if not row.generation - 1 <= named.generation <= row.generation:
                raise TokenInvalid
            if row.used or named.generation != row.generation:
                return Caller(row, standing)
            try:
                return Caller(await self._store.replace(replace(row, used=True)), standing)
            except StaleMiniSession:
                continue
        raise StoreUnavailable(1)

    def named_by(self, refresh_token: str) -> str:
        """Return the session a refresh token names, whether or not it still lives; raise :class:`TokenInvalid`."""
        return self._tokens.read_refresh(refresh_token).session

    async def refresh(self, refresh_token: str) -> Tokens:
        """Return the next pair; raise :class:`TokenInvalid`, or :class:`AccountRefused` with nothing changed.

        The token used before is answered with the very same pair for 30 s while its successor is unused: so of
        parallel refreshes all get one pair, and one generation exists (attack T7). Any other use of an old token
        tells that two hold it: the session ends, and no other.
        """
        named = self._tokens.read_refresh(refresh_token)
        for _ in range(_ATTEMPTS):
            now = self._clock.now()
            found = await self._store.find(named.session, now)
            if found is None:
                raise TokenInvalid
            row, standing = found
            if standing.refusal is not None:
                raise AccountRefused(standing.refusal)
            if named.generation > row.generation:
                raise TokenInvalid
            if named.generation < row.generation:
                if named.generation == row.generation - 1 and _answer_may_be_lost(row, now):
                    return self._tokens.pair(row, now)
                await self.end(row.id, MiniSessionEnd.REFRESH_REPLAYED)
                raise TokenInvalid
            following = replace(row, generation=row.generation + 1, rotated_at=now, used=False)
            try:
                return self._tokens.pair(await self._store.replace(following), now)
            except StaleMiniSession:
                continue
        raise StoreUnavailable(1)

    async def end(self, session: str, reason: MiniSessionEnd) -> bool:
        """End a session; its tokens are invalid at once. Return whether it was live."""
        was_live = await self._store.end(session, reason, self._clock.now())
        await self._forget([session])
        return was_live

    async def of_account(self, account: str) -> list[MiniSession]:
        """Return the account's live sessions, newest first."""
        return await self._store.of_account(account, self._clock.now())

    async def end_one(self, account: str, session: str, reason: MiniSessionEnd) -> bool:
        """End one session of this account; return whether it had a live one of that name."""
        if all(live.id != session for live in await self.of_account(account)):
            return False
        return await self.end(session, reason)

    async def end_all(self, account: str, keep: str | None, reason: MiniSessionEnd, gone: Gone = NOTHING) -> None:
        """End every session of this account but ``keep``, those that are opened meanwhile included.

        ``gone`` is what went from the account before this: of sessions on those links nothing is left either, and with
        those that have ended already goes what their platform gave them.

        Raises ``StoreUnavailable`` when there is no end to new ones.
        """
        await self._forget(gone.sessions)
        for _ in range(_ATTEMPTS):
            ended = await self._store.end_others(account, keep, reason, self._clock.now(), gone.links)
            if not ended:
                return
            await self._forget(ended)
        raise StoreUnavailable(1)

    async def end_of_links(self, gone: Gone) -> None:
        """End what is left of sessions on platform links that others took the place of, and forget their logins.

        They open nothing any more, so that a store which is down keeps nobody from going on.
        """
        await self._forget(gone.sessions)
        if gone.links:
            with suppress(StoreUnavailable):
                now = self._clock.now()
                await self._forget(await self._store.end_of_links(gone.links, MiniSessionEnd.LINK_REPLACED, now))

    async def _forget(self, sessions: Sequence[str]) -> None:
        # They have ended, and are said to have; what can't be forgotten now is so when its time is over.
        with suppress(StoreUnavailable):
            for session in sessions:
                await self._logins.forget(session)


def _answer_may_be_lost(row: MiniSession, now: Instant) -> bool:
    return not row.used and now - row.rotated_at <= LOST_ANSWER
