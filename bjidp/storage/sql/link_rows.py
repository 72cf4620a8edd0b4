"""Platform links within a transaction: which account a platform identity stands for.

Owns that it stands for one, and that an account has one of each platform (REG-7). Called by ``accounts``.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import bindparam, delete, insert, select, update

from bjidp.accounts.notices import NoticeKind
from bjidp.accounts.ports import NOTHING, Gone, Link, NewAccount
from bjidp.audit.event import AuditEvent, EventKind, Fact
from bjidp.clock import Instant
from bjidp.entropy import Entropy, token
from bjidp.miniprogram.ports import MiniSessionEnd
from bjidp.platforms import PlatformIdentity
from bjidp.privacy.fields import FieldCipher
from bjidp.privacy.index import BlindIndex, Digest
from bjidp.storage.sql.audit import AuditRows
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.statements import Value, insert_or_nothing, insert_or_touch
from bjidp.storage.sql.database.transaction import Contended, Transaction
from bjidp.storage.sql.mini_sessions import MiniSessionEnds
from bjidp.storage.sql.notices import NoticeRows
from bjidp.storage.sql.rows import LINK, link_from
from bjidp.storage.sql.schema import platform_identity, platform_link

PLATFORM_IDENTITY = "platform_identity"
"""The index kind of platform, app and openid."""


class Holding(NamedTuple):
    """A link, and the account it stands for."""

    link: str
    owner: str


class LinkRows:
    """Makes links, takes them away, and tells whose they were."""

    def __init__(self, engine: SqlEngine, *, cipher: FieldCipher, index: BlindIndex, entropy: Entropy) -> None:
        """Compile the statements for ``engine``."""
        self._cipher = cipher
        self._index = index
        self._entropy = entropy
        self._audit = AuditRows(engine)
        self._notices = NoticeRows(engine)
        self._mini_ends = MiniSessionEnds(engine)
        compile_, dialect = engine.compile, engine.dialect
        # Waiters for this row wake to its newest link, since a takeover updates the row and never makes it anew.
        self._platform_locked = compile_(
            select(platform_identity.c.link)
            .where(
                platform_identity.c.key_version == bindparam("key_version"),
                platform_identity.c.digest == bindparam("digest"),
            )
            .with_for_update()
        )
        self._link_owner = compile_(select(platform_link.c.account).where(platform_link.c.id == bindparam("link")))
        self._older_link = compile_(
            select(platform_link.c.id).where(
                platform_link.c.account == bindparam("account"), platform_link.c.platform == bindparam("platform")
            )
        )
        self._add_link = compile_(insert(platform_link))
        self._claim_platform = compile_(insert_or_nothing(platform_identity, dialect))
        self._move_platform = compile_(insert_or_touch(platform_identity, dialect, "link"))
        self._drop_link = compile_(delete(platform_link).where(platform_link.c.id == bindparam("link")))
        self._renew_link = compile_(
            update(platform_link)
            .where(platform_link.c.id == bindparam("link"))
            .values(face_checked_at=bindparam("checked_at"), valid_days=bindparam("days"))
            .returning(*LINK)
        )

    def current(self, transaction: Transaction, identity: PlatformIdentity) -> Holding | None:
        """Return what a platform identity is linked to, and keep others from changing it."""
        held = transaction.one(self._platform_locked, self.found_by(identity))
        if held is None:
            return None
        owner = transaction.one(self._link_owner, {"link": held[0]})
        if owner is None:
            raise Contended
        return Holding(held[0], owner[0])

    def renew(self, transaction: Transaction, link: str, valid_days: int, now: Instant) -> Link:
        """Note another look at a face for the very same platform identity; whatever probation it is under stays."""
        renewed = transaction.one(self._renew_link, {"link": link, "checked_at": now, "days": valid_days})
        if renewed is None:
            raise Contended
        return link_from(renewed)

    def link(
        self,
        transaction: Transaction,
        holder: str,
        new: NewAccount,
        former: Holding | None,
        *,
        probation_until: Instant | None,
        now: Instant,
    ) -> tuple[Link, Gone]:
        """Make a new link in place of what the platform identity, or the account on this platform, had before."""
        platform, gone = new.identity.platform.value, NOTHING
        older = transaction.one(self._older_link, {"account": holder, "platform": platform})
        if older is not None:
            gone = self._unlink(transaction, Holding(older[0], holder), new.identity, now)
        link = token(self._entropy, 128)
        transaction.run(
            self._add_link,
            {
                "id": link,
                "account": holder,
                "platform": platform,
                "app_id": new.identity.app_id,
                "open_id_sealed": self._cipher.seal("platform_link", "open_id", link, new.identity.open_id),
                "face_checked_at": now,
                "valid_days": new.valid_days,
                "probation_until": probation_until,
                "linked_at": now,
            },
        )
        claim = self._claim_platform if former is None else self._move_platform
        for digest in self._digests(new.identity):
            if not transaction.run(claim, {"link": link, **_by(digest)}):
                raise Contended  # another transaction linked it since the look: now there is a former link
        if former is not None:
            also = self._unlink(transaction, former, new.identity, now)
            gone = Gone(gone.links + also.links, gone.sessions + also.sessions)
            self.tell(transaction, former.owner, NoticeKind.LINK_LOST, new.identity, now)
        return Link(link, holder, now, new.valid_days, probation_until), gone

    def _unlink(self, transaction: Transaction, held: Holding, identity: PlatformIdentity, now: Instant) -> Gone:
        """Drop a link and end the mini-program sessions that stand on it."""
        over = self._mini_ends.of_link(transaction, held.link, MiniSessionEnd.LINK_REPLACED, now)
        transaction.run(self._drop_link, {"link": held.link})
        facts = {Fact.LINK: held.link, Fact.PLATFORM: identity.platform.value}
        self._audit.write_for(transaction, held.owner, AuditEvent(EventKind.LINK_REPLACED, now, facts=facts))
        return Gone((held.link,), tuple(over))

    def tell(
        self, transaction: Transaction, holder: str, kind: NoticeKind, identity: PlatformIdentity, now: Instant
    ) -> None:
        """Give the owner of an account a notice that names the platform."""
        self._notices.tell(transaction, holder, kind, now, {"platform": identity.platform.value})

    def found_by(self, identity: PlatformIdentity) -> dict[str, Value]:
        """Return the values that a platform identity is looked up by."""
        return _by(self._index.digest(PLATFORM_IDENTITY, identity.platform.value, identity.app_id, identity.open_id))

    def _digests(self, identity: PlatformIdentity) -> tuple[Digest, ...]:
        return self._index.digests(PLATFORM_IDENTITY, identity.platform.value, identity.app_id, identity.open_id)


def _by(digest: Digest) -> dict[str, Value]:
    return {"key_version": digest.version, "digest": digest.value}
