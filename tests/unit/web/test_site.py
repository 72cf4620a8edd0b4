"""The base URL: what is taken, what follows from it, and the one Origin it allows."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from bjidp.qrlogin.errors import OriginRefused
from bjidp.site import BaseUrlFault, Site, read_base_url
from bjidp.web.http.cookies import Cookies
from bjidp.web.http.origin import require_origin, require_same_site_read

ID = read_base_url("https://id.example.com")


@pytest.mark.parametrize(
    ("text", "url", "host", "port"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080", "127.0.0.1", 8080),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080", "127.0.0.1", 8080),
        ("https://id.example.com", "https://id.example.com", "id.example.com", 443),
        ("https://id.example.com:443", "https://id.example.com", "id.example.com", 443),
        ("https://id.example.com:8443", "https://id.example.com:8443", "id.example.com", 8443),
        ("HTTPS://ID.Example.COM", "https://id.example.com", "id.example.com", 443),
        ("http://localhost:80", "http://localhost", "localhost", 80),
        ("http://[::1]:8080", "http://[::1]:8080", "[::1]", 8080),
        ("http://[::1]", "http://[::1]", "[::1]", 80),
        ("https://xn--fiq228c.example", "https://xn--fiq228c.example", "xn--fiq228c.example", 443),
    ],
)
def test_a_base_url_is_read_as_browsers_write_origins(text: str, url: str, host: str, port: int) -> None:
    site = read_base_url(text)
    assert (site.url, site.host, site.port) == (url, host, port)
    assert site.is_own_origin(url)
    assert site.authority == url.partition("://")[2]
    assert site.qr_prefix == f"{url}/q/"


@pytest.mark.req("OPS-2")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "id.example.com",
        "//id.example.com",
        "ftp://id.example.com",
        "javascript://id.example.com",
        "https://",
        "https:///path",
        "https://id.example.com/login",
        "https://id.example.com?x=1",
        "https://id.example.com#x",
        "https://user@id.example.com",
        "https://user:password@id.example.com",
        "https://id.example.com:http",
        "https://id.example.com:70000",
        "https://id.example.com:0",
        "https://[::1",
        "https://id example.com",
        "https://id.example.com\n",
        "https://北京.example",
        "https://id.example.com\\@evil.example",
        "https://id_.example.com%2fx",
    ],
)
def test_anything_else_is_refused_in_words(text: str) -> None:
    with pytest.raises(BaseUrlFault, match="base URL"):
        read_base_url(text)


@pytest.mark.attack("T2")
def test_cookies_over_https_are_bound_to_the_host() -> None:
    cookies = Cookies(ID)
    assert (cookies.browser, cookies.session) == ("__Host-bjidp_browser", "__Host-bjidp_session")


def test_cookies_over_http_end_in_the_port() -> None:
    cookies = Cookies(read_base_url("http://127.0.0.1:8080"))
    assert (cookies.browser, cookies.session) == ("bjidp_browser_8080", "bjidp_session_8080")
    assert Cookies(read_base_url("http://localhost")).browser == "bjidp_browser_80"


# --------------------------------------------------------------------------------------------------------------- Origin


@pytest.mark.attack("W1", "W2", "W3", "W4")
@pytest.mark.parametrize(
    "origin",
    [
        None,
        "",
        "null",
        "https://id.example.com/",
        "https://id.example.com.",
        "https://id.example.com:443",
        "https://id.example.com:8443",
        "https://ID.example.com",
        "HTTPS://id.example.com",
        "http://id.example.com",
        "https://id.example.com.evil.com",
        "https://evilid.example.com",
        "https://x.id.example.com",
        "https://example.com",
        "https://other.example.com",
        "https://id.example.com@evil.com",
        "https://id.example.com https://evil.com",
        "https://evil.com https://id.example.com",
        "https://id.example.com,https://evil.com",
        " https://id.example.com",
        "id.example.com",
        "//id.example.com",
    ],
)
def test_nothing_that_looks_like_our_origin_is_it(origin: str | None) -> None:
    assert not ID.is_own_origin(origin)


@pytest.mark.attack("W2")
@given(st.text())
def test_no_other_text_is_our_origin(text: str) -> None:
    assert ID.is_own_origin(text) == (text == "https://id.example.com")


@pytest.mark.attack("W2")
@given(st.integers(0, 21), st.characters(), st.sampled_from(["insert", "replace", "remove"]))
def test_no_single_change_of_our_origin_is_it(at: int, character: str, change: str) -> None:
    url = ID.url
    kept = url[at + 1 :] if change != "insert" else url[at:]
    changed = url[:at] + ("" if change == "remove" else character) + kept
    assert ID.is_own_origin(changed) == (changed == url)


@pytest.mark.attack("W1")
@pytest.mark.parametrize(
    ("origins", "own"), [(["{}"], True), ([], False), (["{}", "{}"], False), (["https://evil.com", "{}"], False)]
)
def test_an_origin_is_there_once(origins: list[str], own: bool) -> None:
    request = make_mocked_request("POST", "/", headers=[("Origin", origin.format(ID.url)) for origin in origins])
    if own:
        require_origin(ID, request)
    else:
        with pytest.raises(OriginRefused):
            require_origin(ID, request)


@pytest.mark.attack("Q28")
@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"Origin": "https://id.example.com"}, True),
        ({"Origin": "https://id.example.com", "Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": ""}, False),
        ({"Origin": "https://evil.com", "Sec-Fetch-Site": "same-origin"}, False),
        ({"Origin": "https://id.example.com", "Sec-Fetch-Site": "cross-site"}, False),
        ({"Origin": ""}, False),
    ],
)
def test_a_read_needs_no_origin_but_no_other_either(headers: dict[str, str], allowed: bool) -> None:
    request = make_mocked_request("GET", "/", headers=headers)
    if allowed:
        require_same_site_read(ID, request)
    else:
        with pytest.raises(OriginRefused):
            require_same_site_read(ID, request)


def test_a_site_is_compared_by_value() -> None:
    assert read_base_url("https://id.example.com:443/") == ID == Site(ID.url, "https", "id.example.com", 443)
