"""Who has to bind a phone before a register is asked: whoever could state anybody (REG-5, attack O2).

Owns the one rule. Pure; called by the proofs that it keeps from asking, and by ``web``, which says so before the form.
An account without a number was registered in 京通, where nothing of its own was proved but a face.
"""

from __future__ import annotations

from bjidp.accounts.member_ports import Member
from bjidp.verification.proofs import Operation


def phone_comes_first(member: Member, operation: Operation) -> bool:
    """Tell whether ``operation`` is refused to this account until it has a phone of its own."""
    if operation is Operation.BANK_CARD:
        # Beside an identity it is about that person, whom no other's name and number can stand for.
        states_anybody = member.document is None
    else:
        states_anybody = operation in {Operation.REAL_NAME, Operation.EXCHANGE}
    return states_anybody and member.phone is None
