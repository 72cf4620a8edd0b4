"""Files of strangers are looked into by a process apart from the server, in turns.

Owns how :mod:`bjidp.appeals.sanitising` is run: with no environment, for so long and with so much output at most. Who
is next is told by :mod:`bjidp.appeals.turns`. A process costs 0.3 s and holds nothing that is worth having: neither
keys nor connections. Implements :class:`bjidp.appeals.ports.Sanitiser`.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from bjidp.appeals.attachments import PICTURES, Fault, Kind, kind_of
from bjidp.appeals.ports import AttachmentRefused
from bjidp.appeals.turns import Turns

PROGRAM: Final = Path(__file__).with_name("sanitising.py")

PATIENCE: Final = 6.0
"""Seconds for one file, four of them as time of a processor; the largest that is taken needs one. Nobody's file keeps
the next one waiting for longer."""

OUTPUT: Final = 12 * 1024 * 1024
"""Bytes: the pages of a PDF, each at its largest."""

_REFUSED: Final = 3
_LENGTH: Final = 4

log = structlog.get_logger(__name__)


class Isolation:
    """Looks into files."""

    def __init__(
        self,
        *,
        program: Path = PROGRAM,
        turns: Turns | None = None,
        patience: float = PATIENCE,
        output: int = OUTPUT,
    ) -> None:
        """Run ``program``."""
        self._program = program
        self._turns = turns or Turns()
        self._patience = patience
        self._output = output

    def require_time(self, account: str) -> None:
        """Raise ``RateLimited`` where files of an account have taken all the time that they may."""
        self._turns.require_time(account)

    async def pictures(self, account: str, kind: Kind, data: bytes) -> list[bytes]:
        """Return what a file comes to; raise :class:`AttachmentRefused`, ``TooBusy`` and ``RateLimited``."""
        async with self._turns.turn(account):
            return await self._run(kind, data)

    async def _run(self, kind: Kind, data: bytes) -> list[bytes]:
        # Isolated (-I) from the folder it is started in, and without an environment: what is in either is not for it.
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-B",
            str(self._program),
            kind.value,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={},
        )
        feeding = asyncio.create_task(_feed(process, data))
        try:
            async with asyncio.timeout(self._patience):
                said = await self._read(process)
                code = await process.wait()
        except TimeoutError:
            log.warning("attachment_given_up", kind=kind, reason="patience")
            raise AttachmentRefused(Fault.UNREADABLE, given_up=True) from None
        finally:
            feeding.cancel()
            with suppress(ProcessLookupError):
                process.kill()
            await asyncio.gather(feeding, process.wait(), return_exceptions=True)
        if code == 0:
            pictures = _split(said)
            if pictures:
                return pictures
        elif code == _REFUSED:
            with suppress(ValueError):
                raise AttachmentRefused(Fault(said.decode("ascii", "replace")))
        # It ran out of what it may take, or was brought down by what it read.
        log.warning("attachment_given_up", kind=kind, reason="ended", code=code)
        raise AttachmentRefused(Fault.UNREADABLE, given_up=True)

    async def _read(self, process: asyncio.subprocess.Process) -> bytes:
        stream, said = process.stdout, bytearray()
        while stream is not None and (chunk := await stream.read(64 * 1024)):
            said += chunk
            if len(said) > self._output:
                log.warning("attachment_given_up", reason="output")
                raise AttachmentRefused(Fault.UNREADABLE, given_up=True)
        return bytes(said)


async def _feed(process: asyncio.subprocess.Process, data: bytes) -> None:
    stream = process.stdin
    if stream is None:
        return
    # It may end before it has read everything; what it says then is what counts.
    with suppress(ConnectionError):
        stream.write(data)
        await stream.drain()
        stream.close()
        await stream.wait_closed()


def _split(said: bytes) -> list[bytes]:
    """Return the pictures; none at all where it is not what a decoder writes that is still its own master.

    Staff open what is kept: a decoder that was taken over hands on no other kind of file, and no flood of empty ones.
    """
    pictures: list[bytes] = []
    start = 0
    while start < len(said):
        begin = start + _LENGTH
        end = begin + int.from_bytes(said[start:begin], "big")
        picture = said[begin:end]
        if end > len(said) or len(pictures) == PICTURES or kind_of(picture) is not Kind.JPEG:
            return []
        pictures.append(picture)
        start = end
    return pictures
