"""Enrolled classes: few clips of an action that the model was not trained on."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy import ndarray

import actrec.online.enrolment
from actrec.data.synthetic.clips import Synthetic
from actrec.model.copies import ENROLLED
from actrec.model.folder import load_model, save_model
from actrec.model.network import build_network
from actrec.model.spec import load_spec
from actrec.online.engine import EngineOutput
from actrec.online.enrolled import PARTS, Enrolled, History, Whitening, descriptors, load_enrolled
from actrec.online.onnx_export import export
from actrec.online.recognizer import OnlineRecognizer
from actrec.skeleton import PENN13
from actrec.types import ActrecError, SkeletonSequence

Make = Callable[..., list[SkeletonSequence]]
HIPS, SHOULDERS = ("left_hip", "right_hip"), ("left_shoulder", "right_shoulder")


@pytest.fixture(scope="module", autouse=True)
def short_background() -> object:
    """Two short generated sessions, because the test models are not worth more."""
    with pytest.MonkeyPatch.context() as patch:
        sessions = {"n_clips": 2, "seed": 1, "seconds": (4, 4), "test_share": 0.0}
        patch.setattr(actrec.online.enrolment, "_SESSIONS", sessions)
        patch.setattr(actrec.online.enrolment, "_SECONDS", 4)
        yield


@pytest.fixture(scope="module")
def exported(noise_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The noise model as it would come with the package, with step.onnx."""
    folder = tmp_path_factory.mktemp("exported") / "noise"
    export(noise_model, folder, weights=True)
    return folder


def of_label(clips: list[SkeletonSequence], number: int) -> list[SkeletonSequence]:
    return [clip for clip in clips if clip.label == f"label_{number}"]


def streamed(recognizer: OnlineRecognizer, clip: SkeletonSequence) -> ndarray:
    """The probabilities after each frame."""
    recognizer = recognizer.fresh()
    found = [recognizer.push(frame, t / clip.fps) for t, frame in enumerate(clip.keypoints)]
    return np.stack([each.probabilities for each in found if each is not None])


class PoseEngine:
    """An engine whose embedding is the pose itself, in torso lengths from the hips, and that knows no action."""

    def push(self, people: Sequence[str], frames: ndarray) -> EngineOutput:
        places = frames[..., :2].astype(float)
        hips, shoulders = places[:, PENN13.index(HIPS)].mean(1), places[:, PENN13.index(SHOULDERS)].mean(1)
        torso = np.maximum(np.linalg.norm(shoulders - hips, axis=1), 1.0)
        embedding = (places - hips[:, None]) / torso[:, None, None]
        n = len(people)
        return EngineOutput(
            np.zeros((n, 3), dtype=np.float32),
            np.zeros((n, 0, 13, 2), dtype=np.float32),
            None,
            embedding.reshape(n, -1).clip(-4, 4).astype(np.float32),
        )

    def forget(self, person: str) -> None: ...

    def fresh(self) -> PoseEngine:
        return self

    def state(self, person: str) -> dict[str, ndarray]:
        return {}

    def restore(self, person: str, state: Mapping[str, ndarray]) -> None: ...


def with_two(recognizer: OnlineRecognizer, make: Make) -> tuple[OnlineRecognizer, list[SkeletonSequence]]:
    """Enrols two classes; returns the clips of both that the recogniser has not seen too."""
    clips = make(2, 9, frames=(30, 44), skeleton="penn13")
    for number in (0, 1):
        recognizer.enroll(f"new_{number}", of_label(clips, number)[:3])
    return recognizer, [*of_label(clips, 0)[3:], *of_label(clips, 1)[3:]]


@pytest.fixture(scope="module")
def two(noise_model: Path, make_sequences: Make) -> tuple[OnlineRecognizer, list[SkeletonSequence]]:
    return with_two(OnlineRecognizer(load_spec(noise_model), PoseEngine()), make_sequences)


@pytest.fixture(scope="module")
def noisy(exported: Path, make_sequences: Make) -> tuple[OnlineRecognizer, list[SkeletonSequence]]:
    return with_two(OnlineRecognizer.from_pretrained(exported), make_sequences)


def test_a_descriptor_is_the_means_of_six_parts() -> None:
    history = np.random.default_rng(0).normal(size=(20, 3))
    got = descriptors(history, np.array([[12], [18]]))
    for length, found in zip((12, 18), got[:, 0], strict=True):
        parts = np.split(history[20 - length :], PARTS)
        wanted = np.concatenate([part.mean(0) for part in parts])
        np.testing.assert_allclose(found, wanted / np.linalg.norm(wanted))


def test_fewer_frames_than_parts_are_repeated_and_not_lost() -> None:
    history = np.random.default_rng(0).normal(size=(4, 2))
    wanted = history[[0, 0, 1, 2, 2, 3]]  # of the six parts of two thirds of a frame, those within one frame
    found = descriptors(history, np.array(4)).reshape(6, 2)
    within = [0, 2, 3, 5]
    ratio = found[within] / wanted[within]
    np.testing.assert_allclose(ratio, ratio[0, 0])


def toy() -> Enrolled:
    """Two classes of a model with two numbers in its embedding: first (1, 0) then (0, 1), and the other way round."""
    there = np.array([1.0, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 1]) / np.sqrt(6)
    back = np.array([0.0, 1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0]) / np.sqrt(6)
    whitening = Whitening(np.zeros(2), np.eye(2))
    return Enrolled(
        np.ones(2, dtype=np.float32),
        np.zeros((1, 1, 2), dtype=np.float32),
        whitening,
        ("there", "back"),
        np.stack([there, back]),
        np.array([12, 12]),
        np.array([0.5, 0.5]),
    )


def test_the_order_in_time_tells_classes_apart_and_the_model_s_own_share_the_rest() -> None:
    history, network = History(toy()), np.array([0.7, 0.3], dtype=np.float32)
    for t in range(12):
        now = history.push(network, np.array([1, 0] if t < 6 else [0, 1], dtype=np.float32))
        assert now.sum() == pytest.approx(1, abs=1e-6)
        assert now[0] / now[1] == pytest.approx(0.7 / 0.3, rel=1e-5)
        if t < 3:  # less than half of the shortest tempo, 8 frames, has been seen
            assert now[2:].max() < 1e-6
    odds = np.exp(20 * (1.0 - 0.5))  # the cosine is 1, the threshold 0.5; the other class's cosine is far below
    assert now[2] == pytest.approx(odds / (1 + odds), rel=1e-4)
    assert now[3] < 1e-5


def test_clips_of_an_enrolled_class_are_recognised_and_others_are_not(
    two: tuple[OnlineRecognizer, list[SkeletonSequence]],
) -> None:
    recognizer, clips = two
    assert recognizer.labels == ("squat", "push_ups", "pull_ups", "new_0", "new_1")
    right = [recognizer.labels[streamed(recognizer, clip)[-1].argmax()][-1] == clip.label[-1] for clip in clips]
    assert np.mean(right) >= 0.9
    assert len(right) == 12
    others = [recognizer.spec.pipeline.to_skeleton(clip) for clip in Synthetic(n_clips=28, seed=9).clips()]
    assert np.mean([streamed(recognizer, clip)[-1, 3:].sum() < 0.5 for clip in others]) >= 0.8


def test_the_model_s_own_probabilities_share_what_enrolled_classes_leave(
    noisy: tuple[OnlineRecognizer, list[SkeletonSequence]], exported: Path
) -> None:
    recognizer, clips = noisy
    plain = OnlineRecognizer.from_pretrained(exported)
    for clip in clips[::4]:
        ours, theirs = streamed(recognizer, clip), streamed(plain, clip)
        rest = 1 - ours[:, 3:].sum(1, keepdims=True)
        np.testing.assert_allclose(ours[:, :3], theirs * rest, atol=1e-5)


def test_the_mirrored_action_counts_too(two: tuple[OnlineRecognizer, list[SkeletonSequence]]) -> None:
    recognizer, clips = two
    order = recognizer.skeleton.mirror_index
    right = []
    for clip in clips:
        keypoints = clip.keypoints[:, order] * np.float32([-1, 1, 1]) + np.float32([640, 0, 0])
        last = streamed(recognizer, replace(clip, keypoints=keypoints))[-1]
        right.append(recognizer.labels[last.argmax()][-1] == clip.label[-1])
    assert np.mean(right) >= 0.9


def test_one_motion_under_two_names_is_warned_of_and_two_motions_are_not(
    two: tuple[OnlineRecognizer, list[SkeletonSequence]],
) -> None:
    recognizer, clips = two[0].fresh(), two[1]
    handstand = np.float32([1, -1, 1]), np.float32([0, 480, 0])
    other = [replace(clip, keypoints=clip.keypoints * handstand[0] + handstand[1]) for clip in of_label(clips, 1)]
    assert recognizer.enroll("other", other[:3]).warning() == ""
    again = recognizer.enroll("again", of_label(clips, 0)[:3])
    assert "'again' is about the same motion as the enrolled class 'new_0'" in again.warning()


def test_a_set_of_an_enrolled_class_covers_the_action_and_counts_no_repetitions(
    two: tuple[OnlineRecognizer, list[SkeletonSequence]],
) -> None:
    recognizer, clips = two[0].fresh(), two[1]
    found = [recognizer.push(frame, 5 + t / 30) for t, frame in enumerate(clips[0].keypoints)][-1]
    assert found is not None
    assert found.held == "new_0"
    assert found.set is not None
    assert found.set.label == "new_0"
    assert found.set.repetitions is None
    assert 5 <= found.set.start < found.set.end - 0.4


def test_a_saved_state_goes_on_where_it_was(two: tuple[OnlineRecognizer, list[SkeletonSequence]]) -> None:
    recognizer, clips = two[0].fresh(), two[1]
    other, plain, frames = recognizer.fresh(), OnlineRecognizer(recognizer.spec, PoseEngine()), clips[0].keypoints
    for t, frame in enumerate(frames[:20]):
        recognizer.push(frame, t / 30)
    other.restore("again", recognizer.state(""))
    for t, frame in enumerate(frames[20:], start=20):
        one, two_ = recognizer.push(frame, t / 30), other.push(frame, t / 30, "again")
        assert one is not None
        assert two_ is not None
        np.testing.assert_array_equal(one.probabilities, two_.probabilities)
        assert one.held == two_.held
    with pytest.raises(ActrecError, match="does not fit this model"):
        plain.fresh().restore("x", recognizer.state(""))
    damaged = recognizer.state("") | {"enrolled.frames": np.full_like(recognizer.state("")["enrolled.frames"], np.nan)}
    with pytest.raises(ActrecError, match="does not fit this model"):
        other.restore("x", damaged)


def test_they_are_kept_beside_the_model_and_read_with_either_runtime(
    noisy: tuple[OnlineRecognizer, list[SkeletonSequence]], exported: Path, tmp_path: Path
) -> None:
    recognizer, clips = noisy
    spec = load_spec(exported)
    by_torch, by_onnx = tmp_path / "torch", tmp_path / "onnx"
    save_model(by_torch, load_model(exported), spec)
    by_onnx.mkdir()
    for name in ("config.json", "step.onnx"):
        (by_onnx / name).write_bytes((exported / name).read_bytes())
    for folder in (by_torch, by_onnx):
        assert recognizer.save_enrolled(folder) == folder / ENROLLED
        again = OnlineRecognizer.from_pretrained(folder)
        assert again.labels == recognizer.labels
        np.testing.assert_allclose(streamed(again, clips[1]), streamed(recognizer, clips[1]), atol=1e-3)
    again.unenroll("new_0")
    assert again.labels[3:] == ("new_1",)
    again.unenroll("new_1")
    again.save_enrolled(by_onnx)
    assert not (by_onnx / ENROLLED).exists()
    np.testing.assert_array_equal(streamed(again, clips[1]).sum(1).round(4), 1)


def test_a_file_of_other_weights_or_a_damaged_one_is_refused(
    noisy: tuple[OnlineRecognizer, list[SkeletonSequence]], tmp_path: Path
) -> None:
    recognizer, _ = noisy
    folder = save_model(tmp_path / "other", build_network(recognizer.spec), recognizer.spec)
    path = recognizer.save_enrolled(folder)
    with pytest.raises(ActrecError, match="enrolled with other weights"):
        OnlineRecognizer.from_pretrained(folder)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ActrecError, match=r"is damaged .*Delete it and enrol"):
        OnlineRecognizer.from_pretrained(folder)
    assert load_enrolled(tmp_path, lambda: None, ()) is None


def test_a_file_exported_before_embeddings_still_runs_but_cannot_enrol(
    exported: Path, tmp_path: Path, make_sequences: Make
) -> None:
    graph = onnx.load(exported / "step.onnx")
    assert graph.graph.output[-1].name == "embedding"
    del graph.graph.output[-1]
    onnx.save(graph, tmp_path / "step.onnx")
    (tmp_path / "config.json").write_bytes((exported / "config.json").read_bytes())
    old, clip = OnlineRecognizer.from_pretrained(tmp_path), make_sequences(1, 1, skeleton="penn13")[0]
    new = OnlineRecognizer.from_pretrained(exported)
    np.testing.assert_array_equal(streamed(old, clip), streamed(new, clip))
    with pytest.raises(ActrecError, match=r"gives no embedding.*export it again"):
        old.enroll("wave", [clip])


def test_enrolled_classes_are_recognised_without_scipy_and_pytorch_and_enrolment_says_what_it_needs(
    noisy: tuple[OnlineRecognizer, list[SkeletonSequence]], exported: Path, tmp_path: Path
) -> None:
    shutil.copytree(exported, tmp_path / "model")
    code = """import sys; sys.modules["torch"] = sys.modules["scipy"] = None
import actrec, numpy as np
recognizer = actrec.OnlineRecognizer.from_pretrained(sys.argv[1])
print(len(recognizer.push(np.ones((13, 3)), 0.0).probabilities))
clip = actrec.SkeletonSequence(np.ones((30, 13, 3), np.float32), 15.0, "penn13")
try:
    recognizer.enroll("wave", [clip])
except actrec.ActrecError as error:
    print(error)"""
    found = []
    for _ in range(2):
        command = [sys.executable, "-c", code, str(tmp_path / "model")]
        found.append(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        noisy[0].save_enrolled(tmp_path / "model")
    assert found[0] == "3\nThis needs scipy, which is not installed: pip install 'actrec[train]'\n"
    assert found[1].startswith("5\n")


def test_clips_and_labels_that_cannot_be_enrolled(
    two: tuple[OnlineRecognizer, list[SkeletonSequence]],
) -> None:
    recognizer, clips = two
    short = replace(clips[0], keypoints=clips[0].keypoints[:5])
    nobody = replace(clips[0], keypoints=clips[0].keypoints * np.float32([1, 1, 0]))
    for label, given, reason in (
        ("squat", clips[:1], "There is a class 'squat' already"),
        ("new_0", clips[:1], "There is a class 'new_0' already"),
        ("none", clips[:1], "expected the name of an action"),
        (" ", clips[:1], "expected the name of an action"),
        ("wave", [], "There are no clips of 'wave'; expected 1 to 10"),
        ("wave", clips[:11], "There are 11 clips of 'wave'; expected 1 to 10"),
        ("wave", [clips[1], short], "lasts 0.17 s; expected at least 0.4 s"),
        ("wave", [nobody], "in 0% of its frames"),
    ):
        with pytest.raises(ActrecError, match=reason):
            recognizer.enroll(label, given)
    with pytest.raises(ActrecError, match=r"'squat' is not an enrolled class\. Enrolled are: new_0, new_1"):
        recognizer.unenroll("squat")
    assert recognizer.labels[3:] == ("new_0", "new_1")


def test_one_clip_is_enough_and_enrolling_starts_everybody_anew(noise_model: Path, make_sequences: Make) -> None:
    recognizer, clip = OnlineRecognizer.from_pretrained(noise_model), make_sequences(1, 1, (40, 40), "coco17")[0]
    recognizer.push(np.ones((13, 3)), 100.0)
    found = recognizer.enroll("wave", [clip])  # in another joint layout
    assert (found.n_clips, np.isnan(found.likeness), recognizer.people) == (1, True, [])
    assert found.seconds == pytest.approx(40 / 30, abs=0.1)
    assert recognizer.push(np.ones((13, 3)), 0.0) is not None


def test_a_part_of_a_long_clip_in_which_nobody_is_seen_is_left_out(
    two: tuple[OnlineRecognizer, list[SkeletonSequence]],
) -> None:
    clip = two[1][0]
    keypoints = np.resize(clip.keypoints, (360, *clip.keypoints.shape[1:]))  # 12 s, two pieces
    keypoints[180:] = 0
    whole, half = (replace(clip, keypoints=each) for each in (keypoints, keypoints[:180]))
    (one, two_) = (two[0].fresh().enroll("wave", [each]) for each in (whole, half))
    assert (one.seconds, one.others) == (two_.seconds, two_.others)


def test_an_engine_output_without_embedding_leaves_the_rest() -> None:
    assert EngineOutput(np.zeros((1, 2)), np.zeros((1, 0, 3, 2))).embedding is None
