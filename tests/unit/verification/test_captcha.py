"""What somebody typed is what the captcha shows, however it is spelt, and nothing else is."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from bjidp.verification.captcha import Captcha, as_typed, is_id, is_right
from bjidp.verification.captcha_picture import FONTS, HEIGHT, WIDTH, draw

WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
BETWEEN = st.sampled_from(["", " ", "\u3000", "-", "\u200b", "\t"])
ANSWERS = st.from_regex(r"[0-9]{4}", fullmatch=True)


def captcha(answer: str = "0420") -> Captcha:
    return Captcha(answer, b"", b"")


@pytest.mark.req("REG-2")
@given(answer=ANSWERS, wide=st.lists(st.booleans(), min_size=4, max_size=4), gaps=st.lists(BETWEEN, min_size=5))
def test_every_spelling_of_the_answer_is_right(answer: str, wide: list[bool], gaps: list[str]) -> None:
    written = [digit.translate(WIDE) if is_wide else digit for digit, is_wide in zip(answer, wide, strict=True)]
    typed = gaps[0] + "".join(digit + gap for digit, gap in zip(written, gaps[1:], strict=False))
    assert is_right(captcha(answer), typed)


@given(answer=ANSWERS, typed=st.text(max_size=8))
def test_nothing_but_the_answer_is_right(answer: str, typed: str) -> None:
    assert is_right(captcha(answer), typed) == (as_typed(typed) == answer)


@pytest.mark.req("REG-2")
@pytest.mark.parametrize(
    "typed", ["", "042", "04200", "0421", "0 4 2", "O42O", "٠٤٢٠", "0420\n", "0420x", "\ud8000420"]
)
def test_these_are_not_the_digits_0420(typed: str) -> None:
    assert not is_right(captcha(), typed)


@pytest.mark.parametrize(
    "text", ["", "x" * 21, "x" * 23, "x" * 21 + "/", "x" * 21 + "é", "\ud800" * 22, "x" * 22 + "\n"]
)
def test_only_what_we_make_is_taken_for_an_id(text: str) -> None:
    assert not is_id(text)
    assert is_id("aZ09_-" + "x" * 16)


def test_a_captcha_that_is_printed_gives_nothing_away() -> None:
    assert "0420" not in repr(captcha())


@pytest.mark.req("REG-2")
def test_a_picture_is_a_small_png_with_dark_strokes_on_its_own_paper() -> None:
    data = draw("0420")
    assert len(data) < 4096
    with Image.open(io.BytesIO(data)) as picture:
        assert (picture.format, picture.size) == ("PNG", (WIDTH, HEIGHT))
        grey = picture.convert("RGB").convert("L")
        darkest, lightest = grey.getextrema()
        inked = sum(grey.histogram()[:128]) / (WIDTH * HEIGHT)
    assert (darkest, lightest) == (55, 245)
    assert 0.05 < inked < 0.4


@pytest.mark.parametrize("font", FONTS, ids=lambda font: Path(font).stem)
def test_a_one_stands_on_a_foot_so_that_it_is_no_seven_when_it_leans(font: str) -> None:
    letters = ImageFont.truetype(font, 64)
    assert _foot("1", letters) > 0.5
    assert _foot("7", letters) < 0.5


def _foot(digit: str, letters: ImageFont.FreeTypeFont) -> float:
    """Return how much of a digit's width its lowest line takes."""
    drawn = Image.new("L", (100, 100))
    ImageDraw.Draw(drawn).text((10, 10), digit, 255, letters)
    box = drawn.getbbox()
    assert box is not None
    left, _, right, bottom = box
    lowest = [drawn.getpixel((x, bottom - 2)) for x in range(left, right)]
    return sum(level == 255 for level in lowest) / (right - left)


def test_no_two_pictures_of_one_answer_are_alike() -> None:
    assert len({draw("0420") for _ in range(8)}) == 8
