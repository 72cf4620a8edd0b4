"""The port of a server, and its certificate.

Owns how a port is taken: by one process alone, or by several of one server together and by nobody else. Called by
``server``.
"""

from __future__ import annotations

import socket
import ssl

from bjidp.config.settings import Server


def hold(server: Server) -> socket.socket:
    """Take the port for the workers: a socket that never listens, to be kept open for as long as they are."""
    # The kernel lets any program of the same user join a shared port, another server's workers among them. To who
    # would have it alone it says no.
    bind(server, shared=False).close()
    holder = bind(server, shared=True)
    # Without this, whoever asks for the port alone gets it while no worker listens, and the workers never again.
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    return holder


def bind(server: Server, *, shared: bool) -> socket.socket:
    """Take the port, without listening yet: alone, or together with whoever else takes it ``shared``."""
    host, port = server.listen_host, server.listen_port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((host, port))
    except OSError as fault:
        listener.close()
        raise OSError(f"cannot listen on {host}, port {port}: {fault.strerror}") from fault
    return listener


def tls_context(server: Server) -> ssl.SSLContext | None:
    """Return what connections are encrypted with, or None where they are not."""
    certificate, key = server.tls_certificate, server.tls_key
    if certificate is None or key is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context
