"""Online recognition by ONNX Runtime, on the CPU and without torch, from the files that `onnx_export` writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import onnxruntime
from jaxtyping import Float
from numpy import ndarray

from actrec.model.spec import ModelSpec
from actrec.online.engine import Engine, StepArrays, WindowArrays
from actrec.online.step_engine import StepEngine
from actrec.online.window_engine import WindowEngine
from actrec.types import ActrecError


def open_session(path: Path) -> Any:
    """Opens a session of ONNX Runtime."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # one frame of one person is too little work for several
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exceptions have no common base but this
        raise ActrecError(f"'{path}' cannot be read ({str(error).splitlines()[0]}). Export the model again.") from error


T = TypeVar("T")

# Files of earlier versions have no embedding. Phase and embedding are missing for a network that does not compute them.
STEP_OUTPUTS = ("logits", "pose_forecasts", "new_keys", "new_values", "phase", "embedding")
WINDOW_OUTPUTS = ("logits", "pose_forecasts", "phase", "embedding")


def _namer(session: Any, names: Sequence[str], fields: Sequence[str]) -> Callable[[Sequence[ndarray]], dict[str, Any]]:
    """Returns a function that gives a file's outputs the names of `StepArrays` or `WindowArrays`."""
    field_of = dict(zip(names, fields, strict=True))
    found = [field_of[each.name] for each in session.get_outputs()]  # a KeyError for a file of another program
    return lambda outputs: dict(zip(found, outputs, strict=True))


class OnnxStep:
    """A `StepModel` that is run by ONNX Runtime."""

    def __init__(self, session: Any) -> None:
        self.session = session
        shapes = {each.name: each.shape for each in session.get_inputs()}
        self._layers = sum(name.startswith("keys.") for name in shapes)
        self._cache = shapes["keys.0"][1:] if self._layers else []
        self.outputs = _namer(session, STEP_OUTPUTS, StepArrays._fields)

    def cache_shape(self, rows: int) -> tuple[int, ...]:
        return (self._layers, rows, *self._cache)

    def __call__(
        self, features: ndarray, position: ndarray, answer: ndarray, keys: ndarray, values: ndarray
    ) -> StepArrays:
        given = {"features": features, "position": position, "answer": answer}
        for layer in range(self._layers):
            given |= {f"keys.{layer}": keys[layer], f"values.{layer}": values[layer]}
        return StepArrays(**self.outputs(self.session.run(None, given)))


class OnnxWindow:
    """A `WindowModel` that is run by ONNX Runtime on windows padded to full length."""

    def __init__(self, session: Any) -> None:
        self.session, self.length = session, session.get_inputs()[0].shape[1]
        self.outputs = _namer(session, WINDOW_OUTPUTS, WindowArrays._fields)

    def __call__(self, features: Float[ndarray, "time joint channel"]) -> WindowArrays:
        n_frames = len(features)
        padded = np.zeros((1, self.length, *features.shape[1:]), dtype=np.float32)
        padded[0, :n_frames] = features
        valid = np.arange(self.length)[None] < n_frames
        made = WindowArrays(**self.outputs(self.session.run(None, {"features": padded, "valid": valid})))
        rest = (None if part is None else part[0, :n_frames] for part in (made.phase, made.embedding))
        return WindowArrays(made.logits[0, :n_frames], made.poses[:, 0, :n_frames], *rest)


def _opened(path: Path, kind: Callable[[Any], T]) -> T:
    session = open_session(path)
    try:
        return kind(session)
    except (IndexError, KeyError, TypeError):
        raise ActrecError(f"'{path}' is not a file of actrec.export. Export the model again.") from None


def _check_fit(
    path: Path, spec: ModelSpec, probe: Callable[[], StepArrays | WindowArrays], logits: tuple[int, int]
) -> None:
    """Runs a model file once, on zeros, and checks the shapes and that the output is finite."""
    try:
        output = probe()
        found, poses, phase = output.logits, output.poses, output.phase
        reason = f"its logits are {found.shape}, expected {logits}" if found.shape != logits else ""
        joints = spec.pipeline.skeleton.n_joints
        if not reason and len(poses) and poses.shape[-2] != joints:
            reason = f"it forecasts {poses.shape[-2]} joints, expected {joints}"
        if not reason and len(poses) and poses.shape[-1] < spec.pipeline.n_coordinates:
            reason = f"it forecasts {poses.shape[-1]} coordinates, expected {spec.pipeline.n_coordinates}"
        wanted = (logits[0], 2) if spec.network_options.get("phase") else None
        if not reason and (None if phase is None else phase.shape) != wanted:
            reason = f"its phase is {'missing' if phase is None else phase.shape}, expected {wanted or 'none'}"
        embedding = output.embedding
        if not reason and embedding is not None and (embedding.ndim, len(embedding)) != (2, logits[0]):
            reason = f"its embedding is {embedding.shape}, expected {logits[0]} rows"
        given = (found, poses, phase, embedding)
        if not reason and not all(np.isfinite(part).all() for part in given if part is not None):
            reason = "it gives numbers that are NaN or infinite"
    except Exception as error:  # onnxruntime's own exceptions have no common base but this
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    if reason:
        raise ActrecError(f"'{path}' does not fit the config.json beside it ({reason}). Export the model again.")


def load_engine(folder: Path, spec: ModelSpec) -> Engine:
    """Loads the engine of a folder that `actrec.export` wrote.

    Raises:
        ActrecError: A file is damaged or of another model than `spec`.
    """
    parts, n_classes = spec.pipeline, len(spec.labels)
    joint = (parts.skeleton.n_joints, parts.n_channels)
    path = folder / "step.onnx"
    if path.is_file():
        step = _opened(path, OnnxStep)
        number = np.zeros(1, dtype=np.int64)

        def probe() -> StepArrays:
            shape = step.cache_shape(1)
            if shape[-2] != parts.windows.length:
                raise ValueError(f"its windows have {shape[-2]} frames, expected {parts.windows.length}")
            caches = [np.zeros(shape, dtype=np.float32) for _ in range(2)]
            return step(np.zeros((1, *joint), dtype=np.float32), number, number, *caches)

        _check_fit(path, spec, probe, (1, n_classes))
        return StepEngine(parts, step)
    path, length = folder / "window.onnx", parts.windows.length
    window = _opened(path, OnnxWindow)

    def probe_window() -> WindowArrays:
        if window.length != length:
            raise ValueError(f"its windows have {window.length} frames, expected {length}")
        return window(np.zeros((length, *joint), dtype=np.float32))

    _check_fit(path, spec, probe_window, (length, n_classes))
    return WindowEngine(parts, window, parts.preprocess.fps or spec.fps)
