"""Where the stores are reached: what the address of a database and of a Redis server may say.

Owns which addresses there are, their parts, and what may begin the keys in Redis. Called by ``config``, so that a wrong
one is told with every other fault, by ``storage.redis``, which connects by it, and by ``commands``. What a URL says
besides is the drivers' to read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias, cast
from urllib.parse import urlsplit

from msgspec import Struct
from redis.asyncio.connection import Connection, UnixDomainSocketConnection, parse_url
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

KEY_PREFIX: Final = "bjidp:"

# Braces would choose a cluster's node for every key at once.
_KEY_PREFIX: Final = re.compile(r"[A-Za-z0-9:._-]*", re.ASCII)

_NO_DATABASE: Final = "is no address such as postgresql+psycopg://user@host:5432/name"
_NO_REDIS: Final = "is no address such as redis://host:6379/0"

_UNCLEAR: Final = "can be read in two ways: in a name or password write @ as %40, / as %2F, : as %3A"
_NUMBER: Final = re.compile(r"(/[0-9]*)?", re.ASCII)

RedisConnection: TypeAlias = Connection | UnixDomainSocketConnection


class AddressFault(ValueError):
    """It cannot be an address. The message goes on where the setting's name ends, and never repeats a password."""


class RedisAddress(Struct, frozen=True):
    """One server: the kind of its connections, and what these take as keywords."""

    kind: Callable[..., RedisConnection]
    options: dict[str, Any]

    def __repr__(self) -> str:
        """Show the place alone: there may be a password."""
        return f"RedisAddress({self.place})"

    @property
    def place(self) -> str:
        """Where it is, in words for an operator."""
        path = self.options.get("path")
        return str(path) if path else f"{self.options.get('host', 'localhost')}:{self.options.get('port', 6379)}"

    @property
    def password(self) -> str | None:
        """What must not be printed."""
        return cast("str | None", self.options.get("password"))


def read_database_url(url: str) -> URL:
    """Read ``sqlite:///path`` or ``postgresql+psycopg://user@host/name``; raise :class:`AddressFault`."""
    if not url.startswith(("sqlite:///", "postgresql+psycopg://", "postgresql://")):
        raise AddressFault("must begin with sqlite:/// or postgresql+psycopg://")
    try:
        read = make_url(url)
    except (ArgumentError, ValueError):
        raise AddressFault(_NO_DATABASE) from None
    if read.get_backend_name() == "sqlite":
        if read.database in {None, "", ":memory:"}:
            raise AddressFault("must name a file, since every thread has a connection of its own")
    elif not is_whole(url):
        raise AddressFault(_NO_DATABASE)
    elif "@" in (read.host or "") or (read.host or "").lower() != (urlsplit(url).hostname or ""):
        # What the driver takes for the host is printed, and may be the end of a password.
        raise AddressFault(_UNCLEAR)
    return read


def read_redis_url(url: str) -> RedisAddress:
    """Read ``redis://``, ``rediss://`` (TLS) or ``unix://``, as redis-py does; raise :class:`AddressFault`."""
    if not url.startswith(("redis://", "rediss://", "unix://")):
        raise AddressFault("must begin with redis://, rediss:// or unix://")
    try:
        # redis-py types these as a closed dictionary of what a URL may say; a connection takes them as keywords.
        options = cast("dict[str, Any]", parse_url(url))
    except ValueError:
        raise AddressFault(_NO_REDIS) from None
    if not is_whole(url):
        raise AddressFault(_NO_REDIS)
    if not url.startswith("unix://") and not _NUMBER.fullmatch(urlsplit(url).path):
        raise AddressFault(_UNCLEAR)
    return RedisAddress(options.pop("connection_class", Connection), options)


def read_key_prefix(text: str) -> str:
    """Return what may begin every key and channel in Redis; raise :class:`AddressFault` for what may not."""
    if not _KEY_PREFIX.fullmatch(text):
        raise AddressFault("is made of letters, digits and :._-")
    return text


def is_whole(url: str) -> bool:
    """Tell whether a URL can be taken apart, its port included, and has no blanks in it."""
    try:
        return urlsplit(url).port != 0 and url.isprintable() and " " not in url
    except ValueError:
        return False
