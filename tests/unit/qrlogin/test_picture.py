"""The animated picture shows every frame for its time and ends on 已过期, or is 已扫码 alone."""

from __future__ import annotations

import io

import pytest
import zxingcpp
from PIL import Image, ImageSequence

from bjidp.entropy import SeededEntropy, token
from bjidp.qrlogin.matrix import Basis
from bjidp.qrlogin.picture import animated_image

PREFIX = "http://127.0.0.1:8080/q/"
BASIS = Basis(PREFIX)


def texts(count: int) -> list[str]:
    """Return the texts of one ticket's frames."""
    entropy = SeededEntropy("picture")
    ticket = token(entropy, 128)
    return [f"{PREFIX}{ticket}.{number:03d}.{token(entropy, 72)}" for number in range(count)]


def frames(data: bytes) -> list[tuple[Image.Image, int]]:
    """Return each frame as a browser would show it, with its time in milliseconds."""
    with Image.open(io.BytesIO(data)) as picture:
        return [(frame.convert("RGB"), frame.info["duration"]) for frame in ImageSequence.Iterator(picture)]


@pytest.mark.req("UX-4")
def test_every_frame_can_be_read_and_stays_for_one_step() -> None:
    wanted = texts(30)
    shown = frames(animated_image(BASIS, wanted, step=2))
    assert [zxingcpp.read_barcodes(picture)[0].text for picture, _ in shown[:-1]] == wanted
    assert {duration for _, duration in shown[:-1]} == {2000}


def test_the_first_frame_may_have_only_the_rest_of_its_step() -> None:
    shown = frames(animated_image(BASIS, texts(3), step=2, first=0.7))
    assert [duration for _, duration in shown[:3]] == [700, 2000, 2000]


def test_the_last_frame_is_no_code_and_the_picture_plays_once() -> None:
    data = animated_image(BASIS, texts(2), step=2)
    last, _ = frames(data)[-1]
    assert zxingcpp.read_barcodes(last) == []
    dark = sum(last.convert("L").histogram()[:128])
    assert dark > 2000, "the last frame is drawn, not blank"
    with Image.open(io.BytesIO(data)) as picture:
        assert "loop" not in picture.info


def test_thirty_frames_stay_small() -> None:
    assert len(animated_image(BASIS, texts(30), step=2)) < 100_000


@pytest.mark.req("UX-4")
def test_a_ticket_that_was_scanned_has_a_picture_of_its_own_without_a_code() -> None:
    (held, _), (over, _) = (frames(animated_image(BASIS, [], step=2, scanned=scanned))[0] for scanned in (True, False))
    assert held.size == over.size
    assert held.tobytes() != over.tobytes()
    assert zxingcpp.read_barcodes(held) == []
    assert sum(held.convert("L").histogram()[:128]) > 2000, "it is drawn, not blank"


def test_without_a_frame_left_only_the_last_one_is_shown() -> None:
    with (
        Image.open(io.BytesIO(animated_image(BASIS, [], step=2))) as over,
        Image.open(io.BytesIO(animated_image(BASIS, texts(1), step=2))) as whole,
    ):
        whole.seek(1)
        assert over.format == "GIF"
        assert over.convert("L").tobytes() == whole.convert("L").tobytes()
