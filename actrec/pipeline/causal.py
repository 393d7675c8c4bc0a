"""Causal preprocessing: the result for a frame depends only on that frame and the frames before it.

- A missing joint is held at its last observed position; one not yet observed is zero after normalisation.
- The origin is the pelvis of the first frame with a hip observed, and is then kept. Until then it is the centroid of
  the observed joints of the first frame that has any.
- The scale is the median torso length so far. Until a torso is observed, it is the longest side of the box about all
  joints observed so far, divided by `TORSOS_PER_BOX`; while that box is a point, 1.
- With `preprocess.view`, a frame is turned by the shoulders of the frames so far, at most of the first eight that show
  them; before any does, it is not turned.

The state of a stream is a record of fixed size in a structured array, so that many streams are processed together.
`Preprocess(mode="causal")` passes whole clips through it, and the online engine one frame after another.
"""

from __future__ import annotations

from bisect import insort

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from actrec.pipeline.measures import EPSILON, TORSOS_PER_BOX, Measures, extents, measure, normalize
from actrec.pipeline.view import directions, push_turns, turn_fields, turned
from actrec.skeleton import Skeleton

Field = tuple[str, type, tuple[int, ...]]


def stream_fields(n_joints: int, n_frames: int, n_coordinates: int = 2) -> list[Field]:
    """Returns the fields of the state of a stream of at most `n_frames` frames, for `numpy.dtype`.

    In the unit of the keypoints: `place` is the last observed position of each joint; `torsos` are the torso lengths so
    far, ascending, of which the first `n_torsos` are set; `origin` and `scale` are those of the newest frame.
    """
    return [
        ("place", np.float64, (n_joints, n_coordinates)),
        ("known", np.bool_, (n_joints,)),
        ("pelvis", np.float64, (n_coordinates,)),
        ("centroid", np.float64, (n_coordinates,)),
        ("box", np.float64, (2 * n_coordinates,)),
        ("torsos", np.float64, (n_frames,)),
        ("n_torsos", np.int64, ()),
        ("origin", np.float64, (n_coordinates,)),
        ("scale", np.float64, ()),
    ]


def new_streams(count: int, fields: list[Field]) -> ndarray:
    """Makes the states of streams without frames; fields other than those of `stream_fields` are 0."""
    streams = np.zeros(count, np.dtype(fields))
    streams["pelvis"], streams["centroid"], streams["box"], streams["scale"] = np.nan, np.nan, np.inf, 1.0
    return streams


def push(
    streams: ndarray,
    keypoints: Float[ndarray, "stream frame joint value"],
    observed: Bool[ndarray, "stream frame joint"],
    measures: Measures,
) -> tuple[Float[ndarray, "stream frame joint value"], Bool[ndarray, "stream frame joint"]]:
    """Normalises the next frames of each stream, one or more, and updates the streams' states.

    Args:
        streams: The states, which are changed in place.
        measures: Of those frames: (stream, frame, …).

    Returns:
        The normalised frames, and which joints have a known position.
    """
    place, known = _hold(streams, keypoints[..., :-1], observed)
    origin, scale = _origins(streams, measures), _scales(streams, measures)
    return normalize(keypoints, place, known, origin, scale), known


def push_clip(
    keypoints: Float[ndarray, "frame joint value"],
    observed: Bool[ndarray, "frame joint"],
    skeleton: Skeleton,
    view: str = "camera",
) -> tuple[ndarray, Float[ndarray, "frame joint value"], Bool[ndarray, "frame joint"]]:
    """Passes a whole clip through a new stream; returns its final state, the frames, and which joints are known."""
    fields = stream_fields(skeleton.n_joints, len(keypoints), keypoints.shape[2] - 1)
    stream = new_streams(1, [*fields, *turn_fields()] if view != "camera" else fields)
    raw = keypoints.astype(np.float64)
    measures = Measures(*(part[None] for part in measure(raw, observed, skeleton)))
    frames, known = push(stream, raw[None], observed[None], measures)
    if view != "camera":
        frames = turned(frames, push_turns(stream, directions(raw, observed, skeleton)[None], view))
    return stream, frames[0], known[0]


def _hold(
    streams: ndarray,
    places: Float[ndarray, "stream frame joint coordinate"],
    observed: Bool[ndarray, "stream frame joint"],
) -> tuple[Float[ndarray, "stream frame joint coordinate"], Bool[ndarray, "stream frame joint"]]:
    """Returns each joint's last observed position, and whether it has one."""
    last = np.maximum.accumulate(np.where(observed, np.arange(places.shape[1])[:, None], -1), 1)
    here = np.take_along_axis(places, np.maximum(last, 0)[..., None], 1)
    place = np.where((last >= 0)[..., None], here, streams["place"][:, None])
    known = (last >= 0) | streams["known"][:, None]
    if places.shape[1]:
        streams["place"], streams["known"] = place[:, -1], known[:, -1]
    return place, known


def _first(
    streams: ndarray, name: str, places: Float[ndarray, "stream frame coordinate"]
) -> tuple[Float[ndarray, "stream 1 coordinate"], Bool[ndarray, "stream frame"]]:
    """Returns the first known position, in these frames or before, and the frames from which on it is known."""
    so_far = np.logical_or.accumulate(~np.isnan(places[..., 0]), 1)
    new = np.isnan(streams[name][:, 0])
    if new.any():
        streams[name][new] = places[new, so_far[new].argmax(1)]
    return streams[name][:, None], so_far | ~new[:, None]


def _origins(streams: ndarray, measures: Measures) -> Float[ndarray, "stream frame coordinate"]:
    if not measures.pelvis.shape[1]:
        return measures.pelvis
    centroid, seen = _first(streams, "centroid", measures.centroid)
    pelvis, hips_seen = _first(streams, "pelvis", measures.pelvis)
    # Before any joint is observed, all are zero for any origin.
    origins = np.where(hips_seen[..., None], pelvis, np.where(seen[..., None], centroid, 0.0))
    streams["origin"] = origins[:, -1]
    return origins


def _scales(streams: ndarray, measures: Measures) -> Float[ndarray, "stream frame"]:
    so_far = np.minimum.accumulate(np.concatenate([streams["box"][:, None], measures.box], 1), 1)
    streams["box"] = so_far[:, -1]
    extent = extents(so_far[:, 1:])
    scales = np.where(extent > EPSILON, extent / TORSOS_PER_BOX, 1.0)
    for stream, lengths, scale in zip(streams, measures.torso.tolist(), scales, strict=True):
        torsos = stream["torsos"][: stream["n_torsos"]].tolist()
        for frame, length in enumerate(lengths):
            if length == length:  # not NaN
                insort(torsos, length)
            if torsos:
                middle = len(torsos) // 2
                scale[frame] = (torsos[middle] + torsos[~middle]) / 2
        stream["torsos"][: len(torsos)], stream["n_torsos"] = torsos, len(torsos)
    if scales.shape[1]:
        streams["scale"] = scales[:, -1]
    return scales
