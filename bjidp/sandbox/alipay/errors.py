"""How the gateway says no."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

Node: TypeAlias = dict[str, Any]

_MESSAGES: Final = {
    "20000": "Service Currently Unavailable",
    "20001": "Insufficient Token Permissions",
    "40001": "Missing Required Arguments",
    "40002": "Invalid Arguments",
    "40003": "Insufficient Conditions",
    "40004": "Business Failed",
}


class AlipayError(Exception):
    """The request is refused: code, sub_code and words.

    Errors of the gateway come as ``error_response``, those of a business method under its usual node.
    """

    def __init__(self, code: str, sub_code: str, sub_msg: str) -> None:
        """Refuse with a ``code`` of the public table and the sub_code that goes with it."""
        super().__init__(sub_code)
        self.is_business = code == "40004"
        self.node: Node = {"code": code, "msg": _MESSAGES[code], "sub_code": sub_code, "sub_msg": sub_msg}


def missing(sub_code: str, words: str) -> AlipayError:
    """Return the refusal of a request that lacks something."""
    return AlipayError("40001", sub_code, words)


def invalid(sub_code: str, words: str) -> AlipayError:
    """Return the refusal of a request with something wrong in it."""
    return AlipayError("40002", sub_code, words)


def failed(sub_code: str, words: str) -> AlipayError:
    """Return the refusal by a business method."""
    return AlipayError("40004", sub_code, words)
