"""Files that people send, and files that attackers send: made here, so that each says what is wrong with it."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence

from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

SECRET = b"39.9042N,116.4074E"
"""Where a photo was taken, as its metadata tell."""

SCRIPT = b"<script>alert(1)</script>"


def picture(size: tuple[int, int] = (64, 48), colour: str = "red") -> Image.Image:
    """Return a picture of a colour, with a black corner at the top left."""
    made = Image.new("RGB", size, colour)
    ImageDraw.Draw(made).rectangle((0, 0, size[0] // 4, size[1] // 4), fill="black")
    return made


def jpeg(size: tuple[int, int] = (64, 48), *, orientation: int = 1) -> bytes:
    """Return a photo whose EXIF and comment tell where it was taken, with a page of a site behind its end."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = SECRET.decode()
    exif.get_ifd(0x8825)[1] = SECRET.decode()
    written = io.BytesIO()
    picture(size).save(written, "JPEG", exif=exif, comment=SECRET)
    return written.getvalue() + SCRIPT


def png(size: tuple[int, int] = (64, 48), mode: str = "RGB") -> bytes:
    """Return a picture with a text beside its pixels."""
    notes = PngInfo()
    notes.add_text("Comment", SECRET.decode(), zip=False)
    written = io.BytesIO()
    picture(size).convert(mode).save(written, "PNG", pnginfo=notes)
    return written.getvalue()


def transparent() -> bytes:
    """Return a picture that is see-through all over."""
    written = io.BytesIO()
    Image.new("RGBA", (64, 48), (0, 0, 0, 0)).save(written, "PNG")
    return written.getvalue()


def png_bomb(edge: int) -> bytes:
    """Return a picture that says it has ``edge`` by ``edge`` pixels, all of one colour: small, and huge once open."""
    header = struct.pack(">IIBBBBB", edge, edge, 8, 6, 0, 0, 0)
    deflate = zlib.compressobj(9)
    row = b"\0" * (edge * 4 + 1)
    data = b"".join(deflate.compress(row) for _ in range(min(edge, 2000))) + deflate.flush()
    parts = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in parts)


def jpeg_that_says(width: int, height: int) -> bytes:
    """Return a photo of a few pixels that says it has many."""
    small = jpeg()
    at = small.index(b"\xff\xc0") + 5
    return small[:at] + struct.pack(">HH", height, width) + small[at + 4 :]


def pdf(
    pages: int = 1, *, size: tuple[int, int] = (300, 200), extra: Sequence[bytes] = (), catalogue: bytes = b""
) -> bytes:
    """Return a document of pages with a red bar; ``extra`` objects are numbered from 100, for ``catalogue`` to name."""
    kids = b" ".join(b"%d 0 R" % (10 + number) for number in range(pages))
    drawn = b"1 0 0 rg 0 0 %d 40 re f" % size[0]
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalogue,
        2: b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, pages),
        3: b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawn), drawn),
    }
    box = b"[0 0 %d %d]" % size
    for number in range(pages):
        objects[10 + number] = b"<< /Type /Page /Parent 2 0 R /MediaBox %s /Contents 3 0 R /Annots [] >>" % box
    objects |= dict(enumerate(extra, start=100))
    out, offsets = io.BytesIO(), dict[int, int]()
    out.write(b"%PDF-1.7\n")
    for number, body in sorted(objects.items()):
        offsets[number] = out.tell()
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 1\n0000000000 65535 f \n")
    for number, offset in offsets.items():
        out.write(b"%d 1\n%010d 00000 n \n" % (number, offset))
    out.write(b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (max(objects) + 1, start))
    return out.getvalue()


def active_pdf() -> bytes:
    """Return a document that would run a script, start a program, fetch a page, and that carries another file."""
    script = b"<< /S /JavaScript /JS (app.alert\\(1\\)) >>"
    program = b"<< /S /Launch /F (calc.exe) >>"
    carried = b"<< /Type /EmbeddedFile /Length %d >>\nstream\n%s\nendstream" % (len(SCRIPT), SCRIPT)
    names = b"<< /JavaScript << /Names [(a) 100 0 R] >> /EmbeddedFiles << /Names [(b) 103 0 R] >> >>"
    listed = b"<< /Type /Filespec /F (b.html) /EF << /F 102 0 R >> >>"
    catalogue = b"/OpenAction 100 0 R /AA << /WC 101 0 R >> /Names %s" % names
    return pdf(extra=(script, program, carried, listed), catalogue=catalogue)


def opened(data: bytes) -> Image.Image:
    """Return a picture as whoever looks at it sees it."""
    image = Image.open(io.BytesIO(data), formats=["JPEG"])
    image.load()
    return image


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
