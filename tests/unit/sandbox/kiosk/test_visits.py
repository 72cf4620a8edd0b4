"""One person after the other at the kiosk, and the pace at which the server is asked."""

from __future__ import annotations

import io

import pytest
import zxingcpp
from PIL import Image

from bjidp.entropy import base64url
from bjidp.qrlogin import frame
from bjidp.qrlogin.policy import Purpose
from bjidp.sandbox.clock import ManualClock
from bjidp.sandbox.entropy import SeededEntropy
from bjidp.sandbox.kiosk import frames
from bjidp.sandbox.kiosk.frames import Frames
from bjidp.sandbox.kiosk.provider import Codes, Person, Provider, Refused
from bjidp.sandbox.kiosk.settings import KioskSettings
from bjidp.sandbox.kiosk.visits import KEPT, MOST, Over, Visits, Waiting, Welcome

pytestmark = pytest.mark.req("RP-3")

TICKET = "A" * 22
PREFIX = "https://id.example/q/"
KEY = b"k" * 32
LI = Person("李**", "L3", "token")


class Server(Provider):
    """A server that answers as it is told."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(
            KioskSettings(
                clock=clock,
                entropy=SeededEntropy("kiosk"),
                issuer="https://id.example",
                client_id="kiosk",
                client_secret="secret",
            )
        )
        self.answers: list[str | Person] = []
        self.asked: list[int] = []
        self.left: list[str] = []
        self._clock = clock

    async def codes(self) -> Codes:
        return Codes(
            device_code="device-code",
            user_code="WDJB-MJHT",
            verification_uri="https://id.example/device",
            verification_uri_complete=f"{PREFIX}{TICKET}",
            expires_in=300,
            interval=5,
            qr=Frames(base64url(KEY), 2.0, 0.0),
        )

    async def person(self, codes: Codes) -> Person:
        self.asked.append(self._clock.now())
        answer = self.answers.pop(0)
        if isinstance(answer, str):
            raise Refused(answer)
        return answer

    async def leave(self, token: str) -> None:
        self.left.append(token)


class Hall:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self._begun = self.clock.now()
        self.server = Server(self.clock)
        self.visits = Visits(self.server, self.clock, SeededEntropy("kiosk"))

    @property
    def seconds(self) -> int:
        """Seconds since the doors opened."""
        return (self.clock.now() - self._begun) // 1_000


@pytest.fixture
def hall() -> Hall:
    return Hall()


async def test_the_screen_shows_the_frame_of_the_moment_as_the_server_would(hall: Hall) -> None:
    visit = await hall.visits.begin()
    for seconds, number in ((0, 0), (3, 1), (61, 32)):
        hall.clock.advance(seconds)
        hall.server.answers = ["authorization_pending"]
        shown = await hall.visits.look(visit)
        assert isinstance(shown, Waiting)
        assert shown.text == frame.text(PREFIX, KEY, Purpose.DEVICE, TICKET, number)
        assert (shown.user_code, shown.address) == ("WDJB-MJHT", "https://id.example/device")
        assert shown.left == 300 - hall.seconds


def test_what_is_drawn_is_read() -> None:
    words = frame.text(PREFIX, KEY, Purpose.DEVICE, TICKET, 7)
    svg = frames.picture(words)
    size = int(svg.partition('viewBox="0 0 ')[2].partition(" ")[0])
    image = Image.new("L", (size, size), 255)
    for module in svg.partition('<path d="')[2].split("M")[1:]:
        x, y = module.partition("h")[0].split()
        image.putpixel((int(x), int(y)), 0)
    buffer = io.BytesIO()
    image.resize((size * 4, size * 4), Image.Resampling.NEAREST).save(buffer, "PNG")
    [found] = zxingcpp.read_barcodes(Image.open(buffer))
    assert found.text == words


async def test_the_server_is_asked_no_sooner_than_it_wants_to_be(hall: Hall) -> None:
    began = hall.clock.now()
    visit = await hall.visits.begin()
    hall.server.answers = ["authorization_pending", "slow_down", "authorization_pending", LI]
    for _ in range(40):
        hall.clock.advance(1)
        await hall.visits.look(visit)
    assert [(asked - began) // 1_000 for asked in hall.server.asked] == [5, 10, 20, 30]
    assert await hall.visits.look(visit) == Welcome("李**", "L3")


@pytest.mark.parametrize(
    ("error", "reason"),
    [("access_denied", "refused"), ("expired_token", "expired"), ("invalid_grant", "unreachable")],
)
async def test_a_no_ends_the_visit(hall: Hall, error: str, reason: str) -> None:
    visit = await hall.visits.begin()
    hall.server.answers = [error]
    hall.clock.advance(5)
    assert await hall.visits.look(visit) == Over(reason)
    hall.clock.advance(5)
    assert await hall.visits.look(visit) == Over(reason)


async def test_a_server_that_is_away_for_a_moment_ends_nothing(hall: Hall) -> None:
    visit = await hall.visits.begin()
    hall.server.answers = ["unreachable", LI]
    hall.clock.advance(5)
    assert isinstance(await hall.visits.look(visit), Waiting)
    hall.clock.advance(5)
    assert isinstance(await hall.visits.look(visit), Welcome)


async def test_whoever_leaves_is_logged_out_and_forgotten(hall: Hall) -> None:
    visit = await hall.visits.begin()
    hall.server.answers = [LI]
    hall.clock.advance(5)
    await hall.visits.look(visit)
    await hall.visits.leave(visit)
    await hall.visits.leave(visit)
    assert hall.server.left == ["token"]
    assert await hall.visits.look(visit) is None


async def test_visits_do_not_pile_up(hall: Hall) -> None:
    first = await hall.visits.begin()
    for _ in range(MOST - 1):
        await hall.visits.begin()
    with pytest.raises(Refused):
        await hall.visits.begin()
    hall.clock.advance(KEPT / 1_000 + 1)
    await hall.visits.begin()
    assert await hall.visits.look(first) is None
