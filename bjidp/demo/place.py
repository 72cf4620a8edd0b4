"""Where the demonstration runs, and what is written there before it does.

Owns its addresses, the server's configuration and keys, and the certificate for a local network. Called by ``running``.
"""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
import json
import socket
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from msgspec import Struct

from bjidp.clock import SystemClock
from bjidp.entropy import SystemEntropy
from bjidp.sandbox.credentials import ClientSettings


class Place(Struct, frozen=True):
    """Where the demo runs; ``tls`` names certificate and key when it is reached from other machines."""

    scheme: str
    host: str
    portal_host: str
    port: int
    data: Path
    tls: tuple[Path, Path] | None

    @property
    def server(self) -> str:
        """The server's address, unless the environment names another base URL."""
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def sandbox(self) -> str:
        """The sandbox's address."""
        return f"{self.scheme}://{self.host}:{self.port + 1}"

    @property
    def portal(self) -> str:
        """The portal's address: another host, since cookies do not tell ports apart."""
        return f"{self.scheme}://{self.portal_host}:{self.port + 2}"


def write_config(place: Place, vendors: ClientSettings) -> Path:
    """Write the configuration of a server that takes the sandbox for its vendors, and its keys; return its path."""
    root = place.data / "root.key"
    if not root.exists():
        write_secret(root, base64.b64encode(SystemEntropy().octets(32)).decode())
    alipay_key = place.data / "alipay.pem"
    write_secret(alipay_key, vendors.alipay.app_private_key)
    server: dict[str, object] = {
        "base_url": place.server,
        "environment": "demo",
        "listen_host": place.host,
        "listen_port": place.port,
        "portal_url": f"{place.portal}/",
        "simulator_url": place.sandbox,
    }
    if place.tls is not None:
        server |= {"tlscertificate": str(place.tls[0]), "tls_key": str(place.tls[1])}
    sections: dict[str, dict[str, object]] = {
        "server": server,
        "storage": {"database_url": f"sqlite:///{(place.data / 'bjidp.sqlite').resolve()}"},
        "keys.roots": {"1": _File("root.key")},
        "beijing": {"enabled": True},
        "authority": {
            "base_url": vendors.authority.base_url,
            "key_id": vendors.authority.key_id,
            "secret": vendors.authority.secret,
        },
        "bank": {
            "base_url": vendors.bank.base_url,
            "key_id": vendors.bank.key_id,
            "secret": vendors.bank.secret,
        },
        "business_register": {
            "base_url": vendors.business_register.base_url,
            "key_id": vendors.business_register.key_id,
            "secret": vendors.business_register.secret,
        },
        "wechat": {
            "app_id": vendors.wechat.app_id,
            "app_secret": vendors.wechat.secret,
            "base_url": vendors.wechat.base_url,
        },
        "alipay": {
            "app_id": vendors.alipay.app_id,
            "private_key": _File("alipay.pem"),
            "alipay_public_key": vendors.alipay.alipay_public_key,
            "aes_key": vendors.alipay.aes_key,
            "gateway_url": vendors.alipay.gateway_url,
        },
        "baidu": {
            "app_key": vendors.baidu.client_id,
            "app_secret": vendors.baidu.client_secret,
            "aip_key": vendors.baidu.aip_key,
            "aip_secret": vendors.baidu.aip_secret,
            "plan_id": vendors.baidu.plan_id,
            "base_url": vendors.baidu.base_url,
            "aip_url": vendors.baidu.base_url,
            "face_page_url": f"{vendors.baidu.base_url}/face/print/",
        },
        "national_login": {
            "client_id": vendors.national_login.client_id,
            "client_secret": vendors.national_login.secret,
            "page_url": vendors.national_login.page_url,
            "token_url": vendors.national_login.token_url,
            "user_url": vendors.national_login.user_url,
        },
        "national_register": {
            "client_id": vendors.national_register.client_id,
            "client_secret": vendors.national_register.secret,
            "url": vendors.national_register.url,
            "known": vendors.national_register.known,
            "refused": vendors.national_register.refused,
        },
        "alipay_login": {
            "app_id": vendors.alipay_login.app_id,
            "private_key": _File("alipay.pem"),
            "alipay_public_key": vendors.alipay_login.alipay_public_key,
            "page_url": vendors.alipay_login.page_url,
            "gateway_url": vendors.alipay_login.gateway_url,
        },
        "wechat_login": {
            "app_id": vendors.wechat_login.app_id,
            "app_secret": vendors.wechat_login.secret,
            "public_app_id": vendors.wechat_login.public_app_id,
            "public_app_secret": vendors.wechat_login.public_secret,
            "page_url": vendors.wechat_login.page_url,
            "base_url": vendors.wechat_login.base_url,
        },
        "baidu_login": {
            "client_id": vendors.baidu_login.client_id,
            "client_secret": vendors.baidu_login.secret,
            "page_url": vendors.baidu_login.page_url,
            "base_url": vendors.baidu_login.base_url,
        },
        "chuanglan": {
            "account": vendors.chuanglan.account,
            "password": vendors.chuanglan.password,
            "signature": vendors.chuanglan.signature,
            "base_url": vendors.chuanglan.base_url,
        },
        "mail": {
            "host": vendors.mail.host,
            "port": vendors.mail.port,
            "security": "plain",
            "username": vendors.mail.username,
            "password": vendors.mail.password,
            "sender": vendors.mail.sender,
            "sender_name": "北京市统一身份认证平台",
        },
    }
    path = place.data / "server.toml"
    lines = ["# Written by `bjidp demo` at every start."]
    for name, fields in sections.items():
        lines += ["", f"[{name}]", *(f"{field} = {_toml(value)}" for field, value in fields.items())]
    write_secret(path, "\n".join(lines) + "\n")
    return path


class _File(str):
    """The name of a file that holds a secret."""

    __slots__ = ()


def _toml(value: object) -> str:
    # A JSON string is a TOML basic string as well (TOML 1.0, "String").
    return f"{{ file = {json.dumps(value)} }}" if isinstance(value, _File) else json.dumps(value, ensure_ascii=False)


def write_secret(path: Path, text: str) -> None:
    """Write what nobody but the owner of the file may read."""
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def private_address() -> str:
    """Return the address that this machine has on a local network; raise :class:`OSError` when it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        # Connecting a datagram socket sends nothing: it only asks the kernel which address it would send from.
        try:
            probe.connect(("10.255.255.255", 1))
        except OSError as fault:
            raise OSError("this machine has no address on a local network: run the demo without LAN=1") from fault
        host = str(probe.getsockname()[0])
    if not ipaddress.ip_address(host).is_private:
        raise OSError("this machine's address is a public one: the demo does not listen there")
    return host


def certificate(host: str, data: Path) -> tuple[Path, Path]:
    """Make a certificate for ``host``, which is its own authority; return where it and its key lie."""
    pem_file, key = data / "lan.pem", data / "lan.key"
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bjidp demo")])
    today = dt.datetime.fromtimestamp(SystemClock().now() / 1000, dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(private, hashes.SHA256())
    )
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    write_secret(key, pem.decode())
    return pem_file, key
