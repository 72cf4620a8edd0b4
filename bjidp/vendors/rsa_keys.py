"""RSA keys in the forms that vendors hand them out.

Owns reading one. Called by ``alipay.signing``, and by ``config`` so that a wrong one is told with every other fault;
whoever calls says whose key it is: a fault goes on where its name ends.
"""

from __future__ import annotations

import base64
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bjidp.secret import Secret

MIN_BITS: Final = 2048

_NO_KEY: Final = f"is no RSA key of {MIN_BITS} bits or more"


def read_private_key(private_key: Secret) -> rsa.RSAPrivateKey:
    """Read a private key: PKCS#1 or PKCS#8, as PEM or as bare Base64.

    Raises :class:`ValueError`, without quoting the key, when it is none of these or shorter than 2048 bits.
    """
    material = private_key.reveal()
    try:
        if b"-----BEGIN" in material:
            key = serialization.load_pem_private_key(material, password=None)
        else:
            key = serialization.load_der_private_key(base64.b64decode(material, validate=False), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < MIN_BITS:
        raise ValueError(_NO_KEY)
    return key


def read_public_key(public_key: str) -> rsa.RSAPublicKey:
    """Read a public key: X.509 SubjectPublicKeyInfo, as PEM or bare Base64; raise :class:`ValueError` if it is none."""
    try:
        if "-----BEGIN" in public_key:
            key = serialization.load_pem_public_key(public_key.encode())
        else:
            key = serialization.load_der_public_key(base64.b64decode(public_key, validate=False))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError(_NO_KEY) from None
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < MIN_BITS:
        raise ValueError(_NO_KEY)
    return key
