"""What somebody at a terminal sees while it waits.

Owns the lines and their redrawing in place. On what is no terminal, or one that is too small, there is no picture: the
address and the code do as well.
"""

from __future__ import annotations

import shutil
import sys
import unicodedata
from typing import Final, TextIO

from bjidp.entropy import from_base64url
from bjidp.qrlogin import frame
from bjidp.qrlogin.policy import Purpose
from bjidp.terminal import drawing
from bjidp.terminal.talking import Codes, printable
from bjidp.terminal.words import Said, Words

UP: Final = "\x1b[{}F"
CLEAR: Final = "\x1b[0J"
HIDE: Final = "\x1b[?25l"
SHOW: Final = "\x1b[?25h"
LINE: Final = "\x1b[K"


class Screen:
    """One terminal, while one login is under way."""

    def __init__(self, words: Words, out: TextIO = sys.stderr, *, plain: bool = False) -> None:
        """Write ``words`` to ``out``; a ``plain`` one is told words alone."""
        self._words = words
        self._out = out
        self._plain = plain or not _writes(out, "▀")
        self._drawn = 0

    @property
    def draws(self) -> bool:
        """Whether pictures can be shown at all."""
        return not self._plain and self._out.isatty()

    def ask(self, codes: Codes, elapsed: float) -> None:
        """Show what is to be scanned, as it is ``elapsed`` seconds after it arrived, or what is to be typed."""
        left = max(0, round(codes.expires_in - elapsed))
        code, address = printable(codes.user_code), printable(codes.verification_uri)
        words = [
            self._words.plain("ask", code=code, left=f"{left // 60}:{left % 60:02}"),
            self._words.plain("ask.type", address=address),
        ]
        picture = self._picture(text(codes, elapsed), len(words))
        if self.draws and not picture:
            words.append(self._words.plain("ask.small"))
        self._put(picture, words)

    def scanned(self, codes: Codes) -> None:
        """Show no picture any more: somebody has it, and the code to compare is what they need."""
        code = self._words.plain("taken.code", code=printable(codes.user_code))
        self._put([], [code, self._words.plain("taken")])

    def clear(self) -> None:
        """Leave nothing of it behind."""
        if self.draws and self._drawn:
            self._out.write(UP.format(self._drawn) + CLEAR + SHOW)
            self._out.flush()
        self._drawn = 0

    def say(self, key: str, **values: str | Said) -> None:
        """Say something that stays."""
        self._say(self._words.plain(key, **values))

    def _say(self, line: str) -> None:
        print(line, file=self._out, flush=True)

    def _picture(self, words: str, beside: int) -> list[str]:
        """Return the code of ``words`` as large as there is room for, with so many lines under it; nothing if none."""
        if not self.draws:
            return []
        size = shutil.get_terminal_size()
        for quiet in (drawing.QUIET, drawing.QUIET // 2):
            picture = drawing.lines(words, quiet)
            columns, lines = drawing.size(picture)
            # One line more is the cursor's own.
            if columns <= size.columns and lines + beside < size.lines:
                return picture
        return []

    def _put(self, picture: list[str], words: list[str]) -> None:
        if not self.draws:
            # What is no terminal is told once.
            if not self._drawn:
                self._say("\n".join(words))
            self._drawn = len(words)
            return
        # A line that is broken into two would be one more to go up.
        width = shutil.get_terminal_size().columns - 1
        lines = [*picture, *(_cut(line, width) for line in words)]
        up = UP.format(self._drawn) if self._drawn else HIDE
        # In one piece: half a picture is none.
        self._out.write(up + "".join(f"{line}{LINE}\n" for line in lines) + CLEAR)
        self._out.flush()
        self._drawn = len(lines)


def _writes(out: TextIO, letter: str) -> bool:
    try:
        letter.encode(out.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _cut(line: str, columns: int) -> str:
    """Return what of a line fits into so many columns, of which a Chinese character takes two."""
    taken = 0
    for index, letter in enumerate(line):
        taken += 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if taken > columns:
            return line[:index]
    return line


def text(codes: Codes, elapsed: float) -> str:
    """Return what the QR code says ``elapsed`` seconds after the codes arrived."""
    whole = codes.verification_uri_complete or codes.verification_uri
    if codes.qr is None:
        return whole
    head, _, ticket = whole.rpartition("/")
    number = int((codes.qr.elapsed + elapsed) // codes.qr.step)
    return frame.text(f"{head}/", from_base64url(codes.qr.key), Purpose.DEVICE, ticket, number)
