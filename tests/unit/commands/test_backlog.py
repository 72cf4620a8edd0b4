"""What the operator is told of who waits to be handed on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from bjidp import cli
from bjidp.accounts.member_ports import NewMember
from bjidp.accounts.national.wish import Waiting
from bjidp.clock import HOUR, MINUTE, ManualClock
from bjidp.commands.backlog import lines
from bjidp.entropy import SystemEntropy
from bjidp.storage.sql.catalog import open_sql
from bjidp.storage.sql.migrations import migrate
from tests.contracts.house import keyring
from tests.unit.test_cli import closed_environment, config

pytestmark = pytest.mark.req("REG-1")

__all__ = ["closed_environment"]

AT = 1_800_000_000_000


class Kept:
    async def waiting(self, limit: int) -> Sequence[Waiting]:
        return [
            Waiting("mDq3vYdV0Yw4h8m0m1iX7A", AT, 0, None),
            Waiting("nEr4wZeW1Zx5i9n1n2jY8B", AT + MINUTE, 3, AT + HOUR),
        ][:limit]


async def test_each_has_a_line_by_its_reference() -> None:
    assert list(await lines(Kept())) == [
        "mDq3vYdV0Yw4h8m0m1iX7A  2027-01-15 16:00  waits for 实名认证",
        "nEr4wZeW1Zx5i9n1n2jY8B  2027-01-15 16:01  tried 3 times, next 2027-01-15 17:00",
    ]


async def test_the_command_tells_of_a_database_and_of_nobody(
    tmp_path: Path, clock: ManualClock, capsys: pytest.CaptureFixture[str], closed_environment: None
) -> None:
    settings = config(tmp_path, port=8080)
    url = f"sqlite:///{tmp_path / 'bjidp.sqlite'}"
    migrate(url)

    async def told() -> list[str]:
        # The command has an event loop of its own.
        await asyncio.to_thread(cli.main, ["national", "list", "--config", str(settings)])
        said = capsys.readouterr()
        assert said.err == ""
        return said.out.splitlines()

    assert await told() == ["nobody waits to be handed on"]
    stores = open_sql(url, keyring(), SystemEntropy(), clock)
    new = NewMember(username="zhang_san", phone="13800138000", password=None, national=True)
    await stores.members.enrol(new, clock.now())
    await stores.close()
    [line] = await told()
    assert line.endswith("  waits for 实名认证")
    assert "zhang_san" not in line
    assert "13800138000" not in line


@pytest.mark.usefixtures("closed_environment")
def test_a_database_that_is_not_of_this_release_is_not_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["national", "list", "--config", str(config(tmp_path, port=8080))])
    assert ended.value.code == 3
    assert capsys.readouterr().err.startswith("the database is not of this release")
