"""The command that registers relying parties: beside a server and without one, as people run it where that matters."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from sqlalchemy import NullPool, create_engine, insert, text

from bjidp import cli
from bjidp.commands import registrar
from bjidp.commands.registrar import NoMetadata, parse
from bjidp.storage.sql.migrations import migrate
from bjidp.storage.sql.schema import logout_outbox
from tests.support.calls import Caller, Deployment
from tests.support.demo import Demo
from tests.unit.test_cli import closed_environment, config

pytestmark = pytest.mark.req("RP-1")

__all__ = ["closed_environment"]

Command: TypeAlias = Callable[..., tuple[int, str, str]]

METADATA: dict[str, object] = {
    "client_name": "首都之窗",
    "client_uri": "https://portal.example/",
    "redirect_uris": ["https://portal.example/callback"],
    "scope": "openid profile",
}


def clients(*arguments: str | Path, typed: bytes = b"") -> tuple[int, str, str]:
    """Run a command; return its exit code and what it said."""
    command = [sys.executable, "-m", "bjidp", "clients", *map(str, arguments)]
    ended = subprocess.run(command, input=typed, capture_output=True, timeout=60, check=False)
    said = ended.stderr.decode()
    assert "Traceback" not in said
    return ended.returncode, ended.stdout.decode(), said


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str], closed_environment: None) -> Command:
    """Run a command in this process, which starts in no time."""

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        code = 0
        try:
            cli.main(["clients", *map(str, arguments)])
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def written(folder: Path, metadata: object) -> Path:
    path = folder / "site.json"
    path.write_text(json.dumps(metadata, ensure_ascii=False), "utf-8")
    return path


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """The configuration of a server that has been started once."""
    path = config(tmp_path, port=8080)
    migrate(f"sqlite:///{tmp_path / 'bjidp.sqlite'}")
    return path


def rows(database_url: str, statement: str) -> list[tuple[Any, ...]]:
    engine = create_engine(database_url, poolclass=NullPool)
    with closing(engine.connect()) as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


async def introspected(demo: Demo, client_id: str, secret: str) -> int:
    """Ask the demo's server about a token as a client; return the status of its answer."""
    async with Caller(Deployment(demo.server, demo.sandbox, demo.server)) as caller:
        basic = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
        headers = {
            "Host": caller.to.authority,
            "Authorization": f"Basic {basic}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        return (await caller.send("POST", "/oauth/introspect", headers=headers, body=b"token=none")).status


async def test_a_running_server_knows_a_client_at_once_and_one_that_is_removed_no_more(
    demo: Demo, tmp_path: Path
) -> None:
    alone = METADATA | {
        "client_name": "只此一家",
        "client_uri": "https://alone.example/",
        "redirect_uris": ["https://alone.example/"],
    }
    code, out, err = clients("add", written(tmp_path, alone), "--data", demo.data)
    assert (code, err) == (0, "")
    given = json.loads(out)
    assert list(given) == ["client_id", "client_secret"]
    assert out.count("\n") == 1
    assert await introspected(demo, given["client_id"], given["client_secret"]) == 200
    assert await introspected(demo, given["client_id"], "another") == 401
    code, out, _ = clients("remove", given["client_id"], "--data", demo.data)
    assert (code, out) == (0, f"{given['client_id']} is removed, and 0 of its grants ended with it\n")
    assert await introspected(demo, given["client_id"], given["client_secret"]) == 401


@pytest.mark.req("OPS-3")
def test_clients_are_kept_in_postgresql_as_well_and_their_secrets_as_digests(
    tmp_path: Path, postgres_url: str, here: Command
) -> None:
    path = config(tmp_path, port=8080)
    path.write_text(re.sub(r"sqlite:///[^\"]*", postgres_url, path.read_text()))
    migrate(postgres_url)
    given = json.loads(here("add", written(tmp_path, METADATA), "--config", path)[1])
    ((metadata, secret),) = rows(postgres_url, "SELECT metadata, secret FROM relying_party")
    assert json.loads(metadata) == METADATA
    assert bytes(secret) == hashlib.sha256(given["client_secret"].encode()).digest()
    assert rows(postgres_url, "SELECT kind FROM audit_event") == [("client.added",)]
    assert here("remove", given["client_id"], "--config", path)[0] == 0
    assert rows(postgres_url, "SELECT id FROM relying_party") == []


@pytest.mark.parametrize("client_id", ["-Dq3vYdV0Yw4h8m0m1iX7A", "--q3vYdV0Yw4h8m0m1iX7A"])
def test_an_id_that_begins_like_an_option_is_none(
    tmp_path: Path, settings: Path, here: Command, client_id: str
) -> None:
    added = here("add", written(tmp_path, METADATA), "--id", client_id, "--config", settings)
    assert json.loads(added[1])["client_id"] == client_id
    assert json.loads(here("show", client_id, "--config", settings)[1])["client_id"] == client_id
    assert here("remove", client_id, "--config", settings)[0] == 0


def test_everything_that_is_wrong_is_said_at_once_and_nothing_is_registered(
    tmp_path: Path, settings: Path, here: Command
) -> None:
    wrong = {
        **METADATA,
        "client_name": "",
        "redirect_uris": ["http://portal.example/callback"],
        "scope": "profile",
        "logo_\x1b[2Juri": "x",
    }
    code, out, err = here("add", written(tmp_path, wrong), "--config", settings)
    assert (code, out) == (2, "")
    first, *faults = err.splitlines()
    assert first == f"{tmp_path / 'site.json'} cannot be registered:"
    assert faults == [
        "  logo_\\u001b[2Juri: means nothing here",
        "  redirect_uris: must be https, or http on this machine",
        "  client_name: must be 1 to 40 printable characters",
        "  scope: must contain openid, and knows openid profile email phone identity organisation offline_access",
    ]
    assert here("list", "--config", settings) == (0, "no relying party is registered\n", "")


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"", "it is no JSON in UTF-8, line 1: Expecting value"),
        (b'{\n"client_name": }', "it is no JSON in UTF-8, line 2: Expecting value"),
        (b'{"client_name": "\xff"}', "it is no JSON in UTF-8"),
        (b"[" * 30_000, "it is no JSON in UTF-8"),
        (b"[]", "it is no JSON object"),
        (b" " * 65_537, "it has more than 64 KB"),
    ],
)
def test_what_is_no_metadata_is_said_to_be_none(octets: bytes, words: str) -> None:
    with pytest.raises(NoMetadata) as raised:
        parse(octets)
    assert str(raised.value) == words


def test_what_comes_by_standard_input_may_be_no_metadata_either(settings: Path) -> None:
    code, out, err = clients("add", "-", "--config", settings, typed=b"[]")
    assert (code, out, err) == (2, "", "- cannot be registered: it is no JSON object\n")


def test_a_member_that_stands_there_twice_is_a_fault_among_the_others(
    tmp_path: Path, settings: Path, here: Command
) -> None:
    path = tmp_path / "site.json"
    path.write_bytes(b'{"client_name": "a", "client_name": "b", "scope": "openid"}')
    _, _, err = here("add", path, "--config", settings)
    assert [line.strip().partition(":")[0] for line in err.splitlines()[1:]] == ["client_name", "redirect_uris"]
    assert "client_name: stands there twice" in err


@pytest.mark.attack("T4")
def test_a_site_in_production_is_told_of_log_outs_by_https_or_is_not_registered(
    tmp_path: Path, settings: Path, here: Command
) -> None:
    plain = METADATA | {"backchannel_logout_uri": "http://127.0.0.1:3000/backchannel-logout", "scope": "none"}
    settings.write_text(settings.read_text("utf-8").replace('environment = "demo"', 'environment = "production"'))
    code, out, err = here("add", written(tmp_path, plain), "--config", settings)
    assert (code, out) == (2, "")
    assert [line.strip().partition(":")[0] for line in err.splitlines()[1:]] == ["backchannel_logout_uri", "scope"]


def test_a_file_that_is_not_there_is_told(tmp_path: Path, settings: Path, here: Command) -> None:
    code, out, err = here("add", tmp_path / "none.json", "--config", settings)
    assert (code, out) == (2, "")
    assert "No such file" in err


def test_a_client_that_proves_itself_by_a_key_is_given_no_secret(tmp_path: Path, settings: Path, here: Command) -> None:
    code, out, _ = here(
        "add", written(tmp_path, {**METADATA, "token_endpoint_auth_method": "none"}), "--config", settings
    )
    assert code == 0
    assert list(json.loads(out)) == ["client_id"]
    assert rows(f"sqlite:///{tmp_path / 'bjidp.sqlite'}", "SELECT secret FROM relying_party") == [(None,)]


def test_clients_are_listed_and_shown_without_their_secrets(tmp_path: Path, settings: Path, here: Command) -> None:
    given = json.loads(here("add", written(tmp_path, METADATA), "--config", settings)[1])
    code, out, _ = here("list", "--config", settings)
    assert code == 0
    assert re.fullmatch(rf"{given['client_id']}  \d{{4}}-\d\d-\d\d \d\d:\d\d  portal\.example  首都之窗\n", out)
    code, out, _ = here("show", given["client_id"], "--config", settings)
    assert code == 0
    assert json.loads(out) == {"client_id": given["client_id"], **METADATA}


@pytest.mark.attack("T11")
def test_whoever_registers_a_site_is_told_which_other_it_may_pass_for(
    tmp_path: Path, settings: Path, here: Command
) -> None:
    first = here("add", written(tmp_path, METADATA), "--config", settings)
    assert first[2] == ""
    portal = json.loads(first[1])["client_id"]
    like = METADATA | {"client_name": " 首都 之窗", "redirect_uris": ["https://evil.example/callback"]}
    code, out, err = here("add", written(tmp_path, like), "--config", settings)
    assert (code, [*json.loads(out)]) == (0, ["client_id", "client_secret"])
    assert err.splitlines() == [
        "look twice: people are shown portal.example and are sent to evil.example",
        f"look twice: {portal} (portal.example) has the same name",
    ]
    service = {"client_name": "接口", "client_uri": "https://portal.example/", "grant_types": []}
    err = here("add", written(tmp_path, service), "--config", settings)[2]
    said = "is of the same sector: both know people by the same names"
    assert err.splitlines() == [f"look twice: {portal} (portal.example) {said}"]
    app = {"client_name": "应用", "client_uri": "https://app.example/", "redirect_uris": ["http://127.0.0.1/back"]}
    assert here("add", written(tmp_path, app), "--config", settings)[2] == ""


async def test_a_list_shows_the_host_that_people_see_and_what_this_release_does_not_read(
    tmp_path: Path, settings: Path
) -> None:
    database = f"sqlite:///{tmp_path / 'bjidp.sqlite'}"
    without = {name: value for name, value in METADATA.items() if name != "client_uri"}
    given = await registrar.on(database, lambda them: them.add(without))
    (line,) = await registrar.on(database, lambda them: them.list_all())
    assert line.endswith("  portal.example  首都之窗")
    engine = create_engine(database, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("UPDATE relying_party SET metadata = '{}'"))
    (line,) = await registrar.on(database, lambda them: them.list_all())
    assert line.startswith(f"{given.client_id}  ")
    assert line.endswith("  means nothing to this release: remove it and add it again")


def test_a_client_that_is_not_there_is_neither_shown_nor_removed(settings: Path, here: Command) -> None:
    for doing in ("show", "remove"):
        assert here(doing, "nobody", "--config", settings) == (3, "", "there is no such relying party\n")


def test_a_database_of_another_release_is_left_alone(tmp_path: Path, here: Command) -> None:
    code, out, err = here("add", written(tmp_path, METADATA), "--config", config(tmp_path, port=8080))
    assert (code, out) == (3, "")
    assert "start the server first" in err


def test_whoever_runs_the_server_sees_which_sites_were_not_told_of_a_logout(
    settings: Path, tmp_path: Path, here: Command
) -> None:
    _, said, _ = here("add", written(tmp_path, METADATA), "--config", settings)
    client = json.loads(said)["client_id"]
    assert here("logouts", "--config", settings)[1] == "no relying party was to be told anything lately\n"
    engine = create_engine(f"sqlite:///{tmp_path / 'bjidp.sqlite'}", poolclass=NullPool)
    with engine.begin() as connection:
        for due_at, over_at, outcome in ((1, None, None), (None, 1, "told"), (None, 1, "given_up")):
            row = {"client": client, "account_ref": "r", "subject": "s", "created_at": 1_800_000_000_000, "attempts": 1}
            connection.execute(insert(logout_outbox), row | {"due_at": due_at, "over_at": over_at, "outcome": outcome})
    code, said, _ = here("logouts", "--config", settings)
    assert (code, said) == (0, f"{client}  told 1, given up 1, wait 1 since 2027-01-15 16:00\n")
