"""What is wrong with the sections of outside services.

Owns their rules, and that production speaks to the real ones. Called by ``checks``, with its own rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final, TypeAlias

from bjidp.accounts.telling import Told
from bjidp.config import outside
from bjidp.config.settings import Settings
from bjidp.vendors.aes_cbc import read_key
from bjidp.vendors.ecb import read_key as read_national_key
from bjidp.vendors.rsa_keys import read_private_key, read_public_key
from bjidp.vendors.settings import (
    AlipayLoginSettings,
    AlipaySettings,
    ChuanglanSettings,
    NationalLoginSettings,
    NationalRegisterSettings,
)
from bjidp.verification.code import BY_SMS
from bjidp.verification.mail_address import mail_address
from bjidp.verification.ranges import is_synthetic_mail

Rule: TypeAlias = Callable[[Settings], "list[str] | Iterator[str]"]

AES_KEY_BYTES: Final = 16

PORT_MAX: Final = 65_535

SMS: Final = ("chuanglan", "chuanglan_second")
"""The sections of accounts for short messages."""

ALIPAY: Final = ("alipay", "alipay_login")
"""The sections of apps at Alipay."""

NATIONAL: Final = ("national_login", "national_register")
"""The sections of applications at 国家政务服务平台."""

REGISTERS: Final = ("authority", "bank", "business_register")
"""The sections of those who take what we have signed."""

SHARED_SECRET_BYTES: Final = 16
"""The least that a secret has which a recorded signature is not to give away (RFC 2104, section 3)."""

TEMPLATES: Final = frozenset({f"code.{purpose}" for purpose in BY_SMS} | {f"told.{what}" for what in Told})
"""Our names of what short messages say."""

_SIGNATURE: Final = re.compile(r"[^【】\s]{2,16}")
_EXTEND: Final = re.compile(r"[0-9]{0,3}")
_KEY_ID: Final = re.compile(r"[!-~]{1,128}")


def _platforms(settings: Settings) -> list[str]:
    if settings.wechat or settings.alipay or settings.baidu:
        return []
    return ["wechat, alipay, baidu: at least one platform is needed"]


def _alipay_private_key(section: str, settings: Settings) -> Iterator[str]:
    app: AlipaySettings | AlipayLoginSettings | None = getattr(settings, section)
    if app is not None:
        try:
            read_private_key(app.private_key)
        except ValueError as fault:
            yield f"{section}.private_key: {fault}"


def _alipay_public_key(section: str, settings: Settings) -> Iterator[str]:
    app: AlipaySettings | AlipayLoginSettings | None = getattr(settings, section)
    if app is not None:
        try:
            read_public_key(app.alipay_public_key)
        except ValueError as fault:
            yield f"{section}.alipay_public_key: {fault}"


def _alipay_aes_key(settings: Settings) -> Iterator[str]:
    if settings.alipay is not None and settings.alipay.aes_key is not None:
        try:
            read_key(settings.alipay.aes_key, AES_KEY_BYTES)
        except ValueError as fault:
            yield f"alipay.aes_key: {fault}"


def _national_secret(section: str, settings: Settings) -> Iterator[str]:
    app: NationalLoginSettings | NationalRegisterSettings | None = getattr(settings, section)
    if app is not None:
        try:
            read_national_key(app.client_secret)
        except ValueError as fault:
            yield f"{section}.client_secret: {fault}"


def _national_codes(settings: Settings) -> Iterator[str]:
    register = settings.national_register
    if register is not None:
        for code in sorted({"0", *register.known} & set(register.refused) | {"0"} & set(register.known)):
            yield f"national_register.known, national_register.refused: {code} means one thing alone, and 0 is yes"


def _wechat_public(settings: Settings) -> Iterator[str]:
    login = settings.wechat_login
    if login is not None and (login.public_app_id is None) != (login.public_app_secret is None):
        yield "wechat_login.public_app_id, wechat_login.public_app_secret: one needs the other"


def _register_key(section: str, settings: Settings) -> Iterator[str]:
    register = getattr(settings, section)
    # It is a header of every call: another one could not be sent.
    if register is not None and _KEY_ID.fullmatch(register.key_id) is None:
        yield f"{section}.key_id: must have 1 to 128 visible ASCII characters"


def _register_secret(section: str, settings: Settings) -> Iterator[str]:
    register = getattr(settings, section)
    if register is not None and len(register.secret.reveal()) < SHARED_SECRET_BYTES:
        yield f"{section}.secret: must have at least {SHARED_SECRET_BYTES} bytes"


def _sms_signature(section: str, settings: Settings) -> Iterator[str]:
    account: ChuanglanSettings | None = getattr(settings, section)
    if account is not None and _SIGNATURE.fullmatch(account.signature) is None:
        yield f"{section}.signature: must have 2 to 16 characters, without 【】"


def _sms_extend(section: str, settings: Settings) -> Iterator[str]:
    account: ChuanglanSettings | None = getattr(settings, section)
    if account is not None and _EXTEND.fullmatch(account.extend) is None:
        yield f"{section}.extend: must be at most three digits"


def _sms_templates(section: str, settings: Settings) -> Iterator[str]:
    account: ChuanglanSettings | None = getattr(settings, section)
    if account is not None and account.api == "v2":
        missing = sorted(TEMPLATES - set(account.templates))
        if missing:
            yield f"{section}.templates: v2 sends nothing but templates, and {', '.join(missing)} are not named"


def _sms_reports(section: str, settings: Settings) -> Iterator[str]:
    account: ChuanglanSettings | None = getattr(settings, section)
    if account is None:
        return
    if account.pull_reports and not (account.api == "v1" and account.report):
        yield f"{section}.pull_reports: only v1 hands out reports, and only where report is not false"
    if (account.push_receiver is None) != (account.push_password is None):
        yield f"{section}.push_receiver, {section}.push_password: one needs the other"


def _sms_second(settings: Settings) -> list[str]:
    if settings.chuanglan_second is None or settings.chuanglan is not None:
        return []
    return ["chuanglan_second: is the second of two; the first is chuanglan"]


def _mail_server(settings: Settings) -> Iterator[str]:
    mail = settings.mail
    if mail is not None and not outside.is_host(mail.host):
        yield "mail.host: must be the name or the address of a host, and nothing else"


def _mail_port(settings: Settings) -> Iterator[str]:
    mail = settings.mail
    if mail is not None and mail.port is not None and not 0 < mail.port <= PORT_MAX:
        yield f"mail.port: must be a number from 1 to {PORT_MAX}"


def _mail_security(settings: Settings) -> Iterator[str]:
    mail = settings.mail
    if mail is None or mail.security != "plain":
        return
    if settings.server.environment == "production":
        yield "mail.security: production needs tls or starttls"
    elif outside.is_host(mail.host) and not outside.is_loopback_host(mail.host):
        yield "mail.security: plain is for a server on this machine; another needs tls or starttls"


def _mail_sender(settings: Settings) -> Iterator[str]:
    mail = settings.mail
    if mail is None:
        return
    if mail_address(mail.sender) is None:
        yield "mail.sender: must be a mail address such as noreply@id.example.com"
    if not mail.sender_name.isprintable():
        yield "mail.sender_name: must be one line of text"


def _mail_account(settings: Settings) -> Iterator[str]:
    mail = settings.mail
    if mail is not None and (mail.username is None) != (mail.password is None):
        yield "mail.username, mail.password: one needs the other"


def _no_sandbox_mail(settings: Settings) -> Iterator[str]:
    mail = settings.mail
    if mail is None or settings.server.environment != "production":
        return
    if outside.is_host(mail.host) and (not outside.is_real_host(mail.host) or outside.is_nobodys_host(mail.host)):
        yield "mail.host: production needs a real mail server"
    sender = mail_address(mail.sender)
    if sender is not None and is_synthetic_mail(sender):
        yield "mail.sender: production sends from a real address"


def _web_addresses(settings: Settings) -> Iterator[str]:
    for name, url in outside.addresses(settings).items():
        if not outside.is_web_address(url):
            yield f"{name}: {outside.NO_WEB_ADDRESS}"


def _no_sandbox(settings: Settings) -> Iterator[str]:
    if settings.server.environment != "production":
        return
    # An address that is none was told of already.
    whole = {name: url for name, url in outside.addresses(settings).items() if outside.is_web_address(url)}
    yield from outside.refuse(settings.server.outside_hosts, whole)


RULES: Final[tuple[Rule, ...]] = (
    _platforms,
    *(partial(_alipay_private_key, section) for section in ALIPAY),
    *(partial(_alipay_public_key, section) for section in ALIPAY),
    _alipay_aes_key,
    *(partial(_national_secret, section) for section in NATIONAL),
    _national_codes,
    _wechat_public,
    *(partial(_register_key, section) for section in REGISTERS),
    *(partial(_register_secret, section) for section in REGISTERS),
    *(partial(_sms_signature, section) for section in SMS),
    *(partial(_sms_extend, section) for section in SMS),
    *(partial(_sms_templates, section) for section in SMS),
    *(partial(_sms_reports, section) for section in SMS),
    _sms_second,
    _mail_server,
    _mail_port,
    _mail_security,
    _mail_sender,
    _mail_account,
    _web_addresses,
    _no_sandbox,
    _no_sandbox_mail,
)
