"""Binds the server's socket before the model is loaded, so that a port in use is reported at once."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from typing import Any

from actrec.types import ActrecError

_LAST_PORT = 65_535
_EVERY = ("0.0.0.0", "::")


def bound_socket(host: str, port: Any) -> socket.socket:
    """Binds a TCP socket, to a free port for 0; clients are refused until `listen` is called.

    Raises:
        ActrecError: There is no such port or host, or the port is in use or not permitted.
    """
    if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port <= _LAST_PORT:
        raise ActrecError(f"port is {port!r}; expected a whole number from 1 to {_LAST_PORT}, or 0 for a free one.")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise _no_host(host) from None
    family, kind, protocol, _, place = found[0]
    sock = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":  # allows a port that was just closed; on Windows it would allow one that is in use
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(place)
    except OSError as error:
        sock.close()
        raise _refused(error, host, port) from None
    return sock


def listen(sock: socket.socket, host: str) -> None:
    """Starts to listen on a bound socket; connections wait until the server accepts them.

    Raises:
        ActrecError: Another program has started to listen on the port meanwhile.
    """
    try:
        sock.listen(2048)
    except OSError as error:
        raise _refused(error, host, port_of(sock)) from None


def port_of(sock: socket.socket) -> int:
    """Returns the port that a socket is bound to."""
    return int(sock.getsockname()[1])


def is_loopback(host: str) -> bool:
    """Returns whether a host name or address is reachable only from this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a host name: "127.example.org" may be any machine
        return host.lower() == "localhost"


def address_of(sock: socket.socket, host: str) -> str:
    """Returns the address of the live page."""
    shown = "localhost" if host in _EVERY else f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port_of(sock)}/"


def _refused(error: OSError, host: str, port: int) -> ActrecError:
    if error.errno == errno.EADDRINUSE:
        return ActrecError(
            f"port={port} of host={host} is in use by another program. Give another port=…, or port=0 for one that is "
            "free."
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return ActrecError(f"port={port} needs the rights of an administrator. Give one from 1024 on, such as 8000.")
    if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
        return _no_host(host)
    return ActrecError(f"The server cannot listen on port={port} of host={host}: {error.strerror or error}.")


def _no_host(host: str) -> ActrecError:
    return ActrecError(
        f"host={host} is no address of this machine. Give 127.0.0.1 for this machine only, or 0.0.0.0 for all its "
        "networks."
    )
