import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import actrec.import_published
from actrec.data.sources.penn_action import PennAction
from actrec.evaluation.metrics import classification_metrics
from actrec.evaluation.probabilities import clip_probabilities
from actrec.import_published import import_published
from actrec.model.folder import load_model
from actrec.model.spec import load_spec
from actrec.types import ActrecError, SkeletonSequence

Run = Callable[..., tuple[int, str, str]]
SHARED = {
    "bench_press": "bench_press",
    "clean_and_jerk": "clean_and_jerk",
    "jump_rope": "jump_rope",
    "jumping_jacks": "jumping_jacks",
    "pullup": "pull_ups",
    "pushup": "push_ups",
    "situp": "sit_ups",
    "squat": "squat",
}


def test_the_published_checkpoint_becomes_a_model(
    test_data: Path, tmp_path: Path, run_command: Run, make_sequences: Callable[..., list[SkeletonSequence]]
) -> None:
    model = tmp_path / "published"
    overrides = (f"checkpoint={test_data / 'models' / 'sode.pt'}", f"model={model}")
    code, out, err = run_command(actrec.import_published.run, *overrides)
    assert code == 0, err
    assert str(model) in out
    spec = load_spec(model)
    assert len(spec.labels) == 14
    assert {"pull_ups", "push_ups", "sit_ups"} <= set(spec.labels)
    found = clip_probabilities(load_model(model), spec.pipeline, make_sequences(1, 2), 14, 0.5, spec.decision)
    np.testing.assert_allclose(found.sum(1), 1)

    code, _, err = run_command(actrec.import_published.run, *overrides)
    assert code == 1
    assert "is there already" in err


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"no checkpoint", "cannot be read"), (pickle.dumps({"model": print}, protocol=2), "cannot be read")],
)
def test_another_file_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "file.pt").write_bytes(content)
    with pytest.raises(ActrecError, match=message):
        import_published(tmp_path / "file.pt", tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ActrecError, match="no checkpoint"):
        import_published(tmp_path / "none.pt", tmp_path / "model")


@pytest.mark.slow
def test_it_scores_on_penn_action_what_the_reference_says(test_data: Path, tmp_path: Path) -> None:
    import_published(test_data / "models" / "sode.pt", tmp_path / "model")
    spec = load_spec(tmp_path / "model")
    clips = [source.load() for source in PennAction(fps=30.0)(test_data / "data" / "Penn_Action")]
    clips = [clip for clip in clips if clip.split == "test" and clip.label in SHARED]
    labels = np.array([spec.labels.index(SHARED[clip.label]) for clip in clips])
    found = clip_probabilities(load_model(tmp_path / "model"), spec.pipeline, clips, 14, 1.0, spec.decision)
    metrics = classification_metrics(found, labels, spec.labels)
    assert len(clips) == 589
    assert metrics["accuracy"] == pytest.approx(0.407, abs=0.002)
