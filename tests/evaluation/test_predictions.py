from __future__ import annotations

import csv
from pathlib import Path

from actrec.evaluation.predictions import ClipPrediction, write_predictions
from actrec.evaluation.results import Results


def test_predictions_have_a_row_a_clip(results: Results, tmp_path: Path) -> None:
    file = tmp_path / "predictions.csv"
    last = ClipPrediction('a,"b', "g", "label_0", "label_1", 0.25, {"0.1": True, "1.0": False})
    write_predictions(file, [*results.predictions, last])
    with file.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["clip_id", "group", "label", "prediction", "probability", "correct", "correct_0.1"]
    assert len(rows) == 25
    assert [row["correct"] for row in rows].count("false") == 4
    assert rows[-1]["clip_id"] == 'a,"b'
    assert rows[-1]["correct_0.1"] == "true"
    assert float(rows[-1]["probability"]) == 0.25
