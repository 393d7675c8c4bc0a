"""Reads pickles of arrays without executing code from them.

A pickle names functions and classes to call; only those of numpy arrays and builtin containers are allowed.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from actrec.types import ActrecError


def load_pickle(file: Path) -> Any:
    """Loads numpy arrays and builtin containers; raises an ActrecError for a damaged pickle or anything else."""
    try:
        with file.open("rb") as stream:
            return _DataUnpickler(stream).load()
    except ActrecError as error:
        raise ActrecError(f"{file}: {error}") from None
    except Exception as error:  # a damaged pickle can raise anything
        raise ActrecError(
            f"{file} cannot be read as a pickle ({error!r}); it may be cut short. Get it again."
        ) from None


class _DataUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        admitted = _ADMITTED.get((module.replace("numpy.core.", "numpy._core."), name))
        if admitted is None:
            raise ActrecError(
                f"this pickle asks for {module}.{name}, which is not data; only numpy arrays and builtin containers "
                "are read, and none of its code was executed. Do not trust this file."
            )
        return admitted


def _array_global(array: ndarray | np.generic, protocol: int) -> Callable[..., Any]:
    """Returns the function that numpy's pickles of such an object call, wherever this version of numpy has it."""
    rebuild: Callable[..., Any] = array.__reduce_ex__(protocol)[0]  # type: ignore[assignment]
    return rebuild


def _latin1(text: str, encoding: str) -> bytes:
    """Encodes bytes as protocol 2 does: `_codecs.encode(text, "latin1")`."""
    if encoding != "latin1":
        raise ActrecError(f"this pickle asks for the codec {encoding}; only latin1 is data.")
    return text.encode("latin1")


_ADMITTED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy._core.multiarray", "_reconstruct"): _array_global(np.zeros(1), 2),
    ("numpy._core.multiarray", "scalar"): _array_global(np.float64(0), 2),
    ("numpy._core.numeric", "_frombuffer"): _array_global(np.zeros(1), 5),
    ("_codecs", "encode"): _latin1,
    **{("builtins", kind.__name__): kind for kind in (dict, list, tuple, set, frozenset, bytes, bytearray)},
}
