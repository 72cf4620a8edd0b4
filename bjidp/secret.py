"""Values that must not be printed.

Owns the wrapper for keys, passwords and vendor secrets. Configuration hands them out; only the code that sends
or derives with one calls :meth:`Secret.reveal`.
"""

from __future__ import annotations

import hmac


class Secret:
    """Bytes whose ``repr``, ``str`` and format are always ``***``, so that no log line or traceback shows them."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes | str) -> None:
        """Wrap ``value``; text is kept as UTF-8."""
        self._value = value.encode() if isinstance(value, str) else value

    def reveal(self) -> bytes:
        """Return the bytes."""
        return self._value

    def text(self) -> str:
        """Return the value as text."""
        return self._value.decode()

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        """Compare in constant time."""
        return isinstance(other, Secret) and hmac.compare_digest(self._value, other._value)

    __hash__ = None  # type: ignore[assignment]  # a secret is never a key

    def __bool__(self) -> bool:
        return bool(self._value)

    def __reduce__(self) -> str:
        raise TypeError("a secret is not pickled")
