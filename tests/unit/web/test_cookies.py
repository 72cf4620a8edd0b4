"""Reading our two cookies out of what a browser sends, whatever else it sends."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request

from bjidp.site import read_base_url
from bjidp.web.http.cookies import Cookies

COOKIES = Cookies(read_base_url("http://127.0.0.1:8080"))
OURS = "bjidp_session_8080"


@pytest.mark.parametrize(
    ("headers", "read"),
    [
        ([], None),
        ([""], None),
        ([";"], None),
        ([OURS], ""),
        ([f"{OURS}="], ""),
        ([f"{OURS}=abc"], "abc"),
        ([f"theme=dark; {OURS}=abc; lang=zh"], "abc"),
        ([f"theme=dark;{OURS}=abc;lang=zh"], "abc"),
        ([f"  {OURS} =  abc  "], "abc"),
        (["theme=dark", f"{OURS}=abc"], "abc"),
        ([f"{OURS}=abc", "theme=dark"], "abc"),
        ([f"{OURS}=first; {OURS}=last"], "last"),
        ([f"{OURS}=first", f"{OURS}=last"], "last"),
        ([f"{OURS}=first; {OURS}="], ""),
        ([f"x{OURS}=abc"], None),
        ([f"{OURS}x=abc"], None),
        ([f"x {OURS}=abc"], None),
        ([OURS.upper() + "=abc"], None),
        ([f"theme={OURS}=abc"], None),
        ([f"{OURS}=a=b=="], "a=b=="),
        # No value of ours has quotes, so what has them is none of ours, and is found by no digest.
        ([f'{OURS}="abc"'], '"abc"'),
        ([f'theme="; {OURS}=abc"'], 'abc"'),
        ([f"bjidp_session_9090=other; {OURS}=abc"], "abc"),
        ([f"__Host-bjidp_session=other; {OURS}=abc"], "abc"),
    ],
)
def test_the_last_cookie_of_exactly_our_name_is_read_as_it_is(headers: list[str], read: str | None) -> None:
    request = make_mocked_request("GET", "/", headers=[("Cookie", header) for header in headers])
    assert COOKIES.session_cookie(request) == read
    assert COOKIES.browser_secret(request) is None


@pytest.mark.attack("T2")
def test_over_https_a_cookie_that_a_sibling_host_could_plant_is_not_read() -> None:
    request = make_mocked_request("GET", "/", headers=[("Cookie", "bjidp_browser=a; bjidp_session=b")])
    cookies = Cookies(read_base_url("https://id.example.com"))
    assert (cookies.browser_secret(request), cookies.session_cookie(request)) == (None, None)


@pytest.mark.attack("T2", "W3")
@pytest.mark.parametrize("blank", list("\x0b\x0c\x1c\x1f\x85\xa0\u1680\u2000\u2028\u3000"))
@pytest.mark.parametrize("where", ["{blank}{name}", "{name}{blank}"])
def test_a_name_that_only_looks_like_ours_is_not_ours(blank: str, where: str) -> None:
    planted = where.format(blank=blank, name=OURS)
    for header, read in ((f"{OURS}=own; {planted}=planted", "own"), (f"{planted}=planted", None)):
        request = make_mocked_request("GET", "/", headers=[("Cookie", header)])
        assert COOKIES.session_cookie(request) == read
