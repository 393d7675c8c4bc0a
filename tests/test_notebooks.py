"""Each notebook runs from top to bottom, on fewer clips than it has for people to look at."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
FEWER = [
    (r"Synthetic\(n_clips=\d\d\d+", "Synthetic(n_clips=84"),
    (r"n_clips([=-])700", r"n_clips\g<1>140"),
    (r"epochs([=-])[48]", r"epochs\g<1>1"),
]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def test_they_run_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One test, as the second leaves the model of the next two."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    folder = tmp_path / "project" / "notebooks"
    folder.mkdir(parents=True)
    for file in NOTEBOOKS:
        notebook = nbformat.read(file, 4)
        for cell in notebook.cells:
            for pattern, fewer in FEWER:
                cell.source = re.sub(pattern, fewer, cell.source)
        NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_it_can_be_read_as_it_is(file: Path) -> None:
    notebook = nbformat.read(file, 4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert any(output.get("data", {}).get("image/png") for cell in code for output in cell.outputs)
    assert not any(output.get("name") == "stderr" for cell in code for output in cell.outputs)
    assert not any(re.match(r"(def|class) ", line) for cell in code for line in cell.source.splitlines())
    assert file.stat().st_size < 1_000_000
