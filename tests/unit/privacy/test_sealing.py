"""Sealed fields and records open where they were sealed, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bjidp.entropy import SeededEntropy
from bjidp.privacy.fields import FieldCipher, FieldUnreadable
from bjidp.privacy.framing import framed
from bjidp.privacy.keyring import Keyring, RootKey
from bjidp.privacy.sealing import Sealing, sealed_version
from bjidp.privacy.seals import RecordSeals
from bjidp.secret import Secret

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
PLACES = st.tuples(st.sampled_from(["identity", "account"]), st.sampled_from(["name", "number"]), TEXTS)


def sealing(*versions: int, current: int | None = None) -> Sealing:
    """Return a sealing under the given key versions."""
    roots = [RootKey(version, Secret(bytes([version]) * 32)) for version in versions]
    return Sealing(Keyring(roots, current), SeededEntropy("sealing"))


@pytest.mark.req("PRV-1")
@given(TEXTS, PLACES)
def test_what_was_sealed_opens_in_its_place(text: str, place: tuple[str, str, str]) -> None:
    cipher = FieldCipher(sealing(1))
    assert cipher.open(*place, cipher.seal(*place, text)) == text


@pytest.mark.req("PRV-1")
@given(TEXTS, PLACES, PLACES)
def test_a_value_moved_to_another_row_column_or_table_does_not_open(
    text: str, place: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    cipher = FieldCipher(sealing(1))
    sealed = cipher.seal(*place, text)
    if place == other:
        assert cipher.open(*other, sealed) == text
    else:
        with pytest.raises(FieldUnreadable):
            cipher.open(*other, sealed)


@pytest.mark.parametrize("other", [("account", "name", "r"), ("identity", "number", "r"), ("identity", "name", "s")])
def test_each_part_of_the_place_is_bound(other: tuple[str, str, str]) -> None:
    cipher = FieldCipher(sealing(1))
    with pytest.raises(FieldUnreadable):
        cipher.open(*other, cipher.seal("identity", "name", "r", "张三"))


@pytest.mark.req("PRV-1")
@given(st.data())
def test_a_value_changed_anywhere_does_not_open(data: st.DataObject) -> None:
    cipher = FieldCipher(sealing(1, 2))
    sealed = bytearray(cipher.seal("identity", "name", "r", "欧阳娜娜"))
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(FieldUnreadable):
        cipher.open("identity", "name", "r", bytes(sealed))


@given(st.integers(0, 40))
def test_a_value_cut_short_does_not_open(length: int) -> None:
    cipher = FieldCipher(sealing(1))
    sealed = cipher.seal("identity", "name", "r", "欧阳娜娜")
    with pytest.raises(FieldUnreadable):
        cipher.open("identity", "name", "r", sealed[: min(length, len(sealed) - 1)])


@pytest.mark.req("PRV-1")
def test_a_value_begins_with_its_key_version_and_opens_after_a_rotation() -> None:
    old = FieldCipher(sealing(1)).seal("identity", "name", "r", "张三")
    assert sealed_version(old) == 1
    rotated = FieldCipher(sealing(1, 2))
    assert rotated.open("identity", "name", "r", old) == "张三"
    assert sealed_version(rotated.seal("identity", "name", "r", "张三")) == 2
    assert sealed_version(FieldCipher(sealing(1, 2, current=1)).seal("identity", "name", "r", "张三")) == 1


def test_a_value_said_to_be_of_another_version_does_not_open() -> None:
    """The version is bound, so that a retired key can not be brought back by changing two bytes."""
    cipher = FieldCipher(sealing(1, 2))
    sealed = cipher.seal("identity", "name", "r", "张三")
    for version in (0, 1, 3, 65535):
        with pytest.raises(FieldUnreadable):
            cipher.open("identity", "name", "r", version.to_bytes(2, "big") + sealed[2:])


def test_the_same_text_never_looks_the_same_twice() -> None:
    cipher = FieldCipher(sealing(1))
    assert len({cipher.seal("identity", "name", "r", "张三") for _ in range(100)}) == 100


def test_a_failure_names_the_column_and_nothing_else() -> None:
    cipher = FieldCipher(sealing(1))
    with pytest.raises(FieldUnreadable) as refused:
        cipher.open("identity", "name", "row", cipher.seal("identity", "name", "other row", "张三"))
    assert str(refused.value) == "identity.name"
    assert refused.value.__suppress_context__


@given(st.binary(max_size=200), TEXTS, TEXTS)
def test_a_record_opens_under_its_own_key_alone(value: bytes, place: str, other: str) -> None:
    seals = RecordSeals(sealing(1))
    sealed = seals.seal(value, place)
    assert seals.unseal(sealed, place) == value
    if other != place:
        with pytest.raises(ValueError, match="not sealed for this place"):
            seals.unseal(sealed, other)


def test_a_record_is_not_a_field() -> None:
    shared = sealing(1)
    with pytest.raises(ValueError, match="not sealed"):
        RecordSeals(shared).unseal(FieldCipher(shared).seal("t", "c", "r", "x"), "r")


@given(st.lists(TEXTS, max_size=4), st.lists(TEXTS, max_size=4))
def test_two_lists_of_texts_are_framed_alike_only_if_they_are_alike(one: list[str], other: list[str]) -> None:
    assert (framed(*one) == framed(*other)) == (one == other)


def test_where_one_text_ends_and_the_next_begins_matters() -> None:
    assert framed("ab", "c") != framed("a", "bc") != framed("abc")
