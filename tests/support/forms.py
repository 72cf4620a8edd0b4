"""Forms on pages, as a person fills them in: what a form holds already, what is typed over it, and how it is sent.

Owns the reading of HTML and the encoding of a form's body, so that a test speaks to any server by its address alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from urllib.parse import urlencode

from tests.support.browser import Browser
from tests.support.calls import Answer

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class WebForm:
    """A form of a page: where it goes, and what it holds."""

    action: str
    values: dict[str, str] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    fields: list[str] = field(default_factory=list)
    """The names of what a person can fill in, in order."""
    acts: list[str] = field(default_factory=list)
    """The names of its buttons that have one."""

    @property
    def captcha(self) -> str:
        """The id of the captcha it shows."""
        return self.values["captcha_id"]

    def typed(self, **values: str) -> WebForm:
        """Return the form with more typed into it."""
        return replace(self, values={**self.values, **values})


def forms(answer: Answer) -> list[WebForm]:
    """Return the forms of a page, in their order."""
    reader = _Reader()
    reader.feed(answer.text)
    return reader.found


def form_of(answer: Answer, action: str) -> WebForm:
    """Return the form of a page that goes to ``action``."""
    found = [form for form in forms(answer) if form.action.partition("?")[0] == action]
    assert len(found) == 1, (action, answer.status, answer.text)
    return found[0]


def note(answer: Answer) -> str:
    """Return what a page says about its form as a whole."""
    found = re.search(r"data-note[^>]*>(.*?)</div>", answer.text, re.DOTALL)
    return "" if found is None else re.sub(r"<[^>]*>|\s+", " ", found[1]).strip()


def heading(answer: Answer) -> str:
    """Return a page's heading; empty if it has none."""
    found = re.search(r"<h1[^>]*>([^<]*)</h1>", answer.text)
    return "" if found is None else found[1]


def links(answer: Answer) -> set[str]:
    """Return where a page leads."""
    return set(re.findall(r'<a[^>]* href="([^"]*)"', answer.text))


async def send(browser: Browser, form: WebForm, act: str = "", **more: str) -> Answer:
    """Press a button of the form: its first one, or the one that is named ``act``."""
    return await post(browser, form.action, form.values | ({"act": act} if act else {}), **more)


async def post(browser: Browser, path: str, fields: Mapping[str, str], **more: str) -> Answer:
    """Post fields to a page, whatever page is open; ``more`` are headers."""
    return await post_raw(browser, path, urlencode(fields).encode(), **more)


async def post_raw(browser: Browser, path: str, body: bytes, kind: str = FORM, **more: str) -> Answer:
    """Post bytes in the place of a form."""
    headers = browser.headers(**({"Origin": browser.to.url, "Accept": "text/html"} | more)) | {"Content-Type": kind}
    return browser.keep(await browser.caller.send("POST", path, headers=headers, body=body))


async def upload(browser: Browser, form: WebForm, files: Mapping[str, tuple[str, bytes]], **more: str) -> Answer:
    """Press the first button of a form with files; ``files`` are names and bytes by field."""
    kind, body = multipart([*form.values.items()], [(field, *file) for field, file in files.items()])
    return await post_raw(browser, form.action, body, kind, **more)


def multipart(
    fields: Sequence[tuple[str, str]],
    files: Sequence[tuple[str, str, bytes]] = (),
    boundary: str = "----WebKitFormBoundaryA1",
) -> tuple[str, bytes]:
    """Return a form with files as a browser sends it: its type, and its body."""
    out = b""
    for name, value in fields:
        out += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    for name, filename, data in files:
        said = filename.replace('"', "%22")
        out += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{said}"\r\n'.encode()
        out += b"Content-Type: application/octet-stream\r\n\r\n" + data + b"\r\n"
    return f"multipart/form-data; boundary={boundary}", out + f"--{boundary}--\r\n".encode()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[WebForm] = []
        self._open = False
        self._fault = ""
        self._select = ""
        self._written = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag == "form" and said.get("method") == "post":
            self.found.append(WebForm(said.get("action") or ""))
            self._open = True
        name = said.get("name")
        left = said.get("type") == "file" or (said.get("type") in {"checkbox", "radio"} and "checked" not in said)
        if self._open and tag == "input" and name and not left:
            self.found[-1].values[name] = said.get("value") or ""
        fillable = tag in {"select", "textarea"} or (tag == "input" and said.get("type") != "hidden")
        if self._open and fillable and name and name not in self.found[-1].fields:
            self.found[-1].fields.append(name)
        if self._open and tag == "textarea":
            self._written = name or ""
            self.found[-1].values[self._written] = ""
        if self._open and tag == "select":
            self._select = name or ""
        # The first option stands until another one is marked.
        if self._select and tag == "option" and ("selected" in said or self._select not in self.found[-1].values):
            self.found[-1].values[self._select] = said.get("value") or ""
        if self._open and tag == "button" and name == "act":
            self.found[-1].acts.append(said.get("value") or "")
        if self._open and "data-fault" in said and "hidden" not in said:
            self._fault = said["data-fault"] or ""

    def handle_endtag(self, tag: str) -> None:
        self._fault = ""
        if tag == "select":
            self._select = ""
        if tag == "textarea":
            self._written = ""
        if tag == "form":
            self._open = False

    def handle_data(self, data: str) -> None:
        if self._fault:
            self.found[-1].faults[self._fault] = data.strip()
        if self._written:
            # The first end of a line is the page's own.
            self.found[-1].values[self._written] += data.removeprefix("\n")
