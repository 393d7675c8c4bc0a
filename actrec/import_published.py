"""Converts the published checkpoint to a model folder: `python -m actrec.import_published checkpoint=… model=…`."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig

from actrec.config import main
from actrec.model.folder import save_model
from actrec.model.network import build_network
from actrec.model.spec import ModelSpec
from actrec.network.published import OPTIONS, convert_state_dict
from actrec.pipeline.features import Features
from actrec.pipeline.pipeline import Pipeline
from actrec.pipeline.preprocess import Preprocess
from actrec.pipeline.windows import ResizeWindows
from actrec.skeleton import COCO17
from actrec.types import ActrecError

# The checkpoint's spellings that are not Sport14's.
_LABELS = {"pullup": "pull_ups", "pushup": "push_ups", "situp": "sit_ups"}


def import_published(checkpoint: Path, model: Path) -> None:
    """Writes the model folder of the published checkpoint.

    Raises:
        ActrecError: The file is not that checkpoint, or the folder is there already.
    """
    if model.exists():
        raise ActrecError(f"'{model}' is there already. Give another folder, or remove it.")
    try:
        content: dict[str, Any] = torch.load(checkpoint, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise ActrecError(f"There is no checkpoint '{checkpoint}'.") from None
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise ActrecError(f"'{checkpoint}' cannot be read as a checkpoint of plain tensors: {reason}") from None
    if not isinstance(content, dict) or not {"model", "label_to_idx"} <= set(content):
        raise ActrecError(
            f"'{checkpoint}' is not the published checkpoint: expected a dict with model and label_to_idx."
        )
    numbers = content["label_to_idx"]
    labels = tuple(_LABELS.get(label, label) for label in sorted(numbers, key=numbers.__getitem__))
    spec = ModelSpec(
        network="actrec.network.infogcn.InfoGCN",
        network_options={"skeleton": "coco17", "in_channels": 3, "n_classes": len(labels), **OPTIONS},
        pipeline=Pipeline(COCO17, Preprocess(), ResizeWindows(length=64, p_interval_val=(1.0,)), Features()),
        labels=labels,
        decision="mean",
        pose_model="yolo11x-pose",
    )
    network = build_network(spec)
    weights = convert_state_dict(content["model"])
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise ActrecError(
            f"'{checkpoint}' has weights of another network: {str(error).splitlines()[-1].strip()}"
        ) from None
    save_model(model, network, spec)


@main("import_published")
def run(cfg: DictConfig) -> None:
    import_published(Path(cfg.checkpoint), Path(cfg.model))
    print(f"Model folder: {cfg.model}")


if __name__ == "__main__":
    run()
