"""Starting, finding and ending browser sessions.

Owns the cookie's value and what is derived from it. Called by ``web``. The cookie is 256 random bits; the store only
ever sees its hash, so a copy of the store logs nobody in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from bjidp.clock import Clock, Millis
from bjidp.entropy import Entropy, token, tokens
from bjidp.errors import StoreUnavailable
from bjidp.sessions.authentication import Method, proved
from bjidp.sessions.ports import Attached, Login, Session, SessionEnd, SessionStore, StaleSession
from bjidp.standing import Standing

COOKIE_LENGTH = 43
"""256 bits in base64url."""

TOUCH: Millis = 5 * 60 * 1000
"""A session's last use is written at most this often; sockets and polls never write it."""


ROUNDS: Final = 16
"""How often the sessions of an account are ended until none was left to end."""


class Sessions:
    """The life of browser sessions."""

    def __init__(
        self,
        store: SessionStore,
        clock: Clock,
        entropy: Entropy,
        lifetime: Millis,
        attached: Attached | None = None,
    ) -> None:
        """Sessions end ``lifetime`` after the login, whatever happens in between (attack P8).

        ``attached`` is told of each that ends before, and closes what is open for it (attack W6).
        """
        self._store = store
        self._attached = attached
        self._clock = clock
        self._entropy = entropy
        self._lifetime = lifetime

    async def start(
        self,
        account: str,
        login: Login,
        old_cookie: str | None,
        data: dict[str, str] | None = None,
        *,
        epoch: int | None = None,
    ) -> str:
        """Log ``account`` in and return the value for the cookie; a session under ``old_cookie`` is dead (T1).

        The session has ``data`` from its first moment on. ``epoch`` is the account's at the moment that a phone
        confirmed this. Raises ``AccountRefused``, ``StoreUnavailable`` and :class:`ConfirmationOver`, having written
        nothing.
        """
        now = self._clock.now()
        cookie, name, csrf = tokens(self._entropy, 256, 128, 256)
        session = Session(
            id=name,
            account=account,
            login=login,
            created_at=now,
            last_used_at=now,
            expires_at=now + self._lifetime,
            csrf=csrf,
            data={} if data is None else data,
            version=1,
        )
        await self._store.open(session, _key(cookie), None if old_cookie is None else _key(old_cookie), epoch)
        return cookie

    async def find(self, cookie: str | None) -> tuple[Session, Standing] | None:
        """Return the live session behind a cookie with its account's standing, or None."""
        if cookie is None or len(cookie) != COOKIE_LENGTH:
            return None
        return await self._store.find(_key(cookie), self._clock.now())

    async def touch(self, session: Session) -> Session:
        """Note that the session is in use, if that was not noted lately; a session that has ended stays ended."""
        now = self._clock.now()
        if now - session.last_used_at < TOUCH:
            return session
        try:
            return await self._store.save(msgspec.structs.replace(session, last_used_at=now))
        except StaleSession:
            return session

    async def save(self, session: Session, data: dict[str, str]) -> Session:
        """Write the session's data; raise :class:`StaleSession` when it was changed or ended meanwhile."""
        return await self._store.save(msgspec.structs.replace(session, data=data))

    async def keep(self, session: Session, name: str, value: str | None) -> None:
        """Write one of the session's data, None to forget it, whatever else of it changes meanwhile.

        Raises :class:`StaleSession` when the session has ended.
        """
        for _ in range(ROUNDS):
            found = next((live for live in await self.of_account(session.account) if live.id == session.id), None)
            if found is None:
                raise StaleSession
            data = {key: kept for key, kept in found.data.items() if key != name}
            try:
                await self.save(found, data if value is None else data | {name: value})
            except StaleSession:
                continue
            return
        raise StoreUnavailable

    async def note_verification(self, account: str, session: str, ticket: bytes, method: Method | None = None) -> None:
        """Let a session of this account remember a QR ticket, given by a digest, that its owner was verified by.

        As long as it lives, the phone that confirmed can end it by that ticket. Of a session that is over, or another
        account's, nothing is kept. ``method`` is what it proves at once.
        """
        now = self._clock.now()

        def noted(found: Session) -> Session:
            known = found.verified_by(ticket)
            return known if method is None else proved(known, method, now)

        await self._note(account, session, noted)

    async def note_proof(self, account: str, session: str, method: Method) -> None:
        """Let a session remember that its owner has just proved who they are, as :meth:`note_verification` does."""
        now = self._clock.now()
        await self._note(account, session, lambda found: proved(found, method, now))

    async def _note(self, account: str, session: str, change: Callable[[Session], Session]) -> None:
        for _ in range(ROUNDS):
            found = next((live for live in await self.of_account(account) if live.id == session), None)
            if found is None:
                return
            try:
                await self._store.save(change(found))
            except StaleSession:
                continue
            return
        raise StoreUnavailable

    async def renew(self, session: Session, cookie: str) -> str:
        """Return a new value for the session's ``cookie``, which is dead at once (attack T1, ASVS 7.2.4).

        For a step in which its owner was authenticated anew; its public id, its list entry and its sockets stay. Raises
        :class:`StaleSession` when the session has ended or another request renewed it, and then nothing was written.
        """
        fresh = token(self._entropy, 256)
        if not await self._store.rekey(session, _key(cookie), _key(fresh), self._clock.now()):
            raise StaleSession
        return fresh

    async def end(self, session: Session, reason: SessionEnd) -> None:
        """End the session; ``reason`` is for the audit log."""
        await self._end(session.id, reason)

    async def of_account(self, account: str) -> list[Session]:
        """Return the account's live sessions, newest first."""
        return await self._store.of_account(account, self._clock.now())

    async def lives(self, session: Session) -> bool:
        """Tell whether the session has not ended since it was found."""
        return any(live.id == session.id for live in await self.of_account(session.account))

    async def end_one(self, account: str, session: str, reason: SessionEnd) -> bool:
        """End one session of this account, by its public id; return whether it had a live one of that name."""
        if all(live.id != session for live in await self.of_account(account)):
            return False
        return await self._end(session, reason)

    async def end_by_ticket(self, account: str, ticket: Sequence[bytes], reason: SessionEnd) -> list[str]:
        """End what came of one QR ticket of this account, given by its digests; return the sessions ended."""
        ended = await self._store.end_by_ticket(account, ticket, reason, self._clock.now())
        await self._close(ended)
        return ended

    async def end_others(self, account: str, keep: str | None, reason: SessionEnd) -> None:
        """End every session of this account but ``keep``, those that are opened meanwhile included.

        A login that is under way looks once more at what it was let in by after its session is open: either it finds
        that changed, or its session is found here. Raises ``StoreUnavailable`` when there is no end to new ones.
        """
        for _ in range(ROUNDS):
            ended = await self._store.end_others(account, keep, reason, self._clock.now())
            if not ended:
                return
            await self._close(ended)
        raise StoreUnavailable

    async def _end(self, session: str, reason: SessionEnd) -> bool:
        ended = await self._store.end(session, reason, self._clock.now())
        # Whether or not this call ended it: who ended it may have failed before the next line.
        await self._close([session])
        return ended

    async def _close(self, ended: list[str]) -> None:
        if self._attached is not None:
            for session in ended:
                await self._attached.session_ended(session)


def _key(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode("utf-8", "surrogatepass")).digest()
