"""Reading a request's body up to a limit, whatever its Content-Length claims."""

from __future__ import annotations

from aiohttp import StreamReader, web


class TooLarge(Exception):
    """The body is longer than its reader takes."""


async def read_at_most(request: web.Request, limit: int) -> bytes:
    """Return the whole body; raise :class:`TooLarge` once it passes ``limit`` bytes.

    The application's own limit is not used: a picture may be larger than any JSON body of the sandbox.
    """
    if (request.content_length or 0) > limit:
        raise TooLarge
    return await drain(request.content, limit)


async def drain(stream: StreamReader, limit: int) -> bytes:
    """Return all that ``stream`` still gives; raise :class:`TooLarge` once it passes ``limit`` bytes."""
    body = bytearray()
    async for chunk in stream.iter_any():
        body += chunk
        if len(body) > limit:
            raise TooLarge
    return bytes(body)
