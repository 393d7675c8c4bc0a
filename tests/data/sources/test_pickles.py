from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from actrec.data.sources.pickles import load_pickle
from actrec.types import ActrecError


def test_pickles_of_older_numpy_are_read(tmp_path: Path) -> None:
    content = pickle.dumps(np.arange(6.0).reshape(2, 3), 2)
    older = content.replace(b"numpy._core.", b"numpy.core.")
    assert older != content
    (tmp_path / "old.pkl").write_bytes(older)
    np.testing.assert_array_equal(load_pickle(tmp_path / "old.pkl"), np.arange(6.0).reshape(2, 3))


def test_dotted_names_reach_nothing(tmp_path: Path) -> None:
    file = tmp_path / "evil.pkl"
    file.write_bytes(b"\x80\x04\x8c\x08builtins\x8c\x0elist.__class__\x93.")
    with pytest.raises(ActrecError, match=r"builtins\.list\.__class__, which is not data"):
        load_pickle(file)


@pytest.mark.parametrize("content", [b"", b"hello", pickle.dumps({"a": np.zeros(100)})[:500]])
def test_a_damaged_pickle(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.pkl").write_bytes(content)
    with pytest.raises(ActrecError, match="cannot be read as a pickle"):
        load_pickle(tmp_path / "a.pkl")
