"""What a model is, beside its weights: read without torch, which recognition by ONNX Runtime does without."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from actrec.data.pipeline import Pipeline
from actrec.data.preprocess import Preprocess
from actrec.data.windows import AnchoredWindows, Features, ResizeWindows, SlidingWindows
from actrec.skeleton import get_skeleton
from actrec.types import ActrecError

FORMAT = 1
WINDOWS = {rule.__name__: rule for rule in (SlidingWindows, ResizeWindows, AnchoredWindows)}


@dataclass(frozen=True)
class ModelSpec:
    """What a model is, beside its weights.

    Attributes:
        network: Class name of the network.
        network_options: Its constructor's keywords.
        pipeline: From clip to network input.
        labels: Class names in the order of the logits.
        decision: How a window's frames become one decision; see `actrec.evaluation.decide`.
        fps: Frames a second of the training clips (their median).
        pose_model: What made the training skeletons.
        dataset: Name of the data set that it was trained on.
        split: How that was split (the fields of `actrec.data.split.Split`); empty where that is not known.
        metrics: Headline figures on the test split; empty until they have been measured.
    """

    network: str
    network_options: dict[str, Any]
    pipeline: Pipeline
    labels: tuple[str, ...]
    decision: str = "last"
    fps: float = 30.0
    pose_model: str = ""
    dataset: str = ""
    split: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.decision not in ("last", "mean"):
            raise ActrecError(f"decision is '{self.decision}'; expected last or mean.")

    def to_json(self) -> dict[str, Any]:
        """Plain data for `config.json`."""
        parts = self.pipeline
        return {
            "format": FORMAT,
            "network": {"class": self.network, **self.network_options},
            "skeleton": parts.skeleton.name,
            "preprocess": asdict(parts.preprocess),
            "windows": {"class": type(parts.windows).__name__, **asdict(parts.windows)},
            "features": asdict(parts.features),
            "labels": list(self.labels),
            "decision": self.decision,
            "fps": self.fps,
            "pose_model": self.pose_model,
            "dataset": self.dataset,
            "split": self.split,
            "metrics": self.metrics,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ModelSpec:
        """The reverse of `to_json`."""
        network, windows = dict(data["network"]), dict(data["windows"])
        pipeline = Pipeline(
            get_skeleton(data["skeleton"]),
            Preprocess(**data["preprocess"]),
            WINDOWS[windows.pop("class")](**windows),
            Features(**data["features"]),
        )
        return cls(
            network.pop("class"),
            network,
            pipeline,
            tuple(data["labels"]),
            data["decision"],
            data["fps"],
            data["pose_model"],
            data["dataset"],
            data["split"],
            data["metrics"],
        )


def load_spec(folder: str | Path) -> ModelSpec:
    """What the model in a folder is.

    Raises:
        ActrecError: The folder is not a model folder, or its configuration is damaged.
    """
    path = Path(folder) / "config.json"
    if not path.is_file():
        raise ActrecError(
            f"'{folder}' is not a model folder: it has no config.json. A training run leaves one in "
            "outputs/<experiment>/<date_time>/model."
        )
    try:
        data = json.loads(path.read_text())
        if data["format"] != FORMAT:
            raise ActrecError(f"'{path}' has format {data['format']}; this version of actrec reads format {FORMAT}.")
        return ModelSpec.from_json(data)
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ActrecError(
            f"'{path}' is damaged ({type(error).__name__}: {error}). Train or import the model again."
        ) from error
