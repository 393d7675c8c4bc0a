"""Online recognition by ONNX Runtime, on the CPU: what `actrec.export` wrote runs here, without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.online.engine import Engine, StepEngine, WindowEngine
from actrec.spec import ModelSpec
from actrec.types import ActrecError, SetupError


def open_session(path: Path, threads: int = 1) -> Any:
    """An ONNX Runtime session.

    Args:
        path: The ONNX file.
        threads: Of one operation. One person's frame is too little work for more than one.

    Raises:
        ActrecError: ONNX Runtime is not there, or cannot read the file.
    """
    try:
        import onnxruntime
    except ImportError:
        raise SetupError(
            "This model runs by ONNX Runtime, which is not installed: pip install 'actrec[onnx]'"
        ) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exceptions have no common base but this
        raise ActrecError(f"'{path}' cannot be read ({str(error).splitlines()[0]}). Export the model again.") from error


class OnnxStep:
    """A network's step.

    Args:
        session: Of `step.onnx`.
    """

    def __init__(self, session: Any) -> None:
        self.session = session
        shapes = {each.name: each.shape for each in session.get_inputs()}
        self._layers = sum(name.startswith("keys.") for name in shapes)
        self._cache = shapes["keys.0"][1:]

    def cache_shape(self, rows: int) -> tuple[int, ...]:
        """See `actrec.network.step.Step.cache_shape`."""
        return (self._layers, rows, *self._cache)

    def __call__(
        self, features: ndarray, position: ndarray, answer: ndarray, keys: ndarray, values: ndarray
    ) -> tuple[ndarray, ndarray, ndarray, ndarray]:
        """See `actrec.network.step.Step`."""
        given = {"features": features, "position": position, "answer": answer}
        for layer in range(self._layers):
            given |= {f"keys.{layer}": keys[layer], f"values.{layer}": values[layer]}
        logits, poses, new_keys, new_values = self.session.run(None, given)
        return logits, poses, new_keys, new_values


class OnnxWindow:
    """A network's forward over a window.

    Args:
        session: Of `window.onnx`, which takes windows of full length alone.
    """

    def __init__(self, session: Any) -> None:
        self.session, self.length = session, session.get_inputs()[0].shape[1]

    def __call__(self, features: Float[ndarray, "time joint channel"]) -> tuple[ndarray, ndarray]:
        """Logits (time, class) and pose forecasts (horizon, time, joint, coordinate)."""
        n_frames = len(features)
        padded = np.zeros((1, self.length, *features.shape[1:]), dtype=np.float32)
        padded[0, :n_frames] = features
        logits, poses = self.session.run(None, {"features": padded, "valid": np.arange(self.length)[None] < n_frames})
        return logits[0, :n_frames], poses[:, 0, :n_frames]


def load_engine(folder: Path, spec: ModelSpec) -> Engine:
    """The engine of a folder that `actrec.export` wrote."""
    step = folder / "step.onnx"
    if step.is_file():
        return StepEngine(spec.pipeline, OnnxStep(open_session(step)))
    window = OnnxWindow(open_session(folder / "window.onnx"))
    return WindowEngine(spec.pipeline, window, spec.pipeline.preprocess.fps or spec.fps)
