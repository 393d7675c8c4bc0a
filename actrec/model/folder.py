"""Writes and reads a model folder: weights, configuration, labels and a model card.

Training writes it; evaluation, prediction, serving and export need nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import nn

from actrec.data.saved_split import FILE, SavedSplit
from actrec.files import replace_folder
from actrec.model.network import build_network
from actrec.model.spec import ModelSpec, find_model, load_spec
from actrec.types import NONE, ActrecError


def save_model(folder: str | Path, network: nn.Module, spec: ModelSpec, saved: SavedSplit | None = None) -> Path:
    """Writes a model folder in one step, so that it is never incomplete; an existing one is replaced.

    `saved` names the clips that it was trained, validated and tested on, for later evaluations.
    """
    folder = Path(folder)
    with replace_folder(folder) as made:
        write_weights(network, made)
        write_spec(spec, made)
        if saved is not None:
            (made / FILE).write_text(saved.to_json(), encoding="utf-8")
    return folder


def write_weights(network: nn.Module, folder: Path) -> None:
    """Writes `model.safetensors` into a folder."""
    weights = {name: value.contiguous() for name, value in network.state_dict().items()}
    (folder / "model.safetensors").write_bytes(save(weights))  # save_file would let only this user read it


def write_spec(spec: ModelSpec, folder: Path) -> None:
    """Writes `config.json` and the model card into a folder."""
    (folder / "config.json").write_text(json.dumps(spec.to_json(), indent=2) + "\n", encoding="utf-8")
    (folder / "README.md").write_text(model_card(spec), encoding="utf-8")


def load_weights(network: nn.Module, folder: str | Path) -> None:
    """Fills a network with a model folder's weights.

    Raises:
        ActrecError: The weights are missing, damaged, of another network, skeleton or type, or not finite.
    """
    path = find_model(folder) / "model.safetensors"
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
    for name, value in weights.items():
        if value.dtype != own[name].dtype:
            raise ActrecError(
                f"The weights in '{path}' are of another type: '{name}' is {value.dtype}, expected {own[name].dtype}. "
                "Use the file that training wrote."
            )
        if not value.isfinite().all() or (name.endswith("running_var") and (value < 0).any()):
            raise ActrecError(
                f"The weights in '{path}' have values in '{name}' that no trained network has (NaN, infinite, or a "
                "negative variance). Train the model again, with a lower base_lr where its loss became NaN."
            )
    network.load_state_dict(weights)


def load_model(folder: str | Path, trust: str | Sequence[str] = ()) -> nn.Module:
    """Loads the network of a model folder, in eval mode; `load_spec` loads its specification.

    Args:
        folder: A model folder, or a run's folder, which has one.
        trust: Packages other than actrec from which the network's class may be imported: loading runs their code.

    Raises:
        ActrecError: The folder is not a model folder or is damaged, or the network's package is not trusted.
    """
    network = build_network(load_spec(folder), trust)
    load_weights(network, folder)
    return network.eval()


def model_card(spec: ModelSpec) -> str:
    """Returns the model card, the folder's README.md."""
    figures = "\n".join(f"| {name} | {value:.4f} |" for name, value in spec.metrics.items() if isinstance(value, float))
    is_generated = spec.pose_model == "generated"
    store = "" if is_generated else " store=<a skeleton store>"
    table = (
        f"| metric | test split |\n|---|---|\n{figures}"
        if figures
        else "None are stored with this model. docs/models.md has those of the models that come with actrec."
    )
    own = "" if spec.network.startswith("actrec.") else f', trust="{spec.network.partition(".")[0]}"'
    rate = spec.pipeline.preprocess.fps
    actions = [label for label in spec.labels if label != NONE]
    return f"""# {spec.network_name} for {len(actions)} actions

Recognises human actions from 2D skeletons (`{spec.pipeline.skeleton.name}`) and gives a decision for every frame.

- Classes: {", ".join(spec.labels)}
- Repetitions: {"counted" if spec.network_options.get("phase") else "not counted"}
- Preprocessing: {spec.pipeline.preprocess.mode}{f", {rate:g} frames per second" if rate else ""}; windows of \
{spec.pipeline.windows.length} frames
- Trained on {"generated " if is_generated else ""}clips{f" of dataset={spec.dataset}" if spec.dataset else ""}, \
{spec.fps:g} frames per second\
{f", skeletons by {spec.pose_model}" if spec.pose_model and not is_generated else ""}

{table}

## Use

```
python -m actrec.evaluate model=<this folder> dataset={spec.dataset or "sport14"}{store}
```

```python
import actrec

network = actrec.load_model("<this folder>"{own})  # forward(features, valid) -> logits, latents, forecasts
recognizer = actrec.OnlineRecognizer.from_pretrained("<this folder>"{own})  # push(keypoints, timestamp) -> Prediction
```

## Limits

{_limits(spec)}
{_LICENCE if is_generated else ""}"""


_LICENCE = """
## Licence

Generated clips put no conditions on the weights. Weights that come with actrec are under its licence (MIT).
"""


def _limits(spec: ModelSpec) -> str:
    if NONE not in spec.labels:
        return "Each sequence shows one person; any other action is recognised as one of the listed ones."
    return (
        "Each sequence shows one person. Other motions are of the class none; one that resembles an action may be "
        "recognised as that action."
    )
