"""RSA2: SHA256withRSA, PKCS#1 v1.5, over the gateway's own canonical text."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256


def string_to_sign(parameters: Mapping[str, str]) -> str:
    """Return the text a request's signature covers: all but ``sign`` and empty ones, by name, not URL-encoded."""
    return "&".join(f"{name}={value}" for name, value in sorted(parameters.items()) if name != "sign" and value)


def sign(key: RSAPrivateKey, octets: bytes) -> str:
    """Return the Base64 of the signature of ``octets``."""
    return base64.b64encode(key.sign(octets, PKCS1v15(), SHA256())).decode("ascii")


def verify(key: RSAPublicKey, octets: bytes, signature: str) -> bool:
    """Tell whether ``signature`` is the Base64 of a good signature of ``octets``."""
    try:
        key.verify(base64.b64decode(signature, validate=True), octets, PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True
