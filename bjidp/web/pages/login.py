"""What the pages of a login are told."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Literal, TypeAlias

import msgspec

from bjidp.platforms import Provider
from bjidp.web.pages.form_view import FormView

Tab: TypeAlias = Literal["scan", "account", "legal"]
"""What ``/login?tab=`` may say; anything else is ``scan``."""


class Away(StrEnum):
    """Why somebody is at the login page who asked for another; words under ``away.*``."""

    ENDED = "ended"
    """The session of this browser is over."""
    ENDED_BACK = "ended_back"
    """So it is, and the login leads back to the page they asked for."""
    FIRST = "first"
    """The page they asked for is that of whoever is logged in, and the login leads there."""


class LoginPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /login`` for a browser that is not logged in."""

    template: ClassVar[str] = "login.html"

    tab: Tab
    client: str
    """Display name of the site the login is for, for example 首都之窗."""
    flow: str
    basis_url: str
    """Address of :meth:`bjidp.qrlogin.matrix.Basis.encode`."""
    csrf: str
    """For the form of 换一个账号, which is posted to ``/logout``."""
    away: Away | None = None
    providers: tuple[Provider, ...] = ()
    """Whose users may log in, in this order."""
    embedder: str | None = None
    """Origin of the demonstration page that frames this one and is told each frame; None everywhere else."""

    @property
    def form(self) -> FormView:
        """The form of 账号登录 as nobody has touched it: its captcha is fetched when it is turned to."""
        return FormView(csrf=self.csrf)

    @classmethod
    def sample(cls) -> LoginPage:
        """Return the page as opened from 首都之窗."""
        return cls(
            tab="scan",
            client="首都之窗",
            flow="mDq3vYdV0Yw4h8m0m1iX7A",
            basis_url="/static/qr/0123456789abcdef.bin",
            csrf="example",
            away=Away.ENDED_BACK,
            providers=tuple(Provider),
            embedder="http://127.0.0.1:8081",
        )


class AccountLoginPage(msgspec.Struct, frozen=True, kw_only=True):
    """The login page with 账号登录 in front (LOG-3): opened at it, or come back to with something to correct."""

    template: ClassVar[str] = "login.html"
    tab: ClassVar[Tab] = "account"

    client: str
    flow: str
    basis_url: str
    form: FormView
    away: Away | None = None
    providers: tuple[Provider, ...] = ()
    embedder: str | None = None

    @property
    def csrf(self) -> str:
        """The token, for the form of 换一个账号."""
        return self.form.csrf

    @classmethod
    def sample(cls) -> AccountLoginPage:
        """Return the page after a wrong password."""
        return cls(
            client="首都之窗",
            flow="mDq3vYdV0Yw4h8m0m1iX7A",
            basis_url="/static/qr/0123456789abcdef.bin",
            form=FormView(
                csrf="example",
                values={"account": "zhang_san"},
                faults={"captcha": "wrong", "password": "missing"},
                note="credentials_wrong",
                captcha="mDq3vYdV0Yw4h8m0m1iX7A",
            ),
        )


PhoneTab: TypeAlias = Literal["password", "code"]
"""What ``/h5/login?tab=`` may say; anything else is ``password``."""


class PhoneLoginPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /h5/login``: 密码登录 and 验证码登录 (LOG-5, LOG-6)."""

    template: ClassVar[str] = "h5_login.html"
    h5: ClassVar[bool] = True

    tab: PhoneTab
    client: str
    form: FormView
    away: Away | None = None

    @classmethod
    def sample(cls) -> PhoneLoginPage:
        """Return 验证码登录 after a wrong captcha."""
        return cls(
            tab="code",
            client="首都之窗",
            away=Away.FIRST,
            form=FormView(
                csrf="example",
                values={"phone": "15412345678", "agreed": "yes"},
                faults={"captcha": "wrong"},
                captcha="mDq3vYdV0Yw4h8m0m1iX7A",
                dispatch="mDq3vYdV0Yw4h8m0m1iX7A",
                wait=60,
            ),
        )


class DocumentTailPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /h5/login/document``: the last characters of the document, for a number long not used (LOG-6)."""

    template: ClassVar[str] = "h5_login_document.html"
    h5: ClassVar[bool] = True

    phone: str
    """Masked."""
    form: FormView
    tries_left: int | None = None
    """Said after a wrong try."""

    @classmethod
    def sample(cls) -> DocumentTailPage:
        """Return the page after a wrong try."""
        return cls(
            phone="154****5678",
            form=FormView(csrf="example", flow="mDq3vYdV0Yw4h8m0m1iX7A", faults={"tail": "wrong"}),
            tries_left=4,
        )


class NoAccountPage(msgspec.Struct, frozen=True, kw_only=True):
    """Says to whoever proved a number that no account has it, and offers to register."""

    template: ClassVar[str] = "h5_no_account.html"
    h5: ClassVar[bool] = True

    phone: str
    """Masked."""

    @classmethod
    def sample(cls) -> NoAccountPage:
        """Return the page."""
        return cls(phone="154****5678")


class SignedInPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /login`` for a browser that is logged in: it gets no ticket."""

    template: ClassVar[str] = "signed_in.html"

    h5: bool = False
    who: str
    """Masked display name."""
    client: str
    next: str
    """Where 继续 leads: the path a login would have led to."""
    csrf: str

    @classmethod
    def sample(cls) -> SignedInPage:
        """Return the page of 张**."""
        return cls(who="张**", client="首都之窗", next="/centre", csrf="example")
