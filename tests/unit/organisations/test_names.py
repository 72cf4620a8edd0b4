"""Names of organisations: writings that are one name, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bjidp.organisations.names import LONGEST, organisation_name
from bjidp.proofing.faults import Fault, Unacceptable

pytestmark = pytest.mark.req("ORG-1")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("北京青禾示例科技有限公司", "北京青禾示例科技有限公司"),
        (" 北京青禾　示例 科技有限公司\t", "北京青禾示例科技有限公司"),
        ("香江(北京)示例咨询有限公司", "香江（北京）示例咨询有限公司"),
        ("香江（北京）示例咨询有限公司", "香江（北京）示例咨询有限公司"),
        ("北京ＡＢ１２示例公司", "北京AB12示例公司"),
        ("Example  Consulting (Beijing) Ltd.", "Example Consulting (Beijing) Ltd."),
    ],
)
def test_what_a_keyboard_adds_is_put_right(typed: str, kept: str) -> None:
    assert organisation_name(typed) == kept


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("", Fault.EMPTY),
        (" 　", Fault.EMPTY),
        ("北京\n公司", Fault.CHARACTER),
        ("北京\u202e公司", Fault.CHARACTER),
        ("北京\u200b公司", Fault.CHARACTER),
        ("北京\ud800公司", Fault.CHARACTER),
        ("公" * (LONGEST + 1), Fault.TOO_LONG),
        ("公" * 10_000, Fault.TOO_LONG),
    ],
)
@pytest.mark.attack("Q27")
def test_what_is_no_name_is_refused_by_a_word(typed: str, fault: Fault) -> None:
    with pytest.raises(Unacceptable) as refused:
        organisation_name(typed)
    assert refused.value.fault is fault


@given(st.text())
def test_whatever_is_kept_is_kept_again(typed: str) -> None:
    try:
        kept = organisation_name(typed)
    except Unacceptable:
        return
    assert organisation_name(kept) == kept
