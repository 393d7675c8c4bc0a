"""Makes enrolled classes from a few clips, without training: class means in the space of the network's embedding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec._startup import import_name
from actrec.model.spec import ModelSpec
from actrec.online.embeddings import embed_clips, model_frames
from actrec.online.engine import Engine
from actrec.online.enrolled import LEAST_SEEN, PARTS, Enrolled, Whitening, descriptors
from actrec.skeleton import map_keypoints
from actrec.types import NONE, ActrecError, SkeletonSequence

MOST_CLIPS = 10
SHORTEST = 0.4  # seconds
_LONGEST = 6.0  # seconds; a longer clip is cut into equal pieces, each an example
_LONELY = 0.6  # likeness that is assumed among the clips of a class when there is one clip alone: that of usual classes
_USUAL = 0.99  # share of the moments of other motions that are to be less similar than the threshold's lower bound
_CLOSENESS = 0.3  # of the threshold to the likeness of the clips; the rest is closeness to other motions
_LENIENCE = 0.05  # by which the threshold is lower than that, as only what the network calls none meets it
_SAME_MOTION = 0.75  # similarity of two classes; of two draws of one class 0.73 to 0.95, of others at most 0.71
_SESSIONS: dict[str, Any] = {"n_clips": 12, "seed": 1917, "seconds": (18, 18), "test_share": 0.0}
_SECONDS = 20  # of each of those sessions
_SHRINKAGE = 0.1  # of the whitening, relative to the greatest variance
_STRIDE = 5  # frames between the moments of other motions that a new class is compared with


@dataclass(frozen=True)
class Enrolment:
    """What was found about a class that was enrolled.

    Attributes:
        label: Name of the class.
        n_clips: Number of its clips.
        seconds: Their usual length.
        likeness: Mean similarity of a clip to the other clips; NaN for one clip alone.
        others: Similarity that 99 % of the moments of other motions do not reach.
        resembles: An enrolled class that is the same motion; empty if there is none.
    """

    label: str
    n_clips: int
    seconds: float
    likeness: float
    others: float
    resembles: str = ""

    def __str__(self) -> str:
        alike = "" if np.isnan(self.likeness) else f"similarity of its clips {self.likeness:.2f}, "
        clips = f"{self.n_clips} clip{'s' if self.n_clips > 1 else ''}"
        return f"{self.label}: {clips} of {self.seconds:.1f} s; {alike}of other motions below {self.others:.2f}"

    def warning(self) -> str:
        """Returns a sentence about what will not be recognised safely, or an empty text."""
        if self.likeness < self.others:
            return (
                f"The clips of '{self.label}' are less similar to each other than to other motions, so it will hardly "
                "be recognised. Give clips that show the action alone, from its beginning to its end."
            )
        if self.resembles:
            return (
                f"'{self.label}' is about the same motion as the enrolled class '{self.resembles}', so either may be "
                "recognised. If it is one action, enrol it once, with the clips of both."
            )
        return ""


def check_label(label: object, taken: Sequence[str]) -> str:
    """Returns the name of a new class; raises an ActrecError if it is none, or taken."""
    if not isinstance(label, str) or not label.isprintable() or not label or label != label.strip() or label == NONE:
        raise ActrecError(f"The label is {label!r:.60}; expected the name of an action, without spaces at its ends.")
    if label in taken:
        raise ActrecError(
            f"There is a class '{label}' already. Take another name, or remove the class first if it was enrolled "
            "(remove=true; OnlineRecognizer.unenroll)."
        )
    return label


def start_enrolled(engine: Engine, spec: ModelSpec) -> Enrolled:
    """Makes the enrolled classes of a model that has none yet; embeds generated sessions, which takes seconds.

    Raises:
        ActrecError: The model gives no embedding.
    """
    probe = embed_probe(engine, spec)
    if probe is None:
        raise ActrecError(
            "This model gives no embedding, which enrolment needs. If it was exported by an earlier version of actrec, "
            "export it again: python -m actrec.export model=<its model folder>. A network of one's own must return "
            "`embedding` in NetworkOutput."
        )
    rate = float(spec.pipeline.preprocess.fps or spec.fps)
    sessions = import_name("actrec.data.synthetic.sessions", "SyntheticSessions")(**_SESSIONS)  # needs scipy
    frames = [model_frames(clip, spec)[: int(rate * _SECONDS)] for clip in sessions.clips()]
    frames = [each[: min(map(len, frames))] for each in frames]
    background = np.stack(embed_clips(engine, frames)).astype(np.float16).astype(np.float32)  # as it is stored
    flat = background.reshape(-1, background.shape[-1]).astype(float)
    mean = flat.mean(0)
    values, vectors = np.linalg.eigh((flat - mean).T @ (flat - mean) / len(flat))
    matrix = vectors / np.sqrt(values + _SHRINKAGE * values[-1] + 1e-12)
    dim = len(probe)
    nothing = np.zeros((0, PARTS * dim)), np.zeros(0, dtype=int), np.zeros(0)
    return Enrolled(probe, background, Whitening(mean, matrix), (), *nothing)


def embed_probe(engine: Engine, spec: ModelSpec) -> Float[ndarray, " embedding"] | None:
    """Returns the model's embedding of a fixed pose; None if the model gives none."""
    n_joints = spec.pipeline.skeleton.n_joints
    angle = np.arange(n_joints) * 2.4
    places = [300 + 90 * np.cos(angle), 300 + 140 * np.sin(angle), 300 + 60 * np.cos(2 * angle)]
    pose = np.stack([*places[: spec.pipeline.n_coordinates], np.ones(n_joints)], -1)
    output = engine.fresh().push([""], pose[None].astype(np.float32))
    return None if output.embedding is None else output.embedding[0]


def enroll(
    enrolled: Enrolled, engine: Engine, spec: ModelSpec, label: str, clips: Sequence[SkeletonSequence]
) -> tuple[Enrolled, Enrolment]:
    """Adds a class from its clips, which `check_clips` accepts."""
    rate = float(spec.pipeline.preprocess.fps or spec.fps)
    pieces = [piece for clip in _in_layout(clips, spec) for piece in _pieces(clip)]
    examples = [model_frames(clip, spec) for piece in pieces for clip in (piece, _mirrored(piece, spec))]
    white = [enrolled.whitening(each) for each in embed_clips(engine, examples)]
    described = np.stack([descriptors(each, np.array(len(each))) for each in white]).reshape(len(pieces), 2, -1)
    length = int(np.median([len(each) for each in white]))
    template, likeness = _unit(described.mean((0, 1))), _likeness(described)
    others = _others(
        replace(
            enrolled,
            labels=(label,),
            templates=template[None],
            lengths=np.array([length]),
            thresholds=np.zeros(1),
        )
    )
    expected = _LONELY if np.isnan(likeness) else max(likeness, others)
    threshold = (1 - _CLOSENESS) * others + _CLOSENESS * expected - _LENIENCE
    near = enrolled.templates @ template
    resembles = enrolled.labels[int(near.argmax())] if len(near) and near.max() > _SAME_MOTION else ""
    made = enrolled.with_class(label, template, length, threshold)
    return made, Enrolment(label, len(clips), length / rate, likeness, others, resembles)


def check_clips(label: str, clips: Sequence[SkeletonSequence], spec: ModelSpec) -> None:
    """Raises an ActrecError if there are no clips or too many, or one is too short or shows no joint of the model."""
    if not 1 <= len(clips) <= MOST_CLIPS:
        advice = "Take those that differ most; with many clips, train a model." if clips else "Record some."
        raise ActrecError(f"There are {len(clips) or 'no'} clips of '{label}'; expected 1 to {MOST_CLIPS}. {advice}")
    check_enrollable(spec)
    threshold = spec.pipeline.preprocess.confidence_threshold
    for number, clip in enumerate(_in_layout(clips, spec), start=1):
        name = f"Clip '{clip.clip_id}'" if clip.clip_id else f"Clip {number}"
        seconds, seen = len(clip) / clip.fps, (clip.keypoints[..., -1] >= threshold).any(1).mean()
        if seconds < SHORTEST:
            raise ActrecError(f"{name} lasts {seconds:.2f} s; expected at least {SHORTEST} s: the whole action.")
        if seen < LEAST_SEEN:
            raise ActrecError(
                f"{name} has an observed joint (confidence {threshold:g} or more) in {seen:.0%} of its frames; "
                f"expected at least {LEAST_SEEN:.0%}."
            )


def check_enrollable(spec: ModelSpec) -> None:
    """Raises an ActrecError for a model of three dimensions."""
    if spec.pipeline.n_coordinates == 3:
        raise ActrecError(
            "Classes cannot be enrolled into a model of three dimensions: the other motions that a new class is "
            "compared with are generated in two. Train a model with clips of the new class."
        )


def _in_layout(clips: Sequence[SkeletonSequence], spec: ModelSpec) -> list[SkeletonSequence]:
    """Maps the clips to the model's joint layout; raises an ActrecError for a clip of other dimensions."""
    for number, clip in enumerate(clips, start=1):
        spec.pipeline.check_coordinates(replace(clip, clip_id=clip.clip_id or str(number)))
    return [
        replace(
            clip,
            keypoints=map_keypoints(clip.keypoints, clip.skeleton, spec.pipeline.skeleton.name),
            skeleton=spec.pipeline.skeleton.name,
            segments=(),
            repetition=None,
        )
        for clip in clips
    ]


def _pieces(clip: SkeletonSequence) -> list[SkeletonSequence]:
    """Cuts a clip into equal pieces of at most 6 seconds, and leaves out those in which no joint is observed."""
    count = int(np.ceil(len(clip) / clip.fps / _LONGEST))
    edges = np.linspace(0, len(clip), count + 1).astype(int)
    pieces = [clip.cut(int(start), int(end)) for start, end in pairwise(edges)]
    return [piece for piece in pieces if (piece.keypoints[..., -1] > 0).any()]


def _mirrored(clip: SkeletonSequence, spec: ModelSpec) -> SkeletonSequence:
    """Mirrors a clip in the model's joint layout, so that it shows the action done with the other side."""
    x, there = clip.keypoints[..., 0], clip.keypoints[..., -1] > 0
    keypoints = clip.keypoints.copy()
    keypoints[..., 0] = np.where(there, x[there].min() + x[there].max() - x, 0)
    return replace(clip, keypoints=keypoints[:, spec.pipeline.skeleton.mirror_index])


def _unit(vector: ndarray) -> ndarray:
    unit: ndarray = vector / max(float(np.linalg.norm(vector)), 1e-9)
    return unit


def _likeness(described: Float[ndarray, "clip side descriptor"]) -> float:
    """Returns the mean similarity of a clip to the mean of the others; NaN for one alone."""
    if len(described) == 1:
        return float("nan")
    total = described.sum((0, 1))
    return float(np.mean([each[0] @ _unit(total - each.sum(0)) for each in described]))


def _others(alone: Enrolled) -> float:
    """Returns the similarity that most moments of the background do not reach, to a class that is the only one."""
    similarity = [
        alone.similarity(white[max(0, now - alone.memory) : now])[0]
        for white in map(alone.whitening, alone.background)
        for now in range(1, len(white) + 1, _STRIDE)
    ]
    return float(np.quantile(similarity, _USUAL))
