"""axe-core in a page: what an automatic check finds wrong for people who use a screen reader or a keyboard."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from playwright.async_api import Frame, Page

RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}


async def violations(page: Page | Frame, within: str | None = None) -> list[str]:
    """Return what axe-core finds in the light and in the dark colours, one line each; ``within`` is a selector."""
    top = page if isinstance(page, Page) else page.page
    found: list[str] = []
    for scheme, rules in (("light", RULES), ("dark", COLOURS)):
        await top.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
        found += [f"{scheme}: {line}" for line in await _run(page, within, rules)]
    await top.emulate_media(color_scheme="light", reduced_motion="reduce")
    return found


async def _run(page: Page | Frame, within: str | None, rules: dict[str, Any]) -> list[str]:
    if not await page.evaluate("typeof axe === 'object'"):
        await page.evaluate(_source())
    answer = await page.evaluate(
        "([within, rules]) => axe.run(within ?? document, { runOnly: rules, resultTypes: ['violations'] })",
        [within, rules],
    )
    return [
        f"{violation['id']}: {node['failureSummary']} at {node['html']}"
        for violation in answer["violations"]
        for node in violation["nodes"]
    ]


def _source() -> str:
    # The wheel is taken for the script in it; its Python would hide which rules run.
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
