"""What whoever runs the server does with relying parties at a command line: they are added, listed, shown and removed.

Owns reading a file of registration metadata (RFC 7591), and what a relying party is given: an id and, where it proves
itself by one, a secret, which is told once and kept as a digest. It needs the database and neither keys nor a server;
one that runs beside it looks a client up each time it is asked for, so what is done here counts at once (RP-1). Called
by ``clients``, and by the demo for its own relying parties.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar
from urllib.parse import urlsplit

from msgspec import UNSET, Struct, UnsetType

from bjidp.clock import Clock, SystemClock, in_beijing
from bjidp.commands.databases import require_this_release
from bjidp.commands.ending import Refused
from bjidp.entropy import Entropy, SystemEntropy, token
from bjidp.oidc.client import Client, Interface, Proof
from bjidp.oidc.members import Fault, Json, MetadataRefused
from bjidp.oidc.metadata import is_client_id, read
from bjidp.oidc.ports import ClientStore, DuplicateClient, Entry, LogoutOutbox, RegisteredClient
from bjidp.oidc.resembling import doubts
from bjidp.privacy.fields import FieldCipher
from bjidp.privacy.keyring import Keyring
from bjidp.privacy.sealing import Sealing
from bjidp.secret import Secret
from bjidp.storage.sql.database.engine import open_engine
from bjidp.storage.sql.grants import GrantRows
from bjidp.storage.sql.logouts import SqlLogouts
from bjidp.storage.sql.registrations import read_kept
from bjidp.storage.sql.relying_parties import SqlClients

SIZE_MAX: Final = 64 * 1024
"""Octets of a file of metadata: eight keys and two times thirty-two addresses are less than half of it."""

_APART: Final = {"client_id", "client_secret"}
"""Members that are kept apart from what is shown: an id as the key, a secret sealed."""

T = TypeVar("T")


class NoMetadata(Exception):
    """The file holds no metadata; the text says what it holds instead."""


class Given(Struct, frozen=True):
    """What a relying party is given (RFC 7591, section 3.2.1), the one time its secret is told."""

    client_id: str
    client_secret: str | UnsetType = UNSET

    def __repr__(self) -> str:
        return "Given(***)"


class Registrar(Struct, frozen=True):
    """Who keeps the list of relying parties."""

    clients: ClientStore
    logouts: LogoutOutbox
    clock: Clock
    entropy: Entropy
    seals: bool = False
    """Whether it has the keys that secrets of the city's own interface are kept under."""

    async def add(self, metadata: Json, client_id: str | None = None) -> Given:
        """Register a relying party; raise :class:`MetadataRefused` with everything that is wrong.

        ``client_id`` is one that its programs know beforehand; raises :class:`Refused` for one that is taken or none.
        """
        if client_id is not None and not is_client_id(client_id):
            raise Refused("an id has 1 to 22 letters, digits, - and _")
        client = read(client_id or token(self.entropy, 128), metadata)
        registered, given = self._secrets(client, metadata)
        text = json.dumps({name: metadata[name] for name in metadata if name not in _APART}, ensure_ascii=False)
        try:
            await self.clients.add(registered, text, self.clock.now())
        except DuplicateClient:
            raise Refused("there is a relying party with this id already") from None
        return given

    async def doubts(self, client_id: str) -> Sequence[str]:
        """Return what to look at twice about one that was registered."""
        known = {client.id: client for _, client in await self._all() if client is not None}
        client = known.pop(client_id, None)
        return [] if client is None else [*doubts(client, known.values())]

    def _secrets(self, client: Client, metadata: Json) -> tuple[RegisteredClient, Given]:
        """Return what is kept of a client's secret, and what it is told."""
        if client.interface is Interface.BEIJING:
            if not self.seals:
                raise Refused("a site of the interface beijing needs the keys of the configuration")
            shared = str(metadata.get("client_secret") or self.entropy.octets(16).hex())
            return RegisteredClient(client, None, Secret(shared)), Given(client.id, shared)
        if client.proof is not Proof.CLIENT_SECRET_BASIC:
            return RegisteredClient(client, None), Given(client.id)
        secret = token(self.entropy, 256)
        return RegisteredClient(client, hashlib.sha256(secret.encode()).digest()), Given(client.id, secret)

    async def list_all(self) -> Sequence[str]:
        """Return a line for each, the oldest first."""
        lines = []
        for entry, client in await self._all():
            added = in_beijing(entry.created_at).strftime("%Y-%m-%d %H:%M")
            if client is None:
                lines.append(f"{entry.id}  {added}  means nothing to this release: remove it and add it again")
            else:
                lines.append(f"{entry.id}  {added}  {urlsplit(client.home).netloc}  {client.name}")
        return lines or ["no relying party is registered"]

    async def _all(self) -> Sequence[tuple[Entry, Client | None]]:
        return [(entry, read_kept(entry.id, entry.metadata)) for entry in await self.clients.entries()]

    async def show(self, client_id: str) -> dict[str, object]:
        """Return the metadata of one, with its id; raise :class:`Refused`."""
        entry = await self.clients.entry(client_id)
        if entry is None:
            raise Refused("there is no such relying party")
        return {"client_id": entry.id, **json.loads(entry.metadata)}

    async def list_logouts(self) -> Sequence[str]:
        """Return a line for each that was told, or is to be told, that somebody is logged in no more."""
        lines = []
        for counts in await self.logouts.counts():
            since = counts.waiting_since
            oldest = "" if since is None else f" since {in_beijing(since).strftime('%Y-%m-%d %H:%M')}"
            over = f"told {counts.told}, given up {counts.given_up}"
            lines.append(f"{counts.client}  {over}, wait {counts.waiting}{oldest}")
        return lines or ["no relying party was to be told anything lately"]

    async def remove(self, client_id: str) -> int:
        """Remove one; return how many grants that has ended. Raises :class:`Refused`."""
        ended = await self.clients.remove(client_id, self.clock.now())
        if ended is None:
            raise Refused("there is no such relying party")
        return ended


def parse(octets: bytes) -> Json:
    """Return the metadata of a file; raise :class:`NoMetadata`, and ``MetadataRefused`` where a member stands twice."""
    if len(octets) > SIZE_MAX:
        raise NoMetadata(f"it has more than {SIZE_MAX // 1024} KB")
    twice: set[str] = set()

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        names = [name for name, _ in pairs]
        twice.update(name for name in names if names.count(name) > 1)
        return dict(pairs)

    try:
        found = json.loads(octets.decode("utf-8-sig"), object_pairs_hook=once)
    except (ValueError, RecursionError) as fault:
        where = f", line {fault.lineno}: {fault.msg}" if isinstance(fault, json.JSONDecodeError) else ""
        raise NoMetadata(f"it is no JSON in UTF-8{where}") from None
    if not isinstance(found, dict):
        raise NoMetadata("it is no JSON object")
    if twice:
        raise MetadataRefused([*(Fault(name, "stands there twice") for name in sorted(twice)), *_faults_of(found)])
    return found


def require_https(metadata: Json) -> None:
    """Raise ``MetadataRefused`` where notices of log-outs would go by http, which no server in production does."""
    if str(metadata.get("backchannel_logout_uri")).startswith("http:"):
        plain = Fault("backchannel_logout_uri", "must be https: only a demonstration tells of log-outs by http")
        raise MetadataRefused([plain, *_faults_of(metadata)])


def _faults_of(metadata: Json) -> Sequence[Fault]:
    try:
        read("", metadata)
    except MetadataRefused as refused:
        return refused.faults
    return ()


def run(database_url: str, act: Callable[[Registrar], Awaitable[T]], keyring: Keyring | None = None) -> T:
    """Do ``act`` on a database, with the ``keyring`` of its server where that is needed.

    Raises what ``act`` raises, :class:`Refused` for a database of another release, and ``StoreUnavailable`` when it
    does not answer.
    """
    require_this_release(database_url)
    return asyncio.run(on(database_url, act, keyring))


async def on(database_url: str, act: Callable[[Registrar], Awaitable[T]], keyring: Keyring | None = None) -> T:
    """Do ``act`` on a database that is up to date."""
    engine = open_engine(database_url, threads=1)
    try:
        entropy = SystemEntropy()
        cipher = None if keyring is None else FieldCipher(Sealing(keyring, entropy))
        clients = SqlClients(engine, GrantRows(engine), cipher)
        return await act(Registrar(clients, SqlLogouts(engine), SystemClock(), entropy, cipher is not None))
    finally:
        await engine.close()
