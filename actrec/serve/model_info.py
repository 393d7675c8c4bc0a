"""The description of a model folder that `/v1/model` returns."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from actrec.online.recognizer import OnlineRecognizer
from actrec.pipeline.windows import AnchoredWindows, ResizeWindows, WindowRule
from actrec.serve.schema import ModelInfo, WindowInfo

_ID_LENGTH = 16  # hexadecimal digits


def model_info(
    folder: Path, recognizer: OnlineRecognizer, takes_pictures: bool, can_enroll: bool, warnings: list[str]
) -> ModelInfo:
    """Makes the answer of `/v1/model`."""
    spec = recognizer.spec
    skeleton, own, card = recognizer.input_skeleton, spec.pipeline.skeleton, folder / "README.md"
    return ModelInfo(
        id=model_id(folder),
        labels=list(recognizer.labels),
        enrolled=list(recognizer.enrolled),
        can_enroll=can_enroll,
        skeleton=skeleton.name,
        joints=list(skeleton.joints),
        n_joints=skeleton.n_joints,
        n_coordinates=spec.pipeline.n_coordinates,
        bones=skeleton.bone_index.tolist(),
        forecast_joints=list(own.joints),
        forecast_bones=own.bone_index.tolist(),
        fps=spec.pipeline.preprocess.fps,
        training_fps=spec.fps,
        window=WindowInfo(rule=_rule(spec.pipeline.windows), length=spec.pipeline.windows.length),
        takes_pictures=takes_pictures,
        warnings=warnings,
        metrics=dict(spec.metrics),
        card=card.read_text(encoding="utf-8") if card.is_file() else "",
    )


def model_id(folder: Path) -> str:
    """Hashes a model's weights and configuration, without its metrics, to an id."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config.pop("metrics", None)
    found = hashlib.sha256(json.dumps(config, sort_keys=True).encode())
    for weights in sorted([*folder.glob("*.safetensors"), *folder.glob("*.onnx")]):
        found.update(weights.name.encode())
        with weights.open("rb") as stream:
            while part := stream.read(1 << 20):
                found.update(part)
    return found.hexdigest()[:_ID_LENGTH]


def _rule(windows: WindowRule) -> str:
    """Returns the name of a window rule in the config group `windows`."""
    if isinstance(windows, AnchoredWindows):
        return "anchored"
    return "resize" if isinstance(windows, ResizeWindows) else "sliding"
