"""Root keys, rotated at a command line."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import pytest

from bjidp import cli
from bjidp.accounts.identifiers import of_phone
from bjidp.accounts.member_ports import NewMember
from bjidp.bootstrap import read_keyring
from bjidp.clock import ManualClock
from bjidp.config.loader import load
from bjidp.entropy import SystemEntropy
from bjidp.storage.sql.catalog import SqlStores, open_sql
from bjidp.storage.sql.migrations import migrate
from tests.unit.test_cli import ROOT, closed_environment, config

pytestmark = [pytest.mark.req("OPS-6"), pytest.mark.usefixtures("closed_environment")]

__all__ = ["closed_environment"]

PHONE = "13800138000"
OLD = f'1 = "{ROOT}"'
NEW = f'2 = "{base64.b64encode(bytes(range(32, 64))).decode()}"'


class Rollout:
    """A database, and a configuration whose root keys change."""

    def __init__(self, folder: Path, clock: ManualClock) -> None:
        """Begin with version 1 alone."""
        self.path = config(folder, port=8080)
        self._roots = OLD
        self._clock = clock
        self._url = f"sqlite:///{folder / 'bjidp.sqlite'}"
        migrate(self._url)

    def configure(self, *roots: str) -> None:
        """Name other root keys, each a line of TOML."""
        before, self._roots = self._roots, "\n".join(roots)
        self.path.write_text(self.path.read_text().replace(before, self._roots))

    def stores(self) -> SqlStores:
        """Open the database as a server with this configuration does."""
        return open_sql(self._url, read_keyring(load(self.path, {})), SystemEntropy(), self._clock, threads=1)

    async def register(self) -> None:
        """Register somebody."""
        stores = self.stores()
        await stores.members.enrol(NewMember(username="zhang_san", phone=PHONE, password=None), self._clock.now())
        await stores.close()

    async def fill(self) -> None:
        """Run the command, which has an event loop of its own."""
        await asyncio.to_thread(cli.main, ["keys", "fill", "--config", str(self.path)])


@pytest.fixture
async def rollout(tmp_path: Path, clock: ManualClock) -> Rollout:
    """Somebody is registered under version 1."""
    found = Rollout(tmp_path, clock)
    await found.register()
    return found


async def test_whoever_was_there_is_found_by_the_new_key_alone_once_it_is_filled(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    rollout.configure(OLD, NEW)
    await rollout.fill()
    said = capsys.readouterr()
    assert said.out.splitlines() == ["1 accounts", "filled: 1 accounts, found under 1, 2, sealed under 2"]
    assert said.err == ""
    rollout.configure(NEW)
    stores = rollout.stores()
    found = await stores.members.find([of_phone(PHONE)])
    await stores.close()
    assert found is not None
    assert found.username == "zhang_san"


async def test_a_key_that_was_dropped_too_early_is_told(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    rollout.configure(NEW)
    with pytest.raises(SystemExit) as ended:
        await rollout.fill()
    assert ended.value.code == 3
    assert capsys.readouterr().err == (
        "account.username has something sealed with a version that keys.roots does not name\n"
    )
