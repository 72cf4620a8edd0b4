"""The network is closed: tests reach loopback and Unix sockets, nothing else.

An audit hook sees every connect, datagram and name look-up that the interpreter makes, whoever asks for it (PEP 578).
C libraries with sockets of their own (libpq, the browser) are outside its reach; the addresses they are given
come from this folder.
"""

from __future__ import annotations

import ipaddress
import sys


class NetworkClosed(RuntimeError):
    """A test tried to leave this machine. Not an OSError, so that no client takes it for a vendor being down."""


def is_local(host: object) -> bool:
    """Tell whether a host, as handed to a socket or a look-up, is this machine."""
    if host is None:
        return True
    name = host.decode("idna") if isinstance(host, bytes) else str(host)
    if name in {"", "localhost"} or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _refuse(event: str, args: tuple[object, ...]) -> None:
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        address = args[1]
        # A Unix socket's address is text or bytes; an internet address is a tuple that starts with the host.
        host = address[0] if isinstance(address, tuple) else None
    elif event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        host = args[0]
    else:
        return
    if not is_local(host):
        raise NetworkClosed(f"tests may not leave this machine: {event} to {host!r}")


def close() -> None:
    """Close the network for the rest of this process; there is no way back, which is the point."""
    sys.addaudithook(_refuse)
