"""Checks the options of the importer of keypoint files."""

from __future__ import annotations

from collections.abc import Mapping

from actrec.types import FARTHEST, ActrecError

_NUMBERS = {  # the greatest value of each option, and its unit
    "settle": (2.0, "seconds"),
    "min_presence": (1.0, "as a share of the frames"),
    "gap": (float("inf"), "seconds"),
}


def check_options(options: Mapping[str, object]) -> None:
    """Raises an ActrecError that names the first option whose value is none.

    Args:
        options: `width`, `height`, `padded`, `settle`, `min_presence` and `gap`.
    """
    for name in ("width", "height"):
        value = options[name]
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= FARTHEST:
            raise ActrecError(
                f"{name} is {value!r}; expected a whole number of pixels, at most {FARTHEST:,.0f}, or 0 if it is not "
                "known."
            )
    if not isinstance(options["padded"], bool):
        raise ActrecError(f"padded is {options['padded']!r}; expected true or false.")
    for name, (most, unit) in _NUMBERS.items():
        value = options[name]
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
            limit = "0 or more" if most == float("inf") else f"0 to {most:g}"
            raise ActrecError(f"{name} is {value!r}; expected {limit}, {unit}.")
