"""What libraries log: that they did, and nothing of what they said."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from bjidp.commands.log import ForeignLog, listen_to_libraries

SECRET = "value-that-must-not-be-logged"


@pytest.fixture
def listening() -> Iterator[None]:
    before = logging.getLogger().handlers[:]
    listen_to_libraries()
    yield
    logging.getLogger().handlers[:] = before


@pytest.mark.attack("Q24")
@pytest.mark.usefixtures("listening")
def test_a_complaint_of_a_library_is_told_without_its_words() -> None:
    library = logging.getLogger("aiohttp.server")
    with capture_logs() as logged:
        library.error("Error handling %s", SECRET, exc_info=ValueError(SECRET))
        library.warning(SECRET)
    assert SECRET not in repr(logged)
    assert [(entry["library"], entry["severity"], entry["kind"]) for entry in logged] == [
        ("aiohttp.server", "error", "ValueError"),
        ("aiohttp.server", "warning", None),
    ]
    assert all(entry["place"].startswith("test_log.py:") for entry in logged)


@pytest.mark.usefixtures("listening")
def test_what_is_no_warning_is_not_told() -> None:
    with capture_logs() as logged:
        logging.getLogger("asyncio").info(SECRET)
    assert logged == []


@pytest.mark.usefixtures("listening")
def test_listening_twice_tells_nothing_twice() -> None:
    listen_to_libraries()
    assert sum(isinstance(handler, ForeignLog) for handler in logging.getLogger().handlers) == 1
