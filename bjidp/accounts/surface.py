"""Which of the two sets of pages a flow is on. Pure."""

from __future__ import annotations

from enum import StrEnum


class Surface(StrEnum):
    """The pages for computers and the pages for phones; a flow stays where it began."""

    PC = "pc"
    H5 = "h5"
