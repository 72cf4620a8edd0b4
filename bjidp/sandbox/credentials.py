"""Who may call which service, and what the caller needs to know for it.

The identifiers and secrets of the sandbox are published constants: whoever reads them can do nothing but talk to a
sandbox. Only the RSA keys are made on the spot, so that no private key lies in the source.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from msgspec import Struct, structs

_EXPONENT: Final = 65537
_BITS: Final = 2048


class WechatApp(Struct, frozen=True):
    """A mini-program at WeChat."""

    app_id: str
    secret: str


class AlipayApp(Struct, frozen=True, kw_only=True):
    """A mini-program at Alipay: the caller's key pair, the gateway's key pair, and the content key."""

    app_id: str
    app_key: RSAPrivateKey
    gateway_key: RSAPrivateKey
    aes_key: str
    """Base64 of 16 bytes."""


class BaiduApp(Struct, frozen=True):
    """A smart program at Baidu, and the account for the face service, which is another product with keys of its own."""

    client_id: str
    secret: str
    aip_key: str
    aip_secret: str
    plan_id: int


class WebClient(Struct, frozen=True):
    """A website at Baidu, or at 国家政务服务平台, whose secret is hexadecimal and a key besides."""

    client_id: str
    secret: str


class CallerKey(Struct, frozen=True):
    """A caller of a register: of the authority, the bank or the business register."""

    key_id: str
    secret: str


class ChuanglanAccount(Struct, frozen=True):
    """An account at Chuanglan, and the signature that is registered for it."""

    account: str
    password: str
    signature: str


class MailAccount(Struct, frozen=True):
    """An account at the mail server, and the one address it may send from."""

    username: str
    password: str
    sender: str


class SandboxCredentials(Struct, frozen=True, kw_only=True):
    """Everything the services know their one caller by."""

    wechat: WechatApp
    wechat_website: WechatApp
    wechat_public: WechatApp
    alipay: AlipayApp
    alipay_website: AlipayApp
    baidu: BaiduApp
    baidu_website: WebClient
    national: WebClient
    authority: CallerKey
    bank: CallerKey
    business_register: CallerKey
    chuanglan: ChuanglanAccount
    mail: MailAccount
    openid_seed: str
    """What the platforms derive openids from; no caller knows it."""

    def client_settings(self, base_url: str, mail_port: int = 2525) -> ClientSettings:
        """Return what the caller of a sandbox at ``base_url`` has to be configured with.

        ``mail_port`` is where its mail server listens, if it has one.
        """
        base = base_url.rstrip("/")
        return ClientSettings(
            wechat=WechatClient(base_url=f"{base}/wechat", app_id=self.wechat.app_id, secret=self.wechat.secret),
            alipay=AlipayClient(
                gateway_url=f"{base}/alipay/gateway.do",
                app_id=self.alipay.app_id,
                app_private_key=private_pem(self.alipay.app_key),
                alipay_public_key=public_base64(self.alipay.gateway_key),
                aes_key=self.alipay.aes_key,
            ),
            baidu=BaiduClient(
                base_url=f"{base}/baidu",
                client_id=self.baidu.client_id,
                client_secret=self.baidu.secret,
                aip_key=self.baidu.aip_key,
                aip_secret=self.baidu.aip_secret,
                plan_id=self.baidu.plan_id,
            ),
            wechat_login=WechatLoginClient(
                page_url=f"{base}/pages/wechat",
                base_url=f"{base}/wechat",
                app_id=self.wechat_website.app_id,
                secret=self.wechat_website.secret,
                public_app_id=self.wechat_public.app_id,
                public_secret=self.wechat_public.secret,
            ),
            alipay_login=AlipayLoginClient(
                page_url=f"{base}/pages/alipay/oauth2/publicAppAuthorize.htm",
                gateway_url=f"{base}/alipay/gateway.do",
                app_id=self.alipay_website.app_id,
                app_private_key=private_pem(self.alipay_website.app_key),
                alipay_public_key=public_base64(self.alipay_website.gateway_key),
            ),
            baidu_login=BaiduLoginClient(
                page_url=f"{base}/pages/baidu/oauth/2.0/authorize",
                base_url=f"{base}/baidu",
                client_id=self.baidu_website.client_id,
                secret=self.baidu_website.secret,
            ),
            national_login=NationalLoginClient(
                page_url=f"{base}/pages/national/open/login/goUserLogin",
                token_url=f"{base}/national/api/oauth/getAccessToken",
                user_url=f"{base}/national/api/info/getUserInfo",
                client_id=self.national.client_id,
                secret=self.national.secret,
            ),
            national_register=NationalRegisterClient(
                url=f"{base}/national/open/api/register/doUserRegisterByCertInfo",
                client_id=self.national.client_id,
                secret=self.national.secret,
                known=["20001"],
                refused=["20002"],
            ),
            authority=_register_client(f"{base}/authority", self.authority),
            bank=_register_client(f"{base}/bank", self.bank),
            business_register=_register_client(f"{base}/register", self.business_register),
            chuanglan=ChuanglanClient(
                base_url=f"{base}/chuanglan",
                account=self.chuanglan.account,
                password=self.chuanglan.password,
                signature=self.chuanglan.signature,
            ),
            mail=MailClient(
                host="127.0.0.1",
                port=mail_port,
                username=self.mail.username,
                password=self.mail.password,
                sender=self.mail.sender,
            ),
        )


class WechatClient(Struct, frozen=True):
    """What a client of WeChat needs. Vendor paths such as ``/sns/jscode2session`` come after ``base_url``."""

    base_url: str
    app_id: str
    secret: str


class AlipayClient(Struct, frozen=True):
    """What a client of Alipay needs: its own private key as PKCS#8 PEM, and Alipay's public key as Alipay shows it.

    That is the Base64 of the SubjectPublicKeyInfo on one line, without header.
    """

    gateway_url: str
    app_id: str
    app_private_key: str
    alipay_public_key: str
    aes_key: str


class BaiduClient(Struct, frozen=True):
    """What a client of Baidu needs; ``base_url`` stands for all of its hosts (spapi, openapi, aip, brain)."""

    base_url: str
    client_id: str
    client_secret: str
    aip_key: str
    aip_secret: str
    plan_id: int


class WechatLoginClient(Struct, frozen=True):
    """What a website that people log in to by WeChat needs, inside WeChat and outside."""

    page_url: str
    base_url: str
    app_id: str
    secret: str
    public_app_id: str
    public_secret: str


class AlipayLoginClient(Struct, frozen=True):
    """What a website that people log in to by Alipay needs; the keys as in :class:`AlipayClient`."""

    page_url: str
    gateway_url: str
    app_id: str
    app_private_key: str
    alipay_public_key: str


class BaiduLoginClient(Struct, frozen=True):
    """What a website that people log in to by Baidu needs."""

    page_url: str
    base_url: str
    client_id: str
    secret: str


class NationalLoginClient(Struct, frozen=True):
    """What a website that people log in to by 国家政务服务平台 needs."""

    page_url: str
    token_url: str
    user_url: str
    client_id: str
    secret: str


class NationalRegisterClient(Struct, frozen=True):
    """What a client needs that makes users of 国家政务服务平台: ``known`` and ``refused`` are codes for no."""

    url: str
    client_id: str
    secret: str
    known: list[str]
    refused: list[str]


class RegisterClient(Struct, frozen=True):
    """What a client of a register needs."""

    base_url: str
    key_id: str
    secret: str


class ChuanglanClient(Struct, frozen=True):
    """What a client of Chuanglan needs; ``base_url`` stands for the hosts of both interfaces."""

    base_url: str
    account: str
    password: str
    signature: str


class MailClient(Struct, frozen=True):
    """What a client of the mail server needs; it speaks SMTP without TLS, on this machine alone."""

    host: str
    port: int
    username: str
    password: str
    sender: str


class ClientSettings(Struct, frozen=True):
    """What the composition root of the caller has to be given."""

    wechat: WechatClient
    alipay: AlipayClient
    baidu: BaiduClient
    wechat_login: WechatLoginClient
    alipay_login: AlipayLoginClient
    baidu_login: BaiduLoginClient
    national_login: NationalLoginClient
    national_register: NationalRegisterClient
    authority: RegisterClient
    bank: RegisterClient
    business_register: RegisterClient
    chuanglan: ChuanglanClient
    mail: MailClient


def default_credentials(data_dir: Path | None) -> SandboxCredentials:
    """Return the sandbox's usual credentials.

    The two RSA keys are read from ``data_dir``, or made and kept there as PEM readable by their owner alone; without a
    folder they are new each time. Blocks for some tenths of a second when it makes keys. Raises :class:`OSError`, and
    :class:`ValueError` for a file that holds no RSA key.
    """
    alipay = AlipayApp(
        app_id="9999000000000001",
        app_key=_key(data_dir, "alipay-app-key.pem"),
        gateway_key=_key(data_dir, "alipay-gateway-key.pem"),
        aes_key="c2FuZGJveC1hZXMta2V5IQ==",
    )
    return SandboxCredentials(
        wechat=WechatApp(app_id="wx9999000000000001", secret="5a0db0c5a0db0c5a0db0c5a0db0c0001"),
        wechat_website=WechatApp(app_id="wx9999000000000002", secret="5a0db0c5a0db0c5a0db0c5a0db0c0002"),
        wechat_public=WechatApp(app_id="wx9999000000000003", secret="5a0db0c5a0db0c5a0db0c5a0db0c0003"),
        alipay=alipay,
        # With the keys of the other app: a pair takes its time to make.
        alipay_website=structs.replace(alipay, app_id="9999000000000002"),
        baidu_website=WebClient(client_id="sandboxBaiduWebKey0001", secret="sandboxBaiduWebSecret00000000001"),
        national=WebClient(client_id="999900000001", secret="5a0db0c5a0db0c5a0db0c5a0db0c5a0d"),
        baidu=BaiduApp(
            client_id="sandboxBaiduAppKey00000000000001",
            secret="sandboxBaiduAppSecret00000000001",
            aip_key="sandboxAipApiKey00000001",
            aip_secret="sandboxAipSecretKey0000000000001",
            plan_id=99990001,
        ),
        authority=CallerKey(key_id="sandbox-authority-1", secret="sandbox-authority-secret-0000001"),
        bank=CallerKey(key_id="sandbox-bank-1", secret="sandbox-bank-secret-000000000001"),
        business_register=CallerKey(key_id="sandbox-register-1", secret="sandbox-register-secret-00000001"),
        chuanglan=ChuanglanAccount(account="N9990001", password="sandboxChuanglan01", signature="京通"),
        mail=MailAccount(username="sandbox-mail", password="sandboxMailPassword01", sender="noreply@id.example"),
        openid_seed="sandbox-openids-1",
    )


def _register_client(base_url: str, key: CallerKey) -> RegisterClient:
    return RegisterClient(base_url=base_url, key_id=key.key_id, secret=key.secret)


def private_pem(key: RSAPrivateKey) -> str:
    """Write a private key as unencrypted PKCS#8 PEM."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")


def public_base64(key: RSAPrivateKey) -> str:
    """Write the public half as Alipay's console does: Base64 of the SubjectPublicKeyInfo, on one line."""
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode("ascii")


def _key(data_dir: Path | None, name: str) -> RSAPrivateKey:
    if data_dir is None:
        return generate_private_key(_EXPONENT, _BITS)
    path = data_dir / name
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(private_pem(generate_private_key(_EXPONENT, _BITS)), encoding="ascii")
        # In one step, so that a crash leaves a whole key or none.
        fresh.replace(path)
    key = load_pem_private_key(path.read_bytes(), password=None)
    if isinstance(key, RSAPrivateKey):
        return key
    raise ValueError(f"{name} holds no RSA key")
