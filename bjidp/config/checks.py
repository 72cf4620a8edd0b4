"""What is wrong with settings that are well-formed one by one.

Owns the rules between settings and the bounds of each, down to the files and keys that are named. Called by ``loader``,
also when some settings cannot be read. So rules are many and small: one that needs such a setting is left out, and no
other with it.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
import ssl
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import urlsplit

import maxminddb

from bjidp.accounts.telling import Told
from bjidp.config import outside
from bjidp.config.settings import Settings, Unread
from bjidp.qrlogin.matrix import PrefixTooLong, version_for
from bjidp.secret import Secret
from bjidp.site import BaseUrlFault, read_base_url
from bjidp.store_addresses import AddressFault, is_whole, read_database_url, read_key_prefix, read_redis_url
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

ROOT_KEY_BYTES: Final = 32

AES_KEY_BYTES: Final = 16

PORT_MAX: Final = 65_535

BOUNDS: Final = {
    ("server", "listen_port"): (PORT_MAX, "since there are no more ports"),
    ("qr", "scan_seconds"): (60, "so that no ticket outlives its cap"),
    ("qr", "confirm_seconds"): (60, "so that no ticket outlives its cap"),
    ("qr", "redeem_seconds"): (30, "so that no ticket outlives its cap"),
    ("sessions", "lifetime_seconds"): (43_200, "since a login lasts twelve hours"),
    ("accounts", "link_probation_hours"): (8760, "a year"),
}
"""Numbers that must be more than zero, the most each may be, and why."""

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


def check(settings: Settings) -> list[str]:
    """Return every fault, one sentence each, beginning with the setting it is about.

    A setting that could not be read raises :class:`Unread` when it is asked for; that was told of already.
    """
    faults: list[str] = []
    for rule in RULES:
        try:
            faults += rule(settings)
        except Unread:
            continue
    return faults


def _address(settings: Settings) -> Iterator[str]:
    try:
        site = read_base_url(settings.server.base_url)
    except BaseUrlFault as fault:
        yield f"server.base_url: {fault}"
        return
    if not (site.secure or _is_loopback(site.url)):
        yield "server.base_url: a public host needs https"
    try:
        version_for(site.qr_prefix)
    except PrefixTooLong as fault:
        yield f"server.base_url: {fault}"


def _processes(settings: Settings) -> list[str]:
    if settings.server.workers < 1:
        return ["server.workers: at least one process is needed"]
    if settings.server.workers > 1 and settings.storage.redis_url is None:
        return [
            "server.workers: several processes need storage.redis_url (BJIDP_REDIS_URL): they share tickets and signals"
        ]
    return []


def _database(settings: Settings) -> list[str]:
    # No fault repeats an address: it may hold a password.
    try:
        read = read_database_url(settings.storage.database_url)
    except AddressFault as fault:
        return [f"storage.database_url: {fault}"]
    if read.get_backend_name() != "sqlite" or read.database is None:
        return []
    folder = Path(read.database).absolute().parent
    return [] if folder.is_dir() else [f"storage.database_url: there is no folder {folder}"]


def _redis(settings: Settings) -> Iterator[str]:
    if settings.storage.redis_url is not None:
        try:
            read_redis_url(settings.storage.redis_url)
        except AddressFault as fault:
            yield f"storage.redis_url: {fault}"


def _redis_prefix(settings: Settings) -> Iterator[str]:
    try:
        read_key_prefix(settings.storage.redis_prefix)
    except AddressFault as fault:
        yield f"storage.redis_prefix: {fault}"


def _tls(settings: Settings) -> list[str]:
    certificate, key = settings.server.tls_certificate, settings.server.tls_key
    if (certificate is None) != (key is None):
        return ["server.tls_certificate, server.tls_key: one needs the other"]
    if certificate is None or key is None:
        return []
    named = {"tls_certificate": certificate, "tls_key": key}
    missing = [f"server.{name}: there is no file {path}" for name, path in named.items() if not Path(path).is_file()]
    if missing:
        return missing
    try:
        # A password of its own, or a key that is locked would ask for one at the terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
    except (OSError, ValueError):
        return ["server.tls_certificate, server.tls_key: are no certificate chain and its own unlocked key, in PEM"]
    return []


def _roots(settings: Settings) -> Iterator[str]:
    if not settings.keys.roots:
        yield "keys.roots: at least one root key is needed"
    for version, root in settings.keys.roots.items():
        plain = version.isascii() and version.isdecimal() and not version.startswith("0")
        if not (plain and int(version) < 65536):  # noqa: PLR2004 - two bytes
            yield f"keys.roots.{version}: versions are whole numbers from 1 to 65535"
        words = _root_fault(root)
        if words is not None:
            yield f"keys.roots.{version}: {words}"


def _root_fault(root: Secret) -> str | None:
    try:
        raw = base64.b64decode(root.reveal(), validate=True)
    except binascii.Error:
        return "must be base64"
    if len(raw) != ROOT_KEY_BYTES:
        return f"must be {ROOT_KEY_BYTES} random bytes"
    return "is no random key" if len(set(raw)) < ROOT_KEY_BYTES // 4 else None


def _current_root(settings: Settings) -> list[str]:
    roots, current = settings.keys.roots, settings.keys.current
    if not roots or current is None or str(current) in roots:
        return []
    return ["keys.current: names a version that keys.roots does not have"]


def _networks(name: str, settings: Settings) -> Iterator[str]:
    for network in getattr(settings.networks, name):
        try:
            ipaddress.ip_network(network)
        except ValueError:
            yield f"networks.{name}: {network} is no network such as 10.0.0.0/8"


def _area_database(settings: Settings) -> list[str]:
    path = settings.networks.area_database
    if path is None:
        return []
    if not Path(path).is_file():
        return [f"networks.area_database: there is no file {path}"]
    try:
        maxminddb.open_database(path).close()
    except OSError as fault:
        return [f"networks.area_database: the file {path} cannot be read: {fault.strerror}"]
    except (ValueError, maxminddb.InvalidDatabaseError):
        return [f"networks.area_database: {path} is no address database"]
    return []


def _number(section: str, field: str, settings: Settings) -> list[str]:
    number = getattr(getattr(settings, section), field)
    most, reason = BOUNDS[section, field]
    if number <= 0:
        return [f"{section}.{field}: must be more than zero"]
    if number > most:
        return [f"{section}.{field}: at most {most}, {reason}"]
    return []


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
    elif outside.is_host(mail.host) and not _is_loopback_host(mail.host):
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
        if not _is_web_address(url):
            yield f"{name}: {NO_WEB_ADDRESS}"


def _page_address(name: str, settings: Settings) -> list[str]:
    url = getattr(settings.server, name)
    return [] if url is None or _is_web_address(url) else [f"server.{name}: {NO_WEB_ADDRESS}"]


def _no_lifted_limits(settings: Settings) -> list[str]:
    if settings.server.load and settings.server.environment == "production":
        return ["server.load: limits cannot be lifted in production"]
    return []


def _no_simulator(settings: Settings) -> list[str]:
    if settings.server.simulator_url is not None and settings.server.environment == "production":
        return ["server.simulator_url: the phone simulator is for demonstrations"]
    return []


def _no_sandbox(settings: Settings) -> Iterator[str]:
    if settings.server.environment != "production":
        return
    # An address that is none was told of already.
    whole = {name: url for name, url in outside.addresses(settings).items() if _is_web_address(url)}
    yield from outside.refuse(settings.server.outside_hosts, whole)


NO_WEB_ADDRESS: Final = "must begin with https:// or http:// and name a host"

Rule: TypeAlias = Callable[[Settings], "list[str] | Iterator[str]"]

RULES: Final[tuple[Rule, ...]] = (
    _address,
    _processes,
    _database,
    _redis,
    _redis_prefix,
    _tls,
    _roots,
    _current_root,
    partial(_networks, "trusted_proxies"),
    partial(_networks, "shared"),
    _area_database,
    *(partial(_number, section, field) for section, field in BOUNDS),
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
    partial(_page_address, "portal_url"),
    partial(_page_address, "simulator_url"),
    _no_lifted_limits,
    _no_simulator,
    _no_sandbox,
    _no_sandbox_mail,
)


def _is_web_address(url: str) -> bool:
    parts = urlsplit(url) if is_whole(url) else None
    return parts is not None and parts.scheme in {"http", "https"} and bool(parts.hostname)


def _is_loopback(url: str) -> bool:
    try:
        return _is_loopback_host(urlsplit(url).hostname or "")
    except ValueError:
        return False


def _is_loopback_host(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
