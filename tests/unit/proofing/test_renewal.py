"""What an identity counts as proved by, once it was proved again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bjidp.accounts.ports import Evidence
from bjidp.proofing.renewal import Proof, renewed
from bjidp.proofing.terms import FOR_LIFE, UNSTATED, Term, Until

NOW = 1_800_000_000_000
WORN = Until(NOW)
proofs = st.sampled_from(Evidence)
terms = st.sampled_from([UNSTATED, FOR_LIFE, Until(NOW + 1), WORN])
stated = st.sampled_from([FOR_LIFE, Until(NOW + 1), Until(NOW + 2)])


@pytest.mark.req("RNV-7")
@given(proofs, proofs, terms.filter(lambda term: term != WORN), terms)
def test_what_was_proved_better_counts_on_under_its_own_reference(
    former: Evidence, proof: Evidence, held: Term, new: Term
) -> None:
    counts = renewed(Proof(former, "E1", held), Proof(proof, "E2", new), NOW)
    assert (counts.evidence, counts.reference) == ((former, "E1") if former.outweighs(proof) else (proof, "E2"))
    assert counts.term == (held if new == UNSTATED else new)


@pytest.mark.req("RNV-1")
@given(proofs, proofs, stated)
def test_beside_the_dates_of_another_document_one_that_has_run_out_counts_for_nothing(
    former: Evidence, proof: Evidence, new: Term
) -> None:
    assert renewed(Proof(former, "E1", WORN), Proof(proof, "E2", new), NOW) == Proof(proof, "E2", new)


@pytest.mark.req("RNV-1")
@given(proofs, proofs)
def test_without_dates_a_document_that_has_run_out_stays_so(former: Evidence, proof: Evidence) -> None:
    counts = renewed(Proof(former, "E1", WORN), Proof(proof, "E2", UNSTATED), NOW)
    assert counts.term == WORN
    assert not former.outweighs(counts.evidence)
