"""JSON bodies: strict, and the fault named."""

from __future__ import annotations

import contextlib
import json
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from bjidp.errors import FieldFault, InvalidRequest
from bjidp.web.http.bodies import decode


class Inner(Struct, forbid_unknown_fields=True):
    number: int


class Outer(Struct, forbid_unknown_fields=True):
    name: Annotated[str, Meta(max_length=4)]
    inner: Inner | None = None
    words: list[str] = []


class Lax(Struct):
    number: int


DECODER = msgspec.json.Decoder(Outer)
LAX = msgspec.json.Decoder(Lax)

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["name", "inner", "words"]), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("value", "field", "code"),
    [
        ({}, "name", "missing"),
        ({"name": 1}, "name", "invalid"),
        ({"name": "fiver"}, "name", "invalid"),
        ({"name": "x", "more": 1}, "more", "unknown"),
        ({"name": "x", "inner": {}}, "inner.number", "missing"),
        ({"name": "x", "inner": {"number": "1"}}, "inner.number", "invalid"),
        ({"name": "x", "inner": {"number": 1, "more": 1}}, "inner.more", "unknown"),
        ({"name": "x", "inner": []}, "inner", "invalid"),
        ({"name": "x", "words": ["a", 1]}, "words[1]", "invalid"),
        ([], "", "invalid"),
        ({"name": "x", "m" * 100: 1}, "", "invalid"),
    ],
)
def test_the_fault_names_its_field(value: object, field: str, code: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        decode(json.dumps(value), DECODER)
    assert caught.value.errors == (FieldFault(field, code),)


@pytest.mark.attack("Q27")
@given(ANY_JSON)
def test_any_json_is_taken_or_refused_without_another_error(value: Any) -> None:  # noqa: ANN401 - any JSON
    with contextlib.suppress(InvalidRequest):
        assert isinstance(decode(json.dumps(value), DECODER), Outer)


@pytest.mark.attack("Q27")
@given(st.binary())
def test_any_bytes_are_refused_without_another_error(raw: bytes) -> None:
    with pytest.raises(InvalidRequest):
        decode(raw, DECODER)


@pytest.mark.attack("Q27")
@pytest.mark.parametrize("deep", ["[" * 20_000, "[" * 20_000 + "]" * 20_000, '{"a":' * 8_000 + "1" + "}" * 8_000])
def test_a_deep_body_is_refused_even_where_members_may_be_unknown(deep: str) -> None:
    """Strict types refuse it before it is deep; what skips what it does not know has to go down."""
    with pytest.raises(InvalidRequest) as caught:
        decode(f'{{"more":{deep},"number":1}}', LAX)
    assert caught.value.errors == (FieldFault("", "json"),)


def test_no_value_of_the_body_is_repeated() -> None:
    with pytest.raises(InvalidRequest) as caught:
        decode('{"name":"11010119900307001X"}', DECODER)
    assert "11010119900307" not in str(caught.value) + repr(caught.value.details)
