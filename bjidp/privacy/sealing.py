"""Sealing bytes: authenticated encryption under a derived key, bound to where the bytes belong.

Owns the sealed form: two bytes of key version, the nonce, ciphertext and tag. Called by ``fields`` and ``seals``.
"""

from __future__ import annotations

from bjidp.entropy import Entropy
from bjidp.privacy.framing import framed
from bjidp.privacy.keyring import Keyring, UnknownKeyVersion
from bjidp.privacy.suites import Aead, SealBroken

VERSION_SIZE = 2


class Sealing:
    """Seals with the current key, opens with any active one.

    Keys are derived per label: the 2**32 values that random nonces of 96 bits are safe for (NIST SP 800-38D,
    section 8.3) are counted for each label and key version by itself.
    """

    def __init__(self, keyring: Keyring, entropy: Entropy) -> None:
        """Use the active keys of ``keyring``."""
        self._keyring = keyring
        self._entropy = entropy
        self._ciphers: dict[tuple[int, str], Aead] = {}

    def seal(self, label: str, place: tuple[str, ...], data: bytes) -> bytes:
        """Return ``data`` sealed under the key for ``label``, a name from the code, for exactly this ``place``."""
        version = self._keyring.current
        nonce = self._entropy.octets(self._keyring.suite(version).nonce_size)
        sealed = self._cipher(version, label).encrypt(nonce, data, framed(*place, str(version)))
        return version.to_bytes(VERSION_SIZE, "big") + nonce + sealed

    def open(self, label: str, place: tuple[str, ...], sealed: bytes) -> bytes:
        """Return the bytes sealed for this label and place; raise :class:`SealBroken` for anything else."""
        version = sealed_version(sealed)
        try:
            start = VERSION_SIZE + self._keyring.suite(version).nonce_size
            bound = framed(*place, str(version))
            return self._cipher(version, label).decrypt(sealed[VERSION_SIZE:start], sealed[start:], bound)
        except (UnknownKeyVersion, ValueError):
            # ValueError is how the library refuses a nonce cut short.
            raise SealBroken from None

    def _cipher(self, version: int, label: str) -> Aead:
        cipher = self._ciphers.get((version, label))
        if cipher is None:
            suite = self._keyring.suite(version)
            cipher = self._ciphers[version, label] = suite.aead(self._keyring.derive(version, label))
        return cipher


def sealed_version(sealed: bytes) -> int:
    """Return the key version a sealed value says it was made with."""
    return int.from_bytes(sealed[:VERSION_SIZE], "big")
