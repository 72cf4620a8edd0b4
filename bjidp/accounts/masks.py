"""How a personal value is shown: enough for its owner to recognise it, the same width for everybody (ACC-1).

Owns every mask of pages, answers and messages. Pure. A mask's width never tells the length of what it hides, and
at most a third of a short value is shown.
"""

from __future__ import annotations

import unicodedata

from bjidp.accounts.username import is_system_username

_PHONE_WIDTH = 11
_USERNAME_WIDTH = 13
_DOCUMENT_WIDTH = 15
_SHOWN_OF_SYSTEM_NAME = 7


def mask_name(name: str) -> str:
    """Show the first character and two stars: 张三 and 欧阳娜娜 become 张** and 欧**.

    A character is what the reader sees as one: variation selectors and combining marks stay with it.
    """
    name = name.strip()
    end = 1
    while end < len(name) and unicodedata.category(name[end]).startswith("M"):
        end += 1
    return (name[:end] or "*") + "**"


def mask_phone(number: str) -> str:
    """Show three digits and four of a number as long as a mobile one (150****7931), of a shorter one the last two."""
    if len(number) >= _PHONE_WIDTH:
        return number[:3] + _tail(number, 4, _PHONE_WIDTH - 3)
    return _tail(number, 2, _PHONE_WIDTH)


def mask_username(username: str) -> str:
    """Show the last seven characters of a name made by the system, of a chosen one the first and the last."""
    if is_system_username(username):
        return _tail(username, _SHOWN_OF_SYSTEM_NAME, _USERNAME_WIDTH)
    return username[:1] + _tail(username, 1, _USERNAME_WIDTH - len(username[:1]))


def mask_mail(address: str) -> str:
    """Show the first character and where the post office is: z***@example.com."""
    name, _, host = address.rpartition("@")
    return f"{name[:1]}***@{host}"


def mask_document(number: str) -> str:
    """Show the last four characters of a number of twelve or more, of a shorter one the last two."""
    shown = 4
    return _tail(number, shown if len(number) >= 3 * shown else 2, _DOCUMENT_WIDTH)


def _tail(text: str, shown: int, width: int) -> str:
    """Return the last ``shown`` characters after stars, ``width`` in all; only stars where that shows too much."""
    if len(text) < shown + 4:
        return "*" * width
    return "*" * (width - shown) + text[-shown:]
