"""What the log is told of an error that is none of ours.

Owns that it is its class and its place alone: the text of a foreign error may hold a name or a number. Called wherever
one fault must not end what others wait for.
"""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Final

FRAMES: Final = 6
"""Places named, from the innermost."""


def outline(error: Exception) -> dict[str, object]:
    """Return the fields of a log line about ``error``."""
    trace = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    places = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in trace]
    return {"kind": type(error).__name__, "places": places}
