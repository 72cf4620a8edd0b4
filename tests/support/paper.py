"""Pages with forms as a browser without a script sees them: what is in the fields, what is said beside them.

Reads what any page with a form looks like; knows nothing of what a form is for.
"""

from __future__ import annotations

from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urlencode

from tests.support.browser import Browser
from tests.support.calls import Answer

URLENCODED: Final = "application/x-www-form-urlencoded"


class Paper(HTMLParser):
    """One page: the fields of its form, and the faults beside them."""

    def __init__(self, answer: Answer) -> None:
        """Read the page of ``answer``."""
        super().__init__()
        self.fields: dict[str, str] = {}
        """Every field's value, hidden ones and ticked boxes included."""
        self.kinds: dict[str, str] = {}
        """Every field's type."""
        self.buttons: list[str] = []
        """The buttons' ``act``, in order."""
        self.links: list[str] = []
        self.action = ""
        self.faults: dict[str, str] = {}
        """What is said beside each field that is wrong."""
        self.captcha = ""
        """The id of the captcha on the page."""
        self.heading = ""
        self._beside: str | None = None
        self._in_heading = False
        self.feed(answer.text)
        self.words = answer.text

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what is of a form."""
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "form":
            self.action = given.get("action", "")
        elif tag == "input" and name and (given.get("type") != "checkbox" or "checked" in given):
            self.fields[name] = given.get("value", "")
        elif tag == "button":
            self.buttons.append(given.get("value", ""))
        elif tag == "a":
            self.links.append(given.get("href", ""))
        elif tag == "img" and "data-captcha" in given:
            self.captcha = given["data-captcha"]
        elif "data-fault" in given and "hidden" not in given:
            self._beside = given["data-fault"]
            self.faults[self._beside] = ""
        elif tag == "h1":
            self._in_heading = True
        if tag == "input" and name:
            self.kinds[name] = given.get("type", "text")

    def handle_endtag(self, tag: str) -> None:
        """Stop listening."""
        if tag == "p":
            self._beside = None
        elif tag == "h1":
            self._in_heading = False

    def handle_data(self, data: str) -> None:
        """Read what is said."""
        if self._beside is not None:
            self.faults[self._beside] += data.strip()
        if self._in_heading:
            self.heading += data.strip()


async def post(browser: Browser, path: str, fields: Mapping[str, str], **more: str) -> Answer:
    """Post a form as a browser does."""
    sent = browser.headers(**({"Origin": browser.to.url, "Accept": "text/html"} | more)) | {"Content-Type": URLENCODED}
    answer = await browser.caller.send("POST", path, headers=sent, body=urlencode(fields).encode())
    return browser.keep(answer)
