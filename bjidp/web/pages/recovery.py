"""What the pages of a forgotten password must be told: one frozen class a page, as in :mod:`bjidp.web.pages`.

None of them is told whether there is an account: a decoy fills every field as an account does (attack R1).
"""

from __future__ import annotations

from typing import ClassVar, Final, Self

import msgspec

from bjidp.accounts.recovery.flow import Recovery
from bjidp.accounts.surface import Surface
from bjidp.web.pages.form_view import FormView
from bjidp.web.pages.qr_card import QrCard

_FORM: Final = FormView(
    csrf="example",
    values={"account": "zhang_san", "phone": "15400000001", "document": "101010199003070011"},
    faults={"captcha": "wrong"},
    flow="mDq3vYdV0Yw4h8m0m1iX7A",
    captcha="nEr4wZeW1Zx5i9n1n2jY8B",
    dispatch="0123456789abcdef0123456789abcdef",
    wait=42,
)


class RecoverPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /recover``: whose password it is."""

    template: ClassVar[str] = "recover.html"

    form: FormView

    @classmethod
    def sample(cls) -> Self:
        """Return the page after a captcha that was misread."""
        return cls(form=_FORM)


class RecoverH5Page(RecoverPage, frozen=True, kw_only=True):
    """``GET /h5/recover``: the same for phones."""

    template: ClassVar[str] = "recover_h5.html"
    h5: ClassVar[bool] = True


class RecoverWaysPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /recover/ways``: how to prove whose account it is."""

    template: ClassVar[str] = "recover_ways.html"

    form: FormView
    who: str
    """The name as it may be repeated."""
    number: str
    """Masked; empty for an account without a phone."""
    document: str
    """Masked; empty where none is asked."""

    @classmethod
    def of(cls, facts: Recovery, form: FormView) -> Self:
        """Return the page of these facts."""
        return cls(form=form, who=facts.shown, number=facts.number_shown, document=facts.document_shown)

    @classmethod
    def sample(cls) -> RecoverWaysPage:
        """Return the page of a real-named account."""
        return cls(form=_FORM, who="z***********n", number="150****7931", document="***********0013")


class RecoverJingtongPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /recover/jingtong``: a QR that the account's own 京通 confirms."""

    template: ClassVar[str] = "recover_jingtong.html"

    form: FormView
    card: QrCard

    @classmethod
    def sample(cls) -> Self:
        """Return the page."""
        return cls(form=_FORM, card=QrCard.sample())


class RecoverCodePage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /recover/code``: the code by SMS, and the document number where one is asked."""

    template: ClassVar[str] = "recover_code.html"

    form: FormView
    number: str
    asks_document: bool
    asks_code: bool

    @classmethod
    def of(cls, facts: Recovery, form: FormView) -> Self:
        """Return the page of these facts."""
        return cls(form=form, number=facts.number_shown, asks_document=facts.asks_document, asks_code=facts.asks_code)

    @classmethod
    def sample(cls) -> Self:
        """Return the page that asks both."""
        return cls(form=_FORM, number="150****7931", asks_document=True, asks_code=True)


class RecoverCodeH5Page(RecoverCodePage, frozen=True, kw_only=True):
    """``GET /h5/recover/code``: the same for phones; what it asks it asks one after the other."""

    template: ClassVar[str] = "recover_code_h5.html"
    h5: ClassVar[bool] = True


class RecoverPasswordPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /recover/password``: the new password, twice."""

    template: ClassVar[str] = "recover_password.html"

    form: FormView

    @classmethod
    def of(cls, _: Recovery, form: FormView) -> Self:
        """Return the page, which is the same for all."""
        return cls(form=form)

    @classmethod
    def sample(cls) -> Self:
        """Return the page after a password that was too short."""
        return cls(form=FormView(csrf="example", faults={"password": "length"}, flow=_FORM.flow))


class RecoverPasswordH5Page(RecoverPasswordPage, frozen=True, kw_only=True):
    """``GET /h5/recover/password``: the same for phones."""

    template: ClassVar[str] = "recover_password_h5.html"
    h5: ClassVar[bool] = True


class RecoverDonePage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /recover/done`` and its like for phones: the password is set, and nobody is logged in (attack R2)."""

    template: ClassVar[str] = "recover_done.html"

    form: FormView
    h5: bool

    @classmethod
    def of(cls, facts: Recovery, form: FormView) -> Self:
        """Return the page of these facts."""
        return cls(form=form, h5=facts.surface is Surface.H5)

    @classmethod
    def sample(cls) -> Self:
        """Return the page for computers."""
        return cls(form=_FORM, h5=False)


class RecoverSavingPage(RecoverDonePage, frozen=True, kw_only=True):
    """The same address while another post of the form is setting it: looks again by itself."""

    template: ClassVar[str] = "recover_saving.html"


class RecoverNobodyPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /h5/recover/nobody``: the number was proved, and no account has it."""

    template: ClassVar[str] = "recover_nobody.html"
    h5: ClassVar[bool] = True

    form: FormView
    number: str

    @classmethod
    def of(cls, facts: Recovery, form: FormView) -> Self:
        """Return the page of these facts."""
        return cls(form=form, number=facts.number_shown)

    @classmethod
    def sample(cls) -> RecoverNobodyPage:
        """Return the page of a number."""
        return cls(form=_FORM, number="150****7931")


class RecoverHelpPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /recover/help``: what to do when the phone is not in use any more (the manual's 2.6)."""

    template: ClassVar[str] = "recover_help.html"

    form: FormView

    @classmethod
    def of(cls, _: Recovery, form: FormView) -> Self:
        """Return the page, which is the same for all."""
        return cls(form=form)

    @classmethod
    def sample(cls) -> RecoverHelpPage:
        """Return the page."""
        return cls(form=_FORM)


ALL: Final = (
    RecoverPage,
    RecoverH5Page,
    RecoverWaysPage,
    RecoverJingtongPage,
    RecoverCodePage,
    RecoverCodeH5Page,
    RecoverPasswordPage,
    RecoverPasswordH5Page,
    RecoverDonePage,
    RecoverSavingPage,
    RecoverNobodyPage,
    RecoverHelpPage,
)
