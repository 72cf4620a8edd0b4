"""The marks that tie a test to a requirement or an attack, and the list of what is covered."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from xdist.workermanage import WorkerController

KINDS = ("req", "attack")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--req-report``."""
    parser.addoption("--req-report", action="store_true", help="list the requirements and attacks that tests name")


class Labels:
    """Counts the tests behind each label, and those of them that passed.

    Where several processes share the tests, those that run them know the labels, and the one that reports is told.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self._labels: dict[str, list[tuple[str, str]]] = {}
        self._passed: set[str] = set()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Read the marks of every test that will run."""
        for item in items:
            labels = [(kind, str(label)) for kind in KINDS for mark in item.iter_markers(kind) for label in mark.args]
            self._labels[item.nodeid] = labels

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember a test that passed."""
        if report.when == "call" and report.passed:
            self._passed.add(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Tell the process that reports what the labels were."""
        told: dict[str, object] | None = getattr(session.config, "workeroutput", None)
        if told is not None:
            told["labels"] = self._labels

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: WorkerController) -> None:
        """Take the labels that a process tells at its end."""
        self._labels.update(getattr(node, "workeroutput", {}).get("labels", {}))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print ``label passed/tests`` for each label, in natural order."""
        tests = Counter(label for labels in self._labels.values() for label in labels)
        passed = Counter(label for test in self._passed for label in self._labels.get(test, ()))
        for kind in KINDS:
            known = sorted((label for label in tests if label[0] == kind), key=_natural)
            terminalreporter.section(f"{kind}: {len(known)} named by tests")
            for label in known:
                terminalreporter.line(f"{label[1]:<10} {passed[label]}/{tests[label]}")


def pytest_configure(config: pytest.Config) -> None:
    """Count only when asked to."""
    if config.getoption("--req-report"):
        config.pluginmanager.register(Labels(), "labels")


def _natural(label: tuple[str, str]) -> list[tuple[str, int]]:
    """Sort Q2 before Q10."""
    return [(word, int(number or 0)) for word, number in re.findall(r"([^\d]*)(\d*)", label[1])]
