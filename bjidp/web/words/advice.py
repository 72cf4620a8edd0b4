"""What to do about an error, in words: the next step, and where the step is to wait, for how long.

Owns how a time is said. Called for the note above a form, for pages of errors and for problem documents.
"""

from __future__ import annotations

from typing import Final

from bjidp.web.words.texts import Texts

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE


def advice(code: str, pause: int | None, texts: Texts) -> str:
    """Return the next step after the error ``code``; one that passes by itself does after ``pause`` seconds.

    How long is said where nothing but waiting helps: such errors have words under ``problem.after.<code>``.
    """
    timed = f"problem.after.{code}"
    if pause is None or timed not in texts:
        return texts.plain(f"problem.next.{code}")
    return texts.plain(f"problem.after.{code}", wait=_span(pause, texts))


def _span(seconds: int, texts: Texts) -> str:
    """Return a time in words, never shorter than it is."""
    if seconds < 2 * _MINUTE:
        return texts.plain("span.seconds", number=seconds)
    if seconds < 2 * _HOUR:
        return texts.plain("span.minutes", number=-(-seconds // _MINUTE))
    return texts.plain("span.hours", number=-(-seconds // _HOUR))
