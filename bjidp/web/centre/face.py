"""The second step of 人脸识别认证: the code that a phone scans to show its owner's face (RNV-3).

Owns opening a face flow for whoever is at the page, and what is shown in its place where there is none to be had.
Called by :mod:`bjidp.web.centre.settings`, whose steps come before and after it.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from bjidp.accounts.drafts import Draft
from bjidp.accounts.settings.changes import Progress, is_open
from bjidp.accounts.settings.flow import Change, Step
from bjidp.accounts.verifying import Visit
from bjidp.proofing.face_proofs import FaceProofs
from bjidp.qrlogin.flow import Errand
from bjidp.qrlogin.policy import Purpose
from bjidp.verification.proofs import Operation
from bjidp.web.forms.desk import Asker, Desk
from bjidp.web.http.cookies import Cookies
from bjidp.web.http.visitor import on_h5
from bjidp.web.pages import settings as setting_pages
from bjidp.web.pages.rendering import Renderer
from bjidp.web.qr.verifying import VerifyTickets

PAGE: Final = "/centre/face"


class FacePages:
    """Shows the code, or what comes before it."""

    def __init__(
        self, *, faces: FaceProofs, tickets: VerifyTickets, desk: Desk, cookies: Cookies, renderer: Renderer
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._faces = faces
        self._tickets = tickets
        self._desk = desk
        self._cookies = cookies
        self._renderer = renderer

    async def show(
        self, request: web.Request, asker: Asker, visit: Visit, progress: Progress, onward: str | None
    ) -> web.Response | None:
        """Return the page, or None where the step that is due is 验证身份 or the end; ``onward`` is where that leads.

        Raises :class:`bjidp.accounts.settings.changes.NotDue` where another one is since it was looked at.
        """
        if progress.step is Step.DONE:
            return None
        draft = progress.draft
        # However long the phone has taken: whoever has shown a face is not asked who they are again.
        await self._faces.require_undone(visit, draft)
        need = await self._faces.need(visit)
        if need is not None or on_h5(request):
            # A phone cannot scan its own screen.
            first = setting_pages.FaceFirstPage(h5=on_h5(request), need=need.value if need else "screen", onward=onward)
            return self._html(first)
        if progress.step is not Step.CHANGE:
            return None
        if draft is None or not is_open(visit, draft):
            return self._desk.lead(asker, _of(await self._faces.begin(visit, None if draft is None else draft.id)))
        return await self._code(request, asker, visit, draft)

    async def _code(self, request: web.Request, asker: Asker, visit: Visit, draft: Draft[Change]) -> web.Response:
        mark, page = await self._faces.mark(visit, draft), _of(draft.id)
        errand = Errand(Operation.FACE, visit.account, visit.session.id, mark)
        asker, card = await self._tickets.show(request, asker, Purpose.FACE, errand, page=page, next_page=page)
        response = self._html(setting_pages.FacePage(card=card))
        self._cookies.set_browser(response, asker.secret or "")
        return response

    def _html(self, page: setting_pages.FacePage | setting_pages.FaceFirstPage) -> web.Response:
        return web.Response(body=self._renderer.render(page), content_type="text/html", charset="utf-8")


def _of(flow: str) -> str:
    return f"{PAGE}?flow={flow}"
