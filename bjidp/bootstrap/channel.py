"""The addresses of the QR channel: sockets, polls, redeeming, and the pages without a script."""

from __future__ import annotations

from bjidp.bootstrap.front import Front, Part
from bjidp.bootstrap.qr import Qr
from bjidp.bootstrap.rooms import Rooms, ticket_digester
from bjidp.qrlogin.errands import Proving
from bjidp.qrlogin.redeeming import Exchange, Redeeming
from bjidp.web.qr.channel import QrChannel
from bjidp.web.qr.drawing import Drawings
from bjidp.web.qr.entering import Entrance
from bjidp.web.qr.redeem import QrRedeem
from bjidp.web.qr.scriptless import ScriptlessQr


def qr_channel_part(rooms: Rooms, front: Front, qr: Qr, faces: Exchange) -> Part:
    """Return the QR channel; ``faces`` is what face tickets are exchanged with."""
    redeeming = Redeeming(
        browsers=qr.browsers,
        changes=qr.changes,
        proving=Proving(qr.proofs, rooms.stores.accounts, qr.sessions, ticket_digester(rooms)),
        faces=faces,
        throttle=rooms.stores.throttle,
        keys=qr.keys,
        entropy=rooms.entropy,
    )
    entrance = Entrance(
        cookies=front.cookies,
        observer=front.observer,
        pages=qr.pages,
        signed_in=front.signed_in,
        sessions=front.sessions,
    )
    channel = QrChannel(site=rooms.site, entrance=entrance, observer=front.observer, pages=qr.pages)
    redeem = QrRedeem(
        site=rooms.site,
        cookies=front.cookies,
        forms=front.forms,
        redeeming=redeeming,
        browsers=qr.browsers,
        sessions=front.sessions,
        signed_in=front.signed_in,
        ticket_digest=ticket_digester(rooms),
    )
    scriptless = ScriptlessQr(
        site=rooms.site,
        entrance=entrance,
        forms=front.forms,
        pages=qr.pages,
        keys=qr.keys,
        policy=qr.policy,
        drawings=Drawings(qr.basis, rooms.stores.throttle),
        renderer=front.renderer,
        signed_in=front.signed_in,
    )
    return Part(calls=(*channel.calls(), *redeem.calls()), mounts=(channel.mount, scriptless.mount))
