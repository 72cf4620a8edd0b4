"""The tables, for SQLite and PostgreSQL alike.

Owns names, columns and constraints; ``migrations`` holds how a database gets there, and a test holds the two
together. Times are milliseconds since the epoch; ids and references 128 random bits in base64url; every value that
says who somebody is, or where to reach them, is a ``*_sealed`` column (``bjidp.privacy.fields``) or a digest
(``bjidp.privacy.index``).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pk",
        "uq": "%(table_name)s_%(column_0_N_name)s_uq",
        "fk": "%(table_name)s_%(column_0_N_name)s_fk",
        "ix": "%(table_name)s_%(column_0_N_name)s_ix",
    }
)

_ID = String(22)
_INSTANT = BigInteger()
_DIGEST = LargeBinary(32)
_WORD = String(80)
# SQLite numbers rows by itself only for a column declared exactly INTEGER PRIMARY KEY.
_SERIAL = BigInteger().with_variant(Integer(), "sqlite")


def _account() -> Column[str]:
    return Column("account", _ID, ForeignKey("account.id", ondelete="CASCADE"), nullable=False)


account = Table(
    "account",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("ref", _ID, nullable=False, unique=True),
    Column("status", _WORD, nullable=False),
    # Empty in what is left of an account that was erased: its reference, for the audit log (PRV-4).
    Column("username_sealed", LargeBinary),
    Column("phone_sealed", LargeBinary),
    Column("created_at", _INSTANT, nullable=False),
    # A hash that was made to be kept (``bjidp.accounts.hashing``).
    Column("password", String(255)),
    Column("password_changed_at", _INSTANT),
    Column("phone_used_at", _INSTANT),
    Column("mail_sealed", LargeBinary),
    Column("ethnicity", _WORD),
    Column("cancelled_at", _INSTANT),
    # Rises whenever sessions are ended. The default is for accounts that a process of the release before makes.
    Column("epoch", Integer, nullable=False, server_default="0"),
    # Sessions in browsers that were opened in an earlier epoch are over, but for the one that is kept.
    Column("fence", Integer, nullable=False, server_default="0"),
    Column("kept", _ID),
)

# The newest lock of an account, or its end, until that is followed up; of one that is locked for as long as it is.
account_lock = Table(
    "account_lock",
    metadata,
    Column("account", _ID, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    Column("status", _WORD, nullable=False),
    Column("at", _INSTANT, nullable=False),
    # When somebody is next to follow it up; empty once that is done.
    Column("due_at", _INSTANT, index=True),
    # When what was logged in was ended wherever it is kept.
    Column("settled_at", _INSTANT),
)

identifier = Table(
    "identifier",
    metadata,
    Column("kind", _WORD, primary_key=True),
    Column("key_version", SmallInteger, primary_key=True, autoincrement=False),
    Column("digest", _DIGEST, primary_key=True),
    _account(),
    # One identifier of a kind per account and key version: a second document or phone is a mistake, not a choice.
    UniqueConstraint("account", "kind", "key_version"),
    sqlite_with_rowid=False,
)

identity = Table(
    "identity",
    metadata,
    Column("account", _ID, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    Column("document_type", _WORD, nullable=False),
    Column("name_sealed", LargeBinary, nullable=False),
    Column("number_sealed", LargeBinary, nullable=False),
    Column("evidence", _WORD, nullable=False),
    # Ours, of the proof that counts, and of the newest one, which a better one before it may outweigh.
    Column("evidence_reference", _WORD, nullable=False),
    Column("newest_reference", _WORD, nullable=False, server_default=""),
    Column("authority_reference", String(255), nullable=False),
    Column("bound_at", _INSTANT, nullable=False),
    Column("proved_at", _INSTANT, nullable=False),
    Column("version", Integer, nullable=False),
    # When it came here from another account (RNV-7).
    Column("moved_at", _INSTANT),
    # When its document is valid no more; the greatest value there is for one that is valid for life, and empty where
    # nobody stated it (``terms``).
    Column("runs_out_at", _INSTANT),
    # When its account was told that it is; what it is worth is computed whenever it is looked at.
    Column("worn_told_at", _INSTANT),
    # What its holder stated, for documents whose numbers do not tell it.
    Column("sex", _WORD),
)

# Those who were told are not looked at again.
Index(
    "identity_untold_ix",
    identity.c.runs_out_at,
    postgresql_where=identity.c.worn_told_at.is_(None),
    sqlite_where=identity.c.worn_told_at.is_(None),
)

# What an account has stated of a document that it has given up, by digests that found the account while it had it.
former_document = Table(
    "former_document",
    metadata,
    Column("account", _ID, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    Column("key_version", SmallInteger, primary_key=True, autoincrement=False),
    Column("digest", _DIGEST, primary_key=True),
    Column("runs_out_at", _INSTANT, nullable=False),
    sqlite_with_rowid=False,
)

# Who wants to become a user of the national platform too, until they are. What is handed on is read from the account.
national_wish = Table(
    "national_wish",
    metadata,
    Column("account", _ID, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    Column("reference", _ID, nullable=False, unique=True),
    Column("wished_at", _INSTANT, nullable=False, index=True),
    # Empty while the account has no identity.
    Column("due_at", _INSTANT, index=True),
    Column("attempts", Integer, nullable=False),
)

# Questions to registers, written down before they are asked: a retry after a crash repeats the reference, and is
# charged nothing. What was asked is a keyed digest.
identity_check = Table(
    "identity_check",
    metadata,
    Column("reference", _WORD, primary_key=True),
    _account(),
    Column("register", _WORD, nullable=False),
    Column("facts", _DIGEST, nullable=False),
    Column("begun_at", _INSTANT, nullable=False, index=True),
    Column("answer", _WORD),
    Column("reason", _WORD),
    Column("register_reference", String(255)),
    Column("answered_at", _INSTANT),
    Index(None, "account", "register", "begun_at"),
)

# Code and name are public. Whoever the register confirmed leads it while their account has the identity it had then.
organisation = Table(
    "organisation",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("credit_code", String(18), nullable=False, unique=True),
    Column("name", String(255), nullable=False),
    Column("representative", _ID, ForeignKey("account.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("bound_at", _INSTANT, nullable=False),
    Column("led_at", _INSTANT, nullable=False),
    Column("confirmed_at", _INSTANT, nullable=False),
    Column("refused_at", _INSTANT),
)

mandate = Table(
    "mandate",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("organisation", _ID, ForeignKey("organisation.id", ondelete="CASCADE"), nullable=False),
    Column("scope", _WORD, nullable=False),
    Column("phone_sealed", LargeBinary, nullable=False),
    # By which whoever has the number finds an offer.
    Column("key_version", SmallInteger, nullable=False),
    Column("phone_digest", _DIGEST, nullable=False),
    Column("offered_at", _INSTANT, nullable=False),
    Column("ends_at", _INSTANT, nullable=False, index=True),
    Column("agent", _ID, ForeignKey("account.id", ondelete="CASCADE")),
    Column("agent_bound_at", _INSTANT),
    Column("accepted_at", _INSTANT),
    Column("ended_at", _INSTANT),
    Column("ended_by", _WORD),
    Index(None, "key_version", "phone_digest"),
    # A page of a history begins where the one before has ended.
    Index(None, "organisation", "offered_at"),
    Index(None, "agent", "offered_at"),
)
# What is over is found by why it is: it was ended, nobody took it, or by ``ends_at`` its time has come.
Index(
    "mandate_ended_ix",
    mandate.c.ended_at,
    postgresql_where=mandate.c.ended_at.is_not(None),
    sqlite_where=mandate.c.ended_at.is_not(None),
)
Index(
    "mandate_offered_ix",
    mandate.c.offered_at,
    postgresql_where=mandate.c.agent.is_(None),
    sqlite_where=mandate.c.agent.is_(None),
)

# What the authority has confirmed, the reason and everything else that is somebody's own words, is sealed.
appeal = Table(
    "appeal",
    metadata,
    Column("id", _ID, primary_key=True),
    _account(),
    Column("state", _WORD, nullable=False),
    # The document it is about, as a digest under the version that was current: to count those for one identity.
    Column("key_version", SmallInteger, nullable=False),
    Column("document", _DIGEST, nullable=False),
    Column("new_sealed", LargeBinary, nullable=False),
    Column("exchange", SmallInteger, nullable=False),
    Column("reason_sealed", LargeBinary, nullable=False),
    Column("contact_sealed", LargeBinary, nullable=False),
    Column("filed_at", _INSTANT, nullable=False),
    Column("reviewed_at", _INSTANT),
    Column("reviewer", _WORD),
    Column("decided_at", _INSTANT, index=True),
    Column("decider", _WORD),
    Column("explanation_sealed", LargeBinary),
    # The account that lost the identity, and whether another identity of the account's gave way.
    Column("loser", _ID, ForeignKey("account.id", ondelete="SET NULL")),
    Column("exchanged", SmallInteger, nullable=False),
    # When somebody is next to tell the outcome; empty while there is none, and once nobody is left to be told.
    Column("tell_at", _INSTANT, index=True),
    Column("told_at", _INSTANT),
    Column("loser_told_at", _INSTANT),
    # What went from either account with the decision: ids alone, until somebody has followed it up.
    Column("gone", Text),
    Column("loser_gone", Text),
    Index(None, "account", "filed_at"),
    Index(None, "key_version", "document"),
    Index(None, "state", "filed_at"),
)

appeal_picture = Table(
    "appeal_picture",
    metadata,
    Column("appeal", _ID, ForeignKey("appeal.id", ondelete="CASCADE"), primary_key=True),
    Column("number", SmallInteger, primary_key=True, autoincrement=False),
    Column("file", SmallInteger, nullable=False),
    Column("kind", _WORD, nullable=False),
    # Before the picture: whoever adds sizes up does not read pictures.
    Column("size", Integer, nullable=False),
    Column("name_sealed", LargeBinary, nullable=False),
    Column("picture_sealed", LargeBinary, nullable=False),
)

platform_link = Table(
    "platform_link",
    metadata,
    Column("id", _ID, primary_key=True),
    _account(),
    Column("platform", _WORD, nullable=False),
    Column("app_id", _WORD, nullable=False),
    Column("open_id_sealed", LargeBinary, nullable=False),
    Column("face_checked_at", _INSTANT, nullable=False),
    Column("valid_days", SmallInteger, nullable=False),
    Column("probation_until", _INSTANT),
    Column("linked_at", _INSTANT, nullable=False),
    # A newer platform identity takes the place of the older one of the same platform (REG-7).
    UniqueConstraint("account", "platform"),
)

# What an account is logged in to by elsewhere; who holds which is decided by ``identifier``.
external_link = Table(
    "external_link",
    metadata,
    Column("account", _ID, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    Column("provider", _WORD, primary_key=True),
    Column("app_id", _WORD, nullable=False),
    Column("kind", _WORD, nullable=False),
    Column("value_sealed", LargeBinary, nullable=False),
    Column("linked_at", _INSTANT, nullable=False),
    sqlite_with_rowid=False,
)

platform_identity = Table(
    "platform_identity",
    metadata,
    # The digest is over platform, app and openid: an openid means nothing without its app (attack M4).
    Column("key_version", SmallInteger, primary_key=True, autoincrement=False),
    Column("digest", _DIGEST, primary_key=True),
    Column("link", _ID, ForeignKey("platform_link.id", ondelete="CASCADE"), nullable=False, index=True),
    sqlite_with_rowid=False,
)

login_network = Table(
    "login_network",
    metadata,
    Column("account", _ID, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    Column("network", _DIGEST, primary_key=True),
    # The one the digest was made under; it says how many are known only by a version that is to be dropped.
    Column("key_version", SmallInteger, nullable=False),
    Column("last_at", _INSTANT, nullable=False, index=True),
    sqlite_with_rowid=False,
)

browser_session = Table(
    "browser_session",
    metadata,
    Column("id", _ID, primary_key=True),
    # A hash of the cookie: who reads the table can not log in with what it holds.
    Column("key", _DIGEST, nullable=False, unique=True),
    _account(),
    Column("way", _WORD, nullable=False),
    Column("platform", _WORD),
    Column("link", _ID),
    Column("browser", _WORD, nullable=False),
    Column("os", _WORD, nullable=False),
    Column("area", String(200)),
    Column("network", _DIGEST, nullable=False),
    Column("ticket", _DIGEST),
    Column("created_at", _INSTANT, nullable=False),
    Column("last_used_at", _INSTANT, nullable=False),
    Column("expires_at", _INSTANT, nullable=False, index=True),
    Column("csrf", _WORD, nullable=False),
    Column("data", Text, nullable=False),
    Column("version", Integer, nullable=False),
    # The account's when it was opened.
    Column("epoch", Integer, nullable=False, server_default="0"),
    Index(None, "account", "created_at"),
)

mini_session = Table(
    "mini_session",
    metadata,
    Column("id", _ID, primary_key=True),
    _account(),
    Column("link", _ID, ForeignKey("platform_link.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("platform", _WORD, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("rotated_at", _INSTANT, nullable=False),
    Column("used", SmallInteger, nullable=False),
    Column("created_at", _INSTANT, nullable=False),
    Column("expires_at", _INSTANT, nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Index(None, "account"),
)

# What it registered, as it was read: a client is read from that anew. Whatever proves it is a hash.
relying_party = Table(
    "relying_party",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("metadata", Text, nullable=False),
    Column("secret", _DIGEST),
    Column("created_at", _INSTANT, nullable=False),
    # Of the city's own interface, whose secret is computed with.
    Column("shared_sealed", LargeBinary),
)

consent = Table(
    "consent",
    metadata,
    Column("account", _ID, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    Column("client", _ID, ForeignKey("relying_party.id", ondelete="CASCADE"), primary_key=True),
    # Words between blanks, as OAuth writes them.
    Column("scopes", Text, nullable=False),
    Column("agreed_at", _INSTANT, nullable=False),
    sqlite_with_rowid=False,
)

# Whom relying parties of one sector know an account as.
oidc_subject = Table(
    "oidc_subject",
    metadata,
    Column("account", _ID, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    Column("sector", String(255), primary_key=True),
    Column("subject", _ID, nullable=False),
    sqlite_with_rowid=False,
)

# What has ended is deleted, and stays in the audit log; what ended before its session stays here until that does, since
# it says which relying parties are to be told.
oidc_grant = Table(
    "oidc_grant",
    metadata,
    Column("id", _ID, primary_key=True),
    _account(),
    Column("client", _ID, ForeignKey("relying_party.id", ondelete="CASCADE"), nullable=False),
    Column("subject", _ID, nullable=False),
    Column("session", _ID, nullable=False, index=True),
    # The account's when they agreed, as for sessions.
    Column("epoch", Integer, nullable=False),
    Column("scopes", Text, nullable=False),
    # The key of the capacity in which they act for one, as sessions keep it.
    Column("organisation", String(64)),
    Column("authenticated_at", _INSTANT, nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("methods", Text, nullable=False),
    # A device's, where a session confirmed it on a page: who ends that session elsewhere ends this too.
    Column("confirmed_in", _ID),
    # The number of its newest refresh token; empty where it has none and goes with its session.
    Column("number", Integer),
    Column("created_at", _INSTANT, nullable=False),
    Column("expires_at", _INSTANT, nullable=False, index=True),
    Column("ended_at", _INSTANT),
    Index(None, "account", "client"),
)
Index(
    "oidc_grant_confirmed_in_ix",
    oidc_grant.c.confirmed_in,
    postgresql_where=oidc_grant.c.confirmed_in.is_not(None),
    sqlite_where=oidc_grant.c.confirmed_in.is_not(None),
)

# What its owner is shown of what a device was given.
device_login = Table(
    "device_login",
    metadata,
    Column("id", _ID, ForeignKey("oidc_grant.id", ondelete="CASCADE"), primary_key=True),
    Column("platform", _WORD),
    Column("browser", _WORD, nullable=False),
    Column("os", _WORD, nullable=False),
    Column("area", Text),
    Column("used_at", _INSTANT, nullable=False),
)

audit_event = Table(
    "audit_event",
    metadata,
    Column("id", _SERIAL, primary_key=True),
    Column("kind", _WORD, nullable=False),
    Column("at", _INSTANT, nullable=False),
    # References outlive what they refer to, so none of these is a foreign key.
    Column("account_ref", _ID),
    Column("session", _WORD),
    Column("ticket", _WORD),
    Column("facts", Text, nullable=False),
    # Set by the sealer, which links committed rows by hash (OPS-8); empty until then.
    Column("seq", BigInteger, unique=True),
    Column("prev_hash", _DIGEST),
    Column("hash", _DIGEST),
    Column("sealed_at", _INSTANT),
    Index(None, "account_ref", "id"),
)
Index(
    "audit_event_unsealed_ix",
    audit_event.c.id,
    postgresql_where=audit_event.c.sealed_at.is_(None),
    sqlite_where=audit_event.c.sealed_at.is_(None),
)

notice = Table(
    "notice",
    metadata,
    Column("id", _SERIAL, primary_key=True),
    _account(),
    Column("kind", _WORD, nullable=False),
    Column("facts", Text, nullable=False),
    Column("created_at", _INSTANT, nullable=False),
    Column("seen_at", _INSTANT),
    Index(None, "account"),
    Index(None, "created_at"),
)

# What relying parties are told of sessions and accounts that are over. It outlives both, so it refers to neither.
logout_outbox = Table(
    "logout_outbox",
    metadata,
    Column("id", _SERIAL, primary_key=True),
    Column("client", _ID, ForeignKey("relying_party.id", ondelete="CASCADE"), nullable=False),
    Column("account_ref", _ID, nullable=False),
    Column("subject", _ID, nullable=False),
    # Empty where all sessions of the subject are over.
    Column("session", _ID),
    Column("created_at", _INSTANT, nullable=False),
    Column("attempts", Integer, nullable=False),
    # When it is tried next; whoever tries it puts that off first. Empty once nobody does.
    Column("due_at", _INSTANT),
    Column("over_at", _INSTANT, index=True),
    Column("outcome", _WORD),
)
# Of what waits alone, which is little beside what is kept for a month to be counted.
Index(
    "logout_outbox_client_due_ix",
    logout_outbox.c.client,
    logout_outbox.c.due_at,
    postgresql_where=logout_outbox.c.due_at.is_not(None),
    sqlite_where=logout_outbox.c.due_at.is_not(None),
)
Index(
    "logout_outbox_due_ix",
    logout_outbox.c.due_at,
    postgresql_where=logout_outbox.c.due_at.is_not(None),
    sqlite_where=logout_outbox.c.due_at.is_not(None),
)
