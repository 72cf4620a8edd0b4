"""How this program is called where it was called: what is printed to be typed has to work when it is.

Called by commands that name another one.
"""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path


def own_command(*arguments: str) -> str:
    """Return the line that runs ``bjidp`` with ``arguments`` in the shell that this process was started from.

    By its name where that finds this very program; else by its path, from here where it lies below.
    """
    return shlex.join((*_program(Path(sys.argv[0]), Path.cwd()), *arguments))


def _program(started: Path, here: Path) -> tuple[str, ...]:
    if started.name == "__main__.py":
        return _near(Path(sys.executable), here), "-m", "bjidp"
    found = shutil.which(started.name)
    if found is not None and Path(found).absolute() == started.absolute():
        return (started.name,)
    return (_near(started, here),)


def _near(path: Path, here: Path) -> str:
    whole = path.absolute()
    return str(whole.relative_to(here)) if whole.is_relative_to(here) else str(whole)
