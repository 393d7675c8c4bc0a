from __future__ import annotations

from pathlib import Path

import pytest

from actrec.training.history import read_history
from actrec.types import ActrecError


def test_history_may_have_empty_columns(tmp_path: Path) -> None:
    file = tmp_path / "history.csv"
    file.write_text("epoch,lr,val/accuracy\n0,0.01,\n1,0.02,0.75\n")
    assert read_history(file) == [{"epoch": 0, "lr": 0.01}, {"epoch": 1, "lr": 0.02, "val/accuracy": 0.75}]


@pytest.mark.parametrize("text", ["step,train/loss\n1,2\n", "epoch,train/loss\n0,much\n", "epoch,lr\n0,1,2\n"])
def test_history_of_something_else(tmp_path: Path, text: str) -> None:
    file = tmp_path / "metrics.csv"
    file.write_text(text)
    with pytest.raises(ActrecError, match="Row 2"):
        read_history(file)
