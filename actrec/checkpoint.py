"""The model folder: weights, configuration, labels and a card. All that evaluation, prediction and serving need."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from actrec.data.pipeline import Pipeline
from actrec.data.preprocess import Preprocess
from actrec.data.windows import AnchoredWindows, Features, ResizeWindows, SlidingWindows
from actrec.network.infogcn import InfoGCN
from actrec.network.transformer import Transformer
from actrec.skeleton import get_skeleton
from actrec.types import ActrecError

FORMAT = 1
NETWORKS: dict[str, type[nn.Module]] = {"InfoGCN": InfoGCN, "Transformer": Transformer}
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
        if self.network not in NETWORKS:
            raise ActrecError(f"There is no network '{self.network}'. Choose one of: {', '.join(NETWORKS)}.")

    def build(self) -> nn.Module:
        """The network with fresh weights.

        Raises:
            ActrecError: Its options do not fit it or one another.
        """
        try:
            return NETWORKS[self.network](**self.network_options)
        except (TypeError, ValueError, AssertionError) as error:
            if isinstance(error, ActrecError):
                raise
            raise ActrecError(f"{self.network} cannot be made with {self.network_options}: {error}") from error

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


def save_model(folder: str | Path, network: nn.Module, spec: ModelSpec) -> Path:
    """Writes a model folder whole, or not at all; one that is there is replaced.

    Args:
        folder: Where to.
        network: The network whose weights are saved.
        spec: What it is.
    """
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    old = folder.with_name(f".{folder.name}-old")
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        save_file(
            {name: value.contiguous() for name, value in network.state_dict().items()}, made / "model.safetensors"
        )
        (made / "config.json").write_text(json.dumps(spec.to_json(), indent=2) + "\n")
        (made / "README.md").write_text(model_card(spec))
        made.chmod(0o755)
        if folder.exists():  # a kill between the two renames leaves the old model under the other name
            os.replace(folder, old)
        os.replace(made, folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
    return folder


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


def load_weights(network: nn.Module, folder: str | Path) -> None:
    """Fills a network with a model folder's weights.

    Raises:
        ActrecError: The weights are missing, damaged, or of another network or skeleton.
    """
    path = Path(folder) / "model.safetensors"
    try:
        weights = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ActrecError(f"'{path}' cannot be read ({error}). Train or import the model again.") from error
    own = network.state_dict()
    wrong = [name for name in own if name not in weights or own[name].shape != weights[name].shape]
    if wrong or len(own) != len(weights):
        name = wrong[0] if wrong else sorted(set(weights) - set(own))[0]
        got = tuple(weights[name].shape) if name in weights else "nothing"
        want = tuple(own[name].shape) if name in own else "nothing"
        raise ActrecError(
            f"The weights in '{path}' are of another network or skeleton: '{name}' is {got}, expected {want}. "
            "Use the config.json that was written with them."
        )
    network.load_state_dict(weights)


def load_model(folder: str | Path) -> nn.Module:
    """A model folder's network, in eval mode; `load_spec` says what it is."""
    network = load_spec(folder).build()
    load_weights(network, folder)
    return network.eval()


def start_from(network: nn.Module, spec: ModelSpec, folder: str | Path) -> int:
    """Fills a network with a trained model's weights; a class that the model does not know stays as it was.

    Args:
        network: The one to fill.
        spec: What it is.
        folder: The trained model's folder; it may have other classes, in another order.

    Returns:
        How many of the classes the model knows.

    Raises:
        ActrecError: The model is another network, or sees another skeleton or other features.
    """
    there = load_spec(folder)
    _check_alike(spec, there, folder)
    trained = there.build()
    load_weights(trained, folder)
    rows = [number for number, label in enumerate(spec.labels) if label in there.labels]
    known = [there.labels.index(spec.labels[number]) for number in rows]
    for layer, other in zip(_classifiers(network), _classifiers(trained), strict=True):
        layer.weight.data[rows], layer.bias.data[rows] = other.weight.data[known], other.bias.data[known]
        other.weight, other.bias = layer.weight, layer.bias
    network.load_state_dict(trained.state_dict())
    return len(rows)


def _classifiers(network: nn.Module) -> list[nn.Linear]:
    """The layers whose rows are the classes."""
    named = network.named_modules()
    return [module for name, module in named if "classifier" in name and isinstance(module, nn.Linear)]


def _check_alike(spec: ModelSpec, there: ModelSpec, folder: str | Path) -> None:
    def facts(of: ModelSpec) -> dict[str, Any]:
        groups = {"features": asdict(of.pipeline.features), "network": of.network_options}
        options = {f"{group}.{name}": value for group, values in groups.items() for name, value in values.items()}
        del options["network.n_classes"]
        return {"skeleton": of.pipeline.skeleton.name, "network": of.network, **options}

    here, other = facts(spec), facts(there)
    for name in here | other:
        if here.get(name) != other.get(name):
            raise ActrecError(
                f"pretrained={folder} does not fit this run: its {name} is {other.get(name)}, and here it is "
                f"{here.get(name)}. Give the run what that model has, or another model."
            )


def model_card(spec: ModelSpec) -> str:
    """The folder's README: what the model is, how good it is, and how to use it."""
    figures = "\n".join(f"| {name} | {value:.4f} |" for name, value in spec.metrics.items() if isinstance(value, float))
    store = "" if spec.pose_model == "generated" else " store=<a skeleton store>"
    table = f"| metric | test split |\n|---|---|\n{figures}" if figures else "Not measured yet."
    return f"""# {spec.network} for {len(spec.labels)} actions

Recognises human actions from 2D skeletons (`{spec.pipeline.skeleton.name}`), one decision for every frame.

- Classes: {", ".join(spec.labels)}
- Preprocessing: {spec.pipeline.preprocess.mode}; windows of {spec.pipeline.windows.length} frames
- Trained on clips of {spec.fps:g} frames a second{f", skeletons by {spec.pose_model}" if spec.pose_model else ""}

{table}

## Use

```
python -m actrec.evaluate model=<this folder> dataset={spec.dataset or "sport14"}{store}
```

```python
import actrec

network = actrec.load_model("<this folder>")  # forward(features, valid) -> logits, latents, forecasts
```

Limits: one person a sequence; actions outside the list above are taken for one of it.
"""
