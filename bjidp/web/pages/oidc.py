"""What the pages of the authorization endpoint are told (LOG-8)."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from bjidp.oidc.authorize.prompting import Reason
from bjidp.oidc.scopes import Scope
from bjidp.organisations.errors import Refusal
from bjidp.web.pages.form_view import FormView
from bjidp.web.pages.organisations import ActingPage, ChoiceView


class ConsentPage(msgspec.Struct, frozen=True, kw_only=True):
    """Asks whether a site may read what it wants to read."""

    template: ClassVar[str] = "consent.html"

    h5: bool
    form: FormView
    client: str
    domain: str
    """The host that was registered, beside the name that anybody could have chosen."""
    who: str
    """Masked display name."""
    scopes: tuple[Scope, ...]
    request: str
    """The name of the request, which the form carries."""
    whom: ChoiceView | None = None
    """The organisation they act for; None for themselves."""
    chose: bool = False
    """They have chosen whom to act for, and may choose anew."""
    ethnicity: bool = False
    """Whether it reads the ethnic group too, as sites of the city's own interface do (RP-5)."""

    @classmethod
    def sample(cls) -> ConsentPage:
        """Return the page with everything that may be asked for."""
        return cls(
            h5=False,
            form=FormView(csrf="example"),
            client="首都之窗",
            domain="portal.example",
            who="张**",
            scopes=tuple(Scope),
            request="mDq3vYdV0Yw4h8m0m1iX7A",
            whom=ActingPage.sample().choices[0],
            chose=True,
            ethnicity=True,
        )


class WhomPage(msgspec.Struct, frozen=True, kw_only=True):
    """Asks whom somebody acts for at a site: themselves, or an organisation (ORG-3)."""

    template: ClassVar[str] = "whom.html"

    h5: bool
    form: FormView
    client: str
    domain: str
    who: str
    """Masked display name."""
    choices: tuple[ChoiceView, ...]
    request: str
    """As of :class:`ConsentPage`."""
    lapsed: bool = False
    """They have chosen an organisation a moment ago, and cannot act for it any more."""
    advice: Refusal | None = None
    """What the register's no is about; words under ``organisation.advice.*``."""

    @classmethod
    def sample(cls) -> WhomPage:
        """Return the page after the register said no about what was chosen."""
        acting = ActingPage.sample()
        return cls(
            h5=False,
            form=acting.form,
            client="首都之窗",
            domain="portal.example",
            who="张**",
            choices=acting.choices,
            request="mDq3vYdV0Yw4h8m0m1iX7A",
            lapsed=True,
            advice=acting.advice,
        )


class LoginAgainPage(msgspec.Struct, frozen=True, kw_only=True):
    """Asks somebody who is logged in whether they go on as who they are, or to prove it anew, for a site."""

    template: ClassVar[str] = "login_again.html"

    h5: bool
    form: FormView
    client: str
    domain: str
    who: str
    """Masked display name."""
    request: str
    """As of :class:`ConsentPage`."""
    reason: Reason | None = None
    """Why they have to prove themselves; None where they only choose. Words under ``again.text.*``."""
    other: bool = False
    """Nobody but somebody else may go on."""

    @classmethod
    def sample(cls) -> LoginAgainPage:
        """Return the page of a site that asks for a login."""
        return cls(
            h5=False,
            form=FormView(csrf="example"),
            client="首都之窗",
            domain="portal.example",
            who="张**",
            request="mDq3vYdV0Yw4h8m0m1iX7A",
            reason=Reason.ASKED_FOR,
        )


class ProveMorePage(msgspec.Struct, frozen=True, kw_only=True):
    """Names what raises the level to the one that a site asks for (RNV-9)."""

    template: ClassVar[str] = "prove_more.html"

    h5: bool
    form: FormView
    client: str
    domain: str
    level: int
    has: int
    ways: tuple[str, ...]
    """Settings of 个人中心, as :data:`bjidp.web.pages.settings.Setting` names them."""
    request: str
    """As of :class:`ConsentPage`."""

    @classmethod
    def sample(cls) -> ProveMorePage:
        """Return the page with every way."""
        return cls(
            h5=False,
            form=FormView(csrf="example"),
            client="首都之窗",
            domain="portal.example",
            level=3,
            has=1,
            ways=("real_name", "bank_card", "face"),
            request="mDq3vYdV0Yw4h8m0m1iX7A",
        )


class LogoutPage(msgspec.Struct, frozen=True, kw_only=True):
    """Asks whether somebody wants to be logged out, as a site says."""

    template: ClassVar[str] = "logout.html"

    h5: bool
    form: FormView
    client: str
    """The site that says so; empty where none has proved that it does."""
    who: str
    """Masked display name."""
    request: str
    """The name of the wish, which the form carries."""

    @classmethod
    def sample(cls) -> LogoutPage:
        """Return the page for the portal."""
        return cls(
            h5=False, form=FormView(csrf="example"), client="首都之窗", who="张**", request="mDq3vYdV0Yw4h8m0m1iX7A"
        )


class LeavingPage(msgspec.Struct, frozen=True, kw_only=True):
    """Leads on to a site by itself.

    A posted form may lead to no other site (``form-action``), and browsers hold every redirect after it to that.
    """

    template: ClassVar[str] = "leaving.html"

    h5: bool
    client: str
    where: str

    @classmethod
    def sample(cls) -> LeavingPage:
        """Return the page on the way to the portal."""
        return cls(h5=False, client="首都之窗", where="https://portal.example/callback?code=example")


ALL = (ConsentPage, WhomPage, LoginAgainPage, ProveMorePage, LeavingPage, LogoutPage)
