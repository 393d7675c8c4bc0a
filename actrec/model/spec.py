"""The specification of a model: everything but its weights.

It is written to and read from `config.json` without PyTorch, so that recognition by ONNX Runtime does not need it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from actrec.model.json_data import check_finite, made, parse_object, taken
from actrec.pipeline.features import Features
from actrec.pipeline.pipeline import Pipeline
from actrec.pipeline.preprocess import Preprocess
from actrec.pipeline.windows import AnchoredWindows, ResizeWindows, SlidingWindows, WindowRule
from actrec.skeleton import add_skeleton, get_skeleton
from actrec.types import ActrecError

FORMAT = 1
SHIPPED = Path(__file__).parent / "shipped"  # has a model folder with step.onnx for each name
WINDOWS: dict[str, type[WindowRule]] = {
    rule.__name__: rule for rule in (SlidingWindows, ResizeWindows, AnchoredWindows)
}
_FORMER_NAMES = {  # of networks, in the folders that versions before 0.2 wrote
    "InfoGCN": "actrec.network.infogcn.InfoGCN",
    "Transformer": "actrec.network.transformer.Transformer",
}


def options_from_data(network: Mapping[str, Any], pipeline: Pipeline, n_classes: int) -> dict[str, Any]:
    """Completes a network's config, `_target_` and options, by the options that follow from the data."""
    options = {
        **network,
        "skeleton": pipeline.skeleton.name,
        "in_channels": pipeline.n_channels,
        "n_classes": n_classes,
    }
    if "coordinates" in options and options["coordinates"] is None:
        options["coordinates"] = pipeline.n_coordinates
    return options


@dataclass(frozen=True)
class ModelSpec:
    """The specification of a model: everything but its weights.

    Attributes:
        network: Import path of the network's class.
        network_options: Keyword arguments of its constructor.
        pipeline: Makes the network's input from a clip.
        labels: Class names in the order of the logits.
        decision: How a window's frames are combined into one decision; see `actrec.evaluation.probabilities.decide`.
        fps: Median frame rate of the training clips.
        pose_model: Name of the pose model that made the training skeletons.
        dataset: Name of the data set that it was trained on.
        split: How the data set was split (the fields of `actrec.data.split.Split`); empty if unknown.
        metrics: The most important metrics on the test split; empty before evaluation.
        uncounted: Labels of actions that have no repetitions to count.
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
    uncounted: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "network", _FORMER_NAMES.get(self.network, self.network))
        if "." not in self.network:
            raise ActrecError(f"There is no network '{self.network}'. Give the import path of its class.")
        if self.decision not in ("last", "mean"):
            raise ActrecError(f"decision is '{self.decision}'; expected last or mean.")
        _checked_labels(self.labels)
        for label in self.uncounted:
            if label not in self.labels:
                raise ActrecError(f"Among the uncounted labels is {label!r}, which is not among the labels.")
        if not (math.isfinite(self.fps) and self.fps > 0):
            raise ActrecError(f"fps is {self.fps}; expected the positive number of frames a second.")
        self._check_network()

    def _check_network(self) -> None:
        """Raises an ActrecError if the network's options contradict another field."""
        options, parts = self.network_options, self.pipeline
        wanted: dict[str, tuple[Any, str]] = {
            "n_classes": (len(self.labels), "the number of labels"),
            "skeleton": (parts.skeleton.name, "the skeleton"),
            "in_channels": (parts.n_channels, "the number of channels that the features have"),
        }
        if options.get("head_segments", 1) != 1:
            wanted["window"] = (parts.windows.length, "windows.length")
        for name, (value, what) in wanted.items():
            if options.get(name, value) != value:
                raise ActrecError(f"network.{name} is {options[name]!r}, but {what} is {value!r}.")
        if parts.preprocess.view != "camera" and parts.n_coordinates != 3:
            raise ActrecError(
                f"preprocess.view={parts.preprocess.view} turns bodies of three dimensions; the clips have two. Set "
                "preprocess.view=camera."
            )
        forecast = (options.get("coordinates") or 2) if self.network_name == "InfoGCN" else parts.n_coordinates
        if forecast < parts.n_coordinates:
            raise ActrecError(f"network.coordinates is {forecast}, but joints have {parts.n_coordinates} coordinates.")

    @property
    def network_name(self) -> str:
        """The name of the network's class."""
        return self.network.rpartition(".")[2]

    def to_json(self) -> dict[str, Any]:
        """Returns the specification as plain data for `config.json`."""
        parts = self.pipeline
        uncounted = {"uncounted": list(self.uncounted)} if self.uncounted else {}  # versions before 0.3 refuse it
        return {
            "format": FORMAT,
            "network": {"class": self.network, **self.network_options},
            "skeleton": parts.skeleton.to_json(),
            "preprocess": _written(parts.preprocess),
            "windows": {"class": type(parts.windows).__name__, **_written(parts.windows)},
            "features": asdict(parts.features),
            "labels": list(self.labels),
            "decision": self.decision,
            "fps": self.fps,
            "pose_model": self.pose_model,
            "dataset": self.dataset,
            "split": self.split,
            "metrics": self.metrics,
            **uncounted,
            **({} if parts.n_coordinates == 2 else {"n_coordinates": parts.n_coordinates}),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ModelSpec:
        """Makes a specification from what `to_json` returned; registers the joint layout that it contains.

        Raises:
            ActrecError: A key is unknown or missing, a value has the wrong type, or values contradict one another.
        """
        for name in set(data) - {"metrics"}:
            check_finite(data[name], name)
        network, windows = dict(taken(data, "network", dict)), dict(taken(data, "windows", dict))
        rule = taken(windows, "class", str)
        if rule not in WINDOWS:
            raise ActrecError(f"'windows.class' is '{rule}', expected one of: {', '.join(WINDOWS)}")
        name = taken(network, "class", str)
        del network["class"], windows["class"]
        pipeline = Pipeline(
            add_skeleton(data["skeleton"])
            if isinstance(data.get("skeleton"), dict)
            else get_skeleton(taken(data, "skeleton", str)),
            made(Preprocess, taken(data, "preprocess", dict), "preprocess"),
            made(WINDOWS[rule], windows, "windows"),
            made(Features, taken(data, "features", dict), "features"),
            _coordinates(data),
        )
        rest = {"decision": str, "fps": float, "pose_model": str, "dataset": str, "split": dict, "metrics": dict}
        labels = tuple(_checked_labels(taken(data, "labels", list)))
        uncounted = tuple(str(label) for label in taken(data, "uncounted", list)) if "uncounted" in data else ()
        given: dict[str, Any] = {key: taken(data, key, kind) for key, kind in rest.items()}
        spec = cls(name, network, pipeline, labels, uncounted=uncounted, **given)
        if unknown := sorted(set(data) - {*spec.to_json(), "uncounted", "n_coordinates"}):
            raise ActrecError(f"'{unknown[0]}' is an unknown key, perhaps of a newer version of actrec")
        return spec


def _written(options: Any) -> dict[str, Any]:
    """Returns the options of a part, without newer ones that change nothing: earlier versions refuse them."""
    newer = {"view": "camera", "random_sampling": False}
    return {name: value for name, value in asdict(options).items() if (name, value) not in newer.items()}


def _coordinates(data: dict[str, Any]) -> int:
    """Returns the number of coordinates of a joint; earlier versions knew two dimensions only."""
    number = taken(data, "n_coordinates", int) if "n_coordinates" in data else 2
    if number not in (2, 3):
        raise ActrecError(f"'n_coordinates' is {number}, expected 2 or 3")
    return number


def _checked_labels(labels: Sequence[Any]) -> Sequence[str]:
    """Returns the labels; raises an ActrecError unless they are distinct names."""
    for number, label in enumerate(labels):
        if not isinstance(label, str) or not label or label in labels[:number]:
            what = " twice" if label in labels[:number] else ""
            raise ActrecError(f"Among the labels is {label!r}{what}; expected names, each once.")
    if not labels:
        raise ActrecError("Among the labels is none; expected names, each once.")
    return labels


def shipped_models() -> list[str]:
    """Lists the names of the models that come with the package."""
    return sorted(file.parent.name for file in SHIPPED.glob("*/config.json"))


def find_model(folder: str | Path) -> Path:
    """Returns the folder of a model.

    Args:
        folder: A model folder; a run's folder, which has one; or the name of a model that comes with the package, such
            as "sport14", unless there is a model folder of that name. `~` is expanded.
    """
    path = Path(folder).expanduser()
    for each in (path, path / "model"):
        if (each / "config.json").is_file():
            return each
    return SHIPPED / str(folder) if str(folder) in shipped_models() else path


def load_spec(folder: str | Path) -> ModelSpec:
    """Reads the specification of a model folder, or of the one inside a run's folder.

    Raises:
        ActrecError: The folder is not a model folder, or its configuration is damaged or contradicts itself.
    """
    path = find_model(folder) / "config.json"
    if not path.is_file():
        raise ActrecError(
            f"'{folder}' is not a model folder: it has no config.json. A training run leaves one in "
            f"outputs/<experiment>/<date_time>/model. The models that come with actrec are: "
            f"{', '.join(shipped_models()) or 'none'}."
        )
    try:
        data = parse_object(path.read_text(encoding="utf-8"))
        version = taken(data, "format", int)
        if version == FORMAT:
            return ModelSpec.from_json(data)
    except (ActrecError, OSError, UnicodeDecodeError) as error:
        reason = str(error).rstrip(".")
        raise ActrecError(
            f"'{path}' is damaged: {reason}. Use the file that was written with the model's weights, or train or "
            "import the model again."
        ) from error
    raise ActrecError(f"'{path}' has format {version}; this version of actrec reads format {FORMAT}.")
