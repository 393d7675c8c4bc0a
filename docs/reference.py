"""Writes docs/config.md from conf/ and the docstrings of the classes that it constructs: `python docs/reference.py`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import yaml
from hydra.utils import get_method

ROOT = Path(__file__).parents[1]
_KEY = re.compile(r"^(?P<indent> *)(?P<key>[\w/]+):(?P<value>.*?)(?:\s#\s(?P<comment>.*))?$")
_ENTRY = re.compile(r"^(?P<name>\w+): (?P<text>.+)$")
_LEFT_OUT = ("defaults", "hydra", "_target_", "_partial_")
_HEAD = """# Config reference

This page lists all commands and config groups with their keys and defaults. It is generated from `conf/` and from the
docstrings of the classes that it constructs: do not edit it, run `make docs`.

A command composes its root config (`train` for `actrec train`) from one option of each group. `group=option`
chooses another option, and `key=value` sets a value. A key that does not exist is an error that names the nearest one.
Keys of a group begin with its name, as in `network.dim=48`. A default `${…}` takes its value from the key in braces;
`???` means that a value must be given. [Configuration](configuration.md) explains this with examples.
"""


def main() -> None:
    (ROOT / "docs" / "config.md").write_text(reference())


def reference() -> str:
    """Returns the text of docs/config.md."""
    roots = sorted((ROOT / "conf").glob("*.yaml"))
    groups = sorted(path for path in (ROOT / "conf").iterdir() if path.is_dir() and path.name != "hydra")
    parts = [_HEAD, "## Commands\n"]
    parts += [f"### {path.stem}\n\n{_section(path)}" for path in roots]
    for group in groups:
        parts.append(f"## {group.name}\n")
        parts += [f"### {group.name}={path.stem}\n\n{_section(path)}" for path in sorted(group.glob("*.yaml"))]
    return "\n".join(parts)


def _section(path: Path) -> str:
    text = path.read_text()
    lines = text.splitlines()
    remarks = [line.removeprefix("# ") for line in lines if line.startswith("# ") and "@package" not in line]
    node = yaml.safe_load(text) or {}
    defaults = [_default(each) for each in node.get("defaults", []) if each != "_self_" and "hydra/" not in str(each)]
    shown = [" ".join(remarks)] if remarks else []
    if defaults:
        shown.append(f"Composed of {', '.join(defaults)}.")
    if target := node.get("_target_"):
        shown.append(f"Constructs `{target}`.")
    rows = [f"| `{key}` | {value} | {what} |" for key, value, what in _rows(path)]
    if rows:
        shown.append("\n".join(["| key | default | meaning |", "|---|---|---|", *rows]))
    return "\n\n".join(shown) + "\n"


def _default(entry: object) -> str:
    if isinstance(entry, str):
        return f"`{entry}`"
    ((key, value),) = dict(entry).items()  # type: ignore[call-overload]
    value = list(value) if not isinstance(value, str | None) else value
    shown = "null" if value is None else f"[{', '.join(value)}]" if isinstance(value, list) else value
    return f"`{key.removeprefix('override ').removeprefix('/')}={shown}`"


def _rows(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yields dotted key, default and description of each value in a file."""
    node, above = yaml.safe_load(path.read_text()) or {}, list[str]()
    for line in path.read_text().splitlines():
        match = _KEY.match(line)
        if not match:
            continue
        del above[len(match["indent"]) // 2 :]
        above.append(match["key"])
        if above[0] in _LEFT_OUT or above[-1] in _LEFT_OUT:
            continue
        value = match["value"].strip()
        inside = node
        for key in above[:-1]:
            inside = inside.get(key) if isinstance(inside, dict) else None
        if not isinstance(inside, dict):  # an item of a list
            continue
        described = match["comment"] or _described(inside.get("_target_"), above[-1])
        if value or described:
            shown = f"`{value}`" if value and value != ">-" else ""
            yield ".".join(above), shown.replace("|", "\\|"), described.replace("|", "\\|")


def _described(target: str | None, name: str) -> str:
    """Returns what the docstring of one of our classes says about an argument, or an empty string."""
    if target is None or not target.startswith("actrec."):
        return ""
    lines = inspect.cleandoc(get_method(target).__doc__ or "").splitlines()
    found: dict[str, str] = {}
    current = ""
    for line in lines:
        entry = _ENTRY.match(line.strip()) if line.startswith("    ") and not line.startswith("     ") else None
        if entry:
            current = entry["name"]
            found[current] = entry["text"]
        elif line.startswith("     ") and current:
            found[current] += f" {line.strip()}"
        else:
            current = ""
    return found.get(name, "")


if __name__ == "__main__":
    main()
