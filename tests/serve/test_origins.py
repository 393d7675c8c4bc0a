"""Which web pages may use the server."""

from __future__ import annotations

import pytest

from actrec.serve.origins import Origins, checked_origins
from actrec.types import ActrecError


@pytest.mark.parametrize(
    ("origin", "host", "admitted"),
    [
        (None, "127.0.0.1:8000", True),  # no browser
        ("http://127.0.0.1:8000", "127.0.0.1:8000", True),
        ("http://localhost:8000", "localhost:8000", True),
        ("http://[::1]:8000", "[::1]:8000", True),
        ("http://localhost", "localhost:80", True),
        ("HTTP://LocalHost:8000", "localhost:8000", True),
        ("https://evil.example", "127.0.0.1:8000", False),
        ("http://localhost:3000", "localhost:8000", False),
        ("http://evil.example:8000", "evil.example:8000", False),  # a name that is pointed to 127.0.0.1
        ("http://127.evil.example:8000", "127.evil.example:8000", False),
        ("null", "127.0.0.1:8000", False),
        ("", "127.0.0.1:8000", False),
        ("http://127.0.0.1:8000", None, False),
        ("http://[::1", "[::1", False),
        ("http://localhost:99999999", "localhost:99999999", False),
    ],
)
def test_only_the_servers_own_page_may_use_it(origin: str | None, host: str | None, admitted: bool) -> None:
    assert Origins().admits(origin, host) is admitted


def test_a_server_for_others_is_used_by_its_page_under_any_name() -> None:
    assert Origins(local=False).admits("https://gym.example.org", "gym.example.org")
    assert not Origins(local=False).admits("https://evil.example", "gym.example.org")


def test_listed_pages_may_use_it() -> None:
    origins = Origins(checked_origins(["https://Gym.example.org/", "http://localhost:3000"]))
    assert origins.admits("https://gym.example.org", "127.0.0.1:8000")
    assert not origins.admits("http://gym.example.org", "127.0.0.1:8000")
    assert Origins(checked_origins("*")).admits("https://anybody.example", "127.0.0.1:8000")
    assert checked_origins(None) == ()


@pytest.mark.parametrize("origin", ["gym.example.org", "https://gym.example.org/path", "ftp://x", "https://*.x", ""])
def test_what_is_no_origin_is_told(origin: str) -> None:
    with pytest.raises(ActrecError, match="expected scheme and host"):
        checked_origins([origin])
