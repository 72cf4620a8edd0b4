"""How rows become nouns.

Owns which columns make a standing, a member, a link, a session, and the opening and masking of what is sealed in them.
Called by the stores of this package.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import msgspec
from sqlalchemy import ColumnElement, FromClause

from bjidp.accounts.masks import mask_name, mask_phone, mask_username
from bjidp.accounts.member_ports import Member
from bjidp.accounts.ports import Evidence, Link
from bjidp.clock import Clock
from bjidp.miniprogram.ports import MiniSession
from bjidp.person import DocumentType, Person, Sex
from bjidp.privacy.fields import FieldCipher
from bjidp.proofing.levels import level
from bjidp.sessions.ports import Login, Session, Way
from bjidp.standing import Level, Standing, Status
from bjidp.storage.sql.database.statements import Row
from bjidp.storage.sql.schema import account, browser_session, identity, mini_session, platform_link
from bjidp.storage.sql.terms import term_from

STANDING: tuple[ColumnElement[object], ...] = (
    account.c.id,
    account.c.ref,
    account.c.status,
    account.c.username_sealed,
    identity.c.evidence,
    identity.c.runs_out_at,
    identity.c.name_sealed,
    account.c.epoch,
    account.c.fence,
    account.c.kept,
)

MEMBER: tuple[ColumnElement[object], ...] = (
    *STANDING,
    account.c.phone_sealed,
    account.c.phone_used_at,
    account.c.password,
    identity.c.document_type,
    identity.c.number_sealed,
    identity.c.sex,
    account.c.mail_sealed,
    account.c.ethnicity,
    account.c.created_at,
)

LINK: tuple[ColumnElement[object], ...] = (
    platform_link.c.id,
    platform_link.c.account,
    platform_link.c.face_checked_at,
    platform_link.c.valid_days,
    platform_link.c.probation_until,
)

SESSION: tuple[ColumnElement[object], ...] = (
    browser_session.c.id,
    browser_session.c.account,
    browser_session.c.way,
    browser_session.c.platform,
    browser_session.c.link,
    browser_session.c.browser,
    browser_session.c.os,
    browser_session.c.area,
    browser_session.c.network,
    browser_session.c.ticket,
    browser_session.c.created_at,
    browser_session.c.last_used_at,
    browser_session.c.expires_at,
    browser_session.c.csrf,
    browser_session.c.data,
    browser_session.c.version,
)

MINI_SESSION: tuple[ColumnElement[object], ...] = (
    mini_session.c.id,
    mini_session.c.account,
    mini_session.c.link,
    mini_session.c.platform,
    mini_session.c.generation,
    mini_session.c.rotated_at,
    mini_session.c.used,
    mini_session.c.created_at,
    mini_session.c.expires_at,
    mini_session.c.version,
)

ACCOUNT_WITH_IDENTITY: FromClause = account.outerjoin(identity, identity.c.account == account.c.id)

REMEMBERED = 4096
"""Masked names remembered, by what they were sealed as."""

# Looked up, since a login reads a standing three times and calling an enumeration takes 0.7 µs. Nothing else is read as
# often: there it is called.
_STATUS = {status.value: status for status in Status}
_EVIDENCE = {evidence.value: evidence for evidence in Evidence}

_DATA = msgspec.json.Decoder(dict[str, str])


class Rows:
    """Decodes rows, opening what is sealed, and weighing what is proved as it counts at that moment."""

    def __init__(self, cipher: FieldCipher, clock: Clock) -> None:
        """Open with ``cipher``."""
        self._cipher = cipher
        self._clock = clock
        # What a sealed name reads as when masked never changes, and a login asks four times.
        self._masked: Callable[[str, bytes], str] = lru_cache(REMEMBERED)(self._opened)

    def standing(self, row: Row) -> Standing:
        """Read the columns :data:`STANDING`; an account without an identity is called by its username."""
        account_id, ref, status, username, evidence, runs_out_at, name, epoch, fence, kept = row
        if name is None:
            name, worth = self.username(account_id, username), Level.L1
        else:
            name = self._masked(account_id, name)
            worth = level(_EVIDENCE[evidence], term_from(runs_out_at), self._clock.now())
        return Standing(account_id, ref, _STATUS[status], name, worth, epoch, fence, kept)

    def member(self, row: Row, standing: Standing | None = None, *, with_document: bool = True) -> Member:
        """Read the columns :data:`MEMBER`, in clear, and the ``standing`` in them unless it was read before.

        Without its document for whoever may not be told of it: what is not opened cannot get out.
        """
        seen = row[: len(STANDING)]
        account_id, _, _, username, evidence, _, name, *_ = seen
        phone, phone_used_at, password, document_type, number, *others = row[len(STANDING) :]
        sex, mail, ethnicity, created_at = others
        document = None
        if number is not None and with_document:
            document = Person(
                DocumentType(document_type),
                self._cipher.open("identity", "name", account_id, name),
                self._cipher.open("identity", "number", account_id, number),
            )
        return Member(
            standing=self.standing(seen) if standing is None else standing,
            username=self._clear("username", account_id, username) or "",
            phone=self._clear("phone", account_id, phone),
            phone_used_at=phone_used_at,
            password=password,
            document=document,
            evidence=None if evidence is None else Evidence(evidence),
            sex=None if sex is None else Sex(sex),
            mail=self._clear("mail", account_id, mail),
            ethnicity=ethnicity,
            created_at=created_at,
        )

    def _clear(self, column: str, account_id: str, sealed: bytes | None) -> str | None:
        return None if sealed is None else self._cipher.open("account", column, account_id, sealed)

    def _opened(self, account_id: str, name: bytes) -> str:
        return mask_name(self._cipher.open("identity", "name", account_id, name))

    def username(self, account_id: str, sealed: bytes | None) -> str:
        """Open and mask a username; an account that was erased is called nothing."""
        return "" if sealed is None else mask_username(self._cipher.open("account", "username", account_id, sealed))

    def phone(self, account_id: str, sealed: bytes | None) -> str | None:
        """Open and mask a phone number, if there is one."""
        return None if sealed is None else mask_phone(self._cipher.open("account", "phone", account_id, sealed))


def link_from(row: Row) -> Link:
    """Read the columns :data:`LINK`."""
    return Link(*row)


def session_from(row: Row) -> Session:
    """Read the columns :data:`SESSION`."""
    session, account_id, way, platform, link, browser, os, area, network, ticket, *rest = row
    created_at, last_used_at, expires_at, csrf, data, version = rest
    login = Login(Way(way), platform, link, browser, os, area, network, ticket)
    return Session(session, account_id, login, created_at, last_used_at, expires_at, csrf, _DATA.decode(data), version)


def mini_session_from(row: Row) -> MiniSession:
    """Read the columns :data:`MINI_SESSION`."""
    session, account_id, link, platform, generation, rotated_at, used, created_at, expires_at, version = row
    return MiniSession(
        session, account_id, link, platform, generation, rotated_at, bool(used), created_at, expires_at, version
    )
