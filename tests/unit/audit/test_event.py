"""An audit event holds references and code words, whatever it is given."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bjidp.audit.event import AuditEvent, EventKind, Fact, code_word


@pytest.mark.req("OPS-8")
@given(st.text())
def test_a_fact_is_a_short_ascii_word_or_other(text: str) -> None:
    event = AuditEvent(EventKind.LOGIN_BROWSER, 1, facts={Fact.BROWSER: text})
    word = event.words()["browser"]
    assert word == "other" or (word == text and text.isascii() and 0 < len(text) <= 80 and " " not in text)


@pytest.mark.req("OPS-8")
@pytest.mark.parametrize("text", ["张三", "two words", "", "x" * 81, "a@b.cn", "line\n", "北京市"])
def test_what_could_name_a_person_is_not_a_code_word(text: str) -> None:
    assert code_word(text) == "other"


@pytest.mark.req("OPS-8")
@pytest.mark.parametrize("field", ["account_ref", "session", "ticket"])
def test_a_reference_that_is_none_is_refused(field: str) -> None:
    with pytest.raises(ValueError, match="references only"):
        msgspec.structs.replace(AuditEvent(EventKind.LOGIN_BROWSER, 1), **{field: "张三"})


def test_facts_are_written_in_the_order_of_their_names() -> None:
    """The sealer hashes what is stored: the same event is the same bytes."""
    facts = {Fact.WAY: "qr", Fact.BROWSER: "chrome", Fact.OS: "windows"}
    turned = dict(reversed(facts.items()))
    assert list(AuditEvent(EventKind.LOGIN_BROWSER, 1, facts=facts).words()) == ["browser", "os", "way"]
    assert AuditEvent(EventKind.LOGIN_BROWSER, 1, facts=turned).words() == {
        "browser": "chrome", "os": "windows", "way": "qr"
    }  # fmt: skip
