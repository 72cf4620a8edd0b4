"""The configuration that the demo writes for its server."""

from __future__ import annotations

import stat

import pytest

from bjidp.config.loader import load
from bjidp.demo.place import Place, write_config
from bjidp.sandbox.credentials import default_credentials


@pytest.mark.req("OPS-1")
def test_the_configuration_the_demo_writes_is_one_the_server_takes(place: Place) -> None:
    path = write_config(place, default_credentials(None).client_settings(place.sandbox))
    settings = load(path, {})
    assert settings.server.environment == "demo"
    assert settings.server.base_url == "http://127.0.0.1:9000"
    assert settings.server.listen_port == 9000
    assert settings.server.simulator_url == "http://127.0.0.1:9001"
    assert settings.server.portal_url == "http://localhost:9002/"
    assert settings.wechat is not None
    assert settings.alipay is not None
    assert settings.baidu is not None
    assert settings.chuanglan is not None
    assert "PRIVATE KEY" in settings.alipay.private_key.text()


@pytest.mark.req("OPS-1")
def test_the_demo_keeps_its_root_key_and_reads_only_by_its_owner(place: Place) -> None:
    vendors = default_credentials(None).client_settings(place.sandbox)
    first = load(write_config(place, vendors), {}).keys.roots["1"]
    second = load(write_config(place, vendors), {}).keys.roots["1"]
    assert first == second
    for file in place.data.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name


@pytest.mark.req("OPS-2")
def test_the_demos_configuration_is_no_production_configuration(place: Place) -> None:
    path = write_config(place, default_credentials(None).client_settings(place.sandbox))
    path.write_text(path.read_text().replace('environment = "demo"', 'environment = "production"'))
    with pytest.raises(Exception, match="production needs the real service"):
        load(path, {})
