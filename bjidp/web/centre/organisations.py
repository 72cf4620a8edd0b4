"""我的法人 and 法人登录: what organisations are to whoever is logged in, and whom the session acts for (ORG-1, ORG-3).

Owns ``/centre/organisations``, what is below it, and ``/centre/acting``, and the same under ``/h5``. 登记法人 and
邀请经办人, which ask for 验证身份, are among the settings. 法人登录 is a page of whoever is logged in like any other:
who is not logs in first, by any way, and is led back to it.
"""

from __future__ import annotations

from typing import Final, get_args

from aiohttp import web

from bjidp.accounts.verifying import Verifying, Visit
from bjidp.clock import Clock, Instant
from bjidp.errors import BjidpError, FieldFault, InvalidRequest, VendorUnavailable
from bjidp.organisations.acting import Acting
from bjidp.organisations.appointing import Appointing, Holdings
from bjidp.organisations.errors import ActingOnProbation, LevelRequired, OrganisationRefused, OrganisationUnknown
from bjidp.organisations.giving_up import GivingUp
from bjidp.organisations.mandates import Place
from bjidp.organisations.organisation import Capacity
from bjidp.web.centre.organisation_views import appointed_view, entrusted_view, led_view
from bjidp.web.centre.own_pages import OwnPages
from bjidp.web.forms.desk import Asker, Desk
from bjidp.web.forms.form_again import Posted
from bjidp.web.forms.login_first import HOME
from bjidp.web.http.visitor import at, on_h5
from bjidp.web.pages.form_view import Form, FormView
from bjidp.web.pages.organisations import (
    ActingPage,
    ChoiceView,
    Done,
    GiveUpPage,
    LedView,
    MandateHistoryPage,
    OrganisationsPage,
)

ORGANISATIONS: Final = f"{HOME}/organisations"
HISTORY: Final = f"{ORGANISATIONS}/history"
GIVE_UP: Final = f"{ORGANISATIONS}/give_up"
ACTING: Final = f"{HOME}/acting"

_DONE: Final[tuple[Done, ...]] = get_args(Done)
_ABOVE: Final = (ActingOnProbation, LevelRequired, OrganisationRefused, OrganisationUnknown, VendorUnavailable)
"""What is said on the page that the form is on."""


class MandateForm(Form, frozen=True):
    """What becomes of a mandate: ``act`` is accept, decline or end."""

    mandate: str = ""


class GiveUpForm(Form, frozen=True):
    """Which organisation is given up, by our own id."""

    organisation: str = ""


class ActingForm(Form, frozen=True):
    """Whom to act for: the key of a capacity, or nobody with ``act`` leave."""

    capacity: str = ""


class OrganisationPages:
    """Handlers of both pages."""

    def __init__(
        self,
        *,
        own: OwnPages,
        desk: Desk,
        appointing: Appointing,
        giving_up: GivingUp,
        acting: Acting,
        verifying: Verifying,
        clock: Clock,
        registers: bool,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them. ``registers`` tells whether there is a register to ask."""
        self._registers = registers
        self._own = own
        self._desk = desk
        self._appointing = appointing
        self._giving_up = giving_up
        self._acting = acting
        self._verifying = verifying
        self._clock = clock

    def mount(self, app: web.Application) -> None:
        """Add the routes."""
        for prefix in ("", "/h5"):
            app.router.add_get(f"{prefix}{ORGANISATIONS}", self.organisations)
            app.router.add_post(f"{prefix}{ORGANISATIONS}", self.answer)
            app.router.add_get(f"{prefix}{HISTORY}", self.history)
            app.router.add_get(f"{prefix}{GIVE_UP}", self.consider)
            app.router.add_post(f"{prefix}{GIVE_UP}", self.give_up)
            app.router.add_get(f"{prefix}{ACTING}", self.acting)
            app.router.add_post(f"{prefix}{ACTING}", self.choose)

    async def organisations(self, request: web.Request) -> web.Response:
        """Show what the account leads, acts for and is offered."""
        asker, visit = await self._own.visited(request)
        asked = request.query.get("done", "")
        done = next((known for known in _DONE if known == asked), None)
        return self._desk.answer(request, asker, await self._organisations(request, asker, visit, done=done))

    async def history(self, request: web.Request) -> web.Response:
        """Show a page of what is over: of an organisation that the account leads, or of its own."""
        asker, visit = await self._own.visited(request)
        before = Place.read(request.query.get("before", ""))
        found = await self._appointing.history(visit, request.query.get("organisation") or None, before)
        now = self._clock.now()
        page = MandateHistoryPage(
            h5=on_h5(request),
            form=_form(asker, None),
            id=None if found.organisation is None else found.organisation.id,
            name=None if found.organisation is None else found.organisation.name,
            mandates=(
                *(appointed_view(one, now) for one in found.appointed),
                *(entrusted_view(one, now) for one in found.entrusted),
            ),
            older=None if found.older is None else str(found.older),
            newest=before is None,
        )
        return self._desk.answer(request, asker, page)

    async def answer(self, request: web.Request) -> web.Response:
        """Take a mandate, or end it."""
        asker, visit, form = await self._own.posted(request, MandateForm)
        done: Done
        try:
            match form.act:
                case "accept":
                    await self._appointing.accept(visit, form.mandate)
                    done = "accepted"
                case "decline":
                    await self._appointing.end(visit, form.mandate)
                    done = "declined"
                case "end":
                    await self._appointing.end(visit, form.mandate)
                    done = "ended"
                case _:
                    raise InvalidRequest(FieldFault("act", "unknown"))
        except _ABOVE as error:
            page = await self._organisations(request, asker, visit, because=error)
            return self._desk.answer(request, asker, page, because=error)
        return self._desk.lead(asker, f"{at(request, ORGANISATIONS)}?done={done}")

    async def consider(self, request: web.Request) -> web.Response:
        """Show what goes with an organisation that is given up."""
        asker, visit = await self._own.visited(request)
        stake = await self._giving_up.stake(visit, request.query.get("organisation", ""))
        page = GiveUpPage(
            h5=on_h5(request),
            form=_form(asker, None),
            id=stake.organisation.id,
            name=stake.organisation.name,
            credit_code=stake.organisation.credit_code,
            agents=stake.agents,
            offers=stake.offers,
        )
        return self._desk.answer(request, asker, page)

    async def give_up(self, request: web.Request) -> web.Response:
        """Give an organisation up."""
        asker, visit, form = await self._own.posted(request, GiveUpForm)
        try:
            await self._giving_up.give_up(visit, form.organisation)
        except OrganisationUnknown as error:
            page = await self._organisations(request, asker, visit, because=error)
            return self._desk.answer(request, asker, page, because=error)
        return self._desk.lead(asker, f"{at(request, ORGANISATIONS)}?done=given_up")

    async def acting(self, request: web.Request) -> web.Response:
        """Show whom the session may act for, and whom it acts for."""
        asker, visit = await self._own.visited(request)
        current, over = await self._acting.look(visit)
        return self._desk.answer(request, asker, await self._choices(request, asker, visit, current, over=over))

    async def choose(self, request: web.Request) -> web.Response:
        """Act for an organisation from now on, or for nobody."""
        asker, visit, form = await self._own.posted(request, ActingForm)
        try:
            match form.act:
                case "":
                    await self._acting.begin(visit, form.capacity)
                case "leave":
                    await self._acting.end(visit)
                case _:
                    raise InvalidRequest(FieldFault("act", "unknown"))
        except _ABOVE as error:
            current = await self._acting.current(visit.session)
            page = await self._choices(request, asker, visit, current, because=error)
            return self._desk.answer(request, asker, page, because=error)
        return self._desk.lead(asker, at(request, HOME))

    async def _organisations(
        self,
        request: web.Request,
        asker: Asker,
        visit: Visit,
        *,
        done: Done | None = None,
        because: BjidpError | None = None,
    ) -> OrganisationsPage:
        holdings, now = await self._appointing.holdings(visit), self._clock.now()
        return OrganisationsPage(
            h5=on_h5(request),
            form=_form(asker, because),
            led=_led(holdings, now),
            entrusted=tuple(entrusted_view(one, now) for one in holdings.entrusted),
            offered=tuple(entrusted_view(one, now) for one in holdings.offered),
            proved=await self._appointing.is_proved(visit),
            registers=self._registers,
            done=done,
        )

    async def _choices(
        self,
        request: web.Request,
        asker: Asker,
        visit: Visit,
        current: Capacity | None,
        *,
        over: bool = False,
        because: BjidpError | None = None,
    ) -> ActingPage:
        member = await self._verifying.member(visit)
        return ActingPage(
            h5=on_h5(request),
            who=member.standing.name,
            form=_form(asker, because),
            choices=tuple(ChoiceView.of(one, current) for one in await self._acting.choices(visit))
            + tuple(ChoiceView.of(one, waits=True) for one in await self._acting.waiting(visit)),
            proved=await self._appointing.is_proved(visit),
            over=over,
            advice=because.refusal if isinstance(because, OrganisationRefused) else None,
        )


def _form(asker: Asker, because: BjidpError | None) -> FormView:
    return Posted(Form(), because).told(FormView(csrf=asker.csrf))


def _led(holdings: Holdings, now: Instant) -> tuple[LedView, ...]:
    return tuple(led_view(one, holdings.appointed, now) for one in holdings.led)
