"""What the pages around logins by what somebody has elsewhere are told, and those that bind it (LOG-4)."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Literal

import msgspec

from bjidp.accounts.external.linked import ProviderLine
from bjidp.platforms import Provider
from bjidp.web.pages.form_view import FormView


class Trouble(StrEnum):
    """Why somebody who came back from a provider is not logged in; words under ``external.trouble.*``."""

    REFUSED = "refused"
    """They did not agree there."""
    OVER = "over"
    """The way back is no good any more."""
    UNAVAILABLE = "unavailable"
    """The provider does not answer."""
    LOCKED = "locked"
    """Their account may not be used."""


class ExternalTroublePage(msgspec.Struct, frozen=True, kw_only=True):
    """Says what has happened, and the two ways on: the same provider again, and the login page."""

    template: ClassVar[str] = "external_trouble.html"

    h5: bool = False
    trouble: Trouble
    provider: Provider
    retry_after: int | None = None

    @property
    def again(self) -> bool:
        """Whether another try at the same provider may help."""
        return self.trouble is not Trouble.LOCKED

    @classmethod
    def sample(cls) -> ExternalTroublePage:
        """Return the page of a provider that does not answer."""
        return cls(trouble=Trouble.UNAVAILABLE, provider=Provider.ALIPAY, retry_after=10)


class LinkingPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /login/third/link``: whoever came has no account, or has one that does not know them yet."""

    template: ClassVar[str] = "external_link.html"

    h5: bool = False
    provider: Provider
    of: str
    """The name of whoever came, which the form carries."""
    form: FormView
    nobody: bool = False
    """The number that was proved is no account's."""

    @classmethod
    def sample(cls) -> LinkingPage:
        """Return the page after a number was proved that nobody has."""
        return cls(
            provider=Provider.WECHAT,
            of="mDq3vYdV0Yw4h8m0m1iX7A",
            form=FormView(
                csrf="example",
                values={"phone": "15412345678"},
                faults={"code": "wrong", "captcha": "wrong"},
                captcha="mDq3vYdV0Yw4h8m0m1iX7A",
                dispatch="mDq3vYdV0Yw4h8m0m1iX7A",
                wait=60,
            ),
            nobody=True,
        )


class LinkingTailPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /login/third/link/document``: how the account's document ends, for a number long not used (LOG-6)."""

    template: ClassVar[str] = "external_link_document.html"

    h5: bool = False
    of: str
    phone: str
    """Masked."""
    form: FormView
    tries_left: int | None = None
    """Said after a wrong try."""

    @classmethod
    def sample(cls) -> LinkingTailPage:
        """Return the page after a wrong try."""
        return cls(
            of="mDq3vYdV0Yw4h8m0m1iX7A",
            phone="154****5678",
            form=FormView(csrf="example", flow="mDq3vYdV0Yw4h8m0m1iX7A", faults={"tail": "wrong"}),
            tries_left=4,
        )


class LinkedPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /centre/third`` and its like for phones: 绑定的第三方账号."""

    template: ClassVar[str] = "centre_third.html"

    h5: bool
    lines: list[ProviderLine]
    csrf: str
    over: bool = False
    """What was to be bound or unbound is to be chosen anew."""

    @classmethod
    def sample(cls) -> LinkedPage:
        """Return a page with one of each."""
        lines = [ProviderLine(Provider.ALIPAY, 1_800_000_000_000), ProviderLine(Provider.WECHAT, None)]
        return cls(h5=False, lines=lines, csrf="example", over=True)


class BindPage(msgspec.Struct, frozen=True, kw_only=True):
    """The second step of 绑定第三方账号: the way to the provider."""

    template: ClassVar[str] = "settings_link.html"

    h5: bool
    provider: Provider
    form: FormView
    """Its flow alone is used: it is a link that leads away."""
    setting: Literal["link"] = "link"

    @classmethod
    def sample(cls) -> BindPage:
        """Return the page."""
        return cls(h5=False, provider=Provider.WECHAT, form=FormView(csrf="example", flow="mDq3vYdV0Yw4h8m0m1iX7A"))


class UnbindProviderPage(msgspec.Struct, frozen=True, kw_only=True):
    """The second step of 解绑第三方账号, which asks once more."""

    template: ClassVar[str] = "settings_unlink.html"

    h5: bool
    provider: Provider
    form: FormView
    setting: Literal["unlink"] = "unlink"

    @classmethod
    def sample(cls) -> UnbindProviderPage:
        """Return the page."""
        return cls(h5=False, provider=Provider.ALIPAY, form=FormView(csrf="example", flow="mDq3vYdV0Yw4h8m0m1iX7A"))


class BindingTrouble(StrEnum):
    """Why whoever came back has bound nothing; words under ``third.trouble.*``."""

    REFUSED = "refused"
    """As of :class:`Trouble`, and the next two."""
    OVER = "over"
    UNAVAILABLE = "unavailable"
    TAKEN = "taken"
    """Another account has it."""
    ENDED = "ended"
    """The session that it was begun in has ended."""


class BindingTroublePage(msgspec.Struct, frozen=True, kw_only=True):
    """Says what has happened on the way back, and where to go on."""

    template: ClassVar[str] = "third_trouble.html"

    h5: bool
    trouble: BindingTrouble
    provider: Provider
    flow: str | None = None
    """The change that another try is a step of."""
    retry_after: int | None = None

    @classmethod
    def sample(cls) -> BindingTroublePage:
        """Return what is said of a provider's user that another account has."""
        return cls(
            h5=False,
            trouble=BindingTrouble.TAKEN,
            provider=Provider.WECHAT,
            flow="mDq3vYdV0Yw4h8m0m1iX7A",
        )


ALL = (
    ExternalTroublePage,
    LinkingPage,
    LinkingTailPage,
    LinkedPage,
    BindPage,
    UnbindProviderPage,
    BindingTroublePage,
)
