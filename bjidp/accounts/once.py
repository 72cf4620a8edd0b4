"""A right code, of which the form may come twice.

Owns how long another post of the same form waits for what the first is about to note: the first has used the code up,
and until it has written that the code was right, the second finds neither. Called by every step of this package that
takes a code.

**What a crash leaves.** Between the use of the code and the note of it the code is lost, and another has to be sent.
Whoever posts the form again then waits for nobody, and is told that the code is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from bjidp.verification.code import Binding
from bjidp.verification.codes import Codes
from bjidp.verification.errors import VerificationCodeExpired

LOOKS: Final = 5
PAUSE: Final = 0.1
"""Seconds between looks."""

T = TypeVar("T")


async def prove_once(codes: Codes, binding: Binding, code: str, noted: Callable[[], Awaitable[T | None]]) -> T | None:
    """Use the code up, and return None: that it was right is to be noted now. Or return what another post has noted.

    ``noted`` looks for that, returns None while there is none, and raises what makes waiting for it pointless. Raises
    ``VerificationCodeWrong``, ``VerificationCodeExpired`` and ``RateLimited``.
    """
    try:
        await codes.use(binding, code)
    except VerificationCodeExpired:
        for look in range(LOOKS):
            if look:
                await asyncio.sleep(PAUSE)
            found = await noted()
            if found is not None:
                return found
        raise
    return None
