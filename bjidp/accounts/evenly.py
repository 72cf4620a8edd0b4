"""Answers that take as long whatever was found (attack R1).

Owns the step of time in which such an answer leaves. Called by recovery, where a name that somebody has costs a few
microseconds more than one that nobody has: what is sealed of its owner is opened, to be masked. A name that nobody has
can do the same number of things, but not the very same ones; what leaves on the next stroke of a clock shows neither.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

STEP: Final = 0.005
"""Seconds: more than ten times what a look-up takes, and nothing a person sees."""


@asynccontextmanager
async def evenly() -> AsyncIterator[None]:
    """Leave a whole number of steps of :data:`STEP` seconds after it was entered, in failure too."""
    loop = asyncio.get_running_loop()
    entered = loop.time()
    try:
        yield
    finally:
        await asyncio.sleep(until_next(loop.time() - entered, STEP))


def until_next(taken: float, step: float) -> float:
    """Return the seconds from ``taken`` to the end of the step it is in; a step that is just over is over."""
    return step - taken % step
