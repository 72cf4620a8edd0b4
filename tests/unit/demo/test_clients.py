"""The demo's relying parties, registered from one start to the next."""

from __future__ import annotations

import stat

import pytest
from msgspec.structs import replace

from bjidp.commands import registrar
from bjidp.demo.clients import register
from bjidp.demo.place import Place
from bjidp.sandbox.portal.services import metadata
from bjidp.storage.sql.migrations import migrate


async def portal_at(place: Place, database: str) -> registrar.Given:
    return await register(place, "portal", metadata(place.portal), database)


@pytest.mark.req("OPS-1", "RP-4")
async def test_the_demos_portal_is_registered_once_and_anew_where_its_address_is_another(place: Place) -> None:
    database = f"sqlite:///{place.data / 'bjidp.sqlite'}"
    migrate(database)
    first = await portal_at(place, database)
    assert await portal_at(place, database) == first
    moved = await portal_at(replace(place, port=9100), database)
    assert moved.client_id != first.client_id
    (line,) = await registrar.on(database, lambda them: them.list_all())
    assert line.startswith(moved.client_id)
    assert line.endswith("  localhost:9102  首都之窗")
    # What was kept is of another database, or was lost.
    for kept in (b'{"client_id":"unknown","client_secret":"x"}', b"nonsense"):
        (place.data / "portal.key").write_bytes(kept)
        given = await portal_at(place, database)
        assert await registrar.on(database, lambda them, given=given: them.show(given.client_id))  # type: ignore[misc]
        assert stat.S_IMODE((place.data / "portal.key").stat().st_mode) == 0o600
