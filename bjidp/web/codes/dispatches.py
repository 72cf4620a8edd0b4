"""``GET /dispatches/{id}``: what became of a message with a code in it.

Owns the call. The page that asked for the message asks here until there is an answer.
"""

from __future__ import annotations

from aiohttp import web
from msgspec import UNSET, Struct, UnsetType

from bjidp.site import Site
from bjidp.verification.dispatch import Dispatches
from bjidp.verification.errors import DispatchUnknown
from bjidp.verification.sending import Failure, Outcome, Progress
from bjidp.web.forms.desk import Desk
from bjidp.web.http.calls import Call, Proof, answer
from bjidp.web.http.origin import require_same_site_read
from bjidp.web.words.texts import Texts


class DispatchState(Struct, frozen=True, kw_only=True):
    """How far a message has come; ``message`` says it in words."""

    state: Outcome
    message: str
    reason: Failure | UnsetType = UNSET


def state_of(progress: Progress, texts: Texts) -> DispatchState:
    """Return what the page is told."""
    outcome = progress.outcome
    if progress.reason is None:
        return DispatchState(state=outcome, message=texts.plain(f"dispatch.{outcome}"))
    words = texts.plain(f"dispatch.{progress.channel}.{progress.reason}")
    return DispatchState(state=outcome, message=words, reason=progress.reason)


class DispatchCalls:
    """Handlers of what became of messages."""

    def __init__(
        self,
        *,
        site: Site,
        desk: Desk,
        dispatches: Dispatches,
        texts: Texts,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._site = site
        self._desk = desk
        self._dispatches = dispatches
        self._texts = texts

    def calls(self) -> tuple[Call, ...]:
        """Return the call."""
        return (
            Call(
                method="GET",
                path="/dispatches/{id}",
                summary="Read what became of a message with a code",
                handler=self.state,
                proof=Proof.BROWSER,
                answers=(DispatchState,),
                errors=("origin_refused", "dispatch_unknown", "service_unavailable"),
            ),
        )

    async def state(self, request: web.Request) -> web.Response:
        """Answer how far the message has come, to whoever had it sent."""
        require_same_site_read(self._site, request)
        asker = await self._desk.known(request)
        if asker is None:
            raise DispatchUnknown
        progress = await self._dispatches.progress(asker.holder, request.match_info["id"])
        return answer(state_of(progress, self._texts))
