"""The signal bus between processes: one inbox channel a process, one connection that listens.

Redis drops what nobody is connected to hear, so after every break all listeners are woken once and read for
themselves. On a cluster of Redis 7 and later the inbox is a sharded channel, which lives on one node; elsewhere a
plain one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from redis.exceptions import RedisError

from bjidp.entropy import Entropy, token
from bjidp.errors import StoreUnavailable
from bjidp.storage.memory.signals import LocalTopics
from bjidp.storage.redis.address import Wire
from bjidp.storage.redis.client import FIRST_PAUSE, LONGEST_PAUSE, Link

SILENCE = 10.0
"""Seconds without a word after which the server is asked whether it is there; twice that, and it is not."""

SHARDED_SINCE = 7

log = structlog.get_logger(__name__)


class RedisSignalBus:
    """:class:`bjidp.signals.ports.SignalBus` for many processes."""

    def __init__(
        self,
        link: Link,
        connect: Callable[[], Wire],
        prefix: str,
        entropy: Entropy,
        *,
        sharded: bool = False,
        silence: float = SILENCE,
    ) -> None:
        """Publish over ``link`` and listen on a connection of its own, on channels that begin with ``prefix``."""
        self._link = link
        self._connect = connect
        self._prefix = prefix
        self._inbox = token(entropy, 128)
        self._sharded = sharded
        self._silence = silence
        self._topics = LocalTopics()
        self._listening = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def inbox(self) -> str:
        """The address of this process, new at every start."""
        return self._inbox

    @property
    def listening(self) -> bool:
        """Whether the inbox is connected at this moment; while it is not, listeners wait to be woken all at once."""
        return self._listening.is_set()

    async def open(self, deadline: float) -> None:
        """Listen from now on; raise ``StoreUnavailable`` if that does not succeed within ``deadline`` seconds."""
        self._task = asyncio.get_running_loop().create_task(self._listen())
        try:
            async with asyncio.timeout(deadline):
                await self._listening.wait()
        except TimeoutError:
            await self.close()
            raise StoreUnavailable from None

    async def close(self) -> None:
        """Listen no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def subscribe(self, topic: str, wake: Callable[[], None]) -> Callable[[], None]:
        """See :meth:`bjidp.signals.ports.SignalBus.subscribe`."""
        return self._topics.subscribe(topic, wake)

    async def publish(self, inbox: str, topic: str) -> None:
        """See :meth:`bjidp.signals.ports.SignalBus.publish`."""
        if inbox == self._inbox:
            # To one's own pages the way over the network adds nothing but ways to fail.
            self._topics.wake(topic)
            return
        await self._link.call("SPUBLISH" if self._sharded else "PUBLISH", self._channel(inbox), topic)

    async def _listen(self) -> None:
        pause = FIRST_PAUSE
        while True:
            connection = self._connect()
            try:
                await self._subscribe(connection)
                pause = FIRST_PAUSE
                self._topics.wake_all()
                self._listening.set()
                await self._hear(connection)
            except (OSError, RedisError, TimeoutError) as error:
                log.warning("signals_interrupted", error=type(error).__name__)
            finally:
                self._listening.clear()
                await connection.disconnect(nowait=True)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _subscribe(self, connection: Wire) -> None:
        async with asyncio.timeout(self._silence):
            await connection.connect()
            await connection.send_command("SSUBSCRIBE" if self._sharded else "SUBSCRIBE", self._channel(self._inbox))
            await connection.read_response()

    async def _hear(self, connection: Wire) -> None:
        asked = False
        while True:
            said = await connection.read_response(timeout=self._silence)
            match said:
                case None if asked:
                    raise TimeoutError
                case None:
                    asked = True
                    await connection.send_command("PING")
                    continue
                case [b"message" | b"smessage", _, bytes(topic)]:
                    self._topics.wake(topic.decode("utf-8", "replace"))
                case _:
                    # An answer to PING, or word of the subscription itself: a sign of life.
                    pass
            asked = False

    def _channel(self, inbox: str) -> str:
        return f"{self._prefix}inbox:{{{inbox}}}"


async def can_shard(link: Link) -> bool:
    """Tell whether the server is a cluster's and new enough for sharded channels; all processes find the same."""
    server = _facts(await link.call("INFO", "server"))
    version = int(server.get("redis_version", "0").partition(".")[0])
    cluster = _facts(await link.call("INFO", "cluster"))
    return version >= SHARDED_SINCE and cluster.get("cluster_enabled") == "1"


def _facts(reply: object) -> dict[str, str]:
    lines = reply.decode().splitlines() if isinstance(reply, bytes) else []
    return {name: value for name, _, value in (line.partition(":") for line in lines) if value}
