"""What the pages of a registration are told."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from bjidp.accounts.ports import Evidence
from bjidp.accounts.registration.flow import Identity
from bjidp.person import DocumentType
from bjidp.platforms import Provider
from bjidp.proofing.adjudication import Advice
from bjidp.web.pages.form_view import FormView


class RegisterPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /register``: the form for computers."""

    template: ClassVar[str] = "register.html"

    form: FormView
    proved: bool = False
    """The number was proved: it is shown, and no code is asked for."""
    provider: Provider | None = None
    """Whom somebody came from who is to log in by that from then on."""
    taken: bool = False
    """It is another account's; offers to log in, to recover and to take another number."""
    national: bool = False
    """Whether there is a national platform to hand accounts on to."""

    @classmethod
    def sample(cls) -> RegisterPage:
        """Return the form as it is shown again after a first attempt."""
        return cls(form=_REGISTER_FORM, provider=Provider.WECHAT, national=True)


class RegisterH5Page(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /h5/register``: the form for phones; otherwise as :class:`RegisterPage`."""

    template: ClassVar[str] = "register_h5.html"
    h5: ClassVar[bool] = True

    form: FormView
    proved: bool = False
    provider: Provider | None = None
    taken: bool = False

    @classmethod
    def sample(cls) -> RegisterH5Page:
        """Return the form as it is shown again after a first attempt."""
        return cls(form=_REGISTER_FORM)


_REGISTER_FORM = FormView(
    csrf="example",
    values={"username": "zhang_san", "phone": "15400000001", "agreed": "yes"},
    faults={"username": "taken", "code": "wrong"},
    flow="mDq3vYdV0Yw4h8m0m1iX7A",
    captcha="nEr4wZeW1Zx5i9n1n2jY8B",
    dispatch="0123456789abcdef0123456789abcdef",
    wait=42,
)


class RegisterIdentityPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /register/identity`` and its like for phones: 实名认证, which may be left for later."""

    template: ClassVar[str] = "register_identity.html"

    form: FormView
    h5: bool
    advice: tuple[Advice, ...] = ()
    """What to do after the authority's no, in its order; words under ``proofing.advice.*``."""
    kinds: tuple[DocumentType, ...] = tuple(DocumentType)

    @classmethod
    def sample(cls) -> RegisterIdentityPage:
        """Return the page for computers, after a no."""
        form = FormView(csrf="example", values={"name": "张三"}, note="identity_mismatch")
        return cls(form=form, h5=False, advice=(Advice.CHECK_AGAIN,))


class RegisteredPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /register/done`` and its like for phones: the end of a registration."""

    template: ClassVar[str] = "register_done.html"

    h5: bool
    username: str
    """Whole: on phones the system has made it, and nobody has seen it yet."""
    next: str | None
    """Where the person came from, unless that is the personal centre."""
    client: str
    """What that is called."""
    home: str
    """The personal centre."""
    identity: Identity = Identity.SKIPPED
    held_by: tuple[Evidence, ...] = ()
    """What brings an identity that is another account's; nothing where only people decide (RNV-7)."""
    bank_cards: bool = False
    """Whether there is a bank to ask."""
    national: bool = False
    """Whether they want to become a user of the national platform too."""

    @classmethod
    def sample(cls) -> RegisteredPage:
        """Return the page of somebody who came from 首都之窗, and whose identity another account has."""
        return cls(
            h5=False,
            username="zhang_san",
            next="/authorize",
            client="首都之窗",
            home="/centre",
            identity=Identity.HELD,
            held_by=(Evidence.BANK_CARD, Evidence.FACE),
            bank_cards=True,
            national=True,
        )
