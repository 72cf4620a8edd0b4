"""A captcha is spoken: a recording of its digits, and no two captchas in the same voice."""

from __future__ import annotations

import io
import wave
from itertools import pairwise

import pytest
from msgspec import Struct

from bjidp.verification.captcha_sound import RATE, speak

VOICES = [bytes([number]) * 16 for number in range(20)]
WINDOW = RATE // 50
LOUD = 18
"""Steps of 256 from silence, as a mean over a fiftieth of a second: the murmur never gets there."""


class Sound(Struct):
    """A WAV, read."""

    rate: int
    samples: bytes

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate

    @property
    def loudness(self) -> list[float]:
        """Return how loud each fiftieth of a second is."""
        parts = [self.samples[at : at + WINDOW] for at in range(0, len(self.samples) - WINDOW, WINDOW)]
        return [sum(abs(sample - 128) for sample in part) / WINDOW for part in parts]


def heard(wav: bytes) -> Sound:
    with wave.open(io.BytesIO(wav)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth()) == (1, 1)
        samples = sound.readframes(sound.getnframes())
        assert len(samples) == sound.getnframes()
        return Sound(sound.getframerate(), samples)


@pytest.mark.req("UX-2")
@pytest.mark.parametrize("digit", "0123456789")
def test_every_digit_is_a_sound_of_its_own_after_a_pause(digit: str) -> None:
    for voice in VOICES[:5]:
        loud = [level > LOUD for level in heard(speak(digit, voice)).loudness]
        assert not any(loud[:30])
        assert any(loud)


@pytest.mark.req("UX-2")
def test_more_digits_take_more_time_and_four_take_a_few_seconds() -> None:
    for voice in VOICES:
        lengths = [heard(speak("0420"[:count], voice)).seconds for count in (1, 2, 3, 4)]
        assert all(after - before > 0.5 for before, after in pairwise(lengths))
        assert 3 < lengths[-1] < 7


def test_the_digits_one_after_another_are_apart() -> None:
    loudness = heard(speak("88", VOICES[0])).loudness
    loud = [at for at, level in enumerate(loudness) if level > LOUD]
    assert max(after - before for before, after in pairwise(loud)) > 15


@pytest.mark.req("UX-2")
def test_one_answer_sounds_otherwise_in_every_captcha_and_the_same_in_one() -> None:
    renderings = [speak("0420", voice) for voice in VOICES]
    assert len(set(renderings)) == len(VOICES)
    assert len({len(rendering) for rendering in renderings}) > len(VOICES) // 2
    assert [speak("0420", voice) for voice in VOICES] == renderings


def test_other_digits_sound_otherwise_in_the_same_voice() -> None:
    assert len({speak(digit * 4, VOICES[0]) for digit in "0123456789"}) == 10


def test_no_stretch_of_one_rendering_is_found_in_another() -> None:
    one, other = (heard(speak("4444", voice)).samples for voice in VOICES[:2])
    assert not any(one[at : at + 32] in other for at in range(0, len(one) - 32, 32))
