"""The affine basis draws exactly what the qrcode library draws, and what it draws can be read."""

from __future__ import annotations

import gzip
import string

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode
from qrcode.util import QRData

from bjidp.entropy import SeededEntropy, token
from bjidp.qrlogin.matrix import MASK, QUIET, VARIABLE, Basis, Matrix, PrefixTooLong, version_for

PREFIX = "http://127.0.0.1:8080/q/"
ALPHABET = string.ascii_letters + string.digits + "-_."

BASIS = Basis(PREFIX)


def library_rows(text: str, version: int) -> list[list[bool]]:
    """Draw with the library itself: same version, level, mask and mode."""
    code = QRCode(version=version, error_correction=ERROR_CORRECT_M, mask_pattern=MASK)
    code.add_data(QRData(text.encode(), mode=4), optimize=0)
    code.make(fit=False)
    return [[bool(module) for module in row] for row in code.modules]


def frame(seed: str, prefix: str = PREFIX) -> str:
    """Return a text of a frame's shape."""
    entropy = SeededEntropy(seed)
    return f"{prefix}{token(entropy, 128)}.{entropy.octets(1)[0] % 30:03d}.{token(entropy, 72)}"


def read(matrix: Matrix) -> str:
    """Photograph the matrix and read it with an independent decoder."""
    side = matrix.size + 2 * QUIET
    picture = Image.new("1", (side, side), 1)
    for row, modules in enumerate(matrix.rows()):
        for column, dark in enumerate(modules):
            picture.putpixel((column + QUIET, row + QUIET), 0 if dark else 1)
    found = zxingcpp.read_barcodes(picture.resize((side * 6, side * 6)).convert("L"))
    assert len(found) == 1
    return found[0].text


@pytest.mark.req("LOG-2")
def test_a_thousand_random_frames_equal_the_librarys_own_matrix() -> None:
    texts = [frame(f"frame {number}") for number in range(1000)]
    wrong = [text for text in texts if BASIS.draw(text).rows() != library_rows(text, BASIS.version)]
    assert wrong == []


@given(st.text(ALPHABET, min_size=VARIABLE, max_size=VARIABLE))
@settings(max_examples=60, deadline=None)
def test_any_characters_in_the_variable_part_equal_the_librarys_own_matrix(tail: str) -> None:
    assert BASIS.draw(PREFIX + tail).rows() == library_rows(PREFIX + tail, BASIS.version)


@pytest.mark.parametrize("length", [22, 45, 46, 67, 68, 83, 113])
def test_prefixes_up_to_every_versions_last_character_can_be_read(length: int) -> None:
    prefix = "https://" + "a" * (length - len("https:///q/")) + "/q/"
    basis = Basis(prefix)
    for number in range(3):
        text = frame(f"{length} {number}", prefix)
        matrix = basis.draw(text)
        assert matrix.rows() == library_rows(text, basis.version)
        assert read(matrix) == text


@pytest.mark.parametrize(
    ("length", "version"), [(1, 5), (45, 5), (46, 6), (67, 6), (68, 7), (83, 7), (84, 8), (113, 8)]
)
def test_the_version_is_the_smallest_that_holds_the_prefix(length: int, version: int) -> None:
    assert version_for("p" * length) == version


def test_a_prefix_too_long_is_refused_in_words() -> None:
    with pytest.raises(PrefixTooLong, match=r"114 characters and the largest code allowed holds 113.*shorter base URL"):
        version_for("p" * 114)


@pytest.mark.parametrize("prefix", ["http://京.example/q/", "http://a\n/q/"])
def test_a_prefix_that_is_not_printable_ascii_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="printable ASCII"):
        Basis(prefix)


@pytest.mark.parametrize(
    "text", [frame("x")[:-1], frame("x") + "A", "http://127.0.0.1:8081/q/" + "A" * VARIABLE, PREFIX + "京" * VARIABLE]
)
def test_a_text_of_another_shape_or_prefix_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not of this basis"):
        BASIS.draw(text)


def test_the_file_holds_every_matrix_where_a_page_looks_for_it() -> None:
    data = BASIS.encode()
    assert data[:8] == b"bjqr\x01" + bytes((37, 39, len(PREFIX)))
    assert data[8 : 8 + len(PREFIX)] == PREFIX.encode()
    width = 172
    body = data[8 + len(PREFIX) :]
    assert len(body) == width * (1 + 8 * VARIABLE)
    text = frame("as a page does")
    drawn = int.from_bytes(body[:width], "big")
    for position, character in enumerate(text[len(PREFIX) :]):
        for bit in range(8):
            if ord(character) & 128 >> bit:
                at = width * (1 + 8 * position + bit)
                drawn ^= int.from_bytes(body[at : at + width], "big")
    assert drawn.to_bytes(width, "big") == BASIS.draw(text).packed()


@pytest.mark.req("UX-6")
def test_the_file_is_small_on_the_wire() -> None:
    assert len(gzip.compress(BASIS.encode(), compresslevel=9)) < 19_000


def test_the_fingerprint_names_the_content_prefix_included() -> None:
    assert Basis(PREFIX).fingerprint == BASIS.fingerprint
    assert Basis(PREFIX.replace("8080", "9000")).fingerprint != BASIS.fingerprint


def test_single_modules_rows_and_packed_bits_agree() -> None:
    matrix = BASIS.draw(frame("modules"))
    rows = matrix.rows()
    assert [[matrix.dark(row, column) for column in range(matrix.size)] for row in range(matrix.size)] == rows
    unpacked = "".join(f"{byte:08b}" for byte in matrix.packed())[: matrix.size**2]
    assert unpacked == "".join("1" if dark else "0" for row in rows for dark in row)
