"""A form that is shown again: what is wrong with it, and which captcha it has (UX-5).

Owns the rule that a captcha which nobody has looked at stays, with what was read from it, and that one which was used
has another in its place; but for one that a code was sent for, which has none until another code is asked for. Called
by every page with a form that asks for a captcha.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from bjidp.errors import BjidpError
from bjidp.throttle.source import Source
from bjidp.verification.captchas import Captchas
from bjidp.web.forms.field_faults import Beside, field_faults
from bjidp.web.pages.form_view import Form, FormView

F_co = TypeVar("F_co", bound=Form, covariant=True)


class Posted(Struct, Generic[F_co], frozen=True):
    """A form to be shown again, and the error it is shown for; None where something else was asked for."""

    form: F_co
    error: BjidpError | None = None
    beside: Beside = {}
    """Which field an error of these forms is told beside."""

    @property
    def faults(self) -> dict[str, str]:
        """What is told beside which field."""
        return field_faults(self.error, self.beside)

    @property
    def because(self) -> BjidpError | None:
        """What is told above the form: an error that is beside no field."""
        return None if self.faults else self.error

    def require_told(self, *above: type[BjidpError]) -> None:
        """Raise the error unless it is told beside a field or is one of those that are told ``above`` the form."""
        if self.because is not None and not isinstance(self.because, above):
            raise self.because

    def told(self, view: FormView) -> FormView:
        """Return ``view`` with what is wrong."""
        note = view.note if self.because is None else self.because.code
        faults = self.faults
        if view.dispatch and faults.get("code") == "missing":
            # One was sent already.
            faults["code"] = "form"
        return replace(view, faults=faults, note=note, emptied=self.form.has_password)


class FormViews:
    """Fills in forms."""

    def __init__(self, captchas: Captchas) -> None:
        """Show captchas of ``captchas``."""
        self._captchas = captchas

    async def fill(
        self,
        view: FormView,
        holder: str,
        source: Source,
        posted: Posted[Form] | None = None,
        *,
        captcha: bool = True,
    ) -> FormView:
        """Return ``view`` with what is wrong in the form that was ``posted``, and with a captcha where it asks for one.

        Raises what :meth:`bjidp.verification.captchas.Captchas.show` raises.
        """
        if posted is not None:
            view = posted.told(view)
        if not captcha:
            return view
        form = Form() if posted is None else posted.form
        if view.wait:
            return _before_another_code(view, form)
        # What was used is gone; one that is still there was not looked at, whatever else was wrong.
        if form.act != "captcha" and await self._captchas.picture(holder, form.captcha_id) is not None:
            return replace(view, captcha=form.captcha_id, values={**view.values, "captcha": form.captcha})
        if view.dispatch and form.act not in {"captcha", "code"}:
            return view
        shown = await self._captchas.show(holder, source)
        return replace(view, captcha=shown, focus="captcha" if form.wants_captcha else "")


def _before_another_code(view: FormView, form: Form) -> FormView:
    """Return ``view`` without a captcha, which would be read in vain; whoever asked for one is told when it is time."""
    early = form.wants_captcha or "captcha" in view.faults
    faults = {name: fault for name, fault in view.faults.items() if name != "captcha"}
    return replace(view, faults=faults, note="rate_limited", pause=view.wait) if early else view
