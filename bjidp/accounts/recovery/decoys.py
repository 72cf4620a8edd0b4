"""What a name that nobody has is shown in place of an account's method and masks (REC-2, attack R1). Pure.

Owns the decoy. It is drawn from a keyed digest of what was typed, so it is always the same for a name, and nobody
without the key can work it out. It repeats what the asker knows already, a number or a document that they typed, as an
account's own page would; the rest is drawn to look like what accounts have. Some accounts have no phone, so some decoys
have none either: a page with 京通 alone says no more than any other.

A message to a typed number is counted as one to that number, as it would be on any other page; a drawn number is one
that no operator could give out, so that nobody's limit is touched. A new root key draws new decoys (docs/adr/0014).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from bjidp.accounts import masks
from bjidp.accounts.identifiers import IdentifierKind
from bjidp.accounts.names import TypedName
from bjidp.accounts.recovery.flow import HIDDEN_DOCUMENT, Recovery
from bjidp.accounts.surface import Surface
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.verification.ranges import NumberRange

PREFIXES: Final[Mapping[NumberRange, tuple[str, ...]]] = {
    NumberRange.REAL: tuple(
        f"1{digits}"
        for digits in (
            *("30", "31", "32", "33", "34", "35", "36", "37", "38", "39"),
            *("50", "51", "52", "53", "55", "56", "57", "58", "59"),
            *("66", "73", "75", "76", "77", "78"),
            *("80", "81", "82", "83", "84", "85", "86", "87", "88", "89"),
            *("91", "95", "98", "99"),
        )
    ),
    NumberRange.SYNTHETIC: ("154",),
}
"""How the numbers of most people begin whom a deployment serves."""

_ACCOUNT: Final = 22
"""Characters of an account's id."""

_SHARES: Final = {
    IdentifierKind.PHONE: (0, 3),
    IdentifierKind.DOCUMENT: (1, 0),
    IdentifierKind.USERNAME: (1, 2),
}
"""Of eight decoys so many have no phone, and so many a phone and no document, by what their name looks like."""


def decoy(name: TypedName, numbers: NumberRange, pseudonyms: Pseudonyms) -> Recovery:
    """Return the facts for a name that nobody has."""
    digest = pseudonyms.digest("recovery.decoy", *name.parts)
    # Like any account's, and nobody's.
    account = pseudonyms.key("recovery.absent", *name.parts)[:_ACCOUNT]
    without_phone, without_document = _SHARES[name.kind]
    kind = digest[0] % 8
    if kind < without_phone:
        return Recovery(surface=Surface.PC, shown=name.shown, account=account)
    number, shown = _number(name, PREFIXES[numbers], digest)
    return Recovery(
        surface=Surface.PC,
        shown=name.shown,
        account=account,
        number=number,
        number_shown=shown,
        document_shown="" if kind < without_phone + without_document else _document(name, digest),
    )


def _number(name: TypedName, prefixes: Sequence[str], digest: bytes) -> tuple[str, str]:
    if name.kind is IdentifierKind.PHONE:
        typed = name.identifiers[0].value[-1]
        return typed, masks.mask_phone(typed)
    last = _digits(digest[2:8], 4)
    prefix = prefixes[digest[1] % len(prefixes)]
    # Eleven digits, and no number: those begin with 13 to 19.
    return f"10{_digits(digest[8:16], 9)}", masks.mask_phone(f"{prefix}0000{last}")


def _document(name: TypedName, digest: bytes) -> str:
    if name.kind is IdentifierKind.DOCUMENT:
        return masks.mask_document(name.identifiers[0].value[-1])
    if not digest[26] % 4:
        # A number that was not used for long.
        return HIDDEN_DOCUMENT
    if not digest[16] % 32:
        # A permit, of which less is shown.
        return masks.mask_document(f"H{_digits(digest[17:25], 8)}")
    check = "0123456789X"[digest[25] % 11]
    return masks.mask_document(f"{'0' * 14}{_digits(digest[17:25], 3)}{check}")


def _digits(octets: bytes, count: int) -> str:
    return f"{int.from_bytes(octets, 'big') % 10**count:0{count}d}"
