"""The sandbox's keys, and what its caller is told."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_private_key

from bjidp.sandbox.credentials import SandboxCredentials, default_credentials, private_pem
from bjidp.sandbox.openids import OpenIds


def test_keys_are_made_once_and_kept_for_their_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "sandbox"
    first = default_credentials(folder)
    again = default_credentials(folder)
    assert private_pem(first.alipay.app_key) == private_pem(again.alipay.app_key)
    assert private_pem(first.alipay.gateway_key) == private_pem(again.alipay.gateway_key)
    assert private_pem(first.alipay.app_key) != private_pem(first.alipay.gateway_key)
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert len(list(folder.iterdir())) == 2


def test_a_file_that_holds_no_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "alipay-app-key.pem").write_text("nothing")
    with pytest.raises(ValueError):
        default_credentials(tmp_path)


def test_the_caller_is_told_its_own_private_key_and_the_gateways_public_one(credentials: SandboxCredentials) -> None:
    told = credentials.client_settings("http://127.0.0.1:8081/")
    assert told.wechat.base_url == "http://127.0.0.1:8081/wechat"
    assert told.alipay.gateway_url == "http://127.0.0.1:8081/alipay/gateway.do"
    own = load_pem_private_key(told.alipay.app_private_key.encode(), password=None)
    assert own.public_key() == credentials.alipay.app_key.public_key()
    theirs = load_der_public_key(base64.b64decode(told.alipay.alipay_public_key))
    assert theirs == credentials.alipay.gateway_key.public_key()
    assert len(base64.b64decode(told.alipay.aes_key)) == 16


def test_an_openid_belongs_to_its_app_alone() -> None:
    ours, theirs = OpenIds("seed", "wechat", "wx1"), OpenIds("seed", "wechat", "wx2")
    open_id = ours.wechat("chen-yutong")
    assert ours.is_wechat(open_id)
    assert not theirs.is_wechat(open_id)
    assert open_id != theirs.wechat("chen-yutong")
    for wrong in ("", "o", open_id[:-1], open_id + "A", "p" + open_id[1:], open_id.swapcase()):
        assert not ours.is_wechat(wrong)
