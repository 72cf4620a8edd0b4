"""What one process is made of, opened and closed: keys, clock, stores, clients of outside services.

Owns :class:`Rooms`, and what every part asks of a process: derived keys, drafts, which persons it serves. Called by
``serving``, and by the other modules of this package.
"""

from __future__ import annotations

import base64
import functools
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Final, TypeAlias, TypeVar

from msgspec import Struct

from bjidp.accounts.drafts import LIFETIME, Drafts
from bjidp.bootstrap.stores import Stores, open_stores
from bjidp.clock import Clock, Millis
from bjidp.config.settings import Settings
from bjidp.entropy import Entropy
from bjidp.privacy.keyring import Keyring, RootKey
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.privacy.sealing import Sealing
from bjidp.privacy.seals import RecordSeals
from bjidp.secret import Secret
from bjidp.site import Site, read_base_url
from bjidp.vendors.catalog import (
    HttpClients,
)
from bjidp.verification.captcha_picture import draw
from bjidp.verification.captcha_pool import CaptchaPool
from bjidp.verification.captchas import Witness

HOME: Final = "/centre"

F = TypeVar("F", bound=Struct)

LANGUAGE: Final = "zh_CN"

Witnessing: TypeAlias = Callable[[HttpClients], Witness]
"""Makes who is told the answers of captchas; what it opens of the clients is closed with them."""


class Rooms(Struct, frozen=True, kw_only=True):
    """What one process is made of; :func:`open_rooms` opens it and :func:`close_rooms` closes it."""

    settings: Settings
    site: Site
    clock: Clock
    entropy: Entropy
    keyring: Keyring
    stores: Stores
    http: HttpClients
    pictures: CaptchaPool
    witness: Witness | None = None


async def open_rooms(settings: Settings, clock: Clock, entropy: Entropy, witnessing: Witnessing | None = None) -> Rooms:
    """Open keys, stores and clients.

    That asks nothing of the schema; before a request is taken it has to be up to date
    (:func:`bjidp.storage.sql.migrations.migrate`). ``witnessing`` makes who is told the answers of captchas, in a
    demonstration.

    Raises :class:`bjidp.site.BaseUrlFault`, ``StoreUnavailable`` and, for a witness anywhere else, :class:`ValueError`.
    """
    if witnessing is not None and not is_sandbox(settings):
        raise ValueError("server.environment: the answers of captchas are told in a demonstration alone")
    keyring = read_keyring(settings)
    http = HttpClients(clock=clock)
    return Rooms(
        settings=settings,
        site=read_base_url(settings.server.base_url),
        clock=clock,
        entropy=entropy,
        keyring=keyring,
        stores=await open_stores(settings.storage, keyring, clock, entropy),
        http=http,
        pictures=CaptchaPool(draw, entropy),
        witness=None if witnessing is None else witnessing(http),
    )


async def close_rooms(rooms: Rooms) -> None:
    """Close what :func:`open_rooms` opened, clients before stores; what cannot be closed keeps nothing else open."""
    async with AsyncExitStack() as closing:
        for close in reversed((rooms.pictures.close, rooms.http.close, *rooms.stores.closes)):
            closing.push_async_callback(close)


def read_keyring(settings: Settings) -> Keyring:
    """Return the root keys of the settings."""
    roots = [
        RootKey(int(number), Secret(base64.b64decode(root.reveal()))) for number, root in settings.keys.roots.items()
    ]
    return Keyring(roots, settings.keys.current)


def open_drafts(rooms: Rooms, kind: type[F], name: str, lifetime: Millis = LIFETIME) -> Drafts[F]:
    """Return the drafts of one flow, with facts of type ``kind``."""
    return Drafts(
        kind,
        name,
        records=rooms.stores.drafts,
        seals=RecordSeals(Sealing(rooms.keyring, rooms.entropy)),
        pseudonyms=Pseudonyms(rooms.keyring),
        entropy=rooms.entropy,
        lifetime=lifetime,
    )


def derived_key(keyring: Keyring, label: str) -> Secret:
    """Return the key for ``label``."""
    # By the current version, on which all processes agree while a rotation is rolled out.
    return Secret(keyring.derive(keyring.current, label))


def ticket_digester(rooms: Rooms) -> Callable[[str], bytes]:
    """Return what audit log and sessions call a ticket."""
    return functools.partial(Pseudonyms(rooms.keyring).digest, "ticket")


def is_sandbox(settings: Settings) -> bool:
    """Tell whether it serves the synthetic persons of the sandbox."""
    return settings.server.environment == "demo"
