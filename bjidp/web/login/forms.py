"""What is typed to log in: 账号登录 on the PC's login page, 密码登录 and 验证码登录 on phones (LOG-3, LOG-5, LOG-6).

Owns the fields, what is missing from them, what of them is shown again, and that whoever is logged in logs nobody else
in.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from bjidp.accounts import fields
from bjidp.accounts.errors import CredentialsWrong
from bjidp.accounts.fields import Fault, Field
from bjidp.errors import AccountRefused, FieldFault, InvalidRequest, Retryable
from bjidp.verification.errors import CaptchaWrong, SmsNotOffered
from bjidp.verification.number import MobileNumber, mobile_number
from bjidp.web.forms.desk import Asker
from bjidp.web.pages.form_view import Form

TOLD: Final = (InvalidRequest, CaptchaWrong, CredentialsWrong, AccountRefused, Retryable, SmsNotOffered)
"""What is told on the form, with what was typed kept."""


class PasswordForm(Form, frozen=True):
    """账号登录, and 密码登录 on phones."""

    account: str = ""
    password: str = ""
    agreed: str = ""

    @property
    def kept(self) -> dict[str, str]:
        """What is shown again: never a password."""
        return {"account": self.account, "agreed": self.agreed}

    @property
    def faults(self) -> list[FieldFault]:
        """What is missing on every page."""
        password = [] if self.password else [FieldFault(Field.PASSWORD, Fault.MISSING)]
        return [*fields.missing(Field.ACCOUNT, self.account), *password, *fields.captcha_faults(self.captcha)]

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "PasswordForm(***)"


class CodeForm(Form, frozen=True):
    """验证码登录."""

    phone: str = ""
    code: str = ""
    agreed: str = ""

    @property
    def kept(self) -> dict[str, str]:
        """What is shown again: a code is left out by whoever has used it."""
        return {"phone": self.phone, "code": self.code, "agreed": self.agreed}

    def number(self, *others: FieldFault) -> MobileNumber:
        """Return the number; raise ``InvalidRequest`` with what is wrong with it, and with ``others``."""
        number, faults = mobile_number(self.phone), [*fields.phone_faults(self.phone), *others]
        if number is None or faults:
            raise InvalidRequest(*faults)
        return number

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "CodeForm(***)"


def require_nobody(asker: Asker, where: str) -> None:
    """Lead to the page that says who is logged in: nobody becomes somebody else by a form (attack Q28)."""
    if asker.owner is not None:
        raise web.HTTPSeeOther(where)
