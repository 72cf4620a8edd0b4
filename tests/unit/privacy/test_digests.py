"""Blind indexes and pseudonyms: equal for equal values, unrelated for everything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bjidp.entropy import from_base64url
from bjidp.privacy.index import BlindIndex
from bjidp.privacy.keyring import Keyring, RootKey
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.secret import Secret

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
PARTS = st.lists(TEXTS, min_size=1, max_size=3)


def keyring(*versions: int, current: int | None = None) -> Keyring:
    """Return a keyring of the given versions."""
    return Keyring([RootKey(version, Secret(bytes([version]) * 32)) for version in versions], current)


@pytest.mark.req("PRV-1")
@given(PARTS, PARTS, st.sampled_from(["phone", "document"]), st.sampled_from(["phone", "document"]))
def test_digests_agree_exactly_when_kind_and_value_do(one: list[str], other: list[str], a: str, b: str) -> None:
    index = BlindIndex(keyring(1))
    assert (index.digest(a, *one) == BlindIndex(keyring(1)).digest(b, *other)) == ((a, one) == (b, other))


@pytest.mark.req("PRV-1")
def test_a_claim_covers_every_active_version_and_a_look_up_the_current_one() -> None:
    index = BlindIndex(keyring(3, 1, 2, current=2))
    claimed = index.digests("phone", "13800000000")
    assert [digest.version for digest in claimed] == [1, 2, 3]
    assert len({digest.value for digest in claimed}) == 3
    assert index.digest("phone", "13800000000") == claimed[1]


@pytest.mark.req("PRV-1")
def test_the_digest_of_a_value_is_the_same_for_ever() -> None:
    """Pinned: another function would leave every account unfindable."""
    assert BlindIndex(keyring(1)).digest("phone", "13800000000").value.hex() == (
        "0eb4c8d16b7de32128935032ea75f066f8190356a72fbaaaa1885e05b0ac1adf"
    )
    assert Pseudonyms(keyring(1)).key("network", "1.2.3.0") == "7yvWSQiFzvG5tldMBIPbWjEouL4RLQF5zq6hnillA8s"


@given(PARTS, PARTS, st.sampled_from(["network", "ticket"]), st.sampled_from(["network", "ticket"]))
def test_pseudonyms_agree_exactly_when_label_and_parts_do(one: list[str], other: list[str], a: str, b: str) -> None:
    names = Pseudonyms(keyring(1))
    assert (names.key(a, *one) == names.key(b, *other)) == ((a, one) == (b, other))
    assert from_base64url(names.key(a, *one)) == names.digest(a, *one)
    assert len(names.key(a, *one)) == 43


@pytest.mark.req("PRV-1")
def test_pseudonyms_are_looked_up_under_every_active_version_and_written_under_the_current_one() -> None:
    names = Pseudonyms(keyring(3, 1, 2, current=2))
    alone = {version: Pseudonyms(keyring(version)).digest("network", "1.2.3.0") for version in (1, 2, 3)}
    assert names.digests("network", "1.2.3.0") == (alone[2], alone[3], alone[1])
    assert names.digest("network", "1.2.3.0") == alone[2]
    assert Pseudonyms(keyring(1)).digests("network", "1.2.3.0") == (alone[1],)


def test_a_pseudonym_is_no_blind_index() -> None:
    """Or whoever sees the keys of a counter could look an account up in a stolen database."""
    keys = keyring(1)
    assert Pseudonyms(keys).digest("phone", "13800000000") != BlindIndex(keys).digest("phone", "13800000000").value
