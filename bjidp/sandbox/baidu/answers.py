"""The shape of Baidu's answers: JSON with status 200, and errors in a dialect for each product and age.

The smart program's newer address says ``errno`` beside ``error``; the OAuth server and the older address say ``error``
and ``error_description``; the face service says ``error_code`` for a bad token and ``success: false`` for the rest.
"""

from __future__ import annotations

import json
from typing import Any, Final, TypeAlias

from aiohttp import web

Answer: TypeAlias = dict[str, Any]

MISSING_PARAMETER: Final = 10010100
"""The one number of the newer table that its public documents show."""
OTHER_ERRNO: Final = 10019999
"""Stands for the numbers that are not public: a caller that looks for a certain one will not find it."""


class BaiduError(Exception):
    """Baidu refuses with this body."""

    def __init__(self, body: Answer) -> None:
        """Answer with ``body``."""
        super().__init__()
        self.body = body


def reply(answer: Answer) -> web.Response:
    """Write an answer."""
    return web.Response(text=json.dumps(answer, ensure_ascii=False), content_type="application/json")


async def fields(request: web.Request) -> dict[str, str]:
    """Return the fields of the query and, of a POST, the form, which counts where both name one."""
    found = dict(request.query)
    if request.method == "POST":
        found.update({name: value for name, value in (await request.post()).items() if isinstance(value, str)})
    return found


def oauth_error(error: str, description: str) -> BaiduError:
    """Return a refusal in the OAuth shape."""
    return BaiduError({"error": error, "error_description": description})


def errno_error(errno: int, error: str, description: str) -> BaiduError:
    """Return a refusal in the newer shape."""
    return BaiduError({"errno": errno, "error": error, "error_description": description})
