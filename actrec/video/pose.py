"""Finds the people in pictures, with their joints, with a YOLO pose model of Ultralytics."""

from __future__ import annotations

import ctypes
import importlib.metadata
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import Any

import numpy as np
import torch

from actrec.skeleton import get_skeleton
from actrec.types import ActrecError, Picture, SetupError
from actrec.video.people import SKELETON, People

_RELEASED = re.compile(r"(yolo(?:11|v8)[nsmlx])(?:-pose)?(?:\.pt)?")
_PACKAGES = ("ultralytics-opencv-headless", "ultralytics")
_CPU_BATCH, _GPU_BATCH = 8, 32
_ONE_AT_A_TIME = RLock()  # Ultralytics keeps inputs and results in the model


@dataclass(frozen=True)
class PoseModel:
    """A YOLO pose model of Ultralytics; it is loaded (and a released model is downloaded) on first use.

    Attributes:
        weights: A released model (`yolo11x`, `yolov8n` …), or the path of weights or of an exported file or folder.
        min_score: Least score of a person. Detections with less than 0.4 can continue a track, but not start one.
        min_confidence: Joints with a lower confidence are unobserved.
    """

    weights: str
    min_score: float = 0.05
    min_confidence: float = 0.2

    def __post_init__(self) -> None:
        for name in ("min_score", "min_confidence"):
            if not 0 <= getattr(self, name) <= 1:
                raise ActrecError(f"{name} is {getattr(self, name)}; expected 0 to 1.")
        if not self._released and not Path(self.weights).expanduser().exists():
            raise ActrecError(
                f"pose={self.weights} does not exist. Give a released model (yolo11n|s|m|l|x, yolov8n|s|m|l|x) or the "
                "path of YOLO pose weights (.pt, .onnx) or of a folder exported to OpenVINO."
            )

    @property
    def description(self) -> tuple[str, str]:
        """The model's name, and the version of Ultralytics, without loading it."""
        return self._released or Path(self.weights).expanduser().resolve().name, _version()

    def load(self) -> None:
        """Loads the model now, instead of on first use; raises a SetupError if it is no pose model with 17 joints."""
        _ = self._model

    @property
    def batch(self) -> int:
        """Number of pictures to process at once: a multiple of the batch size for which the model was exported."""
        backend = self._model.predictor.model
        if backend.format == "pt" or getattr(backend, "dynamic", False):
            return _GPU_BATCH if torch.cuda.is_available() else _CPU_BATCH
        return int(backend.batch) * -(-_CPU_BATCH // int(backend.batch))  # Ultralytics divides it into batches

    @property
    def longest(self) -> int:
        """The longer side, in pixels, to which the model scales pictures."""
        return int(max(self._model.predictor.imgsz))

    def __call__(self, pictures: Sequence[Picture]) -> list[People]:
        """Finds the people in each picture.

        Raises:
            SetupError: The model cannot be loaded, or is no pose model with 17 joints.
        """
        images = [np.ascontiguousarray(picture[..., ::-1]) for picture in pictures]
        with _ONE_AT_A_TIME:
            results = self._model.predict(
                images, conf=self.min_score, verbose=False, half=torch.cuda.is_available(), batch=len(images)
            )
        return [self._people(result) for result in results]

    def _people(self, result: Any) -> People:
        boxes, found = result.boxes.cpu().numpy(), result.keypoints.data.cpu().numpy().astype(np.float32)
        keypoints = np.zeros((len(boxes), get_skeleton(SKELETON).n_joints, 3), dtype=np.float32)
        if len(boxes):  # without a person, the keypoints of Ultralytics have any shape
            nowhere = (found[..., :2] == 0).all(-1) | ~np.isfinite(found).all(-1)
            keypoints[:] = np.where((nowhere | (found[..., 2] < self.min_confidence))[..., None], 0, found)
        return People(boxes.xyxy.astype(np.float32), boxes.conf.astype(np.float32), keypoints)

    @property
    def _released(self) -> str | None:
        """The name of the released model's weights; None if `weights` is a path."""
        match = _RELEASED.fullmatch(self.weights)
        return f"{match[1]}-pose" if match and not Path(self.weights).exists() else None

    @cached_property
    def _model(self) -> Any:
        ultralytics = import_ultralytics()
        path = self._fetched() if self._released else Path(self.weights).expanduser()
        try:
            with _ONE_AT_A_TIME, _same_signal_stack():
                model = ultralytics.YOLO(str(path), task="pose")
                model.predict(np.zeros((64, 64, 3), dtype=np.uint8), verbose=False)  # exports are only read here
        except ImportError as error:
            needed = "'actrec[openvino]'" if error.name == "openvino" else error.name
            raise SetupError(
                f"pose={self.weights} needs {error.name}, which is not installed: pip install {needed}"
            ) from None
        except Exception as error:  # Ultralytics and the runtimes of exports raise many kinds
            reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
            raise SetupError(f"pose={self.weights} cannot be loaded as a YOLO pose model ({reason[:160]}).") from None
        task = getattr(model.predictor.model, "task", None) or model.task  # weights have the latter, exports the former
        shape = getattr(model.predictor.model, "kpt_shape", None)
        if task != "pose" or tuple(shape or ()) != (get_skeleton(SKELETON).n_joints, 3):
            raise SetupError(
                f"pose={self.weights} is a model for '{task}' with keypoints {tuple(shape or ())}; expected one for "
                "'pose' with (17, 3): COCO's joints and their confidences."
            )
        return model

    def _fetched(self) -> Path:
        """Returns the file of a released model; Ultralytics downloads it if it does not exist."""
        file = Path(torch.hub.get_dir()) / "checkpoints" / f"{self._released}.pt"
        if file.is_file():
            return file
        from ultralytics.utils.downloads import attempt_download_asset

        try:
            if os.environ.get("YOLO_OFFLINE", "").lower() in ("1", "true", "yes"):
                raise ConnectionError("YOLO_OFFLINE is set")
            file.parent.mkdir(parents=True, exist_ok=True)
            attempt_download_asset(file)
        except Exception as error:  # urllib, curl and Ultralytics raise many kinds
            reason = str(error).strip().splitlines()[-1:]
            raise SetupError(
                f"The weights of pose={self.weights} are not at {file} and cannot be downloaded ({' '.join(reason)}). "
                "Put them there, or give pose=<path of YOLO pose weights>."
            ) from None
        return file


def _version() -> str:
    for package in _PACKAGES:
        try:
            return f"ultralytics {importlib.metadata.version(package)}"
        except importlib.metadata.PackageNotFoundError:
            continue
    raise _no_ultralytics()


def import_ultralytics() -> Any:
    """Imports the package with its telemetry, update checks and automatic installs switched off."""
    if "ultralytics" not in sys.modules:
        settings = {"YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false", "YOLO_VERBOSE": "false"}
        before = {name: os.environ.get(name) for name in settings}
        os.environ.update(settings)
        try:
            importlib.import_module("ultralytics")
        except ImportError:
            raise _no_ultralytics() from None
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
    return sys.modules["ultralytics"]


class _SignalStack(ctypes.Structure):
    _fields_ = (("address", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t))


@contextmanager
def _same_signal_stack() -> Iterator[None]:
    """Restores the thread's alternate stack for signal handlers.

    OpenVINO (2026.4) sets a new one with each model, and restores the one before when the model is deleted. If that
    belonged to a model that was deleted earlier, the next signal (Ctrl-C, the end of a data loader's worker) would end
    the process.
    """
    if sys.platform != "linux":
        yield
        return
    before = _SignalStack()
    ctypes.CDLL(None).sigaltstack(None, ctypes.byref(before))
    try:
        yield
    finally:
        ctypes.CDLL(None).sigaltstack(ctypes.byref(before), None)


def _no_ultralytics() -> SetupError:
    return SetupError("Videos need Ultralytics, which is not installed: pip install 'actrec[video]'")
