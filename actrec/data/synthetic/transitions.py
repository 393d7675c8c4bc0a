"""Joins the poses of motions that follow one another in a session: turned, moved, and blended in between."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.spatial.transform import Rotation, Slerp

from actrec.data.synthetic.body import Body, Limbs, Pose, Trunk, hips, orient, shoulders
from actrec.data.synthetic.motion import Actor, Times, sway


def placed(pose: Pose, heading: float, offset: Float[ndarray, " 2"]) -> Pose:
    """Turns a pose about the vertical by `heading` radians to the left, and moves it by `offset` metres."""
    cos, sin = np.cos(heading), np.sin(heading)
    turn = np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1.0]])
    moved = np.append(offset, 0.0)
    trunk = Trunk(pose.trunk.pelvis @ turn + moved, pose.trunk.hips @ turn, pose.trunk.chest @ turn)
    arms, legs = (Limbs(limbs.ends @ turn + moved, limbs.poles @ turn) for limbs in (pose.arms, pose.legs))
    return Pose(trunk, arms, legs, pose.head @ turn, pose.done)


def frame_of(pose: Pose, number: int) -> Pose:
    """Returns the pose of one frame; a negative number counts from the end."""
    n_frames = len(pose.trunk.pelvis)
    at = [number % n_frames]

    def one(values: ndarray) -> ndarray:
        return values[at] if len(values) == n_frames else values[:1]

    return Pose(
        Trunk(*map(one, pose.trunk)), Limbs(*map(one, pose.arms)), Limbs(*map(one, pose.legs)), one(pose.head), None
    )


def held(actor: Actor, pose: Pose, seconds: float) -> Pose:
    """Holds a pose (of one frame) for some time; trunk, hands and head sway a little, and the feet stay."""
    t = np.arange(max(int(seconds * actor.fps), 2)) / actor.fps
    size = 0.006 * actor.around(1.0, 0.6)
    x, y, z, nod, turn = sway(actor, t, [size, size, 0.5 * size, 0.04, 0.06], 0.4)
    shift = np.stack([x, y, z], 1)
    trunk = pose.trunk._replace(pelvis=pose.trunk.pelvis + shift)
    trunk = Trunk(trunk.pelvis, *(np.repeat(part, len(t), 0) for part in trunk[1:]))
    hands = pose.arms.ends + actor.u(0.0, 1.0) * shift[:, None]
    return Pose(trunk, pose.arms._replace(ends=hands), pose.legs, orient(nod, turn) @ pose.head)


def blended(body: Body, first: Pose, last: Pose, u: Times) -> Pose:
    """Blends two poses (of one frame each): `u` is 0 at the first and 1 at the last.

    The trunk is interpolated, and hands and feet relative to it, so that the bones keep their lengths.
    """
    between = u[:, None]
    trunk = Trunk(
        first.trunk.pelvis + between * (last.trunk.pelvis - first.trunk.pelvis),
        _turned(first.trunk.hips, last.trunk.hips, u),
        _turned(first.trunk.chest, last.trunk.chest, u),
    )
    limbs = []
    for name, roots in (("arms", shoulders), ("legs", hips)):
        start, end = getattr(first, name), getattr(last, name)
        reaches = [each.ends - roots(body, pose.trunk) for each, pose in ((start, first), (end, last))]
        ends = roots(body, trunk) + reaches[0] + between[..., None] * (reaches[1] - reaches[0])
        poles = start.poles + between[..., None] * (end.poles - start.poles)
        limbs.append(Limbs(ends, poles))
    return Pose(trunk, limbs[0], limbs[1], _turned(first.head, last.head, u))


def _turned(first: Float[ndarray, "1 3 3"], last: Float[ndarray, "1 3 3"], u: Times) -> Float[ndarray, "frame 3 3"]:
    both = Rotation.from_matrix(np.concatenate([first, last]))
    turned: ndarray = Slerp([0.0, 1.0], both)(u).as_matrix()
    return turned


def distance(first: Pose, last: Pose) -> float:
    """Returns how far apart two poses (of one frame) are: metres of the pelvis's height plus radians of the trunk."""
    turn = Rotation.from_matrix(first.trunk.chest[0] @ last.trunk.chest[0].T).magnitude()
    return float(abs(first.trunk.pelvis[0, 2] - last.trunk.pelvis[0, 2]) + turn)
