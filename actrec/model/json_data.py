"""Checks plain data from a file, such as a model folder's configuration, and constructs dataclasses from it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from typing import Any, TypeVar

from actrec.types import ActrecError

T = TypeVar("T")


def parse_object(text: str) -> dict[str, Any]:
    """Parses a text as a JSON object; raises an ActrecError if it is no JSON, or no object."""
    try:
        data: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ActrecError(f"it is not JSON ({error})") from None
    if not isinstance(data, dict):
        raise ActrecError(f"it is a JSON {type(data).__name__}, expected an object")
    return data


def check_finite(value: Any, name: str) -> None:
    """Raises an ActrecError if a number in a nested value is NaN or infinite."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ActrecError(f"'{name}' is {value}, expected a finite number")
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        check_finite(part, f"{name}.{key}")


def taken(data: Mapping[str, Any], name: str, kind: type[T]) -> T:
    """Returns the value of a key and checks its type; a whole number is converted where a float is expected.

    Raises:
        ActrecError: The key is missing, or its value has another type.
    """
    if name not in data:
        raise ActrecError(f"'{name}' is missing")
    value = data[name]
    if kind is float and type(value) is int and abs(value) < 1e15:
        value = float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ActrecError(f"'{name}' is {str(value)[:40]!r}, expected {kind.__name__}")
    return value


def made(kind: type[T], data: Mapping[str, Any], name: str) -> T:
    """Constructs a dataclass from `data`, the section `name` of a file; fields with a default may be missing.

    Raises:
        ActrecError: A field is unknown, missing, or of another type than its default, or the values are refused.
    """
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(data) - set(known))
    if unknown:
        raise ActrecError(f"'{name}' has the unknown key '{unknown[0]}', expected some of: {', '.join(known)}")
    for key, value in data.items():
        _check_type(known[key], value, f"{name}.{key}")
    try:
        return kind(**data)
    except TypeError as error:
        raise ActrecError(f"'{name}' does not fit ({error})") from None


def _check_type(field: Field[Any], value: Any, name: str) -> None:
    default = field.default
    numbers = isinstance(default, float) or (default is None and value is not None)
    if default is MISSING or (numbers and type(value) in (int, float)):
        return
    sequence = isinstance(default, tuple) and isinstance(value, list)
    if numbers or not (type(value) is type(default) or sequence):
        raise ActrecError(f"'{name}' is {str(value)[:40]!r}, expected a value like {default!r}")
    if sequence and not all(type(each) in (int, float) for each in value):
        raise ActrecError(f"'{name}' is {str(value)[:40]}, expected numbers")
