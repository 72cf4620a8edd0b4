"""创蓝: short messages by two interfaces, below ``/chuanglan``.

v1 is sent whole texts under the account's password, v2 (云智) the values of a template under a signature. What is taken
lands in the sandbox's inbox at once, whatever ``sendtime`` says, and its report waits to be pulled; nothing is pushed.

It knows mobile numbers ``154dddddddd`` alone. ``15400000ccc`` is refused with the code ``ccc`` of the table, and
``15400001001`` to ``15400001005`` are taken but not reached: :data:`bjidp.sandbox.chuanglan.outbox.UNREACHED`.
"""

from __future__ import annotations

from aiohttp import web

from bjidp.sandbox.chuanglan.outbox import Outbox
from bjidp.sandbox.chuanglan.template import Templates
from bjidp.sandbox.chuanglan.text import Texts
from bjidp.sandbox.clock import Clock
from bjidp.sandbox.credentials import ChuanglanAccount
from bjidp.sandbox.entropy import Entropy
from bjidp.sandbox.inbox import Inbox
from bjidp.sandbox.settings import ChuanglanRules


class Chuanglan:
    """Chuanglan as one account sees it."""

    def __init__(
        self, *, clock: Clock, entropy: Entropy, account: ChuanglanAccount, rules: ChuanglanRules, inbox: Inbox
    ) -> None:
        """Serve ``account`` alone, and deliver to ``inbox``."""
        outbox = Outbox(clock=clock, entropy=entropy, rules=rules, inbox=inbox)
        self._texts = Texts(clock=clock, account=account, outbox=outbox)
        self._templates = Templates(clock=clock, account=account, rules=rules, outbox=outbox)

    def mount(self, app: web.Application) -> None:
        """Add Chuanglan's routes."""
        for path, call in (
            ("/chuanglan/msg/v1/send/json", self._texts.send),
            # Older, and still answered.
            ("/chuanglan/msg/send/json", self._texts.send),
            ("/chuanglan/msg/balance/json", self._texts.balance),
            ("/chuanglan/msg/pull/report", self._texts.pull_reports),
            ("/chuanglan/msg/sms/v2/tpl/send", self._templates.send),
        ):
            app.router.add_post(path, call)
