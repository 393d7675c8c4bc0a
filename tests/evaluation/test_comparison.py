from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

import actrec.compare
from actrec.evaluation.comparison import compare_runs, compare_sides, mcnemar, read_correct
from actrec.evaluation.predictions import ClipPrediction, write_predictions
from actrec.pipeline.observation import RATIOS
from actrec.types import ActrecError

Run = Callable[..., tuple[int, str, str]]


def make_run(folder: Path, right: np.ndarray, labels: Sequence[str] | None = None) -> Path:
    """A run that was right on clip i at ratio j where `right[i, j]`."""
    clips = []
    for number, row in enumerate(right):
        true = "squat" if labels is None else str(labels[number])
        label = true if row[-1] else "another"
        correct_at = {str(ratio): bool(value) for ratio, value in zip(RATIOS, row, strict=True)}
        clips.append(ClipPrediction(f"{number:02}", f"g{number // 2}", true, label, 0.5, correct_at))
    folder.mkdir()
    write_predictions(folder / "predictions.csv", clips)
    return folder


def test_what_is_read_is_what_was_right(tmp_path: Path) -> None:
    right = np.random.default_rng(0).random((20, 10)) < 0.5
    groups, correct = read_correct(make_run(tmp_path / "a", right))
    np.testing.assert_array_equal(correct, right)
    assert groups["05"] == "g2"


def test_table_has_means_over_seeds_and_their_difference(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    right = {name: rng.random((20, 10)) < share for name, share in {"a": 0.9, "b": 0.8, "c": 0.5}.items()}
    runs = {name: make_run(tmp_path / name, values) for name, values in right.items()}
    lines = compare_sides([runs["a"], runs["b"]], [runs["c"]]).splitlines()
    assert len(lines) == 1 + 10 + 1 + 1
    first, second = (right["a"].mean() + right["b"].mean()) / 2, right["c"].mean()
    assert lines[-2].startswith(f"AUC               {first:.4f}   {second:.4f}   {first - second:+.4f} (")
    tenth = (right["a"][:, 0].mean() + right["b"][:, 0].mean()) / 2
    assert lines[1].startswith(f"accuracy at 10%   {tenth:.4f}   {right['c'][:, 0].mean():.4f}   ")
    same = compare_sides([runs["a"]], [runs["a"]]).splitlines()[-2]
    assert same.endswith("+0.0000 (+0.0000 to +0.0000)")


def test_the_clips_of_excluded_labels_are_left_out(run_command: Run, tmp_path: Path) -> None:
    """The command prints of the clips that are left what it prints of runs on these alone."""
    rng = np.random.default_rng(3)
    labels = np.array(["squat", "wave", "lunge"]).repeat(6)
    right = {name: rng.random((18, 10)) < 0.6 for name in ("a", "b")}
    kept = labels != "wave"
    every, some = (
        [
            make_run(tmp_path / f"{name}_{chosen.sum()}", values[chosen], labels[chosen])
            for name, values in right.items()
        ]
        for chosen in (np.ones(18, dtype=bool), kept)
    )
    assert compare_runs(every, ["wave"]).splitlines()[0].startswith("12 clips")
    assert compare_sides(every[:1], every[1:], ["wave"]) == compare_sides(some[:1], some[1:])
    assert compare_sides(every[:1], every[1:]) != compare_sides(some[:1], some[1:])
    _, out, _ = run_command(actrec.compare.run, f"runs=[{every[0]}]", f"against=[{every[1]}]", "exclude_labels=[wave]")
    assert compare_sides(some[:1], some[1:]) in out
    with pytest.raises(ActrecError, match="has the label 'wav', which exclude_labels names"):
        compare_runs(every, ["wav"])
    with pytest.raises(ActrecError, match="exclude_labels leaves out all clips"):
        compare_runs(every, ["squat", "wave", "lunge"])


def test_runs_on_other_clips_are_named(tmp_path: Path) -> None:
    one, other = (make_run(tmp_path / str(n), np.ones((n, 10), dtype=bool)) for n in (4, 5))
    with pytest.raises(ActrecError, match="not the same"):
        compare_sides([one], [other])
    with pytest.raises(ActrecError, match="at least one run"):
        compare_sides([], [other])
    with pytest.raises(ActrecError, match=r"no '.*predictions\.csv'"):
        compare_sides([one], [tmp_path / "nowhere"])
    (one / "predictions.csv").write_text("clip_id,group,correct\na,g,true\n")
    with pytest.raises(ActrecError, match=r"no column 'correct_0\.1'"):
        compare_sides([one], [other])


def test_mcnemar_is_the_exact_two_sided_sign_test_of_the_clips_that_differ() -> None:
    a, b = np.ones(20, dtype=bool), np.ones(20, dtype=bool)
    assert mcnemar(a, b) == (0, 0, 1.0)
    b[:6], a[6] = False, False
    assert mcnemar(a, b) == (6, 1, pytest.approx(2 * (1 + 7) / 2**7))
    assert mcnemar(b, a)[:2] == (1, 6)


def test_several_runs_stand_side_by_side(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    right = {name: rng.random((200, 10)) < share for name, share in {"a": 0.9, "b": 0.88, "c": 0.5}.items()}
    runs = [make_run(tmp_path / name, values) for name, values in right.items()]
    header, *lines = compare_runs(runs).splitlines()
    assert header.startswith("200 clips")
    for line, values in zip(lines, right.values(), strict=True):
        assert f"  {values[:, -1].mean():.4f}    {values.mean():.4f}" in line
    ahead = right["c"][:, -1].mean() - right["a"][:, -1].mean()
    assert f"  {ahead:+.4f} (" in lines[2]
    p_of_b, p_of_c = (float(line.split()[-1]) for line in lines[1:])
    assert p_of_c < 1e-6 < 0.01 < p_of_b
    with pytest.raises(ActrecError, match="several runs"):
        compare_runs(runs[:1])


def test_command_prints_the_table(run_command: object, tmp_path: Path) -> None:
    folder = make_run(tmp_path / "a", np.ones((3, 10), dtype=bool))
    code, out, _ = run_command(actrec.compare.run, f"runs=[{folder}]", f"against=[{folder}]")
    assert code == 0
    assert "AUC               1.0000   1.0000   +0.0000" in out
