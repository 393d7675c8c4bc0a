import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import actrec.evaluate
from actrec.data.store.clip_source import ClipSource
from actrec.data.store.writing import write_store
from actrec.evaluation.probabilities import clip_probabilities
from actrec.evaluation.results import EnsembleMember, Results, evaluate_ensemble, evaluate_model, write_metrics
from actrec.model.folder import save_model
from actrec.model.network import build_network
from actrec.model.spec import ModelSpec
from actrec.network.infogcn import InfoGCN
from actrec.pipeline.features import Features
from actrec.pipeline.pipeline import Pipeline
from actrec.pipeline.preprocess import Preprocess
from actrec.pipeline.windows import ResizeWindows
from actrec.report.page import write_report
from actrec.skeleton import COCO17
from actrec.types import ActrecError, SkeletonSequence

pytestmark = pytest.mark.usefixtures("no_pictures")

Make = Callable[..., list[SkeletonSequence]]


def spec(labels: tuple[str, ...] = ("label_0", "label_1", "other")) -> ModelSpec:
    options = {"skeleton": "coco17", "in_channels": 3, "n_classes": len(labels), "dim": 8, "layers": 1, "heads": 2}
    pipeline = Pipeline(COCO17, Preprocess("causal"), ResizeWindows(12), Features())
    return ModelSpec("InfoGCN", options, pipeline, labels)


def network(of: ModelSpec) -> InfoGCN:
    torch.manual_seed(0)
    made = build_network(of).eval()
    assert isinstance(made, InfoGCN)
    return made


@pytest.mark.pictures
def test_results_are_written_whole(make_sequences: Make, tmp_path: Path) -> None:
    clips = make_sequences(2, 4)
    results = evaluate_model(network(spec()), spec(), clips, batch_size=3)
    results.write(tmp_path)
    page = write_report(tmp_path / "report", results, title="a title")
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["classes"] == ["label_0", "label_1", "other"]
    assert metrics["absent_classes"] == ["other"]
    assert f"accuracy {metrics['accuracy']:.4f}" in str(results)
    with (tmp_path / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["clip_id"] for row in rows] == [clip.clip_id for clip in clips]
    right = sum(row["prediction"] == row["label"] for row in rows) / len(rows)
    assert right == pytest.approx(metrics["accuracy"])
    assert "a title" in page.read_text()


def test_samples_show_the_forecast_where_it_was_for(make_sequences: Make) -> None:
    made = spec()
    results = evaluate_model(network(made), made, make_sequences(1, 2))
    for shown in results.samples:
        assert shown.forecasts is not None
        length = len(shown.sequence)
        assert torch.isnan(torch.from_numpy(shown.forecasts[:3])).all()
        assert torch.isfinite(torch.from_numpy(shown.forecasts[3:length])).all()


def test_fusion_is_the_weighted_mean_of_probabilities_whatever_the_order_of_labels(make_sequences: Make) -> None:
    clips, one = make_sequences(2, 4), spec()
    options = {**one.network_options, "in_channels": 3, "dim": 4}
    other = replace(
        one,
        network_options=options,
        labels=("label_1", "other", "label_0"),
        pipeline=replace(one.pipeline, features=Features("velocity")),
    )
    members = [EnsembleMember(network(one), one, 3), EnsembleMember(network(other), other, 1)]
    fused = evaluate_ensemble(members, clips)
    first, second = (
        clip_probabilities(each.network, each.spec.pipeline, clips, 3, 1.0, each.spec.decision) for each in members
    )
    expected = (3 * first + second[:, [2, 0, 1]]) / 4
    for row, prediction in zip(expected, fused.predictions, strict=True):
        assert prediction.prediction == one.labels[row.argmax()]
        assert prediction.probability == pytest.approx(row.max())
    with pytest.raises(ActrecError, match="have different labels"):
        evaluate_ensemble(
            [members[0], EnsembleMember(network(one), replace(one, labels=("label_0", "label_1", "x")))], clips
        )


def test_labels_that_the_model_does_not_know(make_sequences: Make) -> None:
    with pytest.raises(ActrecError, match=r"does not know: label_2\..*exclude_labels=\[label_2\]"):
        evaluate_model(network(spec()), spec(), make_sequences(3, 2))
    with pytest.raises(ActrecError, match="no clips"):
        evaluate_model(network(spec()), spec(), [])


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["split=tset"], "no split 'tset'"),
        (["split=grouped"], "protocol=grouped"),
        (["model={tmp}/store"], "not a model folder"),
        (["unseen_joints=18"], "unseen_joints is 18"),
        (["output_dir={tmp}/store"], "is not empty"),
        (["output_dir={tmp}/store/manifest.csv"], "is a file"),
        (["store={tmp}/none"], "actrec.prepare"),
        (["unseen_joints=many"], "unseen_joints is 'many'"),
        (["batch_size=0"], "batch_size is 0"),
        (["hardware=cpu", "hardware.accelerator=abacus"], "hardware does not fit this machine"),
        (["online=true", "hysteresis.enter=2"], "enter=2, leave=0.2"),
        (["online=true"], ""),
        (["split=all"], ""),
        (["model=null"], "model has no value. Give model=…, for instance"),
        (["models=[{tmp}/model]"], "Give either model=… or models="),
        (["model=null", "models=[{tmp}/model,{tmp}/model]", "online=true"], "online=true is for one model"),
        (["model=null", "models=[{tmp}/model,{tmp}/model]", "weights=[1]"], "weights=[1] do not fit 2 models"),
        (["model=null", "models=[{tmp}/model,{tmp}/model]", "weights=[1,-1]"], "do not fit 2 models"),
        (["model=null", "models=[{tmp}/model,{tmp}/model]", "weights=[1,2]"], ""),
        ([], ""),
    ],
)
def test_evaluate_on_bad_input(
    overrides: list[str],
    message: str,
    make_sequences: Make,
    tmp_path: Path,
    run_command: Callable[..., tuple[int, str, str]],
) -> None:
    clips = [ClipSource(c.clip_id, c.source, c.clip_id, lambda c=c: c) for c in make_sequences(2, 8)]
    write_store(tmp_path / "store", clips, {"dataset": "generated", "raw": "none"})
    save_model(tmp_path / "model", network(spec()), spec())
    given = ["dataset=csv", "dataset.split=official", f"store={tmp_path}/store"]
    given += [] if "model=null" in overrides else [f"model={tmp_path}/model"]
    given += [f"output_dir={tmp_path}/out", *(text.format(tmp=tmp_path) for text in overrides)]
    code, _, err = run_command(actrec.evaluate.run, *given)
    assert code == (1 if message else 0), err
    assert message in err
    assert "Traceback" not in err
    assert (tmp_path / "out" / "metrics.json").exists() == (not message)
    if overrides == ["online=true"]:
        assert "Online: the predicted label is right at the end in" in (tmp_path / "out" / "evaluate.log").read_text()
        figures = json.loads((tmp_path / "out" / "metrics.json").read_text())["online"]
        assert set(figures) == {"accuracy", "held_accuracy", "held_wrong", "frames_to_decision"}
    assert (tmp_path / "out").exists() == (not message)


@pytest.mark.pictures
def test_an_evaluation_that_is_cut_off_while_drawing_keeps_its_figures(
    make_sequences: Make,
    tmp_path: Path,
    run_command: Callable[..., tuple[int, str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def end(*_: object) -> None:
        raise KeyboardInterrupt

    clips = [ClipSource(c.clip_id, c.source, c.clip_id, lambda c=c: c) for c in make_sequences(2, 8)]
    write_store(tmp_path / "store", clips, {"dataset": "generated", "raw": "none"})
    save_model(tmp_path / "model", network(spec()), spec())
    monkeypatch.setattr("actrec.report.page.observation_curve", end)
    given = ["dataset=csv", "dataset.split=official", f"store={tmp_path}/store", f"model={tmp_path}/model"]
    code, _, err = run_command(actrec.evaluate.run, *given, f"output_dir={tmp_path}/out")
    assert (code, err.splitlines()[-1]) == (130, "interrupted")
    figures = json.loads((tmp_path / "out" / "metrics.json").read_text())
    rows = (tmp_path / "out" / "predictions.csv").read_text().splitlines()
    assert len(rows) == figures["n_clips"] + 1


def test_metrics_are_plain_json(results: Results, tmp_path: Path) -> None:
    file = tmp_path / "deep" / "metrics.json"
    write_metrics(file, results.metrics)
    assert json.loads(file.read_text()) == results.metrics
    write_metrics(file, {"auc": 0.5, "why": {"error": [0.1, float("nan")]}, "times": (float("inf"), 1)})
    assert json.loads(file.read_text()) == {"auc": 0.5, "why": {"error": [0.1, None]}, "times": [None, 1]}
    assert "NaN" not in file.read_text()
    assert [path.name for path in file.parent.iterdir()] == ["metrics.json"]
