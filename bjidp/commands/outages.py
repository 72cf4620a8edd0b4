"""Why a server cannot start on its stores, in words for whoever starts it.

Owns one more attempt to reach each of them, past the adapters: these say no more than ``StoreUnavailable``, since what
a driver says may hold what was being stored. At a start that is nothing but the address, and its password is taken
out. Called by ``faults`` when a start has failed.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

import psycopg
from hiredis import ReplyError
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy.engine import URL

from bjidp.errors import StoreUnavailable
from bjidp.storage.redis.lane import kind_of
from bjidp.storage.sql.database.transaction import StoreFault
from bjidp.store_addresses import read_database_url, read_redis_url

PATIENCE = 5
"""Seconds for a server to answer."""


def silent_stores(database_url: str, redis_url: str | None) -> list[str]:
    """Return a sentence for every store that does not answer now: which one, where, and the reason."""
    database = read_database_url(database_url)
    silent = [_sqlite(database) if database.get_backend_name() == "sqlite" else _postgresql(database)]
    if redis_url is not None:
        silent.append(_redis(redis_url))
    return [sentence for sentence in silent if sentence is not None]


def passed(outage: StoreUnavailable) -> str:
    """Return a sentence for an ``outage`` of stores that all answer now: of the fault, a driver's code alone."""
    fault = outage.__cause__
    if isinstance(fault, StoreFault):
        code = str(fault)
    elif isinstance(fault, ReplyError):
        code = kind_of(fault)
    else:
        code = "no answer" if fault is None else type(fault).__name__
    return f"a store failed ({code}), but answers now: try again"


def _sqlite(url: URL) -> str | None:
    path = Path(url.database or "")
    if not path.exists() and os.access(path.parent, os.W_OK | os.X_OK):
        return None  # a first start makes it
    try:
        with contextlib.closing(
            sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, timeout=PATIENCE)
        ) as connection:
            connection.execute("BEGIN IMMEDIATE")
    except sqlite3.Error as error:
        return f"storage.database_url: SQLite cannot use {path}: {error}"
    return None


def _postgresql(url: URL) -> str | None:
    arguments, options = url.get_dialect()().create_connect_args(url)
    try:
        psycopg.connect(*arguments, **{"connect_timeout": PATIENCE, **options}).close()
    except psycopg.Error as error:
        reason = _without(url.password, _first_line(error).rpartition("failed: ")[2])
        return f"storage.database_url: PostgreSQL at {url.host}:{url.port or 5432} does not answer: {reason}"
    return None


def _redis(address: str) -> str | None:
    read = read_redis_url(address)
    try:
        with Redis.from_url(address, socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE) as redis:
            redis.ping()
    except (RedisError, OSError) as error:
        cause = error.__context__
        # redis-py's own words begin with the address once more.
        reason = cause.strerror if isinstance(cause, OSError) and cause.strerror else _first_line(error)
        reason = _without(read.password, reason)
        return f"storage.redis_url: Redis at {read.place} does not answer: {reason}"
    return None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


def _without(password: object, reason: str) -> str:
    return reason.replace(str(password), "***") if password else reason
