"""The servers under measurement: their settings, their accounts, their phones.

The settings are those of production, limits included: each person sits in a network of their own behind the one proxy
that is trusted, so no limit by address is met and none is lifted. Accounts and phone sessions are written through the
stores before the server starts, since nobody is there to show a face; from then on every request is a real one.

A server whose captchas have to be got past is a demonstration's, which differs in whose numbers it serves, in a line
that says so on each page, and in that it tells what captchas show.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.login import Person, Place
from bench.site import CALLBACK, CLIENT, CLIENT_SECRET, SCOPE
from bjidp.accounts.hashing import Cost, PasswordHashes
from bjidp.accounts.member_ports import NewMember
from bjidp.accounts.ports import Evidence, NewAccount
from bjidp.bootstrap import close_rooms, open_rooms
from bjidp.bootstrap.miniprogram import wire_mini_sessions
from bjidp.clock import SystemClock
from bjidp.config.loader import read
from bjidp.entropy import SystemEntropy
from bjidp.oidc import metadata
from bjidp.oidc.ports import RegisteredClient
from bjidp.person import DocumentType
from bjidp.person import Person as Citizen
from bjidp.platforms import Platform, PlatformIdentity
from bjidp.sandbox.credentials import default_credentials
from bjidp.storage.sql.migrations import migrate

PEOPLE: Final = 200
"""An account may make 60 calls a minute, two a login: this many allow a hundred logins a second."""

PASSWORD: Final = "Correct-horse7"

METADATA: Final[dict[str, object]] = {
    "client_name": "首都之窗",
    "client_uri": "https://portal.example/",
    "redirect_uris": [CALLBACK],
    "scope": SCOPE,
}

TOGETHER: Final = 32
"""Members who are written down at a time; they share a commit."""


def username(number: int) -> str:
    """Return what a member is called; a number that nobody has makes a name of the same form that nobody has."""
    return f"member_{number:06d}"


def phone_number(number: int) -> str:
    """Return a member's number, of the range that is assigned to no operator."""
    # The sandbox refuses some of the lowest on purpose.
    return f"154{10_000_000 + number}"


class House:
    """One server's settings, and the people who use it."""

    def __init__(
        self,
        folder: Path,
        port: int,
        database_url: str,
        redis_url: str | None = None,
        *,
        sandbox: str | None = None,
    ) -> None:
        """Describe a server on ``port`` that keeps its settings in ``folder``.

        With the address of a ``sandbox`` it is a demonstration's, which sends its messages there.
        """
        self.place = Place(port)
        self.settings = folder / "server.json"
        self.answers = folder / "captchas.txt"
        folder.mkdir()
        storage = {"database_url": database_url} | ({} if redis_url is None else {"redis_url": redis_url})
        sections: dict[str, dict[str, object]] = {
            "server": {"base_url": f"http://{self.place.host}", "listen_port": port},
            "storage": dict(storage),
            "keys": {"roots": {"1": base64.b64encode(os.urandom(32)).decode()}},
            "authority": {
                "base_url": "https://authority.example",
                "key_id": "bench",
                "secret": "never asked of anybody",
            },
            "wechat": {"app_id": "wx0000000000000000", "app_secret": "never asked"},
            "networks": {"trusted_proxies": ["127.0.0.1/32"]},
        }
        if sandbox is not None:
            sms = default_credentials(None).client_settings(sandbox).chuanglan
            sections["server"]["environment"] = "demo"
            sections["chuanglan"] = {
                "account": sms.account,
                "password": sms.password,
                "signature": sms.signature,
                "base_url": sms.base_url,
            }
        self.settings.write_text(json.dumps(sections), encoding="utf-8")

    async def people(self) -> list[Person]:
        """Make the schema, and register everybody with a phone that is logged in."""
        settings = read(json.loads(self.settings.read_text(encoding="utf-8")), {}, beside=self.settings.parent)
        migrate(settings.storage.database_url)
        clock = SystemClock()
        rooms = await open_rooms(settings, clock, SystemEntropy())
        sessions = wire_mini_sessions(rooms)
        found: list[Person] = []
        for number in range(PEOPLE):
            new = NewAccount(
                person=Citizen(DocumentType.RESIDENT_ID, "张三", f"1101011990{number:08d}"),
                identity=PlatformIdentity(Platform.WECHAT, "wx0000000000000000", f"person-{number}"),
                valid_days=30,
                evidence=Evidence.FACE,
                evidence_reference="bench",
                authority_reference="bench",
            )
            link, *_ = await rooms.stores.accounts.register(new, clock.now())
            opened = await sessions.open(Platform.WECHAT, link)
            found.append(Person(opened.tokens.access, f"10.{number // 250}.{number % 250}.7"))
        await close_rooms(rooms)
        return found

    async def relying_party(self) -> None:
        """Register the site that people are sent from, after :meth:`people` has made the schema."""
        settings = read(json.loads(self.settings.read_text(encoding="utf-8")), {}, beside=self.settings.parent)
        clock = SystemClock()
        rooms = await open_rooms(settings, clock, SystemEntropy())
        registered = RegisteredClient(metadata.read(CLIENT, METADATA), hashlib.sha256(CLIENT_SECRET.encode()).digest())
        await rooms.stores.relying_parties.add(registered, json.dumps(METADATA), clock.now())
        await close_rooms(rooms)

    async def members(self, numbers: Sequence[int]) -> None:
        """Enrol members with a password, after :meth:`people` has made the schema."""
        if not numbers:
            return
        settings = read(json.loads(self.settings.read_text(encoding="utf-8")), {}, beside=self.settings.parent)
        clock, entropy = SystemClock(), SystemEntropy()
        hashes = PasswordHashes(entropy, Cost(), threads=1, waiting=1)
        # One for all: what a login pays for is to check it.
        password = await hashes.hash(PASSWORD)
        await hashes.close()
        rooms = await open_rooms(settings, clock, entropy)
        for first in range(0, len(numbers), TOGETHER):
            news = [
                NewMember(username=username(n), phone=phone_number(n), password=password)
                for n in numbers[first : first + TOGETHER]
            ]
            await asyncio.gather(*(rooms.stores.members.enrol(new, clock.now()) for new in news))
        await close_rooms(rooms)
