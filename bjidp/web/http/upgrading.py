"""From a request to an open socket, once its own checks have let it in.

Owns what every socket of the house has in common: the subprotocol that has to be offered, how large a frame may be, how
a peer that is gone is noticed. Called by the channels of pages and of devices.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from bjidp.errors import FieldFault, InvalidRequest

HEARTBEAT: Final = 25.0
TOO_MANY: Final = 4029
"""The close code of a peer that has to come back later; the seconds are the reason (wire.md, section 2)."""


def require_offered(request: web.Request, subprotocol: str) -> None:
    """Raise :class:`InvalidRequest` where a peer does not speak ``subprotocol``."""
    offered = request.headers.get("Sec-WebSocket-Protocol", "")
    if subprotocol not in (name.strip() for name in offered.split(",")):
        raise InvalidRequest(FieldFault("Sec-WebSocket-Protocol", "missing"))


async def upgraded(request: web.Request, subprotocol: str, frame_max: int) -> web.WebSocketResponse:
    """Return the open socket; frames of up to ``frame_max`` bytes are taken."""
    ws = web.WebSocketResponse(
        protocols=(subprotocol,),
        heartbeat=HEARTBEAT,
        # aiohttp refuses a frame as large as the limit too.
        max_msg_size=frame_max + 1,
        compress=False,
        timeout=2.0,
    )
    await ws.prepare(request)
    return ws
