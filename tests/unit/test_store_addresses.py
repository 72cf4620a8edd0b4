"""Addresses of stores: one reading of each, for whoever checks it, connects by it or tells of it."""

from __future__ import annotations

import pytest

from bjidp.config.settings import Storage
from bjidp.store_addresses import KEY_PREFIX, AddressFault, read_database_url, read_key_prefix, read_redis_url


@pytest.mark.parametrize(
    ("url", "place", "password"),
    [
        ("redis://:pass%40word@cache:6380/2", "cache:6380", "pass@word"),
        ("rediss://cache", "cache:6379", None),
        ("redis://[::1]:6379/0", "::1:6379", None),
        ("redis://", "localhost:6379", None),
        ("unix://:hunter2@/run/redis.sock?db=5", "/run/redis.sock", "hunter2"),
    ],
)
def test_a_redis_is_told_by_its_place_and_its_password_is_known(url: str, place: str, password: str | None) -> None:
    read = read_redis_url(url)
    assert (read.place, read.password) == (place, password)
    assert repr(read) == f"RedisAddress({place})"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "cache:6379",
        "http://:hunter2@cache",
        "redis:hunter2",
        "redis://:hunter2@cache:port",
        "redis://:hunter2@cache:0/0",
        "redis://:hunter2@cache:70000",
        "redis://:hunter2@cache/0?socket_timeout=soon",
        "redis://:hunter 2@cache",
        "redis://:hunter2@[cache",
    ],
)
def test_what_is_no_address_of_a_redis_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(AddressFault) as refusal:
        read_redis_url(url)
    assert "hunter" not in str(refusal.value)


@pytest.mark.parametrize(
    ("url", "database"),
    [
        ("sqlite:///data/bjidp.sqlite", "data/bjidp.sqlite"),
        ("sqlite:////var/lib/a%20folder/bjidp.sqlite?mode=rw", "/var/lib/a folder/bjidp.sqlite"),
        ("postgresql+psycopg://bjidp@db/bjidp", "bjidp"),
    ],
)
def test_a_database_is_read_as_its_driver_reads_it(url: str, database: str) -> None:
    assert read_database_url(url).database == database


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mysql://bjidp:hunter2@db/bjidp",
        "sqlite:///",
        "sqlite:///:memory:",
        "postgresql+psycopg://bjidp:hunter2@db:port/bjidp",
        "postgresql+psycopg://bjidp:hunter2@db:0/bjidp",
        "postgresql+psycopg://bjidp:hunter2@d b/bjidp",
        "postgresql+psycopg://bjidp:hunter2@[db/bjidp",
    ],
)
def test_what_is_no_address_of_a_database_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(AddressFault) as refusal:
        read_database_url(url)
    assert "hunter" not in str(refusal.value)


def test_keys_begin_alike_wherever_nothing_else_is_said() -> None:
    assert Storage(database_url="sqlite:///x").redis_prefix == read_key_prefix(KEY_PREFIX)


@pytest.mark.attack("Q24")
@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://bjidp:hunter2@rest@db/bjidp",
        "postgresql+psycopg://bjidp:hunter2/rest@db/bjidp",
        "postgresql+psycopg://bjidp:12?hunter2@db/bjidp",
        "postgresql+psycopg://bjidp:12#hunter2@db/bjidp",
    ],
)
def test_a_database_whose_password_would_be_taken_for_its_place_is_refused(url: str) -> None:
    with pytest.raises(AddressFault) as refusal:
        read_database_url(url)
    assert not any(part in str(refusal.value) for part in ("hunter2", "rest"))


@pytest.mark.attack("Q24")
@pytest.mark.parametrize(
    "url", ["redis://:12/hunter2@cache:6379/0", "redis://:hunter2/3@cache", "rediss://cache/hunter2"]
)
def test_a_redis_whose_password_would_be_taken_for_its_place_is_refused(url: str) -> None:
    with pytest.raises(AddressFault) as refusal:
        read_redis_url(url)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://bjidp:pass%40word%2F%3A@DB.example:5433/bjidp",
        "postgresql+psycopg://bjidp@[::1]:5432/bjidp",
        "postgresql+psycopg://bjidp@/bjidp?host=/run/postgresql",
        "postgresql+psycopg:///bjidp",
    ],
)
def test_an_address_that_can_be_read_in_one_way_is_read(url: str) -> None:
    assert read_database_url(url).database == "bjidp"
