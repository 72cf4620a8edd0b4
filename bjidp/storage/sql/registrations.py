"""Relying parties, read from the metadata they are kept as.

Owns what becomes of metadata that this release does not read: another one wrote them, and ``registrar`` tells whoever
runs the server. Their relying party is as good as none, and nobody who ever agreed to it is kept from their own pages
by that, or from leaving.
"""

from __future__ import annotations

import msgspec

from bjidp.oidc.client import Client
from bjidp.oidc.members import MetadataRefused
from bjidp.oidc.metadata import read

_METADATA = msgspec.json.Decoder(dict[str, object])


def read_kept(client_id: str, metadata: str) -> Client | None:
    """Return the client, None where these metadata mean nothing to this release."""
    try:
        return read(client_id, _METADATA.decode(metadata))
    except MetadataRefused:
        return None
