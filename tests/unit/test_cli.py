"""The commands: what an operator sees when something cannot start."""

from __future__ import annotations

import base64
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import structlog
from hiredis import ReplyError
from sqlalchemy import make_url

from bjidp import cli
from bjidp.commands.outages import passed
from bjidp.config.loader import load
from bjidp.errors import StoreUnavailable
from bjidp.serving.listening import bind, hold
from bjidp.serving.supervising import WorkerFailed
from bjidp.storage.sql.database.transaction import StoreFault
from bjidp.storage.sql.migrations import migrate
from tests.support.demo import PATIENCE, PORTS, free_ports
from tests.support.house import is_ready, serve
from tests.support.processes import children_of, free_port, is_running, wait_until

ROOT = base64.b64encode(bytes(range(32))).decode()


async def started() -> None:
    """Fail where a server came up that should not have."""
    raise AssertionError("it serves")


@pytest.fixture(autouse=True)
def closed_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Commands read no variable of the machine that runs the tests, and leave its logging as it was."""
    monkeypatch.setattr(cli, "system_environment", dict)
    monkeypatch.setattr("bjidp.serving.server._told_to_stop", started)
    before, configure = structlog.get_config(), structlog.configure
    # A logger that is kept would write to the standard error of the first test that used it.
    monkeypatch.setattr(
        structlog, "configure", lambda **given: configure(**{**given, "cache_logger_on_first_use": False})
    )
    yield
    monkeypatch.undo()
    structlog.configure(**before)


def config(folder: Path, *, port: int, redis_url: str | None = None, **server: object) -> Path:
    """Write a configuration that is right but for what a test changes."""
    folder.mkdir(exist_ok=True)
    lines = [f"{name} = {str(value).lower()}" for name, value in server.items()]
    redis = [] if redis_url is None else [f'redis_url = "{redis_url}"']
    path = folder / "server.toml"
    path.write_text(
        "\n".join(
            [
                "[server]",
                f'base_url = "http://127.0.0.1:{port}"',
                f"listen_port = {port}",
                *lines,
                "[storage]",
                f'database_url = "sqlite:///{folder / "bjidp.sqlite"}"',
                *redis,
                "[keys.roots]",
                f'1 = "{ROOT}"',
                '[authority]\nbase_url = "https://authority.example.com"\nkey_id = "key"\nsecret = "authority-secret"',
                '[wechat]\napp_id = "wx1"\napp_secret = "secret"',
            ]
        ),
        "utf-8",
    )
    return path


def refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> list[str]:
    """Run a command that has to fail with exit code 2; return what it said, line by line."""
    with pytest.raises(SystemExit) as caught:
        cli.main([str(argument) for argument in arguments])
    assert caught.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "Traceback" not in said.err
    return [line.strip() for line in said.err.splitlines() if not line.startswith("{")]


@pytest.mark.req("OPS-2")
def test_a_bad_configuration_is_told_fault_by_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = config(tmp_path, port=8080, workers=0, load=True, colour=1)
    path.write_text(path.read_text().replace("colour = 1", ""))
    said = refused(capsys, "serve", "--config", path)
    assert said[0] == "the configuration has faults:"
    assert sorted(line.partition(":")[0] for line in said[1:]) == ["server.load", "server.workers"]


@pytest.mark.req("OPS-2")
def test_a_configuration_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(capsys, "serve", "--config", tmp_path / "none.toml")
    assert "cannot be read" in said[1]
    said = refused(capsys, "clients", "list", "--data", tmp_path)
    assert said[1].startswith(f"there is no {tmp_path / 'server.toml'}: name the server's file by --config")


@pytest.mark.req("OPS-3")
def test_several_workers_without_redis_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(capsys, "serve", "--config", config(tmp_path, port=8080, workers=2))
    assert said[1].startswith("server.workers: several processes need storage.redis_url")
    assert not (tmp_path / "bjidp.sqlite").exists()


@pytest.mark.req("OPS-2")
@pytest.mark.parametrize("first", [1, 2])
def test_the_port_of_another_server_is_not_shared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], redis_url: str, first: int
) -> None:
    port = free_port()
    taken = config(tmp_path / "first", port=port, workers=first, redis_url=redis_url)
    with serve(taken, tmp_path / "first.log") as running:
        running.wait_until(partial(is_ready, port, f"http://127.0.0.1:{port}"), PATIENCE)
        for second in (1, 2):
            folder = tmp_path / f"second-{second}"
            wanted = config(folder, port=port, workers=second, redis_url=redis_url)
            (said,) = refused(capsys, "serve", "--config", wanted)
            assert said == f"cannot listen on 127.0.0.1, port {port}: Address already in use"
            assert not (folder / "bjidp.sqlite").exists()


@pytest.mark.req("OPS-4")
def test_the_port_of_workers_is_theirs_while_none_of_them_listens(tmp_path: Path) -> None:
    settings = load(config(tmp_path, port=free_port()), {})
    with closing(hold(settings.server)):
        for _ in range(2):
            with pytest.raises(OSError, match="Address already in use"):
                bind(settings.server, shared=False)
            with pytest.raises(OSError, match="Address already in use"):
                hold(settings.server)
            with closing(bind(settings.server, shared=True)) as worker:
                worker.listen()
    bind(settings.server, shared=False).close()


@pytest.mark.req("OPS-2")
@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:8080/path", "server.base_url: the base URL must have no path"),
        (f"https://{'.'.join(['x' * 60] * 5)}.example.com", "choose a shorter base URL"),
    ],
)
def test_a_base_url_that_cannot_be_used_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], url: str, words: str
) -> None:
    path = config(tmp_path, port=8080)
    path.write_text(re.sub(r'base_url = "http://127[^"]*"', f'base_url = "{url}"', path.read_text()))
    _, said = refused(capsys, "serve", "--config", path)
    assert words in said


def silent_port(taken: socket.socket) -> int:
    """Return a port at which nobody answers for as long as ``taken`` holds it."""
    taken.bind(("127.0.0.1", 0))
    return int(taken.getsockname()[1])


@pytest.mark.req("OPS-2", "OPS-3")
@pytest.mark.attack("Q24")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_of_the_stores_that_does_not_answer_is_told_by_place_and_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], workers: int
) -> None:
    with socket.socket() as database, socket.socket() as redis:
        ports = silent_port(database), silent_port(redis)
        path = config(tmp_path, port=free_port(), workers=workers, redis_url=f"redis://:hunter2@127.0.0.1:{ports[1]}/0")
        place = f"postgresql+psycopg://bjidp:hunter2@127.0.0.1:{ports[0]}/bjidp"
        path.write_text(re.sub(r"sqlite:///[^\"]*", place, path.read_text()))
        said = refused(capsys, "serve", "--config", path)
    assert said == [
        "a store does not answer:",
        f"storage.database_url: PostgreSQL at 127.0.0.1:{ports[0]} does not answer: Connection refused",
        f"storage.redis_url: Redis at 127.0.0.1:{ports[1]} does not answer: Connection refused",
    ]


@pytest.mark.req("OPS-2")
def test_a_database_that_lets_nobody_in_is_told_without_the_password(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], postgres_url: str
) -> None:
    path = config(tmp_path, port=free_port())
    wrong = make_url(postgres_url).set(database="hunter2", password="hunter2").render_as_string(hide_password=False)
    path.write_text(re.sub(r"sqlite:///[^\"]*", wrong, path.read_text()))
    first, said = refused(capsys, "serve", "--config", path)
    assert first == "a store does not answer:"
    assert said.startswith("storage.database_url: PostgreSQL at ")
    assert "FATAL" in said
    assert "hunter2" not in said


@pytest.mark.req("OPS-2")
def test_a_database_file_that_is_none_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = config(tmp_path, port=free_port())
    (tmp_path / "bjidp.sqlite").write_text("no database " * 100)
    _, said = refused(capsys, "serve", "--config", path)
    assert said == f"storage.database_url: SQLite cannot use {tmp_path / 'bjidp.sqlite'}: file is not a database"


@pytest.mark.req("OPS-2", "OPS-3")
def test_nothing_is_changed_when_redis_does_not_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as silent:
        redis_url = f"redis://127.0.0.1:{silent_port(silent)}/0"
        said = refused(capsys, "serve", "--config", config(tmp_path, port=free_port(), redis_url=redis_url))
    assert said == [
        "a store does not answer:",
        f"storage.redis_url: Redis at {urlsplit(redis_url).netloc} does not answer: Connection refused",
    ]
    assert not (tmp_path / "bjidp.sqlite").exists()


@pytest.mark.req("OPS-2")
def test_a_schema_that_cannot_be_brought_up_to_date_is_told_with_the_drivers_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = config(tmp_path, port=free_port())
    with closing(sqlite3.connect(tmp_path / "bjidp.sqlite")) as database:
        database.execute("CREATE TABLE notice (id integer)")
    said = refused(capsys, "serve", "--config", path)
    assert said == [
        "the database cannot be brought up to date, and was left as it is:",
        "storage.database_url: the database refused a change of its schema, with code SQLITE_ERROR",
    ]


@pytest.mark.req("OPS-2")
def test_a_database_that_is_newer_than_the_program_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = config(tmp_path, port=free_port())
    migrate(f"sqlite:///{tmp_path / 'bjidp.sqlite'}")
    with closing(sqlite3.connect(tmp_path / "bjidp.sqlite")) as database:
        database.execute("UPDATE alembic_version SET version_num = 'later'")
        database.commit()
    _, said = refused(capsys, "serve", "--config", path)
    assert said.startswith("storage.database_url: its schema is none that this program knows, or a newer one:")


@pytest.mark.req("OPS-2")
def test_stores_that_answer_again_are_not_accused_and_the_fault_is_told_by_its_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, redis_url: str
) -> None:
    (tmp_path / "bjidp.sqlite").touch()

    def fail(*_: object, **__: object) -> None:
        raise StoreUnavailable from StoreFault("SQLITE_BUSY")

    monkeypatch.setattr("bjidp.commands.serve.serve", fail)
    said = refused(capsys, "serve", "--config", config(tmp_path, port=8080, redis_url=redis_url))
    assert said == ["a store failed (SQLITE_BUSY), but answers now: try again"]


@pytest.mark.parametrize(
    ("cause", "code"),
    [(ReplyError("OOM command not allowed when used on 'key'"), "OOM"), (TimeoutError("10.0.0.1"), "TimeoutError")],
)
def test_an_outage_that_passed_is_told_without_what_a_driver_quotes(cause: Exception, code: str) -> None:
    outage = StoreUnavailable()
    outage.__cause__ = cause
    assert passed(outage) == f"a store failed ({code}), but answers now: try again"


@pytest.mark.req("OPS-2")
def test_a_key_that_is_none_is_told_by_its_setting_and_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = config(tmp_path, port=free_port())
    with path.open("a") as more:
        more.write('\n[alipay]\napp_id = "x"\nprivate_key = "no key"\nalipay_public_key = "no key"\n')
    said = refused(capsys, "serve", "--config", path)
    assert [line.partition(":")[0] for line in said[1:]] == ["alipay.private_key", "alipay.alipay_public_key"]
    assert not (tmp_path / "bjidp.sqlite").exists()


@pytest.mark.parametrize(("code", "exit_code"), [(7, 7), (-9, 2), (0, 2)])
def test_what_a_worker_ended_with_is_what_the_server_ends_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, code: int, exit_code: int
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise WorkerFailed(code)

    monkeypatch.setattr("bjidp.commands.serve.serve", fail)
    with pytest.raises(SystemExit) as caught:
        cli.main(["serve", "--config", str(config(tmp_path, port=8080))])
    assert caught.value.code == exit_code
    assert f"a worker ended before it served, with code {code}" in capsys.readouterr().err


@pytest.mark.req("OPS-4")
def test_the_workers_of_a_server_that_is_killed_end_by_themselves(tmp_path: Path, redis_url: str) -> None:
    port = free_port()
    server = serve(config(tmp_path, port=port, workers=2, redis_url=redis_url), tmp_path / "server.log")
    workers: list[int] = []
    try:
        server.wait_until(lambda: server.log.read_text().count('"serving"') == 2, PATIENCE)
        workers = children_of(server.pid)
        assert len(workers) == 2
        server.signal(signal.SIGKILL)
        wait_until(lambda: not any(map(is_running, workers)))
        # Nothing of the server is left that would be in the way of the next one.
        with socket.socket() as next_one:
            next_one.bind(("127.0.0.1", port))
    finally:
        for worker in filter(is_running, workers):
            os.kill(worker, signal.SIGKILL)
        server.stop()


@pytest.mark.parametrize("arguments", [[], ["serve"], ["fly"], ["demo", "--port", "many"]])
def test_a_command_that_is_not_understood_shows_how(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert "usage: bjidp" in capsys.readouterr().err


# ----------------------------------------------------------------------------------------------------------- the demo


@pytest.mark.req("OPS-1")
@pytest.mark.parametrize(
    ("port", "words"), [(65535, "PORT: at most 65533"), (70000, "PORT: at most 65533"), (0, "PORT: at least 1")]
)
def test_a_port_the_demo_cannot_have_is_told_by_its_variable(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], port: int, words: str
) -> None:
    (said,) = refused(capsys, "demo", "--port", str(port), "--data", tmp_path / "data")
    assert said.startswith(words)
    assert not (tmp_path / "data").exists()


@pytest.mark.req("OPS-1")
@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_demo_whose_port_is_taken_names_one_that_is_free(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], after: int
) -> None:
    first = free_ports(PORTS)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first + after))
        taken.listen()
        (said,) = refused(capsys, "demo", "--port", str(first), "--data", tmp_path)
    named = re.fullmatch(rf"port {first + after} is taken: try PORT=(\d+)", said)
    assert named is not None
    assert abs(int(named[1]) - first) >= PORTS
    assert not list(tmp_path.iterdir())


@pytest.mark.req("RP-3", "UX-5")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("login", "http://id.example"), "http://id.example is not https: everybody on the way could read the tokens"),
        (("login", "id.example"), "id.example is no address of a server: write it as https://id.example"),
        (("login", "http://127.0.0.1:9"), "http://127.0.0.1:9 does not answer"),
        (("logout", "http://127.0.0.1:9/"), "nobody is logged in to http://127.0.0.1:9 here"),
    ],
)
def test_what_a_terminal_cannot_do_is_said_in_words(
    arguments: tuple[str, ...],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(cli, "system_environment", lambda: {"XDG_DATA_HOME": str(tmp_path)})
    # Whoever runs the tests may have one.
    monkeypatch.setattr("bjidp.terminal.keeping.system_ring", lambda: None)
    with pytest.raises(SystemExit) as ended:
        cli.main([*arguments])
    assert ended.value.code == 3
    assert capsys.readouterr().err.splitlines() == [words]
    assert list(tmp_path.iterdir()) == []


def test_whoever_logs_a_terminal_in_loads_nothing_of_a_server() -> None:
    look = "try: cli.main(['login', '--help'])\nfinally: print(*sys.modules, file=sys.stderr)"
    look = f"import sys\nfrom bjidp import cli\n{look}"
    told = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, timeout=30, check=True)
    loaded = {name.split(".")[1] for name in told.stderr.split() if name.startswith("bjidp.")}
    assert {"cli", "commands"} <= loaded
    assert loaded.isdisjoint({"web", "storage", "vendors", "bootstrap", "serving", "demo", "oidc"})
