"""What a form shows that is shown again."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bjidp.clock import MINUTE, ManualClock
from bjidp.entropy import SystemEntropy
from bjidp.errors import BjidpError, FieldFault, InvalidRequest, StoreUnavailable, TooBusy
from bjidp.throttle.source import Source
from bjidp.verification.captchas import Captchas
from bjidp.verification.errors import CaptchaWrong, VerificationCodeWrong
from bjidp.web.forms.form_again import FormViews, Posted
from bjidp.web.pages.form_view import Form, FormView
from tests.contracts.ephemeral import MemoryStores
from tests.support.verification import captchas

HOLDER, HERE = "browser-1", Source("address")
VIEW = FormView(csrf="c")
MISSING = InvalidRequest(FieldFault("phone", "missing"), FieldFault("phone", "form"))


@pytest.fixture
def shown(clock: ManualClock) -> Captchas:
    return captchas(MemoryStores(clock), SystemEntropy())


@pytest.mark.req("REG-2", "UX-5")
@pytest.mark.parametrize("error", [MISSING, VerificationCodeWrong(3), TooBusy(5), None])
async def test_a_captcha_that_nobody_looked_at_stays_as_it_was_read(shown: Captchas, error: BjidpError | None) -> None:
    first = await shown.show(HOLDER, HERE)
    posted = Posted(Form(act="code", captcha_id=first, captcha="12"), error)
    view = await FormViews(shown).fill(VIEW, HOLDER, HERE, posted)
    assert (view.captcha, view.values) == (first, {"captcha": "12"})


@pytest.mark.req("REG-2")
@pytest.mark.parametrize("typed", ["0000", "9999"])
async def test_a_captcha_that_was_used_or_wrong_gives_way_to_a_new_one(shown: Captchas, typed: str) -> None:
    first = await shown.show(HOLDER, HERE)
    error = None
    try:
        await shown.use(HOLDER, first, typed)
    except CaptchaWrong as wrong:
        error = wrong
    posted = Posted(Form(act="code", captcha_id=first, captcha=typed), error)
    view = await FormViews(shown).fill(VIEW, HOLDER, HERE, posted)
    assert view.captcha not in {"", first}
    assert view.values == {}
    assert view.faults == ({} if typed == "0000" else {"captcha": "wrong"})


@pytest.mark.req("REG-2")
async def test_one_that_is_over_or_anothers_or_unreadable_gives_way_too(shown: Captchas, clock: ManualClock) -> None:
    views = FormViews(shown)
    unreadable = Form(act="captcha", captcha_id=await shown.show(HOLDER, HERE), captcha="12")
    anothers = Form(captcha_id=await shown.show("browser-2", HERE), captcha="12")
    over = Form(captcha_id=await shown.show(HOLDER, HERE), captcha="12")
    for form in (unreadable, anothers):
        view = await views.fill(VIEW, HOLDER, HERE, Posted(form))
        assert view.captcha not in {"", form.captcha_id}
        assert view.values == {}
    clock.advance(5 * MINUTE / 1000 + 1)
    assert (await views.fill(VIEW, HOLDER, HERE, Posted(over))).captcha not in {"", over.captcha_id}


SENT = FormView(csrf="c", dispatch="sent")
EARLY = {"note": "rate_limited", "pause": 37}


@pytest.mark.req("REG-2")
@pytest.mark.parametrize(
    ("posted", "told"),
    [
        (None, {}),
        (Posted(Form(act="code", captcha_id="used", captcha="0000")), {}),
        (Posted(Form(act="code")), EARLY),
        (Posted(Form(act="captcha")), EARLY),
        (Posted(Form(act="code", captcha_id="used", captcha="0000"), CaptchaWrong()), EARLY),
        (Posted(Form(), VerificationCodeWrong(3)), {"faults": {"code": "wrong"}}),
    ],
)
async def test_no_captcha_is_shown_before_another_code_may_be_asked_for(
    shown: Captchas, posted: Posted[Form] | None, told: dict[str, object]
) -> None:
    waiting = replace(SENT, wait=37)
    assert await FormViews(shown).fill(waiting, HOLDER, HERE, posted) == replace(waiting, **told)


@pytest.mark.req("REG-2")
async def test_nor_after_that_until_it_is_asked_for(shown: Captchas) -> None:
    views = FormViews(shown)
    assert (await views.fill(SENT, HOLDER, HERE)).captcha == ""
    assert (await views.fill(SENT, HOLDER, HERE, Posted(Form(), VerificationCodeWrong(3)))).captcha == ""
    asked = await views.fill(SENT, HOLDER, HERE, Posted(Form(act="code")))
    assert (asked.captcha != "", asked.focus, asked.faults, asked.note) == (True, "captcha", {}, None)
    kept = await views.fill(SENT, HOLDER, HERE, Posted(Form(captcha_id=asked.captcha, captcha="12")))
    assert (kept.captcha, kept.values) == (asked.captcha, {"captcha": "12"})


async def test_a_form_that_asks_for_none_has_none(shown: Captchas) -> None:
    view = await FormViews(shown).fill(VIEW, HOLDER, HERE, Posted(Form(), MISSING), captcha=False)
    assert (view.captcha, view.faults) == ("", {"phone": "missing"})


@pytest.mark.req("UX-5")
def test_an_error_is_told_beside_a_field_or_else_above_the_form() -> None:
    beside = Posted(Form(), TooBusy(5), {TooBusy: ("phone", "busy")})
    assert (beside.told(VIEW).faults, beside.told(VIEW).note, beside.because) == ({"phone": "busy"}, None, None)
    above = Posted(Form(), TooBusy(5))
    assert (above.told(VIEW).faults, above.told(VIEW).note, above.because) == ({}, "too_busy", above.error)
    nothing = Posted(Form())
    assert nothing.told(FormView(csrf="c", note="flow_expired")).note == "flow_expired"


@pytest.mark.parametrize("error", [StoreUnavailable(), InvalidRequest(FieldFault("act", "unknown"))])
def test_an_error_that_no_form_can_tell_is_raised(error: BjidpError) -> None:
    with pytest.raises(type(error)):
        Posted(Form(), error).require_told(TooBusy)
    Posted(Form(), MISSING).require_told(TooBusy)
    Posted(Form(), TooBusy(5)).require_told(TooBusy)
    Posted(Form()).require_told(TooBusy)
