"""Three dimensions: with z = 0 they give what two give, and `preprocess.view` and the rotations act as they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy import ndarray
from scipy.spatial.transform import Rotation as Turn

from actrec.pipeline.features import STREAMS, Features
from actrec.pipeline.pipeline import Pipeline
from actrec.pipeline.preprocess import Preprocess
from actrec.pipeline.window_transforms import Jitter, Mirror, Prefix, Rotation, Scaling, Shear, Translation
from actrec.pipeline.windows import AnchoredWindows, ResizeWindows, SlidingWindows, WindowRule
from actrec.skeleton import NTU25, NWUCLA20, Skeleton, get_skeleton
from actrec.types import ActrecError, NormalizedSequence, SkeletonSequence

SEEDS = st.integers(0, 2**32 - 1)
MODES = pytest.mark.parametrize("mode", ["offline", "causal"])
few = settings(max_examples=20, deadline=None)
WINDOWS: list[WindowRule] = [SlidingWindows(8, 4), ResizeWindows(10, (1.0,), (1.0,)), AnchoredWindows(8)]


def random_clip(seed: int, skeleton: Skeleton = NWUCLA20, n_frames: int = 14, missing: float = 0.2) -> ndarray:
    """A body that moves, in metres: every joint about its place, and some of the joints missing."""
    rng = np.random.default_rng(seed)
    body = rng.normal(0, 0.4, (skeleton.n_joints, 3)) + np.array([0.3, 0.2, 2.7])
    left, right = skeleton.index(skeleton.shoulders)
    body[left] = body[right] + Turn.random(random_state=seed % 1000).apply([0.35, 0, 0])
    places = body + rng.normal(0, 0.02, (n_frames, skeleton.n_joints, 3)).cumsum(0)
    clip = np.concatenate([places, rng.uniform(0.3, 1, (*places.shape[:2], 1))], -1)
    clip[rng.random(clip.shape[:2]) < missing] = 0
    return clip.astype(np.float32)


def sequence(keypoints: ndarray, skeleton: Skeleton = NWUCLA20) -> SkeletonSequence:
    return SkeletonSequence(keypoints, fps=30.0, skeleton=skeleton.name, label="a", clip_id="a")


def flat(keypoints: ndarray) -> ndarray:
    return np.where(np.arange(4) == 2, np.float32(0), keypoints)


@given(seed=SEEDS, mode=st.sampled_from(["offline", "causal"]), fps=st.sampled_from([None, 20.0]))
@pytest.mark.parametrize("windows", WINDOWS, ids=lambda rule: type(rule).__name__)
@pytest.mark.parametrize("stream", STREAMS)
@few
def test_with_z_zero_the_pipeline_gives_what_it_gives_in_two_dimensions(
    windows: WindowRule, stream: str, seed: int, mode: str, fps: float | None
) -> None:
    solid, features = flat(random_clip(seed)), Features(stream, "velocity" not in stream, 5.0)
    two = Pipeline(NWUCLA20, Preprocess(mode, fps=fps), windows, features)
    three = replace(two, n_coordinates=3)
    for ratio in (0.3, 1.0):
        expected = two.evaluation_items(sequence(solid[..., [0, 1, 3]]), 0, 0, ratio)
        found = three.evaluation_items(sequence(solid), 0, 0, ratio)
        assert len(found) == len(expected)
        for here, there in zip(found, expected, strict=True):
            kept = [0, 1, 3, 4, 5] if features.use_velocity else [0, 1, 3]
            np.testing.assert_array_equal(here.features[..., kept], there.features)
            others = np.delete(here.features, kept, axis=-1)
            np.testing.assert_array_equal(others, 0)
            np.testing.assert_array_equal(here.observed, there.observed)


@given(seed=SEEDS, mode=st.sampled_from(["offline", "causal"]))
@few
def test_preprocessing_is_invariant_to_place_size_and_unit(seed: int, mode: str) -> None:
    clip, rng = random_clip(seed), np.random.default_rng(seed)
    moved = clip.copy()
    moved[..., :3] = np.where(clip[..., 3:] > 0, clip[..., :3] * 1000 + rng.uniform(-500, 500, 3), 0)
    expected, found = (Preprocess(mode)(each, NWUCLA20, 30.0) for each in (clip, moved))
    np.testing.assert_allclose(found.keypoints, expected.keypoints, atol=2e-3)


@given(seed=SEEDS, mode=st.sampled_from(["offline", "causal"]), angle=st.floats(-180, 180))
@few
def test_a_turned_view_does_not_depend_on_where_the_camera_stands(seed: int, mode: str, angle: float) -> None:
    clip = random_clip(seed)
    for view in ("y", "z", "body"):
        turn = Turn.random(random_state=seed % 997) if view == "body" else Turn.from_euler(view, angle, degrees=True)
        elsewhere = clip.copy()
        turned = turn.apply(clip[..., :3].reshape(-1, 3)).reshape(clip[..., :3].shape)
        elsewhere[..., :3] = np.where(clip[..., 3:] > 0, turned, 0)
        there = Preprocess(mode, view=view)
        first = there.reference(clip, NWUCLA20).turn
        assert first is not None
        if np.allclose(first, np.eye(3)):  # no frame tells the direction
            continue
        expected, found = (there(each, NWUCLA20, 30.0).keypoints for each in (clip, elsewhere))
        start = 0 if mode == "offline" else int((clip[:, :, 3] >= 0.2).all(1).argmax()) + 8
        np.testing.assert_allclose(found[start:], expected[start:], atol=5e-3)


@MODES
@pytest.mark.parametrize("skeleton", [NWUCLA20, NTU25], ids=lambda each: each.name)
def test_the_shoulders_lie_along_x_and_the_vertical_axis_stays(mode: str, skeleton: Skeleton) -> None:
    clip = random_clip(5, skeleton, missing=0.0)
    clip[:] = clip[:1]  # nobody moves, so that the mean direction is that of each frame
    left, right = skeleton.index(skeleton.shoulders)
    plain = Preprocess(mode)(clip, skeleton, 30.0).keypoints[-1]
    for view, kept, level in (("y", 1, 2), ("z", 2, 1)):
        found = Preprocess(mode, view=view)(clip, skeleton, 30.0).keypoints[-1]
        across = found[left, :3] - found[right, :3]
        assert across[0] > 0
        assert across[level] == pytest.approx(0, abs=1e-5)
        np.testing.assert_allclose(found[:, kept], plain[:, kept], atol=1e-5)
        np.testing.assert_allclose(np.linalg.norm(found[:, :3], axis=1), np.linalg.norm(plain[:, :3], axis=1), 1e-4)
    found = Preprocess(mode, view="body")(clip, skeleton, 30.0).keypoints[-1]
    hips, shoulders = (found[skeleton.index(pair), :3].mean(0) for pair in (skeleton.hips, skeleton.shoulders))
    np.testing.assert_allclose((shoulders - hips)[[0, 2]], 0, atol=1e-5)
    assert (shoulders - hips)[1] > 0
    assert (found[left] - found[right])[2] == pytest.approx(0, abs=1e-5)
    solid, axes = found[:, :3] - found[0, :3], plain[:, :3] - plain[0, :3]
    turn, _ = Turn.align_vectors(solid, axes)  # a proper rotation maps one onto the other: nothing is mirrored
    np.testing.assert_allclose(turn.apply(axes), solid, atol=1e-4)


@given(seed=SEEDS, view=st.sampled_from(["y", "z", "body"]))
@few
def test_causal_turning_does_not_look_ahead(seed: int, view: str) -> None:
    clip, preprocess = random_clip(seed, n_frames=24), Preprocess("causal", view=view)
    whole = preprocess(clip, NWUCLA20, 30.0).keypoints
    for seen in (1, 5, 13):
        np.testing.assert_array_equal(preprocess(clip[:seen], NWUCLA20, 30.0).keypoints, whole[:seen])


@MODES
def test_without_shoulders_a_body_stays_as_it_is(mode: str) -> None:
    clip = random_clip(3)
    clip[:, NWUCLA20.index(NWUCLA20.shoulders)] = 0
    plain = Preprocess(mode)(clip, NWUCLA20, 30.0)
    for view in ("y", "z", "body"):
        found = Preprocess(mode, view=view)(clip, NWUCLA20, 30.0)
        np.testing.assert_array_equal(found.keypoints, plain.keypoints)


def test_views_and_dimensions_that_do_not_fit_are_named() -> None:
    clip = random_clip(0)
    with pytest.raises(ActrecError, match="Choose one of: camera, y, z, body"):
        Preprocess(view="front")
    with pytest.raises(ActrecError, match=r"preprocess\.view=y turns bodies of three dimensions"):
        Preprocess(view="y")(clip[..., [0, 1, 3]], NWUCLA20, 30.0)
    pipeline = Pipeline(NWUCLA20, Preprocess(), WINDOWS[0], Features())
    with pytest.raises(ActrecError, match="'a' has 3 coordinates for each joint; this model or run takes 2"):
        pipeline.batch(sequence(clip))
    with pytest.raises(ActrecError, match="has 2 coordinates for each joint; this model or run takes 3"):
        replace(pipeline, n_coordinates=3).batch(sequence(clip[..., [0, 1, 3]]))
    with pytest.raises(ActrecError, match="one for each of three axes, and these clips have two dimensions"):
        Rotation(1.0, (5.0, 5.0, 5.0))(normalized(clip[..., [0, 1, 3]]), NWUCLA20, np.random.default_rng(0))
    for wrong in ((1.0, 2.0), (0.0, 0.0, 181.0), -1.0):
        with pytest.raises(ActrecError, match="The max_degrees of Rotation is"):
            Rotation(1.0, wrong)


def normalized(clip: ndarray) -> NormalizedSequence:
    return Preprocess()(clip, NWUCLA20, 30.0)


@given(seed=SEEDS)
@few
def test_rotations_are_rigid_and_turn_about_the_axes_in_order(seed: int) -> None:
    before = normalized(random_clip(seed))
    after = Rotation(1.0, (20.0, 90.0, 10.0))(before, NWUCLA20, np.random.default_rng(seed))
    known = before.known & before.observed
    here, there = (each.keypoints[..., :3][known].astype(float) for each in (before, after))
    drawn = np.random.default_rng(seed)
    drawn.random()  # whether it is applied
    turn = Turn.from_euler("xyz", drawn.uniform([-20, -90, -10], [20, 90, 10]), degrees=True)
    np.testing.assert_allclose(there - there.mean(0), turn.apply(here - here.mean(0)), atol=1e-4)
    np.testing.assert_allclose(there.mean(0), here.mean(0), atol=1e-4)
    np.testing.assert_array_equal(after.keypoints[..., 3], before.keypoints[..., 3])


@given(seed=SEEDS)
@few
def test_the_other_augmentations_take_three_dimensions(seed: int) -> None:
    before, rng = normalized(random_clip(seed)), np.random.default_rng(seed)
    twice = Mirror(1.0)(Mirror(1.0)(before, NWUCLA20, rng), NWUCLA20, rng)
    np.testing.assert_array_equal(twice.keypoints, before.keypoints)
    mirrored = Mirror(1.0)(before, NWUCLA20, rng).keypoints
    wrists = NWUCLA20.index(["left_wrist", "right_wrist"])
    np.testing.assert_array_equal(mirrored[:, wrists[0]], before.keypoints[:, wrists[1]] * [-1, 1, 1, 1])
    shifted = Translation(1.0, 0.3)(before, NWUCLA20, rng).keypoints[..., :3] - before.keypoints[..., :3]
    moved = shifted[before.known]
    np.testing.assert_allclose(moved, np.broadcast_to(moved[:1], moved.shape), atol=1e-5)
    assert (np.abs(moved[0]) > 0).all()
    noise = (Jitter(1.0, 0.1)(before, NWUCLA20, rng).keypoints - before.keypoints)[before.known]
    np.testing.assert_allclose(noise[:, :3].std(0), 0.1, rtol=0.3)
    np.testing.assert_array_equal(noise[:, 3], 0)
    sizes = [
        np.ptp(each.keypoints[..., :3][before.known], axis=0)
        for each in (before, Scaling(1.0, (2.0, 2.0))(before, NWUCLA20, rng))
    ]
    np.testing.assert_allclose(sizes[1], 2 * sizes[0], rtol=1e-3)


def test_a_prefix_is_the_beginning_of_a_window() -> None:
    before, lengths = normalized(random_clip(1, n_frames=40)), set()
    for seed in range(60):
        found = Prefix(1.0, (0.25, 0.5))(before, NWUCLA20, np.random.default_rng(seed))
        np.testing.assert_array_equal(found.keypoints, before.keypoints[: len(found)])
        lengths.add(len(found))
    assert min(lengths) == 10
    assert max(lengths) == 20
    assert len(Prefix(1.0, (0.0, 0.0))(before, NWUCLA20, np.random.default_rng(0))) == 1


@pytest.mark.parametrize("name", ["nwucla20", "ntu25"])
def test_bone_velocities_are_the_changes_of_bones(name: str) -> None:
    skeleton = get_skeleton(name)
    window = SlidingWindows(16, 8).evaluate(Preprocess()(random_clip(2, skeleton), skeleton, 30.0), 14)[0]
    bone, motion = (Features(stream, velocity_scale=2.0)(window, skeleton) for stream in ("bone", "bone_velocity"))
    child, parent = skeleton.index(skeleton.bones[3])
    for t in range(1, 14):
        here = window.known[t - 1 : t + 1][:, [child, parent]].all()
        expected = 2 * (bone[t, child, :3] - bone[t - 1, child, :3]) if here else np.zeros(3)
        np.testing.assert_allclose(motion[t, child, :3], expected, atol=1e-6)
    np.testing.assert_array_equal(motion[0, :, :3], 0)
    np.testing.assert_array_equal(motion[..., 3], bone[..., 3])


@given(seed=SEEDS)
@few
def test_a_shear_is_one_linear_map_about_the_centroid(seed: int) -> None:
    for before in (normalized(random_clip(seed)), Preprocess()(random_clip(seed)[..., [0, 1, 3]], NWUCLA20, 30.0)):
        after = Shear(1.0, 0.4)(before, NWUCLA20, np.random.default_rng(seed))
        seen = before.known & before.observed
        here, there = (each.keypoints[..., :-1][seen].astype(float) for each in (before, after))
        here, there = here - here.mean(0), there - there.mean(0)
        found, *_ = np.linalg.lstsq(here, there, rcond=None)
        np.testing.assert_allclose(here @ found, there, atol=1e-3)
        np.testing.assert_allclose(np.diag(found), 1, atol=1e-2)
        assert np.abs(found - np.diag(np.diag(found))).max() <= 0.41


def test_offsets_of_joints_are_the_same_in_all_frames() -> None:
    before = normalized(random_clip(4, missing=0.0))
    after = Jitter(1.0, 0.0, 0.1)(before, NWUCLA20, np.random.default_rng(0))
    moved = after.keypoints[..., :3] - before.keypoints[..., :3]
    np.testing.assert_allclose(moved, np.broadcast_to(moved[:1], moved.shape), atol=1e-5)
    assert moved[0].std() == pytest.approx(0.1, rel=0.3)


def test_random_sampling_stays_within_half_a_step_and_leaves_evaluation_alone() -> None:
    clip = normalized(np.repeat(np.arange(40, dtype=np.float32), 80).reshape(40, 20, 4) * 0 + 1)
    ramp = replace(clip, keypoints=np.arange(40, dtype=np.float32)[:, None, None] * np.ones((1, 20, 4), np.float32))
    plain, drawn = (ResizeWindows(14, (1.0,), (1.0,), random_sampling=on) for on in (False, True))
    grid = plain.train(ramp, 0, np.random.default_rng(0)).keypoints[:, 0, 0]
    offsets = [drawn.train(ramp, 0, np.random.default_rng(seed)).keypoints[:, 0, 0] - grid for seed in range(50)]
    assert np.abs(offsets).max() <= 1.5 + 1e-4
    assert np.abs(offsets).max() > 1.3
    np.testing.assert_array_equal(drawn.evaluate(ramp, 40)[0].keypoints, plain.evaluate(ramp, 40)[0].keypoints)


@MODES
def test_the_spine_is_looked_for_until_hips_are_seen(mode: str) -> None:
    clip = random_clip(7, missing=0.0, n_frames=24)
    clip[:10, NWUCLA20.index(NWUCLA20.hips)] = 0
    turn = Preprocess(mode, view="body").reference(clip, NWUCLA20).turn
    later = Preprocess(mode, view="body").reference(clip[10:], NWUCLA20).turn
    assert turn is not None
    assert later is not None
    np.testing.assert_allclose(turn, later)
    assert not np.allclose(turn, np.eye(3))


def test_two_angles_or_one_in_a_list_are_no_rotation() -> None:
    with pytest.raises(ActrecError, match="The max_degrees of Rotation is"):
        Rotation(1.0, (10.0,))
