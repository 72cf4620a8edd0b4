"""The servers that tests lean on are real, empty and gone when they should be."""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import create_engine, text

from tests.support import backends
from tests.support.chromium import ContextFactory
from tests.support.network import NetworkClosed, is_local
from tests.support.postgres import PostgresServer
from tests.support.processes import Process, ProcessFailed
from tests.support.redis import RedisServer


@pytest.mark.parametrize("round_", [1, 2])
def test_every_test_gets_an_empty_postgres_database(postgres_url: str, round_: int) -> None:
    engine = create_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE seen (round int)"))
        connection.execute(text("INSERT INTO seen VALUES (:round)"), {"round": round_})
        assert connection.execute(text("SELECT round FROM seen")).scalars().all() == [round_]
    engine.dispose()


def test_a_database_can_be_copied_from_a_template(postgres_server: PostgresServer) -> None:
    postgres_server.create("template_of_this_test")
    try:
        with psycopg.connect(
            host="127.0.0.1", port=postgres_server.port, user="bjidp", dbname="template_of_this_test"
        ) as c:
            c.execute("CREATE TABLE prepared (n int)")
        with postgres_server.database("template_of_this_test") as url:
            engine = create_engine(url)
            with engine.connect() as connection:
                assert connection.execute(text("SELECT count(*) FROM prepared")).scalar() == 0
            engine.dispose()
    finally:
        postgres_server.drop("template_of_this_test")


@pytest.mark.parametrize("round_", [1, 2])
def test_every_test_gets_an_empty_redis_database(redis_url: str, round_: int) -> None:
    with Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("round", round_)


def test_a_redis_of_ones_own_can_be_stopped(own_redis: Callable[..., RedisServer]) -> None:
    server = own_redis("--maxmemory", "64mb")
    with Redis.from_url(server.url()) as client:
        assert client.config_get("maxmemory") == {"maxmemory": str(64 * 1024 * 1024)}
        server.stop()
        with pytest.raises(RedisConnectionError):
            client.ping()


def test_the_servers_of_the_wheels_run_where_none_is_installed() -> None:
    """Also where the packages lie in a folder that the server's user may not enter, as root's own home is."""
    with tempfile.TemporaryDirectory() as folder:
        closed, data = Path(folder, "closed"), Path(folder, "data")
        wheel = backends.postgres_of_the_wheel()
        package = wheel.path.parents[2]
        shutil.copytree(wheel.path.parents[1], closed / package.name / wheel.path.parts[-3])
        shutil.copytree(package.with_name(f"{package.name}.libs"), closed / f"{package.name}.libs")
        closed.chmod(0o700)
        Path(folder).chmod(0o755)
        data.mkdir()
        moved = closed / package.name / wheel.path.relative_to(package)
        postgres = PostgresServer(data, backends.Backend(wheel.name, moved, wheel.version, wheel.source))
        with postgres.database() as url:
            engine = create_engine(url)
            with engine.connect() as connection:
                assert connection.execute(text("SELECT 1")).scalar() == 1
            engine.dispose()
        postgres.stop()

        redis = RedisServer(data, backends.redis_of_the_wheel())
        with Redis.from_url(redis.fresh_url()) as client:
            assert client.ping()
        redis.stop()


async def test_the_browser_shows_a_page(browser_context: ContextFactory) -> None:
    context = await browser_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = await context.new_page()
    await page.set_content("<title>统一身份认证</title>")
    assert await page.title() == "统一身份认证"
    assert await page.evaluate("[navigator.language, innerWidth]") == ["zh-CN", 390]


@pytest.mark.parametrize("host", ["93.184.216.34", "10.0.0.1", "2001:db8::1", "example.com", b"example.com", "0.0.0.0"])  # noqa: S104 - never bound
def test_a_foreign_host_is_foreign(host: object) -> None:
    assert not is_local(host)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.8.9.10", "::1", "localhost", "portal.localhost", b"localhost", None]
)
def test_this_machine_is_local(host: object) -> None:
    assert is_local(host)


def test_no_test_leaves_this_machine() -> None:
    with socket.socket() as outward, pytest.raises(NetworkClosed):
        outward.connect(("192.0.2.1", 80))
    with socket.socket(type=socket.SOCK_DGRAM) as outward, pytest.raises(NetworkClosed):
        outward.sendto(b"", ("192.0.2.1", 53))
    with pytest.raises(NetworkClosed):
        socket.getaddrinfo("example.com", 80)


def test_a_program_that_ends_by_itself_is_reported_with_its_last_words(tmp_path: Path) -> None:
    process = Process(["sh", "-c", "echo the reason; exit 3"], log=tmp_path / "log")
    try:
        with pytest.raises(ProcessFailed, match="the reason"):
            process.wait_until(lambda: False)
    finally:
        process.stop()


def test_a_program_ends_when_it_is_stopped(tmp_path: Path) -> None:
    with Process(["sleep", "1000"], log=tmp_path / "log") as process:
        assert process.alive()
    assert not process.alive()
