"""Where the server listens, and what is said where it cannot."""

from __future__ import annotations

import errno
import os
import re
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from actrec.serve.address import address_of, bound_socket, is_loopback, listen, port_of
from actrec.types import ActrecError


@pytest.mark.parametrize("port", [-1, 65_536, 80_000, 10**30, 1.5, True, "8000", None])
def test_an_impossible_port_is_told(port: Any) -> None:
    with pytest.raises(ActrecError, match="expected a whole number from 1 to 65535"):
        bound_socket("127.0.0.1", port)


def test_a_taken_port_is_told_whether_it_is_listened_to_before_or_meanwhile() -> None:
    with bound_socket("127.0.0.1", 0) as first:
        listen(first, "127.0.0.1")
        with pytest.raises(ActrecError, match=f"port={port_of(first)} of host=127.0.0.1 is in use"):
            bound_socket("127.0.0.1", port_of(first))
    with bound_socket("127.0.0.1", 0) as first, bound_socket("127.0.0.1", port_of(first)) as second:
        listen(first, "127.0.0.1")
        with pytest.raises(ActrecError, match="in use by another program"):
            listen(second, "127.0.0.1")


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.7", "a" * 300, "\ud800"])
def test_a_host_that_is_not_this_machine_is_told(host: str) -> None:
    with pytest.raises(ActrecError, match="is no address of this machine"):
        bound_socket(host, 0)


def test_a_port_without_the_rights_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: socket.socket, __: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("actrec.serve.address.socket.socket.bind", refuse)
    with pytest.raises(ActrecError, match="port=80 needs the rights of an administrator"):
        bound_socket("127.0.0.1", 80)


def test_the_address_has_the_port_that_is_in_use() -> None:
    with bound_socket("127.0.0.1", 0) as sock:
        assert address_of(sock, "127.0.0.1") == f"http://127.0.0.1:{sock.getsockname()[1]}/"
        assert address_of(sock, "0.0.0.0") == f"http://localhost:{port_of(sock)}/"
        assert address_of(sock, "::1") == f"http://[::1]:{port_of(sock)}/"


@pytest.mark.parametrize(
    ("host", "local"),
    [
        *(("127.0.0.1", True), ("127.8.0.1", True), ("::1", True), ("Localhost", True), ("0.0.0.0", False)),
        *(("127.example.org", False), ("::", False), ("192.168.1.5", False), ("example.org", False)),
    ],
)
def test_a_loopback_host_is_known_for_one(host: str, local: bool) -> None:
    assert is_loopback(host) is local


def _serve(model: Path, *overrides: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-u", "-m", "actrec.serve", f"model={model}", "pose=null", *overrides]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ))


def test_a_server_on_a_taken_port_says_one_sentence_and_announces_nothing(noise_model: Path) -> None:
    with bound_socket("127.0.0.1", 0) as taken:
        listen(taken, "127.0.0.1")
        port = port_of(taken)
        with _serve(noise_model, f"port={port}") as process:
            out, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "live page" not in out
    assert err.strip().count("\n") == 0
    assert f"error: port={port} of host=127.0.0.1 is in use by another program." in err


def test_a_server_announces_the_port_that_it_listens_on(noise_model: Path) -> None:
    with _serve(noise_model, "port=0") as process:
        assert process.stdout is not None
        said = next(line for line in process.stdout if "live page" in line)
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", said)
        assert found is not None
        with urllib.request.urlopen(f"{found[0]}healthz", timeout=20) as answer:  # at once: it is there
            assert answer.status == 200
        process.terminate()
        process.communicate(timeout=60)
    assert int(found[1]) > 0
