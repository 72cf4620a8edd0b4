"""The configuration: read from TOML and environment, with everything that is wrong told at once."""

from __future__ import annotations

import base64
import copy
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bjidp.config.loader import ENVIRONMENT, ConfigFaults, _secrets, load, read
from bjidp.config.settings import Settings, Unread
from bjidp.config.vendor_checks import TEMPLATES
from bjidp.sandbox.credentials import default_credentials
from bjidp.secret import Secret

ROOT = base64.b64encode(bytes(range(32))).decode()

WHOLE = f"""
[server]
base_url = "https://id.example.com"

[storage]
database_url = "postgresql+psycopg://bjidp@db/bjidp"
redis_url = "rediss://redis:6379/0"

[keys.roots]
1 = "{ROOT}"

[authority]
base_url = "https://authority.example.com"
key_id = "key"
secret = "authority-secret"

[wechat]
app_id = "wx1"
app_secret = "wechat-secret"
"""

_KEYS = default_credentials(None).client_settings("https://sandbox.example.com").alipay
ALIPAY = {"app_id": "x", "private_key": _KEYS.app_private_key, "alipay_public_key": _KEYS.alipay_public_key}

Table = dict[str, dict[str, Any]]


def table(**changes: object) -> Table:
    """Return the whole configuration with settings such as ``server__workers`` changed; None leaves one out."""
    changed: Table = copy.deepcopy(tomllib.loads(WHOLE))
    for name, value in changes.items():
        section, _, field = name.partition("__")
        if not field:
            changed.pop(section, None)
            if value is not None:
                changed[section] = value  # type: ignore[assignment]  # also what is no section
        elif value is None:
            del changed[section][field]
        else:
            changed.setdefault(section, {})[field] = value
    return changed


def settings(environ: Mapping[str, str] | None = None, beside: Path = Path(), **changes: object) -> Settings:
    return read(table(**changes), environ or {}, beside=beside)


def faults(environ: Mapping[str, str] | None = None, beside: Path = Path(), **changes: object) -> tuple[str, ...]:
    with pytest.raises(ConfigFaults) as caught:
        read(table(**changes), environ or {}, beside=beside)
    return caught.value.faults


def test_a_whole_file_is_read_with_its_defaults(tmp_path: Path) -> None:
    path = tmp_path / "server.toml"
    path.write_text(WHOLE, "utf-8")
    read = load(path, {})
    assert read.server.base_url == "https://id.example.com"
    assert read.server.environment == "production"
    assert read.server.workers == 1
    assert read.storage.redis_url == "rediss://redis:6379/0"
    assert read.qr.reverse_code == "mismatch"
    assert (read.qr.scan_seconds, read.qr.confirm_seconds, read.qr.redeem_seconds) == (60, 60, 30)
    assert read.sessions.lifetime_seconds == 43_200
    assert read.accounts.link_probation_hours == 72
    assert read.wechat is not None
    assert read.wechat.app_secret.text() == "wechat-secret"
    assert read.alipay is None


@pytest.mark.req("OPS-2")
def test_the_smallest_configuration_of_the_documentation_is_whole_and_nothing_in_it_can_be_left_out(
    tmp_path: Path,
) -> None:
    document = (Path(__file__).parents[3] / "docs/running.md").read_text("utf-8")
    (block,) = re.findall(r"## The smallest configuration\n+```toml\n(.*?)```", document, re.DOTALL)
    block = block.replace("/var/lib/bjidp", str(tmp_path))
    for name, held in {"root-1": ROOT, "authority": "authority-secret", "wechat": "wechat-secret"}.items():
        (tmp_path / f"{name}.key").write_text(f"{held}\n", "utf-8")
    path = tmp_path / "server.toml"
    path.write_text(block, "utf-8")
    assert load(path, {}).server.environment == "production"
    whole = tomllib.loads(block)
    for section, fields in whole.items():
        for field in fields:
            less = {**whole, section: {name: value for name, value in fields.items() if name != field}}
            with pytest.raises(ConfigFaults):
                read(less, {}, beside=tmp_path)
        with pytest.raises(ConfigFaults):
            read({name: value for name, value in whole.items() if name != section}, {}, beside=tmp_path)


@pytest.mark.req("OPS-2")
def test_the_whole_configuration_of_the_documentation_has_settings_that_there_are_and_every_template(
    tmp_path: Path,
) -> None:
    document = (Path(__file__).parents[3] / "docs/running.md").read_text("utf-8")
    (block,) = re.findall(r"## Everything else\n.*?```toml\n(.*?)```", document, re.DOTALL)
    whole = tomllib.loads(block)
    assert set(whole["chuanglan_second"]["templates"]) == TEMPLATES
    with pytest.raises(ConfigFaults) as told:
        read(whole, {}, beside=tmp_path)
    # Its dots stand for what each operator has; whatever else is wrong with it would be the documentation's.
    assert [fault for fault in told.value.faults if "no such setting" in fault or "templates" in fault] == []


# ------------------------------------------------------------------------------------------------ everything at once


@pytest.mark.req("OPS-2")
def test_every_fault_is_told_at_once() -> None:
    told = faults(
        server__base_url=None,
        server__workers="many",
        server__colour="red",
        storage__database_url=5,
        keys__roots=None,
        wechat__app_id=None,
        qr={"reverse_code": "sometimes", "scan_seconds": []},
        kitchen={"sink": 1},
    )
    for place in (
        "server.base_url: is missing",
        "server.workers: ",
        "server.colour: there is no such setting",
        "storage.database_url: ",
        "keys.roots: is missing",
        "wechat.app_id: is missing",
        "qr.reverse_code: ",
        "qr.scan_seconds: ",
        "kitchen: there is no such section",
    ):
        assert any(fault.startswith(place) for fault in told), place
    assert len(told) == 9


@pytest.mark.req("OPS-2")
def test_faults_between_settings_are_told_at_once_too() -> None:
    told = faults(
        server={
            "base_url": "http://id.example.com",
            "workers": 0,
            "tls_key": "key.pem",
            "load": True,
            "simulator_url": "https://phone.example",
        },
        storage={"database_url": "mysql://x", "redis_url": "memcached://x"},
        keys={"roots": {"0": ROOT, "2": "not base64", "3": "c2hvcnQ="}, "current": 9},
        networks={"trusted_proxies": ["10.0.0.0/8", "proxy"], "shared": ["300.0.0.0/8"], "area_database": "/none"},
        qr={"scan_seconds": 0, "redeem_seconds": 31},
        sessions={"lifetime_seconds": -1},
        wechat=None,
    )
    for words in (
        "server.base_url: a public host needs https",
        "server.workers: at least one",
        "server.tls_certificate, server.tls_key: one needs the other",
        "server.load: ",
        "server.simulator_url: ",
        "storage.database_url: must begin",
        "storage.redis_url: must begin",
        "keys.roots.0: ",
        "keys.roots.2: must be base64",
        "keys.roots.3: must be 32 random bytes",
        "keys.current: ",
        "networks.trusted_proxies: proxy is no network",
        "networks.shared: 300.0.0.0/8 is no network",
        "networks.area_database: there is no file",
        "qr.scan_seconds: must be more than zero",
        "qr.redeem_seconds: at most 30",
        "sessions.lifetime_seconds: must be more than zero",
        "wechat, alipay, baidu: at least one platform",
    ):
        assert any(fault.startswith(words) for fault in told), words
    assert len(told) == 18


@pytest.mark.req("OPS-2")
@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"[server", "is no TOML"),
        (b"\xff\xfe", "is no TOML"),
        (b"server = 1\nstorage = 2\n", "server: must be a section, [server]"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_in_words(tmp_path: Path, text: bytes | None, words: str) -> None:
    path = tmp_path / "server.toml"
    if text is not None:
        path.write_bytes(text)
    with pytest.raises(ConfigFaults) as caught:
        load(path, {})
    assert any(words in fault for fault in caught.value.faults)


# ---------------------------------------------------------------------------------------------------- the environment


@pytest.mark.req("OPS-2")
def test_the_environment_overrides_the_file() -> None:
    read = settings(
        {
            "BJIDP_BASE_URL": "https://other.example.com",
            "BJIDP_DATABASE_URL": "sqlite:////var/lib/bjidp.sqlite",
            "BJIDP_REDIS_URL": "redis://other/1",
            "WORKERS": "4",
            "LOAD": "0",
            "PATH": "ignored",
        }
    )
    assert read.server.base_url == "https://other.example.com"
    assert read.storage.database_url == "sqlite:////var/lib/bjidp.sqlite"
    assert read.storage.redis_url == "redis://other/1"
    assert read.server.workers == 4
    assert read.server.load is False


@pytest.mark.parametrize("value", ["1", "true"])
def test_load_is_on_when_it_says_so(value: str) -> None:
    assert settings({"LOAD": value}, server__environment="demo").server.load is True


def test_an_empty_variable_overrides_nothing() -> None:
    assert settings(dict.fromkeys(ENVIRONMENT, "")) == settings()


@pytest.mark.parametrize(("variable", "value"), [("WORKERS", "many"), ("WORKERS", "1.5"), ("LOAD", "perhaps")])
def test_a_variable_that_makes_no_sense_is_told(variable: str, value: str) -> None:
    (told,) = faults({variable: value})
    section, field = ENVIRONMENT[variable]
    assert told.startswith(f"{section}.{field} ({variable}): must be ")


@pytest.mark.req("OPS-2")
def test_a_value_that_came_from_a_variable_is_told_by_its_name() -> None:
    told = faults({"BJIDP_BASE_URL": "https://id.example.com/path", "WORKERS": "2"}, storage__redis_url=None)
    address, workers = told
    assert address == "server.base_url (BJIDP_BASE_URL): the base URL must have no path, query or user name"
    assert workers.startswith("server.workers (WORKERS): several processes need storage.redis_url (BJIDP_REDIS_URL)")


def test_the_environment_can_give_what_the_file_leaves_out() -> None:
    read = settings({"BJIDP_BASE_URL": "https://id.example.com"}, server=None)
    assert read.server.base_url == "https://id.example.com"


# ------------------------------------------------------------------------------------------------------------ secrets


@pytest.mark.attack("Q24")
def test_no_secret_is_printed(tmp_path: Path) -> None:
    read = settings(beside=tmp_path)
    assert "secret" not in repr(read.wechat).replace("app_secret", "")
    assert ROOT not in repr(read)
    assert "Secret(***)" in repr(read.keys)


@pytest.mark.attack("Q24")
@given(st.sampled_from(["keys__roots", "wechat__app_secret", "authority__secret"]), st.booleans())
def test_no_fault_repeats_a_secret(place: str, nested: bool) -> None:
    hidden = "hunter2-hunter2"
    wrong: object = {"file": "none", "extra": hidden} if nested else [hidden]
    changes: dict[str, Any] = {place: {"1": wrong} if place == "keys__roots" else wrong}
    told = faults(**changes)
    assert hidden not in " ".join(told)


@pytest.mark.attack("Q24")
def test_a_root_key_of_the_wrong_shape_is_not_repeated() -> None:
    for root in ("hunter2!", base64.b64encode(b"hunter2").decode(), base64.b64encode(b"\0" * 32).decode()):
        assert root not in " ".join(faults(keys={"roots": {"1": root}}))


def test_a_secret_may_lie_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "app.secret").write_text("from-a-file\n")
    (tmp_path / "root.key").write_text(f"{ROOT}\n")
    read = settings(
        beside=tmp_path, wechat__app_secret={"file": "app.secret"}, keys={"roots": {"1": {"file": "root.key"}}}
    )
    assert read.wechat is not None
    assert read.wechat.app_secret.text() == "from-a-file"
    assert read.keys.roots["1"].text() == ROOT


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"\xff", "is no text"),
    ],
)
def test_a_secret_whose_file_holds_none_is_told_with_path_and_reason(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "a.key"
    if content is not None:
        path.write_bytes(content)
    assert faults(
        beside=tmp_path, wechat__app_secret={"file": "a.key"}, keys={"roots": {"1": ROOT, "7": {"file": "a.key"}}}
    ) == (f"keys.roots.7: the file {path} {reason}", f"wechat.app_secret: the file {path} {reason}")


@pytest.mark.req("OPS-2")
@pytest.mark.parametrize("current", [None, 7])
def test_a_root_key_that_cannot_be_read_is_there_all_the_same(tmp_path: Path, current: int | None) -> None:
    keys: dict[str, object] = {"roots": {"7": {"file": "a.key"}}}
    (told,) = faults(beside=tmp_path, keys=keys if current is None else {**keys, "current": current})
    assert told.startswith("keys.roots.7: the file ")


def test_a_root_key_that_cannot_be_read_is_handed_to_no_rule(tmp_path: Path) -> None:
    told: list[str] = []
    roots = _secrets("keys.roots", {"1": ROOT, "7": {"file": "a.key"}}, tmp_path, told)
    assert [(version, root.text()) for version, root in roots.items()] == [("1", ROOT)]
    with pytest.raises(Unread):
        roots["7"]
    assert len(told) == 1


def test_a_secret_that_is_a_folder_is_told(tmp_path: Path) -> None:
    (told,) = faults(beside=tmp_path, wechat__app_secret={"file": "."})
    assert told == f"wechat.app_secret: the file {tmp_path} cannot be read: Is a directory"


def test_a_secret_that_may_be_left_out_is_read_like_the_others(tmp_path: Path) -> None:
    (tmp_path / "alipay-aes.key").write_text(f"{_KEYS.aes_key}\n")
    for where in (_KEYS.aes_key, {"file": "alipay-aes.key"}):
        read = settings(beside=tmp_path, alipay={**ALIPAY, "aes_key": where}).alipay
        assert read is not None
        assert read.aes_key == Secret(_KEYS.aes_key)
    (told,) = faults(alipay={**ALIPAY, "aes_key": 5})
    assert told == 'alipay.aes_key: must be text or { file = "path" }'


@pytest.mark.parametrize("value", ["", 5, [], {}, {"path": "x"}])
def test_a_secret_is_text_or_a_file(value: object) -> None:
    (told,) = faults(wechat__app_secret=value)
    assert told == 'wechat.app_secret: must be text or { file = "path" }'


@pytest.mark.req("OPS-6")
def test_of_several_root_keys_one_is_the_current_one() -> None:
    second = base64.b64encode(bytes(range(32, 64))).decode()
    assert settings(keys={"roots": {"1": ROOT, "2": second}}).keys.current is None
    assert settings(keys={"roots": {"1": ROOT, "2": second}, "current": 1}).keys.current == 1
    (told,) = faults(keys={"roots": {"1": ROOT, "01": second}})
    assert told.startswith("keys.roots.01: ")


# --------------------------------------------------------------------------------------------------------- production


@pytest.mark.req("OPS-2")
@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"server__base_url": "http://id.example.com"}, "server.base_url"),
        ({"server__base_url": "http://127.0.0.1.example.com"}, "server.base_url"),
        ({"server__load": True}, "server.load"),
        ({"server__simulator_url": "https://phone.example.com"}, "server.simulator_url"),
        ({"wechat__base_url": "http://api.weixin.qq.com"}, "wechat.base_url"),
        ({"wechat__base_url": "http://127.0.0.1:8081/wechat"}, "wechat.base_url"),
        ({"wechat__base_url": "https://127.0.0.1:8081/wechat"}, "wechat.base_url"),
        ({"wechat__base_url": "https://localhost/wechat"}, "wechat.base_url"),
        ({"wechat__base_url": "https://[::1]/wechat"}, "wechat.base_url"),
        ({"wechat__base_url": "https://[::1]:8081/wechat"}, "wechat.base_url"),
        ({"wechat__base_url": "https://127.9.9.9/wechat"}, "wechat.base_url"),
        ({"authority__base_url": "https://127.0.0.1:8081/authority"}, "authority.base_url"),
        ({"keys": {"roots": {"1": base64.b64encode(b"a" * 32).decode()}}}, "keys.roots.1"),
    ],
)
def test_production_refuses_what_only_a_demonstration_may(changes: dict[str, Any], place: str) -> None:
    (told,) = faults(**changes)
    assert told.startswith(f"{place}: ")


@pytest.mark.req("OPS-2")
def test_production_refuses_the_sandbox_of_every_platform() -> None:
    sandbox = "http://127.0.0.1:8081"
    told = faults(
        alipay={**ALIPAY, "gateway_url": f"{sandbox}/alipay"},
        baidu={
            "app_key": "x",
            "app_secret": "x",
            "aip_key": "x",
            "aip_secret": "x",
            "plan_id": 1,
            "base_url": sandbox,
            "aip_url": sandbox,
            "face_page_url": sandbox,
        },
    )
    assert {fault.partition(":")[0] for fault in told} == {
        "alipay.gateway_url",
        "baidu.base_url",
        "baidu.aip_url",
        "baidu.face_page_url",
    }


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8080", "localhost:8080", "[::1]", "[::1]:8080"])
def test_production_may_be_tried_on_loopback_over_http(host: str) -> None:
    assert settings(server__base_url=f"http://{host}").server.base_url == f"http://{host}"


@pytest.mark.req("OPS-3")
@pytest.mark.parametrize("environment", ["production", "demo"])
def test_several_processes_need_redis(environment: str) -> None:
    (told,) = faults(storage__redis_url=None, server__workers=2, server__environment=environment)
    assert told.startswith("server.workers: several processes need storage.redis_url")
    assert settings(server__workers=2).server.workers == 2
    assert settings(storage__redis_url=None).server.workers == 1


def test_a_demonstration_may_use_the_sandbox() -> None:
    read = settings(
        server={"base_url": "http://127.0.0.1:8080", "environment": "demo", "simulator_url": "http://127.0.0.1:8081"},
        wechat__base_url="http://127.0.0.1:8081/wechat",
        authority__base_url="http://127.0.0.1:8081/authority",
    )
    assert read.server.environment == "demo"
