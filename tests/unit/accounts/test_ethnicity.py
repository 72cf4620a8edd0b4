"""The ethnic groups: the standard's list, and a name for each."""

from __future__ import annotations

import re

import pytest

from bjidp.accounts.ethnicity import CODES, is_ethnicity
from bjidp.web.words.texts import Texts


@pytest.mark.req("ACC-5")
def test_there_are_fifty_six_each_with_a_code_of_its_own() -> None:
    assert len(CODES) == len(set(CODES)) == 56
    assert all(re.fullmatch("[A-Z]{2}", code) for code in CODES)


@pytest.mark.req("ACC-5")
@pytest.mark.parametrize(
    ("number", "code", "name"),
    [(1, "HA", "汉族"), (5, "UG", "维吾尔族"), (28, "JP", "景颇族"), (49, "GI", "京族"), (56, "JN", "基诺族")],
)
def test_they_are_numbered_as_the_standard_numbers_them(number: int, code: str, name: str) -> None:
    assert CODES[number - 1] == code
    assert Texts.load("zh_CN").plain(f"ethnicity.{code}") == name


@pytest.mark.req("ACC-5", "UX-1")
def test_the_catalogue_names_each_of_them_differently_and_nothing_else() -> None:
    texts = Texts.load("zh_CN")
    named = {key: texts.plain(key) for key in texts if key.startswith("ethnicity.")}
    assert set(named) == {f"ethnicity.{code}" for code in CODES}
    assert len(set(named.values())) == 56
    assert all(name.endswith("族") for name in named.values())


@pytest.mark.req("ACC-5")
@pytest.mark.parametrize("other", ["", "ha", "XX", "汉族", "HA ", "HAMG"])
def test_nothing_else_is_one(other: str) -> None:
    assert is_ethnicity("HA")
    assert not is_ethnicity(other)
