"""Bodies of several parts: what browsers send comes whole, however it is cut, and nothing else is taken (attack U5)."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bjidp.web.http.multipart import HEAD_MAX, Begun, Multipart, MultipartFault, Over
from tests.support.forms import multipart

pytestmark = pytest.mark.req("RNV-8")

BOUNDARY = "----WebKitFormBoundaryA1"

names = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20)
contents = st.binary(max_size=200) | st.sampled_from(
    [
        b"",
        b"\r\n",
        b"--",
        b"\r\n--",
        b"\r\n------WebKitFormBoundaryA",
        f"--{BOUNDARY}--".encode(),
        f"\n--{BOUNDARY}\r\n".encode(),
    ]
)


def parts(body: bytes, cuts: list[int], boundary: str = BOUNDARY) -> list[tuple[str, str | None, bytes]]:
    """Take a body apart that comes in pieces."""
    reader, found = Multipart(boundary), list[tuple[str, str | None, bytearray]]()
    ended = 0
    edges = sorted({0, *(cut % (len(body) + 1) for cut in cuts), len(body)})
    for start, end in pairwise(edges):
        for piece in reader.feed(body[start:end]):
            match piece:
                case Begun():
                    assert ended == len(found)
                    found.append((piece.name, piece.filename, bytearray()))
                case Over():
                    ended += 1
                case bytes():
                    assert ended == len(found) - 1
                    found[-1][2].extend(piece)
    reader.end()
    assert ended == len(found)
    return [(name, filename, bytes(data)) for name, filename, data in found]


@given(
    fields=st.lists(st.tuples(names, st.text(max_size=50)), max_size=4),
    files=st.lists(st.tuples(names, st.text(max_size=20), contents), min_size=1, max_size=4),
    cuts=st.lists(st.integers(0, 10_000), max_size=12),
)
def test_what_a_browser_sends_comes_whole_however_it_is_cut(
    fields: list[tuple[str, str]], files: list[tuple[str, str, bytes]], cuts: list[int]
) -> None:
    escaped = [(name, shown.replace("\r", "%0D").replace("\n", "%0A"), data) for name, shown, data in files]
    kind, body = multipart(fields, escaped)
    assert kind == f"multipart/form-data; boundary={BOUNDARY}"
    whole = [(name, None, value.encode()) for name, value in fields]
    # Whoever has a percent sign in a name of their own is understood as browsers write it.
    expected = [
        (name, shown.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n"), data)
        for name, shown, data in ((name, shown.replace('"', "%22"), data) for name, shown, data in escaped)
    ]
    assert parts(body, cuts) == whole + expected


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=5))
def test_whatever_comes_it_is_parts_or_a_fault(noise: bytes, cuts: list[int]) -> None:
    _, body = multipart([("csrf", "a")], [("f", "a.jpg", b"photo")])
    for data in (noise, body[:100] + noise + body[100:], body + noise):
        try:
            found = parts(data, cuts)
        except MultipartFault:
            continue
        assert all(name for name, _, _ in found)


def part(head: str, value: str = "x") -> bytes:
    return f"--{BOUNDARY}\r\n{head}\r\n\r\n{value}\r\n--{BOUNDARY}--\r\n".encode()


@pytest.mark.attack("U5")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--",
        f"--{BOUNDARY}--".encode()[:-1],
        b"preamble\r\n" + part('Content-Disposition: form-data; name="a"'),
        part('Content-Disposition: form-data; name="a"') + b"epilogue",
        part('Content-Disposition: form-data; name="a"')[:-6],
        part("Content-Type: text/plain"),
        part('Content-Disposition: attachment; name="a"'),
        part('Content-Disposition: form-data; filename="a"'),
        part('Content-Disposition: form-data; name=""'),
        part("Content-Disposition: form-data; name=\"a\"; filename*=UTF-8''a"),
        part('Content-Disposition: form-data; name="a"\r\nContent-Disposition: form-data; name="b"'),
        part('Content-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64'),
        part('Content-Disposition: form-data; name="a"\r\n folded: yes'),
        part(f'Content-Disposition: form-data; name="a"; filename="{"x" * HEAD_MAX}"'),
        f"--{BOUNDARY}\r\n".encode() + b"x" * (HEAD_MAX + 5),
        f"--{BOUNDARY}x\r\n".encode(),
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="\xff"'.encode("latin-1") + b"\r\n\r\n",
    ],
)
def test_what_no_browser_sends_is_refused(body: bytes) -> None:
    with pytest.raises(MultipartFault):
        parts(body, [])


@pytest.mark.parametrize("boundary", ["", "a" * 71, "a b", "a\r\nb", '"a"', "ä"])
def test_a_boundary_is_one_that_a_browser_makes(boundary: str) -> None:
    with pytest.raises(MultipartFault):
        Multipart(boundary)


@pytest.mark.attack("U5")
def test_a_part_without_an_end_is_not_held_back() -> None:
    reader = Multipart(BOUNDARY)
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n'
    assert list(reader.feed(head.encode())) == [Begun("a", "a")]
    for _ in range(64):
        given = b"\r\n--" + b"x" * 1000
        told = sum(len(piece) for piece in reader.feed(given) if isinstance(piece, bytes))
        assert told > 0
    assert len(reader._held) <= len(BOUNDARY) + 4
