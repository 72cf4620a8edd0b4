"""The ticket's machine as a picture.

Owns drawing ``TRANSITIONS`` as a Mermaid state diagram. ``docs/qr-ticket.md`` holds the drawing; a test fails when the
two differ, and ``python -m bjidp.qrlogin.diagram`` prints the new one.
"""

from __future__ import annotations

import sys
from collections import defaultdict

from bjidp.qrlogin.machine import TRANSITIONS
from bjidp.qrlogin.ticket import LIVE, Pending


def mermaid() -> str:
    """Return the diagram's text: one arrow for each pair of states, with every event that leads along it."""
    events: dict[tuple[str, str], list[str]] = defaultdict(list)
    for before, event, after in TRANSITIONS:
        events[before.__name__, after.__name__].append(event)
    lines = ["stateDiagram-v2", f"    [*] --> {Pending.__name__}: issue"]
    lines += [f"    {before} --> {after}: {', '.join(names)}" for (before, after), names in events.items()]
    states = dict.fromkeys(state.__name__ for before, _, after in TRANSITIONS for state in (before, after))
    live = {state.__name__ for state in LIVE}
    lines += [f"    {name} --> [*]" for name in states if name not in live]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(mermaid())
