import numpy as np
import pytest

from actrec.data.synthetic.body import Body, joints
from actrec.data.synthetic.camera import View, look
from actrec.data.synthetic.motion import Actor
from actrec.data.synthetic.standing import jumping_jacks
from actrec.skeleton import get_skeleton

INDEX = get_skeleton("coco17").joints.index


def film(yaw: float, seed: int = 0, anywhere: bool = False) -> tuple[np.ndarray, View]:
    rng = np.random.default_rng(seed)
    actor = Actor(Body.sample(rng), rng, 30.0)
    body = joints(actor.body, jumping_jacks(actor))
    return body, look(actor, body, yaw, np.arange(len(body)) / 30, anywhere=anywhere)


@pytest.mark.parametrize("seed", range(10))
def test_sides_and_depth_follow_from_where_the_camera_stands(seed):
    (_, front), (_, back), (_, left) = film(0.0, seed), film(np.pi, seed), film(np.pi / 2, seed)
    a, b = INDEX("left_shoulder"), INDEX("right_shoulder")
    assert (front.image[:, a, 0] > front.image[:, b, 0]).all()
    assert (back.image[:, a, 0] < back.image[:, b, 0]).all()
    assert (left.camera[:, a, 2] < left.camera[:, b, 2]).all()
    for view in (front, back, left):
        assert (view.image[:, INDEX("nose"), 1] < view.image[:, INDEX("left_ankle"), 1]).all()
        assert (view.camera[..., 2] > 0).all()


def test_a_camera_anywhere_is_often_above_the_head() -> None:
    def heights(anywhere: bool) -> np.ndarray:
        found = []
        for seed in range(60):
            body, view = film(0.0, seed, anywhere)
            up = body[:, INDEX("nose"), 2] - body[:, INDEX("left_ankle"), 2]
            fall = view.camera[:, INDEX("left_ankle"), 2] - view.camera[:, INDEX("nose"), 2]
            found.append(np.mean(fall / up))  # sine of the angle by which the camera looks down
        return np.array(found)

    usual, anywhere = heights(False), heights(True)
    assert (anywhere > 0.6).mean() > 2 * (usual > 0.6).mean()  # steeper than 37 degrees
    assert 0.1 < (anywhere > 0.6).mean() < 0.4


@pytest.mark.parametrize("seed", range(10))
def test_the_camera_moves_the_body_rigidly(seed):
    body, view = film(0.7, seed)

    def distances(points: np.ndarray) -> np.ndarray:
        return np.linalg.norm(points[:, :, None] - points[:, None], axis=-1)

    np.testing.assert_allclose(distances(view.camera), distances(body), atol=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_the_picture_is_a_perspective_projection(seed):
    """In each frame, pixels are an affine map (focal length, roll, shift) of x / z and y / z."""
    _, view = film(0.3, seed)
    flat = view.camera[..., :2] / view.camera[..., 2:]
    for frame in (0, len(flat) - 1):
        design = np.column_stack([flat[frame], np.ones(17)])
        solved, *_ = np.linalg.lstsq(design, view.image[frame], rcond=None)
        np.testing.assert_allclose(design @ solved, view.image[frame], atol=1e-6)
        turned = solved[:2] / np.sqrt(np.linalg.det(solved[:2]))
        np.testing.assert_allclose(turned @ turned.T, np.eye(2), atol=1e-6)  # square pixels


def test_people_fill_a_good_part_of_the_picture():
    shares = []
    for seed in range(60):
        _, view = film(0.0, seed)
        extent = np.ptp(view.image.reshape(-1, 2), axis=0)
        shares.append((extent / (view.width, view.height)).max())
    assert 0.5 < np.median(shares) < 0.95
    assert max(shares) > 1  # now and then feet are out of the picture
