"""国家政务服务平台, below ``/national``: a stand-in, since its own wire is told to nobody but who joins it.

It speaks as Beijing's platform does (:mod:`bjidp.sandbox.national.login`), which is the nearest that is public.
"""

from __future__ import annotations

from aiohttp import web

from bjidp.sandbox.clock import Clock
from bjidp.sandbox.credentials import WebClient
from bjidp.sandbox.entropy import Entropy
from bjidp.sandbox.national.login import Login
from bjidp.sandbox.people import People
from bjidp.sandbox.settings import NationalRules


class National:
    """The platform as one site sees it."""

    def __init__(
        self,
        *,
        clock: Clock,
        entropy: Entropy,
        client: WebClient,
        openid_seed: str,
        rules: NationalRules,
        people: People,
        host: str,
    ) -> None:
        """Serve ``client``, whose site is at ``host``."""
        self._login = Login(
            clock=clock,
            entropy=entropy,
            client=client,
            openid_seed=openid_seed,
            rules=rules,
            people=people,
            host=host,
        )

    def mount(self, app: web.Application) -> None:
        """Add the platform's routes."""
        self._login.mount(app)
