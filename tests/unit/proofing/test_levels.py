"""What a proof is worth."""

from __future__ import annotations

import pytest

from bjidp.accounts.ports import Evidence
from bjidp.proofing.levels import level
from bjidp.proofing.terms import FOR_LIFE, UNSTATED, Until
from bjidp.standing import Level

NOW = 1_800_000_000_000


@pytest.mark.req("RNV-1")
@pytest.mark.parametrize(
    ("proof", "worth"),
    [(Evidence.NAME_AND_NUMBER, Level.L2), (Evidence.BANK_CARD, Level.L3), (Evidence.FACE, Level.L3)],
)
def test_a_proof_has_its_level_until_the_document_runs_out(proof: Evidence, worth: Level) -> None:
    assert level(proof, UNSTATED, NOW) is level(proof, FOR_LIFE, NOW) is worth
    assert level(proof, Until(NOW + 1), NOW) is worth
    assert level(proof, Until(NOW), NOW) is Level.L1
