"""What is wrong with settings that can be read, fault by fault, and all of it at once."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bjidp.config.vendor_checks import TEMPLATES
from tests.unit.config.test_loader import ALIPAY, ROOT, faults, settings

LONG = f"https://{'.'.join(['x' * 60] * 5)}.example.com"
HOST = "must begin with https:// or http:// and name a host"

SMS = {"account": "x", "password": "hunter2", "signature": "京通", "base_url": "https://smssh1.253.com"}

BANK = {"base_url": "https://bank.example.cn", "key_id": "bjidp", "secret": "hunter2-hunter2-"}

MAIL = {"host": "smtp.example.com", "sender": "noreply@id.example.com"}

ALIPAY_LOGIN = {name: value for name, value in ALIPAY.items() if name != "aes_key"}

NATIONAL = {
    "client_id": "bjidp",
    "client_secret": "00112233445566778899aabbccddeeff",
    "page_url": "https://zwfw.example.cn/login",
    "token_url": "https://zwfw.example.cn/token",
    "user_url": "https://zwfw.example.cn/user",
}

JOINING = {
    "client_id": "bjidp",
    "client_secret": "00112233445566778899aabbccddeeff",
    "url": "https://zwfw.example.cn/join",
}

FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "a base URL with a path": (
        {"server__base_url": "https://intranet.example/x"},
        "server.base_url: the base URL must have no path, query or user name",
    ),
    "a base URL without a scheme": (
        {"server__base_url": "id.example.com"},
        "server.base_url: the base URL must begin with http:// or https:// and name a host",
    ),
    "a base URL with too high a port": (
        {"server__base_url": "https://id.example.com:70000"},
        "server.base_url: the base URL's port is no number up to 65535",
    ),
    "a base URL that fits in no QR code": (
        {"server__base_url": LONG},
        "server.base_url: the QR prefix",
    ),
    "http on a public host": (
        {"server__base_url": "http://intranet.example"},
        "server.base_url: a public host needs https",
    ),
    "http on a public host in a demonstration": (
        {"server__base_url": "http://intranet.example", "server__environment": "demo"},
        "server.base_url: a public host needs https",
    ),
    "a port there is not": ({"server__listen_port": 99_999_999}, "server.listen_port: at most 65535"),
    "no port": ({"server__listen_port": 0}, "server.listen_port: must be more than zero"),
    "a portal that is nowhere": ({"server__portal_url": "portal"}, f"server.portal_url: {HOST}"),
    "a vendor that is nowhere": ({"wechat__base_url": "not a url"}, f"wechat.base_url: {HOST}"),
    "a vendor of another scheme": ({"wechat__base_url": "ftp://api.example"}, f"wechat.base_url: {HOST}"),
    "a vendor with a broken port": ({"wechat__base_url": "https://api.example:x"}, f"wechat.base_url: {HOST}"),
    "an authority that is nowhere": ({"authority__base_url": "https://"}, f"authority.base_url: {HOST}"),
    "a key that no header holds": (
        {"authority__key_id": "bjidp\nX-Other: 1"},
        "authority.key_id: must have 1 to 128 visible ASCII characters",
    ),
    "a key of the bank that is none": (
        {"bank": BANK | {"key_id": ""}},
        "bank.key_id: must have 1 to 128 visible ASCII characters",
    ),
    "an authority that anybody can speak for": (
        {"authority__secret": "."},
        "authority.secret: must have at least 16 bytes",
    ),
    "a secret that is guessed": (
        {"business_register": BANK | {"secret": "hunter2-hunter2"}},
        "business_register.secret: must have at least 16 bytes",
    ),
    "sessions without end": (
        {"sessions": {"lifetime_seconds": 10**9}},
        "sessions.lifetime_seconds: at most 43200, since a login lasts twelve hours",
    ),
    "a probation without end": (
        {"accounts": {"link_probation_hours": 10**30}},
        "accounts.link_probation_hours: at most 8760",
    ),
    "a scan without end": ({"qr": {"scan_seconds": 61}}, "qr.scan_seconds: at most 60"),
    "a database in memory": ({"storage__database_url": "sqlite:///"}, "storage.database_url: must name a file"),
    "a database with a broken port": (
        {"storage__database_url": "postgresql+psycopg://bjidp:hunter2@db:port/x"},
        "storage.database_url: is no address such as",
    ),
    "a database in a folder that is not there": (
        {"storage__database_url": "sqlite:////none/such/bjidp.sqlite"},
        "storage.database_url: there is no folder /none/such",
    ),
    "an environment there is not": (
        {"server__environment": "prod"},
        "server.environment: must be production or demo",
    ),
    "a number in words": ({"qr": {"scan_seconds": "sixty"}}, "qr.scan_seconds: must be a whole number"),
    "a list that is none": (
        {"networks": {"trusted_proxies": "10.0.0.0/8"}},
        "networks.trusted_proxies: must be a list of texts",
    ),
    "scenes that are none": (
        {"qr": {"launch_scenes": {"wechat": 1011}}},
        "qr.launch_scenes: must be a table whose every value is a list of whole numbers",
    ),
    "a switch that is half on": ({"server__load": "half"}, "server.load: must be true or false"),
    "roots that are no table": ({"keys": {"roots": ROOT}}, "keys.roots: must be a table of versions"),
    "an address database that is none": (
        {"networks": {"area_database": __file__}},
        f"networks.area_database: {__file__} is no address database",
    ),
    "a private key of Alipay's that is none": (
        {"alipay": {**ALIPAY, "private_key": "hunter2"}},
        "alipay.private_key: is no RSA key of 2048 bits or more",
    ),
    "a public key of Alipay's that is none": (
        {"alipay": {**ALIPAY, "alipay_public_key": "hunter2"}},
        "alipay.alipay_public_key: is no RSA key of 2048 bits or more",
    ),
    "a content key of Alipay that is none": (
        {"alipay": {**ALIPAY, "aes_key": "hunter2"}},
        "alipay.aes_key: is no key of 16 bytes in Base64",
    ),
    "a private key of the web application at Alipay that is none": (
        {"alipay_login": {**ALIPAY_LOGIN, "private_key": "hunter2"}},
        "alipay_login.private_key: is no RSA key of 2048 bits or more",
    ),
    "a secret of the national platform that is no key": (
        {"national_login": {**NATIONAL, "client_secret": "hunter2"}},
        "national_login.client_secret: must be 32 hexadecimal digits",
    ),
    "a page of the national platform that is nowhere": (
        {"national_login": {**NATIONAL, "page_url": "hunter2"}},
        f"national_login.page_url: {HOST}",
    ),
    "a secret for making users of the national platform that is no key": (
        {"national_register": {**JOINING, "client_secret": "hunter2"}},
        "national_register.client_secret: must be 32 hexadecimal digits",
    ),
    "a code of the national platform that means two things": (
        {"national_register": {**JOINING, "known": ["1", "2"], "refused": ["2", "3"]}},
        "national_register.known, national_register.refused: 2 means one thing alone, and 0 is yes",
    ),
    "a yes of the national platform that is a no": (
        {"national_register": {**JOINING, "refused": ["0"]}},
        "national_register.known, national_register.refused: 0 means one thing alone, and 0 is yes",
    ),
    "a call of the national platform that is nowhere": (
        {"national_register": {**JOINING, "url": "hunter2"}},
        f"national_register.url: {HOST}",
    ),
    "a public account without its secret": (
        {"wechat_login": {"app_id": "wx2", "app_secret": "hunter2", "public_app_id": "wx3"}},
        "wechat_login.public_app_id, wechat_login.public_app_secret: one needs the other",
    ),
    "a signature in its brackets": (
        {"chuanglan": {**SMS, "signature": "【京通】"}},
        "chuanglan.signature: must have 2 to 16 characters, without 【】",
    ),
    "a signature of one character": (
        {"chuanglan": SMS, "chuanglan_second": {**SMS, "signature": "京"}},
        "chuanglan_second.signature: must have 2 to 16 characters",
    ),
    "an extension that is no number": (
        {"chuanglan": {**SMS, "extend": "12a"}},
        "chuanglan.extend: must be at most three digits",
    ),
    "templates that nobody names": (
        {"chuanglan": {**SMS, "api": "v2"}},
        "chuanglan.templates: v2 sends nothing but templates, and code.bank_card, code.bind_phone, code.claim, ",
    ),
    "reports asked of an interface that has none": (
        {"chuanglan": {**SMS, "api": "v2", "templates": dict.fromkeys(TEMPLATES, "1"), "pull_reports": True}},
        "chuanglan.pull_reports: only v1 hands out reports, and only where report is not false",
    ),
    "reports asked of messages without": (
        {"chuanglan": {**SMS, "report": False, "pull_reports": True}},
        "chuanglan.pull_reports: only v1 hands out reports, and only where report is not false",
    ),
    "reports brought by somebody half known": (
        {"chuanglan": {**SMS, "push_receiver": "hunter2"}},
        "chuanglan.push_receiver, chuanglan.push_password: one needs the other",
    ),
    "a template that is missing": (
        {
            "chuanglan": {
                **SMS,
                "api": "v2",
                "templates": {name: "1" for name in TEMPLATES if name != "code.login"},
            }
        },
        "chuanglan.templates: v2 sends nothing but templates, and code.login are not named",
    ),
    "a mail server that is an address of another kind": (
        {"mail": {**MAIL, "host": "smtp://mail.example.com"}},
        "mail.host: must be the name or the address of a host, and nothing else",
    ),
    "a mail server with its port": (
        {"mail": {**MAIL, "host": "mail.example.com:465"}},
        "mail.host: must be the name or the address of a host, and nothing else",
    ),
    "mail in the open": (
        {"server__environment": "demo", "mail": {**MAIL, "security": "plain"}},
        "mail.security: plain is for a server on this machine; another needs tls or starttls",
    ),
    "mail in the open in production": (
        {"mail": {**MAIL, "security": "plain"}},
        "mail.security: production needs tls or starttls",
    ),
    "a protection there is not": ({"mail": {**MAIL, "security": "ssl"}}, "mail.security: must be tls or starttls or"),
    "a mail server on this machine in production": (
        {"mail": {**MAIL, "host": "127.0.0.1"}},
        "mail.host: production needs a real mail server",
    ),
    "nobody's mail server in production": (
        {"mail": {**MAIL, "host": "smtp.mail.example"}},
        "mail.host: production needs a real mail server",
    ),
    "nobody's address in production": (
        {"mail": {**MAIL, "sender": "noreply@mail.example"}},
        "mail.sender: production sends from a real address",
    ),
    "a sender that is no address": (
        {"mail": {**MAIL, "sender": "Beijing <noreply@example.com>"}},
        "mail.sender: must be a mail address such as noreply@id.example.com",
    ),
    "a sender's name with a header in it": (
        {"mail": {**MAIL, "sender_name": "x\r\nBcc: y@example.com"}},
        "mail.sender_name: must be one line of text",
    ),
    "a port of mail that there is not": ({"mail": {**MAIL, "port": 65536}}, "mail.port: must be a number from 1"),
    "a mail account without a password": (
        {"mail": {**MAIL, "username": "bjidp"}},
        "mail.username, mail.password: one needs the other",
    ),
    "a mail password without an account": (
        {"mail": {**MAIL, "password": "hunter2"}},
        "mail.username, mail.password: one needs the other",
    ),
    "an interface there is not": ({"chuanglan": {**SMS, "api": "v3"}}, "chuanglan.api: must be v1 or v2"),
    "a refusal of no kind": (
        {"chuanglan": {**SMS, "refusals": {"000107": "hunter2"}}},
        "chuanglan.refusals: must be a table whose every value is number or content or frequency or balance or ",
    ),
    "a second account without a first": (
        {"chuanglan_second": SMS},
        "chuanglan_second: is the second of two; the first is chuanglan",
    ),
    "a Redis with a broken port": (
        {"storage__redis_url": "redis://:hunter2@cache:port/0"},
        "storage.redis_url: is no address such as",
    ),
    "a Redis with an option that makes no sense": (
        {"storage__redis_url": "redis://:hunter2@cache:6379/0?socket_timeout=soon"},
        "storage.redis_url: is no address such as",
    ),
    "a certificate that is not there": (
        {"server__tls_certificate": "/none.pem", "server__tls_key": __file__},
        "server.tls_certificate: there is no file /none.pem",
    ),
    "a key that is not there": (
        {"server__tls_certificate": __file__, "server__tls_key": "/none.key"},
        "server.tls_key: there is no file /none.key",
    ),
    "a certificate that is none": (
        {"server__tls_certificate": __file__, "server__tls_key": __file__},
        "server.tls_certificate, server.tls_key: are no certificate chain",
    ),
}


@pytest.mark.req("OPS-2")
@pytest.mark.parametrize(("changes", "words"), FAULTS.values(), ids=FAULTS.keys())
def test_each_fault_is_told_once_and_in_words(changes: dict[str, Any], words: str) -> None:
    (told,) = faults(**changes)
    assert told.startswith(words)
    assert "hunter2" not in told


@pytest.mark.req("OPS-2")
def test_faults_of_several_kinds_are_told_together() -> None:
    told = faults(
        server={
            "base_url": "http://intranet.example/x",
            "tls_certificate": "/none.pem",
            "tls_key": "/none.key",
            "listen_port": 99_999_999,
        },
        wechat__base_url="not a url",
        sessions={"lifetime_seconds": 10**9},
    )
    assert sorted(fault.partition(":")[0] for fault in told) == [
        "server.base_url",
        "server.listen_port",
        "server.tls_certificate",
        "server.tls_key",
        "sessions.lifetime_seconds",
        "wechat.base_url",
    ]


@pytest.mark.req("OPS-2")
def test_what_cannot_be_read_hides_nothing_else_that_is_wrong(tmp_path: Path) -> None:
    told = faults(
        beside=tmp_path,
        server={"base_url": "http://intranet.example", "listen_port": 99_999_999, "workers": "two", "colour": "red"},
        storage={"database_url": "mysql://x", "redis_url": 5},
        keys={"roots": {"1": {"file": "none.key"}, "2": "not base64"}, "current": 3},
        networks={"trusted_proxies": 5, "shared": ["x"], "area_database": __file__},
        wechat={"app_id": "wx1", "base_url": "https://api.example.com"},
        alipay={"app_id": 5, "private_key": "no key", "alipay_public_key": "no key"},
        kitchen={"sink": 1},
    )
    assert sorted(fault.partition(":")[0] for fault in told) == [
        "alipay.alipay_public_key",
        "alipay.app_id",
        "alipay.private_key",
        "keys.current",
        "keys.roots.1",
        "keys.roots.2",
        "kitchen",
        "networks.area_database",
        "networks.shared",
        "networks.trusted_proxies",
        "server.base_url",
        "server.colour",
        "server.listen_port",
        "server.workers",
        "storage.database_url",
        "storage.redis_url",
        "wechat.app_secret",
        "wechat.base_url",
    ]


def test_the_bounds_themselves_are_allowed(tmp_path: Path) -> None:
    (tmp_path / "a folder").mkdir()
    read = settings(
        server__listen_port=65_535,
        sessions={"lifetime_seconds": 43_200},
        qr={"scan_seconds": 60, "confirm_seconds": 60, "redeem_seconds": 30},
        storage__database_url=f"sqlite:///{tmp_path}/a folder/bjidp.sqlite",
    )
    assert read.server.listen_port == 65_535


def a_certificate(folder: Path, name: str, locked: bytes | None = None) -> tuple[str, str]:
    """Write a certificate and its key, locked by a password if one is given."""
    key = ec.generate_private_key(ec.SECP256R1())
    owner = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(owner)
        .issuer_name(owner)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2027, 1, 1, tzinfo=dt.UTC))
        .sign(key, hashes.SHA256())
    )
    lock = serialization.NoEncryption() if locked is None else serialization.BestAvailableEncryption(locked)
    paths = folder / f"{name}.pem", folder / f"{name}.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock),
    )
    return str(paths[0]), str(paths[1])


@pytest.mark.req("OPS-2")
def test_a_certificate_goes_with_its_own_key_and_nobody_is_asked_for_a_password(tmp_path: Path) -> None:
    certificate, key = a_certificate(tmp_path, "id.example.com")
    locked = a_certificate(tmp_path, "locked.example.com", b"hunter2")
    assert settings(server__tls_certificate=certificate, server__tls_key=key).server.tls_key == key
    for wrong in ((certificate, locked[1]), (locked[0], key), locked):
        (told,) = faults(server__tls_certificate=wrong[0], server__tls_key=wrong[1])
        assert told.startswith("server.tls_certificate, server.tls_key: are no certificate chain")
