"""What every platform's face check refuses before it asks the platform.

Owns the comparison of a request with the app and the documents of one client. Called by the face checks beside it.
"""

from __future__ import annotations

from bjidp.person import DocumentType
from bjidp.platforms import Platform
from bjidp.vendors.ports.platforms import FaceRequest


def is_ours(request: FaceRequest, platform: Platform, app_id: str, documents: frozenset[DocumentType]) -> bool:
    """Return whether the request is of this platform and app, where alone its openid means anything (attack M4)."""
    own = request.identity.platform is platform and request.identity.app_id == app_id
    return own and request.person.document_type in documents


def require_ours(request: FaceRequest, platform: Platform, app_id: str, documents: frozenset[DocumentType]) -> None:
    """Raise :class:`ValueError` for a request that its caller had to send elsewhere, or to nobody."""
    if not is_ours(request, platform, app_id, documents):
        raise ValueError(f"{platform} is asked about another app's user or a document it does not check")
