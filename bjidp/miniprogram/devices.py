"""我的设备 in 京通: where an account is logged in, in browsers, on phones and on devices, and ending one (SES-1).

Called by ``web`` for the mini-program's calls. The personal centre lists the same by the services below.
"""

from __future__ import annotations

from bjidp.clock import Instant, rfc3339
from bjidp.miniprogram.errors import SessionUnknown
from bjidp.miniprogram.ports import MiniSession, MiniSessionEnd
from bjidp.miniprogram.sessions import Caller, MiniSessions
from bjidp.miniprogram.wire import Device, DeviceList, Site
from bjidp.oidc.devices.login import DeviceLogin
from bjidp.oidc.devices.logins import DeviceLogins
from bjidp.oidc.grants.grant import GrantEnd
from bjidp.sessions.ports import Session, SessionEnd
from bjidp.sessions.service import Sessions

LISTED = 100
"""Sessions that are told of, the newest of each kind: a person has a few, and an answer its size."""


class Devices:
    """The sessions of an account, wherever they are."""

    def __init__(self, browsers: Sessions, phones: MiniSessions, logins: DeviceLogins) -> None:
        """Ask every kind of sessions; ``logins`` are those of devices without a browser."""
        self._browsers = browsers
        self._phones = phones
        self._logins = logins

    async def of(self, caller: Caller) -> DeviceList:
        """Return what the caller's account is logged in on: the phone that asks, then what was used last."""
        browsers = (await self._browsers.of_account(caller.account))[:LISTED]
        phones = (await self._phones.of_account(caller.account))[:LISTED]
        found = [(session.last_used_at, _browser(session)) for session in browsers]
        # An access token is good for a quarter of an hour, so a phone that is in use asks for the next by then.
        found += [(session.rotated_at, _phone(session, caller)) for session in phones]
        logins = (await self._logins.of_account(caller.account))[:LISTED]
        found += [(login.used_at, _device(login)) for login in logins]
        found.sort(key=_rank)
        return DeviceList([device for _, device in found])

    async def end(self, caller: Caller, session: str) -> None:
        """End one session of the caller's account; raise :class:`SessionUnknown` when it has none of that id."""
        if await self._browsers.end_one(caller.account, session, SessionEnd.CHOSEN):
            return
        if await self._phones.end_one(caller.account, session, MiniSessionEnd.CHOSEN):
            return
        if await self._logins.end_one(caller.account, session, GrantEnd.CHOSEN):
            return
        raise SessionUnknown


def _rank(found: tuple[Instant, Device]) -> tuple[bool, Instant, str]:
    used, device = found
    return not device.current, -used, device.id


def _browser(session: Session) -> Device:
    login = session.login
    return Device(
        id=session.id,
        kind="browser",
        way=login.way.value,
        platform=login.platform,
        browser=login.browser,
        os=login.os,
        area=login.area,
        created_at=rfc3339(session.created_at),
        last_used_at=rfc3339(session.last_used_at),
        current=False,
        site=None,
    )


def _phone(session: MiniSession, caller: Caller) -> Device:
    return Device(
        id=session.id,
        kind="phone",
        way=None,
        platform=session.platform,
        browser=None,
        os=None,
        area=None,
        created_at=rfc3339(session.created_at),
        last_used_at=rfc3339(session.rotated_at),
        current=session.id == caller.session.id,
        site=None,
    )


def _device(login: DeviceLogin) -> Device:
    origin = login.origin
    return Device(
        id=login.id,
        kind="device",
        way=None,
        platform=origin.platform,
        browser=origin.browser,
        os=origin.os,
        area=origin.area,
        created_at=rfc3339(login.created_at),
        last_used_at=rfc3339(login.used_at),
        current=False,
        site=Site(login.client.name, login.client.domain),
    )
