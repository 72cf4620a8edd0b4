"""Opens a database: engine, keys and stores in one value.

Called by ``bootstrap``. Before the first call of a store, ``serving`` brings the schema up to date
(:func:`bjidp.storage.sql.migrations.migrate`).
"""

from __future__ import annotations

from msgspec import Struct

from bjidp.clock import Clock
from bjidp.entropy import Entropy
from bjidp.privacy.fields import FieldCipher
from bjidp.privacy.index import BlindIndex
from bjidp.privacy.keyring import Keyring
from bjidp.privacy.sealing import Sealing
from bjidp.storage.sql.account_rows import AccountRows
from bjidp.storage.sql.accounts import SqlAccounts
from bjidp.storage.sql.admission import open_admission
from bjidp.storage.sql.appeals import SqlAppeals
from bjidp.storage.sql.audit import SqlAuditLog
from bjidp.storage.sql.database.engine import SqlEngine, open_engine
from bjidp.storage.sql.externals import SqlExternals
from bjidp.storage.sql.grants import GrantRows, SqlGrants
from bjidp.storage.sql.identity_checks import SqlIdentityChecks
from bjidp.storage.sql.identity_store import SqlIdentities
from bjidp.storage.sql.locks import SqlLocks
from bjidp.storage.sql.logouts import SqlLogouts
from bjidp.storage.sql.members import SqlMembers
from bjidp.storage.sql.mini_sessions import SqlMiniSessions
from bjidp.storage.sql.national_wishes import SqlWishes
from bjidp.storage.sql.organisations import SqlOrganisations
from bjidp.storage.sql.relying_parties import SqlClients, SqlConsents
from bjidp.storage.sql.rotation import Rotation
from bjidp.storage.sql.rows import Rows
from bjidp.storage.sql.sessions import SqlSessions


class SqlStores(Struct, frozen=True):
    """The stores of one database, on one engine."""

    accounts: SqlAccounts
    members: SqlMembers
    identities: SqlIdentities
    checks: SqlIdentityChecks
    wishes: SqlWishes
    organisations: SqlOrganisations
    externals: SqlExternals
    appeals: SqlAppeals
    locks: SqlLocks
    clients: SqlClients
    consents: SqlConsents
    grants: SqlGrants
    logouts: SqlLogouts
    sessions: SqlSessions
    mini_sessions: SqlMiniSessions
    audit: SqlAuditLog
    rotation: Rotation
    engine: SqlEngine

    async def ping(self) -> None:
        """Ask the database for an answer; raise ``StoreUnavailable``."""
        await self.engine.ping()

    async def close(self) -> None:
        """Finish what was begun and close every connection."""
        await self.engine.close()


def open_sql(url: str, keyring: Keyring, entropy: Entropy, clock: Clock, threads: int = 4) -> SqlStores:
    """Open the stores of ``url``; nothing is connected before the first call.

    ``clock`` says at which moment a standing is read, since a level may end at one. Raises :class:`ValueError` when the
    URL names neither a SQLite file nor PostgreSQL.
    """
    return assemble(open_engine(url, threads=threads), keyring, entropy, clock)


def assemble(engine: SqlEngine, keyring: Keyring, entropy: Entropy, clock: Clock) -> SqlStores:
    """Put the stores together on ``engine``, which compiles every statement there is."""
    cipher = FieldCipher(Sealing(keyring, entropy))
    index = BlindIndex(keyring)
    rows = Rows(cipher, clock)
    accounts = AccountRows(engine, rows, cipher, entropy)
    grants = GrantRows(engine)
    admission = open_admission(engine, rows, keyring.current)
    return SqlStores(
        accounts=SqlAccounts(engine, rows, admission, cipher=cipher, index=index, entropy=entropy),
        members=SqlMembers(engine, rows, cipher=cipher, index=index, entropy=entropy),
        identities=SqlIdentities(engine, rows, cipher=cipher, index=index, entropy=entropy),
        checks=SqlIdentityChecks(engine, accounts, entropy),
        wishes=SqlWishes(engine, cipher),
        organisations=SqlOrganisations(engine, accounts, cipher=cipher, index=index, entropy=entropy),
        externals=SqlExternals(engine, accounts, cipher=cipher, index=index),
        appeals=SqlAppeals(engine, accounts, cipher=cipher, index=index, entropy=entropy),
        locks=SqlLocks(engine, rows, accounts, grants, cipher=cipher, index=index),
        clients=SqlClients(engine, grants, cipher),
        consents=SqlConsents(engine, accounts, grants),
        grants=SqlGrants(engine, rows, grants),
        logouts=SqlLogouts(engine),
        sessions=SqlSessions(engine, rows, admission, grants),
        mini_sessions=SqlMiniSessions(engine, rows, admission),
        audit=SqlAuditLog(engine),
        rotation=Rotation(engine, cipher, index),
        engine=engine,
    )
