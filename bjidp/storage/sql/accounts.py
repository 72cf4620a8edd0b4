"""Accounts, their identities and platform links in a database.

Owns ``AccountStore``, and the account's side of logins whose sessions live elsewhere. Who may hold what is decided
by the primary keys of ``identifier`` (``claims``) and ``platform_identity`` (``link_rows``): of two transactions that
claim the same value one inserts a row and the other does not.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, exists, select

from bjidp.accounts.identifiers import of_document, of_username
from bjidp.accounts.notices import NoticeKind
from bjidp.accounts.ports import (
    NOTHING,
    Evidence,
    IdentityHolder,
    IdentityTaken,
    Link,
    Linked,
    NewAccount,
    Profile,
)
from bjidp.accounts.username import system_username
from bjidp.audit.event import AuditEvent, EventKind, Fact
from bjidp.clock import Instant
from bjidp.entropy import Entropy
from bjidp.person import Person
from bjidp.platforms import Platform, PlatformIdentity
from bjidp.privacy.fields import FieldCipher
from bjidp.privacy.index import BlindIndex
from bjidp.proofing.ports import NewIdentity
from bjidp.sessions.ports import Login
from bjidp.standing import Standing
from bjidp.storage.sql.account_rows import AccountRows, next_epoch
from bjidp.storage.sql.admission import Admission
from bjidp.storage.sql.audit import AuditRows
from bjidp.storage.sql.claims import HELD, Claims
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.statements import Value, delete_some
from bjidp.storage.sql.database.transaction import Contended, Transaction
from bjidp.storage.sql.identities import Identities
from bjidp.storage.sql.link_rows import LinkRows
from bjidp.storage.sql.rows import ACCOUNT_WITH_IDENTITY, LINK, STANDING, Rows, link_from
from bjidp.storage.sql.schema import (
    account,
    identifier,
    identity,
    login_network,
    platform_identity,
    platform_link,
)


class SqlAccounts:
    """The port ``bjidp.accounts.ports.AccountStore``."""

    def __init__(
        self,
        engine: SqlEngine,
        rows: Rows,
        admission: Admission,
        *,
        cipher: FieldCipher,
        index: BlindIndex,
        entropy: Entropy,
    ) -> None:
        """Compile the statements for ``engine``."""
        self._engine = engine
        self._rows = rows
        self._admission = admission
        self._cipher = cipher
        self._entropy = entropy
        self._audit = AuditRows(engine)
        self._accounts = AccountRows(engine, rows, cipher, entropy)
        self._claims = Claims(engine, index)
        self._identities = Identities(engine, cipher, self._claims)
        self._links = LinkRows(engine, cipher=cipher, index=index, entropy=entropy)
        self._prepare_looks()
        self._prepare_writes()

    def _prepare_looks(self) -> None:
        compile_ = self._engine.compile
        standing = select(*STANDING).select_from(ACCOUNT_WITH_IDENTITY)
        linked = platform_link.join(ACCOUNT_WITH_IDENTITY, account.c.id == platform_link.c.account)
        network = login_network.c.account == bindparam("account")
        self._standing = compile_(standing.where(account.c.id == bindparam("account")))
        self._standing_of_link = compile_(
            select(*STANDING).select_from(linked).where(platform_link.c.id == bindparam("link"))
        )
        self._link_by_id = compile_(select(*LINK).where(platform_link.c.id == bindparam("link")))
        self._identity_of_link = compile_(
            select(platform_link.c.platform, platform_link.c.app_id, platform_link.c.open_id_sealed).where(
                platform_link.c.id == bindparam("link")
            )
        )
        self._links_of = compile_(select(platform_link.c.id).where(platform_link.c.account == bindparam("account")))
        self._link_of = compile_(
            select(*LINK, *STANDING)
            .select_from(linked.join(platform_identity, platform_identity.c.link == platform_link.c.id))
            .where(
                platform_identity.c.key_version == bindparam("key_version"),
                platform_identity.c.digest == bindparam("digest"),
            )
        )
        self._holder_of = compile_(
            select(account.c.id, identity.c.evidence, account.c.username_sealed, account.c.phone_sealed)
            .select_from(
                identifier.join(account, account.c.id == identifier.c.account).join(
                    identity, identity.c.account == account.c.id
                )
            )
            .where(*HELD)
        )
        self._profile = compile_(
            standing.add_columns(account.c.phone_sealed, account.c.created_at).where(
                account.c.id == bindparam("account")
            )
        )
        self._networks = compile_(
            select(
                exists().where(network).label("any_network"),
                exists().where(network, login_network.c.network == bindparam("network")).label("this_network"),
            )
        )

    def _prepare_writes(self) -> None:
        compile_, dialect = self._engine.compile, self._engine.dialect
        self._next_epoch = compile_(next_epoch(account.c.id == bindparam("account")))
        self._forget_networks = compile_(
            delete_some(login_network, login_network.c.last_at < bindparam("before"), dialect)
        )

    # Looks: one statement each.

    async def link_of(self, identity: PlatformIdentity) -> tuple[Link, Standing] | None:
        """Return the link of a platform identity with its account's standing, or None."""
        values = self._links.found_by(identity)
        row = await self._engine.one(self._link_of, values)
        if row is None:
            return None
        width = len(LINK)
        return link_from(row[:width]), self._rows.standing(row[width:])

    async def link(self, link: str) -> Link | None:
        """Return a link by its id, or None when it was replaced or removed."""
        row = await self._engine.one(self._link_by_id, {"link": link})
        return None if row is None else link_from(row)

    async def linked_identity(self, link: str) -> PlatformIdentity | None:
        """Return the platform identity that a link stands on, or None when it was replaced or removed."""
        row = await self._engine.one(self._identity_of_link, {"link": link})
        if row is None:
            return None
        platform, app_id, open_id = row
        return PlatformIdentity(
            Platform(platform), app_id, self._cipher.open("platform_link", "open_id", link, open_id)
        )

    async def holder_of(self, person: Person) -> IdentityHolder | None:
        """Return who holds the identity ``person.document_type`` + ``person.number``, or None."""
        row = await self._engine.one(self._holder_of, self._claims.values(of_document(person)))
        if row is None:
            return None
        holder, evidence, username, phone = row
        return IdentityHolder(
            holder,
            Evidence(evidence),
            self._rows.username(holder, username),
            self._rows.phone(holder, phone),
        )

    async def standing(self, account: str) -> Standing | None:
        """Return the account's standing, or None when there is no such account."""
        row = await self._engine.one(self._standing, {"account": account})
        return None if row is None else self._rows.standing(row)

    async def standing_of_link(self, link: str) -> Standing | None:
        """Return the standing of the account a link stands for; None when the link was replaced or removed.

        For mini-program sessions kept elsewhere: one whose link is gone is over.
        """
        row = await self._engine.one(self._standing_of_link, {"link": link})
        return None if row is None else self._rows.standing(row)

    async def links_of(self, account: str) -> list[str]:
        """Return the platform links that stand for an account, for mini-program sessions kept elsewhere."""
        return [link for (link,) in await self._engine.all(self._links_of, {"account": account})]

    async def profile(self, account: str) -> Profile | None:
        """Return the masked profile, or None."""
        row = await self._engine.one(self._profile, {"account": account})
        if row is None:
            return None
        *columns, phone, created_at = row
        username = self._rows.username(account, columns[3])
        return Profile(self._rows.standing(tuple(columns)), username, self._rows.phone(account, phone), created_at)

    async def networks(self, account: str, network: Sequence[bytes]) -> tuple[bool, bool]:
        """Return whether the account has ever logged in by QR, and whether it did so from ``network``."""
        ever = False
        # More than one digest only while a rotation is under way, and then mostly the first is the one.
        for digest in network:
            row = await self._engine.one(self._networks, {"account": account, "network": digest})
            ever, here = (False, False) if row is None else (bool(row[0]), bool(row[1]))
            if here:
                return True, True
        return ever, False

    async def forget_networks(self, before: Instant, limit: int) -> int:
        """Forget at most ``limit`` networks that nobody logged in from since ``before``; return how many."""
        values: dict[str, Value] = {"before": before, "limit": limit}
        return await self._engine.write(lambda transaction: transaction.run(self._forget_networks, values))

    # Logins whose sessions live elsewhere.

    async def admit(self, account: str, login: Login, session: str, now: Instant, epoch: int | None = None) -> Standing:
        """Look at the account, audit the login of ``session``, remember its network: one transaction.

        What ``SessionStore.open`` does besides the session itself. Raises ``AccountRefused`` and ``ConfirmationOver``;
        then nothing was written.
        """
        return await self._admission.browser_alone(account, login, session, now, epoch)

    async def admit_mini(self, account: str, link: str, platform: str, session: str, now: Instant) -> Standing:
        """Look at the account and its link, audit the mini-program's login; raise ``AccountRefused``."""
        return await self._engine.write_briefly(
            lambda transaction: self._admission.mini(transaction, account, session, now, link=link, platform=platform)
        )

    async def outdate(self, account: str) -> None:
        """End the account's epoch, for sessions kept elsewhere that are ended."""
        await self._engine.write_one(self._next_epoch, {"account": account})

    # Registration and recovery.

    async def register(self, new: NewAccount, now: Instant) -> Linked:
        """Create the account with everything in :class:`NewAccount`, or nothing; raise :class:`IdentityTaken`."""
        return await self._engine.write(lambda transaction: self._registered(transaction, new, now)[0])

    async def take_over(self, loser: str, new: NewAccount, now: Instant) -> Linked:
        """Create the account as :meth:`register` does, with the identity of ``loser``, which keeps all else (RNV-7)."""

        def work(transaction: Transaction) -> Linked:
            ref_of_loser = self._accounts.lock(transaction, loser)
            # After the lock: whoever had it before may have given the identity up.
            if self._claims.holder(transaction, of_document(new.person)) != loser:
                raise IdentityTaken
            lost = self._identities.give_up(transaction, loser, new.evidence, now)
            linked, ref = self._registered(transaction, new, now, moved_at=now)
            facts = _proof(new)
            self._audit.write(transaction, AuditEvent(EventKind.IDENTITY_LOST, now, ref_of_loser, facts=facts))
            self._audit.write(transaction, AuditEvent(EventKind.IDENTITY_TAKEN, now, ref, facts=facts))
            self._links.tell(transaction, loser, NoticeKind.IDENTITY_LOST, new.identity, now)
            self._links.tell(transaction, linked.standing.account, NoticeKind.IDENTITY_TAKEN, new.identity, now)
            return linked._replace(lost=lost)

        return await self._engine.write(work)

    async def relink(self, account: str, new: NewAccount, *, probation_until: Instant | None, now: Instant) -> Linked:
        """Link the platform identity to ``account`` in place of an older one of the same platform (REG-7).

        Re-linking the very same identity keeps its link and whatever probation it is under. Raises
        ``AccountRefused``, and :class:`IdentityTaken` when ``account`` does not hold the identity any more.
        """

        def work(transaction: Transaction) -> Linked:
            ref = self._accounts.lock(transaction, account)
            if self._claims.holder(transaction, of_document(new.person)) != account:
                raise IdentityTaken
            self._identities.prove(transaction, account, _by_face(new), now)
            current = self._links.current(transaction, new.identity)
            facts = _proof(new)
            if current is not None and current.owner == account:
                link, gone = self._links.renew(transaction, current.link, new.valid_days, now), NOTHING
                facts[Fact.LINK] = link.id
                self._audit.write(transaction, AuditEvent(EventKind.FACE_RENEWED, now, ref, facts=facts))
            else:
                link, gone = self._links.link(
                    transaction, account, new, current, probation_until=probation_until, now=now
                )
                facts[Fact.LINK] = link.id
                self._audit.write(transaction, AuditEvent(EventKind.ACCOUNT_RECOVERED, now, ref, facts=facts))
                self._links.tell(transaction, account, NoticeKind.RECOVERED, new.identity, now)
            return Linked(link, self._accounts.standing(transaction, account), gone)

        return await self._engine.write(work)

    def _registered(
        self, transaction: Transaction, new: NewAccount, now: Instant, moved_at: Instant | None = None
    ) -> tuple[Linked, str]:
        """Create the account; return it with its reference."""
        username = system_username(self._entropy)
        holder, ref = self._accounts.add(transaction, username, now)
        if not self._claims.claim(transaction, of_document(new.person), holder):
            raise IdentityTaken
        if not self._claims.claim(transaction, of_username(username), holder):
            raise Contended  # done again with another name
        self._identities.bind(transaction, holder, _by_face(new), now, moved_at=moved_at)
        self._audit.write(transaction, AuditEvent(EventKind.ACCOUNT_REGISTERED, now, ref, facts=_proof(new)))
        former = self._links.current(transaction, new.identity)
        link, gone = self._links.link(transaction, holder, new, former, probation_until=None, now=now)
        return Linked(link, self._accounts.standing(transaction, holder), gone), ref


def _proof(new: NewAccount) -> dict[Fact, str]:
    return {
        Fact.PLATFORM: new.identity.platform.value,
        Fact.DOCUMENT_TYPE: new.person.document_type.value,
        Fact.EVIDENCE: new.evidence.value,
        Fact.EVIDENCE_REFERENCE: new.evidence_reference,
        Fact.AUTHORITY_REFERENCE: new.authority_reference,
    }


def _by_face(new: NewAccount) -> NewIdentity:
    return NewIdentity(
        person=new.person,
        evidence=new.evidence,
        evidence_reference=new.evidence_reference,
        authority_reference=new.authority_reference,
    )
