"""How the city's own interface fails: a number and a text in ``meta`` (RP-5).

Owns the numbers. Of the platform that sites are integrated with two are known: 0 for success and 59999 for an unknown
failure; sites treat every other number alike. Texts are for the site's developer: what was sent is never repeated.
"""

from __future__ import annotations

from typing import ClassVar


class BeijingError(Exception):
    """A failure as the interface tells it."""

    number: ClassVar[int]
    text: ClassVar[str]


class Malformed(BeijingError):
    """A parameter is missing, came twice, or has another form than the interface's."""

    number = 50001
    text = "参数缺失、重复或格式不正确"


class ClientRefused(BeijingError):
    """The client is unknown, or its ``auth_token`` is not its own, too old, or came before: one and the same answer."""

    number = 50002
    text = "client_id或auth_token无效"


class CodeRefused(BeijingError):
    """The code is unknown, spent, over or another client's: one and the same answer."""

    number = 50003
    text = "grant_code无效、已使用或已过期"


class TokenRefused(BeijingError):
    """The access token is unknown or over, or whoever it is about is logged in no more."""

    number = 50004
    text = "access_token无效或已过期"


class Busy(BeijingError):
    """Too many wrong answers from one address, or a store that is down: to be asked again later."""

    number = 50005
    text = "请求过于频繁或服务暂不可用，请稍后再试"


class Unknown(BeijingError):
    """What should not happen; the one failure whose number sites know beforehand."""

    number = 59999
    text = "未知异常"
