"""The schema's history leads to the schema, on both databases, whoever runs it and how often."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, NullPool, create_engine, text

from bjidp.storage.sql import migrations
from bjidp.storage.sql.migrations import MigrationFailed, current_revision, migrate, newest_revision
from bjidp.storage.sql.schema import metadata
from tests.support.postgres import PostgresServer

SQLITE = "SELECT type, name, sql FROM sqlite_master WHERE name <> 'alembic_version' AND tbl_name <> 'alembic_version'"
POSTGRESQL = """
SELECT 'column', c.relname || '.' || a.attname,
       format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull || ' '
       || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> 'alembic_version'
UNION ALL SELECT 'constraint', conname, pg_get_constraintdef(oid) FROM pg_constraint
 WHERE connamespace = 'public'::regnamespace AND conname NOT LIKE 'alembic%'
UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes
 WHERE schemaname = 'public' AND indexname NOT LIKE 'alembic%'
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/bjidp.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def other_empty_url(empty_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a second empty database of the same kind."""
    if empty_url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path}/other.db"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.database() as url:
        yield url


def _shape(connection: Connection) -> set[tuple[str, str, str]]:
    """Return everything the database knows of the tables, columns, constraints and indexes."""
    if connection.dialect.name == "postgresql":
        return {(kind, name, _line(definition)) for kind, name, definition in connection.execute(text(POSTGRESQL))}
    return {
        (kind, name, part)
        for kind, name, definition in connection.execute(text(SQLITE))
        for part in (_parts(_line(definition)) if kind == "table" else [_line(definition)])
    }


def _line(definition: str | None) -> str:
    return " ".join((definition or "").split())


def _parts(table: str) -> list[str]:
    """Return the columns and constraints of a table by the text that made it, and what stands around them.

    A column that was added later stands behind the constraints there.
    """
    head, _, rest = table.partition("(")
    body, _, tail = rest.rpartition(")")
    whole = re.sub(r"\([^()]*\)", lambda columns: columns[0].replace(",", ";"), body)
    return [head, tail, *(part.strip() for part in whole.split(","))]


def _upgrade(connection: Connection, revision: str) -> None:
    """Bring an empty database to a revision that is not the newest."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


@pytest.mark.req("OPS-6")
def test_the_migrations_lead_to_exactly_the_schema(empty_url: str, other_empty_url: str) -> None:
    migrate(empty_url)
    migrated, declared = (create_engine(url, poolclass=NullPool) for url in (empty_url, other_empty_url))
    metadata.create_all(declared)
    with migrated.begin() as ours, declared.begin() as theirs:
        assert _shape(ours) == _shape(theirs)
        assert compare_metadata(MigrationContext.configure(ours), metadata) == []


@pytest.mark.req("OPS-6")
def test_migrating_twice_changes_nothing(empty_url: str) -> None:
    assert current_revision(empty_url) is None
    migrate(empty_url)
    assert current_revision(empty_url) == newest_revision()
    engine = create_engine(empty_url, poolclass=NullPool)
    with engine.begin() as connection:
        before = _shape(connection)
    migrate(empty_url)
    with engine.begin() as connection:
        assert _shape(connection) == before


@pytest.mark.req("OPS-6")
def test_what_was_written_under_the_first_schema_is_still_there(empty_url: str) -> None:
    engine = create_engine(empty_url, poolclass=NullPool)
    with engine.begin() as connection:
        _upgrade(connection, "0001")
        for written in (
            "INSERT INTO account (id, ref, status, created_at) VALUES ('a', 'r', 'active', 1)",
            "INSERT INTO identifier (kind, key_version, digest, account) VALUES ('phone', 1, 'd', 'a')",
            "INSERT INTO notice (account, kind, facts, created_at) VALUES ('a', 'k', '{}', 1)",
        ):
            connection.execute(text(written))
    migrate(empty_url)
    assert current_revision(empty_url) == newest_revision()
    with engine.begin() as connection:
        assert connection.execute(text("SELECT id, ref, password, mail_sealed FROM account")).all() == [
            ("a", "r", None, None)
        ]
        assert connection.execute(text("SELECT account FROM identifier")).all() == [("a",)]
        assert connection.execute(text("SELECT account, seen_at FROM notice")).all() == [("a", None)]


@pytest.mark.req("OPS-6", "RNV-1")
def test_whoever_was_lowered_is_not_told_again_by_a_release_that_lowers_nobody(empty_url: str) -> None:
    engine = create_engine(empty_url, poolclass=NullPool)
    with engine.begin() as connection:
        _upgrade(connection, "0010")
        for account, level, runs_out_at in (("worn", 1, 7), ("valid", 3, 9), ("undated", 2, None)):
            connection.execute(
                text("INSERT INTO account (id, ref, status, created_at) VALUES (:it, :it, 'active', 1)"),
                {"it": account},
            )
            connection.execute(
                text(
                    "INSERT INTO identity (account, document_type, name_sealed, number_sealed, level, evidence,"
                    " evidence_reference, authority_reference, bound_at, proved_at, version, runs_out_at)"
                    " VALUES (:account, 'resident_id', 'n', 'n', :level, 'face', 'E', 'A', 1, 1, 1, :runs_out_at)"
                ),
                {"account": account, "level": level, "runs_out_at": runs_out_at},
            )
    migrate(empty_url)
    with engine.begin() as connection:
        found = connection.execute(text("SELECT account, evidence, runs_out_at, worn_told_at FROM identity ORDER BY 1"))
        assert found.all() == [("undated", "face", None, None), ("valid", "face", 9, None), ("worn", "face", 7, 7)]


@pytest.mark.req("OPS-6")
async def test_processes_that_start_together_migrate_once(empty_url: str) -> None:
    await asyncio.gather(*(asyncio.to_thread(migrate, empty_url) for _ in range(4)))
    assert current_revision(empty_url) == newest_revision()


@pytest.mark.req("OPS-6")
def test_a_migration_that_fails_leaves_nothing_behind(empty_url: str) -> None:
    engine = create_engine(empty_url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE notice (id integer)"))  # the last table of the first revision
    with pytest.raises(MigrationFailed, match=r"with code (42P07|SQLITE_ERROR)"):
        migrate(empty_url)
    assert current_revision(empty_url) is None
    with engine.begin() as connection:
        assert not [name for _, name, _ in _shape(connection) if name.startswith("account")]


@pytest.mark.req("OPS-6")
def test_a_database_of_a_newer_program_is_told_and_left_as_it_is(empty_url: str) -> None:
    migrate(empty_url)
    engine = create_engine(empty_url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'later'"))
    with pytest.raises(MigrationFailed, match=r"a newer one: .*'later'"):
        migrate(empty_url)
    assert current_revision(empty_url) == "later"
