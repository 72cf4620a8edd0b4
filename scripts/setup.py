"""Set up what `make` needs, from nothing: a virtual environment, and for the tests their servers and a browser.

    python3 scripts/setup.py demo    .venv with the server and the sandbox
    python3 scripts/setup.py test    and tools, PostgreSQL, Redis, Chromium and the Node libraries that log in

Safe to run again: what has not changed since it was installed is left alone, which takes well under a second. What
cannot be had ends the set-up with the reason.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMPS = VENV / "installed.json"
INTEROP = ROOT / "tests" / "interop"
OLDEST_PYTHON = (3, 11)

# dev.lock holds everything of runtime.lock in the same versions, so one install is enough for either purpose.
LOCKS = {"demo": ("build", "runtime"), "test": ("build", "dev")}
SERVES = {"demo": ("demo",), "test": ("demo", "test")}


class SetupError(Exception):
    """Something cannot be had; the message says what, and what to do."""


def main(purpose: str) -> None:
    """Set up for ``purpose``: ``demo`` or ``test``."""
    make_environment()
    install_packages(purpose)
    if purpose == "test":
        find_servers()
        install_node_packages()
    find_tools()


def make_environment() -> None:
    """Make .venv with an interpreter that is new enough, unless there is one that works."""
    if sys.version_info < OLDEST_PYTHON:
        wanted = ".".join(map(str, OLDEST_PYTHON))
        raise SetupError(
            f"Python {wanted} or newer is needed; {sys.executable} is older. Name one: make PYTHON=python{wanted}"
        )
    if (
        PYTHON.exists()
        and subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0
    ):
        return
    say("Making .venv")
    made = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    if subprocess.run(made, capture_output=True, check=False).returncode == 0:
        return
    # Debian's Python comes without venv's own pip.
    if not can_use_apt():
        raise SetupError(f"{' '.join(made)} failed: this Python lacks venv. On Debian: apt-get install python3-venv")
    apt_install("python3-venv")
    run(made, "the virtual environment could not be made")


def install_packages(purpose: str) -> None:
    """Install the locked packages and the project itself, unless the same locks were installed before."""
    stamps = json.loads(STAMPS.read_text()) if STAMPS.exists() else {}
    if stamps.get(purpose) == fingerprint(purpose):
        return
    locks = LOCKS[purpose]
    say(f"Installing {' and '.join(f'requirements/{lock}.lock' for lock in locks)}")
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet", "install"]
    hashed = [argument for lock in locks for argument in ("-r", str(ROOT / "requirements" / f"{lock}.lock"))]
    run([*pip, "--require-hashes", *hashed], "the locked packages could not be installed")
    run([*pip, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)], "the project could not be installed")
    stamps.update({served: fingerprint(served) for served in SERVES[purpose]})
    STAMPS.write_text(json.dumps(stamps, indent=2))


def fingerprint(purpose: str) -> str:
    """Say in one word which packages a purpose asks for."""
    # build.lock and pyproject.toml decide how the project itself is installed, its commands included.
    read = [ROOT / "pyproject.toml", *(ROOT / "requirements" / f"{lock}.lock" for lock in LOCKS[purpose])]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in read)).hexdigest()


def find_servers() -> None:
    """See that PostgreSQL, Redis and Chromium are there; only Chromium is fetched here, wheels bring the other two."""
    make_playwright_start()
    if not found("chromium"):
        fetch_chromium()
    if not chinese_font():
        if can_use_apt():
            say("Installing a Chinese font, so that screenshots can be read")
            apt_install("fonts-noto-cjk")
        else:
            say("No Chinese font is installed: screenshots will show boxes. On Debian: apt-get install fonts-noto-cjk")
    missing = subprocess.run(
        [PYTHON, "-m", "tests.support.backends"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if missing.returncode:
        raise SetupError(f"Not everything that the tests need is here:\n{missing.stdout}{missing.stderr}")


def install_node_packages() -> None:
    """Install what tests/interop/package-lock.json names, by npm, unless the same lock was installed before."""
    lock = hashlib.sha256((INTEROP / "package-lock.json").read_bytes()).hexdigest()
    stamp = INTEROP / "node_modules" / ".locked-by"
    if stamp.exists() and stamp.read_text() == lock:
        return
    if shutil.which("npm") is None:
        if not can_use_apt():
            raise SetupError(
                "npm, which fetches the Node libraries that the tests log in with, is not on the PATH: install "
                "Node.js 20 or newer with npm. On Debian: apt-get install npm"
            )
        say("Installing npm by apt")
        apt_install("npm")
    say("Installing tests/interop/package-lock.json")
    # No package runs a script of its own here.
    clean = ["npm", "--prefix", str(INTEROP), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    run(clean, "the Node libraries that the tests log in with could not be installed")
    stamp.write_text(lock)


def find_tools() -> None:
    """See that there is what the example for curl is made of."""
    for tool in ("curl", "openssl"):
        if shutil.which(tool) is None:
            if not can_use_apt():
                raise SetupError(
                    f"{tool}, which an example logs in with, is not on the PATH. On Debian: apt-get install {tool}"
                )
            say(f"Installing {tool} by apt")
            apt_install(tool)


def make_playwright_start() -> None:
    """See that Playwright's driver starts: the Node.js in its wheel wants a library that a bare Debian lacks."""
    version = [str(PYTHON), "-m", "playwright", "--version"]
    stamp = VENV / "playwright-starts"
    if stamp.exists() and stamp.stat().st_mtime >= STAMPS.stat().st_mtime:
        return
    if subprocess.run(version, capture_output=True, check=False).returncode and can_use_apt():
        say("Installing libatomic1 for Playwright")
        apt_install("libatomic1")
    run(version, "Playwright, which drives the browser, does not start")
    stamp.touch()


def fetch_chromium() -> None:
    """Install Chromium by apt as root, else by Playwright into the user's cache."""
    reasons = ["no chromium, chromium-browser or google-chrome on the PATH"]
    if can_use_apt():
        say("Installing Chromium by apt")
        try:
            apt_install("chromium")
        except SetupError as error:
            reasons.append(str(error))
        if found("chromium"):
            return
    else:
        reasons.append("apt needs root on a Debian or Ubuntu machine")
    say("Installing Chromium by Playwright")
    try:
        run([str(PYTHON), "-m", "playwright", "install", "chromium"], "Playwright could not download it")
    except SetupError as error:
        reasons.append(str(error))
    if not found("chromium"):
        raise SetupError("Chromium, which the browser tests drive, cannot be had:\n- " + "\n- ".join(reasons))


def found(backend: str) -> bool:
    """Tell whether the tests would find a server or the browser."""
    command = [str(PYTHON), "-m", "tests.support.backends", backend]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 0


def chinese_font() -> bool:
    """Tell whether fontconfig knows a font with Chinese characters."""
    listing = shutil.which("fc-list")
    return bool(listing and subprocess.run([listing, ":lang=zh"], capture_output=True, check=False).stdout.strip())


def can_use_apt() -> bool:
    """Tell whether packages of the distribution can be installed."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def apt_install(package: str) -> None:
    """Install one package of the distribution."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "-qq", "update"], "apt-get update failed", environment)
    install = ["apt-get", "-qq", "install", "--yes", "--no-install-recommends", package]
    run(install, f"apt-get could not install {package}", environment)


def run(command: list[str], complaint: str, environment: dict[str, str] | None = None) -> None:
    """Run a command; keep quiet when it works, and show the end of what it wrote when it does not."""
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=False)
    if ended.returncode:
        written = "\n".join((ended.stdout + ended.stderr).splitlines()[-20:])
        raise SetupError(f"{complaint} ({' '.join(command)}):\n{written}")


def say(what: str) -> None:
    """Tell the person what takes time now."""
    print(f"setup: {what}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:] not in (["demo"], ["test"]):
        sys.exit(__doc__)
    # Two of these at once would install over each other.
    with Path(__file__).open() as own:
        fcntl.flock(own, fcntl.LOCK_EX)
        try:
            main(sys.argv[1])
        except SetupError as error:
            sys.exit(f"setup: {error}")
