"""人工申诉: why an identity is mine that another account has, with pictures, and how that stands (RNV-8).

Owns ``/centre/appeal`` and the same under ``/h5``. Taking one back asks for 验证身份, so it is among the settings. No
picture is served at any address.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from bjidp.accounts.masks import mask_document, mask_name
from bjidp.accounts.verifying import Visit
from bjidp.appeals.appeal import Appeal, State
from bjidp.appeals.attachments import Sent
from bjidp.appeals.errors import AppealNotNeeded, AppealOpen, AppealsCrowded, ClaimOver
from bjidp.appeals.filing import Counter, Filing
from bjidp.appeals.flow import FIELDS, Typed
from bjidp.errors import BjidpError, FieldFault, InvalidRequest, Retryable
from bjidp.person import Person
from bjidp.web.centre.own_pages import OwnPages
from bjidp.web.forms.desk import Asker, Desk
from bjidp.web.forms.form_again import Posted
from bjidp.web.forms.login_first import HOME
from bjidp.web.forms.uploads import Upload
from bjidp.web.http.errors import TooLarge
from bjidp.web.http.visitor import at, on_h5
from bjidp.web.pages.appeal import AppealPage, Filed, Masked, Need
from bjidp.web.pages.form_view import Form, FormView

PATH: Final = f"{HOME}/appeal"

_ABOVE: Final = (Retryable, TooLarge, ClaimOver, AppealNotNeeded, AppealsCrowded)
"""What is said above the form, with what was typed kept."""


class AppealForm(Form, frozen=True):
    """The fields that are text."""

    reason: str = ""
    contact: str = ""
    about: str = ""


class AppealPages:
    """Handlers of 人工申诉."""

    def __init__(self, *, own: OwnPages, desk: Desk, filing: Filing) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._own = own
        self._desk = desk
        self._filing = filing

    def mount(self, app: web.Application) -> None:
        """Add the routes."""
        for prefix in ("", "/h5"):
            app.router.add_get(f"{prefix}{PATH}", self.show)
            app.router.add_post(f"{prefix}{PATH}", self.file)

    async def show(self, request: web.Request) -> web.Response:
        """Show how the newest appeal stands, and the form where another one may be filed."""
        asker, visit = await self._own.visited(request)
        page = _page(request, asker, await self._filing.look(visit))
        return self._desk.answer(request, asker, page)

    async def file(self, request: web.Request) -> web.Response:
        """File an appeal."""
        asker, visit, form, upload = await self._own.uploaded(request, AppealForm, self._filing.admit)
        typed = _typed(form, upload)
        try:
            if upload.refused is not None:
                raise upload.refused
            if upload.too_large:
                raise TooLarge
            await self._filing.file(visit, typed)
        except AppealOpen:
            # Its other post came first, as a rule: what that has filed is there to be seen.
            return self._desk.lead(asker, at(request, PATH))
        except BjidpError as error:
            return await self._again(request, asker, visit, Posted(form, error), upload)
        return self._desk.lead(asker, f"{at(request, PATH)}?said=filed")

    async def _again(
        self, request: web.Request, asker: Asker, visit: Visit, posted: Posted[AppealForm], upload: Upload
    ) -> web.Response:
        posted.require_told(*_ABOVE)
        form = posted.told(
            FormView(csrf=asker.csrf, values={"reason": posted.form.reason, "contact": posted.form.contact})
        )
        chosen = bool(upload.files) or upload.too_large
        page = _page(request, asker, await self._filing.look(visit), form, chosen=chosen)
        return self._desk.answer(request, asker, page, because=posted.because)


def _typed(form: AppealForm, upload: Upload) -> Typed:
    for file in upload.files:
        if file.field not in FIELDS:
            raise InvalidRequest(FieldFault(file.field[:64], "unknown"))
    files = tuple(Sent(file.field, file.name, file.data, file.too_large) for file in upload.files)
    return Typed(reason=form.reason, contact=form.contact, about=form.about, files=files)


def _page(
    request: web.Request, asker: Asker, counter: Counter, form: FormView | None = None, *, chosen: bool = False
) -> AppealPage:
    appeal, person = counter.appeal, counter.person
    is_open = appeal is not None and appeal.is_open
    shown = not is_open and person is not None and counter.phone
    return AppealPage(
        h5=on_h5(request),
        form=form or FormView(csrf=asker.csrf),
        person=masked(person) if shown and person is not None else None,
        about=counter.about,
        filed=None if appeal is None else _filed(appeal),
        need=None if shown or is_open else _need(counter),
        # For as long as it stands so: a page that is opened again tells what is there then.
        said=appeal is not None and appeal.state is State.FILED and request.query.get("said") == State.FILED,
        chosen=chosen,
    )


def _need(counter: Counter) -> Need | None:
    if not counter.phone:
        return "phone"
    if not counter.named:
        return "real_name"
    granted = counter.appeal is not None and counter.appeal.state is State.GRANTED
    return None if granted else "exchange"


def _filed(appeal: Appeal) -> Filed:
    names = dict.fromkeys((found.file, found.name) for found in appeal.attachments)
    return Filed(
        state=appeal.state,
        person=masked(appeal.person),
        reason=appeal.reason,
        contact=appeal.contact,
        files=tuple(name for _, name in names),
        filed_at=appeal.filed_at,
        decided_at=appeal.decided_at,
        explanation=appeal.explanation,
    )


def masked(person: Person) -> Masked:
    """Return whose identity it is as its page shows it."""
    return Masked(person.document_type, mask_name(person.name), mask_document(person.number))
