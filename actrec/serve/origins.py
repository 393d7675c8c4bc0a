"""Decides which web pages may use the server, by the header `Origin` that browsers send."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from actrec.serve.address import is_loopback
from actrec.types import ActrecError

_ORIGIN = re.compile(r"https?://(\[[0-9a-fA-F:.]+\]|[^\s/:@?#*]+)(:\d{1,5})?")
_PORTS = {"http": 80, "https": 443}


def checked_origins(origins: str | Sequence[str] | None) -> tuple[str, ...]:
    """Checks the setting `origins`, and returns it in lower case."""
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
    """The web pages that may use the server: its own, and those of the listed origins.

    A browser lets any page send requests and open WebSockets to any server, including localhost. The header `Origin`,
    which pages cannot forge, names the page. Programs other than browsers do not send it, and are admitted. If
    the server listens only on this machine, its own page must have a name of this machine as host; otherwise a foreign
    domain that resolves to 127.0.0.1 (DNS rebinding) would be admitted.
    """

    listed: tuple[str, ...] = ()  # origins of other pages; "*" for all
    local: bool = True  # whether the server listens only on this machine

    def admits(self, origin: str | None, host: str | None) -> bool:
        """Returns whether a request with these headers is admitted."""
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
