import numpy as np
import pytest

from actrec.data.synthetic.body import Body, Limbs, Pose, Trunk, both, free_legs, joints, orient, vec
from actrec.skeleton import get_skeleton

INDEX = get_skeleton("coco17").joints.index


def standing(body: Body, pitch: float = 0.0, hands=(0.25, 0.2, 1.0), feet=(0.0, 0.1, 0.08)) -> Pose:
    trunk = Trunk(vec(np.zeros(1), 0.0, body.standing), orient(0.0), orient(pitch))
    return Pose(trunk, Limbs(both(*hands), both(-1.0, 0.2, 0.0)), Limbs(both(*feet), both(1.0, 0.0, 0.0)), orient(0.0))


@pytest.fixture
def body() -> Body:
    return Body.sample(np.random.default_rng(0))


def test_orientation_is_a_rotation_with_the_stated_signs():
    frame = orient(np.array([0.3, 1.0]), np.array([0.2, -2.0]), np.array([-0.5, 0.4]))
    np.testing.assert_allclose(frame @ frame.swapaxes(1, 2), np.broadcast_to(np.eye(3), (2, 3, 3)), atol=1e-12)
    np.testing.assert_allclose(np.cross(frame[:, 0], frame[:, 1]), frame[:, 2], atol=1e-12)
    assert orient(0.4)[0, 2, 0] > 0  # bowing forward takes the head forward
    assert orient(0.0, 0.4)[0, 0, 1] > 0  # turning left takes the face to the left
    assert orient(0.0, 0.0, 0.4)[0, 2, 1] < 0  # leaning right takes the head to the right


def test_standing_body_is_in_order(body):
    pose = joints(body, standing(body))[0]
    heights = [pose[INDEX(f"left_{joint}"), 2] for joint in ("ear", "shoulder", "hip", "knee", "ankle")]
    assert heights == sorted(heights, reverse=True)
    for left, right in get_skeleton("coco17").mirror_pairs:
        assert pose[INDEX(left), 1] > 0 > pose[INDEX(right), 1]
    assert pose[INDEX("nose"), 0] > pose[INDEX("left_ear"), 0]
    assert pose[INDEX("left_knee"), 0] > 0.5 * (pose[INDEX("left_hip"), 0] + pose[INDEX("left_ankle"), 0])


def test_estimators_see_higher_heads_than_annotators() -> None:
    bodies = [Body.sample(np.random.default_rng(seed)) for seed in range(200)]
    seen = [body.as_estimated(np.random.default_rng(seed)) for seed, body in enumerate(bodies)]
    necks, legs = np.array([[body.neck, body.leg] for body in seen]).T / [body.torso for body in seen]
    assert np.median(necks) == pytest.approx(0.41, abs=0.02)
    assert np.median(legs) == pytest.approx(1.70, abs=0.03)
    for body in seen:
        pose = joints(body, standing(body))[0]
        assert pose[INDEX("nose"), 2] > pose[INDEX("left_shoulder"), 2]


def test_limbs_reach_their_places_and_keep_their_lengths(body):
    pose = joints(body, standing(body))[0]
    np.testing.assert_allclose(pose[INDEX("left_wrist")], [0.25, 0.2, 1.0], atol=1e-9)
    np.testing.assert_allclose(pose[INDEX("right_ankle")], [0.0, -0.1, 0.08], atol=1e-9)
    for side in ("left", "right"):
        bones = {
            ("shoulder", "elbow"): body.upper_arm,
            ("elbow", "wrist"): body.forearm,
            ("hip", "knee"): body.thigh,
            ("knee", "ankle"): body.shank,
        }
        for (a, b), length in bones.items():
            apart = np.linalg.norm(pose[INDEX(f"{side}_{a}")] - pose[INDEX(f"{side}_{b}")])
            assert apart == pytest.approx(length)


def test_a_place_out_of_reach_is_pointed_at(body):
    far = joints(body, standing(body, hands=(5.0, 0.2, 1.3)))[0]
    shoulder, elbow, wrist = (far[INDEX(f"left_{joint}")] for joint in ("shoulder", "elbow", "wrist"))
    target = np.array([5.0, 0.2, 1.3])
    assert np.linalg.norm(wrist - shoulder) == pytest.approx(body.arm, rel=0.01)
    direction = (target - shoulder) / np.linalg.norm(target - shoulder)
    np.testing.assert_allclose((wrist - shoulder) / np.linalg.norm(wrist - shoulder), direction, atol=1e-6)
    assert np.linalg.norm(elbow - shoulder) == pytest.approx(body.upper_arm)


def test_raised_arms_raise_the_shoulders(body):
    low, high = (joints(body, standing(body, hands=(0.0, 0.2, z)))[0] for z in (0.6, 2.6))
    assert high[INDEX("left_shoulder"), 2] > low[INDEX("left_shoulder"), 2] + 0.03


def test_joint_angles_are_those_asked_for(body):
    trunk = Trunk(vec(np.zeros(1), 0.0, 1.0), orient(0.0), orient(0.0))
    legs = free_legs(body, trunk, np.full((1, 2), 0.7), np.full((1, 2), 1.1), 0.0)
    pose = joints(body, Pose(trunk, Limbs(both(0.0, 0.3, 1.0), both(-1.0, 0.0, 0.0)), legs, orient(0.0)))[0]
    hip, knee, ankle = (pose[INDEX(f"left_{joint}")] for joint in ("hip", "knee", "ankle"))
    thigh, shank = knee - hip, ankle - knee
    assert np.arctan2(thigh[0], -thigh[2]) == pytest.approx(0.7, abs=0.02)
    assert np.arccos(thigh @ shank / body.thigh / body.shank) == pytest.approx(1.1, abs=0.02)


def test_bodies_differ_and_are_human():
    rng = np.random.default_rng(1)
    bodies = [Body.sample(rng) for _ in range(200)]
    ratios = np.array([body.leg / body.torso for body in bodies])
    assert 1.4 < ratios.mean() < 1.7
    assert ratios.std() > 0.05
    assert all(0.4 < body.torso < 0.62 and body.shoulder_width > 0.1 for body in bodies)
