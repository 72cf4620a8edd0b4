"""Values as bytes.

Owns the form in which typed values lie in Redis: MessagePack maps by field name, so that a process of the next
release, which knows a field more, reads what this one wrote.
"""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec
import structlog

from bjidp.errors import StoreUnavailable

T = TypeVar("T")

log = structlog.get_logger(__name__)


class CorruptRecord(StoreUnavailable):
    """What lies under a key is not what was written there: it is reported, and never taken for absent."""


class Codec(Generic[T]):
    """Reads and writes values of one type."""

    def __init__(self, kind: type[T]) -> None:
        """Read values as ``kind``, strictly."""
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(kind)

    def encode(self, value: T) -> bytes:
        """Return ``value`` as bytes."""
        return self._encoder.encode(value)

    def decode(self, data: object) -> T:
        """Return the value written as ``data``; raise :class:`CorruptRecord`."""
        try:
            if isinstance(data, bytes):
                return self._decoder.decode(data)
        except msgspec.MsgspecError:
            pass
        # The error names fields and values; the log gets neither.
        log.error("corrupt_record")
        raise CorruptRecord
