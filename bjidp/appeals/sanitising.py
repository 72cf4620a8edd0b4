"""Making harmless pictures of what somebody sent: a program of its own, which imports nothing of ours.

Owns decoding. It is run for one file at a time by :mod:`bjidp.appeals.isolation`, apart from the server: decoders of
pictures and PDF have had their holes, and what they are fed here comes from anybody. Before it looks at the file it
gives up what it does not need: more memory and time than a picture takes, opening files, writing them, starting
processes. On Linux it gives up all calls of the kernel but :data:`CALLS`, and looks at nothing where that fails: as the
server's own user it could end the server otherwise, or read its memory.

A picture is decoded and drawn anew as a JPEG without anything besides: no EXIF, no place it was taken at, no comment,
nothing behind its end. A PDF is drawn page by page: none of its scripts, forms, links or embedded files is left.

Reads the file from standard input. Writes each picture after its length in four bytes and ends with 0, or writes a
word of ``bjidp.appeals.attachments.Fault`` and ends with :data:`REFUSED`.
"""

from __future__ import annotations

import ctypes
import errno
import importlib
import io
import os
import resource
import signal
import struct
import sys
from collections.abc import Iterator
from typing import Final

import pypdfium2
from PIL import Image, ImageOps

REFUSED: Final = 3
"""The exit code."""

EDGE: Final = 2400
"""Pixels of a picture's longer edge: what is printed on a document can be read."""

LARGEST: Final = 2 * 1024 * 1024
"""Bytes of a picture; better ones are given less quality until they fit."""

PIXELS: Final = {"jpeg": 110_000_000, "png": 40_000_000}
"""What a picture may have. A JPEG is decoded smaller than it is, a PNG whole, in four bytes a pixel."""

PAGES: Final = 5
"""Pages of a PDF."""

MEMORY: Final = 768 * 1024 * 1024
SECONDS: Final = 4

_NUMBERS: Final = {
    "x86_64": "0 1 3 5 8  9 10 11 12 25 28  13 14 15 131 219  24 39 186 202  96 228 318  60 231",
    "aarch64": "63 64 57 80 62  222 226 215 214 216 233  134 135 139 132 128  124 172 178 98  169 113 278  93 94",
}
"""read, write, close, fstat, lseek; mmap, mprotect, munmap, brk, mremap, madvise; rt_sigaction, rt_sigprocmask,
rt_sigreturn, sigaltstack, restart_syscall; sched_yield, getpid, gettid, futex; gettimeofday, clock_gettime, getrandom;
exit, exit_group."""

CALLS: Final = {machine: tuple(map(int, numbers.split())) for machine, numbers in _NUMBERS.items()}
"""Calls of the kernel that are left, for each processor: what is open, memory, locks, the time, and ending."""

_QUALITIES: Final = (85, 70, 50, 30)
_DOTS_A_POINT: Final = 200 / 72
_KINDS: Final = {"x86_64": (0xC000003E, 317), "aarch64": (0xC00000B7, 277)}
"""What the kernel calls a processor, and its number of ``seccomp`` there."""
_PASSWORD: Final = 4
"""PDFium's code for a document that asks for one."""


class Refused(Exception):
    """The file is not taken; ``fault`` says why."""

    def __init__(self, fault: str) -> None:
        """Give the word."""
        super().__init__(fault)
        self.fault = fault


def sanitised(kind: str, data: bytes) -> list[bytes]:
    """Return the pictures that a file of ``kind`` comes to; raise :class:`Refused`."""
    try:
        if kind == "pdf":
            return [_jpeg(page) for page in _pages(data)]
        return [_jpeg(_picture(kind, data))]
    except MemoryError:
        raise Refused("dimensions") from None


def _picture(kind: str, data: bytes) -> Image.Image:
    try:
        with Image.open(io.BytesIO(data), formats=[kind.upper()]) as opened:
            _require_small(opened, PIXELS[kind])
            opened.draft("RGB", (EDGE, EDGE))
            opened.load()
            upright = _upright(opened)
            if upright.mode in {"P", "1"}:
                # Made smaller as it is, a page in few colours would lose whole strokes of its letters.
                upright = upright.convert("RGBA")
            upright.thumbnail((EDGE, EDGE))
            return _on_white(upright)
    except (MemoryError, Refused):
        raise
    except Image.DecompressionBombError:
        raise Refused("dimensions") from None
    except Exception:  # noqa: BLE001 - whatever a decoder says of such a file, nobody could look at it
        raise Refused("unreadable") from None


def _require_small(opened: Image.Image, pixels: int) -> None:
    if opened.width * opened.height > pixels:
        raise Refused("dimensions")


def _upright(opened: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(opened)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - what is wrong with the EXIF alone does not make a picture worse
        return opened


def _pages(data: bytes) -> Iterator[Image.Image]:
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        raise Refused("encrypted" if getattr(error, "err_code", None) == _PASSWORD else "unreadable") from None
    if not 0 < len(document) <= PAGES:
        raise Refused("pages" if len(document) else "unreadable")
    for number in range(len(document)):
        try:
            page = document[number]
            longer = max(page.get_size())
            scale = min(_DOTS_A_POINT, EDGE / max(longer, 1))
            drawn: Image.Image = page.render(scale=scale).to_pil()
        except (pypdfium2.PdfiumError, ValueError, OverflowError):
            raise Refused("unreadable") from None
        yield _on_white(drawn)


def _on_white(picture: Image.Image) -> Image.Image:
    """Return a new picture with the same colours and nothing else of the old one."""
    paper = Image.new("RGB", picture.size, "white")
    if "A" in picture.getbands() or "transparency" in picture.info:
        seen = picture.convert("RGBA")
        paper.paste(seen, mask=seen.getchannel("A"))
    else:
        paper.paste(picture.convert("RGB"))
    return paper


def _jpeg(picture: Image.Image) -> bytes:
    written = b""
    for quality in _QUALITIES:
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=quality)
        written = out.getvalue()
        if len(written) <= LARGEST:
            break
    return written


def _warm_up() -> None:
    """Have both libraries load all they ever load: by the time they meet the file, none can be opened."""
    for plugin in ("Jpeg", "Mpo", "Png", "Tiff"):
        importlib.import_module(f"PIL.{plugin}ImagePlugin")
    sample = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (8, 8)).save(sample, "JPEG", exif=exif)
    sanitised("jpeg", sample.getvalue())
    with pypdfium2.PdfDocument.new() as document:
        document.new_page(8, 8)
        written = io.BytesIO()
        document.save(written)
    sanitised("pdf", written.getvalue())


def _give_up() -> None:
    for limit, value in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 0),
        (resource.RLIMIT_NPROC, 0),
    ):
        resource.setrlimit(limit, (value, value))
    if sys.platform == "linux":
        _give_up_calls()


def _give_up_calls() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    # PR_SET_PDEATHSIG: a server that is killed leaves none of these behind. PR_SET_DUMPABLE: nobody else of its user
    # looks into it. PR_SET_NO_NEW_PRIVS: no program gives it more than it has.
    for option, value in ((1, signal.SIGKILL), (4, 0), (38, 1)):
        _require(libc.prctl(option, *map(ctypes.c_ulong, (value, 0, 0, 0))))
    machine = os.uname().machine
    if machine in CALLS:
        _filter(libc, machine)


def _filter(libc: ctypes.CDLL, machine: str) -> None:
    """Have the kernel refuse all other calls, of every thread."""
    processor, seccomp = _KINDS[machine]
    calls = CALLS[machine]
    load, equal, answer = 0x20, 0x15, 0x06
    steps = [
        # Numbers mean what they mean for this kind of processor alone: a call of another kind ends the process.
        (load, 0, 0, 4),
        (equal, 1, 0, processor),
        (answer, 0, 0, 0x80000000),
        (load, 0, 0, 0),
        *((equal, len(calls) - at, 0, call) for at, call in enumerate(calls)),
        (answer, 0, 0, 0x00050000 | errno.EPERM),
        (answer, 0, 0, 0x7FFF0000),
    ]
    code = b"".join(struct.pack("=HBBI", *step) for step in steps)
    held = ctypes.create_string_buffer(code, len(code))
    program = ctypes.create_string_buffer(struct.pack("@HP", len(steps), ctypes.addressof(held)))
    set_filter, every_thread = 1, 1
    _require(libc.syscall(*map(ctypes.c_long, (seccomp, set_filter, every_thread)), program))


def _require(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), "the kernel does not let this process give up its calls")


def main() -> int:
    """Do what the module says; return the exit code."""
    kind = sys.argv[1]
    # Larger than this is refused here, where it can be said: the limit is ours, not the decoder's.
    Image.MAX_IMAGE_PIXELS = None
    _warm_up()
    _give_up()
    data = sys.stdin.buffer.read()
    out = sys.stdout.buffer
    try:
        pictures = sanitised(kind, data)
    except Refused as refused:
        out.write(refused.fault.encode())
        return REFUSED
    for picture in pictures:
        out.write(len(picture).to_bytes(4, "big") + picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
