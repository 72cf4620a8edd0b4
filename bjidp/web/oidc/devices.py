"""Where somebody types the code of a device, sees what it asks for, and agrees or refuses (RFC 8628, section 3.3).

Owns ``/device``, also under ``/h5``. No address fills the code in: whoever is sent a link has to look at a device.
"""

from __future__ import annotations

from typing import Final, get_args

from aiohttp import web

from bjidp.errors import AccountRefused, BjidpError, FieldFault, InvalidRequest, RateLimited
from bjidp.oidc.devices.deciding import NO_PHONE, DeviceDeciding, PhoneNeeded
from bjidp.qrlogin.phones import Phone
from bjidp.qrlogin.ticket import Holder
from bjidp.sessions.authentication import authenticated
from bjidp.standing import Level
from bjidp.web.forms.desk import Asker, Desk, StaleForm
from bjidp.web.forms.field_faults import field_faults
from bjidp.web.forms.login_first import DEVICE, LoginFirst
from bjidp.web.forms.signed_in import Owner
from bjidp.web.http.visitor import Observer, at, is_phone, on_h5
from bjidp.web.pages.devices import DeviceAskingPage, DevicePage, Needs, Said
from bjidp.web.pages.form_view import Form, FormView

_SAID: Final[tuple[Said, ...]] = get_args(Said)
_NEEDED: Final[dict[str, Needs]] = {Level.L2.name: "L2", Level.L3.name: "L3", Level.L4.name: "L4"}


class DeviceForm(Form, frozen=True):
    """A code that was typed, or with ``act`` what is said to the request that it led to."""

    user_code: str = ""
    ticket: str = ""
    confirm_token: str = ""


class DevicePages:
    """Handlers of the page."""

    def __init__(self, *, deciding: DeviceDeciding, desk: Desk, login_first: LoginFirst, observer: Observer) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._deciding = deciding
        self._desk = desk
        self._login_first = login_first
        self._observer = observer

    def mount(self, app: web.Application) -> None:
        """Add the routes."""
        for prefix in ("", "/h5"):
            app.router.add_get(f"{prefix}{DEVICE}", self.show, allow_head=False)
            app.router.add_post(f"{prefix}{DEVICE}", self.say)

    async def show(self, request: web.Request) -> web.Response:
        """Ask for a code, or show what the request asks that a code has led to."""
        if is_phone(request) and not on_h5(request):
            # There is one address that devices tell people.
            raise web.HTTPSeeOther(f"/h5{DEVICE}")
        asker = await self._desk.visit(request)
        owner = asker.owner
        if owner is None:
            raise await self._login_first.lead(request, asker)
        ticket = request.query.get("ticket")
        if ticket is None:
            said = next((known for known in _SAID if known == request.query.get("said")), None)
            return self._desk.answer(request, asker, _page(request, asker, owner, said=said))
        try:
            asking = await self._deciding.look(self._person(request, owner), ticket)
        except InvalidRequest as over:
            return self._again(request, asker, owner, over)
        area = asking.computer.area
        page = DeviceAskingPage(
            h5=on_h5(request),
            form=FormView(csrf=asker.csrf),
            who=owner.standing.name,
            client=asking.client.name,
            domain=asking.client.domain,
            user_code=asking.device.user_code,
            scopes=asking.scopes,
            asked_at=asking.asked_at,
            browser=asking.computer.browser,
            os=asking.computer.os,
            area=None if area is None else area.label,
            lifetime=asking.device.lifetime,
            ticket=asking.ticket,
            confirm_token=asking.confirm_token,
        )
        return self._desk.answer(request, asker, page)

    async def say(self, request: web.Request) -> web.Response:
        """Look a code up, or take what is said to its request."""
        await self._desk.received(request)
        try:
            asker, form = await self._desk.read(request, DeviceForm)
        except StaleForm as stale:
            raise await self._login_first.lead(request, stale.asker) from None
        owner = asker.owner
        if owner is None:
            raise await self._login_first.lead(request, asker)
        try:
            where = await self._done(self._person(request, owner), owner, asker, form)
        except PhoneNeeded:
            page = _page(request, asker, owner, typed=form.user_code, needs="phone")
            return self._desk.answer(request, asker, page, because=AccountRefused("level"))
        except (InvalidRequest, RateLimited, AccountRefused) as error:
            return self._again(request, asker, owner, error, typed=form.user_code)
        return self._desk.lead(asker, f"{at(request, DEVICE)}?{where}")

    async def _done(self, person: Phone, owner: Owner, asker: Asker, form: DeviceForm) -> str:
        """Do what was pressed; return what the page is asked for next."""
        match form.act:
            case "" if not form.user_code.strip():
                # Not a guess, and no limit counts it.
                raise InvalidRequest(FieldFault("user_code", "missing"))
            case "":
                return f"ticket={await self._deciding.find(person, form.user_code, asker.source)}"
            case "agree":
                await self._deciding.agree(person, form.ticket, form.confirm_token, authenticated(owner.session))
                return "said=agreed"
            case "refuse":
                await self._deciding.refuse(person, form.ticket, form.confirm_token)
                return "said=refused"
            case _:
                raise InvalidRequest(FieldFault("act", "unknown"))

    def _again(
        self, request: web.Request, asker: Asker, owner: Owner, error: BjidpError, typed: str = ""
    ) -> web.Response:
        page = _page(request, asker, owner, typed=typed, error=error)
        # A fault beside the field is 422, what is said about the form as a whole has a status of its own.
        return self._desk.answer(request, asker, page, because=None if page.form.faults else error)

    def _person(self, request: web.Request, owner: Owner) -> Phone:
        standing = owner.standing
        holder = Holder(owner.session.account, owner.session.id, NO_PHONE, standing.name)
        area = self._observer.area(request)
        return Phone(holder, standing.ref, standing.refusal, area, standing.epoch, standing.level)


def _page(
    request: web.Request,
    asker: Asker,
    owner: Owner,
    *,
    typed: str = "",
    said: Said | None = None,
    needs: Needs | None = None,
    error: BjidpError | None = None,
) -> DevicePage:
    faults = field_faults(error)
    if isinstance(error, AccountRefused):
        needs = _NEEDED.get(str(error.details.get("level")))
    form = FormView(
        csrf=asker.csrf,
        values={"user_code": typed},
        faults=faults,
        note=error.code if error is not None and not faults and needs is None else None,
    )
    return DevicePage(h5=on_h5(request), form=form, who=owner.standing.name, said=said, needs=needs)
