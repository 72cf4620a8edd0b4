"""What raises an account to the level that a site asks for."""

from __future__ import annotations

import pytest

from bjidp.oidc.authorize.ways import ways
from bjidp.standing import Level
from bjidp.verification.operation import Operation

pytestmark = pytest.mark.req("RNV-9")


@pytest.mark.parametrize(
    ("has", "worn", "wanted", "offered"),
    [
        (Level.L1, False, Level.L2, (Operation.REAL_NAME, Operation.BANK_CARD)),
        (Level.L1, False, Level.L3, (Operation.REAL_NAME, Operation.BANK_CARD)),
        (Level.L1, True, Level.L2, (Operation.REAL_NAME,)),
        (Level.L1, True, Level.L3, (Operation.REAL_NAME,)),
        (Level.L2, False, Level.L3, (Operation.BANK_CARD, Operation.FACE)),
        (Level.L2, False, Level.L4, ()),
    ],
)
def test_what_leads_to_a_level_is_offered_and_nothing_that_has_no_identity_to_begin_with(
    has: Level, worn: bool, wanted: Level, offered: tuple[Operation, ...]
) -> None:
    assert ways(has, wanted, worn=worn) == offered
