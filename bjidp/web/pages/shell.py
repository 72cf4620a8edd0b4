"""What all pages of one server have in common, and what a page is to the renderer."""

from __future__ import annotations

from typing import ClassVar, Protocol, Self

import msgspec


class Shell(msgspec.Struct, frozen=True, kw_only=True):
    """What all pages of one server have in common."""

    sandbox: bool
    """Show the loud banner of a demonstration."""
    portal_url: str | None = None
    """Where 返回 leads; without one the link is not shown."""
    portal_name: str = ""
    """What is there, for whoever hears the link without seeing the page: 首都之窗."""


class Page(Protocol):
    """What :class:`bjidp.web.pages.rendering.Renderer` can render.

    One that is made for phones, or that may be, says so by ``h5``: then it leads to the pages for phones.
    """

    template: ClassVar[str]

    @classmethod
    def sample(cls) -> Self:
        """Return an example with every field filled."""
        ...
