"""The addresses that forms are posted to are all written down where the attacks on them look for them."""

from __future__ import annotations

import re

import pytest

from bjidp.web.pages.rendering import templates_root
from tests.support.addresses import BY_OTHERS, GUESTS, OWNERS
from tests.support.program import Program


@pytest.mark.attack("Q27", "Q28")
async def test_every_form_of_the_program_is_among_those_that_are_attacked(program: Program) -> None:
    routes = program.runners[0].app.router.routes()
    posts = {route.resource.canonical for route in routes if route.method == "POST" and route.resource is not None}
    described = (await (await program.caller()).send("GET", "/openapi.json")).json()["paths"]
    calls = {path for path, methods in described.items() if "post" in methods}
    # A redeem is both, one for pages with a script and one for pages without.
    assert posts - calls - BY_OTHERS == {*GUESTS, *OWNERS} - {"/qr/redeem"}
    assert posts >= BY_OTHERS


@pytest.mark.req("UX-5")
async def test_the_page_of_every_form_is_shown_to_who_goes_back_to_it(program: Program) -> None:
    """Where a script puts a form that was refused, a GET shows it: nobody is asked to send it again."""
    templates = "".join(path.read_text("utf-8") for path in templates_root().rglob("*.html"))
    assert templates.count("data-form") == len(re.findall(r'data-form="[^"]+"', templates)) == 18
    written_out = [found[1] for found in re.finditer(r'data-form="(/[^"]+)"', templates)]
    settings = [
        path
        for path in OWNERS
        if re.fullmatch(
            r"(/h5)?/centre/(password|phone|mail|username|real_name|bank_card|exchange|organisation|appoint|appeal)",
            path,
        )
    ]
    browser = await program.browser()
    for path in (*written_out, *settings):
        # Without its flow a recovery begins again, in words.
        assert (await browser.get(path)).status in {200, 303, 410}, path
