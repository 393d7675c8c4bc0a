from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from actrec.data.synthetic.faults import Faults
from actrec.skeleton import COCO17
from actrec.types import ActrecError

WIDTH, HEIGHT, FPS, FOCAL, DISTANCE = 640, 480, 30.0, 600.0, 4.0
NONE: dict[str, Any] = dict(
    occlusion=0.0,
    jitter=0.0,
    lost=0.0,
    cropped=0.0,
    swaps=0.0,
    missed=0.0,
    blurred=0.0,
    weakest=0.0,
    unannotated=(),
    viewers_sides=0.0,
)
FACE = ("left_eye", "right_eye", "left_ear", "right_ear")

# A standing person in metres: left, down and forward of the pelvis; left is outwards for a joint that has a side.
STANDING = {
    "nose": (0.0, -0.72, 0.1),
    "eye": (0.03, -0.75, 0.08),
    "ear": (0.07, -0.73, 0.0),
    "shoulder": (0.18, -0.5, 0.0),
    "elbow": (0.25, -0.22, 0.0),
    "wrist": (0.27, 0.02, 0.05),
    "hip": (0.1, 0.0, 0.0),
    "knee": (0.11, 0.42, 0.02),
    "ankle": (0.11, 0.82, 0.0),
}


def numbers(*names: str) -> list[int]:
    return COCO17.index(names)


def standing(yaw: float = 0.0, n_frames: int = 60, **moved: tuple[float, float, float]) -> np.ndarray:
    """Somebody who stands still, turned so many degrees from facing the camera; some joints are placed elsewhere."""
    points = []
    for joint in COCO17.joints:
        left, down, forward = STANDING[joint.split("_")[-1]]
        points.append(moved.get(joint, (-left if joint.startswith("right_") else left, down, forward)))
    left, down, forward = np.array(points).T
    cos, sin = np.cos(np.radians(yaw)), np.sin(np.radians(yaw))
    # Facing the camera, the left hand is on the right of the picture and forward is nearer.
    camera = np.stack([left * cos - forward * sin, down, DISTANCE - forward * cos - left * sin], -1)
    return np.tile(camera, (n_frames, 1, 1))


def project(camera: np.ndarray) -> np.ndarray:
    return FOCAL * camera[..., :2] / camera[..., 2:] + np.array([WIDTH / 2, HEIGHT / 2])


def observe(faults: Faults, camera: np.ndarray, seed: int = 0, shift: float = 0.0) -> np.ndarray:
    image = project(camera) + np.array([0, shift])
    return faults(camera, image, WIDTH, HEIGHT, FPS, np.random.default_rng(seed))


def annotated(**options: Any) -> Faults:
    return Faults(**{**NONE, "annotated_share": 1.0, **options})


def estimated(**options: Any) -> Faults:
    return Faults(**{**NONE, "annotated_share": 0.0, **options})


def share_seen(faults: Faults, camera: np.ndarray, *joints: str, n_clips: int = 40) -> float:
    seen = [observe(faults, camera, seed)[:, numbers(*joints), 2] > 0 for seed in range(n_clips)]
    return float(np.mean(seen))


def confidence(camera: np.ndarray, *joints: str, n_clips: int = 40, **options: Any) -> float:
    faults = estimated(**options)
    return float(np.median([observe(faults, camera, seed)[:, numbers(*joints), 2] for seed in range(n_clips)]))


@pytest.mark.parametrize("annotated_share", [0.0, 1.0])
@pytest.mark.parametrize("yaw", [0, 90, 180])
def test_without_faults_every_joint_is_where_it_is(yaw: float, annotated_share: float) -> None:
    camera = standing(yaw)
    keypoints = observe(Faults(**NONE, annotated_share=annotated_share), camera)
    assert (keypoints[..., 2] > 0).all()
    body = [joint for joint in range(17) if joint != COCO17.joints.index("nose")]  # an annotator's nose is the head
    np.testing.assert_allclose(keypoints[:, body, :2], project(camera)[:, body], atol=1e-3)


@pytest.mark.parametrize("n_frames", [1, 2, 7, 60])
@pytest.mark.parametrize("annotated_share", [0.0, 1.0])
def test_output_is_a_clip_as_stored(annotated_share: float, n_frames: int) -> None:
    faults = Faults(annotated_share=annotated_share, lost=20.0, swaps=5.0, missed=1.0, cropped=1.0)
    for seed in range(20):
        keypoints = observe(faults, standing(40.0 * seed, n_frames), seed)
        assert keypoints.shape == (n_frames, 17, 3)
        assert keypoints.dtype == np.float32
        assert np.isfinite(keypoints).all()
        assert ((keypoints[..., 2] >= 0) & (keypoints[..., 2] <= 1)).all()
        assert (keypoints[keypoints[..., 2] == 0] == 0).all()


def test_the_generator_of_random_numbers_decides() -> None:
    camera = standing(60)
    first = observe(Faults(), camera, seed=3)
    np.testing.assert_array_equal(first, observe(Faults(), camera, seed=3))
    assert not np.array_equal(first, observe(Faults(), camera, seed=4))


def test_inputs_stay_as_they_were() -> None:
    camera = standing(60)
    image = project(camera)
    before = camera.copy(), image.copy()
    Faults(cropped=1.0)(camera, image, WIDTH, HEIGHT, FPS, np.random.default_rng(0))
    np.testing.assert_array_equal(camera, before[0])
    np.testing.assert_array_equal(image, before[1])


def test_annotators_are_sure_and_never_see_eyes_and_ears() -> None:
    keypoints = observe(Faults(annotated_share=1.0), standing())
    assert set(np.unique(keypoints[..., 2])) <= {0, 1}
    assert not keypoints[:, numbers(*FACE)].any()


def test_annotators_put_the_nose_higher_as_the_head() -> None:
    camera = standing()
    nose = numbers("nose")
    head = [observe(annotated(), camera, seed)[0, nose, 1] for seed in range(100)]
    torso = FOCAL * 0.5 / DISTANCE
    higher = (project(camera)[0, nose, 1] - np.median(head)) / torso
    assert 0.1 < higher < 0.3


def test_a_wrist_behind_the_back_is_unseen_from_the_front_only() -> None:
    behind = {"left_wrist": (0.0, -0.2, -0.25)}
    faults = annotated(occlusion=1.0)
    assert share_seen(faults, standing(0, **behind), "left_wrist") < 0.3
    assert share_seen(faults, standing(180, **behind), "left_wrist") == 1
    assert share_seen(faults, standing(0), "left_wrist") == 1


def test_from_the_side_the_far_side_is_unseen() -> None:
    far, near = (tuple(f"{side}_{part}" for part in ("shoulder", "elbow", "hip")) for side in ("left", "right"))
    faults = annotated(occlusion=1.0)
    assert share_seen(faults, standing(-90), *far) < 0.35
    assert share_seen(faults, standing(-90), *near) > 0.95
    assert share_seen(faults, standing(90), *near) < 0.35
    assert share_seen(faults, standing(90), *far) > 0.95


def test_the_viewers_left_is_the_bodys_right() -> None:
    """Seen from the front, what the body calls left is at the right of the picture."""
    left, right = COCO17.index(("left_shoulder", "right_shoulder"))
    own, viewers = (observe(annotated(viewers_sides=share), standing(0))[..., 0] for share in (0.0, 1.0))
    assert (own[:, left] > own[:, right]).all()
    assert (viewers[:, left] < viewers[:, right]).all()
    np.testing.assert_array_equal(viewers, own[:, COCO17.mirror_index])


def test_a_limb_that_is_seen_past_the_body_is_seen() -> None:
    """An arm stretched forward is clear of the trunk, from the side too."""
    stretched = {"left_elbow": (0.18, -0.6, 0.3), "left_wrist": (0.18, -0.6, 0.6)}
    assert share_seen(annotated(occlusion=1.0), standing(-90, **stretched), "left_elbow", "left_wrist") == 1


def test_from_behind_an_estimator_does_not_see_the_face() -> None:
    face = ("nose", "left_eye", "right_eye")
    assert confidence(standing(0), *face, occlusion=1.0) > 0.85
    assert confidence(standing(180), *face, occlusion=1.0) < 0.2


def test_an_estimator_guesses_what_is_hidden_with_less_confidence() -> None:
    far = confidence(standing(-90), "left_elbow", "left_wrist", occlusion=1.0)
    near = confidence(standing(-90), "right_elbow", "right_wrist", occlusion=1.0)
    assert 0.2 < far < 0.75
    assert near > 0.9


def test_jitter_grows_with_speed_and_is_in_proportion_to_the_person() -> None:
    def noise(sway: float, size: float) -> float:
        camera = standing() * np.array([1, 1, 1 / size])
        camera[..., 0] += (sway * np.sin(np.arange(60) / 5))[:, None]
        apart = [observe(estimated(jitter=1.0), camera, seed)[..., :2] - project(camera) for seed in range(10)]
        return float(np.std(apart))

    assert noise(0.5, 1) > 1.5 * noise(0, 1)
    assert noise(0, 1) == pytest.approx(2 * noise(0, 0.5), rel=0.2)


def test_annotators_click_on_whole_pixels_of_a_picture_640_wide() -> None:
    camera = standing()
    keypoints = Faults(annotated_share=1.0)(camera, 0.5 * project(camera), 320, 240, FPS, np.random.default_rng(0))
    np.testing.assert_array_equal(keypoints[..., :2] * 2, np.round(keypoints[..., :2] * 2))


def test_swaps_exchange_left_and_right() -> None:
    camera = standing(180)
    image = project(camera)
    mirrored = image[:, COCO17.mirror_index]
    share = []
    for seed in range(30):
        xy = observe(estimated(swaps=3.0), camera, seed)[..., :2]
        straight, swapped = (np.abs(xy - place).max(-1) < 1e-2 for place in (image, mirrored))
        assert (straight | swapped).all()
        share.append((~straight).mean())
        assert np.array_equal(straight, straight[:, COCO17.mirror_index])
    assert 0.02 < np.mean(share) < 0.7


def test_sides_are_not_confused_in_somebody_who_faces_the_camera() -> None:
    camera = standing(0)
    for seed in range(20):
        np.testing.assert_allclose(observe(estimated(swaps=1.0), camera, seed)[..., :2], project(camera), atol=1e-2)


def test_what_is_out_of_the_picture_is_unobserved_or_held_at_its_edge() -> None:
    camera, feet = standing(), numbers("left_ankle", "right_ankle")
    down = HEIGHT - project(camera)[0, feet[0], 1] + 30
    assert not observe(annotated(), camera, shift=down)[:, feet].any()
    outside, inside = (
        np.stack([observe(estimated(jitter=1.0), camera, seed, shift)[:, feet] for seed in range(10)])
        for shift in (down, 0.0)
    )
    assert (outside[..., 1] <= HEIGHT).all()
    assert outside[..., 2].mean() < 0.7 * inside[..., 2].mean()


def test_cropped_clips_lack_a_side_of_the_body() -> None:
    unseen = [(observe(annotated(cropped=1.0), standing(), seed)[..., 2] == 0).any() for seed in range(20)]
    assert all(unseen)


def test_missed_frames_lack_every_joint() -> None:
    seen = np.stack([observe(estimated(missed=1.0), standing(), seed)[..., 2] > 0 for seed in range(20)])
    assert (seen.all(2) | ~seen.any(2)).all()
    assert 0.02 < 1 - seen.mean() < 0.4


def test_joints_are_lost_for_stretches_and_for_whole_clips() -> None:
    seen = np.stack([observe(annotated(lost=10.0), standing(), seed)[..., 2] > 0 for seed in range(40)])
    never, always = ~seen.any(1), seen.all(1)
    assert 0.02 < never.mean() < 0.6
    assert 0.02 < (~never & ~always).mean() < 0.6
    ends = (seen[:, 1:] != seen[:, :-1]).sum(1)
    assert ends.max() <= 2  # in and out again, once


def test_the_share_of_annotated_clips_is_kept() -> None:
    sure = [set(np.unique(observe(Faults(), standing(), seed)[..., 2])) <= {0, 1} for seed in range(200)]
    assert 0.4 < np.mean(sure) < 0.6


def test_a_confident_estimator_misplaces_what_it_does_not_see() -> None:
    from_aside = standing(90)
    doubtful, sure = (
        np.stack([observe(estimated(occlusion=1.0, confident=share), from_aside, seed) for seed in range(20)])
        for share in (0.0, 1.0)
    )
    hidden = doubtful[..., 2] < 0.4
    assert hidden.mean() > 0.05
    assert (sure[..., 2] >= 0.5).all()
    apart = np.linalg.norm(sure[..., :2] - project(from_aside), axis=-1)
    assert np.median(apart[hidden]) > 3 * np.median(apart[~hidden])


def test_limbs_of_people_who_lie_are_misplaced_for_moments() -> None:
    """Of somebody who stands, few are; shoulders and hips stay nearly where they are."""

    def far(camera: np.ndarray, *joints: str) -> float:
        """Returns the share of the joints that are more than 30 pixels, a third of a torso, from their place."""
        away = [observe(estimated(collapsed=1.0), camera, seed)[..., :2] - project(camera) for seed in range(40)]
        return float((np.linalg.norm(np.stack(away), axis=-1) > 30)[..., numbers(*joints)].mean())

    lying = standing()[..., [1, 0, 2]]
    wrists, trunk = ("left_wrist", "right_wrist"), ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
    assert far(lying, *wrists) > 1.5 * far(standing(), *wrists)
    assert 0.05 < far(lying, *wrists) < 0.4
    assert far(lying, *trunk) < 0.5 * far(lying, *wrists)


def test_a_faint_estimator_is_less_sure_of_the_ends_of_the_limbs() -> None:
    plain, faint = (
        np.stack([observe(estimated(faint=share), standing(), seed) for seed in range(40)])[..., 2]
        for share in (0.0, 1.0)
    )
    wrists, trunk = numbers("left_wrist", "right_wrist"), numbers("left_hip", "right_hip")
    assert (plain[..., wrists] < 0.5).mean() < 0.05
    assert 0.2 < (faint[..., wrists] < 0.5).mean() < 0.6
    assert (faint[..., trunk] < 0.5).mean() < 0.05


def test_an_unsteady_estimator_jitters_more_in_some_clips_than_in_others() -> None:
    def spread(unsteady: float) -> float:
        clips = [observe(estimated(jitter=1.0, unsteady=unsteady), standing(), seed) for seed in range(40)]
        sizes = [np.median(np.abs(np.diff(clip[..., :2], 2, axis=0))) for clip in clips]
        return float(np.log(sizes).std())

    assert spread(1.0) > 1.5 * spread(0.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"annotated_share": 1.2}, "annotated_share of Faults is 1.2; expected 0 to 1"),
        ({"jitter": -1.0}, "jitter of Faults is -1.0; expected 0 or more"),
        ({"unannotated": ("left_toe",)}, "left_toe"),
    ],
)
def test_strange_options_are_errors(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ActrecError, match=message):
        Faults(**options)
