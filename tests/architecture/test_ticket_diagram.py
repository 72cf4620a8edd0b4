"""The documented ticket is the ticket that runs."""

from __future__ import annotations

from pathlib import Path

from bjidp.qrlogin.diagram import mermaid

ROOT = Path(__file__).resolve().parents[2]


def test_the_diagram_in_the_documents_is_drawn_from_the_transition_table() -> None:
    """``python -m bjidp.qrlogin.diagram`` prints what belongs into the page."""
    page = (ROOT / "docs" / "qr-ticket.md").read_text(encoding="utf-8")
    assert f"```mermaid\n{mermaid()}```" in page
