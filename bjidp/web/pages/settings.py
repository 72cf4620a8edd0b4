"""What the settings must be told, and the checks of a person among them: one frozen class a page.

As in :mod:`bjidp.web.pages`; every value is masked before it gets here (:mod:`bjidp.accounts.overview`).
"""

from __future__ import annotations

from typing import ClassVar, Final, Literal, TypeAlias

import msgspec

from bjidp.accounts.ports import Evidence
from bjidp.person import DocumentType
from bjidp.platforms import Provider
from bjidp.proofing.adjudication import Advice
from bjidp.web.pages.form_view import FormView
from bjidp.web.pages.qr_card import QrCard

_FORM: Final = FormView(
    csrf="example",
    values={"phone": "15400000002", "mail": "zhang@example.com", "username": "zhang_san"},
    faults={"captcha": "wrong", "code": "wrong"},
    flow="mDq3vYdV0Yw4h8m0m1iX7A",
    captcha="nEr4wZeW1Zx5i9n1n2jY8B",
    dispatch="0123456789abcdef0123456789abcdef",
    wait=42,
)


Setting: TypeAlias = Literal[
    "password",
    "phone",
    "mail",
    "username",
    "real_name",
    "bank_card",
    "face",
    "exchange",
    "unbind",
    "organisation",
    "appoint",
    "withdraw_appeal",
    "link",
    "unlink",
    "reauthenticate",
    "cancel",
]
"""What 个人中心 changes after 验证身份; words under ``settings.title.*`` and ``settings.step.*``."""


class IdentityPage(msgspec.Struct, frozen=True, kw_only=True):
    """验证身份 by SMS, the first step of every setting."""

    template: ClassVar[str] = "settings_identity.html"

    h5: bool
    setting: Setting
    phone: str | None
    """The masked number the code goes to; without one the step is done in 京通."""
    linked: bool
    """There is a 京通 of the account, which can be asked in the place of a code."""
    form: FormView
    first: bool = False
    """The account has no password, or no number, to change: it gets its first one."""
    provider: Provider | None = None
    """Whose user is to be bound or unbound."""

    @classmethod
    def sample(cls) -> IdentityPage:
        """Return the step as it is shown again after a first attempt."""
        return cls(h5=False, setting="password", phone="180****9749", linked=True, form=_FORM)


class SettingPage(msgspec.Struct, frozen=True, kw_only=True):
    """The second step of a setting: what is to be changed."""

    template: ClassVar[str] = "settings_change.html"

    h5: bool
    setting: Setting
    former: str | None
    """What it is now, masked; for a password whether there is one."""
    form: FormView
    proved: bool = False
    """The new number or address was proved: it is shown, and no code is asked for."""

    @property
    def first(self) -> bool:
        """As of :class:`IdentityPage`."""
        return self.setting in {"password", "phone"} and self.former is None

    @classmethod
    def sample(cls) -> SettingPage:
        """Return the form of a new number as it is shown again after a first attempt."""
        return cls(h5=False, setting="phone", former="180****9749", form=_FORM)


class CancelPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /centre/cancel`` and its like for phones: what the end of an account means."""

    template: ClassVar[str] = "settings_cancel.html"

    h5: bool
    proved: bool
    """It is proved who is here: the button ends the account."""
    form: FormView

    @classmethod
    def sample(cls) -> CancelPage:
        """Return the notice."""
        return cls(h5=False, proved=True, form=FormView(csrf="example", flow="mDq3vYdV0Yw4h8m0m1iX7A"))


class RealNamePage(msgspec.Struct, frozen=True, kw_only=True):
    """The second step of 实名认证 and of 换绑: who somebody is."""

    template: ClassVar[str] = "settings_real_name.html"

    h5: bool
    setting: Setting
    form: FormView
    advice: tuple[Advice, ...] = ()
    """What to do after the authority's no, in its order; words under ``proofing.advice.*``."""
    kinds: tuple[DocumentType, ...] = tuple(DocumentType)

    @classmethod
    def sample(cls) -> RealNamePage:
        """Return the form as it is shown again after a first attempt."""
        values = {"document_type": "hk_permit", "name": "张三", "document_number": "H99990001", "term": "until"}
        faults = {"valid_from": "missing", "valid_to": "missing", "sex": "missing"}
        form = msgspec.structs.replace(_FORM, values=values, faults=faults, note="identity_mismatch")
        return cls(h5=False, setting="real_name", form=form, advice=(Advice.ASK_ISSUER, Advice.GO_OFFLINE))


class BankCardPage(msgspec.Struct, frozen=True, kw_only=True):
    """The second step of 银行卡认证: the four factors."""

    template: ClassVar[str] = "settings_bank_card.html"

    h5: bool
    form: FormView
    advice: tuple[Advice, ...] = ()
    """As of :class:`RealNamePage`."""
    proved: bool = False
    """The reserved number needs no code."""
    setting: Setting = "bank_card"

    @classmethod
    def sample(cls) -> BankCardPage:
        """Return the form as it is shown again after a first attempt."""
        form = msgspec.structs.replace(
            _FORM, values=_FORM.values | {"name": "张三"}, faults={"card_number": "not_debit"}, note="identity_mismatch"
        )
        return cls(h5=False, form=form, advice=(Advice.ASK_BANK,))


class FacePage(msgspec.Struct, frozen=True, kw_only=True):
    """The second step of 人脸识别认证: the code for the phone. There is none on phones."""

    template: ClassVar[str] = "settings_face.html"

    card: QrCard
    setting: Setting = "face"

    @classmethod
    def sample(cls) -> FacePage:
        """Return the page."""
        return cls(card=QrCard.sample())


class FaceFirstPage(msgspec.Struct, frozen=True, kw_only=True):
    """What comes before 人脸识别认证; words under ``face.first.*``."""

    template: ClassVar[str] = "settings_face_first.html"

    h5: bool
    need: Literal["real_name", "held", "jingtong", "screen"]
    """``screen``: another one than the phone's own, which it cannot scan."""
    onward: str | None = None
    """Where a site waits that has asked for it."""

    @classmethod
    def sample(cls) -> FaceFirstPage:
        """Return what an account without an identity is told that a site has asked for more."""
        return cls(h5=False, need="real_name", onward="/oauth/continue?request=mDq3vYdV0Yw4h8m0m1iX7A")


class PhoneFirstPage(msgspec.Struct, frozen=True, kw_only=True):
    """What comes before stating anybody for an account without a phone; words under ``phone.first.*``."""

    template: ClassVar[str] = "settings_phone_first.html"

    h5: bool
    setting: Setting
    form: FormView
    """None is shown."""

    @classmethod
    def sample(cls) -> PhoneFirstPage:
        """Return what an account that was born in 京通 is told."""
        return cls(h5=False, setting="exchange", form=FormView(csrf="example"))


class IdentityFirstPage(msgspec.Struct, frozen=True, kw_only=True):
    """换绑 and 解绑 for an account without an identity, 银行卡认证 for one whose document has run out.

    Words under ``identity.first.*``.
    """

    template: ClassVar[str] = "settings_identity_first.html"

    h5: bool
    setting: Setting
    form: FormView
    """None is shown."""

    @classmethod
    def sample(cls) -> IdentityFirstPage:
        """Return what such an account is told."""
        return cls(h5=False, setting="unbind", form=FormView(csrf="example"))


class UnbindPage(msgspec.Struct, frozen=True, kw_only=True):
    """解绑, once it is proved who is here: the button gives the identity up."""

    template: ClassVar[str] = "settings_unbind.html"

    h5: bool
    form: FormView

    @classmethod
    def sample(cls) -> UnbindPage:
        """Return the page."""
        return cls(h5=False, form=FormView(csrf="example", flow="mDq3vYdV0Yw4h8m0m1iX7A"))


class SettingDonePage(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a setting, or the wait for it; the answer leads on by itself after a while."""

    template: ClassVar[str] = "settings_done.html"

    h5: bool
    setting: Setting
    saving: bool = False
    """Another post of the same form is being written: this page looks again in a second."""
    held_by: tuple[Evidence, ...] | None = None
    """The identity is another account's; these proofs bring it here, none where only people decide (RNV-7)."""
    bank_cards: bool = False
    """Whether there is a bank to ask."""
    onward: str | None = None
    """Where a site waits that has asked for more than there was."""

    @property
    def back(self) -> Literal["organisations", "appeal", "third"] | None:
        """The page of 个人中心 that it was begun on, and leads back to; words under ``settings.done.back.*``."""
        match self.setting:
            case "organisation" | "appoint":
                return "organisations"
            case "withdraw_appeal":
                return "appeal"
            case "link" | "unlink":
                return "third"
            case _:
                return None

    @classmethod
    def sample(cls) -> SettingDonePage:
        """Return the end of 修改密码."""
        return cls(h5=False, setting="password")


ALL: Final = (
    IdentityPage,
    SettingPage,
    CancelPage,
    RealNamePage,
    BankCardPage,
    FacePage,
    FaceFirstPage,
    PhoneFirstPage,
    IdentityFirstPage,
    UnbindPage,
    SettingDonePage,
)
