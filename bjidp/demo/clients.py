"""The relying parties of a demonstration, registered before it starts as ``bjidp clients add`` does.

Owns what they are given, which is kept from one start to the next. Called by ``running``.
"""

from __future__ import annotations

import contextlib
from typing import Final

import msgspec

from bjidp.commands import registrar
from bjidp.commands.ending import Refused
from bjidp.demo.place import Place, write_secret
from bjidp.errors import StoreUnavailable

TERMINAL_ID: Final = "bjidp-login"
"""The client that ``bjidp login`` logs in as, if it is told no other."""

TERMINAL: Final[dict[str, object]] = {
    "client_name": "命令行",
    "client_uri": "http://localhost/",
    "grant_types": ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
    "token_endpoint_auth_method": "none",
    "scope": "openid profile phone offline_access",
}


async def register(place: Place, name: str, metadata: dict[str, object], database_url: str) -> registrar.Given:
    """Return what a site was given at an earlier start, or register it as ``bjidp clients add`` does."""
    file, kept = place.data / f"{name}.json", place.data / f"{name}.key"
    file.write_bytes(msgspec.json.format(msgspec.json.encode(metadata), indent=2) + b"\n")
    described = registrar.parse(file.read_bytes())

    async def given_to(them: registrar.Registrar) -> registrar.Given:
        with contextlib.suppress(OSError, msgspec.DecodeError, Refused):
            before = msgspec.json.decode(kept.read_bytes(), type=registrar.Given)
            if await them.show(before.client_id) == {"client_id": before.client_id, **described}:
                return before
            # It was at another address.
            await them.remove(before.client_id)
        return await them.add(described)

    try:
        given = await registrar.on(database_url, given_to)
    except StoreUnavailable:
        raise OSError(f"the {name} cannot be registered: the database does not answer") from None
    write_secret(kept, msgspec.json.encode(given).decode())
    return given


async def register_terminals(database_url: str) -> None:
    """Register what ``bjidp login`` logs in as, unless that was done at an earlier start."""
    try:
        with contextlib.suppress(Refused):
            await registrar.on(database_url, lambda them: them.add(TERMINAL, TERMINAL_ID))
    except StoreUnavailable:
        raise OSError("the client of terminals cannot be registered: the database does not answer") from None
