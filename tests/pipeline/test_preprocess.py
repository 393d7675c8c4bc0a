from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy import ndarray

from actrec.pipeline.causal import new_streams, push, stream_fields
from actrec.pipeline.measures import Measures, measure
from actrec.pipeline.offline import interpolate_missing
from actrec.pipeline.preprocess import Preprocess
from actrec.skeleton import COCO17, PENN13
from actrec.types import ActrecError

HIPS, SHOULDERS = COCO17.index(COCO17.hips), COCO17.index(COCO17.shoulders)
MODES = pytest.mark.parametrize("mode", ["offline", "causal"])
SEEDS = st.integers(0, 2**32 - 1)
few = settings(max_examples=25, deadline=None)


def random_clip(seed: int, n_frames: int = 12, missing: float = 0.3) -> ndarray:
    """Pixels with missing joints, whose coordinates are (0, 0), as pose estimators write them."""
    rng = np.random.default_rng(seed)
    clip = np.concatenate(
        [rng.uniform(100, 500, (n_frames, 17, 2)), rng.uniform(0.3, 1, (n_frames, 17, 1))], axis=-1
    ).astype(np.float32)
    clip[rng.random((n_frames, 17)) < missing] = 0
    return clip


@given(seed=SEEDS, missing=st.sampled_from([0.0, 0.5, 0.9]))
@few
def test_interpolation_is_numpys(seed: int, missing: float) -> None:
    clip = random_clip(seed, missing=missing).astype(np.float64)
    observed = clip[..., 2] > 0
    filled = interpolate_missing(clip, observed)
    for joint in range(17):
        frames = np.flatnonzero(observed[:, joint])
        for axis in range(2):
            expected = np.interp(np.arange(12), frames, clip[frames, joint, axis]) if len(frames) else np.zeros(12)
            np.testing.assert_allclose(filled[:, joint, axis], expected)
    np.testing.assert_array_equal(filled[..., 2], clip[..., 2])


@given(seed=SEEDS)
@few
def test_holding_is_a_loop(seed: int) -> None:
    clip = random_clip(seed, missing=0.6)
    observed = clip[..., 2] > 0
    result = Preprocess("causal")(clip, COCO17, 30.0)
    for joint in range(17):
        last = -1
        for frame in range(12):
            last = frame if observed[frame, joint] else last
            origin, scale, _ = Preprocess("causal").reference(clip[: frame + 1], COCO17)
            assert result.known[frame, joint] == (last >= 0)
            expected = (clip[last, joint, :2] - origin) / scale if last >= 0 else np.zeros(2)
            np.testing.assert_allclose(result.keypoints[frame, joint, :2], expected, rtol=1e-4, atol=1e-5)


def torso_of(seen: dict[int, np.ndarray]) -> float | None:
    """Mid-shoulders to pelvis, or the one side's shoulder to its hip."""
    sides = [(s, h) for s, h in zip(SHOULDERS, HIPS, strict=True) if s in seen and h in seen]
    if not sides:
        return None
    return float(np.linalg.norm(np.mean([seen[s] for s, _ in sides], 0) - np.mean([seen[h] for _, h in sides], 0)))


def test_one_side_of_the_body_is_enough() -> None:
    clip = random_clip(4, missing=0).astype(np.float64)
    clip[:, [SHOULDERS[0], HIPS[0]]] = 0
    for mode in ("offline", "causal"):
        result = Preprocess(mode)(clip, COCO17, 30.0).keypoints.astype(np.float64)
        np.testing.assert_allclose(result[0, HIPS[1], :2], 0, atol=1e-6)
        torso = np.linalg.norm(result[0, SHOULDERS[1], :2] - result[0, HIPS[1], :2])
        lengths = np.linalg.norm(clip[:, SHOULDERS[1], :2] - clip[:, HIPS[1], :2], axis=1)
        used = np.median(lengths) if mode == "offline" else lengths[0]
        np.testing.assert_allclose(torso, lengths[0] / used, rtol=1e-5)


def test_offline_origin_and_scale() -> None:
    clip = random_clip(1, missing=0)
    clip[0, HIPS[0]] = 0
    clip[3, SHOULDERS[1]] = 0
    result = Preprocess("offline")(clip, COCO17, 30.0)

    origin = (clip[1, HIPS[0], :2] + clip[1, HIPS[1], :2]) / 2
    torsos = [torso_of({joint: xy for joint, xy in enumerate(frame[:, :2]) if frame[joint, 2] > 0}) for frame in clip]
    expected = (clip[5, :, :2] - origin) / np.median(torsos)
    np.testing.assert_allclose(result.keypoints[5, :, :2], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(result.keypoints[..., 2], clip[..., 2])


def test_causal_against_a_loop_over_frames() -> None:
    clip = random_clip(2, n_frames=15, missing=0.2).astype(np.float64)
    clip[:3, HIPS[1]] = 0
    clip[:9, 16] = 0
    result = Preprocess("causal")(clip, COCO17, 30.0)

    last, origin, centroid, torsos, points = {}, None, None, [], []
    for t, frame in enumerate(clip):
        seen = {joint: frame[joint, :2] for joint in range(17) if frame[joint, 2] >= 0.2}
        last |= seen
        if centroid is None and seen:
            centroid = np.mean(list(seen.values()), axis=0)
        hips = [seen[joint] for joint in HIPS if joint in seen]
        if origin is None and hips:
            origin = np.mean(hips, axis=0)
        torso = torso_of(seen)
        if torso is not None:
            torsos.append(torso)
        points.extend(seen.values())
        scale = np.median(torsos or np.ptp(points, axis=0).max() / 2.8)
        for joint in range(17):
            expected = (
                (last[joint] - (centroid if origin is None else origin)) / scale if joint in last else np.zeros(2)
            )
            np.testing.assert_allclose(result.keypoints[t, joint, :2], expected, rtol=1e-5, atol=1e-6)
            assert result.known[t, joint] == (joint in last)


@MODES
@given(
    seed=SEEDS,
    missing=st.sampled_from([0.0, 0.3, 0.9]),
    shift=st.tuples(st.integers(-300, 300), st.integers(-300, 300)),
    factor=st.floats(0.25, 4),
)
@few
def test_translation_and_scale_of_the_pixels_do_not_show(
    mode: str, seed: int, missing: float, shift: tuple[int, int], factor: float
) -> None:
    clip = random_clip(seed, missing=missing).astype(np.float64)
    moved = clip.copy()
    moved[..., :2] = np.where(clip[..., 2:] > 0, clip[..., :2] * factor + shift, 0)
    one, other = Preprocess(mode)(clip, COCO17, 30.0), Preprocess(mode)(moved, COCO17, 30.0)
    np.testing.assert_allclose(one.keypoints, other.keypoints, rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(one.observed, other.observed)


@given(seed=SEEDS, missing=st.sampled_from([0.0, 0.3, 0.9]), changed=st.integers(1, 11))
@few
def test_causal_changing_the_future_changes_no_earlier_frame(seed: int, missing: float, changed: int) -> None:
    clip = random_clip(seed, missing=missing)
    other = clip.copy()
    other[changed:] = random_clip(seed + 1)[changed:]
    one, two = (Preprocess("causal")(keypoints, COCO17, 30.0) for keypoints in (clip, other))
    np.testing.assert_array_equal(one.keypoints[:changed], two.keypoints[:changed])
    np.testing.assert_array_equal(one.observed[:changed], two.observed[:changed])


@given(seed=SEEDS, missing=st.sampled_from([0.0, 0.3, 0.9]), cut=st.integers(1, 11))
@few
def test_streams_in_pieces_side_by_side_give_what_whole_clips_give(seed: int, missing: float, cut: int) -> None:
    clips = np.stack([random_clip(seed + i, missing=missing) for i in range(3)]).astype(np.float64)
    streams, frames, known = new_streams(3, stream_fields(17, 12)), [], []
    for piece in (slice(cut), *(slice(t, t + 1) for t in range(cut, 12))):
        part, observed = clips[:, piece], clips[:, piece, :, 2] >= 0.2
        flat = measure(part.reshape(-1, 17, 3), observed.reshape(-1, 17), COCO17)
        measures = Measures(*(each.reshape(3, -1, *each.shape[1:]) for each in flat))
        for made, new in zip((frames, known), push(streams, part, observed, measures), strict=True):
            made.append(new)
    wholes = [Preprocess("causal")(clip.astype(np.float32), COCO17, 30.0) for clip in clips]
    np.testing.assert_array_equal(np.concatenate(frames, 1), np.stack([whole.keypoints for whole in wholes]))
    np.testing.assert_array_equal(np.concatenate(known, 1), np.stack([whole.known for whole in wholes]))


@MODES
@pytest.mark.parametrize("fps", [None, 20.0])
def test_never_seen_is_zero_after_normalisation(mode: str, fps: float | None) -> None:
    clip = random_clip(3, missing=0.1)
    clip[:, 4] = (7, 9, 0.1)
    result = Preprocess(mode, fps=fps)(clip, COCO17, 30.0)
    np.testing.assert_array_equal(result.keypoints[:, 4, :2], 0)
    assert not result.observed[:, 4].any()
    assert not result.known[:, 4].any()
    assert result.known[-1, np.arange(17) != 4].all()


@MODES
def test_what_a_missing_joint_holds_does_not_show(mode: str) -> None:
    clip = random_clip(4, missing=0.4)
    other = clip.copy()
    other[clip[..., 2] == 0, :2] = (9999, -9999)
    one, two = (Preprocess(mode, fps=50.0)(keypoints, COCO17, 30.0) for keypoints in (clip, other))
    np.testing.assert_array_equal(one.keypoints, two.keypoints)


@MODES
def test_threshold_is_inclusive_and_confidence_raw(mode: str) -> None:
    clip = random_clip(5, missing=0)
    clip[4, 9, 2], clip[5, 9, 2] = 0.7, 0.69
    result = Preprocess(mode, confidence_threshold=0.7)(clip, COCO17, 30.0)
    assert result.observed[4, 9]
    assert not result.observed[5, 9]
    np.testing.assert_array_equal(result.keypoints[..., 2], clip[..., 2])


@MODES
def test_without_hips_the_centroid_and_extent_stand_in(mode: str) -> None:
    clip = random_clip(6, n_frames=1, missing=0).repeat(3, axis=0)
    clip[:, HIPS] = 0
    result = Preprocess(mode)(clip, COCO17, 30.0)
    seen = result.keypoints[1, result.observed[1], :2]
    np.testing.assert_allclose(seen.mean(0), 0, atol=1e-5)
    assert np.ptp(seen, axis=0).max() == pytest.approx(2.8)


def test_single_joints_are_measured_by_where_they_have_been() -> None:
    clip = np.zeros((3, 17, 3), dtype=np.float32)
    clip[0, 5], clip[1, 6], clip[2, 5] = (100, 100, 1), (300, 140, 1), (500, 100, 1)
    causal = Preprocess("causal")(clip, COCO17, 30.0).keypoints
    np.testing.assert_allclose(causal[1, [5, 6], :2], [[0, 0], [2.8, 0.56]], rtol=1e-6)
    np.testing.assert_allclose(causal[2, [5, 6], :2], [[2.8, 0], [1.4, 0.28]], rtol=1e-6)
    offline = Preprocess("offline")(clip, COCO17, 30.0).keypoints
    np.testing.assert_allclose(offline[0, [5, 6], 0], [-1.4, 0], atol=1e-6)


@MODES
def test_nothing_seen_is_all_zero(mode: str) -> None:
    result = Preprocess(mode)(np.zeros((4, 17, 3), dtype=np.float32), COCO17, 30.0)
    np.testing.assert_array_equal(result.keypoints, 0)
    assert not result.observed.any()


@MODES
def test_all_joints_in_one_point_stay_finite(mode: str) -> None:
    clip = np.full((4, 17, 3), 300, dtype=np.float32)
    clip[..., 2] = 1
    np.testing.assert_array_equal(Preprocess(mode)(clip, COCO17, 30.0).keypoints[..., :2], 0)


@MODES
@pytest.mark.parametrize(("fps", "n_frames"), [(15.0, 6), (60.0, 23), (25.0, 10), (29.97, 11)])
def test_resampling_follows_the_clock(mode: str, fps: float, n_frames: int) -> None:
    clip = random_clip(7, missing=0)
    seconds = np.arange(n_frames) / fps

    def interpolated(values: np.ndarray) -> np.ndarray:
        columns = values.reshape(len(values), -1).T
        return np.stack([np.interp(seconds, np.arange(12) / 30, column) for column in columns], -1).reshape(-1, 17, 3)

    result = Preprocess(mode, fps=fps)(clip, COCO17, 30.0)
    assert len(result) == n_frames
    if mode == "causal":  # a stream is resampled before anything else
        expected = Preprocess(mode)(interpolated(clip), COCO17, fps).keypoints
    else:
        expected = interpolated(Preprocess(mode)(clip, COCO17, 30.0).keypoints)
    np.testing.assert_allclose(result.keypoints, expected, rtol=1e-4, atol=1e-5)


def test_a_resampled_joint_was_seen_in_both_frames() -> None:
    clip = random_clip(7, missing=0)
    clip[3, 5] = 0
    frames, fps = Preprocess("causal", fps=60.0).at_rate(clip, 30.0)
    assert fps == 60.0
    assert list(np.flatnonzero(frames[:, 5, 2] == 0)) == [5, 6, 7]
    assert not frames[5:8, 5].any()
    np.testing.assert_array_equal(frames[::2], clip)


def test_causal_resampling_is_at_most_one_frame_late() -> None:
    clip = random_clip(8)
    other = clip.copy()
    other[8:] = random_clip(9)[8:]
    one, two = (Preprocess("causal", fps=50.0)(keypoints, COCO17, 30.0) for keypoints in (clip, other))
    given_out = int(7 / 30 * 50) + 1
    np.testing.assert_array_equal(one.keypoints[:given_out], two.keypoints[:given_out])


def test_generated_people_are_one_torso_tall(make_sequences: Callable) -> None:
    for clip in make_sequences():
        for mode in ("offline", "causal"):
            result = Preprocess(mode)(clip.keypoints, COCO17, clip.fps)
            torso = result.keypoints[:, SHOULDERS, :2].mean(1) - result.keypoints[:, HIPS, :2].mean(1)
            assert np.median(np.linalg.norm(torso, axis=-1)) == pytest.approx(1, abs=0.1)


def test_input_is_not_written_to() -> None:
    clip = random_clip(10)
    before = clip.copy()
    for mode in ("offline", "causal"):
        Preprocess(mode, fps=20.0)(clip, COCO17, 30.0)
    np.testing.assert_array_equal(clip, before)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "online"}, r"'online'.*offline, causal"),
        ({"confidence_threshold": 0.0}, r"confidence_threshold is 0.0"),
        ({"fps": -1.0}, r"fps is -1.0"),
    ],
)
def test_bad_options_are_named(options: dict, message: str) -> None:
    with pytest.raises(ActrecError, match=message):
        Preprocess(**options)


@MODES
def test_wrong_joint_count_is_named(mode: str) -> None:
    with pytest.raises(ActrecError, match=r"17 joints; skeleton 'penn13' has 13"):
        Preprocess(mode)(random_clip(0), PENN13, 30.0)
