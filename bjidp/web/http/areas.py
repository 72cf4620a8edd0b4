"""Where addresses are, from a database file in MaxMind's format.

Owns the one reader of that file. Without a file every place is unknown.
"""

from __future__ import annotations

from pathlib import Path

import maxminddb

from bjidp.qrlogin.ticket import Area
from bjidp.web.http.visitor import Address

LANGUAGES = ("zh-CN", "en")


class MaxMindAreas:
    """:class:`bjidp.web.http.visitor.AreaBook` over a city or country database."""

    def __init__(self, path: Path) -> None:
        """Open the file; raise :class:`ValueError` when it is no such database."""
        try:
            self._reader = maxminddb.open_database(path)
        except maxminddb.InvalidDatabaseError as fault:
            raise ValueError(f"{path} is no address database") from fault

    def area_of(self, address: Address) -> Area | None:
        """Return the area an address lies in, or None when the file does not know it."""
        try:
            record = self._reader.get(address)
        except (ValueError, maxminddb.InvalidDatabaseError):
            # An IPv6 address in a database of IPv4 alone, or a damaged entry: unknown, as any other we have not.
            return None
        if not isinstance(record, dict):
            return None
        country = record.get("country")
        parts = [country] if isinstance(country, dict) else []
        subdivisions = record.get("subdivisions")
        if isinstance(subdivisions, list) and subdivisions and isinstance(subdivisions[0], dict):
            parts.append(subdivisions[0])
        city = record.get("city")
        names = [name for part in (*parts, city) if isinstance(part, dict) and (name := _name(part))]
        if not names:
            return None
        region = "/".join(str(part.get("iso_code") or _name(part)) for part in parts)
        return Area("".join(dict.fromkeys(names[1:] or names)), region)


def _name(part: dict[str, object]) -> str | None:
    names = part.get("names")
    if not isinstance(names, dict):
        return None
    for language in LANGUAGES:
        name = names.get(language)
        if isinstance(name, str) and name:
            return name
    return None
