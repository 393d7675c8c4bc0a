from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actrec.drawing.projection import AZIMUTH, ELEVATION, TURN, centre, fit, project, turning
from actrec.pipeline.view import VIEWS, clip_turn, facing

Lift = Callable[[Any], Any]
CUBE = np.array(np.meshgrid([-1.0, 1.0], [-1.0, 1.0], [-1.0, 1.0])).reshape(3, 8).T
ANGLES = st.floats(-360, 360), st.floats(-90, 90)


def test_two_dimensions_pass_through_bit_by_bit(make_sequences: Callable[..., Any]) -> None:
    clip = make_sequences(1, 1)[0]
    places = clip.keypoints[..., :2]
    assert project(places) is places
    assert turning(places, centre(clip.keypoints), 30.0) is places
    assert facing(places, "camera") is places


@given(*ANGLES)
def test_the_axes_of_a_cube_are_those_of_a_parallel_projection(azimuth: float, elevation: float) -> None:
    """Gauss's theorem of axonometry: the axes' pictures, as complex numbers, have squares whose sum is zero."""
    x, y = project(np.eye(3), azimuth, elevation).T
    assert np.sum((x + 1j * y) ** 2) == pytest.approx(0, abs=1e-9)
    assert np.sum(x**2 + y**2) == pytest.approx(2)
    assert x[1] == 0  # what is vertical stays so
    assert y[1] <= 1e-9  # and does not turn over


@given(*ANGLES)
def test_a_whole_turn_changes_nothing(azimuth: float, elevation: float) -> None:
    once, again = (project(CUBE, azimuth + turn, elevation) for turn in (0, 360))
    np.testing.assert_allclose(once, again, atol=1e-9)


@pytest.mark.parametrize(
    ("azimuth", "corner", "place"),
    [
        (0, (1, 1, 1), (-1, -1)),  # from the recording camera's place: x to the left, y up
        (0, (-1, 1, -1), (1, -1)),
        (90, (1, 1, 1), (-1, -1)),  # from the side that x points to: what was far away is on the left
        (90, (1, -1, -1), (1, 1)),
        (180, (1, 1, 1), (1, -1)),
    ],
)
def test_corners_of_a_cube(azimuth: float, corner: tuple[int, ...], place: tuple[int, ...]) -> None:
    (found,) = project(np.array([corner], dtype=float), azimuth, 0)
    np.testing.assert_allclose(found, place, atol=1e-9)


def test_a_camera_that_looks_down_sees_what_is_far_away_higher() -> None:
    near, far = project(np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 3.0]]))
    assert far[1] < near[1]
    above, below = project(np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]))
    assert above[1] < below[1]


def test_from_the_cameras_place_a_lifted_clip_is_what_it_was(make_sequences: Callable[..., Any], lift: Lift) -> None:
    flat = make_sequences(1, 1)[0]
    places = project(lift(flat).keypoints[..., :3], 0, 0)
    np.testing.assert_allclose(200 * places + (320, 240), flat.keypoints[..., :2], atol=1e-3)
    assert places.dtype == np.float32


def test_a_turning_camera_begins_at_the_fixed_view_and_comes_back() -> None:
    still = np.repeat(CUBE[None] + (5, 0, 9), 61, axis=0)
    keypoints = np.concatenate([still, np.ones((61, 8, 1))], -1)
    np.testing.assert_allclose(centre(keypoints), (5, 0, 9))
    seen = turning(still, centre(keypoints), 60 / TURN)
    np.testing.assert_allclose(seen[0], project(CUBE, AZIMUTH, ELEVATION), atol=1e-9)
    np.testing.assert_allclose(seen[60], seen[0], atol=1e-9)
    np.testing.assert_allclose(seen[15], project(CUBE, AZIMUTH + 90), atol=1e-9)
    assert np.abs(seen).max() < 2  # it goes about the cube, and not about the sensor


def test_joints_that_are_not_observed_do_not_count() -> None:
    keypoints = np.array([[[1.0, 2.0, 3.0, 0.9], [3.0, 2.0, 5.0, 0.1], [0.0, 0.0, 0.0, 0.0]]])
    np.testing.assert_allclose(centre(keypoints), (2, 2, 4))
    np.testing.assert_allclose(centre(keypoints * 0), 0)
    scale, shift = fit(keypoints[..., :2], keypoints[..., 3] > 0, 100)
    np.testing.assert_allclose(keypoints[0, :2, :2] * scale + shift, [[10, 50], [90, 50]])
    assert np.isfinite(fit(keypoints[..., :2], keypoints[..., 3] > 2, 100)[1]).all()


@pytest.mark.parametrize("view", [view for view in VIEWS if view != "camera"])
def test_a_turned_body_faces_the_camera_upright(view: str) -> None:
    """A body with its right shoulder, its front and its head at known places, turned by preprocessing in each way."""
    right, front = np.array([0.6, 0.0, 0.8]), np.array([0.8, 0.0, -0.6])
    up = np.array([0.0, 1.0, 0.0])
    if view == "z":  # the vertical axis of the data is z
        right, front, up = (part[[2, 0, 1]] for part in (right, front, up))
    np.testing.assert_allclose(np.cross(right, front), up, atol=1e-9)  # as in all right-handed coordinates
    turn = clip_turn(np.stack([-right, up])[None], view)
    shown = facing(np.stack([right, front, up]) @ turn.T, view)
    np.testing.assert_allclose(shown, [(1, 0, 0), (0, 0, -1), (0, 1, 0)], atol=1e-9)
    assert project(shown)[0, 0] < 0  # somebody who faces us has the right hand on our left
