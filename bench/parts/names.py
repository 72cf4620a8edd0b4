"""Names that somebody has and names that nobody has: whether the time of an answer tells them apart (attack R1).

Each name is used once, at random which kind comes next, one request at a time, each in a browser and in a network of
its own: what an attacker would see who asks about one name after the other, without the noise of a network.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from bench.client import Connection
from bench.extent import Extent
from bench.forms import Visitor
from bench.house import phone_number, username
from bench.ranks import ERRORS, superiority
from bench.servers import MEMBERS, FormServers
from bench.table import Found, Line, progress

NOBODY: Final = 800_000
"""Numbers that no member has."""

STEP: Final = 0.004

FIRST_VISITOR: Final = 8000
"""So that nobody has been in these networks before."""


class Question(NamedTuple):
    """What is asked about a name: a page, and its form filled in."""

    name: str
    page: str
    form: str
    phone: bool
    status: int
    typed: Callable[[int], dict[str, str]]


QUESTIONS: Final = (
    Question(
        "a wrong password",
        "/h5/login?tab=password",
        "/h5/login",
        phone=True,
        status=422,
        typed=lambda number: {"account": username(number), "password": "Wrong-horse8", "agreed": "yes"},
    ),
    Question(
        "a code to log in",
        "/h5/login?tab=code",
        "/h5/login/code",
        phone=True,
        status=200,
        typed=lambda number: {"phone": phone_number(number), "act": "code"},
    ),
    Question(
        "a recovery",
        "/recover",
        "/recover",
        phone=False,
        status=303,
        typed=lambda number: {"account": username(number)},
    ),
)


async def measure(servers: FormServers, extent: Extent) -> Found:
    lines: list[Line] = []
    figures: dict[str, object] = {}
    for place, question in enumerate(QUESTIONS):
        progress(f"{question.name}: {extent.strangers} names that somebody has, {extent.strangers} that nobody has")
        first = FIRST_VISITOR + place * 2 * extent.strangers
        known, unknown = await _asked(servers, question, extent.strangers, first)
        found = superiority(known, unknown)
        figures[f"names, {question.name}"] = {"known": known, "unknown": unknown, "superiority": found._asdict()}
        own, other = statistics.median(known), statistics.median(unknown)
        lines.append(
            Line(
                f"{question.name}, name known against unknown (medians)",
                f"{own / other:.3f}",
                f"AUC {found.chance:.3f}",
                f"0.5 +- {ERRORS * found.error:.3f}",
                not found.told_apart,
                f"{own * 1e3:.2f} ms",
                f"{other * 1e3:.2f} ms (unknown)",
            )
        )
    return Found(lines, figures)


async def _asked(servers: FormServers, question: Question, count: int, first: int) -> tuple[list[float], list[float]]:
    """Return the seconds of the answers for names that somebody has, and for names that nobody has."""
    somebody = [(True, MEMBERS + number) for number in range(count)]
    nobody = [(False, NOBODY + number) for number in range(count)]
    asked = somebody + nobody
    random.shuffle(asked)
    process, place = servers.server.process, servers.server.place
    http = await Connection.to(place.port)
    ready: list[tuple[bool, Visitor, bytes]] = []
    for number, (is_known, name) in enumerate(asked, first):
        visitor = Visitor(place, http, number, phone=question.phone)
        await visitor.open(question.page)
        captcha = servers.answers.of(visitor.captcha)
        ready.append((is_known, visitor, visitor.posting(question.form, **question.typed(name), captcha=captcha)))
    seconds: dict[bool, list[float]] = {True: [], False: []}
    answers: set[tuple[int, int]] = set()
    for is_known, visitor, request in ready:
        # What the answer before has left to be done, such as a message and another captcha, is done.
        await process.rest(STEP)
        begun = time.perf_counter()
        answer = await visitor.send(request, question.status)
        seconds[is_known].append(time.perf_counter() - begun)
        answers.add((answer.status, len(answer.body)))
    http.close()
    if len(answers) != 1:
        raise RuntimeError(f"{question.name}: answers differ by more than their time: {answers}")
    return seconds[True], seconds[False]
