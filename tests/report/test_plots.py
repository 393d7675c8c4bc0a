from __future__ import annotations

import io
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from actrec.drawing.colors import DARK, LIGHT, Theme
from actrec.evaluation.metrics import summarize
from actrec.report.explanation import forecast_curve
from actrec.report.plots import class_bars, confusion_matrix, learning_curves, observation_curve

LONG = [f"a_class_with_a_long_name_{k}" for k in range(15)]


def _png(figure: Figure) -> np.ndarray:
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=50)
    data.seek(0)
    return mpl.image.imread(data)


def _texts(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def _assert_nothing_clipped(figure: Figure, theme: Theme) -> None:
    """The outermost pixels are all of the surface's colour."""
    pixels = _png(figure)[..., :3]
    surface = np.array([int(theme.surface[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    for edge in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]):
        np.testing.assert_allclose(edge, np.broadcast_to(surface, edge.shape), atol=0.01)


@pytest.fixture(scope="module")
def metrics() -> dict[str, Any]:
    labels = np.arange(60) % 15
    guesses = {"0.1": np.roll(labels, 1), "0.5": np.where(labels < 3, 0, labels), "1.0": labels}
    by_ratio = {ratio: np.eye(15)[given] for ratio, given in guesses.items()}
    return summarize(by_ratio, labels, [f"g{i}" for i in range(60)], LONG, n_bootstrap=50)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_confusion_matrix_shows_counts_where_there_are_any(theme: Theme) -> None:
    counts = np.diag(np.arange(15))
    counts[3, 7] = 2
    figure = confusion_matrix(counts, LONG, theme)
    assert sorted(_texts(figure)) == sorted([*(str(n) for n in range(1, 15)), "2"])
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == [name.replace("_", " ") for name in LONG]
    assert to_hex(figure.get_facecolor()) == theme.surface
    _assert_nothing_clipped(figure, theme)


def test_confusion_matrix_colours_are_shares_of_the_row() -> None:
    image = confusion_matrix(np.array([[1, 3], [0, 0]]), ["a", "b"]).axes[0].images[0]
    assert np.asarray(image.get_array()).tolist() == [[0.25, 0.75], [0, 0]]


def test_a_confusion_matrix_of_many_classes_is_of_bounded_size() -> None:
    sizes = []
    for n in (40, 41, 400):
        counts = np.diag(np.full(n, 9)) + np.diag(np.full(n - 1, 3), 1)
        figure = confusion_matrix(counts, [f"a_class_{'with_a_long_name_' * 3}{k}" for k in range(n)])
        sizes.append(len(figure.axes[0].get_yticklabels()))
        assert max(figure.get_size_inches()) <= 20
        _assert_nothing_clipped(figure, LIGHT)
    assert sizes == [40, 30, 30]
    assert figure.axes[0].get_title() == "The 30 most confused of 400 classes"
    np.testing.assert_allclose(np.asarray(figure.axes[0].images[0].get_array())[0, :2], [9 / 12, 3 / 12])


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_observation_curve_goes_through_the_accuracies(metrics: dict[str, Any], theme: Theme) -> None:
    figure = observation_curve(metrics, theme)
    (line,) = figure.axes[0].lines
    np.testing.assert_allclose(line.get_xdata(), [0.1, 0.5, 1.0])
    np.testing.assert_allclose(line.get_ydata(), list(metrics["observation_accuracy"].values()))
    _assert_nothing_clipped(figure, theme)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_class_bars_hold_every_class_present(metrics: dict[str, Any], theme: Theme) -> None:
    figure = class_bars(metrics, theme)
    assert _texts(figure) == ["1.000"] * 15
    _assert_nothing_clipped(figure, theme)


def test_class_bars_are_sorted_and_show_the_interval() -> None:
    per_class = {"good": {"f1": 0.9}, "bad": {"f1": 0.2}}
    intervals = {"good": {"f1": [0.8, 1.0]}, "bad": {"f1": [0.0, 0.3]}}
    figure = class_bars({"per_class": per_class, "intervals": {"per_class": intervals}})
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["bad", "good"]
    segments = [np.asarray(path.vertices)[:, 0].tolist() for path in axes.collections[0].get_paths()]
    assert segments == [[0.0, 0.3], [0.8, 1.0]]


def test_class_bars_of_many_classes_are_the_best_and_the_worst() -> None:
    names = [f"class_{k}" for k in range(400)]
    per_class = {name: {"f1": k / 400} for k, name in enumerate(names)}
    intervals = {name: {"f1": [k / 400, k / 400]} for k, name in enumerate(names)}
    figure = class_bars({"classes": names, "per_class": per_class, "intervals": {"per_class": intervals}})
    shown = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert shown == [f"class {k}" for k in (*range(20), *range(380, 400))]
    assert "360 classes between" in _texts(figure)
    assert figure.get_size_inches()[1] < 13
    _assert_nothing_clipped(figure, LIGHT)


def test_a_forecast_error_that_nobody_knows_is_left_out() -> None:
    error = np.array([[0.1, 0.3], [np.nan, np.nan]])  # no clip is so long
    figure = forecast_curve(error, 2 * error)
    assert _texts(figure) == ["0.400", "0.200"]
    _png(figure)


def _history(n_epochs: int) -> list[dict[str, float]]:
    return [
        {
            "epoch": float(epoch),
            "lr": 0.01 / (1 + epoch),
            "train/loss": 2 - 0.1 * epoch,
            "train/loss_cls": 1.9 - 0.1 * epoch,
            "train/loss_pred": 0.0,
            "val/accuracy": [0.5, 0.9, 0.7][epoch % 3],
        }
        for epoch in range(n_epochs)
    ]


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("n_epochs", [1, 3])
def test_learning_curves(n_epochs: int, theme: Theme) -> None:
    figure = learning_curves(_history(n_epochs), theme)
    losses, accuracy, _rate = figure.axes
    assert [line.get_label() for line in losses.lines] == ["total", "classification"]  # a term of zero is not drawn
    best = ["best 50.0 % in epoch 0", "best 90.0 % in epoch 1"][n_epochs > 1]
    assert [text.get_text() for text in accuracy.texts] == [best]
    _assert_nothing_clipped(figure, theme)


def test_learning_curves_show_every_loss_that_was_logged() -> None:
    history = [{**row, "train/loss_rhythm": 0.3} for row in _history(3)]
    (legend,) = learning_curves(history).legends
    assert [text.get_text() for text in legend.get_texts()] == ["total", "classification", "loss_rhythm"]


def test_learning_curves_without_val() -> None:
    figure = learning_curves([{"epoch": 0.0, "train/loss": 1.0, "lr": 0.1}])
    assert _texts(figure) == []
    _png(figure)


def test_no_global_state_is_left(metrics: dict[str, Any]) -> None:
    before = dict(mpl.rcParams)
    observation_curve(metrics, DARK)
    assert dict(mpl.rcParams) == before
