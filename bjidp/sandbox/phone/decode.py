"""Reading a QR code out of a camera frame or a picture.

Chromium on most desktops has no ``BarcodeDetector``, so the page posts what its camera sees a few times a second and
gets the text back. Nothing is kept.
"""

from __future__ import annotations

import asyncio
import io

import zxingcpp
from aiohttp import web
from PIL import Image, UnidentifiedImageError

from bjidp.sandbox.phone.bodies import TooLarge, read_at_most
from bjidp.sandbox.phone.problems import problem

PICTURE_LIMIT = 4 * 1024 * 1024
"""Bytes of a posted picture."""
PIXEL_LIMIT = 24_000_000
"""Pixels: a few hundred bytes of PNG can unfold into gigabytes."""
_FORMATS = ("PNG", "JPEG")
_QR = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)


class BadPicture(Exception):
    """The bytes are no PNG or JPEG picture of a reasonable size."""


def read_qr(picture: bytes) -> str | None:
    """Return the text of the QR code in a PNG or JPEG picture, or None when it shows none.

    Blocks for some ten milliseconds: call it in a thread. Raises :class:`BadPicture`.
    """
    try:
        with Image.open(io.BytesIO(picture), formats=_FORMATS) as image:
            if image.width * image.height > PIXEL_LIMIT:
                raise BadPicture
            grey = image.convert("L")
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError) as error:
        # Pillow reports broken PNG chunks as SyntaxError and cut-off files as OSError.
        raise BadPicture from error
    found = zxingcpp.read_barcodes(grey, formats=_QR, text_mode=zxingcpp.TextMode.Plain)
    return found[0].text if found else None


class Decoder:
    """Answers ``POST /phone/decode``."""

    def __init__(self, at_once: int = 2) -> None:
        """Decode at most ``at_once`` pictures at a time; further ones wait."""
        self._turns = asyncio.Semaphore(at_once)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer ``{"text": ...}`` for the posted picture, null when it shows no QR code."""
        if request.content_type not in {"image/png", "image/jpeg"}:
            return problem(415, "picture_unsupported", "只能识别 PNG 或 JPEG 图片")
        try:
            picture = await read_at_most(request, PICTURE_LIMIT)
            async with self._turns:
                text = await asyncio.to_thread(read_qr, picture)
        except TooLarge:
            return problem(413, "picture_too_large", "图片超过 4 MB，请换一张")
        except BadPicture:
            return problem(422, "picture_unreadable", "这张图片打不开，请换一张")
        return web.json_response({"text": text}, headers={"Cache-Control": "no-store"})


def mount(app: web.Application) -> None:
    """Add ``/phone/decode`` to ``app``."""
    app.router.add_post("/phone/decode", Decoder().handle)
