"""What the pages around a login by what somebody has elsewhere are told (LOG-4)."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

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
    unlinked: Provider | None = None
    """What was unlinked a moment ago."""

    @classmethod
    def sample(cls) -> LinkedPage:
        """Return a page with one of each."""
        lines = [ProviderLine(Provider.ALIPAY, 1_800_000_000_000), ProviderLine(Provider.WECHAT, None)]
        return cls(h5=False, lines=lines, csrf="example", unlinked=Provider.BAIDU)


ALL = (ExternalTroublePage, LinkingPage, LinkingTailPage, LinkedPage)
