"""The town of every test that has the whole program in its own process: what outlives one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from itertools import cycle
from unittest.mock import patch

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from bjidp.bootstrap import front, pages, qr, rooms, verification
from bjidp.qrlogin.matrix import Basis
from bjidp.sandbox.credentials import default_credentials
from bjidp.secret import Secret
from bjidp.storage.sql.migrations import migrate
from bjidp.vendors.alipay import signing
from bjidp.vendors.rsa_keys import read_private_key
from bjidp.verification.captcha_picture import draw
from bjidp.web.help import HelpPages
from bjidp.web.http.calls import Call
from bjidp.web.pages.assets import StaticFiles
from bjidp.web.pages.rendering import Renderer
from bjidp.web.server import openapi
from bjidp.web.words.texts import Texts
from tests.support.members import CHEAP
from tests.support.program import Town


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """What outlives one test.

    What a server makes of its own files at start is the same for every server of this run, and takes 0.4 s: it is made
    once. Hashes cost next to nothing here, and captchas have one of two pictures: what they cost elsewhere and how
    they look is held by ``tests/unit``.
    """
    folder = tmp_path_factory.mktemp("web")
    schema = folder / "schema.sqlite"
    migrate(f"sqlite:///{schema}")
    town = Town(folder, schema, default_credentials(None))
    with ExitStack() as once:
        once.enter_context(patch.object(qr, "Basis", cache(Basis)))
        once.enter_context(patch.object(front, "Renderer", cache(Renderer)))
        once.enter_context(patch.object(Texts, "load", cache(Texts.load)))
        once.enter_context(patch.object(StaticFiles, "load", cache(StaticFiles.load)))
        once.enter_context(patch.object(StaticFiles, "including", cache(StaticFiles.including)))
        once.enter_context(patch.object(pages, "HelpPages", cache(HelpPages)))
        once.enter_context(patch.object(openapi, "describe", _described_once()))
        once.enter_context(patch.object(signing, "read_private_key", _read_once()))
        once.enter_context(patch.object(verification, "Cost", lambda: CHEAP))
        pictures = cycle([draw("0000"), draw("1111")])
        once.enter_context(patch.object(rooms, "draw", lambda _: next(pictures)))
        yield town
    town.close()


def _read_once() -> Callable[[Secret], RSAPrivateKey]:
    """Return what reads the same key again in no time: to look whether it is one takes 25 ms."""
    known: dict[bytes, RSAPrivateKey] = {}

    def read(private_key: Secret) -> RSAPrivateKey:
        material = private_key.reveal()
        if material not in known:
            known[material] = read_private_key(private_key)
        return known[material]

    return read


def _described_once() -> Callable[..., bytes]:
    """Return what describes the same calls of another server in no time."""
    describe = openapi.describe
    known: dict[tuple[str, ...], bytes] = {}

    def described(calls: tuple[Call, ...], *, version: str, url: str, browser_cookie: str) -> bytes:
        key = (url, browser_cookie, *(f"{call.method} {call.path}" for call in calls))
        if key not in known:
            known[key] = describe(calls, version=version, url=url, browser_cookie=browser_cookie)
        return known[key]

    return described
