"""How a server is reached: with a password, through a socket in the file system, over TLS, on one of its databases."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from redis import Redis

from bjidp.clock import MINUTE, SECOND, SystemClock
from bjidp.entropy import SeededEntropy
from bjidp.errors import StoreUnavailable
from bjidp.storage.redis.catalog import RedisStores, open_redis
from bjidp.throttle.ports import per_minute
from tests.contracts.ephemeral import Note
from tests.support.redis import RedisServer


async def _works(stores: RedisStores) -> None:
    await stores.records("note", Note).add("a", Note("a"), MINUTE)
    assert await stores.records("note", Note).take("a") == Note("a")
    await stores.close()


def _with_a_user(server: RedisServer) -> None:
    with Redis.from_url(server.url()) as redis:
        redis.acl_setuser("bjidp", enabled=True, passwords=["+pass:w~rd"], keys="*", channels="*", categories=["+@all"])


async def test_a_user_logs_in_with_a_password(own_redis: Callable[..., RedisServer], entropy: SeededEntropy) -> None:
    server = own_redis()
    _with_a_user(server)
    for credentials in ("bjidp:pass%3Aw~rd", ":"):
        await _works(await open_redis(f"redis://{credentials}@127.0.0.1:{server.port}/2", entropy=entropy))


async def test_a_password_alone_logs_in(own_redis: Callable[..., RedisServer], entropy: SeededEntropy) -> None:
    server = own_redis()
    with Redis.from_url(server.url()) as redis:
        redis.config_set("requirepass", "hunter2")
    await _works(await open_redis(f"redis://:hunter2@127.0.0.1:{server.port}/3", entropy=entropy))
    with pytest.raises(StoreUnavailable):
        await open_redis(server.url(), entropy=entropy)


async def test_a_wrong_password_is_told_without_being_repeated(
    own_redis: Callable[..., RedisServer], entropy: SeededEntropy
) -> None:
    server = own_redis()
    _with_a_user(server)
    with structlog.testing.capture_logs() as logs, pytest.raises(StoreUnavailable):
        await open_redis(f"redis://bjidp:hunter2@127.0.0.1:{server.port}/0", entropy=entropy)
    assert any(line.get("reason") == "WRONGPASS" for line in logs)
    assert "hunter2" not in str(logs)


async def test_a_socket_in_the_file_system_will_do(
    own_redis: Callable[..., RedisServer], entropy: SeededEntropy, tmp_path: Path
) -> None:
    path = tmp_path / "s"
    server = own_redis("--unixsocket", str(path))
    await _works(await open_redis(f"unix://{path}?db=5", entropy=entropy, prefix="five:"))
    stores = await open_redis(f"unix://{path}?db=5", entropy=entropy, prefix="five:")
    await stores.throttle.hit("key", per_minute(1))
    await stores.close()
    with Redis.from_url(server.url(5)) as redis:
        assert redis.exists("five:throttle:key")


async def test_tls_is_spoken_and_the_certificate_checked(
    redis_url: str, redis_server: RedisServer, entropy: SeededEntropy, tmp_path: Path
) -> None:
    own, other = (_certificate(tmp_path / name) for name in ("own", "other"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(own)
    pumps: set[asyncio.Task[None]] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
        finally:
            writer.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, questions = await asyncio.open_connection("127.0.0.1", redis_server.port)
        pumps.update(asyncio.create_task(pump(*ends)) for ends in ((reader, questions), (answers, writer)))

    way = await asyncio.start_server(relay, "127.0.0.1", 0, ssl=context)
    address = f"rediss://127.0.0.1:{way.sockets[0].getsockname()[1]}/{redis_url.rpartition('/')[2]}"
    await _works(await open_redis(f"{address}?ssl_ca_certs={own}", entropy=entropy))
    with pytest.raises(StoreUnavailable):
        await open_redis(f"{address}?ssl_ca_certs={other}", entropy=entropy)
    way.close()
    for task in pumps:
        task.cancel()
    await asyncio.gather(*pumps, return_exceptions=True)


def _certificate(path: Path) -> Path:
    """Write a key and its certificate for the loopback address into one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, path.name)])
    alternatives = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    now = dt.datetime.fromtimestamp(SystemClock().now() / SECOND, dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(alternatives, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path
