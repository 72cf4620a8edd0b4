"""Whom somebody acts for at a site that asks: themselves, or an organisation (ORG-3).

Owns the page and what is chosen on it. Called by the authorization endpoint's pages. What the session has chosen at
法人登录 is marked and no answer: each site that asks is told what was chosen for it.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from bjidp.errors import BjidpError, VendorUnavailable
from bjidp.oidc.authorize.pending import Choice, Look
from bjidp.oidc.authorizing import Authorizing
from bjidp.organisations.acting import Acting
from bjidp.organisations.errors import ActingOnProbation, LevelRequired, OrganisationRefused, OrganisationUnknown
from bjidp.web.forms.desk import Asker
from bjidp.web.forms.form_again import Posted
from bjidp.web.forms.signed_in import Owner
from bjidp.web.forms.visiting import visit_of
from bjidp.web.http.cookies import Cookies
from bjidp.web.http.visitor import on_h5
from bjidp.web.pages.form_view import Form, FormView
from bjidp.web.pages.oidc import WhomPage
from bjidp.web.pages.organisations import ChoiceView

SAID: Final = (ActingOnProbation, LevelRequired, OrganisationRefused, OrganisationUnknown, VendorUnavailable)
"""What is said on the page that the choice is on."""


class Choosing:
    """Asks whom somebody acts for."""

    def __init__(self, *, authorizing: Authorizing, acting: Acting, cookies: Cookies) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._authorizing = authorizing
        self._acting = acting
        self._cookies = cookies

    async def page(
        self, request: web.Request, asker: Asker, owner: Owner, look: Look, name: str, because: BjidpError | None = None
    ) -> WhomPage:
        """Return the page for the request of this ``name``, after ``because`` of what was wrong with a choice."""
        visit = visit_of(request, self._cookies, asker, owner)
        current = await self._acting.current(owner.session)
        return WhomPage(
            h5=on_h5(request),
            form=Posted(Form(), because).told(FormView(csrf=asker.csrf)),
            client=look.client.name,
            domain=look.client.domain,
            who=owner.standing.name,
            choices=tuple(ChoiceView.of(one, current) for one in await self._acting.choices(visit))
            + tuple(ChoiceView.of(one, waits=True) for one in await self._acting.waiting(visit)),
            request=name,
            lapsed=look.whom.lapsed,
            advice=because.refusal if isinstance(because, OrganisationRefused) else None,
        )

    async def choose(self, request: web.Request, asker: Asker, owner: Owner, name: str, capacity: str | None) -> None:
        """Let somebody act in a ``capacity`` there, None for themselves.

        Raises one of :data:`SAID`, which the page tells, ``RequestOver``, ``VerificationRequired`` and
        ``AccountRefused``.
        """
        if capacity is not None:
            await self._acting.choose(visit_of(request, self._cookies, asker, owner), capacity)
        await self._authorizing.choose(name, Choice(owner.session.id, capacity))
