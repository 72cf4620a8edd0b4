"""国家政务服务平台, below ``/national``: a stand-in, since its own wire is told to nobody but who joins it.

It speaks as Beijing's platform does (:mod:`bjidp.sandbox.national.login`), which is the nearest that is public, and
makes users in a manner of its own (:mod:`bjidp.sandbox.national.register`).
"""

from __future__ import annotations

from aiohttp import web

from bjidp.sandbox.clock import Clock
from bjidp.sandbox.credentials import WebClient
from bjidp.sandbox.entropy import Entropy
from bjidp.sandbox.national.caller import Caller
from bjidp.sandbox.national.login import Login
from bjidp.sandbox.national.register import Register
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
        caller = Caller(clock=clock, client=client, rules=rules)
        self._register = Register(caller=caller, entropy=entropy, rules=rules, people=people)
        self._login = Login(
            clock=clock,
            entropy=entropy,
            client=client,
            caller=caller,
            openid_seed=openid_seed,
            rules=rules,
            people=people,
            host=host,
        )

    def mount(self, app: web.Application) -> None:
        """Add the platform's routes."""
        self._login.mount(app)
        self._register.mount(app)

    def registered(self) -> list[str]:
        """Return the caller's references of the users it made, oldest first."""
        return self._register.registered()
