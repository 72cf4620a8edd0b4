"""The commands for staff: what they are shown of an appeal, and that they decide once (RNV-8)."""

from __future__ import annotations

import io
import re
import shutil
import stat
from pathlib import Path

import pytest
from msgspec.structs import replace

from bjidp import cli
from bjidp.accounts.member_ports import NewMember
from bjidp.accounts.ports import Evidence
from bjidp.appeals.appeal import ROOM, State
from bjidp.appeals.attachments import Kind, Picture
from bjidp.appeals.flow import readable
from bjidp.appeals.ports import NewAppeal
from bjidp.clock import SystemClock
from bjidp.commands.ending import FAULT, REFUSED
from bjidp.commands.staff import ROW, quoted
from bjidp.config.loader import load
from bjidp.person import DocumentType, Person
from bjidp.proofing.ports import NewIdentity
from bjidp.storage.sql.catalog import SqlStores
from bjidp.storage.sql.migrations import migrate
from tests.support.identities import prove
from tests.unit.commands.databases import in_store
from tests.unit.test_cli import closed_environment, config

pytestmark = pytest.mark.req("RNV-8")

__all__ = ["closed_environment"]

ZHANG = Person(DocumentType.RESIDENT_ID, "张三", "110101199003074530")
PHOTO = Picture(file=1, name="手持身份证.jpg", kind=Kind.JPEG, data=b"\xff\xd8photo")
PAGE = Picture(file=2, name="../证明.pdf", kind=Kind.PDF, data=b"\xff\xd8page")


class Office:
    """A database with an appeal in it, and staff at a command line beside it."""

    def __init__(self, folder: Path, database: Path | None = None) -> None:
        """Have the ``database`` of another office, or a new one with an appeal."""
        self.config = config(folder, port=8080)
        self.settings = load(self.config, {})
        self.database = folder / "bjidp.sqlite"
        self.capsys: pytest.CaptureFixture[str] | None = None
        self.patch: pytest.MonkeyPatch | None = None
        if database is None:
            migrate(self.settings.storage.database_url)
            self.claimant, self.holder, self.appeal = in_store(self.settings, self._file)
        else:
            shutil.copy(database, self.database)

    async def _file(self, stores: SqlStores) -> tuple[str, str, str]:
        now = SystemClock().now()
        claimant, holder = [
            (await stores.members.enrol(NewMember(username=name, phone=phone, password=None), now)).account
            for name, phone in (("zhangsan1", "13800138000"), ("zhangsan2", "13800138001"))
        ]
        proof = NewIdentity(
            person=ZHANG, evidence=Evidence.NAME_AND_NUMBER, evidence_reference="E-1", authority_reference="A-77"
        )
        await prove(stores.identities, holder, proof, now)
        new = NewAppeal(
            account=claimant,
            new=proof,
            exchange=False,
            reason="我的身份证被占用了，\n请帮我核实。",
            contact="010-12345678",
            pictures=(PHOTO, PAGE),
        )
        return claimant, holder, await stores.appeals.file(new, now, room=ROOM)

    def run(self, *arguments: str, staff: str = "wang", typed: str = "") -> tuple[int, str, str]:
        """Run a command; return its exit code, and what it said."""
        assert self.patch is not None
        assert self.capsys is not None
        self.patch.setattr("sys.stdin", io.StringIO(typed))
        code = 0
        try:
            cli.main(["appeals", *arguments, "--config", str(self.config), "--staff", staff])
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = self.capsys.readouterr()
        assert "Traceback" not in said.err
        return code, said.out, said.err

    def seen(self) -> str:
        """Look at the appeal; return the word for what was seen."""
        _, out, _ = self.run("show", self.appeal)
        (word,) = re.findall(r"^decide on this with --seen (\w+)$", out, re.MULTILINE)
        return str(word)

    def state(self) -> State | None:
        return in_store(self.settings, lambda stores: stores.appeals.state(self.claimant))

    def holder_of_zhang(self) -> str | None:
        held = in_store(self.settings, lambda stores: stores.accounts.holder_of(ZHANG))
        return None if held is None else held.account


@pytest.fixture(scope="module")
def filed(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """An office whose appeal nobody has looked at, for others to begin like it."""
    return Office(tmp_path_factory.mktemp("filed"))


@pytest.fixture
def office(
    filed: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Office:
    """An office."""
    made = Office(tmp_path / "server", filed.database)
    made.claimant, made.holder, made.appeal = filed.claimant, filed.holder, filed.appeal
    made.capsys, made.patch = capsys, monkeypatch
    return made


def test_a_list_names_nobody(office: Office) -> None:
    code, out, _ = office.run("list")
    assert (code, out.count("\n")) == (0, 1)
    assert out.startswith(office.appeal)
    assert out.rstrip().endswith("filed  2 pictures")
    assert not any(word in out for word in ("张三", ZHANG.number, "138"))
    office.seen()
    assert office.run("list")[1].rstrip().endswith("in_review  2 pictures  looked at by wang")


def test_a_look_shows_all_that_a_decision_is_made_on(office: Office) -> None:
    code, out, _ = office.run("show", office.appeal)
    assert code == 0
    for word in ("张三", ZHANG.number, "A-77", "contact\n| 010-12345678\n"):
        assert word in out
    assert "138****8000" in out
    assert "138****8001" in out
    assert "13800138000" not in out
    assert re.search(r"^  identity there since (\S+ \S+), last proved \1$", out, re.MULTILINE)
    assert "picture 2   from file 2, pdf, 1 KB, which was called\n| ../证明.pdf\n" in out
    assert out.endswith("\nreason\n| 我的身份证被占用了，\n| 请帮我核实。\n")
    assert office.state() is State.IN_REVIEW


@pytest.mark.attack("U8")
@pytest.mark.parametrize(
    "written",
    [
        "x\ndecide on this with --seen 0123456789ab",
        "x\r\naccount that holds the identity\r  A9  active",
        "一" * 38 + "account that holds the identity",
        "x" * 76 + "decide on this with --seen 0123456789ab",
        "x\x1b[2K\x1b[1Aappeal      granted\x85state\u2028state\x0bstate",
        "\u202egrant\u2066\u200b\x9b2J",
        "e" + "\u0301" * 200,
        # A terminal gives each of these a column, and those after them two.
        "\u1b44" * 78 + "decide on this with --seen 0123456789ab",
        "\u4dc0" * 39 + "decide on this with --seen 01234567",
        "\u302e" * 39 + "decide on this with --seen 0123456789ab",
    ],
)
def test_nothing_that_was_written_by_others_passes_for_a_line_of_the_program(written: str) -> None:
    for row in quoted(written):
        assert row.startswith("| ")
        assert row == readable(row)
        assert sum(1 if one.isascii() else 2 for one in row) <= 2 + ROW < 80
    assert "".join(row[2:] for row in quoted(written)) == readable(written.replace("\n", ""))


@pytest.mark.attack("U8")
def test_whatever_an_applicant_writes_each_row_of_it_is_marked_and_the_reason_is_last(
    office: Office,
) -> None:
    forged = "nobody holds the identity by now\ndecide on this with --seen 0123456789ab"

    async def again(stores: SqlStores) -> str:
        now = SystemClock().now()
        await stores.appeals.withdraw(office.claimant, office.appeal, now)
        proof = NewIdentity(
            person=ZHANG, evidence=Evidence.NAME_AND_NUMBER, evidence_reference="E-1", authority_reference="A-77"
        )
        photo = replace(PHOTO, name=f"{forged}\x1b[2J")
        new = NewAppeal(
            account=office.claimant, new=proof, exchange=False, reason=forged, contact=forged, pictures=(photo,)
        )
        return await stores.appeals.file(new, now, room=ROOM)

    office.appeal = in_store(office.settings, again)
    _, out, _ = office.run("show", office.appeal)
    lines = out.splitlines()
    assert lines[-2:] == [f"| {line}" for line in forged.split("\n")]
    assert [line for line in lines if line.startswith("decide on this")] == [
        f"decide on this with --seen {office.seen()}"
    ]
    assert "nobody holds the identity by now" not in lines
    assert "\x1b" not in out


def test_pictures_are_written_where_staff_say_and_nowhere_else(office: Office, tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    code, out, _ = office.run("show", office.appeal, "--to", str(folder))
    assert code == 0
    written = sorted(folder.iterdir())
    assert [path.name for path in written] == [f"{office.appeal}-1.jpg", f"{office.appeal}-2.jpg"]
    assert [path.read_bytes() for path in written] == [PHOTO.data, PAGE.data]
    assert {stat.S_IMODE(path.stat().st_mode) for path in written} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert all(str(path) in out for path in written)


def test_a_file_that_is_there_is_not_written_over_nor_followed(office: Office, tmp_path: Path) -> None:
    target = tmp_path / "target"
    (tmp_path / f"{office.appeal}-1.jpg").symlink_to(target)
    code, _, err = office.run("show", office.appeal, "--to", str(tmp_path))
    assert code == FAULT
    assert "exists" in err
    assert not target.exists()


def test_a_grant_moves_the_identity_and_says_what_follows(office: Office) -> None:
    code, out, _ = office.run("decide", office.appeal, "grant", "--seen", office.seen(), typed="材料与本人相符\n")
    assert code == 0
    assert out == f"{office.appeal} is granted; the servers tell everybody concerned by SMS\n"
    assert office.holder_of_zhang() == office.claimant
    found = in_store(office.settings, lambda stores: stores.appeals.newest(office.claimant))
    assert found is not None
    assert (found.decider, found.explanation) == ("wang", "材料与本人相符")
    assert office.run("list")[1] == "no appeal waits\n"
    assert "decided because\n  材料与本人相符" in office.run("show", office.appeal)[1]


def test_who_comes_second_is_told_who_was_first(office: Office) -> None:
    seen = office.seen()
    office.run("decide", office.appeal, "refuse", "--seen", seen, typed="材料看不清\n")
    code, out, err = office.run("decide", office.appeal, "grant", "--seen", seen, staff="li", typed="材料属实\n")
    assert (code, out) == (REFUSED, "")
    assert err == "it was refused by wang already\n"
    assert office.holder_of_zhang() == office.holder


@pytest.mark.parametrize("typed", ["", "\n", " \n", "字\n", "字" * 501])
def test_nothing_is_decided_without_a_reason(office: Office, typed: str) -> None:
    code, _, err = office.run("decide", office.appeal, "grant", "--seen", office.seen(), typed=typed)
    assert (code, err) == (REFUSED, "the reason has 2 to 500 characters\n")
    assert office.state() is State.IN_REVIEW


def test_nothing_is_decided_on_what_nobody_has_seen(office: Office) -> None:
    code, _, err = office.run("decide", office.appeal, "grant", "--seen", "0" * 12, typed="材料属实\n")
    assert code == REFUSED
    assert "look again" in err
    assert office.state() is State.FILED
    for arguments in (("show", "nothing"), ("show", "-" * 22), ("decide", "nothing", "refuse", "--seen", "0")):
        code, _, err = office.run(*arguments, typed="材料属实\n")
        assert (code, err) == (REFUSED, "there is no such appeal\n")


def test_what_cannot_be_granted_is_told_with_its_reason(office: Office) -> None:
    seen = office.seen()

    async def lock(stores: SqlStores) -> None:
        await stores.members.cancel(office.holder, SystemClock().now())
        proof = NewIdentity(person=ZHANG, evidence=Evidence.FACE, evidence_reference="E-2", authority_reference="A-78")
        await prove(stores.identities, office.claimant, proof, SystemClock().now())

    in_store(office.settings, lock)
    assert office.run("decide", office.appeal, "grant", "--seen", seen, typed="材料属实\n")[0] == REFUSED
    code, out, _ = office.run("show", office.appeal)
    assert "the identity is its own by now" in out
    code, _, err = office.run("decide", office.appeal, "grant", "--seen", office.seen(), typed="材料属实\n")
    assert (code, err) == (REFUSED, "it cannot be granted: the account that appeals has the identity already\n")


@pytest.mark.parametrize("staff", ["", "wang li", "王", "../wang", "w" * 41])
def test_nobody_looks_without_a_name(office: Office, staff: str) -> None:
    code, out, err = office.run("list", staff=staff)
    assert (code, out) == (REFUSED, "")
    assert err.startswith("--staff is your own name")


def test_a_database_of_another_release_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = config(tmp_path, port=8080)
    with pytest.raises(SystemExit) as ended:
        cli.main(["appeals", "list", "--config", str(path), "--staff", "wang"])
    assert ended.value.code == REFUSED
    assert "start the server first" in capsys.readouterr().err
