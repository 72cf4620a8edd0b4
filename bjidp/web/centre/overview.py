"""个人中心: the account, its devices, its log, and 不是我 (ACC-1, ACC-5, SES-1 to SES-3).

Owns ``/centre``, ``/centre/devices``, ``/centre/log`` and ``/not-me``, and the same under ``/h5``. Nothing on these
pages asks for 验证身份: what does is in :mod:`bjidp.web.centre.settings`.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from aiohttp import web
from msgspec import Struct

from bjidp.accounts.activity import Activity, Denied
from bjidp.accounts.endings import Endings
from bjidp.accounts.ethnicity import CODES
from bjidp.accounts.overview import overview
from bjidp.accounts.settings.names import Names
from bjidp.accounts.verifying import Verifying, Visit
from bjidp.appeals.filing import Filing
from bjidp.audit.event import Fact
from bjidp.clock import Clock
from bjidp.errors import FieldFault, InvalidRequest
from bjidp.miniprogram.ports import MiniSessionEnd
from bjidp.miniprogram.sessions import MiniSessions
from bjidp.oidc.agreements import Agreements
from bjidp.oidc.devices.logins import DeviceLogins
from bjidp.oidc.grants.grant import GrantEnd
from bjidp.organisations.acting import Acting
from bjidp.organisations.appointing import Appointing
from bjidp.organisations.organisation import Role
from bjidp.sessions.ports import SessionEnd
from bjidp.sessions.service import Sessions
from bjidp.verification.proofs import Operation
from bjidp.web.centre.own_pages import OwnPages
from bjidp.web.forms.departure import Departures
from bjidp.web.forms.desk import Asker, Desk
from bjidp.web.forms.login_first import HOME
from bjidp.web.http.visitor import at, on_h5
from bjidp.web.pages import centre as centre_pages
from bjidp.web.pages.ending import Message
from bjidp.web.pages.form_view import Form
from bjidp.web.pages.organisations import Line, OrganisationsPanel
from bjidp.web.pages.rendering import Renderer
from bjidp.web.pages.shell import Page

DEVICES: Final = "/centre/devices"
LOG: Final = "/centre/log"

_NUMBER: Final = re.compile(r"[1-9][0-9]{0,17}")
"""Of an event, as a database numbers them."""

ROWS: Final = ("username", "ethnicity")
"""Those that change in place: the focus stays with them."""

_ENDED: Final = frozenset({"one", "others", "none"})


class EthnicityForm(Form, frozen=True):
    """民族."""

    ethnicity: str = ""


class DeviceForm(Form, frozen=True):
    """A session of a browser, of a phone, or of a site's device, that is to end."""

    session: str = ""
    phone: str = ""
    device: str = ""


class DenialForm(Form, frozen=True):
    """不是我: about this session, about the ``session`` of another login, or about a change."""

    session: str = ""
    change: str = ""


class Shown(Struct, frozen=True):
    """How 个人中心 is shown: what was pressed on it a moment ago."""

    saved: bool = False
    editing: bool = False
    whole: bool = False
    """The username, which is masked otherwise."""
    focus: Literal["username", "ethnicity"] | None = None
    fault: str | None = None


class CentrePages:
    """Handlers of the personal centre."""

    def __init__(
        self,
        *,
        own: OwnPages,
        desk: Desk,
        renderer: Renderer,
        verifying: Verifying,
        names: Names,
        activity: Activity,
        sessions: Sessions,
        mini_sessions: MiniSessions,
        device_logins: DeviceLogins,
        endings: Endings,
        clock: Clock,
        departures: Departures,
        settings: frozenset[Operation],
        appointing: Appointing | None,
        acting: Acting,
        filing: Filing,
        providers: bool,
        agreements: Agreements,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them. ``settings`` are those that there are here.

        With ``providers`` people may log in by what they have elsewhere. Without ``appointing`` nothing is said of
        organisations.
        """
        self._appointing = appointing
        self._acting = acting
        self._own = own
        self._desk = desk
        self._renderer = renderer
        self._verifying = verifying
        self._names = names
        self._activity = activity
        self._sessions = sessions
        self._mini_sessions = mini_sessions
        self._device_logins = device_logins
        self._endings = endings
        self._clock = clock
        self._departures = departures
        self._bank_cards = Operation.BANK_CARD in settings
        self._filing = filing
        self._providers = providers
        self._agreements = agreements

    def mount(self, app: web.Application) -> None:
        """Add the routes."""
        for prefix in ("", "/h5"):
            app.router.add_get(f"{prefix}{HOME}", self.centre)
            app.router.add_post(f"{prefix}{HOME}", self.change_ethnicity)
            app.router.add_get(f"{prefix}{DEVICES}", self.devices)
            app.router.add_post(f"{prefix}{DEVICES}", self.end_devices)
            app.router.add_get(f"{prefix}{LOG}", self.log)
            app.router.add_post(f"{prefix}/not-me", self.not_me)

    async def centre(self, request: web.Request) -> web.Response:
        """Show the account to its owner."""
        asker, visit = await self._own.visited(request)
        asked = request.query
        shown = Shown(
            saved=asked.get("saved") == "ethnicity",
            editing=asked.get("edit") == "ethnicity",
            whole=asked.get("show") == "username",
            focus=next((row for row in ROWS if row in {asked.get("at"), asked.get("show"), asked.get("saved")}), None),
        )
        return await self._centre(request, asker, visit, shown)

    async def change_ethnicity(self, request: web.Request) -> web.Response:
        """Keep what was chosen, in place."""
        asker, visit, form = await self._own.posted(request, EthnicityForm)
        try:
            await self._names.set_ethnicity(visit, form.ethnicity)
        except InvalidRequest as error:
            fault = error.errors[0].code
            return await self._centre(request, asker, visit, Shown(editing=True, fault=fault))
        return self._desk.lead(asker, f"{at(request, HOME)}?saved=ethnicity")

    async def devices(self, request: web.Request) -> web.Response:
        """Show every session, and which one this is."""
        asker, visit = await self._own.visited(request)
        ended = request.query.get("ended", "")
        page = centre_pages.DevicesPage(
            h5=on_h5(request),
            devices=await self._devices(visit),
            csrf=asker.csrf,
            ended=ended if ended in _ENDED else None,  # type: ignore[arg-type]  # one of the three
        )
        return self._html(page)

    async def end_devices(self, request: web.Request) -> web.Response:
        """End one session, or all but this one."""
        asker, visit, form = await self._own.posted(request, DeviceForm)
        match form.act:
            case "others":
                await self._endings.end_others(visit.account, visit.session.id, SessionEnd.CHOSEN)
                ended = "others"
            case "":
                ended = "one" if await self._end(visit, form) else "none"
            case _:
                raise InvalidRequest(FieldFault("act", "unknown"))
        if form.session == visit.session.id:
            return await self._departures.farewell(request, Message.SIGNED_OUT)
        return self._desk.lead(asker, f"{at(request, DEVICES)}?ended={ended}")

    async def log(self, request: web.Request) -> web.Response:
        """Show a page of the account's own log."""
        _, visit = await self._own.visited(request)
        asked = request.query.get("before", "")
        before = int(asked) if _NUMBER.fullmatch(asked) else None
        log = await self._activity.log(visit, before)
        sites = await self._agreements.names(
            entry.facts[Fact.CLIENT] for entry in log.entries if Fact.CLIENT in entry.facts
        )
        page = centre_pages.LogPage(h5=on_h5(request), log=log, newest=before is None, sites=sites)
        return self._html(page)

    async def not_me(self, request: web.Request) -> web.Response:
        """End what was somebody else, and lead to what helps."""
        _, visit, form = await self._own.posted(request, DenialForm)
        if form.change:
            denied = await self._activity.deny_change(visit)
        else:
            denied = await self._activity.deny_login(visit, form.session or visit.session.id)
        match denied:
            case Denied.THIS:
                return await self._departures.farewell(request, Message.NOT_ME)
            case Denied.ALL:
                return await self._departures.farewell(request, Message.ALL_ENDED)
            case Denied.ANOTHER:
                return self._html(centre_pages.DeniedPage(h5=on_h5(request)))

    async def _centre(self, request: web.Request, asker: Asker, visit: Visit, shown: Shown) -> web.Response:
        member = await self._verifying.member(visit)
        reminders = await self._activity.reminders(visit)
        page = centre_pages.CentrePage(
            h5=on_h5(request),
            who=member.standing.name,
            account=overview(member),
            login=visit.session.login,
            signed_in_at=visit.session.created_at,
            devices=len(await self._devices(visit)),
            sites=await self._agreements.count(visit.account),
            reminders=reminders,
            names=await self._agreements.names(one.client for one in reminders if one.client is not None),
            csrf=asker.csrf,
            ethnicities=CODES if shown.editing else (),
            ethnicity=member.ethnicity or "",
            fault=shown.fault,
            saved=shown.saved,
            username=member.username if shown.whole else "",
            focus=shown.focus,
            bank_cards=self._bank_cards,
            organisations=await self._organisations(visit),
            appeal=await self._filing.state(visit),
            providers=self._providers,
        )
        return self._html(page, status=200 if shown.fault is None else 422)

    async def _organisations(self, visit: Visit) -> OrganisationsPanel | None:
        if self._appointing is None:
            return None
        holdings = await self._appointing.holdings(visit)
        current, over = await self._acting.look(visit)
        led = tuple(Line(one.name, Role.REPRESENTATIVE) for one in holdings.led)
        taken = tuple(Line(one.organisation.name, Role.AGENT) for one in holdings.entrusted)
        return OrganisationsPanel(
            lines=led + taken,
            offers=len(holdings.offered),
            acting=None if current is None else current.organisation.name,
            over=over,
        )

    async def _devices(self, visit: Visit) -> list[centre_pages.Device]:
        browsers = [
            centre_pages.Device(
                id=session.id,
                way=session.login.way,
                platform=session.login.platform,
                browser=session.login.browser,
                os=session.login.os,
                area=session.login.area,
                first_at=session.created_at,
                last_at=session.last_used_at,
                here=session.id == visit.session.id,
            )
            for session in await self._sessions.of_account(visit.account)
        ]
        phones = [
            centre_pages.Device(
                id=session.id,
                way=None,
                platform=session.platform,
                first_at=session.created_at,
                last_at=session.rotated_at,
            )
            for session in await self._mini_sessions.of_account(visit.account)
        ]
        devices = [
            centre_pages.Device(
                id=login.id,
                way=None,
                platform=login.origin.platform,
                browser=login.origin.browser,
                os=login.origin.os,
                area=login.origin.area,
                first_at=login.created_at,
                last_at=login.used_at,
                site=login.client.name,
                domain=login.client.domain,
                until=login.expires_at,
            )
            for login in await self._device_logins.of_account(visit.account)
        ]
        return sorted((*browsers, *phones, *devices), key=lambda device: (not device.here, -device.last_at))

    async def _end(self, visit: Visit, form: DeviceForm) -> bool:
        if form.device:
            return await self._device_logins.end_one(visit.account, form.device, GrantEnd.CHOSEN)
        if form.phone:
            return await self._mini_sessions.end_one(visit.account, form.phone, MiniSessionEnd.CHOSEN)
        reason = SessionEnd.LOGOUT if form.session == visit.session.id else SessionEnd.CHOSEN
        return await self._sessions.end_one(visit.account, form.session, reason)

    def _html(self, page: Page, *, status: int = 200) -> web.Response:
        body = self._renderer.render(page)
        return web.Response(body=body, status=status, content_type="text/html", charset="utf-8")
