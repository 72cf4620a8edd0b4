"""Reading our two cookies out of what a browser sends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from bjidp.site import read_base_url
from bjidp.web.cookies import Cookies

COOKIES = Cookies(read_base_url("https://id.example.com"))
NAME = "__Host-bjidp_session"


def session(*headers: str) -> str | None:
    fields: Sequence[tuple[str, str]] = [("Cookie", header) for header in headers]
    request: web.Request = make_mocked_request("GET", "/", headers=cast("dict[str, str]", fields))
    return COOKIES.session_cookie(request)


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ([], None),
        ([""], None),
        (["other=1"], None),
        ([f"{NAME}=abc"], "abc"),
        ([f"other=1; {NAME}=abc; more=2"], "abc"),
        ([f"other=1;{NAME}=abc;"], "abc"),
        ([f"\t{NAME} = abc "], "abc"),
        ([f"{NAME}=a=b="], "a=b="),
        ([f"{NAME}="], ""),
        ([NAME], ""),
        ([f"{NAME}=first; {NAME}=last"], "last"),
        (["other=1", f"{NAME}=abc"], "abc"),
        ([f"{NAME}=first", f"{NAME}=last"], "last"),
        ([f"x{NAME}=abc"], None),
        ([f"{NAME}x=abc"], None),
        (["__host-bjidp_session=abc"], None),
        (["bjidp_session=abc"], None),
        ([f'{NAME}="abc"'], '"abc"'),
    ],
)
def test_the_last_cookie_of_our_very_name_is_read(headers: list[str], found: str | None) -> None:
    assert session(*headers) == found


@pytest.mark.attack("T2", "W3")
@pytest.mark.parametrize("blank", list("\x0b\x0c\x1c\x1f\x85\xa0\u1680\u2000\u2028\u3000"))
@pytest.mark.parametrize("where", ["{blank}{name}", "{name}{blank}"])
def test_a_name_that_only_looks_like_ours_is_not_ours(blank: str, where: str) -> None:
    planted = where.format(blank=blank, name=NAME)
    assert session(f"{NAME}=own; {planted}=planted") == "own"
    assert session(f"{planted}=planted") is None
