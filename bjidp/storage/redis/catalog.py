"""Every store of this package over one link.

Called by ``bootstrap``, which keeps the result for as long as the process serves.
"""

from __future__ import annotations

from typing import TypeVar

from bjidp.audit.ports import AuditLog
from bjidp.clock import SYSTEM_STOPWATCH, Clock, Millis, Stopwatch
from bjidp.entropy import Entropy
from bjidp.storage.redis.address import Address
from bjidp.storage.redis.client import DEADLINE, RedisLink
from bjidp.storage.redis.ledger import Dependents, Gate
from bjidp.storage.redis.mini_sessions import RedisMiniSessions
from bjidp.storage.redis.moments import GRACE, Moments
from bjidp.storage.redis.records import RedisRecords
from bjidp.storage.redis.sessions import RedisSessions
from bjidp.storage.redis.signals import SILENCE, RedisSignalBus, can_shard
from bjidp.storage.redis.throttle import RedisThrottle
from bjidp.storage.redis.tickets import RedisTicketStore
from bjidp.store_addresses import KEY_PREFIX, read_key_prefix

T = TypeVar("T")


class RedisStores:
    """The stores that many processes share. One link, two connections: one asks, one listens."""

    def __init__(self, link: RedisLink, signals: RedisSignalBus, prefix: str, moments: Moments) -> None:
        """Bundle what :func:`open_redis` has connected."""
        self._link = link
        self._prefix = prefix
        self._moments = moments
        self.signals = signals
        self.tickets = RedisTicketStore(link, prefix, moments)
        self.throttle = RedisThrottle(link, f"{prefix}throttle:", moments)

    def records(self, name: str, kind: type[T]) -> RedisRecords[T]:
        """Return the store of one kind of records; ``name`` becomes part of their keys."""
        return RedisRecords(self._link, f"{self._prefix}{name}:", kind, self._moments)

    def sessions(self, gate: Gate, audit: AuditLog, grants: Dependents) -> RedisSessions:
        """Return the browser sessions of the accounts behind ``gate``; ``grants`` end with them."""
        return RedisSessions(self._link, f"{self._prefix}session:", gate, audit, grants)

    def mini_sessions(self, gate: Gate, audit: AuditLog) -> RedisMiniSessions:
        """Return the mini-program sessions of the accounts behind ``gate``."""
        return RedisMiniSessions(self._link, f"{self._prefix}mini:", gate, audit)

    async def ping(self) -> None:
        """Return if the server answers; raise ``StoreUnavailable``."""
        await self._link.call("PING")

    async def close(self) -> None:
        """Hang up."""
        await self.signals.close()
        await self._link.close()


async def open_redis(
    url: str,
    *,
    entropy: Entropy,
    prefix: str = KEY_PREFIX,
    deadline: float = DEADLINE,
    silence: float = SILENCE,
    clock: Clock | None = None,
    stopwatch: Stopwatch = SYSTEM_STOPWATCH,
    grace: Millis = GRACE,
) -> RedisStores:
    """Connect to one server and return its stores.

    ``prefix`` begins every key and channel, so that several systems may share a server. ``deadline`` bounds each call,
    and ``silence`` how long a quiet listener trusts its connection, in seconds. ``clock``, ``stopwatch`` and ``grace``
    are for tests: in service the server tells the time. Raises ``StoreUnavailable`` when the server does not answer,
    :class:`bjidp.store_addresses.AddressFault` for an address or a prefix that cannot be one.
    """
    prefix, address = read_key_prefix(prefix), Address(url)
    link = RedisLink(address.lane, deadline=deadline)
    try:
        signals = RedisSignalBus(link, address.wire, prefix, entropy, sharded=await can_shard(link), silence=silence)
        await signals.open(deadline)
    except BaseException:
        await link.close()
        raise
    return RedisStores(link, signals, prefix, Moments(clock, stopwatch, grace))
