"""What 个人中心 changes after 验证身份: password, phone, mail, username, identity, the end (ACC-2 to ACC-8, RNV-2).

Owns ``/centre/<setting>`` and ``/centre/<setting>/identity``, the same under ``/h5``. Every page asks what step is due:
a link leads past none, the back button shows what is there now, and whatever was done answers with a redirect. A
change that is over, because of its time or because the process that knew of it has ended, begins again in words.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Final, cast

from aiohttp import web
from msgspec.structs import replace

from bjidp.accounts.drafts import DraftUnknown
from bjidp.accounts.errors import PasswordChanged
from bjidp.accounts.settings.changes import Changes, NotDue, Progress
from bjidp.accounts.settings.flow import Step
from bjidp.accounts.verifying import Verifying, Visit
from bjidp.appeals.errors import AppealOver
from bjidp.errors import AccountRefused, BjidpError, FieldFault, InvalidRequest, Retryable, StoreUnavailable
from bjidp.organisations.errors import (
    LevelRequired,
    MandatesFull,
    OrganisationHeld,
    OrganisationRefused,
    OrganisationUnknown,
)
from bjidp.proofing.errors import IdentityMismatch, IdentityOther, IdentityWorn, PhoneRequired
from bjidp.verification.errors import (
    MailNotOffered,
    SmsNotOffered,
)
from bjidp.verification.proofs import Operation
from bjidp.web.centre.acts import Act, Acts, Ending, Passing
from bjidp.web.centre.face import FacePages
from bjidp.web.centre.own_pages import OwnPages
from bjidp.web.centre.setting_forms import SettingForm
from bjidp.web.centre.views import BESIDE, NothingToDo, SettingViews
from bjidp.web.forms.arrival import Arrivals
from bjidp.web.forms.departure import Departures
from bjidp.web.forms.desk import Asker, Desk
from bjidp.web.forms.form_again import Posted
from bjidp.web.forms.login_first import HOME
from bjidp.web.forms.way_back import WayBack
from bjidp.web.http.bodies import JSON
from bjidp.web.http.cookies import Cookies
from bjidp.web.http.visitor import at, on_h5
from bjidp.web.pages import settings as setting_pages
from bjidp.web.pages.rendering import Renderer

BACK: Final = 7
"""Seconds after which the end of a change leads back (manual, 1.5.1). In a header: it is the same without a script."""

AGAIN: Final = 1
"""Seconds after which a page looks again whether a change is written."""

OVER: Final = "over"
"""What a change that is over is called where it is led to: none has this name, so its page says so."""

_BEGINNINGS: Final = frozenset({Step.NOTICE, Step.VERIFY})

_ABOVE: Final = (
    AppealOver,
    Retryable,
    SmsNotOffered,
    MailNotOffered,
    IdentityMismatch,
    IdentityOther,
    IdentityWorn,
    LevelRequired,
    MandatesFull,
    OrganisationHeld,
    OrganisationRefused,
    OrganisationUnknown,
    PasswordChanged,
    PhoneRequired,
)
"""What is said above the form, with what was typed kept; the last on the page of the step that it leads back to."""

_FLOW: Final = re.compile(r"[A-Za-z0-9_-]{22}")
"""The name of a change under way."""


class SettingsPages:
    """Handlers of the settings."""

    def __init__(
        self,
        *,
        own: OwnPages,
        desk: Desk,
        cookies: Cookies,
        renderer: Renderer,
        views: SettingViews,
        verifying: Verifying,
        changes: Changes,
        acts: Acts,
        faces: FacePages,
        departures: Departures,
        arrivals: Arrivals,
        way_back: WayBack,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._own = own
        self._desk = desk
        self._cookies = cookies
        self._renderer = renderer
        self._views = views
        self._verifying = verifying
        self._changes = changes
        self._acts = acts
        self._faces = faces
        self._departures = departures
        self._arrivals = arrivals
        self._way_back = way_back

    def mount(self, app: web.Application) -> None:
        """Add the routes."""
        for prefix in ("", "/h5"):
            for operation in self._acts:
                path = f"{prefix}{HOME}/{operation}"
                app.router.add_get(path, self.show)
                app.router.add_post(path, self.change)
                app.router.add_get(f"{path}/identity", self.show)
                app.router.add_post(f"{path}/identity", self.prove)

    async def show(self, request: web.Request) -> web.Response:
        """Show the step that is due."""
        asker, visit = await self._own.visited(request)
        operation = _operation(request)
        flow = request.query.get("flow")
        progress = await self._changes.look(visit, operation, flow)
        onward = self._way_back.of(visit.session, operation)
        if operation is Operation.FACE:
            try:
                shown = await self._faces.show(request, asker, visit, progress, onward)
            except NotDue as elsewhere:
                return self._lead(request, asker, elsewhere.flow or OVER)
            if shown is not None:
                return shown
        act = self._acts[operation]
        if isinstance(act, Passing) and progress.step is Step.CHANGE:
            with suppress(NotDue):
                await act.write(visit, None if progress.draft is None else progress.draft.id)
            return self._desk.lead(asker, onward or at(request, HOME))
        match progress.step:
            case Step.DONE | Step.SAVING if isinstance(act, Passing):
                return self._desk.lead(asker, onward or at(request, HOME))
            case Step.DONE | Step.SAVING:
                return self._ended(request, operation, progress, onward)
            case _:
                over = DraftUnknown() if flow and _begins(progress) else None
                posted = None if over is None else Posted(SettingForm(), over)
                return await self._shown(request, asker, visit, progress, posted, because=over)

    async def prove(self, request: web.Request) -> web.Response:
        """验证身份: send a code, show another picture, or check the code: what was pressed says which."""
        asker, visit, form = await self._own.posted(request, SettingForm)
        operation = _operation(request)
        try:
            if not await self._views.has_form(visit, operation):
                return self._lead(request, asker, None)
            if form.wants_captcha:
                return await self._again(request, asker, visit, form, None, Step.VERIFY)
            match form.act:
                case "code":
                    flow = await self._changes.send_identity_code(visit, operation, form.flow, form.typed)
                    return await self._sent(request, asker, visit, flow)
                case "":
                    return await self._proved(request, asker, visit, form)
                case _:
                    raise InvalidRequest(FieldFault("act", "unknown"))
        except NotDue as elsewhere:
            return self._lead_on(request, asker, form, elsewhere.flow, elsewhere.step)
        except BjidpError as error:
            return await self._again(request, asker, visit, form, error, Step.VERIFY)

    async def change(self, request: web.Request) -> web.Response:
        """Do what the setting is for."""
        act = self._acts[_operation(request)]
        kind = act.form if isinstance(act, Act) else SettingForm
        asker, visit, form = await self._own.posted(request, kind)
        try:
            if not await self._views.has_form(visit, _operation(request)):
                return self._lead(request, asker, None)
            if isinstance(act, Passing):
                return self._lead(request, asker, form.flow if _FLOW.fullmatch(form.flow) else None)
            if isinstance(act, Ending):
                return await self._end(request, asker, visit, form, act)
            if form.wants_captcha:
                return await self._again(request, asker, visit, form, None, Step.CHANGE)
            match form.act:
                case "":
                    response = self._lead(request, asker, await act.write(visit, form))
                    await self._remember(request, response, visit)
                    return response
                case "code" if act.send is not None:
                    return await self._sent(request, asker, visit, await act.send(visit, form))
                case "other":
                    flow = await self._changes.forget_address(visit, _operation(request), form.flow)
                    return self._lead(request, asker, flow)
                case _:
                    raise InvalidRequest(FieldFault("act", "unknown"))
        except NotDue as elsewhere:
            return self._lead_on(request, asker, form, elsewhere.flow, elsewhere.step)
        except DraftUnknown:
            return self._lead(request, asker, OVER)
        except BjidpError as error:
            return await self._again(request, asker, visit, form, error, Step.CHANGE)

    async def _remember(self, request: web.Request, response: web.Response, visit: Visit) -> None:
        """Let the browser stay known where the change has made strangers of all of them."""
        if _operation(request) not in {Operation.PASSWORD, Operation.PHONE}:
            return
        with suppress(StoreUnavailable, AccountRefused):
            self._arrivals.remember(request, response, (await self._verifying.member(visit)).standing)

    async def _proved(self, request: web.Request, asker: Asker, visit: Visit, form: SettingForm) -> web.Response:
        operation = _operation(request)
        proved = await self._changes.prove_identity(visit, operation, form.flow, form.typed)
        # From here on the session is under its new cookie, which is on its way to the browser.
        visit = replace(visit, cookie=proved.cookie or visit.cookie)
        act = self._acts[operation]
        if isinstance(act, Ending):
            # Whatever keeps it from ending now must not keep the new cookie from the browser.
            with suppress(BjidpError, NotDue):
                await act.write(visit, proved.flow)
                return await self._departures.farewell(request, act.message)
        response = self._lead(request, asker, proved.flow)
        if proved.cookie is not None:
            self._cookies.set_session(response, proved.cookie)
        return response

    async def _end(
        self, request: web.Request, asker: Asker, visit: Visit, form: SettingForm, act: Ending
    ) -> web.Response:
        operation = _operation(request)
        progress = await self._changes.look(visit, operation, form.flow)
        flow = None if progress.draft is None else progress.draft.id
        if flow is None:
            flow = await self._changes.agree(visit, operation)
            if not await self._verifying.held(visit, operation):
                return self._lead(request, asker, flow)
        await act.write(visit, flow)
        return await self._departures.farewell(request, act.message)

    async def _sent(self, request: web.Request, asker: Asker, visit: Visit, flow: str) -> web.Response:
        if JSON not in request.headers.get("Accept", ""):
            return self._lead(request, asker, flow)
        progress = await self._changes.look(visit, _operation(request), flow)
        return await self._shown(request, asker, visit, progress)

    async def _again(
        self,
        request: web.Request,
        asker: Asker,
        visit: Visit,
        form: SettingForm,
        error: BjidpError | None,
        step: Step,
    ) -> web.Response:
        """Show the form with what was typed, and what is wrong with it; lead on when another step is due by now."""
        posted = Posted(form, error, BESIDE)
        posted.require_told(*_ABOVE)
        progress = await self._changes.look(visit, _operation(request), form.flow)
        if progress.step is Step.VERIFY is not step and isinstance(error, Retryable):
            # The proof went with what failed, and 验证身份 alone would not say that anything did.
            raise error
        if progress.step is not step:
            flow = None if progress.draft is None else progress.draft.id
            return self._lead_on(request, asker, form, flow, progress.step)
        return await self._shown(request, asker, visit, progress, posted, because=posted.because)

    async def _shown(
        self,
        request: web.Request,
        asker: Asker,
        visit: Visit,
        progress: Progress,
        posted: Posted[SettingForm] | None = None,
        *,
        because: BjidpError | None = None,
    ) -> web.Response:
        """Show the step that is due; lead to where it is said why there is none."""
        operation = _operation(request)
        try:
            page = await self._views.page(asker, visit, operation, progress, h5=on_h5(request), posted=posted)
        except NothingToDo as nothing:
            return self._desk.lead(asker, at(request, nothing.at))
        return self._desk.answer(request, asker, page, because=because)

    def _ended(
        self, request: web.Request, operation: Operation, progress: Progress, onward: str | None
    ) -> web.Response:
        saving = progress.step is Step.SAVING
        setting = cast("setting_pages.Setting", operation.value)
        bank_cards = Operation.BANK_CARD in self._acts
        held_by = None if progress.draft is None else progress.draft.facts.held_by
        page = setting_pages.SettingDonePage(
            h5=on_h5(request),
            setting=setting,
            saving=saving,
            held_by=held_by,
            bank_cards=bank_cards,
            onward=onward,
        )
        response = web.Response(body=self._renderer.render(page), content_type="text/html", charset="utf-8")
        back = HOME if page.back is None else f"{HOME}/{page.back}"
        seconds, where = (AGAIN, request.rel_url.raw_path_qs) if saving else (BACK, onward or at(request, back))
        if held_by is None:
            # What is to be chosen does not go away by itself.
            response.headers["Refresh"] = f"{seconds}; url={where}"
        return response

    def _lead_on(
        self, request: web.Request, asker: Asker, form: SettingForm, flow: str | None, step: Step
    ) -> web.Response:
        """Lead to ``step``; to the words that say so where it is the beginning, and the form was of a change."""
        return self._lead(request, asker, OVER if form.flow and flow is None and step in _BEGINNINGS else flow)

    def _lead(self, request: web.Request, asker: Asker, flow: str | None) -> web.Response:
        where = at(request, f"{HOME}/{_operation(request)}")
        return self._desk.lead(asker, where if flow is None else f"{where}?flow={flow}")


def _begins(progress: Progress) -> bool:
    return progress.draft is None and progress.step in _BEGINNINGS


def _operation(request: web.Request) -> Operation:
    return Operation(request.path.removesuffix("/identity").rpartition("/")[2])
