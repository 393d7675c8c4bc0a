"""Which web pages may use the server: browsers say in `Origin` whose page it is that asks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from actrec.serve.address import is_loopback
from actrec.types import ActrecError

_ORIGIN = re.compile(r"https?://(\[[0-9a-fA-F:.]+\]|[^\s/:@?#*]+)(:\d{1,5})?")
_PORTS = {"http": 80, "https": 443}


def checked_origins(origins: str | Sequence[str] | None) -> tuple[str, ...]:
    """The origins that the setting `origins` lists, in lower case.

    Raises:
        ActrecError: One is no origin.
    """
    given = [origins] if isinstance(origins, str) else list(origins or ())
    found = tuple(str(origin).strip().lower().removesuffix("/") for origin in given)
    for origin in found:
        if origin != "*" and not _ORIGIN.fullmatch(origin):
            raise ActrecError(
                f"origins has '{origin}'; expected scheme and host, such as https://gym.example.org or "
                "http://localhost:3000, or '*' for every page."
            )
    return found


@dataclass(frozen=True)
class Origins:
    """Which pages may use the server: its own, and those of the listed origins.

    A browser lets any page send requests to any server, localhost too, and open WebSockets to it without asking first;
    what tells them apart is the header `Origin`, which pages cannot forge. Programs other than browsers send none, and
    are let in. A server that listens on this machine alone takes a page for its own only under a name of this machine:
    a name of somebody else's domain that is pointed to 127.0.0.1 (DNS rebinding) would pass for its own otherwise.

    Attributes:
        listed: Origins of other pages, "*" for all.
        local: Whether the server listens on this machine alone.
    """

    listed: tuple[str, ...] = field(default=())
    local: bool = True

    def admits(self, origin: str | None, host: str | None) -> bool:
        """Whether a request with those headers is taken."""
        if origin is None or "*" in self.listed or origin.lower() in self.listed:
            return True
        try:
            theirs, ours = urlsplit(origin.lower()), urlsplit(f"{urlsplit(origin).scheme}://{(host or '').lower()}")
            own = theirs.hostname is not None and _place(theirs) == _place(ours)
        except ValueError:  # no port at all, or a broken IPv6 address
            return False
        return own and (not self.local or is_loopback(theirs.hostname or ""))


def _place(parts: object) -> tuple[str | None, int | None]:
    scheme, hostname, port = (getattr(parts, name) for name in ("scheme", "hostname", "port"))
    return hostname, port or _PORTS.get(scheme)
