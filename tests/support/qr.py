"""Flows, tickets and people of the QR channel, for tests to begin with."""

from __future__ import annotations

import hashlib

from bjidp.clock import HOUR, Instant
from bjidp.entropy import base64url
from bjidp.qrlogin import flow as flows
from bjidp.qrlogin import machine
from bjidp.qrlogin.flow import Client, Flow, Purposeful
from bjidp.qrlogin.policy import Purpose, QrPolicy
from bjidp.qrlogin.ticket import Area, Computer, Device, Holder, Ticket
from bjidp.standing import Level

POLICY = QrPolicy()
BEIJING = Area("北京市", "CN-BJ")
HEBEI = Area("河北省", "CN-HE")
OFFICE = hashlib.sha256(b"office").digest()
COMPUTER = Computer("Chrome", "Windows", OFFICE, BEIJING)
LOGIN = Purposeful(Purpose.LOGIN, Client("首都之窗", "127.0.0.1"), "/centre")

ZHANG = Holder("account-zhang", "link-zhang", "wechat", "张**")
LI = Holder("account-li", "link-li", "alipay", "李**")


def ticket_id(name: str) -> str:
    """Return a ticket id of the right shape that is the same for the same name."""
    return base64url(hashlib.sha256(name.encode()).digest()[:16])


def a_ticket(
    name: str = "first",
    now: Instant = 0,
    *,
    purpose: Purpose = Purpose.LOGIN,
    slow: bool = False,
    policy: QrPolicy = POLICY,
) -> Ticket:
    """Return a ticket issued at ``now``."""
    return machine.issue(ticket_id(name), purpose, COMPUTER, policy, now, slow=slow)


def a_device(*, face: bool = False, frames: bool = False, level: Level = Level.L1) -> Device:
    """Return what a kiosk asks for."""
    return Device("kiosk", ("openid",), None, "WDJB-MJHT", level, 12 * HOUR, face, frames)


def a_device_ticket(name: str = "first", now: Instant = 0, *, face: bool = False) -> Ticket:
    """Return a device ticket issued at ``now``."""
    return machine.issue_for(a_device(face=face), ticket_id(name), COMPUTER, POLICY, now)


def a_flow(ticket: Ticket, name: str = "flow", *, browser: str = "browser", epoch: int = 1) -> Flow:
    """Return a flow that shows ``ticket``."""
    return flows.start(name, browser, epoch, LOGIN, ticket)
