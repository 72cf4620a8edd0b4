"""The command by which staff look an account up, lock it and unlock it (OPS-7)."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from bjidp import cli
from bjidp.accounts.member_ports import NewMember
from bjidp.accounts.ports import Evidence
from bjidp.clock import SystemClock
from bjidp.commands.ending import REFUSED
from bjidp.config.loader import load
from bjidp.person import DocumentType, Person
from bjidp.proofing.ports import NewIdentity
from bjidp.storage.sql.catalog import SqlStores
from bjidp.storage.sql.migrations import migrate
from tests.support.identities import prove
from tests.unit.commands.databases import in_store
from tests.unit.test_cli import closed_environment, config

pytestmark = pytest.mark.req("OPS-7")

__all__ = ["closed_environment"]

ZHANG = Person(DocumentType.RESIDENT_ID, "张三", "110101199003074530")


class Office:
    """A database with an account in it, and staff at a command line beside it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.config = config(folder, port=8080)
        self.settings = load(self.config, {})
        self._capsys, self._patch = capsys, monkeypatch
        migrate(self.settings.storage.database_url)
        self.ref = in_store(self.settings, self._begin)

    async def _begin(self, stores: SqlStores) -> str:
        now = SystemClock().now()
        standing = await stores.members.enrol(NewMember(username="zhangsan1", phone="13800138000", password=None), now)
        proof = NewIdentity(person=ZHANG, evidence=Evidence.FACE, evidence_reference="E-1", authority_reference="A-77")
        await prove(stores.identities, standing.account, proof, now)
        return standing.ref

    async def settle(self, stores: SqlStores) -> None:
        """Do what a server does."""
        now = SystemClock().now()
        for change in await stores.locks.due(now, 10):
            await stores.locks.settled(change, now)

    def run(self, *arguments: str, staff: str = "wang", typed: str = "") -> tuple[int, str, str]:
        """Run the command; return its exit code, and what it said."""
        self._patch.setattr("sys.stdin", io.StringIO(typed))
        code = 0
        try:
            cli.main(["accounts", *arguments, "--config", str(self.config), "--staff", staff])
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = self._capsys.readouterr()
        assert "Traceback" not in said.err
        return code, said.out, said.err


@pytest.fixture
def office(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Office:
    return Office(tmp_path, capsys, monkeypatch)


@pytest.mark.req("PRV-1")
def test_an_account_is_found_by_what_is_typed_and_shown_masked(office: Office) -> None:
    for typed in ("13800138000\n", "+86 138 0013 8000\n", "ZhangSan1\n", f"{ZHANG.number}\n"):
        code, out, _ = office.run("find", typed=typed)
        assert code == 0, typed
        assert re.search(r"^account +(\S+)$", out, re.MULTILINE)[1] == office.ref  # type: ignore[index]
        for masked in ("138****8000", "张**", "***********4530", "active", "L3, proved by face"):
            assert masked in out
        for clear in ("张三", "13800138000", ZHANG.number, "zhangsan1"):
            assert clear not in out
    code, out, err = office.run("find", typed="13900139000\n")
    assert (code, out, err) == (REFUSED, "", "there is no such account\n")
    for typed in ("", "\n", "x" * 4000, "\udcff\n"):
        assert office.run("find", typed=typed)[0] == REFUSED


def test_a_lock_says_what_follows_and_an_unlock_waits_for_it(office: Office) -> None:
    code, out, _ = office.run("lock", office.ref)
    assert (code, out.startswith(f"{office.ref} is locked; the servers end ")) == (0, True)
    assert "locked" in office.run("find", typed="zhangsan1\n")[1]
    code, _, err = office.run("lock", office.ref, staff="li")
    assert (code, err) == (REFUSED, "it is locked\n")
    code, _, err = office.run("unlock", office.ref)
    assert code == REFUSED
    assert "is not ended yet" in err
    in_store(office.settings, office.settle)
    code, out, _ = office.run("unlock", office.ref)
    assert (code, out.startswith(f"{office.ref} is active; ")) == (0, True)
    for doing in ("lock", "unlock"):
        code, _, err = office.run(doing, "nobody")
        assert (code, err) == (REFUSED, "there is no such account\n")


def test_nobody_looks_without_a_name(office: Office) -> None:
    code, out, err = office.run("find", staff="wang li", typed="zhangsan1\n")
    assert (code, out) == (REFUSED, "")
    assert err.startswith("--staff is your own name")
