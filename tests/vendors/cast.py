"""Who appears in these tests. The persons' numbers are the standards' published samples."""

from __future__ import annotations

from typing import Final

from bjidp.person import DocumentType, Person
from bjidp.platforms import Platform, PlatformIdentity
from bjidp.vendors.ports.mail import Mail
from bjidp.vendors.ports.platforms import FaceRequest
from bjidp.vendors.ports.sms import Sms

REFERENCE: Final = "jt20270115000000000001"

RESIDENT: Final = Person(DocumentType.RESIDENT_ID, "王玉田", "11010519491231002X")
OTHER_RESIDENT: Final = Person(DocumentType.RESIDENT_ID, "赵长河", "440524188001010014")
HK: Final = Person(DocumentType.HK_PERMIT, "陈港生", "H12345678")
MACAO: Final = Person(DocumentType.MACAO_PERMIT, "何澳娜", "M12345678")
TAIWAN: Final = Person(DocumentType.TAIWAN_PERMIT, "林台英", "12345678")
FOREIGNER: Final = Person(DocumentType.PERMANENT_RESIDENT, "ANNA LEE", "932682198501010017")
EVERYBODY: Final = (RESIDENT, OTHER_RESIDENT, HK, MACAO, TAIWAN, FOREIGNER)

OPEN_ID: Final = "oUserOpenIdHush0001"
OTHER_OPEN_ID: Final = "oUserOpenIdHush0002"

SMS: Final = Sms(
    reference="sms0000000000000001",
    to="15410000042",
    text="您的验证码是042531，五分钟内有效，请勿告诉他人。",
    template="login_code",
    parameters=("042531",),
)

MAIL: Final = Mail(
    reference="mail0000000000000001",
    to="wang.fang@post.example",
    subject="统一身份认证验证码",
    text="您好：\n\n042532 是您的验证码，5分钟内有效。\n.\n不要告诉任何人。\n",
)

CARD_NUMBER: Final = "6222021234567890128"

DONE: Final = "https://id.example/done?a=1&b=2"
"""Where a face check in a browser leads back to."""

NEVER_LOGGED: Final = (
    "Hush",  # every secret, token, code, key and openid of these tests has it in it
    "-----BEGIN",
    SMS.to,
    SMS.text,
    *SMS.parameters,
    MAIL.to,
    MAIL.to.partition("@")[0],
    "042532",
    "http://",
    "https://",
    *(person.name for person in EVERYBODY),
    *(person.number for person in EVERYBODY),
    CARD_NUMBER,
)


def asked(
    platform: Platform,
    app_id: str,
    person: Person = RESIDENT,
    *,
    open_id: str = OPEN_ID,
    reference: str = REFERENCE,
) -> FaceRequest:
    """Return a face request of a user of ``platform``."""
    return FaceRequest(reference, PlatformIdentity(platform, app_id, open_id), person)
