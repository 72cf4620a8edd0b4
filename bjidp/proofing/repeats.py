"""How long what a register was asked serves: for the same question asked again, by the same account.

Owns the rule alone (ADR 0018). Pure; called by the store of checks. Whatever serves no more is a question anew, charged
by the register, and one of those that an account has in a day.
"""

from __future__ import annotations

from typing import Final

from bjidp.clock import MINUTE, Instant, Millis
from bjidp.proofing.dates import beijing_date
from bjidp.vendors.ports.registers import RegisterAnswer

NO_SERVES: Final[Millis] = 10 * MINUTE
"""How long a no is repeated: for a form that is posted twice. A register that erred, or whose data was put right, is
heard again by whoever comes back."""


def serves(answer: RegisterAnswer | None, *, begun_at: Instant, answered_at: Instant | None, now: Instant) -> bool:
    """Tell whether a question is answered, or asked, as the one that was begun then; ``answer`` is None without one.

    It does on the day in Beijing on which it was begun: documents and cards run out when a day ends there, so a yes of
    the day before proves nothing that counts today.
    """
    if beijing_date(begun_at) != beijing_date(now):
        return False
    if answer is None or answered_at is None or answer is RegisterAnswer.MATCH:
        return True
    return now - answered_at < NO_SERVES
