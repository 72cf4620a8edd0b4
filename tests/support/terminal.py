"""A terminal, and a program in it: what it shows is read off the screen, and drawn as a camera would see it.

Owns as much of a terminal as the program uses: lines, the way up, clearing, and two colours.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import sys
import termios
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Final

import zxingcpp
from PIL import Image

PATIENCE: Final = 30.0
MODULE: Final = 4
"""Pixels a side of a module."""

PAINTED: Final = "38;5;16;48;5;231"
"""Black on white, as far as this terminal knows colours; without it, it shows white on black."""

_TOKEN: Final = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|(\r\n|\n)|(\r)|([^\x1b])", re.DOTALL)

Cell = tuple[str, bool]
"""A character, and whether it is black on white."""


class Grid:
    """What is on a screen."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.lines: list[list[Cell]] = [[]]
        self._row = self._column = 0
        self._painted = False
        self._rest = ""

    def feed(self, text: str) -> None:
        """Show more of what a program writes."""
        text, self._rest = self._rest + text, ""
        cut = text.rfind("\x1b")
        if cut >= 0 and not _TOKEN.match(text, cut):
            text, self._rest = text[:cut], text[cut:]
        for code, kind, newline, back, letter in _TOKEN.findall(text):
            if kind:
                self._obey(kind, code)
            elif newline:
                self._row, self._column = self._row + 1, 0
                if self._row == len(self.lines):
                    self.lines.append([])
            elif back:
                self._column = 0
            else:
                self.lines[self._row][self._column : self._column + 1] = [(letter, self._painted)]
                self._column += 1

    @property
    def text(self) -> str:
        """The words on the screen."""
        return "\n".join("".join(letter for letter, _ in line) for line in self.lines)

    def photographed(self) -> Image.Image:
        """Return what a camera sees: each character as two modules, one above the other."""
        width = max(1, *(len(line) for line in self.lines))
        image = Image.new("L", (width, 2 * len(self.lines)), 0)
        for row, line in enumerate(self.lines):
            for column, (letter, painted) in enumerate(line):
                ink, paper = (0, 255) if painted else (255, 0)
                image.putpixel((column, 2 * row), ink if letter in "▀█" else paper)
                image.putpixel((column, 2 * row + 1), ink if letter in "▄█" else paper)
        return image.resize((image.width * MODULE, image.height * MODULE), Image.Resampling.NEAREST)

    def read(self) -> str | None:
        """Return what the QR code on the screen says, None if there is none that a phone reads."""
        found = zxingcpp.read_barcodes(self.photographed(), try_invert=False)
        return found[0].text if found else None

    def _obey(self, kind: str, code: str) -> None:
        match kind:
            case "m":
                self._painted = code == PAINTED
            case "F":
                self._row, self._column = max(0, self._row - int(code or 1)), 0
            case "K":
                del self.lines[self._row][self._column :]
            case "J":
                del self.lines[self._row][self._column :]
                del self.lines[self._row + 1 :]
            case "h" | "l":
                pass
            case _:
                raise AssertionError(f"a terminal is told what this one does not know: {code}{kind}")


class Terminal:
    """A program that runs in a terminal."""

    def __init__(self, process: asyncio.subprocess.Process, master: int) -> None:
        """Use :func:`opened`."""
        self.grid = Grid()
        self._process = process
        self._master = master
        self._news = asyncio.Event()
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        asyncio.get_running_loop().add_reader(master, self._read)

    async def shows(self, words: str) -> None:
        """Wait until the screen has some words on it."""
        await self._until(lambda: words in self.grid.text)

    async def photographed(self, *, other_than: str | None = None) -> str:
        """Wait until there is a code on the screen, and return what a phone reads in it."""
        found: list[str] = []

        def is_there() -> bool:
            read = self.grid.read()
            if read is not None and read != other_than:
                found.append(read)
            return bool(found)

        await self._until(is_there)
        return found[0]

    async def ends(self) -> int:
        """Wait until the program has ended; return its exit code."""
        async with asyncio.timeout(PATIENCE):
            code = await self._process.wait()
        self._read()
        return code

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        os.write(self._master, b"\x03")

    async def _until(self, is_so: object) -> None:
        assert callable(is_so)
        try:
            async with asyncio.timeout(PATIENCE):
                while not is_so():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"the terminal shows:\n{self.grid.text}") from None

    def _read(self) -> None:
        try:
            octets = os.read(self._master, 65_536)
        except (BlockingIOError, OSError):
            # The program has gone, and with it the other end.
            octets = b""
        if not octets:
            asyncio.get_running_loop().remove_reader(self._master)
        self.grid.feed(self._decode(octets))
        self._news.set()

    async def close(self) -> None:
        """End the program, if it has not ended."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        asyncio.get_running_loop().remove_reader(self._master)
        os.close(self._master)


def _at_a_terminal() -> None:
    """Let Ctrl-C reach the program: its terminal is its own, and it does not ignore what tests in the background do."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextlib.asynccontextmanager
async def opened(
    *arguments: str, home: Path, size: tuple[int, int] = (24, 80), environment: Mapping[str, str] | None = None
) -> AsyncIterator[Terminal]:
    """Run ``bjidp`` in a terminal of so many lines and columns; what it keeps, it keeps below ``home``."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    os.set_blocking(master, False)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bjidp",
        *arguments,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        preexec_fn=_at_a_terminal,
        env={
            **{name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}},
            "HOME": str(home),
            "LC_ALL": "C.UTF-8",
            "XDG_DATA_HOME": str(home / "data"),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            **(environment or {}),
        },
    )
    os.close(slave)
    terminal = Terminal(process, master)
    try:
        yield terminal
    finally:
        await terminal.close()
