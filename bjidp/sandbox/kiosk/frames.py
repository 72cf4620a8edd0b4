"""The moving code on the kiosk's screen.

Owns its text, as docs/wire.md has it: ``<prefix><ticket>.<t>.<mac>``, a new one each step, and its picture. Written
from that page without a look at the server's own: a kiosk of somebody else would be too.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Final

from msgspec import Struct
from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode
from qrcode.util import QRData

QUIET: Final = 4
_BYTE_MODE: Final = 4
_MASK: Final = 2
"""One fixed mask: choosing the best takes eight times as long."""


class Frames(Struct, frozen=True):
    """What the server told: the ``key`` in base64url, seconds a frame lives, and the ticket's age when it was told."""

    key: str
    step: float
    elapsed: float


def text(whole: str, frames: Frames, seconds: float) -> str:
    """Return what is shown ``seconds`` after the codes arrived; ``whole`` is the text without a frame."""
    head, _, ticket = whole.rpartition("/")
    number = int((frames.elapsed + seconds) // frames.step)
    key = base64.urlsafe_b64decode(frames.key + "=" * (-len(frames.key) % 4))
    said = f"bjidp.qr.v1|device|{ticket}|{number:03d}"
    mac = base64.urlsafe_b64encode(hmac.digest(key, said.encode(), hashlib.sha256)).decode()[:12]
    return f"{head}/{ticket}.{number:03d}.{mac}"


def picture(words: str) -> str:
    """Return the QR code of ``words`` as an SVG."""
    code = QRCode(error_correction=ERROR_CORRECT_M, mask_pattern=_MASK, border=QUIET)
    code.add_data(QRData(words.encode(), mode=_BYTE_MODE), optimize=0)
    code.make(fit=True)
    rows = code.get_matrix()
    size = len(rows)
    dark = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, module in enumerate(row) if module)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{size}v{size}H0z"/><path d="{dark}"/></svg>'
    )
