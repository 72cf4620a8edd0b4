"""What captchas show, for whoever has to get past one.

A server whose environment is a demonstration's tells the answer of each captcha to a witness. The demonstration's own
asks the sandbox over HTTP, at more than a page costs; this one writes a line to a file, before the page that shows the
captcha is answered: whoever has the page finds it.
"""

from __future__ import annotations

import os
from pathlib import Path

from bjidp.bootstrap import Witnessing
from bjidp.vendors.catalog import HttpClients
from bjidp.verification.captchas import Witness


def telling(path: Path) -> Witnessing:
    """Return the witness that writes to ``path``."""

    def opened(_: HttpClients) -> Witness:
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

        async def tell(captcha: str, answer: str) -> None:
            os.write(file, f"{captcha} {answer}\n".encode())

        return tell

    return opened


class Answers:
    """Reads what a witness wrote; several may read one file."""

    def __init__(self, path: Path) -> None:
        """Begin with what is told from now on."""
        path.touch()
        self._file = path.open(encoding="ascii")
        self._file.seek(0, os.SEEK_END)
        self._found: dict[str, str] = {}

    def of(self, captcha: str) -> str:
        """Return what a captcha shows, once."""
        if captcha not in self._found:
            for line in self._file:
                told, answer = line.split()
                self._found[told] = answer
        return self._found.pop(captcha)
