"""An address database in MaxMind's format (MaxMind DB file format 2.0), small enough to be written by hand.

Owns the writing of IPv4 trees with records of 24 bits; the program under test reads the file with the real reader.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from pathlib import Path

Value = str | int | Mapping[str, "Value"] | Sequence["Value"]

_STRING, _UINT16, _UINT32, _MAP, _UINT64, _ARRAY = 2, 5, 6, 7, 9, 11
_WIDTHS = {"node_count": _UINT32, "build_epoch": _UINT64}
"""The type of each number in the metadata that is no 16-bit one."""
_SEPARATOR = bytes(16)
_NO_CHILD = -1


def write(path: Path, places: Mapping[str, Value]) -> Path:
    """Write a database that knows ``places`` by network, ``203.0.113.0/24`` for example; return its path."""
    nodes: list[list[int]] = [[_NO_CHILD, _NO_CHILD]]
    data = bytearray()
    leaves: dict[tuple[int, int], int] = {}
    for network, record in places.items():
        net = ipaddress.IPv4Network(network)
        bits = f"{int(net.network_address):032b}"[: net.prefixlen]
        at = 0
        for bit in map(int, bits[:-1]):
            if nodes[at][bit] == _NO_CHILD:
                nodes.append([_NO_CHILD, _NO_CHILD])
                nodes[at][bit] = len(nodes) - 1
            at = nodes[at][bit]
        leaves[at, int(bits[-1])] = len(data)
        data += _encoded(record)
    tree = bytearray()
    for number, children in enumerate(nodes):
        for bit, child in enumerate(children):
            offset = leaves.get((number, bit))
            pointer = len(nodes) + len(_SEPARATOR) + offset if offset is not None else child
            tree += (len(nodes) if pointer == _NO_CHILD else pointer).to_bytes(3, "big")
    metadata: Mapping[str, Value] = {
        "node_count": len(nodes),
        "record_size": 24,
        "ip_version": 4,
        "database_type": "Test-City",
        "languages": ["zh-CN"],
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": 1,
        "description": {"zh-CN": "test"},
    }
    path.write_bytes(bytes(tree) + _SEPARATOR + bytes(data) + b"\xab\xcd\xefMaxMind.com" + _encoded(metadata))
    return path


def _encoded(value: Value, number: int = _UINT16) -> bytes:
    if isinstance(value, str):
        octets = value.encode()
        return _control(_STRING, len(octets)) + octets
    if isinstance(value, int):
        octets = value.to_bytes((value.bit_length() + 7) // 8, "big")
        return _control(number, len(octets)) + octets
    if isinstance(value, Mapping):
        inside = (_encoded(key) + _encoded(item, _WIDTHS.get(key, _UINT16)) for key, item in value.items())
        return _control(_MAP, len(value)) + b"".join(inside)
    return _control(_ARRAY, len(value)) + b"".join(_encoded(item) for item in value)


def _control(kind: int, size: int) -> bytes:
    longest = 28
    assert size <= longest, "longer values are not needed here"
    return bytes([kind << 5 | size]) if kind <= _MAP else bytes([size, kind - _MAP])
