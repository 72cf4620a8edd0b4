"""Names: what is accepted, that it is kept exactly, and how two spellings are one."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bjidp.proofing.faults import Fault, Unacceptable
from bjidp.proofing.names import LONGEST, comparison_key, has_rare_character, written_name

pytestmark = pytest.mark.req("RNV-10")


def refusal(typed: str) -> Fault:
    with pytest.raises(Unacceptable) as caught:
        written_name(typed)
    return caught.value.fault


@pytest.mark.parametrize(
    "name",
    [
        "张三",
        "欧阳娜娜",
        "〇",
        "阿卜杜拉·买买提",
        "\u3400\u4dbf",
        "王\U0002a6df",
        "李\U000313af",
        "赵\U00033479",
        "\ue81e\ue000",
        "JOHN SMITH",
        "Jean-Luc O'Neill",
        "Martin L. King, Jr.",
        "Nguyễn Văn Ánh",
        "A\u0301na",
        "'t Hart",
        "MARIA·DEL PILAR",
        # Code points that NFC would replace, from GB 18030.
        "\uf92c\uf979\uf995\uf9e7\uf9f1\ufa0c\ufa0d\ufa18\ufa20",
    ],
)
def test_a_name_is_kept_exactly(name: str) -> None:
    assert written_name(name) == name


@pytest.mark.parametrize("dot", list("•‧・･\u0387⋅∙᛫·"))
def test_every_dot_of_every_keyboard_is_the_one_separator(dot: str) -> None:
    assert written_name(f"阿卜杜拉{dot}买买提") == "阿卜杜拉·买买提"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("张 三", "张三"),
        ("\u3000张\u00a0三 ", "张三"),
        ("  JOHN \u3000 SMITH ", "JOHN SMITH"),
        ("ＪＯＨＮ　Ｓmith", "JOHN Smith"),
        ("阿卜杜拉 · 买买提", "阿卜杜拉·买买提"),
    ],
)
def test_what_a_keyboard_adds_is_put_right(typed: str, kept: str) -> None:
    assert written_name(typed) == kept


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("", Fault.EMPTY),
        (" \u3000", Fault.EMPTY),
        ("·", Fault.SEPARATOR),
        ("·张三", Fault.SEPARATOR),
        ("张三·", Fault.SEPARATOR),
        ("阿卜杜拉··买买提", Fault.SEPARATOR),
        ("阿卜杜拉· ·买买提", Fault.SEPARATOR),
        ("阿卜杜拉.买买提", Fault.SEPARATOR),
        ("阿卜杜拉．买买提", Fault.SEPARATOR),
        ("阿卜杜拉。买买提", Fault.SEPARATOR),
        ("张\u200b三", Fault.CHARACTER),
        ("张\ufeff三", Fault.CHARACTER),
        ("张\u202e三", Fault.CHARACTER),
        ("张\u2066三", Fault.CHARACTER),
        ("张\x00三", Fault.CHARACTER),
        ("张\n三", Fault.CHARACTER),
        ("张\ufe00三", Fault.CHARACTER),
        ("张\ud800三", Fault.CHARACTER),
        ("张\u0301三", Fault.CHARACTER),
        ("张3", Fault.CHARACTER),
        ("张<三>", Fault.CHARACTER),
        ("张😀", Fault.CHARACTER),
        ("⼀⼁", Fault.CHARACTER),
        ("Иван", Fault.CHARACTER),
        ("\u0301Anna", Fault.CHARACTER),
        ("A\u0301\u0301\u0301nna", Fault.CHARACTER),
        ("-Anna", Fault.CHARACTER),
        ("三" * (LONGEST + 1), Fault.TOO_LONG),
        (" " * 100_000, Fault.TOO_LONG),
    ],
)
@pytest.mark.attack("Q27")
def test_what_nobody_is_called_is_refused(typed: str, fault: Fault) -> None:
    assert refusal(typed) is fault


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\uf92c", "\u90ce"),
        ("\ue81e", "\u9fb4"),
        ("John Smith", "JOHN  SMITH"),
        ("阿卜杜拉•买买提", "阿卜杜拉·买买提"),
        ("A\u0301na", "\u00c1na"),
    ],
)
def test_two_spellings_of_one_name_share_their_key(one: str, other: str) -> None:
    assert comparison_key(one) == comparison_key(other)


@pytest.mark.parametrize(("one", "other"), [("张三", "张山"), ("阿卜杜拉·买买提", "阿卜杜拉买买提"), ("龍", "龙")])
def test_different_names_have_different_keys(one: str, other: str) -> None:
    assert comparison_key(one) != comparison_key(other)


@pytest.mark.parametrize("name", ["张喆", "朱镕基", "\u3400", "王\U0002a6df", "\ue81e", "李\uf9f1"])
def test_a_character_beyond_gb_2312_is_rare(name: str) -> None:
    assert has_rare_character(name)


@pytest.mark.parametrize("name", ["张三", "阿卜杜拉·买买提", "JOHN SMITH", "Nguyễn"])
def test_everyday_characters_are_not_rare(name: str) -> None:
    assert not has_rare_character(name)


@given(st.text(max_size=40))
def test_a_kept_name_is_its_own_kept_form_and_shows_nothing_invisible(typed: str) -> None:
    try:
        name = written_name(typed)
    except Unacceptable:
        return
    assert written_name(name) == name
    assert not {unicodedata.category(character) for character in name} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(st.text(max_size=40))
def test_a_comparison_key_is_its_own_key(name: str) -> None:
    assert comparison_key(comparison_key(name)) == comparison_key(name)
