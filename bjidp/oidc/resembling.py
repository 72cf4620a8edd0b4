"""Whom a relying party may pass for, as far as its registration shows (attack T11).

Owns what whoever registers one is told to look at twice: each may be right, and is what a site would do that wants to
pass for another. Pure; called by ``registrar``.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from bjidp.oidc.addresses import LOOPBACK
from bjidp.oidc.client import Client


def doubts(client: Client, others: Iterable[Client]) -> Iterator[str]:
    """Return a line for each thing about ``client`` that another one among ``others`` may suffer by."""
    hosts = {urlsplit(address).hostname or "" for address in client.redirect_uris} - LOOPBACK
    if hosts and client.domain not in hosts:
        yield f"people are shown {client.domain} and are sent to {', '.join(sorted(hosts))}"
    for other in others:
        if other.sector == client.sector:
            yield f"{other.id} ({other.domain}) is of the same sector: both know people by the same names"
        if _seen(other.name) == _seen(client.name):
            yield f"{other.id} ({other.domain}) has the same name"


def _seen(name: str) -> str:
    """Return what people see of a name: full-width letters are letters, and nobody sees how many blanks there are."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())
