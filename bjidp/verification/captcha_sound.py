"""Speaking a captcha (UX-2).

Owns how it sounds: the digits in Chinese, each a little higher or lower and louder or softer, at irregular distances,
over a murmur and a hiss, so that no recording of a digit is found in it again. The same captcha sounds the same each
time: out of many renderings the noise could be taken away. Called by :mod:`bjidp.verification.captchas`, on the event
loop.

Sound is mixed as rows of grey pixels, which Pillow resamples and adds: 0.6 ms for five seconds.
"""

from __future__ import annotations

import hashlib
import io
import wave
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Final

from PIL import Image, ImageChops

RATE: Final = 11025
"""Samples a second, of eight bits."""

_SILENCE: Final = 128
_LEAD: Final = 0.6
"""Seconds before the first digit: a screen reader may still be speaking."""

_GAP: Final = 0.35
_MORE_GAP: Final = 0.45
_TEMPOS: Final = (0.88, 0.94, 1.0, 1.06, 1.12)
_GAINS: Final = (0.7, 0.85, 1.0)
_MURMURS_A_SECOND: Final = 4
_MURMUR: Final = 0.16
_HISS: Final = 12
"""Steps of 256; a digit has up to 240."""


def speak(answer: str, voice: bytes) -> bytes:
    """Return a WAV of ``answer``, varied by ``voice``."""
    chances = _chances(voice)
    digits: list[tuple[int, Image.Image]] = []
    at = round(RATE * (_LEAD + _GAP * next(chances)))
    for digit in answer:
        sound = _varied(int(digit), _one_of(_TEMPOS, next(chances)), _one_of(_GAINS, next(chances)))
        digits.append((at, sound))
        at += sound.width + round(RATE * (_GAP + _MORE_GAP * next(chances)))
    track = _hiss(at, voice)
    murmur = _silence(at)
    for _ in range(_MURMURS_A_SECOND * at // RATE):
        sound = _varied(int(10 * next(chances)), _one_of(_TEMPOS, next(chances)), -_MURMUR)
        murmur.paste(sound, (int(at * next(chances)), 0))
    spoken = _silence(at)
    for start, sound in digits:
        spoken.paste(sound, (start, 0))
    for layer in (murmur, spoken):
        track = ImageChops.add(track, layer, 1, -_SILENCE)
    return _wav(track.tobytes())


def _chances(voice: bytes) -> Iterator[float]:
    """Yield numbers from 0 to 1."""
    block = 0
    while True:
        for octet in hashlib.sha256(voice + block.to_bytes(4, "big")).digest():
            yield octet / 256
        block += 1


def _one_of(choice: Sequence[float], chance: float) -> float:
    return choice[int(len(choice) * chance)]


@cache
def _varied(digit: int, tempo: float, gain: float) -> Image.Image:
    """Return the sound of a digit; backward when the gain is less than nothing."""
    sound = _digit(digit)
    width = round(sound.width / tempo)
    levels = [round(_SILENCE + (level - _SILENCE) * abs(gain)) for level in range(256)]
    varied = sound.resize((width, 1), Image.Resampling.BICUBIC).point(levels)
    return varied if gain > 0 else varied.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


@cache
def _digit(value: int) -> Image.Image:
    path = files("bjidp.verification") / "sounds" / f"{value}.wav"
    with path.open("rb") as file, wave.open(file) as sound:
        samples = sound.readframes(sound.getnframes())
    return Image.frombytes("L", (len(samples), 1), samples)


def _silence(width: int) -> Image.Image:
    return Image.new("L", (width, 1), _SILENCE)


def _hiss(width: int, voice: bytes) -> Image.Image:
    levels = [_SILENCE + octet * 2 * _HISS // 256 - _HISS for octet in range(256)]
    return Image.frombytes("L", (width, 1), hashlib.shake_128(voice).digest(width)).point(levels)


def _wav(samples: bytes) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(RATE)
        sound.writeframes(samples)
    return out.getvalue()
