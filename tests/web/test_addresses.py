"""The addresses that forms are posted to are all written down where the attacks on them look for them."""

from __future__ import annotations

import pytest

from tests.support.addresses import GUESTS, OWNERS
from tests.support.program import Program


@pytest.mark.attack("Q27", "Q28")
async def test_every_form_of_the_program_is_among_those_that_are_attacked(program: Program) -> None:
    routes = program.runners[0].app.router.routes()
    posts = {route.resource.canonical for route in routes if route.method == "POST" and route.resource is not None}
    described = (await (await program.caller()).send("GET", "/openapi.json")).json()["paths"]
    calls = {path for path, methods in described.items() if "post" in methods}
    # A redeem is both, one for pages with a script and one for pages without.
    assert posts - calls == {*GUESTS, *OWNERS} - {"/qr/redeem"}
