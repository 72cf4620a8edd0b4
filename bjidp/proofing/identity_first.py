"""What there is nothing to do with for an account without an identity: 换绑 and 解绑 (RNV-5, RNV-6).

Owns the one rule. Pure; called by ``web``, which says so before any form is shown, and any message sent for it.
"""

from __future__ import annotations

from bjidp.accounts.member_ports import Member
from bjidp.verification.proofs import Operation


def identity_comes_first(member: Member, operation: Operation) -> bool:
    """Tell whether ``operation`` is about an identity that this account has not."""
    return operation in {Operation.EXCHANGE, Operation.UNBIND} and member.document is None
