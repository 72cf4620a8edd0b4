"""``python -m bjidp``: the command line, also where no script is installed."""

from __future__ import annotations

from bjidp.cli import main

if __name__ == "__main__":
    main()
