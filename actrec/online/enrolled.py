"""Recognises enrolled classes: actions that a model was not trained on, from the embeddings of a few clips.

A stretch of a stream is described by the means of the embedding over `PARTS` equal parts of its time, whitened and
scaled to length 1. An enrolled class is the mean of its clips' descriptors. `enrolment` makes classes.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from actrec.files import replace_file
from actrec.model.copies import ENROLLED
from actrec.online.state_checks import check_within, checked_array
from actrec.types import ActrecError

PARTS = 6
TEMPOS = (0.7, 1.0, 1.4)  # lengths at which an action is looked for, relative to its clips'
LEAST_SEEN = 0.5  # share of such a length that must have been seen
_SHARPNESS = 20.0  # of the odds: a similarity that is 0.05 above the threshold multiplies them by e
_DOUBT = 0.03  # that an action which the network is sure of is an enrolled one instead
_GREATEST = 1e15  # of an embedding in a restored state
_SAME = 1e-2  # relative difference of the probe's embedding up to which a model is the one that a file was made with


@dataclass(frozen=True)
class Whitening:
    """A linear map after which the embeddings of various motions have no mean and are about uncorrelated."""

    mean: Float[ndarray, " embedding"]
    matrix: Float[ndarray, "embedding embedding"]

    def __call__(self, embeddings: Float[ndarray, "*frame embedding"]) -> Float[ndarray, "*frame embedding"]:
        white: ndarray = (embeddings - self.mean) @ self.matrix
        return white


@dataclass(frozen=True)
class Enrolled:
    """The enrolled classes of a model.

    Attributes:
        probe: The model's embedding of a fixed pose, by which a file is known to be of this model.
        background: Embeddings of generated sessions, before whitening, to compare new classes with.
        labels: Names of the classes.
        templates: Descriptor of each class, of length 1.
        lengths: Usual length of each action, in frames at the model's rate.
        thresholds: Least similarity at which a class is as probable as all others together.
    """

    probe: Float[ndarray, " embedding"]
    background: Float[ndarray, "session frame embedding"]
    whitening: Whitening
    labels: tuple[str, ...]
    templates: Float[ndarray, "class descriptor"]
    lengths: Int[ndarray, " class"]
    thresholds: Float[ndarray, " class"]

    @property
    def memory(self) -> int:
        """The number of frames that must be remembered."""
        return round(max(TEMPOS) * int(self.lengths.max(initial=1)))

    def similarity(self, history: Float[ndarray, "frame embedding"]) -> Float[ndarray, " class"]:
        """Computes how similar the end of a stream is to each class: a cosine, at the best of `TEMPOS`.

        It is -1 for a class of whose length too little has been seen.

        Args:
            history: Whitened embeddings of the newest frames, in order.
        """
        wanted = np.maximum(np.round(self.lengths[:, None] * np.array(TEMPOS)).astype(int), PARTS)
        lengths = np.minimum(wanted, len(history))
        cosines = np.einsum("ctd,cd->ct", descriptors(history, lengths), self.templates)
        best: ndarray = np.where(len(history) >= LEAST_SEEN * wanted, cosines, -1.0).max(1)
        return best

    def probabilities(
        self,
        network: Float[ndarray, " class"],
        history: Float[ndarray, "frame embedding"],
        none: int | None = None,
    ) -> Float[ndarray, " both"]:
        """Appends the enrolled classes to the network's probabilities, which share what those leave.

        The odds of an enrolled class against all of the network's are exp(20 (similarity - threshold)), times the
        probability of none plus 0.03, so that it hardly takes from an action that the network is sure of.

        Args:
            none: Number of the class none; None for a model without it.
        """
        prior = 1.0 if none is None else float(network[none]) + _DOUBT
        odds = prior * np.exp(_SHARPNESS * (self.similarity(history) - self.thresholds))
        both: ndarray = np.concatenate([network, odds]) / (1 + odds.sum())
        return both.astype(network.dtype)

    def with_class(
        self, label: str, template: Float[ndarray, " descriptor"], length: int, threshold: float
    ) -> Enrolled:
        """Returns the classes with another one at the end."""
        return replace(
            self,
            labels=(*self.labels, label),
            templates=np.concatenate([self.templates, template[None]]),
            lengths=np.append(self.lengths, length),
            thresholds=np.append(self.thresholds, threshold),
        )

    def without_class(self, label: str) -> Enrolled:
        """Returns the classes without one of them; raises an ActrecError if it is not among them."""
        if label not in self.labels:
            found = ", ".join(self.labels) or "none"
            raise ActrecError(f"'{label}' is not an enrolled class. Enrolled are: {found}.")
        kept = [number for number, name in enumerate(self.labels) if name != label]
        return replace(
            self,
            labels=tuple(self.labels[number] for number in kept),
            templates=self.templates[kept],
            lengths=self.lengths[kept],
            thresholds=self.thresholds[kept],
        )


def descriptors(
    history: Float[ndarray, "frame embedding"], lengths: Int[ndarray, "*many"]
) -> Float[ndarray, "*many descriptor"]:
    """Describes the last frames of a stream, for each of several lengths."""
    summed = np.concatenate([np.zeros((1, history.shape[1])), np.cumsum(history, 0, dtype=float)])
    edges = len(history) - lengths[..., None] * (1 - np.arange(PARTS + 1) / PARTS)
    starts = np.floor(edges[..., :-1] + 1e-9).astype(int)
    ends = np.maximum(np.ceil(edges[..., 1:] - 1e-9).astype(int), starts + 1)
    means = (summed[ends] - summed[starts]) / (ends - starts)[..., None]
    flat = means.reshape(*lengths.shape, -1)
    unit: ndarray = flat / np.maximum(np.linalg.norm(flat, axis=-1, keepdims=True), 1e-9)
    return unit


class History:
    """The whitened embeddings of one person's newest frames; `none` is the number of the class none."""

    def __init__(self, enrolled: Enrolled, none: int | None = None) -> None:
        self.none = none
        self.enrolled, self._kept = enrolled, np.zeros((0, len(enrolled.probe)), dtype=np.float32)

    def push(
        self, network: Float[ndarray, " class"], embedding: Float[ndarray, " embedding"]
    ) -> Float[ndarray, " both"]:
        """Takes the outputs of the network for the next frame, and returns the probabilities of all classes."""
        new = self.enrolled.whitening(embedding).astype(np.float32)
        self._kept = np.concatenate([self._kept, new[None]])[-self.enrolled.memory :]
        return self.enrolled.probabilities(network, self._kept, self.none)

    def state(self) -> dict[str, ndarray]:
        """Returns the whole state, in arrays of fixed size."""
        frames = np.zeros((self.enrolled.memory, self._kept.shape[1]), dtype=np.float32)
        frames[: len(self._kept)] = self._kept
        return {"frames": frames, "count": np.array(len(self._kept))}

    def restore(self, state: Mapping[str, ndarray]) -> None:
        """Restores what `state` returned."""
        shape = (self.enrolled.memory, self._kept.shape[1])
        frames, count = checked_array(state, "frames", shape, np.float32), int(checked_array(state, "count", (), int))
        check_within(_GREATEST, frames)
        if not 1 <= count <= len(frames):
            raise ValueError(f"{count} embeddings in a memory of {len(frames)}")
        self._kept = frames[:count].copy()


def save_enrolled(enrolled: Enrolled, folder: Path) -> Path:
    """Writes the enrolled classes of a model into its folder; without classes, removes the file."""
    path = folder / ENROLLED
    if not enrolled.labels:
        path.unlink(missing_ok=True)
        return path
    arrays = {name: getattr(enrolled, name) for name in ("probe", "templates", "lengths", "thresholds")}
    content = io.BytesIO()
    np.savez_compressed(
        content,
        labels=np.array(enrolled.labels),
        background=enrolled.background.astype(np.float16),
        mean=enrolled.whitening.mean,
        matrix=enrolled.whitening.matrix,
        **arrays,
    )
    replace_file(path, content.getvalue())
    return path


def load_enrolled(folder: Path, probe: Callable[[], ndarray | None], labels: Sequence[str]) -> Enrolled | None:
    """Reads the enrolled classes of a model folder; None if it has none.

    Args:
        probe: Gives the model's embedding of the fixed pose, or None if the model gives no embedding.
        labels: The classes of the model itself.

    Raises:
        ActrecError: The file is damaged, or was made with other weights.
    """
    path = folder / ENROLLED
    if not path.is_file():
        return None
    try:
        with path.open("rb") as stream:
            found = {name: value for name, value in np.load(stream, allow_pickle=False).items()}
        enrolled = _from_arrays(found)
    except Exception as error:  # numpy and zipfile raise many kinds for a damaged archive
        raise ActrecError(f"'{path}' is damaged ({error}). Delete it and enrol its classes again.") from None
    embedding = probe()
    if embedding is None:
        raise ActrecError(f"'{path}' needs a model that gives embeddings. Export the model again.")
    same = embedding.shape == enrolled.probe.shape and np.allclose(
        embedding, enrolled.probe, rtol=0, atol=_SAME * float(np.abs(enrolled.probe).max())
    )
    if not same:
        raise ActrecError(
            f"The classes in '{path}' were enrolled with other weights than those beside it. Delete the file and enrol "
            "them again."
        )
    if both := set(enrolled.labels) & set(labels):
        raise ActrecError(f"'{path}' has '{sorted(both)[0]}', which is a class of the model itself. Delete the file.")
    return enrolled


def _from_arrays(found: dict[str, ndarray]) -> Enrolled:
    """Makes the classes from the arrays of a file, and checks their shapes."""
    labels, dim = tuple(str(label) for label in found["labels"]), len(found["probe"])
    shapes = {
        "probe": (dim,),
        "mean": (dim,),
        "matrix": (dim, dim),
        "templates": (len(labels), PARTS * dim),
        "lengths": (len(labels),),
        "thresholds": (len(labels),),
    }
    for name, shape in shapes.items():
        if found[name].shape != shape or not np.isfinite(found[name]).all():
            raise ValueError(f"{name} has shape {found[name].shape}, expected {shape}, or is not finite")
    background = found["background"].astype(np.float32)
    if background.ndim != 3 or background.shape[2] != dim or not np.isfinite(background).all():
        raise ValueError(f"background has shape {background.shape}")
    if len(set(labels)) != len(labels) or not 1 <= found["lengths"].min() <= found["lengths"].max() <= 10_000:
        raise ValueError("labels that are not distinct, or lengths out of range")
    whitening = Whitening(found["mean"], found["matrix"])
    return Enrolled(
        found["probe"], background, whitening, labels, found["templates"], found["lengths"], found["thresholds"]
    )
