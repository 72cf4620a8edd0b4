"""Where the tokens of a terminal are kept."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from bjidp.terminal.keeping import FileKeeper, Keeper, Kept, NotKept, RingKeeper, open_keeper, system_ring

pytestmark = pytest.mark.req("RP-3")

KEPT = Kept(
    issuer="https://id.example",
    client_id="bjidp-login",
    scope="openid",
    access_token="access",
    expires_at=1_800_000_000,
    refresh_token="refresh",
)


class Ring:
    """A keyring in memory."""

    def __init__(self, priority: float = 5) -> None:
        self.priority = priority
        self.entries: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise RuntimeError(f"the collection of {username} is locked")
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.get_password(service, username)
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.entries[service, username]


@pytest.fixture(params=["ring", "file"])
def keeper(request: pytest.FixtureRequest, tmp_path: Path) -> Keeper:
    return open_keeper(tmp_path / "tokens", Ring() if request.param == "ring" else None)


def test_tokens_are_found_as_they_were_kept_each_under_its_server_and_client(keeper: Keeper) -> None:
    other = replace(KEPT, issuer="https://other.example", refresh_token=None)
    keeper.keep(KEPT)
    keeper.keep(other)
    assert keeper.find(KEPT.issuer, KEPT.client_id) == KEPT
    assert keeper.find(other.issuer, KEPT.client_id) == other
    assert keeper.find(KEPT.issuer, "another") is None


def test_newer_ones_take_the_place_of_older_ones(keeper: Keeper) -> None:
    keeper.keep(KEPT)
    keeper.keep(replace(KEPT, access_token="newer"))
    found = keeper.find(KEPT.issuer, KEPT.client_id)
    assert found is not None
    assert found.access_token == "newer"


def test_forgetting_twice_is_as_good_as_once(keeper: Keeper) -> None:
    keeper.keep(KEPT)
    for _ in range(2):
        keeper.forget(KEPT.issuer, KEPT.client_id)
        assert keeper.find(KEPT.issuer, KEPT.client_id) is None


def test_a_file_is_its_owners_alone_whatever_lay_there_before(tmp_path: Path) -> None:
    folder = tmp_path / "tokens"
    before = os.umask(0)
    try:
        FileKeeper(folder).keep(KEPT)
    finally:
        os.umask(before)
    [path] = folder.iterdir()
    assert (path.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)
    target = tmp_path / "elsewhere"
    path.unlink()
    path.symlink_to(target)
    FileKeeper(folder).keep(KEPT)
    assert not target.exists(), "no link is followed"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(folder.iterdir()) == [path], "nothing is left over"


def test_what_cannot_be_kept_or_read_is_said_without_the_tokens(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file in the place of a folder")
    with pytest.raises(NotKept, match=re.escape("kept.not")) as refused:
        FileKeeper(tmp_path / "taken").keep(KEPT)
    assert "access" not in str(refused.value)
    folder = tmp_path / "tokens"
    FileKeeper(folder).keep(KEPT)
    [path] = folder.iterdir()
    path.write_text("{}")
    with pytest.raises(NotKept, match=re.escape("kept.damaged")):
        FileKeeper(folder).find(KEPT.issuer, KEPT.client_id)
    ring = Ring()
    ring.locked = True
    with pytest.raises(NotKept) as silent:
        RingKeeper(ring).keep(KEPT)
    assert (silent.value.key, silent.value.values) == ("kept.ring", {"why": "RuntimeError"})


@pytest.mark.parametrize(("priority", "kind"), [(0, FileKeeper), (0.5, FileKeeper), (1, RingKeeper), (5, RingKeeper)])
def test_a_keyring_that_keeps_nothing_or_in_the_clear_is_none(
    tmp_path: Path, priority: float, kind: type[Keeper]
) -> None:
    assert isinstance(open_keeper(tmp_path, Ring(priority)), kind)


def test_the_users_own_keyring_is_asked_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    own = Ring()
    monkeypatch.setattr("keyring.get_keyring", lambda: own)
    assert system_ring() is own
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert system_ring() is None


def test_tokens_are_in_no_representation() -> None:
    assert "access" not in repr(KEPT)
