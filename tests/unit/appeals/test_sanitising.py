"""What becomes of files: pictures drawn anew, or a word of what is wrong (RNV-8)."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from bjidp.appeals.attachments import Fault, Kind
from bjidp.appeals.isolation import PROGRAM, Isolation, _split
from bjidp.appeals.ports import AttachmentRefused
from bjidp.appeals.sanitising import CALLS, EDGE, LARGEST, PAGES, Refused, sanitised
from bjidp.appeals.turns import Turns
from bjidp.errors import RateLimited, TooBusy
from tests.support.files import (
    SCRIPT,
    SECRET,
    active_pdf,
    jpeg,
    jpeg_that_says,
    opened,
    pdf,
    png,
    png_bomb,
    transparent,
)
from tests.support.processes import wait_until

pytestmark = pytest.mark.req("RNV-8")

RED = (254, 0, 0)
ONE = "account-1"


def fault(kind: str, data: bytes) -> str:
    with pytest.raises(Refused) as refused:
        sanitised(kind, data)
    assert refused.value.fault in set(Fault)
    return refused.value.fault


@pytest.mark.attack("U4")
@pytest.mark.parametrize(("kind", "data"), [("jpeg", jpeg()), ("png", png()), ("png", png(mode="P"))])
def test_a_picture_keeps_its_pixels_and_nothing_else(kind: str, data: bytes) -> None:
    assert SECRET in data
    (drawn,) = sanitised(kind, data)
    shown = opened(drawn)
    assert (shown.format, shown.mode, shown.size) == ("JPEG", "RGB", (64, 48))
    assert shown.getpixel((60, 40)) == RED
    assert not shown.getexif()
    assert not {"exif", "comment", "icc_profile", "photoshop"} & set(shown.info)
    assert SECRET not in drawn
    assert SCRIPT not in drawn
    assert drawn.endswith(b"\xff\xd9")


def test_a_photo_of_a_telephone_held_upright_stands_upright() -> None:
    (drawn,) = sanitised("jpeg", jpeg(orientation=6))
    shown = opened(drawn)
    assert shown.size == (48, 64)
    corner = shown.getpixel((46, 2))
    assert isinstance(corner, tuple)
    assert max(corner) < 40, "the black corner is at the top right"


def test_what_can_be_seen_through_lies_on_white_paper() -> None:
    (drawn,) = sanitised("png", transparent())
    assert opened(drawn).getpixel((30, 30)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_a_picture_is_taken_in_whatever_colours_scanners_write(mode: str) -> None:
    (drawn,) = sanitised("png", png(mode=mode))
    assert opened(drawn).size == (64, 48)


def test_a_large_photo_is_made_as_small_as_one_can_read_it() -> None:
    (drawn,) = sanitised("jpeg", jpeg((4800, 3200)))
    assert max(opened(drawn).size) <= EDGE
    assert len(drawn) <= LARGEST


@pytest.mark.attack("U4")
def test_of_a_document_nothing_is_left_but_what_its_pages_look_like() -> None:
    data = active_pdf()
    assert b"/JavaScript" in data
    (drawn,) = sanitised("pdf", data)
    shown = opened(drawn)
    found = shown.getpixel((10, shown.height - 10))
    assert isinstance(found, tuple)
    red, green, blue = found
    assert red > 240
    assert max(green, blue) < 20
    assert not any(word in drawn for word in (b"JavaScript", b"%PDF", SCRIPT, b"calc.exe"))


def test_each_page_of_a_document_is_a_picture_and_there_are_few() -> None:
    assert len(sanitised("pdf", pdf(PAGES))) == PAGES
    assert fault("pdf", pdf(PAGES + 1)) == "pages"
    assert fault("pdf", pdf(0)) == "unreadable"


@pytest.mark.parametrize("size", [(14_400, 14_400), (14_400, 1), (1, 1)])
def test_a_page_of_any_size_comes_to_a_picture_that_fits(size: tuple[int, int]) -> None:
    (drawn,) = sanitised("pdf", pdf(size=size))
    assert max(opened(drawn).size) <= EDGE


@pytest.mark.attack("U2")
@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("png", png_bomb(30_000)),
        ("png", png_bomb(7_000)),
        ("jpeg", jpeg_that_says(60_000, 60_000)),
    ],
)
def test_what_says_that_it_is_huge_is_not_opened(kind: str, data: bytes) -> None:
    assert len(data) < 1_000_000
    assert fault(kind, data) == "dimensions"


@pytest.mark.attack("U1")
@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("jpeg", b"\xff\xd8\xff\xe0" + SCRIPT),
        ("jpeg", jpeg()[:200]),
        ("png", b"\x89PNG\r\n\x1a\n" + SCRIPT),
        ("png", png()[:-30]),
        ("jpeg", png()),
        ("png", jpeg()),
        ("pdf", b"%PDF-1.7\n" + SCRIPT),
        ("pdf", b"%PDF-1.7\n"),
    ],
)
def test_what_cannot_be_read_is_refused(kind: str, data: bytes) -> None:
    assert fault(kind, data) == "unreadable"


def test_a_document_behind_a_password_is_told_of_as_one() -> None:
    locked = pdf(extra=(b"<< /Filter /Standard /V 1 /R 2 /O (%s) /U (%s) /P -4 >>" % (b"o" * 32, b"u" * 32),))
    locked = locked.replace(b"/Root 1 0 R", b"/Root 1 0 R /Encrypt 100 0 R /ID [(0123456789abcdef) (0123456789abcdef)]")
    assert fault("pdf", locked) == "encrypted"


@pytest.mark.attack("U3")
@settings(max_examples=40, deadline=None)
@given(kind=st.sampled_from(["jpeg", "png", "pdf"]), noise=st.binary(min_size=1, max_size=40), at=st.floats(0, 1))
def test_whatever_is_broken_in_a_file_it_is_pictures_or_a_word(kind: str, noise: bytes, at: float) -> None:
    whole = {"jpeg": jpeg(), "png": png(), "pdf": pdf()}[kind]
    start = int(at * len(whole))
    broken = whole[:start] + noise + whole[start + len(noise) :]
    said: list[bytes] | Fault
    try:
        said = sanitised(kind, broken)
    except Refused as refused:
        said = Fault(refused.fault)
    for drawn in [] if isinstance(said, Fault) else said:
        assert opened(drawn).format == "JPEG"


# ------------------------------------------------------------------------------------------- in a process of its own


async def test_a_process_of_its_own_comes_to_the_same_pictures() -> None:
    isolation = Isolation()
    assert await isolation.pictures(ONE, Kind.JPEG, jpeg()) == sanitised("jpeg", jpeg())
    assert len(await isolation.pictures(ONE, Kind.PDF, pdf(2))) == 2
    with pytest.raises(AttachmentRefused) as refused:
        await isolation.pictures(ONE, Kind.PNG, png_bomb(30_000))
    assert (refused.value.fault, refused.value.given_up) == (Fault.DIMENSIONS, False)


HOSTILE = """
import ctypes, importlib.util, os, resource, socket, subprocess, sys
spec = importlib.util.spec_from_file_location("sanitising", {path!r})
sanitising = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sanitising)

def hostile(kind, data):
    {act}
    return [b"\\xff\\xd8\\xffit worked"]

sanitising._warm_up()
sanitising._warm_up = lambda: None
sanitising.sanitised = hostile
sys.exit(sanitising.main())
"""


def hostile(folder: Path, act: str, patience: float = 20.0) -> Isolation:
    """Return an isolation whose decoder is somebody else's by now, and does this."""
    real = Path(__file__).resolve().parents[3] / "bjidp/appeals/sanitising.py"
    program = folder / "hostile.py"
    program.write_text(HOSTILE.format(path=str(real), act=act))
    return Isolation(program=program, patience=patience, output=1 << 20)


@pytest.mark.attack("U3")
@pytest.mark.parametrize(
    ("act", "reason"),
    [
        ("open('/etc/passwd').read()", "ended"),
        ("open({marker!r}, 'w').write('x')", "ended"),
        ("socket.create_connection(('127.0.0.1', 9), 1)", "ended"),
        ("subprocess.run(['touch', {marker!r}])", "ended"),
        ("os.kill(os.getppid(), 0)", "ended"),
        ("assert ctypes.CDLL(None).process_vm_readv(os.getppid(), None, 0, None, 0, 0) == 0", "ended"),
        ("os.waitpid(os.fork() or os._exit(0), 0)", "ended"),
        ("os.stat('/etc/passwd')", "ended"),
        ("resource.setrlimit(resource.RLIMIT_CORE, (0, 0))", "ended"),
        ("b'x' * (1 << 30)", "ended"),
        ("__import__('os').kill(__import__('os').getpid(), 9)", "ended"),
        ("return [b'%PDF-1.7']", "ended"),
        ("sys.stdout.buffer.write(b'x' * (2 << 20))", "output"),
        ("exec('while True: pass')", "patience"),
        ("__import__('threading').Event().wait()", "patience"),
    ],
)
async def test_a_decoder_that_is_broken_reaches_nothing(tmp_path: Path, act: str, reason: str) -> None:
    marker = tmp_path / "marker"
    isolation = hostile(tmp_path, act.format(marker=str(marker)), 1.0 if reason == "patience" else 20.0)
    with structlog.testing.capture_logs() as logged, pytest.raises(AttachmentRefused) as refused:
        async with asyncio.timeout(40):
            await isolation.pictures(ONE, Kind.JPEG, jpeg())
    assert (refused.value.fault, refused.value.given_up) == (Fault.UNREADABLE, True)
    assert not marker.exists()
    assert [(line["event"], line["reason"]) for line in logged] == [("attachment_given_up", reason)]


@pytest.mark.attack("U3")
@pytest.mark.parametrize(
    "said",
    [
        b"\0\0\0\5%PDF-",
        b"\0\0\0\3\xff\xd8\xff\0\0\0\0",
        b"\0\0\0\3\xff\xd8\xff" * 11,
        b"\0\0\0\3\xff\xd8\xff\0\0\0\4\xff\xd8\xff",
        b"\0\0\0\3\xff\xd8\xff\0\0",
    ],
    ids=["another kind", "an empty one", "too many", "less than it says", "half a length"],
)
def test_nothing_is_kept_of_what_a_decoder_that_is_whole_does_not_write(said: bytes) -> None:
    assert _split(b"\0\0\0\3\xff\xd8\xff" * 10) == [b"\xff\xd8\xff"] * 10
    assert _split(said) == []


def kernel_says(process: int | str) -> dict[str, str]:
    """Return what the kernel tells of a process."""
    lines = Path(f"/proc/{process}/status").read_text("utf-8").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


@pytest.mark.attack("U3")
async def test_before_it_sees_the_file_the_kernel_refuses_it_all_other_calls() -> None:
    """As the kernel tells it of the very program that the server runs, while that waits for its file."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-B", str(PROGRAM), "jpeg"), stdin=asyncio.subprocess.PIPE, env={}
    )
    try:
        filters = int(kernel_says("self")["Seccomp_filters"])
        wanted = {"NoNewPrivs": "1", "Seccomp": "2", "Seccomp_filters": str(filters + 1)}
        await asyncio.to_thread(wait_until, lambda: wanted.items() <= kernel_says(process.pid).items())
    finally:
        process.kill()
        await process.wait()


UNFILTERED = """
import ctypes, importlib.util
spec = importlib.util.spec_from_file_location("sanitising", {path!r})
sanitising = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sanitising)
sanitising._filter = lambda libc, machine: None
sanitising._give_up()
death = ctypes.c_int()
ctypes.CDLL(None).prctl(2, ctypes.byref(death), 0, 0, 0)
print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), death.value)
"""


@pytest.mark.attack("U3")
async def test_nobody_looks_into_it_and_it_dies_with_the_server() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-B", "-c", UNFILTERED.format(path=str(PROGRAM))),
        stdout=asyncio.subprocess.PIPE,
        env={},
    )
    said, _ = await process.communicate()
    assert said.split() == [b"0", b"9"]


@pytest.mark.attack("U3")
@pytest.mark.parametrize("machine", list(CALLS))
def test_what_is_left_of_the_kernel_opens_and_reaches_nothing(machine: str) -> None:
    """By number, so that a slip of a digit shows: open, openat, socket, connect, clone, execve, kill, ptrace, prctl."""
    others = {
        "x86_64": {2, 41, 42, 56, 57, 58, 59, 62, 101, 157, 160, 200, 234, 257, 302, 310, 311, 317, 321, 322},
        "aarch64": {56, 117, 129, 130, 131, 164, 167, 198, 203, 220, 221, 261, 270, 271, 277, 280, 281},
    }[machine] | {425, 434, 435, 437, 438}
    assert not set(CALLS[machine]) & others
    assert len(set(CALLS[machine])) == len(CALLS[machine]) == 25


async def test_a_decoder_that_is_whole_passes_through_the_same_program(tmp_path: Path) -> None:
    assert await hostile(tmp_path, "pass").pictures(ONE, Kind.JPEG, jpeg()) == [b"\xff\xd8\xffit worked"]


@pytest.mark.attack("U5")
async def test_more_files_than_may_wait_are_turned_away() -> None:
    isolation = Isolation(turns=Turns(at_once=1, waiting=1))
    results = await asyncio.gather(
        *(isolation.pictures(ONE, Kind.PNG, png()) for _ in range(4)), return_exceptions=True
    )
    assert [type(result) for result in results[2:]] == [TooBusy, TooBusy]
    assert all(isinstance(result, list) for result in results[:2])
    assert await isolation.pictures(ONE, Kind.PNG, png()), "there is room again"


@pytest.mark.attack("U11")
async def test_an_account_whose_files_took_their_time_has_no_process_started() -> None:
    isolation = Isolation(program=Path("/nothing/is/here.py"), turns=Turns(budget=0))
    with pytest.raises(RateLimited):
        isolation.require_time(ONE)
    with pytest.raises(RateLimited):
        await isolation.pictures(ONE, Kind.JPEG, jpeg())
