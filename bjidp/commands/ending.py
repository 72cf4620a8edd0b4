"""How a command ends that cannot do what it was asked: in words, and with an exit code.

Owns both. Called by every command; it loads nothing of a server.
"""

from __future__ import annotations

import sys
from typing import Final, NoReturn

FAULT: Final = 2
"""Exit code for settings or surroundings the operator has to mend."""

REFUSED: Final = 3
"""Exit code for what was asked for and was not done."""


class Refused(Exception):
    """What was asked for is not done; the text says why, for whoever asked."""


def fail(*lines: str, code: int = FAULT) -> NoReturn:
    """Say the ``lines``, and end the process with the ``code``."""
    print(*lines, sep="\n  ", file=sys.stderr)
    # Less than zero for a process that a signal ended, which no exit code can be.
    raise SystemExit(code if code > 0 else FAULT)
