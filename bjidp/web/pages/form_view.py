"""What a form shows: the values it keeps, what is wrong with them, and where sending a code stands.

Owns the noun that every page with a form carries, its other shape for scripts, which are told what of it changes while
the page stays, and what every form that is posted has in common. Made by handlers; read by
``templates/components/fields.html`` and ``static/js/forms.js``.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from bjidp.clock import SECOND, Instant
from bjidp.web.words.advice import advice
from bjidp.web.words.texts import Texts

PASSWORDS: Final = ("old", "password", "again")
"""What fields are called that hold one."""


class Form(Struct, frozen=True, forbid_unknown_fields=True):
    """What a form's fields are: text, empty where the browser sent none. ``act`` is the button that was pressed."""

    act: str = ""
    flow: str = ""
    captcha_id: str = ""
    captcha: str = ""

    @property
    def wants_captcha(self) -> bool:
        """Whether a picture is asked for: by its own button, or by asking for a code where none was shown."""
        return self.act == "captcha" or (self.act == "code" and not (self.captcha_id or self.captcha))

    @property
    def has_password(self) -> bool:
        """Whether a password was typed, which no page shows again."""
        return any(getattr(self, name, "") for name in PASSWORDS)


class FormView(Struct, frozen=True, kw_only=True):
    """One form. ``values`` never hold a password: nobody passes one in, and no macro writes one out."""

    csrf: str
    values: dict[str, str] = {}
    faults: dict[str, str] = {}
    """A field's name to the code of what is wrong; words under ``fault.<field>.<code>``."""
    note: str | None = None
    """An error's code about the form as a whole; words under ``problem.<code>``."""
    flow: str = ""
    captcha: str = ""
    """The id of the captcha to show; empty on a form without one, and once a code was sent, until another is asked
    for: nobody is to read a picture that nothing needs."""
    dispatch: str = ""
    """The code that is being sent, or was sent last."""
    wait: int = 0
    """Seconds until another code may be asked for."""
    pause: int | None = None
    """Seconds until what ``note`` is about has passed, where it passes by itself."""
    emptied: bool = False
    """A password was typed that is not shown again, and is to be typed once more."""
    focus: str = ""
    """The field that somebody without a script is led to."""


class Live(Struct, frozen=True):
    """What a script is told instead of a page: the words beside each field, the next captcha, the code on its way.

    An empty ``captcha`` says to show none. ``csrf`` and ``flow`` are other than the form's where its browser record was
    over, and where it had no flow before.
    """

    csrf: str
    faults: dict[str, str]
    note: str | None
    flow: str
    captcha: str
    dispatch: str
    wait: int


def with_code(form: FormView, dispatch: str, again_at: Instant, now: Instant) -> FormView:
    """Return ``form`` once the code ``dispatch`` was asked for, and another one may be ``again_at``."""
    return msgspec.structs.replace(form, dispatch=dispatch, wait=max(0, -(-(again_at - now) // SECOND)))


def live(form: FormView, texts: Texts) -> Live:
    """Return ``form`` as a script is told it."""
    return Live(
        csrf=form.csrf,
        faults={name: texts.plain(f"fault.{name}.{code}") for name, code in form.faults.items()},
        note=None if form.note is None else note(form.note, form.pause, texts),
        flow=form.flow,
        captcha=form.captcha,
        dispatch=form.dispatch,
        wait=form.wait,
    )


def note(code: str, pause: int | None, texts: Texts) -> str:
    """Return what is said about the form as a whole: what happened, and what to do next."""
    return f"{texts.plain(f'problem.{code}')}。{advice(code, pause, texts)}"
