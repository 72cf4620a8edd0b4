"""Make the sounds of the ten digits that captchas are spoken with, by espeak-ng.

They lie in ``bjidp/verification/sounds``, so that nobody but this script needs espeak-ng.
"""

from __future__ import annotations

import io
import math
import subprocess
import wave
from pathlib import Path
from typing import Final

SOUNDS: Final = Path(__file__).parents[1] / "bjidp/verification/sounds"
SYLLABLES: Final = ("ling2", "yi1", "er4", "san1", "si4", "wu3", "liu4", "qi1", "ba1", "jiu3")
"""In pinyin: of Hanzi espeak-ng 1.51 spells the pinyin out in English."""

HALVED: Final = 2
"""espeak-ng speaks at 22,050 Hz."""
TAPS: Final = 63
QUIET: Final = 0.02
"""Of the loudest sample: what is below it at both ends is cut off."""
DRIVE: Final = 2.0
PEAK: Final = 120
FADE: Final = 60
"""Samples."""


def main() -> None:
    """Write the ten files."""
    SOUNDS.mkdir(exist_ok=True)
    for value, syllable in enumerate(SYLLABLES):
        command = ["espeak-ng", "-v", "cmn-latn-pinyin", "-s", "120", "-p", "45", "--stdout", syllable]
        spoken = subprocess.run(command, check=True, capture_output=True).stdout
        rate, samples = read(spoken)
        write(SOUNDS / f"{value}.wav", rate // HALVED, trimmed(halved(samples)))


def read(data: bytes) -> tuple[int, list[float]]:
    """Return rate and samples of 16-bit mono."""
    # The length in the head of what comes down a pipe is made up.
    with wave.open(io.BytesIO(data)) as spoken:
        rate = spoken.getframerate()
    octets = data[44 : len(data) // 2 * 2]
    return rate, [float(sample) for sample in memoryview(octets).cast("h")]


def halved(samples: list[float]) -> list[float]:
    """Return every second sample of what is below half the new rate."""
    middle = TAPS // 2
    window = [0.5 - 0.5 * math.cos(2 * math.pi * (tap + 1) / (TAPS + 1)) for tap in range(TAPS)]
    cut = 0.46
    taps = [
        window[tap] * (cut if tap == middle else math.sin(math.pi * cut * (tap - middle)) / (math.pi * (tap - middle)))
        for tap in range(TAPS)
    ]
    padded = [0.0] * middle + samples + [0.0] * middle
    return [
        sum(tap * sample for tap, sample in zip(taps, padded[at : at + TAPS], strict=True))
        for at in range(0, len(samples), HALVED)
    ]


def trimmed(samples: list[float]) -> list[float]:
    """Return the samples between the silences, from -1 to 1, the soft ones made louder."""
    loudest = max(abs(sample) for sample in samples)
    heard = [at for at, sample in enumerate(samples) if abs(sample) > QUIET * loudest]
    kept = samples[max(0, heard[0] - FADE) : heard[-1] + FADE]
    fade = [min(1.0, at / FADE, (len(kept) - at) / FADE) for at in range(len(kept))]
    return [
        math.tanh(DRIVE * sample / loudest) / math.tanh(DRIVE) * gain for sample, gain in zip(kept, fade, strict=True)
    ]


def write(path: Path, rate: int, samples: list[float]) -> None:
    """Write 8-bit mono."""
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(rate)
        sound.writeframes(bytes(round(128 + PEAK * sample) for sample in samples))


if __name__ == "__main__":
    main()
