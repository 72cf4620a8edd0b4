"""统一社会信用代码 of organisations that do not exist: GB 32100-2015, written out again here on purpose.

Their region is ``000000``, which no place has; the server accepts them only beside a sandbox.
"""

from __future__ import annotations

import re
from typing import Final

_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS: Final = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_ORGANISATION_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)
_ORGANISATION_CHECKS: Final = "0X987654321"

_SYNTHETIC: Final = re.compile(f"[{_ALPHABET}]{{2}}0{{6}}[{_ALPHABET}]{{10}}")


def credit_code(kind: str, serial: int) -> str:
    """Return the code of an organisation; ``kind`` is who registers it and what it is, such as 91 for a company."""
    organisation = f"MA99{serial:04d}"
    first = f"{kind}000000{organisation}{organisation_check(organisation)}"
    return first + code_check(first)


def code_check(first: str) -> str:
    """Return the check character of the first 17."""
    total = sum(_ALPHABET.index(c) * weight for c, weight in zip(first, _WEIGHTS, strict=True))
    return _ALPHABET[-total % 31]


def organisation_check(first: str) -> str:
    """Return the check character of the 8 of an organisation's own code (GB 11714-1997)."""
    total = sum(int(c, 36) * weight for c, weight in zip(first, _ORGANISATION_WEIGHTS, strict=True))
    return _ORGANISATION_CHECKS[total % 11]


def is_synthetic(code: str) -> bool:
    """Tell whether ``code`` is well formed and of the region that no place has."""
    return _SYNTHETIC.fullmatch(code) is not None and code_check(code[:17]) == code[17]
