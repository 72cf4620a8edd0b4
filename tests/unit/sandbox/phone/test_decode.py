"""Reading QR codes out of pictures."""

from __future__ import annotations

import io
import zlib
from collections.abc import AsyncIterator

import pytest
import qrcode
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from PIL import Image, ImageFilter

from bjidp.sandbox.phone import decode

TEXT = "http://127.0.0.1:8080/q/" + "A" * 22 + ".007.abcdefghijkl"
Client = TestClient[web.Request, web.Application]


def photograph(text: str = TEXT) -> Image.Image:
    """Return a QR code as a hand-held camera sees it on a screen: tilted, soft, on a grey desk."""
    code = qrcode.make(text, border=4, box_size=6).get_image().convert("RGB")
    desk = Image.new("RGB", (960, 720), (96, 96, 100))
    desk.paste(code.rotate(11, expand=True, fillcolor=(96, 96, 100)), (240, 120))
    return desk.filter(ImageFilter.GaussianBlur(1.2))


def encoded(image: Image.Image, kind: str) -> bytes:
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    app = web.Application()
    decode.mount(app)
    async with TestClient(TestServer(app)) as opened:
        yield opened


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
async def test_the_text_of_a_photographed_code_is_read(client: Client, kind: str) -> None:
    answer = await client.post(
        "/phone/decode", data=encoded(photograph(), kind), headers={"Content-Type": f"image/{kind.lower()}"}
    )

    assert (answer.status, await answer.json()) == (200, {"text": TEXT})
    assert answer.headers["Cache-Control"] == "no-store"


async def test_a_picture_without_a_code_has_no_text(client: Client) -> None:
    blank = encoded(Image.new("L", (640, 480), 200), "PNG")

    answer = await client.post("/phone/decode", data=blank, headers={"Content-Type": "image/png"})

    assert (answer.status, await answer.json()) == (200, {"text": None})


async def test_a_picture_larger_than_the_application_s_own_limit_is_still_read(client: Client) -> None:
    padded = encoded(photograph(), "JPEG") + b"\0" * (2 * 1024 * 1024)

    answer = await client.post("/phone/decode", data=io.BytesIO(padded), headers={"Content-Type": "image/jpeg"})

    assert (await answer.json())["text"] == TEXT


async def test_a_picture_over_the_limit_is_refused(client: Client) -> None:
    answer = await client.post(
        "/phone/decode", data=io.BytesIO(bytes(decode.PICTURE_LIMIT + 1)), headers={"Content-Type": "image/png"}
    )

    assert (answer.status, (await answer.json())["code"]) == (413, "picture_too_large")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not a picture",
        encoded(photograph(), "PNG")[:900],
        encoded(photograph(), "JPEG")[:900],
        encoded(photograph(), "GIF"),
    ],
    ids=["empty", "text", "cut-off PNG", "cut-off JPEG", "GIF"],
)
async def test_what_is_no_picture_is_refused(client: Client, body: bytes) -> None:
    answer = await client.post("/phone/decode", data=body, headers={"Content-Type": "image/png"})

    assert (answer.status, (await answer.json())["code"]) == (422, "picture_unreadable")


async def test_another_type_is_refused(client: Client) -> None:
    answer = await client.post("/phone/decode", data=b"<svg/>", headers={"Content-Type": "image/svg+xml"})

    assert (answer.status, (await answer.json())["code"]) == (415, "picture_unsupported")


def test_a_small_file_that_unfolds_into_gigabytes_is_not_unfolded() -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = (60_000).to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000))

    with pytest.raises(decode.BadPicture):
        decode.read_qr(bomb)
