"""The ethnic groups of China by their codes (GB/T 3304-1991), in the standard's order (ACC-5). Pure.

Owns the closed list of what an account may say of itself; how each is called is the catalogue's, under ``ethnicity``.
"""

from __future__ import annotations

from typing import Final

# fmt: off
CODES: Final = (
    "HA", "MG", "HU", "ZA", "UG", "MH", "YI", "ZH", "BY", "CS",
    "MA", "DO", "YA", "BA", "TJ", "HN", "KZ", "DA", "LI", "LS",
    "VA", "SH", "GS", "LH", "SU", "DX", "NX", "JP", "KG", "TU",
    "DU", "ML", "QI", "BL", "SL", "MN", "GL", "XB", "AC", "PM",
    "TA", "NU", "UZ", "RS", "EW", "DE", "BN", "YG", "GI", "TT",
    "DR", "OR", "HZ", "MB", "LB", "JN",
)
"""The alphabetic codes, 01 to 56 by their place."""
# fmt: on

_KNOWN: Final = frozenset(CODES)


def is_ethnicity(code: str) -> bool:
    """Tell whether ``code`` is one of the fifty-six."""
    return code in _KNOWN
