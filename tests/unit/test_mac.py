"""MACs: the very ones of the standard library."""

from __future__ import annotations

import hmac

from hypothesis import given
from hypothesis import strategies as st

from bjidp.mac import MacKey, mac_once


@given(key=st.binary(min_size=1, max_size=200), messages=st.lists(st.binary(max_size=200), min_size=1, max_size=4))
def test_a_mac_is_hmac_sha256_of_each_message_by_itself(key: bytes, messages: list[bytes]) -> None:
    ready = MacKey(key)
    for message in messages:
        assert ready.mac(message) == hmac.digest(key, message, "sha256") == mac_once(key, message)


def test_a_key_is_not_shown() -> None:
    assert "secret" not in repr(MacKey(b"secret"))
