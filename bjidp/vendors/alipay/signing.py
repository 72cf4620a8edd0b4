"""RSA2: how a request to Alipay's gateway is signed, and how its answer proves where it comes from.

Owns the canonical text of a request, and finding in an answer the very bytes that were signed. Pure; called by
``gateway``. RSA2 is RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, section 8.2) over UTF-8.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256

from bjidp.secret import Secret
from bjidp.vendors.rsa_keys import read_private_key, read_public_key

_BLANK: Final = re.compile(rb"[ \t\r\n]*+")
_SCALAR: Final = re.compile(rb"[-+.0-9A-Za-z]++")
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
# A whole string is one token, so nothing inside it counts; a quote that is left over opens one that never ends.
_STRUCTURE: Final = re.compile(_STRING.pattern + rb'|[{}\[\]"]', re.DOTALL)


class MalformedAnswer(Exception):
    """The text is not one JSON object, or names a member twice: which one was signed would be a guess."""


def canonical(parameters: Mapping[str, str]) -> str:
    """Return the text a request's signature is made over.

    All parameters of query and body with a value, but for ``sign``, sorted by name, raw and not URL-encoded;
    ``sign_type`` is one of them.
    """
    return "&".join(f"{name}={value}" for name, value in sorted(parameters.items()) if value and name != "sign")


class RequestKey:
    """Our half: signs requests with the app's private key."""

    def __init__(self, private_key: Secret) -> None:
        """Read the key; raise :class:`ValueError`, without quoting it, as ``vendors.rsa_keys`` does."""
        try:
            self._key = read_private_key(private_key)
        except ValueError as fault:
            raise ValueError(f"the app's private key {fault}") from None

    def sign(self, parameters: Mapping[str, str]) -> str:
        """Return the Base64 of the RSA2 signature over the canonical text of ``parameters``."""
        return base64.b64encode(self._key.sign(canonical(parameters).encode(), padding.PKCS1v15(), SHA256())).decode()


class AnswerKey:
    """Their half: checks answers with Alipay's public key."""

    def __init__(self, public_key: str) -> None:
        """Read the key; raise :class:`ValueError` as ``vendors.rsa_keys`` does."""
        try:
            self._key = read_public_key(public_key)
        except ValueError as fault:
            raise ValueError(f"Alipay's public key {fault}") from None

    def verifies(self, signed: bytes, signature: str) -> bool:
        """Return whether ``signature`` (Base64) is Alipay's over exactly ``signed``."""
        try:
            self._key.verify(base64.b64decode(signature, validate=True), signed, padding.PKCS1v15(), SHA256())
        except (InvalidSignature, binascii.Error, ValueError):
            return False
        return True


def members(answer: bytes) -> dict[str, bytes]:
    r"""Return the members of a JSON object, each value as the bytes it was written with.

    The signature is over these bytes: reading the value and writing it again would change escapes (``\/``), order
    and blanks. An object's bytes run from its ``{`` to the matching ``}``, an encrypted answer's from quote to quote,
    both included. Braces and quotes inside strings are text. Raises :class:`MalformedAnswer`.
    """
    found: dict[str, bytes] = {}
    at = _expect(answer, _blank(answer, 0), b"{")
    at = _blank(answer, at)
    if answer[at : at + 1] == b"}":
        at += 1
    else:
        while True:
            end = _string_end(answer, at)
            try:
                name = msgspec.json.decode(answer[at:end], type=str)
            except (msgspec.DecodeError, UnicodeDecodeError):
                raise MalformedAnswer from None
            start = _blank(answer, _expect(answer, _blank(answer, end), b":"))
            end = _value_end(answer, start)
            if name in found:
                raise MalformedAnswer
            found[name] = answer[start:end]
            at = _blank(answer, end)
            if answer[at : at + 1] == b"}":
                at += 1
                break
            at = _blank(answer, _expect(answer, at, b","))
    if _blank(answer, at) != len(answer):
        raise MalformedAnswer
    return found


def _blank(text: bytes, at: int) -> int:
    return _BLANK.match(text, at).end()  # type: ignore[union-attr]  # it matches the empty text, so always


def _expect(text: bytes, at: int, token: bytes) -> int:
    if not text.startswith(token, at):
        raise MalformedAnswer
    return at + len(token)


def _string_end(text: bytes, at: int) -> int:
    string = _STRING.match(text, at)
    if string is None:
        raise MalformedAnswer
    return string.end()


def _value_end(text: bytes, at: int) -> int:
    if text.startswith(b'"', at):
        return _string_end(text, at)
    if not text.startswith((b"{", b"["), at):
        scalar = _SCALAR.match(text, at)
        if scalar is None:
            raise MalformedAnswer
        return scalar.end()
    closing: list[bytes] = []
    for token in _STRUCTURE.finditer(text, at):
        match token[0]:
            case b"{":
                closing.append(b"}")
            case b"[":
                closing.append(b"]")
            case b"}" | b"]":
                if closing.pop() != token[0]:
                    raise MalformedAnswer
                if not closing:
                    return token.end()
            case b'"':
                raise MalformedAnswer
            case _:
                continue
    raise MalformedAnswer
