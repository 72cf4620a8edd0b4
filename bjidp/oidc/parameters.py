"""The parameters of a request, as OAuth means them.

Owns how they are read: a name comes once, one without a value counts as absent (RFC 6749, section 3.1), and what no
client can mean is refused before anything else looks at it. Pure; called by the endpoints with what their framework
decoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, TypeAlias

from bjidp.oidc.errors import InvalidRequest

Pair: TypeAlias = tuple[str, str]

LONGEST: Final = 4096
"""Characters of one value: an ID token that comes back as a hint, with the longest name of an organisation and the
longest nonce, has three thousand. More is nothing that this server has a use for."""

OPAQUE_MAX: Final = 1024
"""Characters of ``state`` and ``nonce``, which are given back as they came: they have to fit into an address."""

MOST: Final = 64
"""Parameters of one request."""

_VISIBLE: Final = re.compile(r"[\x20-\x7e]*")


class Parameters:
    """Parameters that came once each and have a value. Shows none of them: secrets are among them."""

    __slots__ = ("_values", "faulty")

    def __init__(self, pairs: Iterable[Pair]) -> None:
        """Take what was sent; names that came twice, or whose value no client can mean, are ``faulty``."""
        values: dict[str, str] = {}
        faulty: set[str] = set()
        for number, (name, value) in enumerate(pairs):
            if name in values or number >= MOST or len(value) > LONGEST or not _VISIBLE.fullmatch(value):
                faulty.add(name)
            values.setdefault(name, value)
        self._values = {name: value for name, value in values.items() if value and name not in faulty}
        self.faulty = frozenset(faulty)

    def __repr__(self) -> str:
        return f"Parameters({len(self._values)})"

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def get(self, name: str) -> str | None:
        """Return the value, or None when it is absent or faulty."""
        return self._values.get(name)

    def require(self, name: str, description: str) -> str:
        """Return the value; raise :class:`InvalidRequest` with the ``description`` when there is none."""
        value = self._values.get(name)
        if value is None:
            raise InvalidRequest(description)
        return value

    def words(self, name: str) -> tuple[str, ...]:
        """Return the words of a list that is separated by spaces, each once, in their order (RFC 6749, section 3.3)."""
        return tuple(dict.fromkeys(self._values.get(name, "").split()))

    def require_sound(self) -> None:
        """Raise :class:`InvalidRequest` when anything came twice, is too long, or is not printable ASCII."""
        if self.faulty:
            raise InvalidRequest("a parameter came twice, is longer than 4096 characters, or is not printable ASCII")
