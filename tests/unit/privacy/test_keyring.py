"""Which keys there are, and that no two purposes share one."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bjidp.privacy.keyring import Keyring, RootKey, UnknownKeyVersion
from bjidp.secret import Secret


def root(version: int, size: int = 32) -> RootKey:
    """Return a root key of ``size`` bytes."""
    return RootKey(version, Secret(bytes([version % 256]) * size))


def test_the_newest_version_is_current_unless_said_otherwise() -> None:
    assert Keyring([root(2), root(1)]).current == 2
    assert Keyring([root(2), root(1)], current=1).current == 1
    assert Keyring([root(2), root(1)]).versions == (1, 2)


@pytest.mark.parametrize(
    ("roots", "current"),
    [([], None), ([root(1), root(1)], None), ([root(0)], None), ([root(65536)], None), ([root(1, 31)], None),
     ([root(1)], 2)],
)  # fmt: skip
def test_a_keyring_that_makes_no_sense_is_refused(roots: list[RootKey], current: int | None) -> None:
    with pytest.raises(ValueError, match="key"):
        Keyring(roots, current)


def test_keys_differ_by_version_and_purpose_and_stay_the_same_between_processes() -> None:
    ring = Keyring([root(1), root(2)])
    derived = {ring.derive(version, label) for version in (1, 2) for label in ("index/phone", "index/document")}
    assert len(derived) == 4
    assert ring.derive(1, "index/phone") == Keyring([root(1)]).derive(1, "index/phone")


@pytest.mark.req("PRV-1")
def test_keys_are_derived_by_hkdf_as_written_in_rfc_5869() -> None:
    """Pinned: another derivation would leave every stored value unreadable."""
    expected = HKDF(hashes.SHA256(), 32, salt=None, info=b"bjidp/field/identity.name").derive(b"\x01" * 32)
    assert Keyring([root(1)]).derive(1, "field/identity.name") == expected
    assert expected.hex() == "ba616edfb181f5111f329e3415ae613e1f176ae7684798053698c79f12d7d73d"


def test_a_version_that_is_not_configured_is_said_to_be_unknown() -> None:
    with pytest.raises(UnknownKeyVersion):
        Keyring([root(1)]).derive(2, "x")


def test_a_keyring_shows_no_key() -> None:
    assert repr(Keyring([root(7)])) == "Keyring(versions=(7,), current=7)"
    assert "\\x07" not in repr(root(7))
