"""The forms of the settings: which fields each has, and what its rules call them.

Owns that what was typed is shown again, but never a password, and no code. Called by the table of the settings, which
names the form of each, and by a registration that goes on to 实名认证.
"""

from __future__ import annotations

from typing import Final

from bjidp.accounts.settings.flow import Typed
from bjidp.organisations.stated import TypedOffer, TypedOrganisation
from bjidp.person import DocumentType
from bjidp.proofing import stated as proofing
from bjidp.proofing import stated_card
from bjidp.web.pages.form_view import PASSWORDS, Form

FOR_LIFE: Final = "life"
"""长期."""


class SettingForm(Form, frozen=True):
    """What the form of any step may have: 验证身份, and a setting that asks for nothing more, have no other."""

    code: str = ""

    @property
    def typed(self) -> Typed:
        """The form as the rules of a change see it."""
        return Typed(captcha=self.captcha, captcha_id=self.captcha_id, code=self.code)

    @property
    def kept(self) -> dict[str, str]:
        """What is shown again."""
        return {name: getattr(self, name) for name in self.__struct_fields__ if name not in _NOT_KEPT}

    def __repr__(self) -> str:
        """Show nothing of it."""
        return f"{type(self).__name__}(***)"


_NOT_KEPT: Final = {*SettingForm.__struct_fields__, *PASSWORDS}


class PasswordForm(SettingForm, frozen=True):
    """修改密码."""

    old: str = ""
    password: str = ""
    again: str = ""

    @property
    def typed(self) -> Typed:
        """As of :class:`SettingForm`."""
        return Typed(old=self.old, password=self.password, again=self.again)


class PhoneForm(SettingForm, frozen=True):
    """修改手机号."""

    phone: str = ""

    @property
    def typed(self) -> Typed:
        """As of :class:`SettingForm`."""
        return Typed(captcha=self.captcha, captcha_id=self.captcha_id, code=self.code, phone=self.phone)


class MailForm(SettingForm, frozen=True):
    """绑定邮箱."""

    mail: str = ""

    @property
    def typed(self) -> Typed:
        """As of :class:`SettingForm`."""
        return Typed(captcha=self.captcha, captcha_id=self.captcha_id, code=self.code, mail=self.mail)


class NameForm(SettingForm, frozen=True):
    """修改用户名."""

    username: str = ""

    @property
    def typed(self) -> Typed:
        """As of :class:`SettingForm`."""
        return Typed(username=self.username)


class IdentityForm(SettingForm, frozen=True):
    """实名认证 and 换绑."""

    document_type: str = ""
    name: str = ""
    document_number: str = ""
    sex: str = ""
    valid_from: str = ""
    valid_to: str = ""
    term: str = ""

    @property
    def stated(self) -> proofing.Typed:
        """The form as the rules of identities see it."""
        return proofing.Typed(
            document_type=self.document_type or DocumentType.RESIDENT_ID,
            name=self.name,
            document_number=self.document_number,
            sex=self.sex,
            valid_from=self.valid_from,
            valid_to=self.valid_to,
            for_life=self.term == FOR_LIFE,
        )


class CardForm(PhoneForm, frozen=True):
    """银行卡认证; ``phone`` is the number that is reserved at the bank."""

    name: str = ""
    document_number: str = ""
    card_number: str = ""

    @property
    def factors(self) -> stated_card.Typed:
        """The form as the rules of bank cards see it."""
        return stated_card.Typed(
            name=self.name, document_number=self.document_number, card_number=self.card_number, change=self.typed
        )


class OrganisationForm(SettingForm, frozen=True):
    """登记法人."""

    credit_code: str = ""
    organisation_name: str = ""

    @property
    def company(self) -> TypedOrganisation:
        """The form as the rules of organisations see it."""
        return TypedOrganisation(self.credit_code, self.organisation_name)


class OfferForm(SettingForm, frozen=True):
    """邀请经办人; ``phone`` is the agent's."""

    organisation: str = ""
    phone: str = ""
    scope: str = ""
    ends_on: str = ""

    @property
    def offer(self) -> TypedOffer:
        """The form as the rules of mandates see it."""
        return TypedOffer(organisation=self.organisation, phone=self.phone, scope=self.scope, ends_on=self.ends_on)
