"""What a page must be told of the QR on it, where the QR is not for a login.

Owns the noun alone: pages hold it, :mod:`bjidp.web.qr.verifying` makes it.
"""

from __future__ import annotations

import msgspec


class QrCard(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a page that shows a QR and follows what becomes of it; see ``components/verify_qr.html``."""

    flow: str
    basis_url: str
    """Address of :meth:`bjidp.qrlogin.matrix.Basis.encode`."""
    embedder: str | None = None
    """As of :class:`bjidp.web.pages.login.LoginPage`."""

    @classmethod
    def sample(cls) -> QrCard:
        """Return one of a demonstration."""
        return cls(
            flow="mDq3vYdV0Yw4h8m0m1iX7A",
            basis_url="/static/qr/0123456789abcdef.bin",
            embedder="http://127.0.0.1:8081",
        )
