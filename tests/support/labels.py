"""The marks that tie a test to a requirement or an attack, and the list of what is covered."""

from __future__ import annotations

import re
from collections import defaultdict

import pytest

KINDS = ("req", "attack")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--req-report``."""
    parser.addoption("--req-report", action="store_true", help="list the requirements and attacks that tests name")


class Labels:
    """Counts the tests behind each label, and those of them that passed."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._labels: dict[str, list[tuple[str, str]]] = {}
        self._tests: dict[tuple[str, str], int] = defaultdict(int)
        self._passed: dict[tuple[str, str], int] = defaultdict(int)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Read the marks of every test that will run."""
        for item in items:
            labels = [(kind, str(label)) for kind in KINDS for mark in item.iter_markers(kind) for label in mark.args]
            self._labels[item.nodeid] = labels
            for label in labels:
                self._tests[label] += 1

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test that passed."""
        if report.when == "call" and report.passed:
            for label in self._labels.get(report.nodeid, ()):
                self._passed[label] += 1

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print ``label passed/tests`` for each label, in natural order."""
        for kind in KINDS:
            known = sorted((label for label in self._tests if label[0] == kind), key=_natural)
            terminalreporter.section(f"{kind}: {len(known)} named by tests")
            for label in known:
                terminalreporter.line(f"{label[1]:<10} {self._passed[label]}/{self._tests[label]}")


def pytest_configure(config: pytest.Config) -> None:
    """Count only when asked to."""
    if config.getoption("--req-report"):
        config.pluginmanager.register(Labels(), "labels")


def _natural(label: tuple[str, str]) -> list[tuple[str, int]]:
    """Sort Q2 before Q10."""
    return [(word, int(number or 0)) for word, number in re.findall(r"([^\d]*)(\d*)", label[1])]
