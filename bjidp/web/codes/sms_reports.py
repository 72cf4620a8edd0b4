"""``GET /reports/sms/{account}``: what a provider brings about its messages by itself.

Owns the call. It is a GET with the number and the agreed words in its query, as the provider makes it: a proxy in front
must not log it. Whoever does not know the words is told that there is no such page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import structlog
from aiohttp import web

from bjidp.errors import FieldFault, InvalidRequest
from bjidp.throttle.ports import Throttle, per_minute
from bjidp.vendors.ports.sms import PushFault, SmsPush
from bjidp.verification.dispatch import Dispatches
from bjidp.web.http.visitor import Observer

FOREIGN: Final = per_minute(30)
"""Foreign reports of one address that are logged; the words can't be guessed, and the log must not be filled."""

_REFERENCE: Final = re.compile(r"[0-9A-Za-z]{1,32}")

log = structlog.get_logger(__name__)


class SmsReportCalls:
    """The handler of reports that are brought."""

    def __init__(
        self, *, pushes: Mapping[str, SmsPush], dispatches: Dispatches, observer: Observer, throttle: Throttle
    ) -> None:
        """Read what is brought for an account by the reader under its name."""
        self._pushes = pushes
        self._dispatches = dispatches
        self._observer = observer
        self._throttle = throttle

    def mount(self, app: web.Application) -> None:
        """Add the route, if there is somebody to bring anything."""
        if self._pushes:
            app.router.add_get("/reports/sms/{account}", self.brought, allow_head=False)

    async def brought(self, request: web.Request) -> web.Response:
        """Take a report."""
        push = self._pushes.get(request.match_info["account"])
        if push is None:
            raise web.HTTPNotFound
        report = push.read(request.query.items())
        if report is PushFault.FOREIGN:
            await self._observer.source(request).hit(self._throttle, "sms.foreign_report", FOREIGN)
            named = _REFERENCE.fullmatch(request.query.get("uid", ""))
            log.warning("sms_report_foreign", dispatch=None if named is None else named[0])
            raise web.HTTPNotFound
        if isinstance(report, PushFault):
            log.warning("sms_report_unreadable")
            raise InvalidRequest(FieldFault("", report.value))
        await self._dispatches.report(report)
        return web.Response(body=push.taken, content_type="application/json")
