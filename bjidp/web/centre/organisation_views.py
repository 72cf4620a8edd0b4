"""From organisations and mandates to what pages show of them: masked, and with the last day of each.

Pure. Called by the pages of 我的法人 and of 个人中心.
"""

from __future__ import annotations

from collections.abc import Iterable

from bjidp.accounts.masks import mask_phone
from bjidp.clock import Instant
from bjidp.organisations.mandates import Ended, Mandate
from bjidp.organisations.organisation import Organisation
from bjidp.organisations.ports import Appointed, Entrusted
from bjidp.web.pages.organisations import LedView, MandateView


def led_view(organisation: Organisation, appointed: Iterable[Appointed], now: Instant) -> LedView:
    """Return an organisation with those of ``appointed`` that are its own."""
    return LedView(
        id=organisation.id,
        name=organisation.name,
        credit_code=organisation.credit_code,
        confirmed_at=organisation.confirmed_at,
        refused=organisation.refused_at is not None,
        mandates=tuple(appointed_view(one, now) for one in appointed if one.mandate.organisation == organisation.id),
    )


def entrusted_view(entrusted: Entrusted, now: Instant) -> MandateView:
    """Return a mandate, or an offer, as the agent sees it."""
    given = entrusted.mandate
    return MandateView(
        id=given.id,
        who=entrusted.by,
        name=entrusted.organisation.name,
        credit_code=entrusted.organisation.credit_code,
        scope=given.scope,
        last=_last(given.ends_at),
        answer_by=given.answer_by,
        state=given.state(now),
        ended_at=_ended_at(given),
        waits=not entrusted.leader.suffices(now),
    )


def appointed_view(appointed: Appointed, now: Instant) -> MandateView:
    """Return a mandate, or an offer, as the 法定代表人 sees it."""
    given: Mandate = appointed.mandate
    return MandateView(
        id=given.id,
        who=appointed.who or "",
        phone=mask_phone(given.phone),
        scope=given.scope,
        last=_last(given.ends_at),
        answer_by=given.answer_by,
        state=given.state(now),
        ended_at=_ended_at(given),
    )


def _ended_at(mandate: Mandate) -> Instant | None:
    return mandate.phase.at if isinstance(mandate.phase, Ended) else None


def _last(ends_at: Instant) -> Instant:
    """Return a moment of the last day: people say until when, not from when on no more."""
    return ends_at - 1
