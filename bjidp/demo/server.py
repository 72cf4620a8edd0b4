"""The server of a demonstration: the ordinary one, which tells the sandbox what its captchas show.

Owns the one way by which an answer leaves a server. Started by ``running``, and by tests that have to get past a
captcha, as ``python -m bjidp.demo.server``; no command of ``bjidp`` starts it, no setting stands for it, and
``bootstrap`` refuses it anywhere but in a demonstration.
"""

from __future__ import annotations

import argparse
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from bjidp.bootstrap import Witnessing
from bjidp.commands.faults import faults_in_words, silence_in_words
from bjidp.commands.log import log_to_stderr
from bjidp.config.environment import system_environment
from bjidp.config.loader import load
from bjidp.errors import VendorUnavailable
from bjidp.serving.server import serve
from bjidp.vendors.catalog import HttpClients
from bjidp.vendors.http import HttpLimits
from bjidp.verification.captchas import Witness

LIMITS: Final = HttpLimits(total=2.0)
"""A page waits for this."""


def main(arguments: list[str] | None = None) -> None:
    """Serve, as ``bjidp serve`` does."""
    parser = argparse.ArgumentParser(prog="bjidp.demo.server", description="The server of a demonstration.")
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the TOML file")
    parser.add_argument("--sandbox", required=True, metavar="URL", help="is told what captchas show")
    parser.add_argument("--worker", type=int, metavar="FD", help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    log_to_stderr()
    with faults_in_words():
        settings = load(chosen.config, system_environment())
        with silence_in_words(settings):
            serve(
                settings,
                chosen.config,
                worker=chosen.worker,
                program=("bjidp.demo.server", "--sandbox", chosen.sandbox),
                witnessing=telling(chosen.sandbox),
            )


def telling(sandbox: str) -> Witnessing:
    """Return what tells a ``sandbox`` the answers of captchas; where it does not hear, no page is held up."""

    def opened(http: HttpClients) -> Witness:
        control = http.open("sandbox", sandbox, LIMITS)

        async def tell(captcha: str, answer: str) -> None:
            body = msgspec.json.encode({"id": captcha, "answer": answer})
            # Logged by the client; whoever sees the page can read the picture all the same.
            with suppress(VendorUnavailable):
                await control.json("captcha", "POST", "/control/captcha", dict[str, str], body=body)

        return tell

    return opened


if __name__ == "__main__":
    main()
